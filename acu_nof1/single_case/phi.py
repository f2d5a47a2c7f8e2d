"""Phi: the correlation of phase and non-overlap in the balanced table."""

from __future__ import annotations

from acu_nof1.single_case.base import Index
from acu_nof1.single_case.ird import compute

PHI = Index(
    "phi",
    "phi of the non-overlap table",
    "How strongly do phase and non-overlap go together?",
    "Anything the robust IRD does not say: in the balanced table it is the same number.",
    "Parker, Vannest & Davis 2011, Behav Modif 35:303",
    compute,
)
