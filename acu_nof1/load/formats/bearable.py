"""Bearable: one row per answer, with a category and, within it, a detail."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from acu_nof1.load.complaints import listed
from acu_nof1.load.layout import Layout
from acu_nof1.load.tables import plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

_IN_BRACKETS = re.compile(r"\s*\([^()]*\)$")


def arrange(table: Table, file: DiaryFile, folder: Path) -> Table:
    """Ask ``category: detail`` where the protocol maps that, else the category.

    Parameters
    ----------
    table
        The export.
    file
        Its declaration.

    Returns
    -------
    Table
        With a column ``question``.
    """
    titles = {plain(title): title for title in table.columns}
    if "category" not in titles:
        return table
    categories = table.rows[titles["category"]].map(_words)
    if "detail" not in titles:
        return table.with_columns(question=categories)
    details = table.rows[titles["detail"]].map(_words)
    bare = details.map(lambda detail: _IN_BRACKETS.sub("", detail))
    asked = categories.copy()
    for title in file.columns.values():
        of, colon, detail = (_words(part) for part in title.partition(":"))
        if colon:
            same = details.map(plain).eq(plain(detail)) | bare.map(plain).eq(plain(detail))
            asked[categories.map(plain).eq(plain(of)) & same] = title
    arranged = table.with_columns(question=asked)
    return replace(arranged, notes=(*table.notes, *_mixed(asked, details)))


def _words(text: str) -> str:
    return " ".join(text.split())


def _mixed(asked: pd.Series[str], details: pd.Series[str]) -> Iterator[str]:
    """Say which questions still hold several details: their answers would be taken together."""
    several = details[details != ""].groupby(asked[details != ""]).unique()
    for question, within in several.items():
        if len(within) > 1:
            example = f"{question}: {within[0]}"
            yield f'"{question}" holds {len(within)} details, such as {listed(within[:3])}: one is mapped as "{example[:80]}"'


BEARABLE = Layout(
    "bearable",
    "Bearable's export, one row per answer: date formatted, category, rating/amount",
    "Bearable export",
    shape="long",
    columns={"date": ("date formatted", "date"), "question": ("question", "category"), "answer": ("rating/amount",)},
    signatures=(("date formatted", "category", "rating/amount"),),
    arrange=arrange,
    gives='any category, or "category: detail", once it is mapped; sleep as hours:minutes',
)
