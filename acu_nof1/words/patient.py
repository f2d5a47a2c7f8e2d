"""The patient's page: the same answers in plain words, said to the person whose diary it is.

Numbers come from `printed`, `in_hundred` and `against`, readings from the estimate, as on the clinician's page.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from acu_nof1.interpret import LIKELY, UNLIKELY
from acu_nof1.words.around import PROMPTLY, red_flag
from acu_nof1.words.change import (
    Telling,
    chances_in_words,
    direction_word,
    label_in_sentence,
    name_in_sentence,
    range_ends,
)
from acu_nof1.words.course import anchor
from acu_nof1.words.numbers import NO_BREAK, against, date, digits_of, in_hundred, listing, number, printed, ratio

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from acu_nof1.course import Impression
    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Look, Protocol
    from acu_nof1.safety import Safety
    from acu_nof1.verdict import Caveat, Success, Verdict

Pieces = tuple[tuple[str, bool], ...]

# What a person wrote is cut at this length, so that the page stays one page.
LONGEST_CONDITION, LONGEST_GOAL, LONGEST_NAME, LONGEST_EVENT = 80, 200, 40, 40
# More things that began in these weeks, and more side effects, are counted, not named.
MOST_NAMED, MOST_LIMITS, MOST_QUESTIONS = 2, 4, 4
# An interval this wide is "very likely" to hold the true change.
VERY_LIKELY = 0.9

HEADINGS: Mapping[str, str] = {
    "agreed": "What we agreed",
    "set": "What this page looks at",
    "picture": "Picture of your diary",
    "changed": "What changed",
    "diary": "What your diary shows",
    "kept": "What you wrote",
    "sure": "How sure we can be",
    "others": "Your other diary answers",
    "success": "Was it what we agreed?",
    "rule": "Was the rule met?",
    "limits": "What this page cannot tell you",
    "talk": "What to talk about",
}
LEGEND: Mapping[str, str] = {
    "before": "day before treatment",
    "after": "day of treatment",
    "other": "day we do not compare",
    "without": "day without treatment",
    "yes_before": "yes, before treatment",
    "yes_without": "yes, without treatment",
    "yes_after": "yes, in treatment",
    "missing": "no answer",
    "declined": "session you missed",
    "level": "average, and how far off it may be",
    "flare": "flare",
    "bars": "days in 28 as counted",
}
OTHERS_COLUMNS = ("What", "Before → now", "Better or worse?")
OTHERS_PLAIN = OTHERS_COLUMNS[:2]
KEPT_COLUMNS = ("What", "Average", "Days with an answer")
GOAL = "Your goal:"
DECIDE = "You and your clinician decide what comes next."
MEDICAL_FIRST = "While this stands, this page does not say if you are better or worse."
NO_BASELINE = "You kept no diary before treatment. So this page cannot say what changed. It shows what you wrote."
NO_PRIMARY = "Your main answer has no value here, so this page cannot say what changed."

READINGS: Mapping[str, str] = {
    "improved": "better, by enough",
    "improved_amount_unclear": "better, maybe not by enough",
    "improved_less": "better, but not by enough",
    "no_important_change": "about the same",
    "worse_amount_unclear": "worse, how much is not clear",
    "worse": "worse",
    "cannot_say": "we cannot say",
}
WITHOUT_THRESHOLD: Mapping[str, str] = {
    "improved_amount_unclear": "better",
    "worse_amount_unclear": "worse",
    "cannot_say": "we cannot say",
}
MEANINGS: Mapping[str, str] = {
    "improved": "We are fairly sure it got better by at least {enough}.",
    "improved_amount_unclear": "We are very sure it got better. By {enough} or more? Not clear.",
    "improved_less": "We are very sure it got better. We are fairly sure it was by less than {enough}.",
    "no_important_change": "If it changed at all, we are fairly sure it was by less than {enough}.",
    "worse_amount_unclear": "We are very sure it got worse. We cannot say by how much.",
    "worse": "We are fairly sure it got worse by at least half of {enough}.",
    "cannot_say": "The change may be real. It may also be just the ups and downs of your days.",
}
MEANINGS_WITHOUT: Mapping[str, str] = {
    "improved_amount_unclear": "We are very sure it got better. No one set how much is enough.",
    "worse_amount_unclear": "We are very sure it got worse. No one set how much is too much.",
    "cannot_say": MEANINGS["cannot_say"],
}

UNITS: Mapping[str, str] = {"min": "minutes", "h": "hours", "days per 28": "days in 28"}
ONES: Mapping[str, str] = {
    "minutes": "minute", "hours": "hour", "points": "point", "doses": "dose", "days in 28": "day in 28",
}  # fmt: skip
SPANS: Mapping[str, str] = {
    "in the baseline phases": "in the weeks without treatment",
    "in the treatment phases": "in the weeks with treatment",
}
# Why a number could not be worked out, in the order in which they are tried: what the estimate says, in a sentence, in a table.
REASONS: tuple[tuple[str, str, str], ...] = (
    (r"no answered baseline day|no score before", "there are no answers from before treatment", "no answers before"),
    (r"only (\d+) baseline days? answered; at least (\d+)", "we have answers from only {0} of the days before treatment, and we need {1}",
     "too few answers before"),
    (r"only (\d+) days? answered .*; at least (\d+)", "we have answers from only {0} of the days in treatment, and we need {1}",
     "too few answers"),
    (r"no score near", "there is no answer near this day", "no answer near this day"),
    (r"no measurement error", "we do not know how much this score moves by itself", "it may move by itself"),
    (r"every value is the same|no noise", "all your answers are the same", "all answers are the same"),
    (r"no answered day|fewer answered days", "there are too few answers", "too few answers"),
)  # fmt: skip
OTHER_REASON = "your answers do not fit the way we work it out", "it does not fit"


def shortened(text: str, most: int) -> str:
    """Cut what a person wrote to what the page has room for."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def name(outcome: Outcome) -> str:
    """Write the name of a diary question inside a sentence."""
    return shortened(name_in_sentence(outcome), LONGEST_NAME)


