"""Do any bytes become values or a clear complaint? Coverage-guided fuzzing of every reader.

Run: ``pip install atheris``, then ``nice python benchmarks/fuzz.py --minutes 60 --seed 1 --corpus DIR``. It starts from small
files of every format, goes on with what DIR holds already, and leaves each finding in DIR
beside the corpus (``python benchmarks/fuzz.py --again FILE`` shows it). Adds a row to ``results/fuzz.csv`` and counts the corpus in
``results/fuzz_corpus.csv``.

An input is one byte each for the ending, the layout and the declaration, then the file. A finding is a traceback that is
no `AcuError`, a warning of Python, 10 seconds, 2.5 GB, a complaint without a text, a ledger that does not add up, a value
outside its scale, or values that are others after `convert` and reading again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import io
import platform
import random
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from acu_nof1.diary import Diary

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
sys.path.append(str(ROOT / "tests"))

LONGEST, SLOWEST, MEMORY_MB = 4500, 10, 2500
COMPLAINT = 3000  # characters
RETURNED = 4  # one of so many diaries is written and read again
ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".html", ".zip", ".xlsx", "",
           "sheet in .xlsx", "export in .zip")  # fmt: skip
PLAIN = ENDINGS.index(".csv"), 255, 0
TRACKED = (dt.date(2026, 1, 5), dt.date(2026, 3, 15))
DECLARED: tuple[Mapping[str, Any], ...] = (
    {},
    {"dayfirst": True},
    {"dayfirst": False, "decimal": ","},
    {"tracked": TRACKED},
    {"tracked": TRACKED, "columns": {"date": "date", "lasted": "lasted"}},
    {"columns": {"nrs_pain": "pain_sliderNegPos"}, "person": "17"},
    {"columns": {"nrs_pain": "Symptom: Back pain"}},
    {"columns": {"nrs_stress": "mood", "headache_day": "activities: Headache"}, "words": {"bad": 2.0, "rad": 5.0}},
    {"columns": {"question": "question", "answer": "answer", "person": "person"}},
    {"columns": {"entered": "entered", "phase": "phase"}, "reducer": "worst"},
    {"date_format": "%d/%m/%y", "reducer": "last"},
    {"units": {"csd_tst": "h", "nrs_pain": "points"}, "device": "iPhone"},
    {"words": {"mild": 3.0, "severe": 11.0}, "none": ("none",), "missing": ("999",), "reducer": "best"},
    {"delimiter": ";", "encoding": "utf-16"},
)
WORDS = (
    "", "0", "10", "11", "-1", "3-4", "3,5", "1.234,5", "7/10", "7 of 10", "about 5", "5?", "1e3", "nan", "inf", "n/a", "none", "yes",
    "no", "x", "mild", "999", "7h 30m", "7:30", "25:00", "12:30 am", "22.45", "90 min", "1 h", "50%", "5 mm", "=1+4", "#N/A", "TRUE",
    "2026-01-05", "2026-01-05T23:59:60Z", "05/01/2026", "1/2/26", "31.12.1999", "46027", "46027.5", "1767567600", "0001-01-01",
    "9999-12-31", "30 Feb 2026", "date", "nrs_pain", "csd_tst", "average", "null", "true", "[]", "{}", '""', "٣", "½", "−5", "\u00a0",
    "\ufeff", "\u200b", "🙂", "a" * 300, "9" * 40, "Ann Other", "ann@example.org", "+44 20 7946 0000",
)  # fmt: skip
_PIECES = re.compile(rb"([,;\t\n\"<>{}\[\]:|= ]+)")


# ---------------------------------------------------------------------------------------------- what is read


def outcomes() -> tuple[Any, ...]:
    """Questions of every kind, one scored from its items, one from attacks."""
    from acu_nof1 import OUTCOMES

    names = ("nrs_pain", "nrs_stress", "csd_tst", "csd_tib", "headache_day", "rescue_doses_day")
    peg = replace(OUTCOMES["peg"], form="mean", items=("peg_1", "peg_2", "peg_3"))
    return (*(OUTCOMES[name] for name in names), peg)


def workbook() -> dict[str, bytes]:
    """The parts of a small workbook as a spreadsheet writes it: dates, times, a percentage, a formula."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(["date", "nrs_pain", "nrs_stress", "csd_tst", "csd_se"])
    for day in range(1, 6):
        sheet.append([dt.datetime(2026, 1, day), day, "=1+4", dt.time(7, 30), 0.85])
        sheet.cell(day + 1, 5).number_format = "0%"
    book.save(out)
    with zipfile.ZipFile(out) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: Mapping[str, bytes]) -> bytes:
    """These parts as a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
BOOK = workbook()


class Reading:
    """Reads inputs through the public functions, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        from acu_nof1.load.layouts import LAYOUTS
        from acu_nof1.load.protocols import protocol_from

        self.folder = folder
        self.layouts = [layout.name for layout in LAYOUTS]
        self.outcomes = outcomes()
        names = [outcome.name for outcome in self.outcomes if not outcome.items]
        phase = {"kind": "treatment", "start": TRACKED[0], "end": TRACKED[1]}
        entries = {name: {"instrument": name, "primary": name == names[0]} for name in names}
        self.protocol, _ = protocol_from({"phase": [phase], "outcome": entries})

    def file_of(self, data: bytes) -> tuple[Path, dict[str, Any]]:
        """Write the file that this input is; how is it declared?"""
        ending, layout, declared = data[:3]
        kind, body = ENDINGS[ending % len(ENDINGS)], data[3:]
        if kind == "sheet in .xlsx":
            kind, body = ".xlsx", packed({**BOOK, SHEET: body})
        elif kind == "export in .zip":
            kind, body = ".zip", packed({"apple_health_export/export.xml": body})
        path = self.folder / f"diary{kind}"
        path.write_bytes(body)
        how = dict(DECLARED[declared % len(DECLARED)])
        return path, how if layout >= 128 else {**how, "layout": self.layouts[layout % len(self.layouts)]}

    def diary(self, data: bytes) -> Diary | None:
        """Read an input and hold the answer to what is true of all; ``None`` where it was refused."""
        import acu_nof1 as acu
        from acu_nof1.errors import AcuError

        if len(data) < 4:
            return None
        path, how = self.file_of(data)
        found: Diary | None = None
        try:
            found = acu.read_diary(path, outcomes=self.outcomes, **how)
        except AcuError as error:
            insist_on_complaints(error.problems)
        try:
            str(acu.propose(path, layout=how.get("layout")))
        except AcuError as error:
            insist_on_complaints(error.problems)
        if found is not None:
            self.insist_on(found)
            if sum(data) % RETURNED == 0:
                self.insist_on_return(found.values)
        path.unlink()
        return found

    def insist_on(self, diary: Diary) -> None:
        """Counts add up, values lie on their scale, and the tidy table of them reads back as they are."""
        counts, ledger, values = diary.counts, diary.ledger, diary.values
        told = ledger["status"].value_counts()
        assert told.get("converted", 0) == counts.converted, "converted cells are not those of the ledger"
        assert told.get("rejected", 0) == counts.rejected, "rejected cells are not those of the ledger"
        assert told.get("missing", 0) <= counts.missing, "missing cells are not those of the ledger"
        assert set(told.index) <= {"converted", "rejected", "missing"}, "the ledger has cells that were kept"
        assert not ledger.duplicated(["file", "row", "column", "outcome"]).any(), "a cell has two lines in the ledger"
        assert (ledger["rule"] != "").all(), "a line of the ledger gives no reason"
        assert ledger.loc[ledger["status"] != "converted", "value"].isna().all(), "a refused cell has a value"
        assert counts.ignored == diary.ignored["records"].sum(), "ignored records do not add up"
        insist_on_complaints(diary.problems)
        for outcome in self.outcomes:
            own = values[outcome.name].dropna().to_numpy()
            low, high = (0.0, 1.0) if outcome.kind == "yes_no" else (outcome.low, outcome.high)
            low = max(low or 0.0, 0.0) if outcome.is_amount else low
            assert np.isfinite(own).all(), f"{outcome.name} is not finite"
            assert low is None or (own >= low - 1e-9).all(), f"{outcome.name} below {low}"
            assert high is None or (own <= high + 1e-9).all(), f"{outcome.name} above {high}"
        if counts.kept + counts.converted == 0:
            # Days that were declared as tracked are free of attacks without a cell that says so.
            assert not values.fillna(0).any(axis=None), "a value that no cell gave"

    def insist_on_return(self, values: pd.DataFrame) -> None:
        """The table that `convert` writes holds these values."""
        import acu_nof1 as acu
        from acu_nof1.export import write_long
        from acu_nof1.trial import Trial

        own = [outcome for outcome in self.protocol.outcomes if values[outcome.name].notna().any()]
        if not own or len(values) > 400:
            return
        kept = values[[outcome.name for outcome in own]].dropna(how="all")
        written, _ = write_long(Trial(self.protocol, acu.Diary.from_values(kept)), self.folder / "tidy.csv")
        again = acu.read_diary(written, outcomes=own).values.dropna(how="all")
        pd.testing.assert_frame_equal(again, kept, check_exact=True, check_index_type=False)


