"""Do a clinic's pooled interval and its prediction interval hold, from simulated days to the pooled number?

Run: ``python benchmarks/clinics.py [CLINICS]``; writes ``benchmarks/results/clinics.csv``.
Each clinic's people have their own true change, autocorrelation, level and SD; their days are whole numbers, a fifth of
them missing. Every diary is reassessed, and the changes are pooled (REML, Knapp-Hartung) as `acu-nof1 cohort` does.
Bars, over 200 clinics of 60 people: the pooled 95 % interval holds the mean in [.93, .97], the prediction interval the next
person's true change in [.92, .98] (its chance is computed, not drawn).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pandas as pd
from calibration import PAIN, compared
from scipy.special import ndtr

from acu_nof1 import compiled
from acu_nof1.cohort import Cohort, Reassessments
from acu_nof1.cohort.pooling import pooled
from acu_nof1.estimate import estimate_all
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT
from acu_nof1.simulate import Design, Truth, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.explore.pool import Pooled

RESULTS = Path(__file__).parent / "results" / "clinics.csv"
SEED, CLINICS, MEAN = 20261126, 200, -1.4
DESIGN = Design(baseline=21, missing=0.2)
BARS = {(60, 0.8)}
POOLED, PREDICTION = (0.93, 0.97), (0.92, 0.98)


def clinics(count: int, people: int, tau: float) -> Iterator[Pooled]:
    """The pooled change of so many clinics."""
    rng = np.random.default_rng([SEED, people, round(100 * tau)])
    size = count * people
    truth = Truth(
        level=rng.normal(6, 0.7, size), change=rng.normal(MEAN, tau, size), phi=rng.beta(2, 3, size),
        sd=np.exp(rng.normal(np.log(1.2), 0.2, size)), step=1, shape="gradual",
    )  # fmt: skip
    series = compared(simulate(DESIGN, truth, size, rng).values, DESIGN, PAIN)
    for start in range(0, size, people):
        some = replace(series.take(np.arange(start, start + people)), person=tuple(map(str, range(people))))
        cohort = Cohort(pd.DataFrame({"person": some.person, "overruled": ""}), pd.DataFrame(), some)
        yield pooled(Reassessments(cohort, estimate_all(some, [CHANGE_AT_REASSESSMENT])))


def cell(count: int, people: int, tau: float) -> dict[str, object]:
    """One row: how often the intervals hold."""
    found = [each for each in clinics(count, people, tau) if each.status == "ok"]
    low, high, first, last, taus, widths = np.array([
        (each.low, each.high, each.prediction_low, each.prediction_high, each.tau, each.high - each.low) for each in found
    ]).T  # fmt: skip
    covers = ((low <= MEAN) & (high >= MEAN)).mean()
    spread = max(tau, 1e-12)
    next_one = float(np.mean(ndtr((last - MEAN) / spread) - ndtr((first - MEAN) / spread)))
    bound = (people, tau) in BARS
    return {
        "people": people, "tau": tau, "clinics": count, "estimable": len(found), "pooled_coverage": round(covers, 4),
        "mc_se": round(float(np.sqrt(covers * (1 - covers) / len(found))), 4), "prediction_coverage": round(next_one, 4),
        "median_tau": round(float(np.median(taus)), 3), "median_width": round(float(np.median(widths)), 3),
        "passed": (POOLED[0] <= covers <= POOLED[1]) and (PREDICTION[0] <= next_one <= PREDICTION[1]) if bound else "",
        "seed": SEED, "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


def main(count: int) -> None:
    """Print as it goes; write when all is done."""
    rows = []
    for people, tau in ((60, 0.8), (60, 0.4), (20, 0.8), (150, 0.8)):
        with mock.patch.object(compiled, "WORTH_COMPILING", 0):  # the same numbers, sooner
            rows.append(cell(count, people, tau))
        print(*rows[-1].values(), sep="  ", flush=True)
    pd.DataFrame(rows).to_csv(RESULTS, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CLINICS)
