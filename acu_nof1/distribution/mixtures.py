"""Mixtures of Student t distributions: a contrast, and the ratio of two."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from acu_nof1 import compiled
from acu_nof1.distribution.rows import Distribution, evaluate, invert, newton
from acu_nof1.distribution.student import STEPS_PER_UNIT, student, student_density, tables

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class TMixture(Distribution):
    """What is known about a contrast when the autocorrelation is integrated out?

    F(x) = sum_g W_g T_nu((x - m_g) / s_g): one Student t per node of the nuisance parameters, all with the same
    degrees of freedom.

    Attributes
    ----------
    weight, loc, scale : (R, G)
        Weight, centre and scale of each node; weights sum to 1 in each row.
    df : (R,)
        Degrees of freedom: whole numbers of at least 1, NaN for rows that are not estimable.
    """

    weight: Floats
    loc: Floats
    scale: Floats
    df: Floats

    @property
    def mean(self) -> Floats:
        """What is the posterior mean? Shape (R,), in the unit of the outcome; sum_g W_g m_g."""
        return np.asarray(np.einsum("rg,rg->r", self.weight, self.loc))

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The posterior mean."""
        return self.mean

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x? F(x) = sum_g W_g T_nu((x - m_g) / s_g)."""
        if compiled.wanted(len(self.df)):
            return evaluate(self._compiled_cdf, x, self.df, 1)
        return evaluate(self._cdf_and_density, x, self.df, self.loc.shape[1])

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie?

        Safeguarded Newton from the moment-matched t. The smallest and the largest of the node quantiles bracket
        the answer, because at the smallest every node still has F <= p. Accurate to 1e-12 of the width.
        """
        if compiled.wanted(len(self.df)):
            return invert(p, self.df, 1, self._compiled_quantiles)
        return invert(p, self.df, self.weight.shape[1], self._quantiles)

    def _cdf_and_density(self, rows: Ints, x: Floats) -> tuple[Floats, Floats]:
        scale = self.scale[rows, None, :]
        z = (x[:, :, None] - self.loc[rows, None, :]) / scale
        below, density = student(z, self.df[rows])
        weight = self.weight[rows, :, None]
        return (below @ weight)[..., 0], ((density / scale) @ weight)[..., 0]

    def _compiled_cdf(self, rows: Ints, x: Floats) -> tuple[Floats, Floats]:
        below = np.empty_like(x)
        compiled.cdf(*self._nodes(rows), x, *tables(self.df[rows]), float(STEPS_PER_UNIT), below)
        return below, below

    def _compiled_quantiles(self, rows: Ints, p: Floats) -> Floats:
        df, which, table = tables(self.df[rows])
        t = special.stdtrit(df[:, None], p)
        density, out = student_density(t, df[:, None]), np.empty((len(rows), len(p)))
        compiled.quantiles(
            *self._nodes(rows), p, t, density, _inflation(df), df, which, table, float(STEPS_PER_UNIT), out
        )
        return out

    def _nodes(self, rows: Ints) -> tuple[Ints, Floats, Floats, Floats]:
        return rows, self.weight, self.loc, self.scale

    def _quantiles(self, rows: Ints, p: Floats) -> Floats:
        df = self.df[rows]
        t = special.stdtrit(df[:, None], p[None, :])
        loc, scale, weight = self.loc[rows], self.scale[rows], self.weight[rows]
        mean = np.sum(weight * loc, axis=1)
        inflation = _inflation(df)
        variance = np.sum(weight * (inflation[:, None] * scale**2 + (loc - mean[:, None]) ** 2), axis=1)
        start = mean[:, None] + t * np.sqrt(variance / inflation)[:, None]
        ends = loc[:, None, :] + scale[:, None, :] * t[:, :, None]
        low, high = ends.min(axis=2), ends.max(axis=2)
        return newton(self._cdf_and_density, rows, p, low, high, start)