def title(protocol: Protocol) -> str:
    """Name the page: Your diary · P-014 · chronic low back pain."""
    parts = ("Your diary", protocol.code, shortened(protocol.condition, LONGEST_CONDITION))
    return " · ".join(part for part in parts if part)


def goal(text: str) -> str:
    """Repeat the goal in the person's own words."""
    return f"“{shortened(text, LONGEST_GOAL)}”"


# ------------------------------------------------------------------ what overrules, what was agreed


def alarm(safety: Safety) -> tuple[str, str]:
    """Say what comes before the diary: the line in large type, and why."""
    flags = [red_flag(flag) for flag in safety.red_flags]
    what = flags or [f"{event.what} ({date(event.date)})" for event in safety.serious_events]
    named = "; ".join(shortened(each, LONGEST_NAME) for each in what)
    seen = "A warning sign was noted" if safety.red_flags else "Something serious was noted at a session"
    return f"{PROMPTLY}.", f"That means: see a doctor soon. {seen}: {named}. A better diary does not change this."


def unit_of(unit: str, one: bool = False) -> str:
    """Write a unit out: minutes a day."""
    stem, slash, per = UNITS.get(unit, unit).partition("/")
    stem = UNITS.get(stem, stem)
    return f"{ONES.get(stem, stem) if one else stem}{' a ' if slash else ''}{per}"


def amount(estimate: Estimate) -> str:
    """Print the important change with its unit: 2 points, 10 minutes a day, 20 %."""
    size = estimate.important_change * (100 if estimate.scale == "ratio" else 1)
    unit = "%" if estimate.scale != "difference" else unit_of(estimate.outcome.change_unit, one=size == 1)
    return f"{size:g}{NO_BREAK}{unit}".rstrip(NO_BREAK)


def step(estimate: Estimate) -> str:
    """Say a change for the better of the important size: lower by at least 2 points."""
    outcome = estimate.outcome
    return f"{direction_word(outcome.sign, outcome, estimate.scale)} by at least {amount(estimate)}"


