"""The appendix' blocks on computed outcomes: how each is computed, and flares as spells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.report.block import Block, Table
from acu_nof1.spells import flare_levels
from acu_nof1.words import flares as words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def computed_outcomes(review: Reassessment) -> Iterator[Block]:
    """Say how outcomes are computed from others, and list flares; nothing where there are none."""
    yield from _rules(review)
    spells = review.flares.to_frame()
    if not spells.empty:
        several = len(review.trial.protocol.design) > 2
        rows = tuple(words.flare_cells(row, several) for row in spells.to_dict("records"))
        numbers = frozenset(range(2, len(words.FLARES_COLUMNS)))
        yield Table(words.FLARES_TITLE, words.FLARES_COLUMNS, rows, numbers, note=words.FLARES_NOTE)


def _rules(review: Reassessment) -> Iterator[Block]:
    comparisons = review.comparisons
    by_name = {outcome.name: outcome for outcome in comparisons.outcomes}
    rows = []
    for outcome, level in zip(comparisons.outcomes, flare_levels(comparisons), strict=True):
        derived = outcome.derived
        if derived is not None and derived.of in by_name:
            of = by_name[derived.of]
            rows.append((outcome.label, of.label, words.computed_rule(derived, of, level)))
    if rows:
        yield Table(words.COMPUTED_TITLE, words.COMPUTED_COLUMNS, tuple(rows), note=words.COMPUTED_NOTE)
