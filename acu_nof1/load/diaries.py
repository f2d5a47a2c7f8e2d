"""Diary files -> one `Diary`: every cell becomes a value or a line of the ledger that says why not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from pydantic import ValidationError

from acu_nof1.derive import CSD_CLOCKS, CSD_ITEMS, CSD_NEEDS, CSD_UNITS, consensus_sleep
from acu_nof1.diary import LEDGER_COLUMNS, Counts, Diary, Source, empty_ledger, no_labels, on_calendar
from acu_nof1.errors import SEVERITIES, AcuError, Problem, UnreadableFileError, UsageError, did_you_mean
from acu_nof1.load.cells import BLANK, NONE_UNDECLARED, Column, Reader, read_column
from acu_nof1.load.clocks import may_be_slips, read_clocks
from acu_nof1.load.dates import read_days
from acu_nof1.load.layouts import LAYOUTS, Layout, layout_for
from acu_nof1.load.tables import Table, plain, read_table, spoken_rows
from acu_nof1.outcomes import Outcome, conversion
from acu_nof1.protocol import DiaryFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acu_nof1.errors import Severity

ROLES = ("date", "entered", "phase", "question", "answer", *CSD_ITEMS)
NO_DATE = ("no readable date", "Write dates as 2026-01-31, or declare date_format or dayfirst.")
SAME_TWICE = "same day twice, same value"
TOO_MANY_REJECTED = 0.20
LATE_DAYS = 1
FAR_YEARS = 2
SHORT_SLEEP = 24.0  # minutes: a median below this is hours that were read as minutes
LONGEST_TEXT = 60
CELL_COLUMNS = (*LEDGER_COLUMNS, "remedy")

# The three sleep-diary items that are lengths of time rather than clock times are read like any outcome.
_ITEM = Outcome("", "", "minutes", unit="min", low=0, high=960)


def read_diary(
    *files: str | Path | DiaryFile,
    outcomes: Iterable[Outcome],
    folder: str | Path | None = None,
    **how: Any,
) -> Diary:
    """What did this person answer, day by day, and what became of every cell?

    Parameters
    ----------
    *files
        Paths of CSV, TSV or Excel files, or `DiaryFile` values that say how a file is read.
    outcomes
        The questions to look for. A column belongs to an outcome when it is mapped to it, or when its title
        is the outcome's name or label (case and spaces aside); nothing else is guessed.
    folder
        Where relative paths start.
    **how
        The fields of `DiaryFile` (``columns``, ``dayfirst``, ``decimal``, ``units``, …) for files that are
        given as paths.

    Returns
    -------
    Diary
        Values by calendar day, the ledger, the counts, what should be known or mended, and the files' hashes.

    Raises
    ------
    UnreadableFileError
        If any file cannot be read at all; it names every file and what is wrong with each.
    UsageError
        If an option does not exist or no file is given.
    """
    questions = tuple(outcomes)
    declared = [_declared(file, how) for file in files]
    if not declared:
        raise UsageError([Problem("error", "read_diary", "no file is given.", "Give at least one diary file.")])
    names = _names(declared)
    read: list[_File] = []
    wrong: list[Problem] = []
    for file, name in zip(declared, names, strict=True):
        try:
            read.append(_read_file(file, name, Path(folder or ""), questions))
        except AcuError as error:
            wrong += error.problems
    if wrong:
        raise UnreadableFileError(wrong)
    return _joined(read, questions)


def _declared(file: str | Path | DiaryFile, how: Mapping[str, Any]) -> DiaryFile:
    if isinstance(file, DiaryFile):
        if how:
            raise UsageError(
                [
                    Problem(
                        "error",
                        file.file,
                        f"{', '.join(how)} was given beside a DiaryFile.",
                        "Put it into the DiaryFile.",
                    )
                ]
            )
        return file
    try:
        return DiaryFile(file=str(file), **how)
    except ValidationError as error:
        raise UsageError(_complaints(str(file), error)) from None


def _complaints(file: str, error: ValidationError) -> list[Problem]:
    known = [name for name in DiaryFile.model_fields if name != "file"]
    return [
        Problem("error", file, f'there is no option "{item["loc"][0]}".', did_you_mean(str(item["loc"][0]), known))
        if item["type"] == "extra_forbidden"
        else Problem("error", file, f"{'.'.join(map(str, item['loc']))}: {item['msg']}.", "Mend the value.")
        for item in error.errors()
    ]


def _names(declared: Sequence[DiaryFile]) -> list[str]:
    """Call each file by its name, or by its path where two have the same name."""
    names = [Path(file.file).name for file in declared]
    return [name if names.count(name) == 1 else file.file for name, file in zip(names, declared, strict=True)]


# ------------------------------------------------------------------------------------------ one file


@dataclass(frozen=True, eq=False)
class _File:
    """One file as it was read: the cells of its outcome columns, and what they say about each outcome."""

    source: Source
    reducer: str
    cells: pd.DataFrame  # CELL_COLUMNS; one row per cell of a mapped outcome column
    derived: pd.DataFrame  # outcome, date, value, night: values computed from the cells of a night
    problems: tuple[Problem, ...]
    found: tuple[str, ...]
    phase_labels: pd.Series[str]


@dataclass(frozen=True, eq=False)
class _Open:
    """A table on the desk: its declaration, where its columns are, the day of each row."""

    name: str
    file: DiaryFile
    table: Table
    layout: Layout
    roles: Mapping[str, str]
    days: np.ndarray[tuple[int], np.dtype[np.datetime64]]


def _read_file(file: DiaryFile, name: str, folder: Path, outcomes: Sequence[Outcome]) -> _File:
    table = read_table(
        folder / file.file,
        delimiter=file.delimiter,
        encoding=file.encoding,
        sheet=file.sheet,
        titles=_titles(file, outcomes),
    )
    layout = _layout(file, name, table)
    roles = _roles(file, name, table, layout)
    questions = _questions(file, name, table, layout, outcomes)
    _check_units(file, name, outcomes)
    days, problems = _days(file, name, table, roles)
    desk = _Open(name, file, table, layout, roles, days)
    columns = [_cells_of(desk, outcome, title) for outcome, title in questions.items()]
    nights, derived, wanted = _nights(desk, [outcome for outcome in outcomes if outcome not in questions])
    if not questions and not wanted:
        raise UnreadableFileError([_nothing_found(desk, outcomes)])
    cells = pd.concat([*columns, *nights], ignore_index=True)
    problems += _notes(desk, questions, bool(wanted)) + _late(desk)
    return _File(
        Source(name, table.sha256, ", ".join(part for part in (table.read_as, layout.name) if part)),
        file.reducer,
        cells,
        derived,
        tuple(problems),
        tuple(outcome.name for outcome in (*questions, *wanted)),
        _phase_labels(desk),
    )


def _titles(file: DiaryFile, outcomes: Sequence[Outcome]) -> list[str]:
    usual = [title for layout in LAYOUTS for titles in layout.columns.values() for title in titles]
    return [*file.columns.values(), *usual, *(o.name for o in outcomes), *(o.label for o in outcomes)]


def _layout(file: DiaryFile, name: str, table: Table) -> Layout:
    try:
        return layout_for(table.columns, file.layout, file.columns)
    except KeyError:
        known = did_you_mean(str(file.layout), [layout.name for layout in LAYOUTS])
        raise UnreadableFileError([Problem("error", name, f'there is no layout "{file.layout}".', known)]) from None


def _match(table: Table, title: str) -> str | None:
    """The column with this title, case and spaces aside."""
    return next((column for column in table.columns if plain(column) == plain(title)), None)


def _missing_column(name: str, what: str, title: str, table: Table) -> Problem:
    return Problem(
        "error",
        name,
        f'{what} should stand in a column "{title}"; the columns are {_listed(table.columns)}.',
        did_you_mean(title, table.columns),
    )


def _listed(titles: Iterable[str]) -> str:
    return ", ".join(f'"{shown(title)}"' for title in titles)


def _roles(file: DiaryFile, name: str, table: Table, layout: Layout) -> dict[str, str]:
    """Find the column of each role that is declared or that the layout knows."""
    roles: dict[str, str] = {}
    wrong: list[Problem] = []
    for role in ROLES:
        declared = file.columns.get(role)
        usual = (declared,) if declared is not None else layout.columns.get(role, ())
        found = [column for title in usual if (column := _match(table, title))]
        if found:
            roles[role] = found[0]
        elif declared is not None:
            wrong.append(_missing_column(name, role, declared, table))
    needed = ["date", *(("question", "answer") if layout.shape == "long" else ())]
    wrong += [
        Problem(
            "error",
            name,
            f"no column holds the {role}; the columns are {_listed(table.columns)}.",
            f'Declare it, as in columns = {{{role} = "{table.columns[0]}"}}.',
        )
        for role in needed
        if role not in roles and role not in file.columns
    ]
    if wrong:
        raise UnreadableFileError(wrong)
    return roles


def _questions(
    file: DiaryFile, name: str, table: Table, layout: Layout, outcomes: Sequence[Outcome]
) -> dict[Outcome, str]:
    """Find the column (in a long table: the question) of each outcome; declared ones must exist."""
    known = {outcome.name for outcome in outcomes}
    wrong = [
        Problem("error", name, f'columns names "{key}", which is no outcome.', did_you_mean(key, {*known, *ROLES}))
        for key in file.columns
        if key not in known and key not in ROLES
    ]
    titles = table.columns if layout.shape == "wide" else _asked(file, table, layout)
    by_plain = {plain(title): title for title in titles}
    questions: dict[Outcome, str] = {}
    for outcome in outcomes:
        declared = file.columns.get(outcome.name)
        usual = (declared,) if declared is not None else _own_titles(outcome, outcomes)
        found = [by_plain[plain(title)] for title in usual if plain(title) in by_plain]
        if found:
            questions[outcome] = found[0]
        elif declared is not None:
            wrong.append(
                Problem(
                    "error",
                    name,
                    f'{outcome.name} should be found as "{declared}"; there are {_listed(titles)}.',
                    did_you_mean(declared, titles),
                )
            )
    if wrong:
        raise UnreadableFileError(wrong)
    return questions


def _own_titles(outcome: Outcome, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Name and label; a label that another outcome has too decides nothing."""
    shared = any(other is not outcome and plain(other.label) == plain(outcome.label) for other in outcomes)
    return (outcome.name,) if shared else (outcome.name, outcome.label)


