"""Small symmetric matrices, very many at once: only the lower triangle is kept, entry first, (Q, series, nodes)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def pairs(size: int) -> list[tuple[int, int]]:
    """Entries (i, j), i >= j, in the order in which the packed lower triangle holds them."""
    return [(i, j) for i in range(size) for j in range(i + 1)]


def at(i: int, j: int) -> int:
    """Place of entry (i, j), i >= j, in the packed lower triangle."""
    return i * (i + 1) // 2 + j


def factor(a: Floats, size: int) -> None:
    """Overwrite packed symmetric matrices by their factors: A = L D L', D on the diagonal and L D below it."""
    for j in range(size):
        inverse = 1 / a[at(j, j)]
        for i in range(j + 1, size):
            ratio = a[at(i, j)] * inverse
            for k in range(j + 1, i + 1):
                a[at(i, k)] -= ratio * a[at(k, j)]


def coefficients(factored: Floats, p: int) -> Floats:
    """Least-squares coefficients from the factors of [X, y]: L'b = l, with l the last row of L. Shape (..., p)."""
    b = np.empty((*factored.shape[1:], p))
    for j in reversed(range(p)):
        rest = factored[at(p, j)] - sum(factored[at(i, j)] * b[..., i] for i in range(j + 1, p))
        b[..., j] = rest / factored[at(j, j)]
    return b
