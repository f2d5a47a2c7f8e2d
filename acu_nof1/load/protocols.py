"""Read a protocol from TOML: unknown keys are errors that suggest the nearest known one."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from acu_nof1.errors import Problem, ProtocolError, UsageError, did_you_mean
from acu_nof1.outcomes import AMOUNTS, OUTCOMES, Better, Derived, EffectPrior, Every, How, Kind, Outcome
from acu_nof1.privacy import masked, quoted
from acu_nof1.protocol import (
    DiaryFile,
    Draw,
    Event,
    Look,
    Phase,
    Profile,
    Protocol,
    Session,
    Success,
    contradictions,
)
from acu_nof1.scoring import SCALES, cannot_score, in_form

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PROTOCOL_FILE = "protocol.toml"
LISTS = ("phase", "reassess", "diary", "session", "event")
DAYS = ("start", "end", "randomised_from", "randomised_to", "on", "date", "agreed_on")
_PARTS = (*LISTS, "outcome", "success", "trial", "safety", "drawn")
# What pydantic's complaints mean, by how their type begins.
WANTED = {
    "date": ("a date is expected", "Write {key} = 2026-01-19, without a time and without quotation marks."),
    "bool": ("true or false is expected", "Write {key} = true or {key} = false."),
    "int": ("a whole number is expected", "Write {key} = 6, without quotation marks."),
    "float": ("a number is expected", "Write {key} = 2.0, without quotation marks."),
    "string": ("text is expected", 'Write {key} = "…", between quotation marks.'),
    "too_": ("two numbers are expected", "Write {key} = [0, 10]."),
    "dict": ("a table of names and values is expected", 'Write {key} = {{name = "…"}}.'),
    "model": ("a table is expected", "Write [{table}] on a line of its own, and its keys below it."),
    "finite": ("a finite number is expected", "Write {key} = 2.0."),
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Plan(_Part):
    person: str = ""
    condition: str = ""
    goal: str = ""
    agreed_on: dt.date | None = None
    planned_sessions: int | None = Field(default=None, ge=1)
    run_in_days: int = Field(default=0, ge=0)
    show_notes: bool = False
    sessions: str | None = None


class PriorEntry(_Part):
    """A normal prior of an outcome's change."""

    mean: float
    sd: float = Field(gt=0)
    source: str = ""


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
    derived: How | None = None
    of: str | None = None
    level: float | None = None
    rise: float | None = Field(default=None, gt=0)
    floor: float | None = None
    labels: tuple[str, ...] | None = None
    items: tuple[str, ...] | None = None
    form: str | None = None
    item_range: tuple[float, float] | None = None
    effect_prior: PriorEntry | None = None
    primary: bool = False


class _File(_Part):
    trial: _Plan = _Plan()
    phase: tuple[Phase, ...] = ()
    drawn: Draw | None = None
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

    for key in DERIVED_KEYS:
        if getattr(entry, key) is not None:
            complain(
                f'key "{key}" belongs to an outcome that is computed.', 'Write derived = "flare_days", or another.'
            )
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
    for problem, remedy in _scoring_problems(entry):
        complain(problem, remedy)
    if wrong:
        raise ProtocolError(wrong)
    known = OUTCOMES[entry.instrument] if entry.instrument else _own(name, cast("Kind", entry.kind))
    known = in_form(known, entry.form) if entry.form else known
    try:
        outcome = (
            known.in_unit(entry.unit) if entry.unit and known.unit else replace(known, unit=entry.unit or known.unit)
        )
    except ValueError as error:
        raise ProtocolError([Problem("error", place, f"{error}.", f'Known unit: "{known.unit}".')]) from None
    changed: dict[str, Any] = {
        key: getattr(entry, key)
        for key in ("label", "kind", "better", "every", "source", "sem", "recall_days", "labels", "items", "item_range")
        if getattr(entry, key) is not None
    }
    if entry.range is not None:
        changed |= {"low": entry.range[0], "high": entry.range[1]}
    if entry.effect_prior is not None:
        changed["effect_prior"] = EffectPrior(**entry.effect_prior.model_dump())
    if entry.important_change is not None or entry.important_change_percent is not None:
        changed |= {
            "important_change": entry.important_change,
            "important_change_percent": entry.important_change_percent,
            "declared": True,
            "source": entry.source or "",
            "verified": "no",
        }
    return replace(outcome, name=name, **{**changed, "label": masked(changed.get("label", outcome.label))})


def _scoring_problems(entry: OutcomeEntry) -> Iterator[tuple[str, str]]:
    """Say what stands against scoring an outcome as it was declared, and what to do about it."""
    items = entry.items or ()
    if entry.items is not None and not items:
        yield "items is empty.", "Name the columns of its items, or take items out."
    yield from cannot_score(entry.instrument or "", entry.form or "", items, entry.item_range)
    scale = SCALES.get(entry.instrument or "")
    if scale is None or not (items or entry.form):
        return
    for key in ("kind", "unit", "range"):
        if getattr(entry, key) is not None:
            yield (
                f'key "{key}" cannot stand beside {"items" if items else "form"}.',
                f"Take {key} out: the rule sets it.",
            )
    right = OUTCOMES[entry.instrument or ""].better
    if items and entry.better not in (None, right) and not scale.either_way:
        yield f'better = "{entry.better}", but this score is better when {right}.', "Take better out."


