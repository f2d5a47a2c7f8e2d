"""Write the diaries of the sample folders: simulated, with the truth and the planted dirt beside them.

    python sample_data/generate.py

A folder's protocol.toml and sessions.csv are written by hand, as a clinic writes them. The diaries and
truth.json are made here from the dates in the protocol; the same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
from openpyxl import Workbook
from scipy.stats import norm

from acu_nof1.simulate import (
    Design,
    Truth,
    course,
    latent_days,
    markov_days,
    missing_days,
    noise,
    realise,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from acu_nof1.simulate import Floats

HERE = Path(__file__).parent
BY_HAND = ("protocol.toml", "sessions.csv")
BOM = "\ufeff"
# Parts of a workbook that would otherwise hold the hour and the program's version.
LONG_AGO = (2026, 1, 1, 0, 0, 0)
OPEN_XML = "http://schemas.openxmlformats.org"
PROPERTIES = {
    "docProps/app.xml": f'<Properties xmlns="{OPEN_XML}/officeDocument/2006/extended-properties"/>',
    "docProps/core.xml": f'<coreProperties xmlns="{OPEN_XML}/package/2006/metadata/core-properties"/>',
}


# --- the plan ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """The dates of an AB protocol, and the layout that follows from them."""

    person: str
    start: dt.date
    design: Design

    def day(self, text: str) -> int:
        """Return the number of the calendar day, 0 for the first baseline day."""
        return (dt.date.fromisoformat(text) - self.start).days

    def date(self, day: int) -> dt.date:
        """Return the date of a numbered day."""
        return self.start + dt.timedelta(days=day)


def read_plan(folder: Path) -> Plan:
    """Read from the protocol of a folder which days it is about."""
    protocol = tomllib.loads((folder / "protocol.toml").read_text(encoding="utf-8"))
    baseline, treatment = protocol["phase"]
    design = Design(
        baseline=(baseline["end"] - baseline["start"]).days + 1,
        treatment=(treatment["end"] - treatment["start"]).days + 1,
        window=protocol["reassess"][-1].get("window_days", 14),
    )
    return Plan(protocol["trial"]["person"], baseline["start"], design)


# --- what is true --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Level:
    """A rating or an amount, and how far its noise goes with the noise of pain (−1 to 1)."""

    truth: Truth
    with_pain: float = 0.0


@dataclass(frozen=True)
class YesNo:
    """A yes/no day: its probability before and in the window, and how far it goes with pain."""

    before: float
    after: float
    with_pain: float = 0.0
    shape: str = "gradual"


def draw(
    plan: Plan, outcomes: Mapping[str, Level | YesNo], phi: float, rng: np.random.Generator
) -> tuple[dict[str, Floats], dict[str, dict[str, Any]]]:
    """Draw every day of every outcome; bad days are bad in several outcomes at once.

    Returns
    -------
    tuple
        The values by outcome, and what is true of each.
    """
    shared = noise(1, plan.design.days, phi=phi, seed=rng)
    values, truths = {}, {}
    for name, outcome in outcomes.items():
        own = noise(1, plan.design.days, phi=phi, seed=rng)
        unit = outcome.with_pain * shared + np.sqrt(1 - outcome.with_pain**2) * own
        drawn = _draw_level if isinstance(outcome, Level) else _draw_days
        values[name], truths[name] = drawn(plan.design, outcome, unit, phi)  # type: ignore[arg-type]
    return values, truths


def _draw_level(design: Design, outcome: Level, unit: Floats, phi: float) -> tuple[Floats, dict[str, Any]]:
    result, truth = realise(design, outcome.truth, unit), outcome.truth
    facts = {
        "level": truth.level,
        "change": float(result.change[0]),
        "mean_change": float(result.true_mean_change[0]),
        "shape": truth.shape,
        "noise": {"kind": "ar1", "phi": phi, "sd": truth.sd},
    }
    return result.values[0], facts


def _draw_days(design: Design, outcome: YesNo, unit: Floats, phi: float) -> tuple[Floats, dict[str, Any]]:
    probability = chances(design, outcome)
    facts = days_truth(design, outcome, {"kind": "latent ar1", "phi": phi})
    return latent_days(unit, probability)[0].astype(float), facts


def chances(design: Design, outcome: YesNo) -> Floats:
    """Probability of yes on each day."""
    change = outcome.after - outcome.before
    return outcome.before + course(outcome.shape, design.baseline, design.treatment, change, design.window)


def days_truth(design: Design, outcome: YesNo, noise_facts: dict[str, Any]) -> dict[str, Any]:
    """What is true of yes/no days, in days per 28."""
    during = chances(design, outcome)[design.baseline :].mean()
    return {
        "level": 28 * outcome.before,
        "change": 28 * (outcome.after - outcome.before),
        "mean_change": 28 * float(during - outcome.before),
        "shape": outcome.shape,
        "noise": noise_facts,
    }


# --- files with dirt -----------------------------------------------------------------------------


@dataclass(eq=False)
class Row:
    """One row of a file: what day it is about (`None` for a footer and the like) and its cells."""

    day: int | None
    cells: list[str]


@dataclass(frozen=True)
class Dirt:
    """One planted fault: where the reader will meet it, what rule it calls for, what value is left."""

    row: Row | None
    column: str
    raw: str
    rule: str
    becomes: str
    value: float | None = None


@dataclass(eq=False)
class Sheet:
    """A file to be written, and what was planted in it."""

    file: str
    titles: list[str]
    rows: list[Row] = field(default_factory=list)
    planted: list[Dirt] = field(default_factory=list)

    def row(self, day: int) -> Row:
        """Return the row of a day, or complain: a fault can only be planted on a day that was kept."""
        return next(row for row in self.rows if row.day == day)

    def text(self, day: int, title: str) -> str:
        """Return what stands in a cell."""
        return self.row(day).cells[self.titles.index(title)]

    def plant(self, day: int, title: str, raw: str, rule: str, becomes: str, value: float | None = None) -> None:
        """Overwrite the cell of a day."""
        row = self.row(day)
        row.cells[self.titles.index(title)] = raw
        self.planted.append(Dirt(row, title, raw, rule, becomes, value))

    def as_range(self, day: int, title: str, width: int = 1) -> None:
        """Write 3 as ``3-4``."""
        low = int(self.text(day, title))
        self.plant(day, title, f"{low}-{low + width}", "range", "converted", low + width / 2)

    def as_share(self, day: int, title: str) -> None:
        """Write 7 as ``7/10``."""
        number = self.text(day, title)
        self.plant(day, title, f"{number}/10", "out of ten", "converted", float(number))

    def with_spaces(self, day: int, title: str) -> None:
        """Write 6 as `` 6 ``."""
        number = self.text(day, title)
        self.plant(day, title, f" {number} ", "spaces", "kept", float(number))

    def blank(self, *days: int, title: str) -> None:
        """Leave the cells of some days empty."""
        for day in days:
            self.plant(day, title, "", "blank", "missing")

    def twice(self, day: int, title: str = "", raw: str = "", becomes: str = "dropped") -> None:
        """Repeat the row of a day, identical or with another answer in one cell."""
        row = self.row(day)
        again = Row(day, list(row.cells))
        if title:
            again.cells[self.titles.index(title)] = raw
        self.rows.insert(self.rows.index(row) + 1, again)
        rule = "different duplicate" if title else "identical duplicate"
        self.planted.append(Dirt(again, title, raw, rule, becomes))

    def titles_again(self, day: int) -> None:
        """Repeat the header above the row of a day, as when two files are pasted into one."""
        row = Row(None, list(self.titles))
        self.rows.insert(self.rows.index(self.row(day)), row)
        self.planted.append(Dirt(row, "", ",".join(self.titles), "repeated header", "tolerated"))

    def footer(self, *cells: str) -> None:
        """Add a last row that is not a day."""
        row = Row(None, [*cells, *[""] * (len(self.titles) - len(cells))])
        self.rows.append(row)
        self.planted.append(Dirt(row, "", cells[0], "footer", "tolerated"))

    def empty_rows(self, count: int) -> None:
        """Add rows without anything in them."""
        for _ in range(count):
            row = Row(None, [""] * len(self.titles))
            self.rows.append(row)
            self.planted.append(Dirt(row, "", "", "empty row", "tolerated"))

    def whole_file(self, raw: str, rule: str) -> None:
        """Note a fault of the file as a whole."""
        self.planted.append(Dirt(None, "", raw, rule, "tolerated"))

    def listed(self, plan: Plan) -> list[dict[str, Any]]:
        """What was planted, with the row numbers a spreadsheet shows (the header is row 1)."""
        number = {id(row): i for i, row in enumerate(self.rows, 2)}

        def where(dirt: Dirt) -> dict[str, Any]:
            row = dirt.row
            on = None if row is None or row.day is None else plan.date(row.day).isoformat()
            at = number[id(row)] if row else None
            return {"file": self.file, "row": at, "column": dirt.column, "date": on}

        return [
            where(dirt) | {"raw": dirt.raw, "rule": dirt.rule, "becomes": dirt.becomes, "value": dirt.value}
            for dirt in self.planted
        ]


def as_text(sheet: Sheet, delimiter: str = ",", first: str = "") -> bytes:
    """Write a sheet as delimited text."""
    out = io.StringIO()
    out.write(first)
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(sheet.titles)
    writer.writerows(row.cells for row in sheet.rows)
    return out.getvalue().encode("utf-8")


def as_workbook(sheet: Sheet, name: str) -> bytes:
    """Write a sheet as an Excel workbook, in the same bytes every time."""
    book = Workbook()
    page = book.active
    page.title = name
    for cells in (sheet.titles, *(row.cells for row in sheet.rows)):
        page.append([_typed(cell) for cell in cells])
    out = io.BytesIO()
    book.save(out)
    return _without_clock(out)


def _typed(cell: str) -> float | dt.date | str | None:
    """What a spreadsheet makes of what is typed into it."""
    for kind in (float, dt.date.fromisoformat):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell or None


def _without_clock(book: io.BytesIO) -> bytes:
    """Pack a workbook anew: fixed dates, no program versions, no compression, canonical XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(out, "w") as new:
        for name in sorted(old.namelist()):
            xml = PROPERTIES.get(name) or ET.canonicalize(old.read(name).decode("utf-8"))
            new.writestr(zipfile.ZipInfo(name, LONG_AGO), xml)
    return out.getvalue()


