"""The catalogue is the reference table, cleaned by rules written here once; units convert; directions hold."""

from __future__ import annotations

import csv
import re

import pytest
from conftest import ROOT

from acu_nof1.outcomes import KINDS, OUTCOMES, Outcome, base_unit, conversion

# One map from the reference's types of data to the kinds that choose an estimator.
KIND_OF = {
    "ordinal_5": "rating",
    "ordinal_7": "rating",
    "ordinal_11": "rating",
    "ordinal_sum": "score",
    "continuous": "score",
    "continuous_bounded": "score",
    "count_bounded": "score",
    "percent": "score",
    "tscore": "score",
    "count": "count",
    "count_of_days": "count",
    "duration_min": "minutes",
    "binary": "yes_no",
}
KIND_OF_ITS_OWN = {"rescue_doses_day": "doses"}  # halves occur: an amount, not a count
BETTER_OF = {
    "higher_is_worse": "lower",
    "higher_is_better": "higher",
    "neutral": "neither",
    "coding_dependent": "neither",
}
EVERY_OF = {"daily": "day", "weekly": "week"}  # everything else is kept at visits
VERIFIED_OF = {"read at source": "yes", "partly": "partly", "unverified": "no"}
OURS = {"headache_day", "rescue_day"}  # one day of what the reference counts per 28 days


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "tests" / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


REFERENCE = {row["id"]: row for row in rows("instruments.csv")}


def number(text: str) -> float | None:
    return float(text) if text else None


def test_every_instrument_of_the_reference_is_there_and_two_days_are_ours() -> None:
    assert set(OUTCOMES) == set(REFERENCE) | OURS
    assert len(REFERENCE) == 42


@pytest.mark.parametrize("name", REFERENCE)
def test_scale_and_direction_are_those_of_the_reference(name: str) -> None:
    row, outcome = REFERENCE[name], OUTCOMES[name]
    assert outcome.kind == KIND_OF_ITS_OWN.get(name, KIND_OF[row["data_type"]])
    assert outcome.better == BETTER_OF[row["direction"]]
    assert outcome.every == EVERY_OF.get(row["typical_schedule"], "visit")
    assert (outcome.low, outcome.high) == (number(row["min"]), number(row["max"]))
    assert (outcome.step, outcome.title, outcome.domain) == (number(row["step"]), row["name"], row["domain"])


@pytest.mark.parametrize("name", REFERENCE)
def test_important_change_is_that_of_the_reference_with_its_source(name: str) -> None:
    row, outcome = REFERENCE[name], OUTCOMES[name]
    assert outcome.important_change == number(row["default_mic_abs"])
    assert outcome.important_change_percent == number(row["default_mic_rel_pct"])
    has_one = bool(row["default_mic_abs"] or row["default_mic_rel_pct"])
    assert outcome.source == (row["mic_source"].removesuffix(" (authors K)") if has_one else "")
    assert outcome.verified == (VERIFIED_OF[row["mic_checked"]] if has_one else "no")
    assert not outcome.declared


def test_no_important_change_lies_outside_what_was_published() -> None:
    published: dict[str, list[float]] = {}
    for row in rows("instrument_thresholds.csv"):
        found = [float(part) for part in re.findall(r"\d+(?:\.\d+)?", row["abs"])]
        published.setdefault(row["instrument_id"], []).extend(found)
    assert set(published) <= set(OUTCOMES)
    for name, outcome in OUTCOMES.items():
        if outcome.important_change is not None:
            assert min(published[name]) <= outcome.important_change <= max(published[name]), name


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_two_days_are_yes_or_no_and_fewer_are_better(name: str) -> None:
    outcome = OUTCOMES[name]
    assert (outcome.kind, outcome.better, outcome.every) == ("yes_no", "lower", "day")
    assert (outcome.low, outcome.high, outcome.change_unit) == (0, 1, "days per 28")


