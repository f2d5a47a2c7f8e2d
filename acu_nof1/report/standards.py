"""The parts of the appendix for those who report a trial: the methods paragraph, and items of the reporting standards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.report.block import Block, Heading, Note, Table
from acu_nof1.words import methods, standards

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def methods_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield the paragraph on methods; nothing where no change could be asked for."""
    if review.trial.protocol.has_baseline:
        yield Heading(methods.HEADING, 3)
        said = methods.paragraph(
            review.trial.protocol,
            review.day,
            review.telling,
            review.comparisons,
            review.estimates.headlines,
            review.versions,
            read=review.verdict.overruled_by is None,
        )
        yield Note((said,))


def standards_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield a table for each standard."""
    if not review.trial.protocol.has_baseline:
        return
    overruled = review.verdict.overruled_by is not None
    record = standards.Record(
        protocol=review.trial.protocol,
        safety=review.safety,
        comparisons=review.comparisons,
        primary=review.verdict.estimate,
        choices=0 if overruled else len(review.sensitivity.estimable),
    )
    yield Heading(standards.HEADING, 3)
    for caption, items in standards.STANDARDS:
        rows, left = standards.table(items, record)
        yield Table(caption, standards.COLUMNS, rows, note=left)
    yield Note((standards.NOTE,))
