"""Pooling people's changes: against metafor and statsmodels, by brute force, and by what must not matter."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy import optimize, stats
from scipy.special import ndtr
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

from acu_nof1.errors import UsageError
from acu_nof1.explore.groups import pool_by
from acu_nof1.explore.meta_regression import meta_regression
from acu_nof1.explore.pool import COLUMNS, pool
from acu_nof1.explore.random_effects import random_effects
from acu_nof1.explore.shares import (
    benjamini_hochberg,
    chance_of_each,
    share_by_chances,
    share_of_such_people,
    share_of_these,
)
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.plot import plot_forest_of_people
from acu_nof1.words import pool as words

METAFOR = ROOT / "tests" / "reference" / "metafor"
PEOPLE = pd.read_csv(METAFOR / "people.csv")
POOLED = pd.read_csv(METAFOR / "metafor_pooled.csv")
PAIN = OUTCOMES["nrs_pain"]
METHODS = ("REML", "PM", "DL")


def cohorts(n, k, tau, seed, mean=1.4):
    """Estimates, standard errors and true gains of n cohorts of k people."""
    rng = np.random.default_rng(seed)
    se = 0.6 * np.exp(0.5 * rng.standard_normal((n, k)))
    true = mean + tau * rng.standard_normal((n, k))
    return true + se * rng.standard_normal((n, k)), se, true


def one_cohort(k=30, tau=0.8, seed=1):
    y, se, true = cohorts(1, k, tau, seed)
    return y[0], se[0], true[0]


# ------------------------------------------------------------------ against metafor


@pytest.mark.parametrize("row", POOLED.to_dict("records"), ids=lambda row: f"{row['method']} {row['test']}")
def test_pooled_as_metafor(row):
    found = pool(PEOPLE["change"], PEOPLE["se"], method=row["method"], knapp_hartung=row["test"] == "knha")
    ours = {
        "mean": found.mean, "se": found.se, "low": found.low, "high": found.high, "tau2": found.tau2, "I2": 100 * found.i2,
        "H2": 1 / (1 - found.i2), "Q": found.q, "Qp": found.q_p, "pi_low": found.prediction_low, "pi_high": found.prediction_high,
    }  # fmt: skip
    for name, value in ours.items():
        # metafor's own iterations end 2e-7 off the best tau², which I² multiplies.
        assert value == pytest.approx(row[name], abs=1e-4), name
    assert found.df == (23 if row["test"] == "knha" else np.inf)
    assert (found.q_df, found.people, found.tau) == (23, 24, np.sqrt(found.tau2))


def test_shrunken_as_metafor_blup():
    reference = pd.read_csv(METAFOR / "metafor_shrunken.csv")
    found = pool(PEOPLE["change"], PEOPLE["se"], knapp_hartung=False, names=PEOPLE["person"]).by_person
    assert found["person"].tolist() == reference["person"].tolist()
    np.testing.assert_allclose(found["shrunken"], reference["shrunken"], atol=1e-5)
    np.testing.assert_allclose(found["shrunken_se"], reference["se"], atol=1e-5)
    reach = stats.norm.ppf(0.975) * reference["se"]
    np.testing.assert_allclose(found["shrunken_low"], reference["shrunken"] - reach, atol=1e-5)


def test_regression_as_metafor():
    reference = pd.read_csv(METAFOR / "metafor_regression.csv").set_index("term")
    found = meta_regression(PEOPLE["change"], PEOPLE["se"], PEOPLE[["weeks"]])
    ours = found.to_frame().set_index("term").rename(columns={"coefficient": "b"})
    columns = ["b", "se", "low", "high"]
    np.testing.assert_allclose(ours.loc[reference.index, columns], reference[columns], atol=1e-4)
    assert found.tau2 == pytest.approx(reference["tau2"].iloc[0], abs=1e-4)
    assert found.df == 22
    assert found.r2 == pytest.approx(1 - 0.0518906 / 0.0732016, abs=1e-4)


# ------------------------------------------------------------------ against statsmodels and brute force


def test_dersimonian_laird_and_paule_mandel_as_statsmodels():
    y, se, _ = one_cohort()
    for ours, theirs in (("DL", "chi2"), ("PM", "iterated")):
        reference = combine_effects(y, se**2, method_re=theirs)
        found = pool(y, se, method=ours, knapp_hartung=False)
        assert found.tau2 == pytest.approx(reference.tau2, abs=1e-6)
        assert (found.mean, found.se) == pytest.approx((reference.mean_effect_re, reference.sd_eff_w_re), abs=1e-7)
        # Knapp and Hartung's error is that of weighted least squares with an estimated scale.
        scaled = pool(y, se, method=ours)
        assert scaled.se == pytest.approx(reference.sd_eff_w_re_hksj, abs=1e-7)
        assert found.q == pytest.approx(reference.q, rel=1e-12)


def test_regression_as_weighted_least_squares_of_statsmodels():
    y, se, _ = one_cohort(40)
    x = pd.DataFrame({"weeks": np.arange(40) % 7, "sessions": np.random.default_rng(2).poisson(9, 40)})
    for method in METHODS:
        found = meta_regression(y, se, x, method=method)
        fit = sm.WLS(y, sm.add_constant(x), weights=1 / (se**2 + found.tau2)).fit()
        table = found.to_frame()
        np.testing.assert_allclose(table["coefficient"], fit.params, rtol=1e-9)
        np.testing.assert_allclose(table["se"], fit.bse, rtol=1e-9)
        np.testing.assert_allclose(table[["low", "high"]], fit.conf_int(), rtol=1e-8)
        np.testing.assert_allclose(table["p"], fit.pvalues, rtol=1e-7)
        assert (found.f, found.f_p, found.df) == pytest.approx((fit.fvalue, fit.f_pvalue, fit.df_resid))
        table = meta_regression(y, se, x, method=method, knapp_hartung=False).to_frame()
        fixed = sm.WLS(y, sm.add_constant(x), weights=1 / (se**2 + found.tau2)).fit(cov_type="fixed scale")
        np.testing.assert_allclose(table["se"], fixed.bse, rtol=1e-9)


def restricted(tau2, y, variance, x):
    """−2 × the restricted log likelihood from the dense matrices (Harville 1974)."""
    v = np.diag(variance + tau2)
    inverse = np.linalg.inv(v)
    precision = x.T @ inverse @ x
    b = np.linalg.solve(precision, x.T @ inverse @ y)
    r = y - x @ b
    return np.linalg.slogdet(v)[1] + np.linalg.slogdet(precision)[1] + r @ inverse @ r


@pytest.mark.parametrize("tau", [0.0, 0.3, 2.0])
def test_reml_is_where_the_dense_restricted_likelihood_is_largest(tau):
    """Harville 1974: no other τ², wherever it is looked for, is more likely."""
    y, se, _ = one_cohort(15, tau, seed=3)
    x = np.column_stack([np.ones(15), np.arange(15.0)])
    found = random_effects(y[None], se[None] ** 2, x[None]).tau2[0]
    tried = [
        optimize.minimize_scalar(
            restricted, bounds=bounds, args=(y, se**2, x), method="bounded", options={"xatol": 1e-10}
        )
        for bounds in itertools.pairwise((0, 0.1, 0.5, 1, 5, 30))
    ]
    best = min(tried, key=lambda each: each.fun)
    assert found == pytest.approx(best.x, abs=1e-6)
    assert restricted(found, y, se**2, x) <= best.fun + 1e-9


def test_paule_mandel_solves_its_equation_and_the_profile_of_q_its_own():
    """Paule & Mandel 1982; Viechtbauer 2007: the generalised Q at the ends of τ² are quantiles of χ²."""
    y, se, _ = one_cohort(25, 1.2)
    found = pool(y, se, method="PM")

    def q(tau2):
        weight = 1 / (se**2 + tau2)
        return np.sum(weight * (y - np.average(y, weights=weight)) ** 2)

    assert q(found.tau2) == pytest.approx(24, abs=1e-6)
    assert q(found.tau_low**2) == pytest.approx(stats.chi2.ppf(0.975, 24), abs=1e-6)
    assert q(found.tau_high**2) == pytest.approx(stats.chi2.ppf(0.025, 24), abs=1e-6)
    assert found.tau_low < found.tau < found.tau_high


def test_people_measured_equally_well_are_a_t_test():
    """With one standard error for all, Knapp and Hartung's interval is Student's, whatever the method, when τ² > 0."""
    y = np.array([-3.0, -1.0, 0.5, -2.0, 1.5, -4.0])
    student = stats.ttest_1samp(y, 0)
    for method in METHODS:
        found = pool(y, np.full(6, 0.3), method=method)
        assert found.tau2 == pytest.approx(y.var(ddof=1) - 0.09)
        assert (found.low, found.high) == pytest.approx(tuple(student.confidence_interval()))
        assert found.p == pytest.approx(student.pvalue)
        kept = found.tau2 / (found.tau2 + 0.09)
        np.testing.assert_allclose(found.by_person["shrunken"], y.mean() + kept * (y - y.mean()))


# ------------------------------------------------------------------ what must not matter


finite = st.floats(-50, 50).map(lambda value: round(value, 3))
errors = st.floats(-3, 3).map(lambda power: 10**power)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(finite, errors), min_size=2, max_size=12), st.sampled_from(METHODS), st.randoms())
def test_units_order_sign_and_company_do_not_matter(people, method, random):
    y, se = map(np.array, zip(*people, strict=True))
    plain = pool(y, se, method=method)
    assert plain.low <= plain.mean <= plain.high
    assert plain.prediction_low <= plain.low + 1e-9
    assert plain.prediction_high >= plain.high - 1e-9
    assert 0 <= plain.i2 <= 1
    order = list(range(len(y)))
    random.shuffle(order)
    # An optimum is found to about the root of what numbers resolve.
    near = {"rel": 1e-4, "abs": 1e-4 * (se.min() + np.ptp(y))}
    others = {
        "order": pool(y[order], se[order], method=method),
        "company": pool([*y, np.nan, 4.0], [*se, 1.0, 0.0], method=method),
    }
    for each in others.values():
        assert (each.mean, each.low, each.tau) == pytest.approx((plain.mean, plain.low, plain.tau), **near)
    turned = pool(-10 * y, 10 * se, method=method)
    assert (turned.mean, turned.high, turned.tau) == pytest.approx(
        (-10 * plain.mean, -10 * plain.low, 10 * plain.tau), rel=1e-4, abs=10 * near["abs"]
    )


def test_a_cohort_alone_and_among_others_is_the_same():
    y, se, _ = cohorts(7, 12, 0.5, seed=4)
    x = np.ones((7, 12, 1))
    for method in METHODS:
        together = random_effects(y, se**2, x, method=method)
        for i in range(7):
            alone = pool(y[i], se[i], method=method)
            assert alone.tau2 == pytest.approx(together.tau2[i], abs=1e-12)
            assert alone.mean == pytest.approx(together.fit.coefficient[i, 0], abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("value", "se"),
    [
        ([1.0, 2.0], [1e-6, 1e3]),
        ([1.0, 2.0, 3.0, 9.0], [1e-6, 1e-3, 1.0, 1e6]),
        ([1.0, 2.0, 3.0], [1e-49, 1.0, 1e49]),
        ([1e6, 1e6 + 1, 1e6 + 5], [0.1, 0.1, 0.1]),
        ([5.0, 5.0], [0.1, 0.3]),
        ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
        ([-40.0, 40.0], [1e-9, 1e-9]),
    ],
)
def test_no_cohort_runs_away(value, se, method):
    found = pool(value, se, method=method)
    numbers = found.to_frame().drop(columns=["status", "reason", "method", "knapp_hartung"]).to_numpy(dtype=float)
    assert found.ok
    assert np.isfinite(numbers).all()
    assert found.low <= found.mean <= found.high


def test_equal_people_have_no_spread_and_still_an_interval():
    """Knapp and Hartung's error would be 0: that of the standard errors stays, with t."""
    found = pool([1.0, 1.0, 1.0], [0.6, 0.6, 0.6])
    assert (found.tau2, found.i2) == (0, 0)
    assert found.high - 1 == pytest.approx(stats.t.ppf(0.975, 2) * 0.6 / np.sqrt(3))


