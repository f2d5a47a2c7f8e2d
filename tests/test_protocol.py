"""Protocols: what can be written, and how every mistake in one is answered."""

from __future__ import annotations

import datetime as dt

import pytest

from acu_nof1.errors import AcuError, ProtocolError, UsageError
from acu_nof1.load import read_protocol, read_trial
from acu_nof1.load.protocols import protocol_from
from acu_nof1.load.trials import read_sessions
from acu_nof1.outcomes import OUTCOMES

GOOD = """
[trial]
person = "P-001"
agreed_on = 2026-01-05
[[phase]]
kind = "baseline"
start = 2026-01-05
end = 2026-01-18
[[phase]]
kind = "treatment"
start = 2026-01-19
end = 2026-04-12
[[diary]]
file = "pain.csv"
[outcome.pain]
instrument = "nrs_pain"
important_change = 2.0
"""


def reading(tmp_path, text):
    file = tmp_path / "protocol.toml"
    file.write_text(text, encoding="utf-8")
    return read_protocol(file)


def complaints(tmp_path, text) -> str:
    with pytest.raises(ProtocolError) as caught:
        reading(tmp_path, text)
    assert all(problem.remedy for problem in caught.value.problems)
    return str(caught.value)


def test_a_good_protocol(tmp_path):
    protocol = reading(tmp_path, GOOD)
    assert protocol.design == "AB"
    assert protocol.primary == "pain"
    assert protocol.was_agreed
    assert not protocol.is_n_of_1_trial
    assert not protocol.start_was_randomised
    pain = protocol.outcome("pain")
    assert (pain.low, pain.high, pain.better, pain.important_change, pain.declared) == (0, 10, "lower", 2, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("start = 2026-01-19", "strat = 2026-01-19"), 'key "strat" is not known here. Did you mean "start"?'),
        (("[trial]", "[trail]"), 'key "trail" is not known here. Did you mean "trial"?'),
        (("important_change = 2.0", "important_chnage = 2.0"), 'Did you mean "important_change"?'),
        (("nrs_pain", "nrs_pian"), 'instrument "nrs_pian" is not in the catalogue. Did you mean "nrs_pain"?'),
        (
            ("end = 2026-01-18", "end = 2026-01-20"),
            "starts on 2026-01-19, but the baseline before it lasts until 2026-01-20",
        ),
        (("end = 2026-01-18", "end = 2026-01-01"), "the baseline ends on 2026-01-01, before it starts on 2026-01-05"),
        (('kind = "treatment"', 'kind = "baseline"'), "there is no treatment phase"),
        (("important_change = 2.0", "important_change = 20"), "larger than the whole scale (10 points)"),
        (("important_change = 2.0", "important_change = -2"), "greater than 0"),
        (('instrument = "nrs_pain"', 'instrument = "csd_tib"'), "cannot be primary"),
        (('instrument = "nrs_pain"', 'kind = "rating"'), "better is not given"),
        (('kind = "baseline"', 'kind = "basline"'), 'Did you mean "baseline"?'),
        (("agreed_on = 2026-01-05", 'agreed_on = "soon"'), "agreed_on"),
        (("[trial]", "[trial"), "not valid TOML"),
    ],
)
def test_one_clear_complaint_for_each_mistake(tmp_path, change, said):
    assert said in complaints(tmp_path, GOOD.replace(*change))


def test_treatment_before_baseline(tmp_path):
    text = GOOD.replace('kind = "baseline"', 'kind = "X"').replace('kind = "treatment"', 'kind = "baseline"')
    assert "treatment comes before the first baseline" in complaints(
        tmp_path, text.replace('kind = "X"', 'kind = "treatment"')
    )


def test_all_complaints_at_once(tmp_path):
    text = (
        GOOD.replace("strat", "start")
        .replace("file =", "fiel =")
        .replace("person =", "preson =")
        .replace('kind = "treatment"', "kind = 3")
    )
    said = complaints(tmp_path, text)
    assert all(part in said for part in ('"fiel"', '"preson"', "[[phase]] 2"))


def test_two_primary_outcomes_and_none(tmp_path):
    two = GOOD + 'primary = true\n[outcome.sleep]\ninstrument = "csd_tst"\nprimary = true\n'
    assert "2 outcomes are marked primary: pain, sleep" in complaints(tmp_path, two)
    assert "no outcome is marked primary" in complaints(tmp_path, GOOD + '[outcome.sleep]\ninstrument = "csd_tst"\n')


def test_success_rules(tmp_path):
    assert 'Did you mean "pain"?' in complaints(tmp_path, GOOD + '[success]\nall = ["pian"]\n')
    assert "either all or any" in complaints(tmp_path, GOOD + '[success]\nall = ["pain"]\nany = ["pain"]\n')
    without = GOOD + 'primary = true\n[outcome.sleep]\ninstrument = "csd_tst"\n[success]\nall = ["sleep"]\n'
    assert '"sleep" has no important change' in complaints(tmp_path, without)
    assert reading(tmp_path, GOOD + '[success]\nall = ["pain"]\n').success.rule == "all: pain"


