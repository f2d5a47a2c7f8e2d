"""What an estimator is, and everything that follows from the distribution it gives."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr

from acu_nof1.distribution import Deferred
from acu_nof1.interpret import chances, readings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from acu_nof1.distribution import Distribution
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.outcomes import Better, Outcome
    from acu_nof1.trial import Comparisons

Scale = Literal["difference", "ratio", "percent", "overlap", "dominance"]
NO_CHANGE: Mapping[Scale, float] = {"difference": 0.0, "ratio": 1.0, "percent": 0.0, "overlap": 0.5, "dominance": 0.0}
# Answers on these scales are already turned so that more is better.
TURNED: tuple[Scale, ...] = ("overlap", "dominance")
MINIMUM_DAYS = 5
SERIES_AT_ONCE = 512
"""Series whose distributions are held in memory at once; the last part of a cohort may be up to twice as long."""
DISTRIBUTIONS_KEPT = 512
"""Up to so many series an answer keeps its distributions."""
BANDS = tuple(f"band_{number}" for number in range(1, 8))


@dataclass(frozen=True, eq=False)
class Levels:
    """A level on one side of the comparison, with its interval, for S series."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def unknown(cls, size: int) -> Levels:
        """Levels that were not estimated."""
        return cls(*(np.full(size, np.nan) for _ in range(3)))


@dataclass(frozen=True, eq=False)
class Noise:
    """What the fit says of the day-to-day noise, for S series (NaN where it says nothing)."""

    lag1: NDArray[np.float64]
    lag1_low: NDArray[np.float64]
    lag1_high: NDArray[np.float64]
    phi: NDArray[np.float64]
    phi_low: NDArray[np.float64]
    phi_high: NDArray[np.float64]
    p_phi_high: NDArray[np.float64]
    white_share: NDArray[np.float64]
    effective_before: NDArray[np.float64]
    effective_after: NDArray[np.float64]

    @classmethod
    def unknown(cls, size: int) -> Noise:
        """Noise of which nothing was learned."""
        return cls(*(np.full(size, np.nan) for _ in fields(cls)))


@dataclass(frozen=True, eq=False)
class Answer:
    """What an estimator gives back for S series.

    Attributes
    ----------
    distribution
        Of the change; rows that could not be estimated are NaN.
    before, after
        Levels on both sides, from the same fit.
    days
        (S, 2) answered days behind `before` and `after`.
    reason
        Why a series is not estimable; ``""`` where it is.
    method
        How each was estimated, in a few words.
    unit
        Unit of the change.
    important
        (S,) the important change in that unit; NaN for none.
    floor, ceiling
        (S,) what the scale allows the change to be; infinite where it has no end.
    """

    distribution: Distribution
    before: Levels
    after: Levels
    days: NDArray[np.int64]
    reason: tuple[str, ...]
    method: tuple[str, ...]
    unit: tuple[str, ...]
    important: NDArray[np.float64]
    floor: NDArray[np.float64]
    ceiling: NDArray[np.float64]
    noise: Noise


@dataclass(frozen=True)
class Estimator:
    """One question to a diary: ``Comparisons → Answer``.

    Attributes
    ----------
    question
        Its name in every table.
    title
        The question in words.
    scale
        Whether the answer is a difference (no change is 0), a ratio (1), a change in percent of the level before (0), the
        share of better pairs of days (``overlap``, 0.5) or better less worse pairs (``dominance``, 0); the last two are
        already turned so that more is better.
    applies
        Which outcomes it is for, given the outcome and the number of phases.
    solve
        The estimator itself.
    takes_noise
        Whether it runs on the kernel, and so can be told what the day-to-day noise looks like.
    """

    question: str
    title: str
    scale: Scale
    applies: Callable[[Outcome, int], bool]
    solve: Callable[..., Answer]
    takes_noise: bool = False

    def with_noise(self, noise: NoiseChoice) -> Estimator:
        """Return the same question with another day-to-day noise, where it has one to choose."""
        return replace(self, solve=partial(self.solve, noise=noise)) if self.takes_noise else self

    @property
    def no_change(self) -> float:
        """The value that means no change."""
        return NO_CHANGE[self.scale]

    def _applies(self, phases: int, outcome: Outcome) -> bool:
        return self.applies(outcome, phases)

    def __call__(self, comparisons: Comparisons, confidence: float = 0.95) -> Estimates:
        """Answer the question for every series it is for."""
        phases = comparisons.phases
        applies = np.zeros(len(comparisons), dtype=bool)
        for count in np.unique(phases).tolist():
            applies |= (phases == count) & np.array(comparisons.each(partial(self._applies, count)))
        rows = np.flatnonzero(applies)
        if not rows.size:
            return Estimates(pd.DataFrame(columns=list(COLUMNS)), ())
        return _estimates(self, comparisons, rows, confidence)


