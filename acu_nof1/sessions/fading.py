"""Wash-in and wash-out: an effect that each session builds up and that fades between sessions and after the last.

The state of the effect on day t is x_t: it fades by the factor 2^(-1/h) a day, and a session covers the share b of what is left to
its full size, x <- x + b (1 - x). Days are modelled as

    y_t = baseline + δ x_t / x̄_W + noise,

with x̄_W the mean state in the reassessment window, so that δ is the change at the reassessment that the sessions' course gives,
and its flat prior means the same at every b and h. The kernel integrates the noise at each (b, h) of a grid; the grid is weighed
by the evidence and its prior (even in log b and log h).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from acu_nof1.distribution import TMixture
from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import counted, indicator, noise_for, too_few
from acu_nof1.estimate.kernel import split
from acu_nof1.estimate.level import why_no_daily_level
from acu_nof1.estimate.nodes import grids
from acu_nof1.estimate.posterior import posterior
from acu_nof1.estimate.series import standardise
from acu_nof1.sessions.calendar import ONE_OF_EACH, onwards, session_days, too_few_sessions
from acu_nof1.sessions.ranges import NOT_KNOWN, Range

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Container, Mapping, Sequence

    from acu_nof1.estimate.posterior import Posterior
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

BUILD_OCTAVES, HALF_LIFE_OCTAVES = (-5.0, 0.0), (0.0, 7.0)
"""Build-up from 1/32 to all of what is left; half-life from 1 to 128 days."""
BUILDS, HALF_LIVES = 8, 12
FINER = 5
LATER = 28
ENDS = np.array([0.025, 0.5, 0.975])
CLEAR = 0.975
TOLD_SHARE = 0.5
LEAST_LOG = -40.0
WILKS = 3.841
"""The 95 % point of chi-squared with one degree of freedom."""
NOT_ASKED = "not asked here"


def _nothing() -> Floats:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Kinetics:
    """How a session-driven effect would have built up and faded.

    Attributes
    ----------
    person, outcome
        Whose, and of what.
    sessions
        How many sessions came before the reassessment.
    status, reason
        ``ok``, or ``not_estimable`` and why.
    state
        Change at the reassessment in the outcome's unit and direction, if it follows the sessions.
    build_up
        Share of what is left to the full effect that one session covers.
    half_life
        Days in which the effect fades to half when no session comes.
    time_to_half
        Days from the first session until half of the state at the reassessment.
    persistence
        Share of the effect of the day of the last session that is left four weeks later.
    build_up_told, half_life_told
        Whether the days tell it: the state has a direction (without an effect its course has no meaning), and the interval leaves
        out at least half of the range that was looked at. Where it is not told, the numbers say more of the range than of the days.
    builds, half_lives, weight
        The grid and its posterior, (builds, half-lives): the ridge.
    days, effect, low, high
        Days from the first treatment day, and the course of the effect with its 95 % interval.
    session_days
        The days of the sessions, counted alike.
    """

    person: str
    outcome: Outcome
    sessions: int
    status: Literal["ok", "not_estimable"]
    reason: str
    state: Range = NOT_KNOWN
    build_up: Range = NOT_KNOWN
    half_life: Range = NOT_KNOWN
    time_to_half: Range = NOT_KNOWN
    persistence: Range = NOT_KNOWN
    build_up_told: bool = False
    half_life_told: bool = False
    builds: Floats = field(default_factory=_nothing)
    half_lives: Floats = field(default_factory=_nothing)
    weight: Floats = field(default_factory=_nothing)
    days: Floats = field(default_factory=_nothing)
    effect: Floats = field(default_factory=_nothing)
    low: Floats = field(default_factory=_nothing)
    high: Floats = field(default_factory=_nothing)
    session_days: Floats = field(default_factory=_nothing)

    @property
    def asked(self) -> bool:
        """Whether this outcome was asked at all."""
        return self.reason != NOT_ASKED

    @property
    def shown(self) -> dict[str, Range]:
        """What the days tell of build-up, half-life, time to half and persistence; NaN for what only the range would give.

        A number is not told at all, or has one end only where the other end of the range fits nearly as well as anything: a longer
        range would give another end, and another middle.
        """
        builds, halves = (self.weight.sum(axis=axis) if self.weight.size else np.zeros(2) for axis in (1, 0))
        # All of what is missing is the most there can be; a half-life has no such end.
        return {
            "build_up": _ends_told(self.build_up, self.build_up_told, _is_open(builds, 0), False),
            "half_life": _ends_told(self.half_life, self.half_life_told, _is_open(halves, 0), _is_open(halves, -1)),
            "time_to_half": self.time_to_half if self.state.clear else NOT_KNOWN,
            "persistence": _ends_told(self.persistence, self.half_life_told, _is_open(halves, 0), _is_open(halves, -1)),
        }

    @property
    def told(self) -> bool:
        """Whether build-up and fading can both be told."""
        return self.build_up_told and self.half_life_told


def states(on: NDArray[np.bool_], builds: Floats, half_lives: Floats) -> Floats:
    """State of the effect on each day, for each pair of build-up and half-life.

    Parameters
    ----------
    on
        (D,) whether the day has a session.
    builds, half_lives
        (M,) shares and days.

    Returns
    -------
    ndarray
        (M, D), from 0 to 1.
    """
    kept, days = 2.0 ** (-1.0 / half_lives), np.flatnonzero(on)
    after = [np.zeros(len(builds))]  # the state right after each session, and before the first
    for gap in np.diff(days, prepend=days[:1]):
        faded = after[-1] * kept**gap
        after.append(faded + builds * (1 - faded))
    sofar = np.cumsum(on)
    since = np.arange(len(on)) - np.r_[0, days][sofar]
    return np.asarray(np.stack(after, axis=1)[:, sofar] * kept[:, None] ** since)


def _grid(finer: int = 1) -> tuple[Floats, Floats]:
    """Midpoints of equal cells of log2 b and log2 h."""

    def midpoints(octaves: tuple[float, float], cells: int) -> Floats:
        edges = np.linspace(*octaves, cells * finer + 1)
        return np.asarray((edges[1:] + edges[:-1]) / 2)

    return midpoints(BUILD_OCTAVES, BUILDS), midpoints(HALF_LIFE_OCTAVES, HALF_LIVES)


def kinetics(
    comparisons: Comparisons,
    attended: Mapping[str, Sequence[dt.date]],
    wanted: Container[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Kinetics, ...]:
    """If the change follows the sessions: how does it build up, how does it fade, and can the days tell at all?

    Days after the last session, of washout and follow-up too, count up to the reassessment.

    Parameters
    ----------
    comparisons
        Series; of those that are not kept daily, are yes/no, or have other phases than one baseline and one of treatment, it says so.
    attended
        Dates of the sessions that took place, by person.
    wanted
        Names of the outcomes that are asked; all where it is left out.
    progress
        Called with the number of series that are done and of all.

    Returns
    -------
    tuple of Kinetics
        One a series; one that is not asked says so. The model is an assumption: that the change is driven by the sessions. It says nothing on whether it is.
    """
    if not len(comparisons):
        return ()
    series, on = onwards(comparisons), session_days(comparisons, attended)
    found = []
    for row, outcome in enumerate(series.outcomes):
        if wanted is None or outcome.name in wanted:
            found.append(_one(series.take([row]), on[row]))
        else:
            found.append(Kinetics(series.person[row], outcome, int(on[row].sum()), "not_estimable", NOT_ASKED))
        if progress is not None:
            progress(row + 1, len(series))
    return tuple(found)


def _refused(one: Comparisons, on: NDArray[np.bool_]) -> str:
    if closed := why_no_daily_level(one.outcomes[0]):
        return closed
    if one.phases[0] != 2:
        return ONE_OF_EACH
    (few,) = too_few(counted(one.baseline, one), counted(one.window, one), "in the reassessment window", MINIMUM_DAYS)
    return few or too_few_sessions(int(on.sum()))


def _one(one: Comparisons, on: NDArray[np.bool_]) -> Kinetics:
    reason = _refused(one, on)
    if not reason:
        builds, half_lives = _grid()
        pairs = np.meshgrid(2.0**builds, 2.0**half_lives, indexing="ij")
        course = states(on, pairs[0].ravel(), pairs[1].ravel())
        scaled = course / _window_mean(course, one)[:, None]
        reason, parts = _fitted(one, scaled)
        if not reason:
            return _told(one, on, scaled, parts)
    return Kinetics(one.person[0], one.outcomes[0], int(on.sum()), "not_estimable", reason)


def _window_mean(course: Floats, one: Comparisons) -> Floats:
    return np.asarray(course[:, one.window[0] & one.answered[0]].mean(axis=1))


def _fitted(one: Comparisons, scaled: Floats) -> tuple[str, list[Posterior]]:
    """The kernel at every pair of the grid: the same days, a batch of as many designs."""
    models = len(scaled)
    values = np.repeat(np.where(one.answered, one.values, np.nan), models, axis=0)
    level = np.broadcast_to(indicator(one.answered), scaled.shape)
    columns = np.stack([level, scaled], axis=2)
    treated = np.repeat(one.treated, models, axis=0)
    data = standardise(values, columns, treated, np.broadcast_to([[0.0, 1.0]], (models, 1, 2)))
    if not data.estimable.all():
        return next(why for why in data.reason if why), []
    ((nodes, rows),) = grids(noise_for(one.outcomes[0], None), data.answered, data.baseline)
    return "", [posterior(data, some, nodes) for some in split(rows, nodes, 3)]


def _told(one: Comparisons, on: NDArray[np.bool_], scaled: Floats, parts: list[Posterior]) -> Kinetics:
    evidence = np.concatenate([part.evidence for part in parts if part.evidence is not None])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    df = float(one.answered[0].sum() - 2)
    state = _mixture(parts, share, df)
    low, middle, high = state.quantile(ENDS)[0]
    change = Range(float(middle), float(low), float(high))
    build, half, weight = _finer(evidence)
    build_up, half_life = (
        _marginal(build, weight.sum(axis=1), BUILD_OCTAVES),
        _marginal(half, weight.sum(axis=0), HALF_LIFE_OCTAVES),
    )
    pairs = np.meshgrid(2.0**build, 2.0**half, indexing="ij")
    course = states(on, pairs[0].ravel(), pairs[1].ravel())
    first = int(np.argmax(on))
    half_way = course >= _window_mean(course, one)[:, None] / 2
    reached = np.argmax(half_way, axis=1).astype(float) - first
    left = 2.0 ** (-LATER / pairs[1].ravel())
    days, effect, below, above = _band(one, scaled, parts, share, df)
    return Kinetics(
        person=one.person[0],
        outcome=one.outcomes[0],
        sessions=int(on.sum()),
        status="ok",
        reason="",
        state=change,
        build_up=build_up,
        half_life=half_life,
        time_to_half=_spread(reached, weight.ravel()),
        persistence=_spread(left, weight.ravel()),
        build_up_told=change.clear and _narrow(build_up, BUILD_OCTAVES),
        half_life_told=change.clear and _narrow(half_life, HALF_LIFE_OCTAVES),
        builds=2.0**build,
        half_lives=2.0**half,
        weight=weight,
        days=days,
        effect=effect,
        low=below,
        high=above,
        session_days=one.tau[0][on].astype(float),
    )


def _mixture(parts: list[Posterior], share: Floats, df: float) -> TMixture:
    """The state: nodes of all pairs of the grid in one mixture."""
    weight, loc, scale = [], [], []
    start = 0
    for part in parts:
        here = share[start : start + len(part.weight), None]
        weight.append((part.weight * here).ravel())
        loc.append(part.mean[0].ravel())
        scale.append(part.scale[0].ravel())
        start += len(part.weight)
    joined = [np.concatenate(each) for each in (weight, loc, scale)]
    kept = joined[0] > 1e-9
    chosen = [each[kept][None] for each in joined]
    return TMixture(chosen[0] / chosen[0].sum(), chosen[1], chosen[2], np.array([df]))


def _finer(evidence: Floats) -> tuple[Floats, Floats, Floats]:
    """The posterior of (b, h) between the nodes: the log evidence is smooth, and its spline costs no further fit."""
    builds, half_lives = _grid()
    log = np.maximum(evidence - evidence.max(), LEAST_LOG).reshape(BUILDS, HALF_LIVES)
    fine = _grid(FINER)
    # Beyond the outermost nodes, to the ends of the range, it stays as it is there.
    build, half = (
        np.clip(each, coarse[0], coarse[-1]) for each, coarse in zip(fine, (builds, half_lives), strict=True)
    )
    weight = np.exp(RectBivariateSpline(builds, half_lives, log)(build, half))
    return *fine, weight / weight.sum()


def _marginal(at: Floats, weight: Floats, octaves: tuple[float, float]) -> Range:
    """Median and 95 % interval of a parameter whose weight is even within its cells of log2."""
    edges = np.linspace(*octaves, len(at) + 1)
    found = np.interp(ENDS, np.r_[0.0, np.cumsum(weight)], edges)
    low, middle, high = 2.0**found
    return Range(float(middle), float(low), float(high))


def _spread(values: Floats, weight: Floats) -> Range:
    """Weighted median and the ends of a 95 % interval."""
    low, middle, high = np.quantile(values, ENDS, weights=weight, method="inverted_cdf")
    return Range(float(middle), float(low), float(high))


def _is_open(fits: Floats, end: int) -> bool:
    """Whether the end of the range fits as a value inside a 95 % likelihood interval does (Wilks 1938)."""
    return bool(fits[end] > np.exp(-WILKS / 2) * fits.max())


def _ends_told(each: Range, told: bool, low_open: bool, high_open: bool) -> Range:
    """The number with the ends that the days tell; where one is not told, neither is the middle."""
    if not told:
        return NOT_KNOWN
    value = nan if low_open or high_open else each.value
    return Range(value, nan if low_open else each.low, nan if high_open else each.high)


def _narrow(found: Range, octaves: tuple[float, float]) -> bool:
    return bool(np.log2(found.high / found.low) <= TOLD_SHARE * (octaves[1] - octaves[0]))


def _band(
    one: Comparisons, scaled: Floats, parts: list[Posterior], share: Floats, df: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """The days, and for each the effect's median and both ends; each pair of the grid counts as one t."""
    mean = np.concatenate([np.sum(part.weight * part.mean[0], axis=1) for part in parts])
    square = np.concatenate([np.sum(part.weight * (part.scale[0] ** 2 + part.mean[0] ** 2), axis=1) for part in parts])
    sd = np.sqrt(np.maximum(square - mean**2, 0.0))
    shown = np.flatnonzero((one.tau[0] >= 0) & (one.phase[0] >= 0))
    kept = np.flatnonzero(share > 1e-6)
    times = scaled[np.ix_(kept, shown)].T
    shape = times.shape
    mixture = TMixture(
        np.broadcast_to(share[kept] / share[kept].sum(), shape),
        times * mean[kept], np.maximum(times * sd[kept], 1e-9), np.full(len(shown), df),
    )  # fmt: skip
    low, middle, high = mixture.quantile(ENDS).T
    return one.tau[0][shown].astype(float), middle, low, high
