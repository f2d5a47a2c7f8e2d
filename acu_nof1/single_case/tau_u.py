"""Tau-U: Tau less the trend before treatment, as Parker and colleagues define it."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Bools, Floats, Index, Sides, Values, chunks


def pair_sum(values: Floats, days: Bools, time: Floats) -> Floats:
    """S of Kendall within some days: pairs that rise in time less pairs that fall."""
    found = np.zeros(len(values))
    for here in chunks(*values.shape):
        pair = days[here, :, None] & days[here, None, :] & (time[here, :, None] < time[here, None, :])
        found[here] = np.where(pair, np.sign(values[here, None, :] - values[here, :, None]), 0.0).sum(axis=(1, 2))
    return found


def compute(sides: Sides) -> Values:
    """(S of A v B − S of the baseline's trend) / (nA·nB)."""
    before, after = sides.counts
    own = (2 * sides.placements.nap - 1) * before * after
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (own - pair_sum(sides.better, sides.before, sides.day)) / (before * after)
    return Values(value, interval="no interval: its parts are correlated, and none is published that holds")


TAU_U = Index(
    "tau_u",
    "Tau-U, A v B less the trend of A",
    "Are treatment days better, once the baseline's own trend is taken off?",
    "It may lie beyond −1 and 1, and depends on how long the baseline is: not comparable between diaries.",
    "Parker, Vannest, Davis & Sauber 2011, Behav Ther 42:284",
    compute,
)
