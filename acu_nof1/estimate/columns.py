"""Design columns on the calendar, and one call of the kernel for series that need different columns."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from acu_nof1.distribution import Distribution, TMixture, scattered
from acu_nof1.estimate.base import MINIMUM_DAYS, Levels, Noise
from acu_nof1.estimate.kernel import fit
from acu_nof1.estimate.nodes import ROBUST, ROBUST_COUNTS
from acu_nof1.estimate.nodes import Noise as NoiseModel
from acu_nof1.estimate.nuisance import noise_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from acu_nof1.estimate.kernel import Fit
    from acu_nof1.estimate.nodes import NoiseChoice
    from acu_nof1.estimate.nuisance import NoiseNodes
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

BEFORE, AFTER, CHANGE = 0, 1, 2
PHI_HIGH = 0.9


@dataclass(frozen=True, eq=False)
class Question:
    """Columns and contrasts of one question for S series.

    Attributes
    ----------
    columns
        (S, D, P) design columns; a series uses the first ``width`` of them.
    width
        (S,) how many columns each series uses.
    contrasts
        (S, K, P) weights of the coefficients.
    """

    columns: NDArray[np.float64]
    width: NDArray[np.int64]
    contrasts: NDArray[np.float64]

    def beside(self, columns: NDArray[np.float64] | None) -> Question:
        """Ask the same with more columns (S, D, Q) in the design, whose coefficients no contrast asks for."""
        if columns is None:
            return self
        # In front: what a series does not use must stay at the end.
        extra = columns.shape[2]
        return Question(
            np.concatenate([columns, self.columns], axis=2),
            self.width + extra,
            np.pad(self.contrasts, ((0, 0), (0, 0), (extra, 0))),
        )


@dataclass(frozen=True, eq=False)
class Fits:
    """Fits of S series: groups of rows that share a design, and why the others have none."""

    groups: tuple[tuple[NDArray[np.int64], Fit], ...]
    reason: tuple[str, ...]

    def distribution(self, of: Callable[[Fit], Distribution]) -> Distribution:
        """Collect one distribution from every group; rows without a fit are NaN."""
        size = len(self.reason)
        if not self.groups:
            return nowhere(size)
        refused = np.array([bool(reason) for reason in self.reason])
        return cast("Distribution", _joined([(rows, of(each)) for rows, each in self.groups], refused))

    def refuse(self, reasons: Sequence[str]) -> Fits:
        """Return the fits without the series for which a reason is given."""
        if not any(reasons):
            return self
        return replace(self, reason=tuple(old or new for old, new in zip(self.reason, reasons, strict=True)))

    def numbers(self, of: Callable[[Fit], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Collect one number a series from every group; rows without a fit are NaN."""
        out = np.full(len(self.reason), np.nan)
        for rows, each in self.groups:
            out[rows] = of(each)
        out[[bool(reason) for reason in self.reason]] = np.nan
        return out

    def centre(self, contrast: int) -> NDArray[np.float64]:
        """Posterior mean of a contrast."""
        return self.numbers(lambda each: each.mixture(contrast).centre)

    def levels(self, contrast: int) -> Levels:
        """Posterior mean and 95 % interval of a contrast that is a level."""
        return self.intervals(contrast, 0.95)[0]

    def intervals(self, contrast: int, *confidences: float) -> list[Levels]:
        """Posterior mean of a contrast that is a level, with an interval for each confidence."""
        mixture = self.distribution(lambda each: each.mixture(contrast))
        tails = (1 - np.array(confidences)) / 2
        low, high = np.split(mixture.quantile(np.concatenate([tails, 1 - tails])), 2, axis=1)
        return [Levels(mixture.centre, *ends) for ends in zip(low.T, high.T, strict=True)]

    def noise(self, before: int | None = BEFORE, after: int | None = AFTER) -> Noise:
        """Autocorrelation, white-noise share, and effective days of the contrasts that are levels."""

        def effective(contrast: int | None) -> NDArray[np.float64]:
            if contrast is None:
                return np.full(len(self.reason), np.nan)
            return self.numbers(lambda each: each.effective_days(contrast))

        neighbours = {id(each): each.neighbour_correlation((0.025, 0.975)) for _, each in self.groups}
        return Noise(
            lag1=self.numbers(lambda each: neighbours[id(each)][0]),
            lag1_low=self.numbers(lambda each: neighbours[id(each)][1][:, 0]),
            lag1_high=self.numbers(lambda each: neighbours[id(each)][1][:, 1]),
            phi=self.numbers(lambda each: each.phi_posterior.centre),
            phi_low=self.numbers(lambda each: each.phi_posterior.quantile(0.025)),
            phi_high=self.numbers(lambda each: each.phi_posterior.quantile(0.975)),
            p_phi_high=self.numbers(lambda each: each.probability_phi_above(PHI_HIGH)),
            white_share=self.numbers(lambda each: each.share_posterior.centre),
            effective_before=effective(before),
            effective_after=effective(after),
        )


