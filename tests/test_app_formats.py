"""What apps export: FHIR, Trialist, Migraine Buddy, Bearable, Daylio, from files of known truth."""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import replace

import formats_apps as apps
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from acu_nof1.errors import AcuError, UnreadableFileError
from acu_nof1.load.diaries import read_diary
from acu_nof1.load.formats import migraine_buddy
from acu_nof1.load.propose import propose
from acu_nof1.load.trials import read_trial
from acu_nof1.outcomes import OUTCOMES, Outcome

PAIN = replace(OUTCOMES["nrs_pain"], name="pain")
HEADACHE = replace(OUTCOMES["headache_day"], name="headache")
RESCUE = replace(OUTCOMES["rescue_day"], name="rescue")
SLEEP = replace(OUTCOMES["csd_tst"], name="sleep")
MOOD = Outcome("mood", "Mood", "rating", "points", 1, 5, "higher")
STEPS = Outcome("steps", "Steps", "count", unit="steps/day", better="higher")
TRACKED = (apps.START, apps.START + dt.timedelta(days=69))


@pytest.fixture
def read(tmp_path):
    def reading(content, *outcomes, name="export.json", **how):
        return read_diary(apps.written(tmp_path / name, content), outcomes=outcomes or (PAIN,), **how)

    return reading


def said(diary, severity=None):
    return "\n".join(str(problem) for problem in diary.problems if severity in (None, problem.severity))


def same(found, truth):
    """The same days, values and gaps."""
    pd.testing.assert_series_equal(found, truth, check_names=False, check_freq=False, check_index_type=False)


def left(diary):
    return dict(diary.ignored[["reason", "records"]].itertuples(index=False, name=None))


# ----------------------------------------------------------------------------------------------------- FHIR


@pytest.mark.parametrize("made", [apps.as_integers, apps.as_quantities, apps.as_codes, apps.as_questionnaires])
@pytest.mark.parametrize("wrapped", [apps.bundle, tuple, list], ids=["bundle", "lines", "list"])
def test_fhir_comes_back_as_it_was(read, made, wrapped):
    truth = apps.ratings()
    columns = {"pain": "pain"} if made is apps.as_questionnaires else {}
    found = read(wrapped(made(truth)), columns=columns)
    same(found.values["pain"], truth)
    answered = int(truth.notna().sum())
    assert (found.counts.read, found.counts.kept + found.counts.converted, found.counts.ignored) == (answered,) * 2 + (
        0,
    )
    assert "read as FHIR R4 resources" in said(found, "note")
    assert said(found, "warning") + said(found, "error") == ""
    assert "Nobody" not in said(found) + found.ledger.to_csv()


def test_fhir_of_a_single_resource(read):
    assert read(apps.observation("2026-01-05", 6)).values["pain"].tolist() == [6]


@pytest.mark.parametrize(("number", "code"), list(enumerate(apps.LA)))
@pytest.mark.parametrize("question", ["72514-3", "75893-8"])
def test_coded_answers_of_loinc_72514_3_count_by_code(read, number, code, question):
    answer = {"coding": [{"system": apps.LOINC, "code": code, "display": "2 or more"}]}
    found = read(apps.observation("2026-01-05", code=question, valueCodeableConcept=answer))
    assert found.values["pain"].tolist() == [number]
    assert found.ledger["raw"].tolist() == [code]


def test_two_or_more_is_an_open_number_outside_the_scale_of_pain(read):
    falls = [apps.observation(f"2026-01-0{day}", code="falls", valueCodeableConcept={"coding": [apps.coding(apps.LA[n])]})
             for day, n in ((5, 0), (6, 1), (7, 2))]  # fmt: skip
    found = read(apps.bundle(falls), STEPS, columns={"steps": "falls"})
    np.testing.assert_array_equal(found.values["steps"], [0, 1])
    assert found.ledger.query("status == 'rejected'")["raw"].tolist() == ["LA6113-0"]
    # Beside a code of 3 or more the list is that of 0 to 10.
    more = [
        *falls,
        apps.observation("2026-01-08", code="falls", valueCodeableConcept={"coding": [apps.coding(apps.LA[3])]}),
    ]
    np.testing.assert_array_equal(read(apps.bundle(more), STEPS, columns={"steps": "falls"}).values["steps"], range(4))


