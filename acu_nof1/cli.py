"""The command line: every command is one function, named as it is typed.

Exit codes: 0 done (warnings allowed), 1 errors in the data, 2 wrong use, 3 an optional tool is missing.
Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from acu_nof1 import __version__
from acu_nof1.errors import AcuError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console

    from acu_nof1.cohort import Cohort
    from acu_nof1.mending import Mending
    from acu_nof1.outcomes import Outcome
    from acu_nof1.planning import Audit, Plan
    from acu_nof1.reassessment import Reassessment
    from acu_nof1.trial import Comparisons, Trial

app = typer.Typer(
    name="acu-nof1",
    help="What changed after acupuncture began, by how much, and how sure can we be? Reads pain, function and sleep diaries.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
SAMPLES = ("low_back_pain", "knee_osteoarthritis", "migraine", "sleep_and_stress")
STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}
CONDITION_NAMES = (
    "low_back_pain", "neck_pain", "knee_osteoarthritis", "headache", "migraine", "sleep_and_stress", "other_pain",
)  # fmt: skip
Pseudonymise = Annotated[
    str | None,
    typer.Option(
        metavar="KEYFILE",
        help="Print a keyed code in place of the person's own; `env` takes the key from ACU_NOF1_KEY.",
    ),
]
Outcomes = Annotated[
    list[str] | None,
    typer.Option(help='One diary file: "Column=nrs_pain" or "Column=count,better=higher"; the first is primary.'),
]
DateTitle = Annotated[str | None, typer.Option(help="One diary file: title of the date column.")]
DayFirst = Annotated[
    bool | None, typer.Option("--dayfirst/--monthfirst", help="One diary file: how 03/04/2026 is meant.")
]
DecimalSign = Annotated[str | None, typer.Option(help='One diary file: the decimal sign, "." or ",".')]
WhoseRows = Annotated[
    str | None, typer.Option(metavar="CODE", help="One diary file of several people: whose rows are read.")
]
STDOUT = Path("-")
EXIT_CODES = "Exit codes: 0 done (warnings allowed), 1 errors in the data, 2 wrong use, 3 an optional tool is missing."


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code; problems are printed, never traced back."""
    try:
        app(args=arguments)
    except AcuError as error:
        _print_problems(error.problems)
        sys.exit(error.exit_code)
    except OSError as error:
        place = str(error.filename) if error.filename else "acu-nof1"
        _print_problems(
            [Problem("error", place, f"{error.strerror or error}.", "Check the place and its permissions.")]
        )
        sys.exit(2)
    sys.exit(0)


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def _print_problems(problems: Sequence[Problem]) -> None:
    console = _console()
    for problem in problems:
        console.print(f"{problem.severity}: ", style=STYLES[problem.severity], end="")
        console.print(_plain(str(problem)), markup=False)


def _print_to_mend(found: Mending) -> None:
    """Print the problems of each file under its name; on a terminal no line is longer than it is wide."""
    import textwrap

    console = _console()
    width = console.width if console.is_terminal else sys.maxsize

    def put(text: str, begun: int) -> None:
        lines = textwrap.wrap(_plain(text), width, initial_indent=" " * begun, subsequent_indent="    ")
        console.print("\n".join(lines)[begun:], markup=False)

    for title, problems in found.lines():
        console.print(_plain(title), style="bold", markup=False)
        for problem, place in problems:
            severity = f"  {problem.severity}: "
            console.print(severity, style=STYLES[problem.severity], end="")
            put(f"{place}: {problem.problem}" if place else problem.problem, len(severity))
            if problem.remedy:
                console.print("    ", end="")
                put(problem.remedy, 4)
        console.print()


