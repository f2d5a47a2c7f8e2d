"""Who can be pooled, and why the others cannot: the estimates of people as they come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from acu_nof1.errors import Problem, UsageError, did_you_mean
from acu_nof1.explore.random_effects import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

NEEDED = 2
NO_VALUE, NO_ERROR = "no estimate", "no standard error above 0"
FINITE = 1e50
"""Beyond this, and below its inverse, squares of numbers cannot be told from infinity and from 0."""


@dataclass(frozen=True, eq=False)
class People:
    """One estimate a person, with its standard error.

    Attributes
    ----------
    name
        (n,)
    value, se
        (n,)
    reason
        (n,) why a person is left out; ``""`` for those who are pooled.
    """

    name: NDArray[np.object_]
    value: Floats
    se: Floats
    reason: NDArray[np.object_]

    @property
    def pooled(self) -> NDArray[np.bool_]:
        """(n,) who is pooled."""
        return np.asarray(self.reason == "", dtype=bool)

    def take(self, some: NDArray[np.bool_]) -> People:
        """Return the chosen people (n,)."""
        return People(self.name[some], self.value[some], self.se[some], self.reason[some])

    def without(self, some: NDArray[np.bool_], reason: str) -> People:
        """Leave some more people out (n,); a reason they have already stays."""
        return replace(self, reason=np.where(some & self.pooled, reason, self.reason).astype(object))

    def too_few(self, needed: int = NEEDED) -> str:
        """Why these people cannot be pooled; ``""`` where they can."""
        count = int(self.pooled.sum())
        if count >= needed:
            return ""
        have = {0: "nobody has", 1: "one person has"}.get(count, f"{count} people have")
        return f"{have} an estimate with a standard error; at least {needed} are needed"


def people(
    value: ArrayLike,
    se: ArrayLike,
    *,
    names: Sequence[object] | None,
    level: float,
    method: Method = "REML",
    rows: int | None = None,
) -> People:
    """Take the estimates of n people in, and say who is left out and why.

    Parameters
    ----------
    value, se, names, level, method
        See `acu_nof1.explore.pool.pool`.
    rows
        How many rows what else is known of them has.

    Raises
    ------
    UsageError
        With every complaint: lengths that differ, a level that is none, an unknown method.
    """
    value, se = (np.atleast_1d(np.asarray(each, dtype=np.float64)) for each in (value, se))
    name = np.array([str(each) for each in (range(1, value.size + 1) if names is None else names)], dtype=object)
    problems = []
    if value.ndim != 1 or not value.shape == se.shape == name.shape:
        shapes = f"there are {value.size} values, {se.size} standard errors and {name.size} names."
        problems.append(Problem("error", "people", shapes, "Give one of each for every person."))
    if rows is not None and rows != value.size:
        problems.append(
            Problem(
                "error", "people", f"there are {value.size} values and {rows} rows.", "Give one row for every person."
            )
        )
    if not 0 < level < 1:
        problems.append(Problem("error", f"level {level:g}", "it is not between 0 and 1.", "Write 0.95 for 95 %."))
    if method not in get_args(Method):
        problems.append(
            Problem("error", f"method {method}", "there is no such method.", did_you_mean(method, get_args(Method)))
        )
    if problems:
        raise UsageError(problems)
    has_value, has_error = np.abs(value) < FINITE, (se > 1 / FINITE) & (se < FINITE)
    reason = np.where(has_value, np.where(has_error, "", NO_ERROR), NO_VALUE).astype(object)
    return People(name, value, se, reason)


def by_person(who: People, **columns: Floats) -> pd.DataFrame:
    """One row a person; the columns hold those who are pooled, others have no number there."""
    table = pd.DataFrame({"person": who.name, "value": who.value, "se": who.se})
    for name, numbers in columns.items():
        full = np.full(who.name.size, np.nan)
        full[who.pooled] = numbers
        table[name] = full
    return table.assign(reason=who.reason)
