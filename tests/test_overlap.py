"""NAP and Tau: the numbers that papers print, the rules every estimator obeys, and intervals that cover."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_trial
from scipy import stats

import acu_nof1 as acu
from acu_nof1.distribution import LogitMixture, TMixture
from acu_nof1.estimate.overlap import (
    Placements,
    independent_days_error,
    inflation,
    nap,
    placement_inflation,
    placements,
)
from acu_nof1.simulate import noise
from acu_nof1.trial import stack

sys.path.append(str(ROOT / "benchmarks"))
import calibration

PARKER = ((20, 20, 26, 25, 22, 23), (28, 25, 24, 27, 30, 30, 29))
SCALE = {"kind": "score", "range": [-1e6, 1e6]}


def trial(before: Any, after: Any, better: str = "higher") -> acu.Trial:
    return make_trial({"x": [*before, *after]}, baseline=len(before), x=SCALE | {"better": better})


def placed(before: Any, after: Any, better: str = "higher") -> Placements:
    return placements(trial(before, after, better).comparisons())


def both(before: Any, after: Any, better: str = "higher") -> tuple[acu.Estimate, acu.Estimate]:
    first, second = acu.estimate_all(trial(before, after, better).comparisons(), estimators=acu.OVERLAP)
    return first, second


DAYS = noise(1, 70, phi=0.4, seed=6)[0]
DIARY = np.round(6 + DAYS[:20], 1), np.round(4.8 + DAYS[20:], 1)


# ------------------------------------------------------------------ published numbers


def test_parker_vannest_davis_2011():
    """Higher is better: NAP 38.5/42, Tau 35/42."""
    first, second = both(*PARKER)
    assert (first.question, second.question) == ("nap", "tau")
    assert first.value == pytest.approx(38.5 / 42, abs=1e-12)
    assert second.value == pytest.approx(35 / 42, abs=1e-12)
    assert first.days == (6, 7)


def test_published_standard_error_of_nap_for_the_data_of_parker_vannest_davis_2011():
    """As printed for single-case use: 0.0690066. It takes the days for independent; our interval does not."""
    assert independent_days_error(placed(*PARKER)) == pytest.approx(0.0690066, abs=5e-8)
    assert "independent days" in (independent_days_error.__doc__ or "")
    first, _ = both(*PARKER)
    assert first.high - first.low > 2 * 1.96 * 0.0690066


def test_hanley_mcneil_1982_of_the_data_of_parker_vannest_davis_2011():
    """Empirical Q1 and Q2 of the placements: 0.0773919; with no difference at all 0.1666667."""
    found = placed(*PARKER)
    (m, n), share = (each[0] for each in found.counts), found.nap[0]
    q1, q2 = (np.nanmean(side**2) for side in (found.before, found.after))
    sums = share * (1 - share) + (n - 1) * (q1 - share**2) + (m - 1) * (q2 - share**2)
    assert np.sqrt(sums / (m * n)) == pytest.approx(0.0773919, abs=5e-8)
    assert np.sqrt((m + n + 1) / (12 * m * n)) == pytest.approx(0.1666667, abs=5e-8)


def test_u_statistic_form_of_the_standard_error_for_the_same_data():
    """0.0675536: the published form is not unbiased with ties, because a tie's square is a quarter and not a half."""
    found = placed(*PARKER)
    m, n = (each[0] for each in found.counts)
    share, q1, q2 = found.nap[0], np.nanmean(found.before**2), np.nanmean(found.after**2)
    pairs = share - found.tied[0] / 4
    variance = (n * q1 + m * q2 - pairs - (m + n - 1) * share**2) / ((m - 1) * (n - 1))
    assert np.sqrt(variance) == pytest.approx(0.0675536, abs=5e-8)


def test_lower_is_better():
    """A = (12, 14, 9, 10), B = (10, 6, 4, 5, 3, 4): NAP 0.9375. Four days give a value and no interval."""
    first, second = both((12, 14, 9, 10), (10, 6, 4, 5, 3, 4), "lower")
    assert (first.value, second.value) == pytest.approx((0.9375, 0.875), abs=1e-12)
    assert first.status == "not_estimable"
    assert "only 4 baseline days answered" in first.reason
    assert np.isnan([first.low, first.high, first.p_gain]).all()


def test_tarlow_2017_tau_before_correction():
    before, after = (33, 25, 17, 25, 19, 21, 19, 14, 19, 17), (14, 15, 15, 9, 12, 7, 10, 6, 5, 2, 2, 3, 5, 4)
    u = stats.mannwhitneyu(after, before).statistic
    found = placed(before, after)
    assert found.nap[0] == pytest.approx(u / 140, abs=1e-12)
    assert both(before, after)[1].value == pytest.approx(2 * u / 140 - 1, abs=1e-12)


