"""What a person should mend: problems by file, where their spreadsheet shows them, and a workbook with the cells marked."""

from __future__ import annotations

import math
import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from acu_nof1 import palette
from acu_nof1.checks import problems_of
from acu_nof1.diary import MENDING_COLUMNS
from acu_nof1.errors import SEVERITIES, AcuError, Place, Problem
from acu_nof1.load.columns import titles_to_look_for
from acu_nof1.load.complaints import shown
from acu_nof1.load.diaries import names_of
from acu_nof1.load.files import outside
from acu_nof1.load.protocols import PROTOCOL_FILE, protocol_and_sessions
from acu_nof1.load.recognise import open_grid
from acu_nof1.load.tables import letter_of
from acu_nof1.privacy import masked, unowned, without_names
from acu_nof1.words import mending as words

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

    from acu_nof1.diary import Counts
    from acu_nof1.load.tables import Grid
    from acu_nof1.protocol import DiaryFile, Protocol
    from acu_nof1.trial import Trial

COLUMNS = ("severity", "file", "sheet", "rows", "column", "letter", "where", "problem", "remedy")
SCHEMA = "acu-nof1/check/1"
SUFFIX = ".xlsx"
CREATOR = "acu-nof1 check"
MOST_ROWS, MOST_COLUMNS, MOST_LETTERS, LONGEST_TAB = 1_048_576, 16_384, 32_767, 31
WIDTHS, LINE, MOST_LINES = (9, 24, 13, 18, 28, 7, 56, 60), 15, 20
NOT_READ, OTHERWISE = palette.BAND_COLOURS[2], palette.AFTER_FILL
# What XML 1.0 cannot hold; a workbook is XML.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NO_TAB = {ord("["): "(", ord("]"): ")"} | dict.fromkeys(map(ord, ":*?/\\'"), "_")

# By row and column, from 1: whether the cell was not read, and what is said of it.
Marks = dict[int, dict[int, list[tuple[bool, str]]]]


@dataclass(frozen=True, eq=False)
class KeptFile:
    """One diary file of a trial, as the person keeps it.

    Attributes
    ----------
    name
        What it is called in complaints and in the ledger.
    path, file
        Where it is, and how it is declared.
    titles
        Column titles by which its header is found.
    """

    name: str
    path: Path
    file: DiaryFile
    titles: tuple[str, ...]

    def grid(self) -> Grid | None:
        """What stands in it, nothing left out; ``None`` where it is no table, or cannot be read."""
        try:
            return open_grid(self.path, self.file, self.titles)
        except AcuError:
            return None

    @cached_property
    def header(self) -> tuple[str, tuple[str, ...]]:
        """Which of several sheets it is read from, and the titles of its columns in their order."""
        grid = self.grid()
        return ("", ()) if grid is None else (grid.sheet, grid.titles)

    def letter(self, column: str) -> str:
        """Which letter has the column that a complaint calls so? ``""`` where it is not known."""
        at = [place for place, title in enumerate(self.header[1]) if column and _told_as(title) == column]
        return letter_of(at[0]) if len(at) == 1 else ""


