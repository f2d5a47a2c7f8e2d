"""REDCap exports, written from their documented columns with a known truth: raw and labelled, with the data dictionary."""

from __future__ import annotations

import csv
import datetime as dt

import numpy as np
import pytest

import acu_nof1 as acu
from acu_nof1.errors import UnreadableFileError
from acu_nof1.load.formats.redcap import Question, forms_of
from acu_nof1.protocol import DiaryFile

PAIN, STRESS, FLARE = acu.OUTCOMES["nrs_pain"], acu.OUTCOMES["nrs_stress"], acu.OUTCOMES["flare_day"]
START = dt.date(2026, 1, 5)
EVENT, REPEAT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
RAW = ["study_id", EVENT, REPEAT, INSTANCE, "sex", "age", "demographics_complete", "daily_diary_timestamp", "diary_date",
       "pain_now", "stress", "signs___1", "signs___2", "daily_diary_complete", "visit_date", "visit_complete"]  # fmt: skip
LABELS = ["Study ID", "Event Name", "Repeat Instrument", "Repeat Instance", "Sex", "Age", "Complete?", "Survey Timestamp",
          "Date", "Pain now", "Stress today", "Signs (choice=Flare-up)", "Signs (choice=Other)", "Complete?", "Visit",
          "Complete?"]  # fmt: skip
COLUMNS = {"nrs_pain": "pain_now", "nrs_stress": "stress", "flare_day": "signs___1"}
LABELLED = {"nrs_pain": "Pain now", "nrs_stress": "Stress today", "flare_day": "Signs (choice=Flare-up)"}
PAIN_LABELS = {0: "0 - none", **{n: str(n) for n in range(1, 10)}, 10: "10 - worst"}
DICTIONARY = ["Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
              "Choices, Calculations, OR Slider Labels", "Field Note", "Identifier?"]  # fmt: skip


def dictionary(tmp_path, pain=None, stress="0, None | 5, Some | 10, A lot | -99, Prefer not to answer"):
    pain = pain or " | ".join(f"{code}, {label}" for code, label in PAIN_LABELS.items())
    fields = [
        ["study_id", "demographics", "", "text", "Study ID", "", "", ""],
        ["diary_date", "daily_diary", "", "text", "Date", "", "", "y"],
        ["pain_now", "daily_diary", "", "radio", "Pain now", pain, "", ""],
        ["stress", "daily_diary", "", "dropdown", "Stress today", stress, "", ""],
        ["signs", "daily_diary", "", "checkbox", "Signs", "1, Flare-up | 2, Other", "", ""],
    ]
    return written(tmp_path / "dictionary.csv", [DICTIONARY, *fields])


def written(path, rows):
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return path


def truth(seed=5, days=40):
    rng = np.random.default_rng(seed)
    pain, stress = rng.integers(0, 11, days), rng.choice([0, 5, 10], days)
    return pain, stress, rng.integers(0, 2, days), rng.random(days) < 0.2


def export(tmp_path, labelled=False, person="R-01", others=True):
    """A baseline event, a diary form that repeats, and visits that repeat; of two people."""
    rows = [LABELS if labelled else RAW]
    for who, seed in ((person, 5), *((("R-02", 6),) if others else ())):
        pain, stress, flare, gaps = truth(seed)
        first = ["Baseline", "", ""] if labelled else ["baseline_arm_1", "", ""]
        none, done = ("Unchecked", "Complete") if labelled else ("0", "2")
        rows.append([who, *first, "1", "54", done, "", "", "", "", none, none, "", "", ""])
        for day, gap in enumerate(gaps):
            event = ["Treatment", "Daily diary"] if labelled else ["treatment_arm_1", "daily_diary"]
            date = str(START + dt.timedelta(days=day))
            if gap:
                continue
            said = [PAIN_LABELS[int(pain[day])], {0: "None", 5: "Some", 10: "A lot"}[int(stress[day])]]
            raw = [str(pain[day]), str(stress[day])]
            box = [none, "Checked" if labelled else "1"][flare[day]]
            answers = [f"{date} 21:00", date, *(said if labelled else raw), box, none, done]
            rows.append([who, *event, str(day + 1), "", "", "", *answers, "", ""])
        visit = ["Treatment", "Visit"] if labelled else ["treatment_arm_1", "visit"]
        rows.append([who, *visit, "1", "", "", "", "", "", "", "", none, none, "", str(START), done])
    return written(tmp_path / "redcap.csv", rows)


