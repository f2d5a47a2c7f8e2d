"""Outcomes computed from others: sleep times of the Consensus Sleep Diary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

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