def _asked(file: DiaryFile, table: Table, layout: Layout) -> tuple[str, ...]:
    """The questions that occur in a long table."""
    titles = (file.columns["question"],) if "question" in file.columns else layout.columns["question"]
    column = next(column for title in titles if (column := _match(table, title)))
    distinct = dict.fromkeys(" ".join(str(text).split()) for text in pd.unique(table.rows[column]))
    return tuple(title for title in distinct if title)


def _check_units(file: DiaryFile, name: str, outcomes: Sequence[Outcome]) -> None:
    by_name = {outcome.name: outcome for outcome in outcomes}
    wrong = []
    for key, unit in file.units.items():
        if key not in by_name:
            wrong.append(
                Problem("error", name, f'units names "{key}", which is no outcome.', did_you_mean(key, by_name))
            )
            continue
        try:
            conversion(unit, by_name[key].unit)
        except ValueError as error:
            wrong.append(Problem("error", name, f"{key}: {error}.", "Declare a unit of the same kind."))
    if wrong:
        raise UnreadableFileError(wrong)


# ----------------------------------------------------------------------------------------- days, cells


def _days(
    file: DiaryFile, name: str, table: Table, roles: Mapping[str, str]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.datetime64]], list[Problem]]:
    texts = table.rows[roles["date"]]
    read = read_days(texts, date_format=file.date_format, dayfirst=file.dayfirst, day_zero=table.day_zero)
    where = f"{name} column {roles['date']}"
    problems = []
    if read.question is not None:
        what, remedy = read.question
        example = str(texts.iloc[0])
        problems.append(Problem("error", where, f'{what}, as in "{shown(example)}": no answer was read.', remedy))
    elif read.read_as:
        problems.append(Problem("note", where, f"{read.read_as}.", ""))
    if read.question is None and np.isnat(read.days).any():
        numbers = table.numbers[np.isnat(read.days)]
        what = f"{_examples(texts[np.isnat(read.days)])}: {NO_DATE[0]}, the answers of the row are not read."
        problems.append(Problem("warning", _place(where, numbers), what, NO_DATE[1]))
    return read.days, problems + _odd_days(read.days, table, where)


