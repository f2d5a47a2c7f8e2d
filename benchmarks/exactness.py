"""Is the kernel exact? With everything drawn from its prior, an interval of level L must cover in L of the runs.

    python benchmarks/coverage.py --gate G0

14 baseline and 42 treatment days, 30 % of them missing, phi (and in robust mode the white-noise share and the SD
ratio) drawn from the prior, any coefficients and SD. One probability integral transform F(truth) of each run gives
the coverage of all central intervals. The deliberate errors are run beside it: a gate that they passed would be blind.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import pandas as pd
from calibration import generator
from numpy.typing import NDArray
from running import Job

from acu_nof1 import compiled
from acu_nof1.estimate import kernel, posterior, products
from acu_nof1.estimate.kernel import AR1, ROBUST, Fit, Noise
from acu_nof1.estimate.packed import at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Row

    from acu_nof1.estimate.nodes import Nodes
    from acu_nof1.estimate.products import Gaps
    from acu_nof1.estimate.series import Batch

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

BASELINE, DAYS, MISSING = 14, 56, 0.3
BATCH = 500
BOUNDS = {
    "ar1": {0.5: 0.010, 0.8: 0.008, 0.95: 0.0045, 0.99: 0.002},
    "robust": {0.5: 0.010, 0.8: 0.008, 0.95: 0.0045, 0.99: 0.003},
}
NOISE: dict[str, Noise] = {"ar1": AR1, "robust": replace(ROBUST, phi_nodes=48, ratio_nodes=15)}
ERRORS = (
    "ML exponent",
    "plug-in phi",
    "gaps ignored",
    "log|A_xx| left out",
    "normal for t",
    "uniform prior",
    "first day dropped",
)
RUNS, CHUNK = 20_000, 2_000
"""Runs for which the bounds were set: about 2.5 to 3 standard errors. Fewer runs widen them by the square root."""


@dataclass(frozen=True, eq=False)
class Diaries:
    """Simulated diaries (S, D) and the truth of their contrasts: step, level, slope."""

    values: Floats
    treated: NDArray[np.bool_]
    truth: dict[str, Floats]
    columns: dict[str, Floats]


CONTRASTS = {
    "step": ("mean", (-1.0, 1.0)),
    "level": ("segmented", (-1.0, 0.0, 1.0, 0.0)),
    "slope": ("segmented", (0.0, -1.0, 0.0, 1.0)),
}


def designs() -> dict[str, Floats]:
    """The two models: a level per phase; a level and a slope per phase, level at the first treatment day."""
    tau = np.arange(DAYS) - BASELINE
    before, after = (tau < 0).astype(float), (tau >= 0).astype(float)
    return {
        "mean": np.stack([before, after], axis=1),
        "segmented": np.stack([before, before * tau, after, after * tau], axis=1),
    }


def draw(series: int, robust: bool, rng: np.random.Generator) -> Diaries:
    """Draw diaries with everything from the prior; the noise is the same for both models."""
    phi = np.sin((rng.random(series) - 0.5) * np.pi)
    share = np.where(rng.random(series) < 0.5, 0.0, rng.random(series)) if robust else np.zeros(series)
    ratio = rng.normal(0, 0.5, series) if robust else np.zeros(series)
    u = rng.normal(size=(series, DAYS))
    for day in range(1, DAYS):
        u[:, day] = phi * u[:, day - 1] + np.sqrt(1 - phi**2) * u[:, day]
    treated = np.broadcast_to(np.arange(DAYS) >= BASELINE, u.shape)
    sd = np.exp(np.where(treated, -0.5, 0.5) * ratio[:, None])
    noise = sd * (np.sqrt(1 - share)[:, None] * u + np.sqrt(share)[:, None] * rng.normal(size=u.shape))
    noise *= np.exp(rng.normal(size=(series, 1)))
    noise[rng.random(u.shape) < MISSING] = np.nan
    # beta is flat and the estimates are equivariant, so the coefficients may be 0 without loss of generality.
    zero = np.zeros(series)
    columns = {name: np.broadcast_to(x, (*u.shape, x.shape[1])) for name, x in designs().items()}
    return Diaries(noise, treated, dict.fromkeys(CONTRASTS, zero), columns)


def close_gaps(diaries: Diaries) -> Diaries:
    """The deliberate error of treating answered days as consecutive."""
    order = np.argsort(np.isnan(diaries.values), axis=1, kind="stable")
    return Diaries(
        np.take_along_axis(diaries.values, order, axis=1),
        np.take_along_axis(diaries.treated, order, axis=1),
        diaries.truth,
        {name: np.take_along_axis(x, order[..., None], axis=1) for name, x in diaries.columns.items()},
    )


@contextlib.contextmanager
def mistaken(error: str) -> Iterator[None]:
    """Commit one deliberate error inside the kernel."""
    weights, ar1_products = posterior.log_weights, products.ar1_products
    standardise, grids = kernel.standardise, kernel.grids

    def wrong_weights(factored: Floats, log_det: Floats, df: Floats, p: int) -> Floats:
        if error == "ML exponent":
            return weights(factored, log_det, df + p, p)
        determinant = np.prod(factored[[at(j, j) for j in range(p)]], axis=0)
        return weights(factored, log_det, df, p) + 0.5 * np.log(determinant)

    def without_first_day(statistics: Gaps, phi: Floats) -> tuple[Floats, Floats]:
        sums = statistics.sums.copy()
        sums[..., 0] = 0.0
        return ar1_products(replace(statistics, sums=sums), phi)

    def one_day_less(*arguments: Floats) -> Batch:
        data = standardise(*arguments)  # type: ignore[arg-type]
        return replace(data, answered=data.answered - 1)

    def uniform_prior(*arguments: Any) -> Iterator[tuple[Nodes, Any]]:
        for nodes, rows in grids(*arguments):
            density = 0.5 * np.log(1 - nodes.phi**2)
            yield replace(nodes, log_prior=nodes.log_prior + density[:, None, None]), rows

    patches: dict[str, list[tuple[object, str, object]]] = {
        "uniform prior": [(kernel, "grids", uniform_prior)],
        "ML exponent": [(posterior, "log_weights", wrong_weights)],
        "log|A_xx| left out": [(posterior, "log_weights", wrong_weights)],
        "first day dropped": [
            (products, "ar1_products", without_first_day),
            (kernel, "standardise", one_day_less),
        ],
    }
    if error not in patches:
        yield
        return
    # The patched steps are those of the NumPy code.
    with contextlib.ExitStack() as stack:
        for module, name, mistake in [*patches[error], (compiled, "WORTH_COMPILING", np.inf)]:
            stack.enter_context(mock.patch.object(module, name, mistake))
        yield


def spoil(fit: Fit, error: str) -> Fit:
    """Commit one deliberate error on the finished mixture."""
    if error == "plug-in phi":
        return replace(fit, weight=(fit.weight == fit.weight.max(axis=1, keepdims=True)).astype(float))
    if error == "normal for t":
        return replace(fit, df=np.full_like(fit.df, 1e6))
    return fit


def transforms(diaries: Diaries, noise: Noise, error: str = "") -> dict[str, Floats]:
    """F(truth) of each contrast and run: uniform on (0, 1) if the kernel is exact."""
    if error == "gaps ignored":
        diaries = close_gaps(diaries)
    result = {}
    for model in ("mean", "segmented"):
        names = [name for name, (of, _) in CONTRASTS.items() if of == model]
        asked = np.array([CONTRASTS[name][1] for name in names])
        contrasts = np.broadcast_to(asked, (len(diaries.values), *asked.shape))
        with mistaken(error):
            fit = kernel.fit(diaries.values, diaries.columns[model], diaries.treated, contrasts, noise)
        fit = spoil(fit, error)
        for k, name in enumerate(names):
            result[name] = fit.mixture(k).cdf(diaries.truth[name])
    return result


def coverage(transform: Floats, level: float) -> float:
    """Share of runs whose central interval of this level holds the truth."""
    return float(np.mean(np.abs(transform[np.isfinite(transform)] - 0.5) <= level / 2))


@dataclass(frozen=True)
class Chunk:
    """Some runs of one mode, right or with one deliberate error."""

    mode: str
    error: str
    number: int

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Draw `n` diaries and see in how many each interval covers."""
        rng = generator(seed, f"{self.mode} {self.number}")
        collected: list[dict[str, Floats]] = []
        for start in range(0, n, BATCH):
            diaries = draw(min(BATCH, n - start), self.mode == "robust", rng)
            collected.append(transforms(diaries, NOISE[self.mode], self.error))
        rows = []
        for contrast in CONTRASTS:
            transform = np.concatenate([batch[contrast] for batch in collected])
            row = {"contrast": contrast, "n": int(np.isfinite(transform).sum())}
            rows.append(row | {f"coverage_{level:g}": coverage(transform, level) for level in BOUNDS[self.mode]})
        return rows


