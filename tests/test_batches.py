"""Large batches: compiled code says what NumPy says, a series what it says alone, and memory does not grow."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import make_trial
from scipy import stats

from acu_nof1 import compiled
from acu_nof1.distribution import Deferred, TMixture
from acu_nof1.estimate import base
from acu_nof1.estimate.columns import CHANGE
from acu_nof1.estimate.level import CHANGE_AT_REASSESSMENT, MEAN_CHANGE

LEVELS = np.array([0.001, 0.005, 0.025, 0.5, 0.975, 0.995, 0.999])
NUMPY, COMPILED = 10**9, 1


def cohort(series: int, seed: int = 1, missing: float = 0.2):
    """Comparisons of many diaries of 14 + 42 days with a change of -2 and whole ratings."""
    rng = np.random.default_rng(seed)
    one = make_trial({"pain": np.full(56, 5.0)}, baseline=14).comparisons()
    many = one.take(np.zeros(series, dtype=int))
    noise = rng.normal(0, 1.2, many.values.shape)
    noise[:, 1:] += 0.5 * noise[:, :-1]
    values = np.clip(np.round(6 - 2 * many.treated + noise), 0, 10)
    values[~np.isfinite(many.values) | (rng.random(values.shape) < missing)] = np.nan
    return replace(many, values=values)


def mixtures(rows: int = 60, nodes: int = 40):
    rng = np.random.default_rng(3)
    weight = rng.dirichlet(np.full(nodes, 0.3), rows)
    weight[:, -3:] = 0.0
    weight /= weight.sum(axis=1, keepdims=True)
    df = np.resize([1, 2, 3, 5, 9, 20, 35, 60, 200, 1000], rows).astype(float)
    return TMixture(weight, rng.normal(0, 2, (rows, nodes)), rng.uniform(0.02, 1.5, (rows, nodes)), df)


def test_compiled_mixtures_agree_with_numpy_far_beyond_the_table(monkeypatch):
    pytest.importorskip("numba")
    mixture = mixtures()
    at = np.tile([-1e6, -300.0, -20.0, -1.0, 0.0, 3.0, 40.0, 5000.0], (60, 1))
    said = []
    for worth in (NUMPY, COMPILED):
        monkeypatch.setattr(compiled, "WORTH_COMPILING", worth)
        said.append((mixture.cdf(at), mixture.quantile(LEVELS)))
    np.testing.assert_allclose(said[1][0], said[0][0], rtol=0, atol=1e-12)
    exact = np.sum(
        mixture.weight[:, None] * stats.t.cdf((at[:, :, None] - mixture.loc[:, None]) / mixture.scale[:, None],
                                              mixture.df[:, None, None]), axis=2,
    )  # fmt: skip
    np.testing.assert_allclose(said[1][0], exact, rtol=0, atol=5e-11)
    np.testing.assert_allclose(said[1][1], said[0][1], rtol=1e-10, atol=1e-10)


def test_equal_nodes_have_the_quantiles_of_one_t(monkeypatch):
    """The bracket of the search is a point."""
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "WORTH_COMPILING", COMPILED)
    df = np.array([1.0, 4.0, 80.0])
    same = TMixture(np.full((3, 25), 0.04), np.full((3, 25), 1e5), np.full((3, 25), 2.0), df)
    np.testing.assert_allclose(same.quantile(LEVELS), 1e5 + 2 * stats.t.ppf(LEVELS, df[:, None]), rtol=1e-9)


@pytest.mark.parametrize("estimator", [MEAN_CHANGE, CHANGE_AT_REASSESSMENT])
def test_every_field_of_a_series_is_the_same_alone_and_in_a_compiled_batch(estimator, monkeypatch):
    pytest.importorskip("numba")
    many = cohort(24)
    many.values[3], many.values[4, :14], many.values[5, 20:50] = 5.0, np.nan, np.nan
    monkeypatch.setattr(compiled, "WORTH_COMPILING", COMPILED)
    batch = estimator(many).to_frame()
    monkeypatch.setattr(compiled, "WORTH_COMPILING", NUMPY)
    alone = pd.concat([estimator(many.take([row])).to_frame() for row in range(24)], ignore_index=True)
    pd.testing.assert_frame_equal(batch, alone, rtol=1e-10, atol=1e-10)
    assert 20 < (batch["status"] == "ok").sum() < 24


def test_a_cohort_in_parts_says_the_same_and_makes_distributions_again(monkeypatch):
    many = cohort(11)
    whole = MEAN_CHANGE(many)
    monkeypatch.setattr(base, "SERIES_AT_ONCE", 4)
    monkeypatch.setattr(base, "DISTRIBUTIONS_KEPT", 10)
    parts = MEAN_CHANGE(many)
    pd.testing.assert_frame_equal(parts.to_frame(), whole.to_frame(), rtol=1e-12, atol=1e-12)
    for kept, again in zip(whole, parts, strict=True):
        assert isinstance(again.distribution, Deferred)
        np.testing.assert_allclose(again.distribution.quantile(LEVELS), kept.distribution.quantile(LEVELS), atol=1e-10)
        np.testing.assert_allclose(again.distribution.cdf(-1.0), kept.distribution.cdf(-1.0), atol=1e-12)
        np.testing.assert_allclose(again.distribution.centre, again.value, atol=1e-10)
        np.testing.assert_allclose(again.distribution.row(0).centre, again.value, atol=1e-10)


def test_memory_is_bounded_by_parts_and_not_by_the_cohort(monkeypatch):
    """What is kept of a series is its row of the table; at the peak four times the series take less than twice as much."""
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "WORTH_COMPILING", COMPILED)
    monkeypatch.setattr(base, "SERIES_AT_ONCE", 20)
    monkeypatch.setattr(base, "DISTRIBUTIONS_KEPT", 20)
    MEAN_CHANGE(cohort(40, missing=0.0))  # the table of Student's t is kept, too
    found = []
    for series in (40, 160):
        many = cohort(series, missing=0.0)
        tracemalloc.start()
        answers = MEAN_CHANGE(many)
        found.append(tracemalloc.get_traced_memory())
        tracemalloc.stop()
        assert len(answers) == series
    (kept_few, peak_few), (kept_many, peak_many) = found
    assert peak_many < 2 * peak_few
    assert (kept_many - kept_few) / 120 < 10_000


def test_the_change_is_the_third_contrast_whoever_weighs_the_nodes(monkeypatch):
    """Covariances: Var(after - before) = Var(after) + Var(before) - 2 Cov, node by node, in both codes."""
    pytest.importorskip("numba")
    from acu_nof1.estimate.kernel import fit
    from acu_nof1.estimate.level import phase_levels

    many = cohort(6)
    question = phase_levels(many)
    for worth in (NUMPY, COMPILED):
        monkeypatch.setattr(compiled, "WORTH_COMPILING", worth)
        found = fit(many.values, question.columns, many.treated, question.contrasts)
        ratio, change = found.ratio(1, 0), found.mixture(CHANGE)
        together = ratio.var_before + ratio.var_after - 2 * ratio.cov
        np.testing.assert_allclose(change.scale**2, together, rtol=1e-9)
        np.testing.assert_allclose(change.loc, ratio.after - ratio.before, atol=1e-10)
