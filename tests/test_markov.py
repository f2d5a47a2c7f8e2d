"""Yes/no days: the Markov chain posterior against brute force, its coverage, and the rules of estimation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from acu_nof1.estimate import markov
from acu_nof1.estimate.markov import fit_days


def chains(series, baseline, days, before=0.4, after=0.4, rho=0.3, missing=0.2, seed=1):
    """Stationary chains in each phase, and their group numbers (0 before, 1 after)."""
    rng = np.random.default_rng(seed)
    y, u = np.zeros((series, days)), rng.random((series, days))
    for day in range(days):
        p = before if day < baseline else after
        y[:, day] = u[:, day] < (p if day in (0, baseline) else p * (1 - rho) + rho * y[:, day - 1])
    y[rng.random(y.shape) < missing] = np.nan
    return y, np.broadcast_to((np.arange(days) >= baseline).astype(int), y.shape)


def brute_force(y, group, phase, cells=400, nodes=300):
    """Posterior means of both probabilities and of rho, cell by cell and day by day."""
    theta = (np.arange(cells) + 0.5) * np.pi / (2 * cells)
    pi = np.sin(theta) ** 2
    low, high = np.arcsin(-0.2), np.arcsin(0.95)
    rho = np.sin(low + (np.arange(nodes) + 0.5) / nodes * (high - low))
    grid_pi, grid_rho = pi[None, :], rho[:, None]
    possible = (grid_pi + grid_rho * (1 - grid_pi) > 0) & (grid_pi * (1 - grid_rho) < 1)
    weight, means = np.ones(len(rho)), {}
    for side in np.unique(group[~np.isnan(y) & (group >= 0)]):
        likelihood = possible.astype(float)
        previous = None
        for day in np.flatnonzero(~np.isnan(y) & (group >= 0)):
            if group[day] == side:
                yes = np.broadcast_to(grid_pi, possible.shape)
                if previous is not None and (group[previous], phase[previous]) == (side, phase[day]):
                    power = grid_rho ** (day - previous)
                    yes = grid_pi * (1 - power) + power * y[previous]
                likelihood = likelihood * np.where(possible, yes if y[day] else 1 - yes, 0)
            previous = day
        total = likelihood.sum(axis=1)
        weight = weight * total / possible.sum(axis=1)
        means[side] = (likelihood @ pi) / total
    weight /= weight.sum()
    return [float(weight @ means[side]) for side in (0, 1)], float(weight @ rho)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_posterior_equals_brute_force(rho):
    y, group = chains(3, 14, 50, before=0.6, after=0.3, rho=rho, seed=4)
    fitted = fit_days(y, group, group)
    for s in range(3):
        (before, after), correlation = brute_force(y[s], group[s], group[s])
        assert fitted.before[0][s] == pytest.approx(before, abs=2e-3)
        assert fitted.after[0][s] == pytest.approx(after, abs=2e-3)
        assert fitted.rho.centre[s] == pytest.approx(correlation, abs=5e-3)
        assert fitted.change.centre[s] == pytest.approx(28 * (after - before), abs=0.1)


def test_other_groups_inform_the_correlation_only():
    """Days between baseline and window have their own probability."""
    y, group = chains(1, 20, 80, before=0.5, after=0.5, rho=0.6, missing=0.1, seed=2)
    between = np.where((group == 1) & (np.arange(80) < 60), 2, group)
    unused = np.where(between == 2, -1, between)
    informed, alone = fit_days(y, between, group), fit_days(y, unused, group)
    (before, after), correlation = brute_force(y[0], between[0], group[0])
    assert informed.before[0][0] == pytest.approx(before, abs=2e-3)
    assert informed.after[0][0] == pytest.approx(after, abs=2e-3)
    assert informed.rho.centre[0] == pytest.approx(correlation, abs=5e-3)
    spread = [np.ptp(f.rho.quantile([0.025, 0.975])) for f in (informed, alone)]
    assert spread[0] < spread[1]


def test_phases_of_the_same_condition_share_a_probability():
    """ABAB: the first day of every phase starts anew."""
    rng = np.random.default_rng(5)
    y = (rng.random((1, 60)) < 0.5).astype(float)
    phase = np.repeat([0, 1, 2, 3], 15)[None]
    fitted = fit_days(y, phase % 2, phase)
    (before, after), correlation = brute_force(y[0], phase[0] % 2, phase[0])
    assert fitted.before[0][0] == pytest.approx(before, abs=2e-3)
    assert fitted.after[0][0] == pytest.approx(after, abs=2e-3)
    assert fitted.rho.centre[0] == pytest.approx(correlation, abs=5e-3)


def test_single_days_without_correlation_are_jeffreys_beta(monkeypatch):
    """With rho = 0 the posterior of a probability is Beta(1/2 + yes, 1/2 + no)."""
    monkeypatch.setattr(markov, "_rho_nodes", lambda _: (np.zeros(1), np.zeros(2)))
    y = np.array([[1, 0, 1, 1, 0, 0, 1, np.nan, 0, 0, 0, 1, 0, 0, 0, 0.0]])
    group = np.array([[0] * 8 + [1] * 8])
    fitted = fit_days(y, group, group)
    before, after = stats.beta(4.5, 3.5), stats.beta(1.5, 7.5)
    assert fitted.before[0][0] == pytest.approx(before.mean(), abs=1e-6)
    np.testing.assert_allclose(fitted.before[1:], before.ppf([[0.025], [0.975]]), atol=2e-3)
    np.testing.assert_allclose(fitted.after[1:], after.ppf([[0.025], [0.975]]), atol=2e-3)


@pytest.mark.parametrize(("rho", "after"), [(0.0, 0.4), (0.3, 0.2), (0.6, 0.4)])
def test_days_per_28_cover_the_truth(rho, after):
    y, group = chains(500, 28, 112, 0.4, after, rho, seed=6)
    below = fit_days(y, group, group).change.cdf(28 * (after - 0.4))
    covered = np.mean(np.abs(below - 0.5) <= 0.475)
    assert 0.92 <= covered <= 0.985


@pytest.mark.parametrize("scale", ["difference", "ratio", "odds ratio"])
def test_alone_and_in_a_batch_is_the_same(scale):
    y, group = chains(150, 28, 112, seed=7)
    y[100:, 40:] = np.nan
    batch = fit_days(y, group, group, scale)
    for s in (0, 77, 140):
        one = fit_days(y[s : s + 1], group[s : s + 1], group[s : s + 1], scale)
        np.testing.assert_allclose(
            one.change.quantile([0.025, 0.975])[0], batch.change.row(s).quantile([0.025, 0.975])[0], rtol=1e-9
        )
        np.testing.assert_allclose(one.rho.centre[0], batch.rho.centre[s], atol=1e-10)


def test_swapping_yes_and_no_mirrors_the_change():
    y, group = chains(5, 28, 112, after=0.2, seed=8)
    plain, mirrored = fit_days(y, group, group).change, fit_days(1 - y, group, group).change
    np.testing.assert_allclose(plain.quantile([0.025, 0.5]), -mirrored.quantile([0.975, 0.5]), atol=2e-3)


def test_padding_and_missing_days_change_nothing():
    y, group = chains(3, 28, 112, seed=8)
    pad = ((0, 0), (9, 5))
    padded = fit_days(np.pad(y, pad, constant_values=np.nan), *[np.pad(group, pad, constant_values=-1)] * 2)
    np.testing.assert_allclose(padded.change.centre, fit_days(y, group, group).change.centre, rtol=1e-12)


def test_days_of_one_kind_are_estimable():
    """No headache at all after treatment has an upper bound, not an error."""
    y = np.r_[np.tile([1.0, 0.0, 0.0, 1.0], 7), np.zeros(28)][None]
    group = np.repeat([0, 1], 28)[None]
    fitted = fit_days(y, group, group)
    assert fitted.reason == ("",)
    assert 0 < fitted.after[2][0] < 0.2
    assert fitted.change.cdf(0.0)[0] > 0.99
    assert np.isfinite(fit_days(np.zeros((1, 56)), group, group, "ratio").change.quantile([0.025, 0.975])).all()


def test_what_cannot_be_estimated_says_why():
    y, group = chains(4, 14, 40, seed=9)
    y[1], y[2, :14] = np.nan, np.nan
    fitted = fit_days(y, group, group)
    assert fitted.reason == ("", "no answered day in one of the phases", "no answered day in one of the phases", "")
    for numbers in (fitted.change.centre, fitted.change.cdf(0.0), fitted.before[1], fitted.rho.centre):
        assert np.isnan(numbers).tolist() == [False, True, True, False]
    with pytest.raises(ValueError, match="0, 1 or NaN"):
        fit_days(np.full((1, 40), 0.5), group[:1], group[:1])
    with pytest.raises(ValueError, match="must be"):
        fit_days(y, group[:, 1:], group)
    assert fit_days(np.empty((0, 5)), np.empty((0, 5), int), np.empty((0, 5), int)).reason == ()
