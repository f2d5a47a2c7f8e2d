"""One outcome of one person, day by day: the data of a panel and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import dates as mdates
from matplotlib.ticker import FixedLocator, MaxNLocator

from acu_nof1 import palette, words
from acu_nof1.plot import style
from acu_nof1.trial import UNUSED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from acu_nof1.estimate import Estimate
    from acu_nof1.outcomes import Outcome
    from acu_nof1.trial import Comparisons

POINTS = 72.0
DAYS_PER_MONTH = 28
STRETCH_MINIMUM = 5
# Below the scale of a yes/no outcome lie three rows: yes, no, no entry.
YES_ROW, NO_ROW, NO_ENTRY_ROW, YES_NO_FLOOR = -4.5, -7.5, -10.5, -12.5
# Points that a date's label needs right of its tick.
EDGE = 11.0


@dataclass(frozen=True, eq=False)
class Series:
    """What one panel shows: every day up to the look, and which side it is on."""

    outcome: Outcome
    estimate: Estimate | None
    days: NDArray[np.datetime64]
    values: NDArray[np.float64]
    phase: NDArray[np.int64]
    treated: NDArray[np.bool_]
    since: NDArray[np.int64]
    after: NDArray[np.bool_]
    flares: NDArray[np.bool_]
    window_days: int
    has_treatment: bool

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which days hold an answer."""
        return np.asarray(np.isfinite(self.values))

    @property
    def baseline(self) -> NDArray[np.bool_]:
        """Which days are baseline days."""
        return np.asarray((self.phase != UNUSED) & ~self.treated)

    @property
    def expected(self) -> NDArray[np.bool_]:
        """On which days an entry was expected: those of a phase, for what is kept daily."""
        return np.asarray((self.phase != UNUSED) & (self.outcome.every == "day"))


def series_of(comparisons: Comparisons, row: int, estimate: Estimate | None) -> Series:
    """Take one series out of a batch; days from the look on are shown for visits only."""
    days = comparisons.start[row] + np.arange(comparisons.values.shape[1])
    visit = comparisons.outcomes[row].every == "visit"
    shown = np.ones(days.size, bool) if visit else days < comparisons.looked_on[row]
    treated = comparisons.treated[row]
    return Series(
        outcome=comparisons.outcomes[row],
        estimate=estimate,
        days=days[shown],
        values=comparisons.values[row][shown],
        phase=comparisons.phase[row][shown],
        treated=treated[shown],
        since=comparisons.tau[row][shown],
        after=comparisons.after[row][shown],
        flares=_flares(comparisons, row)[shown],
        window_days=int(comparisons.window_days[row]),
        has_treatment=bool(treated.any()),
    )


def _flares(comparisons: Comparisons, row: int) -> NDArray[np.bool_]:
    """On which days did a flare last that is computed from this series? A missing day between two of them too."""
    of, person = comparisons.outcomes[row].name, comparisons.person[row]
    for values, outcome, whose in zip(comparisons.values, comparisons.outcomes, comparisons.person, strict=True):
        derived = outcome.derived
        if whose == person and derived is not None and derived.how == "flare_days" and derived.of == of:
            yes = values > 0
            yes[1:-1] |= np.isnan(values[1:-1]) & yes[:-2] & yes[2:]
            return np.asarray(yes)
    return np.zeros(comparisons.values.shape[1], bool)


def day_number(day: Any) -> float:
    """Where on the axis is this day?"""
    return float(mdates.date2num(day))  # type: ignore[no-untyped-call]


def calendar_day(number: float) -> dt.date:
    """Which day is at this place of the axis?"""
    found: dt.datetime = mdates.num2date(number)  # type: ignore[no-untyped-call]
    return found.date()


