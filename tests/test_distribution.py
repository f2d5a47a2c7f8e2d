"""Distributions: exact t, exact mixtures, Fieller, and the rules of cdf and quantile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, special, stats

from acu_nof1.distribution import Cells, Grid, RatioMixture, TMixture, cell_midpoints, student

LEVELS = np.array([0.001, 0.025, 0.2, 0.5, 0.9, 0.975, 0.9999])


def mixture(rows=20, nodes=30, seed=1, bad=()):
    rng = np.random.default_rng(seed)
    weight = rng.dirichlet(np.ones(nodes), rows)
    loc, scale = rng.normal(size=(rows, nodes)), rng.uniform(0.1, 2, (rows, nodes))
    df = rng.integers(1, 60, rows).astype(float)
    for i in bad:
        weight[i], loc[i], scale[i], df[i] = (np.nan,) * 4
    return TMixture(weight, loc, scale, df)


def ratio(rows=20, nodes=15, seed=1, before=5.0, after=3.0, sd=0.5):
    rng = np.random.default_rng(seed)
    return RatioMixture(
        weight=rng.dirichlet(np.ones(nodes), rows),
        before=before + 0.1 * rng.normal(size=(rows, nodes)),
        after=after + 0.1 * rng.normal(size=(rows, nodes)),
        var_before=sd**2 * rng.uniform(0.5, 2, (rows, nodes)),
        var_after=sd**2 * rng.uniform(0.5, 2, (rows, nodes)),
        cov=0.2 * sd**2 * rng.uniform(-1, 1, (rows, nodes)),
        df=rng.integers(5, 60, rows).astype(float),
    )


def grid(scale="difference", rows=4, nodes=5, cells=240):
    rng = np.random.default_rng(3)
    p = cell_midpoints(cells)

    def beta(a, b):
        density = p ** (a - 0.5)[..., None] * (1 - p) ** (b - 0.5)[..., None]
        return density / density.sum(axis=-1, keepdims=True)

    counts = rng.uniform(2, 20, (4, rows, nodes))
    return Grid(rng.dirichlet(np.ones(nodes), rows), beta(*counts[:2]), beta(*counts[2:]), scale)


@pytest.mark.parametrize("nu", [1, 2, 3, 7, 30, 200])
def test_the_table_of_student_t_is_exact_to_1e_10(nu):
    z = np.concatenate([np.linspace(-40, 40, 20_011), [0.0, -0.0, 24.0, -24.0, 1e8, -1e8]])[None]
    below, density = student(z, np.array([float(nu)]))
    np.testing.assert_allclose(below, special.stdtr(nu, z), atol=2e-11)
    np.testing.assert_allclose(density, stats.t.pdf(z, nu), atol=1e-6)


def test_far_tails_stay_positive_and_relative():
    below = TMixture(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.array([30.0])).cdf(
        np.array([[-12.0, -60.0]])
    )
    np.testing.assert_allclose(below[0], special.stdtr(30, [-12, -60]), rtol=1e-4)
    assert (below > 0).all()


def test_mixture_cdf_is_the_weighted_sum():
    m = mixture()
    x = np.linspace(-4, 4, 20)
    expected = np.sum(m.weight * stats.t.cdf((x[:, None] - m.loc) / m.scale, m.df[:, None]), axis=1)
    np.testing.assert_allclose(m.cdf(x), expected, atol=2e-11)


def test_mixture_quantiles_solve_the_cdf():
    m = mixture()
    q = m.quantile(LEVELS)
    for row in range(0, 20, 5):
        expected = [
            optimize.brentq(lambda x, p=p, row=row: m.row(row).cdf(x)[0] - p, -1e5, 1e5, xtol=1e-13) for p in LEVELS
        ]
        np.testing.assert_allclose(q[row], expected, rtol=1e-10, atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), p=st.floats(0.0005, 0.9995), nodes=st.integers(1, 40))
def test_round_trips(seed, p, nodes):
    for d in (mixture(5, nodes, seed), ratio(5, nodes, seed, sd=0.2)):
        np.testing.assert_allclose(d.cdf(d.quantile(p)), p, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), xs=st.lists(st.floats(-50, 50), min_size=2, max_size=8))
def test_the_cdf_never_falls(seed, xs):
    m = mixture(3, 12, seed)
    below = m.cdf(np.tile(np.sort(xs), (3, 1)))
    assert (np.diff(below, axis=1) >= -1e-12).all()
    assert ((below >= 0) & (below <= 1)).all()


@settings(max_examples=15, deadline=None)
@given(p=st.floats(0.01, 0.99), scale=st.sampled_from(["difference", "ratio", "odds ratio"]))
def test_grid_round_trips(p, scale):
    g = grid(scale)
    np.testing.assert_allclose(g.cdf(g.quantile(p)), p, atol=1e-9)


def test_shapes():
    for d in (mixture(), ratio(), grid(rows=20)):
        assert d.cdf(0.3).shape == d.cdf(np.full(20, 0.3)).shape == d.centre.shape == (20,)
        assert d.cdf(np.full((20, 2), 0.3)).shape == d.quantile([0.1, 0.9]).shape == (20, 2)
        assert d.quantile(0.3).shape == (20,)
        assert d.row(3).quantile(0.3)[0] == d.quantile(0.3)[3]
        np.testing.assert_array_equal(d.take([4, 2]).centre, d.centre[[4, 2]])
        np.testing.assert_array_equal(d.take(np.arange(20) < 2).cdf(1.0), d.cdf(1.0)[:2])
        with pytest.raises(ValueError, match="x has shape"):
            d.cdf([0.1, 0.2])
        for wrong in (0.0, 1.0, [0.5, np.nan]):
            with pytest.raises(ValueError, match="strictly between"):
                d.quantile(wrong)


def test_rows_that_are_not_estimable_stay_nan():
    m = mixture(bad=(0, 7))
    for numbers in (m.mean, m.centre, m.cdf(0.0), m.quantile(0.5), m.quantile([0.1, 0.9])[:, 1]):
        assert np.flatnonzero(np.isnan(numbers)).tolist() == [0, 7]
    assert np.isnan(mixture().cdf(np.nan)).all()


def test_padding_with_weight_zero_changes_nothing():
    m = mixture()
    padded = TMixture(
        *(
            np.pad(a, ((0, 0), (0, 3)), mode=mode)
            for a, mode in zip((m.weight, m.loc, m.scale), ("constant", "edge", "edge"), strict=True)
        ),
        m.df,
    )
    np.testing.assert_allclose(padded.quantile(LEVELS), m.quantile(LEVELS), rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_one_node_is_students_t(offset):
    one = TMixture(np.ones((1, 1)), np.full((1, 1), offset), np.full((1, 1), 2.0), np.array([9.0]))
    np.testing.assert_allclose(one.quantile(LEVELS)[0] - offset, stats.t.ppf(LEVELS, 9, 0, 2), atol=1e-9)
    assert one.mean[0] == offset


# --- ratios ---------------------------------------------------------------------------------------------------------------


def fieller(after, before, var_after, var_before, cov, t):
    """The classical limits: roots of (a - q b)^2 = t^2 (var_a - 2 q cov + q^2 var_b)."""
    roots = np.roots([before**2 - t**2 * var_before, -2 * (after * before - t**2 * cov), after**2 - t**2 * var_after])
    return np.sort(roots.real)


def test_fieller_1954_limits_of_a_ratio():
    d = RatioMixture(*(np.full((1, 1), v) for v in (1.0, 4.0, 3.0, 0.25, 0.16, 0.05)), np.array([12.0]))
    expected = fieller(3.0, 4.0, 0.16, 0.25, 0.05, stats.t.ppf(0.975, 12))
    np.testing.assert_allclose(d.quantile([0.025, 0.975])[0], expected, rtol=1e-9)
    assert d.centre[0] == pytest.approx(0.75)


def test_ratio_cdf_is_that_of_the_difference_at_zero():
    d = ratio()
    q = 0.6
    z = (q * d.before - d.after) / np.sqrt(d.var_after - 2 * q * d.cov + q**2 * d.var_before)
    np.testing.assert_allclose(d.cdf(q), np.sum(d.weight * stats.t.cdf(z, d.df[:, None]), axis=1), atol=1e-10)


def test_a_ratio_without_an_upper_bound_is_infinite_and_down_to_0_is_0():
    d = ratio(before=0.4, after=0.5, sd=0.5)
    at_zero, at_infinity = d.cdf(0.0), d.cdf(np.inf)
    ends = d.quantile([0.025, 0.975])
    assert ((ends[:, 0] == 0) == (at_zero > 0.025)).all()
    assert (np.isinf(ends[:, 1]) == (at_infinity < 0.975)).all()
    assert (ends[:, 0] == 0).any()
    assert np.isinf(ends[:, 1]).any()
    finite = np.isfinite(ends[:, 1])
    np.testing.assert_allclose(d.cdf(np.where(finite, ends[:, 1], 1.0))[finite], 0.975, atol=1e-10)
    before_positive = np.sum(d.weight * stats.t.cdf(d.before / np.sqrt(d.var_before), d.df[:, None]), axis=1)
    np.testing.assert_allclose(at_infinity, before_positive, atol=1e-10)


def test_a_ratio_does_not_depend_on_the_unit():
    d = ratio()
    k = 1e-3
    small = RatioMixture(
        d.weight, k * d.before, k * d.after, k**2 * d.var_before, k**2 * d.var_after, k**2 * d.cov, d.df
    )
    np.testing.assert_allclose(small.quantile(LEVELS), d.quantile(LEVELS), rtol=1e-9)


# --- two probabilities ----------------------------------------------------------------------------------------------------


def test_grid_of_two_betas_by_quadrature():
    """One node: P(28 (after - before) < d) of two independent beta posteriors."""
    p = cell_midpoints(240)
    cells = [p ** (a - 0.5) * (1 - p) ** (b - 0.5) for a, b in ((8.5, 12.5), (5.5, 20.5))]
    before, after = (c[None, None] / c.sum() for c in cells)
    first, second = stats.beta(8.5, 12.5), stats.beta(5.5, 20.5)
    for scale, at, bound in (
        ("difference", -5.0, lambda b: b - 5 / 28),
        ("ratio", 0.6, lambda b: 0.6 * b),
        ("odds ratio", 0.5, lambda b: 0.5 * b / (1 - b + 0.5 * b)),
    ):
        expected = integrate.quad(lambda b, bound=bound: first.pdf(b) * second.cdf(bound(b)), 0, 1)[0]
        assert Grid(np.ones((1, 1)), before, after, scale).cdf(at)[0] == pytest.approx(expected, abs=2e-4)
    difference = Grid(np.ones((1, 1)), before, after)
    assert difference.means[0][0] == pytest.approx(first.mean(), abs=1e-4)
    assert difference.centre[0] == pytest.approx(28 * (second.mean() - first.mean()), abs=1e-3)


def test_days_per_28_do_not_move_in_steps():
    x = np.linspace(-8, 8, 4001)
    rise = np.diff(grid(rows=1).cdf(np.tile(x, (1, 1)))[0])
    assert rise.max() < 4 * 1 / 4000
    assert (rise >= 0).all()
    assert np.count_nonzero(rise) == 4000


def test_grid_ends():
    g = grid()
    np.testing.assert_allclose(g.cdf(-28.0), 0, atol=1e-12)
    np.testing.assert_allclose(g.cdf(28.0), 1, atol=1e-12)
    for scale in ("ratio", "odds ratio"):
        np.testing.assert_allclose(grid(scale).cdf(np.inf), 1, atol=1e-12)
        np.testing.assert_allclose(grid(scale).cdf(0.0), 0, atol=1e-12)


# --- one parameter on cells -----------------------------------------------------------------------------------------------


def test_cells_with_a_point_mass():
    cells = Cells(*(np.array(a)[None] for a in ([0.0, 0.25, 0.75], [0.5, 0.3, 0.2], [0.0, 0.0, 0.5, 1.0])))
    assert cells.centre[0] == pytest.approx(0.225)
    np.testing.assert_allclose(cells.cdf(np.array([[0.0, 0.25, 0.5, 0.75, 1.0]])), [[0.5, 0.65, 0.8, 0.9, 1.0]])
    np.testing.assert_allclose(cells.quantile([0.3, 0.65, 0.9]), [[0.0, 0.25, 0.75]])
    assert cells.row(0).quantile(0.65)[0] == pytest.approx(0.25)
