"""Questionnaire scores worked by hand from the published rules, and what becomes of forms that have none."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import ROOT, make_trial
from hypothesis import given, settings
from hypothesis import strategies as st
from test_read_diary import consistent

from acu_nof1.checks import problems_of
from acu_nof1.errors import ProtocolError, UnreadableFileError, UsageError
from acu_nof1.load import read_diary, read_trial
from acu_nof1.load.protocols import protocol_from
from acu_nof1.outcomes import OUTCOMES, Outcome
from acu_nof1.reassessment import reassess
from acu_nof1.report import write_report
from acu_nof1.scoring import SCALES, Scale, form_of, in_form, score, undeclared, with_unticked
from acu_nof1.words.scores import scored_cells

if TYPE_CHECKING:
    from pathlib import Path

    from acu_nof1.diary import Diary

NAN = np.nan
with (ROOT / "tests" / "reference" / "instruments.csv").open(encoding="utf-8", newline="") as file:
    REFERENCE = {row["id"]: row for row in csv.DictReader(file)}
PHASES = [
    {"kind": "baseline", "start": "2026-01-05", "end": "2026-01-18"},
    {"kind": "treatment", "start": "2026-01-19", "end": "2026-04-12"},
]


def scored(instrument: str, *answers: float, form: str = "") -> float:
    """The score of one form."""
    scale = SCALES[instrument]
    return float(score(np.array([answers], dtype=float), scale, form or next(iter(scale.forms))).values[0])


def reason(instrument: str, *answers: float) -> str:
    scale = SCALES[instrument]
    return str(score(np.array([answers], dtype=float), scale, next(iter(scale.forms))).reasons[0])


# ------------------------------------------------------------------ by hand, from the papers


def test_krebs_2009_peg_is_the_mean_and_the_sum_is_three_times_that() -> None:
    assert scored("peg", 7, 5, 4) == pytest.approx(16 / 3)
    assert scored("peg", 7, 5, 4, form="sum") == 16
    assert reason("peg", 7, NAN, 4) == "1 of 3 items missing; none allowed"


def test_fairbank_pynsent_2000_oswestry_is_percent_of_the_sections_answered() -> None:
    assert scored("odi", 2, 2, 2, 2, 2, 2, 2, 2, 0, 0) == 32  # 16 of 50
    assert scored("odi", 2, 2, 2, 2, 2, 2, 2, 2, 0, NAN) == 100 * 16 / 45
    assert scored("odi", 2, 2, 2, 2, 2, 2, 2, 2, NAN, NAN) == 40  # 16 of 40
    assert reason("odi", 2, 2, 2, 2, 2, 2, 2, NAN, NAN, NAN) == "3 of 10 sections missing; 2 allowed"


def test_vernon_mior_1991_neck_disability_in_points_and_percent() -> None:
    whole, nine = (3, 1, 2, 0, 4, 1, 2, 3, 1, 1), (3, 1, 2, 0, 4, 1, 2, NAN, 1, 1)
    assert scored("ndi", *whole) == 18
    assert scored("ndi", *whole, form="percent") == 36
    assert scored("ndi", *nine, form="percent") == 100 * 15 / 45
    assert scored("ndi", *nine) == 50 * 15 / 45
    assert reason("ndi", *nine[:-1], NAN) == "2 of 10 sections missing; 1 allowed"


def test_roland_morris_1983_counts_what_is_ticked() -> None:
    assert scored("rmdq", *[1] * 9, *[0] * 15) == 9
    assert reason("rmdq", *[1] * 9, *[0] * 14, NAN) == "1 of 24 statements missing; none allowed"


def test_stratford_1995_psfs_is_the_mean_over_the_same_activities() -> None:
    assert scored("psfs", 3, 5, 7) == 5
    assert scored("psfs", 4) == 4
    assert reason("psfs", 3, NAN, 7) == "1 of 3 activities missing; none allowed"


def test_roos_lohmander_2003_koos_is_100_when_there_is_no_problem() -> None:
    assert scored("koos_pain", *[0] * 9) == 100
    assert scored("koos_pain", *[4] * 9) == 0
    assert scored("koos_qol", 1, 2, 3, 2) == 50  # 100 - 100 * (8/4) / 4
    assert scored("koos_qol", 1, NAN, 4, NAN) == 37.5  # 100 - 100 * 2.5 / 4
    assert scored("koos_symptoms", 1, 0, 2, 1, NAN, NAN, NAN) == 75
    assert reason("koos_symptoms", 1, 0, 2, *[NAN] * 4) == "4 of 7 items missing; 3 allowed"


def test_cohen_1983_perceived_stress_turns_the_positive_items() -> None:
    assert scored("pss10", 4, 4, 4, 0, 0, 4, 0, 0, 4, 4) == 40
    assert scored("pss10", *[0] * 10) == 16  # four turned items of 4 each
    assert scored("pss10", 3, 2, 3, 2, 1, 3, 2, 1, 3, 2) == 3 + 2 + 3 + 2 + 3 + 3 + 2 + 3 + 3 + 2
    assert scored("pss4", 3, 1, 2, 4) == 3 + 3 + 2 + 4
    assert reason("pss4", 3, 1, NAN, 4) == "1 of 4 items missing; none allowed"


def test_cleeland_ryan_1994_bpi_interference_needs_four_of_seven() -> None:
    assert scored("bpi_severity", 8, 3, 5, 6) == 5.5
    assert scored("bpi_interference", 5, 6, 7, 4, NAN, NAN, NAN) == 5.5
    assert reason("bpi_interference", 5, 6, 7, *[NAN] * 4) == "4 of 7 items missing; 3 allowed"
    assert reason("bpi_severity", 8, 3, 5, NAN) == "1 of 4 items missing; none allowed"


def test_kosinski_2003_hit6_runs_from_36_to_78() -> None:
    assert (scored("hit6", *[6] * 6), scored("hit6", *[13] * 6)) == (36, 78)
    assert scored("hit6", 6, 8, 10, 11, 13, 10) == 58


def test_a_form_on_which_nothing_is_answered_is_no_form() -> None:
    assert reason("odi", *[NAN] * 10) == ""
    assert np.isnan(scored("odi", *[NAN] * 10))


@pytest.mark.parametrize("name", SCALES)
def test_rules_agree_with_the_reference_table(name: str) -> None:
    row, scale = REFERENCE[name], SCALES[name]
    assert (scale.items == (1, 5)) if row["n_items"] == "1-5 activities" else scale.items == (int(row["n_items"]),) * 2
    low, high = sorted(next(iter(scale.forms.values())))
    assert (low, high) == (float(row["min"]), float(row["max"]))
    falls = scale.forms[next(iter(scale.forms))][0] > 0 and name.startswith("koos")
    assert falls == ("100 - " in row["scoring"])
    if name.startswith(("koos", "bpi_interference")):
        assert f"at least {scale.fewest} " in row["missing_rule"]
    if "reversing" in row["scoring"]:
        assert scale.reversed_items == {"pss10": (4, 5, 7, 8), "pss4": (2, 3)}[name]
    assert bool(scale.reversed_items) == ("reversing" in row["scoring"])


# ------------------------------------------------------------------ properties


@st.composite
def forms(draw: st.DrawFn) -> tuple[Scale, str, np.ndarray]:
    """An instrument, one of its forms, and answers on it with gaps."""
    name = draw(st.sampled_from(sorted(SCALES)))
    scale = SCALES[name]
    items = draw(st.integers(*scale.items))
    answer = st.sampled_from(scale.answers if not scale.between else [x / 2 for x in range(21)])
    held = draw(st.lists(st.one_of(answer, answer, answer, st.just(NAN)), min_size=items, max_size=items))
    return scale, draw(st.sampled_from(sorted(scale.forms))), np.array(held, dtype=float)


@given(forms(), st.randoms())
def test_order_of_items_does_not_matter_except_between_turned_and_unturned(
    given_form: tuple[Scale, str, np.ndarray], random: Any
) -> None:
    scale, form, answers = given_form
    turned = [item - 1 for item in scale.reversed_items]
    other = [item for item in range(len(answers)) if item not in turned]
    mixed = answers.copy()
    for group in (turned, other):
        mixed[group] = answers[random.sample(group, len(group))]
    np.testing.assert_array_equal(
        score(answers[None], scale, form).values, score(mixed[None], scale, form).values
    )  # fmt: skip


@given(forms())
def test_answering_from_the_other_end_mirrors_the_score(given_form: tuple[Scale, str, np.ndarray]) -> None:
    scale, form, answers = given_form
    first, last = scale.ends
    both = score(np.stack([answers, first + last - answers]), scale, form).values
    start, end = scale.forms[form]
    np.testing.assert_allclose(both[0] + both[1], (start + end) if np.isfinite(both[0]) else NAN)


@given(forms())
def test_turning_an_item_twice_changes_nothing(given_form: tuple[Scale, str, np.ndarray]) -> None:
    scale, form, answers = given_form
    first, last = scale.ends
    every = replace(scale, reversed_items=tuple(range(1, len(answers) + 1)))
    plain = replace(scale, reversed_items=())
    np.testing.assert_allclose(
        score(answers[None], every, form).values, score((first + last - answers)[None], plain, form).values
    )


@given(forms())
def test_missing_items_count_as_the_mean_of_the_others(given_form: tuple[Scale, str, np.ndarray]) -> None:
    scale, form, answers = given_form
    first, last = scale.ends
    turned = answers.copy()
    turn = [item - 1 for item in scale.reversed_items]
    turned[turn] = first + last - answers[turn]
    held = np.isfinite(answers)
    got = score(answers[None], scale, form)
    if held.sum() < max(1, min(scale.fewest, len(answers))):
        assert np.isnan(got.values[0])
        assert bool(got.reasons[0]) == held.any()
        return
    filled = np.where(held, turned, turned[held].mean())
    whole = score(filled[None], replace(scale, reversed_items=()), form)
    assert got.values[0] == pytest.approx(whole.values[0])
    low, high = sorted(scale.forms[form])
    assert low <= got.values[0] <= high


@given(forms())
def test_a_form_alone_and_among_others_has_the_same_score(given_form: tuple[Scale, str, np.ndarray]) -> None:
    scale, form, answers = given_form
    rng = np.random.default_rng(1)
    many = np.vstack([answers, rng.choice(scale.answers, size=(50, len(answers)))])
    assert score(many, scale, form).values[0].tobytes() == score(answers[None], scale, form).values[0].tobytes()


def test_unticked_is_no_only_on_a_form_that_was_returned() -> None:
    answers = np.array([[1, NAN, NAN], [NAN, NAN, NAN], [1, 0, NAN], [1, NAN, NAN]])
    blank = np.isnan(answers)
    blank[3, 2] = False  # a code for not answered
    np.testing.assert_array_equal(
        with_unticked(answers, blank), [[1, 0, 0], [NAN, NAN, NAN], [1, 0, NAN], [1, 0, NAN]]
    )  # fmt: skip


# ------------------------------------------------------------------ from a file


def titles(count: int, stem: str = "q") -> tuple[str, ...]:
    return tuple(f"{stem}{number}" for number in range(1, count + 1))


def questionnaire(name: str, *, form: str = "", **more: Any) -> Outcome:
    known = in_form(OUTCOMES[name], form) if form else OUTCOMES[name]
    return replace(known, items=titles(SCALES[name].items[1]), **more)


def rows_of(*rows: tuple[str, str], items: int) -> str:
    """A CSV of forms: each a day and its answers, ``-`` for blank."""
    cells = [",".join([day, *("" if answer == "-" else answer for answer in answers)]) for day, answers in rows]
    return "\n".join([",".join(["date", *titles(items)]), *cells, ""])


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def from_text(text: str, *outcomes: Outcome, **how: Any) -> Diary:
        path = tmp_path / "forms.csv"
        path.write_text(text, encoding="utf-8")
        return consistent(read_diary(path, outcomes=outcomes, **how))

    return from_text


def said(diary: Diary, severity: str = "") -> str:
    return "\n".join(str(problem) for problem in diary.problems if problem.severity.startswith(severity))


def values(diary: Diary, name: str) -> dict[str, float]:
    return {f"{day:%m-%d}": value for day, value in diary.values[name].dropna().items()}


def test_forms_are_scored_row_by_row_and_every_cell_is_counted(read: Any) -> None:
    text = rows_of(
        ("2026-01-05", "2222222200"), ("2026-02-05", "222222220-"), ("2026-03-05", "2222222---"), ("2026-04-05", "-" * 10),
        items=10,
    )  # fmt: skip
    diary = read(text, questionnaire("odi"))
    assert values(diary, "odi") == {"01-05": 32, "02-05": 100 * 16 / 45}
    assert (diary.counts.read, diary.counts.kept, diary.counts.missing, diary.counts.rejected) == (40, 19, 14, 7)
    assert "forms.csv row 4 column q1 to q7: odi: form not scored: 3 of 10 sections missing; 2 allowed." in said(
        diary, "warning"
    )
    assert "forms.csv row 3: odi: sections are missing, and the score is taken from the others." in said(diary, "note")
    ledger = diary.ledger
    assert set(ledger["row"]) == {4}
    assert ledger["outcome"].tolist() == [f"odi item {number}" for number in range(1, 8)]
    assert ledger["raw"].tolist() == ["2"] * 7


def test_an_answer_off_its_scale_is_neither_clipped_nor_missing(read: Any) -> None:
    forms = [(f"2026-01-{day:02}", "1011111111") for day in range(5, 20)]
    text = rows_of(*forms, ("2026-02-05", "1111111611"), ("2026-02-06", ("1",) * 9 + ("2.5",)), items=10)  # type: ignore[arg-type]
    diary = read(text, questionnaire("odi"))
    assert len(values(diary, "odi")) == 15
    assert set(values(diary, "odi").values()) == {18}
    warned = said(diary, "warning")
    assert 'row 17 column q8: "6": outside the scale (0 to 5).' in warned
    assert "declare item_range = [1, 6]" in warned
    assert 'row 18 column q10: "2.5": no answer of this item (0, 1, 2, 3, 4, 5).' in warned
    assert "rows 17, 18, column q1 to q10: odi: form not scored: an answer on it was not read" in warned
    assert not said(diary, "error")


def test_many_answers_off_the_scale_are_one_error_of_the_questionnaire(read: Any) -> None:
    diary = read(rows_of(("2026-01-05", "6666611111"), ("2026-02-05", "1111111111"), items=10), questionnaire("odi"))
    assert said(diary, "error").startswith("forms.csv column q1 to q10: 5 of 20 answers to odi were not read.")


def test_answers_counted_from_one_are_declared_and_not_guessed(read: Any) -> None:
    text = rows_of(("2026-01-05", "3333333311"), ("2026-02-05", "2222222211"), items=10)
    assert values(read(text, questionnaire("odi", item_range=(1, 6))), "odi") == {"01-05": 32, "02-05": 16}
    asked = read(text, questionnaire("odi"))
    assert "no item is ever answered 0" in said(asked, "warning")
    assert "declare item_range = [1, 6]" in said(asked, "warning")
    from_zero = rows_of(("2026-01-05", "3333333311"), ("2026-02-05", "0222222211"), items=10)
    assert "ever answered 0" not in said(read(from_zero, questionnaire("odi")))
    five = "date,q1,q2,q3,q4,q5,q6\n2026-01-05,1,2,3,4,5,3\n"
    assert values(read(five, questionnaire("hit6", item_range=(1, 5))), "hit6") == {"01-05": 6 + 8 + 10 + 11 + 13 + 10}


def test_a_long_table_makes_a_form_of_a_day(read: Any) -> None:
    answers = [
        ("2026-01-05", "q1", "7"), ("2026-01-05", "q2", "5"), ("2026-01-05", "q3", "4"), ("2026-01-05", "q3", "4"),
        ("2026-01-12", "q1", "3"), ("2026-01-12", "q3", "3"),
        ("2026-01-19", "q1", "2"), ("2026-01-19", "q2", "2"), ("2026-01-19", "q3", "2"), ("2026-01-19", "q2", "5"),
        ("?", "q1", "9"),
    ]  # fmt: skip
    text = "date,question,answer\n" + "".join(",".join(each) + "\n" for each in answers)
    diary = read(text, questionnaire("peg", form="mean"))
    assert values(diary, "peg") == {"01-05": pytest.approx(16 / 3)}
    warned = said(diary, "warning")
    assert "peg: form not scored: 1 of 3 items missing; none allowed" in warned
    assert "peg: form not scored: an item is answered twice on this day, differently" in warned
    assert 'row 12 column date: "?": no readable date' in warned
    same = diary.ledger[diary.ledger["rule"] == "same day twice, same value"]
    assert same["row"].tolist() == [5]


def test_a_form_entered_twice_counts_once_and_two_of_a_day_are_reduced(read: Any) -> None:
    text = rows_of(
        ("2026-01-05", "222"), ("2026-01-05", "222"), ("2026-01-12", "333"), ("2026-01-12", "666"), items=3
    )  # fmt: skip
    diary = read(text, questionnaire("peg", form="mean"), reducer="worst")
    assert values(diary, "peg") == {"01-05": 2, "01-12": 6}
    status = diary.ledger.groupby("row")["status"].unique().map(list).to_dict()
    assert status == {3: ["rejected"], 4: ["converted"], 5: ["converted"]}


def test_blank_statements_are_unticked_when_the_form_was_returned(read: Any) -> None:
    ticks = "11111" + "-" * 19
    text = rows_of(
        ("2026-01-05", ticks), ("2026-02-05", "-" * 24), ("2026-03-05", "1" * 5 + "0" * 18 + "-"), items=24
    )  # fmt: skip
    diary = read(text, questionnaire("rmdq"))
    assert values(diary, "rmdq") == {"01-05": 5}
    assert "row 2: rmdq: statements left blank count as not ticked, because others are ticked." in said(diary, "note")
    assert "row 4 column q1 to q23: rmdq: form not scored: 1 of 24 statements missing" in said(diary, "warning")


def test_a_visit_without_one_of_the_activities_cannot_be_compared(read: Any) -> None:
    text = "date,Stairs,Sitting\n2026-01-05,3,5\n2026-02-05,6,\n2026-03-05,7,8\n"
    diary = read(text, replace(OUTCOMES["psfs"], name="function", items=("Stairs", "Sitting")))
    assert values(diary, "function") == {"01-05": 4, "03-05": 7.5}
    assert "function: form not scored: 1 of 2 activities missing; none allowed. Only the same activities" in said(diary)


def test_two_questionnaires_and_a_rating_share_a_file(read: Any) -> None:
    text = "date,pain,q1,q2,q3,s1,s2,s3,s4\n2026-01-05,6,7,5,4,3,1,2,4\n2026-01-06,5,,,,,,,\n"
    pss = replace(OUTCOMES["pss4"], name="stress", items=titles(4, "s"))
    diary = read(text, replace(OUTCOMES["nrs_pain"], name="pain"), questionnaire("peg", form="sum"), pss)
    assert values(diary, "peg") == {"01-05": 16}
    assert values(diary, "stress") == {"01-05": 12}
    assert values(diary, "pain") == {"01-05": 6, "01-06": 5}
    assert "not read" not in said(diary)


def test_some_of_the_items_are_an_error_that_names_the_others(read: Any) -> None:
    with pytest.raises(UnreadableFileError, match=r'items of peg are not there: "q3"'):
        read("date,q1,q2\n2026-01-05,1,2\n", questionnaire("peg", form="mean"))


def test_a_questionnaire_in_no_file_is_an_error_that_names_its_items(read: Any) -> None:
    pain = replace(OUTCOMES["nrs_pain"], name="pain")
    diary = read("date,pain\n2026-01-05,6\n", pain, questionnaire("peg", form="mean"))
    assert 'Its items should be called "q1", "q2", "q3".' in said(diary, "error")


def test_python_asks_for_the_form_too(read: Any) -> None:
    with pytest.raises(UsageError, match="how it is scored is not given"):
        read("date,q1,q2,q3\n2026-01-05,1,2,3\n", questionnaire("peg"))


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.sampled_from(["0", "3", "5", "6", "-1", "2.5", "", "x", "n/a", "2-3", "1,5"]), min_size=11, max_size=11),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_whatever_the_cells_say_a_score_is_on_the_scale_or_has_a_reason(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "forms.csv"
    lines = [";".join(["date", *titles(10)])]
    lines += [";".join([f"2026-01-{day:02}", *row[:10]]) for day, row in enumerate(cells, 1)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    diary = consistent(read_diary(path, outcomes=(questionnaire("odi"),)))
    assert diary.counts.read == 10 * len(cells)
    for day, row in enumerate(cells, 1):
        numbers = [float(cell) for cell in row[:10] if cell in ("0", "3", "5")]
        wrong = any(cell in ("6", "-1", "2.5", "x", "2-3", "1,5") for cell in row[:10])
        expected = None if wrong or len(numbers) < 8 else 100 * sum(numbers) / (5 * len(numbers))
        assert values(diary, "odi").get(f"01-{day:02}") == expected


# ------------------------------------------------------------------ in a protocol


def declared(**entry: Any) -> Outcome:
    protocol, _ = protocol_from({"phase": PHASES, "outcome": {"x": entry}})
    return protocol.outcome("x")


def complaint(**entry: Any) -> str:
    with pytest.raises(ProtocolError) as caught:
        declared(**entry)
    return str(caught.value)


def test_the_form_sets_range_and_important_change() -> None:
    assert (declared(instrument="peg", form="sum").high, declared(instrument="peg", form="sum").important_change) == (
        30,
        3,
    )
    percent = declared(instrument="ndi", form="percent")
    assert (percent.low, percent.high, percent.important_change) == (0, 100, 14)  # 7/50 is 14 %
    assert declared(instrument="ndi", form="points").important_change == 7
    own = declared(instrument="peg", form="sum", important_change=4, items=["a", "b", "c"])
    assert (own.important_change, own.items) == (4, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"instrument": "peg", "items": ["a", "b", "c"]}, '"mean" (0 to 10) or "sum" (0 to 30)'),
        ({"instrument": "ndi", "items": list(titles(10))}, '"points" (0 to 50) or "percent" (0 to 100)'),
        ({"instrument": "peg", "form": "median"}, 'form = "median" is not one of its forms'),
        ({"instrument": "odi", "items": ["a", "b"]}, "items names 2 columns, and it has 10 sections"),
        ({"instrument": "psfs", "items": list(titles(6))}, "it has 1 to 5 activities"),
        ({"instrument": "psfs", "items": ["a", "a"]}, 'items names "a" more than once'),
        ({"instrument": "psfs", "items": []}, "items is empty"),
        ({"instrument": "promis_pi_t", "items": ["a", "b"]}, "never computed here"),
        ({"instrument": "womac_pain", "items": ["a", "b"]}, 'no scoring rule is known for "womac_pain"'),
        ({"kind": "score", "better": "lower", "range": [0, 9], "items": ["a"]}, "a scoring rule needs an instrument"),
        ({"instrument": "odi", "items": list(titles(10)), "range": [0, 50]}, 'key "range" cannot stand beside items'),
        ({"instrument": "koos_qol", "items": list(titles(4)), "better": "lower"}, "this score is better when higher"),
        ({"instrument": "odi", "items": list(titles(10)), "item_range": [1, 5]}, "does not count the 6 answers"),
        ({"instrument": "odi", "item_range": [1, 6]}, 'key "item_range" belongs to items'),
        ({"instrument": "rmdq", "items": list(titles(24)), "item_range": [1, 2]}, "belongs to items with numbered answers"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_said(entry: dict[str, Any], wrong: str) -> None:
    assert wrong in complaint(**entry)


def test_psfs_2_may_run_the_other_way() -> None:
    assert declared(instrument="psfs", items=["a"], better="lower").better == "lower"


def test_a_questionnaire_is_not_also_read_from_a_column() -> None:
    raw = {
        "phase": PHASES,
        "outcome": {"x": {"instrument": "psfs", "items": ["a"]}},
        "diary": [{"file": "a.csv", "columns": {"x": "Total"}}],
    }
    with pytest.raises(ProtocolError, match="which is scored from its items and read from no column"):
        protocol_from(raw)


def test_a_total_of_two_possible_forms_is_asked_about() -> None:
    course = np.full(98, NAN)
    course[[3, 50, 90]] = 6, 5, 4
    open_question = make_trial({"peg": course}, peg={"instrument": "peg"})
    said_of = [str(problem) for problem in problems_of(open_question)]
    assert any('Write form = "mean" (0 to 10) or "sum" (0 to 30).' in each for each in said_of)
    for settled in ({"instrument": "peg", "form": "mean"}, {"instrument": "peg", "range": [0, 30]}):
        assert not any("Write form" in str(each) for each in problems_of(make_trial({"peg": course}, peg=settled)))
    assert undeclared(OUTCOMES["odi"]) == ""


def test_a_sum_where_the_mean_was_declared_is_refused(read: Any) -> None:
    text = "date,peg\n2026-01-05,16\n2026-01-12,12\n"
    diary = read(text, in_form(OUTCOMES["peg"], "mean"))
    assert values(diary, "peg") == {}
    assert "a sum where the mean was expected" in said(diary, "error")
    assert values(read(text, in_form(OUTCOMES["peg"], "sum")), "peg") == {"01-05": 16, "01-12": 12}


# ------------------------------------------------------------------ recall


def recalled(days: list[int], recall: int, **more: Any) -> list[tuple[str, str]]:
    course = np.full(98, NAN)
    course[days] = np.arange(len(days)) + 1.0
    entry = {"instrument": "psfs", "recall_days": recall, "items": ["a"], **more}
    trial = make_trial({"pain": np.tile([3.0, 4.0], 49), "x": course}, pain={"instrument": "nrs_pain"}, x=entry)
    return [(p.severity, str(p)) for p in problems_of(trial) if "recall" in p.problem]


def test_recall_may_end_on_the_first_day_of_the_phase_and_not_before() -> None:
    """Completed on day c it is fine if c − recall ≥ start: treatment begins on 19 January, day 14."""
    assert recalled([3, 21, 90], 7) == []
    [(severity, text)] = recalled([3, 20, 90], 7)
    assert (severity, "2026-01-25" in text, "Ask it from 2026-01-26 on." in text) == ("note", True, True)


def test_recall_of_what_decides_is_a_warning_and_the_first_day_is_explained() -> None:
    course = np.full(98, NAN)
    course[[3, 14, 16]] = 1, 2, 3
    trial = make_trial({"x": course}, x={"instrument": "psfs", "recall_days": 7})
    [found] = [problem for problem in problems_of(trial) if "recall" in problem.problem]
    assert found.severity == "warning"
    assert found.where == "outcome x on 2026-01-19, 2026-01-21"
    assert "If it was filled in before the treatment began, date it to the day before." in found.remedy


def test_recall_longer_than_the_phase_never_fits() -> None:
    [(_, text)] = recalled([3, 50, 90], 91)
    assert "which has only 84 days" in text


# ------------------------------------------------------------------ from protocol to page


PROTOCOL = """
[trial]
person = "P-007"
agreed_on = 2026-01-05

