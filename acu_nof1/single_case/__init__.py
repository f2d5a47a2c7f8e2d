"""The indices of single-case research, each in its own file: `INDICES`, and `indices` that asks all of them."""

from __future__ import annotations

from acu_nof1.single_case.asking import indices
from acu_nof1.single_case.base import Index
from acu_nof1.single_case.registry import INDICES

__all__ = ["INDICES", "Index", "indices"]
