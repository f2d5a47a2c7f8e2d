"""The report as one self-contained HTML file, without a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from acu_nof1 import words
from acu_nof1.errors import Problem
from acu_nof1.report.block import Failed, page
from acu_nof1.report.blocks import BlockError, blocks
from acu_nof1.report.patient import patient_blocks
from acu_nof1.words.numbers import dates_as
from acu_nof1.words.patient import title as patient_title

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from acu_nof1.reassessment import Reassessment


def write_report(
    review: Reassessment, path: str | os.PathLike[str], *, patient: bool = False, dates: str = "day_month"
) -> None:
    """Write the report: one HTML file that needs no network, no script and no other file.

    Parameters
    ----------
    review
        The reassessment.
    path
        The file to write.
    patient
        Whether to write the page for the patient: one sheet in plain words, with the same numbers.
    dates
        How dates are printed: ``day_month`` (13 Apr 2026), ``us`` (Apr 13, 2026) or ``iso`` (2026-04-13).

    Raises
    ------
    UsageError
        If there is no such style of dates.
    BlockError
        If a part could not be drawn; the file is written all the same and says so in its place.
    """
    protocol = review.trial.protocol
    with dates_as(dates):
        if patient:
            title, sections, reader = patient_title(protocol), patient_blocks(review), "patient"
        else:
            title, sections, reader = words.page_title(protocol), blocks(review), "clinician"
    Path(path).write_text(page(title, [section.html for section in sections], reader), encoding="utf-8")
    complain(block.message for section in sections for block in section.walk() if isinstance(block, Failed))


def complain(messages: Iterable[str]) -> None:
    """Raise if any part of a report could not be drawn."""
    problems = [Problem("error", "report", message, words.REPORT_A_FAULT) for message in messages]
    if problems:
        raise BlockError(problems)
