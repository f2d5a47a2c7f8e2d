"""How long does one report take, and how soon does ``acu-nof1 --help`` answer? In fresh processes.

Run: ``python benchmarks/report.py [REPEATS]``; writes ``benchmarks/results/report.csv``.
Bars: one report under 6 s on 2 cores, with the executed notebook or without, ``--help`` under 0.5 s.
"""

from __future__ import annotations

import csv
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "report.csv"
SAMPLE = Path(__file__).parent.parent / "sample_data" / "low_back_pain"
NOTEBOOK = """
from acu_nof1.report import run_notebook
run_notebook({{"trial_folder": {sample!r}}}, html={page!r})
"""
DIRECT = """
import acu_nof1 as acu
acu.write_report(acu.reassess(acu.read_trial({sample!r})), {page!r})
"""
IN_ONE_PROCESS = """
import time
import acu_nof1 as acu
review = acu.reassess(acu.read_trial({sample!r}))
acu.write_report(review, {page!r})
start = time.perf_counter()
acu.write_report(review, {page!r})
print(time.perf_counter() - start)
"""


def timed(command: list[str]) -> float:
    """How long does a fresh process take, in seconds?"""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def again(code: str) -> float:
    """How long does the second report in one process take, in seconds?"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def main(repeats: int) -> None:
    """Measure each way so often and keep the median."""
    with tempfile.TemporaryDirectory() as folder:
        page = str(Path(folder) / "page.html")
        code = {name: [sys.executable, "-c", text.format(sample=str(SAMPLE), page=page)]
                for name, text in (("notebook", NOTEBOOK), ("direct", DIRECT))}  # fmt: skip
        cli = [sys.executable, "-m", "acu_nof1"]
        second = IN_ONE_PROCESS.format(sample=str(SAMPLE), page=page)
        ways = {
            "acu-nof1 report": (
                lambda: timed([*cli, "report", str(SAMPLE), "--out", page]),
                6.0,
            ),
            "acu-nof1 report --patient --pdf": (
                lambda: timed([*cli, "report", str(SAMPLE), "--patient", "--out", page, "--pdf", f"{page}.pdf"]),
                None,
            ),
            "run_notebook in a fresh process": (lambda: timed(code["notebook"]), 6.0),
            "write_report in a fresh process": (lambda: timed(code["direct"]), None),
            "write_report, second in a process": (lambda: again(second), None),
            "acu-nof1 --help": (lambda: timed([*cli, "--help"]), 0.5),
        }
        rows = [(name, *_measured(way, repeats), "" if bar is None else bar) for name, (way, bar) in ways.items()]
    with RESULTS.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["what", "median_s", "worst_s", "bar_s", "repeats", "cores", "python"])
        writer.writerows([*row, repeats, os.cpu_count(), platform.python_version()] for row in rows)
    print(RESULTS.read_text(encoding="utf-8"))


def _measured(way, repeats: int) -> tuple[float, float]:  # type: ignore[no-untyped-def]
    way()
    times = [way() for _ in range(repeats)]
    return round(statistics.median(times), 3), round(max(times), 3)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
