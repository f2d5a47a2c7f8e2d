"""Fitbit's and Oura's JSON: one record a sleep, naps among them, by the date of the morning."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1.load.formats.records import as_table, flat, is_json, read_json, records_in
from acu_nof1.load.layout import Layout, Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from acu_nof1.load.layout import Progress, Reading
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

MORNING, EFFICIENCY = "morning", "sleep efficiency (asleep of time in bed)"
NAP = "naps and sleeps that are not the night's"
OWN = "sleep efficiency is computed as 100 × time asleep / time in bed; the device's own has another denominator"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _read(
    spoken: str, asleep: str, in_bed: str, morning: str, is_night: Callable[[Mapping[str, str]], bool]
) -> Reading:
    """Make the reader of one device: where its records keep the times, and which of them is the night."""

    def read(path: Path, file: DiaryFile, progress: Progress) -> Table:
        records = [_sleep(record, asleep, in_bed, morning) for record in records_in(path.name, read_json(path))]
        night = np.array([is_night(record) for record in records], dtype=bool)
        table = as_table(path, records, f"JSON of {spoken}, rows are records").only(night, NAP)
        return replace(table, notes=(*table.notes, OWN))

    return read


def _sleep(record: Mapping[str, Any], asleep: str, in_bed: str, morning: str) -> dict[str, str]:
    """A record's values as text; the stages inside it, which may be thousands, are left out."""
    cells = flat({key: value for key, value in record.items() if not isinstance(value, list | dict)})
    both = pd.to_numeric(pd.Series([cells.get(asleep, ""), cells.get(in_bed, "")]), errors="coerce")
    known = bool(both.notna().all() and both[1] > 0)
    written = _DAY.match(cells.get(morning, ""))
    # The local date as it is written: shifted to UTC it would be another morning's.
    return {
        MORNING: written.group() if written else cells.get(morning, ""),
        **cells,
        EFFICIENCY: f"{100 * both[0] / both[1]:.10g}" if known else "",
    }


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
        "Fitbit", "minutesAsleep", "timeInBed", "dateOfSleep", lambda record: record.get("isMainSleep") != "false"
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
        "total_sleep_duration",
        "time_in_bed",
        "bedtime_end",
        lambda record: record.get("type", "long_sleep") == "long_sleep",
    ),
    gives="csd_tst, csd_tib, csd_sol, csd_se of each night; naps are left out and counted",
)
