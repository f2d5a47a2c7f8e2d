"""Do the bands and intervals of sessions and course hold what they claim?

    python benchmarks/sessions.py                       all cells, on two cores (about 15 minutes)
    python benchmarks/sessions.py --only around         one part; the others stay as they are in the file

around    nothing happens around sessions, but the level falls over the course: is 0 inside the whole band?
kinetics  an effect with planted build-up and half-life, irregular sessions, 20 % of days missing: drawn from the whole range that is
          looked at, and one by one. An interval over a range that the days hardly narrow holds its middle nearly always.
apart     how often are build-up and half-life called told, by how far the true curve lies from those that would have to be left out?
together  two strangers (phi .6 each, 84 days), and a planted association at lag 1; beside it Pearson's correlation of the same pairs.

Distances of `apart` are those an oracle sees who knows the noise: the length, in noise SDs (generalised least squares), of what no
curve beyond half of the range explains. Below 1 no test at 5 % would find it more often than one time in six.
Results go to benchmarks/results/sessions.csv.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from calibration import DESIGNS, compared, generator
from running import in_parallel
from scipy.stats import pearsonr
from usual import versions

from acu_nof1.outcomes import Outcome
from acu_nof1.sessions import around_sessions, kinetics, together
from acu_nof1.sessions.fading import BUILD_OCTAVES, HALF_LIFE_OCTAVES, TOLD_SHARE, states
from acu_nof1.simulate import missing_days, noise
from acu_nof1.trial import stack

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from acu_nof1.sessions import Range
    from acu_nof1.trial import Comparisons

Floats = np.ndarray
DESIGN = DESIGNS["14+70"]
PHIS = (0.0, 0.3, 0.6)
MISSING = 0.2
SD = 1.0
OTHER = Outcome("other", "Other", "rating", unit="points")


def weekly(_rng: np.random.Generator) -> Floats:
    """Every seventh day."""
    return np.arange(0, DESIGN.treatment, 7)


def twice(_rng: np.random.Generator) -> Floats:
    """Mondays and Thursdays."""
    return np.sort(np.concatenate([np.arange(0, DESIGN.treatment, 7), np.arange(3, DESIGN.treatment, 7)]))


def apart_by(low: int, high: int) -> Callable[[np.random.Generator], Floats]:
    """So many days apart, at random."""

    def irregular(rng: np.random.Generator) -> Floats:
        days = np.cumsum(np.concatenate([[0], rng.integers(low, high + 1, DESIGN.treatment)]))
        return days[days < DESIGN.treatment]

    return irregular


SCHEDULES = {
    "weekly": weekly,
    "twice a week": twice,
    "2 to 10 days": apart_by(2, 10),
    "2 to 4 days": apart_by(2, 4),
    "6 to 10 days": apart_by(6, 10),
}
NOT_REGULAR = ("2 to 10 days", "2 to 4 days", "6 to 10 days")


@dataclass(frozen=True)
class Drawn:
    """One diary, its sessions, and the days they fell on."""

    comparisons: Comparisons
    attended: Mapping[str, Sequence[dt.date]]
    on: Floats


def drawn(mean: Floats, on: Floats, phi: float, rng: np.random.Generator) -> Drawn:
    """A diary around this mean."""
    days = DESIGN.days
    values = (6.0 + mean + SD * noise(1, days, seed=rng, phi=phi)[0])[None]
    values[missing_days(1, days, MISSING, seed=rng)] = np.nan
    comparisons = replace(compared(values, DESIGN), person=("p",))
    first = comparisons.start[0]
    return Drawn(comparisons, {"p": [(first + day).astype(object) for day in np.flatnonzero(on)]}, on)


def on_calendar(sessions: Floats) -> Floats:
    """(D,) which days have a session."""
    return np.isin(np.arange(DESIGN.days), DESIGN.baseline + sessions)


# --- around ---------------------------------------------------------------------------------------------------


def around_cell(schedule: str, phi: float, n: int, seed: int) -> dict[str, Any]:
    """Is 0 inside the whole band?"""
    rng, inside, refused = generator(seed, f"around {schedule} {phi}"), 0, 0
    ramp = np.where(np.arange(DESIGN.days) < DESIGN.baseline, 0, 1 - 0.5 ** ((np.arange(DESIGN.days) - 14) / 14))
    for _ in range(n):
        one = drawn(-2.0 * ramp, on_calendar(SCHEDULES[schedule](rng)), phi, rng)
        (found,) = around_sessions(one.comparisons, one.attended)
        refused += bool(found.reason)
        inside += not found.reason and not found.told
    return {"part": "around", "schedule": schedule, "phi": phi, "n": n, "refused": refused,
            "measure": "simultaneous coverage", "value": inside / (n - refused), "low": 0.92, "high": 0.98}  # fmt: skip


# --- kinetics -------------------------------------------------------------------------------------------------


def planted(build: float, half: float, effect: float, on: Floats) -> Floats:
    """Mean of each day: `effect` SDs lower at the mean of the window."""
    state = states(on, np.array([build]), np.array([half]))[0]
    return np.asarray(-effect * state / state[-DESIGN.window :].mean())


def kinetics_cell(
    schedule: str, shape: tuple[float, float] | None, phi: float, n: int, seed: int
) -> list[dict[str, Any]]:
    """Do the intervals hold what was planted: one build-up and half-life, or any of the range that is looked at?"""
    rng, held, told, shown = generator(seed, f"kinetics {schedule} {shape} {phi}"), [], [], []
    for _ in range(n):
        on = on_calendar(SCHEDULES[schedule](rng))
        build, half = shape or 2.0 ** np.array([rng.uniform(*BUILD_OCTAVES), rng.uniform(*HALF_LIFE_OCTAVES)])
        mean = planted(build, half, 2.0, on)
        one = drawn(mean, on, phi, rng)
        (found,) = kinetics(one.comparisons, one.attended)
        answered = one.comparisons.window[0] & one.comparisons.answered[0]
        level = mean[answered].mean()
        time = float(np.argmax(mean <= level / 2) - np.argmax(on))
        truth = {
            "state": level,
            "build_up": build,
            "half_life": half,
            "time_to_half": time,
            "persistence": 2 ** (-28 / half),
        }
        held.append(
            {name: getattr(found, name).low <= value <= getattr(found, name).high for name, value in truth.items()}
        )
        told.append((found.build_up_told, found.half_life_told))
        shown.append(_holds(found.shown["half_life"], half) if found.half_life_told else np.nan)
    build, half = shape or ("drawn", "drawn")
    place = {"part": "kinetics", "schedule": schedule, "phi": phi, "build": build, "half_life": half, "n": n}
    rows = [
        place | {"measure": f"coverage of {name}", "value": value, "low": 0.90, "high": 0.99}
        for name, value in pd.DataFrame(held).mean().items()
    ]
    shares, seen = np.mean(told, axis=0), np.array(shown)
    return [
        *rows,
        place
        | {
            "n": int(np.isfinite(seen).sum()),
            "measure": "half_life as shown, where it is told",
            "value": np.nanmean(seen),
        },
        *(
            place | {"measure": f"{name} told", "value": share}
            for name, share in zip(("build_up", "half_life"), shares, strict=True)
        ),
    ]


def _holds(shown: Range, value: float) -> bool:
    """Whether what is shown allows the value: an end that is not told excludes nothing."""
    return not (value < shown.low or value > shown.high)


# --- apart ----------------------------------------------------------------------------------------------------


def distance(mean: Floats, on: Floats, answered: Floats, phi: float, far: tuple[Floats, Floats]) -> float:
    """How far lies the true curve from those with these build-ups and half-lives, baseline and size refitted, in noise SDs?"""
    day = np.flatnonzero(answered)
    root = np.linalg.inv(np.linalg.cholesky(phi ** np.abs(day[:, None] - day))) if phi else np.eye(day.size)
    curves = states(on, *far)[:, day]
    level, target = root @ np.ones(day.size), root @ (mean[day] / SD)
    level /= np.linalg.norm(level)
    target = target - level * (level @ target)
    columns = curves @ root.T
    columns -= np.outer(columns @ level, level)
    columns /= np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-12)
    return float(np.sqrt(np.maximum(target @ target - (columns @ target) ** 2, 0)).min())


def beyond(build: float, half: float) -> dict[str, tuple[Floats, Floats]]:
    """Curves whose build-up, or half-life, lies as far from the true one as an interval called told may be wide."""
    builds, halves = np.linspace(*BUILD_OCTAVES, 21), np.linspace(*HALF_LIFE_OCTAVES, 29)
    pairs = np.meshgrid(builds, halves, indexing="ij")
    out = {}
    for name, grid, value, octaves in (
        ("build_up", pairs[0], build, BUILD_OCTAVES),
        ("half_life", pairs[1], half, HALF_LIFE_OCTAVES),
    ):
        far = np.abs(grid - np.log2(value)) >= TOLD_SHARE * (octaves[1] - octaves[0])
        out[name] = 2.0 ** pairs[0][far], 2.0 ** pairs[1][far]
    return out


def apart_cell(
    schedule: str, build: float, half: float, effect: float, phi: float, n: int, seed: int
) -> list[dict[str, Any]]:
    """Which runs lay how far, and what was said?"""
    rng, rows = generator(seed, f"apart {schedule} {build} {half} {effect} {phi}"), []
    far = beyond(build, half)
    for _ in range(n):
        on = on_calendar(SCHEDULES[schedule](rng))
        mean = planted(build, half, effect, on)
        one = drawn(mean, on, phi, rng)
        (found,) = kinetics(one.comparisons, one.attended)
        for name, curves in far.items():
            if curves[0].size:
                length = distance(mean, on, one.comparisons.answered[0], phi, curves)
                rows.append({"name": name, "distance": length, "told": getattr(found, f"{name}_told")})
    return rows


def apart(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By distance: how often it was said that it cannot be told."""
    table = pd.DataFrame(rows)
    bins = pd.cut(table["distance"], [0, 0.5, 1, 1.96, 3, 5, np.inf], right=False)
    out = []
    for (name, where), some in table.groupby(["name", bins], observed=True):
        bound = {"low": 0.95, "high": 1.0} if where.right <= 1 else {}
        out.append({"part": "apart", "schedule": f"{name}, distance {where.left:g} to {where.right:g} SD", "n": len(some),
                    "measure": "cannot be told", "value": 1 - some["told"].mean(), **bound})  # fmt: skip
    return out


