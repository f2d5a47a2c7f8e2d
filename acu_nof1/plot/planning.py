"""What a planned diary could show, and what the interval of a finished one is worth, as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1 import palette, words
from acu_nof1.plot import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.planning import Audit, Plan

Numbers = NDArray[np.float64]

HEIGHT, ROW, HEAD = 3.2, 0.34, 0.95
# A bar that holds a number, in 100; a line of text, in 100 of the height of the left panel; the panel's width in points,
# and how much wider than its letters a label is.
WIDE_ENOUGH, LINE, POINTS_WIDE, MARGIN = 7, 4.6, 280, 1.3
# From the best verdict to the worst; hatched where it is worse, so that grey print tells them apart.
COLOURS = dict(zip(
    words.KIND_NAMES,
    ("#0b3a5c", "#4f97b3", "#b4d4e1", "#d9dbde", "#ffffff", "#f0bd94", "#c8672b"),
    strict=True,
))  # fmt: skip
HATCHES = {"cannot_say": "...", "worse_amount_unclear": "////", "worse": "////"}
WHITE_ON = ("improved",)


def plot_plan(plan: Plan) -> Figure:
    """How often would each verdict be given, and how large a change could the diary show?

    Parameters
    ----------
    plan
        What `plan` gave.

    Returns
    -------
    matplotlib.figure.Figure
        Left the verdicts by the true change, right the smallest detectable change by baseline days.
    """
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, HEIGHT), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.55, 1))
        _verdicts(left, plan)
        _ladder(right, plan)
    return figure


def _verdicts(ax: Axes, plan: Plan) -> None:
    curve = plan.to_frame()
    gains = curve["gain"].to_numpy()
    kinds = [kind for kind in words.KIND_NAMES if curve[kind].max() > 0]
    tops = 100 * np.cumsum(curve[kinds].to_numpy(), axis=1).T
    bottoms = np.vstack([np.zeros(len(gains)), tops[:-1]])
    fine = np.linspace(gains[0], gains[-1], 241)
    for kind, bottom, top in zip(kinds, bottoms, tops, strict=True):
        ax.fill_between(gains, bottom, top, fc=COLOURS[kind], hatch=HATCHES.get(kind), ec=palette.FAINT, lw=0.6)
        low, high = np.interp(fine, gains, bottom), np.interp(fine, gains, top)
        _label(ax, kind, fine, low, high)
    m = plan.setting.important
    if gains[0] < m < gains[-1]:
        ax.axvline(m, color=palette.EVENT, lw=1, ls=style.EVENT_DASHES)
        ax.annotate(words.EXPECTED, (m, 100), (0, 2), xycoords="data", textcoords="offset points", ha="center",
                    va="bottom", fontsize=style.TINY, color=palette.EVENT, annotation_clip=False)  # fmt: skip
    unit = plan.setting.outcome.change_unit
    ax.set(
        xlim=(gains[0], gains[-1]),
        ylim=(0, 100),
        xlabel=f"{words.TRUE_GAIN_AXIS}, {unit}" if unit else words.TRUE_GAIN_AXIS,
        ylabel=words.PER_HUNDRED,
    )
    ax.set_title(words.VERDICT_SHARES, loc="left", fontsize=style.FONT, pad=14)
    ax.xaxis.set_major_formatter(lambda value, _: words.number(value, 0 if value == round(value) else 1))


def _label(ax: Axes, kind: str, at: Numbers, low: Numbers, high: Numbers) -> None:
    """Write the name of an area where it is tallest, on as few lines as fit; not at all where none do."""
    name = words.KIND_NAMES[kind]
    for text in (name, name.replace(", ", ",\n"), name.replace(" ", "\n")):
        wide = MARGIN * max(style.text_width(line, style.TINY) for line in text.split("\n")) / POINTS_WIDE
        half = max(round(wide * len(at) / 2), 1)
        middles = range(half, len(at) - half)
        spans = [(low[i - half : i + half + 1].max(), high[i - half : i + half + 1].min()) for i in middles]
        floor, ceiling = max(spans, key=lambda span: span[1] - span[0])
        if ceiling - floor >= LINE * (text.count("\n") + 1):
            break
    else:
        return
    box = {"boxstyle": "square,pad=0.15", "fc": COLOURS["cannot_say"], "ec": "none"} if kind in HATCHES else None
    colour = "white" if kind in WHITE_ON else "black"
    ax.text(at[middles[spans.index((floor, ceiling))]], (floor + ceiling) / 2, text, ha="center", va="center",
            fontsize=style.TINY, linespacing=1, color=colour, bbox=box)  # fmt: skip


def _ladder(ax: Axes, plan: Plan) -> None:
    rungs = plan.rungs("baseline").dropna(subset="detectable")
    m, made = plan.setting.important, plan.setting
    if not len(rungs):
        ax.text(0.5, 0.5, words.NO_ROOM, transform=ax.transAxes, ha="center", va="center", fontsize=style.TINY)
    ax.plot(rungs["baseline"], rungs["detectable"], color=palette.AFTER_LEVEL, marker="o", ms=4, lw=1.4)
    for days, size in zip(rungs["baseline"], rungs["detectable"], strict=True):
        ax.annotate(words.number(size), (days, size), (4, 4), textcoords="offset points", fontsize=style.SMALL)
    own = rungs[rungs["baseline"] == made.design.baseline]
    ax.plot(own["baseline"], own["detectable"], color=palette.EVENT, marker="o", ms=8, mfc="none", mew=1.4, ls="none")
    ax.axhline(m, color=palette.EVENT, lw=1, ls=style.EVENT_DASHES)
    # On the side where the curve is far from the line.
    side = (0, "left") if not len(rungs) or rungs["detectable"].iloc[0] > m else (1, "right")
    ax.annotate(words.EXPECTED, (side[0], m), (2 - 4 * side[0], -3), xycoords=("axes fraction", "data"), textcoords="offset points",
                ha=side[1], va="top", fontsize=style.TINY, color=palette.EVENT)  # fmt: skip
    unit = made.outcome.change_unit
    top = max([m, *rungs["detectable"]]) * 1.15
    ax.set(ylim=(0, top), xlabel=words.BASELINE_AXIS, ylabel=unit)
    ax.set_xticks(rungs["baseline"])
    ax.margins(x=0.14)
    ax.set_title(words.SMALLEST, loc="left", fontsize=style.FONT, pad=14)


def plot_audit(audit: Audit) -> Figure:
    """How often is the interval wrong, by the true change, on this diary's own days?

    Parameters
    ----------
    audit
        What `audit` gave.

    Returns
    -------
    matplotlib.figure.Figure
        A row for each true change: how often its interval excludes no change and holds the truth, and the verdicts;
        a word of explanation where no audit is offered.
    """
    table = audit.to_frame()
    with style.theme():
        if not audit.offered:
            figure = style.Drawing(figsize=(style.WIDTH, 0.6))
            figure.text(0.01, 0.5, audit.sentences[0], va="center", color=palette.GREY)
            return figure
        figure = style.Drawing(figsize=(style.WIDTH, HEAD + ROW * len(table)), layout="constrained")
        changed, held, verdicts = figure.subplots(1, 3, width_ratios=(1, 1, 1.7), sharey=True)
        rows = np.arange(len(table))
        _rates(changed, *_columns(audit, "looks_changed"), 100 * (1 - audit.confidence))
        _rates(held, *_columns(audit, "covered"), 100 * audit.confidence)
        changed.set(xlim=(0, 100), yticks=rows, ylim=(len(table) - 0.5, -0.8))
        changed.set_yticklabels([audit.change_in_words(gain) for gain in table["gain"]])
        held.set(xlim=(min(75.0, 100 * table["covered"].min() - 10), 101))
        changed.set_title(words.LOOKS_CHANGED, loc="left", fontsize=style.SMALL)
        held.set_title(words.HELD, loc="left", fontsize=style.SMALL)
        _bars(verdicts, audit)
        for ax in (changed, held, verdicts):
            ax.set_xlabel(words.PER_HUNDRED, fontsize=style.SMALL)
    return figure


def _columns(audit: Audit, name: str) -> tuple[Numbers, Numbers]:
    table = audit.to_frame()
    return table[name].to_numpy(float), table[f"{name}_error"].to_numpy(float)


def _rates(ax: Axes, share: Numbers, error: Numbers, promised: float) -> None:
    rows, low, high = np.arange(len(share)), np.maximum(share - 2 * error, 0), np.minimum(share + 2 * error, 1)
    ax.axvline(promised, color=palette.EVENT, lw=1, ls=style.EVENT_DASHES)
    ax.annotate(words.PROMISED, (promised, 1), (2, -1), xycoords=("data", "axes fraction"), textcoords="offset points",
                va="top", fontsize=style.TINY, color=palette.EVENT)  # fmt: skip
    ax.hlines(rows, 100 * low, 100 * high, color=palette.AFTER_LEVEL, lw=1.2)
    ax.plot(100 * share, rows, "o", ms=4, color=palette.AFTER_LEVEL)


def _bars(ax: Axes, audit: Audit) -> None:
    table = audit.to_frame()
    left = np.zeros(len(table))
    for kind, name in words.KIND_NAMES.items():
        share = 100 * table[kind].to_numpy()
        if not share.any():
            continue
        ax.barh(
            range(len(table)),
            share,
            0.72,
            left,
            color=COLOURS[kind],
            hatch=HATCHES.get(kind),
            ec=palette.FAINT,
            lw=0.6,
            label=name,
        )
        for row in np.flatnonzero(share >= WIDE_ENOUGH).tolist():
            ax.text(left[row] + share[row] / 2, row, f"{share[row]:.0f}", ha="center", va="center", fontsize=style.SMALL,
                    color="white" if kind in WHITE_ON else "black",
                    bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"} if kind == "cannot_say" else None)  # fmt: skip
        left += share
    ax.set(xlim=(0, 100))
    ax.figure.legend(
        *ax.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=style.TINY
    )
