"""PND: the share of treatment days better than the best baseline day."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Index, Sides, Values, mean


def compute(sides: Sides) -> Values:
    """Treatment days above the maximum of the baseline."""
    best = np.where(sides.before, sides.better, -np.inf).max(axis=1, initial=-np.inf)
    return Values(
        mean((sides.better > best[:, None]).astype(float), sides.after),
        interval="no interval: it hangs on one extreme day, and its distribution is not known",
    )


PND = Index(
    "pnd",
    "percentage of non-overlapping data",
    "What share of treatment days was better than the best baseline day?",
    "One good baseline day makes it 0, and it falls as the baseline gets longer.",
    "Scruggs, Mastropieri & Casto 1987, Remedial Spec Educ 8:24",
    compute,
)
