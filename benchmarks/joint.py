"""Does the chance of several important gains together come true? Stated by the copula, and as if outcomes were strangers.

    python benchmarks/joint.py              all cells, 2,000 pairs of diaries each (two minutes on one core)
    python benchmarks/joint.py --n 200      a first look

People (14 + 70 days, 20 % missing, SD in (.8, 1.8), phi in (0, .85)) keep two diaries whose noise is shared in part. To a
flat prior it is all one where the truth lies; what counts is how far from the estimate the agreed change lies. So the
agreed change of each outcome is drawn: its stated chance is uniform on (0, 1), ten times for every pair. What is then off
is the joining and not the prior. The last cells are another matter: the people of gate G4 (change N(-1.2, 1.5²), important
change 1), whom a flat prior does not know.

Beside the copula stands the product of the two chances ("independent"). `true_correlation` is that of the errors of the two
estimates, as normal scores of F(truth). Results go to benchmarks/results/joint.csv, a row for each cell, rule and method.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from calibration import (
    CHANGE,
    DESIGNS,
    HEADACHE,
    IMPORTANT,
    RATING,
    batches,
    calibration_error,
    compared,
    counted,
    generator,
    recalibration_slope,
    solve,
    too_few,
    window_question,
)
from numpy.typing import NDArray
from scipy.special import ndtri
from usual import versions

from acu_nof1.estimate.days import days_per_28
from acu_nof1.explore.joint import Dependence, News, chance_of_all, chance_of_any, dependence, news
from acu_nof1.interpret import LIKELY, UNLIKELY
from acu_nof1.simulate import Truth, latent_days, missing_days, noise, realise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.random import Generator

    from acu_nof1.outcomes import Outcome

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DESIGN = DESIGNS["14+70"]
CUTS = 10  # agreed changes drawn for every pair
DAY_SHARES = (0.5, 0.35)  # of yes-days before and after
DAYS_CHANGE = 28 * (DAY_SHARES[1] - DAY_SHARES[0])


@dataclass(frozen=True)
class Cell:
    """Two diaries: how much of their noise they share, what else is so of them, and of whom they are.

    `people` is the correlation of the true gains of the people of G4; NaN where the agreed change is drawn.
    """

    label: str
    shared: float
    unlike: bool = False
    own: Literal["", "white", "slow"] = ""
    apart: bool = False
    yes_no: bool = False
    people: float = np.nan


CELLS = (
    Cell("no noise shared", 0.0),
    Cell("correlation .4", 0.4),
    Cell("correlation .8", 0.8),
    Cell("correlation -.5", -0.5),
    Cell("correlation .8, days missing apart", 0.8, apart=True),
    Cell("correlation .6, unlike noise", 0.6, unlike=True),
    Cell("slow part shared, own white noise", 0.6, own="white"),
    Cell("white noise shared, own slow part", 0.6, own="slow"),
    Cell("yes/no days beside a rating, latent .8", 0.8, yes_no=True),
    Cell("correlation .6, people of G4, gains apart", 0.6, people=0.0),
    Cell("correlation .6, people of G4, gains correlated .7", 0.6, people=0.7),
)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Diaries of two outcomes and their true changes; both better when lower."""

    values: tuple[Floats, Floats]
    outcomes: tuple[Outcome, Outcome]
    changes: tuple[Floats, Floats]


def units(cell: Cell, n: int, rng: Generator) -> tuple[Floats, Floats]:
    """Noise of unit SD for both diaries."""
    days, rho = DESIGN.days, cell.shared
    phi = rng.uniform(0, 0.85, n)
    first = noise(n, days, phi=phi, seed=rng)
    if cell.own:
        white = rng.standard_normal((3, n, days))
        slow = [noise(n, days, phi=phi, seed=rng) for _ in range(2)]
        if cell.own == "slow":
            first, white[:2] = white[2], slow
        return (np.sqrt(rho) * first + np.sqrt(1 - rho) * white[0], np.sqrt(rho) * first + np.sqrt(1 - rho) * white[1])
    other = rng.uniform(0, 0.85, n) if cell.unlike else phi
    return first, rho * first + np.sqrt(1 - rho**2) * noise(n, days, phi=other, seed=rng)


def draw(cell: Cell, n: int, rng: Generator) -> Pairs:
    """Draw `n` pairs."""
    noises = units(cell, n, rng)
    common, gains = rng.standard_normal(n), np.nan_to_num(cell.people)
    changes = [-1.2 + 1.5 * (np.sqrt(gains) * common + np.sqrt(1 - gains) * rng.standard_normal(n)) for _ in range(2)]
    full = [realise(DESIGN, Truth(level=0.0, change=change, shape="step", sd=rng.uniform(0.8, 1.8, n)), unit)
            for change, unit in zip(changes, noises, strict=True)]  # fmt: skip
    values = [each.values for each in full]
    if cell.yes_no:
        probability = np.where(np.arange(DESIGN.days) < DESIGN.baseline, *DAY_SHARES)
        values[1], changes[1] = latent_days(noises[1], probability).astype(float), np.full(n, DAYS_CHANGE)
    blank = missing_days(n, DESIGN.days, 0.2, seed=rng)
    for each in values:
        each[missing_days(n, DESIGN.days, 0.2, seed=rng) if cell.apart else blank] = np.nan
    outcomes = (RATING, HEADACHE if cell.yes_no else RATING)
    return Pairs((values[0], values[1]), outcomes, (changes[0], changes[1]))


