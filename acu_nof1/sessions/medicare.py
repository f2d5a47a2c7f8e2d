"""Visits for chronic low back pain under Medicare's rule: how many were used, and what must be written down before the next.

National Coverage Determination 30.3.3 (since 21 January 2020): up to 12 visits in 90 days; 8 more for somebody who demonstrates an
improvement; no more than 20 in a year; treatment must stop if there is no improvement. The rule gives no number for an improvement and
does not say when a year begins, so the year is a choice. Nothing here says that a visit is paid for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, get_args

from acu_nof1.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from acu_nof1.protocol import Session

Year = Literal["calendar", "rolling"]

FIRST_VISITS, FIRST_DAYS = 12, 90
MORE_VISITS = 8
YEAR_VISITS = FIRST_VISITS + MORE_VISITS
SOURCE = "Medicare National Coverage Determination 30.3.3"
ELIGIBILITY = (
    "Has the low back pain lasted 12 weeks or longer?",
    "Is it nonspecific, with no identifiable systemic cause (metastatic, inflammatory, infectious disease)?",
    "Is it not associated with surgery?",
    "Is it not associated with pregnancy?",
)
"""What the rule asks of the person: questions for the clinician, none of them decided here."""


@dataclass(frozen=True)
class Visits:
    """Visits used and left on a day.

    Attributes
    ----------
    on
        The day; visits after it do not count.
    year
        Which year is counted: from 1 January, or the twelve months that end on the day.
    first
        First visit of the course; ``None`` before it.
    last_of_first
        Last of the 90 days, the day of the first visit being day 1.
    in_first_days
        Visits within those 90 days.
    in_year
        Visits in the year that is counted.
    missed
        Listed sessions that did not take place: they use up no visit.
    same_day
        Days on which more than one visit is listed; each counts.
    """

    on: dt.date
    year: Year
    first: dt.date | None
    last_of_first: dt.date | None
    in_first_days: int
    in_year: int
    missed: int
    same_day: tuple[dt.date, ...]

    @property
    def left_in_first_days(self) -> int:
        """Visits left of the first 12; none once the 90 days are over."""
        if self.last_of_first is not None and self.on > self.last_of_first:
            return 0
        return max(0, min(FIRST_VISITS - self.in_first_days, self.left_in_year))

    @property
    def left_in_year(self) -> int:
        """Visits left of the 20 of the year."""
        return max(0, YEAR_VISITS - self.in_year)

    @property
    def beyond_year(self) -> int:
        """Visits of the year beyond 20."""
        return max(0, self.in_year - YEAR_VISITS)

    @property
    def improvement_needed(self) -> bool:
        """Whether a documented improvement is needed before the next visit: 12 were used, or the 90 days are over."""
        return self.first is not None and self.left_in_first_days == 0 and self.left_in_year > 0


def visits(
    sessions: Iterable[Session], on: dt.date, year: Year = "calendar", course_start: dt.date | None = None
) -> Visits:
    """How many visits were used in the first 90 days and in the year, and how many are left?

    Parameters
    ----------
    sessions
        The session log, missed and cancelled sessions included.
    on
        The day on which it is asked; that day's visit counts.
    year
        ``"calendar"``: from 1 January. ``"rolling"``: the twelve months that end on the day.
    course_start
        First day of the course; visits before it count for the year only. Left out, the course begins with the first visit listed.

    Raises
    ------
    UsageError
        For another year, and for a day in the first or the last year that there is.
    """
    wrong = []
    if year not in get_args(Year):
        wrong.append(Problem("error", f"year {year}", "there is no such year.", did_you_mean(year, get_args(Year))))
    if on.year in (dt.MINYEAR, dt.MAXYEAR):
        wrong.append(Problem("error", f"day {on}", "no year can be counted up to it.", "Correct the date."))
    if wrong:
        raise UsageError(wrong)
    known = [session for session in sessions if session.date <= on]
    days = sorted(session.date for session in known if session.attended)
    course = [day for day in days if course_start is None or day >= course_start]
    first = course[0] if course else None
    last = first + dt.timedelta(days=FIRST_DAYS - 1) if first else None
    begins = dt.date(on.year, 1, 1) if year == "calendar" else _year_before(on) + dt.timedelta(days=1)
    return Visits(
        on=on,
        year=year,
        first=first,
        last_of_first=last,
        in_first_days=sum(last is not None and day <= last for day in course),
        in_year=sum(day >= begins for day in days),
        missed=sum(not session.attended for session in known),
        same_day=tuple(dict.fromkeys(day for day, following in pairwise(days) if day == following)),
    )


def _year_before(day: dt.date) -> dt.date:
    """The same day of the year before; 28 February for 29 February."""
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)