@dataclass(frozen=True, eq=False)
class Mending:
    """What is to be mended in a trial.

    Attributes
    ----------
    problems
        Worst first.
    files
        Its diary files, in the order of the protocol.
    others
        Names of protocol and session log, by the word with which complaints about them begin.
    cells
        The ledger with titles and remedies, as `Diary.to_mend`.
    counts
        How many cells were read; ``None`` where the trial could not be.
    """

    problems: tuple[Problem, ...]
    files: tuple[KeptFile, ...]
    others: Mapping[str, str]
    cells: pd.DataFrame
    counts: Counts | None

    @cached_property
    def by_file(self) -> tuple[tuple[str, tuple[Problem, ...]], ...]:
        """The problems of each file, ``""`` for the trial as a whole; the file with the worst one first."""
        groups: dict[str, list[Problem]] = defaultdict(list)
        for problem in self.problems:
            groups[self._file_of(problem.where)].append(problem)
        order = [*(file.name for file in self.files), *self.others.values(), ""]

        def rank(name: str) -> tuple[int, int]:
            return SEVERITIES.index(groups[name][0].severity), order.index(name)

        return tuple((name, tuple(groups[name])) for name in sorted(groups, key=rank))

    def _file_of(self, where: str) -> str:
        names = sorted([*(file.name for file in self.files), *self.others.values()], key=len, reverse=True)
        if isinstance(where, Place) and where.file in names:
            return where.file
        begun = next((name for name in names if where == name or where.startswith(f"{name} ")), "")
        return begun or self.others.get(where.split(" ")[0], "")

    def place(self, problem: Problem) -> tuple[str, str, tuple[int, ...], str, str]:
        """Where does it stand: file, sheet, rows, title and letter of the column?"""
        name = self._file_of(problem.where)
        at = problem.where if isinstance(problem.where, Place) else Place("", name)
        kept = next((file for file in self.files if file.name == name), None)
        if kept is None or not (at.rows or at.column):
            return name, "", at.rows, at.column, ""
        return name, kept.header[0], at.rows, at.column, kept.letter(at.column)

    def lines(self) -> Iterator[tuple[str, list[tuple[Problem, str]]]]:
        """How is it told: a heading for each file, and for each of its problems the place in it."""
        for name, problems in self.by_file:
            places = [self.place(problem) for problem in problems]
            told = [words.within(each.where, name, at[4]) for each, at in zip(problems, places, strict=True)]
            sheet = next((at[1] for at in places if at[1]), "")
            yield (
                words.heading(name or words.WHOLE_TRIAL, sheet, problems),
                list(zip(problems, told, strict=True)),
            )

    def _records(self) -> Iterator[tuple[Any, ...]]:
        for _, problems in self.by_file:
            for each in problems:
                yield (each.severity, *self.place(each), str(each.where), each.problem, each.remedy)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a problem, in the order in which they are told, with the columns of `COLUMNS`."""
        frame = pd.DataFrame(self._records(), columns=list(COLUMNS), dtype=object)
        return frame.assign(rows=[", ".join(map(str, rows)) for rows in frame["rows"]])

    def to_dict(self) -> dict[str, Any]:
        """Return the same with every row number, ready for JSON."""
        counts = self.counts
        return {
            "schema": SCHEMA,
            "cells": None if counts is None else {
                "read": counts.read, "kept": counts.kept, "converted": counts.converted, "missing": counts.missing,
                "rejected": counts.rejected, "ignored": counts.ignored,
            },
            "problems": [
                {**dict(zip(COLUMNS, record, strict=True)), "rows": list(record[3])} for record in self._records()
            ],
        }  # fmt: skip


def _told_as(title: str) -> str:
    """How does a complaint call the column with this title?"""
    return unowned(masked(shown(title)))


def to_mend(trial: Trial, folder: Path, told: Trial | None = None) -> Mending:
    """What should be mended in this trial, and where in its files does it stand?

    Parameters
    ----------
    trial
        The trial, as read.
    folder
        Where it was read: the folder, or its protocol.
    told
        The trial as it may be told of, if that is another (under a keyed code).

    Returns
    -------
    Mending
        Problems as `problems_of` finds them, beside the files.
    """
    told = told or trial
    diaries = trial.protocol.diaries
    others, sources = told.diary.sources[: -len(diaries)], told.diary.sources[-len(diaries) :]
    return Mending(
        problems_of(told),
        _kept(trial.protocol, folder, [source.file for source in sources]),
        {source.read_as: source.file for source in others},
        told.diary.to_mend,
        told.diary.counts,
    )


def stopped(error: AcuError, folder: Path) -> Mending:
    """What should be mended in a trial that could not be read? The files are those its protocol names, if it can be read."""
    problems = tuple(sorted(error.problems, key=lambda problem: SEVERITIES.index(problem.severity)))
    others = {"protocol": PROTOCOL_FILE if folder.is_dir() else folder.name}
    files: tuple[KeptFile, ...] = ()
    try:
        protocol, sessions = protocol_and_sessions(folder)
    except AcuError:
        pass
    else:
        files = _kept(protocol, folder, names_of(protocol.diaries))
        others |= {"sessions": without_names(Path(sessions).name)} if sessions else {}
    return Mending(problems, files, others, pd.DataFrame(columns=list(MENDING_COLUMNS)), None)


def _kept(protocol: Protocol, at: Path, names: Sequence[str]) -> tuple[KeptFile, ...]:
    folder = at if at.is_dir() else at.parent
    asked = [outcome for outcome in protocol.outcomes if outcome.derived is None]
    return tuple(
        KeptFile(name, folder / file.file, file, tuple(titles_to_look_for(file, asked)))
        for name, file in zip(names, protocol.diaries, strict=True)
        if outside(file.file, folder) is None
    )


# ------------------------------------------------------------------ the workbook


def fix_report_problems(path: Path) -> list[Problem]:
    """Why may the workbook not be written there? What stands there already must be one of its kind."""
    place = f"--fix-report {path}"
    if path.suffix.lower() != SUFFIX:
        return [Problem("error", place, "it is an Excel workbook.", f"Let its name end in {SUFFIX}.")]
    if path.is_file() and not _is_fix_report(path):
        what = "there is a file already, and it is no report of this command."
        return [Problem("error", place, what, "Choose another name.")]
    return []


def _is_fix_report(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as book:
            return f"<dc:creator>{CREATOR}</dc:creator>".encode() in book.read("docProps/core.xml")
    except (OSError, KeyError, zipfile.BadZipFile):
        return False


def write_fix_report(mending: Mending, path: str | os.PathLike[str]) -> None:
    """Write a workbook: all problems, then each diary file as it stands with the cells to mend marked.

    Parameters
    ----------
    mending
        What is to be mended.
    path
        The workbook (.xlsx) to write.

    Notes
    -----
    Every cell is text, whatever it looks like: no formula of a file becomes one here. Row and column are those of the
    file. Marked are the cells of the ledger, and those that a problem names by row and column (a date that was not
    read). Nothing is masked: it is the person's own sheet, which they asked for. A file that is no table (JSON, XML)
    has no sheet; its cells are listed after the problems. What no workbook can hold is left out: control characters
    are replaced, cells are cut at 32,767 characters.
    """
    import openpyxl  # a quarter of a second, only for workbooks

    book = openpyxl.Workbook(write_only=True)
    book.properties.creator = CREATOR
    first = book.create_sheet(words.PROBLEMS)
    grids = [(file, file.grid()) for file in mending.files]
    _list_problems(first, mending, [file.name for file, grid in grids if grid is None])
    taken = {words.PROBLEMS}
    for file, grid in grids:
        if grid is not None:
            sheet = book.create_sheet(_tab(file.name, taken))
            _copy(sheet, grid, _marks(mending, file, grid))
    book.save(path)


def _tab(name: str, taken: set[str]) -> str:
    """Name a sheet after its file, as a spreadsheet allows."""
    name = _held(name).translate(_NO_TAB)
    base = tab = name[:LONGEST_TAB]
    number = 2
    while tab.casefold() in taken:
        tab = f"{base[: LONGEST_TAB - len(str(number)) - 1]} {number}"
        number += 1
    taken.add(tab.casefold())
    return tab


def _held(text: str) -> str:
    """What of a text can a workbook hold?"""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)[:MOST_LETTERS]


def _list_problems(sheet: Any, mending: Mending, without_sheet: Sequence[str]) -> None:
    """List all problems, then the cells of the files that have no sheet of their own."""
    for place, width in enumerate(WIDTHS):
        sheet.column_dimensions[letter_of(place)].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for number, line in enumerate(words.HOW):
        sheet.append([_cell(sheet, line, bold=number == 0)])
    sheet.append([])
    sheet.append([_cell(sheet, title, bold=True) for title in words.TITLES])
    for number, texts in enumerate(_told(mending, without_sheet), len(words.HOW) + 3):
        lines = max(math.ceil(len(text) / width) for text, width in zip(texts, WIDTHS, strict=True))
        sheet.row_dimensions[number].height = LINE * min(lines, MOST_LINES)
        sheet.append([_cell(sheet, text, wrap=True) for text in texts])


def _told(mending: Mending, without_sheet: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for name, problems in mending.by_file:
        for each in problems:
            file, tab, rows, column, letter = mending.place(each)
            place = column if isinstance(each.where, Place) else words.within(each.where, name, "")
            yield each.severity, file, tab, words.listed_rows(rows), place, letter, each.problem, each.remedy
    own = mending.cells[mending.cells["file"].isin(without_sheet)]
    for cell in own.to_dict("records"):
        said = words.at_cell(cell["raw"], cell["rule"])
        yield words.CELL, cell["file"], "", str(cell["row"]), cell["column"], "", said, cell["remedy"]


def _marks(mending: Mending, file: KeptFile, grid: Grid) -> Marks:
    """Which cells are marked, and what is said of each? Of a cell in the ledger, what the ledger says."""
    marks: Marks = defaultdict(lambda: defaultdict(list))
    at = {title: place for place, title in reversed(list(enumerate(grid.titles, 1)))}
    for cell in mending.cells[mending.cells["file"] == file.name].to_dict("records"):
        if cell["title"] in at:
            said = cell["status"] == "rejected", words.comment(cell["rule"], cell["remedy"])
            marks[int(cell["row"])][at[cell["title"]]].append(said)
    ledger = {(row, column) for row, cells in marks.items() for column in cells}
    for problem in mending.problems:
        where = problem.where
        if not isinstance(where, Place) or where.file != file.name:
            continue
        columns = [
            place for place, title in enumerate(grid.titles, 1) if where.column and _told_as(title) == where.column
        ]
        for row in where.rows if len(columns) == 1 else ():
            if (row, columns[0]) not in ledger:
                said = bool(problem.remedy), words.comment(problem.problem, problem.remedy)
                marks[row][columns[0]].append(said)
    return marks


def _copy(sheet: Any, grid: Grid, marks: Marks) -> None:
    """Copy every row; a sheet that cannot be read to its end stands as far as it can."""
    sheet.freeze_panes = f"A{grid.header + 1}" if grid.header < 20 else None
    try:
        for number, record in enumerate(islice(grid.records, MOST_ROWS), 1):
            texts, own = record[:MOST_COLUMNS], marks.get(number, {})
            if not own and not any(text.startswith(("=", "#")) for text in texts):
                sheet.append([_held(text) or None for text in texts])
                continue
            texts = texts + [""] * (max([0, *own]) - len(texts))
            sheet.append([_cell(sheet, text, own.get(column, ())) for column, text in enumerate(texts, 1)])
    except AcuError:
        return


def _cell(
    sheet: Any, text: str, marks: Sequence[tuple[bool, str]] = (), *, bold: bool = False, wrap: bool = False
) -> Any:
    """Make a cell of text, never a formula; a marked one has a fill and says why."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    cell = WriteOnlyCell(sheet)
    if text:
        cell.value = _held(text)
        cell.data_type = "s"
        cell.quotePrefix = text.startswith("=")
    if bold:
        cell.font = Font(bold=True)
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    if marks:
        colour = NOT_READ if any(not_read for not_read, _ in marks) else OTHERWISE
        cell.fill = PatternFill("solid", f"FF{colour.removeprefix('#').upper()}")
        said = _held("\n".join(dict.fromkeys(text for _, text in marks)))
        cell.comment = Comment(said, CREATOR, width=320, height=60 + 18 * (len(said) // 45))
    return cell
