"""Outcomes computed from a daily rating: days beyond a level, flare days, and the spells they form."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from conftest import START, make_trial
from hypothesis import given, settings
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1 import palette
from acu_nof1.derive import episodes, with_derived
from acu_nof1.errors import ProtocolError
from acu_nof1.load.protocols import protocol_from
from acu_nof1.outcomes import Derived
from acu_nof1.plot import style
from acu_nof1.report import appendix
from acu_nof1.report.block import Table
from acu_nof1.simulate import noise
from acu_nof1.spells import flare_spells
from acu_nof1.trial import stack
from acu_nof1.words import flares as words

PAIN = {"instrument": "nrs_pain", "important_change": 2}
FLARE = {"derived": "flare_days", "of": "pain", "important_change": 3}


def text(days: str) -> np.ndarray:
    """``H`` a bad day, ``L`` a better one, ``.`` a missing one."""
    return np.array([{"H": 1.0, "L": 0.0, ".": np.nan}[letter] for letter in days])


def inside(days: str, least: int = 2) -> str:
    """The days of episodes as ``#``."""
    values = text(days)[None]
    found = episodes(values == 1, np.isfinite(values), least)
    marks = np.full(len(days), "-")
    marks[found.day[found.inside]] = "#"
    return "".join(marks)


@pytest.mark.parametrize(
    ("days", "flares"),
    [
        ("LLHHLL", "--##--"),
        ("LLHLLL", "------"),  # one bad day is no flare
        ("LLH.HLL", "--#-#--"),  # one missing day is stepped over, and stays missing
        ("LLH..HLL", "--------"),
        ("LLHHLHLL", "--####--"),  # one better day does not end it
        ("LLHHLHLHLL", "--######--"),
        ("LLHHLLHLL", "--##-----"),
        ("LLHHLLHHLL", "--##--##--"),
        ("HLHHLL", "--##--"),  # begins with two bad days in a row
        ("LLHHL.LHLL", "--##------"),  # two better diary days, with a missing one between
        ("LLHHL.HLL", "--###-#--"),
        ("LLHH.HLL", "--##-#--"),
        ("LLHH..HHLL", "--##--##--"),
        ("HH", "##"),
        ("H", "-"),
        ("", ""),
    ],
)
def test_flares_by_the_rule(days, flares):
    """At least 2 diary days in a row, one missing day tolerated, ended by 2 days below (Parry 2017; Costa 2019)."""
    assert inside(days) == flares


def test_a_marked_day_is_a_flare_by_itself():
    assert inside("LLHLL", least=1) == "--#--"
    assert inside("HLHLLH", least=1) == "###--#"


def by_hand(days: str) -> str:
    """The rule read aloud, one day after the other."""
    answered = [(day, letter) for day, letter in enumerate(days) if letter != "."]
    marks = ["-"] * len(days)
    position = 0
    while position + 1 < len(answered):
        (day, letter), (after, second) = answered[position], answered[position + 1]
        if not (letter == second == "H" and after - day <= 2):
            position += 1
            continue
        last, better, end = position, 0, position + 1
        while end < len(answered) and answered[end][0] - answered[end - 1][0] <= 2 and better < 2:
            better = better + 1 if answered[end][1] == "L" else 0
            last = end if answered[end][1] == "H" else last
            end += 1
        for each in range(position, last + 1):
            marks[answered[each][0]] = "#"
        position = last + 1
    return "".join(marks)


@settings(deadline=None, max_examples=300)
@given(st.text("HHL.", max_size=40))
def test_episodes_are_those_of_the_rule_read_aloud(days):
    assert inside(days) == by_hand(days)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("HL.", min_size=12, max_size=12), min_size=1, max_size=5))
def test_many_series_at_once_are_the_same_as_each_alone(series):
    values = np.array([text(days) for days in series])
    found = episodes(values == 1, np.isfinite(values))
    marks = np.full(values.shape, "-")
    marks[found.row[found.inside], found.day[found.inside]] = "#"
    assert ["".join(row) for row in marks] == [inside(days) for days in series]