DERIVED_KEYS = ("of", "level", "rise", "floor")
# What a computed outcome has from the other one.
INHERITED = ("instrument", "kind", "unit", "range", "every", "sem", "recall_days", "labels", "effect_prior",
             "items", "form", "item_range")  # fmt: skip


def computed(name: str, entry: OutcomeEntry, declared: Mapping[str, Outcome], place: str) -> Outcome:
    """Which outcome does this declaration compute from another?

    Parameters
    ----------
    name, entry, place
        As for `declare`.
    declared
        The outcomes that the diary asks itself. Whether the other one is there, and fits, is for
        `contradictions` to say.

    Raises
    ------
    ProtocolError
        With every key that a computed outcome cannot have.
    """
    wrong = [
        Problem("error", place, f'key "{key}" cannot stand beside derived.', f"Take {key} out: these are yes/no days.")
        for key in INHERITED
        if getattr(entry, key) is not None
    ]
    if wrong:
        raise ProtocolError(wrong)
    how = cast("How", entry.derived)
    derived = Derived(how, entry.of or "", entry.level, entry.rise, entry.floor)
    of = declared.get(derived.of)
    return replace(
        _own(name, "yes_no"),
        label=masked(entry.label or _own(name, "yes_no").label),
        better=entry.better or derived.better("lower" if of is None else of.better),
        domain="flare" if how == "flare_days" else "" if of is None else of.domain,
        important_change=entry.important_change,
        important_change_percent=entry.important_change_percent,
        declared=entry.important_change is not None or entry.important_change_percent is not None,
        source=entry.source or "",
        derived=derived,
    )


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
    except UnicodeDecodeError:
        what = "the text is not UTF-8."
        raise ProtocolError([Problem("error", file.name, what, "Open it in an editor and save it as UTF-8.")]) from None
    except tomllib.TOMLDecodeError as error:
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
    file, wrong, broken = _validated(raw, name)
    found: dict[str, Outcome] = {}
    # What is computed needs to know what it is computed from, wherever that stands in the file.
    for key, entry in sorted(file.outcome.items(), key=lambda item: item[1].derived is not None):
        place = f"{name} [outcome.{key}]"
        try:
            found[key] = declare(key, entry, place) if entry.derived is None else computed(key, entry, found, place)
        except ProtocolError as error:
            wrong += error.problems
            broken |= {"outcome", "success"}
    outcomes = [found[key] for key in file.outcome if key in found]
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
    if not marked and len(file.outcome) > 1 and "outcome" not in broken:
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
        drawn=file.drawn,
        looks=file.reassess,
        outcomes=tuple(outcomes),
        primary=primary,
        success=file.success,
        safety=file.safety,
        sessions=file.session,
        events=tuple(sorted(file.event, key=lambda event: event.date)),
        diaries=file.diary,
    )
    wrong += [problem for problem in contradictions(protocol, name) if _is_about(problem, name) not in broken]
    if protocol.drawn is not None and not wrong:
        # A plan without a drawn order needs no designs, and starts without loading them.
        from acu_nof1.randomisation import not_as_drawn

        wrong += not_as_drawn(protocol, name)
    if sum(bool(given) for given in (file.session, file.sessions, file.trial.sessions)) > 1:
        wrong.append(
            Problem("error", name, "sessions are given in more than one way.", "Keep [[session]] or one sessions file.")
        )
    if wrong:
        raise ProtocolError(wrong)
    return protocol, file.sessions or file.trial.sessions


def input_files(path: Path) -> Iterator[Path]:
    """Which files does this trial read, as far as its protocol can be understood? Never an error."""
    file = path / PROTOCOL_FILE if path.is_dir() else path
    yield file
    try:
        raw = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError):
        return
    plan, diaries = raw.get("trial"), raw.get("diary")
    files = [part for part in (diaries if isinstance(diaries, list) else [diaries]) if _is_table(part)]
    named = [part.get(key) for part in files for key in ("file", "dictionary")]
    named += [raw.get("sessions"), plan.get("sessions") if _is_table(plan) else None]
    yield from (file.parent / each for each in named if isinstance(each, str))


