"""Level change, slope change and percent change: published numbers, rules, and fixed-seed coverage."""

from __future__ import annotations

import datetime as dt
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT, make_trial

import acu_nof1 as acu
from acu_nof1 import simulate, words
from acu_nof1.estimate import estimate_all
from acu_nof1.estimate.percent import PERCENT_CHANGE, percent_change
from acu_nof1.estimate.rate import RATE_RATIO
from acu_nof1.estimate.reml import gls
from acu_nof1.estimate.segmented import (
    LEVEL_CHANGE,
    SLOPE_CHANGE_A_WEEK,
    level_change,
    segmented_question,
    slope_change,
)
from acu_nof1.trial import stack

sys.path.append(str(ROOT / "benchmarks"))

import calibration

SEGMENTED = (54, 53, 56, 58, 52, 61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87)
SCORE = {"kind": "score", "range": [0, 100], "better": "lower", "important_change": 10}


def one(trial: acu.Trial, question: str) -> acu.Estimate:
    return next(each for each in estimate_all(trial.comparisons()) if each.question == question)


def several(values: dict, kinds: str = "ABAB", days: int = 14, **outcomes: dict) -> acu.Trial:
    start = dt.date(2026, 1, 5)
    phases = [
        {
            "kind": {"A": "baseline", "B": "treatment"}[letter],
            "start": start + dt.timedelta(days=days * i),
            "end": start + dt.timedelta(days=days * (i + 1) - 1),
        }
        for i, letter in enumerate(kinds)
    ]
    return make_trial(values, raw={"phase": phases}, **outcomes)


# ------------------------------------------------------------------ level and slope


def test_huitema_mckean_segmented_ols():
    """Level 7.858333 (SE 5.816499) on the first B day, slope change 1.525 (SE 1.616067) a day, at φ = 0."""
    question = segmented_question(make_trial({"x": SEGMENTED}, baseline=5, x=SCORE).comparisons())
    days = slice(0, len(SEGMENTED))  # the calendar runs on for late visits
    found = gls(np.array(SEGMENTED, float), question.columns[0, days], 0.0)
    contrasts = question.contrasts[0]
    answers, errors = contrasts @ found.coefficients, np.sqrt(np.diag(contrasts @ found.cov @ contrasts.T))
    # Before and after on that day: intercept 54.9, and 54.9 + 7.858333.
    np.testing.assert_allclose(answers, [54.9, 62.758333, 7.858333, 7 * 1.525], atol=5e-6)
    np.testing.assert_allclose(errors[2:], [5.816499, 7 * 1.616067], atol=5e-6)


def test_the_segmented_answer_is_near_least_squares_and_wider():
    """Least squares takes the days for independent; the answer weighs every autocorrelation."""
    trial = make_trial({"x": SEGMENTED}, baseline=5, x=SCORE)
    level, slope = one(trial, "level_change"), one(trial, "slope_change")
    for found, centre, error in ((level, 7.858333, 5.816499), (slope, 7 * 1.525, 7 * 1.616067)):
        assert found.value == pytest.approx(centre, abs=error)
        assert 0.9 < (found.high - found.low) / (2 * 2.12 * error) < 1.6
    assert (level.unit, slope.unit) == ("points", "points a week")
    assert math.isnan(slope.important_change)
    assert level.after - level.before == pytest.approx(level.value, abs=1e-9)


def test_a_step_is_a_level_change_and_a_bend_is_a_change_of_slope():
    day = np.arange(84) - 28
    noise = 0.3 * np.random.default_rng(4).normal(size=84)
    entry = {"kind": "score", "range": [0, 50], "better": "lower"}
    step = make_trial({"x": 20 + 0.1 * day - 4.0 * (day >= 0) + noise}, baseline=28, x=entry)
    bend = make_trial({"x": 20 + 0.1 * day - 0.2 * day * (day >= 0) + noise}, baseline=28, x=entry)
    assert one(step, "level_change").value == pytest.approx(-4, abs=0.4)
    assert one(step, "slope_change").value == pytest.approx(0, abs=0.2)
    assert one(bend, "level_change").value == pytest.approx(0, abs=0.4)
    assert one(bend, "slope_change").value == pytest.approx(-1.4, abs=0.2)


def test_reversing_time_and_sides_turns_the_slope_change_around():
    """A line before and a line after, read backwards: the slopes change sign and places, so their difference stays."""
    values = np.random.default_rng(6).normal(5, 1, 56)
    entry = {"kind": "score", "range": [-100, 100], "better": "lower"}
    forward = make_trial({"x": values}, baseline=28, x=entry)
    backward = make_trial({"x": values[::-1]}, baseline=28, x=entry)
    first, second = one(forward, "slope_change"), one(backward, "slope_change")
    assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high), abs=1e-6)


