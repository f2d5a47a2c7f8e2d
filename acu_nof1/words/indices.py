"""The words of the single-case indices: a line each, their intervals named for what they assume."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from acu_nof1.words.numbers import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from acu_nof1.single_case import Index

DIGITS = 3
PREFACE = (
    "All answered days of both phases. Improvement is positive, or above one half. None of these is the headline: they are for "
    "reviewers and meta-analysts who ask for them; what changed in points, and how sure that is, stands on the page."
)


def lines(table: pd.DataFrame) -> Iterator[str]:
    """Give a heading for each outcome and a line for each index."""
    last = None
    for row in table.to_dict("records"):
        if row["outcome"] != last:
            last = row["outcome"]
            yield f"{row['label']} ({last})"
        yield f"  {line(row)}"


def line(row: Mapping[Any, Any]) -> str:
    """One index: its value, our interval, the published one, or why there is none."""
    if row["status"] != "ok":
        return f"{row['title']}: not estimable: {row['reason']}."
    parts = [f"{row['title']}: {number(row['value'], DIGITS)}"]
    if row["note"]:
        parts.append(str(row["note"]))
    if math.isfinite(row["low"]):
        parts.append(f"95 % {_ends(row['low'], row['high'])}, autocorrelation allowed for")
    else:
        parts.append(str(row["interval"]))
    if math.isfinite(row["published_low"]):
        parts.append(f"published {_ends(row['published_low'], row['published_high'])}, {row['published']}")
    return "; ".join(parts) + "."


def explained(index: Index) -> str:
    """What an index asks, what it cannot say, and where it is from."""
    return f"{index.name}: {index.asks} It cannot say: {index.cannot} {index.source}."


def _ends(low: float, high: float) -> str:
    return f"{number(low, DIGITS)} to {number(high, DIGITS)}"
