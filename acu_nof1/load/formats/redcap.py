"""REDCap's export: rows of every event and form in one table, read together with its data dictionary where there is one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.load.layout import DATE_TITLES, Layout
from acu_nof1.load.tables import plain, read_table, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

RECORD, ENTERED = "record", "survey answered at"
SYSTEM = frozenset(
    (
        "redcap event name", "redcap repeat instrument", "redcap repeat instance", "redcap data access group",
        "redcap survey identifier", "event name", "repeat instrument", "repeat instance", "data access group",
        "survey identifier",
    )
)  # fmt: skip
NOT_COMPLETED = "[not completed]"
UNFILLED = "{} (form empty)"
BOX_WORDS = {"checked": 1.0, "unchecked": 0.0}
# The titles of the dictionary as a file, and as REDCap's programming interface has them.
NAME, FORM, KIND, LABEL, CHOICES = (
    ("variable / field name", "field name"),
    ("form name",),
    ("field type",),
    ("field label",),
    ("choices, calculations, or slider labels", "select choices or calculations"),
)
CHOSEN = ("radio", "dropdown")
_BOX = re.compile(r"(?P<field>.+)___-?\w+|.*\(choice=.*\)", re.DOTALL)
_COMPLETE = re.compile(r".+ complete|complete\?(?: \(column [a-z]+\))?")
_NUMBER_FIRST = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)(?![\d.,:/-]*\d)")
_NO_ANSWER = re.compile(
    r"(?:no(?:t|ne)? (?:answer|response|asked|applicable|done|recorded|known|stated)|missing|refuse|decline"
    r"|prefer(?:red|s)? not|(?:do not|don['’]?t) (?:know|remember|wish)|unknown|skip|n/a|blank)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """The columns of one form: its fields, its boxes to tick, and the one that says whether it is complete."""

    fields: tuple[str, ...]
    boxes: tuple[str, ...]
    complete: str


@dataclass(frozen=True, slots=True)
class Question:
    """One field of the data dictionary whose answer is chosen: each code, and how it is labelled."""

    choices: Mapping[str, str] = field(default_factory=dict)

    @property
    def absent(self) -> dict[str, str]:
        """The choices that are no answer."""
        return {code: label for code, label in self.choices.items() if _NO_ANSWER.match(label.strip())}

    @property
    def answers(self) -> dict[str, str]:
        """The others."""
        return {code: label for code, label in self.choices.items() if code not in self.absent}

    @property
    def numbers(self) -> dict[str, float | None]:
        """Which number does the label of each code begin with?"""
        found = {code: _NUMBER_FIRST.match(label) for code, label in self.answers.items()}
        return {code: float(number[1]) if number else None for code, number in found.items()}

    @property
    def words(self) -> dict[str, float]:
        """What do the labels stand for? The number they begin with, where all do; else their code, if it is a number."""
        numbers = self.numbers
        if None not in numbers.values():
            return {self.answers[code]: number for code, number in numbers.items() if number is not None}
        return {label: float(code) for code, label in self.answers.items() if _is_number(code)}

    @property
    def otherwise(self) -> dict[str, float]:
        """Which codes have a label that begins with another number?"""
        return {
            code: number
            for code, number in self.numbers.items()
            if number is not None and (not _is_number(code) or float(code) != number)
        }


def arrange(table: Table, file: DiaryFile, folder: Path) -> Table:
    """Take the record for the person, the survey's time for the entry's, and codes and labels as the dictionary has them.

    A box that is not ticked is exported as 0 also where nobody filled in its form: there it is no answer.
    """
    forms = forms_of(table.columns)
    table = reduce(_without_unfilled, forms, _with_record(table))
    if file.dictionary is not None:
        table = _explained(table, read_dictionary(folder / file.dictionary), labelled=_is_labelled(table, forms))
    boxes = dict.fromkeys((title for form in forms for title in form.boxes), BOX_WORDS)
    table = replace(table, words={**boxes, **table.words})
    return _with_entry(table, _form_of_the_day(forms, file))


def forms_of(columns: Sequence[str]) -> list[Form]:
    """Which columns are of one form? Those up to the column that says whether it is complete.

    Parameters
    ----------
    columns
        The titles, in their order.
    """
    forms, own = [], list[str]()
    for title in columns[1:]:
        if _COMPLETE.fullmatch(plain(title)):
            boxes = tuple(filter(_BOX.fullmatch, own))
            forms.append(Form(tuple(own_title for own_title in own if own_title not in set(boxes)), boxes, title))
            own = []
        elif plain(title) not in SYSTEM:
            own.append(title)
    return forms


def read_dictionary(path: Path) -> dict[str, Question]:
    """Which answers can be chosen for each field, by the name and by the label of the field?

    Parameters
    ----------
    path
        The data dictionary, as REDCap exports it.

    Raises
    ------
    UnreadableFileError
        If it is none.
    """
    table = read_table(path, titles=[*NAME, *FORM, *KIND, *LABEL, *CHOICES])
    titles = {plain(title): title for title in table.columns}
    found = [next((titles[name] for name in names if name in titles), None) for names in (NAME, KIND, LABEL, CHOICES)]
    if None in found:
        what = f"a data dictionary has the columns {', '.join(names[0] for names in (NAME, KIND, LABEL, CHOICES))}."
        raise unreadable(path.name, what, "Export it in REDCap: Project Setup, Data Dictionary, Download.")
    names, kinds, labels, choices = (table.rows[title].str.strip() for title in found)
    questions = [Question(_choices(text) if kind in CHOSEN else {}) for kind, text in zip(kinds, choices, strict=True)]
    once = ~labels.duplicated(keep=False)
    by_label = {plain(label): each for label, each, own in zip(labels, questions, once, strict=True) if own}
    return by_label | {plain(name): each for name, each in zip(names, questions, strict=True)}


def _choices(text: str) -> dict[str, str]:
    """``0, No pain | 1, 1``: by their code."""
    pairs = (choice.partition(",") for choice in text.split("|"))
    return {code.strip(): label.strip() for code, comma, label in pairs if comma}


def _with_record(table: Table) -> Table:
    """The first column says whose a row is, whatever its name."""
    first = table.columns[0]
    return table if plain(first) in SYSTEM else table.with_columns(**{RECORD: table.rows[first]})


def _without_unfilled(table: Table, form: Form) -> Table:
    """Tell the boxes that were left empty from those of forms that were not filled in."""
    if not form.boxes:
        return table
    boxes = table.rows[list(form.boxes)]
    filled = ~table.rows[form.complete].str.strip().str.casefold().isin(["", "0", "incomplete"])
    rows = table.rows[~filled]
    ticked = rows[list(form.boxes)].isin(["1", "Checked"]).any(axis=1)
    filled[~filled] = ticked | (rows[list(form.fields)] != "").any(axis=1)
    if bool(filled.all()):
        return table
    marked = {
        title: boxes[title].where(filled | (boxes[title] == ""), boxes[title] + UNFILLED.format(""))
        for title in form.boxes
    }
    codes = tuple(UNFILLED.format(text) for text in ("0", "Unchecked"))
    return replace(table.with_columns(**marked), missing_in={**table.missing_in, **dict.fromkeys(form.boxes, codes)})


def _is_labelled(table: Table, forms: Sequence[Form]) -> bool:
    """Are answers exported by their label, and not by their code? The columns of complete forms give it away."""
    said = (table.rows[form.complete].isin(["Incomplete", "Unverified", "Complete"]).any() for form in forms)
    return any(map(bool, said))


def _explained(table: Table, dictionary: Mapping[str, Question], *, labelled: bool) -> Table:
    """Codes, labels and codes for no answer as the data dictionary has them; other numbers than the codes are asked about."""
    known = {title: dictionary[plain(title)] for title in table.columns if plain(title) in dictionary}
    missing = {t: tuple((q.absent.values if labelled else q.absent.keys)()) for t, q in known.items() if q.absent}
    table = replace(table, missing_in={**table.missing_in, **missing})
    if labelled:
        return replace(table, words={**table.words, **{title: q.words for title, q in known.items() if q.words}})
    other = {title: question for title, question in known.items() if question.otherwise}
    shown = {title: _with_label(table.rows[title].to_numpy(dtype=object), q) for title, q in other.items()}
    words = {title: {_labelled(code, q): number for code, number in q.numbers.items() if number is not None}
             for title, q in other.items() if None not in q.numbers.values()}  # fmt: skip
    warnings = [
        (
            f"codes of {title} are labelled with other numbers (code {code} with {number:g})",
            "They are read by their label." if title in words else
            f'They are not read: declare what they stand for, as in words = {{"{_labelled(code, other[title])}" = {number:g}}}.',
        )
        for title in shown
        for code, number in list(other[title].otherwise.items())[:1]
    ]  # fmt: skip
    table = table.with_columns(**shown)
    return replace(table, words={**table.words, **words}, warnings=(*table.warnings, *warnings))


def _labelled(code: str, question: Question) -> str:
    return f"{code} (labelled {question.choices[code]})"


def _with_label(cells: npt.NDArray[np.object_], question: Question) -> npt.NDArray[np.object_]:
    """Put its label beside each code: none can be taken for a number where some are not theirs."""
    shown = {code: _labelled(code, question) for code in question.answers}
    return np.array([shown.get(cell.strip(), cell) for cell in cells], dtype=object)


def _form_of_the_day(forms: Sequence[Form], file: DiaryFile) -> Form | None:
    titles = {plain(title) for title in ([file.columns["date"]] if "date" in file.columns else DATE_TITLES)}
    return next((form for form in forms if titles & {plain(title) for title in form.fields}), None)


def _with_entry(table: Table, form: Form | None) -> Table:
    """When was the survey of the day's form answered?"""
    title = f"{form.complete.removesuffix('_complete')}_timestamp" if form else ""
    if title not in table.columns:
        return table
    return table.with_columns(**{ENTERED: table.rows[title].replace(NOT_COMPLETED, "")})


def _is_number(code: str) -> bool:
    return re.fullmatch(r"[-+]?\d+(?:\.\d+)?", code) is not None


REDCAP = Layout(
    "redcap",
    "REDCap's export, raw or with labels: the record first, redcap_event_name or redcap_repeat_instrument, then the "
    "fields of each form and whether it is complete; `dictionary` names its data dictionary",
    "REDCap export",
    columns={"date": DATE_TITLES, "entered": (ENTERED,), "person": (RECORD,)},
    signatures=(
        ("redcap_event_name",),
        ("redcap_repeat_instrument",),
        ("event name", "repeat instrument"),
        ("repeat instrument", "repeat instance"),
    ),
    arrange=arrange,
    gives="whatever its fields ask, once they are mapped; labels, and codes for no answer, from its data dictionary",
)
