"""The between-case standardised mean difference: one person's days on the scale of the trials of many people.

A two-level model of everybody's days, y_ij = b0 + b1 · treated + u_i + e_ij, with u ~ N(0, tau²) between people and e
AR(1) on the calendar within each, by REML. The change is divided by the SD of a day over people, √(tau² + sigma²), which is what
the d of a trial is divided by (Hedges, Pustejovsky & Shadish 2012, Res Synth Methods 3:224; REML form Pustejovsky,
Hedges & Shadish 2014, J Educ Behav Stat 39:368).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import t as student
from statsmodels.tools.numdiff import approx_hess

from acu_nof1.errors import Problem, UsageError

if TYPE_CHECKING:
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

LEAST_PEOPLE, LEAST_DF = 3, 2.0
STARTS = ((0.1, -1.0), (0.5, 0.0), (0.3, 1.5))
PHI_BOUND, RATIO_BOUNDS = 0.98, (-10.0, 7.0)


@dataclass(frozen=True)
class BetweenCase:
    """What a two-level model of many people's days says.

    Attributes
    ----------
    status, reason
        ``ok``, or ``not_estimable`` and why.
    people, days
        How many of them.
    change, change_se
        Average change in the outcome's unit and direction: the same for everybody in this model.
    phi, between_sd, within_sd
        Autocorrelation of neighbouring days; SD of people's levels, and of a person's days.
    d, se, low, high, df
        The change in SDs of a day over people, turned so that more is better, with the small-sample factor; its standard error,
        95 % interval and degrees of freedom.
    """

    status: str
    reason: str
    people: int
    days: int
    change: float
    change_se: float
    phi: float
    between_sd: float
    within_sd: float
    d: float
    se: float
    low: float
    high: float
    df: float


@dataclass(frozen=True, eq=False)
class _Days:
    """Everybody's answered days in a row: [1, treated, y], whose they are, and how long after the last one (0: the first)."""

    z: Floats
    person: NDArray[np.intp]
    gap: Floats

    def products(self, phi: float) -> tuple[Floats, Floats, float]:
        """Whitened Z'Z (people, 3, 3), its part with the constant (people, 3), and the log determinant."""
        first = self.gap == 0
        fading = np.where(first, 0.0, phi**self.gap if phi else 0.0)
        spread = np.sqrt(1 - fading**2)
        before = np.vstack([np.zeros(3), self.z[:-1]])
        white = (self.z - fading[:, None] * before) / spread[:, None]
        people = int(self.person[-1]) + 1
        sums = np.zeros((people, 3, 3))
        np.add.at(sums, self.person, white[:, :, None] * white[:, None, :])
        return sums, sums[:, :, 0], float(2 * np.log(spread).sum())

    def weighed(self, phi: float, ratio: float) -> tuple[Floats, float]:
        """Z'V⁻¹Z and log|V| with V in units of sigma²; ratio is tau² / sigma² (Woodbury)."""
        sums, constant, log_det = self.products(phi)
        shrunken = ratio / (1 + ratio * constant[:, 0])
        return (
            (sums - shrunken[:, None, None] * constant[:, :, None] * constant[:, None, :]).sum(axis=0),
            log_det + float(np.log1p(ratio * constant[:, 0]).sum()),
        )


def between_case(comparisons: Comparisons) -> BetweenCase:
    """By how many SDs of a day over people did these people improve on average?

    Parameters
    ----------
    comparisons
        Series of one outcome, one a person, with one baseline and one treatment phase.

    Returns
    -------
    BetweenCase
        The change is taken to be the same in everybody: where `pooled` finds that people differ, its interval is too narrow
        and the pool's mean is the better answer.

    Raises
    ------
    UsageError
        If there are several outcomes, or a person has several series.
    """
    names = {outcome.name for outcome in comparisons.outcomes}
    if len(names) > 1 or len(set(comparisons.person)) < len(comparisons):
        what = f"found {len(comparisons)} series of {len(set(comparisons.person))} people and {len(names)} outcomes."
        raise UsageError([Problem("error", "comparisons", what, "Take one outcome, one series a person.")])
    held = comparisons.answered & (comparisons.phase >= 0)
    both = (
        (held & comparisons.treated).any(axis=1) & (held & comparisons.baseline).any(axis=1) & (comparisons.phases == 2)
    )
    people = int(both.sum())
    if people < LEAST_PEOPLE:
        return _refused(
            f"{people} people have answered days in both phases; at least {LEAST_PEOPLE} are needed", people
        )
    days = _laid_out(comparisons.take(both))
    if np.ptp(days.z[:, 2]) == 0:
        return _refused("the answers do not vary", people)
    return _fitted(days, people, comparisons.outcomes[0].sign)


