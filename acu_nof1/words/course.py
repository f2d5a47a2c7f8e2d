"""The words of sessions, medication and the person's own overall rating."""

from __future__ import annotations

import datetime as dt
import math
from statistics import median
from typing import TYPE_CHECKING

from acu_nof1.course import REDUCED
from acu_nof1.interpret import SURE
from acu_nof1.trial import VISIT_TOLERANCE
from acu_nof1.words.change import label_in_sentence, name_in_sentence
from acu_nof1.words.numbers import NO_BREAK, date, in_hundred, listing, number, printed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from acu_nof1.course import Course, Done, Impression
    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Event
    from acu_nof1.words.change import Telling

HEADING = "Course and medication"
CAPTION = "Sessions, medication and the person’s own view"
COLUMNS = ("What", "Found")
NOT_RECORDED = "not recorded"
DONE_COLUMNS = ("Part", "What the session log says", "Sessions")
PARTS: Mapping[str, str] = {
    "style": "Style",
    "points": "Points",
    "laterality": "Side",
    "needles_n": "Needles",
    "needle_size": "Needle size",
    "depth_mm": "Depth",
    "response": "Response",
    "stimulation": "Stimulation",
    "frequency_hz": "Frequency",
    "retention_min": "Needles left in",
    "other_components": "Other components",
}
PRACTITIONER = "Practitioner"
UNITS: Mapping[str, str] = {"depth_mm": "mm", "frequency_hz": "Hz", "retention_min": "min"}
MOST_TEXTS = 12
CHANGES: Mapping[str, str] = {
    "started": "started",
    "stopped": "stopped",
    "more": "raised",
    "less": "reduced",
    "changed": "changed",
}
EVENT_KINDS: Mapping[str, str] = {
    "co_intervention": "co-intervention",
    "medication": "regular medication",
    "disturbance": "disturbance",
}
# From one end of a scale of seven to the other, "as before" in the middle.
ANCHORS = (
    "better by far", "clearly better", "a little better", "as before", "a little worse", "clearly worse", "worse by far",
)  # fmt: skip
DIFFER = (
    "The diary and the person’s own overall rating do not point the same way. Both stand as they are; it is worth "
    "asking what the person had in mind."
)
RATING = "The person’s own overall rating"
RATING_NOTE = "The person’s own overall rating stands beside the diary’s answer and is not part of it."
FIGURE_NOTE = "Plain weekly means of the answered days, without a model and without intervals."
LEGEND: Mapping[str, str] = {
    "before": "week before treatment",
    "after": "week of treatment",
    "thin": "fewer than 4 answered days",
    "missing": "week without an entry",
    "session": "session",
    "declined": "session not attended",
}


# ------------------------------------------------------------------ caveats


def _way(better: object) -> str:
    return "rise" if better == "higher" else "fall"


def medication(facts: Mapping[str, float | str]) -> str:
    """Say that regular medication was started, raised or changed while the primary outcome gained."""
    week, name = int(facts["week"]), label_in_sentence(str(facts["primary"]))
    when = f"in week {week} of treatment" if week > 0 else "shortly before treatment"
    day = date(dt.date.fromisoformat(str(facts["date"])))
    return (
        f"Regular medication “{facts['what']}” was {CHANGES[str(facts['change'])]} {when} ({day}): the "
        f"{_way(facts['better'])} in {name} may belong to it, to the sessions, or to both."
    )


def levels(estimate: Estimate) -> dict[str, str]:
    """Print the two levels of an answer as its row in the table does."""
    shown = printed(estimate)
    return {"levels": f"from {shown.before} to {shown.after}{_unit(estimate.outcome)}"}


def _unit(outcome: Outcome) -> str:
    unit = "per 28 days" if outcome.kind == "yes_no" else outcome.unit
    return f"{NO_BREAK}{unit}" if unit else ""


def rescue_rose(facts: Mapping[str, float | str]) -> str:
    """Say that more rescue medication was taken while the primary outcome gained, and how sure that is."""
    primary, rescue = (label_in_sentence(str(facts[key])) for key in ("primary", "label"))
    moved = {"rise": "rose", "fall": "fell"}[_way(facts["better"])]
    sure = float(facts["p"]) >= SURE
    rose = "rose" if sure else "seem to have risen"
    chance = "" if sure else f"; chance that they truly rose: {in_hundred(float(facts['p']))}"
    return (
        f"{primary[:1].upper()}{primary[1:]} {moved} while {rescue} {rose} ({facts['levels']}{chance}): the medication "
        "may have a part in it."
    )