def test_headache_day_takes_the_responder_rule_of_headache_days() -> None:
    ours, theirs = OUTCOMES["headache_day"], OUTCOMES["headache_days_28d"]
    assert ours.important_change_percent == theirs.important_change_percent == 50
    assert (ours.source, ours.domain) == (theirs.source, theirs.domain)


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=list(OUTCOMES))
def test_every_entry_is_complete(outcome: Outcome) -> None:
    assert outcome.kind in KINDS
    assert outcome.label
    assert outcome.title
    assert outcome.unit
    assert outcome.recall_days >= 0
    assert outcome.name == outcome.instrument
    if outcome.important_change is not None or outcome.important_change_percent is not None:
        assert outcome.source
        assert outcome.better != "neither"
    if outcome.kind in ("rating", "score") and outcome.name != "mqs":  # a sum over any number of drugs
        assert None not in (outcome.low, outcome.high)


def test_direction_differs_inside_one_battery() -> None:
    higher = {name for name, outcome in OUTCOMES.items() if outcome.better == "higher"}
    assert {"psfs", "koos_pain", "promis_pf_t", "csd_se", "csd_tst"} <= higher
    assert not {"womac_pain", "promis_pi_t", "csd_waso", "nrs_pain"} & higher


def test_neither_better_nor_worse_has_no_sign() -> None:
    assert {name for name, outcome in OUTCOMES.items() if not outcome.sign} == {"csd_tib", "pgic"}
    assert (OUTCOMES["nrs_pain"].sign, OUTCOMES["psfs"].sign) == (-1, 1)


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("h", "min", 60),
        ("hours", "minutes", 60),
        ("min", "hrs", 1 / 60),
        ("h/day", "min", 60),
        ("cm", "mm", 10),
        ("mm", "centimetre", 0.1),
        ("points", "points", 1),
        ("min per day", "min", 1),
    ],
)
def test_units_of_one_family_convert(source: str, target: str, factor: float) -> None:
    assert conversion(source, target) == pytest.approx(factor, rel=1e-15)
    assert conversion(source, target) * conversion(target, source) == pytest.approx(1, rel=1e-15)


@pytest.mark.parametrize(("source", "target"), [("points", "min"), ("mm", "h"), ("%", "points"), ("", "min")])
def test_units_of_different_things_do_not(source: str, target: str) -> None:
    with pytest.raises(ValueError, match="cannot be converted"):
        conversion(source, target)


def test_units_are_known_by_their_spellings() -> None:
    assert [base_unit(text) for text in ("Hours", "hrs", "h/day", "min per night", "mm", "points")] == [
        "h", "h", "h", "min", "mm", "points",
    ]  # fmt: skip


def test_an_outcome_in_another_unit_takes_range_change_and_error_along() -> None:
    pain = Outcome("pain", "Pain", "score", "mm", 0, 100, step=1, important_change=15, sem=6)
    in_cm = pain.in_unit("cm")
    assert (in_cm.unit, in_cm.low, in_cm.high, in_cm.step) == ("cm", 0, 10, 0.1)
    assert (in_cm.important_change, in_cm.sem) == (1.5, pytest.approx(0.6))
    back = in_cm.in_unit("mm")
    assert (back.high, back.important_change, back.sem) == (100, 15, pytest.approx(6))
    sleep = OUTCOMES["csd_tst"].in_unit("h")
    assert (sleep.low, sleep.high, sleep.important_change) == (0, 24, None)
    with pytest.raises(ValueError, match="points"):
        OUTCOMES["nrs_pain"].in_unit("h")


@pytest.mark.parametrize(
    ("outcome", "digits"),
    [
        (OUTCOMES["nrs_pain"], 1),
        (OUTCOMES["vas_pain"], 0),
        (OUTCOMES["vas_pain"].in_unit("cm"), 1),
        (OUTCOMES["csd_tst"], 0),
        (OUTCOMES["csd_tst"].in_unit("h"), 1),
        (OUTCOMES["headache_day"], 1),
        (OUTCOMES["odi"], 0),
    ],
)
def test_long_scales_are_printed_in_whole_numbers(outcome: Outcome, digits: int) -> None:
    assert outcome.digits == digits