def enough(estimate: Estimate | None, success: Success, headlines: Sequence[Estimate], agreed: bool) -> tuple[str, ...]:
    """Say how much change counts as enough, in the main answer and by the success rule, and who said so."""
    if estimate is None or math.isnan(estimate.important_change):
        return ("No one set how much change is enough.",)
    outcome = estimate.outcome
    said = [f"Enough change: {name(outcome)} {step(estimate)}."]
    if success.rule is not None and success.outcomes != (outcome.name,):
        said = [_rule(success, headlines)] if outcome.name in success.outcomes else [*said, _rule(success, headlines)]
    if not agreed:
        said.append("We did not agree on this before treatment." if outcome.declared
                    else "This amount comes from research. We did not agree on it before treatment.")  # fmt: skip
    return tuple(said)


def _rule(success: Success, headlines: Sequence[Estimate]) -> str:
    """Say what the success rule asks of each answer."""
    known = {each.outcome.name: each for each in headlines}
    parts = [_wanted(known[each]) for each in success.outcomes if each in known]
    which = (
        "at least one of these"
        if (success.rule or "").startswith("any")
        else "both of these"
        if len(parts) == 2
        else "all of these"
    )
    *most, last = parts
    joined = (
        f"{', '.join(most)} or {last}" if most and success.rule and success.rule.startswith("any") else listing(parts)
    )
    return f"Success means {'this' if not most else which}: {joined}."


def _wanted(estimate: Estimate) -> str:
    return f"{name(estimate.outcome)}{'' if math.isnan(estimate.important_change) else f' {step(estimate)}'}"


def when(protocol: Protocol, look: Look, day: dt.date) -> str:
    """Say whether this look was planned, and when it was decided."""
    at = f"at session {look.after_session} ({date(day)})" if look.after_session is not None else f"on {date(day)}"
    planned = look in protocol.looks
    said = f"We planned to look {at}." if planned else f"This look is {at}. It was not planned."
    if protocol.agreed_on is None:
        return said
    wrote = (
        f"on {date(protocol.agreed_on)}, {'before treatment' if protocol.was_agreed else 'after treatment had begun'}."
    )
    # What was not planned was not written down either.
    return f"{said} We wrote this down {wrote}" if planned else f"We wrote our plan down {wrote} {said}"


# ------------------------------------------------------------------ what changed


def verdict(verdict: Verdict) -> tuple[str, str]:
    """The verdict in a few words, and what they mean."""
    estimate = verdict.estimate
    said = READINGS["cannot_say"] if estimate is None or not estimate.ok else reading(estimate)
    if estimate is None or not estimate.ok:
        return _capital(said), ""
    plain = math.isnan(estimate.important_change)
    meaning = (MEANINGS_WITHOUT if plain else MEANINGS)[estimate.reading]
    return _capital(said), meaning.format(enough="" if plain else amount(estimate))


def reading(estimate: Estimate) -> str:
    """Say whether an answer got better or worse, as the clinician's table reads it."""
    if not estimate.ok:
        return f"{READINGS['cannot_say']}: {reason(estimate.reason, short=True)}"
    if not estimate.reading:
        return "neither is better"
    return (WITHOUT_THRESHOLD if math.isnan(estimate.important_change) else READINGS)[estimate.reading]


def reason(text: str, short: bool = False) -> str:
    """Say in plain words why a number could not be worked out."""
    for pattern, *said in REASONS:
        found = re.search(pattern, text)
        if found:
            return said[short].format(*found.groups())
    return OTHER_REASON[short]


def changed(estimate: Estimate, tell: Telling) -> Pieces:
    """Say both levels and the change, as pieces that are or are not emphasised, and how far off the change may be."""
    if not math.isfinite(estimate.value):
        return ((f"This page cannot say how {name(estimate.outcome)} changed. Why: {reason(estimate.reason)}.", False),)
    why = f"We cannot say how sure this is: {reason(estimate.reason)}."
    return (
        *levels(estimate, tell),
        (" That is ", False),
        (change(estimate), True),
        (f". {likely(estimate) if estimate.ok else why}", False),
    )


def levels(estimate: Estimate, tell: Telling) -> Pieces:
    """Say both levels, each with its days."""
    outcome, shown = estimate.outcome, printed(estimate)
    unit = "per 28 days" if outcome.kind == "yes_no" else _level_unit(outcome)
    before, after = (f"{text}{NO_BREAK}{unit}".rstrip(NO_BREAK) for text in (shown.before, shown.after))
    what = "count" if outcome.kind == "yes_no" else "average" if outcome.every == "day" else "result"
    spans = ("before treatment", "at this look") if outcome.every != "day" else (span(tell.before), span(tell.after))
    return (
        (f"Your {what} for {name(outcome)} was ", False),
        (before, True),
        (f" {spans[0]}. It was ", False),
        (after, True),
        (f" {spans[1]}.", False),
    )


