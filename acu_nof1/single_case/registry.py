"""All indices, in the order of tables. One more index is one file and one line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1.single_case.auc import AUC
from acu_nof1.single_case.cdc import CDC
from acu_nof1.single_case.corrected_tau import CORRECTED_TAU
from acu_nof1.single_case.ird import IRD
from acu_nof1.single_case.lor import LOR
from acu_nof1.single_case.lrm import LRM
from acu_nof1.single_case.lrr import LRR
from acu_nof1.single_case.nap import NAP
from acu_nof1.single_case.pand import PAND
from acu_nof1.single_case.pem import PEM
from acu_nof1.single_case.percent import PERCENT
from acu_nof1.single_case.pet import PET
from acu_nof1.single_case.phi import PHI
from acu_nof1.single_case.pnd import PND
from acu_nof1.single_case.pogo import POGO
from acu_nof1.single_case.pzd import PZD
from acu_nof1.single_case.rci import RCI
from acu_nof1.single_case.smd import GLASS, GLASS_J, HEDGES
from acu_nof1.single_case.tau import TAU
from acu_nof1.single_case.tau_u import TAU_U

if TYPE_CHECKING:
    from acu_nof1.single_case.base import Index

INDICES: tuple[Index, ...] = (
    NAP, AUC, TAU, TAU_U, CORRECTED_TAU, PND, PEM, PAND, IRD, PHI, PET, PZD, CDC, GLASS, GLASS_J, HEDGES, LRR, LRM, LOR, PERCENT,
    POGO, RCI,
)  # fmt: skip
