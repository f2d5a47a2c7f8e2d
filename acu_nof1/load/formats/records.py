"""JSON and JSON lines: a list of records, one per day or per answer, without a layout of their own."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from acu_nof1.load.layout import DATE_TITLES, Layout
from acu_nof1.load.tables import bytes_of, insist_on_size, table_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

DEEPEST = 60
_JSON = re.compile(rb"\s*[\[{]")


def is_json(path: Path, head: bytes) -> bool:
    """Does this file look like JSON?"""
    return path.suffix.lower() in (".json", ".jsonl", ".ndjson") and bool(
        _JSON.match(head.removeprefix(b"\xef\xbb\xbf"))
    )


def read_json(path: Path) -> Any:
    """What does this JSON file hold?

    Parameters
    ----------
    path
        A file with one JSON value, or with one on each line.

    Returns
    -------
    object
        Lists, dicts, text, ``None`` and ``bool``; numbers stay as they were written, as text. JSON lines give a list.

    Raises
    ------
    UnreadableFileError
        If it is no JSON: with the line and column.
    """
    data = bytes_of(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable(path.name, "JSON was expected, this is not UTF-8 text.", "Export it again.") from None
    try:
        return _parsed(text)
    except RecursionError:
        raise unreadable(path.name, "its values are nested too deep.", "Export it again.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise unreadable(path.name, f"it is no JSON from {where} on ({error.msg}).", "Export it again.") from None


def _parsed(text: str) -> Any:
    try:
        return _value(text)
    except json.JSONDecodeError as error:
        lines = text.split("\n")
        if not error.msg.startswith("Extra data"):
            raise
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_value(line))
            except json.JSONDecodeError as error:
                error.lineno = number
                raise
    return found


def _value(text: str) -> Any:
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def records_in(name: str, value: Any) -> list[Mapping[str, Any]]:
    """Which records does this value hold: a list of them, or the one list inside?

    Raises
    ------
    UnreadableFileError
        If there is none, or more than one list of records.
    """
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list) and any(isinstance(x, dict) for x in part)]
        if len(lists) > 1:
            raise unreadable(name, f"it holds {len(lists)} lists of records.", "Keep the one that is the diary.")
        value = lists[0] if lists else [value]
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value) or not value:
        raise unreadable(name, "it holds no list of records.", "One record per day or per answer is expected.")
    return value


def flat(record: Mapping[str, Any], before: str = "", depth: int = 0) -> dict[str, str]:
    """A record's values as text, those inside others as ``outer.inner``; lists are left as JSON."""
    cells: dict[str, str] = {}
    for key, value in record.items():
        title = f"{before}{key}"
        if isinstance(value, dict) and depth < DEEPEST:
            cells |= flat(value, f"{title}.", depth + 1)
        else:
            cells[title] = cell_text(value)
    return cells


def cell_text(value: Any) -> str:
    """A JSON value as a cell: nothing for ``null``, numbers as they were written."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_table(path: Path, records: Sequence[Mapping[str, str]], read_as: str) -> Table:
    """Put flat records into a table; its rows are numbered as the records are, from 1."""
    titles = tuple(dict.fromkeys(title for record in records for title in record))
    if not titles:
        raise unreadable(path.name, "its records are empty.", "One record per day or per answer is expected.")
    insist_on_size(path.name, len(titles), len(records))
    columns = {title: [record.get(title, "") for record in records] for title in titles}
    return table_of(path, columns, numbers=range(1, len(records) + 1), read_as=read_as)


def _read(path: Path, file: DiaryFile, progress: Progress) -> Table:
    found = records_in(path.name, read_json(path))
    return as_table(path, [flat(record) for record in found], "JSON, rows are records")


RECORDS = Layout(
    "records",
    "JSON or JSON lines, one record per day: date, pain, walking",
    "list of JSON records",
    columns={"date": DATE_TITLES, "entered": ("timestamp",)},
    claims=is_json,
    read=_read,
)
