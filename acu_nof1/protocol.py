"""The plan a diary is read against: phases, sessions, outcomes, what counts as success, when to look."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from acu_nof1.errors import Problem, did_you_mean
from acu_nof1.outcomes import LEVELS, Derived, Outcome
from acu_nof1.privacy import is_code, masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PhaseKind = Literal["baseline", "treatment", "washout", "follow_up"]
LETTERS: dict[PhaseKind, str] = {"baseline": "A", "treatment": "B"}
HEADACHE_WINDOW, WINDOW = 28, 14
Reducer = Literal["mean", "worst", "best", "first", "last"]
EventKind = Literal["co_intervention", "medication", "disturbance"]
MedicationChange = Literal["started", "stopped", "more", "less", "changed"]
LATE_CANCEL = "late cancel"
# What somebody wrote: no address and no phone number in it goes further than this.
Text = Annotated[str, AfterValidator(masked)]


class Noun(BaseModel):
    """A frozen part of the protocol; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Phase(Noun):
    """Days under one condition, both ends included.

    `randomised_from` and `randomised_to` say that the start was drawn from that range of days, which
    earns stronger words.
    """

    kind: PhaseKind
    start: dt.date
    end: dt.date
    randomised_from: dt.date | None = None
    randomised_to: dt.date | None = None

    @property
    def days(self) -> int:
        """Number of calendar days."""
        return (self.end - self.start).days + 1

    @property
    def randomised(self) -> bool:
        """Whether the start day was drawn at random."""
        return self.randomised_from is not None and self.randomised_to is not None


def _flags(value: Any) -> Any:
    """Accept ``"fever; trauma"`` (a cell of sessions.csv) as well as a list."""
    if value is None or value == "":
        return ()
    return tuple(part.strip() for part in value.split(";") if part.strip()) if isinstance(value, str) else value


class Session(Noun):
    """One acupuncture treatment (STRICTA). More columns are kept in `more`, as text.

    A session that was called off late (`late_cancel`) did not take place.
    """

    date: dt.date
    attended: bool = True
    late_cancel: bool = False
    adverse_asked: bool = False
    adverse_event: Text = ""
    serious: bool = False
    red_flag: Annotated[tuple[Text, ...], BeforeValidator(_flags)] = ()
    notes: Text = ""
    more: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _called_off(cls, given: Any) -> Any:
        """Read ``attended = "late cancel"``, as session logs write it."""
        if isinstance(given, dict):
            said = str(given.get("attended", "")).strip().lower() == LATE_CANCEL
            if said or given.get("late_cancel") is True:
                return {**given, "attended": False, "late_cancel": True}
        return given


class Profile(Noun):
    """What must be known before needling: ticked red flags, and cautions (``None``: not asked)."""

    red_flags: tuple[Text, ...] | None = None
    blood_thinner: bool | None = None
    low_immunity: bool | None = None
    pregnant: bool | None = None
    implanted_device: bool | None = None


class Event(Noun):
    """A dated co-intervention, change of regular medication, or disturbance: physiotherapy, new tablets, an injury.

    `change` says what happened to a medication, and belongs to no other kind.
    """

    date: dt.date
    what: Text
    kind: EventKind = "co_intervention"
    change: MedicationChange | None = None


class Look(Noun):
    """A planned reassessment: by date or after a number of attended sessions.

    `decides` marks the look that carries the verdict; without a mark it is the last one.
    """

    on: dt.date | None = None
    after_session: int | None = Field(default=None, ge=1)
    window_days: int | None = Field(default=None, ge=1)
    decides: bool = False


