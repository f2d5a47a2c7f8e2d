"""A folder of trials, or one table of many people with a people table and one protocol, as a `Cohort`."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd
import tomli_w

from acu_nof1.checks import problems_of
from acu_nof1.cohort.cohort import PEOPLE_COLUMNS, PROBLEM_COLUMNS, Cohort, joined
from acu_nof1.cohort.everybody import read_everybody
from acu_nof1.cohort.people import PEOPLE_FILES
from acu_nof1.course import course_of
from acu_nof1.errors import AcuError, Problem, ProtocolError, UsageError
from acu_nof1.load.protocols import PROTOCOL_FILE, input_files
from acu_nof1.load.tables import bytes_of
from acu_nof1.load.trials import read_trial
from acu_nof1.privacy import is_code
from acu_nof1.sessions.dose import dose_of
from acu_nof1.trial import stack

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Container, Iterable, Sequence

    from acu_nof1.trial import Comparisons, Trial


def read_cohort(
    source: str | Path | pd.DataFrame,
    *,
    people: str | Path | pd.DataFrame | None = None,
    protocol: str | Path | None = None,
) -> Cohort:
    """Whose diaries are these, and what did each of them answer?

    Parameters
    ----------
    source
        A folder of trial folders; or a folder with one ``protocol.toml``, a people table (``people.csv``) and the diaries
        of everybody that the protocol names; or a table (CSV, Excel, Parquet, or a frame) with the columns person, date
        and a column for each outcome, or person, date, outcome, value.
    people
        With a table: the people table. Columns ``person``, ``baseline_start``, ``baseline_end``, ``treatment_start``,
        ``treatment_end`` (``baseline_2_start`` and so on for more phases, ``washout_…``, ``follow_up_…``), ``reassess_on``
        and ``window_days`` if they differ from what a protocol would say; anything else is kept as a covariate.
    protocol
        With a table: the protocol everybody shares, without phases.

    Returns
    -------
    Cohort
        A person whose diary, dates or protocol cannot be used is a row with the reason; the others go on.

    Raises
    ------
    AcuError
        If nobody can be read: no such folder, a table or protocol that cannot be understood.
    """
    if isinstance(source, pd.DataFrame) or people is not None or protocol is not None:
        return _of_table(source, people, protocol)
    folder = Path(source)
    if is_shared(folder):
        return read_everybody(folder)
    return joined([read_trials(trial_folders(folder))])


def _of_table(
    source: str | Path | pd.DataFrame, people: str | Path | pd.DataFrame | None, protocol: str | Path | None
) -> Cohort:
    """Put table, people and protocol into one folder, and read that."""
    given = (
        ("people", people is None, "the people table"),
        ("protocol", protocol is None, "the protocol everybody shares"),
    )
    if missing := [
        Problem("error", f"{name} =", "not given.", f"Give {what}.") for name, left_out, what in given if left_out
    ]:
        raise UsageError(missing)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        name = _put(source, folder, "diaries")
        _put(cast("str | Path | pd.DataFrame", people), folder, "people")
        _shared(Path(cast("str | Path", protocol)), folder / PROTOCOL_FILE, name)
        return read_everybody(folder)


def _put(table: str | Path | pd.DataFrame, folder: Path, name: str) -> str:
    if isinstance(table, pd.DataFrame):
        table.to_csv(folder / f"{name}.csv", index=False)
        return f"{name}.csv"
    path = Path(table)
    bytes_of(path)  # one that is missing, empty or a folder is an error in words
    shutil.copyfile(path, folder / f"{name}{path.suffix}")
    return f"{name}{path.suffix}"


def _shared(path: Path, target: Path, table: str) -> None:
    """Copy the protocol; how its diary file is read holds for the table."""
    if not path.is_file():
        raise UsageError([Problem("error", str(path), "there is no such file.", "Give the protocol everybody shares.")])
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProtocolError(
            [Problem("error", path.name, f"this is not valid TOML: {error}.", "Mend the line.")]
        ) from None
    declared = raw.get("diary")
    first = declared[0] if isinstance(declared, list) and declared and isinstance(declared[0], dict) else {}
    target.write_text(tomli_w.dumps({**raw, "diary": [{**first, "file": table}]}), encoding="utf-8")


def is_shared(folder: Path) -> bool:
    """Is this a folder with one protocol and a people table, rather than one of trial folders?"""
    return (folder / PROTOCOL_FILE).is_file() and any((folder / name).is_file() for name in PEOPLE_FILES)


def trial_folders(folder: Path) -> list[Path]:
    """Which trial folders are in this folder, by name?

    Raises
    ------
    UsageError
        If there are none.
    """
    found = sorted(path.parent for path in folder.glob(f"*/{PROTOCOL_FILE}")) if folder.is_dir() else []
    if not found:
        what = f"no trial folder (with a {PROTOCOL_FILE}) is in it, and no shared {PROTOCOL_FILE} with a people table."
        remedy = f"Give a folder of trial folders, or one with {PROTOCOL_FILE}, {PEOPLE_FILES[0]} and the diaries."
        raise UsageError([Problem("error", str(folder), what, remedy)])
    return found


def read_trials(folders: Sequence[Path], repeated: Container[str] = ()) -> Cohort:
    """Read these trial folders, one person each; one that cannot be used is a row with the reason.

    Parameters
    ----------
    folders
        Trial folders. Where a protocol names nobody, the folder's name does.
    repeated
        Names of folders whose person has another folder, which is read.
    """
    read = [_read(folder) for folder in folders]
    seen: set[str] = set()
    for one in read:
        if one.person in seen or one.place in repeated:
            one.fail("another folder is of the same person", "Give each person one folder, or another code.")
            one.person = f"{one.person} ({one.place})"
        seen.add(one.person)
    held = [one for one in read if one.comparisons is not None]
    return Cohort(
        pd.DataFrame([one.row for one in read], columns=list(PEOPLE_COLUMNS)),
        pd.DataFrame([one.covariates for one in read], index=pd.Index([one.person for one in read], name="person")),
        _stacked(held),
        pd.DataFrame(
            [(one.person, p.severity, p.where, p.problem, p.remedy) for one in read for p in one.problems],
            columns=list(PROBLEM_COLUMNS),
        ),
        attended={one.person: one.attended for one in held},
    )


@dataclass(eq=False)
class _Read:
    """One person's folder while it is read."""

    person: str
    place: str
    digest: str
    problems: tuple[Problem, ...] = ()
    comparisons: Comparisons | None = None
    overruled: str = ""
    covariates: dict[str, object] | None = None
    attended: tuple[dt.date, ...] = ()
    reason: str = ""

    def fail(self, reason: str, remedy: str = "") -> None:
        self.comparisons, self.reason = None, reason
        self.problems = (Problem("error", self.place, f"{reason}.", remedy), *self.problems)

    @property
    def row(self) -> tuple[object, ...]:
        answered, asked = _days(self.comparisons)
        return self.person, self.reason, self.overruled, answered, asked, self.digest, self.place


