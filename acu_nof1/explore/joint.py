"""How likely are several important gains together, when the outcomes' days go together?

Each gain keeps its own chance; a Gaussian copula joins them. Its correlation is learned from the diary: what a day
brought that the days before did not foretell, in one outcome beside the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from acu_nof1.estimate.columns import CHANGE, solve
from acu_nof1.estimate.level import phase_levels, window_question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acu_nof1.estimate.columns import Fits, Question
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

PRIOR_DAYS = 3
"""What the prior of a correlation counts for: Fisher's z ~ N(0, 1/3), so that half of it lies within ±.37."""
LARGEST = 1 - 1e-6
ANGLE, ANGLE_WEIGHT = np.polynomial.legendre.leggauss(64)
SHIFT, SHIFT_WEIGHT = np.polynomial.hermite_e.hermegauss(15)


@dataclass(frozen=True, eq=False)
class News:
    """What each day brought that the days before did not foretell, for S daily series.

    Attributes
    ----------
    days
        (S, D) whitened residuals; NaN for days without an answer and for series without a fit.
    weight
        (S, D) what a day's news weighs in the change, answered or not: the change's variance is its sum of squares.
    parameters
        (S,) columns that were fitted.
    """

    days: Floats
    weight: Floats
    parameters: NDArray[np.int64]

    def take(self, rows: Sequence[int]) -> News:
        """Return the chosen series."""
        chosen = list(rows)
        return News(self.days[chosen], self.weight[chosen], self.parameters[chosen])


@dataclass(frozen=True, eq=False)
class Whitened:
    """Daily series and the columns of their own model, in units in which the noise of all days is alike and independent.

    The columns, and the noise at its posterior means, are those of the change at reassessment (of the mean change
    where there are several phases). V = LL' is the noise of the answered days; days without an answer stand apart.

    Attributes
    ----------
    question, fits
        What was asked, and its fits.
    answered
        (S, D) answered days of the series that have a fit.
    phi, share
        (S,) posterior means of φ and of the white share; NaN without a fit.
    sd
        (S, D) SD of each day, up to a factor.
    noise, root
        (S, D, D) covariance of all calendar days, and L.
    columns, values
        (S, D, P) and (S, D): L⁻¹X and L⁻¹y.
    """

    question: Question
    fits: Fits
    answered: NDArray[np.bool_]
    phi: Floats
    share: Floats
    sd: Floats
    noise: Floats
    root: Floats
    columns: Floats
    values: Floats

    def alone(self, row: int, width: int) -> Whitened:
        """Return one series, up to so many of its first days."""
        found = {name: getattr(self, name)[[row], :width] for name in ("answered", "sd", "columns", "values")}
        square = {name: getattr(self, name)[[row], :width, :width] for name in ("noise", "root")}
        return replace(self, phi=self.phi[[row]], share=self.share[[row]], **found, **square)

    @property
    def inverse(self) -> Floats:
        """(S, P, P) the inverse of X'V⁻¹X; zero for columns that a series does not use."""
        return np.asarray(np.linalg.pinv(self.columns.transpose(0, 2, 1) @ self.columns))

    def left(self, whitened: Floats) -> Floats:
        """What of whitened values (S, D, N) no coefficients explain."""
        fitted = self.inverse @ (self.columns.transpose(0, 2, 1) @ whitened)
        return np.asarray(whitened - self.columns @ fitted)


def whiten(comparisons: Comparisons) -> Whitened:
    """Bring daily series of one kind of design into units in which their fitted noise is independent from day to day."""
    several = comparisons.phases.max(initial=0) > 2
    question = phase_levels(comparisons) if several else window_question(comparisons)
    fits = solve(comparisons, question, [""] * len(comparisons))
    phi, share, ratio = (
        fits.numbers(of)
        for of in (
            lambda each: each.phi_posterior.centre,
            lambda each: each.share_posterior.centre,
            lambda each: each.ratio_posterior.centre,
        )
    )
    answered = comparisons.answered & np.isfinite(phi)[:, None]
    known = tuple(np.nan_to_num(each) for each in (phi, share, ratio))
    sd, noise = _sd(comparisons.treated, known[2]), _noise(comparisons.treated, *known)
    both = answered[:, :, None] & answered[:, None, :]
    root = np.linalg.cholesky(np.where(both, noise, np.eye(noise.shape[1])))
    used = np.arange(question.columns.shape[2]) < question.width[:, None]
    x = np.asarray(np.linalg.solve(root, question.columns * answered[:, :, None] * used[:, None, :]))
    y = np.asarray(np.linalg.solve(root, np.where(answered, comparisons.values, 0.0)[:, :, None]))
    return Whitened(question, fits, answered, phi, share, sd, np.asarray(noise), np.asarray(root), x, y[..., 0])


