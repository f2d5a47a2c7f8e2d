"""Which verdict is given when the truth is known: ratings, yes/no days and minutes, over a grid of true gains.

    OMP_NUM_THREADS=1 python benchmarks/coverage.py --gate verdicts

A gain of 1 is the important change. Results stand in benchmarks/results/verdicts.csv: the share of each verdict among
all diaries of a cell (one that cannot be estimated is told "cannot say"), and what the same diaries would be told if
"improved" and "worse" asked for their own chance alone, without being sure of the direction (`…_unsure`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, get_args

import numpy as np
import pandas as pd
from calibration import BATCH, DESIGNS, PAIN, SD, compared, generator
from running import Job, Row

from acu_nof1.estimate.days import DAYS_PER_28
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT
from acu_nof1.interpret import LIKELY, Reading
from acu_nof1.outcomes import Outcome
from acu_nof1.simulate import markov_days, missing_days, noise, written
from acu_nof1.verdict import GAINS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from acu_nof1.estimate import Estimator
    from acu_nof1.simulate import Design

    Floats = NDArray[np.float64]
    Verdicts = NDArray[np.str_]

WEEKS_TO_BUILD = 2
ALLOWED_UNCHANGED, ALLOWED_HALF, ALLOWED_PHI = 0.05, 0.03, 0.6
"""The bars: any kind of improved among the unchanged (and 2 standard errors), improved at half of the important gain."""


def _ratings(effect: Floats, phi: float, n: int, rng: Generator) -> Floats:
    """Whole points of 0 to 10 around 6."""
    return written(6.0 - effect + SD * noise(n, effect.size, phi=phi, seed=rng), 1.0, 0.0, 10.0)


def _yes_no(effect: Floats, phi: float, n: int, rng: Generator) -> Floats:
    """Twelve days in 28, as a Markov chain."""
    return markov_days(n, effect.size, (12.0 - effect) / 28, phi, rng).astype(float)


def _minutes(effect: Floats, phi: float, n: int, rng: Generator) -> Floats:
    """Half an hour in steps of five minutes; days vary by two fifths of their level, lognormal."""
    varied = np.exp(0.4 * noise(n, effect.size, phi=phi, seed=rng) - 0.4**2 / 2)
    return written((30.0 + effect) * varied, 5.0, 0.0, None)


@dataclass(frozen=True)
class Kind:
    """An outcome, the question that carries its verdict, and days on which it has changed by so much for the better."""

    outcome: Outcome
    asked: Estimator
    mode: str
    days: Callable[[Floats, float, int, Generator], Floats]


def _yes_no_days(important: float) -> Kind:
    outcome = Outcome("headache", "Headache", "yes_no", "days", 0.0, 1.0, "lower", important_change=important)
    return Kind(outcome, DAYS_PER_28, "Markov chain", _yes_no)


KINDS: Mapping[str, Kind] = {
    "ratings": Kind(PAIN, CHANGE_AT_REASSESSMENT, "robust", _ratings),
    "yes/no days, m 3": _yes_no_days(3.0),
    "yes/no days, m 4": _yes_no_days(4.0),
    "minutes": Kind(
        Outcome("walk", "Walking", "minutes", "min", 0.0, None, "higher", important_change=10.0),
        CHANGE_AT_REASSESSMENT, "robust", _minutes,
    ),
}  # fmt: skip
PLACES = ("14+70", "28+84")
GAINS_TRUE = (-1.25, -0.75, 0.0, 0.5, 1.0, 1.5, 2.0)
PHIS, MISSING = (0.0, 0.3, 0.6), (0.15, 0.4)
UNSURE: tuple[Reading, ...] = ("improved", "worse", "cannot_say")


def diaries(kind: Kind, design: Design, phi: float, missing: float, gain: float, n: int, rng: Generator) -> Floats:
    """Draw diaries whose gain, in important changes, builds up over two weeks of treatment."""
    day = np.arange(design.days) - design.baseline
    effect = gain * float(kind.outcome.important_change or 0.0) * np.clip((day + 1) / (7 * WEEKS_TO_BUILD), 0.0, 1.0)
    values = kind.days(effect, phi, n, rng)
    values[missing_days(n, design.days, missing, seed=rng)] = np.nan
    return values


def given(table: pd.DataFrame) -> Verdicts:
    """What the verdict is: the reading, and without an answer "cannot say"."""
    return np.asarray(table["reading"].where(table["status"] == "ok", "cannot_say"), dtype=str)


def unsure(table: pd.DataFrame) -> Verdicts:
    """What it would be if "worse" and "improved" needed no surety of the direction."""
    half_loss, important_gain = table["band_1"] + table["band_2"], table["p_important_gain"]
    fine = table["status"] == "ok"
    asked: list[tuple[Reading, pd.Series]] = [
        ("worse", fine & (half_loss >= LIKELY)),
        ("improved", fine & (important_gain >= LIKELY)),
    ]
    return np.select([holds for _, holds in asked], [kind for kind, _ in asked], default=given(table))


@dataclass(frozen=True)
class Verdict:
    """A cell: one outcome, one design, one truth."""

    outcome: str
    design: str
    phi: float
    missing: float
    gain: float

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Simulate `n` diaries and count what they are told."""
        kind, design = KINDS[self.outcome], DESIGNS[self.design]
        rng = generator(seed, f"{self.outcome} {self.design} {self.phi} {self.missing} {self.gain}")
        values = diaries(kind, design, self.phi, self.missing, self.gain, n, rng)
        parts = np.array_split(np.arange(n), max(1, n // BATCH))
        table = pd.concat([kind.asked(compared(values[rows], design, kind.outcome)).to_frame() for rows in parts])
        said, before = given(table), unsure(table)
        improved, improved_before = float(np.isin(said, GAINS).mean()), float(np.isin(before, GAINS).mean())
        row: Row = {"mode": kind.mode, "contrast": kind.asked.title, "n": n}
        row["not_estimable"] = float((table["status"] != "ok").mean())
        row |= {reading: float(np.mean(said == reading)) for reading in get_args(Reading)}
        row |= {"any_improved": improved, "mc_se": np.sqrt(max(improved * (1 - improved), 0.25 / n) / n)}
        row |= {f"{reading}_unsure": float(np.mean(before == reading)) for reading in UNSURE}
        return [row | {"any_improved_unsure": improved_before}]


def verdict_cells() -> Iterator[Job]:
    """The grid; for ratings also complete diaries, and autocorrelations of .5 and .8 with 15 % of the days missing."""
    cells = [
        *product(["ratings"], PLACES, PHIS, (0.0, *MISSING)),
        *product(["ratings"], PLACES, (0.5, 0.8), MISSING[:1]),
        *product([name for name in KINDS if name != "ratings"], PLACES, PHIS, MISSING),
    ]
    for (outcome, design, phi, missing), gain in product(cells, GAINS_TRUE):
        place = {"gate": "verdicts", "outcome": outcome, "design": design, "phi": phi, "missing": missing, "gain": gain}
        yield Job(place, 1000 if gain else 2000, Verdict(outcome, design, phi, missing, gain))


def verdicts_judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Unchanged: any improved in at most 5 % and 2 standard errors of that; half as much as matters: improved in at most 3 %."""
    rows = rows.copy()
    slack = 2 * np.sqrt(ALLOWED_UNCHANGED * (1 - ALLOWED_UNCHANGED) / rows["n"])
    unchanged, half = (rows["gain"] == 0) & (rows["phi"] <= ALLOWED_PHI), rows["gain"] == 0.5
    rows["bar"] = np.select([unchanged, half], [ALLOWED_UNCHANGED + slack, ALLOWED_HALF], default=np.nan)
    held = np.where(unchanged, rows["any_improved"], rows["improved"]) <= rows["bar"]
    rows["passed"] = np.where(rows["bar"].isna(), "", np.where(held, "yes", "no"))
    return rows
