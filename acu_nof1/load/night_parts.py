"""One row a night out of records that each sum up one sleep: naps apart, the parts of a broken night joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.load.device_nights import as_cells, night_of_each

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from acu_nof1.load.tables import Table

OVERLAPS = "records of a night of which a longer record overlaps them"
JOINED = "the records of a night that was broken off are joined: {} of one night with others"


def one_row_a_night(
    table: Table,
    start: npt.NDArray[np.float64],
    end: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    *,
    added: tuple[str, ...],
    lasting: Mapping[str, float],
    kept: tuple[str, ...],
) -> Table:
    """Make one row a night of rows that are one sleep each.

    Parameters
    ----------
    table
        A row per sleep.
    start, end, offset : (N,)
        As in `SleepIntervals`; NaN where a time could not be read. Such a row stays as it is.
    added
        Columns of which the parts of a night are added up.
    lasting
        Columns that run on between the parts as well, and how many of their units a minute has.
    kept
        Columns that are taken from the last part, such as the date. All others are blank where parts are joined: what
        they would be is not known.

    Returns
    -------
    Table
        The rows in the order of the file; those of no night are counted.
    """
    timed = np.flatnonzero(np.isfinite(start) & np.isfinite(end))
    night = np.arange(len(start), dtype=np.intp) + len(start)  # every row without a time stands alone
    reason = np.full(len(start), "", dtype=object)
    night[timed], reason[timed] = night_of_each(start[timed], end[timed], offset[timed])
    times = pd.DataFrame({"night": night, "start": start, "end": end, "row": np.arange(len(start))})[reason == ""]
    times = times.sort_values("start", kind="stable")
    times["length"] = times["end"] - times["start"]
    until = times.groupby("night")["end"].cummax().groupby(times["night"]).shift()
    overlapped = (times["start"] < until).groupby(times["night"]).transform("any")
    longest = times.groupby("night")["length"].rank(method="first", ascending=False) <= 1
    reason[times["row"][overlapped & ~longest]] = OVERLAPS
    times = times[~overlapped]
    several = times[times["night"].duplicated(keep=False)]
    rows, last = _joined(table, several, added, lasting, kept)
    keep = reason == ""
    keep[np.setdiff1d(several["row"], last)] = False
    ignored = dict(table.ignored)
    for why, count in pd.Series(reason[reason != ""]).value_counts().items():
        ignored[str(why)] = ignored.get(str(why), 0) + int(count)
    notes = (JOINED.format(len(several)),) if len(several) else ()
    return replace(
        table,
        rows=rows[keep].reset_index(drop=True),
        numbers=table.numbers[keep],
        ignored=ignored,
        notes=(*table.notes, *notes),
    )


def _joined(
    table: Table,
    several: pd.DataFrame,
    added: tuple[str, ...],
    lasting: Mapping[str, float],
    kept: tuple[str, ...],
) -> tuple[pd.DataFrame, npt.NDArray[np.intp]]:
    """The table with the last part of each of these nights as the whole of it, and where these rows are."""
    if several.empty:
        return table.rows, np.zeros(0, np.intp)
    nights = several.groupby("night", sort=True)
    last = nights["row"].last().to_numpy()
    between = (nights["end"].max() - nights["start"].min() - nights["length"].sum()).to_numpy()
    rows = table.rows.copy()
    for title in rows.columns:
        if title in (*added, *lasting):
            numbers = pd.to_numeric(rows[title].iloc[several["row"]], errors="coerce").astype(float)
            total = numbers.groupby(several["night"].to_numpy()).agg(lambda parts: parts.sum(skipna=False)).to_numpy()
            rows.loc[last, title] = as_cells(total + lasting.get(title, 0.0) * between)
        elif title not in kept:
            rows.loc[last, title] = ""
    return rows, last
