"""Before the first needle: everything that a trial about to begin needs, as files to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.errors import Problem, UsageError
from acu_nof1.export import folder_problems
from acu_nof1.load.protocols import PROTOCOL_FILE
from acu_nof1.report.pdf import write_pdf
from acu_nof1.start.conditions import CONDITIONS
from acu_nof1.start.outset import Outset, outset
from acu_nof1.start.protocol import DIARY_FILE, SESSIONS_FILE, protocol_text
from acu_nof1.start.sheet import sheet_html
from acu_nof1.start.workbooks import write_diary, write_sessions
from acu_nof1.words import start as words

if TYPE_CHECKING:
    from pathlib import Path

SHEET_FILE, SHEET_PDF = "diary_for_paper.html", "diary_for_paper.pdf"
FILES = (PROTOCOL_FILE, DIARY_FILE, SESSIONS_FILE, SHEET_FILE, SHEET_PDF)


def write_start(outset: Outset, folder: Path) -> tuple[Path, ...]:
    """Write the files of a trial that is about to begin; none that is there already is touched.

    Parameters
    ----------
    outset
        The trial.
    folder
        Where it is made.

    Returns
    -------
    tuple of Path
        Protocol, diary, session log, and the diary for paper as HTML; `write_sheet` prints that.

    Raises
    ------
    UsageError
        If the folder cannot be made, or a file is there already: then nothing is written.
    """
    wrong = folder_problems("DIR", folder)
    wrong += [
        Problem("error", str(folder / name), words.THERE_ALREADY, words.OTHER_FOLDER)
        for name in FILES
        if (folder / name).exists() or (folder / name).is_symlink()
    ]
    if wrong:
        raise UsageError(wrong)
    folder.mkdir(parents=True, exist_ok=True)
    protocol, diary, sessions, sheet = (folder / name for name in FILES[:-1])
    protocol.write_text(protocol_text(outset), encoding="utf-8")
    write_diary(outset, diary)
    write_sessions(outset, sessions)
    sheet.write_text(sheet_html(outset), encoding="utf-8")
    return protocol, diary, sessions, sheet


def write_sheet(folder: Path) -> Path:
    """Print the diary for paper as a PDF.

    Raises
    ------
    MissingToolError
        If there is neither a browser nor WeasyPrint: the HTML is there all the same.
    """
    write_pdf(folder / SHEET_FILE, folder / SHEET_PDF)
    return folder / SHEET_PDF


__all__ = ["CONDITIONS", "FILES", "Outset", "outset", "write_sheet", "write_start"]
