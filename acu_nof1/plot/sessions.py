"""Sessions and the course of the change: days around a session, build-up and fading, outcomes that move together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FixedLocator, NullLocator

from acu_nof1 import palette
from acu_nof1.plot import style
from acu_nof1.words.numbers import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.outcomes import Outcome
    from acu_nof1.sessions import Around, Kinetics, Link

COLUMNS = 4
PANEL = 1.75
RIDGE = LinearSegmentedColormap.from_list("ridge", ["#ffffff", palette.AFTER_FILL, palette.AFTER_LEVEL])
RIDGE_SHARES = (0.5, 0.95)


def plot_around(found: Sequence[Around]) -> Figure:
    """What is the course of each outcome from three days before a session to six days after it? A small panel each.

    Parameters
    ----------
    found
        Those that could be estimated, of one person.
    """
    lines = -(-len(found) // COLUMNS)
    across = min(len(found), COLUMNS)
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, PANEL * lines), layout="constrained")
        panels = figure.subplots(lines, across, squeeze=False).ravel()
        for panel, one in zip(panels, found, strict=False):
            _around(panel, one, 440 / across)
        for panel in panels[len(found) :]:
            panel.set_axis_off()
    return figure


def _around(panel: Axes, one: Around, width: float) -> None:
    days = np.array(one.offsets)
    panel.axhline(0, color=palette.GREY, linewidth=0.8)
    panel.axvline(0, color=palette.EVENT, linewidth=1.0, linestyle=style.EVENT_DASHES)
    panel.fill_between(days, one.low, one.high, color=palette.AFTER_FILL, alpha=0.6, linewidth=0)
    # Between two days that were not compared a band has no width: a line shows the interval.
    known = np.pad(np.isfinite(one.value), 1)
    alone = known[1:-1] & ~known[:-2] & ~known[2:]
    panel.vlines(days[alone], one.low[alone], one.high[alone], color=palette.AFTER_FILL, linewidth=3.0)
    panel.plot(days, one.value, color=palette.AFTER_LEVEL, linewidth=1.6, marker="o", markersize=3)
    panel.set_xticks([-3, 0, 3, 6], [f"{signed(each, 0)}" if each else "session" for each in (-3, 0, 3, 6)])
    panel.set_xlabel("days")
    panel.set_title(style.fitted(one.outcome.label, width, style.SMALL), fontsize=style.SMALL)
    panel.set_ylabel(_difference(one.outcome), fontsize=style.SMALL)


def _difference(outcome: Outcome) -> str:
    return f"difference, {style.drawable(outcome.change_unit, 24)}" if outcome.change_unit else "difference"


def plot_kinetics(one: Kinetics) -> Figure:
    """Which build-up and half-life fit the days, and what would the effect be day by day? The ridge, and the course.

    Parameters
    ----------
    one
        An estimated one.
    """
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, 2.3), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        _ridge(left, one)
        _course(right, one)
    return figure


def _ridge(panel: Axes, one: Kinetics) -> None:
    density = one.weight / one.weight.max()
    panel.pcolormesh(one.half_lives, 100 * one.builds, density, cmap=RIDGE, shading="nearest", rasterized=False)
    panel.contour(one.half_lives, 100 * one.builds, one.weight, levels=_heights(one.weight), colors=[palette.INK],
                  linewidths=(1.2, 1.2), linestyles=("-", ":"))  # fmt: skip
    panel.set_xscale("log", base=2)
    panel.set_yscale("log", base=2)
    for axis, ticks in ((panel.xaxis, (1, 2, 4, 8, 16, 32, 64, 128)), (panel.yaxis, (3, 6, 12, 25, 50, 100))):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter("{x:.0f}")
    panel.set_xlabel("fades to half in, days")
    panel.set_ylabel("a session adds, %")
    panel.set_title("What fits (line: 95 %, dots: 50 %)", fontsize=style.SMALL)


def _heights(weight: np.ndarray) -> list[float]:
    """Heights above which 95 % and 50 % of the weight lie, lower first."""
    ordered = np.sort(weight.ravel())[::-1]
    total = np.cumsum(ordered)
    heights = [float(ordered[np.searchsorted(total, share)]) for share in RIDGE_SHARES]
    return sorted(set(heights))


def _course(panel: Axes, one: Kinetics) -> None:
    panel.axhline(0, color=palette.GREY, linewidth=0.8)
    panel.fill_between(one.days, one.low, one.high, color=palette.AFTER_FILL, alpha=0.6, linewidth=0)
    panel.plot(one.days, one.effect, color=palette.AFTER_LEVEL, linewidth=1.6)
    for day in one.session_days:
        panel.axvline(day, ymin=0.96, color=palette.EVENT, linewidth=1.2)
    panel.set_xlabel("days since treatment began (ticks above: sessions)")
    panel.set_ylabel(_difference(one.outcome))
    panel.set_title(
        style.fitted(f"{one.outcome.label}, if it follows the sessions", 250, style.SMALL), fontsize=style.SMALL
    )


def plot_links(links: Sequence[Link]) -> Figure:
    """Which outcomes come before which? Arrows between those that move together.

    Parameters
    ----------
    links
        Of one person; only those that hold are drawn, at least one.
    """
    held = [each for each in links if each.holds]
    names = list(dict.fromkeys(outcome.name for each in held for outcome in (each.first, each.then)))
    labels = {outcome.name: outcome.label for each in held for outcome in (each.first, each.then)}
    turn = np.pi * (1 + 2 * np.arange(len(names)) / len(names))
    at = dict(zip(names, zip(2.2 * np.cos(turn), np.sin(turn), strict=True), strict=True))
    with style.theme():
        height = 0.6 if len(names) == 2 else 1.5
        figure = style.Drawing(figsize=(style.WIDTH * 0.7, 1.6 * height), layout="constrained")
        panel = figure.subplots()
        for each in held:
            _arrow(panel, each, at[each.first.name], at[each.then.name])
        for name, (x, y) in at.items():
            panel.text(x, y, style.fitted(labels[name], 110, style.FONT), ha="center", va="center",
                       bbox={"boxstyle": "round,pad=0.4", "facecolor": palette.AFTER_SHADE, "edgecolor": palette.GREY})  # fmt: skip
        panel.set_xlim(-3.2, 3.2)
        panel.set_ylim(-height, height)
        panel.set_axis_off()
    return figure


def _arrow(panel: Axes, each: Link, begin: tuple[float, float], end: tuple[float, float]) -> None:
    more = each.effect.value > 0
    panel.annotate("", end, begin, arrowprops={
        "arrowstyle": "-|>", "color": palette.AFTER_LEVEL if more else palette.EVENT, "linewidth": 1.6,
        "linestyle": "-" if more else (0, (4, 2)), "shrinkA": 34, "shrinkB": 34, "connectionstyle": "arc3,rad=0.22",
    })  # fmt: skip
    (x, y), (u, v) = begin, end
    # Beside the bow of the arrow, which bends to the right of its way.
    middle = ((x + u) / 2 + 0.16 * (v - y), (y + v) / 2 - 0.16 * (u - x))
    panel.text(*middle, signed(each.effect.value, each.then.digits + 1), ha="center", va="center", fontsize=style.SMALL,
               bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"})  # fmt: skip
