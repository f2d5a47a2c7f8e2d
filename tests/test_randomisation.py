"""Randomised schedules: how many there are, the papers' p values, brute force, and p that is uniform when nothing happens."""

from __future__ import annotations

import datetime as dt
import math
import re
import time
from itertools import permutations, product

import numpy as np
import pytest
from conftest import ROOT, make_trial
from scipy import stats
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1.cli import app
from acu_nof1.errors import UsageError
from acu_nof1.randomisation import (
    Alternating,
    Listed,
    MultipleBaseline,
    RandomBlocks,
    RandomChanges,
    RandomStart,
    combined,
    designs,
    draw,
    mean_of_phase_means,
    randomisation_test,
    trial_test,
)
from acu_nof1.simulate import noise
from acu_nof1.words import randomisation as words

PAIN = np.array((7, 9, 8, 7, 7, 8, 8, 3, 4, 2, 4, 2, 1, 4, 5, 3, 2, 1, 2, 4, 4), dtype=float)
ABAB = np.array((6, 2, 5, 3, 4, 4, 1, 2, 3, 1, 3, 2, 2, 3, 4, 2, 4, 3, 0, 1, 2, 0, 2, 1), dtype=float)
SMALL = {
    "start": RandomStart(12, 3, 8),
    "changes": RandomChanges(12, 4, 2),
    "blocks": RandomBlocks(4, 3),
    "alternating": Alternating(8, 2, 2),
    "people": MultipleBaseline(20, (4, 8, 11, 15)),
    "listed": Listed(np.array([[0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]])),
}


# ------------------------------------------------------------------ published numbers


def test_how_many_schedules():
    """ABAB, 24 occasions, at least 4 a phase: 165; AB, 98 days, at least 7 a phase: 85."""
    assert RandomChanges(24, 4, 4).count == len(RandomChanges(24, 4, 4).enumerated()) == 165
    assert RandomStart.at_least(98, 7, 7).count == len(RandomStart.at_least(98, 7, 7).enumerated()) == 85


def test_abab_of_four_phases_as_in_the_r_package_scrt():
    """Mean of A-phase means less mean of B-phase means, one-sided: observed 2, p = 4/165 (days pooled would give 5/165)."""
    design, kept = RandomChanges(24, 4, 4), np.repeat([0, 1, 2, 3], 6)
    found = randomisation_test(-ABAB, kept, design)
    assert (found.observed, found.p, found.schedules, found.exact) == (
        pytest.approx(2),
        pytest.approx(4 / 165),
        165,
        True,
    )

    def pooled_days(values, phases):
        treated = phases % 2 == 1
        return (
            (values * treated).sum(axis=2) / treated.sum(axis=2)
            - (values * ~treated).sum(axis=2) / (~treated).sum(axis=2)
        )[:, 0]

    assert randomisation_test(-ABAB, kept, design, statistic=pooled_days).p == pytest.approx(5 / 165)


def test_borckardt_nash_2014_pain():
    """At least 5 a phase: 12 schedules, p = 1/12; at least 3: 16 schedules, p = 0.0625."""
    kept = np.repeat([0, 1], (7, 14))
    for least, count in ((5, 12), (3, 16)):
        found = randomisation_test(-PAIN, kept, RandomStart.at_least(21, least, least))
        assert (found.schedules, found.p) == (count, pytest.approx(1 / count))
    assert found.observed == pytest.approx(4.785714, abs=1e-6)


def test_edgington_and_fisher_of_seven_people():
    p = (0.19, 0.20, 0.22, 0.30, 0.35, 0.41, 0.42)
    assert combined(p) == pytest.approx(0.0320226, abs=1e-7)
    assert combined(p, "multiplicative") == pytest.approx(0.2258836, abs=1e-7)
    by_hand = sum((-1) ** j * math.comb(7, j) * (sum(p) - j) ** 7 / math.factorial(7) for j in range(3))
    assert combined(p) == pytest.approx(by_hand, abs=1e-12)


# ------------------------------------------------------------------ against brute force


