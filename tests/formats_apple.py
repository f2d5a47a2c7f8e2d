"""Exports of Apple Health, written from the documented structure with a known truth."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONDON = ZoneInfo("Europe/London")
WATCH, PHONE, APP = "Ada’s Apple\xa0Watch", "Ada’s iPhone", "Snooze"
SLEEP = "HKCategoryTypeIdentifierSleepAnalysis"

DOCTYPE = """<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry)*)>
<!ATTLIST Record
  type CDATA #REQUIRED
  value CDATA #IMPLIED
  sourceName CDATA #REQUIRED
  startDate CDATA #REQUIRED
  endDate CDATA #REQUIRED
>
]>
"""


def written(moment: dt.datetime, zone: dt.tzinfo = LONDON) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %z")


def record(
    value: str,
    start: dt.datetime,
    end: dt.datetime,
    source: str = WATCH,
    *,
    zone: dt.tzinfo = LONDON,
    slept_in: str = "",
    kind: str = SLEEP,
) -> str:
    """One record; `zone` is the phone's at the time of the export, `slept_in` what the record itself names."""
    told = f"HKCategoryValueSleepAnalysis{value}" if kind == SLEEP else value
    head = (
        f' <Record type={quoteattr(kind)} sourceName={quoteattr(source)} sourceVersion="9.1" '
        f"creationDate={quoteattr(written(end, zone))} startDate={quoteattr(written(start, zone))} "
        f"endDate={quoteattr(written(end, zone))} value={quoteattr(told)}"
    )
    if not slept_in:
        return f"{head}/>\n"
    return f'{head}>\n  <MetadataEntry key="HKTimeZone" value={quoteattr(slept_in)}/>\n </Record>\n'


def export(records: Iterable[str], doctype: str = DOCTYPE) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'{doctype}<HealthData locale="en_GB">\n <ExportDate value="2026-04-01 09:00:00 +0100"/>\n'
        f"{''.join(records)}</HealthData>\n"
    ).encode()


def zipped(xml: bytes, name: str = "apple_health_export/export.xml", **more: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, xml)
        archive.writestr("apple_health_export/export_cda.xml", '<?xml version="1.0"?>\n<ClinicalDocument/>')
        for other, content in more.items():
            archive.writestr(other, content)
    return stream.getvalue()


@dataclass(frozen=True)
class Night:
    """What really was, in minutes: bed time, and then how long each part lasted."""

    into_bed: dt.datetime
    latency: float
    parts: Sequence[tuple[str, float]]  # sleep stages and wakefulness in turn
    before_rising: float

    @property
    def truth(self) -> dict[str, float]:
        asleep = sum(length for stage, length in self.parts if stage != "Awake")
        awake = sum(length for stage, length in self.parts if stage == "Awake")
        in_bed = self.latency + asleep + awake + self.before_rising
        return {
            "csd_tst": asleep,
            "csd_waso": awake,
            "csd_tib": in_bed,
            "csd_sol": self.latency,
            "csd_twak": self.before_rising,
            "csd_se": 100 * asleep / in_bed,
        }

    @property
    def rises(self) -> dt.datetime:
        return self.into_bed + dt.timedelta(minutes=self.truth["csd_tib"])

    def intervals(self) -> list[tuple[str, dt.datetime, dt.datetime]]:
        at = self.into_bed + dt.timedelta(minutes=self.latency)
        found = []
        for stage, length in self.parts:
            found.append((stage, at, at + dt.timedelta(minutes=length)))
            at = found[-1][2]
        return found

    def records(self, **how: object) -> list[str]:
        """Stages by the watch, time in bed by the phone."""
        stages = [record(stage, start, end, **how) for stage, start, end in self.intervals()]  # type: ignore[arg-type]
        return [record("InBed", self.into_bed, self.rises, PHONE, **how), *stages]  # type: ignore[arg-type]


def at_local(day: dt.date, hour: int, minute: int, zone: dt.tzinfo = LONDON) -> dt.datetime:
    """An evening of the day before the morning `day`, or a time of the morning itself; aware, in UTC."""
    date = day - dt.timedelta(days=1) if hour >= 12 else day
    return dt.datetime.combine(date, dt.time(hour, minute), zone).astimezone(dt.UTC)


def nights(seed: int, first: dt.date, count: int, zone: dt.tzinfo = LONDON) -> dict[dt.date, Night]:
    """Nights of a person who goes to bed between 21:00 and 02:00."""
    chance = np.random.default_rng(seed)
    found = {}
    for index in range(count):
        day = first + dt.timedelta(days=index)
        late = int(chance.integers(0, 301))
        hour, minute = divmod(21 * 60 + late, 60)
        stages = [("AsleepCore", "AsleepDeep", "AsleepREM")[i] for i in chance.integers(0, 3, 8)]
        parts = []
        for stage in stages:
            parts.append((stage, float(chance.integers(20, 70))))
            if chance.random() < 0.4:
                parts.append(("Awake", float(chance.integers(1, 55))))
        parts.append(("AsleepREM", float(chance.integers(5, 30))))
        found[day] = Night(
            at_local(day, hour % 24, minute, zone), float(chance.integers(1, 50)), parts, float(chance.integers(0, 40))
        )
    return found
