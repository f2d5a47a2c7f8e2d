"""The cells of the gates G1 to G4 and G6: which diaries are drawn, what is asked of them, and the rows that come out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
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
    yes_no_diaries,
)  # fmt: skip
from running import Job, Row
from scipy.special import ndtr
from usual import USUAL

from acu_nof1.estimate.days import days_per_28
from acu_nof1.estimate.overlap import independent_days_error, nap, placements
from acu_nof1.estimate.rate import rate_ratio
from acu_nof1.simulate import Design

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MISSING = 0.2
SHAPES = ("step", "gradual", "linear", "late")


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
    for shape, phi, missing, design in product(SHAPES, (0.0, 0.3, 0.6, 0.8), (0.0, 0.2, 0.4), DESIGNS):
        cell = Ratings(design, "AR(1)", ar(phi), shape, missing, tuple(MODES), ("window",), False)
        yield ratings("G1 reassessment", 2000, cell)


LONGER = ("14+42", "14+70", "28+84")


def stress() -> Iterator[Job]:
    """G2: noise that is not AR(1), mean change."""
    for (label, of), design in product(STRESS.items(), LONGER):
        yield ratings("G2", 2000, Ratings(design, label, of, "step", MISSING, ("robust",), ("mean",), True))


def stress_shapes() -> Iterator[Job]:
    """G2 for the change at reassessment."""
    for shape, (label, of), design in product(SHAPES, STRESS.items(), LONGER):
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
