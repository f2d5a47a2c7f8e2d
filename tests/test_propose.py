"""What is proposed for a file that nobody has described."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acu_nof1.errors import AcuError, UnreadableFileError
from acu_nof1.load.propose import propose


@pytest.fixture
def proposed(tmp_path, monkeypatch):
    def read(text, name="diary.csv"):
        monkeypatch.chdir(tmp_path)
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return propose(name)

    return read


def by_title(proposal):
    return {column.title: (column.looks_like, column.outcome) for column in proposal.columns}


def test_command_to_paste(proposed):
    text = "Date,Pain,Sleep hrs,Steps,Mood\n" + "".join(
        f"2026-01-{day:02d},{day % 9},{6 + day % 3}.5,{4000 + day},fine\n" for day in range(1, 20)
    )
    proposal = proposed(text)
    assert proposal.command == (
        'acu-nof1 report diary.csv --start YYYY-MM-DD --outcome "Pain=nrs_pain" '
        '--outcome "Sleep hrs=csd_tst,unit=h" --outcome "Steps=count,better=higher"'
    )
    assert by_title(proposal) == {
        "Date": ("dates", ""),
        "Pain": ("whole numbers 0 to 8", "nrs_pain"),
        "Sleep hrs": ("numbers 6.5 to 8.5", "csd_tst,unit=h"),
        "Steps": ("whole numbers 4001 to 4019", "count,better=higher"),
        "Mood": ("text", ""),
    }
    assert str(proposal).startswith(
        "Columns of diary.csv:\n  Date       dates\n  Pain       whole numbers 0 to 8  -> nrs_pain"
    )


@pytest.mark.parametrize(
    ("title", "values", "outcome"),
    [
        ("Headache?", "yes,no,yes", "headache_day"), ("migraine", "1,0,1", "headache_day"), ("Rescue tablets", "y,n,n", "rescue_day"),
        ("Tablets", "0,2,1.5", "rescue_doses_day"), ("Pain (mm)", "62,40,55", "vas_pain"), ("Back pain", "6,4,5", "nrs_pain"),
        ("Sleep", "7:30,6:15,8:00", "csd_tst"), ("Slept (min)", "430,390,500", "csd_tst"), ("Sleep quality", "3,4,2", "csd_quality"),
        ("Sleep efficiency %", "85,90,78", "csd_se"), ("Walking", "30,45,20", "minutes,better=higher"), ("Stress", "3,8,5", "nrs_stress"),
        ("csd_waso", "20,30,10", "csd_waso"), ("Spain trip", "1,2,3", ""), ("Pain", "awful,bad,fine", ""), ("Temperature", "36.5,37,38", ""),
        ("Woke up", "2,1,0", "csd_nwak"),
    ],
)  # fmt: skip
def test_what_a_column_is_taken_for(proposed, title, values, outcome):
    lines = "\n".join(f"2026-01-{day:02d};{value}" for day, value in enumerate(values.split(","), 1))
    assert by_title(proposed(f"date;{title}\n{lines}\n"))[title][1] == outcome


def test_looks(proposed):
    looks = by_title(
        proposed("date,when,empty,bed\n01/02/2026,2026-02-01 08:00,,22:45\n02/02/2026,2026-02-02 08:00,n/a,23:10\n")
    )
    assert [look for look, _ in looks.values()] == [
        "dates, day and month cannot be told apart",
        "dates",
        "blank",
        "clock times",
    ]


def test_date_column_with_another_title_is_named(proposed):
    assert '--date "Tag"' in proposed("Tag,pain\n2026-01-05,6\n").command


def test_sleep_diary(proposed):
    titles = "date,into_bed,tried_to_sleep,minutes_to_sleep,minutes_awake,final_awakening,out_of_bed\n"
    command = proposed(titles + "2026-01-05,22:45,23:10,30,25,06:35,07:05\n").command
    assert command.endswith("--outcome csd_tst --outcome csd_se")


@pytest.mark.parametrize(
    "title", ["Pain", "Pain $HOME `id`", 'Pain "worst"', "Pain's", "Pain; rm -rf", "Pain!", "Pain\\n"]
)
def test_command_is_quoted_for_a_shell(proposed, title):
    quoted = '"' + title.replace('"', '""') + '"'
    command = proposed(f"date,{quoted}\n2026-01-05,6\n", name="my diary's.csv").command
    assert shlex.split(command)[2:] == ["my diary's.csv", "--start", "YYYY-MM-DD", "--outcome", f"{title}=nrs_pain"]


def test_file_that_begins_with_a_dash(proposed):
    assert "acu-nof1 report ./-x.csv " in proposed("date,pain\n2026-01-05,6\n", name="-x.csv").command


def test_no_file(tmp_path):
    with pytest.raises(UnreadableFileError):
        propose(tmp_path / "none.csv")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120) | st.text(alphabet="pain sle;,\n0178.:/-", max_size=100).map(str.encode))
def test_any_bytes_give_a_proposal_or_a_complaint(proposed, content):
    try:
        assert "acu-nof1 report" in str(proposed(content))
    except AcuError as error:
        assert error.problems  # noqa: PT017
