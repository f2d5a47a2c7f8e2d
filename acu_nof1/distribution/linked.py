"""Mixtures of t distributions on the log odds of a quantity that has two ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from acu_nof1.distribution.mixtures import TMixture
from acu_nof1.distribution.rows import Distribution

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LogitMixture(Distribution):
    """What is known about a quantity between `low` and 1 whose log odds are a mixture of t distributions?

    Attributes
    ----------
    weight, loc, scale, df
        Of the log odds, as in `TMixture`. A row that is not estimable has no weight and no df; its `loc` may still
        say where the sample lies.
    low
        The lower end: 0 for a share, −1 for a difference of two shares.
    """

    weight: Floats
    loc: Floats
    scale: Floats
    df: Floats
    low: float = 0.0

    @property
    def log_odds(self) -> TMixture:
        """The mixture behind it."""
        return TMixture(self.weight, self.loc, self.scale, self.df)

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit? At the sample's value, which every node has in common."""
        return self._outward(self.loc[:, 0])

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x?"""
        share = (np.asarray(x, dtype=float) - self.low) / (1 - self.low)
        inside = np.clip(share, 1e-300, 1 - 1e-16)
        return self.log_odds.cdf(logit(inside))

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie?"""
        return self._outward(self.log_odds.quantile(p))

    def _outward(self, log_odds: Floats) -> Floats:
        return np.asarray(self.low + (1 - self.low) * expit(log_odds))
