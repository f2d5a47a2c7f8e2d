"""Many people, the same questions: read, reassessed as one batch or unit by unit, and what became of everybody."""

from acu_nof1.cohort.cohort import Cohort, Reassessments, reassess_all
from acu_nof1.cohort.reading import read_cohort
from acu_nof1.cohort.run import Run, run_cohort

__all__ = ["Cohort", "Reassessments", "Run", "read_cohort", "reassess_all", "run_cohort"]