def _is_table(part: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(part, dict)


# ------------------------------------------------------------------ the shape of the file


def _validated(raw: Mapping[str, Any], name: str) -> tuple[_File, list[Problem], set[str]]:
    """Return what can be understood, every complaint about the rest, and the tables that are not whole."""
    shaped, wrong = _shaped(raw, name)
    broken = {part for part in _PARTS if any(_is_about(problem, name) == part for problem in wrong)}
    while True:
        try:
            return _File.model_validate(shaped), wrong, broken
        except ValidationError as error:
            wrong += _complaints(error, name)
            parts = {str(each["loc"][0]) for each in error.errors()}
            broken |= parts | ({"success"} if "outcome" in parts else set())
            shaped = _without(shaped, [each["loc"] for each in error.errors()])


def _shaped(raw: Mapping[str, Any], name: str) -> tuple[dict[str, Any], list[Problem]]:
    """Mend the brackets of tables that were written in the wrong number, and say so."""
    shaped = dict(raw)
    wrong: list[Problem] = []
    for key in LISTS:
        if _is_table(shaped.get(key)):
            what = f"there may be several of these, and the brackets must say so: write [[{key}]]."
            wrong.append(Problem("error", f"{name} [{key}]", what, "Put it in double brackets."))
            shaped[key] = [shaped[key]]
        if isinstance(shaped.get(key), list):
            shaped[key] = [_with_days(part) if _is_table(part) else part for part in shaped[key]]
    if _is_table(plan := shaped.get("trial")):
        shaped["trial"] = _with_days(plan)
    outcome = shaped.get("outcome", {})
    bare = not _is_table(outcome) or any(not _is_table(entry) for entry in outcome.values())
    if bare:
        what = "every outcome needs a name of its own: write [outcome.pain]."
        place = f"{name} [[outcome]]" if isinstance(outcome, list) else f"{name} [outcome]"
        wrong.append(Problem("error", place, what, "Put the name of the outcome behind the point."))
        named = outcome.items() if _is_table(outcome) else ()
        shaped["outcome"] = {key: entry for key, entry in named if _is_table(entry)}
    return shaped, wrong


def _with_days(part: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a bare number from being read as a Unix time."""
    return {
        key: f"the number {value}"
        if key in DAYS and re.fullmatch(r"[-+.\d]+", str(value)) and not _iso(value)
        else value
        for key, value in part.items()
    }


def _iso(value: object) -> bool:
    """Whether this is a date, or text that is written like one."""
    return isinstance(value, dt.date) or re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) is not None


def _without(raw: Mapping[str, Any], places: Iterable[tuple[int | str, ...]]) -> dict[str, Any]:
    """Leave out the parts that were complained about: an unknown key, an outcome, or a whole table."""
    left = dict(raw)
    for place in places:
        part = left.get(str(place[0]))
        if place[0] == "outcome" and len(place) > 1 and _is_table(part):
            left["outcome"] = {key: entry for key, entry in part.items() if key != place[1]}
        else:
            left.pop(str(place[0]), None)
    return left


def _is_about(problem: Problem, name: str) -> str:
    """Which table of the file is this complaint about?"""
    found = re.match(r"\[+(\w+)", problem.where.removeprefix(name).strip())
    return found[1] if found else ""


def _complaints(error: ValidationError, name: str) -> Iterator[Problem]:
    for each in error.errors():
        *path, key = each["loc"]
        if isinstance(key, int) and len(path) > 1:
            *path, key = path  # an entry of a list of values
        place = " ".join([name, *_place(path)])
        if each["type"] == "extra_forbidden":
            yield Problem("error", place, f'key "{key}" is not known here.', did_you_mean(str(key), _known_keys(path)))
        elif each["type"] == "missing":
            yield Problem("error", place, f'key "{key}" is missing.', f"Add {key} = …")
        else:
            found = each["input"]
            shown = "" if isinstance(found, (dict, list, tuple)) else f" Found: {_written(found)}."
            kind = "too_short" if key == "range" else each["type"]
            what, remedy = _wanted(kind, [*path, key], each.get("ctx", {}), found)
            yield Problem("error", place, f'key "{key}": {what or _lower(each["msg"])}.{shown}', remedy)


def _wanted(kind: str, path: Sequence[int | str], limits: Mapping[str, Any], found: object) -> tuple[str, str]:
    """Say in plain words what pydantic expected, and what to write; ``""`` for its own words."""
    key, table = str(path[-1]), ".".join(map(str, path))
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(limits.get("expected", "")))
        return f"one of {', '.join(known)} is expected", did_you_mean(str(found), known)
    if kind in ("tuple_type", "list_type", "set_type"):
        example = _written(found) if isinstance(found, str) else "..."
        return "a list is expected", f"Write {key} = [{example}]."
    for start, (what, remedy) in WANTED.items():
        if kind.startswith(start):
            return what, remedy.format(key=key, table=table)
    return "", "Correct the value."


def _written(value: object) -> str:
    """Write a value as it stands in the file, a text between quotation marks."""
    if isinstance(value, str):
        return f'"{quoted(value)}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


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
        "drawn": Draw,
        "reassess": Look,
        "diary": DiaryFile,
        "outcome": OutcomeEntry,
        "success": Success,
        "safety": Profile,
        "session": Session,
        "event": Event,
    }
    part = PriorEntry if path[-1:] == ["effect_prior"] else parts[str(path[0])] if path else _File
    return list(part.model_fields)
