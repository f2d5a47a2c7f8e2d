"""Whether the verdict depends on how it was asked: the sentence, the names of the choices, the figure's words."""

from __future__ import annotations

import datetime as dt
import math
from functools import partial
from typing import TYPE_CHECKING, cast

from acu_nof1.words.change import name_in_sentence, verdict_word
from acu_nof1.words.numbers import NO_BREAK, change_with_interval, date, digits_of, listing, ratio, signed, signed_short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.explore.sensitivity import Alternative, Sensitivity
    from acu_nof1.interpret import Reading

AS_PLANNED = "As planned (the verdict)"
SENSITIVITY_FIGURE = "Figure of the same question asked in other ways"
SENSITIVITY_COLUMNS = ("Asked otherwise", "Change (interval)", "Days", "Reading")
SENSITIVITY_NOTE = (
    "One thing is changed at a time; each row is read by the rules of the verdict. ≠ marks a row that is read otherwise. "
    "None of them takes the place of the planned answer."
)
DIFFERS = "≠"
NO_CHANGE = "no change"
# More choices than this are counted in the sentence, not named.
MOST_NAMED = 2


def _day(facts: Mapping[str, float | str]) -> str:
    return date(dt.date.fromisoformat(str(facts["date"])))


def _event_column(facts: Mapping[str, float | str]) -> str:
    if facts["events"] == 1:
        return f"the event of {_day(facts)} as its own step"
    return f"the {facts['events']} events as their own steps"


def _declared_prior(facts: Mapping[str, float | str]) -> str:
    which = "the declared prior" if facts["agreed"] == "yes" else "the prior declared late"
    return f"{which} ({_plus_minus(float(facts['mean']), float(facts['sd']))})"


def _plus_minus(mean: float, sd: float) -> str:
    return f"{signed_short(mean) if mean else '0'}{NO_BREAK}±{NO_BREAK}{sd:.2g}"


CHOICES: Mapping[str, Callable[[Mapping[str, float | str]], str]] = {
    "ar1": lambda _: "AR(1) noise instead of the robust one",
    "all_treatment": lambda _: "all treatment days, not the last ones",
    "segmented": lambda _: "a straight line through each phase",
    "run_in": lambda f: f"the first {f['days']} treatment days left out",
    "first_week": lambda f: f"the first {f['days']} baseline days left out",
    "mean_of_day": lambda _: "the mean of several answers on a day",
    "worst_of_day": lambda _: "the worst of several answers on a day",
    "last_of_day": lambda _: "the last of several answers on a day",
    "before_event": lambda f: f"only days before the event of {_day(f)}",
    "event_column": _event_column,
    "declared_prior": _declared_prior,
    "sceptical_prior": lambda f: f"a sceptical prior ({_plus_minus(0.0, float(f['sd']))})",
}
# Where a choice does not arise, its facts are not known.
UNUSED: Mapping[str, str] = {
    "run_in": "the first treatment days left out",
    "first_week": "the first baseline days left out",
    "before_event": "only days before an event",
    "event_column": "events as their own steps",
    "declared_prior": "a declared prior",
    "sceptical_prior": "a sceptical prior",
}


def choice(each: Alternative) -> str:
    """Name a choice inside a sentence: with the first 7 baseline days left out."""
    if each.status == "not_applicable" and each.name in UNUSED:
        return UNUSED[each.name]
    return CHOICES[each.name](each.facts)


def choice_title(each: Alternative) -> str:
    """Name a choice at the head of its row."""
    text = choice(each)
    return text[0].upper() + text[1:]


def choice_verdict(estimate: Estimate | None, agreed: bool) -> str:
    """Name what the verdict would be: improved, amount unclear."""
    word = verdict_word(cast("Reading", estimate.reading), estimate, agreed) if estimate is not None else ""
    return f"{word[:1].lower()}{word[1:]}"


