"""What is shipped is whole: wheel, source archive and editable install run the demo from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, SAMPLES

import acu_nof1

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = f"acu_nof1-{acu_nof1.__version__}"
# The tools are those of the running environment: nothing is fetched while testing. Jupyter looks for its templates
# below the prefix of the interpreter, which in a fresh environment is empty.
BORROWED = {
    **os.environ,
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "JUPYTER_PATH": str(Path(sysconfig.get_path("data")) / "share" / "jupyter"),
}
SHIPPED = ("benchmarks/results", "notebooks", "sample_data")
PASSED_OVER = {"__pycache__", ".ipynb_checkpoints"}


def run(*words: str | Path, cwd: Path | None = None) -> str:
    """Run a command; its complaints are the failure's text."""
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=BORROWED, capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True)
class Built:
    """The two archives, and the names of the files in them."""

    wheel: Path
    sdist: Path

    @property
    def in_wheel(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return set(archive.namelist())

    @property
    def in_sdist(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The source archive of this tree, and the wheel that is built from that archive."""
    assert find_spec("hatchling"), "the tests build the package: hatchling belongs to the extra `test`"
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT)
    return Built(out / f"{NAME}-py3-none-any.whl", out / f"{NAME}.tar.gz")


def files_of(folder: str) -> set[str]:
    """Files below a folder of the tree, but for what running leaves behind."""
    files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in files if not PASSED_OVER & set(path.parts)}


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(built: Built) -> None:
    code = files_of("acu_nof1")
    assert {"acu_nof1/py.typed", "acu_nof1/instruments.csv", "acu_nof1/report/templates/page.html"} <= code
    bundled = {f"acu_nof1/_bundled/{name}" for folder in SHIPPED for name in files_of(folder)}
    assert any(name.endswith("notebooks/1_reassessment.ipynb") for name in bundled)
    assert all(any(f"sample_data/{sample}/protocol.toml" in name for name in bundled) for sample in SAMPLES)
    about = {name for name in built.in_wheel if name.startswith(f"{NAME}.dist-info/")}
    assert built.in_wheel - about == code | bundled


def test_the_source_archive_holds_what_is_needed_to_test_and_build(built: Built) -> None:
    wanted = {name for folder in ("acu_nof1", "tests", "docs", "benchmarks", *SHIPPED) for name in files_of(folder)}
    wanted |= {"pyproject.toml", "constraints.txt", "README.md", "CHANGELOG.md", "LICENSE"}
    assert wanted <= built.in_sdist
    assert not [
        name for name in built.in_sdist if PASSED_OVER & set(name.split("/")) or name.startswith((".venv", "dist"))
    ]


def test_the_wheel_says_what_it_is(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        about = Parser().parsestr(archive.read(f"{NAME}.dist-info/METADATA").decode())
        scripts = archive.read(f"{NAME}.dist-info/entry_points.txt").decode()
    assert (about["Name"], about["Version"]) == (PROJECT["name"], acu_nof1.__version__)
    assert about["Requires-Python"] == PROJECT["requires-python"]
    assert about["License-Expression"] == "BSD-3-Clause"
    assert set(about.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    assert "acu-nof1 = acu_nof1.cli:main" in scripts
    assert "What it cannot do" in about.get_payload()


def test_the_changelog_knows_this_version() -> None:
    assert f"## {acu_nof1.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Install into a fresh environment that sees the running one's dependencies; gives its folder of programs."""

    def made(*what: str | Path) -> Path:
        home = tmp_path / "environment"
        venv.create(home, with_pip=False)
        places = {"base": str(home), "platbase": str(home)}
        programs, site = (Path(sysconfig.get_path(part, "venv", places)) for part in ("scripts", "purelib"))
        outer = dict.fromkeys(sysconfig.get_path(part) for part in ("purelib", "platlib"))
        (site / "outer.pth").write_text("\n".join(outer), encoding="utf-8")
        options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation")
        run(sys.executable, "-m", "pip", "--python", programs / "python", "install", *options, *what)
        return programs

    return made


def demo(programs: Path, folder: Path) -> str:
    """Run the demo of an installed package from a folder of its own, and look at what it wrote."""
    folder.mkdir()
    said = run(programs / "acu-nof1", "demo", "--out", "pages", cwd=folder)
    for name in SAMPLES:
        assert str(Path("pages") / f"{name}.html") in said
        page = (folder / "pages" / f"{name}.html").read_text(encoding="utf-8")
        assert page.lower().startswith("<!doctype html>")
        assert page.count("<svg") + page.count("<img") >= 1
    assert "Seek medical evaluation promptly" in said
    sample = run(
        programs / "python", "-c", "from acu_nof1.report import bundled; print(bundled('sample_data/migraine'))"
    )
    run(programs / "acu-nof1", "report", sample.strip(), "--ipynb", "run.ipynb", cwd=folder)
    assert '"output_type"' in (folder / "run.ipynb").read_text(encoding="utf-8")
    return run(programs / "python", "-c", "import acu_nof1; print(acu_nof1.__file__)", cwd=folder).strip()


def test_the_wheel_runs_the_demo_from_another_folder(
    built: Built, install: Callable[..., Path], tmp_path: Path
) -> None:
    """The wheel was built from the source archive, so both are tried."""
    home = demo(install(built.wheel), tmp_path / "elsewhere")
    assert Path(home).is_relative_to(tmp_path)


@pytest.mark.slow
def test_an_editable_install_runs_the_demo_from_another_folder(install: Callable[..., Path], tmp_path: Path) -> None:
    home = demo(install("-e", ROOT), tmp_path / "elsewhere")
    assert Path(home).is_relative_to(ROOT)


def test_an_editable_install_finds_what_is_bundled(install: Callable[..., Path], tmp_path: Path) -> None:
    programs = install("-e", ROOT)
    look = "from acu_nof1.report import bundled; print(bundled('notebooks/1_reassessment.ipynb')); print(bundled('sample_data/migraine'))"
    notebook, sample = run(programs / "python", "-c", look, cwd=tmp_path).splitlines()
    assert Path(notebook) == ROOT / "notebooks" / "1_reassessment.ipynb"
    assert "cells read" in run(programs / "acu-nof1", "check", sample, cwd=tmp_path)


def test_program_and_module_are_the_same(tmp_path: Path) -> None:
    said = run(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['acu-nof1', '--version']; "
               "import runpy; runpy.run_module('acu_nof1', run_name='__main__')", cwd=tmp_path)  # fmt: skip
    assert said.strip() == f"acu-nof1 {acu_nof1.__version__}"