@dataclass(frozen=True)
class Estimate:
    """One answer: the number, how to read it, and what stands behind it.

    ``before``, ``after`` and ``value`` come from one fit, so before + change = after. Numbers that do
    not exist are NaN; ``status`` and ``reason`` say why. ``se`` is half of the central 68.3 % interval of a difference,
    for those who pool: the tails of short diaries are heavy, so the 95 % interval is wider than 1.96 of it.
    """

    person: str
    outcome: Outcome
    primary: bool
    headline: bool
    question: str
    title: str
    scale: Scale
    status: Literal["ok", "not_estimable"]
    reason: str
    before: float
    before_low: float
    before_high: float
    after: float
    after_low: float
    after_high: float
    value: float
    low: float
    high: float
    se: float
    confidence: float
    limited: bool
    unit: str
    better: Better
    important_change: float
    p_gain: float
    p_loss: float
    p_important_gain: float
    p_important_loss: float
    bands: tuple[float, ...]
    reading: str
    days_before: int
    days_after: int
    detectable: float
    lag1: float
    lag1_low: float
    lag1_high: float
    phi: float
    phi_low: float
    phi_high: float
    p_phi_high: float
    white_share: float
    effective_before: float
    effective_after: float
    method: str
    distribution: Distribution = field(repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether there is an interval."""
        return self.status == "ok"

    @property
    def days(self) -> tuple[int, int]:
        """Answered days before and after."""
        return self.days_before, self.days_after

    @property
    def no_change(self) -> float:
        """The value that means no change."""
        return NO_CHANGE[self.scale]


ONE_SE = float(ndtr(-1.0))
COLUMNS = (
    "person", "outcome", "label", "primary", "headline", "question", "scale", "status", "reason",
    "before", "before_low", "before_high", "after", "after_low", "after_high",
    "value", "low", "high", "se", "confidence", "limited", "unit", "better", "important_change",
    "p_gain", "p_loss", "p_important_gain", "p_important_loss", *BANDS, "reading",
    "days_before", "days_after", "detectable", "lag1", "lag1_low", "lag1_high", "phi", "phi_low", "phi_high", "p_phi_high", "white_share",
    "effective_before", "effective_after", "method",
)  # fmt: skip


FROM_TABLE = tuple(name for name in COLUMNS if name not in ("outcome", "label", *BANDS))


@dataclass(frozen=True, eq=False)
class Estimates:
    """Answers to one or several questions, by column; iterating gives single `Estimate` rows.

    `_rows` holds for every line its outcome, title and one-row distribution.
    """

    _table: pd.DataFrame
    _behind: tuple[tuple[Outcome, str, Distribution, int], ...]

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[Estimate]:
        for record, (outcome, title, distribution, row) in zip(
            self._table.to_dict("records"), self._behind, strict=True
        ):
            given = {name: record[name] for name in FROM_TABLE}
            bands = tuple(float(record[band]) for band in BANDS)
            yield Estimate(outcome=outcome, title=title, bands=bands, distribution=distribution.row(row), **given)

    def take(self, rows: NDArray[np.bool_]) -> Estimates:
        """Return the chosen answers, by mask."""
        behind = tuple(each for each, chosen in zip(self._behind, rows, strict=True) if chosen)
        return Estimates(self._table[rows].reset_index(drop=True), behind)

    def to_frame(self) -> pd.DataFrame:
        """Return one tidy row an answer, with fixed columns (a copy)."""
        return self._table[list(COLUMNS)].copy()

    @property
    def headlines(self) -> tuple[Estimate, ...]:
        """The one answer of each outcome that the verdict and the main table use."""
        return tuple(estimate for estimate in self if estimate.headline)

    @property
    def primary(self) -> Estimate | None:
        """The headline answer of the primary outcome."""
        return next((estimate for estimate in self.headlines if estimate.primary), None)

    def __repr__(self) -> str:
        return f"Estimates({len(self)} answers, {int((self._table['status'] == 'ok').sum())} estimable)"


def _estimates(
    estimator: Estimator, comparisons: Comparisons, series: NDArray[np.int64], confidence: float
) -> Estimates:
    """Solve the series in parts of bounded memory. The distributions of few are kept, those of many made again."""
    parts, distributions = [], []
    for some in np.array_split(series, max(1, len(series) // SERIES_AT_ONCE)):
        chosen = comparisons.take(some)
        answer = estimator.solve(chosen)
        parts.append({"series": some, **_columns(estimator, chosen, answer, confidence)})
        if len(series) <= DISTRIBUTIONS_KEPT:
            distributions.append(answer.distribution)
    table = pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    if not distributions:
        again = Deferred(lambda rows: estimator.solve(comparisons.take(rows)).distribution, series)
        distributions.append(again)
    outcomes = [comparisons.outcomes[row] for row in series]
    behind = tuple((outcome, estimator.title, distributions[0], row) for row, outcome in enumerate(outcomes))
    return Estimates(table, behind)


def _columns(
    estimator: Estimator, comparisons: Comparisons, answer: Answer, confidence: float
) -> dict[str, NDArray[Any]]:
    """Everything that follows from an answer, by the columns of the table."""
    size = len(comparisons)

    def same(value: object) -> NDArray[Any]:
        return np.full(size, value, dtype=object if isinstance(value, str) else None)

    def texts(values: Sequence[str]) -> NDArray[Any]:
        return np.array(values, dtype=object)

    turned = estimator.scale in TURNED
    sign = np.array(comparisons.each(lambda outcome: 1 if turned else outcome.sign))
    tail = (1 - confidence) / 2
    is_difference = estimator.scale == "difference"
    ends = answer.distribution.quantile(np.array([tail, 1 - tail, *([ONE_SE, 1 - ONE_SE] if is_difference else [])]))
    low, high = np.maximum(ends[:, 0], answer.floor), np.minimum(ends[:, 1], answer.ceiling)
    limited = (low > ends[:, 0]) | (high < ends[:, 1])
    value = answer.distribution.centre
    if estimator.scale == "difference":
        # Scores without a known measurement error have levels but no distribution; a slope has no levels.
        between = answer.after.value - answer.before.value
        value = np.where(np.isnan(between), value, between)
    found = chances(answer.distribution, estimator.no_change, answer.important, sign)
    return {
        "person": texts(comparisons.person),
        "outcome": texts(comparisons.each(lambda outcome: outcome.name)),
        "label": texts(comparisons.each(lambda outcome: outcome.label)),
        "primary": comparisons.primary,
        "headline": same(False),
        "question": same(estimator.question),
        "scale": same(estimator.scale),
        "status": texts(["not_estimable" if reason else "ok" for reason in answer.reason]),
        "reason": texts(answer.reason),
        "before": answer.before.value, "before_low": answer.before.low, "before_high": answer.before.high,
        "after": answer.after.value, "after_low": answer.after.low, "after_high": answer.after.high,
        "value": value, "low": low, "high": high,
        "se": (ends[:, 3] - ends[:, 2]) / 2 if is_difference else same(np.nan),
        "confidence": same(confidence), "limited": limited, "unit": texts(answer.unit),
        "better": texts(comparisons.each(lambda outcome: "higher" if turned else outcome.better)),
        "important_change": answer.important,
        "p_gain": found.gain, "p_loss": found.loss,
        "p_important_gain": found.important_gain, "p_important_loss": found.important_loss,
        **dict(zip(BANDS, found.bands.T, strict=True)),
        "reading": readings(found).astype(object),
        "days_before": answer.days[:, 0], "days_after": answer.days[:, 1],
        "detectable": (ends[:, 1] - ends[:, 0]) / 2 if is_difference else same(np.nan),
        **{each.name: getattr(answer.noise, each.name) for each in fields(Noise)},
        "method": texts(answer.method),
    }  # fmt: skip
