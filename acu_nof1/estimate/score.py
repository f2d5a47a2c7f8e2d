"""Questionnaires kept weekly or at visits: change, with an interval where the measurement error is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.distribution import TMixture
from acu_nof1.estimate.base import Answer, Estimator, Levels, Noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.trial import Comparisons

# Degrees of freedom at which Student's t is the normal distribution to 1e-7.
KNOWN_ERROR = 1e7
NO_ERROR = "no measurement error (sem) is declared, so the change has no interval"


def _means(comparisons: Comparisons, days: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean of the answers on these days (for visits the one nearest to the look), and how many answers that is."""
    held = days & np.isfinite(comparisons.values)
    place = np.arange(held.shape[1])
    look = (comparisons.looked_on - comparisons.start).astype(int)
    nearest = np.where(held, np.abs(place - look[:, None]), held.shape[1] + np.abs(look).max()).argmin(axis=1)
    visit = np.array([outcome.every == "visit" for outcome in comparisons.outcomes])
    held &= ~visit[:, None] | (place == nearest[:, None])
    count = held.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(held, comparisons.values, 0.0).sum(axis=1) / count, count


def score_change(comparisons: Comparisons) -> Answer:
    """By how much did a questionnaire's score change?

    Weekly scores: mean of the baseline against mean of the window. Visits: the last score before
    treatment against the one at the reassessment (within 7 days). With a declared standard error of
    measurement the interval is that of the reliable change: SE² = sem²·(1/n₀ + 1/n₁)
    (Jacobson & Truax 1991, J Consult Clin Psychol 59:12).
    """
    sides = (comparisons.baseline, comparisons.after)
    (before, first), (after, second) = (_means(comparisons, days) for days in sides)
    counts = np.stack([first, second], axis=1)
    sem = np.array([np.nan if outcome.sem is None else outcome.sem for outcome in comparisons.outcomes])
    with np.errstate(divide="ignore"):
        error = sem[:, None] / np.sqrt(counts)
    reason = tuple(_why(*row) for row in zip(first, second, np.isfinite(sem), strict=True))
    open_rows = np.array([not why for why in reason])
    change = np.where(open_rows, after - before, np.nan)
    scale = np.hypot(error[:, 0], error[:, 1])
    important = [outcome.important_change for outcome in comparisons.outcomes]
    return Answer(
        distribution=TMixture(
            np.ones((len(sem), 1)), change[:, None], scale[:, None], np.where(open_rows, KNOWN_ERROR, np.nan)
        ),
        before=_level(before, error[:, 0]),
        after=_level(after, error[:, 1]),
        days=counts,
        reason=reason,
        method=("reliable change from the declared measurement error",) * len(sem),
        unit=tuple(outcome.unit for outcome in comparisons.outcomes),
        important=np.array([np.nan if value is None else value for value in important]),
        floor=np.full(len(sem), -np.inf),
        ceiling=np.full(len(sem), np.inf),
        noise=Noise.unknown(len(sem)),
    )


def _level(value: NDArray[np.float64], error: NDArray[np.float64]) -> Levels:
    return Levels(value, value - 1.959964 * error, value + 1.959964 * error)


def _why(before: int, after: int, has_error: bool) -> str:
    if not before:
        return "no score before treatment"
    if not after:
        return "no score near the reassessment"
    return "" if has_error else NO_ERROR


SCORE_CHANGE = Estimator(
    "score_change", "change of the score", "difference",
    lambda outcome, _: outcome.every != "day" and outcome.kind != "yes_no", score_change,
)  # fmt: skip
