"""Planning and audit: promises against simulations made another way, symmetries, and what is not offered."""

from __future__ import annotations

import ast
import io
import json
import math
import re
from dataclasses import replace
from functools import partial

import nbformat
import numpy as np
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from scipy import stats

import acu_nof1 as acu
from acu_nof1 import cli, words
from acu_nof1.errors import UsageError
from acu_nof1.estimate import CHANGE_AT_REASSESSMENT, estimate_all
from acu_nof1.planning import noise as own
from acu_nof1.planning import proposal
from acu_nof1.planning.scale import Scale, written_days
from acu_nof1.planning.selfaudit import _bench
from acu_nof1.planning.setting import settle
from acu_nof1.report import planning_tables, write_planning
from acu_nof1.simulate import Truth, markov_days, simulate
from acu_nof1.verdict import GAINS

PAIN = acu.OUTCOMES["nrs_pain"]
TOLD: list[float] = []
UNSAID = dict.fromkeys(
    ("outcome", "baseline", "treatment", "window", "missing", "phi", "sd", "share", "level", "important", "like")
)
GIVEN = {"baseline": 14, "treatment": 70, "window": 14, "missing": 0.15, "phi": 0.3, "sd": 1.3, "important": 2.0}


def setting(**given):
    return settle(**(UNSAID | GIVEN | {"n": 400} | given))


def verdicts(made, gain, n, seed):
    return proposal.asked([proposal.diaries(made, gain, n, seed)], partial(proposal._verdicts, made), lambda _: None)[0]


def directly(made, gain, n, seed):
    """Verdicts on diaries that `simulate` writes, by the whole estimator; right away from the ends of the scale."""
    truth = Truth(
        level=made.level,
        change=made.outcome.sign * gain,
        phi=made.phi,
        sd=made.sd,
        step=made.step,
        low=made.outcome.low,
        high=made.outcome.high,
    )
    found = simulate(made.design, truth, n, seed)
    return CHANGE_AT_REASSESSMENT(proposal.on_design(made.outcome, made.design, found.values)).to_frame()["reading"]


@pytest.fixture(scope="module")
def small_plan():
    TOLD.clear()
    return acu.plan(**GIVEN | {"phi": None, "treatment": 35}, n=50, progress=TOLD.append)


@pytest.fixture(scope="module")
def small_audit():
    return acu.audit(acu.read_trial(ROOT / "sample_data" / "low_back_pain"), n=50)


# ------------------------------------------------------------------ what is written down


@pytest.mark.parametrize("step", [0.5, 1.0, 2.5])
def test_the_average_answer_is_the_sum_over_all_answers(step):
    scale, felt, sd = Scale(step, 0.0, 10.0), np.array([-0.5, 1.2, 5.0, 9.9]), 1.4
    answers = np.arange(0, 10 + step, step)
    upper = stats.norm.cdf((answers[:, None] + step / 2 - felt) / sd)
    upper[-1] = 1.0
    chance = np.diff(upper, axis=0, prepend=0)
    np.testing.assert_allclose(scale.mean(felt, sd), answers @ chance, atol=1e-12)


def test_the_average_of_a_cut_normal_is_that_of_scipy():
    felt, sd = 0.7, 1.3
    z = stats.norm(felt, sd)
    inside = z.expect(lambda x: x, lb=0, ub=10)
    np.testing.assert_allclose(Scale(None, 0.0, 10.0).mean(np.array([felt]), sd), inside + 10 * z.sf(10), atol=1e-7)


def test_what_is_felt_gives_back_the_average_answer_and_none_beyond_the_scale():
    scale, wanted = Scale(1.0, 0.0, 10.0), np.array([0.2, 1.0, 5.5, 9.7])
    np.testing.assert_allclose(scale.mean(scale.felt(wanted, 1.5), 1.5), wanted, atol=1e-9)
    assert np.isnan(scale.felt(np.array([-0.1, 0.0, 10.0]), 1.5)).all()


