"""Questionnaire scores from their items, where the rule is a published formula. No item is worded here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.outcomes import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from acu_nof1.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Scale:
    """How an instrument is scored. Every rule here is a straight line in the mean of the items.

    Attributes
    ----------
    items
        How many it has: the least and the most.
    answers
        What an item may be answered by, in order; where any number between two ends will do, the two ends.
    fewest
        How many must be answered; the score is then taken from these.
    forms
        By name, the score when every item has its first answer, and when every item has its last.
    source
        Where the rule stands.
    between
        Whether items may be answered between two answers, as 3.5 on a scale of 0 to 10.
    reversed_items
        Items, counted from 1, of which the first answer counts as the last.
    ticked
        Whether items are statements to be ticked, so that a blank one is a no if the form was returned.
    part
        What its items are called.
    either_way
        Whether forms of it exist on which the other direction is better.
    """

    items: tuple[int, int]
    answers: tuple[float, ...]
    fewest: int
    forms: Mapping[str, tuple[float, float]]
    source: str
    between: bool = False
    reversed_items: tuple[int, ...] = field(default=())
    ticked: bool = False
    part: str = "items"
    either_way: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest answer."""
        return self.answers[0], self.answers[-1]


FROM_0_TO_5 = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
FROM_0_TO_4 = FROM_0_TO_5[:-1]
KOOS = "Roos & Lohmander 2003, Health Qual Life Outcomes 1:64; half of the items since the guide of 2012"
BPI = "Cleeland & Ryan 1994, Ann Acad Med Singap 23:129"
PSS = "Cohen 1983, J Health Soc Behav 24:385"


def _koos(items: int, fewest: int) -> Scale:
    return Scale((items, items), FROM_0_TO_4, fewest, {"percent": (100, 0)}, KOOS)


