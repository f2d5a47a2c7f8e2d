"""Does the noise that a fit assumes describe the days: how much do days resemble one another, and is anything left over?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.estimate.columns import noise_of
from acu_nof1.estimate.days import groups
from acu_nof1.estimate.markov import fit_days
from acu_nof1.explore.joint import whiten
from acu_nof1.simulate import noise

if TYPE_CHECKING:
    from acu_nof1.distribution import Cells
    from acu_nof1.estimate.nuisance import NoiseNodes
    from acu_nof1.explore.joint import Whitened
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

LAGS = np.arange(1, 8)
FEWEST_PAIRS = 5
SERIES_DRAWN, SEED = 999, 1
BAND = 0.95
NOT_DAILY = "it is not kept daily"


@dataclass(frozen=True, eq=False)
class Resemblance:
    """Correlation of days so many calendar days apart, and where it would lie if the fitted noise were right.

    Attributes
    ----------
    value
        (7,) at 1 to 7 days; NaN where fewer than 5 pairs of answered days lie so far apart.
    low, high
        (7,) ends of the band that holds all seven at once in 95 of 100 diaries with the fitted noise.
    """

    value: Floats
    low: Floats
    high: Floats

    @property
    def outside(self) -> NDArray[np.bool_]:
        """(7,) where does it lie outside the band?"""
        return np.asarray((self.value < self.low) | (self.value > self.high))


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """Does the noise of one outcome's fit describe its days?

    Attributes
    ----------
    person, outcome
        Whose days, of what.
    reason
        Why nothing can be said; ``""`` where it can.
    pairs
        (7,) pairs of answered days that lie 1 to 7 calendar days apart.
    days
        Resemblance of what the straight lines of the answer leave of each day; ``None`` for yes/no days.
    news
        The same of what a day brought that the days before did not foretell: the fitted noise leaves nothing there.
    phi, share
        Posteriors of φ and of the white share; ``None`` for yes/no days.
    rho
        Posterior of the correlation of neighbouring yes/no days; ``None`` for levels.
    """

    person: str
    outcome: Outcome
    reason: str = ""
    pairs: NDArray[np.int64] | None = None
    days: Resemblance | None = None
    news: Resemblance | None = None
    phi: Cells | None = None
    share: Cells | None = None
    rho: Cells | None = None

    @property
    def departs(self) -> int | None:
        """At how many days apart is most left over, of the distances outside the band? ``None`` if all lie within."""
        if self.news is None or not self.news.outside.any():
            return None
        middle, half = (self.news.low + self.news.high) / 2, (self.news.high - self.news.low) / 2
        return int(LAGS[np.nanargmax(np.abs(self.news.value - middle) / half)])


def diagnostics(comparisons: Comparisons) -> tuple[Diagnostics, ...]:
    """Do the days of each series resemble one another as its fit assumes?

    The straight lines of the primary answer are taken out at the posterior means of the noise, V = LL'. What is left,
    e = y − Xb over the SD of its phase, is shown with the band of series drawn from the posterior of φ, white share and
    SD ratio, on the same answered days and with the same columns taken out, so that what fitting takes away is in the
    band too. That band adapts to whatever the days do at short distances. The check is therefore made on the news
    L⁻¹(y − Xb): were the noise right they would be (I − H)z, z independent standard normal, H the hat matrix of L⁻¹X.
    Both bands hold all seven distances at once: mean ± c · SD, c the 0.95 quantile of the largest deviation.

    Parameters
    ----------
    comparisons
        S series of one kind of design. Random series are drawn with a fixed seed: the same diary gives the same band.

    Returns
    -------
    tuple of Diagnostics
        One a series, with the reason where nothing can be said.
    """
    found: dict[int, Diagnostics] = {}
    daily = np.array(comparisons.each(lambda outcome: outcome.every == "day"), dtype=bool)
    yes_no = np.array(comparisons.each(lambda outcome: outcome.kind == "yes_no"), dtype=bool)
    for wanted, look in ((daily & ~yes_no, _levels), (daily & yes_no, _yes_no_days)):
        rows = np.flatnonzero(wanted)
        if rows.size:
            found.update(zip(rows.tolist(), look(comparisons.take(rows)), strict=True))
    others = zip(comparisons.person, comparisons.outcomes, strict=True)
    return tuple(found.get(row) or Diagnostics(*whose, NOT_DAILY) for row, whose in enumerate(others))


def resemblance(days: Floats, held: NDArray[np.bool_]) -> Floats:
    """How strongly do days 1 to 7 calendar days apart resemble one another?

    The mean product over the pairs of held days that are so far apart, over the mean square: a gap takes pairs away
    and moves no day.

    Parameters
    ----------
    days : (..., D)
        Deviations around 0.
    held : (..., D) of bool
        Which days there are.

    Returns
    -------
    (..., 7)
        NaN where there are fewer than 5 pairs.
    """
    values = np.where(held, days, 0.0)
    counts = pairs(held)
    sums = np.stack([(values[..., lag:] * values[..., : values.shape[-1] - lag]).sum(-1) for lag in LAGS], axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        square = (values**2).sum(-1) / held.sum(-1)
        return np.asarray(np.where(counts >= FEWEST_PAIRS, sums / counts / square[..., None], np.nan))


def pairs(held: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many pairs of held days lie 1 to 7 calendar days apart? Shape (..., 7)."""
    return np.stack([(held[..., lag:] & held[..., : held.shape[-1] - lag]).sum(-1) for lag in LAGS], axis=-1)


