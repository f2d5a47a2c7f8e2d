import itertools

import numpy as np
import pandas as pd
import pytest
import report_cases as cases
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from acu_nof1 import palette, words
from acu_nof1.plot import figure_alt, plot_bands, plot_outcome, plot_trial, style
from acu_nof1.plot.panel import NO_ENTRY_ROW, YES_ROW
from acu_nof1.protocol import Look, Phase


def points(ax, marks):
    return [line for line in ax.lines if line.get_marker() in marks and line.get_transform() == ax.transData]


def count(lines):
    return sum(len(line.get_xdata()) for line in lines)


def drawn(review, **options):
    return plot_trial(review.trial, review.estimates, look=review.look, **options)


@pytest.mark.parametrize("name", cases.SAMPLES)
def test_every_answer_before_the_look_is_a_point(name):
    review = cases.sample(name)
    large, *small = drawn(review).axes
    for ax, outcome in zip([large, *small], review.comparisons.outcomes, strict=True):
        row = review.comparisons.outcomes.index(outcome)
        days = review.comparisons.start[row] + np.arange(review.comparisons.values.shape[1])
        shown = (days < review.comparisons.looked_on[row]) | (outcome.every == "visit")
        answered = np.isfinite(review.comparisons.values[row]) & shown
        assert count(points(ax, "|.oD")) == answered.sum()


def test_missing_days_are_crosses_at_the_foot_below_the_scale():
    review = cases.sample("low_back_pain")
    ax = drawn(review).axes[0]
    crosses = points(ax, "x")
    series = review.comparisons.take([0])
    assert count(crosses) == int(((series.phase >= 0) & ~series.answered).sum())
    assert max(crosses[0].get_ydata()) < 0


def test_baseline_is_hollow_and_treatment_filled():
    ax = drawn(cases.sample("low_back_pain")).axes[0]
    before, after = points(ax, "o")[:2]
    assert before.get_markerfacecolor() == "none"
    assert after.get_markerfacecolor() == palette.AFTER
    assert max(before.get_xdata()) < min(after.get_xdata())


@pytest.mark.parametrize("name", cases.SAMPLES)
def test_the_axis_shows_the_whole_scale_and_is_never_flipped(name):
    review = cases.sample(name)
    for ax, outcome in zip(drawn(review).axes, review.comparisons.outcomes, strict=True):
        low, high = ax.get_ylim()
        bottom, top = (0, 28) if outcome.kind == "yes_no" else (outcome.low, outcome.high)
        assert low < high
        assert low < bottom
        assert outcome.is_amount or high >= top


def test_the_levels_are_those_of_the_headline_estimate():
    review = cases.sample("low_back_pain")
    primary = review.estimates.primary
    levels = [line.get_ydata()[0] for line in drawn(review).axes[0].lines if line.get_linewidth() == 2.4]
    assert levels == [primary.before, primary.after]


def test_yes_no_days_are_ticks_and_bars_of_days_per_28():
    review = cases.sample("migraine")
    ax = drawn(review).axes[0]
    yes = [line for line in points(ax, "|") if set(line.get_ydata()) == {YES_ROW}]
    shown = review.comparisons.take([0])
    values = shown.values[(shown.phase >= 0) & np.isfinite(shown.values)]
    assert count(yes) == values.sum()
    bars = [area.get_paths()[0].vertices[:, 1].max() for area in ax.collections if not area.get_facecolor().size]
    baseline = shown.values[shown.baseline & np.isfinite(shown.values)]
    assert 28 * baseline.mean() == pytest.approx(bars[0])
    assert points(ax, "x")[0].get_ydata()[0] == NO_ENTRY_ROW


def test_sessions_are_numbered_and_declined_ones_look_different():
    review = cases.sample("knee_osteoarthritis")
    ax = drawn(review).axes[0]
    ticks = [line for line in ax.lines if line.get_transform() != ax.transData and line.get_marker() in "|o"]
    attended = [session.attended for session in review.trial.protocol.sessions]
    assert [line.get_marker() == "|" for line in ticks] == attended
    numbers = [text.get_text() for text in ax.texts if text.get_text().isdigit()]
    assert numbers == [str(n + 1) for n in range(sum(attended))]