def test_days_near_the_floor_have_the_average_they_are_said_to_have():
    unit = np.random.default_rng(1).standard_normal((20_000, 3))
    days = written_days(unit, np.array([[0.6, 1.0, 6.0]]), np.array([[1.5]]), Scale(1.0, 0.0, 10.0))
    assert set(np.unique(days)) <= set(range(11))
    assert (np.abs(days.mean(axis=0) - [0.6, 1.0, 6.0]) < 4 * days.std(axis=0) / math.sqrt(20_000)).all()


def test_each_series_of_yes_no_days_keeps_its_own_correlation():
    days = markov_days(2, 40_000, 0.4, np.array([0.0, 0.7]), 1).astype(float)
    found = [np.corrcoef(each[:-1], each[1:])[0, 1] for each in days]
    np.testing.assert_allclose(found, [0.0, 0.7], atol=0.02)


# ------------------------------------------------------------------ the promise


def test_the_promise_agrees_with_a_direct_simulation_within_three_standard_errors():
    made = setting()
    promised, direct = verdicts(made, 2.0, 400, 1), directly(made, 2.0, 100, 99)
    for kind in ("improved", "improved_amount_unclear", "no_important_change", "cannot_say"):
        one, two = (promised == kind).mean(), (direct == kind).mean()
        both = (promised == kind).sum() + (direct == kind).sum()
        share = (both + 2) / 504
        assert abs(one - two) <= 3 * math.sqrt(share * (1 - share) * (1 / 400 + 1 / 100)), kind


@pytest.mark.slow
@pytest.mark.parametrize("level", [6.0, 3.5])
@pytest.mark.parametrize("phi", [0.0, 0.3, 0.6])
def test_the_smallest_gain_is_called_improved_by_eight_in_ten_new_diaries(phi, level):
    """Near the floor too: from 3.5 the gain ends at 1 to 2 of 10, where answers are cut and rounded."""
    made = setting(phi=phi, level=level, baseline=28, window=28, sd=1.0)
    ((gain, _),) = proposal.smallest_detectable([made], 1000, 1)
    called = np.isin(verdicts(made, gain, 1500, 2), GAINS).mean()
    assert abs(called - 0.8) <= 3 * math.sqrt(0.16 * (1 / 1000 + 1 / 1500))


@pytest.mark.slow
@pytest.mark.parametrize("gain", [-2.0, 0.0, 1.0, 2.0, 3.0])
def test_every_verdict_agrees_with_a_direct_simulation(gain):
    made = setting()
    promised, direct = verdicts(made, gain, 1500, 1), directly(made, gain, 600, 99)
    for kind in proposal.KINDS:
        one, two = (promised == kind).mean(), (direct == kind).mean()
        share = ((promised == kind).sum() + (direct == kind).sum() + 2) / 2104
        assert abs(one - two) <= 3 * math.sqrt(share * (1 - share) * (1 / 1500 + 1 / 600)), kind


def test_a_step_moves_every_distribution_by_exactly_itself():
    made = replace(setting(), step=None, outcome=replace(PAIN, low=None, high=None, step=None))
    null = proposal.diaries(made, 0.0, 12, 3)
    moved = replace(null, values=null.values - 1.7 * null.treated)
    at = np.tile([-2.0, -0.5, 0.0, 1.0], (12, 1))
    np.testing.assert_allclose(proposal.changes(moved).cdf(at - 1.7), proposal.changes(null).cdf(at), atol=1e-8)


def test_turning_the_scale_around_changes_no_verdict():
    made = setting(outcome=replace(PAIN, better="lower"))
    turned = replace(made, outcome=replace(made.outcome, better="higher"))
    diaries = proposal.diaries(made, 1.5, 40, 5)
    around = replace(diaries, values=10 - diaries.values, outcomes=(turned.outcome,) * 40)
    one = proposal._verdicts(made, proposal.changes(diaries))
    other = proposal._verdicts(turned, proposal.changes(around))
    assert len(set(one)) > 2
    assert list(one) == list(other)


