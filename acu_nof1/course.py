"""How treatment went: sessions, what was done at them, regular medication, the person's own overall rating."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.privacy import quoted
from acu_nof1.trial import VISIT_TOLERANCE

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Event, Look, Session
    from acu_nof1.trial import Trial

# What STRICTA 2010 (MacPherson et al., PLoS Med 7:e1000261) asks of a session: items 1a, 2a-2g and 3a.
PARTS = (
    "style", "points", "laterality", "needles_n", "needle_size", "depth_mm", "response", "stimulation", "frequency_hz",
    "retention_min", "other_components",
)  # fmt: skip
POINTS = "points"
# What else clinics call these columns.
ALSO: Mapping[str, tuple[str, ...]] = {
    "style": ("acupuncture_style",),
    "points": ("point",),
    "laterality": ("sides", "side"),
    "needles_n": ("needles", "n_needles"),
    "needle_size": ("needle", "needle_type"),
    "depth_mm": ("depth",),
    "response": ("response_sought", "response_obtained", "deqi", "de_qi"),
    "frequency_hz": ("frequency",),
    "retention_min": ("retention",),
    "other_components": ("other", "components"),
}
# Columns of numbers, and the unit that may stand behind one.
NUMBERS: Mapping[str, str] = {
    "needles_n": r"needles?",
    "depth_mm": r"mm",
    "frequency_hz": r"hz",
    "retention_min": r"min(?:ute)?s?\.?",
}
# Columns that hold a name. They reach no page.
WHO = ("practitioner", "acupuncturist", "therapist", "provider", "clinician")
RAISED = ("started", "more", "changed")
REDUCED = ("stopped", "less")
WEEK = 7
_POINT = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z]{1,3})?)[\s-]?(\d{1,2})")
_ONLY_POINTS = re.compile(rf"{_POINT.pattern}(?:\s+{_POINT.pattern})+")
# 2026-04-03, 03/04/2026, 4-Apr or 300000: a spreadsheet's reading of 3-4 or 3E5.
_NO_POINT = re.compile(r"[\d.,:/ -]+(?:E\+\d+)?|\d{1,2}[. -]+[A-Za-z]{3,9}\.?(?:[ -]\d{2,4})?", re.IGNORECASE)
# A week's mean rests on at least so many answered days.
ENOUGH_OF_WEEK = 4


@dataclass(frozen=True, slots=True)
class Done:
    """What one column of the session log says of the attended sessions.

    Attributes
    ----------
    part
        The column.
    told
        At how many attended sessions it holds something.
    counts
        Texts or points as written, and at how many sessions; the most frequent first.
    numbers
        Lowest, median and highest, ``None`` for columns of text and where no number could be read.
    left_out
        What is not a number, or no point, where one was expected.
    """

    part: str
    told: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    numbers: tuple[float, float, float] | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impression:
    """The person's own overall rating at the look; `answer` and `day` are ``None`` where it was not given."""

    outcome: Outcome
    answer: float | None = None
    day: dt.date | None = None

    @property
    def direction(self) -> int | None:
        """+1 better, −1 worse, 0 as before; ``None`` where the protocol does not say which way is better."""
        outcome = self.outcome
        if self.answer is None or not outcome.sign or outcome.low is None or outcome.high is None:
            return None
        return int(np.sign(self.answer - (outcome.low + outcome.high) / 2)) * outcome.sign

    @property
    def label(self) -> str:
        """What the answer is called on the form; ``""`` where the protocol does not say."""
        low, labels = self.outcome.low, self.outcome.labels
        if self.answer is None or low is None or self.answer not in low + np.arange(len(labels)):
            return ""
        return labels[int(self.answer - low)]


