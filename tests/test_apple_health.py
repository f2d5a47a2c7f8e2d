"""Apple Health: nights with a known truth come back, and no bytes at all give a traceback."""

from __future__ import annotations

import datetime as dt
import io
import random
import struct
import zipfile
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from formats_apple import (
    APP,
    DOCTYPE,
    LONDON,
    PHONE,
    SLEEP,
    WATCH,
    Night,
    at_local,
    export,
    nights,
    record,
    written,
    zipped,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from acu_nof1.errors import AcuError, UnreadableFileError
from acu_nof1.load import propose, read_diary
from acu_nof1.load.device_nights import (
    AWAKE,
    IN_BED,
    NAP,
    NIGHT_MEASURES,
    NO_LENGTH,
    OTHER_DEVICE,
    STAGES,
    TOO_LONG,
    SleepIntervals,
    device_nights,
    union,
)
from acu_nof1.load.formats import apple_health
from acu_nof1.load.formats.apple_health import NO_STAGE, NO_TIME, OTHER_KINDS, source_of
from acu_nof1.outcomes import OUTCOMES
from acu_nof1.protocol import DiaryFile

ASKED = [OUTCOMES[name] for name in NIGHT_MEASURES]
DAY = dt.date(2026, 3, 2)
FIRST = dt.datetime(2026, 3, 1, 23, 0, tzinfo=dt.UTC)


def after(minutes):
    return FIRST + dt.timedelta(minutes=minutes)


def read(folder, records, **how):
    path = folder / "export.xml"
    path.write_bytes(records if isinstance(records, bytes) else export(records))
    return read_diary(path, outcomes=ASKED, **how)


def on(diary, day=DAY):
    return diary.values.loc[str(day)].to_dict()


def left_out(diary):
    return dict(zip(diary.ignored["reason"], diary.ignored["records"], strict=True))


def warned(diary):
    return [problem for problem in diary.problems if problem.severity == "warning"]


# ------------------------------------------------------------------------------------------------- round trip


@pytest.mark.parametrize("name", ["export.xml", "export.zip", "vienti.zip", "packed_again.zip"])
def test_nights_come_back_as_they_were_slept(tmp_path, name):
    """60 nights over the change to summer time, shuffled, among other records, in XML or its zip in any language."""
    slept = nights(7, dt.date(2026, 2, 20), 60)
    records = [one for night in slept.values() for one in night.records()]
    records += [record("72", FIRST, FIRST, kind="HKQuantityTypeIdentifierHeartRate")] * 25
    random.Random(1).shuffle(records)
    xml = export([*records, ' <Workout workoutActivityType="x" startDate="" endDate=""/>\n'])
    (tmp_path / name).write_bytes(
        xml
        if name.endswith("xml")
        else zipped(xml, ("" if "again" in name else "apple_health_export/") + f"{name[:-4]}.xml")
    )
    diary = read_diary(tmp_path / name, outcomes=ASKED)
    assert [day.date() for day in diary.values.index] == list(slept)
    for day, night in slept.items():
        assert on(diary, day) == pytest.approx(night.truth)
    assert left_out(diary) == {OTHER_KINDS: 26}
    assert (diary.counts.kept, diary.counts.read, diary.counts.ignored) == (360, 360, 26)
    assert not warned(diary)
    assert any(problem.problem == "read as Apple Health export." for problem in diary.problems)


def test_every_record_is_in_a_night_or_counted_with_a_reason(tmp_path):
    good = [record("AsleepCore", after(0), after(300)), record("AsleepREM", after(300), after(420))]
    bad = [
        record("AsleepNew", after(0), after(10)),
        record("AsleepCore", after(0), after(10)).replace("+0000", ""),
        record("AsleepCore", after(0), after(10)).replace("2026-03", "2026-13"),
        record("AsleepCore", after(10), after(0)),
        record("InBed", after(-3000), after(420)),
        record("Asleep", after(900), after(960)),
        record("5", FIRST, FIRST, kind="HKQuantityTypeIdentifierStepCount"),
    ]
    diary = read(tmp_path, [*bad, *good])
    assert on(diary)["csd_tst"] == 420
    assert left_out(diary) == {OTHER_KINDS: 1, NO_STAGE: 1, NO_TIME: 2, NO_LENGTH: 1, TOO_LONG: 1, NAP: 1}
    assert diary.counts.ignored == len(bad)


def test_a_night_points_at_the_line_of_its_first_record(tmp_path):
    text = export([record("Awake", after(5), after(9)), record("Asleep", after(0), after(420))])
    path = tmp_path / "export.xml"
    path.write_bytes(text)
    table = apple_health.read_export(path, DiaryFile(file=str(path)), lambda _: None)
    line = text.decode().splitlines()[table.numbers[0] - 1]
    assert 'SleepAnalysisAsleep"' in line


# ------------------------------------------------------------------------------------------- which night it was


@pytest.mark.parametrize(
    ("into_bed", "hours", "morning"),
    [((23, 0), 8, DAY), ((0, 30), 7, DAY), ((20, 0), 3, dt.date(2026, 3, 1)), ((4, 0), 9, DAY)],
)
def test_the_night_is_that_of_its_morning_by_local_time(tmp_path, into_bed, hours, morning):
    """Asleep from 20 to 23 o'clock ended on the evening before: it is no part of the next morning."""
    for number, zone in enumerate((LONDON, ZoneInfo("Asia/Tokyo"), ZoneInfo("Pacific/Honolulu"))):
        start = at_local(DAY, *into_bed, zone)
        folder = tmp_path / str(number)
        folder.mkdir()
        diary = read(folder, [record("AsleepCore", start, start + dt.timedelta(hours=hours), zone=zone)])
        assert [day.date() for day in diary.values.index] == [morning]


@pytest.mark.parametrize(("day", "slept"), [(dt.date(2026, 3, 29), 420), (dt.date(2026, 10, 25), 540)])
def test_a_night_of_the_change_of_clocks_has_its_real_length(tmp_path, day, slept):
    """From 23:00 to 7:00 is 7 hours when summer time begins and 9 when it ends."""
    diary = read(tmp_path, [record("AsleepCore", at_local(day, 23, 0), at_local(day, 7, 0))])
    assert on(diary, day)["csd_tst"] == slept


def test_a_night_abroad_is_dated_where_it_was_slept(tmp_path):
    """The phone writes all times as its clock is at the export; the record itself may name the zone."""
    tokyo = ZoneInfo("Asia/Tokyo")
    start = at_local(DAY, 23, 0, tokyo)  # 14:00 in London
    slept = [record("AsleepCore", start, start + dt.timedelta(hours=7), slept_in="Asia/Tokyo")]
    assert [day.date() for day in read(tmp_path, slept).values.index] == [DAY]
    unnamed = [record("AsleepCore", start, start + dt.timedelta(hours=7))]
    assert [day.date() for day in read(tmp_path, unnamed).values.index] == [DAY - dt.timedelta(days=1)]
    for nonsense in ("Mars/Olympus", "../../etc/passwd", "/etc/passwd", "x" * 5000, "", "."):
        odd = [record("AsleepCore", start, start + dt.timedelta(hours=7), slept_in=nonsense)]
        assert [day.date() for day in read(tmp_path, odd).values.index] == [DAY - dt.timedelta(days=1)]


# --------------------------------------------------------------------------------------------- what is not known


def test_in_bed_alone_says_nothing_of_sleep(tmp_path):
    values = on(read(tmp_path, [record("InBed", after(0), after(480), PHONE)]))
    assert values.pop("csd_tib") == 480
    assert all(np.isnan(value) for value in values.values())


def test_without_time_in_bed_there_is_no_efficiency(tmp_path):
    values = on(
        read(tmp_path, [record("AsleepCore", after(0), after(200)), record("AsleepREM", after(220), after(400))])
    )
    assert (values["csd_tst"], values["csd_waso"]) == (380, 20)
    assert all(np.isnan(values[name]) for name in ("csd_tib", "csd_se", "csd_sol", "csd_twak"))


def test_one_unbroken_asleep_says_nothing_of_waking(tmp_path):
    values = on(read(tmp_path, [record("Asleep", after(0), after(400), APP)]))
    assert values["csd_tst"] == 400
    assert np.isnan(values["csd_waso"])
    staged = on(read(tmp_path, [record("AsleepCore", after(0), after(400))]))
    assert staged["csd_waso"] == 0


@pytest.mark.parametrize(
    ("begin", "end", "known"),
    [(-30, 420, (30, 20, 450)), (4, 420, (0, 20, 420)), (6, 420, (None, 20, None)), (-30, 396, (30, 0, 430)), (-30, 394, (30, None, None))],
)  # fmt: skip
def test_time_in_bed_is_known_only_where_it_surrounds_the_sleep(tmp_path, begin, end, known):
    """Up to five minutes two clocks may differ."""
    values = on(
        read(tmp_path, [record("InBed", after(begin), after(end), PHONE), record("AsleepCore", after(0), after(400))])
    )
    found = tuple(None if np.isnan(values[name]) else values[name] for name in ("csd_sol", "csd_twak", "csd_tib"))
    assert found == known
    assert np.isnan(values["csd_se"]) == (known[2] is None)


# --------------------------------------------------------------------------------------- overlaps, naps, sources


def test_two_devices_are_united_and_never_added_up(tmp_path):
    both = [record("AsleepCore", after(0), after(420)), record("Asleep", after(30), after(450), PHONE)]
    diary = read(tmp_path, both)
    assert on(diary)["csd_tst"] == 450


def test_naps_are_apart(tmp_path):
    night = [record("AsleepCore", after(0), after(420))]
    nap = [record("AsleepCore", after(900), after(990))]
    diary = read(tmp_path, night + nap)
    assert on(diary)["csd_tst"] == 420
    assert left_out(diary) == {NAP: 1}
    alone = [record("AsleepCore", after(0), after(420)), record("AsleepCore", after(900 + 1440), after(990 + 1440))]
    diary = read(tmp_path, alone)  # the watch was charging: the nap is not taken for the night
    assert len(diary.values) == 1
    assert left_out(diary) == {NAP: 1}
    short = [record("AsleepCore", after(300), after(390))]  # 90 minutes from four o'clock: a bad night, and no nap
    assert on(read(tmp_path, short))["csd_tst"] == 90


def test_sleep_by_day_after_a_night_shift_is_the_night_of_that_day(tmp_path):
    diary = read(tmp_path, [record("AsleepCore", after(600), after(1020))])  # 9:00 to 16:00
    assert on(diary)["csd_tst"] == 420


@pytest.mark.parametrize(("gap", "begins", "joined"), [(59, 180, True), (61, 180, True), (179, 180, True), (181, 180, False), (61, 420, False)])  # fmt: skip
def test_getting_up_at_night_is_waking_and_not_its_end(tmp_path, gap, begins, joined):
    """Asleep from 23:00; up at 2:00, or at 6:00, and asleep again for 150 minutes."""
    again = record("AsleepCore", after(begins + gap), after(begins + gap + 150))
    diary = read(tmp_path, [record("AsleepCore", after(0), after(begins)), again])
    assert on(diary)["csd_tst"] == (begins + 150 if joined else max(begins, 150))
    assert on(diary)["csd_waso"] == (gap if joined else 0)
    assert left_out(diary) == ({} if joined else {NAP: 1})


def test_a_change_of_device_is_a_warning_and_one_can_be_chosen(tmp_path):
    days = [dt.timedelta(days=number) for number in range(8)]
    watch = [record("AsleepCore", after(0) + day, after(400) + day) for day in days[:5]]
    app = [record("Asleep", after(-20) + day, after(430) + day, APP) for day in days[3:]]
    diary = read(tmp_path, watch + app)
    (problem,) = warned(diary)
    assert "Apple Watch on 3 nights from 2026-03-02 to 2026-03-04" in problem.problem
    assert "Apple Watch + Snooze on 2 nights" in problem.problem
    assert 'device = "Snooze"' in problem.remedy
    one = read(tmp_path, watch + app, device="Apple Watch")
    assert one.values["csd_tst"].tolist() == [400] * 5
    assert left_out(one) == {OTHER_DEVICE: 5}
    assert not warned(one)
    with pytest.raises(
        UnreadableFileError, match=r'no sleep is recorded by device = "Aple Watch".*Did you mean "Apple Watch"'
    ):
        read(tmp_path, watch + app, device="Aple Watch")


def test_the_usual_pair_of_phone_and_watch_is_no_change_of_device(tmp_path):
    slept = nights(3, DAY, 6)
    records = [one for night in slept.values() for one in night.records()][1:]  # one night without the phone
    assert not warned(read(tmp_path, records))


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ({"sourceName": "Ada’s Apple\xa0Watch"}, "Apple Watch"),
        ({"sourceName": "iPhone de María"}, "iPhone"),
        ({"sourceName": "AutoSleep"}, "AutoSleep"),
        (
            {
                "sourceName": "Ada",
                "sourceVersion": "9.1",
                "device": "<<HKDevice: 0x2>, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,4, software:9.1>",
            },
            "Apple Watch",
        ),
        ({}, "no source named"),
    ],
)
def test_a_device_is_not_called_after_its_owner(record, told):
    assert source_of(record) == told