def test_looks(tmp_path):
    assert "either a date or a session number" in complaints(tmp_path, GOOD + "[[reassess]]\nwindow_days = 14\n")
    assert "not after the first treatment day" in complaints(tmp_path, GOOD + "[[reassess]]\non = 2026-01-10\n")
    protocol = reading(
        tmp_path, GOOD + "[[reassess]]\nafter_session = 6\ndecides = true\n[[reassess]]\non = 2026-04-13\n"
    )
    assert protocol.deciding_look.after_session == 6
    assert protocol.window_days(protocol.looks[1]) == 14


def test_headache_windows_are_28_days(tmp_path):
    protocol = reading(tmp_path, GOOD.replace("nrs_pain", "headache_day") + "[[reassess]]\non = 2026-04-13\n")
    assert protocol.window_days(protocol.looks[0]) == 28


def test_an_outcome_declared_without_code(tmp_path):
    text = GOOD + (
        'primary = true\n[outcome.stairs]\nlabel = "Stairs"\nkind = "count"\nbetter = "higher"\nunit = "floors"\n'
        "important_change_percent = 30\n"
    )
    stairs = reading(tmp_path, text).outcome("stairs")
    assert (stairs.kind, stairs.low, stairs.high, stairs.unit, stairs.important_change_percent) == (
        "count",
        0,
        None,
        "floors",
        30,
    )


def test_units_convert_range_and_published_change(tmp_path):
    text = GOOD + 'primary = true\n[outcome.sleep]\ninstrument = "csd_tst"\nunit = "h"\nimportant_change = 1\n'
    sleep = reading(tmp_path, text).outcome("sleep")
    assert (sleep.low, sleep.high, sleep.important_change) == (0, 24, 1)
    vas = reading(
        tmp_path, GOOD.replace("nrs_pain", "vas_pain").replace("important_change = 2.0", 'unit = "cm"')
    ).outcome("pain")
    assert (vas.high, vas.important_change) == (10, 1.5)
    wrong = GOOD + 'primary = true\n[outcome.sleep]\ninstrument = "csd_tst"\nunit = "kg"\n'
    assert 'values in "min" cannot be converted to "kg"' in complaints(tmp_path, wrong)


def test_is_n_of_1_trial_needs_each_condition_twice():
    def phases(letters):
        kinds = {"A": "baseline", "B": "treatment"}
        return [
            {"kind": kinds[letter], "start": dt.date(2026, 1, 1 + 7 * i), "end": dt.date(2026, 1, 7 + 7 * i)}
            for i, letter in enumerate(letters)
        ]

    outcome = {"outcome": {"pain": {"instrument": "nrs_pain"}}}
    for letters, expected in {"AB": False, "ABA": False, "ABAB": True}.items():
        protocol, _ = protocol_from({"phase": phases(letters)} | outcome)
        assert (protocol.design, protocol.is_n_of_1_trial) == (letters, expected)


def test_no_file_and_a_folder_without_protocol(tmp_path):
    with pytest.raises(UsageError, match=r"there is no protocol\.toml here"):
        read_trial(tmp_path)
    with pytest.raises(UsageError, match="no such file or folder"):
        read_trial(tmp_path / "nowhere")


def test_complaints_about_all_files_at_once(tmp_path):
    (tmp_path / "protocol.toml").write_text('sessions = "sessions.csv"\n' + GOOD, encoding="utf-8")
    (tmp_path / "sessions.csv").write_text("date,attended\n2026-01-19,perhaps\nsoon,yes\n", encoding="utf-8")
    with pytest.raises(AcuError) as caught:
        read_trial(tmp_path)
    said = str(caught.value)
    assert "sessions.csv row 2 column attended: expected yes or no, found 'perhaps'" in said
    assert "sessions.csv row 3 column date: expected a date such as 2026-01-19, found 'soon'" in said
    assert "pain.csv" in said


def test_sessions_keep_more_columns_as_text(tmp_path):
    (tmp_path / "protocol.toml").write_text('sessions = "sessions.csv"\n' + GOOD, encoding="utf-8")
    (tmp_path / "pain.csv").write_text("date,pain\n2026-01-05,5\n2026-01-20,4\n", encoding="utf-8")
    (tmp_path / "sessions.csv").write_text(
        "Date,attended,adverse_asked,adverse_event,serious,red_flag,points\n"
        "2026-01-26,no,no,,no,,\n2026-01-19,yes,yes,bruise,no,fever; trauma,LI4;ST36\n",
        encoding="utf-8",
    )
    trial = read_trial(tmp_path)
    first, second = trial.protocol.sessions
    assert (first.date, first.more["points"], first.red_flag) == (dt.date(2026, 1, 19), "LI4;ST36", ("fever", "trauma"))
    assert not second.attended
    assert trial.safety.overrules == "red_flag"
    assert trial.safety.asked == "at every session"
    assert [source.file for source in trial.diary.sources] == ["protocol.toml", "sessions.csv", "pain.csv"]


