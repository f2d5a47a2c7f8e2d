"""Fitbit's and Oura's JSON: one record a sleep, naps among them, by the date of the morning."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1.load.device_nights import as_cells
from acu_nof1.load.formats.records import as_table, flat, is_json, read_json, records_in
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.night_parts import one_row_a_night

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

    from acu_nof1.load.layout import Progress, Reading
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

MORNING, EFFICIENCY = "morning", "sleep efficiency (asleep of time in bed)"
NAP = "naps and sleeps that are not the night's"
OWN = "sleep efficiency is computed as 100 × time asleep / time in bed; the device's own has another denominator"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = (
    r"^(?P<local>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)"
    r"(?:Z|(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<rest>[0-9]{2}))?$"
)


@dataclass(frozen=True, slots=True)
class _Titles:
    """Where the records of a device keep what makes a night, and how many of its units a minute has."""

    asleep: str
    in_bed: str
    start: str
    end: str
    morning: str
    minute: float


def _read(spoken: str, titles: _Titles, is_night: Callable[[Mapping[str, str]], bool]) -> Reading:
    """Make the reader of one device: where its records keep the times, and which of them is the night."""

    def read(path: Path, file: DiaryFile, progress: Progress) -> Table:
        records = [_sleep(record, titles.morning) for record in records_in(path.name, read_json(path))]
        night = np.array([is_night(record) for record in records], dtype=bool)
        table = as_table(path, records, f"JSON of {spoken}, rows are records").only(night, NAP)
        start, end = _moments(table, titles.start), _moments(table, titles.end)
        nights = one_row_a_night(
            table,
            start[0],
            end[0],
            end[1],
            added=(titles.asleep,),
            lasting={titles.in_bed: titles.minute},
            kept=(MORNING, titles.morning, titles.end),
        )
        return with_efficiency(nights, titles.asleep, titles.in_bed)

    return read


def _sleep(record: Mapping[str, Any], morning: str) -> dict[str, str]:
    """A record's values as text; the stages inside it, which may be thousands, are left out."""
    cells = flat({key: value for key, value in record.items() if not isinstance(value, list | dict)})
    written = _DAY.match(cells.get(morning, ""))
    # The local date as it is written: shifted to UTC it would be another morning's.
    return {MORNING: written.group() if written else cells.get(morning, ""), **cells}


def _moments(table: Table, title: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Minutes since 1970 in UTC, and how many the local clock was ahead: 0 where no zone is told; NaN for no time."""
    if title not in table.columns:
        return np.full(len(table.rows), np.nan), np.zeros(len(table.rows))
    parts = table.rows[title].str.extract(_MOMENT)
    local = pd.to_datetime(parts["local"], errors="coerce", format="ISO8601").to_numpy().astype("datetime64[ms]")
    minutes = np.where(np.isnat(local), np.nan, local.astype(np.int64) / 60_000)
    hours, rest = (pd.to_numeric(parts[name]).fillna(0).to_numpy(dtype=float) for name in ("hours", "rest"))
    ahead = np.where(parts["sign"] == "-", -1.0, 1.0) * (60 * hours + rest)
    return minutes - ahead, ahead


def with_efficiency(table: Table, asleep: str, in_bed: str) -> Table:
    """Add the share of the time in bed that was slept; blank where one of the two is not known."""
    rows = table.rows.reindex(columns=[asleep, in_bed], fill_value="")
    slept, lay = (pd.to_numeric(rows[title], errors="coerce").to_numpy(dtype=float) for title in (asleep, in_bed))
    known = np.isfinite(slept) & np.isfinite(lay) & (lay > 0)
    share = np.where(known, 100 * slept / np.where(known, lay, 1), np.nan)
    return replace(table.with_columns(**{EFFICIENCY: as_cells(share)}), notes=(*table.notes, OWN))


def _claims(*keys: str) -> Callable[[Path, bytes], bool]:
    """Does a file of JSON name these keys at its beginning?"""
    named = tuple(json.dumps(key).encode() for key in keys)
    return lambda path, head: is_json(path, head) and all(key in head for key in named)


FITBIT_JSON = Layout(
    "fitbit_json",
    "Fitbit's sleep log from its web API: dateOfSleep, minutesAsleep, timeInBed, isMainSleep",
    "Fitbit sleep log",
    columns={"date": (MORNING,)},
    measures={
        "csd_tst": Measure(("minutesAsleep",), "min"),
        "csd_tib": Measure(("timeInBed",), "min"),
        "csd_se": Measure((EFFICIENCY,), "%"),
    },
    claims=_claims("dateOfSleep", "minutesAsleep"),
    read=_read(
        "Fitbit",
        _Titles("minutesAsleep", "timeInBed", "startTime", "endTime", "dateOfSleep", 1.0),
        lambda record: record.get("isMainSleep") != "false",
    ),
    gives="csd_tst, csd_tib, csd_se of each night; naps are left out and counted",
)

OURA = Layout(
    "oura",
    "Oura's sleep periods (API v2): bedtime_start, bedtime_end, total_sleep_duration, time_in_bed, latency, type",
    "Oura sleep periods",
    columns={"date": (MORNING,)},
    measures={
        "csd_tst": Measure(("total_sleep_duration",), "s"),
        "csd_tib": Measure(("time_in_bed",), "s"),
        "csd_sol": Measure(("latency",), "s"),
        "csd_se": Measure((EFFICIENCY,), "%"),
    },
    claims=_claims("bedtime_start", "bedtime_end"),
    read=_read(
        "Oura",
        _Titles("total_sleep_duration", "time_in_bed", "bedtime_start", "bedtime_end", "bedtime_end", 60.0),
        lambda record: record.get("type", "long_sleep") == "long_sleep",
    ),
    gives="csd_tst, csd_tib, csd_sol, csd_se of each night; naps are left out and counted",
)
