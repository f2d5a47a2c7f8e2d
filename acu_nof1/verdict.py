"""What the answers mean for this trial: the verdict, the success rule, and what else could explain the change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from acu_nof1.course import RAISED
from acu_nof1.estimate.columns import Question, counted, indicator, solve
from acu_nof1.explore.joint import chance_of_all, chance_of_any, gains_together
from acu_nof1.explore.missing import tipping_points
from acu_nof1.explore.regression import ENOUGH_DAYS, FIRST_DAYS, regression_to_the_mean
from acu_nof1.interpret import LIKELY, SURE, success_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from acu_nof1.estimate import Estimate, Estimates
    from acu_nof1.explore.missing import TippingPoint
    from acu_nof1.explore.regression import Return
    from acu_nof1.interpret import Reading, SuccessKind
    from acu_nof1.outcomes import Outcome
    from acu_nof1.safety import Safety
    from acu_nof1.trial import Comparisons, Trial

CaveatKind = Literal[
    "unattainable", "co_intervention", "medication", "rescue_rose", "baseline_trend", "baseline_flare", "interim", "carry_over",
    "slow_drift", "drawn_start", "drawn_order", "not_agreed", "multiple_looks", "missing_days", "short_window", "one_person", "expectation", "natural_course",
]  # fmt: skip

# Directly under the badge: these say that the change may have another reason.
ATTRIBUTION: tuple[CaveatKind, ...] = (
    "co_intervention", "medication", "rescue_rose", "baseline_trend", "baseline_flare",
)  # fmt: skip

NEAR_START = dt.timedelta(days=14)
DRIFT = 0.20
HALF_MISSING = 0.5
HEADACHE_ANSWERED = 21
GAINS: tuple[Reading, ...] = ("improved", "improved_amount_unclear", "improved_less")
LOSSES: tuple[Reading, ...] = ("worse", "worse_amount_unclear")


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something the reader must know.

    `facts` are the numbers and texts its sentence needs, `about` the answer whose levels it prints, `tips` what would
    undo it.
    """

    kind: CaveatKind
    facts: Mapping[str, float | str] = field(default_factory=dict)
    tips: tuple[TippingPoint, ...] = ()
    about: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """How the gains of two outcomes of the rule go together; `days` were answered in both, 0 if they are not kept daily."""

    outcomes: tuple[str, str]
    correlation: float
    days: int


@dataclass(frozen=True, slots=True)
class Success:
    """The result of the agreed success rule.

    Attributes
    ----------
    kind
        Met, not met, cannot say, no rule agreed, or overruled by a red flag or a serious event.
    p
        The chance that the rule is met; ``None`` where no chance can be given.
    rule, outcomes
        The rule as the protocol has it.
    bound
        ``at_most`` or ``at_least`` where some outcome is not estimable and `p` is what the others allow.
    unknown
        The outcomes that are not estimable.
    pairs
        How the gains of the others go together.
    gain
        The chance of any gain at all in the outcome that the rule hangs on: the least sure of ``all``, the surest of
        ``any``.
    """

    kind: SuccessKind
    p: float | None
    rule: str | None
    outcomes: tuple[str, ...] = ()
    bound: Literal["", "at_most", "at_least"] = ""
    unknown: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()
    gain: float = np.nan


@dataclass(frozen=True, slots=True)
class Verdict:
    """What changed in the primary outcome (not why), and what must be said beside it.

    Attributes
    ----------
    kind
        One of `Reading`; ``overruled`` where a red flag or a serious event withholds it.
    estimate
        The answer it rests on; ``None`` if the primary outcome has none.
    caveats
        Attribution first, then limits, computed ones before general ones.
    overruled_by
        ``red_flag`` or ``serious_event``: then no badge is shown.
    """

    kind: Reading | Literal["overruled"]
    estimate: Estimate | None
    caveats: tuple[Caveat, ...]
    overruled_by: Literal["red_flag", "serious_event"] | None

    @property
    def direction(self) -> int | None:
        """+1 where the primary outcome gained, −1 where it lost, 0 for no important change; ``None`` if unclear."""
        return (
            +1
            if self.kind in GAINS
            else -1
            if self.kind in LOSSES
            else 0
            if self.kind == "no_important_change"
            else None
        )

    @property
    def attribution(self) -> tuple[Caveat, ...]:
        """The caveats that stand directly under the badge."""
        return tuple(caveat for caveat in self.caveats if caveat.kind in ATTRIBUTION)

    @property
    def limits(self) -> tuple[Caveat, ...]:
        """What this diary cannot tell."""
        return tuple(caveat for caveat in self.caveats if caveat.kind not in ATTRIBUTION)


