"""What the report says, in which order: the only place that decides content.

Each function below is one section of the page and one cell of the notebook.
"""

from __future__ import annotations

import math
import platform
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1 import __version__, words
from acu_nof1.course import NUMBERS, WHO, part_of
from acu_nof1.errors import AcuError
from acu_nof1.interpret import shares_of_hundred
from acu_nof1.privacy import quoted
from acu_nof1.report.block import (
    Alarm,
    Badge,
    Bands,
    Block,
    Columns,
    Decision,
    Failed,
    Heading,
    Listing,
    Note,
    Notice,
    Picture,
    Section,
    Statement,
    Table,
    Title,
)
from acu_nof1.report.course import course_blocks
from acu_nof1.report.diagnostics import diagnostic_blocks, trend_blocks
from acu_nof1.report.doubts import doubts
from acu_nof1.report.flares import computed_outcomes
from acu_nof1.report.looks import looks_blocks
from acu_nof1.report.phases import phase_blocks, randomisation_blocks
from acu_nof1.report.scores import scored_outcomes
from acu_nof1.report.sensitivity import sensitivity_blocks
from acu_nof1.report.sessions import session_blocks, visit_blocks
from acu_nof1.report.standards import methods_blocks, standards_blocks
from acu_nof1.safety import CAUTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.reassessment import Reassessment

    Maker = Callable[[Reassessment], Iterator[Block]]

MOST_LEDGER_ROWS = 200
# The answer must fit on one page: more small panels, or a longer table, move the panels to the appendix.
MOST_SMALL_PANELS, MOST_ROWS_WITH_PANELS = 4, 6
MOST_CAVEATS = 4


class BlockError(AcuError):
    """A part of the report could not be drawn; the report was written and says so."""


def section(make: Maker) -> Callable[[Reassessment], Section]:
    """Make one section; what fails inside is said in its place and does not hide the rest."""

    @wraps(make)
    def made(review: Reassessment) -> Section:
        done: list[Block] = []
        try:
            done.extend(make(review))
        except Exception as error:  # whatever it is, the reader must see it, and the rest of the page
            done.append(Failed(words.failed(make.__name__, error)))
        return Section(make.__name__, tuple(done))

    return made


def blocks(review: Reassessment) -> tuple[Section, ...]:
    """What does the report say, in order?

    Parameters
    ----------
    review
        The reassessment.

    Returns
    -------
    tuple of Block
        The answer on the first page, then the appendix. Page and notebook only draw them.
    """
    return tuple(each(review) for each in SECTIONS)


def summary_html(review: Reassessment) -> str:
    """Return the reassessment as a notebook shows it: what overrules it, or the answer; and the table."""
    first = tuple(_alarm(review)) or tuple(_verdict(review))
    return Section("summary", (*first, *_main_table(review)))._repr_html_()


# ------------------------------------------------------------------ the answer


@section
def opening(review: Reassessment) -> Iterator[Block]:
    """Who, when, what was agreed; safety before anything else."""
    protocol = review.trial.protocol
    yield from _alarm(review)
    lines = (
        words.course.goal_and_rating(protocol.goal, review.course.impression),
        f"{words.agreed_line(protocol)} {_diary_days(review)}".strip(),
    )
    yield Title(
        words.page_title(protocol),
        words.page_date(review.day, len(protocol.attended), protocol.planned_sessions),
        tuple(line for line in lines if line),
    )
    cautions = {name: getattr(protocol.safety, name) for name in CAUTIONS}
    yield Notice(words.SAFETY, " ".join(words.safety_line(review.safety, cautions)))


@section
def answer(review: Reassessment) -> Iterator[Block]:
    """What changed, and how sure that is."""
    if review.verdict.overruled_by:
        yield Heading(words.HEADINGS["diary"])
        yield from _sentence(review)
    elif not review.trial.protocol.has_baseline:
        yield Statement(((words.NO_BASELINE, False),))
    else:
        yield from _verdict(review)
        yield from _bands(review.verdict.estimate)


@section
def picture(review: Reassessment) -> Iterator[Block]:
    """Every day of the diary."""
    yield _picture(review, _on_first_page(review))


@section
def outcomes(review: Reassessment) -> Iterator[Block]:
    """All outcomes in one table."""
    if review.trial.protocol.has_baseline:
        yield from _main_table(review)
    else:
        yield _raw_table(review, words.HEADINGS["kept"])


