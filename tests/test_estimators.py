"""Estimators behind one interface: published numbers, and the rules that every estimator obeys."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import make_trial
from scipy import stats

import acu_nof1 as acu
from acu_nof1.estimate import ESTIMATORS, estimate_all
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT, MEAN_CHANGE
from acu_nof1.interpret import BAND_CUTS
from acu_nof1.trial import stack

A = (7, 9, 8, 7, 7, 8, 8)
B = (3, 4, 2, 4, 2, 1, 4, 5, 3, 2, 1, 2, 4, 4)


def borckardt(missing: tuple[int, ...] = ()) -> acu.Trial:
    values = np.array(A + B, float)
    values[list(missing)] = np.nan
    return make_trial({"pain": values}, baseline=7)


def one(trial: acu.Trial, question: str, outcome: str | None = None) -> acu.Estimate:
    found = [e for e in estimate_all(trial.comparisons()) if e.question == question]
    return next(e for e in found if outcome is None or e.outcome.name == outcome)


def test_borckardt_nash_2014_mean_change():
    """Fictitious pain ratings, 21 days: means 7.714286 and 2.928571; gls REML −4.755336 (SE 0.636955)."""
    found = one(borckardt(), "mean_change")
    assert found.days == (7, 14)
    # The posterior is centred where generalised least squares is, and is somewhat wider than a t of its SE.
    assert found.value == pytest.approx(-4.755, abs=0.06)
    assert found.before - found.after == pytest.approx(-found.value, abs=1e-10)
    assert 0.9 < (found.high - found.low) / (2 * stats.t.ppf(0.975, 19) * 0.636955) < 1.3


def test_borckardt_nash_2014_missing_days_keep_their_place():
    """With days 4 and 10 missing, gaps kept and gaps closed are different answers."""
    kept = one(borckardt(missing=(3, 9)), "mean_change")
    values = [value for day, value in enumerate(A + B) if day not in (3, 9)]
    closed = one(make_trial({"pain": values}, baseline=6), "mean_change")
    assert kept.days == closed.days == (6, 13)
    assert kept.value == pytest.approx(-4.751662, abs=0.06)
    assert abs(kept.value - closed.value) > 0.01


def test_row_frequencies_add_up():
    found = one(borckardt(), "mean_change")
    assert sum(found.bands) == pytest.approx(1, abs=1e-12)
    assert found.bands[-1] == pytest.approx(found.p_important_gain, abs=1e-12)
    assert found.bands[0] == pytest.approx(found.p_important_loss, abs=1e-12)
    assert found.p_gain == pytest.approx(float(found.distribution.cdf(0.0)[0]))
    assert BAND_CUTS == (0.25, 0.5, 1.0)


@pytest.fixture(scope="module")
def everything() -> acu.Trial:
    """One trial with an outcome of every kind."""
    rng = np.random.default_rng(7)
    days = 84
    course = np.where(np.arange(days) < 14, 6.0, 4.5)
    return make_trial(
        {
            "pain": np.clip(np.round(course + rng.normal(size=days)), 0, 10),
            "walking": np.maximum(0, np.round(60 - 5 * course + 6 * rng.normal(size=days))),
            "steps": rng.poisson(8 - course).astype(float),
            "tablets": np.maximum(0, np.round(course - 3 + rng.normal(size=days)) / 2),
            "headache": (rng.random(days) < course / 10).astype(float),
            "peg": np.where(np.arange(days) % 7 == 6, course + 0.2 * rng.normal(size=days), np.nan),
        },
        pain={"instrument": "nrs_pain", "important_change": 2},
        walking={"kind": "minutes", "unit": "min/day", "better": "higher", "important_change": 10},
        steps={"kind": "count", "better": "higher"},
        tablets={"kind": "doses", "better": "lower", "important_change_percent": 50},
        headache={"instrument": "headache_day", "important_change": 4},
        peg={"instrument": "peg", "sem": 0.5},
    )


def test_kind_chooses_the_estimators_and_the_headline(everything):
    frame = everything.comparisons()
    found = estimate_all(frame)
    asked = {name: {e.question for e in found if e.outcome.name == name} for name in everything.diary.outcomes}
    level = {"change_at_reassessment", "mean_change", "level_change", "slope_change"}
    assert asked == {
        "pain": level | {"trend", "percent_change"},
        "walking": level | {"rate_ratio"},
        "steps": level | {"rate_ratio"},
        "tablets": level | {"rate_ratio"},
        "headache": {"days_per_28", "days_ratio"},
        "peg": {"score_change"},
    }
    headline = {e.outcome.name: e.question for e in found.headlines}
    assert headline == {
        "pain": "change_at_reassessment",
        "walking": "change_at_reassessment",
        "steps": "rate_ratio",
        "tablets": "rate_ratio",
        "headache": "days_per_28",
        "peg": "score_change",
    }
    assert found.primary is not None
    assert found.primary.outcome.name == "pain"
    assert all(e.ok for e in found)


def flipped(trial: acu.Trial) -> acu.Trial:
    """The same trial with every outcome better the other way round."""
    from dataclasses import replace

    other = {"lower": "higher", "higher": "lower", "neither": "neither"}
    outcomes = tuple(replace(o, better=other[o.better]) for o in trial.protocol.outcomes)
    return acu.Trial(trial.protocol.model_copy(update={"outcomes": outcomes}), trial.diary)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.question)
def test_flipping_the_better_direction_negates_the_gain(everything, estimator):
    plain, other = (list(estimator(trial.comparisons())) for trial in (everything, flipped(everything)))
    assert plain
    for first, second in zip(plain, other, strict=True):
        assert (first.value, first.low, first.high) == (second.value, second.low, second.high)
        assert first.p_gain == pytest.approx(second.p_loss, abs=1e-12)
        assert first.p_important_gain == pytest.approx(second.p_important_loss, abs=1e-12, nan_ok=True)
        assert first.bands == pytest.approx(second.bands[::-1], abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: e.question)
def test_a_person_alone_and_inside_a_cohort(everything, estimator):
    others = [
        make_trial({"pain": np.random.default_rng(seed).integers(0, 11, 60 + seed)}, baseline=10 + seed).comparisons()
        for seed in range(4)
    ]
    alone = estimator(everything.comparisons()).to_frame()
    together = estimator(stack([*others[:2], everything.comparisons(), *others[2:]])).to_frame()
    together = together[
        together["outcome"].isin(alone["outcome"]) & (together["days_before"] == 14) | together["outcome"].eq("peg")
    ]
    numbers = ["before", "after", "value", "low", "high", "p_gain", "p_important_gain", "phi"]
    assert np.allclose(
        alone[numbers].astype(float), together[numbers].astype(float), atol=1e-9, rtol=1e-10, equal_nan=True
    )


@pytest.mark.parametrize("question", ["change_at_reassessment", "mean_change", "trend", "level_change", "slope_change"])
def test_scaling_and_shifting(question):
    rng = np.random.default_rng(3)
    values = rng.normal(5, 1, 70)
    entry = {"kind": "score", "range": [-1e9, 1e9], "better": "lower", "important_change": 2}
    plain = one(make_trial({"x": values}, x=entry), question)
    scaled = one(make_trial({"x": 1e4 + 3 * values}, x=entry | {"important_change": 6}), question)
    assert scaled.value == pytest.approx(3 * plain.value, rel=1e-6)
    assert scaled.high - scaled.low == pytest.approx(3 * (plain.high - plain.low), rel=1e-6)
    assert scaled.p_gain == pytest.approx(plain.p_gain, abs=1e-6)


def test_a_ratio_does_not_depend_on_the_unit():
    minutes = np.random.default_rng(5).gamma(4, 10, 70)
    entry = {"kind": "minutes", "better": "higher"}
    first = one(make_trial({"walk": minutes}, walk=entry), "rate_ratio")
    second = one(make_trial({"walk": minutes / 60}, walk=entry | {"unit": "h"}), "rate_ratio")
    assert (first.value, first.low, first.high) == pytest.approx((second.value, second.low, second.high), rel=1e-9)


def test_no_upper_bound_of_a_ratio_is_not_a_number():
    values = np.zeros(60)
    values[[3, 20, 30, 41, 47, 55]] = 1
    found = one(make_trial({"falls": values}, falls={"kind": "count", "better": "lower"}), "rate_ratio")
    assert found.ok
    assert math.isinf(found.high)
    assert found.low >= 0


def test_shifting_the_calendar_changes_nothing(everything):
    import datetime as dt

    from acu_nof1.diary import Diary

    protocol, by = everything.protocol, dt.timedelta(days=400)
    phases = tuple(p.model_copy(update={"start": p.start + by, "end": p.end + by}) for p in protocol.phases)
    values = everything.diary.values
    values.index = values.index + by
    moved = acu.Trial(protocol.model_copy(update={"phases": phases}), Diary.from_values(values))
    drop = ["person"]
    first, second = (estimate_all(t.comparisons()).to_frame().drop(columns=drop) for t in (everything, moved))
    assert first.equals(second)


def test_a_day_without_an_answer_is_an_absent_row():
    from acu_nof1.diary import Diary

    trial = borckardt(missing=(3, 9))
    absent = acu.Trial(trial.protocol, Diary.from_values(trial.diary.values.dropna()))
    first, second = (estimate_all(each.comparisons()).to_frame() for each in (trial, absent))
    assert first.equals(second)


def test_row_order_and_number_type_do_not_matter():
    from acu_nof1.diary import Diary

    trial = borckardt()
    values = trial.diary.values.astype(int).sample(frac=1, random_state=1)
    shuffled = acu.Trial(trial.protocol, Diary.from_values(values))
    assert estimate_all(trial.comparisons()).to_frame().equals(estimate_all(shuffled.comparisons()).to_frame())


def test_pain_from_0_to_5_is_a_deterioration_only():
    rng = np.random.default_rng(8)
    values = np.r_[np.zeros(14), np.clip(np.round(5 + rng.normal(size=70)), 0, 10)]
    found = one(make_trial({"pain": values}), "change_at_reassessment")
    assert found.reading == "worse"
    assert found.p_gain < 0.01


@pytest.mark.parametrize(
    ("values", "baseline", "reason"),
    [
        ([5] * 40, 14, "same"),
        ([5, 6, 5, 4] + [np.nan] * 10 + [4, 5, 6] * 9, 14, "only 4 baseline days answered"),
        ([5, 6, 7, 5, 4] * 3 + [np.nan] * 30 + [4], 15, "only 1 day answered in the reassessment window"),
        ([np.nan] * 14 + [4, 5, 6] * 9, 14, "no answered baseline day"),
        ([np.nan] * 41, 14, "no answered baseline day"),
        ([4, 5, 6] * 9, 0, "no answered baseline day"),
    ],
)
def test_what_cannot_be_estimated_says_why(values, baseline, reason):
    trial = make_trial({"pain": values}, baseline=baseline)
    found = next(iter(CHANGE_AT_REASSESSMENT(trial.comparisons())))
    assert found.status == "not_estimable"
    assert reason in found.reason
    assert np.isnan([found.low, found.high, found.p_gain, *found.bands]).all()
    assert not found.reading


def test_all_zero_phases_have_no_ratio_and_the_sums_are_shown():
    values = [0.0] * 14 + [1, 0, 2, 0, 3, 1, 1] * 6
    found = one(make_trial({"falls": values}, falls={"kind": "count", "better": "lower"}), "rate_ratio")
    assert found.status == "not_estimable"
    assert "sum before 0, after 16" in found.reason


def test_few_days_between_lose_their_slope_first():
    rng = np.random.default_rng(2)
    methods = {}
    for between in (0, 3, 30):
        values = rng.normal(5, 1, 14 + between + 14)
        trial = make_trial({"pain": np.clip(values, 0, 10)})
        methods[between] = next(iter(CHANGE_AT_REASSESSMENT(trial.comparisons()))).method
    assert "no answered days between" in methods[0]
    assert "too few for a slope" in methods[3]
    assert "own level and slope" in methods[30]


def test_several_phases_are_one_fit_with_one_contrast():
    """ABAB: the change is the mean of the treatment levels minus the mean of the baseline levels."""
    import datetime as dt

    rng = np.random.default_rng(11)
    course = np.repeat([6.0, 3.0, 5.0, 2.0], 14)
    phases = [
        {
            "kind": kind,
            "start": dt.date(2026, 1, 5) + dt.timedelta(days=14 * i),
            "end": dt.date(2026, 1, 18) + dt.timedelta(days=14 * i),
        }
        for i, kind in enumerate(["baseline", "treatment"] * 2)
    ]
    trial = make_trial({"pain": np.clip(course + 0.3 * rng.normal(size=56), 0, 10)}, raw={"phase": phases})
    assert trial.protocol.design == "ABAB"
    assert trial.protocol.is_n_of_1_trial
    found = estimate_all(trial.comparisons())
    assert [e.question for e in found] == ["mean_change", "percent_change"]
    assert found.primary is not None
    assert found.primary.value == pytest.approx(-3, abs=0.3)
    assert found.primary.before == pytest.approx(5.5, abs=0.3)


def test_reliable_change_from_the_measurement_error():
    """Jacobson–Truax (1991): SD 5, r .80 give SE 2.236068 and S_diff 3.162278; a change of −8 is 2.529822 of them."""
    values = np.full(60, np.nan)
    values[[3, 59]] = 40, 32
    sem = 5 * math.sqrt(1 - 0.80)
    assert sem == pytest.approx(2.236068, abs=1e-6)
    trial = make_trial({"odi": values}, odi={"instrument": "odi", "sem": sem})
    found = one(trial, "score_change")
    assert found.value == -8
    assert (found.high - found.low) / (2 * stats.norm.ppf(0.975)) == pytest.approx(3.162278, abs=1e-5)
    assert found.p_gain == pytest.approx(stats.norm.cdf(2.529822), abs=1e-6)


def test_a_score_without_measurement_error_is_shown_without_an_interval():
    values = np.full(60, np.nan)
    values[[3, 59]] = 40, 32
    found = one(make_trial({"odi": values}, odi={"instrument": "odi"}), "score_change")
    assert (found.before, found.after, found.value) == (40, 32, -8)
    assert found.status == "not_estimable"
    assert "measurement error" in found.reason
    assert math.isnan(found.low)


def test_an_interval_is_cut_at_the_ends_of_the_scale_and_says_so():
    from acu_nof1.reassessment import reassess

    review = reassess(make_trial({"pain": [9, 8, 6, 5, 2, 1, 2, 4, 5, 8, 9, 8]}, baseline=5))
    found = review.estimates.primary
    assert found.limited
    assert found.low == -10  # from the top of the scale to its foot
    assert float(found.distribution.quantile(0.025)[0]) < -10
    assert "cut at the end of the scale" in review.sentence


def test_a_trend_is_a_slope_per_week():
    days = np.arange(98)
    line = np.where(days < 14, 8, 8 - 0.05 * (days - 14)) + 0.2 * np.random.default_rng(1).normal(size=98)
    found = one(make_trial({"pain": np.clip(line, 0, 10)}), "trend")
    assert found.value == pytest.approx(-0.35, abs=0.02)
    assert found.unit == "points a week"


@pytest.mark.parametrize("estimator", [CHANGE_AT_REASSESSMENT, MEAN_CHANGE], ids=lambda e: e.question)
def test_fixed_seed_calibration(estimator):
    """Intervals of the default model come true on AR(1) diaries, whole-point ratings, 20 % missing (N = 300)."""
    from acu_nof1.simulate import Design, Truth, simulate

    design = Design(baseline=14, treatment=70, window=14, missing=0.2)
    truth = Truth(level=6, change=-2, shape="gradual", phi=0.4, sd=1.3, step=1, low=0, high=10)
    runs = simulate(design, truth, 300, 20261123)
    parts = [make_trial({"pain": runs.values[i]}).comparisons() for i in range(300)]
    frame = estimator(stack(parts)).to_frame()
    target = runs.change if estimator is CHANGE_AT_REASSESSMENT else runs.true_mean_change
    covered = ((frame["low"] <= target) & (target <= frame["high"])).mean()
    assert 0.92 <= covered <= 0.995