def test_no_name_of_an_owner_reaches_problems_or_ledger(tmp_path):
    days = [dt.timedelta(days=number) for number in range(4)]
    records = [
        record("Asleep", after(0) + day, after(400) + day, (WATCH, PHONE)[number % 2])
        for number, day in enumerate(days)
    ]
    diary = read(tmp_path, records)
    assert warned(diary)
    assert "Ada" not in "\n".join(map(str, diary.problems)) + diary.ledger.to_string() + str(diary.sources)


# -------------------------------------------------------------------------------------- the arithmetic of nights

INTERVAL = st.tuples(
    st.integers(0, 4 * 1440), st.integers(-5, 1000), st.integers(0, len(STAGES) - 1), st.sampled_from(["a", "b"])
)


def intervals_of(drawn):
    start = np.array([one[0] for one in drawn], dtype=float)
    return SleepIntervals(
        start,
        start + np.array([one[1] for one in drawn], dtype=float),
        np.zeros(len(drawn)),
        np.array([one[2] for one in drawn], dtype=np.int8),
        np.array([one[3] for one in drawn], dtype=object),
        np.arange(len(drawn)),
    )


@given(st.lists(INTERVAL, max_size=25))
def test_nights_agree_with_counting_minute_by_minute(drawn):
    found = device_nights(intervals_of(drawn))
    usable = [one for one in drawn if 0 < one[1] <= 960]
    covered = np.zeros(7 * 1440, bool)
    for start, length, stage, _ in usable:
        if stage > AWAKE:
            covered[start : start + length] = True
    in_any_night = sum(value for value in found.values["csd_tst"] if np.isfinite(value))
    assert in_any_night <= covered.sum()
    if NAP not in found.ignored and TOO_LONG not in found.ignored:
        assert in_any_night == covered.sum()
    assert len(set(found.date.tolist())) == len(found.date)
    assert (np.diff(found.date.astype(int)) > 0).all()
    values = found.values
    assert not (values < 0).any(axis=None)
    assert not (values["csd_se"] > 100).any()
    whole = values.dropna()
    parts = whole[["csd_tst", "csd_waso", "csd_sol", "csd_twak"]].sum(axis=1)
    np.testing.assert_allclose(parts, whole["csd_tib"])