def test_enough_is_the_first_rung_that_shows_the_important_change_as_it_is_printed(small_plan):
    m = small_plan.setting.important
    ladder = small_plan.ladder()
    baselines = ladder["varied"] == "baseline"
    first, second = ladder.loc[baselines, "baseline"].sort_values().iloc[:2].astype(int)
    ladder.loc[baselines, "detectable"] = [
        m + 0.04 if days >= second else m + 0.06 for days in ladder.loc[baselines, "baseline"]
    ]
    assert replace(small_plan, _ladder=ladder).enough == second
    ladder.loc[ladder["baseline"] == first, "detectable"] = m
    assert replace(small_plan, _ladder=ladder).enough == first


def test_a_window_that_begins_while_the_change_builds_up_is_warned_of():
    """The rise is taken for a drift: twice the gain is called improved less often, and the plan says what to do."""
    wide, late = ({"treatment": 42, "window": 42}, {"treatment": 42, "window": 28})
    called = {}
    for name, days in (("wide", wide), ("late", late)):
        made = setting(phi=0.4, sd=1.5, **days)
        kinds = proposal.asked(
            [proposal.diaries(made, gain, 100, 1) for gain in (2.0, 4.0)],
            partial(proposal._verdicts, made),
            lambda _: None,
        )
        called[name] = [np.isin(each, GAINS).mean() for each in kinds]
    assert called["wide"][1] < called["wide"][0] < 0.5
    assert called["late"][1] > 0.9
    assert words.plan_rising(14) == ""
    assert words.plan_rising(0) == (
        "The compared days begin with the treatment: a change that still builds up then looks like a slow drift, and even a "
        "large one may be left open. A window that begins 14 days or more into treatment shows more."
    )
    assert words.plan_rising(7).startswith("The compared days begin only 7 days after the treatment: ")


def test_half_the_interval_is_half_the_usual_interval_of_the_estimator(small_plan):
    batch = proposal.diaries(small_plan.setting, small_plan.detectable, small_plan.n, small_plan.seed)
    width = np.median(np.diff(proposal.changes(batch).quantile([0.025, 0.975]), axis=1))
    assert small_plan.half_width == pytest.approx(width / 2, rel=0.15)


def test_more_baseline_days_show_smaller_changes():
    rungs = [setting(baseline=days) for days in (7, 14, 42)]
    sizes, widths = np.array(proposal.smallest_detectable(rungs, 60, 1)).T
    assert (np.diff(sizes) < 0).all()
    assert (np.diff(widths) < 0).all()


def test_the_smallest_gain_is_not_made_up_where_the_scale_has_no_room():
    made = setting(level=3.0, important=2.0, sd=2.5, baseline=7)
    ((gain, _),) = proposal.smallest_detectable([made], 60, 1)
    assert math.isnan(gain)


def test_yes_no_days_are_planned_in_days_per_28():
    headache = next(each for each in acu.OUTCOMES.values() if each.kind == "yes_no" and each.every == "day")
    made = setting(outcome=headache, baseline=28, treatment=84, window=28, level=14.0, important=6.0, sd=None)
    found = proposal.diaries(made, 6.0, 3000, 1)
    assert set(np.unique(found.values[np.isfinite(found.values)])) == {0.0, 1.0}
    before, after = (28 * np.nanmean(found.values[side]) for side in (found.baseline, found.window))
    assert before == pytest.approx(14, abs=0.3)
    assert after == pytest.approx(8, abs=0.3)
    kinds = verdicts(made, 6.0, 60, 1)
    assert np.isin(kinds, GAINS).mean() > np.isin(verdicts(made, 0.0, 60, 1), GAINS).mean()


# ------------------------------------------------------------------ the noun