def _odd_days(days: np.ndarray[tuple[int], np.dtype[np.datetime64]], table: Table, where: str) -> list[Problem]:
    """Days that have not come yet, and years far from the others."""
    known = ~np.isnat(days)
    if not known.any():
        return []
    years = days.astype("datetime64[Y]").astype(int)
    usual = float(np.median(years[known]))
    far = known & (np.abs(years - usual) > FAR_YEARS)
    future = known & ~far & (days > np.datetime64(dt.date.today()))
    found = ((far, "a year far from the others"), (future, "a day that has not come yet"))
    return [
        Problem(
            "warning",
            f"{_place(where, table.numbers[mask])}",
            f'{what}: "{_first(days, mask)}".',
            "Check the date.",
        )
        for mask, what in found
        if mask.any()
    ]


def _first(
    days: np.ndarray[tuple[int], np.dtype[np.datetime64]], mask: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> str:
    return str(days[mask][0])[:10]


def _place(where: str, numbers: Iterable[int]) -> str:
    """``pain.csv column pain`` and rows -> ``pain.csv row 12 column pain``."""
    file, _, column = where.partition(" column ")
    rows = spoken_rows(numbers)
    return f"{file} {rows}{',' if rows.startswith('rows') else ''} column {column}"


def _cells_of(desk: _Open, outcome: Outcome, title: str) -> pd.DataFrame:
    reader = _reader(desk, outcome)
    if desk.layout.shape == "wide":
        return _read_cells(desk, outcome.name, title, reader, np.arange(len(desk.table.rows)))
    asked = desk.table.rows[desk.roles["question"]]
    distinct, wanted = asked.unique(), plain(title)
    rows = np.flatnonzero(asked.isin([text for text in distinct if plain(str(text)) == wanted]).to_numpy())
    return _read_cells(desk, outcome.name, desk.roles["answer"], reader, rows)


def _reader(desk: _Open, outcome: Outcome) -> Reader:
    file = desk.file
    return Reader(
        outcome,
        desk.table.delimiter or ",",
        file.decimal,
        file.missing,
        file.none,
        file.words,
        file.units.get(outcome.name, ""),
    )


def _read_cells(
    desk: _Open, outcome: str, title: str, reader: Reader, rows: np.ndarray[tuple[int], np.dtype[np.intp]]
) -> pd.DataFrame:
    """Read the cells of one column; one row per cell."""
    return _framed(desk, outcome, title, rows, read_column(desk.table.rows[title].iloc[rows], reader))


def _framed(
    desk: _Open, outcome: str, title: str, rows: np.ndarray[tuple[int], np.dtype[np.intp]], column: Column
) -> pd.DataFrame:
    """Put cells beside their day; a cell without one is rejected, whatever it says."""
    rules = np.array([rule.name for rule in column.rules], dtype=object)[column.rule]
    remedies = np.array([rule.remedy for rule in column.rules], dtype=object)[column.rule]
    days = desk.days[rows]
    undated = np.isnat(days) & (rules != BLANK.name)
    return pd.DataFrame(
        {
            "file": desk.name,
            "row": desk.table.numbers[rows],
            "column": title,
            "outcome": outcome,
            "date": days,
            "raw": desk.table.rows[title].to_numpy()[rows],
            "status": np.where(undated, "rejected", column.status),
            "rule": np.where(undated, NO_DATE[0], rules),
            "value": np.where(undated, np.nan, column.values),
            "remedy": np.where(undated, NO_DATE[1], remedies),
        }
    )


# --------------------------------------------------------------------------------------------- nights


def _nights(desk: _Open, outcomes: Sequence[Outcome]) -> tuple[list[pd.DataFrame], pd.DataFrame, list[Outcome]]:
    """Read the clock times of a sleep diary and derive the outcomes that are asked for."""
    items = [item for item in CSD_ITEMS if item in desk.roles]
    wanted = [o for o in outcomes if (needs := CSD_NEEDS.get(_sleep_key(o))) and set(needs) <= set(items)]
    if not wanted:
        return [], _NOTHING_DERIVED, []
    cells = {item: _item_cells(desk, item) for item in items}
    times = pd.DataFrame({item: cells[item]["value"] if item in cells else np.nan for item in CSD_ITEMS})
    again = _same_night_again(desk, times)
    nights = consensus_sleep(times)
    asleep, problem = nights.values, nights.problems.to_numpy(dtype=object)
    frames = [_with_night(frame, again, problem) for frame in cells.values()]
    usable = ~np.isnat(desk.days) & ~again
    derived = pd.concat(
        [
            pd.DataFrame(
                {
                    "outcome": outcome.name,
                    "date": desk.days[usable],
                    "value": asleep[_sleep_key(outcome)].to_numpy()[usable]
                    * conversion(CSD_UNITS[_sleep_key(outcome)], outcome.unit),
                    "file": desk.name,
                    "row": desk.table.numbers[usable],
                }
            )
            for outcome in wanted
        ],
        ignore_index=True,
    )
    return frames, derived[derived["value"].notna()], wanted


_NOTHING_DERIVED = pd.DataFrame(columns=["outcome", "date", "value", "file", "row"])
NIGHT_REMEDY = "Check its times: 12:00 for midnight and 10:30 without pm are common slips."


def _sleep_key(outcome: Outcome) -> str:
    return outcome.instrument or outcome.name


def _item_cells(desk: _Open, item: str) -> pd.DataFrame:
    title, rows = desk.roles[item], np.arange(len(desk.table.rows))
    if item not in CSD_CLOCKS:
        return _read_cells(desk, item, title, _reader(desk, replace(_ITEM, name=item)), rows)
    return _framed(desk, item, title, rows, read_clocks(desk.table.rows[title], desk.file.missing))


def _same_night_again(desk: _Open, times: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    again = times.assign(date=desk.days).duplicated().to_numpy()
    return again & ~np.isnat(desk.days) & times.notna().any(axis=1).to_numpy()


def _with_night(
    cells: pd.DataFrame, again: np.ndarray[tuple[int], np.dtype[np.bool_]], problem: np.ndarray[Any, Any]
) -> pd.DataFrame:
    """Reject the cells of a night that cannot be, and of a night that was entered twice."""
    answered = cells["value"].notna().to_numpy()
    for mask, rule, remedy in ((problem != "", problem, NIGHT_REMEDY), (again, SAME_TWICE, "")):
        hit = answered & mask
        cells.loc[hit, ["status", "remedy"]] = ["rejected", remedy]
        cells.loc[hit, "rule"] = rule[hit] if isinstance(rule, np.ndarray) else rule
        cells.loc[hit, "value"] = np.nan
    return cells


# ------------------------------------------------------------------------------------- notes of a file


def _notes(desk: _Open, questions: Mapping[Outcome, str], nights: bool) -> list[Problem]:
    notes = [Problem("note", desk.name, f"{note}.", "") for note in desk.table.notes]
    if desk.layout.shape == "long":
        read = {plain(title) for title in questions.values()}
        left = [title for title in _asked(desk.file, desk.table, desk.layout) if plain(title) not in read]
        what = "questions"
    else:
        used = set(questions.values()) | {
            column for role, column in desk.roles.items() if nights or role not in CSD_ITEMS
        }
        left, what = [column for column in desk.table.columns if column not in used], "columns"
    if left:
        listed = _listed(left[:12]) + (f" and {len(left) - 12} more" if len(left) > 12 else "")
        notes.append(Problem("note", desk.name, f"{what} not read: {listed}.", "Map them to an outcome to read them."))
    return notes + (_slips(desk) if nights else [])


def _slips(desk: _Open) -> list[Problem]:
    found = []
    for item in ("into_bed", "tried_to_sleep"):
        if item in desk.roles:
            title = desk.roles[item]
            texts = desk.table.rows[title]
            slips = may_be_slips(texts, read_clocks(texts).values)
            if slips.any():
                found.append(
                    Problem(
                        "warning",
                        _place(f"{desk.name} column {title}", desk.table.numbers[slips]),
                        "a bedtime in the morning or at noon, taken as written.",
                        "If it was midnight write 00:00; if it was the evening write 22:30 or 10:30 pm.",
                    )
                )
    return found


def _late(desk: _Open) -> list[Problem]:
    """Which entries were typed more than a day after the day they are about?"""
    if "entered" not in desk.roles:
        return []
    title = desk.roles["entered"]
    texts = desk.table.rows[title]
    entered = read_days(texts, dayfirst=desk.file.dayfirst, day_zero=desk.table.day_zero).days
    if np.isnat(entered).all() and desk.file.date_format:
        entered = read_days(texts, date_format=desk.file.date_format).days
    where = f"{desk.name} column {title}"
    if np.isnat(entered).all():
        return [Problem("warning", where, "no entry time could be read: late entries are not known.", NO_DATE[1])]
    late = entered - desk.days > np.timedelta64(LATE_DAYS, "D")
    if not late.any():
        return []
    return [
        Problem(
            "warning",
            _place(where, desk.table.numbers[late]),
            f"{late.sum()} of {len(late)} entries were typed more than a day late.",
            "Read them as remembered, not kept daily.",
        )
    ]


def _phase_labels(desk: _Open) -> pd.Series[str]:
    if "phase" not in desk.roles:
        return no_labels()
    texts = desk.table.rows[desk.roles["phase"]].str.strip()
    kept = (texts != "").to_numpy() & ~np.isnat(desk.days)
    return pd.Series(
        texts.to_numpy()[kept],
        index=pd.DatetimeIndex(desk.days[kept], name="date"),
        dtype="str",
        name="phase",
    )


def _nothing_found(desk: _Open, outcomes: Sequence[Outcome]) -> Problem:
    asked = ", ".join(f"{outcome.name} ({outcome.label})" for outcome in outcomes)
    titles = desk.table.columns if desk.layout.shape == "wide" else _asked(desk.file, desk.table, desk.layout)
    near = [
        hint
        for o in outcomes
        if (hint := did_you_mean(o.label.casefold(), [t.casefold() for t in titles])).startswith("Did")
    ]
    example = f'Map it, as in columns = {{{outcomes[0].name} = "{titles[-1]}"}}.' if outcomes and titles else ""
    return Problem(
        "error",
        desk.name,
        f"none of the outcomes {asked} was found; there are {_listed(titles)}.",
        " ".join([*near[:1], example]),
    )


# --------------------------------------------------------------------------------------- all the files


def _joined(read: Sequence[_File], outcomes: Sequence[Outcome]) -> Diary:
    """Join the answers of all files by day; a day that was answered twice is settled here."""
    cells = pd.concat([file.cells for file in read], ignore_index=True)
    derived = pd.concat([file.derived for file in read], ignore_index=True)
    values = {
        outcome.name: _by_day(
            outcome, cells, derived, next((f.reducer for f in read if outcome.name in f.found), "mean")
        )
        for outcome in outcomes
    }
    problems = [problem for file in read for problem in file.problems]
    problems += _not_found(read, outcomes) + _cell_problems(cells)
    problems += [p for outcome in outcomes for p in _too_short(outcome, values[outcome.name], cells)]
    return Diary(
        on_calendar(pd.DataFrame(values, index=_all_days(values.values()), dtype=float)),
        _ledger(cells),
        _counts(cells),
        tuple(sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))),
        tuple(file.source for file in read),
        pd.concat([file.phase_labels for file in read]),
    )


