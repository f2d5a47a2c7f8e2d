"""How long a baseline, how many days, and what the interval is worth on one's own diary."""

from __future__ import annotations

from acu_nof1.planning.proposal import Plan, plan
from acu_nof1.planning.selfaudit import Audit, audit

__all__ = ["Audit", "Plan", "audit", "plan"]
