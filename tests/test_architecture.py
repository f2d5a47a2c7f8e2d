"""The house as docs/ARCHITECTURE.md draws it: order of imports, map of modules, cost of one more."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, SAMPLES

import acu_nof1
from acu_nof1 import export, reassessment
from acu_nof1.errors import AcuError
from acu_nof1.estimate import ESTIMATORS
from acu_nof1.load import LAYOUTS, Layout, read_diary, read_trial
from acu_nof1.outcomes import OUTCOMES, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from acu_nof1.trial import Trial

PACKAGE = ROOT / "acu_nof1"
DOCUMENT = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
MAP = re.findall(r"^\| `([\w/]+\.py)` \| \S.* \|$", DOCUMENT, re.MULTILINE)
TREE = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
PARSED = {name: ast.parse((PACKAGE / name).read_text(encoding="utf-8")) for name in TREE}

# A value and not a stage: the package itself holds it, because the build reads it there.
VERSION = ("__init__.py", "__version__")
# The one look up the map: a Reassessment shows itself in a notebook, and what it shows is the page's summary.
SHOWN_BY = {("reassessment.py", "report/blocks.py")}

NETWORK = {
    "aiohttp", "asyncio", "ftplib", "http", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket",
    "socketserver", "ssl", "telnetlib", "tornado", "urllib3", "webbrowser", "websocket", "websockets", "xmlrpc", "zmq",
}  # fmt: skip
DRAWING = {"matplotlib", "seaborn", "mpl_toolkits"}
HEAVY = {"pandas", "numpy", "scipy", "matplotlib", "seaborn", "statsmodels", "jinja2", "nbclient", "numba"}

# No sentence may claim more than a baseline and one course can show.
CLAIMS = (
    "effect of",
    "is effective",
    "was effective",
    "effectiveness",
    "significant",
    "caused",
    "lowered",
    "raised by",
    "proves",
    "proven",
    "thanks to",
    "due to",
)


# ------------------------------------------------------------------ reading the source


def module_file(dotted: str) -> str | None:
    """The file of a dotted module of the package; ``None`` if there is none."""
    path = "/".join(dotted.split(".")[1:])
    for candidate in (f"{path}.py", f"{path}/__init__.py") if path else ("__init__.py",):
        if (PACKAGE / candidate).is_file():
            return candidate
    return None


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every (module, name) that is imported anywhere in a file; the name is empty for plain imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are written in full"
            yield from ((node.module or "", alias.name) for alias in node.names)


def own_imports(name: str) -> set[str]:
    """Files of the package that a file imports."""
    found = set()
    for module, what in imported(PARSED[name]):
        if module.split(".")[0] != "acu_nof1":
            continue
        file = module_file(f"{module}.{what}") if what else None
        file = file or module_file(module)
        assert file is not None, f"{name} imports {module}.{what}, which is not there"
        if (file, what) != VERSION:
            found.add(file)
    return found - {name}


def outside_imports(name: str) -> set[str]:
    """Top-level packages from elsewhere that a file imports."""
    return {module.split(".")[0] for module, _ in imported(PARSED[name])} - {"acu_nof1"}


def texts(tree: ast.Module) -> Iterator[str]:
    """Every string of a file that is not a docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


# ------------------------------------------------------------------ the map


def test_the_map_names_every_module_once_and_no_other() -> None:
    assert sorted(MAP) == TREE


@pytest.mark.parametrize("name", [name for name in TREE if name != "__init__.py"])
def test_a_module_imports_only_what_stands_above_it(name: str) -> None:
    above = set(MAP[: MAP.index(name)])
    shown = {file for importer, file in SHOWN_BY if importer == name}
    assert own_imports(name) - shown <= above


