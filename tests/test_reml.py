"""One series at one autocorrelation against R's nlme and other published fits."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from conftest import ROOT
from kernel_diaries import borckardt_nash
from statsmodels.tools.numdiff import approx_hess3

from acu_nof1.estimate.reml import gls, reml_mode
from acu_nof1.explore.diagnostics import resemblance

sys.path.append(str(ROOT / "benchmarks"))

from agreement import nlme_cases, nlme_errors


def test_nlme_gls_corcar1_at_its_own_phi():
    """Every fit of R's nlme, boundary fits included: standard errors, sigma and restricted likelihood at its phi."""
    checked = 0
    for row, y, x in nlme_cases():
        if not 0 <= row.phi < 1 - 1e-6:
            continue
        answer = gls(y, x, row.phi)
        assert nlme_errors(row, answer) < 1e-8
        assert answer.sigma == pytest.approx(row.sigma, rel=1e-8)
        assert answer.loglik == pytest.approx(row.loglik_reml, abs=1e-8)
        checked += 1
    assert checked > 150


def test_nlme_gls_corcar1_reml_mode():
    """Non-boundary fits agree in phi and standard errors; boundary fits are never beaten in likelihood."""
    for row, y, x in nlme_cases():
        mode = reml_mode(y, x)
        assert mode.loglik >= row.loglik_reml - 1e-7
        if row.boundary != 1:
            assert mode.phi == pytest.approx(row.phi, abs=1e-3)
            assert nlme_errors(row, mode) < 1e-3


def test_borckardt_nash_2014_pain_ratings():
    y, d, x = borckardt_nash()
    assert y[d == 0].mean() == pytest.approx(7.714286, abs=5e-7)
    assert y[d == 1].mean() == pytest.approx(2.928571, abs=5e-7)
    mode = reml_mode(y, x)
    assert mode.coefficients[1] == pytest.approx(-4.755336, abs=5e-7)
    assert np.sqrt(mode.cov[1, 1]) == pytest.approx(0.636955, abs=5e-7)
    assert mode.phi == pytest.approx(0.219305, abs=5e-7)
    independent = gls(y, x, 0.0)
    assert independent.coefficients[1] == pytest.approx(-4.785714, abs=5e-7)
    assert np.sqrt(independent.cov[1, 1]) == pytest.approx(0.524123, abs=5e-7)


def test_borckardt_nash_2014_missing_days_keep_their_place():
    """Days 4 and 10 missing: closing the gaps is another, wrong, answer."""
    y, _, x = borckardt_nash()
    y[[3, 9]] = np.nan
    kept = ~np.isnan(y)
    gaps, closed = gls(y, x, 0.204851), gls(y[kept], x[kept], 0.2234)
    assert gaps.coefficients[0] == pytest.approx(7.793444, abs=2e-6)
    assert gaps.coefficients[1] == pytest.approx(-4.751662, abs=2e-6)
    assert closed.coefficients[1] == pytest.approx(-4.791642, abs=2e-4)
    ml_scale = np.sqrt((kept.sum() - 2) / kept.sum())
    assert np.sqrt(gaps.cov[1, 1]) * ml_scale == pytest.approx(0.615603, abs=2e-6)


def test_huitema_mckean_segmented_ols():
    a, b = [54, 53, 56, 58, 52], [61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87]
    d, tau = np.r_[np.zeros(5), np.ones(15)], np.arange(20) - 5.0
    answer = gls(np.array(a + b, float), np.stack([np.ones(20), tau, d, tau * d], axis=1), 0.0)
    np.testing.assert_allclose(answer.coefficients, [54.9, 0.1, 7.858333, 1.525], atol=5e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(answer.cov))[2:], [5.816499, 1.616067], atol=5e-7)


@pytest.mark.parametrize(("phi", "sd"), [(0.0, 0.288675), (0.2, 0.346397), (0.5, 0.450988), (0.7, 0.513236)])
def test_exact_sd_of_a_change_of_means_at_known_phi(phi, sd):
    """SD of the generalised least squares change with 14 and 84 days and sigma 1."""
    d = np.r_[np.zeros(14), np.ones(84)]
    answer = gls(np.random.default_rng(1).normal(size=98), np.stack([1 - d, d], axis=1), phi)
    c = np.array([-1.0, 1.0])
    assert np.sqrt(c @ answer.cov @ c) / answer.sigma == pytest.approx(sd, abs=5e-7)


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(ValueError, match="every value is the same"):
        reml_mode(np.ones(30), np.ones((30, 1)))


