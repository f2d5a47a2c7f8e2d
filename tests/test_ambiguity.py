"""What can be read in two ways is asked about, not guessed. For each: what is said, what is held back, what a declaration gives."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import openpyxl
import pytest

import acu_nof1 as acu
from acu_nof1.cli import main

PAIN = replace(acu.OUTCOMES["nrs_pain"], name="pain")
PEG = replace(acu.OUTCOMES["peg"], name="peg")
STEPS = acu.Outcome("steps", "Steps", "count", "steps", 0, None, "higher")
WALK = acu.Outcome("walk", "Walking", "minutes", "min", 0, 1440, "higher")
DAYS = [dt.date(2026, 3, 1) + dt.timedelta(days=n) for n in range(12)]


@pytest.fixture
def read(tmp_path):
    """Read a table of text as one outcome; the diary, or the complaints of a file that cannot be read."""

    def made(text, outcome=PAIN, suffix=".csv", **how):
        path = tmp_path / f"diary{suffix}"
        if isinstance(text, str):
            path.write_text(text, encoding="utf-8")
        else:
            text.save(path)
        return acu.read_diary(path, outcomes=[outcome], **how)

    return made


def told(diary, severity="warning error"):
    return [str(problem) for problem in diary.problems if problem.severity in severity]


def values(diary, name):
    return diary.values[name].dropna()


def table(title, cells, days=None, separator=","):
    rows = zip(days or [str(day) for day in DAYS], cells, strict=False)
    return "\n".join([f"date{separator}{title}", *(f"{day}{separator}{cell}" for day, cell in rows)]) + "\n"


# ------------------------------------------------------------------ day/month or month/day


def test_day_and_month_are_asked_about_and_read_as_declared(read):
    # The first to the twelfth of March in Europe; the third of every month in America: both run one way.
    text = table("pain", range(1, 11), [f"{n:02d}/03/2026" for n in range(1, 11)])
    asked = read(text)
    assert any("day and month cannot be told apart" in said and "dayfirst" in said for said in told(asked, "error"))
    assert '"01/03/2026"' in " ".join(told(asked))
    assert asked.counts.kept == asked.counts.converted == 0
    assert values(asked, "pain").empty
    first, month = read(text, dayfirst=True), read(text, dayfirst=False)
    assert values(first, "pain").index[[0, 9]].strftime("%Y-%m-%d").tolist() == ["2026-03-01", "2026-03-10"]
    assert values(month, "pain").index[[0, 9]].strftime("%Y-%m-%d").tolist() == ["2026-01-03", "2026-10-03"]
    assert not told(first)


def test_a_day_above_twelve_settles_it_and_it_is_said_how(read):
    text = table("pain", range(1, 8), [f"{n:02d}/03/2026" for n in range(10, 17)])
    diary = read(text)
    assert values(diary, "pain").index[0].strftime("%Y-%m-%d") == "2026-03-10"
    assert any("dates day first" in said for said in told(diary, "note"))


def test_a_day_above_twelve_settles_nothing_where_the_dates_then_run_both_ways(read):
    text = table("pain", range(1, 5), ["01/03/2026", "03/02/2026", "13/01/2026", "02/04/2026"])
    diary = read(text)
    assert values(diary, "pain").empty
    assert any("day and month cannot be told apart" in said for said in told(diary, "error"))


def test_the_command_asks_for_its_own_flags(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = table("pain", [5, 6, 7, 5, 6, 4, 3, 4, 3, 3], [f"{n:02d}/03/2026" for n in range(1, 11)])
    (tmp_path / "d.csv").write_text(text)
    command = ["report", "d.csv", "--start", "2026-03-06", "--outcome", "pain=nrs_pain"]
    with pytest.raises(SystemExit) as left:
        main(command)
    assert left.value.code
    assert "--dayfirst (day/month) or --monthfirst (month/day)" in capsys.readouterr().err
    assert not (tmp_path / "d.html").exists()
    with pytest.raises(SystemExit) as left:
        main([*command, "--dayfirst"])
    assert left.value.code == 0


# ------------------------------------------------------------------ clock times


NIGHT = "date,into_bed,tried_to_sleep,minutes_to_sleep,minutes_awake,final_awakening,out_of_bed\n"


def nights(into, tried, wake="07:00", up="07:10"):
    return NIGHT + "".join(f"{day},{into},{tried},20,10,{wake},{up}\n" for day in DAYS)


def test_half_past_twelve_at_night_is_asked_about_and_not_moved(read):
    """12:30 on a 24-hour clock is noon: the night would be 18 hours long. It is flagged, and no night is made of it."""
    sleep = replace(acu.OUTCOMES["csd_tst"], name="csd_tst")
    noon = read(nights("12:30", "12:40"), sleep)
    assert any("a bedtime in the morning or at noon, taken as written" in said for said in told(noon))
    assert any("write 00:00" in said for said in told(noon))
    assert values(noon, "csd_tst").empty
    meant = [read(nights(into, tried), sleep) for into, tried in (("00:30", "00:40"), ("12:30 am", "12:40 am"))]
    assert [values(diary, "csd_tst").tolist() for diary in meant] == [[350.0] * 12] * 2  # 00:40 + 20 to 07:00, 10 awake
    assert [told(diary) for diary in meant] == [[], []]


def test_half_past_ten_without_am_or_pm(read):
    """10:30 is written for 22:30 by people with a 12-hour clock; with pm, or 22:30, it is one night."""
    sleep = replace(acu.OUTCOMES["csd_tst"], name="csd_tst")
    morning = read(nights("10:30", "10:45"), sleep)
    assert any("taken as written" in said and "write 22:30 or 10:30 pm" in said for said in told(morning))
    assert not (values(morning, "csd_tst") == 465).any()
    meant = [
        read(nights(*pair), sleep) for pair in (("22:30", "22:45"), ("10:30 pm", "10:45 PM"), ("10.30 p.m.", "10.45pm"))
    ]
    assert [values(diary, "csd_tst").tolist() for diary in meant] == [[465.0] * 12] * 3
    assert [told(diary) for diary in meant] == [[], [], []]


def test_the_two_clocks_in_one_file_agree(read):
    sleep = replace(acu.OUTCOMES["csd_tst"], name="csd_tst")
    half = "".join(f"{day},11:00 pm,11:15 pm,15,0,6:30 am,6:45 am\n" for day in DAYS[:6])
    rest = "".join(f"{day},23:00,23:15,15,0,06:30,06:45\n" for day in DAYS[6:])
    assert values(read(NIGHT + half + rest, sleep), "csd_tst").tolist() == [420.0] * 12


def test_a_bare_hour_is_said_to_be_read_on_the_24_hour_clock(read):
    diary = read(nights("22", "22:15"), replace(acu.OUTCOMES["csd_tst"], name="csd_tst"))
    assert any("an hour without minutes, read on the 24-hour clock" in said for said in told(diary))


# ------------------------------------------------------------------ 3-4 that became a date


@pytest.mark.parametrize("form", ["d-mmm", "yyyy-mm-dd", "dd/mm/yyyy", "mmm-yy"])
def test_3_4_that_excel_turned_into_a_date_is_not_read_as_a_number(read, form):
    """A true date cell, as Excel stores it when 3-4 is typed: a serial number with a date format."""
    book = openpyxl.Workbook()
    book.active.append(["date", "pain"])
    for day in DAYS:
        book.active.append([day, 5])
    book.active["B4"] = dt.datetime(2026, 4, 3)
    book.active["B4"].number_format = form
    diary = read(book, suffix=".xlsx")
    assert len(values(diary, "pain")) == 11
    assert diary.counts.rejected == 1
    line = next(said for said in told(diary) if "row 4" in said)
    assert "a date where a number was expected" in line
    assert "turns 3-4 or 7/10 into a date" in line
    book.active["B4"] = "3-4"
    mended = read(book, suffix=".xlsx")
    assert values(mended, "pain").iloc[2] == 3.5
    assert mended.ledger["rule"].tolist() == ["a range: midpoint"]


@pytest.mark.parametrize(
    "cell", ["4-Mar", "03-Apr-26", "Mar-04", "2026-04-03", "03/04/2026", "3.4.26", "2026-04-03 00:00:00"]
)
def test_the_same_in_a_csv_that_excel_saved(read, cell):
    diary = read(table("pain", [5, 5, cell, 5]))
    assert len(values(diary, "pain")) == 3
    assert diary.ledger["rule"].tolist() == ["a date where a number was expected"]


def test_7_10_is_an_answer_out_of_ten_and_out_of_another_number_it_is_asked_about(read):
    diary = read(table("pain", ["7/10", "7/100"]))
    assert values(diary, "pain").tolist() == [7]
    assert any("out of a number that is not the end of the scale (10)" in said for said in told(diary))


# ------------------------------------------------------------------ decimal commas


def test_a_decimal_comma_between_commas_is_asked_about(read):
    text = table("pain", ['"6,5"', 7, 5])
    diary = read(text)
    assert values(diary, "pain").tolist() == [7, 5]
    assert any('declare decimal = ","' in said and '"6,5"' in said for said in told(diary))
    assert values(read(text, decimal=","), "pain").tolist() == [6.5, 7, 5]


def test_between_semicolons_a_comma_is_a_decimal_comma(read):
    diary = read(table("pain", ["6,5", 7, 5], separator=";"))
    assert values(diary, "pain").tolist() == [6.5, 7, 5]
    assert not told(diary)


def test_a_thousand_or_one_and_a_bit(read):
    text = table("steps", ["1.234", 900], separator=";")
    asked = read(text, STEPS)
    assert values(asked, "steps").tolist() == [900]
    assert any("a point or comma that may part thousands" in said and "Declare decimal" in said for said in told(asked))
    assert values(read(text, STEPS, decimal=","), "steps").tolist() == [1234, 900]
    assert values(read(text, STEPS, decimal="."), "steps").tolist() == [1.234, 900]


# ------------------------------------------------------------------ units


def test_centimetres_of_a_line_that_is_100_mm(read):
    """6.5 cm on a line of 100 mm: small numbers fit the scale, so the range cannot tell; the unit in the cell can."""
    vas = replace(acu.OUTCOMES["vas_pain"], name="vas")
    cm = [6.5, 7.1, 5.9, 6.0, 4.2, 5.5, 6.1, 7.0, 6.6, 5.1, 4.9, 6.3]
    declared = read(table("vas", cm), vas, units={"vas": "cm"})
    assert values(declared, "vas").tolist() == [pytest.approx(10 * x) for x in cm]
    assert set(declared.ledger["rule"]) == {"converted from cm to mm"}
    assert values(read(table("vas", ["6.5 cm", "65 mm", 65]), vas), "vas").tolist() == [65, 65, 65]
    asked = read(table("vas", cm), vas)
    assert any("are these cm?" in said and 'units = {vas = "cm"}' in said for said in told(asked, "error"))
    assert not told(declared)
    whole = read(table("vas", map(round, cm)), vas)  # may be a very mild pain: said, and read as it stands
    assert any("is it a scale of 0 to 10, or cm?" in said for said in told(whole, "warning"))
    assert not told(whole, "error")
    assert not told(read(table("vas", [*map(round, cm[:-1]), 12]), vas))
    assert not told(read(table("vas", cm[:6]), vas))  # too few to say
    assert not told(read(table("vas", [0] * 12), vas))


def test_millimetres_where_points_were_declared(read):
    diary = read(table("pain", [65, 71, 59, 60, 42]))
    assert values(diary, "pain").empty
    assert any("on another scale, in another unit" in said and "cm for mm" in said for said in told(diary, "error"))


def test_hours_where_minutes_were_declared(read):
    sleep = replace(acu.OUTCOMES["csd_tst"], name="sleep")
    text = table("sleep", [7.5, 6, 8, 7, 6.5, 7])
    asked = read(text, sleep)
    assert any("are these hours?" in said and 'units = {sleep = "h"}' in said for said in told(asked, "error"))
    declared = read(text, sleep, units={"sleep": "h"})
    assert values(declared, "sleep").tolist() == [450, 360, 480, 420, 390, 420]
    assert not told(declared)


def test_minutes_where_hours_were_declared(read):
    sleep = replace(acu.OUTCOMES["csd_tst"], name="sleep")
    diary = read(table("sleep", [450, 360, 480, 420]), sleep, units={"sleep": "h"})
    assert values(diary, "sleep").empty
    assert any('units = {… = "min"}' in said or "another unit" in said for said in told(diary))


def test_7_30_is_hours_and_minutes_of_sleep_and_no_number_of_pain(read):
    sleep = replace(acu.OUTCOMES["csd_tst"], name="sleep")
    assert values(read(table("sleep", ["7:30", "6h 15m"]), sleep), "sleep").tolist() == [450, 375]
    assert values(read(table("pain", ["7:30", 5])), "pain").tolist() == [5]


# ------------------------------------------------------------------ mean or sum


def test_a_peg_sum_on_the_mean_s_scale_is_said_to_be_one(read):
    """PEG (Krebs 2009) is the mean of three items of 0-10; forms print the sum, 0-30."""
    diary = read(table("peg", [18, 21, 17, 20, 9, 15]), PEG)
    errors = told(diary, "error")
    assert any("a sum where the mean was expected" in said for said in errors)
    assert values(diary, "peg").tolist() == [9]  # the only one that fits; nothing is divided by three
    assert diary.counts.rejected == 5


def test_a_peg_scored_from_its_items_asks_which_score_is_meant(tmp_path):
    plan = (
        '[[phase]]\nkind = "baseline"\nstart = 2026-03-01\nend = 2026-03-06\n[[phase]]\nkind = "treatment"\n'
        'start = 2026-03-07\nend = 2026-03-12\n[[diary]]\nfile = "d.csv"\n'
        '[outcome.peg]\ninstrument = "peg"\nitems = ["p", "e", "g"]\n'
    )
    (tmp_path / "d.csv").write_text("date,p,e,g\n" + "".join(f"{day},6,7,8\n" for day in DAYS))
    (tmp_path / "protocol.toml").write_text(plan)
    with pytest.raises(acu.AcuError, match=r"form") as error:
        acu.read_trial(tmp_path)
    assert "mean" in str(error.value)
    assert "sum" in str(error.value)
    (tmp_path / "protocol.toml").write_text(plan + 'form = "mean"\n')
    assert set(acu.read_trial(tmp_path).diary.values["peg"]) == {7.0}
