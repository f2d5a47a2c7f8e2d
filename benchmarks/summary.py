"""The tables of benchmarks/README.md, from the committed results: what a text says cannot go stale.

python benchmarks/summary.py             print them
python benchmarks/summary.py --write     put them between their marks in the README
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
README = HERE / "README.md"
METHODS = {
    "OLS": "OLS", "Welch": "Welch", "Newey-West": "Newey–West", "GLSAR": "GLSAR", "SARIMAX": "SARIMAX",
    "REML, t": "REML AR(1), t", "AR(1)": "ours, AR(1) mode", "robust": "**ours, robust (the default)**",
}  # fmt: skip
"""Names in the tables, in their order; ours are known by their mode."""


def results(name: str) -> pd.DataFrame:
    """A committed table; empty where it has not been computed."""
    path = HERE / "results" / f"{name}.csv"
    return pd.read_csv(path, keep_default_na=False, na_values=[""]) if path.exists() else pd.DataFrame()


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def named(table: pd.DataFrame) -> pd.Series:
    """The method of every row: ours by its mode, the others by their name."""
    return table["method"].where(table["mode"] == "usual", table["mode"])


def gates() -> str:
    """Cells and statements of each gate that keep their bounds."""
    rows = []
    for path in sorted((HERE / "results").glob("g[0-9]*.csv")):
        table = results(path.stem)
        if path.stem == "g0":
            pooled = results("gates")
            table = pooled[(pooled["gate"] == "G0") & (pooled["method"] == "integrated")]
        said = table["passed"].value_counts() if "passed" in table else {}
        kept, lost = int(said.get("yes", 0)), int(said.get("no", 0))
        stamp = results(path.stem)
        size, date = f"{stamp['series'].min():,}", f"{stamp['date'].min()}"
        rows.append([str(stamp["gate"].iloc[0]), f"`{path.name}`", str(kept + lost), str(lost), size, date])
    return markdown(["gate", "table", "bounded", "missed", "series a cell", "computed"], rows)


def coverage() -> str:
    """Mean and worst coverage of the mean change: G1, G2, G3."""
    cells = pd.concat([results(name) for name in ("g1", "g2", "g3")])
    cells = cells[cells["contrast"] == "mean change"].assign(named=named)
    found = cells.groupby(["named", "gate"])["coverage"].agg(["mean", "min", "size"])
    sizes = found["size"].groupby("gate").first()
    rows = [
        [said, *(f"{found.loc[(name, gate), 'mean']:.3f} / {found.loc[(name, gate), 'min']:.3f}"
                 if (name, gate) in found.index else "–" for gate in ("G1", "G2", "G3"))]
        for name, said in METHODS.items()
    ]  # fmt: skip
    what = {"G1": "AR(1) grid", "G2": "stress", "G3": "slow drifts"}
    return markdown(["method", *(f"{what[gate]} ({gate}, {sizes[gate]} cells)" for gate in what)], rows)


def widths() -> str:
    """Median width of the change at reassessment over that of one who knows phi and the SD."""
    cells = results("g1_reassessment")
    cells = cells[(cells["missing"] == 0.2) & (cells["method"] == "integrated")]
    phis = sorted(cells["phi"].unique())
    rows = []
    for (mode, design), some in cells.groupby(["mode", "design"], sort=False):
        by = some.set_index(["shape", "phi"])["median_width_over_oracle"]
        rows.append([f"{mode}, {design}", *(" ".join(f"{by[shape, phi]:.2f}" for phi in phis) for shape in SHAPES)])
    rows.sort(key=lambda row: row[0].startswith("robust"))
    said = ["step, φ " + " / ".join(f"{phi:g}" for phi in phis), "gradual (3 weeks)", "linear", "late (from half-way)"]
    return markdown(["mode, design", *said], rows)


SHAPES = ("step", "gradual", "linear", "late")


def reassessment() -> str:
    """Coverage of the change at reassessment by course of the effect: mean and worst cell; pooled median width."""
    rows = []
    for gate in ("g1_reassessment", "g2_reassessment"):
        table = results(gate)
        for (mode, shape), some in table[table["method"] == "integrated"].groupby(["mode", "shape"], sort=False):
            width = (
                some.loc[some["phi"] <= 0.3, "median_width_over_oracle"].median() if gate[1] == "1" else float("nan")
            )
            rows.append([
                f"{gate[:2].upper()}, {mode}", shape, str(len(some)), f"{some['coverage'].mean():.3f}",
                f"{some['coverage'].min():.3f}", str(int((some["passed"] == "no").sum())),
                "–" if pd.isna(width) else f"{width:.2f}",
            ])  # fmt: skip
    return markdown(["gate, mode", "course", "cells", "mean", "worst", "missed", "median width, φ ≤ 0.3"], rows)


def warnings() -> str:
    """How often the page warns of a slow drift, lowest and highest of the cells."""
    tables = (
        (results("g3"), ["noise"]),
        (results("g1_reassessment").query("phi <= 0.3 and missing == 0.2"), ["shape"]),
    )
    rows = []
    for table, by in tables:
        ours = table[(table["mode"] == "robust") & table["drift_warning"].notna()]
        ours = ours[ours["contrast"] == "change at reassessment"]
        for name, some in ours.groupby(by, sort=False)["drift_warning"]:
            kind = name[0] if by == ["noise"] else f"no drift: AR(1) 0 to 0.3, {name[0]}"
            rows.append([kind, f"{100 * some.mean():.0f}", f"{100 * some.min():.0f} to {100 * some.max():.0f}"])
    return markdown(["days", "warned in 100, mean", "by cell"], rows)


def real() -> str:
    """False alarms on real diaries: the gate, and what a random date gives on average."""
    table = results("g7")
    table = table[table["of"].isin(["all", "each series alike"])]
    places = [
        ("25 random dates a series", "all"), ("every date", "all"), ("every date", "each series alike"),
        ("consecutive stretches", "all"),
    ]  # fmt: skip
    found = table.set_index(["split", "of", "method", "contrast"])
    rows = []
    for name, said in METHODS.items():
        for contrast in ("mean change", "change at reassessment"):
            keys = [(*place, name, contrast) for place in places]
            if keys[0] in found.index:
                cells = [
                    f"{100 * found.loc[key, 'called_changed']:.1f} ± {100 * found.loc[key, 'se']:.1f}" for key in keys
                ]
                rows.append([f"{said}, {contrast}", *cells])
    counts = [f"{found.loc[(*place, 'OLS', 'mean change'), 'estimable']:,}" for place in places]
    said = ["25 random dates a series (the gate)", "every date", "every date, each series alike", "consecutive"]
    return markdown(["% called changed", *(f"{a} ({n})" for a, n in zip(said, counts, strict=True))], rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "gates": gates,
    "coverage": coverage,
    "reassessment": reassessment,
    "widths": widths,
    "warnings": warnings,
    "real": real,
}


def filled(text: str) -> str:
    """The text with every table between its marks computed anew."""
    for name, table in TABLES.items():
        mark, end = f"<!-- table: {name} -->", "<!-- end -->"
        pattern = re.escape(mark) + r".*?" + re.escape(end)
        assert re.search(pattern, text, re.DOTALL), f"the README has no place for the table {name}"
        put = f"{mark}\n{table()}\n{end}"
        text = re.sub(pattern, lambda _, put=put: put, text, flags=re.DOTALL)
    return text


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write them into the README")
    if parser.parse_args().write:
        README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
        return
    for name, table in TABLES.items():
        print(f"## {name}\n\n{table()}\n")


if __name__ == "__main__":
    main()
