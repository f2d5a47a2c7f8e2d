"""Files as apps write them, made from a diary of which the truth is known.

The structures are those that the formats document; the sentences and numbers are made up here.
"""

from __future__ import annotations

import datetime as dt
import html
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

START = dt.date(2026, 1, 5)
LOINC = "http://loinc.org"
LA = ("LA6111-4", "LA6112-2", "LA6113-0", "LA6114-8", "LA6115-5", "LA10137-0",
      "LA10138-8", "LA10139-6", "LA10140-4", "LA10141-2", "LA13942-0")  # fmt: skip
MOODS = ("awful", "bad", "meh", "good", "rad")


def ratings(days: int = 60, seed: int = 5, high: int = 10, missing: float = 0.2) -> pd.Series:
    """Whole numbers from 0 to `high`, with gaps; both ends of the calendar are answered."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, high + 1, days).astype(float)
    values[1:-1][rng.random(days - 2) < missing] = np.nan
    return pd.Series(values, index=pd.date_range(START, periods=days, name="date"))


def written(path: Path, content: Any) -> Path:
    """Put JSON, lines of JSON (a tuple), text or bytes into a file."""
    if isinstance(content, tuple):
        content = "\n".join(json.dumps(each) for each in content)
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


# ----------------------------------------------------------------------------------------------------- FHIR


def observation(day: Any, number: int | None = None, *, code: str = "72514-3", **more: Any) -> dict[str, Any]:
    """One answer; `more` replaces whole elements, and ``None`` takes one out."""
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}], "text": "How strong is the pain?"},
        "subject": {"reference": "Patient/p1", "display": "Nobody Atall"},
        "effectiveDateTime": f"{day}T21:30:00-08:00",
    }
    if number is not None:
        made["valueInteger"] = number
    made |= more
    return {key: value for key, value in made.items() if value is not None}


def coding(code: str, system: str = LOINC, display: str = "") -> dict[str, Any]:
    return {"system": system, "code": code, "display": display}


def questionnaire(day: Any, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    made = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "http://example.org/Questionnaire/evening|1.0",
        "subject": {"reference": "Patient/p1"},
        "authored": f"{day}T21:30:00+01:00",
        "item": items,
    }
    return made | more


def bundle(resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    entries = [{"fullUrl": f"http://server/{i}", "resource": resource} for i, resource in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def as_integers(values: pd.Series) -> list[dict[str, Any]]:
    return [observation(day.date(), int(value)) for day, value in values.dropna().items()]


def as_quantities(values: pd.Series) -> list[dict[str, Any]]:
    unit = {"unit": "score", "system": "http://unitsofmeasure.org", "code": "{score}"}
    return [observation(day.date(), valueQuantity={"value": value, **unit}) for day, value in values.dropna().items()]


def as_codes(values: pd.Series) -> list[dict[str, Any]]:
    """The displays are all wrong: only the codes may count."""
    return [
        observation(day.date(), valueCodeableConcept={"coding": [coding(LA[int(value)], display=str(10 - int(value)))]})
        for day, value in values.dropna().items()
    ]


def as_questionnaires(values: pd.Series) -> list[dict[str, Any]]:
    """The question stands two groups deep."""
    return [
        questionnaire(
            day.date(),
            [{"linkId": "g", "item": [{"linkId": "g.1", "item": [{"linkId": "pain", "answer": [{"valueInteger": int(value)}]}]}]}],
        )
        for day, value in values.dropna().items()
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------- Trialist


def trialist(values: pd.Series, regimen: Sequence[str]) -> dict[str, Any]:
    data = [
        {
            "timestamp": f"{day.date()}T20:15:00.000-05:00",
            "regimen": label,
            "cycle": 1,
            "averagePainIntensity": "SKIPPED" if np.isnan(value) else int(value),
            "enjoymentOfLife": 3,
        }
        for (day, value), label in zip(values.items(), regimen, strict=True)
    ]
    metadata = {"regimen_a": ["Folk"], "regimen_b": ["Jazz"], "trial_start_date": str(START), "number_of_cycles": 2}
    return {"metadata": metadata, "data": data}


# ------------------------------------------------------------------------------------------- Migraine Buddy


@lru_cache
def _minutes(start: dt.datetime, minutes: int) -> tuple[dt.date, ...]:
    return tuple((start + dt.timedelta(minutes=minute)).date() for minute in range(minutes))


@dataclass(frozen=True)
class Attack:
    """What was written down of one attack."""

    start: dt.datetime
    minutes: int | None
    pain: str = "5"
    medication: str = ""

    def days(self) -> list[dt.date]:
        """The days it touched, minute by minute."""
        return sorted(set(_minutes(self.start, self.minutes or 1)))


def attacks(count: int = 25, seed: int = 3) -> list[Attack]:
    """Attacks of up to three days, some overlapping, in any order."""
    rng = np.random.default_rng(seed)
    begin = dt.datetime.combine(START, dt.time())
    return [
        Attack(
            begin + dt.timedelta(minutes=int(rng.integers(0, 70 * 1440))),
            int(rng.choice([30, 180, 360, 1440, 2000, 4320])),
            str(rng.integers(1, 11)),
            str(rng.choice(["", "No medication", "Sumatriptan"])),
        )
        for _ in range(count)
    ]


def migraine_buddy(
    log: Sequence[Attack], order: str = "%d/%m/%y", *, joined: bool = False, newest_first: bool = True, extra: str = ""
) -> str:
    """A report: its head, an overview, and the table with a title over two columns and rows of notes."""

    def cell(text: str) -> str:
        return f'<td style=";padding:0;font-family:&quot;Asap&quot;">{text}</td>'

    rows = []
    for number, attack in enumerate(sorted(log, key=lambda each: each.start, reverse=newest_first), 1):
        lasted = "" if attack.minutes is None else f"{attack.minutes // 60:02d}h {attack.minutes % 60:02d}m"
        began = f"<div><span> {attack.start.strftime(order + ' %H:%M')} </span><br>"
        place = "Location:<div> Out </div></div>"
        taken = f"<div><b>Helpful</b> - 1x {attack.medication}, 1x R&amp;D 550mg</div>"
        medicine = taken if attack.medication not in ("", "No medication") else attack.medication
        when = [f"{began}Lasted: {lasted}<br>{place}"] if joined else [f"{began}{place}", f" {lasted} <br><i> </i> "]
        cells = [str(number), *when, "Migraine", f" {attack.pain} ", "Woke up", "Left Temple", "", medicine]
        rows.append(f"<tr>{''.join(map(cell, cells))}</tr>")
        rows.append('<tr><td colspan="14" class="notes"><pre><strong>Notes:</strong> called 0151 555</pre></td></tr>')
    titles = ["#", *(["Started &amp; Lasted"] if joined else ["Started", "Lasted"]), "Attack Type", "Pain Level", "Affected Activities"]  # fmt: skip
    head = "".join(f'<td rowspan="2">{title}</td>' for title in titles)
    head += '<td colspan="2">Pain Positions</td><td rowspan="2">Medication</td>'
    return f"""<!DOCTYPE html><html><head><title>Listing</title><style>td {{ a: "<td>" }}</style>
