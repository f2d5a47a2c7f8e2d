"""Fitbit's CSV: one row a sleep below the title ``Sleep``, times with am and pm, by the date of the morning."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.derive import DAY
from acu_nof1.load.clocks import read_clocks
from acu_nof1.load.dates import read_days
from acu_nof1.load.formats.sleep_records import EFFICIENCY, MORNING, with_efficiency
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.night_parts import one_row_a_night
from acu_nof1.load.tables import plain, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

START, END, ASLEEP, AWAKE, IN_BED = "Start Time", "End Time", "Minutes Asleep", "Minutes Awake", "Time in Bed"
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_MOMENT = r"^\s*(?P<day>.*?\d)[ T,]+(?P<clock>\d{1,2}:\d\d(?::\d\d)?\s*(?:[AaPp]\.?[Mm]\.?)?)\s*$"


def arrange(table: Table, file: DiaryFile, folder: Path) -> Table:
    """Give each night the date on which it ended, as it is written, and its efficiency.

    Minutes awake hold those before falling asleep and after waking too, so they say nothing of waking in the night.
    """
    own = {plain(title): title for title in table.columns}
    if absent := [title for title in (START, END, ASLEEP, IN_BED) if plain(title) not in own]:
        what = f"a Fitbit sleep table has a column {' and a column '.join(absent)}, this has not."
        raise unreadable(table.file, what, "Export it again, or leave `layout` out.")
    columns = {
        title: table.rows[own[plain(title)]] for title in (START, END, ASLEEP, AWAKE, IN_BED) if plain(title) in own
    }
    minutes = {title: columns[title].map(_without_commas) for title in (ASLEEP, AWAKE, IN_BED) if title in columns}
    table = table.with_columns(**{own[plain(title)]: cells for title, cells in minutes.items()})
    day = columns[END].str.extract(_MOMENT)["day"].fillna(columns[END].str.strip())
    start, end = (_moments(columns[title], file, table) for title in (START, END))
    nights = one_row_a_night(
        table.with_columns(**{MORNING: day}),
        start,
        end,
        np.zeros(len(start)),
        added=(own[plain(ASLEEP)],),
        lasting={own[plain(title)]: 1.0 for title in (AWAKE, IN_BED) if title in minutes},
        kept=(MORNING, own[plain(END)]),
    )
    return with_efficiency(nights, own[plain(ASLEEP)], own[plain(IN_BED)])


def _without_commas(text: str) -> str:
    return text.replace(",", "") if _THOUSANDS.fullmatch(text.strip()) else text


def _moments(texts: pd.Series[str], file: DiaryFile, table: Table) -> npt.NDArray[np.float64]:
    """Local minutes since 1970; NaN where the text is no time, or its date cannot be told."""
    parts = texts.str.extract(_MOMENT).fillna("")
    days = read_days(
        parts["day"], date_format=file.date_format, dayfirst=file.dayfirst, day_zero=table.day_zero
    ).days.astype("datetime64[D]")
    since = np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))
    return since * DAY + read_clocks(parts["clock"]).values


FITBIT_CSV = Layout(
    "fitbit_csv",
    "Fitbit's CSV: Sleep in line 1, then Start Time, End Time, Minutes Asleep, Minutes Awake, …, Time in Bed",
    "Fitbit sleep table",
    columns={"date": (MORNING,)},
    measures={
        "csd_tst": Measure((ASLEEP,), "min"),
        "csd_tib": Measure((IN_BED,), "min"),
        "csd_se": Measure((EFFICIENCY,), "%"),
    },
    signatures=((START, END, ASLEEP, IN_BED),),
    arrange=arrange,
    gives="csd_tst, csd_tib, csd_se of each night; naps are left out and counted",
)
