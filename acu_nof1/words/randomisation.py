"""The words of a randomisation test, and of the check in its place where nothing was drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.words.numbers import number, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Draw
    from acu_nof1.randomisation import RandomisationTest


ORDERS = {
    "changes": "the days on which phases change",
    "blocks": "which period of each pair had treatment",
    "alternating": "alternating periods, no long runs",
}
HEADING = "What chance decided: the randomisation test"


def sentences(found: RandomisationTest, outcome: Outcome, drawn: Draw | None = None) -> Iterator[str]:
    """Say what was observed, how often another start or order would have given as much, and what that is worth."""
    if found.status != "ok":
        yield f"{outcome.label}: not estimable: {found.reason}."
        return
    digits = outcome.digits + 1
    gain = "an improvement" if found.observed > 0 else "a worsening" if found.observed < 0 else "no difference"
    size = f" of {number(abs(found.observed), digits)} {outcome.unit}".rstrip() if found.observed else ""
    yield f"{outcome.label}: the average treatment day against the average baseline day shows {gain}{size}."
    # A sample's p counts the schedule that was kept to beside those drawn.
    times = round(found.p * (found.schedules + (not found.exact))) - (not found.exact)
    if not found.randomised:
        yield (
            f"The start was not drawn at random, so this is a placebo-in-time check and no test: of {found.schedules} starts that leave a "
            f"week on either side, {times} would have shown as much, the true one included."
        )
        return
    yield (
        f"{_drawn(found, drawn)}: {times} of them would have shown as much{', the one that was drawn included' if found.exact else ''} "
        f"(randomisation test, p = {_p(found.p)}; it cannot be below {_p(1 / (found.schedules + (not found.exact)))})."
    )
    if math.isfinite(found.low):
        # The interval is of the gain; a loss of points is a gain where lower is better.
        yield (
            f"Effects between {signed(found.low, digits)} and {signed(found.high, digits)} {outcome.unit} in the better direction, the same on "
            "every treatment day, are not rejected at 5 % (two-sided)."
        )
    else:
        which = "starts" if drawn is None else "orders"
        yield f"With so few possible {which} no effect can be rejected at 5 % (two-sided): there is no interval."
    if found.uncounted:
        yield f"{found.uncounted} {'starts' if drawn is None else 'orders'} leave a phase without an answered day; they count as if they had shown as much."


def _drawn(found: RandomisationTest, drawn: Draw | None) -> str:
    if drawn is None:
        return f"The start was drawn from {found.schedules} days"
    if found.exact:
        return f"The order of phases was drawn from {found.schedules} orders ({ORDERS[drawn.design]})"
    return f"The order of phases was drawn ({ORDERS[drawn.design]}); of {found.schedules} orders drawn in the same way"


def _p(p: float) -> str:
    return number(p, 3) if p >= 0.001 else "below 0.001"
