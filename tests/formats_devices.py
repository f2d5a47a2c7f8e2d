"""Sleep as devices export it, written from the documented structure with a known truth."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

FITBIT_TITLES = ("Start Time", "End Time", "Minutes Asleep", "Minutes Awake", "Number of Awakenings", "Time in Bed",
                 "Minutes REM Sleep", "Minutes Light Sleep", "Minutes Deep Sleep")  # fmt: skip
ANDROID_TITLES = ("Id", "Tz", "From", "To", "Sched", "Hours", "Rating", "Comment", "Framerate", "Snore", "Noise",
                  "Cycles", "DeepSleep", "LenAdjust", "Geo")  # fmt: skip


@dataclass(frozen=True)
class Sleep:
    """One sleep as it was, in whole minutes by the local clock."""

    start: dt.datetime
    deep: int
    light: int
    rem: int
    awake: int

    @property
    def asleep(self) -> int:
        return self.deep + self.light + self.rem

    @property
    def lasted(self) -> int:
        return self.asleep + self.awake

    @property
    def end(self) -> dt.datetime:
        return self.start + dt.timedelta(minutes=self.lasted)


def nights(count: int, seed: int, first: dt.date = dt.date(2026, 1, 5)) -> dict[dt.date, Sleep]:
    """Nights by their morning, of a person who goes to bed between 21:00 and 2:00."""
    chance = np.random.default_rng(seed)
    found = {}
    for number in range(count):
        morning = first + dt.timedelta(days=number)
        evening = dt.datetime.combine(morning, dt.time()) - dt.timedelta(hours=3)
        deep, light, rem, awake = (int(chance.integers(*of)) for of in ((30, 90), (150, 300), (40, 110), (5, 60)))
        found[morning] = Sleep(evening + dt.timedelta(minutes=int(chance.integers(0, 301))), deep, light, rem, awake)
    return found


def nap(morning: dt.date) -> Sleep:
    return Sleep(dt.datetime.combine(morning, dt.time(15, 10)), 5, 30, 0, 5)


def fitbit_row(sleep: Sleep, written: str = "%Y-%m-%d", **instead: str) -> dict[str, str]:
    def moment(at: dt.datetime) -> str:
        return f"{at.strftime(written)} {at.strftime('%I:%M%p').removeprefix('0')}"

    told = (moment(sleep.start), moment(sleep.end), str(sleep.asleep), str(sleep.awake), "3", str(sleep.lasted),
            str(sleep.rem), str(sleep.light), str(sleep.deep))  # fmt: skip
    return dict(zip(FITBIT_TITLES, told, strict=True)) | instead


def fitbit_csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    out.write("Sleep\n" + ",".join(FITBIT_TITLES) + "\n")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([list(row.values()) for row in rows])
    return out.getvalue().encode()


def garmin_record(morning: dt.date, sleep: Sleep, zone: ZoneInfo, **instead: object) -> dict[str, object]:
    def gmt(at: dt.datetime) -> str:
        return at.replace(tzinfo=zone).astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.0")

    return {
        "sleepStartTimestampGMT": gmt(sleep.start),
        "sleepEndTimestampGMT": gmt(sleep.end),
        "calendarDate": str(morning),
        "sleepWindowConfirmationType": "ENHANCED_CONFIRMED_FINAL",
        "deepSleepSeconds": 60 * sleep.deep,
        "lightSleepSeconds": 60 * sleep.light,
        "remSleepSeconds": 60 * sleep.rem,
        "awakeSleepSeconds": 60 * sleep.awake,
        "unmeasurableSeconds": 0,
        "spo2SleepSummary": {"averageSPO2": 95.0},
    } | instead


def garmin(records: list[dict[str, object]]) -> bytes:
    return json.dumps(records).encode()


def android_record(sleep: Sleep, zone: str, **instead: str) -> str:
    """A record of three lines: its titles, with those of the movements in it, its values, and the noise."""
    tz = ZoneInfo(zone)
    start, end = sleep.start.replace(tzinfo=tz), sleep.start.replace(tzinfo=tz).astimezone(dt.UTC)
    end = (end + dt.timedelta(minutes=sleep.lasted)).astimezone(tz)
    told = dict.fromkeys(ANDROID_TITLES, "-1") | {
        "Id": str(int(start.timestamp()) * 1000),
        "Tz": zone,
        "From": start.strftime("%d. %m. %Y %H:%M"),
        "To": end.strftime("%d. %m. %Y %H:%M"),
        "Sched": end.strftime("%d. %m. %Y %H:%M"),
        "Hours": f"{sleep.lasted / 60:.6f}",
        "Comment": 'awake, said "hm" #home',
        "Geo": "",
    } | instead  # fmt: skip
    out = io.StringIO()
    out.write(",".join(ANDROID_TITLES) + ',"23:10","23:20","Event","Event"\n')
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    stamps = [f"{name}-{int(start.timestamp()) * 1000}" for name in ("LIGHT_START", "LIGHT_END")]
    writer.writerow([*told.values(), "0.5", "0.25", *stamps])
    writer.writerow([*[""] * len(ANDROID_TITLES), "0.01", "0.02"])
    return out.getvalue()


def android(records: list[str]) -> bytes:
    return "".join(records).encode()
