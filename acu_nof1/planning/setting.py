"""What is planned and what is expected of the days: everything a simulated diary needs, and what is wrong with it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from acu_nof1.distribution import DAYS_PER_MONTH
from acu_nof1.errors import Problem, UsageError
from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.days import MINIMUM
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.planning.noise import own_noise
from acu_nof1.planning.scale import Scale
from acu_nof1.protocol import HEADACHE_WINDOW, WINDOW
from acu_nof1.simulate import Design, course

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons, Trial

# What is expected of days of which nothing is known. SD and level are shares of the scale.
PHI, SD_SHARE, LEVEL_SHARE, MISSING = 0.4, 0.15, 0.6, 0.15
RATED_PHI, YES_NO_PHI = (-0.9, 0.95), (0.0, 0.9)
LONGEST, MOST_MISSING = 1000, 0.8
FEWEST_RUNS, MOST_RUNS = 50, 100_000
DRAWS = 500
LEAST_ROOM = 0.01
FLOOR_SHARE = 0.05
COURSE = "gradual"


@dataclass(frozen=True, slots=True)
class Setting:
    """A design and the days it is expected to meet.

    Attributes
    ----------
    outcome
        With its important change.
    design
        Days of baseline, treatment and window; share of days not answered.
    level
        The average baseline day; days per 28 for yes/no outcomes.
    phi, share
        Correlation of neighbouring days (of the slow part of the noise), and share of white noise.
    sd
        Of a day around its level; NaN for yes/no outcomes.
    step
        Steps in which a rating is written down.
    assumed
        Names of what was not given and taken from the defaults.
    """

    outcome: Outcome
    design: Design
    level: float
    phi: float
    sd: float
    share: float
    step: float | None
    assumed: tuple[str, ...]

    @property
    def scale(self) -> Scale:
        """How a level is written down."""
        return Scale(self.step, self.outcome.low, self.outcome.high)

    @property
    def important(self) -> float:
        """The important change; NaN for none."""
        return math.nan if self.outcome.important_change is None else self.outcome.important_change

    @property
    def is_yes_no(self) -> bool:
        """Whether a day is a yes or a no."""
        return self.outcome.kind == "yes_no"

    @property
    def fewest(self) -> int:
        """Answered days that are needed on each side."""
        return MINIMUM if self.is_yes_no else MINIMUM_DAYS

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and largest level; infinite where there is none."""
        if self.is_yes_no:
            return 0.0, float(DAYS_PER_MONTH)
        low, high = self.outcome.low, self.outcome.high
        return (-math.inf if low is None else low), (math.inf if high is None else high)

    def room(self, sign: int) -> float:
        """By how much the level can move in this direction, up to just before the end of the scale.

        The change builds up, so on its last days it is larger than its average over the window.
        """
        low, high = self.ends
        room = high - self.level if sign > 0 else self.level - low
        room -= LEAST_ROOM * (high - low) if math.isfinite(high - low) else 0.0
        design = self.design
        return room / float(course(COURSE, design.baseline, design.treatment, 1.0, design.window).max())


def settle(
    *,
    outcome: Outcome | None,
    baseline: int | None,
    treatment: int | None,
    window: int | None,
    missing: float | None,
    phi: float | None,
    sd: float | None,
    share: float | None,
    level: float | None,
    important: float | None,
    like: Trial | None,
    n: int,
) -> Setting:
    """Put together what is given, what a trial says, and what must be assumed.

    Raises
    ------
    UsageError
        With everything that is wrong.
    """
    known = {} if like is None else _as_in(like)
    asked = outcome or (like.protocol.primary_outcome if like else None) or OUTCOMES["nrs_pain"]
    if important is not None:
        asked = replace(asked, important_change=important, declared=True)
    yes_no = asked.kind == "yes_no"
    headache = HEADACHE_WINDOW if asked.domain == "headache" else WINDOW
    days = {
        "baseline": known.get("baseline", 28.0 if headache == HEADACHE_WINDOW else 14.0),
        "treatment": known.get("treatment", 84.0 if headache == HEADACHE_WINDOW else 70.0),
        "window": known.get("window", float(headache)),
    }
    for name, given in (("baseline", baseline), ("treatment", treatment), ("window", window)):
        days[name] = days[name] if given is None else given
    whole = {name: int(value) for name, value in days.items()}

    assumed = []

    def chosen(name: str, given: float | None, default: float) -> float:
        if given is not None:
            return given
        if name not in known:
            assumed.append(name)
        return known.get(name, default)

    span = math.nan if asked.low is None or asked.high is None else asked.high - asked.low
    toward = LEVEL_SHARE if asked.sign < 0 else 1 - LEVEL_SHARE
    middle = DAYS_PER_MONTH * toward if yes_no else (asked.low or 0.0) + toward * span
    made = Setting(
        outcome=asked,
        design=Design(**whole, missing=chosen("missing", missing, MISSING)),
        level=chosen("level", level, middle),
        phi=chosen("phi", phi, PHI),
        sd=math.nan if yes_no else chosen("sd", sd, SD_SHARE * span),
        share=0.0 if yes_no else known.get("share", 0.0) if share is None else share,
        step=known.get("step") if asked.step is None else asked.step,
        assumed=tuple(assumed),
    )
    useless = [name for name, value in (("sd", sd), ("share", share)) if yes_no and value is not None]
    wrong = [*_problems(made), *map(_useless, useless), *_run_problems(n)]
    if wrong:
        raise UsageError(wrong)
    return made