def judge(
    trial: Trial, comparisons: Comparisons, estimates: Estimates, safety: Safety, *, interim: bool = False
) -> Verdict:
    """What changed in the primary outcome, and what else could explain it?

    Parameters
    ----------
    trial
        As it stood at the look.
    comparisons, estimates
        Made from it.
    safety
        What may overrule the verdict.
    interim
        Whether another, later look carries the verdict of the trial.

    Returns
    -------
    Verdict
        ``cannot_say`` where the primary outcome is not estimable.
    """
    primary = estimates.primary
    series = comparisons.take(comparisons.primary)
    # While something overrules the diary there is no verdict that missing days could undo.
    tips = () if safety.overrules else tuple(tipping_points(series, estimates))
    caveats = tuple(_caveats(trial, comparisons, estimates, tips, interim=interim, overruled=bool(safety.overrules)))
    return Verdict("overruled" if safety.overrules else verdict_kind(primary), primary, caveats, safety.overrules)


def verdict_kind(primary: Estimate | None) -> Reading:
    """Which kind of change does the primary outcome show; ``cannot_say`` where it is not estimable."""
    return cast("Reading", primary.reading) if primary is not None and primary.ok else "cannot_say"


def judge_success(trial: Trial, comparisons: Comparisons, estimates: Estimates, safety: Safety) -> Success:
    """Was the agreed success reached?

    The chance of a rule over several outcomes respects that their days go together (`explore.joint`). An outcome that
    is not estimable may have gained or not: with ``all`` the others' chance is then the most that the rule's can be,
    with ``any`` the least. Such a bound decides where it can, and is given only there.

    Parameters
    ----------
    trial
        As it stood at the look.
    comparisons, estimates
        Made from it.
    safety
        What may overrule the result.
    """
    rule = trial.protocol.success
    if rule is None:
        return Success("not_agreed", None, None)
    if safety.overrules:
        return Success("overruled", None, rule.rule, rule.outcomes)
    answers = {each.outcome.name: each for each in estimates.headlines if each.ok}
    chances = {name: each.p_important_gain for name, each in answers.items()}
    known = tuple(name for name in rule.outcomes if np.isfinite(chances.get(name, np.nan)))
    unknown = tuple(name for name in rule.outcomes if name not in known)
    if not known:
        return Success("cannot_say", None, rule.rule, rule.outcomes, unknown=unknown)
    together, joint = gains_together(comparisons, known), chance_of_all if rule.all else chance_of_any
    p = joint([chances[name] for name in known], together)
    correlation = together.correlation
    pairs = tuple(
        Pair((known[i], known[j]), float(correlation[i, j]), int(together.days[i, j]))
        for i, j in combinations(range(len(known)), 2)
    )
    gain = (min if rule.all else max)(answers[name].p_gain for name in known)
    kind = success_kind(p, gain)
    if not unknown:
        return Success(kind, p, rule.rule, rule.outcomes, pairs=pairs, gain=gain)
    if kind != ("not_met" if rule.all else "met"):
        return Success("cannot_say", None, rule.rule, rule.outcomes, unknown=unknown, pairs=pairs)
    return Success(kind, p, rule.rule, rule.outcomes, "at_most" if rule.all else "at_least", unknown, pairs, gain)


def _caveats(
    trial: Trial,
    comparisons: Comparisons,
    estimates: Estimates,
    tips: tuple[TippingPoint, ...],
    *,
    interim: bool,
    overruled: bool,
) -> Iterator[Caveat]:
    primary = estimates.primary
    back: tuple[Return, ...] = ()
    if primary is not None:
        series = comparisons.take(comparisons.primary)
        yield from _unattainable(primary)
        if primary.reading in GAINS:
            back = regression_to_the_mean(series)
            yield from _co_interventions(trial, comparisons, primary)
            yield from _rescue_rose(estimates, primary)
            if primary.outcome.kind != "yes_no" and primary.outcome.every == "day":
                yield from _baseline_flare(*back)
                yield from _baseline_trend(series, primary)
        yield from _slow_drift(estimates, primary)
        yield from _diary_limits(series, primary, tips)
    yield from _agreement(trial, primary)
    yield from _looks(trial, comparisons, interim=interim, overruled=overruled)
    yield from _design(trial)
    yield from _natural_course(primary, *back)
    yield Caveat("expectation")


