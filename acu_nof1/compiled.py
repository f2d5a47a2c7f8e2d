"""The inner loops, compiled by numba when it is installed and the batch is large enough to be worth it.

The NumPy code in `distribution/mixtures`, `estimate/products` and `estimate/posterior` is the reference and says what
is computed and why; tests hold the two together to 1e-10. `fastmath=True` would break the NaN rules, so only
contraction is allowed. Loops over nodes are innermost and plain, which makes vector instructions of them.
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

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Bools = NDArray[np.bool_]

WORTH_COMPILING = 400
"""Series from which loading the compiler costs less than it saves: a single report never waits for it."""
NOTHING = 1e-20
"""Probability beyond the table of Student's t that is left out."""
CLOSE = 1e-4
"""A search whose probability is off by this share of the tail ends with the next Halley step, which cubes it."""
TOGETHER, NEAR = 8, 0.05
"""Nodes taken together in the first search for a quantile, and how close it must come."""
LOGARITHM_EVERY = 40
"""Days whose prediction variances are multiplied before their logarithm is taken: their product cannot underflow."""


@lru_cache(maxsize=1)
def available() -> bool:
    """Is numba installed?"""
    return find_spec("numba") is not None


def wanted(series: int) -> bool:
    """Is a batch of so many series to be computed by compiled code?"""
    return series >= WORTH_COMPILING and available()