# --- answers -------------------------------------------------------------------------------------


def whole(value: float) -> str:
    """``6``."""
    return f"{value:.0f}"


def tenths(value: float) -> str:
    """``6.3``."""
    return f"{value:.1f}"


def yes_no(value: float) -> str:
    """``yes`` or ``no``."""
    return "yes" if value else "no"


def clock(minutes: float) -> str:
    """Minutes after noon as a clock time: ``22:45``."""
    hours, rest = divmod(round(minutes) + 12 * 60, 60)
    return f"{hours % 24:02d}:{rest:02d}"


def kept(plan: Plan, share: float, rng: np.random.Generator, *, left_out: Iterable[int] = ()) -> list[int]:
    """Return the days on which the diary was opened at all."""
    closed = missing_days(1, plan.design.days, share, seed=rng)[0]
    closed[list(left_out)] = True
    return [day for day in range(plan.design.days) if not closed[day]]


def filled(file: str, date_title: str, columns: Mapping[str, list[str]], dates: Mapping[int, str]) -> Sheet:
    """Make a sheet with one row for each of some days."""
    rows = [Row(day, [date, *(column[day] for column in columns.values())]) for day, date in dates.items()]
    return Sheet(file, [date_title, *columns], rows)


def iso(plan: Plan, days: Iterable[int]) -> dict[int, str]:
    """Return days with their ISO dates."""
    return {day: plan.date(day).isoformat() for day in days}


