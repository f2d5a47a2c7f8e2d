"""The tidy table: everything that was answered, and back again to the same values, days and gaps."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import formats_apps
import formats_devices
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SAMPLES
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1 import export
from acu_nof1.cli import app, main
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
    st.lists(st.floats(-10, 10) | st.none(), min_size=1, max_size=20).filter(
        lambda values: any(v is not None for v in values)
    )
)
def test_any_values_come_back_exactly(tmp_path_factory, values):
    days = pd.date_range("2026-01-05", periods=len(values))
    pain = replace(acu.OUTCOMES["nrs_pain"], name="pain", low=-10)
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


def told(tmp_path, *rows):
    (tmp_path / "tidy.csv").write_text("\n".join(["person,date,outcome,value,unit", *rows]) + "\n", encoding="utf-8")
    return tmp_path / "tidy.csv"


def test_the_unit_in_the_table_is_the_unit_of_its_numbers(tmp_path):
    minutes = replace(acu.OUTCOMES["csd_tst"], name="sleep")
    read = acu.read_diary(told(tmp_path, "P-1,2026-01-05,sleep,6.5,h"), outcomes=[minutes])
    assert read.values["sleep"].tolist() == [390]
    assert read.ledger["rule"].tolist() == ["converted from h to min"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["P-1,2026-01-05,sleep,6.5,mm"], "cannot be converted"),
        (["P-1,2026-01-05,sleep,6.5,h", "P-1,2026-01-06,sleep,400,min"], "more than one unit"),
    ],
)
def test_units_that_do_not_fit_are_an_error(tmp_path, rows, said):
    with pytest.raises(acu.AcuError, match=said):
        acu.read_diary(told(tmp_path, *rows), outcomes=[replace(acu.OUTCOMES["csd_tst"], name="sleep")])


# ------------------------------------------------------------------ a single diary file


def converted(capsys, *arguments) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["convert", *map(str, arguments)])
    said = "".join(capsys.readouterr())
    assert "Traceback" not in said
    return int(stopped.value.code or 0), said


def single_files() -> dict[str, bytes]:
    """Files that say themselves what they hold."""
    pain = formats_apps.ratings()
    nights = formats_devices.nights(30, seed=2)
    return {
        "fhir.json": json.dumps(formats_apps.bundle(formats_apps.as_integers(pain))).encode(),
        "trialist.json": json.dumps(formats_apps.trialist(pain, ["A"] * len(pain))).encode(),
        "fitbit.csv": formats_devices.fitbit_csv([formats_devices.fitbit_row(sleep) for sleep in nights.values()]),
        "android.csv": formats_devices.android([formats_devices.android_record(sleep, "Europe/London") for sleep in nights.values()]),
        "named.csv": b"date;nrs_pain;csd_tst\n" + b"".join(b"2026-01-%02d;%d;%d\n" % (d, d % 7, 400 + d) for d in range(5, 30)),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["fhir.json", "trialist.json", "fitbit.csv", "android.csv", "named.csv"])
def test_a_file_that_says_what_it_holds_goes_out_and_comes_back(tmp_path, capsys, name):
    (tmp_path / name).write_bytes(single_files()[name])
    code, said = converted(capsys, tmp_path / name, tmp_path / "out.csv")
    assert code == 0, said
    long = pd.read_csv(tmp_path / "out.csv")
    assert set(long["outcome"]) <= set(acu.OUTCOMES)
    outcomes = [acu.OUTCOMES[outcome] for outcome in long["outcome"].unique()]
    first = acu.read_diary(tmp_path / name, outcomes=outcomes)
    again = acu.read_diary(tmp_path / "out.csv", outcomes=outcomes)
    pd.testing.assert_frame_equal(again.values, first.values, rtol=1e-15)
    assert len(long) == first.values.notna().to_numpy().sum() > 20
    assert len(pd.read_csv(tmp_path / "out.ledger.csv")) == len(first.ledger)


def test_clock_times_become_every_outcome_of_a_night(tmp_path, capsys):
    titles = "date,into_bed,tried_to_sleep,minutes_to_sleep,minutes_awake,final_awakening,out_of_bed"
    (tmp_path / "n.csv").write_text(f"{titles}\n2026-01-05,22:30,23:00,10,20,6:30,7:00\n", encoding="utf-8")
    assert converted(capsys, tmp_path / "n.csv", tmp_path / "out.csv")[0] == 0
    found = pd.read_csv(tmp_path / "out.csv").set_index("outcome")["value"].to_dict()
    wanted = {"csd_sol": 10, "csd_waso": 20, "csd_tib": 510, "csd_twak": 30, "csd_tst": 420, "csd_se": 100 * 420 / 510}
    assert found == pytest.approx(wanted)


def test_a_file_that_does_not_say_is_answered_with_the_command_that_works(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2026-01-{day:02},{day % 7},{6 + day % 3}\n" for day in range(5, 30))
    (tmp_path / "mine.csv").write_text(f"Date,Pain,Sleep hrs\n{rows}", encoding="utf-8")
    code, said = converted(capsys, "mine.csv", "OUT.csv")
    assert code == 2
    assert not (tmp_path / "OUT.csv").exists()
    command = next(line for line in said.splitlines() if line.startswith("acu-nof1 convert"))
    code, _ = converted(capsys, *shlex.split(command)[2:])
    assert code == 0
    long = pd.read_csv("OUT.csv")
    assert long.groupby("outcome").size().to_dict() == {"pain": 25, "sleep_hrs": 25}
    assert set(long["unit"]) == {"points", "h"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mine.csv", "mine.csv"), "would be overwritten"),
        (("mine.csv", "out.txt"), "only CSV and Parquet"),
        (("mine.csv", "out.csv", "--outcome", "Pain=nrs_pian"), 'Did you mean "nrs_pain"?'),
        (("mine.csv", "out.csv", "--date", "dote"), "there is no such column"),
        (("mine.csv", "out.csv", "--decimal", ";"), "this is no decimal sign"),
        (("mine.csv", "out.csv", "--pseudonymise", "env"), "names no person"),
        ((ROOT / "sample_data" / "migraine", "out.csv", "--outcome", "Pain=nrs_pain"), "for a single diary file"),
    ],
)
def test_wrong_uses_of_convert_write_nothing(tmp_path, capsys, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("Date,Pain\n2026-01-05,3\n", encoding="utf-8")
    code, told = converted(capsys, *arguments)
    assert (code, said in told) == (2, True), told
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_undecided_dates_name_the_flags(tmp_path, capsys):
    rows = "".join(f"0{i}/0{i % 5 + 1}/2026,5\n" for i in range(1, 9))
    (tmp_path / "mine.csv").write_text(f"date,nrs_pain\n{rows}", encoding="utf-8")
    _, said = converted(capsys, tmp_path / "mine.csv", tmp_path / "out.csv")
    assert "--dayfirst (day/month) or --monthfirst" in said
    assert converted(capsys, tmp_path / "mine.csv", tmp_path / "out.csv", "--dayfirst")[0] == 0
    assert pd.read_csv(tmp_path / "out.csv")["date"].tolist() == [
        f"2026-0{i % 5 + 1}-0{i}" for i in (5, 1, 6, 2, 7, 3, 8, 4)
    ]


# ------------------------------------------------------------------ Parquet


@pytest.mark.parametrize("name", SAMPLES)
def test_parquet_holds_the_same_table_with_its_types(tmp_path, name):
    parquet = pytest.importorskip("pyarrow.parquet")
    trial = acu.read_trial(ROOT / "sample_data" / name)
    out, ledger = write_long(trial, tmp_path / "answers.parquet")
    table = parquet.read_table(out)
    assert tuple(table.column_names) == LONG_COLUMNS
    assert str(table.schema.field("date").type).startswith("timestamp")
    assert str(table.schema.field("value").type) == "double"
    pd.testing.assert_frame_equal(table.to_pandas(), long_table(trial), check_dtype=False)
    assert ledger.name == "answers.ledger.csv"
    assert len(pd.read_csv(ledger)) == len(trial.diary.ledger)


def test_without_pyarrow_parquet_is_refused_in_words_before_anything_is_read(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda _: None)
    (tmp_path / "mine.csv").write_text("no diary", encoding="utf-8")
    code, said = converted(capsys, tmp_path / "mine.csv", tmp_path / "out.parquet")
    assert (code, 'pip install "acu_nof1[parquet]"' in said) == (3, True)
    assert not list(tmp_path.glob("out*"))


def test_a_file_of_several_people_names_the_flag(tmp_path, capsys):
    rows = "".join(f"{who},2026-01-{day:02},{day % 5}\n" for who in ("101", "102") for day in range(5, 9))
    (tmp_path / "mine.csv").write_text(f"person,date,nrs_pain\n{rows}", encoding="utf-8")
    _, said = converted(capsys, tmp_path / "mine.csv", tmp_path / "out.csv")
    assert "Say whose rows are read, as in --person 101." in said
    assert converted(capsys, tmp_path / "mine.csv", tmp_path / "out.csv", "--person", "102")[0] == 0
    assert pd.read_csv(tmp_path / "out.csv")["value"].tolist() == [0, 1, 2, 3]
