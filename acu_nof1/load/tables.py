"""What stands in the cells of a table file, as text, with the row numbers the user sees."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1.errors import MissingToolError, Problem, UnreadableFileError
from acu_nof1.load.workbooks import DAY_ZERO, RefusedError, read_workbook
from acu_nof1.privacy import without_names

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DELIMITERS = (",", ";", "\t", "|")
ROW = "row of the whole table"  # titles a part of a table, with the rows' numbers in the whole
PARQUET = b"PAR1"
STREAM_FROM = 64 * 1024**2  # bytes from which a text table is shared out piece by piece
ROWS_AT_ONCE = 200_000
HEAD = 60  # records among which the header is looked for
LARGEST = 500 * 1024**2  # bytes of a file that is read as a whole
MOST_COLUMNS = 16_384  # as many as a spreadsheet has
MOST_CELLS = 50_000_000
CHUNK = 500  # records held as lists at a time: with more, the collector visits them again and again (4 s for 1.6 s)
FOOTERS = frozenset(
    re.split(" ", "average averages avg mean means median total totals sum min max minimum maximum count sd stdev")
)
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"\x1f\x8b", "a gzip archive"),
)
BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_VALUE = re.compile(r"[-+]?\d[\d.,:/-]*(?:[ T][\d.:]+)?")
_AMOUNT = re.compile(r"[-+]?[\d.,\s]*%?")
_SEP_LINE = re.compile(r'"?sep=(.)"?[ \t]*\n', re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of one table as text.

    Attributes
    ----------
    file
        Name of the file.
    columns
        Titles as they stand in the file; titles that occur twice are told apart by their column letter.
    rows
        One text column per title; a blank cell is ``""``. Blank rows, footers and repeated headers are
        left out (and named in `notes`).
    numbers
        For each row its number in the user's spreadsheet (the header of a plain table is row 1).
    notes
        What was tolerated.
    delimiter
        What separates the cells; ``""`` for a workbook.
    read_as
        How the file was read, in words.
    sha256
        Hash of its bytes.
    day_zero
        The day that has serial number 0 in this workbook.
    overlong
        Numbers of the rows of a comma file that have more cells than its header: which of them belong
        together cannot be known.
    ignored
        Records that are in the file and not in `rows`, by the reason why.
    prompts
        How many questions the source asked, and how many were answered, where it tells.
    missing
        Codes that the source itself declares to mean "not answered".
    missing_in
        The same by title, for codes that mean something else in other columns.
    units
        By question, as `plain` has it: the unit of its numbers, where the file itself tells it.
    words
        By title: words that the source itself declares to stand for numbers.
    warnings
        What a reader of the answers should know of the source, and what can be done about it.
    """

    file: str
    columns: tuple[str, ...]
    rows: pd.DataFrame
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]]
    notes: tuple[str, ...]
    delimiter: str
    read_as: str
    sha256: str
    day_zero: dt.date = DAY_ZERO
    overlong: tuple[int, ...] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    prompts: tuple[int, int] | None = None
    missing: tuple[str, ...] = ()
    missing_in: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    warnings: tuple[tuple[str, str], ...] = ()

    def only(self, kept: np.ndarray[tuple[int], np.dtype[np.bool_]], reason: str) -> Table:
        """Return the table with these rows only; the others are ignored for this reason."""
        if kept.all():
            return self
        ignored = {**self.ignored, reason: self.ignored.get(reason, 0) + int((~kept).sum())}
        return replace(self, rows=self.rows[kept].reset_index(drop=True), numbers=self.numbers[kept], ignored=ignored)

    def renumbered(self) -> Table:
        """Return a part of a larger table under the row numbers of the whole."""
        if ROW not in self.columns:
            return self
        numbers = self.rows[ROW].to_numpy(dtype=object).astype(np.int64)
        columns = tuple(title for title in self.columns if title != ROW)
        place = dict(zip(self.numbers.tolist(), numbers.tolist(), strict=True))
        overlong = tuple(place[row] for row in self.overlong)
        return replace(self, columns=columns, rows=self.rows[list(columns)], numbers=numbers, overlong=overlong)

    def with_columns(self, **columns: Iterable[str]) -> Table:
        """Return the table with these columns of text added, or in the place of those that have such a title."""
        added = {title: pd.array(list(texts), dtype="str") for title, texts in columns.items()}
        rows = self.rows.assign(**added)
        return replace(self, rows=rows, columns=tuple(rows.columns))


