"""NAP: how often was a treatment day better than a baseline day?"""

from __future__ import annotations

from scipy.special import ndtri

from acu_nof1.estimate.overlap import independent_days_error
from acu_nof1.single_case.base import Index, Sides, Values
from acu_nof1.single_case.newcombe import newcombe

OURS = "placement values, their means’ variance inflated by the integrated autocorrelation"


def compute(sides: Sides) -> Values:
    """All pairs of a baseline and a treatment day: the share in which the treatment day is better, ties counting half."""
    found, (low, high, why) = sides.placements, sides.overlap
    return Values(
        found.nap, independent_days_error(found), newcombe(found.nap, *found.counts, float(ndtri(0.975))),
        (low, high), interval=OURS, no_interval=why,
    )  # fmt: skip


NAP = Index(
    "nap",
    "non-overlap of all pairs",
    "How likely was a treatment day better than a baseline day?",
    "By how much: one point better on every day and nine points better are both 1.",
    "Parker & Vannest 2009, Behav Ther 40:357; SE Mee 1990, interval Newcombe 2006 (method 5)",
    compute,
)
