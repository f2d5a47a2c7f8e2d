"""Whether the noise of the fit describes the days: the sentence, and the figure's words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from acu_nof1.words.change import name_in_sentence
from acu_nof1.words.numbers import listing, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from acu_nof1.distribution import Cells
    from acu_nof1.explore.diagnostics import Diagnostics

HEADING = "Does the noise model fit the days?"
FIGURE = "Figure of how days resemble one another"
CAPTION = "How strongly days so far apart resemble one another"
COLUMNS = (
    "Days apart",
    "Pairs of answered days",
    "Around the fitted lines",
    "Expected there",
    "Left over",
    "Expected by chance",
)
NOTE = (
    "Around the fitted lines: what the straight lines of the answer leave of each day. Left over: what the fitted noise "
    "leaves of that. Each band holds all seven distances at once in 95 of 100 diaries whose days differ as the fit says. "
    "Gaps are kept: two days are paired only if they lie so many calendar days apart."
)
DAYS_TITLE, NEWS_TITLE = "Around the fitted lines", "Left over by the noise model"
PHI_TITLE, SHARE_TITLE, RHO_TITLE = "φ, the slow part", "λ, pure day noise", "Correlation of neighbouring days"
LAG_AXIS, CORRELATION_AXIS, CHANCE_AXIS = "days apart", "correlation", "chance in 100"
PHI_AXIS, SHARE_AXIS, RHO_AXIS = "φ", "share of the variance λ", "ρ"
NONE = "none"
LEGEND = ("this diary", "band if the noise model is right", "posterior", "prior")


def _apart(lag: int) -> str:
    return "one day" if lag == 1 else f"{lag} days"


def sentence(found: Diagnostics) -> str:
    """Say whether the days resemble one another as the method assumes, by the rule of the figure."""
    name = name_in_sentence(found.outcome)
    if found.reason:
        return f"Whether the noise model fits {name} is not estimable: {found.reason}."
    if found.rho is not None:
        chain = f"For {name} a day resembles the day before with a correlation ρ of {_interval(found.rho)}."
        return f"{chain} Yes/no days have no straight line to leave anything: no check of the chain is made."
    lag = found.departs
    if lag is None or found.news is None:
        return (f"The days of {name} resemble one another as the method assumes: at one to seven days apart nothing is "
                "left over that chance would not leave.")  # fmt: skip
    value, high = float(found.news.value[lag - 1]), float(found.news.high[lag - 1])
    if value <= high:
        return f"Days of {name} {_apart(lag)} apart resemble one another less than the method assumes ({number(value, 2)} left over)."
    why = ", as a weekly rhythm would make them" if lag == 7 else ""
    return (f"Days of {name} {_apart(lag)} apart resemble one another more than the method assumes ({number(value, 2)} left over"
            f"{why}). The interval of the change does not know of it.")  # fmt: skip


RULE = (
    "The rule: left over at any of the seven distances outside the band. Where the model is right this is said of at most "
    "about 5 in 100 diaries. A weekly rhythm must be strong to be seen: that nothing is found does not show that there is none."
)


def _interval(cells: Cells) -> str:
    low, high = cells.quantile([0.025, 0.975])[0]
    return f"{number(float(cells.centre[0]), 2)} ({number(float(low), 2)} to {number(float(high), 2)})"


def rows(found: Diagnostics) -> tuple[tuple[str, ...], ...]:
    """Lay out the distances as rows of the table."""
    if found.days is None or found.news is None or found.pairs is None:
        return ()

    def said(value: float) -> str:
        return "–" if math.isnan(value) else number(value, 2)

    def ends(low: float, high: float) -> str:
        return "–" if math.isnan(low) else f"{number(low, 2)} to {number(high, 2)}"

    days, news = found.days, found.news
    return tuple(
        (str(lag + 1), str(found.pairs[lag]), said(days.value[lag]), ends(days.low[lag], days.high[lag]),
         said(news.value[lag]), ends(news.low[lag], news.high[lag]))
        for lag in range(len(found.pairs))
    )  # fmt: skip


def alt(found: Diagnostics) -> str:
    """Say what the figure shows."""
    if found.rho is not None:
        return f"Posterior of the correlation of neighbouring days of {name_in_sentence(found.outcome)}: ρ {_interval(found.rho)}."
    if found.days is None or found.news is None or found.phi is None or found.share is None:
        return sentence(found)
    seen = [f"{number(float(value), 2)} at {_apart(lag)}" for lag, value in _known(found.days.value)]
    left = [f"{number(float(value), 2)} at {_apart(lag)}" for lag, value in _known(found.news.value)]
    return (f"How days of {name_in_sentence(found.outcome)} resemble one another. Around the fitted lines: {listing(seen)} apart. "
            f"Left over by the noise model: {listing(left)} apart. {sentence(found)} "
            f"Posterior of φ: {_interval(found.phi)}; of λ: {_interval(found.share)}.")  # fmt: skip


def _known(values: Iterable[float]) -> list[tuple[int, float]]:
    return [(lag, value) for lag, value in enumerate(values, 1) if math.isfinite(value)]
