import ast
import io
import json
import re
from html.parser import HTMLParser

import nbformat
import pandas as pd
import pytest
import report_cases as cases

import acu_nof1.plot
from acu_nof1 import reassess, words, write_report
from acu_nof1.errors import UsageError
from acu_nof1.export import write_csv, write_json
from acu_nof1.interpret import shares_of_hundred
from acu_nof1.report import SECTIONS, BlockError, blocks, bundled, found, run_notebook
from acu_nof1.report.block import Badge, Bands, Failed, Picture, Statement, Table
from acu_nof1.report.blocks import MOST_LEDGER_ROWS, summary_html
from acu_nof1.report.notebook import NotebookError

OUR_TAGS = {
    *("main", "section", "header", "h1", "h2", "h3", "p", "strong", "em", "b", "ul", "li", "div", "span", "img"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "small", "bdi"),
}
WITHOUT_END = {"img", "body", "html"}


class Page(HTMLParser):
    """The words and tags of a page, whatever its line breaks and order of attributes."""

    def __init__(self, html):
        super().__init__()
        self.items, self.tags, self.hidden = [], [], False
        self.feed(html[html.index("<main") :] if "<main" in html else html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.items.append((tag, tuple(sorted(attrs))))

    def handle_endtag(self, tag):
        if tag not in WITHOUT_END:
            self.items.append(("/" + tag, ()))

    def handle_data(self, data):
        if data.strip():
            self.items.append(("", " ".join(data.split(" ")).strip()))

    @property
    def text(self):
        return squeezed(" ".join(data for tag, data in self.items if not tag))


def squeezed(text):
    return (
        re.sub(r"[ \n]+", " ", text)
        .replace(" )", ")")
        .replace(" .", ".")
        .replace(" :", ":")
        .replace(" ;", ";")
        .replace(" (", "(")
        .replace("(", " (")
    )


def page_of(name):
    return Page(cases.page(name))


def rows_of(review, caption):
    tables = [block for section in blocks(review) for block in section.walk() if isinstance(block, Table)]
    return next(table.rows for table in tables if table.caption == caption)


# ------------------------------------------------------------------ one content, four faces


@pytest.mark.parametrize("name", cases.SAMPLES)
def test_page_json_and_csv_say_the_same(tmp_path, name):
    review, page = cases.sample(name), page_of(name)
    write_json(review, tmp_path / "a.json")
    write_csv(review, tmp_path / "a.csv")
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    table = pd.read_csv(tmp_path / "a.csv", keep_default_na=True)
    assert len(data["estimates"]) == len(table) == len(review.estimates)
    for each, as_json, (_, as_csv) in zip(review.estimates, data["estimates"], table.iterrows(), strict=True):
        assert as_json["outcome"] == as_csv["outcome"] == each.outcome.name
        for number in ("before", "after", "value", "low", "high"):
            assert as_json[number] == pytest.approx(as_csv[number]) or (
                as_json[number] is None and pd.isna(as_csv[number])
            )
        assert squeezed(words.change_with_interval(each)) in page.text
        assert as_json["reading"] == as_csv["reading"]
        if review.verdict.overruled_by is None:
            assert as_json["reading"] in page.text
    for said in (*data["verdict"]["attribution"], *data["verdict"]["limits"])[
        : None if not review.verdict.overruled_by else 0
    ]:
        assert squeezed(said) in page.text
    assert squeezed(words.ledger_line(review.trial.diary.counts)) in page.text


@pytest.mark.parametrize("name", [name for name in cases.SAMPLES if name != "sleep_and_stress"])
def test_the_sentence_the_reasons_and_the_success_stand_on_the_page(name):
    review, page = cases.sample(name), page_of(name)
    estimate = review.verdict.estimate
    said = [
        words.sentence(estimate, review.telling),
        words.chances(estimate),
        words.threshold(estimate, review.telling),
    ]
    for each in (*said, *words.reasons(estimate), review.success_sentence, words.decision(), *review.attribution):
        assert squeezed(each) in page.text
    badge = next(block for section in blocks(review) for block in section.walk() if isinstance(block, Badge))
    assert review.sentence == f"{badge.text}. {words.sentence(estimate, review.telling)} {words.chances(estimate)}"


@pytest.mark.parametrize("name", cases.SAMPLES)
def test_printed_before_plus_printed_change_is_printed_after(name):
    review = cases.sample(name)
    for row in rows_of(review, words.outcomes_title(review.telling)):
        if row[3].startswith(("×", "not")):
            continue
        before, after, change = (float(cell.split(" ")[0].replace("−", "-").replace(",", "")) for cell in row[1:4])
        assert before + change == pytest.approx(after)


def test_bands_on_the_page_add_to_100():
    review = cases.sample("migraine")
    bands = next(block for section in blocks(review) for block in section.walk() if isinstance(block, Bands))
    assert sum(bands.shares) == 100
    assert list(bands.shares) == shares_of_hundred(review.estimates.primary.bands)


@pytest.mark.parametrize("name", ["low_back_pain", "sleep_and_stress"])
def test_the_notebook_gives_the_same_page(name):
    html, _ = cases.notebook(name)
    assert Page(html).items == page_of(name).items
    assert f"<title>{words.page_title(cases.sample(name).trial.protocol)}</title>" in html
    assert html.count("<style>") == 1
    assert "read_trial(report" not in html


def test_the_executed_notebook_is_kept_with_its_parameters():
    notebook = nbformat.reads(cases.notebook("low_back_pain")[1], 4)
    injected = next(cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", ()))
    assert "low_back_pain" in injected.source
    assert all("execution" not in cell.metadata for cell in notebook.cells)


# ------------------------------------------------------------------ what overrules, what is missing


def test_a_red_flag_opens_the_page_and_there_is_no_badge():
    page = page_of("sleep_and_stress")
    assert page.text.startswith(words.PROMPTLY)
    classes = {attributes.get("class") for _, attributes in page.tags}
    assert "acu-alarm" in classes
    assert "acu-badge" not in classes
    assert not re.search(r"improved|better, ", page.text, re.IGNORECASE)
    assert words.MEDICAL_FIRST in page.text
    assert words.HEADINGS["diary"] in page.text
    assert words.printed(cases.sample("sleep_and_stress").estimates.primary).change in page.text


def test_without_a_baseline_the_page_describes():
    page = page_of("no_baseline")
    assert words.NO_BASELINE in page.text
    assert "acu-badge" not in {attributes.get("class") for _, attributes in page.tags}
    rows = rows_of(cases.no_baseline(), words.HEADINGS["kept"])
    assert {row[1] for row in rows} == {"during treatment", "last 14 days"}
    assert all(cell in page.text for row in rows for cell in row)


def test_not_estimable_says_why():
    text = page_of("nothing_kept").text
    assert "Cannot say" in text
    assert "not estimable: no answered baseline day" in text
    assert "nan" not in text.lower().split()


# ------------------------------------------------------------------ text of files stays text


@pytest.mark.parametrize("name", list(cases.CASES))
def test_only_our_own_tags_and_nothing_from_outside(name):
    page, html = page_of(name), cases.page(name)
    assert {tag for tag, _ in page.tags} <= OUR_TAGS
    for tag, attributes in page.tags:
        assert not any(key.startswith("on") for key in attributes)
        if tag == "img":
            assert attributes["src"].startswith("data:image/svg+xml;base64,")
            assert attributes["alt"].strip()
    assert not re.search(r'(?:src|href|url)\s*[=(]\s*["\']?(?:https?:)?//', html)


def test_hostile_text_is_shown_as_it_was_written():
    text = page_of("hostile").text
    assert text.count("<script>alert(1)</script>".replace("(", " (")) >= 4
    assert "x" * 300 in text
    assert "<b>bruise</b>" in text
    assert "points <i>" in text


def test_pictures_hold_no_markup_from_files():
    svgs = [block.svg for section in blocks(cases.hostile()) for block in section.walk() if isinstance(block, Picture)]
    assert len(svgs) == 8
    assert not any("<script" in svg or "onerror=" in svg for svg in svgs)


def test_the_summary_of_a_notebook_is_escaped_and_complete():
    page = Page(summary_html(cases.hostile()))
    assert {tag for tag, _ in page.tags} <= OUR_TAGS | {"style"}
    review = cases.sample("low_back_pain")
    text = Page(review._repr_html_()).text
    assert squeezed(words.sentence(review.estimates.primary, review.telling)) in text
    assert words.PROMPTLY in Page(cases.sample("sleep_and_stress")._repr_html_()).text


# ------------------------------------------------------------------ faults, limits, parameters


def test_a_part_that_fails_says_so_and_the_rest_is_there(monkeypatch, tmp_path):
    def broken(*_, **__):
        raise RuntimeError("no ink <left>")

    monkeypatch.setattr(acu_nof1.plot, "plot_trial", broken)
    with pytest.raises(BlockError) as error:
        write_report(cases.sample("low_back_pain"), tmp_path / "page.html")
    assert error.value.exit_code == 1
    text = Page((tmp_path / "page.html").read_text(encoding="utf-8")).text
    assert "RuntimeError: no ink <left>" in text
    assert words.decision() in text
    failed = SECTIONS[2](cases.sample("low_back_pain"))
    assert isinstance(failed.blocks[0], Failed)
    assert failed._repr_mimebundle_()[1]["acu_nof1"]["failed"] == [failed.blocks[0].message]


def test_a_long_ledger_is_cut_with_a_count():
    review = cases.sample("migraine")
    rows = rows_of(review, words.HEADINGS["ledger"])
    held = len(review.trial.diary.ledger)
    assert len(rows) == min(held, MOST_LEDGER_ROWS)
    note = words.ledger_cut(len(rows), held)
    assert note == "" or f"{MOST_LEDGER_ROWS} of {held}" in note
    assert sum(int(row[2]) for row in rows_of(review, words.HEADINGS["rules"])) == held


@pytest.mark.parametrize(("name", "bold"), [("low_back_pain", 3), ("migraine", 3), ("knee_osteoarthritis", 3)])
def test_only_the_levels_and_the_change_are_bold(name, bold):
    """A label that ends in a colon (“Headache days: estimated at …”) must not make the whole sentence bold."""
    estimate = cases.sample(name).verdict.estimate
    (said,) = [each for section in blocks(cases.sample(name)) for each in section.walk() if isinstance(each, Statement)]
    strong = [text.strip() for text, is_bold in said.pieces if is_bold]
    shown = words.printed(estimate)
    assert strong[:2] == [shown.before, shown.after]
    assert len(strong) == bold
    assert strong[2].startswith(words.number(abs(shown.size), 1))


def test_every_block_shows_itself_in_a_notebook():
    for section in blocks(cases.sample("low_back_pain")):
        for block in section.walk():
            data, _ = block._repr_mimebundle_()
            assert data["text/html"] == block._repr_html_()
            assert str(block.html) in data["text/html"]


def test_an_unknown_parameter_is_an_error_that_names_the_nearest(tmp_path):
    with pytest.raises(UsageError, match='Did you mean "trial_folder"'):
        run_notebook({"trial_foldr": "x"}, html=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_failing_cell_is_one_clear_message(tmp_path):
    with pytest.raises(NotebookError) as error:
        run_notebook({"trial_folder": str(tmp_path / "nowhere")}, html=tmp_path / "page.html")
    assert "there is no such file or folder" in str(error.value)
    assert "Traceback" not in str(error.value)
    assert not (tmp_path / "page.html").exists()


def test_what_comes_with_the_package_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (found("sample_data/migraine") / "protocol.toml").exists()
    assert bundled("notebooks/1_reassessment.ipynb").exists()
    with pytest.raises(UsageError, match="does not come with"):
        bundled("sample_data/none")
    assert found("nowhere") == type(tmp_path)("nowhere")


# ------------------------------------------------------------------ the committed notebook


@pytest.fixture(scope="module")
def committed():
    return nbformat.read(bundled("notebooks/1_reassessment.ipynb"), 4)


def test_the_committed_notebook_defines_no_functions_and_has_outputs(committed):
    shown = [cell for cell in committed.cells if cell.cell_type == "code" and cell.source.startswith("report.")]
    assert [cell.source for cell in shown] == [f"report.{section.__name__}(review)" for section in SECTIONS]
    assert all(cell.outputs for cell in shown)
    code = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "code")
    assert not [
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)
    ]


def test_the_committed_notebook_names_no_machine_and_is_current(committed):
    text = io.StringIO()
    nbformat.write(committed, text)
    assert not re.search(r"/home/|/root/|/Users/", text.getvalue())
    review = reassess(cases.sample("low_back_pain").trial)
    plain = " ".join(output.data["text/plain"] for cell in committed.cells for output in cell.get("outputs", ()))
    assert words.sentence(review.estimates.primary, review.telling).replace("\N{NO-BREAK SPACE}", " ") in plain
