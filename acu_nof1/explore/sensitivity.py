"""Does the verdict depend on choices that could as well have been made otherwise?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from acu_nof1.distribution import Reweighted, TMixture
from acu_nof1.estimate import ESTIMATORS, estimate_all
from acu_nof1.estimate.base import Estimator, Levels
from acu_nof1.estimate.columns import Question, counted, indicator, methods_of, solve, too_few
from acu_nof1.estimate.level import change_at_reassessment, difference, mean_change
from acu_nof1.estimate.nodes import AR1
from acu_nof1.estimate.rate import rate_ratio
from acu_nof1.protocol import Look
from acu_nof1.trial import UNUSED, stack

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from acu_nof1.estimate import Estimate
    from acu_nof1.estimate.base import Answer
    from acu_nof1.estimate.nodes import Noise
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons, Trial

RUN_IN_DAYS, FIRST_DAYS = 14, 7
# A sceptic gives a change of the important size or more, either way, a chance of 5 in 100: its SD is m / 1.96.
# The idea is that of Spiegelhalter, Freedman & Parmar 1994, J R Stat Soc A 157:357.
SCEPTICAL = 1.959964

# The estimators that run on the kernel, and so take another noise or further columns.
ON_THE_KERNEL: Mapping[str, Callable[..., Answer]] = {
    "change_at_reassessment": change_at_reassessment,
    "mean_change": mean_change,
    "rate_ratio": rate_ratio,
}

NOT_DAILY = "it is not kept daily"
NOT_ON_THE_KERNEL = "it is not for yes/no days and scores"
ALREADY = "the answer is made this way already"
NO_EVENT = "nothing else is recorded during treatment"
NO_DIFFERENCE = "a prior is taken for differences of levels and amounts only"


@dataclass(frozen=True, eq=False)
class Setting:
    """What is asked in other ways: the primary outcome's one series and its headline answer."""

    trial: Trial
    look: Look
    series: Comparisons
    primary: Estimate

    @property
    def outcome(self) -> Outcome:
        """The primary outcome."""
        return self.primary.outcome

    @property
    def several_phases(self) -> bool:
        """Whether whole phases are compared rather than a window."""
        return bool(self.series.phases[0] > 2)

    @property
    def used(self) -> NDArray[np.bool_]:
        """(1, D) which days enter the comparison."""
        return np.asarray(self.series.phase != UNUSED)

    @property
    def days(self) -> NDArray[np.datetime64]:
        """(D,) the calendar."""
        return np.asarray(self.series.start[0] + np.arange(self.series.values.shape[1]))

    def without(self, days: NDArray[np.bool_]) -> Comparisons:
        """Return the series without these days."""
        kept = ~days
        return replace(self.series, phase=np.where(kept, self.series.phase, UNUSED), window=self.series.window & kept)


@dataclass(frozen=True, eq=False)
class Asked:
    """The same question asked in another way.

    Attributes
    ----------
    series
        The one series.
    facts
        Numbers and texts that its name in words needs.
    estimator
        Another estimator than that of the headline.
    noise, beside
        Other noise, or further design columns (1, D, Q), for an estimator on the kernel.
    prior
        Mean and SD of a normal prior of the change.
    """

    series: Comparisons
    facts: Mapping[str, float | str] = field(default_factory=dict)
    estimator: Estimator | None = None
    noise: Noise | None = None
    beside: NDArray[np.float64] | None = None
    prior: tuple[float, float] | None = None

    @property
    def group(self) -> tuple[object, ...]:
        """Ways of asking that are alike in this go through one call of the kernel."""
        columns = None if self.beside is None else self.beside.shape
        return self.estimator, self.noise, columns, self.prior is not None


@dataclass(frozen=True)
class Specification:
    """One choice that could have been made otherwise; `ask` says how it is made, or in a few words why it is not."""

    name: str
    ask: Callable[[Setting], Asked | str]