def test_codes_of_other_systems_are_no_numbers_unless_declared_or_weighed(read):
    days = [f"2026-01-0{day}" for day in (5, 6)]
    local = [
        apps.observation(day, valueCodeableConcept={"coding": [apps.coding("3", "urn:x", "moderate")]}) for day in days
    ]
    found = read(apps.bundle(local))
    assert found.ledger[["raw", "status"]].to_numpy().tolist() == [["urn:x|3", "rejected"]] * 2
    declared = read(apps.bundle(local), words={"urn:x|3": 5})
    assert declared.values["pain"].tolist() == [5, 5]
    weight = {"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 4}
    weighed = apps.questionnaire(
        days[0], [{"linkId": "pain", "answer": [{"valueCoding": {**apps.coding("c", "urn:x"), "extension": [weight]}}]}]
    )
    assert read(weighed, columns={"pain": "pain"}).values["pain"].tolist() == [4]


@pytest.mark.parametrize(
    ("quantity", "outcome", "value"),
    [
        ({"value": 7.5, "unit": "hours", "system": "http://unitsofmeasure.org", "code": "h"}, SLEEP, 450),
        ({"value": 440, "code": "min", "system": "http://unitsofmeasure.org"}, SLEEP, 440),
        ({"value": 5, "code": "m", "system": "http://unitsofmeasure.org"}, SLEEP, None),  # metres, not minutes
        ({"value": 5, "comparator": "<"}, PAIN, None),
        ({"value": 5, "unit": "{score}"}, PAIN, 5),
        ({"value": 5, "code": "1", "system": "http://unitsofmeasure.org"}, PAIN, 5),
        ({"value": 50, "unit": "mm"}, PAIN, None),
    ],
)
def test_units_of_quantities(read, quantity, outcome, value):
    days = [apps.observation("2026-01-04", 8), apps.observation("2026-01-05", valueQuantity=quantity)]
    found = read(
        apps.bundle(days), outcome, columns={outcome.name: "72514-3"}, units={} if outcome is PAIN else {"sleep": "h"}
    )
    assert found.values[outcome.name].get(pd.Timestamp("2026-01-05")) == value
    assert (found.counts.rejected == 1) == (value is None)


def test_the_day_is_the_local_day_as_written(read):
    written = {
        "2026-01-05T23:30:00-08:00": "2026-01-05",
        "2026-02-05T00:30:00+13:00": "2026-02-05",
        "2026-03-05T23:59:59.123+01:00": "2026-03-05",
        "2026-04-05": "2026-04-05",
    }
    observed = [apps.observation("", i, effectiveDateTime=text) for i, text in enumerate(written)]
    found = read(apps.bundle(observed))
    assert [str(day.date()) for day in found.values["pain"].dropna().index] == list(written.values())
    assert "UTC" not in said(found)
    assert "times that end in Z are in UTC" in said(
        read(apps.observation("", 5, effectiveDateTime="2026-01-06T05:00:00Z"))
    )


def test_a_period_counts_on_its_last_day_and_a_month_is_no_day(read):
    period = {"start": "2026-01-05", "end": "2026-01-11"}
    found = read(apps.bundle([apps.observation("", 4, effectiveDateTime=None, effectivePeriod=period),
                              apps.observation("", 5, effectiveDateTime="2026-01"),
                              apps.observation("", 6, effectiveDateTime=None)]))  # fmt: skip
    assert found.values["pain"].to_dict() == {pd.Timestamp("2026-01-11"): 4}
    assert (found.counts.kept, found.counts.rejected) == (1, 2)
    assert "1 observation is about a period: its last day counts" in said(found)


def test_status_withdraws_and_is_told(read):
    observed = [apps.observation(f"2026-01-0{5 + i}", i, status=status) for i, status in
                enumerate(["final", "entered-in-error", "cancelled", "preliminary", "amended"])]  # fmt: skip
    found = read(apps.bundle(observed))
    np.testing.assert_array_equal(found.values["pain"], [0, np.nan, np.nan, 3, 4])
    assert left(found) == {'resources with status "entered-in-error"': 1, 'resources with status "cancelled"': 1}
    assert '1 resource has the status "preliminary"' in said(found, "note")


def versions(*stored):
    return [apps.observation("2026-01-05", value, id="a", meta=meta, **more) for value, meta, more in stored]


@pytest.mark.parametrize("turn", [1, -1])
def test_the_newest_version_counts_wherever_it_stands(read, turn):
    numbered = versions((1, {"versionId": "9"}, {}), (2, {"versionId": "10"}, {}), (3, {"versionId": "2"}, {}))
    found = read(apps.bundle(numbered[::turn]))
    assert (found.values["pain"].tolist(), found.counts.read, found.counts.ignored) == ([2], 1, 2)
    dated = versions(
        (1, {"lastUpdated": "2026-01-06T01:00:00+02:00"}, {}), (2, {"lastUpdated": "2026-01-05T23:30:00Z"}, {})
    )
    assert read(apps.bundle(dated[::turn])).values["pain"].tolist() == [2]


def test_an_older_version_does_not_rise_again_when_the_newest_is_withdrawn(read):
    other = apps.observation("2026-01-06", 6, id="b")
    gone = versions((1, {"versionId": "1"}, {}), (1, {"versionId": "2"}, {"status": "entered-in-error"}))
    found = read(apps.bundle([*gone, other]))
    assert (found.values["pain"].tolist(), found.counts.ignored) == ([6], 2)
    history = apps.bundle([gone[0], other])
    history["entry"].insert(0, {"request": {"method": "DELETE", "url": "Observation/a"}})
    assert (read(history).values["pain"].tolist(), read(history).counts.ignored) == ([6], 2)


@pytest.mark.parametrize(
    "reference", ["Observation/a", "http://server/fhir/Observation/a/_history/1", "http://server/0"]
)
def test_a_replaced_observation_is_left_out(read, reference):
    extension = [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/observation-replaces",
            "valueReference": {"reference": reference},
        }
    ]
    found = read(
        apps.bundle(
            [apps.observation("2026-01-05", 9, id="a"), apps.observation("2026-01-05", 4, id="b", extension=extension)]
        )
    )
    assert (found.values["pain"].tolist(), found.counts.ignored) == ([4], 1)


