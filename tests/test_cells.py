"""Every rule for a cell, one by one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acu_nof1.load import cells
from acu_nof1.load.cells import Reader, read_column
from acu_nof1.load.clocks import BARE_HOUR, CLOCK, NO_CLOCK, may_be_slips, read_clock, read_clocks
from acu_nof1.outcomes import OUTCOMES, Outcome

PAIN = OUTCOMES["nrs_pain"]
SLEEP = OUTCOMES["csd_tst"]
STEPS = Outcome("steps", "Steps", "count", unit="steps/day", better="higher")
DOSES = OUTCOMES["rescue_doses_day"]
HEADACHE = OUTCOMES["headache_day"]
WALK = Outcome("walk", "Walking", "minutes", unit="min/day", better="higher")
VAS = OUTCOMES["vas_pain"]
EFFICIENCY = OUTCOMES["csd_se"]


def check(outcome, text, value, status, rule=None, **how):
    reading = Reader(outcome, **how).read(text)
    assert reading.status == status, reading
    assert (math.isnan(reading.value) and value is None) or reading.value == pytest.approx(value), reading
    if rule is not None:
        assert reading.rule == rule
    if status == "rejected":
        assert reading.rule.remedy


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), (" 7 ", 7), ("7.0", 7), ("6.5", 6.5), (".5", 0.5), ("0", 0), ("+3", 3), ("007", 7)]
)
def test_plain_numbers_are_kept(text, value):
    check(PAIN, text, value, "kept", cells.KEPT)


@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_blank_is_missing(text):
    check(PAIN, text, None, "missing", cells.BLANK)


@pytest.mark.parametrize(
    "text", ["n/a", "N/A", "NA", "-", "–", ".", "?", "nan", "NaN", "NULL", "#N/A", "n.a.", "\u200b", "\xa0-"]
)
def test_codes_for_not_answered(text):
    check(PAIN, text, None, "missing", cells.MISSING_CODE)


@pytest.mark.parametrize("text", ["-99", "-99.0", "-99.00"])
def test_declared_codes(text):
    check(PAIN, text, None, "missing", cells.MISSING_CODE, missing=("-99", "Skipped"))
    check(PAIN, "skipped", None, "missing", cells.MISSING_CODE, missing=("-99", "Skipped"))


def test_none_is_zero_only_when_declared():
    check(DOSES, "None", None, "missing", cells.NONE_UNDECLARED)
    check(DOSES, "None", 0, "converted", cells.DECLARED_NONE, none=("none",))


def test_words_are_mapped_only_when_declared():
    check(PAIN, "moderate", None, "rejected", cells.WORD)
    check(PAIN, "Moderate", 5, "converted", cells.DECLARED_WORD, words={"moderate": 5})
    check(PAIN, "agony", None, "rejected", words={"agony": 12})


@pytest.mark.parametrize(
    ("text", "value"),
    [("3-4", 3.5), ("30 to 60", 45), ("3–4", 3.5), ("3 - 5", 4), ("2.5-3.5", 3), ("4-4", 4), ("0-1", 0.5)],
)
def test_range_is_its_midpoint(text, value):
    check(VAS, text, value, "converted", cells.RANGE)


def test_range_that_is_none():
    check(PAIN, "4-3", None, "rejected", cells.DOWNWARD)
    check(PAIN, "9-11", None, "rejected")
    check(HEADACHE, "0-1", None, "rejected", cells.NOT_YES_NO)


def test_out_of_the_end_of_the_scale():
    for text in ("7/10", "7 / 10", "7 of 10", "7 out of 10"):
        check(PAIN, text, 7, "converted", cells.NUMERATOR)
    check(PAIN, "3/5", None, "rejected")
    check(PAIN, "11/10", None, "rejected")
    check(STEPS, "3/5", None, "rejected")
    check(VAS, "7/10", 70, "converted", unit="cm")
    check(DOSES, "1/2", 0.5, "converted", cells.FRACTION)


def test_decimal_comma():
    check(PAIN, "7,5", None, "rejected", cells.UNDECLARED_COMMA)
    check(PAIN, "7,5", 7.5, "converted", cells.COMMA, delimiter=";")
    check(PAIN, "7,5", 7.5, "converted", cells.COMMA, decimal=",")
    check(PAIN, "7,5", None, "rejected", cells.UNDECLARED_COMMA, delimiter=";", decimal=".")
    check(PAIN, "7.5", 7.5, "kept", delimiter=";")
    check(PAIN, "7.5", None, "rejected", cells.DECLARED_OTHERWISE, decimal=",")
    check(PAIN, "3,5-4,5", 4, "converted", cells.RANGE, delimiter=";")


@pytest.mark.parametrize("text", ["11", "-1", "75", "10.5"])
def test_outside_the_scale_is_never_clipped(text):
    reading = Reader(PAIN).read(text)
    assert reading.status == "rejected"
    assert reading.rule.name == "outside the scale (0 to 10 points)"


def test_amounts():
    check(STEPS, "-5", None, "rejected")
    check(WALK, "1500", None, "rejected", cells.MORE_THAN_A_DAY)
    check(replace(WALK, every="week"), "1500", 1500, "kept")
    check(DOSES, "½", 0.5, "converted", cells.FRACTION)
    check(DOSES, "1½", 1.5, "converted", cells.FRACTION)
    check(STEPS, "9" * 400, None, "rejected", cells.NOT_FINITE)


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("1,234", 1234, {}), ("1,234,567", 1234567, {}), ("12 345", 12345, {}), ("12\u202f345", 12345, {}),
        ("12'345", 12345, {}), ("1.234", 1234, {"decimal": ","}), ("1.234.567", 1234567, {"delimiter": ";"}),
        ("1.234,5", 1234.5, {"decimal": ","}), ("1,234.5", 1234.5, {}), ("1,234", 1234, {"decimal": ".", "delimiter": ";"}),
    ],
)  # fmt: skip
def test_thousands_where_only_one_reading_is_possible(text, value, how):
    check(STEPS, text, value, "converted", **how)


@pytest.mark.parametrize(
    ("outcome", "text", "how"),
    [
        (WALK, "1,234", {}),
        (STEPS, "1.234", {"delimiter": ";"}),
        (STEPS, "1,234", {"delimiter": ";"}),
        (STEPS, "12,34", {}),
    ],
)
def test_doubtful_thousands_are_rejected(outcome, text, how):
    check(outcome, text, None, "rejected", **how)


def test_a_point_on_a_short_scale_is_a_point():
    check(PAIN, "7.125", 7.125, "kept", delimiter=";")


@pytest.mark.parametrize("text", ["Y", "TRUE", "x", "X"])
def test_yes(text):
    check(HEADACHE, text, 1, "converted", cells.YES_NO)


@pytest.mark.parametrize("text", ["N", "False", "\u00a0no"])
def test_no(text):
    check(HEADACHE, text, 0, "converted", cells.YES_NO)


def test_yes_no_numbers():
    check(HEADACHE, "1", 1, "kept")
    check(HEADACHE, "0.0", 0, "kept")
    check(HEADACHE, "2", None, "rejected", cells.NOT_YES_NO)
    check(HEADACHE, "0.5", None, "rejected", cells.NOT_YES_NO)
    check(PAIN, "yes", None, "rejected", cells.WORD)


def test_yes_and_no_are_verbatim_answers_to_a_yes_no_question():
    check(HEADACHE, "yes", 1, "kept")
    check(HEADACHE, " No ", 0, "kept")


@pytest.mark.parametrize(
    ("text", "value"),
    [("7:30", 450), ("07:30:00", 450), ("7h 30m", 450), ("7h30", 450), ("7 hours 30 minutes", 450), ("07h", 420),
     ("7.5 h", 450), ("7.5h", 450), ("450 min", 450), ("450min.", 450), ("1 hour and 20 min", 80), ("45m", 45)],
)  # fmt: skip
def test_durations(text, value):
    check(SLEEP, text, value, "converted")
    check(SLEEP.in_unit("h"), text, value / 60, "converted")
    check(SLEEP, text, value, "converted", unit="h")


def test_clock_time_in_a_rating():
    check(PAIN, "7:30", None, "rejected", cells.NO_DURATION)


@pytest.mark.parametrize(
    "text", ["2026-04-03", "2026-04-03 00:00:00", "03/04/2026", "3-4-2026", "4-Mar", "Oct-07", "10 Jul", "3 Apr 2026"]
)
def test_date_in_a_rating_is_suspect(text):
    check(PAIN, text, None, "rejected", cells.A_DATE)


@pytest.mark.parametrize("text", ["1e3", "1E3", "1.5e-3"])
def test_scientific_notation(text):
    check(STEPS, text, None, "rejected", cells.SCIENTIFIC)


@pytest.mark.parametrize("text", ["inf", "-inf", "Infinity"])
def test_infinity(text):
    check(STEPS, text, None, "rejected", cells.NOT_FINITE)


def test_formula():
    check(PAIN, "=AVERAGE(B2:B9)", None, "rejected", cells.FORMULA)


@pytest.mark.parametrize("text", ["~7", "≈7", "about 7", "approx. 7", "ca. 7", "7?"])
def test_about(text):
    check(PAIN, text, 7, "converted", cells.APPROXIMATE)


@pytest.mark.parametrize("text", ["7+", ">7", "<3", "≥7", ">= 7", "7 +"])
def test_open_numbers_have_no_value(text):
    check(PAIN, text, None, "rejected", cells.OPEN)


@pytest.mark.parametrize("text", ["７", "٧", "7\xa0", "\u20097", "7\u200b"])
def test_unusual_digits_and_spaces(text):
    check(PAIN, text, 7, "converted", cells.LETTERS)


def test_superscripts_are_not_digits():
    check(PAIN, "1²", None, "rejected")


def test_unicode_minus():
    check(Outcome("change", "Change", "score", low=-5, high=5), "−3", -3, "converted", cells.LETTERS)


def test_units_in_the_cell():
    check(VAS, "75 mm", 75, "converted")
    check(VAS, "7.5 cm", 75, "converted")
    check(VAS, "75 mm", 75, "converted", unit="cm")
    check(EFFICIENCY, "85%", 85, "converted")
    check(PAIN, "70%", None, "rejected", cells.OTHER_UNIT)
    check(PAIN, "7 points", 7, "converted")
    check(STEPS, "5000 steps", 5000, "converted")
    check(PAIN, "7 bad day", None, "rejected", cells.OTHER_UNIT)
    check(PAIN, "5 (after walking)", None, "rejected", cells.OTHER_UNIT)
    check(DOSES, "2 tablets", None, "rejected", cells.OTHER_UNIT)
    check(DOSES, "2 doses", 2, "converted")


def test_unit_of_the_file():
    check(SLEEP, "7.5", 450, "converted", unit="h")
    assert Reader(SLEEP, unit="h").read("7.5").rule.name == "converted from h to min"
    check(SLEEP, "420", 420, "kept", unit="min")
    check(SLEEP, "30", None, "rejected", unit="h")
    check(SLEEP, "7-8", 450, "converted", unit="h")


@pytest.mark.parametrize(
    "text", ["--5", "5..5", "1,2,3", "3-4-5", "seven", "5/", "/10", "-", "3;4", "🙂", "\ud800", "1/0", "a" * 10_000]
)
def test_nonsense_is_never_a_value(text):
    reading = Reader(PAIN).read(text)
    assert math.isnan(reading.value)
    assert reading.status in ("rejected", "missing")


READERS = [
    Reader(o, d, m, ("-99",), ("none",), {"bad": 8})
    for o in (PAIN, SLEEP, STEPS, DOSES, HEADACHE)
    for d in ",;"
    for m in (None, ",", ".")
]
mess = st.text(alphabet="0123456789.,-–/: '+~<>=%ehmtoxyn?½\xa0−٣", max_size=12) | st.text(max_size=20)


@settings(deadline=None)
@given(mess, st.sampled_from(READERS))
def test_any_text_is_a_value_in_range_or_none(text, reader):
    reading = reader.read(text)
    if reading.status in ("kept", "converted"):
        assert math.isfinite(reading.value)
        assert reader.outcome.low is None or reading.value >= reader.outcome.low
        assert reader.outcome.high is None or reading.value <= reader.outcome.high
        assert (reading.rule == cells.KEPT) == (reading.status == "kept")
    else:
        assert math.isnan(reading.value)


@settings(deadline=None)
@given(st.floats(0, 10, allow_nan=False).map(lambda value: round(value, 4)))
def test_numbers_round_trip(value):
    text = f"{value:.4f}"
    assert Reader(PAIN).read(text) == (value, "kept", cells.KEPT)
    assert Reader(PAIN, delimiter=";").read(text.replace(".", ",")).value == value


def test_integer_and_float_columns_agree():
    whole, pointed = (
        read_column(pd.Series(texts, dtype="str"), Reader(PAIN)) for texts in (["1", "7", ""], ["1.0", "7.0", ""])
    )
    assert np.array_equal(whole.values, pointed.values, equal_nan=True)
    assert whole.status.tolist() == pointed.status.tolist() == ["kept", "kept", "missing"]


@settings(deadline=None)
@given(st.lists(mess, max_size=12))
def test_a_column_is_its_cells(texts):
    column = read_column(pd.Series(texts, dtype="str"), READERS[0])
    alone = [READERS[0].read(text) for text in texts]
    assert [column.rules[i] for i in column.rule] == [reading.rule for reading in alone]
    assert np.array_equal(column.values, [reading.value for reading in alone], equal_nan=True)


@pytest.mark.parametrize(
    ("text", "minutes", "rule"),
    [("22:45", 1365, cells.KEPT), ("7:05", 425, cells.KEPT), ("07:05:00", 425, cells.KEPT), ("24:00", 0, cells.KEPT),
     ("10:45 pm", 1365, CLOCK), ("10:45PM", 1365, CLOCK), ("12:30 am", 30, CLOCK), ("12 p.m.", 720, CLOCK), ("22.45", 1365, CLOCK),
     ("22h45", 1365, CLOCK), ("2245", 1365, CLOCK), ("2026-01-04 22:45:00", 1365, CLOCK), ("10", 600, BARE_HOUR)],
)  # fmt: skip
def test_clock_times(text, minutes, rule):
    reading = read_clock(text)
    assert (reading.value, reading.rule) == (minutes, rule)
    assert reading.status == ("kept" if rule == cells.KEPT else "converted")


@pytest.mark.parametrize("text", ["25:00", "22:60", "24:30", "late", "1e3", "-1", "13:00 pm", "22:4"])
def test_no_clock_time(text):
    assert read_clock(text).rule == NO_CLOCK


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_a_clock_time_or_none(text):
    reading = read_clock(text)
    assert math.isnan(reading.value) or 0 <= reading.value < 1440


def test_slips_are_flagged():
    texts = pd.Series(["12:00", "10:30", "10:30 pm", "23:00", "00:00", ""], dtype="str")
    assert may_be_slips(texts, read_clocks(texts).values).tolist() == [True, True, False, False, False, False]
