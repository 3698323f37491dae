"""The coding round's own notebook: one exercise, nothing else, in a file that is new for each interview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fraudkit.core.files import replace_file
from fraudkit.workbook.build import NOTEBOOK_METADATA
from fraudkit.workbook.check import judged, recorded
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.mock.interview import Checked, Interview
from fraudkit.workbook.notebooks import section, stub_of, topic_of
from fraudkit.workbook.source import notebook_cells

FOLDER = "mocks"


def notebook_path(interview: Interview, exercise_id: str) -> Path:
    """Where the notebook of an exercise of this interview lies: HOME/mocks/20260301T090000_ID.ipynb."""
    stamp = interview.state.started_at.partition(".")[0].replace("-", "").replace(":", "")
    return interview.file.path.parent / FOLDER / f"{stamp}_{exercise_id}.ipynb"


def ensure_notebook(interview: Interview, exercise_id: str) -> Path:
    """Write the notebook where it is not there yet; what was written into it stays."""
    path = notebook_path(interview, exercise_id)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, mock_notebook(exercise_id))
    return path


def mock_notebook(exercise_id: str) -> bytes:
    """A notebook with the interview on top, then the question, the stub and a place to try it."""
    found = section(exercise_id)
    sources = [
        ("markdown", "# Mock interview\n\nThe interviewer, the time that is left and the check are in the first cell."),
        ("code", "from fraudkit.workbook import mock\n\nmock()"),
        *[("code", cell) for cell in map(_without_doors, topic_of(exercise_id).preamble) if cell],
        ("markdown", found.question),
        ("code", stub_of(found.answer)),
        ("code", "# Try it here; save the notebook before a check from the terminal."),
    ]
    cells: list[dict[str, Any]] = []
    for number, (kind, source) in enumerate(sources):
        cell: dict[str, Any] = {
            "cell_type": kind,
            "id": f"cell-{number:03d}",
            "metadata": {},
            "source": source.splitlines(True),
        }
        cells.append(cell | ({"execution_count": None, "outputs": []} if kind == "code" else {}))
    document = {"cells": cells, "metadata": NOTEBOOK_METADATA, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _without_doors(cell: str) -> str:
    """A topic's set-up cell without `check`, `hint` and `solution`: in an interview the interviewer is asked."""
    return "\n".join(line for line in cell.split("\n") if not line.startswith("from fraudkit.workbook import")).strip()


def check_answer(interview: Interview, exercise_id: str, cells: list[str] | None = None) -> tuple[bool, str]:
    """Judge the answer and tell the interview; gives whether it passes, and what is said about it.

    Parameters
    ----------
    cells : those that ran in this kernel; by default the notebook as it was saved

    Raises
    ------
    InvalidInput
        The exercise is not asked for now, or the notebook cannot be read.
    """
    item = exercise(exercise_id)
    verdict = judged(item, notebook_cells(ensure_notebook(interview, exercise_id)) if cells is None else cells)
    failure = verdict.failure
    if verdict.status == "missing":
        return False, failure.reason if failure else "there is no answer yet"
    recorded(verdict)  # a pass in an interview counts for the exercise too
    passed = interview.check(Checked(exercise_id, verdict.passed, verdict.total))
    if passed:
        return True, f"all {verdict.total} cases pass"
    first = f" First that fails: {failure.case}. {failure.reason}" if failure else ""
    return False, f"{verdict.passed} of {verdict.total} cases pass.{first}"
