"""Documents that cannot drift: names, commands, keys, links and examples are held to the code."""

from __future__ import annotations

import datetime as dt
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import pytest
import typer
from conftest import ROOT

import acu_nof1
from acu_nof1.cli import app
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.load import LAYOUTS, read_protocol
from acu_nof1.load.protocols import OutcomeEntry, PriorEntry, _File, _Plan
from acu_nof1.load.single import KEYS
from acu_nof1.load.trials import KNOWN_COLUMNS
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.protocol import DiaryFile, Draw, Event, Look, Phase, Profile, Session, Success
from acu_nof1.safety import RED_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

DOCUMENTS = (
    "README.md", "docs/API.md", "docs/ARCHITECTURE.md", "docs/COHORTS.md", "docs/METHODS.md", "docs/PRIVACY.md", "docs/PROTOCOL.md",
)  # fmt: skip
TEXT = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
COMMAND = typer.main.get_command(app)

SHOW = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt . && .venv/bin/acu-nof1 demo"
TEST = 'python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e ".[test]" && .venv/bin/python -m pytest'

# The tables of a protocol file: heading in docs/PROTOCOL.md, and the model that reads it.
TABLES: dict[str, type[BaseModel]] = {
    "[trial]": _Plan,
    "[[phase]]": Phase,
    "[drawn]": Draw,
    "[[reassess]]": Look,
    "[[diary]]": DiaryFile,
    "[outcome.NAME]": OutcomeEntry,
    "[outcome.NAME.effect_prior]": PriorEntry,
    "[success]": Success,
    "[safety]": Profile,
    "[[session]]": Session,
    "[[event]]": Event,
}


def fenced(name: str, language: str) -> list[str]:
    """The fenced blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT[name], re.DOTALL | re.MULTILINE)


def section(name: str, heading: str) -> str:
    """The text under one heading of a document."""
    text = TEXT[name]
    assert f"\n## {heading}\n" in text, f"{name} has no heading {heading}"
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def shell_lines(name: str) -> list[list[str]]:
    """Every call of the program in a document's shell examples, as words."""
    text = "\n".join(fenced(name, "sh")).replace("\\\n", " ")
    calls = [line.rpartition("&&")[2].strip() for line in text.splitlines() if "acu-nof1" in line]
    return [shlex.split(call)[1:] for call in calls]


def options(command: Any) -> set[str]:
    """Every option a command knows, long and short."""
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts) if name.startswith("-")}
    return own | {"--help", "-h"}


# ------------------------------------------------------------------ names and commands