# ------------------------------------------------------------------ in a trial


def pain_days() -> np.ndarray:
    """Baseline median 5; bad days from 7 on."""
    values = np.full(60, 5.0)
    values[[2, 3]] = 7
    values[12:18] = 8  # over the first treatment day (14)
    values[30:33] = 9
    values[33:35] = np.nan
    values[50] = 9  # alone
    values[58:60] = 8  # until the look
    return values


def flare_trial(**more: object) -> acu.Trial:
    return make_trial({"pain": pain_days()}, pain=PAIN, flares=FLARE | more)


def row(trial: acu.Trial, name: str = "flares") -> np.ndarray:
    comparisons = trial.comparisons()
    place = [outcome.name for outcome in comparisons.outcomes].index(name)
    return comparisons.values[place]


def test_flare_days_are_yes_no_days_and_a_missing_answer_stays_missing():
    values = row(flare_trial())
    yes = [2, 3, *range(12, 18), 30, 31, 32, 58, 59]
    assert np.flatnonzero(values == 1).tolist() == yes
    assert np.isnan(values[[33, 34]]).all()
    assert np.isfinite(np.delete(values[:60], [33, 34])).all()
    flares = flare_trial().protocol.outcome("flares")
    assert (flares.kind, flares.better, flares.unit, flares.domain, flares.declared) == (
        "yes_no",
        "lower",
        "days",
        "flare",
        True,
    )


def test_the_level_of_a_flare_comes_from_the_baseline_alone():
    """Treatment days of 10 do not move it, and neither does a look at a later day."""
    first = flare_trial()
    other = pain_days()
    other[40:45] = 10
    second = make_trial({"pain": other}, pain=PAIN, flares=FLARE)
    np.testing.assert_array_equal(row(first)[:40], row(second)[:40])
    early = acu.Look(on=START + dt.timedelta(days=40))
    place = 1
    seen = first.at(early).comparisons(early).values[place]
    np.testing.assert_array_equal(seen[:40], row(first)[:40])
    assert np.isnan(seen[40:]).all()


def test_at_least_5_of_10_whatever_the_baseline():
    low = np.full(60, 1.0)
    low[40:43], low[50:53] = 4, 5
    trial = make_trial({"pain": low}, pain=PAIN, flares=FLARE)
    assert np.flatnonzero(row(trial) == 1).tolist() == [50, 51, 52]


def test_on_other_scales_rise_and_floor_are_the_same_share():
    vas = make_trial({"pain": 10 * pain_days()}, pain={"instrument": "vas_pain"}, flares=FLARE)
    np.testing.assert_array_equal(row(vas), row(flare_trial()))
    declared = flare_trial(rise=3, floor=8)
    assert np.flatnonzero(row(declared) == 1).tolist() == [*range(12, 18), 30, 31, 32, 58, 59]


def test_where_higher_is_better_a_flare_is_a_fall():
    entry = {"kind": "rating", "range": [0, 10], "better": "higher"}
    mirrored = make_trial({"pain": 10 - pain_days()}, pain=entry, flares=FLARE)
    np.testing.assert_array_equal(row(mirrored), row(flare_trial()))
    assert mirrored.protocol.outcome("flares").better == "lower"


