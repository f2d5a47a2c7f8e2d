"""Missing days and regression to the mean: closed forms, brute force, simulation, and the words for both."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import START, make_trial
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acu_nof1 import words
from acu_nof1.distribution import DAYS_PER_MONTH, Grid
from acu_nof1.estimate.nuisance import NoiseNodes
from acu_nof1.explore.missing import Tip, TippingPoint, _Moved, after_bad_days, logistic_slope, longest_gap, parts
from acu_nof1.explore.regression import (
    Return,
    _by_the_rest,
    _Nodes,
    _sides,
    expected_return,
    regression_to_the_mean,
    resemblance,
)
from acu_nof1.interpret import SURE
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.plot import adherence_alt, plot_adherence
from acu_nof1.reassessment import reassess
from acu_nof1.report import blocks
from acu_nof1.report.block import Picture, Table
from acu_nof1.trial import Comparisons, stack

DAYS, BASELINE = 98, 14
PAIN = replace(OUTCOMES["nrs_pain"], name="pain", important_change=2.0)


def ar1(n, days, phi, seed):
    """Stationary AR(1) days with SD 1, n people."""
    shocks = np.random.default_rng(seed).normal(size=(n, days))
    noise = np.empty_like(shocks)
    noise[:, 0] = shocks[:, 0]
    for day in range(1, days):
        noise[:, day] = phi * noise[:, day - 1] + math.sqrt(1 - phi**2) * shocks[:, day]
    return noise


def ratings(gaps=(), gain=2.0, seed=3, days=DAYS):
    draw = np.random.default_rng(seed)
    values = np.where(np.arange(days) < BASELINE, 6.0, 6.0 - gain) + draw.normal(size=days)
    values[list(gaps)] = np.nan
    return np.clip(np.round(values), 0, 10)


# ------------------------------------------------------------------ a return to the usual level


def covariance(phi, first, second):
    correlation = phi ** np.abs(np.subtract.outer(np.arange(first.size), np.arange(first.size)))
    return first / first.sum() @ correlation @ (second / second.sum())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.99))
def test_the_covariance_of_two_means_is_that_of_the_correlation_matrix(seed, phi):
    first, second = np.random.default_rng(seed).random((2, 1, 23)) < 0.5
    first[:, 0] = second[:, 1] = True
    found = resemblance(first, second, np.array([[phi, 0.0]]))
    assert found[0, 0] == pytest.approx(covariance(phi, first[0].astype(float), second[0].astype(float)), abs=1e-12)


@pytest.mark.parametrize(("phi", "fall"), [(0.3, 0.74), (0.5, 0.87)])
def test_a_week_one_sd_above_the_usual_level_is_followed_by_the_fall_that_simulation_shows(phi, fall):
    """Weeks whose mean is at least one SD of such means above the person's own level, and the 28 days after them."""
    spread = math.sqrt(covariance(phi, np.ones(7), np.ones(7)))
    excess = spread * stats.norm.pdf(1) / stats.norm.sf(1)
    assert expected_return(phi, excess, 7, 28) == pytest.approx(fall, abs=0.005)
    noise = ar1(60_000, 35, phi, 1)
    week, later = noise[:, :7].mean(axis=1), noise[:, 7:].mean(axis=1)
    falls = (week - later)[week >= spread]
    assert falls.mean() == pytest.approx(
        expected_return(phi, excess, 7, 28), abs=4 * falls.std() / math.sqrt(falls.size)
    )


def test_without_autocorrelation_all_of_an_excess_is_lost():
    np.testing.assert_allclose(expected_return(0.0, [0.5, -2.0], 7, 28), [0.5, -2.0])
    assert expected_return(0.9, 1.0, 7, 28) < expected_return(0.5, 1.0, 7, 28) < 1


def many(values, baseline, outcome=PAIN):
    """Unchanged people as one batch."""
    template = make_trial({"pain": np.arange(values.shape[1]) % 5.0}, baseline=baseline).comparisons().take([0])
    size = len(values)
    batch = template.take(np.zeros(size, int))
    padded = np.full(batch.values.shape, np.nan)
    padded[:, : values.shape[1]] = values
    return replace(batch, values=padded, outcomes=(outcome,) * size)