def test_the_readme_gives_the_two_commands_and_ci_runs_the_second() -> None:
    assert f"```sh\n{SHOW}\n```" in TEXT["README.md"]
    assert f"```sh\n{TEST}\n```" in TEXT["README.md"]
    assert TEST in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_public_name_has_a_line_and_an_example() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]\(#[\w-]+\) \| \S.* \|$", TEXT["docs/API.md"], re.MULTILINE)
    assert sorted(listed) == sorted(acu_nof1.__all__)
    examples = "\n".join(fenced("docs/API.md", "python"))
    assert not [name for name in acu_nof1.__all__ if not re.search(rf"\bacu\.{name}\b", examples)]


@pytest.mark.parametrize("command", COMMAND.commands.values(), ids=list(COMMAND.commands))
def test_every_command_and_option_is_documented(command: Any) -> None:
    said = "\n".join(TEXT.values())
    assert f"acu-nof1 {command.name}" in TEXT["README.md"]
    assert command.help
    unsaid = [option for option in options(command) if not re.search(rf"(?<![\w-]){option}(?![\w-])", said)]
    assert not unsaid


def test_the_program_s_own_options_and_exit_codes_are_documented() -> None:
    assert not [option for option in options(COMMAND) if option not in TEXT["README.md"]]
    from acu_nof1.cli import EXIT_CODES

    assert EXIT_CODES in TEXT["README.md"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_shell_example_is_a_call_the_program_takes(name: str) -> None:
    for words in shell_lines(name):
        command = COMMAND.commands[words[0]]
        given = {word for word in words if re.match(r"--?[a-z]", word)}
        assert given <= options(command), words
        # Parsed by the program itself: values of the right kind, nothing left over.
        with command.make_context(words[0], words[1:], resilient_parsing=False):
            pass


def test_readme_has_shell_examples_and_names_all_keys_of_an_outcome_option() -> None:
    assert len(shell_lines("README.md")) >= 5
    assert not [key for key in KEYS if f"`{key}" not in TEXT["README.md"]]
    assert f"catalogue of {len(OUTCOMES)} instruments" in TEXT["README.md"].replace("\n", " ")


def test_every_question_and_format_is_documented() -> None:
    methods = TEXT["docs/METHODS.md"].replace("\n", " ")
    assert not [each.question for each in ESTIMATORS if each.question.replace("_", " ") not in methods]
    assert not [layout.name for layout in LAYOUTS if f'"{layout.name}"' not in TEXT["docs/PROTOCOL.md"]]


# ------------------------------------------------------------------ the protocol file


def test_every_table_of_a_protocol_has_its_section() -> None:
    tables = {heading.strip("[]").partition(".")[0] for heading in TABLES}
    at_the_top = set(_File.model_fields) - tables
    assert tables <= set(_File.model_fields)
    assert at_the_top == {key for key, _ in keys_of("At the top")}


def keys_of(heading: str) -> list[tuple[str, str]]:
    """The keys of a section's table, each with its default."""
    return re.findall(
        r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| \S.* \|$", section("docs/PROTOCOL.md", heading), re.MULTILINE
    )


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_of_a_protocol_is_documented_in_order_with_its_default(heading: str) -> None:
    fields, said = TABLES[heading].model_fields, keys_of(heading)
    assert [key for key, _ in said] == list(fields)
    for key, default in said:
        assert (default == "needed") == fields[key].is_required(), key
        value = fields[key].get_default(call_default_factory=True)
        if isinstance(value, bool):
            assert default == str(value).lower(), key
        elif isinstance(value, int):
            assert default == str(value), key
        elif value in ("", (), {}):
            assert default == "empty", key


def choices(annotation: Any) -> Iterator[str]:
    """The words that a field may be, however deep they stand in its annotation."""
    for part in get_args(annotation):
        if get_origin(annotation) is Literal:
            yield part
        else:
            yield from choices(part)


def test_every_choice_and_red_flag_is_documented() -> None:
    text = TEXT["docs/PROTOCOL.md"]
    assert not [flag for flag in RED_FLAGS if f"`{flag}`" not in text]
    fields = [field for model in TABLES.values() for field in model.model_fields.values()]
    found = [choice for field in fields for choice in choices(field.annotation)]
    assert len(found) > 15
    assert not [choice for choice in found if f'`"{choice}"`' not in text]


def test_the_session_log_of_the_documents_is_read(tmp_path: Path) -> None:
    from acu_nof1.load.trials import read_sessions

    (example,) = fenced("docs/PROTOCOL.md", "csv")
    (tmp_path / "sessions.csv").write_text(example, encoding="utf-8")
    sessions = read_sessions(tmp_path / "sessions.csv")
    assert [session.attended for session in sessions] == [True, True, False]
    assert sessions[1].adverse_event == "bruise at a needle site"
    assert sessions[0].more["points"].startswith("BL23")
    assert set(KNOWN_COLUMNS) == {key for key, _ in keys_of("[[session]]")} - {"more"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_toml_example_is_a_protocol(name: str, tmp_path: Path) -> None:
    for number, text in enumerate(fenced(name, "toml")):
        written = tomllib.loads(text)
        if "phase" not in written:  # a part of a protocol: what it leaves out comes from a whole one
            whole = fenced("README.md", "toml")[0]
            text = f"{whole}\n{text}"
        (tmp_path / f"{number}.toml").write_text(text, encoding="utf-8")
        protocol = read_protocol(tmp_path / f"{number}.toml")
        assert protocol.primary
        assert protocol.design == "AB"
        if "agreed_on" in written.get("trial", {}):
            assert protocol.was_agreed


# ------------------------------------------------------------------ examples, links, paths


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if fenced(name, "python")])
def test_every_python_example_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, Any] = {"__name__": "example"}
    for number, text in enumerate(fenced(name, "python"), 1):
        exec(compile(text, f"{name}, example {number}", "exec"), names)
    if "write_report" in "".join(fenced(name, "python")):
        assert (tmp_path / "report.html").stat().st_size > 10_000
    assert "Traceback" not in capsys.readouterr().err


