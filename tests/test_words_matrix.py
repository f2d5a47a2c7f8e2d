"""What a reader sees on page one, for every verdict, design and missing piece: golden files to be read aloud.

One file a design (``golden/page_*.txt``) holds the words of the first page for each verdict that design can reach;
``golden/page_pieces.txt`` holds what changes when something was not agreed, not asked or not kept. After a sentence was
changed on purpose, ``REWRITE_GOLDEN=1 python -m pytest tests/test_words_matrix.py`` writes them anew: read the difference
aloud before it is committed.
"""

from __future__ import annotations

import datetime as dt
import html
import os
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import START, make_trial

from acu_nof1 import reassess, words
from acu_nof1.explore.sensitivity import Sensitivity
from acu_nof1.report import answer, decision, opening, outcomes

GOLDEN = Path(__file__).parent / "golden"
BASELINE, DAYS = 14, 56
PAIN = {"instrument": "nrs_pain", "important_change": 2}
# Gain on the 0–10 scale, and how much days differ, that lead to each verdict.
COURSES = {
    "improved": (4.0, 0.7),
    "improved_amount_unclear": (2.0, 0.8),
    "improved_less": (1.0, 0.4),
    "no_important_change": (0.1, 0.8),
    "worse_amount_unclear": (-0.8, 0.6),
    "worse": (-3.0, 0.7),
    "cannot_say": (1.8, 4.0),
    "not_estimable": (0.0, 0.0),
}


def day(number: int) -> str:
    return (START + dt.timedelta(days=int(number))).isoformat()


def phases(*lengths: int, **first_treatment: str) -> list[dict[str, str]]:
    """Baseline and treatment in turn; what else is known of the first treatment."""
    edges = np.cumsum([0, *lengths])
    made = [
        {"kind": ("baseline", "treatment")[number % 2], "start": day(edges[number]), "end": day(edges[number + 1] - 1)}
        for number in range(len(lengths))
    ]
    made[1] |= first_treatment
    return made


