"""Other ways of asking: each choice against a call made by hand, what the words say of it, and the figure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import report_cases
from conftest import SAMPLES, START, make_trial
from scipy import stats

import acu_nof1 as acu
from acu_nof1 import words
from acu_nof1.distribution import Reweighted
from acu_nof1.errors import ProtocolError
from acu_nof1.estimate import columns as engine
from acu_nof1.estimate.kernel import AR1, fit
from acu_nof1.estimate.level import MEAN_CHANGE, window_question
from acu_nof1.explore.sensitivity import Alternative, Sensitivity, segmented_question
from acu_nof1.report.blocks import blocks
from acu_nof1.report.sensitivity import sensitivity_blocks

GOLDEN = Path(__file__).parent / "golden"
EVENT = {"event": [{"date": "2026-02-20", "what": "new tablets"}]}
PAIN = {"instrument": "nrs_pain", "important_change": 2}
SAME = ("value", "low", "high", "p_gain", "p_important_gain", "p_important_loss")


def course(gain=2.0, days=98, baseline=14, seed=3):
    noise = np.random.default_rng(seed).normal(size=days + 1)
    level = np.where(np.arange(days) < baseline, 6.0, 6.0 - gain)
    return np.clip(np.round(level + noise[1:] + 0.5 * noise[:-1]), 0, 10)


TRIAL = make_trial(
    {"pain": course()}, raw=EVENT, pain=PAIN | {"effect_prior": {"mean": -1.0, "sd": 1.5, "source": "a meta-analysis"}}
)


@cache
def asked(trial):
    """Each trial of this file is asked once."""
    return acu.sensitivity(trial)


def alternative(found, name):
    return next(each for each in found.alternatives if each.name == name)


def agree(one, other, rel=1e-9):
    assert [getattr(one, name) for name in SAME] == pytest.approx([getattr(other, name) for name in SAME], rel=rel)
    assert one.reading == other.reading


# ------------------------------------------------------------------ each choice, by hand


@pytest.mark.parametrize("folder", SAMPLES)
def test_the_first_row_is_the_headline_of_the_reassessment(folder):
    review = report_cases.sample(folder)
    assert review.sensitivity.primary is (None if review.verdict.overruled_by else review.verdict.estimate)
    agree(acu.sensitivity(review.trial, review.look).primary, review.estimates.primary)
    assert review.sensitivity is review.sensitivity


def test_ar1_is_the_kernel_with_ar1_noise():
    series = TRIAL.comparisons()
    question = window_question(series)
    by_hand = fit(
        np.where(series.answered, series.values, np.nan), question.columns, series.treated, question.contrasts, AR1
    ).mixture(engine.CHANGE)
    found = alternative(asked(TRIAL), "ar1").estimate
    assert [found.low, found.high] == pytest.approx(by_hand.quantile([0.025, 0.975])[0], rel=1e-9)
    assert found.value == pytest.approx(by_hand.mean[0], rel=1e-9)
    assert "AR(1)" in found.method


def test_all_treatment_days_give_the_mean_change():
    (by_hand,) = MEAN_CHANGE(TRIAL.comparisons())
    agree(alternative(asked(TRIAL), "all_treatment").estimate, by_hand)


def test_a_run_in_is_that_of_the_protocol():
    declared = make_trial({"pain": course()}, raw=EVENT | {"trial": {"agreed_on": START, "run_in_days": 14}}, pain=PAIN)
    found = alternative(asked(TRIAL), "run_in")
    agree(found.estimate, acu.reassess(declared).estimates.primary)
    assert alternative(acu.sensitivity(declared), "run_in").status == "not_applicable"


def test_without_the_first_week_is_as_if_it_had_not_been_kept():
    values = course()
    values[:7] = np.nan
    by_hand = acu.reassess(make_trial({"pain": values}, pain=PAIN)).estimates.primary
    found = alternative(asked(TRIAL), "first_week")
    agree(found.estimate, by_hand)
    assert found.estimate.days_before == 7


def test_before_the_event_is_a_look_on_its_day():
    found = alternative(asked(TRIAL), "before_event")
    agree(found.estimate, acu.reassess(TRIAL, on=dt.date(2026, 2, 20)).estimates.primary)


def test_an_event_as_a_step_takes_its_own_part_of_the_change():
    days = np.arange(98)
    values = 7.0 - 1.0 * (days >= 14) - 3.0 * (days >= 46) + 0.01 * np.random.default_rng(2).normal(size=98)
    found = acu.sensitivity(make_trial({"pain": values}, raw=EVENT, pain=PAIN))
    assert found.primary.value == pytest.approx(-4, abs=0.3)
    assert alternative(found, "event_column").estimate.value == pytest.approx(-1, abs=0.05)


def test_an_event_as_a_step_is_one_more_column_of_the_kernel():
    series = TRIAL.comparisons()
    question = window_question(series)
    step = (series.tau >= (dt.date(2026, 2, 20) - dt.date(2026, 1, 19)).days).astype(float)
    by_hand = fit(
        np.where(series.answered, series.values, np.nan),
        np.concatenate([question.columns, step[..., None]], axis=2),
        series.treated,
        np.pad(question.contrasts, ((0, 0), (0, 0), (0, 1))),
    ).mixture(engine.CHANGE)
    found = alternative(asked(TRIAL), "event_column").estimate
    assert [found.low, found.high] == pytest.approx(by_hand.quantile([0.025, 0.975])[0], rel=1e-6)


@pytest.mark.parametrize(("date", "counts"), [("2026-01-05", False), ("2026-01-06", True), ("2026-04-12", True)])
def test_a_step_needs_days_on_both_sides_of_it(date, counts):
    """The diary runs from 5 January to 12 April: a step on its first day is no step."""
    raw = {"event": [{"date": date, "what": "new tablets"}]}
    found = alternative(acu.sensitivity(make_trial({"pain": course()}, raw=raw, pain=PAIN)), "event_column")
    assert (found.status == "ok") == counts


def test_what_began_with_treatment_cannot_be_told_from_it():
    found = acu.sensitivity(
        make_trial({"pain": course()}, raw={"event": [{"date": "2026-01-19", "what": "diet"}]}, pain=PAIN)
    )
    assert "cannot be told apart" in alternative(found, "event_column").reason
    assert alternative(found, "before_event").status == "not_applicable"


def test_lines_through_the_phases_are_read_in_the_middle_of_baseline_and_window():
    """Exact lines: the change between their middles, whatever the jump on the first day."""
    tau = np.arange(98) - 14
    lines = np.where(tau < 0, 6 + 0.05 * tau, 5 - 0.03 * tau)
    found = acu.sensitivity(make_trial({"pain": lines + 1e-4 * np.random.default_rng(1).normal(size=98)}, pain=PAIN))
    expected = lines[-14:].mean() - lines[:14].mean()
    assert alternative(found, "segmented").estimate.value == pytest.approx(expected, abs=1e-3)
    question = segmented_question(make_trial({"pain": lines}, pain=PAIN).comparisons())
    beta = np.array([6, 0.05, 5, -0.03])
    np.testing.assert_allclose((question.contrasts @ beta)[0], [lines[:14].mean(), lines[-14:].mean(), expected])


def test_priors_reweight_the_primary_answer():
    found, flat = asked(TRIAL), acu.reassess(TRIAL).estimates.primary
    sceptic = 2 / stats.norm.ppf(0.975)
    assert 2 * stats.norm.sf(2 / sceptic) == pytest.approx(0.05)
    for name, mean, sd in (("declared_prior", -1.0, 1.5), ("sceptical_prior", 0.0, sceptic)):
        by_hand, estimate = Reweighted.of(flat.distribution, mean, sd), alternative(found, name).estimate
        assert [estimate.low, estimate.high] == pytest.approx(by_hand.quantile([0.025, 0.975])[0], rel=1e-5)
        assert estimate.value == pytest.approx(by_hand.centre[0], rel=1e-6)
        assert estimate.p_important_gain == pytest.approx(by_hand.cdf(-2.0)[0], abs=1e-6)
    assert flat.value < alternative(found, "declared_prior").estimate.value < 0


WAYS = ("mean", "worst", "last", "best")


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Every third day holds four answers, the others one; read with each reducer."""
    rows = []
    for day, value in enumerate(course()):
        times = (value, min(value + 3, 10), max(value - 1, 0), min(value + 1, 10)) if day % 3 == 0 else (value,)
        rows += [f"{START + dt.timedelta(days=day)},{each:g}" for each in times]
    file = tmp_path_factory.mktemp("several") / "pain.csv"
    file.write_text("\n".join(["date,pain", *rows]), encoding="utf-8")
    outcome = TRIAL.protocol.outcome("pain")
    return {how: acu.Trial(TRIAL.protocol, acu.read_diary(file, outcomes=[outcome], reducer=how)) for how in WAYS}


