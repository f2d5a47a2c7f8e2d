"""How long does it take to read 10 MB of text that nobody would call a diary?

Run: ``python benchmarks/hostile.py [NAME …]``; writes ``benchmarks/results/hostile.csv``.
Bar: under 10 s each, whatever is in it, and never a traceback. Peak memory is that of the process so far.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import acu_nof1 as acu
from acu_nof1.errors import AcuError

RESULTS = Path(__file__).parent / "results" / "hostile.csv"
SIZE, SEED = 10_000_000, 1
TITLES = b"date,nrs_pain\n"


def files() -> dict[str, bytes]:
    """Ten megabytes each, by what is in them."""
    rows = range(SIZE // 14)
    return {
        "commas.csv": b"," * SIZE,
        "blank_lines.csv": b"\n" * SIZE,
        "quotes.csv": b'"' * SIZE,
        "open_quote.csv": TITLES + b'"' + b"a,\n" * (SIZE // 3),
        "one_long_cell.csv": TITLES + b"2026-01-05," + b"9" * SIZE,
        "one_long_number.csv": TITLES + b"2026-01-05,1" + b"-" * SIZE,
        "spaces.csv": TITLES + b"2026-01-05," + b" " * SIZE + b"x",
        "one_day.csv": TITLES + b"2026-01-05,5\n" * (SIZE // 13),
        "different_numbers.csv": TITLES
        + b"".join(b"2026-01-%02d,%d.%07d\n" % (i % 28 + 1, i % 10, i) for i in range(SIZE // 21)),
        "different_words.csv": TITLES + b"".join(b"x%d,y%d\n" % (i, i) for i in rows),
        "different_ranges.csv": TITLES + b"".join(b"2026-01-05,%d to %d of\n" % (i, i) for i in range(SIZE // 30)),
        "doubtful_dates.csv": TITLES + b"".join(b"%d/%d/%d,5\n" % (i % 12 + 1, i % 12 + 1, i % 9999) for i in rows),
        "noise.csv": np.random.default_rng(SEED).bytes(SIZE),
        "many_columns.csv": b",".join(b"c%d" % i for i in range(16_000)) + b"\n" + (b"1," * 15_999 + b"1\n") * 310,
        "tabs.tsv": b"\t" * SIZE,
        "pipes.txt": (b"|" * 100 + b"\n") * (SIZE // 101),
        "deep.json": b"[" * SIZE,
        "deep_objects.json": b'{"a":' * (SIZE // 5),
        "records.json": b"["
        + b",".join(b'{"date":"2026-01-05","nrs_pain":%d}' % (i % 11) for i in range(SIZE // 37))
        + b"]",
        "many_keys.json": b"[{" + b",".join(b'"k%d":1' % i for i in range(SIZE // 12)) + b"}]",
        "long_integer.json": b'[{"nrs_pain":' + b"9" * SIZE + b"}]",
        "days.jsonl": b'{"date":"2026-01-05"}\n' * (SIZE // 22),
        "cut_off.xml": b"<HealthData>" + b"<Record/>" * (SIZE // 9),
    }


def read(path: Path) -> dict[str, str | float | int]:
    """Read it as a diary of pain; a complaint in words is an answer too."""
    start = time.perf_counter()
    try:
        said = f"{len(acu.read_diary(path, outcomes=[acu.OUTCOMES['nrs_pain']]).ledger)} cells in the ledger"
    except AcuError as complaint:
        said = str(complaint).splitlines()[0]
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"file": path.name, "seconds": round(seconds, 1), "peak_mb": peak, "said": said}


def main(names: list[str]) -> None:
    """Read each file in turn; all of them are written down only when all were read."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files().items():
            if names and name not in names:
                continue
            path = Path(folder, name)
            path.write_bytes(content)
            rows.append(read(path))
            path.unlink()
            print(*rows[-1].values(), sep="  ", flush=True)
    if not names:
        pd.DataFrame(rows).to_csv(RESULTS, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
