"""Daylio: one row per entry, with a mood in words and the activities that were ticked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.errors import Problem, UnreadableFileError
from acu_nof1.load.clocks import read_clocks
from acu_nof1.load.complaints import AS_IN_FILE, listed, nearest, shown
from acu_nof1.load.layout import Layout
from acu_nof1.load.tables import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile


def arrange(table: Table, file: DiaryFile, folder: Path) -> Table:
    """Give each activity that is mapped (``activities: run``) a column of yes and no, and each day its order of time.

    Parameters
    ----------
    table
        The export. Newest entries stand first in it.
    file
        Its declaration.

    Returns
    -------
    Table
        The entries of one day run from morning to night, so that ``first`` and ``last`` mean what they say.

    Raises
    ------
    UnreadableFileError
        If a mapped activity stands in no entry: a slip of the pen would make every day a day without it.
    """
    titles = {plain(title): title for title in table.columns}
    wanted = {
        title for title in file.columns.values() if plain(title.partition(":")[0]) == "activities" and ":" in title
    }
    if "activities" in titles and wanted:
        ticked = [_ticked(text) for text in table.rows[titles["activities"]]]
        known = dict.fromkeys(activity for activities in ticked for activity in activities.values())
        _complain(table.file, wanted, ticked, list(known))
        table = table.with_columns(
            **{title: ["yes" if _activity(title) in each else "no" for each in ticked] for title in sorted(wanted)}
        )
    return _in_order(table, titles)


def _ticked(text: str) -> dict[str, str]:
    return {plain(part): part.strip() for part in text.split("|") if part.strip()}


def _activity(title: str) -> str:
    return plain(title.partition(":")[2])


def _complain(name: str, wanted: set[str], ticked: Sequence[Mapping[str, str]], known: list[str]) -> None:
    missing = [title for title in sorted(wanted) if not any(_activity(title) in each for each in ticked)]
    if missing:
        raise UnreadableFileError(
            Problem(
                "error",
                name,
                f'no entry has the activity of "{shown(title)}"; there are {listed(known)}.',
                nearest(title.partition(":")[2].strip(), known) or AS_IN_FILE,
            )
            for title in missing
        )


def _in_order(table: Table, titles: dict[str, str]) -> Table:
    if "time" not in titles or "full date" not in titles:
        return table
    day = pd.factorize(table.rows[titles["full date"]].to_numpy(dtype=object))[0]
    order = np.lexsort((read_clocks(table.rows[titles["time"]]).values, day))
    return replace(table, rows=table.rows.iloc[order].reset_index(drop=True), numbers=table.numbers[order])


DAYLIO = Layout(
    "daylio",
    "Daylio's export, one row per entry: full_date, weekday, time, mood, activities",
    "Daylio export",
    columns={"date": ("full_date",)},
    signatures=(("full_date", "mood", "activities"),),
    arrange=arrange,
    gives='mood, with words = { … }; yes/no outcomes mapped to an activity: "activities: headache"',
)
