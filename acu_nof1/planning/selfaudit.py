"""What the interval of this very diary is worth: its error rates on the diary's own calendar, gaps and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from acu_nof1 import words
from acu_nof1.checks import problems_of
from acu_nof1.distribution import DAYS_PER_MONTH
from acu_nof1.errors import Problem, ProtocolError, UsageError
from acu_nof1.estimate import ESTIMATORS, estimate_all
from acu_nof1.planning.noise import own_noise
from acu_nof1.planning.proposal import KINDS, LOSSES, finite, monte_carlo_error, records
from acu_nof1.planning.scale import Scale, written_days
from acu_nof1.planning.setting import COURSE, FEWEST_RUNS, MOST_RUNS, near_zero, offered
from acu_nof1.simulate import SHAPES, markov_days, noise
from acu_nof1.verdict import GAINS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from acu_nof1.estimate import Estimate, Estimator
    from acu_nof1.outcomes import Outcome
    from acu_nof1.planning.noise import Noise
    from acu_nof1.protocol import Look
    from acu_nof1.trial import Comparisons, Trial

SCHEMA = "acu-nof1/audit/1"
GAIN_STEPS = (-1.0, 0.0, 0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Audit:
    """How often the interval of this diary is wrong, on diaries like it of which the truth is known.

    Attributes
    ----------
    person, outcome, question, day
        Whose diary, which outcome and answer, at which look.
    reason
        Why an audit is not offered; ``""`` where it is.
    looks
        Planned looks up to this one, itself included.
    any_look
        Share of unchanged diaries that would have looked changed at one of them at least; NaN with one look.
    confidence
        What the interval promises.
    n, seed
        Diaries simulated for each true change, and where they came from.
    """

    person: str
    outcome: Outcome | None
    question: str
    day: dt.date
    reason: str
    looks: int
    any_look: float
    confidence: float
    n: int
    seed: int
    _table: pd.DataFrame

    @property
    def offered(self) -> bool:
        """Whether there are numbers."""
        return not self.reason

    @property
    def is_ratio(self) -> bool:
        """Whether changes are shares of the level before."""
        return any(each.question == self.question and each.scale == "ratio" for each in ESTIMATORS)

    @property
    def false_alarm(self) -> float:
        """Share of unchanged diaries whose interval excludes no change; NaN where nothing is offered."""
        return self._at(0.0, "looks_changed")

    def _at(self, gain: float, column: str) -> float:
        found = self._table.loc[self._table["gain"] == gain, column]
        return float(found.iloc[0]) if len(found) else math.nan

    def to_frame(self) -> pd.DataFrame:
        """Return error rates and shares of each verdict, one row a true change (a copy)."""
        return self._table.copy()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, the false alarms first."""
        if self.outcome is None or not self.offered:
            return (words.audit_not_offered(self.reason),)
        table, promised = self._table, 1 - self.confidence
        rate, error = self.false_alarm, self._at(0.0, "looks_changed_error")
        most = float(table["gain"].max())
        said = [
            words.audit_alarm(rate, error, promised),
            words.audit_looks(self.looks, self.any_look, promised),
            words.audit_coverage(
                self.confidence,
                [
                    (self.change_in_words(gain), share)
                    for gain, share in zip(table["gain"], table["covered"], strict=True)
                ],
            ),
            words.audit_verdicts(
                self.change_in_words(most) if most > 0 else "",
                self._called(most, *GAINS),
                self._called(0.0, *GAINS),
                self._called(0.0, *LOSSES),
            ),
            words.audit_made(self.n, self.seed),
        ]
        return tuple(sentence for sentence in said if sentence)

    def change_in_words(self, gain: float) -> str:
        """Name a true change: no change, a gain of 2 points."""
        assert self.outcome is not None
        return words.true_change(gain, self.outcome, ratio=self.is_ratio)

    def _called(self, gain: float, *kinds: str) -> float:
        return sum(self._at(gain, kind) for kind in kinds)

    def to_dict(self) -> dict[str, Any]:
        """Return everything a machine needs, in the shape of ``acu-nof1/audit/1``; numbers that do not exist are null."""
        return {
            "schema": SCHEMA,
            "person": self.person,
            "outcome": self.outcome.name if self.outcome else None,
            "question": self.question or None,
            "reassessed_on": self.day.isoformat(),
            "reason": self.reason or None,
            "confidence": self.confidence,
            "looks": self.looks,
            "any_look": finite(self.any_look),
            "n": self.n,
            "seed": self.seed,
            "table": records(self._table),
            "sentences": list(self.sentences),
        }

    def __repr__(self) -> str:
        return f"Audit({self.sentences[0]})"