# --- together -------------------------------------------------------------------------------------------------


def together_cell(beta: float, phi: float, missing: float, n: int, seed: int) -> list[dict[str, Any]]:
    """False alarms of both directions, and what is found of a planted association."""
    rng = generator(seed, f"together {beta} {phi} {missing}")
    days = DESIGN.days
    x, y = noise(n, days, seed=rng, phi=phi), noise(n, days, seed=rng, phi=phi)
    y[:, 1:] += beta * x[:, :-1]
    for each in (x, y):
        each[missing_days(n, days, missing, seed=rng)] = np.nan
    people = tuple(f"p{place}" for place in range(n))
    both = stack([replace(compared(x, DESIGN), person=people), replace(compared(y, DESIGN, OTHER), person=people)])
    links = together(both)
    ours = [link for link in links if link.first.name == "level"]
    back = [link for link in links if link.first.name == "other"]
    alarms = {"ours, planted direction": ours, "ours, reverse": back}
    place = {"part": "together", "schedule": f"beta {beta}, missing {missing}", "phi": phi, "n": n}
    bound = {"high": 0.06, "low": 0.0}
    rows = [
        place
        | {"measure": f"{name}: interval without 0", "value": np.mean([link.effect.clear for link in some])}
        | (bound if beta == 0 else {})
        for name, some in alarms.items()
    ]
    held: dict[str, bool] = {}
    for link in links:
        held[link.person] = held.get(link.person, False) or link.holds
    rows.append(
        place
        | {"measure": "a link is called, either way", "value": np.mean(list(held.values()))}
        | (bound if beta == 0 else {})
    )
    rows.append(
        place | {"measure": "placebo without 0", "value": np.mean([link.placebo.clear for link in ours]), **bound}
    )
    plain = [
        pearsonr(before[kept], after[kept]).pvalue < 0.05
        for before, after in zip(x[:, :-1], y[:, 1:], strict=True)
        for kept in [np.isfinite(before) & np.isfinite(after)]
    ]
    rows.append(place | {"measure": "Pearson's correlation at lag 1: p < .05", "value": np.mean(plain)})
    if beta:
        # Planted per point of x; a link is per SD of what is left of x around its course.
        value = np.array([link.effect.value / link.sd for link in ours])
        covered = np.mean([link.effect.low <= beta * link.sd <= link.effect.high for link in ours])
        rows.append(
            place | {"measure": "mean estimate less truth", "value": value.mean() - beta, "low": -0.02, "high": 0.02}
        )
        rows.append(place | {"measure": "coverage", "value": covered, "low": 0.92, "high": 0.98})
    return rows


