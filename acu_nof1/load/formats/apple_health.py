"""Apple Health: the sleep of each night out of ``export.xml`` or the zip around it, streamed."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
import zlib
from array import array
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, TYPE_CHECKING, Final
from xml.parsers import expat

import numpy as np

from acu_nof1.errors import AcuError
from acu_nof1.load.device_nights import (
    ASLEEP,
    AWAKE,
    DEEP,
    IN_BED,
    LIGHT,
    NIGHT_MEASURES,
    REM,
    SleepIntervals,
    change_of_source,
    device_nights,
    local_offset,
    of_device,
)
from acu_nof1.load.layout import Layout
from acu_nof1.load.tables import bytes_of, table_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

SLEEP = "HKCategoryTypeIdentifierSleepAnalysis"
# https://developer.apple.com/documentation/healthkit/hkcategoryvaluesleepanalysis; "Asleep" until iOS 15.
STAGE_OF: Mapping[str, int] = {
    f"HKCategoryValueSleepAnalysis{value}": stage
    for value, stage in {
        "InBed": IN_BED,
        "Awake": AWAKE,
        "Asleep": ASLEEP,
        "AsleepUnspecified": ASLEEP,
        "AsleepCore": LIGHT,
        "AsleepDeep": DEEP,
        "AsleepREM": REM,
    }.items()
}
RECORDS = frozenset(("Record", "Correlation", "Workout", "ActivitySummary", "ClinicalRecord"))

CHUNK = 1024**2
LARGEST = 16 * 1024**3  # bytes of XML; ten years with a watch are about 4 GB
MOST_COMPRESSED = 200  # times; genuine exports are compressed about 20 to 35 times
LONGEST_PIECE = 4 * 1024**2  # bytes of one tag, comment or value: a genuine record has a few hundred
DEEPEST = 50  # elements within elements; a genuine export has four
MOST_NAMES = 5_000  # names of elements and attributes; a genuine export has about a hundred
MOST_SOURCES = 200
MOST_MEMBERS = 1_000
HEAD = 4096

OTHER_KINDS = "records of other kinds than sleep"
NO_STAGE = "sleep records with a value that is not known"
NO_TIME = "sleep records with a time that cannot be read, or without a time zone"

AGAIN = "Export again on the phone: Health, your picture, Export All Health Data."
_DOCTYPE = re.compile(rb"<!DOCTYPE\s+HealthData\s*\[.*?\]\s*>", re.DOTALL)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) ?([-+]\d\d:?\d\d)", re.ASCII)
_OWN = re.compile(r"manufacturer:Apple Inc\., model:([^,>]+),.*software:([^,>]+)")
_SPACES: Final = bytes(32 if byte < 32 and byte not in (9, 10, 13) else byte for byte in range(256))


def is_export(path: Path, head: bytes) -> bool:
    """Is this an export of Apple Health, or XML of another kind (which is refused with the reason)?"""
    if head.startswith(b"PK"):
        return path.suffix.lower() not in (".xlsx", ".xlsm") and (b"apple_health_export/" in head or _in_zip(path))
    start = head.replace(b"\x00", b"")
    return _is_health(start) or (path.suffix.lower() == ".xml" and b"<" in start)


def _is_health(head: bytes) -> bool:
    return b"<!DOCTYPE HealthData" in head or b"<HealthData" in head


def _in_zip(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            named = any(name.rpartition("/")[2].lower() == "export.xml" for name in archive.namelist())
            return named or bool(_exports(archive))
    except Exception:  # as below: it is then for the reader of tables to say what is wrong
        return False


# ------------------------------------------------------------------------------------------- the bytes


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """The XML as a stream, and how many bytes it has; a zip is never unpacked."""
    if not path.is_file() or not path.stat().st_size:
        bytes_of(path)  # says what is wrong with it
    with path.open("rb") as file:
        if not file.read(2).startswith(b"PK"):
            file.seek(0)
            yield file, _not_too_large(path, path.stat().st_size)
            return
    with zipfile.ZipFile(path) as archive:
        member = _member(path, archive)
        size = _not_too_large(path, member.file_size)
        if size > MOST_COMPRESSED * max(member.compress_size, CHUNK // 64):
            what = f"{member.compress_size} bytes of it would grow to {size // 1024**2} MB: no export is compressed so far."
            raise unreadable(path.name, what, AGAIN)
        with archive.open(member) as stream:
            yield stream, size


def _not_too_large(path: Path, size: int) -> int:
    if size > LARGEST:
        what = f"the export is larger than {LARGEST // 1024**3} GB."
        raise unreadable(path.name, what, "Keep the sleep records only, or export a shorter time.")
    return size


def _xml_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [info for info in archive.infolist() if info.filename.lower().endswith(".xml")][:MOST_MEMBERS]


def _exports(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = []
    for info in _xml_in(archive):
        with archive.open(info) as stream:
            found += [info] if _is_health(stream.read(HEAD)) else []
    return found


def _member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one file in the archive that is an export: its name depends on the language of the phone."""
    if any(info.flag_bits & 1 for info in _xml_in(archive)):
        raise unreadable(path.name, "the archive is locked with a password.", "Unpack it and give its export.xml.")
    found = _exports(archive)
    if len(found) == 1:
        return found[0]
    if not found:
        raise unreadable(path.name, "the archive holds no export.xml of Apple Health.", AGAIN)
    what = f"the archive holds {len(found)} exports: {', '.join(repr(info.filename[:60]) for info in found[:5])}."
    raise unreadable(path.name, what, "Unpack the one that is meant, and give its export.xml.")


