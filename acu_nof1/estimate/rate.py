"""How many times as much: the ratio of two levels of something that cannot be negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import Answer, Estimator
from acu_nof1.estimate.columns import AFTER, BEFORE, counted, methods_of, solve, too_few
from acu_nof1.estimate.level import compared_question, window_question

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.estimate.columns import Fits
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons


def _all_zero(comparisons: Comparisons) -> list[str]:
    """Why is there no ratio? A side on which every answer is 0 has no ratio with anything."""

    def total(days: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray(np.where(days & comparisons.answered, comparisons.values, 0.0).sum(axis=1))

    def why(before: float, after: float) -> str:
        if before and after:
            return ""
        return f"a ratio needs values above 0 on both sides (sum before {before:g}, after {after:g})"

    return [why(*sums) for sums in zip(total(comparisons.baseline), total(comparisons.after), strict=True)]


def _no_level(fits: Fits) -> list[str]:
    """Why is there no ratio? A model that puts the level before at 0 or below has no share of it."""
    return [
        "the model puts the level before at 0 or below, so no share of it can be told" if value <= 0 else ""
        for value in fits.centre(BEFORE)
    ]


def two_levels(
    comparisons: Comparisons, noise: NoiseChoice = None, beside: NDArray[np.float64] | None = None
) -> tuple[Fits, NDArray[np.int64]]:
    """Fit the level before and the level it is compared with, and count the answered days (S, 2) of both.

    With several phases the levels are the means of the baseline and of the treatment phases, in one fit. The window
    alone is asked for where no series has several phases: its columns are fewer. Parameters are those of
    `change_at_reassessment`.
    """
    before, after = counted(comparisons.baseline, comparisons), counted(comparisons.after, comparisons)
    few = too_few(before, after, "on the days that are compared")
    reasons = [why or zero for why, zero in zip(few, _all_zero(comparisons), strict=True)]
    several = (comparisons.phases > 2).any()
    question = compared_question(comparisons) if several else window_question(comparisons)
    fits = solve(comparisons, question.beside(beside), reasons, noise)
    return fits.refuse(_no_level(fits)), np.stack([before, after], axis=1)


def rate_ratio(
    comparisons: Comparisons, noise: NoiseChoice = None, beside: NDArray[np.float64] | None = None
) -> Answer:
    """How many times the baseline level was the level in the window (with several phases: during treatment)?

    The ratio of two means of one fit, by Fieller's theorem inside the mixture: an end of its interval
    may not exist. Fieller 1954, J R Stat Soc B 16:175. Parameters are those of `change_at_reassessment`.
    """
    fits, days = two_levels(comparisons, noise, beside)
    percent = [outcome.important_change_percent for outcome in comparisons.outcomes]
    size = len(comparisons)
    return Answer(
        distribution=fits.distribution(lambda each: each.ratio(AFTER, BEFORE)),
        before=fits.levels(BEFORE),
        after=fits.levels(AFTER),
        days=days,
        reason=fits.reason,
        method=tuple(f"ratio of two means (Fieller), {each}" for each in methods_of(comparisons, noise)),
        unit=("ratio",) * size,
        important=np.array([np.nan if value is None else value / 100 for value in percent]),
        floor=np.zeros(size),
        ceiling=np.full(size, np.inf),
        noise=fits.noise(),
    )


def _applies(outcome: Outcome, _: int) -> bool:
    return outcome.is_amount and outcome.every == "day"


RATE_RATIO = Estimator("rate_ratio", "ratio to the baseline", "ratio", _applies, rate_ratio, takes_noise=True)
