"""The items of questionnaires: found, read like any other cell, and scored form by form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.errors import Problem
from acu_nof1.load.cells import BLANK, OFF_SCALE, SAME_TWICE, Rule
from acu_nof1.load.complaints import AS_IN_FILE, FORM_REFUSED, listed, nearest, place
from acu_nof1.load.rows import Desk, read_cells, reader_of, rows_of
from acu_nof1.load.tables import plain
from acu_nof1.outcomes import Outcome
from acu_nof1.scoring import SCALES, Scores, form_of, score, with_unticked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

UNREAD = Rule("an answer on it was not read", "Mend that cell: a wrong answer is not a missing one.")
TWICE = Rule("an item is answered twice on this day, differently", "Keep one form for a day.")
ASK = "Ask for what is missing, or leave the form as it is: nothing is filled in."
SAME_ACTIVITIES = "Only the same activities can be compared: take one that was not rated every time out of items."
NOTHING_SCORED = pd.DataFrame(columns=["outcome", "date", "value", "file", "row"])


@dataclass(frozen=True, eq=False)
class Forms:
    """The N forms of one questionnaire in a file: a row of the table each, in a long table all answers of a day.

    Attributes
    ----------
    days : (N,)
        What they are about.
    number : (N,)
        Row of the file at which each begins, as the user sees it.
    answers : (N, K)
        On the instrument's own numbers; NaN for not answered.
    blank, refused, differs : (N, K)
        Where nothing was written, where an answer was not read, where there are two different ones.
    """

    days: npt.NDArray[np.datetime64]
    number: npt.NDArray[np.int64]
    answers: npt.NDArray[np.float64]
    blank: npt.NDArray[np.bool_]
    refused: npt.NDArray[np.bool_]
    differs: npt.NDArray[np.bool_]


def find_items(
    name: str, titles: Sequence[str], named: Sequence[str], outcomes: Iterable[Outcome]
) -> tuple[dict[Outcome, tuple[str, ...]], list[Problem]]:
    """Where are the items of each questionnaire in this file? A file that has some of them must have them all.

    `named` are the titles that a complaint may list.
    """
    by_plain = {plain(title): title for title in titles}
    found: dict[Outcome, tuple[str, ...]] = {}
    wrong = []
    for outcome in outcomes:
        missing = [item for item in outcome.items if plain(item) not in by_plain]
        if not missing:
            found[outcome] = tuple(by_plain[plain(item)] for item in outcome.items)
        elif len(missing) < len(outcome.items):
            what = f"items of {outcome.name} are not there: {listed(missing)}; there are {listed(named)}."
            wrong.append(Problem("error", name, what, nearest(missing[0], named) or AS_IN_FILE))
    return found, wrong


def read_scores(
    desk: Desk, found: Mapping[Outcome, Sequence[str]]
) -> tuple[list[pd.DataFrame], pd.DataFrame, list[Problem]]:
    """Read the items of every questionnaire in this file, score its forms, and say what should be known."""
    frames: list[pd.DataFrame] = []
    derived: list[pd.DataFrame] = []
    notes: list[Problem] = []
    for outcome, titles in found.items():
        cells, forms = _filled_in(desk, outcome, titles)
        answers = with_unticked(forms.answers, forms.blank) if SCALES[outcome.instrument].ticked else forms.answers
        scores = score(answers, SCALES[outcome.instrument], form_of(outcome))
        again = _same_form_again(forms)
        reasons = _reasons(forms, scores)
        frames += _with_reasons(cells, reasons, again, outcome)
        usable = ~again & (reasons == "") & np.isfinite(scores.values)
        derived.append(_derived(desk, outcome, forms, scores, usable))
        notes += _notes(desk, outcome, forms, answers, usable)
    return frames, pd.concat(derived, ignore_index=True) if derived else NOTHING_SCORED, notes


def _filled_in(desk: Desk, outcome: Outcome, titles: Sequence[str]) -> tuple[pd.DataFrame, Forms]:
    """Read the cells of all items (`item` and `form` say where each belongs), and put them on their forms."""
    days, form_of_row = _forms_of(desk)
    read = []
    for at, (name, title) in enumerate(zip(outcome.item_names, titles, strict=True)):
        column, rows = rows_of(desk, title)
        reader = reader_of(desk, _as_outcome(name, outcome), title)
        read.append(read_cells(desk, name, column, reader, rows).assign(item=at, form=form_of_row[rows]))
    cells = _only_answers(pd.concat(read, ignore_index=True), outcome)
    form, item = cells["form"].to_numpy(), cells["item"].to_numpy()
    value, dated = cells["value"].to_numpy(dtype=float), form >= 0
    held = dated & np.isfinite(value)
    first = held.copy()
    first[held] = ~cells.loc[held, ["form", "item"]].duplicated().to_numpy()
    shape = (len(days), len(titles))
    answers, blank = np.full(shape, np.nan), np.ones(shape, bool)
    refused, differs = np.zeros(shape, bool), np.zeros(shape, bool)
    answers[form[first], item[first]] = value[first]
    same = held & ~first & (answers[form, item] == value)
    other, wrong = held & ~first & ~same, dated & (cells["status"] == "rejected").to_numpy()
    written = dated & (cells["rule"] != BLANK.name).to_numpy()
    blank[form[written], item[written]] = False
    refused[form[wrong], item[wrong]] = True
    differs[form[other], item[other]] = True
    _refuse(cells, same, SAME_TWICE)
    number = np.zeros(len(days), dtype=np.int64)
    last_to_first = np.flatnonzero(form_of_row >= 0)[::-1]  # the first row of a form is the one that stays
    number[form_of_row[last_to_first]] = desk.table.numbers[last_to_first]
    return cells, Forms(days, number, _as_usual(answers, outcome), blank, refused, differs)


def _forms_of(desk: Desk) -> tuple[npt.NDArray[np.datetime64], npt.NDArray[np.intp]]:
    """The day of each form, and the form that each row belongs to (−1: none, without a day)."""
    if desk.layout.shape == "wide":
        return desk.days, np.where(np.isnat(desk.days), -1, np.arange(len(desk.days)))
    form, days = pd.factorize(desk.days)
    return np.asarray(days), form


def _as_outcome(name: str, outcome: Outcome) -> Outcome:
    scale = SCALES[outcome.instrument]
    low, high = outcome.item_range or scale.ends
    return Outcome(name, name, "yes_no" if scale.ticked else "rating", "", low, high, every="visit")


def _codes(outcome: Outcome) -> npt.NDArray[np.float64]:
    """The numbers that the file has for an item's answers, in their order."""
    answers = SCALES[outcome.instrument].answers
    if outcome.item_range is None:
        return np.array(answers, dtype=np.float64)
    return outcome.item_range[0] + np.arange(len(answers), dtype=np.float64)


