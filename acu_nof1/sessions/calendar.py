"""The sessions on the calendar of the diaries, and the days that follow them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from acu_nof1.trial import Comparisons, Trial

Bools = NDArray[np.bool_]

LEAST_SESSIONS = 3
ONE_OF_EACH = "it needs one baseline and one treatment phase"


def session_days(comparisons: Comparisons, attended: Mapping[str, Sequence[dt.date]]) -> Bools:
    """On which days did each series have a session?

    Parameters
    ----------
    comparisons
        S series.
    attended
        The dates of the sessions that took place, by person.

    Returns
    -------
    ndarray of bool
        (S, D); sessions from the reassessment on are left out.
    """
    days = comparisons.start[:, None] + np.arange(comparisons.values.shape[1])
    found = np.zeros(days.shape, bool)
    for row, person in enumerate(comparisons.person):
        dates = np.array([np.datetime64(each, "D") for each in attended.get(person, ())], dtype="datetime64[D]")
        found[row] = np.isin(days[row], dates) & (days[row] < comparisons.looked_on[row])
    return found


def too_few_sessions(count: int) -> str:
    """Why so few sessions answer nothing; ``""`` where there are enough."""
    some = "1 session" if count == 1 else f"{count} sessions"
    return (
        f"only {some} before the reassessment; at least {LEAST_SESSIONS} are needed" if count < LEAST_SESSIONS else ""
    )


def onwards(comparisons: Comparisons) -> Comparisons:
    """The same series with the days behind the last treatment day too, up to the reassessment.

    Washout, follow-up and days without a phase enter no contrast elsewhere; what follows the sessions is seen best there.
    The window stays where it is.
    """
    series, day = comparisons, np.arange(comparisons.values.shape[1])
    held = series.treated & (series.phase >= 0)
    last = np.where(held.any(axis=1), held.shape[1] - 1 - np.argmax(held[:, ::-1], axis=1), held.shape[1])
    before_look = series.start[:, None] + day < series.looked_on[:, None]
    behind = (day > last[:, None]) & before_look
    return replace(
        series,
        phase=np.where(behind, series.phase.max(axis=1, keepdims=True, initial=0), series.phase),
        treated=series.treated | behind,
    )


def attended(trials: Sequence[Trial]) -> dict[str, tuple[dt.date, ...]]:
    """The dates of the sessions that took place, by person."""
    return {each.protocol.code: tuple(session.date for session in each.protocol.attended) for each in trials}
