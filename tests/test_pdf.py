"""Pages as tagged PDFs: by the browser, by WeasyPrint, and what is said where neither is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import report_cases as cases

from acu_nof1.cli import main
from acu_nof1.errors import MissingToolError
from acu_nof1.report import pdf as printing
from acu_nof1.report import write_pdf

BROWSER = next((name for name in printing.BROWSERS if shutil.which(name)), None)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("pdf") / "page & more.html"
    file.write_text(cases.page("low_back_pain"), encoding="utf-8")
    return file


def facts(pdf):
    said = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in said.splitlines())}


def structure(pdf):
    return subprocess.run(["pdfinfo", "-struct", pdf], capture_output=True, text=True, check=True).stdout


def held(pdf):
    found = facts(pdf)
    assert found["Tagged"] == "yes"
    assert found["Title"].startswith("Reassessment · P-014")
    assert "A4" in found["Page size"]
    inside = structure(pdf)
    assert [
        name for name in ("H1", "H2", "Table", "TH", "Figure") if not re.search(rf"^ *{name}\b", inside, re.M)
    ] == []


def without_weasyprint(monkeypatch):
    """Let `python -m weasyprint` fail as it does where the extra is not installed."""
    real = subprocess.run

    def run(command, **options):
        return real([part.replace("weasyprint", "no_such_weaver") for part in command], **options)

    monkeypatch.setattr(printing.subprocess, "run", run)


@pytest.mark.skipif(BROWSER is None or not shutil.which("pdfinfo"), reason="no browser, or no pdfinfo")
def test_a_browser_prints_a_tagged_pdf(page, tmp_path):
    write_pdf(page, tmp_path / "page.pdf")
    held(tmp_path / "page.pdf")


def test_weasyprint_prints_a_tagged_pdf_where_no_browser_is(page, tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "BROWSERS", ())
    write_pdf(page, tmp_path / "page.pdf")
    held(tmp_path / "page.pdf")


def test_a_browser_that_fails_hands_on_and_nothing_left_is_said(page, tmp_path, monkeypatch):
    monkeypatch.setattr(printing, "BROWSERS", (sys.executable,))  # a program that cannot print
    without_weasyprint(monkeypatch)
    with pytest.raises(MissingToolError) as error:
        write_pdf(page, tmp_path / "page.pdf")
    (problem,) = error.value.problems
    assert Path(sys.executable).name in problem.problem
    assert "WeasyPrint" in problem.problem
    assert "pip install" in problem.remedy
    assert not (tmp_path / "page.pdf").exists()


def test_without_a_tool_the_command_leaves_with_3_and_the_page_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(printing, "BROWSERS", ())
    without_weasyprint(monkeypatch)
    out = tmp_path / "page.html"
    with pytest.raises(SystemExit) as left:
        main(["report", str(cases.SAMPLE_DATA / "migraine"), "--out", str(out), "--pdf", str(tmp_path / "page.pdf")])
    assert left.value.code == 3
    assert "Reassessment" in out.read_text(encoding="utf-8")
    said = capsys.readouterr()
    assert str(out) in said.out
    assert "no browser was found" in said.err