def test_a_reason_for_no_answer_is_missing_and_stays_in_the_ledger(read):
    refused = apps.observation("2026-01-06", dataAbsentReason={"coding": [{"code": "asked-declined"}]})
    blank = apps.observation("2026-01-07")
    found = read(apps.bundle([apps.observation("2026-01-05", 6), refused, blank]))
    assert (found.counts.kept, found.counts.missing) == (1, 2)
    assert found.ledger[["raw", "status"]].to_numpy().tolist() == [["asked-declined", "missing"]]


def test_components_panels_and_other_resources(read):
    parts = [{"code": {"coding": [{"system": apps.LOINC, "code": code}]}, "valueInteger": value}
             for code, value in (("72514-3", 3), ("91147-9", 5))]  # fmt: skip
    resources = [
        apps.observation("2026-01-05", code="panel", component=parts),
        apps.observation("2026-01-05", code="group", hasMember=[{"reference": "Observation/x"}]),
        {"resourceType": "Patient", "id": "p1", "name": [{"family": "Atall"}]},
        {key: value for key, value in apps.observation("2026-01-05", 1).items() if key != "code"},
    ]
    found = read(apps.bundle([*resources, 5]), PAIN, replace(OUTCOMES["peg"], name="peg"))
    assert found.values.iloc[0].tolist() == [3, 5]
    assert sum(left(found).values()) == 4
    assert len(left(found)) == 4


def test_people_are_told_apart_and_never_named(read):
    theirs = [
        apps.observation("2026-01-05", value, subject={"reference": f"Patient/{who}"})
        for who, value in (("a", 3), ("b", 7))
    ]
    with pytest.raises(UnreadableFileError, match="2 people"):
        read(apps.bundle(theirs))
    found = read(apps.bundle(theirs), person="Patient/b")
    assert (found.values["pain"].tolist(), left(found)) == ([7], {"rows of other people": 1})


def test_questions_that_two_questionnaires_number_alike_are_told_apart(read):
    forms = [apps.questionnaire("2026-01-05", [{"linkId": "1", "answer": [{"valueInteger": value}]}], questionnaire=f"http://x/{name}|2")
             for name, value in (("morning", 3), ("evening", 7))]  # fmt: skip
    with pytest.raises(UnreadableFileError, match="http://x/evening#1"):
        read(apps.bundle(forms), columns={"pain": "1"})
    assert read(apps.bundle(forms), columns={"pain": "http://x/evening#1"}).values["pain"].tolist() == [7]


