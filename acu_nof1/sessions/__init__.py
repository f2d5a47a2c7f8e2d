"""Sessions and the course of the change: around a session, build-up and fading, outcomes in turn, dose, visits, follow-up.

All of it explores: association, with an interval or why there is none.
"""

from __future__ import annotations

from acu_nof1.sessions.afterwards import FollowUp, follow_up
from acu_nof1.sessions.around import Around, around_sessions
from acu_nof1.sessions.calendar import attended
from acu_nof1.sessions.dose import DOSE, Dose, by_dose, dose_of
from acu_nof1.sessions.exploring import FRAME_COLUMNS, Explored, explored
from acu_nof1.sessions.fading import Kinetics, kinetics
from acu_nof1.sessions.lagged import Link, together
from acu_nof1.sessions.medicare import ELIGIBILITY, Visits, visits
from acu_nof1.sessions.ranges import Range

__all__ = [
    "DOSE",
    "ELIGIBILITY",
    "FRAME_COLUMNS",
    "Around",
    "Dose",
    "Explored",
    "FollowUp",
    "Kinetics",
    "Link",
    "Range",
    "Visits",
    "around_sessions",
    "attended",
    "by_dose",
    "dose_of",
    "explored",
    "follow_up",
    "kinetics",
    "together",
    "visits",
]
