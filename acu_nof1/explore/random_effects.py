"""Estimates of many people as draws around a line, each with its own error: the numerics, for many cohorts at once.

y = Xβ + u + e with u ~ N(0, τ²) between people and e ~ N(0, v) within each, v taken as known. At a given τ² everything
is weighted least squares; what is left is one number, found on a grid that closes in on the best point and so cannot
run away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtrit

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = NDArray[np.float64]
Method = Literal["REML", "PM", "DL"]

GRID = 33
"""Points at which τ² is tried in each round; what lies between the best one's neighbours is looked at again."""
ROUNDS = 10


class Weighted(NamedTuple):
    """Weighted least squares in C cohorts of k people with p columns.

    Attributes
    ----------
    coefficient
        (…, p)
    covariance
        (…, p, p) where the weights are the inverse variances.
    residual
        (…, k) in units of its own SD; its sum of squares is Q.
    leverage
        (…, k) diagonal of the hat matrix.
    log_determinant
        Of X'WX.
    """

    coefficient: Floats
    covariance: Floats
    residual: Floats
    leverage: Floats
    log_determinant: Floats

    @property
    def q(self) -> Floats:
        """Weighted sum of squared residuals."""
        return np.asarray((self.residual**2).sum(axis=-1))


def weighted(y: Floats, variance: Floats, x: Floats) -> Weighted:
    """Fit by weighted least squares with weights 1/variance: y (…, k), variance (…, k), x (…, k, p)."""
    root = 1 / np.sqrt(variance)
    basis, triangle = np.linalg.qr(root[..., None] * x)
    white = root * y
    along = np.einsum("...kp,...k->...p", basis, white)
    inverse = np.linalg.inv(triangle)
    return Weighted(
        np.einsum("...ij,...j->...i", inverse, along),
        np.einsum("...ij,...lj->...il", inverse, inverse),
        white - np.einsum("...kp,...p->...k", basis, along),
        (basis**2).sum(axis=-1),
        2 * np.log(np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))).sum(axis=-1),
    )


def between_people(y: Floats, variance: Floats, x: Floats, method: Method) -> Floats:
    """Estimate the variance between people, τ², of C cohorts.

    Parameters
    ----------
    y, variance
        (C, k) estimates and their squared standard errors.
    x
        (C, k, p) columns, of full rank, p < k.
    method
        ``REML`` (Patterson & Thompson 1971), ``PM`` (Paule & Mandel 1982) or ``DL`` (DerSimonian & Laird 1986).

    Returns
    -------
    (C,) array
        Never negative; exactly 0 where the best value lies there.
    """
    df = x.shape[-2] - x.shape[-1]
    if method == "DL":
        fixed = weighted(y, variance, x)
        return np.asarray(np.maximum(0.0, (fixed.q - df) / np.sum((1 - fixed.leverage) / variance, axis=-1)))
    best = _restricted_likelihood if method == "REML" else _generalised_q(np.full(len(y), float(df)))
    return _closing_in(y, variance, x, best, largest(y, variance, x))


def where_q_is(y: Floats, variance: Floats, x: Floats, target: Floats) -> Floats:
    """At which τ² is the generalised Q = Σ r²/(v + τ²) so large (C,)? It falls as τ² grows; 0 where it is never that large."""
    rss = weighted(y, np.ones_like(y), x).q
    end = np.maximum(0.0, rss / target - variance.min(axis=-1))
    return _closing_in(y, variance, x, _generalised_q(target), end)


def largest(y: Floats, variance: Floats, x: Floats) -> Floats:
    """A τ² above which neither criterion can have its solution (C,).

    With P the projection of REML, y'PPy ≤ RSS/(τ² + min v)² and tr P ≥ df/(τ² + max v): the restricted likelihood falls as
    soon as the second exceeds the first. Paule and Mandel's solution lies below that too.
    """
    df = x.shape[-2] - x.shape[-1]
    mean_square = weighted(y, np.ones_like(y), x).q / df
    low, high = variance.min(axis=-1), variance.max(axis=-1)
    end = (mean_square + np.sqrt(mean_square**2 + 4 * mean_square * (high - low))) / 2 - low
    return np.asarray(np.maximum(0.0, end))


def _restricted_likelihood(total: Floats, fit: Weighted) -> Floats:
    """−2 × the restricted log likelihood, but for a constant (Harville 1974)."""
    return np.asarray(np.log(total).sum(axis=-1) + fit.log_determinant + fit.q)


def _generalised_q(target: Floats) -> Callable[[Floats, Weighted], Floats]:
    return lambda _, fit: np.abs(fit.q - target[:, None])