def brute_force(design):
    """Every schedule of a small design, found by trying all sequences of treated days or periods."""
    match design:
        case RandomStart():
            return {
                tuple(int(day >= start) for day in range(design.days)) for start in range(design.first, design.last + 1)
            }
        case RandomChanges():
            lengths = product(range(design.least, design.days), repeat=design.phases)
            return {sum(((n % 2,) * k for n, k in enumerate(each)), ()) for each in lengths if sum(each) == design.days}
        case RandomBlocks():
            sequences = product((0, 1), repeat=2 * design.pairs)
            return {
                sum(((x,) * design.period for x in s), ())
                for s in sequences
                if all(s[i] + s[i + 1] == 1 for i in range(0, len(s), 2))
            }
        case Alternating():
            found = set()
            for s in product((0, 1), repeat=design.periods):
                runs = "".join(map(str, s))
                if sum(s) * 2 == len(s) and not any(c * (design.most_in_a_row + 1) in runs for c in "01"):
                    found.add(sum(((x,) * design.period for x in s), ()))
            return found
        case MultipleBaseline():
            return {
                tuple(tuple(int(day >= s) for day in range(design.days)) for s in order)
                for order in permutations(design.starts)
            }
        case _:
            return {tuple(row[0]) for row in design.schedules}


@pytest.mark.parametrize("name", SMALL)
def test_every_schedule_and_no_other(name):
    design = SMALL[name]
    ours = design.enumerated() % 2
    rows = {tuple(map(tuple, each)) if len(each) > 1 else tuple(each[0]) for each in ours.tolist()}
    assert rows == brute_force(design)
    assert design.count == len(ours) == len(rows)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("missing", [0, 0.2])
