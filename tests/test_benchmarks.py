"""The benchmarks' own machinery: resumed runs, any number of processors, bounds, real diaries, tables of the README."""

from __future__ import annotations

import sys
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import exactness
import real_diaries
import sessions as session_cells
import verdicts
from bounds import bounded, judged
from calibration import DESIGNS
from rich.progress import Progress
from running import Job, run_gate

from acu_nof1.interpret import Reading


def rows(n, seed):
    """A cell that costs nothing: what it was asked for."""
    return [{"asked": n, "seed_seen": seed}]


def interrupted(*_):
    raise KeyboardInterrupt


def jobs(*of):
    return [Job({"gate": "G", "place": number}, 10, each) for number, each in enumerate(of)]


def run(cells, out, **more):
    with Progress(disable=True) as progress:
        return run_gate("G", cells, lambda table: table, out, progress, **more)


def test_a_run_goes_on_where_it_stopped(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(jobs(rows, interrupted, rows), tmp_path, n=5)
    assert pd.read_csv(tmp_path / "g.csv")["place"].tolist() == [0]
    found = run(jobs(interrupted, rows, rows), tmp_path, n=5)  # the first cell is there: it is not run again
    assert found["place"].tolist() == [0, 1, 2]
    assert found["asked"].tolist() == [5, 5, 5]
    assert run(jobs(rows, rows), tmp_path, n=8)["asked"].tolist() == [8, 8]  # more series: anew; a lost cell: dropped
    assert run(jobs(rows, rows), tmp_path, n=3)["asked"].tolist() == [8, 8]  # fewer: what is there is better
    assert run(jobs(rows, rows), tmp_path, n=3, seed=2)["seed_seen"].tolist() == [2, 2]
    assert run(jobs(rows, rows), tmp_path, n=3, seed=2, fresh=True)["asked"].tolist() == [3, 3]


def test_the_change_at_reassessment_may_cover_more_than_it_says_and_not_less():
    cells = pd.DataFrame({
        "gate": "G1", "mode": ["robust", "robust", "robust", "usual"], "noise": "AR(1)",
        "contrast": ["mean change", "change at reassessment", "change at reassessment", "mean change"],
        "coverage": [0.99, 0.99, 0.92, 0.5],
    })  # fmt: skip
    assert bounded(cells)["passed"].tolist() == ["no", "yes", "no", ""]
    assert "bound_low" not in judged("G5", cells)


def test_intervals_of_every_level_cover_in_their_share_when_all_is_drawn_from_the_prior():
    """G0, small: 1,000 and 250 runs; a mistake of the size of a dropped first day would show."""
    for mode, n in (("ar1", 1000), ("robust", 250)):
        cell = pd.DataFrame(exactness.Chunk(mode, "", 0)(n, 20)).assign(mode=mode, error="")
        pooled = exactness.exactness_pooled(cell)
        assert set(pooled["passed"]) == {"yes"}
        assert len(pooled) == 12
    wrong = pd.DataFrame(exactness.Chunk("ar1", "first day dropped", 0)(1000, 20)).assign(
        mode="ar1", error="first day dropped"
    )
    assert "caught" in set(exactness.exactness_pooled(wrong)["passed"])


# ------------------------------------------------------------------ real diaries


def test_real_stretches_keep_the_calendar_and_half_of_the_days_on_both_sides():
    days = pd.Series(np.arange(200.0))
    days[[3, 150]] = np.nan
    days[20:28] = np.nan
    for split in real_diaries.SPLITS:
        values, names = real_diaries.drawn({"one": days}, DESIGNS["14+70"], split, 1, 1)
        assert set(names) == {"one"}
        assert (np.nanmax(np.diff(values, axis=1)) == 1) or split != "every date"
        assert (np.isfinite(values[:, :14]).sum(axis=1) >= 7).all()
    every, _ = real_diaries.drawn({"one": days}, DESIGNS["14+70"], "every date", 1, 1)
    # 117 first days; those from day 14 to 20 see all eight missing days before the split, and no others do.
    assert len(every) == 117 - 7


def test_days_around_a_stretch_say_whether_a_change_went_on():
    design, days = DESIGNS["14+70"], pd.Series(np.arange(150.0))
    outside = real_diaries.moved_outside({"one": days}, design)
    # On a straight line the two weeks after a stretch stand 84 + 14 above those before it; at the ends there are none.
    assert len(outside) == 67
    assert np.nanmax(np.abs(outside[14:-14] - 98)) == 0
    assert np.isnan(outside[:5]).all()
    assert np.isnan(outside[-5:]).all()
    ends = np.array([[1.0, 3.0], [1.0, 3.0], [-3.0, -1.0], [-1.0, 1.0]])
    found = real_diaries.agreement_outside(ends, np.array([2.0, -1.0, np.nan, 5.0]))
    assert found == {"outside_same_way": 0.5, "outside_share": pytest.approx(2 * (2 - 1) / 8)}


def test_a_false_alarm_is_an_interval_that_misses_no_change():
    ends = np.array([[-1.0, 1.0], [0.5, 2.0], [-4.0, -1.0], [np.nan, np.nan]])
    found = real_diaries.alarms("robust", "mean change", "all", ends, 1)
    assert (found["stretches"], found["estimable"], found["passed"]) == (4, 3, "no")
    assert found["called_changed"] == pytest.approx(2 / 3)
    assert found["called_changed_by_1_point"] == pytest.approx(2 / 3)
    weighed = real_diaries.alarms("robust", "mean change", "all", ends, 1, np.array([2.0, 1, 1, 0]))
    assert weighed["called_changed"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("first_treatment_day", "before", "after", "people", "difference", "directions"),
    [
        (1, (719, 0.6342), (3433, 0.6438), 61, (-0.0246, -0.0934, 0.0442), (29, 3, 29)),
        (0, (700, 0.6329), (3452, 0.6440), 55, (-0.0052, -0.0752, 0.0648), (25, 4, 26)),
    ],
)
def test_kostecki_dillon_as_published(first_treatment_day, before, after, people, difference, directions):
    """Headache days of 133 people (carData): counts and shares under both readings of day 0."""
    from scipy import stats

    rows = real_diaries.kostecki_dillon()
    assert (len(rows), rows["id"].nunique()) == (4152, 133)
    treated = rows["time"] >= first_treatment_day
    for some, (days, share) in ((rows[~treated], before), (rows[treated], after)):
        assert len(some) == days
        assert some["headache"].mean() == pytest.approx(share, abs=5e-5)
    sides = rows.assign(treated=treated).pivot_table(index="id", columns="treated", values="headache").dropna()
    change = sides[True] - sides[False]
    low, high = stats.t.interval(0.95, len(change) - 1, change.mean(), stats.sem(change))
    assert len(change) == people
    assert (change.mean(), low, high) == pytest.approx(difference, abs=5e-5)
    assert ((change < 0).sum(), (change == 0).sum(), (change > 0).sum()) == directions


def test_the_tables_of_the_readmes_are_those_of_the_results():
    """`python benchmarks/summary.py --write` puts them right."""
    import summary

    for path, tables in summary.PAGES.items():
        text = path.read_text(encoding="utf-8")
        assert summary.filled(text, tables) == text


# ------------------------------------------------------------------ verdicts of known truths


def test_ratings_keep_both_bars_and_most_of_the_unchanged_are_told_so():
    """A small version of the grid: 14+70 and 28+84 days, φ .3, 15 % missing, 400 diaries a cell."""
    for design, told_so in (("14+70", 0.8), ("28+84", 0.9)):
        unchanged, half, twice = (
            verdicts.Verdict("ratings", design, 0.3, 0.15, gain)(400, 20)[0] for gain in (0.0, 0.5, 2.0)
        )
        assert unchanged["any_improved"] <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 400)
        assert half["improved"] <= 0.03
        assert unchanged["no_important_change"] >= told_so
        assert twice["improved"] >= 0.75
        assert sum(unchanged[kind] for kind in get_args(Reading)) == pytest.approx(1)