def _plain(text: str) -> str:
    """Keep control characters of a file from reaching the terminal."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"acu-nof1 {__version__}")
        raise typer.Exit


@app.callback(epilog=EXIT_CODES)
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog=EXIT_CODES)
def init(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The trial folder to make.", show_default=False)
    ] = None,
    condition: Annotated[str | None, typer.Option(help=f"What is treated: {', '.join(CONDITION_NAMES)}.")] = None,
    start: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day of the first treatment; the diary begins before it."),
    ] = None,
    baseline_days: Annotated[
        int | None, typer.Option(min=7, max=365, help="Days of diary before treatment; 14, or 28 for headache.")
    ] = None,
    weeks: Annotated[
        int | None, typer.Option(min=1, max=104, help="Weeks of treatment; 10, or 12 for headache.")
    ] = None,
    person: Annotated[str | None, typer.Option(help="A code for the person, never a name.")] = None,
) -> None:
    """Write what a new trial needs: a protocol to fill in, an Excel diary, a session log, a diary for paper. Asks what is not given."""
    from acu_nof1.start import outset, write_sheet, write_start
    from acu_nof1.start.asking import answers
    from acu_nof1.words import start as words
    from acu_nof1.words.numbers import date

    folder, condition, day, person = answers(folder, condition, start.date() if start else None, person)
    trial = outset(condition, day, baseline_days=baseline_days, weeks=weeks, person=person)
    written = write_start(trial, folder)
    _print_problems(trial.problems)
    typer.echo("\n".join(f"  {file}" for file in written))
    try:
        with _console().status("Printing …"):
            sheet = write_sheet(folder)
        typer.echo(f"  {sheet}")
    finally:
        typer.echo(words.next_steps(str(folder), date(trial.first_day), date(trial.start), date(trial.look)))


@app.command(epilog=EXIT_CODES)
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the reports.", file_okay=False)] = Path("acu_nof1_demo"),
) -> None:
    """Write the reports of the four samples, one for the clinician and one for the patient each; print each verdict."""
    from acu_nof1.export import folder_problems, target_problems
    from acu_nof1.report import bundled

    pages = {f"{name}.html in --out": out / f"{name}.html" for name in SAMPLES}
    pages |= {f"{name}_patient.html in --out": out / f"{name}_patient.html" for name in SAMPLES}
    _insist(folder_problems("--out", out) or (target_problems(pages) if out.is_dir() else []))
    out.mkdir(parents=True, exist_ok=True)
    for name in SAMPLES:
        page = out / f"{name}.html"
        review = _reassess(bundled(f"sample_data/{name}"))
        _write_page(review, page)
        _write_page(review, out / f"{name}_patient.html", patient=True)
        typer.echo(f"{name.replace('_', ' ')}: {review.sentence}\n  {page}\n")


@app.command(epilog=EXIT_CODES)
def report(
    path: Annotated[Path, typer.Argument(help="A trial folder with protocol.toml, or one diary file.")],
    after_session: Annotated[int | None, typer.Option(min=1, help="Look as it stood before this session.")] = None,
    on: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Look as it stood on this day.")] = None,
    patient: Annotated[bool, typer.Option("--patient", help="Write the patient's page, not the clinician's.")] = False,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", help="Leave out code, goal, notes and free text; move all dates by whole weeks."),
    ] = False,
    pseudonymise: Pseudonymise = None,
    dates: Annotated[
        str, typer.Option(help="How dates are printed: day_month (13 Apr 2026), us (Apr 13, 2026), iso (2026-04-13).")
    ] = "day_month",
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page to write; if left out NAME.html, or reassessment.html where the name is kept back."
        ),
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="Print the page as a tagged PDF too.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write the answers as JSON too.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the answers as CSV too.")] = None,
    ipynb: Annotated[Path | None, typer.Option(help="Write the executed notebook of the clinician's page too.")] = None,
    start: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="One diary file: first treatment day.")
    ] = None,
    outcome: Outcomes = None,
    date: DateTitle = None,
    dayfirst: DayFirst = None,
    decimal: DecimalSign = None,
    person: WhoseRows = None,
    save_protocol: Annotated[
        Path | None, typer.Option(help="One diary file: keep it as a trial folder.", file_okay=False)
    ] = None,
) -> None:
    """Write the reassessment report of one person's trial."""
    from acu_nof1.words.numbers import dates_as

    day = on.date() if on else None
    hidden = anonymous or pseudonymise is not None
    page = out or Path(f"{'reassessment' if hidden else path.resolve().stem}{'_patient' if patient else ''}.html")
    single = {"start": start.date() if start else None, "outcomes": outcome or [], "date": date, "dayfirst": dayfirst,
              "decimal": decimal, "person": person}  # fmt: skip
    _insist(
        _contradicting(path, single, save_protocol, after_session=after_session, on=day, hidden=hidden, ipynb=ipynb)
    )
    key = _key(pseudonymise, path)
    targets = {"--out": page, "--pdf": pdf, "--json": json, "--csv": csv, "--ipynb": ipynb}
    _check_targets(path, targets, save_protocol)
    with dates_as(dates), _folder(path, single, save_protocol) as folder:
        review = _reassess(folder, after_session, day, anonymous=anonymous, key=key)
        _print_problems([problem for problem in review.problems if problem.severity == "warning"])
        _write_page(review, page, patient=patient)
        _write_tables(review, json, csv)
        if ipynb is not None:
            _write_notebook(folder, after_session, day, ipynb)
        typer.echo(f"{review.sentence}\n  {page}")
    if pdf is not None:
        _write_pdf(page, pdf)


