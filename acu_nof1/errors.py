"""What can stop us, and what should be mended: every complaint at once, in a person's words."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from acu_nof1.privacy import masked, unowned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Place(str):
    """A place in a file, in words; it still knows of which file, rows and column it speaks.

    Attributes
    ----------
    file
        Name of the file, as complaints have it.
    rows
        All the rows, by the numbers of the person's spreadsheet; the words name the first few.
    column
        Title of the column; ``""`` where the rows as a whole are meant.
    """

    __slots__ = ("column", "file", "rows")
    file: str
    rows: tuple[int, ...]
    column: str

    def __new__(cls, text: str, file: str, rows: Iterable[int] = (), column: str = "") -> Place:
        """Make a place of its words and of what they speak of."""
        place = super().__new__(cls, text)
        place.file, place.rows, place.column = file, tuple(int(row) for row in rows), column
        return place

    def __getnewargs__(self) -> tuple[str, str, tuple[int, ...], str]:  # type: ignore[override]  # for pickle
        return str(self), self.file, self.rows, self.column


def said_as(where: str, how: Callable[[str], str]) -> str:
    """Put a place into other words (with a name masked, say); what it speaks of stays with it."""
    if isinstance(where, Place):
        return Place(how(where), how(where.file), where.rows, how(where.column))
    return how(where)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong or worth knowing: where it is, what it is, what to do.

    Attributes
    ----------
    severity
        ``error`` (an answer would be wrong or is impossible), ``warning`` (read the answer with this in
        mind) or ``note``.
    where
        The place as the user sees it: file, row, column (then it is a `Place`); or a key of the protocol.
    problem
        What was expected and what was found.
    remedy
        What to do about it.

    E-mail addresses and phone numbers are masked in all of them, whoever wrote the sentence.
    """

    severity: Severity
    where: str
    problem: str
    remedy: str

    def __post_init__(self) -> None:
        for part in ("where", "problem", "remedy"):
            object.__setattr__(self, part, said_as(getattr(self, part), _without_addresses))

    def __str__(self) -> str:
        return f"{self.where}: {self.problem} {self.remedy}".strip()


def _without_addresses(text: str) -> str:
    return unowned(masked(text))


class AcuError(ValueError):
    """Input that cannot be used. Carries every complaint that was found, not only the first.

    Attributes
    ----------
    problems
        The complaints, in the order in which they were found.
    """

    exit_code = 1

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnreadableFileError(AcuError):
    """A file that is missing, empty, or not what its name says."""


class ProtocolError(AcuError):
    """A protocol that cannot be understood or contradicts itself."""


class UsageError(AcuError):
    """A call that cannot be understood: a missing option, an unknown name."""

    exit_code = 2


class MissingToolError(AcuError):
    """An optional tool that this machine does not have."""

    exit_code = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Which known name did the writer probably mean?

    Parameters
    ----------
    word
        What was written.
    known
        The names that exist.

    Returns
    -------
    str
        ``Did you mean "start"?``, or the list of known names when nothing is near.
    """
    names = sorted(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    return f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(names)}."
