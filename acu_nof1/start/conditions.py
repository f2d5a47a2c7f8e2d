"""What is asked of people with each condition, how long, and how often they are treated: one value per condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from acu_nof1.load.protocols import OutcomeEntry, declare
from acu_nof1.protocol import HEADACHE_WINDOW, WINDOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from acu_nof1.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Question:
    """One outcome of a template: its name, and the entry it has in the protocol."""

    name: str
    entry: OutcomeEntry

    @property
    def outcome(self) -> Outcome:
        """The outcome that a reader of the protocol makes of it."""
        return declare(self.name, self.entry, self.name)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a diary for one condition asks.

    Attributes
    ----------
    name
        What the command calls it.
    questions
        Asked every evening; the first is primary.
    nights
        Worked out from the clock times of a sleep diary, which is then asked every morning.
    further
        Instruments of the catalogue that are often kept at visits too.
    baseline_days, weeks, window_days
        Days before treatment, weeks of treatment, last days that are compared.
    sessions, sessions_why
        How many treatments are planned, and a key of `words.start.PLANNED_WHY`.
    """

    name: str
    questions: tuple[Question, ...]
    nights: tuple[Question, ...] = ()
    further: tuple[str, ...] = ("peg", "psfs")
    baseline_days: int = 14
    weeks: int = 10
    window_days: int = WINDOW
    sessions: int = 10
    sessions_why: str = "usual"

    @property
    def outcomes(self) -> tuple[Question, ...]:
        """Everything that is watched."""
        return (*self.questions, *self.nights)


PAIN = Question("pain", OutcomeEntry(instrument="nrs_pain"))
STAIRS = Question("stairs", OutcomeEntry(instrument="nrs_pain", label="Pain on stairs"))
STIFFNESS = Question("stiffness", OutcomeEntry(kind="minutes", unit="min", better="lower", label="Morning stiffness"))
WALKING = Question("walking", OutcomeEntry(kind="minutes", unit="min", better="higher"))
# One number, not six clock times: where sleep is not what the person came for, a question that takes long is left out.
SLEEP = Question("sleep", OutcomeEntry(instrument="csd_tst", unit="h"))
EFFICIENCY = Question("efficiency", OutcomeEntry(instrument="csd_se"))
TABLETS = Question("tablets", OutcomeEntry(instrument="rescue_day"))
FLARE = Question("flare", OutcomeEntry(instrument="flare_day"))
STRESS = Question("stress", OutcomeEntry(instrument="nrs_stress"))
HEADACHE = Question("headache", OutcomeEntry(instrument="headache_day"))
INTENSITY = Question("intensity", OutcomeEntry(instrument="nrs_pain", label="Intensity on headache days"))
DOSES = Question("doses", OutcomeEntry(instrument="rescue_doses_day"))
CANCELLED = Question("cancelled", OutcomeEntry(kind="yes_no", better="lower", label="Days with a dropped plan"))

_EVERY_PAIN = (PAIN, SLEEP, TABLETS, FLARE)
_HEADACHE = Condition(
    "headache",
    (HEADACHE, INTENSITY, DOSES, CANCELLED),
    further=("hit6",),
    baseline_days=28,
    weeks=12,
    window_days=HEADACHE_WINDOW,
    sessions=12,
    sessions_why="vickers",
)

_ALL = (
    Condition(
        "low_back_pain",
        (PAIN, WALKING, SLEEP, TABLETS, FLARE),
        further=("odi", "rmdq", "peg", "psfs"),
        sessions_why="medicare",
    ),
    Condition("neck_pain", _EVERY_PAIN, further=("ndi", "peg", "psfs")),
    Condition("knee_osteoarthritis", (STAIRS, STIFFNESS, WALKING, TABLETS), further=("koos_pain", "koos_adl", "psfs")),
    _HEADACHE,
    replace(_HEADACHE, name="migraine"),
    Condition("sleep_and_stress", (PAIN, STRESS, TABLETS), (SLEEP, EFFICIENCY), further=("psqi", "isi", "pss10")),
    Condition("other_pain", _EVERY_PAIN),
)
CONDITIONS: Mapping[str, Condition] = {condition.name: condition for condition in _ALL}