class Success(Noun):
    """What was agreed to count as success: all, or any, of these outcomes by their important change."""

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes the rule names."""
        return self.all or self.any

    @property
    def rule(self) -> str:
        """The rule as the JSON file prints it: ``all: pain, walking``."""
        return f"{'all' if self.all else 'any'}: {', '.join(self.outcomes)}"


class DiaryFile(Noun):
    """A diary file and how it is to be read. Only `file` is needed; nothing is guessed from values.

    Attributes
    ----------
    columns
        From the names ``date``, ``entered`` (when the entry was typed), an outcome's name, or
        ``into_bed``, ``tried_to_sleep``, ``minutes_to_sleep``, ``minutes_awake``, ``final_awakening``,
        ``out_of_bed`` (Consensus Sleep Diary), ``lasted`` (a log of attacks), to the column titles of the file. In a long table
        ``question`` and ``answer`` name the two columns, and outcomes name their question.
    layout
        Name of a layout; without it ``wide`` or, when ``question`` is mapped, ``long``.
    date_format, dayfirst
        How dates are written, when they are not ISO.
    decimal, delimiter, encoding, sheet
        How the table is written.
    missing, none
        More codes for "not answered"; words that mean zero.
    words
        Words that stand for numbers: ``{moderate = 5}``.
    units
        Unit of the file's values by outcome, when it is not the outcome's own.
    reducer
        What becomes of several different answers on one day.
    person
        Whose rows are read, where the file holds several people.
    dictionary
        The data dictionary of a REDCap export: a file beside it.
    device
        Whose sleep is read, where several watches, phones or apps recorded it; time in bed is taken from all.
    tracked
        First and last day on which events were written down: a day without an event is a day without one only
        between them.
    """

    file: str
    columns: dict[str, str] = Field(default_factory=dict)
    layout: str | None = None
    date_format: str | None = None
    dayfirst: bool | None = None
    decimal: Literal[".", ","] | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    missing: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    words: dict[str, float] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    reducer: Reducer = "mean"
    person: str | None = None
    dictionary: str | None = None
    device: str | None = None
    tracked: tuple[dt.date, dt.date] | None = None


class Draw(Noun):
    """How the order of a longer design was drawn at random; the start of an AB design is drawn on its phase.

    Attributes
    ----------
    design
        ``changes``: the days on which phases change; ``blocks``: pairs of periods, one of them with treatment; ``alternating``:
        periods in any order.
    start
        First day of what was drawn; baseline days before it are no part of it.
    least_days
        Least days of a phase (`changes`).
    period_days
        Days of a period (`blocks`, `alternating`).
    most_in_a_row
        The longest run of periods alike (`alternating`).
    seed
        Of the draw, as it was written down.
    """

    design: Literal["changes", "blocks", "alternating"]
    start: dt.date
    least_days: int = Field(default=1, ge=1)
    period_days: int = Field(default=1, ge=1)
    most_in_a_row: int = Field(default=2, ge=1)
    seed: int | None = None


class Protocol(Noun):
    """Phases, sessions, outcomes, success rule and planned looks of one person's trial.

    Attributes
    ----------
    person
        A code, never a name.
    agreed_on
        Day on which the outcomes and their important change were agreed.
    primary
        Name of the primary outcome.
    run_in_days
        Days after the start of treatment that are left out of every contrast.
    drawn
        How the order of the phases was drawn, in a design of more than two.
    show_notes
        Whether pages print the notes of the session log, and its columns that are not of STRICTA.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    person: str = ""
    condition: Text = ""
    goal: Text = ""
    agreed_on: dt.date | None = None
    planned_sessions: int | None = None
    run_in_days: int = Field(default=0, ge=0)
    show_notes: bool = False
    phases: tuple[Phase, ...] = ()
    drawn: Draw | None = None
    looks: tuple[Look, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    primary: str | None = None
    success: Success | None = None
    safety: Profile = Profile()
    sessions: tuple[Session, ...] = ()
    events: tuple[Event, ...] = ()
    diaries: tuple[DiaryFile, ...] = ()

    @property
    def code(self) -> str:
        """What is printed of `person`: nothing where it looks like a name, an e-mail address or a phone number."""
        return self.person if is_code(self.person) else ""

    @property
    def design(self) -> str:
        """Design letters in order of time: AB, ABA, ABAB; washout and follow-up have no letter."""
        return "".join(LETTERS.get(phase.kind, "") for phase in self.phases)

    @property
    def is_n_of_1_trial(self) -> bool:
        """Whether this is an N-of-1 trial (CENT 2015): each condition planned at least twice."""
        return self.design.count("AB") >= 2 or self.design.count("BA") >= 2

    @property
    def start_was_randomised(self) -> bool:
        """Whether chance decided when treatment was given: the first day of it, or the order of all phases."""
        first = self.first_treatment
        return self.drawn is not None or (first is not None and first.randomised)

    @property
    def first_treatment(self) -> Phase | None:
        """The first treatment phase."""
        return next((phase for phase in self.phases if phase.kind == "treatment"), None)

    @property
    def has_baseline(self) -> bool:
        """Whether any baseline phase comes before treatment."""
        return self.design.startswith("A")

    @property
    def was_agreed(self) -> bool:
        """Whether the outcomes were agreed on or before the first treatment day."""
        first = self.first_treatment
        return self.agreed_on is not None and first is not None and self.agreed_on <= first.start

    @property
    def attended(self) -> tuple[Session, ...]:
        """The sessions that took place, in order."""
        attended = (session for session in self.sessions if session.attended)
        return tuple(sorted(attended, key=lambda session: session.date))

    @property
    def primary_outcome(self) -> Outcome | None:
        """The primary outcome."""
        return next((outcome for outcome in self.outcomes if outcome.name == self.primary), None)

    def outcome(self, name: str) -> Outcome:
        """Return an outcome by name; ``KeyError`` if there is none."""
        for outcome in self.outcomes:
            if outcome.name == name:
                return outcome
        raise KeyError(name)

    def window_days(self, look: Look) -> int:
        """Length of the reassessment window: as declared, else 28 days for headache and 14 otherwise."""
        if look.window_days is not None:
            return look.window_days
        primary = self.primary_outcome
        return HEADACHE_WINDOW if primary is not None and primary.domain == "headache" else WINDOW

    @property
    def deciding_look(self) -> Look | None:
        """The look that carries the verdict: the one marked, else the last."""
        marked = [look for look in self.looks if look.decides]
        return marked[0] if marked else (self.looks[-1] if self.looks else None)


def contradictions(protocol: Protocol, name: str = "protocol") -> tuple[Problem, ...]:
    """What in this plan contradicts itself or makes every answer impossible?

    Parameters
    ----------
    protocol
        The plan.
    name
        What the plan is called in the complaints (its file name).

    Returns
    -------
    tuple of Problem
        Errors only; empty when the plan can be used.
    """
    return (
        *_phase_problems(protocol, name),
        *_outcome_problems(protocol, name),
        *_derived_problems(protocol, name),
        *_look_problems(protocol, name),
        *_event_problems(protocol, name),
    )


def _phase_problems(protocol: Protocol, name: str) -> Iterator[Problem]:
    place = f"{name} [[phase]]"
    if not protocol.phases:
        yield Problem("error", place, "there is no phase.", "Add a baseline and a treatment phase with start and end.")
    for number, phase in enumerate(protocol.phases, 1):
        if phase.end < phase.start:
            yield Problem(
                "error",
                f"{place} {number}",
                f"the {phase.kind} ends on {phase.end}, before it starts on {phase.start}.",
                "Correct one of the two dates.",
            )
        if (phase.randomised_from is None) != (phase.randomised_to is None):
            yield Problem(
                "error",
                f"{place} {number}",
                "only one of randomised_from and randomised_to is given.",
                "Give both or none.",
            )
        elif phase.randomised_from is not None and phase.randomised_to is not None:
            within = phase.randomised_from <= phase.start <= phase.randomised_to
            if phase.randomised_from >= phase.randomised_to or not within:
                yield Problem(
                    "error",
                    f"{place} {number}",
                    f"the start {phase.start} cannot have been drawn between {phase.randomised_from} and "
                    f"{phase.randomised_to}.",
                    "Give the first and the last day from which the start was drawn.",
                )
    for number, (first, second) in enumerate(pairwise(protocol.phases), 2):
        if second.start <= first.end:
            yield Problem(
                "error",
                f"{place} {number}",
                f"the {second.kind} starts on {second.start}, but the {first.kind} before it lasts until {first.end}.",
                "Phases must follow one another without overlap.",
            )
    if "BA" in protocol.design and protocol.design[0] == "B":
        yield Problem(
            "error",
            place,
            "treatment comes before the first baseline.",
            "List the phases in order of time; days after a course are washout or follow_up, not baseline.",
        )
    if protocol.phases and "B" not in protocol.design:
        yield Problem("error", place, "there is no treatment phase.", 'Add a phase with kind = "treatment".')


def _outcome_problems(protocol: Protocol, name: str) -> Iterator[Problem]:
    known = {outcome.name for outcome in protocol.outcomes}
    if not known:
        yield Problem(
            "error",
            f"{name} [outcome]",
            "no outcome is declared.",
            'Add for example [outcome.pain] with instrument = "nrs_pain".',
        )
    primary = protocol.primary_outcome
    if primary is not None and primary.is_global:
        yield Problem(
            "error",
            f"{name} [outcome.{primary.name}]",
            "a rating of the change as a whole has no level before treatment, so it cannot be primary.",
            "Choose an outcome that the diary asks before and after; this one is shown beside its answer.",
        )
    elif primary is not None and primary.better == "neither":
        yield Problem(
            "error",
            f"{name} [outcome.{primary.name}]",
            "for this outcome neither more nor less is better, so it cannot be primary.",
            "Choose another primary outcome, or declare better.",
        )
    if protocol.outcomes and all(outcome.derived is not None for outcome in protocol.outcomes):
        what = "every outcome is computed from another, so the diary has no question of its own."
        yield Problem("error", f"{name} [outcome]", what, "Declare the outcome that they are computed from.")
    for outcome in protocol.outcomes:
        percent_only = outcome.important_change_percent is not None and outcome.important_change is None
        compared_as_ratio = outcome.kind not in LEVELS and outcome.every == "day"
        if outcome.declared and percent_only and not compared_as_ratio:
            yield Problem(
                "error",
                f"{name} [outcome.{outcome.name}]",
                "its important change is given in percent only, and this outcome is compared by difference.",
                f"Declare important_change in {outcome.unit or 'its unit'}.",
            )
        if outcome.kind == "yes_no" and outcome.every != "day":
            yield Problem(
                "error",
                f"{name} [outcome.{outcome.name}]",
                f"a yes/no outcome kept every {outcome.every} has no share of days.",
                'Keep it daily, or declare it as a count or score with every = "week".',
            )
        span = outcome.span
        if span is not None and outcome.important_change is not None and outcome.important_change > span:
            yield Problem(
                "error",
                f"{name} [outcome.{outcome.name}]",
                f"the important change {outcome.important_change:g} is larger than "
                f"the whole scale ({span:g} {outcome.change_unit}).",
                "Declare it in the unit of the outcome.",
            )
        prior = outcome.effect_prior
        if span is not None and prior is not None and abs(prior.mean) > span:
            yield Problem(
                "error",
                f"{name} [outcome.{outcome.name}.effect_prior]",
                f"the expected change {prior.mean:g} is larger than the whole scale ({span:g} {outcome.change_unit}).",
                "Declare it as a change (after − before) in the unit of the outcome.",
            )
        yield from _label_problems(outcome, f"{name} [outcome.{outcome.name}]")
    if protocol.success is not None:
        yield from _success_problems(protocol, protocol.success, name)


def _label_problems(outcome: Outcome, place: str) -> Iterator[Problem]:
    if outcome.labels and not outcome.is_global:
        what = 'key "labels" belongs to a rating of the change as a whole.'
        yield Problem("error", place, what, 'Take it out, or declare instrument = "pgic".')
    elif outcome.labels and outcome.span is not None and len(outcome.labels) != outcome.span + 1:
        answers = f"{outcome.low:g} to {outcome.high:g}"
        what = f"{len(outcome.labels)} labels for {outcome.span + 1:g} answers ({answers})."
        yield Problem("error", place, what, f"Give one label for each, from {outcome.low:g} upwards.")


def _derived_problems(protocol: Protocol, name: str) -> Iterator[Problem]:
    known = {outcome.name: outcome for outcome in protocol.outcomes}
    for outcome in protocol.outcomes:
        if outcome.derived is None:
            continue
        of = known.get(outcome.derived.of)
        for problem, remedy in _cannot_derive(outcome, of, known):
            yield Problem("error", f"{name} [outcome.{outcome.name}]", problem, remedy)
    scored = {outcome.name for outcome in protocol.outcomes if outcome.items}
    computed = {outcome.name: outcome.derived for outcome in protocol.outcomes if outcome.derived is not None}
    for number, diary in enumerate(protocol.diaries, 1):
        for each in diary.columns.keys() & scored:
            what = f'columns names "{each}", which is scored from its items and read from no column.'
            yield Problem("error", f"{name} [[diary]] {number}", what, "Take it out of columns, or leave out items.")
        for each in diary.columns.keys() & computed.keys():
            what = f'columns names "{each}", which is computed from "{computed[each].of}" and read from no column.'
            yield Problem("error", f"{name} [[diary]] {number}", what, "Take it out of columns, or leave out derived.")


def _cannot_derive(outcome: Outcome, of: Outcome | None, known: Mapping[str, Outcome]) -> Iterator[tuple[str, str]]:
    """Say what stands against computing this outcome, and what to do about it."""
    derived = outcome.derived
    assert derived is not None
    if not derived.of:
        yield 'key "of" is missing: the outcome that it is computed from.', 'Write of = "pain".'
        return
    if of is None:
        yield f'of = "{derived.of}" is not an outcome of this protocol.', did_you_mean(derived.of, known)
        return
    if of.derived is not None or of.kind == "yes_no" or of.every != "day":
        what = "is itself computed" if of.derived is not None else "is answered by yes or no"
        what = what if of.every == "day" else f"is kept every {of.every}"
        yield f'of = "{of.name}" {what}.', "Name a rating, score or amount that the diary asks every day."
        return
    if derived.how == "flare_days":
        yield from _cannot_flare(derived, of)
    elif derived.level is None:
        yield f'key "level" is missing: {derived.how} needs one.', "Write level = 7."
    elif not _on_scale(derived.level, of):
        yield f"level = {derived.level:g} is outside the scale of {of.name} ({_ends(of)}).", "Choose a level on it."
    if derived.how != "flare_days":
        for key in ("rise", "floor"):
            if getattr(derived, key) is not None:
                yield f'key "{key}" belongs to flare_days, not to {derived.how}.', f"Take {key} out."
    if outcome.better != derived.better(of.better) and of.better != "neither":
        right = derived.better(of.better)
        yield (f'better = "{outcome.better}", but with {of.name} {of.better} these days are better when {right}.',
               f'Write better = "{right}", or leave it out.')  # fmt: skip


def _cannot_flare(derived: Derived, of: Outcome) -> Iterator[tuple[str, str]]:
    if of.better == "neither":
        yield f"for {of.name} neither more nor less is better, so it has no flares.", "Declare better for it."
    if derived.level is not None:
        yield (
            'key "level" belongs to days_at_or_above and days_at_or_below.',
            "Write floor: how bad a flare is at least.",
        )
    open_ended = of.low is None or of.high is None
    for key in ("rise", "floor"):
        if open_ended and getattr(derived, key) is None:
            yield (
                f'key "{key}" is missing: the scale of {of.name} has no end to take a share of.',
                f"Write {key} = …, in {of.unit or 'its unit'}.",
            )
    span = None if of.low is None or of.high is None else of.high - of.low
    if span is not None and derived.rise is not None and derived.rise > span:
        yield f"rise = {derived.rise:g} is more than the whole scale of {of.name} ({_ends(of)}).", "Choose less."
    if derived.floor is not None and not _on_scale(derived.floor, of):
        yield f"floor = {derived.floor:g} is outside the scale of {of.name} ({_ends(of)}).", "Choose a level on it."


def _on_scale(level: float, of: Outcome) -> bool:
    return (of.low is None or level >= of.low) and (of.high is None or level <= of.high)


def _ends(of: Outcome) -> str:
    if of.low is None:
        return "no lower end" if of.high is None else f"up to {of.high:g}"
    return f"from {of.low:g}" if of.high is None else f"{of.low:g} to {of.high:g}"


def _success_problems(protocol: Protocol, success: Success, name: str) -> Iterator[Problem]:
    place = f"{name} [success]"
    if bool(success.all) == bool(success.any):
        yield Problem(
            "error", place, "the rule needs either all or any.", 'Write all = ["pain", "walking"], or any = [...].'
        )
    known = {outcome.name: outcome for outcome in protocol.outcomes}
    for each in (*success.all, *success.any):
        if each not in known:
            yield Problem("error", place, f'"{each}" is not an outcome of this protocol.', did_you_mean(each, known))
        elif known[each].is_global:
            yield Problem(
                "error",
                place,
                f'"{each}" is a rating of the change as a whole and has no level before treatment.',
                "Leave it out of the rule: it is shown beside the diary's answer.",
            )
        elif known[each].important_change is None and known[each].important_change_percent is None:
            yield Problem(
                "error",
                place,
                f'"{each}" has no important change, so success cannot be judged by it.',
                f"Declare important_change under [outcome.{each}].",
            )
        elif known[each].important_change is None and known[each].kind in LEVELS:
            yield Problem(
                "error",
                place,
                f'"{each}" has its important change in percent only, and a rating or score is compared by difference.',
                f"Declare important_change in {known[each].unit or 'its unit'} under [outcome.{each}].",
            )
        elif known[each].better == "neither":
            yield Problem("error", place, f'for "{each}" neither more nor less is better.', "Leave it out of the rule.")


def _look_problems(protocol: Protocol, name: str) -> Iterator[Problem]:
    first = protocol.first_treatment
    for number, look in enumerate(protocol.looks, 1):
        place = f"{name} [[reassess]] {number}"
        if (look.on is None) == (look.after_session is None):
            yield Problem(
                "error",
                place,
                "a reassessment needs either a date or a session number.",
                "Write on = DATE, or after_session = 6.",
            )
        if look.on is not None and first is not None and look.on <= first.start:
            yield Problem(
                "error",
                place,
                f"the reassessment on {look.on} is not after the first treatment day ({first.start}).",
                "Correct the date.",
            )
    if sum(look.decides for look in protocol.looks) > 1:
        yield Problem(
            "error", f"{name} [[reassess]]", "more than one reassessment is marked decides = true.", "Mark one."
        )


def _event_problems(protocol: Protocol, name: str) -> Iterator[Problem]:
    changes = ", ".join(get_args(MedicationChange))
    for number, event in enumerate(protocol.events, 1):
        place = f'{name} [[event]] "{event.what}"' if event.what else f"{name} [[event]] {number}"
        if event.kind == "medication" and event.change is None:
            what = f'key "change" is missing: what happened to this medication on {event.date}.'
            yield Problem("error", place, what, f"Write change = one of {changes}.")
        elif event.kind != "medication" and event.change is not None:
            what = f'key "change" belongs to kind = "medication"; this is a {event.kind}.'
            yield Problem("error", place, what, 'Write kind = "medication", or take change out.')
