"""How treatment went: sessions, what was done at them, regular medication, the person's own overall rating."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

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
        What is not a number, where one was expected.
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


def _who(session: Session) -> str:
    return next((" ".join(session.more[name].split()).casefold() for name in WHO if session.more.get(name)), "")


def _done(part: str, sessions: Sequence[Session]) -> Done:
    cells = [text for session in sessions if (text := " ".join(session.more.get(part, "").split()))]
    if part in NUMBERS:
        read = {text: _number(text, NUMBERS[part]) for text in cells}
        numbers = [pair for text in cells if (pair := read[text])]
        left_out = tuple(text for text, pair in read.items() if pair is None)
        return Done(part, len(cells), numbers=_spread(numbers), left_out=left_out)
    if part == POINTS:
        return Done(part, len(cells), _counted(dict.fromkeys(map(_point, _parted(text))) for text in cells))
    return Done(part, len(cells), _counted([text] for text in cells))


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


def _parted(text: str) -> list[str]:
    return [part for each in re.split(r"[;,/+]", text) if (part := each.strip())]


def _point(text: str) -> str:
    """Write a point one way: LI4 for ``LI-4`` and ``li 4``; other names stay as they are."""
    found = re.fullmatch(r"([A-Za-z]{2,3}(?:-[A-Za-z]{1,3})?)[\s-]?(\d{1,2})", text)
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
