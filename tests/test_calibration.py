"""Intervals and probabilities come true: the gates of `benchmarks/coverage.py` at fixed seeds and small sizes.

Every bound on coverage is that of the gate, widened by 3 binomial standard errors at the size used here; the bounds on
width, slope and calibration error are widened by margins set by hand, which stand at the assertion. A
chance failure is therefore rare, and with fixed seeds it does not come and go.
"""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
from conftest import ROOT

BENCHMARKS = ROOT / "benchmarks"
sys.path.append(str(BENCHMARKS))

import calibration  # noqa: E402
from usual import USUAL  # noqa: E402

from acu_nof1.estimate.days import days_per_28  # noqa: E402
from acu_nof1.estimate.rate import rate_ratio  # noqa: E402

SEED = 20


def allowed(share: float, n: int) -> float:
    """Three binomial standard errors."""
    return 3 * float(np.sqrt(share * (1 - share) / n))


def between(covered: np.ndarray, low: float, high: float = 1.0) -> bool:
    """Is the coverage within the bounds, as far as so many runs can tell?"""
    share, n = float(covered.mean()), len(covered)
    return low - allowed(low, n) <= share <= high + allowed(high, n)


def cell(design: str, noise: calibration.DayNoise, n: int, shape: str = "step") -> calibration.Diaries:
    rng = calibration.generator(SEED, f"{design} {noise.truth} {shape}")
    return calibration.draw(calibration.DESIGNS[design], noise, shape, n, rng, missing=0.2)


@pytest.mark.parametrize("phi", [0.0, 0.4, 0.8])
@pytest.mark.parametrize("design", ["7+28", "14+42", "28+84"])
def test_ar1_intervals_cover_on_the_ar1_grid(design: str, phi: float) -> None:
    diaries = cell(design, calibration.ar(phi), 1500)
    for question in calibration.QUESTIONS:
        for found in calibration.measure(diaries, question, "AR(1)", phi):
            high = 1.0 if found.contrast == "change at reassessment" else 0.98
            assert between(found.covered, 0.93, high), (found.contrast, found.covered.mean())


def test_ar1_coverage_is_not_only_inside_but_right_on_average() -> None:
    every = [
        found.covered
        for design in ("14+42", "28+84")
        for phi in (0.0, 0.4, 0.8)
        for found in calibration.measure(cell(design, calibration.ar(phi), 1500), "mean", "AR(1)")
    ]
    assert between(np.concatenate(every), 0.945, 0.962)


STRESS = ("AR(1) .4", "AR(1) .7 + 30 % white", "t3 shocks", "baseline SD x 2", "whole points 0-10")


def test_robust_intervals_cover_under_stress() -> None:
    every = []
    for label in STRESS:
        found = calibration.measure(cell("14+42", calibration.STRESS[label], 500), "mean", "robust")[0]
        assert between(found.covered, 0.90), (label, found.covered.mean())
        every.append(found.covered)
    assert between(np.concatenate(every), 0.945, 0.97)


@pytest.mark.parametrize("shape", ["step", "gradual", "linear", "late"])
def test_change_at_reassessment_covers_however_the_effect_comes_about(shape: str) -> None:
    diaries = cell("14+70", calibration.ar(0.3), 500, shape)
    for mode in calibration.MODES:
        found = calibration.measure(diaries, "window", mode)[0]
        assert between(found.covered, 0.92), (mode, found.covered.mean())


@pytest.mark.parametrize(("mode", "limit"), [("AR(1)", 1.15), ("robust", 1.30)])
def test_change_at_reassessment_is_not_needlessly_wide(mode: str, limit: float) -> None:
    found = calibration.measure(cell("14+70", calibration.ar(0.3), 1000), "window", mode, 0.3)[0]
    ratio = float(np.nanmedian(found.width / found.oracle))
    # The median of 1,000 ratios is known to about 1 %.
    assert ratio <= limit + 0.03


