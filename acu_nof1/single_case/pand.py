"""PAND: the share of all days that need not be removed for the phases not to overlap."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values
from acu_nof1.single_case.overlap_free import kept


def compute(sides: Sides) -> Values:
    """Days kept over all days."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return Values(kept(sides) / sum(sides.counts), interval="no interval: none is published that holds")


PAND = Index(
    "pand",
    "percentage of all non-overlapping data",
    "What share of all days can stay when every treatment day must be better than every baseline day?",
    "Chance alone keeps the longer phase: with 14 and 70 days it cannot fall below 83 %.",
    "Parker, Hagan-Burke & Vannest 2007, J Spec Educ 40:194; ties overlap",
    compute,
)
