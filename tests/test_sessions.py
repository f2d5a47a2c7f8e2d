"""Sessions and the course of the change: days around a session, build-up and fading, outcomes in turn, what is left later, dose."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import START, make_trial
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1.cli import app
from acu_nof1.cohort.pooling import dose
from acu_nof1.course import course_of
from acu_nof1.errors import UsageError
from acu_nof1.explore.meta_regression import meta_regression
from acu_nof1.plot.sessions import plot_around, plot_kinetics, plot_links
from acu_nof1.report.sessions import session_blocks
from acu_nof1.sessions import (
    FRAME_COLUMNS,
    Dose,
    Kinetics,
    Range,
    around_sessions,
    attended,
    by_dose,
    dose_of,
    explored,
    follow_up,
    kinetics,
    together,
)
from acu_nof1.sessions.around import ELSEWHERE, labels
from acu_nof1.sessions.fading import states
from acu_nof1.sessions.lagged import false_discovery_rates, lag_of
from acu_nof1.sessions.ranges import NOT_KNOWN
from acu_nof1.simulate import noise
from acu_nof1.words import sessions as words

PAIN = {"instrument": "nrs_pain", "important_change": 2}
FREE = {"label": "Free", "kind": "rating", "range": [-1000, 1000], "better": "lower", "unit": "points"}
NIGHT = {
    "label": "Night",
    "kind": "rating",
    "range": [-1000, 1000],
    "better": "lower",
    "unit": "points",
    "domain": "sleep",
}
BASELINE, DAYS = 14, 84
TWICE = [14 + 7 * week + extra for week in range(10) for extra in (0, 3)]
IRREGULAR = (np.cumsum([14, 3, 8, 2, 5, 9, 2, 4, 10, 3, 6, 8, 2, 5])).tolist()


def day(number):
    return START + dt.timedelta(days=int(number))


def log(days, **more):
    return [{"date": day(each), "adverse_asked": True} | more for each in days]


def kept(columns, days=TWICE, phases=None, look=None, **outcomes):
    raw = {"session": log(days)} | ({"phase": phases} if phases else {}) | ({"reassess": [look]} if look else {})
    declared = outcomes or dict.fromkeys(columns, FREE)
    return make_trial({name: list(values) for name, values in columns.items()}, raw=raw, **declared)


def both(trial):
    """Series and sessions as they stood at the look."""
    look = trial.default_look()
    stood = trial.at(look)
    return stood.comparisons(look), attended([stood])


def noisy(seed, sd=1.0, phi=0.3, days=DAYS):
    return sd * noise(1, days, phi=phi, seed=seed)[0]


# ------------------------------------------------------------------ around a session


def test_a_day_belongs_to_its_nearest_session():
    on = np.zeros((1, 24), bool)
    on[0, [4, 8, 20]] = True
    expected = [ELSEWHERE, -3, -2, -1, 0, 1, 2, -1, 0, 1, 2, 3, 4, 5, 6, ELSEWHERE, ELSEWHERE, -3, -2, -1, 0, 1, 2, 3]
    assert labels(on)[0].tolist() == expected


def test_a_dip_on_the_day_after_is_found_where_it_is_and_nowhere_else():
    values = 6 + noisy(1, 0.6)
    values[[each + 1 for each in TWICE]] -= 3.0
    series, dates = both(kept({"free": values}))
    (found,) = around_sessions(series, dates)
    after = found.offsets.index(1)
    assert found.sessions == len(TWICE)
    assert found.high[after] < 0
    assert found.low[after] < -3.0 < found.high[after]
    others = [place for place, offset in enumerate(found.offsets) if offset != 1 and np.isfinite(found.value[place])]
    assert all(found.low[place] < 0 < found.high[place] for place in others)
    assert words.around_row(found)[-1] == "lower 1 day after"


def test_the_band_of_all_days_is_wider_than_the_interval_of_one_and_needs_no_luck():
    series, dates = both(kept({"free": 6 + noisy(2)}))
    (one,), (again,) = around_sessions(series, dates), around_sessions(series, dates)
    (other,) = around_sessions(series, dates, seed=5)
    assert np.array_equal(one.low, again.low, equal_nan=True)
    assert np.nanmax(np.abs(one.low - other.low)) < 0.1
    told = np.isfinite(one.value)
    assert (one.low[told] < one.value[told]).all()
    assert (one.value[told] < one.high[told]).all()


def test_around_sessions_turn_round_with_the_scale_and_stay_with_a_shift():
    values = 6 + noisy(3)
    (plain,), (turned,), (moved,) = (
        around_sessions(*both(kept({"free": changed}))) for changed in (values, -values, values + 100)
    )
    assert turned.value == pytest.approx(-plain.value, abs=0.02, nan_ok=True)
    assert turned.low == pytest.approx(-plain.high, abs=0.1, nan_ok=True)
    assert moved.value == pytest.approx(plain.value, abs=1e-6, nan_ok=True)


def test_around_says_why_there_is_none():
    values = 6 + noisy(4)
    (few,) = around_sessions(*both(kept({"free": values}, days=TWICE[:2])))
    assert few.reason == "only 2 sessions before the reassessment; at least 3 are needed"
    assert np.isnan(few.value).all()
    assert not few.told
    values[:10] = np.nan
    (short,) = around_sessions(*both(kept({"free": values})))
    assert short.reason == "only 4 baseline days answered; at least 5 are needed"
    assert words.around_row(short)[2:] == ("–", "–", "–", short.reason)


# ------------------------------------------------------------------ build-up and fading


def test_states_by_hand():
    on = np.array([False, True, False, False, True])
    (found,) = states(on, np.array([0.5]), np.array([1.0]))
    # Half of what is missing; half of it left each day: 0, .5, .25, .125, .0625 + .5 (1 − .0625).
    assert found.tolist() == [0, 0.5, 0.25, 0.125, 0.53125]


@given(st.floats(0.03, 1.0), st.floats(1.0, 128.0), st.lists(st.booleans(), min_size=3, max_size=60))
def test_states_stay_between_nothing_and_all_and_fade_by_the_half_life(build, half, on):
    (found,) = states(np.array(on), np.array([build]), np.array([half]))
    assert ((found >= 0) & (found <= 1)).all()
    quiet = [at for at in range(1, len(on)) if not on[at]]
    assert found[quiet] == pytest.approx(found[[at - 1 for at in quiet]] * 2 ** (-1 / half))


def planted(seed, build, half, effect, days=IRREGULAR, sd=0.5, phi=0.3, length=DAYS):
    on = np.zeros(length, bool)
    on[[each for each in days if each < length]] = True
    (state,) = states(on, np.array([build]), np.array([half]))
    return 6 - effect * state / state[DAYS - 14 : DAYS].mean() + noisy(seed, sd, phi, length)


def test_a_planted_course_is_found():
    series, dates = both(kept({"free": planted(1, 0.35, 6.0, 6.0, sd=0.4, phi=0.0)}, days=IRREGULAR))
    (found,) = kinetics(series, dates)
    assert found.state.low < -6.0 < found.state.high
    assert found.build_up.low < 0.35 < found.build_up.high
    assert found.half_life.low < 6.0 < found.half_life.high
    assert found.half_life_told
    assert found.persistence.low < 2 ** (-28 / 6.0) < found.persistence.high
    assert found.weight.sum() == pytest.approx(1.0)
    assert (found.low <= found.effect).all()
    assert (found.effect <= found.high).all()
    assert found.session_days.tolist() == [each - BASELINE for each in IRREGULAR]


def test_without_an_effect_its_course_cannot_be_told():
    (found,) = kinetics(*both(kept({"free": 6 + noisy(7)})))
    assert found.status == "ok"
    assert not found.told
    assert not found.build_up_told
    assert "cannot be told" in next(words.course_sentences([found]))
    assert words.course_row(found)[2:] == ("cannot be told",) * 4


def test_what_only_the_range_gives_is_not_shown():
    """A half-life of which the days tell that it is long, not how long: one end, and no middle."""
    peaked, slow = np.array([0.01, 0.9, 0.09, 0.0]), np.array([0.0, 0.01, 0.3, 0.69])
    known = {"state": Range(-2, -3, -1), "build_up": Range(0.3, 0.2, 0.5), "half_life": Range(60, 25, 125), "time_to_half": Range(7, 0, 14),
             "persistence": Range(0.7, 0.46, 0.86)}  # fmt: skip
    base = Kinetics("P-1", acu.OUTCOMES["nrs_pain"], 9, "ok", "", **known, build_up_told=True, half_life_told=True)
    found = replace(base, weight=np.outer(peaked, slow))
    row = words.course_row(found)
    assert row[2:4] == ("30\N{NO-BREAK SPACE}% (20 to 50)", "25 days or more")
    assert row[5] == "46\N{NO-BREAK SPACE}% or more"
    assert "it fades to half in 25 days or more" in next(words.course_sentences([found]))
    fast = words.course_row(replace(base, weight=np.outer(peaked, slow[::-1])))
    assert (fast[3], fast[5]) == ("125 days or less", "86\N{NO-BREAK SPACE}% or less")
    whole = words.course_row(replace(base, weight=np.outer(peaked[::-1], peaked)))
    assert whole[3] == "60 days (25 to 125)"
    untold = words.course_row(replace(found, half_life_told=False))
    assert untold[3] == "cannot be told (25 to 125 days fit)"


def test_weekly_sessions_and_slow_fading_cannot_be_told_apart():
    weekly = list(range(14, DAYS, 7))
    (found,) = kinetics(*both(kept({"free": planted(3, 0.2, 60.0, 1.5, days=weekly, sd=1.0)}, days=weekly)))
    assert not found.build_up_told
    assert "fit)" in words.course_row(found)[2]


def test_days_after_the_last_session_tell_how_it_fades():
    """Washout days enter no answer, but they are the days on which an effect fades."""
    long, sessions = 140, IRREGULAR
    values = planted(5, 0.3, 10.0, 4.0, days=sessions, sd=0.8, length=long)
    phases = [
        {"kind": "baseline", "start": day(0), "end": day(13)}, {"kind": "treatment", "start": day(14), "end": day(83)},
        {"kind": "follow_up", "start": day(84), "end": day(long - 1)},
    ]  # fmt: skip
    at_end, later = (
        kinetics(*both(kept({"free": values}, days=sessions, phases=phases, look={"on": day(look)})))[0]
        for look in (84, long)
    )
    width = [np.log2(each.half_life.high / each.half_life.low) for each in (at_end, later)]
    assert width[1] < 0.8 * width[0]
    assert later.half_life.low < 10.0 < later.half_life.high


def test_the_state_turns_round_with_the_scale_and_stays_with_a_shift():
    values = planted(6, 0.3, 10.0, 3.0)
    plain, turned, moved = (
        kinetics(*both(kept({"free": changed}, days=IRREGULAR)))[0] for changed in (values, -values, values + 100)
    )
    assert turned.state.value == pytest.approx(-plain.state.value, rel=1e-6)
    assert turned.half_life.value == pytest.approx(plain.half_life.value, rel=1e-6)
    assert moved.state.value == pytest.approx(plain.state.value, rel=1e-6)
    assert moved.build_up.high == pytest.approx(plain.build_up.high, rel=1e-6)


def test_kinetics_say_why_there_are_none():
    (few,) = kinetics(*both(kept({"free": 6 + noisy(8)}, days=TWICE[:1])))
    assert few.reason == "only 1 session before the reassessment; at least 3 are needed"
    assert words.course_row(few)[1:3] == ("not estimable", few.reason)
    phases = [
        {"kind": kind, "start": day(start), "end": day(start + 20)}
        for kind, start in (("baseline", 0), ("treatment", 21), ("baseline", 42), ("treatment", 63))
    ]
    (several,) = kinetics(*both(kept({"free": 6 + noisy(8)}, phases=phases)))
    assert several.reason == "it needs one baseline and one treatment phase"
    (skipped,) = kinetics(*both(kept({"free": 6 + noisy(8)})), wanted=["pain"])
    assert not skipped.asked


# ------------------------------------------------------------------ outcomes in turn


def test_lags_count_from_the_morning_that_dates_a_night():
    pain, night = acu.OUTCOMES["nrs_pain"], replace(acu.OUTCOMES["nrs_pain"], name="night", domain="sleep")
    assert lag_of(night, pain) == 0  # the night before the day has the day's date
    assert lag_of(pain, night) == 1  # the night after the day has the next one's
    assert (lag_of(pain, pain), lag_of(night, night)) == (1, 1)


def test_a_planted_link_is_found_one_way_round_only():
    night = noisy(1, 1.0, 0.0)
    pain = 6 + 0.9 * night + noisy(2, 0.6, 0.2)
    series, _ = both(kept({"pain": pain, "night": night}, pain=FREE, night=FREE | {"label": "Night"}))
    series = replace(series, outcomes=(series.outcomes[0], replace(series.outcomes[1], domain="sleep")))
    first, back = (
        next(each for each in together(series) if (each.first.name, each.then.name) == pair)
        for pair in (("night", "pain"), ("pain", "night"))
    )
    assert (first.lag, back.lag) == (0, 1)
    assert first.holds
    assert not back.holds
    assert first.effect.low < 0.9 * first.sd < first.effect.high
    assert first.placebo.low < 0 < first.placebo.high
    assert words.link_row(first)[-1] == "more of the first, more of the second"
    assert words.link_row(first)[1] == "Free, the day after"
    assert words.link_row(back)[1] == "Night, the night after"
    (said,) = words.link_sentences([first, back])
    assert said.startswith("More night came before more free the day after: ")


def test_a_common_course_is_no_link():
    """Two outcomes that both fall over treatment, with independent days."""
    fall = np.where(np.arange(DAYS) < BASELINE, 0, -(np.arange(DAYS) - BASELINE) / 20)
    series, _ = both(kept({"one": 6 + fall + noisy(11), "other": 4 + fall + noisy(12)}))
    assert not any(each.holds for each in together(series))
    assert next(words.link_sentences(together(series))).startswith("Of 2 pairs of outcomes")


def test_a_link_whose_check_fails_is_not_called_so():
    """Five days earlier tells as much as the night before."""
    night = noisy(1, 1.0, 0.0)
    later = 0.9 * night + noisy(2, 0.5, 0.2)
    later[5:] += 0.9 * night[:-5]
    series, _ = both(kept({"pain": later, "night": night}, pain=FREE, night=FREE | {"label": "Night"}))
    series = replace(series, outcomes=(series.outcomes[0], replace(series.outcomes[1], domain="sleep")))
    found = next(each for each in together(series) if each.first.name == "night")
    assert found.p < 0.001
    assert found.placebo.clear
    assert not found.holds
    assert words.link_row(found)[-1] == "not called a link: the check fails"


def test_a_link_that_is_clear_only_by_itself_says_so():
    """An interval without 0 is not read as none, nor as a link that stood up among all pairs."""
    link = together(both(kept({"one": noisy(1), "other": noisy(2)}))[0])[0]
    clear = replace(link, effect=Range(-0.4, -0.7, -0.1), placebo=Range(0.0, -0.3, 0.3), holds=False)
    assert words.link_reads(clear) == "clear by itself, not among all pairs"
    assert words.link_reads(replace(clear, effect=Range(-0.4, -0.9, 0.1))) == "cannot be told from none"
    assert words.link_reads(replace(clear, placebo=NOT_KNOWN)) == "not called a link: no check could be made"
    assert words.link_reads(replace(clear, holds=True)) == "more of the first, less of the second"


def test_a_link_without_a_check_is_not_called_so():
    """Days are answered one after the other, but none five days apart."""
    one, other = noisy(1, phi=0.0), noisy(2, 0.3, 0.0)
    other[1:] += 2 * one[:-1]
    place = np.arange(DAYS) % 6
    one[~np.isin(place, (1, 2))] = other[~np.isin(place, (2, 3))] = np.nan
    link = together(both(kept({"one": one, "other": other}))[0])[0]
    assert link.effect.clear
    assert np.isnan(link.placebo.value)
    assert not link.holds
    assert words.link_row(link)[3:] == ("–", "not called a link: no check could be made")


def test_links_turn_round_with_either_scale():
    one, other = noisy(1), noisy(2)
    other[1:] += 0.5 * one[:-1]

    def asked(x, y):
        return together(both(kept({"one": x, "other": y}))[0])[0]

    plain = asked(one, other)
    assert asked(-one, other).effect.value == pytest.approx(-plain.effect.value, rel=1e-6)
    assert asked(one, -other).effect.low == pytest.approx(-plain.effect.high, rel=1e-6)
    assert asked(one * 10, other).effect.value == pytest.approx(plain.effect.value, rel=1e-6)
    assert asked(one * 10, other).sd == pytest.approx(10 * plain.sd)
    assert asked(one, other * 10).effect.value == pytest.approx(10 * plain.effect.value, rel=1e-4)


def test_pairs_of_people_are_not_mixed_and_company_changes_nothing():
    series = [both(kept({"one": noisy(seed), "other": noisy(seed + 50)}))[0] for seed in (1, 2)]
    named = [replace(each, person=(f"P-{number}",) * 2) for number, each in enumerate(series)]
    from acu_nof1.trial import stack

    together_, alone = together(stack(named)), [link for each in named for link in together(each)]
    assert [(each.person, each.first.name) for each in together_] == [(each.person, each.first.name) for each in alone]
    assert [each.effect.value for each in together_] == pytest.approx([each.effect.value for each in alone], rel=1e-9)


def test_links_say_why_there_is_none():
    flat = np.full(DAYS, 3.0)
    sparse = np.where(np.arange(DAYS) % 6 == 0, noisy(3), np.nan)
    for column, why in ((flat, "does not vary around its course"), (sparse, "pairs of days answered; at least 20")):
        found = together(both(kept({"one": column, "other": noisy(4)}))[0])
        first = next(each for each in found if each.first.name == "one")
        assert why in first.reason
        assert np.isnan(first.p)
        assert not first.holds
        assert words.link_row(first)[2] == "not estimable"


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_false_discovery_rates_are_those_of_scipy(p):
    assert false_discovery_rates(np.array(p)) == pytest.approx(false_discovery_control(p))


def test_false_discovery_rates_leave_out_what_is_not_known():
    found = false_discovery_rates(np.array([0.01, np.nan, 0.5]))
    assert found.tolist() == pytest.approx([0.02, np.nan, 0.5], nan_ok=True)


# ------------------------------------------------------------------ after the last session


def with_follow_up(levels, seed=1, sd=0.5, look=196, **more):
    """Baseline 14 days, course to day 83, then the given level four, eight and twelve weeks later."""
    last = 83
    course = np.full(look, 6.0)
    course[14:97] = 2.0
    for weeks, level in zip((4, 8, 12), levels, strict=True):
        course[last + 7 * weeks - 14 :] = level
    values = course + noisy(seed, sd, 0.2, look)
    phases = [
        {"kind": "baseline", "start": day(0), "end": day(13)}, {"kind": "treatment", "start": day(14), "end": day(83)},
        {"kind": "follow_up", "start": day(84), "end": day(look - 1)},
    ]  # fmt: skip
    return kept({"free": values}, days=[*range(14, 84, 7), last], phases=phases, look={"on": day(look)}, **more)


def test_what_is_left_later_is_a_ratio_of_changes():
    (found,) = follow_up(*both(with_follow_up((3.0, 4.0, 5.0))))
    assert found.end.low < -4.0 < found.end.high
    for each, share in zip(found.later, (0.75, 0.5, 0.25), strict=True):
        assert each.days == 14
        assert each.share.low < share < each.share.high
        assert each.share.value == pytest.approx(each.change.value / found.end.value, abs=0.05)
    assert [each.weeks for each in found.later] == [4, 8, 12]
    assert words.later_sentence(found).startswith("12 weeks after the last session 2")


def test_a_change_that_turned_round_has_a_share_below_nothing():
    (found,) = follow_up(*both(with_follow_up((6.0, 7.0, 8.0))))
    for each, share in zip(found.later, (0.0, -0.25, -0.5), strict=True):
        assert each.share.low < share < each.share.high
        assert each.share.low < each.share.value < each.share.high
    assert found.later[-1].share.value < 0


def test_what_is_left_turns_round_with_the_scale():
    trial = with_follow_up((3.0, 4.0, 5.0))
    series, dates = both(trial)
    (plain,), (turned,) = follow_up(series, dates), follow_up(replace(series, values=-series.values), dates)
    assert turned.end.value == pytest.approx(-plain.end.value, rel=1e-6)
    assert turned.later[1].share.value == pytest.approx(plain.later[1].share.value, rel=1e-6)


def test_a_change_of_which_nothing_is_left_is_not_called_so_much_left():
    (found,) = follow_up(*both(with_follow_up((6.0, 7.0, 8.0))))
    assert words.later_sentence(found).startswith(
        "12 weeks after the last session nothing of the change of free was left: −"
    )


def test_no_share_of_a_change_without_direction():
    series, dates = both(with_follow_up((6.0, 6.0, 6.0)))
    same = replace(
        series, values=np.where(np.isfinite(series.values), 6 + noisy(9, 1.0, 0.3, series.values.shape[1]), np.nan)
    )
    (found,) = follow_up(same, dates)
    assert not found.end.clear
    assert all(np.isnan(each.share.value) for each in found.later)
    assert "cannot be told" in words.later_sentence(found)


def test_later_points_without_days_say_so_and_a_diary_that_ends_with_the_course_has_none():
    (found,) = follow_up(*both(with_follow_up((3.0, 4.0, 5.0), look=83 + 28 + 10)))
    assert [bool(each.reason) for each in found.later] == [False, True, True]
    assert words.later_row(found)[3:] == ("no answered day", "no answered day")
    (ended,) = follow_up(*both(kept({"free": 6 + noisy(1)})))
    assert (ended.later, ended.reason) == ((), "no answered day around 4, 8 or 12 weeks after the last session")


# ------------------------------------------------------------------ dose


def test_dose_of_a_session_log():
    logged = [
        {"date": day(14 + 7 * week), "adverse_asked": True, "more": {"retention": minutes, "stimulation": kind}}
        for week, (minutes, kind) in enumerate(
            [("20", "manual"), ("30 min", "Electro 2 Hz"), ("", "manual"), ("25", "electrical")]
        )
    ]
    trial = make_trial({"pain": 6 + noisy(1)}, raw={"session": [*logged, {"date": day(60), "attended": False}]})
    assert dose_of(course_of(trial, trial.default_look())) == {
        "sessions": 4.0,
        "retention_min": 25.0,
        "electrical": 0.5,
    }
    bare = make_trial({"pain": 6 + noisy(1)})
    assert dose_of(course_of(bare, bare.default_look())) == pytest.approx(
        {"sessions": 0.0, "retention_min": np.nan, "electrical": np.nan}, nan_ok=True
    )


def test_dose_is_one_meta_regression_for_each_part_and_keeps_who_lacks_another():
    rng = np.random.default_rng(1)
    known = pd.DataFrame(
        {"sessions": rng.integers(6, 13, 40).astype(float), "retention_min": rng.choice([20.0, 30.0, np.nan], 40)}
    )
    value, se = -0.3 * known["sessions"] + rng.normal(0, 0.4, 40), np.full(40, 0.3)
    sessions, minutes = by_dose(value, se, known, range(40))
    row = meta_regression(value, se, known[["sessions"]]).to_frame().iloc[1]
    assert (sessions.effect.value, sessions.effect.low) == pytest.approx((row["coefficient"], row["low"]))
    assert sessions.effect.low < -0.3 < sessions.effect.high
    assert (sessions.people, minutes.people) == (40, int(known["retention_min"].notna().sum()))
    said = words.dose_sentences([sessions, minutes], acu.OUTCOMES["nrs_pain"])
    assert said[-1] == words.DOSE_CAVEAT
    assert "one session more goes along with a different change" in said[0]


def test_dose_that_is_the_same_in_everybody_or_unknown_says_so():
    known = pd.DataFrame({"sessions": [8.0] * 5, "retention_min": [np.nan] * 5})
    same, unknown = by_dose(np.arange(5.0), np.ones(5), known, range(5))
    assert same.reason
    assert unknown == Dose("retention_min", 0, unknown.effect, "no session log tells it")
    assert all("not estimable" in said for said in words.dose_sentences([same, unknown], acu.OUTCOMES["nrs_pain"])[:2])


def test_dose_of_a_cohort():
    found = acu.reassess_all(acu.read_cohort("sample_data/clinic"))
    (sessions,) = dose(found)
    assert sessions.part == "sessions"
    assert sessions.people > 40
    assert sessions.effect.low < sessions.effect.value < sessions.effect.high


def test_a_folder_of_trials_knows_everybodys_sessions():
    cohort = acu.read_cohort("sample_data")
    assert len(cohort.attended["P-014"]) == 10
    assert cohort.covariates.loc["P-014", "sessions"] == 10
    assert cohort.covariates.loc["P-014", "retention_min"] == 20


# ------------------------------------------------------------------ table, figures, page, command


@pytest.fixture(scope="module")
def sample():
    return acu.reassess(acu.read_trial("sample_data/low_back_pain"))


def test_table_of_one_person_and_of_many_has_the_same_columns_and_numbers(sample):
    one = explored(sample.comparisons, {"P-014": sample.course.attended})
    cohort = acu.read_cohort("sample_data")
    many = explored(cohort.comparisons, cohort.attended).to_frame()
    own = many[many["person"] == "P-014"].reset_index(drop=True)
    assert one.to_frame().columns.tolist() == many.columns.tolist()
    pd.testing.assert_frame_equal(one.to_frame(), own, rtol=1e-6)
    assert len(one.links_frame()) == 6


def test_a_run_of_a_cohort_writes_the_same_table_where_it_is_asked(tmp_path):
    run = acu.run_cohort("sample_data", tmp_path, sessions=True)
    assert run.people["failed"] == 1
    cohort = acu.read_cohort("sample_data")
    expected = explored(cohort.comparisons, cohort.attended).to_frame()
    written = pd.read_csv(tmp_path / "sessions.csv")
    assert tuple(written.columns) == FRAME_COLUMNS
    pd.testing.assert_frame_equal(
        written[["person", "outcome", "state", "half_life_low"]],
        expected[["person", "outcome", "state", "half_life_low"]],
        rtol=1e-9,
    )
    again = acu.run_cohort("sample_data", tmp_path, sessions=True)
    assert again.kept == again.units  # nothing is done twice
    acu.run_cohort("sample_data", tmp_path)
    assert not (tmp_path / "sessions.csv").exists()


def test_figures_and_their_words(sample):
    found = explored(sample.comparisons, {"P-014": sample.course.attended})
    around = [each for each in found.around if not each.reason]
    figure = plot_around(around)
    assert [panel.get_title() for panel in figure.axes] == ["Pain", "Walking", "Sleep"]
    assert all(panel.get_xlabel() == "days" and "difference" in panel.get_ylabel() for panel in figure.axes)
    ridge, course = plot_kinetics(found.kinetics[0]).axes[:2]
    assert (ridge.get_xlabel(), ridge.get_xscale()) == ("fades to half in, days", "log")
    assert course.get_ylabel() == "difference, points"
    assert words.around_alt(around).endswith("no day stands out in pain, walking or sleep.")
    assert "half-life 12 to 118 days" in words.course_alt(found.kinetics[0])
    held = [replace(each, holds=True) for each in found.links[:2]]
    texts = [text.get_text() for text in plot_links([*held, *found.links[2:]]).axes[0].texts]
    assert {"Pain", "Walking", "−0.9"} <= set(texts)


def test_the_page_has_the_part_once_and_says_what_it_is_not(sample):
    whole = " ".join(block.html for block in session_blocks(sample))
    assert words.PREFACE in whole
    assert "cannot be told" in whole
    assert sum("picture" in block.template for block in session_blocks(sample)) == 2
    assert "acu-nof1 sessions" not in whole  # nothing was left out


def test_nothing_without_sessions_or_baseline_or_where_something_overrules():
    values = {"pain": np.clip(6 + noisy(1), 0, 10)}
    bare = acu.reassess(make_trial(values))
    no_baseline = acu.reassess(make_trial(values, baseline=0, raw={"session": log(range(3, 60, 7))}))
    flagged = acu.reassess(make_trial(values, raw={"session": log(TWICE, serious=True, adverse_event="fainted")}))
    for review in (bare, no_baseline, flagged):
        assert review.explored is None
        assert list(session_blocks(review)) == []
        assert review.to_dict()["explored"] is None


def test_json_holds_the_same_numbers_as_the_table(sample):
    rows = sample.to_dict()["explored"]["outcomes"]
    assert [row["outcome"] for row in rows] == ["pain", "walking", "sleep", "tablets", "flares", "bad_days"]
    assert rows[0]["half_life_low"] == sample.explored.kinetics[0].half_life.low
    assert rows[0]["half_life"] is rows[0]["half_life_high"] is rows[0]["build_up_low"] is None
    assert rows[1]["half_life_low"] is rows[1]["half_life_told"] is None
    assert rows[3]["around_reason"] == "yes/no days are not looked at for this"


def test_every_outcome_has_a_row_or_the_reason_why_it_is_not_asked():
    pain = np.clip(np.round(6 + noisy(1)), 0, 10)
    weekly = {
        "label": "Weekly",
        "kind": "rating",
        "range": [0, 10],
        "better": "lower",
        "unit": "points",
        "every": "week",
    }
    tablet = {"label": "Tablet", "kind": "yes_no", "better": "lower"}
    columns = {
        "pain": pain,
        "tablet": (pain > 6).astype(float),
        "weekly": np.where(np.arange(DAYS) % 7 == 0, pain, np.nan),
    }
    table = explored(*both(kept(columns, pain=PAIN, tablet=tablet, weekly=weekly))).to_frame().set_index("outcome")
    reasons = table[["around_reason", "kinetics_reason", "later_reason"]]
    assert set(reasons.loc["tablet"]) == {"yes/no days are not looked at for this"}
    assert set(reasons.loc["weekly"]) == {"it is not kept daily"}
    assert reasons.loc["pain"].tolist() == ["", "", "no answered day around 4, 8 or 12 weeks after the last session"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["sample_data/low_back_pain"],
            "it fades to half in 12 days or more; left of it 4 weeks after the last session: 19\N{NO-BREAK SPACE}% or more.",
        ),
        (["sample_data/clinic"], "Over 51 people one session more"),
        (["sample_data"], "Dose is not asked: these answers have no common average"),
        (["sample_data/low_back_pain", "--csv", "-"], "person,outcome,label,unit,sessions,day_after"),
        (["sample_data/low_back_pain", "--links", "-"], "person,first,then,lag,pairs"),
    ],
)
def test_the_command(arguments, said):
    run = CliRunner().invoke(app, ["sessions", *arguments])
    assert run.exit_code == 0, run.output
    assert said in run.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample_data/low_back_pain", "--csv", "-", "--links", "-"], "only one of the two can be printed"),
        (["sample_data/low_back_pain", "--outcome", "pain"], "dose of a cohort"),
        (["sample_data/low_back_pain", "--csv", "sample_data/low_back_pain/pain.csv"], "would be overwritten"),
        (["no_such_folder"], "no trial folder"),
        (["sample_data/own_diary/diary.csv"], "sessions needs a trial folder"),
    ],
)
def test_wrong_commands_say_what_to_do(arguments, said):
    run = CliRunner().invoke(app, ["sessions", *arguments])
    assert isinstance(run.exception, UsageError)
    assert said in str(run.exception)


def test_a_red_flag_is_said_before_any_number():
    run = CliRunner().invoke(app, ["sessions", "sample_data/sleep_and_stress"])
    assert run.stdout.startswith("A red flag or a serious event is recorded: it overrules whatever these numbers say.")


def test_warnings_of_the_log_are_printed_beside(tmp_path):
    folder = shutil.copytree("sample_data/low_back_pain", tmp_path / "trial")
    log_of = folder / "sessions.csv"
    log_of.write_text(log_of.read_text().replace("2026-01-26", "2026-02-02"))
    run = CliRunner().invoke(app, ["sessions", str(folder)])
    assert run.exit_code == 0
    assert "warning: sessions: listed more than once: 2026-02-02." in run.stderr
    assert "warning" not in run.stdout


def test_ranges_and_words_of_odd_numbers():
    assert Range(1.0, 0.2, 2.0).clear
    assert not Range(1.0, -0.2, 2.0).clear
    fits = np.full((2, 4), 0.125)
    at_once = Kinetics("P-1", acu.OUTCOMES["nrs_pain"], 5, "ok", "", state=Range(-2, -3, -1), time_to_half=Range(0, 0, 3),
                       half_life=Range(40, 2, 120), persistence=Range(0.6, 0.1, 0.9), weight=fits)  # fmt: skip
    assert "half of it was there on the day of the first (0 to 3 days later)" in next(words.course_sentences([at_once]))
    assert words.links_note(24, 30).endswith("The first 24 of 30 are shown; acu-nof1 sessions gives all.")


def test_around_names_only_the_days_that_were_compared():
    weekly, daily = range(14, DAYS, 7), range(14, DAYS)
    (found,) = around_sessions(*both(kept({"free": 6 + noisy(2)}, days=weekly)))
    assert np.isnan(found.value[[found.offsets.index(each) for each in (4, 5, 6)]]).all()
    (said,) = words.around_sentences([found])
    assert said == "From 3 days before a session to 3 days after it no day stands out in free."
    some = 6 + noisy(2)
    some[[each for each in daily if (each - 14) % 7 == 1]] = np.nan
    (gap,) = around_sessions(*both(kept({"free": some}, days=weekly)))
    assert words.around_row(gap)[3] == "too few days"
    (said,) = words.around_sentences([gap])
    days = "1, 2 and 3 days before, on the day and 2 and 3 days after"
    assert said == f"Around a session, where days had enough answers ({days}), no day stands out in free."
    values = 6 + noisy(2)
    values[[each for each in daily if (each - 14) % 7 in (0, 1, 2, 3, 4, 5)]] = np.nan
    (alone,) = around_sessions(*both(kept({"free": values}, days=weekly)))
    assert alone.reason == "fewer than 3 answered days from the day of a session to 6 days after it"
