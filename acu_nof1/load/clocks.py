"""What time of day does a cell name? Minutes after midnight, for the sleep diary's clock times."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from acu_nof1.load.cells import BLANK, KEPT, MISSING, MISSING_CODE, Column, Reading, Rule, column_of, folded

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# A time in the evening's items that is more often a slip (12:00 for midnight, 10:30 without pm) than a time.
SLIP_FROM, SLIP_TO = 8 * 60, 13 * 60

CLOCK = Rule("a clock time in another form")
BARE_HOUR = Rule("an hour without minutes, read on the 24-hour clock", "Write 22:00 or 10:00 pm.")
NO_CLOCK = Rule("not a clock time", "Write the time as 22:45 or 10:45 pm.")

_PLAIN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?", re.ASCII)
_DATED = re.compile(r"\d{4}-\d\d-\d\d[t ]([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?")
_LOOSE = re.compile(r"([01]?\d|2[0-4])\s*[:.h ]\s*([0-5]\d)|([01]\d|2[0-4])([0-5]\d)")
_AM_PM = re.compile(r"(0?\d|1[0-2])(?:\s*[:.h]\s*([0-5]\d)(?::[0-5]\d)?)?\s*([ap])\.?\s*m\.?")
_HOUR = re.compile(r"[01]?\d|2[0-4]")


def read_clock(text: str, codes: frozenset[str] = MISSING) -> Reading:
    """What time does this text name?

    Parameters
    ----------
    text
        The cell.
    codes
        Texts that mean "not answered".

    Returns
    -------
    Reading
        Minutes after midnight (0 to 1439); a missing or rejected reading where there is no time.
    """
    word = folded(text)
    if not word:
        return Reading(math.nan, "missing", BLANK)
    if word in codes or word == "none":
        return Reading(math.nan, "missing", MISSING_CODE)
    if found := _PLAIN.fullmatch(word):
        return _at(found[1], found[2], KEPT)
    if found := _DATED.fullmatch(word):
        return _at(found[1], found[2], CLOCK)
    if found := _AM_PM.fullmatch(word):
        hour = int(found[1]) % 12 + (12 if found[3] == "p" else 0)
        return _at(str(hour), found[2] or "0", CLOCK)
    if found := _LOOSE.fullmatch(word):
        return _at(found[1] or found[3], found[2] or found[4], CLOCK)
    if _HOUR.fullmatch(word):
        return _at(word, "0", BARE_HOUR)
    return Reading(math.nan, "rejected", NO_CLOCK)


def _at(hour: str, minute: str, rule: Rule) -> Reading:
    total = 60 * int(hour) + int(minute)
    if total > 1440:
        return Reading(math.nan, "rejected", NO_CLOCK)
    return Reading(float(total % 1440), "kept" if rule is KEPT else "converted", rule)


def read_clocks(texts: pd.Series[str], missing: tuple[str, ...] = ()) -> Column:
    """What time does each cell of this column name?

    Parameters
    ----------
    texts
        The cells as text.
    missing
        More codes for "not answered", as declared for the file.

    Returns
    -------
    Column
        Minutes after midnight, with status and rule.
    """
    codes = MISSING | {folded(code) for code in missing}
    return column_of(texts, lambda text: read_clock(text, codes))


def may_be_slips(
    texts: pd.Series[str], minutes: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which bedtimes look like 12:00 for midnight or 10:30 without pm? They are flagged, never mended."""
    spoken = texts.str.contains(r"[ap]\.?\s*m", case=False, regex=True).to_numpy(dtype=bool)
    return (minutes >= SLIP_FROM) & (minutes < SLIP_TO) & ~spoken
