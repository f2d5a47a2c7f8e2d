"""The part of the appendix that asks whether the verdict depends on how it was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1 import words
from acu_nof1.report.block import Block, Heading, Note, Picture, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.estimate import Estimate
    from acu_nof1.reassessment import Reassessment


def sensitivity_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield sentence, figure and table; nothing where there is no verdict to depend on anything."""
    found = review.sensitivity
    if review.verdict.overruled_by or found.primary is None or not found.primary.ok:
        return
    # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
    from acu_nof1.plot import plot_sensitivity, style

    yield Heading(words.HEADINGS["sensitivity"], 3)
    yield Note(tuple(filter(None, (words.sensitivity_sentence(found), words.prior_sentence(found)))))
    yield Picture(style.svg(plot_sensitivity(found)), words.sensitivity_alt(found), words.SENSITIVITY_FIGURE)
    rows = [(words.AS_PLANNED, *_numbers(found.primary), words.choice_verdict(found.primary, found.agreed))]
    rows += [
        (words.choice_title(each), *_numbers(each.estimate if each.status == "ok" else None),
         words.choice_reading(each, found.agreed))
        for each in found.alternatives
    ]  # fmt: skip
    yield Table(
        words.HEADINGS["otherwise"],
        words.SENSITIVITY_COLUMNS,
        tuple(rows),
        frozenset({1, 2}),
        note=words.SENSITIVITY_NOTE,
    )


def _numbers(estimate: Estimate | None) -> tuple[str, str]:
    if estimate is None:
        return "–", "–"
    return words.change_cell(estimate), words.days_of(estimate.days_before, estimate.days_after)
