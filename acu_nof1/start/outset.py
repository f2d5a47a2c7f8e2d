"""A trial that is about to begin: for what, for whom, on which days; what is wrong with that."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acu_nof1.errors import Problem, UsageError, did_you_mean
from acu_nof1.start.conditions import CONDITIONS
from acu_nof1.words import start as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.start.conditions import Condition

DAY = dt.timedelta(days=1)
# What a diary may be asked to span: an earlier or later year is a slip of the pen.
FIRST_YEAR, LAST_YEAR = 2000, 2100


@dataclass(frozen=True, slots=True)
class Outset:
    """A trial that is about to begin.

    Attributes
    ----------
    condition
        What is treated: which questions are asked.
    start
        Day of the first treatment.
    baseline_days, weeks
        Days of diary before it, and weeks of treatment from it.
    person
        A code; may be empty.
    """

    condition: Condition
    start: dt.date
    baseline_days: int
    weeks: int
    person: str = ""

    @property
    def first_day(self) -> dt.date:
        """First day of the diary."""
        return self.start - self.baseline_days * DAY

    @property
    def look(self) -> dt.date:
        """The day of the reassessment: the morning after the last day of the diary."""
        return self.start + dt.timedelta(weeks=self.weeks)

    @property
    def last_day(self) -> dt.date:
        """Last day of treatment and of the diary."""
        return self.look - DAY

    @property
    def window_days(self) -> int:
        """Days that are compared with the baseline: not more than the treatment has."""
        return min(self.condition.window_days, 7 * self.weeks)

    @property
    def days(self) -> tuple[dt.date, ...]:
        """Every day of the diary."""
        return tuple(self.first_day + i * DAY for i in range((self.look - self.first_day).days))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What should be known before the files are handed out."""
        gone = min((dt.date.today() - self.first_day).days, self.baseline_days)
        if gone <= 0:
            return ()
        what = words.begins_in_the_past(gone)
        return (Problem("warning", f"--start {self.start}", what, words.LEAVE_BLANK),)


def outset(
    condition: str, start: dt.date, *, baseline_days: int | None = None, weeks: int | None = None, person: str = ""
) -> Outset:
    """What is asked of this person, and on which days?

    Parameters
    ----------
    condition
        A name in `CONDITIONS`.
    start
        Day of the first treatment.
    baseline_days, weeks
        Days of diary before it and weeks of treatment; those of the condition if left out.
    person
        A code, never a name.

    Raises
    ------
    UsageError
        If there is no template for the condition, or the year cannot be meant.
    """
    wrong = list(_wrong(condition, start))
    if wrong:
        raise UsageError(wrong)
    chosen = CONDITIONS[condition]
    return Outset(
        chosen,
        start,
        chosen.baseline_days if baseline_days is None else baseline_days,
        chosen.weeks if weeks is None else weeks,
        person,
    )


def _wrong(condition: str, start: dt.date) -> Iterator[Problem]:
    if condition not in CONDITIONS:
        remedy = f"{did_you_mean(condition, CONDITIONS)} {words.ANY_OTHER}"
        yield Problem("error", f'--condition "{condition}"', words.UNKNOWN_CONDITION, remedy)
    if not FIRST_YEAR < start.year < LAST_YEAR:
        yield Problem("error", f"--start {start}", words.FAR_YEAR, words.WRITE_A_DATE)