@section
def decision(review: Reassessment) -> Iterator[Block]:
    """What the diary cannot tell, and what there is to decide."""
    estimate = review.verdict.estimate
    if review.verdict.overruled_by:
        box = Decision(words.HEADINGS["decision"], words.PROMPTLY, (words.MEDICAL_FIRST,), "")
    else:
        earlier, otherwise = words.looks.earlier(review.story), words.sensitivity_sentence(review.sensitivity)
        said = (
            *words.reasons(estimate),
            earlier,
            otherwise,
            review.success_sentence,
            words.sensitivity_of_diary(estimate),
        )
        badge = words.badge(review.verdict, review.telling.agreed)
        box = Decision(words.HEADINGS["decision"], badge, tuple(filter(None, said)), words.decision())
    yield Columns(Listing(words.HEADINGS["limits"], review.limits), box)
    sources = words.sources_line(__version__, review.trial.diary.sources)
    yield Note(tuple(filter(None, (words.method_line(estimate), f"{sources} · {words.APPENDIX_FOLLOWS}"))))


def _alarm(review: Reassessment) -> Iterator[Block]:
    said = words.alarm(review.safety, whole=False)
    if said:
        yield Alarm(f"{words.PROMPTLY}.", said.removeprefix(f"{words.PROMPTLY}.").strip())


def _verdict(review: Reassessment) -> Iterator[Block]:
    estimate, tell = review.verdict.estimate, review.telling
    yield from _sentence(review)
    chances = "" if estimate is None else words.chances(estimate)
    beside = tuple(text for text in (words.threshold(estimate, tell), chances) if text)
    caveats = words.first_of(review.attribution, MOST_CAVEATS)
    yield Badge(words.badge(review.verdict, tell.agreed), beside, words.MIND, caveats)


def _sentence(review: Reassessment) -> Iterator[Block]:
    estimate = review.verdict.estimate
    if estimate is None:
        yield Statement(((words.NO_PRIMARY, False),))
        return
    yield Statement(emphasised(words.sentence(estimate, review.telling), estimate))


def emphasised(sentence: str, estimate: Estimate) -> tuple[tuple[str, bool], ...]:
    """Split the sentence so that the two levels and the change can be set in bold."""
    shown = words.printed(estimate)
    said, bracket, tail = sentence.rpartition(" (")
    # A label may end in a colon too, and a ratio stands behind a semicolon.
    at = max(said.rfind(": "), said.rfind("; ")) + 2
    if not estimate.ok or at < 2:
        return ((sentence, False),)
    start, change = said[:at], said[at:]
    pieces: list[tuple[str, bool]] = []
    for level in (f" {shown.before}", f" {shown.after}"):
        before, found, start = start.partition(level)
        pieces += [(before, False), (found, True)]
    pieces += [(start, False), (change, True), (bracket + tail, False)]
    return tuple(piece for piece in pieces if piece[0])


def _bands(estimate: Estimate | None) -> Iterator[Block]:
    if estimate is not None and math.isfinite(estimate.bands[0]):
        shares = shares_of_hundred(np.array(estimate.bands))
        yield Bands(words.bands_title(estimate), words.band_labels(estimate), tuple(shares))


def _main_table(review: Reassessment) -> Iterator[Block]:
    rows, marks = [], []
    plain = review.verdict.overruled_by is not None
    estimates = review.estimates.headlines
    for each in estimates:
        shown = words.printed(each)
        row = (
            words.unit_axis(each.outcome),
            shown.before,
            shown.after,
            words.change_with_interval(each),
            shown.important,
        )
        rows.append(row if plain else (*row, words.reading(each)))
        marks.append(words.PRIMARY if each.primary else "")
    columns = words.outcome_columns(estimates, review.telling)
    if rows:
        yield Table(
            words.outcomes_title(review.telling),
            columns[:-1] if plain else columns,
            tuple(rows),
            frozenset({1, 2, 3, 4}),
            marks=tuple(marks),
        )


def _diary_days(review: Reassessment) -> str:
    primary = review.trial.protocol.primary_outcome
    raw = review.describe()
    raw = raw[raw["outcome"] == (primary.name if primary is not None else "")]
    if raw.empty or primary is None or primary.every != "day":
        return ""
    sides = {row["days"]: (row["answered"], row["of"]) for row in raw.to_dict("records")}
    held = [(words.side_name(side, review.telling), *sides[side]) for side in ("baseline", "treatment")]
    return words.diary_days(words.name_in_sentence(primary), held)