def _level_unit(outcome: Outcome) -> str:
    return "" if outcome.unit == "points" else unit_of(outcome.unit)


def span(text: str) -> str:
    """Name the days that are compared without a word of the trade."""
    return SPANS.get(text, text.replace(" baseline days", " first diary days"))


def change(estimate: Estimate) -> str:
    """Print the change: 1.8 points lower; 3.9 fewer; 1.3 times as much."""
    if estimate.scale == "ratio":
        return f"{ratio(estimate.value)} {_times(estimate)}"
    digits, size = digits_of(estimate), printed(estimate).size
    if not round(size, digits):
        return "no change on average"
    return f"{number(abs(size), digits)}{_unit(estimate)} {direction_word(size, estimate.outcome)}"


def _unit(estimate: Estimate) -> str:
    unit = "" if estimate.outcome.kind == "yes_no" else unit_of(estimate.outcome.change_unit)
    return f"{NO_BREAK}{unit}" if unit else ""


def _times(estimate: Estimate) -> str:
    return "times as many" if estimate.outcome.kind == "yes_no" else "times as much"


def likely(estimate: Estimate) -> str:
    """Say between which ends the true change lies, and how likely that is."""
    low, high = estimate.low, estimate.high
    if estimate.scale == "ratio" and math.isinf(high):
        if not low:
            return "How large the true change is cannot be said."
        ends = f"at least {ratio(low)} {_times(estimate)}"
    elif estimate.scale == "ratio":
        ends = f"between {ratio(low) if low else '0'} and {ratio(high)} {_times(estimate)}"
    else:
        near, far = range_ends(estimate, digits_of(estimate))
        toward = "" if not near[-1].isdigit() else f"{_unit(estimate)} {direction_word(low + high, estimate.outcome)}"
        ends = f"between {near} and {far}{toward}"
    if estimate.confidence >= VERY_LIKELY:
        return f"The true change is very likely {ends}."
    return f"The true change may be {ends}: chance {in_hundred(estimate.confidence)}."


def answered(outcome: Outcome, mean: float, days: int, digits: int) -> str:
    """Print a plain average of what was answered."""
    if not days:
        return "–"
    if outcome.kind == "yes_no":
        return f"{100 * mean:.0f}{NO_BREAK}% of days"
    unit = _level_unit(outcome)
    return f"{number(mean, digits)}{NO_BREAK}{unit}".rstrip(NO_BREAK)


def description(outcome: Outcome, mean: float, days: int, tell: Telling) -> str:
    """Say what was written where no change can be worked out."""
    if not days:
        return f"You wrote no answer {span(tell.after)}."
    return f"The average of your {days} {'answer' if days == 1 else 'answers'} {span(tell.after)}: {answered(outcome, mean, days, outcome.digits)}."


def rated(impression: Impression | None) -> str:
    """Repeat how the person rated the change as a whole; ``""`` where no one asked."""
    if impression is None or impression.answer is None:
        return ""
    outcome, meant = impression.outcome, anchor(impression)
    scale = "" if outcome.low is None or outcome.high is None else f" of {outcome.low:g}–{outcome.high:g}"
    said = f"How you feel on the whole: you gave {impression.answer:g}{scale}{f' ({meant})' if meant else ''}."
    return f"{said} That is your own view. It stands apart from the diary."


# ------------------------------------------------------------------ how sure


ONE_IN_HUNDRED = "Of 100 people with a diary like yours:"


def chances(estimate: Estimate) -> tuple[tuple[str, str], ...]:
    """Say of how many of 100 people any change, and enough change, is true: the number, and what holds for them."""
    if not estimate.ok or math.isnan(estimate.p_gain):
        return ()
    direction, anyhow, important = chances_in_words(estimate)
    said = [(_of_hundred(anyhow), f"would truly have {direction} {name(estimate.outcome)}.")]
    if important:
        size, _, unit = amount(estimate).partition(NO_BREAK)
        days = direction in ("fewer", "more")
        much = f"at least {size} {direction} {unit}" if days else f"it {direction} by at least {amount(estimate)}"
        said.append((_of_hundred(important), f"would have {much}."))
    return tuple(said)


