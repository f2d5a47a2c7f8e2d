"""The sample clinic: what was planted is found; its page finds, sorts and stands without a script."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import acu_nof1 as acu
from acu_nof1.cohort.index import write_index
from acu_nof1.cohort.pooling import changes, pooled, pooled_by, regression
from acu_nof1.errors import UsageError
from acu_nof1.estimate.base import COLUMNS
from acu_nof1.report import clinic

CLINIC = Path(__file__).parent.parent / "sample_data" / "clinic"
TRUTH = json.loads((CLINIC / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found():
    return acu.reassess_all(acu.read_cohort(CLINIC))


def test_the_script_gives_the_clinic_again_byte_for_byte(tmp_path):
    spec = importlib.util.spec_from_file_location("generate_clinic", CLINIC.parent / "generate_clinic.py")
    script = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = script
    spec.loader.exec_module(script)
    script.generate(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {p.name: p.read_bytes() for p in CLINIC.iterdir()}


def test_the_three_broken_and_the_six_who_stopped_are_named_and_all_others_have_numbers(found):
    manifest = found.manifest().set_index("person")
    assert set(manifest.index[manifest["status"] == "failed"]) == set(TRUTH["broken"])
    assert "before it starts" in manifest.loc["C-17", "reason"]
    assert "answers to pain were not read" in manifest.loc["C-31", "reason"]
    assert "not in the people table" in manifest.loc["C-44", "reason"]
    assert set(manifest.index[manifest["status"] == "not_estimable"]) == set(TRUTH["dropped_out"])
    assert (manifest["status"] == "done").sum() == 51


def test_the_planted_mean_is_in_the_pooled_interval_overall_and_by_condition(found):
    true = {each["person"]: each for each in TRUTH["people"]}
    whole = pooled(found)
    planted = TRUTH["change"]["pain"]
    share = np.mean([each["condition"] == "chronic low back pain" for each in TRUTH["people"]])
    back, knee = planted["chronic low back pain"]["mean"], planted["knee osteoarthritis"]["mean"]
    assert whole.low < share * back + (1 - share) * knee < whole.high
    for _, row in pooled_by(found, "condition").to_frame().iterrows():
        assert row["low"] < planted[row["group"]]["mean"] < row["high"]
    own = whole.by_person.set_index("person")
    covered = [own.loc[code, "low"] <= true[code]["true_change"]["pain"] <= own.loc[code, "high"]
               for code in own.index[own["reason"] == ""]]  # fmt: skip
    assert np.mean(covered) > 0.88  # 51 people at 95 %


def test_a_person_s_own_interval_is_that_of_the_table(found):
    table = found.primary.set_index("person")
    own = pooled(found).by_person.set_index("person")
    own = own[own["reason"] == ""]
    np.testing.assert_array_equal(own[["low", "high"]], table.loc[own.index, ["low", "high"]])


def test_regression_and_what_cannot_be_asked(found):
    table = regression(found, ["sessions", "condition"]).to_frame()
    assert table["term"].tolist() == ["intercept", "sessions", "condition: knee osteoarthritis"]
    assert (table["low"] < table["coefficient"]).all()
    assert pooled(found, "sleep").mean > 0
    with pytest.raises(UsageError, match="nothing is known of age2"):
        regression(found, ["age2"])


def test_ratios_and_mixed_units_have_no_average():
    rows = pd.DataFrame([dict.fromkeys(COLUMNS, np.nan)] * 2).assign(
        person=["a", "b"], headline=True, primary=True, status="ok", limited=False, scale=["ratio", "difference"], confidence=0.95,
        unit="", better="lower", value=[1.0, 2.0], low=[0.5, 1.0], high=[2.0, 3.0],
    )  # fmt: skip
    from acu_nof1.cohort.pooling import _of_one_kind

    with pytest.raises(UsageError, match="have no common average: ratio in no unit; difference in no unit"):
        _of_one_kind(changes(rows))


# ------------------------------------------------------------------------------- the page


def everybody(count=400, seed=2):
    """Rows of a manifest and of results, some of them hostile."""
    rng = np.random.default_rng(seed)
    names = [f"C-{n:03}" for n in range(count)]
    names[5] = '<script>alert("x")</script>'
    value = np.round(rng.normal(-1.3, 1, count), 3)
    readings = rng.choice(["improved", "no_important_change", "cannot_say", "worse"], count).astype(object)
    readings[7] = "withheld: medical evaluation comes first"
    primary = pd.DataFrame({name: [""] * count for name in COLUMNS}).assign(
        person=names, label="Pain", unit="points", scale="difference", better="lower", important_change=-2.0, status="ok",
        value=value, low=value - 1.5, high=value + 1.5, se=0.75, confidence=0.95, limited=False, headline=True, primary=True,
        reading=readings,
    )  # fmt: skip
    people = [
        {
            "person": name,
            "condition": "knee & <hip>",
            "status": "done",
            "reason": "",
            "answered": 40 + n % 40,
            "asked": 80,
        }
        for n, name in enumerate(names)
    ]
    people[3] |= {"status": "failed", "reason": "row 4: no date", "answered": 0, "asked": 0}
    primary = primary[primary["person"] != names[3]].reset_index(drop=True)
    return people, primary


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = tmp_path_factory.mktemp("clinic") / "index.html"
    people, primary = everybody()
    write_index(path, people, primary, {"C-001": "reports/C-001.html"})
    return path


def test_texts_are_escaped_and_what_is_withheld_is(index):
    text = index.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text
    assert "withheld: medical evaluation comes first" in text
    assert "could not be read: row 4: no date" in text
    assert text.count("http") == text.count("http-equiv")


def test_nothing_is_called_agreed_that_was_only_declared(tmp_path):
    acu.run_cohort(CLINIC, tmp_path, questions=["change_at_reassessment"])
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Improved, less than the threshold" in page
    assert "than agreed" not in page
    assert "held about 88 in 100, not 95" in page


def test_a_page_of_very_many_says_who_is_not_on_it(monkeypatch, found):
    monkeypatch.setattr(clinic, "ROWS_UP_TO", 3)
    people = found.manifest().to_dict("records")
    rows = [clinic.row(each, None, "") for each in people]
    page = clinic.clinic_page(rows, {"done": 51, "not_estimable": 6, "failed": 3}, None, None, None)
    assert "The first 3 of 60 people are shown; results.csv and manifest.json hold everybody." in page
    assert people[2]["person"] in page
    assert people[3]["person"] not in page


def test_the_page_has_the_numbers_of_the_run(tmp_path):
    acu.run_cohort(CLINIC, tmp_path, questions=("change_at_reassessment",))
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    row = pd.read_csv(tmp_path / "results.csv").query("person == 'C-10' and headline and primary").iloc[0]
    assert f"−{-row['value']:.1f} (−{-row['low']:.1f} to −{-row['high']:.1f}) points" in text
    assert "60 people: 51 with an answer, 6 not estimable, 3 could not be read." in text


def test_four_hundred_people_are_found_and_sorted_by_keyboard(chromium, index):
    page = chromium.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(index.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []

    def first():
        return page.locator("#everybody tbody tr:visible th").first.text_content()

    assert first() == "C-000"  # not the best patient
    page.locator("#find").focus()
    page.keyboard.type("C-123")
    assert page.locator("#shown").text_content() == "1 of 400 people shown"
    page.locator("#find").fill("")
    page.keyboard.press("Tab")  # the scrolling region
    page.keyboard.press("Tab")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    head = page.locator("#everybody th[aria-sort]")
    assert (head.text_content(), head.get_attribute("aria-sort")) == ("Change (interval)", "ascending")
    people, primary = everybody()
    assert first() == primary.loc[primary["value"].idxmin(), "person"]
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert first() == primary.loc[primary["value"].idxmax(), "person"]
    assert (
        page.locator("#everybody tbody tr").last.locator("th").text_content() == people[3]["person"]
    )  # nothing to sort by
    assert said == []
    page.close()


def test_no_serious_finding_of_axe_and_no_overflow_at_320(chromium, index):
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page(viewport={"width": 320, "height": 800})
    page.goto(index.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    page.close()


def test_without_a_script_it_is_a_plain_table(chromium, index):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(index.as_uri())
    assert page.locator("#everybody tbody tr").count() == 400
    assert not page.locator("#find").is_visible()
    assert page.locator("#everybody a").get_attribute("href") == "reports/C-001.html"
    context.close()
