"""A log of attacks: which days they touched, and what is known of the days between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.errors import Problem
from acu_nof1.load.cells import BLANK, KEPT, Column, Reader, Reading, Rule, column_of, read_column
from acu_nof1.load.clocks import read_clocks
from acu_nof1.load.complaints import place
from acu_nof1.load.rows import Desk, framed, reader_of
from acu_nof1.outcomes import LEVELS, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from acu_nof1.protocol import DiaryFile

DAY = 1440.0
# An attack without a readable length may have lasted 72 hours, the longest attack of migraine (ICHD-3, 1.1).
LEFT_OPEN = 3
LONGEST = 60 * DAY
NAMED = Rule("something is named that was taken: yes")
TOO_LONG = Rule("an attack of more than 60 days", "Its end was probably not written down: mend its length.")
_LENGTH = Outcome("lasted", "", "minutes", unit="min", low=0, every="visit")
_CLOCK_AT_END = re.compile(
    r"[t, ]+(\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:\.\d+)?)?\s*(?:[ap]\.?m\.?)?)\s*(?:z|utc|gmt|[-+]\d{2}:?\d{2})?\s*$",
    re.IGNORECASE,
)


def is_log(shape: str, roles: Mapping[str, str]) -> bool:
    """Is this a log of attacks: a row for each, with the length of it?"""
    return shape == "wide" and "lasted" in roles


def wrong_log(
    file: DiaryFile, name: str, log: bool, roles: Mapping[str, str], questions: Mapping[Outcome, str]
) -> list[Problem]:
    """What in this declaration cannot be meant?"""
    wrong = []
    if file.tracked is not None and file.tracked[1] < file.tracked[0]:
        what = f"tracked ends on {file.tracked[1]}, before it begins on {file.tracked[0]}."
        wrong.append(Problem("error", name, what, "Write the first day, then the last."))
    if file.tracked is not None and not log:
        what = "tracked belongs to a log of attacks, and no column says how long they lasted."
        wrong.append(Problem("error", name, what, 'Declare the column, as in columns = { lasted = "Duration" }.'))
    for outcome, title in questions.items():
        if log and title == roles.get("date") and outcome.kind != "yes_no":
            what = f"{outcome.name} is found in the column that says when an attack began, and is no yes or no."
            wrong.append(Problem("error", name, what, "Map it to the column of its answers."))
    return wrong


def read_attacks(
    desk: Desk, questions: Mapping[Outcome, str]
) -> tuple[list[pd.DataFrame], pd.DataFrame, list[Problem]]:
    """What do these attacks say of each calendar day?

    An attack touches every day from its start to its end. The first of them has the cells of its row; for the others
    values are derived: yes to attacks, and the rating of the attack. Taking medication counts on the day on which
    the attack began; whether it was taken again on its later days is not known. Days without an attack
    have none only inside `tracked` and while every attack has its day; there what is better lower is 0.

    Parameters
    ----------
    desk
        The log; its roles name the columns of start (``date``) and length (``lasted``).
    questions
        The column of each outcome; of a yes/no outcome that of the start asks whether there was an attack.

    Returns
    -------
    list of DataFrame, DataFrame, list of Problem
        The cells of each column; derived values with the row they come from (0: from no row, a day
        without an attack); what should be known.
    """
    rows = np.arange(len(desk.table.rows))
    lasted = framed(desk, "lasted", desk.roles["lasted"], rows, _lengths(desk))
    span = _Span(desk, lasted["value"].to_numpy(dtype=float))
    frames, derived = [lasted], []
    for outcome, title in questions.items():
        cells = framed(desk, outcome.name, title, rows, _answers(desk, outcome, title))
        frames.append(cells)
        values = cells["value"].to_numpy(dtype=float)
        derived += [span.later(outcome, values, title == desk.roles["date"]), span.none_of(outcome)]
    columns = ["outcome", "date", "value", "file", "row"]
    told = pd.concat([pd.DataFrame(columns=columns), *(each for each in derived if len(each))], ignore_index=True)
    return frames, told, span.problems()


def _lengths(desk: Desk) -> Column:
    reader = Reader(_LENGTH, desk.table.delimiter or ",", desk.file.decimal, missing=desk.file.missing)

    def read(text: str) -> Reading:
        reading = reader.read(text)
        return Reading(np.nan, "rejected", TOO_LONG) if reading.value > LONGEST else reading

    return column_of(desk.table.rows[desk.roles["lasted"]], read)


def _answers(desk: Desk, outcome: Outcome, title: str) -> Column:
    texts, reader = desk.table.rows[title], reader_of(desk, outcome, title)
    if title == desk.roles["date"]:
        return column_of(
            texts, lambda text: Reading(1.0, "kept", KEPT) if text.strip() else Reading(np.nan, "missing", BLANK)
        )
    if outcome.kind != "yes_no" or outcome.domain != "medication":
        return read_column(texts, reader)

    def read(text: str) -> Reading:
        reading = reader.read(text)
        return Reading(1.0, "converted", NAMED) if reading.status == "rejected" else reading

    return column_of(texts, read)


class _Span:
    """Which days the attacks touched, and which days of the declared span they left free."""

    def __init__(self, desk: Desk, length: npt.NDArray[np.float64]) -> None:
        self.desk = desk
        known = ~np.isnat(desk.days)
        self.undated = ~known
        day = np.where(known, desk.days, np.datetime64(0, "D")).astype("datetime64[D]").astype(np.int64)
        clock = _clocks(desk.table.rows[desk.roles["date"]])
        self.open = known & (np.isnan(length) | np.isnan(clock))
        self.long = known & (length > LEFT_OPEN * DAY)
        # An attack that ends at midnight does not touch the day that begins then.
        last = np.ceil((clock + length) / DAY) - 1
        self.days = np.where(known, np.where(self.open, 0, np.maximum(last, 0)), -1).astype(np.int64) + 1
        self.attack = np.repeat(np.arange(len(day)), self.days)
        self.after = np.arange(len(self.attack)) - np.repeat(np.cumsum(self.days) - self.days, self.days)
        self.touched = day[self.attack] + self.after
        unknown = day[self.open][:, None] + np.arange(1, LEFT_OPEN + 1)
        self.free = self._free(unknown.ravel())

    def _free(self, unknown: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if self.desk.file.tracked is None or self.undated.any():
            return np.zeros(0, np.int64)
        first, last = (np.datetime64(day, "D").astype(np.int64) for day in self.desk.file.tracked)
        return np.setdiff1d(np.arange(first, last + 1), np.concatenate([self.touched, unknown]))

    def later(self, outcome: Outcome, values: npt.NDArray[np.float64], presence: bool) -> pd.DataFrame:
        """Values of the second and later days of each attack."""
        each = values[self.attack]
        if presence or outcome.kind in LEVELS:
            kept = (self.after > 0) & ~np.isnan(each)
        else:
            kept = (self.after > 0) & (each == 0)
        return self._told(outcome, self.touched[kept], each[kept], self.desk.table.numbers[self.attack[kept]])

    def none_of(self, outcome: Outcome) -> pd.DataFrame:
        """0 on the free days, where nothing of it is 0."""
        free = self.free if outcome.better == "lower" and outcome.low in (None, 0) else self.free[:0]
        return self._told(outcome, free, np.zeros(len(free)), np.zeros(len(free), np.int64))

    def _told(
        self,
        outcome: Outcome,
        days: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        rows: npt.NDArray[np.int64],
    ) -> pd.DataFrame:
        dates = days.astype("datetime64[D]").astype("datetime64[us]")
        return pd.DataFrame(
            {"outcome": outcome.name, "date": dates, "value": values, "file": self.desk.name, "row": rows}
        )

    def problems(self) -> list[Problem]:
        """What should be known of these attacks and of the days between them."""
        desk, found = self.desk, []
        lasted = desk.roles["lasted"]
        if self.open.any():
            what = (
                f"no start with a time, or no length, can be read: the attack counts on the day on which it began, and the "
                f"{LEFT_OPEN} days after it are left open."
            )
            where = place(desk.name, lasted, desk.table.numbers[self.open])
            found.append(Problem("warning", where, what, "Write the length as 06h 00m, and the start with its time."))
        if self.long.any():
            where = place(desk.name, lasted, desk.table.numbers[self.long])
            what = "longer than 3 days, taken as written."
            found.append(Problem("warning", where, what, "Check that its end was written down."))
        if desk.file.tracked is not None and self.undated.any():
            where = place(desk.name, desk.roles["date"], desk.table.numbers[self.undated])
            what = "an attack on a day that cannot be read: no day is known to be free of attacks, and tracked is not used."
            found.append(Problem("warning", where, what, "Mend its start, or take the row out."))
        elif len(self.touched):
            found.append(self._between(self.touched.min(), self.touched.max()))
        return found

    def _between(self, first: np.int64, last: np.int64) -> Problem:
        desk = self.desk
        if desk.file.tracked is None:
            what = "only attacks are in this log: days without one are not known to be free of them, and stay missing."
            example = f"tracked = [{first.astype('datetime64[D]')}, {last.astype('datetime64[D]')}]"
            remedy = f"If every attack was written down, declare the first and the last day, as in {example}."
            return Problem("warning", desk.name, what, remedy)
        begins, ends = desk.file.tracked
        day = self.touched.astype("datetime64[D]")
        outside = (day < np.datetime64(begins, "D")) | (day > np.datetime64(ends, "D"))
        if outside.any():
            rows = np.unique(desk.table.numbers[self.attack[outside]])
            what = f"an attack outside the declared tracked = [{begins}, {ends}]."
            return Problem("warning", place(desk.name, desk.roles["date"], rows), what, "Check the two days.")
        what = f"{len(self.free)} days from {begins} to {ends} are days without an attack, as declared by tracked."
        return Problem("note", desk.name, what, "")


def _clocks(texts: pd.Series[str]) -> npt.NDArray[np.float64]:
    """The time of day at the end of each text, in minutes; NaN where there is none."""
    found = texts.map(lambda text: match[1] if (match := _CLOCK_AT_END.search(text)) else "")
    return read_clocks(found.astype("str")).values
