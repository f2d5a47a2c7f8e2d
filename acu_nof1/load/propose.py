"""What is in a file nobody has described yet, and which command would read it?"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from acu_nof1.derive import CSD_ITEMS, CSD_NEEDS
from acu_nof1.load.cells import MISSING, NO, YES, Reader, folded, read_column
from acu_nof1.load.clocks import read_clocks
from acu_nof1.load.columns import find_questions, find_roles, titles_to_look_for
from acu_nof1.load.dates import read_days
from acu_nof1.load.layout import DATE_TITLES, Layout
from acu_nof1.load.recognise import open_table, usual_titles
from acu_nof1.load.tables import Table, plain
from acu_nof1.outcomes import OUTCOMES, Outcome
from acu_nof1.protocol import DiaryFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

Look = Literal["dates", "undecided dates", "yes or no", "clock times", "numbers", "text", "blank"]
MOSTLY = 0.6  # share of the cells that decides; the others are dirt, which the reader names
LOOKED_AT, MOST_SHOWN = 5_000, 300
_ANY_NUMBER = Outcome("", "", "count")


@dataclass(frozen=True, slots=True)
class Shown:
    """One column of an undescribed file.

    Attributes
    ----------
    title
        Its title.
    look
        What its cells look like.
    low, middle, high
        Smallest, median and largest number; NaN where there are none.
    most
        The number that nine in ten do not exceed.
    whole
        Whether all numbers are whole.
    outcome
        The proposed option, such as ``csd_tst,unit=h``; ``""`` for none.
    """

    title: str
    look: Look
    low: float = float("nan")
    middle: float = float("nan")
    high: float = float("nan")
    most: float = float("nan")
    whole: bool = False
    outcome: str = ""

    @property
    def looks_like(self) -> str:
        """What the cells look like, in words."""
        if self.look == "numbers":
            return f"{'whole numbers' if self.whole else 'numbers'} {self.low:.6g} to {self.high:.6g}"
        return "dates, day and month cannot be told apart" if self.look == "undecided dates" else self.look


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reading of an undescribed file, to be accepted or corrected by a person.

    Attributes
    ----------
    file
        Its path as it was given.
    columns
        Every column, what it looks like and the outcome proposed for it.
    command
        The command to paste; the start of treatment is to be filled in.
    more
        How many further columns the file has.
    """

    file: str
    columns: tuple[Shown, ...]
    command: str
    more: int = 0

    def __str__(self) -> str:
        width = max(len(column.title) for column in self.columns)
        lines = [
            f"  {column.title:<{width}}  {column.looks_like}" + (f"  -> {column.outcome}" if column.outcome else "")
            for column in self.columns
        ]
        lines += [f"  … and {self.more} more"] if self.more else []
        return "\n".join([f"Columns of {self.file}:", *lines, "", self.command])


@dataclass(frozen=True, slots=True)
class Hint:
    """When a column with such a title looks like this, it is probably that outcome.

    `words` is a pattern for the title. For numbers the median must lie from `above` to `below` and the
    largest of nine in ten be at most `top`.
    """

    words: str
    look: Look
    outcome: str
    above: float = float("-inf")
    below: float = float("inf")
    top: float = float("inf")


# In order: the first that fits is taken, so narrow ones stand first.
HINTS: tuple[Hint, ...] = (
    Hint("headache|migraine", "yes or no", "headache_day"),
    Hint("flare", "yes or no", "flare_day"),
    Hint("rescue|tablet|pill|medic|painkiller|dose", "yes or no", "rescue_day"),
    Hint("rescue|tablet|pill|medic|painkiller|dose", "numbers", "rescue_doses_day", above=0, top=40),
    Hint("stress", "numbers", "nrs_stress", above=0, top=10),
    Hint("sleep efficiency", "numbers", "csd_se", above=20, top=100),
    Hint("sleep quality|quality of sleep", "numbers", "csd_quality", above=1, top=5),
    Hint("awakening|woke|times awake", "numbers", "csd_nwak", above=0, top=40),
    Hint("sleep|slept", "clock times", "csd_tst"),
    Hint("sleep|slept", "numbers", "csd_tst,unit=h", above=3, below=12, top=24),
    Hint("sleep|slept", "numbers", "csd_tst", above=120, below=900, top=1440),
    Hint("pain|ache|sore", "numbers", "nrs_pain", above=0, top=10),
    Hint("pain|ache|sore", "numbers", "vas_pain", above=0, top=100),
    Hint("step", "numbers", "count,better=higher", above=0),
    Hint("walk|exercis|activ|stretch", "numbers", "minutes,better=higher", above=0, top=1440),
)


def recognised(path: Path, file: DiaryFile) -> tuple[str, ...]:
    """Which outcomes of the catalogue does this file itself name: by its format, or by exactly their names?

    Parameters
    ----------
    path, file
        Where it is, and how it is declared.

    Returns
    -------
    tuple of str
        Names in the catalogue, those derived from the clock times of a night last. Nothing is guessed from values;
        without a column of days there is none.
    """
    catalogue = tuple(OUTCOMES.values())
    table, layout = open_table(path.parent, file, path.name, titles_to_look_for(file, catalogue))
    roles, wrong = find_roles(file, path.name, table, layout)
    if wrong:
        return ()
    questions, _ = find_questions(file, path.name, table, layout, roles, catalogue)
    found = [outcome.name for outcome in questions]
    nights = [name for name, needs in CSD_NEEDS.items() if name in OUTCOMES and set(needs) <= set(roles)]
    return tuple(dict.fromkeys([*found, *nights]))


