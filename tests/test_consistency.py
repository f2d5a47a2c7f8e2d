"""No sentence contradicts another, or a number: a thousand simulated trials, read back by `consistency`."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from dataclasses import dataclass, replace

import numpy as np
import pytest
from conftest import START, make_trial
from consistency import WHOLE, complaints, plain, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1.estimate import (
    CHANGE_AT_REASSESSMENT,
    DAYS_PER_28,
    DAYS_RATIO,
    MEAN_CHANGE,
    RATE_RATIO,
    SCORE_CHANGE,
    Estimates,
    estimate_all,
)
from acu_nof1.explore.sensitivity import Sensitivity
from acu_nof1.report.block import Badge, Failed
from acu_nof1.report.blocks import answer, appendix, decision, opening, outcomes
from acu_nof1.report.patient import PATIENT_SECTIONS, drawing
from acu_nof1.safety import RED_FLAGS
from acu_nof1.simulate import markov_days, missing_days, noise, written
from acu_nof1.verdict import Verdict, _unattainable, judge_success

MORE = int(os.environ.get("ACU_CONSISTENCY", "1"))
"""How many times as many trials: for a search that no test waits for."""
PAIN = {"instrument": "nrs_pain", "important_change": 2}
UNAGREED = {"trial": {"person": "P-001"}}
RULE = {"success": {"all": ["it"]}}


def days(*lengths: int) -> dict:
    """Phases A, B, A, B … of so many days."""
    phases, start = [], START
    for place, length in enumerate(lengths):
        end = start + dt.timedelta(days=length - 1)
        phases.append({"kind": "treatment" if place % 2 else "baseline", "start": start, "end": end})
        start = end + dt.timedelta(days=1)
    return {"phase": phases}


@dataclass(frozen=True)
class Kind:
    """Trials of one kind: the outcome, the design, the days, and how large the important change is in their unit."""

    outcome: dict
    asked: object
    level: float
    size: float
    trials: int
    draw: str = "rating"
    lengths: tuple[int, ...] = (14, 42)
    raw: dict | None = None
    step: float | None = 1.0
    low: float | None = 0.0
    high: float | None = 10.0


OWN = {"kind": "rating", "range": [0, 10], "label": "It"}
KINDS = {
    "pain": Kind(PAIN, CHANGE_AT_REASSESSMENT, 6, 2, 200, raw=RULE),
    "pain near the floor": Kind(PAIN, CHANGE_AT_REASSESSMENT, 1.6, 2, 100, raw=RULE),
    "half points, published": Kind({"instrument": "nrs_pain"}, CHANGE_AT_REASSESSMENT, 5, 2, 60, raw=UNAGREED | RULE, step=0.5),
    "mood, higher, without a threshold": Kind(OWN | {"better": "higher"}, CHANGE_AT_REASSESSMENT, 5, 1, 100),
    "wellbeing 0 to 100": Kind(
        OWN | {"range": [0, 100], "better": "higher", "important_change": 10}, CHANGE_AT_REASSESSMENT, 90, 10, 60, raw=UNAGREED | RULE, high=100.0,
    ),
    "several phases": Kind(PAIN, MEAN_CHANGE, 6, 2, 60, lengths=(14, 14, 14, 14), raw=days(14, 14, 14, 14) | RULE),
    "minutes": Kind({"kind": "minutes", "better": "higher", "important_change": 10}, CHANGE_AT_REASSESSMENT, 30, 10, 80, "amount", step=5.0, high=None, raw=RULE),
    "doses as a ratio": Kind({"kind": "doses", "unit": "doses/day", "better": "lower", "important_change_percent": 50}, RATE_RATIO, 2, 1, 80, "amount", high=None, raw=RULE),
    "steps as a ratio, unagreed": Kind(
        {"kind": "count", "unit": "steps/day", "better": "higher"}, RATE_RATIO, 5000, 1000, 40, "amount", step=1.0, high=None, raw=UNAGREED,
    ),
    "headache days": Kind({"instrument": "headache_day", "important_change": 4}, DAYS_PER_28, 12, 4, 100, "yes_no", lengths=(28, 56), raw=RULE),
    "good days": Kind({"kind": "yes_no", "better": "higher", "important_change": 1}, DAYS_PER_28, 20, 3, 60, "yes_no", lengths=(28, 56), raw=RULE),
    "bad days as a ratio": Kind({"kind": "yes_no", "better": "lower", "important_change_percent": 50}, DAYS_RATIO, 12, 4, 40, "yes_no", lengths=(28, 56), raw=RULE),
    "weekly score": Kind(OWN | {"kind": "score", "range": [0, 40], "better": "lower", "every": "week", "important_change": 5, "sem": 2}, SCORE_CHANGE, 20, 5, 80, high=40.0, raw=RULE),
    "score at visits without an error": Kind(OWN | {"kind": "score", "range": [0, 40], "better": "lower", "every": "visit", "important_change": 5}, SCORE_CHANGE, 20, 5, 30, high=40.0, raw=RULE),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Alone(Estimates):
    """One answer of a batch, not made anew from its row each time it is asked for."""

    answer: acu.Estimate

    def __iter__(self):
        yield self.answer


def drawn(kind: Kind, treated: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, days) answers: gains, autocorrelation, spread and missing days differ from trial to trial."""
    gain = (
        kind.size * rng.choice([0.0, rng.uniform(-2, 2.5)], n)
        if n == 1
        else kind.size * rng.uniform(-2, 2.5, n) * rng.integers(0, 2, n)
    )
    phi, spread = rng.uniform(0, 0.8, n), rng.choice([0.05, 0.3, 0.7, 1.5], n)
    effect = treated * gain[:, None]
    if kind.draw == "yes_no":
        share = np.clip((kind.level + effect) / 28, 0.0, 1.0)
        values = markov_days(n, treated.shape[1], share, phi, rng).astype(float)
    else:
        level = (
            kind.level + effect if kind.draw == "rating" else kind.level * np.exp(np.clip(effect / kind.level, -3, 1))
        )
        values = written(
            level + kind.size * spread[:, None] * noise(n, treated.shape[1], phi=phi, seed=rng),
            kind.step,
            kind.low,
            kind.high,
        )
    values[missing_days(n, treated.shape[1], rng.choice([0.0, 0.15, 0.5]), seed=rng)] = np.nan
    return values


