"""Files that are no diary, or are made to stop a machine: a clear message, soon, and nothing opened that unpacks to a flood."""

from __future__ import annotations

import io
import os
import time
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1.errors import AcuError, UnreadableFileError
from acu_nof1.load import tables, workbooks

PAIN = acu.OUTCOMES["nrs_pain"]
MB = 1_000_000


def refused(path):
    with pytest.raises(UnreadableFileError) as error:
        acu.read_diary(path, outcomes=[PAIN])
    (problem,) = error.value.problems
    assert problem.remedy
    return problem.problem


def workbook_with(sheet: bytes) -> bytes:
    """A workbook whose only sheet is this XML."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["date", "nrs_pain"])
    book.save(out)
    packed = io.BytesIO()
    with zipfile.ZipFile(out) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return packed.getvalue()


def complaints(read):
    """What a reader says that does not read; anything but an `AcuError` fails the test."""
    try:
        read()
    except AcuError as error:
        return error.problems
    return ()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def test_xml_entities_in_a_workbook_are_refused(tmp_path):
    laughs = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))
    sheet = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]><worksheet xmlns="{MAIN}"><sheetData><row r="1"><c t="inlineStr"><is><t>&l9;</t></is></c></row></sheetData></worksheet>'
    (tmp_path / "diary.xlsx").write_bytes(workbook_with(sheet.encode()))
    assert "entities" in refused(tmp_path / "diary.xlsx")


def test_a_workbook_that_unpacks_to_a_flood_is_not_opened(tmp_path):
    (tmp_path / "diary.xlsx").write_bytes(workbook_with(b" " * (workbooks.SMALL + 1)))
    assert (tmp_path / "diary.xlsx").stat().st_size < 100_000
    assert "unpacks" in refused(tmp_path / "diary.xlsx")


def test_a_workbook_beyond_any_diary_is_not_opened(tmp_path, monkeypatch):
    book = openpyxl.Workbook()
    for number in range(50):
        book.active.append(["date", number])
    book.save(tmp_path / "diary.xlsx")
    monkeypatch.setattr(workbooks, "MOST_CELLS", 40)
    assert "more than 40 cells" in refused(tmp_path / "diary.xlsx")
    monkeypatch.setattr(workbooks, "LARGEST", 1000)
    assert "more than the" in refused(tmp_path / "diary.xlsx")


def test_a_cell_in_the_last_corner_of_a_sheet_is_no_flood(tmp_path):
    book = openpyxl.Workbook()
    for row in (["date", "nrs_pain"], ["2026-01-05", 5]):
        book.active.append(row)
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "diary.xlsx")
    assert acu.read_diary(tmp_path / "diary.xlsx", outcomes=[PAIN]).values["nrs_pain"].tolist() == [5]


def test_formulas_stay_text_and_are_never_values(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["date", "nrs_pain"],
        ["2026-01-05", "=1+4"],
        ["2026-01-06", '=HYPERLINK("http://x","5")'],
        ["2026-01-07", 5],
    ):
        book.active.append(row)
    book.save(tmp_path / "diary.xlsx")
    read = acu.read_diary(tmp_path / "diary.xlsx", outcomes=[PAIN])
    assert read.values["nrs_pain"].tolist() == [5]
    assert read.ledger["rule"].tolist() == ["a formula without a stored value"] * 2


def test_a_file_too_large_to_be_a_table_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "diary.csv").write_bytes(b"date,nrs_pain\n" * 200)
    monkeypatch.setattr(tables, "LARGEST", 1000)
    assert "MB" in refused(tmp_path / "diary.csv")


def test_what_is_no_ordinary_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "diary.csv")
    assert "ordinary" in refused(tmp_path / "diary.csv")


FLOODS = {
    "commas.csv": b"," * MB,
    "quotes.csv": b'"' * MB,
    "cell.csv": b"date,nrs_pain\n2026-01-05," + b"9" * MB,
    "ranges.csv": b"date,nrs_pain\n" + b"".join(b"2026-01-05,%d to %d of\n" % (i, i) for i in range(MB // 30)),
    "undated.csv": b"date,nrs_pain\n" + b"".join(b"x%d,y%d\n" % (i, i) for i in range(MB // 14)),
    "open.csv": b'date,nrs_pain\n"' + b"a,\n" * (MB // 3),
    "wide.csv": b",".join(b"c%d" % i for i in range(20_000)) + b"\n" + b"1," * 20_000,
    "deep.json": b"[" * MB,
    "nested.json": b'{"a":' * (MB // 5),
    "keys.json": b"[{" + b",".join(b'"k%d":1' % i for i in range(MB // 12)) + b"}]",
    "square.json": b"[" + b",".join(b'{"k%d":1}' % i for i in range(9000)) + b"]",
    "number.json": b'[{"date":"2026-01-05","nrs_pain":' + b"9" * MB + b"}]",
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_megabyte_of_anything_is_read_or_refused_within_seconds(tmp_path, name):
    """Ten megabytes may take ten seconds (measured: `benchmarks/README.md`); a tenth of it is looked at here."""
    (tmp_path / name).write_bytes(FLOODS[name])
    for read in (lambda: acu.read_diary(tmp_path / name, outcomes=[PAIN]), lambda: acu.propose(tmp_path / name)):
        begun = time.process_time()
        assert all(problem.remedy and len(str(problem)) < 3000 for problem in complaints(read))
        assert time.process_time() - begun < 5


def test_a_file_with_very_many_columns_is_proposed_by_its_first(tmp_path):
    titles = ["date", *(f"c{k}" for k in range(999))]
    (tmp_path / "wide.csv").write_text(",".join(titles) + "\n2026-01-05" + ",1" * 999 + "\n", encoding="utf-8")
    said = str(acu.propose(tmp_path / "wide.csv"))
    assert "… and 700 more" in said


SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json", ".jsonl", ".ndjson", ".xml", ".zip", ".html", "")
HEADS = (b"", b"\xef\xbb\xbf", b"PK\x03\x04", b"date,nrs_pain\n", b"date;nrs_pain\n", b"[{", b'{"date":', b"<?xml ", b"<HealthData>",
         b"<html><table>", b"\xff\xfed\x00a\x00t\x00e\x00", b"connectionId;", b"record_id,redcap_event_name\n")  # fmt: skip


@given(st.sampled_from(SUFFIXES), st.sampled_from(HEADS), st.binary(max_size=300))
def test_any_bytes_under_any_name_become_a_diary_or_a_clear_error(tmp_path_factory, suffix, head, body):
    path = tmp_path_factory.mktemp("any") / f"diary{suffix}"
    path.write_bytes(head + body)
    for read in (lambda: acu.read_diary(path, outcomes=[PAIN]), lambda: acu.propose(path)):
        assert all(problem.problem and problem.severity == "error" for problem in complaints(read))


def test_workbooks_are_parsed_by_a_parser_that_refuses_entities():
    assert openpyxl.DEFUSEDXML
