"""The main outcome in large type, for the patient's page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.plot import style
from acu_nof1.plot.panel import edges, runs, scale
from acu_nof1.plot.trial import empty, figure_of, series_to_draw
from acu_nof1.words import patient, printed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.estimate import Estimates
    from acu_nof1.plot.panel import Series
    from acu_nof1.protocol import Look
    from acu_nof1.trial import Trial

# Above this share of the scale there is no room for a number over its line.
NEAR_TOP = 0.75


def plot_for_patient(trial: Trial, estimates: Estimates, look: Look) -> Figure:
    """What does the diary of the primary outcome look like, in large type, its two levels written beside their lines?

    Parameters
    ----------
    trial
        The diary read against its protocol.
    estimates
        The answers whose levels are drawn.
    look
        The reassessment; nothing after it is shown.

    Returns
    -------
    matplotlib.figure.Figure
        Narrower than that of `plot_trial`, to be shown as wide.
    """
    trial = trial.at(look)
    panels = series_to_draw(trial, estimates, look)
    with style.theme():
        if not panels:
            return empty()
        first = next((panel for panel in panels if panel.outcome.name == trial.protocol.primary), panels[0])
        figure = figure_of(trial, look, first, size=style.LARGE, legend=patient.LEGEND)
        _name_levels(figure.axes[0], first)
    return figure


def _name_levels(ax: Axes, series: Series) -> None:
    """Write each level beside its line, once on either side; below a line near the top, where words stand."""
    found = series.estimate
    if found is None:
        return
    shown, (low, high) = printed(found), scale(series)
    for days, level, text, look in (
        (series.baseline, found.before, shown.before, style.LEVELS[0]),
        (series.after, found.after, shown.after, style.LEVELS[1]),
    ):
        stretch = next(runs(days), None)
        if stretch is None or not math.isfinite(level):
            continue
        (start, end), near_top = edges(series, stretch), level > low + NEAR_TOP * (high - low)
        ax.annotate(text, ((start + end) / 2, level), (0, -4 if near_top else 3), textcoords="offset points", ha="center", va="top" if near_top else "bottom", weight="bold",
                    fontsize=style.FONT, color=look.colour, zorder=5, bbox={"fc": "white", "alpha": 0.8, "lw": 0, "pad": 0.6})  # fmt: skip
