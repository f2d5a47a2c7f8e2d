"""How often was a treatment day better than a baseline day: NAP and Tau, the overlap indices of single-case research.

They look at the order of values only, so they need no scale, and say nothing about how much changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import factorial, logit, ndtri

from acu_nof1.distribution import LogitMixture
from acu_nof1.estimate.base import Answer, Estimator, Levels
from acu_nof1.estimate.columns import Fits, counted, indicator, too_few
from acu_nof1.estimate.kernel import AR1, fit
from acu_nof1.estimate.level import BEFORE_AFTER_CHANGE

if TYPE_CHECKING:
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

TERMS = 12
PAIRS_AT_ONCE = 1 << 22
"""Pairs of days compared at once: bounds the memory whatever the number of series."""


@dataclass(frozen=True, eq=False)
class Placements:
    """How every day stands to the days of the other phase, for S series.

    A pair of a baseline and a treatment day counts 1 where the treatment day is better, ½ where the two tie.

    Attributes
    ----------
    before, after
        (S, D) mean over the days of the other phase; NaN for all other days.
    tied
        (S,) share of pairs that tie.
    """

    before: Floats
    after: Floats
    tied: Floats

    @property
    def nap(self) -> Floats:
        """(S,) mean over all pairs: the non-overlap of all pairs (Parker & Vannest 2009, Behav Ther 40:357)."""
        return _mean(self.after)

    @property
    def counts(self) -> tuple[Floats, Floats]:
        """(S,) days before and after."""
        return np.isfinite(self.before).sum(axis=1) * 1.0, np.isfinite(self.after).sum(axis=1) * 1.0


def placements(comparisons: Comparisons) -> Placements:
    """How does every day stand to the days of the other phase?

    Parameters
    ----------
    comparisons
        S series whose outcomes have a better direction; all baseline and all treatment days that are used.
    """
    sign = np.array([outcome.sign for outcome in comparisons.outcomes])[:, None]
    values = np.where(comparisons.answered, sign * comparisons.values, 0.0)
    before, after = (comparisons.answered & side for side in (comparisons.baseline, comparisons.treated))
    size, days = values.shape
    first, second, ties = np.zeros((size, days)), np.zeros((size, days)), np.zeros(size)
    step = max(1, PAIRS_AT_ONCE // days**2)
    for start in range(0, size, step):
        here = slice(start, start + step)
        pair = before[here, :, None] & after[here, None, :]
        better = np.sign(values[here, None, :] - values[here, :, None])
        wins = np.where(pair, (1 + better) / 2, 0.0)
        first[here], second[here] = wins.sum(axis=2), wins.sum(axis=1)
        ties[here] = (pair & (better == 0)).sum(axis=(1, 2))
    counts = before.sum(axis=1, keepdims=True), after.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Placements(
            np.where(before, first / counts[1], np.nan),
            np.where(after, second / counts[0], np.nan),
            ties / (counts[0] * counts[1])[:, 0],
        )


def independent_days_error(found: Placements) -> Floats:
    """Which standard error of NAP is published? It assumes independent days, and diaries are not that.

    √[(NAP − (m + n − 1)NAP² + nQ₁ + mQ₂ − 2Q₃) / ((m − 1)(n − 1))] with m baseline and n treatment days, Q₁ and Q₂ the
    mean squares of their placements and Q₃ that of the single pairs (Sen 1967; Mee 1990, J Am Stat Assoc 85:793). Under
    autocorrelation intervals of it cover far too rarely: shown for comparison with other programs, used for nothing.

    Returns
    -------
    numpy.ndarray
        (S,); NaN with fewer than two days on a side.
    """
    m, n = found.counts
    nap = found.nap
    q3 = nap - found.tied / 4
    with np.errstate(divide="ignore", invalid="ignore"):
        sums = nap - (m + n - 1) * nap**2 + n * _mean(found.before**2) + m * _mean(found.after**2) - 2 * q3
        return np.asarray(np.sqrt(np.where((m > 1) & (n > 1), np.maximum(sums, 0.0) / ((m - 1) * (n - 1)), np.nan)))


def inflation(held: NDArray[np.bool_], phi: Floats) -> Floats:
    """How much more does the mean of these days vary than that of as many independent ones, if neighbours correlate by φ?

    (1/n) ΣΣ φ^|s−t| over the answered days; for n consecutive days 1 + 2Σ(1 − k/n)φᵏ.

    Parameters
    ----------
    held
        (S, D) the days, on the calendar.
    phi
        (S, G) correlations of neighbouring days.
    """
    days = held.shape[1]
    # How many pairs of answered days lie k apart: the autocorrelation of the indicator, by FFT.
    spectrum = np.abs(np.fft.rfft(held, 2 * days)) ** 2
    apart = np.round(np.fft.irfft(spectrum, 2 * days)[:, :days])
    total = np.zeros_like(phi)
    for k in range(days - 1, 0, -1):  # Horner
        total = (total + apart[:, k, None]) * phi
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 + 2 * total / apart[:, :1])


def placement_inflation(held: NDArray[np.bool_], phi: Floats, nap: Floats) -> Floats:
    """How much more does a mean of placements vary than with independent days?

    Placements resemble those of the day before less than the scores do: the further the phases are apart, the more days
    are simply above everything. With scores that are normal in some unit the correlation of placements at a lag where
    scores correlate by r is Σ c_j rʲ / Σ c_j with c_j = He_{j−1}(z)² / (2ʲ j!), z = Φ⁻¹(NAP): the tetrachoric series
    (Pearson 1900, Phil Trans R Soc A 195:1). So the inflation is the average of those at φ, φ², φ³ …
    """
    z = ndtri(nap)
    hermite = [np.ones_like(z), z]
    for j in range(2, TERMS):
        hermite.append(z * hermite[-1] - (j - 1) * hermite[-2])
    order = np.arange(1, TERMS + 1)
    weight = np.stack(hermite, axis=1) ** 2 / (2.0**order * factorial(order))
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray(sum(weight[:, j - 1, None] * inflation(held, phi**j) for j in order))


def _mean(each: Floats) -> Floats:
    held = np.isfinite(each)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(held, each, 0.0).sum(axis=1) / held.sum(axis=1))


def _variance(each: Floats) -> Floats:
    held = np.isfinite(each)
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.where(held, each - _mean(each)[:, None], 0.0) ** 2
        return np.asarray(square.sum(axis=1) / (held.sum(axis=1) - 1))


def _fits(comparisons: Comparisons, reasons: list[str]) -> Fits:
    """AR(1) fit of the scores themselves: it tells how neighbouring days correlate, and the level of each phase."""
    columns = np.stack([indicator(comparisons.baseline), indicator(comparisons.treated)], axis=2)
    values = np.where(comparisons.answered, comparisons.values, np.nan)
    contrasts = np.broadcast_to(np.array(BEFORE_AFTER_CHANGE), (len(comparisons), 3, 2))
    found = fit(values, columns, comparisons.treated, contrasts, AR1)
    groups = ((np.arange(len(comparisons)), found),)
    return Fits(groups, tuple(few or why for few, why in zip(reasons, found.reason, strict=True)))


def _overlap(comparisons: Comparisons, low: float) -> Answer:
    """Answer on the scale from `low` to 1.

    log odds of NAP ~ Σ W_g t_{n−2} around that of the sample, with the variance of the placement means inflated by φ_g:
    [v₀·VIF(n₀, φ_g)/n₀ + v₁·VIF(n₁, φ_g)/n₁] / (NAP(1 − NAP))²; φ_g and W_g from the AR(1) fit of the scores.
    """
    found = placements(comparisons)
    counts = counted(comparisons.baseline, comparisons), counted(comparisons.treated, comparisons)
    fits = _fits(comparisons, too_few(*counts, "during treatment"))
    spread = np.stack([_variance(found.before), _variance(found.after)])
    with np.errstate(divide="ignore", invalid="ignore"):
        half = 0.5 / (counts[0] * counts[1])
        nap = np.clip(found.nap, half, 1 - half)
    fits = fits.refuse([_separated(*each) for each in zip(spread.sum(axis=0), found.nap, half, strict=True)])
    known = fits.groups[0][1].phi_posterior
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = sum(
            (v / n)[:, None] * placement_inflation(np.isfinite(side), known.nodes, nap)
            for v, n, side in zip(spread, counts, (found.before, found.after), strict=True)
        )
        scale = np.sqrt(variance) / (nap * (1 - nap))[:, None]
    refused = np.array([bool(why) for why in fits.reason])
    size = len(comparisons)
    return Answer(
        distribution=LogitMixture(
            weight=np.where(refused[:, None], np.nan, known.weight),
            loc=np.broadcast_to(logit(nap)[:, None], known.weight.shape),
            scale=np.where(refused[:, None], np.nan, scale),
            df=np.where(refused, np.nan, fits.groups[0][1].df),
            low=low,
        ),
        before=Levels.unknown(size),
        after=Levels.unknown(size),
        days=np.stack(counts, axis=1),
        reason=fits.reason,
        method=("placement values, their means’ variance inflated by the integrated autocorrelation",) * size,
        unit=("",) * size,
        important=np.full(size, np.nan),
        floor=np.full(size, low),
        ceiling=np.ones(size),
        noise=fits.noise(),
    )


def _separated(spread: float, nap: float, half: float) -> str:
    """Why have placements no variance? Without overlap, one tie more is all that can be said."""
    if spread > 0 or np.isnan(spread):
        return ""
    which = "better" if nap > 0.5 else "worse"
    one_tie = 1 - half if nap > 0.5 else half
    return (
        f"interval not estimable from placements: every treatment day was {which} than every baseline day "
        f"(a single tie would give NAP {one_tie:.4g})"
    )


def nap(comparisons: Comparisons) -> Answer:
    """How likely was a treatment day better than a baseline day, ties counting half?

    The non-overlap of all pairs, in the better direction: 0.5 is no change, 1 no overlap. All treatment days count,
    not the window only, as the field has it.
    """
    return _overlap(comparisons, 0.0)


def tau(comparisons: Comparisons) -> Answer:
    """By how much do better pairs of days outnumber worse ones, as a share of all pairs?

    Tau of A v B, S/(n₀·n₁) = 2·NAP − 1 (Parker, Vannest, Davis & Sauber 2011, Behav Ther 42:284); no correction for a
    trend before treatment.
    """
    return _overlap(comparisons, -1.0)


def _applies(outcome: Outcome, phases: int) -> bool:
    return outcome.kind != "yes_no" and outcome.every == "day" and outcome.better != "neither" and phases <= 2


NAP = Estimator("nap", "non-overlap of all pairs (NAP)", "overlap", _applies, nap)
TAU = Estimator("tau", "Tau, A v B", "dominance", _applies, tau)
