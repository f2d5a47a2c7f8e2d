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
from acu_nof1.distribution import Cells, RatioMixture, TMixture
from acu_nof1.estimate.nodes import AR1, ROBUST, ROBUST_COUNTS, Noise, grids
from acu_nof1.estimate.posterior import compiled_posterior, posterior
from acu_nof1.estimate.series import check_shapes, standardise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from acu_nof1.estimate.nodes import Nodes
    from acu_nof1.estimate.posterior import Posterior
    from acu_nof1.estimate.series import Batch

__all__ = ["AR1", "ROBUST", "ROBUST_COUNTS", "Fit", "Noise", "fit"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

NUMBERS_AT_ONCE = 1 << 19
"""Numbers held by one intermediate array: bounds the memory whatever the size of the cohort."""
SERIES_AT_ONCE = 2048
"""Series whose design is held in memory at once."""


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
    cov : (S, G, K, K)
        Squared scales of the joint t: RSS/nu C (X'V^-1 X)^-1 C'.
    df : (S,)
        Degrees of freedom nu = answered days - p.
    node : (S, G) of int
        Number of the node on the grid of the noise parameters; see `phi`, `share` and `log_ratio`.
    sigma2 : (S, G)
        RSS / nu, the noise variance given the node, in squared units of the outcome.
    coefficients : (S, p)
        Posterior mean of beta.
    side : (S, K)
        1 for contrasts of baseline columns only, -1 for treatment columns only, 0 for both.
    axes : (S, 3) of int
        Length of the three axes of that grid.
    phi_posterior, share_posterior, ratio_posterior : Cells
        Posteriors of the noise parameters over all nodes.
    reason : tuple of S strings
        "" where estimable, else why not, in plain words.
    """

    weight: Floats
    mean: Floats
    cov: Floats
    df: Floats
    node: NDArray[np.int32]
    sigma2: Floats
    coefficients: Floats
    side: Floats
    axes: Ints
    phi_posterior: Cells
    share_posterior: Cells
    ratio_posterior: Cells
    reason: tuple[str, ...]

    @property
    def phi(self) -> Floats:
        """Which autocorrelation does each node stand for? Shape (S, G)."""
        return self._on_axis(self.phi_posterior, self.node // (self.axes[:, 1] * self.axes[:, 2])[:, None])

    @property
    def share(self) -> Floats:
        """Which white-noise share lambda does each node stand for? Shape (S, G)."""
        return self._on_axis(self.share_posterior, self.node // self.axes[:, 2:] % self.axes[:, 1:2])

    @property
    def log_ratio(self) -> Floats:
        """Which log SD ratio r does each node stand for? Shape (S, G)."""
        return self._on_axis(self.ratio_posterior, self.node % self.axes[:, 2:])

    @staticmethod
    def _on_axis(axis: Cells, place: Ints) -> Floats:
        return np.take_along_axis(axis.nodes, place.astype(np.intp), axis=1)

    def mixture(self, k: int = 0) -> TMixture:
        """What is known about contrast k?"""
        return TMixture(self.weight, self.mean[:, :, k], np.sqrt(self.cov[:, :, k, k]), self.df)

    def ratio(self, after: int, before: int) -> RatioMixture:
        """What is known about the ratio of contrast `after` to contrast `before`?"""
        return RatioMixture(
            weight=self.weight,
            before=self.mean[:, :, before],
            after=self.mean[:, :, after],
            var_before=self.cov[:, :, before, before],
            var_after=self.cov[:, :, after, after],
            cov=self.cov[:, :, after, before],
            df=self.df,
        )

    def neighbour_correlation(self, p: ArrayLike) -> tuple[Floats, Floats]:
        """How strongly does the noise of one day resemble that of the next? Mean (S,) and quantiles p (S, k).

        phi (1 - lambda), white noise included: known where phi alone is not, because with much white noise any
        phi fits.
        """
        value = self.phi * (1 - self.share)
        order = np.argsort(value, axis=1)
        sorted_value = np.take_along_axis(value, order, axis=1)
        total = np.cumsum(np.take_along_axis(self.weight, order, axis=1), axis=1)
        place = np.sum(total[:, None, :] < np.atleast_1d(p)[None, :, None] * total[:, None, -1:], axis=2)
        ends = np.take_along_axis(sorted_value, np.minimum(place, value.shape[1] - 1), axis=1)
        ends[np.isnan(total[:, -1])] = np.nan
        return np.sum(self.weight * value, axis=1), ends

    def probability_phi_above(self, phi: float) -> Floats:
        """How probable is an autocorrelation above phi? Shape (S,); high near 1 means slow drifts."""
        return np.asarray(1 - self.phi_posterior.cdf(phi))

    def effective_days(self, k: int = 0) -> Floats:
        """How many independent days would tell as much about contrast k?

        The noise variance of a single day over the variance of the contrast, averaged over the posterior: for the
        mean of a phase of n independent days this is n. A contrast across phases is measured against the geometric
        mean of the two phases' SDs.
        """
        day = self.sigma2 * np.exp(self.side[:, k, None] * self.log_ratio)
        return np.asarray(np.sum(self.weight * day / self.cov[:, :, k, k], axis=1))


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
    parts = _Parts(len(y), x.shape[2], c.shape[1])
    compile_it = not noise.is_ar1 and len(y) >= compiled.WORTH_COMPILING and compiled.available()
    weigh = compiled_posterior if compile_it else posterior
    for start in range(0, len(y), SERIES_AT_ONCE):
        here = slice(start, start + SERIES_AT_ONCE)
        data = standardise(y[here], x[here], group[here], c[here])
        parts.reasons += data.reason
        open_rows = np.flatnonzero(data.estimable)
        for nodes, rows in grids(noise, data.answered[open_rows], data.baseline[open_rows]):
            for some in _split(open_rows[rows], nodes, data.z.shape[2]):
                parts.add(start, some, data, nodes, weigh(data, some, nodes))
    return parts.fit()


def _split(rows: Ints, nodes: Nodes, columns: int) -> Iterator[Ints]:
    per_series = int(np.prod(nodes.shape)) * columns * (columns + 1) // 2
    size = max(1, NUMBERS_AT_ONCE // per_series)
    return (rows[start : start + size] for start in range(0, len(rows), size))


class _Parts:
    """Collects the nodes that carry weight, series by series, and lays them out as a `Fit`."""

    def __init__(self, series: int, p: int, k: int) -> None:
        self.contrasts = k
        self.reasons: tuple[str, ...] = ()
        self.row: list[Ints] = []
        self.nodes: list[Posterior] = []
        self.shapes = np.ones((series, 3), dtype=np.intp)
        self.coefficients = np.full((series, p), np.nan)
        self.df, self.unit = np.full(series, np.nan), np.full(series, np.nan)
        self.side, self.start = np.full((series, k), np.nan), np.full((series, k), np.nan)
        self.axes: list[tuple[Ints, Nodes, tuple[Floats, Floats, Floats]]] = []

    def add(self, first: int, rows: Ints, data: Batch, nodes: Nodes, found: Posterior) -> None:
        """Take in the posterior of these rows of a batch whose first series has this number."""
        here = first + rows
        self.coefficients[here] = (data.start[rows] + data.unit[rows, None] * found.coefficients) / data.norms[rows]
        self.start[here] = np.einsum("skp,sp->sk", data.contrasts[rows], data.start[rows])
        self.unit[here], self.df[here], self.side[here] = data.unit[rows], data.df[rows], data.side[rows]
        self.axes.append((here, nodes, found.marginals))
        self.shapes[here] = nodes.shape
        self.row.append(here[found.series])
        self.nodes.append(found)

    def fit(self) -> Fit:
        """Lay everything out, one row for each series, in the units of the series."""
        k = self.contrasts
        row = np.concatenate([*self.row, np.empty(0, dtype=np.intp)])
        counts = np.bincount(row, minlength=len(self.df))
        real = np.arange(max(int(counts.max(initial=0)), 1)) < counts[:, None]
        # Padding repeats the first node of its row: harmless, with the centre and scale of a real one and weight 0.
        # Rows without a node point past the end, where NaN stands.
        place = (np.cumsum(counts) - counts)[:, None] + np.where(real, np.arange(real.shape[1]), 0)
        place = np.append(np.argsort(row, kind="stable"), len(row))[place]
        place[counts == 0] = len(row)

        def padded(of: Callable[[Posterior], Floats], *shape: int) -> Floats:
            flat = np.concatenate([*map(of, self.nodes), np.full((1, *shape), np.nan)])
            return np.asarray(np.take(flat, place, axis=0))

        sigma2 = padded(lambda found: found.rss)
        sigma2 /= self.df[:, None]
        sigma2 *= self.unit[:, None] ** 2
        mean = padded(lambda found: found.mean, k)
        mean *= self.unit[:, None, None]
        mean += self.start[:, None, :]
        cov = padded(lambda found: found.inverse, k, k)
        cov *= sigma2[:, :, None, None]
        node = np.concatenate([*(found.node for found in self.nodes), np.zeros(1, dtype=np.intp)])
        return Fit(
            weight=np.where(real | (counts == 0)[:, None], padded(lambda found: found.weight), 0.0),
            mean=mean,
            cov=cov,
            sigma2=sigma2,
            node=np.where(real, node[place], 0).astype(np.int32),
            axes=self.shapes,
            df=self.df,
            coefficients=self.coefficients,
            side=self.side,
            phi_posterior=self._cells(0),
            share_posterior=self._cells(1),
            ratio_posterior=self._cells(2),
            reason=self.reasons,
        )

    def _cells(self, axis: int) -> Cells:
        """The posterior of one noise parameter, padded to the longest axis."""
        series = len(self.df)
        axes = [
            (rows, *((n.phi, n.phi_edges), (n.share, n.share_edges), (n.ratio, n.ratio_edges))[axis], weights[axis])
            for rows, n, weights in self.axes
        ]
        length = max((len(nodes) for _, nodes, _, _ in axes), default=1)
        nodes, weight = np.full((series, length), np.nan), np.full((series, length), np.nan)
        edges = np.full((series, length + 1), np.nan)
        for rows, node, edge, some in axes:
            extra = length - len(node)
            nodes[rows] = np.pad(node, (0, extra), mode="edge")
            edges[rows] = np.pad(edge, (0, extra), mode="edge")
            weight[rows] = np.pad(some, ((0, 0), (0, extra)))
        return Cells(nodes, weight, edges)