def spelled(plan: Plan, days: Iterable[int], pattern: str) -> dict[int, str]:
    """Return days with their dates as people of one country write them."""
    return {day: plan.date(day).strftime(pattern) for day in days}


# --- the four folders ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """The files of a folder, the truth by outcome, and what was planted."""

    files: dict[str, bytes]
    outcomes: dict[str, dict[str, Any]]
    planted: list[dict[str, Any]]


def low_back_pain(plan: Plan, rng: np.random.Generator) -> Written:
    """Pain falls by about 2 over three weeks, walking grows; the diary began in a bad week."""
    pain_truth = Truth(level=6.0, change=-2.0, sd=1.3, step=1, low=0, high=10)
    values, truth = draw(
        plan,
        {
            "pain": Level(pain_truth, 1.0),
            "walking": Level(Truth(level=20, change=15, sd=7, step=5, low=0), -0.5),
            "sleep": Level(Truth(level=6.2, change=0.4, sd=0.8, step=0.1, low=3, high=10), -0.4),
            "tablets": YesNo(0.45, 0.2, 0.7),
            "flares": YesNo(0.25, 0.1, 0.9),
        },
        0.4,
        rng,
    )
    truth["bad_days"] = days_at_or_above(plan.design, pain_truth, 7, 0.4)
    run = range(plan.day("2026-03-05"), plan.day("2026-03-09"))
    days = kept(plan, 0.05, rng, left_out=run)
    columns = {
        "Avg pain": [whole(v) for v in values["pain"]],
        "Tablet": [whole(v) for v in values["tablets"]],
        "Flare-up": [whole(v) for v in values["flares"]],
    }
    pain = filled("pain.csv", "Day", columns, iso(plan, days))
    pain.as_range(days[9], "Avg pain")
    pain.with_spaces(days[20], "Avg pain")
    pain.as_share(days[31], "Avg pain")
    pain.plant(days[44], "Avg pain", "n/a", "missing code", "missing")
    pain.plant(days[60], "Avg pain", "11", "out of range", "rejected")
    pain.blank(days[36], days[63], title="Tablet")
    pain.twice(days[50])

    days = kept(plan, 0.06, rng, left_out=run)
    minutes = [whole(v) for v in values["walking"]]
    function = filled("function.csv", "Date", {"Minutes walked": minutes}, iso(plan, days))
    function.as_range(days[25], "Minutes walked", 10)
    function.blank(days[40], title="Minutes walked")
    function.titles_again(days[52])
    function.footer("Average", tenths(float(np.mean(values["walking"][days]))))

    days = kept(plan, 0.06, rng, left_out=run)
    hours = [tenths(v) for v in values["sleep"]]
    sleep = filled("sleep.csv", "Date", {"Hours slept": hours}, iso(plan, days))
    comma = hours[days[33]].replace(".", ",")
    sleep.plant(days[33], "Hours slept", comma, "undeclared decimal comma", "rejected")
    sleep.empty_rows(3)
    return bundle(plan, truth, {sheet: as_text(sheet) for sheet in (pain, function, sleep)})


