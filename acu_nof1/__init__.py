"""What changed after acupuncture began, by how much, and how sure can we be?

One person's pain, function and sleep diary, read against what was agreed before treatment.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public names and where they live. Imported on first use: a command that needs none of them starts at once.
_HOMES = {
    "AcuError": "errors",
    "Problem": "errors",
    "OUTCOMES": "outcomes",
    "Outcome": "outcomes",
    "Diary": "diary",
    "Event": "protocol",
    "Look": "protocol",
    "Phase": "protocol",
    "Protocol": "protocol",
    "Session": "protocol",
    "Comparisons": "trial",
    "Trial": "trial",
    "anonymous": "anonymity",
    "pseudonym": "pseudonyms",
    "pseudonymised": "pseudonyms",
    "read_key": "pseudonyms",
    "check": "checks",
    "LAYOUTS": "load",
    "propose": "load",
    "read_diary": "load",
    "read_protocol": "load",
    "read_trial": "load",
    "ESTIMATORS": "estimate",
    "OVERLAP": "estimate",
    "Estimate": "estimate",
    "Estimates": "estimate",
    "estimate_all": "estimate",
    "INDICES": "single_case",
    "Index": "single_case",
    "indices": "single_case",
    "Explored": "sessions",
    "explored": "sessions",
    "Visits": "sessions",
    "visits": "sessions",
    "LearnedNoise": "explore.learned",
    "learn_noise": "explore.learned",
    "SPECIFICATIONS": "explore.sensitivity",
    "Sensitivity": "explore.sensitivity",
    "sensitivity": "explore.sensitivity",
    "plot_sensitivity": "plot",
    "Audit": "planning",
    "Plan": "planning",
    "audit": "planning",
    "plan": "planning",
    "plot_audit": "plot",
    "plot_looks": "plot",
    "plot_plan": "plot",
    "plot_trial": "plot",
    "Reassessment": "reassessment",
    "reassess": "reassessment",
    "Cohort": "cohort",
    "Reassessments": "cohort",
    "read_cohort": "cohort",
    "reassess_all": "cohort",
    "run_cohort": "cohort",
    "Pooled": "explore.pool",
    "pool": "explore.pool",
    "plot_forest_of_people": "plot",
    "write_pdf": "report",
    "write_report": "report",
}

__all__ = ["__version__", *sorted(_HOMES)]

if TYPE_CHECKING:
    from acu_nof1.anonymity import anonymous as anonymous
    from acu_nof1.checks import check as check
    from acu_nof1.cohort import Cohort as Cohort
    from acu_nof1.cohort import Reassessments as Reassessments
    from acu_nof1.cohort import read_cohort as read_cohort
    from acu_nof1.cohort import reassess_all as reassess_all
    from acu_nof1.cohort import run_cohort as run_cohort
    from acu_nof1.diary import Diary as Diary
    from acu_nof1.errors import AcuError as AcuError
    from acu_nof1.errors import Problem as Problem
    from acu_nof1.estimate import ESTIMATORS as ESTIMATORS
    from acu_nof1.estimate import OVERLAP as OVERLAP
    from acu_nof1.estimate import Estimate as Estimate
    from acu_nof1.estimate import Estimates as Estimates
    from acu_nof1.estimate import estimate_all as estimate_all
    from acu_nof1.explore.learned import LearnedNoise as LearnedNoise
    from acu_nof1.explore.learned import learn_noise as learn_noise
    from acu_nof1.explore.pool import Pooled as Pooled
    from acu_nof1.explore.pool import pool as pool
    from acu_nof1.explore.sensitivity import SPECIFICATIONS as SPECIFICATIONS
    from acu_nof1.explore.sensitivity import Sensitivity as Sensitivity
    from acu_nof1.explore.sensitivity import sensitivity as sensitivity
    from acu_nof1.load import LAYOUTS as LAYOUTS
    from acu_nof1.load import propose as propose
    from acu_nof1.load import read_diary as read_diary
    from acu_nof1.load import read_protocol as read_protocol
    from acu_nof1.load import read_trial as read_trial
    from acu_nof1.outcomes import OUTCOMES as OUTCOMES
    from acu_nof1.outcomes import Outcome as Outcome
    from acu_nof1.planning import Audit as Audit
    from acu_nof1.planning import Plan as Plan
    from acu_nof1.planning import audit as audit
    from acu_nof1.planning import plan as plan
    from acu_nof1.plot import plot_audit as plot_audit
    from acu_nof1.plot import plot_forest_of_people as plot_forest_of_people
    from acu_nof1.plot import plot_looks as plot_looks
    from acu_nof1.plot import plot_plan as plot_plan
    from acu_nof1.plot import plot_sensitivity as plot_sensitivity
    from acu_nof1.plot import plot_trial as plot_trial
    from acu_nof1.protocol import Event as Event
    from acu_nof1.protocol import Look as Look
    from acu_nof1.protocol import Phase as Phase
    from acu_nof1.protocol import Protocol as Protocol
    from acu_nof1.protocol import Session as Session
    from acu_nof1.pseudonyms import pseudonym as pseudonym
    from acu_nof1.pseudonyms import pseudonymised as pseudonymised
    from acu_nof1.pseudonyms import read_key as read_key
    from acu_nof1.reassessment import Reassessment as Reassessment
    from acu_nof1.reassessment import reassess as reassess
    from acu_nof1.report import write_pdf as write_pdf
    from acu_nof1.report import write_report as write_report
    from acu_nof1.sessions import Explored as Explored
    from acu_nof1.sessions import Visits as Visits
    from acu_nof1.sessions import explored as explored
    from acu_nof1.sessions import visits as visits
    from acu_nof1.single_case import INDICES as INDICES
    from acu_nof1.single_case import Index as Index
    from acu_nof1.single_case import indices as indices
    from acu_nof1.trial import Comparisons as Comparisons
    from acu_nof1.trial import Trial as Trial


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'acu_nof1' has no attribute {name!r}")
    return getattr(import_module(f"acu_nof1.{home}"), name)


def __dir__() -> list[str]:
    return list(__all__)