@pytest.mark.parametrize("how", WAYS)
def test_several_answers_a_day_are_reduced_as_the_reader_would(read, how):
    outcome = TRIAL.protocol.outcome("pain")
    for reducer in WAYS:
        again = read[how].diary.reduced(outcome, reducer)
        pd.testing.assert_series_equal(again, read[reducer].diary.values["pain"])


@pytest.mark.parametrize("reducer", ["mean", "worst", "last"])
def test_the_answer_under_another_reducer_is_that_of_the_diary_read_so(read, reducer):
    name = f"{reducer}_of_day"
    agree(alternative(asked(read["best"]), name).estimate, asked(read[reducer]).primary)
    assert alternative(asked(read[reducer]), name).status == "not_applicable"


def test_single_answers_stay_with_a_diary_that_is_cut_or_joined(read):
    diary, outcome = read["mean"].diary, TRIAL.protocol.outcome("pain")
    other = acu.Diary.from_values({"sleep": pd.Series([7.0, 6], pd.date_range(START, periods=2))})
    for each in (diary + other, other + diary):
        assert set(each.several["outcome"]) == {"pain"}
    cut = diary.until(pd.Timestamp(START) + pd.Timedelta(days=4))
    worst = [min(value + 3 * (day % 3 == 0), 10) for day, value in enumerate(course()[:4])]
    assert cut.reduced(outcome, "worst").to_list() == worst
    assert other.reduced(replace(outcome, name="sleep"), "worst").to_list() == [7, 6]


