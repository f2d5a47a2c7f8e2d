"""Visits for chronic low back pain under Medicare's NCD 30.3.3: a table of visit histories, and what is said of them."""

from __future__ import annotations

import datetime as dt

import pytest
from conftest import make_trial
from typer.testing import CliRunner

from acu_nof1.cli import app
from acu_nof1.errors import UsageError
from acu_nof1.protocol import Session
from acu_nof1.report.sessions import visit_blocks
from acu_nof1.sessions import ELIGIBILITY, visits
from acu_nof1.words import visits as words


def day(text):
    return dt.date.fromisoformat(text)


def log(*days, missed=()):
    return [Session(date=day(each)) for each in days] + [Session(date=day(each), attended=False) for each in missed]


def every(start, count, days=7):
    return [(day(start) + dt.timedelta(days=days * number)).isoformat() for number in range(count)]


# history, on, year -> visits in the first 90 days, left of the first 12, in the year, left of 20, improvement needed before the next
TABLE = {
    "none yet": ((), "2026-03-01", "calendar", (0, 12, 0, 20, False)),
    "one": (["2026-03-01"], "2026-03-01", "calendar", (1, 11, 1, 19, False)),
    "after the day asked": (["2026-03-01", "2026-03-08"], "2026-03-07", "calendar", (1, 11, 1, 19, False)),
    # Day 1 is the first visit: 90 days from 1 January 2026 end on 31 March, day 91 is 1 April.
    "day 90 counts": (["2026-01-01", "2026-03-31"], "2026-03-31", "calendar", (2, 10, 2, 18, False)),
    "day 91 does not": (["2026-01-01", "2026-04-01"], "2026-04-01", "calendar", (1, 0, 2, 18, True)),
    # 2028 has a 29 February: 90 days from 1 January end on 30 March.
    "leap year, day 90": (["2028-01-01", "2028-03-30"], "2028-03-30", "calendar", (2, 10, 2, 18, False)),
    "leap year, day 91": (["2028-01-01", "2028-03-31"], "2028-03-31", "calendar", (1, 0, 2, 18, True)),
    "twelve in 90 days": (every("2026-01-05", 12), "2026-03-23", "calendar", (12, 0, 12, 8, True)),
    "eleven": (every("2026-01-05", 11), "2026-03-16", "calendar", (11, 1, 11, 9, False)),
    "twenty": (every("2026-01-05", 20), "2026-06-01", "calendar", (13, 0, 20, 0, False)),
    "more than twenty": (every("2026-01-05", 22), "2026-06-30", "calendar", (13, 0, 22, 0, False)),
    # Over the turn of the year the 90 days go on; the calendar year begins anew, the rolling one does not.
    "year end, calendar": (every("2026-11-30", 8), "2027-01-18", "calendar", (8, 4, 3, 17, False)),
    "year end, rolling": (every("2026-11-30", 8), "2027-01-18", "rolling", (8, 4, 8, 12, False)),
    "rolling: the same day last year is out": (["2026-02-10", "2027-02-10"], "2027-02-10", "rolling", (1, 0, 1, 19, True)),
    "rolling: the day after is in": (["2026-02-11", "2027-02-10"], "2027-02-10", "rolling", (1, 0, 2, 18, True)),
    "rolling, on 29 February": (["2027-02-28", "2027-03-01", "2028-02-29"], "2028-02-29", "rolling", (2, 0, 2, 18, True)),
    "the year's end cuts the first twelve": (
        [*every("2026-01-05", 18, 5), "2026-10-01"], "2026-10-01", "calendar", (18, 0, 19, 1, True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_histories(name):
    days, on, year, (first, left_first, in_year, left, needed) = TABLE[name]
    found = visits(log(*days), day(on), year)
    assert (found.in_first_days, found.left_in_first_days, found.in_year, found.left_in_year) == (
        first, left_first, in_year, left,
    )  # fmt: skip
    assert found.improvement_needed is needed
    assert found.beyond_year == max(0, in_year - 20)


def test_missed_and_late_cancelled_sessions_use_up_no_visit():
    sessions = [*log("2026-01-05", "2026-01-12", missed=["2026-01-19"]), Session.model_validate(
        {"date": "2026-01-26", "attended": "late cancel"}
    )]  # fmt: skip
    found = visits(sessions, day("2026-02-01"))
    assert (found.in_first_days, found.in_year, found.missed) == (2, 2, 2)
    assert found.first == day("2026-01-05")
    # A session that did not take place does not begin the 90 days.
    later = visits(log("2026-01-12", missed=["2026-01-05"]), day("2026-02-01"))
    assert later.first == day("2026-01-12")


def test_order_of_the_log_does_not_matter_and_an_earlier_course_counts_for_the_year_only():
    days = every("2026-03-02", 5)
    assert visits(log(*days[::-1]), day("2026-06-01")) == visits(log(*days), day("2026-06-01"))
    with_earlier = visits(log("2026-01-02", *days), day("2026-03-31"), course_start=day("2026-03-01"))
    assert (with_earlier.first, with_earlier.in_first_days, with_earlier.in_year) == (day("2026-03-02"), 5, 6)


def test_another_year_is_refused_with_the_one_that_is_meant():
    with pytest.raises(UsageError, match=r"no such year.*calendar"):
        visits([], day("2026-01-01"), "calender")


@pytest.mark.parametrize("on", [dt.date.min, dt.date.max])
def test_a_day_without_a_year_before_or_after_is_refused(on):
    with pytest.raises(UsageError, match="no year can be counted"):
        visits([], on, "rolling")


def test_two_visits_on_a_day_are_both_counted_and_named():
    found = visits(log("2026-01-05", "2026-01-12", "2026-01-12"), day("2026-02-01"))
    assert (found.in_first_days, found.same_day) == (3, (day("2026-01-12"),))
    assert "  More than one on a day: 12 Jan 2026; each counted" in words.visit_lines(found, "P-014")


def test_words_count_ask_and_decide_nothing():
    lines = {
        name: words.visit_lines(visits(log(*days), day(on), year), "P-014")
        for name, (days, on, year, _) in TABLE.items()
    }
    for said in lines.values():
        whole = " ".join(said)
        assert "covered" not in whole
        assert "eligible" not in whole
        assert all(question in whole for question in ELIGIBILITY)
        assert said[0].startswith("P-014") or "P-014" in said[0]
    assert "  Visits: none so far" in lines["none yet"]
    assert "  To be written down: a documented improvement is needed before visit 13" in lines["eleven"]
    assert (
        "  To be written down: a documented improvement is needed before the next visit" in lines["twelve in 90 days"]
    )
    assert "  To be written down: 20 visits are used up: none is left in this year" in lines["twenty"]
    assert "  Left of 20 in a year: 0; 2 beyond 20" in lines["more than twenty"]
    assert "  Used in the first 90 days: 2, 1 Jan 2026 to 31 Mar 2026" in lines["day 90 counts"]
    assert "  Used in the first 90 days: 1, 1 Jan 2026 to 31 Mar 2026 (over)" in lines["day 91 does not"]
    assert "  Used in the twelve months up to that day: 8" in lines["year end, rolling"]


@pytest.mark.parametrize(("condition", "shown"), [("Chronic low back pain", 1), ("low_back_pain", 1), ("migraine", 0)])
def test_a_page_counts_visits_where_low_back_pain_is_treated(condition, shown, noisy):
    from acu_nof1 import reassess

    raw = {"session": [{"date": "2026-01-19", "adverse_asked": True}], "trial": {"condition": condition}}
    review = reassess(make_trial({"pain": noisy([6] * 14 + [4] * 42)}, raw=raw))
    assert len(list(visit_blocks(review))) == shown


def test_moved_dates_are_not_counted_by_calendar_years(noisy):
    from acu_nof1 import anonymous, reassess

    sessions = [{"date": date, "adverse_asked": True} for date in ("2026-01-19", "2026-01-26")]
    trial = make_trial(
        {"pain": noisy([6] * 14 + [4] * 42)}, raw={"session": sessions, "trial": {"condition": "low back pain"}}
    )
    assert len(list(visit_blocks(reassess(trial)))) == 1
    assert list(visit_blocks(reassess(anonymous(trial)))) == []


def test_the_command():
    run = CliRunner().invoke(app, ["visits", "sample_data/low_back_pain", "--on", "2026-03-02", "--year", "rolling"])
    assert run.exit_code == 0, run.output
    assert "Counted up to: 2 Mar 2026" in run.output
    assert "Used in the twelve months up to that day: 7" in run.output
    wrong = CliRunner().invoke(app, ["visits", "sample_data/own_diary/diary.csv"])
    assert isinstance(wrong.exception, UsageError)
    shared = CliRunner().invoke(app, ["visits", "sample_data/clinic"])
    assert "shared tables have no sessions" in str(shared.exception)
    lunar = CliRunner().invoke(app, ["visits", "sample_data/low_back_pain", "--year", "lunar"])
    assert isinstance(lunar.exception, UsageError)
