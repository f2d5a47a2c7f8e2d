"""Does the kernel agree with another program? G5: every fit of `nlme::gls(corCAR1)` in tests/reference/nlme_gls.

The fits were made once with R; here the same series are solved at R's own autocorrelation, and at the mode that we find
by bounded maximisation of the restricted likelihood. The kernel against a brute-force posterior of a thousand nodes with
explicit inverses, the other half of the gate, is in `tests/test_kernel_exact.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from running import Job

from acu_nof1.estimate.reml import Gls, gls, reml_mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Row

Floats = NDArray[np.float64]

NLME = Path(__file__).parent.parent / "tests" / "reference" / "nlme_gls"
SAME, CLOSE = 1e-8, 1e-3
"""Largest difference at the same autocorrelation, and between two searches for the mode."""


def nlme_cases(model: str = "") -> Iterator[tuple[Any, Floats, Floats]]:
    """Fits of nlme (of one model), each with its series and its design."""
    series, fits = pd.read_csv(NLME / "series.csv"), pd.read_csv(NLME / "fits.csv")
    by_id = dict(iter(series.groupby("id")))
    for row in fits[(fits["model"] == model) | (model == "")].itertuples():
        g = by_id[row.id]
        y = np.where(g["observed"] == 1, g["y"], np.nan)
        tau = (g["day"] - g["n_baseline"]).to_numpy(float)
        d = (tau >= 0).astype(float)
        one = np.ones_like(d)
        yield row, y, np.stack([one, d] if row.model == "step" else [one, tau, d, tau * d], axis=1)


def nlme_errors(row: Any, answer: Gls) -> float:
    """Largest relative difference of the standard errors, and of the estimates in units of them."""
    se = np.sqrt(np.diag(answer.cov))
    level, slope = (1, None) if row.model == "step" else (2, 3)
    errors = [abs(se[level] / row.level_se - 1), abs(answer.coefficients[level] - row.level) / row.level_se]
    if slope is not None:
        errors += [abs(se[slope] / row.slope_change_se - 1)]
        errors += [abs(answer.coefficients[slope] - row.slope_change) / row.slope_change_se]
    return float(max(errors))


@dataclass(frozen=True)
class Agreement:
    """All fits of one model."""

    model: str

    def __call__(self, n: int, seed: int) -> list[Row]:
        """Compare; nothing is drawn."""
        del n, seed
        cases = list(nlme_cases(self.model))
        inside = [case for case in cases if 0 <= case[0].phi < 1 - 1e-6]
        free = [(row, reml_mode(y, x)) for row, y, x in cases if row.boundary != 1]
        edge = [reml_mode(y, x).loglik - row.loglik_reml for row, y, x in cases if row.boundary == 1]
        found = [
            ("at nlme's phi", "SE and estimates", [nlme_errors(row, gls(y, x, row.phi)) for row, y, x in inside], SAME),
            ("at the mode", "SE and estimates", [nlme_errors(row, mode) for row, mode in free], CLOSE),
            ("at the mode", "phi", [abs(mode.phi - row.phi) for row, mode in free], CLOSE),
            ("boundary fits", "likelihood below nlme's", [max(0.0, -more) for more in edge], 1e-7),
        ]
        return [
            {
                "where": where, "what": what, "fits": len(off), "largest_difference": f"{max(off, default=0.0):.1e}",
                "bound": f"{bound:.0e}", "passed": "yes" if max(off, default=0.0) <= bound else "no",
            }
            for where, what, off, bound in found
        ]  # fmt: skip


def agreement() -> Iterator[Job]:
    """G5: both models of the reference fits."""
    for model in ("step", "segmented"):
        yield Job({"gate": "G5", "model": model}, 1, Agreement(model))