def _all_days(series: Iterable[pd.Series[float]]) -> pd.DatetimeIndex:
    days = np.concatenate([one.index.to_numpy() for one in series])
    return pd.DatetimeIndex(pd.unique(days), name="date").sort_values().as_unit("us")


def _by_day(outcome: Outcome, cells: pd.DataFrame, derived: pd.DataFrame, reducer: str) -> pd.Series[float]:
    """One value per day. Marks in `cells` what became of second answers."""
    own = np.flatnonzero((cells["outcome"] == outcome.name).to_numpy() & cells["value"].notna().to_numpy())
    nights = derived[derived["outcome"] == outcome.name]
    entries = pd.DataFrame(
        {
            "date": np.concatenate([cells["date"].to_numpy()[own], nights["date"].to_numpy(dtype="datetime64[us]")]),
            "value": np.concatenate([cells["value"].to_numpy()[own], nights["value"].to_numpy(dtype=float)]),
            "cell": np.concatenate([own, np.full(len(nights), -1)]),
            "file": np.concatenate([np.full(len(own), "", dtype=object), nights["file"].to_numpy(dtype=object)]),
            "row": np.concatenate([np.zeros(len(own), dtype=np.int64), nights["row"].to_numpy(dtype=np.int64)]),
        }
    )
    several = entries["date"].duplicated(keep=False)
    if several.any():
        entries = _settled(outcome, cells, entries, several.to_numpy(), reducer)
    return pd.Series(entries["value"].to_numpy(), index=pd.DatetimeIndex(entries["date"], name="date"), dtype=float)