def read(tmp_path, columns=COLUMNS, outcomes=(PAIN, STRESS, FLARE), **declared):
    file = DiaryFile(file="redcap.csv", columns=columns, person=declared.pop("person", "R-01"), **declared)
    return acu.read_diary(file, outcomes=outcomes, folder=tmp_path)


def told(diary):
    return "\n".join(f"{each.where} {each.problem} {each.remedy}" for each in diary.problems)


@pytest.mark.parametrize("labelled", [False, True], ids=["raw", "labels"])
def test_a_simulated_diary_comes_back_from_the_raw_and_from_the_labelled_export(tmp_path, labelled):
    export(tmp_path, labelled)
    dictionary(tmp_path)
    diary = read(tmp_path, LABELLED if labelled else COLUMNS, dictionary="dictionary.csv")
    pain, stress, flare, gaps = truth()
    answered = np.flatnonzero(~gaps)
    span = slice(answered[0], answered[-1] + 1)
    for name, expected in (("nrs_pain", pain), ("nrs_stress", stress), ("flare_day", flare)):
        np.testing.assert_array_equal(diary.values[name], np.where(gaps, np.nan, expected)[span])
    counts = diary.counts
    assert counts.kept + counts.converted + counts.missing + counts.rejected == 3 * len(answered)
    assert counts.rejected == counts.missing == 0
    others = int((~truth(6)[3]).sum())
    left = dict(zip(diary.ignored["reason"], diary.ignored["records"], strict=True))
    assert left == {"rows of other people": others + 2, "rows with neither a date nor an answer": 2}
    assert "read as REDCap export" in told(diary)


def test_labels_without_the_dictionary_are_not_guessed(tmp_path):
    export(tmp_path, labelled=True)
    diary = read(tmp_path, LABELLED)
    assert diary.counts.rejected > 0
    said = diary.ledger[diary.ledger["status"] == "rejected"]["raw"]
    assert set(said) <= {"0 - none", "10 - worst", "None", "Some", "A lot"}


def test_whose_rows_is_asked_where_there_are_several_people(tmp_path):
    export(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"2 people \(\"R-01\", \"R-02\"\)"):
        read(tmp_path, person=None)


def test_codes_for_no_answer_come_from_the_dictionary_and_hold_for_their_own_field(tmp_path):
    rows = [RAW[:3] + RAW[8:14]]
    rows += [["1", "a_arm_1", "daily_diary", str(START + dt.timedelta(days=n)), "9", stress, "0", "0", "2"]
             for n, stress in enumerate(("5", "9", "-99", "0"))]  # fmt: skip
    written(tmp_path / "redcap.csv", rows)
    dictionary(tmp_path, stress="0, None | 5, Some | 9, Don't know | -99, Not answered")
    diary = read(tmp_path, person=None, dictionary="dictionary.csv")
    np.testing.assert_array_equal(diary.values["nrs_stress"], [5, np.nan, np.nan, 0])
    assert diary.values["nrs_pain"].tolist() == [9, 9, 9, 9]


@pytest.mark.parametrize("first_and_last", [("0", "10"), ("none", "worst")])
def test_codes_that_are_not_the_numbers_of_their_labels_are_never_read_as_they_stand(tmp_path, first_and_last):
    """Codes 1 to 11 for answers 0 to 10: with all numbers in the labels they decide, else the codes are refused."""
    labels = [first_and_last[0], *map(str, range(1, 10)), first_and_last[1]]
    rows = [RAW[:3] + RAW[8:14]]
    rows += [["1", "a_arm_1", "daily_diary", str(START + dt.timedelta(days=n)), str(n + 1), "5", "0", "0", "2"]
             for n in range(11)]  # fmt: skip
    written(tmp_path / "redcap.csv", rows)
    dictionary(tmp_path, pain=" | ".join(f"{n + 1}, {label}" for n, label in enumerate(labels)))
    diary = read(tmp_path, person=None, dictionary="dictionary.csv")
    if first_and_last[0] == "0":
        assert diary.values["nrs_pain"].tolist() == list(range(11))
        assert "labelled with other numbers (code 1 with 0)" in told(diary)
    else:
        assert diary.values["nrs_pain"].isna().all()
        assert "11 (labelled worst)" in set(diary.ledger["raw"])
        assert "declare what they stand for" in told(diary)


