"""Where units are worked off: in this process, in several on this machine, or on the workers of a Dask scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acu_nof1 import __version__
from acu_nof1.cohort.work import Asked, Done, work_off
from acu_nof1.errors import MissingToolError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acu_nof1.cohort.units import Unit

ATTEMPTS = 3  # times a unit is tried again when the worker that had it is gone


def worked_off(units: Sequence[Unit], asked: Asked, engine: str, jobs: int, scheduler: str | None) -> Iterator[Done]:
    """Work off the units, in any order, and give each as soon as it is done.

    Raises
    ------
    UsageError
        If the engine does not exist, no process is allowed, or Dask's workers have another version of this package.
    MissingToolError
        If Dask is asked for and not installed.
    """
    if engine == "dask":
        yield from _on_dask(units, asked, scheduler)
    elif engine != "local" or scheduler is not None or jobs < 1:
        what = f"engine {engine} with {jobs} processes" + (" and a scheduler" if scheduler else "")
        remedy = "local with at least one process, or dask with the address of a scheduler."
        raise UsageError([Problem("error", "engine", f"{what} cannot be used.", f"Give {remedy}")])
    elif jobs == 1 or len(units) < 2:
        yield from (work_off(unit, asked) for unit in units)
    else:
        yield from _in_processes(units, asked, jobs)


def _in_processes(units: Sequence[Unit], asked: Asked, jobs: int) -> Iterator[Done]:
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=1):
        each = (delayed(work_off)(unit, asked) for unit in units)
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(each)


def _on_dask(units: Sequence[Unit], asked: Asked, scheduler: str | None) -> Iterator[Done]:
    try:
        from distributed import Client, as_completed
    except ImportError:
        what = "Dask is not installed."
        raise MissingToolError([Problem("error", "engine dask", what, "Install acu-nof1[dask].")]) from None
    if scheduler is None:
        what = "no scheduler is given."
        raise UsageError([Problem("error", "engine dask", what, "Give its address, as in tcp://127.0.0.1:8786.")])
    try:
        client = Client(scheduler, timeout="15s", set_as_default=False)
    except (OSError, ValueError) as error:
        what = f"the scheduler cannot be reached ({type(error).__name__})."
        raise UsageError(
            [Problem("error", f"scheduler {scheduler}", what, "Start it, and check the address.")]
        ) from None
    with client:
        _insist_on_version(client.run(_version))
        futures = client.map(work_off, units, asked=asked, pure=False, retries=ATTEMPTS)
        for future in as_completed(futures, loop=client.loop):
            yield future.result()


def _version() -> str:
    return __version__


def _insist_on_version(workers: dict[str, str]) -> None:
    other = sorted({found for found in workers.values() if found != __version__})
    if other or not workers:
        what = (
            f"workers have acu_nof1 {', '.join(other)}, here it is {__version__}." if workers else "it has no worker."
        )
        raise UsageError(
            [Problem("error", "engine dask", what, "Install the same version everywhere, and start workers.")]
        )
