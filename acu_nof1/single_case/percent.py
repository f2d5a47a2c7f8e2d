"""Percent change of the mean."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, is_ratio, reasons


def compute(sides: Sides) -> Values:
    """100 · (B/A − 1) of the phases' means, never a mean of daily percentages; in the outcome's own direction."""
    before, after = sides.means
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 100 * (after / before - 1)
    low, high = sides.ratio
    return Values(
        np.where(before > 0, value, np.nan),
        ours=(100 * (low - 1), 100 * (high - 1)),
        reasons=reasons((~(before > 0), "a percentage needs a baseline mean above 0")),
        interval="Fieller interval of the two levels, autocorrelation integrated out",
        no_interval=sides.refused,
    )


PERCENT = Index(
    "percent",
    "percent change of the mean",
    "By how many percent of the baseline's mean did the mean change? (negative: less)",
    "Nothing where 0 of the scale does not mean none.",
    "Hershberger, Wallace, Green & Marquis 1999 (mean baseline reduction with the sign turned)",
    compute,
    is_ratio,
)