@pytest.mark.parametrize(
    ("how", "source", "better", "yes"),
    [
        ("days_at_or_above", "lower", "lower", [8, 9]),
        ("days_at_or_below", "lower", "higher", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("days_at_or_above", "higher", "higher", [8, 9]),
        ("days_at_or_below", "higher", "lower", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_days_beyond_a_level_in_both_directions(how, source, better, yes):
    entry = {"kind": "rating", "range": [0, 10], "better": source}
    trial = make_trial(
        {"x": np.r_[np.arange(10.0), np.nan, np.zeros(20)]},
        baseline=12,
        x=entry,
        days={"derived": how, "of": "x", "level": 8},
    )
    values = row(trial, "days")
    assert np.flatnonzero(values[:10] == 1).tolist() == yes
    assert np.isnan(values[10])
    assert trial.protocol.outcome("days").better == better


def test_computed_days_go_through_the_same_estimators_as_days_that_were_asked():
    rng = np.random.default_rng(2)
    pain = np.clip(np.round(np.where(np.arange(84) < 28, 6.5, 4.5) + 1.5 * rng.normal(size=84)), 0, 10)
    pain[rng.random(84) < 0.1] = np.nan
    computed = make_trial(
        {"pain": pain}, baseline=28, pain=PAIN,
        bad={"derived": "days_at_or_above", "of": "pain", "level": 7, "important_change": 4},
    )  # fmt: skip
    asked = make_trial(
        {"pain": pain, "bad": np.where(np.isnan(pain), np.nan, pain >= 7)}, baseline=28, pain=PAIN,
        bad={"kind": "yes_no", "better": "lower", "important_change": 4},
    )  # fmt: skip
    first, second = (acu.estimate_all(each.comparisons()).to_frame() for each in (computed, asked))
    assert first.equals(second)
    assert set(first.loc[first["outcome"] == "bad", "question"]) == {"days_per_28", "days_ratio"}


def test_a_computed_outcome_may_be_primary_and_in_the_success_rule():
    rng = np.random.default_rng(5)
    pain = np.clip(np.round(np.where(np.arange(98) < 14, 8, 3) + rng.normal(size=98)), 0, 10)
    bad = {"derived": "days_at_or_above", "of": "pain", "level": 6, "important_change": 6, "primary": True}
    trial = make_trial({"pain": pain}, pain=PAIN | {"primary": False}, bad=bad, raw={"success": {"all": ["bad"]}})
    review = acu.reassess(trial)
    assert review.verdict.estimate.outcome.name == "bad"
    assert review.verdict.kind == "improved"
    assert review.success.kind == "met"
    assert not [each for each in review.problems if "bad" in each.where]


def test_without_a_baseline_no_flare_can_be_told():
    trial = make_trial({"pain": pain_days()}, baseline=0, pain=PAIN, flares=FLARE)
    assert np.isnan(row(trial)).all()
    assert set(flare_spells(trial.comparisons()).to_frame()["status"]) == {"too_few_days"}


# ------------------------------------------------------------------ spells


def test_spells_by_hand():
    """Baseline: days 2–3, and 12–13 cut by the treatment. Treatment: 14–17 cut, 30–32 cut by missing days, 58–59 by the end."""
    before, after = flare_spells(flare_trial().comparisons()).to_frame().to_dict("records")
    wanted = {"days": 14, "flares": 2, "flare_days": 4, "median_length": 2, "longest": 2, "censored": 1, "level": 7}
    assert {name: before[name] for name in wanted} == wanted
    assert before["flares_per_28"] == pytest.approx(28 * 2 / 14)
    wanted = {"days": 44, "flares": 3, "flare_days": 9, "median_length": 3, "longest": 4, "censored": 3, "level": 7}
    assert {name: after[name] for name in wanted} == wanted
    assert (before["treated"], after["treated"], before["status"], after["status"]) == (False, True, "ok", "ok")


def test_a_flare_seen_from_beginning_to_end_is_not_cut():
    values = np.full(60, 3.0)
    values[20:25] = 8
    _, after = (
        flare_spells(make_trial({"pain": values}, pain=PAIN, flares=FLARE).comparisons()).to_frame().to_dict("records")
    )
    assert (after["flares"], after["censored"], after["median_length"]) == (1, 0, 5)
    values[26:28] = np.nan  # the second better day was not seen
    _, after = (
        flare_spells(make_trial({"pain": values}, pain=PAIN, flares=FLARE).comparisons()).to_frame().to_dict("records")
    )
    assert (after["flares"], after["censored"], after["median_length"]) == (1, 1, 5)


def test_a_flare_whose_beginning_was_not_seen_is_cut():
    values = np.full(60, 3.0)
    values[20:25] = 8
    values[18:20] = np.nan  # it may have begun on these days
    _, after = (
        flare_spells(make_trial({"pain": values}, pain=PAIN, flares=FLARE).comparisons()).to_frame().to_dict("records")
    )
    assert (after["flares"], after["censored"], after["median_length"]) == (1, 1, 5)


def test_no_flare_and_too_few_days_are_said():
    calm = flare_spells(make_trial({"pain": np.full(60, 3.0)}, pain=PAIN, flares=FLARE).comparisons()).to_frame()
    assert calm["status"].tolist() == ["no_flare", "no_flare"]
    assert calm["flares"].tolist() == [0, 0]
    assert calm["median_length"].isna().all()
    short = pain_days()
    short[:8] = np.nan
    few = flare_spells(make_trial({"pain": short}, pain=PAIN, flares=FLARE).comparisons()).to_frame()
    assert few["status"].tolist() == ["too_few_days", "too_few_days"]
    assert few[["flares", "flares_per_28", "flare_days", "median_length", "censored"]].isna().all(axis=None)


def test_days_that_the_person_marked_form_spells_too():
    marked = np.zeros(60)
    marked[[20, 22, 40]] = 1
    trial = make_trial({"pain": pain_days(), "flares": marked}, pain=PAIN, flares={"instrument": "flare_day"})
    _, after = flare_spells(trial.comparisons()).to_frame().to_dict("records")
    assert (after["flares"], after["flare_days"], after["longest"], after["censored"]) == (2, 3, 3, 0)
    assert np.isnan(after["level"])


def test_spells_of_one_person_do_not_depend_on_the_others():
    trials = [flare_trial(), make_trial({"pain": np.full(60, 3.0)}, pain=PAIN, flares=FLARE), flare_trial(rise=3)]
    together = flare_spells(stack([each.comparisons() for each in trials])).to_frame()
    alone = [flare_spells(each.comparisons()).to_frame() for each in trials]
    assert together.iloc[:2].reset_index(drop=True).equals(alone[0])


def test_a_trial_without_flares_has_no_spells():
    assert len(flare_spells(make_trial({"pain": pain_days()}, pain=PAIN).comparisons())) == 0


def test_a_level_set_by_the_baseline_leans_and_a_fixed_one_does_not():
    """Without any change (AR .4, whole points), share of flare days before and after in 2,000 diaries of 14 + 70 days."""
    unit = noise(2000, 84, phi=0.4, seed=8)
    pain = np.clip(np.round(5.5 + 1.3 * unit), 0, 10)
    rating = acu.OUTCOMES["nrs_pain"]
    baseline = np.arange(84) < 14

    def shares(**level: float) -> tuple[float, float]:
        flares = acu.Outcome("flares", "Flares", "yes_no", derived=Derived("flare_days", rating.name, **level))
        days = with_derived((rating, flares), np.stack([pain, pain], axis=1), np.broadcast_to(baseline, pain.shape))[
            :, 1
        ]
        return float(days[:, baseline].mean()), float(days[:, ~baseline].mean())

    before, after = shares()
    assert after > 1.5 * before
    before, after = shares(rise=0.001, floor=8)
    assert before == pytest.approx(after, abs=0.004)  # 28,000 baseline days, some of them alike
    assert [each for each in acu.reassess(flare_trial()).problems if "sets the level of its flares" in each.problem]


# ------------------------------------------------------------------ what cannot be computed


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"derived": "flare_days"}, '[outcome.x]: key "of" is missing'),
        ({"derived": "flare_days", "of": "pian"}, 'of = "pian" is not an outcome of this protocol. Did you mean "pain"?'),
        ({"derived": "flare_days", "of": "x"}, 'of = "x" is itself computed'),
        ({"derived": "flare_days", "of": "headache"}, 'of = "headache" is answered by yes or no'),
        ({"derived": "flare_days", "of": "peg"}, 'of = "peg" is kept every week'),
        ({"derived": "flare_days", "of": "inbed"}, "for inbed neither more nor less is better"),
        ({"derived": "flare_days", "of": "pain", "level": 7}, 'key "level" belongs to days_at_or_above'),
        ({"derived": "flare_days", "of": "steps"}, 'key "rise" is missing: the scale of steps has no end'),
        ({"derived": "flare_days", "of": "steps"}, 'key "floor" is missing: the scale of steps has no end'),
        ({"derived": "flare_days", "of": "pain", "rise": 11}, "rise = 11 is more than the whole scale of pain (0 to 10)"),
        ({"derived": "flare_days", "of": "pain", "rise": 0}, 'key "rise"'),
        ({"derived": "flare_days", "of": "pain", "floor": 12}, "floor = 12 is outside the scale of pain (0 to 10)"),
        ({"derived": "days_at_or_above", "of": "pain"}, 'key "level" is missing: days_at_or_above needs one'),
        ({"derived": "days_at_or_above", "of": "pain", "level": 70}, "level = 70 is outside the scale of pain (0 to 10)"),
        ({"derived": "days_at_or_above", "of": "pain", "level": 7, "rise": 2}, 'key "rise" belongs to flare_days'),
        ({"derived": "days_at_or_above", "of": "pain", "level": 7, "better": "higher"}, 'Write better = "lower", or leave it out'),
        ({"derived": "days_at_or_above", "of": "pain", "level": 7, "kind": "count"}, 'key "kind" cannot stand beside derived'),
        ({"derived": "days_at_or_above", "of": "pain", "level": 7, "important_change": 40}, "larger than the whole scale (28 days per 28)"),
        ({"derived": "days_above", "of": "pain", "level": 7}, 'Did you mean "days_at_or_above"?'),
        ({"derived": "days_at_or_above", "of": "pain", "level": float("nan")}, 'key "level": a finite number is expected'),
        ({"derived": "flare_days", "of": "pain", "effect_prior": {"mean": 1.0, "sd": 1.0}}, 'key "effect_prior" cannot stand beside derived'),
        ({"kind": "yes_no", "better": "lower", "level": 7}, 'key "level" belongs to an outcome that is computed'),
    ],
)  # fmt: skip
def test_every_contradiction_is_named_with_its_table_and_key(entry, said):
    raw = {
        "phase": [
            {"kind": "baseline", "start": START, "end": START + dt.timedelta(days=13)},
            {"kind": "treatment", "start": START + dt.timedelta(days=14), "end": START + dt.timedelta(days=60)},
        ],
        "outcome": {
            "x": entry,
            "pain": PAIN | {"primary": True},
            "headache": {"instrument": "headache_day"},
            "peg": {"instrument": "peg"},
            "inbed": {"instrument": "csd_tib"},
            "steps": {"kind": "count", "better": "higher"},
        },
    }
    with pytest.raises(ProtocolError) as caught:
        protocol_from(raw)
    assert said in str(caught.value)
    assert all("[outcome.x]" in problem.where for problem in caught.value.problems)
    assert all(problem.remedy for problem in caught.value.problems)


