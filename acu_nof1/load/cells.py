"""What number does a cell hold? Every text becomes a value or a reason, never an exception."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from acu_nof1.outcomes import base_unit, conversion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from acu_nof1.diary import Status
    from acu_nof1.outcomes import Outcome

MISSING = frozenset(("n/a", "na", "n.a.", "-", "--", ".", "...", "?", "nan", "null", "missing", "#n/a", "<na>"))
YES = frozenset(("yes", "y", "true", "x"))
NO = frozenset(("no", "n", "false"))
ABOUT = re.compile(r"(?:~|≈|about|approx\.?|ca\.|circa|around)\s*(?=\d)|(?<=\d)\s*\?$")

_PLAIN = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_WHOLE_CELL = re.compile(rf"\s*{_PLAIN}\s*", re.ASCII)
_NUMBER = r"(?:\d[\d.,' ]*\d|[.,]?\d+[.,]?)"
_RANGE = re.compile(rf"({_NUMBER})\s*(?:-|to)\s*({_NUMBER})")
_OUT_OF = re.compile(rf"({_NUMBER})\s*(?:/|out of|of)\s*({_NUMBER})")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::[0-5]\d)?")
_HOURS_MINUTES = re.compile(
    r"(\d+)\s*(?:h|hr|hrs|hour|hours)\s*(?:and\s*)?(\d{1,2})\s*(?:m|min|mins|minute|minutes)?\.?"
)
_WITH_UNIT = re.compile(rf"([-+]?{_NUMBER})\s*([^\d\s.,'+<>=~-][^\d<>=]*?)\.?")
_THOUSANDS = re.compile(r"\d{1,3}(?:(?P<mark>[,. '])\d{3})(?:(?P=mark)\d{3})*(?:[.,]\d+)?")
_DATE = re.compile(
    r"\d{4}-\d\d?-\d\d?.*|\d\d?([./-])\d\d?\1\d{2,4}"
    r"|\d\d?[- ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*(?:[- ]\d{2,4})?"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ]\d{1,4}"
)
_LED_BY_LETTERS = re.compile(r"(?:about|approx|ca|circa|around|inf|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)")
_INVISIBLE = {"Cf": "", "Zs": " ", "Cc": " "}
_DASHES = dict.fromkeys(map(ord, "−–—‐‑‒―﹣－"), "-")
_HALVES = {"½": 0.5, "¼": 0.25, "¾": 0.75}


class Rule(NamedTuple):
    """What was done with a cell, and what the user may do about it."""

    name: str
    remedy: str = ""


KEPT, BLANK = Rule(""), Rule("blank")
MISSING_CODE = Rule("a code for not answered")
NONE_UNDECLARED = Rule('"none" is not declared as zero', 'If it means zero, declare none = ["none"].')
DECLARED_NONE = Rule("a word declared to mean zero")
DECLARED_WORD = Rule("a word declared to stand for a number")
WORD = Rule("a word, not a number", "Nothing is guessed from words: declare words = {moderate = 5} or type numbers.")
A_DATE = Rule(
    "a date where a number was expected",
    "A spreadsheet turns 3-4 or 7/10 into a date: format the column as text and type the answer again.",
)
FORMULA = Rule("a formula without a stored value", "Open and save the workbook in a spreadsheet, or export it as CSV.")
SCIENTIFIC = Rule("a number in scientific notation", "Write it out: 1000, not 1e3.")
NOT_FINITE = Rule("not a finite number", "Type the answer again or leave the cell blank.")
RANGE = Rule("a range: midpoint")
DOWNWARD = Rule("a range that runs downwards", "Write the lower number first.")
NUMERATOR = Rule("the number before the end of the scale")
OPEN = Rule("an open number", "A number with + or < has no value: type the best estimate.")
COMMA = Rule("decimal comma")
UNDECLARED_COMMA = Rule(
    "a comma inside a number",
    'If it is a decimal comma, declare decimal = ","; if it parts thousands, decimal = ".".',
)
AMBIGUOUS_POINT = Rule(
    "a point or comma that may part thousands",
    'Declare decimal = "." or decimal = ",", and write numbers without it.',
)
DECLARED_OTHERWISE = Rule("a point where the decimal comma is declared", 'Write a comma, or leave decimal = "," out.')
THOUSANDS = Rule("thousands separators left out")
LETTERS = Rule("unusual digits, signs or spaces")
APPROXIMATE = Rule("an approximate number, taken as written")
FRACTION = Rule("a fraction")
YES_NO = Rule("yes or no in words")
NOT_YES_NO = Rule("neither yes nor no", "Write yes or no, or 1 or 0.")
OTHER_YES_NO = Rule("a word that is neither yes nor no", "Declare what it means: words = {ja = 1, nein = 0}.")
DURATION = Rule("hours and minutes")
NO_DURATION = Rule("a clock time where a number was expected", "Type the number.")
OTHER_UNIT = Rule("a number with other words behind it", "Write the number only, or declare `units`.")
MORE_THAN_A_DAY = Rule("more than the 24 hours of a day", 'If these are minutes, declare units = {… = "min"}.')
NO_DATE = Rule("no readable date", "Write dates as 2026-01-31, or declare date_format or dayfirst.")
SAME_TWICE = Rule("same day twice, same value")
SEVERAL = Rule("several answers on one day", "Declare `reducer`: mean, worst, best, first or last.")
OVERLONG = Rule(
    "the row has more cells than the header",
    "Put quotation marks around numbers and texts that hold a comma, or export the table with ; between the cells.",
)
OFF_SCALE = "outside the scale"
NEGATIVE = Rule("below zero", "An amount cannot be negative: mend the cell, or declare the code in `missing`.")


class Reading(NamedTuple):
    """What became of one text."""

    value: float
    status: Status
    rule: Rule


@dataclass(frozen=True)
class Reader:
    """How the cells of one outcome in one file are read.

    Attributes
    ----------
    outcome
        The question; its unit and range decide.
    delimiter
        What separates the cells of the file: with ``;`` a comma is a decimal comma.
    decimal, missing, none, words
        As declared for the file.
    unit
        Unit of the file's numbers; ``""`` when it is the outcome's own.
    """

    outcome: Outcome
    delimiter: str = ","
    decimal: str | None = None
    missing: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""

    @cached_property
    def factor(self) -> float:
        """By what the file's numbers are multiplied."""
        return conversion(self.unit, self.outcome.unit) if self.unit else 1.0

    @cached_property
    def _in_unit(self) -> Rule:
        return Rule(f"converted from {self.unit} to {self.outcome.unit}") if self.factor != 1.0 else KEPT

    @cached_property
    def _missing(self) -> frozenset[str]:
        return MISSING | {folded(code) for code in self.missing}

    @cached_property
    def _missing_numbers(self) -> frozenset[float]:
        numbers = (_float(code) for code in self.missing)
        return frozenset(number for number in numbers if number is not None)

    @cached_property
    def _words(self) -> dict[str, tuple[float, Rule]]:
        zero = {folded(word): (0.0, DECLARED_NONE) for word in self.none}
        return zero | {folded(word): (float(value), DECLARED_WORD) for word, value in self.words.items()}

    @cached_property
    def _top(self) -> float | None:
        """End of the scale, in the file's unit."""
        high = self.outcome.high
        return None if high is None else high / self.factor

    @cached_property
    def _minutes_in_unit(self) -> float | None:
        """How many of the outcome's unit a minute is, where it measures time."""
        if self.outcome.kind != "minutes":
            return None
        try:
            return conversion("min", self.outcome.unit)
        except ValueError:
            return None

    def read(self, text: str) -> Reading:
        """What does this text say?

        Parameters
        ----------
        text
            The cell.

        Returns
        -------
        Reading
            The value in the outcome's unit (NaN for none), the status and the rule.
        """
        bare = text.strip(" \t\n")
        if not bare.strip():
            return Reading(math.nan, "missing", BLANK)
        if (number := _float(bare)) is not None and number in self._missing_numbers:
            return Reading(math.nan, "missing", MISSING_CODE)
        clean = _cleaned(bare).strip()
        word = " ".join(clean.casefold().split())
        if not word or word in self._missing:
            return Reading(math.nan, "missing", MISSING_CODE)
        if word in self._words:
            value, rule = self._words[word]
            return self._checked(value * self.factor, rule)
        if word == "none":
            return Reading(math.nan, "missing", NONE_UNDECLARED)
        if self.outcome.kind == "yes_no" and bare.casefold() in ("yes", "no"):
            return Reading(float(bare.casefold() == "yes"), "kept", KEPT)
        if self.outcome.kind == "yes_no" and word in YES | NO:
            return Reading(float(word in YES), "converted", YES_NO)
        value, rule = self._number(word)
        if rule is WORD and self.outcome.kind == "yes_no":
            rule = OTHER_YES_NO
        if rule is KEPT and clean != bare:
            rule = LETTERS
        return Reading(math.nan, "rejected", rule) if math.isnan(value) else self._checked(value, rule)

    def _checked(self, value: float, rule: Rule) -> Reading:
        if rule is not KEPT:
            value = round(value, 9)  # 7.1 h are 426 minutes, not 425.99999999999994
        if wrong := self._outside(value):
            return Reading(math.nan, "rejected", wrong)
        return Reading(value + 0.0, "kept" if rule is KEPT else "converted", rule)  # + 0.0: no minus zero

    def _outside(self, value: float) -> Rule | None:
        low, high = self.outcome.low, self.outcome.high
        if not math.isfinite(value):
            return NOT_FINITE
        if self.outcome.kind == "yes_no":
            return None if value in (0.0, 1.0) else NOT_YES_NO
        if (low is not None and value < low) or (high is not None and value > high):
            return self._off_scale
        if self.outcome.is_amount and value < 0:
            return NEGATIVE
        if self._minutes_in_unit and self.outcome.every == "day" and value > 1440 * self._minutes_in_unit:
            return MORE_THAN_A_DAY
        return None

    @cached_property
    def _off_scale(self) -> Rule:
        low, high = (_short(end) for end in (self.outcome.low, self.outcome.high))
        scale = f"{low} to {high}" if low and high else (f"from {low}" if low else f"up to {high}")
        return Rule(
            f"{OFF_SCALE} ({scale} {self.outcome.unit}".rstrip() + ")",
            "It is not moved to the end of the scale: mend the cell, or declare `units` or the range.",
        )

    def _number(self, word: str) -> tuple[float, Rule]:
        """Return the value in the outcome's unit, NaN with the reason when there is none."""
        if word[0].isalpha() and not _LED_BY_LETTERS.match(word):
            return math.nan, WORD
        if (value := _float(word)) is not None and not self._doubtful_point(word):
            if self.decimal == "," and "." in word:
                return math.nan, DECLARED_OTHERWISE
            return value * self.factor, self._in_unit
        if word in ("inf", "+inf", "-inf", "infinity", "-infinity"):
            return math.nan, NOT_FINITE
        if re.fullmatch(r"[-+]?[\d.,]+e[-+]?\d+", word):
            return math.nan, SCIENTIFIC
        if word.startswith("="):
            return math.nan, FORMULA
        if _DATE.fullmatch(word):
            return math.nan, A_DATE
        return self._composed(word)

    def _composed(self, word: str) -> tuple[float, Rule]:
        if ABOUT.search(word):
            value, rule = self._number(ABOUT.sub("", word))
            return value, (rule if math.isnan(value) else APPROXIMATE)
        if found := _CLOCK.fullmatch(word):
            return self._duration(found, DURATION) if self._minutes_in_unit else (math.nan, NO_DURATION)
        if self._minutes_in_unit and (found := _HOURS_MINUTES.fullmatch(word)):
            return self._duration(found, DURATION)
        if found := _RANGE.fullmatch(word):
            return self._midpoint(*found.groups())
        if found := _OUT_OF.fullmatch(word):
            return self._share(*found.groups())
        if word[-1] in _HALVES and (word[:-1].strip().isdecimal() or not word[:-1].strip()):
            return (float(word[:-1] or 0) + _HALVES[word[-1]]) * self.factor, FRACTION
        if re.fullmatch(r"(?:[<>≤≥]=?\s*[\d.,]+|[\d.,]+\s*[+<>-])", word):
            return math.nan, OPEN
        return self._separated(word)

    def _duration(self, found: re.Match[str], rule: Rule) -> tuple[float, Rule]:
        hours, minutes = (int(part) for part in found.groups())
        return (60 * hours + minutes) * (self._minutes_in_unit or math.nan), rule

    def _midpoint(self, first: str, last: str) -> tuple[float, Rule]:
        (low, low_rule), (high, high_rule) = self._separated(first), self._separated(last)
        for end, rule in ((low, low_rule), (high, high_rule)):
            if math.isnan(end):
                return math.nan, rule
            if wrong := self._outside(end):
                return math.nan, wrong
        return ((low + high) / 2, RANGE) if low <= high else (math.nan, DOWNWARD)

    def _share(self, first: str, last: str) -> tuple[float, Rule]:
        part, whole = _float(first), _float(last)
        if part is not None and whole is not None and self.outcome.kind == "doses" and 0 < part < whole <= 4:
            return part / whole * self.factor, FRACTION
        if self._top is None:
            return math.nan, Rule("a number out of another", "This outcome has no end of scale: type the number only.")
        if whole is None or part is None or not math.isclose(whole, self._top):
            remedy = f"Type the answer on 0 to {_short(self._top)}; nothing is rescaled."
            return math.nan, Rule(f"out of a number that is not the end of the scale ({_short(self._top)})", remedy)
        return part * self.factor, NUMERATOR

    def _separated(self, word: str) -> tuple[float, Rule]:
        """Read a number with a decimal comma, thousands separators or a unit behind it."""
        if (
            (value := _float(word)) is not None
            and not self._doubtful_point(word)
            and not (self.decimal == "," and "." in word)
        ):
            return value * self.factor, self._in_unit
        if re.fullmatch(r"[-+]?[\d.,' ]+", word):
            return self._marked(word)
        if (found := _WITH_UNIT.fullmatch(word)) and len(found[2]) <= 20:
            return self._with_unit(found[1], found[2].strip())
        return math.nan, WORD

    def _doubtful_point(self, word: str) -> bool:
        """``1.234`` where the comma is (or may be) the decimal mark, and 1234 is possible too."""
        if self.decimal == "." or (self.decimal is None and self.delimiter != ";"):
            return False
        return bool(_THOUSANDS.fullmatch(word)) and (self._top is None or self._top >= 1000)

    def _marked(self, word: str) -> tuple[float, Rule]:
        comma = self.decimal == "," or (self.decimal is None and self.delimiter == ";")
        if comma and (value := _comma(word)) is not None:
            if self.decimal is None and _THOUSANDS.fullmatch(word) and self.outcome.is_amount:
                return math.nan, AMBIGUOUS_POINT
            return value * self.factor, COMMA
        grouped = _THOUSANDS.fullmatch(word)
        if not grouped or not self.outcome.is_amount:
            return math.nan, (DECLARED_OTHERWISE if self.decimal == "," and "." in word else UNDECLARED_COMMA)
        mark = grouped["mark"]
        point = "," if mark == "." else "."
        sure = mark in " '" or word.count(mark) > 1 or point in word or self._sure(mark)
        if not sure:
            return math.nan, UNDECLARED_COMMA if mark == "," else AMBIGUOUS_POINT
        number = _float(word.replace(mark, "").replace(",", "."))
        return (math.nan, WORD) if number is None else (number * self.factor, THOUSANDS)

    def _sure(self, mark: str) -> bool:
        """A single ``1,234``: only where the declared decimal mark, or a count, leaves one reading."""
        if self.decimal is not None:
            return self.decimal != mark
        return mark == "," and self.delimiter != ";" and self.outcome.kind == "count"

    def _with_unit(self, number: str, unit: str) -> tuple[float, Rule]:
        value, rule = self._separated(number)
        if math.isnan(value):
            return value, rule
        value /= self.factor  # the unit in the cell counts, not the file's
        if base_unit(unit) == base_unit(self.outcome.unit):
            return value, Rule(f'unit "{unit}" in the cell')
        try:
            return value * conversion(unit, self.outcome.unit), Rule(f"converted from {unit} to {self.outcome.unit}")
        except ValueError:
            return math.nan, OTHER_UNIT