def _read(folder: Path) -> _Read:
    one = _Read(folder.name if is_code(folder.name) else "person", folder.name if is_code(folder.name) else "folder",
                digest_of_trial(folder), covariates={})  # fmt: skip
    try:
        trial = read_trial(folder)
        one.person = trial.protocol.code or one.person
        one.problems = problems_of(trial)
        one.covariates = _covariates(trial)
        one.overruled = trial.safety.overrules or ""
        if one.problems and one.problems[0].severity == "error":
            one.reason = _in_short(one.problems)
            return one
        look = trial.default_look()
        course = course_of(trial, look)
        one.covariates |= dose_of(course)
        one.attended = course.attended
        one.comparisons = trial.at(look).comparisons(look)
    except AcuError as error:
        one.problems, one.reason = error.problems, _in_short(error.problems)
    return one


def _in_short(problems: Iterable[Problem]) -> str:
    """The errors as one line of the manifest."""
    errors = [f"{each.where}: {each.problem}" for each in problems if each.severity == "error"]
    return errors[0] + (f" And {len(errors) - 1} more." if len(errors) > 1 else "")


def _covariates(trial: Trial) -> dict[str, object]:
    protocol, first = trial.protocol, trial.protocol.first_treatment
    weeks = None if first is None else sum(p.days for p in protocol.phases if p.kind == "treatment") / 7
    return {"condition": protocol.condition, "sessions": len(protocol.attended), "weeks": weeks}


def digest_of_trial(folder: Path) -> str:
    """Hash everything that is read of a trial folder."""
    found = hashlib.sha256()
    for path in sorted({*input_files(folder), folder / PROTOCOL_FILE}):
        if path.is_file():
            found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _days(series: Comparisons | None) -> tuple[int, int]:
    """Days of the primary outcome that are used, and how many of them were answered."""
    if series is None or not series.primary.any():
        return 0, 0
    own = series.take(series.primary)
    return int(own.answered.sum()), int((own.phase >= 0).sum())


def _stacked(held: Sequence[_Read]) -> Comparisons | None:
    parts = [replace(one.comparisons, person=(one.person,) * len(one.comparisons)) for one in held if one.comparisons]
    return stack(parts) if any(map(len, parts)) else None
