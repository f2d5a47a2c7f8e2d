"""How many series a second? Our two modes against statsmodels (and R's nlme where it is installed), in one run.

    python benchmarks/speed.py --series 4000

84 days (14 + 70), 20 % missing, AR(.4). Times are processor time of one core, the best of three runs after a first one
that compiles; machines differ, so read the ratios. "every field" is the estimator as it is called, with intervals,
levels, chances, bands, noise and the table; "kernel" is the fit alone. Memory is the peak of what Python and NumPy
hold while a batch is answered and while a quarter of it is, and what one more series adds to that peak: an estimator
answers a cohort in parts, the bare kernel keeps every posterior.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pandas as pd
from calibration import DESIGNS, MODES, ar, draw, generator
from usual import glsar, sarimax, versions

from acu_nof1 import compiled
from acu_nof1.estimate import columns as engine
from acu_nof1.estimate import kernel
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT, MEAN_CHANGE, phase_levels, window_question

if TYPE_CHECKING:
    from collections.abc import Callable

    from acu_nof1.estimate import Estimator
    from acu_nof1.trial import Comparisons

GATES = {"AR(1), mean change, every field": 50_000, "robust, mean change, every field": 3_000}
"""Series a second."""
SLOW = 200
R_SCRIPT = """
suppressMessages(library(nlme)); d <- read.csv(commandArgs(TRUE)[1]); start <- proc.time()[1]
for (one in split(d, d$series)) try(gls(y ~ x, one, corCAR1(form = ~ day), method = "REML"), silent = TRUE)
cat(proc.time()[1] - start)
"""


def series_of(n: int) -> Comparisons:
    """Diaries to be timed."""
    return draw(DESIGNS["14+70"], ar(0.4), "step", n, generator(1, "speed"), missing=0.2).comparisons


def kernel_only(comparisons: Comparisons, question: Callable[[Comparisons], engine.Question], mode: str) -> None:
    """Fit the change alone."""
    asked = question(comparisons)
    contrast = asked.contrasts[:, engine.CHANGE : engine.CHANGE + 1]
    kernel.fit(comparisons.values, asked.columns, comparisons.treated, contrast, MODES[mode])


def every_field(comparisons: Comparisons, estimator: Estimator, mode: str) -> None:
    """Ask the estimator, with the noise of this mode."""
    replace(estimator, solve=partial(estimator.solve, noise=MODES[mode]))(comparisons)


def tasks() -> dict[str, Callable[[Comparisons], None]]:
    """What is timed, by name."""
    questions = {
        "mean change": (phase_levels, MEAN_CHANGE),
        "change at reassessment": (window_question, CHANGE_AT_REASSESSMENT),
    }
    found: dict[str, Callable[[Comparisons], None]] = {}
    for mode in MODES:
        for name, (question, estimator) in questions.items():
            found[f"{mode}, {name}, kernel"] = lambda c, q=question, m=mode: kernel_only(c, q, m)
            found[f"{mode}, {name}, every field"] = lambda c, e=estimator, m=mode: every_field(c, e, m)
    return found


def seconds(run: Callable[[], None], repeats: int = 3) -> float:
    """Processor time of the best of some runs, after a first one."""
    run()
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def peak_megabytes(run: Callable[[], None]) -> float:
    """The most that Python and NumPy hold at once."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def nlme_seconds(comparisons: Comparisons) -> float | None:
    """Processor time of R's nlme::gls with corCAR1; None where R is not installed."""
    if shutil.which("Rscript") is None:
        return None
    rows, days = np.nonzero(comparisons.answered)
    table = pd.DataFrame({
        "series": rows, "day": days, "y": comparisons.values[rows, days], "x": comparisons.treated[rows, days].astype(int),
    })  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        table.to_csv(Path(folder) / "series.csv", index=False)
        (Path(folder) / "time.R").write_text(R_SCRIPT)
        done = subprocess.run(
            ["Rscript", f"{folder}/time.R", f"{folder}/series.csv"], capture_output=True, text=True, check=False
        )
    return float(done.stdout) if done.returncode == 0 else None


def ours(n: int) -> list[dict[str, object]]:
    """Rows of our modes, compiled and not, and their memory at two sizes."""
    rows, large, small = [], series_of(n), series_of(max(n // 4, 400))
    for name, task in tasks().items():
        best = seconds(lambda task=task: task(large))
        memory = [peak_megabytes(lambda task=task, of=of: task(of)) for of in (small, large)]
        rows.append({
            "what": name, "series": n, "per_second": n / best, "peak_mb_quarter": memory[0], "peak_mb": memory[1],
            "kb_a_series": 1e3 * (memory[1] - memory[0]) / (len(large) - len(small)), "compiled": compiled.available(),
        })  # fmt: skip
    few = series_of(SLOW)
    with mock.patch.object(compiled, "WORTH_COMPILING", np.inf):
        for name, task in tasks().items():
            best = seconds(lambda task=task: task(few), 2)
            rows.append({"what": name, "series": SLOW, "per_second": SLOW / best, "compiled": False})
    return rows


def others() -> list[dict[str, object]]:
    """Rows of statsmodels and nlme on the same series."""
    few = series_of(SLOW)
    treated = few.treated[0]
    rows: list[dict[str, object]] = []
    for name, method, count in (("GLSAR (statsmodels)", glsar, SLOW), ("SARIMAX (statsmodels)", sarimax, 40)):
        best = seconds(lambda method=method, count=count: method(few.values[:count], treated), 1)
        rows.append({"what": name, "series": count, "per_second": count / best, "compiled": False})
    with_r = nlme_seconds(few)
    if with_r is None:
        print("R is not installed: nlme::gls is left out")
    else:
        rows.append({"what": "gls (nlme, R)", "series": SLOW, "per_second": SLOW / with_r, "compiled": False})
    return rows


def main() -> None:
    """Time everything and say by how many times we are faster."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=4000)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/speed.csv"))
    chosen = parser.parse_args()
    table = pd.DataFrame(ours(chosen.series) + others())
    peer = table.set_index("what")["per_second"]
    table["times_sarimax"] = table["per_second"] / peer["SARIMAX (statsmodels)"]
    table["times_glsar"] = table["per_second"] / peer["GLSAR (statsmodels)"]
    table["gate"] = [
        GATES.get(what, np.nan) if fast else np.nan for what, fast in zip(table["what"], table["compiled"], strict=True)
    ]
    table["passed"] = np.where(table["gate"].isna(), "", np.where(table["per_second"] >= table["gate"], "yes", "no"))
    table["date"], table["versions"] = datetime.now(UTC).date().isoformat(), versions()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, index=False, float_format="%.4g")
    print(table.drop(columns=["date", "versions"]).to_string(index=False, float_format="%.4g"))


if __name__ == "__main__":
    main()