def test_a_plan_is_the_same_from_table_words_and_json(small_plan):
    plan, curve = small_plan, small_plan.to_frame()
    np.testing.assert_allclose(curve[list(proposal.KINDS)].sum(axis=1), 1)
    assert plan.chance(2.0, *GAINS) == pytest.approx(curve.query("gain == 2")["called_improved"].item())
    assert plan.chance(1.5, "improved") == pytest.approx(curve.query("1 <= gain <= 2")["improved"].mean())
    ladder = plan.ladder()
    assert set(ladder["varied"]) == {"baseline", "window", "phi"}
    same = ladder.query("baseline == 14 and window == 14 and phi == 0.4")
    assert same["detectable"].nunique() == 1
    said = json.loads(json.dumps(plan.to_dict(), allow_nan=False))
    assert said["schema"] == "acu-nof1/plan/1"
    assert said["detectable"] == pytest.approx(plan.detectable)
    assert words.number(plan.detectable) in plan.sentences[0]
    curve.loc[:, "gain"] = 0
    assert not (plan.to_frame()["gain"] == 0).all()
    assert plan.setting.assumed == ("level", "phi")
    assert words.number(plan.rungs("phi")["detectable"].iloc[-1]) in plan.sentences[4]


@pytest.mark.usefixtures("small_plan")
def test_progress_is_told_and_ends_at_one():
    assert sorted(TOLD) == TOLD
    assert 0 < TOLD[0] < 1
    assert TOLD[-1] == pytest.approx(1, abs=0.01)


def test_what_is_not_given_comes_from_the_trial_and_what_is_given_wins(noisy, trial_of):
    values = noisy([6.0] * 60 + [4.0] * 70, phi=0.5, sd=1.5, seed=4)
    trial = trial_of({"pain": values}, baseline=60)
    made = setting(**dict.fromkeys(GIVEN), like=trial)
    assert made.assumed == ()
    assert (made.design.baseline, made.design.treatment, made.design.window) == (60, 70, 14)
    assert made.level == pytest.approx(values[:60].mean(), abs=0.3)
    assert made.sd == pytest.approx(values[:60].std(ddof=1), rel=0.2)
    lag1 = np.mean([np.corrcoef(side[:-1], side[1:])[0, 1] for side in (values[:60], values[60:])])
    assert made.phi * (1 - made.share) == pytest.approx(lag1, abs=0.15)
    assert made.important == 2
    assert (made.step, made.design.missing) == (1, 0)
    assert setting(**dict.fromkeys(GIVEN) | {"sd": 0.9, "baseline": 21}, like=trial).sd == 0.9


def test_a_baseline_alone_is_enough_to_plan(noisy, trial_of):
    values = np.concatenate([noisy([6.0] * 30, seed=2), np.full(70, np.nan)])
    made = setting(**dict.fromkeys(GIVEN), like=trial_of({"pain": values}, baseline=30))
    assert made.sd == pytest.approx(values[:30].std(ddof=1), rel=0.35)
    assert (made.design.baseline, made.design.treatment) == (30, 70)


def test_every_wrong_number_is_said_at_once():
    wrong = {"baseline": 3, "missing": 2, "phi": 3, "sd": -1, "important": 20, "share": 5}
    with pytest.raises(UsageError) as caught:
        acu.plan(**GIVEN | wrong, n=3)
    places = [problem.where.split()[0] for problem in caught.value.problems]
    assert sorted(places) == sorted([*wrong, "n"])
    assert all(problem.remedy for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"window": 80}, "window 80"),
        ({"treatment": 0}, "treatment 0"),
        ({"baseline": -3}, "baseline -3"),
        ({"level": 11}, "level 11"),
        ({"level": 11, "important": -2}, "important -2"),
        ({"outcome": replace(PAIN, step=0.0)}, "step 0"),
        ({"outcome": replace(acu.OUTCOMES["headache_day"], important_change=3.0), "level": None}, "sd"),
        ({"level": 1.0}, "important 2"),
        ({"outcome": replace(PAIN, low=10, high=0)}, "scale"),
        ({"outcome": replace(PAIN, every="week")}, "outcome nrs_pain"),
        ({"outcome": replace(PAIN, important_change=None), "important": None}, "important"),
        (
            {"outcome": acu.Outcome("attacks", "Attacks", "count", "attacks", low=0), "level": 1, "sd": 1},
            "outcome attacks",
        ),
        ({"outcome": acu.Outcome("attacks", "Attacks", "count", "attacks", low=0), "sd": 1}, "level"),
    ],
)
def test_a_plan_that_cannot_be_simulated_says_where(given, place):
    with pytest.raises(UsageError) as caught:
        acu.plan(**GIVEN | given)
    assert place in [problem.where for problem in caught.value.problems]


