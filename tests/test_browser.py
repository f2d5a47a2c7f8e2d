"""The pages in a real browser: nothing fetched, nothing complained of, everything readable and on its page."""

import re
import subprocess
from functools import cached_property
from itertools import pairwise

import pytest
import report_cases as cases

from acu_nof1 import words
from acu_nof1.words import direction, patient

pytestmark = pytest.mark.usefixtures("tools")
A4_WIDTH, NARROW = 794, 320


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


PAGES = [*cases.CASES, "notebook", *cases.PATIENT]


class Visit:
    """A page made and opened once for all tests, with everything it asked for or complained of."""

    def __init__(self, browser, file):
        self.file = file
        made = cases.patient_page if file.stem in cases.PATIENT else cases.page
        html = cases.notebook("low_back_pain")[0] if file.stem == "notebook" else made(file.stem)
        file.write_text(html, encoding="utf-8")
        self.asked, self.complaints = [], []
        self.page = browser.new_page(viewport={"width": A4_WIDTH, "height": 1123})
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.goto(file.as_uri())

    @cached_property
    def pdf(self):
        self.page.pdf(path=self.file.with_suffix(".pdf"), prefer_css_page_size=True, tagged=True)
        return self.file.with_suffix(".pdf")

    def pdf_says(self, program, *options):
        to = ["-"] if program == "pdftotext" else []
        command = [program, *options, self.pdf, *to]
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout


@pytest.fixture(scope="module")
def opened():
    return {}


@pytest.fixture(scope="module", params=PAGES)
def name(request):
    """The page; one parameter of the module, so that all tests of a page run in one process."""
    return request.param


@pytest.fixture(scope="module")
def visit(chromium, folder, opened, name):
    opened[name] = Visit(chromium, folder / f"{name}.html")
    return opened[name]


def test_nothing_is_fetched_and_nothing_is_complained_of(visit):
    assert [url for url in visit.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in visit.asked if url.startswith("file:")]) == 1
    assert visit.complaints == []


def test_no_horizontal_overflow(visit):
    page = visit.page
    for width in (NARROW, A4_WIDTH):
        page.set_viewport_size({"width": width, "height": 1123})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = """() => [...document.querySelectorAll('main *')].filter(
        e => !e.closest('.acu-scroll, [aria-hidden]') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
    page.set_viewport_size({"width": NARROW, "height": 1123})
    assert page.evaluate(outside) == []
    page.set_viewport_size({"width": A4_WIDTH, "height": 1123})


def test_axe_finds_nothing_serious(visit):
    from axe_playwright_python.sync_playwright import Axe

    # The rows of a long table are made by one line of a template: the first dozen speak for all.
    context = {"exclude": [["tbody tr:nth-child(n+13)"]]}
    found = Axe().run(visit.page, context=context, options={"resultTypes": ["violations"]}).response["violations"]
    grave = [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
    ]
    assert grave == []


def test_every_figure_is_drawn_and_has_a_text(visit):
    images = visit.page.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt.length])")
    assert images
    assert all(width > 300 and text > 60 for width, text in images)


def test_language_title_headings_and_tables_are_marked(visit):
    """What a screen reader goes by: one title, levels without a jump, tables with caption, column and row heads."""
    language, title, levels, tables = visit.page.evaluate(
        """() => [document.documentElement.lang, document.title,
        [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(e => Number(e.tagName[1])),
        [...document.querySelectorAll('table')].map(e => [e.caption?.innerText.trim() ?? '',
            [...e.querySelectorAll('thead th')].every(th => th.scope === 'col' && th.innerText.trim()),
            [...e.tBodies[0].rows].every(row => row.cells[0].scope === 'row')])]"""
    )
    assert language == "en"
    assert title
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in pairwise(levels))
    assert all(all(parts) for parts in tables)


def test_nothing_turns_round_the_text_beside_it(visit):
    """No mark that overrides a direction is left, and all that runs from right to left stands in an element of its own."""
    text = visit.page.evaluate("document.documentElement.outerHTML")
    assert not direction.TURNING.search(text)
    free = visit.page.evaluate(
        """() => { const copy = document.querySelector('main').cloneNode(true);
        copy.querySelectorAll('bdi').forEach(e => e.remove()); return copy.textContent; }"""
    )
    assert not re.search(f"[{direction.LETTER}]", free)


def test_the_answer_is_on_the_first_page_of_the_print(visit, name):
    if name in cases.PATIENT:
        pytest.skip("the patient's page is a sheet of its own")
    said = " ".join(visit.pdf_says("pdftotext", "-l", "1").split())
    last = words.MEDICAL_FIRST if name in cases.ALARMS else words.decision()
    assert last in said
    assert words.HEADINGS["appendix"].upper() not in said
    if name in cases.ALARMS:
        assert said.startswith(words.PROMPTLY)


def test_the_patient_s_page_is_one_sheet_of_paper(visit, name):
    if name not in cases.PATIENT:
        pytest.skip("not the patient's page")
    assert "Pages:           1\n" in visit.pdf_says("pdfinfo")
    said = visit.pdf_says("pdftotext")
    assert said.startswith(words.PROMPTLY) == (name == "patient_sleep_and_stress")
    assert patient.HEADINGS["talk"] in " ".join(said.split())


def test_no_page_of_the_print_is_empty_or_has_words_cut_in_pieces(visit):
    pages = [" ".join(page.split()) for page in visit.pdf_says("pdftotext").rstrip("\f").split("\f")]
    assert min(map(len, pages)) > 60
    kept = ("converted", "outcome", "autocorrelation", "treatment", "Standard deviation")
    broken = [
        word
        for page in pages
        for word in kept
        if any(
            f"{word[:cut]} {word[cut:]} " in page
            for cut in range(4, len(word))
            if word[cut - 1] != " " and word[cut] != " "
        )
    ]
    assert broken == []


def test_the_print_is_tagged(visit):
    """Headings, tables with their heads, and figures with their alternative text stand in the structure of the PDF."""
    assert re.search(r"^Tagged: +yes$", visit.pdf_says("pdfinfo"), re.MULTILINE)
    structure = visit.pdf_says("pdfinfo", "-struct")
    kinds = re.findall(r"^ *(\w+)", structure, re.MULTILINE)
    images, tables, heads = visit.page.evaluate(
        """['img', 'table', 'h1, h2, h3'].map(what => document.querySelectorAll(what).length)"""
    )
    assert kinds.count("Figure") >= images
    assert kinds.count("Table") == tables
    assert sum(kinds.count(level) for level in ("H1", "H2", "H3")) == heads
    assert ("TH" in kinds) == (tables > 0)
    raw = visit.pdf.read_bytes()
    assert raw.count(b"/Alt <FEFF") + raw.count(b"/Alt (") == images
    assert b"/Lang (en)" in raw
    assert b"/Marked true" in raw


def test_tables_and_figures_that_scroll_can_be_reached_by_keyboard(visit):
    boxes = visit.page.evaluate(
        "[...document.querySelectorAll('.acu-scroll')].map(e => [e.tabIndex, e.getAttribute('aria-label')])"
    )
    assert all(tab == 0 and label for tab, label in boxes)
    labels = [label for _, label in boxes]
    assert len(labels) == len(set(labels))
    visit.page.keyboard.press("Tab")
    shown = visit.page.evaluate(
        "[document.activeElement.getAttribute('aria-label'), getComputedStyle(document.activeElement).outlineWidth]"
    )
    assert shown == [labels[0], "3px"]
