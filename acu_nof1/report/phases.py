"""The parts of the appendix on longer designs: phase by phase, and what chance decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.explore.pairs import pairs
from acu_nof1.report.block import Block, Heading, Note, Picture, Table
from acu_nof1.words import pairs as words
from acu_nof1.words import randomisation as tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def phase_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield sentence, figure and table of consecutive phases; nothing for a design of two."""
    found = pairs(review.comparisons)
    if not found:
        return
    yield Heading(words.HEADING, 3)
    if not review.verdict.overruled_by and (said := words.sentence(found)):
        yield Note((said,))
    if any(not each.reason for each in found):
        # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
        from acu_nof1.plot import style
        from acu_nof1.plot.pairs import pairs_alt, plot_pairs

        yield Picture(style.svg(plot_pairs(found)), pairs_alt(found), words.HEADING)
    yield Table(words.CAPTION, words.COLUMNS, tuple(map(words.row, found)), frozenset({2, 3}), note=words.NOTE)


def randomisation_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield the test of what was drawn; nothing where nothing was, or something overrules the diary."""
    protocol, primary = review.trial.protocol, review.verdict.estimate
    if not protocol.start_was_randomised or review.verdict.overruled_by or primary is None:
        return
    if (
        primary.outcome.every != "day"
        or not protocol.has_baseline
        or (len(protocol.design) != 2 and protocol.drawn is None)
    ):
        return
    from acu_nof1.randomisation import trial_test

    found = trial_test(review.trial, primary.outcome.name)
    yield Heading(tests.HEADING, 3)
    yield Note(tuple(tests.sentences(found, primary.outcome, protocol.drawn)))
