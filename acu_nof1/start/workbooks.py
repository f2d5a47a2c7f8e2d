"""The diary and the session log as Excel workbooks: dated rows, one column a question, entries checked as they are typed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from acu_nof1 import palette
from acu_nof1.derive import CSD_CLOCKS, CSD_ITEMS
from acu_nof1.protocol import LATE_CANCEL
from acu_nof1.safety import RED_FLAGS
from acu_nof1.words import start as words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from acu_nof1.outcomes import Outcome
    from acu_nof1.start.outset import Outset

# A check of what is typed: the arguments of openpyxl's DataValidation.
Check = dict[str, Any]

DATE_FORMAT, TIME_FORMAT = "ddd d mmm yyyy", "hh:mm"
HINTS, TITLES, FIRST = 1, 2, 3  # rows of a sheet to fill in; a reader finds the titles and passes over the hints
DATE_WIDTH, WIDTH, NOTES_WIDTH = 17, 15, 34
MOST_SESSIONS = 60
LATEST_RISE, EARLIEST_BED = "TIME(8,0,0)", "TIME(13,0,0)"
FONT = "Calibri"


def write_diary(outset: Outset, path: Path) -> None:
    """Write the diary: how to fill it in, a row for every evening and, where clock times are kept, every morning."""
    book = _book()
    condition = outset.condition
    evening = {question.name: _check(question.outcome) for question in condition.questions}
    asked = [*evening, *(CSD_ITEMS if condition.nights else ())]
    how = [words.EVENING, *([words.MORNING] if condition.nights else []), *words.HOW]
    _explain(
        book.active,
        words.DIARY_TITLE,
        [*how, words.TABS, "", words.RED_FLAGS],
        [words.COLUMN_HEADS]
        + [(words.title(name), *words.ASKED[name]) for name in asked]
        + [(words.NOTES, *words.NOTES_ASKED)],
    )
    _to_fill_in(book.create_sheet(words.DIARY), outset, evening, notes=True)
    if condition.nights:
        _to_fill_in(book.create_sheet(words.NIGHTS), outset, {item: _night(item) for item in CSD_ITEMS}, notes=False)
    book.save(path)


def write_sessions(outset: Outset, path: Path) -> None:
    """Write the session log: one row an appointment, and what each column holds."""
    book = _book()
    _log(book.active, outset)
    rows = [(name, meaning, "") for name, meaning in {**words.SESSION_COLUMNS, **RED_FLAGS}.items()]
    _explain(book.create_sheet(words.READ_ME), words.SESSIONS_TITLE, words.SESSIONS_HOW, [words.SESSION_HEADS, *rows])
    book.save(path)


def _book() -> Any:
    import openpyxl  # a quarter of a second, only for workbooks

    return openpyxl.Workbook()


# ------------------------------------------------------------------ what may be typed


def _check(outcome: Outcome) -> Check:
    """What may be typed for an outcome: its scale, in its steps where the person counts them."""
    low = 0.0 if outcome.low is None else outcome.low
    if outcome.kind == "yes_no":
        return _from_list((words.YES, words.NO), words.YES_OR_NO)
    if outcome.unit == "h":
        # The person may correct, or insist: hours are seldom below one, but 6:30 typed for 6.5 is 0.27 of a day.
        hours = _range("decimal", 1.0, outcome.high, words.HOURS)
        return hours | {"errorStyle": "warning"}
    if outcome.step == 1 or outcome.kind in ("minutes", "count"):
        return _range("whole", low, outcome.high, words.whole_between(low, outcome.high))
    return _range("decimal", low, outcome.high, words.number_between(low, outcome.high))


def _range(kind: str, low: float, high: float | None, message: str) -> Check:
    ends = {"formula1": f"{low:g}"} | ({} if high is None else {"formula2": f"{high:g}"})
    operator = "greaterThanOrEqual" if high is None else "between"
    return {"type": kind, "operator": operator, **ends, "error": message}


def _from_list(choices: Iterable[str], message: str) -> Check:
    return {"type": "list", "formula1": f'"{",".join(choices)}"', "error": message}


def _night(item: str) -> Check:
    if item not in CSD_CLOCKS:
        return _range("whole", 0, 960, words.whole_between(0, 960))
    if item in ("into_bed", "tried_to_sleep"):
        # 12:00 for midnight and 10:30 without pm are the usual slips: the person may correct, or insist.
        bedtime = {"type": "custom", "formula1": f"OR({{cell}}<{LATEST_RISE},{{cell}}>={EARLIEST_BED})"}
        return bedtime | {"error": words.A_BEDTIME, "errorTitle": words.CLOCK_ENTRY, "errorStyle": "warning"}
    return {"type": "time", "operator": "between", "formula1": "0", "formula2": "0.999988426", "error": words.A_TIME}


def _allow(sheet: Any, check: Check, column: str, first: int, last: int) -> None:
    from openpyxl.worksheet.datavalidation import DataValidation

    # A rule for a range is written for its first cell; a spreadsheet moves it along.
    formula = str(check["formula1"]).format(cell=f"{column}{first}") if check["type"] == "custom" else check["formula1"]
    asked = {"allow_blank": True, "showErrorMessage": True, "errorTitle": words.WRONG_ENTRY}
    validation = DataValidation(**(asked | check | {"formula1": formula}))
    validation.add(f"{column}{first}:{column}{last}")
    sheet.add_data_validation(validation)


# ------------------------------------------------------------------ the sheets


def _to_fill_in(sheet: Any, outset: Outset, checks: Mapping[str, Check], *, notes: bool) -> None:
    """Lay out one row a day: the date stands there, what is typed is checked."""
    names = list(checks)
    asked = {words.title(name): ". ".join(words.ASKED[name]).replace("?.", "?") for name in names}
    asked |= {words.NOTES: ". ".join(words.NOTES_ASKED).replace("?.", "?")} if notes else {}
    _head(sheet, [words.DATE, *asked], [words.treated_from(outset.start), *asked.values()])
    last = FIRST + len(outset.days) - 1
    for row, day in enumerate(outset.days, FIRST):
        cell = sheet.cell(row, 1, day)
        cell.number_format = DATE_FORMAT
        _fill(cell, palette.BEFORE_SHADE if day < outset.start else palette.AFTER_SHADE)
    for column, name in zip(_letters(sheet, 2), names, strict=False):
        _allow(sheet, checks[name], column, FIRST, last)
        if name in CSD_CLOCKS:
            for (cell,) in sheet[f"{column}{FIRST}:{column}{last}"]:
                cell.number_format = TIME_FORMAT
    width = 1 + len(asked)
    _rule(sheet, FIRST, last, width, weekly={row for row, day in enumerate(outset.days, FIRST) if day.weekday() == 0})
    _widths(sheet, [DATE_WIDTH, *(WIDTH for _ in names), *([NOTES_WIDTH] if notes else [])])
    if notes:
        _wrap(sheet, FIRST, last, width)
    _print(sheet, landscape=width > 6)


def _log(sheet: Any, outset: Outset) -> None:
    """Lay out the session log; its titles are those a reader of sessions knows."""
    from openpyxl.utils import get_column_letter

    sheet.title = words.SESSIONS
    columns = words.SESSION_COLUMNS
    _head(sheet, list(columns), list(columns.values()))
    last = FIRST + MOST_SESSIONS - 1
    yes_no = _from_list((words.YES, words.NO), words.YES_OR_NO)
    first_day, last_day = (f"DATE({day.year},{day.month},{day.day})" for day in (outset.first_day, outset.last_day))
    checks: dict[str, Check] = {
        "date": {"type": "date", "operator": "between", "formula1": first_day, "formula2": last_day,
                 "error": words.A_DATE, "errorStyle": "warning"},
        "attended": _from_list((words.YES, words.NO, LATE_CANCEL), words.FROM_THE_LIST),
        "adverse_asked": yes_no,
        "serious": yes_no,
        "red_flag": _from_list(RED_FLAGS, words.FROM_THE_LIST) | {"errorStyle": "warning"},
        "needles_n": _range("whole", 0, None, words.whole_between(0, None)) | {"errorStyle": "warning"},
        "retention_min": _range("whole", 0, None, words.whole_between(0, None)) | {"errorStyle": "warning"},
    }  # fmt: skip
    for index, name in enumerate(columns, 1):
        if name in checks:
            _allow(sheet, checks[name], get_column_letter(index), FIRST, last)
    for row in range(FIRST, last + 1):
        sheet.cell(row, 1).number_format = DATE_FORMAT
    _rule(sheet, FIRST, last, len(columns), weekly=frozenset())
    texts = ("adverse_event", "points", "notes")
    _widths(sheet, [DATE_WIDTH, *(NOTES_WIDTH if name in texts else WIDTH for name in islice(columns, 1, None))])
    _print(sheet, landscape=True)


def _explain(sheet: Any, heading: str, lines: Sequence[str], table: Sequence[tuple[str, str, str]]) -> None:
    """Say in plain words how the other sheets are filled in."""
    from openpyxl.styles import Alignment, Font

    sheet.title = words.READ_ME
    sheet.sheet_view.showGridLines = False
    sheet["A1"] = heading
    sheet["A1"].font = Font(FONT, 18, bold=True, color=_argb(palette.INK))
    widths = (27, 56, 32)
    for row, line in enumerate(lines, 3):
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=3)
        cell = sheet.cell(row, 1, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(FONT, 12, color=_argb(palette.ALARM if line == words.RED_FLAGS else palette.INK))
        sheet.row_dimensions[row].height = 18 * (1 + len(line) // 105)
    at = len(lines) + 4
    for row, record in enumerate(table, at):
        for column, text in enumerate(record, 1):
            cell = sheet.cell(row, column, text)
            cell.font = Font(FONT, 11, bold=row == at or column == 1, color=_argb(palette.INK))
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    _widths(sheet, widths)
    _print(sheet, landscape=False)


def _head(sheet: Any, titles: Sequence[str], hints: Sequence[str]) -> None:
    """Write what is asked above the titles, and keep both in sight."""
    from openpyxl.styles import Alignment, Font

    for column, (title, hint) in enumerate(zip(titles, hints, strict=True), 1):
        above, cell = sheet.cell(HINTS, column, hint or None), sheet.cell(TITLES, column, title)
        above.font = Font(FONT, 9, color=_argb(palette.GREY))
        above.alignment = Alignment(wrap_text=True, vertical="bottom", horizontal="center")
        cell.font = Font(FONT, 12, bold=True, color="FFFFFFFF")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        _fill(cell, palette.AFTER_LEVEL)
    sheet.row_dimensions[HINTS].height = 66
    sheet.row_dimensions[TITLES].height = 34
    sheet.freeze_panes = f"B{FIRST}"


def _rule(sheet: Any, first: int, last: int, width: int, *, weekly: Iterable[int]) -> None:
    """Rule the cells to write in; a stronger line begins a week."""
    from openpyxl.styles import Alignment, Border, Font, Side

    weeks = frozenset(weekly)
    thin, thick = Side("thin", _argb(palette.PALE)), Side("medium", _argb(palette.GREY))
    centred, font = Alignment(horizontal="center", vertical="center"), Font(FONT, 12)
    for row in sheet.iter_rows(first, last, 1, width):
        top = thick if row[0].row in weeks else thin
        for cell in row:
            cell.border = Border(left=thin, right=thin, top=top, bottom=thin)
            cell.alignment, cell.font = centred, font
        sheet.row_dimensions[row[0].row].height = 20


def _wrap(sheet: Any, first: int, last: int, column: int) -> None:
    from openpyxl.styles import Alignment

    for row in range(first, last + 1):
        sheet.cell(row, column).alignment = Alignment(horizontal="left", vertical="center", wrap_text=True)


def _widths(sheet: Any, widths: Iterable[float]) -> None:
    for letter, width in zip(_letters(sheet, 1), widths, strict=False):
        sheet.column_dimensions[letter].width = width


def _letters(sheet: Any, first: int) -> Iterable[str]:
    from openpyxl.utils import get_column_letter

    return map(get_column_letter, range(first, sheet.max_column + 1))


def _print(sheet: Any, *, landscape: bool) -> None:
    """Set the sheet for A4: as wide as the page, the titles on every page."""
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.oddFooter.center.text = "&A · &P/&N"
    if sheet.title != words.READ_ME:
        sheet.print_title_rows = f"{HINTS}:{TITLES}"


def _fill(cell: Any, colour: str) -> None:
    from openpyxl.styles import PatternFill

    cell.fill = PatternFill("solid", _argb(colour))


def _argb(colour: str) -> str:
    return f"FF{colour.removeprefix('#').upper()}"