# --- all ------------------------------------------------------------------------------------------------------


def calls(only: str, n: int | None, seed: int) -> list[tuple[Any, ...]]:
    """Every cell as a call."""
    wanted: list[tuple[Any, ...]] = []
    if only in ("", "around"):
        wanted += [
            (around_cell, *cell, n or 400, seed) for cell in product(("weekly", "twice a week", "2 to 10 days"), PHIS)
        ]
    if only in ("", "kinetics"):
        wanted += [(kinetics_cell, schedule, None, phi, n or 300, seed) for schedule, phi in product(NOT_REGULAR, PHIS)]
        wanted += [
            (kinetics_cell, "2 to 10 days", shape, phi, n or 150, seed)
            for shape, phi in product(product((0.1, 0.35), (6.0, 20.0, 60.0)), PHIS)
        ]
    if only in ("", "together"):
        wanted += [
            (together_cell, beta, 0.6, missing, n or 4000, seed) for beta, missing in product((0.0, 0.4), (0.0, 0.2))
        ]
    if only in ("", "apart"):
        shapes = ((0.05, 60.0), (0.2, 14.0), (0.2, 2.0), (0.8, 7.0), (0.8, 90.0))
        cells = product(("weekly", "2 to 10 days"), shapes, (0.0, 0.3, 0.7, 2.0), (0.0, 0.6))
        wanted += [(apart_cell, schedule, *shape, effect, phi, n or 60, seed) for schedule, shape, effect, phi in cells]
    return wanted


