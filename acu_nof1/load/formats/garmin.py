"""Garmin's JSON: one record a night, its stages in seconds, by the local date of the morning."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1.load.device_nights import as_cells
from acu_nof1.load.formats.records import as_table, flat, is_json, read_json, records_in
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.tables import unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

MORNING, ASLEEP = "morning", "seconds asleep"
INSIDE = "dailySleepDTO"  # Garmin Connect's answer for one day holds the record in it
DEEP, LIGHT, REM, AWAKE = "deepSleepSeconds", "lightSleepSeconds", "remSleepSeconds", "awakeSleepSeconds"
UNMEASURED = ("unmeasurableSeconds", "unmeasurableSleepSeconds")
TWICE = "further records of a morning than its longest"
UNKNOWN = "time asleep is not told in {}: a stage is missing, or part of the night could not be measured"
NOT_IN_BED = "Garmin tells when sleep began and ended, not the time in bed: efficiency is not known"
ROUNDED = 60.0  # seconds by which stages that are whole may differ from the length of the sleep
_STAMP = re.compile(r"\d{12,13}")
EXPORT = "Export the sleep data again."


def read_nights(path: Path, file: DiaryFile, progress: Progress) -> Table:
    """How long was the sleep of each night in this export?

    Parameters
    ----------
    path
        JSON: a list of records, or one day's answer with the record in ``dailySleepDTO``.
    file, progress
        Not used.

    Returns
    -------
    Table
        One row per morning: the local date of the end where the record tells it, else its ``calendarDate``. Times in
        GMT are never taken for local ones.

    Raises
    ------
    UnreadableFileError
        If it holds no records of sleep.
    """
    value = read_json(path)
    found = [value] if isinstance(value, dict) and INSIDE in value else records_in(path.name, value)
    records = [_flat(record) for record in found]
    if not any(MORNING in record for record in records):
        raise unreadable(path.name, "no record in it has a calendarDate.", EXPORT)
    table = as_table(path, records, "JSON of Garmin, rows are records")
    length = _length(table)
    asleep = _asleep(table, length)
    best = _longest(table, length)
    table = table.with_columns(**{ASLEEP: as_cells(asleep)}).only(best, TWICE)
    unknown = int(np.isnan(asleep[best]).sum())
    notes = [NOT_IN_BED]
    if unknown:
        notes.append(UNKNOWN.format(f"{unknown} {'record' if unknown == 1 else 'records'}"))
    return replace(table, notes=(*table.notes, *notes))


def _flat(record: Mapping[str, Any]) -> dict[str, str]:
    inside = record.get(INSIDE)
    own = inside if isinstance(inside, dict) else record
    cells = flat({key: value for key, value in own.items() if not isinstance(value, list | dict)})
    if not {"calendarDate", "sleepEndTimestampLocal"} & cells.keys():
        return cells
    return {MORNING: _local_date(cells.get("sleepEndTimestampLocal", "")) or cells.get("calendarDate", ""), **cells}


def _local_date(stamp: str) -> str:
    """The date that the local clock showed, from its milliseconds."""
    return str(np.datetime64(int(stamp), "ms").astype("datetime64[D]")) if _STAMP.fullmatch(stamp) else ""


def _number(table: Table, *titles: str) -> npt.NDArray[np.float64]:
    """The first of these columns that is there, as numbers; NaN where there is none."""
    title = next((title for title in titles if title in table.columns), None)
    if title is None:
        return np.full(len(table.rows), np.nan)
    numbers = pd.to_numeric(table.rows[title], errors="coerce").to_numpy(dtype=float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _length(table: Table) -> npt.NDArray[np.float64]:
    """Seconds from the beginning of sleep to its end."""
    return _moment(table, "sleepEndTimestampGMT") - _moment(table, "sleepStartTimestampGMT")


def _moment(table: Table, title: str) -> npt.NDArray[np.float64]:
    """Seconds since 1970 in GMT, written as a time or as milliseconds."""
    if title not in table.columns:
        return np.full(len(table.rows), np.nan)
    texts = table.rows[title]
    stamped = texts.str.fullmatch(_STAMP.pattern).to_numpy(dtype=bool)
    read = pd.to_datetime(texts.where(~stamped, ""), errors="coerce", format="ISO8601", utc=True)
    moments = read.dt.tz_localize(None).to_numpy().astype("datetime64[ms]")
    written = np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1000)
    return np.where(stamped, _number(table, title) / 1000, written)


def _asleep(table: Table, length: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Seconds asleep: as told, else the sum of the stages.

    Where time could not be measured, the sum is not known. A watch that tells no REM sleep counts it as light: its other
    stages then fill the whole night.
    """
    deep, light, rem, awake = (_number(table, title) for title in (DEEP, LIGHT, REM, AWAKE))
    whole = np.abs(deep + light + awake - length) <= ROUNDED
    stages = deep + light + np.where(np.isnan(rem) & whole, 0.0, rem)
    measured = ~(_number(table, *UNMEASURED) > 0)
    told = _number(table, "sleepTimeSeconds")
    return np.where(np.isnan(told), np.where(measured, stages, np.nan), told)


def _longest(table: Table, length: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which record of each morning is its longest? Those without a date all stay, for the reader to complain of."""
    morning = table.rows[MORNING].str.strip()
    rank = pd.Series(np.where(np.isnan(length), -np.inf, length)).groupby(morning).rank(method="first", ascending=False)
    return np.asarray((rank == 1) | (morning == ""))


def claims(path: Path, head: bytes) -> bool:
    """Is this JSON that names Garmin's times of sleep?"""
    return is_json(path, head) and b'"sleepStartTimestampGMT"' in head and b'"calendarDate"' in head


GARMIN = Layout(
    "garmin",
    "Garmin's JSON of sleep: calendarDate, sleepStartTimestampGMT, deepSleepSeconds, lightSleepSeconds, remSleepSeconds",
    "Garmin sleep data",
    columns={"date": (MORNING,)},
    measures={"csd_tst": Measure((ASLEEP,), "s"), "csd_waso": Measure((AWAKE,), "s")},
    claims=claims,
    read=read_nights,
    gives="csd_tst, csd_waso of each night; Garmin does not tell the time in bed",
)
