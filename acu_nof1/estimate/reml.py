"""One series at one autocorrelation, as other programs fit it: what the kernel's steps are checked against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from acu_nof1.estimate.packed import at, factor
from acu_nof1.estimate.posterior import contrast_moments, log_weights
from acu_nof1.estimate.products import ar1_products, gap_statistics
from acu_nof1.estimate.series import check_shapes, standardise

if TYPE_CHECKING:
    from acu_nof1.estimate.products import Gaps
    from acu_nof1.estimate.series import Batch

Floats = NDArray[np.float64]

NEARLY_ONE = np.pi / 2 - 1e-4
"""Largest angle of phi = sin(angle) in the search for the REML mode: phi = 1 - 5e-9."""


@dataclass(frozen=True)
class Gls:
    """What does one series say when its autocorrelation is taken as known?

    Attributes
    ----------
    phi : float
        The autocorrelation.
    coefficients : (p,)
        Generalised least squares estimates of beta.
    cov : (p, p)
        Their covariance, RSS/nu (X'R^-1 X)^-1.
    sigma : float
        Residual SD, sqrt(RSS / nu).
    loglik : float
        Restricted log likelihood, with the constants of `nlme`.
    """

    phi: float
    coefficients: Floats
    cov: Floats
    sigma: float
    loglik: float


def gls(values: ArrayLike, columns: ArrayLike, phi: float) -> Gls:
    """What does one series say at a given autocorrelation?

    Parameters
    ----------
    values : (D,)
        Daily values, NaN for days without an answer.
    columns : (D, p)
        Design.
    phi : float
        In (-1, 1).

    Raises
    ------
    ValueError
        When the series is not estimable.
    """
    data = _one_series(values, columns)
    return _gls(data, gap_statistics(data, np.array([0])), phi)


def reml_mode(values: ArrayLike, columns: ArrayLike) -> Gls:
    """At which autocorrelation in [0, 1) is the restricted likelihood highest?

    The best of 200 points, then bounded maximisation between its neighbours; the REML criterion of
    Patterson & Thompson (1971, Biometrika 58:545) as maximised by R's `nlme::gls` with `corCAR1`, without the prior
    of phi.

    Parameters
    ----------
    values, columns
        As for `gls`.

    Raises
    ------
    ValueError
        When the series is not estimable.
    """
    data = _one_series(values, columns)
    statistics = gap_statistics(data, np.array([0]))
    angles = np.linspace(0.0, NEARLY_ONE, 201)
    best = int(np.argmax(_restricted(data, statistics, np.sin(angles))[0]))
    found = optimize.minimize_scalar(
        lambda angle: -_restricted(data, statistics, np.sin([angle]))[0][0],
        bounds=(angles[max(best - 1, 0)], angles[min(best + 1, 200)]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    candidates = [_gls(data, statistics, float(np.sin(angle))) for angle in (found.x, angles[best])]
    return max(candidates, key=lambda result: result.loglik)


def _one_series(values: ArrayLike, columns: ArrayLike) -> Batch:
    y, x = np.asarray(values, dtype=float)[None], np.asarray(columns, dtype=float)[None]
    group, c = np.zeros(y.shape, dtype=bool), np.eye(x.shape[2])[None]
    check_shapes(y, x, group, c)
    data = standardise(y, x, group, c)
    if data.reason[0]:
        raise ValueError(f"this series cannot be estimated: {data.reason[0]}")
    return data


def _restricted(data: Batch, statistics: Gaps, phi: Floats) -> tuple[Floats, Floats]:
    """Restricted log likelihood at each phi, and the factors of A.

    In the units of the series it is the profile + nu/2 (log nu - 1 - log 2 pi).
    """
    p, nu = data.norms.shape[1], data.df[:1]
    a, log_det = ar1_products(statistics, phi)
    factor(a, p + 1)
    constant = nu / 2 * (np.log(nu) - 1 - np.log(2 * np.pi)) - nu * np.log(data.unit[0]) - np.log(data.norms[0]).sum()
    return log_weights(a, log_det, nu, p)[0] + constant, a[:, 0]


def _gls(data: Batch, statistics: Gaps, phi: float) -> Gls:
    """Generalised least squares at phi, in the units of the series."""
    p, unit = data.norms.shape[1], float(data.unit[0])
    loglik, factored = _restricted(data, statistics, np.array([phi]))
    mean, inverse = contrast_moments(factored, data.contrasts, p)
    sigma2 = float(factored[at(p, p), 0]) / int(data.df[0]) * unit**2
    return Gls(
        phi=phi,
        coefficients=data.start[0] / data.norms[0] + unit * mean[0],
        cov=sigma2 * inverse[0],
        sigma=float(np.sqrt(sigma2)),
        loglik=float(loglik[0]),
    )