def insist_on_complaints(problems: Iterable[Any]) -> None:
    """A complaint says what is wrong, at a length that is read, and an error what to do."""
    for problem in problems:
        assert problem.problem, "a complaint that says nothing"
        assert problem.severity != "error" or problem.remedy, f"no remedy: {problem}"
        assert len(str(problem)) < COMPLAINT, f"a complaint of {len(str(problem))} characters"


# -------------------------------------------------------------------------------------------------- inputs


def seeds() -> dict[str, bytes]:
    """Small files of every format, the undeclared way and as they are declared."""
    import formats_apple as apple
    import formats_apps as apps
    import formats_devices as devices
    import test_mpath as mpath
    import test_sleep_records as records

    day, at = dt.date(2026, 1, 5), dt.datetime
    pain, few = apps.ratings(5, missing=0), np.array([400.0, 380.0])
    nights = apple.nights(1, day, 1)
    slept = devices.nights(2, 1, day)
    attacks = [apps.Attack(at(2026, 1, 20, 22, 30), 180), apps.Attack(at(2026, 1, 31, 9), 2000, "7", "Sumatriptan")]
    prompts = [mpath.FIXED, mpath.row(0, ["4"]), mpath.row(1, [""], answered=False)]
    prompts[0] = [*prompts[0], "pain_sliderNegPos"]
    texts: dict[str, tuple[str, int, str | bytes]] = {
        "wide": (".csv", 0, "date,nrs_pain,csd_tst,headache_day,peg_1,peg_2,peg_3\n2026-01-05,6,420,yes,3,4,5\n2026-01-06,n/a,7 h,no,1,2,3\n"),
        "wide_excel": (".csv", 2, "date;nrs_pain;csd_tst\n1/13/2026;5,5;420\n1/14/2026;3-4;400,5\n"),
        "wide_late": (".tsv", 9, "date\tentered\tphase\tnrs_pain\n2026-01-05\t2026-01-05 21:00\tbaseline\t6\n2026-01-05\t2026-01-09\tbaseline\t4\n"),
        "wide_words": (".csv", 12, "date,nrs_pain,rescue_doses_day\n5 Jan 2026,mild,none\n6 Jan 2026,999,2\n"),
        "attacks": (".csv", 4, "date,lasted,headache_day,nrs_pain\n2026-01-20 22:30,3 h,yes,6\n2026-01-31 09:00,2000 min,yes,7\n"),
        "long": (".csv", 8, "person,date,question,answer\nA,2026-01-05,nrs_pain,6\nA,2026-01-06,nrs_pain,5\nA,2026-01-06,csd_tst,400\n"),
        "tidy": (".csv", 0, "person,date,outcome,value,unit\nA,2026-01-05,csd_tst,6.5,h\nA,2026-01-05,nrs_pain,5,points\n"),
        "forms": (".csv", 1, "Timestamp,nrs_pain\n13/01/2026 21:00:05,6\n14/01/2026 21:10:00,5\n"),
        "sleep_clock": (".csv", 0, "date,into_bed,tried_to_sleep,minutes_to_sleep,minutes_awake,final_awakening,out_of_bed\n2026-01-05,22:30,22:45,15,20,06:30,7:00 am\n"),
        "mpath": (".csv", 5, "\n".join(";".join(map(str, line)) for line in prompts)),
        "bearable": (".csv", 6, apps.bearable(pain[:3], pain[:3] + 400)),
        "daylio": (".csv", 7, apps.daylio(pain[:3].clip(1, 5), pd.Series(True, index=pain.index))),
        "migraine_buddy": (".html", 3, apps.migraine_buddy(attacks)),
        "fhir": (".json", 0, apps.json.dumps(apps.bundle([*apps.as_codes(pain[:1]), *apps.as_questionnaires(pain[1:2])]))),
        "trialist": (".json", 0, apps.json.dumps(apps.trialist(pain[:3], ["a", "a", "b"]))),
        "fitbit_json": (".json", 0, records.fitbit(few, few + 40)),
        "oura": (".json", 0, records.oura(few, few + 40)),
        "fitbit_csv": (".csv", 0, devices.fitbit_csv([devices.fitbit_row(each) for each in slept.values()])),
        "garmin": (".json", 0, devices.garmin([devices.garmin_record(morning, each, apple.LONDON) for morning, each in slept.items()])),
        "android": (".csv", 0, devices.android([devices.android_record(each, "Europe/Berlin") for each in slept.values()])),
        "records": (".json", 0, '[{"date": "2026-01-05", "nrs_pain": 6, "sleep": {"csd_tst": 400}}, {"date": "2026-01-06", "nrs_pain": null}]'),
        "lines": (".jsonl", 0, '{"date": "2026-01-05", "nrs_pain": 6}\n{"date": "2026-01-06", "nrs_pain": 5.5}\n'),
        "apple_health": (".xml", 11, apple.export([line for night in nights.values() for line in night.records()], doctype="")),
        "apple_health_zip": ("export in .zip", 0, apple.export(next(iter(nights.values())).records(slept_in="Asia/Tokyo"), doctype="")),
        "workbook": ("sheet in .xlsx", 0, BOOK[SHEET]),
        "utf16": (".csv", 0, "date,nrs_pain\n2026-01-05,6\n".encode("utf-16")),
        "zip": (".zip", 0, packed({"export.xml": b"<HealthData></HealthData>"})),
    }  # fmt: skip
    return {
        name: bytes((ENDINGS.index(ending), 255, how)) + (text if isinstance(text, bytes) else text.encode())
        for name, (ending, how, text) in texts.items()
    }


