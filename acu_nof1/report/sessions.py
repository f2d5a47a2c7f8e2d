"""The parts of the appendix on sessions and the course of the change, and on visits for low back pain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.anonymity import NOBODY
from acu_nof1.report.block import Block, Heading, Note, Picture, Table
from acu_nof1.sessions.medicare import visits
from acu_nof1.words import sessions as words
from acu_nof1.words import visits as counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment
    from acu_nof1.sessions import Explored

MOST_PANELS = 4
MOST_LINKS = 24
LOW_BACK_PAIN = "low back"


def session_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield what goes along with sessions; nothing without sessions or a baseline, or where something overrules the diary."""
    found = review.explored
    if found is None or not found.around:
        return
    yield Heading(words.HEADING, 3)
    yield Note((words.PREFACE, *words.sentences(found)))
    yield from _pictures(found)
    yield Table(
        words.AROUND_CAPTION, words.AROUND_COLUMNS, tuple(map(words.around_row, found.around)), frozenset({1, 2, 3, 4}),
        note=words.AROUND_NOTE,
    )  # fmt: skip
    asked = tuple(words.course_row(each) for each in found.kinetics if each.asked)
    if asked:
        yield Table(
            words.COURSE_CAPTION, words.COURSE_COLUMNS, asked, frozenset({1, 2, 3, 4, 5}), note=words.COURSE_NOTE
        )
    rows = tuple(words.later_row(each) for each in found.later if each.later)
    if rows:
        yield Table(words.LATER_CAPTION, words.LATER_COLUMNS, rows, frozenset({1, 2, 3, 4}), note=words.LATER_NOTE)
    if found.links:
        rows = tuple(words.link_row(each) for each in found.links[:MOST_LINKS])
        note = words.links_note(len(rows), len(found.links))
        yield Table(words.LINKS_CAPTION, words.LINKS_COLUMNS, rows, frozenset({2, 3}), note=note)


def _pictures(found: Explored) -> Iterator[Block]:
    around = [each for each in found.around if not each.reason][:MOST_PANELS]
    course = next((each for each in found.kinetics if each.status == "ok"), None)
    held = [each for each in found.links if each.holds]
    if not (around or course or held):
        return
    # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
    from acu_nof1.plot import style
    from acu_nof1.plot.sessions import plot_around, plot_kinetics, plot_links

    if around:
        yield Picture(style.svg(plot_around(around)), words.around_alt(around), words.AROUND_FIGURE)
    if course is not None:
        yield Picture(style.svg(plot_kinetics(course)), words.course_alt(course), words.COURSE_FIGURE)
    if held:
        yield Picture(style.svg(plot_links(held)), words.links_alt(held), words.LINKS_FIGURE)


def visit_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield the count of visits, where low back pain is treated; moved dates have lost the year they are counted in."""
    protocol = review.trial.protocol
    treated = LOW_BACK_PAIN in protocol.condition.casefold().replace("_", " ") and protocol.sessions
    if not treated or protocol.person == NOBODY:
        return
    found = visits(protocol.sessions, review.day)
    yield Table(counts.CAPTION, counts.COLUMNS, tuple(counts.visit_rows(found)), note=counts.NOTE)
