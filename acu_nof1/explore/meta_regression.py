"""Does the change go with what is known of people: sessions attended, weeks, condition?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, fdtrc, stdtr

from acu_nof1.explore.people import People, by_person, people
from acu_nof1.explore.random_effects import Method, RandomEffects, between_people, random_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

NONE = float("nan")
INTERCEPT = "intercept"
NO_COVARIATE = "a covariate is missing"
NOTHING_OF_ITS_OWN = 1e-8
"""A column of which less than this share is not foretold by the columns before it says nothing of its own."""
COLUMNS = ("term", "coefficient", "se", "low", "high", "df", "p")


@dataclass(frozen=True, eq=False)
class MetaRegression:
    """How people's estimates go with what is known of them.

    Numbers that do not exist are NaN; ``status`` and ``reason`` say why.

    Attributes
    ----------
    people, left_out
        How many are in it, and how many are not; `by_person` gives the reasons.
    df
        People less columns: the degrees of freedom of the t distribution with Knapp and Hartung's errors.
    tau, tau2
        SD between people that the covariates leave, and its square.
    i2
        Share of the variance around the line that lies between people, 0 to 1.
    q, q_p
        Test of no differences between people but those of the line, with `df` degrees of freedom.
    r2
        Share by which the covariates lower τ², 0 to 1 (Raudenbush 2009); uncertain with few people, NaN where τ² is 0
        without them.
    f, f_df, f_p
        Test of all coefficients but the intercept together: F with (columns, `df`) degrees of freedom, or the same divided
        χ² without Knapp and Hartung.
    """

    status: Literal["ok", "not_estimable"]
    reason: str
    people: int
    left_out: int
    level: float
    method: Method
    knapp_hartung: bool
    df: int = 0
    tau: float = NONE
    tau2: float = NONE
    i2: float = NONE
    q: float = NONE
    q_p: float = NONE
    r2: float = NONE
    f: float = NONE
    f_df: int = 0
    f_p: float = NONE
    _terms: pd.DataFrame = field(repr=False, default_factory=lambda: pd.DataFrame(columns=list(COLUMNS)))
    _by_person: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)

    @property
    def ok(self) -> bool:
        """Whether there are coefficients."""
        return self.status == "ok"

    def to_frame(self) -> pd.DataFrame:
        """Return one tidy row a coefficient, the intercept first; none where it is not estimable."""
        return self._terms.copy()

    @property
    def by_person(self) -> pd.DataFrame:
        """One row a person: person, value, se, expected (by the covariates), shrunken towards it, shrunken_se, reason (a copy)."""
        return self._by_person.copy()


def meta_regression(
    value: ArrayLike,
    se: ArrayLike,
    covariates: pd.DataFrame,
    *,
    method: Method = "REML",
    knapp_hartung: bool = True,
    names: Sequence[object] | None = None,
    level: float = 0.95,
) -> MetaRegression:
    """How does the change differ with what is known of people?

    It tells how people differ, not what would become of one of them with another covariate: people were not drawn into
    their weeks and sessions by lot.

    Parameters
    ----------
    value, se
        (n,) one estimate a person and its standard error.
    covariates
        n rows in the same order. Numbers and yes/no enter as they are; text becomes a column for each value but the first in
        alphabetical order, named ``condition: migraine``. A person with a blank is left out.
    method, knapp_hartung, names, level
        See `acu_nof1.explore.pool.pool`.

    Returns
    -------
    MetaRegression
        Not estimable with no more people than columns, with a covariate that is the same in everybody, or with one that
        the others foretell.

    Raises
    ------
    UsageError
        With every complaint: lengths that differ, a level that is none, an unknown method.

    Notes
    -----
    Knapp & Hartung 2003.
    """
    who = people(value, se, names=names, level=level, method=method, rows=len(covariates))
    blank = covariates.isna().to_numpy().any(axis=1) | _endless(covariates)
    who = who.without(blank, NO_COVARIATE)
    known = covariates[who.pooled]
    x, count = design(known), len(known)
    reason = who.too_few(x.shape[1] + 1) or unfit(known, x)
    if reason:
        left_out = who.name.size - count
        nothing = np.full(count, np.nan)
        rows = by_person(who, expected=nothing, shrunken=nothing, shrunken_se=nothing)
        return MetaRegression("not_estimable", reason, count, left_out, level, method, knapp_hartung, _by_person=rows)
    return _regression(who, x, level, method, knapp_hartung)


def _endless(covariates: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray(np.isinf(covariates.select_dtypes("number").to_numpy(dtype=np.float64)).any(axis=1))


def design(covariates: pd.DataFrame) -> pd.DataFrame:
    """Turn covariates into columns of numbers, an intercept before them."""
    wordy = covariates.select_dtypes(exclude=["number", "bool"]).columns
    coded = covariates.copy()
    if len(wordy):
        coded = pd.get_dummies(covariates, columns=list(wordy), prefix_sep=": ", drop_first=True, dtype=float)
    coded.insert(0, INTERCEPT, 1.0)
    return coded.astype(np.float64)


def unfit(covariates: pd.DataFrame, x: pd.DataFrame) -> str:
    """Why these covariates, coded as columns x, cannot all have a coefficient; ``""`` where they can."""
    constant = [str(name) for name, column in covariates.items() if column.nunique() < 2]
    if constant:
        return f"{' and '.join(constant)} {'is' if len(constant) == 1 else 'are'} the same in all these people"
    columns = x.to_numpy()
    # Centred first, so that a small spread beside a large mean is not taken for none.
    spread = columns[:, 1:] - columns[:, 1:].mean(axis=0)
    own = np.abs(np.diag(np.linalg.qr(spread)[1])) / np.linalg.norm(spread, axis=0)
    foretold = [str(name) for name, share in zip(x.columns[1:], own, strict=True) if share < NOTHING_OF_ITS_OWN]
    return f"{foretold[0]} follows from the other covariates" if foretold else ""


def _regression(who: People, x: pd.DataFrame, level: float, method: Method, knapp_hartung: bool) -> MetaRegression:
    y, variance, columns = who.value[who.pooled][None], who.se[who.pooled][None] ** 2, x.to_numpy()[None]
    # On a common scale, so that no column drowns another in rounding.
    scale = np.abs(columns[0]).max(axis=0)
    found = random_effects(y, variance, columns / scale, method=method, knapp_hartung=knapp_hartung)
    count, width = x.shape
    without = float(between_people(y, variance, np.ones((1, count, 1)), method)[0])
    tau2, q, df = float(found.tau2[0]), float(found.fixed.q[0]), count - width
    f, f_df, f_p = _together(found)
    (shrunken,), (shrunken_se,) = found.shrunken
    rows = by_person(who, expected=found.expected[0], shrunken=shrunken, shrunken_se=shrunken_se)
    return MetaRegression(
        status="ok",
        reason="",
        people=count,
        left_out=who.name.size - count,
        level=level,
        method=method,
        knapp_hartung=knapp_hartung,
        df=df,
        tau=float(np.sqrt(tau2)),
        tau2=tau2,
        i2=float(found.i2[0]),
        q=q,
        q_p=float(chdtrc(df, q)),
        r2=max(0.0, 1 - tau2 / without) if without > 0 else NONE,
        f=f,
        f_df=f_df,
        f_p=f_p,
        _terms=_terms(found, list(x.columns), scale, level),
        _by_person=rows,
    )


def _terms(found: RandomEffects, names: list[str], scale: Floats, level: float) -> pd.DataFrame:
    coefficient = found.fit.coefficient[0] / scale
    se = np.sqrt(np.diagonal(found.covariance[0])) / scale
    reach = found.critical(level) * se
    return pd.DataFrame({
        "term": names,
        "coefficient": coefficient,
        "se": se,
        "low": coefficient - reach,
        "high": coefficient + reach,
        "df": found.df,
        "p": 2 * stdtr(found.df, -np.abs(coefficient) / se),
    })  # fmt: skip


def _together(found: RandomEffects) -> tuple[float, int, float]:
    """Wald's test that everybody has the same expectation: F, its degrees of freedom, p."""
    others, covariance = found.fit.coefficient[0, 1:], found.covariance[0, 1:, 1:]
    count = others.size
    if not count:
        return NONE, 0, NONE
    f = float(others @ np.linalg.solve(covariance, others)) / count
    return f, count, float(fdtrc(count, found.df, f) if np.isfinite(found.df) else chdtrc(count, count * f))
