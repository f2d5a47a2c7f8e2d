"""What stands behind a number: distributions for many rows at once.

A row is one estimate of one series. Every distribution answers the same questions: `cdf`, `quantile`, `centre`,
`row`, `take`. Rows that are not estimable carry NaN and answer NaN.
"""

from __future__ import annotations

from acu_nof1.distribution.grids import DAYS_PER_MONTH, Cells, Grid, cell_midpoints
from acu_nof1.distribution.linked import LogitMixture
from acu_nof1.distribution.mixtures import RatioMixture, ShareMixture, TMixture
from acu_nof1.distribution.reweighted import Reweighted
from acu_nof1.distribution.rows import Deferred, Distribution, Padding, scattered
from acu_nof1.distribution.student import student

__all__ = [
    "DAYS_PER_MONTH",
    "Cells",
    "Deferred",
    "Distribution",
    "Grid",
    "LogitMixture",
    "Padding",
    "RatioMixture",
    "Reweighted",
    "ShareMixture",
    "TMixture",
    "cell_midpoints",
    "scattered",
    "student",
]