@lru_cache(maxsize=8)
def _compile(function: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit
    from numba.extending import register_jitable

    # Inlined where it is called, it leaves out the slopes that are not asked for.
    register_jitable(inline="always")(_below)
    for part in (_far_tail, _merge, _solve, _whiten, _by_power, _factor, _weigh, _contrasts, _keep, _pad):
        register_jitable(part)
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


def ar1_posterior(*arguments: Any) -> int:
    """Run `_ar1_posterior`, compiled."""
    return int(_compile(_ar1_posterior)(*arguments))


def robust_posterior(*arguments: Any) -> int:
    """Run `_robust_posterior`, compiled."""
    return int(_compile(_robust_posterior)(*arguments))


# --- mixtures of Student's t ---------------------------------------------------------------------------------------------


def _far_tail(z: float, df: float) -> tuple[float, float]:
    """P(t > z) and the density for a z beyond the table: the series of I_x(df/2, 1/2) / 2 in x = df / (df + z^2)."""
    x, half = df / (df + z * z), 0.5 * df
    constant = math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(df * math.pi)
    term, total = 1.0, 1.0
    for n in range(2000):
        term *= x * (half + n + 0.5) / (half + n + 1.0)
        total += term
        if term < 1e-16 * total:
            break
    density = math.exp(constant + (half + 0.5) * math.log(x))
    return density * total * z / df, density


def _below(
    x: float,
    nodes: int,
    weight: Floats,
    loc: Floats,
    inverse: Floats,
    place: Floats,
    table: Floats,
    steps: float,
    df: float,
) -> tuple[float, float, float]:
    """sum_g W_g T(z_g) with its first and second derivative; `inverse` is steps of the table over the scale.

    Nodes beyond the table are read at its end, and what they lack is added afterwards where it is not nothing.
    """
    last, origin = table.shape[0] - 1e-9, table.shape[0] // 2
    for g in range(nodes):
        place[g] = min(max((x - loc[g]) * inverse[g] + origin, 0.0), last)
    total, slope, bend = 0.0, 0.0, 0.0
    for g in range(nodes):
        index = int(place[g])
        part = place[g] - index
        c, w = table[np.uintp(index)], weight[g]
        total += w * (c[0] + part * (c[1] + part * (c[2] + part * c[3])))
        w *= inverse[g]
        slope += w * (c[1] + part * (2.0 * c[2] + part * (3.0 * c[3])))
        w *= inverse[g]
        bend += w * (2.0 * c[2] + part * (6.0 * c[3]))
    if table[0, 0] >= NOTHING:
        for g in range(nodes):
            z = (x - loc[g]) * inverse[g] / steps
            if abs(z) * steps >= origin and weight[g] * table[0, 0] >= NOTHING:
                w, sign = weight[g], 1.0 if z < 0.0 else -1.0
                tail, density = _far_tail(abs(z), df)
                total += sign * w * (tail - table[0, 0])
                w *= inverse[g]
                slope += w * (density / steps - table[0, 1])
                w *= inverse[g]
                rise = density * (df + 1.0) * abs(z) / (df + z * z)
                bend += sign * w * (rise / (steps * steps) - 2.0 * table[0, 2])
    return total, slope, bend


def _cdf(
    rows: Ints,
    weight: Floats,
    loc: Floats,
    scale: Floats,
    x: Floats,
    df: Floats,
    which: Ints,
    table: Floats,
    steps: float,
    below: Floats,
) -> None:
    """Write sum_g W_g T(z) to below (rows, k); row r has df[which[r]] and table[which[r]] (intervals, 4)."""
    inverse, place = np.empty(weight.shape[1]), np.empty(weight.shape[1])
    for r in range(len(rows)):
        row, kind = rows[r], which[r]
        nodes = weight.shape[1]
        while nodes > 1 and weight[row, nodes - 1] == 0.0:
            nodes -= 1
        for g in range(nodes):
            inverse[g] = steps / scale[row, g]
        for k in range(x.shape[1]):
            below[r, k] = _below(x[r, k], nodes, weight[row], loc[row], inverse, place, table[kind], steps, df[kind])[0]


def _quantiles(
    rows: Ints,
    weight: Floats,
    loc: Floats,
    scale: Floats,
    p: Floats,
    t: Floats,
    density: Floats,
    inflation: Floats,
    df: Floats,
    which: Ints,
    table: Floats,
    steps: float,
    out: Floats,
) -> None:
    """Solve sum_g W_g T(z) = p for each row; t (kinds of df, k) are the quantiles of one t, `density` is its density there.

    A first search takes neighbouring nodes together, which costs little and starts the second one close to its end.
    """
    length = weight.shape[1]
    inverse, place = np.empty(length), np.empty(length)
    few = np.empty((3, length // TOGETHER + 1))
    for r in range(len(rows)):
        row, kind = rows[r], which[r]
        nodes = length
        while nodes > 1 and weight[row, nodes - 1] == 0.0:
            nodes -= 1
        for g in range(nodes):
            inverse[g] = steps / scale[row, g]
        mean, variance, groups = _merge(nodes, weight[row], loc[row], scale[row], inflation[kind], steps, few)
        for k in range(len(p)):
            at = p[k], t[kind, k], density[kind, k], steps, df[kind]
            x = mean + t[kind, k] * math.sqrt(variance / inflation[kind])
            x = _solve(x, *at, NEAR, groups, few[0], few[1], few[2], place, table[kind])
            out[r, k] = _solve(x, *at, CLOSE, nodes, weight[row], loc[row], inverse, place, table[kind])


def _merge(
    nodes: int, weight: Floats, loc: Floats, scale: Floats, inflation: float, steps: float, few: Floats
) -> tuple[float, float, int]:
    """Write groups of neighbouring nodes as one each, with their mean and variance; and those of all nodes."""
    groups, mean, square = 0, 0.0, 0.0
    for first in range(0, nodes, TOGETHER):
        w, centre, second = 0.0, 0.0, 0.0
        for g in range(first, min(first + TOGETHER, nodes)):
            w += weight[g]
            centre += weight[g] * loc[g]
        if w == 0.0:
            continue
        centre /= w
        for g in range(first, min(first + TOGETHER, nodes)):
            away = loc[g] - centre
            second += weight[g] * (scale[g] * scale[g] + away * away / inflation)
        few[0, groups], few[1, groups], few[2, groups] = w, centre, steps / math.sqrt(second / w)
        groups += 1
        mean += w * centre
        square += second * inflation
    for g in range(groups):
        away = few[1, g] - mean
        square += few[0, g] * away * away
    return mean, square, groups


def _solve(
    x: float,
    p: float,
    t: float,
    density: float,
    steps: float,
    df: float,
    close: float,
    nodes: int,
    weight: Floats,
    loc: Floats,
    inverse: Floats,
    place: Floats,
    table: Floats,
) -> float:
    """Where is the mixture's F(x) = p? Safeguarded Halley for h(x) = T^-1(F(x)) - t, which is nearly straight.

    Near p, with e = (F - p) / T'(t) and s = T''/T' at t: h = e - s e^2 / 2 + ... A step that leaves the bracket becomes a
    bisection; the smallest and the largest of the nodes' quantiles bracket the answer where nothing nearer is known.
    """
    low, high, enough = -np.inf, np.inf, close * min(p, 1.0 - p)
    s, s_slope = -(df + 1.0) * t / (df + t * t), -(df + 1.0) * (df - t * t) / (df + t * t) ** 2
    for _ in range(100):
        total, slope, bend = _below(x, nodes, weight, loc, inverse, place, table, steps, df)
        error = total - p
        if error <= 0.0:
            low = x
        if error >= 0.0:
            high = x
        e = error / density
        step = np.nan
        if slope > 0.0:
            if abs(e) < 0.3:
                h = e * (1.0 + e * (-0.5 * s + e * (s * s / 3.0 - s_slope / 6.0)))
                at = density * math.exp(h * (s + 0.5 * h * s_slope))
                rise = slope / at
                curve = bend / at - (s + h * s_slope) * rise * rise
                newton = h / rise
                step = x - newton / max(1.0 - 0.5 * newton * curve / rise, 0.5)
            else:
                step = x - error / slope
        inside = low <= step <= high
        if not inside:
            first, last = np.inf, -np.inf
            for g in range(nodes):
                at = loc[g] + t * steps / inverse[g]
                first, last = min(first, at), max(last, at)
            low, high = max(low, min(first, high)), min(high, max(last, low))
            step = 0.5 * (low + high)
        moved, before = abs(step - x), x
        x = step
        if moved <= 1e-15 * abs(before) or (inside and abs(error) <= enough):
            break
    return x


# --- from the days to the posterior --------------------------------------------------------------------------------------


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


def _whiten(
    z: Floats,
    observed: Bools,
    treated: Bools,
    owner: Ints,
    on_treated: Bools,
    power: Floats,
    fresh: Floats,
    share: Floats,
    work: Floats,
    x: Floats,
    v: Floats,
    cross: Floats,
    log_v: Floats,
) -> None:
    """Run the Kalman filter of one series over its answered days, all nodes at once.

    Row d of `power` holds phi^d, of `fresh` (1 - phi^2d)(1 - lambda); rows 0 those of a first day. Products of whitened
    parts go to `cross` (pairs, nodes). A part is skipped until it first differs from zero.
    """
    nodes = len(share)
    variance, gain, inverse, run, scaled = work[0], work[1], work[2], work[3], work[4]
    variance[:], run[:], log_v[:], x[:], cross[:] = 0.0, 1.0, 0.0, 0.0, 0.0
    started = np.zeros(len(owner), dtype=np.bool_)
    last, steps = -1, 0
    for day in range(len(observed)):
        if not observed[day]:
            continue
        gap = day - last if last >= 0 else 0
        last = day
        f, new = power[gap], fresh[gap]
        for n in range(nodes):
            predicted = f[n] * f[n] * variance[n] + new[n]
            total = predicted + share[n]
            inverse[n] = 1.0 / total
            gain[n] = predicted * inverse[n]
            variance[n] = share[n] * gain[n]
            run[n] *= total
        steps += 1
        if steps == LOGARITHM_EVERY:
            for n in range(nodes):
                log_v[n] += math.log(run[n])
                run[n] = 1.0
            steps = 0
        for c in range(len(owner)):
            value = z[day, owner[c]] if treated[day] == on_treated[c] else 0.0
            started[c] |= value != 0.0
            if not started[c]:
                continue
            own, state = v[c], x[c]
            for n in range(nodes):
                predicted = f[n] * state[n]
                off = value - predicted
                own[n] = off
                state[n] = predicted + gain[n] * off
                scaled[n] = off * inverse[n]
            for e in range(c + 1):
                if started[e]:
                    other, sums = v[e], cross[c * (c + 1) // 2 + e]
                    for n in range(nodes):
                        sums[n] += scaled[n] * other[n]
    for n in range(nodes):
        log_v[n] += math.log(run[n])


def _by_power(cross: Floats, owner: Ints, on_treated: Bools, products: Floats) -> None:
    """Sum the products of parts into products of columns (3, entries, nodes), by the power of e^r: -1, 0, 1."""
    products[:] = 0.0
    for c in range(len(owner)):
        for e in range(c + 1):
            i, j = max(owner[c], owner[e]), min(owner[c], owner[e])
            twice = 2.0 if i == j and c != e else 1.0
            sums, parts = (
                products[int(on_treated[c]) + int(on_treated[e]), i * (i + 1) // 2 + j],
                cross[c * (c + 1) // 2 + e],
            )
            for n in range(len(sums)):
                sums[n] += twice * parts[n]


def _factor(a: Floats, size: int, inverse: Floats, ratio: Floats) -> None:
    """Overwrite packed symmetric matrices (entries, nodes) by their factors L D L', as `packed.factor` does."""
    for j in range(size - 1):
        pivot = a[j * (j + 1) // 2 + j]
        for n in range(len(pivot)):
            inverse[n] = 1.0 / pivot[n]
        for i in range(j + 1, size):
            left = a[i * (i + 1) // 2 + j]
            for n in range(len(left)):
                ratio[n] = left[n] * inverse[n]
            for k in range(j + 1, i + 1):
                right, goal = a[k * (k + 1) // 2 + j], a[i * (i + 1) // 2 + k]
                for n in range(len(goal)):
                    goal[n] -= ratio[n] * right[n]


def _weigh(
    products: Floats,
    log_v: Floats,
    tilt: float,
    ratio: Floats,
    prior: Floats,
    df: int,
    p: int,
    work: Floats,
    factors: Floats,
    weights: Floats,
) -> None:
    """Factor A at every node and give all nodes their posterior weight (ratios, nodes).

    The weight is prior q^(-nu/2) |X'V^-1 X|^(-1/2) with q = RSS |V|^(1/nu), relative to the least q: whole powers by
    squaring, because a logarithm at every node would take longer than all the rest.
    """
    entries, nodes = products.shape[1], products.shape[2]
    level, least, base = work[0], work[1], work[2]
    rss_at = entries - 1
    for n in range(nodes):
        level[n] = math.exp(log_v[n] / df)
        least[n] = np.inf
    for r in range(len(ratio)):
        low, high, scale = math.exp(-ratio[r]), math.exp(ratio[r]), math.exp(ratio[r] * tilt / df)
        a, q = factors[r], weights[r]
        for entry in range(entries):
            goal, first, middle, third = a[entry], products[0, entry], products[1, entry], products[2, entry]
            for n in range(nodes):
                goal[n] = low * first[n] + middle[n] + high * third[n]
        _factor(a, p + 1, work[3], work[4])
        rss = a[rss_at]
        for n in range(nodes):
            q[n] = rss[n] * level[n] * scale
            least[n] = min(least[n], q[n])
    lowest = least.min()
    total = 0.0
    for r in range(len(ratio)):
        a, w, given = factors[r], weights[r], prior[r]
        for n in range(nodes):
            base[n] = lowest / w[n]
            w[n] = given[n] * given[n]
        for j in range(p):
            pivot = a[j * (j + 1) // 2 + j]
            for n in range(nodes):
                w[n] /= pivot[n]
        left = df
        while left > 0:
            if left & 1:
                for n in range(nodes):
                    w[n] *= base[n]
            left >>= 1
            for n in range(nodes):
                base[n] *= base[n]
        for n in range(nodes):
            w[n] = math.sqrt(w[n])
        for n in range(nodes):
            total += w[n]
    for r in range(len(ratio)):
        for n in range(nodes):
            weights[r, n] /= total


def _contrasts(
    a: Floats, count: int, contrasts: Floats, p: int, w: Floats, pivot: Floats, mean: Floats, inverse: Floats, b: Floats
) -> None:
    """Give c'b (K, nodes), C (X'V^-1 X)^-1 C' (pairs, nodes) and b (p, nodes) of `count` nodes, from their factors."""
    last = p * (p + 1) // 2
    for j in range(p):
        for n in range(count):
            pivot[j, n] = 1.0 / a[j * (j + 1) // 2 + j, n]
    for k in range(len(contrasts)):
        for n in range(count):
            mean[k, n] = 0.0
        for j in range(p):
            goal = w[k, j]
            for n in range(count):
                goal[n] = contrasts[k, j]
            for i in range(j):
                left, before, inside = a[j * (j + 1) // 2 + i], w[k, i], pivot[i]
                for n in range(count):
                    goal[n] -= left[n] * inside[n] * before[n]
            for n in range(count):
                mean[k, n] += goal[n] * a[last + j, n] * pivot[j, n]
        for m in range(k + 1):
            goal = inverse[k * (k + 1) // 2 + m]
            for n in range(count):
                goal[n] = 0.0
            for j in range(p):
                one, two, inside = w[k, j], w[m, j], pivot[j]
                for n in range(count):
                    goal[n] += one[n] * two[n] * inside[n]
    for j in range(p - 1, -1, -1):
        for n in range(count):
            b[j, n] = a[last + j, n]
        for i in range(j + 1, p):
            for n in range(count):
                b[j, n] -= a[i * (i + 1) // 2 + j, n] * b[i, n]
        for n in range(count):
            b[j, n] *= pivot[j, n]


def _keep(
    s: int,
    factors: Floats,
    weights: Floats,
    ratio: Floats,
    contrasts: Floats,
    side: Floats,
    start: Floats,
    unit: float,
    df: int,
    negligible: float,
    work: Floats,
    weight: Floats,
    mean: Floats,
    scale: Floats,
    cov: Floats,
    coefficients: Floats,
    effective: Floats,
    joint: Floats,
    marginal: Floats,
) -> int:
    """Write the nodes of series s that carry weight, in its units, and return how many there are."""
    entries, nodes = factors.shape[1], factors.shape[2]
    k_count, p = contrasts.shape
    pick = np.empty(nodes, dtype=np.intp)
    a, rest = work[:entries], work[entries:]
    pivot, b, rest = rest[:p], rest[p : 2 * p], rest[2 * p :]
    w, rest = rest[: k_count * p].reshape(k_count, p, nodes), rest[k_count * p :]
    found, inverse = rest[:k_count], rest[k_count:]
    done, kept = 0, 0.0
    for r in range(len(ratio)):
        count = 0
        shares, both = weights[r], joint[s]
        for n in range(nodes):
            both[n] += shares[n]
        for n in range(nodes):
            marginal[s, r] += shares[n]
            pick[count] = n
            count += shares[n] > negligible
        for i in range(count):
            weight[s, done + i] = shares[pick[i]]
            kept += shares[pick[i]]
        for entry in range(entries):
            for i in range(count):
                a[entry, i] = factors[r, entry, pick[i]]
        _contrasts(a, count, contrasts, p, w, pivot, found, inverse, b)
        for k in range(k_count):
            own, total = inverse[k * (k + 1) // 2 + k], 0.0
            for i in range(count):
                mean[k, s, done + i] = start[k] + unit * found[k, i]
                pivot[0, i] = weight[s, done + i] / own[i]
            for i in range(count):
                total += pivot[0, i]
            effective[s, k] += math.exp(side[k] * ratio[r]) * total
        for j in range(p):
            total = 0.0
            for i in range(count):
                total += weight[s, done + i] * b[j, i]
            coefficients[s, j] += total
        variance, pair = unit * unit / df, 0
        for k in range(k_count):
            own = inverse[k * (k + 1) // 2 + k]
            for i in range(count):
                scale[k, s, done + i] = math.sqrt(variance * a[entries - 1, i] * own[i])
            for m in range(k):
                both = inverse[k * (k + 1) // 2 + m]
                for i in range(count):
                    cov[pair, s, done + i] = variance * a[entries - 1, i] * both[i]
                pair += 1
        done += count
    for i in range(done):
        weight[s, i] /= kept
    for k in range(k_count):
        effective[s, k] /= kept
    for j in range(p):
        coefficients[s, j] /= kept
    return done


def _pad(count: Ints, weight: Floats, mean: Floats, scale: Floats, cov: Floats) -> int:
    """Fill every row up to the longest by its first node with weight 0, and return the length."""
    longest = int(count.max())
    for s in range(len(count)):
        for g in range(count[s], longest):
            weight[s, g] = 0.0
            for k in range(len(mean)):
                mean[k, s, g], scale[k, s, g] = mean[k, s, 0], scale[k, s, 0]
            for q in range(len(cov)):
                cov[q, s, g] = cov[q, s, 0]
    return longest


def _ar1_posterior(
    products: Floats,
    log_v: Floats,
    df: Ints,
    prior: Floats,
    contrasts: Floats,
    side: Floats,
    start: Floats,
    unit: Floats,
    negligible: float,
    weight: Floats,
    mean: Floats,
    scale: Floats,
    cov: Floats,
    coefficients: Floats,
    effective: Floats,
    joint: Floats,
    marginal: Floats,
) -> int:
    """Weigh the nodes of AR(1) noise, given A (entries, S, nodes) and log|V| (S, nodes); see `_robust_posterior`."""
    entries, series, nodes = products.shape
    k_count, p = contrasts.shape[1:]
    own, zero = np.zeros((3, entries, nodes)), np.zeros(1)
    factors, weights = np.empty((1, entries, nodes)), np.empty((1, nodes))
    work = np.empty((entries + 2 * p + k_count * (p + 2) + len(cov), nodes))
    count = np.empty(series, dtype=np.intp)
    for s in range(series):
        own[1] = products[:, s]
        _weigh(own, log_v[s], 0.0, zero, prior, df[s], p, work, factors, weights)
        count[s] = _keep(
            s, factors, weights, zero, contrasts[s], side[s], start[s], unit[s], df[s], negligible, work,
            weight, mean, scale, cov, coefficients, effective, joint, marginal,
        )  # fmt: skip
    return _pad(count, weight, mean, scale, cov)


def _robust_posterior(
    z: Floats,
    observed: Bools,
    treated: Bools,
    owner: Ints,
    on_treated: Bools,
    power: Floats,
    share: Floats,
    ratio: Floats,
    tilt: Floats,
    df: Ints,
    prior: Floats,
    contrasts: Floats,
    side: Floats,
    start: Floats,
    unit: Floats,
    negligible: float,
    weight: Floats,
    mean: Floats,
    scale: Floats,
    cov: Floats,
    coefficients: Floats,
    effective: Floats,
    joint: Floats,
    marginal: Floats,
) -> int:
    """Write the nodes that carry weight, series by series, and return the number of nodes of the longest row.

    z (S, D, p + 1) standardised columns and values; owner, on_treated (C,) the phase parts of its columns; power (D + 1,
    nodes) holds phi^d in row d and zeros in row 0; prior (ratios, nodes). To be filled: weight (S, G), mean and scale (K, S, G),
    cov (pairs, S, G), coefficients (S, p), effective (S, K), joint (S, nodes) and marginal (S, ratios).
    """
    series, size = z.shape[0], z.shape[2]
    k_count, p = contrasts.shape[1:]
    entries, parts, nodes = size * (size + 1) // 2, len(owner), len(share)
    fresh = (1.0 - power * power) * (1.0 - share)
    cross, products, log_v = np.empty((parts * (parts + 1) // 2, nodes)), np.empty((3, entries, nodes)), np.empty(nodes)
    x, v = np.empty((parts, nodes)), np.empty((parts, nodes))
    factors, weights = np.empty((len(ratio), entries, nodes)), np.empty((len(ratio), nodes))
    work = np.empty((entries + 2 * p + k_count * (p + 2) + len(cov) + 2, nodes))
    count = np.empty(series, dtype=np.intp)
    for s in range(series):
        _whiten(z[s], observed[s], treated[s], owner, on_treated, power, fresh, share, work, x, v, cross, log_v)
        _by_power(cross, owner, on_treated, products)
        _weigh(products, log_v, tilt[s], ratio, prior, df[s], p, work, factors, weights)
        count[s] = _keep(
            s, factors, weights, ratio, contrasts[s], side[s], start[s], unit[s], df[s], negligible, work,
            weight, mean, scale, cov, coefficients, effective, joint, marginal,
        )  # fmt: skip
    return _pad(count, weight, mean, scale, cov)
