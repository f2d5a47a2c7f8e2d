"""Randomisation tests: how often would a schedule drawn otherwise have looked as good?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import combine_pvalues, irwinhall

from acu_nof1.errors import Problem, UsageError
from acu_nof1.randomisation.designs import MOST_ENUMERATED, Phases, Randomised

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Phases], Floats]

DRAWS = 9_999
CLOSE = 1e-9
AT_ONCE = 1 << 22


def mean_of_phase_means(values: Floats, phases: Phases) -> Floats:
    """Mean of the treatment phases' means less that of the baseline phases', averaged over people.

    Parameters
    ----------
    values
        (people, days), NaN where not answered: a missing day keeps its place on the calendar.
    phases
        (schedules, people, days) phase numbers.

    Returns
    -------
    ndarray
        (schedules,); NaN where a phase has no answered day.
    """
    held = np.isfinite(values)
    filled = np.where(held, values, 0.0)
    number = int(phases.max()) + 1
    sums = np.empty((number, *phases.shape[:2]))
    counts, planned = np.empty_like(sums), np.empty_like(sums)
    for phase in range(number):
        inside = phases == phase
        planned[phase] = inside.any(axis=2)
        counts[phase] = (inside & held).sum(axis=2)
        sums[phase] = (inside * filled).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(planned > 0, sums / counts, 0.0)  # a planned phase without an answer: NaN
        sides = [means[side::2].sum(axis=0) / planned[side::2].sum(axis=0) for side in (0, 1)]
    return np.asarray((sides[1] - sides[0]).mean(axis=1))


@dataclass(frozen=True)
class RandomisationTest:
    """What a randomisation test says.

    Attributes
    ----------
    status, reason
        ``ok``, or ``not_estimable`` and why.
    observed
        The statistic of the schedule that was kept to, more being better.
    p
        Share of schedules that would have given as much or more; never below one of them.
    schedules
        How many were looked at.
    exact
        All there are, rather than a random sample of them.
    uncounted
        Schedules whose statistic cannot be computed: they count as if they had given as much.
    low, high
        Effects, the same on every treatment day, that a two-sided test at 5 % does not reject; infinite where there are too few
        schedules to reject any, NaN for a statistic that is not linear.
    randomised
        Whether the schedule was truly drawn; if not, this is a placebo-in-time check and no test.
    """

    status: str
    reason: str
    observed: float
    p: float
    schedules: int
    exact: bool
    uncounted: int
    low: float
    high: float
    randomised: bool


def refused(reason: str, *, randomised: bool) -> RandomisationTest:
    """Return a test that could not be made, and why."""
    nan = float("nan")
    return RandomisationTest("not_estimable", reason, nan, nan, 0, False, 0, nan, nan, randomised)


def randomisation_test(
    values: ArrayLike,
    kept: ArrayLike,
    design: Randomised,
    *,
    statistic: Statistic = mean_of_phase_means,
    seed: int = 0,
    draws: int = DRAWS,
    randomised: bool = True,
    confidence: float = 0.95,
) -> RandomisationTest:
    """Would a schedule drawn otherwise have looked as good?

    Parameters
    ----------
    values
        (days,) or (people, days), turned so that more is better; NaN where not answered.
    kept
        (days,) or (people, days) phase numbers of the schedule that was drawn and kept to.
    design
        What could have been drawn.
    statistic
        More is better. Given all people's values and many schedules, one number for each schedule.
    seed, draws
        Of the sample, where there are more than 200,000 schedules: p is then (1 + count) / (1 + draws).
    randomised
        Whether the schedule was truly drawn.
    confidence
        Of the interval.

    Returns
    -------
    RandomisationTest
        Edgington & Onghena 2007, Randomization Tests, 4th ed.; a schedule whose statistic cannot be computed counts as at
        least as extreme.

    Raises
    ------
    UsageError
        If the schedule that was kept to is none of the design's, or shapes differ.
    """
    y, own = (np.atleast_2d(np.asarray(each, dtype=float)) for each in (values, kept))
    schedule = own.astype(np.int64)
    exact = design.count <= MOST_ENUMERATED
    rng = np.random.default_rng(seed)
    others = design.enumerated() if exact else design.sampled(draws, rng)
    if y.shape != schedule.shape or y.shape != others.shape[1:]:
        what = f"values have shape {y.shape}, the schedule {schedule.shape}, the design {others.shape[1:]}."
        raise UsageError([Problem("error", "randomisation test", what, "Give one value and phase for each day.")])
    if not design.admits(schedule):
        what = "the schedule that was kept to is none that could have been drawn."
        raise UsageError([Problem("error", "randomisation test", what, "Give the design it was drawn from.")])
    observed = float(statistic(y, schedule[None])[0])
    if not np.isfinite(observed):
        return refused("a phase has no answered day, so there is nothing to compare", randomised=randomised)
    found = _in_parts(statistic, y, others)
    uncomputed = ~np.isfinite(found)
    size = max(1.0, abs(observed), float(np.nanmax(np.abs(found))))
    extreme = int((uncomputed | (found >= observed - CLOSE * size)).sum())
    total, extra = len(found), 0 if exact else 1
    low, high = _inverted(statistic, y, schedule, others, found, observed, extra, confidence)
    return RandomisationTest(
        "ok",
        "",
        observed,
        (extreme + extra) / (total + extra),
        total,
        exact,
        int(uncomputed.sum()),
        low,
        high,
        randomised,
    )


def _in_parts(statistic: Statistic, values: Floats, schedules: Phases) -> Floats:
    step = max(1, AT_ONCE // schedules[0].size)
    return np.concatenate([statistic(values, schedules[at : at + step]) for at in range(0, len(schedules), step)])


def _inverted(
    statistic: Statistic, values: Floats, kept: Phases, others: Phases, found: Floats, observed: float, extra: int, confidence: float
) -> tuple[float, float]:  # fmt: skip
    """Effects that are not rejected: take δ off every treatment day, and ask the test again, for all δ at once.

    The statistic is linear: with u that of the schedule's own treatment days as values, T(δ) = t − δu. A schedule gives as much
    as the one kept to when δ ≥ (t₀ − t)/(u₀ − u); so the p of either tail is a count of such bounds.
    """
    if statistic is not mean_of_phase_means:
        return float("nan"), float("nan")
    treated = np.where(np.isfinite(values), (kept % 2).astype(float), np.nan)
    own = float(statistic(treated, kept[None])[0])
    slope = _in_parts(statistic, treated, others)
    same = ~np.isfinite(found) | (np.abs(own - slope) <= CLOSE)
    with np.errstate(invalid="ignore", divide="ignore"):
        bounds = np.sort(((observed - found) / (own - slope))[~same])
    alpha, total = (1 - confidence) / 2, len(found) + extra
    allowed = int(np.floor(alpha * total + CLOSE)) - int(same.sum()) - extra  # bounds that may be passed while p ≤ α
    if allowed < 0 or allowed >= len(bounds):
        return -np.inf, np.inf
    return float(bounds[allowed]), float(bounds[-1 - allowed])


def combined(p: ArrayLike, method: str = "additive") -> float:
    """What do several people's tests say together, if each was randomised apart?

    Parameters
    ----------
    p
        One of each person.
    method
        ``additive`` (Edgington 1972, J Psychol 80:351) or ``multiplicative`` (Fisher 1932).

    Raises
    ------
    UsageError
        If a p is not above 0 and at most 1, or the method is unknown.
    """
    each = np.atleast_1d(np.asarray(p, dtype=float))
    wrong = []
    if not each.size or not ((each > 0) & (each <= 1)).all():
        wrong.append(Problem("error", "p", f"found {each.tolist()}.", "Each must be above 0 and at most 1."))
    if method not in ("additive", "multiplicative"):
        wrong.append(Problem("error", "method", f"there is no method {method}.", "Write additive or multiplicative."))
    if wrong:
        raise UsageError(wrong)
    if method == "additive":
        return float(irwinhall(each.size).cdf(each.sum()))
    return float(combine_pvalues(each, method="fisher").pvalue)