@given(st.lists(INTERVAL, max_size=15), st.randoms())
def test_order_and_repetition_of_records_have_no_say(drawn, chance):
    shuffled = [*drawn, *drawn]
    chance.shuffle(shuffled)
    once, twice = device_nights(intervals_of(drawn)), device_nights(intervals_of(shuffled))
    np.testing.assert_array_equal(once.date, twice.date)
    np.testing.assert_array_equal(once.values, twice.values)
    np.testing.assert_array_equal(once.source, twice.source)
    assert sum(twice.ignored.values()) == 2 * sum(once.ignored.values())


def test_union_of_intervals():
    start, end = union(np.array([0.0, 1, 5, 7]), np.array([3.0, 2, 7, 8]))
    np.testing.assert_array_equal(start, [0, 5])
    np.testing.assert_array_equal(end, [3, 8])


def test_wakefulness_of_one_device_does_not_shorten_the_sleep_of_the_other():
    found = device_nights(intervals_of([(0, 400, 3, "a"), (100, 50, AWAKE, "b"), (-20, 440, IN_BED, "b")]))
    assert found.values.loc[0, ["csd_tst", "csd_waso", "csd_sol"]].tolist() == [400, 0, 20]


# ------------------------------------------------------------------------------------------------ exports as they are


def test_the_list_of_elements_of_ios_16_is_no_xml_and_does_no_harm(tmp_path):
    """Its declaration of one element is never closed."""
    broken = DOCTYPE.replace("]>", "<!ATTLIST VisionPrescription\n  type CDATA #REQUIRED\n<!ELEMENT Eye EMPTY>\n]>")
    diary = read(tmp_path, export([record("AsleepCore", after(0), after(400))], broken))
    assert on(diary)["csd_tst"] == 400


