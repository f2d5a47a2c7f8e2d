"""What many diaries teach about the noise of one: how days resemble each other, white noise, the ratio of the SDs.

The change is not pooled, only the noise. Each diary's likelihood at the nodes of its noise parameters is kept; the
learned shares of the pieces of the usual prior (`nodes.Learned`) are those under which all diaries together are most
probable, by the EM algorithm (Laird 1978, J Am Stat Assoc 73:805). Some imagined people, who are as the usual prior
says, are counted with them, so that nothing is ruled out because few were seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from acu_nof1.errors import Problem, UsageError
from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import indicator, noise_for
from acu_nof1.estimate.kernel import split
from acu_nof1.estimate.level import is_daily_level
from acu_nof1.estimate.nodes import (
    ANGLE_KNOTS,
    RATIO_KNOTS,
    SHARE_KNOTS,
    Learned,
    angle_hats,
    grid,
    grids,
    hats,
    ratio_hats,
    share_hats,
)
from acu_nof1.estimate.posterior import weigh
from acu_nof1.estimate.series import standardise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from acu_nof1.estimate.nodes import Nodes, Noise
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]

LEAST_PEOPLE = 30
"""With fewer diaries the usual prior stays."""
MOST_PEOPLE = 4000
"""More diaries than these are sampled evenly: they would not change the shares."""
IMAGINED = 10
FINE = (120, 24, 61)
NODES = {"phi_nodes": 48, "share_nodes": 16, "ratio_nodes": 21}
"""A learned prior bends: with the usual nodes an interval's width would err by 3 %, with these by less than 1 %."""
LEAST_TREATED = 21
BENDS = np.array([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
STEPS, CLOSE = 2000, 1e-7


@dataclass(frozen=True, eq=False)
class LearnedNoise:
    """The noise that people's days show, by outcome.

    Attributes
    ----------
    by_outcome
        What `reassess_all` and every estimator on the kernel take as `noise`.
    reasons
        By outcome: why nothing was learned, and the usual prior stays.
    """

    by_outcome: Mapping[str, Noise]
    reasons: Mapping[str, str]
    _shares: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """How often does the noise look like this, by the usual prior and as learned?

        Returns
        -------
        pandas.DataFrame
            outcome, people, parameter (`phi`, `white_share`, `sd_ratio`: baseline over treatment), at (the value around
            which a piece of the prior lies), usual, learned; the shares of each parameter sum to 1.
        """
        return self._shares.copy()


def learn_noise(comparisons: Comparisons) -> LearnedNoise:
    """How do days differ from day to day in people like these?

    Parameters
    ----------
    comparisons
        Series of many people.

    Returns
    -------
    LearnedNoise
        For each outcome with a daily level that at least 30 people answered. A diary's own days are among those that
        the prior was learned from; with 30 people and more that weighs little (`benchmarks/README.md`).

    Raises
    ------
    UsageError
        If no outcome has enough diaries.
    """
    names = np.array(comparisons.each(lambda outcome: outcome.name))
    found: dict[str, Noise] = {}
    reasons: dict[str, str] = {}
    tables = []
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        outcome = comparisons.outcomes[rows[0]]
        if not is_daily_level(outcome):
            reasons[name] = "it has no daily level"
            continue
        usual = noise_for(outcome, None)
        likelihood = _likelihoods(comparisons.take(_evenly(rows)), usual)
        if len(likelihood) < LEAST_PEOPLE:
            reasons[name] = f"{len(likelihood)} diaries can be used; at least {LEAST_PEOPLE} are needed"
            continue
        days, ratio = _masses(grid(usual, *FINE))
        learned_days, learned_ratio = _most_probable(likelihood, days, ratio)
        learned = Learned(len(likelihood), _factors(learned_days, days), tuple(_factor(learned_ratio, ratio).tolist()))
        found[name] = replace(usual, learned=learned, **NODES)
        tables.append(_shares(name, len(likelihood), (days, ratio), (learned_days, learned_ratio)))
    if not found:
        what = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise UsageError([Problem("error", "noise", f"nothing can be learned: {what}.", "Leave `noise` out.")])
    return LearnedNoise(found, reasons, pd.concat(tables, ignore_index=True))


def _evenly(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    if len(rows) <= MOST_PEOPLE:
        return rows
    return rows[np.linspace(0, len(rows) - 1, MOST_PEOPLE).astype(np.intp)]


def _likelihoods(comparisons: Comparisons, noise: Noise) -> Floats:
    """How probable are the days of each person under each piece of the usual prior? (people, pieces of days, of r).

    Up to a factor for each person. People with too few days, or of whom nothing can be fitted, are left out.
    """
    columns = _courses(comparisons)
    values = np.where(comparisons.answered & columns.any(axis=2), comparisons.values, np.nan)
    held = np.isfinite(values)
    usable = (held & comparisons.baseline).sum(axis=1) >= MINIMUM_DAYS
    usable &= ((held & comparisons.treated).sum(axis=1) >= LEAST_TREATED) & (comparisons.phases == 2)
    rows = np.flatnonzero(usable)
    nothing = np.zeros((len(rows), 1, columns.shape[2]))
    data = standardise(values[rows], columns[rows], comparisons.treated[rows], nothing)
    open_rows = np.flatnonzero(data.estimable)
    parts = []
    for nodes, some in grids(noise, data.answered[open_rows], data.baseline[open_rows]):
        for few in split(open_rows[some], nodes, columns.shape[2] + 1):
            weight, _, _ = weigh(data, few, nodes)
            parts.append(_by_piece(weight, nodes))
    if not parts:
        return np.empty((0, 1, 1))
    together = np.concatenate(parts)
    return np.asarray(together / together.max(axis=(1, 2), keepdims=True))


def _courses(comparisons: Comparisons) -> Floats:
    """Design columns: the baseline level, and a course of treatment that bends at `BENDS` (shares of its days).

    The straight lines of the questions would do for an interval, but not here: a course that all people share and
    that no line follows looks like slow noise in each of them, and would be learned as such.
    """
    treated = comparisons.treated & (comparisons.phase >= 0)
    last = np.where(treated & comparisons.answered, comparisons.tau, 0).max(axis=1)
    along = np.clip(comparisons.tau / np.maximum(last, 1)[:, None], 0.0, 1.0)
    bends = hats(along.ravel(), BENDS).reshape(*along.shape, -1) * treated[:, :, None]
    return np.concatenate([indicator(comparisons.baseline)[:, :, None], bends], axis=2)


def _by_piece(weight: Floats, nodes: Nodes) -> Floats:
    """From posterior weights of the nodes (S, nodes) to the mean likelihood in every piece."""
    prior = np.exp(nodes.log_prior)
    with np.errstate(invalid="ignore"):
        mean = _gathered(weight.reshape(-1, *nodes.shape), nodes) / _gathered(prior[None] / prior.sum(), nodes)
    return np.nan_to_num(mean)  # no mass: with counts, the piece without white noise


def _gathered(weight: Floats, nodes: Nodes) -> Floats:
    pieces = angle_hats(nodes.phi), share_hats(nodes.share), ratio_hats(nodes.ratio)
    found: Floats = np.einsum("npsr,pa,sb,rc->nabc", weight, *pieces, optimize=True)
    return found.reshape(len(weight), -1, len(RATIO_KNOTS))


def _masses(nodes: Nodes) -> tuple[Floats, Floats]:
    """How much of the usual prior does each piece hold?"""
    prior = np.exp(nodes.log_prior)
    both = _gathered(prior[None] / prior.sum(), nodes)[0]
    return both.sum(axis=1), both.sum(axis=0)


def _most_probable(likelihood: Floats, days: Floats, ratio: Floats) -> tuple[Floats, Floats]:
    """Under which shares of the pieces are all these days most probable, with some imagined people besides?"""
    size = len(likelihood) + IMAGINED
    g, q = days, ratio
    for _ in range(STEPS):
        by_days = likelihood @ q
        own = g * by_days
        responsible = own / own.sum(axis=1, keepdims=True)
        by_ratio = np.einsum("nab,a->nb", likelihood, g, optimize=True) * q
        new_g = (responsible.sum(axis=0) + IMAGINED * days) / size
        new_q = ((by_ratio / by_ratio.sum(axis=1, keepdims=True)).sum(axis=0) + IMAGINED * ratio) / size
        moved = max(np.abs(new_g - g).max(), np.abs(new_q - q).max())
        g, q = new_g, new_q
        if moved < CLOSE:
            break
    return g, q


def _factor(learned: Floats, usual: Floats) -> Floats:
    return np.divide(learned, usual, out=np.ones_like(usual), where=usual > 0)


def _factors(learned: Floats, usual: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, _factor(learned, usual).reshape(len(ANGLE_KNOTS), -1).tolist()))


def _shares(name: str, people: int, usual: tuple[Floats, Floats], learned: tuple[Floats, Floats]) -> pd.DataFrame:
    def tables() -> Iterator[pd.DataFrame]:
        both = [each[0].reshape(len(ANGLE_KNOTS), -1) for each in (usual, learned)]
        axes = {
            "phi": (np.sin(ANGLE_KNOTS), [each.sum(axis=1) for each in both]),
            # Without white noise, and a little of it, are one bar.
            "white_share": (SHARE_KNOTS, [np.r_[each[:, :2].sum(), each[:, 2:].sum(axis=0)] for each in both]),
            "sd_ratio": (np.exp(RATIO_KNOTS), [usual[1], learned[1]]),
        }
        for parameter, (at, (before, after)) in axes.items():
            yield pd.DataFrame({"parameter": parameter, "at": at, "usual": before, "learned": after})

    table = pd.concat(tables(), ignore_index=True)
    table.insert(0, "people", people)
    table.insert(0, "outcome", name)
    return table
