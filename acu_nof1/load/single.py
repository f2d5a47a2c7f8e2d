"""From nothing but one diary file and a start date: write down the protocol that the flags declare."""

from __future__ import annotations

import datetime as dt
import math
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from acu_nof1.errors import AcuError, Problem, UsageError, did_you_mean
from acu_nof1.load.dates import ASK_ORDER
from acu_nof1.load.diaries import read_diary
from acu_nof1.load.propose import propose, recognised
from acu_nof1.load.protocols import PROTOCOL_FILE, protocol_from
from acu_nof1.load.recognise import no_progress, open_table
from acu_nof1.load.tables import plain
from acu_nof1.outcomes import KINDS, OUTCOMES
from acu_nof1.privacy import without_names
from acu_nof1.protocol import DiaryFile
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from acu_nof1.diary import Diary
    from acu_nof1.load.layout import Progress
    from acu_nof1.protocol import Protocol

KEYS = ("unit", "better", "range", "important_change", "important_change_percent", "label", "every", "kind", "sem",
        "form")  # fmt: skip
NO_OUTCOME = "no outcome"
FAR_DAYS = 366
ONE_DAY = dt.timedelta(days=1)


def trial_folder(
    diary: Path,
    folder: Path,
    *,
    start: dt.date | None,
    outcomes: Sequence[str],
    date: str | None = None,
    dayfirst: bool | None = None,
    decimal: str | None = None,
    person: str | None = None,
) -> None:
    """Turn one diary file into a trial folder: a copy of the file, and the protocol that was declared.

    Days before `start` are the baseline, days from it on are treatment, and the reassessment is the day
    after the last entry. Nothing else is assumed, and nothing is called agreed.

    Parameters
    ----------
    diary
        A CSV, TSV or Excel file.
    folder
        Where the trial folder is made; an existing protocol in it is not overwritten.
    start
        First treatment day.
    outcomes
        ``"Column=instrument"`` or ``"Column=kind,better=higher,unit=h"``; the first is primary.
    date, dayfirst, decimal, person
        As in the protocol's ``[[diary]]``.

    Raises
    ------
    UsageError
        If start or outcomes are missing: with the columns found and the command to paste.
    """
    if start is None or not outcomes:
        missing = " and ".join(flag for flag, given in (("--start", start), ("--outcome", outcomes)) if not given)
        raise UsageError(
            [
                Problem(
                    "error",
                    diary.name,
                    f"{missing} {'are' if ' and ' in missing else 'is'} not given, and nothing is guessed.",
                    f"\n{propose(diary)}",
                )
            ]
        )
    target = folder / PROTOCOL_FILE
    if target.exists():
        raise UsageError(
            [
                Problem(
                    "error", str(target), "a protocol is there already.", "Choose another folder for --save-protocol."
                )
            ]
        )
    copy = folder / diary.name
    if copy.exists() and copy.resolve() != diary.resolve():
        what = "a file of this name is there already."
        raise UsageError([Problem("error", str(copy), what, "Choose another folder for --save-protocol.")])
    if wrong := _wrong_options(diary, date, decimal):
        raise UsageError(wrong)
    raw = _raw(diary, start, outcomes, date, dayfirst, decimal, person)
    found = _read(diary, protocol_from(raw, "--outcome")[0])
    if found.first_day is None or found.last_day is None:
        none = [Problem("error", diary.name, "no value was read.", "Check the columns.")]
        raise UsageError(found.problems or none)
    if wrong := _wrong_days(diary.name, found.values.dropna(how="all").index.to_numpy(), start):
        raise UsageError(wrong)
    raw["phase"] = _phases(found.first_day.date(), start, max(found.last_day.date(), start))
    folder.mkdir(parents=True, exist_ok=True)
    if diary.resolve() != copy.resolve():
        shutil.copyfile(diary, copy)
    target.write_text(tomli_w.dumps(raw), encoding="utf-8")


