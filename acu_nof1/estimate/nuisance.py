"""What the noise itself may be: its parameters at every node, with their weights, for those who need them jointly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.distribution import scattered
from acu_nof1.estimate.kernel import split
from acu_nof1.estimate.nodes import ROBUST, grids
from acu_nof1.estimate.packed import at
from acu_nof1.estimate.posterior import weigh
from acu_nof1.estimate.series import standardise

if TYPE_CHECKING:
    from acu_nof1.distribution import Padding
    from acu_nof1.estimate.nodes import Noise

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NoiseNodes:
    """Posterior of the noise parameters, node by node, for S series.

    Attributes
    ----------
    weight : (S, G)
        Posterior weight of each node; NaN for series that are not estimable.
    phi, share, log_ratio : (S, G)
        Autocorrelation, share of white noise, and log ratio of the baseline to the treatment SD.
    variance : (S, G)
        RSS / nu given the node, in squared units of the outcome: between those of a baseline and of a treatment day.
    df : (S,)
        Degrees of freedom nu; given the node, nu · variance / sigma² is chi-squared.
    """

    weight: Floats
    phi: Floats
    share: Floats
    log_ratio: Floats
    variance: Floats
    df: Floats

    def take(self, row: int) -> NoiseNodes:
        """Return the nodes of one series."""
        return NoiseNodes(*(getattr(self, each.name)[[row]] for each in fields(self)))

    @property
    def baseline_sd(self) -> Floats:
        """SD of one baseline day, (S, G)."""
        return np.asarray(np.sqrt(self.variance) * np.exp(self.log_ratio / 2))

    @property
    def treatment_sd(self) -> Floats:
        """SD of one treatment day, (S, G)."""
        return np.asarray(np.sqrt(self.variance) * np.exp(-self.log_ratio / 2))


def noise_nodes(values: Floats, columns: Floats, treated: NDArray[np.bool_], noise: Noise = ROBUST) -> NoiseNodes:
    """What may the noise of each series be, around this model?

    Parameters
    ----------
    values, columns, treated, noise
        As for `fit`.
    """
    size, p = len(values), columns.shape[2]
    data = standardise(values, columns, treated, np.zeros((size, 1, p)))
    open_rows = np.flatnonzero(data.estimable)
    parts: list[tuple[NDArray[np.intp], tuple[Floats, ...]]] = []
    for nodes, rows in grids(noise, data.answered[open_rows], data.baseline[open_rows]):
        axes = np.meshgrid(nodes.phi, nodes.share, nodes.ratio, indexing="ij")
        for some in split(open_rows[rows], nodes, p + 1):
            weight, factored, _ = weigh(data, some, nodes)
            variance = (data.unit[some] ** 2 / data.df[some])[:, None] * factored[at(p, p)]
            parts.append((some, (weight, *(np.broadcast_to(axis.ravel(), weight.shape) for axis in axes), variance)))

    def collected(place: int, padding: Padding) -> Floats:
        if not parts:
            return np.full((size, 1), np.nan)
        return scattered([(rows, found[place]) for rows, found in parts], size, padding)

    return NoiseNodes(
        weight=collected(0, "zero"),
        phi=collected(1, "last"),
        share=collected(2, "last"),
        log_ratio=collected(3, "last"),
        variance=collected(4, "last"),
        df=np.where(data.estimable, data.df, np.nan),
    )
