"""Sleep times of the Consensus Sleep Diary."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acu_nof1.derive import CSD_ITEMS, OUT_OF_ORDER, TIME_IN_BED, TOO_MUCH_SLEEP, consensus_sleep


def clock(text: str) -> float:
    hours, minutes = text.split(":")
    return 60.0 * int(hours) + int(minutes)


def night(bed, tried, latency, awake, final, out):
    return pd.DataFrame([[clock(bed), clock(tried), latency, awake, clock(final), clock(out)]], columns=CSD_ITEMS)


def test_carney_2012_worked_example():
    nights = consensus_sleep(night("22:45", "23:10", 30, 25, "06:35", "07:05"))
    row = nights.values.iloc[0]
    assert (row["csd_tib"], row["csd_tst"], row["csd_twak"]) == (500, 390, 30)
    assert row["csd_sol"] == 30
    assert row["csd_waso"] == 25
    assert row["csd_tst"] + row["csd_waso"] == 415  # sleep period time
    assert row["csd_se"] == pytest.approx(78.0)
    # With the time from trying to sleep (item 7 - item 2) below the line it would be 82.1.
    assert 100 * row["csd_tst"] / (clock("07:05") + 1440 - clock("23:10")) == pytest.approx(82.1, abs=0.05)
    assert nights.problems.iloc[0] == ""


def test_midnight_is_unrolled_wherever_it_falls():
    for bed, tried, final, out in [("23:50", "00:10", "06:00", "06:30"), ("00:20", "00:30", "06:40", "07:00")]:
        row = consensus_sleep(night(bed, tried, 20, 0, final, out)).values.iloc[0]
        assert row["csd_tib"] == 400
        assert row["csd_twak"] in (20, 30)


def test_night_shift_is_a_night():
    row = consensus_sleep(night("08:30", "08:45", 15, 10, "15:30", "15:45")).values.iloc[0]
    assert (row["csd_tib"], row["csd_tst"]) == (435, 380)


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        (("12:00", "12:10", 20, 0, "06:30", "07:00"), OUT_OF_ORDER),  # 12:00 for midnight
        (("10:30", "10:45", 20, 0, "06:30", "07:00"), OUT_OF_ORDER),  # no pm
        (("12:00", "23:00", 20, 0, "06:30", "07:00"), TIME_IN_BED),
        (("23:00", "22:30", 20, 0, "06:30", "07:00"), OUT_OF_ORDER),
        (("05:00", "05:10", 5, 0, "06:00", "06:30"), TIME_IN_BED),
        (("22:00", "22:10", 20, 500, "06:00", "06:30"), TOO_MUCH_SLEEP),
    ],
)
def test_impossible_night_is_not_derived(items, problem):
    nights = consensus_sleep(night(*items))
    assert nights.problems.iloc[0] == problem
    assert nights.values.isna().all(axis=None)


def test_blank_item_leaves_only_what_can_be_known():
    items = night("22:45", "23:10", 30, 25, "06:35", "07:05")
    items["minutes_awake"] = np.nan
    nights = consensus_sleep(items)
    row = nights.values.iloc[0]
    assert (row["csd_tib"], row["csd_sol"]) == (500, 30)
    assert row[["csd_tst", "csd_se", "csd_waso"]].isna().all()
    assert nights.problems.iloc[0] == ""


def test_many_nights_are_the_same_as_each_alone():
    items = pd.concat(
        [night("22:45", "23:10", 30, 25, "06:35", "07:05"), night("12:00", "12:10", 5, 0, "06:00", "07:00")]
    )
    together = consensus_sleep(items)
    assert together.values["csd_tst"].isna().tolist() == [False, True]


minutes = st.one_of(st.just(np.nan), st.floats(0, 1439))


@settings(deadline=None)
@given(st.lists(st.tuples(minutes, minutes, minutes, minutes, minutes, minutes), min_size=1, max_size=8))
def test_derived_sleep_is_always_possible(rows):
    nights = consensus_sleep(pd.DataFrame(rows, columns=CSD_ITEMS))
    in_bed, asleep = nights.values["csd_tib"].dropna(), nights.values.dropna(subset=["csd_tst", "csd_tib"])
    assert in_bed.between(120, 960).all()
    assert (asleep["csd_tst"] <= asleep["csd_tib"] + 1e-9).all()
    assert (asleep["csd_tst"] >= 0).all()
    assert nights.values[(nights.problems != "").to_numpy()].isna().all(axis=None)
