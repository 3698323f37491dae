"""exercises/ from solutions/: the same notebooks without answers, notes and outputs, always the same bytes."""

from __future__ import annotations

import ast
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudkit.core.files import replace_file
from fraudkit.workbook.exercise import POINTS, WEEKS, exercise
from fraudkit.workbook.notebooks import BEGIN, EXERCISES, NOTES, SOLUTIONS, Section, Topic, read_cells, stub_of, topics

NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class Listed:
    """One line of the list of exercises."""

    id: str
    topic: str
    title: str
    function: str
    signature: str
    week: str
    minutes: int
    difficulty: str
    points: int
    plug: str


def exercise_notebook(topic: Topic) -> bytes:
    """The notebook that the learner edits."""
    cells = [
        _learners_cell(cell, number)
        for number, cell in enumerate(cell for cell in read_cells(topic.path) if not cell["source"].startswith(NOTES))
    ]
    document = {"cells": cells, "metadata": NOTEBOOK_METADATA, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _learners_cell(cell: dict[str, Any], number: int) -> dict[str, Any]:
    """One cell without outputs; an answer gives way to its stub and carries nbgrader's mark."""
    source = cell["source"]
    metadata: dict[str, Any] = {"tags": cell["metadata"]["tags"]} if cell["metadata"].get("tags") else {}
    made: dict[str, Any] = {"cell_type": cell["cell_type"], "id": f"cell-{number:03d}", "metadata": metadata}
    if cell["cell_type"] == "code":
        made |= {"execution_count": None, "outputs": []}
        if BEGIN in source:
            metadata["nbgrader"] = {
                "grade": False,
                "grade_id": defined_name(source),
                "locked": False,
                "schema_version": 3,
                "solution": True,
                "task": False,
            }
            source = stub_of(source)
    return made | {"source": source.splitlines(keepends=True)}


def defined_name(answer: str) -> str:
    """The last function or class that an answer cell defines."""
    names = [node.name for node in ast.parse(answer).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return names[-1] if names else ""


def signature(section: Section, name: str) -> str:
    """`name(arguments)` as the answer cell writes it; of a class, its constructor's and its methods'."""
    for node in ast.parse(section.answer).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return f"{name}({ast.unparse(node.args)})"
        if isinstance(node, ast.ClassDef) and node.name == name:
            methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef)]
            made = [f"{name}({_own(method)})" for method in methods if method.name == "__init__"] or [f"{name}()"]
            public = [f".{method.name}({_own(method)})" for method in methods if not method.name.startswith("_")]
            return " ".join(made + public)
    return name


def _own(method: ast.FunctionDef) -> str:
    return ast.unparse(method.args).removeprefix("self").removeprefix(", ")


def listed() -> list[Listed]:
    """Every exercise, in the order of the notebooks."""
    found = []
    for topic in topics():
        for section in topic.sections:
            item = exercise(section.exercise_id)
            found.append(
                Listed(
                    item.id,
                    topic.name,
                    section.title,
                    item.name,
                    signature(section, item.name),
                    item.week,
                    item.minutes,
                    item.difficulty,
                    item.points,
                    item.plug,
                )
            )
    return found


def index_page() -> bytes:
    """exercises/README.md: what belongs to which weeks of the plan, then every topic with its exercises."""
    rows = listed()
    lines = [
        "# Exercises",
        "",
        f"{len(rows)} exercises, {_hours(rows)} hours. Open a notebook in JupyterLab, write your answer in the stub,",
        "run the cell, then `check` says what is wrong and why. `fraudkit next` names the next one.",
        "A plug in the last column means that your function can take its place in the running system by `plug`.",
        "",
        "This folder is generated from `solutions/` by `fraudkit exercises build`.",
        "",
        "## By week of the plan",
        "",
        "| weeks | easy | medium | hard | hours | topics |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for week in WEEKS:
        if due := [row for row in rows if row.week == week]:
            counts = " | ".join(str(sum(row.difficulty == level for row in due)) for level in POINTS)
            names = dict.fromkeys(row.topic for row in due)
            links = ", ".join(f"[{name[:2]}]({name}.ipynb)" for name in names)
            lines.append(f"| {week} | {counts} | {_hours(due)} | {links} |")
    for topic in topics():
        lines += ["", f"## [{topic.title}]({topic.name}.ipynb)", "", "| exercise | | weeks | minutes | level | plug |"]
        lines.append("|---|---|---|---:|---|---|")
        for row in rows:
            if row.topic == topic.name:
                cells = (f"`{row.id}`", row.title, row.week, str(row.minutes), row.difficulty, row.plug)
                lines.append(f"| {' | '.join(cells)} |")
    return ("\n".join(lines) + "\n").encode()


def _hours(rows: list[Listed]) -> str:
    return f"{sum(row.minutes for row in rows) / 60:.0f}"


def built(folder: Path = SOLUTIONS) -> dict[str, bytes]:
    """File name -> content of everything that belongs in exercises/."""
    files = {f"{topic.name}.ipynb": exercise_notebook(topic) for topic in topics(folder)}
    return files | {"README.md": index_page()}


def stale(target: Path = EXERCISES) -> list[str]:
    """What differs between exercises/ and what solutions/ make of it, one line a file."""
    wanted = built()
    there = {path.name for path in target.glob("*") if path.is_file()}
    wrong = [f"{name} is not made from solutions/; remove it" for name in sorted(there - set(wanted))]
    for name, content in wanted.items():
        path = target / name
        if not path.exists():
            wrong.append(f"{name} is missing")
        elif path.read_bytes() != content:
            wrong.append(f"{name} differs from what solutions/ make of it")
    return wrong


def write(target: Path = EXERCISES) -> list[str]:
    """Write exercises/; gives the names of the files that changed.

    A learner's work may lie in the same folder: a file is touched only where its content differs, and
    what it held before is kept in exercises/.replaced/.
    """
    replaced = target / ".replaced"
    replaced.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, content in built().items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            if path.exists():
                shutil.copy2(path, replaced / name)
            replace_file(path, content)
            changed.append(name)
    return changed
