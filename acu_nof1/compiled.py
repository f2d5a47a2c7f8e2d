"""The inner loops, compiled by numba when it is installed and the batch is large enough to be worth it.

The NumPy code in `distribution/mixtures`, `estimate/products` and `estimate/posterior` is the reference and says what
is computed and why; tests hold the two together to 1e-10. `fastmath=True` would break the NaN rules, so only
contraction is allowed.
"""

from __future__ import annotations

import math
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

WORTH_COMPILING = 400
"""Series from which loading the compiler costs less than it saves: a single report never waits for it."""


@lru_cache(maxsize=1)
def available() -> bool:
    """Is numba installed?"""
    return find_spec("numba") is not None


@lru_cache(maxsize=8)
def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit

    compiled: Callable[..., Any] = njit(cache=True, nogil=True, fastmath={"contract", "arcp", "nsz"})(function)
    return compiled


def cdf(*arguments: Any) -> None:
    """Run `_cdf`, compiled."""
    _compile(_cdf)(*arguments)


def quantiles(*arguments: Any) -> None:
    """Run `_quantiles`, compiled."""
    _compile(_quantiles)(*arguments)


def gap_sums(*arguments: Any) -> Any:
    """Run `_gap_sums`, compiled."""
    return _compile(_gap_sums)(*arguments)


def posterior(*arguments: Any) -> int:
    """Run `_posterior`, compiled."""
    return int(_compile(_posterior)(*arguments))


def _cdf(
    rows: NDArray[np.intp],
    weight: NDArray[np.float64],
    loc: NDArray[np.float64],
    scale: NDArray[np.float64],
    x: NDArray[np.float64],
    which: NDArray[np.intp],
    table: NDArray[np.float64],
    steps: float,
    far: NDArray[np.bool_],
    below: NDArray[np.float64],
) -> None:
    """Write sum_g W_g T(z) to below (rows, k).

    `table` is (kinds of df, intervals, 4); `far` marks the answers for which a node lies beyond it.
    """
    end = table.shape[1] - 1e-9
    for r in range(len(rows)):
        row, kind = rows[r], which[r]
        for k in range(x.shape[1]):
            far[r, k] = False
            below[r, k] = 0.0
        nodes = weight.shape[1]
        while nodes > 1 and weight[row, nodes - 1] == 0.0:
            nodes -= 1
        for g in range(nodes):
            w, centre, inverse = weight[row, g], loc[row, g], steps / scale[row, g]
            for k in range(x.shape[1]):
                z = (x[r, k] - centre) * inverse
                position = min(abs(z), end)
                far[r, k] |= position == end
                index = int(position)
                part = position - index
                c = table[kind, index]
                tail = c[0] + part * (c[1] + part * (c[2] + part * c[3]))
                below[r, k] += w * (tail if z < 0 else 1.0 - tail)


def _quantiles(
    rows: NDArray[np.intp],
    weight: NDArray[np.float64],
    loc: NDArray[np.float64],
    scale: NDArray[np.float64],
    p: NDArray[np.float64],
    t: NDArray[np.float64],
    inflation: NDArray[np.float64],
    which: NDArray[np.intp],
    table: NDArray[np.float64],
    steps: float,
    settled: float,
    far: NDArray[np.bool_],
    out: NDArray[np.float64],
) -> None:
    """Solve sum_g W_g T(z) = p for each row by safeguarded Newton; t (rows, k) are the quantiles of one t."""
    end = table.shape[1] - 1e-9
    inverse = np.empty(weight.shape[1])
    for r in range(len(rows)):
        row, kind = rows[r], which[r]
        nodes = weight.shape[1]
        while nodes > 1 and weight[row, nodes - 1] == 0.0:
            nodes -= 1
        mean, variance = 0.0, 0.0
        for g in range(nodes):
            inverse[g] = steps / scale[row, g]
            mean += weight[row, g] * loc[row, g]
        for g in range(nodes):
            away = loc[row, g] - mean
            variance += weight[row, g] * (inflation[r] * scale[row, g] * scale[row, g] + away * away)
        for k in range(len(p)):
            far[r, k] = False
            low, high = np.inf, -np.inf
            for g in range(nodes):
                at = loc[row, g] + scale[row, g] * t[r, k]
                low, high = min(low, at), max(high, at)
            smallest, close = 1e-15 * max(abs(low), abs(high)), settled * min(p[k], 1.0 - p[k])
            x = min(max(mean + t[r, k] * math.sqrt(variance / inflation[r]), low), high)
            for _ in range(100):
                total, slope = 0.0, 0.0
                for g in range(nodes):
                    z = (x - loc[row, g]) * inverse[g]
                    position = min(abs(z), end)
                    far[r, k] |= position == end
                    index = int(position)
                    part = position - index
                    c = table[kind, index]
                    tail = c[0] + part * (c[1] + part * (c[2] + part * c[3]))
                    total += weight[row, g] * (tail if z < 0 else 1.0 - tail)
                    slope -= weight[row, g] * inverse[g] * (c[1] + part * (2.0 * c[2] + 3.0 * part * c[3]))
                if total <= p[k]:
                    low = x
                if total >= p[k]:
                    high = x
                step = x - (total - p[k]) / slope if slope > 0.0 else low - 1.0
                inside = low <= step <= high
                if not inside:
                    step = 0.5 * (low + high)
                moved = abs(step - x)
                x = step
                if moved <= smallest or (inside and abs(total - p[k]) <= close):
                    break
            out[r, k] = x