def runs(days: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the stretches of consecutive days."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], days, [False]]).astype(int)))
    yield from (slice(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True))


def edges(series: Series, stretch: slice) -> tuple[float, float]:
    """Where do these days begin and end on the axis? A day is as wide as a day."""
    return day_number(series.days[stretch.start]) - 0.5, day_number(series.days[stretch.stop - 1]) + 0.5


# ------------------------------------------------------------------ axes


def scale(series: Series) -> tuple[float, float]:
    """What are the ends of the y axis: the whole instrument; amounts from 0; never cut to the data."""
    outcome = series.outcome
    if outcome.kind == "yes_no":
        return 0.0, float(DAYS_PER_MONTH)
    held = series.values[series.answered]
    top, bottom = (float(held.max()), float(held.min())) if held.size else (1.0, 0.0)
    if outcome.is_amount:
        return 0.0, max(top * 1.08, 1.0)
    room = max(top - bottom, 1.0) * 0.1
    return (bottom - room if outcome.low is None else outcome.low), (
        top + room if outcome.high is None else outcome.high
    )


def width_of(ax: Axes) -> float:
    """How wide is a panel, in points?"""
    return float(ax.get_position().width * ax.figure.get_figure(root=True).get_figwidth() * POINTS)


def dress(ax: Axes, series: Series, compact: bool) -> None:
    """Set scale, ticks and grid; below the scale is room for the days without an entry."""
    low, high = scale(series)
    span, yes_no = high - low, series.outcome.kind == "yes_no"
    ax.set_ylim(YES_NO_FLOOR if yes_no else low - (0.17 if compact else 0.1) * span, high + 0.02 * span)
    if yes_no:
        ax.yaxis.set_major_locator(FixedLocator([0, 14, 28] if compact else [0, 7, 14, 21, 28]))
    else:
        whole = series.outcome.step is None or series.outcome.step >= 1
        ticks = MaxNLocator(3 if compact else 5, integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        ax.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    ax.yaxis.set_major_formatter(lambda value, _: words.number(value, 0 if value == round(value) else 1))
    ax.grid(axis="y", color=palette.PALE, linewidth=0.6)
    ax.tick_params(labelsize=style.TINY if compact else style.SMALL, pad=2)
    date_axis(ax, series, compact)


def date_axis(ax: Axes, series: Series, compact: bool) -> None:
    """Set the days as the x axis: single dates, or months in a longer diary."""
    first, last = day_number(series.days[0]), day_number(series.days[-1])
    pad = max(1.0, 0.008 * (last - first))
    ax.set_xlim(first - pad, last + pad)
    short = last - first < 50
    ticks = _day_ticks(first, last, compact) if short else _month_ticks(series, last - first, compact)
    # A label whose tick stands at the right edge would be cut off.
    room = EDGE / width_of(ax) * (last - first + 2 * pad)
    ax.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if first - pad <= tick <= last + pad - room]))
    ax.xaxis.set_major_formatter(lambda day, _: _short_date(day) if short else _month(day, first, last - first))


