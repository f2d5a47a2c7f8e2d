"""FHIR R4: Observations and QuestionnaireResponses, in a Bundle, as lines of JSON, or one alone."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from acu_nof1.load.formats.records import cell_text, read_json
from acu_nof1.load.layout import Layout, Measure
from acu_nof1.load.tables import plain, table_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from acu_nof1.load.layout import Progress
    from acu_nof1.load.tables import Table
    from acu_nof1.protocol import DiaryFile

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
PAIN, PAIN_PAST_WEEK, PEG = "72514-3", "75893-8", "91147-9"
# https://loinc.org/72514-3: the answer list of 0 to 10, by code. LA6113-0 is displayed as "2 or more".
TWO_OR_MORE = "LA6113-0"
SCORE_OF: Mapping[str, float] = {
    "LA6111-4": 0, "LA6112-2": 1, TWO_OR_MORE: 2, "LA6114-8": 3, "LA6115-5": 4, "LA10137-0": 5,
    "LA10138-8": 6, "LA10139-6": 7, "LA10140-4": 8, "LA10141-2": 9, "LA13942-0": 10,
}  # fmt: skip
EXTENSIONS = "http://hl7.org/fhir/StructureDefinition/"
REPLACES = f"{EXTENSIONS}observation-replaces"
WEIGHTS = (f"{EXTENSIONS}ordinalValue", f"{EXTENSIONS}itemWeight")

TITLES = ("date", "entered", "person", "question", "answer")
KINDS = ("Observation", "QuestionnaireResponse")
SETTLED = ("final", "amended", "corrected", "completed")
WITHDRAWN = ("entered-in-error", "cancelled")

NO_RESOURCE = "entries that are no resource"
OTHER_KIND = "resources of other kinds than Observation and QuestionnaireResponse"
OLDER = "older versions of a resource that is there in a newer one"
REPLACED = "observations that another one replaces"
DELETED = "resources that were deleted, or the entries that say so"
OUT = 'resources with status "{}"'
GROUP = "observations that only group others"
NO_ANSWER = "questionnaires without a single question"
NO_CODE = "answers to a question without a code"

IN_UTC = (
    "times that end in Z are in UTC: the day is that of UTC, where an evening may be the next day.",
    "Export local times with their time zone, if the source can.",
)

_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*[\[{]")
_TYPE = re.compile(rb'"resourceType"\s*:')
_UTC = re.compile(r"T.*Z$")


def is_fhir(path: Path, head: bytes) -> bool:
    """Is this JSON with FHIR resources?"""
    return bool(_BEGINS.match(head) and _TYPE.search(head))


# ----------------------------------------------------------------------------------- any JSON, without surprise


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [_object(item) for item in value] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _get(value: Any, *keys: str) -> str:
    """The text at the end of this path; none where there is no such path."""
    for key in keys:
        value = _object(value).get(key)
    return _text(value)


# ------------------------------------------------------------------------------------------------- resources


@dataclass(frozen=True, eq=False)
class _Resource:
    """One resource, the how-manieth of the file it is, and every name by which another one may refer to it."""

    number: int
    kind: str
    body: Mapping[str, Any]
    names: tuple[str, ...]
    deleted: bool = False

    @property
    def status(self) -> str:
        return _get(self.body, "status") or "unknown"


def _entries(value: Any) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """Every resource with its full URL, in the order of the file; one that was deleted only as its address."""
    waiting: list[tuple[Any, str]] = [(value, "")]
    while waiting:
        found, url = waiting.pop()
        if isinstance(found, list):
            waiting += [(item, "") for item in reversed(found)]
        elif _get(found, "resourceType") == "Bundle":
            for entry in reversed(_objects(found.get("entry"))):
                request = _object(entry.get("request"))
                if "resource" not in entry and _get(request, "method") == "DELETE":
                    waiting.append(({"deleted": _get(request, "url")}, ""))
                else:
                    waiting.append((entry.get("resource"), _get(entry, "fullUrl")))
        else:
            yield _object(found), url, _get(found, "deleted")


def _resources(value: Any) -> list[_Resource]:
    found = []
    for number, (body, url, deleted) in enumerate(_entries(value), 1):
        kind, own = _get(body, "resourceType"), _get(body, "id")
        names = tuple(name for name in (f"{kind}/{own}" if own else "", _address(url), _address(deleted)) if name)
        found.append(_Resource(number, kind, body, names, bool(deleted and not kind)))
    return found


def _address(reference: str) -> str:
    """``http://server/fhir/Observation/5/_history/2`` is ``Observation/5``; a URN stays what it is."""
    return reference if reference.startswith("urn:") else "/".join(reference.partition("/_history")[0].split("/")[-2:])


