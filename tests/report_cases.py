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
UNBROKEN = "spondyloarthropathia" * 10  # 200 characters without a space
ARABIC, HEBREW = "ألم أسفل الظهر (منذ 3 سنوات)", "כאב גב תחתון, 7 שנים"
# A bidi override without its end: what follows must not be turned round.
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}abc 123 (xyz)"
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
    """Twelve outcomes with long labels, thirty events, forty sessions, markup in every text."""
    outcomes = [
        outcome(number, f"{HOSTILE if number == 1 else 'A rather long label of an outcome'} {number}")
        for number in range(12)
    ]
    answers = values(outcomes, 70)
    course = np.random.default_rng(7).integers(7, 9, 70) - 4 * (np.arange(70) >= 14)
    answers[outcomes[0].name] = pd.Series(course.astype(float), pd.date_range(START, periods=70))
    trial = make_trial(
        outcomes,
        answers=answers,
        events=[(2 * number - 2, f"{HOSTILE} {number}") for number in range(30)],
        sessions=sessions(40, every=1),
        person="P-<b>1</b>",
        condition=(HOSTILE + " and a condition that goes on and on" * 6)[:200],
        goal=HOSTILE,
        planned_sessions=12,
        show_notes=True,
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
    """A long diary of large and of small amounts, and a name of 200 characters without a space."""
    steps = Outcome("steps", "Steps", "count", "steps/day", 0, None, "higher", important_change_percent=20)
    doses = Outcome("doses", "Tablets", "doses", "doses/day", 0, None, "lower", important_change=0.02)
    days, draw = pd.date_range(START, periods=400), np.random.default_rng(4)
    held = values([outcome(0, "Pain"), outcome(1, "Bad nights")], 400) | {
        "steps": pd.Series(draw.poisson(12_345, 400).astype(float), days),
        "doses": pd.Series((draw.random(400) < 0.04) * 0.5, days),
    }
    outcomes = [
        outcome(0, "Pain"),
        outcome(1, "Bad nights"),
        replace(steps, declared=True),
        replace(doses, declared=True),
    ]
    long = sessions(25, baseline=60)
    return acu.reassess(make_trial(outcomes, 60, 340, held, sessions=long, person="P-4", condition=UNBROKEN))


@cache
def right_to_left():
    """Arabic and Hebrew in every text, beside numbers and brackets, overrides of direction, emoji."""
    labels = (ARABIC, HEBREW, f"Pain {OVERRIDE}", "Sleep 😴 (שינה)")
    visits = sessions(3)
    visits = (
        visits[0].model_copy(
            update={"notes": f"{ARABIC} 🙂 {OVERRIDE}", "adverse_event": HEBREW, "more": {HEBREW: "LI4 (合谷)"}}
        ),
        *visits[1:],
    )
    return acu.reassess(
        make_trial(
            [outcome(number, label) for number, label in enumerate(labels)],
            events=[(5, ARABIC), (20, f"{HEBREW} 💊"), (30, OVERRIDE)],
            sessions=visits,
            person="P-5",
            condition=f"{ARABIC} {OVERRIDE}",
            goal=f"{HEBREW} 🚶🏽‍♀️ {OVERRIDE}",
            planned_sessions=10,
        )
    )


@cache
def abab():
    """Two courses with a baseline before each, and a start that was drawn."""
    trial = make_trial([outcome(0, "Pain"), outcome(1, "Bad nights"), outcome(2, "Walking")], 14, 56, person="P-6")
    edges = [START + dt.timedelta(days=days) for days in (0, 14, 35, 49, 70)]
    kinds = ("baseline", "treatment", "baseline", "treatment")
    phases = tuple(
        acu.Phase(kind=kind, start=start, end=end - dt.timedelta(days=1))
        for kind, start, end in zip(kinds, edges[:-1], edges[1:], strict=True)
    )
    return acu.reassess(acu.Trial(trial.protocol.model_copy(update={"phases": phases}), trial.diary))


@cache
def one_day():
    """One answered day among all, events on it, nothing agreed, nobody named."""
    answers = {PAIN.name: pd.Series([4.0], pd.DatetimeIndex([START + dt.timedelta(days=20)]))}
    trial = make_trial([PAIN], answers=answers)
    plan = trial.protocol.model_copy(update={"agreed_on": None, "success": None})
    return acu.reassess(acu.Trial(plan, trial.diary))


@cache
def before_any_answer():
    """A look at a diary without a single row."""
    trial = make_trial([outcome(n, f"Outcome {n}") for n in range(4)], answers={}, person="P-8", condition="back pain")
    return acu.reassess(trial, on=START + dt.timedelta(days=16))


@cache
def nothing_estimable():
    """Twelve outcomes that never move: each says why it has no answer."""
    outcomes = [outcome(number, f"Outcome number {number}") for number in range(12)]
    still = {each.name: pd.Series(1.0, pd.date_range(START, periods=70)) for each in outcomes}
    trial = make_trial(outcomes, answers=still, person="P-9", condition=HOSTILE, goal="a very long goal " * 20)
    rule = Success(all=tuple(each.name for each in outcomes if each.important_change))
    return acu.reassess(acu.Trial(trial.protocol.model_copy(update={"success": rule}), trial.diary))


@cache
def alarm():
    """Red flags and serious events by the dozen, each long and with markup: they stand first, whatever they are."""
    flags = (HOSTILE, UNBROKEN, ARABIC, OVERRIDE, *(f"{HOSTILE} flag {number}" for number in range(8)))
    harmed = tuple(
        each.model_copy(update={"adverse_event": f"{HOSTILE} {ARABIC} {number}", "serious": number < 9})
        for number, each in enumerate(sessions(12))
    )
    trial = make_trial(
        [outcome(n, f"Outcome {n}") for n in range(4)], sessions=harmed, person="P-10", condition=HOSTILE
    )
    profile = trial.protocol.safety.model_copy(update={"red_flags": flags, "blood_thinner": True})
    return acu.reassess(acu.Trial(trial.protocol.model_copy(update={"safety": profile}), trial.diary))


@cache
def from_files():
    """File names, column titles and cells that are markup."""
    name, title, days = "<img src=x>.csv", '<b onclick="x">Pain</b>', pd.date_range(START, periods=70)
    draw = np.random.default_rng(5)
    cells = [str(value) for value in draw.integers(2, 8, 70)]
    cells[3], cells[20], cells[30], cells[40] = HOSTILE.replace('"', "'"), "<i>4</i>", UNBROKEN, ARABIC
    with tempfile.TemporaryDirectory() as folder:
        table = pd.DataFrame({"Day": days.strftime("%Y-%m-%d"), title: cells})
        table.to_csv(Path(folder) / name, index=False)
        log = pd.DataFrame(
            {"date": [f"{days[14]:%Y-%m-%d}"], "adverse_asked": "yes", "notes": HOSTILE, "points": "<u>LI4</u>"}
        )
        log.to_csv(Path(folder) / "s.csv", index=False)
        (Path(folder) / "protocol.toml").write_text(
            f"""sessions = "s.csv"
[trial]
condition = '<marquee>back pain</marquee>'
[[phase]]
kind = "baseline"
start = {days[0]:%Y-%m-%d}
end = {days[13]:%Y-%m-%d}
[[phase]]
kind = "treatment"
start = {days[14]:%Y-%m-%d}
end = {days[69]:%Y-%m-%d}
[[diary]]
file = '{name}'
columns = {{ date = "Day", pain = '{title}' }}
[outcome.pain]
instrument = "nrs_pain"
label = '<svg onload="alert(3)">Pain'
""",
            encoding="utf-8",
        )
        return acu.reassess(acu.read_trial(folder))


CASES = {
    **{name: (lambda name=name: sample(name)) for name in SAMPLES},
    "hostile": hostile,
    "interim": interim,
    "no_baseline": no_baseline,
    "nothing_kept": nothing_kept,
    "four_hundred_days": four_hundred_days,
    "right_to_left": right_to_left,
    "abab": abab,
    "one_day": one_day,
    "before_any_answer": before_any_answer,
    "nothing_estimable": nothing_estimable,
    "alarm": alarm,
    "from_files": from_files,
}
ALARMS = ("sleep_and_stress", "alarm")


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
