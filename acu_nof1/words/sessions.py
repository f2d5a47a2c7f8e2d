"""The words of sessions and the course of the change: around a session, build-up and fading, outcomes in turn, dose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from acu_nof1.sessions.afterwards import FADED_IN_A_YEAR, WEEKS
from acu_nof1.sessions.fading import LATER
from acu_nof1.words.change import name_in_sentence
from acu_nof1.words.numbers import NO_BREAK, listing, number, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from acu_nof1.outcomes import Outcome
    from acu_nof1.sessions import Around, Dose, Explored, FollowUp, Kinetics, Link, Range
    from acu_nof1.sessions.afterwards import Later

HEADING = "Sessions and the course of the change"
PREFACE = "This part explores: it shows what goes along with what in these days, never why."
AROUND_FIGURE, COURSE_FIGURE, LINKS_FIGURE = (
    "Figure of the days around a session", "Figure of build-up and fading", "Figure of outcomes that move together",
)  # fmt: skip
AROUND_CAPTION = "Around a session: three days before to six days after"
AROUND_COLUMNS = ("Outcome", "Sessions", "Day of the session", "Day after", "Three days after", "Reads as")
AROUND_SHOWN = (0, 1, 3)
AROUND_NOTE = (
    "Level of these days less the mean of the days before a session, the overall course of treatment taken out. The 95 % band "
    "holds all days from −3 to 6 together. Whatever comes along with sessions (weekday, rest, travel) looks the same."
)
COURSE_CAPTION = "If the change follows the sessions: how it builds up and fades"
COURSE_COLUMNS = (
    "Outcome", "Change at reassessment", "A session adds", "Fades to half in", "Half reached after", "Left 4 weeks later",
)  # fmt: skip
COURSE_NOTE = (
    "An assumption, not a finding: each session adds a share of what is missing to the full effect, which fades by a half-life "
    "between sessions and after the last. In brackets 95 % intervals; “or more”, “or less” where the days tell one end only; "
    "“cannot be told” where they leave more than half of the range that was looked at, or the change has no clear direction. Left 4 weeks later: share of what "
    "was there on the day of the last session."
)
LINKS_CAPTION = "Outcomes in turn, within each phase"
LINKS_COLUMNS = ("First", "Then", "Change of the second (95 % interval)", "Five days earlier (check)", "Reads as")
LINKS_NOTE = (
    "What goes along with one SD more of the first, days around level and slope of each phase. Each pair stands both ways round. "
    "A link is called so only if the check holds 0 and, of all that are called so, at most 5 % would be chance. Stress, "
    "weather or a bad week that drives both looks the same. Yes/no days, and what is not asked daily, are not taken two by two."
)
LATER_CAPTION = "After the last session"
LATER_COLUMNS = ("Outcome", "End of the course", *(f"{weeks} weeks later" for weeks in WEEKS))
LATER_NOTE = (
    "Change from baseline of the two weeks up to the last session, and of two weeks around each later point; beside it the share "
    "of the change that is left. For reference: in pooled trials of acupuncture for chronic pain the effect was about "
    f"{100 * FADED_IN_A_YEAR:.0f} % smaller a year after treatment (Vickers 2018)."
)
CHECK_FAILS = "not called a link: the check fails"
NO_CHECK = "not called a link: no check could be made"
CANNOT_BE_TOLD = "cannot be told"
NO_DIRECTION = "–"
PARTS_OF_DOSE: Mapping[str, str] = {
    "sessions": "one session more",
    "retention_min": "one minute more with the needles in",
    "electrical": "all sessions with electrical stimulation instead of none",
}
DOSE_CAVEAT = (
    "People were not drawn into their dose by lot: who gains early may stop early, who gains nothing may go on. This does not say what "
    "another session would do."
)


# ------------------------------------------------------------------ around a session


def around_row(one: Around) -> tuple[str, ...]:
    """One line of the table: what three of the days differ by, and whether any of the ten does."""
    cells = ["–" if one.reason else _at(one, offset) for offset in AROUND_SHOWN]
    return one.outcome.label, str(one.sessions), *cells, one.reason or _stands_out(one)


def _at(one: Around, offset: int) -> str:
    place = one.offsets.index(offset)
    return _numbers(one.value[place], one.low[place], one.high[place], one.outcome)


def _numbers(value: float, low: float, high: float, outcome: Outcome) -> str:
    if not math.isfinite(value):
        return "too few days"
    digits = outcome.digits + 1
    return f"{signed(value, digits)} ({signed(low, digits)} to {signed(high, digits)})"


def _stands_out(one: Around) -> str:
    higher, lower = (
        [offset for offset, far in zip(one.offsets, some, strict=True) if far] for some in (one.low > 0, one.high < 0)
    )
    said = [f"{word} {_days(days)}" for word, days in (("higher", higher), ("lower", lower)) if days]
    return listing(said) if said else "no day differs clearly"


def _days(offsets: Sequence[int]) -> str:
    before = [-each for each in offsets if each < 0]
    after = [each for each in offsets if each > 0]
    said = [f"{listing(map(str, sorted(before)))} {_plural(before)} before"] if before else []
    said += ["on the day"] if 0 in offsets else []
    said += [f"{listing(map(str, after))} {_plural(after)} after"] if after else []
    return listing(said)


def _plural(days: Sequence[int]) -> str:
    return "day" if list(days) == [1] else "days"


def around_sentences(found: Sequence[Around]) -> Iterator[str]:
    """Say which outcomes stand out around a session, and of which no day does; those that cannot be told by their reason."""
    for one in (one for one in found if one.told):
        yield f"Against the days before a session, {name_in_sentence(one.outcome)} was {_stands_out(one)}."
    level = [one for one in found if not one.told and not one.reason]
    for span in dict.fromkeys(map(_span, level)):
        names = [name_in_sentence(one.outcome) for one in level if _span(one) == span]
        yield f"{span} no day stands out in {_or(names)}."
    yield from _refused("Around a session, ", found)


def _refused(what: str, found: Sequence[Around] | Sequence[Kinetics]) -> Iterator[str]:
    """Say of which outcomes it is not estimable, once for each reason."""
    for reason in dict.fromkeys(one.reason for one in found if one.reason):
        whose = listing(name_in_sentence(one.outcome) for one in found if one.reason == reason)
        yield f"{what}{whose}: not estimable ({reason})."


def _span(one: Around) -> str:
    """The days that were compared: weekly sessions leave none beyond three days after one, few answers leave some out between."""
    shown = [offset for offset, value in zip(one.offsets, one.value, strict=True) if math.isfinite(value)]
    if len(shown) <= max(shown) - min(shown):
        return f"Around a session, where days had enough answers ({_days(shown)}),"
    return f"From {_place(min(shown), 'a session')} to {_place(max(shown), 'it')}"


def _place(offset: int, session: str) -> str:
    if not offset:
        return f"the day of {session}"
    return f"{abs(offset)} {_plural([abs(offset)])} {'before' if offset < 0 else 'after'} {session}"


def _or(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


# ------------------------------------------------------------------ build-up and fading


def course_row(one: Kinetics) -> tuple[str, ...]:
    """One line of the table; what the days cannot tell says so, with what fits."""
    if one.status != "ok":
        return one.outcome.label, "not estimable", one.reason, *[NO_DIRECTION] * 3
    change = _numbers(one.state.value, one.state.low, one.state.high, one.outcome)
    if not one.state.clear:
        return one.outcome.label, change, *[CANNOT_BE_TOLD] * 4
    shown = one.shown
    return (
        one.outcome.label,
        change,
        _told(shown["build_up"], one.build_up, 100, f"{NO_BREAK}%"),
        _told(shown["half_life"], one.half_life, 1, " days"),
        _told(shown["time_to_half"], one.time_to_half, 1, " days"),
        _told(shown["persistence"], one.persistence, 100, f"{NO_BREAK}%"),
    )


def _told(shown: Range, fits: Range, times: float, unit: str) -> str:
    """35 days (12 to 60); 12 days or more; cannot be told (3 to 66 % fit)."""
    value, low, high = (number(times * x, 0) for x in (shown.value, shown.low, shown.high))
    if math.isfinite(shown.value):
        return f"{value}{unit} ({low} to {high})"
    if math.isfinite(shown.low):
        return f"{low}{unit} or more"
    if math.isfinite(shown.high):
        return f"{high}{unit} or less"
    return f"{CANNOT_BE_TOLD} ({number(times * fits.low, 0)} to {number(times * fits.high, 0)}{unit} fit)"


def course_sentences(found: Sequence[Kinetics]) -> Iterator[str]:
    """Say of each outcome that was asked how its change would have built up and faded; those that cannot be told by their reason."""
    asked = [one for one in found if one.asked]
    yield from (_course(one) for one in asked if not one.reason)
    yield from _refused("Build-up and fading of the change of ", asked)


def _course(one: Kinetics) -> str:
    name = name_in_sentence(one.outcome)
    if not one.state.clear:
        return f"How a change of {name} would build up and fade cannot be told: it has no clear direction."
    half, shown = one.time_to_half, one.shown
    after = f"{_about(half, 'day', 'days')} after the first" if round(half.value) else _on_first_day(half)
    said = f"If the change of {name} follows the sessions, half of it was there {after}"
    if CANNOT_BE_TOLD in (fades := _told(shown["half_life"], one.half_life, 1, " days")):
        return (
            f"{said}. How fast it fades cannot be told apart: half-lives from {number(one.half_life.low, 0)} to "
            f"{number(one.half_life.high, 0)} days fit these days about as well."
        )
    left = _told(shown["persistence"], one.persistence, 100, f"{NO_BREAK}%")
    return f"{said}, and it fades to half in {fades}; left of it {LATER // 7} weeks after the last session: {left}."


def _on_first_day(half: Range) -> str:
    return f"on the day of the first ({number(half.low, 0)} to {number(half.high, 0)} days later)"


def _about(each: Range, one: str, many: str) -> str:
    value = number(each.value, 0)
    return f"{value} {one if value == '1' else many} ({number(each.low, 0)} to {number(each.high, 0)})"


# ------------------------------------------------------------------ outcomes in turn


def link_row(one: Link) -> tuple[str, ...]:
    """One line of the table."""
    then = f"{one.then.label}, {when(one)}"
    if one.reason:
        return one.first.label, then, "not estimable", "–", one.reason
    return one.first.label, then, _effect(one.effect, one.then), _effect(one.placebo, one.then), link_reads(one)


def _effect(each: Range, outcome: Outcome) -> str:
    return _numbers(each.value, each.low, each.high, outcome) if math.isfinite(each.value) else "–"


def when(one: Link) -> str:
    """When the second comes: the day after, the night after."""
    if one.lag == 0:
        return "the day after"
    return "the night after" if one.then.domain == "sleep" and one.first.domain != "sleep" else _next(one)


def _next(one: Link) -> str:
    return "the next night" if one.then.domain == "sleep" else "the next day"


def link_reads(one: Link) -> str:
    """What a link reads as."""
    if not one.effect.clear:
        return "cannot be told from none"
    if one.holds:
        return f"more of the first, {'more' if one.effect.value > 0 else 'less'} of the second"
    if one.placebo.holds_zero:
        return "clear by itself, not among all pairs"
    return CHECK_FAILS if one.placebo.clear else NO_CHECK


def link_sentences(links: Sequence[Link]) -> Iterator[str]:
    """Say each link that holds; that there is none; how many could not be asked."""
    asked = [each for each in links if not each.reason]
    for each in (each for each in asked if each.holds):
        more = "more" if each.effect.value > 0 else "less"
        low, high = _away(each.effect)
        digits = each.then.digits + 1
        size = f"{_with_unit(number(abs(each.effect.value), digits), each.then)} ({number(low, digits)} to {number(high, digits)})"
        sd = _with_unit(number(each.sd, each.first.digits + 1), each.first)
        first, then = name_in_sentence(each.first), name_in_sentence(each.then)
        yield f"More {first} came before {more} {then} {when(each)}: {size} for each SD ({sd})."
    if asked and not any(each.holds for each in asked):
        yield f"Of {_counted(len(asked), 'pair')} of outcomes, one before the other, none goes together more clearly than chance may do."


def _with_unit(text: str, outcome: Outcome) -> str:
    return f"{text}{NO_BREAK}{outcome.change_unit}" if outcome.change_unit else text


def links_note(shown: int, of: int) -> str:
    """The note of the table, and how many links it leaves out."""
    return (
        LINKS_NOTE if shown == of else f"{LINKS_NOTE} The first {shown} of {of} are shown; acu-nof1 sessions gives all."
    )


def _away(each: Range) -> tuple[float, float]:
    return (each.low, each.high) if each.value > 0 else (-each.high, -each.low)


def _counted(count: int, what: str) -> str:
    return f"{number(count, 0)} {what}{'' if count == 1 else 's'}"


# ------------------------------------------------------------------ after the last session


def later_row(one: FollowUp) -> tuple[str, ...]:
    """One line of the table."""
    if one.reason:
        return one.outcome.label, f"not estimable: {one.reason}", *["–"] * len(one.later)
    end = _numbers(one.end.value, one.end.low, one.end.high, one.outcome)
    return one.outcome.label, end, *(_later(each, one.outcome) for each in one.later)


def _later(each: Later, outcome: Outcome) -> str:
    if each.reason:
        return "no answered day" if not each.days else each.reason
    change = _numbers(each.change.value, each.change.low, each.change.high, outcome)
    return change if not math.isfinite(each.share.value) else f"{change}; {_left(each.share)} left"


def _left(share: Range) -> str:
    """The share that is left; an interval without an end says so."""
    ends = " to ".join(number(100 * end, 0) if math.isfinite(end) else "no end" for end in (share.low, share.high))
    return f"{number(100 * share.value, 0)}{NO_BREAK}% ({ends})"


def later_sentence(one: FollowUp) -> str:
    """Say of one outcome what is left at the last point that can be told; ``""`` where there is none."""
    known = [each for each in one.later if not each.reason]
    if one.reason or not known:
        return ""
    last, name = known[-1], name_in_sentence(one.outcome)
    if not math.isfinite(last.share.value):
        return (
            f"What is left of the change of {name} cannot be told: at the end of the course it had no clear direction."
        )
    if last.share.value <= 0:
        return (
            f"{last.weeks} weeks after the last session nothing of the change of {name} was left: {_left(last.share)}."
        )
    return f"{last.weeks} weeks after the last session {_left(last.share)} of the change of {name} was left."


# ------------------------------------------------------------------ all together


def sentences(found: Explored) -> tuple[str, ...]:
    """Everything in sentences, outcome by outcome."""
    said = [
        *around_sentences(found.around),
        *course_sentences(found.kinetics),
        *link_sentences(found.links),
        *map(later_sentence, found.later),
    ]
    return tuple(filter(None, said))


# ------------------------------------------------------------------ figures


def around_alt(found: Sequence[Around]) -> str:
    """The figure in words."""
    return (
        "Level of each outcome from three days before to six days after a session, with 95 % bands. "
        f"{' '.join(around_sentences(found))}"
    )


def course_alt(one: Kinetics) -> str:
    """The figure in words."""
    half = f"half-life {number(one.half_life.low, 0)} to {number(one.half_life.high, 0)} days"
    build = f"build-up {number(100 * one.build_up.low, 0)} to {number(100 * one.build_up.high, 0)} % a session"
    lowest, highest = (signed(each, one.outcome.digits + 1) for each in (np.min(one.effect), np.max(one.effect)))
    return (
        f"Left: which build-up and half-life fit the days of {name_in_sentence(one.outcome)} ({build}, {half}). Right: the effect "
        f"on the days of treatment, from {lowest} to {highest}, with its 95 % band. {_course(one)}"
    )


def links_alt(links: Sequence[Link]) -> str:
    """The figure in words."""
    return f"Arrows between outcomes that move together. {' '.join(link_sentences(links))}"


# ------------------------------------------------------------------ dose


def dose_sentences(found: Sequence[Dose], outcome: Outcome) -> tuple[str, ...]:
    """Say how the change goes with each part of the dose, and what that is not."""
    if not found:
        return ()
    return (*(_dose(each, outcome) for each in found), DOSE_CAVEAT)


def _dose(each: Dose, outcome: Outcome) -> str:
    name, part = name_in_sentence(outcome), PARTS_OF_DOSE[each.part]
    if each.reason:
        return f"Change of {name} and {part}: not estimable ({each.reason})."
    digits = outcome.digits + 2
    ends = f"{signed(each.effect.low, digits)} to {signed(each.effect.high, digits)}"
    said = "goes along with" if each.effect.clear else "cannot be told to go along with"
    return (
        f"Over {number(each.people, 0)} people {part} {said} a different change of {name}: "
        f"{_with_unit(signed(each.effect.value, digits), outcome)} ({ends})."
    )
