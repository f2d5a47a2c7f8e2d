"""What missing days and a baseline begun in a bad spell could hide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.interpret import SURE
from acu_nof1.words.change import READINGS, WITHOUT_THRESHOLD, label_in_sentence, name_in_sentence
from acu_nof1.words.numbers import NO_BREAK, date, level, listing, number, ratio, signed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.explore import Return
    from acu_nof1.explore.missing import AfterBadDays, Tip, TippingPoint
    from acu_nof1.outcomes import Outcome
    from acu_nof1.words.change import Telling

PARTS: Mapping[str, str] = {
    "baseline": "baseline",
    "between": "treatment before the window",
    "window": "window",
    "treatment": "treatment",
}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MISSING_HEADING = "Days without an answer"
OUTCOME = "Outcome"
ADHERENCE_NOTE = "Calendar days of each part. A blank may also be a day on which the question did not apply."
WEEKDAYS_CAPTION = "Answered days by day of the week"
ADHERENCE_CAPTION = "How many days were answered"
AFTER_BAD_CAPTION = "Is a day likelier to be missing after a bad day?"
AFTER_BAD_COLUMNS = (OUTCOME, "Missing after an answered day", "Answer")
TIPPING_CAPTION = "How far the missing days would have to be from what is expected of them to change a reading"
TIPPING_COLUMNS = (OUTCOME, "Missing days", "Expected average", "Reading", "If they were worse", "If they were better",
                   "Any gain no longer sure")  # fmt: skip
TIPPING_NOTE = (
    "Each side alone, the other days as answered. The average day moves by the missing days’ share of their difference; "
    "no model knows how large that is."
)
RETURN_CAPTION = "What a return to the usual level alone could give"
RETURN_COLUMNS = (OUTCOME, "First week", "Rest of the baseline", "First week worse", "Usual level by the rest",
                  f"Change by a return to it (95{NO_BREAK}% interval)", "If the baseline was one of the worst (one in six)")  # fmt: skip
RETURN_NOTE = (
    "The first baseline week is taken for the days that made the person start, the later ones for usual days that resemble "
    "it. Whether a whole baseline was a bad spell no diary that begins with it can tell: intervals of the change do not "
    "hold this doubt."
)
LEGEND: Mapping[str, str] = {
    "baseline": "answered, baseline",
    "treatment": "answered, treatment",
    "window": "answered, compared days",
    "missing": "no entry",
}


def prompted(file: str, sent: int, answered: int) -> str:
    """Say how often the source of a diary asked: evening.csv asked 60 times and was answered 48 times (80 %)."""
    return f"{file} asked {sent} times and was answered {answered} times ({100 * answered / sent:.0f} %)."


def kept(answered: int, of: int, gap: int) -> str:
    """Say how many days were answered, and the longest gap: 60 of 70, longest gap 4."""
    return f"{answered} of {of}" + (f", longest gap {gap}" if gap > 1 else "")


def _days(tip: TippingPoint, tell: Telling) -> str:
    """Name the missing days as the sentence of the change names its days: the 2 missing ones of the last 14 days."""
    missing = f"{tip.missing} missing ones" if tip.missing > 1 else "missing one"
    if tell.several_phases:
        return f"the {missing} of the {tip.of} {tip.side} days"
    return f"the {missing} of {(tell.before if tip.side == 'baseline' else tell.after).removeprefix('in ')}"


def _watched(tip: TippingPoint) -> tuple[Tip, ...]:
    """In which direction could missing days undo the reading? A gain only in one, no clear change in both."""
    if tip.reading.startswith("improved"):
        return (tip.better,) if tip.side == "baseline" else (tip.worse,)
    if tip.reading.startswith("worse"):
        return (tip.worse,) if tip.side == "baseline" else (tip.better,)
    return tip.worse, tip.better


def tipping(tips: Sequence[TippingPoint], tell: Telling) -> str:
    """Say how the missing days of a side would have to be for another verdict, or that none would change it.

    The side that could change it is told of; where both could, the days during treatment.
    """
    if not tips:
        return ""
    tip = next((each for each in tips if _changing(each)), tips[0])
    changing, yes_no = _changing(tip), tip.outcome.kind == "yes_no"
    if not changing:
        ends = " or ".join(_end(each, tip.outcome) for each in _watched(tip))
        every = "every one of " if tip.missing > 1 else ""
        return f"The verdict would be the same if {every}{_days(tip, tell)} had been {ends}."
    if yes_no:
        said = " or ".join(_yes_days(each, tip) for each in changing)
        return f"The verdict holds unless {said} of {_days(tip, tell)} had been yes."
    said = " or ".join(
        f"{'at least' if each.average > tip.expected else 'at most'} {_level(each.average, tip.outcome)}"
        for each in changing
    )
    return f"The verdict holds unless {_days(tip, tell)} {'averaged' if tip.missing > 1 else 'was'} {said}."


def _changing(tip: TippingPoint) -> list[Tip]:
    return [each for each in _watched(tip) if math.isfinite(each.average)]


def _end(each: Tip, outcome: Outcome) -> str:
    """Print the last average that was tried: yes, 10, 100 %."""
    if outcome.kind == "yes_no":
        return "yes" if each.end else "no"
    return level(each.end, outcome, 0) if each.end == round(each.end) else _level(each.end, outcome)


def _level(value: float, outcome: Outcome) -> str:
    return level(value, outcome, 0 if abs(value) >= 100 else outcome.digits)


def _yes_days(each: Tip, tip: TippingPoint) -> str:
    if each.average > tip.expected:
        return f"at least {math.ceil(each.average * tip.missing - 1e-6)}"
    return f"at most {math.floor(each.average * tip.missing + 1e-6)}"


def tipping_row(tip: TippingPoint, estimate: Estimate) -> tuple[str, ...]:
    """One row of the table of tipping points."""
    readings = WITHOUT_THRESHOLD if math.isnan(estimate.important_change) else READINGS

    def average(value: float) -> str:
        return f"{100 * value:.0f}{NO_BREAK}% yes" if tip.outcome.kind == "yes_no" else _level(value, tip.outcome)

    def said(each: Tip) -> str:
        if math.isnan(each.average):
            return f"the same up to {average(each.end)}"
        return f"from {average(each.average)}: {readings[each.reading][1]}"

    lost = "–" if math.isnan(tip.gain_lost) else f"from {average(tip.gain_lost)}"
    return (tip.outcome.label, f"{tip.missing} of {tip.of}, {PARTS[tip.side]}", average(tip.expected),
            readings[tip.reading][1], said(tip.worse), said(tip.better), lost)  # fmt: skip


def after_bad_day(found: AfterBadDays) -> str:
    """Say whether a day is likelier to be missing after a bad day."""
    if found.reason:
        return f"not estimable: {found.reason}"
    outcome = found.outcome
    if outcome.kind == "yes_no":
        day = "a day with yes" if outcome.sign < 0 else "a day with no"
    else:
        more = "higher" if outcome.sign < 0 else "lower"
        day = f"a day with {name_in_sentence(outcome)} {level(found.step, outcome)} {more}"
    times = f"{ratio(found.odds_ratio)} times as high ({ratio(found.low)} to {ratio(found.high)})"
    clear = "" if found.low > 1 or found.high < 1 else "; it may be no different"
    return f"odds of a missing day about {times} after {day}{clear}"


def return_row(found: Return) -> tuple[str, ...]:
    """One row of the table of returns."""
    outcome = found.outcome
    digits = 0 if max(abs(found.early), abs(found.later)) >= 100 else max(outcome.digits, 1)

    def said(value: float) -> str:
        return "–" if math.isnan(value) else _level(value, outcome)

    change = f"not estimable: {found.reason}"
    if not found.reason:
        change = f"{signed(found.expected, digits)} ({signed(found.low, digits)} to {signed(found.high, digits)})"
    worse = "–" if math.isnan(found.p_worse) else f"{100 * found.p_worse:.0f} in 100"
    spell = "–" if math.isnan(found.bad_spell) else signed(found.bad_spell, digits)
    return outcome.label, said(found.early), said(found.later), worse, said(found.usual), change, spell


def flare(facts: Mapping[str, float | str]) -> str:
    """Say that the baseline began in a bad week, and how much a return from it could give."""
    unit = _unit(facts)
    early, later = (number(float(facts[name]), _digits(float(facts[name]))) for name in ("early", "later"))
    # By chance alone one baseline in five looks so: less than sure is said.
    was = "was" if float(facts["p"]) >= SURE else "was probably"
    weeks = f"The first baseline week ({early}{unit}) {was} worse than the rest ({later}{unit})"
    size = _size(facts)
    if not size:
        return f"{weeks}: part of the change may be a return to this person’s usual level."
    return f"{weeks}: a return to the usual level could alone make {_subject(facts, 'it')} about {size}."


def natural_course(facts: Mapping[str, float | str]) -> str:
    """Say that people start in bad spells, and how much a return from one would give in this diary; no return explains a loss."""
    if facts.get("worse") == "yes":
        return "Pain has good and bad spells, and a bad one may come by itself, whatever is done."
    said = "Pain has good and bad spells, and people start treatment in bad ones: many untreated people also improve."
    size = _size(facts)
    if size:
        later = f"{_subject(facts, 'later days')} would{' later' if facts.get('label') else ''} be"
        said += (
            f" If this baseline was one of the person’s worst (one in six), {later} about {size} without any change."
        )
    if facts.get("short") == "yes":
        said += " So few baseline days cannot show whether they were such a spell."
    return said


def _subject(facts: Mapping[str, float | str], otherwise: str) -> str:
    """Name what would be lower or higher; where nothing is named, the sentence is about pain."""
    label = str(facts.get("label", ""))
    return label_in_sentence(label) if label else otherwise


def _unit(facts: Mapping[str, float | str]) -> str:
    unit = facts.get("unit", "")
    return f"{NO_BREAK}{unit}" if unit else ""


def _digits(value: float) -> int:
    return 0 if abs(value) >= 100 else 1


def _size(facts: Mapping[str, float | str]) -> str:
    """Print a return: 0.6 lower, 2.1 min higher; ``""`` where there is none to speak of."""
    value = float(facts.get("return", math.nan))
    if math.isnan(value) or not round(abs(value), 1):
        return ""
    return f"{number(abs(value), _digits(value))}{_unit(facts)} {'lower' if value < 0 else 'higher'}"


def adherence_title(outcome: Outcome) -> str:
    """Head the calendar of answered days."""
    return f"Answered days of {name_in_sentence(outcome)}, a column a week"


def adherence_alt(outcome: Outcome, first: dt.date, last: dt.date, sides: Iterable[tuple[str, int, int]]) -> str:
    """Say what the calendar of answered days shows."""
    said = [f"{answered} of {of} days of the {PARTS[part]}" for part, answered, of in sides]
    return (f"Calendar of {name_in_sentence(outcome)} from {date(first)} to {date(last)}, a column a week: "
            f"{listing(said)} answered; a cross marks a day without an entry.")  # fmt: skip