def nowhere(size: int) -> TMixture:
    """Return distributions of which nothing is known: not estimable."""
    empty = np.full((size, 1), np.nan)
    return TMixture(empty, empty, empty, np.full(size, np.nan))


def _joined(parts: Sequence[tuple[NDArray[np.int64], Any]], refused: NDArray[np.bool_]) -> Any:
    """Put distributions of one type back into the order of the series; those of refused series are NaN."""
    out = {}
    for each in fields(parts[0][1]):
        values = [(rows, getattr(part, each.name)) for rows, part in parts]
        if each.name == "df":
            values = [(rows, value[:, None]) for rows, value in values]
        out[each.name] = scattered(values, len(refused), "zero" if each.name == "weight" else "last")
    df = np.where(refused, np.nan, out.pop("df")[:, 0])
    if refused.any():
        out["weight"] = np.where(refused[:, None], np.nan, out["weight"])
    return type(parts[0][1])(df=df, **out)


def counted(days: NDArray[np.bool_], comparisons: Comparisons) -> NDArray[np.int64]:
    """How many of these days were answered, for each series?"""
    return np.asarray((days & comparisons.answered).sum(axis=1))


def too_few(before: NDArray[np.int64], after: NDArray[np.int64], place: str, minimum: int = MINIMUM_DAYS) -> list[str]:
    """Why can a series not be compared? ``""`` where it can."""

    def why(first: int, second: int) -> str:
        if not first:
            return "no answered baseline day, so there is nothing to compare with"
        if first < minimum:
            return f"only {first} baseline {'day' if first == 1 else 'days'} answered; at least {minimum} are needed"
        return f"only {second} {'day' if second == 1 else 'days'} answered {place}; at least {minimum} are needed"

    reasons = [""] * len(before)
    for row in np.flatnonzero((before < minimum) | (after < minimum)):
        reasons[row] = why(int(before[row]), int(after[row]))
    return reasons


def noise_of(
    comparisons: Comparisons, question: Question, fits: Fits
) -> Iterator[tuple[NDArray[np.int64], NoiseNodes]]:
    """What may the noise be around this model? For each group of the fits: its rows, and the nodes of the noise."""
    values = np.where(comparisons.answered, comparisons.values, np.nan)
    for rows, each in fits.groups:
        width = each.coefficients.shape[1]
        model = noise_for(comparisons.outcomes[rows[0]], None)
        yield rows, noise_nodes(values[rows], question.columns[rows, :, :width], comparisons.treated[rows], model)


def indicator(days: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a design column that is 1 on these days."""
    return days.astype(float)


def noise_for(outcome: Outcome, noise: NoiseChoice) -> NoiseModel:
    """Which noise do the days of this outcome have: the given one, or the robust default of its kind?"""
    usual = ROBUST_COUNTS if outcome.is_amount else ROBUST
    if noise is None or isinstance(noise, NoiseModel):
        return noise or usual
    return noise.get(outcome.name, usual)


def methods_of(comparisons: Comparisons, noise: NoiseChoice) -> list[str]:
    """Name the method and its noise in a few words, for each series."""
    return list(comparisons.each(lambda outcome: f"integrated autocorrelation, {noise_for(outcome, noise).name}"))


def solve(comparisons: Comparisons, question: Question, reasons: Sequence[str], noise: NoiseChoice = None) -> Fits:
    """Run the kernel once for each design and noise model that occurs.

    Parameters
    ----------
    comparisons
        S series.
    question
        Columns and contrasts.
    reasons
        Why a series is left out; ``""`` for those to be fitted.
    noise
        What the day-to-day noise may look like, for all series or by the name of the outcome; the robust default of
        each series if left out.

    Returns
    -------
    Fits
        With the kernel's own reasons added.
    """
    values = np.where(comparisons.answered, comparisons.values, np.nan)
    reason = list(reasons)
    models = list(comparisons.each(lambda outcome: noise_for(outcome, noise)))
    kinds = {model: kind for kind, model in enumerate(dict.fromkeys(models))}
    of_kind = np.array([kinds[model] for model in models], dtype=int)
    open_rows = np.array([not why for why in reason])
    groups = []
    for width in np.unique(question.width[open_rows]):
        for model, kind in kinds.items():
            rows = np.flatnonzero(open_rows & (question.width == width) & (of_kind == kind))
            if not rows.size:
                continue
            each = fit(
                values[rows],
                question.columns[rows, :, :width],
                comparisons.treated[rows],
                question.contrasts[rows, :, :width],
                model,
            )
            groups.append((rows, each))
            for place in np.flatnonzero(np.isnan(each.df)):
                reason[rows[place]] = each.reason[place]
    return Fits(tuple(groups), tuple(reason))