def _settled(
    outcome: Outcome, cells: pd.DataFrame, entries: pd.DataFrame, several: np.ndarray[Any, Any], reducer: str
) -> pd.DataFrame:
    by_date = entries.groupby("date")["value"]
    differ = (by_date.transform("max") != by_date.transform("min")).to_numpy()
    second = entries["date"].duplicated().to_numpy()
    how, spoken = _reduction(outcome, reducer)
    entries["value"] = np.where(differ, by_date.agg(how).reindex(entries["date"]).to_numpy(), entries["value"])
    dropped = entries[several & ~differ & second]
    _mark(cells, dropped["cell"], "rejected", SAME_TWICE, None)
    reduced = entries[differ]
    _mark(cells, reduced["cell"], "converted", f"{SEVERAL}: {spoken}", reduced["value"])
    _mark_nights(cells, reduced[reduced["cell"] < 0], f"{SEVERAL}: {spoken}")
    return entries[~second]


SEVERAL = "several answers on one day"
Reduction = Literal["mean", "max", "min", "first", "last"]


def _reduction(outcome: Outcome, reducer: str) -> tuple[Reduction, str]:
    """Return pandas' name and the spoken name of a reducer, as far as this outcome allows it."""
    if reducer in ("worst", "best") and outcome.sign:
        up = (outcome.sign > 0) == (reducer == "best")
        return ("max" if up else "min"), reducer
    if reducer in ("first", "last"):
        return ("first" if reducer == "first" else "last"), reducer
    return ("max", "yes if any is yes") if outcome.kind == "yes_no" else ("mean", "mean")


