"""The tables of benchmarks/README.md and README.md, from the committed results: what a text says cannot go stale.

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


SEVEN = (
    "improved", "improved_amount_unclear", "improved_less", "no_important_change", "worse_amount_unclear", "worse", "cannot_say",
)  # fmt: skip
TRULY = {
    -1.25: "worse by 1¼", -0.75: "worse by ¾", 0.0: "unchanged", 0.5: "better by ½", 1.0: "better by 1", 1.5: "better by 1½", 2.0: "better by 2",
}  # fmt: skip
"""True gains in important changes."""


def in_hundred(share: float, digits: int = 0) -> str:
    """A share in 100; what is not 0 is never printed as 0."""
    return f"< {10.0**-digits:g}" if 0 < share < 0.5 * 10.0 ** -(digits + 2) else f"{100 * share:.{digits}f}"


def verdicts() -> str:
    """Shares of the seven verdicts for ratings with 15 % of the days missing, in 100."""
    table = results("verdicts")
    table = table[(table["outcome"] == "ratings") & (table["missing"] == 0.15)].set_index(["design", "phi", "gain"])
    places = [(design, phi) for design in ("14+70", "28+84") for phi in (0.3, 0.5, 0.6)]
    rows = [
        [said, *(" / ".join(in_hundred(table.loc[(*place, gain), kind]) for kind in SEVEN) for place in places)]
        for gain, said in TRULY.items()
    ]
    return markdown(["truly", *(f"{design}, φ {phi:g}" for design, phi in places)], rows)


def verdict_bars() -> str:
    """The bars by outcome and design: mean and worst cell, and how many miss."""
    table, rows = results("verdicts"), []
    table = table[table["phi"] <= 0.6]
    for (outcome, design), some in table.groupby(["outcome", "design"], sort=False):
        unchanged, half = some[some["gain"] == 0], some[some["gain"] == 0.5]
        rows.append([
            f"{outcome}, {design}", *(_mean_worst(unchanged[name]) for name in ("any_improved", "worse")), _missed(unchanged),
            _mean_worst(half["improved"]), _missed(half), _mean_worst(unchanged["cannot_say"]), _mean_worst(half["cannot_say"]),
        ])  # fmt: skip
    head = ["in 100, mean / worst cell", "unchanged: any improved", "unchanged: worse", "missed", "half: improved", "missed",
            "unchanged: cannot say", "half: cannot say"]  # fmt: skip
    return markdown(head, rows)


def verdict_rule() -> str:
    """What being sure of the direction changed, on the same diaries."""
    table, rows = results("verdicts"), []
    table = table[table["phi"] <= 0.6]
    for outcome, some in table.groupby("outcome", sort=False):
        cells = [outcome]
        for gain, name in (
            (0.0, "any_improved"),
            (0.0, "worse"),
            (0.0, "cannot_say"),
            (1.5, "improved"),
            (-1.25, "worse"),
        ):
            one = some[some["gain"] == gain]
            cells.append(f"{_mean_worst(one[f'{name}_unsure'], gain == 0)} → {_mean_worst(one[name], gain == 0)}")
        rows.append(cells)
    head = ["in 100, before → now", "unchanged: any improved", "unchanged: worse", "unchanged: cannot say",
            "1½ better: improved", "1¼ worse: worse"]  # fmt: skip
    return markdown(head, rows)


def verdicts_in_short() -> str:
    """For the first README: ratings, 15 % missing, phi .3 and .6 taken together."""
    table, rows = results("verdicts"), []
    table = table[(table["outcome"] == "ratings") & (table["missing"] == 0.15) & table["phi"].isin([0.3, 0.6])]
    for design in ("14+70", "28+84"):
        for gain in (0.0, 0.5, 1.0, 1.5, 2.0):
            some = table[(table["design"] == design) & (table["gain"] == gain)].mean(numeric_only=True)
            worse = some["worse"] + some["worse_amount_unclear"]
            shares = (
                some["improved"],
                some["improved_amount_unclear"] + some["improved_less"],
                some["no_important_change"],
                worse,
                some["cannot_say"],
            )
            rows.append([f"{design.replace('+', ' + ')} days", TRULY[gain], *map(in_hundred, shares)])
    head = [
        "diary",
        "truly",
        "improved",
        "improved, amount unclear or less",
        "no important change",
        "worse",
        "cannot say",
    ]
    return markdown(head, rows)


def _mean_worst(shares: pd.Series, worst: bool = True) -> str:
    mean = in_hundred(float(shares.mean()), 1)
    return f"{mean} / {in_hundred(float(shares.max()), 1)}" if worst else mean


def _missed(some: pd.DataFrame) -> str:
    return f"{(some['passed'] == 'no').sum()} of {some['passed'].notna().sum()}"


def pooling() -> str:
    """Coverage of pooled intervals, by people and by tau."""
    table = results("pooling")
    people, taus = sorted(table["people"].unique()), sorted(table["tau"].unique())
    table["of"] = table["of"].where(table["knapp_hartung"].isna(), table["of"] + ", " + table["method"])
    table["of"] += table["knapp_hartung"].map({True: ", Knapp–Hartung", False: ", normal"}).fillna("")
    rows = []
    for name in sorted(table["of"].unique()):
        some = table[table["of"] == name].set_index(["people", "tau"])["coverage"]
        rows.append([name, *(" ".join(f"{some[k, tau]:.3f}" for tau in taus) for k in people)])
    said = " / ".join(f"{tau:g}" for tau in taus)
    return markdown(["interval of", *(f"{k} people, τ {said}" for k in people)], rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "gates": gates,
    "coverage": coverage,
    "reassessment": reassessment,
    "widths": widths,
    "warnings": warnings,
    "real": real,
    "verdicts": verdicts,
    "verdict bars": verdict_bars,
    "verdict rule": verdict_rule,
    "pooling": pooling,
}
PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    README: TABLES,
    HERE.parent / "README.md": {"verdicts": verdicts_in_short},
}


def filled(text: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The text with every table between its marks computed anew."""
    for name, table in tables.items():
        mark, end = f"<!-- table: {name} -->", "<!-- end -->"
        pattern = re.escape(mark) + r".*?" + re.escape(end)
        assert re.search(pattern, text, re.DOTALL), f"the README has no place for the table {name}"
        put = f"{mark}\n{table()}\n{end}"
        text = re.sub(pattern, lambda _, put=put: put, text, flags=re.DOTALL)
    return text


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write them into both files")
    if parser.parse_args().write:
        for path, tables in PAGES.items():
            path.write_text(filled(path.read_text(encoding="utf-8"), tables), encoding="utf-8")
        return
    for tables in PAGES.values():
        for name, table in tables.items():
            print(f"## {name}\n\n{table()}\n")


if __name__ == "__main__":
    main()
