"""Which way did it go during treatment, and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import MINIMUM_DAYS, Answer, Estimator, Levels
from acu_nof1.estimate.columns import Question, counted, indicator, methods_of, solve
from acu_nof1.outcomes import LEVELS

if TYPE_CHECKING:
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

WEEK = 7.0
SLOPE = 0


def trend_question(comparisons: Comparisons) -> Question:
    """Columns [treatment, treatment × day, baseline]; the contrast is the slope per week."""
    treated = comparisons.treated & (comparisons.phase >= 0)
    columns = np.stack(
        [indicator(treated), treated * comparisons.tau.astype(float), indicator(comparisons.baseline)], axis=2
    )
    contrasts = np.array([[0.0, WEEK, 0.0]])
    width = np.where(counted(comparisons.baseline, comparisons) > 0, 3, 2)
    return Question(columns, width, np.broadcast_to(contrasts, (len(comparisons), 1, 3)))


def trend(comparisons: Comparisons, noise: NoiseChoice = None) -> Answer:
    """By how much a week did the level move during treatment?"""
    size = len(comparisons)
    days = counted(comparisons.treated, comparisons)
    reasons = [
        ""
        if n >= MINIMUM_DAYS
        else f"only {n} {'day' if n == 1 else 'days'} answered during treatment; at least {MINIMUM_DAYS} are needed"
        for n in days
    ]
    fits = solve(comparisons, trend_question(comparisons), reasons, noise)
    return Answer(
        distribution=fits.distribution(lambda each: each.mixture(SLOPE)),
        before=Levels.unknown(size),
        after=Levels.unknown(size),
        days=np.stack([counted(comparisons.baseline, comparisons), days], axis=1),
        reason=fits.reason,
        method=tuple(f"{each}; straight line during treatment" for each in methods_of(comparisons, noise)),
        unit=tuple(f"{outcome.unit} a week".strip() for outcome in comparisons.outcomes),
        important=np.full(size, np.nan),
        floor=np.full(size, -np.inf),
        ceiling=np.full(size, np.inf),
        noise=fits.noise(None, None),
    )


def _applies(outcome: Outcome, phases: int) -> bool:
    return outcome.kind in LEVELS and outcome.every == "day" and phases <= 2


TREND = Estimator("trend", "trend during treatment", "difference", _applies, trend, takes_noise=True)
