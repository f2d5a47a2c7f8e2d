"""The straight lines through the days of each outcome: small panels beside one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from acu_nof1 import palette
from acu_nof1.plot import style
from acu_nof1.plot.panel import dress, scale, series_of
from acu_nof1.words import trends as words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.estimate import Estimate
    from acu_nof1.explore.courses import Course, Stretch
    from acu_nof1.plot.panel import Series
    from acu_nof1.trial import Comparisons

# Inches.
COLUMNS, PANEL, ABOVE, BETWEEN, FOOT = 3, 0.86, 0.36, 0.2, 0.2
LEFT, GAP = 0.34, 0.34


def plot_trends(comparisons: Comparisons, courses: Sequence[tuple[Course, Estimate | None]]) -> Figure:
    """Which way did each outcome go?

    Parameters
    ----------
    comparisons
        The series the courses were made from.
    courses
        Each with the answer that tells its slope, where there is one.

    Returns
    -------
    matplotlib.figure.Figure
        A panel each, on the outcome's whole scale; days faint, lines with their bands.
    """
    lines = -(-len(courses) // COLUMNS)
    row = ABOVE + PANEL + BETWEEN
    height = lines * row + FOOT
    across = min(len(courses), COLUMNS)
    width = (style.WIDTH - LEFT - style.RIGHT - GAP * (across - 1)) / across
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, height))
        for place, (course, trend) in enumerate(courses):
            left, bottom = LEFT + (place % COLUMNS) * (width + GAP), height - (place // COLUMNS + 1) * row + BETWEEN
            ax = figure.add_axes((left / style.WIDTH, bottom / height, width / style.WIDTH, PANEL / height))
            _panel(ax, series_of(comparisons, course.row, None), course)
            _head(ax, words.title(course, trend), width * 72)
        _legend(figure)
        return figure


def _panel(ax: Axes, series: Series, course: Course) -> None:
    dress(ax, series, compact=True)
    ax.set_ylim(scale(series))
    held = series.answered
    ax.plot(series.days[held], series.values[held], "o", ms=1.8, mfc=palette.FAINT, mec="none", alpha=0.6, zorder=2)
    for each in course.stretches:
        _line(ax, series, each)


def _line(ax: Axes, series: Series, stretch: Stretch) -> None:
    look = style.LEVELS[stretch.treated]
    days = series.days[stretch.days]
    ax.fill_between(days, stretch.low, stretch.high, color=look.fill, alpha=0.6, lw=0, zorder=1)
    ax.plot(days, stretch.value, ls=look.line, color=look.colour, lw=1.8, zorder=3)


def _head(ax: Axes, title: tuple[str, str], width: float) -> None:
    for text, height, size, look in ((title[0], 12.5, style.SMALL, "bold"), (title[1], 3.0, style.TINY, "normal")):
        ax.annotate(style.fitted(text, width, size), (0, 1), (0, height), xycoords="axes fraction",
                    textcoords="offset points", fontsize=size, weight=look)  # fmt: skip


def _legend(figure: Figure) -> None:
    marks: list[Any] = [Line2D([], [], marker="o", ls="none", ms=2.6, color=palette.FAINT)]
    for each in style.LEVELS:
        line = Line2D([], [], color=each.colour, ls=each.line, lw=1.8)
        marks.append((Patch(facecolor=each.fill, alpha=0.6), line))
    figure.legend(marks, words.LEGEND, loc="lower left", ncols=3, frameon=False, fontsize=style.TINY,
                  bbox_to_anchor=((LEFT - 0.1) / style.WIDTH, 0), borderaxespad=0, borderpad=0, handletextpad=0.4,
                  columnspacing=1.3, handlelength=1.8)  # fmt: skip
