"""The gradebook: one line a learner, for every task the points and the status, and the sums."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from fraudkit.core.files import replace_file
from fraudkit.workbook.grade.marks import GradeResult


def write_gradebook(result: GradeResult, path: Path) -> None:
    """Write gradebook.csv, UTF-8 with the mark that spreadsheets need to see it."""
    replace_file(path, csv_bytes(gradebook_rows(result)))


def gradebook_rows(result: GradeResult) -> list[list[str]]:
    """Header and one row a learner."""
    header = ["learner", "points", "possible", "percent"]
    if result.learners:
        for notebook in result.learners[0].notebooks:
            header += [f"{notebook.topic} notebook", f"{notebook.topic} points"]
            for mark in notebook.marks:
                header += [f"{mark.exercise_id} points (of {mark.possible:g})", f"{mark.exercise_id} status"]
    rows = [header]
    for learner in result.learners:
        share = learner.points / learner.possible if learner.possible else 0.0
        row = [learner.learner, f"{learner.points:g}", f"{learner.possible:g}", f"{100 * share:.1f}"]
        for notebook in learner.notebooks:
            row += [notebook.run, f"{notebook.points:g}"]
            for mark in notebook.marks:
                row += [f"{mark.points:g}", mark.status]
        rows.append(row)
    return rows


def csv_bytes(rows: list[list[str]]) -> bytes:
    """Rows as CSV; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_harmless(value) for value in row] for row in rows])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8")


def _harmless(value: str) -> str:
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
