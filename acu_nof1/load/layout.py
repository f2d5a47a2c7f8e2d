"""How one kind of file is laid out: what its columns are, and how it becomes a table where it is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from acu_nof1.load.tables import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

    Progress = Callable[[float], None]
    Claim = Callable[[Path, bytes], bool]
    Reading = Callable[[Path, DiaryFile, Progress], Table]
    Arranging = Callable[[Table, DiaryFile, Path], Table]

Shape = Literal["wide", "long"]
PERSON_TITLES = ("person", "person id", "participant", "participant id", "patient", "patient id", "subject id")
DATE_TITLES = ("date", "day", "diary date", "full date")


@dataclass(frozen=True, slots=True)
class Measure:
    """Where a format keeps an outcome of the catalogue: the titles it has there (in a long table: its questions).

    `unit` is that of the file's numbers; ``""`` where it is the outcome's own.
    """

    titles: tuple[str, ...]
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which diaries are laid out.

    Attributes
    ----------
    name
        What a protocol calls it.
    looks_like
        One line for the list of formats.
    title
        What it is called in a sentence (``m-Path export``); ``""`` for tables of no particular origin.
    shape
        ``wide`` (a column per question) or ``long`` (a row per answer).
    columns
        For each role (``date``, ``entered``, ``person``, ``question``, ``answer``, or an item of the Consensus
        Sleep Diary) the titles it usually has; a mapping in the protocol goes before these.
    measures
        For instruments of the catalogue, where this format always keeps them, so that nobody has to map them.
    signatures
        Sets of titles, each of which tells this format from the others; none: it is only taken when asked for, or
        claimed.
    claims
        For files that are no table: do its path and first bytes give the format away?
    read
        Turns such a file into a table. It says in the table what it left out, and why.
    arrange
        Re-arranges a table before its columns are sought (a day out of a count of seconds). It is told the folder in
        which the paths of the declaration start.
    gives
        What can be read from it, for the list of formats.
    """

    name: str
    looks_like: str
    title: str = ""
    shape: Shape = "wide"
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    measures: Mapping[str, Measure] = field(default_factory=dict)
    signatures: tuple[tuple[str, ...], ...] = ()
    claims: Claim | None = None
    read: Reading | None = None
    arrange: Arranging | None = None
    gives: str = "whatever its columns ask, once they are mapped to outcomes"

    def recognises(self, titles: tuple[str, ...]) -> bool:
        """Do these column titles give the format away?"""
        found = {plain(title) for title in titles}
        return any({plain(title) for title in signature} <= found for signature in self.signatures)