def knee_osteoarthritis(plan: Plan, rng: np.random.Generator) -> Written:
    """Good and bad weeks, and hardly any change."""
    values, truth = draw(
        plan,
        {
            "stairs": Level(Truth(level=5.4, change=-0.4, sd=1.2, step=1, low=0, high=10), 1.0),
            "stiffness": Level(Truth(level=25, change=-3, sd=8, step=5, low=0), 0.6),
            "peg": Level(Truth(level=5.2, change=-0.4, sd=0.6, step=1 / 3, low=0, high=10), 0.6),
            "activities": Level(Truth(level=4.0, change=0.8, sd=0.5, step=1 / 3, low=0, high=10), -0.4),
        },
        0.5,
        rng,
    )
    days = kept(plan, 0.07, rng, left_out=range(plan.day("2026-04-02"), plan.day("2026-04-06")))
    columns = {
        "Pain on stairs": [whole(v) for v in values["stairs"]],
        "Morning stiffness (min)": [whole(v) for v in values["stiffness"]],
        "Remarks": remarks(plan, {"2026-02-17": "sharp on the way down", "2026-04-25": "gardening"}),
    }
    pain = filled("pain.tsv", "Date", columns, spelled(plan, days, "%d/%m/%Y"))
    for day in (days[13], days[61]):
        pain.plant(day, "Morning stiffness (min)", "-99", "missing code", "missing")
    pain.plant(days[37], "Pain on stairs", "moderate", "word", "rejected")
    pain.plant(days[72], "Pain on stairs", "-", "missing code", "missing")
    pain.as_range(days[45], "Morning stiffness (min)", 10)
    pain.blank(days[19], days[80], title="Morning stiffness (min)")
    number = int(pain.text(days[28], "Pain on stairs"))
    pain.twice(days[28], "Pain on stairs", str(number + 2), becomes="mean of the day")
    pain.twice(days[66])

    mondays = [day for day in range(7, plan.design.days, 7) if day != plan.design.baseline]
    visits = [plan.day(text) for text in ("2026-02-02", "2026-02-23", "2026-04-13", "2026-05-18")]
    columns = {
        "PEG": [tenths(v) if day in mondays else "" for day, v in enumerate(values["peg"])],
        "PSFS": [tenths(v) if day in visits else "" for day, v in enumerate(values["activities"])],
        "PGIC": ["3" if day == visits[-1] else "" for day in range(plan.design.days)],  # a little better
    }
    forms = filled("questionnaires.xlsx", "Completed", columns, iso(plan, sorted({*mondays, *visits})))
    forms.plant(mondays[8], "PEG", "2026-05-04", "a date in a rating column", "rejected")
    forms.plant(mondays[11], "PEG", "n/a", "missing code", "missing")
    return bundle(plan, truth, {pain: as_text(pain, "\t"), forms: as_workbook(forms, "Scores")})