def audit(
    trial: Trial,
    *,
    look: Look | None = None,
    n: int = 200,
    seed: int = 1,
    confidence: float = 0.95,
    progress: Callable[[float], None] | None = None,
) -> Audit:
    """How often would the interval of this diary be wrong, if the truth were known?

    Diaries are simulated on this diary's own days, with its own gaps, steps and scale, around its own baseline
    level. Their noise is drawn from the posterior of the diary's own fit, a new one for each. No change, half and
    the whole of the important change, and a loss as large are put in, building up over three weeks (at once in
    designs with several phases); the estimator that decides for the primary outcome reads them.

    Parameters
    ----------
    trial
        The diary read against its protocol.
    look
        Which reassessment; the deciding one if left out.
    n
        Diaries for each true change.
    seed
        Of the simulation.
    confidence
        Of the interval.
    progress
        Called with the share of the work that is done.

    Returns
    -------
    Audit
        Where no honest simulation is possible it says why, and has no numbers.

    Raises
    ------
    ProtocolError, UsageError
        If the data have errors that make every answer wrong, or `n` cannot be used.
    """
    met = problems_of(trial)
    if met and met[0].severity == "error":
        raise ProtocolError(problem for problem in met if problem.severity != "note")
    if not FEWEST_RUNS <= n <= MOST_RUNS:
        place, what = f"n {n}", f"it must be {FEWEST_RUNS} to {MOST_RUNS:,} diaries."
        raise UsageError([Problem("error", place, what, "200 is usual.")])
    look = look or trial.default_look()
    day = trial.look_day(look)
    series = _primary(trial, look)
    answer = estimate_all(series, confidence=confidence).primary if len(series) else None
    bench = _bench(series, answer, n, seed)

    def made(
        reason: str, looks: int = 1, any_look: float = math.nan, rows: list[dict[str, float]] | None = None
    ) -> Audit:
        outcome = answer.outcome if answer else None
        question = answer.question if answer else ""
        table = pd.DataFrame(rows or [], columns=None if rows else ["gain", "looks_changed"])
        person = trial.protocol.code
        return Audit(person, outcome, question, day, reason, looks, any_look, confidence, n, seed, table)

    if isinstance(bench, str):
        return made(bench)
    earlier = list(_earlier(trial, day))
    gains, done = list(bench.gains()), 0
    rows, null = [], np.zeros(n, dtype=bool)
    for gain in gains:
        row, changed = bench.row(gain, confidence)
        rows.append(row)
        null = changed if not gain else null
        done += 1
        if progress is not None:
            progress(done / (len(gains) + len(earlier)))
    for each in earlier:
        null = null | bench.looks_changed(bench.at(each, 0.0), confidence)
        done += 1
        if progress is not None:
            progress(done / (len(gains) + len(earlier)))
    return made("", len(earlier) + 1, float(null.mean()) if earlier else math.nan, rows)


def _primary(trial: Trial, look: Look) -> Comparisons:
    comparisons = trial.at(look).comparisons(look)
    return comparisons.take(comparisons.primary)


def _earlier(trial: Trial, day: dt.date) -> Iterator[Comparisons]:
    """Yield the primary series as it stood at every planned look before this day."""
    first, attended = trial.protocol.first_treatment, len(trial.protocol.attended)
    for look in trial.protocol.looks:
        if look.on is None and (look.after_session or 0) > attended:
            continue
        if first is not None and first.start < trial.look_day(look) < day:
            yield _primary(trial, look)


