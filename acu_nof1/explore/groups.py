"""Does the change differ between groups of people, such as conditions?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc, stdtr, stdtrit

from acu_nof1.explore.people import people
from acu_nof1.explore.pool import Pooled, pooled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from acu_nof1.explore.random_effects import Method

Floats = NDArray[np.float64]

NONE = float("nan")
NO_GROUP = "no group"
DIFFERENCES = ("group", "reference", "difference", "se", "low", "high", "df", "p")


@dataclass(frozen=True, eq=False)
class Groups:
    """The average of each group, and how unlike the groups are.

    Attributes
    ----------
    by_group
        What the people of each group come to, each group with its own τ²; names in alphabetical order.
    without_group
        People who are in none.
    f, f_df, f_p
        Welch's test that all averages are equal: F with `f_df` degrees of freedom (the second is infinite without Knapp and
        Hartung). NaN with fewer than two groups that have an average.
    """

    by_group: Mapping[str, Pooled]
    without_group: int
    f: float
    f_df: tuple[float, float]
    f_p: float
    _differences: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Return one tidy row a group: its name, then the columns of `Pooled.to_frame`."""
        rows = [each.to_frame().assign(group=name) for name, each in self.by_group.items()]
        table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["group"])
        return table[["group", *(name for name in table if name != "group")]]

    @property
    def differences(self) -> pd.DataFrame:
        """How each group's average differs from that of the first group that has one, one row each (a copy)."""
        return self._differences.copy()


def pool_by(
    value: ArrayLike,
    se: ArrayLike,
    group: Sequence[object],
    *,
    method: Method = "REML",
    knapp_hartung: bool = True,
    names: Sequence[object] | None = None,
    level: float = 0.95,
) -> Groups:
    """What do the people of each group come to, and do the groups differ?

    Groups are pooled apart, each with its own differences between people. Averages are compared as means of unlike spread
    are: Welch–Satterthwaite degrees of freedom for two, Welch's test for all. With two groups both say the same.

    Parameters
    ----------
    value, se
        (n,) one estimate a person and its standard error.
    group
        (n,) the group of each, such as the condition; a person with a blank is in none.
    method, knapp_hartung, names, level
        See `acu_nof1.explore.pool.pool`.

    Returns
    -------
    Groups
        A group of fewer than two people is there, not estimable, and is not compared.

    Raises
    ------
    UsageError
        With every complaint: lengths that differ, a level that is none, an unknown method.

    Notes
    -----
    Welch 1951, equations 26 to 28.
    """
    of = pd.Series(list(group), dtype=object)
    who = people(value, se, names=names, level=level, method=method, rows=len(of))
    blank = of.isna().to_numpy() | (of.astype(str).str.strip() == "").to_numpy()
    belongs = of.astype(str).to_numpy()
    found = {
        str(name): pooled(who.take((belongs == name) & ~blank), level=level, method=method, knapp_hartung=knapp_hartung)
        for name in sorted(set(belongs[~blank]))
    }
    compared = {name: each for name, each in found.items() if each.ok}
    f, f_df, f_p = _welch(list(compared.values()))
    return Groups(found, int(blank.sum()), f, f_df, f_p, _against_the_first(compared, level))


def _welch(groups: list[Pooled]) -> tuple[float, tuple[float, float], float]:
    count = len(groups)
    if count < 2:
        return NONE, (NONE, NONE), NONE
    mean, se, df = (np.array([getattr(each, name) for each in groups]) for name in ("mean", "se", "df"))
    weight = 1 / se**2
    share = weight / weight.sum()
    between = float(np.sum(weight * (mean - share @ mean) ** 2)) / (count - 1)
    unsure = float(np.sum((1 - share) ** 2 / df))
    f = between / (1 + 2 * (count - 2) / (count**2 - 1) * unsure)
    if not unsure:
        return f, (count - 1, np.inf), float(chdtrc(count - 1, (count - 1) * f))
    second = (count**2 - 1) / (3 * unsure)
    return f, (count - 1, second), float(fdtrc(count - 1, second, f))


def _against_the_first(groups: dict[str, Pooled], level: float) -> pd.DataFrame:
    rows = []
    for name, each in list(groups.items())[1:]:
        reference, first = next(iter(groups.items()))
        difference, variance = each.mean - first.mean, each.se**2 + first.se**2
        df = variance**2 / (each.se**4 / each.df + first.se**4 / first.df) if np.isfinite(each.df) else np.inf
        se = float(np.sqrt(variance))
        reach = float(stdtrit(df, (1 + level) / 2)) * se
        p = float(2 * stdtr(df, -abs(difference) / se))
        rows.append((name, reference, difference, se, difference - reach, difference + reach, df, p))
    return pd.DataFrame(rows, columns=list(DIFFERENCES))
