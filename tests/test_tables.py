"""From bytes to a table of text, with the rows the user sees."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from acu_nof1.errors import AcuError, UnreadableFileError
from acu_nof1.load.tables import read_table, spoken_rows

PLAIN = "date,pain\n2026-01-05,6\n2026-01-06,5\n"


@pytest.fixture
def table(tmp_path):
    def read(content, name="diary.csv", **how):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, **how)

    return read


@pytest.fixture
def workbook(tmp_path):
    def read(*rows, sheet=None, titles=(), change=lambda _: None, **sheets):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        for name, content in sheets.items():
            other = book.create_sheet(name)
            for row in content:
                other.append(row)
        change(book)
        book.save(tmp_path / "diary.xlsx")
        return read_table(tmp_path / "diary.xlsx", sheet=sheet, titles=titles)

    return read


def cells(table):
    return [list(row) for row in table.rows.itertuples(index=False)]


ROWS = [["2026-01-05", "6"], ["2026-01-06", "5"]]


def test_plain(table):
    read = table(PLAIN)
    assert read.columns == ("date", "pain")
    assert cells(read) == ROWS
    assert read.numbers.tolist() == [2, 3]
    assert read.notes == ()
    assert (read.delimiter, len(read.sha256)) == (",", 64)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(table, delimiter):
    read = table(PLAIN.replace(",", delimiter))
    assert read.delimiter == delimiter
    assert cells(read) == ROWS


def test_semicolons_win_over_decimal_commas(table):
    read = table("date;pain;sleep\n2026-01-05;7,5;6,5\n2026-01-06;7,5;6,5\n")
    assert read.delimiter == ";"
    assert cells(read)[0] == ["2026-01-05", "7,5", "6,5"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_encodings(table, encoding):
    text = "date,Schmerz höchstens\n2026-01-05,6\n2026-01-06,5\n"
    read = table(text.encode(encoding))
    assert read.columns == ("date", "Schmerz höchstens")
    assert cells(read) == ROWS
    assert bool(read.notes) == (encoding != "utf-8")


def test_undefined_in_cp1252_is_latin_1(table):
    assert table(b"date,pain\n2026-01-05,\x81\xe9\n").notes == ("text is Latin-1, not UTF-8",)


def test_declared_encoding_is_used(table):
    assert table("date,pâin\n1,2\n".encode("cp850"), encoding="cp850").columns == ("date", "pâin")
    for encoding in ("utf-8", "no-such-encoding"):
        with pytest.raises(UnreadableFileError, match="not in the encoding"):
            table("date,pâin\n1,2\n".encode("cp850"), encoding=encoding)


def test_sep_line_is_not_a_row(table):
    read = table("sep=;\n" + PLAIN.replace(",", ";"))
    assert cells(read) == ROWS
    assert read.numbers.tolist() == [2, 3]
    assert 'first line is "sep=;"' in read.notes


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n", "\r"])
def test_line_ends(table, end):
    read = table(PLAIN.replace("\n", end).encode())
    assert cells(read) == ROWS
    assert read.numbers.tolist() == [2, 3]


def test_quoted_newline_is_one_spreadsheet_row(table):
    read = table('date,note,pain\n2026-01-05,"two\nlines",6\n2026-01-06,"a ""b"", c",5\n')
    assert read.numbers.tolist() == [2, 3]
    assert read.rows["note"].tolist() == ["two\nlines", 'a "b", c']


def test_quotation_mark_never_closed(table):
    read = table('date,note,pain\n2026-01-05,"ouch,6\n2026-01-06,fine,5\n')
    assert read.rows["pain"].tolist() == ["6", "5"]
    assert any("quotation mark" in note for note in read.notes)


def test_preamble_by_titles_and_by_width(table):
    text = "Diary of P-014\n\nexported,2026-02-01\n" + PLAIN.replace("date,pain", "date,pain,walk").replace(
        "\n2", ",\n2"
    )
    for read in (table(text, titles=["Date", "PAIN"]), table(text)):
        assert read.columns == ("date", "pain", "walk")
        assert read.numbers.tolist() == [5, 6]
        assert "titles are in row 4; the rows above are not read" in read.notes


def test_footers_repeats_and_blank_rows_are_left_out_and_named(table):
    read = table("date,pain\n2026-01-05,6\n\ndate,pain\n,\n2026-01-06,5\nAverage,5.5\nTotal:,11\n,\n")
    assert cells(read) == ROWS
    assert read.numbers.tolist() == [2, 6]
    assert read.notes == (
        "rows 3, 5, 9 are blank: not read",
        "rows 7, 8 are a footer (average, total): not read",
        "row 4 is the header again: not read",
    )


def test_a_question_named_total_is_no_footer(table):
    assert len(table("question,date,answer\nTotal,2026-01-05,5\nTotal,2026-01-06,6\n").rows) == 2


def test_ragged_rows(table):
    read = table("date,pain,note\n2026-01-05,6\n2026-01-06,5,a,b\n2026-01-07,4,c,,\n")
    assert cells(read) == [["2026-01-05", "6", ""], ["2026-01-06", "5", "a"], ["2026-01-07", "4", "c"]]
    assert (read.notes, read.overlong) == ((), (3,))
    read = table("date;pain\n2026-01-05;6;x\n2026-01-06;5\n", titles=["date"])
    assert read.notes == ("row 2 is longer than the header: the extra cells are not read",)
    assert read.overlong == ()


def test_decimal_commas_in_a_comma_file_are_asked_about(table):
    with pytest.raises(UnreadableFileError, match=r"2 of 3 rows have more cells than the header.*decimal commas"):
        table("date,pain\n2026-01-05,6,5\n2026-01-06,5\n2026-01-07,5,5\n", titles=["date"])
    assert cells(table("date,pain\n2026-01-05,6,,\n2026-01-06,5,,\n")) == ROWS


def test_a_row_of_titles_alone_may_be_allowed(table):
    assert table("date,attended\n", may_be_empty=True).rows.empty


def test_titles_that_occur_twice_or_not_at_all(table):
    assert table("date,Pain,pain,,x\n1,2,3,4,5\n").columns == (
        "date",
        "Pain (column B)",
        "pain (column C)",
        "(column D)",
        "x",
    )


def test_one_column(table):
    assert cells(table("pain\n6\n5\n")) == [["6"], ["5"]]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty"), (b"  \r\n\t\n", "empty"), (b"\xef\xbb\xbf", "blank"), (b",,\n,,\n", "blank"), (b"date,pain\n", "nothing below"),
        (b"date,pain\n,\n\n", "nothing below"), (b"date,pain\nAverage,5\n", "nothing below"), (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "PNG"), (b"\xff\xd8\xff\xe0", "JPEG"), (b"PK\x03\x04....", "Excel"), (b"\xd0\xcf\x11\xe0....", "xls"),
        (b"\x00\x01\x02\x03" * 50, "not text"), (bytes(range(256)), "not text"), (b"a\x01\x02\x03\x04,b\n1,2\n", "not text"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_said_clearly(table, content, found):
    with pytest.raises(UnreadableFileError, match=found) as caught:
        table(content)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].where == "diary.csv"
    assert caught.value.problems[0].remedy


def test_endless_cell(table):
    with pytest.raises(UnreadableFileError, match="a cell could not be read"):
        table('date,pain\n2026-01-05,"' + "x" * 200_000 + '"\n')


def test_missing_file_folder_and_impossible_name(tmp_path):
    with pytest.raises(UnreadableFileError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(UnreadableFileError, match="this is a folder"):
        read_table(tmp_path)
    with pytest.raises(UnreadableFileError, match="could not be opened"):
        read_table("a\x00b.csv")


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_impossible_delimiter(table, delimiter):
    with pytest.raises(UnreadableFileError, match="cannot separate"):
        table(PLAIN, delimiter=delimiter)


# ------------------------------------------------------------------------------------------ workbooks


def test_typed_cells(workbook):
    read = workbook(
        ["date", "pain", "hours", "time", "yes", "span", "share"],
        [dt.datetime(2026, 1, 5), 6, 7.5, dt.time(22, 45), True, dt.timedelta(hours=7, minutes=30), 0.85],
        [dt.date(2026, 1, 6), 5.0, 0.1 + 0.2, dt.datetime(2026, 1, 5, 22, 45), False, dt.timedelta(hours=26), None],
        change=lambda book: setattr(book.active["G2"], "number_format", "0%"),
    )
    assert cells(read) == [
        ["2026-01-05", "6", "7.5", "22:45", "TRUE", "7:30", "85%"],
        ["2026-01-06", "5", "0.3", "2026-01-05 22:45:00", "FALSE", "26:00", ""],
    ]
    assert read.numbers.tolist() == [2, 3]


def test_small_numbers_are_written_out(workbook):
    assert cells(workbook(["date", "x"], ["2026-01-05", 0.00001]))[0][1] == "0.00001"


def test_workbook_of_1904(workbook):
    def old(book):
        book.epoch = CALENDAR_MAC_1904

    read = workbook(["date", "pain"], [dt.datetime(2026, 1, 5), 6], change=old)
    assert cells(read) == [["2026-01-05", "6"]]
    assert read.day_zero == dt.date(1904, 1, 1)


def test_formula_without_stored_value(workbook):
    assert cells(workbook(["date", "pain"], ["2026-01-05", "=1+2"])) == [["2026-01-05", "=1+2"]]


def test_merged_preamble(workbook):
    read = workbook(
        ["Pain diary", None], ["date", "pain"], ["2026-01-05", 6],
        change=lambda book: book.active.merge_cells("A1:B1"), titles=["date", "pain"],
    )  # fmt: skip
    assert read.columns == ("date", "pain")
    assert read.numbers.tolist() == [3]


def test_wrong_size_written_by_another_program(workbook, tmp_path):
    workbook(["date", "pain"], ["2026-01-05", 6])
    packed = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "diary.xlsx") as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'dimension ref="A1:B2"', b'dimension ref="A1"'))
    (tmp_path / "diary.xlsx").write_bytes(packed.getvalue())
    assert cells(read_table(tmp_path / "diary.xlsx")) == [["2026-01-05", "6"]]


def test_sheets(workbook):
    two = {"more": [["date", "pain"], ["2026-01-05", 6]]}
    assert cells(workbook(["date", "pain"], ["2026-01-06", 5], more=[])) == [["2026-01-06", "5"]]
    assert cells(workbook(["date", "note"], ["2026-01-06", "x"], titles=["date", "pain"], **two)) == [
        ["2026-01-05", "6"]
    ]
    assert cells(workbook(["date", "pain"], ["2026-01-06", 5], sheet="more", **two)) == [["2026-01-05", "6"]]
    with pytest.raises(UnreadableFileError, match="any of the sheets 1, 2"):
        workbook(["date", "pain"], ["2026-01-06", 5], **two)
    with pytest.raises(UnreadableFileError, match='no sheet "other"'):
        workbook(["date", "pain"], sheet="other")
    with pytest.raises(UnreadableFileError, match="every sheet"):
        workbook()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"date,pain\n1,2\n", "something else"),
        (b"\xd0\xcf\x11\xe0", "old .xls"),
        (b"PK\x03\x04junk", "damaged"),
        (b"", "empty"),
    ],
)
def test_what_is_no_workbook(table, content, found):
    with pytest.raises(UnreadableFileError, match=found):
        table(content, name="diary.xlsx")


def test_old_workbook_by_its_name(table):
    with pytest.raises(UnreadableFileError, match="xls"):
        table(b"\xd0\xcf\x11\xe0\xa1\xb1", name="diary.xls")


def test_zip_that_is_no_workbook(table):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(UnreadableFileError, match="damaged"):
        table(packed.getvalue(), name="diary.xlsx")


# ---------------------------------------------------------------------------------------------- fuzz

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzz
@given(st.binary(max_size=300) | st.text(alphabet='a1,;\t|"\n\r =é', max_size=120).map(lambda text: text.encode()))
def test_any_bytes_are_a_table_or_a_clear_error(table, content):
    try:
        read = table(content)
    except AcuError as error:
        assert error.problems  # noqa: PT017
    else:
        assert len(read.rows) == len(read.numbers) > 0
        assert tuple(read.rows.columns) == read.columns
        assert len(set(read.columns)) == len(read.columns)


word = st.text(alphabet='ab1,;|"\n é', min_size=1, max_size=6).filter(lambda text: text.strip())


@fuzz
@given(st.lists(st.tuples(word, word, word), min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_was_written_is_read(table, rows, delimiter):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([("date", "first", "second"), *rows])
    read = table(out.getvalue(), titles=["date", "first", "second"])
    assert cells(read) == [list(row) for row in rows]
    assert read.numbers.tolist() == list(range(2, len(rows) + 2))


def test_rows_are_said_shortly():
    assert spoken_rows([12]) == "row 12"
    assert spoken_rows([3, 17]) == "rows 3, 17"
    assert spoken_rows([3, 17, 40, 41, 42]) == "rows 3, 17, 40 and 2 more"
