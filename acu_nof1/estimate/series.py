"""Series on a common scale, and why a series cannot be estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acu_nof1.estimate.packed import at, coefficients, factor, pairs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

SINGULAR = 1e-10
"""Pivot of unit-length columns below which the answered days cannot tell the columns apart."""
NO_NOISE = 1e-16
"""Share of the values' variation below which what is left around the model is rounding."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Series on a common scale: unit-length columns, and residuals of unit size in place of the values."""

    observed: Bools
    z: Floats
    treated: Bools
    contrasts: Floats
    side: Floats
    norms: Floats
    start: Floats
    unit: Floats
    answered: Ints
    baseline: Ints
    reason: tuple[str, ...]

    @property
    def estimable(self) -> Bools:
        """Which series can be estimated? Shape (S,)."""
        return np.array([not why for why in self.reason], dtype=bool)

    @property
    def df(self) -> Ints:
        """Degrees of freedom: answered days - p. Shape (S,)."""
        return np.asarray(self.answered - self.norms.shape[1])

    @property
    def level(self) -> Floats:
        """The contrasts of what was taken out of the values. Shape (S, K)."""
        return np.asarray(np.einsum("skp,sp->sk", self.contrasts, self.start))


def check_shapes(y: Floats, x: Floats, treated: Bools, contrasts: Floats) -> None:
    """Refuse arrays that do not belong together, infinities, and designs with holes on answered days."""
    if y.ndim != 2 or x.ndim != 3 or x.shape[:2] != y.shape or treated.shape != y.shape:
        raise ValueError(
            f"values must be (S, D), columns (S, D, p) and treated (S, D); they are {y.shape}, {x.shape} "
            f"and {treated.shape}"
        )
    if contrasts.ndim != 3 or contrasts.shape[0] != len(y) or contrasts.shape[2] != x.shape[2]:
        raise ValueError(f"contrasts must be ({len(y)}, K, {x.shape[2]}); they are {contrasts.shape}")
    if np.isinf(y).any():
        raise ValueError("values contain infinity; a day without an answer is NaN")
    if not np.isfinite(x).all() and not np.isfinite(x[np.isfinite(y)]).all():
        raise ValueError("columns must be finite on every answered day")


def standardise(y: Floats, x: Floats, treated: Bools, contrasts: Floats) -> Batch:
    """Take the least-squares fit out of the values and the size out of values and columns.

    The posterior moves with both exactly, because beta is flat. Left in, an offset of 1e6 would cost ten digits.
    """
    observed = np.isfinite(y)
    x = np.where(observed[..., None], x, 0.0)
    y = np.where(observed, y, 0.0)
    answered, p = observed.sum(axis=1), x.shape[2]
    baseline = (observed & ~treated).sum(axis=1)
    norms = np.sqrt(np.einsum("sdp,sdp->sp", x, x))
    empty = norms == 0
    norms[empty] = 1.0
    z = np.concatenate([x / norms[:, None, :], y[..., None]], axis=2)
    unit_x, residual = z[..., :p], z[..., p]
    start, pivot = np.zeros((len(y), p)), np.ones(len(y))
    for _ in range(2):  # the second pass removes what rounding left of a large offset
        step, pivot = _least_squares(z)
        start = start + step
        residual[:] = np.where(observed, y - (unit_x @ start[..., None])[..., 0], 0.0)
    rss = np.sum(residual**2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = y.sum(axis=1) / answered
        variation = np.sum(np.where(observed, y - centre[:, None], 0.0) ** 2, axis=1)
        unit = np.sqrt(rss / answered)
    constant = np.max(np.where(observed, y, -np.inf), axis=1) <= np.min(np.where(observed, y, np.inf), axis=1)
    facts = (
        answered,
        baseline,
        np.full(len(y), p),
        empty.any(axis=1),
        constant,
        pivot < SINGULAR,
        rss <= NO_NOISE * variation,
    )
    doubtful = (answered < p + 1) | facts[3] | constant | facts[5] | facts[6]
    reason = [""] * len(y)
    for row in np.flatnonzero(doubtful):
        reason[row] = _reason(*(fact[row] for fact in facts))
    unit = np.where(doubtful, 1.0, unit)
    side = _side(unit_x, treated, contrasts)
    residual /= unit[:, None]
    return Batch(
        observed=observed,
        z=z,
        treated=treated,
        contrasts=contrasts / norms[:, None, :],
        side=side,
        norms=norms,
        start=start,
        unit=unit,
        answered=answered,
        baseline=baseline,
        reason=tuple(reason),
    )


def _reason(
    answered: int, baseline: int, p: int, empty_column: bool, constant: bool, singular: bool, no_noise: bool
) -> str:
    """Why can this series not be estimated? "" if it can."""
    if answered == 0:
        return "no answered day"
    if empty_column and baseline in (0, answered):
        return "no answered day in one of the phases"
    if answered < p + 1:
        return f"fewer answered days than the model needs ({answered} answered, {p + 1} needed)"
    if constant:
        return "every value is the same"
    if singular or empty_column:
        return "the answered days cannot tell the parts of the model apart"
    if no_noise:
        return "the values follow the model exactly, so there is no noise to judge a change by"
    return ""


def _least_squares(z: Floats) -> tuple[Floats, Floats]:
    """Ordinary least squares of the last column on the others, and the smallest pivot of those, series by series."""
    p = z.shape[2] - 1
    products = z.transpose(0, 2, 1) @ z
    packed = np.stack([products[:, i, j] for i, j in pairs(p + 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor(packed, p + 1)
        pivot = np.min(packed[[at(j, j) for j in range(p)]], axis=0)
        solution = coefficients(packed, p)
    singular = ~(pivot >= SINGULAR)
    solution[singular] = 0.0
    return solution, np.where(singular, 0.0, pivot)


def _side(x: Floats, treated: Bools, contrasts: Floats) -> Floats:
    """1 where a contrast uses baseline columns only, -1 treatment columns only, 0 both."""
    size = np.abs(x)
    on_treated, on_baseline = ((days[:, None, :].astype(float) @ size)[:, 0] > 0 for days in (treated, ~treated))
    used = contrasts != 0
    uses_treated = np.any(used & on_treated[:, None, :], axis=2)
    uses_baseline = np.any(used & on_baseline[:, None, :], axis=2)
    return np.asarray(np.subtract(uses_baseline, uses_treated, dtype=float))