def sensitivity_sentence(found: Sensitivity) -> str:
    """Say whether the verdict depends on a choice; ``""`` where there is none to compare with."""
    count, others = len(found.estimable), found.differing
    if not count:
        return ""
    if not others:
        return f"The verdict is the same under {'the one other reasonable choice' if count == 1 else f'all {count} other reasonable choices'}."
    first = f"The verdict is the same under {count - len(others) or 'none'} of {count} other reasonable choices"
    if count == 1:
        first = "The verdict depends on the one other reasonable choice"
    if len(others) <= MOST_NAMED:
        named = [f"with {choice(each)} it would be “{choice_verdict(each.estimate, found.agreed)}”" for each in others]
        return f"{first}; {listing(named)}."
    words = list(dict.fromkeys(f"“{choice_verdict(each.estimate, found.agreed)}”" for each in others))
    return f"{first}, else {_either(words)}."


def _either(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def prior_sentence(found: Sensitivity) -> str:
    """Say what the declared prior makes of the answer, beside the flat one; ``""`` where none was used."""
    each = next((each for each in found.alternatives if each.name == "declared_prior"), None)
    if each is None or each.status != "ok" or found.primary is None or not found.primary.ok:
        return ""
    source = f", {each.facts['source']}" if each.facts["source"] else ""
    agreed = each.facts["agreed"] == "yes"
    when = "before treatment" if agreed else "after treatment began, so the diary may have shaped it"
    prior = _plus_minus(float(each.facts["mean"]), float(each.facts["sd"]))
    with_it, without = change_cell(cast("Estimate", each.estimate)), change_cell(found.primary)
    return (
        f"Prior of the change: {prior}{source}, declared {when}. With it the change is {with_it}, without one {without}; "
        f"the verdict rests on the latter."
    )


def change_cell(estimate: Estimate) -> str:
    """Print a change with its interval as the main table does; under a prior it has no levels to be subtracted."""
    if estimate.scale == "ratio" or math.isfinite(estimate.before):
        return change_with_interval(estimate)
    value, low, high = (signed(x, digits_of(estimate)) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})"


def choice_reading(each: Alternative, agreed: bool) -> str:
    """How a row is read, or why it is not."""
    if each.status == "ok":
        return f"{'' if each.same else f'{DIFFERS}{NO_BREAK}'}{choice_verdict(each.estimate, agreed)}"
    return f"{'not applicable' if each.status == 'not_applicable' else 'not estimable'}: {each.reason}"


def change_axis(estimate: Estimate) -> str:
    """Name the axis of changes: Change of pain, points."""
    name = name_in_sentence(estimate.outcome)
    if estimate.scale == "ratio":
        return f"Ratio of {name}, after to before"
    return f"Change of {name}, {estimate.unit}" if estimate.unit else f"Change of {name}"


def important_line(estimate: Estimate) -> str:
    """Name the line at the important change."""
    sign = estimate.outcome.sign
    if estimate.scale == "ratio":
        return f"important change ({signed(100 * sign * estimate.important_change, 0)}{NO_BREAK}%)"
    return f"important change ({signed_short(sign * estimate.important_change)})"


def sides(estimate: Estimate) -> tuple[str, str]:
    """Say which way is better, at the left and the right end of the axis."""
    better, worse = "better", "worse"
    return (f"← {better}", f"{worse} →") if estimate.outcome.sign < 0 else (f"← {worse}", f"{better} →")


def sensitivity_alt(found: Sensitivity) -> str:
    """Say what the figure of the choices shows."""
    if found.primary is None or not found.primary.ok:
        return NOTHING_TO_COMPARE
    primary, rows = found.primary, found.estimable
    values = [cast("Estimate", each.estimate).value for each in rows]
    digits = digits_of(primary)
    shown = ratio if primary.scale == "ratio" else partial(signed, digits=digits)
    said = f"{change_axis(primary)}, as planned: {change_cell(primary)}, {choice_verdict(primary, found.agreed)}."
    if not rows:
        return f"{said} No other choice could be estimated."
    same = len(rows) - len(found.differing)
    if len(rows) == 1:
        return f"{said} Asked in one other way it is {shown(values[0])}: {choice_reading(rows[0], found.agreed)}."
    said += f" Asked in {len(rows)} other ways it lies between {shown(min(values))} and {shown(max(values))}; {same} of {len(rows)} are read the same way."
    others = [f"{choice(each)}: {choice_verdict(each.estimate, found.agreed)}" for each in found.differing]
    return f"{said} Read otherwise: {'; '.join(others)}." if others else said


NOTHING_TO_COMPARE = "The primary answer could not be estimated, so it is not asked in other ways."