def _day_ticks(first: float, last: float, compact: bool) -> list[float]:
    step = max(1, -(-int(last - first) // (3 if compact else 9)))
    return [float(day) for day in np.arange(first, last + 1, step)]


def _month_ticks(series: Series, length: float, compact: bool) -> list[float]:
    months = np.arange(series.days[0].astype("datetime64[M]"), series.days[-1].astype("datetime64[M]") + 1)
    step = max(1, -(-int(length / 30) // (4 if compact else 9)))
    wanted = [month for month in months if int(month.astype(int)) % step == 0]
    return [day_number(month.astype("datetime64[D]")) for month in wanted]


def _short_date(day: float) -> str:
    return words.date(calendar_day(day)).rsplit(" ", 1)[0]


def _month(day: float, first: float, length: float) -> str:
    """Name a month; the year stands with January, and with every label of a long diary."""
    date = calendar_day(day)
    return f"{date:%b %Y}" if date.month == 1 or (length > 360 and day - first < 31) else f"{date:%b}"


# ------------------------------------------------------------------ what is drawn


def draw_phases(ax: Axes, series: Series) -> None:
    """Shade the baseline and the days that are compared with it."""
    for shade, days in ((palette.BEFORE_SHADE, series.baseline), (palette.AFTER_SHADE, series.after)):
        for stretch in runs(days):
            ax.axvspan(*edges(series, stretch), color=shade, linewidth=0, zorder=0)


def draw_days(ax: Axes, series: Series, compact: bool) -> None:
    """Draw every answer: hollow before treatment, filled during it; a grey cross where none was given."""
    if series.outcome.kind == "yes_no":
        _draw_yes_no(ax, series, compact)
        return
    size = _marker_size(series, compact)
    low, high = scale(series)
    hollow: dict[str, Any] = {"mfc": "none", "mec": palette.BEFORE, "mew": 0.9}
    filled: dict[str, Any] = {"mfc": palette.AFTER, "mec": palette.AFTER, "mew": 0.5}
    other: dict[str, Any] = {"mfc": palette.FAINT, "mec": palette.FAINT, "mew": 0.5}
    mark = "o" if series.outcome.every == "day" else "D"
    used = series.phase != UNUSED
    for days, look in ((series.baseline, hollow), (series.treated & used, filled), (~used, other)):
        chosen = days & series.answered
        ax.plot(series.days[chosen], series.values[chosen], mark, ms=size, ls="none", zorder=4, clip_on=False, **look)
    _draw_missing(ax, series, low - (0.085 if compact else 0.055) * (high - low), compact)


def _marker_size(series: Series, compact: bool) -> float:
    if series.outcome.every != "day":
        return 4.0 if compact else 6.0
    crowd = 1.0 if series.days.size <= 150 else 0.65
    return crowd * (1.9 if compact else 3.4)


def _draw_missing(ax: Axes, series: Series, height: float, compact: bool) -> None:
    missing = series.expected & ~series.answered
    where = np.full(int(missing.sum()), height)
    ax.plot(
        series.days[missing], where, "x", ms=2.0 if compact else 3.2, mew=0.7, color=palette.FAINT, ls="none", zorder=3
    )


def _draw_yes_no(ax: Axes, series: Series, compact: bool) -> None:
    """Draw a tick for each day with it, a dot for each without, and bars of days per 28."""
    size = 0.6 if compact else 1.0
    # Thinner before treatment, so that grey print tells the ticks apart too.
    for days, colour, width in (
        (series.baseline, palette.BEFORE, style.THIN),
        (~series.baseline, palette.AFTER, style.THICK),
    ):
        yes, no = days & (series.values > 0), days & (series.values == 0)
        ax.plot(
            series.days[yes], np.full(yes.sum(), YES_ROW), "|", ms=7 * size, mew=width * size, color=colour, zorder=4
        )
        ax.plot(series.days[no], np.full(no.sum(), NO_ROW), ".", ms=3 * size, color=colour, mew=0, zorder=4)
    _draw_missing(ax, series, NO_ENTRY_ROW, compact)
    for start, end, rate in stretches(series):
        ax.fill_between([start, end], 0, rate, facecolor="none", edgecolor=palette.FAINT, linewidth=0.8, zorder=2)
    for height, label in ((YES_ROW, words.YES), (NO_ROW, words.NO))[: 1 if compact else 2]:
        # The label of the scale's zero stands close above that of the small panel's row.
        ax.annotate(label, (0, height), (-3, -2 if compact else 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                    ha="right", va="center", fontsize=style.TINY)  # fmt: skip


def stretches(series: Series) -> Iterator[tuple[float, float, float]]:
    """Yield start, end and raw days per 28 of stretches as long as the window, cut backwards in each phase."""
    for phase in np.unique(series.phase[series.phase != UNUSED]):
        inside = np.flatnonzero(series.phase == phase)
        for stop in range(inside.size, 0, -series.window_days):
            days = inside[max(0, stop - series.window_days) : stop]
            held = series.values[days][np.isfinite(series.values[days])]
            if held.size >= STRETCH_MINIMUM:
                yield (*edges(series, slice(int(days[0]), int(days[-1]) + 1)), DAYS_PER_MONTH * float(held.mean()))


def draw_flares(ax: Axes, series: Series, compact: bool) -> None:
    """Draw a bar along the top edge for each flare."""
    for stretch in runs(series.flares):
        ax.plot(edges(series, stretch), [0.99, 0.99], transform=ax.get_xaxis_transform(), color=palette.INK,
                lw=style.FLARE[compact], solid_capstyle="butt", zorder=3)  # fmt: skip


def draw_levels(ax: Axes, series: Series, compact: bool) -> None:
    """Draw the two levels of the estimate with their intervals over the days they describe."""
    found = series.estimate
    if found is None:
        return
    before, after = style.LEVELS
    _draw_level(ax, series, series.baseline, (found.before, found.before_low, found.before_high), before, compact)
    _draw_level(ax, series, series.after, (found.after, found.after_low, found.after_high), after, compact)


def _draw_level(
    ax: Axes,
    series: Series,
    days: NDArray[np.bool_],
    numbers: tuple[float, float, float],
    look: style.Level,
    compact: bool,
) -> None:
    level, low, high = numbers
    bottom, top = scale(series)
    for stretch in runs(days) if np.isfinite(level) else ():
        ends = edges(series, stretch)
        if np.isfinite(low) and np.isfinite(high):
            ax.fill_between(ends, max(low, bottom), min(high, top), color=look.fill, alpha=0.75, linewidth=0, zorder=1)
        ax.plot(ends, [level, level], ls=look.line, color=look.colour, lw=1.8 if compact else 2.4, zorder=3)
