"""A diary read against its protocol, and the comparisons that follow from the two."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from acu_nof1.derive import with_derived
from acu_nof1.errors import Problem, ProtocolError
from acu_nof1.protocol import Look
from acu_nof1.safety import review_safety

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from acu_nof1.diary import Diary
    from acu_nof1.outcomes import Outcome
    from acu_nof1.protocol import Protocol
    from acu_nof1.safety import Safety

UNUSED = -1
NO_DAY = np.datetime64("NaT", "D")
ONE_DAY = np.timedelta64(1, "D")
# Days of wash-out and follow-up enter no contrast: a course fades slowly, so they are not "off treatment".
COMPARED = ("baseline", "treatment")
VISIT_TOLERANCE = 7


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Many series to be asked the same questions: padded arrays of S series by D calendar days.

    One person with four outcomes is a batch of four; a cohort is a longer batch of the same kind.

    Attributes
    ----------
    person, outcomes, primary
        Whose series it is, what was asked, whether it is that person's primary outcome.
    values
        (S, D) answers; NaN is not answered, or padding.
    phase
        (S, D) index of the phase a day belongs to; −1 for days that enter no contrast (outside every
        phase, run-in, wash-out, follow-up, padding).
    treated
        (S, D) whether the day is a treatment day.
    window
        (S, D) whether the day lies in the reassessment window.
    tau
        (S, D) days since the first treatment day.
    start
        (S,) date of column 0.
    looked_on
        (S,) the reassessment date.
    window_days
        (S,) length of the window.
    """

    person: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    primary: NDArray[np.bool_]
    values: NDArray[np.float64]
    phase: NDArray[np.int64]
    treated: NDArray[np.bool_]
    window: NDArray[np.bool_]
    tau: NDArray[np.int64]
    start: NDArray[np.datetime64]
    looked_on: NDArray[np.datetime64]
    window_days: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.person)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """(S, D) whether a used day holds an answer."""
        return np.asarray(np.isfinite(self.values) & (self.phase != UNUSED))

    @property
    def baseline(self) -> NDArray[np.bool_]:
        """(S, D) whether the day is a baseline day that is used."""
        return np.asarray((self.phase != UNUSED) & ~self.treated)

    @property
    def after(self) -> NDArray[np.bool_]:
        """(S, D) whether the day is compared with the baseline: the window, or with several phases all of treatment."""
        several = (self.phases > 2)[:, None]
        return np.asarray(np.where(several, self.treated, self.window) & (self.phase != UNUSED))

    @property
    def phases(self) -> NDArray[np.int64]:
        """(S,) number of phases that are used."""
        return np.asarray(self.phase.max(axis=1, initial=UNUSED) + 1)

    def each(self, of: Callable[[Outcome], T]) -> list[T]:
        """What is this of the outcome of every series? Asked once for each outcome, however many series it has."""
        distinct, which = self._distinct
        answers = [of(outcome) for outcome in distinct]
        return [answers[place] for place in which]

    @cached_property
    def _distinct(self) -> tuple[list[Outcome], list[int]]:
        known: dict[int, int] = {}
        which = [known.setdefault(id(outcome), len(known)) for outcome in self.outcomes]
        by_id = {id(outcome): outcome for outcome in self.outcomes}
        return [by_id[key] for key in known], which

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Comparisons:
        """Return the chosen series, by index or by mask."""
        index = np.arange(len(self))[np.asarray(rows)]
        arrays = ("primary", "values", "phase", "treated", "window", "tau", "start", "looked_on", "window_days")
        return replace(
            self,
            person=tuple(self.person[i] for i in index),
            outcomes=tuple(self.outcomes[i] for i in index),
            **{name: getattr(self, name)[index] for name in arrays},
        )


def stack(parts: Iterable[Comparisons]) -> Comparisons:
    """Join comparisons of many people into one batch, padding the shorter series."""
    parts = [part for part in parts if len(part)]
    width = max(part.values.shape[1] for part in parts)

    def padded(name: str, fill: float) -> NDArray[Any]:
        return np.concatenate(
            [
                np.pad(getattr(part, name), ((0, 0), (0, width - part.values.shape[1])), constant_values=fill)
                for part in parts
            ]
        )

    return Comparisons(
        person=tuple(person for part in parts for person in part.person),
        outcomes=tuple(outcome for part in parts for outcome in part.outcomes),
        values=padded("values", np.nan),
        phase=padded("phase", UNUSED),
        treated=padded("treated", False),
        window=padded("window", False),
        tau=padded("tau", 0),
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("primary", "start", "looked_on", "window_days")
        },
    )