def test_control_characters_are_blanked_and_that_is_said(tmp_path):
    diary = read(
        tmp_path,
        [record("AsleepCore", after(0), after(400), "My\x0bApp"), record("3", after(0), after(0), "\x01", kind="x")],
    )
    assert on(diary)["csd_tst"] == 400
    assert any("control characters" in problem.problem for problem in diary.problems)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1"])
def test_other_encodings_are_read_or_refused(tmp_path, encoding):
    text = export([record("AsleepCore", after(0), after(400), "Montré")]).decode()
    name = {"utf-8-sig": "UTF-8", "iso-8859-1": "ISO-8859-1"}.get(encoding, "UTF-16")
    data = text.replace("UTF-8", name).encode(encoding)
    assert on(read(tmp_path, data))["csd_tst"] == 400
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "Montré" in one)
    with pytest.raises(UnreadableFileError, match=rf"no XML in UTF-8 from line {line} column 72 on"):
        read(tmp_path, text.encode("latin-1"))
    with pytest.raises(UnreadableFileError, match="in no encoding that is known"):
        read(tmp_path, text.replace("UTF-8", "klingon").encode())


# ------------------------------------------------------------------------------------------------- what is refused


def bomb(levels=9):
    names = [f'<!ENTITY a{level + 1} "{f"&a{level};" * 10}">' for level in range(levels)]
    return '<!DOCTYPE HealthData [\n<!ENTITY a0 "sleep">\n' + "\n".join(names) + "\n]>\n"


