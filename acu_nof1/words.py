"""Every sentence the package says, and how a number is printed; wording gated by the design."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acu_nof1.interpret import LIKELY, SURE, UNLIKELY
from acu_nof1.outcomes import base_unit
from acu_nof1.safety import CAUTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from acu_nof1.diary import Counts, Source
    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Look, Phase, Protocol
    from acu_nof1.safety import Safety
    from acu_nof1.trial import Trial
    from acu_nof1.verdict import Caveat, Success, Verdict

MINUS, NO_BREAK = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
PROMPTLY = "Seek medical evaluation promptly"

# ------------------------------------------------------------------ numbers


def number(value: float, digits: int = 1) -> str:
    """Print a number for people: fixed decimals, thousands separated, a real minus sign, never −0.0."""
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def signed(value: float, digits: int = 1) -> str:
    """Print a change with its sign; zero has none."""
    text = number(value, digits)
    return f"+{text}" if value > 0 and float(f"{value:.{digits}f}") else text


def ratio(value: float) -> str:
    """Print a ratio with two significant digits; a bound that does not exist is named, not invented."""
    if math.isinf(value):
        return "no upper bound"
    if not value:
        return "0"
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


def date(day: dt.date) -> str:
    """Print a date so that day and month cannot be confused: 13 Apr 2026."""
    return f"{day.day} {day:%b %Y}"


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
        unit = {"points": "point", "days per 28": "day per 28"}.get(unit, unit)
    return f"{value:g}{NO_BREAK}{unit}" if unit else f"{value:g}"


# ------------------------------------------------------------------ the numbers of one estimate


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
    largest = max((abs(x) for x in (estimate.before, estimate.after) if math.isfinite(x)), default=0.0)
    return 0 if largest >= 100 else estimate.outcome.digits


def printed(estimate: Estimate) -> Printed:
    """Round an estimate once, for all places where it is shown."""
    outcome, digits = estimate.outcome, digits_of(estimate)
    before, after = (round(x, digits) if math.isfinite(x) else math.nan for x in (estimate.before, estimate.after))
    has_levels = math.isfinite(before) and math.isfinite(after)
    before_text, after_text = (number(x, digits) if has_levels else "–" for x in (before, after))
    important = estimate.important_change
    if estimate.scale == "ratio":
        change = f"×{NO_BREAK}{ratio(estimate.value)}" if math.isfinite(estimate.value) else "–"
        interval = f"{ratio(estimate.low)} to {ratio(estimate.high)}" if estimate.ok else "–"
        goal = "–" if math.isnan(important) else f"{signed(100 * important * outcome.sign, 0)}{NO_BREAK}%"
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


# ------------------------------------------------------------------ readings


READINGS: Mapping[str, tuple[str, str]] = {
    "improved": ("Improved", "better, by the important amount"),
    "improved_amount_unclear": ("Improved, amount unclear", "better, amount unclear"),
    "improved_less": ("Improved, less than {agreed}", "better, less than the important amount"),
    "no_important_change": ("No important change", "no important change"),
    "worse_amount_unclear": ("Worse, amount unclear", "worse, amount unclear"),
    "worse": ("Worse", "worse"),
    "cannot_say": ("Cannot say", "cannot say"),
}
WITHOUT_THRESHOLD: Mapping[str, tuple[str, str]] = {
    "improved_amount_unclear": ("Better", "better"),
    "worse_amount_unclear": ("Worse", "worse"),
    "cannot_say": ("Cannot say", "cannot say"),
}


def _has_threshold(estimate: Estimate | None) -> bool:
    return estimate is not None and not math.isnan(estimate.important_change)


def badge(verdict: Verdict, agreed: bool) -> str:
    """The verdict in two or three words."""
    words = READINGS if _has_threshold(verdict.estimate) else WITHOUT_THRESHOLD
    return words.get(verdict.kind, READINGS[verdict.kind])[0].format(agreed="agreed" if agreed else "the threshold")


def reading(estimate: Estimate) -> str:
    """How one row of the table is read."""
    if not estimate.ok:
        return f"not estimable: {estimate.reason}"
    if not estimate.reading:
        return "neither more nor less is better"
    words = READINGS if _has_threshold(estimate) else WITHOUT_THRESHOLD
    return words[estimate.reading][1]


# ------------------------------------------------------------------ when


@dataclass(frozen=True, slots=True)
class Telling:
    """How this trial's days are named, and how strong its words may be."""

    before: str
    after: str
    agreed: bool
    randomised: bool
    several_phases: bool


