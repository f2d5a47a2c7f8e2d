"""Do the pooled intervals hold what they say: the mean, the next person, each person, the share with an important gain?

    OMP_NUM_THREADS=1 python benchmarks/pooling.py             all cells, 2,000 cohorts each (five minutes on one core)
    OMP_NUM_THREADS=1 python benchmarks/pooling.py --n 200     a first look

A cohort has k people. True gains are N(1.4, τ²), in points of a 0-10 scale. Standard errors are those of diaries of unlike
length and noise: log-normal, median 0.6, nine in ten between 0.26 and 1.4, and known. The important change is 2. Of every
cohort the next person's true gain is drawn too.

Rows: `mean` and `next person` for each way of pooling; `each person` counts all shrunken intervals of a cohort; `such people`
is the share of N(1.4, τ²) beyond 2; `these people` the share of true gains beyond 2 among the k, from the pooled people, and
`these people, chances` from each one's own chance alone, in 250 cohorts; `bias` is that of the point. Results go to benchmarks/results/pooling.csv.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd
from calibration import generator
from numpy.typing import NDArray
from scipy.special import ndtr
from usual import versions

from acu_nof1.explore.pool import pool
from acu_nof1.explore.random_effects import Method, RandomEffects, random_effects
from acu_nof1.explore.shares import Share, share_by_chances, share_of_such_people, share_of_these

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.random import Generator

Floats = NDArray[np.float64]
PEOPLE, BETWEEN = (20, 40, 60), (0.0, 0.5, 1.0, 1.5)
MEAN, IMPORTANT, LEVEL = 1.4, 2.0, 0.95
MEDIAN_SE, SPREAD_SE = 0.6, 0.5
AT_ONCE, SHARES = 250, 250
BOUNDS = {"mean": (0.93, 0.97), "next person": (0.92, 0.98)}
"""Of Knapp and Hartung's; the next person's with 60 people who differ."""


def draw(k: int, tau: float, n: int, rng: Generator) -> tuple[Floats, Floats, Floats]:
    """Estimates, standard errors and true gains of n cohorts, (n, k) each."""
    se = MEDIAN_SE * np.exp(SPREAD_SE * rng.standard_normal((n, k)))
    true = MEAN + tau * rng.standard_normal((n, k))
    return true + se * rng.standard_normal((n, k)), se, true


def in_parts(y: Floats, se: Floats, method: Method, knapp_hartung: bool) -> Iterator[tuple[slice, RandomEffects]]:
    """Fit cohorts, some at once."""
    for start in range(0, len(y), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        x = np.ones((*y[some].shape, 1))
        yield some, random_effects(y[some], se[some] ** 2, x, method=method, knapp_hartung=knapp_hartung)


def intervals(y: Floats, se: Floats, true: Floats, ahead: Floats, **how: Any) -> list[dict[str, Any]]:
    """How often mean, next person and each person lie in their intervals, and how wide these are."""
    held: dict[str, list[Floats]] = {"mean": [], "next person": [], "each person": []}
    width: dict[str, list[Floats]] = {name: [] for name in held}
    off: list[Floats] = []
    for some, found in in_parts(y, se, **how):
        t, mean, variance = found.critical(LEVEL), found.fit.coefficient[:, 0], found.covariance[:, 0, 0]
        drawn, error = found.shrunken
        for name, value, centre, size in (
            ("mean", MEAN, mean, np.sqrt(variance)),
            ("next person", ahead[some], mean, np.sqrt(variance + found.tau2)),
            ("each person", true[some], drawn, error),
        ):
            inside = np.abs(value - centre) <= t * size
            held[name].append(inside.reshape(len(mean), -1).mean(axis=1))
            width[name].append(2 * t * size.reshape(len(mean), -1).mean(axis=1))
        off.append(mean - MEAN)
    return [
        {"of": name, **how, **coverage(np.concatenate(held[name]), np.concatenate(width[name]))}
        | ({"bias": float(np.concatenate(off).mean())} if name == "mean" else {})
        for name in held
    ]


def coverage(held: Floats, width: Floats) -> dict[str, float]:
    """Mean share held, with its Monte Carlo error, and mean width."""
    error = float(held.std() / np.sqrt(len(held)))
    return {"n": len(held), "coverage": float(held.mean()), "mc_se": error, "width": float(width.mean())}


def shares(y: Floats, se: Floats, true: Floats, tau: float, seed: int) -> list[dict[str, Any]]:
    """The same for shares of people with an important gain."""
    found: dict[str, list[tuple[Share, float]]] = {"such people": [], "these people, chances": [], "these people": []}
    of_all = float(ndtr((MEAN - IMPORTANT) / tau)) if tau else 0.0
    for i in range(len(y)):
        one, of_these = pool(y[i], se[i]), float((true[i] >= IMPORTANT).mean())
        found["such people"].append((share_of_such_people(one, IMPORTANT, 1, seed=seed + i), of_all))
        found["these people, chances"].append((share_by_chances(ndtr((y[i] - IMPORTANT) / se[i])), of_these))
        found["these people"].append((share_of_these(one, IMPORTANT, 1, seed=seed + i), of_these))
    rows = []
    for name, each in found.items():
        low, high, point = (np.array([getattr(share, end) for share, _ in each]) for end in ("low", "high", "share"))
        truth = np.array([value for _, value in each])
        held = ((low <= truth + 1e-9) & (truth - 1e-9 <= high)).astype(float)
        bias = float((point - truth).mean())
        rows.append({"of": name, "method": "REML", **coverage(held, high - low), "bias": bias})
    return rows


def cell(k: int, tau: float, n: int, seed: int) -> list[dict[str, Any]]:
    """All of one number of people and one τ."""
    rng = generator(seed, f"pooling {k} {tau}")
    y, se, true = draw(k, tau, n, rng)
    ahead = MEAN + tau * rng.standard_normal(n)
    rows = []
    for method, knapp_hartung in product(get_args(Method), (True, False)):
        rows += intervals(y, se, true, ahead, method=method, knapp_hartung=knapp_hartung)
    some = slice(0, min(n, SHARES))
    rows += shares(y[some], se[some], true[some], tau, seed)
    return [{"people": k, "tau": tau} | row | judged(row, k, tau) for row in rows]


def judged(row: dict[str, Any], k: int, tau: float) -> dict[str, Any]:
    """Hold a row to its bound, where it has one."""
    if row["of"] not in BOUNDS or not row["knapp_hartung"] or (row["of"] == "next person" and (k < 60 or not tau)):
        return {}
    low, high = BOUNDS[row["of"]]
    return {"bound_low": low, "bound_high": high, "passed": "yes" if low <= row["coverage"] <= high else "no"}


def main() -> None:
    """Run all cells and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = parser.parse_args()
    stamp = {"seed": chosen.seed, "date": datetime.now(UTC).date().isoformat(), "versions": versions()}
    table = []
    for k, tau in product(PEOPLE, BETWEEN):
        found = cell(k, tau, chosen.n, chosen.seed)
        table += [row | stamp for row in found]
        print(pd.DataFrame(found).round(3).to_string(index=False), flush=True)
    chosen.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table).to_csv(chosen.out / "pooling.csv", index=False, float_format="%.5f")


if __name__ == "__main__":
    main()
