"""On how many days: the change of the share of yes/no days, by a Markov chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.distribution import DAYS_PER_MONTH
from acu_nof1.estimate.base import Answer, Estimator, Levels, Noise
from acu_nof1.estimate.columns import counted, too_few
from acu_nof1.estimate.markov import fit_days

if TYPE_CHECKING:
    from typing import Literal

    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

MINIMUM, SHORT_WINDOW = 10, 21
BEFORE, AFTER, BETWEEN, UNUSED = 0, 1, 2, -1


def groups(comparisons: Comparisons) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Which side is a day on? With several phases all treatment days are on the side after."""
    side = np.where(comparisons.baseline, BEFORE, np.where(comparisons.after, AFTER, BETWEEN))
    return np.where(comparisons.phase >= 0, side, UNUSED)


def _days(comparisons: Comparisons, scale: Literal["difference", "ratio"]) -> Answer:
    group = groups(comparisons)
    before, after = counted(group == BEFORE, comparisons), counted(group == AFTER, comparisons)
    reasons = too_few(before, after, "in the reassessment window", MINIMUM)
    usable = np.array([not why for why in reasons])
    fit = fit_days(np.where(usable[:, None], comparisons.values, np.nan), group, comparisons.phase, scale=scale)
    reason = tuple(why or other for why, other in zip(reasons, fit.reason, strict=True))
    outcomes, size = comparisons.outcomes, len(comparisons)
    if scale == "difference":
        important = [outcome.important_change for outcome in outcomes]
    else:
        important = [None if o.important_change_percent is None else o.important_change_percent / 100 for o in outcomes]
    noise = Noise.unknown(size)
    short = [
        " (short window)" if min(first, second) < SHORT_WINDOW else ""
        for first, second in zip(before, after, strict=True)
    ]
    return Answer(
        distribution=fit.change,
        before=Levels(*(DAYS_PER_MONTH * each for each in fit.before)),
        after=Levels(*(DAYS_PER_MONTH * each for each in fit.after)),
        days=np.stack([before, after], axis=1),
        reason=reason,
        method=tuple(f"Markov chain of yes/no days{note}" for note in short),
        unit=("days per 28" if scale == "difference" else "ratio",) * size,
        important=np.array([np.nan if value is None else value for value in important]),
        floor=np.full(size, -float(DAYS_PER_MONTH) if scale == "difference" else 0.0),
        ceiling=np.full(size, float(DAYS_PER_MONTH) if scale == "difference" else np.inf),
        noise=noise,
    )


def days_per_28(comparisons: Comparisons) -> Answer:
    """By how many days in 28 did the number of yes-days change?"""
    return _days(comparisons, "difference")


def days_ratio(comparisons: Comparisons) -> Answer:
    """How many times the share of yes-days before was the share after?"""
    return _days(comparisons, "ratio")


def _applies(outcome: Outcome, _: int) -> bool:
    return outcome.kind == "yes_no" and outcome.every == "day"


DAYS_PER_28 = Estimator("days_per_28", "change in days per 28", "difference", _applies, days_per_28)
DAYS_RATIO = Estimator("days_ratio", "ratio of the share of days", "ratio", _applies, days_ratio)
