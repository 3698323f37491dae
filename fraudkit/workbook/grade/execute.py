"""The process that runs notebooks by papermill: a warm parent that forks one process for each.

Started by `run.NotebookRunner`, one request and one reply a line. It holds no secrets and gives no
marks; what it says of a notebook is how the cells ran. The kernel is a process of its own below the
forked one; whatever a notebook has started is killed when it ends.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from fraudkit.workbook.grade.client import Ended, GradedEngine
from fraudkit.workbook.grade.family import disk_use, kill_descendants, reap_all
from fraudkit.workbook.grade.launch import load_kernel_modules
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.notebook import KERNEL_NAME

PR_SET_CHILD_SUBREAPER = 36
OWN_MEMORY = 6 * 2**30  # of the process that talks to the kernel: what a kernel sends must not fill the machine


def adopt_orphans() -> None:
    """On Linux, make this process the parent of whatever its descendants leave behind, so that it can end it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def supervise(pid: int, room: Path, limits: RunLimits) -> str:
    """Wait for a notebook's process; end it when it takes too long or fills the disk. "" or the reason."""
    deadline = time.monotonic() + limits.notebook_seconds
    look = time.monotonic()
    pause = 0.005
    reason = ""
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        now = time.monotonic()
        if now > deadline:
            reason = "timeout"
        elif now > look:
            look = now + 0.5
            size, files = disk_use(room)
            if size > limits.disk_bytes or files > limits.disk_files:
                reason = "disk"
        if reason:
            kill_descendants(spare=pid)  # the kernel first, so that its outputs so far can be saved
            _finish(pid)
            break
        time.sleep(pause)
        pause = min(pause * 1.2, 0.03)
    kill_descendants()
    reap_all()
    return reason


def _finish(pid: int, seconds: float = 3.0) -> None:
    """Let a process whose kernel is gone save what it has, then end it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if os.waitpid(pid, os.WNOHANG) != (0, 0):
            return
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def run_notebook(request: dict[str, Any]) -> NoReturn:
    """In the forked process: run one notebook, write it and how it went, and leave."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (OWN_MEMORY, OWN_MEMORY))
    code = 1
    try:
        outcome = execute(request)
        Path(request["outcome"]).write_text(json.dumps(outcome), encoding="utf-8")
        code = 0
    finally:
        os._exit(code)


def execute(request: dict[str, Any]) -> dict[str, Any]:
    """Papermill over one notebook; gives `status` and `note` in the words of `marks.RunStatus`."""
    import papermill
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    limits = RunLimits(**request["limits"])
    ended = Ended()
    papermill_engines.register(KERNEL_NAME, GradedEngine)
    try:
        papermill.execute_notebook(
            request["notebook"],
            request["executed"],
            parameters=request["parameters"],
            engine_name=KERNEL_NAME,
            kernel_name=KERNEL_NAME,
            language="python",
            progress_bar=False,
            log_output=False,
            cwd=None,
            start_timeout=60,
            autosave_cell_every=0,
            limits=limits,
            ended=ended,
            folder=request["folder"],
        )
    except PapermillExecutionError:
        ended.errors = max(ended.errors, 1)
    except Exception as error:  # a dead kernel, or messages that no honest kernel sends
        if not ended.reason:
            ended.reason, ended.note = "died", f"the kernel died ({type(error).__name__})"
    if ended.reason:
        return {"status": ended.reason, "note": ended.note}
    late = f"cells stopped after {limits.cell_seconds:g} s: {ended.late}" if ended.late else ""
    if ended.errors or ended.late:
        return {"status": "errors", "note": late or f"cells that raised an error: {ended.errors}"}
    return {"status": "ran", "note": ""}


def serve() -> None:
    """Read requests from standard input until it closes."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            run_notebook(request)
        reason = supervise(pid, Path(request["room"]), RunLimits(**request["limits"]))
        reply = {"reason": reason, "seconds": round(time.perf_counter() - started, 3)}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def main() -> None:
    """`python -m fraudkit.workbook.grade.execute`"""
    import papermill  # noqa: F401 - once, before the first fork

    load_kernel_modules()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    adopt_orphans()
    serve()


if __name__ == "__main__":
    main()
