"""The words of outcomes computed from others, and of flares as spells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from acu_nof1.words.change import name_in_sentence
from acu_nof1.words.numbers import level, number
from acu_nof1.words.page import SIDES, WITHOUT

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from acu_nof1.outcomes import Derived, Outcome

COMPUTED_TITLE = "Outcomes computed from others"
COMPUTED_COLUMNS = ("Outcome", "Computed from", "A day counts when")
COMPUTED_NOTE = "A day whose answer is missing is missing here too."
FLARES_TITLE = "Flares, one by one"
FLARES_COLUMNS = ("Outcome", "Days", "Diary days", "Flares", "Flares per 28 days", "Days in flare", "Median length, days",
                  "Cut off")  # fmt: skip
FLARES_NOTE = (
    "A flare goes on over a single better or missing day; two better diary days in a row end it. Cut off: it ran over "
    "the beginning or end of these days, or into more than one missing day, so it may have lasted longer. A flare "
    "that runs on into the next days is counted on both sides."
)


def computed_rule(derived: Derived, of: Outcome, flare_level: float) -> str:
    """Say when a day counts: pain is at 7 or above. A flare names the level that the baseline set (NaN: none)."""
    name = name_in_sentence(of)
    if derived.how != "flare_days":
        side = "above" if derived.how == "days_at_or_above" else "below"
        chosen = "–" if derived.level is None else _at(derived.level, of)
        return f"{name} is at {chosen} or {side}"
    if math.isnan(flare_level):
        return "not known: without an answered baseline day nothing says what is usual"
    side = "below" if of.better == "higher" else "above"
    return (f"{name} is at {_at(flare_level, of)} or {side} on two diary days in a row, and until two better ones in a row; "
            "the median baseline day sets this level, so the baseline itself counts fewer")  # fmt: skip


def _at(value: float, of: Outcome) -> str:
    """Print a level without needless decimals: 7, 6.5, 30 min."""
    return level(value, of, 0 if value == round(value) else 1)


def flare_cells(row: Mapping[Hashable, Any], several: bool) -> tuple[str, ...]:
    """Print one phase of the table of flares; `several` phases are numbered."""
    side = SIDES["treatment" if row["treated"] else "baseline"]
    side = WITHOUT if row["phase"] > 0 and not row["treated"] else side
    days = f"{row['phase'] + 1}. {side}" if several else side
    first = (row["label"], days, str(row["days"]))
    if row["status"] == "too_few_days":
        return (*first, "not enough diary days", "–", "–", "–", "–")
    if row["status"] == "no_flare":
        return (*first, "no flare", "0", "0", "–", "–")
    median, cut = row["median_length"], row["censored"]
    length = number(median, 0 if median == round(median) else 1)
    return (*first, number(row["flares"], 0), number(row["flares_per_28"]), number(row["flare_days"], 0),
            f"at least {length}" if cut else length, f"{cut:.0f} of {row['flares']:.0f}")  # fmt: skip