ONE = record("AsleepCore", after(0), after(400))


@pytest.mark.parametrize(
    "doctype",
    [
        bomb(),
        bomb().replace("HealthData [", 'HealthData SYSTEM "x.dtd" ['),
        '<!DOCTYPE HealthData [<!ENTITY file SYSTEM "file:///etc/passwd">]>\n',
        '<!DOCTYPE HealthData [<!ENTITY % outer SYSTEM "http://127.0.0.1/x.dtd"> %outer;]>\n',
    ],
)
def test_entities_are_refused(tmp_path, doctype):
    uses = ONE.replace("9.1", "&a9;" if "a9" in doctype else "9.1")
    for encoding in ("utf-8", "utf-16"):
        data = export([uses], doctype).decode().replace("UTF-8", encoding.upper()).encode(encoding)
        with pytest.raises(UnreadableFileError, match="declares XML entities"):
            read(tmp_path, data)


def test_an_entity_behind_a_false_end_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError):
        read(tmp_path, export([ONE], '<!DOCTYPE HealthData [<!-- ]> --><!ENTITY a "x">]>\n'))
    with pytest.raises(UnreadableFileError, match="undefined entity"):
        read(tmp_path, export([ONE.replace("9.1", "&a;")]))


def test_a_default_of_a_doctype_is_not_repeated_with_every_record(tmp_path):
    doctype = f'<!DOCTYPE HealthData PUBLIC "a" "b" [<!ATTLIST Record unit CDATA "{"x" * 1_000_000}">]>\n'
    diary = read(tmp_path, export([ONE, *['<Record type="x"/>'] * 20_000], doctype))
    assert diary.counts.ignored == 20_000


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "export.zip"
    path.write_bytes(zipped(export([ONE, " " * 60_000_000])))
    assert path.stat().st_size < 200_000
    with pytest.raises(UnreadableFileError, match=r"would grow to 57 MB: no export is compressed so far"):
        read_diary(path, outcomes=ASKED)


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path):
    data = bytearray(zipped(export([ONE, " " * 3_000_000])))
    real = struct.pack("<I", len(export([ONE, " " * 3_000_000])))
    path = tmp_path / "export.zip"
    path.write_bytes(data.replace(real, struct.pack("<I", 2000)))
    with pytest.raises(UnreadableFileError, match=r"damaged|ends in the middle"):
        read_diary(path, outcomes=ASKED)


