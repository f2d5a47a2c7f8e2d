"""Many people: everybody as if alone, broken diaries named, runs that are interrupted, spread over processes, corrupted."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cohorts
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1.cli import app
from acu_nof1.cohort import units
from acu_nof1.cohort.one import trial_of
from acu_nof1.cohort.people import read_people
from acu_nof1.errors import AcuError, UsageError

QUESTIONS = ("change_at_reassessment", "mean_change")
TABLES = ("results.csv", "problems.csv", "manifest.json")


@pytest.fixture(scope="module")
def twelve():
    return cohorts.people(12)


def numbers_of(frame):
    return frame.select_dtypes("number")


def assert_same_numbers(found, expected):
    """Equal to 1e-10 of their size; what is not a number exactly."""
    texts = [name for name in expected if name not in numbers_of(expected)]
    assert_frame_equal(found[texts].reset_index(drop=True), expected[texts].reset_index(drop=True), check_dtype=False)
    for name in numbers_of(expected):
        np.testing.assert_allclose(found[name].to_numpy(float), expected[name].to_numpy(float), rtol=1e-10, atol=1e-10)


def test_a_person_alone_and_in_company_has_the_same_numbers(tmp_path, twelve):
    table, diaries = twelve
    together = acu.reassess_all(acu.read_cohort(cohorts.shared(tmp_path / "shared", table, diaries))).to_frame()
    folder = cohorts.trials(tmp_path / "trials", table, diaries)
    in_folders = acu.reassess_all(acu.read_cohort(folder)).to_frame()
    assert_same_numbers(in_folders, together)
    for person in table["person"][[0, 5]]:
        alone = acu.reassess(acu.read_trial(folder / person)).to_frame()
        own = together[together["person"] == person].reset_index(drop=True)
        alone["reading"] = own["reading"]  # a single review puts the reading in words
        assert_same_numbers(alone, own)


def test_wide_long_parquet_and_frames_are_the_same_cohort(tmp_path, twelve):
    table, diaries = twelve
    wide = acu.read_cohort(cohorts.shared(tmp_path / "wide", table, diaries)).comparisons
    long = acu.read_cohort(cohorts.shared(tmp_path / "long", table, diaries, long=True)).comparisons
    frames = acu.read_cohort(diaries, people=table, protocol=tmp_path / "wide" / "protocol.toml").comparisons
    shuffled = acu.read_cohort(
        diaries.sample(frac=1, random_state=1), people=table, protocol=tmp_path / "wide" / "protocol.toml"
    ).comparisons
    for other in (long, frames, shuffled):
        np.testing.assert_array_equal(other.values, wide.values)
        np.testing.assert_array_equal(other.phase, wide.phase)
        assert other.person == wide.person
    pytest.importorskip("pyarrow")
    diaries.to_parquet(tmp_path / "diaries.parquet")
    parquet = acu.read_cohort(tmp_path / "diaries.parquet", people=table, protocol=tmp_path / "wide" / "protocol.toml")
    np.testing.assert_array_equal(parquet.comparisons.values, wide.values)


def test_covariates_are_kept_and_weeks_counted(tmp_path, twelve):
    table, diaries = twelve
    known = acu.read_cohort(cohorts.shared(tmp_path, table, diaries)).covariates
    assert known["condition"].tolist() == table["condition"].tolist()
    assert known["sessions"].tolist() == table["sessions"].tolist()
    assert set(known["weeks"]) == {8.0}


def broken(table, diaries):
    """One of each way in which a person cannot be used, and what is said of it."""
    table, diaries = table.astype(object), diaries.astype({"pain": object})
    table.loc[0, "treatment_start"], table.loc[0, "treatment_end"] = (
        table.loc[0, "treatment_end"],
        table.loc[0, "treatment_start"],
    )
    table.loc[1, "treatment_start"] = "soon"
    table.loc[2, "treatment_end"] = ""
    own = (diaries["person"] == "C-004").to_numpy()
    diaries.loc[own, "pain"] = "moderate"
    diaries = diaries[diaries["person"] != "C-005"]
    stranger = diaries[diaries["person"] == "C-006"].assign(person="C-999")
    table = pd.concat([table, table.iloc[[6]]], ignore_index=True)
    return table, pd.concat([diaries, stranger])


def test_broken_people_are_rows_with_a_reason_and_the_others_go_on(tmp_path, twelve):
    whole = acu.reassess_all(acu.read_cohort(cohorts.shared(tmp_path / "whole", *twelve))).to_frame()
    found = acu.reassess_all(acu.read_cohort(cohorts.shared(tmp_path / "broken", *broken(*twelve))))
    manifest = found.manifest().set_index("person")
    told = manifest.loc[manifest["status"] == "failed", "reason"]
    expected = {
        "C-001": "before it starts", "C-002": "no readable date", "C-003": "no treatment phase",
        "C-004": "answers to pain were not read", "C-005": "no answer of this person", "person 13": "earlier row",
        "C-999": "not in the people table",
    }  # fmt: skip
    assert set(told.index) == set(expected)
    for person, what in expected.items():
        assert what in told[person], person
    untouched = ~whole["person"].isin(expected)
    assert_same_numbers(found.to_frame(), whole[untouched])
    assert set(found.cohort.problems["person"]) >= set(expected)


def test_names_are_never_printed(tmp_path, twelve):
    table, diaries = (frame.replace("C-003", "Jane Miller") for frame in twelve)
    found = acu.reassess_all(acu.read_cohort(cohorts.shared(tmp_path, table, diaries)))
    assert "Jane" not in found.to_frame().to_csv() + found.manifest().to_csv() + found.cohort.problems.to_csv()
    assert found.manifest().loc[2, ["person", "status"]].tolist() == ["person 3", "done"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"protocol.toml": "[[phase]]\nkind = 'baseline'\nstart = 2026-01-01\nend = 2026-01-02\n"}, "everybody has their own"),
        ({"people.csv": "who,when\na,b\n"}, "there is no column person and no column treatment_start"),
        ({"diaries.csv": "date,pain\n2026-01-05,4\n"}, "no column says whose a row is"),
        ({"people.csv": "person,treatment_start,treatment_end\nC-001,03/04/2026,05/06/2026\n"}, "cannot be told apart"),
        ({"protocol.toml": "nonsense ="}, "not valid TOML"),
    ],
)  # fmt: skip
def test_a_cohort_that_cannot_be_understood_at_all_is_an_error_in_words(tmp_path, twelve, change, said):
    folder = cohorts.shared(tmp_path, *twelve)
    for name, text in change.items():
        old = (folder / name).read_text() if name == "protocol.toml" and text.startswith("[[") else ""
        (folder / name).write_text(old + text)
    with pytest.raises(AcuError, match=said):
        acu.read_cohort(folder)
    done = CliRunner().invoke(app, ["cohort", str(folder), "--out", str(tmp_path / "out")])
    assert done.exit_code in (1, 2)


def test_wrong_calls(tmp_path, twelve):
    table, diaries = twelve
    with pytest.raises(UsageError, match="Give the protocol everybody shares"):
        acu.read_cohort(diaries, people=table)
    with pytest.raises(UsageError, match="no trial folder"):
        acu.read_cohort(tmp_path)
    folder = cohorts.shared(tmp_path / "in", table, diaries)
    with pytest.raises(UsageError, match="there is no question nonsense"):
        acu.run_cohort(folder, tmp_path / "out", questions=["nonsense"])
    pytest.importorskip("distributed")
    with pytest.raises(UsageError, match="no scheduler is given"):
        acu.run_cohort(folder, tmp_path / "out", engine="dask")


# ------------------------------------------------------------------------------- units of work


def read_tables(folder):
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.fixture
def small_units(monkeypatch):
    monkeypatch.setattr(units, "PEOPLE_A_UNIT", 3)
    monkeypatch.setattr(units, "TRIALS_A_UNIT", 3)


@pytest.mark.usefixtures("small_units")
@pytest.mark.parametrize("kind", ["shared", "trials"])
def test_a_run_in_units_is_the_whole_cohort(tmp_path, twelve, kind):
    write = cohorts.shared if kind == "shared" else cohorts.trials
    folder = write(tmp_path / "in", *twelve)
    run = acu.run_cohort(folder, tmp_path / "out", questions=QUESTIONS)
    assert (run.units, run.kept, run.people) == (4, 0, {"done": 12, "not_estimable": 0, "failed": 0})
    expected = acu.reassess_all(acu.read_cohort(folder)).to_frame()
    expected = expected[expected["question"].isin(QUESTIONS)]
    found = pd.read_csv(tmp_path / "out" / "results.csv", keep_default_na=False)
    assert found["person"].tolist() == expected["person"].tolist()
    np.testing.assert_allclose(found["value"], expected["value"], rtol=1e-10)
    np.testing.assert_allclose(found["low"], expected["low"], rtol=1e-10)
    again = acu.run_cohort(folder, tmp_path / "out", questions=QUESTIONS)
    assert again.kept == 4


@pytest.mark.usefixtures("small_units")
def test_only_what_changed_is_worked_off_again(tmp_path, twelve):
    table, diaries = twelve
    folder = cohorts.shared(tmp_path / "in", table, diaries)
    acu.run_cohort(folder, tmp_path / "out", questions=QUESTIONS)
    before = pd.read_csv(tmp_path / "out" / "results.csv")
    mine = diaries.index[diaries["person"] == "C-005"][3]
    diaries = diaries.copy()
    diaries.loc[mine, "pain"] = (diaries.loc[mine, "pain"] + 3) % 11
    cohorts.shared(folder, table, diaries)
    run = acu.run_cohort(folder, tmp_path / "out", questions=QUESTIONS)
    assert (run.units, run.kept) == (4, 3)
    after = pd.read_csv(tmp_path / "out" / "results.csv")
    changed = before.loc[(before["value"] != after["value"]).to_numpy(), "person"]
    assert set(changed) == {"C-005"}
    assert len(list((tmp_path / "out" / ".units").iterdir())) == 4  # the old one is gone


@pytest.mark.usefixtures("small_units")
def test_one_process_two_processes_and_an_older_row_number(tmp_path, twelve):
    """The tables are the same bytes; problems name the rows of the whole table, not of a part of it."""
    table, diaries = twelve
    diaries = diaries.astype({"pain": object})
    at = diaries.index[diaries["person"] == "C-011"][2]
    diaries.loc[at, "pain"] = "eleven"
    folder = cohorts.shared(tmp_path / "in", table, diaries)
    acu.run_cohort(folder, tmp_path / "one", questions=QUESTIONS)
    acu.run_cohort(folder, tmp_path / "two", questions=QUESTIONS, jobs=2)
    assert read_tables(tmp_path / "one") == read_tables(tmp_path / "two")
    problems = pd.read_csv(tmp_path / "one" / "problems.csv", keep_default_na=False)
    own = problems[problems["person"] == "C-011"]
    assert own["where"].tolist() == [f"diaries.csv row {at + 2} column pain"]


RUN = """
import sys
from acu_nof1.cohort import run_cohort, units
units.PEOPLE_A_UNIT = 2
if __name__ == "__main__":
    run_cohort(sys.argv[1], sys.argv[2], questions=("mean_change",))
