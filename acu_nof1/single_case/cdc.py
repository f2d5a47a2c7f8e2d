"""CDC: the conservative dual criterion of visual analysis."""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from acu_nof1.single_case.base import NO_LINE, Index, Sides, Values, mean, reasons

SHIFT, ALPHA = 0.25, 0.05


def compute(sides: Sides) -> Values:
    """Share of treatment days above both the baseline's mean and its straight line, each raised by a quarter of an SD.

    The criterion: at least as many as a fair coin reaches once in twenty (binomial, one-sided).
    """
    days, held = sides.day, sides.before
    centre, level = mean(days, held), mean(sides.better, held)
    left = np.where(held, days - centre[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = (left * sides.better).sum(axis=1) / (left**2).sum(axis=1)
    raised = SHIFT * sides.sds[0]
    line = level[:, None] + slope[:, None] * (days - centre[:, None])
    above = sides.after & (sides.better > (level + raised)[:, None]) & (sides.better > line + raised[:, None])
    count, of = above.sum(axis=1), sides.counts[1]
    needed = np.asarray(binom.isf(ALPHA, of, 0.5)) + 1
    return Values(
        np.where(np.isnan(slope + raised), np.nan, mean(above.astype(float), sides.after)),
        reasons=reasons((np.isnan(slope), NO_LINE)),
        interval="no interval: the criterion counts days as tosses of a coin",
        note=[
            f"{'met' if k >= least else 'not met'}: {k:.0f} of {n:.0f} days, {least:.0f} needed"
            for k, n, least in zip(count, of, needed, strict=True)
        ],
    )


CDC = Index(
    "cdc",
    "conservative dual criterion",
    "Do enough treatment days lie above both the baseline's mean and its line?",
    "With autocorrelated days it is met too often by chance: their tosses are not independent.",
    "Fisher, Kelley & Lomas 2003, J Appl Behav Anal 36:387",
    compute,
    minimum=(2, 1),
)
