"""How a cohort is cut into units of work: the same people in the same unit each time, so that numbers repeat to the last digit."""

from __future__ import annotations

import csv
import hashlib
import shutil
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tomli_w

from acu_nof1 import __version__
from acu_nof1.cohort.everybody import shared_protocol
from acu_nof1.cohort.people import PEOPLE_FILES
from acu_nof1.cohort.reading import digest_of_trial, is_shared, trial_folders
from acu_nof1.errors import Problem, UnreadableFileError
from acu_nof1.load.layout import PERSON_TITLES
from acu_nof1.load.layouts import layout_for
from acu_nof1.load.protocols import PROTOCOL_FILE
from acu_nof1.load.tables import ROW, plain, read_table, stream_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from acu_nof1.protocol import DiaryFile

TRIALS_A_UNIT, PEOPLE_A_UNIT = 32, 500
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Unit:
    """Some people who are read and reassessed together.

    Attributes
    ----------
    key
        Hash of everything that is read of them, of the version of this package and of what is asked: where it is the same,
        the result is.
    folders
        Their trial folders; or the one folder with a part of the shared tables.
    shared
        Which of the two.
    repeated
        Folders whose person was met in an earlier unit.
    people
        How many, for the progress.
    """

    key: str
    folders: tuple[Path, ...]
    shared: bool
    repeated: frozenset[str] = frozenset()
    people: int = 0


def units_of(source: Path, working: Path, asked: str) -> list[Unit]:
    """Into which units of work does this cohort fall?

    Parameters
    ----------
    source
        As for `read_cohort`: a folder of trial folders, or one with a shared protocol.
    working
        Where parts of shared tables are put while they are worked on.
    asked
        What is asked of everybody; it enters the keys.

    Raises
    ------
    AcuError
        If nobody can be read.
    """
    if is_shared(source):
        return [replace(unit, key=_key(asked, unit.key)) for unit in _parts(source, working)]
    folders = trial_folders(source)
    seen: set[str] = set()
    units = []
    for start in range(0, len(folders), TRIALS_A_UNIT):
        some = folders[start : start + TRIALS_A_UNIT]
        people = {folder: _person(folder) for folder in some}
        again = frozenset(folder.name for folder in some if people[folder] in seen)
        seen |= set(people.values()) - {""}
        digests = [f"{folder.name} {digest_of_trial(folder)} {folder.name in again}" for folder in some]
        units.append(Unit(_key(asked, *digests), tuple(some), False, again, len(some)))
    return units


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join((__version__, *parts)).encode()).hexdigest()[:32]


def _person(folder: Path) -> str:
    """Whom does this protocol name, as far as it can be understood?"""
    try:
        plan = tomllib.loads((folder / PROTOCOL_FILE).read_bytes().decode("utf-8-sig")).get("trial")
    except (OSError, ValueError):
        return ""
    person = plan.get("person") if isinstance(plan, dict) else None
    return person if isinstance(person, str) else ""


# --------------------------------------------------------------------------------------- shared tables


