"""By how much did the level change: at the reassessment, and over the whole of treatment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import MINIMUM_DAYS, Answer, Estimator, Levels
from acu_nof1.estimate.columns import AFTER, BEFORE, CHANGE, Question, counted, indicator, methods_of, solve, too_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.estimate.base import Levels
    from acu_nof1.estimate.columns import Fits
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

BEFORE_AFTER_CHANGE = ((1.0, 0.0), (0.0, 1.0), (-1.0, 1.0))
MIDDLE = {
    4: "days between with their own level and slope",
    3: "days between with their own level (too few for a slope)",
    2: "no answered days between",
}


def is_daily_level(outcome: Outcome) -> bool:
    """Whether it is kept daily and has a level: ratings, scores and amounts."""
    return not why_no_daily_level(outcome)


def why_no_daily_level(outcome: Outcome) -> str:
    """Why what looks at levels day by day is not asked of this outcome; ``""`` where it is."""
    if outcome.kind == "yes_no":
        return "yes/no days are not looked at for this"
    return "" if outcome.every == "day" else "it is not kept daily"


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


def scale_ends(comparisons: Comparisons) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper end of each series' scale, infinite where it has none."""
    low = comparisons.each(lambda outcome: -np.inf if outcome.low is None else outcome.low)
    high = comparisons.each(lambda outcome: np.inf if outcome.high is None else outcome.high)
    return np.array(low, float), np.array(high, float)


def on_scale(levels: Levels, low: NDArray[np.float64], high: NDArray[np.float64]) -> Levels:
    """Move an estimated level that lies just beyond the end of its scale to that end, for printing."""
    return replace(levels, value=np.clip(levels.value, low, high))


