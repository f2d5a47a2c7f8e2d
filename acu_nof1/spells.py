"""Flares as spells: how many, how long, and how many of them were cut off, phase by phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.derive import LEAST_DAYS, episodes, flare_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from acu_nof1.trial import Comparisons

DAYS_PER_MONTH = 28
# As for days per 28: fewer answered days say nothing about how often flares come.
MINIMUM_DAYS = 10
COLUMNS = (
    "person", "outcome", "label", "phase", "treated", "days", "status", "flares", "flares_per_28", "flare_days",
    "median_length", "longest", "censored", "level",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class FlareSpells:
    """The flares of every phase, one row a person, outcome and phase.

    Columns of the frame: ``days`` is the number of answered days of the phase, ``flare_days`` those of them in a
    flare. ``flares`` counts the flares of which any day lies in the phase; ``censored`` how many of them were cut
    off, so that they lasted longer than was seen: by the first or last day of the phase, or by more than one
    missing day. ``median_length`` and ``longest`` are calendar days as seen, so lower bounds where any was cut off.
    ``level`` is the level from which a day was a bad one, NaN for days that the person marked. ``status`` is
    ``ok``, ``no_flare`` or ``too_few_days``; numbers that do not exist are NaN.
    """

    _table: pd.DataFrame

    def __len__(self) -> int:
        return len(self._table)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a person, outcome and phase (a copy)."""
        return self._table.copy()

    def __repr__(self) -> str:
        return f"FlareSpells({len(self)} phases, {int(self._table['flares'].sum())} flares)"


def flare_spells(comparisons: Comparisons) -> FlareSpells:
    """How often did flares come, how long did they last, and how many were cut off?

    A flare is one run: it goes on over a single better day or a single missing day, and two better diary days in a
    row end it. A flare that runs from one phase into the next is counted in both, as cut off.

    Parameters
    ----------
    comparisons
        Any number of series; those whose outcome is flare days are looked at.

    Returns
    -------
    FlareSpells
        A phase with fewer than 10 answered days, and every phase where the baseline that sets the level of a flare
        has fewer, is ``too_few_days``.
    """
    rows = np.flatnonzero([outcome.is_flare for outcome in comparisons.outcomes])
    series = comparisons.take(rows)
    row, phase = np.nonzero(_days_by_phase(series))
    if not row.size:
        return FlareSpells(pd.DataFrame(columns=list(COLUMNS)))
    levels = np.array(flare_levels(comparisons))[rows]
    inside = series.phase[row] == phase[:, None]
    table = pd.DataFrame({
        "person": [series.person[each] for each in row],
        "outcome": [series.outcomes[each].name for each in row],
        "label": [series.outcomes[each].label for each in row],
        "phase": phase,
        "treated": (series.treated[row] & inside).any(axis=1),
        "days": (series.answered[row] & inside).sum(axis=1),
    })  # fmt: skip
    found = _spells(series).groupby(["row", "phase"]).agg(
        flares=("length", "size"), flare_days=("yes", "sum"), median_length=("length", "median"),
        longest=("length", "max"), censored=("cut", "sum"),
    )  # fmt: skip
    found = found.reindex(pd.MultiIndex.from_arrays([row, phase]))
    table = table.join(found.reset_index(drop=True))
    counts = ["flares", "flare_days", "censored"]
    table[counts] = table[counts].fillna(0)
    table["flares_per_28"] = DAYS_PER_MONTH * table["flares"] / table["days"].clip(lower=1)
    table["level"] = levels[row]
    # A level set by a handful of baseline days says nothing about the other phases either.
    computed = np.array([series.outcomes[each].derived is not None for each in row])
    few = (table["days"] < MINIMUM_DAYS) | (computed & (_reference_days(series)[row] < MINIMUM_DAYS))
    table["status"] = np.select([few, table["flares"] == 0], ["too_few_days", "no_flare"], "ok")
    numbers = [*counts, "flares_per_28", "median_length", "longest"]
    table[numbers] = table[numbers].astype(float).mask(few)
    return FlareSpells(table[list(COLUMNS)])


def _days_by_phase(series: Comparisons) -> NDArray[np.int64]:
    """(S, P) number of days of each phase."""
    number = np.arange(series.phases.max(initial=0))
    return np.asarray((series.phase[:, :, None] == number).sum(axis=1))


def _reference_days(series: Comparisons) -> NDArray[np.int64]:
    """(S,) answered baseline days before treatment, which set the level of a flare."""
    return np.asarray((series.baseline & (series.tau < 0) & series.answered).sum(axis=1))


def flare_levels(comparisons: Comparisons) -> list[float]:
    """From which level on was a day a bad one, for every series? NaN for all but computed flare days."""
    names = zip(comparisons.person, (outcome.name for outcome in comparisons.outcomes), strict=True)
    place = {name: row for row, name in enumerate(names)}
    levels = []
    for person, outcome in zip(comparisons.person, comparisons.outcomes, strict=True):
        derived = outcome.derived
        of = None if derived is None else place.get((person, derived.of))
        if derived is None or derived.how != "flare_days" or of is None:
            levels.append(np.nan)
            continue
        before = comparisons.baseline[of] & (comparisons.tau[of] < 0)
        levels.append(float(flare_level(derived, comparisons.outcomes[of], comparisons.values[[of]], before[None])[0]))
    return levels


def _spells(series: Comparisons) -> pd.DataFrame:
    """Return one row for each part of a flare that lies in one phase: its days with yes, its length, whether it was cut."""
    day = np.arange(series.values.shape[1])
    answered = np.isfinite(series.values) & (day < (series.looked_on - series.start).astype(int)[:, None])
    least = np.array([1 if outcome.derived is None else LEAST_DAYS for outcome in series.outcomes])
    found = episodes(series.values > 0, answered, least)
    days = pd.DataFrame({
        "row": found.row, "day": found.day, "number": found.number, "phase": series.phase[found.row, found.day],
        "yes": series.values[found.row, found.day] > 0, "begun": found.begun, "ended": found.ended,
    })[found.inside]  # fmt: skip
    whole = days.groupby("number")["day"].agg(["min", "max"])
    parts = days[days["phase"] >= 0].groupby(["row", "phase", "number"], as_index=False).agg(
        first=("day", "min"), last=("day", "max"), yes=("yes", "sum"), begun=("begun", "first"), ended=("ended", "first")
    )  # fmt: skip
    whole = whole.reindex(parts["number"]).reset_index(drop=True)
    opened = (parts["first"] > whole["min"]) | ~parts["begun"]
    closed = (parts["last"] < whole["max"]) | ~parts["ended"]
    return parts.assign(length=parts["last"] - parts["first"] + 1, cut=opened | closed)
