"""What changed and how sure that is: the sentence, the reading, the bands."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acu_nof1.interpret import LIKELY, SURE, UNLIKELY
from acu_nof1.words.numbers import (
    NO_BREAK,
    Printed,
    against,
    amount,
    digits_of,
    in_hundred,
    level,
    number,
    percent,
    printed,
    ratio,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acu_nof1.estimate import Estimate
    from acu_nof1.interpret import Reading
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Look
    from acu_nof1.trial import Trial
    from acu_nof1.verdict import Verdict


NO_VERDICT = "No verdict: medical evaluation comes first"
ONE_DAY = dt.timedelta(days=1)

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
    """The verdict in two or three words; what overrules the diary leaves none."""
    if verdict.kind == "overruled":
        return NO_VERDICT
    return verdict_word(verdict.kind, verdict.estimate, agreed)


def verdict_word(kind: Reading, estimate: Estimate | None, agreed: bool) -> str:
    """Name a kind of change as the verdict does: Improved, less than agreed."""
    words = READINGS if _has_threshold(estimate) else WITHOUT_THRESHOLD
    return words.get(kind, READINGS[kind])[0].format(agreed="agreed" if agreed else "the threshold")


def reading(estimate: Estimate) -> str:
    """How one row of the table is read."""
    if not estimate.ok:
        return f"not estimable: {estimate.reason}"
    if not estimate.reading:
        return "neither more nor less is better"
    words = READINGS if _has_threshold(estimate) else WITHOUT_THRESHOLD
    return words[estimate.reading][1]


@dataclass(frozen=True, slots=True)
class Telling:
    """How this trial's days are named, and how strong its words may be."""

    before: str
    after: str
    agreed: bool
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
    if len(protocol.design) > 2:
        phases = "in the baseline phases", "in the treatment phases"
        return Telling(*phases, protocol.was_agreed, several_phases=True)
    first, baseline = protocol.first_treatment, next((p for p in protocol.phases if p.kind == "baseline"), None)
    days = 0 if baseline is None else baseline.days
    before = f"in the {days} days before treatment"
    if first is not None and baseline is not None and baseline.end + ONE_DAY < first.start:
        before = f"in the {days} baseline days"
    return Telling(before, _window_phrase(trial, look, day), protocol.was_agreed, several_phases=False)


def _window_phrase(trial: Trial, look: Look, day: dt.date) -> str:
    """Name the window by the days it really has: a short treatment or a run-in makes it shorter."""
    first = trial.protocol.first_treatment
    if first is None:
        return "in the last days"
    end = min(day, first.end + ONE_DAY)
    begin = max(end - trial.protocol.window_days(look) * ONE_DAY, first.start + trial.protocol.run_in_days * ONE_DAY)
    days = max((end - begin).days, 0)
    if look.after_session is not None and end == day:
        return f"in the {days} days before session {look.after_session}"
    return f"in the last {days} days" if end == day else f"in the last {days} days of treatment"


def window_name(tell: Telling) -> str:
    """Name the second column of the table: Last 14 days."""
    name = tell.after.removeprefix("in the ")
    return name[0].upper() + name[1:]


def name_in_sentence(outcome: Outcome) -> str:
    """Write a label inside a sentence: pain, but PEG and Patient-Specific Functional Scale."""
    return label_in_sentence(outcome.label)


def label_in_sentence(label: str) -> str:
    """Write a label inside a sentence, see `name_in_sentence`."""
    return label if label[1:] != label[1:].lower() else label.lower()


def direction_word(value: float, outcome: Outcome, scale: str = "difference") -> str:
    """Name the direction of a change; days with it are counted, so there are fewer or more of them."""
    if outcome.kind == "yes_no" and scale == "difference":
        return "fewer" if value < 0 else "more"
    return "lower" if value < 0 else "higher"


def range_ends(estimate: Estimate, digits: int) -> tuple[str, str]:
    """Print both ends of an interval, the one nearer to no change first; each with its direction where they differ."""
    low, high = (round(end, digits) for end in (estimate.low, estimate.high))
    if low < 0 < high:
        first, second = (f"{number(abs(end), digits)} {direction_word(end, estimate.outcome)}" for end in (low, high))
        return first, second
    near, far = sorted((abs(low), abs(high)))
    return number(near, digits), number(far, digits)


def _range_in_words(estimate: Estimate, digits: int, *, named: bool = False) -> str:
    """Say an interval; `named` where no change before it tells the direction."""
    said = " to ".join(range_ends(estimate, digits))
    low, high = (round(end, digits) for end in (estimate.low, estimate.high))
    far = max(low, high, key=abs)
    return f"{said} {direction_word(far, estimate.outcome)}" if named and far and low * high >= 0 else said


