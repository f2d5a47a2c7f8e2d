"""The diary for paper: one page for a week or two, as HTML that prints on A4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from acu_nof1 import palette
from acu_nof1.derive import CSD_ITEMS
from acu_nof1.report.block import environment
from acu_nof1.words import start as words
from acu_nof1.words.numbers import date

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from acu_nof1.start.outset import Outset

# Days on a page, and how high a row is (mm): a person writes in it by hand.
TWO_WEEKS, ONE_WEEK = (14, 13.4), (7, 11)


@dataclass(frozen=True, slots=True)
class Column:
    """One question on paper: ticked as yes or no, or written."""

    title: str
    asked: str
    how: str
    tick: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """The questions of an evening, or of a morning."""

    caption: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One day; a stronger line begins a week."""

    weekday: str
    date: str
    monday: bool


@dataclass(frozen=True, slots=True)
class Page:
    """The days of one page."""

    days: str
    rows: tuple[Row, ...]
    tables: tuple[Grid, ...]
    number: str


def sheet_html(outset: Outset) -> str:
    """Write the diary as a page of HTML for every two weeks; for every week where nights are kept as well."""
    days, height = ONE_WEEK if outset.condition.nights else TWO_WEEKS
    periods = [outset.days[at : at + days] for at in range(0, len(outset.days), days)]
    heading = words.sheet_heading(outset.condition.name)
    return (
        environment()
        .get_template("diary_sheet.html")
        .render(
            title=heading,
            heading=heading,
            person=outset.person,
            whose=words.WHOSE,
            how=words.SHEET_HOW,
            date=words.DATE,
            yes=words.YES,
            no=words.NO,
            red_flags=words.RED_FLAGS,
            pages=[_page(outset, period, at, len(periods)) for at, period in enumerate(periods, 1)],
            height=height,
            palette=palette,
        )
    )


def _page(outset: Outset, period: Sequence[dt.date], number: int, of: int) -> Page:
    rows = tuple(Row(words.weekday(day), date(day), day.weekday() == 0 and day != period[0]) for day in period)
    return Page(words.sheet_days(period[0], period[-1]), rows, _tables(outset), words.page_of(number, of))


def _tables(outset: Outset) -> tuple[Grid, ...]:
    evening = [
        Column(words.title(each.name), *words.ASKED[each.name], tick=each.outcome.kind == "yes_no")
        for each in outset.condition.questions
    ]
    notes = Column(words.NOTES, *words.NOTES_ASKED, wide=True)
    tables = [Grid(words.EVENINGS, (*evening, notes))]
    if outset.condition.nights:
        morning = tuple(Column(words.title(item), *words.ASKED[item]) for item in CSD_ITEMS)
        tables.insert(0, Grid(words.MORNINGS, morning))
    return tuple(tables)
