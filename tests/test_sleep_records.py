"""Fitbit's and Oura's JSON, written from their documented fields with a known truth, read back."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest

import acu_nof1 as acu
from acu_nof1.errors import AcuError

ASKED = [acu.OUTCOMES[name] for name in ("csd_tst", "csd_tib", "csd_se")]
FIRST = dt.date(2026, 1, 5)


def truth(days=40, seed=3):
    rng = np.random.default_rng(seed)
    asleep = rng.integers(300, 500, days).astype(float)
    asleep[rng.random(days) < 0.2] = np.nan
    return asleep, asleep + 45


def fitbit(asleep, in_bed):
    records = []
    for day, (slept, lay) in enumerate(zip(asleep, in_bed, strict=True)):
        morning = FIRST + dt.timedelta(days=day)
        if slept == slept:
            records.append({"dateOfSleep": str(morning), "startTime": f"{morning - dt.timedelta(days=1)}T23:10:30.000", "duration": int(lay) * 60_000,
                            "minutesAsleep": int(slept), "timeInBed": int(lay), "efficiency": 97, "isMainSleep": True, "levels": {"data": [{"level": "rem"}]}})  # fmt: skip
        if day % 7 == 0:
            records.append({"dateOfSleep": str(morning), "minutesAsleep": 40, "timeInBed": 50, "isMainSleep": False})
    return json.dumps({"sleep": records, "summary": {"totalMinutesAsleep": 1}})


def oura(asleep, in_bed):
    records = []
    for day, (slept, lay) in enumerate(zip(asleep, in_bed, strict=True)):
        morning = FIRST + dt.timedelta(days=day)
        if slept == slept:
            records.append({"type": "long_sleep", "bedtime_start": f"{morning}T15:40:00-08:00", "bedtime_end": f"{morning}T23:30:00-08:00",
                            "total_sleep_duration": int(slept) * 60, "time_in_bed": int(lay) * 60, "latency": 90, "efficiency": 91, "sleep_phase_5_min": "4423"})  # fmt: skip
        if day % 7 == 0:
            records.append(
                {
                    "type": "late_nap",
                    "bedtime_start": f"{morning}T15:00:00-08:00",
                    "bedtime_end": f"{morning}T16:00:00-08:00",
                    "total_sleep_duration": 2400,
                }
            )
    return json.dumps({"data": records, "next_token": None})


@pytest.mark.parametrize(("write", "said"), [(fitbit, "Fitbit sleep log"), (oura, "Oura sleep periods")])
def test_nights_come_back_by_their_morning_and_naps_are_counted(tmp_path, write, said):
    asleep, in_bed = truth()
    path = tmp_path / "sleep.json"
    path.write_text(write(asleep, in_bed), encoding="utf-8")
    read = acu.read_diary(path, outcomes=ASKED)
    kept = np.flatnonzero(asleep == asleep)
    first, last = kept[[0, -1]]
    assert read.values.index[0].date() == FIRST + dt.timedelta(days=int(first))
    np.testing.assert_allclose(read.values["csd_tst"], asleep[first : last + 1], atol=1e-9)
    np.testing.assert_allclose(read.values["csd_tib"], in_bed[first : last + 1], atol=1e-9)
    np.testing.assert_allclose(read.values["csd_se"], (100 * asleep / in_bed)[first : last + 1], atol=1e-6)
    assert read.ignored["records"].tolist() == [6]
    assert read.counts.read == 3 * len(kept)
    assert any(f"read as {said}" in each.problem for each in read.problems)
    assert "csd_tst" in acu.propose(path).command


def test_seconds_become_minutes_in_the_ledger(tmp_path):
    (tmp_path / "oura.json").write_text(oura(np.array([400.0]), np.array([450.0])), encoding="utf-8")
    read = acu.read_diary(tmp_path / "oura.json", outcomes=[acu.OUTCOMES["csd_sol"]])
    assert read.values["csd_sol"].tolist() == [1.5]
    assert read.ledger["raw"].tolist() == ["90"]


def test_the_two_halves_of_a_night_are_one_night(tmp_path):
    """From 23:00 to 1:00, and from 2:30 to 6:30 on a clock that went back an hour between: 150 minutes apart."""
    halves = [("2026-10-24T23:00:00+02:00", "2026-10-25T01:00:00+02:00"), ("2026-10-25T02:30:00.000+01:00", "2026-10-25T06:30:00+01:00")]  # fmt: skip
    records = [
        {"type": "long_sleep", "bedtime_start": start, "bedtime_end": end, "total_sleep_duration": slept, "time_in_bed": lay, "latency": 60}
        for (start, end), slept, lay in zip(halves, (6600, 12000), (7200, 14400), strict=True)
    ]  # fmt: skip
    (tmp_path / "oura.json").write_text(json.dumps({"data": records[::-1]}), encoding="utf-8")
    read = acu.read_diary(tmp_path / "oura.json", outcomes=[*ASKED, acu.OUTCOMES["csd_sol"]])
    assert read.values.index.strftime("%Y-%m-%d").tolist() == ["2026-10-25"]
    slept, in_bed = 310, 120 + 150 + 240  # 1:00 summer time to 2:30 winter time is two and a half hours
    assert read.values[["csd_tst", "csd_tib", "csd_se"]].iloc[0].tolist() == pytest.approx([slept, in_bed, 100 * slept / in_bed])  # fmt: skip
    assert np.isnan(read.values["csd_sol"].iloc[0])


@pytest.mark.parametrize("key", ["dateOfSleep", "minutesAsleep", "timeInBed", "startTime", "endTime"])
@pytest.mark.parametrize("value", [None, "", "x", [], {}, -5, 1e9, True, "\u0000", "2026-13-45"])
def test_odd_values_are_blank_or_complained_of(tmp_path, key, value):
    first, second = (
        {"dateOfSleep": f"2026-01-{day + 1:02}", "minutesAsleep": 400, "timeInBed": 450, "isMainSleep": True,
         "startTime": f"2026-01-{day:02}T23:00:00.000", "endTime": f"2026-01-{day + 1:02}T06:30:00.000"}
        for day in (4, 5)
    )  # fmt: skip
    (tmp_path / "sleep.json").write_text(json.dumps([first, {**second, key: value}]), encoding="utf-8")
    try:
        read = acu.read_diary(tmp_path / "sleep.json", outcomes=ASKED)
    except AcuError as error:
        assert error.problems  # noqa: PT017 - either is right, a traceback is not
    else:
        assert read.values["csd_tst"].iloc[0] == 400
        assert read.counts.read == 6


def test_a_column_that_is_mapped_by_hand_keeps_the_unit_of_its_format(tmp_path):
    (tmp_path / "oura.json").write_text(oura(np.array([400.0]), np.array([450.0])), encoding="utf-8")
    read = acu.read_diary(tmp_path / "oura.json", outcomes=ASKED[:1], columns={"csd_tst": "total_sleep_duration"})
    assert read.values["csd_tst"].tolist() == [400]