@app.command(epilog=EXIT_CODES)
def check(
    path: Annotated[Path, typer.Argument(help="A trial folder with protocol.toml.")],
    fix_report: Annotated[
        Path | None,
        typer.Option(help="Write a workbook (.xlsx): your sheets as they are, the cells to mend marked."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write the problems as JSON; - prints them.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the problems as CSV; - prints them.")] = None,
    pseudonymise: Pseudonymise = None,
) -> None:
    """List what should be mended in a trial folder, file by file, worst first."""
    from acu_nof1.mending import write_fix_report
    from acu_nof1.words import mending as words

    _insist(_wrong_check(path, fix_report, json, csv, pseudonymise))
    found = _to_mend(path, _key(pseudonymise, path))
    _print_to_mend(found)
    printed = STDOUT in (json, csv)
    if found.counts is not None:
        typer.echo(words.counted(found.counts), err=printed)
    typer.echo(words.conclusion(found.problems), err=printed)
    _write_tables(found, json, csv)
    if fix_report is not None:
        write_fix_report(found, fix_report)
        typer.echo(f"  {fix_report}", err=printed)
    raise typer.Exit(1 if any(problem.severity == "error" for problem in found.problems) else 0)


@app.command(epilog=EXIT_CODES)
def key(file: Annotated[Path, typer.Argument(help="The file to make.", dir_okay=False)]) -> None:
    """Make a new secret key for --pseudonymise, in a file that only you can read; it is not printed."""
    from acu_nof1.pseudonyms import write_key

    write_key(file)
    typer.echo(
        f"{file} is made. Keep it apart from the diaries, and keep a copy: without it no code can be made again."
    )


@app.command(epilog=EXIT_CODES)
def convert(
    path: Annotated[Path, typer.Argument(help="A trial folder with protocol.toml, or one diary file.")],
    out: Annotated[
        Path, typer.Argument(help="The table to write (.csv or .parquet); its ledger goes to NAME.ledger.csv.")
    ],
    outcome: Outcomes = None,
    date: DateTitle = None,
    dayfirst: DayFirst = None,
    decimal: DecimalSign = None,
    person: WhoseRows = None,
    pseudonymise: Pseudonymise = None,
) -> None:
    """Write all answers as one tidy table (person, date, outcome, value, unit), with the ledger beside it.

    Of a single diary file: the outcomes that its format, or a column's own name, gives away; or those of --outcome.
    """
    from acu_nof1.export import insist_on_parquet, ledger_beside, suffix_problems, target_problems, write_long
    from acu_nof1.load.protocols import input_files
    from acu_nof1.load.single import read_single

    single = {"outcomes": outcome or [], "date": date, "dayfirst": dayfirst, "decimal": decimal, "person": person}
    inputs = [path] if _is_diary(path) else list(input_files(path))
    wrong = target_problems({"OUT": out, "its ledger": ledger_beside(out)}, inputs)
    _insist([*wrong, *suffix_problems(out), *_not_of_a_folder(path, single)])
    insist_on_parquet(out)
    key = _key(pseudonymise, path)
    if _is_diary(path):
        with _progress("Reading") as progress:
            trial = read_single(path, progress=progress, **single)  # type: ignore[arg-type]  # one name each
    else:
        trial = _read(path, key)
    _print_problems([problem for problem in trial.diary.problems if problem.severity != "note"])
    for file in write_long(trial, out):
        typer.echo(f"  {file}")


@app.command(epilog=EXIT_CODES)
def formats() -> None:
    """List the formats of diaries that can be read: what they look like, and what each gives."""
    from rich.console import Console
    from rich.table import Table

    from acu_nof1.load import LAYOUTS

    table = Table("layout", "looks like", "gives", box=None, pad_edge=False)
    for layout in LAYOUTS:
        table.add_row(layout.name, layout.looks_like, layout.gives)
    Console(highlight=False, emoji=False).print(table)
    typer.echo('A file\'s format is recognised from what it holds; layout = "…" in the protocol overrules that.')


@app.command(epilog=EXIT_CODES)
def cohort(
    path: Annotated[
        Path, typer.Argument(help="A folder of trial folders, or one with protocol.toml, people.csv and diaries.")
    ],
    out: Annotated[
        Path, typer.Option(help="The folder for results.csv, problems.csv and manifest.json.", file_okay=False)
    ],
    engine: Annotated[str, typer.Option(help="Where it is worked off: local or dask.")] = "local",
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Of Dask, as tcp://host:8786.")] = None,
    reports: Annotated[bool, typer.Option("--reports", help="Write everybody's own page too.")] = False,
    sessions: Annotated[
        bool,
        typer.Option(
            "--sessions", help="Write sessions.csv too: what goes along with sessions, a row a person and outcome."
        ),
    ] = False,
    question: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An estimator, as mean_change; may be repeated; all without."),
    ] = None,
) -> None:
    """Reassess many people: one table of answers, what became of everybody, and why. What is done is not done again.

    The tables are written before the exit code says whether somebody could not be read (1).
    """
    from acu_nof1.cohort import run_cohort

    wrong = []
    if out.resolve() == path.resolve() or out.resolve() in path.resolve().parents:
        wrong.append(Problem("error", f"--out {out}", "this is where the diaries are.", "Choose another folder."))
    if engine not in ("local", "dask"):
        wrong.append(Problem("error", f"--engine {engine}", "there is no such engine.", "Write local or dask."))
    _insist(wrong)
    begun = time.monotonic()
    with _counted("Reassessing") as progress:
        run = run_cohort(path, out, engine=engine, jobs=jobs, scheduler=scheduler, questions=question or (), reports=reports,  # type: ignore[arg-type]
                         sessions=sessions, progress=progress)  # fmt: skip
    of = sum(run.people.values())
    typer.echo(
        f"{of} people in {time.monotonic() - begun:.0f} s: {run.people['done']} with an answer, {run.people['not_estimable']} not estimable, "
        f"{run.people['failed']} could not be read."
        + (f" {run.kept} of {run.units} parts were done already." if run.kept else "")
    )
    for file in sorted(file for file in out.iterdir() if file.is_file()):
        typer.echo(f"  {file}")
    if not (out / "results.parquet").is_file():
        typer.echo("results.parquet is written where pyarrow is installed: acu-nof1[parquet].")
    if run.people["failed"]:
        typer.echo("manifest.json says who could not be read and why, problems.csv what to mend.")
    raise typer.Exit(1 if run.people["failed"] else 0)


@app.command(epilog=EXIT_CODES)
def indices(
    path: Annotated[Path, typer.Argument(help="A trial folder, or the folder of a cohort.")],
    index: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="One of them, as nap; may be repeated; all without.")
    ] = None,
    goal: Annotated[
        list[str] | None, typer.Option(metavar="OUTCOME=LEVEL", help="Level aimed at, for PoGO; may be repeated.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table as CSV; - prints it.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each asks and what it cannot say.")] = False,
    for_r: Annotated[
        Path | None, typer.Option(help="Write the days as R's single-case packages read them; the calls go to NAME.R.")
    ] = None,
) -> None:
    """Give the indices that journals of single-case research ask for: NAP, Tau-U, SMD, response ratios and others."""
    from acu_nof1.export import neutralised, target_problems
    from acu_nof1.load.protocols import input_files
    from acu_nof1.single_case import INDICES
    from acu_nof1.single_case import indices as table_of
    from acu_nof1.single_case.for_r import for_r as days_for_r
    from acu_nof1.single_case.for_r import r_script
    from acu_nof1.words import indices as words

    if _is_diary(path):
        raise UsageError([_needs_folder("indices", path)])
    known = {each.name: each for each in INDICES}
    targets = {name: file for name, file in (("--csv", csv), ("--for-r", for_r)) if file not in (None, STDOUT)}
    wrong = target_problems(targets, list(input_files(path)))
    if unknown := [name for name in index or () if name not in known]:
        what = f"there is no index {', '.join(unknown)}."
        wrong.append(Problem("error", "--index", what, f"Known: {', '.join(known)}."))
    goals = _goals(goal or (), wrong)
    _insist(wrong)
    chosen = [known[name] for name in index] if index else INDICES
    comparisons, beside, *_ = _series(path)
    if unasked := sorted(set(goals) - {outcome.name for outcome in comparisons.outcomes}):
        _insist([Problem("error", "--goal", f"no outcome is called {', '.join(unasked)}.", "See protocol.toml.")])
    table = table_of(comparisons, chosen, goals)
    people = len(dict.fromkeys(comparisons.person))
    if csv is not None:
        text = neutralised(table).to_csv(index=False, lineterminator="\n")
        _written_text(text, csv)
    if for_r is not None:
        _written_text(neutralised(days_for_r(comparisons)).to_csv(index=False, lineterminator="\n"), for_r, "utf-8")
        if for_r != STDOUT:
            _written_text(r_script(for_r.name), for_r.with_suffix(".R"), "utf-8")
    if STDOUT not in (csv, for_r):
        for said in beside:
            typer.echo(said)
        if people == 1:
            for said in (*words.lines(table), words.PREFACE):
                typer.echo(said)
        else:
            typer.echo(f"{people} people, {len(table)} rows." + ("" if csv else " Add --csv FILE for the table."))
        for each in chosen if explain else ():
            typer.echo(words.explained(each))
    raise typer.Exit(0)


