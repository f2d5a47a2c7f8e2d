"""What does one diary file say? Its cells, the days they are about, and what is odd about it."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.derive import CSD_ITEMS
from acu_nof1.diary import Source, no_labels
from acu_nof1.errors import Problem, UnreadableFileError
from acu_nof1.load.attacks import is_log, read_attacks, wrong_log
from acu_nof1.load.cells import NO_DATE, OVERLONG
from acu_nof1.load.columns import (
    asked,
    find_questions,
    find_roles,
    nobody,
    nothing_found,
    of_one_person,
    other_units,
    recurring,
    titles_to_look_for,
    wrong_units,
)
from acu_nof1.load.complaints import examples, listed, place, shown, told
from acu_nof1.load.dates import hours, read_days
from acu_nof1.load.nights import read_nights, slips
from acu_nof1.load.recognise import no_progress, open_table, spoken
from acu_nof1.load.rows import Desk, read_cells, reader_of, rows_of
from acu_nof1.load.scores import find_items, read_scores
from acu_nof1.load.tables import Table, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from acu_nof1.load.layout import Progress
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import DiaryFile

LATE_DAYS = 1
EARLY = 4  # o'clock: who answers before it has probably not slept yet
NO_ANSWERS = ("date", "entered", "person", "phase", "question")
EMPTY = "rows with neither a date nor an answer"
FAR_YEARS = 2


@dataclass(frozen=True, eq=False)
class ReadFile:
    """One file as it was read: the cells of its outcome columns, and what they say about each outcome."""

    source: Source
    reducer: str
    reducer_declared: bool
    cells: tuple[pd.DataFrame, ...]  # a frame per mapped column, a row per cell (see `rows.framed`)
    derived: pd.DataFrame  # outcome, date, value, file, row: computed from a night's or a form's cells
    problems: tuple[Problem, ...]
    found: tuple[str, ...]
    phase_labels: pd.Series[str]
    ignored: Mapping[str, int] = field(default_factory=dict)  # records left out, by reason
    whose: pd.Series[str] | None = None  # by row: the person, where everybody's rows are read


def read_file(
    file: DiaryFile,
    name: str,
    folder: Path,
    outcomes: Sequence[Outcome],
    progress: Progress = no_progress,
    *,
    everybody: bool = False,
) -> ReadFile:
    """What does this file say?

    Parameters
    ----------
    file
        The declaration.
    name
        What the file is called in every complaint and in the ledger.
    folder
        Where its path starts.
    outcomes
        The questions to look for.
    progress
        Called with the share that is read, for files that take long.
    everybody
        Whether the rows of all people are read; else the file must be of one, or say whose are meant.

    Returns
    -------
    ReadFile
        Its cells, and the values derived from them.

    Raises
    ------
    UnreadableFileError
        If it is no table, its declaration does not fit it, or it holds none of the outcomes.
    """
    titles = titles_to_look_for(file, outcomes)
    table, layout = open_table(folder, file, name, titles, progress, may_be_empty=everybody)
    roles, wrong = find_roles(file, name, table, layout)
    table, more_than_one = (table, nobody(name, roles)) if everybody else of_one_person(file, name, table, roles)
    wrong += more_than_one
    questions, more_wrong = find_questions(file, name, table, layout, roles, outcomes)
    held = asked(table, roles) if layout.shape == "long" else table.columns
    named = recurring(table, roles) if layout.shape == "long" else table.columns
    items, some_missing = find_items(name, held, named, [outcome for outcome in outcomes if outcome.items])
    log = is_log(layout.shape, roles)
    more_wrong += some_missing + wrong_log(file, name, log, roles, questions)
    if wrong := [*wrong, *more_wrong, *wrong_units(file, name, outcomes), *other_units(file, name, table, questions)]:
        raise UnreadableFileError(wrong)
    read = {*questions.values(), *(title for own in items.values() for title in own)}
    table = _without_empty(table, roles, read)
    days, problems = _days(file, name, table, roles)
    desk = Desk(name, file, table, layout, roles, days)
    columns, derived, wanted, more = _columns_of(desk, questions, outcomes, log)
    forms, scored, scoring_notes = read_scores(desk, items)
    nobody_here = everybody and table.rows.empty
    if not questions and not wanted and not items and not nobody_here:
        raise UnreadableFileError([nothing_found(name, named, outcomes)])
    problems += more + _notes(desk, read, bool(wanted)) + scoring_notes + _late(desk)
    return ReadFile(
        Source(name, table.sha256, ", ".join(part for part in (table.read_as, layout.name) if part), table.prompts),
        "worst" if log and "reducer" not in file.model_fields_set else file.reducer,
        "reducer" in file.model_fields_set,
        (*columns, *forms),
        pd.concat([derived, scored], ignore_index=True),
        tuple(problems),
        tuple(outcome.name for outcome in (*questions, *wanted, *items)),
        _phase_labels(desk),
        table.ignored,
        _whose(desk) if everybody else None,
    )


def _whose(desk: Desk) -> pd.Series[str]:
    people = desk.table.rows[desk.roles["person"]].str.strip()
    return people.set_axis(pd.Index(desk.table.numbers))


def outside(file: str, folder: Path) -> Problem | None:
    """Say so if a file that a protocol names does not lie in the trial folder."""
    base = Path(os.path.abspath(folder))  # noqa: PTH100 - a link in it may lead anywhere
    if Path(os.path.abspath(base / file)).is_relative_to(base):  # noqa: PTH100
        return None
    what = f'"{shown(file)}" must lie in the trial folder.'
    return Problem("error", file, what, "Copy it there, and give its path as seen from protocol.toml.")


def _without_empty(table: Table, roles: Mapping[str, str], read: Collection[str]) -> Table:
    """Leave out the rows of other forms and events: those with neither a date nor an answer to what is asked."""
    answers = {*read, *(title for role, title in roles.items() if role not in NO_ANSWERS)} & set(table.columns)
    empty = table.rows[roles["date"]].str.strip() == ""
    for title in answers:
        codes = ["", *table.missing, *table.missing_in.get(title, ())]
        empty &= table.rows[title].str.strip().isin(codes)
    return table.only(~empty.to_numpy(dtype=bool), EMPTY) if not empty.all() else table


def _days(
    file: DiaryFile, name: str, table: Table, roles: Mapping[str, str]
) -> tuple[npt.NDArray[np.datetime64], list[Problem]]:
    texts = table.rows[roles["date"]]
    read = read_days(texts, date_format=file.date_format, dayfirst=file.dayfirst, day_zero=table.day_zero)
    title, undated = roles["date"], np.isnat(read.days)
    problems = []
    if read.question is not None:
        what, remedy = read.question
        example = examples(pd.Series(told(texts, undated)[undated][:1]))
        problems.append(Problem("error", place(name, title), f"{what}, as in {example}: no answer was read.", remedy))
    elif read.read_as:
        problems.append(Problem("note", place(name, title), f"{read.read_as}.", ""))
    if read.question is None and undated.any():
        what = f"{examples(pd.Series(told(texts, undated)[undated]))}: {NO_DATE.name}, the answers of the row are not read."
        problems.append(Problem("warning", place(name, title, table.numbers[undated]), what, NO_DATE.remedy))
    problems += _odd_days(name, title, table, read.days)
    if not table.overlong:
        return read.days, problems
    what = f"{OVERLONG.name}, and no answer in it is read."
    problems.append(Problem("warning", place(name, "", table.overlong), what, OVERLONG.remedy))
    unknown = np.isin(table.numbers, table.overlong)
    return np.where(unknown, np.datetime64("NaT", "us"), read.days), problems


def _odd_days(name: str, title: str, table: Table, days: npt.NDArray[np.datetime64]) -> list[Problem]:
    """Days that have not come yet, and years far from the others."""
    known = ~np.isnat(days)
    if not known.any():
        return []
    years = days.astype("datetime64[Y]").astype(int)
    first, last = np.quantile(years[known], [0.1, 0.9])
    far = known & ((years < first - FAR_YEARS) | (years > last + FAR_YEARS))
    future = known & ~far & (days > np.datetime64(dt.date.today()))
    if future.any():  # a diary may be dated ahead: only what is written down already is odd
        future &= (table.rows.drop(columns=title) != "").any(axis=1).to_numpy()
    found = ((far, "a year far from the others"), (future, "a day that has not come yet"))
    return [
        Problem(
            "warning",
            place(name, title, table.numbers[mask]),
            f'{what}: "{str(days[mask][0])[:10]}".',
            "Check the date.",
        )
        for mask, what in found
        if mask.any()
    ]


def _columns_of(
    desk: Desk, questions: Mapping[Outcome, str], outcomes: Sequence[Outcome], log: bool
) -> tuple[list[pd.DataFrame], pd.DataFrame, list[Outcome], list[Problem]]:
    """The cells of every column, the values derived from them, of which outcomes, and what should be known."""
    if log:
        cells, derived, problems = read_attacks(desk, questions)
        return cells, derived, [], problems
    nights, derived, wanted = read_nights(desk, [outcome for outcome in outcomes if outcome not in questions])
    return [*(_cells_of(desk, outcome, title) for outcome, title in questions.items()), *nights], derived, wanted, []


def _cells_of(desk: Desk, outcome: Outcome, title: str) -> pd.DataFrame:
    column, rows = rows_of(desk, title)
    return read_cells(desk, outcome.name, column, reader_of(desk, outcome, title), rows)


def _notes(desk: Desk, titles: Collection[str], nights: bool) -> list[Problem]:
    said = [spoken(desk.layout, desk.table), *desk.table.notes]
    said += [
        f"{count} {'record' if count == 1 else 'records'} left out: {why}" for why, count in desk.table.ignored.items()
    ]
    notes = [Problem("note", desk.name, f"{note}.", "") for note in said if note]
    notes += [Problem("warning", desk.name, what, remedy) for what, remedy in desk.table.warnings]
    if desk.layout.shape == "long":
        read = {plain(title) for title in titles}
        left = [title for title in recurring(desk.table, desk.roles) if plain(title) not in read]
        what = "questions"
    else:
        used = set(titles) | {column for role, column in desk.roles.items() if nights or role not in CSD_ITEMS}
        left, what = [column for column in desk.table.columns if column not in used], "columns"
    if left:
        notes.append(
            Problem("note", desk.name, f"{what} not read: {listed(left)}.", "Map them to an outcome to read them.")
        )
    return notes + (slips(desk) if nights else [])


def _late(desk: Desk) -> list[Problem]:
    """Which entries were typed more than a day after the day they are about?"""
    if "entered" not in desk.roles:
        return []
    title = desk.roles["entered"]
    texts = desk.table.rows[title]
    entered = read_days(texts, dayfirst=desk.file.dayfirst, day_zero=desk.table.day_zero).days
    if np.isnat(entered).all() and desk.file.date_format:
        entered = read_days(texts, date_format=desk.file.date_format).days
    if np.isnat(entered).all():
        where = place(desk.name, title)
        return [Problem("warning", where, "no entry time could be read: late entries are not known.", NO_DATE.remedy)]
    if title == desk.roles["date"]:
        return _after_midnight(desk, texts)
    late = entered - desk.days > np.timedelta64(LATE_DAYS, "D")
    if not late.any():
        return []
    return [
        Problem(
            "warning",
            place(desk.name, title, desk.table.numbers[late]),
            f"{late.sum()} of {len(late)} entries were typed more than a day late.",
            "Read them as remembered, not kept daily.",
        )
    ]


def _after_midnight(desk: Desk, texts: pd.Series[str]) -> list[Problem]:
    """Which answers were given so late that they may be about the day before? Only their time says of which day they are."""
    night = hours(texts) < EARLY
    if not night.any():
        return []
    what = (
        f"{night.sum()} of {len(night)} answers were given between midnight and {EARLY}:00: they count for the new day."
    )
    remedy = "If they are about the day before, add a column with the day and map it as date."
    return [Problem("warning", place(desk.name, desk.roles["date"], desk.table.numbers[night]), what, remedy)]


def _phase_labels(desk: Desk) -> pd.Series[str]:
    if "phase" not in desk.roles:
        return no_labels()
    texts = desk.table.rows[desk.roles["phase"]].str.strip()
    kept = (texts != "").to_numpy() & ~np.isnat(desk.days)
    return pd.Series(
        texts.to_numpy()[kept],
        index=pd.DatetimeIndex(desk.days[kept], name="date"),
        dtype="str",
        name="phase",
    )
