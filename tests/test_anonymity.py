"""A trial without what could tell whose it is: nothing of a person left, every number kept."""

import datetime as dt
import json
import re

import pandas as pd
import pytest
import report_cases as cases

import acu_nof1 as acu
from acu_nof1 import words
from acu_nof1.anonymity import MONDAY, date_shift
from acu_nof1.report import blocks

SECRETS = ("P-014", "drive to work", "bruise", "sleepy", "graded walking", "pain.csv", "Avg pain", "function", "/10")


@pytest.fixture(scope="module")
def trial():
    return acu.read_trial(cases.SAMPLE_DATA / "low_back_pain")


@pytest.fixture(scope="module")
def review(trial):
    return acu.reassess(acu.anonymous(trial))


def everything(review):
    page = " ".join(section.html for section in blocks(review))
    return page + json.dumps(review.to_dict(), ensure_ascii=False) + review.to_frame().to_csv() + repr(review)


def test_nothing_that_tells_whose_it_is_is_left(trial, review):
    said = re.sub(r"[0-9a-f]{8,64}|data:image[^\"]*", "", everything(review))
    assert [secret for secret in (*SECRETS, "2026") if secret in said] == []
    asked = trial.protocol.model_copy(update={"show_notes": True})
    full = everything(acu.reassess(acu.Trial(asked, trial.diary)))
    assert all(secret in full for secret in SECRETS)


@pytest.mark.parametrize("name", cases.SAMPLES)
def test_every_number_stays(name):
    trial = acu.read_trial(cases.SAMPLE_DATA / name)
    full, hidden = acu.reassess(trial), acu.reassess(acu.anonymous(trial))
    frames = [review.to_frame().drop(columns=["person"], errors="ignore") for review in (full, hidden)]
    dated = [column for column in frames[0] if frames[0][column].astype(str).str.contains(r"\d{4}-\d\d").any()]
    pd.testing.assert_frame_equal(*(frame.drop(columns=dated) for frame in frames))
    assert full.verdict.kind == hidden.verdict.kind
    assert [len(part) for part in (full.attribution, full.limits)] == [
        len(part) for part in (hidden.attribution, hidden.limits)
    ]


def test_weekdays_and_distances_stay(trial, review):
    move = date_shift(trial)
    assert move.days % 7 == 0
    start = review.trial.protocol.first_treatment.start
    assert abs(start - MONDAY) < dt.timedelta(days=4)
    assert start - trial.protocol.first_treatment.start == move
    assert [s.date - t.date for s, t in zip(review.trial.protocol.sessions, trial.protocol.sessions, strict=True)] == [
        move
    ] * 10


def test_a_red_flag_survives_and_text_of_a_person_does_not():
    sessions = [acu.Session(date=dt.date(2025, 12, 1), red_flag=("fever", "told Eva he fell"))]
    outcomes = [cases.outcome(0, "Pain")]
    hidden = acu.reassess(acu.anonymous(cases.make_trial(outcomes, sessions=sessions, person="Eva")))
    assert hidden.safety.overrules == "red_flag"
    assert "pain with fever" in hidden.sentence
    assert "Eva" not in everything(hidden)


def test_dates_in_the_style_that_was_asked_for(trial, tmp_path):
    review = acu.reassess(trial)
    expected = {"day_month": "13 Apr 2026", "us": "Apr 13, 2026", "iso": "2026-04-13"}
    for style, date in expected.items():
        acu.write_report(review, tmp_path / "page.html", dates=style)
        text = re.sub(r"data:image[^\"]*", "", (tmp_path / "page.html").read_text(encoding="utf-8"))
        assert date in text
        assert [other for other in expected.values() if other != date and other in text] == []
    assert words.date(dt.date(2026, 4, 3)) == "3 Apr 2026"


def test_an_unknown_style_says_which_there_are(trial, tmp_path):
    with pytest.raises(acu.AcuError, match=r"Did you mean .us"):
        acu.write_report(acu.reassess(trial), tmp_path / "page.html", dates="usa")
