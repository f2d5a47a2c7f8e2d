"""The kernel against an independent dense posterior, published fits, exact coverage and the rules of estimation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acu_nof1 import compiled
from acu_nof1.estimate import kernel
from acu_nof1.estimate.kernel import AR1, ROBUST, ROBUST_COUNTS, fit, gls, reml_mode

NLME = Path(__file__).parent / "reference" / "nlme_gls"
PAIN_A = [7, 9, 8, 7, 7, 8, 8]
PAIN_B = [3, 4, 2, 4, 2, 1, 4, 5, 3, 2, 1, 2, 4, 4]
ROBUST_AXES = (24, 8, 13)


# --- an independent posterior: explicit covariance matrices, one node at a time --------------------------------------


@dataclass(frozen=True)
class Dense:
    """Weights and t components from explicit inverses."""

    weight: np.ndarray
    loc: np.ndarray
    scale: np.ndarray
    df: float
    normal: bool = False

    def cdf(self, x):
        z = (np.atleast_1d(x)[:, None] - self.loc) / self.scale
        return (stats.norm.cdf(z) if self.normal else stats.t.cdf(z, self.df)) @ self.weight


def angle_nodes(count):
    return np.sin((-0.5 + (np.arange(count) + 0.5) / count) * np.pi)


def robust_nodes(axes=ROBUST_AXES, sd=0.5):
    """phi, lambda, r and log prior of every node, written out anew; phi graded towards 1."""
    v = (np.arange(axes[0]) + 0.5) / axes[0]
    phi, phi_prior = -np.cos(np.pi * np.sin(np.pi * v / 2)), np.cos(np.pi * v / 2)
    x, w = np.polynomial.legendre.leggauss(axes[1])
    share, share_prior = np.r_[0, (x + 1) / 2], np.r_[0.5, 0.5 * w / 2]
    r = np.linspace(-3.5 * sd, 3.5 * sd, axes[2])
    r_prior = np.exp(-0.5 * (r / sd) ** 2)
    grid = [a.ravel() for a in np.meshgrid(phi, share, r, indexing="ij")]
    prior = np.log(phi_prior)[:, None, None] + np.log(share_prior)[:, None] + np.log(r_prior)
    return (*grid, prior.ravel())


def dense(y, x, treated, c, nodes, error=""):
    """The posterior of c'beta by brute force; `error` commits one deliberate mistake."""
    phi, share, r, log_prior = nodes
    keep = ~np.isnan(y)
    day = np.flatnonzero(keep)
    if error == "gaps ignored":
        day = np.arange(len(day))
    y, x, treated = y[keep], x[keep], treated[keep]
    n, p = x.shape
    lag = np.abs(day[:, None] - day[None, :])
    s = np.where(treated[None, :], np.exp(-r / 2)[:, None], np.exp(r / 2)[:, None])
    corr = (1 - share)[:, None, None] * phi[:, None, None] ** lag + share[:, None, None] * np.eye(n)
    v = s[:, :, None] * corr * s[:, None, :]
    inverse = np.linalg.inv(v)
    if error == "first day dropped":
        inverse[:, 0, 0] -= 1  # its share of the AR(1) likelihood is that of a single stationary day
    a = np.einsum("ni,gnm,mj->gij", x, inverse, x)
    b = np.linalg.solve(a, np.einsum("ni,gnm,m->gi", x, inverse, y)[..., None])[..., 0]
    residual = y - b @ x.T
    rss = np.einsum("gn,gnm,gm->g", residual, inverse, residual)
    nu = n - p - (error == "first day dropped")
    exponent = n if error == "ML exponent" else nu
    log_a = 0.0 if error == "log|A_xx| left out" else np.linalg.slogdet(a)[1]
    log_w = log_prior - 0.5 * (np.linalg.slogdet(v)[1] + log_a + exponent * np.log(rss))
    if error == "uniform prior":
        log_w = log_w + 0.5 * np.log(1 - phi**2)
    w = np.exp(log_w - log_w.max())
    if error == "plug-in phi":
        w = (w == w.max()).astype(float)
    scale = np.sqrt(rss / nu * np.einsum("i,gij,j->g", c, np.linalg.inv(a), c))
    return Dense(w / w.sum(), b @ c, scale, nu, normal=error == "normal for t")


def phi_only(count=1000):
    phi = angle_nodes(count)
    return phi, np.zeros(count), np.zeros(count), np.zeros(count)