# ------------------------------------------------------------------ not estimable


def test_who_is_left_out_and_why():
    value, se = [1.0, np.nan, 2.0, 3.0, np.inf, 1.5], [0.5, 0.5, 0.0, np.nan, 1.0, 0.4]
    found = pool(value, se, names=list("abcdef"))
    assert (found.people, found.left_out) == (2, 4)
    assert found.by_person["reason"].tolist() == [
        "", "no estimate", "no standard error above 0", "no standard error above 0", "no estimate", "",
    ]  # fmt: skip
    assert found.by_person["shrunken"].notna().tolist() == [True, False, False, False, False, True]
    assert found.by_person["weight"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "said"), [([], "nobody has"), ([1.0], "one person has"), ([np.nan] * 3, "nobody has")]
)
def test_fewer_than_two_people_are_not_pooled(value, said):
    found = pool(value, np.ones(len(value)))
    assert not found.ok
    assert found.status == "not_estimable"
    assert found.reason == f"{said} an estimate with a standard error; at least 2 are needed"
    assert np.isnan([found.mean, found.low, found.tau, found.prediction_high]).all()
    assert len(found.by_person) == len(value)
    assert not share_of_such_people(found, 2, -1).ok


def test_wrong_calls_get_every_complaint_at_once():
    with pytest.raises(UsageError) as caught:
        pool([1, 2, 3], [1, 2], level=95, method="reml")
    assert len(caught.value.problems) == 3
    assert 'Did you mean "REML"?' in str(caught.value) or "Known here" in str(caught.value)
    with pytest.raises(UsageError, match="3 values and 2 rows"):
        meta_regression([1, 2, 3], [1, 1, 1], pd.DataFrame({"weeks": [1, 2]}))


