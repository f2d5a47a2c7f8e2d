"""How does a cohort's run grow with its people, in time and memory, and against a loop of SARIMAX?

Run: ``OMP_NUM_THREADS=1 python benchmarks/cohorts.py [PEOPLE …]``; writes ``benchmarks/results/cohorts.csv`` and ``cohorts.png``.
Three ratings a day for 84 days, 20 % missing, in one CSV; three questions to each (change at reassessment, mean change, trend),
robust, every field, tables written: `acu-nof1 cohort` in two processes, from the files to the files. SARIMAX fits the same model
to series of the same cohort in the same run, one after the other; its pace is doubled, for its second core.
Bars: 10,000 people at 50 times its pace or more, with less than 2 GB; memory that does not grow with people; time that
grows as they do.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from usual import sarimax, versions

from acu_nof1 import palette
from acu_nof1.cohort import read_cohort, reassess_all
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.simulate import Design, Truth, simulate

RESULTS = Path(__file__).parent / "results"
PEOPLE = (1_250, 2_500, 5_000, 10_000, 20_000, 100_000)
SEED, AT_ONCE, SLOW, MOST_AT_ONCE = 20261126, 5_000, 60, 10_000
OUTCOMES = ("pain", "worst", "stress")
QUESTIONS = ("change_at_reassessment", "mean_change", "trend")
DESIGN = Design(missing=0.2)
PROTOCOL = """
[outcome.pain]
instrument = "nrs_pain"
primary = true
[outcome.worst]
instrument = "nrs_pain"
[outcome.stress]
instrument = "nrs_stress"
[[diary]]
file = "diaries.csv"
"""


def write(folder: Path, people: int) -> None:
    """Write the cohort as a researcher has it: one protocol, a people table, everybody's days in one file."""
    (folder / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    rng = np.random.default_rng(SEED)
    first = np.datetime64("2026-01-05") + rng.integers(0, 60, people)
    codes = np.array([f"P-{number:06}" for number in range(people)])
    dates = {
        "baseline_start": first, "treatment_start": first + DESIGN.baseline, "treatment_end": first + DESIGN.days - 1,
    }  # fmt: skip
    pd.DataFrame({"person": codes, **dates}).to_csv(folder / "people.csv", index=False)
    for start in range(0, people, AT_ONCE):
        some = slice(start, min(start + AT_ONCE, people))
        size = some.stop - start
        truth = Truth(change=rng.normal(-1.5, 1, size), phi=rng.beta(2, 3, size), low=0, high=10, step=1)
        values = [simulate(DESIGN, truth, size, rng).values for _ in OUTCOMES]
        table = pd.DataFrame({"person": np.repeat(codes[some], DESIGN.days),
                              "date": (first[some, None] + np.arange(DESIGN.days)).ravel()})  # fmt: skip
        for name, each in zip(OUTCOMES, values, strict=True):
            table[name] = each.ravel()
        table = table.dropna(subset=list(OUTCOMES), how="all")
        table.to_csv(folder / "diaries.csv", mode="a", header=start == 0, index=False)


def resident(root: int) -> int:
    """Bytes that a process and everything it started hold in memory; of pages they share each has its part (PSS)."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    family = {root}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    total = 0
    for process in family:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


def run(folder: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one run of the command."""
    asked = [part for question in QUESTIONS for part in ("--question", question)]
    command = [sys.executable, "-m", "acu_nof1", "cohort", str(folder), "--out", str(out), "--jobs", "2", *asked]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"the run ended with {code}")
    return time.perf_counter() - start, peak / 1e6


def answering_pace(folder: Path) -> float:
    """Answers a second on one core once the diaries are read: what SARIMAX is compared with."""
    cohort = read_cohort(folder)
    chosen = [each for each in ESTIMATORS if each.question in QUESTIONS]
    start = time.perf_counter()
    return len(reassess_all(cohort, estimators=chosen).estimates) / (time.perf_counter() - start)


def sarimax_pace() -> float:
    """Series a second of the usual loop, on one core."""
    few = simulate(DESIGN, Truth(change=-1.5, low=0, high=10, step=1), SLOW, SEED)
    start = time.perf_counter()
    sarimax(few.values, few.treated)
    return SLOW / (time.perf_counter() - start)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Time and memory by people, both axes from 0."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name, label in zip(
        figure.subplots(1, 2), ("seconds", "peak_mb"), ("minutes", "peak memory, GB"), strict=True
    ):
        axes.plot(table["people"] / 1000, table[name] / (60 if name == "seconds" else 1000), "o-", color=palette.AFTER)
        axes.set(xlabel="people, thousands", ylabel=label, xlim=(0, None), ylim=(0, None))
    figure.suptitle("A cohort's run, three outcomes and three questions each, two processes", fontsize=11)
    figure.savefig(path, dpi=120)


def main(sizes: tuple[int, ...]) -> None:
    """Run every size, then write the table and the figure."""
    rows = []
    for people in sizes:
        slow = sarimax_pace()
        folder = Path(tempfile.mkdtemp())
        try:
            write(folder, people)
            seconds, peak = run(folder, folder / "out")
            pace = answering_pace(folder) if people <= MOST_AT_ONCE else float("nan")
            answers = sum(1 for _ in (folder / "out" / "results.csv").open(encoding="utf-8")) - 1
        finally:
            shutil.rmtree(folder)
        rows.append({
            "people": people, "answers": answers, "seconds": round(seconds, 1), "answers_per_second": round(answers / seconds),
            "sarimax_per_second_two_cores": round(2 * slow, 1), "run_over_sarimax": round(answers / seconds / (2 * slow), 1),
            "answering_per_second_one_core": round(pace) if pace == pace else "", "answering_over_sarimax": round(pace / slow, 1) if pace == pace else "",
            "peak_mb": round(peak), "date": datetime.now(UTC).date().isoformat(), "versions": versions(),
        })  # fmt: skip
        print(*rows[-1].values(), sep="  ", flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(RESULTS / "cohorts.csv", index=False, lineterminator="\n")
    draw(table, RESULTS / "cohorts.png")


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or PEOPLE)
