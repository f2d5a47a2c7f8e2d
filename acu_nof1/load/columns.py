"""Which column holds what? By mapping, or by exactly the name it should have; nothing is guessed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from acu_nof1.derive import CSD_ITEMS
from acu_nof1.errors import Problem, did_you_mean
from acu_nof1.load.complaints import AS_IN_FILE, listed, nearest, place, shown
from acu_nof1.load.recognise import usual_titles
from acu_nof1.load.tables import Table, plain
from acu_nof1.outcomes import Outcome, conversion
from acu_nof1.privacy import is_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from acu_nof1.load.layout import Layout
    from acu_nof1.protocol import DiaryFile

ROLES = ("date", "entered", "person", "phase", "question", "answer", "lasted", *CSD_ITEMS)
MOST_PEOPLE = 5
MOST_ONCE = 4  # questions that may be asked once each, as in a diary of one day


def titles_to_look_for(file: DiaryFile, outcomes: Sequence[Outcome]) -> list[str]:
    """Which titles may stand in the header of this file?"""
    return [*file.columns.values(), *usual_titles(), *(o.name for o in outcomes), *(o.label for o in outcomes),
            *(item for o in outcomes for item in o.items)]  # fmt: skip


def _match(table: Table, title: str) -> str | None:
    """The column with this title, case and spaces aside."""
    return next((column for column in table.columns if plain(column) == plain(title)), None)


def find_roles(file: DiaryFile, name: str, table: Table, layout: Layout) -> tuple[dict[str, str], list[Problem]]:
    """Which column has each role that is declared or that the layout knows, and what is wrong with that?"""
    roles: dict[str, str] = {}
    wrong: list[Problem] = []
    needed = ("date", "question", "answer") if layout.shape == "long" else ("date",)
    for role in ROLES:
        declared = file.columns.get(role)
        usual = (declared,) if declared is not None else layout.columns.get(role, ())
        found = [column for title in usual if (column := _match(table, title))]
        if found:
            roles[role] = found[0]
        elif declared is not None:
            what = f'{role} should stand in a column "{declared}"; the columns are {listed(table.columns)}.'
            wrong.append(Problem("error", name, what, nearest(declared, table.columns) or AS_IN_FILE))
        elif role in needed:
            what = f"no column holds the {role}; the columns are {listed(table.columns)}."
            example = f'Declare it, as in columns = {{{role} = "{shown(table.columns[0])}"}}.'
            wrong.append(Problem("error", name, what, example))
    return roles, wrong


def find_questions(
    file: DiaryFile,
    name: str,
    table: Table,
    layout: Layout,
    roles: Mapping[str, str],
    outcomes: Sequence[Outcome],
) -> tuple[dict[Outcome, str], list[Problem]]:
    """Which column (in a long table: which question) is each outcome's, and what is wrong with that?"""
    known = {*(outcome.name for outcome in outcomes), *ROLES}
    wrong = [
        Problem("error", name, f'columns names "{key}", which is no outcome.', did_you_mean(key, known))
        for key in file.columns
        if key not in known
    ]
    titles = table.columns if layout.shape == "wide" else asked(table, roles)
    known_titles = titles if layout.shape == "wide" else recurring(table, roles)
    by_plain = {plain(title): title for title in titles}
    questions: dict[Outcome, str] = {}
    for outcome in outcomes:
        if outcome.items:
            continue  # scored from them; a column of totals beside them is not read
        declared = file.columns.get(outcome.name)
        usual = (declared,) if declared is not None else _own_titles(outcome, outcomes, layout)
        found = [by_plain[plain(title)] for title in usual if plain(title) in by_plain]
        if found:
            questions[outcome] = found[0]
        elif declared is not None:
            what = f'{outcome.name} should be found as "{declared}"; there are {listed(known_titles)}.'
            wrong.append(Problem("error", name, what, nearest(declared, known_titles) or AS_IN_FILE))
    return questions, wrong


def _own_titles(outcome: Outcome, outcomes: Sequence[Outcome], layout: Layout) -> tuple[str, ...]:
    """Name and label, and where the format keeps it; a label that another outcome has too decides nothing."""
    shared = any(other is not outcome and plain(other.label) == plain(outcome.label) for other in outcomes)
    measure = layout.measures.get(outcome.instrument)
    return (outcome.name, *(() if shared else (outcome.label,)), *(measure.titles if measure else ()))


