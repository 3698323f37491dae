"""Grading a class: thirty learners, every topic, two cores.

python -m benchmarks.grading             # thirty learners
python -m benchmarks.grading --quick     # two
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from benchmarks.record import Figure, Record, new_record, table, write_record
from fraudkit.core.console import progress_bar
from fraudkit.workbook.grade import grade
from fraudkit.workbook.notebooks import topics

JOBS = 2


def hand_in(folder: Path, learners: int) -> int:
    """Write solved notebooks for a class, each with a comment of its learner's; gives their number."""
    for number in range(learners):
        home = folder / f"learner_{number:02d}"
        home.mkdir(parents=True)
        for topic in topics():
            document = json.loads(topic.path.read_text(encoding="utf-8"))
            document["cells"][0]["source"] = [f"Handed in by learner {number}.\n", *document["cells"][0]["source"]]
            (home / topic.path.name).write_text(json.dumps(document), encoding="utf-8")
    return learners * len(topics())


def measure(learners: int) -> Record:
    """Grade a class from nothing, then again with nothing changed."""
    with tempfile.TemporaryDirectory() as name:
        submissions, out = Path(name) / "class", Path(name) / "report"
        count = hand_in(submissions, learners)
        start = time.perf_counter()
        with progress_bar("grade") as progress:
            result = grade(submissions, out, jobs=JOBS, progress=progress)
        first = time.perf_counter() - start
        start = time.perf_counter()
        grade(submissions, out, jobs=JOBS)
        again = time.perf_counter() - start
    marks = [mark for learner in result.learners for mark in learner.marks]
    return new_record(
        "grading",
        "Grading a class",
        "python -m benchmarks.grading",
        [
            Figure("learners", learners, ""),
            Figure("notebooks", count, ""),
            Figure("tasks judged", len(marks), ""),
            Figure(
                "share of tasks with full marks", sum(m.status == "pass" for m in marks) / len(marks), "", at_least=1
            ),
            Figure("time", first, "s"),
            Figure("notebooks a minute", 60 * count / first, "/min"),
            Figure("time of a second run, nothing changed", again, "s"),
        ],
        [
            f"Solved notebooks of every topic, {JOBS} jobs. Papermill runs each in a locked kernel of its own, "
            "each answer is judged on fresh cases in a locked process, and submissions are compared pairwise."
        ],
        ["papermill", "numpy"],
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two learners; nothing is written")
    quick = parser.parse_args(arguments).quick
    record = measure(2 if quick else 30)
    print(table(record))
    if not quick:
        write_record(record)


if __name__ == "__main__":
    main()