def migraine(plan: Plan, rng: np.random.Generator) -> Written:
    """Somewhat fewer headache days, too few to tell from chance."""
    design, rho = plan.design, 0.3
    headaches = YesNo(0.42, 0.36)
    headache = markov_days(1, design.days, chances(design, headaches), rho, rng)[0].astype(float)
    values, truth = draw(
        plan, {"intensity": Level(Truth(level=6.2, change=-0.5, sd=1.4, step=1, low=1, high=10))}, 0.2, rng
    )
    tablets = headache * rng.choice([0.5, 1.0, 1.0, 1.5, 2.0], design.days)
    cancelled = headache * (rng.random(design.days) < 0.3)
    truth = {
        "headache": days_truth(design, headaches, {"kind": "markov", "rho": rho}),
        **truth,
        "doses": doses_truth(design, headaches, mean=1.2),
        "cancelled": days_truth(
            design, YesNo(0.3 * headaches.before, 0.3 * headaches.after), {"kind": "3 in 10 headache days"}
        ),
    }
    days = kept(plan, 0.04, rng)
    worst = zip(values["intensity"], headache, strict=True)
    columns = {
        "Headache": [yes_no(v) for v in headache],
        "Worst intensity": [whole(v) if hurt else "" for v, hurt in worst],
        "Rescue tablets": [tenths(v).replace(".", ",").removesuffix(",0") for v in tablets],
        "Plans cancelled": [yes_no(v) for v in cancelled],
    }
    diary = filled("headache.csv", "Day", columns, spelled(plan, days, "%d.%m.%Y"))
    aching = [day for day in days if headache[day]]
    free = [day for day in days if not headache[day]]
    diary.as_share(aching[6], "Worst intensity")
    diary.plant(aching[12], "Worst intensity", "-", "missing code", "missing")
    diary.plant(aching[20], "Rescue tablets", "-", "missing code", "missing")
    for day in (free[5], free[18], free[31]):
        diary.plant(day, "Rescue tablets", "none", "declared none", "converted", 0.0)
    diary.plant(free[25], "Headache", " no ", "spaces", "converted", 0.0)
    diary.blank(days[17], days[70], title="Plans cancelled")
    diary.twice(aching[16])
    diary.empty_rows(2)
    diary.whole_file("EF BB BF", "byte order mark")
    diary.whole_file("sep=;", "sep line")
    diary.whole_file("0,5", "declared decimal comma")
    return bundle(plan, truth, {diary: as_text(diary, ";", f"{BOM}sep=;\n")})


