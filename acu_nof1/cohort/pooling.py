"""What a cohort's answers come to: one estimate a person, taken to the methods of `explore`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from acu_nof1.errors import Problem, UsageError
from acu_nof1.explore.groups import Groups, pool_by
from acu_nof1.explore.meta_regression import MetaRegression, meta_regression
from acu_nof1.explore.pool import Pooled, pool

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from acu_nof1.cohort.cohort import Reassessments
    from acu_nof1.explore.random_effects import Method


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
        person, label, unit, scale, better, important_change, value, low, high, se. The standard error is the half width of the person's
        interval over the normal quantile of its confidence: the intervals of short diaries have heavy tails, and this
        keeps their width (the SD of the same distribution would promise a normal interval that is too narrow). NaN where not estimable.
    """
    chosen = table["primary"] if outcome is None else table["outcome"] == outcome
    rows = table[table["headline"] & chosen].reset_index(drop=True)
    half = (rows["high"] - rows["low"]).to_numpy(dtype=float) / 2
    se = half / ndtri((1 + rows["confidence"].to_numpy(dtype=float)) / 2)
    ok = (rows["status"] == "ok").to_numpy(dtype=bool) & ~rows["limited"].to_numpy(dtype=bool)
    kept = rows[["person", "label", "unit", "scale", "better", "important_change", "value", "low", "high"]]
    return kept.assign(se=np.where(ok, se, np.nan))


def pooled(
    found: Reassessments, outcome: str | None = None, *, method: Method = "REML", knapp_hartung: bool = True
) -> Pooled:
    """What is the average change of these people, how unlike are they, and what may the next one expect?

    Parameters
    ----------
    found
        Everybody's answers.
    outcome
        Name of the outcome; the primary ones where it is left out.
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
    rows = _of_one_kind(changes(found.to_frame(), outcome))
    return pooled_changes(rows, method=method, knapp_hartung=knapp_hartung)


def pooled_changes(rows: pd.DataFrame, *, method: Method = "REML", knapp_hartung: bool = True) -> Pooled:
    """Pool rows of `changes` of one kind; each person keeps the interval of the own diary, to the digit."""
    found = pool(rows["value"].to_numpy(), rows["se"].to_numpy(), names=rows["person"].tolist(), method=method,
                 knapp_hartung=knapp_hartung)  # fmt: skip
    own = {name: rows[name].where(rows["se"].notna()).to_numpy() for name in ("low", "high")}
    return replace(found, _by_person=found.by_person.assign(**own))


def pooled_by(found: Reassessments, covariate: str, outcome: str | None = None) -> Groups:
    """Do people of different groups (condition, clinic) differ? As for `pooled`; `covariate` is a column of theirs."""
    rows = _of_one_kind(changes(found.to_frame(), outcome))
    group = _covariates(found, rows, [covariate])[covariate].astype(str)
    return pool_by(rows["value"].to_numpy(), rows["se"].to_numpy(), group.tolist(), names=rows["person"].tolist())


def regression(found: Reassessments, covariates: Sequence[str], outcome: str | None = None) -> MetaRegression:
    """Does the change go with what is known of people (sessions, weeks, condition)? An association, not a reason."""
    rows = _of_one_kind(changes(found.to_frame(), outcome))
    known = _covariates(found, rows, covariates)
    return meta_regression(rows["value"].to_numpy(), rows["se"].to_numpy(), known, names=rows["person"].tolist())


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
