"""The pages in a real browser: nothing fetched, nothing complained of, everything readable and on its page."""

import os
import shutil
import subprocess

import pytest
import report_cases as cases

from acu_nof1 import words
from acu_nof1.words import patient

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
A4_WIDTH, NARROW = 794, 320


def tool_missing():
    try:
        import axe_playwright_python  # noqa: F401
        import playwright  # noqa: F401
    except ImportError as error:
        return f"not installed: {error.name}"
    if CHROMIUM is None:
        return "no Chromium on this machine (apt-get install chromium)"
    return "" if shutil.which("pdftotext") else "no pdftotext on this machine (apt-get install poppler-utils)"


@pytest.fixture(scope="session", autouse=True)
def tools():
    missing = tool_missing()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"browser tests cannot run: {missing}")
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    for name in cases.CASES:
        (folder / f"{name}.html").write_text(cases.page(name), encoding="utf-8")
    for name in cases.PATIENT:
        (folder / f"{name}.html").write_text(cases.patient_page(name), encoding="utf-8")
    (folder / "notebook.html").write_text(cases.notebook("low_back_pain")[0], encoding="utf-8")
    return folder


CLINICIAN = [*cases.CASES, "notebook"]
PAGES = [*CLINICIAN, *cases.PATIENT]


class Visit:
    """A page opened once for all tests, with everything it asked for or complained of."""

    def __init__(self, browser, address):
        self.asked, self.complaints = [], []
        self.page = browser.new_page(viewport={"width": A4_WIDTH, "height": 1123})
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)


@pytest.fixture(scope="session")
def visits(chromium, folder):
    opened = {}

    def visit(name):
        if name not in opened:
            opened[name] = Visit(chromium, (folder / f"{name}.html").as_uri())
        return opened[name]

    return visit


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_fetched_and_nothing_is_complained_of(visits, name):
    visit = visits(name)
    assert [url for url in visit.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in visit.asked if url.startswith("file:")]) == 1
    assert visit.complaints == []


@pytest.mark.parametrize("name", PAGES)
def test_no_horizontal_overflow(visits, name):
    page = visits(name).page
    for width in (NARROW, A4_WIDTH):
        page.set_viewport_size({"width": width, "height": 1123})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = """() => [...document.querySelectorAll('main *')].filter(
        e => !e.closest('.acu-scroll, [aria-hidden]') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    page.set_viewport_size({"width": NARROW, "height": 1123})
    assert page.evaluate(outside) == []
    page.set_viewport_size({"width": A4_WIDTH, "height": 1123})


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visits, name):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(visits(name).page).response["violations"]
    grave = [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
    ]
    assert grave == []


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_is_drawn_and_has_a_text(visits, name):
    images = visits(name).page.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt.length])")
    assert images
    assert all(width > 300 and text > 60 for width, text in images)


@pytest.mark.parametrize("name", CLINICIAN)
def test_the_answer_is_on_the_first_page_of_the_print(visits, folder, name):
    pdf = folder / f"{name}.pdf"
    visits(name).page.pdf(path=pdf, prefer_css_page_size=True, tagged=True)
    first = subprocess.run(["pdftotext", "-l", "1", pdf, "-"], capture_output=True, text=True, check=True).stdout
    said = " ".join(first.split())
    last = words.MEDICAL_FIRST if name == "sleep_and_stress" else words.decision()
    assert last in said
    assert words.HEADINGS["appendix"].upper() not in said
    if name == "sleep_and_stress":
        assert said.startswith(words.PROMPTLY)


@pytest.mark.parametrize("name", cases.PATIENT)
def test_the_patient_s_page_is_one_sheet_of_paper(visits, folder, name):
    pdf = folder / f"{name}.pdf"
    visits(name).page.pdf(path=pdf, prefer_css_page_size=True, tagged=True)
    pages = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    assert "Pages:           1\n" in pages
    said = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout
    assert said.startswith(words.PROMPTLY) == (name == "patient_sleep_and_stress")
    assert patient.HEADINGS["talk"] in " ".join(said.split())


def test_tables_and_figures_that_scroll_can_be_reached_by_keyboard(visits):
    page = visits("low_back_pain").page
    boxes = page.evaluate(
        "[...document.querySelectorAll('.acu-scroll')].map(e => [e.tabIndex, e.getAttribute('aria-label')])"
    )
    assert all(tab == 0 and label for tab, label in boxes)
    labels = [label for _, label in boxes]
    assert len(labels) == len(set(labels))
