"""The integrated-autocorrelation kernel: straight-line models of daily values, on arrays of many series.

The model is y = X beta + sigma u on the calendar, with corr(u_s, u_t) = phi^|s-t|, so that missing days are exact.
With flat beta, 1/sigma and the arcsine prior (1 - phi^2)^(-1/2) everything is closed form given phi, and phi is
summed over Gauss-Chebyshev nodes, whose weight function is that prior. The robust noise adds a white-noise share
lambda and the log ratio r of the baseline to the treatment SD:

    y_t = x_t' beta + s_phase [sqrt(1 - lambda) u_t + sqrt(lambda) e_t] sigma,   s = e^(r/2) and e^(-r/2).

For each node, with V its correlation matrix, A = [X'V^-1 X, X'V^-1 y; ., y'V^-1 y] gives b, RSS and

    log w = log prior - 1/2 (log|V| + log|X'V^-1 X| + nu log RSS),   nu = n - p,
    c'beta ~ t_nu(c'b, sqrt(RSS / nu c'(X'V^-1 X)^-1 c)).

The posterior of a contrast is the mixture of these t distributions over the nodes: no sampling, no optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize

from acu_nof1 import compiled
from acu_nof1.distribution import Cells, RatioMixture, TMixture

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]

GRADED_PER_ROOT = 2.25
"""Graded nodes of phi for each square root of the number of answered days: an error of 5e-4 of the width."""
NEGLIGIBLE = 1e-10
"""Nodes with less posterior weight than this are left out of the mixture."""
NUMBERS_AT_ONCE = 1 << 19
"""Numbers held by one intermediate array: bounds the memory whatever the size of the cohort."""
SERIES_AT_ONCE = 2048
"""Series whose design is held in memory at once."""
SINGULAR = 1e-10
"""Pivot of unit-length columns below which the answered days cannot tell the columns apart."""
NEARLY_ONE = np.pi / 2 - 1e-4
"""Largest angle of phi = sin(angle) in the search for the REML mode: phi = 1 - 5e-9."""
NO_NOISE = 1e-16
"""Share of the values' variation below which what is left around the model is rounding."""


@dataclass(frozen=True)
class Noise:
    """What may the day-to-day noise look like? The nodes and priors of its parameters.

    More answered days need finer nodes: the numbers here are the least that are used.

    Attributes
    ----------
    phi_nodes : int
        Nodes of the autocorrelation phi, in (-1, 1), arcsine prior.
    share_nodes : int
        Gauss-Legendre nodes of the white-noise share lambda, uniform on (0, 1); 0 for none.
    share_atom : float
        Prior probability that there is no white noise at all.
    ratio_nodes : int
        Nodes of r, the log of baseline SD over treatment SD; 1 for equal SDs.
    ratio_sd : float
        Prior SD of r, which is normal around 0.
    """

    phi_nodes: int
    share_nodes: int = 0
    share_atom: float = 1.0
    ratio_nodes: int = 1
    ratio_sd: float = 0.0

    @property
    def is_ar1(self) -> bool:
        """Is phi the only noise parameter?"""
        return self.share_nodes == 0 and self.ratio_nodes == 1


AR1 = Noise(phi_nodes=48)
ROBUST = Noise(phi_nodes=24, share_nodes=8, share_atom=0.5, ratio_nodes=13, ratio_sd=0.5)
ROBUST_COUNTS = Noise(phi_nodes=24, share_nodes=8, share_atom=0.0, ratio_nodes=13, ratio_sd=0.8)


