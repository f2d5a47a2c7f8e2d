"""A trial that is about to begin: what `init` writes is filled in as a person would, and read without a single complaint."""

from __future__ import annotations

import datetime as dt
import functools
import io
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acu_nof1.checks import problems_of
from acu_nof1.cli import CONDITION_NAMES, main
from acu_nof1.derive import CSD_ITEMS
from acu_nof1.errors import UsageError
from acu_nof1.load import read_protocol, read_trial
from acu_nof1.load.trials import KNOWN_COLUMNS
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.reassessment import reassess
from acu_nof1.report import pdf as printing
from acu_nof1.safety import RED_FLAGS
from acu_nof1.simulate import Design, Truth, realise
from acu_nof1.simulate import noise as noise_of
from acu_nof1.start import CONDITIONS, FILES, Outset, outset, write_sheet, write_start
from acu_nof1.start.workbooks import FIRST, TITLES
from acu_nof1.words import start as words

if TYPE_CHECKING:
    from collections.abc import Callable

START = dt.date(2026, 1, 19)
# Baseline day, change, SD of a day and step of everything that is written down as a number.
DAYS = {
    "pain": (6.5, -4.0, 1.0, 1), "stairs": (6.5, -4.0, 1.0, 1), "stress": (5.0, 0.0, 1.2, 1), "stiffness": (35, -15, 8, 5),
    "walking": (25, 12, 8, 5), "sleep": (5.8, 0.8, 0.7, 0.5), "intensity": (6, -1, 1.2, 1),
}  # fmt: skip
SHARES = {"tablets": (0.5, -0.3), "flare": (0.4, -0.25), "headache": (0.65, -0.5), "cancelled": (0.3, -0.2)}


@pytest.fixture(scope="session")
def fresh(tmp_path_factory) -> Callable[[str], tuple[Outset, Path]]:
    """Folders as `init` leaves them, without the PDF."""

    @functools.cache
    def made(condition: str) -> tuple[Outset, Path]:
        start, folder = outset(condition, START, person="P-001"), tmp_path_factory.mktemp(condition) / "trial"
        write_start(start, folder)
        return start, folder

    return made


@pytest.fixture(params=CONDITIONS)
def trial(request, fresh, tmp_path) -> tuple[Outset, Path]:
    """A folder of one's own to fill in."""
    made, folder = fresh(request.param)
    return made, Path(shutil.copytree(folder, tmp_path / "trial"))


QUICK = ("headache", "sleep_and_stress")
# Every condition in the whole suite, two kinds of them every time.
two_of_them = pytest.mark.parametrize(
    "trial",
    [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in CONDITIONS],
    indirect=True,
)