def _gap_sums(
    z: NDArray[np.float64], observed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sum products of neighbouring answered days by gap: the gaps, their counts, and the sums (Q, S, 1 + 3 gaps)."""
    series, days, size = z.shape
    place = np.full(days + 1, -1)
    for s in range(series):
        last = -1
        for day in range(days):
            if observed[s, day]:
                if last >= 0:
                    place[day - last] = 0
                last = day
    gaps = np.flatnonzero(place == 0)
    for g in range(len(gaps)):
        place[gaps[g]] = g
    entries, kinds = size * (size + 1) // 2, len(gaps)
    counts, sums = np.zeros((series, kinds)), np.zeros((entries, series, 1 + 3 * kinds))
    own = np.zeros((1 + 3 * kinds, entries))
    for s in range(series):
        own[:] = 0.0
        last = -1
        for day in range(days):
            if not observed[s, day]:
                continue
            entry = 0
            if last < 0:
                for i in range(size):
                    for j in range(i + 1):
                        own[0, entry] = z[s, day, i] * z[s, day, j]
                        entry += 1
            else:
                g = place[day - last]
                counts[s, g] += 1.0
                for i in range(size):
                    before, change = z[s, last, i], z[s, day, i] - z[s, last, i]
                    for j in range(i + 1):
                        before_j, change_j = z[s, last, j], z[s, day, j] - z[s, last, j]
                        own[1 + g, entry] += change * change_j
                        own[1 + kinds + g, entry] += change * before_j + before * change_j
                        own[1 + 2 * kinds + g, entry] += before * before_j
                        entry += 1
            last = day
        for entry in range(entries):
            for column in range(1 + 3 * kinds):
                sums[entry, s, column] = own[column, entry]
    return gaps.astype(np.float64), counts, sums


def _posterior(
    z: NDArray[np.float64],
    observed: NDArray[np.bool_],
    part_owner: NDArray[np.intp],
    part_treated: NDArray[np.bool_],
    treated: NDArray[np.bool_],
    contrasts: NDArray[np.float64],
    log_det_per_ratio: NDArray[np.float64],
    phi: NDArray[np.float64],
    share: NDArray[np.float64],
    ratio: NDArray[np.float64],
    log_prior: NDArray[np.float64],
    powers: NDArray[np.float64],
    negligible: float,
    out_row: NDArray[np.intp],
    out_node: NDArray[np.intp],
    out: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    marginals: NDArray[np.float64],
) -> int:
    """Fill in the nodes that carry weight, series by series, and return how many there are.

    z (S, D, p + 1) standardised columns and values; part_owner, part_treated (C,) the phase parts of its columns;
    powers (D + 1, phi nodes) with row d holding phi^d and row 0 zero. A row of `out` is: weight, RSS, K means,
    K x K scales. `marginals` (S, phi + share + ratio) is the posterior of each axis.
    """
    series, days, size = z.shape
    p, entries = size - 1, size * (size + 1) // 2
    n_phi, n_share, n_ratio = len(phi), len(share), len(ratio)
    nodes, parts, k_count = n_phi * n_share, len(part_owner), contrasts.shape[1]
    pairs = parts * (parts + 1) // 2
    node_share = np.empty(nodes)
    for a in range(n_phi):
        for b in range(n_share):
            node_share[a * n_share + b] = share[b]
    f, variance, gain, inverse = np.empty(nodes), np.empty(nodes), np.empty(nodes), np.empty(nodes)
    run, log_v = np.empty(nodes), np.empty(nodes)
    x, v = np.empty((parts, nodes)), np.empty((parts, nodes))
    cross = np.empty((pairs, nodes))
    by_power = np.empty((3, entries, nodes))
    factors = np.empty((n_ratio, entries, nodes))
    log_w, roots = np.empty((n_ratio, nodes)), np.empty((n_ratio, nodes))
    w_contrast, b_node, pivot = np.empty((k_count, p)), np.empty(p), np.empty(p)
    count = 0
    for s in range(series):
        answered, last, steps = 0, -1, 0
        x[:] = 0.0
        cross[:] = 0.0
        variance[:] = 0.0
        run[:] = 1.0
        log_v[:] = 0.0
        for day in range(days):
            if not observed[s, day]:
                continue
            answered += 1
            gap = day - last if last >= 0 else 0
            last = day
            for a in range(n_phi):
                power = powers[gap, a]
                for b in range(n_share):
                    f[a * n_share + b] = power
            for n in range(nodes):
                square = f[n] * f[n]
                predicted = square * variance[n] + (1.0 - square) * (1.0 - node_share[n])
                total = predicted + node_share[n]
                inverse[n] = 1.0 / total
                gain[n] = predicted * inverse[n]
                variance[n] = node_share[n] * gain[n]
                run[n] *= total
            steps += 1
            if steps == 40:
                for n in range(nodes):
                    log_v[n] += math.log(run[n])
                    run[n] = 1.0
                steps = 0
            for c in range(parts):
                value = z[s, day, part_owner[c]] if treated[s, day] == part_treated[c] else 0.0
                for n in range(nodes):
                    predicted = f[n] * x[c, n]
                    v[c, n] = value - predicted
                    x[c, n] = predicted + gain[n] * v[c, n]
            pair = 0
            for c in range(parts):
                for n in range(nodes):
                    f[n] = v[c, n] * inverse[n]
                for e in range(c + 1):
                    for n in range(nodes):
                        cross[pair, n] += f[n] * v[e, n]
                    pair += 1
        for n in range(nodes):
            log_v[n] += math.log(run[n])
        by_power[:] = 0.0
        pair = 0
        for c in range(parts):
            for e in range(c + 1):
                i, j = part_owner[c], part_owner[e]
                twice = 2.0 if i == j and c != e else 1.0
                if i < j:
                    i, j = j, i
                power_index, entry = int(part_treated[c]) + int(part_treated[e]), i * (i + 1) // 2 + j
                for n in range(nodes):
                    by_power[power_index, entry, n] += twice * cross[pair, n]
                pair += 1
        df, top = answered - p, -np.inf
        rss_at = p * (p + 1) // 2 + p
        for r in range(n_ratio):
            low, high = math.exp(-ratio[r]), math.exp(ratio[r])
            a = factors[r]
            for entry in range(entries):
                for n in range(nodes):
                    a[entry, n] = low * by_power[0, entry, n] + by_power[1, entry, n] + high * by_power[2, entry, n]
            for n in range(nodes):
                roots[r, n] = 1.0
            for j in range(p):
                at_j = j * (j + 1) // 2 + j
                for n in range(nodes):
                    roots[r, n] *= a[at_j, n]
                for i in range(j + 1, size):
                    at_i = i * (i + 1) // 2
                    for k in range(j + 1, i + 1):
                        at_k = k * (k + 1) // 2 + j
                        for n in range(nodes):
                            a[at_i + k, n] -= a[at_i + j, n] * a[at_k, n] / a[at_j, n]
            for n in range(nodes):
                value = -0.5 * (log_v[n] + ratio[r] * log_det_per_ratio[s] + df * math.log(a[rss_at, n]))
                log_w[r, n] = value + log_prior[n * n_ratio + r]
                top = max(top, log_w[r, n])
        total = 0.0
        for r in range(n_ratio):
            for n in range(nodes):
                # Determinants of unit-length columns stay near 1: they need no part in the scaling by `top`.
                log_w[r, n] = math.exp(max(log_w[r, n] - top, -700.0)) / math.sqrt(roots[r, n])
                total += log_w[r, n]
        for r in range(n_ratio):
            for a_phi in range(n_phi):
                for b in range(n_share):
                    log_w[r, a_phi * n_share + b] /= total
                    weight = log_w[r, a_phi * n_share + b]
                    marginals[s, a_phi] += weight
                    marginals[s, n_phi + b] += weight
                    marginals[s, n_phi + n_share + r] += weight
        coefficients[s] = 0.0
        kept = 0.0
        for n in range(nodes):
            for r in range(n_ratio):
                weight = log_w[r, n]
                if weight <= negligible:
                    continue
                kept += weight
                a = factors[r]
                out_row[count], out_node[count] = s, n * n_ratio + r
                out[count, 0], out[count, 1] = weight, a[rss_at, n]
                last_row = p * (p + 1) // 2
                for j in range(p):
                    pivot[j] = 1.0 / a[j * (j + 1) // 2 + j, n]
                for k in range(k_count):
                    mean = 0.0
                    for j in range(p):
                        value = contrasts[s, k, j]
                        for i in range(j):
                            value -= a[j * (j + 1) // 2 + i, n] * pivot[i] * w_contrast[k, i]
                        w_contrast[k, j] = value
                        mean += value * a[last_row + j, n] * pivot[j]
                    out[count, 2 + k] = mean
                    for m in range(k + 1):
                        scale = 0.0
                        for j in range(p):
                            scale += w_contrast[k, j] * w_contrast[m, j] * pivot[j]
                        out[count, 2 + k_count + k * k_count + m] = scale
                        out[count, 2 + k_count + m * k_count + k] = scale
                for j in range(p - 1, -1, -1):
                    value = a[last_row + j, n]
                    for i in range(j + 1, p):
                        value -= a[i * (i + 1) // 2 + j, n] * b_node[i]
                    b_node[j] = value * pivot[j]
                    coefficients[s, j] += weight * b_node[j]
                count += 1
        for j in range(p):
            coefficients[s, j] /= kept
    return count