def test_the_catalogue_can_be_declared_as_a_whole():
    for name in OUTCOMES:
        if OUTCOMES[name].better != "neither":
            phases = [{"kind": "treatment", "start": dt.date(2026, 1, 1), "end": dt.date(2026, 3, 1)}]
            protocol, _ = protocol_from({"phase": phases, "outcome": {name: {"instrument": name}}})
            assert protocol.primary == name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('[[phase]]\nkind = "baseline"', '[phase]\nkind = "baseline"'), "write [[phase]]"),
        (("[[diary]]", "[diary]"), "write [[diary]]"),
        (("[outcome.pain]", "[[outcome]]"), "write [outcome.pain]"),
        (("[outcome.pain]", "[outcome]"), "write [outcome.pain]"),
        (("[outcome.pain]", '[success]\nall = "pain"\n[outcome.pain]'), 'Write all = ["pain"].'),
        (("start = 2026-01-05", "start = 2026-01-05T08:00:00"), "a date is expected. Found: 2026-01-05 08:00:00"),
        (("start = 2026-01-05", "start = 1769904000"), "a date is expected"),
        (("important_change = 2.0", 'important_change = "two"'), "a number is expected"),
        (("important_change = 2.0", "range = [0]"), 'key "range"'),
        (('person = "P-001"', "person = 3"), 'key "person": text is expected. Found: 3.'),
    ],
)
def test_mistakes_of_form_are_said_in_plain_words(tmp_path, change, said):
    text = GOOD.replace(*change)
    if change[1].startswith("[phase]"):
        text = text.replace('[[phase]]\nkind = "treatment"\nstart = 2026-01-19\nend = 2026-04-12\n', "")
    assert said in complaints(tmp_path, text)


def test_a_protocol_in_latin_1(tmp_path):
    (tmp_path / "protocol.toml").write_bytes(GOOD.replace("P-001", "Schr\xf6der").encode("latin-1"))
    with pytest.raises(ProtocolError, match="save it as UTF-8"):
        read_protocol(tmp_path)


def test_all_stages_complain_together(tmp_path):
    text = GOOD.replace("person", "preson").replace("nrs_pain", "nrs_pian").replace("2026-01-18", "2026-01-20")
    (tmp_path / "protocol.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolError) as caught:
        read_trial(tmp_path)
    said = str(caught.value)
    assert all(part in said for part in ('"preson"', '"nrs_pian"', "lasts until 2026-01-20", "pain.csv: there is no"))
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize("file", ["../pain.csv", "/elsewhere/pain.csv"])
def test_a_diary_must_lie_in_the_trial_folder(tmp_path, file):
    (tmp_path / "protocol.toml").write_text(GOOD.replace("pain.csv", file), encoding="utf-8")
    with pytest.raises(ProtocolError, match="must lie in the trial folder"):
        read_trial(tmp_path)


def sessions(tmp_path, text):
    file = tmp_path / "sessions.csv"
    file.write_text(text, encoding="utf-8")
    return read_sessions(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date,seriuos\n2026-01-19,yes\n", 'Did you mean "serious"?'),
        ("date,atended\n2026-01-19,yes\n", 'Did you mean "attended"?'),
        ("date,serious,Serious\n2026-01-19,yes,no\n", 'there are 2 columns "serious"'),
        ("date,red_flag,red flags\n2026-01-19,fever,\n", 'there are 2 columns "red_flag"'),
        ("day,attended\n2026-01-19,yes\n", 'there is no column "date"'),
        ("date,attended\n,yes\n", "row 2 column date: expected a date such as 2026-01-19, the cell is blank"),
        ("date,attended\n1769904000,yes\n", "found '1769904000'"),
        ("date,attended\n02/03/2026,yes\n", "day and month cannot be told apart"),
        ("date,notes\n2026-01-19,a\n2026-01-26,a\n2026-01-27,tired, slept\n", "row 4: the row has more cells"),
    ],
)
def test_mistakes_in_a_session_log(tmp_path, text, said):
    with pytest.raises(ProtocolError) as caught:
        sessions(tmp_path, text)
    assert said in str(caught.value)


def test_session_logs_as_people_write_them(tmp_path):
    assert sessions(tmp_path, "date,attended\n") == ()
    text = "Date,Red Flags,Adverse event\n19.01.2026,\u2013,-\n26.01.2026,none,n/a\n02.02.2026,fever,bruise\n"
    first, second, third = sessions(tmp_path, text)
    assert [first.date, second.date] == [dt.date(2026, 1, 19), dt.date(2026, 1, 26)]
    assert (first.red_flag, first.adverse_event, second.red_flag, second.adverse_event) == ((), "", (), "")
    assert (third.red_flag, third.adverse_event) == (("fever",), "bruise")
    (only,) = sessions(tmp_path, "date,red_flag\n2026-01-19 00:00:00,0\n")
    assert (only.date, only.red_flag) == (dt.date(2026, 1, 19), ())