def _of_hundred(chance: str) -> str:
    return _capital(chance.removesuffix(" in 100"))


def dots(said: str) -> int:
    """How many of 100 dots are filled for a number in words: "more than 95" and "less than 5" lie between two fives."""
    words, _, number = said.rpartition(" ")
    between = {"More than 95": 97, "Less than 5": 3}
    return between.get(said, int(number) + {"Just over": 1, "Just under": -1}.get(words, 0))


# ------------------------------------------------------------------ the other answers, the agreed rule


def others_row(estimate: Estimate) -> tuple[str, str, str]:
    """One row of the other answers."""
    shown, outcome = printed(estimate), estimate.outcome
    unit = "days in 28" if outcome.kind == "yes_no" else _level_unit(outcome)
    known = math.isfinite(estimate.before) and math.isfinite(estimate.after)
    course = f"{shown.before} → {shown.after}{NO_BREAK}{unit}".rstrip(NO_BREAK) if known else "–"
    return shortened(outcome.label, LONGEST_NAME), course, reading(estimate)


def others_cut(shown: int, rows: int) -> str:
    """Say that a long table was cut."""
    return "" if shown >= rows else f"{rows - shown} more answers are on your clinician’s page."


def success_result(success: Success, outcomes: Mapping[str, Outcome]) -> tuple[str, str]:
    """Say whether the rule was met: the answer, and its chance."""
    if success.kind == "not_agreed":
        return "We set no rule for success.", "Look at what changed."
    unknown = listing(name(outcomes[each]) for each in success.unknown) if success.unknown else ""
    if success.p is None:
        return "We cannot say.", f"There is no clear number for {unknown}."
    answer = {"met": "Yes, we are fairly sure.", "not_met": "No, we are fairly sure.", "cannot_say": "We cannot say."}
    chance = against(success.p, LIKELY if success.p > 0.5 else UNLIKELY)
    bound = {"": "", "at_most": " at most", "at_least": " at least"}[success.bound]
    missing = f" There is no clear number for {unknown}." if unknown else ""
    return answer[success.kind], f"The chance is {chance}{bound}.{missing}"


# ------------------------------------------------------------------ what it cannot tell, what to talk about


def _missing(facts: Mapping[str, float | str]) -> str:
    said = f"You answered on {int(facts['answered'])} of {int(facts['days'])} days."
    more = (
        "So many missing days may hide a lot." if facts["many"] == "yes" else "The other days may have been different."
    )
    return f"{said} {more}"


WORSE_BY_ITSELF = "Pain has good and bad spells. A bad one may come by itself."
# In the order in which they are said; what began at the same time has a sentence of its own.
LIMITS: Mapping[str, str] = {
    "interim": "This is an early look. The look that counts is still to come.",
    "unattainable": "You started so close to the best that enough change could not be reached.",
    "one_person": "It can say what changed. It cannot say why.",
    "carry_over": "What treatment changes may last after it ends. So the weeks can look more alike than they are.",
    "co_intervention": "",
    "medication": "",
    "rescue_rose": "",
    "baseline_flare": "Your diary began in a bad week. Part of the change may be your usual days coming back.",
    "baseline_trend": "Things were moving this way before treatment. The change may be more of the same.",
    "missing_days": "",
    "short_window": "Few days have an answer. More days would give a steadier count.",
    "slow_drift": "Your days change slowly. A slow drift can look like a change.",
    "natural_course": "Pain has good and bad spells. After a bad one, many people get better by themselves.",
    "drawn_start": "Your first day of treatment was drawn by lot. So other reasons are less likely.",
    "drawn_order": "The weeks with treatment were drawn by lot. So other reasons are less likely.",
    "expectation": "You knew when treatment began. Hope alone can change how we rate our days.",
    "multiple_looks": "More than one look was planned. This page reads this one by itself.",
}  # fmt: skip