def test_unanswered_questions_and_questions_within_answers(read):
    inner = {"linkId": "pain", "answer": [{"valueDecimal": 6.5}]}
    item = {"linkId": "any", "answer": [{"valueBoolean": True, "item": [inner]}]}
    found = read(apps.bundle([apps.questionnaire("2026-01-05", [item]), apps.questionnaire("2026-01-06", [{"linkId": "pain"}]),
                              apps.questionnaire("2026-01-07", [])]), columns={"pain": "pain"})  # fmt: skip
    assert (found.values["pain"].dropna().tolist(), found.counts.missing, found.counts.ignored) == ([6.5], 1, 1)


def test_rows_are_the_resources_and_late_answers_are_flagged(read):
    found = read(apps.bundle([apps.observation("2026-01-05", 5), apps.observation("2026-01-06", 50),
                              apps.observation("2026-01-07", 5, issued="2026-01-20T08:00:00+01:00")]))  # fmt: skip
    assert found.ledger["row"].tolist() == [2]
    assert "1 of 3 entries were typed more than a day late" in said(found, "warning")


def test_past_week_is_said(read):
    assert "asks about the past week" in said(read(apps.observation("2026-01-05", 5, code="75893-8")))
    both = read(apps.bundle([apps.observation("2026-01-05", 5, code="75893-8"), apps.observation("2026-01-05", 2)]))
    assert both.values["pain"].tolist() == [2]


# ------------------------------------------------------------------------------------------------- Trialist


def test_trialist_comes_back_as_it_was(read):
    truth = apps.ratings()
    labels = ["A"] * 30 + ["B"] * 30
    found = read(apps.trialist(truth, labels))
    same(found.values["pain"], truth)
    assert found.counts.read == len(truth)
    assert found.counts.missing == truth.isna().sum()
    assert found.phase_labels.tolist() == labels
    assert "read as Trialist data" in said(found, "note")
    assert 'trial_start_date in the file is "2026-01-05"' in said(found, "note")


def test_trialist_records_that_are_none_are_counted(read):
    file = apps.trialist(apps.ratings(5), "AAABB")
    file["data"] += ["no record", None]
    assert read(file).counts.ignored == 2
    with pytest.raises(UnreadableFileError, match='no list "data"'):
        read({"data": {"timestamp": 1}, "regimen": ""}, layout="trialist")


# ------------------------------------------------------------------------------------------- Migraine Buddy


def calendar(tracked=TRACKED):
    return pd.date_range(*tracked)


def truth_of(log, days, value, reduce=max):
    """By day, the reduced values of the attacks that touch it (minute by minute); 0 without an attack."""
    touched = [(each, each.days()) for each in log]
    by_day = {day: [value(each, day) for each, own in touched if day.date() in own] for day in days}
    return pd.Series(
        {day: 0.0 if not values else reduce(known) if (known := [v for v in values if v is not None]) else np.nan
         for day, values in by_day.items()}
    )  # fmt: skip


def medicine(attack, day):
    """Taken on the day on which it began; on later days only what was not taken at all is known."""
    if attack.medication == "No medication":
        return 0.0
    return 1.0 if attack.medication and day.date() == attack.start.date() else None


@pytest.mark.parametrize("joined", [False, True], ids=["two columns", "one column"])
@pytest.mark.parametrize(("order", "dayfirst"), [("%d/%m/%y", True), ("%m/%d/%y", False)])
@pytest.mark.parametrize("seed", [3, 4])
def test_attacks_come_back_as_the_days_they_touched(read, joined, order, dayfirst, seed):
    log = [each for each in apps.attacks(seed=seed) if each.days()[-1] <= TRACKED[1]]
    page = apps.migraine_buddy(log, order, joined=joined)
    found = read(page, HEADACHE, PAIN, RESCUE, name="report.html", dayfirst=dayfirst, tracked=TRACKED)
    for name, value in (("headache", lambda *_: 1.0), ("pain", lambda a, _: float(a.pain)), ("rescue", medicine)):
        same(found.values[name].reindex(calendar()), truth_of(log, calendar(), value))
    counts = found.counts
    assert counts.read == 4 * len(log)  # the cells of four columns
    assert left(found) == {"rows of notes below an attack": len(log)}
    assert "read as Migraine Buddy report" in said(found, "note")
    assert "0151" not in said(found) + found.ledger.to_csv()
    assert "Out" not in set(found.ledger["raw"])