def test_more_than_can_be_an_export_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(apple_health, "LARGEST", 1000)
    with pytest.raises(UnreadableFileError, match="larger than"):
        read(tmp_path, [ONE] * 10)
    (tmp_path / "export.zip").write_bytes(zipped(export([ONE] * 10)))
    with pytest.raises(UnreadableFileError, match="larger than"):
        read_diary(tmp_path / "export.zip", outcomes=ASKED)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<a>" * 1000, "nested more than 50 deep"),
        ("".join(f"<n{i}/>" for i in range(60_000)), "names of elements"),
        (f'<a b="{"x" * 20_000_000}"/>', "longer than 4 MB"),
        (f"<!--{'x' * 20_000_000}-->", "longer than 4 MB"),
    ],
)
def test_xml_that_would_fill_the_memory_is_refused(tmp_path, inside, said):
    with pytest.raises(UnreadableFileError, match=said):
        read(tmp_path, [ONE, inside])


def test_a_file_that_ends_in_the_middle_is_refused_and_says_where(tmp_path):
    whole = export([one for night in nights(5, DAY, 30).values() for one in night.records()])
    with pytest.raises(UnreadableFileError, match=r"ends in the middle, in line \d+ column \d+"):
        read(tmp_path, whole[: len(whole) // 2])
    archive = zipped(whole)
    path = tmp_path / "export.zip"
    path.write_bytes(archive[: len(archive) // 2])
    with pytest.raises(UnreadableFileError, match="damaged, cut off or cannot be opened"):
        read_diary(path, outcomes=ASKED)
    with pytest.raises(UnreadableFileError, match=r"from line \d+ column \d+ on \(mismatched tag\): 2\.0 of 3\.0 MB"):
        read(tmp_path, whole.replace(b"</HealthData>", b" " * 2_000_000 + b"</Record>" + b" " * 1_000_000))


def test_archives_that_are_not_one_export_are_refused(tmp_path):
    path = tmp_path / "export.zip"
    for data, said in (
        (zipped(export([ONE]), **{"apple_health_export/second.xml": export([ONE])}), "holds 2 exports"),
        (zipped(b"<x/>"), "holds no export.xml"),
        (
            zipped(export([ONE])).replace(b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x01\x00\x08\x00"),
            "locked with a password",
        ),
    ):
        path.write_bytes(data)
        with pytest.raises(UnreadableFileError, match=said):
            read_diary(path, outcomes=ASKED)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'<?xml version="1.0"?><gpx></gpx>', "this is XML of another kind"),
        (export([record("5", FIRST, FIRST, kind="HKQuantityTypeIdentifierStepCount")]), r"no night of sleep \(records of other kinds than sleep: 1\)"),
        (export([]), "no record at all"),
        (export([record("Asleep", after(900), after(930))]), r"no night of sleep \(records of naps and of sleep apart from the night: 1\)"),
        (b"", "the file is empty"),
        (b"\x00" * 3000, "no XML|not text"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_said(tmp_path, data, said):
    with pytest.raises(UnreadableFileError, match=said):
        read(tmp_path, data, layout="apple_health")


def test_a_folder_or_nothing_at_all_is_said(tmp_path):
    for name, said in (("", "this is a folder"), ("none.zip", "no such file")):
        with pytest.raises(UnreadableFileError, match=said):
            read_diary(tmp_path / name, outcomes=ASKED, layout="apple_health")


def test_an_excel_workbook_is_no_export(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("xl/export.xml", export([ONE]))
    assert not apple_health.is_export(tmp_path / "diary.xlsx", stream.getvalue())


def test_the_proposed_command_asks_for_each_outcome_once(tmp_path):
    path = tmp_path / "export.xml"
    path.write_bytes(export([one for night in nights(5, DAY, 5).values() for one in night.records()]))
    asked = " ".join(f"--outcome {name}" for name in NIGHT_MEASURES)
    assert propose(path).command.endswith(f"--start YYYY-MM-DD {asked}")


def test_progress_is_shown_to_the_end(tmp_path):
    shown = []
    read(tmp_path, [record("5", FIRST, FIRST, kind="x") * 40_000, ONE], progress=shown.append)
    assert len(shown) > 5
    assert shown == sorted(shown)
    assert shown[-1] == 1.0


# ---------------------------------------------------------------------------------------------------- any bytes

WHOLE = export([one for night in nights(5, DAY, 3).values() for one in night.records(slept_in="Asia/Tokyo")])
PACKED = zipped(WHOLE)


@given(st.data())
@pytest.mark.parametrize("name", ["export.xml", "export.zip"])
def test_damaged_bytes_never_give_a_traceback(tmp_path_factory, name, data):
    damaged = bytearray(WHOLE if name.endswith("xml") else PACKED)
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(damaged) - 1), st.integers(0, 255)), max_size=6)):
        damaged[at] = byte
    cut = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(damaged[:cut])
    try:
        diary = read_diary(path, outcomes=ASKED, layout=data.draw(st.sampled_from([None, "apple_health"])))
    except AcuError:
        return
    assert cut == len(damaged) or name.endswith("zip") or cut >= WHOLE.rindex(b">")
    assert diary.counts.read == 6 * len(diary.values.dropna(how="all"))


PIECE = st.sampled_from(
    ["<", ">", "/>", "<Record ", "<MetadataEntry ", "</Record>", "</HealthData>", "]>", "<!ENTITY ", "<!--", "-->", "<![CDATA[",
     "&", "&lt;", "\x00", "\x0b", "\ufffe", '"', f'type="{SLEEP}" ', 'value="HKCategoryValueSleepAnalysisAsleep" ',
     f'startDate="{written(after(0))}" ', f'endDate="{written(after(400))}" ', 'startDate="9999-12-31 23:59:59 -1400" ',
     'endDate="0001-01-01 00:00:00 +1400" ', 'key="HKTimeZone" value="Asia/Tokyo" ', 'startDate="٢٠٢٦-03-01 23:00:00 +0000" ']
)  # fmt: skip


@settings(max_examples=50)
@given(st.lists(st.one_of(PIECE, st.text(max_size=4)), max_size=30))
def test_any_pieces_of_xml_give_values_or_words(tmp_path_factory, pieces):
    path = tmp_path_factory.getbasetemp() / "pieces.xml"
    path.write_bytes(export(["".join(pieces).encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "\n", ONE]))
    try:
        diary = read_diary(path, outcomes=ASKED)
    except AcuError:
        return
    assert len(diary.values) >= 1


def test_a_night_object_is_what_it_says():
    night = Night(FIRST, 10, [("AsleepCore", 60), ("Awake", 5), ("AsleepREM", 30)], 5)
    assert night.truth["csd_tib"] == (night.rises - FIRST) / dt.timedelta(minutes=1) == 110
