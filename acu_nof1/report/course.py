"""The part of the appendix on sessions, medication and the person's own overall rating."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1 import words
from acu_nof1.report.block import Block, Heading, Note, Picture, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def course_blocks(review: Reassessment) -> Iterator[Block]:
    """Yield figure, compact table, what must be said beside it, and what was done at the sessions."""
    said, course = words.course, review.course
    yield Heading(said.HEADING, 3)
    answers = {each.outcome.name: each for each in review.estimates.headlines}
    rescue = [(outcome, answers.get(outcome.name)) for outcome in course.rescue]
    yield Table(
        said.CAPTION, said.COLUMNS, tuple(said.rows(course, review.trial.protocol.goal, rescue, review.telling))
    )
    if notes := tuple(filter(None, _beside(review))):
        yield Note(notes)
    yield from _picture(review)
    if course.attended:
        caption, note = said.done_caption(course), said.not_recorded(course)
        yield Table(caption, said.DONE_COLUMNS, said.done_rows(course), frozenset({2}), note=note)


def _beside(review: Reassessment) -> Iterator[str]:
    """Say what went together and what did not; nothing of this explains the change."""
    primary, rated = review.verdict.estimate, review.course.impression
    if rated is not None and rated.answer is not None:
        yield words.course.RATING_NOTE
    if primary is None or review.verdict.overruled_by:
        return
    if review.verdict.direction == 1:
        yield words.course.reduced(review.course.medication, primary)
    yield words.course.differ(review.verdict.direction, rated)


def _picture(review: Reassessment) -> Iterator[Block]:
    if not np.isfinite(review.comparisons.values).any():
        return
    # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
    from acu_nof1.plot import course_alt, plot_course, style

    figure = plot_course(review.trial, review.look)
    yield Picture(style.svg(figure), course_alt(review.trial, review.look), words.course.HEADING)
    yield Note((words.course.FIGURE_NOTE,))
