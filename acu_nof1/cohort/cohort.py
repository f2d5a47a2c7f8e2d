"""`Cohort`: many people's trials, asked the same questions in one batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from acu_nof1 import words
from acu_nof1.errors import Problem, UsageError
from acu_nof1.estimate import ESTIMATORS, Estimates, estimate_all
from acu_nof1.estimate.base import COLUMNS
from acu_nof1.trial import stack

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from acu_nof1.diary import Source
    from acu_nof1.estimate import Estimate, Estimator
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.trial import Comparisons

Status = Literal["done", "not_estimable", "failed"]
PROBLEM_COLUMNS = ("person", "severity", "where", "problem", "remedy")
PEOPLE_COLUMNS = ("person", "reason", "overruled", "answered", "asked", "input", "place")
MANIFEST_COLUMNS = ("person", "condition", "status", "reason", "answered", "asked", "input", "place")


def no_problems() -> pd.DataFrame:
    """Return a list of problems without rows."""
    return pd.DataFrame(columns=list(PROBLEM_COLUMNS), dtype="str")


@dataclass(frozen=True, eq=False)
class Cohort:
    """Many people who were asked the same questions; who could not be read is there with the reason.

    Attributes
    ----------
    people
        One row a person: `person`, `reason` (why nothing of them could be read; "" where it could), `overruled`
        (``red_flag`` or ``serious_event``), `answered` and `asked` (calendar days of the primary outcome in the days that
        are compared), `input` (hash of what was read of them), `place` (where it stood).
    covariates
        By person: what was noted beside the diaries (condition, sessions, weeks and whatever the people table has).
    comparisons
        Every series of those who could be read.
    problems
        What should be known or mended, by person (``""``: it is about all of them).
    sources
        Files that everybody shares.
    attended
        Dates of the sessions that took place, by person; nobody of shared tables, which have no sessions.
    """

    _people: pd.DataFrame
    _covariates: pd.DataFrame
    comparisons: Comparisons | None
    _problems: pd.DataFrame = field(default_factory=no_problems)
    sources: tuple[Source, ...] = ()
    attended: Mapping[str, tuple[dt.date, ...]] = field(default_factory=dict)

    @property
    def people(self) -> pd.DataFrame:
        """One row a person (a copy)."""
        return self._people.copy()

    @property
    def covariates(self) -> pd.DataFrame:
        """What is known of each person besides the diary (a copy), by person."""
        return self._covariates.copy()

    @property
    def problems(self) -> pd.DataFrame:
        """What should be known or mended (a copy)."""
        return self._problems.copy()

    def __len__(self) -> int:
        return len(self._people)

    def __repr__(self) -> str:
        failed = int((self._people["reason"] != "").sum())
        unread = f", {failed} of them not readable" if failed else ""
        return f"Cohort({len(self)} people{unread}, {0 if self.comparisons is None else len(self.comparisons)} series)"


def joined(parts: Iterable[Cohort]) -> Cohort:
    """Make one cohort of several; each person may be in one of them only.

    Raises
    ------
    UsageError
        If there is nobody.
    """
    held = [part for part in parts if len(part)]
    if not held:
        raise UsageError([Problem("error", "cohort", "there is nobody in it.", "Give a folder of trials, or a table.")])
    series = [part.comparisons for part in held if part.comparisons is not None]
    return Cohort(
        pd.concat([part._people for part in held], ignore_index=True),
        pd.concat([part._covariates for part in held]),
        stack(series) if series else None,
        pd.concat([part._problems for part in held], ignore_index=True),
        tuple(dict.fromkeys(source for part in held for source in part.sources)),
        {person: dates for part in held for person, dates in part.attended.items()},
    )


@dataclass(frozen=True, eq=False)
class Reassessments:
    """What all these diaries say, each at its own reassessment.

    Attributes
    ----------
    cohort
        Who was asked.
    estimates
        Every answer, in the order of the people.
    """

    cohort: Cohort
    estimates: Estimates

    def __len__(self) -> int:
        return len(self.cohort)

    def __iter__(self) -> Iterator[Estimate]:
        return iter(self.estimates)

    def to_frame(self) -> pd.DataFrame:
        """Return one tidy row an answer; readings are withheld where a red flag or a serious event overrules them."""
        frame = self.estimates.to_frame()
        people = self.cohort._people
        overruled = frame["person"].isin(people.loc[people["overruled"] != "", "person"]) & (frame["status"] == "ok")
        frame["reading"] = frame["reading"].where(~overruled, words.WITHHELD)
        return frame

    def manifest(self) -> pd.DataFrame:
        """Return what became of every person: done, not estimable and why, failed and why."""
        table = self.estimates.to_frame()
        primary = table[table["headline"] & table["primary"]].set_index("person")
        people = self.cohort._people
        reason = people["person"].map(primary["reason"]) if len(primary) else pd.Series(np.nan, people.index)
        reason = reason.astype(object).fillna("the primary outcome has no answer")
        failed = (people["reason"] != "").to_numpy(dtype=bool)
        status = np.where(failed, "failed", np.where(reason == "", "done", "not_estimable"))
        told = np.where(failed, people["reason"], reason)
        known = self.cohort._covariates
        condition = (
            people["person"].map(known["condition"].astype(object))
            if "condition" in known
            else pd.Series("", people.index)
        )
        return people.assign(condition=condition.astype(object).fillna("").astype(str), status=status, reason=told)[
            list(MANIFEST_COLUMNS)
        ]

    @property
    def primary(self) -> pd.DataFrame:
        """The headline answer of each person's primary outcome, one row a person who has one."""
        table = self.to_frame()
        return table[table["headline"] & table["primary"]].reset_index(drop=True)


def reassess_all(
    cohort: Cohort,
    *,
    estimators: Iterable[Estimator] = ESTIMATORS,
    confidence: float = 0.95,
    noise: NoiseChoice = None,
) -> Reassessments:
    """What changed in each of these people, by how much, and how sure can we be?

    Parameters
    ----------
    cohort
        Of any size: all series go through the kernel as one batch, and a person has the same numbers alone.
    estimators
        The questions.
    confidence
        Of the intervals.
    noise
        What day-to-day noise may look like in these people, by outcome: `learn_noise(cohort.comparisons).by_outcome`. If
        left out, a person's interval is made from the own diary alone.

    Returns
    -------
    Reassessments
        People who could not be read are in its manifest with the reason.
    """
    if cohort.comparisons is None:
        return Reassessments(cohort, Estimates(pd.DataFrame(columns=list(COLUMNS)), ()))
    asked = [each.with_noise(noise) for each in estimators]
    return Reassessments(cohort, estimate_all(cohort.comparisons, asked, confidence))
