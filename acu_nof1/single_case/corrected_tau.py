"""Baseline-corrected Tau: Tau-b of what is left when the baseline's Theil–Sen line is taken off all days."""

from __future__ import annotations

import numpy as np

from acu_nof1.single_case.base import NO_LINE, Floats, Index, Sides, Values, chunks, median, reasons

TIE = 1e-9


def theil_sen(sides: Sides) -> tuple[Floats, Floats]:
    """Slope a day and intercept on the first treatment day of the baseline: medians of all slopes, and of what is left."""
    slope = np.full(len(sides), np.nan)
    for here in chunks(*sides.values.shape):
        days, time, values = sides.before[here], sides.day[here], sides.better[here]
        apart = time[:, None, :] - time[:, :, None]
        pair = days[:, :, None] & days[:, None, :] & (apart > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            slopes = (values[:, None, :] - values[:, :, None]) / apart
        size = len(days)
        slope[here] = median(slopes.reshape(size, -1), pair.reshape(size, -1))
    return slope, median(sides.better - np.nan_to_num(slope)[:, None] * sides.day, sides.before)


def compute(sides: Sides) -> Values:
    """Kendall's tau-b of the corrected days with the phase; what is equal to 1e-9 ties."""
    slope, level = theil_sen(sides)
    left = sides.better - level[:, None] - slope[:, None] * sides.day
    held = sides.before | sides.after
    agree, ties = np.zeros(len(sides)), np.zeros(len(sides))
    for here in chunks(*left.shape):
        apart = left[here, None, :] - left[here, :, None]
        direction = np.where(np.abs(apart) <= TIE, 0.0, np.sign(apart))
        between = sides.before[here, :, None] & sides.after[here, None, :]
        both = held[here, :, None] & held[here, None, :]
        agree[here] = np.where(between, direction, 0.0).sum(axis=(1, 2))
        ties[here] = ((direction == 0) & both).sum(axis=(1, 2)) / 2 - held[here].sum(axis=1) / 2
    before, after = sides.counts
    days = before + after
    pairs = days * (days - 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(pairs == ties, 0.0, agree / np.sqrt(before * after * (pairs - ties)))
        se = np.sqrt(2 / days * (1 - value**2))
    return Values(
        np.where(np.isnan(slope), np.nan, value),
        np.where(np.isnan(slope), np.nan, se),
        reasons=reasons((np.isnan(slope), NO_LINE)),
        interval="no interval: the line's own error is left out of the published one",
    )


CORRECTED_TAU = Index(
    "corrected_tau",
    "baseline-corrected Tau",
    "Are treatment days better than the baseline's line, drawn on, would have it?",
    "A short baseline's line goes anywhere: drawn on for months it decides the answer.",
    "Tarlow 2017, Behav Modif 41:427; corrected always; 0 where all that is left ties",
    compute,
    minimum=(2, 1),
)