def simulated(name: str, seed: int = 1):
    """Reassessments of many trials of one kind: their headline answers come from one batch, as a cohort's do."""
    kind = KINDS[name]
    n, rng = kind.trials * MORE, np.random.default_rng([seed, len(name)])
    trial = make_trial(
        {"it": np.full(sum(kind.lengths), kind.level)}, baseline=kind.lengths[0], raw=kind.raw, it=kind.outcome
    )
    look = trial.default_look()
    one = trial.comparisons(look)
    many = one.take(np.zeros(n, dtype=int))
    values = np.where(np.isfinite(many.values), drawn(kind, many.treated, n, rng), np.nan)
    many = replace(many, values=values)
    answers = estimate_all(many, (kind.asked,))
    outcomes = {outcome.name: outcome for outcome in trial.protocol.outcomes}
    assert len(answers) == n
    assert outcomes
    for row, estimate in enumerate(answers):
        estimates = Alone(answers._table.iloc[[row]], (answers._behind[row],), estimate)
        alone, reached = many.take([row]), tuple(_unattainable(estimate)) if estimate.ok else ()
        reading = estimate.reading if estimate.ok and estimate.reading else "cannot_say"
        review = acu.Reassessment(
            trial=trial, look=look, day=trial.look_day(look), window_days=trial.protocol.window_days(look), comparisons=alone,
            estimates=estimates, verdict=Verdict(reading, estimate, reached, None), success=judge_success(trial, alone, estimates, trial.safety),
            safety=trial.safety, problems=(),
        )  # fmt: skip
        # Asked in other ways it would take a second each; the whole reassessments below are.
        review.__dict__["sensitivity"] = Sensitivity(None, (), trial.protocol.was_agreed)
        yield review


@pytest.mark.parametrize("name", KINDS)
def test_a_thousand_trials_contradict_neither_themselves_nor_their_numbers(name):
    reviews = list(simulated(name))
    wrong = [
        f"{number}: {each}\n    {review.sentence}"
        for number, review in enumerate(reviews)
        for each in complaints(review)
    ]
    assert not wrong, f"{len(wrong)} of {len(reviews)}\n" + "\n".join(wrong[:8])


# ------------------------------------------------------------------ whole reassessments


WALK = {"label": "Walking", "kind": "minutes", "better": "higher", "important_change": 10}
BAD = {"label": "Bad days", "kind": "yes_no", "better": "lower", "important_change": 4}


def whole(number: int) -> acu.Trial:
    """A trial with three outcomes, missing days, a bad first week and an event, differing in all of it."""
    rng = np.random.default_rng([7, number])
    lengths = ((14, 42), (21, 56), (14, 14, 14, 14), (28, 84))[number % 4]
    treated = np.concatenate([np.full(length, place % 2) for place, length in enumerate(lengths)])[None, :]
    flare = np.arange(treated.size) < 7 * (number % 3 == 1)
    pain = drawn(replace(KINDS["pain"], level=(6, 1.8, 8)[number % 3], step=(1.0, 0.5)[number % 2]), treated, 1, rng)[0]
    columns = {
        "it": np.clip(pain + 2 * flare, 0, 10),
        "walk": drawn(KINDS["minutes"], treated, 1, rng)[0],
        "bad": drawn(KINDS["headache days"], treated, 1, rng)[0],
    }
    outcomes = {"it": PAIN if number % 5 else OWN | {"better": "higher"}, "walk": WALK, "bad": BAD}
    if number % 6 == 5:
        columns, outcomes = columns | {"it": columns["bad"]}, outcomes | {"it": BAD | {"label": "Migraine days"}}
    raw = days(*lengths) | {"success": {"all" if number % 2 else "any": ["walk", "bad"]}}
    raw["event"] = (
        [{"date": START + dt.timedelta(days=lengths[0] + 3), "what": "new tablets"}] if number % 4 == 1 else []
    )
    raw |= UNAGREED if number % 7 == 2 else {}
    return make_trial(columns, baseline=lengths[0], raw=raw, **outcomes)


