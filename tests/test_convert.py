"""The tidy table: everything that was answered, and back again to the same values, days and gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SAMPLES
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1.cli import app
from acu_nof1.export import LONG_COLUMNS, long_table, write_long


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_goes_out_and_comes_back(tmp_path, name):
    out = tmp_path / "answers.csv"
    run = CliRunner().invoke(app, ["convert", str(ROOT / "sample_data" / name), str(out)])
    assert run.exit_code == 0
    trial = acu.read_trial(ROOT / "sample_data" / name)
    asked = [outcome for outcome in trial.protocol.outcomes if outcome.derived is None]
    again = acu.read_diary(out, outcomes=asked)
    assert "tidy" in again.sources[0].read_as
    answered = trial.diary.values.dropna(how="all")
    pd.testing.assert_frame_equal(
        again.values.reindex(answered.index)[list(answered)], answered, check_freq=False, rtol=1e-15
    )
    ledger = pd.read_csv(tmp_path / "answers.ledger.csv")
    assert len(ledger) == len(trial.diary.ledger)


def test_columns_are_fixed_and_a_day_without_an_answer_has_no_row():
    trial = acu.read_trial(ROOT / "sample_data" / "low_back_pain")
    long = long_table(trial)
    assert tuple(long.columns) == LONG_COLUMNS
    assert len(long) == trial.diary.values.notna().to_numpy().sum()


@given(
    st.lists(st.floats(0, 10) | st.none(), min_size=1, max_size=20).filter(
        lambda values: any(v is not None for v in values)
    )
)
def test_any_values_come_back_exactly(tmp_path_factory, values):
    days = pd.date_range("2026-01-05", periods=len(values))
    pain = replace(acu.OUTCOMES["nrs_pain"], name="pain")
    diary = acu.Diary.from_values({"pain": pd.Series([np.nan if v is None else v for v in values], index=days)})
    trial = acu.Trial(acu.Protocol(person="=P-1", outcomes=(pain,), primary="pain"), diary)
    out, _ = write_long(trial, tmp_path_factory.mktemp("out") / "a.csv")
    assert "'=P-1" in out.read_text(encoding="utf-8")
    again = acu.read_diary(out, outcomes=[pain]).values["pain"].dropna()
    wanted = diary.values["pain"].dropna()
    assert again.to_dict() == wanted.to_dict()


@pytest.mark.parametrize("out", ["answers.xlsx", "nowhere/answers.csv"])
def test_a_place_that_cannot_be_meant_is_refused(tmp_path, out):
    run = CliRunner().invoke(app, ["convert", str(ROOT / "sample_data" / "migraine"), str(tmp_path / out)])
    assert isinstance(run.exception, acu.AcuError)
    assert run.exception.exit_code == 2
