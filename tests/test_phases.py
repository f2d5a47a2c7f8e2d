"""Designs of more than two phases: phase by phase, orders that were drawn, and their test on the page."""

from __future__ import annotations

import datetime as dt
import tomllib
from itertools import pairwise

import numpy as np
import pytest
from conftest import make_trial
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1.cli import app
from acu_nof1.errors import ProtocolError, UsageError
from acu_nof1.estimate import estimate_all
from acu_nof1.explore.pairs import pairs
from acu_nof1.load.protocols import protocol_from
from acu_nof1.plot.pairs import pairs_alt, plot_pairs
from acu_nof1.randomisation import Alternating, RandomBlocks, RandomChanges, draw, randomisation_test, trial_test
from acu_nof1.report.blocks import blocks
from acu_nof1.simulate import noise
from acu_nof1.words import pairs as pair_words
from acu_nof1.words import randomisation as words
from acu_nof1.words.numbers import date

FIRST = dt.date(2026, 1, 5)
KINDS = ("baseline", "treatment")


def day(number):
    return FIRST + dt.timedelta(days=int(number))


def phases_of(numbers):
    """[[phase]] tables of a row of phase numbers."""
    edges = [0, *(np.flatnonzero(np.diff(numbers)) + 1), len(numbers)]
    return [{"kind": KINDS[numbers[a] % 2], "start": day(a), "end": day(b - 1)} for a, b in pairwise(edges)]


def kept(numbers, drawn=None, effect=-2.0, phi=0.2, seed=3, **more):
    numbers = np.asarray(numbers)
    pain = np.round(6 + effect * (numbers % 2) + noise(1, len(numbers), phi=phi, seed=seed)[0], 1).clip(0, 10)
    raw = {"phase": phases_of(numbers)} | ({"drawn": drawn} if drawn else {}) | more
    return make_trial({"pain": pain.tolist()}, raw=raw, pain={"instrument": "nrs_pain"})


ABAB = np.repeat([0, 1, 2, 3], 14)


def test_pairs_add_up_to_the_answer_of_the_whole_design():
    """ABAB: mean of both treatment levels less mean of both baseline levels is half of B1−A1 plus B2−A2 levels."""
    series = kept(ABAB).comparisons()
    first, back, second = pairs(series)
    assert [(each.before, each.after) for each in (first, back, second)] == [("A1", "B1"), ("B1", "A2"), ("A2", "B2")]
    (whole,) = [each for each in estimate_all(series) if each.question == "mean_change"]
    assert (first.value + second.value) / 2 == pytest.approx(whole.value, abs=1e-9)
    assert first.low < first.value < first.high
    assert (first.gain > 0, back.gain > 0, second.gain > 0) == (True, False, True)
    assert first.days == (14, 14)


def test_pairs_are_named_by_what_is_treatment():
    found = pairs(kept(np.repeat([0, 1, 2], 14)).comparisons())
    assert [(each.before, each.after) for each in found] == [("A1", "B1"), ("B1", "A2")]
    assert pairs(kept(np.repeat([0, 1], 14)).comparisons()) == ()


def test_a_phase_of_few_days_says_so_and_nothing_is_invented():
    series = kept(np.repeat([0, 1, 2, 3], [14, 14, 3, 14])).comparisons()
    found = pairs(series)
    assert {each.reason for each in found} == {"phase 3 has 3 days answered; at least 5 are needed"}
    assert all(np.isnan([each.value, each.low, each.high]).all() for each in found)
    assert pair_words.row(found[0])[3:] == ("not estimable", found[0].reason)
    assert pair_words.sentence(found) == ""


def test_pairs_in_words_and_figure():
    found = pairs(kept(ABAB).comparisons())
    assert pair_words.sentence(found).startswith(
        "Pain got better in 2 of 2 times when treatment began and got better in 0 of 1 times when"
    )
    assert pair_words.row(found[0])[4] == "better"
    assert "Pain, A1 to B1: −" in pairs_alt(found)
    assert [tick.get_text() for tick in plot_pairs(found).axes[0].get_xticklabels()] == ["A1→B1", "B1→A2", "A2→B2"]


# ------------------------------------------------------------------ an order that was drawn

