"""Noise learned from a cohort: what it is, what it must not touch, and whether intervals made with it hold."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT
from scipy import optimize

import acu_nof1 as acu
from acu_nof1 import compiled
from acu_nof1.errors import UsageError
from acu_nof1.estimate.base import Levels
from acu_nof1.estimate.level import change_at_reassessment
from acu_nof1.estimate.nodes import ANGLE_KNOTS, RATIO_KNOTS, ROBUST, ROBUST_COUNTS, SHARE_KNOTS, Learned, grid
from acu_nof1.explore import learned as module
from acu_nof1.explore.learned import learn_noise
from acu_nof1.simulate import Design, Truth, simulate

sys.path.append(str(ROOT / "benchmarks"))
from calibration import compared
from learned_noise import POPULATIONS, cohort

DESIGN = Design(missing=0.2)
ENDS = np.array([0.025, 0.975])
ASKED = [each for each in acu.ESTIMATORS if each.question in ("change_at_reassessment", "days_per_28", "rate_ratio")]
USUAL = Learned(40, ((1.0,) * (1 + len(SHARE_KNOTS)),) * len(ANGLE_KNOTS), (1.0,) * len(RATIO_KNOTS))


def diaries(n, *, phi=0.35, change=0.0, seed=1, shape="step", design=DESIGN):
    truth = Truth(level=0.0, change=change, phi=phi, sd=1.0, shape=shape)
    return compared(simulate(design, truth, n, seed).values, design)


def widths(series, noise=None):
    low, high = change_at_reassessment(series, noise).distribution.quantile(ENDS).T
    return high - low


@pytest.fixture(scope="module")
def clinic_reassessed():
    return acu.reassess_all(acu.read_cohort(ROOT / "sample_data" / "clinic"), estimators=ASKED)


@pytest.fixture(scope="module")
def alike():
    """120 people whose days resemble one another equally strongly, and what they teach."""
    series = diaries(120)
    return series, learn_noise(series)


# ------------------------------------------------------------------ what it is


@pytest.mark.parametrize("usual", [ROBUST, ROBUST_COUNTS])
def test_factors_of_one_are_the_usual_prior(usual):
    series = diaries(12)
    plain, same = (
        change_at_reassessment(series, noise).distribution for noise in (usual, replace(usual, learned=USUAL))
    )
    np.testing.assert_allclose(same.quantile(ENDS), plain.quantile(ENDS), rtol=1e-12)


def test_the_learned_prior_sums_to_one(alike):
    (noise,) = alike[1].by_outcome.values()
    assert np.exp(grid(noise, 120, 24, 61).log_prior).sum() == pytest.approx(
        np.exp(grid(ROBUST, 120, 24, 61).log_prior).sum(), rel=1e-9
    )
    frame = alike[1].to_frame()
    np.testing.assert_allclose(frame.groupby("parameter")[["usual", "learned"]].sum(), 1.0, rtol=1e-9)
    assert frame["people"].unique().tolist() == [120]


def test_shares_are_those_under_which_all_days_are_most_probable():
    """Against a general optimiser of the same objective: log likelihood, and imagined people at their usual shares."""
    rng = np.random.default_rng(3)
    likelihood = rng.gamma(0.5, size=(200, 4, 3))
    likelihood[:, 1, 2] *= 3
    days, ratio = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.5, 0.3, 0.2])

    def objective(free):
        g, q = (np.exp(part) / np.exp(part).sum() for part in (free[:4], free[4:]))
        imagined = module.IMAGINED * (days @ np.log(g) + ratio @ np.log(q))
        return -np.log(np.einsum("nab,a,b->n", likelihood, g, q)).sum() - imagined

    best = optimize.minimize(objective, np.zeros(7), method="BFGS", options={"gtol": 1e-9}).x
    g, q = module._most_probable(likelihood, days, ratio)
    np.testing.assert_allclose(g, np.exp(best[:4]) / np.exp(best[:4]).sum(), atol=2e-5)
    np.testing.assert_allclose(q, np.exp(best[4:]) / np.exp(best[4:]).sum(), atol=2e-5)


def test_people_who_are_much_alike_are_found_so(alike):
    phi = alike[1].to_frame().query("parameter == 'phi'")
    usual, learned = (phi.loc[phi["at"].between(0.1, 0.65), name].sum() for name in ("usual", "learned"))
    assert (usual, learned) == (pytest.approx(0.21, abs=0.02), pytest.approx(0.85, abs=0.12))


def test_nobody_is_ruled_out(alike):
    frame = alike[1].to_frame()
    assert (frame["learned"] >= 0.99 * frame["usual"] * module.IMAGINED / (120 + module.IMAGINED)).all()


def test_finer_nodes_give_the_same_interval(alike):
    """The learned prior bends at its knots, so it is laid on more nodes than the usual one."""
    series, (noise,) = alike[0].take(np.arange(8)), alike[1].by_outcome.values()
    finer = replace(noise, phi_nodes=120, share_nodes=32, ratio_nodes=51)
    np.testing.assert_allclose(widths(series, finer), widths(series, noise), rtol=0.01)


def test_compiled_and_numpy_agree(alike, monkeypatch):
    series, noise = alike[0].take(np.arange(20)), alike[1].by_outcome
    found = []
    for wanted in (True, False):
        monkeypatch.setattr(compiled, "wanted", lambda _, wanted=wanted: wanted)
        found.append(change_at_reassessment(series, noise).distribution.quantile(ENDS))
    np.testing.assert_allclose(*found, rtol=1e-8, atol=1e-10)


# ------------------------------------------------------------------ what it must not touch


@pytest.mark.parametrize(
    "turned",
    [
        lambda values, _: -values,
        lambda values, _: 10 * values + 3,
        lambda values, treated: values + 4 * treated,
        lambda values, treated: values - np.linspace(0, 5, len(values))[:, None] * treated,
        lambda values, _: values[::-1],
    ],
    ids=["direction", "unit", "everybody gains", "people gain differently", "order of people"],
)
def test_the_change_teaches_nothing(turned):
    series = diaries(40)
    other = replace(series, values=turned(series.values, series.treated))
    (first,), (second,) = (learn_noise(each).by_outcome.values() for each in (series, other))
    np.testing.assert_allclose(np.array(first.learned.days), np.array(second.learned.days), rtol=1e-5)
    np.testing.assert_allclose(first.learned.ratio, second.learned.ratio, rtol=1e-5)


def test_a_course_that_all_share_is_not_taken_for_slow_noise():
    """Learned around straight lines, three weeks of getting better would widen everybody's interval by a third."""
    series = diaries(200, phi=0.0, change=-1.5, shape="gradual")
    ratio = np.median(widths(series, learn_noise(series).by_outcome) / widths(series))
    assert ratio == pytest.approx(0.8, abs=0.1)


