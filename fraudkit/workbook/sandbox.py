"""Runs an answer on cases in a process that can be killed, and brings back what it replied.

The trusted side of `runner`: it sends text, arrays and numbers, measures the time itself, and
believes nothing but that bytes came back. What is right is `judge`'s to say.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from fraudkit.workbook import codec
from fraudkit.workbook.exercise import Case
from fraudkit.workbook.limits import Limits

Status = Literal["ok", "error", "timeout", "crash", "blocked", "unrun"]
START_SECONDS = 60.0


@dataclass(slots=True)
class Reply:
    """What came back for one case.

    Attributes
    ----------
    status : ok, error (an exception), timeout, crash (the process died), blocked (it tried what the
        guard refuses), unrun (given up before)
    value : the answer, decoded
    error, mro, message, line, traceback : of an exception; `line` counts in the answer's text, 0 if unknown
    changed : whether an argument was modified
    printed : what was printed, its first 2,000 characters
    seconds : of the call, measured on this side
    cpu_seconds : processor time of the call where the system tells it (Linux), otherwise `seconds`; a busy
        machine hardly changes it
    """

    status: Status
    value: Any = None
    error: str = ""
    mro: tuple[str, ...] = ()
    message: str = ""
    line: int = 0
    traceback: str = ""
    changed: bool = False
    printed: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


class Lost(Exception):
    """The other side died or sent what no honest runner sends."""


class TooSlow(Exception):
    """The other side did not answer in time."""


class Sandbox:
    """A warm process that forks one fresh process for each answer. Use as a context manager, or `close` it.

    Parameters
    ----------
    preload : modules imported before any answer is run
    hash_seed : PYTHONHASHSEED of the processes
    """

    def __init__(self, preload: Sequence[str] = ("numpy",), hash_seed: str = "0") -> None:
        self.preload = tuple(preload)
        self.hash_seed = hash_seed
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the warm process and everything it started."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = self._control = None

    def run(
        self, source: str, name: str, cases: Sequence[Case], limits: Limits | None = None, *, restarts: int = 0
    ) -> list[Reply]:
        """Run `source`, then call `name` on each case; one reply a case, in order.

        After a time-out or a crash the remaining cases get a fresh process, `restarts` times at most.
        """
        limits = limits or Limits()
        replies: list[Reply] = []
        for _ in range(restarts + 1):
            if len(replies) == len(cases):
                break
            replies += self._run_once(source, name, cases[len(replies) :], limits)
        return replies + [Reply("unrun")] * (len(cases) - len(replies))

    def _run_once(self, source: str, name: str, cases: Sequence[Case], limits: Limits) -> list[Reply]:
        """Replies of one process, up to and with the case that ended it."""
        connection, pid = self._spawn()
        replies: list[Reply] = []
        try:
            request = {"source": source, "name": name, "limits": asdict(limits)}
            _send(connection, codec.dumps(request), limits.seconds)
            loaded = self._reply(_receive(connection, limits, limits.seconds))
            if loaded.status != "ok":
                return [loaded] * len(cases)
            for case in cases:
                replies.append(self._call(connection, pid, case, limits))
        except TooSlow:
            replies.append(Reply("timeout", message=f"no answer within {limits.seconds:g} s", seconds=limits.seconds))
        except Lost as lost:
            replies.append(Reply("crash", message=str(lost)))
        finally:
            connection.close()
            self._end(pid)
        return replies

    def _call(self, connection: socket.socket, pid: int, case: Case, limits: Limits) -> Reply:
        """One case: hand it over, wait until it is unpacked, then measure the call alone."""
        steps = [(step.method, step.args) for step in case.steps]
        arguments = [case.args, dict(case.kwargs), steps]
        message = codec.dumps({"args": case.args, "kwargs": dict(case.kwargs), "steps": steps})
        _send(connection, message, limits.seconds)
        _expect(connection, b"R", limits.seconds)
        cpu, start = processor_seconds(pid), time.perf_counter()
        _send(connection, b"G", limits.seconds)
        _expect(connection, b"D", limits.seconds)
        seconds = time.perf_counter() - start
        cpu_after = processor_seconds(pid)
        _send(connection, b"N", limits.seconds)
        content = _receive(connection, limits, limits.seconds)
        reply = self._reply(content)
        reply.seconds = seconds
        reply.cpu_seconds = seconds if cpu is None or cpu_after is None else cpu_after - cpu
        reply.changed = str(content.get("after")) != _digest(arguments)
        return reply

    def _reply(self, content: dict[str, Any]) -> Reply:
        """A decoded message as a reply, every field checked."""
        attempts = content.get("attempts") or []
        blocked = isinstance(attempts, list) and bool(attempts)
        status: Status = "error" if content.get("status") == "error" else "ok"
        message = str(content.get("message", ""))
        if blocked:
            status, message = "blocked", "; ".join(str(attempt) for attempt in attempts)[:500]
        line = content.get("line", 0)
        mro = content.get("mro", ())
        return Reply(
            status,
            value=content.get("value"),
            error=str(content.get("error", "")),
            message=message,
            traceback=str(content.get("traceback", "")),
            printed=str(content.get("printed", "")),
            mro=tuple(str(kind) for kind in mro) if isinstance(mro, tuple | list) else (),
            line=line if isinstance(line, int) else 0,
        )

    def _spawn(self) -> tuple[socket.socket, int]:
        """A connection to a fresh process, and its number; starts the warm process when there is none."""
        for attempt in range(2):
            ours, theirs = socket.socketpair()
            try:
                control = self._started()
                socket.send_fds(control, [b"spawn"], [theirs.fileno()])
                return ours, int(_line(control))
            except (OSError, ValueError, Lost):
                ours.close()
                self.close()
                if attempt:
                    raise
            except BaseException:  # Ctrl-C in between: the warm process may be in the middle of an answer to it
                ours.close()
                self.close()
                raise
            finally:
                theirs.close()
        raise Lost("the sandbox process cannot be started")

    def _started(self) -> socket.socket:
        if self._control is not None and self._process is not None and self._process.poll() is None:
            return self._control
        self.close()
        ours, theirs = socket.socketpair()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONHASHSEED": self.hash_seed,
            "PYTHONDONTWRITEBYTECODE": "1",
            # One thread: forking is safe, sums are the same every time, and times compare.
            **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        command = [sys.executable, "-m", "fraudkit.workbook.runner", str(theirs.fileno()), *self.preload]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL, cwd="/"
        )
        theirs.close()
        self._control = ours
        ours.settimeout(START_SECONDS)
        return ours

    def _end(self, pid: int) -> None:
        if self._control is None:
            return
        try:
            self._control.sendall(f"end {pid}".encode())
            _line(self._control)
        except (OSError, Lost):  # the answer killed the warm process; the next run starts another
            self.close()


def processor_seconds(pid: int) -> float | None:
    """Processor time that a process and its threads have used so far, None where the system does not tell."""
    try:
        return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _digest(arguments: Any) -> str:
    """As `runner.digest_of`, which this side does not import: it belongs to the other process."""
    import hashlib

    return hashlib.sha256(codec.dumps(arguments)).hexdigest()


def _send(connection: socket.socket, data: bytes, seconds: float) -> None:
    connection.settimeout(seconds)
    try:
        connection.sendall(data)
    except TimeoutError as error:
        raise TooSlow from error
    except OSError as error:
        raise Lost("the process ended before it took the input") from error


def _receive_bytes(connection: socket.socket, size: int, deadline: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([connection], [], [], left)[0]:
            raise TooSlow
        try:
            part = connection.recv(min(size - len(parts), 1 << 20))
        except OSError as error:
            raise Lost("the process ended without an answer") from error
        if not part:
            raise Lost("the process ended without an answer")
        parts += part
    return bytes(parts)


def _expect(connection: socket.socket, sign: bytes, seconds: float) -> None:
    if _receive_bytes(connection, 1, time.monotonic() + seconds) != sign:
        raise Lost("the process broke the protocol")


def _receive(connection: socket.socket, limits: Limits, seconds: float) -> dict[str, Any]:
    """One message that is a dict, no larger than the limit."""
    deadline = time.monotonic() + seconds
    head = _receive_bytes(connection, codec.head_bytes(), deadline)
    size = codec.body_bytes(head)
    if size > limits.output_bytes:
        raise Lost(f"the answer has {size:,} bytes; at most {limits.output_bytes:,} are taken")
    with suppress(ValueError):
        content = codec.loads(head + _receive_bytes(connection, size, deadline))
        if isinstance(content, dict):
            return content
    raise Lost("the process sent something that is no answer")


def _line(control: socket.socket) -> str:
    line = b""
    while not line.endswith(b"\n"):
        part = control.recv(1)
        if not part:
            raise Lost("the sandbox process died")
        line += part
    return line.decode().strip()
