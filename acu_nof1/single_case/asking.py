"""Every index to every series: one tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.outcomes import LEVELS
from acu_nof1.single_case.base import INDEPENDENT, Sides, short
from acu_nof1.single_case.registry import INDICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acu_nof1.outcomes import Outcome
    from acu_nof1.single_case.base import Floats, Index, Values
    from acu_nof1.trial import Comparisons

COLUMNS = (
    "person", "outcome", "label", "index", "title", "status", "reason", "value", "note", "published_se", "published_low",
    "published_high", "published", "low", "high", "interval",
)  # fmt: skip
SERIES_AT_ONCE = 1000
APART = "no interval: the days are so slow that the fitted levels lie elsewhere than the plain means"
TWO_PHASES = "it compares two phases, and this design has more"


def indices(
    comparisons: Comparisons, which: Iterable[Index] = INDICES, goals: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """What do the indices of single-case research say of these diaries?

    Parameters
    ----------
    comparisons
        Series of two phases; all days of both are taken, as the field has it, not the window only.
    which
        The indices.
    goals
        By outcome: the level that is aimed at, for the percent of goal obtained; the better end of a rating's or score's
        scale, or none of what should be less, where none is given.

    Returns
    -------
    pandas.DataFrame
        One row a series and index that is for its outcome: person, outcome, label, index, title, status, reason, value,
        note, published_se, published_low, published_high (95 %), published (what they assume), low, high (ours, 95 %),
        interval (how ours is made, or why there is none). Improvement is positive, or above one half; the percent change
        and PoGO say themselves which way. Numbers that do not exist are NaN.
    """
    asked = tuple(which)
    tables = []
    for start in range(0, len(comparisons), SERIES_AT_ONCE):
        part = comparisons.take(range(start, min(start + SERIES_AT_ONCE, len(comparisons))))
        everybody = Sides(part, _goals(part, goals or {}))
        for number, index in enumerate(asked):
            daily = part.each(lambda outcome, index=index: _is_for(index, outcome))  # type: ignore[misc]
            rows = np.flatnonzero(daily)
            if rows.size:
                tables.append(_table(index, _some(everybody, rows)).assign(series=start + rows, order=number))
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS))
    found = pd.concat(tables, ignore_index=True).sort_values(["series", "order"], ignore_index=True)
    return found[list(COLUMNS)]


def _is_for(index: Index, outcome: Outcome) -> bool:
    return outcome.every == "day" and outcome.better != "neither" and index.applies(outcome)


def _goals(comparisons: Comparisons, goals: Mapping[str, float]) -> Floats:
    def goal(outcome: Outcome) -> float:
        end = outcome.low if outcome.better == "lower" else outcome.high if outcome.kind in LEVELS else None
        return goals.get(outcome.name, np.nan if end is None else end)

    return np.array(comparisons.each(goal), dtype=float)


def _table(index: Index, sides: Sides) -> pd.DataFrame:
    """The rows of one index; what has too few days, or more than two phases, is not asked."""
    few = short(sides, index.minimum)
    wrong = [TWO_PHASES if phases > 2 else why for phases, why in zip(sides.comparisons.phases, few, strict=True)]
    usable = np.flatnonzero([not why for why in wrong])
    found = index.compute(_some(sides, usable)) if usable.size else None
    columns = {
        name: np.full(len(sides), np.nan)
        for name in ("value", "published_se", "published_low", "published_high", "low", "high")
    }
    reason, note = np.array(wrong, dtype=object), np.full(len(sides), "", dtype=object)
    interval = np.full(len(sides), "", dtype=object)
    if found is not None:
        _filled(columns, found, usable)
        reason[usable] = _reasons(found, usable.size)
        note[usable] = list(found.note) or ""
        interval[usable] = _intervals(found, usable.size)
    # The index is of the plain means, the interval of the fit's levels: with slow noise and gaps they can part.
    apart = (columns["value"] < columns["low"]) | (columns["value"] > columns["high"])
    columns["low"][apart] = columns["high"][apart] = np.nan
    interval[apart] = APART
    refused = reason != ""
    for numbers in columns.values():
        numbers[refused] = np.nan
    comparisons = sides.comparisons
    return pd.DataFrame({
        "person": comparisons.person,
        "outcome": comparisons.each(lambda outcome: outcome.name),
        "label": comparisons.each(lambda outcome: outcome.label),
        "index": index.name,
        "title": index.title,
        "status": np.where(refused, "not_estimable", "ok"),
        "reason": reason,
        "note": np.where(refused, "", note),
        **columns,
        "published": np.where(np.isnan(columns["published_se"]), "", INDEPENDENT),
        "interval": np.where(refused, "", interval),
    })  # fmt: skip


def _some(sides: Sides, rows: np.ndarray) -> Sides:
    return sides if rows.size == len(sides) else Sides(sides.comparisons.take(rows), sides.goal[rows])


def _filled(columns: dict[str, Floats], found: Values, rows: np.ndarray) -> None:
    columns["value"][rows] = found.value
    if found.se is not None:
        columns["published_se"][rows] = found.se
    for name, ends in (("published_{}", found.published), ("{}", found.ours)):
        if ends is not None:
            for end, numbers in zip(("low", "high"), ends, strict=True):
                columns[name.format(end)][rows] = numbers
    for side in ("", "published_"):
        low, high = columns[f"{side}low"], columns[f"{side}high"]
        broken = ~(np.isfinite(low) & np.isfinite(high))
        low[broken] = high[broken] = np.nan


def _reasons(found: Values, size: int) -> Sequence[str]:
    given = list(found.reasons) or [""] * size
    return [
        why or ("it does not exist for these days" if np.isnan(value) else "")
        for why, value in zip(given, found.value, strict=True)
    ]


def _intervals(found: Values, size: int) -> list[str]:
    own = list(found.no_interval) or [""] * size
    if found.ours is None:
        return [found.interval] * size
    there = np.isfinite(found.ours[0]) & np.isfinite(found.ours[1])
    return [
        found.interval if ok else f"no interval: {why}" if why else "no interval: its end does not exist"
        for ok, why in zip(there, own, strict=True)
    ]