def _stored(body: Mapping[str, Any]) -> float | None:
    """When this version was stored, in seconds since 1970; a time without a zone is taken as UTC."""
    try:
        moment = dt.datetime.fromisoformat(_get(body, "meta", "lastUpdated"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _version(body: Mapping[str, Any]) -> float | None:
    version = _get(body, "meta", "versionId")
    return int(version) if re.fullmatch(r"[0-9]{1,15}", version) else None


def _newest(versions: Sequence[_Resource]) -> _Resource:
    """Which version counts: by its number, else by when it was stored, else the last in the file."""
    for age in (_version, _stored):
        ages = [known for one in versions if (known := age(one.body)) is not None]
        if len(ages) == len(versions):
            return max(zip(ages, range(len(ages)), versions, strict=True))[2]
    return versions[-1]


def _standing(found: Sequence[_Resource], out: Counter[str]) -> list[_Resource]:
    """The resources that hold: the newest version of each, neither withdrawn nor replaced; the others are counted."""
    of_kind = [one for one in found if one.kind in KINDS]
    out[DELETED] += sum(one.deleted for one in found)
    out[OTHER_KIND] += sum(bool(one.kind) and one.kind not in KINDS for one in found)
    out[NO_RESOURCE] += sum(not one.kind and not one.deleted for one in found)
    deleted = {name for one in found if one.deleted for name in one.names}
    versions: dict[str, list[_Resource]] = {}
    for one in of_kind:
        versions.setdefault(one.names[0] if one.names else str(one.number), []).append(one)
    newest = [_newest(same) for same in versions.values()]
    out[OLDER] += len(of_kind) - len(newest)
    withdrawn = [one for one in newest if one.status in WITHDRAWN]
    out.update(OUT.format(one.status) for one in withdrawn)
    replaced = {
        _address(_get(extension, "valueReference", "reference"))
        for one in newest
        if one.status not in WITHDRAWN
        for extension in _objects(one.body.get("extension"))
        if _get(extension, "url") == REPLACES
    }
    standing = []
    for one in sorted(newest, key=lambda one: one.number):
        if one.status in WITHDRAWN:
            continue
        why = DELETED if deleted.intersection(one.names) else REPLACED if replaced.intersection(one.names) else ""
        if why:
            out[why] += 1
        else:
            standing.append(one)
    return standing


# --------------------------------------------------------------------------------------------------- answers


class _Answer(NamedTuple):
    """A line of the table."""

    number: int
    date: str
    entered: str
    person: str
    form: str
    question: str
    answer: str


@dataclass(eq=False)
class _Reading:
    """What is met on the way: codes that stand for numbers, codes for "not answered", what was left out."""

    wanted: frozenset[str]
    codes: dict[str, dict[str, set[float]]] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    out: Counter[str] = field(default_factory=Counter)
    periods: int = 0

    def answers(self, one: _Resource) -> Iterator[_Answer]:
        """The lines of one resource."""
        told = self._observed if one.kind == "Observation" else self._filled_in
        day = self._day(one.body) if one.kind == "Observation" else _get(one.body, "authored")
        entered = _get(one.body, "issued") if one.kind == "Observation" else ""
        form = _get(one.body, "questionnaire").partition("|")[0]
        for question, answer in told(one.body):
            if question:
                yield _Answer(one.number, day, entered, _person(one.body), form, question, answer)
            else:
                self.out[NO_CODE] += 1

    def _day(self, body: Mapping[str, Any]) -> str:
        """The day an observation is about, as it is written: of a period the last, on which it was answered."""
        period = _object(body.get("effectivePeriod"))
        if period:
            self.periods += 1
            return _get(period, "end") or _get(period, "start")
        timing = _object(body.get("effectiveTiming")).get("event")
        event = timing[0] if isinstance(timing, list) and timing else None
        return _get(body, "effectiveDateTime") or _get(body, "effectiveInstant") or _text(event)

    def _observed(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        question = self._question(body.get("code"))
        parts = [
            (name, self._value(part, name) or "")
            for part in _objects(body.get("component"))
            for name in [self._question(part.get("code"))]
        ]
        own = self._value(body, question)
        if own is None and not parts and body.get("hasMember"):
            self.out[GROUP] += 1
            return []
        return [(question, own or ""), *parts] if own is not None or not parts else parts

    def _filled_in(self, body: Mapping[str, Any]) -> list[tuple[str, str]]:
        waiting = list(reversed(_objects(body.get("item"))))
        found: list[tuple[str, str]] = []
        while waiting:
            item = waiting.pop()
            question, answers = _get(item, "linkId"), _objects(item.get("answer"))
            found += [(question, self._value(answer, question) or "") for answer in answers]
            inner = [*_objects(item.get("item")), *(i for answer in answers for i in _objects(answer.get("item")))]
            if not answers and not inner:
                found.append((question, ""))
            waiting += reversed(inner)
        if not found:
            self.out[NO_ANSWER] += 1
        return found

    def _question(self, concept: Any) -> str:
        """The code that was mapped, else that of LOINC, else the first; the words where there is no code."""
        codings = _objects(_object(concept).get("coding"))
        loinc = [coding for coding in codings if _get(coding, "system") == LOINC]
        codes = [code for coding in (*loinc, *codings) if (code := _get(coding, "code"))]
        mapped = [code for code in codes if plain(code) in self.wanted]
        return next(iter((*mapped, *codes)), "") or _get(concept, "text")

    def _value(self, holder: Mapping[str, Any], question: str) -> str | None:
        """The answer as the text of a cell; ``None`` where there is no answer at all."""
        for key, value in holder.items():
            if key.startswith("value"):
                return self._cell(key.removeprefix("value"), value, question)
        absent = _object(holder.get("dataAbsentReason"))
        if not absent:
            return None
        reason = next((c for coding in _objects(absent.get("coding")) if (c := _get(coding, "code"))), "")
        reason = reason or _get(absent, "text") or "not answered"
        self.absent.add(reason)
        return reason

    def _cell(self, kind: str, value: Any, question: str) -> str:
        if kind == "Quantity":
            return _quantity(_object(value))
        if kind == "Coding":
            return self._coded([_object(value)], question)
        if kind == "CodeableConcept":
            return self._coded(_objects(_object(value).get("coding")), question) or _get(value, "text")
        if kind == "Range":
            return f"{_get(value, 'low', 'value')} - {_get(value, 'high', 'value')}"
        return f"({kind})" if isinstance(value, (dict, list)) else cell_text(value)

    def _coded(self, codings: Sequence[Mapping[str, Any]], question: str) -> str:
        """A coded answer by its code, never by what is displayed: ``LA6112-2``, else ``system|code``."""
        tokens = []
        for coding in codings:
            system, code = _get(coding, "system"), _get(coding, "code")
            if code:
                tokens.append(code if system == LOINC and code.startswith("LA") else f"{system}|{code}")
                known = self.codes.setdefault(question, {}).setdefault(tokens[-1], set())
                known.update(_weights(coding))
        scored = [token for token in tokens if token in SCORE_OF]
        return next(iter((*scored, *tokens)), "") or next(iter(_get(coding, "display") for coding in codings), "")

    def words(self) -> dict[str, dict[str, float]]:
        """By question, the codes that stand for numbers: those of LOINC, and those the file gives a weight.

        "2 or more" is 2 on the scale of 0 to 10 and an open number elsewhere: on other questions than those of pain it
        is read only beside codes of 3 and more.
        """
        return {question: self._numbers(question, codes) for question, codes in self.codes.items()}

    def _numbers(self, question: str, codes: Mapping[str, set[float]]) -> dict[str, float]:
        scale = question in (PAIN, PAIN_PAST_WEEK) or any(SCORE_OF.get(code, 0) >= 3 for code in codes)
        given = {code: next(iter(weights)) for code, weights in codes.items() if len(weights) == 1}
        known = {code: SCORE_OF[code] for code in codes if code in SCORE_OF and (scale or code != TWO_OR_MORE)}
        return given | known


def _person(body: Mapping[str, Any]) -> str:
    """Whose it is, by reference or identifier: a name is never taken."""
    return _get(body, "subject", "reference") or _get(body, "subject", "identifier", "value")


def _weights(coding: Mapping[str, Any]) -> Iterator[float]:
    for extension in _objects(coding.get("extension")):
        if _get(extension, "url") in WEIGHTS and re.fullmatch(
            r"-?\d{1,9}(?:\.\d{1,9})?", _get(extension, "valueDecimal")
        ):
            yield float(_get(extension, "valueDecimal"))


def _quantity(quantity: Mapping[str, Any]) -> str:
    """``6``, ``7.5 h``, ``<5``: notes in braces are no unit in UCUM, and its ``m`` are metres, not minutes."""
    unit = (_get(quantity, "code") if _get(quantity, "system") == UCUM else "") or _get(quantity, "unit")
    unit = re.sub(r"\{[^{}]*\}", "", unit).strip()
    unit = {"1": "", "/d": "", "m": "metres"}.get(unit, unit)
    return f"{_get(quantity, 'comparator')}{_get(quantity, 'value')} {unit}".strip()


# ----------------------------------------------------------------------------------------------------- table


def _told_apart(answers: Sequence[_Answer]) -> tuple[list[_Answer], bool]:
    """Where two questionnaires number their questions alike, a question is ``questionnaire#number``."""
    forms: dict[str, set[str]] = {}
    for one in answers:
        forms.setdefault(one.question, set()).add(one.form)
    shared = {question for question, asked_in in forms.items() if len(asked_in - {""}) > 1}
    return [
        one._replace(question=f"{one.form}#{one.question}") if one.question in shared and one.form else one
        for one in answers
    ], bool(shared)


def _notes(standing: Iterable[_Resource], answers: Sequence[_Answer], periods: int, shared: bool) -> Iterator[str]:
    yield "rows are the resources of the file, counted from 1"
    open_ones = Counter(one.status for one in standing if one.status not in SETTLED)
    for status, count in sorted(open_ones.items()):
        yield f'{count} {"resource has" if count == 1 else "resources have"} the status "{status[:40]}"'
    if periods:
        yield f"{periods} {'observation is' if periods == 1 else 'observations are'} about a period: its last day counts"
    if any(one.question == PAIN_PAST_WEEK for one in answers):
        yield f'question {PAIN_PAST_WEEK} asks about the past week: declare every = "week" for its outcome'
    if shared:
        yield 'several questionnaires number their questions alike: these are called "questionnaire#number"'


def read_fhir(path: Path, file: DiaryFile, progress: Progress) -> Table:
    """What do the observations and questionnaires in this file say, one row per answer?

    Parameters
    ----------
    path
        A Bundle, one resource, a list of them, or one on each line.
    file
        Its declaration; a code that `columns` names is preferred where a question has several.
    progress
        Not called: JSON is read at once.

    Returns
    -------
    Table
        ``date`` as it is written (no time zone moves it), ``entered``, ``person``, ``question`` (code or linkId), ``answer``.

    Raises
    ------
    UnreadableFileError
        If it is no JSON, or holds no answer.
    """
    found = _resources(read_json(path))
    reading = _Reading(frozenset(plain(title) for title in file.columns.values()))
    standing = _standing(found, reading.out)
    answers, shared = _told_apart([answer for one in standing for answer in reading.answers(one)])
    ignored = {why: count for why, count in reading.out.items() if count}
    if not answers:
        left = "; ".join(f"{count} {why}" for why, count in ignored.items())
        what = f"no Observation and no QuestionnaireResponse in it holds an answer{f' ({left})' if left else ''}."
        raise unreadable(path.name, what, "Export these resources, as a Bundle in JSON or one on each line.")
    columns = {title: [getattr(one, title) for one in answers] for title in TITLES}
    columns = {title: texts for title, texts in columns.items() if title not in ("entered", "person") or any(texts)}
    table = table_of(
        path,
        columns,
        numbers=[one.number for one in answers],
        read_as="JSON, rows are resources",
        notes=tuple(_notes(standing, answers, reading.periods, shared)),
        ignored=ignored,
    )
    warnings = (IN_UTC,) if any(_UTC.search(one.date) for one in answers) else ()
    return replace(table, words=reading.words(), missing=tuple(sorted(reading.absent)), warnings=warnings)


FHIR = Layout(
    "fhir",
    "FHIR R4 in JSON, a Bundle or one resource on each line: Observation, QuestionnaireResponse",
    "FHIR R4 resources",
    shape="long",
    columns={title: (title,) for title in TITLES},
    measures={"nrs_pain": Measure((PAIN, PAIN_PAST_WEEK)), "peg": Measure((PEG,))},
    claims=is_fhir,
    read=read_fhir,
    gives="nrs_pain (LOINC 72514-3, 75893-8), peg (91147-9); other codes and linkIds once they are mapped",
)