DELIBERATE_ERRORS = (
    "ML exponent",
    "plug-in phi",
    "gaps ignored",
    "log|A_xx| left out",
    "normal for t",
    "uniform prior",
    "first day dropped",
)


# --- diaries with a known truth ---------------------------------------------------------------------------------------


def design(kind, baseline, days, window=7):
    """Columns (D, p) and contrasts (K, p) of the models that the package fits."""
    tau = np.arange(days) - baseline
    b, t = (tau < 0).astype(float), (tau >= 0).astype(float)
    if kind == "mean":
        return np.stack([b, t], 1), np.array([[-1.0, 1.0]])
    if kind == "trend":
        return np.stack([b, t, t * tau], 1), np.array([[0.0, 0.0, 7.0], [-1.0, 1.0, 0.0]])
    if kind == "segmented":
        return np.stack([b, b * tau, t, t * tau], 1), np.array([[-1.0, 0, 1, 0], [0, -1.0, 0, 1]])
    w = (np.arange(days) >= days - window).astype(float)
    early = t - w
    return np.stack([b, early, early * tau, w], 1), np.array([[-1.0, 0, 0, 1]])


def diaries(series, baseline, days, phi=0.4, missing=0.25, seed=1, share=0.0, log_ratio=0.0):
    """Values (S, D) of flat diaries with the noise of the robust model, and the treatment mask."""
    rng = np.random.default_rng(seed)
    phi, share, log_ratio = (np.broadcast_to(v, series) for v in (phi, share, log_ratio))
    u = rng.normal(size=(series, days))
    for day in range(1, days):
        u[:, day] = phi * u[:, day - 1] + np.sqrt(1 - phi**2) * u[:, day]
    treated = np.broadcast_to(np.arange(days) >= baseline, u.shape)
    sd = np.exp(np.where(treated, -0.5, 0.5) * log_ratio[:, None])
    y = sd * (np.sqrt(1 - share)[:, None] * u + np.sqrt(share)[:, None] * rng.normal(size=u.shape))
    y[rng.random(y.shape) < missing] = np.nan
    return y, treated


def fit_all(y, treated, kind, noise, baseline=None, window=7):
    x, c = design(kind, int((~treated[0]).sum()) if baseline is None else baseline, y.shape[1], window)
    return fit(y, np.broadcast_to(x, (*y.shape, x.shape[1])), treated, np.broadcast_to(c, (len(y), *c.shape)), noise)


def same(one, two, tolerance=1e-10):
    """Two fits say the same: levels, tails and noise."""
    levels = np.array([0.025, 0.5, 0.975])
    for k in range(one.mean.shape[2]):
        a, b = one.mixture(k).quantile(levels), two.mixture(k).quantile(levels)
        width = (a[:, 2] - a[:, 0])[:, None]
        np.testing.assert_allclose((a - b) / width, 0, atol=tolerance)
    np.testing.assert_allclose(one.phi_summary()[0], two.phi_summary()[0], atol=tolerance * 10)
    np.testing.assert_allclose(one.share_summary()[0], two.share_summary()[0], atol=tolerance * 10)


# --- G5: the kernel and brute force ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mean", "trend", "segmented", "window"])
def test_ar1_equals_a_dense_posterior_of_a_thousand_nodes(kind):
    y, treated = diaries(4, 7, 24, seed=3)
    result = fit_all(y, treated, kind, AR1)
    x, contrasts = design(kind, 7, 24)
    for s in range(len(y)):
        for k, c in enumerate(contrasts):
            expected = dense(y[s], x, treated[s], c, phi_only())
            at = expected.loc.mean() + np.array([-5, -2, -1, 0, 0.5, 1, 3]) * expected.scale.mean()
            np.testing.assert_allclose(result.mixture(k).row(s).cdf(at[None])[0], expected.cdf(at), atol=1e-8)


@pytest.mark.parametrize("kind", ["mean", "segmented", "window"])
def test_robust_equals_a_dense_posterior_on_its_nodes(kind):
    y, treated = diaries(2, 7, 22, seed=5)
    result = fit_all(y, treated, kind, ROBUST)
    x, contrasts = design(kind, 7, 22)
    for s in range(len(y)):
        expected = dense(y[s], x, treated[s], contrasts[0], robust_nodes())
        at = expected.loc.mean() + np.array([-5, -2, -1, 0, 0.5, 1, 3]) * expected.scale.mean()
        np.testing.assert_allclose(result.mixture(0).row(s).cdf(at[None])[0], expected.cdf(at), atol=1e-8)


