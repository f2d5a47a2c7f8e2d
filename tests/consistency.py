"""What a reassessment says, read back from its text by patterns of this file's own, and held against the numbers.

`complaints(review)` is empty where nothing contradicts anything. A new text of the page is one line in `TEXTS` (held to
what is true of every text); one that says what changed, and how sure that is, also one in the check that reads it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import acu_nof1 as acu
from acu_nof1 import export, words
from acu_nof1.interpret import shares_of_hundred
from acu_nof1.report.block import Badge, Bands, Block, Decision, Hundred, Statement, Table
from acu_nof1.report.blocks import answer, decision, outcomes
from acu_nof1.report.patient import certainty, changes, others, success

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

NUM = r"[−+]?(?:\d[\d,]*)(?:\.\d+)?"
WAY = r"lower|higher|fewer|more"
CHANCE = r"(?:about|just under|just over|less than|more than) \d+(?= in 100)"
ENDLESS = {"down to 0": 0.0, "no upper bound": math.inf, "less than 0.01": 0.005}
END = rf"(?:{NUM}|down to 0|no upper bound|less than 0\.01)"
INTERVAL = r"\(95 % interval:? "

# The verdicts and readings in this file's own words; without an important change only three are possible.
SAID = {
    "improved": ("Improved", "better, by the important amount"),
    "improved_amount_unclear": ("Improved, amount unclear", "better, amount unclear"),
    "improved_less": ("Improved, less than AGREED", "better, less than the important amount"),
    "no_important_change": ("No important change", "no important change"),
    "worse_amount_unclear": ("Worse, amount unclear", "worse, amount unclear"),
    "worse": ("Worse", "worse"),
    "cannot_say": ("Cannot say", "cannot say"),
}
SAID_WITHOUT = {
    "improved_amount_unclear": ("Better", "better"),
    "worse_amount_unclear": ("Worse", "worse"),
    "cannot_say": ("Cannot say", "cannot say"),
}

TEXTS: Mapping[str, Callable[[acu.Reassessment], str]] = {
    "sentence": lambda review: review.sentence,
    "answer": lambda review: shown(page(review, answer)),
    "decision": lambda review: shown(page(review, decision)),
    "success": lambda review: review.success_sentence,
    "reasons": lambda review: " ".join(words.reasons(review.verdict.estimate)),
    "chances": lambda review: words.chances(review.verdict.estimate) if review.verdict.estimate else "",
    "limits": lambda review: " ".join((*review.attribution, *review.limits)),
    "patient": lambda review: " ".join(shown(page(review, each)) for each in (changes, certainty, others, success)),
}
"""Every text that is held to what is true of all: its chances, its directions, its verdict words."""


def page(review: acu.Reassessment, section: Callable[[acu.Reassessment], Block]) -> tuple[Block, ...]:
    """The blocks of a section, each made once."""
    made = review.__dict__.setdefault("sections read back", {})
    if section not in made:
        made[section] = tuple(section(review).walk())
    return made[section]


def shown(found: tuple[Block, ...]) -> str:
    """A section of the page as plain text: everything that its blocks hold, pieces of a sentence joined."""
    return " ".join(text for block in found if not block.parts for text in texts_of(block))


def texts_of(block: Block) -> Iterator[str]:
    if isinstance(block, Statement):
        yield "".join(text for text, _ in block.pieces)
        return
    for each in vars(block).values():
        if isinstance(each, str):
            yield each
        elif isinstance(each, tuple):
            yield from (" ".join(map(str, row)) if isinstance(row, tuple) else str(row) for row in each)


def plain(text: str) -> str:
    return text.replace(words.NO_BREAK, " ")


def number(text: str) -> float:
    return ENDLESS[text] if text in ENDLESS else float(text.replace("−", "-").replace("+", "").replace(",", ""))


def half_unit(text: str) -> float:
    """Half of the last printed digit, and a little for ties."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2]) + 1e-9


def is_printed(text: str, value: float) -> bool:
    """Is this the rounded value?"""
    if text in ENDLESS:
        return {"down to 0": value == 0, "no upper bound": math.isinf(value), "less than 0.01": 0 < value < 0.01}[text]
    return abs(number(text) - value) <= half_unit(text)


def chance_range(text: str) -> tuple[float, float]:
    """Between which probabilities must the truth lie if this is said of it?"""
    word, size = text.rsplit(" ", 1)
    said = int(size) / 100
    edge = 0.025 + 1e-9
    return {
        "about": (said - edge, said + edge),
        "just under": (said - edge, said),
        "just over": (said, said + edge),
        "less than": (0.0, 0.01) if said == 0.01 else (0.01, 0.025 + 1e-9),
        "more than": (0.99, 1.0) if said == 0.99 else (0.975 - 1e-9, 0.99),
    }[word]


def fits(text: str, chance: float) -> bool:
    low, high = chance_range(text)
    return low <= chance <= high and (not text.startswith("just under") or chance < high)


# ------------------------------------------------------------------ what is true


