"""What many people's diaries come to: the average, the next person, and how many gained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.words.change import name_in_sentence
from acu_nof1.words.direction import isolated
from acu_nof1.words.numbers import MINUS, NO_BREAK, listing, number, percent, signed, signed_short
from acu_nof1.words.sensitivity import NO_CHANGE

if TYPE_CHECKING:
    from acu_nof1.explore.groups import Groups
    from acu_nof1.explore.pool import Pooled
    from acu_nof1.explore.shares import Share
    from acu_nof1.outcomes import Outcome

ONE_OF = {"points": "point", "days per 28": "day per 28", "doses/day": "dose/day"}
OWN, DRAWN = "own diary, with its interval", "drawn towards the average"
OWN_NUMBERS = "own diary"
AVERAGE, NEXT = "Average", "Next person"
NOTHING_TO_DRAW = "The people's changes could not be pooled: {reason}."


def sentences(pooled: Pooled, outcome: Outcome) -> tuple[str, ...]:
    """Say what the people's changes come to, what the next person may expect, and who is not in it."""
    if not pooled.ok:
        return (not_pooled(pooled, outcome), *_left_out(pooled))
    return (average(pooled, outcome), next_person(pooled, outcome), *_left_out(pooled))


def not_pooled(pooled: Pooled, outcome: Outcome) -> str:
    """Say why there is no average."""
    return f"No average change of {name_in_sentence(outcome)}: {pooled.reason}."


def average(pooled: Pooled, outcome: Outcome) -> str:
    """Over 57 people pain fell by 1.4 points on average (95 % interval 1.0 to 1.8)."""
    digits = _digits(pooled, outcome)
    start = f"Over {number(pooled.people, 0)} people {name_in_sentence(outcome)}"
    within = f"{percent(pooled.level)} interval"
    one_way = pooled.low > 0 or pooled.high < 0
    if not one_way:
        ends = f"{signed(pooled.low, digits)} to {signed(pooled.high, digits)}"
        change = _with_unit(signed(pooled.mean, digits), outcome)
        return f"{start} changed by {change} on average ({within} {ends}, so it may have gone either way)."
    small, large = sorted((abs(pooled.low), abs(pooled.high)))
    size = _with_unit(number(abs(pooled.mean), digits), outcome)
    went = "rose" if pooled.mean > 0 else "fell"
    return f"{start} {went} by {size} on average ({within} {number(small, digits)} to {number(large, digits)})."


def next_person(pooled: Pooled, outcome: Outcome) -> str:
    """The next person's true change is expected between −3.4 and +0.6 points."""
    digits = _digits(pooled, outcome)
    low, high = signed(pooled.prediction_low, digits), signed(pooled.prediction_high, digits)
    said = f"The next such person's true change is expected between {low} and {_with_unit(high, outcome)}"
    if pooled.tau2 == 0:
        return f"{said}; these people differ no more than their own errors allow, which does not show that people are alike."
    return f"{said}: true changes differ between people with an SD of {number(pooled.tau, digits)}."


def _left_out(pooled: Pooled) -> tuple[str, ...]:
    if not pooled.left_out:
        return ()
    reasons = pooled.by_person["reason"]
    counts = reasons[reasons != ""].value_counts(sort=False)
    said = listing(f"{count} with {reason}" for reason, count in counts.items())
    are = "person is" if pooled.left_out == 1 else "people are"
    return (f"{pooled.left_out} {are} not in it: {said}.",)


def share_of_such_people(share: Share) -> str:
    """Say how many people like them have an important gain."""
    if not share.ok:
        return f"How many such people have an important gain is not estimable: {share.reason}."
    ends = f"{percent(share.level)} interval {_whole(share.low)} to {_whole(share.high)}"
    about = "about " if 0.01 <= share.share <= 0.99 else ""
    whole = _whole(share.share)
    return f"Of people like these, {about}{whole} in 100 have a true gain of at least the important change ({ends})."


def share_of_these(share: Share) -> str:
    """Say how many of these people had an important gain."""
    if not share.ok:
        return f"How many of these people had an important gain is not estimable: {share.reason}."
    low, count, high = (round(share.people * each) for each in (share.low, share.share, share.high))
    return (
        f"Of these {number(share.people, 0)} people about {number(count, 0)} had an important gain "
        f"({percent(share.level)} interval {number(low, 0)} to {number(high, 0)})."
    )


def _whole(share: float) -> str:
    """In 100, never 0 or 100."""
    if share < 0.01:
        return "fewer than 1"
    return "more than 99" if share > 0.99 else f"{100 * share:.0f}"