@app.command(epilog=EXIT_CODES)
def sessions(
    path: Annotated[Path, typer.Argument(help="A trial folder, or the folder of a cohort.")],
    csv: Annotated[Path | None, typer.Option(help="Write one row a person and outcome as CSV; - prints it.")] = None,
    links: Annotated[
        Path | None, typer.Option(help="Write the outcomes two by two as CSV, both ways round; - prints it.")
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A cohort: the outcome held against the dose; the primary one without."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bands around a session.")] = 20261126,
) -> None:
    """Say what goes along with sessions: days around one, build-up and fading, outcomes in turn, what is left later, dose."""
    from acu_nof1.export import neutralised, target_problems
    from acu_nof1.load.protocols import input_files
    from acu_nof1.sessions import explored
    from acu_nof1.words import sessions as words

    if _is_diary(path):
        raise UsageError([_needs_folder("sessions", path)])
    targets = {name: file for name, file in (("--csv", csv), ("--links", links)) if file not in (None, STDOUT)}
    wrong = target_problems(targets, list(input_files(path)))
    if csv == links == STDOUT:
        what = "only one of the two can be printed."
        wrong.append(Problem("error", "--csv -, --links -", what, "Write one to a file."))
    if outcome is not None and _is_trial(path):
        wrong.append(Problem("error", "--outcome", "this is for the dose of a cohort.", "Leave it out."))
    _insist(wrong)
    comparisons, beside, dates, cohort = _series(path)
    with _counted("Exploring") as progress:
        found = explored(comparisons, dates, seed, progress=progress)
    for file, frame in ((csv, found.to_frame), (links, found.links_frame)):
        if file is not None:
            _written_text(neutralised(frame()).to_csv(index=False, lineterminator="\n"), file)
    if STDOUT in (csv, links):
        raise typer.Exit(0)
    for line in (*beside, words.PREFACE, *(words.sentences(found) if cohort is None else _doses(cohort, outcome))):
        typer.echo(line)
    if cohort is not None and csv is None:
        typer.echo(
            f"{len(dict.fromkeys(comparisons.person))} people, {len(found.around)} rows. Add --csv FILE for the table."
        )