def test_without_a_declared_span_free_days_stay_missing(read):
    log = [apps.Attack(dt.datetime(2026, 1, 13, 9), 60), apps.Attack(dt.datetime(2026, 1, 20, 22), 300)]
    found = read(apps.migraine_buddy(log, newest_first=False), HEADACHE, name="report.html")
    assert found.values["headache"].dropna().to_dict() == {
        pd.Timestamp(day): 1 for day in ("2026-01-13", "2026-01-20", "2026-01-21")
    }
    assert "declare the first and the last day, as in tracked = [2026-01-13, 2026-01-21]" in said(found, "warning")
    assert 'the report covers "1/5/26 - 3/15/26"' in said(found, "note")
    chosen = apps.migraine_buddy(log).replace("<td>All</td>", "<td>Migraine</td>")
    assert 'attacks of type "Migraine" only' in said(read(chosen, HEADACHE, name="report.html"), "warning")


def test_the_order_of_day_and_month_is_asked_about(read):
    page = apps.migraine_buddy(
        [apps.Attack(dt.datetime(2026, 2, 1, 9), 60), apps.Attack(dt.datetime(2026, 2, 2, 9), 60)]
    )
    found = read(page, HEADACHE, name="report.html", tracked=TRACKED)
    assert "dayfirst = true" in said(found, "error")
    assert found.values.empty  # no day is free while nobody knows when the attacks were
    assert found.counts.rejected == 4  # start and length of both
    assert read(page, HEADACHE, name="report.html", dayfirst=False, tracked=TRACKED).values["headache"].sum() == 2


@pytest.mark.parametrize(
    ("start", "minutes", "last"),
    [
        (dt.datetime(2026, 1, 13, 21, 6), 174, "2026-01-13"),  # ends at midnight: the next day is not touched
        (dt.datetime(2026, 1, 13, 21, 6), 175, "2026-01-14"),
        (dt.datetime(2026, 1, 13, 0, 0), 1440, "2026-01-13"),
        (dt.datetime(2026, 1, 13, 23, 59), 0, "2026-01-13"),
        (dt.datetime(2026, 1, 13, 21, 6), 72 * 60, "2026-01-16"),
    ],
)
def test_attacks_cross_midnight(read, start, minutes, last):
    found = read(apps.migraine_buddy([apps.Attack(start, minutes)]), HEADACHE, name="report.html", tracked=TRACKED)
    yes = found.values.index[found.values["headache"] == 1]
    assert [str(day.date()) for day in yes[[0, -1]]] == ["2026-01-13", last]
    assert len(found.values) == 70


def test_an_unknown_length_leaves_three_days_open(read):
    log = [apps.Attack(dt.datetime(2026, 1, 13, 9), None), apps.Attack(dt.datetime(2026, 1, 15, 9), 60)]
    found = read(apps.migraine_buddy(log), HEADACHE, name="report.html", tracked=TRACKED)
    np.testing.assert_array_equal(found.values["headache"]["2026-01-12":"2026-01-17"], [0, 1, np.nan, 1, np.nan, 0])
    assert "the 3 days after it are left open" in said(found, "warning")
    endless = [apps.Attack(dt.datetime(2026, 1, 13, 9), 61 * 1440)]
    found = read(apps.migraine_buddy(endless), HEADACHE, name="report.html", tracked=TRACKED)
    assert found.values["headache"].sum() == 1
    assert found.ledger["rule"].tolist() == ["an attack of more than 60 days"]


def test_an_attack_on_an_unreadable_day_leaves_no_day_free(read):
    text = "Begun,Duration,Headache\n2026-01-13 21:06,1 h 00 min,yes\nsome day,90,yes\n"
    found = read(text, HEADACHE, name="log.csv", columns={"date": "Begun", "lasted": "Duration"}, tracked=TRACKED)
    assert found.values["headache"].to_dict() == {pd.Timestamp("2026-01-13"): 1}
    assert "row 3 column Begun: an attack on a day that cannot be read: no day is known to be free" in said(
        found, "warning"
    )


def test_blank_cells_of_an_attack_are_missing_and_not_zero(read):
    log = [apps.Attack(dt.datetime(2026, 1, 13, 9), 60, pain="", medication="")]
    found = read(apps.migraine_buddy(log), HEADACHE, PAIN, RESCUE, name="report.html", tracked=TRACKED)
    assert found.values.loc["2026-01-13"].tolist()[0] == 1
    assert found.values.loc["2026-01-13", ["pain", "rescue"]].isna().all()
    assert found.values["rescue"].notna().sum() == 69