def _as_usual(answers: npt.NDArray[np.float64], outcome: Outcome) -> npt.NDArray[np.float64]:
    """Put the file's numbers on the instrument's own."""
    if outcome.item_range is None:
        return answers
    usual: npt.NDArray[np.float64] = np.interp(answers, _codes(outcome), SCALES[outcome.instrument].answers)
    return usual


def _only_answers(cells: pd.DataFrame, outcome: Outcome) -> pd.DataFrame:
    """Reject what is no answer of an item, such as a number between two boxes."""
    if SCALES[outcome.instrument].between or SCALES[outcome.instrument].ticked:
        return cells
    codes = _codes(outcome)
    value = cells["value"].to_numpy(dtype=float)
    known = ", ".join(f"{code:g}" for code in codes)
    _refuse(
        cells,
        np.isfinite(value) & ~np.isin(value, codes),
        Rule(f"no answer of this item ({known})", "Type one of its answers: the one the instrument's guide counts."),
    )
    if outcome.item_range is None:
        off_scale = cells["rule"].str.startswith(OFF_SCALE).to_numpy(dtype=bool)
        cells.loc[off_scale, "remedy"] = f"Mend the cell. {_from_one(codes)}"
    return cells


def _from_one(codes: Sequence[float] | npt.NDArray[np.float64]) -> str:
    return f"If the form counts the answers from 1, declare item_range = [1, {len(codes)}]."


