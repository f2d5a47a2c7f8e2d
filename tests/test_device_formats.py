"""Fitbit's CSV, Garmin and Sleep as Android: what was slept comes back, and no bytes at all give a traceback."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from formats_devices import (
    Sleep,
    android,
    android_record,
    fitbit_csv,
    fitbit_row,
    garmin,
    garmin_record,
    nap,
    nights,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1.errors import AcuError, UnreadableFileError
from acu_nof1.load import propose, read_diary
from acu_nof1.load.device_nights import NAP, NIGHT_MEASURES, NO_LENGTH, TOO_LONG, local_offset
from acu_nof1.load.formats.garmin import TWICE
from acu_nof1.load.formats.sleep_as_android import NO_TIME, NO_ZONE
from acu_nof1.load.night_parts import OVERLAPS
from acu_nof1.outcomes import OUTCOMES

ASKED = [OUTCOMES[name] for name in NIGHT_MEASURES]
DAY = dt.date(2026, 3, 2)
NIGHT = Sleep(dt.datetime(2026, 3, 1, 23, 12), 60, 240, 80, 40)
HONOLULU, ROME = ZoneInfo("Pacific/Honolulu"), ZoneInfo("Europe/Rome")


def read(folder, data, name="sleep.csv", **how):
    path = folder / name
    path.write_bytes(data)
    return read_diary(path, outcomes=how.pop("outcomes", ASKED), **how)


def left_out(diary):
    return dict(zip(diary.ignored["reason"], diary.ignored["records"], strict=True))


def told(diary, day=DAY):
    """What is known of this night."""
    return {name: value for name, value in diary.values.loc[str(day)].items() if value == value}


def said(diary):
    return " ".join(problem.problem for problem in diary.problems)


def fitbit_truth(sleep):
    return {"csd_tst": sleep.asleep, "csd_tib": sleep.lasted, "csd_se": 100 * sleep.asleep / sleep.lasted}


def shifted(sleep, **by):
    return replace(sleep, start=sleep.start + dt.timedelta(**by))


# --------------------------------------------------------------------------------------------------- round trip


def as_fitbit(slept):
    rows = [fitbit_row(sleep) for sleep in slept.values()] + [fitbit_row(nap(day)) for day in slept]
    return fitbit_csv(rows[::-1]), "sleep.csv"


def as_garmin(slept):
    return garmin([garmin_record(day, sleep, HONOLULU) for day, sleep in slept.items()]), "sleepData.json"


def as_android(slept):
    naps = [android_record(nap(day), "Pacific/Honolulu") for day in slept]
    return android([android_record(sleep, "Pacific/Honolulu") for sleep in slept.values()] + naps), "sleep-export.csv"


@pytest.mark.parametrize(
    ("write", "title", "truth", "naps"),
    [
        (as_fitbit, "Fitbit sleep table", fitbit_truth, 50),
        (as_garmin, "Garmin sleep data", lambda sleep: {"csd_tst": sleep.asleep, "csd_waso": sleep.awake}, 0),
        (as_android, "Sleep as Android export", lambda sleep: {"csd_tib": sleep.lasted}, 50),
    ],
)
def test_nights_come_back_by_their_morning_and_naps_are_counted(tmp_path, write, title, truth, naps):
    """50 nights in Honolulu, ten hours behind GMT: nothing but what the device knows, in minutes, without a mapping."""
    slept = nights(50, seed=5)
    data, name = write(slept)
    asked = [OUTCOMES[outcome] for outcome in truth(nap(DAY))]
    diary = read(tmp_path, data, name, outcomes=asked)
    assert [day.date() for day in diary.values.index] == list(slept)
    for day, sleep in slept.items():
        assert told(diary, day) == pytest.approx(truth(sleep))
    assert left_out(diary) == ({NAP: naps} if naps else {})
    assert not [problem for problem in diary.problems if problem.severity != "note"]
    assert f"read as {title}" in said(diary)
    assert "csd_" in propose(tmp_path / name).command


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    begins=st.integers(21 * 60, 26 * 60),
    deep=st.integers(0, 150),
    light=st.integers(60, 400),
    rem=st.integers(0, 150),
    awake=st.integers(0, 200),
)
def test_any_night_keeps_its_minutes(tmp_path, begins, deep, light, rem, awake):
    start = dt.datetime.combine(DAY - dt.timedelta(days=1), dt.time()) + dt.timedelta(minutes=begins)
    sleep = Sleep(start, deep, light, rem, awake)
    if sleep.end.date() == DAY and sleep.lasted >= 120:
        assert told(read(tmp_path, fitbit_csv([fitbit_row(sleep)]))) == pytest.approx(fitbit_truth(sleep))
        assert told(read(tmp_path, garmin([garmin_record(DAY, sleep, ROME)]), "g.json"))["csd_tst"] == sleep.asleep
        tracked = told(read(tmp_path, android([android_record(sleep, "Europe/Rome")])))
        assert tracked == pytest.approx({"csd_tib": sleep.lasted}, abs=1e-4)


# --------------------------------------------------------------------------------------- Fitbit's table


def test_a_night_that_was_broken_off_is_one_night(tmp_path):
    """23:12 to 6:12, and after 100 minutes out of bed at 2:00: both parts, and the time between in bed alone."""
    first = Sleep(dt.datetime(2026, 3, 1, 23, 0), 30, 100, 40, 10)  # to 2:00
    second = Sleep(dt.datetime(2026, 3, 2, 3, 40), 30, 60, 20, 20)  # to 5:50
    diary = read(tmp_path, fitbit_csv([fitbit_row(second), fitbit_row(first)]))
    assert told(diary) == pytest.approx({"csd_tst": 280, "csd_tib": 410, "csd_se": 100 * 280 / 410})
    assert "2 of one night with others" in said(diary)
    assert not left_out(diary)
    assert len(diary.values) == 1


def test_a_part_that_is_not_known_leaves_the_night_not_known(tmp_path):
    first = Sleep(dt.datetime(2026, 3, 1, 23, 0), 30, 100, 40, 10)
    second = fitbit_row(Sleep(dt.datetime(2026, 3, 2, 2, 30), 30, 60, 20, 20), **{"Minutes Asleep": "N/A"})
    assert told(read(tmp_path, fitbit_csv([fitbit_row(first), second]))) == {"csd_tib": 340}


def test_the_same_night_twice_is_not_slept_twice(tmp_path):
    longer = replace(NIGHT, light=NIGHT.light + 20)
    diary = read(tmp_path, fitbit_csv([fitbit_row(NIGHT), fitbit_row(longer), fitbit_row(longer)]))
    assert told(diary) == pytest.approx(fitbit_truth(longer))
    assert left_out(diary) == {OVERLAPS: 2}


def test_dirt_in_a_table_is_blank_or_said(tmp_path):
    rows = [
        fitbit_row(NIGHT),
        fitbit_row(shifted(NIGHT, days=1), **{"Minutes Asleep": "N/A", "Minutes REM Sleep": "N/A"}),
        fitbit_row(shifted(NIGHT, days=2), **{"Minutes Asleep": "lots"}),
        fitbit_row(shifted(NIGHT, days=3), **{"End Time": "soon"}),
        fitbit_row(shifted(NIGHT, days=4), **{"Start Time": "2026-13-45 11:12PM"}),
        fitbit_row(shifted(NIGHT, days=5), **{"End Time": fitbit_row(shifted(NIGHT, days=5))["Start Time"]}),
        fitbit_row(shifted(NIGHT, days=6), **{"Time in Bed": "1,021"}),
        fitbit_row(Sleep(NIGHT.start + dt.timedelta(days=7), 60, 900, 30, 30)),
    ]
    diary = read(tmp_path, fitbit_csv(rows))
    day = [DAY + dt.timedelta(days=number) for number in range(8)]
    assert told(diary, day[1]) == {"csd_tib": NIGHT.lasted}
    assert told(diary, day[2]) == {"csd_tib": NIGHT.lasted}
    assert told(diary, day[4]) == pytest.approx(fitbit_truth(NIGHT))  # its end is a date
    assert left_out(diary) == {NO_LENGTH: 1, TOO_LONG: 1}
    assert "lots" in said(diary)
    assert "soon" in said(diary)
    assert told(diary, day[6])["csd_tib"] == 1021
    assert not told(diary, day[3])


def test_a_date_in_two_orders_is_asked_about(tmp_path):
    data = fitbit_csv([fitbit_row(shifted(NIGHT, days=number), "%d-%m-%Y") for number in range(3)])
    assert "day and month cannot be told apart" in said(read(tmp_path, data))
    assert told(read(tmp_path, data, dayfirst=True)) == pytest.approx(fitbit_truth(NIGHT))
    assert left_out(read(tmp_path, data, dayfirst=False)) == {TOO_LONG: 3}  # from 3 January to 3 February
    assert told(read(tmp_path, data, date_format="%d-%m-%Y")) == pytest.approx(fitbit_truth(NIGHT))


# ------------------------------------------------------------------------------------------------------- Garmin


def test_the_local_end_of_a_night_gives_its_morning_and_gmt_never_does(tmp_path):
    """Honolulu: 23:12 to 6:12 is 9:12 to 16:12 GMT; the end of a sleep at 15:00 there is the next day in GMT."""
    late = Sleep(dt.datetime(2026, 3, 2, 8, 0), 60, 300, 60, 0)
    assert list(read(tmp_path, garmin([garmin_record(DAY, late, HONOLULU)]), "g.json").values.index.strftime("%d")) == ["02"]  # fmt: skip
    stamp = int(late.end.replace(tzinfo=dt.UTC).timestamp() * 1000)
    record = garmin_record(DAY - dt.timedelta(days=1), late, HONOLULU, sleepEndTimestampLocal=stamp)
    assert told(read(tmp_path, garmin([record]), "g.json"))["csd_tst"] == 420


def test_the_answer_for_one_day_is_read_too(tmp_path):
    start = int(NIGHT.start.replace(tzinfo=ROME).timestamp() * 1000)
    record = garmin_record(DAY, NIGHT, ROME, sleepTimeSeconds=60 * NIGHT.asleep, sleepStartTimestampGMT=start)
    day = {"dailySleepDTO": record, "sleepMovement": [{"activityLevel": 1}], "sleepLevels": [{"activityLevel": 0}]}
    for value in (day, [day]):
        diary = read(tmp_path, json.dumps(value).encode(), "g.json")
        assert told(diary) == {"csd_tst": NIGHT.asleep, "csd_waso": NIGHT.awake}


@pytest.mark.parametrize(
    ("instead", "asleep"),
    [
        ({"remSleepSeconds": None}, None),
        ({"remSleepSeconds": None, "lightSleepSeconds": 60 * (NIGHT.light + NIGHT.rem)}, NIGHT.asleep),
        ({"unmeasurableSeconds": 600}, None),
        ({"unmeasurableSeconds": 600, "sleepTimeSeconds": 21000}, 350),
        ({"deepSleepSeconds": "x"}, None),
    ],
)
def test_time_asleep_is_known_only_where_all_of_it_is_told(tmp_path, instead, asleep):
    """A watch without REM sleep counts it as light: then the stages fill the night."""
    diary = read(tmp_path, garmin([garmin_record(DAY, NIGHT, ROME, **instead)]), "g.json")
    assert told(diary).get("csd_tst") == asleep
    assert told(diary)["csd_waso"] == NIGHT.awake
    assert ("time asleep is not told in 1 record" in said(diary)) == (asleep is None)


def test_of_several_records_of_a_morning_the_longest_is_read(tmp_path):
    shorter = replace(NIGHT, light=100)
    empty = garmin_record(DAY, NIGHT, ROME, sleepStartTimestampGMT=None, sleepEndTimestampGMT=None)
    records = [garmin_record(DAY, shorter, ROME), garmin_record(DAY, NIGHT, ROME), empty]
    diary = read(tmp_path, garmin(records), "g.json")
    assert told(diary)["csd_tst"] == NIGHT.asleep
    assert left_out(diary) == {TWICE: 2}


@pytest.mark.parametrize(
    "key", ["calendarDate", "sleepStartTimestampGMT", "sleepEndTimestampLocal", "awakeSleepSeconds"]
)
@pytest.mark.parametrize("value", [None, "", "x", [], {}, -5, 1e999, True, "\u0000", "2026-13-45", 999999999999999, "9" * 400])  # fmt: skip
def test_odd_values_of_a_record_are_blank_or_complained_of(tmp_path, key, value):
    odd = garmin_record(DAY + dt.timedelta(days=1), shifted(NIGHT, days=1), ROME, **{key: value})
    diary = read(tmp_path, garmin([garmin_record(DAY, NIGHT, ROME), odd]), "g.json")
    assert told(diary)["csd_tst"] == NIGHT.asleep
    assert diary.counts.read + diary.counts.ignored >= 4


# --------------------------------------------------------------------------------------------- Sleep as Android


@pytest.mark.parametrize(("day", "slept"), [(dt.date(2026, 3, 29), 420), (dt.date(2026, 10, 25), 540)])
def test_a_night_of_the_change_of_clocks_has_its_real_length(tmp_path, day, slept):
    """From 23:00 to 7:00 in Rome is 7 hours when summer time begins and 9 when it ends."""
    start = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(23))
    record = android_record(Sleep(start, 0, slept, 0, 0), "Europe/Rome")
    assert '07:00"' in record
    assert told(read(tmp_path, android([record])), day) == {"csd_tib": slept}


def test_every_record_of_the_app_is_in_a_night_or_counted(tmp_path):
    records = [
        android_record(NIGHT, "Europe/Rome"),
        android_record(shifted(NIGHT, days=1), "Europe/Rome", Hours="7,0"),
        android_record(shifted(NIGHT, days=2), "Europe/Rome", Tz="Mars/Olympus"),
        android_record(shifted(NIGHT, days=3), "Europe/Rome", Tz="", From="3/5/26 11:12 PM"),
        android_record(shifted(NIGHT, days=4), "Europe/Rome", Hours="-1"),
        android_record(shifted(NIGHT, days=5), "Europe/Rome", Id="-1"),
        android_record(shifted(NIGHT, days=6), "Europe/Rome", Hours="0.0"),
        android_record(nap(DAY), "Europe/Rome"),
    ]
    diary = read(tmp_path, android(records))
    assert diary.values["csd_tib"].tolist() == [420, 420, 420]  # the third by its local beginning
    assert left_out(diary) == {NO_ZONE: 1, NO_TIME: 2, NO_LENGTH: 1, NAP: 1}


def test_the_offset_of_a_zone_is_that_of_the_moment():
    assert local_offset("Europe/Rome", dt.datetime(2026, 1, 5, tzinfo=dt.UTC).timestamp() / 60) == 60
    assert local_offset("Europe/Rome", dt.datetime(2026, 7, 5, tzinfo=dt.UTC).timestamp() / 60) == 120
    assert [local_offset(zone, 0) for zone in ("Mars/Olympus", "../../etc/passwd", "", "x" * 5000)] == [None] * 4
    assert local_offset("Europe/Rome", 1e15) is None


# -------------------------------------------------------------------------------------------------------- fuzzing


@pytest.mark.parametrize("write", [as_fitbit, as_garmin, as_android])
def test_damaged_bytes_never_give_a_traceback(tmp_path, write):
    data, name = write(nights(4, seed=2))
    chance = np.random.default_rng(11)
    complaints = 0
    for _ in range(40):
        damaged = bytearray(data)
        for at in chance.integers(0, len(data), int(chance.integers(1, 30))):
            damaged[at] = int(chance.choice([0, 10, 34, 44, 45, 48, 57, 92, 123, 255, int(chance.integers(0, 256))]))
        cut = bytes(damaged[: int(chance.integers(1, len(data) + 1))])
        try:
            read(tmp_path, cut, name)
        except AcuError as error:
            complaints += 1
            assert error.problems  # noqa: PT017 - either is right, a traceback is not
    assert complaints


def test_what_a_device_does_not_know_is_asked_for_and_not_made_up(tmp_path):
    diary = read(tmp_path, garmin([garmin_record(DAY, NIGHT, ROME)]), "g.json")
    assert "no column was found for csd_tib" in said(diary)
    assert "Garmin tells when sleep began and ended, not the time in bed" in said(diary)


def test_a_file_without_a_night_says_what_it_holds(tmp_path):
    with pytest.raises(UnreadableFileError, match="no night"):
        read(tmp_path, android([android_record(nap(DAY), "Europe/Rome")]))
    with pytest.raises(UnreadableFileError, match="calendarDate"):
        read(tmp_path, json.dumps([{"sleepStartTimestampGMT": 1, "x": {"calendarDate": 2}}]).encode(), "g.json")


def test_another_table_declared_as_fitbits_is_refused_in_words(tmp_path):
    (tmp_path / "diary.csv").write_text("Start Time,Minutes Asleep\n2026-01-05 11:00PM,400\n")
    with pytest.raises(acu.AcuError, match="has a column End Time and a column Time in Bed, this has not"):
        acu.read_diary(tmp_path / "diary.csv", outcomes=[acu.OUTCOMES["csd_tst"]], layout="fitbit_csv")
