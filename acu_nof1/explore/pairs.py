"""Phase by phase: each phase of a longer design beside the one before it, from one fit of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import counted, solve
from acu_nof1.estimate.level import is_daily_level, of_phases, phases_treated

if TYPE_CHECKING:
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

NAMES = ("A", "B")


@dataclass(frozen=True)
class Pair:
    """One phase against the one before it.

    Attributes
    ----------
    person, outcome
        Whose, and of what.
    before, after
        The phases by letter and count: A1, B1, A2.
    days
        Answered days of both.
    value, low, high
        Level after less level before in the outcome's unit and direction, and its 95 % interval; NaN where it has none.
    reason
        Why it has none; ``""`` where it has.
    """

    person: str
    outcome: Outcome
    before: str
    after: str
    days: tuple[int, int]
    value: float
    low: float
    high: float
    reason: str

    @property
    def gain(self) -> float:
        """The difference, turned so that more is better."""
        return self.outcome.sign * self.value


def pairs(comparisons: Comparisons) -> tuple[Pair, ...]:
    """By how much did each phase differ from the one before it?

    Parameters
    ----------
    comparisons
        Series of more than two phases (ABA, ABAB, alternating treatments); others, and yes/no days, are left out.

    Returns
    -------
    tuple of Pair
        By series, in order of time. They come from the one fit of all phases that answers for the whole design, and describe it:
        neighbours share a phase, so they are not independent, and are not pooled.
    """
    daily = np.array(comparisons.each(is_daily_level), dtype=bool)
    rows = np.flatnonzero(daily & (comparisons.phases > 2))
    if not rows.size:
        return ()
    series = comparisons.take(rows)
    most = int(series.phases.max())
    weights = np.tile(np.diff(np.eye(most), axis=0), (len(series), 1, 1))
    answered = np.stack([counted(series.phase == number, series) for number in range(most)], axis=1)
    fits = solve(series, of_phases(series, weights), _reasons(series, answered))
    ends = [fits.levels(number) for number in range(most - 1)]
    found = []
    for row, person in enumerate(series.person):
        names = _named(phases_treated(series)[row, : series.phases[row]])
        for number in range(len(names) - 1):
            value, low, high = (float(getattr(ends[number], each)[row]) for each in ("value", "low", "high"))
            days = int(answered[row, number]), int(answered[row, number + 1])
            found.append(Pair(person, series.outcomes[row], names[number], names[number + 1], days, value, low, high, fits.reason[row]))  # fmt: skip
    return tuple(found)


def _reasons(series: Comparisons, answered: np.ndarray) -> list[str]:
    """A phase of too few days has no level of its own, and the fit of all needs one of each."""
    found = []
    for row, count in enumerate(series.phases):
        few = np.flatnonzero(answered[row, :count] < MINIMUM_DAYS)
        days = f"{answered[row, few[0]]} days" if few.size else ""
        found.append(f"phase {few[0] + 1} has {days} answered; at least {MINIMUM_DAYS} are needed" if few.size else "")
    return found


def _named(treated: np.ndarray) -> list[str]:
    """A1, B1, A2, B2: the letter of each phase, and the how manieth of its kind it is."""
    return [f"{NAMES[int(each)]}{(treated[: place + 1] == each).sum()}" for place, each in enumerate(treated)]