"""


@pytest.mark.parametrize("times", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_interrupted_at_random_moments_and_resumed_nothing_is_lost_or_doubled(tmp_path, twelve, times):
    folder = cohorts.shared(tmp_path / "in", *twelve)
    script = tmp_path / "run.py"
    script.write_text(RUN)

    def run(out, seconds=None):
        process = subprocess.Popen([sys.executable, str(script), str(folder), str(out)])
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return process.wait()

    begun = time.monotonic()
    assert run(tmp_path / "whole") == 0
    whole = time.monotonic() - begun
    rng = random.Random(4)
    interrupted = 0
    for _ in range(times):
        interrupted += run(tmp_path / "often", rng.uniform(0.5, 1.0) * whole) != 0
        left = {path.name for path in (tmp_path / "often").glob("*.csv")}
        assert left <= set(TABLES)
    assert interrupted > 0
    assert run(tmp_path / "often") == 0
    assert read_tables(tmp_path / "often") == read_tables(tmp_path / "whole")


@pytest.mark.usefixtures("small_units")
def test_one_percent_corrupted_at_random_is_named_and_the_others_are_unchanged(tmp_path):
    table, diaries = cohorts.people(60, seed=3)
    folder = cohorts.trials(tmp_path / "in", table, diaries)
    questions = ("mean_change",)
    acu.run_cohort(folder, tmp_path / "clean", questions=questions)
    clean = pd.read_csv(tmp_path / "clean" / "results.csv").set_index("person")
    rng = np.random.default_rng(5)
    hurt = rng.choice(table["person"], 6, replace=False)
    for how, person in enumerate(hurt):
        path = folder / person / "diary.csv"
        if how % 3 == 0:  # bytes flipped
            data = bytearray(path.read_bytes())
            for at in rng.integers(0, len(data), len(data) // 5):
                data[at] ^= 0xFF
            path.write_bytes(bytes(data))
        elif how % 3 == 1:  # a column dropped
            pd.read_csv(path).drop(columns="pain").to_csv(path, index=False)
        else:  # dates swapped
            own = folder / person / "protocol.toml"
            text = own.read_text()
            first, last = text.index("start = 20"), text.rindex("end = 20")
            begun, ended = text[first + 8 : first + 18], text[last + 6 : last + 16]
            own.write_text(text.replace(begun, "X").replace(ended, begun).replace("X", ended))
    run = acu.run_cohort(folder, tmp_path / "hurt", questions=questions)
    manifest = {
        each["person"]: each for each in json.loads((tmp_path / "hurt" / "manifest.json").read_text())["people"]
    }
    assert set(manifest) == set(table["person"])
    assert run.people["failed"] == 6
    for person in hurt:
        assert manifest[person]["status"] == "failed", manifest[person]
        assert len(manifest[person]["reason"]) > 20
    found = pd.read_csv(tmp_path / "hurt" / "results.csv").set_index("person")
    others = clean[~clean.index.isin(hurt)]
    np.testing.assert_allclose(found["value"], others["value"], rtol=1e-10)
    assert found.index.tolist() == others.index.tolist()


def test_the_command_says_what_became_of_everybody(tmp_path, twelve):
    folder = cohorts.shared(tmp_path / "in", *broken(*twelve))
    done = CliRunner().invoke(app, ["cohort", str(folder), "--out", str(tmp_path / "out"), "--question", "mean_change"])
    assert done.exit_code == 1
    assert "14 people" in done.output
    assert "7 could not be read" in done.output
    for wrong in (["--out", str(folder)], ["--out", str(tmp_path / "other"), "--engine", "spark"]):
        assert isinstance(CliRunner().invoke(app, ["cohort", str(folder), *wrong]).exception, UsageError)


def test_spreadsheets_are_not_tricked(tmp_path, twelve):
    table, diaries = (frame.replace("C-002", "=1+1") for frame in twelve)
    acu.run_cohort(cohorts.shared(tmp_path / "in", table, diaries), tmp_path / "out", questions=("mean_change",))
    text = (tmp_path / "out" / "results.csv").read_text(encoding="utf-8-sig")
    assert not [line for line in text.splitlines() if line.startswith("=")]


# ------------------------------------------------------------------------------- Dask


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler and two workers, each in a process of its own, on the loopback."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(acu.__file__).parent.parent)}
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": tmp_path}
    first = subprocess.Popen(
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)],
        **quiet,
    )
    workers = [
        subprocess.Popen(
            [*dask, "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet
        )
        for _ in range(2)
    ]
    try:
        for _ in range(300):
            if file.is_file() and file.stat().st_size:
                break
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        from distributed import Client

        with Client(address, timeout="30s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, workers
    finally:
        for process in (*workers, first):
            process.kill()
            process.wait()


def test_dask_gives_the_same_tables_also_when_a_worker_dies(tmp_path, twelve, scheduler, monkeypatch):
    monkeypatch.setattr(units, "PEOPLE_A_UNIT", 1)
    address, workers = scheduler
    folder = cohorts.shared(tmp_path / "in", *twelve)
    acu.run_cohort(folder, tmp_path / "local", questions=QUESTIONS)

    def kill_one(done, _total):
        if done == 3:
            workers[0].kill()

    run = acu.run_cohort(
        folder, tmp_path / "dask", questions=QUESTIONS, engine="dask", scheduler=address, progress=kill_one
    )
    assert workers[0].wait(10) is not None
    assert run.people["done"] == 12
    assert read_tables(tmp_path / "local") == read_tables(tmp_path / "dask")


def test_workers_with_another_version_are_refused():
    from acu_nof1.cohort import engines

    with pytest.raises(UsageError, match=r"workers have acu_nof1 0\.0\.9, here it is"):
        engines._insist_on_version({"tcp://one": acu.__version__, "tcp://two": "0.0.9"})
    with pytest.raises(UsageError, match="it has no worker"):
        engines._insist_on_version({})


def test_no_part_is_left_behind(tmp_path, twelve):
    folder = cohorts.shared(tmp_path / "in", *twelve)
    acu.run_cohort(folder, tmp_path / "out", questions=("mean_change",))
    assert not list((tmp_path / "out").glob("*.tmp"))
    assert not (tmp_path / "out" / ".working").exists()
    shutil.rmtree(tmp_path / "out" / ".units")
    acu.run_cohort(folder, tmp_path / "out", questions=("mean_change",))
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]["done"] == 12


@pytest.mark.usefixtures("small_units")
def test_everybody_s_page_is_written_linked_and_made_again_where_it_is_gone(tmp_path, twelve):
    table, diaries = twelve
    folder = cohorts.trials(tmp_path / "in", table[:4], diaries)
    (folder / "C-002" / "diary.csv").write_text("date,pain\n")
    out = tmp_path / "out"
    acu.run_cohort(folder, out, questions=("mean_change",))
    run = acu.run_cohort(folder, out, questions=("mean_change",), reports=True)
    assert run.kept == 0  # the pages were not there
    assert {path.name for path in (out / "reports").iterdir()} == {"C-001.html", "C-003.html", "C-004.html"}
    index = (out / "index.html").read_text(encoding="utf-8")
    assert index.count('href="reports/') == 3
    assert "C-001" in (out / "reports" / "C-001.html").read_text(encoding="utf-8")
    assert acu.run_cohort(folder, out, questions=("mean_change",), reports=True).kept == 2
    (out / "reports" / "C-004.html").unlink()
    assert acu.run_cohort(folder, out, questions=("mean_change",), reports=True).kept == 1
    assert (out / "reports" / "C-004.html").is_file()


@pytest.mark.parametrize("long", [False, True])
def test_a_page_out_of_shared_tables_has_the_numbers_of_the_table(tmp_path, twelve, long):
    table, diaries = twelve
    table = table[:3].assign(reassess_on=["", "2026-03-20", ""], window_days=["", "", "21"])
    folder, out = (
        cohorts.shared(tmp_path / "shared", table, diaries[diaries["person"].isin(table["person"])], long),
        tmp_path / "out",
    )
    run = acu.run_cohort(folder, out, reports=True)
    assert run.people == {"done": 3, "not_estimable": 0, "failed": 0}
    people = read_people(folder / "people.csv")
    results = pd.read_csv(out / "results.csv", keep_default_na=False)
    for who, code in enumerate(table["person"]):
        assert code in (out / "reports" / f"{code}.html").read_text(encoding="utf-8")
        alone = acu.reassess(trial_of(folder, people, who, code)).estimates.to_frame()
        together = results[results["person"] == code]
        assert alone["question"].tolist() == together["question"].tolist()
        np.testing.assert_allclose(alone["value"], pd.to_numeric(together["value"], errors="coerce"), rtol=1e-9)
        np.testing.assert_allclose(alone["high"], pd.to_numeric(together["high"], errors="coerce"), rtol=1e-9)