def test_the_simulation_shows_what_the_usual_methods_miss() -> None:
    diaries = cell("14+42", calibration.ar(0.6), 1500)
    treated = diaries.comparisons.treated[0]
    covers = {}
    for name in ("OLS", "Welch", "REML, t"):
        ends = USUAL[name].interval(diaries.comparisons.values, treated)
        covers[name] = float(np.mean((ends[:, 0] <= diaries.mean_change) & (diaries.mean_change <= ends[:, 1])))
    assert covers["OLS"] < 0.75
    assert covers["Welch"] < 0.75
    assert covers["OLS"] < covers["REML, t"] < 0.94


def test_the_drift_warning_fires_where_drifts_cannot_be_told_from_a_change() -> None:
    drift = calibration.measure(cell("14+42", calibration.HARD["AR(1) .95"], 300), "window", "robust")[0]
    mixed = calibration.measure(cell("28+84", calibration.HARD["AR(1) .9 + 50 % white"], 300), "window", "robust")[0]
    assert between(drift.covered, 0.80)
    assert drift.warned.mean() > 0.9
    assert mixed.warned.mean() > 0.6


@pytest.mark.parametrize("shape", ["step", "linear"])
def test_the_drift_warning_is_silent_in_six_of_seven_diaries_without_drift(shape: str) -> None:
    """The criterion by which the rule was chosen; the mean change would warn in three of four after a linear course."""
    quiet = calibration.measure(cell("14+70", calibration.ar(0.3), 400, shape), "window", "robust")[0]
    assert quiet.warned.mean() <= 0.15 + allowed(0.15, 400)


@pytest.mark.parametrize("kind", ["poisson", "bouts"])
def test_ratios_of_counts_cover(kind: str) -> None:
    design = calibration.DESIGNS["28+84"]
    values = calibration.count_diaries(design, kind, np.nan, 2.0, 0.5, 400, calibration.generator(SEED, kind))
    series = calibration.compared(values, design, calibration.COUNT)
    for found in (
        calibration.mean_ratio(series, 0.5),
        calibration.answer(series, rate_ratio, 0.5, "ratio at reassessment"),
    ):
        assert between(found.covered, 0.91), (found.contrast, found.covered.mean())


def test_days_per_28_cover_under_a_markov_chain() -> None:
    design = calibration.Design(28, 84, 28)
    rng = calibration.generator(SEED, "days")
    values = calibration.yes_no_diaries(design, 0.3, np.nan, (0.5, 0.25), 400, rng)
    series = calibration.compared(values, design, calibration.HEADACHE)
    found = calibration.answer(series, days_per_28, -7.0, "days per 28")
    assert between(found.covered, 0.93, 0.98)


def test_the_chance_of_an_important_gain_comes_true() -> None:
    diaries = calibration.probability_diaries("step", 3000, calibration.generator(SEED, "stated"))
    probability, true = calibration.stated(diaries, "mean", "AR(1)")["important gain"]
    sure = probability > 0.95
    stated, n = float(probability[sure].mean()), int(sure.sum())
    assert abs(stated - float(true[sure].mean())) <= 0.01 + allowed(stated, n)
    # The slope of 3,000 statements is known to about .035.
    assert 0.87 - 0.1 <= calibration.recalibration_slope(probability, true) <= 1.1 + 0.1
    # Ten groups of 300 stray by .02 on average when every statement is right.
    assert calibration.calibration_error(probability, true) <= 0.02 + 0.02


def test_calibration_measures_know_right_from_wrong() -> None:
    rng = np.random.default_rng(SEED)
    probability = rng.random(40_000)
    true = rng.random(40_000) < probability
    assert calibration.calibration_error(probability, true) < 0.01
    assert calibration.recalibration_slope(probability, true) == pytest.approx(1.0, abs=0.03)
    bold = 1 / (1 + ((1 - probability) / probability) ** 2)
    assert calibration.calibration_error(bold, true) > 0.05
    assert calibration.recalibration_slope(bold, true) == pytest.approx(0.5, abs=0.03)


def test_the_benchmark_named_coverage_does_not_pass_for_the_test_tool() -> None:
    # numba imports `coverage` if it finds one, and beside a benchmark it finds ours.
    spec = importlib.util.spec_from_file_location("coverage", BENCHMARKS / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(ImportError, match="not the test tool"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
