"""The interval that is published for NAP: Newcombe's fifth method, for all series at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from acu_nof1.single_case.base import Floats

HALVINGS = 60


def newcombe(nap: Floats, before: Floats, after: Floats, z: float) -> tuple[Floats, Floats]:
    """Which values of the true share are within z of the sample's, if days are independent?

    Both roots of (θ − NAP)² = z² θ(1 − θ)[1 + h((1 − θ)/(2 − θ) + θ/(1 + θ))]/(mn), h = (m + n)/2 − 1, by halving
    (Newcombe 2006, Stat Med 25:559, method 5).

    Parameters
    ----------
    nap, before, after
        (S,) the index, and the days of both phases.
    z
        Quantile of the normal distribution.
    """

    def beyond(theta: Floats) -> Floats:
        h = (before + after) / 2 - 1
        variance = theta * (1 - theta) * (1 + h * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (before * after)
        return np.asarray((theta - nap) ** 2 - z**2 * variance)

    def root(outer: Floats) -> Floats:
        inner, outer = nap.copy(), outer.copy()
        for _ in range(HALVINGS):
            middle = (inner + outer) / 2
            out = beyond(middle) > 0
            outer, inner = np.where(out, middle, outer), np.where(out, inner, middle)
        return np.asarray((inner + outer) / 2)

    with np.errstate(invalid="ignore", divide="ignore"):
        return root(np.zeros_like(nap)), root(np.ones_like(nap))
