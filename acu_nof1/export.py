"""The same answers for machines: JSON, and CSV that a spreadsheet cannot be tricked with; where they may be written."""

from __future__ import annotations

import json
import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.errors import MissingToolError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from acu_nof1.mending import Mending
    from acu_nof1.planning import Audit, Plan
    from acu_nof1.reassessment import Reassessment
    from acu_nof1.trial import Trial

# A spreadsheet takes text that begins with one of these for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutralised(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose texts no spreadsheet takes for formulas: an apostrophe stands before them."""

    def safe(cell: object) -> object:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell

    texts = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{str(name): frame[name].map(safe) for name in texts})


def json_text(review: Reassessment | Plan | Audit | Mending) -> str:
    """Return ``acu-nof1/reassessment/1`` (or ``plan/1``, ``audit/1``, ``check/1``): numbers that do not exist are null."""
    return json.dumps(review.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def csv_text(review: Reassessment | Plan | Audit | Mending) -> str:
    """Return one row an answer (a bound that does not exist is empty), with the columns of ``to_frame()``."""
    frame = review.to_frame().replace([math.inf, -math.inf], math.nan)
    return neutralised(frame).to_csv(index=False, lineterminator="\n")


def write_json(review: Reassessment | Plan | Audit | Mending, path: str | os.PathLike[str]) -> None:
    """Write `json_text`."""
    Path(path).write_text(json_text(review), encoding="utf-8")


def write_csv(review: Reassessment | Plan | Audit | Mending, path: str | os.PathLike[str]) -> None:
    """Write `csv_text`; UTF-8 that Excel recognises."""
    Path(path).write_text(csv_text(review), encoding="utf-8-sig", newline="")


def target_problems(
    targets: Mapping[str, Path], inputs: Iterable[Path] = (), new_folder: Path | None = None
) -> list[Problem]:
    """Which of these files cannot be written, or would be written over something that is needed?

    Parameters
    ----------
    targets
        What is to be written, by the option that names it.
    inputs
        The files that are read: none of them may be a target.
    new_folder
        A folder that is made on the way; targets may lie in it.

    Returns
    -------
    list of Problem
        Every complaint; empty when all can be written.
    """
    read = {path.resolve() for path in inputs}
    taken: dict[Path, str] = {}
    wrong: list[Problem] = []
    for option, path in targets.items():
        real = path.resolve()
        place = f"{option} {path}"
        if real in read:
            wrong.append(Problem("error", place, "this file is an input and would be overwritten.", "Choose another."))
        elif real in taken:
            what = f"{taken[real]} names the same file."
            wrong.append(Problem("error", place, what, "Give each its own name."))
        elif new_folder is None or real.parent != new_folder.resolve() or new_folder.exists():
            wrong += [Problem("error", place, what, remedy) for what, remedy in _not_writable(path)]
        taken.setdefault(real, option)
    return wrong


def folder_problems(option: str, folder: Path) -> list[Problem]:
    """Say why a folder cannot be made, or nothing be written into it: the nearest folder that exists decides."""
    place = f"{option} {folder}"
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        return [Problem("error", place, f"{nearest} is a file, not a folder.", "Choose another folder.")]
    if not os.access(nearest, os.W_OK | os.X_OK):
        return [Problem("error", place, f"nothing can be written into {nearest}.", "Choose another folder.")]
    return []


def _not_writable(path: Path) -> Iterator[tuple[str, str]]:
    folder = path.absolute().parent
    if path.is_dir():
        yield "this is a folder.", "Name a file in it."
    elif not folder.is_dir():
        yield f"there is no folder {folder}.", "Make it first, or choose another."
    elif not os.access(path if path.exists() else folder, os.W_OK):
        yield "this file cannot be written.", "Choose another place."


PARQUET = ".parquet"
LONG_COLUMNS = ("person", "date", "outcome", "value", "unit")


def long_table(trial: Trial) -> pd.DataFrame:
    """What was answered, one row an answer?

    Parameters
    ----------
    trial
        The trial, as read.

    Returns
    -------
    pandas.DataFrame
        Columns person, date, outcome, value, unit, in order of outcome and date. A day without an answer has no row;
        values are in the unit of the outcome, yes is 1 and no is 0. The layout ``tidy`` reads it back.
    """
    units = {outcome.name: outcome.unit for outcome in trial.protocol.outcomes}
    long = trial.diary.values.reset_index().melt("date", var_name="outcome", value_name="value").dropna(subset="value")
    long = long.assign(person=trial.protocol.code, unit=long["outcome"].map(units).fillna(""))
    return long[list(LONG_COLUMNS)].reset_index(drop=True)


def suffix_problems(out: Path) -> list[Problem]:
    """Say so if the tidy table is written in no such form."""
    if out.suffix.lower() in (".csv", PARQUET):
        return []
    what = "only CSV and Parquet are written."
    return [Problem("error", f"OUT {out}", what, f"Let its name end in .csv or {PARQUET}.")]


def insist_on_parquet(out: Path) -> None:
    """Raise `MissingToolError` if Parquet is wanted and what writes it is not installed."""
    if out.suffix.lower() == PARQUET and find_spec("pyarrow") is None:
        what = "Parquet is written by pyarrow, which is not installed."
        remedy = 'Install it with: pip install "acu_nof1[parquet]". CSV needs nothing more.'
        raise MissingToolError([Problem("error", f"OUT {out}", what, remedy)])


def write_long(trial: Trial, path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """Write the tidy table as CSV or Parquet, and the ledger beside it as ``NAME.ledger.csv``; return both paths.

    Raises
    ------
    MissingToolError
        If the name ends in ``.parquet`` and pyarrow is not installed.
    """
    answers, ledger = Path(path), ledger_beside(Path(path))
    insist_on_parquet(answers)
    neutralised(trial.diary.ledger).to_csv(ledger, index=False, encoding="utf-8-sig", lineterminator="\n")
    if answers.suffix.lower() == PARQUET:  # it says which cells are text and which are numbers
        long_table(trial).to_parquet(answers, engine="pyarrow", index=False)
        return answers, ledger
    long = neutralised(long_table(trial))  # while the values are numbers still: a minus sign before one is no formula
    long.assign(
        date=long["date"].dt.strftime("%Y-%m-%d"),
        # Never 1e-05, which no diary holds, and not a digit more than tells the number from its neighbours.
        value=[np.format_float_positional(value, trim="-") for value in long["value"]],
    ).to_csv(answers, index=False, encoding="utf-8", lineterminator="\n")
    return answers, ledger


def ledger_beside(path: Path) -> Path:
    """Where the ledger of a tidy table stands."""
    return path.with_name(f"{path.stem}.ledger.csv")
