"""Migraine Buddy: the attacks of its report, a page of HTML."""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.load.complaints import shown
from acu_nof1.load.formats.records import as_table
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.tables import bytes_of, decoded, plain, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

LARGEST = 20 * 1024**2  # bytes; five months are 200 kB
MOST_TAGS = 500_000
MOST_ATTACKS = 20_000
MOST_COLUMNS = 60
STARTED, LASTED, PAIN_LEVEL, MEDICATION = "Started", "Lasted", "Pain Level", "Medication"
NONE_TAKEN: Mapping[str, float] = {"no medication": 0.0, "none": 0.0}
TOLD = ("time period", "attack type")  # what the head of the report says of itself

NOTES = "rows of notes below an attack"
AGAIN = "rows of titles that are repeated"
BLANK_ROW = "blank rows"
EXPORT = "Export the report from the app again, and save the page as HTML."

_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_LASTED = re.compile(r"\blasted\b\s*:?", re.IGNORECASE)
_PLACE = re.compile(r"\blocation\b\s*:.*", re.IGNORECASE | re.DOTALL)
_LINES = frozenset(("br", "div", "p", "li", "pre", "h1", "h2", "h3"))
_TAG = re.compile(
    r"<!--(?:.*?-->|.*)"
    r"|<(?P<name>/?[a-z][a-z0-9]*)"
    r"(?:(?P<attributes>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>|[^<>]*+>)",
    re.IGNORECASE | re.DOTALL,
)
_CLOSING = {name: re.compile(rf"</{name}\b[^<>]*+>", re.IGNORECASE) for name in ("script", "style")}
_LONG_NUMBER = re.compile(r"&#x?[0-9a-f]{8,}+;?", re.IGNORECASE)  # of no character, and too long for int()


def is_page(path: Path, head: bytes) -> bool:
    """Is this a page of HTML?"""
    return bool(_HTML.match(head)) or path.suffix.lower() in (".html", ".htm")


# ------------------------------------------------------------------------------------------------ any page


@dataclass(eq=False)
class _Cell:
    """A cell as it is met: its text, how many columns it spans, and whether it spans several rows."""

    columns: int = 1
    tall: bool = False
    text: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [words for line in "".join(self.text).split("\n") if (words := " ".join(line.split()))]


Row = list[_Cell]


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """The page in order: a tag as its name (``/td`` where it ends) and its attributes, what stands between as ``""`` and text.

    Comments, scripts and styles are passed over. Every step goes forward and looks no further than the next ``<``: the
    parser of the standard library needs minutes for some pages of a few hundred kilobytes.
    """
    at = 0
    while found := _TAG.search(text, at):
        yield "", text[at : found.start()]
        at = found.end()
        name = found["name"].lower() if found["name"] else ""
        if name:
            yield name, found["attributes"] or ""
        if closing := _CLOSING.get(name):
            end = closing.search(text, at)
            at = end.end() if end else len(text)
    yield "", text[at:]


class _Tables:
    """The tables of a page as they are met; one inside another is a table of its own."""

    def __init__(self) -> None:
        self.tables: list[list[Row]] = []
        self.open: list[list[Row]] = []
        self.cell: list[_Cell | None] = []

    def tag(self, name: str, attributes: str) -> None:
        if name == "table":
            self.tables.append([])
            self.open.append(self.tables[-1])
            self.cell.append(None)
        elif not self.open:
            return
        elif name == "/table":
            self.open.pop()
            self.cell.pop()
        elif name in ("tr", "/tr", "/td", "/th"):
            self.cell[-1] = None
            self.open[-1] += [[]] if name == "tr" else []
        elif name in ("td", "th"):
            self.open[-1] += [] if self.open[-1] else [[]]
            cell = self.cell[-1] = _Cell(_span("col", attributes), _span("row", attributes) > 1)
            self.open[-1][-1].append(cell)
        elif name.removeprefix("/") in _LINES:
            self.says("\n")

    def says(self, text: str) -> None:
        if self.cell and (cell := self.cell[-1]) is not None:
            cell.text.append(text)


def _span(what: str, attributes: str) -> int:
    found = re.search(rf"\b{what}span\s*=\s*[\"']?([0-9]{{1,4}})\b", attributes, re.IGNORECASE)
    return min(max(int(found[1]), 1), MOST_COLUMNS) if found else 1


def tables_of(name: str, text: str) -> list[list[Row]]:
    """Which tables does this page hold, as rows of cells?

    Raises
    ------
    UnreadableFileError
        If it has too many tags.
    """
    page = _Tables()
    tags = 0
    for tag, words in _pieces(text):
        if not tag:
            page.says(html.unescape(_LONG_NUMBER.sub("\ufffd", words)))
            continue
        tags += 1
        if tags > MOST_TAGS:
            raise unreadable(name, f"the page has more than {MOST_TAGS} tags: no report has.", EXPORT)
        page.tag(tag, words)
    return page.tables


# ---------------------------------------------------------------------------------------------- the report


def _titles(rows: Sequence[Row], at: int) -> tuple[list[str], int]:
    """The titles that begin in this row, one for each column, and how many rows they take.

    A title over two columns (``Pain Positions``) has its own two below it.
    """
    below = iter(rows[at + 1] if at + 1 < len(rows) else [])
    tall = any(cell.tall for cell in rows[at])
    titles: list[str] = []
    for cell in rows[at][:MOST_COLUMNS]:
        own = " ".join(cell.lines())
        under = [" ".join(next(below, _Cell()).lines()) for _ in range(cell.columns)] if tall and not cell.tall else []
        titles += [f"{own} {part}".strip() for part in under] or [own] * cell.columns
    twice = [title for i, title in enumerate(titles) if title in titles[:i]]
    titles = [f"{title} (column {i})" if title in twice else title for i, title in enumerate(titles, 1)]
    return titles[:MOST_COLUMNS], 2 if tall else 1


