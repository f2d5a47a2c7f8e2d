"""Around a session: the average course of an outcome from three days before a session to six days after it.

Each treatment day has a label: days since the last session, or days to the next one where that is nearer (at most three). The kernel
is asked for the level of each label with the overall course of treatment (τ, τ²) beside it, against the mean of the days before a
session; the band holds all labels together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acu_nof1.estimate.base import MINIMUM_DAYS
from acu_nof1.estimate.columns import Question, counted, indicator, solve
from acu_nof1.estimate.level import why_no_daily_level
from acu_nof1.sessions.calendar import session_days, too_few_sessions

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from acu_nof1.estimate.kernel import Fit
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BEFORE, AFTER = 3, 6
OFFSETS = tuple(range(-BEFORE, AFTER + 1))
ELSEWHERE = 99
LEAST_DAYS = 3
DRAWS = 4000


@dataclass(frozen=True, eq=False)
class Around:
    """The course of one outcome around the sessions.

    Attributes
    ----------
    person, outcome
        Whose, and of what.
    sessions
        How many sessions came before the reassessment.
    days
        (10,) answered days three before a session to six after it; a day belongs to its nearest session.
    value, low, high
        (10,) level of these days less that of the days before a session, in the outcome's unit and direction, and a 95 % band that
        holds all of them together; NaN for a place with fewer than three answered days, or that alone is what the others are compared with.
    reason
        Why there is none; ``""`` where there is.
    """

    person: str
    outcome: Outcome
    sessions: int
    days: Ints
    value: Floats
    low: Floats
    high: Floats
    reason: str

    @property
    def offsets(self) -> tuple[int, ...]:
        """Days from the session: −3 to 6."""
        return OFFSETS

    @property
    def told(self) -> bool:
        """Whether any place stands out from the days before a session: 0 lies outside the band somewhere."""
        return bool(np.any((self.low > 0) | (self.high < 0)))


def labels(on: NDArray[np.bool_]) -> Ints:
    """Where does each day lie around its session?

    Parameters
    ----------
    on
        (S, D) whether the day has a session.

    Returns
    -------
    ndarray of int
        (S, D): 0 to 6 days after a session; −1 to −3 before the next where that is nearer; `ELSEWHERE` for others.
    """
    day = np.arange(on.shape[1])
    last = np.maximum.accumulate(np.where(on, day, -ELSEWHERE), axis=1)
    following = np.minimum.accumulate(np.where(on, day, 2 * ELSEWHERE + on.shape[1])[:, ::-1], axis=1)[:, ::-1]
    since, until = day - last, following - day
    comes = (until <= BEFORE) & (until < since)
    return np.where(comes, -until, np.where(since <= AFTER, since, ELSEWHERE))


def around_sessions(
    comparisons: Comparisons, attended: Mapping[str, Sequence[dt.date]], seed: int = 20261126
) -> tuple[Around, ...]:
    """What is the average course of each outcome around a session, and can it be told from none?

    Parameters
    ----------
    comparisons
        Series; of those that are not kept daily, or are yes/no, it says so.
    attended
        Dates of the sessions that took place, by person.
    seed
        Of the draws that widen the interval of one day to a band for all.

    Returns
    -------
    tuple of Around
        One a series. An association with the day of the week, or of the diary, that goes along with sessions looks the same.

    Notes
    -----
    The band is centre ± q SD, with q the 95 % point of the largest standardised departure over all places, from draws of the joint
    posterior: sup-t band (Montiel Olea and Plagborg-Møller 2019, J Appl Econom 34:1).
    """
    if not len(comparisons):
        return ()
    on = session_days(comparisons, attended)
    place = np.where(comparisons.treated & (comparisons.phase >= 0), labels(on), ELSEWHERE + 1)
    counts = np.stack([counted(place == offset, comparisons) for offset in OFFSETS], axis=1)
    question = _question(comparisons, place, counts)
    fits = solve(comparisons, question, _reasons(comparisons, on.sum(axis=1), counts))
    band = np.full((len(comparisons), 3, len(OFFSETS)), np.nan)
    compared = _compared(counts)
    for rows, each in fits.groups:
        for at, row in enumerate(rows):
            if not fits.reason[row]:
                band[row][:, compared[row]] = _band(each, at, compared[row], np.random.default_rng(seed))
    return tuple(
        Around(
            comparisons.person[row],
            comparisons.outcomes[row],
            int(on[row].sum()),
            counts[row],
            band[row, 0],
            band[row, 1],
            band[row, 2],
            fits.reason[row],
        )
        for row in range(len(comparisons))
    )


def _compared(counts: Ints) -> NDArray[np.bool_]:
    """Which places have a difference: enough days, and not the only place that the others are compared with."""
    has = counts >= LEAST_DAYS
    alone = has[:, :BEFORE].sum(axis=1, keepdims=True) == 1
    return np.asarray(has & ~(alone & (np.array(OFFSETS) < 0)))


def _reasons(series: Comparisons, sessions: Ints, counts: Ints) -> list[str]:
    baseline = counted(series.baseline, series)
    before = (counts[:, :BEFORE] >= LEAST_DAYS).sum(axis=1)
    compared = _compared(counts).sum(axis=1)

    def why(row: int) -> str:
        if closed := why_no_daily_level(series.outcomes[row]):
            return closed
        if few := too_few_sessions(int(sessions[row])):
            return few
        if not before[row]:
            return f"fewer than {LEAST_DAYS} answered days one, two and three days before a session"
        if not compared[row]:
            return f"fewer than {LEAST_DAYS} answered days from the day of a session to {AFTER} days after it"
        if baseline[row] < MINIMUM_DAYS:
            return f"only {baseline[row]} baseline days answered; at least {MINIMUM_DAYS} are needed"
        return ""

    return [why(row) for row in range(len(series))]


def _question(series: Comparisons, place: Ints, counts: Ints) -> Question:
    """Columns [baseline, label levels, elsewhere, τ, τ²]; contrasts: each label less the mean of those before a session."""
    treated = series.treated & (series.phase >= 0)
    offsets = np.array(OFFSETS)
    has = counts >= LEAST_DAYS
    named = (place[:, :, None] == offsets) & has[:, None, :]
    elsewhere = treated & ~named.any(axis=2)
    # Weeks, centred: powers of days would differ by thousands from the indicators.
    weeks = np.where(treated, series.tau / 7.0, 0.0)
    middle = weeks.sum(axis=1, keepdims=True) / np.maximum(treated.sum(axis=1, keepdims=True), 1)
    along = np.where(treated, weeks - middle, 0.0)
    levels = [indicator(series.baseline)[:, :, None], indicator(named), indicator(elsewhere)[:, :, None]]
    columns = np.concatenate([*levels, along[:, :, None], along[:, :, None] ** 2], axis=2)
    keep = (columns * series.answered[:, :, None] != 0).any(axis=1)
    contrasts = np.zeros((len(series), len(OFFSETS), columns.shape[2]))
    before = has & (offsets < 0)
    mean = before / np.maximum(before.sum(axis=1, keepdims=True), 1)
    compared = _compared(counts)
    contrasts[:, :, 1 : 1 + len(OFFSETS)] = (np.eye(len(OFFSETS)) - mean[:, None, :]) * compared[:, :, None]
    # A place that is not compared is asked for the baseline, which is not shown: a contrast of nothing has no scale.
    contrasts[:, :, 0] = ~compared
    order = np.argsort(~keep, axis=1, kind="stable")[:, None, :]
    return Question(
        np.take_along_axis(columns, order, axis=2), keep.sum(axis=1), np.take_along_axis(contrasts, order, axis=2)
    )


def _band(each: Fit, row: int, asked: NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Centre and both ends of the band, (3, places asked)."""
    weight, mean = each.weight[row], each.mean[row][:, asked]
    covariance = np.zeros((len(weight), len(asked), len(asked)))
    below, diagonal = np.tril_indices(len(asked), -1), np.arange(len(asked))
    covariance[:, below[0], below[1]] = each.cov[row]
    covariance += covariance.transpose(0, 2, 1)
    covariance[:, diagonal, diagonal] = each.scale[row] ** 2
    # Differences from the mean of some of them sum to 0, so the matrix has no inverse: its root comes from eigenvalues.
    values, vectors = np.linalg.eigh(covariance[:, asked][:, :, asked])
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    node = rng.choice(len(weight), DRAWS, p=weight / weight.sum())
    wide = np.sqrt(each.df[row] / rng.chisquare(each.df[row], DRAWS))
    normal = rng.standard_normal((DRAWS, int(asked.sum())))
    centre = weight @ mean
    drawn = mean[node] - centre + wide[:, None] * np.einsum("nkj,nj->nk", root[node], normal)
    sd = drawn.std(axis=0)
    reach = np.quantile(np.abs(drawn / sd).max(axis=1), 0.95) * sd
    return np.stack([centre, centre - reach, centre + reach])
