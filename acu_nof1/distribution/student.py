"""Student's t cdf and density, read from tables: a cubic Hermite table of the upper tail for each whole df."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

STEPS_PER_UNIT = 128
"""Intervals of the table per unit of t; the cubic Hermite error is below 2e-11 for every df."""
TABLE_END = 24
"""Beyond this |t| the table ends and the exact tail is evaluated."""
ORIGIN = TABLE_END * STEPS_PER_UNIT
"""Intervals of the table below t = 0, and above."""


def student(z: Floats, df: Floats) -> tuple[Floats, Floats]:
    """What are the Student t cdf and density at z?

    From a cubic Hermite table of the cdf for each whole df; beyond the table the exact tail.

    Parameters
    ----------
    z : (R, ...)
        Where; row r is evaluated with df[r].
    df : (R,)
        Whole numbers of at least 1.

    Returns
    -------
    cdf, density : the shape of z
        Absolute error of the cdf at most 2e-11, of the density at most 1e-8.
    """
    distinct, which = np.unique(df, return_inverse=True)
    table = np.concatenate([_table(int(nu)) for nu in distinct], axis=1)
    position = z * STEPS_PER_UNIT
    position += ORIGIN
    beyond = ~((position >= 0) & (position < 2 * ORIGIN))
    any_beyond = bool(beyond.any())
    if any_beyond:
        position[beyond] = 0.0
    index = position.astype(np.intp)
    position -= index
    index += (which * (2 * ORIGIN)).reshape((-1,) + (1,) * (z.ndim - 1))
    c0, c1, c2, c3 = (np.take(row, index) for row in table)
    below = c0 + position * (c1 + position * (c2 + position * c3))
    density = (c1 + position * (2 * c2 + 3 * position * c3)) * float(STEPS_PER_UNIT)
    if any_beyond:
        far_df = np.broadcast_to(df.reshape((-1,) + (1,) * (z.ndim - 1)), z.shape)[beyond]
        below[beyond], density[beyond] = special.stdtr(far_df, z[beyond]), student_density(z[beyond], far_df)
    return below, density


def tables(df: Floats) -> tuple[Floats, Ints, Floats]:
    """Distinct df, which of them each row has, and their stacked tables (kinds, intervals, 4)."""
    distinct, which = np.unique(df, return_inverse=True)
    return distinct, which.astype(np.intp), _stacked(tuple(distinct.tolist()))


@lru_cache(maxsize=4)
def _stacked(distinct: tuple[float, ...]) -> Floats:
    return np.stack([np.ascontiguousarray(_table(int(nu)).T) for nu in distinct])


@lru_cache(maxsize=128)
def _table(nu: int) -> Floats:
    """Cubic coefficients (4, intervals) of the cdf on equal intervals, by Hermite interpolation."""
    a = np.arange(-ORIGIN, ORIGIN + 1) / STEPS_PER_UNIT
    value = special.stdtr(nu, a)
    slope = student_density(a, np.float64(nu)) / STEPS_PER_UNIT
    # Above 0 the steps of the cdf are those of the tail, which has more digits.
    rise = np.diff(value[: ORIGIN + 1])
    rise = np.concatenate([rise, rise[::-1]])
    coefficients = np.stack(
        [value[:-1], slope[:-1], 3 * rise - 2 * slope[:-1] - slope[1:], slope[:-1] + slope[1:] - 2 * rise]
    )
    coefficients.setflags(write=False)
    return coefficients


def student_density(a: Floats, nu: Floats | np.float64) -> Floats:
    """What is the density of Student's t at a?"""
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return np.asarray(np.exp(constant - (nu + 1) / 2 * np.log1p(a**2 / nu)))