@dataclass(frozen=True, eq=False)
class _Bench:
    """Diaries like one diary: its days, its deciding estimator and draws of its noise."""

    series: Comparisons
    estimator: Estimator
    answer: Estimate
    noise: Noise
    seed: int

    @property
    def size(self) -> int:
        return len(self.noise.phi)

    @property
    def outcome(self) -> Outcome:
        return self.answer.outcome

    def gains(self) -> Iterator[float]:
        """Yield true gains that the scale has room for: of the important change, or else of what could be seen."""
        important = self.answer.important_change
        unit = important if math.isfinite(important) else self.answer.detectable
        for step in GAIN_STEPS:
            if not step or (math.isfinite(unit) and self.allows(step * unit)):
                yield step * unit if step else 0.0

    def allows(self, gain: float) -> bool:
        """Whether the scale has room for it."""
        level = self.noise.level + self.moved(gain) * float(self.reached().max())
        if self.outcome.kind == "yes_no":
            return 0.0 < level < DAYS_PER_MONTH
        return bool(Scale.of(self.outcome).allows(level))

    def moved(self, gain: float) -> float:
        """By how much the level moves, in the unit of the levels."""
        signed = self.outcome.sign * gain
        return signed * self.noise.level if self.answer.scale == "ratio" else signed

    def reached(self) -> NDArray[np.float64]:
        """How far along the change is on each day: 1 on average over the days that are compared."""
        series = self.series
        treated, used = series.treated[0], series.phase[0] >= 0
        if int(series.phases[0]) > 2:
            return np.asarray(treated, dtype=float)
        shape = SHAPES[COURSE](np.maximum(series.tau[0], 0).astype(float), int(treated.sum()))
        return np.where(treated, shape / shape[series.window[0] & used].mean(), 0.0)

    def values(self, gain: float) -> NDArray[np.float64]:
        """Write n diaries with this true gain, every day answered; the same seed gives the same noise."""
        rng = np.random.default_rng(self.seed)
        draws, days = self.noise, self.series.values.shape[1]
        average = draws.level + self.moved(gain) * self.reached()
        if self.outcome.kind == "yes_no":
            chance = np.clip(average / DAYS_PER_MONTH, 0, 1)
            return markov_days(self.size, days, chance, draws.phi, rng).astype(float)
        unit = noise(self.size, days, phi=draws.phi, share=draws.share, seed=rng)
        sd = np.where(self.series.treated[0], draws.after[:, None], draws.before[:, None])
        answers = self.series.values[0, self.series.answered[0]]
        return written_days(unit, average[None], sd, Scale.of(self.outcome, answers))

    def at(self, series: Comparisons, gain: float) -> Comparisons:
        """Put simulated answers on the days that were answered, as the diary stood at a look."""
        copies = series.take(np.zeros(self.size, dtype=int))
        days = series.values.shape[1]
        return replace(copies, values=np.where(series.answered[0], self.values(gain)[:, :days], np.nan))

    def looks_changed(self, comparisons: Comparisons, confidence: float) -> NDArray[np.bool_]:
        """Whether the interval excludes no change; one that does not exist excludes nothing."""
        found = self.estimator(comparisons, confidence).to_frame()
        return self._excludes(found)

    def _excludes(self, found: pd.DataFrame) -> NDArray[np.bool_]:
        none = self.estimator.no_change
        return np.asarray((found["low"] > none) | (found["high"] < none), dtype=bool)

    def row(self, gain: float, confidence: float) -> tuple[dict[str, float], NDArray[np.bool_]]:
        """Read diaries with this true gain: error rates, shares of the verdicts, and which looked changed."""
        found = self.estimator(self.at(self.series, gain), confidence).to_frame()
        truth = self.estimator.no_change + self.outcome.sign * gain
        ok = found["status"] == "ok"
        changed = self._excludes(found)
        covered = float(((found["low"] <= truth) & (truth <= found["high"]))[ok].mean()) if ok.any() else math.nan
        kinds = found["reading"].where(ok, "cannot_say")
        row: dict[str, float] = {
            "gain": gain,
            "change": truth,
            "estimable": float(ok.mean()),
            "looks_changed": float(changed.mean()),
            "looks_changed_error": monte_carlo_error(float(changed.mean()), self.size),
            "covered": covered,
            "covered_error": monte_carlo_error(covered, int(ok.sum())),
            "width": float((found["high"] - found["low"])[ok].median()),
            **{kind: float((kinds == kind).mean()) for kind in KINDS},
        }
        return row, changed


def _bench(series: Comparisons, answer: Estimate | None, n: int, seed: int) -> _Bench | str:
    """Make ready, or say why no honest simulation is possible."""
    if answer is None:
        return "the primary outcome has no answer"
    why = offered(answer.outcome)
    if why or not answer.ok:
        return why or answer.reason
    drawn = own_noise(series, n, np.random.default_rng([seed, 1]))
    if isinstance(drawn, str):
        return drawn
    estimator = next(each for each in ESTIMATORS if each.question == answer.question)
    bench = _Bench(series, estimator, answer, drawn, seed)
    if not bench.allows(0.0):
        return "every baseline day lies at one end of the scale"
    lowest = min(drawn.level + bench.moved(gain) for gain in bench.gains())
    spread = float(np.sqrt(np.mean(np.maximum(drawn.before, drawn.after) ** 2)))
    return near_zero(answer.outcome, lowest, spread) or bench