def one_outcome(values: Floats, outcome: Outcome, change: Floats) -> tuple[Floats, News]:
    """F(-important change) and F(true change) of every series (NaN where there is no estimate), and its news."""
    below, found = [], []
    for rows in batches(compared(values, DESIGN, outcome)):
        some = compared(values[rows], DESIGN, outcome)
        if outcome.kind == "yes_no":
            distribution = days_per_28(some).distribution
        else:
            reasons = too_few(counted(some.baseline, some), counted(some.window, some), "after")
            fits = solve(some, window_question(some), reasons)
            distribution = fits.distribution(lambda each: each.mixture(CHANGE))
        below.append(distribution.cdf(np.stack([np.full(len(some), -IMPORTANT), change[rows]], axis=1)))
        found.append(news(some))
    return np.concatenate(below), joined(found)


def joined(parts: Sequence[News]) -> News:
    """News of several batches as one."""
    return News(*(np.concatenate([getattr(each, name) for each in parts]) for name in ("days", "weight", "parameters")))


def together(first: News, second: News, i: int) -> Dependence:
    """How the two gains of pair `i` go together."""
    return dependence(joined([first.take([i]), second.take([i])]), (-1, -1))


RULES: dict[str, tuple[Callable[[Floats, Dependence], float], Callable[[Floats], Floats], Any]] = {
    "all": (chance_of_all, lambda p: np.prod(p, axis=-1), np.logical_and),
    "any": (chance_of_any, lambda p: 1 - np.prod(1 - p, axis=-1), np.logical_or),
}


def measured(probability: Floats, true: Bools) -> dict[str, float]:
    """How well these statements, (pairs, cuts), come true; standard errors between pairs."""
    off = (probability - true).mean(axis=1)
    p, t = probability.ravel(), true.ravel()
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    sure, unlikely = p >= LIKELY, p <= UNLIKELY
    return {
        "pairs": len(off), "stated": float(p.mean()), "true": float(t.mean()),
        "off": float(off.mean()), "off_se": float(off.std() / np.sqrt(len(off))),
        "calibration_error": calibration_error(p, t), "slope": recalibration_slope(p, t),
        "log_score": float(-np.log(np.where(t, safe, 1 - safe)).mean()),
        "met": float(sure.mean()), "met_true": float(t[sure].mean()),
        "not_met": float(unlikely.mean()), "not_met_true": float(t[unlikely].mean()),
    }  # fmt: skip


def rows(cell: Cell, n: int, seed: int) -> list[dict[str, Any]]:
    """Simulate a cell and measure both rules, by copula and as independent; and each chance on its own."""
    rng = generator(seed, f"joint {cell.label}")
    pairs = draw(cell, n, rng)
    (at_first, first), (at_second, second) = (
        one_outcome(*each) for each in zip(pairs.values, pairs.outcomes, pairs.changes, strict=True)
    )
    kept = np.flatnonzero(np.isfinite(at_first[:, 1]) & np.isfinite(at_second[:, 1]))
    transform = np.stack([at_first[kept, 1], at_second[kept, 1]], axis=1)
    if np.isnan(cell.people):
        chances = rng.random((len(kept), CUTS, 2))
        true = transform[:, None, :] <= chances
    else:
        chances = np.stack([at_first[kept, 0], at_second[kept, 0]], axis=1)[:, None, :]
        true = np.stack([each[kept] <= -IMPORTANT for each in pairs.changes], axis=1)[:, None, :]
    found = [together(first, second, int(i)) for i in kept]
    correlation = np.array([each.correlation[0, 1] for each in found])
    known = {
        "drawn": n, "correlation": float(correlation.mean()), "correlation_sd": float(correlation.std()),
        "true_correlation": float(np.corrcoef(ndtri(np.clip(transform, 1e-6, 1 - 1e-6)).T)[0, 1]),
    }  # fmt: skip
    one = measured(
        np.concatenate([*chances.transpose(2, 0, 1)], axis=1), np.concatenate([*true.transpose(2, 0, 1)], axis=1)
    )
    out = [{"rule": "one", "method": "alone"} | one | known]
    for rule, (copula, independent, joining) in RULES.items():
        happened = joining(true[..., 0], true[..., 1])
        stated = np.array([[copula(p, each) for p in cuts] for cuts, each in zip(chances, found, strict=True)])
        out.append({"rule": rule, "method": "copula"} | measured(stated, happened) | known)
        out.append({"rule": rule, "method": "independent"} | measured(independent(chances), happened) | known)
    return out


def main() -> None:
    """Run all cells and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = parser.parse_args()
    stamp = {"seed": chosen.seed, "date": datetime.now(UTC).date().isoformat(), "versions": versions()}
    table = []
    for cell in CELLS:
        found = rows(cell, chosen.n, chosen.seed)
        table += [{"cell": cell.label} | row | stamp for row in found]
        print(pd.DataFrame(found).round(3).assign(cell=cell.label).to_string(index=False), flush=True)
    chosen.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(table).to_csv(chosen.out / "joint.csv", index=False, float_format="%.5f")


if __name__ == "__main__":
    main()
