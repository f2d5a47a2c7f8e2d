"""The formats a diary may have, as data: a new one is one `Layout` here, and a small file where it is no table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.derive import CSD_ITEMS
from acu_nof1.load.formats.apple_health import APPLE_HEALTH
from acu_nof1.load.formats.bearable import BEARABLE
from acu_nof1.load.formats.daylio import DAYLIO
from acu_nof1.load.formats.fhir import FHIR
from acu_nof1.load.formats.fitbit_csv import FITBIT_CSV
from acu_nof1.load.formats.garmin import GARMIN
from acu_nof1.load.formats.migraine_buddy import MIGRAINE_BUDDY
from acu_nof1.load.formats.mpath import MPATH
from acu_nof1.load.formats.records import RECORDS
from acu_nof1.load.formats.redcap import REDCAP
from acu_nof1.load.formats.sleep_as_android import SLEEP_AS_ANDROID
from acu_nof1.load.formats.sleep_records import FITBIT_JSON, OURA
from acu_nof1.load.formats.tidy import TIDY
from acu_nof1.load.formats.trialist import TRIALIST
from acu_nof1.load.layout import DATE_TITLES, PERSON_TITLES, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WIDE = Layout(
    "wide",
    "one row per day, one column per question: date, pain, walking",
    columns={"date": DATE_TITLES, "person": PERSON_TITLES},
)

LAYOUTS: tuple[Layout, ...] = (
    WIDE,
    Layout(
        "long",
        "one row per answer: date, question, answer",
        shape="long",
        columns={
            "date": DATE_TITLES,
            "person": PERSON_TITLES,
            "question": ("question", "item"),
            "answer": ("answer", "value"),
        },
        signatures=(("question", "answer"),),
    ),
    TIDY,
    REDCAP,
    MPATH,
    Layout(
        "google_forms",
        "a form's answers: Timestamp first, then the questions as titles; without a date column the day is "
        "that of the timestamp",
        "Google Forms sheet",
        columns={"date": (*DATE_TITLES, "timestamp"), "entered": ("timestamp",)},
        signatures=(("timestamp",),),
    ),
    BEARABLE,
    DAYLIO,
    Layout(
        "sleep_clock",
        "Consensus Sleep Diary, one row per night: date (of the morning), into_bed, tried_to_sleep, "
        "minutes_to_sleep, minutes_awake, final_awakening, out_of_bed",
        "Consensus Sleep Diary",
        columns={"date": DATE_TITLES, "person": PERSON_TITLES} | {item: (item,) for item in CSD_ITEMS},
        signatures=(CSD_ITEMS,),
        gives="csd_tst, csd_se, csd_tib, csd_sol, csd_waso, csd_twak from clock times",
    ),
    APPLE_HEALTH,
    MIGRAINE_BUDDY,
    FHIR,
    TRIALIST,
    FITBIT_JSON,
    FITBIT_CSV,
    OURA,
    GARMIN,
    SLEEP_AS_ANDROID,
    RECORDS,
)


def layout_for(titles: tuple[str, ...], name: str | None, roles: Mapping[str, str]) -> Layout:
    """Which layout does a file with these titles have?

    Parameters
    ----------
    titles
        The column titles of the file.
    name
        The layout that was declared, if any.
    roles
        The declared columns: a mapped ``question`` makes a table long.

    Returns
    -------
    Layout
        The declared one; else the one that the mapping or the titles give away; else ``wide``.

    Raises
    ------
    KeyError
        If the declared layout does not exist.
    """
    by_name = {layout.name: layout for layout in LAYOUTS}
    if name is not None:
        return by_name[name]
    if "question" in roles:
        return by_name["long"]
    return next((layout for layout in LAYOUTS if layout.recognises(titles)), WIDE)


def claimed(path: Path, head: bytes, name: str | None) -> Layout | None:
    """Which layout reads this file, because it is no table?

    Parameters
    ----------
    path, head
        The file, and its first bytes.
    name
        The layout that was declared, if any.

    Returns
    -------
    Layout
        The declared one if it reads files of its own, else the first that knows such a file; ``None``: it is a table.
    """
    if name is not None:
        return next((layout for layout in LAYOUTS if layout.name == name and layout.read is not None), None)
    return next((layout for layout in LAYOUTS if layout.claims is not None and layout.claims(path, head)), None)