<script>document.write("<table><tr><td>Started</td><td>Pain Level</td></tr><tr><td>1</td><td>9</td></tr></table>")</script>
</head><body><!-- <table> --><table><tr><td> Time Period: </td><td><b>1/5/26 - 3/15/26</b></td></tr>
<tr><td>Attack Type: </td><td>All</td></tr></table>{extra}
<table><thead><tr>{head}</tr><tr class="subheading"><td>Left</td><td>Right</td></tr></thead><tbody>{"".join(rows)}</tbody>
</table></body></html>"""


# ------------------------------------------------------------------------------------------ Bearable, Daylio


def bearable(pain: pd.Series, sleep: pd.Series) -> str:
    """Two symptoms on every day, twice a day each, and hours of sleep."""
    lines = ["date,date formatted,weekday,time of day,category,rating/amount,detail,notes"]
    for day, value in pain.items():
        at = f"{day:%-d} {day:%b %Y},{day.date()},{day:%A}"
        if not np.isnan(value):
            lines += [
                f"{at},am,Symptom,{int(value)},Back pain(Mild),",
                f"{at},pm,Symptom,{int(value)},Back pain(Severe),",
            ]
        lines.append(f"{at},pm,Symptom,1,Nausea,secret")
        if not np.isnan(sleep[day]):
            lines.append(f"{at},am,Sleep,{int(sleep[day]) // 60:02d}:{int(sleep[day]) % 60:02d},,")
    return "\n".join(lines) + "\n"


def daylio(mood: pd.Series, headache: pd.Series) -> str:
    """Newest first, two entries a day; the headache is ticked in one of them."""
    lines = ["full_date,date,weekday,time,mood,activities,note_title,note"]
    for day, value in mood.iloc[::-1].items():
        if np.isnan(value):
            continue
        at, word = f"{day.date()},{day:%-d %B},{day:%A}", MOODS[int(value) - 1]
        ticked = "work | Headache" if headache[day] else "work"
        lines += [
            f'{at},10:00 pm,{word},"{ticked} | tea","",""',
            f"{at},9:15 am,{word},run | rest,,{html.escape('<b>')}",
        ]
    return "\n".join(lines) + "\n"
