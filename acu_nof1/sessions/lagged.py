"""How outcomes move together: does a worse night come before a worse day, and the reverse?

The model of a link is y_t = level and slope of each phase + β x_{t−lag} + noise, with x what is left of the other outcome around its
own level and slope in each phase, per SD of that. The kernel integrates the autocorrelation of y, so the interval of β survives that both
series drift; days on which either was not answered do not count. The placebo is lag 5, beside the lag that is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby, permutations
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import noise_for
from acu_nof1.estimate.kernel import fit
from acu_nof1.estimate.level import is_daily_level
from acu_nof1.sessions.ranges import NOT_KNOWN, Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acu_nof1.estimate.nodes import Noise
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

PLACEBO = 5
LEAST_PAIRS = 20
FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True)
class Link:
    """One outcome, and another some days later.

    Attributes
    ----------
    person
        Whose.
    first, then
        The outcome that comes first, and the one that follows.
    lag
        Days between their dates. 0 is the night before the day (a night has the date of its morning).
    pairs
        How many pairs of days both were answered.
    sd
        Of `first` around its own level and slope in each phase, in its unit; NaN where nothing is left of it.
    effect
        Difference of `then` that goes with one such SD more of `first`, in the unit of `then`.
    p
        Two-sided: twice the smaller posterior probability of either sign.
    placebo
        The same for `first` five days earlier, with `lag` in the model; it should hold 0.
    holds
        Whether it is left when of all links that are called so at most 5 % should be false (Benjamini and Hochberg 1995), and the
        placebo does hold 0.
    reason
        Why there is none; ``""`` where there is.
    """

    person: str
    first: Outcome
    then: Outcome
    lag: int
    pairs: int
    sd: float
    effect: Range
    p: float
    placebo: Range
    holds: bool
    reason: str


def lag_of(first: Outcome, then: Outcome) -> int:
    """How many days lie between the dates when `first` comes just before `then`?

    A night is dated by its morning: the night before a day has that day's date, and the night after it the next one's.
    """
    return 0 if is_night(first) and not is_night(then) else 1


def is_night(outcome: Outcome) -> bool:
    """Whether it is about the night."""
    return outcome.domain == "sleep"


def together(comparisons: Comparisons) -> tuple[Link, ...]:
    """Which outcomes go along with which others a day later, or the night before?

    Parameters
    ----------
    comparisons
        Series; those of one person that are kept daily and are not yes/no are taken two by two, both ways round.

    Returns
    -------
    tuple of Link
        By person: each pair and its reverse side by side. Association within phases; what drives both looks the same.

    Notes
    -----
    An interval that takes the days for independent is too narrow when both series drift (Pyper and Peterman 1998, Can J Fish Aquat
    Sci 55:2127); here the noise around the model is the kernel's.
    """
    rows = np.flatnonzero(comparisons.each(is_daily_level))
    series = comparisons.take(rows)
    of_person: dict[str, list[int]] = {}
    for row, person in enumerate(series.person):
        of_person.setdefault(person, []).append(row)
    pairs = [pair for own in of_person.values() for pair in _both_ways(own)]
    if not pairs:
        return ()
    columns = _phase_columns(series)
    left, sd = zip(*(_residual(series, row, columns[row]) for row in range(len(series))), strict=True)
    return _controlled(_links(series, columns, left, sd, pairs))


def _both_ways(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Each pair and its reverse, side by side."""
    return sorted(permutations(rows, 2), key=lambda pair: (min(pair), max(pair), pair[0]))


def _phase_columns(series: Comparisons) -> Floats:
    """(S, D, 2 phases) level and centred slope of each phase."""
    inside = series.phase[:, :, None] == np.arange(max(int(series.phases.max(initial=1)), 1))
    tau = series.tau[:, :, None]
    centre = np.where(inside, tau, 0).sum(axis=1) / np.maximum(inside.sum(axis=1), 1)
    return np.concatenate([inside.astype(float), np.where(inside, (tau - centre[:, None, :]) / 7.0, 0.0)], axis=2)


