"""What the package says: golden text for each verdict, numbers for people, words no stronger than the design."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, SAMPLES, make_trial
from hypothesis import given
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1 import words
from acu_nof1.reassessment import reassess

GOLDEN = Path(__file__).parent / "golden"
# What a before-and-during record of one person cannot show.
TOO_STRONG = re.compile(
    r"\b(?:acupuncture (?:lowered|reduced|helped|worked|improved)|because of|due to|caused?|effects?|effective(?! days)|"
    r"significant(?:ly)?|proves?|proven|cured?|thanks to|responders?|works|worked|led to)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-1.94, 1, "−1.9"), (-0.04, 1, "0.0"), (0.0, 1, "0.0"), (1234.5, 0, "1,234"), (-12, 0, "−12"), (0.25, 1, "0.2")],
)
def test_numbers(value, digits, text):
    assert words.number(value, digits) == text


@pytest.mark.parametrize(
    ("chance", "text"),
    [
        (0, "less than 1 in 100"), (0.005, "less than 1 in 100"), (0.015, "less than 5 in 100"), (0.03, "about 5 in 100"),
        (0.253, "about 25 in 100"), (0.5, "about 50 in 100"), (0.97, "about 95 in 100"), (0.98, "more than 95 in 100"),
        (0.991, "more than 99 in 100"), (1, "more than 99 in 100"),
    ],
)  # fmt: skip
def test_chances_are_whole_fives_and_never_0_or_100(chance, text):
    assert words.in_hundred(chance) == text


@given(st.floats(0, 1))
def test_no_chance_is_said_to_be_certain(chance):
    said = int(re.search(r"(\d+) in 100", words.in_hundred(chance)).group(1))
    assert 0 < said < 100
    assert said % 5 == 0 or said in (1, 99)


def test_bounds_that_do_not_exist_are_named():
    assert words.ratio(math.inf) == "no upper bound"
    assert words.ratio(0.0) == "down to 0"
    assert [words.ratio(x) for x in (0.344, 1.13, 12.4, 0.052, 0.00019)] == [
        "0.34",
        "1.1",
        "12",
        "0.052",
        "less than 0.01",
    ]


def course(gain: float, days: int = 98, noise: float = 0.6, seed: int = 3, phi_like: float = 0.0) -> np.ndarray:
    """Ratings before (14 days) and after, whole points, with a little noise."""
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=days)
    drift = np.convolve(shocks, np.ones(15) / np.sqrt(15), "same") if phi_like else 0
    level = np.where(np.arange(days) < 14, 6.0, 6.0 - gain)
    return np.clip(np.round(level + noise * shocks + phi_like * drift), 0, 10)


CASES = {
    "improved": make_trial({"pain": course(3.5)}),
    "improved_amount_unclear": make_trial({"pain": course(2.0)}),
    "improved_less": make_trial({"pain": course(1.0, noise=0.5)}),
    "no_important_change": make_trial({"pain": course(0.1)}),
    "worse_amount_unclear": make_trial({"pain": course(-1.0, noise=0.5)}),
    "worse": make_trial({"pain": course(-2.5)}),
    "cannot_say": make_trial({"pain": course(1.2, noise=1.4, phi_like=1.6)}),
    "not_estimable": make_trial({"pain": [6.0] * 98}),
    "no_baseline": make_trial({"pain": course(1.0)}, baseline=0),
    "no_threshold": make_trial({"mood": course(2.0)}, mood={"kind": "rating", "range": [0, 10], "better": "lower"}),
    "not_agreed": make_trial({"pain": course(2.0)}, raw={"trial": {"person": "P-001"}}, pain={"instrument": "nrs_pain"}),
    "floor": make_trial({"pain": np.clip(course(1.0) - 5, 0, 10)}),
    "red_flag": make_trial({"pain": course(3.5)}, raw={"safety": {"red_flags": ["fever"]}}),
    "serious_event": make_trial(
        {"pain": course(3.5)}, raw={"session": [{"date": "2026-02-01", "adverse_asked": True, "adverse_event": "faint", "serious": True}]}
    ),
    "co_intervention": make_trial({"pain": course(3.5)}, raw={"event": [{"date": "2026-01-22", "what": "new tablets"}]}),
    "success_met": make_trial({"pain": course(3.5)}, raw={"success": {"all": ["pain"]}}),
    "success_together": make_trial({"pain": course(3.5), "stiffness": course(2.4, seed=4) + course(0, seed=3) - 6},
        pain={"instrument": "nrs_pain", "important_change": 2},
        stiffness={"label": "Stiffness", "kind": "rating", "range": [0, 10], "better": "lower", "important_change": 2},
        raw={"success": {"all": ["pain", "stiffness"]}}),
    "ratio": make_trial({"steps": 1000 * (10 - course(2.0))}, steps={"kind": "count", "better": "higher", "unit": "steps/day", "important_change_percent": 20}),
    "days": make_trial({"headache": course(4.0) > 4}, headache={"instrument": "headache_day", "important_change": 4}),
    "randomised": make_trial({"pain": course(3.5)}, raw={"phase": [
        {"kind": "baseline", "start": "2026-01-05", "end": "2026-01-18"},
        {"kind": "treatment", "start": "2026-01-19", "end": "2026-04-12", "randomised_from": "2026-01-12", "randomised_to": "2026-01-26"},
    ]}),
}  # fmt: skip


def told(review: acu.Reassessment) -> str:
    """Everything the page says in sentences, one a line."""
    estimate = review.verdict.estimate
    lines = [
        f"verdict: {review.verdict.kind}"
        + (f", overruled by {review.verdict.overruled_by}" if review.verdict.overruled_by else "")
    ]
    lines += [review.sentence, words.threshold(estimate, review.telling)]
    lines += [f"reason: {text}" for text in words.reasons(estimate)]
    lines += [f"attribution: {text}" for text in review.attribution]
    lines += [f"limit: {text}" for text in review.limits]
    lines += [f"success: {review.success_sentence}", f"diary: {words.sensitivity_of_diary(estimate)}"]
    lines += [
        f"safety: {text}"
        for text in words.safety_line(review.safety, review.trial.protocol.safety.model_dump(exclude={"red_flags"}))
    ]
    return "\n".join(line.replace(words.NO_BREAK, " ") for line in lines) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_golden_text(name):
    """Read aloud before it was committed; a change of any word is a change of this file."""
    assert told(reassess(CASES[name])) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in CASES if name in words.READINGS])
def test_the_case_has_the_verdict_it_is_named_after(name):
    assert reassess(CASES[name]).verdict.kind == name


@pytest.mark.parametrize("name", CASES)
def test_no_word_is_stronger_than_the_design(name):
    assert not TOO_STRONG.search(told(reassess(CASES[name])))


@pytest.mark.parametrize("folder", SAMPLES)
def test_no_word_in_a_sample_is_stronger_than_the_design(folder):
    assert not TOO_STRONG.search(told(reassess(acu.read_trial(ROOT / "sample_data" / folder))))


@pytest.mark.parametrize("name", CASES)
def test_printed_numbers_add_up(name):
    def value(text: str) -> float:
        return float(text.replace("−", "-").replace(",", ""))

    for estimate in reassess(CASES[name]).estimates:
        shown = words.printed(estimate)
        if estimate.ok and estimate.scale == "difference" and shown.before != "–":
            assert value(shown.after) - value(shown.before) == pytest.approx(value(shown.change), abs=1e-9)
            assert abs(value(shown.change) - estimate.value) <= 10.0 ** -words.digits_of(estimate)


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("red_flag", "serious_event")])
def test_words_agree_with_numbers(name):
    review = reassess(CASES[name])
    estimate, said = review.verdict.estimate, review.sentence
    if estimate is None or not estimate.ok:
        assert "not estimable" in said
        return
    lower = {"lower", "fewer"} & set(re.findall(r"\w+", said.split(";")[0]))
    if estimate.value < -0.1 and estimate.scale == "difference":
        assert lower
    assert words.in_hundred(max(estimate.p_gain, estimate.p_loss)) in said


def test_red_flag_opens_and_shows_no_badge():
    review = reassess(CASES["red_flag"])
    assert review.sentence.startswith("Seek medical evaluation promptly")
    assert "mproved" not in review.sentence
    assert review.to_dict()["verdict"]["overruled_by"] == "red_flag"


def test_a_red_flag_withholds_verdict_success_and_readings_from_machines_too():
    green = make_trial({"pain": course(3.5)}, raw={"success": {"all": ["pain"]}})
    red = make_trial({"pain": course(3.5)}, raw={"success": {"all": ["pain"]}, "safety": {"red_flags": ["fever"]}})
    assert reassess(green).success.kind == "met"
    review = reassess(red)
    found = review.to_dict()
    assert (review.verdict.kind, review.success.kind, review.success.p) == ("overruled", "overruled", None)
    assert (found["verdict"]["kind"], found["success"]["kind"]) == ("overruled", "overruled")
    assert {each["reading_kind"] for each in found["estimates"]} == {None}
    assert set(review.to_frame()["reading"]) <= {words.WITHHELD, "neither more nor less is better"}
    assert found["sensitivity"] == found["missing_days"]["tipping_points"] == []
    assert "mproved" not in str(found)
    assert "Met" not in review.success_sentence
    # The numbers stay: what was kept is described.
    assert found["estimates"][0]["value"] == reassess(green).to_dict()["estimates"][0]["value"]


def test_none_reported_is_not_not_asked():
    def said(**session):
        trial = make_trial({"pain": course(2.0)}, raw={"session": [{"date": "2026-02-01"} | session]})
        return " ".join(words.safety_line(trial.safety, {}))

    assert "not asked about" in said()
    assert "asked about at the one session: none reported" in said(adverse_asked=True)


def test_a_name_inside_a_sentence_keeps_its_capitals():
    pain, peg = acu.OUTCOMES["nrs_pain"], acu.OUTCOMES["peg"]
    assert words.name_in_sentence(pain) == "pain"
    assert words.name_in_sentence(peg).startswith("PEG")
