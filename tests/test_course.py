"""Sessions, what was done at them, regular medication, and the person's own overall rating."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, START, make_trial
from hypothesis import given
from hypothesis import strategies as st

import acu_nof1 as acu
from acu_nof1 import words
from acu_nof1.course import PARTS, REDUCED, WHO, Course, Impression, course_of, weekly
from acu_nof1.diary import Diary
from acu_nof1.errors import ProtocolError
from acu_nof1.load.protocols import protocol_from
from acu_nof1.load.trials import read_sessions
from acu_nof1.plot import course_alt, plot_course
from acu_nof1.protocol import LATE_CANCEL, Event
from acu_nof1.report.course import course_blocks

GOLDEN = Path(__file__).parent / "golden"
PAIN = {"instrument": "nrs_pain", "important_change": 2}
TABLETS = {"instrument": "rescue_day", "important_change": 4}
PGIC = {"instrument": "pgic", "better": "lower"}
DAYS, BASELINE = 98, 14
FIRST = START + dt.timedelta(days=BASELINE)


def ratings(gain: float, seed: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=DAYS)
    return np.clip(np.round(6 - gain * (np.arange(DAYS) >= BASELINE) + 0.7 * noise), 0, 10)


def tablets(before: float, after: float, seed: int = 5) -> np.ndarray:
    chance = np.where(np.arange(DAYS) < BASELINE, before, after)
    return (np.random.default_rng(seed).random(DAYS) < chance).astype(float)


def day(number: int) -> str:
    """The date of a numbered treatment day, the first being 0."""
    return (FIRST + dt.timedelta(days=number)).isoformat()


def once(number: int, answer: float) -> list[float]:
    """A column with one answer, on a numbered treatment day."""
    column = [np.nan] * (DAYS + 8)
    column[BASELINE + number] = answer
    return column


def medication(number: int, change: str, what: str = "naproxen 250 mg twice a day") -> dict[str, str]:
    return {"date": day(number), "what": what, "kind": "medication", "change": change}


def sessions(*numbers: int, **more: str) -> list[dict[str, object]]:
    return [{"date": day(number), "adverse_asked": True, "more": more} for number in numbers]


def shown(review: acu.Reassessment) -> str:
    """The part of the appendix as text, one block a line."""
    blocks = [block.html.striptags() for block in course_blocks(review) if "picture" not in block.template]
    return "\n".join(blocks).replace(words.NO_BREAK, " ") + "\n"


def course(trial: acu.Trial) -> Course:
    """The course at the deciding look, without the answers."""
    return course_of(trial, trial.default_look())


def kinds(trial: acu.Trial) -> list[str]:
    return [each.kind for each in acu.reassess(trial).verdict.attribution]


# ------------------------------------------------------------------ sessions


def test_counts_of_sessions_and_days_between_them() -> None:
    raw = {
        "trial": {"person": "P-1", "agreed_on": START, "planned_sessions": 6},
        "session": [
            *sessions(0, 7, 21),
            {"date": day(14), "attended": "late cancel"},
            {"date": day(28), "attended": False},
        ],
    }
    found = course(make_trial({"pain": ratings(2)}, raw=raw))
    assert (found.planned, len(found.attended), found.late_cancelled, found.missed) == (6, 3, 1, 1)
    assert found.gaps == (7, 14)
    assert found.days_since_last == DAYS - BASELINE - 21
    assert dict(words.course.rows(found, "", [], None))["Sessions"] == (
        "3 of 6 planned took place; 1 was missed and 1 was called off late; 1 planned one is not listed up to this look"
    )


def test_late_cancel_is_read_from_a_log_and_from_a_protocol(tmp_path: Path) -> None:
    log = tmp_path / "sessions.csv"
    log.write_text("date,attended\n2026-01-19,yes\n2026-01-26,Late cancel\n2026-02-02,no\n", encoding="utf-8")
    read = read_sessions(log)
    assert [each.attended for each in read] == [True, False, False]
    assert [each.late_cancel for each in read] == [False, True, False]
    assert acu.Session(date=START, attended=LATE_CANCEL) == acu.Session(date=START, late_cancel=True)
    log.write_text("date,attended\n2026-01-19,maybe\n", encoding="utf-8")
    with pytest.raises(ProtocolError, match="expected yes or no"):
        read_sessions(log)


def test_a_session_after_the_look_is_not_counted() -> None:
    trial = make_trial({"pain": ratings(2)}, raw={"session": sessions(0, 7, 14, 60), "event": [medication(70, "more")]})
    look = acu.Look(on=FIRST + dt.timedelta(days=20))
    found = course_of(trial, look)
    assert len(found.attended) == 3
    assert found.days_since_last == 6
    assert found.medication == ()
    on_the_day = course_of(trial, acu.Look(after_session=3))
    assert on_the_day.days_since_last == 0
    assert "on the day of this look" in dict(words.course.rows(on_the_day, "", [], None))["Last session"]


def test_strictly_nothing_is_made_up_for_an_empty_log() -> None:
    review = acu.reassess(make_trial({"pain": ratings(2)}))
    said = shown(review)
    assert "no session is listed" in said
    assert "no change is recorded" in said
    assert "not kept in the diary" in said
    assert "STRICTA" not in said
    assert review.to_dict()["course"]["days_since_last"] is None


def test_columns_of_the_session_log_are_summarised() -> None:
    cells = [
        {"needles_n": "6", "points": "LI-4; li4; ST36", "depth_mm": "15-20", "retention_min": "15 min", "stimulation": "manual"},
        {"needles_n": "8", "points": "LI 4, Hegu", "depth_mm": "2 cun", "retention_min": "20", "stimulation": "Manual"},
        {"needles_n": "8 needles", "points": "", "depth_mm": "", "retention_min": "20", "frequency_hz": "2/100"},
    ]  # fmt: skip
    log = [{"date": day(7 * number), "more": more} for number, more in enumerate(cells)]
    found = course(make_trial({"pain": ratings(2)}, raw={"session": log}))
    done = {each.part: each for each in found.done}
    assert tuple(done) == PARTS
    assert done["needles_n"].numbers == (6, 8, 8)
    assert done["points"].counts == (("LI4", 2), ("ST36", 1), ("Hegu", 1))  # twice at one session counts once
    assert done["depth_mm"].numbers == (15, 17.5, 20)
    assert done["depth_mm"].left_out == ("2 cun",)
    assert done["retention_min"].numbers == (15, 20, 20)
    assert done["stimulation"].counts == (("manual", 2),)
    assert done["frequency_hz"].numbers is None
    rows = {part: (said, told) for part, said, told in words.course.done_rows(found)}
    assert rows["Depth"] == (
        "15 to 20 mm, median 17.5; left out, as it is not a number: “2 cun”".replace(" mm", f"{words.NO_BREAK}mm"),
        "2 of 3",
    )
    assert rows["Frequency"][0] == "left out, as it is not a number: “2/100”"
    assert words.course.not_recorded(found) == (
        "Not recorded: practitioner, style, side, needle size, response, other components."
    )


def test_a_frequency_is_missed_only_where_current_was_used() -> None:
    def missing(stimulation: str) -> str:
        trial = make_trial({"pain": ratings(2)}, raw={"session": sessions(0, stimulation=stimulation)})
        return words.course.not_recorded(course(trial))

    assert "frequency" not in missing("manual")
    assert "frequency" in missing("electrical")
    assert "frequency" in missing("")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_numbers_are_those_of_numpy(needles: list[int]) -> None:
    log = [{"date": day(number), "more": {"needles_n": str(each)}} for number, each in enumerate(needles)]
    found = course_of(make_trial({"pain": [5.0] * DAYS}, raw={"session": log}), acu.Look(on=FIRST + dt.timedelta(40)))
    done = next(each for each in found.done if each.part == "needles_n")
    assert done.numbers == (min(needles), float(np.median(needles)), max(needles))


def test_who_placed_the_needles_reaches_no_page(tmp_path: Path) -> None:
    log = [each for number, name in enumerate(WHO) for each in sessions(7 * number, **{name: f"{name} Surname"})]
    review = acu.reassess(make_trial({"pain": ratings(2)}, raw={"session": log}))
    assert review.course.practitioners == len(WHO)
    assert f"{len(WHO)} people, not named here" in shown(review)
    acu.write_report(review, tmp_path / "page.html")
    assert "Surname" not in (tmp_path / "page.html").read_text(encoding="utf-8") + json.dumps(review.to_dict())


# ------------------------------------------------------------------ weeks


def test_weekly_means_are_those_of_pandas_and_no_week_crosses_the_first_treatment_day() -> None:
    values = ratings(2).astype(float)
    values[[3, 20, 21, 22, 40]] = np.nan
    values[28:35] = np.nan
    days = np.arange(DAYS) - 17
    start, mean, count = weekly(days, values)
    by_week = pd.Series(values).groupby(np.floor(days / 7))
    np.testing.assert_allclose(mean, by_week.mean())
    np.testing.assert_array_equal(count, by_week.count())
    assert 0 in start
    assert (np.diff(start) == 7).all()


@given(st.lists(st.one_of(st.none(), st.integers(0, 10)), min_size=1, max_size=60), st.integers(-60, 5))
def test_weeks_hold_every_answer_once(answers: list[int | None], first: int) -> None:
    values = np.array([np.nan if each is None else each for each in answers], float)
    _, mean, count = weekly(np.arange(len(answers)) + first, values)
    assert count.sum() == np.isfinite(values).sum()
    assert np.nansum(mean * count) == pytest.approx(np.nansum(values))
    assert np.isnan(mean[count == 0]).all()


# ------------------------------------------------------------------ medication


def test_medication_is_said_once_and_only_where_it_could_explain_a_gain() -> None:
    def trial(gain: float, *events: dict[str, str]) -> acu.Trial:
        return make_trial({"pain": ratings(gain)}, raw={"event": list(events)})

    for change in ("started", "more", "changed"):
        assert kinds(trial(3, medication(20, change))) == ["medication"]
    for change in REDUCED:
        assert kinds(trial(3, medication(20, change))) == []
    assert kinds(trial(3, medication(-14, "started"))) == ["medication"]
    assert kinds(trial(3, medication(-15, "started"))) == []
    assert kinds(trial(-3, medication(20, "started"))) == []
    assert kinds(trial(3, {"date": day(20), "what": "new tablets"})) == ["co_intervention"]


def test_less_medication_is_a_plain_fact() -> None:
    said = shown(acu.reassess(make_trial({"pain": ratings(3)}, raw={"event": [medication(20, "less")]})))
    assert "While pain fell, regular medication went down. 8 Feb 2026: “naproxen 250 mg twice a day” reduced." in said
    unchanged = shown(acu.reassess(make_trial({"pain": ratings(0)}, raw={"event": [medication(20, "less")]})))
    assert "went down" not in unchanged
    assert "reduced" in unchanged


def test_pain_fell_while_tablets_rose() -> None:
    trial = make_trial({"pain": ratings(3), "tablets": tablets(0.1, 0.8)}, pain=PAIN, tablets=TABLETS)
    review = acu.reassess(trial)
    (caveat,) = review.attribution
    found = next(each for each in review.estimates.headlines if each.outcome.name == "tablets")
    printed = words.printed(found)
    assert caveat.replace(words.NO_BREAK, " ") == (
        f"Pain fell while rescue days rose (from {printed.before} to {printed.after} per 28 days): "
        "the medication may have a part in it."
    )
    turned = make_trial({"pain": ratings(3), "tablets": tablets(0.8, 0.1)}, pain=PAIN, tablets=TABLETS)
    assert kinds(turned) == []
    assert kinds(make_trial({"pain": ratings(-3), "tablets": tablets(0.1, 0.8)}, pain=PAIN, tablets=TABLETS)) == []


@pytest.mark.parametrize("p", [0.8, 0.86, 0.95, 0.999])
def test_how_sure_the_rise_of_tablets_is_stands_in_the_sentence(p: float) -> None:
    facts = {"p": p, "primary": "Walking", "better": "higher", "label": "Rescue days", "levels": "from 4 to 9"}
    said = words.course.rescue_rose(facts)
    assert said.startswith("Walking rose while rescue days ")
    assert ("seem to have risen" in said) == ("truly rose: about" in said) == (p < 0.95)


def test_a_row_of_tablets_read_as_worse_never_goes_unmentioned() -> None:
    for seed in range(3):
        columns = {"pain": ratings(3, seed), "tablets": tablets(0.2, 0.45, seed)}
        review = acu.reassess(make_trial(columns, pain=PAIN, tablets=TABLETS))
        row = next(each for each in review.estimates.headlines if each.outcome.name == "tablets")
        mentioned = any("rescue" in each for each in review.attribution)
        assert mentioned == (row.p_loss >= 0.8)
        assert mentioned or not row.reading.startswith("worse")


# ------------------------------------------------------------------ the overall rating


def rated(answer: float, number: int = DAYS - BASELINE - 3, **entry: object) -> acu.Trial:
    columns = {"pain": ratings(3), "overall": once(number, answer)}
    raw = {"phase": [
        {"kind": "baseline", "start": START, "end": FIRST - dt.timedelta(days=1)},
        {"kind": "treatment", "start": FIRST, "end": START + dt.timedelta(days=DAYS - 1)},
    ]}  # fmt: skip
    return make_trial(columns, raw=raw, pain=PAIN, overall={"instrument": "pgic"} | entry)


def test_the_overall_rating_changes_no_answer_of_the_diary() -> None:
    plain, with_rating = (
        acu.reassess(make_trial({"pain": ratings(3)}, pain=PAIN)),
        acu.reassess(rated(7, better="lower")),
    )
    assert with_rating.sentence == plain.sentence
    assert with_rating.attribution == plain.attribution
    assert [each.outcome.name for each in with_rating.estimates] == [each.outcome.name for each in plain.estimates]


@pytest.mark.parametrize(
    ("answer", "entry", "text", "direction"),
    [
        (2, {}, "answer 2 of 1–7 (which end of the scale is better is not recorded)", None),
        (2, {"better": "lower"}, "answer 2 of 1–7 (clearly better)", 1),
        (2, {"better": "higher"}, "answer 2 of 1–7 (clearly worse)", -1),
        (4, {"better": "higher"}, "answer 4 of 1–7 (as before)", 0),
        (8, {"better": "higher", "range": [0, 10]}, "answer 8 of 0–10 (better)", 1),
        (3, {"labels": ["a", "b", "some", "d", "e", "f", "g"]}, "answer 3 of 1–7 (“some”)", None),
    ],
)
def test_the_direction_of_the_rating_is_declared_never_assumed(answer, entry, text, direction) -> None:
    impression = course(rated(answer, **entry)).impression
    assert words.course.own_rating(impression).startswith(text)
    assert impression.direction == direction


@given(st.integers(1, 7))
def test_turning_the_scale_turns_nothing_else(answer: int) -> None:
    lower = replace(acu.OUTCOMES["pgic"], better="lower")
    one = Impression(lower, float(answer), START)
    other = Impression(replace(lower, better="higher"), 8.0 - answer, START)
    assert words.course.anchor(one) == words.course.anchor(other)
    assert one.direction == other.direction


def test_only_an_answer_near_the_look_counts() -> None:
    end = DAYS - BASELINE
    assert course(rated(2, end - 7)).impression.answer == 2
    assert course(rated(2, end + 7)).impression.answer == 2
    early = course(rated(2, end - 8)).impression
    assert early.answer is None
    assert words.course.own_rating(early) == "not given within 7 days of this look"
    assert course(make_trial({"pain": ratings(3)})).impression is None
    both = rated(2, end - 5)
    values = both.diary.values
    values.loc[pd.Timestamp(FIRST) + pd.Timedelta(days=end - 1), "overall"] = 6
    nearest = course(acu.Trial(both.protocol, Diary.from_values(values))).impression
    assert (nearest.answer, nearest.day) == (6, FIRST + dt.timedelta(days=end - 1))


@pytest.mark.parametrize(("answer", "said"), [(2, False), (4, True), (6, True)])
def test_a_rating_that_points_elsewhere_is_noted_and_not_judged(answer: float, said: bool) -> None:
    assert (words.course.DIFFER in shown(acu.reassess(rated(answer, better="lower")))) == said
    assert words.course.DIFFER not in shown(acu.reassess(rated(answer)))  # without a direction nothing is compared


def test_goal_and_rating_in_one_line() -> None:
    impression = course(rated(2, better="lower")).impression
    assert words.course.goal_and_rating("walk the dog", impression) == (
        "Goal in the person’s own words: “walk the dog”. The person’s own overall rating: answer 2 of 1–7 (clearly "
        "better), 10 Apr 2026; it is not part of the diary’s answer."
    )
    assert words.course.goal_and_rating("walk the dog", None) == "Goal in the person’s own words: “walk the dog”."
    assert words.course.goal_and_rating("", None) == ""


# ------------------------------------------------------------------ the protocol


def wrong(**raw: object) -> str:
    text = {
        "phase": [{"kind": "baseline", "start": START, "end": FIRST - dt.timedelta(days=1)},
                  {"kind": "treatment", "start": FIRST, "end": FIRST + dt.timedelta(days=60)}],
        "outcome": {"pain": PAIN | {"primary": True}},
    }  # fmt: skip
    with pytest.raises(ProtocolError) as met:
        protocol_from(text | raw)
    return "\n".join(f"{each.where} {each.problem} {each.remedy}" for each in met.value.problems)


def test_events_that_contradict_themselves_are_said_with_what_to_write() -> None:
    base = {"date": START, "what": "tablets"}
    assert 'Did you mean "medication"?' in wrong(event=[base | {"kind": "medicaton", "change": "more"}])
    assert 'Did you mean "stopped"?' in wrong(event=[base | {"kind": "medication", "change": "stoped"}])
    assert 'Did you mean "change"?' in wrong(event=[base | {"kind": "medication", "chnge": "more"}])
    said = wrong(event=[base | {"kind": "medication"}, base | {"change": "more"}])
    assert 'key "change" is missing' in said
    assert 'belongs to kind = "medication"' in said
    assert Event(**base).kind == "co_intervention"


def test_a_rating_of_change_is_neither_primary_nor_in_the_rule_nor_mislabelled() -> None:
    assert "cannot be primary" in wrong(outcome={"overall": PGIC})
    both = {"pain": PAIN | {"primary": True}, "overall": PGIC}
    assert "Leave it out of the rule" in wrong(outcome=both, success={"all": ["pain", "overall"]})
    assert "2 labels for 7 answers" in wrong(outcome={**both, "overall": PGIC | {"labels": ["a", "b"]}})
    assert 'key "labels"' in wrong(outcome={"pain": PAIN | {"primary": True, "labels": ["a"]}})


# ------------------------------------------------------------------ page and figure


def everything() -> acu.Trial:
    columns = {"pain": ratings(3), "tablets": tablets(0.1, 0.7), "overall": once(DAYS - BASELINE - 3, 5)}
    columns["pain"][40:54] = np.nan
    more = {
        "practitioner": "A. Surname",
        "needles_n": "8",
        "points": "BL23; BL25",
        "retention_min": "20",
        "style": "TCM",
    }
    raw = {
        "trial": {"person": "P-1", "agreed_on": START, "planned_sessions": 8, "goal": "walk the dog"},
        "phase": rated(1).protocol.model_dump()["phases"],
        "session": [*sessions(0, 7, 14, 28, **more), {"date": day(21), "attended": LATE_CANCEL}],
        "event": [medication(10, "more"), medication(30, "stopped", "tramadol 50 mg at night")],
    }
    return make_trial(columns, raw=raw, pain=PAIN, tablets=TABLETS, overall=PGIC)


def test_golden_text_of_the_part() -> None:
    """Read aloud before it was committed."""
    review = acu.reassess(everything())
    said = (
        shown(review)
        + "\n".join(review.attribution).replace(words.NO_BREAK, " ")
        + "\n"
        + course_alt(review.trial)
        + "\n"
    )
    assert said == (GOLDEN / "course.txt").read_text(encoding="utf-8")


def test_the_figure_shows_the_whole_scale_gaps_and_nothing_that_is_not_there() -> None:
    trial = everything()
    means, use = plot_course(trial).axes
    low, high = means.get_ylim()
    assert low < 0
    assert 10 <= high < 11
    line = means.lines[[text.get_linestyle() for text in means.lines].index("-")]
    assert np.isnan(line.get_ydata()).sum() == 1  # of the fourteen missing days, one whole week of treatment
    assert use.get_ylim()[1] >= 7
    bars = [bar.get_height() for bar in use.patches if hasattr(bar, "get_height") and bar.get_width() < 7]
    by_week = pd.Series(tablets(0.1, 0.7)).groupby(np.floor((np.arange(DAYS) - BASELINE) / 7)).mean() * 7
    np.testing.assert_allclose(sorted(bars), sorted(by_week))
    texts = [text.get_text() for text in means.texts]
    assert "raised: naproxen 250 mg twice a day" in texts
    plain = plot_course(make_trial({"pain": ratings(2)}))
    assert len(plain.axes) == 1
    assert not [text for text in plain.axes[0].texts if "raised" in text.get_text()]


def test_the_figure_of_an_earlier_look_knows_nothing_of_later_days() -> None:
    trial = everything()
    look = acu.Look(on=FIRST + dt.timedelta(days=25))
    assert "tramadol" not in course_alt(trial, look)
    assert plot_course(trial, look).axes[0].get_xlim()[1] < plot_course(trial).axes[0].get_xlim()[1] - 50


@pytest.mark.parametrize("values", [[np.nan] * DAYS, [5.0] * DAYS, ratings(2)[:15]])
def test_any_diary_has_its_part(values) -> None:
    trial = make_trial({"pain": values})
    if np.isfinite(values).any():
        assert "Plain weekly means" in course_alt(trial)
    assert plot_course(trial).axes or not np.isfinite(values).any()


def test_a_red_flag_leaves_facts_and_no_comparison() -> None:
    trial = everything()
    flagged = acu.Trial(
        trial.protocol.model_copy(
            update={"safety": trial.protocol.safety.model_copy(update={"red_flags": ("fever",)})}
        ),
        trial.diary,
    )
    said = shown(acu.reassess(flagged))
    assert "4 of 8 planned took place" in said
    assert words.course.DIFFER not in said
    assert "went down" not in said


def test_the_json_holds_the_course() -> None:
    held = json.loads(json.dumps(acu.reassess(everything()).to_dict()))["course"]
    assert (held["planned"], held["attended"], held["late_cancelled"], held["missed"]) == (8, 4, 1, 0)
    assert [each["change"] for each in held["medication"]] == ["more", "stopped"]
    assert held["rescue"] == ["tablets"]
    assert held["overall_rating"] == {
        "outcome": "overall", "answer": 5, "date": "2026-04-10", "scale": [1, 7], "direction": -1, "label": None,
    }  # fmt: skip
    assert "Surname" not in json.dumps(held)


def test_the_samples_show_a_medication_change_and_an_overall_rating() -> None:
    knee, migraine = (acu.read_trial(ROOT / "sample_data" / name) for name in ("knee_osteoarthritis", "migraine"))
    assert course(knee).impression.answer == 3
    assert [event.change for event in course(migraine).medication] == ["more"]
    assert [outcome.name for outcome in course(migraine).rescue] == ["doses"]
