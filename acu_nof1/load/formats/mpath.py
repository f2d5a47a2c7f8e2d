"""m-Path: one row per prompt, times as seconds of local time, a prompt without an answer kept as a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.load.layout import Layout
from acu_nof1.load.tables import plain

if TYPE_CHECKING:
    from pathlib import Path

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

SIGNATURE = ("connectionId", "scheduledBeepId", "timeStampScheduled", "timeStampStart", "timeStampStop")
FIXED = (
    "connectionId", "legacyCode", "code", "alias", "initials", "accountCode", "scheduledBeepId", "sentBeepId",
    "reminderForOriginalSentBeepId", "questionListName", "questionListLabel", "fromProtocolName", "timeStampScheduled",
    "timeStampSent", "timeStampStart", "timeStampStop", "originalTimeStampSent", "timeZoneOffset", "deltaUTC",
)  # fmt: skip
DAY, ENTERED = "day of the prompt", "answered at"
UNANSWERED = "prompts without an answer"
FIRST, LAST = 946684800, 4102444800  # the years 2000 to 2099; anything else is no time of an answer


def arrange(table: Table, file: DiaryFile, folder: Path) -> Table:
    """Give each answered prompt the day for which it was scheduled, and count the prompts that were not answered.

    The seconds count local time already: shifting them by the time zone would move evening answers to another day.
    """
    titles = {plain(title): title for title in table.columns}

    def column(name: str) -> pd.Series[str]:
        title = titles.get(plain(name))
        return pd.Series("", index=table.rows.index, dtype="str") if title is None else table.rows[title].str.strip()

    started, stopped = column("timeStampStart"), column("timeStampStop")
    asked_at = _first(column("timeStampScheduled"), column("timeStampSent"), started)
    answered = (started != "").to_numpy(dtype=bool)
    person = column("connectionId")
    own = np.ones(len(person), dtype=bool) if file.person is None else (person == file.person).to_numpy(dtype=bool)
    # A reminder is the same prompt again, under the number of the first.
    first = _first(column("reminderForOriginalSentBeepId"), column("sentBeepId"), column("scheduledBeepId"))
    prompt = person + " " + first
    sent = own & (first != "").to_numpy(dtype=bool)
    prompts = int(prompt[sent].nunique()), int(prompt[sent & answered].nunique())
    items = {title: _unquoted(table.rows[title]) for title in table.columns if plain(title) not in _KNOWN}
    made = {DAY: _local(asked_at, "D"), ENTERED: _local(_first(stopped, started), "s"), **items}
    return replace(table.with_columns(**made).only(answered, UNANSWERED), prompts=prompts)


_KNOWN = frozenset(plain(name) for name in FIXED)


def _first(*columns: pd.Series[str]) -> pd.Series[str]:
    """The first of these that is not blank, row by row."""
    found = columns[0]
    for column in columns[1:]:
        found = found.where(found != "", column)
    return found


def _local(seconds: pd.Series[str], unit: str) -> list[str]:
    """Seconds of local time as a date or a time; what is none stays as it is, for the reader to complain of."""
    numbers = pd.to_numeric(seconds, errors="coerce").to_numpy(dtype=float)
    known = (numbers >= FIRST) & (numbers < LAST)
    at = np.where(known, numbers, FIRST).astype("int64").astype("datetime64[s]").astype(f"datetime64[{unit}]")
    written = np.char.replace(at.astype(str), "T", " ")
    return [str(text) for text in np.where(known, written, seconds.to_numpy(dtype=object))]


def _unquoted(texts: pd.Series[str]) -> list[str]:
    """Answers in words stand in quotation marks of their own."""
    return [str(text) for text in texts.str.replace(r'^"(.*)"$', r"\1", regex=True)]


MPATH = Layout(
    "mpath",
    "m-Path's export, one row per prompt: connectionId, scheduledBeepId, timeStampScheduled, …, then item_type columns",
    "m-Path export",
    columns={"date": (DAY,), "entered": (ENTERED,), "person": ("connectionId",)},
    signatures=(SIGNATURE,),
    arrange=arrange,
    gives="whatever its items ask, once they are mapped; the share of prompts answered; late answers",
)