def _mark(
    cells: pd.DataFrame, positions: pd.Series[int], status: str, rule: str, value: pd.Series[float] | None
) -> None:
    own = positions.to_numpy() >= 0
    at = positions.to_numpy()[own]
    if not len(at):
        return
    before = cells["rule"].to_numpy(dtype=object)[at]
    added = (
        rule if status == "rejected" else np.array([f"{old}; {rule}" if old else rule for old in before], dtype=object)
    )
    cells.loc[at, "rule"] = added
    cells.loc[at, "status"] = status
    cells.loc[at, "remedy"] = ""
    cells.loc[at, "value"] = np.nan if value is None else value.to_numpy()[own]


def _mark_nights(cells: pd.DataFrame, nights: pd.DataFrame, rule: str) -> None:
    """The clock times behind a night that was settled with another: logged, their own values stay."""
    if nights.empty:
        return
    wanted = pd.MultiIndex.from_frame(nights[["file", "row"]].astype({"file": "str"}))
    items = np.flatnonzero(cells["outcome"].isin(CSD_ITEMS).to_numpy() & cells["value"].notna().to_numpy())
    keys = pd.MultiIndex.from_frame(cells.loc[items, ["file", "row"]])
    at = items[keys.isin(wanted) & ~cells["rule"].iloc[items].str.contains(SEVERAL).to_numpy(dtype=bool)]
    _mark(cells, pd.Series(at), "converted", rule, cells["value"].iloc[at])