@pytest.mark.parametrize(
    ("phi", "of_14", "of_84"),
    [(0.2, 9.6196, 56.2792), (0.3, 7.9110, 45.5886), (0.5, 5.1579, 28.4516), (0.7, 3.0681, 15.3243)],
)
def test_inflation_of_a_mean_of_autocorrelated_days(phi, of_14, of_84):
    """n_eff = n / [(1+φ)/(1−φ) − 2φ(1−φⁿ)/(n(1−φ)²)]."""
    for days, effective in ((14, of_14), (84, of_84)):
        found = inflation(np.ones((1, days), bool), np.array([[phi]]))[0, 0]
        assert days / found == pytest.approx(effective, abs=5e-5)


@pytest.mark.parametrize(("phi", "sd"), [(0.0, 0.288675), (0.2, 0.348125), (0.5, 0.475000), (0.7, 0.614860)])
def test_exact_sd_of_a_difference_of_plain_means(phi, sd):
    """14 and 84 days of one record: the two means resemble each other, which the mean of all 98 tells."""
    first, second, both = (inflation(np.ones((1, n), bool), np.array([[phi]]))[0, 0] / n for n in (14, 84, 98))
    together = (98**2 * both - 14**2 * first - 84**2 * second) / (2 * 14 * 84)
    assert np.sqrt(first + second - 2 * together) == pytest.approx(sd, abs=5e-7)


def test_inflation_keeps_missing_days_in_their_place():
    held = np.array([[True, True, False, False, True, False, True, True, True]])
    place, phi = np.flatnonzero(held[0]), -0.4
    brute = (phi ** np.abs(place[:, None] - place)).mean() * len(place)
    assert inflation(held, np.array([[phi, 0.0]]))[0] == pytest.approx([brute, 1.0], abs=1e-12)


@pytest.mark.parametrize("share", [0.5, 0.76, 0.95])
def test_placements_resemble_each_other_less_than_scores_by_the_bivariate_normal(share):
    """Two days: 1 + the correlation of Φ(z√2 + u) and Φ(z√2 + v), where u and v correlate by φ."""
    phi, z = 0.7, stats.norm.ppf(share)

    def pair(r: float) -> float:
        return float(stats.multivariate_normal(cov=[[1, r], [r, 1]]).cdf([z, z])) - share**2

    found = placement_inflation(np.ones((1, 2), bool), np.array([[phi]]), np.array([share]))[0, 0]
    assert found == pytest.approx(1 + pair(phi / 2) / pair(0.5), abs=1e-5)
    assert found < 1 + phi


# ------------------------------------------------------------------ the distribution


def test_a_mixture_on_the_log_odds():
    weight, loc, scale = np.array([[0.3, 0.7]]), np.full((1, 2), 0.8), np.array([[0.5, 1.5]])
    odds = TMixture(weight, loc, scale, np.array([9.0]))
    share, difference = (LogitMixture(weight, loc, scale, np.array([9.0]), low) for low in (0.0, -1.0))
    assert share.centre[0] == pytest.approx(1 / (1 + np.exp(-0.8)))
    assert difference.centre[0] == pytest.approx(2 * share.centre[0] - 1)
    p = np.array([0.025, 0.4, 0.975])
    assert share.cdf(share.quantile(p))[0] == pytest.approx(p, abs=1e-9)
    assert difference.quantile(p)[0] == pytest.approx(2 * share.quantile(p)[0] - 1, abs=1e-12)
    assert share.cdf(0.5)[0] == pytest.approx(odds.cdf(0.0)[0])
    assert share.cdf(np.array([[-0.1, 0.0, 1.0, 1.1]]))[0] == pytest.approx([0, 0, 1, 1], abs=1e-9)
    assert share.row(0).quantile(0.5) == share.quantile(0.5)


# ------------------------------------------------------------------ the rules


def numbers(each: acu.Estimate) -> tuple[float, ...]:
    return each.value, each.low, each.high, each.p_gain


def test_tau_is_two_nap_less_one_with_its_interval():
    first, second = both(*DIARY, "lower")
    assert first.ok
    assert (second.value, second.low, second.high) == pytest.approx(
        tuple(2 * x - 1 for x in (first.value, first.low, first.high)), abs=1e-9
    )
    assert second.p_gain == pytest.approx(first.p_gain, abs=1e-9)


def test_more_is_better_whatever_the_outcome_says():
    first, _ = both(*DIARY, "lower")
    assert first.value > 0.5
    assert first.better == "higher"
    assert first.no_change == 0.5
    assert first.p_gain > 0.9
    assert first.p_gain == pytest.approx(1 - float(first.distribution.cdf(0.5)[0]))


def test_flipping_the_better_direction_turns_nap_round_and_leaves_its_error():
    (first, _), (other, _) = both(*DIARY, "lower"), both(*DIARY, "higher")
    assert (other.value, other.low, other.high) == pytest.approx(
        (1 - first.value, 1 - first.high, 1 - first.low), abs=1e-9
    )
    assert other.p_gain == pytest.approx(first.p_loss, abs=1e-9)
    errors = [independent_days_error(placed(*DIARY, better))[0] for better in ("lower", "higher")]
    assert errors[0] == pytest.approx(errors[1], abs=1e-12)