# ------------------------------------------------------------------ rules


def test_turning_the_scale_around_turns_every_answer_around():
    mirrored = make_trial(
        {"pain": 10 - course()}, raw=EVENT, pain=PAIN | {"better": "higher", "effect_prior": {"mean": 1.0, "sd": 1.5}}
    )
    for one, other in zip(asked(TRIAL).alternatives, acu.sensitivity(mirrored).alternatives, strict=True):
        assert (one.name, one.status, one.same) == (other.name, other.status, other.same)
        if one.status == "ok":
            assert [one.estimate.value, one.estimate.low, one.estimate.high] == pytest.approx(
                [-other.estimate.value, -other.estimate.high, -other.estimate.low], rel=1e-6
            )
            assert one.estimate.p_gain == pytest.approx(other.estimate.p_gain, abs=1e-7)


def test_few_calls_of_the_kernel_answer_everything(monkeypatch):
    calls = []
    monkeypatch.setattr(engine, "fit", lambda *given: calls.append(given) or fit(*given))
    review = acu.reassess(TRIAL)
    calls.clear()
    assert len(review.sensitivity.estimable) == 9
    assert len(calls) <= 6


HEADACHE = np.tile([1.0, 0, 1, 0, 0, 1, 0], 14) * (np.arange(98) % 5 != 0)
OTHERS = {
    "days": make_trial({"headache": HEADACHE}, raw=EVENT, headache={"instrument": "headache_day", "important_change": 4}),
    "ratio": make_trial({"steps": 1000 * (10 - course())}, raw=EVENT, steps={"kind": "count", "better": "higher", "important_change_percent": 20}),
    "weekly": make_trial({"peg": [x if day % 7 == 0 else np.nan for day, x in enumerate(course())]}, peg={"instrument": "peg", "important_change": 1, "sem": 0.8}),
    "no_threshold": make_trial({"mood": course()}, mood={"kind": "rating", "range": [0, 10], "better": "lower"}),
    "phases": make_trial({"pain": np.concatenate([course(2, 42), course(2, 42)])}, pain=PAIN, raw={"phase": [
        {"kind": kind, "start": START + dt.timedelta(days=a), "end": START + dt.timedelta(days=b)}
        for kind, a, b in (("baseline", 0, 13), ("treatment", 14, 41), ("baseline", 42, 55), ("treatment", 56, 83))
    ]}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "answered"),
    [
        ("days", {"all_treatment", "run_in", "before_event"}),
        ("ratio", {"ar1", "all_treatment", "run_in", "first_week", "before_event", "event_column"}),
        ("weekly", {"sceptical_prior"}),
        ("no_threshold", {"ar1", "all_treatment", "segmented", "run_in", "first_week"}),
        ("phases", {"ar1", "run_in", "first_week", "sceptical_prior"}),
    ],
)
def test_what_does_not_arise_says_why_and_is_not_counted(kind, answered):
    found = asked(OTHERS[kind])
    assert found.primary.ok
    assert {each.name for each in found.estimable} == answered
    assert all(each.reason for each in found.alternatives if each.status != "ok")
    assert len(found.alternatives) == len(acu.SPECIFICATIONS)