def mutated(data: bytes, longest: int, seed: int) -> bytes:
    """Change bytes as the fuzzer would, or whole cells and lines: hostile words, copies, losses, another order."""
    import atheris

    chance = random.Random(seed)
    way = chance.randrange(8)
    if len(data) < 4 or way < 3:
        return bytes(atheris.Mutate(data, longest))
    head, body = data[:3], data[3:]
    parts = body.splitlines(keepends=True) if way == 3 else _PIECES.split(body)
    i, j = chance.randrange(len(parts)), chance.randrange(len(parts))
    if way in (4, 5):
        parts[i] = chance.choice(WORDS).encode()
    elif way == 6 or chance.random() < 0.4:
        parts[i], parts[j] = parts[j], parts[i]
    elif chance.random() < 0.5:
        parts.insert(i, parts[j])
    else:
        del parts[i]
    return (head + b"".join(parts))[:longest]


# --------------------------------------------------------------------------------------------------- running


def fuzz(options: list[str]) -> None:
    """Run the fuzzer in this process; it ends the process."""
    import atheris

    with atheris.instrument_imports(
        include=["acu_nof1.load", "acu_nof1.derive", "acu_nof1.scoring", "acu_nof1.privacy"]
    ):
        importlib.import_module("acu_nof1.load")  # what is imported here is watched
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as folder:
        reading = Reading(Path(folder))

        corpus = Path(options[0]).parent

        def one(data: bytes) -> None:
            try:
                reading.diary(data)
            except Exception as error:  # kept, and the search goes on
                name = re.sub(r"\W+", "_", f"{type(error).__name__} {error}")[:60]
                (corpus / f"finding_{name}").write_bytes(data)

        atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutated)
        atheris.Fuzz()


