"""Which day does a cell name? Nothing is guessed: an undecided order of day and month is asked about."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from acu_nof1.load.cells import folded
from acu_nof1.load.workbooks import DAY_ZERO

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

Order = Literal["day first", "month first"]
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?m\.?)?"
_ZONE = r"(?:z|(?:utc|gmt)?\s*[-+]\d{1,2}(?::?\d{2})?|utc|gmt|c[es]?t|cest|[ecmp][sd]t|bst|wes?t|eest|eet)"
_TIME = rf"(?:[t, ]+{_CLOCK}\s*{_ZONE}?)?"
_HOUR = r"(?i)\d[T, ]+(?P<hour>\d{1,2})[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?P<half>[ap])?"
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[.,]?\s+")
_ISO = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NUMERIC = re.compile(rf"(\d{{1,2}})\s*([-/.])\s*(\d{{1,2}})\s*\2\s*(\d{{4}}|\d{{2}}){_TIME}")
_DAY_MONTH = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)?[-. ,/]*([a-z]{{3,9}})[-., /]*(\d{{4}}|\d{{2}}){_TIME}")
_MONTH_DAY = re.compile(rf"([a-z]{{3,9}})[-., /]*(\d{{1,2}})(?:st|nd|rd|th)?[-., /]+(\d{{4}}|\d{{2}}){_TIME}")
_SERIAL = re.compile(r"([2-7]\d{4})(?:\.\d+)?")

ASK_ORDER = (
    "day and month cannot be told apart",
    "Declare dayfirst = true (day/month) or dayfirst = false (month/day) for this file.",
)
ASK_FORMAT = (
    "two-digit years may stand first or last",
    'Declare how dates are written, as in date_format = "%d-%m-%y".',
)


ASK_OTHER_FORMAT = (
    "the declared date_format does not name a day, a month and a year",
    'Declare it as in date_format = "%d/%m/%Y".',
)


@dataclass(frozen=True, eq=False)
class Days:
    """The calendar day of each row.

    Attributes
    ----------
    days
        ``datetime64[us]``; NaT where no date could be read.
    question
        What must be declared before any of the undecided dates can be read, and how; ``None`` if nothing.
    read_as
        How the dates were read, in words; ``""`` for ISO.
    """

    days: npt.NDArray[np.datetime64]
    question: tuple[str, str] | None
    read_as: str


def read_days(
    texts: pd.Series[str],
    *,
    date_format: str | None = None,
    dayfirst: bool | None = None,
    day_zero: dt.date = DAY_ZERO,
) -> Days:
    """Which day does each cell name?

    The date is taken as it is written: a time of day or a time zone behind it never moves it.

    Parameters
    ----------
    texts
        The cells as text, in the order of the file.
    date_format
        How dates are written (``strptime``), if it was declared; nothing else is then accepted.
    dayfirst
        Whether the day stands before the month, if it was declared. Otherwise the order is decided only if
        some number is above 12 and the dates run in one direction under exactly one order.
    day_zero
        The day with serial number 0, for spreadsheet serial numbers.

    Returns
    -------
    Days
        One day per cell.
    """
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object))
    words = [_WEEKDAY.sub("", folded(text)) for text in distinct]
    if date_format is not None:
        usable = _names_a_day(date_format)
        found = [_with_format(text.strip(), date_format) if usable else None for text in distinct]
        return Days(_array(found)[codes], None if usable else ASK_OTHER_FORMAT, f'dates as "{date_format}"')
    numeric = [_NUMERIC.fullmatch(word) for word in words]
    order, question = _order([match for match in numeric if match], dayfirst)
    found = [
        (_ordered(match, order) if order else None) if match else _without_order(word, day_zero)
        for word, match in zip(words, numeric, strict=True)
    ]
    return Days(_array(found)[codes], question, f"dates {order}" if order else "")


def hours(texts: pd.Series[str]) -> npt.NDArray[np.float64]:
    """At which hour of the day, 0 to 23, was each of these moments? NaN where a cell names none.

    Parameters
    ----------
    texts
        The cells as text, each a date and a time.
    """
    found = texts.str.extract(_HOUR)
    hour = pd.to_numeric(found["hour"], errors="coerce").to_numpy(dtype=float)
    half = found["half"].str.casefold()
    afternoon = np.where((half == "p").to_numpy(dtype=bool), 12, 0)
    return np.where(half.notna().to_numpy(dtype=bool), hour % 12 + afternoon, hour)


def _names_a_day(date_format: str) -> bool:
    day = dt.date(2026, 1, 31)
    return "%y" in date_format.lower() and _with_format(day.strftime(date_format), date_format) == day


def _with_format(text: str, date_format: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, date_format).date()
    except ValueError:
        return None


def _order(matches: Sequence[re.Match[str]], dayfirst: bool | None) -> tuple[Order | None, tuple[str, str] | None]:
    """Decide between day/month and month/day, or say what has to be declared."""
    if not matches:
        return None, None
    if dayfirst is not None:
        return ("day first" if dayfirst else "month first"), None
    if _year_may_be_first(matches):
        return None, ASK_FORMAT
    if not any(int(match[1]) > 12 or int(match[3]) > 12 for match in matches):
        return None, ASK_ORDER
    orders: tuple[Order, ...] = ("day first", "month first")
    possible = [order for order in orders if _runs_one_way([_ordered(match, order) for match in matches])]
    return (possible[0], None) if len(possible) == 1 else (None, ASK_ORDER)


def _year_may_be_first(matches: Sequence[re.Match[str]]) -> bool:
    """``26-01-05``: dashes, or a last number that changes from day to day while the first stands still."""
    short = [match for match in matches if len(match[4]) == 2]
    if not short:
        return False
    return any(match[2] == "-" for match in short) or len({m[4] for m in short}) > len({m[1] for m in short})


def _runs_one_way(days: Sequence[dt.date | None]) -> bool:
    read = [day for day in days if day is not None]
    if len(read) < len(days):
        return False
    return all(a <= b for a, b in pairwise(read)) or all(a >= b for a, b in pairwise(read))


def _ordered(match: re.Match[str], order: Order) -> dt.date | None:
    first, second = int(match[1]), int(match[3])
    day, month = (first, second) if order == "day first" else (second, first)
    return _date(_year(match[4]), month, day)


def _without_order(word: str, day_zero: dt.date) -> dt.date | None:
    """Read a date whose parts cannot be confused."""
    if found := _ISO.fullmatch(word):
        return _date(int(found[1]), int(found[3]), int(found[4]))
    if found := _COMPACT.fullmatch(word):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_MONTH.fullmatch(word):
        return _date(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_DAY.fullmatch(word):
        return _date(_year(found[3]), _month(found[1]), int(found[2]))
    if found := _SERIAL.fullmatch(word):
        return day_zero + dt.timedelta(days=int(found[1]))
    return None


def _year(digits: str) -> int:
    year = int(digits)
    return year if len(digits) == 4 else (2000 if year < 70 else 1900) + year


def _month(word: str) -> int:
    return MONTHS.index(word[:3]) + 1 if word[:3] in MONTHS else 0


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _array(days: Iterable[dt.date | None]) -> npt.NDArray[np.datetime64]:
    return np.array([np.datetime64("NaT", "us") if day is None else day for day in days], dtype="datetime64[us]")