def test_the_ledger_names_the_attack_by_its_number(read):
    log = [apps.Attack(dt.datetime(2026, 1, 13 + i, 9), 60, pain=pain) for i, pain in enumerate(["5", "42", "6-7"])]
    page = apps.migraine_buddy(log).replace("<td>1<", "<td>101<")
    found = read(page, PAIN, name="report.html", tracked=TRACKED)
    own = found.ledger[found.ledger["outcome"] == "pain"]
    assert own[["row", "column", "raw", "status"]].to_numpy().tolist() == [
        [1, "Pain Level", "6-7", "converted"],
        [2, "Pain Level", "42", "rejected"],
    ]


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"tracked": TRACKED[::-1]}, "tracked ends on 2026-01-05, before it begins on 2026-03-15"),
        ({"columns": {"pain": "Started"}}, "is no yes or no"),
        ({"columns": {"pain": "Pain Levels"}}, "Did you mean"),
    ],
)
def test_wrong_declarations_of_a_log(read, how, match):
    with pytest.raises(UnreadableFileError, match=match):
        read(apps.migraine_buddy(apps.attacks()), name="report.html", **how)


def test_a_span_belongs_to_a_log(read):
    with pytest.raises(UnreadableFileError, match="tracked belongs to a log of attacks"):
        read("date,pain\n2026-01-05,6\n", name="pain.csv", tracked=TRACKED)


def test_an_attack_outside_the_span_is_said(read):
    log = [apps.Attack(dt.datetime(2026, 1, 13, 9), 60), apps.Attack(dt.datetime(2026, 4, 20, 9), 60)]
    found = read(apps.migraine_buddy(log), HEADACHE, name="report.html", tracked=TRACKED)
    assert "row 1 column Started: an attack outside the declared tracked = [2026-01-05, 2026-03-15]" in said(
        found, "warning"
    )
    assert found.values["headache"].sum() == 2


def test_any_table_with_a_length_is_a_log(read):
    text = "Begun,Duration,How bad\n2026-01-13T21:06:00+01:00,6 h 30 min,7\n2026-01-20 10:00 pm,90,4\n"
    columns = {"date": "Begun", "lasted": "Duration", "headache": "Begun", "pain": "How bad"}
    found = read(text, HEADACHE, PAIN, name="log.csv", columns=columns, tracked=TRACKED)
    assert [str(day.date()) for day in found.values.index[found.values["headache"] == 1]] == [
        "2026-01-13", "2026-01-14", "2026-01-20"]  # fmt: skip
    assert found.values["pain"].sum() == 7 + 7 + 4
    declared = read(
        text, PAIN, name="log.csv", columns={k: v for k, v in columns.items() if k != "headache"}, reducer="mean"
    )
    assert declared.values["pain"].sum() == 18


# -------------------------------------------------------------------------------------------- hostile pages


PAGE = apps.migraine_buddy(apps.attacks(6))
HOSTILE = {
    "unclosed tags": "<a " * 300_000,
    "nested tables": "<table><tr><td>" * 100_000,
    "unclosed comment": "<table>" + "<!--" * 200_000,
    "half tags": "<" * 500_000,
    "quotes": "<td a='" * 100_000,
    "wide": "<table><tr><td>Started</td><td>Pain Level</td>" + "<td colspan=9999>x</td>" * 50_000,
    "entities": "<table><tr><td>&#" + "9" * 50_000 + ";&a" * 50_000,
    "script": "<script>" * 100_000,
}


