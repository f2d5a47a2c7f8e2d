"""How long does one person's diary take out of a REDCap export of 10,000 rows and 200 columns, against pandas alone?

Run: ``python benchmarks/redcap.py [REPEATS]``; writes ``benchmarks/results/redcap.csv``.
Bars: under 3 s on 2 cores, and at most 6 times ``pandas.read_csv`` of the same file, in one process.
"""

from __future__ import annotations

import csv
import datetime as dt
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import acu_nof1 as acu
from acu_nof1.protocol import DiaryFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RESULTS = Path(__file__).parent / "results" / "redcap.csv"
ROWS, COLUMNS, PEOPLE, SEED = 10_000, 200, 100, 1
SYSTEM = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]


def written(path: Path) -> None:
    """Write an export of 100 people: a diary form with ratings and boxes that repeats, and a form nobody filled in."""
    rng = np.random.default_rng(SEED)
    days = ROWS // PEOPLE
    ratings, boxes = [f"item_{n}" for n in range(130)], [f"signs___{n}" for n in range(30)]
    blank = [f"other_{n}" for n in range(COLUMNS - len(SYSTEM) - len(ratings) - len(boxes) - 3)]
    with path.open("w", newline="", encoding="utf-8") as stream:
        write = csv.writer(stream)
        write.writerow([*SYSTEM, "diary_date", *ratings, *boxes, "daily_diary_complete", *blank, "other_complete"])
        for row in range(ROWS):
            day = dt.date(2026, 1, 1) + dt.timedelta(days=row % days)
            answers = [*rng.integers(0, 11, len(ratings)), *rng.integers(0, 2, len(boxes))]
            who = [f"R-{row // days:03}", "treatment_arm_1", "daily_diary", row % days + 1]
            write.writerow([*who, day, *answers, 2, *[""] * len(blank), ""])


def seconds(actions: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the median time of each over so many rounds, in which they take turns; the first round warms up."""
    taken: list[list[float]] = [[] for _ in actions]
    for _ in range(repeats + 1):
        for action, times in zip(actions, taken, strict=True):
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
    return [statistics.median(times[1:]) for times in taken]


def main(repeats: int) -> None:
    """Read one person's pain, function and flares; every cell of the file is looked at for that."""
    pain, stress, flare = (acu.OUTCOMES[name] for name in ("nrs_pain", "nrs_stress", "flare_day"))
    columns = {"nrs_pain": "item_0", "nrs_stress": "item_1", "flare_day": "signs___1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redcap.csv"
        written(path)
        file = DiaryFile(file=path.name, columns=columns, person="R-007")
        diary = acu.read_diary(file, outcomes=[pain, stress, flare], folder=path.parent)
        assert len(diary.values) == ROWS // PEOPLE
        ways = {
            "acu_nof1": lambda: acu.read_diary(file, outcomes=[pain, stress, flare], folder=path.parent),
            "pandas.read_csv": lambda: pd.read_csv(path),
            "pandas.read_csv as text": lambda: pd.read_csv(path, dtype=str, keep_default_na=False),
        }
        taken = dict(zip(ways, seconds(list(ways.values()), repeats), strict=True))
    with RESULTS.open("w", newline="", encoding="utf-8") as stream:
        write = csv.writer(stream)
        write.writerow(["what", "seconds", "times_read_csv"])
        for what, each in taken.items():
            times = each / taken["pandas.read_csv"]
            write.writerow([what, f"{each:.3f}", f"{times:.2f}"])
            print(f"{what:<26} {each:6.3f} s   {times:5.2f} times pandas.read_csv")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