def _off_scale(value: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> list[str]:
    """Why is a fit of no use? It puts a level well outside the scale (by a tenth of it, or of the level)."""
    slack = 0.1 * np.where(np.isfinite(high - low), high - low, np.abs(value))
    reasons = [""] * len(value)
    for row in np.flatnonzero((value < low - slack) | (value > high + slack)):
        reasons[row] = (
            f"the model puts a level {'below' if value[row] < low[row] else 'above'} the scale, so it does not describe "
            "these days"
        )
    return reasons


def plausible(comparisons: Comparisons, fits: Fits) -> Fits:
    """Return the fits without those that put the level before or after outside the scale."""
    low, high = scale_ends(comparisons)
    for side in (BEFORE, AFTER):
        fits = fits.refuse(_off_scale(fits.centre(side), low, high))
    return fits


def difference(comparisons: Comparisons, fits: Fits, days: NDArray[np.int64], methods: list[str]) -> Answer:
    """Make an answer from fits whose first three contrasts are before, after and change.

    The interval is cut at what the ends of the scale allow the change to be, whatever the level before truly is.
    That level is itself uncertain: cutting at its estimate would drop the true change half of the time when the
    level after lies on the floor. So its 99 % interval sets the limits.
    """
    low, high = scale_ends(comparisons)
    fits = plausible(comparisons, fits)
    before, widely = fits.intervals(BEFORE, 0.95, 0.99)
    important = comparisons.each(lambda outcome: outcome.important_change)
    with np.errstate(invalid="ignore"):
        floor, ceiling = low - np.fmin(widely.high, high), high - np.fmax(widely.low, low)
    return Answer(
        distribution=fits.distribution(lambda each: each.mixture(CHANGE)),
        before=on_scale(before, low, high),
        after=on_scale(fits.levels(AFTER), low, high),
        days=days,
        reason=fits.reason,
        method=tuple(methods),
        unit=tuple(comparisons.each(lambda outcome: outcome.change_unit)),
        important=np.array(important, dtype=float),
        floor=floor,
        ceiling=ceiling,
        noise=fits.noise(),
    )


def change_at_reassessment(
    comparisons: Comparisons, noise: NoiseChoice = None, beside: NDArray[np.float64] | None = None
) -> Answer:
    """By how much did the average day of the window differ from the average baseline day?

    Parameters
    ----------
    comparisons
        S series.
    noise
        What the day-to-day noise may look like, for all or by outcome; robust if left out.
    beside
        (S, D, Q) more columns of the design, such as a step on the day of a co-intervention.
    """
    before, after = counted(comparisons.baseline, comparisons), counted(comparisons.window, comparisons)
    question = window_question(comparisons)
    fits = solve(comparisons, question.beside(beside), too_few(before, after, "in the reassessment window"), noise)
    methods = [
        f"{each}; {MIDDLE[width]}"
        for each, width in zip(methods_of(comparisons, noise), question.width.tolist(), strict=True)
    ]
    return difference(comparisons, fits, np.stack([before, after], axis=1), methods)


def phase_levels(comparisons: Comparisons) -> Question:
    """A level for each phase; contrasts: mean baseline level, mean treatment level, their difference.

    With more than two phases every phase weighs the same (one fit, one contrast: pairs that share a phase are not
    independent), and each phase but the first has a slope of its own, centred on its days, so that a level stays the
    phase's average day. Without the slopes a change that builds up and fades within short phases is taken for slow
    noise, and the interval misses the truth three times in four.
    """
    treated = phases_treated(comparisons)
    there = phases_there(comparisons)
    untreated = there & ~treated
    before = untreated / np.maximum(untreated.sum(axis=1, keepdims=True), 1)
    after = treated / np.maximum(treated.sum(axis=1, keepdims=True), 1)
    return of_phases(comparisons, np.stack([before, after, after - before], axis=1))


def phases_there(comparisons: Comparisons) -> NDArray[np.bool_]:
    """(S, K) whether a series has days in this phase."""
    number = np.arange(comparisons.phases.max(initial=1))
    return np.asarray((comparisons.phase[:, :, None] == number).any(axis=1))


def phases_treated(comparisons: Comparisons) -> NDArray[np.bool_]:
    """(S, K) whether a phase is one of treatment."""
    number = np.arange(comparisons.phases.max(initial=1))
    return np.asarray(((comparisons.phase[:, :, None] == number) & comparisons.treated[:, :, None]).any(axis=1))


def of_phases(comparisons: Comparisons, weights: NDArray[np.float64]) -> Question:
    """Ask for weighted sums of the phases' levels: weights (S, contrasts, K)."""
    number = np.arange(comparisons.phases.max(initial=1))
    inside = comparisons.phase[:, :, None] == number
    there = inside.any(axis=1)
    several = comparisons.phases > 2
    if not several.any() and there.all():
        return Question(indicator(inside), there.sum(axis=1), weights)
    slopes, answered = _slopes(comparisons, inside)
    keep = np.concatenate([there, (number > 0) & (answered >= MINIMUM_DAYS) & several[:, None]], axis=1)
    # Columns a series does not have go to the end, beyond its width.
    order = np.argsort(~keep, axis=1, kind="stable")[:, None, :]
    columns = np.concatenate([indicator(inside), slopes], axis=2)
    contrasts = np.concatenate([weights, np.zeros_like(weights)], axis=2)
    return Question(
        np.take_along_axis(columns, order, axis=2), keep.sum(axis=1), np.take_along_axis(contrasts, order, axis=2)
    )


def compared_question(comparisons: Comparisons) -> Question:
    """The question for each design: the window against the baseline, or with several phases all of them at once."""
    window, phases = window_question(comparisons), phase_levels(comparisons)
    several, size = comparisons.phases > 2, max(window.columns.shape[2], phases.columns.shape[2])

    def chosen(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = [np.pad(each, ((0, 0), (0, 0), (0, size - each.shape[2]))) for each in (first, second)]
        return np.where(several[:, None, None], *padded)

    return Question(
        chosen(phases.columns, window.columns),
        np.where(several, phases.width, window.width),
        chosen(phases.contrasts, window.contrasts),
    )


def _slopes(comparisons: Comparisons, inside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each phase a slope column centred on its days, and how many of them were answered."""
    tau = comparisons.tau[:, :, None]
    centre = np.where(inside, tau, 0).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    answered = (inside & comparisons.answered[:, :, None]).sum(axis=1)
    return np.where(inside, tau - centre[:, None, :], 0.0), answered


def mean_change(
    comparisons: Comparisons, noise: NoiseChoice = None, beside: NDArray[np.float64] | None = None
) -> Answer:
    """By how much did the average treatment day differ from the average baseline day?

    Parameters are those of `change_at_reassessment`.
    """
    before = counted(comparisons.baseline, comparisons)
    after = counted(comparisons.treated, comparisons)
    reasons = too_few(before, after, "during treatment")
    fits = solve(comparisons, phase_levels(comparisons).beside(beside), reasons, noise)
    methods = [
        f"{each}; {'level and slope of each phase' if count > 2 else 'one level for each phase'}"
        for each, count in zip(methods_of(comparisons, noise), comparisons.phases.tolist(), strict=True)
    ]
    return difference(comparisons, fits, np.stack([before, after], axis=1), methods)


CHANGE_AT_REASSESSMENT = Estimator(
    "change_at_reassessment",
    "change at reassessment",
    "difference",
    lambda outcome, phases: is_daily_level(outcome) and phases <= 2,
    change_at_reassessment,
    takes_noise=True,
)
MEAN_CHANGE = Estimator(
    "mean_change",
    "mean change during treatment",
    "difference",
    lambda outcome, _: is_daily_level(outcome),
    mean_change,
    takes_noise=True,
)
