"""How many people have an important gain: of those who were there, and of people like them. And many tests at once.

Three questions that are easily taken for one another:

- *How likely did this one gain?* The own diary's chance, or `chance_of_each`, drawn towards the others.
- *Of these people, how many gained?* `share_of_these`, from the pooled people; `share_by_chances`, from chances alone.
- *Of people like them, how many gain?* `share_of_such_people`, from the mean and the differences between people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import false_discovery_control, poisson_binom

from acu_nof1.explore.random_effects import weighted

if TYPE_CHECKING:
    from acu_nof1.explore.pool import Pooled

Floats = NDArray[np.float64]

DRAWS, TRIED = 4000, 256
FEWEST_DRAWS, PLACES = 100, 4_000_000
"""Of draws of mean and τ, for chances of each person, as many are taken as give so many numbers at once."""
MOST_COUNTED = 2000
"""Up to so many people the distribution of the count is exact; of more, the normal one is right to less than one of them."""
NONE = float("nan")
NO_GAIN = "it is not known which change would be an important gain"


@dataclass(frozen=True)
class Share:
    """A share of people, 0 to 1, with its interval; NaN where it is not estimable, and why."""

    status: Literal["ok", "not_estimable"]
    reason: str
    people: int
    share: float = NONE
    low: float = NONE
    high: float = NONE
    level: float = 0.95

    @property
    def ok(self) -> bool:
        """Whether there is a share."""
        return self.status == "ok"


def share_by_chances(chances: ArrayLike, *, level: float = 0.95) -> Share:
    """How many of these people had an important gain, as far as each one's own chance says?

    The expected share is the mean of the chances p, and the number of gains a sum of unlike coin throws, independent given
    the diaries (Poisson binomial); the interval holds it with at least the stated probability if the chances are right.

    Those of single diaries are right for a person of whom nothing else is known. They know nothing of the other people:
    noise makes people look more unlike than they are, and the share lies too near one half. `share_of_these` mends that.

    Parameters
    ----------
    chances
        (n,) each person's chance of an important gain; NaN for those of whom none is known, who are left out.
    level
        Of the interval.
    """
    p = np.asarray(chances, dtype=np.float64)
    p = np.clip(p[np.isfinite(p)], 0.0, 1.0)
    if not p.size:
        return Share("not_estimable", "nobody has a chance of an important gain", 0, level=level)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if p.size <= MOST_COUNTED:
        below = poisson_binom.cdf(np.arange(p.size + 1), p)
        # Sums of very many terms end a rounding error below 1.
        counts = np.minimum(np.searchsorted(below, tails - 1e-12), p.size)
    else:
        counts = np.clip(p.sum() + ndtri(tails) * np.sqrt(np.sum(p * (1 - p))) + [-0.5, 0.5], 0, p.size)
    low, high = (float(each) / p.size for each in counts)
    return Share("ok", "", int(p.size), float(p.mean()), low, high, level)


def chance_of_each(pooled: Pooled, important: float, sign: int, *, seed: int = 1) -> Floats:
    """How likely did each person gain at least the important change, once drawn towards the others?

    Given mean and τ a person's true gain is normally distributed around the shrunken estimate; mean and τ are drawn from what
    is known of them, see `share_of_such_people`, and the chances averaged.

    Parameters
    ----------
    pooled
        Of the changes.
    important
        The important change, above 0, in the unit of the changes.
    sign
        +1 where higher is better, −1 where lower is (`Outcome.sign`).
    seed
        Of the draws.

    Returns
    -------
    (n,) array
        In the order of `Pooled.by_person`; NaN for people who were left out, and for all where no average or no important
        gain is known (`important` not above 0, `sign` 0).
    """
    rows = pooled.by_person
    out = np.full(len(rows), np.nan)
    if not _why_not(pooled, important, sign):
        out[rows["reason"] == ""] = _chances(pooled, important, sign, np.random.default_rng(seed)).mean(axis=0)
    return out


def share_of_these(pooled: Pooled, important: float, sign: int, *, seed: int = 1) -> Share:
    """Of these people, how many had a true gain of at least the important change?

    The expected share is the mean of `chance_of_each`. For the interval people are thrown by their chances, independent of
    one another given mean and τ, at many draws of both.

    Parameters
    ----------
    pooled, important, sign, seed
        See `chance_of_each`.
    """
    reason = _why_not(pooled, important, sign)
    if reason:
        return Share("not_estimable", reason, pooled.people, level=pooled.level)
    rng = np.random.default_rng(seed)
    chances = _chances(pooled, important, sign, rng)
    counts = (rng.random(chances.shape) < chances).mean(axis=1)
    low, high = np.quantile(counts, _tails(pooled), method="inverted_cdf").tolist()
    return Share("ok", "", pooled.people, float(chances.mean()), low, high, pooled.level)


def _why_not(pooled: Pooled, important: float, sign: int) -> str:
    return NO_GAIN if not important > 0 or not sign else pooled.reason


def _tails(pooled: Pooled) -> list[float]:
    return [(1 - pooled.level) / 2, (1 + pooled.level) / 2]


def _chances(pooled: Pooled, important: float, sign: int, rng: np.random.Generator) -> Floats:
    """Chance of an important gain at each draw of mean and τ, of each pooled person, (draws, people)."""
    y, variance = _pooled_people(pooled)
    some = int(np.clip(PLACES // y.size, FEWEST_DRAWS, DRAWS))
    mean, tau = (each[:some, None] for each in _drawn(y, variance, rng))
    kept = tau**2 / (tau**2 + variance)
    return _beyond(sign * (mean + kept * (y - mean)), np.sqrt(kept * variance), important)


def _pooled_people(pooled: Pooled) -> tuple[Floats, Floats]:
    rows = pooled.by_person
    rows = rows[rows["reason"] == ""]
    return rows["value"].to_numpy(), rows["se"].to_numpy() ** 2


def share_of_such_people(pooled: Pooled, important: float, sign: int, *, seed: int = 1) -> Share:
    """Of people like these, how many have a true gain of at least the important change?

    True gains are N(mean, τ²), so the share is Φ((gain − important)/τ), at the estimated mean and τ (Mathur & VanderWeele
    2019). The interval carries what is not known of both: τ² is drawn from the distribution of which the profile of Q is the
    interval (Q(τ²) = a draw of χ²), the mean given it from its normal distribution, and the ends are quantiles of the share.
    That gains are normally distributed over people is an assumption; with two kinds of people it is wrong.

    Parameters
    ----------
    pooled, important, sign, seed
        See `chance_of_each`.
    """
    reason = _why_not(pooled, important, sign)
    if reason:
        return Share("not_estimable", reason, pooled.people, level=pooled.level)
    mean, tau = _drawn(*_pooled_people(pooled), np.random.default_rng(seed))
    low, high = np.quantile(_beyond(sign * mean, tau, important), _tails(pooled)).tolist()
    share = float(_beyond(np.array([sign * pooled.mean]), np.array([pooled.tau]), important)[0])
    return Share("ok", "", pooled.people, share, min(low, share), max(high, share), pooled.level)


def _beyond(gain: Floats, tau: Floats, important: float) -> Floats:
    """Share of N(gain, τ²) from the important change on; all or nobody where people do not differ."""
    ahead = gain - important
    return np.where(tau > 0, ndtr(ahead / np.where(tau > 0, tau, 1.0)), (ahead >= 0).astype(float))


def _drawn(y: Floats, variance: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draws of mean and τ. Q, mean and its error are worked out at some τ² and read off in between."""
    df, one = y.size - 1, np.ones((y.size, 1))
    wanted = rng.chisquare(df, DRAWS)
    smallest, spread = variance.min(), float(weighted(y, np.ones_like(y), one).q)
    end = np.log1p(max(spread / wanted.min() - smallest, 0.0) / smallest)
    place = np.linspace(0, end, TRIED)
    parts = []
    for some in np.array_split(place, 1 + TRIED * y.size // PLACES):
        columns = np.broadcast_to(one, (some.size, *one.shape))
        fit = weighted(y[None], variance + smallest * np.expm1(some)[:, None], columns)
        parts.append((fit.q, fit.coefficient[:, 0], np.sqrt(fit.covariance[:, 0, 0])))
    q, means, errors = (np.concatenate(each) for each in zip(*parts, strict=True))
    # Q falls with τ²: turned round it can be read backwards. A draw above Q(0) leaves τ² = 0.
    at = np.interp(wanted, q[::-1], place[::-1])
    mean = np.interp(at, place, means) + np.interp(at, place, errors) * rng.standard_normal(DRAWS)
    return mean, np.sqrt(smallest * np.expm1(at))


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Adjust the p values of several secondary outcomes so that few of those called different are so by chance alone.

    Parameters
    ----------
    p
        (n,) p values; NaN for outcomes without one, which do not count.

    Returns
    -------
    (n,) array
        The smallest false discovery rate at which each would be called different (Benjamini & Hochberg 1995).
    """
    given = np.asarray(p, dtype=np.float64)
    out, known = np.full(given.shape, np.nan), np.isfinite(given)
    if known.any():
        out[known] = false_discovery_control(given[known])
    return out
