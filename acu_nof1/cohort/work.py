"""What is done with one unit of work, wherever that happens."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from acu_nof1.cohort.cohort import MANIFEST_COLUMNS, PROBLEM_COLUMNS, joined, reassess_all
from acu_nof1.cohort.everybody import read_everybody
from acu_nof1.cohort.one import trial_of
from acu_nof1.cohort.people import PEOPLE_FILES, read_people
from acu_nof1.cohort.reading import read_trials
from acu_nof1.errors import AcuError
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.estimate.base import COLUMNS
from acu_nof1.load.trials import read_trial
from acu_nof1.reassessment import reassess
from acu_nof1.report import write_report
from acu_nof1.sessions import FRAME_COLUMNS, explored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from acu_nof1.cohort.cohort import Cohort
    from acu_nof1.cohort.units import Unit
    from acu_nof1.trial import Trial


@dataclass(frozen=True)
class Asked:
    """What is asked of everybody.

    Attributes
    ----------
    questions
        Names of the estimators; all where none is given.
    confidence
        Of the intervals.
    sessions
        Whether sessions and the course of the change are explored too.
    pages
        A folder for everybody's own page; ``None``: none is written.
    """

    questions: tuple[str, ...] = ()
    confidence: float = 0.95
    sessions: bool = False
    pages: Path | None = None


@dataclass(frozen=True, eq=False)
class Done:
    """What came out of one unit.

    Attributes
    ----------
    key
        Of the unit.
    results, manifest, problems
        The rows of its people in the three tables.
    sessions
        The rows on sessions and the course of the change, where they are asked.
    """

    key: str
    results: pd.DataFrame
    manifest: pd.DataFrame
    problems: pd.DataFrame
    sessions: pd.DataFrame | None = None


def work_off(unit: Unit, asked: Asked) -> Done:
    """Read the people of one unit and reassess them.

    Parameters
    ----------
    unit
        The people.
    asked
        What is asked of them.

    Returns
    -------
    Done
        A unit that cannot be read at all has one row in the manifest with the reason.
    """
    try:
        cohort = read_everybody(unit.folders[0]) if unit.shared else joined([read_trials(unit.folders, unit.repeated)])
    except AcuError as error:
        names = [folder.name for folder in unit.folders]
        told = [("", p.severity, p.where, p.problem, p.remedy) for p in error.problems]
        rows = [(name, "", "failed", str(error.problems[0]), 0, 0, "", name) for name in names]
        return Done(
            unit.key,
            pd.DataFrame(columns=list(COLUMNS)),
            pd.DataFrame(rows, columns=list(MANIFEST_COLUMNS)),
            pd.DataFrame(told, columns=list(PROBLEM_COLUMNS)),
            pd.DataFrame(columns=list(FRAME_COLUMNS)) if asked.sessions else None,
        )
    chosen = [each for each in ESTIMATORS if not asked.questions or each.question in asked.questions]
    found = reassess_all(cohort, estimators=chosen, confidence=asked.confidence)
    results = found.to_frame().replace([math.inf, -math.inf], math.nan)
    manifest, problems = found.manifest(), cohort.problems
    if asked.pages is not None:
        written = _written(unit, manifest, asked.confidence, asked.pages)
        problems = pd.concat([problems, written], ignore_index=True)
    return Done(unit.key, results, manifest, problems, _sessions(cohort) if asked.sessions else None)


def _sessions(cohort: Cohort) -> pd.DataFrame:
    """Sessions and the course of the change of everybody who could be read."""
    if cohort.comparisons is None:
        return pd.DataFrame(columns=list(FRAME_COLUMNS))
    return explored(cohort.comparisons, cohort.attended).to_frame()


def page_name(person: str) -> str:
    """Under which file name is this person's page? A code with other signs than letters, digits, - and _ gets a hash."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", person)[:80]
    return f"{plain}.html" if plain == person else f"{plain}-{hashlib.sha256(person.encode()).hexdigest()[:8]}.html"


def _trials(unit: Unit, manifest: pd.DataFrame) -> Iterator[tuple[str, Callable[[], Trial]]]:
    """Everybody of the unit who could be read, and how each one's trial is read."""
    readable = manifest[manifest["status"] != "failed"]
    if not unit.shared:
        folders = {folder.name: folder for folder in unit.folders}
        for person, place in zip(readable["person"], readable["place"], strict=True):
            yield person, partial(read_trial, folders[place])
        return
    (folder,) = unit.folders
    people = read_people(next(folder / name for name in PEOPLE_FILES if (folder / name).is_file()))
    for who, person in zip(readable.index.tolist(), readable["person"], strict=True):
        yield person, partial(trial_of, folder, people, who, person)


def _written(unit: Unit, manifest: pd.DataFrame, confidence: float, pages: Path) -> pd.DataFrame:
    """Write the page of everybody who could be read; one that cannot be written is a problem of that person."""
    failed = []
    for person, read in _trials(unit, manifest):
        making = pages / f"{page_name(person)}.tmp"
        try:
            write_report(reassess(read(), confidence=confidence), making)
        except AcuError as error:
            failed += [(person, p.severity, p.where, p.problem, p.remedy) for p in error.problems]
        if making.exists():
            making.replace(making.with_suffix(""))
    return pd.DataFrame(failed, columns=list(PROBLEM_COLUMNS), dtype="str")
