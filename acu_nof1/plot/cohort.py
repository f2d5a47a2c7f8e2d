"""Many people at a glance: their diaries, how well they were kept, and what they say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.ticker import MaxNLocator

from acu_nof1 import palette
from acu_nof1.plot import style
from acu_nof1.words import cohort as words
from acu_nof1.words.change import READINGS
from acu_nof1.words.numbers import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from acu_nof1.trial import Comparisons

MOST_DIARIES, ACROSS = 24, 4
MOST_NAMED = 60
VERDICT_COLOURS = dict(zip(READINGS, (*reversed(palette.BAND_COLOURS[4:]), palette.BAND_COLOURS[3],
                                      *reversed(palette.BAND_COLOURS[:2]), "#ffffff"), strict=True))  # fmt: skip


def plot_diaries(comparisons: Comparisons, people: Sequence[str] | None = None) -> Figure:
    """How did each of these diaries run?

    Parameters
    ----------
    comparisons
        Series of a cohort; the primary one of each person is drawn.
    people
        Whose; the first 24 where it is left out, and never more.

    Returns
    -------
    matplotlib.figure.Figure
        A small panel each, all on the whole range of the scale and on days since the start of treatment. Hollow marks are
        days before treatment, the shaded part is the window of the reassessment.
    """
    rows = np.flatnonzero(comparisons.primary)
    if people is not None:
        wanted = set(people)
        rows = np.array([row for row in rows if comparisons.person[row] in wanted], dtype=int)
    series = comparisons.take(rows[:MOST_DIARIES])
    down = math.ceil(len(series) / ACROSS)
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, 0.3 + 0.95 * down), layout="constrained")
        panels = figure.subplots(down, ACROSS, sharex=True, sharey=True, squeeze=False)
        for row, ax in enumerate(panels.flat):
            if row >= len(series):
                ax.set_axis_off()
                continue
            outcome, day, value = series.outcomes[row], series.tau[row], series.values[row]
            used = (series.phase[row] >= 0) & np.isfinite(value)
            window = day[series.window[row]]
            if window.size:
                ax.axvspan(window.min() - 0.5, window.max() + 0.5, color=palette.AFTER_FILL, lw=0)
            ax.axvline(-0.5, color=palette.GREY, lw=0.7)
            for inside, face in ((used & ~series.treated[row], "white"), (used & series.treated[row], palette.AFTER)):
                ax.plot(day[inside], value[inside], "o", ms=1.8, mew=0.5, mfc=face,
                        mec=palette.BEFORE if face == "white" else palette.AFTER)  # fmt: skip
            if outcome.low is not None and outcome.high is not None:
                ax.set_ylim(outcome.low - 0.05 * (outcome.high - outcome.low), outcome.high * 1.05)
            ax.set_title(style.fitted(series.person[row], 1.4, style.TINY), loc="left", fontsize=style.TINY, pad=2)
            ax.tick_params(labelsize=style.TINY, length=2)
        figure.supxlabel(words.SINCE_TREATMENT, fontsize=style.SMALL)
        figure.supylabel(words.axis(series.outcomes[0]) if len(series) else "", fontsize=style.SMALL)
    return figure


def plot_adherence_of_people(comparisons: Comparisons) -> Figure:
    """How many days of each week did each person answer?

    Parameters
    ----------
    comparisons
        Series of a cohort; of the primary outcomes.

    Returns
    -------
    matplotlib.figure.Figure
        A row a person in their order, a column a week since the start of treatment; darker is more days. White weeks were
        not part of the diary.
    """
    table, weeks = _by_week(comparisons.take(comparisons.primary))
    people = [comparisons.person[row] for row in np.flatnonzero(comparisons.primary)]
    height = min(9.0, 0.8 + max(0.05, min(0.14, 8.0 / max(len(people), 1))) * len(people))
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, height), layout="constrained")
        ax = figure.subplots()
        every = max(1, math.ceil(len(people) / MOST_NAMED))
        names = [style.fitted(name, 1.2, style.TINY) if row % every == 0 else "" for row, name in enumerate(people)]
        sns.heatmap(table, ax=ax, cmap=sns.light_palette(palette.AFTER_LEVEL, as_cmap=True), vmin=0, vmax=7, xticklabels=[number(week, 0) for week in weeks],
                    yticklabels=names, cbar_kws={"label": words.DAYS_A_WEEK, "shrink": 0.6, "ticks": [0, 7]}, linewidths=0.3)  # fmt: skip
        ax.tick_params(labelsize=style.TINY, length=0)
        ax.set_xlabel(words.WEEKS, fontsize=style.SMALL)
    return figure


def _by_week(series: Comparisons) -> tuple[NDArray[np.float64], list[int]]:
    """Answered days by week; NaN for weeks of which no day is compared."""
    week = np.floor_divide(series.tau, 7)
    used = series.phase >= 0
    first, last = int(week[used].min(initial=0)), int(week[used].max(initial=0))
    table = np.full((len(series), last - first + 1), np.nan)
    for column, each in enumerate(range(first, last + 1)):
        inside = used & (week == each)
        held = (inside & np.isfinite(series.values)).sum(axis=1)
        table[:, column] = np.where(inside.any(axis=1), held, np.nan)
    return table, list(range(first, last + 1))


def plot_verdicts(table: pd.DataFrame) -> Figure:
    """How many people have which verdict?

    Parameters
    ----------
    table
        The headline answers of the primary outcomes (`Reassessments.primary`).

    Returns
    -------
    matplotlib.figure.Figure
        A bar for each, from improved to worse, then "cannot say" and what is not estimable, with the numbers.
    """
    counts = words.verdict_counts(table)
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, 0.5 + 0.26 * len(counts)), layout="constrained")
        ax = figure.subplots()
        at = np.arange(len(counts))
        colours = [VERDICT_COLOURS.get(kind, "#ffffff") for kind, _, _ in counts]
        ax.barh(at, [count for _, _, count in counts], color=colours, edgecolor=palette.GREY, linewidth=0.6)
        for place, (_, _, count) in enumerate(counts):
            ax.text(count, place, f" {count}", va="center", fontsize=style.SMALL)
        ax.set_yticks(at, [label for _, label, _ in counts])
        ax.invert_yaxis()
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_xlabel(words.PEOPLE, fontsize=style.SMALL)
        ax.margins(x=0.08)
    return figure