def test_expected_returns_come_true_in_people_who_start_in_a_bad_week():
    baseline, phi = 21, 0.3
    noise = ar1(1500, 63, phi, 7)
    chosen = noise[noise[:, :7].mean(axis=1) > 0.6][:90]
    answers = regression_to_the_mean(many(5 + chosen, baseline))
    found = np.array([each.expected for each in answers])
    true = chosen[:, -14:].mean(axis=1) - chosen[:, :baseline].mean(axis=1)
    told = np.isfinite(found)
    assert told.mean() > 0.8
    error = (true - found)[told]
    assert true[told].mean() < -0.25  # there is something to be told
    assert abs(error.mean()) < 3.5 * error.std() / math.sqrt(error.size)


def test_the_return_is_that_of_dense_gaussian_conditioning_at_a_known_noise():
    """Usual level: mu for which the rest is what the first week foretells; window: conditional mean given both."""
    phi, share, ratio, sd, days, base = 0.6, 0.3, 0.5, 1.4, 40, 20
    day = np.arange(days)
    values = np.where(day < base, 6.0, 4.0) + ar1(1, days, 0.4, 2)[0]
    values[[3, 9, 15]] = np.nan
    series = many(values[None], base)
    sides = _sides(series)
    one = [np.array([[x]]) for x in (1.0, phi, share, ratio, sd**2)]
    usual, change = _by_the_rest(series, sides, _Nodes(NoiseNodes(*one, np.array([1e9]))))
    spread = sd * np.exp(np.where(day < base, 0.5, -0.5) * ratio)
    lag = np.abs(day[:, None] - day)
    cov = np.multiply.outer(spread, spread) * np.where(lag, (1 - share) * phi**lag, 1.0)
    answered = np.isfinite(values)
    means = [(day < 7) & answered, (day >= 7) & (day < base) & answered, sides.window[0, :days]]
    weights = np.array([m / m.sum() for m in means])
    c = weights @ cov @ weights.T
    f, g = weights[:2] @ np.nan_to_num(values)
    rho = c[0, 1] / c[0, 0]
    mu, error = (g - rho * f) / (1 - rho), math.sqrt(c[1, 1] - rho * c[0, 1]) / (1 - rho)

    def expected(level):
        return level + c[2, :2] @ np.linalg.solve(c[:2, :2], [f - level, g - level]) - np.nanmean(values[:base])

    assert usual.quantile([0.5])[0, 0] == pytest.approx(mu)
    ends = mu + stats.norm.ppf([0.025, 0.975]) * error
    np.testing.assert_allclose(usual.quantile([0.025, 0.975])[0], ends, rtol=1e-6)
    np.testing.assert_allclose(
        change.quantile([0.025, 0.5, 0.975])[0], [expected(x) for x in (ends[0], mu, ends[1])], rtol=1e-6
    )


def test_a_first_week_that_is_hardly_worse_is_no_flare():
    """Worse for sure, but by less than half an SD of a day, which swings with the weekday."""
    swing = 3 * np.tile([1.0, -1, 1, -1, 1, -1, 0], 10) + 0.1 * np.random.default_rng(2).normal(size=70)
    for excess, flare in ((0.5, False), (4.0, True)):
        (found,) = regression_to_the_mean(
            make_trial({"pain": 4 + swing / 1.5 + excess * (np.arange(70) < 7)}, baseline=28).comparisons()
        )
        assert found.p_worse >= 0.8
        assert found.flare == flare


def test_the_fall_after_the_worst_sixth_of_baselines_comes_true():
    noise = ar1(3000, 70, 0.3, 9)
    means = noise[:, :28].mean(axis=1)
    chosen = noise[means >= math.sqrt(covariance(0.3, np.ones(28), np.ones(28)))][:80]
    falls = chosen[:, -14:].mean(axis=1) - chosen[:, :28].mean(axis=1)
    told = np.array([each.bad_spell for each in regression_to_the_mean(many(5 + chosen, 28))])
    assert falls.mean() < -0.3
    assert falls.mean() - 0.12 < told.mean() < falls.mean() + 0.05  # a little on the large side: see METHODS


def test_returns_follow_the_scale_and_the_direction():
    flare = ratings(days=70)
    flare[:BASELINE] = [9, 9, 8, 9, 8, 9, 9, 6, 5, 6, 6, 5, 6, 6]
    (found,) = regression_to_the_mean(make_trial({"pain": flare}).comparisons())
    higher = {"pain": {"kind": "rating", "range": [0, 100], "better": "higher"}}
    (turned,) = regression_to_the_mean(make_trial({"pain": 100 - 10 * flare}, **higher).comparisons())
    assert found.flare
    assert turned.flare
    assert found.later < found.early
    assert found.expected < 0
    assert turned.p_worse == pytest.approx(found.p_worse, abs=1e-6)
    for name in ("expected", "bad_spell"):
        assert getattr(turned, name) == pytest.approx(-10 * getattr(found, name), rel=1e-4)
    assert turned.usual == pytest.approx(100 - 10 * found.usual, rel=1e-4)


