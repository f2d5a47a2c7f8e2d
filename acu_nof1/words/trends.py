"""The straight lines through the days: the words of their figure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.words.change import name_in_sentence
from acu_nof1.words.numbers import NO_BREAK, listing, number, printed, signed
from acu_nof1.words.page import unit_axis

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.explore.courses import Course
    from acu_nof1.outcomes import Outcome

HEADING = "Which way it went"
FIGURE = "Figure of straight lines before and during treatment"
NOTE = (
    "A straight line through each phase (dashed before treatment, solid during it), with the 95 % band of the line day by day; "
    "no line is drawn on beyond its own days. Above each panel: the slope a week during treatment with its 95 % interval. "
    "Level and slope changes stand among all answers. No line says why it runs so."
)
SEVERAL = (
    "A level for the first phase and a straight line through each later one, with the 95 % band day by day: the model of the "
    "mean change. No line says why it runs so."
)
LEGEND = ("day", "line and 95 % band, before treatment", "line and 95 % band, during treatment")


def slope(course: Course, trend: Estimate | None) -> str:
    """Print the slope during treatment: that of the answers where they have it, so that no number is told twice."""
    if trend is not None and trend.ok:
        shown = printed(trend)
        return f"{shown.change} a week ({shown.interval})"
    value, low, high = course.slope
    if course.reason or math.isnan(value):
        return ""
    digits = course.outcome.digits + 1
    return f"{signed(value, digits)} a week ({signed(low, digits)} to {signed(high, digits)})"


def title(course: Course, trend: Estimate | None) -> tuple[str, str]:
    """Head a panel: the outcome, and its slope or why there is none."""
    return unit_axis(course.outcome), f"not estimable: {course.reason}" if course.reason else slope(course, trend)


def without(outcomes: Sequence[Outcome]) -> str:
    """Say which outcomes have no line."""
    names = [name_in_sentence(outcome) for outcome in outcomes]
    return f"No line: {listing(names)} (yes/no days, or not kept daily)." if names else ""


def alt(courses: Iterable[tuple[Course, Estimate | None]]) -> str:
    """Say what the figure shows."""
    return " ".join(_panel(course, trend) for course, trend in courses)


def _panel(course: Course, trend: Estimate | None) -> str:
    name = name_in_sentence(course.outcome)
    if course.reason:
        return f"Line through {name}: not estimable: {course.reason}."
    digits = course.outcome.digits
    ends = listing(
        f"{number(float(each.value[0]), digits)} to {number(float(each.value[-1]), digits)} "
        f"{'during treatment' if each.treated else 'without treatment'}"
        for each in course.stretches
    )
    said = slope(course, trend)
    return f"Line through {name}: from {ends}{f'; {said} during treatment' if said else ''}.".replace(NO_BREAK, " ")