@pytest.mark.parametrize("estimator", [LEVEL_CHANGE, SLOPE_CHANGE_A_WEEK], ids=lambda e: e.question)
def test_few_days_and_straight_lines_say_why(estimator):
    rng = np.random.default_rng(1)
    few = np.r_[[5, 6, 4, 5], np.full(10, np.nan), rng.normal(5, 1, 40)]
    straight = np.r_[np.linspace(8, 6, 14), np.linspace(5, 2, 40)]
    for values, reason in ((few, "only 4 baseline days"), (straight, "no noise"), (np.full(54, 4.0), "same")):
        (found,) = estimator(make_trial({"pain": values}).comparisons())
        assert found.status == "not_estimable"
        assert reason in found.reason


# ------------------------------------------------------------------ percent


def test_a_percent_change_is_a_ratio_of_means_and_not_a_mean_of_daily_percentages():
    """Days of 9, 6 and 1 before: the mean of all daily percentages would say that pain rose."""
    values = np.clip(np.round(np.r_[np.tile([9.0, 6, 1], 5), np.tile([2.0, 4, 3, 3], 12)]), 0, 10)
    found = one(make_trial({"pain": values}, baseline=15), "percent_change")
    assert found.value == pytest.approx(100 * (found.after / found.before - 1), abs=1e-9)
    assert found.unit == "%"
    daily = np.mean(100 * (values[15:] / values[:15].mean() - 1))
    assert found.value == pytest.approx(daily, abs=3)
    assert np.mean([100 * (b / a - 1) for a in values[:15] for b in values[15:]]) > 0 > found.high
    assert found.low < found.value < found.high
    assert float(found.distribution.cdf(found.low)[0]) == pytest.approx(0.025, abs=1e-6)


def test_percent_does_not_depend_on_the_unit_of_the_scale():
    values = np.random.default_rng(5).gamma(9, 0.5, 80)
    first = one(make_trial({"x": values}, x=SCORE | {"range": [0, 10], "important_change": 1}), "percent_change")
    second = one(make_trial({"x": 10 * values}, x=SCORE), "percent_change")
    assert (first.value, first.low, first.high, first.p_gain) == pytest.approx(
        (second.value, second.low, second.high, second.p_gain), rel=1e-6
    )


def test_pain_from_0_to_5_has_no_percentage():
    rng = np.random.default_rng(8)
    values = np.r_[np.zeros(14), np.clip(np.round(5 + rng.normal(size=70)), 0, 10)]
    found = one(make_trial({"pain": values}), "percent_change")
    assert found.status == "not_estimable"
    assert "a ratio needs values above 0 on both sides (sum before 0" in found.reason
    assert words.change_with_interval(found) == "not estimable"


def test_a_baseline_near_0_has_a_lower_end_but_no_upper_bound():
    rng = np.random.default_rng(8)
    values = np.r_[np.zeros(13), 1, np.clip(np.round(5 + rng.normal(size=70)), 0, 10)]
    found = one(make_trial({"pain": values}), "percent_change")
    assert math.isfinite(found.value)
    assert found.low > 0
    assert math.isinf(found.high)
    assert found.p_gain < 0.05
    assert "no upper bound" in words.change_with_interval(found)
    assert "inf" not in words.change_with_interval(found)


def test_a_percent_change_is_cut_at_what_the_scale_allows():
    values = np.r_[np.tile([7.0, 9, 8, 8], 4), np.tile([10.0, 9, 10, 10], 5)]
    found = one(make_trial({"pain": values}, baseline=16), "percent_change")
    assert found.high <= 100 * (10 / found.before_low - 1) + 10
    assert found.low >= -100


def test_the_ends_of_a_percent_change_allow_for_a_baseline_that_is_not_known():
    """The 99 % interval of the level before: the highest leaves the deepest fall, the lowest the steepest rise."""
    values = np.random.default_rng(4).normal(np.r_[np.full(14, 3.0), np.full(42, 4.0)], 0.5)
    series = make_trial({"pain": values}, pain=SCORE | {"range": [1, 5], "important_change": 1}).comparisons()
    found = percent_change(series)
    before = float(found.before.value[0])
    assert found.floor[0] < 100 * (1 / before - 1)
    assert found.ceiling[0] > 100 * (5 / before - 1)


