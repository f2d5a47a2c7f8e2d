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
            records.append({"type": "long_sleep", "bedtime_start": f"{morning - dt.timedelta(days=1)}T22:40:00-08:00", "bedtime_end": f"{morning}T23:30:00-08:00",
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


@pytest.mark.parametrize("key", ["dateOfSleep", "minutesAsleep", "timeInBed"])
@pytest.mark.parametrize("value", [None, "", "x", [], {}, -5, 1e9, True, "\u0000", "2026-13-45"])
def test_odd_values_are_blank_or_complained_of(tmp_path, key, value):
    record = {"dateOfSleep": "2026-01-05", "minutesAsleep": 400, "timeInBed": 450, "isMainSleep": True}
    (tmp_path / "sleep.json").write_text(
        json.dumps([record, {**record, "dateOfSleep": "2026-01-06", key: value}]), encoding="utf-8"
    )
    try:
        read = acu.read_diary(tmp_path / "sleep.json", outcomes=ASKED)
    except AcuError as error:
        assert error.problems  # noqa: PT017 - either is right, a traceback is not
    else:
        assert read.values["csd_tst"].iloc[0] == 400
        assert read.counts.read == 6
