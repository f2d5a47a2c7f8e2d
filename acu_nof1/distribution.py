"""What stands behind a number: distributions for many rows at once.

A row is one estimate of one series. Every distribution answers the same questions: `cdf`, `quantile`, `centre`,
`row`, `take`. Rows that are not estimable carry NaN and answer NaN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Literal, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from acu_nof1 import compiled

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

STEPS_PER_UNIT = 128
"""Intervals of the Student t table per unit of t; the cubic Hermite error is below 2e-11 for every df."""
TABLE_END = 24
"""Beyond this |t| the table ends and the exact tail is evaluated."""
CELLS_AT_ONCE = 200_000
"""Evaluations held in memory at once: about the size of a processor's cache."""
SETTLED = 1e-6
"""A search whose probability is off by this share of the tail ends with the next Newton step, which squares it."""
DAYS_PER_MONTH = 28
"""Headache diaries count days per 28 days, the unit of the headache guidelines."""


class Distribution(ABC):
    """What is known about one quantity, for each of many rows."""

    @property
    @abstractmethod
    def centre(self) -> Floats:
        """Where does the distribution sit? One number per row, shape (R,)."""

    @abstractmethod
    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x? x is one number, (R,) or (R, k); the answer is (R,) or (R, k)."""

    @abstractmethod
    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie? p a number gives (R,), p of shape (k,) gives (R, k)."""

    @abstractmethod
    def take(self, rows: ArrayLike) -> Self:
        """Which distribution do these rows have? Row numbers or a boolean mask, in the order unasked for."""

    def row(self, i: int) -> Self:
        """What stands behind row i? A distribution with one row."""
        return self.take([i])


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
        return np.asarray(np.sum(self.weight * self.loc, axis=1))

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The posterior mean."""
        return self.mean

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x? F(x) = sum_g W_g T_nu((x - m_g) / s_g)."""
        if len(self.df) >= compiled.WORTH_COMPILING and compiled.available():
            return _evaluate(self._compiled_cdf, x, self.df, self.loc.shape[1])
        return _evaluate(self._cdf_and_density, x, self.df, self.loc.shape[1])

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie?

        Safeguarded Newton from the moment-matched t. The smallest and the largest of the node quantiles bracket
        the answer, because at the smallest every node still has F <= p. Accurate to 1e-12 of the width.
        """
        if len(self.df) >= compiled.WORTH_COMPILING and compiled.available():
            return _invert(p, self.df, self.weight.shape[1], self._compiled_quantiles)
        return _invert(p, self.df, self.weight.shape[1], self._quantiles)

    def take(self, rows: ArrayLike) -> TMixture:
        """Which distribution do these rows have?"""
        return _take(self, rows)

    def _cdf_and_density(self, rows: Ints, x: Floats) -> tuple[Floats, Floats]:
        scale = self.scale[rows, None, :]
        z = (x[:, :, None] - self.loc[rows, None, :]) / scale
        below, density = student(z, self.df[rows])
        weight = self.weight[rows, :, None]
        return (below @ weight)[..., 0], ((density / scale) @ weight)[..., 0]

    def _compiled_cdf(self, rows: Ints, x: Floats) -> tuple[Floats, Floats]:
        which, table = _tables(self.df[rows])
        below, far = np.empty_like(x), np.empty(x.shape, dtype=bool)
        compiled.cdf(rows, self.weight, self.loc, self.scale, x, which, table, float(STEPS_PER_UNIT), far, below)
        beyond = far.any(axis=1)
        if beyond.any():
            below[beyond] = self._cdf_and_density(rows[beyond], x[beyond])[0]
        return below, below

    def _compiled_quantiles(self, rows: Ints, p: Floats) -> Floats:
        which, table = _tables(self.df[rows])
        t = special.stdtrit(self.df[rows, None], p[None, :])
        out, far = np.empty(t.shape), np.empty(t.shape, dtype=bool)
        compiled.quantiles(
            rows,
            self.weight,
            self.loc,
            self.scale,
            p,
            t,
            _inflation(self.df[rows]),
            which,
            table,
            float(STEPS_PER_UNIT),
            SETTLED,
            far,
            out,
        )
        beyond = far.any(axis=1)
        if beyond.any():
            out[beyond] = self._quantiles(rows[beyond], p)
        return out

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
        return _newton(self._cdf_and_density, rows, p, low, high, start)


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
    """

    weight: Floats
    before: Floats
    after: Floats
    var_before: Floats
    var_after: Floats
    cov: Floats
    df: Floats

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The ratio of the posterior means; a ratio of t variables has no mean."""
        after, before = np.sum(self.weight * self.after, axis=1), np.sum(self.weight * self.before, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(after / before)

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a ratio below x (x >= 0; infinity is allowed)?"""
        angle = np.arctan2(np.asarray(x, dtype=float), 1.0)
        return _evaluate(self._cdf_and_density, angle, self.df, self.before.shape[1])

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which ratio does the share p lie? inf where there is no upper bound, 0 for down to 0."""
        return _invert(p, self.df, self.weight.shape[1], self._quantiles)

    def take(self, rows: ArrayLike) -> RatioMixture:
        """Which distribution do these rows have?"""
        return _take(self, rows)

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
        low = np.zeros((len(rows), len(p)))
        high = np.full_like(low, np.pi / 2)
        at_zero, at_infinity = self._cdf_and_density(rows, low)[0], self._cdf_and_density(rows, high)[0]
        centre = np.arctan2(np.sum(self.weight * self.after, axis=1), np.sum(self.weight * self.before, axis=1))
        start = np.clip(centre[rows, None], 0.01, np.pi / 2 - 0.01) + low
        ratio = np.tan(_newton(self._cdf_and_density, rows, p, low, high, start))
        none_below, none_above = p < at_zero, p > at_infinity
        ratio = np.where(none_below & ~(none_above & (p > 0.5)), 0.0, ratio)
        return np.where(none_above & ~(none_below & (p <= 0.5)), np.inf, ratio)


@dataclass(frozen=True, eq=False)
class Grid(Distribution):
    """What is known about the change between two probabilities of a yes/no day?

    The joint posterior is sum_h W_h L0_h(before) L1_h(after) on midpoints of equal cells of theta, where the
    probability is sin^2(theta); h runs over the nodes of the day-to-day correlation. The cumulative posterior of
    `after` is interpolated between the cells' edges, so the cdf has no steps.

    Attributes
    ----------
    weight : (R, H)
        Weight of each node of the correlation.
    before, after : (R, H, M)
        Posterior weight of each cell; sums to 1 over the cells.
    scale : {"difference", "ratio", "odds ratio"}
        What x means: days per 28 days, a ratio of probabilities, or a ratio of odds.
    """

    weight: Floats
    before: Floats
    after: Floats
    scale: Literal["difference", "ratio", "odds ratio"] = "difference"

    @property
    def means(self) -> tuple[Floats, Floats]:
        """What are the two probabilities, before and after? Posterior means, each of shape (R,)."""
        nodes = cell_midpoints(self.before.shape[2])
        return (
            np.einsum("rh,rhm,m->r", self.weight, self.before, nodes),
            np.einsum("rh,rhm,m->r", self.weight, self.after, nodes),
        )

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The difference (in days per 28), ratio or odds ratio of the means."""
        before, after = self.means
        if self.scale == "difference":
            return DAYS_PER_MONTH * (after - before)
        if self.scale == "ratio":
            return np.asarray(after / before)
        return after / (1 - after) * (1 - before) / before

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a change below x, in the unit of `scale`?"""
        return _evaluate(lambda rows, at: self._read(self._joint(rows), at), x, self._valid, self._cells)

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which change does the share p lie? By safeguarded Newton on a compact scale."""
        return _invert(p, self._valid, self._cells, self._quantiles)

    def take(self, rows: ArrayLike) -> Grid:
        """Which distribution do these rows have?"""
        return _take(self, rows)

    @property
    def _cells(self) -> int:
        cells: int = self.before.shape[2]
        return cells * cells

    @property
    def _valid(self) -> Floats:
        return np.asarray(self.weight.sum(axis=1))

    def _joint(self, rows: Ints) -> Floats:
        """Joint posterior of the cell of `before` and of `after` being below an edge, (rows, M, M + 1)."""
        before = self.weight[rows, :, None] * self.before[rows]
        below = np.cumsum(self.after[rows], axis=2)
        return np.asarray(before.transpose(0, 2, 1) @ np.pad(below, ((0, 0), (0, 0), (1, 0))))

    def _read(self, joint: Floats, x: Floats) -> tuple[Floats, Floats]:
        """The cdf at x (rows, k) and its slope: for each cell of `before`, interpolate the `after` that x asks for."""
        cells = joint.shape[1]
        before, at = cell_midpoints(cells)[None, None, :], x[:, :, None]
        if self.scale == "difference":
            after, moves = before + at / DAYS_PER_MONTH, np.full((1, 1, 1), 1 / DAYS_PER_MONTH)
        elif self.scale == "ratio":
            after, moves = before * at, before
        else:
            # Written with 1/x so that an infinite ratio gives the probability 1.
            with np.errstate(divide="ignore"):
                after = before / (before + (1 - before) / at)
            moves = before * (1 - before) / (1 - before + at * before) ** 2
        inside = (after > 0) & (after < 1)
        after = np.clip(after, 0.0, 1.0)
        edge = np.arcsin(np.sqrt(after)) * (2 * cells / np.pi)
        left = np.minimum(edge.astype(np.intp), cells - 1)
        rows, middle = np.arange(len(x))[:, None, None], np.arange(cells)[None, None, :]
        low, high = joint[rows, middle, left], joint[rows, middle, left + 1]
        root = np.sqrt(np.where(inside, after * (1 - after), 1.0))
        slope = np.where(inside, (high - low) * moves / root, 0.0) * (cells / np.pi)
        return np.sum(low + (edge - left) * (high - low), axis=2), slope.sum(axis=2)

    def _quantiles(self, rows: Ints, p: Floats) -> Floats:
        joint = self._joint(rows)
        low = np.full((len(rows), len(p)), -1.0 if self.scale == "difference" else 0.0)
        high = np.ones_like(low)

        def function(some: Ints, position: Floats) -> tuple[Floats, Floats]:
            outcome, stretch = self._outcome(position)
            below, slope = self._read(joint[some], outcome)
            return below, slope * stretch

        start = (low + high) / 2
        position = _newton(function, np.arange(len(rows)), p, low, high, start, settled=1e-12)
        return self._outcome(position)[0]

    def _outcome(self, position: Floats) -> tuple[Floats, Floats]:
        """Map a position in [-1, 1] to days per 28, or in [0, 1) to a ratio; and the slope of that map."""
        if self.scale == "difference":
            return DAYS_PER_MONTH * position, np.full_like(position, DAYS_PER_MONTH)
        with np.errstate(divide="ignore"):
            return position / (1 - position), 1 / (1 - position) ** 2