def read_single(
    diary: Path,
    *,
    outcomes: Sequence[str],
    date: str | None = None,
    dayfirst: bool | None = None,
    decimal: str | None = None,
    person: str | None = None,
    progress: Progress = no_progress,
) -> Trial:
    """What is answered in one diary file, when nothing is known of the treatment?

    Parameters
    ----------
    diary
        A file in any known format.
    outcomes
        As for `trial_folder`; none: those that the file itself names (see `recognised`).
    date, dayfirst, decimal, person
        As in the protocol's ``[[diary]]``.
    progress
        As for `read_diary`.

    Returns
    -------
    Trial
        Without phases, and of nobody.

    Raises
    ------
    UsageError
        If the file names no outcome of the catalogue: with the columns found and the command to paste.
    """
    if wrong := _wrong_options(diary, date, decimal):
        raise UsageError(wrong)
    file = DiaryFile(file=diary.name, columns={"date": date} if date else {})
    known = outcomes or recognised(diary, file)
    if not known:
        what = "its columns do not say which outcomes they are, and nothing is guessed."
        proposal = propose(diary, out="OUT.csv")
        raise UsageError([Problem("error", without_names(diary.name), what, f"\n{proposal}")])
    raw = _raw(diary, dt.date.max, known, date, dayfirst, decimal, person)
    for entry in raw["outcome"].values():
        entry["primary"] = False
    # A protocol needs a phase and a primary outcome; here they stand for nothing and are left out again.
    raw["outcome"][NO_OUTCOME] = {"kind": "count", "better": "lower", "primary": True}
    protocol, _ = protocol_from(raw, "--outcome")
    asked = tuple(outcome for outcome in protocol.outcomes if outcome.name != NO_OUTCOME)
    protocol = protocol.model_copy(update={"phases": (), "outcomes": asked, "primary": None})
    return Trial(protocol, _read(diary, protocol, progress))


def _raw(
    diary: Path,
    start: dt.date,
    outcomes: Sequence[str],
    date: str | None,
    dayfirst: bool | None,
    decimal: str | None,
    person: str | None,
) -> dict[str, Any]:
    """Write down the protocol that the options declare."""
    declared = _declared(outcomes)
    columns = {name: entry.pop("column") for name, entry in declared.items() if "column" in entry}
    columns |= {"date": date} if date else {}
    file: dict[str, Any] = {"file": diary.name, "columns": columns}
    file |= {
        key: value
        for key, value in (("dayfirst", dayfirst), ("decimal", decimal), ("person", person))
        if value is not None
    }
    return {"phase": _phases(start, start, start), "outcome": declared, "diary": [file]}


def _read(diary: Path, protocol: Protocol, progress: Progress = no_progress) -> Diary:
    try:
        found = read_diary(*protocol.diaries, outcomes=protocol.outcomes, folder=diary.parent, progress=progress)
    except AcuError as error:
        error.problems = _with_flags(error.problems)
        raise
    return replace(found, problems=_with_flags(found.problems))


def _wrong_options(diary: Path, date: str | None, decimal: str | None) -> list[Problem]:
    """Which of the options for reading the file cannot be meant?"""
    wrong = []
    if decimal is not None and decimal not in (".", ","):
        wrong.append(Problem("error", f'--decimal "{decimal}"', "this is no decimal sign.", 'Write "." or ",".'))
    if date is not None:
        columns = open_table(diary.parent, DiaryFile(file=diary.name), diary.name, [date])[0].columns
        if plain(date) not in map(plain, columns):
            what = f"there is no such column in {diary.name}."
            wrong.append(Problem("error", f'--date "{date}"', what, did_you_mean(date, columns)))
    return wrong


