"""How gates are run: cell by cell on several processors, every finished cell written at once, resumed by its name.

A cell draws its own random numbers from the seed and its name, so neither the order nor the number of processors has a
say in what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from joblib import Parallel, delayed
from usual import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.progress import Progress

Row = dict[str, Any]
LAST = ["cell", "series", "seed", "date", "versions"]


@dataclass(frozen=True)
class Job:
    """One cell: where it stands in the table, and the rows it gives for `series` series and a seed."""

    place: Row
    series: int
    rows: Callable[[int, int], list[Row]]

    @property
    def cell(self) -> str:
        """Its name: the key by which a finished cell is found again."""
        return ", ".join(f"{name} {value}" for name, value in self.place.items() if value != "")

    def run(self, series: int, seed: int) -> pd.DataFrame:
        """Compute the cell, stamped with what it was computed with."""
        stamp = {"cell": self.cell, "series": series, "seed": seed, "date": datetime.now(UTC).date().isoformat()}
        return pd.DataFrame([self.place | row | stamp | {"versions": versions()} for row in self.rows(series, seed)])


def file_of(gate: str, out: Path) -> Path:
    """Where a gate's cells are kept."""
    return out / f"{gate.lower().replace(' ', '_')}.csv"


def is_done(old: pd.DataFrame, job: Job, series: int, seed: int) -> bool:
    """Is this cell in the table, with this seed and no fewer series?"""
    if old.empty:
        return False
    rows = old[(old["cell"] == job.cell) & (old["seed"] == seed)]
    return bool(len(rows) and (rows["series"] >= series).all())


def run_gate(
    gate: str, jobs: Sequence[Job], judge: Callable[[pd.DataFrame], pd.DataFrame], out: Path, progress: Progress,
    *, n: int | None = None, seed: int = 1, fresh: bool = False, processors: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Compute the cells of a gate that are not there yet, writing each as it comes.

    Rows stand in the order of the jobs, whichever comes first; rows of cells that the gate no longer has are dropped.
    """
    path = file_of(gate, out)
    table = pd.read_csv(path) if path.exists() and not fresh else pd.DataFrame()
    sizes = [min(n, job.series) if n else job.series for job in jobs]
    wanted = [(job, size) for job, size in zip(jobs, sizes, strict=True) if not is_done(table, job, size, seed)]
    order = {job.cell: place for place, job in enumerate(jobs)}
    task = progress.add_task(gate, total=len(jobs), completed=len(jobs) - len(wanted))
    for rows in in_parallel(((job.run, size, seed) for job, size in wanted), processors):
        kept = table[~table["cell"].isin(set(rows["cell"]))] if len(table) else table
        table = judge(in_order(pd.concat([kept, rows], ignore_index=True) if len(kept) else rows, order))
        write(table, path)
        progress.advance(task)
    if len(table) and not wanted:  # bounds may have changed since
        table = judge(in_order(table, order))
        write(table, path)
    return table


def in_parallel(calls: Iterable[tuple[Callable[..., Any], Any, Any]], processors: int) -> Iterable[Any]:
    """Results of calls as they come, whatever their order."""
    if processors == 1:
        return (function(*arguments) for function, *arguments in calls)
    workers = Parallel(n_jobs=processors, return_as="generator_unordered", batch_size=1, pre_dispatch=processors)
    found: Iterable[Any] = workers(delayed(function)(*arguments) for function, *arguments in calls)
    return found


def in_order(table: pd.DataFrame, order: dict[str, int]) -> pd.DataFrame:
    """Rows in the order of the gate's cells, without cells that it no longer has."""
    known = table[table["cell"].isin(order.keys())]
    return known.sort_values("cell", key=lambda cells: cells.map(order), kind="stable", ignore_index=True)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole, so that an interruption leaves the old one."""
    part = path.with_suffix(".part")
    table[[name for name in table.columns if name not in LAST] + LAST].to_csv(part, index=False, float_format="%.5f")
    part.replace(path)
