"""How many days can be kept so that no treatment day overlaps the baseline: what PAND, IRD and phi are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.single_case.base import chunks

if TYPE_CHECKING:
    from acu_nof1.single_case.base import Floats, Sides


def kept(sides: Sides) -> Floats:
    """(S,) the most days that can stay when every treatment day must be better than every baseline day; ties overlap."""
    most = np.zeros(len(sides))
    for here in chunks(*sides.values.shape):
        before, after, values = sides.before[here], sides.after[here], sides.better[here]
        held = before | after
        cut = values[:, :, None]  # each day's value as the limit: baseline at or below it, treatment above it
        below = (before[:, None, :] & (values[:, None, :] <= cut)).sum(axis=2)
        above = (after[:, None, :] & (values[:, None, :] > cut)).sum(axis=2)
        best = np.where(held, below + above, 0).max(axis=1)
        most[here] = np.maximum(best, after.sum(axis=1))  # or no baseline day at all
    return most