def chances_of(e: acu.Estimate) -> dict[str, float]:
    return {
        "gain": e.p_gain, "loss": e.p_loss, "big": e.p_important_gain, "big loss": e.p_important_loss,
        "within": 1 - e.p_important_gain - e.p_important_loss, "half": sum(e.bands[:2]),
    }  # fmt: skip


def kind_by_the_rules(e: acu.Estimate | None) -> str:
    """The verdict from the chances, in the order of docs/METHODS.md, written out once more."""
    if e is None or not e.ok or math.isnan(e.p_gain):
        return "cannot_say"
    p = chances_of(e)
    if math.isnan(e.important_change):
        if p["gain"] >= 0.95:
            return "improved_amount_unclear"
        return "worse_amount_unclear" if p["loss"] >= 0.95 else "cannot_say"
    if p["loss"] >= 0.95 and p["half"] >= 0.8:
        return "worse"
    if p["gain"] >= 0.95:
        if p["big"] >= 0.8:
            return "improved"
        return "improved_amount_unclear" if p["big"] > 0.2 else "improved_less"
    if p["loss"] >= 0.95:
        return "worse_amount_unclear"
    return "no_important_change" if p["within"] >= 0.8 else "cannot_say"


def said_kind(e: acu.Estimate | None, kind: str, place: int) -> str:
    with_threshold = e is not None and not math.isnan(e.important_change)
    return (SAID if with_threshold else SAID_WITHOUT).get(kind, SAID[kind])[place]


def badge_of(review: acu.Reassessment) -> str:
    agreed = "agreed" if review.trial.protocol.was_agreed else "the threshold"
    return said_kind(review.verdict.estimate, review.verdict.kind, 0).replace("AGREED", agreed)


# ------------------------------------------------------------------ the sentence


LEVELS = re.compile(rf"(?:was|estimated at|on average|:) ({NUM})(?: [^\d:;]*?)? .*? and ({NUM})(?: [^:;]*)?[:;] ")
CHANGE = re.compile(
    rf"(?:(?P<size>{NUM}) (?P<way>{WAY})|(?P<none>no difference on average)) {INTERVAL}(?P<low>{NUM})(?: (?P<lowway>{WAY}))? to "
    rf"(?P<high>{NUM})(?: (?P<highway>{WAY}))?(?P<cut>; cut at the end of the scale)?\)"
)
RATIO = re.compile(rf"ratio (?P<size>{END}) {INTERVAL}(?P<low>{END})(?: to |, )(?P<high>{END})\)")


def upwards(way: str) -> int:
    return 1 if way in ("higher", "more") else -1


def read_change(text: str) -> tuple[float, float, float, str] | None:
    """Change and interval with their signs, as a reader would take them, and how the size was printed."""
    found = CHANGE.search(plain(text))
    if found is None:
        return None
    way, low, high = found["way"], number(found["low"]), number(found["high"])
    if found["lowway"]:
        low, high = upwards(found["lowway"]) * low, upwards(found["highway"]) * high
    elif (way or found["highway"]) and upwards(way or found["highway"]) < 0:
        low, high = -high, -low
    size = 0.0 if found["none"] else number(found["size"]) * upwards(way)
    return size, low, high, found["size"] or found["low"]


def check_sentence(review: acu.Reassessment) -> Iterator[str]:
    """Before + change = after; the interval holds the change; every number is the rounded field."""
    e = review.verdict.estimate
    if e is None:
        return
    text = plain(words.sentence(e, review.telling))
    if not e.ok:
        if "not estimable" not in text or CHANGE.search(text) or RATIO.search(text):
            yield "the sentence gives a change that is not estimable"
        return
    levels = LEVELS.search(text)
    if levels is None:
        yield "the sentence has no levels"
        return
    before, after = levels.groups()
    if not is_printed(before, e.before) or not is_printed(after, e.after):
        yield f"levels {before} and {after} are not {e.before} and {e.after}"
    if e.scale == "ratio":
        found = RATIO.search(text)
        if found is None:
            yield "the sentence has no ratio"
        elif not all(
            is_printed(found[name], value) for name, value in (("size", e.value), ("low", e.low), ("high", e.high))
        ):
            yield f"ratio {found[0]} is not {e.value} ({e.low} to {e.high})"
        elif not number(found["low"]) <= number(found["size"]) <= number(found["high"]):
            yield "the ratio lies outside its interval"
        return
    read = read_change(text)
    if read is None:
        yield "the sentence has no change"
        return
    size, low, high, printed = read
    if not math.isclose(number(before) + size, number(after), abs_tol=1e-9):
        yield f"{before} and {size:g} do not give {after}"
    if abs(size - e.value) > 2 * half_unit(printed):
        yield f"the change {size:g} is not {e.value}"
    if size and np.sign(size) != np.sign(e.value):
        yield f"the change {size:g} has the wrong direction: {e.value}"
    if abs(low - e.low) > half_unit(printed) or abs(high - e.high) > half_unit(printed):
        yield f"the interval {low:g} to {high:g} is not {e.low} to {e.high}"
    if not low - 2 * half_unit(printed) <= size <= high + 2 * half_unit(printed) or low > high:
        yield f"the interval {low:g} to {high:g} does not hold the change {size:g}"
    if ("cut at the end" in text) != bool(e.limited) and size:
        yield "whether the interval is cut is not said"