def test_covariates_that_say_nothing_of_their_own():
    y, se, _ = one_cohort(8)
    weeks = np.arange(8.0)
    for columns, reason in (
        ({"weeks": weeks, "site": "north", "arm": 1}, "site and arm are the same in all these people"),
        ({"weeks": weeks, "days": 7 * weeks + 1e6}, "days follows from the other covariates"),
        ({"weeks": np.full(8, 3.0)}, "weeks is the same in all these people"),
        (
            {f"c{i}": weeks**i for i in range(1, 8)},
            "8 people have an estimate with a standard error; at least 9 are needed",
        ),
    ):
        found = meta_regression(y, se, pd.DataFrame(columns))
        assert found.status == "not_estimable"
        assert found.reason == reason
        assert found.to_frame().empty
        assert np.isnan(found.tau2)


def test_conditions_in_words_are_columns_against_the_first():
    y, se, _ = one_cohort(30)
    condition = np.array(["back", "knee", "neck"])[np.arange(30) % 3]
    found = meta_regression(y, se, pd.DataFrame({"condition": condition}))
    dummies = pd.DataFrame({"knee": condition == "knee", "neck": condition == "neck"})
    assert found.to_frame()["term"].tolist() == ["intercept", "condition: knee", "condition: neck"]
    np.testing.assert_allclose(
        found.to_frame().drop(columns="term"), meta_regression(y, se, dummies).to_frame().drop(columns="term")
    )
    expected = found.by_person.groupby(condition)["expected"]
    np.testing.assert_allclose(expected.min(), expected.max())