def test_no_return_leads_beyond_the_scale():
    flare = ratings(days=70)
    flare[:BASELINE] = [10, 10, 9, 10, 10, 10, 9, 6, 5, 3, 2, 3, 1, 2]
    (found,) = regression_to_the_mean(make_trial({"pain": flare}).comparisons())
    mean = flare[:BASELINE].mean()
    assert found.low == pytest.approx(-mean)  # from the baseline mean nothing can fall further than to 0
    assert found.low <= found.expected <= found.high <= 10 - mean
    assert 0 <= found.usual <= 10


def test_one_baseline_week_tells_of_no_return_and_says_why():
    (found,) = regression_to_the_mean(make_trial({"pain": ratings()[7:]}, baseline=7).comparisons())
    assert math.isnan(found.expected)
    assert found.reason == "7 baseline days were answered, 0 of them after the first week; at least 10 and 3 are needed"
    assert found.bad_spell < 0
    caveats = {
        each.kind: each for each in reassess(make_trial({"pain": ratings(gain=4)[7:]}, baseline=7)).verdict.caveats
    }
    assert "So few baseline days cannot show" in words.caveat(caveats["natural_course"], TELL)


def test_yes_no_days_and_empty_diaries_have_no_return():
    days = make_trial({"head": ratings() > 4}, head={"instrument": "headache_day"}).comparisons()
    assert regression_to_the_mean(days)[0].reason
    empty = make_trial({"pain": np.full(DAYS, np.nan)}).comparisons()
    assert regression_to_the_mean(empty)[0].reason


def test_a_return_does_not_depend_on_the_company():
    each = [make_trial({"pain": ratings(seed=s)}).comparisons() for s in range(3)]
    odd = make_trial({"pain": ratings()[9:]}, baseline=5).comparisons()
    together = regression_to_the_mean(stack([*each, odd]))
    for alone, joined in zip([*each, odd], together, strict=True):
        (single,) = regression_to_the_mean(alone)
        for name in ("early", "expected", "bad_spell"):
            assert getattr(single, name) == pytest.approx(getattr(joined, name), abs=1e-9, nan_ok=True)


# ------------------------------------------------------------------ when days were missing


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_the_longest_gap_is_the_longest_run(missing):
    runs = [len(list(run)) for gone, run in itertools.groupby(missing) if gone]
    assert longest_gap(np.array([missing]))[0] == max(runs, default=0)


def test_adherence_and_weekdays_count_every_compared_day_once():
    review = reassess(make_trial({"pain": ratings(gaps=[3, 20, 21, 22, 50, 90])}))
    by_part = review.missing_days.adherence.set_index("days")
    assert by_part["answered"].to_dict() == {"baseline": 13, "between": 66, "window": 13}
    assert by_part["longest_gap"].to_dict() == {"baseline": 1, "between": 3, "window": 1}
    by_day = review.missing_days.weekdays
    assert by_day["of"].tolist() == [14] * 7  # 98 days from a Monday
    # 5 January 2026 is a Monday: days 3 and 20 fall on Thursday and Sunday.
    gone = np.bincount(np.array([3, 20, 21, 22, 50, 90]) % 7, minlength=7)
    np.testing.assert_array_equal(14 - by_day["answered"], gone)


# ------------------------------------------------------------------ after bad days


def test_woolf_1955_odds_ratio_of_a_fourfold_table():
    """Yes/no days: the regression is the table's odds ratio with the interval of Woolf (Ann Hum Genet 19:251)."""
    days = np.tile([1.0, 0.0, 0.0, 1.0, 1.0, 0.0], 20)[:112]
    days[[15, 18, 24, 30, 39, 48, 60, 71, 80, 91, 100]] = np.nan  # treatment only: the baseline tells nothing
    trial = make_trial({"head": days}, head={"instrument": "headache_day"})
    (found,) = reassess(trial).missing_days.after_bad_days
    yesterday, gone = days[13:-1], np.isnan(days[14:])
    table = [[np.sum((yesterday == v) & (gone == g)) for g in (True, False)] for v in (1, 0)]
    (a, b), (c, d) = table
    half = 1.959964 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    assert found.odds_ratio == pytest.approx(a * d / (b * c), rel=1e-6)
    assert found.low == pytest.approx(a * d / (b * c) * math.exp(-half), rel=1e-5)
    assert found.high == pytest.approx(a * d / (b * c) * math.exp(half), rel=1e-5)
    assert found.missing == a + c


