"""How a number is printed, once for every place where it is shown."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acu_nof1.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome


MINUS, NO_BREAK = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


def number(value: float, digits: int = 1) -> str:
    """Print a number for people: fixed decimals, thousands separated, a real minus sign, never −0.0."""
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def signed(value: float, digits: int = 1) -> str:
    """Print a change with its sign; zero has none."""
    text = number(value, digits)
    return f"+{text}" if value > 0 and float(f"{value:.{digits}f}") else text


def ratio(value: float) -> str:
    """Print a ratio with two significant digits, none below 0.01; a bound that does not exist is named, not invented."""
    if math.isinf(value):
        return "no upper bound"
    if not value:
        return "down to 0"
    if value < 0.01:
        return "less than 0.01"
    return f"{value:.{max(0, 1 - math.floor(math.log10(abs(value))))}f}"


def in_hundred(chance: float) -> str:
    """Say a probability as a natural frequency: whole fives in 100, never 0 or 100.

    Parameters
    ----------
    chance
        Between 0 and 1.
    """
    if chance > 0.99:
        return "more than 99 in 100"
    if chance < 0.01:
        return "less than 1 in 100"
    fives = 5 * round(chance * 20)
    if fives == 100:
        return "more than 95 in 100"
    return f"about {fives} in 100" if fives else "less than 5 in 100"


def against(chance: float, needed: float) -> str:
    """Say a chance beside the one it is held against: never "about 80" where 80 is needed and not reached."""
    if round(chance * 20) == round(needed * 20):
        return f"just {'under' if chance < needed else 'over'} {100 * needed:g} in 100"
    return in_hundred(chance)


# In each of them day and month cannot be confused.
DATE_STYLES: Mapping[str, str] = {
    "day_month": "{0.day} {0:%b %Y}",
    "us": "{0:%b} {0.day}, {0.year}",
    "iso": "{0:%Y-%m-%d}",
}
_style = "day_month"


@contextmanager
def dates_as(style: str) -> Iterator[None]:
    """Print dates in another style inside the block.

    Parameters
    ----------
    style
        ``day_month`` (13 Apr 2026), ``us`` (Apr 13, 2026) or ``iso`` (2026-04-13).

    Raises
    ------
    UsageError
        If there is no such style.
    """
    global _style
    if style not in DATE_STYLES:
        raise UsageError(
            [Problem("error", f"dates {style}", "there is no such style.", did_you_mean(style, DATE_STYLES))]
        )
    before, _style = _style, style
    try:
        yield
    finally:
        _style = before


def date(day: dt.date) -> str:
    """Print a date in the chosen style; 13 Apr 2026 where none was chosen."""
    return DATE_STYLES[_style].format(day)


def days_of(before: float, after: float) -> str:
    """Print the days on both sides so that no line breaks between them: 14 + 12."""
    return f"{before:.0f}{NO_BREAK}+{NO_BREAK}{after:.0f}"


def percent(share: float) -> str:
    """Print a confidence level: 95 %."""
    return f"{share * 100:g}{NO_BREAK}%"


def listing(parts: Iterable[str]) -> str:
    """Join words as speech does: a, b and c."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def level(value: float, outcome: Outcome, digits: int | None = None) -> str:
    """Print a level with its unit, where the unit says anything: 6.4, 5.7 h, 11 days."""
    unit = "" if outcome.change_unit == "points" else outcome.change_unit
    text = number(value, outcome.digits if digits is None else digits)
    return f"{text}{NO_BREAK}{unit}" if unit else text


def amount(value: float, outcome: Outcome) -> str:
    """Print a size of change with its unit: 2 points, 10 min, 1 day per 28."""
    unit = outcome.change_unit
    if value == 1:
        unit = {"points": "point", "days per 28": "day per 28", "doses/day": "dose/day"}.get(unit, unit)
    return f"{value:g}{NO_BREAK}{unit}" if unit else f"{value:g}"


@dataclass(frozen=True, slots=True)
class Printed:
    """The numbers of one estimate as they stand on every page: before + change = after, as printed."""

    before: str
    after: str
    change: str
    interval: str
    important: str
    size: float


def digits_of(estimate: Estimate) -> int:
    """How many decimals this estimate needs: those of its outcome, none from a hundred on (4,087 steps)."""
    levels = [x for x in (estimate.before, estimate.after) if math.isfinite(x)]
    largest = max((abs(x) for x in levels), default=math.nan)
    if largest >= 100:
        return 0
    digits = estimate.outcome.digits
    if digits == 0 and estimate.scale == "difference" and len(levels) == 2:
        # Whole numbers can hide or make up a unit of the change: 38.5 to 27.5 is 11 lower, not 10.
        return int(round(levels[1]) - round(levels[0]) != round(estimate.value))
    return digits + 1 if estimate.outcome.is_amount and largest < 1 else digits


def printed(estimate: Estimate) -> Printed:
    """Round an estimate once, for all places where it is shown."""
    outcome, digits = estimate.outcome, digits_of(estimate)
    before, after = (round(x, digits) if math.isfinite(x) else math.nan for x in (estimate.before, estimate.after))
    has_levels = math.isfinite(before) and math.isfinite(after)
    before_text, after_text = (number(x, digits) if has_levels else "–" for x in (before, after))
    important = estimate.important_change
    if estimate.scale == "ratio":
        change = f"×{NO_BREAK}{ratio(estimate.value)}" if math.isfinite(estimate.value) else "–"
        joint = ", " if not estimate.low or math.isinf(estimate.high) else " to "
        interval = f"{ratio(estimate.low)}{joint}{ratio(estimate.high)}" if estimate.ok else "–"
        goal = "–" if math.isnan(important) else f"{signed(100 * important * outcome.sign, 0)}{NO_BREAK}%"
        return Printed(before_text, after_text, change, interval, goal, estimate.value)
    if estimate.scale == "percent":
        change = f"{signed(estimate.value, 0)}{NO_BREAK}%" if math.isfinite(estimate.value) else "–"
        ends = (signed(end, 0) if math.isfinite(end) else ratio(end) for end in (estimate.low, estimate.high))
        goal = "–" if math.isnan(important) else f"{signed_short(important * outcome.sign)}{NO_BREAK}%"
        interval = (", " if math.isinf(estimate.high) else " to ").join(ends) if estimate.ok else "–"
        return Printed(before_text, after_text, change, interval, goal, estimate.value)
    size = after - before if has_levels else estimate.value
    digits = digits if has_levels else digits + 1
    change = signed(size, digits) if math.isfinite(size) else "–"
    interval = f"{signed(estimate.low, digits)} to {signed(estimate.high, digits)}" if estimate.ok else "–"
    goal = "–" if math.isnan(important) else signed_short(important * outcome.sign)
    return Printed(before_text, after_text, change, interval, goal, size)


def signed_short(value: float) -> str:
    """Print an important change without needless decimals: −2, +0.5."""
    return f"{MINUS if value < 0 else '+'}{abs(value):g}"


def change_with_interval(estimate: Estimate) -> str:
    """The table's cell: −1.9 (−3.1 to −0.7), or why there is none."""
    shown = printed(estimate)
    if estimate.ok:
        return f"{shown.change} ({shown.interval})"
    return f"{shown.change} (no interval)" if math.isfinite(estimate.value) else "not estimable"
