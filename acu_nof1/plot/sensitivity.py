"""The primary answer beside those under other choices: a row each, what was chosen at the left, how it is read at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1 import palette, words
from acu_nof1.plot import style
from acu_nof1.plot.forest import Row, forest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from acu_nof1.explore.sensitivity import Sensitivity


def plot_sensitivity(sensitivity: Sensitivity) -> Figure:
    """Does the verdict depend on how it was asked? A row for each choice: point, interval, reading.

    Parameters
    ----------
    sensitivity
        The primary answer and its alternatives. Choices that do not arise are not drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The planned answer stands on top, shaded; a row that is read otherwise has a hollow diamond and the mark ≠.
    """
    with style.theme():
        primary = sensitivity.primary
        if primary is None or not primary.ok:
            figure = style.Drawing(figsize=(style.WIDTH, 0.6))
            figure.text(0.5, 0.5, words.NOTHING_TO_COMPARE, ha="center", va="center", color=palette.GREY)
            return figure
        agreed = sensitivity.agreed
        rows = [Row(words.AS_PLANNED, words.choice_verdict(primary, agreed), primary, strong=True)]
        rows += [
            Row(
                words.choice_title(each),
                # Why one is not estimable stands in the table: here it would be cut off.
                words.choice_reading(each, agreed).partition(":")[0],
                each.estimate if each.status == "ok" else None,
                same=each.same,
            )
            for each in sensitivity.alternatives
            if each.status != "not_applicable"
        ]
        return forest(primary, rows)
