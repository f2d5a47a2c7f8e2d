"""What the command `init` must know: from its options, or asked on a terminal."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import typer

from acu_nof1.errors import Problem, UsageError
from acu_nof1.start.conditions import CONDITIONS
from acu_nof1.words import start as words

ONE_DAY = dt.timedelta(days=1)


def answers(
    folder: Path | None, condition: str | None, start: dt.date | None, person: str | None
) -> tuple[Path, str, dt.date, str]:
    """Where, for what, from which day and for whom? What is not given is asked on a terminal.

    Raises
    ------
    UsageError
        If something is missing and there is nobody to ask: names all of it. The code may be left out.
    """
    given = {"DIR": folder, "--condition": condition, "--start": start}
    missing = [option for option, value in given.items() if value is None]
    if missing and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            [Problem("error", option, words.NOT_GIVEN, words.missing_remedy(option, CONDITIONS)) for option in missing]
        )
    folder = folder or Path(typer.prompt(words.ASK_FOLDER))
    condition = condition or _ask_condition()
    start = start or _ask_day(condition)
    if person is None:
        person = typer.prompt(words.ASK_PERSON, default="", show_default=False) if missing else ""
    return folder, condition, start, person


def _ask_condition() -> str:
    names = list(CONDITIONS)
    typer.echo("\n".join(f"  {number}  {name}" for number, name in enumerate(names, 1)))

    def chosen(text: str) -> str:
        word = text.strip().lower().replace(" ", "_")
        if word.isdecimal() and 0 < int(word) <= len(names):
            return names[int(word) - 1]
        if word not in names:
            raise typer.BadParameter(words.UNKNOWN_CONDITION)
        return word

    return str(typer.prompt(words.ASK_CONDITION, value_proc=chosen))


def _ask_day(condition: str) -> dt.date:
    """Ask for the first day of treatment; a diary that begins tomorrow has its baseline before the proposed one."""
    baseline = CONDITIONS[condition].baseline_days if condition in CONDITIONS else 0
    usual = dt.date.today() + ONE_DAY * (1 + baseline)

    def day(text: str) -> dt.date:
        try:
            return dt.date.fromisoformat(text.strip())
        except ValueError:
            raise typer.BadParameter(f"{words.NO_DATE} {words.WRITE_A_DATE}") from None

    answered: dt.date = typer.prompt(words.ASK_START, default=usual.isoformat(), value_proc=day)
    return answered