def sentence(estimate: Estimate, tell: Telling) -> str:
    """Say what changed and how sure that is: the number first, then the interval.

    Never says why: with a baseline and one course the words stay with when.
    """
    outcome = estimate.outcome
    shown, name = printed(estimate), name_in_sentence(estimate.outcome)
    if not estimate.ok:
        return _unknown_sentence(estimate, shown, name, tell)
    after = "during treatment" if estimate.question == "mean_change" and not tell.several_phases else tell.after
    interval = percent(estimate.confidence) + " interval"
    if estimate.question == "slope_change":
        slope = f"During treatment the slope of {name} differed from the slope before it by"
        return f"{slope} {shown.change} {estimate.unit} ({interval} {shown.interval})."
    if estimate.question == "level_change":
        lines = f"the line through {name} before treatment stands at {_level(shown.before, outcome)}, the line during"
        return (f"On the first treatment day {lines} treatment at {_level(shown.after, outcome)}: "
                f"{shown.change} ({interval} {shown.interval}).")  # fmt: skip
    if estimate.scale == "percent":
        levels = f"{_level(shown.before, outcome)} {tell.before} and {_level(shown.after, outcome)} {after}"
        return f"{outcome.label}: {levels}; change {shown.change} ({interval} {shown.interval})."
    if estimate.question == "trend":
        return (f"During treatment {name} moved by {shown.change} {estimate.unit} ({interval} {shown.interval}).")  # fmt: skip
    if estimate.scale == "ratio":
        before, later = (_level(text, outcome) for text in (shown.before, shown.after))
        if outcome.kind == "yes_no":
            before, later = f"{shown.before} per 28 days", f"{shown.after} per 28"
        ratio_text = f"ratio {ratio(estimate.value)} ({interval}: {shown.interval})"
        return f"{outcome.label}: {before} {tell.before} and {later} {after}; {ratio_text}."
    if outcome.kind == "yes_no":
        start = f"{outcome.label}: estimated at {shown.before} per 28 {tell.before} and {shown.after} per 28 {after}"
    elif outcome.every != "day":
        start = f"{outcome.label} was {_level(shown.before, outcome)} before treatment and {_level(shown.after, outcome)} at the reassessment"
    elif outcome.is_amount and outcome.kind != "minutes":
        start = f"{outcome.label}: on average {_level(shown.before, outcome)} {tell.before} and {_level(shown.after, outcome)} {after}"
    else:
        start = f"Average {name} was {_level(shown.before, outcome)} {tell.before} and {_level(shown.after, outcome)} {after}"
    change, ends = change_in_words(estimate)
    limited = "; cut at the end of the scale" if estimate.limited else ""
    return f"{start}: {change} ({interval} {ends}{limited})."


def change_in_words(estimate: Estimate) -> tuple[str, str]:
    """Say a change and its interval without their unit: 1.9 lower, 0.4 to 3.3."""
    shown, digits = printed(estimate), digits_of(estimate)
    if estimate.scale == "ratio":
        return f"ratio {ratio(estimate.value)}", shown.interval
    if estimate.scale == "percent":
        return shown.change, shown.interval
    if not shown.size or not round(shown.size, digits):
        return "no difference on average", _range_in_words(estimate, digits, named=True)
    change = f"{number(abs(shown.size), digits)} {direction_word(shown.size, estimate.outcome)}"
    return change, _range_in_words(estimate, digits)


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
    direction, any_change, important = chances_in_words(estimate)
    subject = "it is"
    if outcome.kind == "yes_no":
        subject = "there are" if estimate.scale == "difference" else "their share is"
    if math.isnan(estimate.important_change):
        return f"Chance that {subject} truly {direction}: {any_change}."
    return (
        f"Chance that {subject} truly {important_step(estimate, direction)}: {important}; "
        f"that {subject} {direction} at all: {any_change}."
    )


def chances_in_words(estimate: Estimate) -> tuple[str, str, str]:
    """Say the direction of the change that is shown, the chance of any such change, and that of an important one."""
    # The mean of a skewed distribution may lie on its less likely side.
    outcome, moved = estimate.outcome, (estimate.value - estimate.no_change) * estimate.outcome.sign
    better = moved > 0 or (not moved and estimate.p_gain >= estimate.p_loss)
    direction = direction_word(outcome.sign if better else -outcome.sign, outcome, estimate.scale)
    any_change = against(estimate.p_gain if better else estimate.p_loss, SURE)
    if math.isnan(estimate.important_change):
        return direction, any_change, ""
    return direction, any_change, _important_gain(estimate) if better else in_hundred(estimate.p_important_loss)