def _levels(comparisons: Comparisons) -> list[Diagnostics]:
    fitted = whiten(comparisons)
    known = {
        row: (nodes.take(place), each.phi_posterior.row(place), each.share_posterior.row(place))
        for (rows, nodes), (_, each) in zip(
            noise_of(comparisons, fitted.question, fitted.fits), fitted.fits.groups, strict=True
        )
        for place, row in enumerate(rows.tolist())
    }
    out = []
    for row, (person, outcome, reason) in enumerate(
        zip(comparisons.person, comparisons.outcomes, fitted.fits.reason, strict=True)
    ):
        if reason:
            out.append(Diagnostics(person, outcome, reason))
            continue
        nodes, phi, share = known[row]
        held = fitted.answered[row]
        # Without the padding behind its last day, so that its random numbers do not depend on the batch.
        own = fitted.alone(row, int(np.flatnonzero(held)[-1]) + 1)
        days, news = _both(own, nodes, comparisons.treated[row])
        out.append(Diagnostics(person, outcome, "", pairs(held), days, news, phi, share))
    return out


def _both(own: Whitened, nodes: NoiseNodes, treated: NDArray[np.bool_]) -> tuple[Resemblance, Resemblance]:
    """Resemblance of one series' days and of its news, each beside those of random series."""
    held, root, sd = own.answered[0], own.root[0], own.sd[0][:, None]
    rng = np.random.default_rng(SEED)
    news = own.left(own.values[:, :, None])[0]
    independent = own.left(rng.standard_normal((1, held.size, SERIES_DRAWN)) * held[:, None])[0]
    drawn = own.left(np.linalg.solve(root, _drawn(nodes, treated[: held.size], rng) * held[:, None])[None])[0]
    return _compared(root @ news / sd, root @ drawn / sd, held), _compared(news, independent, held)


def _drawn(nodes: NoiseNodes, treated: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Noise of one series with parameters drawn from its posterior, (D, N)."""
    at = rng.choice(nodes.weight.shape[1], SERIES_DRAWN, p=nodes.weight[0])
    unit = noise(SERIES_DRAWN, treated.size, seed=rng, phi=nodes.phi[0, at], share=nodes.share[0, at])
    return np.asarray(unit.T * np.exp(np.where(treated, -0.5, 0.5)[:, None] * nodes.log_ratio[0, at]))


def _compared(days: Floats, drawn: Floats, held: NDArray[np.bool_]) -> Resemblance:
    """Hold the days (D, 1) of one series against random ones (D, N)."""
    expected = resemblance(drawn.T, np.broadcast_to(held, drawn.T.shape))
    mean, sd = expected.mean(axis=0), expected.std(axis=0)
    there = np.isfinite(mean)
    furthest = (np.abs(expected - mean) / sd)[:, there].max(axis=1, initial=0.0)
    half = np.quantile(furthest, BAND) * sd
    return Resemblance(resemblance(days[:, 0], held), mean - half, mean + half)


def _yes_no_days(comparisons: Comparisons) -> list[Diagnostics]:
    fit = fit_days(comparisons.values, groups(comparisons), comparisons.phase)
    return [
        Diagnostics(person, outcome, reason, rho=None if reason else fit.rho.row(row))
        for row, (person, outcome, reason) in enumerate(
            zip(comparisons.person, comparisons.outcomes, fit.reason, strict=True)
        )
    ]
