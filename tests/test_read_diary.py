"""From files to a diary: values, ledger, counts and complaints."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from acu_nof1.diary import LEDGER_COLUMNS, Diary
from acu_nof1.errors import AcuError, UnreadableFileError, UsageError
from acu_nof1.load.cells import NO_DATE, SAME_TWICE, SEVERAL
from acu_nof1.load.complaints import shown
from acu_nof1.load.diaries import read_diary
from acu_nof1.load.layouts import LAYOUTS
from acu_nof1.outcomes import OUTCOMES, Outcome
from acu_nof1.protocol import DiaryFile

PAIN = replace(OUTCOMES["nrs_pain"], name="pain")
SLEEP = replace(OUTCOMES["csd_tst"], name="sleep")
STEPS = Outcome("steps", "Steps", "count", unit="steps/day", better="higher")
HEADACHE = replace(OUTCOMES["headache_day"], label="Headache")
HOPE = Outcome("hope", "Hope", "rating", "points", 0, 10, "higher")
NIGHT = "date,into_bed,tried_to_sleep,minutes_to_sleep,minutes_awake,final_awakening,out_of_bed\n"


@pytest.fixture
def diary(tmp_path):
    def read(*texts, outcomes=(PAIN,), **how):
        paths = []
        for i, text in enumerate(texts):
            path = tmp_path / (f"diary{i or ''}.csv")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return consistent(read_diary(*paths, outcomes=outcomes, **how))

    return read


def consistent(diary: Diary) -> Diary:
    counts, ledger = diary.counts, diary.ledger
    assert counts.read == counts.kept + counts.converted + counts.missing + counts.rejected
    assert tuple(ledger.columns) == LEDGER_COLUMNS
    assert not ledger.duplicated(["file", "row", "column", "outcome"]).any()
    assert (ledger["status"] == "converted").sum() == counts.converted
    assert (ledger["status"] == "rejected").sum() == counts.rejected
    assert (ledger["status"] == "missing").sum() <= counts.missing
    assert "kept" not in set(ledger["status"])
    assert (ledger["rule"] != "").all()
    assert ledger.loc[ledger["status"] != "converted", "value"].isna().all()
    return diary


def said(diary, severity=None):
    return [str(problem) for problem in diary.problems if severity in (None, problem.severity)]


def pain(diary):
    return diary.values["pain"].tolist()


def row(diary, **where):
    """The only ledger row with these entries."""
    ledger = diary.ledger
    for column, value in where.items():
        ledger = ledger[ledger[column] == value]
    assert len(ledger) == 1, diary.ledger
    return ledger.iloc[0]


def test_plain_diary(diary):
    read = diary("date,pain\n2026-01-05,6\n2026-01-07,5\n")
    assert read.values.index.tolist() == list(pd.date_range("2026-01-05", "2026-01-07"))
    assert pain(read)[::2] == [6, 5]
    assert np.isnan(pain(read)[1])
    assert read.ledger.empty
    assert (read.counts.kept, read.counts.read) == (2, 2)
    assert said(read) == []
    assert (read.sources[0].file, len(read.sources[0].sha256)) == ("diary.csv", 64)
    assert read.sources[0].read_as == 'text, UTF-8, separated by ",", wide'


def test_columns_by_name_label_and_mapping(diary):
    text = "Date,  PAIN ,Avg pain,Other\n2026-01-05,6,3,x\n"
    assert pain(diary(text)) == [6]
    read = diary(text, columns={"pain": "avg  Pain"})
    assert pain(read) == [3]
    assert any('columns not read: "PAIN", "Other"' in line for line in said(read, "note"))


def test_label_that_two_outcomes_share_decides_nothing(diary):
    other = replace(OUTCOMES["vas_pain"], name="worst")
    with pytest.raises(UnreadableFileError, match="none of the outcomes"):
        diary("date,Pain\n2026-01-05,6\n", outcomes=(replace(PAIN, name="average"), other))


@pytest.mark.parametrize(
    ("raw", "status", "rule", "value"),
    [
        ("3-4", "converted", "a range: midpoint", 3.5),
        ("7/10", "converted", "the number before the end of the scale", 7),
        ("3/5", "rejected", "out of a number that is not the end of the scale (10)", None),
        ('"7,5"', "rejected", "a comma inside a number", None),
        ("moderate", "rejected", "a word, not a number", None),
        ("11", "rejected", "outside the scale (0 to 10 points)", None),
        ("-1", "rejected", "outside the scale (0 to 10 points)", None),
        ("none", "missing", '"none" is not declared as zero', None),
        ("n/a", "missing", "a code for not answered", None),
        ("-", "missing", "a code for not answered", None),
        ("~7", "converted", "an approximate number, taken as written", 7),
        ("7+", "rejected", "an open number", None),
        ("1e1", "rejected", "a number in scientific notation", None),
        ("2026-04-03", "rejected", "a date where a number was expected", None),
        ("7 points", "converted", 'unit "points" in the cell', 7),
    ],
)
def test_touched_cell_is_in_the_ledger(diary, raw, status, rule, value):
    read = diary(f"Day,Pain\n2026-01-05,6\n2026-01-06,{raw}\n2026-01-07,5\n")
    line = row(read)
    assert (line["file"], line["row"], line["column"], line["outcome"]) == ("diary.csv", 3, "Pain", "pain")
    assert (line["date"], line["raw"]) == (pd.Timestamp("2026-01-06"), raw.strip('"'))
    assert (line["status"], line["rule"]) == (status, rule)
    assert line["value"] == value or (value is None and np.isnan(line["value"]))
    assert read.values["pain"].isna().sum() == (value is None)
    assert any(text.startswith("diary.csv row 3 column Pain: ") for text in said(read))


def test_zero_is_zero_and_blank_is_counted_only(diary):
    read = diary("date,pain\n2026-01-05,0\n2026-01-06,\n2026-01-07, \n")
    assert pain(read)[0] == 0
    assert (read.counts.kept, read.counts.missing, len(read.ledger)) == (1, 2, 0)


def test_units_of_a_file(diary):
    read = diary("date,sleep\n2026-01-05,7.5\n2026-01-06,7.1\n", outcomes=(SLEEP,), units={"sleep": "h"})
    assert read.values["sleep"].tolist() == [450, 426]
    assert read.ledger["rule"].tolist() == ["converted from h to min"] * 2
    assert read.counts.converted == 2


def test_hours_taken_for_minutes_are_asked_about(diary):
    read = diary("date,sleep\n2026-01-05,7.5\n2026-01-06,8\n", outcomes=(SLEEP,))
    assert any('declare units = {sleep = "h"}' in line for line in said(read, "error"))


def test_column_on_another_scale(diary):
    rows = "".join(f"2026-01-{day:02d},{value}\n" for day, value in enumerate([18, 24, 9, 21, 30], 5))
    read = diary("date,peg\n" + rows, outcomes=(OUTCOMES["peg"],))
    assert read.counts.rejected == 4
    assert any("4 of 5 answers to peg were not read" in line for line in said(read, "error"))
    assert any("rows 2, 3, 5 and 1 more, column peg" in line for line in said(read, "warning"))


# ---------------------------------------------------------------------------------------------- dates


def test_unreadable_date_rejects_its_row(diary):
    read = diary("date,pain,steps\n2026-01-05,6,100\nsoon,5,\n,4,300\n", outcomes=(PAIN, STEPS))
    assert read.ledger["rule"].tolist() == [NO_DATE.name] * 3
    assert read.ledger["date"].isna().all()
    assert (read.counts.rejected, read.counts.missing, read.counts.kept) == (3, 1, 2)
    dates = [line for line in said(read, "warning") if "column date" in line]
    assert len(dates) == 1
    assert dates[0].startswith('diary.csv rows 3, 4, column date: "soon", "": no readable date')


def test_ambiguous_dates_are_asked_about(diary):
    text = "date,pain\n01/02/2026,6\n02/02/2026,5\n"
    read = diary(text)
    assert read.counts.rejected == 2
    assert len(said(read)) == 1
    assert "dayfirst = true" in said(read, "error")[0]
    assert diary(text, dayfirst=True).first_day == pd.Timestamp("2026-02-01")
    assert diary(text, dayfirst=False).first_day == pd.Timestamp("2026-01-02")


def test_decided_dates_are_said(diary):
    read = diary("date,pain\n12/01/2026,6\n13/01/2026,5\n")
    assert read.first_day == pd.Timestamp("2026-01-12")
    assert said(read, "note") == ["diary.csv column date: dates day first."]


def test_time_of_day_does_not_move_the_day(diary):
    assert diary("date,pain\n2026-01-05T23:30:00-08:00,6\n").first_day == pd.Timestamp("2026-01-05")


def test_far_and_future_dates(diary):
    soon = dt.date.today() + dt.timedelta(days=3)
    past = "".join(f"{dt.date.today() - dt.timedelta(days=day)},5\n" for day in range(5))
    read = diary(f"date,pain\n{past}{soon},6\n2062-01-05,6\n")
    warnings = said(read, "warning")
    assert any("row 7 column date: a day that has not come yet" in line for line in warnings)
    assert any('row 8 column date: a year far from the others: "2062-01-05"' in line for line in warnings)


def test_late_entries(diary):
    text = (
        "date,typed,pain\n2026-01-05,2026-01-05 21:00,6\n2026-01-06,2026-01-07 08:00,5\n2026-01-07,2026-01-11 09:00,5\n"
    )
    read = diary(text, columns={"entered": "typed"})
    assert any(line.startswith("diary.csv row 4 column typed: 1 of 3 entries") for line in said(read, "warning"))


# ----------------------------------------------------------------------------------------- same day twice


def test_identical_days_are_dropped_and_logged(diary):
    read = diary("date,pain\n2026-01-05,6\n2026-01-05,6.0\n2026-01-06,5\n")
    assert pain(read) == [6, 5]
    assert (row(read)["row"], row(read)["status"], row(read)["rule"]) == (3, "rejected", SAME_TWICE.name)
    assert said(read, "warning") + said(read, "error") == []


@pytest.mark.parametrize(
    ("reducer", "value", "hope"), [("mean", 5, 5), ("worst", 6, 4), ("best", 4, 6), ("first", 6, 6), ("last", 4, 4)]
)
def test_different_answers_are_reduced_as_declared(diary, reducer, value, hope):
    text = "date,pain,hope\n2026-01-05,6,6\n2026-01-05,4,4\n2026-01-06,5,5\n"
    read = diary(text, outcomes=(PAIN, HOPE), reducer=reducer)
    assert read.values.iloc[0].tolist() == [value, hope]
    both = read.ledger[read.ledger["outcome"] == "pain"]
    assert both["row"].tolist() == [2, 3]
    assert set(both["rule"]) == {f"{SEVERAL.name}: {reducer}"}
    assert both["value"].tolist() == [value, value]
    assert any("rows 2, 3, column pain" in line for line in said(read, "note"))
    assert not any("reducer" in line for line in said(read, "warning"))  # what was declared is not asked for
    undeclared = diary(text, outcomes=(PAIN, HOPE))
    assert any("rows 2, 3, column pain" in line and "Declare `reducer`" in line for line in said(undeclared, "warning"))


def test_a_day_with_any_headache_is_a_headache_day(diary):
    read = diary("date,Headache\n2026-01-05,no\n2026-01-05,yes\n", outcomes=(HEADACHE,))
    assert read.values.iloc[0, 0] == 1
    assert read.ledger["rule"].tolist() == [f"{SEVERAL.name}: yes if any is yes"] * 2


def test_morning_and_evening_columns_are_one_file_read_twice(tmp_path):
    (tmp_path / "pain.csv").write_text("date,AM,PM\n2026-01-05,6,4\n2026-01-06,,5\n2026-01-07,3,3\n")
    twice = [DiaryFile(file="pain.csv", columns={"pain": title}, reducer="worst") for title in ("AM", "PM")]
    read = consistent(read_diary(*twice, outcomes=(PAIN,), folder=tmp_path))
    assert pain(read) == [6, 5, 3]
    assert read.ledger["column"].tolist() == ["AM", "PM", "PM"]


def test_conflict_between_files_is_settled_like_one_within(diary):
    read = diary("date,pain\n2026-01-05,6\n2026-01-06,5\n", "date,pain\n2026-01-06,7\n2026-01-07,5\n")
    assert pain(read) == [6, 6, 5]
    assert read.ledger["file"].tolist() == ["diary.csv", "diary1.csv"]
    assert len(read.sources) == 2


# ------------------------------------------------------------------------------------------------- long


def test_long_table(diary):
    text = "date,question,answer\n2026-01-05,Pain,6\n2026-01-05,steps,5000\n2026-01-06,PAIN,n/a\n2026-01-06,mood,good\n"
    read = diary(text, outcomes=(PAIN, STEPS))
    assert read.values["pain"].iloc[0] == 6
    assert read.values["steps"].iloc[0] == 5000
    assert (read.counts.read, read.counts.missing) == (3, 1)
    assert (row(read)["row"], row(read)["column"], row(read)["outcome"]) == (4, "answer", "pain")
    assert any('questions not read: "mood"' in line for line in said(read))


def test_long_table_with_other_titles(diary):
    text = "when;what;how much\n2026-01-05;Avg pain;6,5\n"
    read = diary(text, columns={"date": "when", "question": "what", "answer": "how much", "pain": "avg pain"})
    assert pain(read) == [6.5]
    with pytest.raises(UnreadableFileError, match="no column holds the answer"):
        diary(text, columns={"date": "when", "question": "what"})


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        ("Timestamp,Pain\n2026-01-05 21:30:00,6\n", "google_forms"),
        ("Timestamp,Date,Pain\n2026-01-06 08:30:00,2026-01-05,6\n", "google_forms"),
        (
            "full_date,date,weekday,time,mood,activities,pain\n2026-01-05,5 January,Monday,10:00 pm,good,run | rest,6\n",
            "daylio",
        ),
        (
            "date,date formatted,weekday,time of day,category,rating/amount,detail,notes\n"
            "5th Jan 2026,2026-01-05,Monday,pm,Pain,6,,\n5th Jan 2026,2026-01-05,Monday,pm,Mood,3,,\n",
            "bearable",
        ),
    ],
)
def test_named_layouts_are_recognised(diary, text, layout):
    read = diary(text)
    assert read.values["pain"].to_dict() == {pd.Timestamp("2026-01-05"): 6}
    assert read.sources[0].read_as.endswith(layout)


def test_layouts_have_distinct_names_and_a_date():
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)
    assert all(layout.columns["date"] and layout.looks_like for layout in LAYOUTS)


# ------------------------------------------------------------------------------------------------- sleep


def test_clock_times_are_derived_and_counted(diary):
    sleep = tuple(OUTCOMES[name] for name in ("csd_tst", "csd_se", "csd_tib"))
    read = diary(
        NIGHT + "2026-01-05,22:45,23:10,30,25,06:35,07:05\n2026-01-06,10:45 pm,,30,,6:35,07:05\n", outcomes=sleep
    )
    assert read.values.iloc[0].tolist() == [390, 78, 500]
    assert read.values["csd_tst"].isna().tolist() == [False, True]
    assert (read.counts.read, read.counts.missing, read.counts.converted) == (12, 2, 1)
    assert (row(read)["outcome"], row(read)["raw"], row(read)["value"]) == ("into_bed", "10:45 pm", 1365)


def test_derived_sleep_is_in_the_unit_of_the_outcome(diary):
    text = NIGHT + "2026-01-05,22:45,23:10,30,25,06:35,07:05\n"
    hours = replace(OUTCOMES["csd_tst"].in_unit("h"), name="sleep")
    assert diary(text, outcomes=(hours,)).values["sleep"].tolist() == [6.5]


def test_mapped_clock_columns(diary):
    text = "Night,Bed,Lights,SOL,WASO,Woke,Up\n2026-01-05,22:45,23:10,30,25,06:35,07:05\n"
    columns = dict(zip(
        ("date", "into_bed", "tried_to_sleep", "minutes_to_sleep", "minutes_awake", "final_awakening", "out_of_bed"),
        ("Night", "Bed", "Lights", "SOL", "WASO", "Woke", "Up"), strict=True,
    ))  # fmt: skip
    assert diary(text, outcomes=(SLEEP,), columns=columns).values["sleep"].tolist() == [390]


def test_impossible_night_is_rejected_and_the_slip_flagged(diary):
    night = "2026-01-06,12:00,12:10,30,25,06:35,07:05\n"
    read = diary(NIGHT + "2026-01-05,22:45,23:10,30,25,06:35,07:05\n" + night, outcomes=(SLEEP,))
    assert read.counts.rejected == 6
    assert set(read.ledger["rule"]) == {"the times of this night are out of order"}
    assert any("row 3 column into_bed: a bedtime in the morning or at noon" in line for line in said(read, "warning"))


def test_typed_sleep_that_contradicts_the_clock_times(diary):
    typed = "date,sleep\n2026-01-05,380\n2026-01-06,400\n"
    night = NIGHT + "2026-01-05,22:45,23:10,30,25,06:35,07:05\n"
    read = diary(night, typed, outcomes=(SLEEP,))
    assert read.values["sleep"].tolist() == [385, 400]
    assert set(read.ledger["rule"]) == {f"{SEVERAL.name}: mean"}
    assert (read.counts.converted, read.counts.kept) == (7, 1)
    same = diary(night, typed.replace("380", "390"), outcomes=(SLEEP,))
    assert same.values["sleep"].tolist() == [390, 400]
    assert same.ledger.empty


def test_bare_hour_is_flagged(diary):
    read = diary(NIGHT + "2026-01-05,22,23:10,30,25,6,07:05\n", outcomes=(SLEEP,))
    assert any('row 2 column into_bed: "22": an hour without minutes' in line for line in said(read, "warning"))


def test_same_night_twice(diary):
    night = "2026-01-05,22:45,23:10,30,25,06:35,07:05\n"
    read = diary(NIGHT + night + night, outcomes=(SLEEP,))
    assert read.values["sleep"].tolist() == [390]
    assert set(read.ledger["rule"]) == {SAME_TWICE.name}
    assert read.counts.rejected == 6
    other = diary(NIGHT + night + night.replace("06:35", "06:55"), outcomes=(SLEEP,))
    assert other.values["sleep"].tolist() == [400]
    assert set(other.ledger["rule"]) == {f"{SEVERAL.name}: mean"}
    assert other.counts.converted == 12


def test_clock_columns_are_not_read_when_no_sleep_outcome_is_asked_for(diary):
    read = diary(NIGHT.strip() + ",pain\n2026-01-05,22:45,23:10,30,25,06:35,07:05,6\n")
    assert read.counts.read == 1


# ------------------------------------------------------------------------------------------- wrong input


def test_all_files_complain_at_once(tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "picture.csv").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "good.csv").write_text("date,pain\n2026-01-05,6\n")
    files = ("empty.csv", "picture.csv", "good.csv", "none.csv")
    with pytest.raises(UnreadableFileError) as caught:
        read_diary(*files, outcomes=(PAIN,), folder=tmp_path)
    assert [problem.where.split("/")[-1] for problem in caught.value.problems] == [
        "empty.csv",
        "picture.csv",
        "none.csv",
    ]


def test_column_that_is_not_there(diary):
    with pytest.raises(UnreadableFileError) as caught:
        diary("date,Pain score\n2026-01-05,6\n", columns={"pain": "Pain scores", "date": "dat"})
    assert 'Did you mean "date"?' in str(caught.value)
    with pytest.raises(UnreadableFileError, match=r'there are "date", "Pain score"\. Did you mean "Pain score"\?'):
        diary("date,Pain score\n2026-01-05,6\n", columns={"pain": "Pain scores"})
    with pytest.raises(UnreadableFileError, match="none of the outcomes"):
        diary("date,Pain score\n2026-01-05,6\n")
    with pytest.raises(UnreadableFileError, match="no column holds the date"):
        diary("tag,Pain\n2026-01-05,6\n")


def test_every_wrong_declaration_of_a_file_is_named(diary):
    with pytest.raises(UnreadableFileError) as caught:
        diary("tag,Pain\n2026-01-05,6\n", columns={"pain": "Pein", "pian": "Pain"}, units={"pain": "h"})
    assert len(caught.value.problems) == 4


def test_titles_from_the_file_are_made_visible(diary):
    title = "Pain\x1b[31m" + "z" * 200
    read = diary(f"date,{title}\n2026-01-05,6\n2026-01-06,bad\n", columns={"pain": title})
    assert row(read)["column"].startswith("Pain\\x1b[31mzzz")
    assert all(line.isprintable() and len(line) < 300 for line in said(read))


def test_outcome_without_a_column_is_an_error_beside_the_values(diary):
    read = diary("date,pain\n2026-01-05,6\n", outcomes=(PAIN, STEPS))
    assert pain(read) == [6]
    assert read.values["steps"].isna().all()
    assert any("no column was found for steps" in line for line in said(read, "error"))


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"columns": {"pian": "Pain"}}, 'columns names "pian", which is no outcome'),
        ({"layout": "wid"}, 'there is no layout "wid"'),
        ({"units": {"pain": "h"}}, 'values in "h" cannot be converted to "points"'),
        ({"units": {"pian": "h"}}, 'units names "pian"'),
    ],
)
def test_declaration_that_cannot_be(diary, how, found):
    with pytest.raises(UnreadableFileError, match=found):
        diary("date,pain\n2026-01-05,6\n", **how)


def test_wrong_calls(diary):
    with pytest.raises(UsageError, match='no option "dayfrist"') as caught:
        diary("date,pain\n2026-01-05,6\n", dayfrist=True)
    assert 'Did you mean "dayfirst"?' in str(caught.value)
    with pytest.raises(UsageError, match="decimal"):
        diary("date,pain\n2026-01-05,6\n", decimal=";")
    with pytest.raises(UsageError, match="no outcome"):
        diary("date,pain\n2026-01-05,6\n", outcomes=())
    with pytest.raises(UsageError, match="no file"):
        read_diary(outcomes=(PAIN,))
    with pytest.raises(UsageError, match="beside a DiaryFile"):
        read_diary(DiaryFile(file="a.csv"), outcomes=(PAIN,), dayfirst=True)


def test_hostile_text_is_shortened_and_visible(diary):
    read = diary('date,pain\n2026-01-05,6\n2026-01-06,"a\nb\x1b[31m' + "1" * 500 + '"\n')
    assert row(read)["raw"] == "[text of 508 characters]"
    read = diary('date,pain\n2026-01-05,6\n2026-01-06,"a\nb\x1b[31m' + "z" * 20 + '"\n')
    assert row(read)["raw"] == "a\\nb\\x1b[31m" + "z" * 20
    assert all(line.isprintable() for line in said(read))
    assert len(shown("1,2 " * 200)) == 60
    assert shown("plain") == "plain"


def test_files_with_one_name_are_told_apart(tmp_path):
    for name, value in (("a", 6), ("b", 5)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pain.csv").write_text(f"date,pain\n2026-01-0{value},{value}\n")
    read = read_diary("a/pain.csv", "b/pain.csv", outcomes=(PAIN,), folder=tmp_path)
    assert [source.file for source in read.sources] == ["a/pain.csv", "b/pain.csv"]


def test_phase_labels_are_kept(diary):
    read = diary(
        "date,pain,Period\n2026-01-05,6,before\n2026-01-06,5, during\n2026-01-07,5,\n", columns={"phase": "period"}
    )
    assert read.phase_labels.to_dict() == {pd.Timestamp("2026-01-05"): "before", pd.Timestamp("2026-01-06"): "during"}
    assert diary("date,pain\n2026-01-05,6\n").phase_labels.empty


def test_answers_that_look_like_titles_are_not_the_header(diary):
    with pytest.raises(UnreadableFileError, match='the columns are "when", "what", "score"'):
        diary("when,what,score\n2026-01-05,Pain,6\n2026-01-06,Pain,5\n")


def test_workbook(tmp_path):
    book = openpyxl.Workbook()
    for line in (
        ["Date", "Pain", "Sleep"],
        [dt.datetime(2026, 1, 5), 6, dt.time(7, 30)],
        [dt.datetime(2026, 1, 6), dt.datetime(2026, 4, 3), "8h"],
    ):
        book.active.append(line)
    book.save(tmp_path / "diary.xlsx")
    read = consistent(read_diary(tmp_path / "diary.xlsx", outcomes=(PAIN, SLEEP)))
    assert read.values["sleep"].tolist() == [450, 480]
    assert row(read, outcome="pain")["rule"] == "a date where a number was expected"
    assert row(read, outcome="pain")["row"] == 3


# --------------------------------------------------------------------------------------------- properties

fuzz = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
cell = st.sampled_from(
    [
        "",
        " ",
        "6",
        "6.0",
        "4",
        "3-4",
        "7/10",
        "11",
        "-1",
        "n/a",
        "none",
        "bad",
        "7,5",
        "1e3",
        "~5",
        "yes",
        "7:30",
        "2026-01-05",
        "-99",
    ]
)
day = st.sampled_from(["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "", "soon", "Total"])
OUTCOMES_READ = (PAIN, SLEEP, STEPS, HEADACHE)


def csv_of(rows):
    frame = pd.DataFrame(rows, columns=["date", "pain", "sleep", "steps", "headache"])
    out = io.StringIO()
    frame.to_csv(out, index=False)
    return out.getvalue()


rows = st.lists(st.tuples(day, cell, cell, cell, cell), min_size=1, max_size=8)


@fuzz
@given(rows, st.sampled_from(["mean", "worst", "first"]))
def test_every_cell_is_accounted_for(diary, content, reducer):
    try:
        read = diary(csv_of(content), outcomes=OUTCOMES_READ, missing=("-99",), reducer=reducer)
    except UnreadableFileError:
        assert all(line[0] == "Total" or not any(text.strip() for text in line) for line in content)
        return
    filled = [line for line in content if any(text.strip() for text in line)]
    footers = [line for line in filled if line[0] == "Total" and read.counts.read < 4 * len(filled)]
    assert 4 * (len(filled) - len(footers)) <= read.counts.read <= 4 * len(filled)
    cells = [text for line in filled for text in line[1:]]
    if not footers:
        blank = sum(not text.strip() for text in cells)
        assert len(read.ledger) + read.counts.kept + blank == len(cells)


@fuzz
@given(rows, st.randoms())
def test_order_of_rows_changes_nothing(diary, content, chance):
    content = [line for line in content if line[0].startswith("2026")] or [("2026-01-05", "6", "", "", "")]
    shuffled = chance.sample(content, len(content))
    first, second = (diary(csv_of(lines), outcomes=OUTCOMES_READ) for lines in (content, shuffled))
    assert_frame_equal(first.values, second.values)
    assert first.counts == second.counts


@fuzz
@given(rows, st.integers(0, 8))
def test_splitting_a_diary_into_two_files_changes_nothing(diary, content, at):
    content = [line for line in content if line[0].startswith("2026")] or [("2026-01-05", "6", "", "", "")]
    parts = [part for part in (content[:at], content[at:]) if any(any(x.strip() for x in line) for line in part)]
    whole, split = diary(csv_of(content), outcomes=OUTCOMES_READ), diary(*map(csv_of, parts), outcomes=OUTCOMES_READ)
    assert_frame_equal(whole.values, split.values)
    assert whole.counts == split.counts
    # How much is quoted of a cell depends on the other cells of its column in that file (a column of words is prose).
    kept = ["column", "outcome", "date", "status", "rule", "value"]
    order = [*kept]
    assert_frame_equal(
        whole.ledger[kept].sort_values(order, ignore_index=True),
        split.ledger[kept].sort_values(order, ignore_index=True),
    )


@fuzz
@given(st.binary(max_size=200) | st.text(alphabet='datepin,;\n"2026-01-5/ ', max_size=150).map(str.encode))
def test_any_bytes_are_a_diary_or_a_complaint(diary, content):
    for start in (b"", b"date,pain\n2026-01-05,6\n"):
        try:
            diary(start + content)
        except AcuError as error:
            assert error.problems  # noqa: PT017


@fuzz
@given(
    st.dictionaries(
        st.dates(dt.date(2020, 1, 1), dt.date(2026, 1, 1)),
        st.integers(0, 20).map(lambda half: half / 2),
        min_size=1,
        max_size=20,
    )
)
def test_values_round_trip(diary, answers):
    read = diary("date,pain\n" + "".join(f"{day},{value}\n" for day, value in answers.items()))
    back = read.values["pain"].dropna()
    assert {stamp.date(): value for stamp, value in back.items()} == answers
    assert read.counts.kept == len(answers)


def test_a_row_with_more_cells_than_the_header_is_not_read(diary):
    read = diary("date,pain\n2026-01-05,6,5\n2026-01-06,5\n2026-01-07,4\n")
    assert read.values["pain"].dropna().tolist() == [5, 4]
    assert read.ledger[["row", "status", "rule"]].to_numpy().tolist() == [
        [2, "rejected", "the row has more cells than the header"]
    ]
    assert [p.where for p in read.problems if "more cells" in p.problem] == ["diary.csv row 2"]


def test_other_words_for_yes_and_no_are_asked_for(diary):
    read = diary("date,Headache\n2026-01-05,ja\n2026-01-06,nein\n", outcomes=(HEADACHE,))
    said = " ".join(str(problem) for problem in read.problems)
    assert "words = {ja = 1, nein = 0}" in said
    assert "moderate" not in said
    assert "cm for mm" not in said


# ------------------------------------------------------------------------------------------------- other formats


def test_json_and_json_lines_are_read_as_tables(tmp_path):
    lines = '{"date": "2026-01-05", "pain": 6}\n{"date": "2026-01-06", "pain": 5.50}\n{"date": "2026-01-07", "pain": null}\n'
    (tmp_path / "diary.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "diary.json").write_text(
        f'{{"v": 1, "days": [{",".join(lines.split(chr(10))[:3])}]}}', encoding="utf-8"
    )
    for name in ("diary.jsonl", "diary.json"):
        read = read_diary(tmp_path / name, outcomes=[PAIN])
        np.testing.assert_array_equal(read.values["pain"], [6, 5.5])
        assert (read.counts.kept, read.counts.missing) == (2, 1)
        assert any("read as list of JSON records" in problem.problem for problem in read.problems)


@pytest.mark.parametrize(
    "text", ["{", '{"a": [1, 2}', "[1, 2]", "[]", "[" * 9999 + "]" * 9999, '{"a": [{"b": 1}], "c": [{"d": 2}]}']
)
def test_json_that_is_no_diary_is_a_clear_error(tmp_path, text):
    (tmp_path / "diary.json").write_text(text, encoding="utf-8")
    with pytest.raises(UnreadableFileError) as error:
        read_diary(tmp_path / "diary.json", outcomes=[PAIN])
    assert error.value.problems[0].remedy


def test_rows_of_other_people_are_left_out_and_counted(diary):
    text = "id,date,pain\nA,2026-01-05,6\nB,2026-01-05,2\nA,2026-01-06,5\n"
    with pytest.raises(UnreadableFileError, match="2 people") as error:
        diary(text.replace("A,", "Ada Smith,"), columns={"person": "id"})
    assert "Ada" not in str(error.value)
    with pytest.raises(UnreadableFileError, match="no row is of"):
        diary(text, columns={"person": "id"}, person="C")
    read = diary(text, columns={"person": "id"}, person="A")
    assert read.values["pain"].tolist() == [6, 5]
    assert (read.counts.read, read.counts.ignored) == (2, 1)
    assert read.ignored["reason"].tolist() == ["rows of other people"]


def test_an_unknown_layout_suggests_the_nearest(diary):
    with pytest.raises(UnreadableFileError, match="Did you mean"):
        diary("date,pain\n2026-01-05,6\n", layout="dailyo")
