"""A second pair of eyes: numbers from outside, and what a reader of odd but real trials tripped over."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import START, make_trial
from scipy.stats import norm
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.stattools import acf

import acu_nof1 as acu
from acu_nof1 import verdict, words
from acu_nof1.course import course_of, weekly
from acu_nof1.distribution import TMixture
from acu_nof1.explore.courses import courses
from acu_nof1.explore.diagnostics import resemblance
from acu_nof1.interpret import chances, readings, success_kind
from acu_nof1.protocol import Look
from acu_nof1.words import methods, patient

PAIN = {"instrument": "nrs_pain", "important_change": 2}
RESCUE = {"instrument": "rescue_day", "important_change": 4}


def day(number):
    return START + dt.timedelta(days=number)


def fall(before=6.5, after=3.5, days=84, seed=1, sd=1.0):
    level = np.r_[np.full(14, before), np.full(days, after)]
    return np.clip(np.round(level + sd * np.random.default_rng(seed).normal(size=level.size)), 0, 10)


# ------------------------------------------------------------------ numbers from outside


def test_resemblance_is_statsmodels_acf_on_complete_days_and_a_plain_loop_on_gaps():
    values = np.random.default_rng(3).normal(size=60).cumsum() * 0.3
    values -= values.mean()
    held = np.ones(60, bool)
    assert resemblance(values, held) == pytest.approx(acf(values, adjusted=True, nlags=7, fft=False)[1:], abs=1e-12)
    held[[0, 7, 8, 20, 21, 22, 41, 59]] = False
    square = np.mean([values[t] ** 2 for t in range(60) if held[t]])
    for lag in range(1, 8):
        products = [values[t] * values[t + lag] for t in range(60 - lag) if held[t] and held[t + lag]]
        assert resemblance(values, held)[lag - 1] == pytest.approx(np.mean(products) / square)


def test_lines_are_near_those_of_ordinary_least_squares_where_days_show_no_resemblance():
    days = np.arange(160)
    values = 60 + np.where(days < 60, 0, 10 + 0.1 * (days - 60)) + 4 * np.random.default_rng(2).normal(size=160)
    trial = make_trial({"walk": values}, baseline=60,
                       walk={"kind": "score", "range": [0, 200], "better": "higher", "important_change": 5})  # fmt: skip
    [found] = courses(trial.comparisons(trial.protocol.deciding_look))
    for stretch, part in zip(found.stretches, (days < 60, days >= 60), strict=True):
        design = np.column_stack([np.ones(part.sum()), days[part]])
        fit = OLS(values[part], design).fit()
        at = np.column_stack([np.ones(stretch.days.size), stretch.days])
        low, high = fit.get_prediction(at).conf_int().T
        assert stretch.value == pytest.approx(at @ fit.params, abs=0.2)
        assert (stretch.high - stretch.low) / (high - low) == pytest.approx(1.05, abs=0.1)
        assert stretch.days[[0, -1]].tolist() == np.flatnonzero(part)[[0, -1]].tolist()
    assert found.slope[0] == pytest.approx(7 * fit.params[1], abs=0.05)
    assert (found.slope[2] - found.slope[1]) / (7 * np.ptp(fit.conf_int()[1])) == pytest.approx(1.0, abs=0.1)


def test_rules_of_the_verdict_are_those_of_a_normal_distribution():
    """METHODS: the first rule that holds, written down again by hand with the normal distribution."""
    centres, scales = (each.ravel() for each in np.meshgrid(np.linspace(-4, 4, 81), [0.3, 0.8, 1.5, 3.0]))
    known = TMixture(np.ones((centres.size, 1)), centres[:, None], scales[:, None], np.full(centres.size, 1e9))
    m = 2.0
    found = readings(chances(known, 0.0, np.full(centres.size, m), np.full(centres.size, -1)))
    said = set()
    for centre, scale, kind in zip(centres, scales, found, strict=True):
        # Lower is better: a gain is a fall.
        gain, important = norm.cdf(0, centre, scale), norm.cdf(-m, centre, scale)
        loss, half, whole = norm.sf(0, centre, scale), norm.sf(m / 2, centre, scale), norm.sf(m, centre, scale)
        if half >= 0.8 and loss >= 0.95:
            expected = "worse"
        elif important >= 0.8 and gain >= 0.95:
            expected = "improved"
        elif gain >= 0.95:
            expected = "improved_less" if important <= 0.2 else "improved_amount_unclear"
        elif loss >= 0.95:
            expected = "worse_amount_unclear"
        elif 1 - important - whole >= 0.8:
            expected = "no_important_change"
        else:
            expected = "cannot_say"
        assert kind == expected
        said.add(expected)
    assert len(said) == 7


@pytest.mark.parametrize(
    ("p", "gain", "kind"),
    [(0.8, 0.95, "met"), (0.8, 0.9499, "cannot_say"), (0.7999, 1.0, "cannot_say"), (0.2, 0.5, "not_met"),
     (0.2001, 0.5, "cannot_say"), (0.2, 0.0, "not_met"), (None, 1.0, "cannot_say")],
)  # fmt: skip
def test_success_at_its_limits(p, gain, kind):
    assert success_kind(p, gain) == kind


def test_weekly_means_by_hand():
    days = np.arange(-10, 12)
    values = np.where(days % 3 == 0, np.nan, days.astype(float))
    first, mean, count = weekly(days, values)
    assert first.tolist() == [-14, -7, 0, 7]
    for start, average, number in zip(first, mean, count, strict=True):
        held = [v for d, v in zip(days, values, strict=True) if start <= d < start + 7 and np.isfinite(v)]
        assert (average, number) == (pytest.approx(np.mean(held)), len(held))


def test_sessions_are_counted_as_on_the_fingers():
    sessions = [
        {"date": day(14)}, {"date": day(16), "attended": False}, {"date": day(21), "attended": "late cancel"},
        {"date": day(24)}, {"date": day(40)}, {"date": day(99)},
    ]  # fmt: skip
    trial = make_trial({"pain": fall()}, raw={"session": sessions}, pain=PAIN)
    course = course_of(trial, Look(on=day(60)))
    assert (len(course.attended), course.missed, course.late_cancelled) == (3, 1, 1)
    assert (course.gaps, course.days_since_last) == ((10, 16), 20)


# ------------------------------------------------------------------ what a reader tripped over


def patient_text(review):
    from acu_nof1.report.patient import patient_blocks

    return " ".join(section.html.striptags() for section in patient_blocks(review))


def clinician_text(review):
    from acu_nof1.report.blocks import appendix, opening

    return " ".join(part(review).html.striptags() for part in (opening, appendix))


def test_the_patient_is_told_of_more_medicine_taken_while_pain_fell():
    tablets = np.r_[np.zeros(10), np.ones(4), np.ones(84)]
    event = {"date": day(20), "what": "drug X", "kind": "medication", "change": "more"}
    review = acu.reassess(
        make_trial({"pain": fall(), "tablets": tablets}, raw={"event": [event]}, pain=PAIN, tablets=RESCUE)
    )
    assert {"medication", "rescue_rose"} <= {each.kind for each in review.verdict.caveats}
    said = patient_text(review)
    assert "Your medicine changed too: “drug X”. It may be part of the reason." in said
    assert "It may be that rescue days went up too." in said
    assert "could not be made" not in said + clinician_text(review)
    assert "Could “drug X” explain part of it?" in said
    less = acu.reassess(make_trial({"pain": fall()}, raw={"event": [event | {"change": "less"}]}, pain=PAIN))
    assert "medicine" not in patient_text(less)


def test_every_kind_of_caveat_reaches_the_patient_or_is_said_above():
    from typing import get_args

    from acu_nof1.verdict import CaveatKind

    assert set(get_args(CaveatKind)) - set(patient.LIMITS) == {"not_agreed"}


def test_sessions_that_nobody_listed_are_called_not_recorded():
    assert words.page_date(START, 0, None).endswith("no session recorded")
    assert words.page_date(START, 0, 6).endswith("no session recorded of 6 planned")
    assert words.page_date(START, 1, None).endswith("1 session")


def test_days_between_treatments_are_not_called_before_treatment():
    phases = [{"kind": kind, "start": day(21 * k), "end": day(21 * k + 20)}
              for k, kind in enumerate(("baseline", "treatment", "baseline"))]  # fmt: skip
    values = np.repeat([6.0, 4.0, 6.0], 21) + np.random.default_rng(2).integers(-1, 2, 63)
    review = acu.reassess(make_trial({"pain": values}, raw={"phase": phases}, pain=PAIN))
    said = clinician_text(review)
    assert "42 of 42 days without treatment" in said
    assert "42 of 42 days before treatment" not in said
    assert "each phase but the first has a slope of its own. Carry-over is not modelled" in said


def test_words_for_one_and_for_what_is_not_compared():
    score = {"kind": "score", "label": "Score", "range": [0, 30], "better": "lower", "important_change": 3, "sem": 1.2}
    weeks = np.full(98, np.nan)
    weeks[6::7] = np.r_[20, 21, np.arange(12, 0, -1)]
    raw = {"session": [{"date": day(14)}]}
    review = acu.reassess(
        make_trial(
            {"score": weeks, "overall": []}, raw=raw, score=score | {"every": "week"}, overall={"instrument": "pgic"}
        )
    )
    said = clinician_text(review)
    assert "19 Jan 2026, the only one; how long a session lasted" in said
    assert "in one other way;" in said
    assert "The average week in the last 14 days" in said
    assert "exploratory" not in said
    two = acu.reassess(make_trial({"pain": fall(), "walk": fall(3, 5)}, pain=PAIN, walk=score))
    assert "The other outcome is exploratory." in clinician_text(two)


def test_a_loss_is_not_met_with_the_words_for_a_gain():
    review = acu.reassess(make_trial({"pain": fall(3, 7)}, pain=PAIN))
    assert review.verdict.kind == "worse"
    [natural] = [each for each in review.verdict.caveats if each.kind == "natural_course"]
    assert "improve" not in words.caveat(natural, review.telling)
    assert "get better by themselves" not in patient_text(review)


def test_no_threshold_is_called_agreed_where_there_is_none():
    trial = make_trial({"stiff": fall()}, stiff={"kind": "rating", "range": [0, 10], "better": "lower"})
    assert words.agreed_line(trial.protocol) == "Outcomes agreed on 5 Jan 2026, before treatment."
    assert words.agreed_line(make_trial({"pain": fall()}).protocol).startswith("Outcomes and thresholds agreed")


def test_a_cell_without_a_number_has_no_unit():
    few = fall()
    few[:11] = np.nan
    review = acu.reassess(make_trial({"pain": few}, pain=PAIN))
    assert "not estimable" + words.NO_BREAK not in clinician_text(review)


def test_a_run_in_is_told_in_the_methods():
    review = acu.reassess(
        make_trial({"pain": fall()}, raw={"trial": {"agreed_on": START, "run_in_days": 7}}, pain=PAIN)
    )
    assert "The first 7 days of treatment entered nothing." in clinician_text(review)
    assert methods.HEADING in clinician_text(review)


# ------------------------------------------------------------------ caveats at their limits


def kinds(**facts):
    return [each.kind for each in verdict._diary_limits(*diary(**facts), ())]


def diary(answered, of, window=28, kind="yes_no", every="day"):
    """What the limits of a diary look at: answered days of all, and of each side."""
    phase, held = np.zeros((1, of), int), np.arange(of)[None] < answered
    primary = SimpleNamespace(outcome=SimpleNamespace(kind=kind, every=every), days=(28, window),
                              days_before=28, days_after=window)  # fmt: skip
    return SimpleNamespace(phase=phase, answered=held), primary


def test_limits_of_a_diary_at_21_days_and_at_half():
    assert kinds(answered=56, of=56, window=21) == []
    assert kinds(answered=56, of=56, window=20) == ["short_window"]
    assert kinds(answered=56, of=56, window=20, kind="rating") == []
    assert kinds(answered=55, of=56) == ["missing_days"]
    assert kinds(answered=55, of=56, every="week") == []
    for answered, many in ((28, "no"), (27, "yes")):
        [found] = verdict._diary_limits(*diary(answered, 56), ())
        assert found.facts == {"answered": answered, "days": 56, "many": many}


def test_slow_drift_from_one_in_five_and_by_the_more_doubtful_of_answer_and_trend():
    def asked(question, chance, name="pain"):
        return SimpleNamespace(
            question=question, outcome=SimpleNamespace(name=name), p_phi_high=chance, phi=0.5, ok=True
        )

    def told(primary, *others):
        first = asked("change", primary)
        return [each.facts["p"] for each in verdict._slow_drift((first, *others), first)]

    assert told(0.2) == [0.2]
    assert told(0.1999) == []
    assert told(0.1, asked("trend", 0.3)) == [0.3]
    assert told(0.1, asked("trend", 0.3, "walk"), asked("mean_change", 0.9)) == []
    assert told(np.nan, asked("trend", 0.3)) == [0.3]


def test_events_count_from_14_days_before_treatment_to_the_day_before_the_last_compared_one():
    values = fall(days=42)
    values = np.r_[np.full(14, 7.0), values]
    days = (13, 14, 68, 69)
    events = [{"date": day(number), "what": str(number)} for number in days]
    review = acu.reassess(make_trial({"pain": values}, baseline=28, raw={"event": events}, pain=PAIN))
    assert review.verdict.kind.startswith("improved")
    told = [each.facts["what"] for each in review.verdict.caveats if each.kind == "co_intervention"]
    assert told == ["14", "68"]


def test_rescue_that_likely_rose_is_told_of_even_where_it_is_not_sure():
    def told(p_loss, better="lower", every="day", domain="medication", name="tablets"):
        outcome = SimpleNamespace(name=name, label="Tablets", domain=domain, better=better, every=every)
        each = SimpleNamespace(ok=True, p_loss=p_loss, outcome=outcome)
        pain = SimpleNamespace(outcome=SimpleNamespace(name="pain", label="Pain", better="lower"))
        return len(list(verdict._rescue_rose(SimpleNamespace(headlines=[each]), pain)))

    assert [told(p) for p in (0.7999, 0.8, 0.99)] == [0, 1, 1]
    assert (
        told(0.99, better="higher")
        == told(0.99, every="visit")
        == told(0.99, domain="sleep")
        == told(0.99, name="pain")
        == 0
    )


def test_a_trend_before_treatment_counts_only_if_it_was_as_fast_as_since():
    days = np.arange(70)
    course = 60 - 0.5 / 7 * np.minimum(days, 28) - np.where(days >= 28, 15, 0)
    values = np.clip(course + 0.3 * np.random.default_rng(4).normal(size=70), 0, 100)
    score = {"kind": "score", "range": [0, 100], "better": "lower", "important_change": 10}
    slow = acu.reassess(make_trial({"s": values}, baseline=28, s=score)).verdict
    steep = np.r_[9, 9, 8, 9, 8, 8, 8, 7, 7, 6, 6, 5, 5, 5, 4 + np.random.default_rng(1).integers(-1, 2, 84)]
    fast = acu.reassess(make_trial({"pain": steep}, pain=PAIN)).verdict
    assert slow.direction == fast.direction == 1
    told = [[each.kind for each in found.caveats].count("baseline_trend") for found in (slow, fast)]
    assert told == [0, 1]