def offered(outcome: Outcome) -> str:
    """Why can no diary of this outcome be simulated honestly? ``""`` where it can."""
    if outcome.every != "day":
        return f"it is kept every {outcome.every}, and there is no noise between days to simulate"
    if outcome.better == "neither":
        return "for this outcome neither more nor less is better"
    return ""


def near_zero(outcome: Outcome, lowest: float, sd: float) -> str:
    """Why can this amount not be simulated? Normal noise stands for it only where it would rarely fall below zero."""
    below = float(ndtr(-lowest / sd)) if sd > 0 else 0.0
    if not outcome.is_amount or below <= FLOOR_SHARE:
        return ""
    return (
        f"its days come too close to zero (normal noise would fall below it on {100 * below:.0f} in 100 days), and "
        "small counts are not simulated"
    )


def primary_series(trial: Trial) -> Comparisons:
    """Return the one series of the primary outcome, at the look that decides."""
    comparisons = trial.comparisons()
    return comparisons.take(comparisons.primary)


def _as_in(trial: Trial) -> dict[str, float]:
    """What a trial says of its own days: noise, level, missing days, and the days it planned."""
    protocol, series = trial.protocol, primary_series(trial)
    place = f"trial {protocol.code}".strip()
    if not len(series):
        problem = Problem(
            "error", place, "its primary outcome has no column in the diary.", "Name the outcome to plan for."
        )
        raise UsageError([problem])
    why = offered(series.outcomes[0])
    found = why or own_noise(series, DRAWS, np.random.default_rng(0))
    if isinstance(found, str):
        raise UsageError(
            [Problem("error", place, f"it cannot say how days differ: {found}.", "Give phi, sd and level.")]
        )
    answered = series.answered[0]
    kept = (series.phase[0] >= 0) & (np.arange(answered.size) <= np.flatnonzero(answered)[-1])
    baseline = next((phase for phase in protocol.phases if phase.kind == "baseline"), None)
    window, treated = int(series.window[0].sum()), int((series.treated[0] & (series.phase[0] >= 0)).sum())
    said = {
        "missing": round(1 - answered[kept].mean(), 3),
        "phi": float(found.phi.mean()),
        "share": float(found.share.mean()),
        "sd": float(np.sqrt((found.before**2).mean())),
        "level": found.level,
        "step": Scale.of(series.outcomes[0], series.values[0, answered]).step or math.nan,
        "baseline": float(baseline.days) if baseline else math.nan,
        "treatment": float(treated) if treated else math.nan,
        "window": float(window) if window else math.nan,
    }
    return {name: value for name, value in said.items() if math.isfinite(value)}