def _parts(source: Path, working: Path) -> list[Unit]:
    """Put each person's rows into the part of that person, table by table, without holding a table that is large."""
    protocol = shared_protocol(source / PROTOCOL_FILE)
    people = read_table(next(source / name for name in PEOPLE_FILES if (source / name).is_file()), titles=PERSON_TITLES)
    who = next((title for title in people.columns if plain(title) in PERSON_TITLES), people.columns[0])
    names = people.rows[who].str.strip()
    part_of = dict(zip(names[::-1], (range(len(names) - 1, -1, -1)), strict=True))
    part_of = {name: at // PEOPLE_A_UNIT for name, at in part_of.items()}
    count = max(part_of.values(), default=0) + 1
    shutil.rmtree(working, ignore_errors=True)
    folders = [working / f"part-{number:05}" for number in range(count + 1)]  # the last: who is in the diaries only
    for folder in folders:
        folder.mkdir(parents=True)
    _written(folders, people.rows.assign(**{ROW: people.numbers}), names.map(part_of), "people.csv", ",")
    raw = tomllib.loads((source / PROTOCOL_FILE).read_bytes().decode("utf-8-sig"))
    diaries = [
        _split(source, file, folders, part_of, _name_of_part(file, number), declared)
        for number, (file, declared) in enumerate(zip(protocol.diaries, raw["diary"], strict=True), 1)
    ]
    text = tomli_w.dumps({**raw, "diary": diaries})
    units = []
    for number, folder in enumerate(folders):
        if not any((folder / each["file"]).is_file() for each in diaries) and not (folder / "people.csv").is_file():
            continue
        (folder / PROTOCOL_FILE).write_text(text, encoding="utf-8")
        for name in ("people.csv", *(each["file"] for each in diaries)):
            _at_least_titles(folder / name, folders, name)
        found = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
        own = sum(part == number for part in part_of.values())
        units.append(Unit(found.hexdigest(), (folder,), True, people=own))
    return units


def _split(
    source: Path,
    file: DiaryFile,
    folders: Sequence[Path],
    part_of: Mapping[str, int],
    name: str,
    declared: Mapping[str, Any],
) -> dict[str, Any]:
    """Share out the rows of one diary file, and say how the parts are read: as the file was."""
    delimiter = ","
    for table in stream_table(source / file.file, delimiter=file.delimiter, encoding=file.encoding, sheet=file.sheet):
        delimiter = table.delimiter or ","
        person = table.rows[_person_title(file, table.columns)].str.strip()
        part = person.map(part_of).fillna(len(folders) - 1)
        _written(folders, table.rows.assign(**{ROW: table.numbers}), part, name, delimiter)
    dictionary = name.replace("/", "/dictionary/", 1)
    if file.dictionary is not None:
        for folder in folders:
            (folder / dictionary).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / file.dictionary, folder / dictionary)
    kept = {
        key: value for key, value in declared.items() if key not in ("delimiter", "encoding", "sheet", "dictionary")
    }
    more = {"dictionary": dictionary} if file.dictionary is not None else {}
    return {**kept, **more, "file": name, "delimiter": delimiter}


def _name_of_part(file: DiaryFile, number: int) -> str:
    """Where in a part the rows of this file stand: under the file's own name, which complaints give."""
    name = file.file.rsplit("/", 1)[-1]
    return f"table-{number}/{name}" if name.lower().endswith((".csv", ".tsv", ".txt")) else f"table-{number}/{name}.csv"


def _person_title(file: DiaryFile, columns: tuple[str, ...]) -> str:
    """In which column of a shared table does the person stand?"""
    layout = layout_for(columns, file.layout, file.columns)
    wanted = (
        [file.columns["person"]] if "person" in file.columns else [*layout.columns.get("person", ()), *PERSON_TITLES]
    )
    titles = {plain(title): title for title in columns}
    found = next((titles[plain(title)] for title in wanted if plain(title) in titles), None)
    if found is None and layout.name == "redcap":
        return columns[0]
    if found is None:
        what = "no column says whose a row is."
        remedy = 'Declare it, as in columns = { person = "title of its column" }.'
        raise UnreadableFileError([Problem("error", file.file, what, remedy)])
    return found


def _written(folders: Sequence[Path], rows: pd.DataFrame, part: pd.Series[Any], name: str, delimiter: str) -> None:
    for number, some in rows.groupby(part.to_numpy(), sort=False):
        path = folders[int(number)] / name  # type: ignore[call-overload]
        path.parent.mkdir(exist_ok=True)
        some.to_csv(path, mode="a", header=not path.exists(), index=False, sep=delimiter, quoting=csv.QUOTE_MINIMAL)


def _at_least_titles(path: Path, folders: Sequence[Path], name: str) -> None:
    """A part nobody of which is in a file has that file's titles."""
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    other = next(folder / name for folder in folders if (folder / name).is_file())
    with other.open(encoding="utf-8") as stream:
        path.write_text(stream.readline(), encoding="utf-8")
