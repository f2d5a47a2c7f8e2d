"""Everybody's diaries in shared tables: one protocol, one people table, and each person judged alone."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from acu_nof1.cohort.cohort import PEOPLE_COLUMNS, PROBLEM_COLUMNS, Cohort
from acu_nof1.cohort.people import PEOPLE_FILES, People, read_people
from acu_nof1.diary import Source, reduction
from acu_nof1.errors import AcuError, Problem, ProtocolError, UnreadableFileError
from acu_nof1.load.cells import BLANK, NO_DATE, SAME_TWICE, SEVERAL
from acu_nof1.load.complaints import OTHER_SCALE, TOO_MANY_REJECTED, examples, is_listed, lowest_tenth, place, too_short
from acu_nof1.load.files import ReadFile, outside, read_file
from acu_nof1.load.protocols import PROTOCOL_FILE, protocol_from
from acu_nof1.load.tables import digest_of
from acu_nof1.privacy import is_code, without_names
from acu_nof1.protocol import Look, contradictions
from acu_nof1.trial import COMPARED, NO_DAY, ONE_DAY, VISIT_TOLERANCE, Schedule, compared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from acu_nof1.errors import Severity
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Protocol
    from acu_nof1.trial import Comparisons

# Stand in for the dates of a person while the rest of a shared protocol is looked through.
_SOME_PHASES = [
    {"kind": "baseline", "start": "2026-01-01", "end": "2026-01-14"},
    {"kind": "treatment", "start": "2026-01-15", "end": "2026-12-31"},
]


def read_everybody(folder: Path) -> Cohort:
    """Read a folder with one protocol, the people table and the diaries of everybody.

    Parameters
    ----------
    folder
        With ``protocol.toml`` (outcomes and diary files, no phases) and ``people.csv``.

    Raises
    ------
    AcuError
        If the protocol, the people table or a diary file as a whole cannot be understood.
    """
    file = folder / PROTOCOL_FILE
    protocol = shared_protocol(file)
    people_file = next(folder / name for name in PEOPLE_FILES if (folder / name).is_file())
    wrong: list[Problem] = [found for each in protocol.diaries if (found := outside(each.file, folder))]
    read: list[ReadFile] = []
    for each in () if wrong else protocol.diaries:
        try:
            name = without_names(each.file.rsplit("/", 1)[-1])
            read.append(read_file(each, name, folder, protocol.outcomes, everybody=True))
        except AcuError as error:
            wrong += error.problems
    try:
        people = read_people(people_file)
    except AcuError as error:
        wrong += error.problems
    if wrong:
        raise UnreadableFileError(wrong)
    sources = [Source(path.name, digest_of(path), kind) for path, kind in ((file, "protocol"), (people_file, "people"))]
    return _cohort(protocol, people, read, tuple(sources) + tuple(each.source for each in read))


def shared_protocol(file: Path) -> Protocol:
    """Read the protocol that everybody shares: what was asked and how the files are read; dates are in the people table.

    Raises
    ------
    ProtocolError
        With every complaint.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProtocolError(
            [Problem("error", file.name, f"this is not valid TOML: {error}.", "Mend the line.")]
        ) from None
    own = [key for key in ("phase", "reassess", "session", "sessions", "event", "safety") if key in raw]
    wrong = [Problem("error", f"{file.name} [[{key}]]", "everybody has their own.",
                     "Leave it out: dates stand in the people table. Sessions and safety need a folder for each person.")
             for key in own]  # fmt: skip
    rest = {key: part for key, part in raw.items() if key not in own}
    try:
        protocol, _ = protocol_from({**rest, "phase": _SOME_PHASES}, file.name)
    except ProtocolError as error:
        raise ProtocolError([*wrong, *error.problems]) from None
    if not protocol.diaries:
        wrong.append(
            Problem(
                "error", f"{file.name} [[diary]]", "no diary file is named.", 'Add [[diary]] with file = "diaries.csv".'
            )
        )
    if wrong:
        raise ProtocolError(wrong)
    return protocol.model_copy(update={"phases": ()})


