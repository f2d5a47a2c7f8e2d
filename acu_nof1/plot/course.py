"""The primary outcome week by week, rescue medication below it, and when regular medication changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from acu_nof1 import palette, words
from acu_nof1.course import ENOUGH_OF_WEEK, WEEK, weekly
from acu_nof1.plot import style
from acu_nof1.plot.panel import POINTS, Series, date_axis, day_number, series_of
from acu_nof1.plot.trial import draw_lanes, draw_sessions, lanes_of
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Look

# Inches.
MEANS_HEIGHT, RESCUE_HEIGHT, ROW_GAP, LEGEND_GAP = 1.2, 0.62, 0.26, 0.05
MOST_RESCUE = 3
# Points for the name of a panel.
NAME_STRIP = 14.0


@dataclass(frozen=True, eq=False)
class Weeks:
    """The weekly means of one outcome: where each week begins on the axis, its mean, and on how many days it rests."""

    series: Series
    start: NDArray[np.float64]
    mean: NDArray[np.float64]
    answered: NDArray[np.int64]
    treated: NDArray[np.bool_]

    @property
    def outcome(self) -> Outcome:
        """What was asked."""
        return self.series.outcome

    @property
    def thin(self) -> NDArray[np.bool_]:
        """Which weeks rest on few answered days."""
        few = self.answered < ENOUGH_OF_WEEK
        return np.asarray(few & (self.answered > 0) & (self.outcome.every == "day"))

    def means(self, treated: bool) -> list[float]:
        """The means of one side, in order of time."""
        return [float(mean) for mean in self.mean[(self.treated == treated) & (self.answered > 0)]]


def plot_course(trial: Trial, look: Look | None = None) -> Figure:
    """How did the weeks go, and what was taken beside the sessions?

    Parameters
    ----------
    trial
        The diary read against its protocol.
    look
        The reassessment; the deciding one if left out. Nothing after it is shown.

    Returns
    -------
    matplotlib.figure.Figure
        Plain weekly means of the primary outcome on its full scale; below it rescue medication a week, if the diary
        keeps it. Lines mark changes of regular medication. Not known to pyplot.
    """
    look = look or trial.default_look()
    panels = _panels(trial, look)
    with style.theme():
        if not panels:
            figure = style.Drawing(figsize=(style.WIDTH, 0.6))
            figure.text(0.5, 0.5, words.NOTHING_TO_DRAW, ha="center", va="center", color=palette.GREY)
            return figure
        return _figure(_marked(trial.at(look)), panels)


def course_alt(trial: Trial, look: Look | None = None) -> str:
    """Say what the figure shows, for those who do not see it."""
    look = look or trial.default_look()
    protocol = trial.at(look).protocol
    said = [
        words.course.panel_alt(each.outcome, each.means(treated=False), each.means(treated=True))
        for each in _panels(trial, look)
    ]
    events = [event for event in protocol.events if event.kind == "medication"]
    return words.course.figure_alt(said, events, len(protocol.attended))


def _panels(trial: Trial, look: Look) -> list[Weeks]:
    """Return the primary outcome and the rescue medication that was kept daily, if any day of them was answered."""
    comparisons = trial.at(look).comparisons(look)
    first = trial.protocol.primary or next((each.name for each in comparisons.outcomes), "")
    rescue = [e.name for e in comparisons.outcomes if e.domain == "medication" and e.every == "day" and e.name != first]
    rows = {outcome.name: row for row, outcome in enumerate(comparisons.outcomes)}
    named = [name for name in (first, *rescue[:MOST_RESCUE]) if name in rows]
    weeks = [_weeks(series_of(comparisons, rows[name], None)) for name in named]
    return weeks if any(each.answered.any() for each in weeks) else []


def _weeks(series: Series) -> Weeks:
    since, mean, answered = weekly(series.since, series.values)
    factor = WEEK if series.outcome.kind in ("yes_no", "doses") else 1
    start = day_number(series.days[0]) + (since - series.since[0]).astype(float)
    return Weeks(series, start, factor * mean, answered, np.asarray(since >= 0))


def _marked(trial: Trial) -> Trial:
    """Return the trial with the changes of regular medication as its only events, named as the figure names them."""
    events = tuple(
        event.model_copy(update={"what": words.course.medication_mark(event)})
        for event in trial.protocol.events
        if event.kind == "medication"
    )
    return Trial(trial.protocol.model_copy(update={"events": events}), trial.diary)


# ------------------------------------------------------------------ layout


def _figure(trial: Trial, panels: list[Weeks]) -> Figure:
    width = style.WIDTH - style.LEFT - style.RIGHT
    lanes = lanes_of(trial, panels[0].series, width * POINTS)
    events = style.LANE * (1 + max((lane.row for lane in lanes), default=-1))
    strip = NAME_STRIP + events + (style.SESSION_STRIP if trial.protocol.sessions else 0)
    rescue = panels[1:]
    tall = [MEANS_HEIGHT, *[RESCUE_HEIGHT] * len(rescue)]
    top = strip / POINTS
    height = top + sum(tall) + ROW_GAP * len(rescue) + style.TICKS_BELOW + LEGEND_GAP + style.LEGEND_HEIGHT + style.FOOT
    figure = style.Drawing(figsize=(style.WIDTH, height))
    for place, (weeks, inches) in enumerate(zip(panels, tall, strict=True)):
        box = (style.LEFT / style.WIDTH, 1 - (top + inches) / height, width / style.WIDTH, inches / height)
        ax = figure.add_axes(box)
        top += inches + ROW_GAP
        _dress(ax, weeks, last=place == len(panels) - 1)
        for event in trial.protocol.events:
            ax.axvline(
                day_number(event.date),
                color=palette.EVENT,
                ls=style.EVENT_DASHES,
                lw=1.1,
                zorder=1 if place == 0 else 4,
            )
        if place:
            _draw_use(ax, weeks)
        else:
            _draw_means(ax, weeks)
            draw_lanes(ax, lanes)
            if trial.protocol.sessions:
                draw_sessions(ax, trial, events)
        _name(ax, weeks, 0 if place else strip - NAME_STRIP)
    _legend(figure, trial, panels)
    return figure


def _scale(weeks: Weeks) -> tuple[float, float]:
    """What are the ends of the y axis: the whole instrument, a week of seven days, amounts from 0."""
    outcome = weeks.outcome
    if outcome.kind == "yes_no":
        return 0.0, float(WEEK)
    held = weeks.mean[np.isfinite(weeks.mean)]
    top, bottom = (float(held.max()), float(held.min())) if held.size else (1.0, 0.0)
    if outcome.is_amount:
        return 0.0, max(top * 1.15, 1.0)
    return (bottom - 1 if outcome.low is None else outcome.low), (top + 1 if outcome.high is None else outcome.high)


def _dress(ax: Axes, weeks: Weeks, last: bool) -> None:
    low, high = _scale(weeks)
    span = high - low
    ax.set_ylim(low - 0.12 * span, high + 0.02 * span)
    small = ax.get_position().height * ax.figure.get_figure(root=True).get_figheight() < MEANS_HEIGHT - 0.1
    ticks: Sequence[float] | NDArray[np.float64] = MaxNLocator(
        2 if small else 5, integer=True, steps=[1, 2, 5, 10]
    ).tick_values(low, high)
    if weeks.outcome.kind == "yes_no":
        ticks = np.array([0.0, WEEK] if small else [0.0, 2.0, 4.0, 6.0])
    ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    ax.yaxis.set_major_formatter(lambda value, _: words.number(value, 0))
    ax.grid(axis="y", color=palette.PALE, linewidth=0.6)
    date_axis(ax, weeks.series, compact=False)
    ax.tick_params(labelsize=style.SMALL, pad=2, labelbottom=last)
    treated = weeks.series.days[weeks.series.since >= 0]
    if treated.size and treated.size < weeks.series.days.size:
        begin = day_number(treated[0]) - 0.5
        ax.axvspan(ax.get_xlim()[0], begin, color=palette.BEFORE_SHADE, linewidth=0, zorder=0)


def _name(ax: Axes, weeks: Weeks, height: float) -> None:
    """Write above a panel what it shows, and at the right which way is better."""
    inside = ax.get_position().width * style.WIDTH * POINTS
    better = words.better_direction(weeks.outcome)
    room = inside - style.text_width(better, style.SMALL) - 10
    name = style.fitted(words.course.axis(weeks.outcome), room, style.SMALL)
    looks: dict[str, Any] = {
        "textcoords": "offset points",
        "va": "bottom",
        "fontsize": style.SMALL,
        "parse_math": False,
    }
    ax.annotate(name, (0, 1), (0, height + 3), xycoords="axes fraction", weight="bold", **looks)
    ax.annotate(better, (1, 1), (0, height + 3), xycoords="axes fraction", ha="right", color=palette.GREY, **looks)


# ------------------------------------------------------------------ what is drawn


def _draw_means(ax: Axes, weeks: Weeks) -> None:
    middle = weeks.start + (WEEK - 1) / 2
    # NaN weeks break the line, so that a gap stays a gap.
    ax.plot(middle, weeks.mean, "-", color=palette.FAINT, lw=1.2, zorder=2)
    for side, edge, face in ((~weeks.treated, palette.BEFORE, "white"), (weeks.treated, palette.AFTER, palette.AFTER)):
        for few, size in ((False, 5.0), (True, 2.8)):
            shown = side & (weeks.answered > 0) & (weeks.thin == few)
            ax.plot(
                middle[shown], weeks.mean[shown], "o", ms=size, mec=edge, mfc=face, mew=1.1, zorder=4, clip_on=False
            )
    _draw_missing(ax, weeks, middle)


def _draw_use(ax: Axes, weeks: Weeks) -> None:
    # Pale bars, so that the line of a change of medication is seen on them.
    for side, edge, face in (
        (~weeks.treated, palette.BEFORE, "white"),
        (weeks.treated, palette.AFTER, palette.AFTER_FILL),
    ):
        for few in (False, True):
            shown = side & (weeks.answered > 0) & (weeks.thin == few)
            ax.bar(weeks.start[shown] - 0.1, weeks.mean[shown], WEEK - 0.8, align="edge", facecolor="none" if few else face,
                   edgecolor=edge, linewidth=0.9, linestyle=":" if few else "-", zorder=3)  # fmt: skip
    _draw_missing(ax, weeks, weeks.start + (WEEK - 1) / 2)


def _draw_missing(ax: Axes, weeks: Weeks, middle: NDArray[np.float64]) -> None:
    """Put a cross below the scale for each week without an answer where one was expected."""
    low, high = _scale(weeks)
    expected = {int(since) // WEEK * WEEK for since in weeks.series.since[weeks.series.expected]}
    first = day_number(weeks.series.days[0]) - weeks.series.since[0]
    asked = np.isin(weeks.start - first, list(expected))
    shown = asked & (weeks.answered == 0)
    ax.plot(middle[shown], np.full(shown.sum(), low - 0.07 * (high - low)), "x", ms=3.6, mew=0.9, color=palette.GREY)


def _legend(figure: Figure, trial: Trial, panels: list[Weeks]) -> None:
    """Say what the marks mean, in one line at the foot."""
    dot: dict[str, Any] = {"marker": "o", "ls": "none", "mew": 1.1}
    means = panels[0]
    wanted: list[tuple[str, bool, Artist]] = [
        ("before", bool(means.means(treated=False)), Line2D([], [], ms=5, mec=palette.BEFORE, mfc="white", **dot)),
        ("after", bool(means.means(treated=True)), Line2D([], [], ms=5, mec=palette.AFTER, mfc=palette.AFTER, **dot)),
        ("thin", any(each.thin.any() for each in panels), _thin(means, dot)),
        ("missing", any((each.answered == 0).any() for each in panels), Line2D([], [], marker="x", ls="none", ms=3.6, color=palette.GREY)),
        ("session", bool(trial.protocol.attended), Line2D([], [], marker="|", ls="none", ms=7, mew=1.8, color=palette.AFTER)),
        ("declined", any(not session.attended for session in trial.protocol.sessions),
         Line2D([], [], marker="o", ls="none", ms=3.4, mew=0.9, mfc="none", color=palette.AFTER)),
    ]  # fmt: skip
    shown = [(words.course.LEGEND[name], artist) for name, there, artist in wanted if there]
    figure.legend([artist for _, artist in shown], [name for name, _ in shown], loc="lower left", ncols=len(shown) or 1,
                  bbox_to_anchor=(style.LEFT / style.WIDTH - 0.012, 0), fontsize=style.TINY, borderaxespad=0,
                  frameon=False, borderpad=0, handletextpad=0.4, columnspacing=1.3, handlelength=1.4)  # fmt: skip


def _thin(means: Weeks, dot: dict[str, Any]) -> Artist:
    if means.thin.any():
        return Line2D([], [], ms=2.8, mec=palette.AFTER, mfc=palette.AFTER, **dot)
    return Patch(facecolor="none", edgecolor=palette.AFTER, linestyle=":", linewidth=0.9)