# ------------------------------------------------------------------ chances


CHANCES = re.compile(
    rf"Chance that (?:it is|there are|their share is) truly (?:at least (?P<least>{NUM}) )?(?P<way>{WAY})(?: days? per 28)?"
    rf"(?: by at least (?P<by>{NUM}) ?(?P<unit>[^:]*?))?: (?P<chance>{CHANCE}) in 100"
    rf"(?:; that (?:it is|there are|their share is) (?P<anyway>{WAY}) at all: (?P<any>{CHANCE}) in 100)?\."
)


def check_chances(review: acu.Reassessment) -> Iterator[str]:
    """The chances are those of the direction that is named, and that is the direction of the change."""
    e = review.verdict.estimate
    text = "" if e is None else plain(words.chances(e))
    if e is None or not e.ok or math.isnan(e.p_gain):
        if text:
            yield "a chance is given where there is none"
        return
    found, p = CHANCES.fullmatch(text), chances_of(e)
    if found is None:
        yield "the chances cannot be read"
        return
    better = upwards(found["way"]) == e.outcome.sign
    has_threshold = not math.isnan(e.important_change)
    any_chance = found["any"] if has_threshold else found["chance"]
    if any_chance is None or (found["any"] is not None) != has_threshold:
        yield "the number of chances is not that of the thresholds"
        return
    if not fits(any_chance, p["gain" if better else "loss"]):
        yield f"a chance of {any_chance} is not {p['gain' if better else 'loss']}"
    if has_threshold:
        amount = number(found["least"] or found["by"])
        factor = {"difference": 1, "percent": 1, "ratio": 100}[e.scale]
        if not math.isclose(amount, factor * e.important_change):
            yield f"the chance is that of {amount:g}, not of {factor * e.important_change:g}"
        if (found["unit"] == "%") != (e.scale != "difference"):
            yield "the unit of the important change is another"
        if found["anyway"] != found["way"]:
            yield "the two chances name different directions"
        if not fits(found["chance"], p["big" if better else "big loss"]):
            yield f"a chance of {found['chance']} is not {p['big' if better else 'big loss']}"
    moved = direction(review)
    if moved and moved != upwards(found["way"]):
        yield f"the sentence says {'higher' if moved > 0 else 'lower'} and the chances {found['way']}"


def direction(review: acu.Reassessment) -> int:
    """The direction that the sentence names: +1, −1, 0 for none."""
    e = review.verdict.estimate
    assert e is not None
    text = plain(words.sentence(e, review.telling))
    if e.scale == "ratio":
        found = RATIO.search(text)
        return 0 if found is None else int(np.sign(round(number(found["size"]) - 1, 9)))
    read = read_change(text)
    return 0 if read is None else int(np.sign(read[0]))


# ------------------------------------------------------------------ verdict, rules, success


RULES = {
    "big": rf"[Aa] gain of at least (?P<big_size>{NUM})[^:]*: (?P<big>{CHANCE}) in 100",
    "gain": rf"[Aa]ny (?:gain|change for the better): (?P<gain>{CHANCE}) in 100",
    "loss": rf"[Aa]ny (?:loss|change for the worse): (?P<loss>{CHANCE}) in 100",
    "half": rf"[Aa] loss of at least (?P<half_size>{NUM})[^:]*: (?P<half>{CHANCE}) in 100",
    "within": rf"smaller than (?P<within_size>{NUM})[^:]*: (?P<within>{CHANCE}) in 100",
}
NEEDED = {"big": 0.80, "gain": 0.95, "loss": 0.95, "half": 0.80, "within": 0.80}


def check_verdict(review: acu.Reassessment) -> Iterator[str]:
    """The verdict is the one that the rules give, and is named alike wherever it stands."""
    e, kind = review.verdict.estimate, review.verdict.kind
    if kind != kind_by_the_rules(e):
        yield f"the verdict is {kind}, the rules give {kind_by_the_rules(e)}"
    if e is None or not review.trial.protocol.has_baseline:
        return
    badge = badge_of(review)
    if not plain(review.sentence).startswith(f"{badge}. "):
        yield f"the sentence does not begin with {badge}"
    for name, section in (("answer", page(review, answer)), ("decision", page(review, decision))):
        strong = [
            each.text if isinstance(each, Badge) else each.strong
            for each in section
            if isinstance(each, Badge | Decision)
        ]
        if strong != [badge]:
            yield f"{name} shows {strong}, not {badge}"
    reading = f"not estimable: {e.reason}" if not e.ok else said_kind(e, kind, 1)
    if words.reading(e) != reading:
        yield f"the row is read as {words.reading(e)}, the badge is {badge}"


