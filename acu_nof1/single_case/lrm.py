"""Log ratio of medians."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import binom

from acu_nof1.single_case.base import Bools, Floats, Index, Sides, Values, around, is_ratio, median, reasons


def log_median_variance(values: Floats, days: Bools) -> Floats:
    """Variance of a log median from order statistics: ((log y₍n−c+1₎ − log y₍c₎) / (2z))², c = (n + 1)/2 − √n, at least 1.

    z is the normal quantile of the exact confidence of that pair (Price & Bonett 2002, Comput Stat Data Anal 37:441;
    2020, J Educ Behav Stat 45:750).
    """
    n = days.sum(axis=1)
    c = np.maximum(1, np.round((n + 1) / 2 - np.sqrt(n))).astype(int)
    ordered = np.sort(np.where(days, values, np.inf), axis=1)
    rows = np.arange(len(values))
    low, high = ordered[rows, c - 1], ordered[rows, np.maximum(n - c, 0)]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = ndtri(1 - binom.cdf(c - 1, n, 0.5))
        return np.asarray(((np.log(high) - np.log(low)) / (2 * z)) ** 2)


def compute(sides: Sides) -> Values:
    """Log of the treatment median over the baseline median, turned so that more is better."""
    before, after = median(sides.values, sides.before), median(sides.values, sides.after)
    none = ~((before > 0) & (after > 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = sides.sign * (np.log(after) - np.log(before))
        se = np.sqrt(log_median_variance(sides.values, sides.before) + log_median_variance(sides.values, sides.after))
    se = np.where(none | ~np.isfinite(se), np.nan, se)
    return Values(
        np.where(none, np.nan, value), se, around(value, se),
        reasons=reasons((none, "the log of a ratio needs medians above 0 in both phases")),
        interval="no interval: none for medians of dependent days",
    )  # fmt: skip


LRM = Index(
    "lrm",
    "log ratio of medians, improvement positive",
    "How many times the middle baseline day is the middle treatment day, as a log?",
    "Nothing where 0 of the scale does not mean none, or the middle day of a phase is 0.",
    "Price & Bonett 2020, J Educ Behav Stat 45:750; their variance of a median",
    compute,
    is_ratio,
    minimum=(2, 2),
)