def of_one_person(file: DiaryFile, name: str, table: Table, roles: Mapping[str, str]) -> tuple[Table, list[Problem]]:
    """Keep the rows of the declared person; where nobody is declared, the file must be of one person."""
    if "person" not in roles:
        wrong = [] if file.person is None else [
            Problem("error", name, f'person = "{file.person}" is declared, and no column says whose a row is.',
                    'Declare the column, as in columns = { person = "title of its column" }.')
        ]  # fmt: skip
        return table, wrong
    whose = table.rows[roles["person"]].str.strip()
    people = [str(person) for person in whose.unique() if person]
    if file.person is None and len(people) <= 1:
        return table, []
    if file.person not in people:
        codes = [person for person in people if is_code(person)]
        return table, [Problem("error", place(name, roles["person"]), *_whose(file.person, codes, len(people)))]
    return table.only((whose == file.person).to_numpy(dtype=bool), "rows of other people"), []


def nobody(name: str, roles: Mapping[str, str]) -> list[Problem]:
    """What to say of a file of many people that does not tell whose a row is."""
    if "person" in roles:
        return []
    what = "no column says whose a row is."
    return [Problem("error", name, what, 'Declare it, as in columns = { person = "title of its column" }.')]


def _whose(declared: str | None, codes: Sequence[str], people: int) -> tuple[str, str]:
    """What is said where nobody's rows were picked, and what to do: names are not printed, only codes."""
    if declared is not None:
        return f'no row is of person = "{shown(declared)}".', nearest(declared, codes) or AS_IN_FILE
    if len(codes) < people:
        return f"the rows are of {people} people.", 'Declare one, as it stands in the file, as in person = "P-014".'
    known = f"{listed(codes[:MOST_PEOPLE])}{' …' if people > MOST_PEOPLE else ''}"
    return f"the rows are of {people} people ({known}).", f'Declare one, as in person = "{shown(codes[0])}".'


def asked(table: Table, roles: Mapping[str, str]) -> tuple[str, ...]:
    """Which questions occur in a long table? None when the column of questions was not found."""
    return tuple(_asked(table, roles))


def recurring(table: Table, roles: Mapping[str, str]) -> list[str]:
    """Which questions may be named in a complaint? Where most texts occur once, the column holds something else."""
    times = _asked(table, roles)
    again = [title for title, count in times.items() if count > 1]
    return again if len(times) > MOST_ONCE and 2 * len(again) < len(times) else list(times)


def _asked(table: Table, roles: Mapping[str, str]) -> Counter[str]:
    if "question" not in roles:
        return Counter()
    times: Counter[str] = Counter()
    for text, count in table.rows[roles["question"]].value_counts(sort=False).items():
        times[" ".join(str(text).split())] += count
    del times[""]
    return times


def wrong_units(file: DiaryFile, name: str, outcomes: Sequence[Outcome]) -> list[Problem]:
    """Which of the declared units cannot be converted?"""
    by_name = {outcome.name: outcome for outcome in outcomes}
    wrong = []
    for key, unit in file.units.items():
        if key not in by_name:
            what = f'units names "{key}", which is no outcome.'
            wrong.append(Problem("error", name, what, did_you_mean(key, by_name)))
            continue
        try:
            conversion(unit, by_name[key].unit)
        except ValueError as error:
            wrong.append(Problem("error", name, f"{key}: {error}.", "Declare a unit of the same kind."))
    return wrong


def other_units(file: DiaryFile, name: str, table: Table, questions: Mapping[Outcome, str]) -> Iterator[Problem]:
    """Which outcomes does the file itself give in a unit that cannot become theirs?"""
    for outcome, title in questions.items():
        unit = table.units.get(plain(title), "")
        if unit and outcome.name not in file.units:
            try:
                conversion(unit, outcome.unit)
            except ValueError as error:
                what = f"{outcome.name}: {error}."
                yield Problem("error", name, what, "Declare the outcome in the unit of the file, or mend the file.")


def nothing_found(name: str, titles: Sequence[str], outcomes: Sequence[Outcome]) -> Problem:
    """What to say of a file in which no outcome was found."""
    wanted = ", ".join(f"{outcome.name} ({outcome.label})" for outcome in outcomes)
    what = f"none of the outcomes {wanted} was found; there are {listed(titles)}."
    hint = next((hint for outcome in outcomes if (hint := nearest(outcome.label, titles))), "")
    example = f'Map it, as in columns = {{{outcomes[0].name} = "title of its column"}}.' if outcomes else ""
    return Problem("error", name, what, f"{hint} {example}".strip())
