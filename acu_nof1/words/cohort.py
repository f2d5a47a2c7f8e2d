"""The page of a clinic: who could be reassessed, and what each diary says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.words.numbers import number

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE, HEADING = "Everybody’s reassessment", "People"
COLUMNS = ("Person", "Condition", "Days answered", "Outcome", "Change (interval)", "What the diary says", "Page")
FIND, SHOWN = "Find", "{shown} of {of} people shown"
SORT_BY = "Sort by {}"
REPORT = "page of {}"
NOTE = (
    "In the order in which they were read. Each person against their own baseline: rows are no comparison of people, and a diary "
    "before and during one course does not say why something changed."
)
COULD_NOT_READ = "could not be read: {}"
NOT_ESTIMABLE = "not estimable: {}"
NO_TABLE_ROWS = "Nobody is in this cohort."


def counts(of: Mapping[str, int]) -> str:
    """Say what became of everybody: 60 people: 51 with an answer, 6 not estimable, 3 could not be read."""
    everybody = sum(of.values())
    people = "1 person" if everybody == 1 else f"{number(everybody, 0)} people"
    return (
        f"{people}: {of.get('done', 0)} with an answer, {of.get('not_estimable', 0)} not estimable, "
        f"{of.get('failed', 0)} could not be read."
    )


def answered(days: int, of: int) -> str:
    """Say how many days were answered: 61 of 84."""
    return f"{days} of {of}" if of else "–"


def change(value: str, low: str, high: str, unit: str) -> str:
    """A change with its interval and unit: −2.0 (−4.0 to −0.1) points."""
    return f"{value} ({low} to {high}) {unit}".strip()