@pytest.mark.parametrize("error", DELIBERATE_ERRORS)
def test_dense_comparison_catches_deliberate_errors(error):
    y, treated = diaries(4, 7, 24, seed=3)
    x, contrasts = design("segmented", 7, 24)
    result = fit_all(y, treated, "segmented", AR1)
    worst = 0.0
    for s in range(len(y)):
        right = dense(y[s], x, treated[s], contrasts[0], phi_only())
        wrong = dense(y[s], x, treated[s], contrasts[0], phi_only(), error)
        at = right.loc.mean() + np.linspace(-3, 3, 13) * right.scale.mean()
        kernel_says = result.mixture(0).row(s).cdf(at[None])[0]
        worst = max(worst, np.abs(kernel_says - wrong.cdf(at)).max())
    assert worst > 1e-3, "the comparison at 1e-8 would let this mistake pass"


# --- G5: nlme, and other published fits -------------------------------------------------------------------------------


def nlme_cases():
    series, fits = pd.read_csv(NLME / "series.csv"), pd.read_csv(NLME / "fits.csv")
    by_id = dict(iter(series.groupby("id")))
    for row in fits.itertuples():
        g = by_id[row.id]
        y = np.where(g["observed"] == 1, g["y"], np.nan)
        tau = (g["day"] - g["n_baseline"]).to_numpy(float)
        d = (tau >= 0).astype(float)
        one = np.ones_like(d)
        yield row, y, np.stack([one, d] if row.model == "step" else [one, tau, d, tau * d], axis=1)


def nlme_errors(row, answer):
    """Relative differences of the standard errors, and the estimates in units of them."""
    se = np.sqrt(np.diag(answer.cov))
    level, slope = (1, None) if row.model == "step" else (2, 3)
    errors = [abs(se[level] / row.level_se - 1), abs(answer.coefficients[level] - row.level) / row.level_se]
    if slope is not None:
        errors += [abs(se[slope] / row.slope_change_se - 1)]
        errors += [abs(answer.coefficients[slope] - row.slope_change) / row.slope_change_se]
    return max(errors)


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


def borckardt_nash():
    d = np.r_[np.zeros(7), np.ones(14)]
    return np.array(PAIN_A + PAIN_B, float), d, np.stack([np.ones(21), d], axis=1)


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


@pytest.mark.parametrize("phi", [0.0, 0.2, 0.5, 0.7])
@pytest.mark.parametrize("days", [14, 84])
def test_effective_days_of_a_phase_mean_under_ar1(phi, days):
    """1'R^-1 1 = (n - (n - 2) phi) / (1 + phi) for the generalised least squares mean of n complete days."""
    fitted = collapsed(np.random.default_rng(2).normal(size=days), np.ones((days, 1)), [[1.0]], phi)
    assert fitted.effective_days(0)[0] == pytest.approx((days - (days - 2) * phi) / (1 + phi), rel=1e-9)


def collapsed(y, x, contrasts, phi):
    """A fit with all its weight on one phi, through the kernel's own steps."""
    nodes = kernel._Nodes(
        np.array([phi]), np.array([phi, phi]), *[np.zeros(1), np.zeros(2)] * 2, log_prior=np.zeros((1, 1, 1))
    )
    data = kernel._standardise(y[None], x[None], np.zeros((1, len(y)), bool), np.array(contrasts, float)[None])
    parts = kernel._Parts(1, x.shape[1], len(contrasts))
    parts.reasons = data.reason
    parts.add(0, np.array([0]), data, nodes, kernel._posterior(data, np.array([0]), nodes))
    return parts.fit()


def test_independent_days_give_students_t():
    """With phi = 0, P(change >= c) is a Student t tail with n - 2 degrees of freedom."""
    y, d, _ = borckardt_nash()
    fitted = collapsed(y, np.stack([1 - d, d], axis=1), [[-1.0, 1.0]], 0.0)
    at = np.array([-6, -5, -4.785714, -4, -2, 0.0])
    expected = stats.t.cdf((at + 4.7857142857) / 0.5241230, 19)
    np.testing.assert_allclose(fitted.mixture(0).cdf(at[None])[0], expected, atol=1e-7)


