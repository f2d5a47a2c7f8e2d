"""Read a whole trial: the protocol, the sessions, and the diary files it names."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import ValidationError

from acu_nof1.diary import Source
from acu_nof1.errors import AcuError, Problem, ProtocolError, UsageError, did_you_mean
from acu_nof1.load.cells import folded
from acu_nof1.load.complaints import place, shown
from acu_nof1.load.dates import read_days
from acu_nof1.load.diaries import read_diary
from acu_nof1.load.files import outside
from acu_nof1.load.protocols import PROTOCOL_FILE, input_files, protocol_and_sessions
from acu_nof1.load.recognise import no_progress
from acu_nof1.load.tables import plain, read_table
from acu_nof1.privacy import quoted, without_names
from acu_nof1.protocol import Session
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from acu_nof1.diary import Diary
    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import Protocol

KNOWN_COLUMNS = ("date", "attended", "late_cancel", "adverse_asked", "adverse_event", "serious", "red_flag", "notes")
TRUTHS = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}
YES_NO = ("attended", "late_cancel", "adverse_asked", "serious")
ALIASES = {"red_flags": "red_flag"}
NOTHING = frozenset(("none", "no", "-", "n/a", "0"))  # in a cell that names what happened: nothing did
NEAR = 0.8


def read_trial(path: str | os.PathLike[str], progress: Progress = no_progress) -> Trial:
    """What was planned, what was done, and what does the diary say?

    Parameters
    ----------
    path
        A folder with ``protocol.toml`` and the files it names, or the protocol file itself.
    progress
        Called with the share of a diary file that is read, where that takes long.

    Returns
    -------
    Trial
        Problems found on the way are in ``trial.diary.problems``; see also `check`.

    Raises
    ------
    AcuError
        With every complaint about protocol, sessions and diary files at once.
    """
    at = Path(path)
    if not at.exists():
        raise UsageError([Problem("error", str(at), "there is no such file or folder.", "Check the path.")])
    folder = at if at.is_dir() else at.parent
    try:
        protocol, sessions_file = protocol_and_sessions(at)
    except ProtocolError as error:
        raise ProtocolError([*error.problems, *_not_there(at)]) from None
    dictionaries = [file.dictionary for file in protocol.diaries if file.dictionary]
    named = [*(file.file for file in protocol.diaries), *dictionaries, *([sessions_file] if sessions_file else [])]
    wrong = [problem for file in named if (problem := outside(file, folder))]
    if wrong:
        raise ProtocolError([*wrong, *_not_there(at)])
    sources = [_source(at / PROTOCOL_FILE if at.is_dir() else at)]
    try:
        if sessions_file is not None:
            protocol = protocol.model_copy(update={"sessions": read_sessions(folder / sessions_file)})
            sources.append(_source(folder / sessions_file))
    except AcuError as error:
        wrong += error.problems
    if not protocol.diaries:
        wrong.append(
            Problem(
                "error",
                f"{PROTOCOL_FILE} [[diary]]",
                "no diary file is named.",
                'Add [[diary]] with file = "pain.csv".',
            )
        )
    try:
        diary = _read_diaries(protocol, folder, progress)
    except AcuError as error:
        raise ProtocolError([*wrong, *error.problems]) from None
    if wrong:
        raise ProtocolError([*wrong, *(problem for problem in diary.problems if problem.severity == "error")])
    return Trial(protocol, diary.with_sources(*sources))


def _not_there(at: Path) -> Iterator[Problem]:
    """Which of the files that the protocol names do not exist?"""
    for file in input_files(at):
        if not file.is_file():
            yield Problem("error", str(file), "there is no such file.", "Check the name and the folder.")


def _read_diaries(protocol: Protocol, folder: Path, progress: Progress) -> Diary:
    asked = [outcome for outcome in protocol.outcomes if outcome.derived is None]
    return read_diary(*protocol.diaries, outcomes=asked, folder=folder, progress=progress)


def _source(file: Path) -> Source:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Source(without_names(file.name), digest, "protocol" if file.suffix == ".toml" else "sessions")


def read_sessions(file: Path) -> tuple[Session, ...]:
    """Which treatments took place, and what was asked and reported at them?

    Parameters
    ----------
    file
        A table with the columns date, attended, late_cancel, adverse_asked, adverse_event, serious, red_flag, notes;
        only date is needed, dates are written as in a diary, and further columns are kept as text.

    Returns
    -------
    tuple of Session
        In order of time.

    Raises
    ------
    ProtocolError
        With every cell that cannot be read, by row and column.
    """
    table = read_table(file, titles=(*KNOWN_COLUMNS, *ALIASES), may_be_empty=True)
    titles, name = {title: _name(title) for title in table.columns}, without_names(file.name)
    if wrong := [*_wrong_titles(name, table), *_overlong(name, table)]:
        raise ProtocolError(wrong)
    day_title = next(title for title, name in titles.items() if name == "date")
    days, wrong = _days(name, table, day_title)
    sessions: list[Session] = []
    for number, day, record in zip(table.numbers, days, table.rows.to_dict("records"), strict=True):
        cells = {titles[str(title)]: str(text).strip() for title, text in record.items()}
        try:
            sessions.append(_session(cells, day))
        except ValidationError as error:
            wrong += _session_problems(error, name, int(number))
    if wrong:
        raise ProtocolError(wrong)
    return tuple(sorted(sessions, key=lambda session: session.date))


def _name(title: str) -> str:
    """How does a title of the session log read: ``Red flags`` is ``red_flag``?"""
    name = plain(title).replace(" ", "_")
    return ALIASES.get(name, name)


def _wrong_titles(file: str, table: Table) -> Iterator[Problem]:
    """Which titles are missing, occur twice, or are slips of the pen? A slip must not hide a red flag."""
    names = [_name(re.sub(r" \(column [A-Z]+\)$", "", title)) for title in table.columns]
    if "date" not in names:
        yield Problem("error", file, 'there is no column "date".', did_you_mean("date", table.columns))
    for name in KNOWN_COLUMNS:
        if names.count(name) > 1:
            yield Problem("error", file, f'there are {names.count(name)} columns "{name}".', "Keep one of them.")
    for title, name in zip(table.columns, names, strict=True):
        near = get_close_matches(name, KNOWN_COLUMNS, n=1, cutoff=NEAR)
        if near and name not in KNOWN_COLUMNS:
            what = f'the column "{shown(title)}" is not known, and nearly one that is.'
            yield Problem(
                "error", file, what, f'Did you mean "{near[0]}"? Give the column that title, or quite another.'
            )


def _overlong(file: str, table: Table) -> Iterator[Problem]:
    if table.overlong:
        what = f"{'the row has' if len(table.overlong) == 1 else 'these rows have'} more cells than the header."
        remedy = "Put quotation marks around texts that hold a comma."
        yield Problem("error", place(file, "", table.overlong), what, remedy)


def _days(file: str, table: Table, title: str) -> tuple[list[dt.date | None], list[Problem]]:
    """Read the dates as those of a diary are read, and say which cells hold none."""
    texts = table.rows[title].str.strip()
    read = read_days(texts, day_zero=table.day_zero)
    days: list[dt.date | None] = read.days.astype("datetime64[D]").tolist()
    if read.question is not None:
        what = f'{read.question[0]}, as in "{shown(quoted(str(texts.iloc[0])))}".'
        return days, [Problem("error", place(file, title), what, "Write the dates as 2026-01-31.")]
    wrong = []
    for number, text in zip(table.numbers[np.isnat(read.days)], texts[np.isnat(read.days)], strict=True):
        found = f"found {shown(quoted(str(text)))!r}" if text else "the cell is blank"
        what = f"expected a date such as 2026-01-19, {found}."
        wrong.append(Problem("error", place(file, "date", [number]), what, "Correct the cell."))
    return days, wrong


def _session(cells: dict[str, str], day: dt.date | None) -> Session:
    """Make a session of a row. Without a day, which is said elsewhere, only its other cells are looked at."""
    known = {name: text for name, text in cells.items() if name in KNOWN_COLUMNS and text}
    more = {name: text for name, text in cells.items() if name not in KNOWN_COLUMNS}
    for name in ("red_flag", "adverse_event"):
        if folded(known.get(name, "")) in NOTHING:
            del known[name]
    answers = {name: TRUTHS.get(known[name].lower(), known[name]) for name in YES_NO if name in known}
    return Session.model_validate({**known, **answers, "date": day or dt.date.max, "more": more})


def _session_problems(error: ValidationError, file: str, row: int) -> Iterator[Problem]:
    for each in error.errors():
        column = str(each["loc"][0])
        wanted = "yes or no" if column in YES_NO else "text"
        yield Problem(
            "error",
            place(file, column, [row]),
            f"expected {wanted}, found {shown(quoted(str(each['input'])))!r}.",
            "Correct the cell.",
        )