def sleep_and_stress(plan: Plan, rng: np.random.Generator) -> Written:
    """Pain falls clearly, sleep is longer; what counts is the red flag in the session log."""
    night = {
        "into_bed": Level(Truth(level=645, change=-5, sd=25, step=5), 0.2),  # minutes after noon: 22:45
        "settling": Level(Truth(level=20, change=-5, sd=7, step=5, low=0), 0.2),
        "falling_asleep": Level(Truth(level=40, change=-15, sd=12, step=5, low=5), 0.4),
        "awake": Level(Truth(level=45, change=-15, sd=14, step=5, low=0), 0.4),
        "last_waking": Level(Truth(level=1110, change=5, sd=18, step=5), 0.0),  # 06:30
        "lingering": Level(Truth(level=20, change=0, sd=6, step=5, low=5), 0.0),
    }
    values, truth = draw(
        plan,
        {
            "pain": Level(Truth(level=6.3, change=-3.6, sd=1.2, step=1, low=0, high=10), 1.0),
            "stress": Level(Truth(level=6.0, change=-1.2, sd=1.4, step=1, low=0, high=10), 0.4),
            "mood": Level(Truth(level=4.6, change=1.2, sd=1.2, step=1, low=0, high=10), -0.4),
            "quality": Level(Truth(level=2.4, change=0.8, sd=0.7, step=1, low=1, high=5), -0.4),
            **night,
        },
        0.3,
        rng,
    )
    length, efficiency = night_truth(plan.design, {name: truth.pop(name) for name in night})
    evening = evening_questions(plan, values, rng)
    sleep = sleep_diary(plan, values, rng)
    truth |= {"sleep": length, "efficiency": efficiency}
    return bundle(plan, truth, {sheet: as_text(sheet) for sheet in (evening, sleep)})


def evening_questions(plan: Plan, values: Mapping[str, Floats], rng: np.random.Generator) -> Sheet:
    """Write the long table of an app: one row for every answer."""
    asked = {
        "pain": "How bad was your neck pain today?",
        "stress": "How stressed were you today?",
        "mood": "How was your mood today?",
    }
    days = kept(plan, 0.07, rng, left_out=range(plan.day("2026-04-10"), plan.day("2026-04-13")))
    late = {days[22]: 3, days[23]: 2}  # typed on one evening, days afterwards
    sheet = Sheet("evening_questions.csv", ["Entered", "Date", "Question", "Answer"])
    for day in days:
        minute = int(rng.integers(0, 75))
        entered = dt.datetime.combine(plan.date(day + late.get(day, 0)), dt.time(20, 40))
        for number, (name, question) in enumerate(asked.items()):
            typed = entered + dt.timedelta(minutes=minute + number)
            sheet.rows.append(
                Row(day, [f"{typed:%Y-%m-%d %H:%M}", f"{plan.date(day)}", question, whole(values[name][day])])
            )
    for row in sheet.rows:
        if row.day in late:
            sheet.planted.append(Dirt(row, "Entered", row.cells[0], "late entry", "kept"))
    sheet.with_spaces(days[8], "Answer")
    sheet.as_share(days[30], "Answer")
    sheet.plant(days[41], "Answer", "11", "out of range", "rejected")
    sheet.plant(days[53], "Answer", "quite bad", "word", "rejected")
    sheet.twice(days[17])
    sheet.twice(days[47], "Answer", str(int(sheet.text(days[47], "Answer")) + 1), becomes="last of the day")
    return sheet


