"""What is said to a person who mends their files: on the screen, and in the workbook with the marked cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.errors import SEVERITIES, Place, Problem
from acu_nof1.load.tables import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acu_nof1.diary import Counts

PROBLEMS = "problems"
WHOLE_TRIAL = "the trial as a whole"
TITLES = ("How bad", "File", "Sheet", "Rows", "Column", "Letter", "What is wrong", "What to do")
MOST_ROWS = 12
CELL = "cell"  # how a line about one cell begins, beside error, warning and note
HOW = (
    "What to mend, worst first",
    "The other sheets hold your files as they are, row by row; mend the file itself, then check again.",
    "Orange: this cell was not read. Blue: it was read otherwise than it stands, or is only worth a look. "
    "Point at a cell to see why, and what to do.",
    "Names and comments stand in these sheets as you wrote them: they are for you, not for passing on.",
)


def heading(file: str, sheet: str, problems: Sequence[Problem]) -> str:
    """``pain.xlsx, sheet 2 of 3: 1 error, 2 notes``."""
    counts = [(sum(each.severity == severity for each in problems), severity) for severity in SEVERITIES]
    said = ", ".join(f"{count} {severity}{'s' if count > 1 else ''}" for count, severity in counts if count)
    return f"{file}{f', {sheet}' if sheet else ''}: {said}"


def within(where: str, file: str, letter: str) -> str:
    """Where is it, when the file is known: ``rows 3, 17 and 5 more, column Avg pain (B)``?"""
    if isinstance(where, Place):
        rows = spoken_rows(where.rows) if where.rows else ""
        column = f"column {where.column}" if where.column else ""
        return ", ".join(filter(None, (rows, f"{column} ({letter})" if letter else column)))
    return "" if where == file else where.removeprefix(f"{file} ")


def listed_rows(numbers: Sequence[int]) -> str:
    """``3, 17, 40`` as far as a cell should hold them."""
    said = ", ".join(map(str, numbers[:MOST_ROWS]))
    return f"{said} and {len(numbers) - MOST_ROWS} more" if len(numbers) > MOST_ROWS else said


def counted(counts: Counts) -> str:
    """How many cells were read, and what became of them?"""
    said = (
        f"{counts.read} cells read: {counts.kept} kept, {counts.converted} converted, {counts.missing} missing, "
        f"{counts.rejected} rejected."
    )
    return said + (f" {counts.ignored} records left out before that." if counts.ignored else "")


def conclusion(problems: Sequence[Problem]) -> str:
    """Can a report be written of this?"""
    if not problems:
        return "Nothing to mend."
    if problems[0].severity == "error":
        return "Errors must be mended before a report can be written."
    return "A report can be written."


def comment(rule: str, remedy: str) -> str:
    """What is written at a marked cell."""
    return f"{rule[:1].upper()}{rule[1:].rstrip('.')}.{f' {remedy}' if remedy else ''}"


def at_cell(raw: str, rule: str) -> str:
    """What is said of one cell in the list: as it stands, and why it was not taken so."""
    return f'"{raw}": {rule}.'
