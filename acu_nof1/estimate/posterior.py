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
from acu_nof1.estimate.nodes import AR1, grid
from acu_nof1.estimate.packed import at, coefficients, factor
from acu_nof1.estimate.products import cross_products

if TYPE_CHECKING:
    from acu_nof1.estimate.nodes import Nodes
    from acu_nof1.estimate.series import Batch

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]

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
    """What the nodes of S series say, in the units of the series.

    Attributes
    ----------
    weight : (S, G)
        Of the nodes that carry any. Shorter rows are padded: weight 0, and centre and scale of their first node.
    mean, scale : (K, S, G)
        Centre and scale of the t of each contrast given the node.
    cov : (K(K-1)/2, S, G)
        Squared scales between contrasts: 1 and 0, 2 and 0, 2 and 1, ...
    coefficients : (S, p)
        Posterior mean of beta.
    effective : (S, K)
        Posterior mean of the noise variance of a day over the variance of the contrast.
    joint, ratio : (S, phi x share nodes) and (S, ratio nodes)
        Posterior of the noise parameters, over all nodes.
    evidence : (S,)
        Log of the days' probability under the design, noise and coefficients integrated out, up to what designs of as many columns
        on the same days share; only where it was worked out.
    """

    weight: Floats
    mean: Floats
    scale: Floats
    cov: Floats
    coefficients: Floats
    effective: Floats
    joint: Floats
    ratio: Floats
    evidence: Floats | None = None


def nothing(data: Batch) -> tuple[Ints, Nodes, Posterior]:
    """The part of a batch in which no series can be estimated: no rows."""
    p, k, nodes = data.norms.shape[1], data.contrasts.shape[1], grid(AR1, AR1.phi_nodes, 0, 1)
    shapes = (0, 1), (k, 0, 1), (k, 0, 1), (k * (k - 1) // 2, 0, 1), (0, p), (0, k), (0, len(nodes.phi)), (0, 1)
    return np.empty(0, dtype=np.intp), nodes, Posterior(*map(np.empty, shapes))


def weigh(data: Batch, rows: Ints, nodes: Nodes) -> tuple[Floats, Floats, Floats]:
    """Posterior weight of every node, (S, nodes), the factors of A there, (Q, S, nodes), and the log evidence (S,)."""
    p = data.norms.shape[1]
    a, log_det = cross_products(data, rows, nodes)
    factor(a, p + 1)
    log_weight = log_weights(a, log_det, data.df[rows][:, None], p) + nodes.log_prior.ravel()
    most = log_weight.max(axis=1, keepdims=True)
    weight = np.exp(log_weight - most)
    total = weight.sum(axis=1, keepdims=True)
    # The nodes weigh columns of unit length and residuals of unit size: log|X'V^-1 X| and log RSS are put back into the outcome's unit.
    units = np.log(data.norms[rows]).sum(axis=1) + data.df[rows] * np.log(data.unit[rows])
    return weight / total, a, (most + np.log(total))[:, 0] - units


def posterior(data: Batch, rows: Ints, nodes: Nodes) -> Posterior:
    """Weigh every node and keep those that matter."""
    p, df, unit = data.norms.shape[1], data.df[rows], data.unit[rows]
    weight, a, evidence = weigh(data, rows, nodes)
    by_ratio = weight.reshape(len(rows), -1, len(nodes.ratio))
    series, node = np.nonzero(weight > NEGLIGIBLE)
    kept, factored = weight[series, node], a[:, series, node]
    total = np.bincount(series, kept)
    mean, inverse = contrast_moments(factored, data.contrasts[rows[series]], p)
    tilted = np.exp(data.side[rows[series]] * nodes.ratio[node % len(nodes.ratio), None])
    variance = unit[series] ** 2 / df[series] * factored[at(p, p)]
    own = np.einsum("mkk->mk", inverse)
    below = np.tril_indices(mean.shape[1], -1)
    shares = kept / total[series]

    def average(columns: Floats) -> Floats:
        return np.stack([np.bincount(series, shares * column) for column in columns.T], axis=1)

    return Posterior(
        weight=_by_series(shares[None], series, 0.0)[0],
        mean=_by_series(data.level[rows[series]].T + unit[series] * mean.T, series),
        scale=_by_series(np.sqrt(variance * own.T), series),
        cov=_by_series(variance * inverse[:, below[0], below[1]].T, series),
        coefficients=average(coefficients(factored, p)),
        effective=average(tilted / own),
        joint=by_ratio.sum(axis=2),
        ratio=by_ratio.sum(axis=1),
        evidence=evidence,
    )


def _by_series(flat: Floats, series: Ints, padding: float | None = None) -> Floats:
    """Lay (Q, nodes) out as (Q, S, G), padded by a number or by the first node of each series."""
    counts = np.bincount(series)
    first = np.cumsum(counts) - counts
    out = np.repeat(flat[:, first, None], counts.max(), axis=2)
    if padding is not None:
        out[:] = padding
    out[:, series, np.arange(len(series)) - first[series]] = flat
    return out


def compiled_posterior(data: Batch, rows: Ints, nodes: Nodes) -> Posterior:
    """The same as `posterior` for large batches."""
    (series, k, p), most = data.contrasts[rows].shape, int(np.prod(nodes.shape))
    prior = np.ascontiguousarray(np.exp(nodes.log_prior - nodes.log_prior.max()).reshape(-1, len(nodes.ratio)).T)
    # A row takes only the memory of the nodes that are written to it.
    weight = np.empty((series, most))
    mean, scale, cov = (np.empty((q, series, most)) for q in (k, k, k * (k - 1) // 2))
    coefficients, effective = np.zeros((series, p)), np.zeros((series, k))
    joint, ratio = np.zeros((series, prior.shape[1])), np.zeros((series, len(prior)))
    given = (data.contrasts[rows], data.side[rows], data.level[rows], data.unit[rows], NEGLIGIBLE)
    found = (weight, mean, scale, cov, coefficients, effective, joint, ratio)
    if nodes.is_ar1:
        longest = compiled.ar1_posterior(*cross_products(data, rows, nodes), data.df[rows], prior, *given, *found)
    else:
        tilt = (2 * data.baseline[rows] - data.answered[rows]).astype(float)
        longest = compiled.robust_posterior(
            *_phase_parts(data, rows),
            *_filter_nodes(data, nodes),
            nodes.ratio,
            tilt,
            data.df[rows],
            prior,
            *given,
            *found,
        )
    weight, mean, scale, cov = weight[:, :longest], mean[..., :longest], scale[..., :longest], cov[..., :longest]
    return Posterior(weight, mean, scale, cov, coefficients, effective, joint, ratio)


def _phase_parts(data: Batch, rows: Ints) -> tuple[Floats, Bools, Bools, Ints, Bools]:
    """The days of some series, and which columns have a baseline and which a treatment part."""
    z, treated = data.z[rows], data.treated[rows]
    used = [np.any(z[side], axis=0) for side in (~treated, treated)]
    owner = np.concatenate([np.flatnonzero(side) for side in used])
    on_treated = np.repeat([False, True], [side.sum() for side in used])
    return z, data.observed[rows], treated, owner, on_treated


def _filter_nodes(data: Batch, nodes: Nodes) -> tuple[Floats, Floats]:
    """phi^d for every gap d (0 for a first day) and the white-noise share, at every node of phi and share."""
    power = np.repeat(nodes.phi, len(nodes.share)) ** np.arange(data.z.shape[1] + 1)[:, None]
    power[0] = 0.0
    return power, np.tile(nodes.share, len(nodes.phi))