def _on_first_page(review: Reassessment) -> list[str]:
    names = [each.name for each in review.comparisons.outcomes]
    first = review.trial.protocol.primary or (names[0] if names else "")
    small = [name for name in names if name != first]
    return [first, *small[:MOST_SMALL_PANELS]] if len(names) <= MOST_ROWS_WITH_PANELS else [first]


def _picture(review: Reassessment, names: Sequence[str], heading: str = words.FIGURE) -> Picture:
    # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
    from acu_nof1.plot import figure_alt, plot_trial, style

    figure = plot_trial(review.trial, review.estimates, names, review.look)
    return Picture(style.svg(figure), figure_alt(review.trial, review.estimates, names, review.look), heading)


# ------------------------------------------------------------------ the appendix


@section
def appendix(review: Reassessment) -> Iterator[Block]:
    """Everything behind the answer."""
    yield Heading(words.HEADINGS["appendix"])
    yield from _in_full(review)
    yield from looks_blocks(review)
    others = [each.name for each in review.comparisons.outcomes if each.name not in _on_first_page(review)]
    if others:
        yield Heading(words.HEADINGS["more_figures"], 3)
        yield _picture(review, others, words.HEADINGS["more_figures"])
    if review.trial.protocol.has_baseline:
        yield _answers_table(review)
        yield from phase_blocks(review)
        yield from trend_blocks(review)
        yield _raw_table(review, words.HEADINGS["raw"])
    yield from scored_outcomes(review)
    yield from computed_outcomes(review)
    yield from randomisation_blocks(review)
    yield from sensitivity_blocks(review)
    yield from doubts(review)
    yield from course_blocks(review)
    yield from session_blocks(review)
    yield from visit_blocks(review)
    yield from _events_table(review)
    yield from _sessions_table(review)
    if review.trial.protocol.has_baseline:
        yield _noise_table(review)
    yield from diagnostic_blocks(review)
    yield from _problems_table(review)
    yield from _ledger_tables(review)
    yield from methods_blocks(review)
    yield from standards_blocks(review)
    yield from _inputs_tables(review)


def _in_full(review: Reassessment) -> Iterator[Block]:
    """What the first page had no room for: long lists and long texts."""
    safety = review.safety
    whole = {
        "flags": tuple(map(words.red_flag, safety.red_flags)),
        "harms": tuple(f"{event.what} ({words.date(event.date)})" for event in safety.adverse_events),
    }
    for name, texts in whole.items():
        if words.few(texts) != "; ".join(texts):
            yield Listing(words.HEADINGS[name], texts, 3)
    if len(review.attribution) > MOST_CAVEATS and review.verdict.overruled_by is None:
        yield Listing(words.HEADINGS["reasons"], review.attribution, 3)


def _answers_table(review: Reassessment) -> Table:
    plain = review.verdict.overruled_by is not None
    rows = []
    for each in review.estimates:
        shown = words.printed(each)
        change = words.change_with_interval(each)
        unit = each.unit if math.isfinite(each.value) and each.scale == "difference" else ""
        row = (each.outcome.label, each.title, shown.before, shown.after, f"{change}{words.NO_BREAK}{unit}".strip(),
               words.percent_change(each), words.days_of(each.days_before, each.days_after))  # fmt: skip
        rows.append(row if plain else (*row, words.reading(each)))
    columns = words.ANSWER_COLUMNS[:-1] if plain else words.ANSWER_COLUMNS
    return Table(words.HEADINGS["answers"], columns, tuple(rows), frozenset({2, 3, 4, 5, 6}))


def _raw_table(review: Reassessment, caption: str) -> Table:
    rows = []
    raw = review.describe()
    # With several phases all days of both kinds are compared: there is no window.
    shown = (raw["of"] > 0) & ~((raw["days"] == "window") & review.telling.several_phases)
    for row in raw[shown].to_dict("records"):
        outcome = review.trial.protocol.outcome(row["outcome"])
        mean, spread = (
            words.number(row[x], outcome.digits + 1) if math.isfinite(row[x]) else "–" for x in ("mean", "sd")
        )
        answered = f"{row['answered']} of {row['of']}" if outcome.every == "day" else str(row["answered"])
        rows.append((outcome.label, words.side_name(row["days"], review.telling), answered, mean, spread))
    return Table(caption, words.RAW_COLUMNS, tuple(rows), frozenset({2, 3, 4}), note=words.RAW_NOTE)


