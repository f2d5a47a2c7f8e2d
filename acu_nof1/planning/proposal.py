"""How long a baseline, how many days: what a planned diary could show, by simulating it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from acu_nof1 import words
from acu_nof1.distribution import DAYS_PER_MONTH
from acu_nof1.estimate.columns import CHANGE, counted, solve, too_few
from acu_nof1.estimate.days import DAYS_PER_28
from acu_nof1.estimate.level import window_question
from acu_nof1.interpret import LIKELY, SURE, Reading, chances, readings
from acu_nof1.planning.scale import written_days
from acu_nof1.planning.setting import COURSE, settle
from acu_nof1.simulate import course, markov_days, missing_days, noise
from acu_nof1.trial import Comparisons, stack
from acu_nof1.verdict import GAINS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from acu_nof1.distribution import Distribution
    from acu_nof1.outcomes import Outcome
    from acu_nof1.planning.setting import Setting
    from acu_nof1.simulate import Design
    from acu_nof1.trial import Trial

SCHEMA = "acu-nof1/plan/1"
KINDS: tuple[Reading, ...] = get_args(Reading)
LOSSES: tuple[Reading, ...] = ("worse", "worse_amount_unclear")
BASELINES, WINDOWS, PHIS = (7, 10, 14, 21, 28, 42), (7, 14, 21, 28), (0.0, 0.3, 0.6)
GAIN_STEPS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
POWER = 0.80
# Where to look for the smallest gain: a first look with a quarter of the diaries; how much more is needed for each
# unit that the true gain itself is larger; and when it is found, as a share of half the interval.
PILOT, WIDENING, NEAR_ENOUGH, MOST_TRIES = 4, 0.35, 0.05, 4
TOGETHER = 400


@dataclass(frozen=True, eq=False)
class Plan:
    """What a planned diary could show, before it is begun.

    Attributes
    ----------
    setting
        The design, the outcome with its important change, and what is expected of the days.
    detectable
        The smallest true gain that 8 in 10 such diaries would call improved, by any amount: any gain at 0.95, or
        the important gain at 0.80. NaN where the scale leaves no room for it.
    half_width
        Half the usual (median) width of the 95 % interval.
    enough
        The fewest baseline days of the ladder with which the important change would be called improved by 8 in 10
        diaries; ``None`` if even the longest is too short.
    n, seed
        Diaries simulated for each number, and where they came from.
    """

    setting: Setting
    n: int
    seed: int
    _curve: pd.DataFrame
    _ladder: pd.DataFrame

    @property
    def detectable(self) -> float:
        """The smallest true gain that 8 in 10 such diaries would call improved."""
        return float(self._own["detectable"])

    @property
    def half_width(self) -> float:
        """Half the median width of the interval."""
        return float(self._own["half_width"])

    @property
    def enough(self) -> int | None:
        """The fewest baseline days that can show the important change."""
        return self._shortest("baseline")

    def _shortest(self, varied: str) -> int | None:
        rungs = self.rungs(varied)
        # Rounded as it is printed: simulated to the second decimal, it would differ from seed to seed.
        days = rungs.loc[rungs["detectable"].round(1) <= self.setting.important, varied]
        return int(days.min()) if len(days) else None

    def rungs(self, varied: str) -> pd.DataFrame:
        """Return the ladder over ``baseline`` or ``window`` days at the expected φ, or over ``phi``."""
        return self._ladder[self._ladder["varied"] == varied].drop(columns="varied").reset_index(drop=True)

    @property
    def _own(self) -> pd.Series[Any]:
        rungs = self.rungs("baseline")
        return rungs[rungs["baseline"] == self.setting.design.baseline].iloc[0]

    def chance(self, gain: float, *kinds: Reading) -> float:
        """How probable is one of these verdicts if this is the true gain? Straight lines between simulated gains."""
        known = self._curve.sort_values("gain")
        return float(np.interp(gain, known["gain"], known[list(kinds)].sum(axis=1)))

    def to_frame(self) -> pd.DataFrame:
        """Return the probability of each verdict by true gain (losses are negative), one row a gain (a copy)."""
        return self._curve.copy()

    def ladder(self) -> pd.DataFrame:
        """Return the smallest detectable change by baseline days, by window, and by φ (a copy)."""
        return self._ladder.copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the plan says, the change that could be shown first."""
        made, m = self.setting, self.setting.important
        rungs = self.rungs("baseline")
        gains, losses = self.chance(0.0, *GAINS), self.chance(0.0, *LOSSES)
        said = [
            words.plan_detectable(
                made.outcome, made.design.baseline, list(zip(rungs["baseline"], rungs["detectable"], strict=True))
            ),
            words.plan_enough(made.outcome, m, self.enough, int(rungs["baseline"].max()), self._shortest("window")),
            "" if made.is_yes_no else words.plan_rising(made.design.treatment - made.design.window),
            words.plan_chances(made.outcome, m, {kind: self.chance(m, kind) for kind in KINDS}),
            words.plan_unchanged(gains, losses, self.chance(0.0, "cannot_say")),
            words.plan_noise(made.phi, list(zip(*self.rungs("phi")[["phi", "detectable"]].to_numpy().T, strict=True))),
            words.plan_assumed({name: self._value(name) for name in made.assumed}),
        ]
        return tuple(sentence for sentence in said if sentence)

    @property
    def design_line(self) -> str:
        """What is planned, in one line."""
        design = self.setting.design
        label = self.setting.outcome.label
        return words.plan_setting(label, design.baseline, design.treatment, design.window, 1 - design.missing)

    @property
    def made_line(self) -> str:
        """How the numbers were made, in one line."""
        return words.plan_made(self.n, self.seed, self.setting.sd, self.setting.phi, monte_carlo_error(0.5, self.n))

    def _value(self, name: str) -> float:
        return self.setting.design.missing if name == "missing" else float(getattr(self.setting, name))

    def to_dict(self) -> dict[str, Any]:
        """Return everything a machine needs, in the shape of ``acu-nof1/plan/1``; numbers that do not exist are null."""
        made = self.setting
        return {
            "schema": SCHEMA,
            "outcome": made.outcome.name,
            "unit": made.outcome.change_unit,
            "better": made.outcome.better,
            "important_change": made.important,
            "design": {name: getattr(made.design, name) for name in ("baseline", "treatment", "window", "missing")},
            "days": {name: finite(getattr(made, name)) for name in ("level", "sd", "phi", "share", "step")},
            "assumed": list(made.assumed),
            "n": self.n,
            "seed": self.seed,
            "detectable": finite(self.detectable),
            "half_width": finite(self.half_width),
            "enough": self.enough,
            "curve": records(self._curve),
            "ladder": records(self._ladder),
            "sentences": list(self.sentences),
        }

    def __repr__(self) -> str:
        return f"Plan({self.sentences[0]})"