def test_a_column_cannot_be_mapped_to_what_is_computed():
    raw = {"diary": [{"file": "a.csv", "columns": {"date": "Day", "flares": "Flare"}}]}
    with pytest.raises(ProtocolError, match='columns names "flares", which is computed from "pain"'):
        make_trial({"pain": pain_days()}, pain=PAIN, flares=FLARE, raw=raw)


def test_something_must_be_asked():
    with pytest.raises(ProtocolError, match="every outcome is computed from another"):
        make_trial({"pain": pain_days()}, flares=FLARE)


def test_the_diary_is_read_without_a_column_for_what_is_computed(tmp_path):
    days = [START + dt.timedelta(days=day) for day in range(60)]
    lines = "\n".join(
        f"{day},{'' if np.isnan(value) else int(value)}" for day, value in zip(days, pain_days(), strict=True)
    )
    (tmp_path / "pain.csv").write_text(f"date,pain\n{lines}\n", encoding="utf-8")
    (tmp_path / "protocol.toml").write_text(
        '[[phase]]\nkind = "baseline"\nstart = 2026-01-05\nend = 2026-01-18\n'
        '[[phase]]\nkind = "treatment"\nstart = 2026-01-19\nend = 2026-03-05\n'
        '[[diary]]\nfile = "pain.csv"\n'
        '[outcome.flares]\nderived = "flare_days"\nof = "pain"\n'
        '[outcome.pain]\ninstrument = "nrs_pain"\nprimary = true\n',
        encoding="utf-8",
    )
    trial = acu.read_trial(tmp_path)
    assert [outcome.name for outcome in trial.protocol.outcomes] == ["flares", "pain"]
    np.testing.assert_array_equal(row(trial), row(flare_trial()))
    assert not [each for each in acu.reassess(trial).problems if each.severity == "error"]


