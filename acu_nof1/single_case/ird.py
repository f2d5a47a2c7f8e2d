"""IRD: the difference of two improvement rates, robust."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values
from acu_nof1.single_case.overlap_free import kept


def compute(sides: Sides) -> Values:
    """1 − (days removed)/2 · (1/nA + 1/nB), robust: what must be removed is taken from both phases alike."""
    before, after = sides.counts
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 1 - (before + after - kept(sides)) / 2 * (1 / before + 1 / after)
    return Values(value, interval="no interval: the published one takes days for independent people")


IRD = Index(
    "ird",
    "improvement rate difference, robust",
    "By how much is the share of improved days larger during treatment than before?",
    "Which days are improved is decided by the data themselves; it may be below 0.",
    "Parker, Vannest & Brown 2009, Except Child 75:135; Parker, Vannest & Davis 2011, Behav Modif 35:303",
    compute,
)
