"""Running a learner's notebook: a folder of its own, a process of its own, and what became of it.

The trusted side of `execute`. What it gets back is the executed notebook and one word on how it
went; no mark depends on either.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.marks import RunStatus
from fraudkit.workbook.grade.notebook import Cell, notebook_document

START_SECONDS = 60.0
MARGIN_SECONDS = 30.0  # beyond the notebook's own limit; then the process that runs notebooks is replaced
MAX_EXECUTED_BYTES = 64 * 2**20
SHORT_ROOT = "/tmp"  # noqa: S108 - a socket's path may have 107 bytes at most; mkdtemp makes it private
REASONS: dict[str, tuple[RunStatus, str]] = {
    "timeout": ("timeout", "the notebook was stopped after {seconds:g} s"),
    "disk": ("flooded", "the notebook wrote more than {megabytes:.0f} MB of files, or too many"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """How one notebook ran: `executed` is the executed notebook's bytes, or None."""

    status: RunStatus
    note: str
    seconds: float
    executed: bytes | None


class NotebookRunner:
    """One warm process that runs notebooks one after another. Use as a context manager."""

    def __init__(self, limits: RunLimits) -> None:
        self.limits = limits
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and everything it started."""
        if self._process is None:
            return
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            from fraudkit.workbook.grade.family import kill_family

            kill_family(self._process.pid)
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def run(self, cells: list[Cell], parameters: Mapping[str, Any]) -> Run:
        """Run a notebook's cells with these parameters; never raises for what the notebook does."""
        with private_folder() as folder:
            for name in ("room", "run", "out"):
                (folder / name).mkdir(mode=0o700)
            (folder / "out" / "notebook.ipynb").write_text(json.dumps(notebook_document(cells)), encoding="utf-8")
            request = {
                "notebook": str(folder / "out" / "notebook.ipynb"),
                "executed": str(folder / "out" / "executed.ipynb"),
                "outcome": str(folder / "out" / "outcome.json"),
                "folder": str(folder),
                "room": str(folder / "room"),
                "parameters": dict(parameters),
                "limits": asdict(self.limits),
            }
            started = time.perf_counter()
            reply = self._ask(request)
            seconds = round(time.perf_counter() - started, 2)
            status, note = self._outcome(reply, folder / "out" / "outcome.json")
            return Run(status, note, seconds, _executed(folder / "out"))

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and wait for its reply; {} when the process died or does not answer."""
        try:
            process = self._started()
            if process.stdin is None or process.stdout is None:
                raise OSError("the process has no pipes")
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            patience = self.limits.notebook_seconds + MARGIN_SECONDS
            if not select.select([process.stdout], [], [], patience)[0]:
                raise OSError("no reply")
            reply = json.loads(process.stdout.readline())
            return reply if isinstance(reply, dict) else {}
        except (OSError, ValueError):
            self.close()
            return {}

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            environment = {
                "PATH": os.environ.get("PATH", os.defpath),
                "LANG": "C.UTF-8",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONHASHSEED": "0",
                "JUPYTER_PLATFORM_DIRS": "1",
                "HOME": "/nonexistent",
                **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            }
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "fraudkit.workbook.grade.execute"],
                env=environment,
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the grader, which then ends this one
            )
        return self._process

    def _outcome(self, reply: dict[str, Any], path: Path) -> tuple[RunStatus, str]:
        """Status and note, checked: the file lies where a hostile kernel might have reached."""
        if not reply:
            return "died", "the process that ran the notebook was ended"
        if reply.get("reason") in REASONS:
            status, words = REASONS[reply["reason"]]
            return status, words.format(seconds=self.limits.notebook_seconds, megabytes=self.limits.disk_bytes / 2**20)
        try:
            with path.open("rb") as file:
                outcome = json.loads(file.read(10_000))
            known: dict[str, RunStatus] = {
                "ran": "ran",
                "errors": "errors",
                "timeout": "timeout",
                "died": "died",
                "flooded": "flooded",
            }
            return known[outcome["status"]], str(outcome["note"])[:300]
        except (OSError, ValueError, KeyError, TypeError):
            return "died", "the process that ran the notebook was ended"


def _executed(folder: Path) -> bytes | None:
    """The executed notebook, or the one that should have been, when nothing came of it."""
    for name in ("executed.ipynb", "notebook.ipynb"):
        with contextlib.suppress(OSError, ValueError, RecursionError), (folder / name).open("rb") as file:
            data = file.read(MAX_EXECUTED_BYTES + 1)
            if len(data) <= MAX_EXECUTED_BYTES and isinstance(json.loads(data), dict):
                return data
    return None


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """A folder for one notebook, removed afterwards whatever was done to the modes of its files."""
    root = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="fraudkit-", dir=root if len(root) <= 40 else SHORT_ROOT))
    try:
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # folders without rights
        for path, _, _ in os.walk(folder):
            with contextlib.suppress(OSError):
                Path(path).chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
