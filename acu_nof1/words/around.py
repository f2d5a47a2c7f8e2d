"""What must be said beside the change: caveats, safety, verdict, success."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from acu_nof1.interpret import LIKELY, SURE, UNLIKELY
from acu_nof1.safety import CAUTIONS
from acu_nof1.words.change import Telling, badge, chances, name_in_sentence, sentence
from acu_nof1.words.course import levels, medication, rescue_rose
from acu_nof1.words.doubts import flare, natural_course, tipping
from acu_nof1.words.numbers import NO_BREAK, against, date, in_hundred, listing, number, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.safety import RedFlag, Safety
    from acu_nof1.verdict import Caveat, Success, Verdict


PROMPTLY = "Seek medical evaluation promptly"
UNKNOWN: Mapping[str, str] = {"pregnant": "pregnancy"}
# A correlation of days below this is hardly one.
HARDLY = 0.15
# Letters: a longer text is cut, of a longer list the rest is counted, where a page has little room.
LONG_TEXT, LONG_LIST = 160, 240


def _co_intervention(facts: Mapping[str, float | str]) -> str:
    week = int(facts["week"])
    when = f"in week {week} of treatment" if week > 0 else "shortly before treatment"
    return f"“{facts['what']}” {when} ({date(dt.date.fromisoformat(str(facts['date'])))}): the change may belong to it, to the sessions, or to both."


def _day(facts: Mapping[str, float | str]) -> str:
    return date(dt.date.fromisoformat(str(facts["on"])))


def _multiple_looks(facts: Mapping[str, float | str]) -> str:
    planned = "One look was planned" if facts["looks"] == 1 else f"{facts['looks']} looks were planned"
    which = "this one"
    if "here" in facts:
        which = "this one carries the verdict and"
    elif "on" in facts:
        which = f"that of {_day(facts)} carries the verdict, and this one"
    return f"{planned}; {which} is read as if it were the only one."


def _interim(facts: Mapping[str, float | str]) -> str:
    if not facts:
        return "This is an interim look."
    which = f"for {_day(facts)}" if "on" in facts else f"after session {facts['session']}"
    return f"This is an interim look: the one planned {which} carries the verdict."


def _unattainable(facts: Mapping[str, float | str]) -> str:
    before, room, important = (float(facts[name]) for name in ("before", "room", "important"))
    left = number(room) if round(room, 1) < important else f"just under {important:g}"
    # The level is an estimate, and the chance of such a gain is seldom nought.
    return f"The level before ({number(before)}) leaves room for {left} only: a gain of {important:g} could hardly be reached."


CAVEATS: Mapping[str, Callable[[Mapping[str, float | str]], str]] = {
    "co_intervention": _co_intervention,
    "medication": medication,
    "rescue_rose": rescue_rose,
    "baseline_trend": lambda f: f"It was already moving this way before treatment ({signed(float(f['slope']))} a week), at least as fast as "
                                "since: the change may be that course going on.",
    "baseline_flare": flare,
    "unattainable": _unattainable,
    "slow_drift": lambda f: f"Days may resemble one another very strongly (chance {in_hundred(float(f['p']))}); then a slow drift cannot be "
                            "told from a change.",
    "missing_days": lambda f: f"{int(f['answered'])} of {int(f['days'])} diary days {'was' if f['answered'] == 1 else 'were'} answered."
                              + (" So many missing days may hide a different course." if f["many"] == "yes" else ""),
    "short_window": lambda f: f"Few answered days: {int(f['before'])} before and {int(f['after'])} after; rates per 28 days are steadier from 21 on.",
    "not_agreed": lambda f: "The size of change that matters was not agreed before treatment"
                            + (f"; the published one is used ({f['source']})." if f["source"] else "."),
    "multiple_looks": _multiple_looks,
    "drawn_start": lambda _: (
        "The first treatment day was drawn at random, so other things that began that day are a less likely reason; one "
        "person’s course still shows what changed, not why."
    ),
    "drawn_order": lambda _: (
        "When treatment was given and when not was drawn at random, so other things that came and went are a less likely reason."
    ),
    "interim": _interim,
    "carry_over": lambda _: "What changes in one phase may last into the next, so phases can look more alike than they are.",
    "one_person": lambda _: "One person, before and during treatment, without a comparison period: this says what changed, not why.",
    "natural_course": natural_course,
    "expectation": lambda _: "The person knew when treatment began; expectation moves ratings too.",
}  # fmt: skip


def caveat(each: Caveat, tell: Telling) -> str:
    """Say one caveat, and what would undo the verdict."""
    facts = each.facts if each.about is None else {**each.facts, **levels(each.about)}
    return f"{CAVEATS[each.kind](facts)} {tipping(each.tips, tell)}".strip()


def sensitivity_of_diary(estimate: Estimate | None) -> str:
    """Say the smallest change that this diary could have shown."""
    if estimate is None or not estimate.ok or math.isnan(estimate.detectable):
        return ""
    span = estimate.outcome.span
    if span is not None and estimate.scale == "difference" and estimate.detectable > span:
        return "This diary is too short, or its days differ too much, to show even a change over the whole scale."
    size = number(estimate.detectable, max(estimate.outcome.digits, 1))
    unit = "" if not estimate.outcome.change_unit else f"{NO_BREAK}{estimate.outcome.change_unit}"
    return f"This diary could show changes of about {size}{unit} or more."


def few(texts: Sequence[str]) -> str:
    """Join texts for a page with little room: what is cut or counted only is said to stand in the appendix."""
    shown = [
        text if len(text) <= LONG_TEXT else f"{text[:LONG_TEXT].rstrip()}… (in full in the appendix)" for text in texts
    ]
    fitting = [text for text, end in zip(shown, accumulate(map(len, shown)), strict=True) if end <= LONG_LIST] or shown[
        :1
    ]
    more = len(shown) - len(fitting)
    return "; ".join([*fitting, *([f"and {more} more, in the appendix"] if more else [])])


def first_of(texts: Sequence[str], most: int) -> tuple[str, ...]:
    """Keep the first of many sentences, and say how many more there are."""
    kept = texts if len(texts) <= most else (*texts[: most - 1], f"{len(texts) - most + 1} more, in the appendix.")
    return tuple(kept)


def alarm(safety: Safety, *, whole: bool = True) -> str:
    """Say what overrules the diary, all of it or as much as a page has room for; ``""`` if nothing does."""
    said = "; ".join if whole else few
    if safety.red_flags:
        return f"{PROMPTLY}. Red flag: {said(_flags(safety))}. A better diary does not change this."
    if safety.serious_events:
        events = said([f"{event.what} ({date(event.date)})" for event in safety.serious_events])
        return f"{PROMPTLY}. Serious adverse event: {events}. A better diary does not change this."
    return ""


def red_flag(flag: RedFlag) -> str:
    """Say a red flag, and when it was ticked: unexplained weight loss (13 May 2026)."""
    return flag.what if flag.date is None else f"{flag.what} ({date(flag.date)})"


def _flags(safety: Safety) -> list[str]:
    return [red_flag(flag) for flag in safety.red_flags]


def safety_line(safety: Safety, asked_cautions: Mapping[str, bool | None]) -> tuple[str, ...]:
    """Say what is known of red flags, adverse events and cautions; not asked is not none."""
    none = "No red flag ticked." if safety.flags_asked else "Red flags: not recorded."
    flags = f"Red flags ticked: {few(_flags(safety))}." if safety.red_flags else none
    said = [CAUTIONS[name] for name, answer in asked_cautions.items() if answer]
    unknown = [UNKNOWN.get(name, name.replace("_", " ")) for name, answer in asked_cautions.items() if answer is None]
    cautions = f"Caution: {'; '.join(said)}." if said else "No caution known." if len(unknown) < len(CAUTIONS) else ""
    missing = f"Not recorded: {', '.join(unknown)}." if unknown else ""
    return tuple(text for text in (flags, _events(safety), cautions, missing) if text)


def _events(safety: Safety) -> str:
    """Say which adverse events were reported, and how often was asked."""
    reported, sessions = safety.adverse_events, safety.sessions_attended
    times = Counter(event.what for event in reported)
    what = f"{len(reported)} ({few([f'{count} × {text}' if count > 1 else text for text, count in times.items()])})"
    if safety.asked == "never":
        where = "the one session" if sessions == 1 else f"any of {sessions} sessions"
        asked = f"not asked about at {where}" if sessions else "no session is listed"
        return (
            f"Adverse events reported: {what}; {asked}."
            if reported
            else f"Adverse events: {asked}, so nothing is known."
        )
    everywhere = f"all {sessions} sessions" if sessions > 1 else "the one session"
    where = everywhere if safety.asked == "at every session" else f"{safety.sessions_asked} of {sessions} sessions"
    return f"Adverse events asked about at {where}: {what if reported else 'none reported'}."


def verdict_sentence(verdict: Verdict, tell: Telling, safety: Safety) -> str:
    """The one sentence of the reassessment: what overrules it, or what changed and how sure."""
    overruled = alarm(safety)
    if overruled:
        return overruled
    if verdict.estimate is None:
        return "Cannot say: the primary outcome has no value."
    first = sentence(verdict.estimate, tell)
    second = chances(verdict.estimate)
    return f"{badge(verdict, tell.agreed)}. {first}" + (f" {second}" if second else "")


def success_sentence(success: Success, outcomes: Mapping[str, Outcome], tell: Telling) -> str:
    """Say whether the success rule was met."""
    if success.kind == "not_agreed" or success.rule is None:
        return "No success rule was agreed."
    names = [name_in_sentence(outcomes[name]) for name in success.outcomes]
    rule = "Agreed rule" if tell.agreed else "Declared rule, not agreed beforehand"
    if len(names) == 1:
        said = f"{rule}: {names[0]} better by at least its important change."
    else:
        every = "both" if len(names) == 2 else "all of"
        both = every if success.rule.startswith("all") else "at least one of"
        each = ", each by at least" if both == every else " by at least"
        said = f"{rule}: {both} {listing(names)} better{each} its important change."
    unknown = [outcomes[name] for name in success.unknown]
    missing = (
        f"{listing(map(name_in_sentence, unknown))} {'is' if len(unknown) == 1 else 'are'} not estimable"
        if unknown
        else ""
    )
    if success.kind == "overruled":
        return f"{said} No result is given while medical evaluation comes first."
    if success.p is None:
        return (
            f"{said} Whether it is met cannot be said: {missing if len(names) > 1 else 'the change is not estimable'}."
        )
    result = {"met": "Met", "not_met": "Not met", "cannot_say": "Cannot say whether it is met"}[success.kind]
    chance = against(success.p, LIKELY if success.p > 0.5 else UNLIKELY)
    limit = {"": "", "at_most": f" at most, as {missing}", "at_least": f" at least, as {missing}"}[success.bound]
    together = days_together(success)
    unsure = ""
    if success.kind == "cannot_say" and success.p >= LIKELY:
        unsure = f", but {'every gain' if success.rule.startswith('all') else 'a gain'} must be sure: {against(success.gain, SURE)} ({100 * SURE:g} needed)"
    return f"{said} {result}: chance {chance}{limit}{f' ({together})' if together else ''}{unsure}."


def days_together(success: Success) -> str:
    """Say how the days of the rule's outcomes go together; ``""`` for a rule over one."""
    if not success.pairs:
        return ""
    kept = [pair.correlation for pair in success.pairs if pair.days]
    if not kept:
        return "how the outcomes go together cannot be told without daily answers to both"
    low, high = min(kept), max(kept)
    size = f"correlations {number(low)} to {number(high)}" if len(kept) > 1 else f"correlation {number(low)}"
    whose = "the outcomes’ days" if len(kept) == len(success.pairs) else "the days of those kept daily"
    if low > HARDLY:
        return f"{whose} go together: {size}"
    if high < -HARDLY:
        return f"good days of one tend to be bad days of the other: {size}"
    return f"{whose} hardly go together: {size}" if high <= HARDLY else f"{whose} go together in part: {size}"


def decision() -> str:
    """Who decides."""
    return "Continue, change or stop: patient and clinician decide."