@dataclass(frozen=True, slots=True)
class Course:
    """What was done from the first session to the look, and what else the person took.

    Attributes
    ----------
    looked_on
        The day of the look; nothing after it counts.
    planned
        How many sessions were planned, ``None`` if nothing was said.
    sessions
        All sessions that were listed up to the look.
    done
        A summary of each STRICTA column, told or not.
    choices
        How many different choices of points there were.
    practitioners
        By how many people, as the log names them; 0 if it names none. Never who.
    medication
        Changes of regular medication up to the look.
    rescue
        The outcomes about medication that the diary keeps.
    impression
        The person's own overall rating, ``None`` if the protocol does not ask for one.
    """

    looked_on: dt.date
    planned: int | None
    sessions: tuple[Session, ...]
    done: tuple[Done, ...]
    choices: int
    practitioners: int
    medication: tuple[Event, ...]
    rescue: tuple[Outcome, ...]
    impression: Impression | None

    @property
    def attended(self) -> tuple[dt.date, ...]:
        """The days of the sessions that took place."""
        return tuple(sorted(session.date for session in self.sessions if session.attended))

    @property
    def late_cancelled(self) -> int:
        """How many were called off late."""
        return sum(session.late_cancel for session in self.sessions)

    @property
    def missed(self) -> int:
        """How many others did not take place."""
        return len(self.sessions) - len(self.attended) - self.late_cancelled

    @property
    def gaps(self) -> tuple[int, ...]:
        """Days from each attended session to the next."""
        return tuple((later - earlier).days for earlier, later in pairwise(self.attended))

    @property
    def days_since_last(self) -> int | None:
        """Days from the last attended session to the look."""
        return (self.looked_on - self.attended[-1]).days if self.attended else None


def course_of(trial: Trial, look: Look) -> Course:
    """How did treatment go, up to this look?

    Parameters
    ----------
    trial
        The diary read against its protocol; it may hold more than was known at the look.
    look
        The reassessment.

    Returns
    -------
    Course
        What the session log does not say is said to be missing; nothing is filled in.
    """
    day, stood = trial.look_day(look), trial.at(look)
    protocol = stood.protocol
    took_place = [session for session in protocol.sessions if session.attended]
    return Course(
        looked_on=day,
        planned=protocol.planned_sessions,
        sessions=protocol.sessions,
        done=tuple(_done(part, took_place) for part in PARTS),
        choices=len({frozenset(points) for each in took_place if (points := _points(_cell(each, POINTS)))}),
        practitioners=len({_who(session) for session in took_place} - {""}),
        medication=tuple(sorted((e for e in protocol.events if e.kind == "medication"), key=lambda event: event.date)),
        rescue=tuple(outcome for outcome in protocol.outcomes if outcome.domain == "medication"),
        impression=_impression(stood, day),
    )