def test_no_number_is_printed_for_a_share_that_is_not_known():
    """Sleep time has no published important change: that is said, and nothing about days near zero."""
    with pytest.raises(UsageError) as caught:
        acu.plan(outcome=acu.OUTCOMES["csd_tst"], n=50)
    assert [problem.where for problem in caught.value.problems] == ["important"]


# ------------------------------------------------------------------ the audit


def test_the_audit_finds_the_error_rate_that_the_interval_promises(noisy, trial_of):
    """At 50 % confidence, where a wrong rate would show with few diaries."""
    trial = trial_of({"pain": noisy([5.0] * 84, seed=7)})
    found = acu.audit(trial, n=60, confidence=0.5)
    se = math.sqrt(0.25 / 60)
    assert abs(found.false_alarm - 0.5) <= 3 * se
    assert (found.to_frame()["covered"] >= 0.5 - 3 * se).all()
    assert found.to_frame()["looks_changed"].iloc[-1] > found.false_alarm
    gains = found.to_frame()["gain"].tolist()
    assert gains == [-2.0, 0.0, 1.0, 2.0]


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 2.5])
def test_the_audit_of_a_known_diary_is_near_five_in_a_hundred(noisy, trial_of, shift):
    trial = trial_of({"pain": noisy([5.0 - shift / 2] * 14 + [5.0 + shift / 2] * 70, phi=0.4, seed=3)})
    found = acu.audit(trial, n=1000)
    assert (
        0.05 - 3 * math.sqrt(0.05 * 0.95 / 1000) - 0.02 <= found.false_alarm <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)
    )
    assert (found.to_frame()["covered"] > 0.93).all()


def test_noise_drawn_from_a_diary_is_like_the_noise_it_has(noisy, trial_of):
    values = noisy([5.0] * 120 + [3.0] * 120, phi=0.6, sd=1.5, seed=5)
    trial = trial_of({"pain": values}, baseline=120)
    drawn = own.own_noise(trial.comparisons(), 2000, np.random.default_rng(1))
    assert drawn.after.mean() == pytest.approx(values[120:].std(ddof=1), rel=0.2)
    assert drawn.level == pytest.approx(values[:120].mean(), abs=0.1)
    assert (drawn.phi * (1 - drawn.share)).mean() == pytest.approx(0.55, abs=0.15)
    assert drawn.after.std() > 0.03


def test_an_audit_puts_in_the_whole_gain_and_the_noise_of_each_side(noisy, trial_of):
    """A short treatment is still rising in its window: its average is the gain. Baseline days swing more than later ones."""
    values = np.r_[noisy([50.0] * 30, sd=9, seed=2, high=100), noisy([45.0] * 20, sd=3, seed=3, high=100)]
    scale = {"kind": "score", "range": [0, 100], "better": "lower", "important_change": 10}
    trial = trial_of({"score": values}, baseline=30, score=scale)
    series = trial.comparisons()
    bench = _bench(series, estimate_all(series).primary, 400, 1)
    window = series.window[0]
    assert bench.reached()[window].mean() == pytest.approx(1)
    assert bench.reached()[window].max() > 1.05
    days = bench.values(10.0)
    se = days[:, window].std() / math.sqrt(400)
    assert days[:, window].mean() == pytest.approx(bench.noise.level - 10, abs=3 * se)
    days = bench.values(0.0)
    assert days[:, :30].std() > 1.3 * days[:, window].std()


def test_several_looks_ring_more_often_and_the_diary_s_own_gaps_are_kept(small_audit):
    assert small_audit.looks == 2
    assert small_audit.any_look >= small_audit.false_alarm
    assert "2 planned looks" in small_audit.sentences[1]
    said = json.loads(json.dumps(small_audit.to_dict(), allow_nan=False))
    assert said["schema"] == "acu-nof1/audit/1"
    assert len(said["table"]) == 4
    np.testing.assert_allclose(small_audit.to_frame()[list(proposal.KINDS)].sum(axis=1), 1)