def exactness() -> Iterator[Job]:
    """G0: both modes, and AR(1) mode with each deliberate error on the same diaries."""
    wanted = [("ar1", ""), ("robust", ""), *(("ar1", error) for error in ERRORS)]
    for (mode, error), number in product(wanted, range(RUNS // CHUNK)):
        yield Job({"gate": "G0", "mode": mode, "error": error, "chunk": number}, CHUNK, Chunk(mode, error, number))


def exactness_pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """One row for each mode, error, contrast and level: coverage over all chunks, its bound, and whether it holds.

    Of a deliberate error `passed` says where it is caught.
    """
    rows = []
    for (mode, error, contrast), some in cells.fillna({"error": ""}).groupby(["mode", "error", "contrast"], sort=False):
        n = int(some["n"].sum())
        for level, bound in BOUNDS[str(mode)].items():
            allowed = bound * max(1.0, np.sqrt(RUNS / n))
            covered = float(np.average(some[f"coverage_{level:g}"], weights=some["n"]))
            inside = bool(abs(covered - level) <= allowed)
            rows.append({
                "gate": "G0", "mode": mode, "method": error or "integrated", "contrast": contrast, "level": level, "n": n,
                "coverage": covered, "bound_low": level - allowed, "bound_high": level + allowed,
                "passed": ("caught", "")[inside] if error else ("no", "yes")[inside],
            })  # fmt: skip
    return pd.DataFrame(rows)
