"""Did the level jump on the first treatment day, and did the slope change: a straight line on each side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import Answer, Estimator, Levels
from acu_nof1.estimate.columns import Question, counted, indicator, methods_of, solve, too_few
from acu_nof1.estimate.level import difference, is_daily_level, plausible
from acu_nof1.estimate.trend import WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.estimate.columns import Fits
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

# The first three contrasts are before, after and change on the first treatment day, as everywhere.
SLOPE_CHANGE = 3
CONTRASTS = ((1.0, 0, 0, 0), (0, 0, 1.0, 0), (-1.0, 0, 1.0, 0), (0, -WEEK, 0, WEEK))
LINES = "a straight line on each side"


def segmented_question(comparisons: Comparisons) -> Question:
    """Columns [baseline, baseline × τ, treatment, treatment × τ], τ in days from the first treatment day.

    Contrasts: both levels on the first treatment day (τ = 0) and their difference, as Huitema & McKean 2000
    (Educ Psychol Meas 60:38) code them; then the difference of the slopes, per week.
    """
    tau = comparisons.tau.astype(float)
    before = indicator(comparisons.baseline)
    after = indicator(comparisons.treated & (comparisons.phase >= 0))
    size = len(comparisons)
    columns = np.stack([before, before * tau, after, after * tau], axis=2)
    return Question(columns, np.full(size, 4), np.broadcast_to(np.array(CONTRASTS), (size, 4, 4)))


def _fitted(comparisons: Comparisons, noise: NoiseChoice) -> tuple[Fits, NDArray[np.int64]]:
    before, after = counted(comparisons.baseline, comparisons), counted(comparisons.treated, comparisons)
    reasons = too_few(before, after, "during treatment")
    fits = solve(comparisons, segmented_question(comparisons), reasons, noise)
    return fits, np.stack([before, after], axis=1)


def _methods(comparisons: Comparisons, noise: NoiseChoice) -> list[str]:
    return [f"{each}; {LINES}" for each in methods_of(comparisons, noise)]


def level_change(comparisons: Comparisons, noise: NoiseChoice = None) -> Answer:
    """By how much did the level jump on the first treatment day?

    The two straight lines are compared on that day. Its interval is wide when the baseline is short: that is
    what two weeks know of a line's end.
    """
    fits, days = _fitted(comparisons, noise)
    return difference(comparisons, fits, days, _methods(comparisons, noise))


def slope_change(comparisons: Comparisons, noise: NoiseChoice = None) -> Answer:
    """By how much a week did the slope during treatment differ from the slope before it?"""
    fits, days = _fitted(comparisons, noise)
    fits = plausible(comparisons, fits)
    size = len(comparisons)
    return Answer(
        distribution=fits.distribution(lambda each: each.mixture(SLOPE_CHANGE)),
        before=Levels.unknown(size),
        after=Levels.unknown(size),
        days=days,
        reason=fits.reason,
        method=tuple(_methods(comparisons, noise)),
        unit=tuple(f"{outcome.unit} a week".strip() for outcome in comparisons.outcomes),
        important=np.full(size, np.nan),
        floor=np.full(size, -np.inf),
        ceiling=np.full(size, np.inf),
        noise=fits.noise(None, None),
    )


def _applies(outcome: Outcome, phases: int) -> bool:
    return is_daily_level(outcome) and phases <= 2


LEVEL_CHANGE = Estimator(
    "level_change", "level change on the first treatment day", "difference", _applies, level_change, takes_noise=True
)
SLOPE_CHANGE_A_WEEK = Estimator(
    "slope_change", "change of slope", "difference", _applies, slope_change, takes_noise=True
)
