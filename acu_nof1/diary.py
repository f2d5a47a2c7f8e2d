"""One person's daily values, and the ledger of what became of every cell that was read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from acu_nof1.errors import Problem
    from acu_nof1.outcomes import Outcome

Status = Literal["kept", "converted", "missing", "rejected"]
Reduction = Literal["mean", "max", "min", "first", "last"]
IGNORED_COLUMNS = ("file", "reason", "records")
SEVERAL_COLUMNS = ("outcome", "date", "value")
LEDGER_COLUMNS = ("file", "row", "column", "outcome", "date", "raw", "status", "rule", "value")
# For the person's own eyes: the column's title as it stands in the file, and what to do.
MENDING_COLUMNS = (*LEDGER_COLUMNS, "title", "remedy")


def empty_ledger() -> pd.DataFrame:
    """Return a ledger without rows."""
    return pd.DataFrame(columns=list(LEDGER_COLUMNS))


def no_several() -> pd.DataFrame:
    """Return a list of several answers on one day without rows."""
    return pd.DataFrame(columns=list(SEVERAL_COLUMNS))


def none_ignored() -> pd.DataFrame:
    """Return a list of records left out without rows."""
    return pd.DataFrame(columns=list(IGNORED_COLUMNS))


def reduction(outcome: Outcome, reducer: str) -> tuple[Reduction, str]:
    """Return pandas' name and the spoken name of a reducer, as far as this outcome allows it."""
    if reducer in ("worst", "best") and outcome.sign:
        up = (outcome.sign > 0) == (reducer == "best")
        return ("max" if up else "min"), reducer
    if reducer in ("first", "last"):
        return ("first" if reducer == "first" else "last"), reducer
    return ("max", "yes if any is yes") if outcome.kind == "yes_no" else ("mean", "mean")


