"""What is missing, contradictory or too short, as a table: severity, where, problem, remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.course import POINTS, not_understood, turned
from acu_nof1.errors import SEVERITIES, Problem
from acu_nof1.privacy import is_code
from acu_nof1.protocol import contradictions
from acu_nof1.safety import RED_FLAGS, unknown_red_flags
from acu_nof1.scoring import undeclared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Session
    from acu_nof1.trial import Trial

SHORT_BASELINE, MINIMUM_BASELINE = 7, 5
HEADACHE_BASELINE = 28
# A prior whose SD is a smaller part of the important change has made up its mind.
TELLING_SD = 10


def check(trial: Trial) -> pd.DataFrame:
    """What should be mended or known before the answer is read?

    Parameters
    ----------
    trial
        The trial, as read.

    Returns
    -------
    pandas.DataFrame
        Columns severity (error, warning, note), where, problem, remedy; worst first.
    """
    rows = [(p.severity, p.where, p.problem, p.remedy) for p in problems_of(trial)]
    return pd.DataFrame(rows, columns=["severity", "where", "problem", "remedy"])


def problems_of(trial: Trial) -> tuple[Problem, ...]:
    """Collect every problem of a trial, worst first: those met on reading and those seen in the whole."""
    found = [
        *trial.diary.problems,
        *contradictions(trial.protocol),
        *_person(trial),
        *_baseline(trial),
        *_length(trial),
        *_answers(trial),
        *_flares(trial),
        *_sessions(trial),
        *_dates(trial),
        *_agreement(trial),
        *_forms(trial),
        *_recall(trial),
        *_priors(trial),
    ]
    return tuple(sorted(found, key=lambda problem: SEVERITIES.index(problem.severity)))


def _baseline(trial: Trial) -> Iterator[Problem]:
    protocol = trial.protocol
    if not protocol.has_baseline:
        yield Problem(
            "warning",
            "protocol [[phase]]",
            "there is no baseline, so there is no change to report.",
            "The report describes the days that were kept; keep a diary for two weeks before the next course.",
        )
        return
    primary = protocol.primary_outcome
    baseline = sum(phase.days for phase in protocol.phases[:1])
    if primary is not None and primary.domain == "headache" and baseline < HEADACHE_BASELINE:
        yield Problem(
            "note",
            "protocol [[phase]] 1",
            f"the baseline has {baseline} days; for headache 28 are usual.",
            "Expect a wider interval.",
        )


def _length(trial: Trial) -> Iterator[Problem]:
    first = trial.protocol.first_treatment
    if first is None:
        return
    if trial.protocol.run_in_days >= first.days:
        yield Problem(
            "error",
            "protocol [trial]",
            f"run_in_days {trial.protocol.run_in_days} leaves no treatment day.",
            "Shorten it.",
        )
    for number, look in enumerate(trial.protocol.looks, 1):
        if look.window_days is not None and look.window_days > first.days:
            yield Problem(
                "warning",
                f"protocol [[reassess]] {number}",
                f"the window of {look.window_days} days is longer than the treatment ({first.days} days).",
                "Only treatment days are compared.",
            )


def _answers(trial: Trial) -> Iterator[Problem]:
    values = trial.diary.values
    days = _baseline_days(trial, values.index)
    asked = [outcome for outcome in trial.protocol.outcomes if outcome.derived is None]
    if len(asked) > 1 and values.isna().all(axis=None):
        remedy = "If it is blank so far, fill it in; if not, check the column titles in the protocol and the file."
        yield Problem("warning", "diary", "no value was read for it, in any column.", remedy)
        return
    for outcome in asked:
        place = f"outcome {outcome.name}"
        answered = values[outcome.name].dropna() if outcome.name in values else pd.Series(dtype=float)
        if answered.empty:
            yield Problem(
                "warning", place, "no value was read for it.", "Check the column title in the protocol and the file."
            )
        elif outcome.every == "day":
            yield from _daily_answers(trial, outcome, answered, int(answered.index.isin(values.index[days]).sum()))


def _flares(trial: Trial) -> Iterator[Problem]:
    for outcome in trial.protocol.outcomes:
        if outcome.derived is not None and outcome.derived.how == "flare_days":
            yield Problem(
                "note",
                f"outcome {outcome.name}",
                "the baseline sets the level of its flares, so the baseline itself counts fewer of them than other "
                "days do, even if nothing changed.",
                "Read a rise with care; days_at_or_above with a level agreed beforehand does not lean this way.",
            )


def _daily_answers(trial: Trial, outcome: Outcome, answered: pd.Series[float], baseline: int) -> Iterator[Problem]:
    place = f"outcome {outcome.name}"
    if len(answered) == 1:
        yield Problem("warning", place, "only one value was read.", "One value cannot show a change.")
    elif answered.min() == answered.max():
        yield Problem(
            "warning", place, f"every answer is {answered.iloc[0]:g}.", "A scale that never moves cannot show a change."
        )
    if trial.protocol.has_baseline and baseline < MINIMUM_BASELINE:
        yield Problem(
            "warning",
            place,
            f"{baseline} baseline days are answered; at least {MINIMUM_BASELINE} are needed.",
            "Its change is not estimated.",
        )
    elif trial.protocol.has_baseline and baseline < SHORT_BASELINE:
        yield Problem(
            "note", place, f"only {baseline} baseline days are answered; 14 are usual.", "Expect a wide interval."
        )


def _baseline_days(trial: Trial, index: pd.Index) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    inside = np.zeros(len(index), bool)
    for phase in trial.protocol.phases:
        if phase.kind == "baseline":
            inside |= (index >= pd.Timestamp(phase.start)) & (index <= pd.Timestamp(phase.end))
    return inside


def _sessions(trial: Trial) -> Iterator[Problem]:
    protocol = trial.protocol
    outside = [
        session.date
        for session in protocol.attended
        if not any(phase.kind == "treatment" and phase.start <= session.date <= phase.end for phase in protocol.phases)
    ]
    if outside:
        shown = ", ".join(f"{date}" for date in outside[:5]) + (
            f" and {len(outside) - 5} more" if len(outside) > 5 else ""
        )
        yield Problem(
            "warning",
            "sessions",
            f"attended outside every treatment phase: {shown}.",
            "Correct the date, or the phases of the protocol.",
        )
    dates = [session.date for session in protocol.sessions]
    twice = sorted({date for date in dates if dates.count(date) > 1})
    if twice:
        yield Problem(
            "warning",
            "sessions",
            f"listed more than once: {', '.join(map(str, twice))}.",
            "Delete one, or correct its date.",
        )
    for flag in unknown_red_flags(protocol):
        yield Problem(
            "warning",
            "red flags",
            f'"{flag}" is not in the list; it is treated as a red flag.',
            f"Known: {', '.join(RED_FLAGS)}.",
        )
    yield from _session_log(protocol.sessions)
    safety = trial.safety
    if safety.sessions_attended and safety.asked != "at every session":
        yield Problem(
            "note",
            "sessions",
            f"adverse events were asked about at {safety.sessions_asked} of {safety.sessions_attended} sessions.",
            "None reported is not the same as not asked.",
        )


def _session_log(sessions: Sequence[Session]) -> Iterator[Problem]:
    for done in not_understood(sessions):
        found = ", ".join(f'"{text}"' for text in done.left_out[:3]) + (" …" if len(done.left_out) > 3 else "")
        kind = "no point" if done.part == POINTS else "no number"
        remedy = (
            "A spreadsheet makes a date of 3-4 and a long number of 3E5: format the column as text and type it again."
        )
        yield Problem(
            "warning",
            f"sessions column {done.part}",
            f"{found}: {kind}, left out.",
            remedy if any(map(turned, done.left_out)) else "Write a number, and at most its unit behind it.",
        )


def _person(trial: Trial) -> Iterator[Problem]:
    if not is_code(trial.protocol.person):
        yield Problem(
            "warning",
            "protocol [trial] person",
            "it looks like a name, an e-mail address or a phone number, and is not printed.",
            'Write a code, never a name, such as person = "P-014".',
        )


def _dates(trial: Trial) -> Iterator[Problem]:
    kept = [o.name for o in trial.protocol.outcomes if o.every != "visit" and o.name in trial.diary.outcomes]
    answered = trial.diary.values[kept].dropna(how="all").index
    inside = np.zeros(len(answered), bool)
    for phase in trial.protocol.phases:
        inside |= (answered >= pd.Timestamp(phase.start)) & (answered <= pd.Timestamp(phase.end))
    if len(answered) and not inside.any():
        yield Problem(
            "error",
            "diary",
            f"no diary day lies in any phase: the diary runs from {answered[0]:%Y-%m-%d} to {answered[-1]:%Y-%m-%d}.",
            "Check the year and the phases of the protocol.",
        )
    elif not inside.all():
        yield Problem(
            "note",
            "diary",
            f"{(count := int((~inside).sum()))} answered {'day lies' if count == 1 else 'days lie'} outside every phase.",
            "They enter no comparison.",
        )


def _agreement(trial: Trial) -> Iterator[Problem]:
    protocol = trial.protocol
    if protocol.agreed_on is None:
        yield Problem(
            "note", "protocol [trial]", "agreed_on is not given.", "Nothing is called agreed before treatment."
        )
    elif not protocol.was_agreed:
        yield Problem(
            "warning",
            "protocol [trial]",
            f"agreed_on {protocol.agreed_on} is after treatment began.",
            "Nothing is called agreed before treatment.",
        )
    primary = protocol.primary_outcome
    if primary is not None and primary.important_change is None and primary.important_change_percent is None:
        yield Problem(
            "note",
            f"outcome {primary.name}",
            "no important change is declared or published for it.",
            "Without one the report can only say better, worse or cannot say.",
        )
    for outcome in protocol.outcomes:
        if not outcome.declared and outcome.important_change is not None and outcome.verified != "yes":
            yield Problem(
                "note",
                f"outcome {outcome.name}",
                f"its published important change ({outcome.important_change:g}) was not verified at the source.",
                "Declare your own, agreed before treatment.",
            )


def _forms(trial: Trial) -> Iterator[Problem]:
    """Is a total read of which two forms circulate, and which of them it is not said?"""
    for outcome in trial.protocol.outcomes:
        if not outcome.items and (choices := undeclared(outcome)):
            yield Problem(
                "warning",
                f"outcome {outcome.name}",
                f"which of its scores the file holds is not declared; it was read as {outcome.low:g} to "
                f"{outcome.high:g}.",
                f"Write form = {choices}.",
            )


def _recall(trial: Trial) -> Iterator[Problem]:
    """Which answers look back over the beginning of a phase: completed_on − recall_days < its start?"""
    phases, values = trial.protocol.phases, trial.diary.values
    starts = pd.DatetimeIndex([phase.start for phase in phases])
    decisive = {trial.protocol.primary, *(trial.protocol.success.outcomes if trial.protocol.success else ())}
    for outcome in trial.protocol.outcomes:
        if outcome.every == "day" or outcome.recall_days < 1 or outcome.name not in values:
            continue
        days = values[outcome.name].dropna().index
        latest = starts.searchsorted(days, side="right") - 1
        for number, phase in enumerate(phases[1:], 1):
            early = days[(latest == number) & (days < starts[number] + pd.Timedelta(days=outcome.recall_days))]
            if early.empty:
                continue
            never = phase.days < outcome.recall_days
            remedy = "Ask it later in the phase, or keep a diary of the same thing." if never else (
                f"Ask it from {starts[number] + pd.Timedelta(days=outcome.recall_days):%Y-%m-%d} on."
            )  # fmt: skip
            if starts[number] in early:
                remedy = f"If it was filled in before the {phase.kind} began, date it to the day before. {remedy}"
            yield Problem(
                "warning" if outcome.name in decisive else "note",
                f"outcome {outcome.name} on {_dates_of(early)}",
                f"its recall of {outcome.recall_days} days reaches back before the {phase.kind} began on {phase.start}"
                + (f", which has only {phase.days} days." if never else "."),
                remedy,
            )


def _dates_of(days: pd.DatetimeIndex) -> str:
    return ", ".join(f"{day:%Y-%m-%d}" for day in days[:5]) + (f" and {len(days) - 5} more" if len(days) > 5 else "")


def _priors(trial: Trial) -> Iterator[Problem]:
    """Can a declared prior say anything, and can the diary answer it?"""
    for outcome in trial.protocol.outcomes:
        prior, place = outcome.effect_prior, f"outcome {outcome.name}"
        if prior is None:
            continue
        if not trial.protocol.was_agreed:
            yield Problem(
                "warning",
                place,
                "its effect_prior was not agreed before treatment.",
                "It is shown, and the report says when it was declared.",
            )
        if outcome.span is not None and prior.sd > outcome.span:
            yield Problem(
                "warning",
                place,
                f"the SD {prior.sd:g} of its effect_prior is larger than the whole scale ({outcome.span:g}).",
                "Such a prior says nothing; leave it out, or declare a narrower one.",
            )
        if outcome.important_change is not None and prior.sd < outcome.important_change / TELLING_SD:
            yield Problem(
                "warning",
                place,
                f"the SD {prior.sd:g} of its effect_prior is less than a tenth of the important change.",
                "Such a prior leaves the diary no say; declare a wider one.",
            )