def check_reasons(review: acu.Reassessment) -> Iterator[str]:
    """Every chance in the rules is that of its field, never 'about' what is needed, and reached where it must be."""
    e = review.verdict.estimate
    if e is None or not e.ok:
        return
    text, p = plain(" ".join(words.reasons(e))), chances_of(e)
    read: dict[str, str] = {}
    for name, pattern in RULES.items():
        found = re.search(pattern, text)
        if found is None:
            continue
        read[name] = found[name]
        if not fits(found[name], p[name]):
            yield f"{name}: {found[name]} is not {p[name]}"
        needed = NEEDED[name]
        if found[name] in (f"about {100 * needed:g}",):
            yield f"{name}: about {100 * needed:g} where {100 * needed:g} is needed"
        size = found.groupdict().get(f"{name}_size")
        factor = {"difference": 1, "percent": 1, "ratio": 100}[e.scale]
        share = 0.5 if name == "half" else 1.0
        if size and not math.isclose(number(size), share * factor * e.important_change, rel_tol=1e-5):
            yield f"{name}: {size} is not {share:g} of the important change"
    kind = kind_by_the_rules(e)
    if math.isnan(e.important_change):
        if not {"gain", "loss"} & set(read):
            yield "no chance is given for the reading"
        return
    shows = {
        "improved": {"big", "gain"}, "improved_amount_unclear": {"big", "gain"}, "improved_less": {"big", "gain"},
        "no_important_change": {"within"}, "worse_amount_unclear": {"loss"}, "worse": {"half", "loss"},
    }  # fmt: skip
    if not shows.get(kind, set()) <= set(read):
        yield f"the rules shown for {kind} are {sorted(read)}"
    if kind == "cannot_say" and all(chance_range(said)[0] >= NEEDED[name] for name, said in read.items()):
        yield "every rule is reached and the verdict is cannot say"
    if "None is reached" in text and any(p[name] >= NEEDED[name] for name in NEEDED):
        yield "a rule is reached where none is said to be"
    for said, number_said in re.findall(r"“(improved|worse)” needs (\d+)", text.lower()):
        if number_said != "80":
            yield f"{said} needs {number_said}"
    needed = {int(each) for each in re.findall(r"\((\d+) needed\)", text)} | {
        int(each) for each in re.findall(r"needs (\d+)", text)
    }
    if not needed <= {80, 95}:
        yield f"{needed} are needed"
    for name, said in read.items():
        after = re.search(rf"{re.escape(said)} in 100 \((\d+) needed\)", text)
        if after and kind != "cannot_say" and p[name] < int(after[1]) / 100:
            yield f"{name} needs {after[1]}, which is not reached, and the verdict is {kind}"


SUCCESS = re.compile(rf"(Met|Not met|Cannot say whether it is met): chance ({CHANCE}) in 100")


def check_success(review: acu.Reassessment) -> Iterator[str]:
    """Met, not met or open by the chance that is printed; the same as the verdict's where both hang on one outcome."""
    text, success, e = plain(review.success_sentence), review.success, review.verdict.estimate
    found = SUCCESS.search(text)
    if success.p is None:
        if found or "Met" in text:
            yield "a success is claimed without a chance"
        return
    if found is None:
        yield "the success cannot be read"
        return
    sure = success.gain >= 0.95
    right = "Not met" if success.p <= 0.2 else "Met" if success.p >= 0.8 and sure else "Cannot say whether it is met"
    if found[1] != right:
        yield f"success is {found[1]} at {success.p} (any gain {success.gain})"
    if not fits(found[2], success.p) or found[2] in ("about 80", "about 20"):
        yield f"success: {found[2]} is not {success.p}"
    if ("not agreed beforehand" in text) == review.trial.protocol.was_agreed:
        yield "whether the rule was agreed is not said"
    if e is not None and success.outcomes == (e.outcome.name,):
        if not math.isclose(success.p, e.p_important_gain, abs_tol=1e-9):
            yield "the chance of success is not that of the important gain"
        if (found[1] == "Met") != (review.verdict.kind == "improved"):
            yield f"success is {found[1]} and the verdict {review.verdict.kind}"


def check_agreement(review: acu.Reassessment) -> Iterator[str]:
    """Nothing is called agreed that was not."""
    e, agreed = review.verdict.estimate, review.trial.protocol.was_agreed
    if e is None:
        return
    text = plain(words.threshold(e, review.telling))
    if math.isnan(e.important_change):
        if re.search(rf"at least {NUM}", text):
            yield "a threshold is named where there is none"
        return
    if text.startswith("Agreed before treatment") != agreed or ("not agreed beforehand" in text) == agreed:
        yield f"agreed: {agreed}, and the threshold says: {text}"
    found = re.search(rf"at least ({NUM})", text)
    factor = {"difference": 1, "percent": 1, "ratio": 100}[e.scale]
    if found is None or not math.isclose(number(found[1]), factor * e.important_change):
        yield f"the threshold is another: {text}"
    way = re.search(WAY, text)
    if way is None or upwards(way[0]) != e.outcome.sign:
        yield "the threshold lies in the worse direction"
    if not agreed and re.search(r"(?<!not )agreed(?! (beforehand|before treatment))", badge_of(review).lower()):
        yield "the badge calls something agreed"


