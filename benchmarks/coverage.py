"""Do intervals and probabilities come true? The gates of coverage, beside the usual methods on the same series.

    python benchmarks/coverage.py                            all gates, full size (about an hour on one core)
    python benchmarks/coverage.py --gate G1 G2 --n 300       two gates, 300 series a cell

Results go to benchmarks/results/<gate>.csv, one row for each cell and contrast. Every finished cell is written at
once; started again with the same --n and --seed, the command goes on where it stopped. G0 is `exactness.py`, G5 is in
the tests, G7 is `real_diaries.py`.
"""

from __future__ import annotations

if __name__ == "coverage":
    # numba looks for the test tool of this name, and finds this file when a script beside it is run.
    raise ImportError("this is a benchmark, not the test tool")

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from calibration import (
    COUNT,
    DESIGNS,
    HARD,
    HEADACHE,
    MODES,
    PAIN,
    QUESTIONS,
    SD,
    STRESS,
    DayNoise,
    Diaries,
    Measured,
    Z,
    answer,
    ar,
    bins,
    calibration_error,
    compared,
    count_diaries,
    draw,
    generator,
    mean_ratio,
    measure,
    printed,
    probability_diaries,
    recalibration_slope,
    stated,
    verdict_diaries,
    verdicts,
    yes_no_diaries,
)  # fmt: skip
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.special import ndtr
from usual import USUAL, versions

from acu_nof1.estimate.days import days_per_28
from acu_nof1.estimate.overlap import independent_days_error, nap, placements
from acu_nof1.estimate.rate import rate_ratio
from acu_nof1.simulate import Design

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Row = dict[str, Any]
MISSING = 0.2


@dataclass(frozen=True)
class Job:
    """One cell: where it stands in the table, and the rows it gives for `n` series and a seed."""

    place: Row
    series: int
    rows: Callable[[int, int], list[Row]]

    @property
    def cell(self) -> str:
        """Its name: the key by which a finished cell is found again."""
        return ", ".join(f"{name} {value}" for name, value in self.place.items() if value != "")


# --- rows -----------------------------------------------------------------------------------------------------


def covered_row(mode: str, method: str, contrast: str, covered: np.ndarray, drawn: int, **more: Any) -> Row:
    """One row of a coverage table."""
    n = len(covered)
    share = float(np.mean(covered)) if n else np.nan
    error = np.sqrt(max(share * (1 - share), 0.25 / n) / n) if n else np.nan
    return {
        "mode": mode, "method": method, "contrast": contrast, "drawn": drawn, "n": n, "coverage": share, "mc_se": error,
    } | more  # fmt: skip


def measured_row(mode: str, found: Measured) -> Row:
    """A row of ours: coverage, width against the oracle, and how often the page warns of slow drifts."""
    fine = found.estimable & np.isfinite(found.oracle)
    width, oracle = found.width[fine], found.oracle[fine]
    widths = {
        "width_over_oracle": width.sum() / oracle.sum() if fine.any() else np.nan,
        "median_width_over_oracle": np.median(width / oracle) if fine.any() else np.nan,
        "width": float(np.mean(found.width[found.estimable])) if np.isfinite(found.width).any() else np.nan,
        "drift_warning": float(np.mean(found.warned[found.estimable])),
    }
    return covered_row(mode, "integrated", found.contrast, found.covered, len(found.transform), **widths)


def usual_rows(diaries: Diaries) -> list[Row]:
    """The usual methods' mean change on the same series, as many of them as each can afford."""
    rows = []
    for name, method in USUAL.items():
        values = diaries.comparisons.values[: method.series]
        ends = method.interval(values, diaries.comparisons.treated[0])
        truth = diaries.mean_change[: len(values)]
        fine = np.isfinite(ends).all(axis=1)
        held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
        width = float(np.mean((ends[:, 1] - ends[:, 0])[fine])) if fine.any() else np.nan
        rows.append(covered_row("usual", name, "mean change", held[fine], len(values), width=width))
    return rows