# ------------------------------------------------------------------ does it hold


@pytest.mark.parametrize("population", [name for name in POPULATIONS if name.startswith(("unlike", "85 %"))])
def test_intervals_hold_and_are_narrower(population):
    """A small version of `benchmarks/learned_noise.py`; three standard errors are 0.03."""
    rng = np.random.default_rng(11)
    hit, narrower = [], []
    for _ in range(2):
        series, _ = cohort(POPULATIONS[population], 100, DESIGN, rng)
        noise = learn_noise(series).by_outcome
        low, high = change_at_reassessment(series, noise).distribution.quantile(ENDS).T
        estimable = np.isfinite(low)
        hit.extend((low <= -1.5)[estimable] & (high >= -1.5)[estimable])
        narrower.extend((high - low) / widths(series))
    assert 0.93 - 0.03 < np.mean(hit) < 0.995
    assert np.nanmedian(narrower) < 1.02


# ------------------------------------------------------------------ as users meet it


def test_with_few_people_nothing_is_learned():
    with pytest.raises(UsageError, match=r"level: 29 diaries can be used; at least 30 are needed"):
        learn_noise(diaries(29))


def test_diaries_that_cannot_be_used_are_not_counted():
    series = diaries(40)
    series.values[:11, :12] = np.nan
    with pytest.raises(UsageError, match="29 diaries can be used"):
        learn_noise(series)


def test_only_answers_of_the_kernel_take_it_and_they_say_so(alike):
    series = alike[0].take(np.arange(3))
    noise = alike[1].by_outcome
    told = {each.question: each.with_noise(noise)(series).to_frame() for each in acu.ESTIMATORS}
    plain = {each.question: each(series).to_frame() for each in acu.ESTIMATORS}
    says = {
        question
        for question, table in told.items()
        if table["method"].str.contains("learned from 120 people").all() and len(table)
    }
    assert says == {"change_at_reassessment", "mean_change", "trend", "level_change", "slope_change"}
    for question in set(told) - says:
        assert told[question].equals(plain[question])


def test_a_whole_cohort_with_learned_noise(clinic_reassessed):
    own = clinic_reassessed
    learned = acu.learn_noise(own.cohort.comparisons)
    found = acu.reassess_all(own.cohort, estimators=ASKED, noise=learned.by_outcome)
    first, second = own.to_frame(), found.to_frame()
    assert first[["person", "outcome", "question", "status"]].equals(
        second[["person", "outcome", "question", "status"]]
    )
    told = second["method"].str.contains("learned from")
    assert told.any()
    assert first[~told].equals(second[~told])
    assert (second["outcome"][told].unique() == list(learned.by_outcome)).all()


def test_levels_are_read_from_the_same_fit(alike):
    answer = change_at_reassessment(alike[0].take(np.arange(5)), alike[1].by_outcome)
    assert isinstance(answer.after, Levels)
    np.testing.assert_allclose(answer.after.value - answer.before.value, answer.distribution.centre, atol=1e-9)
