"""Posteriors on grids: one parameter on its cells, and the change between two probabilities of a yes/no day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acu_nof1.distribution.rows import Distribution, columns, evaluate, invert, newton

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

DAYS_PER_MONTH = 28
"""Headache diaries count days per 28 days, the unit of the headache guidelines."""


def cell_midpoints(cells: int) -> Floats:
    """At which probabilities does a grid of sin^2 cells sit?

    sin^2 of the midpoints of equal cells of theta in (0, pi/2): with equal weights they are the Beta(1/2, 1/2)
    prior of Jeffreys.
    """
    return np.asarray(np.sin((np.arange(cells) + 0.5) * (np.pi / (2 * cells))) ** 2)


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
        at = columns(x, len(self.nodes))
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
        return evaluate(lambda rows, at: self._read(self._joint(rows), at), x, self._valid, self._size)

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which change does the share p lie? By safeguarded Newton on a compact scale."""
        return invert(p, self._valid, self._size, self._quantiles)

    @property
    def _size(self) -> int:
        """What a row counts for when rows are taken at once: its joint posterior is large, but built only once."""
        cells: int = self.before.shape[2]
        return cells * cells // 16

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
        low, high, part = _around(joint, after)
        root = np.sqrt(np.where(inside, after * (1 - after), 1.0))
        slope = np.where(inside, (high - low) * moves / root, 0.0) * (cells / np.pi)
        return np.sum(low + part * (high - low), axis=2), slope.sum(axis=2)

    def below(self, after: Floats) -> Floats:
        """How probable is an `after` below a bound of its own for each cell of `before`? One row: (K, M) to (K,)."""
        low, high, part = _around(self._joint(np.zeros(1, np.intp)), after[None])
        return np.asarray(np.sum(low + part * (high - low), axis=2)[0])

    def _quantiles(self, rows: Ints, p: Floats) -> Floats:
        joint = self._joint(rows)
        low = np.full((len(rows), len(p)), -1.0 if self.scale == "difference" else 0.0)
        high = np.ones_like(low)

        def function(some: Ints, position: Floats) -> tuple[Floats, Floats]:
            outcome, stretch = self._outcome(position)
            below, slope = self._read(joint[some], outcome)
            return below, slope * stretch

        start = (low + high) / 2
        position = newton(function, np.arange(len(rows)), p, low, high, start, settled=1e-12)
        return self._outcome(position)[0]

    def _outcome(self, position: Floats) -> tuple[Floats, Floats]:
        """Map a position in [-1, 1] to days per 28, or in [0, 1) to a ratio; and the slope of that map."""
        if self.scale == "difference":
            return DAYS_PER_MONTH * position, np.full_like(position, DAYS_PER_MONTH)
        with np.errstate(divide="ignore"):
            return position / (1 - position), 1 / (1 - position) ** 2


def _around(joint: Floats, after: Floats) -> tuple[Floats, Floats, Floats]:
    """The joint posterior at the edges below and above `after` (rows, k, M), and how far between them it lies."""
    cells = joint.shape[1]
    edge = np.arcsin(np.sqrt(np.clip(after, 0.0, 1.0))) * (2 * cells / np.pi)
    left = np.minimum(edge.astype(np.intp), cells - 1)
    rows, middle = np.arange(len(after))[:, None, None], np.arange(cells)[None, None, :]
    return joint[rows, middle, left], joint[rows, middle, left + 1], np.asarray(edge - left)
