"""Diary files -> one `Diary`: every cell becomes a value or a line of the ledger that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from acu_nof1.errors import AcuError, Problem, UnreadableFileError, UsageError, did_you_mean
from acu_nof1.load.files import ReadFile, read_file
from acu_nof1.load.joining import joined
from acu_nof1.load.recognise import no_progress
from acu_nof1.privacy import without_names
from acu_nof1.protocol import DiaryFile
from acu_nof1.scoring import cannot_score

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acu_nof1.diary import Diary
    from acu_nof1.load.layout import Progress
    from acu_nof1.outcomes import Outcome


def read_diary(
    *files: str | Path | DiaryFile,
    outcomes: Iterable[Outcome],
    folder: str | Path | None = None,
    progress: Progress = no_progress,
    **how: Any,
) -> Diary:
    """What did this person answer, day by day, and what became of every cell?

    Parameters
    ----------
    *files
        Paths of CSV, TSV, Excel or JSON files or of exports (see `formats`), or `DiaryFile` values that say how a file is read.
    outcomes
        The questions to look for. A column belongs to an outcome when it is mapped to it, or when its title
        is the outcome's name or label (case and spaces aside); nothing else is guessed.
    folder
        Where relative paths start.
    progress
        Called with the share of a file that is read, where that takes long.
    **how
        The fields of `DiaryFile` (``columns``, ``dayfirst``, ``decimal``, ``units``, …) for files that are
        given as paths.

    Returns
    -------
    Diary
        Values by calendar day, the ledger, the counts, what should be known or mended, and the files' hashes.

    Raises
    ------
    UnreadableFileError
        If any file cannot be read at all; it names every file and what is wrong with each.
    UsageError
        If an option does not exist, no file or no outcome is given, or an outcome cannot be scored as it says.
    """
    questions = tuple(outcomes)
    declared = [_declared(file, how) for file in files]
    if not declared:
        raise UsageError([Problem("error", "read_diary", "no file is given.", "Give at least one diary file.")])
    if not questions:
        raise UsageError([Problem("error", "read_diary", "no outcome is asked for.", "Give the outcomes to look for.")])
    if wrong_scores := [
        Problem("error", f"outcome {outcome.name}", what, remedy)
        for outcome in questions
        for what, remedy in cannot_score(outcome.instrument, outcome.form, outcome.items, outcome.item_range)
    ]:
        raise UsageError(wrong_scores)
    names = names_of(declared)
    read: list[ReadFile] = []
    wrong: list[Problem] = []
    for file, name in zip(declared, names, strict=True):
        try:
            read.append(read_file(file, name, Path(folder or ""), questions, progress))
        except AcuError as error:
            wrong += error.problems
    if wrong:
        raise UnreadableFileError(wrong)
    return joined(read, questions)


def _declared(file: str | Path | DiaryFile, how: Mapping[str, Any]) -> DiaryFile:
    if isinstance(file, DiaryFile):
        if how:
            raise UsageError(
                [
                    Problem(
                        "error",
                        file.file,
                        f"{', '.join(how)} was given beside a DiaryFile.",
                        "Put it into the DiaryFile.",
                    )
                ]
            )
        return file
    try:
        return DiaryFile(file=str(file), **how)
    except ValidationError as error:
        raise UsageError(_complaints(str(file), error)) from None


def _complaints(file: str, error: ValidationError) -> list[Problem]:
    known = [name for name in DiaryFile.model_fields if name != "file"]
    return [
        Problem("error", file, f'there is no option "{item["loc"][0]}".', did_you_mean(str(item["loc"][0]), known))
        if item["type"] == "extra_forbidden"
        else Problem("error", file, f"{'.'.join(map(str, item['loc']))}: {item['msg']}.", "Mend the value.")
        for item in error.errors()
    ]


def names_of(declared: Sequence[DiaryFile]) -> list[str]:
    """Call each file by its name, or by its path where two have the same name; a person's name in it is masked."""
    names = [Path(file.file).name for file in declared]
    told = [
        without_names(name if names.count(name) == 1 else file.file) for name, file in zip(names, declared, strict=True)
    ]
    return [name if told.count(name) == 1 else f"{name} (file {n})" for n, name in enumerate(told, 1)]
