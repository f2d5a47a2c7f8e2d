"""The changes of many people, a row each: as their own diary says, and drawn towards the average; below them what they come to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from acu_nof1 import palette
from acu_nof1.plot import style
from acu_nof1.plot.forest import label_line
from acu_nof1.words import pool as words
from acu_nof1.words.numbers import number
from acu_nof1.words.sensitivity import NO_CHANGE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.explore.pool import Pooled
    from acu_nof1.outcomes import Outcome

# Inches: names at the left, numbers at the right, what stands above and below; a row of people, and of what they come to.
NAMES, NUMBERS, ABOVE, BELOW = 1.25, 1.35, 0.42, 0.38
ROW, SUMMARY_ROW, TALLEST = 0.15, 0.22, 9.2


def plot_forest_of_people(pooled: Pooled, outcome: Outcome, *, sort: bool = False) -> Figure:
    """How did each person change, and what do they come to?

    Parameters
    ----------
    pooled
        Of the changes of one outcome. People who were left out are not drawn.
    outcome
        Of what: its label, unit, better direction and important change.
    sort
        From the lowest change to the highest; else in the given order.

    Returns
    -------
    matplotlib.figure.Figure
        A hollow mark and a line for what the own diary says, a filled one for the estimate drawn towards the average. Below
        stand the average as a diamond and the interval of the next person. Of more than about 60 people the rows are lower, and
        only some are named, without numbers. Long intervals may be cut, with an arrow.
    """
    with style.theme():
        if not pooled.ok:
            figure = style.Drawing(figsize=(style.WIDTH, 0.6))
            said = words.NOTHING_TO_DRAW.format(reason=pooled.reason)
            figure.text(0.5, 0.5, said, ha="center", va="center", color=palette.GREY, fontsize=style.SMALL)
            return figure
        rows = pooled.by_person
        rows = rows[rows["reason"] == ""]
        if sort:
            rows = rows.sort_values("value", kind="stable")
        return _drawn(pooled, outcome, rows)


def _drawn(pooled: Pooled, outcome: Outcome, rows: pd.DataFrame) -> Figure:
    row = min(ROW, TALLEST / len(rows))
    inside = row * len(rows) + 2 * SUMMARY_ROW
    height = ABOVE + inside + BELOW
    figure = style.Drawing(figsize=(style.WIDTH, height))
    width = style.WIDTH - NAMES - NUMBERS
    ax = figure.add_axes((NAMES / style.WIDTH, BELOW / height, width / style.WIDTH, inside / height))
    # In units of one person's row.
    summary = SUMMARY_ROW / row
    bottom = len(rows) - 0.5
    average, ahead = bottom + summary / 2, bottom + 1.5 * summary
    ax.set_ylim(bottom + 2 * summary, -0.5)
    ax.yaxis.set_major_locator(NullLocator())
    ax.spines["left"].set_visible(False)
    low, high = _limits(pooled, outcome, rows)
    ax.set_xlim(low, high)
    _dress(ax, outcome)
    ax.axhspan(bottom, bottom + 2 * summary, color=palette.AFTER_SHADE, lw=0, zorder=0)
    _people(ax, rows, row)
    _legend(figure, ax)
    _summary(ax, pooled, average, ahead, summary)
    _write(ax, pooled, outcome, rows, row, (average, ahead))
    return figure


def _limits(pooled: Pooled, outcome: Outcome, rows: pd.DataFrame) -> tuple[float, float]:
    """Which changes does the axis show? All points, and intervals as far as the usual ones reach."""
    held = [0.0, pooled.low, pooled.high, pooled.prediction_low, pooled.prediction_high]
    held += [rows["value"].min(), rows["value"].max(), *_important(outcome)]
    low = min(*held, float(rows["low"].quantile(0.1)))
    high = max(*held, float(rows["high"].quantile(0.9)))
    room = 0.04 * (high - low)
    return low - room, high + room


def _important(outcome: Outcome) -> tuple[float, ...]:
    important = outcome.important_change
    return (outcome.sign * important,) if important and outcome.sign else ()


def _dress(ax: Axes, outcome: Outcome) -> None:
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: number(value, 0 if value == round(value) else 1))
    ax.grid(axis="x", color=palette.PALE, linewidth=0.6)
    ax.tick_params(labelsize=style.SMALL, pad=2)
    ax.set_xlabel(words.axis(outcome), fontsize=style.SMALL, labelpad=3)
    ax.axvline(0, color=palette.GREY, lw=1.0, zorder=1)
    side = -outcome.sign or 1
    label_line(ax, 0, NO_CHANGE, palette.GREY, side)
    for important in _important(outcome):
        ax.axvline(important, color=palette.EVENT, lw=1.0, ls=style.EVENT_DASHES, zorder=1)
        label_line(ax, important, words.important_line(outcome), palette.EVENT, -side)
    for x, text, offset, align in zip((0, 1), words.sides(outcome), (-6, 6), ("right", "left"), strict=True):
        ax.annotate(text, (x, 0), (offset, -3), xycoords="axes fraction", textcoords="offset points", ha=align, va="top",
                    fontsize=style.SMALL, color=palette.GREY)  # fmt: skip


def _people(ax: Axes, rows: pd.DataFrame, row: float) -> None:
    """Draw own changes with their intervals, and those drawn towards the average; finer the lower the rows."""
    place, share = np.arange(len(rows)), row / ROW
    low, high = ax.get_xlim()
    ends = rows[["low", "high"]].to_numpy()
    ax.hlines(place, *np.clip(ends, low, high).T, color=palette.BEFORE, lw=max(0.35, share), zorder=2)
    size = max(1.3, 4.2 * share**0.5)
    for cut, edge, arrow in ((ends[:, 0] < low, low, "<"), (ends[:, 1] > high, high, ">")):
        ax.plot(
            np.full(cut.sum(), edge),
            place[cut],
            arrow,
            color=palette.BEFORE,
            ms=size,
            mew=0,
            zorder=2,
            clip_on=False,
        )
    ax.plot(rows["value"], place, "D", ms=0.8 * size, mec=palette.BEFORE, mfc="white", mew=0.9 * share**0.5, zorder=3)
    ax.plot(rows["shrunken"], place, "o", ms=size, color=palette.AFTER, mew=0, zorder=4)


def _legend(figure: Figure, ax: Axes) -> None:
    own = ax.plot([], [], "D-", color=palette.BEFORE, ms=3.4, mec=palette.BEFORE, mfc="white", lw=1.0)[0]
    drawn = ax.plot([], [], "o", color=palette.AFTER, ms=4.2, mew=0)[0]
    ax.legend(
        [own, drawn],
        [words.OWN, words.DRAWN],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + ScaledTranslation(0, 12 / 72, figure.dpi_scale_trans),
        ncols=2,
        frameon=False,
        fontsize=style.TINY,
        borderaxespad=0,
        borderpad=0.2,
        handletextpad=0.5,
        columnspacing=1.5,
    )  # fmt: skip


def _summary(ax: Axes, pooled: Pooled, average: float, ahead: float, row: float) -> None:
    """Draw the average as a diamond, and the interval of the next person."""
    tall = 0.28 * row
    corners = [
        (pooled.low, average),
        (pooled.mean, average - tall),
        (pooled.high, average),
        (pooled.mean, average + tall),
    ]
    ax.add_patch(Polygon(corners, closed=True, color=palette.AFTER_LEVEL, lw=0, zorder=4))
    ax.plot(
        [pooled.prediction_low, pooled.prediction_high], [ahead, ahead], color=palette.AFTER_LEVEL, lw=2.2, zorder=4
    )
    for end in (pooled.prediction_low, pooled.prediction_high):
        ax.plot([end, end], [ahead - tall / 1.5, ahead + tall / 1.5], color=palette.AFTER_LEVEL, lw=1.2, zorder=4)
    ax.axvline(pooled.mean, color=palette.AFTER_LEVEL, lw=0.8, ls=(0, (1, 2)), zorder=1)


def _write(
    ax: Axes, pooled: Pooled, outcome: Outcome, rows: pd.DataFrame, row: float, below: tuple[float, float]
) -> None:
    """Name the rows at the left; their numbers at the right while there is room."""
    every = math.ceil(ROW / row)
    for place, (_, each) in enumerate(rows.iterrows()):
        if place % every == 0:
            _text(ax, 0, place, each["person"], NAMES)
        if every == 1:
            _text(ax, 1, place, words.numbers(each["value"], each["low"], each["high"], outcome), NUMBERS)
    average, ahead = below
    said = words.numbers(pooled.mean, pooled.low, pooled.high, outcome), words.prediction(pooled, outcome)
    names = words.average_row(pooled), words.next_row(pooled)
    for at, name, shown in zip((average, ahead), names, said, strict=True):
        _text(ax, 0, at, name, NAMES, bold=True)
        _text(ax, 1, at, shown, NUMBERS, bold=True)
    if every == 1:
        ax.annotate(words.OWN_NUMBERS, (1, 1), (6, 3), xycoords="axes fraction", textcoords="offset points",
                    fontsize=style.TINY, color=palette.GREY)  # fmt: skip


def _text(ax: Axes, side: int, place: float, text: str, width: float, *, bold: bool = False) -> None:
    offset = 6 if side else -NAMES * 72 + 3
    shown = style.fitted(text, width * 72 - 8, style.TINY)
    ax.annotate(shown, (side, place), (offset, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                va="center", fontsize=style.TINY, weight="bold" if bold else "normal", annotation_clip=False)  # fmt: skip
