"""Log response ratio: the log of how many times the baseline level the treatment level is."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, around, is_ratio, reasons

OURS = "log of the Fieller interval of the two levels, autocorrelation integrated out"


def compute(sides: Sides) -> Values:
    """Bias-corrected log ratio of means, turned so that more is better; SE by the delta method."""
    (before, after), (first, second), (m, n) = sides.means, sides.sds, sides.counts
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = first**2 / (m * before**2), second**2 / (n * after**2)
        value = sides.sign * (np.log(after) + parts[1] / 2 - np.log(before) - parts[0] / 2)
        se = np.sqrt(parts[0] + parts[1])
        low, high = sides.ratio
        ends = np.log(np.maximum(low, 0)), np.log(np.maximum(high, 0))
    none = ~((before > 0) & (after > 0))
    ours = np.where(sides.sign > 0, ends, (-ends[1], -ends[0]))
    return Values(
        np.where(none, np.nan, value), np.where(none, np.nan, se), around(value, se), (ours[0], ours[1]),
        reasons((none, "the log of a ratio needs means above 0 in both phases")),
        interval=OURS, no_interval=sides.refused,
    )  # fmt: skip


LRR = Index(
    "lrr",
    "log response ratio, improvement positive",
    "How many times the baseline level is the treatment level, as a log? (LRRi where higher is better, −LRRd where lower is)",
    "Nothing where 0 of the scale does not mean none, or a phase is at 0.",
    "Pustejovsky 2018, J Sch Psychol 68:99: bias-corrected",
    compute,
    is_ratio,
    minimum=(2, 2),
)
