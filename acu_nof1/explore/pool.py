"""What do the answers of many people come to, how unlike are people, and what may the next one expect?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, stdtr, stdtrit

from acu_nof1.explore.people import People, by_person, people
from acu_nof1.explore.random_effects import Method, RandomEffects, random_effects

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.float64]

NONE = float("nan")
COLUMNS = (
    "status", "reason", "people", "left_out", "mean", "se", "low", "high", "level", "df", "p", "tau", "tau_low", "tau_high",
    "tau2", "i2", "q", "q_df", "q_p", "prediction_low", "prediction_high", "method", "knapp_hartung",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pooled:
    """What many people's estimates come to, taken as draws from one distribution of people.

    Numbers that do not exist are NaN; ``status`` and ``reason`` say why.

    Attributes
    ----------
    people, left_out
        How many are pooled, and how many are not; `by_person` gives the reasons.
    mean, se, low, high
        Average of the true values of such people, its standard error and interval.
    df, p
        Degrees of freedom of the t distribution behind the interval (infinite: the normal one), and the two-sided p value
        of an average of 0.
    tau, tau_low, tau_high, tau2
        SD of the true values between people, with its interval by the profile of Q; its square.
    i2
        Share of the variance of the estimates that lies between people, 0 to 1.
    q, q_df, q_p
        Cochran's test of no differences between people.
    prediction_low, prediction_high
        Where the true value of the next such person is expected to lie.
    method, knapp_hartung
        How τ² was estimated, and whether Knapp and Hartung's errors were used.
    """

    status: Literal["ok", "not_estimable"]
    reason: str
    people: int
    left_out: int
    level: float
    method: Method
    knapp_hartung: bool
    mean: float = NONE
    se: float = NONE
    low: float = NONE
    high: float = NONE
    df: float = NONE
    p: float = NONE
    tau: float = NONE
    tau_low: float = NONE
    tau_high: float = NONE
    tau2: float = NONE
    i2: float = NONE
    q: float = NONE
    q_df: int = 0
    q_p: float = NONE
    prediction_low: float = NONE
    prediction_high: float = NONE
    _by_person: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)

    @property
    def ok(self) -> bool:
        """Whether there is an average."""
        return self.status == "ok"

    @property
    def by_person(self) -> pd.DataFrame:
        """One row a person, in the given order (a copy).

        Columns: person, value, se, low, high (as they came, each with its own interval), shrunken, shrunken_se,
        shrunken_low, shrunken_high (drawn towards the average by as much as their own error asks for), weight (its share in
        the average), reason (why a person is left out).
        """
        return self._by_person.copy()

    def to_frame(self) -> pd.DataFrame:
        """Return one tidy row with fixed columns."""
        return pd.DataFrame([{name: getattr(self, name) for name in COLUMNS}])


def pool(
    value: ArrayLike,
    se: ArrayLike,
    *,
    method: Method = "REML",
    knapp_hartung: bool = True,
    names: Sequence[object] | None = None,
    level: float = 0.95,
) -> Pooled:
    """What is the average change of such people, how unlike are they, and what may the next one expect?

    Random effects: a person's true value is a draw from N(mean, τ²), the estimate a draw around it with the known
    standard error. People without an estimate or without a standard error above 0 are left out, with the reason.

    Parameters
    ----------
    value, se
        (n,) one estimate a person and its standard error, in one unit; NaN where there is none.
    method
        How τ² is estimated: ``REML``, ``PM`` (Paule and Mandel) or ``DL`` (DerSimonian and Laird).
    knapp_hartung
        Knapp and Hartung's standard error with t, or the usual one with the normal distribution, which covers too
        seldom with few people.
    names
        (n,) what people are called in `Pooled.by_person`; counted from 1 where not given.
    level
        Of all intervals.

    Returns
    -------
    Pooled
        Not estimable with fewer than two people.

    Raises
    ------
    UsageError
        With every complaint: lengths that differ, a level that is none, an unknown method.

    Notes
    -----
    DerSimonian & Laird 1986; Knapp & Hartung 2003; Higgins, Thompson & Spiegelhalter 2009 for the prediction interval,
    here with as many degrees of freedom as the interval of the mean.
    """
    who = people(value, se, names=names, level=level, method=method)
    return pooled(who, level=level, method=method, knapp_hartung=knapp_hartung)


def pooled(who: People, *, level: float, method: Method, knapp_hartung: bool) -> Pooled:
    """Pool people who were taken in already, see `pool`."""
    count = int(who.pooled.sum())
    reason, left_out = who.too_few(), who.name.size - count
    if reason:
        return Pooled(
            "not_estimable", reason, count, left_out, level, method, knapp_hartung, _by_person=_rows(who, None, level)
        )
    y, variance = who.value[who.pooled][None], who.se[who.pooled][None] ** 2
    found = random_effects(y, variance, np.ones((1, count, 1)), method=method, knapp_hartung=knapp_hartung)
    return _pooled(who, found, level, method)


def _pooled(who: People, found: RandomEffects, level: float, method: Method) -> Pooled:
    count, t = found.y.shape[1], found.critical(level)
    mean, se, tau2 = float(found.fit.coefficient[0, 0]), float(np.sqrt(found.covariance[0, 0, 0])), float(found.tau2[0])
    ahead = t * float(np.sqrt(tau2 + se**2))
    q, q_df = float(found.fixed.q[0]), count - 1
    tau_low, tau_high = (float(np.sqrt(end[0])) for end in found.tau2_interval(level))
    return Pooled(
        status="ok",
        reason="",
        people=count,
        left_out=who.name.size - count,
        level=level,
        method=method,
        knapp_hartung=bool(np.isfinite(found.df)),
        mean=mean,
        se=se,
        low=mean - t * se,
        high=mean + t * se,
        df=found.df,
        p=float(2 * stdtr(found.df, -abs(mean) / se)),
        tau=float(np.sqrt(tau2)),
        tau_low=tau_low,
        tau_high=tau_high,
        tau2=tau2,
        i2=float(found.i2[0]),
        q=q,
        q_df=q_df,
        q_p=float(chdtrc(q_df, q)),
        prediction_low=mean - ahead,
        prediction_high=mean + ahead,
        _by_person=_rows(who, found, level),
    )


def _rows(who: People, found: RandomEffects | None, level: float) -> pd.DataFrame:
    value, se = who.value[who.pooled], who.se[who.pooled]
    reach = float(stdtrit(np.inf, (1 + level) / 2)) * se
    columns = {"low": value - reach, "high": value + reach}
    nothing = np.full(value.size, np.nan)
    drawn, error, t, weight = nothing, nothing, NONE, nothing
    if found is not None:
        (drawn,), (error,) = found.shrunken
        t, weight = found.critical(level), 1 / (found.variance[0] + found.tau2[0])
    return by_person(
        who,
        **columns,
        shrunken=drawn,
        shrunken_se=error,
        shrunken_low=drawn - t * error,
        shrunken_high=drawn + t * error,
        weight=weight / weight.sum(),
    )
