"""Normal-theory AUC: the share of better pairs that two bell curves with these means and SDs would give."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from acu_nof1.single_case.base import Index, Sides, Values, reasons


def compute(sides: Sides) -> Values:
    """Φ((B − A) / √(SD_A² + SD_B²)), more being better."""
    (before, after), (first, second) = sides.means, sides.sds
    spread = np.sqrt(first**2 + second**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = ndtr(sides.sign * (after - before) / spread)
    return Values(
        np.where(spread > 0, value, np.nan),
        reasons=reasons((spread == 0, "no day differs from the others of its phase")),
        interval="no interval: none is published for dependent days",
    )


AUC = Index(
    "auc",
    "normal-theory AUC",
    "How likely would a treatment day be better than a baseline day, if days followed bell curves?",
    "Days on short scales do not follow bell curves: NAP counts the pairs that there are.",
    "McGraw & Wong 1992, Psychol Bull 111:361 (common language effect size)",
    compute,
    minimum=(2, 2),
)
