"""Run the report's notebook with other parameters, and export it as the same page that `write_report` writes."""

from __future__ import annotations

import ast
import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acu_nof1.errors import AcuError, Problem, UsageError, did_you_mean
from acu_nof1.report.bundled import bundled

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from nbformat import NotebookNode

NOTEBOOK = "notebooks/1_reassessment.ipynb"
PARAMETERS, INJECTED = "parameters", "injected-parameters"
TEMPLATES = Path(__file__).parent / "templates"
SECONDS = 600
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class NotebookError(AcuError):
    """A cell of the notebook could not be executed."""


def run_notebook(
    parameters: Mapping[str, Any],
    *,
    html: str | os.PathLike[str] | None = None,
    ipynb: str | os.PathLike[str] | None = None,
) -> None:
    """Execute the report's notebook on a trial, and keep it, or the page it shows, or both.

    Parameters
    ----------
    parameters
        Values for names of the notebook's parameters cell: ``trial_folder``, ``after_session``, ``on``, …
    html
        The page to write: one self-contained file, the same as `write_report` writes.
    ipynb
        Where to keep the executed notebook.

    Raises
    ------
    UsageError
        If a parameter is not one of the notebook's.
    NotebookError
        If a cell fails; nothing is written then.
    BlockError
        If a part of the report could not be drawn; the page is written and says so.
    """
    with without_grammar():
        import nbformat

    notebook = nbformat.read(bundled(NOTEBOOK), as_version=4)  # type: ignore[no-untyped-call]
    inject(notebook, parameters)
    execute(notebook)
    facts = [output["metadata"].get("acu_nof1", {}) for cell in notebook.cells for output in _shown(cell)]
    if html is not None:
        title = next((fact["title"] for fact in facts if "title" in fact), "")
        Path(html).write_text(export(notebook, title), encoding="utf-8")
    if ipynb is not None:
        nbformat.write(notebook, ipynb)  # type: ignore[no-untyped-call]
    from acu_nof1.report.page import complain

    complain(message for fact in facts for message in fact.get("failed", ()))


@contextmanager
def without_grammar() -> Iterator[None]:
    """Import nbformat without jsonschema's check of web addresses: its grammar takes 2 s to compile and nothing here uses it."""
    name = "rfc3987_syntax"
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # an import of it now fails, and jsonschema does without
    try:
        yield
    finally:
        del sys.modules[name]


def _shown(cell: NotebookNode) -> Iterator[NotebookNode]:
    yield from (
        output for output in cell.get("outputs", ()) if output.output_type in ("execute_result", "display_data")
    )


# ------------------------------------------------------------------ parameters


def inject(notebook: NotebookNode, parameters: Mapping[str, Any]) -> None:
    """Set parameters in a cell after the one tagged ``parameters`` (papermill's convention).

    Raises
    ------
    UsageError
        Naming every parameter that the notebook does not have.
    """
    import nbformat

    position = next(i for i, cell in enumerate(notebook.cells) if PARAMETERS in cell.metadata.get("tags", ()))
    known = _assigned(notebook.cells[position].source)
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise UsageError(
            Problem("error", NOTEBOOK, f'there is no parameter "{name}".', did_you_mean(name, known))
            for name in unknown
        )
    if parameters:
        source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
        tags = {"tags": [INJECTED]}
        cell = nbformat.v4.new_code_cell(source, id=INJECTED, metadata=tags)  # type: ignore[no-untyped-call]
        notebook.cells.insert(position + 1, cell)


def _assigned(source: str) -> tuple[str, ...]:
    lines = (line for line in ast.parse(source).body if isinstance(line, ast.Assign))
    return tuple(target.id for line in lines for target in line.targets if isinstance(target, ast.Name))


# ------------------------------------------------------------------ execution


def execute(notebook: NotebookNode) -> None:
    """Execute all cells, in place, with the Python that runs now.

    Relative paths mean what they mean to the caller: the kernel works in the current folder.

    Raises
    ------
    NotebookError
        With what the failing cell said, not its traceback.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=_kernel_manager(),
        timeout=SECONDS,
        shutdown_kernel="immediate",
        record_timing=False,
        resources={"metadata": {"path": str(Path.cwd())}},
        # Without it ipykernel >= 7.3 warns about unencrypted TCP at each start.
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
    )
    try:
        client.execute()
    except CellExecutionError as error:
        said = ANSI.sub("", error.evalue)
        raise NotebookError([Problem("error", NOTEBOOK, f"{error.ename}: {said}", "")]) from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookError([Problem("error", NOTEBOOK, str(error), "Run the report again.")]) from None
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.pop("language_info", None)


def _kernel_manager() -> type[Any]:
    """Return a manager that starts kernels with this very Python, whatever kernels are installed."""
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import default

    class ThisPython(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002
            return KernelSpec(**get_kernel_dict(["--HistoryManager.enabled=False"]))

    class Manager(AsyncKernelManager):
        @default("kernel_spec_manager")
        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return ThisPython(parent=self.parent)

    return Manager


# ------------------------------------------------------------------ export


def export(notebook: NotebookNode, title: str) -> str:
    """Turn an executed notebook into the page: what its cells show, without the cells."""
    from nbconvert import HTMLExporter

    from acu_nof1.report.block import css, unwrapped

    exporter: Any = HTMLExporter(template_name="notebook", extra_template_basedirs=[str(TEMPLATES)])  # type: ignore[no-untyped-call]
    exporter.register_filter("unwrapped", unwrapped)
    body, _ = exporter.from_notebook_node(notebook, {"acu_nof1": {"title": title, "css": str(css())}})
    return str(body)