def _noise_table(review: Reassessment) -> Table:
    def said(value: float, digits: int) -> str:
        return words.number(value, digits) if math.isfinite(value) else "–"

    rows = tuple(
        (each.outcome.label, each.title, words.neighbour_range(each), words.phi_range(each), said(each.white_share, 2),
         "–" if math.isnan(each.effective_before) else words.days_of(each.effective_before, each.effective_after),
         said(each.detectable, each.outcome.digits + 1), each.method)
        for each in review.estimates.headlines
    )  # fmt: skip
    return Table(words.HEADINGS["noise"], words.NOISE_COLUMNS, rows, frozenset({2, 3, 4, 5, 6}), note=words.NOISE_NOTE)


def _events_table(review: Reassessment) -> Iterator[Block]:
    events = sorted(review.trial.protocol.events, key=lambda event: event.date)
    rows = tuple(
        (str(number), words.date(event.date), event.what, words.course.event_kind(event))
        for number, event in enumerate(events, 1)
    )
    if rows:
        yield Table(words.HEADINGS["events"], words.EVENT_COLUMNS, rows)


def _problems_table(review: Reassessment) -> Iterator[Block]:
    rows = tuple((each.severity, each.where, each.problem, each.remedy) for each in review.problems)
    if rows:
        yield Table(words.HEADINGS["problems"], words.PROBLEM_COLUMNS, rows)


def _ledger_tables(review: Reassessment) -> Iterator[Block]:
    diary = review.trial.diary
    yield Heading(words.HEADINGS["ledger"], 3)
    yield Note((words.ledger_line(diary.counts),))
    ledger = diary.ledger
    if ledger.empty:
        return
    # What was not read comes first, so that a cut never hides it.
    order = ledger["status"].map(list(words.STATUS_WORDS).index)
    ledger = ledger.assign(order=order).sort_values("order", kind="stable")
    rules = ledger.groupby(["order", "status", "rule"], sort=True).size().reset_index(name="cells").to_dict("records")
    counted = tuple((row["rule"], words.STATUS_WORDS[row["status"]], str(row["cells"])) for row in rules)
    yield Table(words.HEADINGS["rules"], words.RULE_COLUMNS, counted, frozenset({2}))
    shown = ledger.head(MOST_LEDGER_ROWS)
    yield Table(
        words.HEADINGS["ledger"],
        words.LEDGER_COLUMNS,
        tuple(_ledger_row(row) for row in shown.to_dict("records")),
        note=words.ledger_cut(len(shown), len(ledger)),
    )


def _ledger_row(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    value, day = row["value"], row["date"]
    return (
        str(row["file"]),
        str(row["row"]),
        str(row["column"]),
        "" if pd.isna(day) else words.date(day),
        str(row["raw"]),
        words.STATUS_WORDS[str(row["status"])],
        str(row["rule"]),
        f"{value:g}" if isinstance(value, float) and math.isfinite(value) else "–",
    )


def _sessions_table(review: Reassessment) -> Iterator[Block]:
    sessions = review.trial.protocol.sessions
    notes = review.trial.protocol.show_notes
    more = dict.fromkeys(name for session in sessions for name in session.more if name not in WHO)
    shown = tuple(name for name in more if notes or part_of(name))
    rows = tuple(
        (words.date(each.date), words.yes_no(each.attended), words.yes_no(each.adverse_asked), each.adverse_event,
         words.yes_no(each.serious), "; ".join(each.red_flag), *(_logged(name, each.more.get(name, "")) for name in shown),
         *([each.notes] if notes else []))
        for each in sessions
    )  # fmt: skip
    if rows:
        columns = (*words.SESSION_COLUMNS, *shown, *([words.NOTES] if notes else []))
        held = not notes and (len(shown) < len(more) or any(each.notes for each in sessions))
        yield Table(words.HEADINGS["sessions"], columns, rows, note=words.NOTES_HELD if held else "")


def _logged(name: str, text: str) -> str:
    return quoted(text) if part_of(name) in NUMBERS else text


def _inputs_tables(review: Reassessment) -> Iterator[Block]:
    sources = tuple((each.file, each.read_as, each.sha256) for each in review.trial.diary.sources)
    if sources:
        yield Table(words.HEADINGS["inputs"], words.INPUT_COLUMNS, sources)
    versions = {**review.versions, "Python": platform.python_version()}
    yield Table(words.HEADINGS["versions"], words.VERSION_COLUMNS, tuple(versions.items()))


SECTIONS: tuple[Callable[[Reassessment], Section], ...] = (opening, answer, picture, outcomes, decision, appendix)
