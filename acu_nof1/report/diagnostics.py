"""The parts of the appendix on the lines through the days, and on whether the noise model fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.explore.courses import courses
from acu_nof1.report.block import Block, Heading, Note, Picture, Table
from acu_nof1.words import diagnostics as noise
from acu_nof1.words import trends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def trend_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield the figure of straight lines; nothing without a baseline, or where no outcome has a line."""
    found = courses(review.comparisons) if review.trial.protocol.has_baseline else ()
    if not found:
        return
    # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
    from acu_nof1.plot import style
    from acu_nof1.plot.trends import plot_trends

    slopes = {each.outcome.name: each for each in review.estimates if each.question == "trend"}
    told = [(each, slopes.get(each.outcome.name)) for each in found]
    drawn = {each.row for each in found}
    others = [outcome for row, outcome in enumerate(review.comparisons.outcomes) if row not in drawn]
    yield Heading(trends.HEADING, 3)
    yield Picture(style.svg(plot_trends(review.comparisons, told)), trends.alt(told), trends.FIGURE)
    several = len(review.trial.protocol.design) > 2
    yield Note(tuple(filter(None, (trends.SEVERAL if several else trends.NOTE, trends.without(others)))))


def diagnostic_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield sentence, figure and table of the primary outcome's noise; the sentence alone where nothing can be said."""
    found = review.diagnostics
    if found is None or not review.trial.protocol.has_baseline:
        return
    checked = found.news is not None
    yield Heading(noise.HEADING, 3)
    yield Note((noise.sentence(found), noise.RULE) if checked else (noise.sentence(found),))
    if found.reason:
        return
    from acu_nof1.plot import style
    from acu_nof1.plot.diagnostics import plot_diagnostics

    yield Picture(style.svg(plot_diagnostics(found)), noise.alt(found), noise.FIGURE)
    if checked:
        yield Table(noise.CAPTION, noise.COLUMNS, noise.rows(found), frozenset(range(6)), note=noise.NOTE)
