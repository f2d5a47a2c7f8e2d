"""Write `clinic/`: sixty simulated people of whom the truth is known, in one table, with three broken diaries.

    python sample_data/generate_clinic.py

protocol.toml is written by hand. people.csv, diaries.csv and truth.json are made here; the same seed gives the same bytes.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from acu_nof1.simulate import noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).parent / "clinic"
BY_HAND = "protocol.toml"
SEED, PEOPLE, BASELINE, TREATMENT = 61, 60, 21, 70
BACK, KNEE = "chronic low back pain", "knee osteoarthritis"
# Mean and SD over people of the true change, by condition; the baseline level and the SD of days are those of everybody.
CHANGE = {
    "pain": {BACK: (-1.6, 0.8), KNEE: (-0.9, 0.8)},
    "walking": {BACK: (-1.2, 0.7), KNEE: (-1.0, 0.7)},
    "sleep": {BACK: (20.0, 15.0), KNEE: (10.0, 15.0)},
}
LEVEL = {"pain": (6.0, 0.7, 1.2), "walking": (5.5, 0.8, 1.2), "sleep": (380.0, 25.0, 40.0)}
SCALE = {"pain": (0, 10), "walking": (0, 10), "sleep": (0, 900)}
DROPPED_OUT = {6: 33, 13: 40, 22: 29, 37: 45, 50: 38, 57: 31}  # person: last diary day of treatment
SWAPPED, OTHER_SCALE, NOT_LISTED = 17, 31, 44
DIRT = ("n/a", "-", "6-7", "moderate", "11", "7/10")


def code(person: int) -> str:
    """The code of a person."""
    return f"C-{person:02}"


def generate(target: Path = HERE) -> None:
    """Write the folder under `target`."""
    target.mkdir(parents=True, exist_ok=True)
    if target != HERE:
        shutil.copyfile(HERE / BY_HAND, target / BY_HAND)
    rng = np.random.default_rng(SEED)
    people, diaries, truth = [], [], []
    for person in range(1, PEOPLE + 1):
        known = drawn(person, rng)
        truth.append({name: value for name, value in known.items() if name != "values"})
        people.append(listed(known))
        diaries += kept(person, known, rng)
    titles = [
        "person",
        "condition",
        "baseline_start",
        "treatment_start",
        "treatment_end",
        "reassess_on",
        "sessions",
        "age",
    ]
    written(target / "people.csv", [titles, *(row for row in people if row)])
    written(target / "diaries.csv", [["person", "date", *CHANGE], *diaries])
    (target / "truth.json").write_text(json.dumps(facts(truth), indent=1) + "\n", encoding="utf-8", newline="\n")


def drawn(person: int, rng: np.random.Generator) -> dict[str, Any]:
    """One person: dates, true changes, and a value for every day."""
    condition = BACK if rng.random() < 0.55 else KNEE
    begin = dt.date(2026, 1, 5) + dt.timedelta(days=7 * int(rng.integers(0, 16)))
    days, treated = BASELINE + TREATMENT, np.arange(BASELINE + TREATMENT) >= BASELINE
    phi = float(rng.choice([0.0, 0.2, 0.3, 0.4, 0.6]))
    changes, values = {}, {}
    for name, (level, between, within) in LEVEL.items():
        mean, spread = CHANGE[name][condition]
        change = float(np.round(mean + spread * rng.standard_normal(), 3))
        unit: NDArray[np.float64] = noise(1, days, seed=rng, phi=phi)[0]
        own = level + between * rng.standard_normal()
        values[name] = np.clip(np.round(own + change * treated + within * unit), *SCALE[name]).astype(int)
        changes[name] = change
    return {
        "person": code(person), "number": person, "condition": condition, "begin": str(begin), "phi": phi,
        "sessions": int(rng.integers(6, 13)), "age": int(rng.integers(28, 79)), "true_change": changes, "values": values,
    }  # fmt: skip


def listed(known: dict[str, Any]) -> list[str]:
    """The person's row in the people table; nothing for the one who was forgotten."""
    if known["number"] == NOT_LISTED:
        return []
    begin = dt.date.fromisoformat(known["begin"])
    start = begin + dt.timedelta(days=BASELINE)
    end = start + dt.timedelta(days=TREATMENT - 1)
    look = end + dt.timedelta(days=1)
    if known["number"] == SWAPPED:
        start, end = end, start
    dates = map(str, (begin, start, end, look))
    return [known["person"], known["condition"], *dates, str(known["sessions"]), str(known["age"])]


def kept(person: int, known: dict[str, Any], rng: np.random.Generator) -> list[list[str]]:
    """The rows that were kept: some days are left out, some cells are not what they should be, some stop."""
    share, begin = rng.uniform(0.05, 0.35), dt.date.fromisoformat(known["begin"])
    answered = rng.random(BASELINE + TREATMENT) >= share
    answered[BASELINE + DROPPED_OUT.get(person, TREATMENT) :] = False
    dirty = rng.random(BASELINE + TREATMENT) < 0.01
    rows = []
    for day in np.flatnonzero(answered).tolist():
        cells = [str(int(known["values"][name][day])) for name in CHANGE]
        if person == OTHER_SCALE:
            cells[0] = str(10 * int(cells[0]) + int(rng.integers(0, 10)))
        elif dirty[day]:
            cells[0] = str(rng.choice(DIRT))
        rows.append([known["person"], str(begin + dt.timedelta(days=day)), *cells])
    return rows


def facts(truth: list[dict[str, Any]]) -> dict[str, Any]:
    """What is true of this folder."""
    return {
        "note": "Everything in this folder is simulated.",
        "seed": SEED,
        "days": {"baseline": BASELINE, "treatment": TREATMENT},
        "change": {name: {condition: {"mean": mean, "sd": sd} for condition, (mean, sd) in by.items()}
                   for name, by in CHANGE.items()},
        "dropped_out": {code(person): day for person, day in DROPPED_OUT.items()},
        "broken": {
            code(SWAPPED): "start and end of treatment are swapped",
            code(OTHER_SCALE): "pain was kept on a scale of 0 to 100",
            code(NOT_LISTED): "kept a diary and is not in people.csv",
        },
        "people": [{name: value for name, value in each.items() if name != "number"} for each in truth],
    }  # fmt: skip


def written(path: Path, rows: list[list[str]]) -> None:
    """Write a table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    generate()