def test_exact_p_by_a_loop(name, missing):
    rng = np.random.default_rng(7)
    design = SMALL[name]
    schedules = design.enumerated()
    kept = schedules[len(schedules) // 3]
    values = np.round(rng.normal(size=kept.shape) + kept % 2, 1)
    values[rng.random(kept.shape) < missing] = np.nan

    def one(phases):
        people = []
        for y, row in zip(values, phases, strict=True):
            means = {
                phase: np.mean(y[(row == phase) & np.isfinite(y)])
                if (np.isfinite(y) & (row == phase)).any()
                else np.nan
                for phase in np.unique(row)
            }
            sides = [np.mean([m for phase, m in means.items() if phase % 2 == side]) for side in (0, 1)]
            people.append(sides[1] - sides[0])
        return np.mean(people)

    observed, every = one(kept), [one(each) for each in schedules]
    found = randomisation_test(values, kept, design)
    assert found.observed == pytest.approx(observed)
    assert found.p == pytest.approx(np.mean([np.isnan(each) or each >= observed - 1e-9 for each in every]))
    assert found.p >= 1 / design.count


@pytest.mark.parametrize("name", ["start", "changes", "blocks", "people"])
def test_the_interval_is_what_two_sided_tests_do_not_reject(name):
    rng = np.random.default_rng(3)
    wide = {
        "start": RandomStart(90, 5, 84),
        "changes": RandomChanges(24, 3, 5),
        "blocks": RandomBlocks(7, 2),
        "people": MultipleBaseline(30, (4, 8, 11, 15, 19)),
    }
    design = wide[name]
    schedules = design.enumerated()
    kept = schedules[rng.integers(len(schedules))]
    values = rng.normal(size=kept.shape) + 1.5 * (kept % 2)
    found = randomisation_test(values, kept, design, confidence=0.90)

    def rejected(effect):
        left = values - effect * (kept % 2)
        return min(randomisation_test(sign * left, kept, design).p for sign in (1, -1)) <= 0.05

    assert math.isfinite(found.low)
    for end, inwards in ((found.low, 1), (found.high, -1)):
        assert rejected(end - inwards * 1e-6)
        assert not rejected(end + inwards * 1e-6)


def test_too_few_schedules_have_no_interval():
    found = randomisation_test(-PAIN, np.repeat([0, 1], (7, 14)), RandomStart.at_least(21, 5, 5))
    assert (found.low, found.high) == (-np.inf, np.inf)


# ------------------------------------------------------------------ when nothing happens


@pytest.mark.parametrize(
    "design",
    [RandomStart.at_least(70, 7, 7), RandomChanges(40, 4, 7), RandomBlocks(7, 5), Alternating(10, 3, 2), MultipleBaseline(40, (6, 12, 18, 24, 30))],
    ids=lambda design: type(design).__name__,
)  # fmt: skip
def test_p_is_uniform_when_nothing_happens(design):
    """Days resemble each other (phi .5), a fifth is missing: the schedule alone is drawn. Kolmogorov distance, 1 % bound."""
    rng, times = np.random.default_rng(12), 400
    schedules = design.enumerated()
    people, days = schedules.shape[1:]
    found = []
    for _ in range(times):
        values = noise(people, days, phi=0.5, seed=rng)
        values[rng.random(values.shape) < 0.2] = np.nan
        found.append(randomisation_test(values, schedules[rng.integers(len(schedules))], design).p)
    steps = np.arange(1, design.count + 1) / design.count
    below = np.searchsorted(np.sort(found), steps + 1e-9, side="right") / times
    assert np.abs(below - steps).max() < stats.kstwo(times).isf(0.01)
    assert min(found) >= 1 / design.count


def test_sampled_schedules_agree_with_all_of_them(monkeypatch):
    design, kept = RandomChanges(30, 4, 4), np.repeat([0, 1, 2, 3], (8, 7, 8, 7))
    values = noise(1, 30, phi=0.3, seed=5)[0] + 0.6 * (kept % 2)
    exact = randomisation_test(values, kept, design)
    monkeypatch.setattr("acu_nof1.randomisation.testing.MOST_ENUMERATED", 10)
    first, again, other = (randomisation_test(values, kept, design, seed=seed, draws=4999) for seed in (1, 1, 2))
    assert (first, first.exact) == (again, False)
    assert first != other
    for sampled in (first, other):
        assert sampled.p == pytest.approx(exact.p, abs=4 * math.sqrt(exact.p * (1 - exact.p) / 5000))
        assert sampled.low == pytest.approx(exact.low, abs=0.15)
    assert randomisation_test(100.0 * (kept % 2), kept, design, draws=99).p >= 1 / 100


@pytest.mark.parametrize("name", SMALL)
def test_every_schedule_is_drawn_alike(name):
    design = SMALL[name]
    drawn = design.sampled(4000, np.random.default_rng(8))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == design.count
    assert stats.chisquare(counts).pvalue > 0.001


def test_98_days_take_no_time():
    design, kept = RandomStart.at_least(98, 7, 7), (np.arange(98) >= 21).astype(int)
    values = noise(1, 98, phi=0.3, seed=1)[0]
    randomisation_test(values, kept, design)
    start = time.process_time()
    for _ in range(5):
        randomisation_test(values, kept, design)
    assert (time.process_time() - start) / 5 < 0.05


# ------------------------------------------------------------------ as users meet it


def test_a_draw_is_repeatable_and_becomes_phases_of_a_protocol():
    first, again = (draw(RandomStart(84, 10, 20), seed=4) for _ in range(2))
    assert (first.phases == again.phases).all()
    text = first.to_toml(dt.date(2026, 1, 5))
    begun = dt.date(2026, 1, 5) + dt.timedelta(days=int(np.argmax(first.phases)))
    assert text.startswith('# drawn with seed 4 from 11 schedules\n[[phase]]\nkind = "baseline"\nstart = 2026-01-05')
    assert f"start = {begun}\nend = 2026-03-29\nrandomised_from = 2026-01-15\nrandomised_to = 2026-01-25\n" in text


def drawn_trial(start=14, window=(10, 20)):
    pain = np.round(6 - 2 * (np.arange(70) >= start) + noise(1, 70, phi=0.2, seed=3)[0]).clip(0, 10)
    first = dt.date(2026, 1, 5)
    trial = make_trial({"pain": pain.tolist()}, baseline=start, pain={"instrument": "nrs_pain"})
    if window is None:
        return trial
    phases = list(trial.protocol.phases)
    begun = phases[1].start
    low, high = (begun + dt.timedelta(days=day - start) for day in window)
    phases[1] = phases[1].model_copy(update={"randomised_from": low, "randomised_to": high})
    assert first is not None
    return acu.Trial(trial.protocol.model_copy(update={"phases": tuple(phases)}), trial.diary)


def test_a_start_that_was_drawn_is_tested_among_the_starts_of_the_protocol():
    found = trial_test(drawn_trial())
    assert (found.randomised, found.schedules, found.status) == (True, 11, "ok")
    assert found.p <= 2 / 11 + 1e-9
    assert found.observed > 1


def test_a_start_that_was_not_drawn_is_a_placebo_in_time_check():
    found = trial_test(drawn_trial(window=None))
    assert (found.randomised, found.schedules) == (False, 70 - 14 + 1)


def test_more_is_better_whatever_the_scale():
    """The statistic is turned: less pain and more walking both count as gain."""
    design, kept = RandomStart.at_least(21, 5, 5), np.repeat([0, 1], (7, 14))
    assert randomisation_test(-PAIN, kept, design).observed == -randomisation_test(PAIN, kept, design).observed


def test_a_phase_without_an_answer_is_not_estimable_and_says_so():
    values = PAIN.copy()
    values[:7] = np.nan
    found = randomisation_test(values, np.repeat([0, 1], (7, 14)), RandomStart.at_least(21, 5, 5))
    assert (found.status, found.reason) == (
        "not_estimable",
        "a phase has no answered day, so there is nothing to compare",
    )
    assert math.isnan(found.p)


def test_schedules_that_cannot_be_computed_count_against():
    values = PAIN.copy()
    values[:6] = np.nan
    found = randomisation_test(-values, np.repeat([0, 1], (7, 14)), RandomStart.at_least(21, 5, 5))
    assert found.uncounted == 2
    assert found.p == pytest.approx(3 / 12)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: RandomStart(10, 0, 4), "treatment cannot begin between day 0 and day 4 of 10"),
        (lambda: RandomChanges(10, 4, 4), "4 phases of 4 days do not fit into 10"),
        (lambda: Alternating(7), "7 periods cannot be shared out evenly"),
        (lambda: MultipleBaseline(20, (5, 5)), "the starts do not differ"),
        (lambda: Listed(np.array([[0, 1], [0, 1]])), "a schedule is listed twice"),
        (lambda: RandomBlocks(0, 3), "there are no days"),
        (lambda: combined([0.0, 0.5]), "Each must be above 0 and at most 1"),
        (lambda: combined([0.5], "mean"), "there is no method mean"),
        (lambda: randomisation_test(PAIN, np.repeat([0, 1], (2, 19)), RandomStart.at_least(21, 5, 5)), "none that could have been drawn"),
        (lambda: randomisation_test(PAIN[:5], np.repeat([0, 1], (7, 14)), RandomStart.at_least(21, 5, 5)), "have shape"),
    ],
)  # fmt: skip
def test_wrong_designs_are_refused_in_words(wrong, said):
    with pytest.raises(UsageError, match=said):
        wrong()


