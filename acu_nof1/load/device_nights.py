"""Nights out of the intervals that watches, phones and rings write down."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from acu_nof1.derive import DAY, LONGEST_IN_BED
from acu_nof1.errors import did_you_mean
from acu_nof1.load.layout import Measure
from acu_nof1.load.tables import unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

STAGES = ("in bed", "awake", "asleep", "light", "deep", "rem")
IN_BED, AWAKE, ASLEEP, LIGHT, DEEP, REM = range(len(STAGES))

# An hour without a record ends a sleep: whoever lies awake in bed is recorded as awake or in bed. At night getting
# up is waking in the night and not its end, so there up to three hours are bridged.
BRIDGED = 60.0
BRIDGED_AT_NIGHT = 180.0
NIGHT_BEGINS, NIGHT_LASTS = 22 * 60.0, 8 * 60.0
# A day without a night (the watch was charging) must not take its nap for one. A sleep under 3 hours (the shortest main
# sleep of the ABCD study's scores of Fitbit data) is a nap when it begins by day; when it begins at night it is a bad
# night, and those are what a sleep diary is kept for.
SHORTEST_BY_DAY = 180.0
DAY_BEGINS, DAY_LASTS = 9 * 60.0, 12 * 60.0
# Two devices have two clocks: a phone may say "in bed" some minutes after the watch said "asleep".
SLACK = 5.0

NO_LENGTH = "sleep records that end before they begin, or at once"
TOO_LONG = "sleep records of more than 16 hours without a break"
OTHER_DEVICE = "sleep records of other devices than the declared one"
NAP = "records of naps and of sleep apart from the night"

NIGHT_MEASURES: Mapping[str, Measure] = {
    "csd_tst": Measure(("minutes asleep",), "min"),
    "csd_tib": Measure(("minutes in bed",), "min"),
    "csd_waso": Measure(("minutes awake after sleep onset",), "min"),
    "csd_sol": Measure(("minutes to fall asleep",), "min"),
    "csd_twak": Measure(("minutes awake before rising",), "min"),
    "csd_se": Measure(("sleep efficiency",), "%"),
}


@dataclass(frozen=True, eq=False)
class SleepIntervals:
    """N stretches of time in one stage each, in any order, overlapping or not.

    Attributes
    ----------
    start, end : (N,)
        Minutes since 1970-01-01 00:00 UTC; of local time where the zone is not known, with `offset` 0.
    offset : (N,)
        Minutes that the local clock was ahead of `end`.
    stage : (N,)
        Positions in `STAGES`; ``asleep`` is sleep of which the stage is not known.
    source : (N,)
        The device or app that recorded it.
    row : (N,)
        Where a person finds it in the file.
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    stage: npt.NDArray[np.int8]
    source: npt.NDArray[np.object_]
    row: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)

    def at(self, which: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> SleepIntervals:
        """Return these intervals only, in this order."""
        return SleepIntervals(
            self.start[which],
            self.end[which],
            self.offset[which],
            self.stage[which],
            self.source[which],
            self.row[which],
        )


@dataclass(frozen=True, eq=False)
class DeviceNights:
    """M nights, at most one for each morning.

    Attributes
    ----------
    date : (M,)
        Local date of the morning, ``datetime64[D]``, ascending.
    values
        M rows with the columns of `NIGHT_MEASURES`; NaN is not known.
    source : (M,)
        Who recorded the sleep (or, without sleep, the time in bed); several are joined by ``" + "``.
    row : (M,)
        Where the first record of the night stands.
    ignored
        Intervals that are part of no night, by reason.
    """

    date: npt.NDArray[np.datetime64]
    values: pd.DataFrame
    source: npt.NDArray[np.object_]
    row: npt.NDArray[np.int64]
    ignored: Mapping[str, int]

    def columns(self) -> dict[str, list[str]]:
        """The nights as text by title, for a `Table`: ``date``, the titles of `NIGHT_MEASURES`, ``source``."""
        told = {measure.titles[0]: as_cells(self.values[name].to_numpy()) for name, measure in NIGHT_MEASURES.items()}
        return {"date": [str(day) for day in self.date], **told, "source": [str(who) for who in self.source]}


def as_cells(numbers: npt.NDArray[np.float64]) -> list[str]:
    """Numbers as the text of cells; a blank cell where nothing is known."""
    return ["" if np.isnan(number) else f"{number:.10g}" for number in numbers.tolist()]


def device_nights(intervals: SleepIntervals) -> DeviceNights:
    """How long was the sleep of each night that these intervals describe?

    Intervals that overlap are united and never added up. Those with less than an hour between them belong together,
    at night (22 to 6 o'clock) with up to three hours. Of the sleeps that end on one local date the longest is
    the night of that morning, unless it is short and began by day (under 3 hours, begun from 9 to 21 o'clock).

    Total sleep time is the union of all stages of sleep. Time in bed runs, as in the Consensus Sleep Diary (Carney 2012,
    Sleep 35:287), from the first moment in bed to the last, and is known only where records say so that begin
    before the sleep and end after it; without it there is no efficiency. Waking after sleep onset is the time from
    onset to the last awakening without sleep, and is known where the source tells stages or wakefulness at all: one
    unbroken ``asleep`` says nothing of it.

    Parameters
    ----------
    intervals
        Of one person, from all devices that are to be read.

    Returns
    -------
    DeviceNights
        One row per morning. What is not known is NaN; intervals of no night are counted with the reason.
    """
    ordered, sleep, begin, end, reason = _told_apart(intervals)
    length = intervals.end - intervals.start
    records = np.bincount(sleep, minlength=len(begin))
    left = {
        NO_LENGTH: int((~(length > 0)).sum()),
        TOO_LONG: int((length > LONGEST_IN_BED).sum() + records[reason == TOO_LONG].sum()),
        NAP: int(records[reason == NAP].sum()),
    }
    kept = reason == ""
    date = np.floor(end[kept] / DAY).astype(np.int64).astype("datetime64[D]")
    first = np.searchsorted(sleep, np.arange(len(begin)))
    order = np.argsort(date, kind="stable")
    return DeviceNights(
        date[order],
        _values(ordered, sleep, len(begin))[kept].iloc[order].reset_index(drop=True),
        _recorded_by(ordered, sleep, len(begin))[kept][order],
        ordered.row[first[kept]][order] if len(ordered) else np.zeros(0, np.int64),
        {reason: count for reason, count in left.items() if count},
    )


def night_of_each(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], offset: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.object_]]:
    """Which of these sleeps are parts of one night? As `device_nights`, where only sums are known of each sleep.

    Parameters
    ----------
    start, end, offset : (N,)
        As in `SleepIntervals`.

    Returns
    -------
    night : (N,)
        Equal for the parts of one night, in the order of time; -1 for what is part of none.
    reason : (N,)
        Why it is part of none; ``""`` for the others.
    """
    rows = np.arange(len(start))
    told = SleepIntervals(start, end, offset, np.full(len(rows), IN_BED, np.int8), np.full(len(rows), ""), rows)
    ordered, sleep, _, _, why = _told_apart(told)
    reason = np.where(end > start, TOO_LONG, NO_LENGTH).astype(object)
    reason[ordered.row] = why[sleep]
    night = np.full(len(rows), -1, dtype=np.intp)
    night[ordered.row] = np.where(why[sleep] == "", sleep, -1)
    return night, reason


