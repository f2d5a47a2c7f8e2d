"""Red flags, adverse events, cautions: what overrules everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from acu_nof1.protocol import Profile, Protocol, Session

# Ticked by a person; a free-text search is never a clearance.
RED_FLAGS: Mapping[str, str] = {
    "fever": "pain with fever",
    "weight_loss": "unexplained weight loss",
    "night_pain": "severe night pain",
    "weakness": "new weakness",
    "numbness": "new numbness",
    "bowel_bladder": "bowel or bladder changes",
    "chest_pain": "chest pain",
    "breathless": "shortness of breath",
    "sudden_headache": "sudden severe headache",
    "trauma": "significant trauma",
    "fracture": "suspected fracture",
    "breathless_after_needling": "breathlessness after needling (possible pneumothorax)",
    "spreading_redness": "spreading redness at a needle site (possible infection)",
}

CAUTIONS: Mapping[str, str] = {
    "blood_thinner": "takes a blood thinner or has a bleeding disorder",
    "low_immunity": "has low immunity or an active infection",
    "pregnant": "is pregnant",
    "implanted_device": "has an implanted electrical device (no electrical stimulation)",
}

Asked = Literal["at every session", "at some sessions", "never"]


@dataclass(frozen=True, slots=True)
class RedFlag:
    """A ticked red flag in words; with the date of the session where it was ticked at one."""

    what: str
    date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """Something unwanted that was reported at a session."""

    date: dt.date
    what: str
    serious: bool


@dataclass(frozen=True, slots=True)
class Safety:
    """What is known about safety at a reassessment.

    Attributes
    ----------
    red_flags
        Those of the profile, and those ticked at a session.
    adverse_events
        Everything reported, serious ones included.
    sessions_attended, sessions_asked
        At how many attended sessions harm was asked about: "none reported" is not "not asked".
    cautions
        Known cautions, in words.
    """

    red_flags: tuple[RedFlag, ...] = ()
    adverse_events: tuple[AdverseEvent, ...] = ()
    sessions_attended: int = 0
    sessions_asked: int = 0
    cautions: tuple[str, ...] = ()
    flags_asked: bool = False

    @property
    def serious_events(self) -> tuple[AdverseEvent, ...]:
        """The adverse events that were marked serious."""
        return tuple(event for event in self.adverse_events if event.serious)

    @property
    def overrules(self) -> Literal["red_flag", "serious_event"] | None:
        """What, if anything, overrules the verdict: the page opens with it and shows no badge."""
        if self.red_flags:
            return "red_flag"
        return "serious_event" if self.serious_events else None

    @property
    def asked(self) -> Asked:
        """How often harm was asked about."""
        if not self.sessions_asked:
            return "never"
        return "at every session" if self.sessions_asked >= self.sessions_attended else "at some sessions"


def review_safety(profile: Profile, sessions: Iterable[Session], day: dt.date | None = None) -> Safety:
    """Is there anything that must be said before the diary's answer?

    Parameters
    ----------
    profile
        The protocol's red flags and cautions.
    sessions
        All sessions that are known.
    day
        The look; later sessions count only for red flags and serious events, which are never too late.

    Returns
    -------
    Safety
        Red flags of the profile and of every session, adverse events, and how often was asked. A
        reported adverse event counts as asked.
    """
    known = tuple(sessions)
    sessions = tuple(session for session in known if day is None or session.date <= day)
    cautions = tuple(text for name, text in CAUTIONS.items() if getattr(profile, name))
    attended = [session for session in sessions if session.attended]
    flags = [RedFlag(RED_FLAGS.get(flag, flag)) for flag in profile.red_flags or ()]
    flags += [RedFlag(RED_FLAGS.get(flag, flag), session.date) for session in known for flag in session.red_flag]
    events = [
        AdverseEvent(session.date, session.adverse_event or "serious event, not described", session.serious)
        for session in known
        if session.serious or (session.adverse_event and session in sessions)
    ]
    asked = sum(session.adverse_asked or session.serious or bool(session.adverse_event) for session in attended)
    return Safety(tuple(flags), tuple(events), len(attended), asked, cautions, profile.red_flags is not None)


def unknown_red_flags(protocol: Protocol) -> tuple[str, ...]:
    """Which ticked red flags are not in the list (they still count as red flags)?"""
    ticked = [*(protocol.safety.red_flags or ()), *(flag for session in protocol.sessions for flag in session.red_flag)]
    return tuple(flag for flag in ticked if flag not in RED_FLAGS)
