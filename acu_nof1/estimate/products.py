"""Cross-products of whitened columns: A = [X'V^-1 X, X'V^-1 y; ., y'V^-1 y] and log|V| at every node.

With AR(1) noise alone they are sums of products of neighbouring answered days, by the gap between them. With white noise
and two SDs a Kalman filter whitens the baseline and the treatment part of every column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1 import compiled
from acu_nof1.estimate.packed import at, pairs

if TYPE_CHECKING:
    from acu_nof1.estimate.nodes import Nodes
    from acu_nof1.estimate.series import Batch

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Gaps:
    """Sufficient statistics of AR(1) noise on a calendar with gaps."""

    gaps: Floats
    counts: Floats
    sums: Floats


def gap_statistics(data: Batch, rows: Ints) -> Gaps:
    """Sum the products of neighbouring answered days, by the gap between them.

    With e = 1 - phi^d, z_i - phi^d z_(i-1) = (z_i - z_(i-1)) + e z_(i-1): the sums of the products of the difference
    and of the previous day lose no digits when phi is near 1, as those of z_i and z_(i-1) would.
    """
    z, observed = data.z[rows], data.observed[rows]
    if compiled.wanted(len(rows)):
        return Gaps(*compiled.gap_sums(z, observed))
    days = np.arange(z.shape[1])
    last = np.maximum.accumulate(np.where(observed, days, -1), axis=1)
    previous = np.concatenate([np.full((len(rows), 1), -1), last[:, :-1]], axis=1)
    gap = np.where(observed & (previous >= 0), days - previous, 0)
    before = np.take_along_axis(z, np.maximum(previous, 0)[..., None], axis=1)
    paired = gap[..., None] > 0
    change, before = np.where(paired, z - before, 0.0), np.where(paired, before, 0.0)
    first = np.where((observed & (previous < 0))[..., None], z, 0.0).sum(axis=1)
    gaps = np.unique(gap[gap > 0])
    which = (gap[..., None] == gaps).astype(float)
    size = z.shape[2]
    products = np.stack(
        [change[..., i] * change[..., j] for i, j in pairs(size)]
        + [change[..., i] * before[..., j] + before[..., i] * change[..., j] for i, j in pairs(size)]
        + [before[..., i] * before[..., j] for i, j in pairs(size)],
        axis=1,
    )
    by_gap = (products @ which).reshape(len(rows), 3, -1, len(gaps))
    start = np.stack([first[:, i] * first[:, j] for i, j in pairs(size)])
    sums = np.concatenate([start[..., None], *(by_gap[:, part].transpose(1, 0, 2) for part in range(3))], axis=2)
    return Gaps(gaps.astype(float), which.sum(axis=1), sums)


def ar1_products(statistics: Gaps, phi: Floats) -> tuple[Floats, Floats]:
    """A and log|R| at each phi; the cost does not depend on the number of days.

    A = z_1 z_1' + sum_d [D_d + e C_d + e^2 K_d] / (1 - phi^(2d)),  log|R| = sum_d n_d log(1 - phi^(2d)),
    with D, C, K the sums of change-change, change-before and before-before products and e = 1 - phi^d.
    """
    power = phi[None, :] ** statistics.gaps[:, None]
    lack, more = 1 - power, 1 + power
    basis = np.concatenate([np.ones((1, len(phi))), 1 / (lack * more), 1 / more, lack / more])
    return statistics.sums @ basis, statistics.counts @ np.log(lack * more)


@dataclass(frozen=True, eq=False)
class Whitened:
    """Cross-products of whitened columns, by the power of e^r that multiplies them: -1, 0, 1."""

    products: tuple[Floats, ...]
    present: tuple[Bools, ...]
    log_det: Floats


def robust_products(data: Batch, rows: Ints, nodes: Nodes) -> Whitened:
    """Whiten baseline and treatment parts of every column by the Kalman filter of AR(1) plus white noise.

    With p = (1 - lambda) P and x = sqrt(1 - lambda) x^ the filter over answered days, d days apart, f = phi^d, is
    p <- f^2 p + (1 - f^2)(1 - lambda), x <- f x, F = p + lambda, K = p / F, v = z - x, x <- x + K v, p <- lambda K;
    v / sqrt(F) is white and log|V| = sum log F. A first day has f = 0, and so has padding (z = 0), which then
    adds exactly nothing.
    """
    days, gap_index, gaps = _answered_steps(data.observed[rows])
    parts, owner, on_treated = _split_columns(data, rows, days)
    phi, share = (axis.ravel() for axis in np.meshgrid(nodes.phi, nodes.share, indexing="ij"))
    power = np.where(gaps[:, None] > 0, phi[None, :] ** gaps[:, None], 0.0)
    square = power**2
    fresh = (1 - square) * (1 - share)
    shape = (len(rows), len(phi))
    count = len(owner)
    p, log_det, run = np.zeros(shape), np.zeros(shape), np.ones(shape)
    x, v, scaled = np.zeros((count, *shape)), np.empty((count, *shape)), np.empty((count, *shape))
    total = [np.zeros((i + 1, *shape)) for i in range(count)]
    for t, which in enumerate(gap_index):
        p *= square[which]
        p += fresh[which]
        f = p + share
        gain = p / f
        run *= f
        if t % 16 == 15:  # the product of a few F cannot underflow; a logarithm each day would cost more
            log_det += np.log(run)
            run.fill(1.0)
        x *= power[which]
        np.subtract(parts[t][..., None], x, out=v)
        np.divide(v, f, out=scaled)
        for i in range(count):
            total[i] += v[i] * scaled[: i + 1]
        v *= gain
        x += v
        np.multiply(gain, share, out=p)
    log_det += np.log(run)
    return _collect(total, owner, on_treated, data.z.shape[2], log_det)


def _answered_steps(observed: Bools) -> tuple[Ints, Ints, Floats]:
    """Which answered days follow each other, and how far apart?

    Returns
    -------
    days : (S, T)
        Day numbers of the answered days in order, -1 for padding.
    index : (T, S)
        Which of `gaps` lies before each step.
    gaps : (J,)
        The distinct gaps; 0 stands for a first day and for padding.
    """
    count = observed.sum(axis=1)
    order = np.argsort(~observed, axis=1, kind="stable")[:, : count.max()]
    inside = np.arange(order.shape[1]) < count[:, None]
    gap = np.where(inside, np.diff(order, axis=1, prepend=order[:, :1]), 0)
    gaps, index = np.unique(gap.T, return_inverse=True)
    return np.where(inside, order, -1), index.reshape(gap.T.shape), gaps.astype(float)


def _split_columns(data: Batch, rows: Ints, days: Ints) -> tuple[Floats, Ints, Bools]:
    """Baseline parts and treatment parts of all columns and of the values, step by step.

    Returns
    -------
    parts : (T, C, S)
        The parts that are not zero everywhere.
    owner : (C,)
        The column each part was cut from.
    on_treated : (C,)
        True for treatment parts.
    """
    place = np.maximum(days, 0)
    z = np.take_along_axis(data.z[rows], place[..., None], axis=1) * (days >= 0)[..., None]
    treated = np.take_along_axis(data.treated[rows], place, axis=1)[..., None]
    both = np.concatenate([np.where(treated, 0.0, z), np.where(treated, z, 0.0)], axis=2)
    used = np.flatnonzero(both.any(axis=(0, 1)))
    columns = z.shape[2]
    return np.ascontiguousarray(both[..., used].transpose(1, 2, 0)), used % columns, used >= columns


def _collect(total: list[Floats], owner: Ints, on_treated: Bools, size: int, log_det: Floats) -> Whitened:
    """Sum the products of parts into products of columns, by the power of e^r."""
    entries = size * (size + 1) // 2
    products = tuple(np.zeros((entries, *log_det.shape)) for _ in range(3))
    present = tuple(np.zeros(entries, dtype=bool) for _ in range(3))
    for a, rows in enumerate(total):
        for b in range(a + 1):
            i, j = max(owner[a], owner[b]), min(owner[a], owner[b])
            power = int(on_treated[a]) + int(on_treated[b])
            twice = 2.0 if i == j and a != b else 1.0
            products[power][at(i, j)] += twice * rows[b]
            present[power][at(i, j)] = True
    return Whitened(products, present, log_det)


def scale_phases(whitened: Whitened, ratio: Floats) -> Floats:
    """A for every log SD ratio r: baseline parts times e^(-r/2), treatment parts times e^(r/2)."""
    entries, *shape = whitened.products[0].shape
    a = np.zeros((entries, *shape, len(ratio)))
    for power, products, present in zip((-1, 0, 1), whitened.products, whitened.present, strict=True):
        factor = np.exp(power * ratio)
        for entry in np.flatnonzero(present):
            a[entry] += products[entry][..., None] * factor
    return a


def cross_products(data: Batch, rows: Ints, nodes: Nodes) -> tuple[Floats, Floats]:
    """A and log|V| at every node: (Q, S, nodes) and (S, nodes), nodes in the order phi, share, ratio."""
    if nodes.is_ar1:
        return ar1_products(gap_statistics(data, rows), nodes.phi)
    whitened = robust_products(data, rows, nodes)
    a = scale_phases(whitened, nodes.ratio)
    more_baseline = 2 * data.baseline[rows] - data.answered[rows]
    log_det = whitened.log_det[..., None] + (more_baseline[:, None] * nodes.ratio)[:, None, :]
    return a.reshape(len(a), len(rows), -1), log_det.reshape(len(rows), -1)
