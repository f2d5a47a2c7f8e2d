"""Sleep as Android: a row of titles before each record, its beginning in milliseconds, its length in hours."""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.load.device_nights import IN_BED, NIGHT_MEASURES, SleepIntervals, device_nights, local_offset
from acu_nof1.load.layout import Layout
from acu_nof1.load.tables import bytes_of, decoded, table_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

SOURCE = "Sleep as Android"
NO_TIME = "records with a beginning or a length that cannot be read"
NO_ZONE = "records of which neither the time zone nor the local time can be read"
STRAY = "rows that belong to no record"
TRACKED = "Hours are the time tracked, read as time in bed; the table does not tell how much of it was sleep"
EXPORT = "Export the data again from the app, and give the sleep-export.csv of the archive."
TITLES = ("Id", "Tz", "From", "To")
_HEAD = re.compile(rb'(?:\xef\xbb\xbf)?\s*"?Id"?\s*,\s*"?Tz"?\s*,\s*"?From"?\s*,\s*"?To"?\s*,')
_STAMP = re.compile(r"\d{12,13}", re.ASCII)  # of the years 2001 to 2286
_HOURS = re.compile(r"\d{1,4}(?:[.,]\d{1,9})?", re.ASCII)
_WRITTEN = re.compile(r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4}) (\d{1,2}):(\d\d)", re.ASCII)


def claims(path: Path, head: bytes) -> bool:
    """Does the file begin with the titles of a record?"""
    return bool(_HEAD.match(head))


@dataclass(frozen=True, slots=True)
class _Tracked:
    start: float
    minutes: float
    offset: float
    row: int


def read_export(path: Path, file: DiaryFile, progress: Progress) -> Table:
    """How long was each night tracked?

    Parameters
    ----------
    path
        ``sleep-export.csv``.
    file
        Its declaration.
    progress
        Not called.

    Returns
    -------
    Table
        One row per night, numbered by line. The morning is that of the record's own time zone.

    Raises
    ------
    UnreadableFileError
        If it is no such table, or without any night.
    """
    text, _ = decoded(path.name, bytes_of(path), file.encoding)
    ignored: Counter[str] = Counter()
    tracked: list[_Tracked] = []
    for line, record in _records(path.name, text, ignored):
        found = _tracked(record, line)
        if isinstance(found, str):
            ignored[found] += 1
        else:
            tracked.append(found)
    start = np.array([one.start for one in tracked], dtype=float)
    nights = device_nights(
        SleepIntervals(
            start,
            start + np.array([one.minutes for one in tracked], dtype=float),
            np.array([one.offset for one in tracked], dtype=float),
            np.full(len(tracked), IN_BED, dtype=np.int8),
            np.full(len(tracked), SOURCE, dtype=object),
            np.array([one.row for one in tracked], dtype=np.int64),
        )
    )
    left = dict(ignored + Counter(nights.ignored))
    if not len(nights.date):
        held = "; ".join(f"{reason}: {count}" for reason, count in left.items()) or "no record at all"
        raise unreadable(path.name, f"it holds no night ({held}).", EXPORT)
    read_as = "text, a row per night, numbered by line"
    return table_of(path, nights.columns(), numbers=nights.row.tolist(), read_as=read_as, notes=[TRACKED], ignored=left)


def _records(name: str, text: str, ignored: Counter[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each record by its titles, with its line; a row of noise, which has no Id, is part of the record above it."""
    titles: Sequence[str] = ()
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if tuple(cells[: len(TITLES)]) == TITLES:
                titles = cells
            elif titles and cells and cells[0]:
                # The first value of a title counts: further ones of the same (as "Event") are marks within the night.
                yield reader.line_num, dict(reversed(list(zip(titles, cells, strict=False))))
            elif any(cells) and not titles:
                ignored[STRAY] += 1
    except csv.Error as error:
        what = f"a cell near line {reader.line_num} could not be read ({error})."
        raise unreadable(name, what, EXPORT) from None


def _tracked(record: Mapping[str, str], line: int) -> _Tracked | str:
    """When a record began and how long it lasted, in minutes; or why that is not known."""
    stamp, hours = record.get("Id", ""), record.get("Hours", "")
    if not _STAMP.fullmatch(stamp) or not _HOURS.fullmatch(hours):
        return NO_TIME
    start, minutes = int(stamp) / 60_000, 60 * float(hours.replace(",", "."))
    offset = local_offset(record.get("Tz", ""), start + minutes)
    if offset is None:
        offset = _offset_as_written(record.get("From", ""), start)
    return NO_ZONE if offset is None else _Tracked(start, minutes, offset, line)


def _offset_as_written(text: str, start: float) -> float | None:
    """How far the local clock was ahead, from the beginning as it is written in local time."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    day, month, year, hour, minute = map(int, found.groups())
    try:
        local = np.datetime64(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}", "m").astype(np.int64)
    except ValueError:
        return None
    ahead = float(local) - math.floor(start)
    return ahead if abs(ahead) <= 15 * 60 else None


SLEEP_AS_ANDROID = Layout(
    "sleep_as_android",
    "Sleep as Android's sleep-export.csv: Id, Tz, From, To, Sched, Hours, …, the titles again before each record",
    "Sleep as Android export",
    columns={"date": ("date",)},
    measures={"csd_tib": NIGHT_MEASURES["csd_tib"]},
    claims=claims,
    read=read_export,
    gives="csd_tib, the time tracked of each night; naps are left out and counted",
)
