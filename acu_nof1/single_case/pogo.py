"""PoGO: how much of the way to the goal was made?"""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, reasons


def compute(sides: Sides) -> Values:
    """100 · (B − A) / (goal − A), of the phases' means; our interval is that of 1 − (goal − B)/(goal − A)."""
    before, after = sides.means
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 100 * (after - before) / (sides.goal - before)
    there = sides.sign * (sides.goal - before) <= 0
    low, high = sides.ways_left
    return Values(
        np.where(there, np.nan, value),
        ours=(100 * (1 - high), 100 * (1 - low)),
        reasons=reasons(
            (np.isnan(sides.goal), "no goal: declare one, as in --goal pain=2"),
            (there, "the baseline is at the goal already, or beyond it"),
        ),
        interval="from the Fieller interval of the ways left, autocorrelation integrated out",
        no_interval=sides.refused,
    )


POGO = Index(
    "pogo",
    "percent of goal obtained",
    "How much of the way from the baseline to the goal was made?",
    "It is as good as the goal: near the goal small changes are large percentages.",
    "Ferron, Goldstein, Olszewski & Rohrer 2020, Evid Based Commun Assess Interv 14:6",
    compute,
)
