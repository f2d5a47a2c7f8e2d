"""Log odds ratio of yes/no days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, around

if TYPE_CHECKING:
    from acu_nof1.outcomes import Outcome


def compute(sides: Sides) -> Values:
    """With ½ added to each of the four counts, turned so that more is better."""
    counts = []
    for days in (sides.before, sides.after):
        yes = (days & (sides.values > 0)).sum(axis=1)
        counts.append((yes + 0.5, days.sum(axis=1) - yes + 0.5))
    (a, b), (c, d) = counts
    value = sides.sign * (np.log(c / d) - np.log(a / b))
    se = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    return Values(
        value, se, around(value, se), interval="no interval: see days per 28 of the reassessment, which has one"
    )


def applies(outcome: Outcome) -> bool:
    """Whether a day is with or without it."""
    return outcome.kind == "yes_no"


LOR = Index(
    "lor",
    "log odds ratio, improvement positive",
    "By how much did the odds of a good day change?",
    "Odds are not shares: from 5 good days in 10 to 8 they are four times as large, the share is not.",
    "Pustejovsky 2015, Psychol Methods 20:342; ½ added to each count (Haldane 1956)",
    compute,
    applies,
)
