"""What the gates of coverage measure: simulated diaries with a known truth, asked the questions of the package.

The design columns, the contrasts, the rule for too few answered days and the kernel are those of the package; only the
end contrast of the segmented model, which the package never offers, is written out here. `coverage.py` is the command, `tests/test_calibration.py` a small version.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from acu_nof1.estimate.columns import (
    AFTER,
    BEFORE,
    CHANGE,
    PHI_HIGH,
    Question,
    counted,
    solve,
    too_few,
)  # fmt: skip
from acu_nof1.estimate.kernel import AR1, ROBUST, Noise
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT, phase_levels, window_question
from acu_nof1.estimate.segmented import SLOPE_CHANGE, segmented_question
from acu_nof1.estimate.trend import WEEK, trend_question
from acu_nof1.outcomes import Outcome
from acu_nof1.simulate import (
    Design,
    Truth,
    counts,
    course,
    latent_days,
    markov_days,
    missing_days,
    noise,
    realise,
    written,
)  # fmt: skip
from acu_nof1.trial import Comparisons
from acu_nof1.verdict import DRIFT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.random import Generator

    from acu_nof1.distribution import RatioMixture
    from acu_nof1.estimate.base import Answer
    from acu_nof1.estimate.columns import Fits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BATCH = 500
LEVEL, SD, CHANGE_TRUE = 6.0, 1.3, -2.0
TAILS = np.array([0.025, 0.975])
Z = 1.959963984540054
RATING = Outcome("level", "Level", "rating", unit="points", important_change=2.0)
PAIN = Outcome("pain", "Pain", "rating", unit="points", low=0.0, high=10.0, important_change=2.0)
HEADACHE = Outcome("headache", "Headache", "yes_no")
COUNT = Outcome("attacks", "Attacks", "count", unit="attacks", low=0.0)

DESIGNS: Mapping[str, Design] = {
    "7+28": Design(7, 28, 14),
    "14+42": Design(14, 42, 14),
    "14+70": Design(14, 70, 14),
    "28+84": Design(28, 84, 28),
}
MODES: Mapping[str, Noise] = {"AR(1)": AR1, "robust": ROBUST}


@dataclass(frozen=True)
class DayNoise:
    """How the days of a cell differ from one another, and how they are written down."""

    truth: Mapping[str, Any] = field(default_factory=dict)
    change: float = CHANGE_TRUE
    level: float = LEVEL
    make: Callable[[Generator, int, int], Floats] | None = None

    @property
    def phi(self) -> float:
        """Its autocorrelation where that is what defines it; NaN elsewhere."""
        return float(self.truth["phi"]) if "phi" in self.truth else np.nan

    @property
    def is_ar1(self) -> bool:
        """Whether it is AR(1) and nothing else, so that the oracle knows its width."""
        return self.make is None and set(self.truth) == {"phi"}


def _flares(rng: Generator, n: int, days: int) -> Floats:
    """Bad stretches of a few days on top of AR(.3): unit SD."""
    share = 0.2
    high = (markov_days(n, days, share, 0.6, rng) - share) / np.sqrt(share * (1 - share))
    return (noise(n, days, phi=0.3, seed=rng) + high) / np.sqrt(2)


def _skewed(rng: Generator, n: int, days: int) -> Floats:
    """AR(.4) with lognormal days: unit SD."""
    u = np.exp(0.6 * noise(n, days, phi=0.45, seed=rng))
    mean, square = np.exp(0.18), np.exp(0.72)
    return np.asarray((u - mean) / np.sqrt(square - mean**2))


def ar(phi: float) -> DayNoise:
    """AR(1)."""
    return DayNoise({"phi": phi})


STRESS: Mapping[str, DayNoise] = {
    "AR(1) -.3": ar(-0.3),
    "AR(1) .4": ar(0.4),
    "AR(1) .9": ar(0.9),
    "AR(2) .5 .3": DayNoise({"kind": "ar2"}),
    "MA(1) .6": DayNoise({"kind": "ma1"}),
    "AR(1) .7 + 30 % white": DayNoise({"phi": 0.7, "share": 0.3}),
    "weekends +0.9 SD": DayNoise({"kind": "weekly", "phi": 0.4}),
    "t3 shocks": DayNoise({"kind": "t3", "phi": 0.4}),
    "whole points 0-10": DayNoise({"phi": 0.4, "step": 1.0, "low": 0.0, "high": 10.0}),
    "whole points near 0": DayNoise({"phi": 0.4, "step": 1.0, "low": 0.0, "high": 10.0}, change=-1.0, level=2.0),
    "baseline SD x 1.5": DayNoise({"phi": 0.4, "sd_ratio": 1.5}),
    "baseline SD x 2": DayNoise({"phi": 0.4, "sd_ratio": 2.0}),
    "baseline SD x 0.67": DayNoise({"phi": 0.4, "sd_ratio": 0.67}),
    "flares of a few days": DayNoise(make=_flares),
    "skewed days": DayNoise(make=_skewed),
}
"""The noises of the gate; the last two are ours: other noise exists."""
HARD: Mapping[str, DayNoise] = {
    "random walk + white": DayNoise({"kind": "random_walk"}),
    "AR(1) .9 + 50 % white": DayNoise({"phi": 0.9, "share": 0.5}),
    "AR(1) .95": DayNoise({"kind": "ar95"}),
    "long memory d .3": DayNoise({"kind": "long_memory"}),
}


# --- diaries ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Diaries:
    """Simulated diaries of one cell, and what is true of each question."""

    comparisons: Comparisons
    design: Design
    mean_change: Floats
    window_change: Floats


def generator(seed: int, label: str) -> Generator:
    """A generator for one cell: the same whatever is run beside it, and in whatever order."""
    return np.random.default_rng([seed, zlib.crc32(label.encode())])


def compared(values: Floats, design: Design, outcome: Outcome = RATING) -> Comparisons:
    """Series on a common calendar as the package sees them."""
    shape, day = values.shape, np.arange(values.shape[1])
    treated = day >= design.baseline
    size, start = len(values), np.datetime64("2026-01-05")

    def row(of: NDArray[Any]) -> NDArray[Any]:
        return np.broadcast_to(of, shape)

    return Comparisons(
        person=("",) * size,
        outcomes=(outcome,) * size,
        primary=np.ones(size, dtype=bool),
        values=values,
        phase=row(treated.astype(int)),
        treated=row(treated),
        window=row(day >= design.days - design.window),
        tau=row(day - design.baseline),
        start=np.full(size, start),
        looked_on=np.full(size, start + design.days),
        window_days=np.full(size, design.window),
    )


def unit_noise(of: DayNoise, n: int, days: int, rng: Generator) -> Floats:
    """Noise of this kind with unit SD."""
    if of.make is not None:
        return of.make(rng, n, days)
    chosen = {name: of.truth[name] for name in ("phi", "share", "kind") if name in of.truth}
    return noise(n, days, seed=rng, **chosen)


def expected(mean: Floats, sd: Floats, truth: Truth) -> Floats:
    """What is written down on average on a day with this mean and SD, when it is rounded and cut."""
    quantiles = ndtri((np.arange(4000) + 0.5) / 4000)
    days = [written(m + s * quantiles, truth.step, truth.low, truth.high).mean() for m, s in zip(mean, sd, strict=True)]
    return np.array(days)


def draw(
    design: Design, of: DayNoise, shape: str, n: int, rng: Generator, run: float | None = None,
    missing: float = 0.0,
) -> Diaries:  # fmt: skip
    """Draw `n` diaries of one cell."""
    chosen = {"level": of.level, "sd": SD, "shape": shape, "change": 0.0 if shape == "none" else of.change}
    truth = Truth(**(chosen | dict(of.truth)))
    full = realise(design, truth, unit_noise(of, n, design.days, rng))
    mean_change, window_change = full.true_mean_change, full.change
    if truth.step:
        # Rounding and the end of the scale move the means: the question is about what is written down.
        effect = course(shape, design.baseline, design.treatment, float(truth.change), design.window)
        sd = SD * np.where(full.treated, 1.0, float(truth.sd_ratio))
        day = expected(of.level + effect, sd, truth)
        before = day[~full.treated].mean()
        mean_change = np.full(n, day[full.treated].mean() - before)
        window_change = np.full(n, day[full.window].mean() - before)
    full.values[missing_days(n, design.days, missing, run=run, seed=rng)] = np.nan
    return Diaries(compared(full.values, design), design, mean_change, window_change)


# --- questions ------------------------------------------------------------------------------------------


def segmented(comparisons: Comparisons) -> Question:
    """The package's segmented model, and the last day against the baseline trend drawn on to it.

    The package never offers that last contrast; it is calibrated and of no use.
    """
    question = segmented_question(comparisons)
    last = float(comparisons.tau.max())
    end = np.broadcast_to([[-1.0, -last, 1.0, last]], (len(comparisons), 1, 4))
    by_day = question.contrasts[:, [CHANGE, SLOPE_CHANGE]] / np.array([[1.0], [WEEK]])
    contrasts = np.concatenate([by_day, end], axis=1)
    return Question(question.columns, question.width, contrasts)


def _only(question: Question, contrast: int) -> Question:
    return Question(question.columns, question.width, question.contrasts[:, contrast : contrast + 1])


@dataclass(frozen=True)
class Asked:
    """One model and its contrasts.

    `truth` is what is true of them (of the segmented model: after a step), `after` the days whose number decides
    whether a series is fitted.
    """

    question: Callable[[Comparisons], Question]
    contrasts: tuple[str, ...]
    truth: Callable[[Diaries], Floats]
    after: Callable[[Comparisons], Bools]


def _step_truth(diaries: Diaries) -> Floats:
    change = diaries.mean_change
    return np.stack([change, np.zeros_like(change), change], axis=1)


QUESTIONS: Mapping[str, Asked] = {
    "mean": Asked(
        lambda c: _only(phase_levels(c), CHANGE), ("mean change",), lambda d: d.mean_change[:, None], lambda c: c.treated
    ),
    "segmented": Asked(
        segmented, ("level change", "slope change", "end contrast"), _step_truth, lambda c: c.treated
    ),
    "window": Asked(
        lambda c: _only(window_question(c), CHANGE), ("change at reassessment",),
        lambda d: d.window_change[:, None], lambda c: c.window,
    ),
}  # fmt: skip


# --- measuring --------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Measured:
    """What came out for one contrast; NaN where the package gives no estimate.

    F(truth), the width of the 95 % interval and of the oracle's, and whether the page warns of slow drifts (1 or 0; NaN
    for questions other than the primary one).
    """

    contrast: str
    transform: Floats
    width: Floats
    oracle: Floats
    warned: Floats

    @property
    def estimable(self) -> Bools:
        """Where there is an estimate."""
        return np.isfinite(self.transform)

    @property
    def covered(self) -> Bools:
        """Whether the 95 % interval holds the truth, for the estimable series."""
        return np.asarray(np.abs(self.transform[self.estimable] - 0.5) <= 0.475)


def batches(comparisons: Comparisons, size: int = BATCH) -> Iterator[slice]:
    """Slices that bound the memory."""
    return (slice(start, start + size) for start in range(0, len(comparisons), size))


def measure(diaries: Diaries, name: str, mode: str, phi: float = np.nan) -> list[Measured]:
    """Ask one question of all diaries of a cell in one mode; `phi` if the oracle may know it."""
    asked, truth = QUESTIONS[name], QUESTIONS[name].truth(diaries)
    parts: list[list[Floats]] = [[] for _ in asked.contrasts]
    warned = []
    for rows in batches(diaries.comparisons):
        some = diaries.comparisons.take(np.arange(len(diaries.comparisons))[rows])
        question = asked.question(some)
        reasons = too_few(counted(some.baseline, some), counted(asked.after(some), some), "after")
        fits = solve(some, question, reasons, MODES[mode])
        warned.append(drift_warning(some, fits, mode) if name == "window" else np.full(len(some), np.nan))
        oracle = oracle_sd(some, question, phi)
        for k, part in enumerate(parts):
            mixture = fits.distribution(lambda each, k=k: each.mixture(k))
            ends = mixture.quantile(TAILS)
            part.append(np.stack([mixture.cdf(truth[rows, k]), ends[:, 1] - ends[:, 0], 2 * Z * oracle[:, k]]))
    return [
        Measured(contrast, *np.concatenate(part, axis=1), np.concatenate(warned))
        for contrast, part in zip(asked.contrasts, parts, strict=True)
    ]


def drift_warning(comparisons: Comparisons, fits: Fits, mode: str) -> Floats:
    """Whether the page warns of slow drifts: the larger chance of the primary answer and of the trend decides."""
    trend = solve(comparisons, trend_question(comparisons), list(fits.reason), MODES[mode])
    chance = [each.numbers(lambda fit: fit.probability_phi_above(PHI_HIGH)) for each in (fits, trend)]
    return np.asarray(np.fmax(*chance) >= DRIFT, dtype=float)


def oracle_sd(comparisons: Comparisons, question: Question, phi: float) -> Floats:
    """SD of each contrast for one who knows phi and the SD: generalised least squares on the answered days."""
    out = np.full((len(comparisons), question.contrasts.shape[1]), np.nan)
    if not np.isfinite(phi):
        return out
    observed, day = comparisons.answered, np.arange(comparisons.values.shape[1])
    last = np.maximum.accumulate(np.where(observed, day, -1), axis=1)
    before = np.concatenate([np.full((len(last), 1), -1), last[:, :-1]], axis=1)
    power = np.where(before >= 0, np.power(phi, np.maximum(day - before, 1)), 0.0)
    previous = np.take_along_axis(question.columns, np.maximum(before, 0)[..., None], axis=1)
    white = (question.columns - power[..., None] * previous) / np.sqrt(1 - power**2)[..., None]
    white *= observed[..., None]
    for width in np.unique(question.width):
        rows = np.flatnonzero(question.width == width)
        x, c = white[rows, :, :width], question.contrasts[rows, :, :width]
        information = np.einsum("sdp,sdq->spq", x, x)
        solvable = np.linalg.matrix_rank(information) == width
        inverse = np.linalg.inv(np.where(solvable[:, None, None], information, np.eye(width)))
        variance = np.einsum("skp,spq,skq->sk", c, inverse, c)
        out[rows] = np.where(solvable[:, None], SD * np.sqrt(variance), np.nan)
    return out


# --- counts, yes/no days, probabilities -----------------------------------------------------------


def count_diaries(design: Design, kind: str, phi: float, rate: float, ratio: float, n: int, seed: Generator) -> Floats:
    """Counts with this daily rate before, and `ratio` times as many from the first treatment day on; 20 % missing."""
    daily = rate * np.where(np.arange(design.days) >= design.baseline, ratio, 1.0)
    values = counts(n, daily, kind=kind, phi=phi, seed=seed)
    values[missing_days(n, design.days, 0.2, seed=seed)] = np.nan
    return values


def ratio_of_means(comparisons: Comparisons) -> tuple[RatioMixture, tuple[str, ...]]:
    """Mean treatment day over mean baseline day, by Fieller inside the mixture, as the ratio at reassessment is."""
    before, after = counted(comparisons.baseline, comparisons), counted(comparisons.treated, comparisons)
    sums = [
        np.nansum(np.where(days, comparisons.values, 0.0), axis=1)
        for days in (comparisons.baseline, comparisons.treated)
    ]
    zero = (sums[0] == 0) | (sums[1] == 0)
    reasons = [
        why or ("all zero" if none else "") for why, none in zip(too_few(before, after, "after"), zero, strict=True)
    ]
    fits = solve(comparisons, phase_levels(comparisons), reasons)
    return cast("RatioMixture", fits.distribution(lambda each: each.ratio(AFTER, BEFORE))), fits.reason


def answer(diaries: Comparisons, solver: Callable[[Comparisons], Answer], truth: float, contrast: str) -> Measured:
    """F(truth) of an estimator of the package, as it answers."""
    parts = []
    for rows in batches(diaries):
        given = solver(diaries.take(np.arange(len(diaries))[rows]))
        transform = given.distribution.cdf(truth)
        transform[[bool(why) for why in given.reason]] = np.nan
        parts.append(transform)
    return _transformed(contrast, np.concatenate(parts))


def mean_ratio(diaries: Comparisons, truth: float) -> Measured:
    """F(truth) of the ratio of means."""
    parts = []
    for rows in batches(diaries):
        distribution, reason = ratio_of_means(diaries.take(np.arange(len(diaries))[rows]))
        transform = distribution.cdf(truth)
        transform[[bool(why) for why in reason]] = np.nan
        parts.append(transform)
    return _transformed("ratio of means", np.concatenate(parts))


def _transformed(contrast: str, transform: Floats) -> Measured:
    nothing = np.full(transform.shape, np.nan)
    return Measured(contrast, transform, nothing, nothing, nothing)


def yes_no_diaries(
    design: Design, rho: float, latent_phi: float, shares: tuple[float, float], n: int, seed: Generator
) -> Floats:
    """Yes/no days with one probability before and one from the first treatment day on; 20 % missing.

    A Markov chain of correlation `rho`, or, with `latent_phi`, the high days of an AR(1) series.
    """
    probability = np.where(np.arange(design.days) >= design.baseline, shares[1], shares[0])
    if np.isfinite(latent_phi):
        held = latent_days(noise(n, design.days, phi=latent_phi, seed=seed), probability)
    else:
        held = markov_days(n, design.days, probability, rho, seed)
    values = held.astype(float)
    values[missing_days(n, design.days, 0.2, seed=seed)] = np.nan
    return values


@dataclass(frozen=True)
class Statement:
    """A probability that the page states: of a gain (a fall) of at least `share` of the important change."""

    name: str
    share: float


STATEMENTS = (
    Statement("any gain", 0.0),
    Statement("half the important gain", 0.5),
    Statement("important gain", 1.0),
)
IMPORTANT = 1.0


def probability_diaries(shape: str, n: int, rng: Generator) -> Diaries:
    """14 + 70 days of people who differ: phi in (0, .85), SD in (.8, 1.8), change N(-1.2, 1.5²); 20 % missing."""
    design = DESIGNS["14+70"]
    truth = Truth(level=0.0, change=rng.normal(-1.2, 1.5, n), shape=shape, sd=rng.uniform(0.8, 1.8, n))
    full = realise(design, truth, noise(n, design.days, phi=rng.uniform(0, 0.85, n), seed=rng))
    full.values[missing_days(n, design.days, 0.2, seed=rng)] = np.nan
    return Diaries(compared(full.values, design), design, full.true_mean_change, full.change)


def stated(diaries: Diaries, name: str, mode: str) -> dict[str, tuple[Floats, Bools]]:
    """Stated probability and what was true, for each statement; lower is better."""
    asked, truth = QUESTIONS[name], QUESTIONS[name].truth(diaries)[:, 0]
    cuts = np.array([-each.share * IMPORTANT for each in STATEMENTS])
    parts = []
    for rows in batches(diaries.comparisons):
        some = diaries.comparisons.take(np.arange(len(diaries.comparisons))[rows])
        reasons = too_few(counted(some.baseline, some), counted(asked.after(some), some), "after")
        fits = solve(some, asked.question(some), reasons, MODES[mode])
        below = fits.distribution(lambda each: each.mixture(0)).cdf(np.tile(cuts, (len(some), 1)))
        parts.append(below)
    probability = np.concatenate(parts)
    fine = np.isfinite(probability[:, 0])
    return {each.name: (probability[fine, k], truth[fine] <= cuts[k]) for k, each in enumerate(STATEMENTS)}


def bins(probability: Floats, true: Bools, count: int = 10) -> tuple[Floats, Floats, Floats]:
    """How many statements fall in each tenth, what they state on average, and how often they come true."""
    which = np.minimum((probability * count).astype(int), count - 1)
    size = np.bincount(which, minlength=count).astype(float)
    with np.errstate(invalid="ignore"):
        return size, np.bincount(which, probability, count) / size, np.bincount(which, true, count) / size


def calibration_error(probability: Floats, true: Bools) -> float:
    """Expected calibration error: the mean distance, over the statements' tenths, of stated and true."""
    size, stated_mean, came_true = bins(probability, true)
    held = size > 0
    return float(np.sum(size[held] * np.abs(stated_mean[held] - came_true[held])) / size.sum())


def recalibration_slope(probability: Floats, true: Bools) -> float:
    """Slope of the logistic regression of what was true on the log odds stated (cut at 1 in 1,000)."""
    safe = np.clip(probability, 0.001, 0.999)
    x = np.column_stack([np.ones(len(safe)), np.log(safe / (1 - safe))])
    b = np.array([0.0, 1.0])
    for _ in range(50):
        fitted_p = 1 / (1 + np.exp(-x @ b))
        step = np.linalg.solve((x.T * (fitted_p * (1 - fitted_p))) @ x, x.T @ (true - fitted_p))
        b = b + step
        if np.abs(step).max() < 1e-10:
            break
    return float(b[1])


def printed(diaries: Comparisons, truth: Floats) -> Bools:
    """Does the interval as printed, cut to the ends of the scale, hold the truth?"""
    table = CHANGE_AT_REASSESSMENT(diaries).to_frame()
    fine = (table["status"] == "ok").to_numpy()
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    return np.asarray((low <= truth) & (truth <= high))[fine]