def _refuse(cells: pd.DataFrame, hit: npt.NDArray[np.bool_], rule: Rule) -> None:
    cells.loc[hit, ["status", "rule", "remedy"]] = ["rejected", rule.name, rule.remedy]
    cells.loc[hit, "value"] = np.nan


def _same_form_again(forms: Forms) -> npt.NDArray[np.bool_]:
    """Which forms repeat an earlier one of the same day, answer by answer?"""
    again = pd.DataFrame(forms.answers).assign(date=forms.days).duplicated().to_numpy()
    return again & np.isfinite(forms.answers).any(axis=1)


def _reasons(forms: Forms, scores: Scores) -> npt.NDArray[np.object_]:
    """Why is each form not scored? ``""`` where it is, or where nothing on it was answered."""
    reasons = scores.reasons.copy()
    reasons[forms.refused.any(axis=1)] = UNREAD.name
    reasons[forms.differs.any(axis=1)] = TWICE.name
    return reasons


def _with_reasons(
    cells: pd.DataFrame, reasons: npt.NDArray[np.object_], again: npt.NDArray[np.bool_], outcome: Outcome
) -> list[pd.DataFrame]:
    """Reject the answers of a form that is not scored, and of one that was entered twice; one frame per item."""
    form = cells["form"].to_numpy()
    answered = cells["value"].notna().to_numpy() & (form >= 0)
    _refuse(cells, answered & again[form], SAME_TWICE)
    part_missing = SAME_ACTIVITIES if outcome.instrument == "psfs" else ASK
    for reason in {*reasons} - {""}:
        remedy = {UNREAD.name: UNREAD.remedy, TWICE.name: TWICE.remedy}.get(reason, part_missing)
        hit = answered & ~again[form] & (reasons[form] == reason)
        _refuse(cells, hit, Rule(f"{FORM_REFUSED}{reason}", remedy))
    return [frame.drop(columns=["item", "form"]) for _, frame in cells.groupby("item")]


def _derived(desk: Desk, outcome: Outcome, forms: Forms, scores: Scores, usable: npt.NDArray[np.bool_]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "outcome": outcome.name,
            "date": forms.days[usable],
            "value": scores.values[usable],
            "file": desk.name,
            "row": forms.number[usable],
        }
    )


def _notes(
    desk: Desk,
    outcome: Outcome,
    forms: Forms,
    answers: npt.NDArray[np.float64],
    usable: npt.NDArray[np.bool_],
) -> Iterator[Problem]:
    """What was taken for granted: forms with gaps, blanks for a no, numbers that begin with 0."""
    scale = SCALES[outcome.instrument]
    missing = usable & np.isnan(answers).any(axis=1)
    unticked = usable & (np.isnan(forms.answers) & np.isfinite(answers)).any(axis=1)
    for mask, what in (
        (missing, f"{scale.part} are missing, and the score is taken from the others."),
        (unticked, f"{scale.part} left blank count as not ticked, because others are ticked."),
    ):
        if mask.any():
            where = place(desk.name, "", forms.number[mask])
            yield Problem("note", where, f"{outcome.name}: {what}", "")
    numbered = not (scale.between or scale.ticked) and outcome.item_range is None and scale.answers[0] == 0
    if numbered and usable.any() and np.nanmin(answers[usable]) == 1:
        what = f"{outcome.name}: no item is ever answered 0, and the answers are taken as they stand."
        yield Problem("warning", desk.name, what, _from_one(scale.answers))