def _looks(trial: Trial, comparisons: Comparisons, *, interim: bool, overruled: bool) -> Iterator[Caveat]:
    """Is there more than one look, and which carries the verdict: ``here``, ``on`` another day, after a ``session``?"""
    deciding, planned = trial.protocol.deciding_look, len(trial.protocol.looks)
    if deciding is None:
        return
    here = not interim and bool((comparisons.looked_on == np.datetime64(trial.look_day(deciding))).all())
    which: dict[str, float | str] = {"here": "yes"}
    if not here:
        dated = deciding.on is not None or not interim
        which = {"on": trial.look_day(deciding).isoformat()} if dated else {"session": deciding.after_session or 0}
    # While something overrules the diary no look carries a verdict.
    which = {} if overruled else which
    if interim:
        yield Caveat("interim", which)
    elif planned > 1 or not here:
        yield Caveat("multiple_looks", {"looks": planned, **which})


def _design(trial: Trial) -> Iterator[Caveat]:
    protocol = trial.protocol
    if len(protocol.design) > 2:
        yield Caveat("carry_over")
    elif protocol.has_baseline and not protocol.start_was_randomised:
        yield Caveat("one_person")
    if protocol.start_was_randomised:
        yield Caveat("drawn_start" if protocol.drawn is None else "drawn_order")


def _natural_course(primary: Estimate | None, *back: Return) -> Iterator[Caveat]:
    """What a change must always be held against; with the size of a return where the diary tells it and no flare did."""
    facts: dict[str, float | str] = {"worse": "yes"} if primary is not None and primary.reading in LOSSES else {}
    for each in back:
        if np.isfinite(each.bad_spell) and not each.flare:
            short = "yes" if each.answered < ENOUGH_DAYS else "no"
            facts = {"return": each.bad_spell, "short": short, **_whose(each.outcome)}
    yield Caveat("natural_course", facts)


def _unattainable(primary: Estimate) -> Iterator[Caveat]:
    """An important change that the level before cannot reach is said before anything else."""
    outcome, before = primary.outcome, primary.before
    if not primary.ok or primary.scale != "difference" or np.isnan(primary.important_change):
        return
    days = outcome.kind == "yes_no"
    low, high = (0.0, 28.0) if days else (outcome.low, outcome.high)
    end = low if outcome.better == "lower" else high
    if end is not None and abs(end - before) < primary.important_change:
        yield Caveat(
            "unattainable", {"before": before, "room": abs(end - before), "important": primary.important_change}
        )


def _co_interventions(trial: Trial, comparisons: Comparisons, primary: Estimate) -> Iterator[Caveat]:
    """What else began? Less of a medication is no reason to feel better; the course of treatment tells of it."""
    first = trial.protocol.first_treatment
    compared = comparisons.treated & (comparisons.phase >= 0)
    days = np.flatnonzero(compared.any(axis=0))
    last = (comparisons.start[0] + days[-1]).astype(object) if days.size else dt.date.min
    for event in trial.protocol.events:
        if first is not None and first.start - NEAR_START <= event.date < last:
            week = (event.date - first.start).days // 7 + 1
            facts: dict[str, float | str] = {"what": event.what, "date": event.date.isoformat(), "week": week}
            if event.kind != "medication":
                yield Caveat("co_intervention", facts)
            elif event.change in RAISED:
                yield Caveat("medication", {**facts, "change": str(event.change), **_gained(primary)})


def _gained(primary: Estimate) -> dict[str, float | str]:
    """What got better, and which way."""
    return {"primary": primary.outcome.label, "better": primary.outcome.better}