def sleep_diary(plan: Plan, values: Mapping[str, Floats], rng: np.random.Generator) -> Sheet:
    """Write the Consensus Sleep Diary: clock times across midnight."""
    tried = values["into_bed"] + values["settling"]
    out = values["last_waking"] + values["lingering"]
    words = ("very poor", "poor", "fair", "good", "very good")
    columns = {
        "Got into bed": [clock(v) for v in values["into_bed"]],
        "Tried to sleep": [clock(v) for v in tried],
        "Minutes to fall asleep": [whole(v) for v in values["falling_asleep"]],
        "Minutes awake in the night": [whole(v) for v in values["awake"]],
        "Final awakening": [clock(v) for v in values["last_waking"]],
        "Got out of bed": [clock(v) for v in out],
        "Sleep quality": [words[int(v) - 1] for v in values["quality"]],
    }
    days = kept(plan, 0.05, rng)
    sheet = filled("sleep.csv", "Morning of", columns, iso(plan, days))
    sheet.as_range(days[26], "Minutes to fall asleep", 10)
    swapped = days[35]
    woke, rose = sheet.text(swapped, "Final awakening"), sheet.text(swapped, "Got out of bed")
    sheet.plant(swapped, "Final awakening", rose, "clock times out of order", "rejected")
    sheet.plant(swapped, "Got out of bed", woke, "clock times out of order", "rejected")
    sheet.plant(days[49], "Got into bed", "11:00", "am for pm", "rejected")
    for title in columns:
        sheet.blank(days[58], title=title)
    return sheet


