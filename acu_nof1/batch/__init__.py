"""A cohort of any size: cut into units that are worked off one by one, on this machine or on several, and kept."""

from acu_nof1.batch.run import Run, run_cohort

__all__ = ["Run", "run_cohort"]