def _told_apart(
    intervals: SleepIntervals,
) -> tuple[
    SleepIntervals, npt.NDArray[np.intp], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.object_]
]:
    """The usable intervals by time, the sleep of each; of each sleep its local begin and end, and why it is no night."""
    length = intervals.end - intervals.start
    usable = (length > 0) & (length <= LONGEST_IN_BED)
    ordered = intervals.at(np.flatnonzero(usable)).at(np.argsort(intervals.start[usable], kind="stable"))
    sleep = _sleeps(ordered)
    begin, end = _spans(ordered.start, ordered.end, sleep)
    last = _last_of(ordered.end, sleep)
    offset = ordered.offset[last] if len(ordered) else np.zeros(0)
    main = _nights(begin + offset, end + offset)
    whole = end - begin <= LONGEST_IN_BED
    reason = np.where(whole, np.where(main, "", NAP), TOO_LONG).astype(object)
    return ordered, sleep, begin + offset, end + offset, reason


def of_device(name: str, intervals: SleepIntervals, device: str | None) -> tuple[SleepIntervals, dict[str, int]]:
    """Keep the sleep that this device recorded, and the time in bed that any did; the others are counted.

    Parameters
    ----------
    name
        Of the file.
    intervals
        From all devices.
    device
        The declared one; ``None`` keeps all.

    Raises
    ------
    UnreadableFileError
        If it recorded nothing.
    """
    if device is None:
        return intervals, {}
    recorded = sorted(set(intervals.source.tolist()))
    if device not in recorded:
        what = f'no sleep is recorded by device = "{device}".'
        raise unreadable(name, what, did_you_mean(device, recorded) if recorded else "Leave device out.")
    kept = (intervals.source == device) | (intervals.stage == IN_BED)
    return intervals.at(kept), {OTHER_DEVICE: int((~kept).sum())} if not kept.all() else {}