@pytest.mark.parametrize("page", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pages_are_refused_quickly(read, page):
    before = time.process_time()
    with pytest.raises(UnreadableFileError):
        read(f"<html>{page}", name="report.html")
    assert time.process_time() - before < 5


def test_what_stands_before_the_table_does_not_matter(read):
    hostile = (
        '<table><tr><td colspan="x" rowspan=-1>a<table><tr><td>b</table>'
        + "<b>" * 100_000
        + "&#99999999999999999999;</table>"
    )
    log = apps.attacks(6)
    plain = read(apps.migraine_buddy(log), HEADACHE, name="a.html", tracked=TRACKED, dayfirst=True)
    found = read(apps.migraine_buddy(log, extra=hostile), HEADACHE, name="b.html", tracked=TRACKED, dayfirst=True)
    assert found.values.equals(plain.values)


def test_too_many_tags_and_attacks_are_refused(read, monkeypatch):
    monkeypatch.setattr(migraine_buddy, "MOST_ATTACKS", 3)
    with pytest.raises(UnreadableFileError, match="more than 3 attacks"):
        read(PAGE, name="report.html")
    monkeypatch.setattr(migraine_buddy, "MOST_TAGS", 10)
    with pytest.raises(UnreadableFileError, match="more than 10 tags"):
        read(PAGE, name="report.html")
    monkeypatch.setattr(migraine_buddy, "LARGEST", 10)
    with pytest.raises(UnreadableFileError, match="larger"):
        read(PAGE, name="report.html")


@pytest.mark.parametrize(
    "page", [b"<html>", b"<!DOCTYPE html><p>hello</p>", b"<html>" + bytes(range(256)), b"", b"%PDF-1.4 x"]
)
def test_pages_that_are_no_report(read, page):
    with pytest.raises(UnreadableFileError) as error:
        read(page, name="report.html")
    assert error.value.problems[0].remedy


def told(error):
    assert error.problems
    assert all(problem.problem for problem in error.problems)


def checked(diary):
    counts = diary.counts
    assert counts.read == counts.kept + counts.converted + counts.missing + counts.rejected
    assert counts.ignored == diary.ignored["records"].sum()
    assert np.isfinite(diary.values.to_numpy()[diary.values.notna().to_numpy()]).all()


QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
PIECES = ["<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", '<td colspan="3">', '<td rowspan="2">', "Started", "Lasted", "#",
          "Pain Level", "Medication", "10/12/18 21:06", "06h 00m", "Lasted: 99999999h 00m", "5", "<br>", "<!--", "-->", "<script>",
          "&amp;", "&#0;", "\x00", "no medication", "13/13/13 25:99", "٣"]  # fmt: skip


@QUICK
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60), st.booleans())
def test_any_page_is_values_or_a_clear_error(read, pieces, headed):
    head = "<table><tr><td>Started<td>Lasted<td>Pain Level<td>Medication<tr>" if headed else ""
    try:
        found = read(
            f"<html>{head}{''.join(pieces)}".encode("utf-8", "replace"),
            HEADACHE,
            PAIN,
            RESCUE,
            name="r.html",
            dayfirst=True,
            tracked=TRACKED,
        )
    except AcuError as error:
        told(error)
    else:
        checked(found)


KEYS = ["resourceType", "entry", "resource", "code", "coding", "system", "valueInteger", "valueQuantity", "value", "item", "answer",
        "linkId", "status", "meta", "versionId", "component", "data", "timestamp", "regimen", "metadata", "id", "extension", "url",
        "effectiveDateTime", "effectivePeriod", "subject", "reference", "dataAbsentReason", "averagePainIntensity"]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(
    ["Bundle", "Observation", "QuestionnaireResponse", "72514-3", apps.LOINC, "2026-01-05", "final", "pain", "LA6112-2"])  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@QUICK
@given(VALUES, st.sampled_from(["fhir", "trialist", None]))
@example({"resourceType": "Bundle", "entry": [{"resource": apps.observation("2026-01-05", 5)}]}, None)
def test_any_json_is_values_or_a_clear_error(read, value, layout):
    try:
        found = read(value if not isinstance(value, str) else json.dumps(value), layout=layout)
    except AcuError as error:
        told(error)
    else:
        checked(found)


@QUICK
@given(
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8),
    st.sampled_from(["Observation", "QuestionnaireResponse"]),
)
def test_any_resource_beside_a_good_one_takes_nothing_from_it(read, body, kind):
    odd = {
        **body,
        "resourceType": kind,
        "subject": {"reference": "Patient/p1"},
        "id": "odd",
        "extension": None,
        "effectiveDateTime": "x",
        "authored": "x",
    }
    odd.pop("effectivePeriod", None)
    found = read(apps.bundle([apps.observation("2026-01-05", 6, id="good"), odd]))
    checked(found)
    assert found.values["pain"].to_dict() == {pd.Timestamp("2026-01-05"): 6}


# ------------------------------------------------------------------------------------------ Bearable, Daylio


def test_bearable_comes_back_as_it_was(read):
    pain, sleep = apps.ratings(), apps.ratings(seed=6, high=600)
    columns = {"pain": "symptom: back  pain"}
    found = read(apps.bearable(pain, sleep), PAIN, SLEEP, name="bearable.csv", columns=columns)
    same(found.values["pain"], pain)
    same(found.values["sleep"], sleep)
    assert found.counts.read == 2 * pain.notna().sum() + sleep.notna().sum()
    assert "read as Bearable export" in said(found, "note")
    assert "secret" not in said(found)


