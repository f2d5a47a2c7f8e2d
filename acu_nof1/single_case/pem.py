"""PEM: the share of treatment days better than the median baseline day."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, mean, median


def compute(sides: Sides) -> Values:
    """Treatment days above the median of the baseline, ties counting half."""
    middle = median(sides.better, sides.before)
    return Values(
        mean((1 + np.sign(sides.better - middle[:, None])) / 2, sides.after),
        interval="no interval: the median's own error and autocorrelation are in none that is published",
    )


PEM = Index(
    "pem",
    "percentage exceeding the median",
    "What share of treatment days was better than the middle baseline day?",
    "How far: and how much the baseline varied does not matter to it.",
    "Ma 2006, Behav Modif 30:598; ties count half",
    compute,
)
