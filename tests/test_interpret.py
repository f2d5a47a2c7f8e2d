"""Readings: the rules in their order, bands that add up, and rounding for people."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from acu_nof1.distribution import TMixture
from acu_nof1.interpret import chances, readings, shares_of_hundred, success_kind

NORMAL = 1e7


def reading(centre, sd, important=2.0, sign=-1):
    distribution = TMixture(np.ones((1, 1)), np.array([[centre]]), np.array([[sd]]), np.array([NORMAL]))
    found = chances(distribution, 0.0, np.array([important]), np.array([sign]))
    return str(readings(found)[0]), found


@pytest.mark.parametrize(
    ("centre", "sd", "kind"),
    [
        (-3.0, 0.5, "improved"),
        (-2.0, 0.5, "improved_amount_unclear"),
        (-1.0, 0.5, "improved_less"),
        (-0.2, 0.8, "no_important_change"),
        (0.9, 0.5, "worse_amount_unclear"),
        (1.5, 0.5, "worse"),
        (-1.0, 2.0, "cannot_say"),
    ],
)
def test_each_kind_of_change(centre, sd, kind):
    assert reading(centre, sd)[0] == kind
    assert reading(-centre, sd, sign=1)[0] == kind


def test_chances_against_the_normal_distribution():
    _, found = reading(-1.3, 0.7)
    assert found.gain[0] == pytest.approx(stats.norm.cdf(1.3 / 0.7), abs=1e-6)
    assert found.important_gain[0] == pytest.approx(stats.norm.cdf((-2 + 1.3) / 0.7), abs=1e-6)
    assert found.important_loss[0] == pytest.approx(stats.norm.sf((2 + 1.3) / 0.7), abs=1e-6)
    edges = stats.norm.cdf((np.array([-np.inf, -2, -1, -0.5, 0.5, 1, 2, np.inf]) + 1.3) / 0.7)
    assert found.bands[0] == pytest.approx(np.diff(edges)[::-1], abs=1e-6)


def test_without_an_important_change_only_better_worse_or_cannot_say():
    for centre, kind in ((-3, "improved_amount_unclear"), (3, "worse_amount_unclear"), (0.0, "cannot_say")):
        found = reading(centre, 1.0, important=np.nan)
        assert found[0] == kind
        assert np.isnan(found[1].bands).all()


def test_no_direction_is_no_reading():
    assert reading(-3, 1.0, sign=0)[0] == ""


@given(st.floats(-20, 20), st.floats(0.01, 20), st.floats(0.1, 10))
def test_bands_add_up_and_agree_with_the_chances(centre, sd, important):
    _, found = reading(centre, sd, important)
    assert found.bands.sum() == pytest.approx(1, abs=1e-9)
    assert (found.bands > -1e-12).all()
    assert found.bands[0, -1] == pytest.approx(found.important_gain[0], abs=1e-12)
    assert found.bands[0, 4:].sum() <= found.gain[0] + 1e-9


@given(st.lists(st.floats(0, 1), min_size=7, max_size=7).filter(lambda x: sum(x) > 0))
def test_shares_always_add_to_a_hundred(shares):
    exact = np.array(shares) / sum(shares)
    whole = shares_of_hundred(exact)
    assert sum(whole) == 100
    assert all(abs(w - 100 * x) < 1 for w, x in zip(whole, exact, strict=True))


def test_success_needs_a_probability():
    assert [success_kind(p, 0.99) for p in (None, 0.1, 0.2, 0.5, 0.8, 0.95)] == [
        "cannot_say", "not_met", "not_met", "cannot_say", "met", "met",
    ]  # fmt: skip


def test_success_needs_a_gain_that_is_sure():
    assert [success_kind(0.85, gain) for gain in (0.94, 0.95)] == ["cannot_say", "met"]
    assert success_kind(0.1, 0.5) == "not_met"


def test_a_noisy_diary_needs_a_sure_gain_too():
    # P(gain >= 2) = .82 and P(gain > 0) = .93 at the first pair; by the normal distribution.
    assert [reading(-centre, 4.0)[0] for centre in (5.7, 6.6)] == ["cannot_say", "improved"]
    assert [reading(centre, 3.0)[0] for centre in (4.0, 5.0)] == ["cannot_say", "worse"]


def test_an_unchanged_diary_is_called_changed_in_at_most_five_of_a_hundred_each_way_however_noisy():
    for sd in (0.2, 0.8, 2.0, 10.0, 100.0):
        drawn = sd * stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
        spread = np.full((2000, 1), sd)
        normal = TMixture(np.ones((2000, 1)), drawn[:, None], spread, np.full(2000, NORMAL))
        found = readings(chances(normal, 0.0, np.full(2000, 2.0), np.full(2000, -1)))
        assert np.isin(found, ["improved", "improved_less", "improved_amount_unclear"]).mean() <= 0.0505
        assert np.isin(found, ["worse", "worse_amount_unclear"]).mean() <= 0.0505