def run(minutes: float, seed: int, corpus: Path) -> dict[str, Any]:
    """Fuzz in a process of its own, and say what came of it."""
    inputs = corpus / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for name, content in seeds().items():
        (inputs / f"seed_{name}").write_bytes(content)
    options = [str(inputs), f"-max_total_time={minutes * 60:.0f}", f"-seed={seed}", f"-timeout={SLOWEST}",
               f"-rss_limit_mb={MEMORY_MB}", f"-max_len={LONGEST}", f"-artifact_prefix={corpus}/", "-print_final_stats=1"]  # fmt: skip
    log = corpus / "log.txt"
    begun = dt.datetime.now(dt.UTC)
    with log.open("w", encoding="utf-8") as stream:
        subprocess.run([sys.executable, __file__, "--target", *options], stdout=stream, stderr=stream, check=False)
    took = (dt.datetime.now(dt.UTC) - begun).total_seconds() / 60
    text = log.read_text(encoding="utf-8", errors="replace")
    kept = sorted(path.name.removeprefix("finding_") for path in corpus.glob("finding_*"))
    last = re.findall(r"#(\d+)\s.*?cov: (\d+) ft: (\d+) corp: (\d+)/", text)[-1]
    executed = re.search(r"number_of_executed_units: (\d+)", text)
    raised = re.search(r"Uncaught Python exception: ===\n(.*)", text) or re.search(r"ERROR: libFuzzer: (.*)", text)
    return {
        "date": begun.date(), "seed": seed, "minutes": round(took, 1), "executions": int(executed[1] if executed else last[0]),
        "edges": int(last[1]), "features": int(last[2]), "corpus": int(last[3]),
        "finding": "; ".join([*kept, *([raised[1][:100]] if raised else [])]) or "none", "python": platform.python_version(),
    }  # fmt: skip


