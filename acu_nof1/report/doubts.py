"""The part of the appendix on missing days and on a return to the usual level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acu_nof1 import words
from acu_nof1.report.block import Block, Heading, Picture, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.reassessment import Reassessment


def doubts(review: Reassessment) -> Iterator[Block]:
    """What missing days and a bad start could hide."""
    if review.missing_days.adherence.empty:
        return
    yield Heading(words.doubts.MISSING_HEADING, 3)
    yield _calendar(review)
    yield _adherence(review)
    yield _weekdays(review)
    yield _after_bad_days(review)
    if review.verdict.overruled_by is None:
        yield from _tipping_points(review)
        yield from _returns(review)


def _calendar(review: Reassessment) -> Picture:
    # matplotlib is imported where a figure is drawn: the process that runs the notebook draws none.
    from acu_nof1.plot import adherence_alt, plot_adherence, style

    series = review.comparisons
    daily = np.array([outcome.every == "day" for outcome in series.outcomes])
    row = int(np.argmax(daily + (daily & series.primary)))
    return Picture(style.svg(plot_adherence(series, row)), adherence_alt(series, row), words.doubts.MISSING_HEADING)


def _adherence(review: Reassessment) -> Table:
    said, table = words.doubts, review.missing_days.adherence
    parts = [part for part in said.PARTS if part in set(table["days"])]
    rows = []
    for (_, label), each in table.groupby(["outcome", "label"], sort=False):
        held = {
            row["days"]: said.kept(row["answered"], row["of"], row["longest_gap"]) for row in each.to_dict("records")
        }
        rows.append((str(label), *(held.get(part, "–") for part in parts)))
    columns = (said.OUTCOME, *(said.PARTS[part].capitalize() for part in parts))
    asked = [
        said.prompted(each.file, *each.prompts)
        for each in review.trial.diary.sources
        if each.prompts and each.prompts[0]
    ]
    note = " ".join((said.ADHERENCE_NOTE, *asked))
    return Table(said.ADHERENCE_CAPTION, columns, tuple(rows), frozenset(range(1, len(columns))), note=note)


def _weekdays(review: Reassessment) -> Table:
    table = review.missing_days.weekdays
    rows = tuple(
        (str(label), *(f"{answered} of {of}" for answered, of in zip(each["answered"], each["of"], strict=True)))
        for (_, label), each in table.groupby(["outcome", "label"], sort=False)
    )
    columns = (words.doubts.OUTCOME, *words.doubts.WEEKDAYS)
    return Table(words.doubts.WEEKDAYS_CAPTION, columns, rows, frozenset(range(1, 8)))


def _after_bad_days(review: Reassessment) -> Table:
    rows = tuple(
        (each.outcome.label, f"{each.missing} of {each.days}", words.doubts.after_bad_day(each))
        for each in review.missing_days.after_bad_days
    )
    return Table(words.doubts.AFTER_BAD_CAPTION, words.doubts.AFTER_BAD_COLUMNS, rows, frozenset({1}))


def _tipping_points(review: Reassessment) -> Iterator[Table]:
    answers = {each.outcome.name: each for each in review.estimates.headlines}
    rows = tuple(
        words.doubts.tipping_row(each, answers[each.outcome.name]) for each in review.missing_days.tipping_points
    )
    if rows:
        said = words.doubts
        yield Table(said.TIPPING_CAPTION, said.TIPPING_COLUMNS, rows, frozenset({2}), note=said.TIPPING_NOTE)


def _returns(review: Reassessment) -> Iterator[Table]:
    found = [each for each in review.regression_to_the_mean if each.outcome.kind != "yes_no"]
    rows = tuple(map(words.doubts.return_row, found))
    if rows and review.trial.protocol.has_baseline:
        said = words.doubts
        yield Table(said.RETURN_CAPTION, said.RETURN_COLUMNS, rows, frozenset(range(1, 7)), note=said.RETURN_NOTE)
