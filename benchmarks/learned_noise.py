"""Does an interval hold its promise when its noise prior was learned from a cohort, and how much narrower is it?

Run: ``python benchmarks/learned_noise.py [COHORTS]``; writes ``benchmarks/results/learned_noise.csv``.
People differ in autocorrelation, white noise and SD ratio; 20 % of their days are missing. Every person's interval of
the change at reassessment is made with the usual prior and with the one learned from the same cohort.
Bars: coverage of all people of a cell in [.93, .98]. The thirds are people by their own true day-to-day correlation:
a prior learned from all serves the unusual ones less well, and this is where it would show.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from calibration import compared

from acu_nof1.estimate.level import change_at_reassessment
from acu_nof1.explore.learned import learn_noise
from acu_nof1.simulate import Design, Truth, simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.random import Generator
    from numpy.typing import NDArray

    from acu_nof1.trial import Comparisons

    Floats = NDArray[np.float64]

RESULTS = Path(__file__).parent / "results" / "learned_noise.csv"
SEED, COHORTS, CHANGE = 20261126, 20, -1.5
DESIGNS = {"14+70": Design(missing=0.2), "28+84": Design(baseline=28, treatment=84, window=28, missing=0.2)}
PEOPLE = (30, 100, 400)
LOW, HIGH = 0.93, 0.98


def _alike(n: int, rng: Generator) -> tuple[Floats, Floats, Floats]:
    return np.clip(rng.normal(0.35, 0.1, n), 0, 0.9), np.zeros(n), np.ones(n)


def _unlike(n: int, rng: Generator) -> tuple[Floats, Floats, Floats]:
    return rng.beta(2, 2.5, n), rng.beta(1, 3, n), np.exp(rng.normal(0, 0.25, n))


def _independent(n: int, _: Generator) -> tuple[Floats, Floats, Floats]:
    return np.zeros(n), np.zeros(n), np.ones(n)


def _slow(n: int, rng: Generator) -> tuple[Floats, Floats, Floats]:
    return np.clip(rng.normal(0.75, 0.1, n), 0, 0.95), rng.beta(2, 4, n), np.exp(rng.normal(0.1, 0.2, n))


def _two_kinds(n: int, rng: Generator) -> tuple[Floats, Floats, Floats]:
    return np.where(rng.random(n) < 0.15, 0.85, 0.2), np.zeros(n), np.ones(n)


POPULATIONS: dict[str, Callable[[int, Generator], tuple[Floats, Floats, Floats]]] = {
    "much alike (phi .35, SD .1)": _alike,
    "unlike (phi 0 to 1, white noise, SDs differ)": _unlike,
    "independent days": _independent,
    "slow (phi .75), white noise": _slow,
    "85 % phi .2, 15 % phi .85": _two_kinds,
}


def cohort(
    of: Callable[[int, Generator], tuple[Floats, Floats, Floats]], n: int, design: Design, rng: Generator
) -> tuple[Comparisons, Floats]:
    """So many people's series, and how strongly neighbouring days of each are truly correlated."""
    phi, share, ratio = of(n, rng)
    truth = Truth(level=0.0, change=CHANGE, phi=phi, share=share, sd=1.0, sd_ratio=ratio)
    return compared(simulate(design, truth, n, rng).values, design), phi * (1 - share)


def rows(cohorts: int) -> Iterator[dict[str, str | float | int]]:
    """One row for each population, design, size of cohort and prior, of all people and of each third of them."""
    for (population, of), (name, design), people in product(POPULATIONS.items(), DESIGNS.items(), PEOPLE):
        rng = np.random.default_rng(SEED)
        repeats = max(2, cohorts * 100 // people)
        covered: dict[str, list[Floats]] = {"usual": [], "learned": []}
        widths: dict[str, list[Floats]] = {"usual": [], "learned": []}
        nearness = []
        for _ in range(repeats):
            series, near = cohort(of, people, design, rng)
            nearness.append(near.argsort().argsort() * 3 // people)
            for prior, noise in (("usual", None), ("learned", learn_noise(series).by_outcome)):
                low, high = change_at_reassessment(series, noise).distribution.quantile(np.array([0.025, 0.975])).T
                covered[prior].append((low <= CHANGE) & (high >= CHANGE))
                widths[prior].append(high - low)
        third = np.concatenate(nearness)
        for prior, (label, which) in product(
            covered, (("all", third >= 0), *((f"third {k + 1}", third == k) for k in range(3)))
        ):
            usual = np.concatenate(widths["usual"])
            which = which & np.isfinite(usual)  # a few have too few answered days
            hit, wide, usual = np.concatenate(covered[prior])[which], np.concatenate(widths[prior])[which], usual[which]
            bound = prior == "learned" and label == "all"
            yield {
                "population": population, "design": name, "people": people, "cohorts": repeats, "prior": prior, "of": label,
                "coverage": round(hit.mean(), 4), "mc_se": round(np.sqrt(hit.mean() * (1 - hit.mean()) / hit.size), 4),
                "median_width": round(float(np.median(wide)), 3), "width_over_usual": round(float(np.median(wide / usual)), 3),
                "passed": (LOW <= hit.mean() <= HIGH) if bound else "",
            }  # fmt: skip


def main(cohorts: int) -> None:
    """Print as it goes; write when all is done."""
    table = []
    for row in rows(cohorts):
        table.append(row)
        if row["of"] == "all":
            print(*row.values(), sep="  ", flush=True)
    pd.DataFrame(table).assign(seed=SEED).to_csv(RESULTS, index=False, lineterminator="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COHORTS)
