"""One grading from what was handed in to the report: what has not changed is kept, the rest is run."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from fraudkit.core.console import ProgressCallback
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import replace_file
from fraudkit.workbook.grade.collect import Collection, Submission, collect
from fraudkit.workbook.grade.gradebook import write_gradebook
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.marks import GradeResult, LearnerResult, Mark, NotebookResult, Pair
from fraudkit.workbook.grade.names import file_names
from fraudkit.workbook.grade.pool import Settings, graded
from fraudkit.workbook.grade.report import write_report
from fraudkit.workbook.grade.similarity import known_prints, similar_pairs, write_pairs
from fraudkit.workbook.grade.state import Ledger, result_key
from fraudkit.workbook.grade.tasks import absent_marks
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.notebooks import Topic, topics

NOT_HANDED_IN = "the notebook was not handed in"
LOST = "grading this notebook ended the process that did it; it is tried again at the next run"


def grade(
    submissions: Path,
    out: Path,
    *,
    jobs: int = 2,
    only: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    run_limits: RunLimits | None = None,
    limits: Limits | None = None,
    progress: ProgressCallback | None = None,
) -> GradeResult:
    """Grade every notebook below `submissions` and write the report to `out`.

    Parameters
    ----------
    submissions : a folder with one sub-folder a learner, a folder of notebooks, or a zip of either
    jobs : notebooks graded at the same time
    only : topics to grade, such as ["01_metrics"]; by default those that anybody handed in
    parameters : for the notebooks' parameters cell
    run_limits, limits : of running a notebook, and of one call of a learner's function
    progress : called with (fraction, text)

    Raises
    ------
    InvalidInput
        There is nothing to grade, a topic does not exist, or `out` cannot be written.
    """
    started = time.perf_counter()
    every = {topic.name: topic for topic in topics()}
    if unknown := [name for name in only or () if name not in every]:
        raise InvalidInput(f"there is no topic {unknown[0]!r}; choose from {', '.join(every)}")
    collection = collect(submissions, list(every), {name: topic.exercise_ids for name, topic in every.items()})
    handed_in = {submission.topic for submission in collection.submissions}
    chosen = [topic for name, topic in every.items() if (name in only if only else name in handed_in)]
    if not chosen:
        raise InvalidInput(f"{submissions} holds no notebook of a known topic; the topics are {', '.join(every)}")
    ledger = Ledger(out)
    with ledger.held():
        settings = Settings(ledger.seed(), dict(parameters or {}), run_limits or RunLimits(), limits or Limits())
        results, ran, problems = _results(collection, chosen, settings, ledger, jobs, progress)
        learners = _learners(collection, chosen, results)
        pairs = _pairs(learners, chosen)
        result = GradeResult(
            out,
            tuple(learners),
            tuple(pairs),
            ran,
            len(results) - ran,
            round(time.perf_counter() - started, 1),
            (*collection.notes, *problems),
        )
        write_gradebook(result, out / "gradebook.csv")
        write_pairs(result.pairs, out / "similarity.csv")
        write_report(result, chosen)
    return result


Results = dict[tuple[str, str], NotebookResult]


def _results(
    collection: Collection,
    chosen: Sequence[Topic],
    settings: Settings,
    ledger: Ledger,
    jobs: int,
    progress: ProgressCallback | None,
) -> tuple[Results, int, list[str]]:
    """A result for each notebook of the chosen topics, how many were run for it, and problems."""
    by_name = {topic.name: topic for topic in chosen}
    wanted = [submission for submission in collection.submissions if submission.topic in by_name]
    keys = {one: result_key(one.digest, by_name[one.topic], settings.seed, settings.public) for one in wanted}
    results: Results = {}
    work: list[Submission] = []
    for submission in wanted:
        kept = ledger.load(submission.learner, submission.topic, keys[submission])
        if kept is None:
            work.append(submission)
        else:
            results[submission.learner, submission.topic] = kept
    folders = file_names(collection.learners)
    problems: list[str] = []
    done = 0
    queue = [(submission, len(by_name[submission.topic].exercise_ids)) for submission in work]
    with closing(graded(queue, settings, jobs)) as replies:
        for submission, reply in replies:
            done += 1
            if progress is not None:
                progress(done / len(work), f"{done}/{len(work)} {submission.learner} {submission.topic}")
            executed = f"executed/{folders[submission.learner]}/{submission.topic}.ipynb"
            result = _result(submission, by_name[submission.topic], reply, executed, ledger)
            results[submission.learner, submission.topic] = result
            if reply is None:
                problems.append(f"{submission.file}: {LOST}")
            else:
                ledger.save(result, keys[submission])
    return results, len(work), problems


def _result(
    submission: Submission, topic: Topic, reply: dict[str, Any] | None, executed: str, ledger: Ledger
) -> NotebookResult:
    """A worker's reply as a result; writes the executed notebook."""
    if reply is None:
        marks = [mark_lost(mark) for mark in absent_marks(topic, LOST)]
        return NotebookResult(submission.learner, topic.name, submission.file, "died", LOST, marks=tuple(marks))
    data = base64.b64decode(reply.pop("executed"))
    if data:
        path = ledger.folder.parent / executed
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data)
    return NotebookResult.from_dict(
        reply
        | {
            "learner": submission.learner,
            "topic": topic.name,
            "file": submission.file,
            "executed": executed if data else "",
        }
    )


def mark_lost(mark: Mark) -> Mark:
    """The mark of a task whose grading was lost."""
    return Mark(mark.exercise_id, mark.title, "crash", 0.0, mark.possible, words=LOST)


def _learners(collection: Collection, chosen: Sequence[Topic], results: Results) -> list[LearnerResult]:
    """Every learner with a result for every chosen topic."""
    return [
        LearnerResult(
            learner,
            tuple(
                results.get((learner, topic.name))
                or NotebookResult(
                    learner,
                    topic.name,
                    "",
                    "missing",
                    marks=tuple(absent_marks(topic, NOT_HANDED_IN)),
                )
                for topic in chosen
            ),
        )
        for learner in collection.learners
    ]


def _pairs(learners: Sequence[LearnerResult], chosen: Sequence[Topic]) -> list[Pair]:
    """Answers of the class that resemble each other, task by task."""
    pairs: list[Pair] = []
    for topic in chosen:
        for exercise_id in topic.exercise_ids:
            answers = {
                learner.learner: notebook.prints[exercise_id]
                for learner in learners
                for notebook in learner.notebooks
                if exercise_id in notebook.prints
            }
            if len(answers) > 1:
                pairs += similar_pairs(exercise_id, answers, known_prints(exercise_id))
    return sorted(pairs, key=lambda pair: (not pair.suspicious, -pair.score, -pair.evidence, pair.exercise_id))