def test_a_category_with_several_details_is_said(read):
    found = read(apps.bearable(apps.ratings(5), apps.ratings(5, high=600)), name="b.csv", columns={"pain": "Symptom"})
    assert '"Symptom" holds 3 details' in said(found, "note")
    with pytest.raises(UnreadableFileError, match="should be found as"):
        read(
            apps.bearable(apps.ratings(5), apps.ratings(5, high=600)),
            name="b.csv",
            columns={"pain": "Symptom: Backpain"},
        )


def test_daylio_comes_back_as_it_was(read):
    mood = apps.ratings(high=4) + 1
    headache = mood.mask(mood.notna(), (mood <= 2).astype(float))
    columns = {"mood": "mood", "headache": "activities: headache"}
    words = {word: i for i, word in enumerate(apps.MOODS, 1)}
    found = read(apps.daylio(mood, headache.fillna(0)), MOOD, HEADACHE, name="d.csv", columns=columns, words=words)
    same(found.values["mood"], mood)
    same(found.values["headache"], headache)
    assert found.counts.read == 2 * 2 * mood.notna().sum()
    assert "read as Daylio export" in said(found, "note")


def test_daylio_moods_are_not_guessed(read):
    found = read(apps.daylio(apps.ratings(8, high=4) + 1, apps.ratings(8, missing=0) * 0), MOOD, name="d.csv")
    assert found.values["mood"].isna().all()
    assert "words" in said(found, "warning")


def test_an_activity_that_nobody_ticked_is_a_slip_of_the_pen(read):
    file = apps.daylio(apps.ratings(5, high=4) + 1, apps.ratings(5, missing=0) * 0 + 1)
    with pytest.raises(UnreadableFileError, match='Did you mean "Headache"'):
        read(file, HEADACHE, name="d.csv", columns={"headache": "activities: headach"})


@pytest.mark.parametrize(("reducer", "value"), [("first", 2), ("last", 5), ("mean", 3.5)])
def test_daylio_entries_of_a_day_run_from_morning_to_night(read, reducer, value):
    text = "full_date,date,weekday,time,mood,activities,note_title,note\n" + "".join(
        f"2026-01-{day:02d},x,y,{clock},{mood},,,\n" for day in (6, 5) for clock, mood in (("10:00 pm", 5), ("9:15 am", 2)))  # fmt: skip
    found = read(text, MOOD, name="d.csv", reducer=reducer)
    assert found.values["mood"].tolist() == [value, value]
    assert sorted(found.ledger["row"]) == [2, 3, 4, 5]


@QUICK
@given(st.lists(st.tuples(*[st.text(max_size=6)] * 5), max_size=8))
def test_any_cells_of_daylio_and_bearable_are_values_or_a_clear_error(read, rows):
    body = pd.DataFrame(rows, columns=list("abcde"))
    for titles, columns in (
        (["full_date", "time", "mood", "activities", "note"], {"headache": "activities: tea", "mood": "mood"}),
        (["date formatted", "category", "rating/amount", "detail", "notes"], {"mood": "a: b"}),
    ):
        text = body.set_axis(titles, axis=1).to_csv(index=False).encode("utf-8", "replace")
        try:
            checked(read(text, MOOD, HEADACHE, name="any.csv", columns=columns))
        except AcuError as error:
            told(error)


def test_the_proposed_command_names_what_the_format_knows(tmp_path):
    file = apps.written(tmp_path / "b.json", apps.bundle(apps.as_codes(apps.ratings())))
    assert propose(file).command.endswith("--outcome nrs_pain")


def test_a_report_of_attacks_is_a_diary_of_a_trial(tmp_path):
    log = [each for each in apps.attacks() if each.days()[-1] <= TRACKED[1]]
    apps.written(tmp_path / "report.html", apps.migraine_buddy(log))
    text = """
        [[phase]]
        kind = "baseline"
        start = 2026-01-05
        end = 2026-02-03
        [[phase]]
        kind = "treatment"
        start = 2026-02-04
        end = 2026-03-15
        [[diary]]
        file = "report.html"
        dayfirst = true
        tracked = [2026-01-05, 2026-03-15]
        [outcome.headache]
        instrument = "headache_day"
    """
    (tmp_path / "protocol.toml").write_text(text, encoding="utf-8")
    trial = read_trial(tmp_path)
    assert not [problem for problem in trial.diary.problems if problem.severity == "error"]
    days = trial.diary.values["headache"]
    assert (len(days), days.sum()) == (70, len({day for each in log for day in each.days()}))