# ----------------------------------------------------------------------------------------- the records


class _Records:
    """The sleep records of an export as they are met, in arrays; the others are counted."""

    def __init__(self, name: str, parser: expat.XMLParserType) -> None:
        self.name, self.parser = name, parser
        self.start, self.end, self.offset = array("d"), array("d"), array("h")
        self.stage, self.source, self.row = array("b"), array("h"), array("q")
        self.sources: dict[str, int] = {}
        self.others = self.no_stage = self.no_time = self.depth = 0
        self.pending: dict[str, str] | None = None
        self.line = 0
        self.zone = ""

    def opens(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > 2:
            if name == "MetadataEntry" and self.pending is not None and attributes.get("key") == "HKTimeZone":
                self.zone = attributes.get("value", "")
            if self.depth > DEEPEST:
                raise unreadable(self.name, f"its elements are nested more than {DEEPEST} deep.", AGAIN)
        elif self.depth == 2:
            if attributes.get("type") == SLEEP and name == "Record":
                self.pending, self.line, self.zone = attributes, self.parser.CurrentLineNumber, ""
            elif name in RECORDS:
                self.others += 1
        elif name != "HealthData":
            what = f"an export of Apple Health was expected, this is XML of another kind (<{name[:40]}>)."
            raise unreadable(self.name, what, "Export the diary as CSV or Excel (.xlsx).")

    def closes(self, _: str) -> None:
        self.depth -= 1
        if self.depth == 1 and self.pending is not None:
            self._keep(self.pending)
            self.pending = None

    def _keep(self, record: Mapping[str, str]) -> None:
        stage = STAGE_OF.get(record.get("value", ""))
        start, end = _moment(record.get("startDate", "")), _moment(record.get("endDate", ""))
        if stage is None:
            self.no_stage += 1
        elif start is None or end is None:
            self.no_time += 1
        else:
            offset = local_offset(self.zone, end.timestamp() / 60) if self.zone else None
            self.start.append(start.timestamp() / 60)
            self.end.append(end.timestamp() / 60)
            self.offset.append(_minutes(end.utcoffset()) if offset is None else round(offset))
            self.stage.append(stage)
            self.source.append(self._source(source_of(record)))
            self.row.append(self.line)

    def _source(self, who: str) -> int:
        if who not in self.sources and len(self.sources) == MOST_SOURCES:
            raise unreadable(self.name, f"more than {MOST_SOURCES} devices recorded sleep.", AGAIN)
        return self.sources.setdefault(who, len(self.sources))

    def intervals(self) -> SleepIntervals:
        return SleepIntervals(
            np.asarray(self.start),
            np.asarray(self.end),
            np.asarray(self.offset, dtype=float),
            np.asarray(self.stage),
            np.array([*self.sources, ""], dtype=object)[np.asarray(self.source, dtype=np.intp)],
            np.asarray(self.row),
        )

    def left_out(self) -> dict[str, int]:
        counts = {OTHER_KINDS: self.others, NO_STAGE: self.no_stage, NO_TIME: self.no_time}
        return {reason: count for reason, count in counts.items() if count}


def source_of(record: Mapping[str, str]) -> str:
    """Who recorded this, without the name of a person: the device by its kind, or the app.

    A device is usually called after its owner. It is known as Apple's own by its software, which is then the version
    of the source too.
    """
    name = record.get("sourceName", "")
    own = _OWN.search(record.get("device", ""))
    told = own[1] if own and own[2] == record.get("sourceVersion") else name
    for kind, spoken in (("Watch", "Apple Watch"), ("iPhone", "iPhone"), ("iPad", "iPad")):
        if kind in told:
            return spoken
    return " ".join(told.split())[:60] or "no source named"


def _moment(text: str) -> dt.datetime | None:
    found = _TIME.fullmatch(text)
    if not found:
        return None
    try:
        return dt.datetime.fromisoformat(found[1] + found[2])
    except ValueError:
        return None


def _minutes(offset: dt.timedelta | None) -> int:
    return 0 if offset is None else round(offset.total_seconds() / 60)


# --------------------------------------------------------------------------------------------- reading


def _refuse_entities(name: str) -> None:
    what = "it declares XML entities, with which a small file can grow without end: no export of Apple Health does."
    raise unreadable(name, what, AGAIN)


def _without_doctype(name: str, head: bytes) -> bytes:
    """The head without its list of elements, which is no valid XML in exports of iOS 16; lines keep their number."""
    found = _DOCTYPE.search(head)
    if found is None:
        return head
    if b"<!ENTITY" in found[0]:
        _refuse_entities(name)
    return head[: found.start()] + b"\n" * found[0].count(b"\n") + head[found.end() :]


def _chunks(name: str, stream: IO[bytes]) -> Iterator[tuple[bytes, int, bool]]:
    """Pieces of the XML, how many bytes of the file each is, and whether characters in it had to be blanked."""
    chunk = stream.read(CHUNK)
    wide = b"\x00" in chunk[:1000]  # UTF-16: its bytes must stay as they are
    head = chunk if wide else _without_doctype(name, chunk)
    while chunk:
        piece = head if wide else head.translate(_SPACES)
        yield piece, len(chunk), piece != head
        chunk = head = stream.read(CHUNK)


def _parsed(name: str, stream: IO[bytes], size: int, progress: Progress) -> tuple[_Records, bool]:
    parser = expat.ParserCreate()
    records = _Records(name, parser)
    parser.StartElementHandler, parser.EndElementHandler = records.opens, records.closes
    parser.EntityDeclHandler = lambda *_: _refuse_entities(name)
    parser.specified_attributes = True  # a default value in a DOCTYPE would be handed over with every record
    read = fed = 0
    blanked = False
    try:
        for piece, length, changed in _chunks(name, stream):
            parser.Parse(piece)
            read, fed, blanked = read + length, fed + len(piece), blanked or changed
            if fed - parser.CurrentByteIndex > LONGEST_PIECE:
                raise unreadable(name, f"one piece of it is longer than {LONGEST_PIECE // 1024**2} MB.", AGAIN)
            if len(parser.intern) > MOST_NAMES:
                raise unreadable(name, f"it has more than {MOST_NAMES} names of elements.", AGAIN)
            progress(min(read / size, 1.0))
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise unreadable(name, _where_it_ends(error, read, size, parser.ErrorByteIndex), AGAIN) from None
    except (LookupError, UnicodeError) as error:  # the first line names an encoding that there is not
        raise unreadable(name, f"its text is in no encoding that is known ({error}).", AGAIN) from None
    except (zlib.error, EOFError, OSError, zipfile.BadZipFile) as error:
        what = f"the archive is damaged or cut off ({type(error).__name__}): {_share(read, size)} could be read."
        raise unreadable(name, what, AGAIN) from None
    return records, blanked


def _where_it_ends(error: expat.ExpatError, read: int, size: int, at: int) -> str:
    where = f"line {error.lineno} column {error.offset + 1}"
    if read >= size:
        return f"the file ends in the middle, in {where}: the last records are missing, and which cannot be known."
    said = expat.ErrorString(error.code)
    return f"it is no XML in UTF-8 from {where} on ({said}): {_share(at, size)} could be read."


def _share(read: int, size: int) -> str:
    return f"{read / 1024**2:.1f} of {size / 1024**2:.1f} MB"


def read_export(path: Path, file: DiaryFile, progress: Progress) -> Table:
    """How long was the sleep of each night in this export?

    Parameters
    ----------
    path
        ``export.xml``, or the zip that the phone gives.
    file
        Its declaration; `device` chooses whose sleep is read.
    progress
        Called with the share that is read.

    Returns
    -------
    Table
        One row per night, numbered by the line of its first record; the other records are counted.

    Raises
    ------
    UnreadableFileError
        If it is no such export, or is damaged, locked, cut off, too large, a bomb, or without any night.
    """
    try:
        with _opened(path) as (stream, size):
            records, blanked = _parsed(path.name, stream, size, progress)
    except AcuError:
        raise
    except Exception as error:  # zipfile raises whatever the damaged part happens to cause
        what = f"the file is damaged, cut off or cannot be opened ({type(error).__name__})."
        raise unreadable(path.name, what, AGAIN) from None
    ours, others = of_device(path.name, records.intervals(), file.device)
    nights = device_nights(ours)
    ignored = records.left_out() | others | dict(nights.ignored)
    if not len(nights.date):
        held = "; ".join(f"{reason}: {count}" for reason, count in ignored.items()) or "no record at all"
        raise unreadable(path.name, f"it holds no night of sleep ({held}).", AGAIN)
    table = table_of(
        path,
        nights.columns(),
        numbers=nights.row.tolist(),
        read_as="XML, a row per night, numbered by line",
        notes=["control characters that XML does not allow are read as blanks"] if blanked else [],
        ignored=ignored,
    )
    changed = change_of_source(nights)
    return replace(table, warnings=(changed,) if changed else ())


APPLE_HEALTH = Layout(
    "apple_health",
    "Apple Health's export.zip as the phone gives it, or the export.xml in it",
    "Apple Health export",
    columns={"date": ("date",)},
    measures=NIGHT_MEASURES,
    claims=is_export,
    read=read_export,
    gives="csd_tst, csd_tib, csd_waso, csd_sol, csd_twak, csd_se of each night, as far as the devices tell",
)
