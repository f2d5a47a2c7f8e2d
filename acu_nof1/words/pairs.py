"""The words of a longer design, phase by phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.words.numbers import days_of, number, signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acu_nof1.explore.pairs import Pair

HEADING = "Phase by phase"
CAPTION = "Each phase against the one before it"
COLUMNS = ("Outcome", "Phases", "Days", "Change (95 % interval)", "Reads as")
NOTE = (
    "A is without treatment, B with it. These differences come from the one fit of all phases that also gives the answer for the whole "
    "design. Neighbours share a phase, so they are no independent repetitions and are not pooled."
)


def row(each: Pair) -> tuple[str, ...]:
    """One line of the table."""
    phases = f"{each.before} → {each.after}"
    if each.reason:
        return each.outcome.label, phases, days_of(*each.days), "not estimable", each.reason
    digits = each.outcome.digits + 1
    ends = f"{signed(each.low, digits)} to {signed(each.high, digits)}"
    return (
        each.outcome.label, phases, days_of(*each.days), f"{signed(each.value, digits)} ({ends})",
        _reads(each),
    )  # fmt: skip


def _reads(each: Pair) -> str:
    if each.low <= 0 <= each.high:
        return "no clear difference"
    return "better" if each.gain > 0 else "worse"


def sentence(found: Sequence[Pair]) -> str:
    """Say of the first outcome how its phases followed one another."""
    first = [each for each in found if each.outcome.name == found[0].outcome.name and not each.reason]
    if not first:
        return ""
    begun = [each for each in first if each.after[0] == "B" and each.before[0] == "A"]
    ended = [each for each in first if each.after[0] == "A" and each.before[0] == "B"]
    said = [
        f"got better in {_of(sum(each.gain > 0 for each in some), len(some))} when treatment {what}"
        for some, what in ((begun, "began"), (ended, "was taken away"))
        if some
    ]
    return (
        f"{first[0].outcome.label} {' and '.join(said)} (by the fitted levels, whatever their intervals)."
        if said
        else ""
    )


def _of(count: int, of: int) -> str:
    return f"{number(count, 0)} of {number(of, 0)} times"