@pytest.mark.parametrize(
    ("columns", "outcomes", "reason"),
    [
        ({"pain": [5.0, 6] * 3 + [np.nan] * 8 + [4.0, 5] * 35}, {}, "at least 10"),
        (
            {"attacks": np.random.default_rng(1).poisson(0.8, 84).astype(float)},
            {"attacks": {"kind": "count", "better": "lower"}},
            "close to zero",
        ),
        (
            {"mood": [5.0] * 84},
            {"mood": {"kind": "score", "better": "lower", "every": "week", "range": [0, 10]}},
            "kept every week",
        ),
        ({"pain": [5.0] * 84}, {}, "the same"),
    ],
)
def test_where_no_honest_audit_is_possible_it_says_why(columns, outcomes, reason, trial_of, tmp_path):
    found = acu.audit(trial_of(columns, **outcomes), n=50)
    assert not found.offered
    assert reason in found.sentences[0]
    assert math.isnan(found.false_alarm)
    write_planning(found, tmp_path / "page.html")
    assert reason in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert acu.plot_audit(found)


def test_amounts_far_from_zero_are_audited_as_the_ratio_they_are_read_as(noisy, trial_of):
    values = noisy([40.0] * 14 + [44.0] * 70, sd=6, low=0, high=200, seed=3)
    entry = {"kind": "count", "better": "higher", "important_change_percent": 30}
    found = acu.audit(trial_of({"steps": values}, steps=entry), n=50)
    assert found.question == "rate_ratio"
    assert found.to_frame()["change"].tolist() == pytest.approx([0.7, 1.0, 1.15, 1.3])
    assert (found.to_frame()["covered"] > 0.8).all()
    assert "a gain of 30\N{NO-BREAK SPACE}%" in found.sentences[-2]


# ------------------------------------------------------------------ figures, tables, page, commands


def test_figures_name_the_verdicts_and_the_ladder(small_plan, small_audit):
    figure = acu.plot_plan(small_plan)
    text = [each.get_text() for ax in figure.axes for each in ax.texts]
    assert "no important change" in text
    assert words.number(small_plan.rungs("baseline")["detectable"].iloc[-1]) in text
    assert figure.axes[0].get_xlabel().endswith("points")
    figure = acu.plot_audit(small_audit)
    assert [each.get_text() for each in figure.axes[0].get_yticklabels()][1] == "no change"
    drawn = sum(bar.get_width() for bar in figure.axes[2].patches)
    assert drawn == pytest.approx(400)


def test_tables_print_the_numbers_of_the_frames(small_plan, small_audit):
    ladder, curve = planning_tables(small_plan)
    assert len(ladder.rows) == len(small_plan.ladder())
    assert curve.columns[1:] == ("−2", "−1", "0", "+1", "+2", "+3", "+4")
    assert curve.rows[0][5] == words.number(100 * small_plan.chance(2.0, "improved"), 0)
    (rates,) = planning_tables(small_audit)
    assert rates.rows[0][2] == words.number(100 * small_audit.false_alarm, 0)


def run(*arguments):
    with pytest.raises(SystemExit) as left:
        cli.main([str(each) for each in arguments])
    return left.value.code


