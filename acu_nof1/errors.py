"""What can stop us, and what should be mended: every complaint at once, in a person's words."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

from acu_nof1.privacy import masked, unowned

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong or worth knowing: where it is, what it is, what to do.

    Attributes
    ----------
    severity
        ``error`` (an answer would be wrong or is impossible), ``warning`` (read the answer with this in
        mind) or ``note``.
    where
        The place as the user sees it: file, row, column; or a key of the protocol.
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
            object.__setattr__(self, part, unowned(masked(getattr(self, part))))

    def __str__(self) -> str:
        return f"{self.where}: {self.problem} {self.remedy}".strip()


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