def test_people_with_a_blank_covariate_are_left_out():
    y, se, _ = one_cohort(9)
    weeks = pd.Series([1, 2, np.nan, 4, 5, np.inf, 7, 8, 9])
    found = meta_regression(y, se, pd.DataFrame({"weeks": weeks}))
    kept = np.isfinite(weeks)
    assert (found.people, found.left_out) == (7, 2)
    assert found.by_person["reason"].tolist() == ["" if each else "a covariate is missing" for each in kept]
    alone = meta_regression(y[kept], se[kept], pd.DataFrame({"weeks": weeks[kept]}))
    pd.testing.assert_frame_equal(found.to_frame(), alone.to_frame())


def test_regression_on_nothing_is_pooling_and_a_large_offset_changes_no_slope():
    y, se, _ = one_cohort()
    only = meta_regression(y, se, pd.DataFrame(index=range(30)))
    plain = pool(y, se)
    assert only.to_frame()[["coefficient", "se", "low", "high"]].to_numpy()[0] == pytest.approx(
        [plain.mean, plain.se, plain.low, plain.high]
    )
    x = np.random.default_rng(1).normal(size=30)
    slopes = [meta_regression(y, se, pd.DataFrame({"x": x + each})).to_frame().iloc[1] for each in (0, 1e5)]
    assert slopes[0]["coefficient"] == pytest.approx(slopes[1]["coefficient"], rel=1e-5)
    assert slopes[0]["se"] == pytest.approx(slopes[1]["se"], rel=1e-5)


# ------------------------------------------------------------------ groups