# ------------------------------------------------------------------ sessions


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _sessions(course: Course) -> str:
    if not course.sessions:
        planned = f"{course.planned} were planned; " if course.planned else ""
        return f"{planned}no session is listed"
    attended = len(course.attended)
    took = (
        f"{attended} of {course.planned} planned" if course.planned else f"{attended} of {len(course.sessions)} listed"
    )
    lost = [_plural(course.missed, "was missed", "were missed")] if course.missed else []
    lost += [_plural(course.late_cancelled, "was", "were") + " called off late"] if course.late_cancelled else []
    unlisted = (course.planned or 0) - len(course.sessions)
    rest = (
        f"; {_plural(unlisted, 'planned one is', 'planned ones are')} not listed up to this look"
        if unlisted > 0
        else ""
    )
    return f"{took} took place{f'; {listing(lost)}' if lost else ''}{rest}"


def _spacing(course: Course) -> str:
    days = course.attended
    if len(days) < 2:
        return f"{date(days[0])}, the only one" if days else "–"
    middle = median(course.gaps)
    return (
        f"{date(days[0])} to {date(days[-1])}; median {number(middle, 0 if middle % 1 == 0 else 1)} days apart, longest "
        f"gap {_plural(max(course.gaps), 'day')}"
    )


def _since(course: Course) -> str:
    since = course.days_since_last
    if since is None:
        return "–"
    return f"{_plural(since, 'day')} before this look" if since else "on the day of this look"


# ------------------------------------------------------------------ medication


def event_line(event: Event) -> str:
    """Say one change of regular medication."""
    return f"{date(event.date)}: “{event.what}” {CHANGES[str(event.change)]}"


def event_kind(event: Event) -> str:
    """Name the kind of an event: co-intervention; regular medication, raised."""
    kind = EVENT_KINDS[event.kind]
    return f"{kind}, {CHANGES[event.change]}" if event.change else kind


def _rescue(estimate: Estimate | None, tell: Telling) -> str:
    if estimate is None:
        return "not kept daily"
    shown, unit = printed(estimate), _unit(estimate.outcome)
    if not math.isfinite(estimate.before) or not math.isfinite(estimate.after):
        return f"not estimable: {estimate.reason}"
    return f"{shown.before}{unit} {tell.before}, {shown.after}{unit} {tell.after}"


def reduced(events: Sequence[Event], primary: Estimate) -> str:
    """Say as a plain fact that regular medication went down while the primary outcome gained; ``""`` if it did not."""
    fewer = [event_line(event) for event in events if event.change in REDUCED]
    if not fewer:
        return ""
    moved = "rose" if primary.outcome.better == "higher" else "fell"
    return f"While {name_in_sentence(primary.outcome)} {moved}, regular medication went down. {'; '.join(fewer)}."


# ------------------------------------------------------------------ the overall rating


def anchor(impression: Impression) -> str:
    """Say what the answer means: the form's own label, or our words where the protocol says which way is better."""
    if impression.label:
        return f"“{impression.label}”"
    outcome, direction = impression.outcome, impression.direction
    if impression.answer is None or direction is None or outcome.low is None or outcome.high is None:
        return ""
    if (outcome.low, outcome.high) == (1, len(ANCHORS)) and impression.answer in range(1, len(ANCHORS) + 1):
        place = int(impression.answer) - 1
        return ANCHORS[place if outcome.better == "lower" else -1 - place]
    return {1: "better", 0: "as before", -1: "worse"}[direction]


def own_rating(impression: Impression | None) -> str:
    """Print the person's own overall rating, or that there is none."""
    if impression is None:
        return "not asked"
    outcome = impression.outcome
    if impression.answer is None or impression.day is None:
        return f"not given within {VISIT_TOLERANCE} days of this look"
    scale = "" if outcome.low is None or outcome.high is None else f" of {outcome.low:g}–{outcome.high:g}"
    meaning = anchor(impression)
    said = f" ({meaning})" if meaning else " (which end of the scale is better is not recorded)"
    return f"answer {impression.answer:g}{scale}{said}, {date(impression.day)}"


def goal_and_rating(goal: str, impression: Impression | None) -> str:
    """Put the goal in the person's own words and their own overall rating into one line; what is not there is left out."""
    said = f"Goal in the person’s own words: “{goal}”." if goal else ""
    rated = ""
    if impression is not None and impression.answer is not None:
        rated = f"{RATING}: {own_rating(impression)}; it is not part of the diary’s answer."
    return f"{said} {rated}".strip()


def differ(diary: int | None, impression: Impression | None) -> str:
    """Say, and judge neither, that the diary changed one way (+1 better, −1 worse) and the rating does not; else ``""``."""
    rated = None if impression is None else impression.direction
    return DIFFER if diary and rated is not None and rated != diary else ""


# ------------------------------------------------------------------ tables


