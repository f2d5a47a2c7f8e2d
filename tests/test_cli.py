"""The command line: right exit codes, one clear message for each wrong input, nothing traced back."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, SAMPLES

from acu_nof1.cli import main

GOOD = """
[trial]
person = "P-001"
condition = "back pain"
agreed_on = 2026-01-05
[[phase]]
kind = "baseline"
start = 2026-01-05
end = 2026-01-18
[[phase]]
kind = "treatment"
start = 2026-01-19
end = 2026-04-12
[[diary]]
file = "pain.csv"
[outcome.pain]
instrument = "nrs_pain"
important_change = 2.0
"""
DAYS = np.arange("2026-01-05", "2026-04-13", dtype="datetime64[D]")
RATINGS = np.clip(
    np.round(np.where(np.arange(98) < 14, 6, 4) + np.random.default_rng(5).normal(size=98)), 0, 10
).astype(int)


def rows(values=RATINGS, dates=DAYS) -> str:
    return "".join(f"{day},{value}\n" for day, value in zip(dates, values, strict=False))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "protocol.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "pain.csv").write_text("date,pain\n" + rows(), encoding="utf-8")
    return tmp_path


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return int(stopped.value.code or 0), out, err


def test_check_of_a_clean_folder(capsys, folder):
    code, out, err = run(capsys, "check", folder)
    assert code == 0
    assert "98 cells read: 98 kept, 0 converted, 0 missing, 0 rejected." in out
    assert "Nothing to mend" in out
    assert not err


@pytest.mark.parametrize("name", SAMPLES)
def test_check_of_the_samples(capsys, name):
    code, out, err = run(capsys, "check", ROOT / "sample_data" / name)
    assert code == 0
    assert "A report can be written" in out
    assert "note: " in err


WRONG = {
    "no date can be told from another": (
        "date,pain\n" + "".join(f"{1 + i % 12:02}/{1 + i % 11:02}/2026,5\n" for i in range(40)),
        1,
        "dayfirst",
    ),
    "values off the scale": ("date,pain\n" + rows(RATINGS * 10), 1, "outside the scale"),
    "another column": ("date,ache\n" + rows(), 1, "pain"),
    "empty": ("", 1, "empty"),
    "header only": ("date,pain\n", 1, "nothing below it"),
    "binary": (b"PK\x03\x04" + bytes(range(256)) * 20, 1, "pain.csv"),
    "words": ("date,pain\n" + rows(np.full(98, "moderate")), 1, "a word, not a number"),
    "another year": ("date,pain\n" + rows(dates=DAYS + np.timedelta64(800)), 1, "no diary day lies in any phase"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_diaries(capsys, folder, name):
    content, wanted, said = WRONG[name]
    (folder / "pain.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = run(capsys, "check", folder)
    assert code == wanted, out + err
    assert said in err


@pytest.mark.parametrize("name", ["values off the scale", "binary"])
def test_wrong_diaries_get_no_page(capsys, folder, name):
    content, wanted, said = WRONG[name]
    (folder / "pain.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = run(capsys, "report", folder, "--out", folder / "page.html")
    assert code == wanted, out + err
    assert said in err
    assert not (folder / "page.html").exists()


ODD = {
    "UTF-16": (("date,pain\n" + rows()).encode("utf-16"), "UTF-16"),
    "the same day twice with different values": (
        "date,pain\n" + rows() + "2026-02-01,9\n",
        "several answers on one day",
    ),
    "fewer than 5 baseline days": ("date,pain\n" + rows(RATINGS[10:], DAYS[10:]), "4 baseline days are answered"),
    "one value": ("date,pain\n2026-01-07,5\n", "only one value was read"),
    "constant": ("date,pain\n" + rows(np.full(98, 6)), "every answer is 6"),
    "no value": ("date,pain\n" + rows(np.full(98, "")), "no value was read for it"),
    "a value off the scale": ("date,pain\n" + rows(np.r_[RATINGS[:50], 11, RATINGS[51:]]), "outside the scale"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_diaries_are_read_and_said(capsys, folder, name):
    content, said = ODD[name]
    (folder / "pain.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    code, out, err = run(capsys, "check", folder)
    assert code == 0, out + err
    assert said in err


@pytest.mark.parametrize("name", ["one value", "constant", "no value", "fewer than 5 baseline days"])
def test_what_cannot_be_answered_is_said_and_not_invented(folder, name):
    import acu_nof1 as acu

    (folder / "pain.csv").write_text(ODD[name][0], encoding="utf-8")
    review = acu.reassess(acu.read_trial(folder))
    assert review.verdict.kind == "cannot_say"
    assert "not estimable" in review.sentence
    found = review.to_dict()["estimates"][0]
    assert [found[key] for key in ("value", "low", "high", "p_gain", "bands")] == [None] * 5


def test_sessions_outside_the_phases_are_said(capsys, folder):
    (folder / "protocol.toml").write_text(GOOD + "[[session]]\ndate = 2026-01-07\n", encoding="utf-8")
    code, _, err = run(capsys, "check", folder)
    assert code == 0
    assert "attended outside every treatment phase: 2026-01-07" in err


def test_no_file_and_no_protocol_are_wrong_use(capsys, tmp_path):
    code, _, err = run(capsys, "check", tmp_path / "nowhere")
    assert (code, "no such file or folder" in err) == (2, True)
    code, _, err = run(capsys, "report", tmp_path)
    assert (code, "protocol.toml" in err) == (2, True)


def test_all_complaints_at_once(capsys, folder):
    (folder / "protocol.toml").write_text(
        GOOD.replace("person", "preson").replace("agreed_on", "agred_on"), encoding="utf-8"
    )
    code, _, err = run(capsys, "report", folder)
    assert code == 1
    assert 'Did you mean "person"?' in err
    assert 'Did you mean "agreed_on"?' in err


def test_a_file_alone_is_answered_with_what_it_holds_and_one_command(capsys, tmp_path):
    (tmp_path / "my diary.csv").write_text(
        "Date,Pain,Sleep hrs,Steps\n"
        + "".join(f"{d},{v},{6 + v % 3 / 2},{4000 + 100 * v}\n" for d, v in zip(DAYS, RATINGS, strict=True)),
        encoding="utf-8",
    )
    code, _, err = run(capsys, "report", tmp_path / "my diary.csv")
    assert code == 2
    assert all(column in err for column in ("Date", "Pain", "Sleep hrs", "Steps"))
    command = next(line for line in err.splitlines() if "acu-nof1 report" in line)
    assert "--outcome" in command
    assert "--start" in command
    code, _, err = run(
        capsys, "report", tmp_path / "my diary.csv", "--start", "2026-01-19", "--outcome", "Pain=nrs_pian"
    )
    assert code == 2
    assert 'Did you mean "nrs_pain"?' in err
    code, _, err = run(capsys, "report", tmp_path / "my diary.csv", "--start", "2026-01-19", "--outcome", "Steps=count")
    assert code == 1
    assert "better is not given" in err


def test_flags_of_a_single_file_do_not_go_with_a_folder(capsys, folder):
    code, _, err = run(capsys, "report", folder, "--start", "2026-01-19")
    assert code == 2
    assert "single diary file" in err
    code, _, err = run(capsys, "report", folder, "--after-session", "3", "--on", "2026-03-01")
    assert (code, "only one of the two" in err) == (2, True)


def test_a_single_file_becomes_a_report_and_a_trial_folder(capsys, tmp_path):
    source = tmp_path / "diary.csv"
    source.write_text(
        "Date;Pain;Sleep hrs;Steps\n"
        + "".join(f"{d};{v};{6 + v % 3 / 2};{4000 + 100 * v}\n" for d, v in zip(DAYS, RATINGS, strict=True)),
        encoding="utf-8",
    )
    code, out, err = run(
        capsys, "report", source, "--start", "2026-01-19", "--outcome", "Pain=nrs_pain", "--outcome", "Sleep hrs=csd_tst,unit=h",
        "--outcome", "Steps=count,better=higher", "--save-protocol", tmp_path / "trial", "--out", tmp_path / "page.html",
        "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv", "--ipynb", tmp_path / "a.ipynb",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [e["outcome"] for e in found["estimates"] if e["headline"]] == ["pain", "sleep_hrs", "steps"]
    assert found["design"] == "AB"
    assert found["verdict"]["sentence"] in out
    assert "not agreed beforehand" in (tmp_path / "page.html").read_text(encoding="utf-8")
    table = list(csv.DictReader((tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(table) == len(found["estimates"])
    assert json.loads((tmp_path / "a.ipynb").read_text(encoding="utf-8"))["cells"]
    code, _, _ = run(capsys, "check", tmp_path / "trial")
    assert code == 0
    code, _, err = run(
        capsys,
        "report",
        source,
        "--start",
        "2026-01-19",
        "--outcome",
        "Pain=nrs_pain",
        "--save-protocol",
        tmp_path / "trial",
    )
    assert (code, "already" in err) == (2, True)


def test_no_baseline_is_a_descriptive_report(capsys, folder):
    text = re.sub(r'\[\[phase\]\]\nkind = "baseline".*?(?=\[\[phase)', "", GOOD, flags=re.DOTALL)
    (folder / "protocol.toml").write_text(text, encoding="utf-8")
    code, out, err = run(capsys, "report", folder, "--out", folder / "page.html", "--json", folder / "a.json")
    assert code == 0
    assert "nothing to compare with" in out
    assert "there is no baseline, so there is no change to report" in err
    found = json.loads((folder / "a.json").read_text(encoding="utf-8"))
    assert found["verdict"]["kind"] == "cannot_say"
    assert found["estimates"][0]["value"] is None
    assert "there is no change to report" in (folder / "page.html").read_text(encoding="utf-8")


def test_the_json_has_the_promised_shape(capsys, tmp_path):
    code, _, _ = run(
        capsys,
        "report",
        ROOT / "sample_data" / "low_back_pain",
        "--out",
        tmp_path / "p.html",
        "--json",
        tmp_path / "a.json",
    )
    assert code == 0
    found = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert found["schema"] == "acu-nof1/reassessment/1"
    assert {"person", "condition", "design", "reassessed_on", "window_days", "verdict", "success", "safety", "estimates", "ledger",
            "problems", "inputs", "versions"} <= set(found)  # fmt: skip
    assert {"kind", "sentence", "reasons", "attribution", "overruled_by"} <= set(found["verdict"])
    assert set(found["success"]) == {"kind", "p", "bound", "rule", "not_estimable", "pairs"}
    assert {"red_flags", "serious_events", "adverse_events", "sessions_asked"} <= set(found["safety"])
    wanted = {"outcome", "primary", "question", "status", "reason", "before", "after", "value", "low", "high", "confidence", "unit", "better",
              "important_change", "p_gain", "p_important_gain", "p_important_loss", "bands", "reading", "days", "method"}  # fmt: skip
    assert all(wanted <= set(each) for each in found["estimates"])
    ledger = found["ledger"]
    assert ledger["read"] == ledger["kept"] + ledger["converted"] + ledger["missing"] + ledger["rejected"]
    assert all(re.fullmatch("[0-9a-f]{64}", each["sha256"]) for each in found["inputs"])
    assert found["success"]["kind"] == "cannot_say"
    assert 0.2 < found["success"]["p"] < 0.8
    (together,) = found["success"]["pairs"]
    assert together["outcomes"] == ["pain", "walking"]
    assert 0 < together["correlation"] < 1


def test_after_session_shows_the_trial_as_it_stood(capsys, tmp_path):
    code, out, _ = run(
        capsys,
        "report",
        ROOT / "sample_data" / "low_back_pain",
        "--after-session",
        "6",
        "--out",
        tmp_path / "p.html",
        "--json",
        tmp_path / "a.json",
    )
    assert code == 0
    assert "before session 6" in out
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["reassessed_on"] == "2026-02-23"
    code, _, err = run(capsys, "report", ROOT / "sample_data" / "low_back_pain", "--after-session", "99")
    assert code == 1
    assert "attended sessions are listed" in err


def test_version_and_module():
    for command in ([sys.executable, "-m", "acu_nof1", "--version"],):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert re.fullmatch(r"acu-nof1 \d+\.\d+\.\d+\n", done.stdout)


def test_wrong_options_exit_with_2(capsys):
    code, _, _ = run(capsys, "report")
    assert code == 2
    code, _, err = run(capsys, "reprot")
    assert code == 2
    assert "reprot" in err


def test_cells_of_the_csv_are_no_formulas():
    import pandas as pd

    from acu_nof1.export import neutralised

    frame = neutralised(pd.DataFrame({"label": ["=1+1", "-2", "@x", "fine", None], "value": [-1.0, 2, 3, 4, 5]}))
    assert list(frame["label"][:4]) == ["'=1+1", "'-2", "'@x", "fine"]
    assert list(frame["value"]) == [-1, 2, 3, 4, 5]


def test_targets_are_checked_before_anything_is_read(capsys, folder):
    (folder / "pain.csv").write_text("not a diary", encoding="utf-8")
    (folder / "made").mkdir()
    code, _, err = run(
        capsys, "report", folder, "--out", folder / "nowhere" / "page.html", "--json", folder / "made",
        "--csv", folder / "pain.csv", "--ipynb", folder / "made" / ".." / "protocol.toml",
    )  # fmt: skip
    assert code == 2
    assert all(said in err for said in ("--out", "there is no folder", "--json", "this is a folder"))
    assert err.count("would be overwritten") == 2
    code, _, err = run(capsys, "report", folder, "--json", folder / "a", "--csv", folder / "made" / ".." / "a")
    assert (code, "--json names the same file" in err) == (2, True)
    code, _, err = run(capsys, "report", folder / "pain.csv", "--out", folder / "pain.csv")
    assert (code, "would be overwritten" in err) == (2, True)
    code, _, err = run(capsys, "report", folder / "pain.csv", "--save-protocol", folder / "pain.csv" / "trial")
    assert (code, "is a file, not a folder" in err) == (2, True)
    code, _, err = run(capsys, "demo", "--out", folder / "pain.csv" / "demo")
    assert (code, "is a file, not a folder" in err) == (2, True)


def test_what_the_system_refuses_is_one_line(capsys, folder, monkeypatch):
    from acu_nof1 import load

    def refused(*_):
        raise PermissionError(13, "Permission denied", "pain.csv")

    monkeypatch.setattr(load, "read_trial", refused)
    code, _, err = run(capsys, "check", folder)
    assert (code, err.count("\n"), "pain.csv: Permission denied" in err) == (2, 1, True)


def test_check_needs_a_folder_and_names_stay_as_they_are(capsys, folder):
    code, _, err = run(capsys, "check", folder / "pain.csv")
    assert (code, "check needs a trial folder" in err) == (2, True)
    code, _, err = run(capsys, "plan", "--trial", folder / "pain.csv")
    assert (code, "plan --trial needs a trial folder" in err) == (2, True)
    code, _, err = run(capsys, "check", folder / "a:x:.d")
    assert (code, "a:x:.d" in err) == (2, True)


@pytest.mark.parametrize(
    ("more", "options", "said"),
    [
        ("2062-02-01,5\n", (), "more than a year from most entries: 2062-02-01"),
        ("", ("--start", "2027-01-19"), "the last entry is of 2026-04-12"),
        ("", ("--decimal", ";"), "this is no decimal sign"),
        ("", ("--date", "dote"), "there is no such column"),
        ("", ("--outcome", "pain=nrs_pain,important_change=inf"), "is not a number"),
    ],
)
def test_a_single_file_that_would_mislead(capsys, folder, more, options, said):
    (folder / "pain.csv").write_text("date,pain\n" + rows() + more, encoding="utf-8")
    code, _, err = run(
        capsys, "report", folder / "pain.csv", "--start", "2026-01-19", "--outcome", "pain=nrs_pain", *options,
        "--out", folder / "page.html",
    )  # fmt: skip
    assert (code, said in err) == (2, True), err


def test_undecided_dates_of_a_single_file_name_the_flags(capsys, folder):
    (folder / "pain.csv").write_text("date,pain\n" + "".join(f"0{i}/0{i % 5 + 1}/2026,5\n" for i in range(1, 9)))
    code, _, err = run(
        capsys, "report", folder / "pain.csv", "--start", "2026-01-19", "--outcome", "pain=nrs_pain",
        "--out", folder / "page.html",
    )  # fmt: skip
    assert (code, "--dayfirst (day/month) or --monthfirst" in err) == (2, True), err
