"""One table on the desk: its columns are found, its days are read, its cells can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.load.cells import BLANK, NO_DATE, OVERLONG, Column, Reader, read_column
from acu_nof1.load.complaints import told

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


def reader_of(desk: Desk, outcome: Outcome, title: str = "") -> Reader:
    """How are the cells of this outcome read in this file, where they stand under this title?"""
    file = desk.file
    measure = desk.layout.measures.get(outcome.instrument)
    usual = measure.unit if measure and outcome.name not in file.columns else ""
    return Reader(
        outcome,
        desk.table.delimiter or ",",
        file.decimal,
        (*file.missing, *desk.table.missing),
        file.none,
        {**desk.table.words.get(title, {}), **file.words},
        file.units.get(outcome.name, usual),
    )


def read_cells(desk: Desk, outcome: str, title: str, reader: Reader, rows: npt.NDArray[np.intp]) -> pd.DataFrame:
    """Read the cells of one column; one row per cell."""
    return framed(desk, outcome, title, rows, read_column(desk.table.rows[title].iloc[rows], reader))


def framed(desk: Desk, outcome: str, title: str, rows: npt.NDArray[np.intp], column: Column) -> pd.DataFrame:
    """Put cells beside their day: the ledger's columns and the remedy. Without a day a cell is rejected."""
    rules = np.array([rule.name for rule in column.rules], dtype=object)[column.rule]
    remedies = np.array([rule.remedy for rule in column.rules], dtype=object)[column.rule]
    days = desk.days[rows]
    undated = np.isnat(days) & (rules != BLANK.name)
    numbers = desk.table.numbers[rows]
    overlong = np.isin(numbers, desk.table.overlong)  # such a row has no day either
    reason = np.where(overlong, OVERLONG.name, NO_DATE.name)
    remedy = np.where(overlong, OVERLONG.remedy, NO_DATE.remedy)
    return pd.DataFrame(
        {
            "file": desk.name,
            "row": numbers,
            "column": title,
            "outcome": outcome,
            "date": days,
            "raw": told(desk.table.rows[title].iloc[rows], (column.status != "kept") & (rules != BLANK.name) | undated),
            "status": np.where(undated, "rejected", column.status),
            "rule": np.where(undated, reason, rules),
            "value": np.where(undated, np.nan, column.values),
            "remedy": np.where(undated, remedy, remedies),
        }
    )
