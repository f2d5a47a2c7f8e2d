"""PET: the share of treatment days better than the baseline's line, drawn on."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import NO_LINE, Floats, Index, Sides, Values, mean, median, reasons


def split_middle(sides: Sides) -> tuple[Floats, Floats]:
    """Slope and level on the first treatment day of the split-middle line: through the medians of the baseline's halves.

    An odd day in the middle is in neither half; the level is the median of what is left.
    """
    order, count = np.cumsum(sides.before, axis=1), sides.counts[0][:, None]
    halves = (sides.before & (order <= count // 2), sides.before & (order > count - count // 2))
    (x0, y0), (x1, y1) = ((median(sides.day, half), median(sides.better, half)) for half in halves)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (y1 - y0) / (x1 - x0)
    return slope, median(sides.better - np.nan_to_num(slope)[:, None] * sides.day, sides.before)


def compute(sides: Sides) -> Values:
    """Treatment days above the line, ties counting half."""
    slope, level = split_middle(sides)
    line = level[:, None] + slope[:, None] * sides.day
    return Values(
        mean(np.where(np.isnan(line), np.nan, (1 + np.sign(sides.better - line)) / 2), sides.after),
        reasons=reasons((np.isnan(slope), NO_LINE)),
        interval="no interval: the line's own error is in none that is published",
    )


PET = Index(
    "pet",
    "percentage exceeding the trend",
    "What share of treatment days was better than the baseline's line, drawn on, has it?",
    "A short baseline's line goes anywhere, off the scale too: drawn on for months it decides the answer.",
    "White & Haring 1980 (split-middle line); Wolery and others 2010, J Spec Educ 44:18",
    compute,
    minimum=(2, 1),
)
