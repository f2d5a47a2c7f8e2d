"""Trialist: the data of an n-of-1 trial app, one record per answered survey, with its regimen."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from acu_nof1.load.complaints import shown
from acu_nof1.load.formats.records import as_table, cell_text, flat, read_json
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.tables import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

SKIPPED = ("SKIPPED", "NOT_DISPLAYED")
NO_RECORD = "entries that are no record"
SPOKEN = ("trial_start_date", "trial_end_date")
_KEYS = tuple(re.compile(rb'"%s"\s*:' % key) for key in (b"data", b"timestamp", b"regimen"))


def is_trialist(path: Path, head: bytes) -> bool:
    """Is this JSON with the data points of a Trialist participant?"""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" and all(key.search(head) for key in _KEYS)


def _notes(metadata: Any) -> Iterator[str]:
    for key in SPOKEN:
        if isinstance(metadata, dict) and metadata.get(key):
            yield f'{key} in the file is "{shown(cell_text(metadata[key]))}": phases come from the protocol'


def read_trialist(path: Path, file: DiaryFile, progress: Progress) -> Table:
    """What did each survey of this trial say, and under which regimen?

    Parameters
    ----------
    path, file
        The file and its declaration.
    progress
        Not called: JSON is read at once.

    Returns
    -------
    Table
        One row per record of ``data``, numbered from 1.

    Raises
    ------
    UnreadableFileError
        If it is no JSON, or has no list ``data`` of records.
    """
    value = read_json(path)
    data = value.get("data") if isinstance(value, dict) else None
    data = data if isinstance(data, list) else []
    records = [flat(record) for record in data if isinstance(record, dict)]
    if not any(records):
        raise unreadable(path.name, 'it has no list "data" of records.', "Export the participant's data stream again.")
    table = as_table(path, records, "JSON, rows are records of data")
    left = len(data) - len(records)
    return replace(
        table,
        notes=tuple(_notes(value.get("metadata"))),
        ignored={NO_RECORD: left} if left else {},
        missing=SKIPPED,
    )


TRIALIST = Layout(
    "trialist",
    "Trialist's JSON, data with timestamp, regimen, cycle, averagePainIntensity",
    "Trialist data",
    columns={"date": ("timestamp",), "phase": ("regimen",)},
    measures={"nrs_pain": Measure(("averagePainIntensity",))},
    claims=is_trialist,
    read=read_trialist,
    gives="nrs_pain; enjoymentOfLife, generalActivity and its other questions once they are mapped",
)
