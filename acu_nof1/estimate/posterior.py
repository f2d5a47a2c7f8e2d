"""From cross-products to the posterior: the weight of every node, and the contrasts given the node.

With V the correlation matrix of a node, A = [X'V^-1 X, X'V^-1 y; ., y'V^-1 y] gives b, RSS and

    log w = log prior - 1/2 (log|V| + log|X'V^-1 X| + nu log RSS),   nu = n - p,
    c'beta ~ t_nu(c'b, sqrt(RSS / nu c'(X'V^-1 X)^-1 c)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1 import compiled
from acu_nof1.estimate.packed import at, coefficients, factor
from acu_nof1.estimate.products import cross_products

if TYPE_CHECKING:
    from acu_nof1.estimate.nodes import Nodes
    from acu_nof1.estimate.series import Batch

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

NEGLIGIBLE = 1e-10
"""Nodes with less posterior weight than this are left out of the mixture."""


def log_weights(factored: Floats, log_det: Floats, df: Floats | Ints, p: int) -> Floats:
    """The log REML profile -1/2 (log|V| + log|X'V^-1 X| + nu log RSS) from the factors of A."""
    determinant = np.prod(factored[[at(j, j) for j in range(p)]], axis=0)
    return np.asarray(-0.5 * (log_det + np.log(determinant) + df * np.log(factored[at(p, p)])))


def contrast_moments(factored: Floats, contrasts: Floats, p: int) -> tuple[Floats, Floats]:
    """Give c'b and C (X'V^-1 X)^-1 C' of contrasts (M, K, p), from factors (Q, M): with L w = c, c'b = w'l."""
    w: list[Floats] = []
    for j in range(p):
        known = sum((factored[at(j, k)] / factored[at(k, k)])[:, None] * w[k] for k in range(j))
        w.append(contrasts[:, :, j] - known)
    stacked = np.stack(w, axis=2)
    diagonal = np.stack([factored[at(j, j)] for j in range(p)], axis=1)
    last = np.stack([factored[at(p, j)] for j in range(p)], axis=1) / diagonal
    return np.einsum("mkj,mj->mk", stacked, last), np.einsum("mkj,mlj,mj->mkl", stacked, stacked, 1 / diagonal)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Nodes that carry weight, series by series: still on the common scale of `Batch`."""

    series: Ints
    node: Ints
    weight: Floats
    rss: Floats
    mean: Floats
    inverse: Floats
    coefficients: Floats
    marginals: tuple[Floats, Floats, Floats]


def posterior(data: Batch, rows: Ints, nodes: Nodes) -> Posterior:
    """Weigh every node and keep those that matter."""
    p, df = data.norms.shape[1], data.df[rows]
    a, log_det = cross_products(data, rows, nodes)
    factor(a, p + 1)
    log_weight = log_weights(a, log_det, df[:, None], p) + nodes.log_prior.ravel()
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    cube = weight.reshape(len(rows), *nodes.shape)
    series, node = np.nonzero(weight > NEGLIGIBLE)
    kept, factored = weight[series, node], a[:, series, node]
    total = np.bincount(series, kept)
    mean, inverse = contrast_moments(factored, data.contrasts[rows[series]], p)
    sums = [np.bincount(series, kept * column) for column in coefficients(factored, p).T]
    return Posterior(
        series=series,
        node=node,
        weight=kept / total[series],
        rss=factored[at(p, p)],
        mean=mean,
        inverse=inverse,
        coefficients=np.stack(sums, axis=1) / total[:, None],
        marginals=(cube.sum(axis=(2, 3)), cube.sum(axis=(1, 3)), cube.sum(axis=(1, 2))),
    )


def compiled_posterior(data: Batch, rows: Ints, nodes: Nodes) -> Posterior:
    """The same as `posterior` for large batches of robust noise."""
    series, k, p = len(rows), data.contrasts.shape[1], data.norms.shape[1]
    z, treated = data.z[rows], data.treated[rows]
    used = [np.any(z[side].reshape(-1, p + 1), axis=0) for side in (~treated, treated)]
    owner = np.concatenate([np.flatnonzero(side) for side in used])
    power = nodes.phi ** np.arange(z.shape[1] + 1)[:, None]
    power[0] = 0.0
    length = series * int(np.prod(nodes.shape))
    row, node = np.empty(length, dtype=np.intp), np.empty(length, dtype=np.intp)
    out = np.empty((length, 2 + k + k * k))
    coefficients, marginals = np.empty((series, p)), np.zeros((series, sum(nodes.shape)))
    count = compiled.posterior(
        z,
        data.observed[rows],
        owner,
        np.repeat([False, True], [used[0].sum(), used[1].sum()]),
        treated,
        data.contrasts[rows],
        (2 * data.baseline[rows] - data.answered[rows]).astype(float),
        nodes.phi,
        nodes.share,
        nodes.ratio,
        nodes.log_prior.ravel(),
        power,
        NEGLIGIBLE,
        row,
        node,
        out,
        coefficients,
        marginals,
    )
    row, node, out = row[:count], node[:count], out[:count]
    ends = np.cumsum(nodes.shape)
    return Posterior(
        series=row,
        node=node,
        weight=out[:, 0] / np.bincount(row, out[:, 0])[row],
        rss=out[:, 1].copy(),
        mean=out[:, 2 : 2 + k].copy(),
        inverse=out[:, 2 + k :].reshape(count, k, k),
        coefficients=coefficients,
        marginals=(marginals[:, : ends[0]], marginals[:, ends[0] : ends[1]], marginals[:, ends[1] :]),
    )
