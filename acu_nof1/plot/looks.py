"""The change at each planned look as it stood then: a row each, in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1 import palette
from acu_nof1.plot import style
from acu_nof1.plot.forest import Row, forest
from acu_nof1.words import looks as words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from acu_nof1.story import Story


def plot_looks(story: Story) -> Figure:
    """How did the change stand at each planned look? Point, interval and reading; no change and important change marked.

    Parameters
    ----------
    story
        Of a reassessment; its primary outcome is drawn, on its own scale.

    Returns
    -------
    matplotlib.figure.Figure
        The look that carries the verdict is shaded. Without a change at any look, or while something overrules the diary,
        it says so.
    """
    rows = [
        Row(
            words.figure_name(each),
            words.figure_reading(each, story.agreed),
            each.estimate if each.status == "ok" else None,
            strong=each.decides,
        )
        for each in story.standings
    ]
    drawn = [row.estimate for row in rows if row.estimate is not None]
    with style.theme():
        if story.overruled_by or not drawn:
            figure = style.Drawing(figsize=(style.WIDTH, 0.6))
            said = words.OVERRULED if story.overruled_by else words.NOTHING_TO_DRAW
            figure.text(0.5, 0.5, said, ha="center", va="center", color=palette.GREY)
            return figure
        return forest(drawn[-1], rows)
