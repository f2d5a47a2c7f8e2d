"""The notebook of the evidence: it runs on the committed results, defines nothing, and its outputs are those of today."""

from __future__ import annotations

import ast
import json
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

from acu_nof1.report import bundled

NOTEBOOK = "notebooks/3_how_sure_are_we.ipynb"


@pytest.fixture(scope="module")
def committed():
    return nbformat.read(bundled(NOTEBOOK), 4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_notebook_defines_no_functions_and_names_no_machine(committed):
    tree = ast.parse("\n".join(cell.source for cell in code(committed)))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    assert not re.search(r"/home/|/root/|/Users/|/tmp/", nbformat.writes(committed))


def test_the_notebook_runs_and_its_outputs_are_current(committed, monkeypatch):
    drawn = []
    monkeypatch.setattr(plt, "show", lambda: drawn.append(plt.gcf()))
    names = {"__name__": "notebook"}
    with mpl.rc_context():
        for number, cell in enumerate(code(committed)):
            exec(compile(cell.source, f"{NOTEBOOK}, cell {number}", "exec"), names)
            plt.close("all")
    assert len(drawn) == sum("plt.show()" in cell.source for cell in code(committed)) == 6
    assert all(
        cell.outputs and not any(each.output_type == "error" for each in cell.outputs) for cell in code(committed)
    )
    said = {name: int(names[which].sum()) for name, which in (("t test", "t_test"), ("this package", "ours"))}
    shown = code(committed)[-1].outputs[-1].data["text/plain"]
    assert all(re.search(rf"{name} +{count}$", shown, re.MULTILINE) for name, count in said.items())
    # 300 people: 95 % coverage allows 15 ± 11 (3 binomial standard errors); a t test at phi 0.6 goes far beyond.
    assert names["ours"].sum() <= 26 < 60 < names["t_test"].sum()
    overview = code(committed)[0].outputs[-1].data["text/plain"]
    assert all(table["date"].min() in overview for table in names["tables"].values())


OWN_DIARY = "notebooks/2_your_own_diary.ipynb"


def test_the_way_from_an_own_diary_runs_and_its_outputs_are_current():
    notebook = nbformat.read(bundled(OWN_DIARY), 4)
    cells = code(notebook)
    assert not re.search(r"/home/|/root/|/Users/|/tmp/", nbformat.writes(notebook))
    assert all(cell.outputs for cell in cells if not cell.source.rstrip().endswith(("}", ")")) or "plot" in cell.source)
    assert not any(each.output_type == "error" for cell in cells for each in cell.outputs)
    names = {"__name__": "notebook"}
    for number, cell in enumerate(cells):
        exec(compile(cell.source, f"{OWN_DIARY}, cell {number}", "exec"), names)
    truth = json.loads(bundled("sample_data/own_diary/truth.json").read_text(encoding="utf-8"))
    review = names["review"]
    primary = review.verdict.estimate
    assert truth["verdict"] == review.verdict.kind
    assert primary.low < truth["outcomes"]["pain"]["change"] < primary.high
    shown = [cell.outputs[-1].data["text/plain"] for cell in cells if cell.source.endswith("\nreview")]
    assert [review.sentence in text for text in shown] == [True]
    for name in ("clinician", "patient"):
        assert "P-058" in (names["folder"] / f"{name}.html").read_text(encoding="utf-8")
    assert "image/png" in next(cell for cell in cells if "plot_trial" in cell.source).outputs[0].data


def plain_cells(name):
    """The code of a committed notebook, which defines nothing and names no machine."""
    notebook = nbformat.read(bundled(name), 4)
    cells = code(notebook)
    tree = ast.parse("\n".join(cell.source for cell in cells))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
    assert not re.search(r"/home/|/root/|/Users/|/tmp/", nbformat.writes(notebook))
    return cells


COHORT = "notebooks/4_cohort.ipynb"


def test_the_cohort_runs_and_its_outputs_are_current():
    cells = plain_cells(COHORT)
    assert all(cell.outputs and all(each.output_type != "error" for each in cell.outputs) for cell in cells)
    assert sum("image/png" in each.get("data", {}) for cell in cells for each in cell.outputs) == 4
    names = {"__name__": "notebook"}
    for number, cell in enumerate(cells):
        exec(compile(cell.source, f"{COHORT}, cell {number}", "exec"), names)
    shown = next(cell for cell in cells if "words.sentences" in cell.source).outputs[0].data["text/plain"]
    assert ast.literal_eval(shown) == names["told"]
    truth = names["truth"]["change"]["pain"]
    low, high = sorted(each["mean"] for each in truth.values())
    assert low < names["together"].mean < high


TOOLBOX = "notebooks/6_single_case_toolbox.ipynb"


def test_the_toolbox_runs_and_shows_which_intervals_hold():
    cells = plain_cells(TOOLBOX)
    assert all(
        cell.outputs and all(each.output_type != "error" for each in cell.outputs)
        for cell in cells
        if "import" not in cell.source
    )
    names = {"__name__": "notebook"}
    for number, cell in enumerate(cells):
        exec(compile(cell.source, f"{TOOLBOX}, cell {number}", "exec"), names)
    shown = names["shown"]
    assert [each["phi"] for each in shown] == [0.0, 0.4, 0.7]
    assert all(0.90 < each["ours holds"] < 0.99 for each in shown)
    assert shown[-1]["published holds"] < 0.75
    tests = [
        ast.literal_eval(cell.outputs[0].data["text/plain"])
        for cell in cells
        if cell.source.rstrip().endswith("primary_outcome))") or "trial_test" in cell.source
    ]
    assert "randomisation test, p = 0.143" in tests[0][1]
    assert "placebo-in-time check" in tests[1][1]


SESSIONS = "notebooks/7_sessions_and_course.ipynb"


def test_sessions_and_course_run_and_their_outputs_are_current():
    cells = plain_cells(SESSIONS)
    assert all(cell.outputs for cell in cells if "import" not in cell.source)
    assert all(each.output_type not in ("error", "stream") for cell in cells for each in cell.outputs)
    assert sum("image/png" in each.get("data", {}) for cell in cells for each in cell.outputs) == 5
    names = {"__name__": "notebook"}
    for number, cell in enumerate(cells):
        exec(compile(cell.source, f"{SESSIONS}, cell {number}", "exec"), names)
    said = next(cell for cell in cells if "words.sentences(found)" in cell.source).outputs[0].data["text/plain"]
    assert ast.literal_eval(said) == list(names["words"].sentences(names["found"]))
    for half, one in names["told"].items():
        assert one.half_life.low < half < one.half_life.high
    (left,) = names["after"]
    shares = [2 ** (-weeks / 8) for weeks in (4, 8, 12)]
    assert all(each.share.low < share < each.share.high for each, share in zip(left.later, shares, strict=True))
    (first, reverse) = names["links"]
    assert [first.holds, reverse.holds] == [False, True]
    assert reverse.effect.low < -0.9 * reverse.sd < reverse.effect.high
    assert (names["drawn"].loc[names["drawn"]["measure"] != "coverage of time_to_half", "holds"] == "yes").all()
