"""The pages of a plan and of an audit, and their tables for the terminal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from acu_nof1 import __version__, words
from acu_nof1.errors import Problem, UsageError
from acu_nof1.planning import Audit, Plan
from acu_nof1.plot import plot_audit, plot_plan, style
from acu_nof1.report.block import Listing, Note, Picture, Section, Table, Title, page

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from acu_nof1.report.block import Block

SUFFIXES = (".html", ".png", ".svg")


def planning_page(found: Plan | Audit) -> Section:
    """Lay out everything that a plan or an audit says."""
    return Section("planning", tuple(_plan(found) if isinstance(found, Plan) else _audit(found)))


def planning_tables(found: Plan | Audit) -> tuple[Table, ...]:
    """Give the tables of a plan or an audit, every number printed once for page and terminal."""
    if isinstance(found, Plan):
        return _ladder(found), _curve(found)
    return (_rates(found),) if found.offered else ()


def write_planning(found: Plan | Audit, path: str | os.PathLike[str]) -> None:
    """Write a plan or an audit as a page (``.html``) or its figure alone (``.png``, ``.svg``).

    Raises
    ------
    UsageError
        For any other kind of file.
    """
    target = Path(path)
    problems = suffix_problems(target)
    if problems:
        raise UsageError(problems)
    if target.suffix.lower() == ".html":
        title = words.PLAN_TITLE if isinstance(found, Plan) else words.AUDIT_TITLE
        target.write_text(page(title, [planning_page(found).html]), encoding="utf-8")
        return
    figure = plot_plan(found) if isinstance(found, Plan) else plot_audit(found)
    with style.theme():
        figure.savefig(target, dpi=200)


def suffix_problems(path: Path) -> list[Problem]:
    """Say why nothing can be written under this name."""
    if path.suffix.lower() in SUFFIXES:
        return []
    return [
        Problem(
            "error",
            f"--out {path}",
            "its ending names no kind of file that can be written.",
            f"Use {', '.join(SUFFIXES)}.",
        )
    ]


def _plan(plan: Plan) -> Iterator[Block]:
    yield Title(words.PLAN_TITLE, plan.setting.outcome.label, (plan.design_line,))
    yield Listing(words.PLAN_SAYS, plan.sentences)
    yield Picture(style.svg(plot_plan(plan)), words.plan_alt(plan.sentences))
    yield from planning_tables(plan)
    yield Note((plan.made_line, f"acu_nof1 {__version__}"))


def _audit(audit: Audit) -> Iterator[Block]:
    label = audit.outcome.label if audit.outcome else ""
    yield Title(words.AUDIT_TITLE, words.date(audit.day), (" · ".join(part for part in (audit.person, label) if part),))
    yield Listing(words.AUDIT_SAYS, audit.sentences)
    if audit.offered:
        yield Picture(style.svg(plot_audit(audit)), words.audit_alt(audit.sentences))
    yield from planning_tables(audit)
    yield Note((f"acu_nof1 {__version__}",))


def _ladder(plan: Plan) -> Table:
    unit = plan.setting.outcome.change_unit
    rows = tuple(
        (
            words.VARIED[row["varied"]],
            str(row["baseline"]),
            str(row["window"]),
            words.number(row["phi"], 2),
            _number(row["detectable"]),
            _number(row["half_width"]),
        )
        for row in plan.ladder().to_dict("records")
    )
    caption = f"{words.SMALLEST}, {unit}" if unit else words.SMALLEST
    return Table(caption, words.LADDER_COLUMNS, rows, numeric=frozenset(range(1, 6)))


def _curve(plan: Plan) -> Table:
    curve, outcome = plan.to_frame(), plan.setting.outcome
    rows = [(name, *map(_share, curve[kind])) for kind, name in words.KIND_NAMES.items()]
    rows += [
        (words.CURVE_ROWS[0], *map(_share, curve["called_improved"])),
        (words.CURVE_ROWS[1], *map(_share, curve["clear"])),
    ]
    return _by_gain(words.CURVE_CAPTION, outcome.change_unit, [words.gain(gain) for gain in curve["gain"]], rows)


def _rates(audit: Audit) -> Table:
    table = audit.to_frame()
    measures = zip(
        words.AUDIT_ROWS, ("looks_changed", "looks_changed_error", "covered", "covered_error", "width"), strict=True
    )
    shown = {"looks_changed_error": _error, "covered_error": _error, "width": _number}
    rows = [(name, *map(shown.get(column, _share), table[column])) for name, column in measures]
    rows += [(name, *map(_share, table[kind])) for kind, name in words.KIND_NAMES.items()]
    unit = "" if audit.is_ratio or audit.outcome is None else audit.outcome.change_unit
    gains = [words.gain(gain, ratio=audit.is_ratio) for gain in table["gain"]]
    return _by_gain(words.AUDIT_CAPTION, unit, gains, rows)


def _by_gain(caption: str, unit: str, gains: list[str], rows: list[tuple[str, ...]]) -> Table:
    """Lay out a table with one column for each true change."""
    return Table(
        f"{caption}, {unit}" if unit else caption,
        (words.VERDICT, *gains),
        tuple(rows),
        numeric=frozenset(range(1, len(gains) + 1)),
    )


def _share(value: float) -> str:
    """Print a simulated share in 100."""
    if math.isnan(value):
        return "–"
    return "<1" if 0 < value < 0.005 else words.number(100 * value, 0)


def _error(value: float) -> str:
    return words.number(100 * value, 1)


def _number(value: float) -> str:
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else words.number(value, 1)