# --- G0 in small: exact coverage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("noise", "runs"), [(AR1, 4000), (ROBUST, 1000)])
def test_coverage_is_exact_when_the_noise_comes_from_its_prior(noise, runs):
    rng = np.random.default_rng(11)
    phi = np.sin((rng.random(runs) - 0.5) * np.pi)
    extra = {}
    if noise is ROBUST:
        extra["share"] = np.where(rng.random(runs) < 0.5, 0.0, rng.random(runs))
        extra["log_ratio"] = rng.normal(0, 0.5, runs)
    y, treated = diaries(runs, 14, 56, phi=phi, missing=0.3, seed=12, **extra)
    for kind in ("mean", "segmented"):
        fitted = fit_all(y, treated, kind, noise)
        for k in range(fitted.mean.shape[2]):
            transform = fitted.mixture(k).cdf(0.0)
            for level in (0.5, 0.8, 0.95, 0.99):
                covered = np.mean(np.abs(transform - 0.5) <= level / 2)
                assert abs(covered - level) <= 3.5 * np.sqrt(level * (1 - level) / runs)


def test_the_default_nodes_are_fine_enough():
    """95 % intervals of the robust noise move by less than half a percent of their width on a grid of eight times the nodes."""
    levels = np.array([0.025, 0.975])
    for kind, phi in (("mean", 0.3), ("window", 0.7)):
        y, treated = diaries(4, 14, 84, phi=phi, missing=0.2, share=0.2, seed=5)
        coarse = fit_all(y, treated, kind, ROBUST, window=14).mixture().quantile(levels)
        fine = replace(ROBUST, phi_nodes=64, share_nodes=14, ratio_nodes=25)
        exact = fit_all(y, treated, kind, fine, window=14).mixture().quantile(levels)
        assert np.abs((coarse - exact) / np.ptp(exact, axis=1)[:, None]).max() < 0.005


# --- agreement of the two noise models, of paths and of batches ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["mean", "segmented", "window"])
def test_robust_filter_without_white_noise_is_ar1(kind):
    """At the exact atom lambda = 0 with r collapsed the Kalman whitening and the gap statistics are one model."""
    y, treated = diaries(3, 7, 30, seed=8)
    x, c = design(kind, 7, 30)
    data = kernel._standardise(
        y, np.broadcast_to(x, (*y.shape, x.shape[1])), treated, np.broadcast_to(c, (3, *c.shape))
    )
    rows, nodes = np.arange(3), kernel._nodes(AR1, 48, 0, 1)
    a, log_det = kernel._ar1_products(kernel._gap_statistics(data, rows), nodes.phi)
    whitened = kernel._robust_products(data, rows, nodes)
    np.testing.assert_allclose(kernel._scale_phases(whitened, np.zeros(1))[..., 0], a, atol=1e-10 * np.abs(a).max())
    np.testing.assert_allclose(whitened.log_det, log_det, atol=1e-10)


@pytest.mark.parametrize("noise", [AR1, ROBUST, ROBUST_COUNTS])
def test_alone_and_in_a_batch_is_the_same(noise):
    y, treated = diaries(60, 14, 70, seed=4)
    rng = np.random.default_rng(9)
    y[20:40] = np.where(rng.random((20, 70)) < 0.4, np.nan, y[20:40])
    y[5], y[6, :14] = 3.0, np.nan
    batch = fit_all(y, treated, "window", noise, baseline=14)
    for s in (0, 5, 6, 25, 59):
        alone = fit_all(y[s : s + 1], treated[s : s + 1], "window", noise, baseline=14)
        assert alone.reason[0] == batch.reason[s]
        mixture = batch.mixture(0).row(s)
        levels = np.array([0.025, 0.5, 0.975])
        np.testing.assert_allclose(alone.mixture(0).quantile(levels), mixture.quantile(levels), atol=1e-10)
        np.testing.assert_allclose(alone.coefficients[0], batch.coefficients[s], atol=1e-10)


@pytest.mark.parametrize("noise", [AR1, ROBUST, ROBUST_COUNTS])
@pytest.mark.parametrize("kind", ["mean", "window"])
def test_compiled_and_numpy_are_the_same(noise, kind, monkeypatch):
    pytest.importorskip("numba")
    y, treated = diaries(12, 14, 70, seed=4)
    y[5], y[6, :14] = 3.0, np.nan
    y[7, 14:] -= 1000  # a change of many hundred standard errors: beyond the table of Student's t
    results = []
    for worth in (10**9, 1):
        monkeypatch.setattr(compiled, "WORTH_COMPILING", worth)
        fitted = fit_all(y, treated, kind, noise, baseline=14)
        mixture = fitted.mixture(0)
        at = np.tile([-900.0, -1.0, 0.0, 1.0], (12, 1))
        results.append(
            [
                mixture.quantile([0.025, 0.5, 0.975]),
                mixture.cdf(at),
                fitted.coefficients,
                fitted.phi_summary()[0],
                fitted.share_summary()[1],
                fitted.ratio_posterior.centre,
                fitted.effective_days(0),
            ]
        )
    for numpy_says, compiled_says in zip(*results, strict=True):
        np.testing.assert_allclose(compiled_says, numpy_says, rtol=1e-10, atol=1e-10)


