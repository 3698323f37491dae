"""The process in which learners' code runs: a warm parent that forks a fresh child for each answer.

Started by `sandbox.Sandbox`, spoken to over a socket, and not trusted: what comes out of it are
answers, never verdicts. The warm parent imports what answers need once, so that a child starts in
milliseconds. This is the one module that runs text as code.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import linecache
import os
import signal
import socket
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NoReturn

from fraudkit.workbook import codec, guard
from fraudkit.workbook.limits import Limits

ANSWER_FILE = "answer.py"
MAX_TEXT = 2000
READY, GO, DONE = b"R", b"G", b"D"


def receive(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or EOFError when the other side left."""
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def receive_message(connection: socket.socket) -> Any:
    """One value."""
    head = receive(connection, codec.head_bytes())
    return codec.loads(head + receive(connection, codec.body_bytes(head)))


class Printed(io.StringIO):
    """What the learner's code prints; the first few lines are kept, the rest goes nowhere."""

    def write(self, text: str) -> int:
        """Keep what fits."""
        if self.tell() < MAX_TEXT:
            super().write(text[: MAX_TEXT - self.tell()])
        return len(text)


def digest_of(arguments: Any) -> str:
    """What tells whether arguments were changed: a digest of their encoding."""
    return hashlib.sha256(codec.dumps(arguments)).hexdigest()


def call(target: Callable[..., Any], case: dict[str, Any]) -> Any:
    """Make the case's call, or its object and the calls on it."""
    made = target(*case["args"], **case["kwargs"])
    if not case["steps"]:
        return list(made) if isinstance(made, Iterator) else made
    answers = []
    for method, arguments in case["steps"]:
        answer = getattr(made, method)(*arguments)
        answers.append(None if answer is made else answer)
    return answers


def outcome(target: Callable[..., Any], case: dict[str, Any]) -> dict[str, Any]:
    """What came of one case."""
    try:
        return {"status": "ok", "value": call(target, case)}
    except BaseException as error:  # SystemExit and KeyboardInterrupt are answers too
        return {"status": "error", **describe(error)}


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as plain values: type, ancestors, message, the line in the answer, its own trace."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == ANSWER_FILE]
    if isinstance(error, SyntaxError) and error.filename == ANSWER_FILE:
        line = error.lineno or 0
    else:
        line = frames[-1].lineno or 0 if frames else 0
    try:
        message = str(error)[:MAX_TEXT]
    except Exception:  # a learner's exception class may fail to print itself
        message = ""
    return {
        "error": type(error).__name__,
        "mro": tuple(kind.__name__ for kind in type(error).__mro__),
        "message": message,
        "line": line,
        "traceback": "".join(traceback.format_list(frames[-6:]))[:MAX_TEXT],
    }


def load(code: types.CodeType, source: str, name: str) -> Callable[..., Any]:
    """Run the answer in a module of its own and give the function or class called `name`."""
    module = types.ModuleType("answer")
    sys.modules["answer"] = module
    linecache.cache[ANSWER_FILE] = (len(source), None, source.splitlines(True), ANSWER_FILE)
    exec(code, module.__dict__)  # noqa: S102 - what this process is for
    found: Callable[..., Any] = getattr(module, name)
    return found


def answer_cases(connection: socket.socket) -> None:
    """In the child: take the answer, lock the door, then answer one case after another."""
    request = receive_message(connection)
    source, name = request["source"], request["name"]
    try:  # before the lock: at an error the compiler looks for the file, which would count as an attempt
        code = compile(source, ANSWER_FILE, "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        connection.sendall(codec.dumps({"status": "error", **describe(error)}))
        return
    printed = Printed()
    sys.stdout = sys.stderr = printed
    attempts = guard.lock_down(Limits(**request["limits"]), readable=(), writable=()).attempts
    try:
        target = load(code, source, name)
        reply: dict[str, Any] = {"status": "loaded"}
    except BaseException as error:
        reply = {"status": "error", **describe(error)}
    connection.sendall(codec.dumps({**reply, "attempts": list(attempts())[:5], "printed": printed.getvalue()}))
    while reply["status"] == "loaded":
        case = receive_message(connection)
        connection.sendall(READY)
        receive(connection, 1)
        answer = outcome(target, case)
        connection.sendall(DONE)
        receive(connection, 1)  # the sandbox has stopped its clock
        answer |= {"after": digest_of([case["args"], case["kwargs"], case["steps"]])}
        answer |= {"attempts": list(attempts())[:5], "printed": printed.getvalue()}
        try:
            message = codec.dumps(answer)
        except codec.NotEncodable as error:
            message = codec.dumps(answer | {"status": "error", "value": None, **describe(error)})
        connection.sendall(message)


def child(connection: socket.socket) -> NoReturn:
    """The life of a forked child; it never returns to the warm parent's code."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    try:
        answer_cases(connection)
    except (EOFError, OSError):
        pass  # the sandbox has what it wanted, or has lost patience
    finally:
        os._exit(0)


def end(pid: int) -> int:
    """Kill a child and all that it may have started; gives its wait status."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return 0


def serve(control: socket.socket) -> None:
    """The warm parent: fork at `spawn`, kill at `end`, leave when the sandbox does."""
    children: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 64, 1)
        if not message:
            break
        command, _, argument = message.decode().partition(" ")
        if command == "spawn":
            pid = os.fork()
            if pid == 0:
                control.close()
                child(socket.socket(fileno=descriptors[0]))
            os.close(descriptors[0])
            children.add(pid)
            control.sendall(f"{pid}\n".encode())
        elif command == "end" and int(argument) in children:
            children.discard(int(argument))
            control.sendall(f"{end(int(argument))}\n".encode())
    for pid in children:
        end(pid)


def main() -> None:
    """`python -m fraudkit.workbook.runner DESCRIPTOR MODULE...`"""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sandbox's to handle
    for module in sys.argv[2:]:
        importlib.import_module(module)
    with suppress(ConnectionError):  # the sandbox has left
        serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
