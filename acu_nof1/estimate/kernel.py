"""The integrated-autocorrelation kernel: straight-line models of daily values, on arrays of many series.

The model is y = X beta + sigma u on the calendar, with corr(u_s, u_t) = phi^|s-t|, so that missing days are exact; the
robust noise adds white noise and a ratio of the two phases' SDs (see `nodes`). With flat beta, 1/sigma and the arcsine
prior of phi everything is closed form given a node of the noise parameters: `products` whitens, `posterior` weighs.

The posterior of a contrast is the mixture of t distributions over the nodes: no sampling, no optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acu_nof1 import compiled
from acu_nof1.distribution import Cells, RatioMixture, TMixture, scattered
from acu_nof1.estimate.nodes import AR1, ROBUST, ROBUST_COUNTS, Noise, grids
from acu_nof1.estimate.packed import at
from acu_nof1.estimate.posterior import Posterior, compiled_posterior, nothing, posterior
from acu_nof1.estimate.series import check_shapes, standardise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from acu_nof1.distribution import Padding
    from acu_nof1.estimate.nodes import Nodes
    from acu_nof1.estimate.series import Batch

__all__ = ["AR1", "ROBUST", "ROBUST_COUNTS", "Fit", "Noise", "fit"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

NUMBERS_AT_ONCE = 1 << 19
"""Numbers held by one intermediate array of the NumPy code."""


@dataclass(frozen=True, eq=False)
class Fit:
    """What do the answered days say about the contrasts of each series?

    S series, G nodes that carry weight (padded with weight 0), K contrasts, p columns. Rows that are not estimable
    are NaN and `reason` says why.

    Attributes
    ----------
    weight : (S, G)
        Posterior weight of each node; sums to 1.
    mean : (S, G, K)
        Contrast estimates given the node, in the unit of the outcome.
    scale : (S, G, K)
        Scale of the t of each contrast: its square is RSS/nu c'(X'V^-1 X)^-1 c.
    cov : (S, G, K(K-1)/2)
        The same between two contrasts: 1 and 0, 2 and 0, 2 and 1, ...
    df : (S,)
        Degrees of freedom nu = answered days - p.
    coefficients : (S, p)
        Posterior mean of beta.
    effective : (S, K)
        See `effective_days`.
    phi_posterior, share_posterior, ratio_posterior : Cells
        Posteriors of the noise parameters over all nodes.
    neighbours, neighbours_weight : (S, C)
        Values of phi (1 - lambda) in increasing order, and their posterior weights.
    reason : tuple of S strings
        "" where estimable, else why not, in plain words.
    """

    weight: Floats
    mean: Floats
    scale: Floats
    cov: Floats
    df: Floats
    coefficients: Floats
    effective: Floats
    phi_posterior: Cells
    share_posterior: Cells
    ratio_posterior: Cells
    neighbours: Floats
    neighbours_weight: Floats
    reason: tuple[str, ...]

    def mixture(self, k: int = 0) -> TMixture:
        """What is known about contrast k?"""
        return TMixture(self.weight, self.mean[:, :, k], self.scale[:, :, k], self.df)

    def ratio(self, after: int, before: int) -> RatioMixture:
        """What is known about the ratio of contrast `after` to contrast `before`?"""
        return RatioMixture(
            weight=self.weight,
            before=self.mean[:, :, before],
            after=self.mean[:, :, after],
            var_before=self.scale[:, :, before] ** 2,
            var_after=self.scale[:, :, after] ** 2,
            cov=self.cov[:, :, at(max(after, before) - 1, min(after, before))],
            df=self.df,
        )

    def neighbour_correlation(self, p: ArrayLike) -> tuple[Floats, Floats]:
        """How strongly does the noise of one day resemble that of the next? Mean (S,) and quantiles p (S, k).

        phi (1 - lambda), white noise included: known where phi alone is not, because with much white noise any
        phi fits.
        """
        total = np.cumsum(self.neighbours_weight, axis=1)
        place = np.sum(total[:, None, :] < np.atleast_1d(p)[None, :, None] * total[:, None, -1:], axis=2)
        ends = np.take_along_axis(self.neighbours, np.minimum(place, total.shape[1] - 1), axis=1)
        ends[np.isnan(total[:, -1])] = np.nan
        return np.sum(self.neighbours_weight * self.neighbours, axis=1), ends

    def probability_phi_above(self, phi: float) -> Floats:
        """How probable is an autocorrelation above phi? Shape (S,); high near 1 means slow drifts."""
        return np.asarray(1 - self.phi_posterior.cdf(phi))

    def effective_days(self, k: int = 0) -> Floats:
        """How many independent days would tell as much about contrast k?

        The noise variance of a single day over the variance of the contrast, averaged over the posterior: for the
        mean of a phase of n independent days this is n. A contrast across phases is measured against the geometric
        mean of the two phases' SDs.
        """
        return self.effective[:, k]


def fit(values: ArrayLike, columns: ArrayLike, treated: ArrayLike, contrasts: ArrayLike, noise: Noise = ROBUST) -> Fit:
    """What do the answered days say about the contrasts of each series?

    Parameters
    ----------
    values : (S, D)
        Daily values on consecutive calendar days; NaN for days without an answer and for padding.
    columns : (S, D, p)
        Design X, finite wherever a value is.
    treated : (S, D) of bool
        False for the days whose noise has the baseline SD.
    contrasts : (S, K, p)
        Each row c asks for c'beta.
    noise : Noise
        What the noise may look like.

    Returns
    -------
    Fit
        The posterior mixtures; series that cannot be estimated say why in `reason`.

    Raises
    ------
    ValueError
        When shapes disagree, a value is infinite, or the design is not finite on an answered day.
    """
    y, x = np.asarray(values, dtype=float), np.asarray(columns, dtype=float)
    group, c = np.asarray(treated, dtype=bool), np.asarray(contrasts, dtype=float)
    check_shapes(y, x, group, c)
    compile_it = compiled.wanted(len(y))
    weigh = compiled_posterior if compile_it else posterior
    data = standardise(y, x, group, c)
    open_rows = np.flatnonzero(data.estimable)
    parts = [
        (some, nodes, weigh(data, some, nodes))
        for nodes, rows in grids(noise, data.answered[open_rows], data.baseline[open_rows])
        for some in ([open_rows[rows]] if compile_it else split(open_rows[rows], nodes, data.z.shape[2]))
    ]
    return _lay_out(data, parts or [nothing(data)])


def split(rows: Ints, nodes: Nodes, columns: int) -> Iterator[Ints]:
    """Cut rows into pieces whose cross-products at every node fit in memory."""
    per_series = int(np.prod(nodes.shape)) * columns * (columns + 1) // 2
    size = max(1, NUMBERS_AT_ONCE // per_series)
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _lay_out(data: Batch, parts: Sequence[tuple[Ints, Nodes, Posterior]]) -> Fit:
    """Put the parts of a batch back into the order of its series."""
    series = len(data.reason)

    def collected(of: Callable[[Posterior, Nodes], Floats], padding: Padding = "zero") -> Floats:
        return scattered([(rows, of(found, nodes)) for rows, nodes, found in parts], series, padding)

    def repeated(of: Callable[[Nodes], Floats]) -> Floats:
        return collected(lambda found, nodes: np.broadcast_to(of(nodes), (len(found.weight), len(of(nodes)))), "last")

    def by_share(found: Posterior, nodes: Nodes) -> Floats:
        return found.joint.reshape(-1, *nodes.shape[:2])

    coefficients = collected(lambda found, _: found.coefficients)
    return Fit(
        weight=collected(lambda found, _: found.weight),
        mean=np.moveaxis(collected(lambda found, _: found.mean, "last"), 0, 2),
        scale=np.moveaxis(collected(lambda found, _: found.scale, "last"), 0, 2),
        cov=np.moveaxis(collected(lambda found, _: found.cov, "last"), 0, 2),
        df=np.where(data.estimable, data.df, np.nan),
        coefficients=(data.start + data.unit[:, None] * coefficients) / data.norms,
        effective=collected(lambda found, _: found.effective),
        phi_posterior=Cells(
            repeated(lambda nodes: nodes.phi),
            collected(lambda found, nodes: by_share(found, nodes).sum(axis=2)),
            repeated(lambda nodes: nodes.phi_edges),
        ),
        share_posterior=Cells(
            repeated(lambda nodes: nodes.share),
            collected(lambda found, nodes: by_share(found, nodes).sum(axis=1)),
            repeated(lambda nodes: nodes.share_edges),
        ),
        ratio_posterior=Cells(
            repeated(lambda nodes: nodes.ratio),
            collected(lambda found, _: found.ratio),
            repeated(lambda nodes: nodes.ratio_edges),
        ),
        neighbours=repeated(lambda nodes: np.sort(nodes.neighbour_correlation)),
        neighbours_weight=collected(
            lambda found, nodes: found.joint[:, np.argsort(nodes.neighbour_correlation, kind="stable")]
        ),
        reason=data.reason,
    )
