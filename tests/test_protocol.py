"""Protocols: what can be written, and how every mistake in one is answered."""

from __future__ import annotations

import datetime as dt

import pytest

from acu_nof1.errors import AcuError, ProtocolError, UsageError
from acu_nof1.load import read_protocol, read_trial
from acu_nof1.load.protocols import protocol_from
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
