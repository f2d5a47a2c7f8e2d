"""What the unanswered days could hide: when they fell, whether they followed bad days, how bad they had to be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import pandas as pd
from scipy.special import expit, ndtri

from acu_nof1.distribution import DAYS_PER_MONTH, Grid, RatioMixture, TMixture
from acu_nof1.distribution.grids import cell_midpoints
from acu_nof1.interpret import SURE, chances, readings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from acu_nof1.distribution import Distribution
    from acu_nof1.estimate import Estimate, Estimates
    from acu_nof1.interpret import Chances
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

    Floats = NDArray[np.float64]
    Days = NDArray[np.bool_]

Part = Literal["baseline", "between", "window", "treatment"]
Side = Literal["baseline", "window", "treatment"]
MINIMUM_MISSING = 5
# Search of a tipping point: steps of an eighth of the way, then ten times a quarter of the step before.
STEPS = (8, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4)
NEWTON_STEPS = 35
MONDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class AfterBadDays:
    """Is a day likelier to be missing after a bad day?

    Attributes
    ----------
    person, outcome
        Whose days, of what.
    missing, days
        Days missing after an answered day, of so many days after one.
    step
        How much worse the day before: one SD of the answers; 1 for yes/no days.
    odds_ratio, low, high, confidence
        How many times as high the odds of a missing day are after a day worse by `step`, with its interval.
    reason
        Why it cannot be estimated; ``""`` where it can.
    """

    person: str
    outcome: Outcome
    missing: int
    days: int
    step: float
    odds_ratio: float
    low: float
    high: float
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Tip:
    """Where the reading becomes another one when the missing days are taken for worse, or for better, than expected.

    Attributes
    ----------
    average
        Average of the missing days from which the reading is another; NaN if none up to `end` changes it.
    reading
        The reading it becomes; ``""`` if it stays.
    end
        The last average that was tried: the end of the scale, or the most extreme answer where it has none.
    """

    average: float
    reading: str
    end: float


@dataclass(frozen=True, slots=True)
class TippingPoint:
    """How different the missing days of one side had to be to change what is read from one outcome.

    Attributes
    ----------
    person, outcome, question
        Whose answer, to what.
    side
        The baseline, the window, or all treatment days.
    missing, of
        Days of that side without an answer, and all its days.
    share
        How much they count in the average day of that side.
    expected
        Their average as the model expects it.
    reading
        The reading as it stands.
    worse, better
        Where it changes in each direction.
    gain_lost
        Where any gain is no longer sure, in the direction that harms it; its reading is empty.
    """

    person: str
    outcome: Outcome
    question: str
    side: Side
    missing: int
    of: int
    share: float
    expected: float
    reading: str
    worse: Tip
    better: Tip
    gain_lost: float


@dataclass(frozen=True, eq=False)
class MissingDays:
    """What is known of the days without an answer.

    Attributes
    ----------
    after_bad_days
        One for each daily outcome.
    tipping_points
        For each headline answer, one for each of its sides that has missing days.
    """

    _adherence: pd.DataFrame
    _weekdays: pd.DataFrame
    after_bad_days: tuple[AfterBadDays, ...]
    tipping_points: tuple[TippingPoint, ...]

    @property
    def adherence(self) -> pd.DataFrame:
        """Answered and possible days, and the longest gap, by part of the trial (a copy)."""
        return self._adherence.copy()

    @property
    def weekdays(self) -> pd.DataFrame:
        """Answered and possible days by day of the week, Monday 0 (a copy)."""
        return self._weekdays.copy()


def missing_days(comparisons: Comparisons, estimates: Estimates) -> MissingDays:
    """What could the unanswered days hide?

    Parameters
    ----------
    comparisons
        Any number of series; only what is kept daily is looked at.
    estimates
        The answers made from them.

    Returns
    -------
    MissingDays
        When days were missing, whether after bad ones, and how bad they had to be to change a reading.
    """
    daily = comparisons.take(np.array([outcome.every == "day" for outcome in comparisons.outcomes], bool))
    return MissingDays(
        adherence(daily), weekdays(daily), tuple(after_bad_days(daily)), tuple(tipping_points(daily, estimates))
    )


# ------------------------------------------------------------------ when days were missing


def parts(series: Comparisons) -> dict[Part, Days]:
    """Which days belong to the baseline, the window, and the treatment before it? With several phases: which to treatment?"""
    several, used = (series.phases > 2)[:, None], series.phase >= 0
    treated = series.treated & used
    return {
        "baseline": series.baseline,
        "between": treated & ~series.window & ~several,
        "window": series.window & used & ~several,
        "treatment": treated & several,
    }


def longest_gap(missing: Days) -> NDArray[np.int64]:
    """How many days in a row, at most, were missing? (S, D) to (S,)."""
    place = np.arange(missing.shape[1])
    last = np.maximum.accumulate(np.where(missing, -1, place), axis=1)
    return np.asarray(np.where(missing, place - last, 0).max(axis=1, initial=0))


def adherence(series: Comparisons) -> pd.DataFrame:
    """How many of the possible days were answered in each part, and how long was the longest gap?"""
    frames = [
        _named(series).assign(
            days=part,
            answered=(days & series.answered).sum(axis=1),
            of=days.sum(axis=1),
            longest_gap=longest_gap(days & ~series.answered),
        )
        for part, days in parts(series).items()
    ]
    table = pd.concat(frames).sort_index(kind="stable")
    return table[table["of"] > 0].reset_index(drop=True)


def weekdays(series: Comparisons) -> pd.DataFrame:
    """How many of the possible days were answered on each day of the week?"""
    used = series.phase >= 0
    day = (series.start.astype("datetime64[D]").astype(int)[:, None] + np.arange(used.shape[1]) + MONDAY) % 7
    frames = [
        _named(series).assign(
            weekday=number,
            answered=(used & series.answered & (day == number)).sum(axis=1),
            of=(used & (day == number)).sum(axis=1),
        )
        for number in range(7)
    ]
    return pd.concat(frames).sort_index(kind="stable").reset_index(drop=True)


def _named(series: Comparisons) -> pd.DataFrame:
    outcomes = series.outcomes
    return pd.DataFrame(
        {"person": series.person, "outcome": [o.name for o in outcomes], "label": [o.label for o in outcomes]}
    )


# ------------------------------------------------------------------ after bad days


def after_bad_days(series: Comparisons, confidence: float = 0.95) -> Iterator[AfterBadDays]:
    """Is a day likelier to be missing after a bad day?

    Logistic regression of "missing today" on how bad yesterday was, with a level for each phase. Only days after
    an answered day are used, so a gap counts once. Phases without a missing day, or without any other, tell nothing
    of the slope and are left out. The interval is Wald's.
    """
    used, answered = series.phase >= 0, series.answered
    after = used[:, 1:] & used[:, :-1] & answered[:, :-1]
    for row, outcome in enumerate(series.outcomes):
        days = after[row]
        found = _missing_on_bad(
            -outcome.sign * series.values[row, :-1][days],
            ~answered[row, 1:][days],
            series.phase[row, 1:][days],
            outcome.kind == "yes_no",
            confidence,
        )
        yield AfterBadDays(series.person[row], outcome, *found)


def _missing_on_bad(
    bad: Floats, missing: Days, phase: NDArray[np.int64], yes_no: bool, confidence: float
) -> tuple[int, int, float, float, float, float, float, str]:
    count, days = int(missing.sum()), missing.size
    step = 1.0 if yes_no else float(bad.std(ddof=1)) if days > 1 else math.nan
    reason = _why_no_odds(bad, missing, phase)
    if reason:
        return count, days, step, math.nan, math.nan, math.nan, confidence, reason
    kept = _telling(missing, phase)
    intercepts = phase[kept][:, None] == np.unique(phase[kept])
    slope, error = logistic_slope(np.column_stack([bad[kept] / step, intercepts]), missing[kept])
    low, ratio, high = np.exp(slope + error * ndtri((1 - confidence) / 2) * np.array([1, 0, -1]))
    return count, days, step, float(ratio), float(low), float(high), confidence, ""


def logistic_slope(columns: Floats, happened: Days) -> tuple[float, float]:
    """By how much do the log odds rise with the first column, and with which standard error? Newton's method.

    The same as ``Logit`` of statsmodels, for the import of which every report would wait a second.
    """
    beta = np.zeros(columns.shape[1])
    for _ in range(NEWTON_STEPS):
        chance = expit(columns @ beta)
        information = (columns * (chance * (1 - chance))[:, None]).T @ columns
        step = np.linalg.solve(information, columns.T @ (happened - chance))
        beta += step
        if np.abs(step).max() < 1e-10:
            break
    return float(beta[0]), float(np.sqrt(np.linalg.inv(information)[0, 0]))


def _telling(missing: Days, phase: NDArray[np.int64]) -> Days:
    """Which days lie in a phase with both missing and answered days?"""
    both = [p for p in np.unique(phase) if 0 < missing[phase == p].sum() < (phase == p).sum()]
    return np.isin(phase, both)


def _why_no_odds(bad: Floats, missing: Days, phase: NDArray[np.int64]) -> str:
    count = int(missing.sum())
    if not count:
        return "no day is missing after an answered day"
    if count < MINIMUM_MISSING:
        gaps = "one day is" if count == 1 else f"{count} days are"
        return f"{gaps} missing after an answered day; at least {MINIMUM_MISSING} are needed"
    kept = _telling(missing, phase)
    if missing[kept].sum() < MINIMUM_MISSING or (~missing[kept]).sum() < MINIMUM_MISSING:
        return "too few days were answered beside the missing ones to compare"
    if np.ptp(bad[kept]) == 0:
        return "the days before were all alike"
    strata = [(bad[kept & missing & (phase == p)], bad[kept & ~missing & (phase == p)]) for p in np.unique(phase[kept])]
    if all(gone.min() >= held.max() for gone, held in strata):
        return "every missing day followed a day at least as bad as all the others, so the odds have no upper end"
    if all(gone.max() <= held.min() for gone, held in strata):
        return "every missing day followed a day at most as bad as all the others, so the odds have no lower end"
    return ""


# ------------------------------------------------------------------ tipping points


def tipping_points(series: Comparisons, estimates: Estimates) -> Iterator[TippingPoint]:
    """How different had the missing days to be for another reading?

    A pattern-mixture model: the missing days of a side differ by delta from what the model expects of them, so its
    average day moves by share times delta, and the whole posterior with it (Little 1993, J Am Stat Assoc 88:125).
    No refit is needed.
    """
    rows = {(person, o.name): row for row, (person, o) in enumerate(zip(series.person, series.outcomes, strict=True))}
    for estimate in estimates.headlines:
        row = rows.get((estimate.person, estimate.outcome.name))
        if row is not None and estimate.ok and estimate.reading:
            yield from _tips(series.take([row]), estimate)


def _tips(series: Comparisons, estimate: Estimate) -> Iterator[TippingPoint]:
    several = bool(series.phases[0] > 2)
    late: Side = "treatment" if several else "window"
    found = parts(series)
    for side in (late, "baseline"):
        days = found[side][0]
        missing = days & ~series.answered[0]
        # With several phases the level of a side is the plain mean of its phases' levels; yes/no days are pooled.
        groups = series.phase[0] if several and estimate.outcome.kind != "yes_no" else np.zeros(days.size, int)
        share = float(
            np.mean([missing[groups == g].sum() / (days & (groups == g)).sum() for g in np.unique(groups[days])])
        )
        if 0 < share < 1:
            yield _tipping(series, estimate, side, int(missing.sum()), int(days.sum()), share)


def _tipping(series: Comparisons, estimate: Estimate, side: Side, missing: int, of: int, share: float) -> TippingPoint:
    outcome = estimate.outcome
    moved = _Moved(estimate, side == "baseline", share)
    held = series.values[0][series.answered[0]]
    low = outcome.low if outcome.low is not None else min(float(held.min()), moved.expected)
    high = outcome.high if outcome.high is not None else max(float(held.max()), moved.expected)
    if outcome.kind == "yes_no":
        low, high = 0.0, 1.0
    worse, better = (high, low) if outcome.sign < 0 else (low, high)
    # Worse days before treatment make a gain larger: what harms it there are better ones.
    harm = better if side == "baseline" else worse
    lost, _ = moved.first_change(harm, gain_only=True) if estimate.p_gain >= SURE else (math.nan, "")
    return TippingPoint(
        estimate.person, outcome, estimate.question, side, missing, of, share, moved.expected, estimate.reading,
        Tip(*moved.first_change(worse), worse), Tip(*moved.first_change(better), better), lost,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Moved:
    """One answer with the missing days of one side moved by delta."""

    estimate: Estimate
    baseline: bool
    share: float

    @property
    def expected(self) -> float:
        """What the model expects of the missing days on average: the level of their side."""
        level = self.estimate.before if self.baseline else self.estimate.after
        return level / DAYS_PER_MONTH if self.estimate.outcome.kind == "yes_no" else level

    def distribution(self, delta: Floats) -> Distribution:
        """Distribution of the change for each delta, (K,) to K rows."""
        if isinstance(self.estimate.distribution, Grid):
            # Only the cdf of what is moved is ever asked for.
            return cast("Distribution", _MovedDays(self.estimate.distribution, self.baseline, self.share, delta))
        many = self.estimate.distribution.take(np.zeros(delta.size, int))
        step = (self.share * delta)[:, None]
        if isinstance(many, TMixture):
            return replace(many, loc=many.loc - step if self.baseline else many.loc + step)
        if isinstance(many, RatioMixture):
            if self.baseline:
                return replace(many, before=many.before + step)
            return replace(many, after=many.after + step)
        raise TypeError(f"no days can be moved in a {type(many).__name__}")

    def _chances(self, delta: Floats) -> Chances:
        important, sign = np.float64(self.estimate.important_change), self.estimate.outcome.sign
        many = np.full(delta.size, important), np.full(delta.size, sign)
        return chances(self.distribution(delta), self.estimate.no_change, *many)

    def average(self, delta: float) -> float:
        """Average of the missing days that belongs to delta; shares of yes-days stay between 0 and 1."""
        behind = self.estimate.distribution
        if not isinstance(behind, Grid):
            return self.expected + delta
        cells = np.einsum("h,hm->m", behind.weight[0], (behind.before if self.baseline else behind.after)[0])
        return float(cells @ np.clip(cell_midpoints(cells.size) + delta, 0, 1))

    def first_change(self, end: float, gain_only: bool = False) -> tuple[float, str]:
        """From which average on, on the way to `end`, is the reading another one, or any gain no longer sure?"""
        grid = isinstance(self.estimate.distribution, Grid)
        low, high = 0.0, (1.0 if end > self.expected else -1.0) if grid else end - self.expected
        for steps in STEPS:
            deltas = np.linspace(low, high, steps + 1)
            held = self._chances(deltas[1:])
            kinds = readings(held)
            changed = held.gain < SURE if gain_only else kinds != self.estimate.reading
            if not changed.any():
                return math.nan, ""
            place = int(changed.argmax())
            low, high, kind = float(deltas[place]), float(deltas[place + 1]), str(kinds[place])
        return self.average(high), kind


@dataclass(frozen=True, eq=False)
class _MovedDays:
    """Yes/no days of which a part is moved: p becomes g(p) = (1 - share) p + share clip(p + delta, 0, 1)."""

    days: Grid
    baseline: bool
    share: float
    delta: Floats

    def cdf(self, x: Floats) -> Floats:
        """How probable is a change below x? (K, k): `after` must lie below what the moved `before` and x allow."""
        before = cell_midpoints(self.days.before.shape[2])[None, :]
        delta = np.repeat(self.delta, x.shape[1])[:, None]
        if self.baseline:
            before = (1 - self.share) * before + self.share * np.clip(before + delta, 0, 1)
        at = x.reshape(-1, 1)
        bound = before * at if self.days.scale == "ratio" else before + at / DAYS_PER_MONTH
        return self.days.below(bound if self.baseline else self._unmoved(bound, delta)).reshape(x.shape)

    def _unmoved(self, moved: Floats, delta: Floats) -> Floats:
        """The inverse of g, which rises and has a kink where p + delta reaches an end."""
        straight = moved - self.share * delta
        up = np.maximum(straight, (moved - self.share) / (1 - self.share))
        return np.asarray(np.where(delta >= 0, up, np.minimum(straight, moved / (1 - self.share))))
