"""After the last session: how much of the change is still there four, eight and twelve weeks later?

One fit of baseline, the last two weeks of the course, and two weeks around each later point. Persistence is the ratio of two
changes, with Fieller's interval; it is asked only where the change at the end of the course has a direction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import Question, counted, indicator, solve
from acu_nof1.estimate.level import why_no_daily_level
from acu_nof1.sessions.calendar import ONE_OF_EACH, onwards, session_days
from acu_nof1.sessions.ranges import NOT_KNOWN, Range

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from acu_nof1.estimate.columns import Fits
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEEKS = (4, 8, 12)
HALF_WINDOW = 7
END_DAYS = 14
NO_DAY = "no answered day around {}, {} or {} weeks after the last session".format(*WEEKS)
FADED_IN_A_YEAR = 0.15
"""Share of the effect against no acupuncture that is gone twelve months after a course (Vickers 2018, J Pain 19:455)."""


@dataclass(frozen=True)
class Later:
    """What is left some weeks after the last session.

    Attributes
    ----------
    weeks
        After the last session.
    days
        Answered days of the two weeks around it.
    change
        Level then less baseline level, in the outcome's unit.
    share
        That change over the change at the end of the course; not known where that has no direction.
    reason
        Why it is not estimable; ``""`` where it is.
    """

    weeks: int
    days: int
    change: Range
    share: Range
    reason: str


@dataclass(frozen=True)
class FollowUp:
    """One outcome after the last session.

    Attributes
    ----------
    person, outcome
        Whose, and of what.
    end
        Change at the end of the course: the two weeks up to the last session less the baseline. Shares are asked where it is clear.
    later
        Four, eight and twelve weeks after the last session; empty where no day around any of them was answered, or it is not asked.
    reason
        Why there is none; ``""`` where there is.
    """

    person: str
    outcome: Outcome
    end: Range
    later: tuple[Later, ...]
    reason: str


def follow_up(comparisons: Comparisons, attended: Mapping[str, Sequence[dt.date]]) -> tuple[FollowUp, ...]:
    """How much of the change is left after the last session?

    Parameters
    ----------
    comparisons
        Series up to a reassessment that lies some weeks after the last session; of those that are not kept daily, are yes/no, or have
        other phases than one baseline and one of treatment, it says so.
    attended
        Dates of the sessions that took place, by person.

    Returns
    -------
    tuple of FollowUp
        One a series.
    """
    if not len(comparisons):
        return ()
    series, on = onwards(comparisons), session_days(comparisons, attended)
    last = np.where(on.any(axis=1), on.shape[1] - 1 - np.argmax(on[:, ::-1], axis=1), -1)
    since = np.arange(on.shape[1]) - last[:, None]
    behind = (since > 0) & series.treated & (series.phase >= 0) & (last >= 0)[:, None]
    near = np.any([_around(since, weeks) for weeks in WEEKS], axis=0)
    closed = _closed(series, (behind & near & series.answered).any(axis=1))
    some = np.flatnonzero([not why for why in closed])
    told = iter(_told(series.take(some), since[some], behind[some]) if some.size else ())
    return tuple(
        FollowUp(series.person[row], series.outcomes[row], NOT_KNOWN, (), why) if why else next(told)
        for row, why in enumerate(closed)
    )


def _closed(series: Comparisons, some_day: Bools) -> list[str]:
    """Why a series is not asked at all."""

    def why(row: int) -> str:
        if closed := why_no_daily_level(series.outcomes[row]):
            return closed
        if series.phases[row] != 2:
            return ONE_OF_EACH
        return "" if some_day[row] else NO_DAY

    return [why(row) for row in range(len(series))]


def _around(since: NDArray[np.int64], weeks: int) -> Bools:
    """The two weeks around a point: seven days before it to six after it."""
    return (since >= 7 * weeks - HALF_WINDOW) & (since < 7 * weeks + HALF_WINDOW)


def _told(series: Comparisons, since: NDArray[np.int64], behind: Bools) -> tuple[FollowUp, ...]:
    ended = series.treated & (since <= 0) & (since > -END_DAYS)
    points = [behind & _around(since, weeks) for weeks in WEEKS]
    counts = np.stack([counted(days, series) for days in points], axis=1)
    fits = solve(series, _question(series, ended, points, since, behind), _reasons(series, ended))
    levels = [fits.levels(place) for place in range(1 + len(WEEKS))]
    found = []
    for row in range(len(series)):
        end, *changes = (Range(float(each.value[row]), float(each.low[row]), float(each.high[row])) for each in levels)
        later = tuple(
            _later(fits, row, place, int(counts[row, place]), change, end.clear) for place, change in enumerate(changes)
        )
        found.append(FollowUp(series.person[row], series.outcomes[row], end, later, fits.reason[row]))
    return tuple(found)


def _reasons(series: Comparisons, ended: Bools) -> list[str]:
    first, last = counted(series.baseline, series), counted(ended, series)
    return [
        f"only {days} days answered {where}; at least {MINIMUM_DAYS} are needed" if days < MINIMUM_DAYS else ""
        for days, where in (
            (a, "at baseline") if a < MINIMUM_DAYS else (b, "in the two weeks up to the last session")
            for a, b in zip(first, last, strict=True)
        )
    ]


def _question(
    series: Comparisons, ended: Bools, points: list[Bools], since: NDArray[np.int64], behind: Bools
) -> Question:
    """Levels of baseline, end and points; the days between have a level and a slope of their own, before and after the last session."""
    course = series.treated & ~behind & ~ended & (series.phase >= 0)
    asked = np.stack([days & (counted(days, series) >= MINIMUM_DAYS)[:, None] for days in points])
    rest = behind & ~asked.any(axis=0)
    slopes = []
    for days in (course, rest):
        enough = (counted(days, series) >= MINIMUM_DAYS)[:, None]
        middle = np.where(days, since, 0).sum(axis=1, keepdims=True) / np.maximum(days.sum(axis=1, keepdims=True), 1)
        slopes.append(np.where(days & enough, (since - middle) / 7.0, 0.0))
    levels = [indicator(each) for each in (series.baseline, ended, *asked, course, rest)]
    columns = np.stack([*levels, *slopes], axis=2)
    contrasts = np.zeros((1 + len(points), columns.shape[2]))
    contrasts[:, 0] = -1.0
    contrasts[np.arange(1 + len(points)), np.arange(1, 2 + len(points))] = 1.0
    keep = (columns * series.answered[:, :, None] != 0).any(axis=1)
    order = np.argsort(~keep, axis=1, kind="stable")[:, None, :]
    # A point without a column of its own is asked for the change at the end, which is not shown in its place.
    own = keep[:, None, 1 : 2 + len(points)].transpose(0, 2, 1)
    return Question(
        np.take_along_axis(columns, order, axis=2),
        keep.sum(axis=1),
        np.take_along_axis(np.where(own, contrasts, contrasts[0]), order, axis=2),
    )


def _later(fits: Fits, row: int, place: int, days: int, change: Range, clear: bool) -> Later:
    few = f"only {days} days answered; at least {MINIMUM_DAYS} are needed" if days < MINIMUM_DAYS else ""
    reason = fits.reason[row] or few
    if reason:
        return Later(WEEKS[place], days, NOT_KNOWN, NOT_KNOWN, reason)
    return Later(WEEKS[place], days, change, _share(fits, row, place + 1) if clear else NOT_KNOWN, "")


def _share(fits: Fits, row: int, after: int) -> Range:
    """The ratio of two changes that both may be negative, turned so that the one at the end of the course is not."""
    rows, each = next((rows, each) for rows, each in fits.groups if row in rows)
    known = each.ratio(after, 0)
    at = int(np.flatnonzero(rows == row)[0])
    turn = 1.0 if known.weight[at] @ known.before[at] > 0 else -1.0
    known = replace(known, before=turn * known.before, after=turn * known.after).as_share
    low, high = known.quantile([0.025, 0.975])[at]
    return Range(float(known.centre[at]), float(low), float(high))