# --- coverage of ratings: G1, G2, G3 ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratings:
    """A cell of ratings: design, noise, shape of the effect, missing days; what is asked, in which modes."""

    design: str
    label: str
    noise: DayNoise
    shape: str
    missing: float
    modes: tuple[str, ...]
    questions: tuple[str, ...]
    usual: bool

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` series and measure."""
        rng = generator(seed, f"{self.design} {self.label} {self.noise.phi} {self.shape} {self.missing}")
        diaries = draw(DESIGNS[self.design], self.noise, self.shape, n, rng, missing=self.missing)
        phi = self.noise.phi if self.noise.is_ar1 else np.nan
        asked = [(mode, name) for mode in self.modes for name in self.questions]
        rows = [measured_row(mode, each) for mode, name in asked for each in measure(diaries, name, mode, phi)]
        if "window" in self.questions and "step" in self.noise.truth:
            scaled = compared(diaries.comparisons.values, diaries.design, PAIN)
            held = printed(scaled, diaries.window_change)
            rows.append(covered_row("robust", "as printed", "change at reassessment", held, n))
        return rows + (usual_rows(diaries) if self.usual else [])


def ratings(gate: str, series: int, cell: Ratings) -> Job:
    """The job of a cell of ratings."""
    place = {
        "gate": gate, "design": cell.design, "noise": cell.label, "phi": cell.noise.phi, "shape": cell.shape,
        "missing": cell.missing,
    }  # fmt: skip
    return Job(place, series, cell)


def ar1_grid() -> Iterator[Job]:
    """G1: four designs, three shares of missing days, five autocorrelations, an effect from the first day on."""
    for phi, missing, design in product((0.0, 0.2, 0.4, 0.6, 0.8), (0.0, 0.2, 0.4), DESIGNS):
        yield ratings(
            "G1", 4000, Ratings(design, "AR(1)", ar(phi), "step", missing, tuple(MODES), tuple(QUESTIONS), True)
        )


def ar1_shapes() -> Iterator[Job]:
    """The row of its own of the change at reassessment: the ways in which an effect comes about."""
    for shape, phi, design in product(("step", "gradual", "linear", "late"), (0.0, 0.3, 0.6, 0.8), DESIGNS):
        cell = Ratings(design, "AR(1)", ar(phi), shape, MISSING, tuple(MODES), ("window",), False)
        yield ratings("G1 reassessment", 2000, cell)


LONGER = ("14+42", "14+70", "28+84")


def stress() -> Iterator[Job]:
    """G2: noise that is not AR(1), mean change."""
    for (label, of), design in product(STRESS.items(), LONGER):
        yield ratings("G2", 2000, Ratings(design, label, of, "step", MISSING, ("robust",), ("mean",), True))


def stress_shapes() -> Iterator[Job]:
    """G2 for the change at reassessment."""
    for shape, (label, of), design in product(("step", "gradual", "linear", "late"), STRESS.items(), LONGER):
        yield ratings(
            "G2 reassessment", 2000, Ratings(design, label, of, shape, MISSING, ("robust",), ("window",), False)
        )


def hard() -> Iterator[Job]:
    """G3: slow drifts, which no method can tell from a change."""
    for (label, of), design in product(HARD.items(), LONGER):
        yield ratings("G3", 2000, Ratings(design, label, of, "step", MISSING, ("robust",), ("mean", "window"), True))


# --- counts and yes/no days: G6 -----------------------------------------------------------------------------------


COUNTS: Mapping[str, tuple[str, float]] = {
    "Poisson": ("poisson", np.nan),
    "overdispersed": ("overdispersed", np.nan),
    "AR(1) rate .5": ("ar", 0.5),
    "AR(1) rate .8": ("ar", 0.8),
    "bouts": ("bouts", np.nan),
}


@dataclass(frozen=True)
class Counts:
    """A cell of counts."""

    design: str
    label: str
    rate: float
    ratio: float

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` series and measure."""
        kind, phi = COUNTS[self.label]
        rng = generator(seed, f"{self.design} {self.label} {self.rate} {self.ratio}")
        design = DESIGNS[self.design]
        series = compared(count_diaries(design, kind, phi, self.rate, self.ratio, n, rng), design, COUNT)
        found = [mean_ratio(series, self.ratio), answer(series, rate_ratio, self.ratio, "ratio at reassessment")]
        return [measured_row("robust", each) for each in found]


def count_cells() -> Iterator[Job]:
    """G6: ratios of counts."""
    for label, rate, ratio, design in product(COUNTS, (0.6, 2.0, 4.0), (1.0, 0.5), LONGER[1:]):
        place = {
            "gate": "G6", "design": design, "noise": label, "phi": COUNTS[label][1], "shape": "step", "missing": MISSING,
            "rate": rate, "true": ratio,
        }  # fmt: skip
        yield Job(place, 1000, Counts(design, label, rate, ratio))


DAY_DESIGNS: Mapping[str, Design] = {
    "28+84": Design(28, 84, 28),
    "56+84": Design(56, 84, 28),
    "14+70": Design(14, 70, 14),
}
DAY_SHARES = ((0.5, 0.5), (0.5, 0.25), (0.3, 0.15), (0.15, 0.15))
DAY_NOISE: Mapping[str, tuple[float, float]] = {
    "Markov 0": (0.0, np.nan),
    "Markov .3": (0.3, np.nan),
    "Markov .6": (0.6, np.nan),
    "latent AR(1) .5": (np.nan, 0.5),
    "latent AR(1) .8": (np.nan, 0.8),
}


@dataclass(frozen=True)
class YesNo:
    """A cell of yes/no days."""

    design: str
    label: str
    shares: tuple[float, float]

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` series and measure."""
        rho, phi = DAY_NOISE[self.label]
        design = DAY_DESIGNS[self.design]
        rng = generator(seed, f"days {self.design} {self.label} {self.shares}")
        series = compared(yes_no_diaries(design, rho, phi, self.shares, n, rng), design, HEADACHE)
        truth = 28 * (self.shares[1] - self.shares[0])
        return [measured_row("Markov chain", answer(series, days_per_28, truth, "days per 28"))]