@pytest.mark.parametrize(
    ("gaps", "values", "reason"),
    [
        ((), ratings(), "no day is missing after an answered day"),
        ((20, 30), ratings(), "2 days are missing after an answered day"),
        (range(21, 98, 7), np.where(np.arange(DAYS) % 7 == 6, 9.0, 3.0), "no upper end"),
        (range(21, 98, 7), np.where(np.arange(DAYS) % 7 == 6, 1.0, 3.0), "no lower end"),
        (range(21, 98, 7), np.full(DAYS, 4.0), "all alike"),
    ],
)
def test_odds_that_do_not_exist_say_why(gaps, values, reason):
    values = values.copy()
    values[list(gaps)] = np.nan
    (found,) = reassess(make_trial({"pain": values})).missing_days.after_bad_days
    assert math.isnan(found.odds_ratio)
    assert reason in found.reason


@pytest.mark.parametrize("seed", range(5))
def test_the_slope_of_the_log_odds_is_that_of_statsmodels(seed):
    from statsmodels.discrete.discrete_model import Logit

    rng = np.random.default_rng(seed)
    columns = np.column_stack([rng.normal(4, 1.3, 90), np.arange(90) < 20, np.arange(90) >= 20]).astype(float)
    happened = rng.random(90) < 1 / (1 + np.exp(3 - 0.5 * columns[:, 0]))
    fit = Logit(happened.astype(float), columns).fit(disp=0)
    assert logistic_slope(columns, happened) == pytest.approx((fit.params[0], fit.bse[0]), rel=1e-6)


def test_the_odds_ratio_finds_a_known_one_and_its_interval_holds_it():
    noise, draw, truth = ar1(120, 112, 0.4, 21), np.random.default_rng(5), 0.8
    gone = draw.random(noise.shape) < 1 / (1 + np.exp(1.6 - truth * np.roll(noise, 1, axis=1)))
    values = np.where(gone, np.nan, noise)
    batch = many(values, 14)
    found = [each for each in after_bad_days(batch) if not each.reason]
    slopes = np.array([[math.log(x) / each.step for x in (each.odds_ratio, each.low, each.high)] for each in found])
    assert len(found) > 110
    assert slopes[:, 0].mean() == pytest.approx(truth, abs=0.12)
    assert ((slopes[:, 1] < truth) & (truth < slopes[:, 2])).mean() > 0.9


def test_a_bad_day_is_a_low_one_where_higher_is_better():
    noise, draw = ar1(1, 112, 0.4, 8), np.random.default_rng(3)
    gone = draw.random(noise.shape) < 1 / (1 + np.exp(1.6 - 1.5 * np.roll(noise, 1, axis=1)))
    values = np.where(gone, np.nan, 5 + noise)
    (found,) = after_bad_days(many(values, 14))
    (turned,) = after_bad_days(many(10 - values, 14, replace(PAIN, better="higher")))
    assert found.odds_ratio > 1.5
    assert turned.odds_ratio == pytest.approx(found.odds_ratio)


# ------------------------------------------------------------------ tipping points


def by_hand(estimate, shift):
    """P(gain > 0), P(gain >= m) of a change moved by `shift`, from scipy's t."""
    mixture, m = estimate.distribution, estimate.important_change

    def below(x):
        z = (x - shift - mixture.loc[0]) / mixture.scale[0]
        return float(mixture.weight[0] @ stats.t.cdf(z, mixture.df[0]))

    return below(0.0), below(-m)


def test_a_tipping_point_is_where_days_filled_in_by_hand_change_the_reading():
    review = reassess(make_trial({"pain": ratings(gaps=[85, 88, 91, 96], gain=3.0)}))
    estimate, (tip, *rest) = review.estimates.primary, review.missing_days.tipping_points
    assert estimate.reading == "improved"
    assert not rest
    assert (tip.side, tip.missing, tip.of) == ("window", 4, 14)

    def filled(value):
        """Shift of the average day when the missing ones have this value and the others stay."""
        return (10 * estimate.after + 4 * value) / 14 - estimate.after

    for step, kept in ((-1e-4, True), (1e-4, False)):
        gain, important = by_hand(estimate, filled(tip.worse.average + step))
        assert (important >= 0.8) == kept
        assert gain > SURE
    assert tip.worse.reading == "improved_amount_unclear"
    assert math.isnan(tip.better.average)
    assert math.isnan(tip.gain_lost)
    assert by_hand(estimate, filled(10.0))[0] > SURE  # even at the end of the scale


