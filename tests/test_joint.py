"""Several outcomes at once: bounds, closed forms, what the diary tells of how days go together, and whether it comes true."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, make_trial
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from acu_nof1.explore.joint import (
    Dependence,
    News,
    _noise,
    both_below,
    chance_of_all,
    chance_of_any,
    dependence,
    gains_together,
    news,
)
from acu_nof1.reassessment import reassess
from acu_nof1.simulate import noise
from acu_nof1.words.numbers import MINUS

sys.path.append(str(ROOT / "benchmarks"))


def exactly(correlation: Any) -> Dependence:
    """Gains whose correlation is known."""
    r = np.atleast_2d(np.asarray(correlation, float))
    z = np.arctanh(np.where(np.eye(len(r)), 0, np.clip(r, -1 + 1e-12, 1 - 1e-12)))
    return Dependence(z, np.zeros_like(z), np.ones_like(z), np.full(z.shape, 99))


def pair(rho: float) -> Dependence:
    return exactly([[1, rho], [rho, 1]])


# ------------------------------------------------------------------ the copula


@pytest.mark.parametrize("rho", [-0.99, -0.5, 0.0, 0.3, 0.8, 0.999])
def test_plackett_1954_agrees_with_genz_2004(rho):
    limits = np.random.default_rng(4).normal(0, 1.5, (20, 2))
    ours = both_below(limits[:, 0], limits[:, 1], rho)
    theirs = multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf(limits)
    assert np.allclose(ours, theirs, atol=1e-7)


def test_sheppard_1899_the_quarter_plane():
    rho = np.array([-0.9, -0.3, 0.0, 0.5, 0.95])
    assert both_below(0.0, 0.0, rho) == pytest.approx(0.25 + np.arcsin(rho) / (2 * np.pi), abs=1e-12)


def test_three_like_outcomes_have_the_orthant_of_david_1953():
    """P(all three > 0) = 1/8 + (asin ρ₁₂ + asin ρ₁₃ + asin ρ₂₃)/4π."""
    r = np.array([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 1]])
    wanted = 1 / 8 + np.arcsin([0.5, 0.2, -0.3]).sum() / (4 * np.pi)
    assert chance_of_all([0.5] * 3, exactly(r)) == pytest.approx(wanted, abs=1e-4)


def test_uncorrelated_gains_multiply():
    p = np.array([0.9, 0.6, 0.3])
    assert chance_of_all(p[:2], pair(0)) == pytest.approx(0.54, abs=1e-12)
    assert chance_of_any(p[:2], pair(0)) == pytest.approx(1 - 0.1 * 0.4, abs=1e-12)
    assert chance_of_all(p, exactly(np.eye(3))) == pytest.approx(p.prod(), abs=1e-5)


def test_one_outcome_keeps_its_chance_and_twins_have_the_smaller():
    assert chance_of_all([0.37], exactly([[1]])) == 0.37
    assert chance_of_any([0.37], exactly([[1]])) == pytest.approx(0.37, abs=1e-15)
    assert chance_of_all([0.37, 0.6], pair(1)) == pytest.approx(0.37, abs=1e-6)
    assert chance_of_any([0.37, 0.6], pair(1)) == pytest.approx(0.6, abs=1e-6)
    assert chance_of_all([0.37, 0.6], pair(-1)) == pytest.approx(0.0, abs=1e-6)
    assert chance_of_any([0.37, 0.6], pair(-1)) == pytest.approx(0.97, abs=1e-6)


chance = st.floats(0, 1)


@given(st.lists(chance, min_size=2, max_size=2), st.floats(-1, 1), st.floats(0, 0.6), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_frechet_1951_bounds_hold_and_correlation_helps_all_and_hurts_any(p, rho, error, overlap):
    def known(r: float) -> Dependence:
        z = pair(r).z
        return Dependence(z, np.full((2, 2), error), np.full((2, 2), overlap), np.ones((2, 2), int))

    every, some = chance_of_all(p, known(rho)), chance_of_any(p, known(rho))
    assert max(0, sum(p) - 1) - 1e-12 <= every <= min(p) + 1e-12
    assert max(p) - 1e-12 <= some <= min(1, sum(p)) + 1e-12
    assert every + some == pytest.approx(sum(p), abs=1e-9)  # P(A and B) + P(A or B) = P(A) + P(B)
    more = known(min(rho + 0.1, 1.0))
    assert chance_of_all(p, more) >= every - 1e-9
    assert chance_of_any(p, more) <= some + 1e-9


def test_what_is_not_known_of_a_correlation_is_averaged_over():
    z, error = 0.5, 0.3
    r = np.tanh(z + error * np.random.default_rng(1).normal(size=20_000))
    drawn = both_below(ndtri(0.7), ndtri(0.6), r).mean()
    found = Dependence(*(np.full((2, 2), x) for x in (z, error, 1.0)), np.ones((2, 2), int))
    assert chance_of_all([0.7, 0.6], found) == pytest.approx(drawn, abs=1e-3)


def test_correlations_that_cannot_be_true_together_are_pulled_towards_independence():
    impossible = np.full((3, 3), -0.9) + 1.9 * np.eye(3)
    found = exactly(impossible).at(0.0)
    assert np.linalg.eigvalsh(found)[0] >= 0
    assert found[0, 1] == pytest.approx(-0.5, abs=1e-5)  # the least that three can share
    assert chance_of_all([0.5] * 3, exactly(impossible)) == pytest.approx(0.0, abs=1e-3)


# ------------------------------------------------------------------ what the diary tells


def correlated(n: int, rho: float, phi: float, days: int = 84, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    first, own = noise(n, days, phi=phi, seed=seed), noise(n, days, phi=phi, seed=seed + 1)
    return first, rho * first + np.sqrt(1 - rho**2) * own


def two(first: Any, second: Any, better: str = "lower", **more: Any):
    scale = {"kind": "score", "range": [-100, 100], "important_change": 2}
    columns = {"pain": np.asarray(first), "other": np.asarray(second)}
    return make_trial(columns, pain=scale | {"better": "lower"}, other=scale | {"better": better}, **more)


def found_in(first: Any, second: Any, better: str = "lower") -> Dependence:
    return gains_together(two(first, second, better).comparisons(), ["pain", "other"])


def test_news_of_a_known_noise_are_white_and_weigh_the_change_as_least_squares_does():
    first, _ = correlated(1, 0.0, 0.6, days=120)
    series = two(first[0], first[0]).comparisons()
    found = news(series)
    days = found.days[0][np.isfinite(found.days[0])]
    assert abs(np.corrcoef(days[1:], days[:-1])[0, 1]) < 0.2 < np.corrcoef(first[0][1:], first[0][:-1])[0, 1]
    # Independent days: the variance of the change is 1/14 + 1/14 of a day's.
    white = np.random.default_rng(2).normal(size=84)
    weight = news(two(white, white).comparisons()).weight[0]
    assert (weight**2).sum() == pytest.approx(2 / 14, rel=0.35)


@pytest.mark.parametrize(("rho", "phi"), [(-0.5, 0.6), (0.0, 0.3), (0.8, 0.0), (0.8, 0.6)])
def test_the_correlation_of_the_days_is_found(rho, phi):
    first, second = correlated(30, rho, phi)
    both = [found_in(a, b) for a, b in zip(first, second, strict=True)]
    mean = np.mean([each.correlation[0, 1] for each in both])
    assert mean == pytest.approx(rho * 74 / 77, abs=0.07)  # thirty diaries: standard error .02
    assert np.mean([each.overlap[0, 1] for each in both]) > 0.97
    spread = np.std([each.z[0, 1] for each in both])
    assert spread == pytest.approx(both[0].error[0, 1], rel=0.4)


def test_gains_of_opposite_direction_have_the_opposite_sign():
    (first,), (second,) = correlated(1, 0.6, 0.3)
    plain, other = found_in(first, second), found_in(first, second, "higher")
    assert plain.correlation[0, 1] > 0.3
    assert other.correlation[0, 1] == pytest.approx(-plain.correlation[0, 1], abs=1e-12)
    mirrored = found_in(first, -second, "higher")
    assert mirrored.correlation[0, 1] == pytest.approx(plain.correlation[0, 1], abs=1e-9)


def test_unit_order_and_calendar_do_not_matter():
    (first,), (second,) = correlated(1, 0.6, 0.3)
    plain = found_in(first, second)
    assert found_in(3 * first + 10, second).correlation == pytest.approx(plain.correlation, abs=1e-6)
    assert found_in(second, first).correlation == pytest.approx(plain.correlation.T, abs=1e-12)


def test_few_shared_days_say_little_and_none_say_nothing():
    (first,), (second,) = correlated(1, 0.9, 0.0)
    whole = found_in(first, second)
    apart = second.copy()
    apart[np.arange(84) % 2 == 0] = np.nan
    half = first.copy()
    half[np.arange(84) % 2 == 1] = np.nan
    never = found_in(half, apart)
    assert whole.correlation[0, 1] > 0.8
    assert never.days[0, 1] == 0
    assert never.correlation[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert never.error[0, 1] == pytest.approx(1 / np.sqrt(3))
    some = found_in(first, apart)
    assert 0 < some.correlation[0, 1] < whole.correlation[0, 1]
    assert some.overlap[0, 1] < 0.9


def test_fisher_1921_z_loses_a_day_for_every_column_that_was_fitted():
    """n − p + 1 pairs: variance of z 1/(n − p − 2), to which the prior adds three days; z shrinks by their share."""
    days = np.random.default_rng(4).normal(size=(2, 30))
    days[1] = 0.6 * days[0] + 0.8 * days[1]
    found = dependence(News(days, np.ones((2, 30)), np.array([4, 6])), [-1, -1])
    precision = 30 - 6 - 2
    r = days[0] @ days[1] / np.sqrt((days[0] @ days[0]) * (days[1] @ days[1]))
    assert found.error[0, 1] == pytest.approx(1 / np.sqrt(precision + 3))
    assert found.z[0, 1] == pytest.approx(np.arctanh(r) * precision / (precision + 3))


def test_the_noise_of_all_days_is_larger_before_treatment_where_its_ratio_says_so():
    phi, share, ratio = (np.array([x]) for x in (0.5, 0.2, 0.6))
    found = _noise(np.array([[False, False, True, True]]), phi, share, ratio)[0]
    sd = np.exp([0.3, 0.3, -0.3, -0.3])
    np.testing.assert_allclose(np.sqrt(np.diag(found)), sd)
    assert found[0, 3] == pytest.approx(0.8 * 0.5**3)
    assert found[0, 1] == pytest.approx(0.8 * 0.5 * np.exp(0.6))


def test_scores_kept_at_visits_have_the_prior_alone():
    peg = np.full(98, np.nan)
    peg[[10, 97]] = 6, 2
    pain = np.r_[np.full(14, 6.0), np.full(84, 3.0)] + np.random.default_rng(3).normal(size=98)
    trial = make_trial(
        {"pain": np.clip(pain, 0, 10), "odi": 10 * peg},
        pain={"instrument": "nrs_pain", "important_change": 2},
        odi={"instrument": "odi", "sem": 4.0, "important_change": 10},
        raw={"success": {"all": ["pain", "odi"]}},
    )
    review = reassess(trial)
    (only,) = review.success.pairs
    alone = {each.outcome.name: each.p_important_gain for each in review.estimates.headlines}
    assert only.days == 0
    assert review.success.p == pytest.approx(alone["pain"] * alone["odi"], abs=0.02)
    assert "cannot be told without daily answers to both" in review.success_sentence
    assert review.to_dict()["success"]["pairs"] == [{"outcomes": ["pain", "odi"], "correlation": None, "days": 0}]


def test_identical_days_are_no_accident():
    found = dependence(
        News(*(np.tile(x, (2, 1)) for x in (noise(1, 60, seed=1)[0], np.ones(60))), np.array([4, 4])), (1, 1)
    )
    assert found.correlation[0, 1] > 0.99


# ------------------------------------------------------------------ the success rule


def judged(gains: tuple[float, float], rule: str = "all", drop: bool = False):
    first, second = correlated(1, 0.6, 0.2, days=98, seed=5)
    fall = [np.where(np.arange(98) < 14, 6.0, 6.0 - gain) for gain in gains]
    values = [np.clip(fall[0] + first[0], 0, 10), np.clip(fall[1] + second[0], 0, 10)]
    if drop:
        values[1] = np.full(98, 5.0)
    trial = make_trial(
        {"pain": values[0], "stiffness": values[1]},
        pain={"instrument": "nrs_pain", "important_change": 2},
        stiffness={"label": "Stiffness", "kind": "rating", "range": [0, 10], "better": "lower", "important_change": 2},
        raw={"success": {rule: ["pain", "stiffness"]}},
    )
    return reassess(trial)


def test_the_rule_over_two_outcomes_is_judged_and_says_how_their_days_go_together():
    review = judged((4.0, 4.0))
    both = [each.p_important_gain for each in review.estimates.headlines]
    assert review.success.kind == "met"
    assert np.prod(both) < review.success.p <= min(both)
    assert "Met: chance " in review.success_sentence
    assert "the outcomes’ days go together: correlation 0.5" in review.success_sentence
    assert judged((4.0, 0.0)).success.kind == "not_met"
    assert judged((4.0, 0.0), "any").success.kind == "met"


def test_a_rule_that_one_outcome_decides_is_decided_though_the_other_is_not_estimable():
    lost, gained = judged((0.0, 0.0), drop=True), judged((4.0, 0.0), "any", drop=True)
    assert (lost.success.kind, lost.success.bound) == ("not_met", "at_most")
    assert (gained.success.kind, gained.success.bound) == ("met", "at_least")
    assert lost.success.p == pytest.approx(lost.estimates.primary.p_important_gain)
    assert "at most, as stiffness is not estimable." in lost.success_sentence
    assert "at least, as stiffness is not estimable." in gained.success_sentence


@pytest.mark.parametrize(("gain", "rule"), [(4.0, "all"), (0.0, "any")])
def test_a_rule_that_hangs_on_what_is_not_estimable_cannot_be_judged(gain, rule):
    success = judged((gain, 0.0), rule, drop=True).success
    assert (success.kind, success.p, success.unknown) == ("cannot_say", None, ("stiffness",))
    said = judged((gain, 0.0), rule, drop=True).success_sentence
    assert said.endswith("Whether it is met cannot be said: stiffness is not estimable.")


@pytest.mark.parametrize(
    ("correlations", "said"),
    [
        ((0.5,), "the outcomes’ days go together: correlation 0.5"),
        ((0.05,), "the outcomes’ days hardly go together: correlation 0.1"),
        ((-0.4,), f"good days of one tend to be bad days of the other: correlation {MINUS}0.4"),
        ((0.5, 0.3, 0.6), "the outcomes’ days go together: correlations 0.3 to 0.6"),
        ((0.5, -0.1, 0.6), f"the outcomes’ days go together in part: correlations {MINUS}0.1 to 0.6"),
    ],
)
def test_how_days_go_together_in_words(correlations, said):
    from acu_nof1.verdict import Pair, Success
    from acu_nof1.words.around import days_together

    pairs = tuple(Pair(("a", "b"), each, 80) for each in correlations)
    assert days_together(Success("met", 0.9, "all: a, b", ("a", "b"), pairs=pairs)) == said


# ------------------------------------------------------------------ does it come true


def test_stated_chances_of_two_gains_come_true_where_independence_is_off():
    """`benchmarks/joint.py` on 100 pairs; what is off is held to three of its standard errors."""
    import joint

    (cell,) = (each for each in joint.CELLS if each.label == "correlation .8")
    found = {(row["rule"], row["method"]): row for row in joint.rows(cell, 100, 7)}
    for rule in ("all", "any"):
        assert abs(found[rule, "copula"]["off"]) <= 3 * found[rule, "copula"]["off_se"]
        assert found[rule, "copula"]["log_score"] < found[rule, "independent"]["log_score"]
    assert found["all", "independent"]["off"] < found["all", "copula"]["off"] - 0.03
    assert found["all", "copula"]["correlation"] == pytest.approx(0.77, abs=0.05)
