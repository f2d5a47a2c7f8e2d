"""Read a whole trial: the protocol, the sessions, and the diary files it names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from acu_nof1.diary import Source
from acu_nof1.errors import AcuError, Problem, ProtocolError, UsageError, did_you_mean
from acu_nof1.load.diaries import read_diary
from acu_nof1.load.protocols import PROTOCOL_FILE, protocol_and_sessions
from acu_nof1.load.tables import read_table
from acu_nof1.protocol import Session
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from acu_nof1.diary import Diary
    from acu_nof1.protocol import Protocol

KNOWN_COLUMNS = ("date", "attended", "adverse_asked", "adverse_event", "serious", "red_flag", "notes")
TRUTHS = {
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
    "late cancel": False,
}
YES_NO = ("attended", "adverse_asked", "serious")


def read_trial(path: str | os.PathLike[str]) -> Trial:
    """What was planned, what was done, and what does the diary say?

    Parameters
    ----------
    path
        A folder with ``protocol.toml`` and the files it names, or the protocol file itself.

    Returns
    -------
    Trial
        Problems found on the way are in ``trial.diary.problems``; see also `check`.

    Raises
    ------
    AcuError
        With every complaint about protocol, sessions and diary files at once.
    """
    place = Path(path)
    if not place.exists():
        raise UsageError([Problem("error", str(place), "there is no such file or folder.", "Check the path.")])
    folder = place if place.is_dir() else place.parent
    protocol, sessions_file = protocol_and_sessions(place)
    wrong: list[Problem] = []
    sources = [_source(place / PROTOCOL_FILE if place.is_dir() else place)]
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
        diary = _read_diaries(protocol, folder)
    except AcuError as error:
        raise ProtocolError([*wrong, *error.problems]) from None
    if wrong:
        raise ProtocolError([*wrong, *(problem for problem in diary.problems if problem.severity == "error")])
    return Trial(protocol, diary.with_sources(*sources))


def _read_diaries(protocol: Protocol, folder: Path) -> Diary:
    return read_diary(*protocol.diaries, outcomes=protocol.outcomes, folder=folder)


def _source(file: Path) -> Source:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Source(file.name, digest, "protocol" if file.suffix == ".toml" else "sessions")


def read_sessions(file: Path) -> tuple[Session, ...]:
    """Which treatments took place, and what was asked and reported at them?

    Parameters
    ----------
    file
        A table with the columns date, attended, adverse_asked, adverse_event, serious, red_flag, notes;
        only date is needed, dates are ISO, and further columns are kept as text.

    Returns
    -------
    tuple of Session
        In order of time.

    Raises
    ------
    ProtocolError
        With every cell that cannot be read, by row and column.
    """
    table = read_table(file)
    titles = {title: title.strip().lower().replace(" ", "_") for title in table.columns}
    if "date" not in titles.values():
        raise ProtocolError(
            [Problem("error", file.name, 'there is no column "date".', did_you_mean("date", table.columns))]
        )
    sessions: list[Session] = []
    wrong: list[Problem] = []
    for number, record in zip(table.numbers, table.rows.to_dict("records"), strict=True):
        cells = {titles[str(title)]: str(text).strip() for title, text in record.items()}
        if not any(cells.values()):
            continue
        try:
            sessions.append(_session(cells))
        except ValidationError as error:
            wrong += _session_problems(error, f"{file.name} row {number}")
    if wrong:
        raise ProtocolError(wrong)
    return tuple(sorted(sessions, key=lambda session: session.date))


def _session(cells: dict[str, str]) -> Session:
    known = {name: text for name, text in cells.items() if name in KNOWN_COLUMNS and text}
    more = {name: text for name, text in cells.items() if name not in KNOWN_COLUMNS}
    answers = {name: TRUTHS.get(known[name].lower(), known[name]) for name in YES_NO if name in known}
    return Session.model_validate({**known, **answers, "more": more})


def _session_problems(error: ValidationError, place: str) -> Iterator[Problem]:
    for each in error.errors():
        column = str(each["loc"][0])
        wanted = "a date such as 2026-01-19" if column == "date" else "yes or no" if column in YES_NO else "text"
        yield Problem(
            "error",
            f"{place} column {column}",
            f"expected {wanted}, found {str(each['input'])[:60]!r}.",
            "Correct the cell.",
        )
