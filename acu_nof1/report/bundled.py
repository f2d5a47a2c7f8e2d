"""Where the notebooks and the sample data are: in the wheel, or in the repository."""

from __future__ import annotations

from pathlib import Path

from acu_nof1.errors import Problem, UsageError

PACKAGE = Path(__file__).parent.parent


def bundled(name: str) -> Path:
    """Where is a file or folder that comes with the package?

    Parameters
    ----------
    name
        Such as ``notebooks/1_reassessment.ipynb`` or ``sample_data/migraine``.

    Returns
    -------
    pathlib.Path
        In an installed wheel inside the package, in a checkout beside it.

    Raises
    ------
    UsageError
        If it is in neither place.
    """
    for root in (PACKAGE / "_bundled", PACKAGE.parent):
        if (root / name).exists():
            return root / name
    raise UsageError([Problem("error", name, "does not come with acu_nof1.", "Check the name.")])


def found(path: str | Path) -> Path:
    """Where is this trial: the path as it is given, or else a sample of that name?"""
    given = Path(path)
    if given.exists() or given.is_absolute():
        return given
    try:
        return bundled(str(path))
    except UsageError:
        return given
