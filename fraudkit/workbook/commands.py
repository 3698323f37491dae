"""The learner's commands: check an answer in a file, name the next exercise, show progress, watch a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from fraudkit.core.console import console, output
from fraudkit.core.errors import FraudkitError, InvalidInput
from fraudkit.workbook.check import close_sandbox, judged, panel_of, recorded
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.notebooks import EXERCISES, ordered_ids, topics
from fraudkit.workbook.order import Next, next_exercise
from fraudkit.workbook.panel import COLOURS, Panel
from fraudkit.workbook.progress import STATES, Progress, ProgressFile, State
from fraudkit.workbook.source import NotDefined, NotPython, notebook_cells, slice_source

UNUSABLE = 2
BAR = 20
LOOK_SECONDS = 0.5
MARKS: dict[State, tuple[str, str]] = {
    "passed": ("█", "green"),
    "passed after the solution": ("▓", "green"),
    "solution seen": ("▒", "yellow"),
    "tried": ("─", "blue"),
    "open": ("·", "bright_black"),
}


def check(
    exercise_id: str = typer.Argument(..., metavar="ID", help="The exercise, such as roc_auc."),
    file: Path = typer.Option(..., "--file", "-f", help="A Python file or a notebook with your answer."),
    as_json: bool = typer.Option(False, "--json", help="Print the verdict as JSON."),
) -> None:
    """Check an answer. Exit code 0 for a pass, 1 for everything else, 2 where there is nothing to check."""
    try:
        item = exercise(exercise_id)
        cells = read_answer(file)
    except FraudkitError as error:
        console.print(f"error: {error}", style="red", markup=False)
        raise typer.Exit(UNUSABLE) from error
    try:
        verdict = judged(item, cells)
    finally:
        close_sandbox()
    progress, notes = recorded(verdict)
    if as_json:
        following = next_exercise(progress) if verdict.status == "pass" else None
        typer.echo(
            json.dumps(verdict.as_dict() | {"next": following and following.exercise_id, "notes": notes}, indent=2)
        )
    else:
        show(panel_of(verdict, progress, notes, hints=False))
    if verdict.status != "pass":
        raise typer.Exit(1)


def read_answer(path: Path) -> list[str]:
    """The cells of a notebook, or the text of a Python file as one cell.

    Raises
    ------
    InvalidInput
        The file cannot be read, or is neither.
    """
    if path.suffix == ".ipynb":
        return notebook_cells(path)
    try:
        return [path.read_text(encoding="utf-8")]
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InvalidInput(f"{path} cannot be read ({reason}); give a Python file or a notebook") from error


def show(panel: Panel) -> None:
    """Print a panel, its first line in its colour where the terminal has colours."""
    headline, _, rest = panel.text().partition("\n")
    colour = COLOURS[panel.tone][0]
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    typer.echo(typer.style(headline, fg=(red, green, blue), bold=True))
    if rest:
        typer.echo(rest)


def next_command(as_json: bool = typer.Option(False, "--json", help="Print JSON; null when all are passed.")) -> None:
    """Name the next exercise: the first one not passed, in the topic in work."""
    following = next_exercise(ProgressFile().read())
    facts = facts_of(following) if following is not None else None
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    elif facts is None:
        typer.echo("Every exercise is passed.")
    else:
        typer.echo("{id}: {title} ({minutes} minutes, {difficulty})\n{notebook}".format(**facts))


def facts_of(following: Next) -> dict[str, Any]:
    """An exercise in plain values."""
    item = exercise(following.exercise_id)
    return {
        "id": item.id,
        "title": following.title,
        "topic": following.topic,
        "notebook": following.notebook,
        "minutes": item.minutes,
        "difficulty": item.difficulty,
    }


def progress(
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
    export: Path = typer.Option(None, "--export", help="Write a copy to this file."),
    import_: Path = typer.Option(None, "--import", help="Put an exported file in the place of this progress."),
    reset: bool = typer.Option(False, "--reset", help="Begin again; asks first, and keeps a copy."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Show what is done, export it, import it, or begin again."""
    file = ProgressFile()
    if sum((export is not None, import_ is not None, reset)) > 1:
        raise InvalidInput("--export, --import and --reset exclude each other; give one")
    if export is not None:
        file.export(export)
        console.print(f"written to {export}", markup=False)
    elif import_ is not None:
        told(file.take(import_), "imported")
    elif reset:
        if not yes:
            typer.confirm("Begin again with nothing done? A copy is kept", abort=True, err=True)
        told(file.reset(), "nothing is done")
    elif as_json:
        typer.echo(json.dumps(summary(file.read()), indent=2))
    else:
        draw(file.read())


