"""Dose: does the change go with how much treatment people had? Sessions, time with needles, electrical stimulation (STRICTA).

Over people of a cohort, one regression for each part of the dose, so that somebody whose log lacks one is still in the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.explore.meta_regression import meta_regression
from acu_nof1.sessions.ranges import NOT_KNOWN, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike

    from acu_nof1.course import Course

DOSE = ("sessions", "retention_min", "electrical")
"""Attended sessions; minutes the needles stay (median); share of the sessions with electrical stimulation."""
ELECTRICAL = "elec"


@dataclass(frozen=True)
class Dose:
    """How the change goes with one part of the dose.

    Attributes
    ----------
    part
        One of `DOSE`.
    people
        How many people tell it and have an estimate.
    effect
        Difference of the change that goes with one more: session, minute, or all sessions electrical against none.
    reason
        Why there is none; ``""`` where there is.
    """

    part: str
    people: int
    effect: Range
    reason: str


def dose_of(course: Course) -> dict[str, float]:
    """What was this person's dose up to the look? NaN where the session log does not say.

    Parameters
    ----------
    course
        Of one person.
    """
    done = {each.part: each for each in course.done}
    minutes, stimulation = done["retention_min"].numbers, done["stimulation"]
    electrical = sum(count for text, count in stimulation.counts if ELECTRICAL in text.casefold())
    return {
        "sessions": float(len(course.attended)),
        "retention_min": minutes[1] if minutes else np.nan,
        "electrical": electrical / stimulation.told if stimulation.told else np.nan,
    }


def by_dose(value: ArrayLike, se: ArrayLike, known: pd.DataFrame, names: Sequence[object]) -> tuple[Dose, ...]:
    """Does the change go with the dose?

    People choose how long they go on, and who gains early may stop, so this is an association over people, never what another
    session would do for one of them.

    Parameters
    ----------
    value, se
        (n,) one change a person, and its standard error.
    known
        n rows in the same order, with some of the columns of `DOSE`.
    names
        Of the people.

    Returns
    -------
    tuple of Dose
        One a column of `DOSE` that is there.
    """
    return tuple(_one(part, value, se, known[[part]], names) for part in DOSE if part in known)


def _one(part: str, value: ArrayLike, se: ArrayLike, known: pd.DataFrame, names: Sequence[object]) -> Dose:
    if known[part].isna().all():
        return Dose(part, 0, NOT_KNOWN, "no session log tells it")
    found = meta_regression(value, se, known, names=names)  # leaves out whoever lacks it
    if not found.ok:
        return Dose(part, found.people, NOT_KNOWN, found.reason)
    row = found.to_frame().iloc[1]
    return Dose(part, found.people, Range(*(float(row[name]) for name in ("coefficient", "low", "high"))), "")