def _problems(made: Setting) -> Iterator[Problem]:
    outcome, (low, high) = made.outcome, made.ends
    why = offered(outcome)
    if why:
        yield _error(
            f"outcome {outcome.name}", f"a plan is not offered: {why}.", "Choose a daily rating or yes/no days."
        )
        return
    if low >= high:
        yield _error("scale", f"it goes from {low:g} to {high:g}.", "The low end must lie below the high end.")
        return
    if made.step is not None and not made.step > 0:
        yield _error(f"step {made.step:g}", "steps must be larger than 0.", "Write 1 for whole points.")
    yield from _day_problems(made.design, made.fewest)
    least, most = YES_NO_PHI if made.is_yes_no else RATED_PHI
    if not least <= made.phi <= most:
        yield _error(
            f"phi {made.phi:g}", f"it must lie between {least:g} and {most:g}.", "0.4 is usual for pain; 0 is none."
        )
    if not 0 <= made.share <= 1:
        yield _error(f"share {made.share:g}", "it must lie between 0 and 1.", "0 is usual; 0.3 is much white noise.")
    if not made.is_yes_no:
        yield from _spread_problems(made)
    yield from _level_problems(made)


def _days_are_possible(design: Design) -> bool:
    return 1 <= design.baseline <= LONGEST and 1 <= design.window <= design.treatment <= LONGEST


def _day_problems(design: Design, fewest: int) -> Iterator[Problem]:
    if not 0 <= design.missing <= MOST_MISSING:
        yield _error(
            f"missing {design.missing:g}",
            f"it must lie between 0 and {MOST_MISSING:g}.",
            "Give the share of days without an answer: 0.15 is about one a week.",
        )
    share = 1 - design.missing if 0 <= design.missing <= MOST_MISSING else 1.0
    for name, days in (("baseline", design.baseline), ("window", design.window)):
        if days < 1 or days > LONGEST:
            yield _error(f"{name} {days}", f"it must be 1 to {LONGEST} days.", "Give whole days.")
        elif days * share < fewest:
            yield _error(
                f"{name} {days}",
                f"only {days * share:.3g} of its days would be answered; at least {fewest} are needed.",
                "Plan more days.",
            )
    if not 1 <= design.treatment <= LONGEST:
        yield _error(f"treatment {design.treatment}", f"it must be 1 to {LONGEST} days.", "Give whole days.")
    elif design.window > design.treatment:
        yield _error(
            f"window {design.window}",
            f"it is longer than the treatment of {design.treatment} days.",
            "Plan a shorter window or a longer treatment.",
        )


def _spread_problems(made: Setting) -> Iterator[Problem]:
    low, high = made.ends
    if math.isnan(made.sd):
        yield _error(
            "sd", "this scale has no ends, so no usual SD is known.", "Give the SD of days around their level."
        )
    elif not made.sd > 0 or made.sd > (high - low) / 2:
        yield _error(
            f"sd {made.sd:g}",
            f"it must be larger than 0 and at most half the scale ({(high - low) / 2:g}).",
            "Give the SD of days around their level, in the unit of the outcome.",
        )
    else:
        gain = max(made.important, 0.0) if made.outcome.sign < 0 and math.isfinite(made.important) else 0.0
        why = near_zero(made.outcome, made.level - gain, made.sd)
        if why:
            yield _error(f"outcome {made.outcome.name}", f"a plan is not offered: {why}.", "Plan for another outcome.")


def _level_problems(made: Setting) -> Iterator[Problem]:
    low, high = made.ends
    if math.isnan(made.level):
        yield _error("level", "this scale has no ends, so no usual level is known.", "Give the average baseline day.")
    elif not low < made.level < high:
        yield _error(
            f"level {made.level:g}", f"it must lie between {low:g} and {high:g}.", "Give the average baseline day."
        )
    if math.isnan(made.important):
        yield _error(
            "important", "no important change is known for this outcome.", "Give it in the unit of the outcome."
        )
    elif not made.important > 0:
        yield _error(
            f"important {made.important:g}", "it must be larger than 0.", "Give the smallest change that matters."
        )
    elif low < made.level < high and _days_are_possible(made.design) and made.important > made.room(made.outcome.sign):
        yield _error(
            f"important {made.important:g}",
            f"from a level of {made.level:g} the scale leaves room for a gain of {made.room(made.outcome.sign):.3g} only.",
            "Choose a smaller important change or another outcome.",
        )


def _useless(name: str) -> Problem:
    return _error(name, "days of yes or no have no spread of their own.", "Leave it out; level and phi say all.")


def _run_problems(n: int) -> Iterator[Problem]:
    if not FEWEST_RUNS <= n <= MOST_RUNS:
        yield _error(f"n {n}", f"it must be {FEWEST_RUNS} to {MOST_RUNS:,} diaries.", "400 is usual.")


def _error(where: str, problem: str, remedy: str) -> Problem:
    return Problem("error", where, problem, remedy)
