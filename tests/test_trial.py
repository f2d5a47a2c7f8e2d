"""Which days are compared with which: windows, looks, run-in, visits; what a trial was when it was looked at."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from conftest import START, make_trial

import acu_nof1 as acu
from acu_nof1.errors import ProtocolError, UsageError
from acu_nof1.protocol import Look
from acu_nof1.reassessment import choose_look, reassess
from acu_nof1.trial import UNUSED, stack

DAYS = 98
PAIN = {"pain": np.tile([5.0, 6.0, 4.0], 33)[:DAYS]}
SESSIONS = [{"date": START + dt.timedelta(days=14 + 7 * week), "attended": week != 2} for week in range(12)]


def window_dates(trial, look=None):
    found = trial.comparisons(look)
    days = np.flatnonzero(found.window[0])
    return [str(found.start[0] + day) for day in (days[0], days[-1])], days.size


def test_the_window_ends_the_day_before_the_look():
    trial = make_trial(PAIN, raw={"reassess": [{"on": START + dt.timedelta(days=60)}]})
    assert window_dates(trial) == (["2026-02-20", "2026-03-05"], 14)


def test_without_a_planned_look_it_is_the_day_after_the_last_treatment_day():
    trial = make_trial(PAIN)
    assert trial.look_day(trial.default_look()) == START + dt.timedelta(days=DAYS)
    assert window_dates(trial) == (["2026-03-30", "2026-04-12"], 14)


def test_the_window_stays_in_treatment_when_that_ended_earlier():
    trial = make_trial(PAIN, raw={"reassess": [{"on": START + dt.timedelta(days=DAYS + 30)}]})
    assert window_dates(trial) == (["2026-03-30", "2026-04-12"], 14)


def test_after_session_cuts_diary_and_protocol_at_that_session():
    trial = make_trial(PAIN, raw={"session": SESSIONS})
    look = Look(after_session=6)
    # The third session was missed: the sixth attended one is in the seventh week.
    assert trial.look_day(look) == SESSIONS[6]["date"]
    stood = trial.at(look)
    assert len(stood.protocol.attended) == 6
    assert stood.protocol.phases[-1].end == SESSIONS[6]["date"] - dt.timedelta(days=1)
    dates, size = window_dates(trial, look)
    assert size == 14
    assert dates[-1] == str(SESSIONS[6]["date"] - dt.timedelta(days=1))
    with pytest.raises(ProtocolError, match="only 11 attended sessions are listed"):
        trial.look_day(Look(after_session=12))


def test_a_look_does_not_see_later_days():
    changed = np.array(PAIN["pain"])
    changed[70:] = 0
    look = dt.date.fromordinal(START.toordinal() + 60)
    first, second = (reassess(make_trial({"pain": values}), on=look) for values in (PAIN["pain"], changed))
    assert first.to_frame().equals(second.to_frame())
    assert first.sentence == second.sentence


def test_run_in_days_enter_no_contrast():
    trial = make_trial(PAIN, raw={"trial": {"run_in_days": 10}})
    used = trial.comparisons().phase[0] != UNUSED
    assert not used[14:24].any()
    assert used[24:98].all()


def test_days_outside_every_phase_are_not_used():
    trial = make_trial({"pain": np.tile([5.0, 6.0], 60)}, raw={"phase": [
        {"kind": "baseline", "start": START, "end": START + dt.timedelta(days=13)},
        {"kind": "treatment", "start": START + dt.timedelta(days=14), "end": START + dt.timedelta(days=83)},
        {"kind": "washout", "start": START + dt.timedelta(days=84), "end": START + dt.timedelta(days=119)},
    ]})  # fmt: skip
    found = trial.comparisons()
    assert (found.phase[0, 84:] == UNUSED).all()
    assert trial.protocol.design == "AB"


def test_visits_may_lie_a_week_around_the_look():
    values = np.full(DAYS + 4, np.nan)
    values[[10, 50, DAYS + 3]] = 40, 35, 30
    trial = make_trial(
        {"odi": values},
        odi={"instrument": "odi", "sem": 2.0},
        raw={"reassess": [{"on": START + dt.timedelta(days=DAYS)}]},
    )
    found = reassess(trial).estimates.primary
    assert (found.before, found.after) == (40, 30)


def test_a_visit_counts_up_to_seven_days_before_and_after_the_look():
    counted = []
    for distance in (-8, -7, 0, 7, 8):
        values = np.full(DAYS + 12, np.nan)
        values[[10, DAYS + distance]] = 40, 30
        plan = {"phase": [
            {"kind": "baseline", "start": START, "end": START + dt.timedelta(days=13)},
            {"kind": "treatment", "start": START + dt.timedelta(days=14), "end": START + dt.timedelta(days=DAYS - 1)},
        ], "reassess": [{"on": START + dt.timedelta(days=DAYS)}]}  # fmt: skip
        found = reassess(make_trial({"odi": values}, odi={"instrument": "odi", "sem": 2.0}, raw=plan)).estimates.primary
        counted.append(bool(found is not None and found.ok))
    assert counted == [False, True, True, True, False]


def test_choosing_a_look_keeps_a_planned_window():
    trial = make_trial(
        PAIN, raw={"session": SESSIONS, "reassess": [{"after_session": 6, "window_days": 7}, {"on": "2026-04-13"}]}
    )
    assert choose_look(trial).on == dt.date(2026, 4, 13)
    assert choose_look(trial, after_session=6).window_days == 7
    assert choose_look(trial, after_session=5).window_days is None


def test_stacked_series_keep_their_own_values():
    short, long = make_trial({"pain": PAIN["pain"][:40]}).comparisons(), make_trial(PAIN).comparisons()
    both = stack([short, long])
    assert len(both) == 2
    assert np.array_equal(both.values[1, :DAYS], PAIN["pain"])
    assert np.isnan(both.values[0, 40:]).all()
    assert (both.phase[0, 48:] == UNUSED).all()


def test_splitting_a_diary_into_two_files_changes_nothing(tmp_path):
    (tmp_path / "protocol.toml").write_text(
        '[[phase]]\nkind = "baseline"\nstart = 2026-01-05\nend = 2026-01-18\n'
        '[[phase]]\nkind = "treatment"\nstart = 2026-01-19\nend = 2026-04-12\n'
        '[[diary]]\nfile = "a.csv"\n[[diary]]\nfile = "b.csv"\n[outcome.pain]\ninstrument = "nrs_pain"\n',
        encoding="utf-8",
    )
    lines = [f"{START + dt.timedelta(days=i)},{int(v)}\n" for i, v in enumerate(PAIN["pain"])]

    def answered(cut):
        (tmp_path / "a.csv").write_text("date,pain\n" + "".join(lines[:cut]), encoding="utf-8")
        (tmp_path / "b.csv").write_text("date,pain\n" + "".join(reversed(lines[cut:])), encoding="utf-8")
        return acu.reassess(acu.read_trial(tmp_path)).to_frame()

    assert answered(10).equals(answered(60))


def test_a_red_flag_or_serious_event_counts_whenever_it_was_recorded():
    late = {"date": START + dt.timedelta(days=DAYS + 2), "adverse_event": "collapse", "serious": True}
    mild = {"date": START + dt.timedelta(days=DAYS + 3), "adverse_event": "bruise"}
    review = reassess(make_trial(PAIN, raw={"session": [*SESSIONS, late, mild]}), on=START + dt.timedelta(days=60))
    assert review.verdict.overruled_by == "serious_event"
    assert [event.what for event in review.safety.adverse_events] == ["collapse"]
    assert len(review.trial.protocol.attended) == 6


def test_sessions_count_in_order_of_time_however_they_are_listed():
    trial = make_trial(PAIN, raw={"session": SESSIONS[::-1]})
    assert trial.look_day(Look(after_session=1)) == SESSIONS[0]["date"]


def test_windows_are_named_by_the_days_they_have():
    trial = make_trial(PAIN, raw={"session": SESSIONS})
    assert "in the 7 days before session 2" in reassess(trial, after_session=2).sentence
    short = make_trial(PAIN, raw={"reassess": [{"on": START + dt.timedelta(days=DAYS), "window_days": 400}]})
    assert "in the last 84 days" in reassess(short).sentence
    run_in = make_trial(PAIN, raw={"trial": {"run_in_days": 77, "agreed_on": START}})
    review = reassess(run_in)
    assert "in the last 7 days" in review.sentence
    window = review.describe().query("days == 'window'").iloc[0]
    assert (window["answered"], window["of"]) == (7, 7)


def test_an_interim_look_is_called_one():
    planned = {"reassess": [{"on": START + dt.timedelta(days=50)}, {"on": START + dt.timedelta(days=DAYS)}]}
    trial = make_trial(PAIN, raw=planned)
    interim = [c.kind for c in reassess(trial, on=START + dt.timedelta(days=50)).verdict.caveats]
    last = [c.kind for c in reassess(trial).verdict.caveats]
    assert ("interim" in interim, "multiple_looks" in interim) == (True, False)
    assert ("interim" in last, "multiple_looks" in last) == (False, True)


def test_a_look_before_treatment_is_wrong_use():
    with pytest.raises(UsageError, match="treatment began on 2026-01-19"):
        reassess(make_trial(PAIN), on=START + dt.timedelta(days=10))


def test_weekly_scores_compare_the_baseline_with_the_window():
    values = np.full(DAYS, np.nan)
    values[[6, 13]] = 6, 7
    values[[20, 60, 90, 97]] = 6, 5, 4, 3
    trial = make_trial({"peg": values}, peg={"instrument": "peg", "sem": 0.6})
    review = reassess(trial)
    found = review.estimates.primary
    assert (found.before, found.after, found.days) == (6.5, 3.5, (2, 2))
    assert (found.high - found.low) / 2 == pytest.approx(1.959964 * 0.6, abs=1e-4)
    assert "missing_days" not in [c.kind for c in review.verdict.caveats]


def test_a_form_of_the_first_treatment_day_is_a_form_before_treatment():
    values = np.full(DAYS + 4, np.nan)
    values[[14, DAYS - 3, DAYS + 3]] = 40, 28, 30
    raw = {"reassess": [{"on": START + dt.timedelta(days=DAYS)}]}
    found = reassess(make_trial({"odi": values}, odi={"instrument": "odi", "sem": 2.0}, raw=raw)).estimates.primary
    # Of two forms near the look the nearer one counts; of equally near ones the earlier.
    assert (found.before, found.after) == (40, 28)


def phases_of(letters: str, days: int = 28) -> list[dict]:
    kinds = {"A": "baseline", "B": "treatment"}
    starts = [START + dt.timedelta(days=days * i) for i in range(len(letters))]
    return [
        {"kind": kinds[x], "start": s, "end": s + dt.timedelta(days=days - 1)}
        for x, s in zip(letters, starts, strict=True)
    ]


def test_abab_covers_a_change_that_builds_up_and_fades():
    """Without slopes within phases the interval misses three times in four (N = 100, phi 0, time constant 5 days)."""
    from acu_nof1.estimate.level import MEAN_CHANGE
    from acu_nof1.simulate import noise

    state, course = 0.0, []
    for day in range(112):
        state += ((-2.5 if (day // 28) % 2 else 0.0) - state) / 5
        course.append(state)
    change = np.array(course).reshape(4, 28).mean(axis=1)
    truth = (change[1] + change[3] - change[0] - change[2]) / 2
    shocks = noise(100, 112, phi=0.0, sd=1.2, seed=4)
    raw = {"phase": phases_of("ABAB")}
    many = stack(
        [
            make_trial({"pain": np.clip(np.round(6 + np.array(course) + each), 0, 10)}, raw=raw).comparisons()
            for each in shocks
        ]
    )
    found = MEAN_CHANGE(many).to_frame()
    assert ((found["low"] <= truth) & (truth <= found["high"])).mean() >= 0.9
    assert found["value"].mean() == pytest.approx(truth, abs=0.15)
