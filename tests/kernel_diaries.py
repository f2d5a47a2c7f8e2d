"""Diaries with a known truth, and the models that the package fits to them."""

from __future__ import annotations

import numpy as np

from acu_nof1.estimate.kernel import fit

PAIN_A = [7, 9, 8, 7, 7, 8, 8]
PAIN_B = [3, 4, 2, 4, 2, 1, 4, 5, 3, 2, 1, 2, 4, 4]


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
    np.testing.assert_allclose(one.phi_posterior.centre, two.phi_posterior.centre, atol=tolerance * 10)
    np.testing.assert_allclose(one.share_posterior.centre, two.share_posterior.centre, atol=tolerance * 10)


def borckardt_nash():
    """Pain ratings of Borckardt & Nash 2014: values, treatment, and the columns of a step."""
    d = np.r_[np.zeros(7), np.ones(14)]
    return np.array(PAIN_A + PAIN_B, float), d, np.stack([np.ones(21), d], axis=1)