def corpus_by_format(inputs: Path) -> pd.DataFrame:
    """How many inputs of the corpus are read, as which format, and how many are refused with a complaint?"""
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        reading = Reading(Path(folder))
        for path in sorted(inputs.iterdir()):
            diary = reading.diary(path.read_bytes())
            counted["refused" if diary is None else diary.sources[0].read_as.rpartition(", ")[2]] += 1
    return pd.DataFrame(sorted(counted.items()), columns=["read as", "inputs"])


def main() -> None:
    """Fuzz, and write down what came of it; or show one finding."""
    if sys.argv[1:2] == ["--target"]:
        fuzz(sys.argv[2:])
        return
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir()) / "acu_nof1_fuzz")
    asked.add_argument("--again", type=Path, help="an input to read once more")
    given = asked.parse_args()
    if given.again:
        with tempfile.TemporaryDirectory() as folder:
            print(Reading(Path(folder)).file_of(given.again.read_bytes())[1], given.again.read_bytes()[3:])
            print(Reading(Path(folder)).diary(given.again.read_bytes()))
        return
    row = run(given.minutes, given.seed, given.corpus)
    print(row)
    path = RESULTS / "fuzz.csv"
    runs = (
        pd.concat([pd.read_csv(path)] if path.exists() else [], ignore_index=True) if path.exists() else pd.DataFrame()
    )
    pd.concat([runs, pd.DataFrame([row])], ignore_index=True).to_csv(path, index=False, lineterminator="\n")
    if row["finding"] == "none":
        corpus_by_format(given.corpus / "inputs").to_csv(RESULTS / "fuzz_corpus.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
