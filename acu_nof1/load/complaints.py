"""What should be known or mended: one complaint per file, column and rule, in a person's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.derive import NIGHT_PROBLEMS
from acu_nof1.errors import Place, Problem, did_you_mean
from acu_nof1.load.cells import BLANK, NO_DATE, OVERLONG, SAME_TWICE, SEVERAL
from acu_nof1.load.tables import spoken_rows
from acu_nof1.outcomes import conversion
from acu_nof1.privacy import LONGEST, masked, measured, measured_words, quoted_column, without_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from acu_nof1.outcomes import Outcome

TOO_MANY_REJECTED = 0.20
ENOUGH_FOR_A_SCALE = 7  # answers, before something is said of all of them
SHORT_SLEEP = 24.0  # minutes: a median below this is hours that were read as minutes
LONGEST_TEXT = 60
OTHER_SCALE = (
    "The column is probably on another scale, in another unit or format than declared "
    "(a sum where the mean was expected, cm for mm)."
)
OTHER_WORDS = "Answers must be yes or no, 1 or 0; declare other words: words = {ja = 1, nein = 0}."
OTHER_ANSWERS = "The form probably counts its answers otherwise: see item_range, or declare what its words stand for."
AS_IN_FILE = "Write it as it stands in the file."
MOST_TITLES = 12
MOST_QUOTED = 20_000  # different texts of a column; of a file that has more, their length is told
_VALUE = re.compile(r"[\d.,:/ -]+")
FORM_REFUSED = "form not scored: "  # how the rules begin that refuse a whole questionnaire
OF_A_FORM = f"{FORM_REFUSED}|{SAME_TWICE.name}|{SEVERAL.name}"  # said once of a form, not of each of its items


def shown(text: str) -> str:
    """How is text from a file shown: short, masked, and with its control characters visible?"""
    visible = masked(text[:LONGEST])[: 2 * LONGEST_TEXT]  # before it is cut: half an address is one too
    if not visible.isprintable():
        visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in visible)
    return visible if len(visible) <= LONGEST_TEXT else visible[: LONGEST_TEXT - 1] + "…"


def listed(titles: Iterable[str]) -> str:
    """How are titles from a file listed in a sentence? One that looks like a name is not printed."""
    titles = list(titles)
    # Without a row of titles the first entry stands in for them.
    how = measured_words if any(_VALUE.fullmatch(title) for title in titles) else without_names
    said = [f'"{shown(how(title[:LONGEST]))}"' for title in titles]
    more = f" and {len(said) - MOST_TITLES} more" if len(said) > MOST_TITLES else ""
    return ", ".join(said[:MOST_TITLES]) + more or "none that can be named here"


def nearest(word: str, titles: Iterable[str]) -> str:
    """Which of these titles was probably meant? Nothing is said when none is near."""
    hint = did_you_mean(word, [shown(without_names(title[:LONGEST])) for title in titles])
    return hint if hint.startswith("Did") else ""


def place(file: str, column: str, rows: Iterable[int] | None = None) -> Place:
    """Where is it, as the user sees it: ``pain.csv row 12 column pain``? Without a title: in the rows as a whole."""
    all_rows, title = [] if rows is None else [int(row) for row in rows], shown(column)
    said = spoken_rows(all_rows) if all_rows else ""
    parts = [said + ("," if title and said.startswith("rows") else ""), f"column {title}" if title else ""]
    return Place(" ".join([file, *filter(None, parts)]), file, all_rows, title)


def examples(raw: pd.Series[str]) -> str:
    """What do these cells, quoted already, say, by up to three different examples?"""
    distinct = list(dict.fromkeys(str(text) for text in raw.iloc[:1000]))
    return ", ".join(f'"{text}"' for text in distinct[:3]) + (" …" if len(distinct) > 3 else "")


def told(texts: pd.Series[str], which: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """How are the cells of one column quoted, where they are told of? The others stay as they are."""
    cells: npt.NDArray[np.object_] = texts.to_numpy(dtype=object, copy=True)
    codes, distinct = pd.factorize(cells[which])
    if len(distinct):
        times = np.bincount(codes).tolist()
        known = [str(text) for text in distinct]
        quoted = quoted_column(known[:MOST_QUOTED], times[:MOST_QUOTED], answered=int((cells != "").sum()))
        said = [*map(shown, quoted), *map(measured, known[MOST_QUOTED:])]
        cells[which] = np.array(said, dtype=object)[codes]
    return cells


def is_listed(cells: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which cells get a line in the ledger: all but blanks and those taken as they stand?"""
    status, rules = cells["status"].to_numpy(dtype=object), cells["rule"].to_numpy(dtype=object)
    listed: npt.NDArray[np.bool_] = (status != "kept") & (rules != BLANK.name)
    return listed


