"""The words of figures, tables and headings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.outcomes import base_unit
from acu_nof1.words.change import Telling, name_in_sentence, sentence, window_name
from acu_nof1.words.numbers import NO_BREAK, date, listing, number, percent, signed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from acu_nof1.diary import Counts, Source
    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Phase, Protocol


YES, NO = "yes", "no"
FIGURE = "Figure"
NOTHING_TO_DRAW = "No outcome to draw."
LEGEND: Mapping[str, str] = {
    "before": "day before treatment",
    "without": "day without treatment",
    "yes_without": "yes, without treatment",
    "after": "day of treatment",
    "other": "day not compared",
    "yes_before": "yes, before treatment",
    "yes_after": "yes, in treatment",
    "missing": "no entry",
    "declined": "session not attended",
    "level": "estimated level and interval",
    "flare": "flare",
    "bars": "days per 28 as counted",
}


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


def phase_name(phase: Phase, protocol: Protocol) -> str:
    """Name a phase on the figure."""
    if phase.kind == "baseline":
        return "Before treatment" if phase == protocol.phases[0] else "Without treatment"
    if phase.kind == "treatment":
        return "Treatment (ticks: sessions)" if protocol.sessions and phase == protocol.first_treatment else "Treatment"
    return {"washout": "Wash-out", "follow_up": "Follow-up"}[phase.kind]


def panel_alt(outcome: Outcome, answered: int, estimate: Estimate | None, tell: Telling) -> str:
    """Say what one panel shows: which way is better, how many days, by how much it changed and how sure that is."""
    better = better_direction(outcome).rstrip(" ↓↑") or "neither more nor less is better"
    kept = {"day": "answered day", "week": "weekly answer", "visit": "answered visit"}[outcome.every]
    said = f"{unit_axis(outcome)} ({better}), {answered} {kept}{'' if answered == 1 else 's'}."
    return said if estimate is None else f"{said} {sentence(estimate, tell)}"


def figure_alt(first: dt.date, last: dt.date, sessions: int, events: int, panels: Iterable[str]) -> str:
    """Say what the figure of the diary shows."""
    marks = (
        f"{sessions} {'session' if sessions == 1 else 'sessions'} and {events} {'event' if events == 1 else 'events'}"
    )
    return " ".join([f"Diary from {date(first)} to {date(last)}, every day a point, with {marks} marked.", *panels])


def bands_title(estimate: Estimate) -> str:
    """Say what the bar shows."""
    return f"Chances in 100 for the true change in {name_in_sentence(estimate.outcome)}"


def no_bands(estimate: Estimate) -> str:
    """Say why there is no bar."""
    return f"No bar of chances: {estimate.reason or 'no important change is declared'}."


HEADINGS: Mapping[str, str] = {
    "diary": "What the diary shows",
    "kept": "What was kept",
    "limits": "What this cannot tell",
    "decision": "Decision",
    "appendix": "Appendix",
    "flags": "Red flags, in full",
    "harms": "Adverse events, in full",
    "reasons": "Other reasons, in full",
    "answers": "All answers",
    "raw": "Raw means, without a model",
    "noise": "Day-to-day noise and precision",
    "sensitivity": "Does the verdict depend on how it was asked?",
    "otherwise": "The same question asked in other ways",
    "more_figures": "The other outcomes, day by day",
    "events": "What else happened",
    "problems": "Problems met",
    "ledger": "Cells that were not taken as they stood",
    "rules": "How often each rule was used",
    "sessions": "Sessions",
    "inputs": "Files read",
    "versions": "Versions",
}
MIND = "Other reasons that this diary itself suggests:"
SAFETY = "Safety."
STATUS_WORDS: Mapping[str, str] = {"rejected": "not read", "missing": "missing", "converted": "converted"}
PRIMARY = "primary"


def page_title(protocol: Protocol) -> str:
    """Name the page: Reassessment · P-014 · chronic low back pain."""
    return " · ".join(part for part in ("Reassessment", protocol.code, protocol.condition) if part)


def page_date(day: dt.date, attended: int, planned: int | None) -> str:
    """Say when it was looked, and after how many sessions."""
    count = (
        f"{attended} of {planned} sessions" if planned else f"{attended} {'session' if attended == 1 else 'sessions'}"
    )
    if not attended:
        count = "no session recorded" + (f" of {planned} planned" if planned else "")
    return f"{date(day)} · {count}"


def agreed_line(protocol: Protocol) -> str:
    """Say when outcomes and thresholds were agreed; of thresholds only where there is one."""
    if protocol.agreed_on is None:
        return "Nothing was agreed before treatment."
    when = "before treatment" if protocol.was_agreed else "after treatment had begun"
    return f"{agreed_things(protocol).capitalize()} agreed on {date(protocol.agreed_on)}, {when}."


def agreed_things(protocol: Protocol) -> str:
    """Name what there was to agree on."""
    thresholds = any(
        outcome.important_change is not None or outcome.important_change_percent is not None
        for outcome in protocol.outcomes
    )
    return "outcomes and thresholds" if thresholds else "outcomes"


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
    return ("Outcome", "Before", window_name(tell), f"Change ({listing(levels)}{NO_BREAK}interval)",
            "Agreed" if tell.agreed else "Threshold", "Reading")  # fmt: skip


def percent_change(estimate: Estimate) -> str:
    """Print the change as a share of the level before; rows that are a share themselves need none."""
    if estimate.scale != "difference" or not estimate.before > 0 or not math.isfinite(estimate.value):
        return "–"
    return f"{signed(100 * estimate.value / estimate.before, 0)}{NO_BREAK}%"


def neighbour_range(estimate: Estimate) -> str:
    """Print the correlation of neighbouring days with its interval."""
    if math.isnan(estimate.lag1):
        return "–"
    return f"{number(estimate.lag1, 2)} ({number(estimate.lag1_low, 2)} to {number(estimate.lag1_high, 2)})"


def phi_range(estimate: Estimate) -> str:
    """Print φ, the correlation of the slow part of the noise, with its interval."""
    if math.isnan(estimate.phi):
        return "–"
    return f"{number(estimate.phi, 2)} ({number(estimate.phi_low, 2)} to {number(estimate.phi_high, 2)})"


def method_line(estimate: Estimate | None) -> str:
    """Say in one line how the answer was made."""
    if estimate is None or not estimate.ok:
        return ""
    title = estimate.title[0].upper() + estimate.title[1:]
    if estimate.outcome.every != "day":
        return f"{title}: {estimate.method}."
    noise = f"; day-to-day correlation {neighbour_range(estimate)}" if math.isfinite(estimate.lag1) else ""
    return f"{title}: {estimate.method}{noise}; gaps kept. Levels are estimates from one fit; plain means stand in the appendix."


def sources_line(version: str, sources: Iterable[Source]) -> str:
    """Name the program and the files, each with the first digits of its hash."""
    return " · ".join([f"acu_nof1 {version}", *(f"{source.file} {source.sha256[:8]}" for source in sources)])


APPENDIX_FOLLOWS = "All answers, methods, problems and every changed cell: in the appendix."
NO_BASELINE = "No diary was kept before treatment, so there is no change to report. This page shows what was kept."
MEDICAL_FIRST = "Medical evaluation comes first. While this stands, the page gives no verdict and no success result."


def ledger_line(counts: Counts) -> str:
    """Say what became of the cells that were read; the four numbers add up, and records left out stand beside them."""
    ignored = (
        f" {counts.ignored} {'record' if counts.ignored == 1 else 'records'} left out before, for the reasons given."
        if counts.ignored
        else ""
    )
    return (f"{counts.read} cells read: {counts.kept} kept as they stood, {counts.converted} converted, "
            f"{counts.missing} missing, {counts.rejected} not read. Blank cells are counted, not listed.{ignored}")  # fmt: skip


def ledger_cut(shown: int, rows: int) -> str:
    """Say that a long ledger was cut, and how to get the whole."""
    if shown >= rows:
        return ""
    return f"{shown} of {rows} rows are shown. The whole: acu_nof1.read_trial(FOLDER).diary.ledger in Python."


def failed(place: str, error: Exception) -> str:
    """Say that a part of the report could not be drawn."""
    return f"This part of the report ({place}) could not be made: {type(error).__name__}: {error}"


WITHHELD = "withheld: medical evaluation comes first"
NO_PRIMARY = "The primary outcome has no value."
ANSWER_COLUMNS = ("Outcome", "Question", "Before", "After", "Change (interval)", "In percent", "Days", "Reading")
RAW_COLUMNS = ("Outcome", "Days", "Answered", "Mean", "Standard deviation")
RAW_NOTE = "Mean of the answered days; for yes/no outcomes the share of days with yes."
SIDES: Mapping[str, str] = {"baseline": "before treatment", "treatment": "during treatment"}
WITHOUT = "without treatment"


def side_name(side: str, tell: Telling) -> str:
    """Name the days of a raw mean: before treatment, without treatment, last 14 days."""
    if side == "window":
        return tell.after.removeprefix("in the ")
    return WITHOUT if side == "baseline" and tell.several_phases else SIDES[side]


NOISE_COLUMNS = ("Outcome", "Question", "Day-to-day correlation (interval)", "Its slow part φ", "Share of pure day noise λ", "Effective days",
                 "Smallest change it could show", "Method")  # fmt: skip
NOISE_NOTE = (
    "The correlation of neighbouring days is φ(1 − λ). Effective days: as many independent days would tell as much as the "
    "answered ones, before and after."
)
EVENT_COLUMNS = ("Number", "Date", "What", "Kind")
PROBLEM_COLUMNS = ("Severity", "Where", "Problem", "What to do")
RULE_COLUMNS = ("Rule", "The cell became", "Cells")
LEDGER_COLUMNS = ("File", "Row", "Column", "Day", "As written", "Became", "Rule", "Value")
SESSION_COLUMNS = ("Date", "Attended", "Harm asked", "Adverse event", "Serious", "Red flag")
NOTES = "Notes"
NOTES_HELD = "Notes, and columns that are not of STRICTA, are kept back; show_notes = true under [trial] prints them, never who treated."
INPUT_COLUMNS = ("File", "Read as", "SHA-256")
VERSION_COLUMNS = ("What", "Version")


def yes_no(value: bool) -> str:
    """Print an answer."""
    return YES if value else NO


REPORT_A_FAULT = "The rest of the report was written; please report this as a fault of acu_nof1."