def test_noisy_yes_no_days_are_called_worse_less_often_since_the_direction_must_be_sure():
    row = verdicts.Verdict("yes/no days, m 3", "14+70", 0.6, 0.15, 0.0)(300, 20)[0]
    assert row["worse"] < 0.08 < 0.10 < row["worse_unsure"]
    assert row["cannot_say"] > row["cannot_say_unsure"]


def test_a_bar_counts_any_improved_of_the_unchanged_and_improved_at_half_of_the_important_gain():
    rows = pd.DataFrame({
        "gain": [0.0, 0.0, 0.0, 0.5, 0.5, 1.0], "phi": [0.6, 0.6, 0.8, 0.8, 0.0, 0.0], "n": 2000,
        "any_improved": [0.059, 0.06, 0.5, 0.5, 0.5, 0.9], "improved": [0.0, 0.0, 0.0, 0.03, 0.031, 0.9],
    })  # fmt: skip
    assert verdicts.verdicts_judged(rows)["passed"].tolist() == ["yes", "no", "", "yes", "no", ""]


def test_a_small_run_of_the_sessions_benchmark_holds_its_bounds():
    """Seeded; 3 binomial standard errors around what the full run found."""
    around = session_cells.around_cell("weekly", 0.3, 60, 1)
    assert around["refused"] == 0
    assert around["value"] >= 0.85
    links = {row["measure"]: row["value"] for row in session_cells.together_cell(0.0, 0.6, 0.0, 150, 1)}
    plain = links.pop("Pearson's correlation at lag 1: p < .05")
    assert max(links.values()) <= 0.12 <= plain
    course = {row["measure"]: row["value"] for row in session_cells.kinetics_cell("2 to 10 days", None, 0.3, 24, 1)}
    assert all(course[f"coverage of {name}"] >= 0.80 for name in ("build_up", "half_life", "state", "persistence"))
    assert course["build_up told"] <= 0.2


def test_the_distance_of_curves_is_what_an_oracle_sees():
    """White noise: the length of what level and best curve leave of the true one."""
    on = session_cells.on_calendar(np.arange(0, 70, 7))
    mean = session_cells.planted(0.2, 10.0, 2.0, on)
    far = (np.array([0.9]), np.array([2.0]))
    (other,) = session_cells.states(on, *far)
    design = np.column_stack([np.ones(on.size), other])
    rest = mean - design @ np.linalg.lstsq(design, mean, rcond=None)[0]
    everyday = np.ones(on.size, bool)
    assert session_cells.distance(mean, on, everyday, 0.0, far) == pytest.approx(np.linalg.norm(rest))
    same = (np.array([0.2]), np.array([10.0]))
    assert session_cells.distance(mean, on, everyday, 0.3, same) == pytest.approx(0, abs=1e-6)
