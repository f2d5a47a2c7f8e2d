"""The only place where fonts, sizes and lines of figures are set, and how a figure becomes SVG.

Colours come from `acu_nof1.palette`; marker and line style always differ too.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from acu_nof1.palette import AFTER_FILL, AFTER_LEVEL, BEFORE, BEFORE_FILL, GREY, INK
from acu_nof1.words.direction import isolated, unturned

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Drawing(Figure):
    """A figure that a notebook shows by itself: one of matplotlib's own is only named there, unless pyplot made it."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi=SCREEN_DPI)
        return out.getvalue()


SCREEN_DPI = 120
EVENT_DASHES = (0, (4, 2))
# Width in points of the bar over a flare: in a large panel, in a small one.
FLARE = (3.0, 2.0)
# Width in points of a tick for a day with yes: before treatment, during it.
THIN, THICK = 0.9, 1.7


class Level(NamedTuple):
    """How a level and its interval are drawn."""

    colour: str
    fill: str
    line: Any


LEVELS = (Level(BEFORE, BEFORE_FILL, (0, (3.2, 0.6))), Level(AFTER_LEVEL, AFTER_FILL, "-"))

FONT, SMALL, TINY = 8.5, 7.5, 6.5

# Inches. The width is that of the text on an A4 page.
WIDTH, LEFT, RIGHT, FOOT = 7.4, 0.5, 0.06, 0.02
PRIMARY_HEIGHT, SECOND_HEIGHT = 1.38, 0.68
TICKS_BELOW, LEGEND_HEIGHT, TITLE_HEIGHT, COLUMN_GAP, ROW_GAP = 0.21, 0.13, 0.3, 0.42, 0.09
MOST_COLUMNS = 4


class Size(NamedTuple):
    """How wide a figure of the diary is, its left margin, and how tall its main panel, in inches: a narrower one is shown enlarged."""

    width: float
    left: float
    primary_height: float


PAGE, LARGE = Size(WIDTH, LEFT, PRIMARY_HEIGHT), Size(5.4, 0.62, 1.3)

# Points above the main panel.
LANE, SESSION_STRIP, NAME_STRIP = 10.5, 18.0, 11.0

RC: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": FONT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "svg.fonttype": "path",
    "svg.hashsalt": "acu_nof1",
}


def theme() -> AbstractContextManager[None]:
    """Draw with the house style, whatever the session has set."""
    return mpl.rc_context(RC)


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def drawable(text: str, most: int) -> str:
    """Make a text of a file fit for a figure: one line, at most so many characters, only glyphs we have."""
    line = " ".join(unturned(text).split())
    line = line if len(line) <= most else line[: most - 1].rstrip() + "…"
    return isolated("".join(letter if ord(letter) in _glyphs() else "□" for letter in line))


def fitted(text: str, width: float, size: float) -> str:
    """Shorten a text of a file to what fits into so many points (bold letters are a seventh wider)."""
    most = len(text)
    while most > 4 and text_width(drawable(text, most), size) * 1.15 > width:
        most -= 1
    return drawable(text, most)


def text_width(text: str, size: float) -> float:
    """How wide is a text, in points?"""
    font = get_font(findfont("DejaVu Sans"))
    font.set_size(size, 72)
    font.set_text(text, 0.0)
    return font.get_width_height()[0] / 64


def svg(figure: Figure) -> str:
    """Write a figure as SVG, the same bytes each time."""
    page = io.StringIO()
    with theme():
        figure.savefig(page, format="svg", metadata={"Date": None, "Creator": None})
    return page.getvalue()