def test_two_groups_are_compared_as_welch_does():
    """Equal standard errors within a group: pooled means and errors are those of the values, so the test is Welch's."""
    a, b = np.array([-3.0, -1, 0.5, -2, 1.5, -4]), np.array([-5.0, 0, -6, -1, -7.5])
    c = np.array([2.0, -3, 5, -1])
    found = pool_by(np.concatenate([a, b]), np.full(11, 0.2), ["a"] * 6 + ["b"] * 5)
    reference = stats.ttest_ind(b, a, equal_var=False)
    row = found.differences.iloc[0]
    assert (row["group"], row["reference"]) == ("b", "a")
    assert (row["difference"], row["df"], row["p"]) == pytest.approx(
        (b.mean() - a.mean(), reference.df, reference.pvalue)
    )
    assert (row["low"], row["high"]) == pytest.approx(tuple(reference.confidence_interval()))
    assert (found.f, found.f_p) == pytest.approx((reference.statistic**2, reference.pvalue))
    three = pool_by(np.concatenate([a, b, c]), np.full(15, 0.2), ["a"] * 6 + ["b"] * 5 + ["c"] * 4)
    welch = sm.stats.anova_oneway([a, b, c], use_var="unequal", welch_correction=True)
    assert (three.f, three.f_df[1], three.f_p) == pytest.approx((welch.statistic, welch.df_denom, welch.pvalue))


def test_each_group_is_pooled_by_itself_and_small_ones_are_not_compared():
    y, se, _ = one_cohort(12)
    group = ["back"] * 6 + ["knee"] * 4 + ["neck", None]
    found = pool_by(y, se, group)
    assert list(found.by_group) == ["back", "knee", "neck"]
    assert found.by_group["knee"].mean == pytest.approx(pool(y[6:10], se[6:10]).mean)
    assert found.by_group["neck"].status == "not_estimable"
    assert found.without_group == 1
    assert found.differences["group"].tolist() == ["knee"]
    table = found.to_frame()
    assert list(table.columns) == ["group", *COLUMNS]
    assert table["status"].tolist() == ["ok", "ok", "not_estimable"]
    normal = pool_by(y, se, group, knapp_hartung=False)
    z = normal.differences.iloc[0]
    assert normal.f_p == pytest.approx(z["p"])
    assert z["p"] == pytest.approx(2 * stats.norm.sf(abs(z["difference"] / z["se"])))
    alone = pool_by(y, se, ["all"] * 12)
    assert np.isnan(alone.f_p)
    assert alone.differences.empty


# ------------------------------------------------------------------ shares, many outcomes


def test_share_by_chances_is_poisson_binomial_by_brute_force():
    p = np.array([0.9, 0.2, 0.5, 0.7])
    counts = np.zeros(5)
    for each in itertools.product((0, 1), repeat=4):
        counts[sum(each)] += np.prod(np.where(each, p, 1 - p))
    for level in (0.5, 0.8, 0.95):
        found = share_by_chances([*p, np.nan], level=level)
        low, high = round(4 * found.low), round(4 * found.high)
        assert found.people == 4
        assert found.share == pytest.approx(p.mean())
        assert counts[low : high + 1].sum() >= level
        assert counts[:low].sum() < (1 - level) / 2
        assert counts[high + 1 :].sum() <= (1 - level) / 2
    sure = share_by_chances([1.0, 1.0, 0.0])
    assert (sure.low, sure.high) == pytest.approx((2 / 3, 2 / 3))
    assert share_by_chances([np.nan]).status == "not_estimable"
    many = share_by_chances(np.full(3000, 0.3))
    assert (many.low, many.high) == pytest.approx(
        tuple(stats.binom.ppf([0.025, 0.975], 3000, 0.3) / 3000), abs=1.1 / 3000
    )


def test_shares_are_those_of_the_normal_distribution_when_much_is_known():
    """4,000 people with tiny errors: what is left is N(mean, τ²) and the people themselves."""
    rng = np.random.default_rng(5)
    y = -1.4 + 1.1 * rng.standard_normal(4000)
    found = pool(y, np.full(4000, 0.01))
    such, these = share_of_such_people(found, 2, -1), share_of_these(found, 2, -1)
    assert such.share == pytest.approx(ndtr(-0.6 / 1.1), abs=0.015)
    assert such.low < ndtr(-0.6 / 1.1) < such.high
    assert such.high - such.low < 0.03
    assert these.share == pytest.approx((y <= -2).mean(), abs=0.002)
    assert these.high - these.low < 0.004


