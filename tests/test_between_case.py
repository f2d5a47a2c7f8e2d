"""The between-case SMD: against statsmodels where days are independent, a direct likelihood, and planted truth."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from conftest import ROOT
from scipy.stats import multivariate_normal

from acu_nof1.errors import UsageError
from acu_nof1.explore import between_case as module
from acu_nof1.explore.between_case import between_case
from acu_nof1.simulate import Design, missing_days, noise

sys.path.append(str(ROOT / "benchmarks"))
from dataclasses import replace

from calibration import PAIN, compared

DESIGN = Design(baseline=14, treatment=28)


def people(n, *, phi=0.0, tau=1.0, change=-1.5, seed=1, missing=0.2):
    rng = np.random.default_rng(seed)
    values = 6 + tau * rng.standard_normal((n, 1)) + change * (np.arange(42) >= 14) + noise(n, 42, phi=phi, seed=rng)
    values[missing_days(n, 42, missing, seed=rng)] = np.nan
    return replace(compared(values, DESIGN, PAIN), person=tuple(f"P-{number}" for number in range(n)))


def test_two_levels_as_statsmodels_has_them_when_days_are_independent(monkeypatch):
    """MixedLM, REML, random intercept: the change, its error and both variances."""
    monkeypatch.setattr(module, "PHI_BOUND", 0.0)
    series = people(12)
    found = between_case(series)
    rows, days = np.nonzero(series.answered)
    table = pd.DataFrame(
        {"y": series.values[rows, days], "treated": series.treated[rows, days].astype(float), "person": rows}
    )
    fit = smf.mixedlm("y ~ treated", table, groups="person").fit(reml=True)
    assert found.change == pytest.approx(fit.params["treated"], abs=1e-5)
    assert found.change_se == pytest.approx(fit.bse["treated"], rel=1e-3)
    assert found.within_sd**2 == pytest.approx(fit.scale, rel=1e-4)
    assert found.between_sd**2 == pytest.approx(fit.cov_re.iloc[0, 0], rel=1e-3)
    assert (found.people, found.days) == (12, len(table))


def test_the_likelihood_with_gaps_and_autocorrelation_by_brute_force():
    series = people(5, phi=0.5, missing=0.3)
    days = module._laid_out(series)
    phi, ratio = 0.4, 0.7
    a, log_det = days.weighed(phi, ratio)
    expected_a, expected_det = np.zeros((3, 3)), 0.0
    for person in range(5):
        at = np.flatnonzero(series.answered[person])
        v = phi ** np.abs(at[:, None] - at[None, :]) + ratio
        z = np.column_stack([np.ones(at.size), series.treated[person, at], series.values[person, at]])
        expected_a += z.T @ np.linalg.solve(v, z)
        expected_det += -2 * multivariate_normal(np.zeros(at.size), v).logpdf(np.zeros(at.size)) - at.size * np.log(
            2 * np.pi
        )
    np.testing.assert_allclose(a, expected_a, rtol=1e-9)
    assert log_det == pytest.approx(expected_det)


def test_planted_truth_is_recovered():
    """200 people: change −1.5, phi .5, SDs 1 and 1, so d = 1.5/√2."""
    found = between_case(people(200, phi=0.5, seed=3))
    assert found.change == pytest.approx(-1.5, abs=0.1)
    assert found.phi == pytest.approx(0.5, abs=0.05)
    assert (found.between_sd, found.within_sd) == (pytest.approx(1, abs=0.15), pytest.approx(1, abs=0.05))
    assert found.low < 1.5 / np.sqrt(2) < found.high


def test_intervals_of_small_series_hold():
    """100 studies of 8 people, phi .4: three standard errors of 0.95 are 0.065."""
    true = 1.5 / np.sqrt(2)
    found = [between_case(people(8, phi=0.4, seed=100 + seed)) for seed in range(100)]
    held = np.mean([each.low <= true <= each.high for each in found])
    assert held > 0.95 - 0.065
    assert np.mean([each.d for each in found]) == pytest.approx(true, abs=0.12)


@pytest.mark.parametrize("turned", [lambda y: 10 * y + 3, lambda y: 20 - y], ids=["unit", "direction"])
def test_units_and_directions(turned):
    series = people(10, phi=0.3)
    first, second = between_case(series), between_case(replace(series, values=turned(series.values)))
    assert abs(second.d) == pytest.approx(abs(first.d), rel=1e-4)
    assert second.se == pytest.approx(first.se, rel=1e-3)


def test_what_cannot_be_answered_is_said():
    assert between_case(people(2)).reason == "2 people have answered days in both phases; at least 3 are needed"
    flat = people(5)
    flat.values[np.isfinite(flat.values)] = 4.0
    assert between_case(flat).reason == "the answers do not vary"
    with pytest.raises(UsageError, match="found 3 series of 1 people and 1 outcomes"):
        between_case(replace(people(3), person=("P",) * 3))