def ratings(kind: str, treated: np.ndarray, seed: int = 5) -> np.ndarray:
    gain, noise = COURSES[kind]
    days = np.random.default_rng(seed).normal(size=treated.size)
    for fortnight in np.array_split(days, max(treated.size // 14, 1)):
        fortnight -= fortnight.mean()
    return np.clip(np.round(6.0 - gain * treated + noise * days), 0, 10)


def by_phase(*lengths: int) -> np.ndarray:
    return np.repeat(np.arange(len(lengths)) % 2, lengths).astype(float)


def sessions(**given: object) -> list[dict[str, object]]:
    return [{"date": day(14 + 7 * number), "adverse_asked": True} | given for number in range(6)]


AGREED = {
    "trial": {
        "person": "P-001", "condition": "back pain", "goal": "walk the dog", "agreed_on": START, "planned_sessions": 6,
    },
    "session": sessions(),
    "safety": {"red_flags": [], "blood_thinner": False, "low_immunity": False, "pregnant": False, "implanted_device": False},
    "success": {"all": ["pain"]},
}  # fmt: skip


def ab(kind: str, **raw: object):
    return make_trial({"pain": ratings(kind, by_phase(BASELINE, DAYS - BASELINE))}, raw=AGREED | raw, pain=PAIN)


def ab_drawn(kind: str):
    drawn = {"randomised_from": day(7), "randomised_to": day(21)}
    return ab(kind, phase=phases(BASELINE, DAYS - BASELINE, **drawn))


def abab_drawn(kind: str):
    order = {"design": "changes", "start": day(0), "least_days": 7}
    return make_trial(
        {"pain": ratings(kind, by_phase(14, 14, 14, 14))},
        raw=AGREED | {"phase": phases(14, 14, 14, 14), "drawn": order},
        pain=PAIN,
    )


def in_phases(*lengths: int):
    def made(kind: str):
        values = ratings(kind, by_phase(*lengths))
        return make_trial({"pain": values}, raw=AGREED | {"phase": phases(*lengths)}, pain=PAIN)

    return made


def no_baseline(kind: str):
    return make_trial({"pain": ratings(kind, by_phase(BASELINE, DAYS - BASELINE))}, baseline=0, raw=AGREED, pain=PAIN)


def no_threshold(kind: str):
    values = ratings(kind, by_phase(BASELINE, DAYS - BASELINE))
    mood = {"label": "Mood", "kind": "rating", "range": [0, 10], "better": "lower"}
    return make_trial(
        {"mood": values}, raw={name: part for name, part in AGREED.items() if name != "success"}, mood=mood
    )


def weekly(kind: str):
    treated = by_phase(42, 84)
    values = np.full(treated.size, np.nan)
    values[::7] = ratings(kind, treated[::7]) if kind != "not_estimable" else np.nan
    outcome = {"instrument": "peg", "important_change": 2, "sem": 2.5 if kind == "cannot_say" else 0.7}
    return make_trial(
        {"pain": values}, baseline=42, raw=AGREED | {"reassess": [{"on": day(126), "window_days": 42}]}, pain=outcome
    )


def visits(kind: str):
    gain = {"improved": 4.0, "cannot_say": 1.0, "worse": -4.0, "not_estimable": 0.0}[kind]
    values = np.full(DAYS, np.nan)
    values[10], values[-1] = 4.0, 4.0 + gain
    if kind == "not_estimable":
        values[10] = np.nan
    outcome = {"instrument": "psfs", "important_change": 2, "sem": 0.9}
    return make_trial({"pain": values}, raw=AGREED, pain=outcome)


def yes_no(kind: str):
    shares = {
        "improved": (0.9, 0.15), "improved_amount_unclear": (0.6, 0.42), "worse": (0.2, 0.9), "cannot_say": (0.5, 0.45), "not_estimable": (0, 0),
    }  # fmt: skip
    before, after = shares[kind]
    treated = by_phase(28, 56)
    drawn = np.random.default_rng(3).random(84)
    values = (drawn < np.where(treated > 0, after, before)).astype(float)
    values[:28] = np.nan if kind == "not_estimable" else values[:28]
    outcome = {"instrument": "headache_day", "important_change": 4}
    return make_trial({"pain": values}, baseline=28, raw=AGREED, pain=outcome)


def doses(kind: str):
    means = {
        "improved": (6.0, 1.5),
        "improved_amount_unclear": (4.0, 2.4),
        "worse": (2.0, 6.0),
        "cannot_say": (2.0, 1.6),
        "not_estimable": (0.0, 1.0),
    }
    before, after = means[kind]
    values = (
        np.random.default_rng(4).poisson(np.where(by_phase(BASELINE, DAYS - BASELINE) > 0, after, before)).astype(float)
    )
    outcome = {
        "label": "Rescue tablets",
        "kind": "doses",
        "unit": "doses/day",
        "better": "lower",
        "important_change_percent": 30,
    }
    return make_trial({"pain": values}, raw=AGREED, pain=outcome)


def interim(kind: str):
    return ab(kind, reassess=[{"after_session": 4}, {"on": day(DAYS), "decides": True}])


EVERY = tuple(COURSES)
DESIGNS = {
    "ab": (ab, EVERY, {}),
    "ab_drawn_start": (ab_drawn, ("improved", "cannot_say"), {}),
    "aba": (in_phases(14, 28, 14), ("improved", "no_important_change", "worse"), {}),
    "abab": (in_phases(14, 14, 14, 14), ("improved", "improved_amount_unclear", "improved_less", "no_important_change", "worse", "cannot_say", "not_estimable"), {}),
    "abab_drawn_order": (abab_drawn, ("improved", "cannot_say"), {}),
    "no_baseline": (no_baseline, ("improved",), {}),
    "no_threshold": (no_threshold, ("improved_amount_unclear", "worse_amount_unclear", "cannot_say", "not_estimable"), {}),
    "weekly": (weekly, ("improved", "cannot_say", "worse", "not_estimable"), {}),
    "visits": (visits, ("improved", "cannot_say", "worse", "not_estimable"), {}),
    "yes_no": (yes_no, ("improved", "improved_amount_unclear", "worse", "cannot_say", "not_estimable"), {}),
    "doses": (doses, ("improved", "improved_amount_unclear", "worse", "cannot_say", "not_estimable"), {}),
    "interim": (interim, ("improved", "cannot_say"), {"after_session": 4}),
}  # fmt: skip


def without(part: str, *names: str) -> dict[str, object]:
    return {part: {name: value for name, value in AGREED[part].items() if name not in names}}


def missing(kind: str, days: list[int], **raw: object):
    trial_days = ratings(kind, by_phase(BASELINE, DAYS - BASELINE))
    trial_days[days] = np.nan
    return make_trial({"pain": trial_days}, raw=AGREED | raw, pain=PAIN)


PIECES = {
    "nothing agreed": lambda kind: ab(kind, **without("trial", "agreed_on")),
    "agreed late": lambda kind: ab(kind, trial=AGREED["trial"] | {"agreed_on": day(20)}),
    "no success rule": lambda kind: ab(kind, success=None),
    "no session listed": lambda kind: ab(kind, session=[]),
    "one session": lambda kind: ab(kind, session=sessions()[:1]),
    "safety not asked": lambda kind: ab(kind, safety={}),
    "safety asked in part, a caution": lambda kind: ab(kind, safety={"red_flags": [], "blood_thinner": True, "pregnant": False}),
    "harm never asked": lambda kind: ab(kind, session=sessions(adverse_asked=False)),
    "harm asked in part, a bruise": lambda kind: ab(kind, session=[*sessions(adverse_asked=False)[:4], *sessions(adverse_event="bruise")[4:]]),
    "one day missing": lambda kind: missing(kind, [50]),
    "many days missing": lambda kind: missing(kind, [*range(0, 14, 2), *range(15, 56, 2), 16, 18, 20, 22]),
    "no condition, no goal, nobody named": lambda kind: ab(kind, **without("trial", "condition", "goal", "person", "planned_sessions")),
    "a red flag": lambda kind: ab(kind, safety=AGREED["safety"] | {"red_flags": ["fever"]}),
    "a serious event": lambda kind: ab(kind, session=[*sessions()[:5], sessions(adverse_event="fainted", serious=True)[5]]),
    "an event, tablets": lambda kind: ab(kind, event=[{"date": day(15), "what": "new tablets"}, {"date": day(12), "what": "a fall"}]),
}  # fmt: skip


# What is said of these depends on the verdict.
TOLD_OTHERWISE = (
    "nothing agreed",
    "no success rule",
    "one day missing",
    "many days missing",
    "a red flag",
    "an event, tablets",
)


@cache
def review_of(design: str, kind: str):
    make, _, look = DESIGNS[design]
    return without_other_choices(reassess(make(kind), **look))


def without_other_choices(review):
    """The same answer, not asked in other ways: their sentence has golden files of its own."""
    review.__dict__["sensitivity"] = Sensitivity(None, (), review.trial.protocol.was_agreed)
    return review


def shown(review) -> str:
    """The words of the first page, one paragraph, item or row a line."""
    said = "".join(str(section(review).html) for section in (opening, answer, outcomes, decision))
    said = re.sub(r'<div[^>]*aria-hidden="true">.*?</div>', "", said, flags=re.DOTALL)
    said = re.sub(r"</t[hd]>\s*<t[hd]", " | <t", re.sub(r"\n", "", said))
    said = re.sub(r"</?(?:p|li|tr|h\d|div|caption|header|ul|table)\b[^>]*>", "\n", said)
    lines = [
        " ".join(html.unescape(re.sub(r"<[^>]+>", "", line)).replace(words.NO_BREAK, " ").split())
        for line in said.split("\n")
    ]
    return "\n".join(line for line in lines if line)


def held(name: str, pages: dict[str, str]) -> None:
    text = "\n".join(f"== {title}\n{page}\n" for title, page in pages.items())
    file = GOLDEN / f"page_{name}.txt"
    if os.environ.get("REWRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("design", DESIGNS)
def test_the_first_page_of_a_design_under_each_verdict(design):
    held(design, {kind: shown(review_of(design, kind)) for kind in DESIGNS[design][1]})


@pytest.mark.parametrize(("kind", "pieces"), [("improved", tuple(PIECES)), ("cannot_say", TOLD_OTHERWISE)])
def test_the_first_page_where_something_is_missing(kind, pieces):
    held(f"pieces_{kind}", {piece: shown(without_other_choices(reassess(PIECES[piece](kind)))) for piece in pieces})


@pytest.mark.parametrize(
    ("design", "kind"), [(design, kind) for design, (_, kinds, _) in DESIGNS.items() for kind in kinds]
)
def test_each_case_has_the_verdict_it_is_named_after(design, kind):
    verdict = review_of(design, kind).verdict
    if kind == "not_estimable" or design == "no_baseline":
        assert not verdict.estimate.ok
    else:
        assert verdict.estimate.ok
        assert verdict.kind == kind
