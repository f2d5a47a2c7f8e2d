"""Every distribution answers for many rows at once: the questions, and how rows are evaluated and inverted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

CELLS_AT_ONCE = 200_000
"""Evaluations held in memory at once: about the size of a processor's cache."""
SETTLED = 1e-6
"""A search whose probability is off by this share of the tail ends with the next Newton step, which squares it."""


class Distribution(ABC):
    """What is known about one quantity, for each of many rows: a dataclass whose arrays have their rows first."""

    @property
    @abstractmethod
    def centre(self) -> Floats:
        """Where does the distribution sit? One number per row, shape (R,)."""

    @abstractmethod
    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x? x is one number, (R,) or (R, k); the answer is (R,) or (R, k)."""

    @abstractmethod
    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie? p a number gives (R,), p of shape (k,) gives (R, k)."""

    def take(self, rows: ArrayLike) -> Self:
        """Which distribution do these rows have? Row numbers or a boolean mask, in the order asked for."""
        chosen = np.asarray(rows)
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return type(self)(**{k: v[chosen] if isinstance(v, np.ndarray) else v for k, v in values.items()})

    def row(self, i: int) -> Self:
        """What stands behind row i? A distribution with one row."""
        return self.take([i])


@dataclass(frozen=True, eq=False)
class Deferred(Distribution):
    """Distributions of so many rows that they are not kept: those of some rows are made when they are asked for."""

    make: Callable[[Ints], Distribution]
    rows: Ints

    @cached_property
    def made(self) -> Distribution:
        """The distributions themselves."""
        return self.make(self.rows)

    @property
    def centre(self) -> Floats:
        """Where does the distribution sit?"""
        return self.made.centre

    def cdf(self, x: ArrayLike) -> Floats:
        """How probable is a value below x?"""
        return self.made.cdf(x)

    def quantile(self, p: ArrayLike) -> Floats:
        """Below which value does the share p lie?"""
        return self.made.quantile(p)

    def take(self, rows: ArrayLike) -> Self:
        """Which distribution do these rows have? It is not made yet."""
        return type(self)(self.make, self.rows[np.asarray(rows)])


Padding = Literal["zero", "last"]


def scattered(parts: Sequence[tuple[Ints, Floats]], rows: int, padding: Padding = "zero") -> Floats:
    """Put arrays (..., some rows, n) back into the order of all rows: NaN where no part has the row.

    Shorter parts are padded by zeros, for weights, or by their last entry. One part with all rows is not copied.
    """
    if len(parts) == 1 and len(parts[0][0]) == rows:
        return parts[0][1]
    length = max(values.shape[-1] for _, values in parts)
    out = np.full((*parts[0][1].shape[:-2], rows, length), np.nan)
    for place, values in parts:
        size = values.shape[-1]
        out[..., place, :size] = values
        out[..., place, size:] = 0.0 if padding == "zero" else values[..., -1:]
    return out


RowFunction = Callable[[Ints, Floats], tuple[Floats, Floats]]


def columns(x: ArrayLike, rows: int) -> Floats:
    """Shape x as (R, k): one number for all rows, one for each row, or k for each row."""
    values = np.asarray(x, dtype=float)
    if values.ndim == 0:
        return np.full((rows, 1), float(values))
    if len(values) != rows or values.ndim > 2:
        raise ValueError(f"x has shape {values.shape}; give one number, ({rows},) or ({rows}, k)")
    return values.reshape(rows, -1)


def _chunks(rows: Ints, cells: int) -> Iterator[Ints]:
    size = max(1, CELLS_AT_ONCE // max(cells, 1))
    return (rows[start : start + size] for start in range(0, len(rows), size))


def evaluate(function: RowFunction, x: ArrayLike, valid: Floats, nodes: int) -> Floats:
    """The cdf at x for rows where `valid` is a number, NaN elsewhere."""
    at = columns(x, len(valid))
    unasked = np.isnan(at)
    at = np.where(unasked, 0.0, at)
    result = np.full(at.shape, np.nan)
    for rows in _chunks(np.flatnonzero(np.isfinite(valid)), nodes * at.shape[1]):
        result[rows] = np.clip(function(rows, at[rows])[0], 0.0, 1.0)
    result[unasked] = np.nan
    return result[:, 0] if np.ndim(x) < 2 else result


def invert(p: ArrayLike, valid: Floats, nodes: int, quantiles: Callable[[Ints, Floats], Floats]) -> Floats:
    """Quantiles for rows where `valid` is a number, NaN elsewhere."""
    levels = np.atleast_1d(np.asarray(p, dtype=float))
    if levels.ndim != 1 or not np.all((levels > 0) & (levels < 1)):
        raise ValueError(f"p must be one number or a list of numbers strictly between 0 and 1, not {p!r}")
    result = np.full((len(valid), len(levels)), np.nan)
    for rows in _chunks(np.flatnonzero(np.isfinite(valid)), nodes * len(levels)):
        result[rows] = quantiles(rows, levels)
    return result[:, 0] if np.ndim(p) == 0 else result


def newton(
    function: RowFunction, rows: Ints, p: Floats, low: Floats, high: Floats, start: Floats, settled: float = SETTLED
) -> Floats:
    """Solve F(x) = p inside [low, high], rows x levels at once; a step that leaves the bracket becomes a bisection."""
    low, high = low.copy(), high.copy()
    x = np.clip(start, low, high)
    smallest = 4 * np.finfo(float).eps * np.maximum(np.abs(low), np.abs(high))
    close = settled * np.minimum(p, 1 - p)
    active = np.arange(len(rows))
    for _ in range(100):
        value, slope = function(rows[active], x[active])
        at, error = x[active], value - p
        low[active] = np.where(error <= 0, at, low[active])
        high[active] = np.where(error >= 0, at, high[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            proposal = at - error / slope
        inside = (proposal >= low[active]) & (proposal <= high[active])
        proposal = np.where(inside, proposal, (low[active] + high[active]) / 2)
        x[active] = proposal
        moving = (np.abs(proposal - at) > smallest[active]) & ((np.abs(error) > close) | ~inside)
        active = active[moving.any(axis=1)]
        if not len(active):
            break
    return x
