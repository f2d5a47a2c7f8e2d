"""Changes with their intervals, one a row: what it is at the left, how it is read at the right."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from acu_nof1 import palette, words
from acu_nof1.plot import style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.estimate import Estimate

# Inches: the names at the left, the readings at the right, and what stands above and below the rows.
NAMES, READINGS, ROW, ABOVE, BELOW = 2.85, 2.15, 0.2, 0.22, 0.36
RATIO_TICKS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Row(NamedTuple):
    """One line of the figure; `strong` is the one that carries the verdict, `same` whether others are read like it."""

    name: str
    reading: str
    estimate: Estimate | None
    strong: bool = False
    same: bool = True


def forest(primary: Estimate, rows: Sequence[Row]) -> Figure:
    """Draw a row for each: point, interval, words at both sides.

    Parameters
    ----------
    primary
        The answer whose scale and interval must be readable; longer intervals may be cut, with an arrow.
    rows
        From top to bottom; the strong one is shaded, those read otherwise have a hollow diamond.
    """
    inside = ROW * len(rows)
    height = ABOVE + inside + BELOW
    figure = style.Drawing(figsize=(style.WIDTH, height))
    width = style.WIDTH - NAMES - READINGS
    ax = figure.add_axes((NAMES / style.WIDTH, BELOW / height, width / style.WIDTH, inside / height))
    ax.patch.set_visible(False)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.yaxis.set_major_locator(NullLocator())
    ax.spines["left"].set_visible(False)
    for place, row in enumerate(rows):
        if row.strong:
            at = (0.0, (BELOW + inside - (place + 1) * ROW) / height)
            shade = Rectangle(at, 1.0, ROW / height, transform=figure.transFigure, color=palette.AFTER_SHADE, lw=0)
            shade.set_zorder(-1)
            figure.add_artist(shade)
    _dress(ax, primary, [row.estimate for row in rows if row.estimate is not None])
    for place, row in enumerate(rows):
        _write(ax, place, row)
        if row.estimate is not None:
            _draw(ax, place, row, row.estimate)
    return figure


def _position(primary: Estimate, value: float) -> float:
    """Where does a change lie on a scale on which as much better and as much worse are equally far?"""
    if primary.scale != "ratio":
        return value
    return math.log(value) if value > 0 else -math.inf


def _limits(primary: Estimate, drawn: Sequence[Estimate]) -> tuple[float, float]:
    """Which changes does the axis show? All intervals, as far as they leave room to read that of the verdict."""
    marks = [_position(primary, x) for x in (primary.low, primary.high, primary.no_change, *_important(primary))]
    held = [mark for mark in marks if math.isfinite(mark)]
    low, high = min(held), max(held)
    ends = np.array([[_position(primary, end) for end in (each.low, each.high)] for each in drawn])
    room = high - low
    low, high = max(min(low, ends.min()), low - room), min(max(high, ends.max()), high + room)
    return low - 0.04 * (high - low), high + 0.04 * (high - low)


def _important(primary: Estimate) -> tuple[float, ...]:
    if math.isnan(primary.important_change):
        return ()
    return (primary.no_change + primary.outcome.sign * primary.important_change,)


def _dress(ax: Axes, primary: Estimate, drawn: Sequence[Estimate]) -> None:
    """Set scale, lines and the words below and above."""
    low, high = _limits(primary, drawn)
    ax.set_xlim(low, high)
    if primary.scale == "ratio":
        ticks: Sequence[float] = [math.log(tick) for tick in RATIO_TICKS]
        ax.xaxis.set_major_formatter(lambda value, _: words.ratio(math.exp(value)))
    else:
        ticks = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        ax.xaxis.set_major_formatter(lambda value, _: words.number(value, 0 if value == round(value) else 1))
    ax.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    ax.grid(axis="x", color=palette.PALE, linewidth=0.6)
    ax.tick_params(labelsize=style.SMALL, pad=2)
    ax.set_xlabel(words.change_axis(primary), fontsize=style.SMALL, labelpad=3)
    no_change = _position(primary, primary.no_change)
    ax.axvline(no_change, color=palette.GREY, lw=1.0, zorder=1)
    side = -primary.outcome.sign
    label_line(ax, no_change, words.NO_CHANGE, palette.GREY, side)
    for important in map(partial(_position, primary), _important(primary)):
        ax.axvline(important, color=palette.EVENT, lw=1.0, ls=style.EVENT_DASHES, zorder=1)
        label_line(ax, important, words.important_line(primary), palette.EVENT, -side)
    for x, text, offset, align in zip((0, 1), words.sides(primary), (-6, 6), ("right", "left"), strict=True):
        ax.annotate(text, (x, 0), (offset, -3), xycoords="axes fraction", textcoords="offset points", ha=align, va="top",
                    fontsize=style.SMALL, color=palette.GREY)  # fmt: skip


def label_line(ax: Axes, x: float, text: str, colour: str, side: int) -> None:
    """Name a line above it, to the side away from the other line."""
    ax.annotate(text, (x, 1), (3 * side, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="left" if side > 0 else "right", fontsize=style.TINY, color=colour)  # fmt: skip


def _write(ax: Axes, place: int, row: Row) -> None:
    weight = "bold" if row.strong else "normal"
    left, right = ((0, place), (-NAMES * 72 + 3, 0)), ((1, place), (8, 0))
    for (at, offset), text, width in ((left, row.name, NAMES), (right, row.reading, READINGS)):
        ax.annotate(style.fitted(text, width * 72 - 11, style.SMALL), at, offset, xycoords=("axes fraction", "data"),
                    textcoords="offset points", va="center", fontsize=style.SMALL, weight=weight)  # fmt: skip


def _draw(ax: Axes, place: int, row: Row, estimate: Estimate) -> None:
    colour = palette.AFTER_LEVEL if row.strong else palette.AFTER if row.same else palette.EVENT
    low, high = ax.get_xlim()
    ends = [_position(estimate, end) for end in (estimate.low, estimate.high)]
    ax.plot(np.clip(ends, low, high), [place, place], color=colour, lw=2.2 if row.strong else 1.4, zorder=3)
    for end, edge, arrow in ((ends[0], low, "<"), (ends[1], high, ">")):
        if not low <= end <= high:
            ax.plot([edge], [place], arrow, color=colour, ms=4, clip_on=False, zorder=3)
    point = _position(estimate, estimate.value)
    if low <= point <= high:
        mark = "o" if row.same else "D"
        ax.plot([point], [place], mark, ms=6 if row.strong else 4.6, mec=colour, mfc=colour if row.same else "white",
                mew=1.2, zorder=4)  # fmt: skip
