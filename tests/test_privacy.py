"""Names, addresses, phone numbers and prose are planted in every place of a folder; no output may hold one."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1 import privacy
from acu_nof1.cli import main
from acu_nof1.errors import Problem
from acu_nof1.report import blocks

# Each marker stands in one place only, so that a leak names its path.
NAMED = (
    "Zebulon", "Quimperle", "Xaverine", "Oddvarsson", "Wilhelmsdottir", "Yolandine", "Tamsinette", "Umbertokov",
)  # fmt: skip
ADDRESSES = tuple(
    f"{word}@mail.example" for word in ("column", "cell", "goal", "event", "adverse", "sheetmail", "more")
)
PHONES = ("0171 5550101", "+44 20 7946 0102", "(212) 555-0103", "212-555-0104", "0301 5550105")
PROSE = ("slept in the attic", "argued with the landlord", "cried in the parking lot", "forgot the umbrella", "at dawn")
MARKERS = (*NAMED, *ADDRESSES, *PHONES, *PROSE)
START = dt.date(2026, 1, 5)
FILE = "Zebulon Quimperle diary.xlsx"

PROTOCOL = f"""
sessions = "sessions.csv"
[trial]
person = "Xaverine Oddvarsson"
condition = "back pain"
goal = "walk the dog, write to {ADDRESSES[2]}"
agreed_on = 2026-01-05
[[phase]]
kind = "baseline"
start = 2026-01-05
end = 2026-01-18
[[phase]]
kind = "treatment"
start = 2026-01-19
end = 2026-03-01
[[reassess]]
on = 2026-03-02
[[diary]]
file = "{FILE}"
columns = {{ date = "Day", pain = "Pain today {ADDRESSES[0]}" }}
[outcome.pain]
instrument = "nrs_pain"
important_change = 2
primary = true
[[event]]
date = 2026-02-02
what = "new tablets, ask {PHONES[0]} or {ADDRESSES[3]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trial of eight weeks in which somebody wrote everything in the wrong place."""
    folder = tmp_path_factory.mktemp("planted") / "trial"
    folder.mkdir()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Wilhelmsdottir"
    book.create_sheet("Yolandine")
    sheet.append(["Day", f"Pain today {ADDRESSES[0]}", "Tamsinette Umbertokov", "Comment", "Phone", "Mail"])
    draw = np.random.default_rng(1)
    for number in range(56):
        day, pain = START + dt.timedelta(days=number), int(draw.integers(3, 8) - 2 * (number > 20))
        sheet.append([day.isoformat(), pain, 1, PROSE[0], PHONES[1], ADDRESSES[5]])
    odd = {4: f"5 (ask {ADDRESSES[1]})", 9: PROSE[1] + " and then some", 14: PHONES[2], 19: "Tamsinette Umbertokov"}
    for row, text in odd.items():
        sheet.cell(row, 2, text)
    sheet.cell(24, 1, PROSE[2] + " all day")
    book.save(folder / FILE)
    (folder / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    with (folder / "sessions.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file)
        write.writerow(
            ["date", "adverse_asked", "adverse_event", "points", "practitioner", "patient", "mail", "notes", "depth_mm"]
        )
        harm = f"bruise, she called {PHONES[3]} {ADDRESSES[4]}"
        for week in range(6):
            day = dt.date(2026, 1, 19) + dt.timedelta(weeks=week)
            depth = PROSE[4] + " nobody measured how deep" if week == 3 else "15"
            write.writerow([day, "yes", harm if week == 1 else "", "LI4; SP6", "Xaverine Oddvarsson",
                            "Tamsinette Umbertokov", ADDRESSES[6], f"{PROSE[3]} {PHONES[4]}", depth])  # fmt: skip
    return folder


def leaks(text):
    # Pictures and hashes are letters by chance; a phone number is sought however it is spaced.
    text = re.sub(r"data:image[^\"]*|\b[0-9a-f]{64}\b", "", text)
    bare = re.sub(r"[\s()./-]", "", text)
    return [m for m in MARKERS if m in text or (m in PHONES and re.sub(r"[\s()./-]", "", m) in bare)]


def outputs(folder, to, capsys, *options):
    """Everything a person can have of a trial: pages, JSON, CSV, and what stood on the screen."""
    said = []
    for words in (
        ["report", str(folder), "--out", str(to / "page.html"), "--json", str(to / "a.json"), "--csv", str(to / "a.csv"), *options],
        ["report", str(folder), "--patient", "--out", str(to / "patient.html"), *options],
        ["check", str(folder), "--json", str(to / "check.json"), "--csv", str(to / "check.csv")],
        ["convert", str(folder), str(to / "long.csv")],
    ):  # fmt: skip
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0, capsys.readouterr()
        said.append("\n".join(capsys.readouterr()).replace(str(to), "").replace(str(folder), ""))
    names = ("page.html", "patient.html", "a.json", "a.csv", "check.json", "check.csv", "long.csv", "long.ledger.csv")
    files = {name: (to / name).read_text(encoding="utf-8") for name in names}
    return {**files, **dict(zip(("report", "patient", "check", "convert"), said, strict=True))}


@pytest.fixture(scope="module")
def planted(folder, tmp_path_factory):
    return folder, tmp_path_factory.mktemp("out")


def test_nothing_planted_reaches_an_output(planted, capsys):
    folder, to = planted
    found = outputs(folder, to, capsys)
    assert {name: leaks(text) for name, text in found.items() if leaks(text)} == {}
    # The texts that are made for being printed are, with their addresses masked; what was not read is told by its length.
    assert "walk the dog, write to [e-mail]" in found["page.html"]
    assert "new tablets, ask [phone] or [e-mail]" in found["page.html"]
    assert f"[text of {len(PROSE[1] + ' and then some')} characters]" in found["a.json"]
    assert "protocol [trial] person: it looks like a name" in found["check"]
    assert '"at dawn' not in found["check"]
    assert "sessions column depth_mm" in found["check"]
    assert "[name] diary.xlsx" in found["check"]


def test_objects_in_a_notebook_hold_nothing_planted(folder):
    trial = acu.read_trial(folder)
    review = acu.reassess(trial)
    shown = [repr(trial.diary), repr(review), review._repr_html_(), acu.check(trial).to_csv(),
             trial.diary.ledger.to_csv(), json.dumps(review.to_dict(), ensure_ascii=False), review.to_frame().to_csv(),
             *(section.html for section in blocks(review))]  # fmt: skip
    assert [leaks(text) for text in shown if leaks(text)] == []


def test_markers_would_be_found(folder):
    """The planted texts are in the folder, and a trial that asks for its notes prints them (masked)."""
    trial = acu.read_trial(folder)
    asked = acu.Trial(trial.protocol.model_copy(update={"show_notes": True}), trial.diary)
    page = " ".join(section.html for section in blocks(acu.reassess(asked)))
    assert set(leaks(page)) == {"forgot the umbrella", "Tamsinette", "Umbertokov"}
    assert "Xaverine" not in page  # who treated
    raw = (folder / "protocol.toml").read_text() + (folder / "sessions.csv").read_text()
    raw += " ".join(str(c.value) for row in openpyxl.load_workbook(folder / FILE).worksheets[0] for c in row)
    assert set(MARKERS) - {"Wilhelmsdottir", "Yolandine"} == set(leaks(raw))


@pytest.mark.slow
def test_pdf_and_notebook_hold_nothing_planted(folder, tmp_path):
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext")
    page, pdf, book = tmp_path / "page.html", tmp_path / "page.pdf", tmp_path / "page.ipynb"
    with pytest.raises(SystemExit) as left:
        main(["report", str(folder), "--out", str(page), "--pdf", str(pdf), "--ipynb", str(book)])
    if left.value.code == 3:
        pytest.skip("no browser and no WeasyPrint")
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout
    assert "Reassessment" in text
    assert leaks(text) == leaks(book.read_text(encoding="utf-8")) == []


def test_a_file_whose_columns_are_confused_quotes_no_comment(tmp_path):
    """Comments as outcome, as date, as question, as person, as title: told by length, number or not at all."""
    lines = [f"2026-01-{day:02d},{text},Ann{day} Secretperson" for day, text in enumerate(
        ("sad", "Tom came", "tired", "ok", "Ria shouted", "so so", "rainy", "Bob left", "good"), 5)]  # fmt: skip
    (tmp_path / "c.csv").write_text("\n".join(["date,comment,who", *lines]))
    pain = acu.OUTCOMES["nrs_pain"]

    def said(file="c.csv", **columns):
        try:
            diary = acu.read_diary(tmp_path / file, outcomes=[pain], columns=columns)
            return " ".join(map(str, diary.problems)) + diary.ledger.to_csv()
        except acu.AcuError as error:
            return str(error)

    secrets = ("sad", "Tom", "tired", "Ria", "rainy", "Bob", "Secretperson")
    for columns in (
        {"nrs_pain": "comment"},
        {"nrs_pain": "comment", "date": "who"},
        {"date": "comment", "nrs_pain": "who"},
        {"nrs_pain": "comment", "person": "who"},
        {"nrs_pain": "x", "question": "comment", "answer": "date"},
        {"nrs_pain": "nothing"},
    ):
        text = said(**columns)
        assert text
        assert [secret for secret in secrets if re.search(rf"\b{secret}\b", text)] == [], columns
    (tmp_path / "n.csv").write_text("\n".join(lines[1:]))
    assert "Tom" not in said("n.csv", nrs_pain="pain")


def test_categories_are_quoted_so_that_they_can_be_declared(tmp_path):
    words = ("none", "mild", "very bad", "quite bad", "moderate")
    lines = [f"2026-01-{day:02d},{words[day % 5]}" for day in range(5, 30)]
    (tmp_path / "w.csv").write_text("\n".join(["date,pain", *lines]))
    diary = acu.read_diary(tmp_path / "w.csv", outcomes=[acu.OUTCOMES["nrs_pain"]], columns={"nrs_pain": "pain"})
    assert set(diary.ledger["raw"]) == set(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jane.doe+x@mail.example.org.", "write to [e-mail]."),
        ("jane (at) mail.example", "[e-mail]"),
        ("0171 2345678", "[phone]"),
        ("06 12 34 56 78", "[phone]"),
        ("+49 (0)30 901820", "[phone]"),
        ("0041446681800", "[phone]"),
        ("212.555.0147", "[phone]"),
        ("5551234567", "[phone]"),
        ("tel 555-0147", "tel [phone]"),
        ("call 2026-01-05", "call 2026-01-05"),
        ("treatment phase: 2026-01-07", "treatment phase: 2026-01-07"),
    ],
)
def test_addresses_and_phone_numbers(text, expected):
    assert privacy.masked(text) == expected


@pytest.mark.parametrize("text", [
    "5", "3-4", "7/10", "05.01.2026", "5/1/26 21:06", "2026-01-05T12:30:00+0100", "20260105123000", "1606417200000",
    "1 234 567", "12,345.67", "4.123456789", "0.123456789", "10000-12000", "100 to 200", "0.5 0.25 0.75 1.25", "12:30-13:15",
    "rows 3, 17, 40 and 5 more", "ICD M54.5", "2026-01-05 to 2026-04-12", "26. 11. 2020 20:00",
])  # fmt: skip
def test_numbers_dates_and_times_are_no_phone_numbers(text):
    assert privacy.without_names(text) == text


@given(st.dates(dt.date(1990, 1, 1), dt.date(2059, 12, 31)), st.sampled_from(
    ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%d-%m-%Y", "%Y%m%d", "%d %B %Y", "%Y/%m/%d %H:%M", "%A, %d %B %Y"]))  # fmt: skip
def test_no_date_is_masked(day, form):
    written = day.strftime(form)
    assert privacy.without_names(f"on {written}.") == f"on {written}."
    assert privacy.quoted(written) == written


@given(st.text(max_size=300))
def test_any_text_can_be_quoted_and_what_is_masked_stays_masked(text):
    once = privacy.without_names(text)
    assert "@" not in once or not re.search(r"\w@\w+\.\w+", once)
    assert privacy.masked(privacy.masked(text)) == privacy.masked(text)
    assert len(privacy.quoted(text)) <= privacy.LONGEST + 20
    Problem("note", text, text, text)


def test_names_and_codes():
    hidden = ("Jane Doe", "JANE DOE", "Doe, Jane", "J. Doe", "Dr Doe", "Jane van Doe", "Jürgen Müller-Özil", "Jane_Doe")
    assert [text for text in hidden if privacy.without_names(f"{text} pain.csv") != "[name] pain.csv"] == []
    plain = (
        "Avg Pain",
        "Sleep Quality",
        "Low Back Pain",
        "Date",
        "Vitamin D",
        "Full Date",
        "Steps Taken",
        "Time In Bed",
    )
    assert [text for text in plain if privacy.without_names(text) != text] == []
    titles = [t for layout in acu.LAYOUTS for ts in layout.columns.values() for t in (*ts, layout.title)]
    titles += [outcome.label for outcome in acu.OUTCOMES.values()]
    assert [text for text in titles if privacy.without_names(text.title()) != text.title()] == []
    assert privacy.without_names("Zoe’s Apple Watch") == "[name]’s Apple Watch"
    codes = ("P-014", "Berlin-07", "Site 3 Patient 7", "S7", "case 12", "JD", "", "alpha")
    assert [code for code in codes if not privacy.is_code(code)] == []
    people = (
        "Jane",
        "Jane Doe",
        "jane doe",
        "j@mail.example",
        "0171 2345678",
        "Müller",
        "P1 Smith",
        "Doe 1960 Jane Smith",
    )
    assert [person for person in people if privacy.is_code(person)] == []


def test_long_texts_are_quoted_in_no_time():
    script = (
        "from acu_nof1.privacy import *\n"
        "for t in ('a'*10**6, '0 '*10**6, '(' * 10**6, 'a.'*10**6 + '@', 'Ab '*10**5, '+1'*10**6):\n"
        "    quoted(t); without_names(t[:LONGEST])\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=10)