@dataclass(frozen=True, eq=False)
class Schedule:
    """When the days of P people are compared, each on a calendar of their own.

    Attributes
    ----------
    first, last
        (P,) first and last day of the calendar.
    begin, end, treats
        (P, K) first and last day of each phase that enters a contrast, in order, and whether it is treatment; NaT where a
        person has fewer.
    run_in_days
        (P,) days after the start of treatment that are left out.
    looked_on, window_days
        (P,) the reassessment date, and the length of its window.
    """

    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    begin: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    treats: NDArray[np.bool_]
    run_in_days: NDArray[np.int64]
    looked_on: NDArray[np.datetime64]
    window_days: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Days of the longest calendar."""
        return int((self.last - self.first).astype(int).max(initial=0)) + 1

    @cached_property
    def days(self) -> NDArray[np.datetime64]:
        """(P, D) the dates; NaT behind the end of a person's calendar."""
        days = self.first[:, None] + np.arange(self.width)
        return np.where(days <= self.last[:, None], days, NO_DAY)

    @cached_property
    def treatment_start(self) -> NDArray[np.datetime64]:
        """(P,) first treatment day; NaT without one."""
        return np.asarray(np.fmin.reduce(np.where(self.treats, self.begin, NO_DAY), axis=1, initial=NO_DAY))

    @cached_property
    def origin(self) -> NDArray[np.datetime64]:
        """(P,) the day from which days are counted: the first of treatment, else of the calendar."""
        return np.where(np.isnat(self.treatment_start), self.first, self.treatment_start)

    @cached_property
    def phases(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(P, D) the phase of each day, −1 for days that are not used, and whether it is a treatment day."""
        phase, treated = np.full(self.days.shape, UNUSED), np.zeros(self.days.shape, bool)
        before_look = self.days < self.looked_on[:, None]
        for k in range(self.begin.shape[1]):
            inside = (self.days >= self.begin[:, [k]]) & (self.days <= self.end[:, [k]]) & before_look
            phase[inside] = k
            treated = np.where(inside, self.treats[:, [k]], treated)
        since = self.days - self.treatment_start[:, None]
        phase[(since >= 0 * ONE_DAY) & (since < self.run_in_days[:, None] * ONE_DAY)] = UNUSED
        return phase, treated

    @cached_property
    def window(self) -> NDArray[np.bool_]:
        """(P, D) whether the day lies in the reassessment window."""
        _, treated = self.phases
        last = np.fmax.reduce(np.where(treated, self.days, NO_DAY), axis=1)
        end = np.fmin(self.looked_on, last + ONE_DAY)[:, None]
        return np.asarray(treated & (self.days >= end - self.window_days[:, None] * ONE_DAY) & (self.days < end))


def compared(
    schedule: Schedule,
    people: Sequence[str],
    outcomes: Sequence[Outcome],
    primary: str | None,
    values: NDArray[np.float64],
) -> Comparisons:
    """Which days of whom are compared with which, for every outcome?

    Parameters
    ----------
    schedule
        Of P people.
    people
        (P,) their codes.
    outcomes
        The O questions that all were asked.
    primary
        Name of the primary one.
    values
        (P, O, D) answers on the days of the schedule; NaN for none.

    Returns
    -------
    Comparisons
        P times O series, by person.
    """
    days, origin, day = schedule.days, schedule.origin[:, None], schedule.looked_on[:, None]
    on_calendar, begun = ~np.isnat(days), ~np.isnat(schedule.treatment_start)[:, None]
    phase, treated = schedule.phases
    # Days from the look on are shown for visits only: they must not say whether a day before it was in a flare.
    before = (phase != UNUSED) & ~treated & (days < origin)
    derived = np.array([outcome.derived is not None for outcome in outcomes], bool)[:, None]
    known = np.where((days < day)[:, None], values, np.nan)
    values = np.where(derived, with_derived(outcomes, known, before), values)
    visit = np.array([outcome.every == "visit" for outcome in outcomes], bool)[:, None]
    near = np.abs(days - day) <= VISIT_TOLERANCE * ONE_DAY
    # A form filled in on the day of the first session is taken as filled in before it.
    around = np.where((days <= origin) & begun, 0, np.where(days > origin, 1, UNUSED))
    people_by_outcomes, width = (len(people) * len(outcomes)), days.shape[1]

    def rows(of_day: NDArray[Any], of_visit: NDArray[Any], nothing: float) -> NDArray[Any]:
        each = np.where(visit, of_visit[:, None], of_day[:, None])
        return np.where(on_calendar[:, None], each, nothing).reshape(people_by_outcomes, width).astype(of_day.dtype)

    tau = np.where(on_calendar, (days - origin).astype(int), 0)
    return Comparisons(
        person=tuple(person for person in people for _ in outcomes),
        outcomes=tuple(outcomes) * len(people),
        primary=np.tile([outcome.name == primary for outcome in outcomes], len(people)),
        values=np.where(on_calendar[:, None], values, np.nan).reshape(people_by_outcomes, width),
        phase=rows(phase, around, UNUSED),
        treated=rows(treated, days > origin, False),
        window=rows(schedule.window & (phase != UNUSED), near & (days > origin), False),
        tau=np.repeat(tau, len(outcomes), axis=0),
        **{name: np.repeat(getattr(schedule, of), len(outcomes))
           for name, of in (("start", "first"), ("looked_on", "looked_on"), ("window_days", "window_days"))},
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Trial:
    """A diary read against its protocol."""

    protocol: Protocol
    diary: Diary

    @property
    def safety(self) -> Safety:
        """Red flags, adverse events and cautions known so far."""
        return self.safety_at(None)

    def safety_at(self, day: dt.date | None) -> Safety:
        """What is known about safety at a look: a red flag or serious event counts whenever it was recorded."""
        return review_safety(self.protocol.safety, self.protocol.sessions, day)

    def look_day(self, look: Look) -> dt.date:
        """On which day does this look fall?

        Raises
        ------
        ProtocolError
            If it is bound to a session that has not taken place.
        """
        if look.on is not None:
            return look.on
        attended, wanted = self.protocol.attended, look.after_session or 0
        if len(attended) < wanted:
            raise ProtocolError(
                [
                    Problem(
                        "error",
                        f"reassessment after session {wanted}",
                        f"only {len(attended)} attended sessions are listed.",
                        "Choose an earlier session or a date, or add the sessions.",
                    )
                ]
            )
        return attended[wanted - 1].date

    def default_look(self) -> Look:
        """The look that carries the verdict; without a planned one, the day after the last phase."""
        planned = self.protocol.deciding_look
        if planned is not None:
            return planned
        compared = [phase.end for phase in self.protocol.phases if phase.kind in COMPARED]
        return Look(on=max(compared) + dt.timedelta(days=1))

    def at(self, look: Look) -> Trial:
        """Return the trial as it stood at a look: diary, sessions and events up to that day."""
        day = self.look_day(look)
        protocol = self.protocol.model_copy(
            update={
                "sessions": tuple(session for session in self.protocol.sessions if session.date <= day),
                "events": tuple(event for event in self.protocol.events if event.date <= day),
                "phases": tuple(
                    phase.model_copy(update={"end": min(phase.end, day - dt.timedelta(days=1))})
                    for phase in self.protocol.phases
                    if phase.start < day
                ),
            }
        )
        return Trial(protocol, self.diary.until(pd.Timestamp(day) + pd.Timedelta(days=VISIT_TOLERANCE + 1)))

    def comparisons(self, look: Look | None = None) -> Comparisons:
        """Which days are compared with which, for every outcome that has a column in the diary?

        Parameters
        ----------
        look
            The reassessment; the protocol's deciding look if left out.

        Returns
        -------
        Comparisons
            One series an outcome, in the protocol's order.
        """
        look = look or self.default_look()
        protocol, schedule = self.protocol, self._schedule(look)
        outcomes = [
            outcome
            for outcome in protocol.outcomes
            if not outcome.is_global and (outcome.better != "neither" or outcome.every == "day")
        ]
        asked = self.diary.values.reindex(index=pd.DatetimeIndex(schedule.days[0]), columns=[o.name for o in outcomes])
        values = asked.to_numpy(dtype=float).T[None]
        return compared(schedule, (protocol.code,), outcomes, protocol.primary, values)

    def _schedule(self, look: Look) -> Schedule:
        day, protocol = np.datetime64(self.look_day(look), "D"), self.protocol
        used = [phase for phase in protocol.phases if phase.kind in COMPARED]
        edges = [*(np.datetime64(phase.start, "D") for phase in protocol.phases), day]
        if self.diary.first_day is not None:
            edges.append(self.diary.first_day.to_datetime64().astype("datetime64[D]"))
        return Schedule(
            first=np.array([min(edges)]),
            last=np.array([day + VISIT_TOLERANCE * ONE_DAY]),
            begin=np.array([[phase.start for phase in used]], dtype="datetime64[D]"),
            end=np.array([[phase.end for phase in used]], dtype="datetime64[D]"),
            treats=np.array([[phase.kind == "treatment" for phase in used]], dtype=bool),
            run_in_days=np.array([protocol.run_in_days]),
            looked_on=np.array([day]),
            window_days=np.array([protocol.window_days(look)]),
        )
