"""How long do all indices of single-case research take for 10,000 diaries?

Run: ``OMP_NUM_THREADS=1 python benchmarks/indices.py [DIARIES]``; writes ``benchmarks/results/indices.csv``.
84 days (14 + 70), 20 % missing, one core. Bar: under 60 s on two cores.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from calibration import PAIN, compared
from usual import versions

from acu_nof1.simulate import Design, Truth, simulate
from acu_nof1.single_case import INDICES, indices

RESULTS = Path(__file__).parent / "results" / "indices.csv"
DESIGN, SEED = Design(missing=0.2), 1


def main(diaries: int) -> None:
    """Ask everything once."""
    truth = Truth(change=-1.5, step=1, low=0, high=10)
    series = compared(simulate(DESIGN, truth, diaries, SEED).values, DESIGN, PAIN)
    start = time.perf_counter()
    found = indices(series)
    row = {
        "diaries": diaries, "indices": len({*found["index"]}), "of": len(INDICES), "rows": len(found),
        "seconds": round(time.perf_counter() - start, 1), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "date": datetime.now(UTC).date().isoformat(), "versions": versions(),
    }  # fmt: skip
    print(*row.values(), sep="  ")
    pd.DataFrame([row]).to_csv(RESULTS, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
