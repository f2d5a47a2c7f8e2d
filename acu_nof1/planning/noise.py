"""How days differ from one another in a diary that exists already: read from its own fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.distribution import DAYS_PER_MONTH
from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import Question, counted, indicator, noise_of, solve
from acu_nof1.estimate.level import phase_levels, window_question
from acu_nof1.estimate.markov import fit_days

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.estimate.columns import Fits
    from acu_nof1.trial import Comparisons

FEWEST = 2 * MINIMUM_DAYS


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Noise of days, one value for each of n diaries.

    Attributes
    ----------
    phi
        Correlation of neighbouring days: of the slow part of the noise for levels, of the days themselves for
        yes/no outcomes.
    share
        Share of the variance that is white noise.
    before, after
        SD of a baseline and of a treatment day; NaN for yes/no outcomes.
    level
        The average baseline day; days per 28 for yes/no outcomes.
    """

    phi: NDArray[np.float64]
    share: NDArray[np.float64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    level: float


def own_noise(series: Comparisons, n: int, rng: np.random.Generator) -> Noise | str:
    """What may the noise of this one diary be? Draws from the posterior of its own fit.

    Parameters
    ----------
    series
        One series; a baseline is enough.
    n
        How many draws.
    rng
        Where they come from.

    Returns
    -------
    Noise or str
        Or why nothing can be said of it.
    """
    answered = int(counted(series.baseline, series)[0])
    if answered < FEWEST:
        return f"only {answered} baseline days answered; at least {FEWEST} are needed to tell how days differ"
    if series.outcomes[0].kind == "yes_no":
        return _of_yes_no_days(series, n, rng)
    fits = solve(series, _question(series), [""])
    return fits.reason[0] or _of_levels(series, fits, n, rng)


def _question(series: Comparisons) -> Question:
    """Give the columns of the answer that the diary itself gets; before treatment there is one level only."""
    if int(series.phases[0]) > 2:
        return phase_levels(series)
    if counted(series.window, series)[0]:
        return window_question(series)
    return Question(indicator(series.baseline)[:, :, None], np.array([1]), np.ones((1, 1, 1)))


def _of_levels(series: Comparisons, fits: Fits, n: int, rng: np.random.Generator) -> Noise:
    ((_, nodes),) = noise_of(series, _question(series), fits)
    node = rng.choice(nodes.weight.shape[1], n, p=nodes.weight[0])
    # Given the node, RSS / sigma² is chi-squared with nu degrees of freedom.
    spread = np.sqrt(nodes.df[0] / rng.chisquare(nodes.df[0], n))
    before, after = (spread * sd[0, node] for sd in (nodes.baseline_sd, nodes.treatment_sd))
    return Noise(nodes.phi[0, node], nodes.share[0, node], before, after, float(fits.centre(0)[0]))


def _of_yes_no_days(series: Comparisons, n: int, rng: np.random.Generator) -> Noise | str:
    side = np.where(series.phase < 0, -1, np.where(series.baseline, 0, 1))
    if not counted(side == 1, series)[0]:
        # The chain of the baseline alone: its second half stands in for the other side.
        half = np.cumsum(series.baseline & series.answered, axis=1) > counted(series.baseline, series)[:, None] // 2
        side = np.where((side == 0) & half, 1, side)
    fit = fit_days(series.values, side, series.phase)
    rho = fit.rho
    real = np.nan_to_num(rho.weight[0])
    drawn = rho.nodes[0, rng.choice(real.size, n, p=real / real.sum())]
    mean = np.nanmean(series.values[0, (series.baseline & series.answered)[0]])
    # A chain in which a yes makes the next one less likely cannot be drawn by `markov_days`: 0 stands for it.
    nothing = np.full(n, np.nan)
    return Noise(np.maximum(drawn, 0.0), nothing, nothing, nothing, DAYS_PER_MONTH * float(mean))
