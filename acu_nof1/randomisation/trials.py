"""The randomisation test of a diary that was kept: from its protocol to the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.errors import Problem, UsageError
from acu_nof1.randomisation.designs import RandomStart
from acu_nof1.randomisation.testing import RandomisationTest, randomisation_test

if TYPE_CHECKING:
    from acu_nof1.protocol import Phase
    from acu_nof1.trial import Trial

LEAST = 7
"""Days of either phase in a placebo-in-time check."""


def start_test(trial: Trial, outcome: str | None = None) -> RandomisationTest:
    """Had treatment begun on another day, would the phases have differed as much?

    Parameters
    ----------
    trial
        With one baseline and one treatment phase.
    outcome
        Its name; the primary one where it is left out.

    Returns
    -------
    RandomisationTest
        Over the starts the protocol says the start was drawn from (`randomised_from`, `randomised_to`). Where it was not drawn,
        over all starts that leave a week on either side, as a placebo-in-time check: `randomised` is then false, and its p
        is no probability of anything.

    Raises
    ------
    UsageError
        If the design has other phases, or there is no such daily outcome.
    """
    look = trial.default_look()
    series = trial.at(look).comparisons(look)
    named = np.array([each.name == outcome for each in series.outcomes]) if outcome else series.primary
    wanted = np.flatnonzero(named & np.array([each.every == "day" for each in series.outcomes]))
    wrong = []
    if not wanted.size:
        what = f"there is no daily outcome {outcome or 'that is primary'}."
        wrong.append(Problem("error", "outcome", what, f"Known: {', '.join(each.name for each in series.outcomes)}."))
    first = trial.protocol.first_treatment
    if first is None or (series.phases != 2).any():
        wrong.append(Problem("error", "design", "one baseline and one treatment phase are needed.", "Use randomisation_test with the design."))  # fmt: skip
    if wrong or first is None:
        raise UsageError(wrong)
    one = series.take(wanted[:1])
    # From the first to the last day that is compared: days between them that are not keep their place, unanswered.
    used = np.flatnonzero(one.phase[0] >= 0)
    span = slice(used[0], used[-1] + 1)
    values = np.where(one.answered[0], one.outcomes[0].sign * one.values[0], np.nan)[span]
    phases = (one.tau[0][span] >= 0).astype(int)
    return randomisation_test(values, phases, _starts(first, phases), randomised=first.randomised)


def _starts(first: Phase, phases: np.ndarray) -> RandomStart:
    """The starts that could have been drawn, in days of the series."""
    begun, days = int(np.argmax(phases)), len(phases)
    if first.randomised_from is not None and first.randomised_to is not None:
        return RandomStart(days, begun + (first.randomised_from - first.start).days, begun + (first.randomised_to - first.start).days)  # fmt: skip
    return RandomStart(days, min(LEAST, begun), max(days - LEAST, begun))