@dataclass(frozen=True, eq=False)
class Grid:
    """A table file as it stands, nothing left out: row 1 of the person's spreadsheet is the first record.

    Attributes
    ----------
    records
        The text of every cell, row by row; they can be gone through once.
    header
        Number of the row of titles.
    titles
        Of each column, as `Table` has them: the first is column A.
    sheet
        ``sheet 2 of 3`` where a workbook has several.
    """

    records: Iterator[list[str]]
    header: int
    titles: tuple[str, ...]
    sheet: str = ""


def table_of(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    *,
    numbers: Iterable[int],
    read_as: str,
    notes: Sequence[str] = (),
    ignored: Mapping[str, int] | None = None,
    prompts: tuple[int, int] | None = None,
) -> Table:
    """Make a table of what was read from a file of another kind.

    Parameters
    ----------
    path
        The file; its hash is taken from it.
    columns
        Text by title.
    numbers
        For each row the number by which a person finds it: of the record, or of the line.
    read_as, notes, ignored, prompts
        See `Table`.
    """
    rows = pd.DataFrame({title: pd.array(list(texts), dtype="str") for title, texts in columns.items()})
    at = np.fromiter(numbers, dtype=np.int64)
    return Table(path.name, tuple(rows.columns), rows, at, tuple(notes), "", read_as, digest_of(path),
                 ignored=ignored or {}, prompts=prompts)  # fmt: skip


def insist_on_size(file: str, columns: int, rows: int = 0) -> None:
    """Refuse what has more columns or cells than any diary, before memory is asked for them."""
    if columns > MOST_COLUMNS:
        remedy = f"A diary has at most {MOST_COLUMNS:,}: keep those that are asked."
        raise unreadable(file, f"there are {columns:,} columns.", remedy)
    if columns * rows > MOST_CELLS:
        what = f"there are {columns * rows:,} cells."
        raise unreadable(file, what, "Export a shorter time, or the person's rows only.")