def test_percent_uses_the_percentage_that_was_declared_and_never_carries_the_headline():
    values = np.clip(np.round(np.random.default_rng(2).normal(np.r_[np.full(14, 7), np.full(70, 4)], 0.8)), 0, 10)
    trial = make_trial(
        {"pain": values}, pain={"instrument": "nrs_pain", "important_change": 2, "important_change_percent": 30}
    )
    found = one(trial, "percent_change")
    assert found.important_change == 30
    assert found.reading == "improved"
    assert found.p_important_gain == pytest.approx(float(found.distribution.cdf(-30.0)[0]))
    assert estimate_all(trial.comparisons()).primary.question == "change_at_reassessment"
    review = acu.reassess(trial)
    assert words.threshold(found, review.telling) == "Agreed before treatment: lower by at least 30\N{NO-BREAK SPACE}%."
    assert words.band_labels(found)[-1] == "better by 30\N{NO-BREAK SPACE}% or more"
    cell = words.change_with_interval(found).replace(words.NO_BREAK, " ")
    assert cell.startswith("−4")
    assert " % (−" in cell
    assert "nan" not in words.sentence(found, review.telling)


def test_percentages_of_percentages_and_of_scales_below_0_are_not_asked_for():
    efficiency = acu.OUTCOMES["csd_se"]
    pain = acu.OUTCOMES["nrs_pain"]
    assert PERCENT_CHANGE.applies(pain, 2)
    assert not PERCENT_CHANGE.applies(efficiency, 2)
    assert not PERCENT_CHANGE.applies(replace(pain, low=-5.0), 2)
    assert not PERCENT_CHANGE.applies(replace(pain, every="week"), 2)


def test_what_is_said_of_each_new_question():
    """Read aloud before it was committed."""
    values = np.clip(np.round(np.random.default_rng(2).normal(np.r_[np.full(14, 7), np.full(70, 4)], 0.8)), 0, 10)
    review = acu.reassess(make_trial({"pain": values}, pain={"instrument": "nrs_pain", "important_change": 2}))
    said = {
        each.question: words.sentence(each, review.telling).replace(words.NO_BREAK, " ") for each in review.estimates
    }
    assert {name: said[name] for name in ("percent_change", "level_change", "slope_change")} == {
        "percent_change": "Pain: 7.1 in the 14 days before treatment and 3.9 in the last 14 days; change −44 % "
        "(95 % interval −53 to −35).",
        "level_change": "On the first treatment day the line through pain before treatment stands at 7.1, the line during "
        "treatment at 4.1: −3.0 (95 % interval −4.1 to −1.8).",
        "slope_change": "During treatment the slope of pain differed from the slope before it by −0.03 points a week "
        "(95 % interval −0.90 to +0.84).",
    }


# ------------------------------------------------------------------ several phases


def test_with_several_phases_the_ratio_is_that_of_the_mean_levels():
    """ABAB in one fit: mean of the treatment levels over mean of the baseline levels."""
    rng = np.random.default_rng(11)
    course = np.repeat([6.0, 3.0, 5.0, 2.0], 14)
    values = np.clip(course + 0.3 * rng.normal(size=56), 0, 10)
    trial = several(
        {"pain": values, "walk": 10 * values},
        walk={"kind": "minutes", "better": "lower"},
        pain={"instrument": "nrs_pain"},
    )
    pain, walk = one(trial, "percent_change"), one(trial, "rate_ratio")
    assert (pain.before, pain.after) == pytest.approx((5.5, 2.5), abs=0.3)
    assert pain.value == pytest.approx(100 * (2.5 / 5.5 - 1), abs=4)
    assert walk.value == pytest.approx(2.5 / 5.5, abs=0.04)
    assert pain.days == walk.days == (28, 28)
    mean = next(each for each in estimate_all(trial.comparisons()) if each.outcome.name == "pain")
    assert mean.question == "mean_change"
    assert (pain.before, pain.after) == pytest.approx((mean.before, mean.after), abs=1e-9)
    asked = {each.question for each in estimate_all(trial.comparisons())}
    assert asked == {"mean_change", "percent_change", "rate_ratio"}