def test_the_statistic_is_linear_in_the_values():
    """What the interval rests on."""
    rng = np.random.default_rng(2)
    schedules, values, other = (
        designs.RandomChanges(20, 3, 4).enumerated(),
        rng.normal(size=(1, 20)),
        rng.normal(size=(1, 20)),
    )
    together = mean_of_phase_means(values + 2 * other, schedules)
    np.testing.assert_allclose(
        together, mean_of_phase_means(values, schedules) + 2 * mean_of_phase_means(other, schedules)
    )


def said_of(trial):
    return " ".join(words.sentences(trial_test(trial), trial.protocol.outcomes[0]))


def test_run_in_days_keep_their_place():
    """Three days of run-in after the start are not compared; the start and its window stay where they were."""
    trial = drawn_trial()
    waited = acu.Trial(trial.protocol.model_copy(update={"run_in_days": 3}), trial.diary)
    assert (trial_test(waited).schedules, trial_test(trial).schedules) == (11, 11)
    assert trial_test(waited).status == "ok"
    assert trial_test(waited).observed > 1


def test_many_periods_are_counted_and_drawn_without_listing_them():
    design = Alternating(60, 1, 2)
    assert design.count > 10**10
    kept = design.one(np.random.default_rng(1))
    found = randomisation_test(noise(1, 60, phi=0.3, seed=2)[0], kept[0], design, draws=199)
    assert (found.exact, found.schedules) == (False, 199)


def test_words_of_a_drawn_start_are_those_of_a_test():
    said = said_of(drawn_trial())
    assert re.search(
        r"The start was drawn from 11 days: \d of them would have shown as much, the one that was drawn included", said
    )
    assert "(randomisation test, p = 0." in said
    assert "With so few possible starts no effect can be rejected" in said


def test_words_of_a_start_that_was_not_drawn_name_no_p():
    said = said_of(drawn_trial(window=None))
    assert "a placebo-in-time check and no test: of 57 starts" in said
    assert "p =" not in said


def test_the_command():
    ran = CliRunner().invoke(app, ["randomisation", str(ROOT / "sample_data" / "low_back_pain")])
    assert ran.exit_code == 0
    assert "The start was not drawn at random" in ran.output
    ran = CliRunner().invoke(app, ["randomisation", str(ROOT / "sample_data" / "low_back_pain"), "--outcome", "mood"])
    assert isinstance(ran.exception, UsageError)
    assert "there is no daily outcome mood. Known: pain, walking" in str(ran.exception)
