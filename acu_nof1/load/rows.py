"""One table on the desk: its columns are found, its days are read, its cells can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.load.cells import BLANK, NO_DATE, OVERLONG, Column, Reader, read_column
from acu_nof1.load.complaints import told
from acu_nof1.load.tables import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from acu_nof1.load.layout import Layout
    from acu_nof1.load.tables import Table
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import DiaryFile


@dataclass(frozen=True, eq=False)
class Desk:
    """A table on the desk: its declaration, where its columns are, the day of each row."""

    name: str
    file: DiaryFile
    table: Table
    layout: Layout
    roles: Mapping[str, str]
    days: npt.NDArray[np.datetime64]


def told_unit(table: Table, layout: Layout, outcome: Outcome, title: str) -> str:
    """In which unit does the file itself, or its format, say that these numbers are? ``""`` where neither does."""
    measure = layout.measures.get(outcome.instrument)
    known = measure is not None and plain(title) in map(plain, measure.titles)
    return table.units.get(plain(title), measure.unit if measure and known else "")


def rows_of(desk: Desk, title: str) -> tuple[str, npt.NDArray[np.intp]]:
    """In which column and rows do the answers to this question stand? In a wide table it has a column of its own."""
    if desk.layout.shape == "wide":
        return title, np.arange(len(desk.table.rows))
    questions = desk.table.rows[desk.roles["question"]]
    same = [text for text in questions.unique() if plain(str(text)) == plain(title)]
    return desk.roles["answer"], np.flatnonzero(questions.isin(same).to_numpy())


def reader_of(desk: Desk, outcome: Outcome, title: str = "") -> Reader:
    """How are the cells of this outcome read in this file, where they stand under this title?"""
    file = desk.file
    return Reader(
        outcome,
        desk.table.delimiter or ",",
        file.decimal,
        (*file.missing, *desk.table.missing, *desk.table.missing_in.get(title, ())),
        file.none,
        {**desk.table.words.get(title, {}), **file.words},
        file.units.get(outcome.name, told_unit(desk.table, desk.layout, outcome, title)),
    )


def read_cells(desk: Desk, outcome: str, title: str, reader: Reader, rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Read the cells of one column; one row per cell."""
    return framed(desk, outcome, title, rows, read_column(desk.table.rows[title].iloc[rows], reader))


def framed(desk: Desk, outcome: str, title: str, rows: npt.NDArray[np.intp], column: Column) -> pd.DataFrame:
    """Put cells beside their day: the ledger's columns and the remedy. Without a day a cell is rejected."""
    rules = np.array([rule.name for rule in column.rules], dtype=object)[column.rule]
    remedies = np.array([rule.remedy for rule in column.rules], dtype=object)[column.rule]
    days = desk.days[rows]
    answered = np.array([rule.name != BLANK.name for rule in column.rules], dtype=bool)[column.rule]
    undated = np.isnat(days) & answered
    numbers = desk.table.numbers[rows]
    overlong = undated & np.isin(numbers, desk.table.overlong)  # such a row has no day either
    status = column.status
    if undated.any():
        status = np.where(undated, "rejected", status)
        rules = np.where(undated, np.where(overlong, OVERLONG.name, NO_DATE.name), rules)
        remedies = np.where(undated, np.where(overlong, OVERLONG.remedy, NO_DATE.remedy), remedies)
    return pd.DataFrame(
        {
            "file": desk.name,
            "row": numbers,
            "column": title,
            "outcome": outcome,
            "date": days,
            "raw": told(desk.table.rows[title].iloc[rows], (status != "kept") & answered),
            "status": status,
            "rule": rules,
            "value": np.where(undated, np.nan, column.values),
            "remedy": remedies,
        }
    )
