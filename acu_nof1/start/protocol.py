"""The protocol to fill in: TOML with remarks, valid as it stands."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import tomli_w

from acu_nof1.outcomes import OUTCOMES
from acu_nof1.safety import RED_FLAGS
from acu_nof1.words import start as words

if TYPE_CHECKING:
    from acu_nof1.start.conditions import Question
    from acu_nof1.start.outset import Outset

DIARY_FILE, SESSIONS_FILE = "diary.xlsx", "sessions.xlsx"
REMARK_AT, WIDTH = 45, 120


def protocol_text(outset: Outset) -> str:
    """What is written into protocol.toml for this trial?

    It can be read as it stands; what should be agreed or asked first stands there as a remark.
    """
    condition = outset.condition
    nights = words.NIGHTS_TABLE.substitute(diary_file=DIARY_FILE, sheet=words.NIGHTS) if condition.nights else ""
    text = words.PROTOCOL.substitute(
        person=_toml(outset.person),
        condition=_toml(words.condition_name(condition.name)),
        planned_sessions=condition.sessions,
        planned_why=words.PLANNED_WHY[condition.sessions_why],
        first_day=outset.first_day,
        last_before=outset.days[outset.baseline_days - 1],
        start=outset.start,
        last_day=outset.last_day,
        look=outset.look,
        baseline_days=outset.baseline_days,
        weeks=outset.weeks,
        window_days=outset.window_days,
        diary_file=DIARY_FILE,
        diary_sheet=words.DIARY,
        sessions_file=SESSIONS_FILE,
        nights=nights,
        outcomes="\n".join(_outcome(question, primary=not i) for i, question in enumerate(condition.outcomes)),
        further="".join([words.FURTHER, *map(_further, condition.further)]),
        primary=condition.questions[0].name,
        red_flags=_wrapped(f"{words.RED_FLAGS_KNOWN}: {', '.join(RED_FLAGS)}"),
    )
    return "\n".join(map(_aligned, text.split("\n")))


def _outcome(question: Question, *, primary: bool) -> str:
    """Declare one outcome, with its published important change beside it."""
    outcome = question.outcome
    entry = question.entry.model_dump(exclude_defaults=True) | ({"primary": True} if primary else {})
    lines = [f"[outcome.{question.name}]\t# {words.scale(outcome)}"]
    lines += [f"{key} = {_toml(value)}" for key, value in entry.items()]
    change = "" if outcome.important_change is None else f"{outcome.important_change:g}"
    lines.append(_wrapped(words.published(outcome)))
    lines.append(f"# important_change = {change}\t# {outcome.change_unit}")
    return "\n".join(lines) + "\n"


def _further(instrument: str) -> str:
    outcome = OUTCOMES[instrument]
    return (
        f"\n{_wrapped(f'{outcome.title}: {words.scale(outcome)}. {words.published(outcome)}')}\n"
        f'# [outcome.{instrument}]\n# instrument = "{instrument}"\n'
    )


def _toml(value: Any) -> str:
    # A tab may stand in TOML's text as it is; here it parts a line from its remark.
    return tomli_w.dumps({"key": value}).partition(" = ")[2].removesuffix("\n").replace("\t", "\\t")


def _wrapped(remark: str) -> str:
    return "\n".join(f"# {line}" for line in textwrap.wrap(remark, WIDTH - 2, break_on_hyphens=False))


def _aligned(line: str) -> str:
    """Put the remark behind a line where the others stand; no value holds a tab."""
    code, tab, remark = line.partition("\t")
    return f"{code:<{REMARK_AT - 1}} {remark}" if tab else line
