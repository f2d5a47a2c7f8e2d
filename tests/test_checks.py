"""What is said of a trial before its answer is read, and what the verdict carries beside it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from conftest import START, make_trial

from acu_nof1.checks import check
from acu_nof1.errors import ProtocolError
from acu_nof1.reassessment import reassess

RNG = np.random.default_rng(1)
PAIN = np.clip(np.round(np.r_[RNG.normal(6, 1, 14), RNG.normal(4, 1, 84)]), 0, 10)


def said(trial, severity=None) -> str:
    table = check(trial)
    rows = table if severity is None else table[table["severity"] == severity]
    return "\n".join(" ".join(row) for row in rows.to_numpy())


def test_a_clean_trial_has_nothing_to_mend():
    assert check(make_trial({"pain": PAIN})).empty


def test_columns_and_order():
    table = check(make_trial({"pain": [3.0] * 98}, raw={"trial": {"person": "P"}}))
    assert list(table.columns) == ["severity", "where", "problem", "remedy"]
    assert list(table["severity"]) == ["warning", "note"]


@pytest.mark.parametrize(
    ("values", "baseline", "text"),
    [
        ([np.nan] * 98, 14, "no value was read for it"),
        ([np.nan] * 97 + [4], 14, "only one value was read"),
        ([4.0] * 98, 14, "every answer is 4"),
        (PAIN, 0, "there is no baseline, so there is no change to report"),
        (np.r_[PAIN[:4], [np.nan] * 10, PAIN[14:]], 14, "4 baseline days are answered; at least 5 are needed"),
        (np.r_[PAIN[:6], [np.nan] * 8, PAIN[14:]], 14, "only 6 baseline days are answered; 14 are usual"),
    ],
)
def test_too_little_is_said(values, baseline, text):
    assert text in said(make_trial({"pain": values}, baseline=baseline))


def test_sessions_outside_the_phases_twice_and_not_asked():
    sessions = [{"date": "2026-01-07"}, {"date": "2026-02-02"}, {"date": "2026-02-02", "adverse_asked": True}]
    text = said(make_trial({"pain": PAIN}, raw={"session": sessions}))
    assert "attended outside every treatment phase: 2026-01-07" in text
    assert "listed more than once: 2026-02-02" in text
    assert "asked about at 1 of 3 sessions" in text


def test_an_unknown_red_flag_still_counts():
    trial = make_trial({"pain": PAIN}, raw={"safety": {"red_flags": ["feverish"]}})
    assert '"feverish" is not in the list; it is treated as a red flag' in said(trial)
    assert reassess(trial).verdict.overruled_by == "red_flag"


def test_a_diary_of_another_year_is_an_error():
    phases = [
        {"kind": "baseline", "start": "2025-01-05", "end": "2025-01-18"},
        {"kind": "treatment", "start": "2025-01-19", "end": "2025-04-12"},
    ]
    trial = make_trial({"pain": PAIN}, raw={"phase": phases})
    assert "no diary day lies in any phase" in said(trial, "error")
    with pytest.raises(ProtocolError, match="no diary day lies in any phase"):
        reassess(trial)


def test_agreed_too_late():
    trial = make_trial({"pain": PAIN}, raw={"trial": {"agreed_on": "2026-02-01"}})
    assert "agreed_on 2026-02-01 is after treatment began" in said(trial)
    assert "not agreed beforehand" in " ".join(reassess(trial).limits) or "not agreed before treatment" in " ".join(
        reassess(trial).limits
    )


def test_recall_must_not_reach_across_the_phase_change():
    values = np.full(98, np.nan)
    values[[3, 17, 90]] = 6, 5, 4
    text = said(make_trial({"peg": values}, peg={"instrument": "peg", "sem": 0.5}))
    assert "its recall of 7 days reaches back before the treatment began" in text
    assert "2026-01-22" in text


def kinds(trial) -> dict:
    return {caveat.kind: caveat.facts for caveat in reassess(trial).verdict.caveats}


def test_co_interventions_are_attribution_only_for_a_gain():
    event = {"event": [{"date": START + dt.timedelta(days=20), "what": "walking plan"}]}
    better, worse = make_trial({"pain": PAIN}, raw=event), make_trial({"pain": 10 - PAIN}, raw=event)
    assert kinds(better)["co_intervention"]["week"] == 1
    assert "co_intervention" not in kinds(worse)
    assert [c.kind for c in reassess(better).verdict.attribution] == ["co_intervention"]


def test_a_baseline_that_began_in_a_flare():
    flare = PAIN.copy()
    flare[:14] = [9, 9, 8, 9, 8, 9, 9, 6, 5, 6, 6, 5, 6, 6]
    facts = kinds(make_trial({"pain": flare}))["baseline_flare"]
    assert facts["early"] > facts["later"]
    assert "baseline_flare" not in kinds(make_trial({"pain": PAIN}))


def test_a_baseline_that_was_falling_already():
    days = np.arange(98)
    falling = np.where(days < 28, 8 - 0.08 * days, 5 - 0.005 * (days - 28))
    noise = 0.8 * np.random.default_rng(0).normal(size=98)
    facts = kinds(make_trial({"pain": np.clip(np.round(falling + noise), 0, 10)}, baseline=28))["baseline_trend"]
    assert -0.9 < facts["slope"] < -0.3
    flat = np.where(days < 28, 6, 4) + noise
    assert "baseline_trend" not in kinds(make_trial({"pain": np.clip(np.round(flat), 0, 10)}, baseline=28))


def test_an_important_change_out_of_reach_comes_first():
    trial = make_trial({"pain": np.clip(PAIN - 5, 0, 10)})
    assert reassess(trial).verdict.caveats[0].kind == "unattainable"


def test_slow_drifts_are_named():
    walk = np.cumsum(np.random.default_rng(9).normal(0, 0.35, 98))
    assert "slow_drift" in kinds(make_trial({"pain": np.clip(5 + walk, 0, 10)}))


def test_a_slow_drift_is_named_from_a_fifth_on_whichever_of_the_two_fits_sees_it():
    """The larger of the chances of the primary answer and of the trend decides, and 0.20 is the threshold."""
    seen = set()
    for seed in (0, 2, 7, 9, 13, 14, 20):  # among them chances of 0.194, 0.202 and 0.214
        shocks = np.random.default_rng(seed).normal(size=(2, 98))
        trial = make_trial({"pain": np.clip(5 + np.cumsum(0.15 * shocks[0]) + 0.9 * shocks[1], 0, 10)})
        table = reassess(trial).estimates.to_frame().set_index("question")["p_phi_high"]
        window, trend = table["change_at_reassessment"], table["trend"]
        said = kinds(trial).get("slow_drift")
        assert (said is not None) == (max(window, trend) >= 0.20)
        if said:
            assert said["p"] == max(window, trend)
        seen.add((window >= 0.20, trend >= 0.20))
    assert {(True, True), (False, True), (False, False)} <= seen


def test_agreed_on_alone_decides_what_is_called_agreed():
    from acu_nof1 import words

    published = make_trial({"pain": PAIN}, pain={"instrument": "nrs_pain"})
    review = reassess(published)
    assert words.threshold(review.verdict.estimate, review.telling).startswith("Agreed before treatment")
    late = make_trial({"pain": PAIN}, pain={"instrument": "nrs_pain"}, raw={"trial": {"agreed_on": "2026-02-01"}})
    review = reassess(late)
    said = words.threshold(review.verdict.estimate, review.telling)
    assert said.startswith("Published threshold, not agreed beforehand")
    assert "Ostelo 2008" in said


@pytest.mark.parametrize(
    ("raw", "outcome", "said"),
    [
        ({}, {"kind": "rating", "range": [0, 10], "better": "lower", "important_change_percent": 30}, "in percent only"),
        ({}, {"kind": "yes_no", "every": "week", "better": "lower"}, "has no share of days"),
        (
            {"phase": [
                {"kind": "baseline", "start": "2026-01-05", "end": "2026-01-18"},
                {"kind": "treatment", "start": "2026-01-19", "end": "2026-04-12", "randomised_from": "2026-02-01", "randomised_to": "2026-02-09"},
            ]},
            {"instrument": "nrs_pain"},
            "cannot have been drawn between",
        ),
    ],
)  # fmt: skip
def test_declarations_that_could_not_be_kept_are_errors(raw, outcome, said):
    with pytest.raises(ProtocolError, match=said):
        make_trial({"pain": PAIN}, raw=raw, pain=outcome)


def test_an_event_counts_from_two_weeks_before_the_first_treatment_day():
    first = START + dt.timedelta(days=28)
    course = np.r_[np.full(14, 7.0), PAIN]
    named = []
    for days in (1, 13, 14, 15, 27):
        event = {"event": [{"date": first - dt.timedelta(days=days), "what": "new tablets"}]}
        named.append(
            "co_intervention"
            in kinds(make_trial({"pain": course + 0.1 * (np.arange(112) % 3)}, baseline=28, raw=event))
        )
    assert named == [True, True, True, False, False]


def test_an_event_after_the_compared_days_explains_nothing():
    after = {"event": [{"date": START + dt.timedelta(days=98), "what": "holiday"}]}
    assert "co_intervention" not in kinds(make_trial({"pain": PAIN}, raw=after))


def test_a_level_well_outside_the_scale_is_refused():
    values = np.array([6, 7, 8] * 4 + [6, 7] + [max(0, 6 - day // 3) for day in range(70)], float)
    review = reassess(make_trial({"pain": values}))
    for each in review.estimates:
        if each.question not in ("trend", "slope_change"):
            assert not each.ok or 0 <= each.before <= 10
            assert not each.ok or 0 <= each.after <= 10


def test_run_in_that_leaves_nothing_is_an_error():
    assert "leaves no treatment day" in said(make_trial({"pain": PAIN}, raw={"trial": {"run_in_days": 100}}), "error")