def test_the_ratio_of_all_treatment_days_is_its_ratio_of_means():
    found = asked(OTHERS["ratio"])
    values = 1000 * (10 - course())
    estimate = alternative(found, "all_treatment").estimate
    assert estimate.value == pytest.approx(values[14:].mean() / values[:14].mean(), rel=0.02)
    assert found.primary.scale == estimate.scale == "ratio"


def test_a_primary_that_cannot_be_estimated_has_nothing_to_depend_on():
    for trial in (make_trial({"pain": [6.0] * 98}), make_trial({"pain": course()}, baseline=0)):
        found = acu.reassess(trial).sensitivity
        assert not found.depends
        assert found.estimable == ()
        assert words.sensitivity_sentence(found) == ""
        assert words.sensitivity_alt(found) == words.NOTHING_TO_COMPARE
        assert acu.plot_sensitivity(found).texts[0].get_text() == words.NOTHING_TO_COMPARE


def test_the_frame_has_a_row_for_the_plan_and_one_for_each_choice():
    frame = asked(TRIAL).to_frame()
    assert frame["specification"].to_list() == ["primary", *(each.name for each in acu.SPECIFICATIONS)]
    assert frame.loc[frame["status"] == "ok", "value"].notna().all()
    assert (frame.loc[frame["status"] == "not_applicable", "reason"] != "").all()
    assert Sensitivity(None, (), agreed=True).to_frame().empty


# ------------------------------------------------------------------ the protocol's prior


def test_a_prior_is_read_from_the_protocol_in_the_unit_of_the_outcome():
    prior = TRIAL.protocol.outcome("pain").effect_prior
    assert (prior.mean, prior.sd, prior.source) == (-1.0, 1.5, "a meta-analysis")
    sleep = make_trial(
        {"sleep": course()}, sleep={"instrument": "csd_tst", "unit": "h", "effect_prior": {"mean": 0.5, "sd": 1}}
    )
    outcome = sleep.protocol.outcome("sleep")
    assert outcome.effect_prior.mean == 0.5
    assert outcome.in_unit("min").effect_prior.sd == 60


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        ({"mean": -1, "sd": 0}, "sd"),
        ({"mean": -1}, 'key "sd" is missing'),
        ({"mean": float("nan"), "sd": 1}, "mean"),
        ({"mean": -1, "sd": 1, "sorce": "x"}, '"source"'),
        ({"mean": -11, "sd": 1}, "larger than the whole scale"),
        (-1, "table"),
    ],
)
def test_a_prior_that_cannot_be_is_an_error_that_says_where(prior, said):
    with pytest.raises(ProtocolError) as caught:
        make_trial({"pain": course()}, pain=PAIN | {"effect_prior": prior})
    (problem,) = caught.value.problems
    assert said in f"{problem.problem} {problem.remedy}"
    assert "outcome.pain" in problem.where


@pytest.mark.parametrize(("sd", "said"), [(12, "larger than the whole scale"), (0.1, "less than a tenth"), (1.5, None)])
def test_a_prior_that_says_nothing_or_everything_is_warned_of(sd, said):
    table = acu.check(make_trial({"pain": course()}, pain=PAIN | {"effect_prior": {"mean": -1, "sd": sd}}))
    about = table[table["problem"].str.contains("effect_prior")]
    assert (
        (len(about) == 1 and said in about["problem"].iloc[0] and about["severity"].iloc[0] == "warning")
        if said
        else about.empty
    )


# ------------------------------------------------------------------ words


def told(trial):
    found = asked(trial)
    rows = [f"{words.choice_title(each)}: {words.choice_reading(each, found.agreed)}" for each in found.alternatives]
    lines = [words.sensitivity_sentence(found), words.prior_sentence(found), *rows, words.sensitivity_alt(found)]
    return "\n".join(line.replace(words.NO_BREAK, " ") for line in lines) + "\n"


LATE = {"trial": {"agreed_on": "2026-02-01"}}
SPOKEN = {
    "prior": TRIAL,
    "late_prior": make_trial(
        {"pain": course()}, raw=EVENT | LATE, pain=PAIN | {"effect_prior": {"mean": -1.0, "sd": 1.5}}
    ),
    "same": make_trial({"pain": course(4)}, pain=PAIN),
    **OTHERS,
}


@pytest.mark.parametrize("name", SPOKEN)
def test_golden_text(name):
    assert told(SPOKEN[name]) == (GOLDEN / f"sensitivity_{name}.txt").read_text(encoding="utf-8")


