"""Designs whose schedule is drawn at random: every schedule that could have been drawn, on the calendar."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product
from math import comb, factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Phases = NDArray[np.int64]

MOST_ENUMERATED = 200_000
"""More schedules than these are sampled, not enumerated."""
A, B = 0, 1
NOTHING_YET = -1


def _insist(wrong: Sequence[tuple[bool, str, str]]) -> None:
    problems = [Problem("error", "design", what, remedy) for holds, what, remedy in wrong if holds]
    if problems:
        raise UsageError(problems)


class Randomised(ABC):
    """A design: which schedules could have been drawn, each with the same chance.

    A schedule is an array (people, days) of phase numbers: even phases are baseline (A), odd ones treatment (B).
    """

    @property
    @abstractmethod
    def count(self) -> int:
        """How many schedules could have been drawn."""

    @property
    def told(self) -> dict[str, str]:
        """What a protocol keeps of it under ``[drawn]``; nothing where its phases say all, or it is of several people."""
        return {}

    @abstractmethod
    def all(self) -> Iterator[Phases]:
        """Every schedule, (people, days)."""

    @abstractmethod
    def one(self, rng: np.random.Generator) -> Phases:
        """A schedule drawn at random."""

    def admits(self, schedule: Phases) -> bool:
        """Whether this schedule (people, days) could have been drawn."""
        return any(np.array_equal(schedule, each) for each in self.all())

    def enumerated(self) -> Phases:
        """Every schedule as one array (schedules, people, days)."""
        return np.stack(list(self.all()))

    def sampled(self, size: int, rng: np.random.Generator) -> Phases:
        """So many schedules drawn at random, with replacement, (size, people, days)."""
        return np.stack([self.one(rng) for _ in range(size)])


@dataclass(frozen=True)
class RandomStart(Randomised):
    """AB with a start of treatment drawn from a range of days.

    Attributes
    ----------
    days
        Calendar days of the whole trial.
    first, last
        The earliest and the latest day on which treatment could have begun, counted from 0.
    """

    days: int
    first: int
    last: int

    def __post_init__(self) -> None:
        _insist([
            (not 0 < self.first <= self.last < self.days, f"treatment cannot begin between day {self.first} and day {self.last} of {self.days}.",
             "At least one day must lie before the first and after the last start."),
        ])  # fmt: skip

    @classmethod
    def at_least(cls, days: int, before: int, after: int) -> RandomStart:
        """AB in which both phases have at least so many days."""
        return cls(days, before, days - after)

    @property
    def count(self) -> int:
        """How many starts."""
        return self.last - self.first + 1

    def all(self) -> Iterator[Phases]:
        """One schedule for each start."""
        for start in range(self.first, self.last + 1):
            yield (np.arange(self.days) >= start).astype(np.int64)[None]

    def one(self, rng: np.random.Generator) -> Phases:
        """Draw the start."""
        return (np.arange(self.days) >= rng.integers(self.first, self.last + 1)).astype(np.int64)[None]


@dataclass(frozen=True)
class RandomChanges(Randomised):
    """Several phases (ABAB) whose changes are drawn, each phase with at least so many days.

    Attributes
    ----------
    days
        Calendar days of the whole trial.
    phases
        How many phases, from A on in turn: 3 is ABA, 4 is ABAB.
    least
        Least days of a phase.
    """

    days: int
    phases: int = 4
    least: int = 4

    def __post_init__(self) -> None:
        _insist([
            (self.phases < 2, f"{self.phases} phases cannot be compared.", "Take two at least."),
            (self.least < 1, f"a phase of {self.least} days is none.", "Take one day at least."),
            (self.phases * self.least > self.days, f"{self.phases} phases of {self.least} days do not fit into {self.days}.", "Take shorter phases."),
        ])  # fmt: skip

    @property
    def _free(self) -> int:
        return self.days - self.phases * self.least

    def admits(self, schedule: Phases) -> bool:
        """Whether it has so many phases, in turn, each long enough."""
        lengths = np.bincount(schedule[0], minlength=self.phases)
        in_turn = schedule[0, 0] == 0 and bool((np.diff(schedule[0]) >= 0).all())
        return in_turn and len(lengths) == self.phases and bool((lengths >= self.least).all())

    @property
    def told(self) -> dict[str, str]:
        """Its name and numbers, as a protocol has them."""
        return {"design": '"changes"', "least_days": str(self.least)}

    @property
    def count(self) -> int:
        """In how many ways the spare days can be shared out."""
        return comb(self._free + self.phases - 1, self.phases - 1)

    def _laid_out(self, bars: Sequence[int]) -> Phases:
        edges = np.array([-1, *bars, self._free + self.phases - 1])
        lengths = self.least + np.diff(edges) - 1
        return np.repeat(np.arange(self.phases), lengths)[None]

    def all(self) -> Iterator[Phases]:
        """One schedule for each way to share out the spare days."""
        for bars in combinations(range(self._free + self.phases - 1), self.phases - 1):
            yield self._laid_out(bars)

    def one(self, rng: np.random.Generator) -> Phases:
        """Draw the changes: all schedules alike."""
        spots = self._free + self.phases - 1
        return self._laid_out(np.sort(rng.choice(spots, self.phases - 1, replace=False)).tolist())


@dataclass(frozen=True)
class RandomBlocks(Randomised):
    """Pairs of periods, one of them with treatment: which comes first is drawn for each pair.

    Attributes
    ----------
    pairs
        How many pairs.
    period
        Days of a period.
    """

    pairs: int
    period: int

    def __post_init__(self) -> None:
        _insist([(min(self.pairs, self.period) < 1, "there are no days.", "Take one pair and one day at least.")])

    def admits(self, schedule: Phases) -> bool:
        """Whether its periods are whole, and one of each pair is with treatment."""
        periods = (schedule[0] % 2).reshape(self.pairs, 2, self.period)
        return bool((periods == periods[:, :, :1]).all() and (periods[:, :, 0].sum(axis=1) == 1).all())

    @property
    def told(self) -> dict[str, str]:
        """Its name and numbers, as a protocol has them."""
        return {"design": '"blocks"', "period_days": str(self.period)}

    @property
    def count(self) -> int:
        """Two ways for each pair."""
        return int(2**self.pairs)

    def all(self) -> Iterator[Phases]:
        """Every sequence of pairs."""
        for firsts in product((A, B), repeat=self.pairs):
            yield _periods([each for first in firsts for each in (first, 1 - first)], self.period)

    def one(self, rng: np.random.Generator) -> Phases:
        """Draw which comes first in each pair."""
        return _periods([each for first in rng.integers(0, 2, self.pairs).tolist() for each in (first, 1 - first)], self.period)  # fmt: skip


@dataclass(frozen=True)
class Alternating(Randomised):
    """Alternating treatments: as many periods with as without, in any order with no more than so many alike in a row.

    Attributes
    ----------
    periods
        How many periods, an even number.
    period
        Days of a period.
    most_in_a_row
        The longest run of periods alike.
    """

    periods: int
    period: int = 1
    most_in_a_row: int = 2

    def __post_init__(self) -> None:
        _insist([
            (self.periods < 2 or self.periods % 2 == 1, f"{self.periods} periods cannot be shared out evenly.", "Take an even number."),
            (min(self.period, self.most_in_a_row) < 1, "periods and runs need one day at least.", "Write 1 or more."),
        ])  # fmt: skip

    def admits(self, schedule: Phases) -> bool:
        """Whether its periods are whole, as many with as without treatment, and no run is too long."""
        periods = (schedule[0] % 2).reshape(self.periods, self.period)
        whole = bool((periods == periods[:, :1]).all())
        changes = np.flatnonzero(np.diff(periods[:, 0])) + 1
        runs = np.diff([0, *changes, self.periods])
        return whole and 2 * int(periods[:, 0].sum()) == self.periods and int(runs.max()) <= self.most_in_a_row

    @property
    def told(self) -> dict[str, str]:
        """Its name and numbers, as a protocol has them."""
        return {"design": '"alternating"', "period_days": str(self.period), "most_in_a_row": str(self.most_in_a_row)}

    @property
    def count(self) -> int:
        """How many sequences keep to the limit."""
        return _ways((self.periods // 2, self.periods // 2), NOTHING_YET, 0, self.most_in_a_row)

    def all(self) -> Iterator[Phases]:
        """Every sequence that keeps to the limit."""

        def continued(sequence: list[int], left: tuple[int, int], run: int) -> Iterator[list[int]]:
            if not any(left):
                yield sequence
            for each, rest, longer in _next(left, sequence[-1] if sequence else NOTHING_YET, run, self.most_in_a_row):
                yield from continued([*sequence, each], rest, longer)

        half = self.periods // 2
        return (_periods(sequence, self.period) for sequence in continued([], (half, half), 0))

    def one(self, rng: np.random.Generator) -> Phases:
        """Draw one of them, period by period, each choice as likely as the sequences it leaves are many."""
        sequence: list[int] = []
        left, run = (self.periods // 2, self.periods // 2), 0
        while any(left):
            choices = list(_next(left, sequence[-1] if sequence else NOTHING_YET, run, self.most_in_a_row))
            ways = np.array(
                [_ways(rest, each, longer, self.most_in_a_row) for each, rest, longer in choices], dtype=float
            )
            each, left, run = choices[int(rng.choice(len(choices), p=ways / ways.sum()))]
            sequence.append(each)
        return _periods(sequence, self.period)


def _next(left: tuple[int, int], last: int, run: int, most: int) -> Iterator[tuple[int, tuple[int, int], int]]:
    """What the next period can be, how many of each are left then, and how long its run is."""
    for each in (A, B):
        longer = run + 1 if each == last else 1
        if left[each] and longer <= most:
            yield each, (left[A] - (each == A), left[B] - (each == B)), longer


@cache
def _ways(left: tuple[int, int], last: int, run: int, most: int) -> int:
    """In how many ways can the periods that are left be put in order?"""
    if not any(left):
        return 1
    return sum(_ways(rest, each, longer, most) for each, rest, longer in _next(left, last, run, most))


@dataclass(frozen=True)
class MultipleBaseline(Randomised):
    """AB of several people on one calendar: who begins at which of the planned starts is drawn (Wampold & Worsham 1986).

    Attributes
    ----------
    days
        Calendar days of the whole trial.
    starts
        The days on which somebody begins, counted from 0; one for each person.
    """

    days: int
    starts: tuple[int, ...]

    def __post_init__(self) -> None:
        inside = all(0 < start < self.days for start in self.starts)
        _insist([
            (not inside, f"the starts {self.starts} do not all lie within {self.days} days.", "Leave days before and after."),
            (len(set(self.starts)) < 2, "the starts do not differ.", "Take at least two different ones."),
        ])  # fmt: skip

    @property
    def count(self) -> int:
        """All orders of the people."""
        return factorial(len(self.starts))

    def all(self) -> Iterator[Phases]:
        """One schedule for each order."""
        return (self._laid_out(order) for order in permutations(self.starts))

    def one(self, rng: np.random.Generator) -> Phases:
        """Draw an order."""
        return self._laid_out(rng.permutation(self.starts).tolist())

    def _laid_out(self, starts: Sequence[int]) -> Phases:
        return (np.arange(self.days) >= np.array(starts)[:, None]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Listed(Randomised):
    """Any other design: the schedules that could have been drawn, listed.

    Attributes
    ----------
    schedules
        (schedules, days) or (schedules, people, days) phase numbers.
    """

    schedules: Phases

    def __post_init__(self) -> None:
        held = np.asarray(self.schedules, dtype=np.int64)
        held = held[:, None, :] if held.ndim == 2 else held
        _insist([
            (held.ndim != 3 or len(held) < 2, "at least two schedules are needed.", "Give them as (schedules, days)."),
            (held.ndim == 3 and len(np.unique(held, axis=0)) < len(held), "a schedule is listed twice.", "Name each once."),
        ])  # fmt: skip
        object.__setattr__(self, "schedules", held)

    @property
    def count(self) -> int:
        """How many are listed."""
        return len(self.schedules)

    def all(self) -> Iterator[Phases]:
        """Each of them."""
        return iter(self.schedules)

    def one(self, rng: np.random.Generator) -> Phases:
        """Draw one of them."""
        chosen: Phases = self.schedules[rng.integers(len(self.schedules))]
        return chosen


def _periods(sequence: Sequence[int], days: int) -> Phases:
    """Number the periods so that their parity says what they are: equal neighbours are one phase."""
    number, numbers = sequence[0], []
    for at, each in enumerate(sequence):
        number += 0 if at == 0 or each == sequence[at - 1] else 1
        numbers.append(number)
    return np.repeat(np.array(numbers), days)[None]


@dataclass(frozen=True, eq=False)
class Drawn:
    """A schedule that was drawn, with what is needed to draw it again.

    Attributes
    ----------
    design, seed
        The design, and the seed of the draw.
    phases
        (people, days) phase numbers.
    """

    design: Randomised
    seed: int
    phases: Phases

    def to_toml(self, start: dt.date, person: int = 0) -> str:
        """The phases of one person as ``[[phase]]`` tables of a protocol, the first day being `start`."""
        row = self.phases[person]
        edges = np.flatnonzero(np.diff(row)) + 1
        parts = []
        for begin, end in zip([0, *edges], [*edges, len(row)], strict=True):
            kind = "treatment" if row[begin] % 2 else "baseline"
            lines = ["[[phase]]", f'kind = "{kind}"', f"start = {start + dt.timedelta(days=int(begin))}",
                     f"end = {start + dt.timedelta(days=int(end) - 1)}"]  # fmt: skip
            if isinstance(self.design, RandomStart) and row[begin] % 2:
                lines += [f"randomised_from = {start + dt.timedelta(days=self.design.first)}",
                          f"randomised_to = {start + dt.timedelta(days=self.design.last)}"]  # fmt: skip
            parts.append("\n".join(lines))
        told = self.design.told
        if told:
            lines = [
                "[drawn]",
                *(f"{key} = {value}" for key, value in told.items()),
                f"start = {start}",
                f"seed = {self.seed}",
            ]
            parts.append("\n".join(lines))
        return f"# drawn with seed {self.seed} from {self.design.count} schedules\n" + "\n\n".join(parts) + "\n"


def draw(design: Randomised, *, seed: int) -> Drawn:
    """Which schedule is to be kept to? Drawn from all of the design, each with the same chance.

    Parameters
    ----------
    design
        The design.
    seed
        Write it down: it draws the same schedule again.
    """
    return Drawn(design, seed, design.one(np.random.default_rng(seed)))
