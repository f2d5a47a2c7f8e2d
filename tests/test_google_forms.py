"""Google Forms: the sheet in its locale, the form's own download, answers sent twice, answers after midnight."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import acu_nof1 as acu
from acu_nof1.load.dates import hours
from acu_nof1.protocol import DiaryFile

PAIN = acu.OUTCOMES["nrs_pain"]
START = dt.datetime(2026, 1, 5, 21, 30, 5)
WRITTEN = {
    "sheet, United States": "{0.month}/{0.day}/{0.year} {0:%H:%M:%S}",
    "sheet, Germany": "{0:%d.%m.%Y %H:%M:%S}",
    "sheet, Italy": "{0:%d/%m/%Y} {0:%H.%M.%S}",
    "download of the form": "{0:%Y/%m/%d} {1}:{0:%M:%S} {0:%p} GMT+1",
    "download, summer in Paris": "{0:%Y/%m/%d} {1}:{0:%M:%S} {0:%p} CEST",
}


def diary(tmp_path, rows):
    (tmp_path / "form.csv").write_text("\n".join(["Timestamp,How bad is your pain?", *rows]) + "\n")
    file = DiaryFile(file="form.csv", columns={"nrs_pain": "How bad is your pain?"})
    return acu.read_diary(file, outcomes=[PAIN], folder=tmp_path)


def told(read):
    return "\n".join(f"{each.where} {each.problem} {each.remedy}" for each in read.problems)


@pytest.mark.parametrize("written", WRITTEN.values(), ids=WRITTEN)
def test_the_day_of_an_answer_is_that_of_its_timestamp_as_written(tmp_path, written):
    truth = np.random.default_rng(3).integers(0, 11, 30)
    moments = [START + dt.timedelta(days=n) for n in range(30)]
    rows = [f"{written.format(at, at.hour % 12 or 12)},{value}" for at, value in zip(moments, truth, strict=True)]
    read = diary(tmp_path, rows)
    assert read.values.index[0] == np.datetime64(START.date())
    np.testing.assert_array_equal(read.values["nrs_pain"], truth)
    assert "read as Google Forms sheet" in told(read)
    assert "between midnight" not in told(read)


def test_an_answer_sent_twice_counts_once_and_two_answers_are_settled_aloud(tmp_path):
    rows = ["2026/01/05 9:30:00 PM GMT+1,5", "2026/01/05 9:30:09 PM GMT+1,5", "2026/01/06 9:31:00 PM GMT+1,6",
            "2026/01/06 9:35:00 PM GMT+1,4"]  # fmt: skip
    read = diary(tmp_path, rows)
    assert read.values["nrs_pain"].tolist() == [5, 5]
    assert set(read.ledger["rule"]) == {"same day twice, same value", "several answers on one day: mean"}
    assert read.counts.read == 4


def test_answers_after_midnight_are_named(tmp_path):
    read = diary(tmp_path, ["2026/01/06 12:10:00 AM GMT+1,5", "2026/01/06 9:30:00 PM GMT+1,4", "2026/01/08 03:59:59,6"])
    assert "2 of 3 answers were given between midnight and 4:00" in told(read)


@pytest.mark.parametrize(("text", "hour"), [("1/5/2026 0:10:00", 0), ("2026/01/05 12:10:00 AM", 0), ("5.1.2026 12:10 pm", 12),
                                            ("2026-01-05T21:30:00Z", 21), ("2026-01-05", np.nan), ("21:30", np.nan)])  # fmt: skip
def test_hours(text, hour):
    np.testing.assert_array_equal(hours(pd.Series([text], dtype="str")), [hour])
