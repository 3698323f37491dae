"""Marks for one notebook: each exercise's answer is cut out of the cells and judged on fresh cases.

Cells are read as text; an answer runs in the sandbox only. What a mark tells the learner is the
case's name, what it is there for and the misconception, never an input or an expected value.
"""

from __future__ import annotations

import builtins
import re
import zlib
from collections.abc import Sequence

import numpy as np

from fraudkit.workbook.exercise import Exercise, exercise
from fraudkit.workbook.grade.fingerprint import fingerprints
from fraudkit.workbook.grade.marks import Mark, MarkStatus
from fraudkit.workbook.grade.notebook import Cell, code_cells
from fraudkit.workbook.judge import Failure, Verdict, judge
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.notebooks import Topic
from fraudkit.workbook.sandbox import Sandbox
from fraudkit.workbook.source import NotDefined, NotPython, slice_source

NO_POINTS: tuple[MarkStatus, ...] = ("missing", "tampered", "crash")
GROWTH_TRIES = 3
NOT_DEFINED = "no cell defines {name}; the answer's cell may have been deleted or renamed"
IN_MARKDOWN = "the cell that defines {name} is a text cell; change its type to code"
UNTOUCHED = "the stub is untouched"


def mark_tasks(
    cells: Sequence[Cell], topic: Topic, sandbox: Sandbox, seed: int, limits: Limits
) -> tuple[list[Mark], dict[str, tuple[int, ...]]]:
    """A mark for each exercise of a topic, and the fingerprints of the answers that there are.

    Parameters
    ----------
    cells : of the learner's notebook
    seed : the grading's secret number; every learner gets the same cases
    limits : of one call of the learner's function
    """
    marks: list[Mark] = []
    prints: dict[str, tuple[int, ...]] = {}
    for exercise_id in topic.exercise_ids:
        task = exercise(exercise_id)
        try:
            source = slice_source(code_cells(list(cells)), task.name)
        except NotDefined:
            marks.append(_missing(task, _why_missing(cells, task.name)))
            continue
        except NotPython as error:
            marks.append(_missing(task, str(error)))
            continue
        verdict = patient_verdict(task, source, sandbox, seed, limits)
        marks.append(mark_of(task, verdict))
        if verdict.status != "missing":
            prints[exercise_id] = fingerprints(source)
    return marks, prints


def patient_verdict(task: Exercise, source: str, sandbox: Sandbox, seed: int, limits: Limits) -> Verdict:
    """The verdict; an answer that is only too slow in growing is measured again, since graders keep machines busy."""
    for _ in range(GROWTH_TRIES):
        verdict = judge(task, source, sandbox=sandbox, rng=task_rng(seed, task.id), limits=limits)
        if verdict.failure is None or verdict.failure.mutant != "slow":
            break
    return verdict


def absent_marks(topic: Topic, words: str) -> list[Mark]:
    """Marks of a topic of which nothing can be read."""
    return [_missing(exercise(exercise_id), words) for exercise_id in topic.exercise_ids]


def task_rng(seed: int, exercise_id: str) -> np.random.Generator:
    """The generator of one exercise's cases: the same for every learner and every regrade, unknown to all."""
    return np.random.default_rng([seed, zlib.crc32(exercise_id.encode())])


def mark_of(task: Exercise, verdict: Verdict) -> Mark:
    """A verdict as a mark that may be handed back."""
    status: MarkStatus = verdict.status
    points = 0.0 if status in NO_POINTS else round(task.points * min(max(verdict.credit, 0.0), 1.0), 2)
    if status == "pass":
        points = float(task.points)
    failure = verdict.failure
    if failure is None:
        return Mark(task.id, task.title, status, points, float(task.points), verdict.passed, verdict.total)
    if status == "missing":
        return _missing(task, UNTOUCHED)
    return Mark(
        task.id,
        task.title,
        status,
        points,
        float(task.points),
        verdict.passed,
        verdict.total,
        case=failure.case,
        why=failure.why,
        words=harmless_words(status, failure),
        misconception=failure.misconception
        if failure.certain or status == "pass"
        else f"Perhaps: {failure.misconception}",
    )


def harmless_words(status: MarkStatus, failure: Failure) -> str:
    """What went wrong, without a value: the reason in the verdict may quote hidden inputs and right answers."""
    if status == "timeout":
        return "the function did not answer in time"
    if status == "crash":
        return "the function ended its own process or used more memory than it may"
    if status == "tampered":
        return "the code tried something that answers may not do, such as opening files, sockets or processes"
    if failure.mutant == "slow":
        return "the values are right, but the time grows faster than the question allows"
    if failure.expected.startswith("raises ") and not _is_exception(failure.got):
        return f"{failure.expected[len('raises ') :]} should have been raised"
    if _is_exception(failure.got):
        raised = failure.expected.startswith("raises ")
        return f"raised {failure.got}" + (f" instead of {failure.expected[len('raises ') :]}" if raised else "")
    if "modified its input" in failure.reason:
        return "the function modified its input"
    return "returned a wrong value"


def _is_exception(name: str) -> bool:
    """Whether this is the name of a built-in exception; one of the learner's own making could carry inputs out."""
    kind = getattr(builtins, name, None) if name.isidentifier() else None
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _missing(task: Exercise, words: str) -> Mark:
    return Mark(task.id, task.title, "missing", 0.0, float(task.points), words=words)


def _why_missing(cells: Sequence[Cell], name: str) -> str:
    """Why there is no answer: not there at all, or in a cell of text."""
    pattern = re.compile(rf"^\s*(?:def|class)\s+{re.escape(name)}\b", re.MULTILINE)
    elsewhere = any(cell.kind != "code" and pattern.search(cell.source) for cell in cells)
    return (IN_MARKDOWN if elsewhere else NOT_DEFINED).format(name=name)
