"""A page as a tagged PDF: printed by a browser that is there, else by WeasyPrint."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from acu_nof1.errors import MissingToolError, Problem

BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
    "microsoft-edge-stable", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)  # fmt: skip
# The page needs no network, and the browser is asked for none.
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--no-pdf-header-footer", "--export-tagged-pdf",
    "--generate-pdf-document-outline",
)  # fmt: skip
SECONDS = 60
REMEDY = (
    'Install Chromium, Chrome or Edge, or WeasyPrint with: pip install "acu_nof1[pdf]". The HTML page prints as well.'
)


def write_pdf(page: str | os.PathLike[str], pdf: str | os.PathLike[str]) -> None:
    """Print a page that `write_report` wrote as a tagged PDF.

    Parameters
    ----------
    page
        The HTML file.
    pdf
        The file to write.

    Raises
    ------
    MissingToolError
        If neither a browser nor WeasyPrint is there, or none of them can print: says what each said.
    """
    said: list[str] = []
    for name in BROWSERS:
        found = shutil.which(name)
        if found is not None:
            wrong = _printed(found, Path(page), Path(pdf))
            if not wrong:
                return
            said.append(f"{Path(found).name}: {wrong}")
    wrong = _woven(Path(page), Path(pdf))
    if wrong:
        what = "no browser was found" if not said else "; ".join(said)
        raise MissingToolError([Problem("error", str(pdf), f"no PDF could be made ({what}; {wrong}).", REMEDY)])


def _printed(browser: str, page: Path, pdf: Path) -> str:
    """Print with a browser; return what went wrong, or ``""``."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        printed = Path(profile) / "page.pdf"
        # Chromium has no sandbox for root; the page holds no script and may load nothing.
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        places = [f"--user-data-dir={profile}", f"--print-to-pdf={printed}", page.resolve().as_uri()]
        wrong = _run(browser, *FLAGS, *root, *places)
        if printed.is_file():
            shutil.copyfile(printed, pdf)
            return ""
    return wrong or "wrote nothing"


def _woven(page: Path, pdf: Path) -> str:
    """Print with WeasyPrint; return what went wrong, or ``""``."""
    # In a process of its own: importing it changes how this one writes XML (it gives the empty namespace a prefix).
    wrong = _run(sys.executable, "-m", "weasyprint", "--pdf-variant", "pdf/ua-1", str(page), str(pdf))
    return wrong and f"WeasyPrint: {wrong}"


def _run(*command: str) -> str:
    """Run a program; return what went wrong in its own last words, or ``""``."""
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return (ran.stderr.strip().splitlines() or [f"code {ran.returncode}"])[-1] if ran.returncode else ""