# ------------------------------------------------------------------ what the page says


def tables(trial: acu.Trial) -> dict[str, tuple[tuple[str, ...], ...]]:
    made = acu.reassess(trial)
    return {block.caption: block.rows for block in appendix(made).walk() if isinstance(block, Table)}


def test_the_appendix_says_how_outcomes_are_computed_and_lists_flares():
    bad = {"derived": "days_at_or_below", "of": "pain", "level": 3.5, "label": "Good days"}
    trial = make_trial({"pain": pain_days()}, pain=PAIN, flares=FLARE, good=bad)
    found = tables(trial)
    assert found[words.COMPUTED_TITLE] == (
        ("Flares", "Pain", "pain is at 7 or above on two diary days in a row, and until two better ones in a row; "
                           "the median baseline day sets this level, so the baseline itself counts fewer"),
        ("Good days", "Pain", "pain is at 3.5 or below"),
    )  # fmt: skip
    assert found[words.FLARES_TITLE] == (
        ("Flares", "before treatment", "14", "2", "4.0", "4", "at least 2", "1 of 2"),
        ("Flares", "during treatment", "44", "3", "1.9", "9", "at least 3", "3 of 3"),
    )
    assert "days_at_or" not in str(found[words.COMPUTED_TITLE])


def test_no_flare_and_too_few_days_are_said_on_the_page_and_nothing_is_invented():
    calm = tables(make_trial({"pain": np.full(60, 3.0)}, pain=PAIN, flares=FLARE))[words.FLARES_TITLE]
    assert calm[0][3:] == ("no flare", "0", "0", "–", "–")
    short = tables(make_trial({"pain": [5, 6, 7] * 12}, baseline=6, pain=PAIN, flares=FLARE))[words.FLARES_TITLE]
    assert {cells[3:] for cells in short} == {("not enough diary days", "–", "–", "–", "–")}