@dataclass(frozen=True, eq=False)
class Alternative:
    """The answer under one other choice.

    Attributes
    ----------
    name, facts
        Which choice; what its name in words needs.
    status
        ``not_applicable`` where the choice does not arise, ``not_estimable`` where it gives no answer.
    reason
        Why, in a few words; ``""`` where there is an answer.
    estimate
        The answer; ``None`` where the choice does not arise.
    same
        Whether it is read as the primary answer is.
    """

    name: str
    facts: Mapping[str, float | str]
    status: Literal["ok", "not_estimable", "not_applicable"]
    reason: str
    estimate: Estimate | None
    same: bool


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """The primary answer beside those under other reasonable choices.

    Attributes
    ----------
    primary
        The headline answer of the primary outcome; ``None`` if it has none.
    alternatives
        In the order of `SPECIFICATIONS`.
    agreed
        Whether the important change was agreed before treatment, for the words.
    """

    primary: Estimate | None
    alternatives: tuple[Alternative, ...]
    agreed: bool

    @property
    def estimable(self) -> tuple[Alternative, ...]:
        """The alternatives that have an answer; none where the primary has none to compare with."""
        if self.primary is None or not self.primary.ok:
            return ()
        return tuple(each for each in self.alternatives if each.status == "ok")

    @property
    def differing(self) -> tuple[Alternative, ...]:
        """The alternatives under which the verdict would be another."""
        return tuple(each for each in self.estimable if not each.same)

    @property
    def depends(self) -> bool:
        """Whether the verdict depends on a choice."""
        return bool(self.differing)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a choice, the primary answer first."""
        first = (
            []
            if self.primary is None
            else [_row("primary", self.primary.status, self.primary.reason, self.primary, True)]
        )
        rows = [_row(each.name, each.status, each.reason, each.estimate, each.same) for each in self.alternatives]
        return pd.DataFrame(first + rows, columns=["specification", "status", "reason", *NUMBERS, "same_reading"])

    def __repr__(self) -> str:
        return f"Sensitivity({len(self.estimable)} alternatives, {len(self.differing)} read differently)"


NUMBERS = ("value", "low", "high", "p_gain", "p_important_gain", "p_important_loss", "reading", "days_before", "days_after",
           "method")  # fmt: skip


def _row(name: str, status: str, reason: str, estimate: Estimate | None, same: bool) -> dict[str, Any]:
    numbers = {} if estimate is None else {column: getattr(estimate, column) for column in NUMBERS}
    return {"specification": name, "status": status, "reason": reason, **numbers, "same_reading": same}


# ------------------------------------------------------------------ the choices


def _ar1(setting: Setting) -> Asked | str:
    return Asked(setting.series, noise=AR1) if setting.primary.question in ON_THE_KERNEL else NOT_ON_THE_KERNEL


def _all_treatment(setting: Setting) -> Asked | str:
    whole = setting.series.treated & setting.used
    if setting.outcome.every != "day":
        return NOT_DAILY
    if setting.several_phases or not (whole & ~setting.series.window).any():
        return ALREADY
    return Asked(replace(setting.series, window=whole))


def _segmented(setting: Setting) -> Asked | str:
    if setting.primary.question != "change_at_reassessment":
        return "it is for a window of days that is compared by difference"
    return Asked(setting.series, estimator=SEGMENTED)


def _run_in(setting: Setting) -> Asked | str:
    if setting.outcome.every != "day":
        return NOT_DAILY
    tau = setting.series.tau
    early = setting.series.treated & setting.used & (tau >= 0) & (tau < RUN_IN_DAYS)
    return Asked(setting.without(early), {"days": RUN_IN_DAYS}) if early.any() else ALREADY


def _first_week(setting: Setting) -> Asked | str:
    if setting.outcome.every != "day":
        return NOT_DAILY
    baseline = setting.series.baseline
    return Asked(setting.without(baseline & (np.cumsum(baseline, axis=1) <= FIRST_DAYS)), {"days": FIRST_DAYS})


def _reduced(reducer: str) -> Callable[[Setting], Asked | str]:
    def ask(setting: Setting) -> Asked | str:
        outcome, diary = setting.outcome, setting.trial.diary
        if outcome.name not in set(diary.several["outcome"]):
            return "no day holds several different answers"
        again = diary.reduced(outcome, reducer).reindex(pd.DatetimeIndex(setting.days))
        values = np.asarray(again, dtype=np.float64)[None]
        used = setting.used & np.isfinite(setting.series.values)
        if (values == setting.series.values)[used].all():
            return ALREADY
        return Asked(replace(setting.series, values=values))

    return ask


def _events(setting: Setting) -> list[dt.date]:
    """On which of the days that are compared did something else begin?"""
    held = setting.days[setting.used[0]]
    if not held.size or setting.outcome.every != "day":
        return []
    return [each.date for each in setting.trial.protocol.events if held[0] < each.date <= held[-1]]


def _before_event(setting: Setting) -> Asked | str:
    first = setting.trial.protocol.first_treatment
    after = [day for day in _events(setting) if first is not None and day > first.start]
    if not after:
        return NO_EVENT
    look = Look(on=after[0], window_days=setting.trial.protocol.window_days(setting.look))
    series = setting.trial.comparisons(look)
    return Asked(series.take(series.primary), {"date": after[0].isoformat()})


def _event_column(setting: Setting) -> Asked | str:
    first, events = setting.trial.protocol.first_treatment, _events(setting)
    if setting.primary.question not in ON_THE_KERNEL:
        return NOT_ON_THE_KERNEL
    if not events:
        return NO_EVENT
    days = sorted({day for day in events if first is None or day != first.start})
    if not days:
        return "it began with the treatment, so the two cannot be told apart"
    steps = setting.days[:, None] >= np.array(days, dtype="datetime64[D]")
    facts: dict[str, float | str] = {"date": days[0].isoformat(), "events": len(days)}
    return Asked(setting.series, facts, beside=steps[None].astype(float))


def _may_have_a_prior(setting: Setting) -> bool:
    return setting.primary.scale == "difference" and isinstance(setting.primary.distribution, TMixture)


def _declared_prior(setting: Setting) -> Asked | str:
    prior = setting.outcome.effect_prior
    if prior is None:
        return "no effect_prior is declared"
    if not _may_have_a_prior(setting):
        return NO_DIFFERENCE
    agreed = "yes" if setting.trial.protocol.was_agreed else "no"
    facts: dict[str, float | str] = {"mean": prior.mean, "sd": prior.sd, "source": prior.source, "agreed": agreed}
    return Asked(setting.series, facts, prior=(prior.mean, prior.sd))


def _sceptical_prior(setting: Setting) -> Asked | str:
    if not _may_have_a_prior(setting):
        return NO_DIFFERENCE
    important = setting.primary.important_change
    if np.isnan(important):
        return "no important change is declared to be sceptical of"
    sd = important / SCEPTICAL
    return Asked(setting.series, {"sd": sd, "important": important}, prior=(0.0, sd))


SPECIFICATIONS: tuple[Specification, ...] = (
    Specification("ar1", _ar1),
    Specification("all_treatment", _all_treatment),
    Specification("segmented", _segmented),
    Specification("run_in", _run_in),
    Specification("first_week", _first_week),
    Specification("mean_of_day", _reduced("mean")),
    Specification("worst_of_day", _reduced("worst")),
    Specification("last_of_day", _reduced("last")),
    Specification("before_event", _before_event),
    Specification("event_column", _event_column),
    Specification("declared_prior", _declared_prior),
    Specification("sceptical_prior", _sceptical_prior),
)


# ------------------------------------------------------------------ the answers


def segmented_question(comparisons: Comparisons) -> Question:
    """Columns [before, before × day, treated, treated × day]; contrasts: mean baseline day, mean window day, change.

    The question of the headline, with a straight line through each phase instead of a level for the window.
    """
    baseline, treated = comparisons.baseline, comparisons.treated & (comparisons.phase != UNUSED)
    tau = comparisons.tau.astype(float)
    columns = np.stack([indicator(baseline), baseline * tau, indicator(treated), treated * tau], axis=2)

    def mean(days: NDArray[np.bool_]) -> NDArray[np.float64]:
        return np.asarray((columns * days[..., None]).sum(axis=1) / np.maximum(days.sum(axis=1), 1)[:, None])

    before, after = mean(baseline), mean(comparisons.window & treated)
    return Question(columns, np.full(len(tau), 4), np.stack([before, after, after - before], axis=1))


def _along_lines(comparisons: Comparisons) -> Answer:
    """By how much do the lines through the two phases differ between the middle of the baseline and of the window?"""
    before, after = counted(comparisons.baseline, comparisons), counted(comparisons.treated, comparisons)
    fits = solve(comparisons, segmented_question(comparisons), too_few(before, after, "during treatment"))
    methods = [f"{each}; level and slope of each phase" for each in methods_of(comparisons, None)]
    return difference(comparisons, fits, np.stack([before, after], axis=1), methods)


SEGMENTED = Estimator("segmented", "change along a line in each phase", "difference", lambda *_: True, _along_lines)


def sensitivity(trial: Trial, look: Look | None = None, confidence: float = 0.95) -> Sensitivity:
    """Would the verdict be another under other reasonable choices?

    The primary outcome's headline question is asked again with each of `SPECIFICATIONS` in turn, one thing changed at
    a time. Choices of one kind go through one call of the kernel.

    Parameters
    ----------
    trial
        The diary read against its protocol.
    look
        The reassessment; the deciding one if left out.
    confidence
        Of the intervals.

    Returns
    -------
    Sensitivity
        Without alternatives where the primary outcome has no series.
    """
    look = look or trial.default_look()
    trial = trial.at(look)
    series = trial.comparisons(look)
    series = series.take(series.primary)
    primary = estimate_all(series, confidence=confidence).primary if len(series) else None
    if primary is None:
        return Sensitivity(None, (), trial.protocol.was_agreed)
    return asked_otherwise(Setting(trial, look, series, primary))


def asked_otherwise(setting: Setting) -> Sensitivity:
    """Ask the question of this setting with each of `SPECIFICATIONS`."""
    primary = setting.primary
    asked = [(each.name, each.ask(setting)) for each in SPECIFICATIONS]
    found = iter(_answered(primary, [way for _, way in asked if isinstance(way, Asked)]))
    alternatives = tuple(_alternative(name, way, primary, found) for name, way in asked)
    return Sensitivity(primary, alternatives, setting.trial.protocol.was_agreed)


def _alternative(name: str, way: Asked | str, primary: Estimate, found: Iterator[Estimate]) -> Alternative:
    if isinstance(way, str):
        return Alternative(name, {}, "not_applicable", way, None, same=False)
    estimate = next(found)
    same = estimate.ok and estimate.reading == primary.reading
    return Alternative(name, way.facts, estimate.status, estimate.reason, estimate, same)


def _answered(primary: Estimate, asked: Sequence[Asked]) -> list[Estimate]:
    """Answer every way of asking, in order; those of one group in one batch."""
    own = next(each for each in ESTIMATORS if each.question == primary.question)
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, each in enumerate(asked):
        groups.setdefault(each.group, []).append(place)
    found: dict[int, Estimate] = {}
    for places in groups.values():
        some = [asked[place] for place in places]
        batch = stack([each.series for each in some])
        estimator = replace(_estimator(own, some), applies=lambda *_: True)
        found.update(zip(places, estimator(batch, primary.confidence), strict=True))
    return [found[place] for place in range(len(asked))]


def _estimator(own: Estimator, some: Sequence[Asked]) -> Estimator:
    """Which estimator answers these ways of asking, which are of one group?"""
    first = some[0]
    if first.estimator is not None:
        return first.estimator
    if first.noise is not None or first.beside is not None:
        beside = (
            None if first.beside is None else np.concatenate([each.beside for each in some if each.beside is not None])
        )
        return replace(own, solve=partial(ON_THE_KERNEL[own.question], noise=first.noise, beside=beside))
    if first.prior is not None:
        mean, sd = np.array([each.prior for each in some if each.prior is not None]).T
        return replace(own, solve=lambda series: _informed(own.solve(series), mean, sd))
    return own


def _informed(flat: Answer, mean: NDArray[np.float64], sd: NDArray[np.float64]) -> Answer:
    """Put a prior in the place of the flat one. The levels stay with the flat one, so they are not given."""
    if not isinstance(flat.distribution, TMixture):
        raise TypeError(f"a prior needs a mixture of t distributions, not {type(flat.distribution).__name__}")
    nothing = Levels.unknown(len(flat.reason))
    methods = tuple(f"{method}; normal prior of the change" for method in flat.method)
    return replace(
        flat, distribution=Reweighted.of(flat.distribution, mean, sd), before=nothing, after=nothing, method=methods
    )
