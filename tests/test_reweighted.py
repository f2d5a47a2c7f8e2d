"""A normal prior of the change: dense quadrature, the conjugate normal, the flat limit, and intervals that hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acu_nof1.distribution import Reweighted, TMixture
from acu_nof1.estimate.kernel import AR1, fit

LEVELS = np.array([0.001, 0.025, 0.2, 0.5, 0.9, 0.975, 0.999])


def mixture(df, nodes=30, rows=1, seed=1):
    rng = np.random.default_rng(seed)
    weight = rng.dirichlet(np.ones(nodes), rows)
    return TMixture(
        weight, rng.normal(size=(rows, nodes)), rng.uniform(0.1, 2, (rows, nodes)), np.full(rows, float(df))
    )


def quadrature(flat, mean, sd):
    """Edges and cdf of the normal times the mixture, by ten Gauss-Legendre nodes on thousands of panels."""
    near = [flat.loc[0] + step * flat.scale[0] for step in np.sinh(np.linspace(-20, 20, 250))]
    edges = np.unique(np.concatenate([mean + sd * np.linspace(-12, 12, 1500), *near]))
    edges = edges[np.abs(edges - mean) <= 12 * sd]
    node, weight = np.polynomial.legendre.leggauss(10)
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half) + half * node
    density = np.zeros_like(x)
    for w, m, s in zip(flat.weight[0], flat.loc[0], flat.scale[0], strict=True):
        density += w * stats.t.pdf((x - m) / s, flat.df[0]) / s
    parts = (density * np.exp(-(((x - mean) / sd) ** 2) / 2) * half * weight).sum(axis=1)
    cdf = np.concatenate([[0.0], np.cumsum(parts)])
    return edges, cdf / cdf[-1], np.sum(parts / cdf[-1] * (edges[1:] + edges[:-1]) / 2)


@pytest.mark.parametrize("df", [1, 2, 7, 60])
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (-1.0, 0.1), (3.0, 0.5), (0.0, 30.0), (9.0, 0.8)])
def test_the_prior_reweights_the_mixture_as_dense_quadrature_does(df, mean, sd):
    flat = mixture(df, nodes=8)
    edges, cdf, _ = quadrature(flat, mean, sd)
    informed = Reweighted.of(flat, mean, sd)
    some = slice(None, None, 9)
    np.testing.assert_allclose(informed.cdf(edges[some][None])[0], cdf[some], atol=1e-8)


def test_the_centre_is_the_posterior_mean():
    flat = mixture(9, nodes=8)
    _, _, mean = quadrature(flat, -0.5, 0.7)
    assert Reweighted.of(flat, -0.5, 0.7).centre[0] == pytest.approx(mean, abs=1e-6)


def test_quantiles_solve_the_cdf():
    informed = Reweighted.of(mixture(5, rows=4), 1.0, 0.6)
    np.testing.assert_allclose(informed.cdf(informed.quantile(LEVELS)), np.tile(LEVELS, (4, 1)), atol=1e-12)


def test_with_many_days_one_node_is_the_conjugate_normal():
    """Precision-weighted mean: Gelman et al., Bayesian Data Analysis, section 2.5."""
    m, s, mu, tau = -1.8, 0.7, 0.3, 1.1
    flat = TMixture(np.ones((1, 1)), np.full((1, 1), m), np.full((1, 1), s), np.array([1e7]))
    informed = Reweighted.of(flat, mu, tau)
    precision = 1 / s**2 + 1 / tau**2
    exact = stats.norm((m / s**2 + mu / tau**2) / precision, precision**-0.5)
    assert informed.centre[0] == pytest.approx(exact.mean(), abs=1e-6)
    np.testing.assert_allclose(informed.quantile(LEVELS)[0], exact.ppf(LEVELS), atol=2e-6)


@pytest.mark.parametrize("df", [3, 30])
def test_a_very_wide_prior_changes_nothing(df):
    flat = mixture(df, rows=3)
    informed = Reweighted.of(flat, 5.0, 1e6)
    np.testing.assert_allclose(informed.quantile(LEVELS), flat.quantile(LEVELS), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(informed.cdf([[-1.0, 0.0, 1.0]] * 3), flat.cdf([[-1.0, 0.0, 1.0]] * 3), atol=1e-8)


def test_a_very_narrow_prior_is_the_answer():
    informed = Reweighted.of(mixture(20), -1.0, 1e-4)
    np.testing.assert_allclose(informed.quantile(LEVELS)[0], stats.norm.ppf(LEVELS, -1.0, 1e-4), atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 3), st.floats(0.1, 3), st.floats(-3, 3), st.floats(0.1, 3), st.integers(1, 80))
def test_one_node_moves_towards_the_prior_and_flips_with_it(m, s, mu, tau, df):
    flat = TMixture(np.ones((1, 1)), np.full((1, 1), m), np.full((1, 1), s), np.array([float(df)]))
    other = TMixture(flat.weight, -flat.loc, flat.scale, flat.df)
    informed, flipped = Reweighted.of(flat, mu, tau), Reweighted.of(other, -mu, tau)
    assert min(m, mu) - 1e-9 <= informed.centre[0] <= max(m, mu) + 1e-9
    np.testing.assert_allclose(informed.quantile(LEVELS), -flipped.quantile(1 - LEVELS), rtol=1e-8, atol=1e-9)


def test_rows_without_an_answer_stay_without_and_company_changes_nothing():
    flat = mixture(12, rows=5)
    for field in (flat.weight, flat.loc, flat.scale, flat.df):
        field[2] = np.nan
    informed = Reweighted.of(flat, [0.0, 0, 0, 0, 1], [1.0, 1, 1, 2, 9])
    for answer in (informed.centre, informed.cdf(0.0), informed.quantile(0.5)):
        assert np.isnan(answer[2])
        assert np.isfinite(np.delete(answer, 2)).all()
    alone = informed.row(4)
    assert alone.prior_sd == [9.0]
    np.testing.assert_allclose(alone.quantile(LEVELS)[0], informed.quantile(LEVELS)[4], rtol=1e-9)


def test_among_the_largest_estimates_only_the_prior_s_intervals_hold_the_truth():
    """Everything drawn from the priors, AR(1) noise: then each level is exact in any group the data choose."""
    rng, size, days, mean, sd = np.random.default_rng(4), 2000, 24, -1.0, 0.5
    treated = np.arange(days) >= 10
    phi = np.sin(rng.uniform(-np.pi / 2, np.pi / 2, size))
    noise, shocks = np.empty((size, days)), rng.normal(size=(size, days))
    noise[:, 0] = shocks[:, 0]
    for day in range(1, days):
        noise[:, day] = phi * noise[:, day - 1] + np.sqrt(1 - phi**2) * shocks[:, day]
    change = rng.normal(mean, sd, size)
    columns = np.broadcast_to(np.stack([~treated, treated], axis=1).astype(float), (size, days, 2))
    contrasts = np.broadcast_to([[[-1.0, 1.0]]], (size, 1, 2))
    flat = fit(6 + change[:, None] * treated + noise, columns, np.tile(treated, (size, 1)), contrasts, AR1).mixture()
    largest = np.argsort(flat.centre)[: size // 3]
    held = {}
    for name, found in (("flat", flat), ("prior", Reweighted.of(flat, mean, sd))):
        transform = np.abs(found.take(largest).cdf(change[largest]) - 0.5)
        held[name] = np.array([np.mean(transform <= level / 2) for level in (0.5, 0.8, 0.95)])
    error = np.sqrt(np.array([0.25, 0.16, 0.0475]) / largest.size)
    assert (np.abs(held["prior"] - [0.5, 0.8, 0.95]) < 3 * error).all()
    assert (held["flat"] - [0.5, 0.8, 0.95] < -3 * error).any()