def news(comparisons: Comparisons) -> News:
    """Split what the diary says into a course and each day's news.

    With V = LL' the noise on all calendar days and V_a that of the answered ones (see `Whitened`), the news are
    L_a⁻¹(y − Xb), and the change w'y has the variance |L'w|².

    Parameters
    ----------
    comparisons
        S daily series of one kind of design; yes/no days as 0 and 1.

    Returns
    -------
    News
        NaN for series that cannot be fitted.
    """
    found = whiten(comparisons)
    residual = found.left(found.values[:, :, None])
    asked = found.question.contrasts[:, CHANGE, :, None]
    weights = np.linalg.solve(found.root.transpose(0, 2, 1), found.columns @ (found.inverse @ asked))
    weight = np.linalg.cholesky(found.noise).transpose(0, 2, 1) @ weights
    return News(np.where(found.answered, residual[..., 0], np.nan), weight[..., 0], found.question.width)


def _sd(treated: NDArray[np.bool_], ratio: Floats) -> Floats:
    """SD of each day at this log ratio, up to a factor, (S, D)."""
    return np.asarray(np.exp(np.where(treated, -0.5, 0.5) * ratio[:, None]))


def _noise(treated: NDArray[np.bool_], phi: Floats, share: Floats, ratio: Floats) -> Floats:
    """Covariance of all days at these noise parameters, up to a factor, (S, D, D)."""
    day = np.arange(treated.shape[1])
    lag = np.abs(day[:, None] - day)
    correlation = np.where(lag, (1 - share)[:, None, None] * phi[:, None, None] ** lag, 1.0)
    sd = _sd(treated, ratio)
    return np.asarray(sd[:, :, None] * correlation * sd[:, None, :])


@dataclass(frozen=True, eq=False)
class Dependence:
    """How the gains of K outcomes go together, and how well that is known.

    Attributes
    ----------
    z, error
        (K, K) posterior mean and SD of Fisher's z of the news' correlation, as gains.
    overlap
        (K, K) correlation of two changes whose news go together perfectly: 1 on the same days with like noise.
    days
        (K, K) days answered in both.
    """

    z: Floats
    error: Floats
    overlap: Floats
    days: NDArray[np.int64]

    def at(self, shift: float) -> Floats:
        """(K, K) correlation of the changes with every z moved by so many SDs.

        Pulled towards independence as far as it takes to be the correlation matrix of something.
        """
        found = np.tanh(self.z + shift * self.error) * self.overlap
        np.fill_diagonal(found, 1.0)
        smallest = float(np.linalg.eigvalsh(found)[0])
        if smallest > 1 - LARGEST:
            return found
        pulled = found * (LARGEST / (1 - smallest))
        np.fill_diagonal(pulled, 1.0)
        return pulled

    @property
    def correlation(self) -> Floats:
        """(K, K) posterior mean of the correlation of the gains."""
        return np.asarray(sum(w * self.at(s) for s, w in zip(SHIFT, SHIFT_WEIGHT, strict=True)) / SHIFT_WEIGHT.sum())


def dependence(found: News, signs: ArrayLike) -> Dependence:
    """How do the gains of these outcomes go together?

    The correlation r of the news on the days answered in both is known like that of n − p + 1 independent pairs:
    news do not resemble those of the day before, so Bartlett's correction for autocorrelated series (1935, J R Stat
    Soc 98:536) is 1. Fisher's z of r with variance 1/(n − p − 2) meets a prior worth `PRIOR_DAYS` days around 0: a few
    shared days say little, none say nothing. Days that are missing in one outcome only, and unlike noise, make two
    changes less alike than their news: `overlap` is the cosine of the news' weights.

    Parameters
    ----------
    found
        News of K outcomes; NaN rows for outcomes that are not kept daily.
    signs
        (K,) +1 where higher is better, −1 where lower is.
    """
    direction = np.multiply.outer(*(np.asarray(signs, dtype=float),) * 2)
    held = np.isfinite(found.days).astype(float)
    values = np.nan_to_num(found.days)
    days = held @ held.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.nan_to_num((values @ values.T) / np.sqrt((values**2 @ held.T) * (held @ (values**2).T)))
        size = np.sqrt((found.weight**2).sum(axis=1))
        overlap = np.nan_to_num((found.weight @ found.weight.T) / np.multiply.outer(size, size), nan=1.0)
    precision = np.maximum(days - np.maximum.outer(found.parameters, found.parameters) - 2, 0)
    z = direction * np.arctanh(np.clip(r, -LARGEST, LARGEST)) * precision / (precision + PRIOR_DAYS)
    return Dependence(z, 1 / np.sqrt(precision + PRIOR_DAYS), overlap, days.astype(int))