def day_cells() -> Iterator[Job]:
    """G6: yes/no days."""
    for label, shares, design in product(DAY_NOISE, DAY_SHARES, DAY_DESIGNS):
        rho, phi = DAY_NOISE[label]
        place = {
            "gate": "G6 days", "design": design, "noise": label, "phi": rho if np.isfinite(rho) else phi,
            "shape": "step", "missing": MISSING, "rate": shares[0], "true": shares[1],
        }  # fmt: skip
        yield Job(place, 1000, YesNo(design, label, shares))


@dataclass(frozen=True)
class Overlap:
    """A cell of NAP: a step of so many SDs in days with AR(1) noise, lower is better."""

    design: str
    phi: float
    gain: float

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` series and measure; beside it the published standard error, for independent days."""
        rng = generator(seed, f"nap {self.design} {self.phi} {self.gain}")
        noise = DayNoise({"phi": self.phi}, change=-self.gain * SD)
        series = draw(DESIGNS[self.design], noise, "step", n, rng, missing=MISSING).comparisons
        # A treatment day is lower than a baseline day with this probability, whatever days lie between them.
        truth = float(ndtr(self.gain / np.sqrt(2)))
        found = answer(series, nap, truth, "NAP")
        placed = placements(series)
        half = Z * independent_days_error(placed)
        published = np.abs(placed.nap - truth)[found.estimable] <= half[found.estimable]
        return [
            measured_row("AR(1)", found),
            covered_row("usual", "published SE, independent days", "NAP", published, n),
        ]


def nap_cells() -> Iterator[Job]:
    """G6: the non-overlap of all pairs."""
    for gain, phi, design in product((0.0, 1.0, 2.0), (0.0, 0.4, 0.7), DESIGNS):
        place = {
            "gate": "G6 NAP", "design": design, "noise": "AR(1)", "phi": phi, "shape": "step", "missing": MISSING,
            "gain_sd": gain, "true": round(float(ndtr(gain / np.sqrt(2))), 5),
        }  # fmt: skip
        yield Job(place, 4000, Overlap(design, phi, gain))


# --- stated probabilities: G4 ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stated:
    """A run of stated probabilities."""

    question: str
    shape: str
    mode: str

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` series and measure."""
        rng = generator(seed, f"stated {self.shape}")
        diaries = probability_diaries(self.shape, n, rng)
        return [self._row(name, *found, n) for name, found in stated(diaries, self.question, self.mode).items()]

    def _row(self, name: str, probability: np.ndarray, true: np.ndarray, drawn: int) -> Row:
        sure = probability > 0.95
        size, said, came = bins(probability, true)
        tenths = {
            f"{what}_{k}": values[k]
            for what, values in (("n", size), ("stated", said), ("true", came))
            for k in range(10)
        }
        return {
            "mode": self.mode, "method": "integrated", "contrast": QUESTIONS[self.question].contrasts[0],
            "statement": name, "drawn": drawn, "n": len(probability),
            "calibration_error": calibration_error(probability, true),
            "slope": recalibration_slope(probability, true),
            "above_95_n": int(sure.sum()), "above_95_stated": float(probability[sure].mean()),
            "above_95_true": float(true[sure].mean()),
        } | tenths  # fmt: skip


def stated_cells() -> Iterator[Job]:
    """G4: probabilities of a gain, half the important and the important gain."""
    for mode, (question, shape) in product(MODES, (("mean", "step"), ("window", "step"), ("window", "gradual"))):
        place = {"gate": "G4", "design": "14+70", "shape": shape, "asked": question, "noise_model": mode}
        yield Job(place, 8000, Stated(question, shape, mode))


# --- verdicts ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdicts:
    """The readings of one true gain."""

    design: str
    phi: float
    gain: float

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` series and measure."""
        rng = generator(seed, f"verdicts {self.design} {self.phi} {self.gain}")
        series = verdict_diaries(DESIGNS[self.design], self.phi, self.gain, n, rng)
        return [{"mode": "robust", "contrast": "change at reassessment", "n": n} | verdicts(series)]


