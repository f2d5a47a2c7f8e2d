"""The kernel: its paths agree, and it obeys the rules of every estimator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel_diaries import design, diaries, fit_all, same

from acu_nof1 import compiled
from acu_nof1.estimate import kernel
from acu_nof1.estimate.kernel import fit
from acu_nof1.estimate.nodes import AR1, ROBUST, ROBUST_COUNTS, grid
from acu_nof1.estimate.products import ar1_products, gap_statistics, robust_products, scale_phases
from acu_nof1.estimate.series import standardise

# --- agreement of the two noise models, of paths and of batches ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["mean", "segmented", "window"])
def test_robust_filter_without_white_noise_is_ar1(kind):
    """At the exact atom lambda = 0 with r collapsed the Kalman whitening and the gap statistics are one model."""
    y, treated = diaries(3, 7, 30, seed=8)
    x, c = design(kind, 7, 30)
    data = standardise(y, np.broadcast_to(x, (*y.shape, x.shape[1])), treated, np.broadcast_to(c, (3, *c.shape)))
    rows, nodes = np.arange(3), grid(AR1, 48, 0, 1)
    a, log_det = ar1_products(gap_statistics(data, rows), nodes.phi)
    whitened = robust_products(data, rows, nodes)
    np.testing.assert_allclose(scale_phases(whitened, np.zeros(1))[..., 0], a, atol=1e-10 * np.abs(a).max())
    np.testing.assert_allclose(whitened.log_det, log_det, atol=1e-10)


@pytest.mark.parametrize("noise", [AR1, ROBUST, ROBUST_COUNTS])
def test_alone_and_in_a_batch_is_the_same(noise):
    y, treated = diaries(60, 14, 70, seed=4)
    rng = np.random.default_rng(9)
    y[20:40] = np.where(rng.random((20, 70)) < 0.4, np.nan, y[20:40])
    y[5], y[6, :14] = 3.0, np.nan
    batch = fit_all(y, treated, "window", noise, baseline=14)
    for s in (0, 5, 6, 25, 59):
        alone = fit_all(y[s : s + 1], treated[s : s + 1], "window", noise, baseline=14)
        assert alone.reason[0] == batch.reason[s]
        mixture = batch.mixture(0).row(s)
        levels = np.array([0.025, 0.5, 0.975])
        np.testing.assert_allclose(alone.mixture(0).quantile(levels), mixture.quantile(levels), atol=1e-10)
        np.testing.assert_allclose(alone.coefficients[0], batch.coefficients[s], atol=1e-10)


@pytest.mark.parametrize("noise", [AR1, ROBUST, ROBUST_COUNTS])
@pytest.mark.parametrize("kind", ["mean", "window"])
def test_compiled_and_numpy_are_the_same(noise, kind, monkeypatch):
    pytest.importorskip("numba")
    y, treated = diaries(12, 14, 70, seed=4)
    y[5], y[6, :14] = 3.0, np.nan
    y[7, 14:] -= 1000  # a change of many hundred standard errors: beyond the table of Student's t
    results = []
    for worth in (10**9, 1):
        monkeypatch.setattr(compiled, "WORTH_COMPILING", worth)
        fitted = fit_all(y, treated, kind, noise, baseline=14)
        mixture = fitted.mixture(0)
        at = np.tile([-900.0, -1.0, 0.0, 1.0], (12, 1))
        results.append(
            [
                mixture.quantile([0.025, 0.5, 0.975]),
                mixture.cdf(at),
                fitted.coefficients,
                fitted.phi_posterior.centre,
                fitted.share_posterior.quantile([0.025, 0.975]),
                fitted.ratio_posterior.centre,
                fitted.effective_days(0),
            ]
        )
    for numpy_says, compiled_says in zip(*results, strict=True):
        np.testing.assert_allclose(compiled_says, numpy_says, rtol=1e-10, atol=1e-10)


def test_without_numba_large_batches_are_fitted_too(monkeypatch):
    monkeypatch.setattr(compiled, "available", lambda: False)
    monkeypatch.setattr(compiled, "WORTH_COMPILING", 1)
    y, treated = diaries(3, 7, 30, seed=4)
    assert np.isfinite(fit_all(y, treated, "mean", AR1).mixture().quantile(0.5)).all()


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_chunks_change_nothing(noise, monkeypatch):
    y, treated = diaries(9, 7, 30, seed=4)
    whole = fit_all(y, treated, "mean", noise)
    monkeypatch.setattr(kernel, "NUMBERS_AT_ONCE", 1)
    same(whole, fit_all(y, treated, "mean", noise), 1e-12)


# --- rules every estimator obeys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_flipping_the_direction_negates_the_change(noise):
    y, treated = diaries(5, 7, 30, seed=6)
    up, down = (fit_all(sign * y, treated, "trend", noise, baseline=7).mixture(0) for sign in (1, -1))
    np.testing.assert_allclose(up.quantile([0.025, 0.5]), -down.quantile([0.975, 0.5]), atol=1e-10)
    np.testing.assert_allclose(up.cdf(0.3), 1 - down.cdf(-0.3), atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(a=st.floats(-1e3, 1e3), b=st.floats(0.01, 100))
def test_a_change_of_unit_scales_the_change(a, b):
    y, treated = diaries(3, 7, 30, seed=6)
    plain, scaled = fit_all(y, treated, "mean", AR1), fit_all(a + b * y, treated, "mean", AR1)
    levels = np.array([0.025, 0.5, 0.975])
    expected = plain.mixture().quantile(levels)
    width = (expected[:, 2] - expected[:, 0])[:, None]
    np.testing.assert_allclose((scaled.mixture().quantile(levels) / b - expected) / width, 0, atol=1e-8)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_an_offset_of_a_million_moves_nothing(noise):
    y, treated = diaries(5, 7, 40, seed=7)
    plain, far = (fit_all(y + offset, treated, "segmented", noise, baseline=7) for offset in (0.0, 1e6))
    same(plain, far, 1e-8)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_padding_and_shifts_of_the_calendar_change_nothing(noise):
    y, treated = diaries(5, 7, 30, seed=7)
    x, c = design("trend", 7, 30)
    c = np.broadcast_to(c, (5, *c.shape))
    plain = fit(y, np.broadcast_to(x, (5, 30, 3)), treated, c, noise)
    for left, right in ((0, 20), (13, 4)):
        pad = ((0, 0), (left, right))
        columns = np.pad(np.broadcast_to(x, (5, 30, 3)), (*pad, (0, 0)), constant_values=np.nan)
        padded = fit(np.pad(y, pad, constant_values=np.nan), columns, np.pad(treated, pad), c, noise)
        same(plain, padded, 1e-12)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_a_series_that_ends_with_missing_days_is_the_shorter_series(noise):
    y, treated = diaries(4, 7, 30, seed=7)
    y[:, 26:] = np.nan
    same(fit_all(y, treated, "mean", noise), fit_all(y[:, :26], treated[:, :26], "mean", noise), 1e-12)


def test_the_order_of_the_columns_does_not_matter():
    y, treated = diaries(4, 7, 30, seed=7)
    x, c = design("window", 7, 30)
    order = [2, 0, 3, 1]
    shuffled = fit(
        y, np.broadcast_to(x[:, order], (4, 30, 4)), treated, np.broadcast_to(c[:, order], (4, 1, 4)), ROBUST
    )
    same(fit_all(y, treated, "window", ROBUST), shuffled)


def test_a_column_that_spans_both_phases_is_split_like_the_values():
    """Intercept and step is the same model as a level per phase."""
    y, treated = diaries(4, 7, 30, seed=7)
    d = treated.astype(float)
    spanning = fit(y, np.stack([np.ones_like(d), d], axis=2), treated, np.tile([[[0.0, 1.0]]], (4, 1, 1)), ROBUST)
    same(fit_all(y, treated, "mean", ROBUST), spanning)


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_the_sd_ratio_is_found(noise):
    y, treated = diaries(40, 28, 112, seed=2, log_ratio=1.0, phi=0.2, missing=0.1)
    found = fit_all(y, treated, "mean", noise).ratio_posterior.centre.mean()
    assert found == pytest.approx(1.0 if noise is ROBUST else 0.0, abs=0.15)


def test_effective_days_measure_a_phase_against_its_own_sd():
    y, treated = diaries(200, 28, 112, seed=2, log_ratio=1.0, phi=0.0, missing=0.0)
    x, _ = design("mean", 28, 112)
    levels = np.broadcast_to(np.eye(2), (200, 2, 2))
    fitted = fit(y, np.broadcast_to(x, (200, 112, 2)), treated, levels, ROBUST)
    assert np.median(fitted.effective_days(0)) == pytest.approx(28, rel=0.25)
    assert np.median(fitted.effective_days(1)) == pytest.approx(84, rel=0.25)


def test_a_slow_drift_raises_the_autocorrelation_warning():
    drift, treated = diaries(30, 14, 84, phi=0.99, missing=0.0, seed=3)
    calm, _ = diaries(30, 14, 84, phi=0.2, missing=0.0, seed=3)
    p = [np.median(fit_all(y, treated, "mean", ROBUST).probability_phi_above(0.9)) for y in (drift, calm)]
    assert p[0] > 0.5
    assert p[1] < 0.2


# --- what cannot be estimated says why -----------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [AR1, ROBUST])
def test_series_that_cannot_be_estimated_say_why(noise):
    y, treated = diaries(9, 7, 30, seed=7, missing=0.0)
    y[1] = np.nan
    y[2, :7] = np.nan
    y[3, 7:] = np.nan
    y[4] = 4.0
    y[5, 1:28] = np.nan
    y[6] = np.where(treated[6], 2.0, 5.0)
    y[7, 8:] = np.nan
    result = fit_all(y, treated, "window", noise, baseline=7)
    assert result.reason[0] == result.reason[8] == ""
    assert result.reason[1] == "no answered day"
    assert result.reason[2] == result.reason[3] == "no answered day in one of the phases"
    assert result.reason[4] == "every value is the same"
    assert result.reason[5] == "fewer answered days than the model needs (3 answered, 5 needed)"
    assert "no noise" in result.reason[6]
    assert "cannot tell" in result.reason[7]
    bad = [bool(why) for why in result.reason]
    mixture = result.mixture(0)
    for numbers in (
        mixture.cdf(0.0),
        mixture.quantile(0.5),
        mixture.mean,
        result.effective_days(0),
        result.phi_posterior.centre,
        result.phi_posterior.quantile(0.025),
        result.share_posterior.quantile(0.975),
        result.probability_phi_above(0.9),
        result.coefficients[:, 0],
    ):
        assert np.isnan(numbers).tolist() == bad


def test_a_batch_of_nothing():
    result = fit(np.empty((0, 5)), np.empty((0, 5, 2)), np.empty((0, 5), bool), np.empty((0, 1, 2)))
    assert result.reason == ()
    assert result.mixture(0).quantile(0.5).shape == (0,)
    nothing = fit_all(np.full((2, 20), np.nan), np.tile(np.arange(20) > 7, (2, 1)), "mean", ROBUST)
    assert np.isnan(nothing.mixture(0).quantile([0.025, 0.975])).all()


def test_wrong_shapes_and_infinities_are_refused():
    y, treated = diaries(2, 7, 30)
    x, c = (np.broadcast_to(a, (2, *a.shape)) for a in design("mean", 7, 30))
    with pytest.raises(ValueError, match="values must be"):
        fit(y, x[:, 1:], treated, c)
    with pytest.raises(ValueError, match="contrasts must be"):
        fit(y, x, treated, c[..., :1])
    with pytest.raises(ValueError, match="infinity"):
        fit(np.where(y > 1, np.inf, y), x, treated, c)
    with pytest.raises(ValueError, match="columns must be finite"):
        fit(y, np.full_like(x, np.nan), treated, c)
