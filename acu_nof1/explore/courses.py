"""The straight lines of an answer, day by day, with what is known of them: for figures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.estimate.columns import Question, counted, solve, too_few
from acu_nof1.estimate.level import is_daily_level, phase_levels, plausible
from acu_nof1.estimate.segmented import CONTRASTS, segmented_question
from acu_nof1.estimate.trend import WEEK

if TYPE_CHECKING:
    from acu_nof1.distribution import Distribution
    from acu_nof1.estimate.kernel import Fit
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

POINTS = 7
"""Days of a phase at which its line is worked out: straight in between, and its band nearly so."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """The line through one phase.

    Attributes
    ----------
    treated
        Whether it is a treatment phase.
    days
        (M,) columns of the calendar, first and last day among them.
    value, low, high
        (M,) posterior mean of the line, and the ends of its 95 % interval day by day.
    """

    treated: bool
    days: NDArray[np.int64]
    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Course:
    """The lines through the phases of one outcome, or why there are none.

    Attributes
    ----------
    row
        Which of the series.
    outcome
        Of what.
    reason
        Why there are no lines; ``""`` where there are.
    stretches
        One a phase, in order.
    slope
        Slope per week during treatment: posterior mean and ends of its 95 % interval; NaN with several phases.
    """

    row: int
    outcome: Outcome
    reason: str
    stretches: tuple[Stretch, ...]
    slope: tuple[float, float, float]


def courses(comparisons: Comparisons) -> tuple[Course, ...]:
    """Which way did each outcome go, before and during treatment?

    The model is that of level and slope change, or with several phases that of the mean change. A design row x_t of
    a day is itself a contrast: x_t'β is the line on that day, so the band comes from the distribution of the answer.

    Parameters
    ----------
    comparisons
        S series of one kind of design.

    Returns
    -------
    tuple of Course
        One for every daily rating, score or amount, in order: yes/no days and visits have no line.
    """
    rows = np.flatnonzero(comparisons.each(is_daily_level))
    if not rows.size:
        return ()
    series = comparisons.take(rows)
    several = bool(series.phases.max(initial=0) > 2)
    question = phase_levels(series) if several else segmented_question(series)
    days = _chosen_days(series)
    lines = np.stack([question.columns[row, chosen] for row, chosen in enumerate(days)])
    slope = np.pad(np.array([[0.0, 0, 0, WEEK]]), ((0, 0), (0, lines.shape[2] - len(CONTRASTS[0]))))
    slopes = np.broadcast_to(slope, (len(series), 1, lines.shape[2]))
    # Before and after stay in front, as everywhere: `plausible` asks for them.
    asked = Question(question.columns, question.width, np.concatenate([question.contrasts, lines, slopes], axis=1))
    reasons = too_few(counted(series.baseline, series), counted(series.treated, series), "during treatment")
    fits = plausible(series, solve(series, asked, reasons))
    first = question.contrasts.shape[1]
    found = [_ends(fits.distribution(partial(_mixture, k=k))) for k in range(first, asked.contrasts.shape[1])]
    return tuple(
        Course(
            int(rows[row]),
            series.outcomes[row],
            fits.reason[row],
            () if fits.reason[row] else tuple(_stretches(series, row, days[row], [each[row] for each in found])),
            (np.nan, np.nan, np.nan) if several or fits.reason[row] else tuple(found[-1][row].tolist()),
        )
        for row in range(len(series))
    )


def _mixture(each: Fit, k: int) -> Distribution:
    return each.mixture(k)


def _ends(known: Distribution) -> Floats:
    """Posterior mean and ends of the 95 % interval, (S, 3)."""
    return np.column_stack([known.centre, known.quantile([0.025, 0.975])])


def _chosen_days(series: Comparisons) -> NDArray[np.int64]:
    """Days at which the lines are worked out: as many for each phase, (S, phases × POINTS)."""
    share = np.linspace(0, 1, POINTS)
    out = []
    for phase in series.phase:
        inside = [np.flatnonzero(phase == number) for number in range(int(series.phase.max(initial=0)) + 1)]
        # A series without a phase that others have takes the first day again.
        out.append(np.concatenate([
            np.rint(each[0] + share * (each[-1] - each[0])) if each.size else np.zeros(POINTS) for each in inside
        ]))  # fmt: skip
    return np.array(out, dtype=np.int64)


def _stretches(series: Comparisons, row: int, days: NDArray[np.int64], found: list[Floats]) -> list[Stretch]:
    parts = np.array(found[: days.size]).reshape(-1, POINTS, 3)
    return [
        Stretch(bool(series.treated[row, at[0]]), at, *numbers.T)
        for at, numbers in zip(days.reshape(-1, POINTS), parts, strict=True)
        if (series.phase[row, at] >= 0).all()
    ]
