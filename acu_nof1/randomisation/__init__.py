"""Randomised schedules: designs, drawing, exact and Monte Carlo tests, and several people together."""

from __future__ import annotations

from acu_nof1.randomisation.designs import (
    Alternating,
    Drawn,
    Listed,
    MultipleBaseline,
    RandomBlocks,
    RandomChanges,
    Randomised,
    RandomStart,
    draw,
)
from acu_nof1.randomisation.testing import RandomisationTest, combined, mean_of_phase_means, randomisation_test
from acu_nof1.randomisation.trials import not_as_drawn, trial_test

__all__ = [
    "Alternating",
    "Drawn",
    "Listed",
    "MultipleBaseline",
    "RandomBlocks",
    "RandomChanges",
    "RandomStart",
    "RandomisationTest",
    "Randomised",
    "combined",
    "draw",
    "mean_of_phase_means",
    "not_as_drawn",
    "randomisation_test",
    "trial_test",
]  # fmt: skip