def _important_gain(estimate: Estimate) -> str:
    """Say the chance of an important gain beside the one of the two limits that it is nearer to."""
    return against(
        estimate.p_important_gain, UNLIKELY if estimate.p_important_gain < (UNLIKELY + LIKELY) / 2 else LIKELY
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


def important_amount(estimate: Estimate, share: float = 1.0) -> str:
    """Print the important change of an estimate, or a share of it, with its unit."""
    size = share * estimate.important_change
    if estimate.scale != "difference":
        return f"{(100 if estimate.scale == 'ratio' else 1) * size:g}{NO_BREAK}%"
    return amount(size, estimate.outcome)


def threshold(estimate: Estimate | None, tell: Telling) -> str:
    """Say what was agreed, or that nothing was."""
    if estimate is None:
        return ""
    if not _has_threshold(estimate):
        return "No important change was agreed or published."
    outcome = estimate.outcome
    wanted = important_step(estimate, direction_word(outcome.sign, outcome, estimate.scale))
    source = f" ({outcome.source})" if outcome.source and not outcome.declared else ""
    if tell.agreed:
        return f"Agreed before treatment: {wanted}{source}."
    return f"{'Declared' if outcome.declared else 'Published threshold'}, not agreed beforehand: {wanted}{source}."


def reasons(estimate: Estimate | None) -> tuple[str, ...]:
    """Say which rule led to the reading, with the chance it looked at."""
    if estimate is None:
        return ("The primary outcome has no answer that could be estimated.",)
    if not estimate.ok:
        return (f"Not estimable: {estimate.reason}.",)
    likely, sure, unlikely = (f"{100 * needed:g}" for needed in (LIKELY, SURE, UNLIKELY))
    gain = against(estimate.p_gain, SURE)
    if not _has_threshold(estimate):
        if estimate.reading == "worse_amount_unclear":
            return (f"Any loss: {against(estimate.p_loss, SURE)} ({sure} needed).",)
        return (
            f"Any gain: {gain} ({sure} needed{'' if estimate.reading.startswith('improved') else f', or at most {100 - 100 * SURE:g} for worse'}).",
        )
    wanted = important_amount(estimate)
    big = f"A gain of at least {wanted}: {_important_gain(estimate)}"
    within = against(1 - estimate.p_important_gain - estimate.p_important_loss, LIKELY)
    half, loss = sum(estimate.bands[:2]), against(estimate.p_loss, SURE)
    bad = f"A loss of at least {important_amount(estimate, 0.5)}: {against(half, LIKELY)}"
    said: Mapping[str, str] = {
        "improved": f"{big} ({likely} needed). Any gain: {gain} ({sure} needed).",
        "improved_amount_unclear": f"Any gain: {gain} ({sure} needed). {big}; between {unlikely} and {likely} the amount is unclear.",
        "improved_less": f"Any gain: {gain} ({sure} needed). {big} (at most {unlikely} for “less”).",
        "no_important_change": f"A change smaller than {wanted} either way: {within} ({likely} needed).",
        "worse_amount_unclear": f"Any loss: {loss} ({sure} needed).",
        "worse": f"{bad} ({likely} needed). Any loss: {loss} ({sure} needed).",
        "cannot_say": f"{big} ({likely} needed); any gain: {gain} ({sure} needed); a change smaller than {wanted} either way: "
                      f"{within} ({likely} needed). None is reached.",
    }  # fmt: skip
    if estimate.reading == "cannot_say" and estimate.p_important_gain >= LIKELY:
        return (f"{big} ({likely} needed), but any gain: {gain} ({sure} needed). “Improved” needs both.",)
    if estimate.reading == "cannot_say" and half >= LIKELY:
        return (f"{bad} ({likely} needed), but any loss: {loss} ({sure} needed). “Worse” needs both.",)
    return (said[estimate.reading],)


BAND_NAMES = (
    "worse, large", "worse, modest", "worse, small", "no difference", "better, small", "better, modest", "better, large",
)  # fmt: skip


def band_labels(estimate: Estimate) -> tuple[str, ...]:
    """Say what each of the seven bands means in the outcome's own unit."""
    m = estimate.important_change

    def text(value: float) -> str:
        if estimate.scale == "difference":
            return f"{value:g}"
        return f"{(100 if estimate.scale == 'ratio' else 1) * value:g}{NO_BREAK}%"

    def one(value: float) -> str:
        return amount(value, estimate.outcome) if estimate.scale == "difference" else text(value)

    large, modest, small = (
        f"{one(m)} or more",
        f"{text(m / 2)} to {one(m)}",
        f"{text(m / 4)} to {one(m / 2)}",
    )
    none = f"less than {one(m / 4)} either way"
    return (
        f"worse by {large}", f"worse by {modest}", f"worse by {small}", none,
        f"better by {small}", f"better by {modest}", f"better by {large}",
    )  # fmt: skip


def band_share(share: int) -> str:
    """Print a share of the bar: less than 1, or the whole number."""
    return str(share) if share else "less than 1"