def run(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return int(stopped.value.code or 0), out, err


def simulated(made: Outset, rng: np.random.Generator, *, changed: bool) -> dict[str, list]:
    """What a person would write, by question: numbers as numbers, yes or no from the list, times as times; gaps."""
    treated = len(made.days) - made.baseline_days
    design = Design(made.baseline_days, treated, made.window_days)
    reached = realise(design, Truth(level=0, change=1.0, shape="gradual", sd=0), np.zeros((1, design.days))).values[0]
    written: dict[str, list] = {}
    for question in made.condition.questions:
        name, scale = question.name, question.outcome
        if name in DAYS:
            level, change, sd, step = DAYS[name]
            truth = Truth(level, change * changed, sd=sd, step=step, low=scale.low, high=scale.high)
            values = realise(design, truth, noise_of(1, design.days, seed=rng, phi=0.3)).values[0]
            written[name] = [int(value) if value == int(value) else float(value) for value in values]
        elif name in SHARES:
            share, change = SHARES[name]
            written[name] = [
                "yes" if yes else "no" for yes in rng.random(design.days) < share + changed * change * reached
            ]
        else:
            written[name] = [0, 0.5, 1, 2] * (design.days // 4)
    if "headache" in written:  # intensity and tablets belong to days with headache
        with_headache = np.array(written["headache"]) == "yes"
        written["intensity"] = [
            max(1, v) if yes else None for v, yes in zip(written["intensity"], with_headache, strict=True)
        ]
        written["doses"] = [v if yes else 0 for v, yes in zip(written["doses"], with_headache, strict=True)]
    if made.condition.nights:
        written |= {
            "into_bed": [dt.time(22, int(m)) if m < 60 else dt.time(0, 0) for m in rng.integers(0, 75, design.days)],
            "tried_to_sleep": [dt.time(0, int(m)) for m in rng.integers(5, 60, design.days)],
            "minutes_to_sleep": rng.integers(5, 60, design.days).tolist(),
            "minutes_awake": rng.integers(0, 60, design.days).tolist(),
            "final_awakening": [dt.time(6, int(m)) for m in rng.integers(0, 60, design.days)],
            "out_of_bed": [dt.time(7, int(m)) for m in rng.integers(0, 60, design.days)],
        }
    for values in written.values():
        for gap in rng.choice(design.days, design.days // 10, replace=False):
            values[gap] = None
    return written


def type_in(folder: Path, made: Outset, written: dict[str, list]) -> None:
    """Type values into the diary below their titles, as a person does."""
    book = openpyxl.load_workbook(folder / "diary.xlsx")
    for sheet in book.worksheets[1:]:
        for cell in sheet[TITLES]:
            name = str(cell.value).lower().replace(" ", "_")
            for row, value in enumerate(written.get(name, []), FIRST):
                sheet.cell(row, cell.column).value = value
    book[words.DIARY].cell(FIRST + 2, book[words.DIARY].max_column).value = "a cold"
    book.save(folder / "diary.xlsx")
    log = openpyxl.load_workbook(folder / "sessions.xlsx")
    for week in range(made.weeks):
        day = dt.datetime.combine(made.start, dt.time()) + dt.timedelta(weeks=week)
        for column, value in enumerate((day, "yes", "yes", None, "no", None, "LI4; ST36", 8, 20), 1):
            log[words.SESSIONS].cell(FIRST + week, column).value = value
    log.save(folder / "sessions.xlsx")


# ------------------------------------------------------------------ filled in and read


def test_a_blank_diary_is_read_without_a_line_in_the_ledger_and_said_to_be_blank(trial):
    made, folder = trial
    read = read_trial(folder)
    columns = len(made.condition.questions) + (len(CSD_ITEMS) if made.condition.nights else 0)
    assert read.diary.counts.missing == read.diary.counts.read == columns * len(made.days)
    assert read.diary.ledger.empty
    assert read.protocol.sessions == ()
    warnings = [str(problem) for problem in problems_of(read) if problem.severity != "note"]
    assert len(warnings) == 1
    assert "blank so far" in warnings[0]


@pytest.mark.parametrize("trial", ["sleep_and_stress"], indirect=True)
def test_a_blank_diary_has_a_report_that_says_so(trial, tmp_path, capsys):
    assert run(capsys, "check", trial[1])[0] == 0
    code, out, _ = run(capsys, "report", trial[1], "--out", tmp_path / "page.html")
    assert code == 0
    assert out.startswith("Cannot say.")


@two_of_them
def test_a_diary_filled_in_is_reported_by_the_command_without_a_complaint(trial, tmp_path, capsys):
    made, folder = trial
    type_in(folder, made, simulated(made, np.random.default_rng(7), changed=True))
    code, out, err = run(capsys, "report", folder, "--out", tmp_path / "page.html")
    assert (code, err) == (0, "")
    assert out.startswith("Improved.")


def test_a_diary_filled_in_is_read_value_for_value_and_judged_as_planted(trial):
    made, folder = trial
    written = simulated(made, np.random.default_rng(7), changed=True)
    type_in(folder, made, written)
    read = read_trial(folder)
    assert read.diary.ledger.empty
    assert not [problem for problem in problems_of(read) if problem.severity != "note"]
    assert len(read.protocol.attended) == made.weeks
    numbers = {"yes": 1.0, "no": 0.0, None: np.nan}
    for question in made.condition.questions:  # the same values on the same days
        values = [numbers.get(value, value) for value in written[question.name]]
        found = read.diary.values[question.name].reindex(list(map(np.datetime64, made.days)))
        np.testing.assert_array_equal(found, np.array(values, float), question.name)
    assert reassess(read).verdict.kind == "improved"


@two_of_them
def test_a_diary_in_which_nothing_changed_is_not_called_better_or_worse(trial):
    made, folder = trial
    type_in(folder, made, simulated(made, np.random.default_rng(3), changed=False))
    review = reassess(read_trial(folder))
    rated = made.condition.questions[0].outcome.kind == "rating"
    assert review.verdict.kind in (("no_important_change",) if rated else ("no_important_change", "cannot_say"))


def test_clock_times_become_hours_of_sleep_across_midnight(tmp_path):
    """Carney 2012, Sleep 35:287, the worked night: in bed 22:45, tried 23:10, 30 and 25 min, 06:35, up 07:05."""
    made = outset("sleep_and_stress", START)
    write_start(made, tmp_path / "trial")
    clock = (dt.time(22, 45), dt.time(23, 10), 30, 25, dt.time(6, 35), dt.time(7, 5))
    midnight = (dt.time(0, 0), dt.time(0, 0), 0, 0, dt.time(6, 0), dt.time(6, 0))
    nights = {name: list(pair) for name, *pair in zip(CSD_ITEMS, clock, midnight, strict=True)}
    type_in(tmp_path / "trial", made, nights)
    read = read_trial(tmp_path / "trial")
    assert read.diary.ledger.empty
    values = read.diary.values
    assert values["sleep"].dropna().to_list() == pytest.approx([390 / 60, 6.0])
    assert values["efficiency"].dropna().to_list() == pytest.approx([78.0, 100.0])


def test_hours_that_a_spreadsheet_took_for_a_time_are_hours(tmp_path):
    """Who types 6:30 into a cell without a format gets a time: it means six and a half hours."""
    made = outset("neck_pain", START)
    write_start(made, tmp_path / "trial")
    book = openpyxl.load_workbook(tmp_path / "trial" / "diary.xlsx")
    (cell,) = [cell for cell in book[words.DIARY][TITLES] if cell.value == "Sleep"]
    assert book[words.DIARY].cell(FIRST, cell.column).number_format == "General"
    type_in(tmp_path / "trial", made, {"sleep": [6.5, dt.time(6, 30), 7]})
    values = read_trial(tmp_path / "trial").diary.values["sleep"].dropna()
    assert values.to_list() == [6.5, 6.5, 7.0]


def test_days_that_have_not_come_are_odd_only_where_something_is_written(tmp_path):
    today = dt.date.today()
    made = outset("other_pain", today + dt.timedelta(days=9))
    write_start(made, tmp_path / "trial")
    kept = (today - made.first_day).days + 1
    type_in(tmp_path / "trial", made, {"pain": [5, 6] * (kept // 2), "sleep": [7] * kept})
    assert not [p for p in read_trial(tmp_path / "trial").diary.problems if p.severity != "note"]
    type_in(tmp_path / "trial", made, {"pain": [5] * (kept + 2)})
    (odd,) = [p for p in read_trial(tmp_path / "trial").diary.problems if p.severity != "note"]
    assert "a day that has not come yet" in odd.problem
    assert f"rows {FIRST + kept}, {FIRST + kept + 1}" in odd.where


# ------------------------------------------------------------------ the workbooks


def checks_of(sheet) -> dict[str, object]:
    """The check of each column, by title; it covers every row to fill in."""
    found = {}
    for check in sheet.data_validations.dataValidation:
        (cells,) = check.sqref.ranges
        assert (cells.min_row, cells.min_col) == (FIRST, cells.max_col)
        found[sheet.cell(TITLES, cells.min_col).value] = (check, cells.max_row)
    return found


def test_every_column_is_checked_by_the_scale_of_its_outcome(trial):
    made, folder = trial
    sheet = openpyxl.load_workbook(folder / "diary.xlsx")[words.DIARY]
    checks = checks_of(sheet)
    titles = [cell.value for cell in sheet[TITLES]]
    assert titles == ["Date", *checks, "Notes"]
    for question in made.condition.questions:
        check, last = checks[words.title(question.name)]
        outcome = question.outcome
        assert last == FIRST + len(made.days) - 1
        assert check.allow_blank
        assert check.showErrorMessage
        assert 20 < len(check.error) <= 225  # a spreadsheet shows no more
        assert len(check.errorTitle) <= 32
        if outcome.kind == "yes_no":
            assert (check.type, check.formula1) == ("list", '"yes,no"')
        elif outcome.unit == "h":  # less than an hour is a time typed for hours: asked, not refused
            assert (check.type, float(check.formula1), float(check.formula2)) == ("decimal", 1, 24)
            assert check.errorStyle == "warning"
        else:
            assert check.type == ("decimal" if outcome.kind == "doses" else "whole")
            assert float(check.formula1) == outcome.low
            assert outcome.high is None or float(check.formula2) == outcome.high
            assert check.operator == ("greaterThanOrEqual" if outcome.high is None else "between")
            assert check.errorStyle in (None, "stop")


def test_every_day_has_its_row_the_titles_stay_in_sight_and_the_pages_are_a4(trial):
    made, folder = trial
    book = openpyxl.load_workbook(folder / "diary.xlsx")
    nights = [words.NIGHTS] if made.condition.nights else []
    assert book.sheetnames == [words.READ_ME, words.DIARY, *nights]
    for name in (words.DIARY, *nights):
        sheet = book[name]
        dates = [sheet.cell(row, 1).value.date() for row in range(FIRST, sheet.max_row + 1)]
        assert dates == list(made.days)
        assert sheet.freeze_panes == f"B{FIRST}"
        assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth) == (9, 1)
        assert sheet.print_title_rows == f"$1:${TITLES}"
    told = " ".join(str(cell.value) for row in book[words.READ_ME] for cell in row if cell.value)
    assert all(words.title(question.name) in told for question in made.condition.questions)
    assert "Seek medical evaluation promptly" in told


def test_bedtimes_are_asked_about_and_other_times_held_to_the_clock(tmp_path):
    write_start(outset("sleep_and_stress", START), tmp_path / "trial")
    checks = checks_of(openpyxl.load_workbook(tmp_path / "trial" / "diary.xlsx")[words.NIGHTS])
    assert list(checks) == list(map(words.title, CSD_ITEMS))
    bed = checks["Into bed"][0]
    assert (bed.type, bed.errorStyle) == ("custom", "warning")
    assert bed.formula1 == f"OR(B{FIRST}<TIME(8,0,0),B{FIRST}>=TIME(13,0,0))"  # as `clocks.may_be_slips` flags them
    assert checks["Final awakening"][0].type == "time"
    assert checks["Minutes awake"][0].type == "whole"


def test_the_session_log_has_the_titles_a_reader_knows_and_its_lists_fit(tmp_path):
    write_start(outset("migraine", START), tmp_path / "trial")
    sheet = openpyxl.load_workbook(tmp_path / "trial" / "sessions.xlsx").worksheets[0]
    titles = [cell.value for cell in sheet[TITLES]]
    assert {*KNOWN_COLUMNS} - {"late_cancel"} <= {*titles}
    checks = {title: check for title, (check, _) in checks_of(sheet).items()}
    assert checks["attended"].formula1 == '"yes,no,late cancel"'
    assert checks["red_flag"].formula1 == f'"{",".join(RED_FLAGS)}"'
    assert checks["red_flag"].errorStyle == "warning"  # several may be written
    assert all(len(check.formula1) <= 257 for check in checks.values())  # a longer list is damage to a spreadsheet
    assert checks["date"].formula2 == "DATE(2026,4,12)"


# ------------------------------------------------------------------ the protocol


def test_the_protocol_says_what_was_asked_for(trial):
    made, folder = trial
    protocol = read_protocol(folder)
    before, treatment = protocol.phases
    condition = made.condition
    assert (before.end, treatment.start) == (START - dt.timedelta(days=1), START)
    assert (before.days, treatment.days) == (condition.baseline_days, 7 * condition.weeks)
    (look,) = protocol.looks
    assert (look.on, look.window_days) == (treatment.end + dt.timedelta(days=1), condition.window_days)
    assert protocol.primary == condition.questions[0].name
    assert list(protocol.outcomes) == [question.outcome for question in condition.outcomes]
    assert (protocol.person, protocol.agreed_on) == ("P-001", None)
    assert protocol.planned_sessions == condition.sessions
    assert protocol.success.all == (protocol.primary,)


def test_published_changes_stand_beside_their_sources_and_none_is_invented(trial):
    made, folder = trial
    text = " ".join((folder / "protocol.toml").read_text(encoding="utf-8").replace("\n# ", " ").split())
    for outcome in [each.outcome for each in made.condition.outcomes] + [OUTCOMES[i] for i in made.condition.further]:
        if outcome.important_change is not None or outcome.important_change_percent is not None:
            assert outcome.source in text
    for question in made.condition.outcomes:
        block = text.partition(f"[outcome.{question.name}]")[2].partition("[outcome.")[0]
        (said,) = re.findall(r"important_change = ?([\d.]*) #", block)
        known = question.outcome.important_change
        assert said == ("" if known is None else f"{known:g}")


def test_every_remark_that_can_be_used_is_right_when_its_mark_is_taken_away(trial):
    made, folder = trial
    file = folder / "protocol.toml"
    text = re.sub(
        r"^# important_change = +#", "# important_change = 5  #", file.read_text(encoding="utf-8"), flags=re.M
    )
    used = re.sub(r"^# (?=\[+[a-z]\S*\]$|[a-z_]+ = )", "", text, flags=re.M)
    assert used.count("\n# ") < text.count("\n# ") - 12
    file.write_text(used, encoding="utf-8")
    protocol = read_protocol(folder)
    assert protocol.was_agreed
    assert {*made.condition.further} < {outcome.name for outcome in protocol.outcomes}
    assert all(o.important_change for o in protocol.outcomes)
    assert protocol.safety.red_flags == ()
    assert protocol.safety.pregnant is False
    assert len(protocol.events) == 1


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_code_comes_back_as_it_was_given(person):
    from acu_nof1.start.protocol import protocol_text

    text = protocol_text(outset("headache", START, person=person))
    assert tomllib.loads(text)["trial"]["person"] == person


@given(st.dates(dt.date(2001, 6, 1), dt.date(2090, 1, 1)), st.integers(7, 365), st.integers(1, 104))
def test_the_days_are_whole_and_meet_for_any_dates(start, baseline_days, weeks):
    made = outset("migraine", start, baseline_days=baseline_days, weeks=weeks)
    assert len(made.days) == baseline_days + 7 * weeks
    assert (made.days[0], made.days[-1]) == (made.first_day, made.last_day)
    assert made.days.index(start) == baseline_days
    assert made.window_days == min(28, 7 * weeks)


# ------------------------------------------------------------------ the diary for paper


def pages_of(pdf: Path) -> int:
    said = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^Page size:.*A4", said, re.M)
    assert re.search(r"^Tagged: +yes", said, re.M)
    return int(re.search(r"^Pages: +(\d+)", said, re.M)[1])


NO_PRINTER = not shutil.which("pdfinfo") or not any(map(shutil.which, printing.BROWSERS))


@pytest.mark.skipif(NO_PRINTER, reason="no browser, or no pdfinfo")
@pytest.mark.parametrize(
    ("condition", "pages"),
    [("sleep_and_stress", 3)]
    + [pytest.param(name, 2, marks=pytest.mark.slow) for name in CONDITIONS if name != "sleep_and_stress"],
)
def test_the_paper_has_one_a4_page_for_every_two_weeks_or_every_week_with_nights(tmp_path, condition, pages):
    write_start(outset(condition, START, baseline_days=7, weeks=2, person="P-001"), tmp_path / "trial")
    assert pages_of(write_sheet(tmp_path / "trial")) == pages


@pytest.mark.parametrize("trial", ["headache", "sleep_and_stress"], indirect=True)
def test_every_day_stands_on_the_paper_once_for_each_table(trial):
    made, folder = trial
    html = (folder / "diary_for_paper.html").read_text(encoding="utf-8")
    rows = re.findall(r'<th scope="row"><strong>\w+</strong>(\d+ \w+ \d+)</th>', html)
    assert len(rows) == (2 if made.condition.nights else 1) * len(made.days)
    assert len({*rows}) == len(made.days)
    ticked = sum(question.outcome.kind == "yes_no" for question in made.condition.questions)
    assert html.count('class="box"') == 2 * ticked * len(made.days)
    assert html.count("Seek medical evaluation promptly") == html.count("<section>")


def test_a_code_with_markup_is_printed_as_text(tmp_path):
    write_start(outset("headache", START, person="<b>P & 1</b>"), tmp_path / "trial")
    assert "&lt;b&gt;P &amp; 1&lt;/b&gt;" in (tmp_path / "trial" / "diary_for_paper.html").read_text(encoding="utf-8")


# ------------------------------------------------------------------ the command


@pytest.fixture
def no_printer(monkeypatch):
    def fail(_page, pdf):
        raise printing.MissingToolError([printing.Problem("error", str(pdf), "no PDF could be made.", printing.REMEDY)])

    monkeypatch.setattr("acu_nof1.start.write_pdf", fail)


def options(*, start: dt.date = START) -> list[str]:
    return ["--condition", "headache", "--start", start.isoformat()]


@pytest.mark.usefixtures("no_printer")
def test_without_a_printer_everything_else_is_written_and_the_code_is_3(tmp_path, capsys):
    code, out, err = run(capsys, "init", tmp_path / "a" / "b", *options())
    assert code == 3
    assert {file.name for file in (tmp_path / "a" / "b").iterdir()} == {*FILES} - {"diary_for_paper.pdf"}
    assert "no PDF could be made" in err
    assert "acu-nof1 check" in out


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_there_is_never_overwritten(tmp_path, name, capsys):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    code, _, err = run(capsys, "init", tmp_path, *options())
    assert code == 2
    assert f"{name}: a file of this name is there already" in err
    assert [file.name for file in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


def test_what_is_missing_is_named_all_at_once_where_nobody_can_be_asked(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    code, _, err = run(capsys, "init")
    assert code == 2
    assert [line.split(":")[1].strip() for line in err.splitlines()] == ["DIR", "--condition", "--start"]
    assert all(name in err for name in CONDITIONS)
    code, _, err = run(capsys, "init", tmp_path / "new", "--condition", "headache")
    assert code == 2
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "new").exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("no_printer")
def test_a_terminal_is_asked_until_it_answers(tmp_path, monkeypatch, capsys):
    typed = [str(tmp_path / "new"), "backache", "99", "2", "next week", "2026-02-02", "P-9"]
    monkeypatch.setattr(sys, "stdin", Terminal("\n".join(typed) + "\n"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, out, _ = run(capsys, "init")
    assert code == 3
    protocol = read_protocol(tmp_path / "new")
    assert (protocol.person, protocol.condition, protocol.first_treatment.start) == (
        "P-9",
        "neck pain",
        dt.date(2026, 2, 2),
    )
    assert all(name in out for name in CONDITIONS)


@pytest.mark.usefixtures("no_printer")
def test_who_gives_everything_is_asked_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run(capsys, "init", tmp_path / "new", *options())[0] == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--condition", "migrane", "--start", "2026-01-19"], 'Did you mean "migraine"?'),
        (["--condition", "headache", "--start", "0026-01-19"], "this year cannot be meant"),
        (["--condition", "headache", "--start", "19.1.2026"], "--start"),
        (["--condition", "headache", "--start", "2026-01-19", "--weeks", "0"], "--weeks"),
        (["--condition", "headache", "--start", "2026-01-19", "--baseline-days", "3"], "--baseline-days"),
    ],
)
def test_wrong_options_are_said_and_nothing_is_written(tmp_path, wrong, said, capsys):
    code, _, err = run(capsys, "init", tmp_path / "new", *wrong)
    assert code == 2
    assert said in err
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("no_printer")
def test_days_that_are_gone_are_warned_of(tmp_path, capsys):
    start = dt.date.today() + dt.timedelta(days=25)
    _, _, err = run(capsys, "init", tmp_path / "gone", *options(start=start))
    assert "3 of the diary's days before treatment are gone already" in err
    _, _, err = run(capsys, "init", tmp_path / "new", *options(start=start + dt.timedelta(days=3)))
    assert "gone already" not in err


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        write_start(outset("headache", START), tmp_path / "file" / "trial")


def test_conditions_have_the_lengths_that_the_help_names_and_words_for_every_question():
    assert tuple(CONDITIONS) == CONDITION_NAMES
    for condition in CONDITIONS.values():
        headache = condition.questions[0].outcome.domain == "headache"
        assert (condition.baseline_days, condition.weeks) == ((28, 12) if headache else (14, 10))
        asked = [question.name for question in condition.questions] + list(CSD_ITEMS if condition.nights else ())
        assert {*asked} <= {*words.ASKED}
        assert {*condition.further} <= {*OUTCOMES}
        for name in asked:
            assert len(words.title(name)) < 20
            assert sum(map(len, words.ASKED[name])) < 90