def propose(path: str | Path, layout: str | None = None, out: str | None = None) -> Proposal:
    """What does this file hold, and with which command can it be read?

    Parameters
    ----------
    path
        A diary file in any known format.
    layout
        Its format, if it is not to be recognised.
    out
        The table to convert it to, if it is not to be reported.

    Returns
    -------
    Proposal
        Nothing is read as an answer yet: a person accepts the command or corrects it.

    Raises
    ------
    UnreadableFileError
        If the file cannot be read as a table.
    """
    at = Path(path)
    table, found = open_table(at.parent, DiaryFile(file=at.name, layout=layout), at.name, [*usual_titles(), *OUTCOMES])
    titles = table.columns[:MOST_SHOWN]
    shown = tuple(_shown(title, table.rows[title].head(LOOKED_AT), table.delimiter) for title in titles)
    shown = tuple(_of_format(column, found) for column in shown)
    command = _command(str(path), shown, _derivable(table, found), out)
    return Proposal(str(path), shown, command, len(table.columns) - len(titles))


def _shown(title: str, texts: pd.Series[str], delimiter: str) -> Shown:
    look = _look(texts, delimiter)
    if look != "numbers":
        return Shown(title, look, outcome=_outcome(title, Shown(title, look)))
    numbers = _numbers(texts, delimiter)
    numbers = numbers[~np.isnan(numbers)]
    low, middle, most, high = (float(np.quantile(numbers, part)) for part in (0, 0.5, 0.9, 1))
    seen = Shown(title, look, low, middle, high, most, whole=bool((numbers == np.round(numbers)).all()))
    return replace(seen, outcome=_outcome(title, seen))


def _numbers(texts: pd.Series[str], delimiter: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return read_column(texts, Reader(_ANY_NUMBER, delimiter=delimiter or ",")).values


def _look(texts: pd.Series[str], delimiter: str) -> Look:
    words = texts.map(folded)
    texts, words = texts[~words.isin(MISSING | {""})], words[~words.isin(MISSING | {""})]
    enough = MOSTLY * len(texts)
    if not len(texts):
        return "blank"
    if words.isin(YES | NO).any() and words.isin(YES | NO | {"0", "1"}).sum() >= enough:
        return "yes or no"
    if np.count_nonzero(~np.isnan(_numbers(texts, delimiter))) >= enough:
        return "numbers"
    days = read_days(texts)
    if np.count_nonzero(~np.isnat(days.days)) >= enough:
        return "dates"
    if np.count_nonzero(~np.isnan(read_clocks(texts).values)) >= enough:
        return "clock times"
    either = read_days(texts, dayfirst=True).days, read_days(texts, dayfirst=False).days
    undecided = np.count_nonzero(~np.isnat(either[0]) | ~np.isnat(either[1]))
    return "undecided dates" if undecided >= enough else "text"


def _outcome(title: str, seen: Shown) -> str:
    """Return the option that fits the title and the values; ``""`` when none does."""
    words = plain(title)
    known = {plain(name): name for name in OUTCOMES}
    if words in known and seen.look in ("numbers", "yes or no"):
        return known[words]
    return next((hint.outcome for hint in HINTS if _fits(hint, words, seen)), "")


def _fits(hint: Hint, words: str, seen: Shown) -> bool:
    if not re.search(rf"\b(?:{hint.words})", words):
        return False
    if hint.look == "yes or no" and seen.look == "numbers":
        return seen.whole and seen.low >= 0 and seen.high == 1
    if hint.look != seen.look:
        return False
    return hint.look != "numbers" or (
        seen.low >= min(hint.above, 0) and hint.above <= seen.middle <= hint.below and seen.most <= hint.top
    )


def _of_format(column: Shown, layout: Layout) -> Shown:
    """A column that the format keeps an outcome in needs no proposal: the outcome is found there by itself."""
    own = {plain(title) for measure in layout.measures.values() for title in measure.titles}
    return replace(column, outcome="") if plain(column.title) in own else column


def _derivable(table: Table, layout: Layout) -> tuple[str, ...]:
    """Outcomes that the format gives by itself: it knows their columns, or derives them from clock times."""
    if set(CSD_ITEMS) <= set(layout.columns):
        return ("csd_tst", "csd_se")
    titles = {plain(title) for title in table.columns}
    if layout.shape == "long":
        named = [title for title in table.columns if plain(title) in map(plain, layout.columns["question"])]
        titles |= {plain(str(question)) for title in named[:1] for question in table.rows[title].unique()}
    return tuple(name for name, measure in layout.measures.items() if titles.intersection(map(plain, measure.titles)))


def _command(path: str, shown: Sequence[Shown], derived: Sequence[str], out: str | None) -> str:
    dates = [column.title for column in shown if column.look in ("dates", "undecided dates")]
    usual = any(plain(column.title) in DATE_TITLES for column in shown)
    options = [f"--date {_quoted(dates[0])}"] if dates and not usual else []
    options += [f"--outcome {_quoted(f'{column.title}={column.outcome}')}" for column in shown if column.outcome]
    options += [f"--outcome {name}" for name in derived]
    file = shlex.quote(f"./{path}" if path.startswith("-") else path)
    if out is not None:
        return " ".join(["acu-nof1 convert", file, out, *(options or ['--outcome "COLUMN=INSTRUMENT"'])])
    return " ".join(["acu-nof1 report", file, "--start YYYY-MM-DD", *options])


def _quoted(text: str) -> str:
    """Quote for a shell: double quotes where nothing inside them is special, else as `shlex` does."""
    return shlex.quote(text) if re.search(r'["\\$`!]', text) else f'"{text}"'
