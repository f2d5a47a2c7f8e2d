"""Which format is this file in, and what does it hold as a table?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.errors import Problem, UnreadableFileError, did_you_mean
from acu_nof1.load.layouts import LAYOUTS, claimed, layout_for
from acu_nof1.load.tables import read_grid, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from acu_nof1.load.layout import Layout, Progress
    from acu_nof1.load.tables import Grid, Table
    from acu_nof1.protocol import DiaryFile

HEAD = 65536


def no_progress(share: float) -> None:
    """Show nothing."""


def open_table(
    folder: Path,
    file: DiaryFile,
    name: str,
    titles: Iterable[str],
    progress: Progress = no_progress,
    *,
    may_be_empty: bool = False,
) -> tuple[Table, Layout]:
    """What does this file hold as a table, and in which format is it?

    Parameters
    ----------
    folder, file
        Where its path starts, and how it is declared.
    name
        What it is called in complaints.
    titles
        Column titles to look for in a table.
    progress
        Called with the share that is read, for files that take long.
    may_be_empty
        Whether a row of titles with nothing below it will do.

    Returns
    -------
    Table, Layout
        The format is the declared one, else the first that knows the file, else a plain table.

    Raises
    ------
    UnreadableFileError
        If it cannot be read, or the declared layout does not exist.
    """
    if file.layout is not None and file.layout not in {layout.name for layout in LAYOUTS}:
        known = did_you_mean(file.layout, [layout.name for layout in LAYOUTS])
        raise UnreadableFileError([Problem("error", name, f'there is no layout "{file.layout}".', known)])
    path = folder / file.file
    own = claimed(path, _head(path), file.layout)
    if own is not None and own.read is not None:
        table, layout = own.read(path, file, progress), own
    else:
        table = read_table(path, delimiter=file.delimiter, encoding=file.encoding, sheet=file.sheet, titles=titles,
                           may_be_empty=may_be_empty)  # fmt: skip
        layout = layout_for(table.columns, file.layout, file.columns)
    return (layout.arrange(table, file, folder) if layout.arrange else table), layout


def open_grid(path: Path, file: DiaryFile, titles: Iterable[str]) -> Grid | None:
    """What stands in this file, nothing left out, if it is a table? ``None`` if it is none. As for `open_table`."""
    own = claimed(path, _head(path), file.layout)
    if own is not None and own.read is not None:
        return None
    return read_grid(path, delimiter=file.delimiter, encoding=file.encoding, sheet=file.sheet, titles=titles)


def usual_titles() -> list[str]:
    """Which titles do the known formats have?"""
    return [
        title
        for layout in LAYOUTS
        for titles in (
            *layout.columns.values(),
            *layout.signatures,
            *(measure.titles for measure in layout.measures.values()),
        )
        for title in titles
    ]


def spoken(layout: Layout, table: Table) -> str:
    """How is it said in which format a file was read: ``read as m-Path export, 412 prompts, 301 answered``?"""
    if not layout.title and not table.ignored:
        return ""
    said = [f"read as {layout.title or layout.name}"]
    if table.prompts is not None:
        sent, answered = table.prompts
        said.append(f"{sent} prompts, {answered} answered")
    return ", ".join(said)


def _head(path: Path) -> bytes:
    """The first bytes; none where `read_table` will say why it cannot be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as stream:
            return stream.read(HEAD)
    except (OSError, ValueError):
        return b""
