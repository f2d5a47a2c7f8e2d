"""A trial without what could tell whose it is: for teaching, second opinions and pooled archives."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from acu_nof1.course import PARTS
from acu_nof1.diary import Diary, Source
from acu_nof1.errors import Problem
from acu_nof1.safety import RED_FLAGS
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    from typing import Any

    from acu_nof1.protocol import Event, Phase, Protocol, Session

# Treatment begins in the week of this Monday; weeks are kept whole, so weekdays stay.
MONDAY = dt.date(2001, 1, 1)
WEEK = dt.timedelta(days=7)
NOBODY = "anonymous, dates moved"
LEFT_OUT = "left out"
# What may stand for an event, by its kind.
EVENTS = {"medication": "a medicine", "co_intervention": "another treatment", "disturbance": "a disturbance"}
OTHER_FLAG = "another red flag, described in the full report"


def anonymous(trial: Trial) -> Trial:
    """What is left of a trial when nothing in it may tell whose it is?

    Codes, goals, notes, free text, file and column names, cells as they were written and practitioners are left out. All
    dates move by one whole number of weeks, so that treatment begins in the week of 1 Jan 2001: distances and weekdays
    stay, and with them every number. Condition and names of outcomes stay; they are the question itself.

    Parameters
    ----------
    trial
        The trial, as read.

    Returns
    -------
    Trial
        Every answer, page and table made from it is anonymous too.
    """
    move = date_shift(trial)
    return Trial(_protocol(trial.protocol, move), _diary(trial.diary, move))


def date_shift(trial: Trial) -> dt.timedelta:
    """By how many whole weeks does an anonymous trial move its dates?"""
    first = trial.protocol.first_treatment
    return WEEK * round((MONDAY - first.start) / WEEK) if first else dt.timedelta(0)


def _protocol(protocol: Protocol, move: dt.timedelta) -> Protocol:
    looks = tuple(look.model_copy(update={"on": _moved(look.on, move)}) for look in protocol.looks)
    return protocol.model_copy(
        update={
            "person": NOBODY,
            "goal": "",
            "agreed_on": _moved(protocol.agreed_on, move),
            "phases": tuple(_phase(phase, move) for phase in protocol.phases),
            "sessions": tuple(_session(session, move) for session in protocol.sessions),
            "events": tuple(_event(event, move) for event in protocol.events),
            "looks": looks,
            "diaries": (),
            "safety": protocol.safety.model_copy(update={"red_flags": _flags(protocol.safety.red_flags)}),
        }
    )


def _moved(day: dt.date | None, move: dt.timedelta) -> dt.date | None:
    return None if day is None else day + move


def _phase(phase: Phase, move: dt.timedelta) -> Phase:
    days = ("start", "end", "randomised_from", "randomised_to")
    return phase.model_copy(update={name: _moved(getattr(phase, name), move) for name in days})


def _event(event: Event, move: dt.timedelta) -> Event:
    return event.model_copy(update={"date": event.date + move, "what": EVENTS[event.kind]})


def _session(session: Session, move: dt.timedelta) -> Session:
    return session.model_copy(
        update={
            "date": session.date + move,
            "adverse_event": "described in the full report" if session.adverse_event else "",
            "red_flag": _flags(session.red_flag) or (),
            "notes": "",
            "more": {name: text for name, text in session.more.items() if name in PARTS},
        }
    )


def _flags(flags: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Keep ticked flags; one that is not in the list is text of a person."""
    return None if flags is None else tuple(flag if flag in RED_FLAGS else OTHER_FLAG for flag in flags)


def _diary(diary: Diary, move: dt.timedelta) -> Diary:
    step = pd.Timedelta(move)
    values = diary.values
    values.index = pd.DatetimeIndex(values.index + step, name=values.index.name)
    names = {source.file: f"file {number}" for number, source in enumerate(diary.sources, 1)}
    told = len(diary.problems)
    problems = [Problem("note", "diary files", f"{told} problems were met on reading; the full report lists them.", "")]
    return Diary(
        values,
        _ledger(diary.ledger, names, step),
        diary.counts,
        tuple(problems[: int(told > 0)]),
        tuple(Source(names[source.file], source.sha256, prompts=source.prompts) for source in diary.sources),
        _several=_dated(diary.several, step),
    )


def _ledger(ledger: pd.DataFrame, names: dict[str, str], step: pd.Timedelta) -> pd.DataFrame:
    left_out: dict[str, Any] = {"raw": LEFT_OUT, "column": LEFT_OUT, "file": ledger["file"].map(names)}
    return _dated(ledger, step).assign(**left_out)


def _dated(frame: pd.DataFrame, step: pd.Timedelta) -> pd.DataFrame:
    return frame.assign(date=frame["date"] + step) if len(frame) else frame