def test_shares_turn_with_the_better_direction():
    y, se, _ = one_cohort()
    up, down = pool(y, se), pool(-y, se)
    assert share_of_such_people(up, 2, 1).share == pytest.approx(share_of_such_people(down, 2, -1).share)
    assert share_of_these(up, 2, 1).share == pytest.approx(share_of_these(down, 2, -1).share, abs=0.01)
    assert share_of_such_people(up, 2, -1).share < 0.01
    for important, sign in ((0, 1), (np.nan, 1), (2, 0)):
        assert share_of_these(up, important, sign).reason == "it is not known which change would be an important gain"
        assert np.isnan(chance_of_each(up, important, sign)).all()


def test_chances_lie_between_those_of_the_own_diary_and_of_such_people():
    y, se, _ = one_cohort()
    found = pool(y, se)
    drawn, own = chance_of_each(found, 2, 1), ndtr((y - 2) / se)
    assert np.corrcoef(drawn, own)[0, 1] > 0.9
    assert drawn[np.argmax(y)] < own[np.argmax(y)]
    plugged = ndtr((found.by_person["shrunken"] - 2) / found.by_person["shrunken_se"])
    np.testing.assert_allclose(drawn, plugged, atol=0.08)


def test_benjamini_hochberg_as_statsmodels():
    p = np.array([0.001, 0.04, np.nan, 0.03, 0.2, 0.9])
    adjusted = benjamini_hochberg(p)
    known = np.isfinite(p)
    np.testing.assert_allclose(adjusted[known], multipletests(p[known], method="fdr_bh")[1])
    assert np.isnan(adjusted[2])
    assert np.isnan(benjamini_hochberg([np.nan])).all()


# ------------------------------------------------------------------ calibration, small


@pytest.mark.parametrize(("k", "tau"), [(20, 1.0), (60, 0.5), (60, 1.2)])
def test_the_mean_and_the_next_person_are_held_as_often_as_said(k, tau):
    """800 cohorts each, a fixed seed; `benchmarks/pooling.py` has the large run. 1.5 points for chance."""
    y, se, _ = cohorts(800, k, tau, seed=k)
    ahead = 1.4 + tau * np.random.default_rng(9).standard_normal(800)
    found = random_effects(y, se**2, np.ones((800, k, 1)))
    mean, t = found.fit.coefficient[:, 0], found.critical(0.95)
    variance = found.covariance[:, 0, 0]
    assert 0.93 <= (np.abs(mean - 1.4) <= t * np.sqrt(variance)).mean() <= 0.97
    if k == 60:
        assert 0.92 <= (np.abs(mean - ahead) <= t * np.sqrt(variance + found.tau2)).mean() <= 0.98
    # A fixed mean without differences between people would be far too sure.
    weight = 1 / se**2
    fixed = (weight * y).sum(axis=1) / weight.sum(axis=1)
    assert (np.abs(fixed - 1.4) <= 1.96 / np.sqrt(weight.sum(axis=1))).mean() < 0.85


def test_shares_hold_the_truth_and_chances_of_single_diaries_do_not():
    y, se, true = cohorts(60, 40, 0.7, seed=11)
    such, these, off, off_alone = [], [], [], []
    for i in range(60):
        found, gained = pool(y[i], se[i]), (true[i] >= 2).mean()
        share = share_of_such_people(found, 2, 1, seed=i)
        such.append(share.low <= ndtr(-0.6 / 0.7) <= share.high)
        share = share_of_these(found, 2, 1, seed=i)
        these.append(share.low - 1e-9 <= gained <= share.high + 1e-9)
        off.append(share.share - gained)
        off_alone.append(ndtr((y[i] - 2) / se[i]).mean() - gained)
    assert np.mean(such) >= 0.88
    assert np.mean(these) >= 0.88
    assert abs(np.mean(off)) < 0.02
    assert np.mean(off_alone) > 0.06


# ------------------------------------------------------------------ words and figure


