"""The pages: what they say, the HTML file, and the notebook that is run for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from acu_nof1.report.pdf import write_pdf

if TYPE_CHECKING:
    from acu_nof1.report.planning import planning_page as planning_page
    from acu_nof1.report.planning import planning_tables as planning_tables
    from acu_nof1.report.planning import write_planning as write_planning

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
    "write_pdf",
    "write_planning",
    "write_report",
]

PLANNING = ("planning_page", "planning_tables", "write_planning")


def __getattr__(name: str) -> Any:
    # Planning draws and simulates: a report must not wait until all of that is imported.
    if name in PLANNING:
        from acu_nof1.report import planning

        return getattr(planning, name)
    raise AttributeError(f"module 'acu_nof1.report' has no attribute {name!r}")
