"""Outcomes computed from others: sleep times, days beyond a chosen level, flare days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from acu_nof1.outcomes import Derived, Outcome

CSD_CLOCKS = ("into_bed", "tried_to_sleep", "final_awakening", "out_of_bed")
CSD_ITEMS = (
    "into_bed",
    "tried_to_sleep",
    "minutes_to_sleep",
    "minutes_awake",
    "final_awakening",
    "out_of_bed",
)
CSD_UNITS: Mapping[str, str] = {
    "csd_sol": "min", "csd_waso": "min", "csd_tib": "min", "csd_tst": "min", "csd_twak": "min", "csd_se": "%",
}  # fmt: skip
CSD_NEEDS: Mapping[str, tuple[str, ...]] = {
    "csd_sol": ("minutes_to_sleep",),
    "csd_waso": ("minutes_awake",),
    "csd_tib": ("into_bed", "out_of_bed"),
    "csd_tst": ("tried_to_sleep", "minutes_to_sleep", "minutes_awake", "final_awakening"),
    "csd_twak": ("final_awakening", "out_of_bed"),
    "csd_se": CSD_ITEMS,
}
DAY = 1440.0
LONGEST_STEP = 16 * 60.0
SHORTEST_IN_BED, LONGEST_IN_BED = 2 * 60.0, 16 * 60.0

OUT_OF_ORDER = "the times of this night are out of order"
TIME_IN_BED = "time in bed is not between 2 and 16 hours"
TOO_MUCH_SLEEP = "the time asleep is below zero or longer than the time in bed"
NIGHT_PROBLEMS = (OUT_OF_ORDER, TIME_IN_BED, TOO_MUCH_SLEEP)


@dataclass(frozen=True, eq=False)
class Nights:
    """Sleep of many nights: one row per night, and what is wrong with it (``""``: nothing).

    Attributes
    ----------
    values
        ``csd_sol``, ``csd_waso``, ``csd_tib``, ``csd_tst``, ``csd_twak`` in minutes, ``csd_se`` in percent;
        NaN where an item is blank, and in every column of a night with a problem.
    problems
        Why a night was not derived.
    """

    values: pd.DataFrame
    problems: pd.Series[str]


def consensus_sleep(items: pd.DataFrame) -> Nights:
    """How long was the sleep that these clock times describe?

    The formulas are those of the Consensus Sleep Diary (Carney 2012, Sleep 35:287): sleep begins at
    item 2 + item 3; total sleep time runs from there to item 6, less item 5; time in bed is item 7 − item 1
    and is the denominator of sleep efficiency. Each time lies less than 24 hours after the one before it.

    Parameters
    ----------
    items
        One row per night with the columns `CSD_ITEMS`: clock times in minutes after midnight, lengths in
        minutes, NaN for blank.

    Returns
    -------
    Nights
        The derived outcomes. Times that jump by more than 16 hours, a time in bed outside 2 to 16 hours, or
        more sleep than time in bed make the night a problem: nothing is mended.
    """
    bed, tried, latency, awake, final, out = (items[name].to_numpy(dtype=float) for name in CSD_ITEMS)
    onset_of_day = np.mod(tried + latency, DAY)
    bed, tried, _, final, out = _unrolled(bed, tried, onset_of_day, final, out)
    in_bed = out - bed
    asleep = final - (tried + latency) - awake
    values = pd.DataFrame(
        {
            "csd_sol": latency,
            "csd_waso": awake,
            "csd_tib": in_bed,
            "csd_tst": asleep,
            "csd_twak": out - final,
            "csd_se": 100 * asleep / np.where(in_bed > 0, in_bed, np.nan),
        },
        index=items.index,
    )
    longest = _longest_step(bed, tried, tried + latency, final, out)
    problems = np.select(
        [
            longest > LONGEST_STEP,
            (in_bed < SHORTEST_IN_BED) | (in_bed > LONGEST_IN_BED),
            (asleep < 0) | (asleep > in_bed),
        ],
        [OUT_OF_ORDER, TIME_IN_BED, TOO_MUCH_SLEEP],
        default="",
    )
    values[problems != ""] = np.nan
    return Nights(values, pd.Series(problems, index=items.index, dtype="str"))


def _unrolled(*clocks: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Put each clock time less than 24 hours after the one before it; a blank one is stepped over."""
    unrolled: list[npt.NDArray[np.float64]] = []
    before = np.full(clocks[0].shape, np.nan)
    for clock in clocks:
        later = np.where(np.isnan(before), clock, before + np.mod(clock - before, DAY))
        unrolled.append(later)
        before = np.where(np.isnan(later), before, later)
    return unrolled


