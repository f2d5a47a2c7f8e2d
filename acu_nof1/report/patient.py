"""The page for the patient: the same answers in plain words, on one sheet of paper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1 import words
from acu_nof1.report.block import (
    Alarm,
    Badge,
    Block,
    Columns,
    Decision,
    Heading,
    Hundred,
    Listing,
    Note,
    Picture,
    Quote,
    Section,
    Statement,
    Table,
    Title,
)
from acu_nof1.report.blocks import section
from acu_nof1.words import patient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from acu_nof1.reassessment import Reassessment

# More rows would not leave room for the rest of the page.
MOST_ROWS = 5


def patient_blocks(review: Reassessment) -> tuple[Section, ...]:
    """What does the patient's page say, in order?

    Parameters
    ----------
    review
        The reassessment, the same that the clinician's page is made from.

    Returns
    -------
    tuple of Section
        What overrules the diary first; where something does, nothing is called better, worse or reached.
    """
    return tuple(each(review) for each in PATIENT_SECTIONS)


@section
def greeting(review: Reassessment) -> Iterator[Block]:
    """Whose diary, and when; what overrules it comes first."""
    protocol = review.trial.protocol
    if review.verdict.overruled_by:
        yield Alarm(*patient.alarm(review.safety))
    aside = words.page_date(review.day, len(protocol.attended), protocol.planned_sessions)
    yield Title(patient.title(protocol), aside, ())


@section
def agreement(review: Reassessment) -> Iterator[Block]:
    """What was agreed: goal, enough change, success, day of the look."""
    protocol, agreed = review.trial.protocol, review.telling.agreed
    if protocol.goal:
        yield Quote(patient.GOAL, patient.goal(protocol.goal))
    enough = patient.enough(review.verdict.estimate, review.success, review.estimates.headlines, agreed)
    said = (*enough, patient.when(protocol, review.look, review.day))
    yield Listing(patient.HEADINGS["agreed" if agreed else "set"], said)


@section
def drawing(review: Reassessment) -> Iterator[Block]:
    """Every day of the main outcome."""
    # matplotlib is imported where a figure is drawn.
    from acu_nof1.plot import plot_for_patient, style

    estimate = review.verdict.estimate
    if estimate is not None:
        figure = plot_for_patient(review.trial, review.estimates, review.look)
        start = min(phase.start for phase in review.trial.protocol.phases)
        plain = review.verdict.overruled_by is not None
        alt = patient.figure_alt(start, review.day, estimate, review.telling, plain=plain)
        yield Picture(style.svg(figure), alt, patient.HEADINGS["picture"])


@section
def changes(review: Reassessment) -> Iterator[Block]:
    """What changed: the same numbers as the clinician's sentence."""
    estimate, tell = review.verdict.estimate, review.telling
    if review.verdict.overruled_by:
        yield Heading(patient.HEADINGS["diary"])
        known = estimate is not None and math.isfinite(estimate.before) and math.isfinite(estimate.after)
        pieces = patient.levels(estimate, tell) if estimate is not None and known else ()
        yield Statement((*pieces, (f"{' ' if pieces else ''}{patient.MEDICAL_FIRST}", False)))
        return
    yield Heading(patient.HEADINGS["changed"])
    if estimate is None or not review.trial.protocol.has_baseline:
        yield Statement(((patient.NO_PRIMARY if estimate is None else patient.NO_BASELINE, False),))
        return
    badge, meaning = patient.verdict(review.verdict)
    yield Badge(badge, (meaning,), "", ())
    yield Statement((*patient.changed(estimate, tell), *_description(review)))
    if view := patient.rated(review.course.impression):
        yield Note((view,))


def _description(review: Reassessment) -> Iterator[tuple[str, bool]]:
    """Say the plain average where the clinician's page does."""
    estimate = review.verdict.estimate
    if review.description and estimate is not None:
        row = review.describe().query("outcome == @estimate.outcome.name and days == 'window'").iloc[0]
        mean, count = float(row["mean"]), int(row["answered"])
        yield f" {patient.description(estimate.outcome, mean, count, review.telling)}", False


@section
def certainty(review: Reassessment) -> Iterator[Block]:
    """How sure we can be, as people out of a hundred."""
    estimate = review.verdict.estimate
    said = () if estimate is None or review.verdict.overruled_by else patient.chances(estimate)
    if said:
        yield Heading(patient.HEADINGS["sure"])
        yield Hundred(patient.ONE_IN_HUNDRED, tuple((patient.dots(number), number, rest) for number, rest in said))


@section
def others(review: Reassessment) -> Iterator[Block]:
    """The other answers in one short table."""
    if not review.trial.protocol.has_baseline:
        yield from _kept(review)
        return
    rows = [patient.others_row(each) for each in review.estimates.headlines if not each.primary]
    note = patient.others_cut(MOST_ROWS, len(rows))
    if not rows:
        return
    if review.verdict.overruled_by:
        shown = tuple(row[:2] for row in rows[:MOST_ROWS])
        yield Table(patient.HEADINGS["others"], patient.OTHERS_PLAIN, shown, note=note)
    else:
        yield Table(patient.HEADINGS["others"], patient.OTHERS_COLUMNS, tuple(rows[:MOST_ROWS]), note=note)


def _kept(review: Reassessment) -> Iterator[Block]:
    """What was written in the days of the look, where nothing was written before treatment."""
    raw = review.describe()
    rows = []
    for row in raw[raw["days"] == "window"].to_dict("records"):
        outcome = review.trial.protocol.outcome(row["outcome"])
        rows.append((patient.shortened(outcome.label, patient.LONGEST_NAME),
                     patient.answered(outcome, float(row["mean"]), int(row["answered"]), outcome.digits + 1), str(row["answered"])))  # fmt: skip
    note = patient.others_cut(MOST_ROWS, len(rows))
    yield Table(patient.HEADINGS["kept"], patient.KEPT_COLUMNS, tuple(rows[:MOST_ROWS]), note=note)


@section
def success(review: Reassessment) -> Iterator[Block]:
    """Was it what was agreed?"""
    if review.verdict.overruled_by:
        return
    outcomes = {outcome.name: outcome for outcome in review.trial.protocol.outcomes}
    answer, chance = patient.success_result(review.success, outcomes)
    yield Decision(patient.HEADINGS["success" if review.telling.agreed else "rule"], answer, (chance,), patient.DECIDE)


@section
def visit(review: Reassessment) -> Iterator[Block]:
    """What the page cannot tell, and what to talk about."""
    questions = patient.talk(review.verdict, review.estimates.headlines, review.safety, review.trial.protocol.goal)
    talk = Listing(patient.HEADINGS["talk"], questions)
    if review.verdict.overruled_by:
        yield talk
    else:
        yield Columns(Listing(patient.HEADINGS["limits"], patient.limits(review.verdict.caveats)), talk)


PATIENT_SECTIONS: tuple[Callable[[Reassessment], Section], ...] = (
    greeting, agreement, drawing, changes, certainty, others, success, visit,
)  # fmt: skip
