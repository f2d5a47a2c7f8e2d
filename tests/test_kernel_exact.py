"""The kernel against an independent dense posterior, Student's t and exact coverage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from kernel_diaries import borckardt_nash, design, diaries, fit_all
from scipy import stats

from acu_nof1.estimate.kernel import _lay_out
from acu_nof1.estimate.nodes import AR1, ROBUST, Nodes
from acu_nof1.estimate.posterior import posterior
from acu_nof1.estimate.series import standardise

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
    # A deliberate error can make a variance negative at a node of no weight.
    scale = np.sqrt(np.maximum(rss / nu * np.einsum("i,gij,j->g", c, np.linalg.inv(a), c), 1e-300))
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


# --- all weight on one phi: what is known in closed form -------------------------------------------------------------------


@pytest.mark.parametrize("phi", [0.0, 0.2, 0.5, 0.7])
@pytest.mark.parametrize("days", [14, 84])
def test_effective_days_of_a_phase_mean_under_ar1(phi, days):
    """1'R^-1 1 = (n - (n - 2) phi) / (1 + phi) for the generalised least squares mean of n complete days."""
    fitted = collapsed(np.random.default_rng(2).normal(size=days), np.ones((days, 1)), [[1.0]], phi)
    assert fitted.effective_days(0)[0] == pytest.approx((days - (days - 2) * phi) / (1 + phi), rel=1e-9)


def collapsed(y, x, contrasts, phi):
    """A fit with all its weight on one phi, through the kernel's own steps."""
    nodes = Nodes(np.array([phi]), np.array([phi, phi]), *[np.zeros(1), np.zeros(2)] * 2, log_prior=np.zeros((1, 1, 1)))
    data = standardise(y[None], x[None], np.zeros((1, len(y)), bool), np.array(contrasts, float)[None])
    rows = np.array([0])
    return _lay_out(data, [(rows, nodes, posterior(data, rows, nodes))])


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
