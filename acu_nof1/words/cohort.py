"""The page of a clinic: who could be reassessed, and what each diary says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.words.change import READINGS
from acu_nof1.words.numbers import number
from acu_nof1.words.page import WITHHELD

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from acu_nof1.outcomes import Outcome

TITLE, HEADING = "Everybody’s reassessment", "People"
COLUMNS = ("Person", "Condition", "Days answered", "Outcome", "Change (interval)", "What the diary says", "Page")
FIND, SHOWN = "Find", "{shown} of {of} people shown"
SORT_BY = "Sort by {}"
REPORT = "page of {}"
NOTE = (
    "In the order in which they were read. Each person against their own baseline: rows are no comparison of people, and a diary "
    "before and during one course does not say why something changed."
)
OWN_ERRORS = (
    "Each person’s error is taken from the own diary here, which is cautious. So people differ a little more than this says: in "
    "simulated clinics the range of the next person held about 88 in 100, not 95. Pooling in Python learns the noise from everybody."
)
THRESHOLD = "the threshold"  # of many people it is not known whether it was agreed with each of them
COULD_NOT_READ = "could not be read: {}"
NOT_ESTIMABLE = "not estimable: {}"
SINCE_TREATMENT, WEEKS = "Days since treatment began", "Week since treatment began"
DAYS_A_WEEK, PEOPLE = "Days answered", "People"
NO_TABLE_ROWS = "Nobody is in this cohort."


def counts(of: Mapping[str, int]) -> str:
    """Say what became of everybody: 60 people: 51 with an answer, 6 not estimable, 3 could not be read."""
    everybody = sum(of.values())
    people = "1 person" if everybody == 1 else f"{number(everybody, 0)} people"
    return (
        f"{people}: {of.get('done', 0)} with an answer, {of.get('not_estimable', 0)} not estimable, "
        f"{of.get('failed', 0)} could not be read."
    )


def left(shown: int, people: int) -> str:
    """Say that not everybody is on the page."""
    return f"The first {number(shown, 0)} of {number(people, 0)} people are shown; results.csv and manifest.json hold everybody."


def answered(days: int, of: int) -> str:
    """Say how many days were answered: 61 of 84."""
    return f"{days} of {of}" if of else "–"


def change(value: str, low: str, high: str, unit: str) -> str:
    """A change with its interval and unit: −2.0 (−4.0 to −0.1) points."""
    return f"{value} ({low} to {high}) {unit}".strip()


def axis(outcome: Outcome) -> str:
    """Name an outcome with its unit, for an axis."""
    return f"{outcome.label}, {outcome.unit}" if outcome.unit else outcome.label


def verdict_counts(table: pd.DataFrame) -> list[tuple[str, str, int]]:
    """How many people have which verdict: its kind, its words, and the number, in the verdicts' order."""
    ok = table["status"] == "ok"
    withheld = ok & (table["reading"] == WITHHELD)
    found = [(kind, said[0].format(agreed=THRESHOLD), int((ok & (table["reading"] == kind)).sum()))
             for kind, said in READINGS.items()]  # fmt: skip
    return [*found, ("not_estimable", "Not estimable", int((~ok).sum())),
            *([("withheld", "Withheld", int(withheld.sum()))] if withheld.any() else [])]  # fmt: skip