@pytest.mark.parametrize("name", [*cases.SAMPLES, "hostile", "four_hundred_days"])
def test_no_text_of_the_main_panel_covers_another(name):
    figure = drawn(cases.CASES[name]())
    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent(renderer).shrunk(0.9, 0.7)) for text in texts]
    clashes = [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]
    assert clashes == []
    edge = figure.bbox.width + 1
    assert [text for text, box in boxes if box.x0 < 0 or box.x1 > edge or box.y1 > figure.bbox.height + 2] == []


def test_events_are_named_and_direction_and_scale_are_said():
    figure = drawn(cases.sample("low_back_pain"))
    texts = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert {"graded walking plan starts", "lower is better ↓", "higher is better ↑", "Last 14 days"} <= texts
    assert figure.axes[0].get_ylabel() == "Pain, 0–10"


@pytest.mark.parametrize("name", ["migraine", "no_baseline"])
def test_svg_is_the_same_each_time(name):
    review = cases.CASES[name]()
    first = style.svg(drawn(review))
    assert first == style.svg(drawn(review))
    assert "<dc:date>" not in first


def test_a_figure_needs_neither_estimates_nor_pyplot():
    figure = plot_trial(cases.sample("low_back_pain").trial)
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")  # a notebook shows it without pyplot
    assert not hasattr(figure, "number")


def test_nothing_after_the_look_is_drawn():
    review = cases.sample("low_back_pain")
    look = Look(on=pd.Timestamp("2026-03-01").date())
    ax = plot_trial(review.trial, outcomes=["pain"], look=look).axes[0]
    assert max(
        np.asarray(line.get_xdata(), "datetime64[D]").max() for line in points(ax, "o") if len(line.get_xdata())
    ) < np.datetime64("2026-03-01")


def test_one_value_no_value_and_no_outcome():
    one = {"pain": pd.Series([5.0], pd.DatetimeIndex([cases.START]))}
    assert count(points(plot_trial(cases.make_trial([cases.PAIN], answers=one)).axes[0], "o")) == 1
    review = cases.nothing_kept()
    assert count(points(drawn(review).axes[0], "o")) == 0
    assert drawn(review, outcomes=[]).texts[0].get_text() == words.NOTHING_TO_DRAW


def test_abab_shows_every_phase():
    trial = cases.make_trial([cases.PAIN], 14, 14, answers=cases.values([cases.PAIN], 56))
    starts = pd.date_range(cases.START, periods=4, freq="14D")
    phases = tuple(
        Phase(kind=kind, start=start.date(), end=(start + pd.Timedelta(days=13)).date())
        for kind, start in zip(["baseline", "treatment"] * 2, starts, strict=True)
    )
    trial = type(trial)(trial.protocol.model_copy(update={"phases": phases}), trial.diary)
    ax = plot_trial(trial).axes[0]
    names = [text.get_text() for text in ax.texts]
    assert [name for name in names if "reatment" in name] == [
        "Before treatment",
        "Treatment",
        "Without treatment",
        "Treatment",
    ]
    assert len([line for line in ax.lines if line.get_linewidth() == 2.4]) == 4


def test_one_panel_takes_an_axes():
    review = cases.sample("low_back_pain")
    ax = Figure().add_subplot()
    assert plot_outcome(review.trial, "sleep", review.estimates, review.look, ax=ax) is ax
    assert plot_outcome(review.trial, "pain").get_ylim()[1] >= 10


def test_bands_are_whole_numbers_that_add_to_100():
    review = cases.sample("low_back_pain")
    ax = plot_bands(review.estimates.primary).axes[0]
    assert sum(patch.get_width() for patch in ax.patches) == 100
    silent = next(each for each in review.estimates if np.isnan(each.bands[0]))
    assert words.no_bands(silent) in {text.get_text() for text in plot_bands(silent).axes[0].texts}


def test_alternative_text_says_direction_size_uncertainty_and_days():
    review = cases.sample("low_back_pain")
    said = figure_alt(review.trial, review.estimates, ["pain"], review.look)
    assert "lower is better" in said
    assert "days" in said
    assert words.sentence(review.estimates.primary, review.telling) in said
    assert "Walking" not in said


def test_events_and_sessions_outside_the_diary_are_not_drawn():
    trial = cases.make_trial(
        [cases.PAIN], events=[(-40, "long before"), (5, "inside")], sessions=cases.sessions(1, baseline=-30)
    )
    ax = plot_trial(trial).axes[0]
    texts = [text.get_text() for text in ax.texts]
    assert "inside" in texts
    assert "long before" not in texts
    assert not [text for text in texts if text.isdigit()]
