"""Whether the noise fits the days, lines through the days, methods paragraph and reporting standards."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import report_cases
from conftest import SAMPLES, START, make_trial
from statsmodels.tsa.stattools import acf

from acu_nof1.estimate.level import MEAN_CHANGE
from acu_nof1.estimate.segmented import LEVEL_CHANGE
from acu_nof1.explore.courses import courses
from acu_nof1.explore.diagnostics import FEWEST_PAIRS, LAGS, Diagnostics, Resemblance, diagnostics, pairs, resemblance
from acu_nof1.interpret import LIKELY, SURE, UNLIKELY
from acu_nof1.plot.diagnostics import plot_diagnostics
from acu_nof1.plot.trends import plot_trends
from acu_nof1.protocol import Session
from acu_nof1.reassessment import reassess
from acu_nof1.simulate import Design, Truth, missing_days, simulate
from acu_nof1.trial import stack
from acu_nof1.words import diagnostics as noise_words
from acu_nof1.words import methods, standards, trends

PAIN = {"instrument": "nrs_pain", "important_change": 2}


def diaries(n, seed=3, baseline=14, treatment=70, missing=0.15, **truth):
    """A batch of simulated pain diaries with gaps, rounded to whole points."""
    course = Truth(level=6, change=-1.5, sd=1.3, step=1, low=0, high=10, **truth)
    values = simulate(Design(baseline, treatment, 14), course, n, seed).values
    values = np.where(missing_days(n, baseline + treatment, missing, seed=seed + 1), np.nan, values)
    one = make_trial({"pain": values[0]}, baseline=baseline).comparisons()
    return replace(
        one.take([0] * n),
        values=np.pad(values, ((0, 0), (0, one.values.shape[1] - values.shape[1])), constant_values=np.nan),
    )


def abab(seed=2):
    """Four phases of 14 days."""
    draw = np.random.default_rng(seed)
    level = np.repeat([6.0, 4.0, 6.0, 4.0], 14)
    kinds = ("baseline", "treatment") * 2
    days = np.datetime64(START) + np.arange(0, 57, 14)
    phases = [
        {"kind": kind, "start": first.astype(object), "end": (last - 1).astype(object)}
        for kind, first, last in zip(kinds, days[:-1], days[1:], strict=True)
    ]
    return make_trial({"pain": np.clip(np.round(level + draw.normal(size=56)), 0, 10)}, raw={"phase": phases})


# ------------------------------------------------------------------ how days resemble one another


def test_without_gaps_it_is_the_adjusted_autocorrelation_of_statsmodels():
    days = np.random.default_rng(1).normal(size=90)
    days -= days.mean()
    by_statsmodels = acf(days, adjusted=True, nlags=7, fft=False)[1:]
    np.testing.assert_allclose(resemblance(days, np.ones(90, bool)), by_statsmodels, rtol=1e-10)


def test_gaps_are_kept_pairs_are_days_really_so_far_apart():
    draw = np.random.default_rng(2)
    days, held = draw.normal(size=60), draw.random(60) > 0.4
    square = np.mean(days[held] ** 2)
    for place, lag in enumerate(LAGS):
        products = [days[t] * days[t + lag] for t in range(60 - lag) if held[t] and held[t + lag]]
        assert pairs(held)[place] == len(products)
        assert resemblance(days, held)[place] == pytest.approx(np.mean(products) / square)


def test_a_distance_that_hardly_occurs_has_no_number():
    held = np.arange(70) % 7 < 2  # only two neighbouring days a week
    found = resemblance(np.random.default_rng(3).normal(size=70), held)
    assert [lag for lag, value in zip(LAGS, found, strict=True) if math.isfinite(value)] == [1, 6, 7]
    assert (pairs(held)[1:5] < FEWEST_PAIRS).all()


def test_where_the_noise_model_is_right_it_is_doubted_in_at_most_5_of_100_diaries():
    phi, share = np.tile([0.0, 0.6, 0.6], 18), np.tile([0.0, 0.0, 0.4], 18)
    found = diagnostics(diaries(54, phi=phi, share=share, sd_ratio=1.3))
    alarms = sum(each.departs is not None for each in found)
    assert alarms <= 54 * 0.05 + 2 * math.sqrt(54 * 0.05 * 0.95)


def test_a_strong_weekly_rhythm_is_found_at_seven_days(monkeypatch):
    monkeypatch.setattr("acu_nof1.simulate.WEEKEND_SD", 2.5)
    found = diagnostics(diaries(30, kind="weekly", phi=0.3, missing=0.05))
    at_seven = [each for each in found if each.departs == 7]
    assert len(at_seven) >= 20
    assert "more than the method assumes" in noise_words.sentence(at_seven[0])
    assert "a weekly rhythm" in noise_words.sentence(at_seven[0])


def test_a_person_has_the_same_band_alone_and_in_company():
    short, long = diaries(2, treatment=42), diaries(3, treatment=84)
    together = diagnostics(stack([short, long]))
    for row in range(2):
        alone = diagnostics(short.take([row]))[0]
        for name in ("value", "low", "high"):
            np.testing.assert_allclose(getattr(together[row].news, name), getattr(alone.news, name), atol=1e-8)
            np.testing.assert_allclose(getattr(together[row].days, name), getattr(alone.days, name), atol=1e-8)


def test_it_does_not_depend_on_the_unit():
    series = diaries(1)
    other = replace(series, values=2.5 * series.values + 100)
    one, two = (diagnostics(each)[0] for each in (series, other))
    np.testing.assert_allclose(one.news.value, two.news.value, atol=1e-6)
    np.testing.assert_allclose(one.days.high, two.days.high, atol=1e-6)


def test_yes_no_days_have_the_posterior_of_their_chain_and_visits_a_reason():
    found = {each.outcome.name: each for each in diagnostics(report_cases.sample("knee_osteoarthritis").comparisons)}
    assert "not kept daily" in found["peg"].reason
    headache = report_cases.sample("migraine").diagnostics
    assert headache.news is None
    assert -0.2 < headache.rho.centre[0] < 0.95
    assert "no check of the chain is made" in noise_words.sentence(headache)


def of(value):
    band = np.full(7, 0.25)
    return Diagnostics("P", report_cases.PAIN, news=Resemblance(np.array(value), -band, band))


def test_the_furthest_distance_outside_the_band_speaks():
    assert of([0.1] * 7).departs is None
    assert "as the method assumes" in noise_words.sentence(of([0.1] * 7))
    assert of([0.0, 0.3, 0, 0, 0, 0, 0.5]).departs == 7
    less = noise_words.sentence(of([0.0, -0.4, 0, 0, 0, 0, math.nan]))
    assert "2 days apart resemble one another less" in less
    assert "weekly" not in less


def test_without_an_answer_there_is_a_reason_and_no_figure_of_days():
    review = reassess(make_trial({"pain": [5.0] * 84}))
    assert review.diagnostics.reason
    assert "not estimable" in noise_words.sentence(review.diagnostics)
    assert not plot_diagnostics(review.diagnostics).axes
    assert json.dumps(review.to_dict()["diagnostics"], allow_nan=False)


@pytest.mark.parametrize(("folder", "panels"), [("low_back_pain", 4), ("migraine", 1)])
def test_the_figure_has_its_panels_and_says_what_it_shows(folder, panels):
    found = report_cases.sample(folder).diagnostics
    axes = plot_diagnostics(found).axes
    assert len(axes) == panels
    assert all(ax.get_title(loc="left") and ax.get_xlabel() and ax.get_ylabel() for ax in axes)
    held = json.loads(json.dumps(report_cases.sample(folder).to_dict()["diagnostics"], allow_nan=False))
    assert held["sentence"] == noise_words.sentence(found)
    assert sum((held["phi"] or held["rho"])["weight"]) == pytest.approx(1)


# ------------------------------------------------------------------ lines through the days


def test_the_lines_meet_the_levels_of_the_answer_on_the_first_treatment_day():
    series = diaries(2, phi=0.4, missing=0.0)
    answer = LEVEL_CHANGE.solve(series)
    for row, found in enumerate(courses(series)):
        before, during = found.stretches
        assert during.days[0] == 14
        assert [during.value[0], during.low[0], during.high[0]] == pytest.approx(
            [answer.after.value[row], answer.after.low[row], answer.after.high[row]], abs=1e-6
        )
        step = (before.value[-1] - before.value[0]) / 13
        assert before.value[-1] + step == pytest.approx(answer.before.value[row], abs=1e-6)
        assert (during.value[-1] - during.value[0]) / 69 * 7 == pytest.approx(found.slope[0], abs=1e-6)
        assert (during.low < during.value).all()


def test_with_several_phases_the_lines_average_to_the_levels_of_the_mean_change():
    series = abab().comparisons()
    (found,) = courses(series)
    answer = MEAN_CHANGE.solve(series)
    middle = [each.value.mean() for each in found.stretches]
    assert [(middle[0] + middle[2]) / 2, (middle[1] + middle[3]) / 2] == pytest.approx(
        [answer.before.value[0], answer.after.value[0]], abs=0.02
    )
    assert [each.treated for each in found.stretches] == [False, True, False, True]
    assert math.isnan(found.slope[0])
    assert trends.slope(found, None) == ""


def test_no_line_for_yes_no_days_and_a_reason_where_days_are_too_few():
    assert not courses(make_trial({"x": [0, 1] * 42}, x={"instrument": "headache_day"}).comparisons())
    few = courses(make_trial({"pain": [5.0, 6, 4] + [np.nan] * 11 + [4.0, 3, 5] * 20}).comparisons())[0]
    assert "only 3 baseline days" in few.reason
    assert trends.title(few, None)[1].startswith("not estimable")
    assert len(plot_trends(make_trial({"pain": [5.0, 6] * 40}).comparisons(), [(few, None)]).axes) == 1


def test_the_slope_above_a_panel_is_that_of_the_answers():
    review = report_cases.sample("low_back_pain")
    slopes = {each.outcome.name: each for each in review.estimates if each.question == "trend"}
    found = {each.outcome.name: each for each in courses(review.comparisons)}
    assert trends.slope(found["pain"], slopes["pain"]).startswith("−0.08 a week (−0.23 to +0.06)")
    assert "a week" in trends.slope(found["walking"], None)
    told = [(each, slopes.get(name)) for name, each in found.items()]
    assert len(plot_trends(review.comparisons, told).axes) == 3
    assert trends.alt(told).count("Line through") == 3


# ------------------------------------------------------------------ methods and standards


def said(review):
    return methods.paragraph(
        review.trial.protocol,
        review.day,
        review.telling,
        review.comparisons,
        review.estimates.headlines,
        review.versions,
        read=review.verdict.overruled_by is None,
    )


@pytest.mark.parametrize("folder", SAMPLES)
def test_the_methods_are_those_of_the_trial(folder):
    review = report_cases.sample(folder)
    text = said(review)
    assert "a before–after comparison, not an N-of-1 trial" in text
    assert ("Markov chain" in text) == any(each.kind == "yes_no" for each in review.comparisons.outcomes)
    assert ("standard error of measurement" in text) == any(each.every != "day" for each in review.comparisons.outcomes)
    read = review.verdict.overruled_by is None
    assert all((f"{100 * each:g} in 100" in text) == read for each in (LIKELY, SURE, UNLIKELY))
    assert ("“improved”" in text) == read == (methods.NOT_READ not in text)
    assert f"acu_nof1 {review.versions['acu_nof1']}" in text
    assert not re.search(r"\bnan\b|None|  |effect|signific", text)


def test_a_design_with_a_drawn_start_or_several_phases_earns_its_words():
    several = said(reassess(abab()))
    assert "(design ABAB): an N-of-1 trial" in several
    assert "mean of the levels in the treatment phases" in several.lower()
    drawn = {"randomised_from": "2026-01-12", "randomised_to": "2026-01-26"}
    phases = [
        {"kind": "baseline", "start": START, "end": "2026-01-18"},
        {"kind": "treatment", "start": "2026-01-19", "end": "2026-03-29", **drawn},
    ]
    trial = make_trial({"pain": [6.0, 7, 5] * 28}, raw={"phase": phases})
    assert (
        "Drawn at random: the start of the treatment on 19 Jan 2026 from 12 Jan 2026 to 26 Jan 2026"
        in methods.randomised(trial.protocol)
    )


def record(review):
    return standards.Record(review.trial.protocol, review.safety, review.comparisons, review.verdict.estimate, 3)


def answer(items, number, of):
    return next(each for each in items if each.number == number).answer(of)


def test_the_numbers_are_those_of_the_checklists():
    assert [each.number for each in standards.SCRIBE] == [str(number) for number in range(1, 27)]
    assert {re.match(r"\d+", each.number)[0] for each in standards.CENT} == {str(number) for number in range(1, 26)}
    assert [each.number for each in standards.STRICTA] == [
        "1a", "1b", "1c", "2a", "2b", "2c", "2d", "2e", "2f", "2g", "3a", "3b", "4a", "4b", "5", "6a", "6b",
    ]  # fmt: skip


@pytest.mark.parametrize("make", [*SAMPLES, "hostile", "interim", "nothing_kept"])
def test_every_item_is_answered_or_said_to_be_open(make):
    review = report_cases.sample(make) if make in SAMPLES else getattr(report_cases, make)()
    for _, items in standards.STANDARDS:
        rows, left = standards.table(items, record(review))
        open_items = re.findall(r"(?:: |; )(\d+[a-z]?) ", left)
        assert sorted([row[0] for row in rows] + open_items) == sorted(each.number for each in items)
        assert not [row for row in rows if not row[2].strip() or "nan" in row[2].split()]


def test_what_an_ab_design_cannot_answer_is_not_applicable():
    ab, several = record(report_cases.sample("low_back_pain")), record(reassess(abab()))
    for number in ("8a", "8b", "9", "10", "11b"):
        assert answer(standards.CENT, number, ab) == "not applicable: AB design"
        assert "not applicable" not in answer(standards.CENT, number, several)
    assert "Carry-over and changes by period: not applicable: AB design" in answer(standards.CENT, "12c", ab)
    assert "slope of its own" in answer(standards.CENT, "12c", several)


def test_none_reported_is_not_none_asked():
    days = [START.replace(day=day) for day in (20, 27)]
    for asked, words in (
        (True, "none reported, asked for at 2 of 2 sessions"),
        (False, "none reported, not asked for"),
    ):
        trial = make_trial({"pain": [6.0, 7, 5] * 28})
        plan = trial.protocol.model_copy(
            update={"sessions": tuple(Session(date=day, adverse_asked=asked) for day in days)}
        )
        assert words in standards.harms(record(reassess(replace(trial, protocol=plan))))


def test_needling_is_read_from_the_columns_of_the_session_log():
    days = [START.replace(day=day) for day in (20, 27, 28)]
    more = ({"Needles N": "6", "points": "LI4; ST36"}, {"needles_n": "8", "Points": "LI4; GB34"}, {"points": ""})
    trial = make_trial({"pain": [6.0, 7, 5] * 28})
    sessions = tuple(Session(date=day, more=each) for day, each in zip(days, more, strict=True))
    review = reassess(
        replace(trial, protocol=trial.protocol.model_copy(update={"sessions": sessions, "planned_sessions": 4}))
    )
    found = {each.number: each.answer(record(review)) for each in standards.STRICTA}
    assert found["2a"] == "mean 7.0, 6 to 8 (2 of 3 sessions)"
    assert found["2b"] == "LI4, ST36, GB34; sides not recorded"
    assert found["1c"] == "2 different choices of points in 2 sessions"
    assert found["3a"] == "3 of 4 planned sessions attended"
    assert "4 days apart (median)" in found["3b"]
    assert found["2c"] == found["5"] == standards.NOT_RECORDED
