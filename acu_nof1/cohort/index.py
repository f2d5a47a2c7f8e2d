"""`index.html` of a run: everybody in one table, and what the changes come to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from acu_nof1.cohort.pooling import CHANGES, changes, pooled_changes
from acu_nof1.explore.shares import share_of_these
from acu_nof1.outcomes import Outcome
from acu_nof1.report.clinic import ROWS_UP_TO, clinic_page, row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from acu_nof1.explore.pool import Pooled
    from acu_nof1.explore.shares import Share


NEEDED = (*CHANGES, "status", "reading", "headline", "primary")


def write_index(
    target: Path, people: Sequence[Mapping[str, Any]], primary: pd.DataFrame, pages: Mapping[str, str]
) -> None:
    """Write the page of everybody, as a whole or not at all.

    Parameters
    ----------
    target
        The file.
    people
        Rows of the manifest.
    primary
        The headline answers of the primary outcomes, as in the results.
    pages
        By person: where the own page is.
    """
    shown = primary[primary["person"].isin([each["person"] for each in people[:ROWS_UP_TO]])]
    answers = dict(zip(shown["person"], shown.to_dict("records"), strict=True))
    rows = (row(each, answers.get(each["person"]), pages.get(str(each["person"]), "")) for each in people)
    counts = Counter(str(each["status"]) for each in people)
    making = target.with_name(f"{target.name}.tmp")
    making.write_text(clinic_page(rows, counts, *_together(primary)), encoding="utf-8")
    making.replace(target)


def _together(primary: pd.DataFrame) -> tuple[Pooled | None, Outcome | None, Share | None]:
    """What the changes come to, where they are of one kind."""
    kinds = primary[["label", "unit", "scale", "better", "important_change"]].drop_duplicates()
    if len(primary) < 2 or len(kinds) != 1 or kinds["scale"].iloc[0] != "difference":
        return None, None, None
    kind = kinds.iloc[0]
    important = None if pd.isna(kind["important_change"]) else abs(float(kind["important_change"]))
    outcome = Outcome(
        "primary", str(kind["label"]), "rating", str(kind["unit"]), better=kind["better"], important_change=important
    )
    found = pooled_changes(changes(primary))
    share = share_of_these(found, important, outcome.sign) if important is not None and found.ok else None
    return found, outcome, share


def primary_of(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The headline answers of the primary outcomes, out of the results of all units: what the page needs of them."""
    found = [part.loc[part["headline"] & part["primary"], list(NEEDED)] for part in parts]
    return pd.concat(found, ignore_index=True)