@dataclass(frozen=True, eq=False)
class RatioMixture(Distribution):
    """What is known about the ratio after / before? Fieller's theorem inside the mixture.

    F(q) = sum_g W_g T_nu((q b_g - a_g) / sqrt(var_a - 2 q cov + q^2 var_b)), the probability that
    after - q before is negative (Fieller 1954, J R Stat Soc B 16:175). F(inf) = P(before > 0) and
    F(0) = P(after < 0), so an end need not exist: the quantile is then inf ("no upper bound") or 0 ("down to 0").

    Attributes
    ----------
    weight, before, after : (R, G)
        Weight of each node and its two centres.
    var_before, var_after, cov : (R, G)
        Squared scales of the joint t of each node.
    df : (R,)
        Degrees of freedom; NaN for rows that are not estimable.
    lowest
        The lowest ratio that there can be: of two levels that cannot be negative, 0.
    """

    weight: Floats
    before: Floats
    after: Floats
    var_before: Floats
    var_after: Floats
    cov: Floats
    df: Floats
    lowest: ClassVar[float] = 0.0

    @property
    def as_share(self) -> ShareMixture:
        """The same of two changes, which may turn round: `after` may have another sign than `before`."""
        return ShareMixture(**{each.name: getattr(self, each.name) for each in fields(self)})

    @property
    def in_percent(self) -> PercentMixture:
        """What is known about (after / before - 1) * 100?"""
        return PercentMixture(**{each.name: getattr(self, each.name) for each in fields(self)})

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The ratio of the posterior means; a ratio of t variables has no mean."""
        after, before = np.sum(self.weight * self.after, axis=1), np.sum(self.weight * self.before, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(after / before)

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a ratio below x (x >= 0; infinity is allowed)?"""
        angle = np.arctan2(np.asarray(x, dtype=float), 1.0)
        return evaluate(self._cdf_and_density, angle, self.df, self.before.shape[1])

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which ratio does the share p lie? inf where there is no upper bound, 0 for down to 0."""
        return invert(p, self.df, self.weight.shape[1], self._quantiles)

    def _cdf_and_density(self, rows: Ints, angle: Floats) -> tuple[Floats, Floats]:
        # With q = tan(angle) everything times cos(angle) is finite, q = inf included.
        sine, cosine = np.sin(angle)[:, :, None], np.cos(angle)[:, :, None]
        before, after, cov = self.before[rows, None, :], self.after[rows, None, :], self.cov[rows, None, :]
        var_before, var_after = self.var_before[rows, None, :], self.var_after[rows, None, :]
        variance = cosine**2 * var_after - 2 * sine * cosine * cov + sine**2 * var_before
        centre = sine * before - cosine * after
        slope = cosine * before + sine * after
        half_slope = sine * cosine * (var_before - var_after) - (cosine**2 - sine**2) * cov
        scale = np.sqrt(variance)
        below, density = student(centre / scale, self.df[rows])
        weight = self.weight[rows, :, None]
        change = density * (slope - centre * half_slope / variance) / scale
        return (below @ weight)[..., 0], (change @ weight)[..., 0]

    def _quantiles(self, rows: Ints, p: Floats) -> Floats:
        low = np.full((len(rows), len(p)), np.arctan(self.lowest))
        high = np.full_like(low, np.pi / 2)
        at_lowest, at_infinity = self._cdf_and_density(rows, low)[0], self._cdf_and_density(rows, high)[0]
        centre = np.arctan2(np.sum(self.weight * self.after, axis=1), np.sum(self.weight * self.before, axis=1))
        start = np.broadcast_to(np.clip(centre[rows, None], low + 0.01, high - 0.01), low.shape)
        ratio = np.tan(newton(self._cdf_and_density, rows, p, low, high, start))
        none_below, none_above = p < at_lowest, p > at_infinity
        ratio = np.where(none_below & ~(none_above & (p > 0.5)), self.lowest, ratio)
        return np.where(none_above & ~(none_below & (p <= 0.5)), np.inf, ratio)


@dataclass(frozen=True, eq=False)
class ShareMixture(RatioMixture):
    """What is known about the share after / before of a change? It may have turned round: a share below 0 is told.

    `before` must be positive, or almost surely so.
    """

    lowest: ClassVar[float] = -np.inf


@dataclass(frozen=True, eq=False)
class PercentMixture(RatioMixture):
    """What is known about the change in percent of `before`? The ratio q, said as (q - 1) * 100."""

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The ratio of the posterior means, in percent."""
        return 100 * (super().centre - 1)

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a change below x percent?"""
        return super().cdf(1 + np.asarray(x, dtype=float) / 100)

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which percentage does the share p lie? inf where there is no upper bound, -100 for down to nothing."""
        return 100 * (super().quantile(p) - 1)


def _inflation(df: Floats) -> Floats:
    """Variance of a t over its squared scale; 1 where it has none, which serves for the start of a search."""
    return np.where(df > 2, df / np.maximum(df - 2, 1), 1.0)
