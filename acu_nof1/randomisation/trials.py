"""The randomisation test of a diary that was kept: from its protocol to the test."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.errors import Problem, UsageError
from acu_nof1.randomisation.designs import Alternating, RandomBlocks, RandomChanges, RandomStart
from acu_nof1.randomisation.testing import RandomisationTest, randomisation_test, refused

if TYPE_CHECKING:
    from acu_nof1.protocol import Draw, Phase, Protocol
    from acu_nof1.randomisation.designs import Phases, Randomised
    from acu_nof1.trial import Comparisons, Trial

LEAST = 7
"""Days of either phase in a placebo-in-time check."""
NOT_OVER = "the order that was drawn is not over yet"
COMPARED = ("baseline", "treatment")


def trial_test(trial: Trial, outcome: str | None = None) -> RandomisationTest:
    """Had chance decided otherwise when treatment is given, would the phases have differed as much?

    Parameters
    ----------
    trial
        With one baseline and one treatment phase, or with more whose order was drawn (``[drawn]`` in its protocol).
    outcome
        Its name; the primary one where it is left out.

    Returns
    -------
    RandomisationTest
        Over the orders that could have been drawn, or over the starts the protocol says the start was drawn from
        (`randomised_from`, `randomised_to`). Where it was not drawn, over all starts that leave a week on either side, as a
        placebo-in-time check: `randomised` is then false, and its p is no probability of anything.

    Raises
    ------
    UsageError
        If the design has more phases and was not drawn, or there is no such daily outcome.
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
    if first is None or (trial.protocol.drawn is None and (series.phases != 2).any()):
        wrong.append(Problem("error", "design", "one baseline and one treatment phase are needed, or an order that was drawn.", "Say under [drawn] how it was drawn, or use randomisation_test with the design."))  # fmt: skip
    if wrong or first is None:
        raise UsageError(wrong)
    one = series.take(wanted[:1])
    if trial.protocol.drawn is not None:
        return _order_test(one, trial.protocol, trial.protocol.drawn)
    # From the first to the last day that is compared: days between them that are not keep their place, unanswered.
    used = np.flatnonzero(one.phase[0] >= 0)
    span = slice(used[0], used[-1] + 1)
    phases = (one.tau[0][span] >= 0).astype(int)
    return randomisation_test(_turned(one)[span], phases, _starts(first, phases), randomised=first.randomised)


def not_as_drawn(protocol: Protocol, name: str = "protocol") -> tuple[Problem, ...]:
    """Could the phases of this plan have been drawn as it says?"""
    if protocol.drawn is None:
        return ()
    place = f"{name} [drawn]"
    kept = _kept(protocol, protocol.drawn)
    remedy = "Correct the phases, or what they were drawn from."
    if kept is None:
        what = f"no phase, or a gap between phases, lies on or after {protocol.drawn.start}."
        return (Problem("error", place, what, "From start on every day belongs to a baseline or a treatment phase."),)
    try:
        design = _design(protocol.drawn, kept)
    except UsageError as error:
        return tuple(Problem("error", place, each.problem, remedy) for each in error.problems)
    if design is None:
        what = f"the {len(kept)} days from {protocol.drawn.start} on are no whole number of periods of {protocol.drawn.period_days} days."
        return (Problem("error", place, what, remedy),)
    if not design.admits(kept[None]):
        return (Problem("error", place, "the phases of this plan are none that could have been drawn.", remedy),)
    return ()


def _turned(one: Comparisons) -> np.ndarray:
    """Its days, more being better; NaN where not answered."""
    return np.asarray(np.where(one.answered[0], one.outcomes[0].sign * one.values[0], np.nan))


def _kept(protocol: Protocol, drawn: Draw) -> np.ndarray | None:
    """The phase number of each day that was drawn, even for baseline; ``None`` where a day has no phase."""
    treated: list[bool] = []
    day = drawn.start
    for phase in protocol.phases:
        if phase.kind not in COMPARED or phase.end < drawn.start:
            continue
        if phase.start > day:
            return None
        treated += [phase.kind == "treatment"] * ((phase.end - day).days + 1)
        day = phase.end + dt.timedelta(days=1)
    if not treated:
        return None
    return np.cumsum([int(treated[0]), *(np.diff(treated).astype(int))])


def _design(drawn: Draw, kept: Phases) -> Randomised | None:
    """What the order was drawn from; ``None`` where the days are no whole number of periods."""
    days = len(kept)
    if drawn.design == "changes":
        return RandomChanges(days, int(kept[-1]) + 1, drawn.least_days)
    periods = 2 * drawn.period_days if drawn.design == "blocks" else drawn.period_days
    if days % periods:
        return None
    if drawn.design == "blocks":
        return RandomBlocks(days // periods, drawn.period_days)
    return Alternating(days // periods, drawn.period_days, drawn.most_in_a_row)


def _order_test(one: Comparisons, protocol: Protocol, drawn: Draw) -> RandomisationTest:
    """Over the orders that could have been drawn; days before what was drawn enter none of them."""
    kept = _kept(protocol, drawn)
    design = None if kept is None else _design(drawn, kept)
    if kept is None or design is None or not design.admits(kept[None]):
        return refused(NOT_OVER, randomised=True)
    begun = int((np.datetime64(drawn.start, "D") - one.start[0]).astype(int))
    turned = _turned(one)[begun : begun + len(kept)]
    values = np.pad(turned, (0, len(kept) - len(turned)), constant_values=np.nan)
    return randomisation_test(values, kept, design)


def _starts(first: Phase, phases: np.ndarray) -> RandomStart:
    """The starts that could have been drawn, in days of the series."""
    begun, days = int(np.argmax(phases)), len(phases)
    if first.randomised_from is not None and first.randomised_to is not None:
        return RandomStart(days, begun + (first.randomised_from - first.start).days, begun + (first.randomised_to - first.start).days)  # fmt: skip
    return RandomStart(days, min(LEAST, begun), max(days - LEAST, begun))
