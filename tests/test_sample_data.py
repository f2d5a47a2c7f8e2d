import datetime as dt
import importlib.util
import json
import sys
import tomllib
from pathlib import Path

import openpyxl
import pytest

from acu_nof1 import read_trial, reassess
from acu_nof1.safety import RED_FLAGS

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
FOLDERS = ("low_back_pain", "knee_osteoarthritis", "migraine", "sleep_and_stress")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("generate_sample_data", SAMPLE_DATA / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=FOLDERS)
def folder(request):
    return SAMPLE_DATA / request.param


@pytest.fixture
def truth(folder):
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture
def protocol(folder):
    return tomllib.loads((folder / "protocol.toml").read_text(encoding="utf-8"))


def contents(root):
    return {str(file.relative_to(root)): file.read_bytes() for name in FOLDERS for file in (root / name).iterdir()}


def test_the_script_gives_every_committed_file_again_byte_for_byte(script, tmp_path):
    script.generate(tmp_path)
    made, committed = contents(tmp_path), contents(SAMPLE_DATA)
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name] != committed[name]] == []


def compared(protocol):
    return {name: outcome for name, outcome in protocol["outcome"].items() if outcome.get("instrument") != "pgic"}


def test_every_outcome_of_the_protocol_has_a_truth(protocol, truth):
    # A rating of the change as a whole is an answer, not a quantity with a level and a change.
    assert compared(protocol).keys() == truth["outcomes"].keys()
    assert protocol["trial"]["person"] == truth["person"]
    for facts in truth["outcomes"].values():
        assert facts.keys() == {"level", "change", "mean_change", "shape", "noise"}


def test_the_truth_lies_on_the_scale(protocol, truth):
    for name, outcome in compared(protocol).items():
        facts = truth["outcomes"][name]
        top = 28 if outcome.get("instrument", "").endswith("_day") else outcome.get("range", [0, 120])[1]
        assert 0 <= facts["level"] + facts["change"] <= top


def test_the_layout_is_that_of_the_protocol(protocol, truth):
    baseline, treatment = protocol["phase"]
    assert treatment["start"] - baseline["end"] == dt.timedelta(days=1)
    assert truth["days"]["baseline"] == (treatment["start"] - baseline["start"]).days
    assert truth["days"]["treatment"] == (protocol["reassess"][-1]["on"] - treatment["start"]).days
    assert truth["days"]["window"] == protocol["reassess"][-1]["window_days"]
    assert protocol["trial"]["agreed_on"] <= baseline["start"]


def test_every_diary_file_is_declared(folder, protocol):
    declared = {diary["file"] for diary in protocol["diary"]} | {
        "protocol.toml",
        protocol["sessions"],
        "truth.json",
    }
    assert {file.name for file in folder.iterdir()} == declared


def shown_rows(file):
    """Rows as a spreadsheet shows them, each as one text."""
    if file.suffix == ".xlsx":
        page = openpyxl.load_workbook(file).active
        return [" ".join(str(cell) for cell in row) for row in page.iter_rows(values_only=True)]
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    return lines[1:] if lines[0].startswith("sep=") else lines


def test_planted_dirt_is_where_the_truth_says(folder, truth):
    for dirt in truth["planted"]:
        if dirt["row"] is not None:
            assert dirt["raw"] in shown_rows(folder / dirt["file"])[dirt["row"] - 1]


def test_dirt_is_of_many_kinds_and_rare():
    truths = [json.loads((SAMPLE_DATA / name / "truth.json").read_text(encoding="utf-8")) for name in FOLDERS]
    kinds = {dirt["rule"] for truth in truths for dirt in truth["planted"]}
    assert len(kinds) >= 15
    assert all(len(truth["planted"]) < 30 for truth in truths)


def test_an_honest_page_says_what_the_folder_was_made_for(folder, truth):
    verdict = reassess(read_trial(folder)).verdict
    assert truth["verdict"] == (verdict.overruled_by or verdict.kind)


def test_only_one_folder_holds_a_red_flag():
    flagged = {
        name: [line for line in (SAMPLE_DATA / name / "sessions.csv").read_text(encoding="utf-8").splitlines()
               if set(line.split(",")) & RED_FLAGS.keys()]
        for name in FOLDERS
    }  # fmt: skip
    assert {name for name, lines in flagged.items() if lines} == {"sleep_and_stress"}


def test_everything_says_that_it_is_simulated(folder, truth):
    assert "simulated" in truth["note"]
    assert "is simulated" in (folder / "protocol.toml").read_text(encoding="utf-8")
