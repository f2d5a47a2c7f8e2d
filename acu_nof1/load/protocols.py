"""Read a protocol from TOML: unknown keys are errors that suggest the nearest known one."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acu_nof1.errors import Problem, ProtocolError, UsageError, did_you_mean
from acu_nof1.outcomes import AMOUNTS, OUTCOMES, Better, Every, Kind, Outcome
from acu_nof1.protocol import (
    DiaryFile,
    Event,
    Look,
    Phase,
    Profile,
    Protocol,
    Session,
    Success,
    contradictions,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

PROTOCOL_FILE = "protocol.toml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Plan(_Part):
    person: str = ""
    condition: str = ""
    goal: str = ""
    agreed_on: dt.date | None = None
    planned_sessions: int | None = Field(default=None, ge=1)
    run_in_days: int = Field(default=0, ge=0)
    sessions: str | None = None


class OutcomeEntry(_Part):
    """An outcome as a protocol declares it: an instrument of the catalogue, or a scale of its own."""

    instrument: str | None = None
    label: str | None = None
    kind: Kind | None = None
    unit: str | None = None
    range: tuple[float, float] | None = None
    better: Better | None = None
    every: Every | None = None
    important_change: float | None = Field(default=None, gt=0)
    important_change_percent: float | None = Field(default=None, gt=0)
    source: str | None = None
    sem: float | None = Field(default=None, gt=0)
    recall_days: int | None = Field(default=None, ge=0)
    primary: bool = False


class _File(_Part):
    trial: _Plan = _Plan()
    phase: tuple[Phase, ...] = ()
    reassess: tuple[Look, ...] = ()
    diary: tuple[DiaryFile, ...] = ()
    outcome: dict[str, OutcomeEntry] = Field(default_factory=dict)
    success: Success | None = None
    safety: Profile = Profile()
    session: tuple[Session, ...] = ()
    sessions: str | None = None
    event: tuple[Event, ...] = ()


def declare(name: str, entry: OutcomeEntry, place: str) -> Outcome:
    """Which outcome does this declaration mean?

    Parameters
    ----------
    name
        Its name in the protocol.
    entry
        What was declared: an instrument of the catalogue, or a kind with range, unit and better.
    place
        Where the declaration stands, for the error.

    Raises
    ------
    ProtocolError
        With everything that is missing, unknown or contradictory in the declaration.
    """
    wrong: list[Problem] = []

    def complain(problem: str, remedy: str) -> None:
        wrong.append(Problem("error", place, problem, remedy))

    if entry.instrument is not None and entry.instrument not in OUTCOMES:
        complain(
            f'instrument "{entry.instrument}" is not in the catalogue.',
            did_you_mean(entry.instrument, OUTCOMES),
        )
    if entry.instrument is None and entry.kind is None:
        complain(
            "neither an instrument nor a kind is given.",
            'Write instrument = "nrs_pain", or kind, unit and better.',
        )
    if entry.instrument is None and entry.better is None:
        complain("better is not given.", 'Write better = "lower", "higher" or "neither": it is never guessed.')
    if entry.instrument is None and entry.kind in ("rating", "score") and entry.range is None:
        complain("the range of the scale is not given.", "Write range = [0, 10].")
    if entry.range is not None and entry.range[0] >= entry.range[1]:
        complain(f"range {list(entry.range)} does not rise.", "Write the lower end first.")
    if wrong:
        raise ProtocolError(wrong)
    known = OUTCOMES[entry.instrument] if entry.instrument else _own(name, cast("Kind", entry.kind))
    try:
        outcome = (
            known.in_unit(entry.unit) if entry.unit and known.unit else replace(known, unit=entry.unit or known.unit)
        )
    except ValueError as error:
        raise ProtocolError([Problem("error", place, f"{error}.", f'Known unit: "{known.unit}".')]) from None
    changed = {
        key: getattr(entry, key)
        for key in ("label", "kind", "better", "every", "source", "sem", "recall_days")
        if getattr(entry, key) is not None
    }
    if entry.range is not None:
        changed |= {"low": entry.range[0], "high": entry.range[1]}
    if entry.important_change is not None or entry.important_change_percent is not None:
        changed |= {
            "important_change": entry.important_change,
            "important_change_percent": entry.important_change_percent,
            "declared": True,
            "source": entry.source or "",
            "verified": "no",
        }
    return replace(outcome, name=name, **changed)


def _own(name: str, kind: Kind) -> Outcome:
    """Return the blank form of an outcome that is not in the catalogue."""
    label = name.replace("_", " ").capitalize()
    units = {"rating": "points", "score": "points", "minutes": "min", "yes_no": "days", "doses": "doses/day"}
    low = 0.0 if kind in (*AMOUNTS, "yes_no") else None
    high = {"yes_no": 1.0, "minutes": 1440.0}.get(kind)
    return Outcome(name, label, kind, units.get(kind, ""), low, high)


def read_protocol(path: str | os.PathLike[str]) -> Protocol:
    """What was planned and agreed?

    Parameters
    ----------
    path
        A TOML file, or a folder that holds ``protocol.toml``.

    Returns
    -------
    Protocol
        Without the sessions of a sessions file; `read_trial` adds them.

    Raises
    ------
    UsageError
        If there is no such file.
    ProtocolError
        With every unknown key, wrong value and contradiction in it.
    """
    return protocol_and_sessions(Path(path))[0]


def protocol_and_sessions(path: Path) -> tuple[Protocol, str | None]:
    """Return the protocol and the name of the sessions file it points to, if any."""
    file = path / PROTOCOL_FILE if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            [
                Problem(
                    "error",
                    str(path),
                    f"there is no {PROTOCOL_FILE} here.",
                    'Write one (see the README), or name a diary file: acu-nof1 report diary.csv --start DATE --outcome "Pain=nrs_pain".',
                )
            ]
        )
    try:
        raw = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(
            [
                Problem(
                    "error",
                    file.name,
                    f"this is not valid TOML: {error}.",
                    "Mend the line, or compare with a sample's protocol.",
                )
            ]
        ) from None
    return protocol_from(raw, file.name)


def protocol_from(raw: Mapping[str, Any], name: str = PROTOCOL_FILE) -> tuple[Protocol, str | None]:
    """Build a protocol from the tables of a TOML file.

    Raises
    ------
    ProtocolError
        With all complaints at once.
    """
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise ProtocolError(list(_complaints(error, name))) from None
    outcomes: list[Outcome] = []
    wrong: list[Problem] = []
    for key, entry in file.outcome.items():
        try:
            outcomes.append(declare(key, entry, f"{name} [outcome.{key}]"))
        except ProtocolError as error:
            wrong += error.problems
    marked = [key for key, entry in file.outcome.items() if entry.primary]
    if len(marked) > 1:
        wrong.append(
            Problem(
                "error",
                f"{name} [outcome]",
                f"{len(marked)} outcomes are marked primary: {', '.join(marked)}.",
                "Mark the one that carries the verdict.",
            )
        )
    if not marked and len(file.outcome) > 1:
        wrong.append(
            Problem(
                "error",
                f"{name} [outcome]",
                "no outcome is marked primary.",
                "Write primary = true under the outcome that carries the verdict.",
            )
        )
    primary = marked[0] if marked else next(iter(file.outcome), None)
    plan = file.trial.model_dump(exclude={"sessions"})
    protocol = Protocol(
        **plan,
        phases=file.phase,
        looks=file.reassess,
        outcomes=tuple(outcomes),
        primary=primary,
        success=file.success,
        safety=file.safety,
        sessions=file.session,
        events=tuple(sorted(file.event, key=lambda event: event.date)),
        diaries=file.diary,
    )
    wrong += contradictions(protocol, name) if not wrong else ()
    if sum(bool(given) for given in (file.session, file.sessions, file.trial.sessions)) > 1:
        wrong.append(
            Problem("error", name, "sessions are given in more than one way.", "Keep [[session]] or one sessions file.")
        )
    if wrong:
        raise ProtocolError(wrong)
    return protocol, file.sessions or file.trial.sessions


def _complaints(error: ValidationError, name: str) -> Iterator[Problem]:
    for each in error.errors():
        *path, key = each["loc"]
        place = " ".join([name, *_place(path)])
        if each["type"] == "extra_forbidden":
            yield Problem("error", place, f'key "{key}" is not known here.', did_you_mean(str(key), _known_keys(path)))
        elif each["type"] == "missing":
            yield Problem("error", place, f'key "{key}" is missing.', f"Add {key} = …")
        else:
            found = each["input"]
            shown = "" if isinstance(found, (dict, list, tuple)) else f" Found: {found!r}."
            yield Problem(
                "error",
                place,
                f'key "{key}": {each["msg"][0].lower()}{each["msg"][1:]}.{shown}',
                "Correct the value.",
            )


def _place(path: list[int | str]) -> list[str]:
    """Write a path of keys as it looks in the file: ``[[phase]] 2``, ``[outcome.pain]``."""
    if not path:
        return []
    if len(path) > 1 and isinstance(path[1], int):
        return [f"[[{path[0]}]] {path[1] + 1}", *(str(part) for part in path[2:])]
    return [f"[{'.'.join(str(part) for part in path)}]"]


def _known_keys(path: list[int | str]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {
        "trial": _Plan,
        "phase": Phase,
        "reassess": Look,
        "diary": DiaryFile,
        "outcome": OutcomeEntry,
        "success": Success,
        "safety": Profile,
        "session": Session,
        "event": Event,
    }
    return list((parts[str(path[0])] if path else _File).model_fields)
