"""How much of a change a return to the person's usual level alone could give, when a baseline began in a bad spell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from acu_nof1.distribution import TMixture
from acu_nof1.estimate.columns import PHI_HIGH, Question, counted, indicator, noise_of, solve
from acu_nof1.estimate.level import phase_levels, scale_ends, window_question
from acu_nof1.interpret import LIKELY, UNLIKELY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from acu_nof1.estimate.nuisance import NoiseNodes
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

    Floats = NDArray[np.float64]
    Days = NDArray[np.bool_]

FIRST_DAYS, ENOUGH_DAYS, ENOUGH_EACH = 7, 10, 3
FLARE_SDS = 0.5
FIRST, REST = 0, 1
# Mean of a standard normal beyond 1: how bad the worst sixth of baselines is, in SDs of a baseline mean.
WORST_SIXTH = float(np.exp(-0.5) / np.sqrt(2 * np.pi) / ndtr(-1.0))


def expected_return(phi: float, excess: ArrayLike, days_before: int, days_after: int) -> Floats:
    """By how much do the next days fall when the days before lay above a person's own level, without any change?

    For Gaussian AR(1) days E[mean after | mean before = x] = x Cov/Var, so the mean falls by x (1 - Cov/Var).

    Parameters
    ----------
    phi
        Correlation of neighbouring days, between 0 and 1.
    excess
        How far the mean of the days before lay above the person's own level, in SDs of one day.
    days_before, days_after
        Consecutive days, all answered, the second directly after the first.

    Returns
    -------
    numpy.ndarray
        The expected fall in SDs of one day, the shape of `excess`.
    """
    day = np.arange(days_before + days_after)
    before = (day < days_before)[None, :]
    rate = np.array([[phi]], float)
    share = resemblance(before, ~before, rate) / resemblance(before, before, rate)
    return np.asarray(np.asarray(excess, float) * (1 - share[0, 0]))


def resemblance(first: Days, second: Days, phi: Floats) -> Floats:
    """Covariance of the means over two sets of days, in variances of one day, of AR(1) noise.

    Parameters
    ----------
    first, second
        (S, D) the days of the two means.
    phi
        (S, C) autocorrelations.

    Returns
    -------
    numpy.ndarray
        (S, C); NaN where a set of days is empty.
    """
    length = first.shape[1]
    # Pairs of days by their distance: the cross-correlation of the two indicator rows.
    spectra = [np.fft.rfft(days.astype(float), 2 * length, axis=1) for days in (first, second)]
    pairs = np.round(np.fft.irfft(spectra[0] * spectra[1].conj(), 2 * length, axis=1))
    distance = pairs[:, :length].copy()
    distance[:, 1:] += pairs[:, :length:-1]
    count = first.sum(axis=1) * second.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = phi[:, :, None] ** np.arange(length)
        return np.asarray(np.einsum("sk,sck->sc", distance, powers) / count[:, None])


@dataclass(frozen=True, slots=True)
class Return:
    """What a return to the usual level alone could give one outcome; numbers that do not exist are NaN.

    Attributes
    ----------
    person, outcome
        Whose days, of what.
    answered
        Answered baseline days before the first treatment day.
    early, later
        Level in the first baseline week and in the rest of that baseline.
    p_worse
        How likely the first week was truly worse than the rest.
    flare
        Whether the baseline began in a flare: probably worse, and by at least half an SD of its days.
    usual
        The person's usual level, judged by the days after the first week; within the scale.
    expected, low, high
        Change from the baseline mean to the compared days that a return alone would give (median and 95 %
        interval, cut at the ends of the scale), with the sign of a change.
    bad_spell
        Change that would follow, on average, a baseline as bad as the worst one in six.
    reason
        Why `expected` cannot be computed; ``""`` where it can.
    """

    person: str
    outcome: Outcome
    answered: int
    early: float
    later: float
    p_worse: float
    flare: bool
    usual: float
    expected: float
    low: float
    high: float
    bad_spell: float
    reason: str


def regression_to_the_mean(comparisons: Comparisons) -> tuple[Return, ...]:
    """How much of the change could be a return to the usual level?

    The first baseline week is taken as the days that made the person start; it says nothing of the usual level
    beyond what the later days carry on from it. See docs/METHODS.md.

    Parameters
    ----------
    comparisons
        Any number of series; only what is kept daily and is not yes/no is looked at.

    Returns
    -------
    tuple of Return
        One for each daily series, yes/no days with the reason why there is no number.
    """
    daily = comparisons.take(np.array([outcome.every == "day" for outcome in comparisons.outcomes], bool))
    return tuple(_returns(daily)) if len(daily) else ()


@dataclass(frozen=True, eq=False)
class _Sides:
    """The days of a series that matter here: the first week, the rest of its baseline, and the compared days."""

    first: Days
    rest: Days
    window: Days

    @property
    def before(self) -> Days:
        return self.first | self.rest


def _sides(series: Comparisons) -> _Sides:
    before = series.baseline & (series.tau < 0)
    position = np.cumsum(before, axis=1)
    late = np.where((series.phases > 2)[:, None], series.treated & (series.phase >= 0), series.window)
    return _Sides(before & (position <= FIRST_DAYS), before & (position > FIRST_DAYS), late)


def _question(series: Comparisons, sides: _Sides, split: NDArray[np.bool_]) -> Question:
    """The columns of the headline's model with the baseline cut in two where that can be done."""
    made = []
    for asked, chosen in ((window_question(series), series.phases <= 2), (phase_levels(series), series.phases > 2)):
        others, cut = asked.columns[:, :, 1:], split & chosen
        whole = np.concatenate([asked.columns, np.zeros_like(asked.columns[:, :, :1])], axis=2)
        halves = np.stack([indicator(sides.first), indicator(sides.rest)], axis=2)
        made.append((np.where(cut[:, None, None], np.concatenate([halves, others], axis=2), whole), asked.width + cut))
    most = max(columns.shape[2] for columns, _ in made)
    padded = [np.pad(columns, ((0, 0), (0, 0), (0, most - columns.shape[2]))) for columns, _ in made]
    several = series.phases > 2
    contrasts = np.zeros((len(series), 3, most))
    contrasts[:, FIRST, 0] = contrasts[:, REST, 1] = contrasts[:, 2, 0] = 1.0
    contrasts[:, 2, 1] = -1.0
    contrasts[~split, 1:] = contrasts[~split, :1]
    return Question(
        np.where(several[:, None, None], padded[1], padded[0]), np.where(several, made[1][1], made[0][1]), contrasts
    )