def telling(trial: Trial, look: Look) -> Telling:
    """Name the days that are compared.

    Parameters
    ----------
    trial
        As it stood at the look.
    look
        The reassessment.
    """
    protocol, day = trial.protocol, trial.look_day(look)
    days = protocol.window_days(look)
    baseline = sum(phase.days for phase in protocol.phases if phase.kind == "baseline")
    ends = [phase.end for phase in protocol.phases if phase.kind == "treatment"]
    after = f"in the last {days} days"
    if ends and max(ends) + dt.timedelta(days=1) < day:
        after = f"in the last {days} days of treatment"
    if look.after_session is not None:
        after = f"in the {days} days before session {look.after_session}"
    several = len(protocol.design) > 2
    before = "in the baseline phases" if several else f"in the {baseline} days before treatment"
    if several:
        after = "in the treatment phases"
    return Telling(before, after, protocol.was_agreed, protocol.start_was_randomised, several)


def window_name(tell: Telling) -> str:
    """Name the second column of the table: Last 14 days."""
    name = tell.after.removeprefix("in the ")
    return name[0].upper() + name[1:]


# ------------------------------------------------------------------ the sentence


def name_in_sentence(outcome: Outcome) -> str:
    """Write a label inside a sentence: pain, but PEG and Patient-Specific Functional Scale."""
    label = outcome.label
    return label if label[1:] != label[1:].lower() else label.lower()


def _direction(value: float, outcome: Outcome) -> str:
    if outcome.kind == "yes_no":
        return "fewer" if value < 0 else "more"
    return "lower" if value < 0 else "higher"


def _range_in_words(estimate: Estimate, digits: int) -> str:
    low, high = (round(end, digits) for end in (estimate.low, estimate.high))
    if low < 0 < high:
        first, second = (f"{number(abs(end), digits)} {_direction(end, estimate.outcome)}" for end in (low, high))
        return f"{first} to {second}"
    near, far = sorted((abs(low), abs(high)))
    return f"{number(near, digits)} to {number(far, digits)}"


def sentence(estimate: Estimate, tell: Telling) -> str:
    """Say what changed and how sure that is: the number first, then the interval.

    Never says why: with a baseline and one course the words stay with when.
    """
    outcome, digits = estimate.outcome, digits_of(estimate)
    shown, name = printed(estimate), name_in_sentence(estimate.outcome)
    if not estimate.ok:
        return _unknown_sentence(estimate, shown, name, tell)
    after = "during treatment" if estimate.question == "mean_change" and not tell.several_phases else tell.after
    interval = percent(estimate.confidence) + " interval"
    if estimate.question == "trend":
        return (f"During treatment {name} moved by {shown.change} {estimate.unit} ({interval} {shown.interval}).")  # fmt: skip
    if estimate.scale == "ratio":
        return (f"{outcome.label}: {_level(shown.before, outcome)} {tell.before} and {_level(shown.after, outcome)} {after}; "
                f"ratio {ratio(estimate.value)} ({interval} {shown.interval}).")  # fmt: skip
    if outcome.kind == "yes_no":
        start = f"{outcome.label} came to {shown.before} per 28 days {tell.before} and {shown.after} per 28 {after}"
    elif outcome.every != "day":
        start = f"{outcome.label} was {_level(shown.before, outcome)} before treatment and {_level(shown.after, outcome)} at the reassessment"
    else:
        start = f"Average {name} was {_level(shown.before, outcome)} {tell.before} and {_level(shown.after, outcome)} {after}"
    if not shown.size or not round(shown.size, digits):
        return f"{start}: no difference on average ({interval} {_range_in_words(estimate, digits)})."
    change = f"{number(abs(shown.size), digits)} {_direction(shown.size, outcome)}"
    limited = "; cut at the end of the scale" if estimate.limited else ""
    return f"{start}: {change} ({interval} {_range_in_words(estimate, digits)}{limited})."


def _level(text: str, outcome: Outcome) -> str:
    unit = "" if outcome.unit == "points" else outcome.unit
    return f"{text}{NO_BREAK}{unit}" if unit else text


