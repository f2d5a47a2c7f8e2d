"""Diaries with a known truth: for tests, notebooks, sample data, planning and calibration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cholesky, toeplitz
from scipy.special import ndtri

from acu_nof1.diary import Diary
from acu_nof1.errors import did_you_mean

if TYPE_CHECKING:
    import datetime as dt

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Seed = int | np.random.Generator
PerSeries = float | Floats  # one value for all series, or one for each

# Unit-SD noise, (series, days), from a generator, the numbers of series and days, and phi.
Noise = Callable[[np.random.Generator, int, int, PerSeries], Floats]
# How far along the effect is (1 = fully) on treatment days 0, 1, 2 … of a treatment of so many days.
Shape = Callable[[Floats, int], Floats]
_Maker = TypeVar("_Maker", Noise, Shape)

WEEKEND_SD = 0.9  # how much higher weekends are, in SD of the noise around the pattern
WALK_STEP = 0.15  # daily step of the random walk, in SD of the white noise on top of it
LOG_RATE_SD = 0.6  # SD of the log rate of autocorrelated counts
EXTRA_SHAPE = 1.5  # gamma shape of the daily rate of overdispersed counts
BOUT_SHARE, BOUT_RHO = 1 / 3, 0.6  # share of days inside a bout, and how bouts persist


# --- noise ---------------------------------------------------------------------------------------


def _column(value: PerSeries) -> Floats:
    """Stand one value per series beside the days: shape (series, 1), or (1, 1) for all."""
    return np.atleast_1d(np.asarray(value, dtype=float))[:, None]


def _autoregression(shocks: Floats, phi: PerSeries) -> Floats:
    """Turn unit shocks (series, days) into unit-variance AR(1): u_t = phi u_{t-1} + sqrt(1 - phi²) e_t."""
    phi_ = np.asarray(phi, dtype=float)
    fresh = np.sqrt(1 - phi_**2)
    u = shocks.T.copy()
    for t in range(1, len(u)):
        u[t] = phi_ * u[t - 1] + fresh * u[t]
    return np.ascontiguousarray(u.T)


def _with_autocorrelation(rho: Floats, rng: np.random.Generator, n: int) -> Floats:
    """Gaussian series whose correlation at lag k is `rho[k]`."""
    return rng.standard_normal((n, len(rho))) @ cholesky(toeplitz(rho))


def _ar1(rng: np.random.Generator, n: int, days: int, phi: PerSeries) -> Floats:
    return _autoregression(rng.standard_normal((n, days)), phi)


def _ar2(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    first, second = 0.5, 0.3
    rho = np.ones(max(days, 2))
    rho[1] = first / (1 - second)  # Yule–Walker
    for k in range(2, days):
        rho[k] = first * rho[k - 1] + second * rho[k - 2]
    return _with_autocorrelation(rho[:days], rng, n)


def _ma1(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    theta = 0.6
    shocks = rng.standard_normal((n, days + 1))
    return (shocks[:, 1:] + theta * shocks[:, :-1]) / math.sqrt(1 + theta**2)


def _weekly(rng: np.random.Generator, n: int, days: int, phi: PerSeries) -> Floats:
    weekend = np.arange(days) % 7 >= 5
    pattern = WEEKEND_SD * (weekend - 2 / 7)
    return (_ar1(rng, n, days, phi) + pattern) / math.sqrt(1 + WEEKEND_SD**2 * (2 / 7) * (5 / 7))


def _t3(rng: np.random.Generator, n: int, days: int, phi: PerSeries) -> Floats:
    return _autoregression(rng.standard_t(3, (n, days)) / math.sqrt(3), phi)


def _random_walk(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    walk = np.cumsum(WALK_STEP * rng.standard_normal((n, days)), axis=1)
    # expected variance around the record's own mean; a walk has no other
    variance = WALK_STEP**2 * (days**2 - 1) / (6 * days) + (days - 1) / days
    return (walk + rng.standard_normal((n, days))) / math.sqrt(variance)


def _ar95(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    return _ar1(rng, n, days, 0.95)


def _long_memory(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    d = 0.3
    lag = np.arange(1, days)
    rho = np.cumprod(np.concatenate([[1.0], (lag - 1 + d) / (lag - d)]))  # Hosking 1981, ARFIMA(0, d, 0)
    return _with_autocorrelation(rho, rng, n)


NOISES: Mapping[str, Noise] = {
    "ar1": _ar1,  # corr phi^|s-t|
    "ar2": _ar2,  # coefficients .5, .3
    "ma1": _ma1,  # coefficient .6
    "weekly": _weekly,  # weekends higher, AR(phi) around the pattern; the first day is a Monday
    "t3": _t3,  # AR(phi) with heavy-tailed shocks
    "random_walk": _random_walk,  # random walk + white noise
    "ar95": _ar95,  # AR(.95)
    "long_memory": _long_memory,  # fractional noise, d = .3
}


def noise(
    n: int,
    days: int,
    *,
    seed: Seed,
    phi: PerSeries = 0.4,
    share: PerSeries = 0.0,
    sd: PerSeries = 1.0,
    kind: str = "ar1",
) -> Floats:
    """How days differ from one another when nothing changes.

    Parameters
    ----------
    n, days
        How many series of how many days.
    seed
        A number, or a generator to draw from.
    phi
        Correlation of neighbouring days, for kinds that leave it open; one value or one per series.
    share
        Share λ of the variance that is white noise: y = sqrt(1 - λ) u + sqrt(λ) e.
    sd
        Standard deviation of a day.
    kind
        A name in `NOISES`.

    Returns
    -------
    ndarray
        (n, days), mean 0.
    """
    rng = np.random.default_rng(seed)
    u = _named(NOISES, kind, "noise")(rng, n, days, phi)
    e = rng.standard_normal((n, days))
    white = _column(share)
    return _column(sd) * (np.sqrt(1 - white) * u + np.sqrt(white) * e)


# --- the course of the effect --------------------------------------------------------------------


def _none(day: Floats, _days: int) -> Floats:
    return np.zeros_like(day)


def _step(day: Floats, _days: int) -> Floats:
    return np.ones_like(day)


def _gradual(day: Floats, _days: int) -> Floats:
    return np.minimum((day + 1) / 21, 1.0)


def _linear(day: Floats, days: int) -> Floats:
    return (day + 1) / days


def _late(day: Floats, days: int) -> Floats:
    return (day >= days // 2).astype(float)


SHAPES: Mapping[str, Shape] = {
    "none": _none,
    "step": _step,  # from the first treatment day
    "gradual": _gradual,  # builds over 3 weeks, then stays
    "linear": _linear,  # builds to the last day
    "late": _late,  # from half-way through treatment
}


def course(shape: str, days_baseline: int, days_treatment: int, change: float, window: int) -> Floats:
    """By how much the effect moves each day.

    Parameters
    ----------
    shape
        A name in `SHAPES`.
    days_baseline, days_treatment
        Days of each phase.
    change
        The mean over the window, exactly (``none`` stays at 0).
    window
        Days of the reassessment window, which ends on the last treatment day.

    Returns
    -------
    ndarray
        (days_baseline + days_treatment,), 0 on baseline days.
    """
    reached = _named(SHAPES, shape, "shape")(np.arange(days_treatment, dtype=float), days_treatment)
    mean = reached[-window:].mean()
    treated = change * reached / mean if mean else reached
    return np.concatenate([np.zeros(days_baseline), treated])


# --- whole diaries -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Design:
    """How a simulated diary is laid out.

    Attributes
    ----------
    baseline, treatment, window
        Days of baseline, of treatment, and of the window that ends it.
    missing
        Share of days without an answer.
    missing_run
        Mean number of days missing in a row; ``None`` when days are missing independently.
    """

    baseline: int = 14
    treatment: int = 70
    window: int = 14
    missing: float = 0.0
    missing_run: float | None = None

    @property
    def days(self) -> int:
        """All calendar days."""
        return self.baseline + self.treatment


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What is really so in a simulated diary. Numbers may be one for all series or one for each.

    Attributes
    ----------
    level
        Mean baseline day.
    change
        Mean day of the window minus mean baseline day.
    shape
        How the change comes about: a name in `SHAPES`.
    phi, share, kind
        The noise, see `noise`.
    sd, sd_ratio
        SD of a treatment day; SD of a baseline day over it.
    step, low, high
        What is written down: rounded to multiples of `step`, cut at the ends of the scale; ``None`` for
        neither.
    """

    level: PerSeries = 6.0
    change: PerSeries = 0.0
    shape: str = "gradual"
    phi: PerSeries = 0.4
    share: PerSeries = 0.0
    sd: PerSeries = 1.3
    sd_ratio: PerSeries = 1.0
    kind: str = "ar1"
    step: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Simulated series and what is true of them.

    Attributes
    ----------
    values
        (series, days), NaN where not answered.
    treated, window
        (days,): is it a treatment day, a day of the window?
    change
        (series,): true mean over the window minus the baseline level, before rounding.
    true_mean_change
        (series,): the same over all treatment days.
    """

    values: Floats
    treated: Bools
    window: Bools
    change: Floats
    true_mean_change: Floats


def realise(design: Design, truth: Truth, unit: Floats) -> Simulated:
    """What the diary says, every day answered, if its noise is this.

    Parameters
    ----------
    design, truth
        The layout and what is true; noise kind, φ and white share of `truth` are those of `unit`.
    unit
        (series, days) noise with SD 1, such as `noise` gives.

    Returns
    -------
    Simulated
        The series. Sharing a part of `unit` between outcomes correlates them.
    """
    day = np.arange(design.days)
    treated = day >= design.baseline
    reached = course(truth.shape, design.baseline, design.treatment, 1.0, design.window)
    effect = np.broadcast_to(_column(truth.change) * reached, unit.shape)
    sd = _column(truth.sd) * np.where(treated, 1.0, _column(truth.sd_ratio))
    window = day >= design.days - design.window
    return Simulated(
        values=written(_column(truth.level) + effect + sd * unit, truth.step, truth.low, truth.high),
        treated=treated,
        window=window,
        change=effect[:, window].mean(axis=1),
        true_mean_change=effect[:, treated].mean(axis=1),
    )


def simulate(design: Design, truth: Truth, n: int, seed: Seed) -> Simulated:
    """What diaries look like if this is true.

    Parameters
    ----------
    design, truth
        The layout, and what is true.
    n
        How many series.
    seed
        A number, or a generator to draw from.

    Returns
    -------
    Simulated
        The series, days missing as the design says.
    """
    rng = np.random.default_rng(seed)
    unit = noise(n, design.days, phi=truth.phi, share=truth.share, kind=truth.kind, seed=rng)
    full = realise(design, truth, unit)
    blank = missing_days(n, design.days, design.missing, run=design.missing_run, seed=rng)
    full.values[blank] = np.nan
    return full


def written(values: Floats, step: float | None, low: float | None, high: float | None) -> Floats:
    """What a person writes down: the nearest multiple of `step`, within the scale."""
    rounded = np.round(values / step) * step if step else values
    return np.clip(rounded, low, high) if low is not None or high is not None else rounded


def missing_days(n: int, days: int, share: float, *, seed: Seed, run: float | None = None) -> Bools:
    """Which days are not answered.

    Parameters
    ----------
    n, days
        How many series of how many days.
    share
        Share of days without an answer.
    seed
        A number, or a generator to draw from.
    run
        Mean number of days missing in a row; ``None`` when days are missing independently.

    Returns
    -------
    ndarray
        (n, days), true where missing.
    """
    rho = 0.0 if run is None else (1 - 1 / run - share) / (1 - share)
    return markov_days(n, days, share, rho, seed)


def to_diary(simulated: Simulated, i: int, start: dt.date | str, name: str) -> Diary:
    """How series `i` looks as a diary of outcome `name` that begins on `start`."""
    values = simulated.values[i]
    return Diary.from_values({name: pd.Series(values, index=pd.date_range(start, periods=len(values)))})


# --- yes/no days and counts ----------------------------------------------------------------------


def markov_days(n: int, days: int, probability: PerSeries, rho: PerSeries, seed: Seed) -> Bools:
    """On which days it happens, when a day with it makes the next one likelier.

    A day keeps the draw of the day before with probability `rho` and draws anew otherwise, so that
    every day has its own `probability` exactly and, while that is constant,
    P(yes | day before) = π(1 − ρ) + ρ·(day before).

    Parameters
    ----------
    n, days
        How many series of how many days.
    probability
        One for all, or anything that broadcasts to (n, days).
    rho
        Correlation of neighbouring days, 0 to 1; one value or one per series.
    seed
        A number, or a generator to draw from.

    Returns
    -------
    ndarray
        (n, days), true where it happens.
    """
    kept = _column(rho)
    if not ((kept >= 0) & (kept <= 1)).all():
        raise ValueError(f"rho must lie between 0 and 1, not {kept.min():g}: runs cannot be shorter than by chance")
    rng = np.random.default_rng(seed)
    drawn = rng.random((n, days))
    anew = rng.random((n, days)) >= kept
    anew[:, :1] = True
    last_drawn = np.maximum.accumulate(np.where(anew, np.arange(days), 0), axis=1)
    return np.take_along_axis(drawn, last_drawn, axis=1) < np.asarray(probability)


def latent_days(unit: Floats, probability: PerSeries) -> Bools:
    """On which days it happens, when it does so on days whose noise is high.

    Parameters
    ----------
    unit
        (n, days) Gaussian noise with SD 1; shared with a rating, yes goes with a high rating.
    probability
        One for all, or anything that broadcasts to (n, days); every day has it exactly.

    Returns
    -------
    ndarray
        (n, days), true where it happens.
    """
    return np.asarray(unit > -ndtri(np.asarray(probability, dtype=float)), dtype=bool)


def _always(_rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    return np.ones((n, days))


def _gamma(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    return rng.gamma(EXTRA_SHAPE, 1 / EXTRA_SHAPE, (n, days))


def _log_ar1(rng: np.random.Generator, n: int, days: int, phi: PerSeries) -> Floats:
    return np.asarray(np.exp(LOG_RATE_SD * _ar1(rng, n, days, phi) - LOG_RATE_SD**2 / 2))


def _bouts(rng: np.random.Generator, n: int, days: int, _phi: PerSeries) -> Floats:
    return markov_days(n, days, BOUT_SHARE, BOUT_RHO, rng) / BOUT_SHARE


# What multiplies the daily rate; mean 1.
RATES: Mapping[str, Noise] = {
    "poisson": _always,
    "overdispersed": _gamma,
    "ar": _log_ar1,  # the log rate is AR(phi)
    "bouts": _bouts,  # all of it on runs of days, nothing between
}


def counts(n: int, rate: Floats, *, seed: Seed, kind: str = "poisson", phi: PerSeries = 0.5) -> Floats:
    """How many attacks, tablets or awakenings are counted each day.

    Parameters
    ----------
    n
        How many series.
    rate
        Mean number on each day: (days,) or (n, days).
    seed
        A number, or a generator to draw from.
    kind
        A name in `RATES`.
    phi
        Correlation of neighbouring days' log rates, for kind ``ar``.

    Returns
    -------
    ndarray
        (n, days) whole numbers, as floats.
    """
    rng = np.random.default_rng(seed)
    factor = _named(RATES, kind, "count")(rng, n, rate.shape[-1], phi)
    return rng.poisson(rate * factor).astype(float)


def _named(registry: Mapping[str, _Maker], name: str, what: str) -> _Maker:
    if name not in registry:
        raise ValueError(f'no {what} is called "{name}". {did_you_mean(name, registry)}')
    return registry[name]