def made(*readings):
    """A sensitivity whose alternatives have these readings; the primary is improved."""
    primary = replace(acu.reassess(TRIAL).estimates.primary, reading="improved")
    rows = [
        Alternative(name, {"days": 7}, "ok", "", replace(primary, reading=kind), same=kind == "improved")
        for name, kind in zip(("ar1", "all_treatment", "segmented", "run_in"), readings, strict=False)
    ]
    return Sensitivity(primary, tuple(rows), agreed=True)


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        ((), ""),
        (("improved",), "The verdict is the same under the one other reasonable choice."),
        (("improved",) * 3, "The verdict is the same under all 3 other reasonable choices."),
        (("cannot_say", "improved"), "The verdict is the same under 1 of 2 other reasonable choices; with AR(1) noise instead "
         "of the robust one it would be “cannot say”."),
        (("cannot_say", "worse", "improved"), "The verdict is the same under 1 of 3 other reasonable choices; with AR(1) noise "
         "instead of the robust one it would be “cannot say” and with all treatment days, not the last ones it would be “worse”."),
        (("cannot_say", "worse", "improved_less"), "The verdict is the same under none of 3 other reasonable choices, else “cannot "
         "say”, “worse” or “improved, less than agreed”."),
    ],
)  # fmt: skip
def test_the_sentence_says_how_many_agree_and_what_the_others_say(readings, said):
    assert words.sensitivity_sentence(made(*readings)) == said


def test_every_choice_has_a_name_and_its_first_letter_is_large():
    for found in map(asked, SPOKEN.values()):
        titles = [words.choice_title(each) for each in found.alternatives]
        assert len(set(titles)) == len(acu.SPECIFICATIONS)
        assert all(title[0].isupper() for title in titles)


# ------------------------------------------------------------------ figure, page, JSON


@pytest.mark.parametrize("name", SPOKEN)
def test_the_figure_has_a_row_for_each_choice_that_arises(name):
    found = asked(SPOKEN[name])
    ax = acu.plot_sensitivity(found).axes[0]
    shown = [each for each in found.alternatives if each.status != "not_applicable"]
    assert ax.get_ylim() == (len(shown) + 0.5, -0.5)
    points = [line for line in ax.lines if line.get_marker() in "oD"]
    hollow = [line for line in points if line.get_marker() == "D"]
    assert len(points) == 1 + len(found.estimable)
    assert len(hollow) == len(found.differing)
    if found.primary.scale == "difference":
        assert points[0].get_xdata()[0] == found.primary.value
    marks = {
        line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2 and list(line.get_ydata()) == [0, 1]
    }
    assert len(marks) == (1 if np.isnan(found.primary.important_change) else 2)
    said = {text.get_text() for text in ax.texts}
    assert words.AS_PLANNED in said
    assert {words.NO_CHANGE, *words.sides(found.primary)} <= said


def test_an_interval_without_an_end_is_drawn_with_an_arrow():
    found = asked(OTHERS["ratio"])
    row = replace(found.alternatives[0], estimate=replace(found.alternatives[0].estimate, low=0.0, high=np.inf))
    ax = acu.plot_sensitivity(replace(found, alternatives=(row,))).axes[0]
    assert {line.get_marker() for line in ax.lines} >= {"<", ">"}


def test_no_text_of_the_figure_is_cut_in_the_samples():
    for name in SAMPLES:
        review = report_cases.sample(name)
        ax = acu.plot_sensitivity(acu.sensitivity(review.trial, review.look)).axes[0]
        assert not [text.get_text() for text in ax.texts if "…" in text.get_text()]


def test_page_and_json_say_the_same():
    review = acu.reassess(TRIAL)
    sentence = words.sensitivity_sentence(review.sensitivity)
    page = [section.html for section in blocks(review)]
    text = [re.sub(r"\s+", " ", part.striptags()) for part in page]
    for said, place in ((sentence, 4), (sentence, 5), (words.prior_sentence(review.sensitivity), 5)):
        assert said.replace(words.NO_BREAK, " ") in text[place]
    listed = review.to_dict()["sensitivity"]
    assert [each["specification"] for each in listed] == [each.name for each in acu.SPECIFICATIONS]
    for each, row in zip(listed, review.sensitivity.alternatives, strict=True):
        assert each["same_reading"] == (row.same if row.status == "ok" else None)
        assert each["value"] == (row.estimate.value if row.status == "ok" else None)


def test_what_overrules_the_verdict_leaves_nothing_to_depend_on():
    trial = make_trial({"pain": course()}, raw={"safety": {"red_flags": ["fever"]}}, pain=PAIN)
    review = acu.reassess(trial)
    assert list(sensitivity_blocks(review)) == []
    assert not any("reasonable choice" in section.html for section in blocks(review))