def _is_header(row: Row) -> bool:
    titles = {plain(" ".join(cell.lines())) for cell in row[:MOST_COLUMNS]}
    return plain(PAIN_LEVEL) in titles and any(plain(STARTED) in title for title in titles)


def _spread(row: Row) -> Iterator[_Cell]:
    """One cell for each column; further columns that a cell spans are blank."""
    for cell in row:
        yield cell
        yield from (_Cell() for _ in range(cell.columns - 1))


def _attack(titles: Sequence[str], row: Row) -> dict[str, str]:
    """One attack by title; of the cell that says when it began nothing else is taken, such as the place."""
    record: dict[str, str] = {}
    for title, cell in zip(titles, _spread(row), strict=False):
        lines = cell.lines()
        if plain(STARTED) not in plain(title):
            record[title] = "; ".join(lines)
            continue
        began, *lasted = _LASTED.split("\n".join(lines), maxsplit=1)
        record[STARTED] = _first_line(_PLACE.sub("", began))
        if lasted:
            record[LASTED] = _first_line(_PLACE.sub("", lasted[0]))
    record[LASTED] = _first_line(_LASTED.sub("", record.get(LASTED, "")).replace(";", "\n"))
    return record


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _attacks(rows: Sequence[Row], out: Counter[str]) -> Iterator[dict[str, str]]:
    """The attacks below the titles of this table, if it has such titles."""
    at = next((i for i, row in enumerate(rows) if _is_header(row)), None)
    if at is None:
        return
    titles, taken = _titles(rows, at)
    skip = 0
    for i in range(at + taken, len(rows)):
        row = rows[i]
        if skip:
            skip -= 1
        elif not any(cell.lines() for cell in row):
            out[BLANK_ROW] += 1
        elif _is_header(row):
            out[AGAIN] += 1
            skip = _titles(rows, i)[1] - 1
        elif len(row) == 1 < len(titles):
            out[NOTES] += 1
        else:
            yield _attack(titles, row)


def _says_of_itself(tables: Sequence[Sequence[Row]]) -> dict[str, str]:
    """What the head of the report says: ``Time Period: 8/2/18 - 12/14/18``, in an order of its own."""
    told: dict[str, str] = {}
    for rows in tables:
        for row in rows:
            for cell, after in pairwise(row[:4]):
                title = plain(" ".join(cell.lines()))
                if title in TOLD and not _is_header(row):
                    told.setdefault(title, " ".join(after.lines()))
    return told


def _notes(told: Mapping[str, str], by_number: bool) -> Iterator[str]:
    yield "rows are the attacks, by their number in the report" if by_number else "rows are the attacks, counted from 1"
    if told.get("time period"):
        yield f'the report covers "{shown(told["time period"])}"'


def _warnings(told: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    kind = told.get("attack type", "")
    if kind.casefold() not in ("", "all"):
        yield (
            f'the report holds attacks of type "{shown(kind)}" only.',
            "Export all types: other days are not free of headache.",
        )


def read_report(path: Path, file: DiaryFile, progress: Progress) -> Table:
    """Which attacks are in this report?

    Parameters
    ----------
    path
        The saved page.
    file
        Its declaration.
    progress
        Not called: a report is small.

    Returns
    -------
    Table
        One row per attack, numbered as in the report; ``Started`` and ``Lasted`` are columns of their own.

    Raises
    ------
    UnreadableFileError
        If it is no text, too large, or has no table of attacks.
    """
    if path.is_file() and path.stat().st_size > LARGEST:
        raise unreadable(path.name, f"the page is larger than {LARGEST // 1024**2} MB: no report is.", EXPORT)
    text, _ = decoded(path.name, bytes_of(path), file.encoding)
    tables = tables_of(path.name, text)
    out: Counter[str] = Counter()
    attacks = [attack for rows in tables for attack in _attacks(rows, out)]
    if not attacks:
        what = f'there is no table of attacks with "{STARTED}" and "{PAIN_LEVEL}", or no attack in it.'
        raise unreadable(path.name, what, f"A report of Migraine Buddy is expected. {EXPORT}")
    if len(attacks) > MOST_ATTACKS:
        raise unreadable(path.name, f"it holds more than {MOST_ATTACKS} attacks.", EXPORT)
    table = as_table(path, attacks, "HTML, rows are attacks")
    numbers = [attack.get("#", "") for attack in attacks]
    by_number = len(set(numbers)) == len(numbers) and all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers)
    told = _says_of_itself(tables)
    return replace(
        table,
        numbers=np.array([int(number) for number in numbers], dtype=np.int64) if by_number else table.numbers,
        notes=tuple(_notes(told, by_number)),
        warnings=tuple(_warnings(told)),
        ignored=dict(out),
        words={MEDICATION: NONE_TAKEN},
    )


MIGRAINE_BUDDY = Layout(
    "migraine_buddy",
    "Migraine Buddy's report, a page of HTML with a table of attacks: Started, Lasted, Pain Level, Medication",
    "Migraine Buddy report",
    columns={"date": (STARTED,), "lasted": (LASTED,)},
    measures={
        "headache_day": Measure((STARTED,)),
        "nrs_pain": Measure((PAIN_LEVEL,)),
        "rescue_day": Measure((MEDICATION,)),
    },
    claims=is_page,
    read=read_report,
    gives="headache_day, nrs_pain (the worst of the day), rescue_day; days without an attack once tracked is declared",
)
