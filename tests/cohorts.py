"""Cohorts with known diaries, written as shared tables and as trial folders."""

from __future__ import annotations

import numpy as np
import pandas as pd

PROTOCOL = """
[outcome.pain]
instrument = "nrs_pain"
important_change = 2
primary = true
[outcome.sleep]
instrument = "csd_tst"
important_change = 30
[outcome.flare]
instrument = "flare_day"
"""
DIARY = '[[diary]]\nfile = "{}"\n'


def people(count=12, seed=1, treatment=56):
    """The people table and the diaries of so many people, as frames."""
    rng = np.random.default_rng(seed)
    rows, diaries = [], []
    for number in range(count):
        start = pd.Timestamp("2026-01-05") + pd.Timedelta(days=int(rng.integers(0, 40)))
        treated = start + pd.Timedelta(days=14 + int(rng.integers(0, 4)))
        end = treated + pd.Timedelta(days=treatment - 1)
        days = pd.date_range(start, end)
        on = days >= treated
        pain = np.clip(np.round(6 - (1 + number % 3) * on + 1.3 * rng.standard_normal(len(days))), 0, 10)
        sleep = np.clip(np.round(400 + 20 * on + 30 * rng.standard_normal(len(days))), 0, 720)
        frame = pd.DataFrame(
            {"person": f"C-{number + 1:03}", "date": days, "pain": pain, "sleep": sleep, "flare": (pain > 7) * 1}
        )
        diaries.append(frame[rng.random(len(days)) > 0.2])
        rows.append((f"C-{number + 1:03}", start, treated, end, ("back", "knee")[number % 2], 6 + number % 5))
    columns = ["person", "baseline_start", "treatment_start", "treatment_end", "condition", "sessions"]
    return pd.DataFrame(rows, columns=columns), pd.concat(diaries, ignore_index=True)


def shared(folder, table, diaries, long=False):
    """Write a folder with one protocol, the people table and everybody's diaries."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "protocol.toml").write_text(PROTOCOL + DIARY.format("diaries.csv"))
    table.to_csv(folder / "people.csv", index=False)
    if long:
        diaries = diaries.melt(["person", "date"], var_name="outcome", value_name="value")
    diaries.to_csv(folder / "diaries.csv", index=False)
    return folder


def trials(folder, table, diaries):
    """Write the same as a folder of trial folders."""
    for row in table.itertuples():
        own = folder / row.person
        own.mkdir(parents=True)
        diaries[diaries["person"] == row.person].drop(columns="person").to_csv(own / "diary.csv", index=False)
        phases = (
            f'[trial]\nperson = "{row.person}"\ncondition = "{row.condition}"\n'
            f'[[phase]]\nkind = "baseline"\nstart = {row.baseline_start:%Y-%m-%d}\n'
            f"end = {row.treatment_start - pd.Timedelta(days=1):%Y-%m-%d}\n"
            f'[[phase]]\nkind = "treatment"\nstart = {row.treatment_start:%Y-%m-%d}\nend = {row.treatment_end:%Y-%m-%d}\n'
        )
        (own / "protocol.toml").write_text(phases + PROTOCOL + DIARY.format("diary.csv"))
    return folder
