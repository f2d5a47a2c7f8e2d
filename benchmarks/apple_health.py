"""How long does a large Apple Health export take to read, and how much memory? Generated, in fresh processes.

Run: ``nice python benchmarks/apple_health.py [GB]``; writes ``benchmarks/results/apple_health.csv``. It needs room for
one export in the folder for temporary files, and removes it. Bars, for 1 GB: peak memory of the whole process under
300 MB, seconds for each MB at most 1.3 times those at a quarter of the size, progress shown at least every percent.
"""

from __future__ import annotations

import csv
import datetime as dt
import platform
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO

RESULTS = Path(__file__).parent / "results" / "apple_health.csv"
GB = 1024**3
SHARES = (0.25, 0.5, 1.0)
PEAK_MB, GROWTH = 300.0, 1.3
READ = """
import resource, sys, time
from pathlib import Path
from acu_nof1.load import read_diary
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.protocol import DiaryFile
shown = []
start = time.process_time()
diary = read_diary(sys.argv[1], outcomes=[OUTCOMES["csd_tst"], OUTCOMES["csd_se"]], progress=shown.append)
busy = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
steps = [b - a for a, b in zip([0.0, *shown], shown)]
print(busy, peak, len(diary.values), diary.counts.ignored, max(steps), shown[-1])
"""
DEVICE = (
    'device="&lt;&lt;HKDevice: 0x2828d1400&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, '
    'hardware:Watch6,4, software:9.1&gt;"'
)


def record(kind: str, start: dt.datetime, seconds: int, value: str, zone: str = "") -> str:
    """One record as a watch writes it."""
    written, end = (
        f"{start:%Y-%m-%d %H:%M:%S} +0000",
        f"{start + dt.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S} +0000",
    )
    head = (
        f' <Record type="{kind}" sourceName="Watch" sourceVersion="9.1" {DEVICE} unit="count" creationDate="{end}" '
        f'startDate="{written}" endDate="{end}" value="{value}"'
    )
    return f'{head}>\n  <MetadataEntry key="HKTimeZone" value="{zone}"/>\n </Record>\n' if zone else f"{head}/>\n"


def day(number: int) -> str:
    """A night in 24 stages and two thousand heart rates: about 0.9 MB."""
    evening = dt.datetime(2010, 1, 1, 23) + dt.timedelta(days=number)
    stages = ("AsleepCore", "AsleepDeep", "AsleepREM", "Awake")
    sleep = [
        record(
            "HKCategoryTypeIdentifierSleepAnalysis",
            evening + dt.timedelta(minutes=10 + 20 * part),
            1200,
            f"HKCategoryValueSleepAnalysis{stages[part % 4 if part < 23 else 0]}",
            "Europe/London",
        )
        for part in range(24)
    ]
    in_bed = record("HKCategoryTypeIdentifierSleepAnalysis", evening, 30_000, "HKCategoryValueSleepAnalysisInBed")
    hearts = [
        record("HKQuantityTypeIdentifierHeartRate", evening + dt.timedelta(seconds=43 * i), 0, str(60 + i % 40))
        for i in range(2_000)
    ]
    return "".join((in_bed, *sleep, *hearts))


def write(stream: IO[bytes], size: int) -> int:
    """Write an export of about this size; how many nights does it hold?"""
    written = stream.write(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE HealthData [\n]>\n<HealthData locale="en_GB">\n'
    )
    nights = 0
    while written < size:
        written += stream.write(day(nights).encode())
        nights += 1
    stream.write(b"</HealthData>\n")
    return nights


def read(path: Path, nights: int) -> dict[str, float]:
    """Read it in a fresh process: processor time, peak memory, the longest step of the progress."""
    done = subprocess.run([sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True)
    busy, peak, found, ignored, step, last = map(float, done.stdout.split())
    if (found, ignored, last) != (nights, 2_000 * nights, 1.0):
        raise SystemExit(f"{path.name}: {found} nights and {ignored} left out, of {nights} and {2_000 * nights}")
    return {"seconds": busy, "peak_mb": peak, "longest_step": step}


def main(gigabytes: float) -> None:
    """Measure a quarter, a half and the whole size, and the whole size in its zip."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export.xml"
        for share in SHARES:
            with path.open("wb") as stream:
                nights = write(stream, int(share * gigabytes * GB))
            rows.append(
                {"what": "export.xml", "mb": path.stat().st_size / 1024**2, "nights": nights, **read(path, nights)}
            )
        archive = path.with_suffix(".zip")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            target.write(path, "apple_health_export/export.xml")
        rows.append(
            {**rows[-1], "what": f"its zip of {archive.stat().st_size / 1024**2:.0f} MB", **read(archive, nights)}
        )
    with RESULTS.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(
            [
                "what",
                "mb",
                "nights",
                "seconds",
                "mb_per_second",
                "growth",
                "peak_mb",
                "longest_step",
                "passed",
                "python",
            ]
        )
        for row in rows:
            pace = row["seconds"] / row["mb"]
            growth = pace / (rows[0]["seconds"] / rows[0]["mb"])
            passed = row["peak_mb"] < PEAK_MB and growth <= GROWTH and row["longest_step"] <= max(0.01, 1.1 / row["mb"])
            numbers = (f"{row['mb']:.0f}", row["nights"], f"{row['seconds']:.1f}", f"{1 / pace:.0f}", f"{growth:.2f}",
                       f"{row['peak_mb']:.0f}", f"{row['longest_step']:.4f}")  # fmt: skip
            table.writerow([row["what"], *numbers, "yes" if passed else "no", platform.python_version()])
            print(row["what"], *numbers, "passed" if passed else "MISSED")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
