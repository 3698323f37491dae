"""Several workers side by side: each notebook goes to one that is free, and one that dies costs one notebook.

Threads here only wait; the work is done in the workers' processes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import select
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fraudkit.workbook.grade.collect import Submission
from fraudkit.workbook.grade.family import kill_family
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.limits import Limits

REPLY_LIMIT = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Settings:
    """How notebooks are graded: the same for all of one grading."""

    seed: int
    parameters: dict[str, Any]
    run_limits: RunLimits
    limits: Limits

    @property
    def public(self) -> dict[str, Any]:
        """Everything but the seed, as JSON values."""
        return {"parameters": self.parameters, "run": asdict(self.run_limits), "call": asdict(self.limits)}

    def patience(self, tasks: int) -> float:
        """Seconds after which a worker that has not answered is taken for lost."""
        return self.run_limits.notebook_seconds + 90.0 + 40.0 * tasks * self.limits.seconds


class WorkerProcess:
    """One worker: started when needed, replaced when it is lost."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def grade(self, submission: Submission, tasks: int) -> dict[str, Any] | None:
        """The worker's reply, or None when it died over this notebook or never answered."""
        request = {
            "data": base64.b64encode(submission.data).decode(),
            "topic": submission.topic,
            "problem": submission.problem,
            "parameters": self.settings.parameters,
        }
        try:
            process = self._started()
            if process.stdin is None or process.stdout is None:
                raise OSError("the worker has no pipes")
            _write(process.stdin, request)
            if not select.select([process.stdout], [], [], self.settings.patience(tasks))[0]:
                raise OSError("no reply")
            reply = json.loads(process.stdout.readline(REPLY_LIMIT))
            return reply if isinstance(reply, dict) else None
        except (OSError, ValueError):
            self.stop()
            return None

    def stop(self) -> None:
        """End the worker and everything below it."""
        process, self._process = self._process, None
        if process is None:
            return
        kill_family(process.pid)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fraudkit.workbook.grade.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            if self._process.stdin is not None:
                settings = self.settings
                start = {"seed": settings.seed, "run_limits": asdict(settings.run_limits)}
                _write(self._process.stdin, start | {"limits": asdict(settings.limits)})
        return self._process


def _write(pipe: Any, message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def graded(
    work: Sequence[tuple[Submission, int]], settings: Settings, jobs: int
) -> Generator[tuple[Submission, dict[str, Any] | None], None, None]:
    """Replies as they come, `jobs` notebooks at a time; closing the iterator ends every worker.

    Parameters
    ----------
    work : submissions, each with its number of tasks
    """
    todo: queue.SimpleQueue[tuple[Submission, int] | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Submission, dict[str, Any] | None]] = queue.SimpleQueue()
    for item in work:
        todo.put(item)
    workers = [WorkerProcess(settings) for _ in range(min(jobs, len(work)))]

    def serve(worker: WorkerProcess) -> None:
        while (item := todo.get()) is not None:
            done.put((item[0], worker.grade(*item)))

    threads = [threading.Thread(target=serve, args=(worker,), daemon=True) for worker in workers]
    try:
        for thread in threads:
            todo.put(None)
            thread.start()
        for _ in work:
            yield done.get()
    finally:
        with contextlib.suppress(queue.Empty):
            while True:
                todo.get_nowait()
        for _ in threads:
            todo.put(None)
        for worker in workers:
            worker.stop()
        for thread in threads:
            thread.join(timeout=5)
