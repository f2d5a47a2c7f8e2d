"""Reliable change: is the change larger than the error of measurement makes it, the reliability taken from the diary?"""

from __future__ import annotations

import math

import numpy as np

from acu_nof1.estimate.base import ONE_SE
from acu_nof1.estimate.columns import CHANGE
from acu_nof1.single_case.base import Index, Sides, Values

RELIABLE = 1.96
ONE_SE_EACH_WAY = np.array([ONE_SE, 1 - ONE_SE])


def reliable_change(change: float, sd: float, reliability: float) -> float:
    """How many standard errors of a difference is this change? Δ / (√2 · SD · √(1 − r)).

    Jacobson & Truax 1991, J Consult Clin Psychol 59:12. Beyond ±1.96 it is called reliable.
    """
    return change / (math.sqrt(2) * sd * math.sqrt(1 - reliability))


def reliability_of_mean(reliability: float, measurements: float) -> float:
    """How reliable is the mean of so many measurements of this reliability? k·r / (1 + (k − 1)·r), Spearman–Brown."""
    return measurements * reliability / (1 + (measurements - 1) * reliability)


def cut_offs(mean_ill: float, sd_ill: float, mean_well: float, sd_well: float) -> dict[str, float]:
    """Which level must be passed to count as well: a, two SDs from the ill; b, within two of the well; c, half-way in SDs.

    Jacobson & Truax 1991; c = (SD_ill · M_well + SD_well · M_ill) / (SD_ill + SD_well).
    """
    towards = math.copysign(1.0, mean_well - mean_ill)
    return {
        "a": mean_ill + 2 * towards * sd_ill,
        "b": mean_well - 2 * towards * sd_well,
        "c": (sd_ill * mean_well + sd_well * mean_ill) / (sd_ill + sd_well),
    }


def compute(sides: Sides) -> Values:
    """Change of the phases' levels over the standard error of that change, from one fit with autocorrelation.

    SD·√(1 − r) is the error of one measurement, and √2 of it that of a difference. Here a measurement is a phase's average
    day, and the error of the difference is what the days themselves say of it.
    """
    change = sides.fits.distribution(lambda each: each.mixture(CHANGE))
    ends = change.quantile(ONE_SE_EACH_WAY)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = sides.sign * change.centre / ((ends[:, 1] - ends[:, 0]) / 2)
    return Values(
        value,
        reasons=sides.refused,
        interval="no interval: it is a ratio to its own error",
        note=["reliable" if abs(each) > RELIABLE else "not reliable" for each in np.nan_to_num(value)],
    )


RCI = Index(
    "rci",
    "reliable change index, error from the diary",
    "Is the change larger than the scatter of days makes it?",
    "Whether the change matters, and why it came.",
    "Jacobson & Truax 1991, J Consult Clin Psychol 59:12; the error of a phase's average day by our fit",
    compute,
    minimum=(5, 5),
)
