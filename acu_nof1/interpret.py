"""From a distribution to a kind of change: rules with sources, no prose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.distribution import Distribution

Reading = Literal[
    "improved",
    "improved_amount_unclear",
    "improved_less",
    "no_important_change",
    "worse_amount_unclear",
    "worse",
    "cannot_say",
]
# What overrules the diary withholds verdict and success result.
SuccessKind = Literal["met", "not_met", "cannot_say", "not_agreed", "overruled"]

# How sure is sure enough. Why "any gain" needs .95: at .80 one unchanged person in five is called improved. A gain of
# the important size needs it too: in a diary so noisy that its SE exceeds 1.2 important changes, an unchanged person
# passes .80 for it more often than one time in twenty.
LIKELY, SURE, UNLIKELY = 0.80, 0.95, 0.20

# Cuts of the seven bands as shares of the important change. With an important change of 20 % of the
# scale they are the 5, 10 and 20 % of PREEMPT (Kravitz et al. 2018, JAMA Intern Med 178:1368).
BAND_CUTS = (0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Chances:
    """What the distributions of S changes say; every field is an array over the series.

    Probabilities that need an important change are NaN where none is declared, and all are NaN where
    the outcome has no better direction or the change is not estimable.
    """

    gain: NDArray[np.float64]
    loss: NDArray[np.float64]
    important_gain: NDArray[np.float64]
    important_loss: NDArray[np.float64]
    half_loss: NDArray[np.float64]
    bands: NDArray[np.float64]


def chances(
    distribution: Distribution, no_change: float, important: NDArray[np.float64], sign: NDArray[np.int64]
) -> Chances:
    """How likely is any gain, an important gain, an important loss?

    Parameters
    ----------
    distribution
        Of the change, one row a series.
    no_change
        The value that means no change: 0 for a difference, 1 for a ratio.
    important
        (S,) important change as a distance from `no_change`; NaN for none.
    sign
        (S,) +1 where higher is better, −1 where lower is, 0 for neither.

    Returns
    -------
    Chances
        ``bands`` is (S, 7), from worse by at least the important change to better by at least as much.
    """
    with np.errstate(invalid="ignore"):
        cuts = np.concatenate([-np.array(BAND_CUTS)[::-1], [0.0], BAND_CUTS])
        edges = no_change + np.where(sign < 0, -1, 1)[:, None] * cuts * np.nan_to_num(important, nan=0.0)[:, None]
        below = distribution.cdf(edges)
        # P(gain <= edge) at −m, −m/2, −m/4, 0, m/4, m/2, m of gain
        at_most = np.where(sign[:, None] < 0, 1 - below, below)
    at_most[sign == 0] = np.nan
    gain = 1 - at_most[:, 3]
    known = np.isfinite(important)
    at_most[~known] = np.nan
    full = np.concatenate([np.zeros((len(gain), 1)), np.delete(at_most, 3, axis=1), np.ones((len(gain), 1))], axis=1)
    return Chances(
        gain=gain,
        loss=1 - gain,
        important_gain=1 - at_most[:, 6],
        important_loss=at_most[:, 0],
        half_loss=at_most[:, 1],
        bands=np.diff(full, axis=1),
    )


def readings(found: Chances) -> NDArray[np.str_]:
    """What kind of change is it?

    The first rule that holds decides; see the order in the code. Without an important change only
    better, worse and cannot say are possible.

    Parameters
    ----------
    found
        The chances of S changes.

    Returns
    -------
    numpy.ndarray
        (S,) values of `Reading`; ``""`` where nothing could be estimated or no direction is better.
    """
    with np.errstate(invalid="ignore"):
        within = 1 - found.important_gain - found.important_loss
        kinds: list[tuple[Reading, NDArray[np.bool_]]] = [
            ("worse", (found.half_loss >= LIKELY) & (found.loss >= SURE)),
            ("improved", (found.important_gain >= LIKELY) & (found.gain >= SURE)),
            ("improved_less", (found.gain >= SURE) & (found.important_gain <= UNLIKELY)),
            ("improved_amount_unclear", found.gain >= SURE),
            ("worse_amount_unclear", found.loss >= SURE),
            ("no_important_change", within >= LIKELY),
        ]
    chosen = np.select([holds for _, holds in kinds], [kind for kind, _ in kinds], default="cannot_say")
    return np.where(np.isfinite(found.gain), chosen, "")


def success_kind(probability: float | None, gain: float) -> SuccessKind:
    """Was the agreed success reached?

    Parameters
    ----------
    probability
        That the rule is met; ``None`` where it cannot be given.
    gain
        The chance of any gain at all in the outcome that the rule hangs on: what is met is a gain first.
    """
    if probability is None:
        return "cannot_say"
    if probability >= LIKELY:
        return "met" if gain >= SURE else "cannot_say"
    return "not_met" if probability <= UNLIKELY else "cannot_say"


def shares_of_hundred(bands: NDArray[np.float64]) -> list[int]:
    """Round the seven bands to whole numbers that still add up to 100 (largest remainder)."""
    exact = np.asarray(bands, float) * 100
    whole = np.floor(exact).astype(int)
    missing = 100 - int(whole.sum())
    for index in np.argsort(whole - exact, kind="stable")[:missing]:
        whole[index] += 1
    return [int(value) for value in whole]