def _doses(cohort: Cohort, outcome: str | None) -> Sequence[str]:
    """How the change goes with the dose, or why that cannot be asked."""
    from acu_nof1.cohort import reassess_all
    from acu_nof1.cohort.pooling import changes, dose
    from acu_nof1.words import sessions as words

    found = reassess_all(cohort)
    try:
        told = dose(found, outcome)
    except UsageError as error:
        return [f"Dose is not asked: {problem.problem} {problem.remedy}" for problem in error.problems]
    rows = changes(found.to_frame(), outcome)
    name = rows["outcome"].iloc[0]
    asked = next(each for each in cohort.comparisons.outcomes if each.name == name) if cohort.comparisons else None
    return words.dose_sentences(told, asked) if asked is not None else ()


@app.command(epilog=EXIT_CODES)
def visits(
    path: Annotated[Path, typer.Argument(help="A trial folder with protocol.toml.")],
    on: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Count up to this day; the last listed session without."),
    ] = None,
    year: Annotated[
        str, typer.Option(help="calendar (from 1 January) or rolling (twelve months up to that day).")
    ] = "calendar",
) -> None:
    """Count visits used and left under Medicare's rule for chronic low back pain; it decides nothing."""
    from acu_nof1.cohort.reading import is_shared
    from acu_nof1.sessions import visits as counted
    from acu_nof1.words import visits as words

    if _is_diary(path) or is_shared(path):
        raise UsageError([_needs_folder("visits", path)])
    protocol = _read(path, None).protocol
    if not protocol.sessions:
        what = "no session is listed."
        raise UsageError(
            [Problem("error", str(path), what, 'Name a session log in protocol.toml: sessions = "sessions.csv".')]
        )
    day = on.date() if on else max(session.date for session in protocol.sessions)
    for line in words.visit_lines(counted(protocol.sessions, day, year), protocol.code):  # type: ignore[arg-type]  # held to its words there
        typer.echo(line)


def _is_trial(path: Path) -> bool:
    """Whether this is one person's trial folder, or its protocol; else it should be a cohort's folder."""
    from acu_nof1.cohort.reading import is_shared
    from acu_nof1.load.protocols import PROTOCOL_FILE

    return path.is_file() or ((path / PROTOCOL_FILE).is_file() and not is_shared(path))


def _series(path: Path) -> tuple[Comparisons, list[str], Mapping[str, Sequence[dt.date]], Cohort | None]:
    """The series of a trial folder as it stands at its reassessment, or of everybody in a cohort's folder; what to say beside.

    Then the days of the sessions by person, and the cohort where it is one.
    """
    from acu_nof1.cohort import read_cohort
    from acu_nof1.sessions import attended

    if _is_trial(path):
        trial = _sound_trial(path)
        look = trial.default_look()
        stood = trial.at(look)
        return stood.comparisons(look), _overruled(trial), attended([stood]), None
    cohort = read_cohort(path)
    if cohort.comparisons is None:
        raise UsageError([Problem("error", str(path), "nobody could be read.", "See acu-nof1 cohort.")])
    people = cohort.people
    left = people.loc[people["reason"] != "", "person"].tolist()
    over = int((people["overruled"] != "").sum())
    said = [f"Not readable, and not in it: {', '.join(left)}. acu-nof1 cohort says why."] if left else []
    said += [f"People of whom a red flag or a serious event overrules every reading: {over}."] if over else []
    return cohort.comparisons, said, cohort.attended, cohort


def _sound_trial(path: Path) -> Trial:
    """A trial whose data have no error that would make every answer wrong; warnings are printed."""
    from acu_nof1.checks import problems_of
    from acu_nof1.errors import ProtocolError
    from acu_nof1.load import read_trial

    trial = read_trial(path)
    found = problems_of(trial)
    if wrong := [problem for problem in found if problem.severity == "error"]:
        raise ProtocolError(wrong)
    _print_problems([problem for problem in found if problem.severity == "warning"])
    return trial


def _overruled(trial: Trial) -> list[str]:
    if trial.safety.overrules is None:
        return []
    return ["A red flag or a serious event is recorded: it overrules whatever these numbers say. See acu-nof1 report."]


def _goals(given: Sequence[str], wrong: list[Problem]) -> dict[str, float]:
    goals = {}
    for each in given:
        name, _, level = each.partition("=")
        try:
            goals[name.strip()] = float(level)
        except ValueError:
            wrong.append(Problem("error", f"--goal {each}", "a number is expected.", "Write --goal pain=2."))
    return goals


def _written_text(text: str, target: Path, encoding: str = "utf-8-sig") -> None:
    if target == STDOUT:
        typer.echo(text, nl=False)
    else:
        target.write_text(text, encoding=encoding, newline="")
        typer.echo(f"  {target}")


