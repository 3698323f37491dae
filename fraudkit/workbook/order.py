"""Which exercise comes next: the first one not passed, in the topic that is in work."""

from __future__ import annotations

from dataclasses import dataclass

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.workbook.notebooks import EXERCISES, Topic, topics
from fraudkit.workbook.progress import Progress


@dataclass(frozen=True, slots=True)
class Next:
    """An exercise to go to: `notebook` is its path from the project's root."""

    exercise_id: str
    title: str
    topic: str
    notebook: str


def next_exercise(progress: Progress, found: list[Topic] | None = None) -> Next | None:
    """The first exercise in the notebooks' order that has not been passed; None when all have.

    The topic in work goes before the others: that of the exercise last tried, passed or looked up.
    `found` are the topics, those of solutions/ by default.
    """
    found = topics() if found is None else found
    in_work = topic_in_work(progress, found)
    for topic in sorted(found, key=lambda topic: topic is not in_work):  # stable: the rest keeps its order
        for section in topic.sections:
            if not progress.record(section.exercise_id).passed:
                notebook = EXERCISES.relative_to(PROJECT_ROOT) / f"{topic.name}.ipynb"
                return Next(section.exercise_id, section.title, topic.name, notebook.as_posix())
    return None


def topic_in_work(progress: Progress, found: list[Topic]) -> Topic | None:
    """The topic touched last, None when none was."""

    def touched(topic: Topic) -> str:
        return max((progress.record(name).last_touched_at for name in topic.exercise_ids), default="")

    last = max(found, key=touched, default=None)
    return last if last is not None and touched(last) else None
