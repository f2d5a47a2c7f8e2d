"""Where people mend their files: problems by file and cell, as text, JSON and CSV, and a workbook with the cells marked."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import pickle
import time
import zipfile

import numpy as np
import openpyxl
import pytest
from conftest import ROOT, SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1.cli import main
from acu_nof1.errors import Place, Problem
from acu_nof1.mending import COLUMNS, to_mend, write_fix_report
from acu_nof1.words import mending as words

FIRST = dt.date(2026, 1, 5)
HOSTILE = {
    9: "=cmd|'/c calc'!A1",
    12: "@SUM(1+1)*cmd|' /C calc'!A0",
    15: "#N/A",
    17: "+1 really",
    20: "x" * 40_000,
    22: "5\x0b\x07 or so",
    25: "\ufffe\uffff six",
    28: '=HYPERLINK("http://example.org";"5")',
}
PROTOCOL = """
[trial]
person = "P-014"
agreed_on = 2026-01-05
[[phase]]
kind = "baseline"
start = 2026-01-05
end = 2026-01-18
[[phase]]
kind = "treatment"
start = 2026-01-19
end = 2026-04-12
"""
PAIN = """
[outcome.pain]
instrument = "nrs_pain"
important_change = 2.0
primary = true
"""


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return int(stopped.value.code or 0), out, err


def days(cells, blank=()):
    """Rows of a diary, from row 2 on: a day each, and what stands in its cell."""
    return [
        ["", ""] if row in blank else [f"{FIRST + dt.timedelta(days=row - 2)}", text] for row, text in cells.items()
    ]


def written(folder, *files, protocol=""):
    """A trial folder with these diaries: name and rows; a workbook where the name says so."""
    text = PROTOCOL + PAIN + protocol
    for name, rows in files:
        if name.endswith(".xlsx"):
            book = openpyxl.Workbook()
            book.active.title = "Read me"
            sheet = book.create_sheet("Diary")
            for row in rows:
                sheet.append(row)
            book.save(folder / name)
        else:
            with (folder / name).open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, delimiter=";").writerows(rows)
        text += f'[[diary]]\nfile = "{name}"\n'
    (folder / "protocol.toml").write_text(text, encoding="utf-8")
    return folder


ANSWERS = {row: str(3 + row % 4) for row in range(2, 60)}


@pytest.fixture
def dirty(tmp_path):
    """A text diary with hostile cells and a blank row, and sleep in the second sheet of a workbook, titles in row 3."""
    pain = [["Date", "pain"], *days(ANSWERS | HOSTILE | {30: "11", 31: "n/a", 32: "3-4"}, blank=(40,))]
    sleep = [["My nights"], [], ["Day", "Note", "sleep"]]
    sleep += [
        [FIRST + dt.timedelta(days=n), "", "about 7" if n == 5 else "seven" if n == 8 else 6.5 + n % 3]
        for n in range(40)
    ]
    more = '[outcome.sleep]\nkind = "minutes"\nunit = "h"\nbetter = "higher"\n'
    return written(tmp_path, ("pain.csv", pain), ("sleep.xlsx", sleep), protocol=more)


def marked(sheet):
    return {(cell.row, cell.column): cell for row in sheet.iter_rows() for cell in row if cell.comment is not None}


def test_marked_cells_are_the_ledger_s_and_every_row_is_where_it_was(dirty, tmp_path_factory, capsys):
    out = tmp_path_factory.mktemp("out") / "mend.xlsx"
    code, said, _ = run(capsys, "check", dirty, "--fix-report", out)
    assert (code, str(out) in said) == (0, True)
    ledger = acu.read_trial(dirty).diary.ledger
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == [words.PROBLEMS, "pain.csv", "sleep.xlsx"]
    titles = {"pain.csv": {"pain": 2}, "sleep.xlsx": {"sleep": 3}}
    for name, columns in titles.items():
        own = ledger[ledger["file"] == name]
        assert len(own) >= 2
        assert set(marked(book[name])) == {
            (row, columns[title]) for row, title in zip(own["row"], own["column"], strict=True)
        }
    with (dirty / "pain.csv").open(newline="", encoding="utf-8") as file:
        original = list(csv.reader(file, delimiter=";"))
    assert book["pain.csv"].max_row == len(original)
    assert [row[0].value or "" for row in book["pain.csv"].iter_rows()] == [row[0] for row in original]
    whole = openpyxl.load_workbook(dirty / "sleep.xlsx")["Diary"]
    assert book["sleep.xlsx"].max_row == whole.max_row
    assert (book["sleep.xlsx"]["A1"].value, book["sleep.xlsx"]["C3"].value) == ("My nights", "sleep")


def test_a_comment_says_the_rule_and_what_to_do_and_the_colour_whether_it_was_read(dirty):
    out = dirty.parent / "mend.xlsx"
    trial = acu.read_trial(dirty)
    write_fix_report(to_mend(trial, dirty), out)
    sheet = openpyxl.load_workbook(out)["pain.csv"]
    off, taken = sheet["B30"], sheet["B32"]
    assert off.comment.text.startswith("Outside the scale (0 to 10 points). It is not moved")
    assert taken.comment.text == "A range: midpoint."
    assert off.fill.fgColor.rgb != taken.fill.fgColor.rgb


def test_hostile_cells_stay_text_as_far_as_a_workbook_can_hold_them(dirty):
    out = dirty.parent / "mend.xlsx"
    write_fix_report(to_mend(acu.read_trial(dirty), dirty), out)
    sheet = openpyxl.load_workbook(out)["pain.csv"]
    for row, text in HOSTILE.items():
        cell = sheet.cell(row, 2)
        assert cell.data_type == "s", text[:20]
        wanted = text[:32_767]
        for character in "\x0b\x07\ufffe\uffff":
            wanted = wanted.replace(character, "\ufffd")
        assert cell.value == wanted
    with zipfile.ZipFile(out) as book:
        parts = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/")]
    assert not any(b"<f>" in part or b"<f " in part for part in parts)


def test_row_column_and_letter_of_check_are_those_of_the_workbook(dirty, capsys):
    out, told = dirty / "mend.xlsx", dirty / "problems.json"
    _, _, err = run(capsys, "check", dirty, "--fix-report", out, "--json", told)
    book = openpyxl.load_workbook(out)
    found = json.loads(told.read_text(encoding="utf-8"))
    cells = [each for each in found["problems"] if each["letter"] and each["rows"]]
    assert {each["file"] for each in cells} == {"pain.csv", "sleep.xlsx"}
    for each in cells:
        for row in each["rows"]:
            assert book[each["file"]][f"{each['letter']}{row}"].comment is not None
    assert {each["sheet"] for each in cells if each["file"] == "sleep.xlsx"} == {"sheet 2 of 2"}
    assert 'warning: row 12, column sleep (C): "seven"' in err
    assert "sleep.xlsx, sheet 2 of 2: 1 warning" in err


def test_an_unreadable_date_is_marked_beside_the_answer_it_costs(tmp_path, capsys):
    rows = [["Date", "pain"], *days(ANSWERS)]
    rows[4][0] = "last tuesday"
    folder = written(tmp_path, ("pain.csv", rows))
    assert run(capsys, "check", folder, "--fix-report", folder / "mend.xlsx")[0] == 0
    assert set(marked(openpyxl.load_workbook(folder / "mend.xlsx")["pain.csv"])) == {(5, 1), (5, 2)}


def test_files_of_the_same_masked_name_and_titles_alike_at_their_beginning_keep_apart(tmp_path):
    long = "In the last twenty-four hours, how would you rate this on the scale: "
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    rows = [
        ["Date", f"{long}pain", f"{long}stress"],
        *([day, text, "77" if text == "6" else "2"] for day, text in days(ANSWERS)),
    ]
    stress = [["Date", "walk"], *days(ANSWERS | {7: "far"})]
    more = '[outcome.stress]\ninstrument = "nrs_stress"\n[outcome.walk]\nkind = "minutes"\nbetter = "higher"\n'
    written(tmp_path, ("a/Jane Doe.csv", rows), ("b/Jane Doe.csv", stress), protocol=more)
    text = (tmp_path / "protocol.toml").read_text(encoding="utf-8")
    columns = f'columns = {{ pain = "{long}pain", stress = "{long}stress" }}'
    (tmp_path / "protocol.toml").write_text(
        text.replace('a/Jane Doe.csv"\n', f'a/Jane Doe.csv"\n{columns}\n'), encoding="utf-8"
    )
    write_fix_report(to_mend(acu.read_trial(tmp_path), tmp_path), tmp_path / "mend.xlsx")
    book = openpyxl.load_workbook(tmp_path / "mend.xlsx")
    assert len(book.sheetnames) == 3
    assert {row for row, _ in marked(book.worksheets[1])} == {row for row, text in ANSWERS.items() if text == "6"}
    assert {column for _, column in marked(book.worksheets[1])} == {3}
    assert set(marked(book.worksheets[2])) == {(7, 2)}


def test_a_file_that_is_no_table_has_its_cells_listed(tmp_path, capsys):
    records = [{"date": f"{FIRST + dt.timedelta(days=n)}", "pain": "12" if n in (3, 5) else n % 5} for n in range(40)]
    (tmp_path / "pain.json").write_text(json.dumps(records), encoding="utf-8")
    (tmp_path / "protocol.toml").write_text(PROTOCOL + PAIN + '[[diary]]\nfile = "pain.json"\n', encoding="utf-8")
    assert run(capsys, "check", tmp_path, "--fix-report", tmp_path / "mend.xlsx")[0] == 0
    book = openpyxl.load_workbook(tmp_path / "mend.xlsx")
    assert book.sheetnames == [words.PROBLEMS]
    listed = [row for row in book.active.iter_rows(values_only=True) if row[0] == words.CELL]
    ledger = acu.read_trial(tmp_path).diary.ledger
    assert [(row[1], row[3], row[4]) for row in listed] == [
        (file, str(number), column)
        for file, number, column in zip(ledger["file"], ledger["row"], ledger["column"], strict=True)
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_tables_hold_the_problems_of_check_and_no_others(name, tmp_path, capsys):
    folder = ROOT / "sample_data" / name
    code, _, err = run(capsys, "check", folder, "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv")
    trial = acu.read_trial(folder)
    wanted = sorted(map(tuple, acu.check(trial).to_numpy().tolist()))
    found = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert code == 0
    assert found["schema"] == "acu-nof1/check/1"
    assert (
        sorted(tuple(each[key] for key in ("severity", "where", "problem", "remedy")) for each in found["problems"])
        == wanted
    )
    assert all(tuple(each) == COLUMNS for each in found["problems"])
    assert found["cells"]["read"] == trial.diary.counts.read
    table = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8-sig"))))
    assert tuple(table[0]) == COLUMNS
    assert [row["problem"] for row in table] == [each["problem"] for each in found["problems"]]
    assert sum(line.startswith(("  error: ", "  warning: ", "  note: ")) for line in err.splitlines()) == len(wanted)


def test_files_come_worst_first_and_so_do_the_problems_of_each(dirty, capsys):
    (dirty / "sleep.xlsx").unlink()
    rows = [["Date", "sleep"], *days(dict.fromkeys(ANSWERS, "many"))]
    written(dirty, ("pain.csv", [["Date", "pain"], *days(ANSWERS | {30: "11", 31: "n/a"})]), ("sleep.csv", rows),
            protocol='[outcome.sleep]\nkind = "minutes"\nbetter = "higher"\n')  # fmt: skip
    code, out, err = run(capsys, "check", dirty)
    lines = err.splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert code == 1
    assert headings[0] == "sleep.csv: 1 error, 1 warning"
    assert headings[1] == "pain.csv: 1 warning, 1 note"
    assert lines.index('  warning: row 30, column pain (B): "11": outside the scale (0 to 10 points).') < lines.index(
        '  note: row 31, column pain (B): "n/a": a code for not answered.'
    )
    assert "Errors must be mended" in out


def test_csv_is_neutralised_and_dash_prints_it_alone(tmp_path, capsys):
    folder = written(tmp_path, ("pain.csv", [["Date", "=1+1"], *days(ANSWERS | {9: "=2+3"})]))
    text = (folder / "protocol.toml").read_text(encoding="utf-8") + 'columns = { pain = "=1+1" }\n'
    (folder / "protocol.toml").write_text(text, encoding="utf-8")
    code, out, err = run(capsys, "check", folder, "--csv", "-")
    table = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert tuple(table[0]) == COLUMNS
    assert "'=1+1" in {row["column"] for row in table}
    assert not any(cell.startswith(("=", "+", "@", "-")) for row in table for cell in row.values())
    assert "cells read" in err
    assert json.loads(run(capsys, "check", folder, "--json", "-")[1])["problems"]


def test_what_cannot_be_read_is_told_and_copied_all_the_same(dirty, capsys):
    (dirty / "sleep.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    out, told = dirty / "mend.xlsx", dirty / "a.json"
    code, said, err = run(capsys, "check", dirty, "--fix-report", out, "--json", told)
    assert code == 1
    assert "damaged" in err
    assert "Errors must be mended" in said
    assert json.loads(told.read_text(encoding="utf-8"))["cells"] is None
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == [words.PROBLEMS, "pain.csv"]
    assert book["pain.csv"]["B30"].value == "11"


def test_a_protocol_that_cannot_be_read_is_told_too(dirty, capsys):
    (dirty / "protocol.toml").write_text("[trial\n", encoding="utf-8")
    code, _, err = run(capsys, "check", dirty, "--fix-report", dirty / "mend.xlsx")
    assert code == 1
    assert err.startswith("protocol.toml: 1 error\n  error: this is not valid TOML")
    assert openpyxl.load_workbook(dirty / "mend.xlsx").sheetnames == [words.PROBLEMS]


def test_wrong_uses_are_refused_before_anything_is_written(dirty, capsys, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    foreign = other / "accounts.xlsx"
    openpyxl.Workbook().save(foreign)
    (other / "text.xlsx").write_text("no workbook", encoding="utf-8")
    before = {path: path.read_bytes() for path in [*dirty.iterdir(), *other.iterdir()]}
    wrong = {
        ("--fix-report", dirty / "sleep.xlsx"): "would be overwritten",
        ("--fix-report", foreign): "no report of this command",
        ("--fix-report", other / "text.xlsx"): "no report of this command",
        ("--fix-report", other / "mend.csv"): "end in .xlsx",
        ("--fix-report", other / "nowhere" / "mend.xlsx"): "there is no folder",
        ("--fix-report", other / "a.xlsx", "--json", other / "a.xlsx"): "names the same file",
        ("--fix-report", other / "a.xlsx", "--pseudonymise", "env"): "hold the files as they are",
        ("--json", "-", "--csv", "-"): "only one of the two",
        ("--json", dirty / "pain.csv"): "would be overwritten",
    }
    for options, said in wrong.items():
        code, _, err = run(capsys, "check", dirty, *options)
        assert (code, said in err) == (2, True), (options, err)
    code, _, err = run(capsys, "check", dirty / "pain.csv", "--fix-report", other / "a.xlsx")
    assert (code, "needs a trial folder" in err) == (2, True)
    assert {path: path.read_bytes() for path in [*dirty.iterdir(), *other.iterdir()]} == before


def test_a_report_of_this_command_may_be_written_again(dirty, capsys):
    out = dirty / "mend.xlsx"
    for _ in range(2):
        assert run(capsys, "check", dirty, "--fix-report", out)[0] == 0


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=4), max_size=6
    )
)
def test_any_cells_are_copied_row_by_row(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    rows = [[cell.replace("\r", " ").replace("\n", " ").replace("\x00", "") for cell in row] for row in rows]
    written(folder, ("pain.csv", [["date", "pain", "note", "more"], *days(ANSWERS), *rows]))
    try:
        trial = acu.read_trial(folder)
    except acu.AcuError:
        return
    write_fix_report(to_mend(trial, folder), folder / "mend.xlsx")
    sheet = openpyxl.load_workbook(folder / "mend.xlsx")["pain.csv"]
    kept = dict(enumerate(["pain", *ANSWERS.values()], 1))
    assert {row: sheet.cell(row, 2).value for row in kept} == kept
    assert all(cell.data_type in "sn" for row in sheet.iter_rows() for cell in row)
    assert all(cell.value is None for row in sheet.iter_rows() for cell in row if cell.data_type == "n")


def test_a_place_keeps_what_it_speaks_of_through_masks_and_pickles():
    where = Place("a.csv rows 3, 4, column mail jo@example.org", "a.csv", np.array([3, 4]), "mail jo@example.org")
    for problem in (found := Problem("note", where, "", ""), pickle.loads(pickle.dumps(found))):
        assert isinstance(problem.where, Place)
        assert problem.where == "a.csv rows 3, 4, column mail [e-mail]"
        assert (problem.where.file, problem.where.rows, problem.where.column) == ("a.csv", (3, 4), "mail [e-mail]")


def test_ten_thousand_rows_are_copied_in_seconds(tmp_path):
    rows = [[f"{dt.date(2000, 1, 1) + dt.timedelta(days=n)}", "11" if n % 50 == 0 else n % 7] for n in range(10_000)]
    folder = written(tmp_path, ("pain.csv", [["Date", "pain"], *rows]))
    mending = to_mend(acu.read_trial(folder), folder)
    begun = time.perf_counter()
    write_fix_report(mending, folder / "mend.xlsx")
    assert time.perf_counter() - begun < 5
