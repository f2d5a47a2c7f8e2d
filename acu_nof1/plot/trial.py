"""The diary as one picture: every day, phases, sessions, events, and the levels that are compared."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from acu_nof1 import palette, words
from acu_nof1.estimate import estimate_all
from acu_nof1.plot import style
from acu_nof1.plot.panel import (
    POINTS,
    Series,
    day_number,
    draw_days,
    draw_flares,
    draw_levels,
    draw_phases,
    dress,
    series_of,
    width_of,
)
from acu_nof1.trial import UNUSED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

    from acu_nof1.estimate import Estimate, Estimates
    from acu_nof1.protocol import Look
    from acu_nof1.trial import Trial

LONGEST_EVENT, MOST_LANES = 40, 4
# Points that a mark and the space around it take in the legend.
LEGEND_GAP = 20.0


def plot_trial(
    trial: Trial,
    estimates: Estimates | None = None,
    outcomes: Sequence[str] | None = None,
    look: Look | None = None,
) -> Figure:
    """What does the diary look like: every day, and the two levels that are compared?

    Parameters
    ----------
    trial
        The diary read against its protocol.
    estimates
        The answers whose levels are drawn; made here if left out.
    outcomes
        Names of the outcomes to draw, all if left out. The primary outcome, or else the first one, is
        drawn large, the others small below it.
    look
        The reassessment; the deciding one if left out. Nothing after it is shown.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot.
    """
    look = look or trial.default_look()
    trial = trial.at(look)
    panels = series_to_draw(trial, estimates, look)
    if outcomes is not None:
        panels = [panel for panel in panels if panel.outcome.name in outcomes]
    with style.theme():
        if not panels:
            return empty()
        first = next((panel for panel in panels if panel.outcome.name == trial.protocol.primary), panels[0])
        return figure_of(trial, look, first, [panel for panel in panels if panel is not first])


def plot_outcome(
    trial: Trial, name: str, estimates: Estimates | None = None, look: Look | None = None, *, ax: Axes | None = None
) -> Axes:
    """What does the diary of one outcome look like?

    Parameters
    ----------
    trial, estimates, look
        As for `plot_trial`.
    name
        The outcome.
    ax
        Where to draw; a new figure if left out.

    Returns
    -------
    matplotlib.axes.Axes
        Its figure is ``.figure``.
    """
    look = look or trial.default_look()
    panel = next(each for each in series_to_draw(trial.at(look), estimates, look) if each.outcome.name == name)
    with style.theme():
        if ax is None:
            ax = style.Drawing(figsize=(style.WIDTH, 2.4), layout="constrained").add_subplot()
        _small(ax, trial.at(look), panel, compact=False)
    return ax


def figure_alt(
    trial: Trial, estimates: Estimates, outcomes: Sequence[str] | None = None, look: Look | None = None
) -> str:
    """What does the figure show, for those who cannot see it: days, direction, size, uncertainty."""
    look = look or trial.default_look()
    trial = trial.at(look)
    panels = series_to_draw(trial, estimates, look)
    shown = [panel for panel in panels if outcomes is None or panel.outcome.name in outcomes]
    tell = words.telling(trial, look)
    parts = [words.panel_alt(each.outcome, int(each.answered.sum()), each.estimate, tell) for each in shown]
    last = trial.look_day(look)
    first = min(phase.start for phase in trial.protocol.phases)
    return words.figure_alt(first, last, len(trial.protocol.attended), len(trial.protocol.events), parts)


def series_to_draw(trial: Trial, estimates: Estimates | None, look: Look) -> list[Series]:
    """Return every outcome's days with its headline answer."""
    comparisons = trial.comparisons(look)
    estimates = estimate_all(comparisons) if estimates is None else estimates
    found: dict[str, Estimate] = {each.outcome.name: each for each in estimates.headlines}
    return [series_of(comparisons, row, found.get(each.name)) for row, each in enumerate(comparisons.outcomes)]


def empty() -> Figure:
    """Say that there is nothing to draw."""
    figure = style.Drawing(figsize=(style.WIDTH, 0.6))
    figure.text(0.5, 0.5, words.NOTHING_TO_DRAW, ha="center", va="center", color=palette.GREY)
    return figure


# ------------------------------------------------------------------ layout


@dataclass(frozen=True, slots=True)
class _Lane:
    """One event's text: its row above the panel, where it stands, and on which side of its line."""

    row: int
    x: float
    text: str
    align: str


