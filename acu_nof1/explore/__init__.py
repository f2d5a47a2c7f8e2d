"""What takes other inputs or gives other results than an estimator: what else the change could be."""

from __future__ import annotations

from acu_nof1.explore.missing import MissingDays, missing_days
from acu_nof1.explore.regression import Return, expected_return, regression_to_the_mean

__all__ = ["MissingDays", "Return", "expected_return", "missing_days", "regression_to_the_mean"]