def digest_of(path: Path) -> str:
    """Hash a file of any size."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def plain(title: str) -> str:
    """How does a title read when case, spaces and underscores do not matter?"""
    return " ".join(title.replace("_", " ").replace("\ufeff", "").casefold().split()).removesuffix(":")


def read_table(
    path: str | Path,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    titles: Iterable[str] = (),
    may_be_empty: bool = False,
) -> Table:
    """What does this CSV, TSV or Excel file hold, cell by cell?

    Parameters
    ----------
    path
        The file.
    delimiter, encoding, sheet
        How it is written, when that is known; otherwise it is found out.
    titles
        Column titles to look for: the header is the row that holds most of them. Without titles it is
        the first row that is about as wide as the table.
    may_be_empty
        Whether a row of titles with nothing below it is a table.

    Returns
    -------
    Table
        Cells as text.

    Raises
    ------
    UnreadableFileError
        If the file is missing, empty, a folder, has a header only, or is not a table.
    """
    path = Path(path)
    data, wanted = bytes_of(path), _wanted(titles)
    if data.startswith(PARQUET):
        table = next(_parquet(path, digest_of(path), None))
    else:
        table = _table(path.name, _opened(path, data, delimiter, encoding, sheet, wanted), wanted, data)
    if table.rows.empty and not may_be_empty:
        what = "there is a row of titles and nothing below it."
        raise unreadable(path.name, what, "Export the diary with its entries.")
    return table.renumbered()


def stream_table(
    path: Path, *, delimiter: str | None = None, encoding: str | None = None, sheet: str | None = None
) -> Iterator[Table]:
    """Read a table in pieces; a large text or Parquet file is never held as a whole.

    Parameters
    ----------
    path, delimiter, encoding, sheet
        As for `read_table`.

    Raises
    ------
    UnreadableFileError
        As `read_table`; a large text file must have its titles in the first row.
    """
    with path.open("rb") if path.is_file() else io.BytesIO() as stream:
        head = stream.read(1024**2)
    if head.startswith(PARQUET):
        yield from _parquet(path, digest_of(path), ROWS_AT_ONCE)
    elif path.suffix.lower() in (".xlsx", ".xlsm") or not path.is_file() or path.stat().st_size < STREAM_FROM:
        yield read_table(path, delimiter=delimiter, encoding=encoding, sheet=sheet)
    else:
        begun = head[: head.rfind(b"\n")]
        like = _table(path.name, _open_text(path.name, begun, delimiter, encoding, frozenset()), frozenset(), begun)
        coded = encoding or ("utf-8-sig" if like.read_as.startswith("text, UTF-8") else "cp1252")
        pieces = pd.read_csv(path, sep=like.delimiter, encoding=coded, dtype="str", keep_default_na=False,
                             skip_blank_lines=False, chunksize=ROWS_AT_ONCE)  # fmt: skip
        try:
            for rows in pieces:
                numbers = rows.index.to_numpy() + 2
                yield replace(like, rows=rows.set_axis(list(like.columns), axis=1), numbers=numbers)
        except (pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
            raise unreadable(path.name, f"the table could not be read in pieces ({error}).", _EXPORT) from None


def _parquet(path: Path, digest: str, rows_at_once: int | None) -> Iterator[Table]:
    """A Parquet file as text: dates as 2026-01-31, what is missing as a blank."""
    try:
        import pyarrow.parquet
    except ImportError:
        what = "reading Parquet needs pyarrow, which is not installed."
        raise MissingToolError(
            [Problem("error", without_names(path.name), what, "Install acu-nof1[parquet], or save it as CSV.")]
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
        insist_on_size(path.name, len(file.schema_arrow.names), 0 if rows_at_once else file.metadata.num_rows)
        done = 0
        for batch in file.iter_batches(rows_at_once or max(file.metadata.num_rows, 1)):
            rows = pd.DataFrame({name: _text_of(column) for name, column in batch.to_pandas().items()})
            numbers = np.arange(done + 1, done + 1 + len(rows), dtype=np.int64)
            done += len(rows)
            yield Table(path.name, tuple(rows.columns), rows, numbers, (), "", "Parquet", digest)
    except (pyarrow.ArrowException, OSError) as error:
        raise unreadable(path.name, f"the Parquet file is damaged ({type(error).__name__}).", _EXPORT) from None


def _text_of(column: pd.Series[Any]) -> pd.Series[str]:
    if pd.api.types.is_datetime64_any_dtype(column):
        days = column.dt.tz_localize(None) if column.dt.tz is not None else column
        whole = bool((days.dropna() == days.dropna().dt.normalize()).all())
        text = days.dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S")
    else:
        text = column.astype(object).map(lambda cell: str(cell), na_action="ignore")
    filled: pd.Series[str] = text.where(column.notna(), "").astype("str")
    return filled


def read_grid(
    path: Path, *, delimiter: str | None, encoding: str | None, sheet: str | None, titles: Iterable[str]
) -> Grid:
    """What stands in this table file, cell by cell, with nothing left out? As for `read_table`."""
    data, wanted = bytes_of(path), _wanted(titles)
    opened = _opened(path, data, delimiter, encoding, sheet, wanted)
    head = list(islice(opened.records, HEAD))
    _insist_on_head(path.name, head)
    at = _header_at(head, wanted)
    return Grid(chain(head, opened.records), at + 1, _titles(head[at]), opened.sheet)


def _wanted(titles: Iterable[str]) -> frozenset[str]:
    return frozenset(plain(title) for title in titles) - {""}


@dataclass(frozen=True, eq=False)
class _Opened:
    """A file whose cells can be gone through, and what was found out of how it is written."""

    records: Iterator[list[str]]
    notes: list[str]
    delimiter: str
    read_as: str
    day_zero: dt.date = DAY_ZERO
    sheet: str = ""


def _opened(
    path: Path, data: bytes, delimiter: str | None, encoding: str | None, sheet: str | None, wanted: frozenset[str]
) -> _Opened:
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _open_workbook(path.name, data, sheet, wanted)
    return _open_text(path.name, data, delimiter, encoding, wanted)


def unreadable(file: str, problem: str, remedy: str) -> UnreadableFileError:
    """Make the error of a file that cannot be read: what is wrong, and what to do."""
    return UnreadableFileError([Problem("error", without_names(file), problem, remedy)])


def bytes_of(path: Path) -> bytes:
    """Read the bytes of a file that should hold a diary; one that is missing, empty or a folder is an error."""
    expected = "Give the path of a CSV, TSV or Excel (.xlsx) file."
    if path.is_dir():
        raise unreadable(str(path), "a table file was expected, this is a folder.", expected)
    try:
        if path.exists() and not path.is_file():
            raise unreadable(str(path), "this is no ordinary file.", expected)
        if path.is_file() and path.stat().st_size > LARGEST:
            what = f"the file has more than {LARGEST // 1024**2} MB, which no table of a diary has."
            raise unreadable(path.name, what, "Export a shorter time, or the person's rows only.")
        data = path.read_bytes()
    except FileNotFoundError:
        raise unreadable(str(path), "there is no such file.", f"Check the name and the folder. {expected}") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise unreadable(str(path), f"the file could not be opened ({reason}).", expected) from None
    if not data.strip():
        raise unreadable(
            path.name, "the file is empty.", "Export the diary again: a row of titles, then one row per day."
        )
    return data


# ---------------------------------------------------------------------------------------------- text


def _open_text(file: str, data: bytes, delimiter: str | None, encoding: str | None, wanted: frozenset[str]) -> _Opened:
    text, spoken = decoded(file, data, encoding)
    notes = [] if spoken == "UTF-8" else [f"text is {spoken}"]
    if "\r\r\n" in text:
        notes.append("line ends are CR CR LF")
    if "\r" in text:
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    if found := _SEP_LINE.match(text):
        delimiter = delimiter or found.group(1)
        text = text[found.end() :]  # a spreadsheet does not show this line: the next one is row 1
        notes.append(f'first line is "sep={found.group(1)}"')
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\n\r '):
        raise unreadable(
            file, f'"{delimiter}" cannot separate cells.', 'Declare one character, such as delimiter = ";".'
        )
    quoting, unpaired = _quoting(text)
    notes += [unpaired] if unpaired else []
    lines = io.StringIO(text, newline="\n")
    separator = delimiter or _sniffed(lines, quoting, wanted)
    name = {"\t": "tab"}.get(separator, separator)
    records = _records(file, lines, separator, quoting)
    return _Opened(records, notes, separator, f'text, {spoken}, separated by "{name}"')


def decoded(file: str, data: bytes, encoding: str | None) -> tuple[str, str]:
    """Turn bytes into text, and name their encoding; bytes that are no text are an error."""
    for signature, name in SIGNATURES:
        if data.startswith(signature):
            raise unreadable(file, f"a text table was expected, this is {name}.", _REMEDIES.get(name, _EXPORT))
    try:
        text, spoken = _as_text(data, encoding)
    except (ValueError, LookupError):  # ValueError: not this encoding, or not even a name of one
        raise unreadable(
            file,
            f'the text is not in the encoding "{encoding or "its first bytes announce"}".',
            "Leave `encoding` out, or save the table again as UTF-8.",
        ) from None
    if "\x00" in text or len(_CONTROL.findall(text[:100_000])) > max(3, 0.01 * min(len(text), 100_000)):
        raise unreadable(file, "a text table was expected, these bytes are not text.", _EXPORT)
    return text, spoken


_EXPORT = "Export the diary as CSV or Excel (.xlsx)."
_REMEDIES = {
    "an Excel workbook or a ZIP archive": "Rename a workbook to end in .xlsx; unpack an archive.",
    "an old Excel workbook (.xls)": "Open it in a spreadsheet and save it as .xlsx or CSV.",
}


def _as_text(data: bytes, encoding: str | None) -> tuple[str, str]:
    if encoding is not None:
        return data.decode(encoding).removeprefix("\ufeff"), encoding
    for bom, name in BOMS:
        if data.startswith(bom):
            return data.decode(name), {"utf-8-sig": "UTF-8 with a byte order mark"}.get(name, name.upper())
    if wide := _wide_encoding(data[:4000]):
        return data.decode(wide), wide.upper()
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), "Windows Latin (cp1252), not UTF-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "Latin-1, not UTF-8"


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Western text is zero."""
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.6 * half and head[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if half and head[0::2].count(0) > 0.6 * half and head[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _quoting(text: str) -> tuple[int, str]:
    if text.count('"') % 2:
        return (
            csv.QUOTE_NONE,
            "a quotation mark is never closed: quotation marks are read as ordinary characters",
        )
    return csv.QUOTE_MINIMAL, ""


def _reader(lines: io.StringIO, separator: str, quoting: int) -> Iterator[list[str]]:
    lines.seek(0)
    return csv.reader(lines, delimiter=separator, quoting=quoting)  # type: ignore[arg-type]


def _sniffed(lines: io.StringIO, quoting: int, wanted: frozenset[str]) -> str:
    """Which delimiter makes the titles appear, and the rows equally wide?"""

    def fit(separator: str) -> tuple[float, ...]:
        try:
            head = [record for record in islice(_reader(lines, separator, quoting), HEAD) if record]
        except csv.Error:
            return (0.0, 0.0)
        titles = max((_held(record, wanted) for record in head), default=0)
        widths = [len(record) for record in head if len(record) > 1]
        same = max((widths.count(width) for width in set(widths)), default=0)
        return (float(titles), float(same))

    return max(DELIMITERS, key=fit)


def _records(file: str, lines: io.StringIO, separator: str, quoting: int) -> Iterator[list[str]]:
    try:
        yield from _reader(lines, separator, quoting)
    except csv.Error as error:
        raise unreadable(
            file,
            f"a cell could not be read ({error}).",
            "Look for a quotation mark that is opened and not closed.",
        ) from None


# ------------------------------------------------------------------------------------------ workbooks


def _open_workbook(file: str, data: bytes, sheet: str | None, wanted: frozenset[str]) -> _Opened:
    if not data.startswith(b"PK"):
        old = data.startswith(b"\xd0\xcf\x11\xe0")
        raise unreadable(
            file,
            "an Excel workbook was expected, this is " + ("an old .xls file." if old else "something else."),
            "Open it in a spreadsheet and save it as .xlsx or CSV; if it is text, rename it to end in .csv.",
        )
    try:
        book = read_workbook(data)
    except RefusedError as error:
        raise unreadable(file, f"{error}: not opened.", "Copy the diary alone into a new workbook.") from None
    except Exception as error:  # openpyxl raises whatever the damaged part happens to cause
        raise unreadable(
            file,
            f"the workbook is damaged or protected ({type(error).__name__}).",
            "Open it in a spreadsheet, save it again as .xlsx without a password, or export it as CSV.",
        ) from None
    name = _sheet_name(file, book.sheets, sheet, wanted)
    # By its number: a sheet may bear the name of a person.
    which = f"sheet {list(book.sheets).index(name) + 1} of {len(book.sheets)}"
    notes = [] if len(book.sheets) == 1 else [f"read from {which}"]
    several = which if len(book.sheets) > 1 else ""
    return _Opened(iter(book.sheets[name]), notes, "", f"Excel, {which}", book.day_zero, several)


def _sheet_name(file: str, sheets: Mapping[str, list[list[str]]], sheet: str | None, wanted: frozenset[str]) -> str:
    filled = [name for name, records in sheets.items() if any(any(record) for record in records)]
    if sheet is not None:
        if sheet not in sheets:
            near = get_close_matches(sheet, sheets, n=1)
            meant = f'Did you mean "{near[0]}"?' if near else f"It has {len(sheets)}: write the name as on its tab."
            raise unreadable(file, f'there is no sheet "{sheet}".', meant)
        return sheet
    if not filled:
        raise unreadable(file, "every sheet of the workbook is empty.", "Export the diary again.")
    held = {name: max(_held(record, wanted) for record in sheets[name][:HEAD]) for name in filled}
    best = [name for name in filled if held[name] == max(held.values())]
    if len(best) > 1:
        raise unreadable(
            file,
            f"the diary may stand on any of the sheets {', '.join(str(list(sheets).index(name) + 1) for name in best)}.",
            'Declare the name on its tab, as in sheet = "Diary".',
        )
    return best[0]


# ------------------------------------------------------------------------------------------ the table


def _held(record: Sequence[str], wanted: frozenset[str]) -> int:
    """How many of the wanted titles stand in this row? None in a row of values, whose words only look alike."""
    if any(_VALUE.fullmatch(cell.strip()) for cell in record):
        return 0
    return len(wanted.intersection(plain(cell) for cell in record))


def _header_at(head: Sequence[Sequence[str]], wanted: frozenset[str]) -> int:
    held = [_held(record, wanted) for record in head]
    if max(held) > 0:
        return held.index(max(held))
    filled = [sum(bool(cell.strip()) for cell in record) for record in head]
    enough = 0.75 * float(np.quantile([count for count in filled if count], 0.95))
    return next(i for i, count in enumerate(filled) if count >= enough and count)


def _insist_on_head(file: str, head: Sequence[Sequence[str]]) -> None:
    if not any(cell.strip() for record in head for cell in record):
        raise unreadable(file, f"the first {HEAD} rows are blank.", "Export the diary again, with a row of titles.")


def _table(file: str, opened: _Opened, wanted: frozenset[str], data: bytes) -> Table:
    records, notes, delimiter = opened.records, opened.notes, opened.delimiter
    head = list(islice(records, HEAD))
    _insist_on_head(file, head)
    at = _header_at(head, wanted)
    if at:
        notes.append(f"titles are in row {at + 1}; the rows above are not read")
    titles = _titles(head[at])
    if not titles:
        raise unreadable(file, f"row {at + 1} should hold the titles and is blank.", _EXPORT)
    insist_on_size(file, len(titles))
    cells, beyond, firsts = _cells(chain(head[at + 1 :], records), len(titles))
    longer = [i for i, last in beyond.items() if delimiter != "," or last <= len(head[at])]
    overlong = [at + 2 + i for i in beyond if i not in set(longer)]
    frame = pd.DataFrame(cells, columns=list(titles), dtype="str")
    numbers = np.arange(at + 2, at + 2 + len(frame), dtype=np.int64)
    notes += [f"{_rows(numbers[longer])} longer than the header: the extra cells are not read"] if longer else []
    frame, numbers = _only_data(frame, numbers, head[at], firsts, notes)
    overlong = [number for number in overlong if number in set(numbers.tolist())]
    if 2 * len(overlong) > len(frame):
        raise unreadable(
            file,
            f"{len(overlong)} of {len(frame)} rows have more cells than the header ({spoken_rows(overlong)}).",
            'Are there decimal commas? Then export the table with ";" between the cells, or with quotation marks '
            "around the numbers; otherwise give every column a title.",
        )
    digest = hashlib.sha256(data).hexdigest()
    return Table(
        file, titles, frame, numbers, tuple(notes), delimiter, opened.read_as, digest, opened.day_zero, tuple(overlong)
    )


def _cells(
    records: Iterator[list[str]], width: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.object_]], dict[int, int], list[str]]:
    """Bring records to the header's width; also say which had more, up to which cell, and how each begins."""
    parts = [np.empty((0, width), dtype=object)]
    beyond: dict[int, int] = {}
    firsts: list[str] = []
    done = 0
    while chunk := list(islice(records, CHUNK)):
        if set(map(len, chunk)) != {width}:
            filled = (max((n for n, cell in enumerate(record, 1) if cell.strip()), default=0) for record in chunk)
            beyond |= {done + i: last for i, last in enumerate(filled) if last > width}
            chunk = [(record + [""] * (width - len(record)))[:width] for record in chunk]
        firsts += [next(filter(str.strip, record), "") for record in chunk]
        parts.append(np.array(chunk, dtype=object))
        done += len(chunk)
    return np.concatenate(parts), beyond, firsts