def _cohort(protocol: Protocol, people: People, read: Sequence[ReadFile], sources: tuple[Source, ...]) -> Cohort:
    outcomes = [o for o in protocol.outcomes if not o.is_global and (o.better != "neither" or o.every == "day")]
    cells = _with_person(read)
    names, position = _everybody(people, cells)
    cells["who"] = cells["person"].map(position).to_numpy(dtype=np.int64)
    answers = pd.concat(
        [_settled(outcome, number, cells) for number, outcome in enumerate(outcomes)], ignore_index=True
    )
    problems, reasons = _problems(cells, answers, outcomes)
    for who, found in _cannot(protocol, people, answers, len(names)).items():
        reasons.setdefault(who, found[0].problem)
        problems[who] = [*found, *problems.get(who, ())]
    usable = np.array([who for who in range(len(people.person)) if who not in reasons], dtype=np.int64)
    series = _comparisons(protocol, people, outcomes, answers, usable, names) if usable.size else None
    codes, shared = [names[who] for who in range(len(names))], [p for each in read for p in each.problems]
    told = [("", p.severity, p.where, p.problem, p.remedy) for p in shared]
    told += [(codes[who], p.severity, p.where, p.problem, p.remedy) for who in sorted(problems) for p in problems[who]]
    rows = _rows(codes, reasons, series, people)
    covariates = people.covariates.reindex(range(len(codes))).set_axis(pd.Index(codes, name="person"))
    return Cohort(
        pd.DataFrame(rows, columns=list(PEOPLE_COLUMNS)),
        covariates.assign(weeks=_weeks(people, len(codes))),
        series,
        pd.DataFrame(told, columns=list(PROBLEM_COLUMNS)),
        sources,
    )


def _with_person(read: Sequence[ReadFile]) -> pd.DataFrame:
    """The cells of all files, and what was computed from them, each with its person."""
    parts = [
        frame.assign(person=file.whose.reindex(frame["row"]).to_numpy(dtype=object))
        for file in read
        if file.whose is not None
        for frame in (*file.cells, file.derived.assign(column="", raw="", status="derived", rule="", remedy=""))
    ]
    return pd.concat(parts, ignore_index=True).astype({"value": float})


def _everybody(people: People, cells: pd.DataFrame) -> tuple[list[str], dict[str, int]]:
    """Under which name does each person appear? Those of the people table first, then who is only in the diaries."""
    position: dict[str, int] = {}
    for who, person in enumerate(people.person):
        position.setdefault(person, who)
    others = [str(person) for person in pd.unique(cells["person"]) if str(person) not in position]
    found = [*people.person, *others]
    position |= {person: len(people.person) + at for at, person in enumerate(others)}
    first = {person: who for who, person in reversed(list(enumerate(found)))}
    return [
        person if person and is_code(person) and first[person] == who else f"person {who + 1}" if person else "nobody"
        for who, person in enumerate(found)
    ], position


def _settled(outcome: Outcome, number: int, cells: pd.DataFrame) -> pd.DataFrame:
    """One value a person and day: the same value twice counts once, different ones are reduced to one."""
    own = cells[((cells["outcome"] == outcome.name) & cells["value"].notna() & cells["date"].notna()).to_numpy()]
    values = own[["who", "date", "value"]].groupby(["who", "date"], sort=True)["value"]
    how, _ = reduction(outcome, "mean")
    found = pd.DataFrame(
        {"first": values.min(), "last": values.max(), "value": values.agg(how), "times": values.size()}
    )
    found["value"] = found["value"].where(found["first"] != found["last"], found["first"])
    found["several"] = found["first"] != found["last"]
    return found.reset_index()[["who", "date", "value", "times", "several"]].assign(outcome=number)


def _problems(
    cells: pd.DataFrame, answers: pd.DataFrame, outcomes: Sequence[Outcome]
) -> tuple[dict[int, list[Problem]], dict[int, str]]:
    """What should be known of each person's cells, and who cannot be used because of them."""
    found: dict[int, list[Problem]] = {}
    for who, problem in (
        *_refused(cells),
        *_unlikely(cells, answers, outcomes),
        *_touched(cells),
        *_twice(answers, outcomes),
    ):
        found.setdefault(who, []).append(problem)
    errors = {who: [each for each in problems if each.severity == "error"] for who, problems in found.items()}
    return found, {who: each[0].problem for who, each in errors.items() if each}


