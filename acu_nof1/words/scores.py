"""The words of questionnaires scored from their items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.scoring import SCALES, form_of

if TYPE_CHECKING:
    from acu_nof1.outcomes import Outcome

SCORED_TITLE = "Questionnaires scored from their items"
SCORED_COLUMNS = ("Outcome", "Scored from", "Score", "May be missing", "Rule")
SCORED_NOTE = (
    "A form with more missing, or with an answer that could not be read, has no score; its answers stand in the list of "
    "cells."
)
HOW = {
    "mean": "mean of the answers",
    "sum": "sum of the answers",
    "points": "sum of the answers, in proportion where one is missing",
    "percent": "percent of the highest total that the given answers allow",
    "count": "number of statements ticked",
}


def scored_cells(outcome: Outcome) -> tuple[str, ...]:
    """Print how one questionnaire was scored: from how many items, in which form, by whose rule."""
    scale, form, items = SCALES[outcome.instrument], form_of(outcome), len(outcome.items)
    start, end = scale.forms[form]
    how = f"{start:g} less the {HOW[form]}" if end < start else HOW[form]
    if scale.reversed_items:
        *most, last = map(str, scale.reversed_items)
        how += f", with items {', '.join(most)} and {last} turned"
    low, high = sorted((start, end))
    spare = items - min(scale.fewest, items)
    part = scale.part if items > 1 else {"activities": "activity"}.get(scale.part, scale.part[:-1])
    return outcome.label, f"{items} {part}", f"{how} ({low:g} to {high:g})", str(spare or "none"), scale.source