@dataclass(frozen=True, eq=False)
class Cells(Distribution):
    """What is known about one nuisance parameter on its nodes? Each node's weight is spread evenly over its cell.

    Attributes
    ----------
    nodes, weight : (R, C)
        Nodes in increasing order and their posterior weights (0 for padding).
    edges : (R, C + 1)
        Ends of the cells; a cell of zero width is a point mass.
    """

    nodes: Floats
    weight: Floats
    edges: Floats

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? The posterior mean over the nodes, shape (R,)."""
        return np.asarray(np.sum(self.nodes * self.weight, axis=1))

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value of at most x?"""
        at = _columns(x, len(self.nodes))
        left, right = self.edges[:, None, :-1], self.edges[:, None, 1:]
        width = np.where(right > left, right - left, 1.0)
        share = np.where(right > left, np.clip((at[:, :, None] - left) / width, 0.0, 1.0), at[:, :, None] >= left)
        below: Floats = np.einsum("rkc,rc->rk", share, self.weight)
        return below[:, 0] if np.ndim(x) < 2 else below

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie?"""
        total = np.cumsum(self.weight, axis=1)
        levels = np.atleast_1d(np.asarray(p, dtype=float))
        cell = np.sum(total[:, None, :] < levels[None, :, None] * total[:, None, -1:], axis=2)
        before = np.take_along_axis(total - self.weight, cell, axis=1)
        weight = np.take_along_axis(self.weight, cell, axis=1)
        left, right = np.take_along_axis(self.edges, cell, axis=1), np.take_along_axis(self.edges, cell + 1, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip((levels[None, :] - before) / weight, 0.0, 1.0)
        result = np.asarray(left + np.where(weight > 0, share, 0.0) * (right - left))
        result[np.isnan(total[:, -1])] = np.nan
        return result[:, 0] if np.ndim(p) == 0 else result

    def take(self, rows: ArrayLike) -> Cells:
        """Which distribution do these rows have?"""
        return _take(self, rows)


def cell_midpoints(cells: int) -> Floats:
    """At which probabilities does a grid of sin^2 cells sit?

    sin^2 of the midpoints of equal cells of theta in (0, pi/2): with equal weights they are the Beta(1/2, 1/2)
    prior of Jeffreys.
    """
    return np.asarray(np.sin((np.arange(cells) + 0.5) * (np.pi / (2 * cells))) ** 2)


def student(z: Floats, df: Floats) -> tuple[Floats, Floats]:
    """What are the Student t cdf and density at z?

    From a cubic Hermite table of the upper tail for each whole df; beyond the table the exact tail.

    Parameters
    ----------
    z : (R, ...)
        Where; row r is evaluated with df[r].
    df : (R,)
        Whole numbers of at least 1.

    Returns
    -------
    cdf, density : the shape of z
        Absolute error of the cdf at most 2e-11, of the density at most 1e-8.
    """
    distinct, which = np.unique(df, return_inverse=True)
    table = np.concatenate([_tail_table(int(nu)) for nu in distinct], axis=1)
    intervals = TABLE_END * STEPS_PER_UNIT
    position = np.abs(z) * STEPS_PER_UNIT
    beyond = position >= intervals
    index = np.minimum(position, intervals - 1).astype(np.intp)
    part = position - index
    index += (which * intervals).reshape((-1,) + (1,) * (z.ndim - 1))
    c0, c1, c2, c3 = (np.take(row, index) for row in table)
    tail = c0 + part * (c1 + part * (c2 + part * c3))
    density = (c1 + part * (2 * c2 + 3 * part * c3)) * -float(STEPS_PER_UNIT)
    if beyond.any():
        far_df = np.broadcast_to(df.reshape((-1,) + (1,) * (z.ndim - 1)), z.shape)[beyond]
        far = np.abs(z[beyond])
        tail[beyond], density[beyond] = special.stdtr(far_df, -far), _student_density(far, far_df)
    return np.where(z < 0, tail, 1 - tail), density


def _inflation(df: Floats) -> Floats:
    """Variance of a t over its squared scale; 1 where it has none, which serves for the start of a search."""
    return np.where(df > 2, df / np.maximum(df - 2, 1), 1.0)


def _tables(df: Floats) -> tuple[Ints, Floats]:
    """Which of the stacked tables (kinds, intervals, 4) belongs to each row."""
    distinct, which = np.unique(df, return_inverse=True)
    return which.astype(np.intp), _stacked(tuple(distinct.tolist()))


@lru_cache(maxsize=8)
def _stacked(distinct: tuple[float, ...]) -> Floats:
    return np.stack([np.ascontiguousarray(_tail_table(int(nu)).T) for nu in distinct])


@lru_cache(maxsize=512)
def _tail_table(nu: int) -> Floats:
    """Cubic coefficients (4, intervals) of P(t_nu > a) on equal intervals of a, by Hermite interpolation."""
    a = np.arange(TABLE_END * STEPS_PER_UNIT + 1) / STEPS_PER_UNIT
    value = special.stdtr(nu, -a)
    slope = -_student_density(a, np.float64(nu)) / STEPS_PER_UNIT
    rise = np.diff(value)
    coefficients = np.stack(
        [value[:-1], slope[:-1], 3 * rise - 2 * slope[:-1] - slope[1:], slope[:-1] + slope[1:] - 2 * rise]
    )
    coefficients.setflags(write=False)
    return coefficients


def _student_density(a: Floats, nu: Floats | np.float64) -> Floats:
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return np.asarray(np.exp(constant - (nu + 1) / 2 * np.log1p(a**2 / nu)))


D = TypeVar("D", bound=Distribution)
RowFunction = Callable[[Ints, Floats], tuple[Floats, Floats]]


def _columns(x: ArrayLike, rows: int) -> Floats:
    """Shape x as (R, k): one number for all rows, one for each row, or k for each row."""
    values = np.asarray(x, dtype=float)
    if values.ndim == 0:
        return np.full((rows, 1), float(values))
    if len(values) != rows or values.ndim > 2:
        raise ValueError(f"x has shape {values.shape}; give one number, ({rows},) or ({rows}, k)")
    return values.reshape(rows, -1)


def _chunks(rows: Ints, cells: int) -> Iterator[Ints]:
    size = max(1, CELLS_AT_ONCE // max(cells, 1))
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _evaluate(function: RowFunction, x: ArrayLike, valid: Floats, nodes: int) -> Floats:
    """The cdf at x for rows where `valid` is a number, NaN elsewhere."""
    at = _columns(x, len(valid))
    unasked = np.isnan(at)
    at = np.where(unasked, 0.0, at)
    result = np.full(at.shape, np.nan)
    for rows in _chunks(np.flatnonzero(np.isfinite(valid)), nodes * at.shape[1]):
        result[rows] = np.clip(function(rows, at[rows])[0], 0.0, 1.0)
    result[unasked] = np.nan
    return result[:, 0] if np.ndim(x) < 2 else result


def _invert(p: ArrayLike, valid: Floats, nodes: int, quantiles: Callable[[Ints, Floats], Floats]) -> Floats:
    """Quantiles for rows where `valid` is a number, NaN elsewhere."""
    levels = np.atleast_1d(np.asarray(p, dtype=float))
    if levels.ndim != 1 or not np.all((levels > 0) & (levels < 1)):
        raise ValueError(f"p must be one number or a list of numbers strictly between 0 and 1, not {p!r}")
    result = np.full((len(valid), len(levels)), np.nan)
    for rows in _chunks(np.flatnonzero(np.isfinite(valid)), nodes * len(levels)):
        result[rows] = quantiles(rows, levels)
    return result[:, 0] if np.ndim(p) == 0 else result


def _newton(
    function: RowFunction, rows: Ints, p: Floats, low: Floats, high: Floats, start: Floats, settled: float = SETTLED
) -> Floats:
    """Solve F(x) = p inside [low, high], rows x levels at once; a step that leaves the bracket becomes a bisection."""
    low, high = low.copy(), high.copy()
    x = np.clip(start, low, high)
    smallest = 4 * np.finfo(float).eps * np.maximum(np.abs(low), np.abs(high))
    close = settled * np.minimum(p, 1 - p)
    active = np.arange(len(rows))
    for _ in range(100):
        value, slope = function(rows[active], x[active])
        at, error = x[active], value - p
        low[active] = np.where(error <= 0, at, low[active])
        high[active] = np.where(error >= 0, at, high[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            proposal = at - error / slope
        inside = (proposal >= low[active]) & (proposal <= high[active])
        proposal = np.where(inside, proposal, (low[active] + high[active]) / 2)
        x[active] = proposal
        moving = (np.abs(proposal - at) > smallest[active]) & ((np.abs(error) > close) | ~inside)
        active = active[moving.any(axis=1)]
        if not len(active):
            break
    return x


def _take(distribution: D, rows: ArrayLike) -> D:
    """The same distribution with these rows only: every array field has its rows first."""
    chosen = np.asarray(rows)
    values = {field.name: getattr(distribution, field.name) for field in fields(distribution)}  # type: ignore[arg-type]
    return type(distribution)(**{k: v[chosen] if isinstance(v, np.ndarray) else v for k, v in values.items()})