def told(copy: Path | None, what: str) -> None:
    """Say where the old file was kept."""
    console.print(what if copy is None else f"{what}; what stood before is kept in {copy}", markup=False)


def summary(done: Progress) -> dict[str, Any]:
    """Topics and exercises with their states, in the notebooks' order."""
    following = next_exercise(done)
    found = [
        {
            "topic": topic.name,
            "title": topic.title,
            "passed": sum(done.record(name).passed for name in topic.exercise_ids),
            "exercises": [{"id": name, "state": done.record(name).state} for name in topic.exercise_ids],
        }
        for topic in topics()
    ]
    return {
        "passed": sum(done.record(name).passed for name in ordered_ids()),
        "total": len(ordered_ids()),
        "next": following and following.exercise_id,
        "topics": found,
        **done.as_dict(),
    }


def draw(done: Progress) -> None:
    """Print a table by topic with a bar; in colour where the terminal has colours."""
    ids = ordered_ids()
    passed = sum(done.record(name).passed for name in ids)
    table = Table(title=f"{passed} of {len(ids)} exercises passed", title_justify="left", box=None, pad_edge=False)
    table.add_column("topic", no_wrap=True)
    table.add_column("passed", justify="right")
    table.add_column("", no_wrap=True, min_width=BAR)
    table.add_column("attempts", justify="right")
    table.add_column("hints", justify="right")
    for topic in topics():
        records = [done.record(name) for name in topic.exercise_ids]
        table.add_row(
            topic.title,
            f"{sum(record.passed for record in records)}/{len(records)}",
            bar([record.state for record in records]),
            str(sum(record.attempts for record in records)),
            str(sum(record.hints for record in records)),
        )
    legend = Text("  ").join(Text(f"{mark} {state}", style=style) for state, (mark, style) in MARKS.items())
    output.print(table)
    output.print(legend)
    following = next_exercise(done)
    output.print(
        f"next: {following.exercise_id}, in {following.notebook}" if following else "Every exercise is passed."
    )


def bar(states: list[State]) -> Text:
    """As many signs as a bar is wide, the best states first.

    >>> bar(["open", "passed"]).plain
    '██████████··········'
    """
    text = Text()
    ordered = sorted(states, key=STATES.index)
    for position in range(BAR if states else 0):
        mark, style = MARKS[ordered[position * len(ordered) // BAR]]
        text.append(mark, style=style)
    return text


def watch(folder: Path = typer.Argument(EXERCISES, help="Where the notebooks are.")) -> None:
    """Check an exercise again whenever its answer changes in a saved notebook; Ctrl-C ends it."""
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is no folder; name the one with your notebooks")
    watched = Watched(folder)
    try:
        watched.look()
        console.print(f"watching {folder}; save a notebook to have it checked, Ctrl-C ends", markup=False)
        while True:
            for exercise_id, cells in watched.look():
                verdict = judged(exercise(exercise_id), cells)
                show(panel_of(verdict, *recorded(verdict), hints=False))
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        console.print("ended")
    finally:
        close_sandbox()


class Watched:
    """The notebooks of a folder, as they were when they were last looked at.

    Their times are compared instead of waiting to be told: that works on every kind of disk, and a
    dozen files cost nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._answers: dict[tuple[Path, str], str] = {}

    def look(self) -> list[tuple[str, list[str]]]:
        """The exercises whose answers changed since the last look, each with its notebook's cells."""
        changed: list[tuple[str, list[str]]] = []
        for path in sorted(self.folder.glob("[!.~]*.ipynb")):
            try:
                facts = path.stat()
                stamp = (facts.st_mtime_ns, facts.st_size)
                if self._stamps.get(path) != stamp:
                    self._stamps[path] = stamp
                    changed += self._changed(path)
            except FileNotFoundError:  # renamed between the listing and the look
                continue
            except InvalidInput as error:  # half written, or damaged; the next save is looked at again
                console.print(str(error), style="yellow", markup=False)
        return changed

    def _changed(self, path: Path) -> Iterator[tuple[str, list[str]]]:
        cells = notebook_cells(path)
        for exercise_id in ids_of(path):
            try:
                answer = slice_source(cells, exercise(exercise_id).name)
            except NotDefined:
                continue
            except NotPython as error:
                answer = str(error)
            if self._answers.get((path, exercise_id)) != answer:
                self._answers[path, exercise_id] = answer
                yield exercise_id, cells


def ids_of(path: Path) -> list[str]:
    """The exercises a notebook holds by its name; every one where the name says nothing."""
    return next((topic.exercise_ids for topic in topics() if topic.name == path.stem), ordered_ids())
