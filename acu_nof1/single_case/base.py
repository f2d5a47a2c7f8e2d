"""What an index of single-case research is, and the days it looks at: one interface, one file for each index."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from acu_nof1.distribution import RatioMixture
from acu_nof1.estimate import overlap
from acu_nof1.estimate.columns import AFTER, BEFORE, solve, too_few
from acu_nof1.estimate.level import phase_levels
from acu_nof1.estimate.overlap import Placements, placements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from acu_nof1.estimate.columns import Fits
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Z = float(ndtri(0.975))
ENDS = np.array([0.025, 0.975])
INDEPENDENT = "assumes independent days"
NO_LINE = "a line through the baseline needs two answered days"
PAIRS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False)
class Sides:
    """The answered days before and during treatment of S series, as the field's indices take them: all of both phases.

    Attributes
    ----------
    comparisons
        The series.
    goal
        (S,) the level that is aimed at, in the outcome's unit; NaN where none is declared and the scale has no end.
    """

    comparisons: Comparisons
    goal: Floats

    def __len__(self) -> int:
        return len(self.comparisons)

    @cached_property
    def before(self) -> Bools:
        """(S, D) answered baseline days."""
        return self.comparisons.answered & self.comparisons.baseline

    @cached_property
    def after(self) -> Bools:
        """(S, D) answered treatment days."""
        return self.comparisons.answered & self.comparisons.treated

    @cached_property
    def values(self) -> Floats:
        """(S, D) answers as they stand; 0 where there is none."""
        return np.where(self.comparisons.answered, self.comparisons.values, 0.0)

    @cached_property
    def sign(self) -> Floats:
        """(S,) 1 where higher is better, −1 where lower is."""
        return np.array(self.comparisons.each(lambda outcome: outcome.sign), dtype=float)

    @cached_property
    def better(self) -> Floats:
        """(S, D) answers turned so that more is better."""
        return self.sign[:, None] * self.values

    @cached_property
    def day(self) -> Floats:
        """(S, D) calendar days from the first treatment day."""
        return self.comparisons.tau.astype(float)

    @cached_property
    def counts(self) -> tuple[Floats, Floats]:
        """(S,) answered days before and after."""
        return self.before.sum(axis=1) * 1.0, self.after.sum(axis=1) * 1.0

    @cached_property
    def means(self) -> tuple[Floats, Floats]:
        """(S,) mean day of each phase, as answered."""
        return mean(self.values, self.before), mean(self.values, self.after)

    @cached_property
    def sds(self) -> tuple[Floats, Floats]:
        """(S,) SD of the days of each phase, n − 1."""
        return sd(self.values, self.before), sd(self.values, self.after)

    @cached_property
    def placements(self) -> Placements:
        """How each day stands to the days of the other phase."""
        return placements(self.comparisons)

    @cached_property
    def overlap(self) -> tuple[Floats, Floats, Sequence[str]]:
        """(S,) ends of our 95 % interval of NAP, and why there is none."""
        answer = overlap.nap(self.comparisons)
        ends = answer.distribution.quantile(ENDS)
        return ends[:, 0], ends[:, 1], answer.reason

    @cached_property
    def fits(self) -> Fits:
        """The level of each phase, with autocorrelation integrated out: what our intervals of levels are made of."""
        few = [count.astype(np.int64) for count in self.counts]
        return solve(self.comparisons, phase_levels(self.comparisons), too_few(few[0], few[1], "during treatment"))

    @cached_property
    def _levels(self) -> RatioMixture:
        return cast("RatioMixture", self.fits.distribution(lambda each: each.ratio(AFTER, BEFORE)))

    @cached_property
    def ratio(self) -> tuple[Floats, Floats]:
        """(S,) ends of the 95 % interval of the treatment level over the baseline level (Fieller)."""
        ends = self._levels.quantile(ENDS)
        return ends[:, 0], ends[:, 1]

    @cached_property
    def ways_left(self) -> tuple[Floats, Floats]:
        """(S,) ends of the 95 % interval of what is left to the goal over what was to do at the baseline (Fieller)."""
        low, high = (np.array(each) for each in self.ratio)
        other = np.flatnonzero((self.goal != 0) | (self.sign > 0))
        if other.size and isinstance(self._levels, RatioMixture):
            some, sign, goal = self._levels.take(other), self.sign[other, None], self.goal[other, None]
            left = replace(some, before=sign * (goal - some.before), after=sign * (goal - some.after))
            low[other], high[other] = left.quantile(ENDS).T
        return low, high

    @cached_property
    def refused(self) -> list[str]:
        """(S,) why a series has no interval of its levels; ``""`` where it has."""
        return list(self.fits.reason)


def mean(values: Floats, days: Bools) -> Floats:
    """Mean over some days of each series; NaN for none."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(days, values, 0.0).sum(axis=1) / days.sum(axis=1))