def weekly(
    days: NDArray[np.int64], values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """What was the mean of each week, and on how many answered days does it rest?

    Parameters
    ----------
    days
        (D,) days since the first treatment day, at least one; negative before it, so that no week holds days of both
        sides.
    values
        (D,) answers, NaN where there is none.

    Returns
    -------
    tuple of numpy.ndarray
        (W,) first day of each week, mean (NaN for a week without an answer), number of answered days.
    """
    week = days // WEEK
    weeks = np.arange(week.min(), week.max() + 1)
    answered = np.isfinite(values)
    place = week[answered] - weeks[0]
    count = np.bincount(place, minlength=weeks.size)
    with np.errstate(invalid="ignore"):
        return weeks * WEEK, np.bincount(place, values[answered], minlength=weeks.size) / count, count


# ------------------------------------------------------------------ what was done


def not_understood(sessions: Iterable[Session]) -> tuple[Done, ...]:
    """Which columns of the log hold something that is no number, or no point, where one was expected?"""
    took_place = [session for session in sessions if session.attended]
    return tuple(done for part in (*NUMBERS, POINTS) if (done := _done(part, took_place)).left_out)


def turned(text: str) -> bool:
    """Is this a date or a long number, which a spreadsheet makes of 3-4 or 3E5?"""
    return re.fullmatch(r"\d{4}-\d\d-\d\d.*", text) is not None or _NO_POINT.fullmatch(text) is not None


def _who(session: Session) -> str:
    return next((" ".join(session.more[name].split()).casefold() for name in WHO if session.more.get(name)), "")


def _done(part: str, sessions: Sequence[Session]) -> Done:
    cells = [text for session in sessions if (text := _cell(session, part))]
    if part in NUMBERS:
        read = {text: _number(text, NUMBERS[part]) for text in cells}
        numbers = [pair for text in cells if (pair := read[text])]
        left_out = tuple(text for text, pair in read.items() if pair is None)
        return Done(part, len(cells), numbers=_spread(numbers), left_out=tuple(map(quoted, left_out)))
    if part == POINTS:
        left_out = tuple(dict.fromkeys(quoted(text) for text in cells if _NO_POINT.fullmatch(text)))
        return Done(part, len(cells), _counted(dict.fromkeys(_points(text)) for text in cells), left_out=left_out)
    return Done(part, len(cells), _counted([text] for text in cells))


def _cell(session: Session, part: str) -> str:
    """What a session says of a part, whatever case its column is titled in; two columns of one part are both told."""
    told = [" ".join(text.split()) for name, text in session.more.items() if part_of(name) == part]
    return "; ".join(dict.fromkeys(text for text in told if text))


def part_of(title: str) -> str | None:
    """Which part of STRICTA does a column of the session log hold?"""
    name = re.sub(r"\W+", "_", title.strip().lower()).strip("_")
    return next((part for part in PARTS if name in (part, *ALSO.get(part, ()))), None)


def _number(text: str, unit: str) -> tuple[float, float] | None:
    """Read 8, 7.5, 15 min or 15-20; both ends of a range, ``None`` for anything else."""
    found = re.fullmatch(
        rf"(\d+(?:[.,]\d+)?)(?:\s*(?:[-–]|to)\s*(\d+(?:[.,]\d+)?))?\s*(?:{unit})?", text, re.IGNORECASE
    )
    if found is None:
        return None
    low, high = (float((end or found[1]).replace(",", ".")) for end in found.groups())
    return (low, high) if low <= high else None


def _spread(numbers: Sequence[tuple[float, float]]) -> tuple[float, float, float] | None:
    if not numbers:
        return None
    ends = np.array(numbers)
    return float(ends.min()), float(np.median(ends.mean(axis=1))), float(ends.max())


def _points(text: str) -> list[str]:
    """Part a cell into points; one that a spreadsheet turned into a date or a number holds none."""
    if _NO_POINT.fullmatch(text):
        return []
    parts = [part for each in re.split(r"[;,/+&]", text) if (part := each.strip())]
    several = (
        [each[0] for each in _POINT.finditer(part)] if _ONLY_POINTS.fullmatch(part) else [part] for part in parts
    )
    return [_point(each) for part in several for each in part]


def _point(text: str) -> str:
    """Write a point one way: LI4 for ``LI-4`` and ``li 4``; other names stay as they are."""
    found = _POINT.fullmatch(text)
    return f"{found[1].upper()}{found[2]}" if found else text


def _counted(cells: Iterable[Iterable[str]]) -> tuple[tuple[str, int], ...]:
    """Count texts that differ in capitals only as one, written as first met; most frequent first."""
    written: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for cell in cells:
        for text in cell:
            written.setdefault(text.casefold(), text)
            counts[text.casefold()] += 1
    return tuple((written[key], count) for key, count in counts.most_common())


# ------------------------------------------------------------------ the overall rating


def _impression(trial: Trial, day: dt.date) -> Impression | None:
    """Return the answer nearest to the look: a rating of the change is of no use long before or after it."""
    outcome = next((outcome for outcome in trial.protocol.outcomes if outcome.is_global), None)
    if outcome is None:
        return None
    first = trial.protocol.first_treatment
    given = trial.diary.values.reindex(columns=[outcome.name])[outcome.name].dropna()
    days = given.index.to_numpy().astype("datetime64[D]")
    apart = np.abs((days - np.datetime64(day)).astype(int))
    near = (apart <= VISIT_TOLERANCE) & (days > np.datetime64(first.start if first else day))
    if not near.any():
        return Impression(outcome)
    nearest = int(np.argmin(np.where(near, apart, VISIT_TOLERANCE + 1)))
    return Impression(outcome, float(given.iloc[nearest]), days[nearest].astype(object))
