"""The part of the appendix that tells how each planned look stood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.report.block import Block, Heading, Note, Picture, Table
from acu_nof1.words import looks as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def looks_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield figure, table and what several looks mean; nothing for a protocol with one look or without a baseline."""
    story = review.story
    if not story.several or not review.trial.protocol.has_baseline:
        return
    yield Heading(words.HEADING, 3)
    if not story.overruled_by and any(each.status == "ok" for each in story.standings):
        # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
        from acu_nof1.plot import plot_looks, style

        yield Picture(style.svg(plot_looks(story)), words.figure_alt(story), words.FIGURE)
    yield Table(
        words.caption(story),
        words.columns(story),
        tuple(words.row(each, story) for each in story.standings),
        frozenset({2, 3, 4, 5}),
        marks=tuple(words.mark(each, story) for each in story.standings),
    )
    yield Note(words.notes(story))
