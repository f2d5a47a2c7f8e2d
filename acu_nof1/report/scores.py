"""The appendix' table on questionnaires that were scored from their items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.report.block import Block, Table
from acu_nof1.words import scores as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def scored_outcomes(review: Reassessment) -> Iterator[Block]:
    """Say how questionnaires were scored; nothing where none was."""
    rows = tuple(words.scored_cells(outcome) for outcome in review.trial.protocol.outcomes if outcome.items)
    if rows:
        yield Table(words.SCORED_TITLE, words.SCORED_COLUMNS, rows, note=words.SCORED_NOTE)