def test_the_look_up_the_map_is_still_needed_and_is_taken_late() -> None:
    for importer, file in SHOWN_BY:
        at_the_top = {
            (node.module, alias.name)
            for node in PARSED[importer].body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert file in own_imports(importer)
        assert not any("report" in (module or "") for module, _ in at_the_top)


def test_modules_of_one_package_stand_together_and_its_front_comes_last() -> None:
    for folder in {name.split("/")[0] for name in MAP if "/" in name}:
        places = [place for place, name in enumerate(MAP) if name.startswith(f"{folder}/")]
        assert places == list(range(places[0], places[-1] + 1))
        assert MAP[places[-1]] == f"{folder}/__init__.py"


def test_the_documents_tell_of_the_data_beside_the_code() -> None:
    for place in (
        "acu_nof1/instruments.csv",
        "acu_nof1/report/templates",
        "notebooks/1_reassessment.ipynb",
        "sample_data",
    ):
        assert place in DOCUMENT
        assert (ROOT / place).exists()
    assert (PACKAGE / "py.typed").is_file()


# ------------------------------------------------------------------ what may be imported


@pytest.mark.parametrize("name", TREE)
def test_nothing_reaches_for_the_network(name: str) -> None:
    assert not outside_imports(name) & NETWORK
    assert not [module for module, what in imported(PARSED[name]) if f"{module}.{what}".startswith("urllib.request")]


@pytest.mark.parametrize("name", [name for name in TREE if not name.startswith("plot/")])
def test_only_plots_draw(name: str) -> None:
    assert not outside_imports(name) & DRAWING


def modules_loaded_by(*arguments: str) -> set[str]:
    """Top-level packages that a fresh interpreter imports, as its own import log says."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {line.rpartition("|")[2].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", "import acu_nof1; acu_nof1.__version__"),
        ("-m", "acu_nof1", "--help"),
        ("-m", "acu_nof1", "report", "--help"),
    ],
    ids=["import", "help", "report help"],
)
def test_nothing_heavy_is_imported_before_it_is_needed(arguments: tuple[str, ...]) -> None:
    loaded = modules_loaded_by(*arguments)
    assert "acu_nof1" in loaded
    assert not loaded & HEAVY


def test_a_reassessment_waits_for_no_library_it_does_not_need() -> None:
    """Each of these takes most of a second to import, in two processes of every report."""
    code = (
        "import sys, acu_nof1.reassessment, acu_nof1.report; print(*{'scipy.stats', 'statsmodels'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == ""


def test_public_names_are_looked_up_on_first_use() -> None:
    assert set(acu_nof1.__all__) == set(dir(acu_nof1)) == {"__version__", *acu_nof1._HOMES}
    for name in acu_nof1.__all__:
        assert getattr(acu_nof1, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'reasses'"):
        acu_nof1.reasses  # noqa: B018


def test_type_checkers_see_the_same_names() -> None:
    branch = next(node for node in PARSED["__init__.py"].body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module for node in branch.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert seen == {name: f"acu_nof1.{home}" for name, home in acu_nof1._HOMES.items()}


# ------------------------------------------------------------------ docstrings and words


@pytest.mark.parametrize("name", TREE)
def test_everything_public_says_what_it_is(name: str) -> None:
    assert ast.get_docstring(PARSED[name])
    silent = []
    for node in PARSED[name].body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            members = node.body if isinstance(node, ast.ClassDef) else []
            own = [
                node,
                *(each for each in members if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")),
            ]
            silent += [f"{node.name}.{each.name}" for each in own if not ast.get_docstring(each)]
    assert not silent


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_sentence_claims_more_than_the_design_shows(claim: str) -> None:
    spoken = [text for name, tree in PARSED.items() if name.startswith("words/") for text in texts(tree)]
    spoken += [
        path.read_text(encoding="utf-8") for path in (PACKAGE / "report" / "templates").rglob("*") if path.is_file()
    ]
    assert len(spoken) > 100
    assert not [text for text in spoken if claim in text.lower()]


# ------------------------------------------------------------------ the cost of one more


def example(heading: str) -> dict[str, Any]:
    """Names that the Python examples under a heading of the document define."""
    section = DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    first = re.findall(r"^```python\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[0]
    names: dict[str, Any] = {}
    exec(compile(first, heading, "exec"), names)
    return names


@pytest.fixture
def low_back_pain() -> Trial:
    return read_trial(ROOT / "sample_data" / SAMPLES[0])


def test_one_more_estimator_reaches_every_face(
    low_back_pain: Trial, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    early = example("One more estimator")["EARLY_CHANGE"]
    plain = reassessment.reassess(low_back_pain)
    every = partial(reassessment.estimate_all, estimators=(*ESTIMATORS, early))
    monkeypatch.setattr(reassessment, "estimate_all", every)
    review = reassessment.reassess(low_back_pain)
    export.write_json(review, tmp_path / "answers.json")
    export.write_csv(review, tmp_path / "answers.csv")
    acu_nof1.write_report(review, tmp_path / "page.html")
    (in_json,) = [
        each
        for each in json.loads((tmp_path / "answers.json").read_text(encoding="utf-8"))["estimates"]
        if each["question"] == "early_change"
    ]
    in_csv = pd.read_csv(tmp_path / "answers.csv").query("question == 'early_change'")
    assert in_json["status"] == "ok"
    assert in_json["low"] < in_json["value"] < in_json["high"]
    assert in_csv["value"].to_list() == pytest.approx([in_json["value"]])
    assert in_csv["reading"].to_list() == [in_json["reading"]]
    assert early.title in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert review.sentence == plain.sentence  # a further question changes no other answer


def test_one_more_format_is_one_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    more = (*LAYOUTS, example("One more table format")["CLINIC_APP"])
    assert isinstance(more[-1], Layout)
    file = tmp_path / "app.csv"
    file.write_text("Logged,Item,Score\n2026-01-05,pain,6\n2026-01-06,pain,5\n2026-01-07,pain,7/10\n", encoding="utf-8")
    pain = Outcome("pain", "Pain", "rating", "points", 0, 10)
    with pytest.raises(AcuError):
        read_diary(file, outcomes=[pain])
    for module in users_of_layouts():
        monkeypatch.setattr(module, "LAYOUTS", more)
    for how in ({}, {"layout": "clinic_app"}):
        diary = read_diary(file, outcomes=[pain], **how)
        np.testing.assert_array_equal(diary.values["pain"], [6, 5, 7])
        assert list(diary.ledger["raw"]) == ["7/10"]


def users_of_layouts() -> list[Any]:
    """Modules that hold a name for the tuple of layouts."""
    return [
        module
        for name, module in sys.modules.items()
        if name.startswith("acu_nof1.load.") and hasattr(module, "LAYOUTS")
    ]


def test_one_more_outcome_is_one_table(
    trial_of: Callable[..., Trial], noisy: Callable[..., np.ndarray], tmp_path: Path
) -> None:
    text = re.search(r"^```toml\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert text is not None
    declared = tomllib.loads(text[1])["outcome"]
    (name,) = declared
    assert name not in OUTCOMES
    values = noisy([4.0] * 14 + [9.0] * 70, high=100)
    review = reassessment.reassess(trial_of({name: values}, **declared))
    acu_nof1.write_report(review, tmp_path / "page.html")
    export.write_csv(review, tmp_path / "answers.csv")
    assert review.verdict.kind == "improved"
    assert declared[name]["label"] in review.sentence or declared[name]["label"].lower() in review.sentence
    assert declared[name]["label"] in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert set(pd.read_csv(tmp_path / "answers.csv")["question"]) == {
        "change_at_reassessment",
        "rate_ratio",
        "mean_change",
        "level_change",
        "slope_change",
    }
    assert acu_nof1.plot_trial(review.trial).axes
