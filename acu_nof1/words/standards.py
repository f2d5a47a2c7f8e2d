"""Items of CENT 2015, SCRIBE 2016 and STRICTA 2010, in our words, each answered from the trial or said to be open."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from acu_nof1.words import methods
from acu_nof1.words.change import name_in_sentence
from acu_nof1.words.course import done_in_words
from acu_nof1.words.numbers import date, listing, number
from acu_nof1.words.page import agreed_things, unit_axis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from acu_nof1.course import Course, Done
    from acu_nof1.estimate import Estimate
    from acu_nof1.protocol import Protocol
    from acu_nof1.safety import Safety
    from acu_nof1.trial import Comparisons

HEADING = "Reporting standards"
COLUMNS = ("Item", "Asks for", "Here")
AUTHOR, NOT_RECORDED = "for the author", "not recorded"
NOTE = (
    "Our short words for each item; the checklists themselves are in CENT 2015 (BMJ 350:h1738), SCRIBE 2016 (J Sch Psychol "
    "56:133) and STRICTA 2010 (PLoS Med 7:e1000261)."
)


@dataclass(frozen=True, eq=False)
class Record:
    """What of a trial the items ask for."""

    protocol: Protocol
    safety: Safety
    course: Course
    comparisons: Comparisons
    primary: Estimate | None
    choices: int

    @property
    def not_applicable(self) -> str:
        """The answer where the design has nothing to tell: "" for an N-of-1 trial."""
        return "" if self.protocol.is_n_of_1_trial else f"not applicable: {self.protocol.design} design"


class Item(NamedTuple):
    """One item: its number, what it asks for, and the answer."""

    number: str
    asks: str
    answer: Callable[[Record], str]


def _author(_: Record) -> str:
    return AUTHOR


def _not_recorded(_: Record) -> str:
    return NOT_RECORDED


def _in_trials(record: Record) -> str:
    """Details of randomisation: they have no meaning without an order that could be drawn."""
    return record.not_applicable or NOT_RECORDED


def _goal(record: Record) -> str:
    return f"goal in the person’s own words: “{record.protocol.goal}”" if record.protocol.goal else NOT_RECORDED


def _design(record: Record) -> str:
    run_in = record.protocol.run_in_days
    said = methods.design(record.protocol)
    return f"{said} Run-in: {run_in} days left out." if run_in else said


def _condition(record: Record) -> str:
    events = len(record.protocol.events)
    said = [record.protocol.condition] if record.protocol.condition else []
    if events:
        said.append(
            f"{events} other {'treatment or event' if events == 1 else 'treatments or events'} by date, listed above"
        )
    return "; ".join(said) or NOT_RECORDED


def _intervention(record: Record) -> str:
    return "STRICTA items below" if record.protocol.sessions else NOT_RECORDED


def _outcomes(record: Record) -> str:
    kept = methods.KEPT
    return "; ".join(f"{unit_axis(each)} ({kept[each.every]})" for each in record.protocol.outcomes)


def _fixed(record: Record) -> str:
    agreed = record.protocol.agreed_on
    if agreed is None:
        return "nothing was agreed before treatment"
    return f"{agreed_things(record.protocol)} agreed on {date(agreed)}, {'before treatment' if record.protocol.was_agreed else 'after treatment had begun'}"


def _looks(record: Record) -> str:
    return f"{methods.looks(record.protocol)} A rule for stopping early is not recorded."


def _order(record: Record) -> str:
    said = methods.randomised(record.protocol)
    if record.not_applicable:
        return (
            f"order {record.not_applicable}. {said}" if record.protocol.start_was_randomised else record.not_applicable
        )
    return said


def _randomisation(record: Record) -> str:
    return methods.randomised(record.protocol)


def _analysis(_: Record) -> str:
    return f"the paragraph “{methods.HEADING}”"


def _one_person(_: Record) -> str:
    return "not applicable: one person"


def _dependence(record: Record) -> str:
    """Carry-over, changes by period, correlation within the person."""
    primary = record.primary
    days = "correlation from day to day averaged over in every interval"
    if primary is not None and primary.ok and primary.lag1 == primary.lag1:
        days += f" (neighbouring days {number(primary.lag1, 2)}, {number(primary.lag1_low, 2)} to {number(primary.lag1_high, 2)})"
    if len(record.protocol.design) <= 2:
        return f"{days}. Carry-over and changes by period: {record.not_applicable}; a change of its own over time cannot be told apart"
    return f"{days}; each phase but the first has a slope of its own. Carry-over is not modelled"


def _answered(record: Record) -> str:
    series = record.comparisons
    rows = [row for row in range(len(series)) if series.primary[row] and series.outcomes[row].every == "day"]
    if not rows:
        return NOT_RECORDED
    row = rows[0]
    sides = (
        ("without treatment", series.baseline[row]),
        ("during treatment", series.treated[row] & (series.phase[row] >= 0)),
    )
    said = listing(
        f"{int((days & series.answered[row]).sum())} of {int(days.sum())} days {name}" for name, days in sides
    )
    return f"{name_in_sentence(series.outcomes[row])}: {said} answered"


def _completed(record: Record) -> str:
    return f"up to this look {listing(methods.phase(each) for each in record.protocol.phases)}; {_answered(record)}"


def _dates(record: Record) -> str:
    phases = record.protocol.phases
    return f"{date(phases[0].start)} to {date(phases[-1].end)}"


def _baseline(_: Record) -> str:
    return "levels before treatment: “Raw means, without a model”; age, sex and history are not kept"


def _results(_: Record) -> str:
    return "figure of every day; “All outcomes” and “All answers”, each with its interval"


def _binary(record: Record) -> str:
    if any(each.kind == "yes_no" for each in record.comparisons.outcomes):
        return "days per 28 as a difference, and the ratio of shares"
    return "not applicable: no yes/no outcome"


def _further(record: Record) -> str:
    said = "missing days, return to the usual level, lines through the days, fit of the noise"
    ways = "one other way" if record.choices == 1 else f"{record.choices} other ways"
    return f"the primary question in {ways}; {said}" if record.choices else said


def harms(record: Record) -> str:
    """Say how many adverse events there were, and how often they were asked for: none reported is not none asked."""
    safety = record.safety
    if not safety.sessions_attended:
        return "no attended session is recorded"
    events, serious = len(safety.adverse_events), len(safety.serious_events)
    counted = "none reported" if not events else f"{events} reported, {serious or 'none'} serious"
    asked = (
        "not asked for"
        if safety.asked == "never"
        else f"asked for at {safety.sessions_asked} of {safety.sessions_attended} sessions"
    )
    flags = "; red flags asked for" if safety.flags_asked else "; red flags not asked for"
    return f"adverse events: {counted}, {asked}{flags}"


def _limits(_: Record) -> str:
    return "“What this cannot tell”, computed limits first"


def _sequence(record: Record) -> str:
    return f"{_completed(record)}; {_fixed(record)}"


CENT: tuple[Item, ...] = (
    Item("1a", "name of the design in the title", _author),
    Item("1b", "structured summary", _author),
    Item("2a", "background, and why one person", _author),
    Item("2b", "aims", _goal),
    Item("3a", "design, number and length of periods, run-in, wash-out", _design),
    Item("3b", "changes of method after the start", _not_recorded),
    Item("4a", "condition, other illness and treatment", _condition),
    Item("4b", "setting", _not_recorded),
    Item("4c", "research or care; ethics approval", _author),
    Item("5", "what was done in each period", _intervention),
    Item("6a", "outcomes, how and when taken", _outcomes),
    Item("6b", "changes of outcomes after the start", _fixed),
    Item("7a", "how the length was chosen", _not_recorded),
    Item("7b", "interim looks, rules for stopping", _looks),
    Item("8a", "random order of periods", _order),
    Item("8b", "kind of randomisation, restrictions", _in_trials),
    Item("9", "concealment of the order", _in_trials),
    Item("10", "who drew and who assigned", _in_trials),
    Item("11a", "who was blind", _not_recorded),
    Item("11b", "how alike the compared treatments were", _in_trials),
    Item("12a", "how conditions were compared", _analysis),
    Item("12b", "pooling over people", _one_person),
    Item("12c", "carry-over, changes by period, correlation within the person", _dependence),
    Item("13a", "periods completed", _completed),
    Item("14a", "dates", _dates),
    Item("14b", "why it ended or was stopped", _not_recorded),
    Item("15", "the person at baseline", _baseline),
    Item("16", "how much was analysed for each condition", _answered),
    Item("17a", "results for each period, size with precision, figure of all data", _results),
    Item("17b", "absolute and relative sizes for yes/no outcomes", _binary),
    Item("18", "further analyses", _further),
    Item("19", "harms", harms),
    Item("20", "limits", _limits),
    Item("21", "whom else it may hold for", _author),
    Item("22", "interpretation", _author),
    Item("23", "registration", _author),
    Item("24", "where the protocol is", _author),
    Item("25", "funding", _author),
)

SCRIBE: tuple[Item, ...] = (
    Item("1", "title", _author),
    Item("2", "abstract", _author),
    Item("3", "scientific background", _author),
    Item("4", "aims", _goal),
    Item("5", "design, phases and their sequence", _design),
    Item("6", "changes of procedure", _not_recorded),
    Item("7", "planned replication", lambda record: record.not_applicable or _design(record)),
    Item("8", "what was randomised, and how", _randomisation),
    Item("9", "who was blind", _not_recorded),
    Item("10", "how the person was chosen", _not_recorded),
    Item("11", "the person", lambda record: record.protocol.condition or NOT_RECORDED),
    Item("12", "setting", _not_recorded),
    Item("13", "ethics approval and consent", _author),
    Item("14", "outcomes, how and when taken, by whom", _outcomes),
    Item("15", "equipment", _not_recorded),
    Item("16", "what was done in each phase", _intervention),
    Item("17", "whether it was done as planned", lambda record: _sessions(record)),
    Item("18", "analyses", _analysis),
    Item("19", "phases as completed", _sequence),
    Item("20", "results with the data of each phase", _results),
    Item("21", "adverse events", harms),
    Item("22", "interpretation", _author),
    Item("23", "limits", _limits),
    Item("24", "whom else it may hold for", _author),
    Item("25", "where the protocol is", _author),
    Item("26", "funding", _author),
)

# ------------------------------------------------------------------ needling, from the columns of the session log


def _part(record: Record, part: str) -> Done:
    return next(done for done in record.course.done if done.part == part)


def _kept(part: str) -> Callable[[Record], str]:
    def said(record: Record) -> str:
        done, sessions = _part(record, part), len(record.course.attended)
        if not done.told:
            return NOT_RECORDED
        return done_in_words(done) + (f" ({done.told} of {sessions} sessions)" if done.told < sessions else "")

    return said


def _points(record: Record) -> str:
    said, sides = _kept("points")(record), _part(record, "laterality")
    if said == NOT_RECORDED:
        return said
    return f"{said}; {done_in_words(sides) if sides.told else 'sides not recorded'}"


def _varied(record: Record) -> str:
    choices, told = record.course.choices, _part(record, "points").told
    if not told:
        return NOT_RECORDED
    same = "the same points at every session"
    return same if choices == 1 else f"{choices} different choices of points in {told} sessions"


def _sessions(record: Record) -> str:
    attended, planned = len(record.course.attended), record.course.planned
    if not attended:
        return NOT_RECORDED
    return (
        f"{attended} of {planned} planned sessions attended"
        if planned
        else f"{attended} attended; the plan is not recorded"
    )


def _frequency(record: Record) -> str:
    days, gaps = record.course.attended, record.course.gaps
    if not days:
        return NOT_RECORDED
    said = f"{date(days[0])} to {date(days[-1])}" if len(days) > 1 else f"{date(days[0])}, the only one"
    said += f", {median(gaps):g} days apart (median)" if gaps else ""
    return f"{said}; how long a session lasted is not recorded"


def _practitioner(record: Record) -> str:
    people = record.course.practitioners
    if not people:
        return NOT_RECORDED
    return f"{people} {'practitioner' if people == 1 else 'practitioners'} in the session log; training is not recorded"


def _comparator(record: Record) -> str:
    return f"not applicable: {record.protocol.design} design, days without treatment and no sham"


STRICTA: tuple[Item, ...] = (
    Item("1a", "style of acupuncture", _kept("style")),
    Item("1b", "why this treatment", _author),
    Item("1c", "how far treatment was varied", _varied),
    Item("2a", "needles a session", _kept("needles_n")),
    Item("2b", "points, on which sides", _points),
    Item("2c", "depth", _kept("depth_mm")),
    Item("2d", "response sought", _kept("response")),
    Item("2e", "stimulation", _kept("stimulation")),
    Item("2f", "how long needles stayed", _kept("retention_min")),
    Item("2g", "kind of needle", _kept("needle_size")),
    Item("3a", "number of sessions", _sessions),
    Item("3b", "how often, how long", _frequency),
    Item("4a", "other parts of the treatment", _kept("other_components")),
    Item("4b", "setting, what was explained", _not_recorded),
    Item("5", "practitioner", _practitioner),
    Item("6a", "why this comparator", _comparator),
    Item("6b", "the comparator", _comparator),
)

STANDARDS: tuple[tuple[str, tuple[Item, ...]], ...] = (
    ("CENT 2015: N-of-1 trials", CENT),
    ("SCRIBE 2016: single-case designs", SCRIBE),
    ("STRICTA 2010: acupuncture", STRICTA),
)


def table(items: Iterable[Item], record: Record) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """Answer the items: rows, and below them those that nobody recorded or that are about the paper."""
    told = [(each, each.answer(record)) for each in items]
    rows = tuple((each.number, each.asks, said) for each, said in told if said not in (AUTHOR, NOT_RECORDED))
    left = [
        f"{start}: {'; '.join(f'{each.number} {each.asks}' for each, said in told if said == which)}."
        for start, which in (("Not recorded", NOT_RECORDED), ("For the author of a paper", AUTHOR))
        if any(said == which for _, said in told)
    ]
    return rows, " ".join(left)
