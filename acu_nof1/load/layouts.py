"""The table formats a diary may have, as data: a new format is one `Layout`, nothing else changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from acu_nof1.derive import CSD_ITEMS
from acu_nof1.load.tables import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

Shape = Literal["wide", "long"]
DATE_TITLES = ("date", "day", "diary date", "full date")


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which diaries are laid out.

    Attributes
    ----------
    name
        What a protocol calls it.
    looks_like
        One line for the list of formats.
    shape
        ``wide`` (a column per question) or ``long`` (a row per answer).
    columns
        For each role (``date``, ``entered``, ``question``, ``answer``, or an item of the Consensus Sleep
        Diary) the titles it usually has; a mapping in the protocol goes before these.
    signature
        Titles that together tell this format from the others; none: it is only taken when asked for.
    """

    name: str
    looks_like: str
    shape: Shape = "wide"
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signature: tuple[str, ...] = ()

    def recognises(self, titles: tuple[str, ...]) -> bool:
        """Do these column titles give the format away?"""
        return bool(self.signature) and {plain(title) for title in self.signature} <= {plain(title) for title in titles}


WIDE = Layout("wide", "one row per day, one column per question: date, pain, walking", columns={"date": DATE_TITLES})

LAYOUTS: tuple[Layout, ...] = (
    WIDE,
    Layout(
        "long",
        "one row per answer: date, question, answer",
        shape="long",
        columns={"date": DATE_TITLES, "question": ("question", "item"), "answer": ("answer", "value")},
        signature=("question", "answer"),
    ),
    Layout(
        "google_forms",
        "a form's answers: Timestamp first, then the questions as titles; without a date column the day is "
        "that of the timestamp",
        columns={"date": (*DATE_TITLES, "timestamp"), "entered": ("timestamp",)},
        signature=("timestamp",),
    ),
    Layout(
        "bearable",
        "Bearable's export, one row per answer: date formatted, category, rating/amount",
        shape="long",
        columns={"date": ("date formatted", "date"), "question": ("category",), "answer": ("rating/amount",)},
        signature=("date formatted", "category", "rating/amount"),
    ),
    Layout(
        "daylio",
        "Daylio's export, one row per entry: full_date, weekday, time, mood, activities",
        columns={"date": ("full_date",)},
        signature=("full_date", "mood", "activities"),
    ),
    Layout(
        "sleep_clock",
        "Consensus Sleep Diary, one row per night: date (of the morning), into_bed, tried_to_sleep, "
        "minutes_to_sleep, minutes_awake, final_awakening, out_of_bed",
        columns={"date": DATE_TITLES} | {item: (item,) for item in CSD_ITEMS},
        signature=CSD_ITEMS,
    ),
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