def _longest_step(*times: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    longest = np.zeros(times[0].shape)
    before = times[0]
    for time in times[1:]:
        step = time - before
        longest = np.fmax(longest, step)
        before = np.where(np.isnan(time), before, time)
    return longest


# ------------------------------------------------------------------ days beyond a level, flare days

# A flare is at least 2 diary days in a row, and 2 better days in a row end it; one missing day is stepped over.
LEAST_DAYS, FARTHEST = 2, 2
# Shares of the other outcome's scale; on a scale of 0 to 10 they are 2 and 5 points.
RISE, FLOOR = 0.2, 0.5


@dataclass(frozen=True, eq=False)
class Episodes:
    """Runs of bad days in N answered days of many series, listed series by series.

    Attributes
    ----------
    row, day : (N,)
        Series and calendar column of each answered day.
    inside : (N,)
        Whether the day lies in an episode.
    number : (N,)
        Which stretch of days without interruption it belongs to; an episode is the part of one that is `inside`.
    begun, ended : (N,)
        Whether that stretch's beginning and end were seen: a better day just before, and two of them just after.
    """

    row: npt.NDArray[np.intp]
    day: npt.NDArray[np.intp]
    inside: npt.NDArray[np.bool_]
    number: npt.NDArray[np.intp]
    begun: npt.NDArray[np.bool_]
    ended: npt.NDArray[np.bool_]


def episodes(
    bad: npt.NDArray[np.bool_], answered: npt.NDArray[np.bool_], least: int | npt.NDArray[np.int64] = LEAST_DAYS
) -> Episodes:
    """In which runs of days was it bad?

    An episode begins with `least` bad diary days in a row and lasts until its last bad day before two better diary
    days in a row, or before more than one missing day; a single better day or a single missing day does not end it.

    Parameters
    ----------
    bad, answered : (S, D)
        Whether a day was bad, and whether it was answered.
    least
        Bad days in a row that begin an episode, 2 or 1; one number, or (S,). It is 1 for days that the person
        marked: each is a flare already.
    """
    row, day = np.nonzero(answered)
    is_bad = bad[row, day]
    joined = np.zeros(row.size, bool)
    joined[1:] = (np.diff(row) == 0) & (np.diff(day) <= FARTHEST)
    alone = np.broadcast_to(least, len(bad))[row] == 1
    core = is_bad & (alone | _paired(is_bad, joined))
    calm = _paired(~is_bad, joined)
    opens = ~joined | calm
    opens[1:] |= calm[:-1]
    number = np.cumsum(opens) - 1
    position, count = np.arange(row.size), int(opens.sum())
    first, last = np.full(count, row.size), np.full(count, -1)
    np.minimum.at(first, number[core], position[core])
    np.maximum.at(last, number[is_bad], position[is_bad])
    inside = (position >= first[number]) & (position <= last[number])
    held = first < row.size
    begun, ended = np.zeros(count, bool), np.zeros(count, bool)
    begun[held] = joined[first[held]]
    ended[held] = np.append(joined & calm, False)[last[held] + 1]
    return Episodes(row, day, inside, number, begun[number], ended[number])


def _paired(state: npt.NDArray[np.bool_], joined: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which answered days share the state with the answered day just before or just after them?"""
    with_last = joined.copy()
    with_last[1:] &= state[1:] & state[:-1]
    return np.asarray(with_last | np.append(with_last, False)[1:])


def flare_level(
    derived: Derived, of: Outcome, values: npt.NDArray[np.float64], baseline: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """From which level on is a day a bad one: the baseline median and `rise`, but at least `floor`?

    Parameters
    ----------
    derived
        How flares are computed.
    of
        The outcome they are computed from; where higher is better the level is one to fall to.
    values, baseline : (P, D)
        Its daily values for each person, and which days are baseline days before treatment: no other day has a say.

    Returns
    -------
    numpy.ndarray
        (P,) in the unit of `of`; NaN without an answered baseline day.
    """
    held = np.where(baseline, values, np.nan)
    known = np.isfinite(held).any(axis=1)
    usual = np.full(len(values), np.nan)
    usual[known] = np.nanmedian(held[known], axis=1)
    low, high = (end if end is not None else np.nan for end in (of.low, of.high))
    rise = RISE * (high - low) if derived.rise is None else derived.rise
    floor = (1 - FLOOR) * low + FLOOR * high if derived.floor is None else derived.floor
    worse = -of.sign
    return np.asarray(worse * np.maximum(worse * usual + rise, worse * floor))


def with_derived(
    outcomes: Sequence[Outcome], values: npt.NDArray[np.float64], baseline: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Which days are a yes, for outcomes that are computed from the daily values of another?

    Parameters
    ----------
    outcomes
        What everybody was asked.
    values : (P, O, D)
        Daily values of each person; rows of computed outcomes are filled in a copy.
    baseline : (P, D)
        Baseline days before treatment, the only ones that set the level of a flare.

    Returns
    -------
    numpy.ndarray
        (P, O, D); 1 for a yes, 0 for a no, NaN where the other outcome was not answered or no level can be set.
    """
    filled, names = values.copy(), [outcome.name for outcome in outcomes]
    for row, outcome in enumerate(outcomes):
        if outcome.derived is not None and outcome.derived.of in names:
            source = names.index(outcome.derived.of)
            filled[:, row] = _yes_days(outcome.derived, outcomes[source], values[:, source], baseline)
    return filled


def _yes_days(
    derived: Derived, of: Outcome, values: npt.NDArray[np.float64], baseline: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    answered = np.isfinite(values)
    if derived.how != "flare_days":
        level = np.nan if derived.level is None else derived.level
        yes = values >= level if derived.how == "days_at_or_above" else values <= level
        return np.where(answered, yes, np.nan)
    from_level = flare_level(derived, of, values, baseline)[:, None]
    found = episodes(-of.sign * values >= -of.sign * from_level, answered)
    flare = np.zeros(values.shape)
    flare[found.row[found.inside], found.day[found.inside]] = 1.0
    return np.where(answered & np.isfinite(from_level), flare, np.nan)
