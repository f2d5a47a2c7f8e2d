"""Yes/no days: a Markov chain whose day-to-day correlation is integrated out.

On an answered day, d days after the previous one with answer y', P(y = 1) = pi (1 - rho^d) + rho^d y'; the first
answered day of a stretch is Bernoulli(pi). Each group of days has its own pi with Jeffreys' Beta(1/2, 1/2) prior,
rho is common and has the arcsine prior cut to (-0.2, 0.95]. Everything is a sum over two grids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acu_nof1.distribution import Cells, Grid, cell_midpoints
from acu_nof1.estimate.nodes import phi_nodes_needed

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

CELLS = 240
"""Cells of each probability; days per 28 are interpolated between them."""
RHO_NODES = 48
RHO_LOW, RHO_HIGH = -0.2, 0.95
"""Support of the day-to-day correlation: below, few probabilities remain possible; above, the chain never moves."""
SERIES_AT_ONCE = 64
NEGLIGIBLE = 1e-9
BEFORE, AFTER, UNUSED = 0, 1, -1
TAILS = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class DaysFit:
    """What do yes/no days say about the two probabilities of S series?

    Attributes
    ----------
    change : Grid
        Joint posterior of the two probabilities, read as difference, ratio or odds ratio.
    before, after : Cells
        Posteriors of the probabilities.
    rho : Cells
        Posterior of the day-to-day correlation.
    reason : tuple of S strings
        "" where estimable, else why not.
    """

    change: Grid
    probability_before: Cells
    probability_after: Cells
    rho: Cells
    reason: tuple[str, ...]

    @property
    def before(self) -> tuple[Floats, Floats, Floats]:
        """How probable was a yes-day before? Posterior mean and 95 % interval, each (S,)."""
        return _mean_and_ends(self.probability_before)

    @property
    def after(self) -> tuple[Floats, Floats, Floats]:
        """How probable is a yes-day after? Posterior mean and 95 % interval, each (S,)."""
        return _mean_and_ends(self.probability_after)


def fit_days(
    values: ArrayLike,
    group: ArrayLike,
    phase: ArrayLike,
    scale: Literal["difference", "ratio", "odds ratio"] = "difference",
) -> DaysFit:
    """By how much did the share of yes-days change?

    Parameters
    ----------
    values : (S, D)
        1, 0, or NaN without an answer, on consecutive calendar days.
    group : (S, D) of int
        Which probability a day has: 0 before, 1 after, 2 and more other probabilities that inform the correlation
        only, -1 unused.
    phase : (S, D) of int
        Number of the phase; a stretch of the chain ends where the phase or the group changes.
    scale
        How the change is read: "difference" in days per 28, "ratio" or "odds ratio".

    Returns
    -------
    DaysFit
        Series that cannot be estimated say why in `reason`.

    Raises
    ------
    ValueError
        When shapes disagree or a value is neither 0, 1 nor NaN.
    """
    y, groups, phases = np.asarray(values, dtype=float), np.asarray(group), np.asarray(phase)
    if y.ndim != 2 or groups.shape != y.shape or phases.shape != y.shape:
        raise ValueError(f"values, group and phase must be (S, D); they are {y.shape}, {groups.shape}, {phases.shape}")
    used = np.isfinite(y) & (groups != UNUSED)
    if not np.isin(y[used], (0.0, 1.0)).all():
        raise ValueError("yes/no days must be 0, 1 or NaN")
    answered = [np.sum(used & (groups == side), axis=1) for side in (BEFORE, AFTER)]
    estimable = (answered[0] > 0) & (answered[1] > 0)
    needed = phi_nodes_needed(used.sum(axis=1), RHO_NODES)
    parts = []
    for count in np.unique(needed[estimable]).tolist():
        nodes, edges = _rho_nodes(count)
        rows = np.flatnonzero(estimable & (needed == count))
        for start in range(0, len(rows), SERIES_AT_ONCE):
            some = rows[start : start + SERIES_AT_ONCE]
            weight, sides = _posterior(y[some], used[some], groups[some], phases[some], nodes)
            parts.append((some, nodes, edges, weight, sides))
    return _lay_out(parts, estimable, scale)


def _mean_and_ends(cells: Cells) -> tuple[Floats, Floats, Floats]:
    ends = cells.quantile(TAILS)
    return cells.centre, ends[:, 0], ends[:, 1]


def _rho_nodes(count: int) -> tuple[Floats, Floats]:
    """Nodes and cell ends of equal arcsine probability inside the support, as dense as `count` on (-1, 1)."""
    low, high = np.arcsin(RHO_LOW), np.arcsin(RHO_HIGH)
    cells = int(np.ceil(count * (high - low) / np.pi))
    both = np.sin(np.linspace(low, high, 2 * cells + 1))
    return both[1::2], both[::2]


def _posterior(y: Floats, used: Bools, group: Ints, phase: Ints, rho: Floats) -> tuple[Floats, list[Floats]]:
    """Weights of rho (S, H), and of the cells of the two probabilities given rho, each (S, H, M).

    Groups are independent given rho: the posterior of rho is the product of their mean likelihoods over the cells.
    """
    first, gap, previous = _neighbours(y, used, group, phase)
    gaps = np.unique(gap[gap > 0])
    log_p, possible = _log_probabilities(gaps, rho)
    log_weight, sides = np.zeros((len(y), len(rho))), []
    for side in np.unique(group[used]).tolist():
        counts = _counts(y, used & (group == side), first, gap, previous, gaps)
        log_likelihood = (counts @ log_p.reshape(len(log_p), -1)).reshape(len(y), *possible.shape)
        log_likelihood = np.where(possible, log_likelihood, -np.inf)
        peak = log_likelihood.max(axis=2, keepdims=True)
        cells = np.exp(log_likelihood - peak)
        total = cells.sum(axis=2)
        # The prior of pi given rho is Jeffreys' on the possible cells: without their number in the denominator,
        # a negative rho would be punished for the probabilities it excludes.
        log_weight += peak[..., 0] + np.log(total / possible.sum(axis=1))
        if side in (BEFORE, AFTER):
            sides.append(cells / total[..., None])
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    return weight / weight.sum(axis=1, keepdims=True), sides


def _neighbours(y: Floats, used: Bools, group: Ints, phase: Ints) -> tuple[Bools, Ints, Floats]:
    """Which days start a stretch; the gap to the previous answered day of the stretch (0 for none), its answer."""
    days = np.arange(y.shape[1])
    last = np.maximum.accumulate(np.where(used, days, -1), axis=1)
    before = np.concatenate([np.full((len(y), 1), -1), last[:, :-1]], axis=1)
    at = np.maximum(before, 0)
    joined = used & (before >= 0)
    for label in (group, phase):
        joined &= np.take_along_axis(label, at, axis=1) == label
    return used & ~joined, np.where(joined, days - before, 0), np.take_along_axis(y, at, axis=1)


def _counts(y: Floats, mine: Bools, first: Bools, gap: Ints, previous: Floats, gaps: Ints) -> Floats:
    """How often each kind of day occurs: first days with 0 and 1, then for each gap 0-0, 0-1, 1-0, 1-1."""
    columns = [np.sum(mine & first & (y == b), axis=1) for b in (0, 1)]
    for d in gaps:
        here = mine & (gap == d)
        columns += [np.sum(here & (previous == a) & (y == b), axis=1) for a in (0, 1) for b in (0, 1)]
    return np.stack(columns, axis=1).astype(float)


def _log_probabilities(gaps: Ints, rho: Floats) -> tuple[Floats, Bools]:
    """Log probability of each kind of day on the grid (kinds, H, M), and which cells are possible.

    A pair (pi, rho) is possible if a chain with it exists, that is if its one-day probabilities are inside (0, 1).
    """
    pi, r = cell_midpoints(CELLS)[None, :], rho[:, None]
    possible = (pi + r * (1 - pi) > 0) & (pi * (1 - r) < 1)
    yes = [np.broadcast_to(pi, possible.shape)]
    for d in gaps:
        yes += [pi * (1 - r**d) + r**d * a for a in (0, 1)]
    safe = [np.where(possible, p, 0.5) for p in yes]
    return np.stack([np.log(q) for p in safe for q in (1 - p, p)]), possible


def _lay_out(
    parts: list[tuple[Ints, Floats, Floats, Floats, list[Floats]]],
    estimable: Bools,
    scale: Literal["difference", "ratio", "odds ratio"],
) -> DaysFit:
    """Put the parts back into the order of the series, without nodes of rho that carry no weight."""
    series = len(estimable)
    kept = [int((weight > NEGLIGIBLE).sum(axis=1).max()) for *_, weight, _ in parts]
    width, length = max(kept, default=1), max((len(nodes) for _, nodes, *_ in parts), default=1)
    weights = np.full((series, width), np.nan)
    grids = [np.full((series, width, CELLS), np.nan) for _ in range(2)]
    marginals = [np.full((series, CELLS), np.nan) for _ in range(2)]
    rho, rho_weight = np.full((series, length), np.nan), np.full((series, length), np.nan)
    rho_edges = np.full((series, length + 1), np.nan)
    for (rows, nodes, edges, weight, sides), keep in zip(parts, kept, strict=True):
        rho[rows] = np.pad(nodes, (0, length - len(nodes)), mode="edge")
        rho_edges[rows] = np.pad(edges, (0, length - len(nodes)), mode="edge")
        rho_weight[rows] = np.pad(weight, ((0, 0), (0, length - len(nodes))))
        order = np.argsort(-weight, axis=1, kind="stable")[:, :keep]
        best = np.take_along_axis(weight, order, axis=1)
        best[best <= NEGLIGIBLE] = 0.0
        weights[rows] = np.pad(best / best.sum(axis=1, keepdims=True), ((0, 0), (0, width - keep)))
        for grid, marginal, cells in zip(grids, marginals, sides, strict=True):
            chosen = np.take_along_axis(cells, order[..., None], axis=1)
            grid[rows] = np.pad(chosen, ((0, 0), (0, width - keep), (0, 0)))
            marginal[rows] = np.einsum("sh,shm->sm", weight, cells)
    pi = np.where(estimable[:, None], cell_midpoints(CELLS), np.nan)
    pi_edges = np.where(estimable[:, None], np.sin(np.arange(CELLS + 1) * (np.pi / (2 * CELLS))) ** 2, np.nan)
    return DaysFit(
        change=Grid(weights, grids[0], grids[1], scale),
        probability_before=Cells(pi, marginals[0], pi_edges),
        probability_after=Cells(pi, marginals[1], pi_edges),
        rho=Cells(rho, rho_weight, rho_edges),
        reason=tuple("" if fine else "no answered day in one of the phases" for fine in estimable),
    )
