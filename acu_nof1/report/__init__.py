"""The pages: what they say, the HTML file, and the notebook that is run for one."""

from __future__ import annotations

from acu_nof1.report.blocks import (
    SECTIONS,
    BlockError,
    answer,
    appendix,
    blocks,
    decision,
    opening,
    outcomes,
    picture,
)
from acu_nof1.report.bundled import bundled, found
from acu_nof1.report.notebook import run_notebook
from acu_nof1.report.page import write_report
from acu_nof1.report.planning import planning_page, planning_tables, write_planning

__all__ = [
    "SECTIONS",
    "BlockError",
    "answer",
    "appendix",
    "blocks",
    "bundled",
    "decision",
    "found",
    "opening",
    "outcomes",
    "picture",
    "planning_page",
    "planning_tables",
    "run_notebook",
    "write_planning",
    "write_report",
]
