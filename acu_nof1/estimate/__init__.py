"""Estimators: one question a file, one interface, in the order in which a report asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from acu_nof1.estimate.base import COLUMNS, Estimate, Estimates, Estimator
from acu_nof1.estimate.days import DAYS_PER_28, DAYS_RATIO
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT, MEAN_CHANGE
from acu_nof1.estimate.overlap import NAP, TAU
from acu_nof1.estimate.percent import PERCENT_CHANGE
from acu_nof1.estimate.rate import RATE_RATIO
from acu_nof1.estimate.score import SCORE_CHANGE
from acu_nof1.estimate.segmented import LEVEL_CHANGE, SLOPE_CHANGE_A_WEEK
from acu_nof1.estimate.trend import TREND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

__all__ = ["ESTIMATORS", "OVERLAP", "Estimate", "Estimates", "Estimator", "estimate_all"]

ESTIMATORS: tuple[Estimator, ...] = (
    CHANGE_AT_REASSESSMENT,
    PERCENT_CHANGE,
    RATE_RATIO,
    DAYS_PER_28,
    DAYS_RATIO,
    SCORE_CHANGE,
    MEAN_CHANGE,
    TREND,
    LEVEL_CHANGE,
    SLOPE_CHANGE_A_WEEK,
)
OVERLAP: tuple[Estimator, ...] = (NAP, TAU)
"""The overlap indices of single-case research: for those who must report them, not on the page."""


def estimate_all(
    comparisons: Comparisons, estimators: Iterable[Estimator] = ESTIMATORS, confidence: float = 0.95
) -> Estimates:
    """What changed, by how much, and how sure can we be?

    Parameters
    ----------
    comparisons
        Any number of series of any number of people.
    estimators
        The questions; the outcome's kind decides which of them apply to it.
    confidence
        Of the intervals.

    Returns
    -------
    Estimates
        Ordered by series, then by question. One answer of each outcome is its headline: the first whose
        scale is that of the outcome's important change.
    """
    answers = [answer for answer in (each(comparisons, confidence) for each in estimators) if len(answer)]
    if not answers:
        return Estimates(pd.DataFrame(columns=list(COLUMNS)), ())
    table = pd.concat([answer._table.assign(order=order) for order, answer in enumerate(answers)], ignore_index=True)
    behind = [line for answer in answers for line in answer._behind]
    wanted = [_headline_scale(line[0]) for line in behind]
    table["other_scale"] = table["scale"] != wanted
    table = table.sort_values(["series", "other_scale", "order"])
    table["headline"] = ~table.duplicated("series")
    table = table.sort_values(["series", "headline", "order"], ascending=[True, False, True])
    ordered = tuple(behind[position] for position in table.index)
    return Estimates(table.drop(columns=["order", "other_scale", "series"]).reset_index(drop=True), ordered)


def _headline_scale(outcome: Outcome) -> str:
    """Return the scale on which the outcome's important change is declared; amounts without one are compared as ratios."""
    if outcome.important_change is not None:
        return "difference"
    return "ratio" if outcome.important_change_percent is not None or outcome.is_amount else "difference"