# ------------------------------------------------------------------ bands, table, files


def check_bands(review: acu.Reassessment) -> Iterator[str]:
    """Seven shares that add to 100; the last is the chance of the important gain; labels in its steps."""
    e = review.verdict.estimate
    bars = [each for each in page(review, answer) if isinstance(each, Bands)]
    if e is None or not e.ok or math.isnan(e.important_change) or not review.trial.protocol.has_baseline:
        if bars:
            yield "a bar is shown without chances"
        return
    if len(bars) != 1:
        yield f"{len(bars)} bars are shown"
        return
    shares, labels = bars[0].shares, bars[0].labels
    if sum(shares) != 100 or len(shares) != 7:
        yield f"the bands add to {sum(shares)}"
    if any(abs(share - 100 * exact) > 1 for share, exact in zip(shares, e.bands, strict=True)):
        yield f"the bands {shares} are not {e.bands}"
    if abs(shares[-1] - 100 * e.p_important_gain) > 1 or abs(shares[0] - 100 * e.p_important_loss) > 1:
        yield "the outer bands are not the chances of the important change"
    if shares != tuple(shares_of_hundred(np.array(e.bands))):
        yield "the bar has other shares than the bands"
    m = {"difference": 1, "percent": 1, "ratio": 100}[e.scale] * e.important_change
    sizes = ((m,), (m / 2, m), (m / 4, m / 2), (m / 4,), (m / 4, m / 2), (m / 2, m), (m,))
    for place, (label, right) in enumerate(zip(labels, sizes, strict=True)):
        read = [number(text) for text in re.findall(NUM, plain(label).replace("per 28", ""))]
        if not np.allclose(read, right, rtol=1e-4):
            yield f"band {place + 1} is labelled {label}"
        if ("worse" in label, "better" in label) != (place < 3, place > 3):
            yield f"band {place + 1} is labelled {label}"


CELL = re.compile(rf"(?P<x>× )?(?P<size>{END})(?: %)? \((?P<low>{END})(?: to |, )(?P<high>{END})\)")


def check_table(review: acu.Reassessment) -> Iterator[str]:
    """A row of the table says what the sentence says, and every row what its numbers are."""
    tables = [each for each in page(review, outcomes) if isinstance(each, Table)]
    if not review.trial.protocol.has_baseline:
        return
    rows = {row[0]: row for row in tables[0].rows}
    for e in review.estimates.headlines:
        name, before, after, change, important, reading = rows[words.unit_axis(e.outcome)]
        kind = kind_by_the_rules(e)
        right = f"not estimable: {e.reason}" if not e.ok else said_kind(e, kind, 1)
        if e.outcome.better != "neither" and reading != right:
            yield f"{name} is read as {reading}, not as {right}"
        if not e.ok:
            continue
        if not is_printed(before, e.before) or not is_printed(after, e.after):
            yield f"{name}: levels {before} and {after} are not {e.before} and {e.after}"
        found = CELL.fullmatch(plain(change))
        if found is None:
            yield f"{name}: {change} cannot be read"
            continue
        size, low, high = (number(found[part]) for part in ("size", "low", "high"))
        ends_fit = is_printed(found["low"], e.low) and is_printed(found["high"], e.high)
        if e.scale == "difference":
            ends_fit &= abs(size - e.value) <= 2 * half_unit(found["size"])
            if not math.isclose(number(before) + size, number(after), abs_tol=1e-9):
                yield f"{name}: {before} and {change} do not give {after}"
            if size and ("+" in found["size"]) != (e.value > 0):
                yield f"{name}: {change} has the wrong sign"
        elif e.scale == "ratio":
            ends_fit &= is_printed(found["size"], e.value) and found["x"] is not None
        if not ends_fit or not low - 2 * half_unit(found["size"]) <= size <= high + 2 * half_unit(found["size"]):
            yield f"{name}: {change} is not {e.value} ({e.low} to {e.high})"
        if (important == "–") != math.isnan(e.important_change):
            yield f"{name}: the threshold {important}"
        if important != "–" and np.sign(number(important.partition(words.NO_BREAK)[0])) != e.outcome.sign:
            yield f"{name}: the threshold {important} lies in the worse direction"
        if e.primary and e.scale == "difference":
            read = read_change(words.sentence(e, review.telling))
            if read is not None and (read[0], read[1], read[2]) != (size, low, high):
                yield f"the sentence says {read[:3]}, the table {(size, low, high)}"


def check_frame(review: acu.Reassessment) -> Iterator[str]:
    """The rows of the CSV are the estimates."""
    frame = review.to_frame()
    for row, e in zip(frame.to_dict("records"), review.estimates, strict=True):
        for name in ("value", "low", "high", "before", "after", "p_gain", "p_important_gain", "important_change"):
            if not np.array_equal(row[name], getattr(e, name), equal_nan=True):
                yield f"CSV: {name} is {row[name]}, not {getattr(e, name)}"
        if e.ok and e.outcome.better != "neither" and row["reading"] != said_kind(e, kind_by_the_rules(e), 1):
            yield f"CSV: {e.question} is read as {row['reading']}, not {kind_by_the_rules(e)}"


