"""The sheets of an Excel workbook as text, each cell as a spreadsheet shows it."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY_ZERO = dt.date(1899, 12, 30)
# Unpacked bytes, how much smaller packing made them, and cells: far above any diary, far below what stops a machine.
LARGEST, TIGHTEST, MOST_CELLS = 500 * 1024**2, 200, 20_000_000
PROLOGUE = 4096  # bytes at the start of a part, where a document type is declared
SMALL = 10 * 1024**2  # below this a part may be packed as tightly as it likes


class RefusedError(ValueError):
    """A workbook that is not opened, and why."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """The cells of every sheet as text, and the day that has serial number 0."""

    sheets: Mapping[str, list[list[str]]]
    day_zero: dt.date


def read_workbook(data: bytes) -> Workbook:
    """What do the sheets of this workbook show?

    Parameters
    ----------
    data
        The bytes of an .xlsx file.

    Returns
    -------
    Workbook
        Dates as ISO, times as HH:MM, percentages with their sign, numbers with 15 digits; a formula that
        was never calculated stays a formula.

    Raises
    ------
    RefusedError
        If it would unpack to more than a diary can be, or declares XML entities.
    Exception
        Whatever the damaged part of a workbook happens to cause.
    """
    # A quarter of a second, only for workbooks. It parses with defusedxml, so an entity that is hidden deeper does no harm.
    import openpyxl
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    _insist_on_parts(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, read_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(data), read_only=True) if _has_formulas(data) else None
        sheets = {
            sheet.title: _records(sheet, None if formulas is None else formulas[sheet.title])
            for sheet in book.worksheets
        }
    return Workbook(sheets, dt.date(1904, 1, 1) if book.epoch == CALENDAR_MAC_1904 else DAY_ZERO)


def _insist_on_parts(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.infolist():
            if part.file_size > max(SMALL, TIGHTEST * part.compress_size):
                raise RefusedError(f"a part of it unpacks to {part.file_size // 1024**2} MB from almost nothing")
            with archive.open(part) as stream:
                if b"<!DOCTYPE" in stream.read(PROLOGUE):
                    raise RefusedError("it declares XML entities, which no spreadsheet writes")
        size = sum(part.file_size for part in archive.infolist())
    if size > LARGEST:
        raise RefusedError(f"it unpacks to {size // 1024**2} MB, more than the {LARGEST // 1024**2} a diary may have")


def _records(sheet, formulas) -> list[list[str]]:  # type: ignore[no-untyped-def]
    sheet.reset_dimensions()  # some programs write a wrong size, and cells outside it would be lost
    records: list[list[str]] = []
    cells = 0
    for row in sheet.iter_rows():
        records.append([_text(cell) for cell in row])
        cells += len(records[-1])
        if cells > MOST_CELLS:
            raise RefusedError(f"a sheet has more than {MOST_CELLS:,} cells")
    if formulas is not None:
        formulas.reset_dimensions()
        for record, row in zip(records, formulas.iter_rows(values_only=True), strict=True):
            for i, formula in enumerate(row):
                if not record[i] and isinstance(formula, str) and formula.startswith("="):
                    record[i] = formula
    while records and not any(records[-1]):
        records.pop()  # formatted but empty rows
    return records


def _has_formulas(data: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = (n for n in archive.namelist() if n.startswith("xl/worksheets/") and n.endswith(".xml"))
        return any(re.search(rb"<f[ >/]", archive.read(name)) for name in names)


def _text(cell) -> str:  # type: ignore[no-untyped-def]
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        return _number(float(value), percent="%" in str(cell.number_format))
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "seconds")
    if isinstance(value, dt.timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02d}"
    return value.isoformat("minutes") if isinstance(value, dt.time) else str(value)


def _number(value: float, *, percent: bool) -> str:
    """Write the 15 digits a spreadsheet shows, never in scientific notation."""
    text = format(Decimal(f"{value * 100 if percent else value:.15g}"), "f")
    return text + "%" if percent else text