@pytest.mark.parametrize("estimator", [PERCENT_CHANGE, RATE_RATIO], ids=lambda e: e.question)
def test_designs_mixed_in_one_batch_keep_their_own_answers(estimator):
    rng = np.random.default_rng(3)
    entry = {"pain": {"instrument": "nrs_pain"}, "walk": {"kind": "minutes", "better": "higher"}}
    made = {name: rng.gamma(9, 0.5, 70) for name in entry}
    trials = [
        make_trial(made, **entry),
        several({name: values[:56] for name, values in made.items()}, **entry),
        several({name: values[:42] for name, values in made.items()}, "ABA", **entry),
    ]
    numbers = ["before", "after", "value", "low", "high", "p_gain", "days_before", "days_after"]
    alone = [estimator(each.comparisons()).to_frame()[numbers] for each in trials]
    together = estimator(stack([each.comparisons() for each in trials])).to_frame()[numbers]
    for row, each in enumerate(alone):
        np.testing.assert_allclose(together.iloc[row].astype(float), each.iloc[0].astype(float), rtol=1e-9)


# ------------------------------------------------------------------ intervals come true


def covered(found: calibration.Measured, low: float) -> bool:
    share, n = float(found.covered.mean()), len(found.covered)
    return share >= low - 3 * math.sqrt(low * (1 - low) / n)


def cells(*first: object, more: tuple) -> list:
    """One cell in every run, the others when the slow tests are asked for."""
    return [pytest.param(*first), *(pytest.param(*cell, marks=pytest.mark.slow) for cell in more)]


@pytest.mark.parametrize(
    ("design", "phi"), cells("14+42", 0.4, more=(("7+28", 0.0), ("7+28", 0.6), ("14+70", 0.0), ("28+84", 0.8)))
)
def test_level_and_slope_change_cover_in_robust_mode(design, phi):
    """20 % missing, a step of −2 (N = 250 a cell): at least .93 less three standard errors."""
    rng = calibration.generator(31, f"{design} {phi}")
    diaries = calibration.draw(calibration.DESIGNS[design], calibration.ar(phi), "step", 250, rng, missing=0.2)
    level, slope, _ = calibration.measure(diaries, "segmented", "robust")
    assert (level.contrast, slope.contrast) == ("level change", "slope change")
    assert covered(level, 0.93), level.covered.mean()
    assert covered(slope, 0.93), slope.covered.mean()


@pytest.mark.parametrize(
    ("phi", "shape"), cells(0.4, "gradual", more=((0.0, "step"), (0.6, "late"), (0.3, "linear"), (0.8, "step")))
)
def test_percent_change_covers(phi, shape):
    """From 6 to 4 at the look is −33.3 %: at least .91 less three standard errors (N = 250 a cell)."""
    rng = calibration.generator(32, f"{phi} {shape}")
    diaries = calibration.draw(calibration.DESIGNS["14+70"], calibration.ar(phi), shape, 250, rng, missing=0.2)
    truth = 100 * diaries.window_change / calibration.LEVEL
    pain = replace(diaries.comparisons, outcomes=(calibration.PAIN,) * len(diaries.comparisons))
    found = calibration.answer(pain, percent_change, float(truth[0]), "percent change")
    assert truth == pytest.approx(truth[0])
    assert covered(found, 0.91), found.covered.mean()


def test_both_answers_of_the_segmented_model_are_its_contrasts():
    """What is simulated is what the package answers: same distribution for the level, seven times it for the slope."""
    rng = calibration.generator(33, "same")
    series = calibration.draw(calibration.DESIGNS["14+42"], calibration.ar(0.3), "step", 3, rng).comparisons
    fits = calibration.solve(series, calibration.segmented(series), [""] * 3)
    for answer, contrast, unit in ((level_change(series), 0, 1), (slope_change(series), 1, 7)):
        expected = fits.distribution(lambda each, k=contrast: each.mixture(k)).quantile(0.9)
        np.testing.assert_allclose(answer.distribution.quantile(0.9), unit * expected, rtol=1e-9)


@pytest.mark.parametrize(("phi", "days"), cells(0.4, 14, more=((0.0, 21), (0.6, 14))))
def test_ratios_of_several_phases_cover(phi, days):
    """ABAB, levels 6 and 4, 20 % missing (N = 150 a cell): at least .91 less three standard errors."""
    rng = calibration.generator(34, f"{phi} {days}")
    values = np.repeat([6.0, 4.0, 6.0, 4.0], days) + 1.3 * simulate.noise(150, 4 * days, phi=phi, seed=rng)
    values[rng.random(values.shape) < 0.2] = np.nan
    phase = np.broadcast_to(np.repeat(np.arange(4), days), values.shape)
    plain = calibration.compared(values, simulate.Design(days, 3 * days, 14), calibration.PAIN)
    series = replace(plain, phase=phase, treated=phase % 2 == 1)
    found = calibration.answer(series, percent_change, 100 * (4 / 6 - 1), "percent change")
    assert covered(found, 0.91), found.covered.mean()
