"""Phi: the correlation of phase and non-overlap in the balanced table."""

from __future__ import annotations

from acu_nof1.single_case.base import Index, Sides, Values
from acu_nof1.single_case.ird import robust_ird


def compute(sides: Sides) -> Values:
    """Pearson's phi of the table in which the removed days are shared by both phases: the number of the robust IRD."""
    return Values(robust_ird(sides), interval="no interval: the published one takes days for independent people")


PHI = Index(
    "phi",
    "phi of the non-overlap table",
    "How strongly do phase and non-overlap go together?",
    "Anything the robust IRD does not say: in the balanced table it is the same number.",
    "Parker, Vannest & Davis 2011, Behav Modif 35:303",
    compute,
)
