"""For reviewers who use R: the tidy layout its single-case packages read, and the calls that give our numbers again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from acu_nof1.trial import Comparisons

SCRIPT = """# Our numbers, by other people's programs. Needs the packages SingleCaseES, scan and nlme.
# Sessions are calendar days: an unanswered day is absent, and its number is left out.
days <- read.csv({file})

# NAP, Tau, Tau-U, PND, PEM, PAND, IRD, SMD (Glass with J, Hedges), LRRi, LRM, and their errors for independent days.
# LRRi and LRM of an outcome where less is better have the opposite sign there.
print(SingleCaseES::batch_calc_ES(
  dat = days, grouping = c(case, outcome), condition = phase, outcome = value, session_number = session,
  baseline_phase = "A", intervention_phase = "B", improvement = improvement,
  ES = c("NAP", "Tau", "Tau-U", "PND", "PEM", "PAND", "IRD", "SMD", "LRRi", "LRM")))

# Mean change with AR(1) errors on the calendar: our AR(1) mode without the prior of phi is near it, with wider intervals.
for (one in split(days, list(days$case, days$outcome), drop = TRUE))
  print(summary(nlme::gls(value ~ phase, data = one, correlation = nlme::corCAR1(form = ~ session), method = "REML")))

# Baseline-corrected Tau and the randomisation test of scan, one series at a time.
for (one in split(days, list(days$case, days$outcome), drop = TRUE)) {{
  case <- scan::scdf(values = one$value, phase = one$phase, mt = one$session)
  print(scan::corrected_tau(case, alpha = 1))  # 1: corrected always
}}
"""


def for_r(comparisons: Comparisons) -> pd.DataFrame:
    """Which rows do R's single-case packages read?

    Parameters
    ----------
    comparisons
        Series of two phases or more.

    Returns
    -------
    pandas.DataFrame
        One row an answered day: case, outcome, phase (A, B; A1, B1, A2 … with more than two), session (calendar day from 1 on the
        first day of the series), value, improvement (``increase`` or ``decrease``).
    """
    rows, days = np.nonzero(comparisons.answered)
    phase, several = comparisons.phase[rows, days], comparisons.phases[rows] > 2
    letter = np.where(comparisons.treated[rows, days], "B", "A").astype(object)
    number = (phase // 2 + 1).astype(str).astype(object)
    first = np.argmax(comparisons.phase >= 0, axis=1)
    better = np.array(comparisons.each(lambda outcome: "increase" if outcome.better == "higher" else "decrease"))
    return pd.DataFrame({
        "case": np.array(comparisons.person, dtype=object)[rows],
        "outcome": np.array(comparisons.each(lambda outcome: outcome.name), dtype=object)[rows],
        "phase": np.where(several, letter + number, letter),
        "session": days - first[rows] + 1,
        "value": comparisons.values[rows, days],
        "improvement": better[rows],
    })  # fmt: skip


def r_script(file: str) -> str:
    """Which calls give our numbers again, from a table of `for_r` written to this file?"""
    quoted = '"' + file.replace("\\", "/").replace('"', "") + '"'
    return SCRIPT.format(file=quoted)