def maximum_likelihood(y, x, phi):
    """Exact log likelihood and innovation variance of AR(1) at one φ, from the restricted likelihood of `gls`."""
    found, p = gls(y, x, phi), x.shape[1]
    n = int(np.isfinite(y).sum())
    information = np.linalg.slogdet(found.sigma**2 * np.linalg.inv(found.cov))[1]
    nu, twice = n - p, np.log(2 * np.pi)
    log_det = -2 * found.loglik - nu * (twice + np.log(found.sigma**2) + 1) - information
    variance = found.sigma**2 * nu / n
    return found, -0.5 * (n * (twice + np.log(variance) + 1) + log_det), variance * (1 - phi**2)


def test_borckardt_nash_2014_by_exact_maximum_likelihood():
    """R's arima(order = c(1, 0, 0)): φ 0.105323 is the mode, innovation variance 1.146685, log likelihood −31.240473."""
    y, d, x = borckardt_nash()
    found, loglik, innovations = maximum_likelihood(y, x, 0.105323)
    np.testing.assert_allclose(found.coefficients, [7.706699, -4.771325], atol=2e-6)
    assert np.sqrt(found.cov[1, 1] * (len(y) - 2) / len(y)) == pytest.approx(0.542723, abs=2e-6)
    assert (loglik, innovations) == (pytest.approx(-31.240473, abs=1e-6), pytest.approx(1.146685, abs=2e-6))
    assert all(maximum_likelihood(y, x, 0.105323 + step)[1] < loglik for step in (-0.002, 0.002))
    assert (y[d == 0].std(ddof=1), y[d == 1].std(ddof=1)) == (
        pytest.approx(0.755929, abs=5e-7), pytest.approx(1.268814, abs=5e-7)
    )  # fmt: skip
    left = y - x @ gls(y, x, 0.0).coefficients
    assert 1 - left @ left / np.sum((y - y.mean()) ** 2) == pytest.approx(0.8144049, abs=5e-8)


def test_borckardt_nash_2014_by_hessian():
    """R takes its standard errors from the curvature of the likelihood, φ among the parameters: 0.444854 and 0.543589."""
    y, _, x = borckardt_nash()

    def loglik(at):
        level, change, phi, log_variance = at
        u = y - x @ [level, change]
        whitened = np.r_[np.sqrt(1 - phi**2) * u[0], u[1:] - phi * u[:-1]]
        return -0.5 * (
            len(y) * (np.log(2 * np.pi) + log_variance)
            - np.log(1 - phi**2)
            + whitened @ whitened / np.exp(log_variance)
        )

    mode = np.array([7.706699, -4.771325, 0.105323, np.log(1.146685)])
    assert loglik(mode) == pytest.approx(maximum_likelihood(y, x, 0.105323)[1], abs=1e-6)
    errors = np.sqrt(np.diag(np.linalg.inv(-approx_hess3(mode, loglik))))
    np.testing.assert_allclose(errors[:2], [0.444854, 0.543589], atol=5e-5)


def test_borckardt_nash_2014_by_exact_maximum_likelihood_with_missing_days():
    y, _, x = borckardt_nash()
    y[[3, 9]] = np.nan
    found, loglik, _ = maximum_likelihood(y, x, 0.204851)
    assert found.coefficients[1] == pytest.approx(-4.751662, abs=2e-6)
    assert loglik == pytest.approx(-28.343134, abs=1e-6)
    assert all(maximum_likelihood(y, x, 0.204851 + step)[1] < loglik for step in (-0.002, 0.002))


def test_borckardt_nash_2014_residuals_resemble_each_other_little_and_raw_days_much():
    """Lag 1 within phases −0.107 and 0.136; of the raw series 0.7203, which is the change itself."""
    y, d, _ = borckardt_nash()
    for days, lag in ((y[d == 0], -0.107), (y[d == 1], 0.136), (y, 0.7203)):
        found = resemblance(days - days.mean(), np.ones(len(days), bool))[0]
        # Ours is a mean over the pairs there are; the usual one divides by the number of days.
        assert found * (len(days) - 1) / len(days) == pytest.approx(lag, abs=5e-4)
