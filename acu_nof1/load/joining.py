"""The answers of all files by day: a day that was answered twice is settled here, and only here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1.derive import CSD_ITEMS
from acu_nof1.diary import (
    IGNORED_COLUMNS,
    LEDGER_COLUMNS,
    SEVERAL_COLUMNS,
    Counts,
    Diary,
    empty_ledger,
    no_several,
    on_calendar,
    reduction,
)
from acu_nof1.errors import SEVERITIES, Problem
from acu_nof1.load.cells import SAME_TWICE, SEVERAL, Rule
from acu_nof1.load.complaints import cell_problems, is_listed, listed, lowest_tenth, shown, too_short
from acu_nof1.scoring import SCALES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from acu_nof1.diary import Status
    from acu_nof1.load.files import ReadFile
    from acu_nof1.outcomes import Outcome


def joined(read: Sequence[ReadFile], outcomes: Sequence[Outcome]) -> Diary:
    """What do the files say together, day by day?

    Parameters
    ----------
    read
        The files, in the order in which they were given.
    outcomes
        The columns the diary will have.

    Returns
    -------
    Diary
        A day that was answered twice with the same value counts once; different values are reduced as
        the first file that has the outcome declares.
    """
    cells = _together([frame for file in read for frame in file.cells])
    derived = pd.concat([file.derived for file in read], ignore_index=True)
    reducers = {name: (file.reducer, file.reducer_declared) for file in reversed(read) for name in file.found}
    settled = {
        outcome.name: _by_day(outcome, cells, derived, reducers.get(outcome.name, ("mean", False)))
        for outcome in outcomes
    }
    values = {name: series for name, (series, _) in settled.items()}
    several = [entries for _, entries in settled.values() if len(entries)]
    problems = [problem for file in read for problem in file.problems]
    problems += _not_found(read, outcomes) + cell_problems(
        cells, _yes_no(outcomes), {item: outcome.name for outcome in outcomes for item in outcome.item_names}
    )
    problems += [
        problem
        for outcome in outcomes
        for unlikely in (too_short, lowest_tenth)
        for problem in unlikely(outcome, values[outcome.name], cells)
    ]
    ignored = pd.DataFrame(
        [(file.source.file, why, count) for file in read for why, count in file.ignored.items()],
        columns=list(IGNORED_COLUMNS),
    )
    return Diary(
        on_calendar(pd.DataFrame(values, index=_all_days(values.values()), dtype=float)),
        _ledger(cells),
        replace(_counts(cells), ignored=int(ignored["records"].sum())),
        tuple(sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))),
        tuple(file.source for file in read),
        pd.concat([file.phase_labels for file in read]),
        pd.concat(several, ignore_index=True) if several else no_several(),
        ignored,
    )


def _together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Stack the cells of all columns; `source` numbers the columns, because numbers group faster than names."""
    cells = pd.concat(frames, ignore_index=True)
    cells["source"] = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    return cells


def _all_days(series: Iterable[pd.Series[float]]) -> pd.DatetimeIndex:
    days = np.concatenate([one.index.to_numpy() for one in series])
    return pd.DatetimeIndex(pd.unique(days), name="date").sort_values().as_unit("us")


def _by_day(
    outcome: Outcome, cells: pd.DataFrame, derived: pd.DataFrame, reducer: tuple[str, bool]
) -> tuple[pd.Series[float], pd.DataFrame]:
    """One value per day, and the answers of days with several different ones. Marks in `cells` what became of them."""
    own = np.flatnonzero((cells["outcome"] == outcome.name).to_numpy() & cells["value"].notna().to_numpy())
    nights = derived[derived["outcome"] == outcome.name]
    entries = pd.DataFrame(
        {
            "date": np.concatenate([cells["date"].to_numpy()[own], nights["date"].to_numpy(dtype="datetime64[us]")]),
            "value": np.concatenate([cells["value"].to_numpy()[own], nights["value"].to_numpy(dtype=float)]),
            "cell": np.concatenate([own, np.full(len(nights), -1)]),
            "file": np.concatenate([np.full(len(own), "", dtype=object), nights["file"].to_numpy(dtype=object)]),
            "row": np.concatenate([np.zeros(len(own), dtype=np.int64), nights["row"].to_numpy(dtype=np.int64)]),
        }
    )
    twice, several = entries["date"].duplicated(keep=False), no_several()
    if twice.any():
        entries, several = _settled(outcome, cells, entries, twice.to_numpy(), reducer)
    days = pd.DatetimeIndex(entries["date"], name="date")
    return pd.Series(entries["value"].to_numpy(), index=days, dtype=float), several


