"""Each planned look as it stood then: nobody re-reads the past with later data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from acu_nof1.estimate import ESTIMATORS, estimate_all
from acu_nof1.safety import Safety
from acu_nof1.trial import stack
from acu_nof1.verdict import judge_success, verdict_kind

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from acu_nof1.estimate import Estimate
    from acu_nof1.interpret import Reading
    from acu_nof1.protocol import Look
    from acu_nof1.trial import Trial
    from acu_nof1.verdict import Success

Overruled = Literal["red_flag", "serious_event"] | None
Status = Literal["ok", "not_estimable", "not_reached", "too_early"]

# What is asked of a course is no outcome's headline, and nothing else is told of a look.
OF_THE_COURSE = ("trend", "level_change", "slope_change")
NO_TREATMENT_DAY = "no treatment day had passed"
NO_VALUE = "the primary outcome has no value"


class Answered(NamedTuple):
    """What a look gave: its headline answer, and the result of the success rule."""

    look: Look
    estimate: Estimate | None
    success: Success


@dataclass(frozen=True, eq=False)
class Standing:
    """How things stood at one planned look.

    Attributes
    ----------
    look, window_days
        The look as planned, and the length of its window.
    day
        Its date; ``None`` where it is bound to a session that has not taken place.
    days_treated
        From the first treatment day to it, whether treatment went on or not; ``None`` without a date.
    status
        ``not_reached`` by the day of the reassessment; ``too_early`` where no treatment day had passed.
    reason
        Why there is no interval, in a few words; ``""`` where there is one or the look is not reached.
    estimate
        The headline answer of the primary outcome from what was known then; ``None`` if it has none.
    kind, success
        Verdict and result of the success rule; ``None`` where there is no answer, or something overrules it.
    decides, shown
        Whether this look carries the verdict of the trial, and whether the reassessment is this look.
    """

    look: Look
    window_days: int
    day: dt.date | None
    days_treated: int | None
    status: Status
    reason: str
    estimate: Estimate | None
    kind: Reading | None
    success: Success | None
    decides: bool
    shown: bool

    @property
    def reached(self) -> bool:
        """Whether anything was asked at this look."""
        return self.status in ("ok", "not_estimable")


@dataclass(frozen=True, eq=False)
class Story:
    """Every planned look of a trial as it stood then, as far as a reassessment knows it.

    Attributes
    ----------
    standings
        In order of time; looks that are not reached last.
    day, attended
        The day of the reassessment, and how many sessions had taken place by then.
    overruled_by
        A red flag or serious event, whenever it was recorded: then no look has a verdict.
    agreed
        Whether the protocol was agreed before treatment, for the words.
    """

    standings: tuple[Standing, ...]
    day: dt.date
    attended: int
    overruled_by: Overruled
    agreed: bool

    @property
    def several(self) -> bool:
        """Whether there is a story to tell."""
        return len(self.standings) > 1

    @property
    def reached(self) -> tuple[Standing, ...]:
        """The looks at which something was asked."""
        return tuple(each for each in self.standings if each.reached)

    @property
    def earlier(self) -> tuple[Standing, ...]:
        """Those of them before the day of the reassessment."""
        return tuple(each for each in self.reached if each.day is not None and each.day < self.day)

    @property
    def deciding(self) -> Standing | None:
        """The look that carries the verdict."""
        return next((each for each in self.standings if each.decides), None)

    @property
    def shown(self) -> Standing | None:
        """The look of the reassessment; ``None`` where it was not planned."""
        return next((each for each in self.standings if each.shown), None)

    def __repr__(self) -> str:
        return f"Story({len(self.standings)} planned looks, {len(self.reached)} reached by {self.day})"


def story_of(trial: Trial, day: dt.date, now: Answered, overruled_by: Overruled, confidence: float) -> Story:
    """How did each planned look stand, when it was reached?

    The primary outcome and those of the success rule are asked, at all earlier looks in one batch.

    Parameters
    ----------
    trial, day
        As it stood at the reassessment, and the day of that. A trial cut at a later look and cut again at an earlier one
        is the trial cut at the earlier one, so nothing later can enter.
    now
        What the reassessment itself gave.
    overruled_by
        Red flags and serious events count whenever they were recorded: a green past never stands against one.
    confidence
        Of the intervals.
    """
    dates = {look: _date(trial, look) for look in dict.fromkeys(trial.protocol.looks)}
    states = {look: _unasked(trial, day, when) for look, when in dates.items()}
    asked = [look for look, state in states.items() if not state and look != now.look]
    given = {each.look: each for each in (now, *_answered(trial, asked, confidence))}
    standings = tuple(
        _standing(trial, look, dates[look], states[look] or given[look], now.look, overruled_by)
        for look in _in_order(dates, day)
    )
    protocol = trial.protocol
    return Story(standings, day, len(protocol.attended), overruled_by, protocol.was_agreed)


def _date(trial: Trial, look: Look) -> dt.date | None:
    if look.on is None and len(trial.protocol.attended) < (look.after_session or 0):
        return None
    return trial.look_day(look)


def _in_order(dates: Mapping[Look, dt.date | None], day: dt.date) -> list[Look]:
    """Sort reached looks by date. Of the others nobody knows whether a date or a session comes first: as planned."""
    reached = [look for look, when in dates.items() if when is not None and when <= day]
    ahead = [look for look in dates if look not in reached]
    by_date = iter(sorted((look for look in ahead if dates[look]), key=lambda look: str(dates[look])))
    by_session = iter(sorted((look for look in ahead if not dates[look]), key=lambda look: look.after_session or 0))
    reached.sort(key=lambda look: str(dates[look]))
    return [*reached, *(next(by_date if dates[look] else by_session) for look in ahead)]


def _unasked(trial: Trial, day: dt.date, when: dt.date | None) -> Literal["not_reached", "too_early", ""]:
    """Why is nothing asked at a look?"""
    if when is None or when > day:
        return "not_reached"
    first = trial.protocol.first_treatment
    return "too_early" if first is None or when <= first.start else ""


def _answered(trial: Trial, looks: Sequence[Look], confidence: float) -> Iterator[Answered]:
    """Ask each look's question from what was known then; all of them in one batch."""
    protocol = trial.protocol
    wanted = {protocol.primary, *(protocol.success.outcomes if protocol.success else ())}
    stood = [trial.at(look) for look in looks]
    parts = [then.comparisons(look) for then, look in zip(stood, looks, strict=True)]
    parts = [part.take([outcome.name in wanted for outcome in part.outcomes]) for part in parts]
    if not any(map(len, parts)):
        return
    questions = [each for each in ESTIMATORS if each.question not in OF_THE_COURSE]
    answers = estimate_all(stack(parts), questions, confidence)
    # The rows of a series begin with its headline.
    series = answers.to_frame()["headline"].to_numpy(bool).cumsum() - 1
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])[series]
    for place, (look, then, part) in enumerate(zip(looks, stood, parts, strict=True)):
        own = answers.take(owner == place)
        # What overrules is told of the whole story, not look by look.
        yield Answered(look, own.primary, judge_success(then, part, own, Safety()))


def _standing(
    trial: Trial,
    look: Look,
    when: dt.date | None,
    found: Answered | Literal["not_reached", "too_early"],
    shown: Look,
    overruled_by: Overruled,
) -> Standing:
    first = trial.protocol.first_treatment
    answered = found if isinstance(found, Answered) else None
    estimate = None if answered is None else answered.estimate
    status: Status
    if isinstance(found, str):
        status, reason = found, NO_TREATMENT_DAY if found == "too_early" else ""
    else:
        status = "ok" if estimate is not None and estimate.ok else "not_estimable"
        reason = NO_VALUE if estimate is None else estimate.reason
    judged = answered is not None and not overruled_by
    return Standing(
        look=look,
        window_days=trial.protocol.window_days(look),
        day=when,
        days_treated=None if when is None or first is None else (when - first.start).days,
        status=status,
        reason=reason,
        estimate=estimate,
        kind=verdict_kind(estimate) if judged else None,
        success=answered.success if answered is not None and judged else None,
        decides=look == trial.protocol.deciding_look,
        shown=look == shown,
    )