def letter_of(position: int) -> str:
    """Which letter has this column, the first being 0?"""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _titles(record: Sequence[str]) -> tuple[str, ...]:
    """Return one distinct title per column; a title that is blank or not alone names its column letter."""
    titles = [" ".join(cell.replace("\ufeff", "").split()) for cell in record]
    while titles and not titles[-1]:
        titles.pop()
    known = Counter(plain(title) for title in titles)
    return tuple(
        title if title and known[plain(title)] == 1 else f"{title} (column {letter_of(i)})".strip()
        for i, title in enumerate(titles)
    )


def _only_data(
    frame: pd.DataFrame,
    numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
    header: Sequence[str],
    firsts: Sequence[str],
    notes: list[str],
) -> tuple[pd.DataFrame, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Leave out blank rows, footers and repeated headers, and say so; `firsts` is the first filled cell of each row."""
    codes, texts = pd.factorize(np.array(firsts, dtype=object))
    words, heads = [plain(text) for text in texts], [plain(cell) for cell in header][: frame.shape[1]]
    begin = next(filter(None, heads), "")
    blank = np.array([not text for text in texts], dtype=bool)[codes]
    footer = np.array([word in FOOTERS for word in words], dtype=bool)[codes]
    repeat = np.array([word == begin for word in words], dtype=bool)[codes]
    for i in np.flatnonzero(footer | repeat):
        record = [str(cell) for cell in frame.iloc[i]]
        repeat[i] = [plain(cell) for cell in record] == heads
        footer[i] = not repeat[i] and _is_footer(record)
    for mask, what in ((blank, "blank"), (footer, "a footer (average, total)"), (repeat, "the header again")):
        if mask.any():
            notes.append(f"{_rows(numbers[mask])} {what}: not read")
    data = ~(blank | footer | repeat)
    if data.all():
        return frame, numbers
    return frame[data].reset_index(drop=True), numbers[data]


def _is_footer(record: Sequence[str]) -> bool:
    first, *rest = [cell for cell in record if cell.strip()]
    return plain(first) in FOOTERS and all(_AMOUNT.fullmatch(cell) for cell in rest)


def _rows(numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    return f"{spoken_rows(numbers)} {'is' if len(numbers) == 1 else 'are'}"


def spoken_rows(numbers: Iterable[int]) -> str:
    """How are these rows said: ``row 12``, or ``rows 3, 17, 40 and 5 more``?"""
    all_rows = list(numbers)
    said = ", ".join(str(int(number)) for number in all_rows[:3])
    if len(all_rows) == 1:
        return f"row {said}"
    return f"rows {said}" if len(all_rows) <= 3 else f"rows {said} and {len(all_rows) - 3} more"
