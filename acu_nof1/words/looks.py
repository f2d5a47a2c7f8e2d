"""The planned looks as they stood then: table, figure, and what several looks mean for the certainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.interpret import LIKELY, UNLIKELY
from acu_nof1.trial import VISIT_TOLERANCE
from acu_nof1.words.change import change_in_words, reading, verdict_word
from acu_nof1.words.numbers import NO_BREAK, against, change_with_interval, date, days_of, percent, printed
from acu_nof1.words.page import unit_axis
from acu_nof1.words.sensitivity import change_axis, important_line, sides

if TYPE_CHECKING:
    from acu_nof1.story import Standing, Story
    from acu_nof1.verdict import Success

HEADING = "Each planned look, as it stood then"
FIGURE = "Figure of the change at each planned look"
CARRIES, HERE = "carries the verdict", "this page"
NOT_YET = "not yet reached"
NOTHING = "–"
OVERRULED = "No look is given a verdict, earlier ones included: medical evaluation comes first."
SUCCESS = {"met": "met", "not_met": "not met", "cannot_say": "cannot say"}
BOUND = {"": "", "at_most": "at most ", "at_least": "at least "}


def look_name(each: Standing) -> str:
    """Name a look by what it was planned for: After session 6, After 12 weeks, After 45 days."""
    if each.look.after_session is not None:
        return f"After session {each.look.after_session}"
    days = each.days_treated or 0
    count, unit = (days // 7, "week") if days and not days % 7 else (days, "day")
    return f"After {count} {unit}{'' if count == 1 else 's'}"


def look_date(each: Standing, attended: int) -> str:
    """Say when a look was, or that it is still to come."""
    if each.status != "not_reached":
        return date(each.day) if each.day is not None else NOTHING
    if each.day is not None:
        return f"not yet: planned for {date(each.day)}"
    return f"not yet: {attended} of {each.look.after_session} sessions took place"


def mark(each: Standing, story: Story) -> str:
    """Say what a row is beside the others."""
    return ", ".join(text for text, so in ((CARRIES, _carries(each, story)), (HERE, each.shown)) if so)


def _carries(each: Standing, story: Story) -> bool:
    return each.decides and not story.overruled_by


def verdict(each: Standing, agreed: bool) -> str:
    """How a look was read; ``–`` where it has no verdict."""
    if each.status == "ok" and each.kind is not None:
        word = verdict_word(each.kind, each.estimate, agreed)
        return word[0].lower() + word[1:]
    if not each.reason:
        return NOTHING
    if each.status == "too_early":
        return f"not asked: {each.reason}"
    return f"not estimable: {each.reason}"


def rule_cell(success: Success | None) -> str:
    """Say whether the rule was met, with its chance."""
    if success is None or success.kind == "not_agreed":
        return NOTHING
    if success.p is None:
        return SUCCESS[success.kind]
    chance = against(success.p, LIKELY if success.p > 0.5 else UNLIKELY)
    return f"{SUCCESS[success.kind]}: {BOUND[success.bound]}{chance}"


def chance_cell(each: Standing) -> str:
    """Print the chance of the important change."""
    estimate = each.estimate
    if estimate is None or not estimate.ok or not estimate.important_change > 0:
        return NOTHING
    limit = UNLIKELY if estimate.p_important_gain < (UNLIKELY + LIKELY) / 2 else LIKELY
    return against(estimate.p_important_gain, limit)


def columns(story: Story) -> tuple[str, ...]:
    """Name the columns; while something overrules the diary there is no chance, verdict or rule."""
    level = next((each.estimate.confidence for each in story.reached if each.estimate is not None), 0.95)
    first = ("Look", "Date", "Days compared", "Before", "After", f"Change ({percent(level)} interval)")
    if story.overruled_by:
        return first
    read = ("Chance of the important change", "Verdict")
    return (
        (*first, *read, f"{'Agreed' if story.agreed else 'Declared'} rule met?")
        if _has_rule(story)
        else (*first, *read)
    )


def row(each: Standing, story: Story) -> tuple[str, ...]:
    """One row of the table; between so many columns an interval would be torn apart."""
    estimate = each.estimate
    numbers: tuple[str, ...] = (NOTHING,) * 4
    if estimate is not None:
        shown, days = printed(estimate), days_of(estimate.days_before, estimate.days_after)
        change = change_with_interval(estimate).replace(" ", NO_BREAK)
        numbers = (days, shown.before, shown.after, change)
    first = (look_name(each), look_date(each, story.attended), *numbers)
    if story.overruled_by:
        return first
    read = (chance_cell(each), verdict(each, story.agreed))
    return (*first, *read, rule_cell(each.success)) if _has_rule(story) else (*first, *read)


def _has_rule(story: Story) -> bool:
    return any(each.success is not None and each.success.kind != "not_agreed" for each in story.standings)


def caption(story: Story) -> str:
    """Head the table: Pain, 0–10, at each planned look."""
    estimate = next((each.estimate for each in story.reached if each.estimate is not None), None)
    return f"{unit_axis(estimate.outcome)}, at each planned look" if estimate is not None else "Each planned look"


def notes(story: Story) -> tuple[str, ...]:
    """Say what several looks mean for how sure one can be, and what each row rests on."""
    known = f"Each row knows only the days, sessions and events up to its own look{_visits(story)}."
    if any(each.look.on is not None for each in story.standings):
        known += " Weeks and days count from the first treatment day."
    if story.shown is None:
        known += f" This page shows a look that was not planned, on {date(story.day)}."
    if story.overruled_by:
        return OVERRULED, known
    often = "Each look is read as if it were the only one: the more looks, the likelier one of them reads better or worse by chance alone."
    return f"{often} {_which_decides(story)}".strip(), known


def _visits(story: Story) -> str:
    kept = {each.estimate.outcome.every for each in story.reached if each.estimate is not None}
    return f"; a form of a visit counts up to {VISIT_TOLERANCE} days after it" if "visit" in kept else ""


def _which_decides(story: Story) -> str:
    each = story.deciding
    if each is None:
        return ""
    when = "as agreed before treatment" if story.agreed else "as the protocol says; it was not agreed before treatment"
    return f"So one carries the verdict, the look {in_sentence(each)}, {when}."


def in_sentence(each: Standing) -> str:
    """Name a look inside a sentence: after session 6 (27 Feb 2026)."""
    name = look_name(each)
    when = f" ({date(each.day)})" if each.day is not None else ""
    return f"{name[0].lower()}{name[1:]}{when}"


def earlier(story: Story) -> str:
    """Say in one sentence how it read at the look before this one; ``""`` where there was none.

    Where an earlier look carries the verdict, it is that one which is told.
    """
    if story.overruled_by or not story.earlier:
        return ""
    told = next((each for each in story.earlier if each.decides), story.earlier[-1])
    before = len(story.earlier) - 1
    rest = ""
    if before:
        rest = "; the look before that stands" if before == 1 else f"; the {before} looks before that stand"
        rest = f"{rest} in the appendix" if told is story.earlier[-1] else "; all looks stand in the appendix"
    if told.decides:
        return f"The verdict is that of the look {in_sentence(told)}: {_read(told, story.agreed)}{rest}."
    when = in_sentence(told)
    return f"{when[0].upper()}{when[1:]} it read: {_read(told, story.agreed)}{rest}."


def _read(each: Standing, agreed: bool) -> str:
    estimate = each.estimate
    if estimate is None or not estimate.ok:
        return verdict(each, agreed) if estimate is None else reading(estimate)
    change, ends = change_in_words(estimate)
    unit = "" if estimate.scale != "difference" or estimate.unit == "points" else f", in {estimate.unit}"
    return f"{verdict(each, agreed)} ({change}, {ends}{unit})"


def figure_name(each: Standing) -> str:
    """Name a row of the figure: After session 6, 27 Feb 2026."""
    return f"{look_name(each)}, {date(each.day)}" if each.day is not None else look_name(each)


def figure_reading(each: Standing, agreed: bool) -> str:
    """How a row of the figure is read; the table says why a look is not."""
    short = {"not_reached": NOT_YET, "not_estimable": "not estimable", "too_early": "not asked"}
    return short.get(each.status) or verdict(each, agreed)


def figure_alt(story: Story) -> str:
    """Say what the figure shows: at each look in order of time the change, its interval and how it was read."""
    drawn = [each.estimate for each in story.reached if each.estimate is not None and each.estimate.ok]
    if story.overruled_by or not drawn:
        return OVERRULED if story.overruled_by else NOTHING_TO_DRAW
    said = []
    for each in story.standings:
        carries = f", {CARRIES}" if each.decides else ""
        change = f"{change_with_interval(each.estimate)}, " if each.status == "ok" and each.estimate else ""
        said.append(f"{in_sentence(each)}{carries}: {change}{figure_reading(each, story.agreed)}")
    first = drawn[0]
    important = f" and the {important_line(first)}" if first.important_change > 0 else ""
    left = sides(first)[0].strip("← ")
    return (
        f"{change_axis(first)}, at the planned looks in order of time: {'; '.join(said)}. "
        f"{left.capitalize()} is to the left; marked {'are' if important else 'is'} no change{important}."
    )


NOTHING_TO_DRAW = "The change could not be estimated at any look."