def _rescue_rose(estimates: Estimates, primary: Estimate) -> Iterator[Caveat]:
    """Was more rescue medication taken while the primary outcome gained?

    Likely is enough here: a row that is read as worse has at least that chance, so none goes unmentioned, and the
    sentence gives the chance.
    """
    for each in estimates.headlines:
        rescue = each.outcome.domain == "medication" and each.outcome.every == "day" and each.outcome.better == "lower"
        if rescue and each.ok and each.outcome.name != primary.outcome.name and each.p_loss >= LIKELY:
            facts = {"label": each.outcome.label, "p": each.p_loss, **_gained(primary)}
            yield Caveat("rescue_rose", facts, about=each)


def _columns(*days: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack(days, axis=2)


def _baseline_flare(found: Return) -> Iterator[Caveat]:
    """Was the first baseline week worse than the rest, so that part of the gain may be a return to normal?"""
    if found.flare:
        facts: dict[str, float | str] = {"early": found.early, "later": found.later, "p": found.p_worse}
        known = {"return": found.expected} if found.expected * found.outcome.sign > 0 else {}
        yield Caveat("baseline_flare", {**facts, **known, **_whose(found.outcome)})


def _whose(outcome: Outcome) -> dict[str, float | str]:
    """What and in which unit, for sentences about a return: they speak of pain where nothing else is said."""
    label: dict[str, float | str] = {} if outcome.domain == "pain" else {"label": outcome.label}
    return label if outcome.change_unit == "points" else {**label, "unit": outcome.change_unit}


def _baseline_trend(series: Comparisons, primary: Estimate) -> Iterator[Caveat]:
    """Was it already moving the right way before treatment, at least as fast as afterwards?"""
    if not primary.ok or primary.scale != "difference" or counted(series.baseline, series)[0] < FIRST_DAYS:
        return
    tau = series.tau.astype(float)
    between = series.treated & ~series.window
    parts = (
        indicator(series.window),
        indicator(series.baseline),
        series.baseline * tau,
        indicator(between),
        between * tau,
    )
    question = Question(
        _columns(*parts), np.array([3 + 2 * int(counted(between, series)[0] >= 5)]), np.array([[[0, 0, 7.0, 0, 0]]])
    )
    fits = solve(series, question, [""])
    if fits.reason[0]:
        return
    slope = fits.distribution(lambda each: each.mixture(0))
    weeks = float(tau[series.window].mean() - tau[series.baseline].mean()) / 7
    pace, sign = primary.value / weeks, primary.outcome.sign
    p_below = float(slope.cdf(0.0)[0])
    p_moving = p_below if sign < 0 else 1 - p_below
    if p_moving >= SURE and sign * float(slope.centre[0]) >= sign * pace:
        yield Caveat("baseline_trend", {"slope": float(slope.centre[0]), "p": p_moving})


def _slow_drift(estimates: Estimates, primary: Estimate) -> Iterator[Caveat]:
    """May the days resemble one another so strongly that a slow drift looks like a change?

    The primary answer and the trend during treatment are asked, and the more doubtful one speaks. The mean change is
    not: it takes every change that builds up for a drift (benchmarks/README.md has the rates).
    """
    if not primary.ok:
        return
    name = primary.outcome.name
    trends = (each for each in estimates if each.question == "trend" and each.outcome.name == name)
    doubtful = max((primary, *trends), key=lambda each: np.nan_to_num(each.p_phi_high))
    if doubtful.p_phi_high >= DRIFT:
        yield Caveat("slow_drift", {"phi": doubtful.phi, "p": doubtful.p_phi_high})


def _diary_limits(series: Comparisons, primary: Estimate, tips: tuple[TippingPoint, ...]) -> Iterator[Caveat]:
    days = int((series.phase != -1).sum())
    answered = int(series.answered.sum())
    if answered < days and primary.outcome.every == "day":
        yield Caveat(
            "missing_days",
            {"answered": answered, "days": days, "many": "yes" if answered < HALF_MISSING * days else "no"},
            tips,
        )
    if primary.outcome.kind == "yes_no" and min(primary.days) < HEADACHE_ANSWERED:
        yield Caveat("short_window", {"before": primary.days_before, "after": primary.days_after})


def _agreement(trial: Trial, primary: Estimate | None) -> Iterator[Caveat]:
    if not trial.protocol.was_agreed:
        source = primary.outcome.source if primary is not None and not primary.outcome.declared else ""
        yield Caveat("not_agreed", {"source": source})
