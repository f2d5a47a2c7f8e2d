"""Functions that take a noun and return a matplotlib figure."""

from __future__ import annotations

from acu_nof1.plot.adherence import adherence_alt, plot_adherence
from acu_nof1.plot.bands import plot_bands
from acu_nof1.plot.cohort import plot_adherence_of_people, plot_diaries, plot_verdicts
from acu_nof1.plot.course import course_alt, plot_course
from acu_nof1.plot.looks import plot_looks
from acu_nof1.plot.patient import plot_for_patient
from acu_nof1.plot.planning import plot_audit, plot_plan
from acu_nof1.plot.pool import plot_forest_of_people
from acu_nof1.plot.sensitivity import plot_sensitivity
from acu_nof1.plot.trial import figure_alt, plot_outcome, plot_trial

__all__ = [
    "adherence_alt",
    "course_alt",
    "figure_alt",
    "plot_adherence",
    "plot_adherence_of_people",
    "plot_audit",
    "plot_bands",
    "plot_course",
    "plot_diaries",
    "plot_for_patient",
    "plot_forest_of_people",
    "plot_looks",
    "plot_outcome",
    "plot_plan",
    "plot_sensitivity",
    "plot_trial",
    "plot_verdicts",
]