def rows(
    course: Course, goal: str, rescue: Sequence[tuple[Outcome, Estimate | None]], tell: Telling
) -> Iterator[tuple[str, str]]:
    """Yield the compact table: sessions, medication, goal, overall rating."""
    yield "Sessions", _sessions(course)
    if course.attended:
        yield "First and last", _spacing(course)
        yield "Last session", _since(course)
    if not course.medication:
        yield "Regular medication", "no change is recorded"
    for event in course.medication:
        yield "Regular medication", event_line(event)
    if not rescue:
        yield "Rescue medication", "not kept in the diary"
    for outcome, estimate in rescue:
        yield outcome.label, _rescue(estimate, tell)
    yield "Goal, in the person’s own words", f"“{goal}”" if goal else NOT_RECORDED
    yield RATING, own_rating(course.impression)


def done_caption(course: Course) -> str:
    """Head the table of what was done."""
    attended = len(course.attended)
    return f"What was done at the {_plural(attended, 'attended session')} (STRICTA)" if attended > 1 else "What was done at the one attended session (STRICTA)"  # fmt: skip


def done_rows(course: Course) -> tuple[tuple[str, str, str], ...]:
    """Say each part that the log tells of: needles 6 to 8, median 8; manual; LI4 (10), LR3 (9). Practitioners are counted only."""
    attended, people = len(course.attended), course.practitioners
    who = [(PRACTITIONER, f"{_plural(people, 'person', 'people')}, not named here", "")] if people else []
    told = [(PARTS[done.part], done_in_words(done), f"{done.told} of {attended}") for done in course.done if done.told]
    return (*who, *told)


def not_recorded(course: Course) -> str:
    """Name the parts that the log does not tell of; a frequency is asked of electrical stimulation only."""
    stimulation = next((done.counts for done in course.done if done.part == "stimulation"), ())
    by_hand = bool(stimulation) and not any("elec" in text.casefold() for text, _ in stimulation)
    parts = [
        PARTS[done.part] for done in course.done if not done.told and not (done.part == "frequency_hz" and by_hand)
    ]
    missing = [*([] if course.practitioners else [PRACTITIONER]), *parts]
    return f"Not recorded: {', '.join(part.lower() for part in missing)}." if missing else ""


def done_in_words(done: Done) -> str:
    """Say what the log tells of one part: 8 to 10, median 10; manual (10)."""
    said = []
    if done.numbers is not None:
        low, middle, high = (f"{each:g}" for each in done.numbers)
        unit = f"{NO_BREAK}{UNITS[done.part]}" if done.part in UNITS else ""
        said.append(f"{low}{unit} throughout" if low == high else f"{low} to {high}{unit}, median {middle}")
    if done.left_out:
        kind = "no point" if done.part == "points" else "not a number"
        said.append(f"left out, as it is {kind}: {listing(f'“{text}”' for text in done.left_out)}")
    if done.counts:
        shown = [f"{text} ({count})" for text, count in done.counts[:MOST_TEXTS]]
        more = len(done.counts) - len(shown)
        said.append(", ".join(shown) + (f" and {more} more" if more else ""))
    return "; ".join(said)


# ------------------------------------------------------------------ figure


def axis(outcome: Outcome) -> str:
    """Name an axis of weekly means: Pain, 0–10; Rescue days a week."""
    if outcome.kind == "yes_no":
        return f"{outcome.label} a week"
    if outcome.kind == "doses":
        return f"{outcome.label} a week"
    if outcome.low is not None and outcome.high is not None and outcome.unit == "points":
        return f"{outcome.label}, {outcome.low:g}–{outcome.high:g}"
    return f"{outcome.label}, {outcome.unit}" if outcome.unit else outcome.label


def medication_mark(event: Event) -> str:
    """Name a change of medication on the figure."""
    return f"{CHANGES[str(event.change)]}: {event.what}"


def panel_alt(outcome: Outcome, before: Sequence[float], during: Sequence[float]) -> str:
    """Say what the weekly means of one outcome do: where they lay before and in treatment, and in the last week."""
    if not (before or during):
        return f"{axis(outcome)}: no week has an answer."
    said = [f"{_range(part)} {when}" for part, when in ((before, "before treatment"), (during, "in treatment")) if part]
    last = f", {number(during[-1])} in its last answered week" if during else ""
    way = ""
    if before and during:
        was, now = (round(sum(part) / len(part), 1) for part in (before, during))
        way = "; on the whole no different" if was == now else f"; on the whole {'lower' if now < was else 'higher'}"
    return f"{axis(outcome)}: {' and '.join(said)}{last}{way}."


def _range(means: Sequence[float]) -> str:
    low, high = number(min(means)), number(max(means))
    return low if low == high else f"{low} to {high}"


def figure_alt(panels: Sequence[str], events: Sequence[Event], attended: int) -> str:
    """Say what the figure shows."""
    marks = f"{_plural(attended, 'session is', 'sessions are')} marked" if attended else "No session is marked"
    changes = f"; regular medication: {'; '.join(map(event_line, events))}" if events else ""
    return " ".join(["Plain weekly means, without intervals.", *panels, f"{marks}{changes}."])