def gains_together(comparisons: Comparisons, names: Sequence[str]) -> Dependence:
    """How do the gains of these outcomes of one person go together?

    Outcomes kept weekly or at visits have no days beside one another: their correlation is the prior alone.

    Parameters
    ----------
    comparisons
        All series of one person.
    names
        Outcomes among them.
    """
    place = {outcome.name: row for row, outcome in enumerate(comparisons.outcomes)}
    chosen = comparisons.take([place[name] for name in names])
    size, width = chosen.values.shape
    daily = [row for row, outcome in enumerate(chosen.outcomes) if outcome.every == "day"]
    found = News(np.full((size, width), np.nan), np.zeros((size, width)), np.zeros(size, dtype=np.int64))
    if len(daily) > 1:
        some = news(chosen.take(daily))
        found.days[daily], found.weight[daily], found.parameters[daily] = some.days, some.weight, some.parameters
    return dependence(found, [outcome.sign for outcome in chosen.outcomes])


def chance_of_all(chances: ArrayLike, together: Dependence) -> float:
    """How likely are all of these gains?

    A Gaussian copula of the K chances, averaged over what is not known of their correlation (all z move together, by
    Gauss–Hermite quadrature).

    Parameters
    ----------
    chances
        (K,) chance of each gain.
    together
        How the K gains go together.

    Returns
    -------
    float
        Never above the smallest chance, never below 1 − the sum of the chances of failing (Fréchet 1951).
    """
    p = np.asarray(chances, dtype=float)
    if len(p) == 1:
        return float(p[0])
    edge = ndtri(np.clip(p, 1e-15, 1 - 1e-15))
    matrices = np.array([together.at(shift) for shift in SHIFT])
    if len(p) == 2:
        below = both_below(edge[0], edge[1], matrices[:, 0, 1])
    else:
        # Not at the top: it takes half a second, and two outcomes do not need it.
        from scipy.stats import multivariate_normal

        # Genz's integration draws its lattice: a fixed seed makes the same diary give the same number. Next to a singular
        # matrix a finer tolerance takes seconds, and a chance is told in fives of a hundred.
        below = np.array([multivariate_normal.cdf(edge, cov=each, abseps=1e-4, rng=1) for each in matrices])
    found = float(below @ SHIFT_WEIGHT / SHIFT_WEIGHT.sum())
    return float(np.clip(found, max(0.0, 1 - float((1 - p).sum())), p.min()))


def chance_of_any(chances: ArrayLike, together: Dependence) -> float:
    """How likely is at least one of these gains? See `chance_of_all`: none fails to come only if all fail together."""
    return 1 - chance_of_all(1 - np.asarray(chances, dtype=float), together)


def both_below(first: ArrayLike, second: ArrayLike, correlation: ArrayLike) -> Floats:
    """How likely are two standard normal variables with this correlation both below these limits?

    Φ(h)Φ(k) + 1/2π ∫₀^asin(ρ) exp(−(h² + k² − 2hk sin θ) / 2cos²θ) dθ, by Gauss–Legendre (Plackett 1954, Biometrika
    41:351). Arguments broadcast.
    """
    h, k, rho = (np.asarray(each, dtype=float)[..., None] for each in (first, second, correlation))
    half = np.arcsin(rho) / 2
    theta = half * (1 + ANGLE)
    inside = np.exp(-(h**2 + k**2 - 2 * h * k * np.sin(theta)) / (2 * np.cos(theta) ** 2))
    return np.asarray(ndtr(h[..., 0]) * ndtr(k[..., 0]) + (half[..., 0] * (inside @ ANGLE_WEIGHT)) / (2 * np.pi))
