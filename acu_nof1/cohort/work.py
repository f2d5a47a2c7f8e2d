"""What is done with one unit of work, wherever that happens."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from acu_nof1.cohort.cohort import MANIFEST_COLUMNS, PROBLEM_COLUMNS, joined, reassess_all
from acu_nof1.cohort.everybody import read_everybody
from acu_nof1.cohort.reading import read_trials
from acu_nof1.errors import AcuError
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.estimate.base import COLUMNS

if TYPE_CHECKING:
    from acu_nof1.cohort.units import Unit


@dataclass(frozen=True, eq=False)
class Done:
    """What came out of one unit.

    Attributes
    ----------
    key
        Of the unit.
    results, manifest, problems
        The rows of its people in the three tables.
    """

    key: str
    results: pd.DataFrame
    manifest: pd.DataFrame
    problems: pd.DataFrame


def work_off(unit: Unit, questions: tuple[str, ...] = (), confidence: float = 0.95) -> Done:
    """Read the people of one unit and reassess them.

    Parameters
    ----------
    unit
        The people.
    questions
        Names of the estimators; all where none is given.
    confidence
        Of the intervals.

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
        )
    chosen = [each for each in ESTIMATORS if not questions or each.question in questions]
    found = reassess_all(cohort, estimators=chosen, confidence=confidence)
    results = found.to_frame().replace([math.inf, -math.inf], math.nan)
    return Done(unit.key, results, found.manifest(), cohort.problems)
