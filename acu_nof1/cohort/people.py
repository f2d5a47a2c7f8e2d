"""The people table: whose diaries there are, when their phases were, and what else is known of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.errors import Problem, UnreadableFileError
from acu_nof1.load.complaints import listed, place
from acu_nof1.load.dates import read_days
from acu_nof1.load.layout import PERSON_TITLES
from acu_nof1.load.tables import plain, read_table
from acu_nof1.protocol import Phase

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from acu_nof1.load.tables import Table

PEOPLE_FILES = ("people.csv", "people.tsv", "people.xlsx", "people.parquet")
LOOKED_ON, WINDOW = "reassess on", "window days"
_EDGE = re.compile(r"(baseline|treatment|washout|follow up)(?: (\d+))? (start|end)")


@dataclass(frozen=True, eq=False)
class People:
    """The rows of a people table.

    Attributes
    ----------
    file
        Its name.
    person
        (P,) as the table has them.
    row
        (P,) row numbers as a person sees them.
    phases
        (P,) the phases of each, in order of time.
    looked_on, window_days
        (P,) the reassessment and its window, where the table says; NaT and 0 elsewhere.
    covariates
        The other columns; numbers where all of a column are.
    wrong
        What is wrong with each row that cannot be used, by its position.
    """

    file: str
    person: tuple[str, ...]
    row: npt.NDArray[np.int64]
    phases: tuple[tuple[Phase, ...], ...]
    looked_on: npt.NDArray[np.datetime64]
    window_days: npt.NDArray[np.int64]
    covariates: pd.DataFrame
    wrong: Mapping[int, tuple[Problem, ...]]


def read_people(path: Path, dayfirst: bool | None = None) -> People:
    """Who is in this cohort, and when did their phases begin and end?

    Parameters
    ----------
    path
        A table with a row a person.
    dayfirst
        Whether 03/04/2026 is 3 April, if that must be said.

    Raises
    ------
    UnreadableFileError
        If it is no table, or has no column of persons or of the start of treatment.
    """
    titled = [*PERSON_TITLES, "treatment start", "treatment end", "baseline start"]
    table = read_table(path, titles=titled, may_be_empty=True)
    titles = {plain(title): title for title in table.columns}
    who = next((titles[name] for name in PERSON_TITLES if name in titles), None)
    edges = {name: title for name, title in titles.items() if _EDGE.fullmatch(name)}
    if who is None or "treatment start" not in edges:
        wanted = ["person"] * (who is None) + ["treatment_start"] * ("treatment start" not in edges)
        what = f"there is no column {' and no column '.join(wanted)}; the columns are {listed(table.columns)}."
        raise UnreadableFileError(
            [Problem("error", table.file, what, "Add it: one row a person, dates as 2026-01-31.")]
        )
    dated = {**edges, **({LOOKED_ON: titles[LOOKED_ON]} if LOOKED_ON in titles else {})}
    days, wrong = _dates(table, dated, dayfirst)
    people = table.rows[who].str.strip()
    for at in np.flatnonzero(people.duplicated().to_numpy() | (people == "").to_numpy()).tolist():
        what = "nobody is named here." if not people.iloc[at] else "this person stands in an earlier row, too."
        wrong.setdefault(at, []).append(
            Problem("error", place(table.file, who, [table.numbers[at]]), what, "Mend the row.")
        )
    phases = [_phases({name: column[at] for name, column in days.items()}) for at in range(len(people))]
    window, more = _window(table, titles)
    for at, problem in more.items():
        wrong.setdefault(at, []).append(problem)
    used = {who, *dated.values(), titles.get(WINDOW, who)}
    return People(
        table.file,
        tuple(people),
        table.numbers,
        tuple(phases),
        days.get(LOOKED_ON, np.full(len(people), np.datetime64("NaT", "D"))),
        window,
        _covariates(table.rows[[title for title in table.columns if title not in used]]),
        {at: tuple(problems) for at, problems in wrong.items()},
    )


def _dates(
    table: Table, dated: Mapping[str, str], dayfirst: bool | None
) -> tuple[dict[str, npt.NDArray[np.datetime64]], dict[int, list[Problem]]]:
    """Read all columns of dates together: they are written alike. An order that is undecided is an error of the file."""
    texts = pd.concat([table.rows[title].str.strip() for title in dated.values()], ignore_index=True)
    read = read_days(texts, dayfirst=dayfirst, day_zero=table.day_zero)
    if read.question is not None:
        raise UnreadableFileError([Problem("error", table.file, f"{read.question[0]}.", "Write dates as 2026-01-31.")])
    days = read.days.astype("datetime64[D]").reshape(len(dated), -1)
    wrong: dict[int, list[Problem]] = {}
    unread = np.isnat(days) & (texts != "").to_numpy(dtype=bool).reshape(days.shape)
    for column, at in zip(*np.nonzero(unread), strict=True):
        where = place(table.file, list(dated.values())[column], [table.numbers[at]])
        wrong.setdefault(int(at), []).append(Problem("error", where, "no readable date.", "Write dates as 2026-01-31."))
    return dict(zip(dated, days, strict=True)), wrong


def _phases(edges: Mapping[str, np.datetime64]) -> tuple[Phase, ...]:
    """The phases of one person. One end may be left out: a phase lasts until the day before the next."""
    found: dict[tuple[str, str], dict[str, np.datetime64]] = {}
    for name, day in edges.items():
        if (edge := _EDGE.fullmatch(name)) and not np.isnat(day):
            found.setdefault((edge[1].replace(" ", "_"), edge[2] or "1"), {})[edge[3]] = day
    begun = sorted(((each["start"], kind, each.get("end")) for (kind, _), each in found.items() if "start" in each))
    phases = []
    for at, (start, kind, end) in enumerate(begun):
        if end is None and at + 1 < len(begun):
            end = begun[at + 1][0] - np.timedelta64(1, "D")
        if end is not None:
            phases.append(
                Phase.model_construct(
                    kind=kind, start=_day(start), end=_day(end), randomised_from=None, randomised_to=None
                )
            )
    return tuple(phases)


def _day(day: np.datetime64) -> dt.date:
    return day.astype("datetime64[D]").item()  # type: ignore[no-any-return]


def _window(table: Table, titles: Mapping[str, str]) -> tuple[npt.NDArray[np.int64], dict[int, Problem]]:
    if WINDOW not in titles:
        return np.zeros(len(table.rows), dtype=np.int64), {}
    texts = table.rows[titles[WINDOW]].str.strip()
    days = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
    odd = (texts != "").to_numpy(dtype=bool) & ~((days >= 1) & (days == np.round(days)))
    wrong = {int(at): Problem("error", place(table.file, titles[WINDOW], [table.numbers[at]]), "no number of days.", "Write 14.")
             for at in np.flatnonzero(odd)}  # fmt: skip
    return np.where(odd | np.isnan(days), 0, days).astype(np.int64), wrong


def _covariates(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns that hold nothing but numbers and blanks become numbers."""
    found = rows.copy()
    for title in rows.columns:
        texts = rows[title].str.strip()
        numbers = pd.to_numeric(texts.where(texts != ""), errors="coerce")
        if bool((numbers.notna() == (texts != "")).all()):
            found[title] = numbers.astype(float)
    return found
