"""How long does a long diary take to read? In seconds, and as a multiple of `pandas.read_csv`."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from acu_nof1.load import read_diary
from acu_nof1.outcomes import OUTCOMES, Outcome

ROWS = 1_000_000
ANSWERS = (
    replace(OUTCOMES["nrs_pain"], name="pain"),
    replace(OUTCOMES["csd_tst"], name="sleep"),
    Outcome("steps", "Steps", "count", unit="steps/day", better="higher"),
)


def write(path: Path, *, dirty: bool) -> None:
    """Write a million rows: one person's answers by the minute, so that days repeat."""
    chance = np.random.default_rng(1)
    days = pd.date_range("1900-01-01", periods=ROWS // 24, freq="D").strftime("%Y-%m-%d")
    dates = (
        np.tile(np.asarray(days), 25)[:ROWS]
        if dirty
        else np.asarray(pd.date_range("0001-01-01", periods=ROWS, freq="D", unit="us").strftime("%Y-%m-%d"))
    )
    pain = chance.integers(0, 11, ROWS).astype(str).astype(object)
    if dirty:
        pain[chance.random(ROWS) < 0.3] = "3-4"
        pain[chance.random(ROWS) < 0.1] = "n/a"
        pain[chance.random(ROWS) < 0.1] = "11"
    hours = np.round(chance.normal(7, 1, ROWS).clip(3, 11), 2)
    steps = chance.integers(0, 20_000, ROWS)
    pd.DataFrame({"date": dates, "pain": pain, "sleep": hours, "steps": steps}).to_csv(path, index=False)


def main() -> None:
    """Time a clean diary of a million days and a dirty one with 25 answers on each day."""
    with tempfile.TemporaryDirectory() as folder:
        for name, dirty in (("clean, a million days", False), ("dirty, 25 answers a day", True)):
            path = Path(folder) / "diary.csv"
            write(path, dirty=dirty)
            start = time.perf_counter()
            pd.read_csv(path)
            plain = time.perf_counter() - start
            start, busy = time.perf_counter(), time.process_time()
            diary = read_diary(path, outcomes=ANSWERS, units={"sleep": "h"}, reducer="mean")
            ours, busy = time.perf_counter() - start, time.process_time() - busy
            print(
                f"{name}: {ours:.1f} s ({busy:.1f} s of processor), {ours / plain:.0f} times pandas.read_csv; {diary.counts}"
            )


if __name__ == "__main__":
    main()