def test_the_readme_s_way_from_nothing_but_a_file_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options of the example, on a file with those columns; the page itself has its own tests."""
    from acu_nof1.load import read_trial
    from acu_nof1.load.single import trial_folder

    words = next(words for words in shell_lines("README.md") if "--save-protocol" in words)
    given = {flag: [words[i + 1] for i, word in enumerate(words) if word == flag] for flag in ("--start", "--outcome")}
    rows = "\n".join(f"2026-01-{day:02},{day % 5 + 2},{6 + day % 3},{4000 + 100 * day}" for day in range(5, 32))
    (tmp_path / words[1]).write_text(f"Date,Pain,Sleep hrs,Steps\n{rows}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    start = dt.date.fromisoformat(given["--start"][0])
    trial_folder(Path(words[1]), Path("my_trial"), start=start, outcomes=given["--outcome"])
    trial = read_trial("my_trial")
    assert [outcome.kind for outcome in trial.protocol.outcomes] == ["rating", "minutes", "count"]
    assert trial.diary.counts.kept == 3 * 27
    assert trial.protocol.phases[1].start == start


def anchors(text: str) -> set[str]:
    """The link targets of a document's headings, as Git hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", [*DOCUMENTS, "sample_data/README.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / name).parent / path) if path else ROOT / name
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def test_the_pictures_of_the_readme_are_small_and_have_words() -> None:
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", TEXT["README.md"])
    assert len(pictures) == 2
    for alternative, target in pictures:
        assert len(alternative) > 20
        assert (ROOT / target).stat().st_size < 300_000


def kept_files() -> list[Path]:
    """The files that belong to the project: all but hidden folders and what building and testing leave behind."""
    passing = re.compile(r"(?:^|/)(?:\.(?!ci/)[^/]*|__pycache__|build|dist|acu_nof1_demo|[^/]*\.egg-info)(?:/|$)")
    return [
        path for path in ROOT.rglob("*") if path.is_file() and not passing.search(path.relative_to(ROOT).as_posix())
    ]


def test_no_file_names_a_place_on_some_machine() -> None:
    places = re.compile(
        rb"(?:^|[\s\"'(=:`])(?:file://)?(?:/(?:home|root|Users|work|opt|mnt)/\w|[A-Z]:\\\\?Users)|\.\./share[d]"
    )
    found = [path.relative_to(ROOT).as_posix() for path in kept_files() if places.search(path.read_bytes())]
    assert not found


def test_the_pins_are_versions_and_markers_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    pattern = re.compile(r'([A-Za-z0-9][\w.-]*)==([\w.!+]+)(?: ; python_version (?:<|>=) "3\.1\d")?')
    assert not [pin for pin in pins if not pattern.fullmatch(pin)]
    names = [re.sub(r"[-_.]+", "-", pin.partition("==")[0]).lower() for pin in pins]
    assert names == sorted(names)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    for requirement in wanted:
        name = re.sub(r"[-_.]+", "-", re.split(r"[\[<>=;\s]", requirement)[0]).lower()
        assert name in names, f"{requirement} has no pin"
    assert not {"acu-nof1", "pip", "setuptools"} & set(names)
