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
        protocol, day = self.protocol, np.datetime64(self.look_day(look))
        outcomes = tuple(
            outcome
            for outcome in protocol.outcomes
            if not outcome.is_global and (outcome.better != "neither" or outcome.every == "day")
        )
        calendar = self._calendar(day)
        values = self.diary.values.reindex(index=calendar, columns=[o.name for o in outcomes]).to_numpy(float).T
        days = calendar.to_numpy().astype("datetime64[D]")
        phase, treated = self._phases(days, day)
        window = self._window(days, day, protocol.window_days(look), treated)
        visit = np.array([[outcome.every == "visit"] for outcome in outcomes], bool).reshape(-1, 1)
        near = np.abs((days - day).astype(int)) <= VISIT_TOLERANCE
        count, first = len(outcomes), protocol.first_treatment
        origin = np.datetime64(first.start) if first else days[0]

        # Days from the look on are shown for visits only: they must not say whether a day before it was in a flare.
        before = (phase != UNUSED) & ~treated & (days < origin)
        derived = np.array([[outcome.derived is not None] for outcome in outcomes], bool).reshape(-1, 1)
        values = np.where(derived, with_derived(outcomes, np.where(days < day, values, np.nan), before), values)

        def repeated(row: NDArray[Any]) -> NDArray[Any]:
            return np.broadcast_to(row, (count, days.size)).copy()

        # A form filled in on the day of the first session is taken as filled in before it.
        before_treatment = (days <= origin) & bool(first)
        return Comparisons(
            person=(protocol.code,) * count,
            outcomes=outcomes,
            primary=np.array([outcome.name == protocol.primary for outcome in outcomes], bool),
            values=values,
            phase=np.where(visit, np.where(before_treatment, 0, np.where(days > origin, 1, UNUSED)), phase),
            treated=np.where(visit, days > origin, treated),
            window=np.where(visit, near & (days > origin), window & (phase != UNUSED)),
            tau=repeated((days - origin).astype(int)),
            start=np.repeat(days[:1], count),
            looked_on=np.repeat(day, count),
            window_days=np.repeat(protocol.window_days(look), count),
        )

    def _calendar(self, day: np.datetime64) -> pd.DatetimeIndex:
        edges = [pd.Timestamp(phase.start) for phase in self.protocol.phases] + [pd.Timestamp(day)]
        if self.diary.first_day is not None:
            edges.append(self.diary.first_day)
        return pd.date_range(min(edges), pd.Timestamp(day) + pd.Timedelta(days=VISIT_TOLERANCE))

    def _phases(self, days: NDArray[np.datetime64], day: np.datetime64) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        phase, treated = np.full(days.size, UNUSED), np.zeros(days.size, bool)
        used = [p for p in self.protocol.phases if p.kind in COMPARED]
        for index, each in enumerate(used):
            inside = (days >= np.datetime64(each.start)) & (days <= np.datetime64(each.end)) & (days < day)
            phase[inside] = index
            treated[inside] = each.kind == "treatment"
        first = self.protocol.first_treatment
        if first is not None and self.protocol.run_in_days:
            since = (days - np.datetime64(first.start)).astype(int)
            phase[(since >= 0) & (since < self.protocol.run_in_days)] = UNUSED
        return phase, treated

    def _window(
        self, days: NDArray[np.datetime64], day: np.datetime64, length: int, treated: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        if not treated.any():
            return np.zeros(days.size, bool)
        end = min(day, days[treated][-1] + ONE_DAY)
        return np.asarray(treated & (days >= end - length * ONE_DAY) & (days < end))