def _refused(cells: pd.DataFrame) -> Iterator[tuple[int, Problem]]:
    """Columns in which too many answers of a person were refused."""
    answered = (cells["rule"] != BLANK.name) & (cells["status"] != "derived")
    refused = (cells["status"] == "rejected") & ~cells["rule"].isin([SAME_TWICE.name, NO_DATE.name])
    by = [cells[name] for name in ("who", "file", "column", "outcome")]
    counts = pd.DataFrame({"refused": refused, "answered": answered}).groupby(by, sort=False).sum()
    mostly = counts[counts["refused"] > TOO_MANY_REJECTED * counts["answered"]]
    for who, file, column, outcome, none, of in mostly.reset_index().itertuples(index=False):
        what = f"{none} of {of} answers to {outcome} were not read."
        yield who, Problem("error", place(file, column), what, OTHER_SCALE)


def _unlikely(cells: pd.DataFrame, answers: pd.DataFrame, outcomes: Sequence[Outcome]) -> Iterator[tuple[int, Problem]]:
    """Numbers of another unit: asked only where they would show, of minutes of sleep and lines of 100 mm."""
    for number, outcome in enumerate(outcomes):
        if (outcome.kind == "minutes" and outcome.domain == "sleep") or outcome.unit == "mm":
            column = cells[(cells["outcome"] == outcome.name).to_numpy()].head(1)
            for who, own in answers[answers["outcome"] == number].groupby("who")["value"]:
                for each in (*too_short(outcome, own, column), *lowest_tenth(outcome, own, column)):
                    yield cast("int", who), each


def _touched(cells: pd.DataFrame) -> Iterator[tuple[int, Problem]]:
    """Cells that were not taken as they stood."""
    listed = cells[is_listed(cells) & (cells["status"] != "derived").to_numpy()]
    for (who, file, column, rule), group in listed.groupby(["who", "file", "column", "rule"], sort=False):
        remedy = str(group["remedy"].iloc[0])
        where = place(str(file), str(column), np.sort(group["row"].unique()))
        severity: Severity = "warning" if remedy else "note"
        yield cast("int", who), Problem(severity, where, f"{examples(group['raw'])}: {rule}.", remedy)


def _twice(answers: pd.DataFrame, outcomes: Sequence[Outcome]) -> Iterator[tuple[int, Problem]]:
    """Days on which a person gave several different answers."""
    several = answers[answers["several"]].groupby(["who", "outcome"]).size().reset_index()
    for who, number, days in several.itertuples(index=False):
        outcome = outcomes[number]
        on = f"on {days} {'day' if days == 1 else 'days'}"
        what = f"{outcome.name}: {SEVERAL.name}, {on}: {reduction(outcome, 'mean')[1]}."
        yield who, Problem("warning", "diary", what, "Keep one answer a day.")


def _cannot(protocol: Protocol, people: People, answers: pd.DataFrame, everybody: int) -> dict[int, list[Problem]]:
    """Whose dates contradict themselves, who has no diary, and who is in the diaries only?"""
    has = np.zeros(everybody, dtype=bool)
    has[answers["who"].to_numpy(dtype=np.int64)] = True
    found: dict[int, list[Problem]] = {who: list(problems) for who, problems in people.wrong.items()}
    for who, phases in enumerate(people.phases):
        row = place(people.file, "treatment_start", [people.row[who]])
        found_here = [Problem("error", row, each.problem, each.remedy)
                      for each in contradictions(protocol.model_copy(update={"phases": phases}))]  # fmt: skip
        treatment = next((phase.start for phase in phases if phase.kind == "treatment"), None)
        look = people.looked_on[who]
        if treatment is not None and not np.isnat(look) and look <= np.datetime64(treatment):
            what = f"the reassessment on {look} is not after the start of treatment on {treatment}."
            found_here.append(Problem("error", row, what, "Correct one of the two dates."))
        if not has[who] and not found_here:
            found_here.append(
                Problem("error", row, "no answer of this person was found in the diaries.", "Compare the codes.")
            )
        if found_here:
            found.setdefault(who, []).extend(found_here)
    for who in range(len(people.person), everybody):
        what = "this person is in the diaries and not in the people table."
        found[who] = [Problem("error", people.file, what, "Add a row with the dates of the phases.")]
    return found