def _closing_in(
    y: Floats, variance: Floats, x: Floats, badness: Callable[[Floats, Weighted], Floats], end: Floats
) -> Floats:
    """The τ² in [0, end] with the least badness: a grid in log(v + τ²), again and again around its best point."""
    smallest = variance.min(axis=-1)
    low, high = np.zeros_like(end), end
    share = np.linspace(0, 1, GRID)
    for _ in range(ROUNDS):
        ratio = np.log1p((high - low) / (smallest + low))
        tried = low[:, None] + (smallest + low)[:, None] * np.expm1(ratio[:, None] * share)
        total = variance[:, None, :] + tried[..., None]
        at = badness(total, weighted(y[:, None, :], total, x[:, None, :, :])).argmin(axis=1)
        low, best, high = (
            np.take_along_axis(tried, np.clip(at + step, 0, GRID - 1)[:, None], axis=1)[:, 0] for step in (-1, 0, 1)
        )
    return np.asarray(best)


@dataclass(frozen=True, eq=False)
class RandomEffects:
    """C cohorts of k people, fitted.

    Attributes
    ----------
    y, variance
        (C, k) what went in.
    x
        (C, k, p) columns.
    tau2
        (C,) variance between people.
    fit
        Weighted least squares at that τ².
    covariance
        (C, p, p) of the coefficients.
    df
        Of the t distribution of the intervals; infinite for the normal one.
    """

    y: Floats
    variance: Floats
    x: Floats
    tau2: Floats
    fit: Weighted
    covariance: Floats
    df: float

    def critical(self, level: float) -> float:
        """How many standard errors an interval reaches to either side."""
        return float(stdtrit(self.df, (1 + level) / 2))

    @property
    def expected(self) -> Floats:
        """(C, k) what the columns alone say of each person."""
        return np.asarray(np.einsum("...kp,...p->...k", self.x, self.fit.coefficient))

    @property
    def expected_variance(self) -> Floats:
        """(C, k) of the estimate of that."""
        return np.asarray(np.einsum("...ki,...ij,...kj->...k", self.x, self.covariance, self.x))

    @property
    def shrunken(self) -> tuple[Floats, Floats]:
        """(C, k) best linear unbiased predictions of each person's own value, and their standard errors.

        Each keeps the share τ²/(τ² + v) of what is its own. That τ² is an estimate is not in the error.
        """
        kept = self.tau2[:, None] / (self.tau2[:, None] + self.variance)
        value = self.expected + kept * (self.y - self.expected)
        return value, np.sqrt(kept * self.variance + (1 - kept) ** 2 * self.expected_variance)

    @property
    def fixed(self) -> Weighted:
        """The fit without differences between people; its `q` is Cochran's Q."""
        return weighted(self.y, self.variance, self.x)

    @property
    def i2(self) -> Floats:
        """(C,) τ²/(τ² + s²), s² the typical variance within people (Higgins & Thompson 2002)."""
        df = self.x.shape[-2] - self.x.shape[-1]
        typical = df / np.sum((1 - self.fixed.leverage) / self.variance, axis=-1)
        return np.asarray(self.tau2 / (self.tau2 + typical))

    def tau2_interval(self, level: float) -> tuple[Floats, Floats]:
        """(C,) ends of the interval of τ² by the profile of Q (Viechtbauer 2007)."""
        df, tail = self.x.shape[-2] - self.x.shape[-1], (1 - level) / 2
        ends = (np.full(len(self.y), float(chdtri(df, upper))) for upper in (tail, 1 - tail))
        low, high = (where_q_is(self.y, self.variance, self.x, end) for end in ends)
        return low, high


def random_effects(
    y: Floats, variance: Floats, x: Floats, *, method: Method = "REML", knapp_hartung: bool = True
) -> RandomEffects:
    """Fit C cohorts of k people each, one call.

    Parameters
    ----------
    y, variance
        (C, k) estimates and their squared standard errors, finite, above 0.
    x
        (C, k, p) columns, of full rank, p < k.
    method
        How τ² is estimated, see `between_people`.
    knapp_hartung
        Covariance times Q(τ²)/(k − p) and t with k − p degrees of freedom (Knapp & Hartung 2003), or neither. Where all
        people lie on the line to the last digit that factor is 0 and no error: it is left out then.
    """
    tau2 = between_people(y, variance, x, method)
    fit = weighted(y, variance + tau2[:, None], x)
    if not knapp_hartung:
        return RandomEffects(y, variance, x, tau2, fit, fit.covariance, np.inf)
    df = x.shape[-2] - x.shape[-1]
    factor = fit.q / df
    factor = np.where(factor > ROUNDING, factor, 1.0)
    return RandomEffects(y, variance, x, tau2, fit, factor[:, None, None] * fit.covariance, df)


ROUNDING = 1e-12