def limits(caveats: Iterable[Caveat]) -> tuple[str, ...]:
    """What the page cannot tell: the few caveats that matter most to the person."""
    found: dict[str, list[Caveat]] = {}
    for each in caveats:
        found.setdefault(each.kind, []).append(each)
    said = []
    for kind, text in LIMITS.items():
        if kind == "co_intervention" and kind in found:
            said.append(f"{_began(found[kind])} It may be part of the reason.")
        elif kind == "medication" and kind in found:
            said.append(f"Your medicine changed too: {_named(found[kind])}. It may be part of the reason.")
        elif kind == "rescue_rose" and kind in found:
            what = listing(label_in_sentence(str(each.facts["label"])) for each in found[kind])
            said.append(f"It may be that {what} went up too. That may be part of the reason.")
        elif kind == "missing_days" and kind in found:
            said.append(_missing(found[kind][0].facts))
        elif kind == "natural_course" and kind in found and found[kind][0].facts.get("worse") == "yes":
            said.append(WORSE_BY_ITSELF)
        elif kind in found:
            said.append(text)
    return tuple(said[:MOST_LIMITS])


def _quoted(texts: Sequence[str]) -> str:
    """Quote what was written; more than a few are counted."""
    shown = [f"“{shortened(text, LONGEST_EVENT)}”" for text in texts[:MOST_NAMED]]
    rest = len(texts) - len(shown)
    return listing([*shown, f"{rest} more"] if rest else shown)


def _named(caveats: Sequence[Caveat]) -> str:
    return _quoted([str(each.facts["what"]) for each in caveats])


def _began(caveats: Sequence[Caveat]) -> str:
    return f"This also began: {_named(caveats)}."


def talk(verdict: Verdict, headlines: Sequence[Estimate], safety: Safety, goal: str) -> tuple[str, ...]:
    """Questions for the visit that follow from the result; none of them is advice."""
    if verdict.overruled_by:
        return ("Who will look into this, and when?", "Is there anything else that worries you?")
    kinds = {each.kind: each for each in verdict.caveats}
    events = [str(each.facts["what"]) for each in verdict.caveats if each.kind in ("co_intervention", "medication")]
    harms = [event.what for event in safety.adverse_events]
    worse = [
        name(each.outcome) for each in headlines if each.ok and not each.primary and each.reading.startswith("worse")
    ]
    unasked = safety.asked == "never" and safety.sessions_attended and not harms
    asked = [
        _question(verdict),
        "Did anything bad happen after a session? No one asked." if unasked else "",
        f"Could {_quoted(events)} explain part of it?" if events else "",
        f"You told us about {_quoted(harms)}. How is that now?" if harms else "",
        f"This got worse: {listing(worse[:MOST_NAMED])}. What matters most?" if worse else "",
        "How close are you to your goal now?" if goal else "",
        "What were the days like on which you gave no answer?" if "missing_days" in kinds else "",
    ]
    return tuple([question for question in asked if question][:MOST_QUESTIONS])


def _question(verdict: Verdict) -> str:
    estimate = verdict.estimate
    if estimate is None or not estimate.ok:
        return "What do you think has changed since treatment began?"
    better = verdict.kind.startswith("improved") and math.isnan(estimate.important_change)
    return QUESTIONS["improved" if better else verdict.kind]


QUESTIONS: Mapping[str, str] = {
    "improved": "Is the change worth it to you?",
    "improved_amount_unclear": "Is the change worth it to you, even if it is small?",
    "improved_less": "Is a small change worth it to you?",
    "no_important_change": "Did anything get better that the diary did not ask about?",
    "worse_amount_unclear": "What else was hard in these weeks?",
    "worse": "What else was hard in these weeks?",
    "cannot_say": "How do these weeks feel to you, next to the weeks before?",
}


# ------------------------------------------------------------------ the picture in words


def figure_alt(first: dt.date, last: dt.date, estimate: Estimate, tell: Telling, *, plain: bool) -> str:
    """Say what the picture shows; `plain` leaves out what changed, where something overrules it."""
    better = {"lower": " Lower is better.", "higher": " Higher is better."}.get(estimate.outcome.better, "")
    said = f"Your diary of {name(estimate.outcome)} from {date(first)} to {date(last)}, one mark a day.{better}"
    pieces = levels(estimate, tell) if plain and math.isfinite(estimate.value) else changed(estimate, tell)
    return f"{said} {''.join(text for text, _ in pieces)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