def folded(text: str) -> str:
    """How does a word read when case and spaces do not matter?"""
    return " ".join(text.translate(_DASHES).casefold().split())


def _cleaned(text: str) -> str:
    """Write dashes, spaces and digits of any script as plain ones; ASCII that can be seen has none."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_INVISIBLE.get(unicodedata.category(c), _digit(c)) for c in text.translate(_DASHES))


def _digit(character: str) -> str:
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _float(word: str) -> float | None:
    return float(word) if _WHOLE_CELL.fullmatch(word) else None


def _comma(word: str) -> float | None:
    """Read ``1.234,5`` as the decimal comma reads it."""
    if not re.fullmatch(r"[-+]?(?:\d{1,3}(?:[. ']\d{3})+|\d*),\d+", word):
        return None
    return float(re.sub(r"[. ']", "", word).replace(",", "."))


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.10g}"


@dataclass(frozen=True, eq=False)
class Column:
    """What became of a column: one entry per row; `rules` are the distinct ones, `rule` points into them."""

    values: np.ndarray[tuple[int], np.dtype[np.float64]]
    status: np.ndarray[tuple[int], np.dtype[np.object_]]
    rule: np.ndarray[tuple[int], np.dtype[np.int64]]
    rules: tuple[Rule, ...]


def read_column(texts: pd.Series[str], reader: Reader) -> Column:
    """What does each cell of this column say?

    Parameters
    ----------
    texts
        The cells as text.
    reader
        How they are read.

    Returns
    -------
    Column
        One value, status and rule per cell. Each distinct text is read once.
    """
    return column_of(texts, reader.read)


def column_of(texts: pd.Series[str], read: Callable[[str], Reading]) -> Column:
    """What does each cell say, when each distinct text is read once with `read`?"""
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object))
    readings = [read(text) for text in distinct]
    rules = tuple(dict.fromkeys(reading.rule for reading in readings))
    places = {rule: place for place, rule in enumerate(rules)}
    values = np.array([reading.value for reading in readings], dtype=float)
    status = np.array([reading.status for reading in readings], dtype=object)
    rule = np.array([places[reading.rule] for reading in readings], dtype=np.int64)
    return Column(values[codes], status[codes], rule[codes], rules)