def check_files(review: acu.Reassessment) -> Iterator[str]:
    """JSON and CSV as written say what the page says."""
    with tempfile.TemporaryDirectory() as folder:
        export.write_json(review, Path(folder) / "a.json")
        export.write_csv(review, Path(folder) / "a.csv")
        found = json.loads((Path(folder) / "a.json").read_text(encoding="utf-8"))
        rows = list(csv.DictReader(io.StringIO((Path(folder) / "a.csv").read_text(encoding="utf-8-sig"))))
    verdict, success = found["verdict"], found["success"]
    if verdict["kind"] != kind_by_the_rules(review.verdict.estimate):
        yield f"JSON: the verdict is {verdict['kind']}"
    if verdict["sentence"] != review.sentence or verdict["reasons"] != list(words.reasons(review.verdict.estimate)):
        yield "JSON: other sentences than the page"
    if success["kind"] != review.success.kind or success["p"] != review.success.p:
        yield "JSON: another success than the page"
    for told, row, e in zip(found["estimates"], rows, review.estimates, strict=True):
        for name in ("value", "low", "high", "p_gain", "p_important_gain"):
            value = getattr(e, name)
            in_row = float(row[name]) if row[name] else None
            if told[name] != (value if math.isfinite(value) else None) or (
                in_row is not None and not math.isclose(in_row, value, rel_tol=1e-12)
            ):
                yield f"JSON or CSV: {name} of {e.question}"
        if (
            told["reading"] != row["reading"]
            or told["question"] != row["question"]
            or told["reading_kind"] != (e.reading or None)
        ):
            yield f"JSON and CSV read {e.question} differently"


# ------------------------------------------------------------------ caveats, other rows


ROOM = re.compile(
    rf"The level before \(({NUM})\) leaves room for (just under )?({NUM}) only: a gain of ({NUM}) could hardly be reached"
)
ANSWERED = re.compile(r"(\d+) of (\d+) diary days were answered")
TIPPING = re.compile(
    r"The verdict (?:holds unless|would be the same if) .*?the (?:(\d+) missing ones|missing one) of the (last )?(\d+) (treatment|baseline) days"
)
AVERAGED = re.compile(rf"(at least|at most) ({NUM})")
FIRST_WEEK = re.compile(
    rf"The first baseline week \(({NUM})[^)]*\) was (?:probably )?worse than the rest \(({NUM})[^)]*\)"
)
RETURN = re.compile(rf"about {NUM}(?: [a-z/]+)? ({WAY})(?: without any change)?\.")
MOVING = re.compile(rf"already moving this way before treatment \(({NUM}) a week\)")


def check_caveats(review: acu.Reassessment) -> Iterator[str]:
    """What other reasons there may be has the direction of the gain; counts of days are those of the diary."""
    e = review.verdict.estimate
    if e is None or not e.ok:
        return
    text = plain(" ".join((*review.attribution, *review.limits)))
    series = review.comparisons.take(review.comparisons.primary)
    if room := ROOM.search(text):
        if not is_printed(room[1], e.before) or not math.isclose(number(room[4]), e.important_change):
            yield f"unattainable: {room[0]}"
        if number(room[3]) >= number(room[4]) and not room[2]:
            yield f"the level leaves room for what can hardly be reached: {room[0]}"
        if review.verdict.kind == "improved" or review.success.kind == "met":
            yield f"a gain that could hardly be reached was reached: {room[0]}"
    if days := ANSWERED.search(text):
        used = series.phase >= 0
        if (int(days[1]), int(days[2])) != (int((np.isfinite(series.values) & used).sum()), int(used.sum())):
            yield f"{days[0]}"
    for tip in TIPPING.finditer(text):
        of = {"baseline": ~series.treated, "treatment": series.window if tip[2] else series.treated}[tip[4]] & (
            series.phase >= 0
        )
        if int(tip[3]) != of.sum() or int(tip[1] or 1) != (of & ~np.isfinite(series.values)).sum():
            yield f"the days are others: {tip[0]}"
        rest = text[tip.end() :].partition(".  ")[0].split(". ")[0]
        # A gain is undone by worse days of treatment or better days of the baseline.
        harmful = {1: "at most", -1: "at least"}[
            e.outcome.sign
            * (-1 if tip[4] == "baseline" else 1)
            * (-1 if review.verdict.kind.startswith("worse") else 1)
        ]
        tried = re.search(rf"had been ({NUM})\.", tip[0] + rest + ".")
        if tried and review.verdict.kind.startswith(("improved", "worse")) and e.outcome.low is not None:
            worst = {"at least": e.outcome.high, "at most": e.outcome.low}[harmful]
            if worst is not None and number(tried[1]) != worst:
                yield f"the harmless side was tried: {tip[0]}{rest}"
        ways = AVERAGED.findall(rest)
        if review.verdict.kind.startswith(("improved", "worse")) and any(way != harmful for way, _ in ways):
            yield f"days on the wrong side would undo it: {tip[0]}{rest}"
        if (
            e.outcome.low is not None
            and e.outcome.high is not None
            and any(not e.outcome.low <= number(size) <= e.outcome.high for _, size in ways)
        ):
            yield f"days beyond the scale: {rest}"
    if (week := FIRST_WEEK.search(text)) and (number(week[1]) - number(week[2])) * e.outcome.sign >= 0:
        yield f"a worse week is not worse: {week[0]}"
    for way in RETURN.findall(text):
        if upwards(way) != e.outcome.sign:
            yield f"a return to the usual level would be {way}"
    if (moving := MOVING.search(text)) and np.sign(number(moving[1])) != e.outcome.sign:
        yield f"this way is the other way: {moving[0]}"
    general = any(each.kind == "expectation" for each in review.verdict.caveats)
    if (
        general
        and ("not agreed before treatment" in text) == review.trial.protocol.was_agreed
        and not math.isnan(e.important_change)
    ):
        yield "whether the size was agreed"


