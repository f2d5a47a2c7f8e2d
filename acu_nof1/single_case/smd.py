"""Standardised mean differences within one person: Glass, with and without the small-sample factor, and pooled."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import Floats, Index, Sides, Values, reasons

NONE = (
    "no interval: the SD of a few autocorrelated days is itself hardly known, and none is published for dependent days"
)
CANNOT = "It is in SDs of this person's days, not of people: unlike the d of a trial, and larger for a person whose days vary less."


def small_sample(df: Floats) -> Floats:
    """Hedges' J = 1 − 3/(4·df − 1)."""
    return np.asarray(1 - 3 / (4 * df - 1))


def _over(sides: Sides, unit: Floats, factor: Floats | float = 1.0) -> Values:
    before, after = sides.means
    with np.errstate(invalid="ignore", divide="ignore"):
        value = factor * sides.sign * (after - before) / unit
    return Values(
        np.where(unit > 0, value, np.nan),
        reasons=reasons((np.isnan(unit), "an SD needs two answered days"), (unit == 0, "these days do not vary: the SD is 0")),
        interval=NONE,
    )  # fmt: skip


def glass(sides: Sides) -> Values:
    """Difference of the phases' means over the SD of the baseline."""
    return _over(sides, sides.sds[0])


def glass_j(sides: Sides) -> Values:
    """The same times J of the baseline's degrees of freedom."""
    return _over(sides, sides.sds[0], small_sample(sides.counts[0] - 1))


def hedges(sides: Sides) -> Values:
    """Difference of means over the pooled SD, times J of all degrees of freedom."""
    (before, after), (first, second) = sides.counts, sides.sds
    df = before + after - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = np.sqrt(((before - 1) * first**2 + (after - 1) * second**2) / df)
    return _over(sides, pooled, small_sample(df))


def _index(name: str, title: str, source: str, compute: object, minimum: tuple[int, int]) -> Index:
    asks = "How many SDs of a day did the average day improve?"
    return Index(name, title, asks, CANNOT, source, compute, minimum=minimum)  # type: ignore[arg-type]


GLASS = _index(
    "smd_glass", "SMD, baseline SD (Glass)", "Glass 1976, Educ Res 5:3; no small-sample factor", glass, (2, 1)
)
GLASS_J = _index(
    "smd_glass_j", "SMD, baseline SD with J", "Glass 1976; J(nA − 1) of Hedges 1981, J Educ Stat 6:107", glass_j, (2, 1)
)
HEDGES = _index("smd_hedges", "SMD, pooled SD (Hedges)", "Hedges 1981, J Educ Stat 6:107", hedges, (2, 2))