def _unknown_sentence(estimate: Estimate, shown: Printed, name: str, tell: Telling) -> str:
    if math.isfinite(estimate.value):
        return (f"{estimate.outcome.label} was {shown.before} before treatment and {shown.after} at the reassessment "
                f"({shown.change}); the interval is not estimable: {estimate.reason}.")  # fmt: skip
    what = "ratio" if estimate.scale == "ratio" else "change"
    return f"The {what} of {name} {tell.after} is not estimable: {estimate.reason}."


def chances(estimate: Estimate) -> str:
    """Say how likely the important change and any change for the better are."""
    outcome = estimate.outcome
    if not estimate.ok or math.isnan(estimate.p_gain):
        return ""
    better = estimate.p_gain >= estimate.p_loss
    direction = _direction(outcome.sign if better else -outcome.sign, outcome)
    any_change = in_hundred(estimate.p_gain if better else estimate.p_loss)
    subject = "there are" if outcome.kind == "yes_no" else "it is"
    if math.isnan(estimate.important_change):
        return f"Chance that {subject} truly {direction}: {any_change}."
    important = in_hundred(estimate.p_important_gain if better else estimate.p_important_loss)
    return (
        f"Chance that {subject} truly {important_step(estimate, direction)}: {important}; "
        f"that {subject} {direction} at all: {any_change}."
    )


def important_step(estimate: Estimate, direction: str) -> str:
    """Say a change of the important size: lower by at least 2 points; at least 4 fewer days per 28."""
    if estimate.scale == "difference" and estimate.outcome.kind == "yes_no":
        days = "day" if estimate.important_change == 1 else "days"
        return f"at least {estimate.important_change:g} {direction} {days} per 28"
    return f"{direction} by at least {important_amount(estimate)}"


def described(outcome: Outcome, mean: float, answered: int, tell: Telling) -> str:
    """Say what was kept where no change can be estimated: a plain mean, without an interval."""
    if not answered:
        return f"No day was answered {tell.after}."
    shown = f"{100 * mean:.0f}{NO_BREAK}% of days" if outcome.kind == "yes_no" else level(mean, outcome)
    days = "day" if answered == 1 else "days"
    return f"Plain mean of the {answered} {days} answered {tell.after}: {shown}."


def important_amount(estimate: Estimate) -> str:
    """Print the important change of an estimate with its unit."""
    if estimate.scale == "ratio":
        return f"{100 * estimate.important_change:g}{NO_BREAK}%"
    return amount(estimate.important_change, estimate.outcome)


def threshold(estimate: Estimate | None, tell: Telling) -> str:
    """Say what was agreed, or that nothing was."""
    if estimate is None:
        return ""
    if not _has_threshold(estimate):
        return "No important change was agreed or published for it."
    outcome = estimate.outcome
    wanted = important_step(estimate, _direction(outcome.sign, outcome))
    if outcome.declared:
        return f"{'Agreed before treatment' if tell.agreed else 'Declared, not agreed beforehand'}: {wanted}."
    return f"Published threshold, not agreed beforehand: {wanted} ({outcome.source})."


def reasons(estimate: Estimate | None) -> tuple[str, ...]:
    """Say which rule led to the reading, with the chance it looked at."""
    if estimate is None:
        return ("The primary outcome has no answer that could be estimated.",)
    if not estimate.ok:
        return (f"Not estimable: {estimate.reason}.",)
    if not _has_threshold(estimate):
        return (f"Any change for the better: {in_hundred(estimate.p_gain)}; better or worse needs {100 * SURE:g}.",)
    wanted, gain = important_amount(estimate), in_hundred(estimate.p_gain)
    big = f"A gain of at least {wanted}: {in_hundred(estimate.p_important_gain)}"
    within = 1 - estimate.p_important_gain - estimate.p_important_loss
    said: Mapping[str, str] = {
        "improved": f"{big}; “improved” needs {100 * LIKELY:g}.",
        "improved_amount_unclear": f"Any gain: {gain} ({100 * SURE:g} needed). {big}: more than {100 * UNLIKELY:g}, less than "
                                   f"{100 * LIKELY:g}, so the amount is unclear.",
        "improved_less": f"Any gain: {gain} ({100 * SURE:g} needed). {big}: at most {100 * UNLIKELY:g}.",
        "no_important_change": f"A change smaller than {wanted} either way: {in_hundred(within)} ({100 * LIKELY:g} needed).",
        "worse_amount_unclear": f"Any loss: {in_hundred(estimate.p_loss)} ({100 * SURE:g} needed).",
        "worse": f"A loss of at least half of {wanted}: {in_hundred(sum(estimate.bands[:2]))}; “worse” needs {100 * LIKELY:g}.",
        "cannot_say": f"{big} ({100 * LIKELY:g} needed); any gain: {gain} ({100 * SURE:g} needed); smaller than {wanted} either way: "
                      f"{in_hundred(within)} ({100 * LIKELY:g} needed). None is reached.",
    }  # fmt: skip
    return (said[estimate.reading],)