[[phase]]
kind = "baseline"
start = 2026-01-05
end = 2026-01-18

[[phase]]
kind = "treatment"
start = 2026-01-19
end = 2026-04-12

[[reassess]]
on = 2026-04-13

[[diary]]
file = "pain.csv"

[[diary]]
file = "forms.csv"

[outcome.pain]
instrument = "nrs_pain"
important_change = 2
primary = true

[outcome.back]
label = "Back function"
instrument = "odi"
items = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9", "q10"]
important_change = 10
sem = 4
"""


def test_from_answers_on_forms_to_the_report(tmp_path: Path) -> None:
    (tmp_path / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    rng = np.random.default_rng(5)
    first = np.datetime64("2026-01-05")
    pain = [f"{first + day},{int(rng.integers(5, 8) - 3 * (day > 30))}" for day in range(98)]
    (tmp_path / "pain.csv").write_text("date,pain\n" + "\n".join(pain) + "\n", encoding="utf-8")
    text = rows_of(
        ("2026-01-12", "222222220-"), ("2026-02-16", "2222222---"), ("2026-03-16", "1111211111"), ("2026-04-10", "1111110000"),
        items=10,
    )  # fmt: skip
    (tmp_path / "forms.csv").write_text(text, encoding="utf-8")
    trial = read_trial(tmp_path)
    consistent(trial.diary)
    assert values(trial.diary, "back") == {"01-12": 100 * 16 / 45, "03-16": 22, "04-10": 12}
    review = reassess(trial)
    answer = next(each for each in review.estimates if each.outcome.name == "back" and each.question == "score_change")
    assert answer.value == pytest.approx(12 - 100 * 16 / 45)
    assert (answer.high - answer.low) / 2 == pytest.approx(1.959964 * 4 * np.sqrt(2), rel=1e-4)
    write_report(review, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Questionnaires scored from their items" in page
    assert "percent of the highest total that the given answers allow (0 to 100)" in page
    assert "form not scored: 3 of 10 sections missing; 2 allowed" in page


def test_how_each_questionnaire_is_scored_in_words() -> None:
    def cells(name: str, form: str = "") -> tuple[str, ...]:
        return scored_cells(questionnaire(name, form=form))[1:4]

    assert cells("peg", "sum") == ("3 items", "sum of the answers (0 to 30)", "none")
    assert cells("koos_qol") == (
        "4 items",
        "100 less the percent of the highest total that the given answers allow (0 to 100)",
        "2",
    )
    assert cells("pss10")[1] == "sum of the answers, with items 4, 5, 7 and 8 turned (0 to 40)"
    assert cells("psfs") == ("5 activities", "mean of the answers (0 to 10)", "none")
    assert scored_cells(replace(OUTCOMES["psfs"], items=("Stairs",)))[1] == "1 activity"


@pytest.mark.parametrize("name", SCALES)
def test_every_scale_has_words_and_one_default_or_asks(name: str) -> None:
    outcome = questionnaire(name)
    assert form_of(outcome) in SCALES[name].forms
    assert all(scored_cells(replace(outcome, form=form))[2] for form in SCALES[name].forms)
    assert bool(undeclared(OUTCOMES[name])) == (len(SCALES[name].forms) > 1)