def verdict_cells() -> Iterator[Job]:
    """Shares of the seven readings, important change 2 points."""
    for gain, phi, design in product((-2.5, -1.5, 0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 0.3, 0.5, 0.7), LONGER):
        place = {"gate": "verdicts", "design": design, "phi": phi, "gain": gain}
        yield Job(place, 1000, Verdicts(design, phi, gain))


GATES: Mapping[str, Callable[[], Iterator[Job]]] = {
    "G1": ar1_grid,
    "G1 reassessment": ar1_shapes,
    "G2": stress,
    "G2 reassessment": stress_shapes,
    "G3": hard,
    "G4": stated_cells,
    "G6": count_cells,
    "G6 days": day_cells,
    "G6 NAP": nap_cells,
    "verdicts": verdict_cells,
}


# --- bounds -------------------------------------------------------------------------------------------------------------


CELL_BOUNDS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("G1", "AR(1)"): (0.93, 0.98),
    ("G1", "robust"): (0.93, 0.985),
    ("G1 reassessment", "AR(1)"): (0.92, 1.0),
    ("G1 reassessment", "robust"): (0.92, 1.0),
    ("G2", "robust"): (0.90, 1.0),
    ("G2 reassessment", "robust"): (0.92, 1.0),
    ("G3", "robust"): (0.80, 1.0),
    ("G6", "robust"): (0.91, 1.0),
    ("G6 days", "Markov chain"): (0.93, 0.98),
    ("G6 NAP", "AR(1)"): (0.93, 0.98),
}
"""Coverage that every cell must have."""
POOLED_BOUNDS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("G1", "AR(1)"): (0.945, 0.962),
    ("G2", "robust"): (0.945, 0.97),
    ("G3", "robust"): (0.90, 1.0),
}
"""Mean coverage over the cells of a gate."""
WIDTHS: Mapping[tuple[str, str, str], float] = {
    ("G1", "AR(1)", "mean change"): 1.15,
    ("G1", "AR(1)", "level change"): 1.10,
    ("G1", "AR(1)", "slope change"): 1.22,
    ("G1", "AR(1)", "end contrast"): 1.22,
    ("G1", "robust", "mean change"): 1.35,
    ("G1 reassessment", "AR(1)", "change at reassessment"): 1.15,
    ("G1 reassessment", "robust", "change at reassessment"): 1.30,
}
"""Largest width over the oracle's, pooled; for the change at reassessment the median at phi of at most .3."""