@dataclass(frozen=True, eq=False)
class Fit:
    """What do the answered days say about the contrasts of each series?

    S series, G nodes that carry weight (padded with weight 0), K contrasts, p columns. Rows that are not estimable
    are NaN and `reason` says why.

    Attributes
    ----------
    weight : (S, G)
        Posterior weight of each node; sums to 1.
    mean : (S, G, K)
        Contrast estimates given the node, in the unit of the outcome.
    cov : (S, G, K, K)
        Squared scales of the joint t: RSS/nu C (X'V^-1 X)^-1 C'.
    df : (S,)
        Degrees of freedom nu = answered days - p.
    node : (S, G) of int
        Number of the node on the grid of the noise parameters; see `phi`, `share` and `log_ratio`.
    sigma2 : (S, G)
        RSS / nu, the noise variance given the node, in squared units of the outcome.
    coefficients : (S, p)
        Posterior mean of beta.
    side : (S, K)
        1 for contrasts of baseline columns only, -1 for treatment columns only, 0 for both.
    axes : (S, 3) of int
        Length of the three axes of that grid.
    phi_posterior, share_posterior, ratio_posterior : Cells
        Posteriors of the noise parameters over all nodes.
    reason : tuple of S strings
        "" where estimable, else why not, in plain words.
    """

    weight: Floats
    mean: Floats
    cov: Floats
    df: Floats
    node: NDArray[np.int32]
    sigma2: Floats
    coefficients: Floats
    side: Floats
    axes: Ints
    phi_posterior: Cells
    share_posterior: Cells
    ratio_posterior: Cells
    reason: tuple[str, ...]

    @property
    def phi(self) -> Floats:
        """Which autocorrelation does each node stand for? Shape (S, G)."""
        return self._on_axis(self.phi_posterior, self.node // (self.axes[:, 1] * self.axes[:, 2])[:, None])

    @property
    def share(self) -> Floats:
        """Which white-noise share lambda does each node stand for? Shape (S, G)."""
        return self._on_axis(self.share_posterior, self.node // self.axes[:, 2:] % self.axes[:, 1:2])

    @property
    def log_ratio(self) -> Floats:
        """Which log SD ratio r does each node stand for? Shape (S, G)."""
        return self._on_axis(self.ratio_posterior, self.node % self.axes[:, 2:])

    @staticmethod
    def _on_axis(axis: Cells, place: Ints) -> Floats:
        return np.take_along_axis(axis.nodes, place.astype(np.intp), axis=1)

    def mixture(self, k: int = 0) -> TMixture:
        """What is known about contrast k?"""
        return TMixture(self.weight, self.mean[:, :, k], np.sqrt(self.cov[:, :, k, k]), self.df)

    def ratio(self, after: int, before: int) -> RatioMixture:
        """What is known about the ratio of contrast `after` to contrast `before`?"""
        return RatioMixture(
            weight=self.weight,
            before=self.mean[:, :, before],
            after=self.mean[:, :, after],
            var_before=self.cov[:, :, before, before],
            var_after=self.cov[:, :, after, after],
            cov=self.cov[:, :, after, before],
            df=self.df,
        )

    def phi_summary(self, p: ArrayLike = (0.025, 0.975)) -> tuple[Floats, Floats]:
        """How strongly does one day resemble the next? Posterior mean (S,) and quantiles p of phi."""
        return self.phi_posterior.centre, self.phi_posterior.quantile(p)

    def share_summary(self, p: ArrayLike = (0.025, 0.975)) -> tuple[Floats, Floats]:
        """Which share of the noise is white? Posterior mean (S,) and quantiles p of lambda."""
        return self.share_posterior.centre, self.share_posterior.quantile(p)

    def probability_phi_above(self, phi: float) -> Floats:
        """How probable is an autocorrelation above phi? Shape (S,); high near 1 means slow drifts."""
        return np.asarray(1 - self.phi_posterior.cdf(phi))

    def effective_days(self, k: int = 0) -> Floats:
        """How many independent days would tell as much about contrast k?

        The noise variance of a single day over the variance of the contrast, averaged over the posterior: for the
        mean of a phase of n independent days this is n. A contrast across phases is measured against the geometric
        mean of the two phases' SDs.
        """
        day = self.sigma2 * np.exp(self.side[:, k, None] * self.log_ratio)
        return np.asarray(np.sum(self.weight * day / self.cov[:, :, k, k], axis=1))


def fit(
    values: ArrayLike, columns: ArrayLike, treated: ArrayLike, contrasts: ArrayLike, noise: Noise = ROBUST
) -> Fit:
    """What do the answered days say about the contrasts of each series?

    Parameters
    ----------
    values : (S, D)
        Daily values on consecutive calendar days; NaN for days without an answer and for padding.
    columns : (S, D, p)
        Design X, finite wherever a value is.
    treated : (S, D) of bool
        False for the days whose noise has the baseline SD.
    contrasts : (S, K, p)
        Each row c asks for c'beta.
    noise : Noise
        What the noise may look like.

    Returns
    -------
    Fit
        The posterior mixtures; series that cannot be estimated say why in `reason`.

    Raises
    ------
    ValueError
        When shapes disagree, a value is infinite, or the design is not finite on an answered day.
    """
    y, x = np.asarray(values, dtype=float), np.asarray(columns, dtype=float)
    group, c = np.asarray(treated, dtype=bool), np.asarray(contrasts, dtype=float)
    _check_shapes(y, x, group, c)
    parts = _Parts(len(y), x.shape[2], c.shape[1])
    compile_it = not noise.is_ar1 and len(y) >= compiled.WORTH_COMPILING and compiled.available()
    posterior = _compiled_posterior if compile_it else _posterior
    for start in range(0, len(y), SERIES_AT_ONCE):
        here = slice(start, start + SERIES_AT_ONCE)
        data = _standardise(y[here], x[here], group[here], c[here])
        parts.reasons += data.reason
        for nodes, rows in _by_nodes(noise, data):
            for some in _split(rows, nodes, data.z.shape[2]):
                parts.add(start, some, data, nodes, posterior(data, some, nodes))
    return parts.fit()


@dataclass(frozen=True)
class Gls:
    """What does one series say when its autocorrelation is taken as known?

    Attributes
    ----------
    phi : float
        The autocorrelation.
    coefficients : (p,)
        Generalised least squares estimates of beta.
    cov : (p, p)
        Their covariance, RSS/nu (X'R^-1 X)^-1.
    sigma : float
        Residual SD, sqrt(RSS / nu).
    loglik : float
        Restricted log likelihood, with the constants of `nlme`.
    """

    phi: float
    coefficients: Floats
    cov: Floats
    sigma: float
    loglik: float


def gls(values: ArrayLike, columns: ArrayLike, phi: float) -> Gls:
    """What does one series say at a given autocorrelation?

    Parameters
    ----------
    values : (D,)
        Daily values, NaN for days without an answer.
    columns : (D, p)
        Design.
    phi : float
        In (-1, 1).

    Raises
    ------
    ValueError
        When the series is not estimable.
    """
    data = _one_series(values, columns)
    return _gls(data, _gap_statistics(data, np.array([0])), phi)


def reml_mode(values: ArrayLike, columns: ArrayLike) -> Gls:
    """At which autocorrelation in [0, 1) is the restricted likelihood highest?

    The best of 200 points, then bounded maximisation between its neighbours; the REML criterion of
    Patterson & Thompson (1971, Biometrika 58:545) as maximised by R's `nlme::gls` with `corCAR1`, without the prior
    of phi.

    Parameters
    ----------
    values, columns
        As for `gls`.

    Raises
    ------
    ValueError
        When the series is not estimable.
    """
    data = _one_series(values, columns)
    statistics = _gap_statistics(data, np.array([0]))
    angles = np.linspace(0.0, NEARLY_ONE, 201)
    best = int(np.argmax(_restricted(data, statistics, np.sin(angles))[0]))
    found = optimize.minimize_scalar(
        lambda angle: -_restricted(data, statistics, np.sin([angle]))[0][0],
        bounds=(angles[max(best - 1, 0)], angles[min(best + 1, 200)]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    candidates = [_gls(data, statistics, float(np.sin(angle))) for angle in (found.x, angles[best])]
    return max(candidates, key=lambda result: result.loglik)


def chebyshev(count: int) -> tuple[Floats, Floats]:
    """Which nodes carry equal weights under the arcsine prior on (-1, 1)?

    Returns
    -------
    nodes : (count,)
        phi_g = sin((-1/2 + (g + 1/2)/count) pi), in increasing order: Gauss-Chebyshev.
    edges : (count + 1,)
        Ends of the cells of equal prior probability around them.
    """
    angles = (-0.5 + np.arange(2 * count + 1) / (2 * count)) * np.pi
    both = np.sin(angles)
    return both[1::2], both[::2]


def graded(count: int) -> tuple[Floats, Floats, Floats]:
    """Which nodes resolve phi near 1, where a drift and white noise are told apart?

    With white noise in the model the posterior changes fast as phi approaches 1: random walk or constant. The angle
    of phi = sin(angle) is -pi/2 + pi sin(pi v / 2) at the midpoints v of equal cells of (0, 1), with weight
    cos(pi v / 2), so the nodes crowd there while the prior stays the arcsine. 24 of them err less than 48 of `chebyshev`.

    Returns
    -------
    nodes : (count,)
        In increasing order.
    edges : (count + 1,)
        Ends of the cells around them.
    weights : (count,)
        Relative weights of the nodes under the arcsine prior.
    """
    v = np.arange(2 * count + 1) / (2 * count)
    both = np.sin(-np.pi / 2 + np.pi * np.sin(np.pi * v / 2))
    return both[1::2], both[::2], np.cos(np.pi * v[1::2] / 2)


def phi_nodes_needed(answered: Ints, least: int, per_root: float = np.pi) -> Ints:
    """How many nodes of phi keep the error of the integral negligible? max(least, pi sqrt(n)), in steps of 8."""
    return np.asarray(np.maximum(least, 8 * np.ceil(per_root * np.sqrt(answered) / 8)), dtype=np.intp)


# --- nodes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The grid of the noise parameters: axes, the cells of each axis, and the log prior of every node."""

    phi: Floats
    phi_edges: Floats
    share: Floats
    share_edges: Floats
    ratio: Floats
    ratio_edges: Floats
    log_prior: Floats

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.phi), len(self.share), len(self.ratio)


@lru_cache(maxsize=256)
def _nodes(noise: Noise, phi: int, share: int, ratio: int) -> _Nodes:
    if noise.is_ar1:
        (phi_nodes, phi_edges), phi_prior = chebyshev(phi), _phi_weights(phi)
    else:
        phi_nodes, phi_edges, phi_prior = graded(phi)
    legendre, legendre_weight = np.polynomial.legendre.leggauss(share) if share else (np.empty(0), np.empty(0))
    atom = [0.0] if noise.share_atom > 0 else []
    share_nodes = np.concatenate([atom, (legendre + 1) / 2])
    share_prior = np.concatenate([[noise.share_atom] * len(atom), (1 - noise.share_atom) * legendre_weight / 2])
    share_edges = np.concatenate([[0.0] * len(atom), [0.0], np.cumsum(legendre_weight / 2)])
    # Equally spaced, not Gauss-Hermite: the posterior of r is three times narrower than its prior.
    end = 3.5 * noise.ratio_sd
    ratio_nodes = np.linspace(-end, end, ratio) if ratio > 1 else np.zeros(1)
    half = end / (ratio - 1) if ratio > 1 else 0.0
    ratio_prior = np.exp(-0.5 * (ratio_nodes / noise.ratio_sd) ** 2) if ratio > 1 else np.ones(1)
    return _Nodes(
        phi=phi_nodes,
        phi_edges=phi_edges,
        share=share_nodes,
        share_edges=share_edges,
        ratio=ratio_nodes,
        ratio_edges=np.append(ratio_nodes - half, ratio_nodes[-1] + half),
        log_prior=np.log(
            phi_prior[:, None, None]
            * share_prior[:, None]
            * (ratio_prior / ratio_prior.sum())
        ),
    )


def _phi_weights(count: int) -> Floats:
    """Relative weights of the Chebyshev nodes for a posterior that vanishes like sqrt(1 + phi) at phi = -1.

    AR(1) posteriors do, because an alternating record has no limit there. In the angle above -pi/2 they are odd, and
    odd powers t, t^3, t^5 cost the midpoint rule zeta(-k, 1/2) h^(k+1) each (Euler-Maclaurin). Three weights take
    that out: an error of 1e-6 with ten answered days becomes 1e-11. The other end, phi = 1, is smooth.
    """
    power = np.array([1, 3, 5])
    zeta = np.array([1 / 24, -7 / 960, 31 / 8064])
    weights = np.ones(count)
    weights[:3] += np.linalg.solve((np.arange(3) + 0.5) ** power[:, None], -zeta)
    return weights


def _by_nodes(noise: Noise, data: _Data) -> Iterator[tuple[_Nodes, Ints]]:
    """Estimable rows, grouped by the nodes their number of answered days needs."""
    root = np.sqrt(data.answered)
    phi = phi_nodes_needed(data.answered, noise.phi_nodes, np.pi if noise.is_ar1 else GRADED_PER_ROOT)
    share = np.where(noise.share_nodes, np.maximum(noise.share_nodes, 2 * np.ceil(0.375 * root)), 0)
    # Posterior SD of r with independent days; nodes 1.5 SD apart keep the sum within 0.03 % of the integral.
    with np.errstate(divide="ignore"):
        spread = np.sqrt(0.5 / data.baseline + 0.5 / (data.answered - data.baseline))
    ratio = np.maximum(noise.ratio_nodes, 1 + 2 * np.ceil(3.5 * noise.ratio_sd / (1.5 * spread)))
    needed = np.stack([phi, share, np.where(noise.ratio_nodes > 1, ratio, 1)], axis=1).astype(int)
    rows = np.flatnonzero(data.estimable)
    kinds, which = np.unique(needed[rows], axis=0, return_inverse=True)
    for kind, counts in enumerate(kinds.tolist()):
        yield _nodes(noise, *counts), rows[which.ravel() == kind]


def _split(rows: Ints, nodes: _Nodes, columns: int) -> Iterator[Ints]:
    per_series = int(np.prod(nodes.shape)) * columns * (columns + 1) // 2
    size = max(1, NUMBERS_AT_ONCE // per_series)
    return (rows[start : start + size] for start in range(0, len(rows), size))


# --- data -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Data:
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
        return np.array([not why for why in self.reason], dtype=bool)

    @property
    def df(self) -> Ints:
        return np.asarray(self.answered - self.norms.shape[1])


def _check_shapes(y: Floats, x: Floats, treated: Bools, contrasts: Floats) -> None:
    if y.ndim != 2 or x.ndim != 3 or x.shape[:2] != y.shape or treated.shape != y.shape:
        raise ValueError(
            f"values must be (S, D), columns (S, D, p) and treated (S, D); they are {y.shape}, {x.shape} "
            f"and {treated.shape}"
        )
    if contrasts.ndim != 3 or contrasts.shape[0] != len(y) or contrasts.shape[2] != x.shape[2]:
        raise ValueError(f"contrasts must be ({len(y)}, K, {x.shape[2]}); they are {contrasts.shape}")
    if np.isinf(y).any():
        raise ValueError("values contain infinity; a day without an answer is NaN")
    if not np.isfinite(x[np.isfinite(y)]).all():
        raise ValueError("columns must be finite on every answered day")


def _standardise(y: Floats, x: Floats, treated: Bools, contrasts: Floats) -> _Data:
    """Take the least-squares fit out of the values and the size out of values and columns.

    The posterior moves with both exactly, because beta is flat. Left in, an offset of 1e6 would cost ten digits.
    """
    observed = np.isfinite(y)
    x = np.where(observed[..., None], x, 0.0)
    y = np.where(observed, y, 0.0)
    answered, p = observed.sum(axis=1), x.shape[2]
    baseline = (observed & ~treated).sum(axis=1)
    norms = np.sqrt(np.sum(x**2, axis=1))
    empty = norms == 0
    norms[empty] = 1.0
    unit_x = x / norms[:, None, :]
    start, pivot = np.zeros((len(y), p)), np.ones(len(y))
    residual = y
    for _ in range(2):  # the second pass removes what rounding left of a large offset
        step, pivot = _least_squares(unit_x, residual)
        start = start + step
        residual = np.where(observed, y - np.einsum("sdp,sp->sd", unit_x, start), 0.0)
    rss = np.sum(residual**2, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = y.sum(axis=1) / answered
        variation = np.sum(np.where(observed, y - centre[:, None], 0.0) ** 2, axis=1)
        unit = np.sqrt(rss / answered)
    constant = np.max(np.where(observed, y, -np.inf), axis=1) <= np.min(np.where(observed, y, np.inf), axis=1)
    reason = tuple(
        _reason(*facts)
        for facts in zip(
            answered.tolist(),
            baseline.tolist(),
            [p] * len(y),
            empty.any(axis=1).tolist(),
            constant.tolist(),
            (pivot < SINGULAR).tolist(),
            (rss <= NO_NOISE * variation).tolist(),
            strict=True,
        )
    )
    unit = np.where([not why for why in reason], unit, 1.0)
    return _Data(
        observed=observed,
        z=np.concatenate([unit_x, residual[..., None] / unit[:, None, None]], axis=2),
        treated=treated,
        contrasts=contrasts / norms[:, None, :],
        side=_side(unit_x, treated, contrasts),
        norms=norms,
        start=start,
        unit=unit,
        answered=answered,
        baseline=baseline,
        reason=reason,
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


def _least_squares(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Ordinary least squares of each series, and the smallest pivot of its columns."""
    p = x.shape[2]
    z = np.concatenate([x, y[..., None]], axis=2)
    packed = np.stack([np.einsum("sd,sd->s", z[:, :, i], z[:, :, j]) for i, j in _pairs(p + 1)])
    with np.errstate(divide="ignore", invalid="ignore"):
        _factor(packed, p + 1)
        pivot = np.min(packed[[_at(j, j) for j in range(p)]], axis=0)
        solution = _coefficients(packed, p)
    singular = ~(pivot >= SINGULAR)
    solution[singular] = 0.0
    return solution, np.where(singular, 0.0, pivot)


def _side(x: Floats, treated: Bools, contrasts: Floats) -> Floats:
    """1 where a contrast uses baseline columns only, -1 treatment columns only, 0 both."""
    on_treated = np.any((x != 0) & treated[..., None], axis=1)
    on_baseline = np.any((x != 0) & ~treated[..., None], axis=1)
    used = contrasts != 0
    uses_treated = np.any(used & on_treated[:, None, :], axis=2)
    uses_baseline = np.any(used & on_baseline[:, None, :], axis=2)
    return np.asarray(np.subtract(uses_baseline, uses_treated, dtype=float))


# --- cross-products A of the whitened columns -----------------------------------------------------------------------
# Symmetric (p+1) x (p+1) matrices are kept as their lower triangle, entry first: (Q, series, nodes).


def _pairs(size: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(size) for j in range(i + 1)]


def _at(i: int, j: int) -> int:
    """Place of entry (i, j), i >= j, in the packed lower triangle."""
    return i * (i + 1) // 2 + j


@dataclass(frozen=True, eq=False)
class _Gaps:
    """Sufficient statistics of AR(1) noise on a calendar with gaps."""

    gaps: Floats
    counts: Floats
    sums: Floats


def _gap_statistics(data: _Data, rows: Ints) -> _Gaps:
    """Sum the products of neighbouring answered days, by the gap between them.

    With e = 1 - phi^d, z_i - phi^d z_(i-1) = (z_i - z_(i-1)) + e z_(i-1): the sums of the products of the difference
    and of the previous day lose no digits when phi is near 1, as those of z_i and z_(i-1) would.
    """
    z, observed = data.z[rows], data.observed[rows]
    if len(rows) >= compiled.WORTH_COMPILING and compiled.available():
        return _Gaps(*compiled.gap_sums(z, observed))
    days = np.arange(z.shape[1])
    last = np.maximum.accumulate(np.where(observed, days, -1), axis=1)
    previous = np.concatenate([np.full((len(rows), 1), -1), last[:, :-1]], axis=1)
    gap = np.where(observed & (previous >= 0), days - previous, 0)
    before = np.take_along_axis(z, np.maximum(previous, 0)[..., None], axis=1)
    paired = gap[..., None] > 0
    change, before = np.where(paired, z - before, 0.0), np.where(paired, before, 0.0)
    first = np.where((observed & (previous < 0))[..., None], z, 0.0).sum(axis=1)
    gaps = np.unique(gap[gap > 0])
    which = (gap[..., None] == gaps).astype(float)
    size = z.shape[2]
    products = np.stack(
        [change[..., i] * change[..., j] for i, j in _pairs(size)]
        + [change[..., i] * before[..., j] + before[..., i] * change[..., j] for i, j in _pairs(size)]
        + [before[..., i] * before[..., j] for i, j in _pairs(size)],
        axis=1,
    )
    by_gap = (products @ which).reshape(len(rows), 3, -1, len(gaps))
    start = np.stack([first[:, i] * first[:, j] for i, j in _pairs(size)])
    sums = np.concatenate([start[..., None], *(by_gap[:, part].transpose(1, 0, 2) for part in range(3))], axis=2)
    return _Gaps(gaps.astype(float), which.sum(axis=1), sums)


def _ar1_products(statistics: _Gaps, phi: Floats) -> tuple[Floats, Floats]:
    """A and log|R| at each phi; the cost does not depend on the number of days.

    A = z_1 z_1' + sum_d [D_d + e C_d + e^2 K_d] / (1 - phi^(2d)),  log|R| = sum_d n_d log(1 - phi^(2d)),
    with D, C, K the sums of change-change, change-before and before-before products and e = 1 - phi^d.
    """
    power = phi[None, :] ** statistics.gaps[:, None]
    lack, more = 1 - power, 1 + power
    basis = np.concatenate([np.ones((1, len(phi))), 1 / (lack * more), 1 / more, lack / more])
    return statistics.sums @ basis, statistics.counts @ np.log(lack * more)


@dataclass(frozen=True, eq=False)
class _Whitened:
    """Cross-products of whitened columns, by the power of e^r that multiplies them: -1, 0, 1."""

    products: tuple[Floats, ...]
    present: tuple[Bools, ...]
    log_det: Floats


def _robust_products(data: _Data, rows: Ints, nodes: _Nodes) -> _Whitened:
    """Whiten baseline and treatment parts of every column by the Kalman filter of AR(1) plus white noise.

    With p = (1 - lambda) P and x = sqrt(1 - lambda) x^ the filter over answered days, d days apart, f = phi^d, is
    p <- f^2 p + (1 - f^2)(1 - lambda), x <- f x, F = p + lambda, K = p / F, v = z - x, x <- x + K v, p <- lambda K;
    v / sqrt(F) is white and log|V| = sum log F. A first day has f = 0, and so has padding (z = 0), which then
    adds exactly nothing.
    """
    days, gap_index, gaps = _answered_steps(data.observed[rows])
    parts, owner, on_treated = _split_columns(data, rows, days)
    phi, share = (axis.ravel() for axis in np.meshgrid(nodes.phi, nodes.share, indexing="ij"))
    power = np.where(gaps[:, None] > 0, phi[None, :] ** gaps[:, None], 0.0)
    square = power**2
    fresh = (1 - square) * (1 - share)
    shape = (len(rows), len(phi))
    count = len(owner)
    p, log_det, run = np.zeros(shape), np.zeros(shape), np.ones(shape)
    x, v, scaled = np.zeros((count, *shape)), np.empty((count, *shape)), np.empty((count, *shape))
    total = [np.zeros((i + 1, *shape)) for i in range(count)]
    for t, which in enumerate(gap_index):
        p *= square[which]
        p += fresh[which]
        f = p + share
        gain = p / f
        run *= f
        if t % 16 == 15:  # the product of a few F cannot underflow; a logarithm each day would cost more
            log_det += np.log(run)
            run.fill(1.0)
        x *= power[which]
        np.subtract(parts[t][..., None], x, out=v)
        np.divide(v, f, out=scaled)
        for i in range(count):
            total[i] += v[i] * scaled[: i + 1]
        v *= gain
        x += v
        np.multiply(gain, share, out=p)
    log_det += np.log(run)
    return _collect(total, owner, on_treated, data.z.shape[2], log_det)


def _answered_steps(observed: Bools) -> tuple[Ints, Ints, Floats]:
    """Which answered days follow each other, and how far apart?

    Returns
    -------
    days : (S, T)
        Day numbers of the answered days in order, -1 for padding.
    index : (T, S)
        Which of `gaps` lies before each step.
    gaps : (J,)
        The distinct gaps; 0 stands for a first day and for padding.
    """
    count = observed.sum(axis=1)
    order = np.argsort(~observed, axis=1, kind="stable")[:, : count.max()]
    inside = np.arange(order.shape[1]) < count[:, None]
    gap = np.where(inside, np.diff(order, axis=1, prepend=order[:, :1]), 0)
    gaps, index = np.unique(gap.T, return_inverse=True)
    return np.where(inside, order, -1), index.reshape(gap.T.shape), gaps.astype(float)


def _split_columns(data: _Data, rows: Ints, days: Ints) -> tuple[Floats, Ints, Bools]:
    """Baseline parts and treatment parts of all columns and of the values, step by step.

    Returns
    -------
    parts : (T, C, S)
        The parts that are not zero everywhere.
    owner : (C,)
        The column each part was cut from.
    on_treated : (C,)
        True for treatment parts.
    """
    place = np.maximum(days, 0)
    z = np.take_along_axis(data.z[rows], place[..., None], axis=1) * (days >= 0)[..., None]
    treated = np.take_along_axis(data.treated[rows], place, axis=1)[..., None]
    both = np.concatenate([np.where(treated, 0.0, z), np.where(treated, z, 0.0)], axis=2)
    used = np.flatnonzero(both.any(axis=(0, 1)))
    columns = z.shape[2]
    return np.ascontiguousarray(both[..., used].transpose(1, 2, 0)), used % columns, used >= columns


def _collect(total: list[Floats], owner: Ints, on_treated: Bools, size: int, log_det: Floats) -> _Whitened:
    """Sum the products of parts into products of columns, by the power of e^r."""
    entries = size * (size + 1) // 2
    products = tuple(np.zeros((entries, *log_det.shape)) for _ in range(3))
    present = tuple(np.zeros(entries, dtype=bool) for _ in range(3))
    for a, rows in enumerate(total):
        for b in range(a + 1):
            i, j = max(owner[a], owner[b]), min(owner[a], owner[b])
            power = int(on_treated[a]) + int(on_treated[b])
            twice = 2.0 if i == j and a != b else 1.0
            products[power][_at(i, j)] += twice * rows[b]
            present[power][_at(i, j)] = True
    return _Whitened(products, present, log_det)


def _scale_phases(whitened: _Whitened, ratio: Floats) -> Floats:
    """A for every log SD ratio r: baseline parts times e^(-r/2), treatment parts times e^(r/2)."""
    entries, *shape = whitened.products[0].shape
    a = np.zeros((entries, *shape, len(ratio)))
    for power, products, present in zip((-1, 0, 1), whitened.products, whitened.present, strict=True):
        factor = np.exp(power * ratio)
        for entry in np.flatnonzero(present):
            a[entry] += products[entry][..., None] * factor
    return a


def _evidence(data: _Data, rows: Ints, nodes: _Nodes) -> tuple[Floats, Floats]:
    """A and log|V| at every node: (Q, S, nodes) and (S, nodes), nodes in the order phi, share, ratio."""
    if nodes.shape[1:] == (1, 1) and nodes.share[0] == 0:
        return _ar1_products(_gap_statistics(data, rows), nodes.phi)
    whitened = _robust_products(data, rows, nodes)
    a = _scale_phases(whitened, nodes.ratio)
    more_baseline = 2 * data.baseline[rows] - data.answered[rows]
    log_det = whitened.log_det[..., None] + (more_baseline[:, None] * nodes.ratio)[:, None, :]
    return a.reshape(len(a), len(rows), -1), log_det.reshape(len(rows), -1)


# --- from cross-products to the posterior ---------------------------------------------------------------------------


def _factor(a: Floats, size: int) -> None:
    """Overwrite packed symmetric matrices by their factors: A = L D L', D on the diagonal and L D below it."""
    for j in range(size):
        inverse = 1 / a[_at(j, j)]
        for i in range(j + 1, size):
            ratio = a[_at(i, j)] * inverse
            for k in range(j + 1, i + 1):
                a[_at(i, k)] -= ratio * a[_at(k, j)]


def _coefficients(factored: Floats, p: int) -> Floats:
    """Least-squares coefficients from the factors of [X, y]: L'b = l, with l the last row of L. Shape (..., p)."""
    b = np.empty((*factored.shape[1:], p))
    for j in reversed(range(p)):
        rest = factored[_at(p, j)] - sum(factored[_at(i, j)] * b[..., i] for i in range(j + 1, p))
        b[..., j] = rest / factored[_at(j, j)]
    return b


def _log_weights(factored: Floats, log_det: Floats, df: Floats | Ints, p: int) -> Floats:
    """The log REML profile -1/2 (log|V| + log|X'V^-1 X| + nu log RSS) from the factors of A."""
    determinant = np.prod(factored[[_at(j, j) for j in range(p)]], axis=0)
    return np.asarray(-0.5 * (log_det + np.log(determinant) + df * np.log(factored[_at(p, p)])))


def _contrast_moments(factored: Floats, contrasts: Floats, p: int) -> tuple[Floats, Floats]:
    """Give c'b and C (X'V^-1 X)^-1 C' of contrasts (M, K, p), from factors (Q, M): with L w = c, c'b = w'l."""
    w: list[Floats] = []
    for j in range(p):
        known = sum((factored[_at(j, k)] / factored[_at(k, k)])[:, None] * w[k] for k in range(j))
        w.append(contrasts[:, :, j] - known)
    stacked = np.stack(w, axis=2)
    diagonal = np.stack([factored[_at(j, j)] for j in range(p)], axis=1)
    last = np.stack([factored[_at(p, j)] for j in range(p)], axis=1) / diagonal
    return np.einsum("mkj,mj->mk", stacked, last), np.einsum("mkj,mlj,mj->mkl", stacked, stacked, 1 / diagonal)


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Nodes that carry weight, series by series: still on the common scale of `_Data`."""

    series: Ints
    node: Ints
    weight: Floats
    rss: Floats
    mean: Floats
    inverse: Floats
    coefficients: Floats
    marginals: tuple[Floats, Floats, Floats]


def _posterior(data: _Data, rows: Ints, nodes: _Nodes) -> _Posterior:
    """Weigh every node and keep those that matter."""
    p, df = data.norms.shape[1], data.df[rows]
    a, log_det = _evidence(data, rows, nodes)
    _factor(a, p + 1)
    log_weight = _log_weights(a, log_det, df[:, None], p) + nodes.log_prior.ravel()
    weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    cube = weight.reshape(len(rows), *nodes.shape)
    series, node = np.nonzero(weight > NEGLIGIBLE)
    kept, factored = weight[series, node], a[:, series, node]
    total = np.bincount(series, kept)
    mean, inverse = _contrast_moments(factored, data.contrasts[rows[series]], p)
    sums = [np.bincount(series, kept * column) for column in _coefficients(factored, p).T]
    return _Posterior(
        series=series,
        node=node,
        weight=kept / total[series],
        rss=factored[_at(p, p)],
        mean=mean,
        inverse=inverse,
        coefficients=np.stack(sums, axis=1) / total[:, None],
        marginals=(cube.sum(axis=(2, 3)), cube.sum(axis=(1, 3)), cube.sum(axis=(1, 2))),
    )


def _compiled_posterior(data: _Data, rows: Ints, nodes: _Nodes) -> _Posterior:
    """The same as `_posterior` for large batches of robust noise."""
    series, k, p = len(rows), data.contrasts.shape[1], data.norms.shape[1]
    z, treated = data.z[rows], data.treated[rows]
    used = [np.any(z[side].reshape(-1, p + 1), axis=0) for side in (~treated, treated)]
    owner = np.concatenate([np.flatnonzero(side) for side in used])
    power = nodes.phi ** np.arange(z.shape[1] + 1)[:, None]
    power[0] = 0.0
    length = series * int(np.prod(nodes.shape))
    row, node = np.empty(length, dtype=np.intp), np.empty(length, dtype=np.intp)
    out = np.empty((length, 2 + k + k * k))
    coefficients, marginals = np.empty((series, p)), np.zeros((series, sum(nodes.shape)))
    count = compiled.posterior(
        z,
        data.observed[rows],
        owner,
        np.repeat([False, True], [used[0].sum(), used[1].sum()]),
        treated,
        data.contrasts[rows],
        (2 * data.baseline[rows] - data.answered[rows]).astype(float),
        nodes.phi,
        nodes.share,
        nodes.ratio,
        nodes.log_prior.ravel(),
        power,
        NEGLIGIBLE,
        row,
        node,
        out,
        coefficients,
        marginals,
    )
    row, node, out = row[:count], node[:count], out[:count]
    ends = np.cumsum(nodes.shape)
    return _Posterior(
        series=row,
        node=node,
        weight=out[:, 0] / np.bincount(row, out[:, 0])[row],
        rss=out[:, 1],
        mean=out[:, 2 : 2 + k],
        inverse=out[:, 2 + k :].reshape(count, k, k),
        coefficients=coefficients,
        marginals=(marginals[:, : ends[0]], marginals[:, ends[0] : ends[1]], marginals[:, ends[1] :]),
    )


class _Parts:
    """Collects the nodes that carry weight, series by series, and lays them out as a `Fit`."""

    def __init__(self, series: int, p: int, k: int) -> None:
        self.shape = series, p, k
        self.reasons: tuple[str, ...] = ()
        self.row: list[Ints] = []
        self.node: list[NDArray[np.int32]] = []
        self.shapes = np.ones((series, 3), dtype=np.intp)
        self.columns: dict[str, list[Floats]] = {}
        self.coefficients = np.full((series, p), np.nan)
        self.df = np.full(series, np.nan)
        self.side = np.full((series, k), np.nan)
        self.axes: list[tuple[Ints, _Nodes, tuple[Floats, Floats, Floats]]] = []

    def add(self, start: int, rows: Ints, data: _Data, nodes: _Nodes, found: _Posterior) -> None:
        """Take in the posterior of these rows, in the units of their series."""
        here, unit = rows[found.series], data.unit[rows[found.series]]
        sigma2 = found.rss / data.df[here] * unit**2
        at_start = np.einsum("skp,sp->sk", data.contrasts[rows], data.start[rows])
        self.coefficients[start + rows] = (
            data.start[rows] + data.unit[rows, None] * found.coefficients
        ) / data.norms[rows]
        self.df[start + rows], self.side[start + rows] = data.df[rows], data.side[rows]
        self.axes.append((start + rows, nodes, found.marginals))
        self.shapes[start + rows] = nodes.shape
        self.node.append(found.node.astype(np.int32))
        self.row.append(start + here)
        for name, column in {
            "weight": found.weight,
            "mean": at_start[found.series] + unit[:, None] * found.mean,
            "cov": sigma2[:, None, None] * found.inverse,
            "sigma2": sigma2,
        }.items():
            self.columns.setdefault(name, []).append(column)

    def fit(self) -> Fit:
        """Lay everything out, one row for each series."""
        series, _, k = self.shape
        row = np.concatenate([*self.row, np.empty(0, dtype=np.intp)])
        ordered = bool(np.all(row[1:] >= row[:-1]))
        order = np.argsort(row, kind="stable")
        counts = np.bincount(row, minlength=series)
        layout = {"mean": (k,), "cov": (k, k)}
        node = np.concatenate([*self.node, np.empty(0, dtype=np.int32)])
        names = ("weight", "mean", "cov", "sigma2")
        padded = {}
        for name in names:
            shape = layout.get(name, ())
            flat = np.concatenate([*self.columns.get(name, []), np.empty((0, *shape))])
            flat = flat if ordered else flat[order]
            padded[name] = _pad(flat, counts, 0.0 if name == "weight" else None)
        return Fit(
            **padded,
            node=_pad(node if ordered else node[order], counts, 0),
            axes=self.shapes,
            df=self.df,
            coefficients=self.coefficients,
            side=self.side,
            phi_posterior=self._cells(0),
            share_posterior=self._cells(1),
            ratio_posterior=self._cells(2),
            reason=self.reasons,
        )

    def _cells(self, axis: int) -> Cells:
        """The posterior of one noise parameter, padded to the longest axis."""
        series = self.shape[0]
        grids = [
            (rows, *((n.phi, n.phi_edges), (n.share, n.share_edges), (n.ratio, n.ratio_edges))[axis], weights[axis])
            for rows, n, weights in self.axes
        ]
        length = max((len(nodes) for _, nodes, _, _ in grids), default=1)
        nodes, weight = np.full((series, length), np.nan), np.full((series, length), np.nan)
        edges = np.full((series, length + 1), np.nan)
        for rows, node, edge, some in grids:
            extra = length - len(node)
            nodes[rows] = np.pad(node, (0, extra), mode="edge")
            edges[rows] = np.pad(edge, (0, extra), mode="edge")
            weight[rows] = np.pad(some, ((0, 0), (0, extra)))
        return Cells(nodes, weight, edges)


Numbers = TypeVar("Numbers", Floats, NDArray[np.int32])


def _pad(flat: Numbers, counts: Ints, fill: float | None) -> Numbers:
    """Rows of unequal length as one array; the end of a row repeats its first entry, or is `fill`.

    Repeating keeps padding harmless: a node of weight 0 with the centre and scale of a real one. Empty rows are NaN,
    or 0 where numbers are whole.
    """
    width = max(int(counts.max(initial=0)), 1)
    result = np.empty((len(counts), width, *flat.shape[1:]), dtype=flat.dtype)
    real = np.arange(width) < counts[:, None]
    result[real] = flat
    first = np.zeros((len(counts), *flat.shape[1:]), dtype=flat.dtype)
    filled = np.flatnonzero(counts)
    if fill is None:
        first[filled] = flat[np.cumsum(counts)[filled] - counts[filled]]
    if flat.dtype.kind == "f":
        first[counts == 0] = np.nan
    result[~real] = np.repeat(first, width - counts, axis=0)
    return result


# --- one series at one phi ------------------------------------------------------------------------------------------


def _one_series(values: ArrayLike, columns: ArrayLike) -> _Data:
    y, x = np.asarray(values, dtype=float)[None], np.asarray(columns, dtype=float)[None]
    group, c = np.zeros(y.shape, dtype=bool), np.eye(x.shape[2])[None]
    _check_shapes(y, x, group, c)
    data = _standardise(y, x, group, c)
    if data.reason[0]:
        raise ValueError(f"this series cannot be estimated: {data.reason[0]}")
    return data


def _restricted(data: _Data, statistics: _Gaps, phi: Floats) -> tuple[Floats, Floats]:
    """Restricted log likelihood at each phi, and the factors of A.

    In the units of the series it is the profile + nu/2 (log nu - 1 - log 2 pi).
    """
    p, nu = data.norms.shape[1], data.df[:1]
    a, log_det = _ar1_products(statistics, phi)
    _factor(a, p + 1)
    constant = nu / 2 * (np.log(nu) - 1 - np.log(2 * np.pi)) - nu * np.log(data.unit[0]) - np.log(data.norms[0]).sum()
    return _log_weights(a, log_det, nu, p)[0] + constant, a[:, 0]


def _gls(data: _Data, statistics: _Gaps, phi: float) -> Gls:
    """Generalised least squares at phi, in the units of the series."""
    p, unit = data.norms.shape[1], float(data.unit[0])
    loglik, factored = _restricted(data, statistics, np.array([phi]))
    mean, inverse = _contrast_moments(factored, data.contrasts, p)
    sigma2 = float(factored[_at(p, p), 0]) / int(data.df[0]) * unit**2
    return Gls(
        phi=phi,
        coefficients=data.start[0] / data.norms[0] + unit * mean[0],
        cov=sigma2 * inverse[0],
        sigma=float(np.sqrt(sigma2)),
        loglik=float(loglik[0]),
    )