def test_sentences_of_a_pooled_change():
    found = pool(PEOPLE["change"], PEOPLE["se"])
    assert words.sentences(found, PAIN) == (
        "Over 24 people pain fell by 1.3\xa0points on average (95\xa0% interval 1.1 to 1.5).",
        "The next such person's true change is expected between −1.9 and −0.7\xa0points: true changes differ between people "
        "with an SD of 0.3.",
    )
    either = pool([1.0, -1.2, 0.3, np.nan], [0.3, 0.3, 0.3, 0.3])
    assert words.sentences(either, PAIN)[0] == (
        "Over 3 people pain changed by 0.0\xa0points on average (95\xa0% interval −2.8 to +2.8, so it may have gone either way)."
    )
    assert words.sentences(either, PAIN)[-1] == "1 person is not in it: 1 with no estimate."
    alike = pool([-1.0, -1.05, -0.95, -1.02], [0.3, 0.3, 0.3, 0.3])
    assert "differ no more than their own errors allow" in words.next_person(alike, PAIN)
    nobody = pool([1.0], [0.0])
    assert words.sentences(nobody, PAIN) == (
        "No average change of pain: nobody has an estimate with a standard error; at least 2 are needed.",
        "1 person is not in it: 1 with no standard error above 0.",
    )
    up = pool([1.0, 1.1, 0.9, 1.02], [0.1, 0.1, 0.1, 0.1])
    assert (
        words.average(up, PAIN) == "Over 4 people pain rose by 1.0\xa0point on average (95\xa0% interval 0.9 to 1.1)."
    )


def test_sentences_of_shares_never_say_none_or_all():
    found = pool(PEOPLE["change"], PEOPLE["se"])
    such = words.share_of_such_people(share_of_such_people(found, 1, -1))
    assert re.fullmatch(
        r"Of people like these, about 89 in 100 have a true gain of at least the important change "
        r"\(95\xa0% interval 6\d to more than 99\)\.",
        such,
    )
    nobody = words.share_of_such_people(share_of_such_people(found, 6, -1))
    assert "fewer than 1 in 100" in nobody
    assert words.share_of_these(share_of_these(found, 1, -1)).startswith(
        "Of these 24 people about 21 had an important gain (95"
    )
    assert "it is not known which change" in words.share_of_these(share_of_these(found, 0, -1))


def test_sentences_of_groups_say_what_they_cannot():
    y, se, _ = one_cohort(12, seed=7)
    said = words.groups(pool_by(-y, se, ["back"] * 6 + ["knee"] * 5 + ["neck"]), PAIN)
    assert said[0].startswith("The average change of pain of knee less that of back is ")
    assert said[1].startswith("neck is not compared: one person has")
    assert said[2] == "Groups can differ in more than their name, so this does not say why."


@pytest.mark.parametrize(("k", "named"), [(3, 3), (60, 60), (400, 45)])
def test_the_figure_stays_on_a_page_and_thins_its_names(k, named):
    y, se, _ = one_cohort(k, seed=k)
    found = pool(-y, se, names=[f"P-{i:03d}" for i in range(k)])
    figure = plot_forest_of_people(found, PAIN, sort=True)
    assert figure.get_size_inches()[1] < 11
    (ax,) = figure.axes
    texts = [each.get_text() for each in ax.texts]
    names = [text for text in texts if text.startswith("P-")]
    assert len(names) == pytest.approx(named, abs=25)
    assert (len(names) == k) == (k <= 60)
    order = [names.index(f"P-{i:03d}") for i in np.argsort(-y) if f"P-{i:03d}" in names]
    assert order == sorted(order)
    assert {f"Average of {k}", "Next person, 95 %", "important change (−2)", "no change"} <= set(texts)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [each.get_window_extent(renderer) for each in ax.texts if each.get_text().startswith("P-")]
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))
    inside = figure.bbox
    assert all(inside.x0 <= each.get_window_extent(renderer).x0 for each in ax.texts)
    assert all(each.get_window_extent(renderer).x1 <= inside.x1 for each in ax.texts)


def test_the_figure_says_why_there_is_none_and_its_alternative_has_the_numbers():
    nobody = pool([1.0], [1.0])
    (text,) = plot_forest_of_people(nobody, PAIN).texts
    assert text.get_text() == words.forest_alt(nobody, PAIN)
    found = pool(PEOPLE["change"], PEOPLE["se"])
    alt = words.forest_alt(found, PAIN)
    assert alt.startswith("Change of pain, points, of 24 people, a row each: own diaries from −2.1 to −0.5")
    assert "Average −1.3 (−1.5 to −1.1); next person −1.9 to −0.7." in alt
    assert "The important change is reached in 2 people's own diaries, drawn towards the average in 0." in alt