SCALES: Mapping[str, Scale] = {
    "peg": Scale(
        (3, 3), (0, 10), 3, {"mean": (0, 10), "sum": (0, 30)}, "Krebs 2009, J Gen Intern Med 24:733", between=True
    ),
    "bpi_severity": Scale((4, 4), (0, 10), 4, {"mean": (0, 10)}, BPI, between=True),
    "bpi_interference": Scale((7, 7), (0, 10), 4, {"mean": (0, 10)}, BPI, between=True),
    "odi": Scale(
        (10, 10), FROM_0_TO_5, 8, {"percent": (0, 100)}, "Fairbank & Pynsent 2000, Spine 25:2940", part="sections"
    ),
    "ndi": Scale(
        (10, 10), FROM_0_TO_5, 9, {"points": (0, 50), "percent": (0, 100)}, "Vernon & Mior 1991, JMPT 14:409",
        part="sections",
    ),
    "rmdq": Scale(
        (24, 24), (0, 1), 24, {"count": (0, 24)}, "Roland & Morris 1983, Spine 8:141", ticked=True, part="statements"
    ),
    "psfs": Scale(
        (1, 5), (0, 10), 5, {"mean": (0, 10)}, "Stratford 1995, Physiother Can 47:258", between=True,
        part="activities", either_way=True,
    ),
    "koos_pain": _koos(9, 5),
    "koos_symptoms": _koos(7, 4),
    "koos_adl": _koos(17, 9),
    "koos_sport": _koos(5, 3),
    "koos_qol": _koos(4, 2),
    "hit6": Scale((6, 6), (6, 8, 10, 11, 13), 6, {"sum": (36, 78)}, "Kosinski 2003, Qual Life Res 12:963"),
    "pss10": Scale((10, 10), FROM_0_TO_4, 10, {"sum": (0, 40)}, PSS, reversed_items=(4, 5, 7, 8)),
    "pss4": Scale((4, 4), FROM_0_TO_4, 4, {"sum": (0, 16)}, PSS, reversed_items=(2, 3)),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of N filled-in forms.

    Attributes
    ----------
    values : (N,)
        NaN where a form is not scored.
    answered : (N,)
        How many items were answered.
    reasons : (N,)
        Why a form is not scored; ``""`` where it is, and where nothing at all was answered.
    """

    values: npt.NDArray[np.float64]
    answered: npt.NDArray[np.int64]
    reasons: npt.NDArray[np.object_]


def score(answers: npt.NDArray[np.float64], scale: Scale, form: str) -> Scores:
    """What do the answers on these forms add up to?

    With the items of a form on the line from the first answer (0) to the last (1), reversed ones turned, the
    score is the same share of the way from one end of the score to the other as the mean of the answered items.
    That is the sum, the mean or the percentage that the instrument's authors give; a missing item counts as the
    mean of the others, where they allow it.

    Parameters
    ----------
    answers : (N, K)
        One row per form, items in the order of the questionnaire, NaN for not answered.
    scale
        The rule.
    form
        One of ``scale.forms``.

    Returns
    -------
    Scores
        Forms with too many items missing have a reason and no score.
    """
    held = np.isfinite(answers)
    first, last = scale.ends
    turned = answers.copy()
    turn = [item - 1 for item in scale.reversed_items]
    turned[:, turn] = first + last - answers[:, turn]
    total, answered = np.where(held, turned - first, 0.0).sum(axis=1), held.sum(axis=1)
    start, end = scale.forms[form]
    items = answers.shape[1]
    fewest = min(scale.fewest, items)
    enough = (answered >= fewest) & (answered > 0)
    # One division, so that 100 * 16 / 45 is the number that a hand calculation gives.
    values = start + (end - start) * total / np.where(enough, (last - first) * answered, np.nan)
    allowed = items - fewest or "none"
    reasons = np.array([f"{items - n} of {items} {scale.part} missing; {allowed} allowed" for n in range(items + 1)])
    return Scores(values, answered, np.where(enough | (answered == 0), "", reasons[answered]).astype(object))


def with_unticked(answers: npt.NDArray[np.float64], blank: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Which statements were left unticked, and so answered by no?

    A blank is a no on a form that was returned: one with a tick on it. Where a no is written out somewhere on the
    form, a blank is no answer. Whether a form without any mark was returned is not known.

    Parameters
    ----------
    answers : (N, K)
        1 ticked, 0 a written no, NaN neither.
    blank : (N, K)
        Where nothing was written.
    """
    ticked = (answers == 1).any(axis=1) & ~(answers == 0).any(axis=1)
    return np.where(ticked[:, None] & blank, 0.0, answers)


def form_of(outcome: Outcome) -> str:
    """In which form is it scored: the declared one, or the only one there is?"""
    return outcome.form or next(iter(SCALES[outcome.instrument].forms))


def in_form(outcome: Outcome, form: str) -> Outcome:
    """Return an instrument of the catalogue on the scale of this form: the important change goes with the length."""
    low, high = sorted(SCALES[outcome.instrument].forms[form])
    assert outcome.low is not None
    assert outcome.high is not None
    longer = (high - low) / (outcome.high - outcome.low)

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * longer

    return replace(
        outcome,
        form=form,
        low=float(low),
        high=float(high),
        step=scaled(outcome.step),
        important_change=scaled(outcome.important_change),
    )


def undeclared(outcome: Outcome) -> str:
    """Which form should be declared, because an instrument has several: ``"mean" (0 to 10) or "sum" (0 to 30)``?

    Empty where nothing is open: a range of one's own is a declaration too.
    """
    scale, known = SCALES.get(outcome.instrument), OUTCOMES.get(outcome.instrument)
    if scale is None or known is None or outcome.form or (outcome.low, outcome.high) != (known.low, known.high):
        return ""
    return _choices(scale) if len(scale.forms) > 1 else ""


def _choices(scale: Scale) -> str:
    return " or ".join(f'"{form}" ({low:g} to {high:g})' for form, (low, high) in scale.forms.items())


def cannot_score(
    instrument: str, form: str, items: Sequence[str], item_range: tuple[float, float] | None
) -> Iterator[tuple[str, str]]:
    """What stands against scoring an instrument in this way, and what to do about it?

    Parameters
    ----------
    instrument
        An entry of the catalogue; ``""`` for none.
    form
        The declared form; ``""`` for none.
    items
        Titles of the columns (in a long table: the questions) that hold its items; empty: its total is read.
    item_range
        First and last number of the answers as the file counts them, where that is not as usual.
    """
    scale = SCALES.get(instrument)
    if instrument.startswith("promis") and (items or form):
        yield (
            "a PROMIS T-score comes from its scoring service, not from a sum of items, and is never computed here.",
            "Leave items and form out, and map the column that holds the T-score.",
        )
    elif scale is None and (items or form):
        what = f'no scoring rule is known for "{instrument}".' if instrument else "a scoring rule needs an instrument."
        yield what, f"Map the column of its total instead. Scored from items: {', '.join(SCALES)}."
    elif scale is not None:
        if form and form not in scale.forms:
            yield f'form = "{form}" is not one of its forms.', f"Write form = {_choices(scale)}."
        elif items and not form and len(scale.forms) > 1:
            yield "how it is scored is not given, and nothing is guessed.", f"Write form = {_choices(scale)}."
        if items:
            yield from _wrong_items(items, scale)
    if item_range is not None:
        yield from _wrong_range(items, item_range, scale)


def _wrong_items(items: Sequence[str], scale: Scale) -> Iterator[tuple[str, str]]:
    least, most = scale.items
    if not least <= len(items) <= most:
        asked = f"{least}" if least == most else f"{least} to {most}"
        yield (
            f"items names {len(items)} columns, and it has {asked} {scale.part}.",
            "Name every one, in the order of the questionnaire; what was not answered is a blank cell.",
        )
    twice = [title for title, count in Counter(items).items() if count > 1]
    if twice:
        yield f'items names "{twice[0]}" more than once.', "Name each column once."


def _wrong_range(
    items: Sequence[str], item_range: tuple[float, float], scale: Scale | None
) -> Iterator[tuple[str, str]]:
    if not items:
        yield 'key "item_range" belongs to items.', "Take it out, or name the items."
    elif scale is not None and (scale.between or scale.ticked):
        yield 'key "item_range" belongs to items with numbered answers.', "Take it out."
    elif scale is not None and item_range[1] - item_range[0] != len(scale.answers) - 1:
        first, last = scale.ends
        yield (
            f"item_range {list(item_range)} does not count the {len(scale.answers)} answers of an item "
            f"({first:g} to {last:g}).",
            f"Write item_range = [1, {len(scale.answers)}], or leave it out.",
        )