def local_offset(zone: str, moment: float) -> float | None:
    """How many minutes was the local clock ahead in this zone, such as ``Europe/Rome``? ``None``: there is none of this name.

    Parameters
    ----------
    zone
        Its name in the tz database.
    moment
        Minutes since 1970-01-01 00:00 UTC.
    """
    known = _zone(zone)
    try:
        ahead = dt.datetime.fromtimestamp(60 * moment, dt.UTC).astimezone(known).utcoffset() if known else None
    except (ValueError, OverflowError, OSError):
        return None
    return None if ahead is None else ahead.total_seconds() / 60


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def union(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Which stretches of time are covered by any of these intervals, sorted by their start?"""
    if not len(start):
        return start, end
    until = np.maximum.accumulate(end)
    opens = np.append(True, start[1:] > until[:-1])
    return start[opens], until[np.append(opens[1:], True)]


def _sleeps(ordered: SleepIntervals) -> npt.NDArray[np.intp]:
    """Number the sleeps: which intervals belong together?"""
    if not len(ordered):
        return np.zeros(0, np.intp)
    until = np.maximum.accumulate(ordered.end)[:-1]
    gap = ordered.start[1:] - until
    into_the_night = np.mod(until + ordered.offset[1:] - NIGHT_BEGINS, DAY)
    at_night = (gap <= BRIDGED_AT_NIGHT) & (into_the_night + gap <= NIGHT_LASTS)
    return np.append(0, np.cumsum((gap > BRIDGED) & ~at_night))


def _spans(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], sleep: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    opens = np.flatnonzero(np.diff(sleep, prepend=-1))
    return (start[opens], np.maximum.reduceat(end, opens)) if len(opens) else (start, end)


def _last_of(end: npt.NDArray[np.float64], sleep: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The interval of each sleep that ends last."""
    order = np.lexsort((end, sleep))
    return order[np.append(np.diff(sleep[order]) > 0, True)] if len(order) else order


def _nights(begin: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which of the sleeps, in local time, is the night of its morning?"""
    length = end - begin
    by_day = (np.mod(begin - DAY_BEGINS, DAY) < DAY_LASTS) & (length < SHORTEST_BY_DAY)
    possible = pd.Series(np.where(by_day | (length > LONGEST_IN_BED), -np.inf, length))
    longest = possible.groupby(np.floor(end / DAY)).rank(method="first", ascending=False).to_numpy() == 1
    return np.asarray(longest & np.isfinite(possible.to_numpy()))


def _bounds(
    ordered: SleepIntervals, which: npt.NDArray[np.bool_], sleep: npt.NDArray[np.intp], sleeps: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """First and last moment of these intervals in each sleep; NaN without any."""
    first, last = np.full(sleeps, np.nan), np.full(sleeps, np.nan)
    np.fmin.at(first, sleep[which], ordered.start[which])
    np.fmax.at(last, sleep[which], ordered.end[which])
    return first, last


def _values(ordered: SleepIntervals, sleep: npt.NDArray[np.intp], sleeps: int) -> pd.DataFrame:
    asleep, in_bed = ordered.stage >= ASLEEP, ordered.stage == IN_BED
    start, end = union(ordered.start[asleep], ordered.end[asleep])
    within = sleep[np.searchsorted(ordered.start, start)]
    onset, awakening = _bounds(ordered, asleep, sleep, sleeps)
    slept = np.bincount(within, end - start, sleeps)
    slept = np.where(np.isnan(onset), np.nan, slept)
    into_bed, out_of_bed = _bounds(ordered, in_bed, sleep, sleeps)
    into_bed = np.where(into_bed > onset + SLACK, np.nan, np.where(into_bed > onset, onset, into_bed))
    late = out_of_bed < awakening - SLACK
    out_of_bed = np.where(late, np.nan, np.where(out_of_bed < awakening, awakening, out_of_bed))
    told = np.bincount(sleep[(ordered.stage == AWAKE) | (ordered.stage > ASLEEP)], minlength=sleeps) > 0
    awake = awakening - onset - slept
    return pd.DataFrame(
        {
            "csd_tst": slept,
            "csd_tib": out_of_bed - into_bed,
            "csd_waso": np.where(told | (awake > 0), awake, np.nan),
            "csd_sol": onset - into_bed,
            "csd_twak": out_of_bed - awakening,
            "csd_se": 100 * slept / (out_of_bed - into_bed),
        }
    )


def _recorded_by(ordered: SleepIntervals, sleep: npt.NDArray[np.intp], sleeps: int) -> npt.NDArray[np.object_]:
    """Who recorded the sleep; where nobody did, who recorded the time in bed."""
    asleep = ordered.stage >= ASLEEP
    has_sleep = np.bincount(sleep[asleep], minlength=sleeps) > 0
    counted = asleep | ~has_sleep[sleep]
    pairs = pd.DataFrame({"sleep": sleep[counted], "source": ordered.source[counted]}).drop_duplicates()
    joined = pairs.sort_values("source").groupby("sleep")["source"].agg(" + ".join)
    return joined.reindex(range(sleeps)).to_numpy(dtype=object)


def change_of_source(nights: DeviceNights) -> tuple[str, str] | None:
    """What is to be said when not all nights were recorded by the same device, and what can be done about it?

    Devices differ by tens of minutes on the same night, so a new one can look like a change in sleep.
    """
    sources = pd.Series(nights.source, dtype="object")
    if sources.nunique() < 2:
        return None
    days = pd.Series(nights.date).groupby(sources.to_numpy(), sort=False)
    told = [f"{who} on {len(own)} nights from {str(own.iloc[0])[:10]} to {str(own.iloc[-1])[:10]}" for who, own in days]
    return (
        f"not all nights are recorded by the same device: {'; '.join(told[:5])}{' …' if len(told) > 5 else ''}. "
        "Devices differ by tens of minutes on the same night.",
        f'Read the sleep of one, as in device = "{nights.source[-1].split(" + ")[0]}".',
    )
