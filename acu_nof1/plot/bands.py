"""The seven bands of a change as one bar that adds to 100."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1 import palette, words
from acu_nof1.interpret import shares_of_hundred
from acu_nof1.plot import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from acu_nof1.estimate import Estimate

HEIGHT, WIDE_ENOUGH = 0.95, 4


def plot_bands(estimate: Estimate) -> Figure:
    """How likely is each size of change? Seven bands from worse to better that add to 100.

    Parameters
    ----------
    estimate
        An answer with an important change.

    Returns
    -------
    matplotlib.figure.Figure
        An empty bar with a word of explanation where there are no bands.
    """
    with style.theme():
        figure = style.Drawing(figsize=(style.WIDTH, HEIGHT))
        ax = figure.add_axes((0.01, 0.45, 0.98, 0.3))
        ax.set_axis_off()
        ax.set(xlim=(0, 100), ylim=(0, 1))
        if np.isfinite(estimate.bands[0]):
            _draw(ax, estimate)
        else:
            ax.text(50, 0.5, words.no_bands(estimate), ha="center", va="center")
    return figure


def _draw(ax: Axes, estimate: Estimate) -> None:
    ax.set_title(words.bands_title(estimate), loc="left", fontsize=style.SMALL, color=palette.GREY)
    left, lines = 0, []
    for index, share in enumerate(shares_of_hundred(np.array(estimate.bands))):
        ax.barh(
            0.5,
            share,
            1,
            left,
            color=palette.BAND_COLOURS[index],
            hatch=palette.BAND_HATCHES[index],
            ec="white",
            lw=0.8,
        )
        if share >= WIDE_ENOUGH:
            ax.text(
                left + share / 2,
                0.5,
                str(share),
                ha="center",
                va="center",
                color=palette.BAND_INKS[index],
                weight="bold",
            )
        lines.append(f"{words.BAND_NAMES[index]} {words.band_share(share)}")
        left += share
    ax.annotate(" · ".join(lines), (0, 0), (0, -4), xycoords="axes fraction", textcoords="offset points",
                va="top", fontsize=style.TINY)  # fmt: skip
