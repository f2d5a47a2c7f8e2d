"""The clock times of a sleep diary: read, checked night by night, and derived."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1.derive import CSD_CLOCKS, CSD_ITEMS, CSD_NEEDS, CSD_UNITS, consensus_sleep
from acu_nof1.errors import Problem
from acu_nof1.load.cells import SAME_TWICE
from acu_nof1.load.clocks import may_be_slips, read_clocks
from acu_nof1.load.complaints import place
from acu_nof1.load.rows import Desk, framed, read_cells, reader_of
from acu_nof1.outcomes import Outcome, conversion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

NIGHT_REMEDY = "Check its times: 12:00 for midnight and 10:30 without pm are common slips."
NOTHING_DERIVED = pd.DataFrame(columns=["outcome", "date", "value", "file", "row"])

# The items that are lengths of time rather than clock times are read like any outcome.
_ITEM = Outcome("", "", "minutes", unit="min", low=0, high=960)


def read_nights(desk: Desk, outcomes: Sequence[Outcome]) -> tuple[list[pd.DataFrame], pd.DataFrame, list[Outcome]]:
    """Read the clock times of a sleep diary and derive the outcomes that are asked for."""
    items = [item for item in CSD_ITEMS if item in desk.roles]
    wanted = [o for o in outcomes if (needs := CSD_NEEDS.get(_sleep_key(o))) and set(needs) <= set(items)]
    if not wanted:
        return [], NOTHING_DERIVED, []
    cells = {item: _item_cells(desk, item) for item in items}
    times = pd.DataFrame({item: cells[item]["value"] if item in cells else np.nan for item in CSD_ITEMS})
    again = _same_night_again(desk, times)
    nights = consensus_sleep(times)
    asleep, problem = nights.values, nights.problems.to_numpy(dtype=object)
    frames = [_with_night(frame, again, problem) for frame in cells.values()]
    usable = ~np.isnat(desk.days) & ~again
    derived = pd.concat(
        [
            pd.DataFrame(
                {
                    "outcome": outcome.name,
                    "date": desk.days[usable],
                    "value": asleep[_sleep_key(outcome)].to_numpy()[usable]
                    * conversion(CSD_UNITS[_sleep_key(outcome)], outcome.unit),
                    "file": desk.name,
                    "row": desk.table.numbers[usable],
                }
            )
            for outcome in wanted
        ],
        ignore_index=True,
    )
    return frames, derived[derived["value"].notna()], wanted


def _sleep_key(outcome: Outcome) -> str:
    return outcome.instrument or outcome.name


def _item_cells(desk: Desk, item: str) -> pd.DataFrame:
    title, rows = desk.roles[item], np.arange(len(desk.table.rows))
    if item not in CSD_CLOCKS:
        return read_cells(desk, item, title, reader_of(desk, replace(_ITEM, name=item)), rows)
    return framed(desk, item, title, rows, read_clocks(desk.table.rows[title], desk.file.missing))


def _same_night_again(desk: Desk, times: pd.DataFrame) -> npt.NDArray[np.bool_]:
    again = times.assign(date=desk.days).duplicated().to_numpy()
    return again & ~np.isnat(desk.days) & times.notna().any(axis=1).to_numpy()


def _with_night(cells: pd.DataFrame, again: npt.NDArray[np.bool_], problem: npt.NDArray[Any]) -> pd.DataFrame:
    """Reject the cells of a night that cannot be, and of a night that was entered twice."""
    answered = cells["value"].notna().to_numpy()
    for mask, rule, remedy in ((problem != "", problem, NIGHT_REMEDY), (again, SAME_TWICE.name, "")):
        hit = answered & mask
        cells.loc[hit, ["status", "remedy"]] = ["rejected", remedy]
        cells.loc[hit, "rule"] = rule[hit] if isinstance(rule, np.ndarray) else rule
        cells.loc[hit, "value"] = np.nan
    return cells


def slips(desk: Desk) -> list[Problem]:
    """Which bedtimes look like 12:00 for midnight or 10:30 without pm?"""
    found = []
    for item in ("into_bed", "tried_to_sleep"):
        if item in desk.roles:
            title = desk.roles[item]
            texts = desk.table.rows[title]
            slips = may_be_slips(texts, read_clocks(texts).values)
            if slips.any():
                found.append(
                    Problem(
                        "warning",
                        place(desk.name, title, desk.table.numbers[slips]),
                        "a bedtime in the morning or at noon, taken as written.",
                        "If it was midnight write 00:00; if it was the evening write 22:30 or 10:30 pm.",
                    )
                )
    return found
