"""What a cohort's answers come to: one estimate a person, taken to the methods of `explore`."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.errors import Problem, UsageError
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.explore.groups import Groups, pool_by
from acu_nof1.explore.learned import learn_noise
from acu_nof1.explore.meta_regression import MetaRegression, meta_regression
from acu_nof1.explore.pool import Pooled, pool
from acu_nof1.sessions.dose import DOSE, by_dose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acu_nof1.cohort.cohort import Reassessments
    from acu_nof1.explore.random_effects import Method
    from acu_nof1.sessions.dose import Dose


CHANGES = (
    "person", "outcome", "question", "label", "unit", "scale", "better", "important_change", "value", "low", "high", "se",
)  # fmt: skip


def changes(table: pd.DataFrame, outcome: str | None = None) -> pd.DataFrame:
    """What is each person's estimate, and its standard error?

    Parameters
    ----------
    table
        Rows of answers (`Reassessments.to_frame`).
    outcome
        Name of the outcome; the primary one of each person where it is left out. Its headline is taken.

    Returns
    -------
    pandas.DataFrame
        person, outcome, question, label, unit, scale, better, important_change, value, low, high, se; NaN where not estimable.
    """
    chosen = table["primary"] if outcome is None else table["outcome"] == outcome
    rows = table[table["headline"] & chosen].reset_index(drop=True)
    return rows[list(CHANGES)].assign(se=rows["se"].where(rows["status"] == "ok"))


@lru_cache(maxsize=2)  # pooled, by group and in a regression: the same errors
def _of_everybody(found: Reassessments, outcome: str | None) -> pd.DataFrame:
    """The changes, each with its standard error under the noise that all these diaries teach, where they are enough.

    A person's own interval must hold for that person alone, whatever the days are like; it is wider than the average
    error of such estimates. Its width for a standard error would take differences between people for noise: too small a
    heterogeneity, and a prediction interval that is too narrow (`benchmarks/clinics.py`).
    """
    rows = _of_one_kind(changes(found.to_frame(), outcome))
    series = found.cohort.comparisons
    asked = rows[["outcome", "question"]].drop_duplicates()
    estimator = next(
        (each for each in ESTIMATORS if len(asked) == 1 and each.question == asked["question"].iloc[0]), None
    )
    if series is None or estimator is None:
        return rows
    own = series.take(np.array(series.each(lambda each: each.name == asked["outcome"].iloc[0]), dtype=bool))
    try:
        learned = learn_noise(own)
    except UsageError:
        return rows
    table = estimator.with_noise(learned.by_outcome)(own).to_frame()
    errors = table[table["status"] == "ok"].set_index("person")["se"]
    return rows.assign(se=rows["person"].map(errors).where(rows["se"].notna()))


def pooled(
    found: Reassessments, outcome: str | None = None, *, method: Method = "REML", knapp_hartung: bool = True
) -> Pooled:
    """What is the average change of these people, how unlike are they, and what may the next one expect?

    Parameters
    ----------
    found
        Everybody's answers.
    outcome
        Name of the outcome; the primary ones where it is left out. Standard errors are those under the noise that all
        these diaries teach (`learn_noise`), where at least 30 people answered; else everybody's own.
    method, knapp_hartung
        See `pool`.

    Returns
    -------
    Pooled
        Without those who have no estimate; `Pooled.by_person` says why.

    Raises
    ------
    UsageError
        If the estimates are ratios, or of different units: they have no common average here.
    """
    return pooled_changes(_of_everybody(found, outcome), method=method, knapp_hartung=knapp_hartung)


def pooled_changes(rows: pd.DataFrame, *, method: Method = "REML", knapp_hartung: bool = True) -> Pooled:
    """Pool rows of `changes` of one kind; each person keeps the interval of the own diary, to the digit."""
    found = pool(rows["value"].to_numpy(), rows["se"].to_numpy(), names=rows["person"].tolist(), method=method,
                 knapp_hartung=knapp_hartung)  # fmt: skip
    own = {name: rows[name].where(rows["se"].notna()).to_numpy() for name in ("low", "high")}
    return replace(found, _by_person=found.by_person.assign(**own))


def pooled_by(found: Reassessments, covariate: str, outcome: str | None = None) -> Groups:
    """Do people of different groups (condition, clinic) differ? As for `pooled`; `covariate` is a column of theirs."""
    rows = _of_everybody(found, outcome)
    group = _covariates(found, rows, [covariate])[covariate].astype(str)
    return pool_by(rows["value"].to_numpy(), rows["se"].to_numpy(), group.tolist(), names=rows["person"].tolist())


def regression(found: Reassessments, covariates: Sequence[str], outcome: str | None = None) -> MetaRegression:
    """Does the change go with what is known of people (sessions, weeks, condition)? An association, not a reason."""
    rows = _of_everybody(found, outcome)
    known = _covariates(found, rows, covariates)
    return meta_regression(rows["value"].to_numpy(), rows["se"].to_numpy(), known, names=rows["person"].tolist())


def dose(found: Reassessments, outcome: str | None = None) -> tuple[Dose, ...]:
    """Does the change go with sessions, minutes with needles, electrical stimulation? See `by_dose`; as for `pooled`.

    Parts of the dose come from the session logs; of shared tables, from the columns of the people table that bear these names.
    """
    rows = _of_everybody(found, outcome)
    names = [name for name in DOSE if name in found.cohort.covariates]
    known = _covariates(found, rows, names).apply(pd.to_numeric, errors="coerce")
    return by_dose(rows["value"].to_numpy(), rows["se"].to_numpy(), known, rows["person"].tolist())


def _covariates(found: Reassessments, rows: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame:
    known = found.cohort.covariates
    if absent := [name for name in wanted if name not in known.columns]:
        what = f"nothing is known of {', '.join(absent)}."
        raise UsageError([Problem("error", "covariates", what, f"Known: {', '.join(map(str, known.columns))}.")])
    return known.loc[rows["person"], list(wanted)].reset_index(drop=True)


def _of_one_kind(rows: pd.DataFrame) -> pd.DataFrame:
    kinds = rows[["unit", "scale", "better"]].drop_duplicates()
    if len(kinds) > 1 or (kinds["scale"] != "difference").any():
        said = "; ".join(
            f"{scale} in {unit or 'no unit'}" for unit, scale in zip(kinds["unit"], kinds["scale"], strict=True)
        )
        what = f"these answers have no common average: {said}."
        raise UsageError(
            [Problem("error", "outcome", what, "Name an outcome that everybody answered, compared as a difference.")]
        )
    return rows