def plan(
    *,
    outcome: Outcome | None = None,
    baseline: int | None = None,
    treatment: int | None = None,
    window: int | None = None,
    missing: float | None = None,
    phi: float | None = None,
    sd: float | None = None,
    share: float | None = None,
    level: float | None = None,
    important: float | None = None,
    like: Trial | None = None,
    n: int = 400,
    seed: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Plan:
    """How large a change could this diary show, and how many baseline days are enough?

    Diaries are simulated as they would be written (in steps, within the scale, the change building up over three
    weeks) and read by the package's own estimator and verdict.

    Parameters
    ----------
    outcome
        A daily rating, an amount far from zero, or yes/no days; 0–10 pain if left out.
    baseline, treatment, window
        Planned days; 14, 70 and 14 if left out (28, 84 and 28 for headache).
    missing
        Share of days expected without an answer; 0.15 if left out.
    phi, share
        Correlation of neighbouring days (of the slow part of the noise), 0.4 if left out, and share of white noise.
    sd
        Of a day around its level; 15 % of the scale if left out.
    level
        The average baseline day (days per 28 for yes/no outcomes); 60 % of the scale towards worse if left out.
    important
        The important change; that of the outcome if left out.
    like
        A trial, its baseline at least, from which all this is taken where it is not given.
    n
        Diaries for each number.
    seed
        Of the simulation.
    progress
        Called with the share of the work that is done.

    Returns
    -------
    Plan
        Curve, ladder and words.

    Raises
    ------
    UsageError
        With everything that is wrong with the numbers.
    """
    made = settle(
        outcome=outcome,
        baseline=baseline,
        treatment=treatment,
        window=window,
        missing=missing,
        phi=phi,
        sd=sd,
        share=share,
        level=level,
        important=important,
        like=like,
        n=n,
    )
    rungs = _rungs(made)
    gains = [step * made.important for step in GAIN_STEPS]
    gains = [gain for gain in gains if abs(gain) < made.room(int(np.sign(gain * made.outcome.sign)) or 1)]
    settings = list(dict.fromkeys(each for _, each in rungs))
    total, done = n * (len(gains) + (1 + 1 / PILOT) * len(settings)), 0

    def tick(series: int) -> None:
        nonlocal done
        done += series
        if progress is not None:
            progress(min(done / total, 1.0))

    kinds = asked([diaries(made, gain, n, seed) for gain in gains], partial(_verdicts, made), tick)
    curve = [{"gain": gain} | _shares(each) for gain, each in zip(gains, kinds, strict=True)]
    found = dict(zip(settings, smallest_detectable(settings, n, seed, tick), strict=True))
    ladder = [
        {"varied": varied, "baseline": each.design.baseline, "window": each.design.window, "phi": each.phi}
        | dict(zip(("detectable", "half_width"), found[each], strict=True))
        for varied, each in rungs
    ]
    return Plan(made, n, seed, pd.DataFrame(curve), pd.DataFrame(ladder))


def _rungs(made: Setting) -> list[tuple[str, Setting]]:
    """Every design of the ladder: other baselines, other windows, other φ; the planned one among the baselines."""
    fewest = math.ceil(made.fewest / (1 - made.design.missing))
    baselines = sorted({made.design.baseline, *(days for days in BASELINES if days >= fewest)})
    windows = sorted({made.design.window, *(days for days in WINDOWS if fewest <= days <= made.design.treatment)})
    rungs = [("baseline", replace(made, design=replace(made.design, baseline=days))) for days in baselines]
    rungs += [("window", replace(made, design=replace(made.design, window=days))) for days in windows]
    rungs += [("phi", replace(made, phi=phi)) for phi in PHIS if "phi" in made.assumed]
    return rungs


def diaries(made: Setting, gain: float, n: int, seed: int) -> Comparisons:
    """Simulate diaries in which this is the true gain, as they would be written.

    The same seed gives the same noise on the treatment days, whatever the baseline and the gain: designs are
    compared on the same days.
    """
    rng = np.random.default_rng(seed)
    design, change = made.design, made.outcome.sign * gain
    total = max(*BASELINES, design.baseline) + design.treatment
    average = made.level + course(COURSE, design.baseline, design.treatment, change, design.window)
    if made.is_yes_no:
        probability = np.full(total, average[0])
        probability[-design.days :] = average
        values = markov_days(n, total, probability / DAYS_PER_MONTH, made.phi, rng)[:, -design.days :].astype(float)
    else:
        unit = noise(n, total, phi=made.phi, share=made.share, seed=rng)[:, -design.days :]
        values = written_days(unit, average[None], np.array([[made.sd]]), made.scale)
    values[missing_days(n, total, design.missing, seed=rng)[:, -design.days :]] = np.nan
    return on_design(made.outcome, design, values)


def on_design(outcome: Outcome, design: Design, values: NDArray[np.float64]) -> Comparisons:
    """Read simulated values as the comparisons of n diaries of this design."""
    n, day = len(values), np.arange(design.days)
    treated = day >= design.baseline

    def repeated(row: NDArray[Any]) -> NDArray[Any]:
        return np.broadcast_to(row, values.shape)

    start = np.datetime64("2026-01-05")
    return Comparisons(
        person=("",) * n,
        outcomes=(outcome,) * n,
        primary=np.ones(n, bool),
        values=values,
        phase=repeated(treated.astype(np.int64)),
        treated=repeated(treated),
        window=repeated(day >= design.days - design.window),
        tau=repeated(day - design.baseline),
        start=np.full(n, start),
        looked_on=np.full(n, start + design.days),
        window_days=np.full(n, design.window),
    )


def changes(comparisons: Comparisons) -> Distribution:
    """What is known of every change: the package's own answer, without the levels and noise that no plan needs."""
    if comparisons.outcomes[0].kind == "yes_no":
        return DAYS_PER_28.solve(comparisons).distribution
    question = window_question(comparisons)
    few = too_few(counted(comparisons.baseline, comparisons), counted(comparisons.window, comparisons), "in the window")
    only_change = replace(question, contrasts=question.contrasts[:, CHANGE : CHANGE + 1])
    return solve(comparisons, only_change, few).distribution(lambda each: each.mixture(0))


def asked(
    batches: Sequence[Comparisons], question: Callable[[Distribution], NDArray[Any]], tick: Callable[[int], None]
) -> list[NDArray[Any]]:
    """Ask every batch of diaries the same; small batches share a call, which is quicker."""
    out: list[NDArray[Any]] = []
    waiting: list[Comparisons] = []
    for number, batch in enumerate(batches, 1):
        waiting.append(batch)
        if sum(map(len, waiting)) >= TOGETHER or number == len(batches):
            answers = question(changes(stack(waiting)))
            out += np.split(answers, np.cumsum([len(each) for each in waiting])[:-1])
            tick(len(answers))
            waiting = []
    return out


def _verdicts(made: Setting, found: Distribution) -> NDArray[Any]:
    """Give the verdict on every diary; where nothing could be estimated it is "cannot say"."""
    size = len(found.centre)
    kinds = readings(chances(found, 0.0, np.full(size, made.important), np.full(size, made.outcome.sign)))
    return np.where(kinds == "", "cannot_say", kinds)


def _shares(kinds: NDArray[Any]) -> dict[str, float]:
    """How often is each verdict given, how often a clear one, and how sure is that?"""
    shares = {kind: float((kinds == kind).mean()) for kind in KINDS}
    called = sum(shares[kind] for kind in GAINS)
    error = monte_carlo_error(called, len(kinds))
    return shares | {"called_improved": called, "clear": 1 - shares["cannot_say"], "error": error}


def monte_carlo_error(share: float, n: int) -> float:
    """Standard error of a share that was counted in n simulated diaries; never 0 (Agresti & Coull 1998)."""
    near = (share * n + 2) / (n + 4)
    return math.sqrt(near * (1 - near) / (n + 4))


def smallest_detectable(
    settings: Sequence[Setting], n: int, seed: int, tick: Callable[[int], None] = lambda _: None
) -> list[tuple[float, float]]:
    """What is the smallest true gain that 8 in 10 diaries would call improved, and how wide is half an interval?

    With a flat prior the posterior moves with the data, so diaries simulated at one gain say how much more, or less,
    8 in 10 of them would have needed. Not exactly: a change that builds up slowly is taken for slow noise in part and
    widens the interval the larger it is, and the scale has steps and ends. So a quarter of the diaries says where to
    look, and the answer is asked again there until it stays.

    Parameters
    ----------
    settings
        Designs that share outcome and important change.
    n, seed
        How many diaries, and where they come from.
    tick
        Called with the number of diaries that were read.

    Returns
    -------
    list of tuple of float
        For each design the gain (NaN where the scale leaves no room for it) and half the median interval.
    """
    near = [each.important for each in settings]
    widths = [math.nan] * len(settings)
    open_ = list(range(len(settings)))
    for size in (max(n // PILOT, 1), *(n,) * MOST_TRIES):
        starts = {i: min(max(near[i], 0.0), settings[i].room(settings[i].outcome.sign)) for i in open_}
        batches = [diaries(settings[i], starts[i], size, seed) for i in open_]
        answers = asked(batches, partial(_surplus, settings[0]), tick)
        for i, answer in zip(list(open_), answers, strict=True):
            missing = float(-np.quantile(answer[:, 0], 1 - POWER, method="lower"))
            near[i] = starts[i] + missing / (1 - WIDENING)
            widths[i] = float(np.nanmedian(answer[:, 1])) / 2
            if size == n and abs(missing) <= NEAR_ENOUGH * widths[i]:
                open_.remove(i)
        if not open_:
            break
    room = [each.room(each.outcome.sign) for each in settings]
    return [(gain if gain <= most else math.nan, width) for gain, most, width in zip(near, room, widths, strict=True)]


def _surplus(made: Setting, found: Distribution) -> NDArray[np.float64]:
    """By how much smaller could the gain of each diary have been and still be called improved; width of its interval."""
    sign = made.outcome.sign
    tails = np.array([1 - SURE, 1 - LIKELY, 0.025, 0.975])
    ends = found.quantile(tails if sign > 0 else 1 - tails)
    surplus = np.fmax(sign * ends[:, 0], sign * ends[:, 1] - made.important)
    # A diary that could not be estimated is never called improved.
    surplus = np.where(np.isnan(surplus), -math.inf, surplus)
    return np.stack([surplus, np.abs(ends[:, 3] - ends[:, 2])], axis=1)


def finite(value: float | None) -> float | None:
    """Give a number as JSON can hold it."""
    return None if value is None or not math.isfinite(value) else float(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as JSON can hold them."""
    return [
        {str(name): value if isinstance(value, str) else finite(value) for name, value in record.items()}
        for record in frame.to_dict("records")
    ]