def _comparisons(
    protocol: Protocol, people: People, outcomes: Sequence[Outcome], answers: pd.DataFrame,
    usable: npt.NDArray[np.int64], names: Sequence[str],
) -> Comparisons:  # fmt: skip
    phases = [people.phases[who] for who in usable]
    used = [[phase for phase in own if phase.kind in COMPARED] for own in phases]
    most = max(map(len, used))

    def padded(of: str) -> npt.NDArray[np.datetime64]:
        rows = [
            [np.datetime64(getattr(phase, of), "D") for phase in own] + [NO_DAY] * (most - len(own)) for own in used
        ]
        return np.array(rows, dtype="datetime64[D]")

    begin, end = padded("start"), padded("end")
    treats = np.array([[phase.kind == "treatment" for phase in own] + [False] * (most - len(own)) for own in used])
    looked_on = people.looked_on[usable]
    looked_on = np.where(np.isnat(looked_on), np.fmax.reduce(end, axis=1) + ONE_DAY, looked_on)
    place_of = np.full(len(names), -1)
    place_of[usable] = np.arange(usable.size)
    rows = answers[place_of[answers["who"].to_numpy(dtype=np.int64)] >= 0]
    at, days = place_of[rows["who"].to_numpy(dtype=np.int64)], rows["date"].to_numpy().astype("datetime64[D]")
    first = np.minimum(np.array([np.datetime64(own[0].start, "D") for own in phases]), looked_on)
    answered_first = np.full(usable.size, np.datetime64("9999-01-01", "D"))
    np.minimum.at(answered_first, at, days)
    schedule = Schedule(
        first=np.minimum(first, answered_first),
        last=looked_on + VISIT_TOLERANCE * ONE_DAY,
        begin=begin,
        end=end,
        treats=treats,
        run_in_days=np.full(usable.size, protocol.run_in_days),
        looked_on=looked_on,
        window_days=np.where(
            people.window_days[usable] > 0, people.window_days[usable], protocol.window_days(Look(after_session=1))
        ),
    )
    values = np.full((usable.size, len(outcomes), schedule.width), np.nan)
    column = (days - schedule.first[at]).astype(int)
    inside = column < schedule.width
    values[at[inside], rows["outcome"].to_numpy(dtype=np.int64)[inside], column[inside]] = rows["value"].to_numpy()[
        inside
    ]
    return compared(schedule, [names[who] for who in usable], outcomes, protocol.primary, values)


def _rows(
    codes: Sequence[str], reasons: dict[int, str], series: Comparisons | None, people: People
) -> list[tuple[object, ...]]:
    days: dict[str, tuple[int, int, str]] = {}
    if series is not None:
        primary = np.flatnonzero(series.primary)
        answered, asked = series.answered.sum(axis=1), (series.phase >= 0).sum(axis=1)
        digests = _digests(series)
        days = {
            series.person[row]: (int(answered[row]), int(asked[row]), digests[series.person[row]]) for row in primary
        }
    rows: list[tuple[object, ...]] = []
    for who, code in enumerate(codes):
        done, of, digest = days.get(code, (0, 0, ""))
        where = f"row {people.row[who]}" if who < len(people.person) else ""
        rows.append((code, reasons.get(who, ""), "", done, of, digest, where))
    return rows


def _digests(series: Comparisons) -> dict[str, str]:
    """Hash, for each person, everything that the estimators are given of them."""
    found: dict[str, Any] = {}
    asked = series.each(repr)
    for row, person in enumerate(series.person):
        each = found.setdefault(person, hashlib.sha256())
        each.update(asked[row].encode())
        used = slice(0, int(np.flatnonzero(series.tau[row] | (series.phase[row] >= 0))[-1:].max(initial=0)) + 1)
        for name in ("values", "phase", "treated", "window", "tau"):
            each.update(np.ascontiguousarray(getattr(series, name)[row, used]).tobytes())
        for name in ("primary", "start", "looked_on", "window_days"):
            each.update(getattr(series, name)[row].tobytes())
    return {person: each.hexdigest() for person, each in found.items()}


def _weeks(people: People, everybody: int) -> npt.NDArray[np.float64]:
    weeks = [sum(phase.days for phase in own if phase.kind == "treatment") / 7 for own in people.phases]
    return np.array([*weeks, *[np.nan] * (everybody - len(weeks))])
