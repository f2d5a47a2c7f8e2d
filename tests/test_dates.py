"""Which day a cell names."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acu_nof1.load.dates import ASK_FORMAT, ASK_ORDER, ASK_OTHER_FORMAT, read_days


def days(*texts, **how):
    return read_days(pd.Series(list(texts), dtype="str"), **how)


def iso(read):
    return [None if np.isnat(day) else str(day)[:10] for day in read.days]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05", " 2026-01-05 ", "2026-1-5", "2026/01/05", "2026.01.05", "20260105", "2026-01-05 23:59:59",
        "2026-01-05T23:30:00+02:00", "2026-01-05T23:30Z", "2026-01-05T00:30:00.123456-08:00", "5 Jan 2026", "Jan 5, 2026",
        "January 5 2026", "5-Jan-26", "05-Jan-2026", "Mon 5 Jan 2026", "Monday, January 5, 2026", "5th January 2026", "46027",
        "46027.5", "Mon 2026-01-05",
    ],
)  # fmt: skip
def test_one_day_however_it_is_written(text):
    read = days(text)
    assert iso(read) == ["2026-01-05"]
    assert read.question is None


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2026-02-30", "2026-13-01", "05/01", "5 Foo 2026", "99999", "2026-01", "0000-01-01", "2026-01-05 foo"],
)
def test_unreadable_is_not_guessed(text):
    assert iso(days(text)) == [None]


def test_day_and_month_decided_when_a_day_is_above_12_and_the_order_fits_once():
    assert iso(days("11/01/2026", "12/01/2026", "13/01/2026")) == ["2026-01-11", "2026-01-12", "2026-01-13"]
    assert iso(days("01/11/2026", "01/12/2026", "01/13/2026")) == ["2026-01-11", "2026-01-12", "2026-01-13"]
    assert iso(days("26. 11. 2020", "27. 11. 2020")) == ["2020-11-26", "2020-11-27"]
    assert iso(days("13/01/26 21:06", "12/01/26 08:00")) == ["2026-01-13", "2026-01-12"]


@pytest.mark.parametrize(
    "texts",
    [
        ("01/02/2026", "02/02/2026"),  # no day above 12
        ("13/01/2026", "11/01/2026", "12/01/2026"),  # not in order
        ("13/01/2026", "01/14/2026"),  # both orders occur
    ],
)
def test_undecided_order_is_asked_about(texts):
    read = days(*texts)
    assert read.question == ASK_ORDER
    assert iso(read) == [None] * len(texts)


def test_declared_order_is_followed():
    assert iso(days("01/02/2026", dayfirst=True)) == ["2026-02-01"]
    assert iso(days("01/02/2026", dayfirst=False)) == ["2026-01-02"]
    assert iso(days("13/02/2026", dayfirst=False)) == [None]
    assert iso(days("2026-01-02", dayfirst=True)) == ["2026-01-02"]


def test_two_digit_years_that_may_stand_first_are_asked_about():
    assert days("26-01-05", "26-01-06", "26-01-13").question == ASK_FORMAT
    assert days("26/01/05", "26/01/06", "26/01/13").question == ASK_FORMAT
    assert iso(days("26-01-05", date_format="%y-%m-%d")) == ["2026-01-05"]


def test_declared_format_is_the_only_one():
    assert iso(days("05|01|2026", "2026-01-05", date_format="%d|%m|%Y")) == ["2026-01-05", None]


@pytest.mark.parametrize("date_format", ["%d/%m", "%H:%M", "day", "%Q%Y", ""])
def test_format_that_names_no_day_is_asked_about(date_format):
    read = days("05/01/2026", date_format=date_format)
    assert read.question == ASK_OTHER_FORMAT
    assert iso(read) == [None]


def test_undecided_dates_do_not_hide_iso_ones():
    assert iso(days("2026-01-05", "01/02/2026")) == ["2026-01-05", None]


def test_serial_numbers_of_a_1904_workbook():
    assert iso(days("44565", day_zero=dt.date(1904, 1, 1))) == ["2026-01-05"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=24), max_size=6), st.sampled_from([None, True, False]))
def test_any_text_is_a_day_or_none(texts, dayfirst):
    assert len(days(*texts, dayfirst=dayfirst).days) == len(texts)


@settings(deadline=None)
@given(st.dates(dt.date(1970, 1, 1), dt.date(2068, 12, 31)), st.sampled_from(["%d/%m/%Y", "%d.%m.%y", "%d-%m-%Y"]))
def test_declared_day_first_round_trip(day, pattern):
    assert iso(days(day.strftime(pattern), dayfirst=True)) == [day.isoformat()]