# ------------------------------------------------------------------ bands


BAND_NAMES = (
    "worse, large", "worse, modest", "worse, small", "no difference", "better, small", "better, modest", "better, large",
)  # fmt: skip


def band_labels(estimate: Estimate) -> tuple[str, ...]:
    """Say what each of the seven bands means in the outcome's own unit."""
    m = estimate.important_change
    unit = "" if estimate.scale == "ratio" else f"{NO_BREAK}{estimate.outcome.change_unit}"

    def text(value: float) -> str:
        return f"{100 * value:g}{NO_BREAK}%" if estimate.scale == "ratio" else f"{value:g}"

    large, modest, small = (
        f"{text(m)}{unit} or more",
        f"{text(m / 2)} to {text(m)}{unit}",
        f"{text(m / 4)} to {text(m / 2)}{unit}",
    )
    none = f"less than {text(m / 4)}{unit} either way"
    return (
        f"worse by {large}", f"worse by {modest}", f"worse by {small}", none,
        f"better by {small}", f"better by {modest}", f"better by {large}",
    )  # fmt: skip


def band_share(share: int) -> str:
    """Print a share of the bar: less than 1, or the whole number."""
    return str(share) if share else "less than 1"


# ------------------------------------------------------------------ caveats


def _co_intervention(facts: Mapping[str, float | str]) -> str:
    week = int(facts["week"])
    when = f"in week {week} of treatment" if week > 0 else "shortly before treatment"
    return f"“{facts['what']}” began {when} ({date(dt.date.fromisoformat(str(facts['date'])))}): the change may belong to it, to the sessions, or to both."


CAVEATS: Mapping[str, Callable[[Mapping[str, float | str]], str]] = {
    "co_intervention": _co_intervention,
    "baseline_trend": lambda f: f"It was already moving this way before treatment ({signed(float(f['slope']))} a week), at least as fast as "
                                "since: the change may be that course going on.",
    "baseline_flare": lambda f: f"The first baseline week ({number(float(f['early']))}) was worse than the rest ({number(float(f['later']))}): "
                                "part of the change may be a return to this person’s usual level.",
    "unattainable": lambda f: f"The level before ({number(float(f['before']))}) leaves room for {number(float(f['room']))} only: a gain of "
                              f"{float(f['important']):g} could not be reached.",
    "slow_drift": lambda f: f"Days resemble one another strongly (chance of a slow drift {in_hundred(float(f['p']))}): a slow drift cannot be "
                            "told from a change.",
    "missing_days": lambda f: f"{int(f['answered'])} of {int(f['days'])} diary days were answered."
                              + (" So many missing days may hide a different course." if f["many"] == "yes" else ""),
    "short_window": lambda f: f"Short window: {int(f['before'])} and {int(f['after'])} answered days; rates per 28 days are steadier from 21 on.",
    "not_agreed": lambda f: "The size of change that matters was not agreed before treatment"
                            + (f"; the published one is used ({f['source']})." if f["source"] else "."),
    "multiple_looks": lambda f: f"{int(f['looks'])} looks were planned; this one is read as if it were the only one.",
    "drawn_start": lambda _: (
        "The first treatment day was drawn at random, so other things that began that day are a less likely reason."
    ),
    "one_person": lambda _: "One person, before and during treatment, without a comparison period: this says what changed, not why.",
    "natural_course": lambda _: "Pain has good and bad spells, and people start treatment in bad ones: many untreated people also improve.",
    "expectation": lambda _: "The person knew when treatment began; expectation moves ratings too.",
}  # fmt: skip


def caveat(each: Caveat) -> str:
    """Say one caveat."""
    return CAVEATS[each.kind](each.facts)