def _used(columns: Floats, days: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which columns say anything on these days: a slope needs five of them."""
    filled = (columns[days] != 0).sum(axis=0)
    half = columns.shape[1] // 2
    return np.asarray(filled >= np.where(np.arange(columns.shape[1]) < half, 1, MINIMUM_DAYS))


def _residual(series: Comparisons, row: int, columns: Floats) -> tuple[Floats, float]:
    """What is left of a series around level and slope of each phase, per SD, and that SD; NaN where nothing is left."""
    days = series.answered[row]
    left = np.full(len(days), np.nan)
    if not days.any():
        return left, nan
    x = columns[days][:, _used(columns, days)]
    values = series.values[row, days]
    rest = values - x @ np.linalg.lstsq(x, values, rcond=None)[0]
    freedom = len(values) - x.shape[1]
    sd = float(np.sqrt(rest @ rest / freedom)) if freedom > 0 else 0.0
    if sd <= 1e-9 * np.abs(values).max(initial=1.0):
        return left, nan
    left[days] = rest / sd
    return left, sd


@dataclass(frozen=True, eq=False)
class _Asked:
    """One regression: a series on what may come before it, and the column that is asked for."""

    row: int
    days: NDArray[np.bool_]
    design: Floats
    column: int

    @property
    def reason(self) -> str:
        count = int(self.days.sum())
        return "" if count >= LEAST_PAIRS else f"only {count} pairs of days answered; at least {LEAST_PAIRS} are needed"


def _links(
    series: Comparisons, columns: Floats, left: Sequence[Floats], sd: Sequence[float], pairs: Sequence[tuple[int, int]]
) -> list[Link]:
    asked = []
    for first, then in pairs:
        lag = lag_of(series.outcomes[first], series.outcomes[then])
        x = np.stack([_shifted(left[first], lag), _shifted(left[first], PLACEBO)], axis=1)
        asked += [_asked(series, columns[then], x[:, :1], then), _asked(series, columns[then], x, then)]
    answers = _answers(series, asked)
    return [
        Link(
            person=series.person[first],
            first=series.outcomes[first],
            then=series.outcomes[then],
            lag=lag_of(series.outcomes[first], series.outcomes[then]),
            pairs=int(asked[2 * place].days.sum()),
            sd=sd[first],
            effect=answers[2 * place][1],
            p=answers[2 * place][2],
            placebo=answers[2 * place + 1][1],
            holds=False,
            reason=_does_not_vary(series, first, sd[first]) or answers[2 * place][0],
        )
        for place, (first, then) in enumerate(pairs)
    ]


def _does_not_vary(series: Comparisons, row: int, sd: float) -> str:
    enough = series.answered[row].sum() >= LEAST_PAIRS
    return f"{series.outcomes[row].label} does not vary around its course" if enough and np.isnan(sd) else ""


def _shifted(values: Floats, lag: int) -> Floats:
    return np.concatenate([np.full(lag, np.nan), values[: len(values) - lag]])


def _asked(series: Comparisons, columns: Floats, x: Floats, row: int) -> _Asked:
    """The last column of x is asked for; days on which any of them is not known do not count."""
    days = series.answered[row] & np.isfinite(x).all(axis=1)
    design = np.column_stack([np.where(days[:, None], x, 0.0), columns[:, _used(columns, days)]])
    return _Asked(row, days, design, x.shape[1] - 1)


def _answers(series: Comparisons, asked: Sequence[_Asked]) -> list[tuple[str, Range, float]]:
    """Reason, effect and p of each: regressions of one width and one noise go through the kernel as a batch."""
    found = [(each.reason, NOT_KNOWN, nan) for each in asked]
    kinds: dict[tuple[int, Noise], list[int]] = {}
    for place, each in enumerate(asked):
        if not each.reason:
            kinds.setdefault((each.design.shape[1], noise_for(series.outcomes[each.row], None)), []).append(place)
    for (width, noise), places in kinds.items():
        some = [asked[place] for place in places]
        rows = [each.row for each in some]
        values = np.where(np.stack([each.days for each in some]), series.values[rows], np.nan)
        contrast = np.eye(width)[[each.column for each in some]][:, None, :]
        fits = fit(values, np.stack([each.design for each in some]), series.treated[rows], contrast, noise)
        known = fits.mixture()
        ends, below = known.quantile([0.025, 0.975]), known.cdf(np.zeros((len(some), 1)))[:, 0]
        for at, place in enumerate(places):
            if fits.reason[at]:
                found[place] = (fits.reason[at], NOT_KNOWN, nan)
            else:
                effect = Range(float(known.centre[at]), float(ends[at, 0]), float(ends[at, 1]))
                found[place] = ("", effect, float(2 * min(below[at], 1 - below[at])))
    return found


def _controlled(links: list[Link]) -> tuple[Link, ...]:
    """Say of the links of each person, which stand together, which are left when false discoveries are held to 5 %."""
    out = []
    for _, some in groupby(links, key=lambda link: link.person):
        own = list(some)
        adjusted = false_discovery_rates(np.array([link.p for link in own]))
        out += [
            replace(link, holds=bool(rate <= FALSE_DISCOVERIES) and link.placebo.holds_zero)
            for link, rate in zip(own, adjusted, strict=True)
        ]
    return tuple(out)


def false_discovery_rates(p: Floats) -> Floats:
    """The smallest false discovery rate at which each would be called a link (Benjamini and Hochberg 1995); NaN stays NaN.

    As `scipy.stats.false_discovery_control`, whose import would keep every page waiting.
    """
    out, asked = np.full(len(p), nan), np.flatnonzero(np.isfinite(p))
    order = asked[np.argsort(p[asked])[::-1]]
    out[order] = np.minimum.accumulate(p[order] * len(order) / np.arange(len(order), 0, -1))
    return out