def cell_bounds(row: pd.Series) -> tuple[float, float]:
    """Bounds of one cell: the change at reassessment may cover more than it says, not less."""
    low, high = CELL_BOUNDS.get((row["gate"], row["mode"]), (np.nan, np.nan))
    if row["gate"] == "G6 days" and row["noise"].startswith("latent"):
        return np.nan, np.nan
    return low, (1.0 if row["contrast"] == "change at reassessment" else high)


def bounded(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with their bounds, and whether they are inside; rows without bounds (the usual methods) are blank."""
    cells = cells.copy()
    bounds = [cell_bounds(row) for _, row in cells.iterrows()]
    cells["bound_low"], cells["bound_high"] = zip(*bounds, strict=True)
    inside = (cells["coverage"] >= cells["bound_low"]) & (cells["coverage"] <= cells["bound_high"])
    cells["passed"] = np.where(cells["bound_low"].isna(), "", np.where(inside, "yes", "no"))
    return cells


def pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """One row for each gate, mode, method and contrast: mean coverage over cells, the worst cell, pooled width.

    The change at reassessment has a row for each shape of the effect beside the one of all shapes.
    """
    by = ["gate", "mode", "method", "contrast"]
    rows = [_pooled_row(some, dict(zip(by, key, strict=True)), "all") for key, some in cells.groupby(by, sort=False)]
    if cells["gate"].iloc[0].endswith("reassessment"):
        found = cells.groupby([*by, "shape"], sort=False)
        rows += [_pooled_row(some, dict(zip(by, key[:4], strict=True)), key[4]) for key, some in found]
    return pd.DataFrame(rows)


def _pooled_row(some: pd.DataFrame, key: Row, shape: str) -> Row:
    low, high = POOLED_BOUNDS.get((key["gate"], key["mode"]), (np.nan, np.nan))
    high = 1.0 if key["contrast"] == "change at reassessment" and np.isfinite(high) else high
    width = _pooled_width(key["gate"], some)
    limit = WIDTHS.get((key["gate"], key["mode"], key["contrast"]), np.nan)
    mean = some["coverage"].mean()
    good = not (mean < low or mean > high or width > limit)
    return key | {
        "shape": shape, "cells": len(some), "n": some["n"].sum(), "coverage": mean,
        "mc_se": np.sqrt((some["mc_se"] ** 2).sum()) / len(some), "worst": some["coverage"].min(),
        "highest": some["coverage"].max(), "missed_cells": int((some["passed"] == "no").sum()),
        "width_over_oracle": width, "drift_warning": some.get("drift_warning", pd.Series(dtype=float)).mean(),
        "bound_low": low, "bound_high": high, "width_bound": limit,
        "passed": "" if np.isnan([low, limit]).all() else "yes" if good else "no",
    }  # fmt: skip


def _pooled_width(gate: str, some: pd.DataFrame) -> float:
    if gate == "G1 reassessment":
        return float(some.loc[some["phi"] <= 0.3, "median_width_over_oracle"].median())
    known = some[some["width_over_oracle"].notna()]
    if known.empty:
        return np.nan
    width = (known["width"] * known["n"]).sum()
    return float(width / (known["width"] * known["n"] / known["width_over_oracle"]).sum())


def probabilities_judged(rows: pd.DataFrame) -> pd.DataFrame:
    """G4: calibration error at most .02, slope in [.87, 1.1], what is called surer than 95 % within .01."""
    rows = rows.copy()
    off = (rows["above_95_stated"] - rows["above_95_true"]).abs()
    good = (rows["calibration_error"] <= 0.02) & rows["slope"].between(0.87, 1.1) & (off <= 0.01)
    rows["passed"] = np.where(good, "yes", "no")
    return rows


# --- running ------------------------------------------------------------------------------------------------------------


def file_of(gate: str, out: Path) -> Path:
    """Where a gate's cells are kept."""
    return out / f"{gate.lower().replace(' ', '_')}.csv"


def is_done(old: pd.DataFrame, job: Job, series: int, seed: int) -> bool:
    """Is this cell in the table, with this seed and no fewer series?"""
    if old.empty:
        return False
    rows = old[(old["cell"] == job.cell) & (old["seed"] == seed)]
    return bool(len(rows) and (rows["series"] >= series).all())


def run_gate(gate: str, n: int | None, seed: int, out: Path, progress: Progress) -> pd.DataFrame:
    """Compute the cells of a gate that are not there yet, writing each as it comes."""
    jobs = list(GATES[gate]())
    path = file_of(gate, out)
    table = pd.read_csv(path) if path.exists() else pd.DataFrame()
    task = progress.add_task(gate, total=len(jobs))
    for job in jobs:
        series = min(n, job.series) if n else job.series
        if not is_done(table, job, series, seed):
            stamp = {"cell": job.cell, "series": series, "seed": seed, "date": datetime.now(UTC).date().isoformat()}
            rows = pd.DataFrame([job.place | row | stamp | {"versions": versions()} for row in job.rows(series, seed)])
            kept = table[table["cell"] != job.cell] if len(table) else table
            table = judged(gate, pd.concat([kept, rows], ignore_index=True) if len(kept) else rows)
            write(table, path)
        progress.advance(task)
    return table


def judged(gate: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its bounds and verdicts."""
    if gate == "verdicts":
        return table
    return probabilities_judged(table) if gate == "G4" else bounded(table)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole, so that an interruption leaves the old one."""
    last = ["cell", "series", "seed", "date", "versions"]
    part = path.with_suffix(".part")
    table[[name for name in table.columns if name not in last] + last].to_csv(part, index=False, float_format="%.5f")
    part.replace(path)


def main() -> None:
    """Run the gates and say which hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gate", nargs="+", choices=list(GATES), default=list(GATES))
    parser.add_argument("--n", type=int, help="at most so many series a cell (full size if left out)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    summaries = []
    with Progress(*bar) as progress:
        for gate in chosen.gate:
            table = run_gate(gate, chosen.n, chosen.seed, chosen.out, progress)
            if "coverage" in table:
                summaries.append(pooled(table))
    pd.set_option("display.width", 200, "display.max_columns", 30, "display.max_rows", 200)
    if summaries:
        summary = pd.concat(summaries, ignore_index=True)
        print(summary.dropna(axis=1, how="all").round(3).to_string(index=False))
        path = chosen.out / "gates.csv"
        old = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["gate"])
        others = old[~old["gate"].isin(summary["gate"])]
        whole = pd.concat([others, summary], ignore_index=True) if len(others) else summary
        whole.to_csv(path, index=False, float_format="%.5f")


if __name__ == "__main__":
    main()