def test_without_numba_large_batches_are_fitted_too(monkeypatch):
    monkeypatch.setattr(compiled, "available", lambda: False)
    monkeypatch.setattr(compiled, "WORTH_COMPILING", 1)
    y, treated = diaries(3, 7, 30, seed=4)
    assert np.isfinite(fit_all(y, treated, "mean", AR1).mixture().quantile(0.5)).all()


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_chunks_change_nothing(noise, monkeypatch):
    y, treated = diaries(9, 7, 30, seed=4)
    whole = fit_all(y, treated, "mean", noise)
    monkeypatch.setattr(kernel, "SERIES_AT_ONCE", 4)
    monkeypatch.setattr(kernel, "NUMBERS_AT_ONCE", 1)
    same(whole, fit_all(y, treated, "mean", noise), 1e-12)


# --- rules every estimator obeys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_flipping_the_direction_negates_the_change(noise):
    y, treated = diaries(5, 7, 30, seed=6)
    up, down = (fit_all(sign * y, treated, "trend", noise, baseline=7).mixture(0) for sign in (1, -1))
    np.testing.assert_allclose(up.quantile([0.025, 0.5]), -down.quantile([0.975, 0.5]), atol=1e-10)
    np.testing.assert_allclose(up.cdf(0.3), 1 - down.cdf(-0.3), atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(a=st.floats(-1e3, 1e3), b=st.floats(0.01, 100))
def test_a_change_of_unit_scales_the_change(a, b):
    y, treated = diaries(3, 7, 30, seed=6)
    plain, scaled = fit_all(y, treated, "mean", AR1), fit_all(a + b * y, treated, "mean", AR1)
    levels = np.array([0.025, 0.5, 0.975])
    expected = plain.mixture().quantile(levels)
    width = (expected[:, 2] - expected[:, 0])[:, None]
    np.testing.assert_allclose((scaled.mixture().quantile(levels) / b - expected) / width, 0, atol=1e-8)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_an_offset_of_a_million_moves_nothing(noise):
    y, treated = diaries(5, 7, 40, seed=7)
    plain, far = (fit_all(y + offset, treated, "segmented", noise, baseline=7) for offset in (0.0, 1e6))
    same(plain, far, 1e-8)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_padding_and_shifts_of_the_calendar_change_nothing(noise):
    y, treated = diaries(5, 7, 30, seed=7)
    x, c = design("trend", 7, 30)
    c = np.broadcast_to(c, (5, *c.shape))
    plain = fit(y, np.broadcast_to(x, (5, 30, 3)), treated, c, noise)
    for left, right in ((0, 20), (13, 4)):
        pad = ((0, 0), (left, right))
        columns = np.pad(np.broadcast_to(x, (5, 30, 3)), (*pad, (0, 0)), constant_values=np.nan)
        padded = fit(np.pad(y, pad, constant_values=np.nan), columns, np.pad(treated, pad), c, noise)
        same(plain, padded, 1e-12)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_a_series_that_ends_with_missing_days_is_the_shorter_series(noise):
    y, treated = diaries(4, 7, 30, seed=7)
    y[:, 26:] = np.nan
    same(fit_all(y, treated, "mean", noise), fit_all(y[:, :26], treated[:, :26], "mean", noise), 1e-12)


def test_the_order_of_the_columns_does_not_matter():
    y, treated = diaries(4, 7, 30, seed=7)
    x, c = design("window", 7, 30)
    order = [2, 0, 3, 1]
    shuffled = fit(
        y, np.broadcast_to(x[:, order], (4, 30, 4)), treated, np.broadcast_to(c[:, order], (4, 1, 4)), ROBUST
    )
    same(fit_all(y, treated, "window", ROBUST), shuffled)


def test_a_column_that_spans_both_phases_is_split_like_the_values():
    """Intercept and step is the same model as a level per phase."""
    y, treated = diaries(4, 7, 30, seed=7)
    d = treated.astype(float)
    spanning = fit(y, np.stack([np.ones_like(d), d], axis=2), treated, np.tile([[[0.0, 1.0]]], (4, 1, 1)), ROBUST)
    same(fit_all(y, treated, "mean", ROBUST), spanning)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_the_sd_ratio_is_found(noise):
    y, treated = diaries(40, 28, 112, seed=2, log_ratio=1.0, phi=0.2, missing=0.1)
    found = fit_all(y, treated, "mean", noise).ratio_posterior.centre.mean()
    assert found == pytest.approx(1.0 if noise is ROBUST else 0.0, abs=0.15)


def test_effective_days_measure_a_phase_against_its_own_sd():
    y, treated = diaries(200, 28, 112, seed=2, log_ratio=1.0, phi=0.0, missing=0.0)
    x, _ = design("mean", 28, 112)
    levels = np.broadcast_to(np.eye(2), (200, 2, 2))
    fitted = fit(y, np.broadcast_to(x, (200, 112, 2)), treated, levels, ROBUST)
    assert fitted.side[0].tolist() == [1.0, -1.0]
    assert np.median(fitted.effective_days(0)) == pytest.approx(28, rel=0.25)
    assert np.median(fitted.effective_days(1)) == pytest.approx(84, rel=0.25)


def test_a_slow_drift_raises_the_autocorrelation_warning():
    drift, treated = diaries(30, 14, 84, phi=0.99, missing=0.0, seed=3)
    calm, _ = diaries(30, 14, 84, phi=0.2, missing=0.0, seed=3)
    p = [np.median(fit_all(y, treated, "mean", ROBUST).probability_phi_above(0.9)) for y in (drift, calm)]
    assert p[0] > 0.5
    assert p[1] < 0.2


# --- what cannot be estimated says why -----------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_series_that_cannot_be_estimated_say_why(noise):
    y, treated = diaries(9, 7, 30, seed=7, missing=0.0)
    y[1] = np.nan
    y[2, :7] = np.nan
    y[3, 7:] = np.nan
    y[4] = 4.0
    y[5, 1:28] = np.nan
    y[6] = np.where(treated[6], 2.0, 5.0)
    y[7, 8:] = np.nan
    result = fit_all(y, treated, "window", noise, baseline=7)
    assert result.reason[0] == result.reason[8] == ""
    assert result.reason[1] == "no answered day"
    assert result.reason[2] == result.reason[3] == "no answered day in one of the phases"
    assert result.reason[4] == "every value is the same"
    assert result.reason[5] == "fewer answered days than the model needs (3 answered, 5 needed)"
    assert "no noise" in result.reason[6]
    assert "cannot tell" in result.reason[7]
    bad = [bool(why) for why in result.reason]
    mixture = result.mixture(0)
    for numbers in (
        mixture.cdf(0.0),
        mixture.quantile(0.5),
        mixture.mean,
        result.effective_days(0),
        result.phi_summary()[0],
        result.phi_summary()[1][:, 0],
        result.share_summary()[1][:, 1],
        result.probability_phi_above(0.9),
        result.coefficients[:, 0],
    ):
        assert np.isnan(numbers).tolist() == bad


def test_a_batch_of_nothing():
    result = fit(np.empty((0, 5)), np.empty((0, 5, 2)), np.empty((0, 5), bool), np.empty((0, 1, 2)))
    assert result.reason == ()
    assert result.mixture(0).quantile(0.5).shape == (0,)
    nothing = fit_all(np.full((2, 20), np.nan), np.tile(np.arange(20) > 7, (2, 1)), "mean", ROBUST)
    assert np.isnan(nothing.mixture(0).quantile([0.025, 0.975])).all()


def test_wrong_shapes_and_infinities_are_refused():
    y, treated = diaries(2, 7, 30)
    x, c = (np.broadcast_to(a, (2, *a.shape)) for a in design("mean", 7, 30))
    with pytest.raises(ValueError, match="values must be"):
        fit(y, x[:, 1:], treated, c)
    with pytest.raises(ValueError, match="contrasts must be"):
        fit(y, x, treated, c[..., :1])
    with pytest.raises(ValueError, match="infinity"):
        fit(np.where(y > 1, np.inf, y), x, treated, c)
    with pytest.raises(ValueError, match="columns must be finite"):
        fit(y, np.full_like(x, np.nan), treated, c)
    with pytest.raises(ValueError, match="every value is the same"):
        reml_mode(np.ones(30), x[0])
