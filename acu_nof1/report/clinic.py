"""The page of a clinic: everybody in one table that finds and sorts, offline, and a plain table without a script."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from acu_nof1 import __version__
from acu_nof1.plot import plot_forest_of_people, style
from acu_nof1.report.block import Listing, Note, Picture, Section, Title, css, environment
from acu_nof1.words import change as said_of_change
from acu_nof1.words import cohort as said
from acu_nof1.words import pool as words
from acu_nof1.words.numbers import number, ratio, signed
from acu_nof1.words.page import WITHHELD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from acu_nof1.explore.pool import Pooled
    from acu_nof1.explore.shares import Share
    from acu_nof1.outcomes import Outcome
    from acu_nof1.report.block import Block

FOREST_UP_TO = 400
ROWS_UP_TO = 5000
"""A page of more rows is opened by no browser; the tables hold everybody."""
ORDER = tuple(said_of_change.READINGS)


@dataclass(frozen=True, slots=True)
class Row:
    """One person in the table."""

    person: str
    condition: str
    days: int
    of: int
    outcome: str
    change: str
    key: str
    verdict: str
    order: str
    page: str

    @property
    def share(self) -> str:
        """Share of days answered, to sort by."""
        return f"{self.days / self.of:.4f}" if self.of else ""

    @property
    def answered(self) -> str:
        """Days answered in words."""
        return said.answered(self.days, self.of)

    @property
    def page_of(self) -> str:
        """What the link says."""
        return said.REPORT.format(self.person)


def row(person: Mapping[str, Any], answer: Mapping[str, Any] | None, page: str) -> Row:
    """What stands in the table of one person?

    Parameters
    ----------
    person
        The person's row of the manifest.
    answer
        The headline of the primary outcome, as in the results; ``None`` if there is none.
    page
        Where the person's own page is; ``""`` for nowhere.
    """
    change, key, verdict, order = "–", "", _without(person), ""
    label = "" if answer is None else str(answer["label"])
    if answer is not None and answer["status"] == "ok":
        change, key = _change(answer), f"{float(answer['value']):.10g}"
        verdict, order = _verdict(answer)
    return Row(str(person["person"]), str(person.get("condition", "")), int(person["answered"]), int(person["asked"]),
               label, change, key, verdict, order, page)  # fmt: skip


def _without(person: Mapping[str, Any]) -> str:
    said_of = said.COULD_NOT_READ if person["status"] == "failed" else said.NOT_ESTIMABLE
    return said_of.format(person["reason"])


def _change(answer: Mapping[str, Any]) -> str:
    value, low, high = (float(answer[name]) for name in ("value", "low", "high"))
    if answer["scale"] == "ratio":
        return said.change(f"× {ratio(value)}", ratio(low), ratio(high), "")
    digits = 1 if abs(value) < 100 else 0
    return said.change(signed(value, digits), signed(low, digits), signed(high, digits), str(answer["unit"]))


def _verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    reading = str(answer["reading"])
    if reading == WITHHELD:
        return WITHHELD, str(len(ORDER))
    missing = answer["important_change"]
    known = (
        said_of_change.READINGS
        if missing != "" and not math.isnan(float(missing))
        else said_of_change.WITHOUT_THRESHOLD
    )
    return known.get(reading, said_of_change.READINGS.get(reading, (reading,)))[0].format(agreed=said.THRESHOLD), (
        str(ORDER.index(reading)) if reading in ORDER else ""
    )


def clinic_page(
    rows: Iterable[Row], counts: Mapping[str, int], pooled: Pooled | None, outcome: Outcome | None, share: Share | None
) -> str:
    """Lay out the page.

    Parameters
    ----------
    rows
        Everybody, in their order.
    counts
        How many people by what became of them.
    pooled, outcome, share
        What the changes come to, of which outcome, and how many have an important gain; ``None`` where there is no
        common average.
    """
    section = Section("clinic", tuple(_above(counts, pooled, outcome, share)))
    made = environment()
    everybody = sum(counts.values())
    left = said.left(ROWS_UP_TO, everybody) if everybody > ROWS_UP_TO else ""
    script = made.get_template("clinic.js").render(shown=said.SHOWN)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return made.get_template("clinic.html").render(
        title=said.TITLE, css=css(), sections=[section.html], said=said, rows=list(islice(rows, ROWS_UP_TO)), left=left,
        script=Markup(script),
        script_hash=Markup(digest),
    )  # fmt: skip


def _above(
    counts: Mapping[str, int], pooled: Pooled | None, outcome: Outcome | None, share: Share | None
) -> Iterator[Block]:
    yield Title(said.TITLE, number(sum(counts.values()), 0), (said.counts(counts),))
    if pooled is None or outcome is None:
        yield Note((f"acu_nof1 {__version__}",))
        return
    told = [*words.sentences(pooled, outcome), *([words.share_of_these(share)] if share is not None else [])]
    yield Listing(outcome.label, tuple(told))
    if pooled.ok and pooled.people <= FOREST_UP_TO:
        yield Picture(style.svg(plot_forest_of_people(pooled, outcome)), words.forest_alt(pooled, outcome))
    yield Note((said.OWN_ERRORS, f"acu_nof1 {__version__}"))
