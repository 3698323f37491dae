"""A trusted process that grades one notebook at a time: runs it, marks its answers, says what it found.

Started by `pool`, one request and one reply a line. It keeps a warm process for running notebooks
and a warm sandbox for answers; neither of them knows the seed.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.notebook import read_notebook
from fraudkit.workbook.grade.run import NotebookRunner
from fraudkit.workbook.grade.tasks import absent_marks, mark_tasks
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.notebooks import Topic, topics
from fraudkit.workbook.sandbox import Sandbox

PR_SET_DUMPABLE = 4


class Worker:
    """Grades notebooks one after another. Use as a context manager."""

    def __init__(self, seed: int, run_limits: RunLimits, limits: Limits) -> None:
        self.seed = seed
        self.limits = limits
        self.topics = {topic.name: topic for topic in topics()}
        self._stack = ExitStack()
        self._runner = self._stack.enter_context(NotebookRunner(run_limits))
        self._sandboxes: dict[tuple[str, ...], Sandbox] = {}

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def grade(self, topic_name: str, data: bytes, problem: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """One notebook: status, note, seconds, marks, prints and the executed notebook's bytes."""
        topic = self.topics[topic_name]
        try:
            if problem:
                raise InvalidInput(problem)
            cells = read_notebook(data)
        except InvalidInput as error:
            marks = absent_marks(topic, f"the file {error}")
            return _result("corrupt", str(error), 0.0, marks, {}, None)
        run = self._runner.run(cells, parameters)
        marks, prints = mark_tasks(cells, topic, self._sandbox(topic), self.seed, self.limits)
        return _result(run.status, run.note, run.seconds, marks, prints, run.executed)

    def _sandbox(self, topic: Topic) -> Sandbox:
        """The sandbox with what a topic's answers may need loaded."""
        preload = tuple(sorted({name for one in topic.exercise_ids for name in exercise(one).preload}))
        if preload not in self._sandboxes:
            self._sandboxes[preload] = self._stack.enter_context(Sandbox(preload))
        return self._sandboxes[preload]


def _result(
    status: str, note: str, seconds: float, marks: list[Any], prints: dict[str, tuple[int, ...]], executed: bytes | None
) -> dict[str, Any]:
    return {
        "run": status,
        "note": note,
        "seconds": seconds,
        "marks": [asdict(mark) for mark in marks],
        "prints": prints,
        "executed": base64.b64encode(executed).decode() if executed else "",
    }


def keep_memory_private() -> None:
    """On Linux, let no other process of the same user read this one's memory, which holds the seed."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def main() -> None:
    """`python -m fraudkit.workbook.grade.worker`: the first line says how to grade, each further one what."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pool's to handle
    keep_memory_private()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = json.loads(sys.stdin.readline())
    with Worker(settings["seed"], RunLimits(**settings["run_limits"]), Limits(**settings["limits"])) as worker:
        for line in sys.stdin:
            request = json.loads(line)
            data = base64.b64decode(request["data"])
            reply = worker.grade(request["topic"], data, request["problem"], request["parameters"])
            replies.write(json.dumps(reply) + "\n")
            replies.flush()


if __name__ == "__main__":
    main()