@app.command(epilog=EXIT_CODES)
def randomisation(
    path: Annotated[Path, typer.Argument(help="A trial folder with protocol.toml.")],
    outcome: Annotated[str | None, typer.Option(help="Its name in the protocol; the primary one without.")] = None,
) -> None:
    """Ask how often another start, or order of phases, would have looked as good: a test where it was drawn, else a check."""
    from acu_nof1.randomisation import trial_test
    from acu_nof1.words import randomisation as words

    trial = _sound_trial(path)
    found = trial_test(trial, outcome)
    asked = next((each for each in trial.protocol.outcomes if each.name == outcome), trial.protocol.primary_outcome)
    for said in (
        *(words.sentences(found, asked, trial.protocol.drawn) if asked is not None else ()),
        *_overruled(trial),
    ):
        typer.echo(said)


@app.command(epilog=EXIT_CODES)
def plan(
    baseline: Annotated[int | None, typer.Option(help="Days before treatment; 14, or 28 for headache.")] = None,
    treatment: Annotated[int | None, typer.Option(help="Days of treatment; 70, or 84 for headache.")] = None,
    window: Annotated[int | None, typer.Option(help="Last days that are compared; 14, or 28 for headache.")] = None,
    missing: Annotated[float | None, typer.Option(help="Share of days without an answer; 0.15.")] = None,
    phi: Annotated[
        float | None, typer.Option(help="Correlation of neighbouring days; 0.4, and a range is shown.")
    ] = None,
    sd: Annotated[float | None, typer.Option(help="SD of a day around its level; 15 % of the scale.")] = None,
    share: Annotated[float | None, typer.Option(help="Share of white noise in it; 0.")] = None,
    level: Annotated[float | None, typer.Option(help="Average baseline day; 60 % of the scale towards worse.")] = None,
    important: Annotated[float | None, typer.Option(help="The change that matters; that of the instrument.")] = None,
    instrument: Annotated[str, typer.Option(help="Name in the catalogue.")] = "nrs_pain",
    low: Annotated[float | None, typer.Option(help="Low end of another scale.")] = None,
    high: Annotated[float | None, typer.Option(help="High end of another scale.")] = None,
    step: Annotated[float | None, typer.Option(help="Steps of another scale.")] = None,
    better: Annotated[str | None, typer.Option(help="Which way is better: lower or higher.")] = None,
    trial: Annotated[
        Path | None,
        typer.Option(help="A trial folder that has its baseline: all this is taken from it."),
    ] = None,
    n: Annotated[int, typer.Option("--n", help="Simulated diaries for each number.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write a page (.html) or the figure (.png, .svg).")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the chances of each verdict as CSV.")] = None,
) -> None:
    """Say how large a change a planned diary could show, and how many baseline days are enough."""
    from acu_nof1.load import read_trial
    from acu_nof1.planning import plan as made

    wrong: list[Problem] = []
    if trial is not None and _is_diary(trial):
        wrong.append(_needs_folder("plan --trial", trial))
    scale = {"low": low, "high": high, "step": step, "better": better}
    outcome = _planned_outcome(instrument, scale, wrong)
    wrong += _planning_targets(trial, out, json, csv)
    _insist(wrong)
    chosen = any(value is not None for value in scale.values()) or instrument != "nrs_pain" or trial is None
    with _progress("Simulating the planned diary") as progress:
        found = made(
            outcome=outcome if chosen else None,
            baseline=baseline,
            treatment=treatment,
            window=window,
            missing=missing,
            phi=phi,
            sd=sd,
            share=share,
            level=level,
            important=important,
            like=read_trial(trial) if trial else None,
            n=n,
            seed=seed,
            progress=progress,
        )
    _show_planning(found, out, json, csv)


@app.command(epilog=EXIT_CODES)
def audit(
    path: Annotated[Path, typer.Argument(help="A trial folder with protocol.toml.")],
    n: Annotated[int, typer.Option("--n", help="Simulated diaries for each true change.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write a page (.html) or the figure (.png, .svg).")] = None,
    json: Annotated[Path | None, typer.Option(help="Write everything as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the table as CSV.")] = None,
) -> None:
    """Say how often the interval of this very diary would be wrong, by simulating diaries like it."""
    from acu_nof1.load import read_trial
    from acu_nof1.planning import audit as made

    if _is_diary(path):
        raise UsageError([_needs_folder("audit", path)])
    _insist(_planning_targets(path, out, json, csv))
    trial = read_trial(path)
    with _progress("Simulating diaries like this one") as progress:
        found = made(trial, n=n, seed=seed, progress=progress)
    _show_planning(found, out, json, csv)


def _planned_outcome(instrument: str, scale: Mapping[str, float | str | None], wrong: list[Problem]) -> Outcome | None:
    """Find what is rated: an instrument of the catalogue, on another scale if one is given."""
    from dataclasses import replace

    from acu_nof1.errors import did_you_mean
    from acu_nof1.outcomes import OUTCOMES

    if scale["better"] not in (None, "lower", "higher"):
        what = "it must be lower or higher."
        wrong.append(Problem("error", f"--better {scale['better']}", what, "Say which way is better."))
    if instrument not in OUTCOMES:
        what = "no instrument has this name."
        wrong.append(Problem("error", f"--instrument {instrument}", what, did_you_mean(instrument, OUTCOMES)))
        return None
    given = {name: value for name, value in scale.items() if value is not None}
    # On another scale the published important change means nothing.
    moved = {"important_change": None} if {"low", "high"} & set(given) else {}
    return replace(OUTCOMES[instrument], **given, **moved)  # type: ignore[arg-type]  # held to its words above


def _planning_targets(trial: Path | None, out: Path | None, json: Path | None, csv: Path | None) -> list[Problem]:
    from acu_nof1.export import target_problems
    from acu_nof1.load.protocols import input_files
    from acu_nof1.report.planning import suffix_problems

    targets = {"--out": out, "--json": json, "--csv": csv}
    given = {option: target for option, target in targets.items() if target is not None}
    inputs = [] if trial is None else list(input_files(trial))
    return [*target_problems(given, inputs), *(suffix_problems(out) if out is not None else [])]


@contextmanager
def _progress(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar while something is read or simulated, on the channel of messages."""
    from rich.progress import Progress

    console = _console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextmanager
def _counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many of how many are done and how long the rest will take."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = _console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show_planning(found: Plan | Audit, out: Path | None, json: Path | None, csv: Path | None) -> None:
    """Print tables, then the words; write the files that are wanted."""
    from rich.console import Console
    from rich.table import Table

    from acu_nof1.report.planning import planning_tables, write_planning

    console = Console(highlight=False, emoji=False)
    for each in planning_tables(found):
        table = Table(box=None, pad_edge=False)
        for index, name in enumerate(each.columns):
            table.add_column(
                name.replace("\N{NO-BREAK SPACE}", " "),
                justify="right" if index in each.numeric else "left",
                vertical="bottom",
            )
        for row in each.rows:
            table.add_row(*(_plain(cell.replace("\N{NO-BREAK SPACE}", " ")) for cell in row))
        console.print(each.caption, style="bold")
        console.print(table, "")
    for sentence in found.sentences:
        typer.echo(sentence)
    _write_tables(found, json, csv)
    if out is not None:
        write_planning(found, out)
        typer.echo(f"  {out}")


def _is_diary(path: Path) -> bool:
    """Whether this is one diary file rather than a trial folder or its protocol."""
    return path.is_file() and path.suffix.lower() != ".toml"


def _needs_folder(command: str, path: Path) -> Problem:
    make = f'Make one of it first: acu-nof1 report "{path.name}" --save-protocol FOLDER.'
    remedy = "Give the folder of one person: shared tables have no sessions." if path.is_dir() else make
    return Problem("error", str(path), f"{command} needs a trial folder with protocol.toml.", remedy)


def _insist(wrong: Sequence[Problem]) -> None:
    if wrong:
        raise UsageError(wrong)


def _check_targets(path: Path, targets: Mapping[str, Path | None], save_protocol: Path | None) -> None:
    """Stop before anything is read if something could not be written, or would be written over an input."""
    from acu_nof1.export import folder_problems, target_problems
    from acu_nof1.load.protocols import PROTOCOL_FILE, input_files

    inputs = [path] if _is_diary(path) else list(input_files(path))
    wrong: list[Problem] = []
    if save_protocol is not None:
        inputs += [save_protocol / PROTOCOL_FILE, save_protocol / path.name]
        wrong += folder_problems("--save-protocol", save_protocol)
    given = {option: target for option, target in targets.items() if target is not None}
    _insist([*target_problems(given, inputs, save_protocol), *wrong])


def _contradicting(
    path: Path,
    single: Mapping[str, object],
    save_protocol: Path | None,
    *,
    after_session: int | None,
    on: dt.date | None,
    hidden: bool,
    ipynb: Path | None,
) -> list[Problem]:
    """Which options of a report cannot go together?"""
    wrong = []
    if after_session is not None and on is not None:
        what = "only one of the two can be given."
        wrong.append(Problem("error", "--after-session, --on", what, "Choose one look."))
    if hidden and ipynb is not None:
        what = "an executed notebook names the folder and shows the trial as it is."
        wrong.append(Problem("error", "--anonymous or --pseudonymise, --ipynb", what, "Leave out one of the two."))
    wrong += _not_of_a_folder(path, {**single, "save_protocol": save_protocol})
    if _is_diary(path) and ipynb is not None and save_protocol is None:
        what = "the notebook reads a trial folder, and none is kept of this one file."
        wrong.append(Problem("error", "--ipynb", what, "Add --save-protocol FOLDER."))
    return wrong


def _not_of_a_folder(path: Path, single: Mapping[str, object]) -> list[Problem]:
    """Say so if a trial folder is given options that describe a single file."""
    if _is_diary(path) or all(value in (None, []) for value in single.values()):
        return []
    what = "--start, --outcome and the like are for a single diary file."
    return [Problem("error", str(path), what, "A trial folder says these things in its protocol.toml.")]


@contextmanager
def _folder(path: Path, single: Mapping[str, Any], save_protocol: Path | None) -> Iterator[Path]:
    """The trial folder: the one that was given, or one made of a single diary file."""
    import tempfile

    if not _is_diary(path):
        yield path
        return
    from acu_nof1.load.single import trial_folder

    with tempfile.TemporaryDirectory() as scratch:
        folder = save_protocol or Path(scratch) / "trial"
        trial_folder(path, folder, **single)
        yield folder


def _reassess(
    folder: Path,
    after_session: int | None = None,
    day: dt.date | None = None,
    *,
    anonymous: bool = False,
    key: bytes | None = None,
) -> Reassessment:
    from acu_nof1.anonymity import anonymous as without_names
    from acu_nof1.anonymity import date_shift
    from acu_nof1.reassessment import reassess

    trial = _read(folder, key)
    with _console().status("Estimating …"):
        if anonymous:
            day = day and day + date_shift(trial)
            trial = without_names(trial)
        return reassess(trial, after_session=after_session, on=day)


def _read(folder: Path, key: bytes | None) -> Trial:
    from acu_nof1.load import read_trial
    from acu_nof1.pseudonyms import pseudonymised

    with _progress("Reading") as progress:
        trial = read_trial(folder, progress)
    return trial if key is None else pseudonymised(trial, key)


def _to_mend(path: Path, key: bytes | None) -> Mending:
    """What should be mended, also in a trial that cannot be read to its end."""
    from acu_nof1.mending import stopped, to_mend
    from acu_nof1.pseudonyms import pseudonymised

    try:
        trial = _read(path, None)
    except UsageError:
        raise
    except AcuError as error:
        return stopped(error, path)
    return to_mend(trial, path, None if key is None else pseudonymised(trial, key))


def _wrong_check(
    path: Path, fix_report: Path | None, json: Path | None, csv: Path | None, pseudonymise: str | None
) -> list[Problem]:
    """Which options of a check cannot be meant?"""
    from acu_nof1.export import target_problems
    from acu_nof1.load.protocols import input_files
    from acu_nof1.mending import fix_report_problems

    if _is_diary(path):
        remedy = f'For one diary file write: acu-nof1 report "{path.name}".'
        return [Problem("error", str(path), "check needs a trial folder with protocol.toml.", remedy)]
    targets = {"--fix-report": fix_report, "--json": json, "--csv": csv}
    given = {option: target for option, target in targets.items() if target not in (None, STDOUT)}
    wrong = target_problems({option: Path(target or "") for option, target in given.items()}, list(input_files(path)))
    if fix_report is not None:
        wrong += fix_report_problems(fix_report) if not wrong else []
    if fix_report is not None and pseudonymise is not None:
        what = "the sheets hold the files as they are."
        wrong.append(Problem("error", "--fix-report, --pseudonymise", what, "Leave out one of the two."))
    if json == csv == STDOUT:
        wrong.append(
            Problem("error", "--json -, --csv -", "only one of the two can be printed.", "Write one to a file.")
        )
    return wrong


def _key(source: str | None, path: Path) -> bytes | None:
    """Read the key of --pseudonymise; one that lies in the trial folder would travel with it."""
    if source is None:
        return None
    from acu_nof1.pseudonyms import FROM_ENVIRONMENT, read_key

    folder = (path if path.is_dir() else path.parent).resolve()
    if source != FROM_ENVIRONMENT and Path(source).resolve().is_relative_to(folder):
        what = "the key lies in the trial folder: whoever is given the folder could undo the code."
        raise UsageError([Problem("error", f"--pseudonymise {source}", what, "Keep it in a folder of its own.")])
    if _is_diary(path):
        what = "a single diary file names no person."
        raise UsageError([Problem("error", "--pseudonymise", what, "Leave it out, or report a trial folder.")])
    return read_key(source)


def _write_page(review: Reassessment, page: Path, *, patient: bool = False) -> None:
    from acu_nof1.report import write_report

    with _console().status("Writing the page …"):
        write_report(review, page, patient=patient)


def _write_notebook(folder: Path, after_session: int | None, day: dt.date | None, ipynb: Path) -> None:
    from acu_nof1.report.notebook import run_notebook

    parameters = {"trial_folder": str(folder), "after_session": after_session, "on": day.isoformat() if day else None}
    with _console().status("Running the notebook …"):
        run_notebook(parameters, ipynb=ipynb)


def _write_pdf(page: Path, pdf: Path) -> None:
    from acu_nof1.report.pdf import write_pdf

    with _console().status("Printing …"):
        write_pdf(page, pdf)
    typer.echo(f"  {pdf}")


def _write_tables(review: Reassessment | Plan | Audit | Mending, json: Path | None, csv: Path | None) -> None:
    from acu_nof1.export import csv_text, json_text, write_csv, write_json

    if json == STDOUT:
        typer.echo(json_text(review), nl=False)
    elif json is not None:
        write_json(review, json)
    if csv == STDOUT:
        typer.echo(csv_text(review), nl=False)
    elif csv is not None:
        write_csv(review, csv)
