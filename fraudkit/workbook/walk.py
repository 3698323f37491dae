"""`fraudkit walk`: every numbered notebook run by papermill, in order, with a table of times.

Each notebook runs in a fresh kernel, so a chapter that leans on another one fails here. The
executed copies are kept; the notebooks in the repository are left as they are, unless --save asks
for their outputs to be renewed.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich.table import Table

from fraudkit.core.config import PROJECT_ROOT, settings
from fraudkit.core.console import console, output, progress_bar
from fraudkit.core.errors import InvalidInput

NOTEBOOKS = PROJECT_ROOT / "notebooks"
CELL_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Run:
    """How one notebook fared: `seconds` of wall-clock time, `error` empty when it ran through."""

    notebook: str
    seconds: float
    error: str = ""


def numbered_notebooks(folder: Path = NOTEBOOKS) -> list[Path]:
    """The chapters, in order: files named NN_topic.ipynb."""
    return sorted(path for path in folder.glob("*.ipynb") if re.match(r"\d\d_", path.name))


def run_notebook(path: Path, out: Path, parameters: dict[str, object]) -> Run:
    """Execute one notebook with papermill into `out`; an error in a cell is reported, not raised."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    start = time.perf_counter()
    error = ""
    try:
        papermill.execute_notebook(
            str(path),
            str(out / path.name),
            parameters=parameters,
            cwd=str(path.parent),
            kernel_name="python3",
            execution_timeout=CELL_TIMEOUT_S,
            progress_bar=False,
            log_output=False,
        )
    except PapermillExecutionError as failure:
        error = f"cell {failure.exec_count}: {failure.ename}: {failure.evalue}"
    except Exception as failure:  # a dead kernel or a time-out must not stop the other chapters
        error = f"{type(failure).__name__}: {failure}"
    return Run(path.stem, round(time.perf_counter() - start, 1), error)


def save_outputs(path: Path) -> None:
    """Execute a notebook in place, without the time stamps that would change its bytes every time."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)


def results_table(runs: list[Run]) -> Table:
    """The table of times and results."""
    table = Table(title=f"{len(runs)} notebooks, {sum(run.seconds for run in runs):.1f} s")
    table.add_column("notebook")
    table.add_column("seconds", justify="right")
    table.add_column("result")
    for run in runs:
        table.add_row(run.notebook, f"{run.seconds:.1f}", f"[red]{run.error}[/red]" if run.error else "ok")
    return table


def parse_parameters(pairs: list[str]) -> dict[str, object]:
    """`["seed=8", "world=small"]` as papermill parameters; a value that reads as JSON is taken as JSON.

    >>> parse_parameters(["seed=8", "world=small"])
    {'seed': 8, 'world': 'small'}
    """
    parameters: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise InvalidInput(f"parameter {pair!r} is not NAME=VALUE")
        try:
            parameters[name] = json.loads(value)
        except json.JSONDecodeError:
            parameters[name] = value
    return parameters


def walk(
    only: list[str] = typer.Argument(None, help="Chapters to run, such as 00 05; all by default."),
    parameter: list[str] = typer.Option([], "--parameter", "-p", help="NAME=VALUE handed to every notebook."),
    save: bool = typer.Option(False, "--save", help="Renew the outputs saved in notebooks/ instead."),
    as_json: bool = typer.Option(False, "--json", help="Print the table as JSON."),
) -> None:
    """Run every numbered notebook in a fresh kernel and print a table of times and results."""
    chapters = [path for path in numbered_notebooks() if not only or path.name[:2] in only]
    if not chapters:
        raise InvalidInput(f"no chapter matches {' '.join(only or [])!r}; there are {len(numbered_notebooks())}")
    out = settings().run / "walk"
    out.mkdir(parents=True, exist_ok=True)
    parameters = parse_parameters(parameter)
    runs = []
    with progress_bar("walk") as progress:
        for position, path in enumerate(chapters):
            progress(position / len(chapters), path.stem)
            if save:
                save_outputs(path)
            else:
                runs.append(run_notebook(path, out, parameters))
    if save:
        return
    if as_json:
        typer.echo(json.dumps([asdict(run) for run in runs], indent=2))
    else:
        output.print(results_table(runs))
        console.print(f"executed copies: {out}")
    if any(run.error for run in runs):
        raise typer.Exit(1)
