"""Work off a cohort unit by unit, keep what is done, and write the tables when all is."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from acu_nof1 import __version__
from acu_nof1.cohort.engines import worked_off
from acu_nof1.cohort.index import primary_of, write_index
from acu_nof1.cohort.units import Unit, units_of
from acu_nof1.cohort.work import Asked, page_name
from acu_nof1.errors import Problem, UsageError
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.estimate.base import COLUMNS
from acu_nof1.export import neutralised
from acu_nof1.sessions import FRAME_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from acu_nof1.cohort.work import Done

    Progress = Callable[[int, int], None]

Engine = Literal["local", "dask"]
SCHEMA = "acu-nof1/cohort/1"
RESULTS, PROBLEMS, MANIFEST, PARQUET = "results.csv", "problems.csv", "manifest.json", "results.parquet"
SESSIONS = "sessions.csv"
INDEX, PAGES = "index.html", "reports"
KEPT, WORKING = ".units", ".working"
MANIFEST_PART = "people.csv"
TEXTS = ("person", "outcome", "label", "question", "scale", "status", "reason", "unit", "better", "reading", "method")
DTYPES = dict.fromkeys(COLUMNS, "float") | dict.fromkeys(TEXTS, "str")
DTYPES |= {"primary": "bool", "headline": "bool", "limited": "bool", "days_before": "int64", "days_after": "int64"}
LIBRARIES = ("numpy", "pandas", "scipy")


@dataclass(frozen=True)
class Run:
    """What a run left behind.

    Attributes
    ----------
    out
        The folder with the tables.
    people
        How many people by what became of them: done, not_estimable, failed.
    units, kept
        Units of work, and how many of them were done already.
    """

    out: Path
    people: dict[str, int]
    units: int
    kept: int


def run_cohort(
    source: str | Path,
    out: str | Path,
    *,
    engine: Engine = "local",
    jobs: int = 1,
    scheduler: str | None = None,
    reports: bool = False,
    questions: Sequence[str] = (),
    sessions: bool = False,
    confidence: float = 0.95,
    progress: Progress | None = None,
) -> Run:
    """Reassess everybody, in bounded memory; what is done is kept, and done again only where something changed.

    Parameters
    ----------
    source
        A folder of trial folders, or one with a shared protocol (see `read_cohort`).
    out
        Where ``results.csv``, ``results.parquet`` (with pyarrow), ``problems.csv`` and ``manifest.json`` are written.
    engine, jobs, scheduler
        ``local`` with so many processes, or ``dask`` with the address of a scheduler whose workers see the same files.
    reports
        Whether everybody's own page is written, to ``reports/``.
    questions
        Names of the estimators; all where none is given.
    sessions
        Whether ``sessions.csv`` is written too: sessions and the course of the change, a row a person and outcome.
    confidence
        Of the intervals.
    progress
        Called with the number of people that are done and of all.

    Returns
    -------
    Run
        The tables do not depend on engine, processes or interruptions.

    Raises
    ------
    AcuError
        If the source as a whole cannot be read, a question does not exist, or workers have another version.
    """
    known = [each.question for each in ESTIMATORS]
    if unknown := [name for name in questions if name not in known]:
        what = f"there is no question {', '.join(unknown)}."
        raise UsageError([Problem("error", "questions", what, f"Known: {', '.join(known)}.")])
    target = Path(out)
    kept, working = target / KEPT, target / WORKING
    kept.mkdir(parents=True, exist_ok=True)
    wanted_too = f" {','.join(FRAME_COLUMNS)}" if sessions else ""
    units = units_of(Path(source), working, f"{confidence!r} {','.join(questions)} {','.join(COLUMNS)}{wanted_too}")
    pages = target / PAGES if reports else None
    if pages is not None:
        pages.mkdir(exist_ok=True)
    asked = Asked(tuple(questions), confidence, sessions, pages)
    left = [unit for unit in units if not _is_done(kept / unit.key, pages)]
    total, done = sum(unit.people for unit in units), sum(unit.people for unit in units) - sum(u.people for u in left)
    sizes = {unit.key: unit.people for unit in left}
    for each in worked_off(left, asked, engine, jobs, scheduler):
        _keep(each, kept)
        done += sizes[each.key]
        if progress is not None:
            progress(done, total)
    _assembled(units, kept, target, (RESULTS, PROBLEMS, *([SESSIONS] if sessions else [])))
    if not sessions:
        (target / SESSIONS).unlink(missing_ok=True)  # of an earlier run: it would stand beside newer results
    people = list(_people(units, kept))
    counts = _manifest(people, target, confidence)
    write_index(
        target / INDEX, people, primary_of(_results(kept / unit.key) for unit in units), _linked(people, target)
    )
    shutil.rmtree(working, ignore_errors=True)
    wanted = {unit.key for unit in units}
    for folder in kept.iterdir():
        if folder.name not in wanted:
            shutil.rmtree(folder, ignore_errors=True)
    return Run(target, counts, len(units), len(units) - len(left))


def _is_done(unit: Path, pages: Path | None) -> bool:
    """Whether nothing is left to do of this unit: its tables are there, and the pages if they are wanted."""
    if not unit.is_dir() or pages is None:
        return unit.is_dir()
    table = pd.read_csv(unit / MANIFEST_PART, keep_default_na=False, dtype="str")
    wanted = table.loc[table["status"] != "failed", "person"]
    return all((pages / page_name(person)).is_file() for person in wanted)


def _linked(people: Sequence[dict[str, object]], target: Path) -> dict[str, str]:
    """Whose page is there, and where."""
    names = {str(each["person"]): f"{PAGES}/{page_name(str(each['person']))}" for each in people}
    return {person: name for person, name in names.items() if (target / name).is_file()}


def _keep(done: Done, kept: Path) -> None:
    """Keep one unit: the folder is there as a whole or not at all."""
    making = kept / f"{done.key}.{os.getpid()}.tmp"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    parts = {RESULTS: done.results, PROBLEMS: done.problems, MANIFEST_PART: done.manifest, SESSIONS: done.sessions}
    for name, frame in parts.items():
        if frame is not None:
            neutralised(frame).to_csv(making / name, index=False, lineterminator="\n")
    shutil.rmtree(kept / done.key, ignore_errors=True)  # tables of a run that wrote no pages
    try:
        making.rename(kept / done.key)
    except OSError:  # another run was quicker
        shutil.rmtree(making, ignore_errors=True)


def _assembled(units: Sequence[Unit], kept: Path, target: Path, tables: Sequence[str]) -> None:
    """Write these tables as the units follow one another, without holding them."""
    for name in tables:
        making = target / f"{name}.tmp"
        with making.open("wb") as whole:
            whole.write(b"\xef\xbb\xbf")  # so that Excel takes it for UTF-8
            for number, unit in enumerate(units):
                with (kept / unit.key / name).open("rb") as part:
                    titles = part.readline()
                    if number == 0:
                        whole.write(titles)
                    shutil.copyfileobj(part, whole)
        making.replace(target / name)
    _parquet(units, kept, target)


def _results(unit: Path) -> pd.DataFrame:
    """The answers of one unit, with the types they had."""
    blank = {name: [""] for name, kind in DTYPES.items() if kind == "float"}
    return pd.read_csv(unit / RESULTS, dtype=DTYPES, keep_default_na=False, na_values=blank)


def _parquet(units: Sequence[Unit], kept: Path, target: Path) -> None:
    """The same table as Parquet, where pyarrow is installed; an older one is not left beside newer results."""
    (target / PARQUET).unlink(missing_ok=True)
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        return
    making, schema = target / f"{PARQUET}.tmp", None
    writer = None
    for unit in units:
        frame = _results(kept / unit.key)
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        schema = schema or table.schema
        writer = writer or pq.ParquetWriter(making, schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
        making.replace(target / PARQUET)


def _manifest(people: Sequence[dict[str, object]], target: Path, confidence: float) -> dict[str, int]:
    counts = {
        status: sum(each["status"] == status for each in people) for status in ("done", "not_estimable", "failed")
    }
    text = json.dumps(
        {
            "schema": SCHEMA,
            "versions": {"acu_nof1": __version__, **{name: version(name) for name in LIBRARIES}},
            "confidence": confidence,
            "seed": None,  # nothing is drawn
            "counts": counts,
            "people": people,
        },
        ensure_ascii=False,
        indent=1,
    )
    making = target / f"{MANIFEST}.tmp"
    making.write_text(text + "\n", encoding="utf-8")
    making.replace(target / MANIFEST)
    return counts


def _people(units: Sequence[Unit], kept: Path) -> Iterator[dict[str, object]]:
    for unit in units:
        table = pd.read_csv(kept / unit.key / MANIFEST_PART, keep_default_na=False, dtype="str")
        for each in table.to_dict("records"):
            yield {
                **{str(key): value for key, value in each.items()},
                "answered": int(each["answered"]),
                "asked": int(each["asked"]),
            }
