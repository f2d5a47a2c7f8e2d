"""The words of visits under Medicare's rule: counts and questions, never a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.sessions.medicare import ELIGIBILITY, FIRST_DAYS, FIRST_VISITS, SOURCE, YEAR_VISITS
from acu_nof1.words.direction import isolated
from acu_nof1.words.numbers import date

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from acu_nof1.sessions import Visits

CAPTION = "Visits under Medicare’s rule for chronic low back pain, where it applies"
COLUMNS = ("What", "Count or question")
NOTE = (
    f"{SOURCE}: up to {FIRST_VISITS} visits in {FIRST_DAYS} days, 8 more for somebody who demonstrates an improvement, no more than "
    f"{YEAR_VISITS} in a year; it ends where there is no improvement. A count of the session log; whether a visit is paid for is the payer’s decision."
)
NEEDED_NOW = "a documented improvement is needed before the next visit"
NONE_LEFT = f"{YEAR_VISITS} visits are used up: none is left in this year"
NEEDED_BEFORE = f"a documented improvement is needed before visit {FIRST_VISITS + 1}"
YEARS: Mapping[str, str] = {"calendar": "this calendar year", "rolling": "the twelve months up to that day"}


def visit_rows(one: Visits) -> Iterator[tuple[str, str]]:
    """Yield what was used, what is left, and what is to be asked."""
    yield "Counted up to", date(one.on)
    if one.first is None or one.last_of_first is None:
        yield "Visits", "none so far"
    else:
        over = " (over)" if one.on > one.last_of_first else ""
        yield (
            f"Used in the first {FIRST_DAYS} days",
            f"{one.in_first_days}, {date(one.first)} to {date(one.last_of_first)}{over}",
        )
        yield f"Left of the first {FIRST_VISITS}", str(one.left_in_first_days)
    yield f"Used in {YEARS[one.year]}", str(one.in_year)
    beyond = f"; {one.beyond_year} beyond {YEAR_VISITS}" if one.beyond_year else ""
    yield f"Left of {YEAR_VISITS} in a year", f"{one.left_in_year}{beyond}"
    if one.missed:
        yield "Listed but not attended", f"{one.missed}; not counted"
    if one.same_day:
        yield "More than one on a day", f"{', '.join(map(date, one.same_day))}; each counted"
    yield "To be written down", _to_be_written(one)
    for question in ELIGIBILITY:
        yield "To be asked", question


def _to_be_written(one: Visits) -> str:
    if not one.left_in_year:
        return NONE_LEFT
    return NEEDED_NOW if one.improvement_needed else NEEDED_BEFORE


def visit_lines(one: Visits, person: str) -> tuple[str, ...]:
    """The same as lines, under the person's code."""
    head = f"{isolated(person)}: {CAPTION}" if person else CAPTION
    return (head, *(f"  {what}: {found}" for what, found in visit_rows(one)), NOTE)
