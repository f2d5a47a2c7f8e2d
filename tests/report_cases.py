"""Trials for the tests of figures, report and browser: the samples, and hostile ones. Each page is made once."""

import datetime as dt
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import acu_nof1 as acu
from acu_nof1.outcomes import Outcome
from acu_nof1.protocol import Success
from acu_nof1.report import run_notebook

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
SAMPLES = ("low_back_pain", "knee_osteoarthritis", "migraine", "sleep_and_stress")
START = dt.date(2025, 11, 3)
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> $\\frac{$ 漢字 شكوى'
PAIN = replace(acu.OUTCOMES["nrs_pain"], name="pain", important_change=2.0, declared=True)
KINDS = (
    PAIN,
    Outcome("night", "Bad nights", "yes_no", "days", 0, 1, "lower", important_change=4),
    Outcome("walk", "Walking", "minutes", "min", 0, None, "higher", important_change=10),
    replace(acu.OUTCOMES["csd_se"], name="efficiency"),
)


@cache
def sample(name):
    return acu.reassess(acu.read_trial(SAMPLE_DATA / name))


def outcome(number, label):
    kind = KINDS[number % len(KINDS)]
    return replace(kind, name=f"{kind.name}{number}", label=label)


def values(outcomes, days, seed=1):
    draw = np.random.default_rng(seed)
    columns = {}
    for each in outcomes:
        low, high = (0, 1) if each.kind == "yes_no" else (each.low or 0, each.high or 60)
        column = draw.integers(int(low), int(high) + 1, days).astype(float)
        column[draw.random(days) < 0.1] = np.nan
        columns[each.name] = pd.Series(column, pd.date_range(START, periods=days))
    return columns


def make_trial(outcomes, baseline=14, treatment=56, answers=None, events=(), sessions=(), **plan):
    """Return a trial without files; `answers` replaces the made-up ones."""
    first = START + dt.timedelta(days=baseline)
    phases = [acu.Phase(kind="treatment", start=first, end=first + dt.timedelta(days=treatment - 1))]
    if baseline:
        phases.insert(0, acu.Phase(kind="baseline", start=START, end=first - dt.timedelta(days=1)))
    protocol = acu.Protocol(
        phases=tuple(phases),
        outcomes=tuple(outcomes),
        primary=outcomes[0].name,
        agreed_on=START,
        success=Success(all=(outcomes[0].name,)),
        events=tuple(acu.Event(date=first + dt.timedelta(days=day), what=what) for day, what in events),
        sessions=tuple(sessions),
        **plan,
    )
    held = values(outcomes, baseline + treatment) if answers is None else answers
    return acu.Trial(protocol, acu.Diary.from_values(held))


def sessions(count, every=3, baseline=14):
    first = START + dt.timedelta(days=baseline)
    return tuple(
        acu.Session(
            date=first + dt.timedelta(days=every * number),
            attended=bool(number % 5),
            adverse_asked=True,
            adverse_event="<b>bruise</b>" if number == 2 else "",
            notes=HOSTILE + "x" * (300 if number == 1 else 0),
            more={"points <i>": "LI4"},
        )
        for number in range(count)
    )


@cache
def hostile():
    """Twelve outcomes with long labels, ten events, markup in every text."""
    outcomes = [
        outcome(number, f"{HOSTILE if number == 1 else 'A rather long label of an outcome'} {number}")
        for number in range(12)
    ]
    trial = make_trial(
        outcomes,
        events=[(3 * number, f"{HOSTILE} {number}") for number in range(10)],
        sessions=sessions(18),
        person="P-<b>1</b>",
        condition=(HOSTILE + " and a condition that goes on and on" * 6)[:200],
        goal=HOSTILE,
        planned_sessions=12,
    )
    return acu.reassess(trial)


@cache
def no_baseline():
    return acu.reassess(
        make_trial([outcome(n, f"Outcome {n}") for n in range(3)], baseline=0, person="P-2", condition="back pain")
    )


@cache
def interim():
    """A look whose column has a long name."""
    return acu.reassess(acu.read_trial(SAMPLE_DATA / "low_back_pain"), after_session=6)


@cache
def nothing_kept():
    empty = {PAIN.name: pd.Series(np.nan, pd.date_range(START, periods=70))}
    return acu.reassess(make_trial([PAIN], answers=empty, person="P-3"))


@cache
def four_hundred_days():
    return acu.reassess(
        make_trial(
            [outcome(0, "Pain"), outcome(1, "Bad nights")], 60, 340, sessions=sessions(25, baseline=60), person="P-4"
        )
    )


CASES = {
    **{name: (lambda name=name: sample(name)) for name in SAMPLES},
    "hostile": hostile,
    "interim": interim,
    "no_baseline": no_baseline,
    "nothing_kept": nothing_kept,
    "four_hundred_days": four_hundred_days,
}


@cache
def page(name):
    """Return the HTML of a case as `write_report` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        acu.write_report(CASES[name](), Path(folder) / "page.html")
        return (Path(folder) / "page.html").read_text(encoding="utf-8")


PATIENT = {f"patient_{name}": name for name in (*SAMPLES, "hostile")}


@cache
def patient_page(name):
    """Return the HTML of a case's page for the patient, named as in `PATIENT`."""
    with tempfile.TemporaryDirectory() as folder:
        acu.write_report(CASES[PATIENT[name]](), Path(folder) / "page.html", patient=True)
        return (Path(folder) / "page.html").read_text(encoding="utf-8")


@cache
def notebook(name):
    """Return the HTML and the executed notebook of a sample as `run_notebook` writes them."""
    with tempfile.TemporaryDirectory() as folder:
        html, ipynb = Path(folder) / "page.html", Path(folder) / "notebook.ipynb"
        run_notebook(
            {"trial_folder": str(SAMPLE_DATA / name), "after_session": None, "on": None}, html=html, ipynb=ipynb
        )
        return html.read_text(encoding="utf-8"), ipynb.read_text(encoding="utf-8")
