"""Shared ground: trials made from plain numbers, and the sample folders."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from acu_nof1.diary import Diary
from acu_nof1.load.protocols import protocol_from
from acu_nof1.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# How long an example takes says more of the machine than of the code.
settings.register_profile("acu", deadline=None)
settings.load_profile("acu")

ROOT = Path(__file__).parent.parent
SAMPLES = ("low_back_pain", "knee_osteoarthritis", "migraine", "sleep_and_stress")
START = dt.date(2026, 1, 5)


def make_trial(
    columns: Mapping[str, Any],
    *,
    baseline: int = 14,
    raw: Mapping[str, Any] | None = None,
    **outcomes: Mapping[str, Any],
) -> Trial:
    """A trial of consecutive days: `baseline` days, then treatment to the end of the longest column."""
    days = max(len(values) for values in columns.values())
    frame = pd.DataFrame({name: pd.Series(values, dtype=float) for name, values in columns.items()})
    frame.index = pd.date_range(START, periods=days)
    first = START + dt.timedelta(days=baseline)
    phases = [{"kind": "baseline", "start": START, "end": first - dt.timedelta(days=1)}] if baseline else []
    phases.append({"kind": "treatment", "start": first, "end": START + dt.timedelta(days=days - 1)})
    declared = outcomes or {"pain": {"instrument": "nrs_pain", "important_change": 2}}
    text: dict[str, Any] = {
        "trial": {"person": "P-001", "condition": "back pain", "agreed_on": START},
        "phase": phases,
        "outcome": {name: {"primary": not index} | dict(entry) for index, (name, entry) in enumerate(declared.items())},
    }
    protocol, _ = protocol_from(text | dict(raw or {}))
    return Trial(protocol, Diary.from_values(frame))


@pytest.fixture
def trial_of() -> Callable[..., Trial]:
    return make_trial


@pytest.fixture(scope="session")
def noisy() -> Callable[..., np.ndarray]:
    """Whole-point ratings around a course: AR(1) noise with a fixed seed."""

    def made(
        course: Any, phi: float = 0.3, sd: float = 1.0, seed: int = 1, low: float = 0, high: float = 10
    ) -> np.ndarray:
        course = np.asarray(course, float)
        shocks = np.random.default_rng(seed).normal(size=course.size)
        noise = np.empty(course.size)
        noise[0] = shocks[0]
        for day in range(1, course.size):
            noise[day] = phi * noise[day - 1] + np.sqrt(1 - phi**2) * shocks[day]
        return np.clip(np.round(course + sd * noise), low, high)

    return made


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def tool_missing():
    try:
        import axe_playwright_python  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as error:
        return f"not installed: {error.name}"
    if CHROMIUM is None:
        return "no Chromium on this machine (apt-get install chromium)"
    return "" if shutil.which("pdftotext") else "no pdftotext on this machine (apt-get install poppler-utils)"


@pytest.fixture(scope="session")
def tools():
    missing = tool_missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"browser tests cannot run: {missing}")
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def chromium(tools):  # noqa: ARG001 - says first what is missing
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
