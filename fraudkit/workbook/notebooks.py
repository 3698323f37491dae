"""The notebooks of solutions/, taken apart: which exercises a topic holds, their questions, answers and notes.

A section begins with a markdown cell whose first line is `## ID · Title` and goes on until the next.
Its answer is the code cell between whose lines stand `### BEGIN SOLUTION` and `### END SOLUTION`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.source import slice_source

SOLUTIONS = PROJECT_ROOT / "solutions"
EXERCISES = PROJECT_ROOT / "exercises"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
NOTES = "### Notes on the solution"
ALOUD = "### Two minutes aloud"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError")
HEADING = re.compile(r"^## (\w+) · (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One exercise in its notebook: its question, answer cell (with the marks), notes, and what to say aloud."""

    exercise_id: str
    title: str
    question: str
    answer: str
    notes: str
    aloud: str
    calls: str


@dataclass(frozen=True)
class Topic:
    """One notebook of solutions/: `name` is its file name without ending, such as 01_metrics."""

    name: str
    title: str
    path: Path
    sections: tuple[Section, ...]
    preamble: tuple[str, ...]

    @property
    def exercise_ids(self) -> list[str]:
        """Its exercises, in order."""
        return [section.exercise_id for section in self.sections]


def read_cells(path: Path) -> list[dict[str, Any]]:
    """The cells of a notebook of ours, `source` as one text each."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return [{**cell, "source": "".join(cell["source"])} for cell in document["cells"]]


def topics(folder: Path = SOLUTIONS) -> list[Topic]:
    """Every topic, in order."""
    return [_topic(path, path.stat().st_mtime_ns) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))]


@lru_cache(maxsize=64)
def _topic(path: Path, _changed: int) -> Topic:
    cells = read_cells(path)
    title = cells[0]["source"].partition("\n")[0].lstrip("# ")
    starts = [i for i, cell in enumerate(cells) if cell["cell_type"] == "markdown" and HEADING.match(cell["source"])]
    sections = [_section(path, cells[a:b]) for a, b in zip(starts, [*starts[1:], len(cells)], strict=True)]
    before = cells[: starts[0]] if starts else cells
    preamble = tuple(cell["source"] for cell in before if cell["cell_type"] == "code")
    return Topic(path.stem, title, path, tuple(sections), preamble)


def _section(path: Path, cells: list[dict[str, Any]]) -> Section:
    """The cells from one heading to the next."""
    heading = HEADING.match(cells[0]["source"])
    answers = [cell["source"] for cell in cells if cell["cell_type"] == "code" and BEGIN in cell["source"]]
    if heading is None or len(answers) != 1:
        raise InvalidInput(f"{path.name}: {cells[0]['source'][:40]!r} needs one cell with {BEGIN}, has {len(answers)}")
    notes = [cell["source"] for cell in cells if cell["source"].startswith(NOTES)]
    aloud = [cell["source"] for cell in cells if cell["source"].startswith(ALOUD)]
    question = [c["source"] for c in cells if c["cell_type"] == "markdown" and c["source"] not in [*notes, *aloud]]
    calls = [cell["source"] for cell in cells if cell["cell_type"] == "code" and cell["source"] != answers[0]]
    return Section(
        heading[1],
        heading[2],
        question="\n\n".join(question),
        answer=answers[0],
        notes="\n\n".join(notes),
        aloud="\n\n".join(aloud),
        calls="\n".join(calls),
    )


def topic_of(exercise_id: str) -> Topic:
    """The topic that holds an exercise.

    Raises
    ------
    InvalidInput
        No notebook of solutions/ has a section of this id.
    """
    for topic in topics():
        if exercise_id in topic.exercise_ids:
            return topic
    raise InvalidInput(f"no notebook in solutions/ has a section '## {exercise_id} · …'")


def section(exercise_id: str) -> Section:
    """The section of an exercise."""
    return next(found for found in topic_of(exercise_id).sections if found.exercise_id == exercise_id)


def ordered_ids() -> list[str]:
    """Every exercise, in the order of the notebooks."""
    return [exercise_id for topic in topics() for exercise_id in topic.exercise_ids]


def solution_text(answer: str) -> str:
    """An answer cell without its marks."""
    return "\n".join(line for line in answer.split("\n") if line.strip() not in (BEGIN, END))


def stub_of(answer: str) -> str:
    """An answer cell as the learner gets it: what lies between the marks gives way to the stub.

    Raises
    ------
    InvalidInput
        The marks do not come in pairs.
    """
    lines: list[str] = []
    inside = False
    for line in answer.split("\n"):
        mark = line.strip()
        if mark in (BEGIN, END):
            if (mark == BEGIN) == inside:
                raise InvalidInput(f"{BEGIN} and {END} do not come in pairs in {answer[:40]!r}")
            inside = mark == BEGIN
            if inside:
                lines += [line.replace(BEGIN, text) for text in STUB]
        elif not inside:
            lines.append(line)
    if inside:
        raise InvalidInput(f"{END} is missing in {answer[:40]!r}")
    return "\n".join(lines)


def source_of(exercise_id: str, answer: str, name: str) -> str:
    """What has to be run for `answer` in the place of the solution: itself and the imports and helpers around it."""
    topic = topic_of(exercise_id)
    cells = [*topic.preamble]
    for other in topic.sections:
        cells.append(answer if other.exercise_id == exercise_id else solution_text(other.answer))
    return slice_source(cells, name)


def reference_source(exercise_id: str, name: str) -> str:
    """What has to be run to have our solution of an exercise."""
    return source_of(exercise_id, solution_text(section(exercise_id).answer), name)
