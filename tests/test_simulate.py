import numpy as np
import pytest

from acu_nof1.simulate import (
    NOISES,
    RATES,
    SHAPES,
    Design,
    Truth,
    counts,
    course,
    latent_days,
    markov_days,
    missing_days,
    noise,
    realise,
    simulate,
    to_diary,
    written,
)

MANY, DAYS = 4000, 60


def correlation(series, lag):
    """Mean product `lag` days apart over the mean square: the true mean is known to be 0."""
    return np.mean(series[:, lag:] * series[:, :-lag]) / np.mean(series**2)


@pytest.mark.parametrize("kind", NOISES)
def test_every_noise_has_mean_zero_and_unit_variance(kind):
    series = noise(MANY, 70, kind=kind, phi=0.3, seed=1)
    assert series.shape == (MANY, 70)
    assert abs(series.mean()) < 0.06
    around = series - series.mean(axis=1, keepdims=True) if kind == "random_walk" else series
    assert np.mean(around**2) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("phi", [-0.3, 0.0, 0.4, 0.9])
def test_ar1_correlation_falls_as_powers_of_phi(phi):
    series = noise(MANY, DAYS, phi=phi, seed=2)
    for lag in (1, 2, 5):
        assert correlation(series, lag) == pytest.approx(phi**lag, abs=0.02)


def test_white_share_lowers_every_correlation_alike():
    series = noise(MANY, DAYS, phi=0.8, share=0.25, sd=2.0, seed=3)
    assert series.std() == pytest.approx(2, abs=0.03)
    assert correlation(series, 1) == pytest.approx(0.75 * 0.8, abs=0.02)
    assert correlation(series, 3) == pytest.approx(0.75 * 0.8**3, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("ar2", (0.5 / 0.7, 0.5 * 0.5 / 0.7 + 0.3)),
        ("ma1", (0.6 / 1.36, 0.0)),
        ("ar95", (0.95, 0.95**2)),
        ("t3", (0.4, 0.16)),
        ("long_memory", (0.3 / 0.7, 0.3 * 1.3 / (0.7 * 1.7))),
    ],
)
def test_named_noises_have_their_autocorrelation(kind, expected):
    series = noise(MANY, DAYS, kind=kind, seed=4)
    assert [correlation(series, lag) for lag in (1, 2)] == pytest.approx(expected, abs=0.025)


def test_t3_is_heavy_tailed_and_weekends_are_higher():
    tails = noise(MANY, DAYS, kind="t3", phi=0.0, seed=5)
    assert np.mean(np.abs(tails) > 4) > 10 * np.mean(np.abs(noise(MANY, DAYS, phi=0.0, seed=5)) > 4)
    week = noise(MANY, 7, kind="weekly", seed=5).mean(axis=0)
    gap = week[5:].mean() - week[:5].mean()
    assert gap == pytest.approx(0.9 / np.sqrt(1 + 0.81 * 10 / 49), abs=0.05)


def test_each_series_may_have_its_own_phi_share_and_sd():
    phi, sd = np.repeat([0.0, 0.8], 1000), np.repeat([1.0, 3.0], 1000)
    series = noise(2000, DAYS, phi=phi, sd=sd, share=np.zeros(2000), seed=6)
    assert correlation(series[:1000], 1) == pytest.approx(0, abs=0.03)
    assert correlation(series[1000:], 1) == pytest.approx(0.8, abs=0.03)
    assert series[1000:].std() == pytest.approx(3, abs=0.1)


def test_a_seed_repeats_and_a_generator_goes_on():
    assert np.array_equal(noise(3, 20, seed=7), noise(3, 20, seed=7))
    assert not np.array_equal(noise(3, 20, seed=7), noise(3, 20, seed=8))
    rng = np.random.default_rng(7)
    assert np.array_equal(noise(3, 20, seed=rng), noise(3, 20, seed=7))
    assert not np.array_equal(noise(3, 20, seed=rng), noise(3, 20, seed=7))
    design, truth = Design(missing=0.2), Truth(change=-1)
    first, again = simulate(design, truth, 5, 7), simulate(design, truth, 5, 7)
    np.testing.assert_array_equal(first.values, again.values)


@pytest.mark.parametrize("shape", sorted(set(SHAPES) - {"none"}))
@pytest.mark.parametrize("window", [1, 14, 70])
def test_the_window_mean_of_a_course_is_the_change_exactly(shape, window):
    effect = course(shape, 14, 70, -1.7, window)
    assert effect.shape == (84,)
    assert not effect[:14].any()
    assert effect[-window:].mean() == pytest.approx(-1.7, abs=1e-12)


def test_shapes_come_about_as_their_names_say():
    assert not course("none", 14, 70, -2, 14).any()
    assert np.all(course("step", 14, 70, -2, 14)[14:] == -2)
    gradual = course("gradual", 14, 70, -2, 14)
    assert gradual[14] == pytest.approx(-2 / 21)
    assert np.all(gradual[14 + 20 :] == -2)
    assert np.ptp(np.diff(course("linear", 14, 70, -2, 14)[13:])) < 1e-12
    late = course("late", 14, 70, -2, 14)
    assert not late[: 14 + 35].any()
    assert np.all(late[14 + 35 :] == -2)


