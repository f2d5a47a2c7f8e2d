"""PZD: from the first treatment day without any, how many days were without?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, mean

if TYPE_CHECKING:
    from acu_nof1.outcomes import Outcome


def compute(sides: Sides) -> Values:
    """Days at 0 among the treatment days from the first such day on; 0 where there is none."""
    zero = sides.after & (sides.values == 0)
    since = sides.after & (np.cumsum(zero, axis=1) > 0)
    return Values(
        np.where(zero.any(axis=1), mean((sides.values == 0).astype(float), since), 0.0),
        interval="no interval: where it starts to count is chosen by the data",
    )


def applies(outcome: Outcome) -> bool:
    """Whether 0 is the best there is."""
    return outcome.better == "lower" and outcome.low == 0


PZD = Index(
    "pzd",
    "percentage of zero data",
    "From the first treatment day without any, what share of days was without?",
    "Anything of the baseline: it does not enter.",
    "Scotti and others 1991, J Appl Behav Anal 24:233",
    compute,
    applies,
    minimum=(0, 1),
)
