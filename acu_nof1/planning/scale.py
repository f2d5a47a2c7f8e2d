"""What a person with a given average day writes down, on a scale with steps and ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from acu_nof1.simulate import written

if TYPE_CHECKING:
    from acu_nof1.outcomes import Outcome

Floats = NDArray[np.float64]

HALVINGS = 45
FAR = 12.0
STEPS = (10.0, 5.0, 1.0, 0.5, 0.25, 0.1)
MOST_STEPS = 200


@dataclass(frozen=True, slots=True)
class Scale:
    """The steps and ends of what is written down; ``None`` for none.

    Near an end of the scale the average of what is written is not the average of what is felt: noise that would
    go beyond the end is cut. A true change is a change of the written average, so that average is set, and what
    is felt follows from it.
    """

    step: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, outcome: Outcome, answers: ArrayLike = ()) -> Scale:
        """The scale of an outcome, with its own step or else the coarsest that all answers are multiples of."""
        held = np.asarray(answers, dtype=float)
        fits = (step for step in STEPS if held.size and np.allclose(held / step, np.round(held / step), atol=1e-6))
        return cls(outcome.step or next(fits, None), outcome.low, outcome.high)

    def mean(self, felt: Floats, sd: Floats | float) -> Floats:
        """What is the average of the answers, if what is felt is normal with this mean and SD?"""
        steps = self._thresholds()
        if steps is not None:
            return np.asarray(steps[0] + (steps[1] - steps[0]) * (sum(ndtr((felt - t) / sd) for t in steps) - 0.5))
        out = np.asarray(felt, dtype=float)
        if self.low is not None:
            out = self.low + sd * _above((felt - self.low) / sd)
        if self.high is not None:
            out = out - sd * _above((felt - self.high) / sd)
        return out

    def felt(self, mean: Floats, sd: Floats | float) -> Floats:
        """Which mean of what is felt gives this average answer? NaN where the scale does not allow it."""
        if self.low is None and self.high is None:
            return np.asarray(mean, dtype=float)
        mean, spread = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(sd, dtype=float))
        below = (mean if self.low is None else np.full_like(mean, self.low)) - FAR * spread
        above = (mean if self.high is None else np.full_like(mean, self.high)) + FAR * spread
        for _ in range(HALVINGS):
            middle = (below + above) / 2
            low = self.mean(middle, spread) < mean
            below, above = np.where(low, middle, below), np.where(low, above, middle)
        return np.where(self.allows(mean), (below + above) / 2, np.nan)

    def allows(self, mean: ArrayLike) -> NDArray[np.bool_]:
        """Whether an average answer can be this: strictly between the ends."""
        held = np.asarray(mean, dtype=float)
        low, high = (-np.inf if self.low is None else self.low), (np.inf if self.high is None else self.high)
        return np.asarray((held > low) & (held < high))

    def write(self, felt: Floats) -> Floats:
        """What is written down on each day."""
        return written(felt, self.step, self.low, self.high)

    def _thresholds(self) -> Floats | None:
        """Where one answer gives way to the next, on a scale with few enough of them."""
        if self.step is None or self.low is None or self.high is None:
            return None
        count = round((self.high - self.low) / self.step)
        return np.asarray(self.low + self.step * (np.arange(count) + 0.5)) if 2 <= count <= MOST_STEPS else None


def _above(z: Floats) -> Floats:
    """E max(z + e, 0) of a standard normal e."""
    return np.asarray(z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


def written_days(unit: Floats, average: Floats, sd: Floats, scale: Scale) -> Floats:
    """Diaries of which every day's average is known.

    Parameters
    ----------
    unit
        (n, D) noise with SD 1.
    average, sd
        Average answer and SD of what is felt on each day, of shapes that broadcast to (n, D).
    scale
        How it is written down.

    Returns
    -------
    ndarray
        (n, D) answers; NaN on days whose average the scale does not allow.
    """
    both = np.broadcast_arrays(average, sd)
    # Most days are alike: baseline, and treatment from the third week on.
    kinds, which = np.unique(np.concatenate(both), axis=1, return_inverse=True)
    averages, spreads = np.split(kinds, 2)
    felt = scale.felt(averages, spreads)[:, which.ravel()]
    return scale.write(felt + both[1] * unit)
