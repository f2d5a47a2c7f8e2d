"""The calendar of answered days: a column a week, a row a weekday."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from acu_nof1 import palette, words
from acu_nof1.explore.missing import MONDAY, parts
from acu_nof1.plot import style
from acu_nof1.plot.panel import calendar_day

if TYPE_CHECKING:
    import datetime as dt

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from acu_nof1.trial import Comparisons

COLOURS = {
    "baseline": palette.BEFORE_FILL,
    "between": palette.AFTER_FILL,
    "treatment": palette.AFTER_FILL,
    "window": palette.AFTER,
}
# The baseline is hatched, so that grey print tells it from treatment.
HATCHES = {"baseline": "////"}
CELL, GAP, MOST_CELL = 0.86, 0.14, 0.17
TOP, BOTTOM = 0.24, 0.36


def plot_adherence(comparisons: Comparisons, row: int = 0) -> Figure:
    """On which days was there an answer?

    Parameters
    ----------
    comparisons
        The series; only the days up to the look are shown.
    row
        Which of them.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot.
    """
    week, weekday, side, missing, monday = _calendar(comparisons, row)
    weeks = int(week.max(initial=0)) + 1
    width = style.WIDTH - style.LEFT - style.RIGHT
    cell = min(MOST_CELL, width / weeks)
    height = TOP + 7 * cell + BOTTOM
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, height))
        ax = figure.add_axes(
            (style.LEFT / style.WIDTH, BOTTOM / height, weeks * cell / style.WIDTH, 7 * cell / height),
            xlim=(0, weeks), ylim=(7, 0),
        )  # fmt: skip
        for x, y, part, gone in zip(week, weekday, side, missing, strict=True):
            colour = "white" if gone else COLOURS[part]
            edge = palette.GREY if gone else palette.BEFORE if part in HATCHES else colour
            hatch = None if gone else HATCHES.get(part)
            corner = (x + GAP / 2, y + GAP / 2)
            ax.add_patch(Rectangle(corner, CELL, CELL, facecolor=colour, edgecolor=edge, linewidth=0.5, hatch=hatch))
        ax.plot(
            week[missing] + 0.5,
            weekday[missing] + 0.5,
            "x",
            ms=min(3.2, 20 * cell),
            mew=0.8,
            color=palette.INK,
            ls="none",
        )
        ax.set_title(
            words.doubts.adherence_title(comparisons.outcomes[row]),
            loc="left",
            fontsize=style.SMALL,
            color=palette.GREY,
            pad=4,
        )
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=style.TINY, pad=2)
        ax.set_yticks(np.arange(7) + 0.5, words.doubts.WEEKDAYS)
        step = max(1, round(0.75 / cell))
        shown = np.arange(0, weeks, step)
        ax.set_xticks(shown + 0.5, [words.date(_day(monday, 7 * int(each))).rsplit(" ", 1)[0] for each in shown])
        _legend(figure, set(side[~missing]), bool(missing.any()))
    return figure


def adherence_alt(comparisons: Comparisons, row: int = 0) -> str:
    """Say what the calendar shows, for those who do not see it."""
    series = comparisons.take([row])
    answered = series.answered[0]
    sides = [
        (part, int((days[0] & answered).sum()), int(days[0].sum()))
        for part, days in parts(series).items()
        if days.any()
    ]
    used = np.flatnonzero(series.phase[0] >= 0)
    first, last = ((series.start[0] + used[place]).astype("datetime64[D]").astype(object) for place in (0, -1))
    return words.doubts.adherence_alt(series.outcomes[0], first, last, sides)


def _calendar(
    comparisons: Comparisons, row: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.str_], NDArray[np.bool_], np.datetime64]:
    """Week, weekday, part and absence of every compared day, and the Monday of the first week."""
    series = comparisons.take([row])
    found = parts(series)
    side = np.select([days[0] for days in found.values()], list(found), default="")
    used = np.flatnonzero(side != "")
    day = series.start[0].astype("datetime64[D]").astype(int) + used
    monday = (day.min(initial=int(day[0]) if day.size else 0) + MONDAY) // 7 * 7 - MONDAY
    return (
        (day - monday) // 7,
        (day - monday) % 7,
        side[used],
        ~series.answered[0][used],
        np.datetime64(int(monday), "D"),
    )


def _day(monday: np.datetime64, days: int) -> dt.date:
    return calendar_day(float(monday.astype(int)) + days)


def _legend(figure: Figure, sides: set[str], missing: bool) -> None:
    """Say what the colours mean."""
    wanted = [("baseline", "baseline"), ("treatment", "between"), ("treatment", "treatment"), ("window", "window")]
    marks = [
        (words.doubts.LEGEND[name],
         Patch(facecolor=COLOURS[part], hatch=HATCHES.get(part), edgecolor=palette.BEFORE if part in HATCHES else COLOURS[part],
               linewidth=0.5))
        for name, part in wanted if part in sides
    ]  # fmt: skip
    cross = Line2D([], [], marker="x", ls="none", ms=3.2, mew=0.8, color=palette.INK)
    shown = [*marks, *([(words.doubts.LEGEND["missing"], cross)] if missing else [])]
    figure.legend([artist for _, artist in shown], [name for name, _ in shown], loc="lower left", ncols=len(shown) or 1,
                  bbox_to_anchor=(style.LEFT / style.WIDTH - 0.012, 0), fontsize=style.TINY, borderaxespad=0, frameon=False,
                  borderpad=0, handletextpad=0.4, columnspacing=1.3, handlelength=1.2, handleheight=0.8)  # fmt: skip