def _counts(cells: pd.DataFrame) -> Counts:
    counted = cells["status"].value_counts()
    return Counts(**{status: int(counted.get(status, 0)) for status in ("kept", "converted", "missing", "rejected")})


def _listed_cells(cells: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    status, rules = cells["status"].to_numpy(dtype=object), cells["rule"].to_numpy(dtype=object)
    listed: np.ndarray[tuple[int], np.dtype[np.bool_]] = (status != "kept") & (rules != BLANK.name)
    return listed


def _ledger(cells: pd.DataFrame) -> pd.DataFrame:
    listed = cells.loc[_listed_cells(cells), list(LEDGER_COLUMNS)].reset_index(drop=True)
    codes, distinct = pd.factorize(listed["raw"].to_numpy(dtype=object))
    texts = np.array([shown(text) for text in distinct], dtype=object)
    return listed.assign(raw=pd.Series(texts[codes], dtype="str")) if len(listed) else empty_ledger()


def shown(text: str) -> str:
    """How is text from a file shown: short, and with its control characters visible?"""
    visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: 2 * LONGEST_TEXT])
    return visible if len(visible) <= LONGEST_TEXT else visible[: LONGEST_TEXT - 1] + "…"


# ---------------------------------------------------------------------------- what should be mended


def _not_found(read: Sequence[_File], outcomes: Sequence[Outcome]) -> list[Problem]:
    found = {name for file in read for name in file.found}
    return [
        Problem(
            "error",
            ", ".join(file.source.file for file in read),
            f"no column was found for {outcome.name} ({outcome.label}).",
            f'Map it, as in columns = {{{outcome.name} = "title of its column"}}.',
        )
        for outcome in outcomes
        if outcome.name not in found
    ]