def test_a_report_without_computed_outcomes_and_flares_has_neither_table():
    assert not {words.COMPUTED_TITLE, words.FLARES_TITLE} & tables(make_trial({"pain": pain_days()}, pain=PAIN)).keys()


def test_several_phases_are_numbered():
    phases = [
        {"kind": kind, "start": START + dt.timedelta(days=15 * i), "end": START + dt.timedelta(days=15 * i + 14)}
        for i, kind in enumerate(["baseline", "treatment"] * 2)
    ]
    trial = make_trial({"pain": pain_days()}, pain=PAIN, flares=FLARE, raw={"phase": phases})
    days = [cells[1] for cells in tables(trial)[words.FLARES_TITLE]]
    assert days == ["1. before treatment", "2. during treatment", "3. without treatment", "4. during treatment"]


def test_json_holds_the_flares_and_null_for_numbers_that_do_not_exist():
    found = acu.reassess(make_trial({"pain": np.full(60, 3.0)}, pain=PAIN, flares=FLARE)).to_dict()["flares"]
    assert [each["status"] for each in found] == ["no_flare", "no_flare"]
    assert found[0]["median_length"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_flares_are_bars_over_the_panel_they_are_computed_from():
    figure = acu.plot_trial(flare_trial())
    bars = [
        [
            line.get_xdata()
            for line in ax.lines
            if line.get_color() == palette.INK and line.get_linewidth() in style.FLARE
        ]
        for ax in figure.axes
    ]
    lengths = [[float(last - first) for first, last in panel] for panel in bars]
    assert lengths == [[2, 6, 3, 2], []]
