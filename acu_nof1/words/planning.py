"""What a planned diary could show, and what the interval of a finished one is worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.words.numbers import NO_BREAK, amount, in_hundred, listing, number, percent, signed, signed_short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from acu_nof1.outcomes import Outcome

GOOD_BASELINE = 21
# With fewer treatment days before the window a change over three weeks is taken for noise (docs/METHODS.md).
SETTLED = 14

PLAN_TITLE = "Planning a diary"
AUDIT_TITLE = "Audit of this diary’s interval"
AUDIT_CAPTION = "In 100 simulated diaries, by the true change for the better"
PLAN_SAYS = "What this plan could show"
AUDIT_SAYS = "What was found"
VERDICT_SHARES = "Verdicts in 100 diaries, by the true change"
SMALLEST = "Smallest change that could be shown"
PER_HUNDRED = "in 100 diaries"
TRUE_GAIN_AXIS = "true change for the better"
BASELINE_AXIS = "baseline days"
NO_ROOM = "none that the scale leaves room for"
PROMISED = "promised"
LOOKS_CHANGED, HELD = "interval excludes no change", "interval holds the true change"
EXPECTED = "important change"

KIND_NAMES: Mapping[str, str] = {
    "improved": "improved",
    "improved_amount_unclear": "improved, amount unclear",
    "improved_less": "improved, less than agreed",
    "no_important_change": "no important change",
    "cannot_say": "cannot say",
    "worse_amount_unclear": "worse, amount unclear",
    "worse": "worse",
}
LADDER_COLUMNS = ("Varied", "Baseline days", "Window days", "φ", "Smallest change it could show", "Half the interval")
CURVE_ROWS = ("improved, all three", "any verdict")
AUDIT_ROWS = (
    "interval excludes no change",
    "± one standard error",
    "interval holds the true change",
    "± one standard error",
    "interval width",
)
CURVE_CAPTION = "Verdicts in 100 diaries, by the true change for the better"
VERDICT = "Verdict"
VARIED: Mapping[str, str] = {"baseline": "baseline", "window": "window", "phi": "correlation"}
ASSUMED: Mapping[str, str] = {
    "phi": "a day-to-day correlation φ of {}",
    "sd": "an SD of {} around the level",
    "level": "a baseline level of {}",
    "missing": "{} of 100 days without an answer",
}


def _size(value: float, outcome: Outcome) -> str:
    """Print a simulated size of change with the digits it deserves: 2.1 points."""
    digits = 1 if outcome.kind == "yes_no" else max(outcome.digits, 1) if value < 10 else outcome.digits
    unit = outcome.change_unit
    return f"{number(value, digits)}{NO_BREAK}{unit}" if unit else number(value, digits)


def plan_detectable(outcome: Outcome, planned: int, rungs: Sequence[tuple[int, float]]) -> str:
    """Say which change this baseline could show, and what a longer or shorter one would.

    Parameters
    ----------
    outcome
        What is rated.
    planned
        Baseline days of the plan.
    rungs
        Baseline days and the smallest change they could show (NaN: none that the scale has room for).
    """
    known = dict(rungs)
    longer = [days for days in known if days > planned]
    other = next((days for days in longer if days >= GOOD_BASELINE), None)
    if other is None:
        other = max((days for days in known if days != planned), default=None)
    if math.isnan(known[planned]):
        said = f"With {planned} baseline days this diary could show no change that the scale leaves room for"
    else:
        said = f"With {planned} baseline days this diary could only show a change of {_size(known[planned], outcome)} or more"
    if other is None or math.isnan(known[other]):
        return f"{said}."
    with_other = _size(known[other], outcome)
    if not math.isnan(known[planned]):
        with_other = with_other.split(NO_BREAK)[0]
    return f"{said}; with {other}, {with_other}."


def plan_enough(outcome: Outcome, important: float, enough: int | None, longest: int, window: int | None) -> str:
    """Say how many baseline days are enough for the important change, or else whether a longer window is."""
    wanted = f"to show a change of {amount(important, outcome)} in 8 of 10 diaries"
    if enough is not None:
        return f"{enough} baseline days are enough {wanted}."
    with_window = f", but a window of {window} days is enough" if window is not None else ""
    return f"Even {longest} baseline days are too few {wanted}{with_window}."


def plan_rising(before_window: int) -> str:
    """Say that the compared days begin too soon after the treatment does; ``""`` where they do not."""
    if before_window >= SETTLED:
        return ""
    begin = f"only {before_window} days after" if before_window > 1 else "one day after" if before_window else "with"
    return (
        f"The compared days begin {begin} the treatment: a change that still builds up then looks like a slow drift, and even "
        f"a large one may be left open. A window that begins {SETTLED} days or more into treatment shows more."
    )


def plan_chances(outcome: Outcome, gain: float, shares: Mapping[str, float]) -> str:
    """Say what would be said of a true gain of the important size."""
    called = [shares[kind] for kind in ("improved", "improved_amount_unclear", "improved_less")]
    rest = 1 - sum(called) - shares["no_important_change"] - shares["cannot_say"]
    counts = _fives([sum(called), shares["no_important_change"], shares["cannot_say"], rest])
    full = "" if not counts[0] else f" ({in_hundred(called[0])} by that much or more)"
    parts = [
        f"{_about(counts[0])} would be called improved{full}",
        f"{_about(counts[1])} “no important change”",
        f"{_about(counts[2])} left open",
        *([f"{_about(counts[3])} called worse"] if counts[3] else []),
    ]
    return f"Of 100 diaries with a true gain of {amount(gain, outcome)}, {listing(parts)}."


def _fives(shares: Sequence[float]) -> list[int]:
    """Round shares that add to 1 to fives in 100 that add to 100 (largest remainder)."""
    whole = [math.floor(20 * share) for share in shares]
    order = sorted(range(len(shares)), key=lambda i: whole[i] - 20 * shares[i])
    for i in order[: 20 - sum(whole)]:
        whole[i] += 1
    return [5 * each for each in whole]


def _about(count: int) -> str:
    """Say a count of 100 diaries in fives; a simulation is never sure, so neither 0 nor 100."""
    return {0: "fewer than 5", 100: "more than 95"}.get(count, f"about {count}")


def plan_unchanged(gains: float, losses: float, open_: float) -> str:
    """Say what would be said of a person in whom nothing changed."""
    return (
        f"Without any true change, {_hundred(gains)} in 100 diaries would be called improved and {_hundred(losses)} worse; "
        f"{_hundred(open_)} would be left open."
    )


def plan_noise(expected: float, rungs: Sequence[tuple[float, float]]) -> str:
    """Say how much depends on the day-to-day correlation, where it was not known."""
    if not rungs:
        return ""
    doubt = (
        f"How alike neighbouring days are decides much, and is not known beforehand (φ {number(expected)} is assumed)"
    )
    if all(math.isnan(size) for _, size in rungs):
        return f"{doubt}, but here the scale leaves room for too little whatever it is."
    parts = [
        f"{'none that the scale leaves room for' if math.isnan(size) else number(size)} at φ {number(phi)}"
        for phi, size in rungs
    ]
    return f"{doubt}: the smallest change it could show is {listing(parts)}."


def plan_assumed(values: Mapping[str, float]) -> str:
    """Say what was assumed because nothing was given."""
    if not values:
        return ""
    shown = {name: f"{100 * value:.0f}" if name == "missing" else f"{value:.3g}" for name, value in values.items()}
    said = [ASSUMED[name].format(shown[name]) for name in ASSUMED if name in values]
    return f"Assumed, because nothing was said of it: {listing(said)}. A baseline that is kept already would replace these guesses."


def plan_setting(label: str, baseline: int, treatment: int, window: int, answered: float) -> str:
    """Say what is planned, in one line."""
    return (
        f"{label}: {baseline} days before treatment, {treatment} days of treatment, the last {window} compared; "
        f"{number(100 * answered, 0)} of 100 days answered."
    )


def plan_made(n: int, seed: int, sd: float, phi: float, error: float) -> str:
    """Say how the numbers were made."""
    noise = "" if math.isnan(sd) else f"SD {sd:.3g}, "
    return (
        f"Each number comes from {n:,} simulated diaries ({noise}φ {phi:.2g}, seed {seed}), written and read as real ones are; "
        f"shares are right within about {_hundred(2 * error)} in 100. “Could show”: at least 8 in 10 diaries would be called "
        "improved, by whatever amount."
    )


def true_change(gain: float, outcome: Outcome, *, ratio: bool = False) -> str:
    """Name a true change: no change, a gain of 2 points, a loss of 2 points."""
    if not gain:
        return "no change"
    size = f"{100 * abs(gain):.3g}{NO_BREAK}%" if ratio else amount(float(f"{abs(gain):.3g}"), outcome)
    return f"a {'gain' if gain > 0 else 'loss'} of {size}"


def gain(value: float, *, ratio: bool = False) -> str:
    """Print a true change for the head of a column: −2, 0, +1.5, +30 %."""
    return (
        f"{signed(100 * value, 0)}{NO_BREAK}%"
        if ratio and value
        else signed_short(float(f"{value:.3g}"))
        if value
        else "0"
    )


def _hundred(share: float) -> str:
    """Print a counted share of simulated diaries as whole numbers in 100."""
    shown = round(100 * share)
    return "fewer than 1" if not shown else str(shown)


def audit_alarm(rate: float, error: float, promised: float) -> str:
    """Say how often an unchanged diary would have looked changed."""
    said = (
        f"On this diary’s own calendar and noise, {_hundred(rate)} in 100 diaries without any change would have looked changed "
        f"(promised: {100 * promised:.3g}; give or take {_hundred(max(2 * error, 0.01))} by the number of diaries simulated)."
    )
    if rate - 2 * error > promised:
        return f"{said} That is more than promised: its interval is too narrow for such days."
    return said


def audit_looks(looks: int, rate: float, promised: float) -> str:
    """Say how often one of several looks would have rung a false alarm."""
    if math.isnan(rate):
        return ""
    more = " More looks, more false alarms: only one of them should decide." if rate > promised else ""
    return f"Over all {looks} planned looks, {_hundred(rate)} in 100 such diaries would have looked changed at least once.{more}"


def audit_coverage(confidence: float, held: Sequence[tuple[str, float]]) -> str:
    """Say how often the interval held the truth."""
    parts = [f"{_hundred(share)} with {change}" for change, share in held if math.isfinite(share)]
    return (
        f"Of 100 diaries each, the {percent(confidence)} interval held the true change in {listing(parts)}."
        if parts
        else ""
    )


def audit_verdicts(change: str, found: float, gains: float, losses: float) -> str:
    """Say how often a true gain would have been called one, and an unchanged diary better or worse."""
    first = f"With {change}, {_hundred(found)} in 100 would have been called improved. " if change else ""
    return (
        f"{first}Without change, {_hundred(gains)} in 100 would have been called improved and {_hundred(losses)} worse."
    )


def audit_made(n: int, seed: int) -> str:
    """Say how the audit was made."""
    return (
        f"{n:,} diaries were simulated for each true change (seed {seed}), on the days that were answered, each with noise "
        "drawn from what this diary says of its own."
    )


def audit_not_offered(reason: str) -> str:
    """Say why there is no audit."""
    return f"An audit is not offered: {reason}."


def plan_alt(sentences: Sequence[str]) -> str:
    """Say what the figure of a plan shows."""
    return " ".join(["Left: how often each verdict would be given, by the true change. Right: the smallest change that could be shown, "
                     "by baseline days.", *sentences[:3]])  # fmt: skip


def audit_alt(sentences: Sequence[str]) -> str:
    """Say what the figure of an audit shows."""
    return " ".join(["For each true change: how often the interval excludes no change, how often it holds the true change, and the verdicts.",
                     *sentences[:3]])  # fmt: skip
