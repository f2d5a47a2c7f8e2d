"""What is known once a normal prior of the change is declared beside the flat one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from acu_nof1.distribution.rows import Distribution, evaluate, invert, newton

if TYPE_CHECKING:
    from acu_nof1.distribution.mixtures import TMixture

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

LOG_LEFT_OUT = -36.0
"""Log of the share of a posterior that the sum over precisions may leave out at either end."""


class _Normals(NamedTuple):
    """A mixture of normals for each of some rows, (rows, N)."""

    weight: Floats
    loc: Floats
    scale: Floats


@dataclass(frozen=True, eq=False)
class Reweighted(Distribution):
    """What is known about a contrast under a normal prior, where a flat one gave a mixture of t distributions?

    Because beta is flat, the declared prior only reweights: p(x | y) is proportional to N(x; prior_mean, prior_sd^2)
    sum_g W_g t_nu(x; m_g, s_g). A t is a normal whose precision is gamma distributed, and given node and precision
    the product of two normals is a normal:

        v = s_g^2 / w,  w ~ Gamma(nu/2, nu/2),   weight W_g N(m_g; prior_mean, v + prior_sd^2),
        mean (m_g prior_sd^2 + prior_mean v) / (v + prior_sd^2),   variance v prior_sd^2 / (v + prior_sd^2).

    So the posterior is a mixture of normals over the nodes and over log w, summed in equal steps: that sum converges
    exponentially, and errs by less than 1e-10.

    Attributes
    ----------
    weight, loc, scale : (R, G)
        Nodes of the mixture under the flat prior, as in `TMixture`.
    df : (R,)
        Degrees of freedom; NaN for rows that are not estimable.
    prior_mean, prior_sd : (R,)
        The declared prior, in the unit of the contrast; prior_sd > 0.
    """

    weight: Floats
    loc: Floats
    scale: Floats
    df: Floats
    prior_mean: Floats
    prior_sd: Floats

    @classmethod
    def of(cls, flat: TMixture, mean: ArrayLike, sd: ArrayLike) -> Self:
        """What becomes of these rows under a normal prior of this mean and SD: one for all rows, or one a row?"""
        rows = flat.df.shape
        prior = (np.broadcast_to(np.asarray(each, dtype=float), rows).copy() for each in (mean, sd))
        return cls(flat.weight, flat.loc, flat.scale, flat.df, *prior)

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The posterior mean, shape (R,)."""
        out = np.full(len(self.df), np.nan)
        for row in np.flatnonzero(np.isfinite(self.df)):
            found = self._normals(np.array([row]))
            out[row] = np.sum(found.weight * found.loc)
        return out

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x?"""
        return evaluate(lambda rows, at: _read(self._normals(rows), at), x, self.df, self._size)

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie? Safeguarded Newton between the quantiles of the normals."""
        return invert(p, self.df, self._size, self._quantiles)

    @property
    def _size(self) -> int:
        nodes: int = self.weight.shape[1]
        return nodes * int(np.max(self._steps()[2], initial=1))

    def _steps(self) -> tuple[Floats, Floats, Ints]:
        """Of log w for each row: where it starts, its step, and how many steps hold all but e^-36 of the posterior.

        The posterior is at least its part near w = 1, and what lies beyond an end is at most the gamma tail times
        the height of the prior: a prior far from the data asks for smaller precisions.
        """
        half = np.where(np.isfinite(self.df), self.df, 1.0) / 2
        spread = self.scale**2 + self.prior_sd[:, None] ** 2
        with np.errstate(divide="ignore"):
            least = np.log(self.weight) - np.log(spread / self.prior_sd[:, None] ** 2) / 2
        least -= (self.prior_mean[:, None] - self.loc) ** 2 / (2 * spread)
        tail = LOG_LEFT_OUT + np.nan_to_num(np.max(least, axis=1, initial=-np.inf))
        # P(w < q) <= (nu q / 2)^(nu/2) / Gamma(nu/2 + 1)
        start = (tail + special.gammaln(half + 1)) / half - np.log(half)
        end = np.log(special.gammainccinv(half, np.exp(np.maximum(tail, -600.0))) / half)
        # Steps of 0.4 SD of log w; the gamma density is analytic in a strip of width pi, which bounds them too.
        step = np.minimum(0.4 / np.sqrt(half), 1 / 3)
        return start, step, np.asarray(np.ceil((end - start) / step), dtype=np.intp) + 1

    def _normals(self, rows: Ints) -> _Normals:
        start, step, count = (each[rows] for each in self._steps())
        log_w = (start[:, None] + step[:, None] * np.arange(count.max()))[:, None, :]
        half, sd2 = self.df[rows, None, None] / 2, self.prior_sd[rows, None, None] ** 2
        loc, mean = self.loc[rows, :, None], self.prior_mean[rows, None, None]
        variance = self.scale[rows, :, None] ** 2 * np.exp(-log_w)
        spread = variance + sd2
        with np.errstate(divide="ignore"):
            # log w + 1 - w, not log w - w: with 1e7 degrees of freedom the 1 would cost seven digits.
            weight = np.log(self.weight[rows, :, None]) + half * (log_w - np.expm1(log_w))
        weight -= np.log(spread) / 2 + (mean - loc) ** 2 / (2 * spread)
        weight -= weight.max(axis=(1, 2), keepdims=True)
        weight = np.exp(weight)
        weight /= weight.sum(axis=(1, 2), keepdims=True)
        flat = (len(rows), -1)
        return _Normals(
            weight.reshape(flat),
            ((loc * sd2 + mean * variance) / spread).reshape(flat),
            np.sqrt(variance * sd2 / spread).reshape(flat),
        )

    def _quantiles(self, rows: Ints, p: Floats) -> Floats:
        found = self._normals(rows)
        mean = np.sum(found.weight * found.loc, axis=1, keepdims=True)
        variance = np.sum(found.weight * (found.scale**2 + (found.loc - mean) ** 2), axis=1, keepdims=True)
        z = special.ndtri(p)[None, :]
        # Normals of no weight may lie far off, and would only make the bracket wide.
        heard = found.weight > 0
        ends = found.loc[:, None, :] + found.scale[:, None, :] * z[:, :, None]
        low = np.where(heard[:, None, :], ends, np.inf).min(axis=2)
        high = np.where(heard[:, None, :], ends, -np.inf).max(axis=2)

        def function(some: Ints, x: Floats) -> tuple[Floats, Floats]:
            return _read(_Normals(*(each[some] for each in found)), x)

        return newton(function, np.arange(len(rows)), p, low, high, mean + z * np.sqrt(variance))


def _read(found: _Normals, x: Floats) -> tuple[Floats, Floats]:
    """The cdf at x (rows, k) and the density."""
    z = (x[:, :, None] - found.loc[:, None, :]) / found.scale[:, None, :]
    weight = found.weight[:, :, None]
    density = np.exp(-(z**2) / 2) / (found.scale[:, None, :] * np.sqrt(2 * np.pi))
    return (special.ndtr(z) @ weight)[..., 0], (density @ weight)[..., 0]
