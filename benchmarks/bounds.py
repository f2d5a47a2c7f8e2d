"""The bounds of the gates, set before anything was run, and whether a table keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from exactness import exactness_pooled
from verdicts import verdicts_judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from running import Row

CELL_BOUNDS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("G1", "AR(1)"): (0.93, 0.98),
    ("G1", "robust"): (0.93, 0.985),
    ("G1 reassessment", "AR(1)"): (0.92, 1.0),
    ("G1 reassessment", "robust"): (0.92, 1.0),
    ("G2", "robust"): (0.90, 1.0),
    ("G2 reassessment", "robust"): (0.92, 1.0),
    ("G3", "robust"): (0.80, 1.0),
    ("G6", "robust"): (0.91, 1.0),
    ("G6 days", "Markov chain"): (0.93, 0.98),
    ("G6 NAP", "AR(1)"): (0.93, 0.98),
}
"""Coverage that every cell must have."""
POOLED_BOUNDS: Mapping[tuple[str, str], tuple[float, float]] = {
    ("G1", "AR(1)"): (0.945, 0.962),
    ("G2", "robust"): (0.945, 0.97),
    ("G3", "robust"): (0.90, 1.0),
}
"""Mean coverage over the cells of a gate."""
WIDTHS: Mapping[tuple[str, str, str], float] = {
    ("G1", "AR(1)", "mean change"): 1.15,
    ("G1", "AR(1)", "level change"): 1.10,
    ("G1", "AR(1)", "slope change"): 1.22,
    ("G1", "AR(1)", "end contrast"): 1.22,
    ("G1", "robust", "mean change"): 1.35,
    ("G1 reassessment", "AR(1)", "change at reassessment"): 1.15,
    ("G1 reassessment", "robust", "change at reassessment"): 1.30,
}
"""Largest width over the oracle's, pooled; for the change at reassessment the median at phi of at most .3."""


def cell_bounds(row: pd.Series) -> tuple[float, float]:
    """Bounds of one cell: the change at reassessment may cover more than it says, not less."""
    low, high = CELL_BOUNDS.get((row["gate"], row["mode"]), (np.nan, np.nan))
    if row["gate"] == "G6 days" and row["noise"].startswith("latent"):
        return np.nan, np.nan
    return low, (1.0 if row["contrast"] == "change at reassessment" else high)


def bounded(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with their bounds, and whether they are inside; rows without bounds (the usual methods) are blank."""
    cells = cells.copy()
    bounds = [cell_bounds(row) for _, row in cells.iterrows()]
    cells["bound_low"], cells["bound_high"] = zip(*bounds, strict=True)
    inside = (cells["coverage"] >= cells["bound_low"]) & (cells["coverage"] <= cells["bound_high"])
    cells["passed"] = np.where(cells["bound_low"].isna(), "", np.where(inside, "yes", "no"))
    return cells


def pooled(cells: pd.DataFrame) -> pd.DataFrame:
    """One row for each gate, mode, method and contrast: mean coverage over cells, the worst cell, pooled width.

    The change at reassessment has a row for each shape of the effect beside the one of all shapes.
    """
    by = ["gate", "mode", "method", "contrast"]
    rows = [_pooled_row(some, dict(zip(by, key, strict=True)), "all") for key, some in cells.groupby(by, sort=False)]
    if cells["gate"].iloc[0].endswith("reassessment"):
        found = cells.groupby([*by, "shape"], sort=False)
        rows += [_pooled_row(some, dict(zip(by, key[:4], strict=True)), key[4]) for key, some in found]
    return pd.DataFrame(rows)


def _pooled_row(some: pd.DataFrame, key: Row, shape: str) -> Row:
    low, high = POOLED_BOUNDS.get((key["gate"], key["mode"]), (np.nan, np.nan))
    high = 1.0 if key["contrast"] == "change at reassessment" and np.isfinite(high) else high
    width = _pooled_width(key["gate"], some)
    limit = WIDTHS.get((key["gate"], key["mode"], key["contrast"]), np.nan)
    mean = some["coverage"].mean()
    good = not (mean < low or mean > high or width > limit)
    return key | {
        "shape": shape, "cells": len(some), "n": some["n"].sum(), "coverage": mean,
        "mc_se": np.sqrt((some["mc_se"] ** 2).sum()) / len(some), "worst": some["coverage"].min(),
        "highest": some["coverage"].max(), "missed_cells": int((some["passed"] == "no").sum()),
        "width_over_oracle": width, "drift_warning": some.get("drift_warning", pd.Series(dtype=float)).mean(),
        "bound_low": low, "bound_high": high, "width_bound": limit,
        "passed": "" if np.isnan([low, limit]).all() else "yes" if good else "no",
    }  # fmt: skip


def _pooled_width(gate: str, some: pd.DataFrame) -> float:
    if gate == "G1 reassessment":
        return float(some.loc[some["phi"] <= 0.3, "median_width_over_oracle"].median())
    known = some[some["width_over_oracle"].notna()]
    if known.empty:
        return np.nan
    width = (known["width"] * known["n"]).sum()
    return float(width / (known["width"] * known["n"] / known["width_over_oracle"]).sum())


def probabilities_judged(rows: pd.DataFrame) -> pd.DataFrame:
    """G4: calibration error at most .02, slope in [.87, 1.1], what is called surer than 95 % within .01."""
    rows = rows.copy()
    off = (rows["above_95_stated"] - rows["above_95_true"]).abs()
    good = (rows["calibration_error"] <= 0.02) & rows["slope"].between(0.87, 1.1) & (off <= 0.01)
    rows["passed"] = np.where(good, "yes", "no")
    return rows


def as_is(rows: pd.DataFrame) -> pd.DataFrame:
    """A table that brings its own verdicts, or has none."""
    return rows


JUDGES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "G0": as_is,
    "G4": probabilities_judged,
    "G5": as_is,
    "G7": as_is,
    "G7 headache": as_is,
    "verdicts": verdicts_judged,
}
"""How a gate's table gets its verdicts, where they are not bounds on the coverage of its cells."""
SUMMARIES: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {"G0": exactness_pooled}
"""How a gate's cells are summed up, where that is not by mode, method and contrast."""


def judged(gate: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its bounds and verdicts."""
    return JUDGES.get(gate, bounded)(table)


def summed_up(gate: str, table: pd.DataFrame) -> pd.DataFrame:
    """A few lines that say what came out; none for gates whose table is short."""
    if gate in SUMMARIES:
        return SUMMARIES[gate](table)
    return pooled(table) if "coverage" in table else pd.DataFrame()
