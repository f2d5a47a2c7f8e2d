"""By how many percent of the level before: ratings and scores that cannot be negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import Answer, Estimator
from acu_nof1.estimate.columns import AFTER, BEFORE, methods_of
from acu_nof1.estimate.level import on_scale, plausible, scale_ends
from acu_nof1.estimate.rate import two_levels
from acu_nof1.outcomes import LEVELS

if TYPE_CHECKING:
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons


def percent_change(comparisons: Comparisons, noise: NoiseChoice = None) -> Answer:
    """By how many percent of the baseline level did the level change?

    The ratio of two means, by Fieller's theorem inside the mixture as in `rate_ratio`, said as (ratio − 1) · 100;
    never a mean of daily percentages. From a baseline of 0 there is no percentage. The interval is cut at what the
    ends of the scale allow from the 99 % interval of the level before, as that of a difference is.
    """
    fits, days = two_levels(comparisons, noise)
    fits = plausible(comparisons, fits)
    low, high = scale_ends(comparisons)
    before, widely = fits.intervals(BEFORE, 0.95, 0.99)
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = 100 * (low / np.fmin(widely.high, high) - 1)
        ceiling = 100 * (high / np.maximum(widely.low, low) - 1)
    important = [outcome.important_change_percent for outcome in comparisons.outcomes]
    size = len(comparisons)
    return Answer(
        distribution=fits.distribution(lambda each: each.ratio(AFTER, BEFORE).in_percent),
        before=on_scale(before, low, high),
        after=on_scale(fits.levels(AFTER), low, high),
        days=days,
        reason=fits.reason,
        method=tuple(f"ratio of two means (Fieller) in percent, {each}" for each in methods_of(comparisons, noise)),
        unit=("%",) * size,
        important=np.array([np.nan if value is None else value for value in important]),
        floor=floor,
        ceiling=np.where(widely.low > 0, ceiling, np.inf),
        noise=fits.noise(),
    )


def _applies(outcome: Outcome, _: int) -> bool:
    # A percentage of a percentage is read wrongly by half of its readers, and a scale below 0 has no shares.
    positive = outcome.low is not None and outcome.low >= 0
    return outcome.kind in LEVELS and outcome.every == "day" and positive and outcome.unit != "%"


PERCENT_CHANGE = Estimator(
    "percent_change", "change in percent of the baseline", "percent", _applies, percent_change, takes_noise=True
)