def sensitivity_of_diary(estimate: Estimate | None) -> str:
    """Say the smallest change that this diary could have shown."""
    if estimate is None or not estimate.ok or math.isnan(estimate.detectable):
        return ""
    size = number(estimate.detectable, max(estimate.outcome.digits, 1))
    unit = "" if not estimate.outcome.change_unit else f"{NO_BREAK}{estimate.outcome.change_unit}"
    said = f"This diary could show changes of about {size}{unit} or more."
    if math.isfinite(estimate.effective_before) and estimate.effective_before < estimate.days_before:
        days = f"{number(estimate.effective_before, 0)} and {number(estimate.effective_after, 0)}"
        said += f" Because days resemble one another, its {estimate.days_before} and {estimate.days_after} days tell as much as about {days} independent ones."
    return said


# ------------------------------------------------------------------ safety


def alarm(safety: Safety) -> str:
    """Say what overrules the diary; ``""`` if nothing does."""
    if safety.red_flags:
        return f"{PROMPTLY}. Red flag: {'; '.join(safety.red_flags)}. A better diary does not change this."
    if safety.serious_events:
        events = "; ".join(f"{event.what} ({date(event.date)})" for event in safety.serious_events)
        return f"{PROMPTLY}. Serious adverse event: {events}. A better diary does not change this."
    return ""


def safety_line(safety: Safety, asked_cautions: Mapping[str, bool | None]) -> tuple[str, ...]:
    """Say what is known of red flags, adverse events and cautions; not asked is not none."""
    flags = "Red flags ticked: " + "; ".join(safety.red_flags) + "." if safety.red_flags else "No red flag ticked."
    count, sessions = len(safety.adverse_events), safety.sessions_attended
    if not sessions:
        events = "No session is listed, so nothing is known of adverse events."
    elif safety.asked == "never":
        events = f"Adverse events were not asked about at any of {sessions} sessions: nothing is known."
    else:
        everywhere = f"all {sessions} sessions" if sessions > 1 else "the one session"
        where = everywhere if safety.asked == "at every session" else f"{safety.sessions_asked} of {sessions} sessions"
        what = "none reported" if not count else f"{count} ({'; '.join(event.what for event in safety.adverse_events)})"
        events = f"Adverse events asked about at {where}: {what}."
    said = [CAUTIONS[name] for name, answer in asked_cautions.items() if answer]
    unknown = [name.replace("_", " ") for name, answer in asked_cautions.items() if answer is None]
    cautions = f"Caution: {'; '.join(said)}." if said else "No caution known." if len(unknown) < len(CAUTIONS) else ""
    missing = f"Not recorded: {', '.join(unknown)}." if unknown else ""
    return tuple(text for text in (flags, events, cautions, missing) if text)


# ------------------------------------------------------------------ verdict and success


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
        said = f"{rule}: {names[0]} by at least its important change."
    else:
        both = "every one of" if success.rule.startswith("all") else "at least one of"
        said = f"{rule}: {both} {listing(names)} by at least its important change."
    if success.p is None:
        return f"{said} Whether it is met cannot be said from the single answers."
    result = {"met": "Met", "not_met": "Not met", "cannot_say": "Cannot say whether it is met"}[success.kind]
    return f"{said} {result}: chance {in_hundred(success.p)}."


def decision() -> str:
    """Who decides."""
    return "Continue, change or stop: patient and clinician decide."


def unit_axis(outcome: Outcome) -> str:
    """Name an axis: Pain, 0–10; Sleep, h."""
    if outcome.kind == "yes_no":
        return f"{outcome.label} per 28"
    if outcome.low is not None and outcome.high is not None and base_unit(outcome.unit) == "points":
        return f"{outcome.label}, {outcome.low:g}–{outcome.high:g}"
    return f"{outcome.label}, {outcome.unit}" if outcome.unit else outcome.label


def better_direction(outcome: Outcome) -> str:
    """Say which way is better, for the corner of a plot."""
    arrows = {"lower": "lower is better ↓", "higher": "higher is better ↑"}
    return arrows.get(outcome.better, "")


# ------------------------------------------------------------------ figures


YES, NO = "yes", "no"
NOTHING_TO_DRAW = "No outcome to draw."
LEGEND: Mapping[str, str] = {
    "before": "day before treatment",
    "after": "day of treatment",
    "yes_before": "yes, before treatment",
    "yes_after": "yes, in treatment",
    "missing": "no entry",
    "declined": "session not attended",
    "level": "estimated level and interval",
    "bars": "days per 28 as counted",
}


