"""m-Path exports, written from their documented columns with a known truth, read back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import acu_nof1 as acu
from acu_nof1.errors import UnreadableFileError
from acu_nof1.load.formats.mpath import FIXED

PAIN, STRESS = acu.OUTCOMES["nrs_pain"], acu.OUTCOMES["nrs_stress"]
START = dt.datetime(2026, 1, 5, 20, 0)
EPOCH = dt.datetime(1970, 1, 1)
COLUMNS = {"nrs_pain": "pain_sliderNegPos", "nrs_stress": "stress_slider"}


def seconds(moment):
    """Seconds of local time: a clock on the wall, counted as if it were UTC."""
    return str(int((moment - EPOCH).total_seconds()))


def row(day, answers, *, person="17", answered=True, minutes=4, number=None, reminder=""):
    at = START + dt.timedelta(days=day)
    given = {
        "connectionId": person, "alias": "Somebody Real", "scheduledBeepId": str(100 + day), "questionListName": "evening",
        "sentBeepId": str(number or 500 + day), "reminderForOriginalSentBeepId": reminder, "timeStampScheduled": seconds(at),
        "timeStampSent": seconds(at), "timeZoneOffset": "-18000", "deltaUTC": "-5",
        "timeStampStart": seconds(at + dt.timedelta(minutes=minutes)) if answered else "",
        "timeStampStop": seconds(at + dt.timedelta(minutes=minutes + 1)) if answered else "",
    }  # fmt: skip
    return [*(given.get(name, "") for name in FIXED), *answers]


def export(tmp_path, rows):
    titles = [*FIXED, "pain_sliderNegPos", "stress_slider", "sex_open"]
    lines = [";".join(line) for line in (titles, *rows)]
    (tmp_path / "mpath.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n")
    return tmp_path / "mpath.csv"


def test_a_simulated_diary_comes_back_with_its_days_gaps_and_prompts(tmp_path):
    rng = np.random.default_rng(4)
    truth = np.where(rng.random(60) < 0.2, np.nan, rng.integers(0, 11, 60))
    rows = [
        row(day, [str(int(v)), "3", '"""Male"""'] if v == v else ["", "", ""], answered=v == v)
        for day, v in enumerate(truth)
    ]
    read = acu.read_diary(export(tmp_path, rows), outcomes=[PAIN, STRESS], columns=COLUMNS)
    days = read.values.index[0]
    assert days == np.datetime64(START.date() + dt.timedelta(days=int(np.flatnonzero(truth == truth)[0])))
    first, last = np.flatnonzero(truth == truth)[[0, -1]]
    np.testing.assert_array_equal(read.values["nrs_pain"], truth[first : last + 1])
    answered = int((truth == truth).sum())
    assert any(f"read as m-Path export, 60 prompts, {answered} answered" in each.problem for each in read.problems)
    assert (read.counts.kept, read.counts.ignored) == (2 * answered, 60 - answered)
    assert "Somebody" not in "\n".join(map(str, read.problems))


def test_evening_answers_stay_on_their_day_and_late_ones_are_named(tmp_path):
    rows = [row(0, ["6", "3", ""]), row(1, ["5", "3", ""], minutes=6 * 60), row(2, ["4", "3", ""], minutes=3 * 24 * 60)]
    read = acu.read_diary(export(tmp_path, rows), outcomes=[PAIN, STRESS], columns=COLUMNS)
    assert [str(day.date()) for day in read.values.index] == ["2026-01-05", "2026-01-06", "2026-01-07"]
    assert any("1 of 3 entries were typed more than a day late" in each.problem for each in read.problems)


def test_a_reminder_is_the_same_prompt(tmp_path):
    rows = [
        row(0, ["", "", ""], answered=False, number=500),
        row(0, ["6", "3", ""], number=501, reminder="500"),
        row(1, ["5", "3", ""]),
    ]
    read = acu.read_diary(export(tmp_path, rows), outcomes=[PAIN], columns={"nrs_pain": "pain_sliderNegPos"})
    assert any("2 prompts, 2 answered" in each.problem for each in read.problems)
    assert read.values["nrs_pain"].tolist() == [6, 5]


def test_several_people_are_asked_about_and_a_broken_time_is_named(tmp_path):
    broken = row(2, ["4", "3", ""])
    broken[FIXED.index("timeStampScheduled")] = "soon"
    rows = [row(0, ["6", "3", ""]), row(0, ["1", "3", ""], person="18"), row(1, ["5", "3", ""]), broken]
    path = export(tmp_path, rows)
    with pytest.raises(UnreadableFileError, match="2 people"):
        acu.read_diary(path, outcomes=[PAIN], columns={"nrs_pain": "pain_sliderNegPos"})
    read = acu.read_diary(path, outcomes=[PAIN], columns={"nrs_pain": "pain_sliderNegPos"}, person="17")
    assert read.values["nrs_pain"].tolist() == [6, 5]
    assert any("3 prompts, 3 answered" in each.problem for each in read.problems)
    assert read.ledger["rule"].tolist() == ["no readable date"]
    assert read.ledger["row"].tolist() == [5]
    assert read.ignored["reason"].tolist() == ["rows of other people"]


def test_the_page_tells_how_many_prompts_were_answered(tmp_path):
    rng = np.random.default_rng(7)
    answered = rng.random(56) < 0.8
    answered[[0, 55]] = True
    export(tmp_path, [row(day, [str(day % 5 + 2), "3", ""], answered=bool(yes)) for day, yes in enumerate(answered)])
    (tmp_path / "protocol.toml").write_text(
        '[outcome.pain]\ninstrument = "nrs_pain"\nimportant_change = 2\nsource = "agreed"\n'
        '[[phase]]\nkind = "baseline"\nstart = 2026-01-05\nend = 2026-01-18\n'
        '[[phase]]\nkind = "treatment"\nstart = 2026-01-19\nend = 2026-03-01\n'
        '[[diary]]\nfile = "mpath.csv"\ncolumns = { pain = "pain_sliderNegPos" }\n'
    )
    review = acu.reassess(acu.read_trial(tmp_path))
    acu.write_report(review, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    share = f"mpath.csv asked 56 times and was answered {answered.sum()} times ({100 * answered.sum() / 56:.0f} %)."
    assert share in page
    inputs = {each["file"]: (each["prompts"], each["prompts_answered"]) for each in review.to_dict()["inputs"]}
    assert inputs["mpath.csv"] == (56, answered.sum())


def test_an_export_without_an_answer_and_without_the_item_is_an_error_in_words(tmp_path):
    with pytest.raises(UnreadableFileError, match="none of the outcomes nrs_pain"):
        acu.read_diary(export(tmp_path, [row(0, ["", "", ""], answered=False)]), outcomes=[PAIN])