@pytest.mark.parametrize("part", range(2))
def test_whole_reassessments_contradict_neither_themselves_nor_their_files(part):
    wrong = []
    for number in range(part, 12 * MORE, 2):
        review = acu.reassess(whole(number))
        wrong += [f"{number}: {each}\n    {review.sentence}" for each in complaints(review, WHOLE)]
    assert not wrong, f"{len(wrong)}\n" + "\n".join(wrong[:8])


@pytest.mark.parametrize("after", [2.0, 3.6])
@pytest.mark.parametrize("side", ["baseline", "treatment"])
def test_only_days_that_could_undo_a_gain_are_told_of(side, after):
    rng = np.random.default_rng(5)
    pain = np.where(np.arange(56) < 14, 6.5, after) + rng.normal(0, 0.8, 56)
    pain[3 : 9 if side == "baseline" else 0] = np.nan
    pain[46 : 51 if side == "treatment" else 0] = np.nan
    review = acu.reassess(make_trial({"it": np.clip(np.round(pain), 0, 10)}, it=PAIN))
    assert review.verdict.kind.startswith("improved")
    named = {"baseline": "of the 14 days before treatment", "treatment": "of the last 14 days"}[side]
    assert named in " ".join(each for each in review.limits if "The verdict" in each)
    assert not complaints(review)


# ------------------------------------------------------------------ a red flag anywhere


PRAISE = re.compile(
    r"[Ii]mproved|\b[Bb]etter, (?:by|amount|less)|\bBetter\b|\bMet\b|\"met\"|\bmet:|Chance that it is truly"
)
LAST = START + dt.timedelta(days=41)
DATES = st.dates(START - dt.timedelta(days=30), LAST + dt.timedelta(days=400))


def gained(**raw) -> acu.Trial:
    """Six weeks in which pain fell from 8 to 2, agreed and with a rule: as green as a diary can be."""
    rng = np.random.default_rng(3)
    pain = np.round(np.where(np.arange(42) < 14, 8.0, 2.0) + rng.normal(0, 0.7, 42))
    return make_trial({"it": pain}, raw=RULE | raw, it=PAIN)


PATIENT_TEXTS = tuple(each for each in PATIENT_SECTIONS if each is not drawing)


def everything(review: acu.Reassessment) -> str:
    """All that a person or a machine is given, figures aside."""
    sections = " ".join(
        shown(tuple(each(review).walk())) for each in (opening, answer, outcomes, decision, *PATIENT_SECTIONS)
    )
    rows = review.to_frame().to_csv(index=False)
    return " ".join(
        [
            sections,
            json.dumps(review.to_dict(), ensure_ascii=False),
            rows,
            review._repr_html_(),
            repr(review),
            review.sentence,
            review.success_sentence,
        ]
    )


def alarms() -> st.SearchStrategy[dict]:
    """One red flag or serious event: in the profile, or at a session on any day, attended or not, known or misspelt."""
    flags = st.sampled_from([*RED_FLAGS, "something else"])
    session = {"date": DATES, "attended": st.booleans()}
    return st.one_of(
        st.builds(lambda flag: {"safety": {"red_flags": [flag]}}, flags),
        st.fixed_dictionaries(session | {"red_flag": st.lists(flags, min_size=1, max_size=2)}).map(
            lambda one: {"session": [one]}
        ),
        st.fixed_dictionaries(
            session | {"serious": st.just(True), "adverse_event": st.sampled_from(["", "faint"])}
        ).map(lambda one: {"session": [one]}),
    )


def test_without_an_alarm_the_same_diary_is_praised():
    said = everything(acu.reassess(gained()))
    assert len(PRAISE.findall(said)) > 10
    assert "Improved. Average pain" in plain(said)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(alarms(), st.integers(28, 60))
def test_a_red_flag_or_serious_event_anywhere_wins_over_a_green_diary(alarm, look):
    review = acu.reassess(gained(**alarm), on=START + dt.timedelta(days=look))
    said = everything(review)
    assert not PRAISE.findall(said)
    assert said.count("eek medical evaluation promptly") >= 3
    assert not [each for section in (answer, decision) for each in section(review).walk() if isinstance(each, Badge)]
    assert review.verdict.kind == review.success.kind == "overruled"


def test_a_red_flag_wins_in_the_appendix_too():
    section = appendix(acu.reassess(gained(safety={"red_flags": ["fever"]})))
    assert not PRAISE.findall(section.html.striptags())
    assert not [each for each in section.walk() if isinstance(each, Failed)]
