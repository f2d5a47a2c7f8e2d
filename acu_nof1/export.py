"""The same answers for machines: JSON, and CSV that a spreadsheet cannot be tricked with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

    import pandas as pd

    from acu_nof1.reassessment import Reassessment

# A spreadsheet takes text that begins with one of these for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutralised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts no spreadsheet takes for formulas: an apostrophe stands before them."""

    def safe(cell: object) -> object:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell

    texts = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{str(name): frame[name].map(safe) for name in texts})


def write_json(review: Reassessment, path: str | os.PathLike[str]) -> None:
    """Write ``acu-nof1/reassessment/1``: numbers that do not exist are null."""
    text = json.dumps(review.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def write_csv(review: Reassessment, path: str | os.PathLike[str]) -> None:
    """Write one row an answer, with the columns of ``Estimates.to_frame()``; UTF-8 that Excel recognises."""
    neutralised(review.to_frame()).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