def test_only_the_order_of_values_counts():
    first, _ = both(*DIARY, "lower")
    scaled, _ = both(*(30 + 7 * side for side in DIARY), "lower")
    assert numbers(scaled) == pytest.approx(numbers(first), abs=1e-9)
    bent, _ = both(*(np.exp(side / 3) for side in DIARY), "lower")
    assert bent.value == pytest.approx(first.value, abs=1e-12)
    assert (bent.low, bent.high) == pytest.approx((first.low, first.high), abs=0.05)


def test_a_day_without_an_answer_is_an_absent_row_and_keeps_its_place():
    from acu_nof1.diary import Diary

    values = np.concatenate(DIARY)
    values[[3, 30, 31, 50]] = np.nan
    gappy = trial(values[:20], values[20:], "lower")
    absent = acu.Trial(gappy.protocol, Diary.from_values(gappy.diary.values.dropna()))
    first, second = (acu.estimate_all(each.comparisons(), acu.OVERLAP).to_frame() for each in (gappy, absent))
    assert first.equals(second)
    kept = values[np.isfinite(values)]
    closed, _ = both(kept[:19], kept[19:], "lower")
    assert closed.value == pytest.approx(first["value"].iloc[0], abs=1e-12)
    assert closed.low != pytest.approx(first["low"].iloc[0], abs=1e-6)


def test_shifting_the_calendar_changes_nothing():
    from acu_nof1.diary import Diary

    here, by = trial(*DIARY), dt.timedelta(days=400)
    phases = tuple(p.model_copy(update={"start": p.start + by, "end": p.end + by}) for p in here.protocol.phases)
    values = here.diary.values
    values.index = values.index + by
    there = acu.Trial(here.protocol.model_copy(update={"phases": phases}), Diary.from_values(values))
    first, second = (acu.estimate_all(each.comparisons(), acu.OVERLAP).to_frame() for each in (here, there))
    assert first.equals(second)


def test_a_person_alone_and_inside_a_cohort():
    alone = trial(*DIARY).comparisons()
    others = [trial(*np.split(noise(1, 40 + 9 * k, phi=0.2, seed=k)[0], [10 + k])).comparisons() for k in range(4)]
    (first, _), company = both(*DIARY), acu.estimate_all(stack([*others[:2], alone, *others[2:]]), acu.OVERLAP)
    assert numbers(list(company)[4]) == pytest.approx(numbers(first), abs=1e-10)


def test_no_overlap_has_a_value_and_says_why_it_has_no_interval():
    first, second = both((8, 7, 9, 8, 7, 8), (3, 2, 4, 3, 2, 4, 5), "lower")
    one_tie = 1 - 0.5 / 42
    assert (first.value, second.value) == pytest.approx((one_tie, 2 * one_tie - 1), abs=1e-12)
    assert first.status == second.status == "not_estimable"
    assert "every treatment day was better than every baseline day" in first.reason
    assert f"NAP {one_tie:.4g}" in first.reason
    assert np.isnan([first.low, first.high, first.p_gain, first.p_loss]).all()
    worse, _ = both((8, 7, 9, 8, 7, 8), (3, 2, 4, 3, 2, 4, 5), "higher")
    assert worse.value == pytest.approx(1 - one_tie)
    assert "was worse than" in worse.reason


def test_a_constant_series_ties_throughout():
    first, second = both([5.0] * 14, [5.0] * 28)
    assert (first.value, second.value) == (0.5, pytest.approx(0.0, abs=1e-12))
    assert first.status == "not_estimable"
    assert "same" in first.reason


def test_without_a_baseline_there_is_nothing():
    first, _ = both([np.nan] * 14, DIARY[1])
    assert np.isnan([first.value, first.low, first.high]).all()
    assert "no answered baseline day" in first.reason


def test_only_outcomes_that_can_be_put_in_order_are_asked():
    outcome = trial(*DIARY).comparisons().outcomes[0]
    asked = [
        replace(outcome, **change) for change in ({"kind": "yes_no"}, {"better": "neither"}, {"every": "week"}, {})
    ]
    assert [acu.OVERLAP[0].applies(each, 2) for each in asked] == [False, False, False, True]
    assert not acu.OVERLAP[0].applies(outcome, 4)


def test_overlap_is_not_on_the_page():
    assert not set(acu.OVERLAP) & set(acu.ESTIMATORS)


# ------------------------------------------------------------------ coverage


def test_nap_covers_where_the_published_error_does_not():
    """14+42 days, φ .4, a step of one SD: P(treatment day lower) = Φ(1/√2); 400 series, the gate's bounds ± 3 SE."""
    diaries = calibration.draw(
        calibration.DESIGNS["14+42"], calibration.DayNoise({"phi": 0.4}, change=-calibration.SD), "step", 400,
        calibration.generator(20, "nap"), missing=0.2,
    )  # fmt: skip
    truth = float(stats.norm.cdf(1 / np.sqrt(2)))
    covered = calibration.answer(diaries.comparisons, nap, truth, "NAP").covered
    assert 0.93 - 3 * 0.0128 <= covered.mean() <= 0.98 + 3 * 0.007
    found = placements(diaries.comparisons)
    published = np.abs(found.nap - truth) <= 1.96 * independent_days_error(found)
    assert published.mean() < 0.87