def check_precision(review: acu.Reassessment) -> Iterator[str]:
    """The smallest change the diary could show is half of its interval; days tell no more than they are."""
    e = review.verdict.estimate
    text = plain(words.sensitivity_of_diary(e))
    if e is None or not text:
        return
    if "even a change over the whole scale" in text:
        if not (e.scale == "difference" and e.outcome.span is not None and e.detectable > e.outcome.span):
            yield f"the scale has room for {e.detectable}: {text}"
        return
    found = re.search(rf"changes of about ({NUM})", text)
    if found is None or not is_printed(found[1], e.detectable):
        yield f"detectable: {text}"
    if (not e.limited and e.scale == "difference" and e.outcome.kind != "yes_no") and abs(
        (e.high - e.low) / 2 - e.detectable
    ) > 1e-6:
        yield "the smallest change is not half of the interval"
    days = re.search(rf"its (\d+) and (\d+) days tell as much as about ({NUM}) and ({NUM}) independent", text)
    if days and ((int(days[1]), int(days[2])) != e.days or number(days[3]) > int(days[1])):
        yield f"days: {text}"


SAME = re.compile(
    r"The verdict is the same under (?:(the one other)|all (\d+)|(\d+|none) of (\d+)) other reasonable|The verdict depends on the one other"
)


def check_sensitivity(review: acu.Reassessment) -> Iterator[str]:
    """As many other choices give the same verdict as is said, and each is read by the rules."""
    found = review.sensitivity
    text = plain(words.sensitivity_sentence(found))
    asked = [each.estimate for each in found.alternatives if each.status == "ok" and each.estimate is not None]
    if not asked or found.primary is None or not found.primary.ok:
        if text:
            yield f"nothing was asked otherwise: {text}"
        return
    same = sum(kind_by_the_rules(each) == review.verdict.kind for each in asked)
    said = SAME.search(text)
    if said is None:
        yield f"the sentence cannot be read: {text}"
        return
    if said[2]:
        right = same == len(asked) == int(said[2])
    elif said[4]:
        right = (0 if said[3] == "none" else int(said[3])) == same and int(said[4]) == len(asked)
    else:
        right = len(asked) == 1 and same == int(said[1] is not None)
    if not right:
        yield f"{same} of {len(asked)} are the same: {text}"


def check_answers(review: acu.Reassessment) -> Iterator[str]:
    """Every answer of the appendix: sign and size of its change and of its share, and how it is read."""
    for e in review.estimates:
        share = plain(words.percent_change(e))
        if share != "–" and number(share.split()[0]) and np.sign(number(share.split()[0])) != np.sign(e.value):
            yield f"{e.question}: {share} and {e.value}"
        if share != "–" and not is_printed(share.split()[0], 100 * e.value / e.before):
            yield f"{e.question}: {share} is not {e.value} of {e.before}"
        reading = words.reading(e)
        if e.ok and e.outcome.better != "neither" and reading != said_kind(e, kind_by_the_rules(e), 1):
            yield f"{e.question} is read as {reading}"
        if not e.ok:
            continue
        found = CELL.fullmatch(plain(words.change_with_interval(e)))
        if found is None:
            if "upper bound" not in words.change_with_interval(e):
                yield f"{e.question}: {words.change_with_interval(e)} cannot be read"
            continue
        slack = 2 * half_unit(found["size"])
        if (
            abs(number(found["size"]) - e.value) > slack
            or not is_printed(found["low"], e.low)
            or not is_printed(found["high"], e.high)
        ):
            yield f"{e.question}: {found[0]} is not {e.value} ({e.low} to {e.high})"
        if not number(found["low"]) - slack <= number(found["size"]) <= number(found["high"]) + slack:
            yield f"{e.question}: {found[0]}"


# ------------------------------------------------------------------ every text