def _returns(series: Comparisons) -> list[Return]:
    sides = _sides(series)
    first, rest = counted(sides.first, series), counted(sides.rest, series)
    yes_no = np.array([outcome.kind == "yes_no" for outcome in series.outcomes])
    split = (first + rest >= ENOUGH_DAYS) & (np.minimum(first, rest) >= ENOUGH_EACH) & ~yes_no
    closed = ["yes/no days are not looked at for this" if row else "" for row in yes_no]
    question = _question(series, sides, split)
    fits = solve(series, question, [
        why or ("" if days >= ENOUGH_EACH else "too few baseline days were answered")
        for why, days in zip(closed, first + rest, strict=True)
    ])  # fmt: skip
    sign = np.array([outcome.sign for outcome in series.outcomes])
    levels = [np.where(split, fits.levels(side).value, np.nan) for side in (FIRST, REST)]
    below = np.where(split, fits.distribution(lambda each: each.mixture(2)).cdf(0.0), np.nan)
    p_worse = np.where(sign < 0, 1 - below, np.where(sign > 0, below, np.nan))
    values = np.where(sides.before & series.answered, series.values, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=1, keepdims=True) / (first + rest)[:, None]
        spread = np.sqrt(np.nansum((values - mean) ** 2, axis=1) / (first + rest - 1))
        flare = (p_worse >= LIKELY) & (-sign * (levels[0] - levels[1]) >= FLARE_SDS * spread)
    drift = fits.numbers(lambda each: each.probability_phi_above(PHI_HIGH)) >= UNLIKELY
    numbers = _expected(series, sides, noise_of(series, question, fits), sign)
    reasons = [_why(*row) for row in zip(fits.reason, first, rest, split, drift, strict=True)]
    numbers[[bool(why) for why in reasons], :4] = np.nan
    return [
        Return(
            person=series.person[i],
            outcome=series.outcomes[i],
            answered=int(first[i] + rest[i]),
            early=float(levels[0][i]),
            later=float(levels[1][i]),
            p_worse=float(p_worse[i]),
            flare=bool(flare[i]),
            reason=reasons[i],
            **dict(zip(("usual", "expected", "low", "high", "bad_spell"), numbers[i].tolist(), strict=True)),
        )
        for i in range(len(series))
    ]


def _why(fit: str, first: int, rest: int, split: bool, drift: bool) -> str:
    if fit:
        return fit
    if not split:
        days = f"{first + rest} baseline {'day was' if first + rest == 1 else 'days were'} answered, {rest} of them after the first week"
        return f"{days}; at least {ENOUGH_DAYS} and {ENOUGH_EACH} are needed"
    return "days may resemble one another so strongly that a return cannot be told from a slow drift" if drift else ""