def groups(found: Groups, outcome: Outcome) -> tuple[str, ...]:
    """Say how the averages of groups differ, a sentence each; groups that cannot be compared with their reason."""
    digits, name, said = outcome.digits, name_in_sentence(outcome), []
    rows = found.differences.to_dict("records")
    for row in rows:
        change = _with_unit(signed(row["difference"], digits), outcome)
        said.append(
            f"The average change of {name} of {isolated(row['group'])} less that of {isolated(row['reference'])} is {change} "
            f"({percent(_level(found))} interval {signed(row['low'], digits)} to {signed(row['high'], digits)})."
        )
    said += [
        f"{isolated(group)} is not compared: {each.reason}." for group, each in found.by_group.items() if not each.ok
    ]
    if rows:
        said.append("Groups can differ in more than their name, so this does not say why.")
    return tuple(said)


def _level(found: Groups) -> float:
    return next(each.level for each in found.by_group.values())


def _digits(pooled: Pooled, outcome: Outcome) -> int:
    """Decimals of the outcome, one more where the whole interval is below 1."""
    largest = max(abs(pooled.low), abs(pooled.high))
    return outcome.digits + 1 if largest < 1 else outcome.digits


def _with_unit(text: str, outcome: Outcome) -> str:
    unit = outcome.change_unit
    if text.strip(f"+{MINUS}") in {"1", "1.0"}:
        unit = ONE_OF.get(unit, unit)
    return f"{text}{NO_BREAK}{unit}" if unit else text


# ------------------------------------------------------------------ the figure of people


def axis(outcome: Outcome) -> str:
    """Name the axis of changes: Change of pain, points."""
    unit = f", {outcome.change_unit}" if outcome.change_unit else ""
    return f"Change of {name_in_sentence(outcome)}{unit}"


def sides(outcome: Outcome) -> tuple[str, str]:
    """Say which way is better, at the left and the right end of the axis; nothing where neither is."""
    if not outcome.sign:
        return "", ""
    return ("← better", "worse →") if outcome.sign < 0 else ("← worse", "better →")


def important_line(outcome: Outcome) -> str:
    """Name the line at the important change."""
    return f"important change ({signed_short(outcome.sign * (outcome.important_change or 0))})"


def numbers(value: float, low: float, high: float, outcome: Outcome) -> str:
    """Print a change with its interval: −1.4 (−1.8 to −1.0)."""
    first, *ends = (signed(each, outcome.digits) for each in (value, low, high))
    return f"{first} ({' to '.join(ends)})"


def prediction(pooled: Pooled, outcome: Outcome) -> str:
    """Print the interval of the next person: −3.4 to +0.6."""
    return " to ".join(signed(each, outcome.digits) for each in (pooled.prediction_low, pooled.prediction_high))


def average_row(pooled: Pooled) -> str:
    """Name the row of the average."""
    return f"{AVERAGE} of {number(pooled.people, 0)}"


def next_row(pooled: Pooled) -> str:
    """Name the row of the next person."""
    return f"{NEXT}, {percent(pooled.level)}"


def forest_alt(pooled: Pooled, outcome: Outcome) -> str:
    """Say what the figure of people shows."""
    if not pooled.ok:
        return NOTHING_TO_DRAW.format(reason=pooled.reason)
    rows = pooled.by_person
    rows, digits = rows[rows["reason"] == ""], outcome.digits
    low, high = (
        [signed(each, digits) for each in (column.min(), column.max())] for column in (rows["value"], rows["shrunken"])
    )
    marked = NO_CHANGE
    beyond = ""
    if outcome.sign and (outcome.important_change or 0) > 0:
        goal = outcome.sign * float(outcome.important_change or 0)
        marked += f" and the {important_line(outcome)}"
        own = int((outcome.sign * rows["value"] >= abs(goal)).sum())
        drawn = int((outcome.sign * rows["shrunken"] >= abs(goal)).sum())
        beyond = (
            f" The important change is reached in {own} people's own diaries, drawn towards the average in {drawn}."
        )
    left = sides(outcome)[0].strip("← ")
    which = f" {left.capitalize()} is to the left." if left else ""
    return (
        f"{axis(outcome)}, of {number(pooled.people, 0)} people, a row each: own diaries from {low[0]} to {low[1]}, drawn towards "
        f"the average from {high[0]} to {high[1]}.{beyond} Average {numbers(pooled.mean, pooled.low, pooled.high, outcome)}; next person "
        f"{prediction(pooled, outcome)}.{which} Marked {'is' if marked == NO_CHANGE else 'are'} {marked}."
    )
