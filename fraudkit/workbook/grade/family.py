"""What a notebook leaves behind: processes to end, files to count."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
MAX_ROUNDS = 200


def parents() -> dict[int, int]:
    """Process -> its parent, of every process that can be seen and has not ended."""
    if not (PROC / "self" / "stat").exists():
        listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=False)
        pairs = [line.split() for line in listed.stdout.splitlines()]
        return {int(pid): int(parent) for pid, parent in pairs}
    found = {}
    for entry in os.scandir(PROC):
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                text = (PROC / entry.name / "stat").read_text(encoding="utf-8", errors="replace")
                state, parent = text.rpartition(")")[2].split()[:2]
                if state != "Z":
                    found[int(entry.name)] = int(parent)
    return found


def descendants(root: int) -> list[int]:
    """The processes below `root`, whatever session or group they have put themselves in."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents().items():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def kill_family(root: int) -> None:
    """End a process and everything below it; what escapes in between is adopted and ended with the grader's own."""
    for pid in [*descendants(root), root]:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def kill_descendants(spare: int = 0) -> int:
    """End everything below this process but `spare`; gives how many were killed.

    Goes on until none is left: a process that is being killed may just have started another.
    """
    killed = 0
    for _ in range(MAX_ROUNDS):
        left = [pid for pid in descendants(os.getpid()) if pid != spare]
        if not left:
            break
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        time.sleep(0.002)
    return killed


def reap_all() -> None:
    """Take the exit status of every child that has ended, adopted ones too, so that none stays a zombie."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def disk_use(folder: Path, most_files: int = 50_000) -> tuple[int, int]:
    """Bytes and number of files below a folder; stops counting at `most_files`. Links are not followed."""
    size = files = 0
    waiting = [str(folder)]
    while waiting and files < most_files:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                files += 1
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        status = entry.stat(follow_symlinks=False)
                        size += max(status.st_blocks * 512, 0)
                if files >= most_files:
                    break
    return size, files