def test_the_plan_command_prints_writes_and_complains(tmp_path, capsys, monkeypatch, small_plan):
    asked = {}
    real = acu.plan
    monkeypatch.setattr("acu_nof1.planning.plan", lambda **given: asked.update(given) or small_plan)
    page, figure, answers, table = (tmp_path / name for name in ("plan.html", "plan.png", "plan.json", "plan.csv"))
    given = ("--baseline", 42, "--treatment", 14, "--phi", 0.3, "--sd", 1.0, "--n", 50)
    assert run("plan", *given, "--better", "higher", "--out", page, "--json", answers, "--csv", table) == 0
    assert {name: asked[name] for name in ("baseline", "treatment", "phi", "sd", "n", "window")} == {
        "baseline": 42, "treatment": 14, "phi": 0.3, "sd": 1.0, "n": 50, "window": None,
    }  # fmt: skip
    assert asked["outcome"].better == "higher"
    assert run("plan", "--out", figure) == 0
    assert figure.stat().st_size > 10_000
    figure.unlink()
    monkeypatch.setattr("acu_nof1.planning.plan", real)
    printed = capsys.readouterr().out
    said = json.loads(answers.read_text(encoding="utf-8"))
    assert all(sentence in printed for sentence in said["sentences"])
    assert "Smallest change that could be shown, points" in printed
    assert len(table.read_text(encoding="utf-8-sig").splitlines()) == 1 + len(said["curve"])
    assert "data:image/svg+xml" in page.read_text(encoding="utf-8")
    assert run("plan", "--baseline", 2, "--phi", 7, "--out", figure) == 2
    assert not figure.exists()
    errors = capsys.readouterr().err
    assert "baseline 2" in errors
    assert "phi 7" in errors
    assert run("plan", "--instrument", "nrs_pian", "--better", "up", "--out", tmp_path / "plan.doc") == 2
    errors = capsys.readouterr().err
    assert "nrs_pain" in errors
    assert "--better up" in errors
    assert "plan.doc" in errors


def test_the_audit_command_writes_and_refuses_a_single_file(tmp_path, capsys, monkeypatch, small_audit):
    folder = ROOT / "sample_data" / "low_back_pain"
    monkeypatch.setattr("acu_nof1.planning.audit", lambda *_, **__: small_audit)
    assert (
        run("audit", folder, "--out", tmp_path / "a.png", "--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv")
        == 0
    )
    assert small_audit.sentences[0] in capsys.readouterr().out
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["looks"] == 2
    assert run("audit", folder / "pain.csv") == 2
    assert "--save-protocol" in capsys.readouterr().err
    assert run("audit", folder, "--json", folder / "pain.csv") == 2
    assert "overwritten" in capsys.readouterr().err


def test_an_audit_of_too_few_diaries_is_refused():
    with pytest.raises(UsageError, match="n 5"):
        acu.audit(acu.read_trial(ROOT / "sample_data" / "low_back_pain"), n=5)


# ------------------------------------------------------------------ words


def test_what_a_plan_says():
    shares = dict.fromkeys(words.KIND_NAMES, 0.0)
    shares |= {"improved": 0.16, "improved_amount_unclear": 0.53, "improved_less": 0.04}
    shares |= {"no_important_change": 0.12, "cannot_say": 0.15}
    ladder = [(7, 3.1), (14, 2.4), (21, 1.9), (42, 1.5)]
    said = [
        words.plan_detectable(PAIN, 7, ladder),
        words.plan_detectable(PAIN, 42, ladder),
        words.plan_detectable(PAIN, 7, [(7, math.nan), (21, 1.9)]),
        words.plan_enough(PAIN, 2, 21, 42, 14),
        words.plan_enough(PAIN, 1, None, 42, 28),
        words.plan_enough(PAIN, 1, None, 42, None),
        words.plan_chances(PAIN, 2, shares),
        words.plan_unchanged(0.032, 0.001, 0.05),
        words.plan_noise(0.4, [(0.0, 1.7), (0.3, 2.4), (0.6, math.nan)]),
        words.plan_noise(0.4, []),
        words.plan_noise(0.4, [(0.0, math.nan), (0.3, math.nan)]),
        words.plan_chances(PAIN, 2, dict.fromkeys(words.KIND_NAMES, 0.0) | {"improved": 0.993, "cannot_say": 0.007}),
        words.plan_assumed({"sd": 1.5, "missing": 0.15}),
    ]
    assert [each.replace("\N{NO-BREAK SPACE}", " ") for each in said] == [
        "With 7 baseline days this diary could only show a change of 3.1 points or more; with 21, 1.9.",
        "With 42 baseline days this diary could only show a change of 1.5 points or more; with 21, 1.9.",
        "With 7 baseline days this diary could show no change that the scale leaves room for; with 21, 1.9 points.",
        "21 baseline days are enough to show a change of 2 points in 8 of 10 diaries.",
        "Even 42 baseline days are too few to show a change of 1 point in 8 of 10 diaries, but a window of 28 days is enough.",
        "Even 42 baseline days are too few to show a change of 1 point in 8 of 10 diaries.",
        "Of 100 diaries with a true gain of 2 points, about 75 would be called improved (about 15 in 100 by that much or "
        "more), about 10 “no important change” and about 15 left open.",
        "Without any true change, 3 in 100 diaries would be called improved and fewer than 1 worse; 5 would be left open.",
        "How alike neighbouring days are decides much, and is not known beforehand (φ 0.4 is assumed): the smallest change "
        "it could show is 1.7 at φ 0.0, 2.4 at φ 0.3 and none that the scale leaves room for at φ 0.6.",
        "",
        "How alike neighbouring days are decides much, and is not known beforehand (φ 0.4 is assumed), but here the scale "
        "leaves room for too little whatever it is.",
        "Of 100 diaries with a true gain of 2 points, more than 95 would be called improved (more than 99 in 100 by that "
        "much or more), fewer than 5 “no important change” and fewer than 5 left open.",
        "Assumed, because nothing was said of it: an SD of 1.5 around the level and 15 of 100 days without an answer. "
        "A baseline that is kept already would replace these guesses.",
    ]


