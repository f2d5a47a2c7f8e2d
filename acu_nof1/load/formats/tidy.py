"""The tidy table that `acu-nof1 convert` writes: one row an answer, its unit beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from acu_nof1.load.layout import Layout
from acu_nof1.load.tables import plain, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

COLUMNS = ("person", "date", "outcome", "value", "unit")


def arrange(table: Table, file: DiaryFile, folder: Path) -> Table:
    """Take the unit of each outcome from the rows; two units of one outcome are not mixed."""
    titles = {plain(title): title for title in table.columns}
    if "unit" not in titles or "outcome" not in titles:
        return table
    pairs = table.rows[[titles["outcome"], titles["unit"]]].drop_duplicates()
    units: dict[str, str] = {}
    for name, unit in pairs.itertuples(index=False):
        if units.setdefault(plain(name), unit.strip()) != unit.strip():
            what = f'{name} has more than one unit: "{units[plain(name)]}" and "{unit}".'
            raise unreadable(table.file, what, "Give all its rows one unit.")
    return replace(table, units=units)


TIDY = Layout(
    "tidy",
    "what acu-nof1 convert writes, one row per answer: person, date, outcome, value, unit",
    "tidy table of this program",
    shape="long",
    columns={"date": ("date",), "person": ("person",), "question": ("outcome",), "answer": ("value",)},
    signatures=(COLUMNS, COLUMNS[:-1]),
    arrange=arrange,
    gives="every outcome in it, by its name and from its unit",
)
