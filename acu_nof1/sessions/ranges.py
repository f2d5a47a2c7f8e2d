"""A number that was not observed, with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan


@dataclass(frozen=True)
class Range:
    """A number with the ends of its 95 % interval; NaN where it is not known."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    @property
    def holds_zero(self) -> bool:
        """Whether the interval is known and has 0 in it."""
        return self.low <= 0 <= self.high


NOT_KNOWN = Range(nan, nan, nan)