def test_any_gain_is_lost_where_its_chance_falls_to_95_in_100():
    review = reassess(make_trial({"pain": ratings(gaps=[85, 88, 91, 96], gain=1.6)}))
    estimate, (tip,) = review.estimates.primary, review.missing_days.tipping_points
    assert tip.expected < tip.gain_lost < 10
    assert by_hand(estimate, tip.share * (tip.gain_lost - tip.expected))[0] == pytest.approx(SURE, abs=1e-6)


def test_missing_baseline_days_tip_the_other_way():
    review = reassess(make_trial({"pain": ratings(gaps=[2, 6, 7, 11], gain=2.6)}))
    (tip,) = review.missing_days.tipping_points
    assert tip.side == "baseline"
    assert tip.better.average < tip.expected < 10
    gain, important = by_hand(review.estimates.primary, -tip.share * (tip.better.average - tip.expected))
    level = {"improved": important - 0.8, "improved_amount_unclear": important - 0.2, "improved_less": gain - SURE}
    assert level[tip.reading] == pytest.approx(0, abs=1e-6)


def test_better_missing_baseline_days_take_the_gain_away():
    review = reassess(make_trial({"pain": ratings(gaps=[1, 2, 4, 6, 7, 9, 11], gain=1.8)}))
    (tip,) = review.missing_days.tipping_points
    assert tip.side == "baseline"
    assert tip.gain_lost < tip.expected
    moved = by_hand(review.estimates.primary, -tip.share * (tip.gain_lost - tip.expected))
    assert moved[0] == pytest.approx(SURE, abs=1e-6)


def test_without_missing_days_nothing_tips():
    review = reassess(make_trial({"pain": ratings()}))
    assert review.missing_days.tipping_points == ()
    assert not any("holds unless" in text for text in review.limits)


def test_tipping_points_turn_with_the_scale():
    values = ratings(gaps=[3, 85, 88], gain=2.4)
    tips = reassess(make_trial({"pain": values})).missing_days.tipping_points
    higher = {"pain": {"kind": "rating", "range": [0, 10], "better": "higher", "important_change": 2}}
    turned = reassess(make_trial({"pain": 10 - values}, **higher)).missing_days.tipping_points
    assert len(tips) == 2
    for one, other in zip(tips, turned, strict=True):
        assert other.reading == one.reading
        for name in ("worse", "better"):
            assert getattr(other, name).average == pytest.approx(10 - getattr(one, name).average, abs=1e-4, nan_ok=True)


def test_more_missing_days_tip_sooner():
    def average(gaps):
        return reassess(make_trial({"pain": ratings(gaps=gaps, gain=3.0)})).missing_days.tipping_points[0].worse.average

    assert average([85, 88, 91, 96, 97]) < average([85, 88])