def night_truth(design: Design, parts: Mapping[str, dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is true of the average night: hours of sleep, and sleep efficiency in percent."""
    reached = course("gradual", design.baseline, design.treatment, 1.0, design.window)
    mean = {name: part["level"] + part["change"] * reached for name, part in parts.items()}
    tried = mean["into_bed"] + mean["settling"]
    asleep = mean["last_waking"] - tried - mean["falling_asleep"] - mean["awake"]
    in_bed = mean["last_waking"] + mean["lingering"] - mean["into_bed"]

    def facts(nightly: Floats) -> dict[str, Any]:
        before, during = nightly[: design.baseline].mean(), nightly[design.baseline :]
        return {
            "level": float(before),
            "change": float(during[-design.window :].mean() - before),
            "mean_change": float(during.mean() - before),
            "shape": "gradual",
            "noise": {"kind": "from the times of the night"},
        }

    return facts(asleep / 60), facts(100 * asleep / in_bed)


def doses_truth(design: Design, headaches: YesNo, mean: float) -> dict[str, Any]:
    """What is true of tablets a day when a headache day takes `mean` of them."""
    in_days = days_truth(design, headaches, {"kind": "headache days"})
    return in_days | {name: in_days[name] / 28 * mean for name in ("level", "change", "mean_change")}


def days_at_or_above(design: Design, pain: Truth, level: float, phi: float) -> dict[str, Any]:
    """What is true of the days on which a whole-point rating is at a level or above, in days per 28."""
    effect = course(pain.shape, design.baseline, design.treatment, float(pain.change), design.window)
    share = norm.sf(level - 0.5, pain.level + effect, pain.sd)
    before, window = share[: design.baseline].mean(), share[-design.window :].mean()
    return {
        "level": 28 * float(before),
        "change": 28 * float(window - before),
        "mean_change": 28 * float(share[design.baseline :].mean() - before),
        "shape": pain.shape,
        "noise": {"kind": "ar1 of pain", "phi": phi},
    }


def own_diary(plan: Plan, rng: np.random.Generator) -> Written:
    """One file as a person keeps it, without a protocol: pain falls by 3, sleep hardly changes."""
    values, truth = draw(
        plan,
        {
            "pain": Level(Truth(level=6.2, change=-3, sd=1.2, step=1, low=0, high=10), 1.0),
            "sleep": Level(Truth(level=6.4, change=0.2, sd=0.8, step=0.25, low=3, high=10), -0.3),
            "walking": Level(Truth(level=25, change=10, sd=8, step=5, low=0), -0.4),
            "tablet": YesNo(0.5, 0.25, 0.6),
        },
        0.4,
        rng,
    )
    days = kept(plan, 0.08, rng)
    columns = {
        "Pain today": [whole(v) for v in values["pain"]],
        "Slept (hours)": [f"{v:.2f}".rstrip("0").rstrip(".").replace(".", ",") for v in values["sleep"]],
        "Walked": [whole(v) for v in values["walking"]],
        "Tablet?": ["ja" if v else "nein" for v in values["tablet"]],
        "Remarks": remarks(
            plan,
            {
                plan.date(days[30]).isoformat(): "garden all day",
                plan.date(days[55]).isoformat(): "slept badly; ask P. for the number",
            },
        ),
    }
    sheet = filled("diary.csv", "Day", columns, spelled(plan, days, "%d/%m/%Y"))
    sheet.as_range(days[6], "Pain today")
    sheet.as_share(days[21], "Pain today")
    sheet.plant(days[33], "Pain today", "moderate", "word", "rejected")
    sheet.plant(days[47], "Pain today", "55", "out of range", "rejected")
    sheet.plant(days[50], "Slept (hours)", "6:30", "hours and minutes", "converted", 6.5)
    sheet.plant(days[58], "Walked", "30 to 45", "range", "converted", 37.5)
    sheet.blank(days[40], days[41], title="Walked")
    sheet.twice(days[62])
    sheet.twice(days[26], "Pain today", "8", "converted")
    sheet.footer("Average", tenths(float(np.mean(values["pain"][days]))))
    return bundle(plan, truth, {sheet: as_text(sheet, ";")})


def remarks(plan: Plan, said: Mapping[str, str]) -> list[str]:
    """Return a column that is empty but for a few dates."""
    by_day = {plan.day(date): text for date, text in said.items()}
    return [by_day.get(day, "") for day in range(plan.design.days)]


def bundle(plan: Plan, truth: dict[str, dict[str, Any]], sheets: Mapping[Sheet, bytes]) -> Written:
    """Bring together what a folder holds."""
    files = {sheet.file: content for sheet, content in sheets.items()}
    return Written(files, truth, [each for sheet in sheets for each in sheet.listed(plan)])


@dataclass(frozen=True)
class Sample:
    """One sample folder: its seed, who writes it, and what an honest page says of it."""

    folder: str
    seed: int
    write: Callable[[Plan, np.random.Generator], Written]
    verdict: str


SAMPLES = (
    Sample("low_back_pain", 295, low_back_pain, "improved_amount_unclear"),
    Sample("knee_osteoarthritis", 30, knee_osteoarthritis, "no_important_change"),
    Sample("migraine", 22, migraine, "cannot_say"),
    Sample("sleep_and_stress", 46, sleep_and_stress, "red_flag"),
)


# A single file: nobody agreed anything, so no protocol stands beside it.
ALONE = Sample("own_diary", 12, own_diary, "improved")
ALONE_PLAN = Plan("P-058", dt.date(2026, 2, 2), Design(baseline=21, treatment=77, window=14))


def generate(target: Path = HERE) -> None:
    """Write every sample folder under `target`."""
    for sample in SAMPLES:
        source, folder = HERE / sample.folder, target / sample.folder
        folder.mkdir(parents=True, exist_ok=True)
        if folder != source:
            for name in BY_HAND:
                shutil.copyfile(source / name, folder / name)
        write(folder, read_plan(source), sample)
    alone = target / ALONE.folder
    alone.mkdir(parents=True, exist_ok=True)
    write(alone, ALONE_PLAN, ALONE)


def write(folder: Path, plan: Plan, sample: Sample) -> None:
    """Write the diaries of one folder, and the truth beside them."""
    content = sample.write(plan, np.random.default_rng(sample.seed))
    for name, data in content.files.items():
        (folder / name).write_bytes(data)
    (folder / "truth.json").write_text(truth_text(plan, sample, content), encoding="utf-8", newline="\n")


def truth_text(plan: Plan, sample: Sample, content: Written) -> str:
    """What is true of a folder, as JSON."""
    design = plan.design
    facts = {
        "note": "Everything in this folder is simulated.",
        "person": plan.person,
        "seed": sample.seed,
        "days": {"baseline": design.baseline, "treatment": design.treatment, "window": design.window},
        "verdict": sample.verdict,
        "outcomes": content.outcomes,
        "planted": content.planted,
    }
    short = json.loads(json.dumps(facts), parse_float=lambda text: round(float(text), 4))
    return json.dumps(short, indent=1) + "\n"


if __name__ == "__main__":
    generate()