def _refused(reason: str, people: int) -> BetweenCase:
    return BetweenCase("not_estimable", reason, people, 0, *[float("nan")] * 10)


def _laid_out(comparisons: Comparisons) -> _Days:
    person, day = np.nonzero(comparisons.answered & (comparisons.phase >= 0))
    z = np.column_stack([np.ones(day.size), comparisons.treated[person, day], comparisons.values[person, day]])
    gap = np.diff(day, prepend=0).astype(float)
    gap[np.diff(person, prepend=-1) != 0] = 0.0
    return _Days(z, person, gap)


def _fitted(days: _Days, people: int, sign: int) -> BetweenCase:
    n = len(days.z)

    def negative(free: Floats) -> float:
        """Restricted log likelihood with sigma² profiled out, sign turned."""
        a, log_det = days.weighed(PHI_BOUND * np.tanh(free[0]), float(np.exp(free[1])))
        _, rss = _solved(a)
        return 0.5 * (log_det + float(np.linalg.slogdet(a[:2, :2])[1]) + (n - 2) * math.log(rss))

    bounds = [(-3.0, 3.0), RATIO_BOUNDS]
    tries = [minimize(negative, start, method="L-BFGS-B", bounds=bounds, tol=1e-12) for start in STARTS]
    best = min(tries, key=lambda each: each.fun).x
    phi, ratio = PHI_BOUND * float(np.tanh(best[0])), float(np.exp(best[1]))
    a, _ = days.weighed(phi, ratio)
    (_, change), rss = _solved(a)
    within = rss / (n - 2)
    total = within * (1 + ratio)
    change_se = float(np.sqrt(within * np.linalg.inv(a[:2, :2])[1, 1]))
    df = 2 * total**2 / _variance_of_total(days, within, ratio, phi, n)
    if df <= LEAST_DF:
        return _refused("so few people differ too much for their spread to be known", people)
    j = 1 - 3 / (4 * df - 1)
    d = j * sign * change / np.sqrt(total)
    kappa = np.sqrt(total) / change_se
    # Hedges, Pustejovsky & Shadish 2012, eq. 13: noncentral t, moments.
    se = float(np.sqrt(j**2 * df / ((df - 2) * kappa**2) + d**2 * (df / (df - 2) - 1 / j**2)))
    reach = float(student(df).ppf(0.975)) * se
    sds = np.sqrt([within * ratio, within])
    return BetweenCase(
        "ok", "", people, n, float(change), change_se, phi, float(sds[0]), float(sds[1]), float(d), se, d - reach, d + reach, float(df)
    )  # fmt: skip


def _solved(a: Floats) -> tuple[Floats, float]:
    coefficients = np.asarray(np.linalg.solve(a[:2, :2], a[:2, 2]), dtype=np.float64)
    return coefficients, float(a[2, 2] - a[:2, 2] @ coefficients)


def _variance_of_total(days: _Days, within: float, ratio: float, phi: float, n: int) -> float:
    """Variance of the estimate of tau² + sigma², from the curvature of the restricted likelihood in (sigma², tau², phi)."""

    def negative(free: Floats) -> float:
        sigma2, tau2, correlation = free
        a, log_det = days.weighed(float(correlation), float(tau2 / sigma2))
        _, rss = _solved(a)
        determinant = float(np.linalg.slogdet(a[:2, :2])[1])
        return float(0.5 * (log_det + determinant + (n - 2) * np.log(sigma2) + rss / sigma2))

    at = np.array([within, max(within * ratio, 1e-6 * within), phi])
    covariance = np.linalg.pinv(approx_hess(at, negative, epsilon=1e-4 * np.maximum(np.abs(at), 0.01)))
    return max(float(np.array([1.0, 1.0, 0.0]) @ covariance @ np.array([1.0, 1.0, 0.0])), 1e-12)