def test_unticked_boxes_of_a_form_that_nobody_filled_in_are_no_answers(tmp_path):
    titles = ["record_id", EVENT, "diary_date", "pain_now", "morning_complete", "signs___1", "bed", "evening_complete"]
    rows = [
        titles,
        ["1", "day_1_arm_1", "2026-01-05", "4", "2", "0", "", "0"],  # the evening was not filled in
        ["1", "day_2_arm_1", "2026-01-06", "5", "2", "0", "22", "2"],
        ["1", "day_3_arm_1", "2026-01-07", "5", "2", "1", "", "0"],
        ["1", "day_4_arm_1", "2026-01-08", "6", "2", "0", "", "2"],
        ["1", "day_5_arm_1", "", "", "", "0", "", ""],
    ]
    written(tmp_path / "redcap.csv", rows)
    diary = read(tmp_path, {"nrs_pain": "pain_now", "flare_day": "signs___1"}, (PAIN, FLARE), person=None)
    np.testing.assert_array_equal(diary.values["flare_day"], [np.nan, 0, 1, 0])
    missing = diary.ledger[diary.ledger["outcome"] == "flare_day"]
    assert missing["raw"].tolist()[0] == "0 (form empty)"
    assert diary.ignored[["reason", "records"]].to_numpy().tolist() == [["rows with neither a date nor an answer", 1]]


def test_answers_without_a_date_are_named_not_left_out(tmp_path):
    rows = [RAW[:3] + RAW[8:14], ["1", "a_arm_1", "daily_diary", "", "6", "5", "0", "0", "2"],
            ["1", "a_arm_1", "daily_diary", "2026-01-05", "6", "5", "0", "0", "2"]]  # fmt: skip
    written(tmp_path / "redcap.csv", rows)
    diary = read(tmp_path, person=None)
    assert diary.counts.rejected == 3
    assert "row 2 column diary_date" in told(diary)


def test_late_surveys_are_known_by_their_timestamp(tmp_path):
    titles = ["record_id", REPEAT, INSTANCE, "daily_diary_timestamp", "diary_date", "pain_now", "daily_diary_complete"]
    days = ["2026-01-05", "2026-01-06", "2026-01-07"]
    typed = ["2026-01-05 21:00:00", "2026-01-09 08:00:00", "[not completed]"]
    rows = [
        ["1", "daily_diary", str(n), at, day, "4", "2"] for n, (at, day) in enumerate(zip(typed, days, strict=True))
    ]
    written(tmp_path / "redcap.csv", [titles, *rows])
    diary = read(tmp_path, {"nrs_pain": "pain_now"}, (PAIN,), person=None)
    assert "1 of 3 entries were typed more than a day late" in told(diary)


def test_a_file_that_is_no_dictionary_and_one_that_is_missing_are_said(tmp_path):
    export(tmp_path)
    written(tmp_path / "dictionary.csv", [["name", "kind"], ["pain", "radio"]])
    with pytest.raises(UnreadableFileError, match="a data dictionary has the columns variable / field name"):
        read(tmp_path, dictionary="dictionary.csv")
    with pytest.raises(UnreadableFileError, match="there is no such file"):
        read(tmp_path, dictionary="other.csv")


def test_a_dictionary_outside_the_trial_folder_is_refused(tmp_path):
    folder = tmp_path / "trial"
    folder.mkdir()
    export(folder)
    dictionary(tmp_path)
    (folder / "protocol.toml").write_text(
        '[outcome.pain]\ninstrument = "nrs_pain"\n[[phase]]\nkind = "baseline"\nstart = 2026-01-05\nend = 2026-01-20\n[[phase]]\nkind = "treatment"\nstart = 2026-01-21\nend = 2026-02-20\n'
        '[[diary]]\nfile = "redcap.csv"\nperson = "R-01"\ndictionary = "../dictionary.csv"\n'
        'columns = { pain = "pain_now" }\n'
    )
    with pytest.raises(acu.AcuError, match="must lie in the trial folder"):
        acu.read_trial(folder)


def test_columns_belong_to_the_form_whose_complete_column_follows_them():
    forms = forms_of(RAW)
    assert [form.complete for form in forms] == ["demographics_complete", "daily_diary_complete", "visit_complete"]
    assert forms[1].boxes == ("signs___1", "signs___2")
    assert forms[0].fields == ("sex", "age")


def test_numbers_in_labels():
    assert Question({"1": "0 = none", "2": "1-2 days"}).numbers == {"1": 0.0, "2": None}
    assert Question({"0": "None of the time", "1": "All", "9": "Refused"}).words == {
        "None of the time": 0.0,
        "All": 1.0,
    }