def _settled(
    outcome: Outcome, cells: pd.DataFrame, entries: pd.DataFrame, twice: npt.NDArray[Any], reducer: tuple[str, bool]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    by_date = entries.groupby("date")["value"]
    differ = (by_date.transform("max") != by_date.transform("min")).to_numpy()
    second = entries["date"].duplicated().to_numpy()
    how, spoken = reduction(outcome, reducer[0])
    several = entries.loc[differ, ["date", "value"]].assign(outcome=outcome.name)[list(SEVERAL_COLUMNS)]
    entries["value"] = np.where(differ, by_date.agg(how).reindex(entries["date"]).to_numpy(), entries["value"])
    dropped = entries[twice & ~differ & second]
    _mark(cells, dropped["cell"], "rejected", SAME_TWICE, None)
    reduced, rule = entries[differ], Rule(f"{SEVERAL.name}: {spoken}", "" if reducer[1] else SEVERAL.remedy)
    _mark(cells, reduced["cell"], "converted", rule, reduced["value"])
    _mark_behind(cells, reduced[reduced["cell"] < 0], rule, outcome.item_names)
    return entries[~second], several


def _mark(
    cells: pd.DataFrame, positions: pd.Series[int], status: Status, rule: Rule, value: pd.Series[float] | None
) -> None:
    own = positions.to_numpy() >= 0
    at = positions.to_numpy()[own]
    if not len(at):
        return
    if status == "converted":
        before = cells["rule"].to_numpy(dtype=object)[at]
        cells.loc[at, "rule"] = [f"{old}; {rule.name}" if old else rule.name for old in before]
    else:
        cells.loc[at, "rule"] = rule.name
    cells.loc[at, "status"] = status
    cells.loc[at, "remedy"] = rule.remedy
    cells.loc[at, "value"] = np.nan if value is None else value.to_numpy()[own]


def _mark_behind(cells: pd.DataFrame, computed: pd.DataFrame, rule: Rule, item_names: Sequence[str]) -> None:
    """The cells behind a night or a form that was settled with another: logged, their own values stay."""
    if computed.empty:
        return
    # Every answer of a day stands behind its form; of two nights with one date only one may be whole.
    by = ["file", "date"] if item_names else ["file", "row"]
    wanted = pd.MultiIndex.from_frame(computed[by].astype({"file": "str"}))
    own = cells["outcome"].isin(item_names or CSD_ITEMS).to_numpy()
    items = np.flatnonzero(own & cells["value"].notna().to_numpy())
    keys = pd.MultiIndex.from_frame(cells.loc[items, by])
    at = items[keys.isin(wanted) & ~cells["rule"].iloc[items].str.contains(SEVERAL.name).to_numpy(dtype=bool)]
    _mark(cells, pd.Series(at), "converted", rule, cells["value"].iloc[at])


def _yes_no(outcomes: Sequence[Outcome]) -> list[str]:
    """Names, as the cells have them, of what is answered by yes or no."""
    ticked = [o for o in outcomes if o.items and SCALES[o.instrument].ticked]
    return [*(o.name for o in outcomes if o.kind == "yes_no"), *(name for o in ticked for name in o.item_names)]


def _counts(cells: pd.DataFrame) -> Counts:
    counted = cells["status"].value_counts()
    return Counts(**{status: int(counted.get(status, 0)) for status in ("kept", "converted", "missing", "rejected")})


def _ledger(cells: pd.DataFrame) -> pd.DataFrame:
    listed = cells.loc[is_listed(cells), [*LEDGER_COLUMNS, "remedy"]].reset_index(drop=True)
    titles = listed["column"]
    return listed.assign(title=titles, column=_shown(titles)) if len(listed) else empty_ledger()


def _shown(texts: pd.Series[str]) -> pd.Series[str]:
    codes, distinct = pd.factorize(texts.to_numpy(dtype=object))
    return pd.Series(np.array([shown(text) for text in distinct], dtype=object)[codes], dtype="str")


def _not_found(read: Sequence[ReadFile], outcomes: Sequence[Outcome]) -> list[Problem]:
    """Which outcomes stand in none of the files?"""
    found = {name for file in read for name in file.found}
    return [
        Problem(
            "error",
            ", ".join(file.source.file for file in read),
            f"no column was found for {outcome.name} ({outcome.label}).",
            f'Map it, as in columns = {{{outcome.name} = "title of its column"}}.'
            if not outcome.items
            else f"Its items should be called {listed(outcome.items)}.",
        )
        for outcome in outcomes
        if outcome.name not in found
    ]