def _with_flags(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Name the flags where a trial folder would declare the order of day and month, or whose rows are read."""
    return tuple(replace(problem, remedy=_flag(problem.remedy)) for problem in problems)


def _flag(remedy: str) -> str:
    if remedy == ASK_ORDER[1]:
        return "Say --dayfirst (day/month) or --monthfirst (month/day)."
    return re.sub(
        r'^(?:Declare one|Write).*, as in person = "(.*)"\.$', r"Say whose rows are read, as in --person \1.", remedy
    )


def _wrong_days(file: str, days: npt.NDArray[np.datetime64], start: dt.date) -> list[Problem]:
    """Phases are made from the first and the last day: one slip of the pen would make them years long."""
    days = np.sort(days.astype("datetime64[D]"))
    far = days[np.abs(days - days[len(days) // 2]) > np.timedelta64(FAR_DAYS, "D")]
    wrong = []
    if far.size:
        named = ", ".join(str(day) for day in far[:3]) + (" …" if far.size > 3 else "")
        what = f"more than a year from most entries: {named}."
        wrong.append(
            Problem("error", file, what, "Mend these dates, or leave the rows out: the phases follow from them.")
        )
    if np.datetime64(start) > days[-1]:
        what = f"the last entry is of {days[-1]}, before treatment began."
        wrong.append(Problem("error", f"--start {start}", what, "Give the first treatment day."))
    return wrong


def _phases(first: dt.date, start: dt.date, last: dt.date) -> list[dict[str, Any]]:
    treatment = {"kind": "treatment", "start": start, "end": last}
    if first >= start:
        return [treatment]
    return [{"kind": "baseline", "start": first, "end": start - ONE_DAY}, treatment]


def _declared(outcomes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read ``"Sleep hrs=csd_tst,unit=h"`` into the entries of a protocol; all complaints at once."""
    wrong: list[Problem] = []
    entries: dict[str, dict[str, Any]] = {}
    for position, text in enumerate(outcomes):
        place = f'--outcome "{text}"'
        column, target, options = _parts(text)
        if target not in OUTCOMES and target not in KINDS:
            remedy = did_you_mean(target, [*OUTCOMES, *KINDS]) if target else 'Write for example "Pain=nrs_pain".'
            wrong.append(Problem("error", place, f'"{target}" is neither an instrument nor a kind.', remedy))
            continue
        entry: dict[str, Any] = {"instrument" if target in OUTCOMES else "kind": target, "primary": position == 0}
        if column:
            entry |= {"column": column, "label": column}
        for option in options:
            wrong += _set(entry, option, place)
        entries[_name(column or target, entries)] = entry
    if wrong:
        raise UsageError(wrong)
    return entries


def _parts(text: str) -> tuple[str, str, list[str]]:
    """Split ``Column=target,key=value``; a column title may hold ``=`` and commas itself.

    Without a column (``csd_tst``) the outcome is computed from others or has a column of its own name.
    """
    known = {*OUTCOMES, *KINDS}
    cuts = [0, *(match.end() for match in re.finditer("=", text))]
    heads = {cut: text[cut:].partition(",")[0].strip() for cut in cuts}
    cut = next((cut for cut in cuts if heads[cut] in known), cuts[min(1, len(cuts) - 1)])
    target, *options = (part.strip() for part in text[cut:].split(","))
    return text[: max(cut - 1, 0)].strip(), target, [option for option in options if option]


def _set(entry: dict[str, Any], option: str, place: str) -> list[Problem]:
    """Add ``key=value`` to an entry, or say why not."""
    key, equals, value = (part.strip() for part in option.partition("="))
    if not equals or key not in KEYS:
        return [Problem("error", place, f'"{option}" is not a known option.', did_you_mean(key, KEYS))]
    try:
        if key == "range":
            low, high = value.split(":")
            entry[key] = [_finite(low), _finite(high)]
        else:
            entry[key] = _finite(value) if key.startswith("important") or key == "sem" else value
    except ValueError:
        return [Problem("error", place, f'{key}="{value}" is not a number.', "Write range=0:10, important_change=2.")]
    return []


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _name(column: str, taken: dict[str, dict[str, Any]]) -> str:
    """Make a key for the protocol out of a column title."""
    base = re.sub(r"\W+", "_", column.strip().lower()).strip("_") or "outcome"
    name, number = base, 2
    while name in taken or name == "date":
        name, number = f"{base}_{number}", number + 1
    return name
