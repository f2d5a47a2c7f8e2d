"""The usual methods for a mean change, as they are usually run, so that they stand beside ours on the same series.

Every method takes (S, D) values with NaN for missing days and (D,) treatment days, and gives the (S, 2) ends of its
95 % interval for mean treatment day minus mean baseline day; NaN where it gives none. Methods that know no calendar
(Newey-West, GLSAR) get the answered days closed up, as their users give them.
"""

from __future__ import annotations

import platform
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from acu_nof1 import __version__
from acu_nof1.estimate.kernel import AR1, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
UPPER = 0.975


def _moments(values: Floats, days: Bools) -> tuple[Floats, Floats, Floats]:
    """Number, mean and sum of squares around the mean of the answers on these days."""
    held = np.where(days, values, np.nan)
    count = np.isfinite(held).sum(axis=1).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(held, axis=1) / count
        return count, mean, np.nansum((held - mean[:, None]) ** 2, axis=1)


def _ends(change: Floats, error: Floats, df: Floats) -> Floats:
    half = stdtrit(np.maximum(df, 1), UPPER) * error
    return np.stack([change - half, change + half], axis=1)


def ols(values: Floats, treated: Bools) -> Floats:
    """Ordinary least squares: two means with one pooled SD (Student's t test)."""
    (n0, m0, q0), (n1, m1, q1) = _moments(values, ~treated), _moments(values, treated)
    with np.errstate(invalid="ignore", divide="ignore"):
        return _ends(m1 - m0, np.sqrt((q0 + q1) / (n0 + n1 - 2) * (1 / n0 + 1 / n1)), n0 + n1 - 2)


def welch(values: Floats, treated: Bools) -> Floats:
    """Welch's t test: two means with two SDs."""
    (n0, m0, q0), (n1, m1, q1) = _moments(values, ~treated), _moments(values, treated)
    with np.errstate(invalid="ignore", divide="ignore"):
        v0, v1 = q0 / (n0 - 1) / n0, q1 / (n1 - 1) / n1
        return _ends(m1 - m0, np.sqrt(v0 + v1), (v0 + v1) ** 2 / (v0**2 / (n0 - 1) + v1**2 / (n1 - 1)))


def reml(values: Floats, treated: Bools) -> Floats:
    """AR(1) by restricted maximum likelihood on the calendar, t with n - p: the mode over our nodes of phi."""
    columns = np.stack([~treated, treated], axis=1).astype(float)
    found = fit(
        values,
        np.broadcast_to(columns, (*values.shape, 2)),
        np.broadcast_to(treated, values.shape),
        np.broadcast_to(np.array([[-1.0, 1.0]]), (len(values), 1, 2)),
        AR1,
    )
    best = np.argmax(found.weight, axis=1)[:, None]
    change = np.take_along_axis(found.mean[:, :, 0], best, axis=1)[:, 0]
    error = np.take_along_axis(found.scale[:, :, 0], best, axis=1)[:, 0]
    return _ends(change, error, found.df)


def _each(values: Floats, treated: Bools, solve: Callable[[Floats, Floats], Floats]) -> Floats:
    """Run a method of statsmodels on one series after the other."""
    out = np.full((len(values), 2), np.nan)
    for row, series in enumerate(values):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                out[row] = solve(series, treated.astype(float))
            except (np.linalg.LinAlgError, ValueError, IndexError, ZeroDivisionError):
                continue
    return out


def _closed_up(series: Floats, treated: Floats) -> tuple[Floats, Floats]:
    held = np.isfinite(series)
    return series[held], np.column_stack([np.ones(held.sum()), treated[held]])


def newey_west(values: Floats, treated: Bools) -> Floats:
    """Newey-West by statsmodels: lags 4 (n/100)^(2/9), small-sample correction, t."""
    from statsmodels.api import OLS

    def solve(series: Floats, x: Floats) -> Floats:
        y, design = _closed_up(series, x)
        lags = int(4 * (len(y) / 100) ** (2 / 9))
        kind = {"cov_type": "HAC", "cov_kwds": {"maxlags": lags, "use_correction": True}, "use_t": True}
        return np.asarray(OLS(y, design).fit(**kind).conf_int())[1]

    return _each(values, treated, solve)


def glsar(values: Floats, treated: Bools) -> Floats:
    """GLSAR by statsmodels: feasible least squares with AR(1), iterated."""
    from statsmodels.api import GLSAR

    def solve(series: Floats, x: Floats) -> Floats:
        y, design = _closed_up(series, x)
        return np.asarray(GLSAR(y, design, rho=1).iterative_fit(maxiter=10).conf_int())[1]

    return _each(values, treated, solve)


def sarimax(values: Floats, treated: Bools) -> Floats:
    """Maximum likelihood with AR(1) errors by statsmodels' SARIMAX, missing days kept in their place."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    def solve(series: Floats, x: Floats) -> Floats:
        found = SARIMAX(series, exog=x[:, None], order=(1, 0, 0), trend="c").fit(disp=0)
        return np.asarray(found.conf_int())[1]

    return _each(values, treated, solve)


@dataclass(frozen=True)
class Usual:
    """A method, and of how many series a cell of a large simulation can afford it."""

    interval: Callable[[Floats, Bools], Floats]
    series: int


USUAL: Mapping[str, Usual] = {
    "OLS": Usual(ols, 100_000),
    "Welch": Usual(welch, 100_000),
    "REML, t": Usual(reml, 100_000),
    "Newey-West": Usual(newey_west, 200),
    "GLSAR": Usual(glsar, 200),
    "SARIMAX": Usual(sarimax, 30),
}


def versions() -> str:
    """What the results were computed with."""
    parts = [f"acu_nof1 {__version__}", f"python {platform.python_version()}"]
    for name in ("numpy", "scipy", "statsmodels", "numba"):
        try:
            parts.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            parts.append(f"{name} not installed")
    return ", ".join(parts)
