"""The words of a randomisation test, and of the check in its place where nothing was drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.words.numbers import number, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.outcomes import Outcome
    from acu_nof1.randomisation import RandomisationTest


def sentences(found: RandomisationTest, outcome: Outcome) -> Iterator[str]:
    """Say what was observed, how often another start would have given as much, and what that is worth."""
    if found.status != "ok":
        yield f"{outcome.label}: not estimable: {found.reason}."
        return
    digits = outcome.digits + 1
    gain = "an improvement" if found.observed > 0 else "a worsening" if found.observed < 0 else "no difference"
    size = f" of {number(abs(found.observed), digits)} {outcome.unit}".rstrip() if found.observed else ""
    yield f"{outcome.label}: the average treatment day against the average baseline day shows {gain}{size}."
    times = round(found.p * found.schedules)
    if not found.randomised:
        yield (
            f"The start was not drawn at random, so this is a placebo-in-time check and no test: of {found.schedules} starts that leave a "
            f"week on either side, {times} would have shown as much, the true one included."
        )
        return
    yield (
        f"The start was drawn from {found.schedules} days: {times} of them would have shown as much, the one that was drawn included "
        f"(randomisation test, p = {_p(found.p)}; it cannot be below {_p(1 / found.schedules)})."
    )
    if math.isfinite(found.low):
        # The interval is of the gain; a loss of points is a gain where lower is better.
        yield (
            f"Effects between {signed(found.low, digits)} and {signed(found.high, digits)} {outcome.unit} in the better direction, the same on "
            "every treatment day, are not rejected at 5 % (two-sided)."
        )
    else:
        yield "With so few possible starts no effect can be rejected at 5 % (two-sided): there is no interval."
    if found.uncounted:
        yield f"{found.uncounted} starts leave a phase without an answered day; they count as if they had shown as much."


def _p(p: float) -> str:
    return number(p, 3) if p >= 0.001 else "below 0.001"
