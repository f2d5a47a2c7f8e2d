"""The only place where colours, fonts and sizes of figures are set, and how a figure becomes SVG.

Colours are told apart by people with colour-blindness and in grey; marker and line style always differ too.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib.font_manager import findfont, get_font

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from matplotlib.figure import Figure

INK, GREY, FAINT, PALE = "#1b2130", "#5b6068", "#8b9097", "#dfe1e4"
BEFORE, BEFORE_FILL, BEFORE_SHADE = "#6f604c", "#cbbfa9", "#f1ece1"
AFTER, AFTER_LEVEL, AFTER_FILL, AFTER_SHADE = "#1d6f8a", "#0b3a5c", "#a9c0cd", "#e2eef3"
EVENT = "#a3480f"
EVENT_DASHES = (0, (4, 2))
ALARM = "#8c1004"


class Level(NamedTuple):
    """How a level and its interval are drawn."""

    colour: str
    fill: str
    line: Any


LEVELS = (Level(BEFORE, BEFORE_FILL, (0, (3.2, 0.6))), Level(AFTER_LEVEL, AFTER_FILL, "-"))

# Worse by a lot … no difference … better by a lot; the worse ones are hatched as well.
BAND_COLOURS = ("#7a2e0e", "#c8672b", "#f0bd94", "#d9dbde", "#b4d4e1", "#4f97b3", "#0b3a5c")
BAND_INKS = ("#ffffff", "#000000", "#000000", "#000000", "#000000", "#000000", "#ffffff")
BAND_HATCHES = ("////", "////", "////", "", "", "", "")

FONT, SMALL, TINY = 8.5, 7.5, 6.5

# Inches. The width is that of the text on an A4 page.
WIDTH, LEFT, RIGHT, FOOT = 7.4, 0.5, 0.06, 0.02
PRIMARY_HEIGHT, SECOND_HEIGHT = 1.6, 0.78
TICKS_BELOW, LEGEND_HEIGHT, TITLE_HEIGHT, COLUMN_GAP, ROW_GAP = 0.21, 0.13, 0.3, 0.42, 0.09
MOST_COLUMNS = 4

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
    line = " ".join(text.split())
    line = line if len(line) <= most else line[: most - 1].rstrip() + "…"
    return "".join(letter if ord(letter) in _glyphs() else "□" for letter in line)


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
