"""By how much did the level change: at the reassessment, and over the whole of treatment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import MINIMUM_DAYS, Answer, Estimator
from acu_nof1.estimate.columns import AFTER, BEFORE, CHANGE, Question, counted, indicator, solve, too_few
from acu_nof1.outcomes import KINDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.estimate.base import Levels
    from acu_nof1.estimate.columns import Fits
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

BEFORE_AFTER_CHANGE = ((1.0, 0.0), (0.0, 1.0), (-1.0, 1.0))
MIDDLE = {
    4: "days between with their own level and slope",
    3: "days between with their own level (too few for a slope)",
    2: "no answered days between",
}


def _is_daily_level(outcome: Outcome) -> bool:
    return outcome.kind in KINDS and outcome.kind != "yes_no" and outcome.every == "day"


def window_question(comparisons: Comparisons) -> Question:
    """Columns [before, window, between, between × day] and the contrasts before, after, change.

    The days between have their own level and slope: they inform the noise, not the contrast. With
    fewer than 5 answered days between, the slope is left out first, then the level.
    """
    between = comparisons.treated & ~comparisons.window & (comparisons.phase >= 0)
    n_between = counted(between, comparisons)
    columns = np.stack(
        [
            indicator(comparisons.baseline),
            indicator(comparisons.window),
            indicator(between),
            between * comparisons.tau.astype(float),
        ],
        axis=2,
    )
    width = np.where(n_between >= MINIMUM_DAYS, 4, np.where(n_between > 0, 3, 2))
    contrasts = np.pad(np.array(BEFORE_AFTER_CHANGE), ((0, 0), (0, 2)))
    return Question(columns, width, np.broadcast_to(contrasts, (len(comparisons), *contrasts.shape)))


def _limits(comparisons: Comparisons, widest: Levels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the ends of the scale allow the change to be, whatever the level before truly is.

    The level before is itself uncertain: cutting at its estimate would drop the true change half of the
    time when the level after lies on the floor. So its 99 % interval (`widest`) sets the limits.
    """

    def end(side: str, otherwise: float) -> NDArray[np.float64]:
        values = [getattr(outcome, side) for outcome in comparisons.outcomes]
        return np.array([otherwise if value is None else value for value in values], float)

    low, high = end("low", -np.inf), end("high", np.inf)
    with np.errstate(invalid="ignore"):
        return low - np.fmin(widest.high, high), high - np.fmax(widest.low, low)


def difference(comparisons: Comparisons, fits: Fits, days: NDArray[np.int64], methods: list[str]) -> Answer:
    """Make an answer from fits whose first three contrasts are before, after and change."""
    before, widest = fits.intervals(BEFORE, 0.95, 0.99)
    floor, ceiling = _limits(comparisons, widest)
    important = [outcome.important_change for outcome in comparisons.outcomes]
    return Answer(
        distribution=fits.distribution(lambda each: each.mixture(CHANGE)),
        before=before,
        after=fits.levels(AFTER),
        days=days,
        reason=fits.reason,
        method=tuple(methods),
        unit=tuple(outcome.change_unit for outcome in comparisons.outcomes),
        important=np.array([np.nan if value is None else value for value in important]),
        floor=floor,
        ceiling=ceiling,
        noise=fits.noise(),
    )


def change_at_reassessment(comparisons: Comparisons) -> Answer:
    """By how much did the average day of the window differ from the average baseline day?"""
    before, after = counted(comparisons.baseline, comparisons), counted(comparisons.window, comparisons)
    question = window_question(comparisons)
    fits = solve(comparisons, question, too_few(before, after, "in the reassessment window"))
    methods = [f"integrated autocorrelation, robust; {MIDDLE[int(width)]}" for width in question.width]
    return difference(comparisons, fits, np.stack([before, after], axis=1), methods)


def phase_levels(comparisons: Comparisons) -> Question:
    """One column for each phase; contrasts: mean baseline level, mean treatment level, difference.

    With several phases of a kind every phase weighs the same (one fit, one contrast: pairs that share a
    phase are not independent).
    """
    number = np.arange(comparisons.phases.max(initial=1))
    inside = comparisons.phase[:, :, None] == number
    treated = (inside & comparisons.treated[:, :, None]).any(axis=1)
    untreated = inside.any(axis=1) & ~treated
    before = untreated / np.maximum(untreated.sum(axis=1, keepdims=True), 1)
    after = treated / np.maximum(treated.sum(axis=1, keepdims=True), 1)
    contrasts = np.stack([before, after, after - before], axis=1)
    return Question(indicator(inside), comparisons.phases, contrasts)


def mean_change(comparisons: Comparisons) -> Answer:
    """By how much did the average treatment day differ from the average baseline day?"""
    before = counted(comparisons.baseline, comparisons)
    after = counted(comparisons.treated, comparisons)
    reasons = too_few(before, after, "during treatment")
    fits = solve(comparisons, phase_levels(comparisons), reasons)
    methods = ["integrated autocorrelation, robust; one level for each phase"] * len(comparisons)
    return difference(comparisons, fits, np.stack([before, after], axis=1), methods)


CHANGE_AT_REASSESSMENT = Estimator(
    "change_at_reassessment",
    "change at reassessment",
    "difference",
    lambda outcome, phases: _is_daily_level(outcome) and phases <= 2,
    change_at_reassessment,
)
MEAN_CHANGE = Estimator(
    "mean_change",
    "mean change during treatment",
    "difference",
    lambda outcome, _: _is_daily_level(outcome),
    mean_change,
)