def phase_name(phase: Phase, protocol: Protocol) -> str:
    """Name a phase on the figure."""
    if phase.kind == "baseline":
        return "Before treatment" if phase == protocol.phases[0] else "Without treatment"
    if phase.kind == "treatment":
        return "Treatment (ticks: sessions)" if protocol.sessions else "Treatment"
    return {"washout": "Wash-out", "follow_up": "Follow-up"}[phase.kind]


def panel_alt(outcome: Outcome, answered: int, estimate: Estimate | None, tell: Telling) -> str:
    """Say what one panel shows: which way is better, how many days, by how much it changed and how sure that is."""
    better = better_direction(outcome).rstrip(" ↓↑") or "neither more nor less is better"
    kept = {"day": "answered day", "week": "weekly answer", "visit": "answered visit"}[outcome.every]
    said = f"{unit_axis(outcome)} ({better}), {answered} {kept}{'' if answered == 1 else 's'}."
    return said if estimate is None else f"{said} {sentence(estimate, tell)}"


def figure_alt(first: dt.date, last: dt.date, sessions: int, events: int, panels: Iterable[str]) -> str:
    """Say what the figure of the diary shows."""
    marks = f"{sessions} {'session' if sessions == 1 else 'sessions'} and {events} {'event' if events == 1 else 'events'}"
    return " ".join([f"Diary from {date(first)} to {date(last)}, every day a point, with {marks} marked.", *panels])


def bands_title(estimate: Estimate) -> str:
    """Say what the bar shows."""
    return f"Chances in 100 for the true change in {name_in_sentence(estimate.outcome)}"


def no_bands(estimate: Estimate) -> str:
    """Say why there is no bar."""
    return f"No bar of chances: {estimate.reason or 'no important change is declared'}."


# ------------------------------------------------------------------ the page


HEADINGS: Mapping[str, str] = {
    "diary": "What the diary shows",
    "kept": "What was kept",
    "limits": "What this cannot tell",
    "decision": "Decision",
    "appendix": "Appendix",
    "answers": "All answers",
    "raw": "Raw means, without a model",
    "noise": "Day-to-day noise and precision",
    "more_figures": "The other outcomes, day by day",
    "events": "What else happened",
    "problems": "Problems met",
    "ledger": "Cells that were not taken as they stood",
    "rules": "How often each rule was used",
    "sessions": "Sessions",
    "inputs": "Files read",
    "versions": "Versions",
}
MIND = "Mind before reading it as an effect:"
SAFETY = "Safety."
STATUS_WORDS: Mapping[str, str] = {"rejected": "not read", "missing": "missing", "converted": "converted"}
PRIMARY = "primary"


def page_title(protocol: Protocol) -> str:
    """Name the page: Reassessment · P-014 · chronic low back pain."""
    return " · ".join(part for part in ("Reassessment", protocol.person, protocol.condition) if part)


def page_date(day: dt.date, attended: int, planned: int | None) -> str:
    """Say when it was looked, and after how many sessions."""
    count = f"{attended} of {planned} sessions" if planned else f"{attended} {'session' if attended == 1 else 'sessions'}"
    return f"{date(day)} · {count}"


def goal(text: str) -> str:
    """Repeat the goal in the person's own words."""
    return f"Goal in the person’s own words: “{text}”." if text else ""


def agreed_line(protocol: Protocol) -> str:
    """Say when outcomes and thresholds were agreed."""
    if protocol.agreed_on is None:
        return "Nothing was agreed before treatment."
    when = "before treatment" if protocol.was_agreed else "after treatment had begun"
    return f"Outcomes and thresholds agreed on {date(protocol.agreed_on)}, {when}."


def diary_days(name: str, sides: Iterable[tuple[str, int, int]]) -> str:
    """Say how much of the diary was kept: 14 of 14 days before treatment and 72 of 84 days during treatment."""
    said = [f"{answered} of {days} days {when}" for when, answered, days in sides if days]
    return f"Diary of {name}: {listing(said)}." if said else ""


def outcomes_title(tell: Telling) -> str:
    """Head the table of all outcomes."""
    after = window_name(tell)
    return f"All outcomes: {after[0].lower() + after[1:]} against {tell.before.removeprefix('in the ')}"