def _expected(
    series: Comparisons, sides: _Sides, noise: Iterable[tuple[NDArray[np.int64], NoiseNodes]], sign: NDArray[np.int64]
) -> Floats:
    """(S, 5) usual level; median and 95 % interval of the expected change; change after the worst sixth."""
    out = np.full((len(series), 5), np.nan)
    for rows, each in noise:
        some, days = series.take(rows), _Sides(sides.first[rows], sides.rest[rows], sides.window[rows])
        nodes = _Nodes(each)
        usual, change = _by_the_rest(some, days, nodes)
        # Nobody's level lies beyond the scale, and no return leads there.
        low, high = (end[:, None] for end in scale_ends(some))
        mean = _mean(some, days.before & some.answered)[:, None]
        out[rows, 0] = np.clip(usual.quantile(0.5), low[:, 0], high[:, 0])
        out[rows, 1:4] = np.clip(change.quantile([0.5, 0.025, 0.975]), low - mean, high - mean)
        out[rows, 4] = sign[rows] * _after_a_bad_spell(some, days, nodes)
    return out


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Second moments of means of days, for every node of the noise (S, G); in variances of a baseline day."""

    noise: NoiseNodes

    def moment(self, first: Days, second: Days) -> Floats:
        """Covariance of two means of noise of one scale: (1 - lambda) of it autocorrelated, lambda white."""
        noise = self.noise
        phi, place = np.unique(noise.phi, return_inverse=True)
        each = resemblance(first, second, np.broadcast_to(phi, (len(first), phi.size)))
        slow = np.take_along_axis(each, place.reshape(noise.phi.shape), axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            same = (first & second).sum(axis=1) / (first.sum(axis=1) * second.sum(axis=1))
        return np.asarray((1 - noise.share) * slow + noise.share * same[:, None])

    @property
    def window_sd(self) -> Floats:
        """SD of one treatment day, in SDs of one baseline day."""
        return np.asarray(np.exp(-self.noise.log_ratio))


def _by_the_rest(series: Comparisons, sides: _Sides, nodes: _Nodes) -> tuple[TMixture, TMixture]:
    """Posterior of the usual level, and of the change that a return to it gives, from the days after the first week.

    Given the first week's mean f, the rest's mean is g = mu + rho (f - mu) + e with rho = Cov(f, g)/Var(f): that f
    was chosen for being bad does not matter. So mu = (g - rho f - e)/(1 - rho), and the window's mean is expected
    at mu + b (f - mu, g - mu), b being its regression on both.
    """
    first, rest = sides.first & series.answered, sides.rest & series.answered
    f, g = (_mean(series, days)[:, None] for days in (first, rest))
    n_first, n_rest = (days.sum(axis=1)[:, None] for days in (first, rest))
    with np.errstate(divide="ignore", invalid="ignore"):
        v_f, v_g, c = nodes.moment(first, first), nodes.moment(rest, rest), nodes.moment(first, rest)
        w_f, w_g = (nodes.window_sd * nodes.moment(sides.window, days) for days in (first, rest))
        rho, determinant = c / v_f, v_f * v_g - c**2
        usual, error = (g - rho * f) / (1 - rho), nodes.noise.baseline_sd * np.sqrt(determinant / v_f) / (1 - rho)
        b_f, b_g = (w_f * v_g - w_g * c) / determinant, (w_g * v_f - w_f * c) / determinant
        leaves = 1 - b_f - b_g
        mean = (n_first * f + n_rest * g) / (n_first + n_rest)
        change = leaves * usual + b_f * f + b_g * g - mean
        weight, df = nodes.noise.weight, np.where(np.isfinite(f + g)[:, 0], nodes.noise.df, np.nan)
        return TMixture(weight, usual, error, df), TMixture(weight, change, np.abs(leaves) * error, df)


def _after_a_bad_spell(series: Comparisons, sides: _Sides, nodes: _Nodes) -> Floats:
    """Expected size of the return after a baseline mean at least one of its own SDs off the usual level."""
    before = sides.before & series.answered
    variance = nodes.moment(before, before)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = nodes.window_sd * nodes.moment(sides.window, before) / variance
        size = WORST_SIXTH * nodes.noise.baseline_sd * np.sqrt(variance) * (1 - kept)
    # The median over the nodes: a few of very strong autocorrelation would pull a mean far above what comes true.
    order = np.argsort(size, axis=1)
    total = np.cumsum(np.take_along_axis(nodes.noise.weight, order, axis=1), axis=1)
    middle = np.sum(total < total[:, -1:] / 2, axis=1, keepdims=True)
    return np.asarray(np.take_along_axis(np.take_along_axis(size, order, axis=1), middle, axis=1)[:, 0])


def _mean(series: Comparisons, days: Days) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(days, series.values, 0.0).sum(axis=1) / days.sum(axis=1))
