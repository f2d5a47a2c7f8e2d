"""A longer design phase by phase: each change of phase with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1 import palette
from acu_nof1.plot import style
from acu_nof1.words.numbers import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.explore.pairs import Pair


def plot_pairs(found: Sequence[Pair]) -> Figure:
    """How did each phase differ from the one before it? One panel an outcome, filled where treatment began.

    Parameters
    ----------
    found
        What `pairs` gives for one person.
    """
    told = [each for each in found if not each.reason]
    names = list(dict.fromkeys(each.outcome.name for each in told))
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, 2.0), layout="constrained")
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for panel, name in zip(panels, names, strict=True):
            _panel(panel, [each for each in told if each.outcome.name == name])
    return figure


def _panel(panel: Axes, some: Sequence[Pair]) -> None:
    panel.axhline(0, color=palette.GREY, linewidth=0.8)
    for at, each in enumerate(some):
        begins = each.after.startswith("B")
        colour = palette.AFTER_LEVEL if begins else palette.BEFORE
        panel.plot(
            [at, at], [each.low, each.high], color=colour, linewidth=1.6, linestyle="-" if begins else (0, (3.2, 0.6))
        )
        panel.plot(
            at, each.value, marker="o" if begins else "s", color=colour, markerfacecolor=colour if begins else "white"
        )
    panel.set_xticks(range(len(some)), [f"{each.before}→{each.after}" for each in some])
    panel.set_xlim(-0.6, len(some) - 0.4)
    outcome = some[0].outcome
    panel.set_title(outcome.label)
    panel.set_ylabel(f"change, {outcome.change_unit}" if outcome.change_unit else "change")


def pairs_alt(found: Sequence[Pair]) -> str:
    """The figure in words."""
    said = (
        f"{each.outcome.label}, {each.before} to {each.after}: {signed(each.value)} ({signed(each.low)} to {signed(each.high)})"
        for each in found
        if not each.reason
    )
    return f"Change from each phase to the next, with 95 % intervals. {'; '.join(said)}."