def outcome_columns(estimates: Iterable[Estimate], tell: Telling) -> tuple[str, ...]:
    """Name the columns of the table of all outcomes."""
    levels = sorted({percent(each.confidence) for each in estimates})
    return ("Outcome", "Before", window_name(tell), f"Change ({listing(levels)} interval)",
            "Agreed" if tell.agreed else "Threshold", "Reading")  # fmt: skip


def percent_change(estimate: Estimate) -> str:
    """Print the change as a share of the level before, from the printed levels."""
    shown, digits = printed(estimate), estimate.outcome.digits
    before = round(estimate.before, digits) if math.isfinite(estimate.before) else math.nan
    if estimate.scale == "ratio" or not before > 0 or not math.isfinite(shown.size):
        return "–"
    return f"{signed(100 * shown.size / before, 0)}{NO_BREAK}%"


def phi_range(estimate: Estimate) -> str:
    """Print the day-to-day correlation with its interval."""
    if math.isnan(estimate.phi):
        return "–"
    return f"{number(estimate.phi, 2)} ({number(estimate.phi_low, 2)} to {number(estimate.phi_high, 2)})"


def method_line(estimate: Estimate | None) -> str:
    """Say in one line how the answer was made."""
    if estimate is None:
        return ""
    noise = f"; day-to-day correlation {phi_range(estimate)}" if math.isfinite(estimate.phi) else ""
    return f"{estimate.title[0].upper() + estimate.title[1:]}: {estimate.method}{noise}; gaps kept."


def sources_line(version: str, sources: Iterable[Source]) -> str:
    """Name the program and the files, each with the first digits of its hash."""
    return " · ".join([f"acu_nof1 {version}", *(f"{source.file} {source.sha256[:8]}" for source in sources)])


APPENDIX_FOLLOWS = "All answers, methods, problems and every changed cell: in the appendix."
NO_BASELINE = "No diary was kept before treatment, so there is no change to report. This page shows what was kept."
MEDICAL_FIRST = "Medical evaluation comes first. While this stands, the page gives no verdict and no success result."


def ledger_line(counts: Counts) -> str:
    """Say what became of the cells that were read; the four numbers add up."""
    return (f"{counts.read} cells read: {counts.kept} kept as they stood, {counts.converted} converted, "
            f"{counts.missing} missing, {counts.rejected} not read. Blank cells are counted, not listed.")  # fmt: skip


def ledger_cut(shown: int, rows: int) -> str:
    """Say that a long ledger was cut, and how to get the whole."""
    if shown >= rows:
        return ""
    return f"{shown} of {rows} rows are shown. The whole: acu_nof1.read_trial(FOLDER).diary.ledger in Python."


def failed(place: str, error: Exception) -> str:
    """Say that a part of the report could not be drawn."""
    return f"This part of the report ({place}) could not be made: {type(error).__name__}: {error}"


NO_PRIMARY = "The primary outcome has no value."
ANSWER_COLUMNS = ("Outcome", "Question", "Before", "After", "Change (interval)", "In percent", "Days", "Reading")
RAW_COLUMNS = ("Outcome", "Days", "Answered", "Mean", "Standard deviation")
RAW_NOTE = "Mean of the answered days; for yes/no outcomes the share of days with yes."
SIDES: Mapping[str, str] = {"baseline": "before treatment", "treatment": "during treatment", "window": "compared days"}
NOISE_COLUMNS = ("Outcome", "Question", "Day-to-day correlation (interval)", "Share that is pure day noise", "Effective days",
                 "Smallest change it could show", "Method")  # fmt: skip
NOISE_NOTE = "Effective days: as many independent days would tell as much as the answered ones, before and after."
EVENT_COLUMNS = ("Number", "Date", "What")
PROBLEM_COLUMNS = ("Severity", "Where", "Problem", "What to do")
RULE_COLUMNS = ("Rule", "The cell became", "Cells")
LEDGER_COLUMNS = ("File", "Row", "Column", "Day", "As written", "Became", "Rule", "Value")
SESSION_COLUMNS = ("Date", "Attended", "Harm asked", "Adverse event", "Serious", "Red flag")
NOTES = "Notes"
INPUT_COLUMNS = ("File", "Read as", "SHA-256")
VERSION_COLUMNS = ("What", "Version")


def yes_no(value: bool) -> str:
    """Print an answer."""
    return YES if value else NO


REPORT_A_FAULT = "The rest of the report was written; please report this as a fault of acu_nof1."