def _cell_problems(cells: pd.DataFrame) -> list[Problem]:
    """One problem per file, column and rule, with its rows; and columns of which much was not read."""
    problems = _mostly_rejected(cells)
    listed = cells[_listed_cells(cells) & cells["rule"].ne(NO_DATE[0]).to_numpy()]
    for (file, column, status, rule), group in listed.groupby(["file", "column", "status", "rule"], sort=False):
        where = _place(f"{file} column {column}", np.sort(group["row"].unique()))
        what = f"{_examples(group['raw'])}: {rule}."
        problems.append(Problem(_severity(str(status), str(rule)), where, what, str(group["remedy"].iloc[0])))
    return problems


def _mostly_rejected(cells: pd.DataFrame) -> list[Problem]:
    refused = (cells["status"].eq("rejected") & ~cells["rule"].isin([SAME_TWICE, NO_DATE[0]])).to_numpy()
    if not refused.any():
        return []
    columns = ["file", "column", "outcome"]
    counts = pd.DataFrame(
        {
            "answered": cells[cells["rule"] != BLANK.name].groupby(columns, sort=False).size(),
            "refused": cells[refused].groupby(columns, sort=False).size(),
        }
    ).reset_index()
    return [
        Problem(
            "error",
            f"{row.file} column {row.column}",
            f"{row.refused:.0f} of {row.answered:.0f} answers to {row.outcome} were not read.",
            "The column is probably on another scale, in another unit or format than declared "
            "(a sum where the mean was expected, cm for mm).",
        )
        for row in counts[counts["refused"] > TOO_MANY_REJECTED * counts["answered"]].itertuples()
    ]


def _severity(status: str, rule: str) -> Severity:
    if rule == SAME_TWICE:
        return "note"
    return "warning" if status == "rejected" or SEVERAL in rule or rule == NONE_UNDECLARED.name else "note"


def _examples(raw: pd.Series[str]) -> str:
    distinct = list(dict.fromkeys(str(text) for text in raw.iloc[:1000]))
    return ", ".join(f'"{shown(text)}"' for text in distinct[:3]) + (" …" if len(distinct) > 3 else "")


def _too_short(outcome: Outcome, values: pd.Series[float], cells: pd.DataFrame) -> list[Problem]:
    """A night's sleep of seven minutes is seven hours."""
    whole_night = outcome.kind == "minutes" and outcome.domain == "sleep" and outcome.high is not None
    own = cells[(cells["outcome"] == outcome.name).to_numpy()]
    if not whole_night or values.empty or own.empty:
        return []
    median = float(values.median()) * conversion(outcome.unit, "min")
    if not median < SHORT_SLEEP:
        return []
    return [
        Problem(
            "error",
            f"{own['file'].iloc[0]} column {own['column'].iloc[0]}",
            f"half of the nights have less than {SHORT_SLEEP:.0f} minutes of {outcome.label.lower()}: are these hours?",
            f'If they are hours, declare units = {{{outcome.name} = "h"}}.',
        )
    ]