def cell_problems(
    cells: pd.DataFrame, yes_no: Iterable[str] = (), forms: Mapping[str, str] | None = None
) -> list[Problem]:
    """One problem per column and rule (a warning if something can be done), and columns mostly refused.

    `yes_no` names the outcomes that are answered with yes or no; `forms` says which questionnaire an item is of.
    """
    columns = cells.drop_duplicates("source")[["file", "column", "outcome"]].astype(str)
    # Text also where no file has a column: pandas would take an empty list for numbers.
    columns["form"] = pd.array([(forms or {}).get(outcome, "") for outcome in columns["outcome"]], dtype="str")
    problems = _mostly_rejected(cells, columns, frozenset(yes_no))
    found = cells[is_listed(cells)]
    form = pd.Series(columns["form"].to_numpy(dtype=object)[found["source"].to_numpy()], index=found.index, dtype="str")
    # A night and a form are refused as a whole: one complaint names all their columns.
    whole_night, whole_form = found["rule"].isin(NIGHT_PROBLEMS), found["rule"].str.contains(OF_A_FORM) & (form != "")
    of_what = found["source"].astype(str).where(~whole_night, found["file"].astype(str))
    of_what = of_what.where(~whole_form, found["file"].astype(str) + " " + form)
    for _, group in found.groupby([of_what, "rule"], sort=False):
        first, at = group.iloc[0], group.index[0]
        if first["rule"] not in (NO_DATE.name, OVERLONG.name):  # said once, of the file
            where = place(first["file"], _from_to(group["column"]), np.sort(group["row"].unique()))
            what = f"{form.loc[at] if whole_form.loc[at] else examples(group['raw'])}: {first['rule']}."
            problems.append(Problem("warning" if first["remedy"] else "note", where, what, first["remedy"]))
    return problems


def _from_to(columns: pd.Series[str]) -> str:
    return " to ".join(dict.fromkeys(columns.iloc[[0, -1]].astype(str)))


def _mostly_rejected(cells: pd.DataFrame, columns: pd.DataFrame, yes_no: frozenset[str]) -> list[Problem]:
    """Columns, and questionnaires with all their columns, of which too many answers were refused."""
    status, rule = cells["status"].to_numpy(dtype=object), cells["rule"].to_numpy(dtype=object)
    refused = (status == "rejected") & ~np.isin(rule.astype(str), [SAME_TWICE.name, NO_DATE.name, OVERLONG.name])
    refused &= ~cells["rule"].str.startswith(FORM_REFUSED).to_numpy(dtype=bool)  # these answers were read
    counts = pd.DataFrame({"refused": refused, "answered": rule != BLANK.name}).groupby(cells["source"]).sum()
    columns = columns.assign(refused=counts["refused"].to_numpy(), answered=counts["answered"].to_numpy())
    alone = columns["form"] == ""
    of_what = (columns["file"] + " " + columns["form"]).where(~alone, columns.index.astype(str))
    return [
        Problem(
            "error",
            place(first["file"], _from_to(group["column"])),
            f"{group['refused'].sum()} of {group['answered'].sum()} answers to {first['form'] or first['outcome']} "
            "were not read.",
            OTHER_WORDS if first["outcome"] in yes_no else OTHER_ANSWERS if first["form"] else OTHER_SCALE,
        )
        for _, group in columns.groupby(of_what, sort=False)
        if group["refused"].sum() > TOO_MANY_REJECTED * group["answered"].sum()
        for first in [group.iloc[0]]
    ]


def lowest_tenth(outcome: Outcome, values: pd.Series[float], cells: pd.DataFrame) -> list[Problem]:
    """A line of 100 mm on which nothing is ever beyond 10 was measured in cm, or is a scale of 0 to 10."""
    own = cells[(cells["outcome"] == outcome.name).to_numpy()]
    line = outcome.unit == "mm" and (outcome.low, outcome.high) == (0, 100)
    if not line or own.empty or len(values) < ENOUGH_FOR_A_SCALE or not 0 < values.max() <= 10:
        return []
    tenths = bool((values % 1 != 0).any())  # nobody reads tenths of a millimetre
    asked = "are these cm?" if tenths else "is it a scale of 0 to 10, or cm?"
    return [
        Problem(
            "error" if tenths else "warning",
            place(str(own["file"].iloc[0]), str(own["column"].iloc[0])),
            f"no answer is above {values.max():g} on a line of 100 mm: {asked}",
            f'If they are cm, declare units = {{{outcome.name} = "cm"}}; if the scale is another, declare its range.',
        )
    ]


def too_short(outcome: Outcome, values: pd.Series[float], cells: pd.DataFrame) -> list[Problem]:
    """A night's sleep of seven minutes is seven hours."""
    whole_night = outcome.kind == "minutes" and outcome.domain == "sleep" and outcome.high is not None
    own = cells[(cells["outcome"] == outcome.name).to_numpy()]
    if not whole_night or values.empty or own.empty:
        return []
    median = float(values.median()) * conversion(outcome.unit, "min")
    if not median < SHORT_SLEEP:
        return []
    return [
        Problem(
            "error",
            place(str(own["file"].iloc[0]), str(own["column"].iloc[0])),
            f"half of the nights have less than {SHORT_SLEEP:.0f} minutes of {outcome.label.lower()}: are these hours?",
            f'If they are hours, declare units = {{{outcome.name} = "h"}}.',
        )
    ]