def sd(values: Floats, days: Bools) -> Floats:
    """SD over some days of each series, n − 1; NaN for fewer than two."""
    square = np.where(days, values - mean(values, days)[:, None], 0.0) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(square.sum(axis=1) / np.where(days.sum(axis=1) > 1, days.sum(axis=1) - 1, np.nan)))


def median(values: Floats, days: Bools) -> Floats:
    """Median over some days of each series; NaN for none."""
    held = np.where(days, values, np.nan)
    found = np.full(len(values), np.nan)
    some = days.any(axis=1)
    found[some] = np.nanmedian(held[some], axis=1)
    return found


def chunks(size: int, days: int) -> list[slice]:
    """Parts of a batch in which all pairs of days fit in memory."""
    step = max(1, PAIRS_AT_ONCE // days**2)
    return [slice(start, start + step) for start in range(0, size, step)]


@dataclass(frozen=True, eq=False)
class Values:
    """What an index comes to, for S series; NaN where it does not exist, and `reasons` says why.

    Attributes
    ----------
    value
        (S,) the index.
    se
        (S,) the standard error its authors give; NaN where they give none.
    published
        (S,) both ends of their 95 % interval.
    ours
        (S,) both ends of ours, which allows for autocorrelation.
    reasons
        (S,) why there is no value; ``""`` where there is.
    interval
        How our interval is made, or why there is none.
    no_interval
        (S,) why there is none for this series, where others have one.
    note
        (S,) what the authors say of such a value.
    """

    value: Floats
    se: Floats | None = None
    published: tuple[Floats, Floats] | None = None
    ours: tuple[Floats, Floats] | None = None
    reasons: Sequence[str] = ()
    interval: str = ""
    no_interval: Sequence[str] = ()
    note: Sequence[str] = ()


@dataclass(frozen=True)
class Index:
    """One index: what it asks, what it is, and what it cannot say.

    Attributes
    ----------
    name, title
        In tables; in words.
    asks
        The question it answers.
    cannot
        What it cannot say.
    source
        Where it was published.
    compute
        The index itself.
    applies
        Which outcomes it is for.
    minimum
        Days it needs before and after.
    """

    name: str
    title: str
    asks: str
    cannot: str
    source: str
    compute: Callable[[Sides], Values]
    applies: Callable[[Outcome], bool] = field(default=lambda outcome: outcome.kind != "yes_no")
    minimum: tuple[int, int] = (1, 1)


def short(sides: Sides, minimum: tuple[int, int]) -> list[str]:
    """Why a series has too few days for an index; ``""`` where it has enough."""

    def why(before: float, after: float) -> str:
        if before < minimum[0]:
            return (
                f"only {before:.0f} baseline {'day' if before == 1 else 'days'} answered; at least {minimum[0]} needed"
            )
        if after < minimum[1]:
            return (
                f"only {after:.0f} treatment {'day' if after == 1 else 'days'} answered; at least {minimum[1]} needed"
            )
        return ""

    return [why(*each) for each in zip(*sides.counts, strict=True)]


def reasons(*asked: tuple[Bools, str]) -> list[str]:
    """The first reason that holds for each series."""
    size = len(asked[0][0])
    return [next((why for holds, why in asked if holds[row]), "") for row in range(size)]


def around(value: Floats, se: Floats) -> tuple[Floats, Floats]:
    """Both ends of value ± 1.96 SE."""
    return value - Z * se, value + Z * se


def is_ratio(outcome: Outcome) -> bool:
    """Whether 0 means none, so that a level can be so many times another."""
    return outcome.kind != "yes_no" and outcome.low is not None and outcome.low >= 0
