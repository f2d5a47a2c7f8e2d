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

from acu_nof1.distribution import TMixture
from acu_nof1.estimate import kernel
from acu_nof1.estimate.kernel import AR1, ROBUST, ROBUST_COUNTS, Noise, fit, gls, reml_mode

NLME = Path(__file__).parent / "reference" / "nlme_gls"
PAIN_A = [7, 9, 8, 7, 7, 8, 8]
PAIN_B = [3, 4, 2, 4, 2, 1, 4, 5, 3, 2, 1, 2, 4, 4]
ROBUST_AXES = (32, 8, 13)


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
    """phi, lambda, r and log prior of every node, written out anew."""
    phi = angle_nodes(axes[0])
    x, w = np.polynomial.legendre.leggauss(axes[1])
    share, share_prior = np.r_[0, (x + 1) / 2], np.r_[0.5, 0.5 * w / 2]
    r = np.linspace(-3.5 * sd, 3.5 * sd, axes[2])
    r_prior = np.exp(-0.5 * (r / sd) ** 2)
    grid = [a.ravel() for a in np.meshgrid(phi, share, r, indexing="ij")]
    prior = np.log(share_prior)[None, :, None] + np.log(r_prior)[None, None, :] + np.zeros(axes)[..., :1, :1][:, :1]
    return (*grid, np.broadcast_to(prior, (axes[0], axes[1] + 1, axes[2])).ravel())


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
