"""Segmented regression as the field codes it: a line in each phase, with our intervals and those of OLS beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm

from acu_nof1.errors import Problem, UsageError, did_you_mean
from acu_nof1.estimate.columns import Question, counted, solve, too_few
from acu_nof1.estimate.segmented import segmented_question
from acu_nof1.single_case.base import INDEPENDENT

if TYPE_CHECKING:
    from acu_nof1.trial import Comparisons


class Coding(NamedTuple):
    """When the clock of the baseline line starts, and on which day the two lines are compared.

    Attributes
    ----------
    first_day
        What the first baseline day is called: the intercept is the line's height at 0.
    compared_on
        Day from the first treatment day on which the lines are compared.
    source
        Who codes like this.
    """

    first_day: int
    compared_on: int
    source: str


CODINGS = {
    "W": Coding(0, 0, "level on the first treatment day, the first day is 0"),
    "H-M": Coding(
        1, 0, "level on the first treatment day, the first day is 1: Huitema & McKean 2000, Educ Psychol Meas 60:38"
    ),
    "B&L-B": Coding(1, -1, "level one day before the first treatment day, as older programs have it"),
}
TERMS = ("intercept", "trend", "level", "slope")
COLUMNS = (
    "person",
    "outcome",
    "coding",
    "term",
    "status",
    "reason",
    "value",
    "low",
    "high",
    "ols",
    "ols_se",
    "ols_assumes",
)


def segmented(comparisons: Comparisons, coding: str = "W") -> pd.DataFrame:
    """Where does each phase's line run: how high it begins, how it rises, how it jumps and bends at the start of treatment?

    Parameters
    ----------
    comparisons
        Series of two phases.
    coding
        ``W``, ``H-M`` or ``B&L-B``: see `CODINGS`. The lines are the same; what is called level is not.

    Returns
    -------
    pandas.DataFrame
        Four rows a series: intercept, trend (a day), level and slope (change of trend, a day), in the outcome's own direction; value and
        95 % interval with autocorrelation integrated out, and the estimate and standard error of ordinary least squares, which
        assumes independent days.

    Raises
    ------
    UsageError
        If the coding is none of the three.
    """
    if coding not in CODINGS:
        raise UsageError([Problem("error", "coding", f"there is no coding {coding}.", did_you_mean(coding, CODINGS))])
    rows = np.flatnonzero(
        np.array(comparisons.each(lambda outcome: outcome.every == "day" and outcome.kind != "yes_no"))
    )
    if not rows.size:
        return pd.DataFrame(columns=list(COLUMNS))
    chosen = comparisons.take(rows)
    asked = segmented_question(chosen)
    weights = _weights(chosen, CODINGS[coding])
    days = counted(chosen.baseline, chosen), counted(chosen.treated, chosen)
    few = too_few(*days, "during treatment")
    few = [
        why or ("it compares two phases" if count != 2 else "") for why, count in zip(few, chosen.phases, strict=True)
    ]
    fits = solve(chosen, Question(asked.columns, asked.width, weights), few)
    tables = []
    for number, term in enumerate(TERMS):
        ends = fits.intervals(number, 0.95)[0]
        tables.append(
            pd.DataFrame({"series": rows, "term": term, "value": ends.value, "low": ends.low, "high": ends.high})
        )
    plain = [
        _ordinary(chosen, row, asked.columns[row], weights[row]) if not fits.reason[row] else np.full((4, 2), np.nan)
        for row in range(len(rows))
    ]
    found = pd.concat(tables).sort_values("series", kind="stable", ignore_index=True)
    found[["ols", "ols_se"]] = np.concatenate(plain)
    reason = np.repeat(np.array(fits.reason, dtype=object), len(TERMS))
    person, outcome = (
        np.repeat(np.array(each, dtype=object), len(TERMS))
        for each in (chosen.person, chosen.each(lambda outcome: outcome.name))
    )
    return found.assign(
        person=person, outcome=outcome, coding=coding, reason=reason, status=np.where(reason == "", "ok", "not_estimable"),
        ols_assumes=INDEPENDENT,
    )[list(COLUMNS)]  # fmt: skip


def _weights(comparisons: Comparisons, coding: Coding) -> np.ndarray:
    """(S, 4, 4) what each term is of [baseline, baseline × τ, treatment, treatment × τ]."""
    first = np.array(
        [tau[phase >= 0].min(initial=0) for tau, phase in zip(comparisons.tau, comparisons.phase, strict=True)]
    )
    found = np.zeros((len(comparisons), 4, 4))
    found[:, 0, 0], found[:, 0, 1] = 1, first - coding.first_day  # the baseline line where its clock is at 0
    found[:, 1, 1] = 1
    found[:, 2] = (-1, -coding.compared_on, 1, coding.compared_on)
    found[:, 3] = (0, -1, 0, 1)
    return found


def _ordinary(comparisons: Comparisons, row: int, columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(4, 2) estimates and standard errors of ordinary least squares."""
    held = comparisons.answered[row]
    fitted = sm.OLS(comparisons.values[row, held], columns[held]).fit()
    said = fitted.t_test(weights)
    return np.column_stack([said.effect, said.sd])
