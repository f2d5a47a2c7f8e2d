"""The session log: what STRICTA asks is kept and summarised, points are text, and what a spreadsheet made of them is said."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pytest
import report_cases as cases

import acu_nof1 as acu
from acu_nof1.course import PARTS, course_of, part_of
from acu_nof1.load.trials import read_sessions
from acu_nof1.report import blocks
from acu_nof1.words.course import done_in_words

FIRST = cases.START + dt.timedelta(days=14)
# As a clinic types it: every column of CLINICAL practice, titles in its own words.
LOG = {
    "Date": FIRST, "Attended": "yes", "Practitioner": "Zebulon Quimperle", "Acupuncture style": "TCM", "Needles n": 8,
    "Points": "LI4; SP6", "Side": "both", "Depth mm": "15-20", "Response sought": "de qi", "Response obtained": "yes",
    "Stimulation": "electrical", "Frequency Hz": "2", "Retention min": "20 min", "Needle size": "0.25 x 40",
    "Other components": "heat lamp", "Adverse event": "bruise", "Notes": "argued with the landlord", "Mood": "cheerful",
}  # fmt: skip


def trial_with(*sessions):
    return cases.make_trial([cases.outcome(0, "Pain")], sessions=sessions)


def logged(points):
    return [acu.Session(date=FIRST + dt.timedelta(days=n), more={"points": text}) for n, text in enumerate(points)]


def done(trial, part):
    look = acu.Look(on=FIRST + dt.timedelta(days=50))
    return next(each for each in course_of(trial, look).done if each.part == part)


@pytest.fixture
def workbook(tmp_path):
    def made(*rows, titles=tuple(LOG)):
        book = openpyxl.Workbook()
        book.active.append(list(titles))
        for row in rows:
            book.active.append(list(row))
        book.save(tmp_path / "sessions.xlsx")
        return read_sessions(tmp_path / "sessions.xlsx")

    return made


def test_every_column_of_stricta_is_kept_and_summarised(workbook):
    (session,) = workbook(LOG.values())
    trial = trial_with(session)
    assert {part: done(trial, part).told for part in PARTS} == dict.fromkeys(PARTS, 1)
    assert done(trial, "response").counts == (("de qi; yes", 1),)
    assert done(trial, "depth_mm").numbers == (15, 17.5, 20)
    assert done(trial, "retention_min").numbers == (20, 20, 20)
    page = " ".join(section.html for section in blocks(acu.reassess(trial, on=FIRST + dt.timedelta(days=50))))
    printed = ("TCM", "de qi", "electrical", "0.25 x 40", "heat lamp", "bruise", "1 person, not named here")
    assert [text for text in printed if text not in page] == []
    # Kept in the log, printed only when asked for, and the practitioner never.
    assert session.notes == "argued with the landlord"
    assert session.more["mood"] == "cheerful"
    assert [text for text in ("landlord", "cheerful", "Quimperle") if text in page] == []
    assert "show_notes" in page
    asked = acu.Trial(trial.protocol.model_copy(update={"show_notes": True}), trial.diary)
    page = " ".join(section.html for section in blocks(acu.reassess(asked, on=FIRST + dt.timedelta(days=50))))
    assert "landlord" in page
    assert "cheerful" in page
    assert "Quimperle" not in page


@pytest.mark.parametrize("text", [
    "LI4; SP6", "LI-4, sp 6", "li 4 / SP6", "LI 4 + SP-6", "LI4 SP6", "LI4\nSP6", "LI4 & SP6", "SP6;; LI4 ;",
])  # fmt: skip
def test_points_are_the_same_however_they_are_written(text):
    trial = trial_with(*logged([text, "LI4; SP6"]))
    assert dict(done(trial, "points").counts) == {"LI4": 2, "SP6": 2}
    assert course_of(trial, acu.Look(on=FIRST + dt.timedelta(days=50))).choices == 1


def test_names_of_points_stay_text():
    names = ("Hegu", "Zu San Li", "EX-HN3", "3E5", "Ashi", "MAR4", "ST36 left")
    counts = dict(done(trial_with(*logged(["; ".join(names)])), "points").counts)
    assert set(counts) == {"Hegu", "Zu San Li", "EX-HN3", "3E5", "Ashi", "MAR4", "ST36 left"}


def test_what_excel_makes_of_points_and_depths_is_no_point_and_no_number(workbook):
    """Real date and number cells: 3-4 typed as a depth, 3E5 (the fifth point of the triple heater) as a point."""
    titles = ["date", "points", "depth_mm"]
    day = dt.timedelta(days=1)
    turned = dt.datetime(2026, 4, 3)
    sessions = workbook(
        (FIRST, "LI4", turned), (FIRST + day, 300000, "3-4"), (FIRST + 2 * day, turned, 15), titles=titles
    )
    trial = trial_with(*sessions)
    points, depth = done(trial, "points"), done(trial, "depth_mm")
    assert points.counts == (("LI4", 1),)
    assert points.left_out == ("300000", "2026-04-03")
    assert depth.left_out == ("2026-04-03",)
    assert depth.numbers == (3, 9.25, 15)
    assert "left out, as it is no point: “300000” and “2026-04-03”" in done_in_words(points)
    said = {
        row.where: f"{row.problem} {row.remedy}" for row in acu.check(trial).itertuples() if row.severity == "warning"
    }
    for where in ("sessions column points", "sessions column depth_mm"):
        assert "A spreadsheet makes a date of 3-4" in said[where]


@pytest.mark.parametrize("cell", ["4-Mar", "03/04/2026", "3.00E+05", "2026-04-03 00:00:00", "3-4"])
def test_the_same_in_a_csv_that_excel_saved(cell):
    trial = trial_with(*logged([cell, "LI4"]))
    assert done(trial, "points").counts == (("LI4", 1),)
    assert done(trial, "points").left_out == (cell,)


def test_prose_where_a_number_belongs_is_told_by_its_length():
    session = acu.Session(date=FIRST, more={"depth_mm": "as deep as Zebulon could bear it today", "needles_n": "a few"})
    trial = trial_with(session)
    assert done(trial, "depth_mm").left_out == ("[text of 38 characters]",)
    assert "Zebulon" not in acu.check(trial).to_csv()
    assert any("no number" in text for text in acu.check(trial)["problem"])


def test_titles_of_columns():
    known = {
        "Points": "points",
        "Needles": "needles_n",
        "De-qi": "response",
        "Depth (mm)": "depth_mm",
        "Retention": "retention_min",
    }
    assert {title: part_of(title) for title in known} == known
    assert [title for title in ("patient", "notes", "mood", "practitioner") if part_of(title)] == []