def test_what_an_audit_says():
    said = [
        words.audit_alarm(0.04, 0.01, 0.05),
        words.audit_alarm(0.12, 0.01, 0.05),
        words.audit_looks(3, 0.08, 0.05),
        words.audit_looks(1, math.nan, 0.05),
        words.audit_coverage(0.95, [("no change", 0.96), ("a gain of 2 points", 0.94)]),
        words.audit_verdicts("a gain of 2 points", 0.7, 0.02, 0.0),
        words.audit_not_offered("it is kept every week"),
        words.true_change(-1.0, PAIN),
        words.true_change(0.3, PAIN, ratio=True),
    ]
    assert [each.replace("\N{NO-BREAK SPACE}", " ") for each in said] == [
        "On this diary’s own calendar and noise, 4 in 100 diaries without any change would have looked changed (promised: 5; "
        "give or take 2 by the number of diaries simulated).",
        "On this diary’s own calendar and noise, 12 in 100 diaries without any change would have looked changed (promised: 5; "
        "give or take 2 by the number of diaries simulated). That is more than promised: its interval is too narrow for such days.",
        "Over all 3 planned looks, 8 in 100 such diaries would have looked changed at least once. More looks, more false "
        "alarms: only one of them should decide.",
        "",
        "Of 100 diaries each, the 95 % interval held the true change in 96 with no change and 94 with a gain of 2 points.",
        "With a gain of 2 points, 70 in 100 would have been called improved. Without change, 2 in 100 would have been called "
        "improved and fewer than 1 worse.",
        "An audit is not offered: it is kept every week.",
        "a loss of 1 point",
        "a gain of 30 %",
    ]


# ------------------------------------------------------------------ the notebook


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(ROOT / "notebooks" / "5_planning.ipynb", 4)


def test_the_planning_notebook_defines_nothing_and_is_kept_with_its_outputs(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs for cell in code[1:])
    tree = ast.parse("\n".join(cell.source for cell in code))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    text = io.StringIO()
    nbformat.write(notebook, text)
    assert not re.search(r"/home/|/root/|/Users/|/tmp/", text.getvalue())
    assert all("execution" not in cell.metadata for cell in notebook.cells)


@pytest.mark.slow
def test_the_planning_notebook_runs_and_says_what_is_committed(notebook):
    again = nbformat.from_dict(notebook)
    kept = [
        [output.get("text") or output["data"]["text/plain"] for output in cell.outputs]
        for cell in again.cells
        if cell.cell_type == "code"
    ]
    NotebookClient(again, timeout=300, resources={"metadata": {"path": str(ROOT)}}).execute()
    found = [
        [output.get("text") or output["data"]["text/plain"] for output in cell.outputs]
        for cell in again.cells
        if cell.cell_type == "code"
    ]
    assert found == kept
