"""The indices of single-case research: the papers' numbers, the rules all obey, and cells that do not exist."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, make_trial
from scipy import stats
from typer.testing import CliRunner

import acu_nof1 as acu
from acu_nof1.cli import app
from acu_nof1.errors import UsageError
from acu_nof1.simulate import noise
from acu_nof1.single_case import INDICES, indices
from acu_nof1.single_case.asking import COLUMNS
from acu_nof1.single_case.for_r import for_r, r_script
from acu_nof1.single_case.rci import cut_offs, reliability_of_mean, reliable_change
from acu_nof1.single_case.segmented import segmented
from acu_nof1.trial import stack

PARKER = ((20, 20, 26, 25, 22, 23), (28, 25, 24, 27, 30, 30, 29))
TARLOW = ((33, 25, 17, 25, 19, 21, 19, 14, 19, 17), (14, 15, 15, 9, 12, 7, 10, 6, 5, 2, 2, 3, 5, 4))
SCALE = {"kind": "score", "range": [0, 100]}
DAYS = noise(1, 70, phi=0.4, seed=6)[0]
DIARY = np.round(6 + DAYS[:20], 1), np.round(4.8 + DAYS[20:], 1)


def series(before, after, better="higher", **more):
    return make_trial({"x": [*before, *after]}, baseline=len(before), x=SCALE | {"better": better} | more).comparisons()


def table(before, after, better="higher", goals=None, **more):
    return indices(series(before, after, better, **more), goals=goals).set_index("index")


def value(name, before, after, better="higher", column="value", **more):
    return table(before, after, better, **more).loc[name, column]


# ------------------------------------------------------------------ published numbers


def test_parker_vannest_davis_2011():
    """Effect size in single-case research: a review of nine nonoverlap techniques. Higher is better."""
    found = table(*PARKER)["value"]
    expected = {
        "pnd": 5 / 7, "pem": 1.0, "pand": 11 / 13, "ird": 0.690476, "nap": 38.5 / 42, "tau": 35 / 42, "phi": 0.690476, "tau_u": 0.738095,
    }  # fmt: skip
    for name, number in expected.items():
        assert found[name] == pytest.approx(number, abs=1e-6), name


def test_effect_sizes_of_the_same_data():
    """As the R package of Pustejovsky, Chen & Swan prints them (numbers only)."""
    found = table(*PARKER)
    expected = {
        "nap": (38.5 / 42, 0.0690066), "lrm": (0.218689, 0.076415), "lrr": (0.195396, 0.055577),
        "smd_glass": (1.959294, None), "smd_glass_j": (1.649932, None), "smd_hedges": (1.876247, None),
    }  # fmt: skip
    for name, (number, se) in expected.items():
        assert found.loc[name, "value"] == pytest.approx(number, abs=1e-6), name
        if se is not None:
            assert found.loc[name, "published_se"] == pytest.approx(se, abs=1e-6), name
    assert found.loc["nap", "published_low"] == pytest.approx(0.597319, abs=1e-6)
    assert found.loc["nap", "published_high"] == pytest.approx(0.985998, abs=1e-6)
    assert found.loc["nap", "published"] == "assumes independent days"


def test_parker_vannest_davis_sauber_2011():
    found = table((3, 3, 4, 5), (4, 5, 6, 7, 7))["value"]
    assert (found["tau"], found["tau_u"]) == (pytest.approx(16 / 20), pytest.approx(11 / 20))


def test_tau_u_as_parker_and_not_the_other_variants():
    """A=(2,3,5,3), B=(4,5,5,7,6): 0.65 of Parker 2011, where others have 0.50 and 0.4507; Tau is 16/20."""
    found = table((2, 3, 5, 3), (4, 5, 5, 7, 6))["value"]
    assert (found["tau"], found["tau_u"]) == (pytest.approx(0.80), pytest.approx(0.65))


def test_tarlow_2017():
    first = table((1, 2, 3, 4, 5), (6, 7, 8, 9, 10))["value"]
    assert (first["tau"], first["tau_u"], first["corrected_tau"]) == (pytest.approx(1), pytest.approx(0.6), 0.0)
    second = table(*TARLOW, better="lower").loc["corrected_tau"]
    assert second["value"] == pytest.approx(-28 / math.sqrt(140 * 272), abs=1e-9)
    assert second["published_se"] == pytest.approx(0.2856880, abs=1e-6)
    assert table(*TARLOW).loc["corrected_tau", "value"] == pytest.approx(0.1434860, abs=1e-6)


def test_lower_is_better():
    found = table((12, 14, 9, 10), (10, 6, 4, 5, 3, 4), better="lower")["value"]
    for name, number in {"nap": 0.9375, "pnd": 5 / 6, "pand": 0.9, "ird": 0.791667}.items():
        assert found[name] == pytest.approx(number, abs=1e-6), name


def test_kendall_1970_example_3_1():
    """S = 33, D = sqrt(41·36), tau-b = 0.859: of scipy, which corrected Tau is compared with below."""
    x = (1, 2.5, 2.5, 4.5, 4.5, 6.5, 6.5, 8, 9.5, 9.5)
    y = (1, 2, 4.5, 4.5, 4.5, 4.5, 8, 8, 8, 10)
    assert stats.kendalltau(x, y).statistic == pytest.approx(33 / math.sqrt(41 * 36), abs=1e-9)


def test_corrected_tau_by_scipy():
    """Theil–Sen line and tau-b of scipy, on a diary without ties."""
    before, after = (np.asarray(side) for side in (6 + DAYS[:20], 4.8 + DAYS[20:]))
    t = np.arange(70)
    slope = stats.theilslopes(before, t[:20]).slope
    left = np.concatenate([before, after]) - slope * t
    expected = -stats.kendalltau(left, t >= 20).statistic
    assert value("corrected_tau", before, after, better="lower") == pytest.approx(expected, abs=1e-9)


def test_borckardt_nash_2014():
    """Fictitious pain ratings: means 7.714286 and 2.928571, SD of the baseline 0.755929."""
    found = table((7, 9, 8, 7, 7, 8, 8), (3, 4, 2, 4, 2, 1, 4, 5, 3, 2, 1, 2, 4, 4), better="lower")["value"]
    assert found["smd_glass"] == pytest.approx(4.785714 / 0.755929, abs=1e-5)
    assert found["percent"] == pytest.approx(-100 * 4.785714 / 7.714286, abs=1e-5)
    assert found["pogo"] == pytest.approx(100 * 4.785714 / 7.714286, abs=1e-5)


def test_mcgraw_wong_1992_common_language():
    """Their heights: men 69.7 (SD 2.8), women 64.3 (SD 2.6): 0.92."""
    unit = np.array([-1.0, 1.0]) / np.sqrt(2)
    assert value("auc", 64.3 + 2.6 * unit, 69.7 + 2.8 * unit) == pytest.approx(0.92, abs=0.003)


def test_jacobson_truax_1991():
    assert reliable_change(-8, 5, 0.8) == pytest.approx(-2.529822, abs=1e-6)
    assert reliable_change(4, 5, 0.8) == pytest.approx(1.264911, abs=1e-6)
    assert cut_offs(20, 5, 10, 4) == {"a": pytest.approx(10), "b": pytest.approx(18), "c": pytest.approx((50 + 80) / 9)}


def test_spearman_brown():
    found = [round(reliability_of_mean(0.65, k), 3) for k in (3, 4, 5, 7, 14)]
    assert found == [0.848, 0.881, 0.903, 0.929, 0.963]


def test_conservative_dual_criterion_of_fisher_kelley_lomas_2003():
    """Their table: 10 treatment points need 9 above both lines, 5 need 5, 20 need 15."""
    rising = [5.0, 5.2, 5.1, 5.3, 5.0]
    for days, needed in ((5, 5), (10, 9), (20, 15)):
        for above, met in ((needed, "met"), (needed - 1, "not met")):
            note = value("cdc", rising, [9.0] * above + [1.0] * (days - above), column="note")
            assert note == f"{met}: {above} of {days} days, {needed} needed"


def test_percentage_zero_data_counts_from_the_first_zero():
    found = table((3, 2, 4, 3), (2, 1, 0, 1, 0, 0), better="lower")["value"]
    assert found["pzd"] == pytest.approx(3 / 4)
    assert table((3, 2, 4), (2, 1, 3), better="lower")["value"]["pzd"] == 0


def test_percentage_exceeding_the_trend():
    """Split-middle: halves (1, 2) and (3, 4) of the baseline rise by one a day; days on the line count half."""
    assert value("pet", (1, 2, 3, 4), (5, 7, 6, 9)) == pytest.approx((0.5 + 1 + 0 + 1) / 4)


def test_log_odds_of_yes_no_days():
    trial = make_trial(
        {"x": [1] * 8 + [0] * 2 + [1] * 5 + [0] * 15}, baseline=10, x={"kind": "yes_no", "better": "lower"}
    )
    found = indices(trial.comparisons()).set_index("index")
    assert found.loc["lor", "value"] == pytest.approx(-math.log((5.5 / 15.5) / (8.5 / 2.5)))
    assert found.loc["lor", "published_se"] == pytest.approx(math.sqrt(1 / 8.5 + 1 / 2.5 + 1 / 5.5 + 1 / 15.5))
    assert set(found.index) == {"pzd", "lor"}


# ------------------------------------------------------------------ rules that all obey (one test for every index)

BOUNDED = {"nap", "pnd", "pem", "pand", "ird", "phi", "pet", "cdc"}
RANKS = {
    "auc",
    "nap",
    "tau",
    "tau_u",
    "corrected_tau",
    "pnd",
    "pem",
    "pand",
    "ird",
    "phi",
    "pet",
    "cdc",
    "smd_glass",
    "smd_glass_j",
    "smd_hedges",
    "rci",
}
OF_LEVELS = [index.name for index in INDICES if index.name not in ("lor", "pzd")]
NUMBERS = ["value", "published_se", "published_low", "published_high", "low", "high"]


def numbers(found):
    return found[NUMBERS].to_numpy(dtype=float)


@pytest.mark.parametrize("name", OF_LEVELS)
class TestRules:
    def test_shifted_and_stretched_days_leave_it_alone(self, name):
        """Those that do not need a true zero: y → a + b·y."""
        first, second = (table(*each).loc[name] for each in (DIARY, tuple(20 + 3 * side for side in DIARY)))
        if name in RANKS:
            np.testing.assert_allclose(numbers(second), numbers(first), rtol=1e-6, atol=1e-8)
        else:
            assert second["value"] != pytest.approx(first["value"], rel=1e-3)

    def test_turning_the_direction_round(self, name):
        """Lower is better on the mirrored scale is the same as higher is better."""
        mirrored = tuple(100 - side for side in DIARY)
        first, second = table(*DIARY), table(*mirrored, better="lower")
        if name in RANKS:
            np.testing.assert_allclose(numbers(second.loc[name]), numbers(first.loc[name]), rtol=1e-6, atol=1e-8)

    def test_the_other_direction_of_the_same_days(self, name):
        first, second = (table(*DIARY, better=better).loc[name] for better in ("higher", "lower"))
        if name == "nap":
            assert second["value"] == pytest.approx(1 - first["value"])
            assert (second["low"], second["high"]) == (
                pytest.approx(1 - first["high"]),
                pytest.approx(1 - first["low"]),
            )
            assert second["published_se"] == pytest.approx(first["published_se"])
        elif name in {"tau", "tau_u", "corrected_tau", "smd_glass", "smd_glass_j", "smd_hedges", "lrr", "lrm", "rci"}:
            assert second["value"] == pytest.approx(-first["value"])
        elif name == "percent":
            assert second["value"] == pytest.approx(first["value"])

    def test_a_missing_day_is_an_absent_row(self, name):
        before, after = (side.copy() for side in DIARY)
        before[3], after[7] = np.nan, np.nan
        gappy = series(before, after)
        absent = gappy.take([0])
        blank = np.isnan(absent.values)
        object.__setattr__(absent, "phase", np.where(blank, -1, absent.phase))
        np.testing.assert_allclose(
            numbers(indices(gappy).set_index("index").loc[name]),
            numbers(indices(absent).set_index("index").loc[name]),
            atol=1e-10,
        )

    def test_alone_and_in_company(self, name):
        rng = np.random.default_rng(4)
        others = [series(rng.uniform(2, 9, 12), rng.uniform(2, 9, 40)) for _ in range(6)]
        alone = table(*DIARY).loc[name]
        many = indices(stack([*others[:3], series(*DIARY), *others[3:]]))
        own = many[many["index"] == name].iloc[3]
        np.testing.assert_allclose(numbers(own), numbers(alone), rtol=1e-9, atol=1e-10)

    def test_integers_and_floats_agree(self, name):
        whole = tuple(np.round(side).astype(int) for side in DIARY)
        first, second = table(*whole), table(*(side.astype(float) for side in whole))
        np.testing.assert_array_equal(numbers(first.loc[name]), numbers(second.loc[name]))

    @pytest.mark.parametrize(
        "days",
        [
            ((5,) * 6, (5,) * 9),
            ((0,) * 6, (3, 4, 0, 5, 2)),
            ((4, 5, 6), (0,) * 8),
            ((5,), (4, 3, 6, 2)),
            ((5, 6, 4), (3,)),
            ((1, 2, 3, 4, 5), (6, 7, 8, 9, 10)),
        ],
        ids=["constant", "zeros before", "zeros after", "one day before", "one day after", "no overlap"],
    )
    def test_what_does_not_exist_says_why_and_nothing_crashes(self, name, days):
        row = table(*days, better="lower").loc[name]
        assert (row["status"] == "ok") == math.isfinite(row["value"])
        assert bool(row["reason"]) == (row["status"] != "ok")
        if row["status"] == "ok":
            assert row["interval"]
            assert math.isfinite(row["low"]) == (not row["interval"].startswith("no interval"))
        else:
            assert not np.isfinite(row[NUMBERS].to_numpy(dtype=float)).any()

    def test_bounded_ones_stay_in_their_bounds(self, name):
        rng = np.random.default_rng(9)
        many = indices(stack([series(rng.integers(0, 11, 6), rng.integers(0, 11, 20)) for _ in range(40)]))
        found = many.loc[many["index"] == name, "value"].dropna()
        assert len(found) > 30
        if name in BOUNDED - {"ird", "phi"}:
            assert found.between(0, 1).all()


# ------------------------------------------------------------------ as users meet them


def test_every_index_says_what_it_asks_and_what_it_cannot_say():
    for index in INDICES:
        assert index.asks.endswith(("?", ")")), index.name
        assert index.cannot.endswith("."), index.name
        assert any(part.isdigit() for part in index.source), index.name
    assert len({index.name for index in INDICES}) == len(INDICES)


def test_the_table_is_tidy_and_says_what_is_assumed():
    found = table(*DIARY, better="lower").reset_index()[list(COLUMNS)]
    assert found["status"].eq("ok").all()
    assert found["interval"].str.len().gt(0).all()
    assert found.loc[found["published_se"].notna(), "published"].eq("assumes independent days").all()
    assert found.loc[found["low"].notna(), "index"].tolist() == ["nap", "tau", "lrr", "percent", "pogo"]


def test_no_value_lies_outside_its_own_interval():
    """The plain means and the fitted levels part in slow noise with gaps; then there is no interval, and it is said."""
    rng = np.random.default_rng(6)
    days = noise(250, 84, phi=0.85, seed=3) * 1.3 + 6 - 1.5 * (np.arange(84) >= 14)
    days[rng.random(days.shape) < 0.3] = np.nan
    found = indices(stack([series(row[:14], row[14:], better="lower") for row in days.clip(0.1, 10)]))
    assert not ((found["value"] < found["low"]) | (found["value"] > found["high"])).any()
    parted = found["interval"].str.contains("lie elsewhere than the plain means")
    assert found.loc[parted, ["low", "high"]].isna().all(axis=None)


def test_goals():
    assert value("pogo", (8, 7, 9, 8, 8), (4, 4, 4, 4, 4), better="lower", goals={"x": 2}) == pytest.approx(100 * 4 / 6)
    there = table((1, 2, 1, 2, 1), (1, 1, 1, 1, 1), better="lower", goals={"x": 3}).loc["pogo"]
    assert there["reason"] == "the baseline is at the goal already, or beyond it"


def test_designs_with_more_phases_are_told_so():
    parts = series(*DIARY)
    phase = parts.phase.copy()
    phase[:, -20:] = 2
    found = indices(replace(parts, phase=phase))
    assert found["reason"].eq("it compares two phases, and this design has more").all()


def test_a_cohort_s_table_is_the_public_function():
    assert acu.indices is indices
    assert acu.INDICES is INDICES


def test_the_command_prints_a_line_each_and_writes_the_table(tmp_path):
    back = ROOT / "sample_data" / "low_back_pain"
    ran = CliRunner().invoke(
        app, ["indices", str(back), "--index", "nap", "--index", "pogo", "--goal", "pain=2", "--explain"]
    )
    assert ran.exit_code == 0
    assert re.search(
        r"Pain \(pain\)\n  non-overlap of all pairs: 0\.\d{3}; 95 % 0\.\d{3} to 0\.\d{3}, autocorrelation allowed for; published",
        ran.output,
    )
    assert "None of these is the headline" in ran.output
    assert "nap: How likely was a treatment day better than a baseline day? It cannot say: By how much" in ran.output
    ran = CliRunner().invoke(app, ["indices", str(back), "--csv", str(tmp_path / "i.csv")])
    written = pd.read_csv(tmp_path / "i.csv", keep_default_na=False)
    assert list(written.columns) == list(COLUMNS)
    trial = acu.read_trial(back)
    look = trial.default_look()
    ours = indices(trial.at(look).comparisons(look))
    np.testing.assert_allclose(pd.to_numeric(written["value"]), ours["value"], rtol=1e-12)


def test_everybody_s_indices_are_a_table(tmp_path):
    ran = CliRunner().invoke(
        app, ["indices", str(ROOT / "sample_data" / "clinic"), "--index", "nap", "--csv", str(tmp_path / "i.csv")]
    )
    assert ran.exit_code == 0
    assert "57 people, 171 rows." in ran.output
    assert "Not readable, and not in it: C-17, C-31, C-44." in ran.output
    assert pd.read_csv(tmp_path / "i.csv")["person"].nunique() == 57


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--index", "foo"], "there is no index foo. Known: nap, auc, tau"),
        (["--goal", "pain=low"], "--goal pain=low: a number is expected"),
        (["--goal", "mood=2"], "no outcome is called mood"),
    ],
)
def test_wrong_use_is_said(options, said):
    ran = CliRunner().invoke(app, ["indices", str(ROOT / "sample_data" / "low_back_pain"), *options])
    assert isinstance(ran.exception, UsageError)
    assert said in str(ran.exception)


def test_what_r_reads_and_runs():
    """The tidy layout, and calls that name our indices; numbers are compared with what those packages print above."""
    trial = make_trial({"x": [*PARKER[0], *PARKER[1]]}, baseline=6, x=SCALE | {"better": "higher"})
    comparisons = trial.comparisons()
    found = for_r(comparisons)
    assert list(found.columns) == ["case", "outcome", "phase", "session", "value", "improvement"]
    assert found["phase"].tolist() == ["A"] * 6 + ["B"] * 7
    assert found["session"].tolist() == list(range(1, 14))
    assert found["value"].tolist() == [*map(float, PARKER[0]), *map(float, PARKER[1])]
    assert set(found["improvement"]) == {"increase"}
    script = r_script("diary.csv")
    for call in ("SingleCaseES::batch_calc_ES", "nlme::gls", "scan::scdf", "corCAR1", 'read.csv("diary.csv")'):
        assert call in script


# ------------------------------------------------------------------ segmented regression

SEGMENTS = ((54, 53, 56, 58, 52), (61, 62, 71, 66, 64, 78, 70, 74, 82, 77, 86, 68, 80, 86, 87))


@pytest.mark.parametrize(
    ("coding", "intercept", "level"), [("W", 54.4, 7.858333), ("H-M", 54.3, 7.858333), ("B&L-B", 54.3, 6.333333)]
)
def test_huitema_mckean_2000_and_the_other_codings(coding, intercept, level):
    """Trend 0.1, slope change 1.525 (SE 1.616067); level 7.858333 (SE 5.816499) on the first B day, 6.333 one day before."""
    found = segmented(series(*SEGMENTS), coding).set_index("term")
    expected = {"intercept": intercept, "trend": 0.1, "level": level, "slope": 1.525}
    for term, number in expected.items():
        assert found.loc[term, "ols"] == pytest.approx(number, abs=1e-6), term
    assert found.loc["slope", "ols_se"] == pytest.approx(1.616067, abs=1e-6)
    if level > 7:
        assert found.loc["level", "ols_se"] == pytest.approx(5.816499, abs=1e-6)
    assert found["ols_assumes"].eq("assumes independent days").all()
    assert (found["low"] < found["value"]).all()
    assert (found["value"] < found["high"]).all()


def test_huitema_mckean_2000_whole_model():
    """F(3, 16) = 28.68918, R² 0.843241, from the four terms that the table gives."""
    term = segmented(series(*SEGMENTS)).set_index("term")["ols"]
    y, day = np.array([*SEGMENTS[0], *SEGMENTS[1]], float), np.arange(20)
    since = np.where(day >= 5, day - 5, 0)
    fitted = term["intercept"] + term["trend"] * day + term["level"] * (day >= 5) + term["slope"] * since
    explained = 1 - np.sum((y - fitted) ** 2) / np.sum((y - y.mean()) ** 2)
    assert explained == pytest.approx(0.843241, abs=5e-7)
    assert explained / 3 / ((1 - explained) / 16) == pytest.approx(28.68918, abs=5e-6)


def test_our_level_is_that_of_the_estimator():
    comparisons = series(*DIARY, better="lower")
    (row,) = acu.estimate_all(comparisons, [each for each in acu.ESTIMATORS if each.question == "level_change"])
    ours = segmented(comparisons, "H-M").set_index("term").loc["level"]
    assert (ours["value"], ours["low"], ours["high"]) == (
        pytest.approx(row.after - row.before, abs=1e-9), pytest.approx(row.low, abs=1e-6), pytest.approx(row.high, abs=1e-6)
    )  # fmt: skip


def test_segments_that_do_not_exist_and_wrong_codings_are_said():
    found = segmented(series((5, 5, 6, 5, 6), (3,)))
    assert found["status"].eq("not_estimable").all()
    assert found["reason"].str.contains("only 1 day answered during treatment").all()
    assert found[["value", "low", "high", "ols"]].isna().all(axis=None)
    with pytest.raises(UsageError, match="there is no coding HM"):
        segmented(series(*DIARY), "HM")