def no_labels() -> pd.Series[str]:
    """Return a series of phase labels without entries."""
    return pd.Series([], index=pd.DatetimeIndex([], name="date"), dtype="str", name="phase")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many cells were read and what became of them: the first four always add up to `read`.

    `ignored` counts the records of a file that are no answer to any question asked (of another person, of another
    kind, a nap), each for a reason.
    """

    kept: int = 0
    converted: int = 0
    missing: int = 0
    rejected: int = 0
    ignored: int = 0

    @property
    def read(self) -> int:
        """Cells read: all cells of outcome columns in data rows, blank ones included."""
        return self.kept + self.converted + self.missing + self.rejected

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.kept + other.kept,
            self.converted + other.converted,
            self.missing + other.missing,
            self.rejected + other.rejected,
            self.ignored + other.ignored,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read, with the hash of its bytes and how it was read (``sep ";"``, layout, …).

    `prompts` is how often it asked and how often it was answered, where it tells.
    """

    file: str
    sha256: str
    read_as: str = ""
    prompts: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Diary:
    """One person's dated answers: one row per calendar day, missing days stay missing.

    Attributes
    ----------
    values
        A frame with one column per outcome, indexed by calendar day without gaps; NaN is not answered.
    ledger
        One row for every cell not taken verbatim: file, row and column as the user sees them (the header
        of a plain table is row 1), outcome, date, raw text, status (``kept`` never occurs), the rule that
        was applied and the value it gave (NaN for none). Blanks are counted, not listed.
    counts
        How many cells were read, kept, converted, missing, rejected.
    problems
        What the reader should know or mend.
    sources
        The files, in the order in which they were read.
    phase_labels
        Names of phases typed into the diary, by day (phases come from the protocol's dates; a conflict is
        for a check to report).
    several
        The single answers of days that were answered several times with different values: outcome, date, value,
        in the order of the files. `values` holds what they were reduced to.
    ignored
        The records that were left out before any cell was read: file, reason, how many.
    """

    _values: pd.DataFrame
    _ledger: pd.DataFrame = field(default_factory=empty_ledger)
    counts: Counts = Counts()
    problems: tuple[Problem, ...] = ()
    sources: tuple[Source, ...] = ()
    _phase_labels: pd.Series[str] = field(default_factory=no_labels)
    _several: pd.DataFrame = field(default_factory=no_several)
    _ignored: pd.DataFrame = field(default_factory=none_ignored)

    @classmethod
    def from_values(cls, values: Mapping[str, pd.Series[float]] | pd.DataFrame) -> Diary:
        """Make a diary from values that are already clean, one column per outcome, indexed by day."""
        frame = pd.DataFrame(values).astype(float)
        frame.index = pd.DatetimeIndex(frame.index, name="date").normalize()
        answered = int(frame.notna().to_numpy().sum())
        counts = Counts(kept=answered, missing=int(frame.size) - answered)
        return cls(on_calendar(frame), counts=counts)

    @property
    def values(self) -> pd.DataFrame:
        """The daily values (a copy)."""
        return self._values.copy()

    @property
    def ledger(self) -> pd.DataFrame:
        """What became of every cell that was not taken as it stood (a copy)."""
        return self._ledger[list(LEDGER_COLUMNS)].copy()

    @property
    def to_mend(self) -> pd.DataFrame:
        """The ledger (a copy), with the title of each column as it stands in the file, unmasked, and what to do."""
        return self._ledger.reindex(columns=list(MENDING_COLUMNS), fill_value="")

    @property
    def phase_labels(self) -> pd.Series[str]:
        """Names of phases as they were typed, by day (a copy); empty when no column is mapped as phase."""
        return self._phase_labels.copy()

    @property
    def several(self) -> pd.DataFrame:
        """The answers of days that were answered several times with different values (a copy)."""
        return self._several.copy()

    @property
    def ignored(self) -> pd.DataFrame:
        """The records that were left out, and why (a copy)."""
        return self._ignored.copy()

    def reduced(self, outcome: Outcome, reducer: str) -> pd.Series[float]:
        """What are the daily values of an outcome when days with several different answers are reduced this way?"""
        values = self._values[outcome.name].copy()
        own = self._several[self._several["outcome"] == outcome.name]
        again = own.groupby("date")["value"].agg(reduction(outcome, reducer)[0])
        values.update(again[again.index.isin(values.index)])
        return values

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes that have a column."""
        return tuple(str(name) for name in self._values.columns)

    @property
    def first_day(self) -> pd.Timestamp | None:
        """First calendar day with any answer."""
        answered = self._values.dropna(how="all").index
        return None if answered.empty else answered[0]

    @property
    def last_day(self) -> pd.Timestamp | None:
        """Last calendar day with any answer."""
        answered = self._values.dropna(how="all").index
        return None if answered.empty else answered[-1]

    def until(self, day: pd.Timestamp) -> Diary:
        """Return the diary as it stood on the morning of `day`: only the days before it."""
        return replace(self, _values=self._values.loc[self._values.index < day])

    def with_sources(self, *more: Source) -> Diary:
        """Return the diary with more input files named before its own (protocol, sessions)."""
        return replace(self, sources=(*more, *self.sources))

    def __add__(self, other: Diary) -> Diary:
        """Join two diaries of one person; an outcome kept in both is an error of the caller."""
        return Diary(
            on_calendar(self._values.join(other._values, how="outer")),
            _stacked(self._ledger, other._ledger),
            self.counts + other.counts,
            self.problems + other.problems,
            self.sources + other.sources,
            pd.concat([self._phase_labels, other._phase_labels]),
            _stacked(self._several, other._several),
            _stacked(self._ignored, other._ignored),
        )

    def __repr__(self) -> str:
        if self.first_day is None:
            return f"Diary({', '.join(self.outcomes)}: no answered day)"
        return (
            f"Diary({', '.join(self.outcomes)}: {self.first_day:%Y-%m-%d} to {self.last_day:%Y-%m-%d}, "
            f"{self.counts.kept + self.counts.converted} of {self.counts.read} cells hold a value)"
        )


def empty_diary(outcomes: Iterable[str]) -> Diary:
    """Return a diary in which nothing was answered, with a column for each outcome."""
    return Diary(pd.DataFrame(columns=list(outcomes), index=pd.DatetimeIndex([], name="date"), dtype=float))


def _stacked(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    filled = [ledger for ledger in (first, second) if not ledger.empty]
    return pd.concat(filled, ignore_index=True) if filled else first


def on_calendar(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with one row for every calendar day from its first to its last."""
    frame = frame.sort_index()
    return frame if frame.empty else frame.asfreq("D")