DESIGNS = {
    "changes": RandomChanges(56, 4, 7),
    "blocks": RandomBlocks(4, 7),
    "alternating": Alternating(8, 7, 2),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_what_draw_writes_is_read_and_tested(name):
    """The protocol that `to_toml` writes, a week of baseline before it: the same p as the design itself gives."""
    design = DESIGNS[name]
    drawn = draw(design, seed=5)
    text = drawn.to_toml(day(7))
    told = tomllib.loads(text)
    assert told["drawn"]["design"] == name
    numbers = np.r_[np.zeros(7, int), drawn.phases[0]]
    trial = kept(numbers, told["drawn"])
    found = trial_test(trial)
    series = trial.comparisons()
    own = randomisation_test(-series.values[0][7 : 7 + len(drawn.phases[0])], drawn.phases, design)
    assert (found.p, found.schedules, found.randomised) == (own.p, design.count, True)
    assert found.p >= 1 / design.count


def test_words_of_a_drawn_order():
    order = {"design": "blocks", "start": FIRST, "period_days": 7, "seed": 5}
    trial = kept(np.repeat([0, 1, 2, 3], 7), order)
    found = trial_test(trial)
    said = " ".join(words.sentences(found, trial.protocol.primary_outcome, trial.protocol.drawn))
    assert f"drawn from 4 orders (which period of each pair had treatment): {round(4 * found.p)} of them" in said
    assert "With so few possible orders no effect can be rejected" in said
    review = acu.reassess(trial)
    assert "drawn_order" in {each.kind for each in review.verdict.limits}
    html = " ".join(str(each.html) for each in blocks(review))
    assert words.HEADING in html
    assert pair_words.HEADING in html
    assert f"the order of phases from {date(FIRST)} on" in html


def test_an_order_that_is_not_over_has_no_test_yet():
    order = {"design": "blocks", "start": FIRST, "period_days": 7}
    trial = kept(np.repeat([0, 1, 2, 3], 7), order, reassess=[{"on": day(24)}, {"on": day(28), "decides": True}])
    review = acu.reassess(trial, on=day(24))
    html = " ".join(str(each.html) for each in blocks(review))
    assert "the order that was drawn is not over yet" in html


@pytest.mark.parametrize(
    ("numbers", "order", "said"),
    [
        (np.repeat([0, 1, 2, 3], 7), {"design": "changes", "start": FIRST, "least_days": 10}, "do not fit into 28"),
        (np.repeat([0, 1, 2, 3], [4, 8, 8, 8]), {"design": "changes", "start": FIRST, "least_days": 6}, "none that could have been drawn"),
        (np.repeat([0, 1, 2, 3], 7), {"design": "blocks", "start": FIRST, "period_days": 5}, "no whole number of periods of 5 days"),
        (np.repeat([0, 1], 14), {"design": "blocks", "start": FIRST, "period_days": 7}, "none that could have been drawn"),
        (np.repeat([0, 1], 14), {"design": "alternating", "start": FIRST, "period_days": 1}, "none that could have been drawn"),
        (ABAB, {"design": "changes", "start": day(400)}, "no phase"),
    ],
)  # fmt: skip
def test_an_order_that_cannot_have_been_drawn_is_an_error(numbers, order, said):
    with pytest.raises(ProtocolError, match=said):
        kept(numbers, order)


def test_wrong_keys_of_drawn_are_named():
    raw = {
        "phase": phases_of(ABAB),
        "outcome": {"pain": {"instrument": "nrs_pain"}},
        "drawn": {"design": "coin", "start": FIRST, "sed": 3},
    }
    with pytest.raises(ProtocolError) as caught:
        protocol_from(raw)
    said = str(caught.value)
    assert "[drawn]" in said
    assert "seed" in said


def test_more_phases_that_were_not_drawn_have_no_test():
    with pytest.raises(UsageError, match="or an order that was drawn"):
        trial_test(kept(ABAB))


def test_many_orders_are_sampled_and_say_so():
    order = {"design": "alternating", "start": FIRST, "period_days": 1, "most_in_a_row": 2}
    design = Alternating(40, 1, 2)
    numbers = np.r_[0, draw(design, seed=2).phases[0]]
    trial = kept(numbers, order | {"start": day(1)})
    found = trial_test(trial)
    said = " ".join(words.sentences(found, trial.protocol.primary_outcome, trial.protocol.drawn))
    assert not found.exact
    assert "of 9999 orders drawn in the same way: " in said
    assert "the one that was drawn included" not in said


def test_the_command_tests_the_order(tmp_path):
    drawn = draw(RandomBlocks(4, 7), seed=1)
    pain = np.round(6 - 2 * (drawn.phases[0] % 2) + noise(1, 56, phi=0.2, seed=1)[0], 1)
    (tmp_path / "pain.csv").write_text(
        "date,pain\n" + "\n".join(f"{day(at + 7)},{each}" for at, each in enumerate(pain)) + f"\n{FIRST},6\n"
    )
    before = f'[[phase]]\nkind = "baseline"\nstart = {FIRST}\nend = {day(6)}\n\n'
    (tmp_path / "protocol.toml").write_text(
        before + drawn.to_toml(day(7)) + '\n[outcome.pain]\ninstrument = "nrs_pain"\n\n[[diary]]\nfile = "pain.csv"\n'
    )
    found = CliRunner().invoke(app, ["randomisation", str(tmp_path)])
    assert found.exit_code == 0, found.output
    assert "The order of phases was drawn from 16 orders" in found.output
