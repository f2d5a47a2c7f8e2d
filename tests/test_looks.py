"""Each planned look as it stood then: equal to the reassessment of that day, blind for all that came later."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import report_cases
from conftest import START, make_trial
from hypothesis import given, settings
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1 import palette, words
from acu_nof1 import story as engine
from acu_nof1.estimate.base import FROM_TABLE
from acu_nof1.protocol import Look
from acu_nof1.report.block import Heading, Note, Picture, Table
from acu_nof1.report.looks import looks_blocks
from acu_nof1.words import looks as said

GOLDEN = Path(__file__).parent / "golden"
DAYS = 98
NUMBERS = [name for name in FROM_TABLE if name not in ("person", "primary")]


def day(number):
    return START + dt.timedelta(days=number)


SESSIONS = [{"date": day(14 + 7 * n), "attended": n != 3, "adverse_asked": True} for n in range(8)]
PLAN = {
    "reassess": [
        {"after_session": 12},
        {"on": day(98), "decides": True},
        {"after_session": 3},
        {"on": day(56), "window_days": 10},
    ],
    "session": SESSIONS,
    "success": {"all": ["pain", "walking"]},
}
OUTCOMES = {
    "pain": {"instrument": "nrs_pain", "important_change": 2},
    "walking": {"label": "Walking", "kind": "minutes", "unit": "min/day", "better": "higher", "important_change": 10},
    "peg": {"label": "Score", "kind": "score", "unit": "points", "range": [0, 50], "better": "lower", "every": "visit",
            "important_change": 5, "sem": 2.0},
}  # fmt: skip


def columns(seed=5):
    draw, days = np.random.default_rng(seed), np.arange(DAYS)
    pain = np.clip(np.round(6.5 - np.linspace(0, 3, DAYS) * (days >= 14) + draw.normal(size=DAYS)), 0, 10)
    pain[draw.random(DAYS) < 0.08] = np.nan
    peg = np.full(DAYS, np.nan)
    # After session 3 (day 28) a form comes a week late; one on the day after that is too late for it.
    peg[[10, 35, 36, 56, 97]] = [30.0, 24.0, 12.0, 20.0, 15.0]
    return {
        "pain": pain,
        "walking": np.clip(np.round(20 + 15 * (days > 30) + 6 * draw.normal(size=DAYS)), 0, None),
        "peg": peg,
    }


def planned(values=None, **raw):
    return make_trial(values or columns(), raw=PLAN | raw, **OUTCOMES)


@cache
def four():
    return acu.reassess(planned())


@cache
def session_3():
    return acu.reassess(planned(), after_session=3)


def primary(name):
    return {each: {**entry, "primary": each == name} for each, entry in OUTCOMES.items()}


def asked(trial, each):
    return acu.reassess(trial, after_session=each.look.after_session, on=each.look.on)


def same(standing, review):
    """A standing has every number of the reassessment at that look."""
    for name in NUMBERS:
        one, other = getattr(standing.estimate, name), getattr(review.verdict.estimate, name)
        assert (
            one == pytest.approx(other, rel=1e-10, abs=1e-10, nan_ok=True) if isinstance(other, float) else one == other
        )
    assert standing.estimate.bands == pytest.approx(review.verdict.estimate.bands, rel=1e-10, abs=1e-10, nan_ok=True)
    assert (standing.day, standing.window_days) == (review.day, review.window_days)
    if review.verdict.overruled_by:
        assert (standing.kind, standing.success) == (None, None)
        return
    assert standing.kind == review.verdict.kind
    assert replace(standing.success, p=0, gain=0, pairs=()) == replace(review.success, p=0, gain=0, pairs=())
    assert standing.success.gain == pytest.approx(review.success.gain, rel=1e-10, nan_ok=True)
    assert (standing.success.p is None) == (review.success.p is None)
    if review.success.p is not None:
        assert standing.success.p == pytest.approx(review.success.p, rel=1e-10)


# ------------------------------------------------------------------ equal to that day


def test_every_look_has_the_numbers_of_its_own_reassessment():
    story = four().story
    assert [each.day for each in story.reached] == [day(28), day(56), day(98)]
    for each, review in zip(story.reached, (session_3(), acu.reassess(planned(), on=day(56)), four()), strict=True):
        same(each, review)


def test_a_form_of_a_visit_counts_a_week_after_its_look_and_no_longer():
    """Day 35 counts for the look of day 28, day 36 does not, whichever later look the story is told from."""
    trial = planned(success={"any": ["pain", "peg"]}, outcome=primary("peg"))
    for last in ({}, {"on": day(31)}):
        story = acu.reassess(trial, **last).story
        assert [each.estimate.after for each in story.reached] == [24.0, 20.0, 15.0][: len(story.reached)]
        same(story.standings[0], asked(trial, story.standings[0]))
        assert "; a form of a visit counts up to 7 days after it." in said.notes(story)[1]


@pytest.mark.parametrize("folder", ["migraine", "sleep_and_stress"])
def test_looks_planned_in_the_samples_are_those_of_their_day(folder):
    trial = acu.read_trial(report_cases.SAMPLE_DATA / folder)
    more = (Look(on=trial.look_day(trial.default_look()) - dt.timedelta(days=21)), trial.default_look())
    looked = acu.Trial(trial.protocol.model_copy(update={"looks": more}), trial.diary)
    earlier, last = acu.reassess(looked).story.standings
    same(earlier, acu.reassess(looked, on=more[0].on))
    same(last, report_cases.sample(folder))
    assert (earlier.decides, last.decides, last.shown) == (False, True, True)


def test_a_design_with_several_phases_is_told_as_far_as_it_had_come():
    values = (
        np.tile([6.0, 7.0, 5.0, 6.0], 21) - 2.0 * (np.arange(84) // 21 % 2) + np.random.default_rng(1).normal(size=84)
    )
    kinds = ("baseline", "treatment", "baseline", "treatment")
    phases = [{"kind": k, "start": day(21 * n), "end": day(21 * n + 20)} for n, k in enumerate(kinds)]
    looks = [{"on": day(40)}, {"on": day(63)}, {"on": day(84)}]
    trial = make_trial(
        {"pain": np.clip(values, 0, 10)}, raw={"phase": phases, "reassess": looks}, pain=OUTCOMES["pain"]
    )
    found = acu.reassess(trial).story.standings
    for each in found:
        same(each, asked(trial, each))
    assert [each.estimate.question for each in found] == ["change_at_reassessment", "mean_change", "mean_change"]


def test_the_shown_look_is_not_computed_again_and_the_others_are_asked_in_one_batch(monkeypatch):
    batches = []
    monkeypatch.setattr(
        engine, "estimate_all", lambda series, *more: batches.append(len(series)) or acu.estimate_all(series, *more)
    )
    review = acu.reassess(planned(), confidence=0.9)
    assert review.story.shown.estimate is review.verdict.estimate
    assert review.story.shown.success is review.success
    assert review.story is review.story
    assert batches == [2 * 2]  # two earlier looks, the primary outcome and the other of the rule; not the score
    assert {each.estimate.confidence for each in review.story.reached} == {0.9}


@pytest.mark.parametrize("folder", ["low_back_pain", "migraine", "knee_osteoarthritis", "sleep_and_stress"])
def test_what_is_asked_of_a_course_heads_no_outcome(folder):
    heads = {each.question for each in report_cases.sample(folder).estimates.headlines}
    assert heads
    assert not heads & set(engine.OF_THE_COURSE)


# ------------------------------------------------------------------ blind for what came later


@settings(max_examples=40, deadline=None)
@given(days=st.lists(st.integers(15, 105), min_size=2, max_size=2), session=st.integers(1, 7))
def test_a_trial_cut_twice_is_the_trial_cut_at_the_earlier_look(days, session):
    trial = planned()
    looks = sorted([Look(on=day(days[0])), Look(on=day(days[1])), Look(after_session=session)], key=trial.look_day)
    for early, late in ((looks[0], looks[1]), (looks[0], looks[2]), (looks[1], looks[2])):
        once, twice = trial.at(early), trial.at(late).at(early)
        assert once.protocol == twice.protocol
        pd.testing.assert_frame_equal(once.diary.values, twice.diary.values)


def test_later_days_sessions_and_events_do_not_change_an_earlier_look():
    before = four().story
    other, changed = columns(seed=1), columns()
    for name, first in (("pain", 28), ("walking", 28), ("peg", 36)):
        changed[name][first:] = 30 - other[name][first:] if name == "peg" else other[name][first:][::-1]
    more = [{"date": day(20 + 7 * n), "adverse_event": "bruise"} for n in range(2, 9)]
    events = [{"date": day(29), "what": "new tablets"}]
    after = acu.reassess(planned(changed, session=SESSIONS + more, event=events)).story
    same(after.standings[0], session_3())
    same(before.standings[0], session_3())
    # The test could fail: the last look reads the changed days.
    assert after.shown.estimate.value != pytest.approx(before.shown.estimate.value, abs=1e-3)


def test_the_page_of_an_earlier_look_knows_nothing_of_later_ones():
    review = session_3()
    story = review.story
    assert [each.status for each in story.standings] == ["ok", "not_reached", "not_reached", "not_reached"]
    assert [each.day for each in story.standings] == [day(28), None, day(56), day(98)]
    assert story.earlier == ()
    text = json.dumps(review.to_dict()["looks"][1:])
    assert text.count('"estimate": null') == text.count('"status": "not_reached"') == 3
    assert review.trial.diary.values.index.max() <= pd.Timestamp(day(35))
    assert max(each.date for each in review.trial.protocol.sessions) == day(28)


def test_an_unplanned_look_tells_of_the_planned_ones_before_it():
    story = acu.reassess(planned(), on=day(70)).story
    assert story.shown is None
    assert [each.day for each in story.earlier] == [day(28), day(56)]
    assert "This page shows a look that was not planned, on 16 Mar 2026." in said.notes(story)[1]


# ------------------------------------------------------------------ states


def only_pain(**raw):
    return make_trial({"pain": columns()["pain"]}, raw={"session": SESSIONS, **raw}, pain=OUTCOMES["pain"])


def states(looks, **look):
    trial = only_pain(reassess=looks)
    return [(each.look, each.status, each.reason) for each in acu.reassess(trial, **look).story.standings]


def test_looks_stand_in_order_of_time_and_those_not_reached_as_planned():
    found = states(
        [
            {"after_session": 12},
            {"on": day(98)},
            {"on": day(90)},
            {"after_session": 9},
            {"on": day(60)},
            {"after_session": 3},
        ],
        on=day(60),
    )
    names = [(each.after_session, each.on) for each, _, _ in found]
    assert names == [(3, None), (None, day(60)), (9, None), (None, day(90)), (None, day(98)), (12, None)]
    assert [status for _, status, _ in found] == ["ok", "ok", *["not_reached"] * 4]


def test_a_look_without_a_treatment_day_or_without_enough_days_says_why():
    first, second, last = states([{"after_session": 1}, {"on": day(17)}, {"on": day(98)}])
    assert first[1:] == ("too_early", "no treatment day had passed")
    assert second[1] == "not_estimable"
    assert "too few" in second[2] or "days" in second[2]
    assert last[1:] == ("ok", "")


def test_no_look_one_look_and_a_look_listed_twice():
    assert states([]) == []
    assert len(states([{"on": day(98)}])) == 1
    assert len(states([{"on": day(98)}, {"on": day(98)}])) == 1


# ------------------------------------------------------------------ what overrules everything


FLAGS = {
    "at a later session": {"session": [*SESSIONS, {"date": day(150), "red_flag": "fever"}]},
    "before an earlier look": {"session": [{**SESSIONS[0], "red_flag": "fever"}, *SESSIONS[1:]]},
    "a serious event after the look": {"session": [*SESSIONS, {"date": day(120), "serious": True}]},
    "in the profile": {"safety": {"red_flags": ["fever"]}},
}


@cache
def flagged(name, after_session=None):
    return acu.reassess(planned(**FLAGS[name]), after_session=after_session)


@pytest.mark.parametrize("name", FLAGS)
def test_a_green_past_never_stands_against_a_red_flag(name):
    without_a_verdict(flagged(name))


def test_a_page_of_the_past_knows_of_a_later_red_flag():
    without_a_verdict(flagged("at a later session", after_session=3))


def without_a_verdict(review):
    story = review.story
    assert story.overruled_by
    assert [(each.kind, each.success) for each in story.standings] == [(None, None)] * 4
    assert said.earlier(story) == ""
    heading, table, note = looks_blocks(review)
    assert (type(heading), type(table), type(note)) == (Heading, Table, Note)
    told = " ".join([*table.columns, *sum(table.rows, ()), *table.marks, *note.lines]).lower()
    assert not [word for word in ("improved", "worse", "better", " met", "in 100", "carries") if word in told]
    assert said.OVERRULED in note.lines
    assert "carries the verdict" not in " ".join(review.limits)
    found = review.to_dict()["looks"]
    assert [(each["verdict"], each["success"]) for each in found] == [(None, None)] * 4
    assert said.figure_alt(story) == said.OVERRULED


# ------------------------------------------------------------------ words, page, JSON


def told(review):
    story = review.story
    lines = [
        said.caption(story), " | ".join(said.columns(story)),
        *(" | ".join((*said.row(each, story), said.mark(each, story))) for each in story.standings),
        *said.notes(story), said.figure_alt(story), said.earlier(story),
    ]  # fmt: skip
    return "\n".join(lines).replace(words.NO_BREAK, " ") + "\n"


def days_and_ratios():
    """Yes/no days, nothing agreed, the first look decides."""
    yes = (np.random.default_rng(4).random(DAYS) < np.where(np.arange(DAYS) < 28, 0.6, 0.2)).astype(float)
    looks = [{"on": day(70), "decides": True}, {"on": day(98)}]
    raw = {"reassess": looks, "trial": {"condition": "migraine"}}
    return acu.reassess(
        make_trial({"days": yes}, baseline=28, raw=raw, days={"instrument": "headache_day"}), on=day(98)
    )


SPOKEN = {
    "four": four,
    "first": session_3,
    "red_flag": lambda: flagged("in the profile"),
    "days": days_and_ratios,
    "low_back_pain": lambda: report_cases.sample("low_back_pain"),
}


@pytest.mark.parametrize("name", SPOKEN)
def test_golden_words_of_the_looks(name):
    assert told(SPOKEN[name]()) == (GOLDEN / f"looks_{name}.txt").read_text(encoding="utf-8")


def test_the_one_sentence_for_the_first_page():
    assert said.earlier(report_cases.sample("low_back_pain").story).replace(words.NO_BREAK, " ") == (
        "After session 6 (23 Feb 2026) it read: improved, amount unclear (2.2 lower, 0.1 to 4.3)."
    )
    assert said.earlier(report_cases.interim().story) == ""
    walking = acu.reassess(planned(outcome=primary("walking")), on=day(63)).story
    assert said.earlier(walking).startswith("After 6 weeks (2 Mar 2026) it read: improved")
    assert re.search(
        r" \(\d+ higher, \d+ to \d+, in min/day\); the look before that stands in the appendix\.$",
        said.earlier(walking),
    )
    early = only_pain(reassess=[{"on": day(17)}, {"on": day(98)}])
    assert said.earlier(acu.reassess(early).story).startswith("After 3 days (22 Jan 2026) it read: not estimable: ")


LIMITS = [
    (four, "4 looks were planned; this one carries the verdict and is read as if it were the only one."),
    (session_3, "This is an interim look: the one planned for 13 Apr 2026 carries the verdict."),
    (lambda: acu.reassess(planned(), on=day(101)), "4 looks were planned; that of 13 Apr 2026 carries the verdict, and this one is read as if it were the only one."),
]  # fmt: skip


@pytest.mark.parametrize(("review", "limit"), LIMITS)
def test_the_limits_name_the_look_that_carries_the_verdict(review, limit):
    assert limit in review().limits


def test_the_limits_of_one_look_and_of_a_session_that_is_still_to_come():
    one = {"reassess": [{"on": day(90)}]}
    assert not [each for each in acu.reassess(only_pain(**one)).limits if "looks" in each or "verdict and" in each]
    late = acu.reassess(only_pain(**one), on=day(98)).limits
    assert (
        "One look was planned; that of 5 Apr 2026 carries the verdict, and this one is read as if it were the only one."
        in late
    )
    session = acu.reassess(only_pain(reassess=[{"after_session": 12}]), on=day(98)).limits
    assert "This is an interim look: the one planned after session 12 carries the verdict." in session


def test_the_appendix_begins_with_the_looks_and_has_no_empty_part():
    heading, picture, table, note = looks_blocks(four())
    assert (type(heading), type(picture), type(table), type(note)) == (Heading, Picture, Table, Note)
    assert [len(row) for row in table.rows] == [len(table.columns)] * 4
    for folder, parts in (("low_back_pain", 4), ("migraine", 0)):
        assert len(list(looks_blocks(report_cases.sample(folder)))) == parts
    html = report_cases.page("low_back_pain")
    assert html.count(said.HEADING) == 1
    assert html.index(said.HEADING) < html.index(f"<span>{words.HEADINGS['answers']}<")
    bare = make_trial(
        {"pain": columns()["pain"]}, baseline=0, raw={"reassess": PLAN["reassess"][1::2]}, pain=OUTCOMES["pain"]
    )
    assert not list(looks_blocks(acu.reassess(bare)))


def test_the_json_holds_the_looks():
    found = four().to_dict()["looks"]
    assert [(each["date"], each["status"], each["shown"]) for each in found] == [
        ("2026-02-02", "ok", False), ("2026-03-02", "ok", False), ("2026-04-13", "ok", True), (None, "not_reached", False),
    ]  # fmt: skip
    primary = next(each for each in four().to_dict()["estimates"] if each["primary"] and each["headline"])
    assert found[2]["estimate"] == primary
    assert found[2]["success"] == four().to_dict()["success"]
    assert found[3]["estimate"] is found[3]["verdict"] is found[3]["success"] is None
    json.dumps(found, allow_nan=False)


# ------------------------------------------------------------------ the figure


def test_the_figure_has_a_row_a_look_with_its_interval_and_both_lines():
    story = four().story
    (ax,) = acu.plot_looks(story).axes
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]]
    ends = sorted((line.get_ydata()[0], tuple(line.get_xdata())) for line in bars)
    assert [place for place, _ in ends] == [0, 1, 2]
    for (_, drawn), each in zip(ends, story.reached, strict=True):
        assert drawn == pytest.approx((each.estimate.low, each.estimate.high))
    upright = {
        line.get_xdata()[0] for line in ax.lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
    }
    assert upright == {0.0, -2.0}
    strong = [line.get_ydata()[0] for line in bars if line.get_color() == palette.AFTER_LEVEL]
    assert strong == [2]
    texts = [text.get_text() for text in ax.texts]
    assert {"After session 12", "not yet reached", "After 6 weeks, 2 Mar 2026", "← better", "worse →"} <= set(texts)


@pytest.mark.parametrize(
    ("story", "text"),
    [
        (lambda: flagged("in the profile").story, said.OVERRULED),
        (lambda: report_cases.nothing_kept().story, said.NOTHING_TO_DRAW),
    ],
)
def test_a_figure_with_nothing_to_draw_says_so(story, text):
    assert [each.get_text() for each in acu.plot_looks(story()).texts] == [text]
