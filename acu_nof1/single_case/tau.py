"""Tau, A v B: by how much do better pairs of days outnumber worse ones?"""

from __future__ import annotations

from acu_nof1.estimate.overlap import independent_days_error
from acu_nof1.single_case.base import Index, Sides, Values, around
from acu_nof1.single_case.nap import OURS


def compute(sides: Sides) -> Values:
    """2·NAP − 1: (better pairs less worse pairs) over all pairs."""
    found, (low, high, why) = sides.placements, sides.overlap
    value, se = 2 * found.nap - 1, 2 * independent_days_error(found)
    return Values(value, se, around(value, se), (2 * low - 1, 2 * high - 1), interval=OURS, no_interval=why)


TAU = Index(
    "tau",
    "Tau, A v B",
    "By how much do pairs with the better day in treatment outnumber the others, as a share of all pairs?",
    "By how much days differ, and whether the baseline was moving already.",
    "Parker, Vannest, Davis & Sauber 2011, Behav Ther 42:284: S/(nA·nB)",
    compute,
)