def figure_of(
    trial: Trial,
    look: Look,
    first: Series,
    rest: Sequence[Series] = (),
    *,
    size: style.Size = style.PAGE,
    legend: Mapping[str, str] = words.LEGEND,
) -> Figure:
    """Lay out a figure: one outcome large, the others small below it; `legend` says what the marks mean."""
    width = size.width - size.left - style.RIGHT
    lanes = lanes_of(trial, first, width * POINTS)
    rows_of_lanes = 1 + max((lane.row for lane in lanes), default=-1)
    strip = style.NAME_STRIP + style.LANE * rows_of_lanes + (style.SESSION_STRIP if trial.protocol.sessions else 0)
    rows = math.ceil(len(rest) / style.MOST_COLUMNS)
    columns = math.ceil(len(rest) / rows) if rows else 0
    row_height = style.TITLE_HEIGHT + style.SECOND_HEIGHT + style.TICKS_BELOW
    marks = _marks(trial, first, legend)
    lines = _legend_lines(marks, width * POINTS)
    top = strip / POINTS + size.primary_height + style.TICKS_BELOW + lines * style.LEGEND_HEIGHT
    height = top + rows * (style.ROW_GAP + row_height) + style.FOOT
    figure = style.Drawing(figsize=(size.width, height))

    def place(left: float, above: float, across: float, tall: float) -> Axes:
        box = (left / size.width, 1 - (above + tall) / height, across / size.width, tall / height)
        return figure.add_axes(box)

    large = place(size.left, strip / POINTS, width, size.primary_height)
    _large(large, trial, look, first, lanes)
    _legend(figure, marks, -(-len(marks) // lines), (size.left / size.width, 1 - top / height))
    across = (width - (columns - 1) * style.COLUMN_GAP) / max(columns, 1)
    for index, series in enumerate(rest):
        row, column = divmod(index, columns)
        above = top + row * row_height + (row + 1) * style.ROW_GAP + style.TITLE_HEIGHT
        ax = place(size.left + column * (across + style.COLUMN_GAP), above, across, style.SECOND_HEIGHT)
        _small(ax, trial, series, compact=True)
    return figure


def _panel(ax: Axes, trial: Trial, series: Series, compact: bool) -> None:
    dress(ax, series, compact)
    draw_phases(ax, series)
    for event in trial.protocol.events:
        ax.axvline(
            day_number(event.date), color=palette.EVENT, ls=style.EVENT_DASHES, lw=0.8 if compact else 1.1, zorder=1
        )
    draw_levels(ax, series, compact)
    draw_days(ax, series, compact)
    draw_flares(ax, series, compact)


def _small(ax: Axes, trial: Trial, series: Series, compact: bool) -> None:
    """Draw a panel that names itself above: label and unit, then which way is better."""
    _panel(ax, trial, series, compact)
    width = width_of(ax)
    label = style.fitted(words.unit_axis(series.outcome), width + 20, style.SMALL)
    ax.annotate(label, (0, 1), (-14, 11), xycoords="axes fraction", textcoords="offset points", fontsize=style.SMALL,
                weight="bold", parse_math=False)  # fmt: skip
    ax.annotate(words.better_direction(series.outcome), (0, 1), (-14, 3), xycoords="axes fraction",
                textcoords="offset points", fontsize=style.TINY, color=palette.GREY)  # fmt: skip


def _large(ax: Axes, trial: Trial, look: Look, series: Series, lanes: list[_Lane]) -> None:
    _panel(ax, trial, series, compact=False)
    tall = ax.get_position().height * ax.figure.get_figure(root=True).get_figheight() * POINTS
    label = style.fitted(words.unit_axis(series.outcome), tall * 1.2, style.FONT)
    ax.set_ylabel(label, parse_math=False, labelpad=3)
    height = style.LANE * (1 + max((lane.row for lane in lanes), default=-1))
    draw_lanes(ax, lanes)
    if trial.protocol.sessions:
        draw_sessions(ax, trial, height)
        height += style.SESSION_STRIP
    _name_phases(ax, trial, look, series, height)


def _above(ax: Axes, text: str, x: float, height: float, **looks: object) -> None:
    """Write above the panel, `height` points from its top."""
    ax.annotate(text, (x, 1), (0, height), xycoords=ax.get_xaxis_transform(), textcoords="offset points",
                annotation_clip=False, parse_math=False, **looks)  # type: ignore[arg-type]  # fmt: skip


def lanes_of(trial: Trial, series: Series, width: float) -> list[_Lane]:
    """Give each event a row in which its text meets no other; too many are numbered, as in the list of events."""
    events = list(enumerate(sorted(trial.protocol.events, key=lambda event: event.date), 1))
    shown = [
        (number, event) for number, event in events if series.days[0] <= np.datetime64(event.date) <= series.days[-1]
    ]
    days = [event.date for _, event in shown]
    # Half the width is free on one side of every day.
    texts = [style.fitted(style.drawable(event.what, LONGEST_EVENT), width / 2, style.SMALL) for _, event in shown]
    lanes = _fitted(series, days, texts, width)
    if max((lane.row for lane in lanes), default=0) < MOST_LANES:
        return lanes
    return _fitted(series, days, [str(number) for number, _ in shown], width)


def _fitted(series: Series, days: list[dt.date], texts: list[str], width: float) -> list[_Lane]:
    """Give rows from right to left: so the line of a later event ends below the text of an earlier one."""
    first, last = day_number(series.days[0]), day_number(series.days[-1])
    rows: list[list[tuple[float, float]]] = []
    lanes = []
    for day, text in reversed(list(zip(days, texts, strict=True))):
        x = day_number(day)
        at, wide = (x - first) / max(last - first, 1) * width, style.text_width(text, style.SMALL) + 8
        right = at + wide > width
        left, end = (at - wide, at) if right else (at, at + wide)
        row = next((row for row, taken in enumerate(rows) if all(end <= a or b <= left for a, b in taken)), len(rows))
        rows[row:] = [[*(rows[row] if row < len(rows) else ()), (left, end)], *rows[row + 1 :]]
        lanes.append(_Lane(row, x, text, "right" if right else "left"))
    return lanes


def draw_lanes(ax: Axes, lanes: list[_Lane]) -> None:
    """Write each event in its row, and lead its line up to it."""
    for lane in lanes:
        ax.annotate("", (lane.x, 1), (0, style.LANE * (lane.row + 0.9)), xycoords=ax.get_xaxis_transform(),
                    textcoords="offset points", annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": palette.EVENT, "lw": 1.1, "ls": style.EVENT_DASHES, "shrinkA": 0, "shrinkB": 0})  # fmt: skip
        gap = 3 if lane.align == "left" else -3
        ax.annotate(lane.text, (lane.x, 1), (gap, style.LANE * lane.row + 2.5), xycoords=ax.get_xaxis_transform(),
                    textcoords="offset points", annotation_clip=False, parse_math=False,
                    ha=lane.align, va="bottom", fontsize=style.SMALL, color=palette.EVENT,
                    bbox={"fc": "white", "lw": 0, "pad": 0.3})  # fmt: skip


def draw_sessions(ax: Axes, trial: Trial, height: float) -> None:
    """Draw a tick and a number for each session; those not attended are an open circle without number."""
    width = width_of(ax)
    first, last = ax.get_xlim()
    number, free = 0, -math.inf
    for session in trial.protocol.sessions:
        x = day_number(session.date)
        number += session.attended
        if not first <= x <= last:
            continue
        mark = {"marker": "|", "ms": 8, "mew": 1.8} if session.attended else {"marker": "o", "ms": 3.4, "mew": 0.9}
        offset = ax.get_xaxis_transform() + _shift(ax, height + 5)
        ax.plot([x], [1], transform=offset, color=palette.AFTER, mfc="none", clip_on=False, ls="none", **mark)  # type: ignore[arg-type]
        at, half = (x - first) / (last - first) * width, style.text_width(str(number), style.TINY) / 2 + 1
        if session.attended and at - half >= free:
            _above(
                ax, str(number), x, height + 10.5, ha="center", va="bottom", fontsize=style.TINY, color=palette.AFTER
            )
            free = at + half


def _shift(ax: Axes, points: float) -> Transform:
    return ScaledTranslation(0, points / POINTS, ax.figure.dpi_scale_trans)


def _name_phases(ax: Axes, trial: Trial, look: Look, series: Series, height: float) -> None:
    tell = words.telling(trial, look)
    width = width_of(ax)
    first, last = ax.get_xlim()
    ends = width - style.text_width(words.better_direction(series.outcome), style.SMALL) - 6
    ax.annotate(words.better_direction(series.outcome), (1, 1), (0, height + 2), xycoords="axes fraction",
                textcoords="offset points", ha="right", va="bottom", fontsize=style.SMALL, color=palette.GREY)  # fmt: skip
    free = -math.inf
    for phase in trial.protocol.phases:
        name = words.phase_name(phase, trial.protocol)
        at = max(0.0, (day_number(phase.start) - 0.5 - first) / (last - first) * width)
        start = max(at, free)
        if start + style.text_width(name, style.SMALL) <= ends:
            _above(ax, name, first + start / width * (last - first), height + 2, va="bottom", fontsize=style.SMALL,
                   color=palette.BEFORE if phase.kind == "baseline" else palette.AFTER)  # fmt: skip
            free = start + style.text_width(name, style.SMALL) + 8
    if series.after.any() and not tell.several_phases:
        _name_window(ax, series, words.window_name(tell))


def _name_window(ax: Axes, series: Series, name: str) -> None:
    """Name the days that are compared inside the panel, at the top of their shade."""
    last = day_number(series.days[series.after][-1])
    ax.annotate(name, (last + 0.4, 1), (0, -3), xycoords=ax.get_xaxis_transform(), textcoords="offset points",
                ha="right", va="top", fontsize=style.TINY, color=palette.AFTER_LEVEL, zorder=2,
                bbox={"fc": "white", "alpha": 0.65, "lw": 0, "pad": 0.8})  # fmt: skip


def _marks(trial: Trial, series: Series, legend: Mapping[str, str]) -> list[tuple[str, Artist]]:
    """What each mark of the main panel means, and how it looks."""
    yes_no = series.outcome.kind == "yes_no"
    mark = {
        "marker": "|" if yes_no else "o",
        "ls": "none",
        "ms": 6 if yes_no else 3.6,
        "mew": style.THICK if yes_no else 0.9,
    }
    thin = {**mark, "mew": style.THIN if yes_no else 0.9}
    estimate = series.estimate
    wanted: list[tuple[str, bool, Artist]] = [
        ("before", bool(series.baseline.any()), Line2D([], [], mfc="none", color=palette.BEFORE, **thin)),  # type: ignore[arg-type]
        ("after", bool(series.treated.any()), Line2D([], [], color=palette.AFTER, **mark)),  # type: ignore[arg-type]
        ("other", bool(((series.phase == UNUSED) & series.answered).any()), Line2D([], [], color=palette.FAINT, **mark)),  # type: ignore[arg-type]
        ("missing", bool((series.expected & ~series.answered).any()),
         Line2D([], [], marker="x", ls="none", ms=3.2, mew=0.7, color=palette.FAINT)),
        ("declined", any(not session.attended for session in trial.protocol.sessions),
         Line2D([], [], marker="o", ls="none", ms=3.4, mew=0.9, mfc="none", color=palette.AFTER)),
        ("level", estimate is not None and math.isfinite(estimate.before_low), Line2D([], [], lw=2.4, color=palette.AFTER_LEVEL)),
        ("flare", bool(series.flares.any()), Line2D([], [], lw=style.FLARE[0], color=palette.INK, solid_capstyle="butt")),
        ("bars", yes_no, Patch(facecolor="none", edgecolor=palette.FAINT)),
    ]  # fmt: skip
    several = len(trial.protocol.design) > 2
    wanted = [("without" if several and name == "before" else name, there, artist) for name, there, artist in wanted]
    return [(legend["yes_" + name if yes_no and name in ("before", "without", "after") else name], artist)
            for name, there, artist in wanted if there]  # fmt: skip


def _legend_lines(marks: Sequence[tuple[str, Artist]], width: float) -> int:
    """How many lines does the legend need?"""
    return max(1, math.ceil(sum(style.text_width(name, style.TINY) + LEGEND_GAP for name, _ in marks) / width))


def _legend(figure: Figure, marks: Sequence[tuple[str, Artist]], columns: int, corner: tuple[float, float]) -> None:
    """Say what the marks mean, below the main panel."""
    figure.legend([artist for _, artist in marks], [name for name, _ in marks], loc="lower left", ncols=columns or 1,
                  bbox_to_anchor=(corner[0] - 0.012, corner[1]), fontsize=style.TINY, borderaxespad=0,
                  frameon=False, borderpad=0, handletextpad=0.4, columnspacing=1.3, handlelength=1.4)  # fmt: skip