def one_call(function: Any, *arguments: Any) -> tuple[str, Any]:
    """Name of the cell's function, and its rows."""
    found = function(*arguments)
    return function.__name__, found if isinstance(found, list) else [found]


def main() -> None:
    """Compute, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", choices=("around", "kinetics", "apart", "together"))
    parser.add_argument("--n", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "sessions.csv")
    given = parser.parse_args()
    rows, lying = [], []
    for name, found in in_parallel(
        ((one_call, *call) for call in calls(given.only, given.n, given.seed)), given.processors
    ):
        (lying if name == "apart_cell" else rows).extend(found)
    table = pd.DataFrame([*rows, *(apart(lying) if lying else [])])
    inside = (table["value"] >= table["low"]) & (table["value"] <= table["high"])
    table["holds"] = np.where(table["low"].isna(), "", np.where(inside, "yes", "no"))
    table = table.assign(seed=given.seed, date=datetime.now(UTC).date().isoformat(), versions=versions())
    if given.only and given.out.is_file():
        kept = pd.read_csv(given.out, keep_default_na=False)
        table = pd.concat([kept[kept["part"] != given.only], table], ignore_index=True)
    order = {name: at for at, name in enumerate(("around", "kinetics", "apart", "together"))}
    place = ["part", "schedule", "build", "half_life", "phi"]
    table = table.sort_values(
        [name for name in place if name in table],
        key=lambda column: column.map(order) if column.name == "part" else column.astype(str),
        kind="stable",
        ignore_index=True,
    )
    table.to_csv(given.out, index=False, float_format="%.4f")
    print(table.drop(columns=["versions", "date", "seed"]).to_string())


if __name__ == "__main__":
    main()