SIGNED = re.compile(rf"(?<![\d.])({NUM})(?: (?!or )[a-z/]+)? ({WAY})\b(?! often)")
BADGES = re.compile(
    r"\b(Improved(?:, amount unclear|, less than agreed|, less than the threshold)?|Better|Worse(?:, amount unclear)?|No important change(?! was agreed)|Cannot say(?! whether))\b"
)
CLAIMS = re.compile(r"\b[Ii]mproved\b|\b[Bb]etter\b")


def without_quotes(text: str) -> str:
    return re.sub(r"“[^”]*”", "", text)


def check_every_text(review: acu.Reassessment) -> Iterator[str]:
    """Whatever is said: chances are known ones, sizes with a direction are known ones, and one verdict is named."""
    e = review.verdict.estimate
    if e is None or not e.ok or math.isnan(e.p_gain):
        return
    chances = [
        *chances_of(e).values(),
        review.success.p,
        review.success.gain,
        *(each.p_phi_high for each in review.estimates),
    ]
    known = [chance for chance in chances if chance is not None and math.isfinite(chance)]
    sizes = [e.value, e.after - e.before, e.low, e.high, e.important_change, -e.important_change]
    sizes += [each.bad_spell for each in review.__dict__.get("regression_to_the_mean", ())]
    facts = [float(each.facts["return"]) for each in review.verdict.caveats if "return" in each.facts]
    for name, of in TEXTS.items():
        text = without_quotes(plain(of(review)))
        for said in re.findall(rf"({CHANCE})", text):
            if not any(fits(said, chance) for chance in known):
                yield f"{name}: {said} in 100 is no chance of this diary"
            if said in ("about 80", "about 95"):
                needed = int(said[-2:]) / 100
                ruled = {"about 80": ("big", "half", "within"), "about 95": ("gain", "loss")}[said]
                close = [rule for rule in ruled if fits(said, chances_of(e)[rule])]
                if close and not any(
                    fits(said, chance) for chance in set(known) - {chances_of(e)[rule] for rule in ruled}
                ):
                    yield f"{name}: {said} where {needed:.0%} is needed"
        for size, way in SIGNED.findall(text):
            signed = upwards(way) * number(size)
            if not any(
                abs(signed - value) <= 2 * half_unit(size) for value in (*sizes, *facts) if math.isfinite(value)
            ):
                yield f"{name}: {size} {way} is no change of this diary"
        named = set(BADGES.findall(text)) - {badge_of(review)}
        if named and name not in ("limits", "patient"):
            yield f"{name}: names {named}, the verdict is {badge_of(review)}"


FOR_PATIENTS = {
    "improved": "Better, by enough",
    "improved_amount_unclear": "Better, maybe not by enough",
    "improved_less": "Better, but not by enough",
    "no_important_change": "About the same",
    "worse_amount_unclear": "Worse, how much is not clear",
    "worse": "Worse",
    "cannot_say": "We cannot say",
}
PATIENTS_WITHOUT = {"improved_amount_unclear": "Better", "worse_amount_unclear": "Worse", "cannot_say": "We cannot say"}


def check_patient(review: acu.Reassessment) -> Iterator[str]:
    """The patient is told the verdict, the change and the chances that the clinician is told."""
    e, badges = review.verdict.estimate, [block for block in page(review, changes) if isinstance(block, Badge)]
    if e is None or not badges:
        return
    meant = (PATIENTS_WITHOUT if math.isnan(e.important_change) else FOR_PATIENTS)[review.verdict.kind]
    if badges[0].text != meant:
        yield f"the patient reads {badges[0].text}, the verdict is {badge_of(review)}"
    if not e.ok:
        return
    dots = [row for block in page(review, certainty) if isinstance(block, Hundred) for row in block.rows]
    p = chances_of(e)
    for (filled, said, rest), rule in zip(dots, (("gain", "loss"), ("big", "big loss")), strict=False):
        better = upwards(re.search(WAY, rest)[0]) == e.outcome.sign
        if not fits(said.lower(), p[rule[0 if better else 1]]):
            yield f"the patient reads {said} {rest} for {p[rule[0 if better else 1]]:.3f}"
        if abs(filled - number(re.search(NUM, said)[0])) > 2:
            yield f"{filled} dots are filled for {said}"
        if better != ((e.value - e.no_change) * e.outcome.sign > 0) and e.value != e.no_change:
            yield f"the patient reads {rest} where the change is {e.value:.2f}"


CHECKS: tuple[Callable[[acu.Reassessment], Iterator[str]], ...] = (
    check_sentence, check_chances, check_verdict, check_reasons, check_success, check_agreement, check_bands, check_table,
    check_precision, check_caveats, check_patient, check_every_text,
)  # fmt: skip
WHOLE = (*CHECKS, check_sensitivity, check_answers, check_frame, check_files)
"""For whole reassessments: what is written to files as well."""


def complaints(
    review: acu.Reassessment, checks: tuple[Callable[[acu.Reassessment], Iterator[str]], ...] = CHECKS
) -> list[str]:
    """Everything that contradicts something in what a reassessment says."""
    return [f"{check.__name__}: {each}" for check in checks for each in check(review)]
