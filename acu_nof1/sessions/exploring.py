"""Everything that the sessions' course is asked, of one person or many, and its table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from acu_nof1.sessions.afterwards import WEEKS, follow_up
from acu_nof1.sessions.around import OFFSETS, around_sessions
from acu_nof1.sessions.fading import kinetics
from acu_nof1.sessions.lagged import together
from acu_nof1.sessions.ranges import NOT_KNOWN

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from acu_nof1.sessions.afterwards import FollowUp
    from acu_nof1.sessions.around import Around
    from acu_nof1.sessions.fading import Kinetics
    from acu_nof1.sessions.lagged import Link
    from acu_nof1.sessions.ranges import Range
    from acu_nof1.trial import Comparisons

SEED = 20261126
NUMBERS = ("state", "build_up", "half_life", "time_to_half", "persistence")
AFTER = tuple(f"{name}_{weeks}_weeks" for weeks in WEEKS for name in ("change", "left"))
DAY_AFTER = OFFSETS.index(1)


def _with_ends(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


FRAME_COLUMNS = (
    "person", "outcome", "label", "unit", "sessions", *_with_ends("day_after"), "around_told", "around_reason",
    *_with_ends(*NUMBERS), "build_up_told", "half_life_told", "kinetics_reason", *_with_ends(*AFTER), "later_reason",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Explored:
    """Sessions and the course of the change, by person and outcome.

    Attributes
    ----------
    comparisons
        The series that were asked.
    around, kinetics, later
        One each a series; those that are not asked say why.
    """

    comparisons: Comparisons
    around: tuple[Around, ...]
    kinetics: tuple[Kinetics, ...]
    later: tuple[FollowUp, ...]

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Outcomes two by two, both ways round; worked out on first use."""
        return together(self.comparisons)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a person and outcome; what the days do not tell, or an end that does not exist, is empty."""
        return pd.DataFrame(
            [
                {
                    "person": one.person,
                    "outcome": one.outcome.name,
                    "label": one.outcome.label,
                    "unit": one.outcome.change_unit,
                    "sessions": one.sessions,
                    **_around(one),
                    **_kinetics(course),
                    **_later(later),
                }
                for one, course, later in zip(self.around, self.kinetics, self.later, strict=True)
            ],
            columns=list(FRAME_COLUMNS),
        ).replace([np.inf, -np.inf], np.nan)

    def links_frame(self) -> pd.DataFrame:
        """Return one row a link."""
        return pd.DataFrame(
            [
                {
                    "person": each.person, "first": each.first.name, "then": each.then.name, "lag": each.lag, "pairs": each.pairs,
                    "sd_of_first": each.sd, "unit": each.then.change_unit, **_ends("effect", each.effect), "p": each.p,
                    **_ends("placebo", each.placebo), "holds": None if each.reason else each.holds, "reason": each.reason,
                }
                for each in self.links
            ]
        )  # fmt: skip


def explored(
    comparisons: Comparisons,
    attended: Mapping[str, Sequence[dt.date]],
    seed: int = SEED,
    wanted: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Explored:
    """How do these diaries go along with the sessions, and their outcomes with one another?

    Parameters
    ----------
    comparisons
        Series of one person or many.
    attended
        Dates of the sessions that took place, by person.
    seed
        Of the bands around a session.
    wanted
        Names of the outcomes whose build-up and fading is asked, which takes the most time; all where it is left out.
    progress
        Called with the number of series whose build-up is done and of all.
    """
    names = None if wanted is None else set(wanted)
    return Explored(
        comparisons,
        around_sessions(comparisons, attended, seed),
        kinetics(comparisons, attended, names, progress),
        follow_up(comparisons, attended),
    )


def _ends(name: str, each: Range) -> dict[str, float]:
    return {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}


def _around(one: Around) -> dict[str, object]:
    return {
        "day_after": one.value[DAY_AFTER],
        "day_after_low": one.low[DAY_AFTER],
        "day_after_high": one.high[DAY_AFTER],
        "around_told": None if one.reason else one.told,
        "around_reason": one.reason,
    }


def _kinetics(one: Kinetics) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, each in {"state": one.state, **one.shown}.items():
        found |= _ends(name, each)
    return found | {
        "build_up_told": None if one.reason else one.build_up_told,
        "half_life_told": None if one.reason else one.half_life_told,
        "kinetics_reason": one.reason,
    }


def _later(one: FollowUp) -> dict[str, object]:
    found: dict[str, object] = {}
    for place, weeks in enumerate(WEEKS):
        each = one.later[place] if one.later else None
        found |= _ends(f"change_{weeks}_weeks", each.change if each else NOT_KNOWN)
        found |= _ends(f"left_{weeks}_weeks", each.share if each else NOT_KNOWN)
    why = one.reason or "; ".join(f"{each.weeks} weeks: {each.reason}" for each in one.later if each.reason)
    return found | {"later_reason": why}