def test_the_level_of_several_phases_weighs_each_phase_alike():
    raw = {"phase": [
        {"kind": kind, "start": f"2026-0{month}-01", "end": f"2026-0{month}-{last}"}
        for kind, month, last in (("baseline", 1, 31), ("treatment", 2, 28), ("baseline", 3, 31), ("treatment", 4, 30))
    ]}  # fmt: skip
    values = np.clip(np.round(6 - 3 * (np.arange(116) // 29 % 2) + ar1(1, 116, 0.2, 4)[0]), 0, 10)
    values[[30, 31, 90]] = np.nan  # 5 January is day 0: two February days, one April day
    review = reassess(make_trial({"pain": values}, raw=raw))
    (tip, *_) = review.missing_days.tipping_points
    assert (tip.side, tip.question) == ("treatment", "mean_change")
    series = review.comparisons
    days, gone = parts(series)["treatment"][0], ~series.answered[0]
    shares = [(days & gone & (series.phase[0] == p)).sum() / (days & (series.phase[0] == p)).sum() for p in (1, 3)]
    assert tip.share == pytest.approx(np.mean(shares))


def drawn(grid, moved, share, delta, size=400_000, seed=2):
    """Changes in days per 28 drawn from the joint posterior, a share of the days of one side moved by delta."""
    draw = np.random.default_rng(seed)
    node = draw.choice(grid.weight.shape[1], size, p=grid.weight[0])
    sides = []
    for cells in (grid.before[0], grid.after[0]):
        ends = np.cumsum(cells, axis=1)
        place = np.empty(size)
        for each in np.unique(node):
            mine = node == each
            place[mine] = np.searchsorted(ends[each], draw.random(mine.sum()) * ends[each, -1])
        sides.append(np.sin((place + draw.random(size)) * np.pi / (2 * cells.shape[1])) ** 2)
    sides[moved] = (1 - share) * sides[moved] + share * np.clip(sides[moved] + delta, 0, 1)
    return DAYS_PER_MONTH * (sides[1] - sides[0])


@pytest.mark.parametrize("baseline", [False, True])
@pytest.mark.parametrize("delta", [0.0, 0.35, 1.0, -0.3])
def test_yes_no_days_are_mixed_as_draws_from_the_posterior_are(baseline, delta):
    days = np.where(ratings(gaps=[2, 3, 80, 88, 90, 95]) > 4, 1.0, 0.0)
    days[[2, 3, 80, 88, 90, 95]] = np.nan
    estimate = reassess(
        make_trial({"head": days}, head={"instrument": "headache_day", "important_change": 4})
    ).estimates.primary
    assert isinstance(estimate.distribution, Grid)
    moved = _Moved(estimate, baseline, 0.25)
    at = np.array([[-15.0, -8.0, -4.0, 0.0, 4.0]])
    cdf = moved.distribution(np.array([delta])).cdf(at)[0]
    draws = drawn(estimate.distribution, 0 if baseline else 1, 0.25, delta)
    np.testing.assert_allclose(cdf, [(draws < x).mean() for x in at[0]], atol=0.005)
    if not delta:
        np.testing.assert_allclose(cdf, estimate.distribution.cdf(at)[0], atol=1e-12)
        assert moved.average(0.0) == pytest.approx(moved.expected, abs=1e-9)
    assert moved.average(1.0) == pytest.approx(1.0)


def test_ratios_tip_where_the_ratio_of_the_moved_levels_says():
    steps = 1000 * (10 - ratings(gaps=[85, 88, 91, 96], gain=2.0))
    declared = {"kind": "count", "better": "higher", "unit": "steps/day", "important_change_percent": 20}
    review = reassess(make_trial({"steps": steps}, steps=declared))
    (tip,) = review.missing_days.tipping_points
    estimate = review.estimates.primary
    mixture = estimate.distribution
    after = mixture.after[0] + tip.share * (tip.worse.average - tip.expected)

    def above(q):
        scale = np.sqrt(mixture.var_after[0] - 2 * q * mixture.cov[0] + q**2 * mixture.var_before[0])
        return float(mixture.weight[0] @ stats.t.cdf((after - q * mixture.before[0]) / scale, mixture.df[0]))

    assert tip.reading == "improved"
    assert above(1.2) == pytest.approx(0.8, abs=1e-5)


# ------------------------------------------------------------------ words, page, JSON


def point(worse=math.nan, better=math.nan, **more):
    given = {"missing": 3, "of": 14, "share": 3 / 14, "expected": 4.0, "reading": "improved", "side": "window"} | more
    outcome = given.pop("outcome", PAIN)
    ends = (1.0, 0.0) if outcome.kind == "yes_no" else (0.0, 100.0) if outcome.high == 100 else (10.0, 0.0)
    return TippingPoint(
        person="P-1", outcome=outcome, question="change_at_reassessment", gain_lost=math.nan,
        worse=Tip(worse, "cannot_say", ends[0]), better=Tip(better, "cannot_say", ends[1]), **given,
    )  # fmt: skip


TELL = words.Telling("in the 14 days before treatment", "in the last 14 days", agreed=True, several_phases=False)
HEADACHE = OUTCOMES["headache_day"]
EFFICIENCY = OUTCOMES["csd_se"]
SAID = [
    ([], ""),
    ([point(8.1)], "The verdict holds unless the 3 missing ones of the last 14 days averaged at least 8.1."),
    ([point(8.1, missing=1)], "The verdict holds unless the missing one of the last 14 days was at least 8.1."),
    ([point()], "The verdict would be the same if every one of the 3 missing ones of the last 14 days had been 10."),
    ([point(), point(better=2.0, side="baseline")], "The verdict holds unless the 3 missing ones of the 14 days before treatment averaged at most 2.0."),
    ([point(better=1.0, reading="worse")], "The verdict holds unless the 3 missing ones of the last 14 days averaged at most 1.0."),
    ([point(8, 1, reading="no_important_change", side="treatment", of=84)],
     "The verdict holds unless the 3 missing ones of the 84 treatment days averaged at least 8.0 or at most 1.0."),
    ([point(reading="cannot_say")], "The verdict would be the same if every one of the 3 missing ones of the last 14 days had been 10 or 0."),
    ([point(outcome=EFFICIENCY, missing=2)],
     "The verdict would be the same if every one of the 2 missing ones of the last 14 days had been 0 %."),
    ([point(0.6, outcome=HEADACHE, expected=0.2)], "The verdict holds unless at least 2 of the 3 missing ones of the last 14 days had been yes."),
    ([point(outcome=HEADACHE, expected=0.2, missing=1)], "The verdict would be the same if the missing one of the last 14 days had been yes."),
]  # fmt: skip


@pytest.mark.parametrize(("tips", "said"), SAID)
def test_golden_words_of_tipping_points(tips, said):
    phases = any(tip.side == "treatment" for tip in tips)
    assert words.doubts.tipping(tips, replace(TELL, several_phases=phases)).replace(words.NO_BREAK, " ") == said


def test_missing_days_are_named_as_the_sentence_of_the_change_names_its_days():
    values = np.where(np.arange(70) < BASELINE, 6.0, 3.0) + np.tile([0.0, 1.0], 35)
    values[[3, 40]] = np.nan
    days = [START + dt.timedelta(days=BASELINE + 7 * number) for number in range(5)]
    trial = make_trial({"pain": values}, raw={"session": [{"date": day} for day in days]})
    for look, names in {5: "the 14 days before session 5", 4: "the 14 days before treatment"}.items():
        review = reassess(trial, after_session=look)
        (said,) = (each for each in review.limits if "diary days were answered" in each)
        assert f"the missing one of {names} " in said
        assert names in review.sentence


def test_golden_words_of_the_return():
    facts = {"early": 6.7, "later": 5.4, "p": 0.96, "return": -0.62}
    start = "The first baseline week (6.7) was worse than the rest (5.4)"
    assert words.doubts.flare(facts) == f"{start}: a return to the usual level could alone make it about 0.6 lower."
    assert words.doubts.flare({"early": 6.7, "later": 5.4, "p": 0.81}) == (
        "The first baseline week (6.7) was probably worse than the rest (5.4): part of the change may be a return to this "
        "person’s usual level."
    )
    assert words.doubts.natural_course({"return": 387.3, "short": "no"}).endswith(
        "If this baseline was one of the person’s worst (one in six), later days would be about 387 higher without any change."
    )
    assert words.doubts.natural_course({"return": 0.01}) == words.doubts.natural_course({})
    row = words.doubts.return_row(Return("P", PAIN, 14, 6.7, 5.4, 0.93, True, 5.3, -0.62, -2.1, 0.7, -0.7, ""))
    assert row == ("Pain", "6.7", "5.4", "93 in 100", "5.3", "−0.6 (−2.1 to +0.7)", "−0.7")
    steps = replace(PAIN, label="Steps", kind="count", unit="steps/day", high=None, better="higher")
    row = words.doubts.return_row(
        Return("P", steps, 14, 2724.7, 3193.5, 0.78, False, 3173.4, 300.1, -1389.2, 4142.9, 531.2, "")
    )
    assert [each.replace(words.NO_BREAK, " ") for each in row[1:]] == [
        "2,725 steps/day", "3,194 steps/day", "78 in 100", "3,173 steps/day", "+300 (−1,389 to +4,143)", "+531",
    ]  # fmt: skip


def test_a_return_of_something_else_than_pain_names_it_with_its_unit():
    """Beside "Pain has good and bad spells" a bare "2.1 higher" would be read as more pain."""
    draw = np.random.default_rng(1).normal(size=70)
    walked = np.round(np.where(np.arange(70) < BASELINE, 20.0, 40.0) + 5 * draw)
    walking = {"walk": {"label": "Walking", "kind": "minutes", "unit": "min/day", "range": [0, 300], "better": "higher",
                        "important_change": 10}}  # fmt: skip
    limits = reassess(make_trial({"walk": walked}, **walking)).verdict.limits
    said = words.caveat(next(each for each in limits if each.kind == "natural_course"), TELL).replace(
        words.NO_BREAK, " "
    )
    assert re.search(r"\(one in six\), walking would later be about \d\.\d min/day higher without any change\.$", said)
    begun = walked.copy()
    begun[:BASELINE] = [5, 6, 5, 7, 6, 5, 6, 19, 21, 20, 22, 19, 20, 21]
    (caveat,) = (
        e for e in reassess(make_trial({"walk": begun}, **walking)).verdict.caveats if e.kind == "baseline_flare"
    )
    said = words.caveat(caveat, TELL).replace(words.NO_BREAK, " ")
    assert re.match(
        r"The first baseline week \([\d.]+ min/day\) was (probably )?worse than the rest \([\d.]+ min/day\): ", said
    )
    facts = {**caveat.facts, "return": 12.3}
    assert (
        words.doubts.flare(facts)
        .replace(words.NO_BREAK, " ")
        .endswith("could alone make walking about 12.3 min/day higher.")
    )


def test_golden_words_of_days_after_bad_days():
    values = ratings(gaps=range(20, 98, 8))
    (found,) = reassess(make_trial({"pain": values})).missing_days.after_bad_days
    told = replace(found, step=1.5, odds_ratio=2.13, low=0.91, high=4.8)
    assert words.doubts.after_bad_day(told).replace(words.NO_BREAK, " ") == (
        "odds of a missing day about 2.1 times as high (0.91 to 4.8) after a day with pain 1.5 higher; it may be no different"
    )
    for outcome, day in ((HEADACHE, "a day with yes"), (replace(HEADACHE, better="higher"), "a day with no")):
        assert words.doubts.after_bad_day(replace(told, outcome=outcome, low=1.2)).endswith(f"(1.2 to 4.8) after {day}")
    assert words.doubts.after_bad_day(replace(found, reason="why")) == "not estimable: why"


def test_page_and_json_tell_of_missing_days_and_the_return():
    review = reassess(make_trial({"pain": ratings(gaps=[3, 85, 88], gain=3.0)}))
    made = [block for section in blocks(review) for block in section.walk()]
    captions = [block.caption for block in made if isinstance(block, Table)]
    said = words.doubts
    for caption in (
        said.ADHERENCE_CAPTION,
        said.WEEKDAYS_CAPTION,
        said.AFTER_BAD_CAPTION,
        said.TIPPING_CAPTION,
        said.RETURN_CAPTION,
    ):
        assert captions.count(caption) == 1
    assert any("Calendar of pain" in block.alt for block in made if isinstance(block, Picture))
    data = json.loads(json.dumps(review.to_dict(), allow_nan=False))
    (window, baseline) = data["missing_days"]["tipping_points"]
    assert window["worse"]["average"] == pytest.approx(review.missing_days.tipping_points[0].worse.average)
    assert (window["outcome"], baseline["side"]) == ("pain", "baseline")
    assert data["regression_to_the_mean"][0]["expected"] == pytest.approx(review.regression_to_the_mean[0].expected)
    assert [row["of"] for row in data["missing_days"]["adherence"]] == [14, 70, 14]


def test_a_red_flag_leaves_no_verdict_that_missing_days_could_undo():
    trial = make_trial({"pain": ratings(gaps=[85, 88], gain=3.0)}, raw={"safety": {"red_flags": ["fever"]}})
    review = reassess(trial)
    assert not any("verdict" in text.lower() for text in review.limits)
    captions = [b.caption for section in blocks(review) for b in section.walk() if isinstance(b, Table)]
    assert words.doubts.TIPPING_CAPTION not in captions
    assert words.doubts.ADHERENCE_CAPTION in captions


def test_the_calendar_crosses_each_missing_day_on_its_weekday():
    series: Comparisons = make_trial({"pain": ratings(gaps=[3, 20, 90])}).comparisons()
    (ax,) = plot_adherence(series).axes
    (crosses,) = ax.lines
    np.testing.assert_array_equal(np.column_stack(crosses.get_data()) - 0.5, [[0, 3], [2, 6], [12, 6]])
    assert len(ax.patches) == DAYS
    alt = adherence_alt(series)
    assert (
        "13 of 14 days of the baseline, 69 of 70 days of the treatment before the window and 13 of 14 days of the window answered"
        in alt
    )
