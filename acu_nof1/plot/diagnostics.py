"""How days resemble one another, beside what the fitted noise expects; and what is known of that noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from acu_nof1 import palette
from acu_nof1.estimate.markov import RHO_HIGH, RHO_LOW
from acu_nof1.estimate.nodes import ROBUST, ROBUST_COUNTS
from acu_nof1.explore.diagnostics import LAGS
from acu_nof1.plot import style
from acu_nof1.words import diagnostics as words
from acu_nof1.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from acu_nof1.distribution import Cells
    from acu_nof1.explore.diagnostics import Diagnostics, Resemblance

    Floats = NDArray[np.float64]

# Inches.
HEIGHT, ABOVE, BELOW, LEFT, GAP = 1.75, 0.24, 0.56, 0.46, 0.52
BARS = 10
ATOM = -0.12  # where the bar of "no white noise at all" stands, left of the shares


def plot_diagnostics(found: Diagnostics) -> Figure:
    """Does the noise model fit the days?

    Parameters
    ----------
    found
        Of one outcome.

    Returns
    -------
    matplotlib.figure.Figure
        Around the lines, left over, posteriors of φ and λ; for yes/no days the posterior of ρ alone.
    """
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, HEIGHT if not found.reason else 0.6))
        if found.reason:
            figure.text(
                0.5, 0.5, words.sentence(found), ha="center", va="center", fontsize=style.SMALL, color=palette.GREY
            )
            return figure
        if found.rho is not None:
            edges = np.linspace(RHO_LOW, 1, 2 * BARS + 1)
            support = np.clip(edges, RHO_LOW, RHO_HIGH)
            (ax,) = _axes(figure, (2.4,))
            _bars(ax, edges, found.rho, np.diff(np.arcsin(support)) / (np.arcsin(RHO_HIGH) - np.arcsin(RHO_LOW)))
            _head(ax, words.RHO_TITLE, words.RHO_AXIS, words.CHANCE_AXIS)
        elif found.days is not None and found.news is not None and found.phi is not None and found.share is not None:
            days, news, phi, share = _axes(figure, (1.55, 1.55, 1.0, 1.0))
            _lags(days, found.days, words.DAYS_TITLE)
            _lags(news, found.news, words.NEWS_TITLE)
            edges = np.linspace(-1, 1, 2 * BARS + 1)
            _bars(phi, edges, found.phi, np.diff(np.arcsin(edges)) / np.pi)
            _head(phi, words.PHI_TITLE, words.PHI_AXIS, words.CHANCE_AXIS)
            _share(share, found.share, (ROBUST_COUNTS if found.outcome.is_amount else ROBUST).share_atom)
        _legend(figure, lags=found.rho is None)
        return figure


def _axes(figure: Figure, widths: tuple[float, ...]) -> list[Axes]:
    """Lay out panels beside one another; their widths share what is left of the page."""
    room = style.WIDTH - LEFT - style.RIGHT - GAP * (len(widths) - 1)
    scale = min(1.0, room / sum(widths)) if len(widths) == 1 else room / sum(widths)
    out, left = [], LEFT
    for width in widths:
        box = (left, BELOW, width * scale, HEIGHT - ABOVE - BELOW)
        out.append(figure.add_axes((box[0] / style.WIDTH, box[1] / HEIGHT, box[2] / style.WIDTH, box[3] / HEIGHT)))
        left += width * scale + GAP
    return out


def _head(ax: Axes, title: str, below: str, beside: str) -> None:
    ax.set_title(title, loc="left", fontsize=style.SMALL, weight="bold", pad=4)
    ax.set_xlabel(below, fontsize=style.TINY, labelpad=2)
    ax.set_ylabel(beside, fontsize=style.TINY, labelpad=2)
    ax.tick_params(labelsize=style.TINY, pad=2)


def _lags(ax: Axes, found: Resemblance, title: str) -> None:
    ax.fill_between(LAGS, found.low, found.high, color=palette.AFTER_FILL, alpha=0.75, lw=0, zorder=1)
    ax.axhline(0, color=palette.GREY, lw=0.8, zorder=2)
    ax.vlines(LAGS, 0, found.value, color=palette.AFTER_LEVEL, lw=1.2, zorder=3)
    for chosen, mark, fill in ((~found.outside, "o", palette.AFTER_LEVEL), (found.outside, "D", "white")):
        ax.plot(LAGS[chosen], found.value[chosen], mark, ms=4.2, mec=palette.AFTER_LEVEL, mew=1.2, mfc=fill, zorder=4)
    ends = np.concatenate([found.value, found.low, found.high, [-0.5, 0.5]])
    ax.set_ylim(np.nanmin(ends) - 0.05, min(np.nanmax(ends) + 0.05, 1.05))
    ax.set_xlim(0.5, LAGS[-1] + 0.5)
    ax.set_xticks(LAGS)
    ax.set_yticks([tick for tick in (-1, -0.5, 0, 0.5, 1) if ax.get_ylim()[0] <= tick <= ax.get_ylim()[1]])
    ax.yaxis.set_major_formatter(lambda value, _: number(value, 1 if value % 1 else 0))
    _head(ax, title, words.LAG_AXIS, words.CORRELATION_AXIS)


def _bars(ax: Axes, edges: Floats, cells: Cells, prior: Floats) -> None:
    """Draw the probability of each stretch of the axis, and that of the prior as a stepped line."""
    held = 100 * np.diff(cells.cdf(edges[None])[0])
    ax.bar(
        edges[:-1], held, np.diff(edges), align="edge", color=palette.AFTER_FILL, edgecolor=palette.AFTER_LEVEL, lw=0.6
    )
    ax.stairs(100 * prior, edges, color=palette.EVENT, lw=1.0, ls=style.EVENT_DASHES, zorder=3)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xticks([tick for tick in (-1.0, -0.5, 0.0, 0.5, 1.0) if edges[0] <= tick <= edges[-1]])
    ax.set_ylim(0, 1.06 * max(held.max(), 100 * prior.max()))
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(lambda value, _: number(value, 1 if value % 1 else 0))


def _share(ax: Axes, cells: Cells, atom: float) -> None:
    """Draw the white share: a bar of its own for none at all, where the prior allows that."""
    edges = np.linspace(0, 1, BARS // 2 + 1)
    _bars(ax, edges, cells, np.full(BARS // 2, (1 - atom) / (BARS // 2)))
    ticks, names = [0.0, 0.5, 1.0], ["0", "0.5", "1"]
    if atom:
        bar: dict[str, Any] = {"color": palette.AFTER_LEVEL, "lw": 0.6}
        none = 100 * float(cells.cdf(0.0)[0])
        ax.bar([ATOM], [none], 0.12, **bar)
        ax.stairs(
            [100 * atom], [ATOM - 0.06, ATOM + 0.06], color=palette.EVENT, lw=1.0, ls=style.EVENT_DASHES, zorder=3
        )
        ax.set_xlim(ATOM - 0.1, 1.02)
        ax.set_ylim(0, 1.06 * max(none, 100 * atom))
        ticks, names = [ATOM, 0.5, 1.0], [words.NONE, "0.5", "1"]
    ax.set_xticks(ticks, names)
    _head(ax, words.SHARE_TITLE, words.SHARE_AXIS, words.CHANCE_AXIS)


def _legend(figure: Figure, *, lags: bool) -> None:
    marks = [
        Line2D([], [], marker="o", ls="none", ms=4.2, color=palette.AFTER_LEVEL),
        Patch(facecolor=palette.AFTER_FILL, alpha=0.75),
        Patch(facecolor=palette.AFTER_FILL, edgecolor=palette.AFTER_LEVEL, linewidth=0.6),
        Line2D([], [], color=palette.EVENT, lw=1.0, ls=style.EVENT_DASHES),
    ]
    shown = list(zip(marks, words.LEGEND, strict=True))[0 if lags else 2 :]
    figure.legend([mark for mark, _ in shown], [name for _, name in shown], loc="lower left", ncols=len(shown), frameon=False,
                  bbox_to_anchor=((LEFT - 0.1) / style.WIDTH, 0), fontsize=style.TINY, borderaxespad=0, borderpad=0,
                  handletextpad=0.4, columnspacing=1.3, handlelength=1.4, handleheight=0.8)  # fmt: skip