def test_simulated_series_hold_what_the_truth_says():
    design = Design(baseline=14, treatment=42, window=14)
    truth = Truth(level=6, change=-2, shape="linear", sd=1.5, sd_ratio=2, phi=0.3)
    result = simulate(design, truth, MANY, 9)
    assert result.treated.sum() == 42
    assert result.window.sum() == 14
    assert not result.window[: 14 + 28].any()
    before, after = result.values[:, :14], result.values[:, result.window]
    assert before.mean() == pytest.approx(6, abs=0.05)
    assert after.mean() - before.mean() == pytest.approx(-2, abs=0.08)
    assert before.std() / after.std() == pytest.approx(2, abs=0.1)
    assert result.change == pytest.approx(np.full(MANY, -2.0))
    during = result.values[:, result.treated].mean() - before.mean()
    assert during == pytest.approx(result.true_mean_change[0], abs=0.08)
    assert abs(result.true_mean_change[0]) < 2


def test_each_series_may_have_its_own_truth():
    change = np.array([-3.0, 0.0, 2.0])
    result = simulate(Design(), Truth(level=np.array([4.0, 5.0, 6.0]), change=change, sd=1e-9), 3, 10)
    assert result.change == pytest.approx(change)
    assert result.values[:, 0] == pytest.approx([4, 5, 6])
    assert result.values[:, -1] == pytest.approx([1, 5, 8])


def test_ratings_are_whole_points_within_the_scale():
    result = simulate(Design(), Truth(level=1, sd=3, step=1, low=0, high=10), 50, 11)
    assert set(np.unique(result.values)) <= set(range(11))
    assert written(np.array([6.26, -3.0, 17.0]), 0.5, 0, 10) == pytest.approx([6.5, 0, 10])
    assert written(np.array([6.26]), None, None, None) == pytest.approx([6.26])


def test_shared_noise_correlates_two_outcomes():
    unit = noise(MANY, 84, seed=12)
    pain, walking = (realise(Design(), truth, unit).values for truth in (Truth(sd=1), Truth(level=25, sd=-8)))
    assert np.corrcoef(pain.ravel(), walking.ravel())[0, 1] == pytest.approx(-1)


def test_the_missing_share_is_kept_at_random_and_in_runs():
    for run in (None, 4.0):
        missing = missing_days(MANY, DAYS, 0.2, seed=13, run=run)
        assert missing.mean() == pytest.approx(0.2, abs=0.01)
        assert missing[:, 0].mean() == pytest.approx(0.2, abs=0.025)
        stays = missing[:, 1:][missing[:, :-1]].mean()
        assert stays == pytest.approx(0.2 if run is None else 0.75, abs=0.02)
    values = simulate(Design(missing=0.2, missing_run=4), Truth(), MANY, 14).values
    assert np.isnan(values).mean() == pytest.approx(0.2, abs=0.01)
    assert not np.isnan(simulate(Design(), Truth(), 5, 14).values).any()


def test_runs_shorter_than_chance_are_refused():
    with pytest.raises(ValueError, match="shorter than by chance"):
        missing_days(5, 20, 0.5, seed=1, run=1.0)


def test_markov_days_have_their_probability_and_persistence():
    probability = np.where(np.arange(DAYS) < 30, 0.6, 0.2)
    days = markov_days(MANY, DAYS, probability, 0.5, 15)
    assert days[:, :30].mean() == pytest.approx(0.6, abs=0.015)
    assert days[:, 30].mean() == pytest.approx(0.2, abs=0.025)
    assert days[:, 30:].mean() == pytest.approx(0.2, abs=0.015)
    assert days[:, 1:30][days[:, :29]].mean() == pytest.approx(0.6 * 0.5 + 0.5, abs=0.02)
    assert days[:, 1:30][~days[:, :29]].mean() == pytest.approx(0.6 * 0.5, abs=0.02)


def test_latent_days_have_their_probability_on_days_of_high_noise():
    unit = noise(MANY, DAYS, seed=16)
    days = latent_days(unit, np.linspace(0.1, 0.6, DAYS))
    assert days.mean(axis=0) == pytest.approx(np.linspace(0.1, 0.6, DAYS), abs=0.03)
    assert unit[days].mean() > 0 > unit[~days].mean()


@pytest.mark.parametrize("kind", RATES)
def test_counts_have_their_rate_and_all_but_poisson_more_spread(kind):
    rate = np.where(np.arange(DAYS) < 30, 2.0, 0.6)
    numbers = counts(MANY, rate, kind=kind, seed=17)
    assert numbers[:, :30].mean() == pytest.approx(2, abs=0.08)
    assert numbers[:, 30:].mean() == pytest.approx(0.6, abs=0.04)
    spread = numbers[:, :30].var() / numbers[:, :30].mean()
    assert spread == pytest.approx(1, abs=0.03) if kind == "poisson" else spread > 1.3


def test_a_series_becomes_a_diary_on_the_calendar():
    result = simulate(Design(missing=0.3), Truth(step=1, low=0, high=10), 2, 18)
    diary = to_diary(result, 1, "2026-01-05", "pain")
    assert diary.outcomes == ("pain",)
    assert diary.values.index[0].isoformat() == "2026-01-05T00:00:00"
    np.testing.assert_array_equal(diary.values["pain"], result.values[1])


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match='Did you mean "gradual"'):
        course("gradul", 14, 70, -1, 14)
    with pytest.raises(ValueError, match="no noise is called"):
        noise(1, 10, kind="pink", seed=1)
