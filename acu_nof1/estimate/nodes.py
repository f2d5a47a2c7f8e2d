"""What the day-to-day noise may look like: nodes and priors of its parameters.

phi is the autocorrelation, corr(u_s, u_t) = phi^|s-t| on the calendar, with the arcsine prior (1 - phi^2)^(-1/2), which
is the weight function of the Gauss-Chebyshev nodes. The robust noise adds a white-noise share lambda and the log ratio r
of the baseline to the treatment SD:

    y_t = x_t' beta + s_phase [sqrt(1 - lambda) u_t + sqrt(lambda) e_t] sigma,   s = e^(r/2) and e^(-r/2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

ANGLE_KNOTS = np.arcsin([-1.0, -0.5, -0.2, 0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.87, 0.95, 1.0])
SHARE_KNOTS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
RATIO_KNOTS = np.array([-1.2, -0.8, -0.5, -0.25, 0.0, 0.25, 0.5, 0.8, 1.2])

GRADED_PER_ROOT = 2.25
"""Graded nodes of phi for each square root of the number of answered days: an error of 5e-4 of the width."""


@dataclass(frozen=True)
class Learned:
    """How much more often than the usual prior says do the days of people look like this?

    The usual prior is cut into overlapping pieces: hats on `ANGLE_KNOTS` in the angle arcsin phi, times no white noise
    or hats on `SHARE_KNOTS` in lambda; and hats on `RATIO_KNOTS` in r. Each piece is raised or lowered as a whole, so
    that the learned prior stays continuous, and the usual one is the special case of ones.

    Attributes
    ----------
    people : int
        How many diaries it was learned from.
    days : tuple of (1 + share knots) numbers for each angle knot
        Factors of the pieces of phi and lambda; the first of each is that without white noise.
    ratio : tuple of numbers
        Factors of the pieces of r.
    """

    people: int
    days: tuple[tuple[float, ...], ...]
    ratio: tuple[float, ...]

    def log_factor(self, phi: Floats, share: Floats, ratio: Floats) -> Floats:
        """Log of prior over usual prior at every combination, (phi, share, ratio)."""
        days = angle_hats(phi) @ np.array(self.days) @ share_hats(share).T
        return np.asarray(np.log(days)[:, :, None] + np.log(ratio_hats(ratio) @ np.array(self.ratio)))


def hats(x: Floats, knots: Floats) -> Floats:
    """The straight-sided hats on these knots, (x, knots): they sum to 1, beyond the ends too."""
    return BSpline.design_matrix(np.clip(x, knots[0], knots[-1]), np.r_[knots[0], knots, knots[-1]], 1).toarray()


def angle_hats(phi: Floats) -> Floats:
    """Which pieces of the prior of phi is each value in? (phi, angle knots)."""
    return hats(np.arcsin(phi), ANGLE_KNOTS)


def share_hats(share: Floats) -> Floats:
    """Which pieces of the prior of lambda is each value in? (share, 1 + share knots): first, no white noise at all."""
    none = share == 0
    return np.column_stack([none, hats(share, SHARE_KNOTS) * ~none[:, None]])


def ratio_hats(ratio: Floats) -> Floats:
    """Which pieces of the prior of r is each value in? (ratio, ratio knots)."""
    return hats(ratio, RATIO_KNOTS)


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
    learned : Learned, optional
        What other people's diaries taught about these priors.
    """

    phi_nodes: int
    share_nodes: int = 0
    share_atom: float = 1.0
    ratio_nodes: int = 1
    ratio_sd: float = 0.0
    learned: Learned | None = None

    @property
    def name(self) -> str:
        """What it is called where methods are named."""
        if self.learned is not None:
            return f"robust, its noise learned from {self.learned.people} people"
        return "AR(1)" if self.is_ar1 else "robust"

    @property
    def is_ar1(self) -> bool:
        """Is phi the only noise parameter?"""
        return self.share_nodes == 0 and self.ratio_nodes == 1


NoiseChoice = Noise | Mapping[str, Noise] | None
"""One noise for all series, one by the name of the outcome (the usual one for others), or the usual one for all."""

AR1 = Noise(phi_nodes=48)
ROBUST = Noise(phi_nodes=24, share_nodes=8, share_atom=0.5, ratio_nodes=13, ratio_sd=0.5)
ROBUST_COUNTS = Noise(phi_nodes=24, share_nodes=8, share_atom=0.0, ratio_nodes=13, ratio_sd=0.8)


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


@dataclass(frozen=True, eq=False)
class Nodes:
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
        """Length of the axes phi, share and ratio."""
        return len(self.phi), len(self.share), len(self.ratio)

    @property
    def is_ar1(self) -> bool:
        """Is there neither white noise nor a difference between the phases?"""
        return self.shape[1:] == (1, 1) and self.share[0] == 0 and self.ratio[0] == 0

    @property
    def neighbour_correlation(self) -> Floats:
        """How strongly does the noise of a day resemble that of the next? phi (1 - lambda) at every node of the two."""
        return np.asarray(self.phi[:, None] * (1 - self.share)).ravel()


@lru_cache(maxsize=256)
def grid(noise: Noise, phi: int, share: int, ratio: int) -> Nodes:
    """Lay out so many nodes of each axis, with the log prior of each combination."""
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
    log_prior = np.log(phi_prior[:, None, None] * share_prior[:, None] * (ratio_prior / ratio_prior.sum()))
    if noise.learned is not None:
        log_prior += noise.learned.log_factor(phi_nodes, share_nodes, ratio_nodes)
    return Nodes(
        phi=phi_nodes,
        phi_edges=phi_edges,
        share=share_nodes,
        share_edges=share_edges,
        ratio=ratio_nodes,
        ratio_edges=np.append(ratio_nodes - half, ratio_nodes[-1] + half),
        log_prior=log_prior,
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


def grids(noise: Noise, answered: Ints, baseline: Ints) -> Iterator[tuple[Nodes, Ints]]:
    """Which nodes does each series need? Rows in groups of equal nodes.

    Parameters
    ----------
    noise : Noise
        The least number of nodes, and the priors.
    answered, baseline : (R,) of int
        Answered days of each series, and how many of them are baseline days.
    """
    root = np.sqrt(answered)
    phi = phi_nodes_needed(answered, noise.phi_nodes, np.pi if noise.is_ar1 else GRADED_PER_ROOT)
    share = np.where(noise.share_nodes, np.maximum(noise.share_nodes, 2 * np.ceil(0.375 * root)), 0)
    # Posterior SD of r with independent days; nodes 1.5 SD apart keep the sum within 0.03 % of the integral.
    with np.errstate(divide="ignore"):
        spread = np.sqrt(0.5 / baseline + 0.5 / (answered - baseline))
    ratio = np.maximum(noise.ratio_nodes, 1 + 2 * np.ceil(3.5 * noise.ratio_sd / (1.5 * spread)))
    needed = np.stack([phi, share, np.where(noise.ratio_nodes > 1, ratio, 1)], axis=1).astype(int)
    kinds, which = np.unique(needed, axis=0, return_inverse=True)
    for kind, counts in enumerate(kinds.tolist()):
        yield grid(noise, *counts), np.flatnonzero(which.ravel() == kind)
