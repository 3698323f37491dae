"""The interpreter's own door-keeper: a hook that refuses what a learner's code has no business doing.

It stands on every system, in front of whatever the kernel enforces, and knows why it refuses, so that
a person can be told. Code that means harm can get round it from inside; the kernel's layers and the
judge in another process are there for that. Everything the hook uses is bound when it is made, so that
patched modules or builtins do not change it.
"""

from __future__ import annotations

import _thread
import builtins
import os
import posix
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

REFUSED = "refused by the grader: "
MAX_ATTEMPTS = 50
MAX_THREADS = 64
LOCKED_MODULE = "fraudkit.workbook.checks"
HARMLESS = frozenset({"PyCapsule_New", "PyCapsule_GetName", "PyCapsule_GetPointer", "PyCapsule_IsValid"})
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

READS = ("os.listdir", "os.scandir", "os.chdir", "os.getxattr", "os.listxattr")
WRITES = (
    "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.chflags", "os.utime",
    "os.setxattr", "os.removexattr",
)  # fmt: skip
WRITES_TWO = ("os.rename", "os.link")
NEVER = {
    "sys.addaudithook": "another audit hook",
    "gc.get_objects": "a look at every object of the process",
    "gc.get_referrers": "a look at other code's objects",
    "resource.prlimit": "a change of limits",
    "ctypes.cdata": "memory by its address",
    "ctypes.PyObj_FromPtr": "memory by its address",
}
PROCESSES = (
    "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn",
)  # fmt: skip
NETWORK = (
    "socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo",
    "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo", "socket.sethostname",
)  # fmt: skip

Handler = Callable[[tuple[Any, ...]], None]


def resolver() -> Callable[[Any], str]:
    """A function that follows every link of a path; uses nothing that can be patched later.

    Relative paths count from the current folder. The function raises ValueError for what is no path.
    """
    readlink, getcwd = posix.readlink, posix.getcwd
    exact, decode, kind, text, raw = str.__str__, bytes.decode, type, str, bytes
    subclass, no_path, missing, depth = issubclass, ValueError, OSError, 64

    def resolve(path: Any) -> str:
        if subclass(kind(path), raw):
            path = decode(path, "utf-8", "surrogateescape")
        elif not subclass(kind(path), text):
            raise no_path("neither text nor bytes")
        path = exact(path)  # a subclass may split as it pleases
        todo = path.split("/")
        done: list[str] = [] if path[:1] == "/" else getcwd().split("/")[1:]
        todo.reverse()
        links = 0
        while todo:
            part = todo.pop()
            if part == "" or part == ".":
                continue
            if part == "..":
                if done:
                    done.pop()
                continue
            here = "/" + "/".join((*done, part))
            try:
                target = readlink(here)
            except missing:
                done.append(part)
                continue
            links += 1
            if links > depth:
                raise no_path("too many links")
            if target[:1] == "/":
                done.clear()
            steps = target.split("/")
            steps.reverse()
            todo.extend(steps)
        return "/" + "/".join(done)

    return resolve


def inside(allowed: Iterable[Path], hidden: Iterable[Path]) -> Callable[[str], bool]:
    """Whether a resolved path lies in an allowed folder and not, nearer to it, in a hidden one."""
    verdicts = {os.path.realpath(path): True for path in allowed}
    verdicts |= {os.path.realpath(path): False for path in hidden}
    get = verdicts.get
    whole = get("/", False)

    def permitted(path: str) -> bool:
        while path:
            found = get(path)
            if found is not None:
                return found
            path = path.rpartition("/")[0]
        return whole

    return permitted


def install(
    *,
    readable: Iterable[Path],
    hidden: Iterable[Path],
    writable: Iterable[Path],
    devices: Iterable[Path],
    libraries: Iterable[Path],
    inet: bool,
    processes: bool,
    notify: Callable[[str], None] | None,
) -> Callable[[], list[str]]:
    """Add the hook; gives the function that lists what was refused so far.

    Parameters
    ----------
    readable, hidden, writable : folders and files; the nearest to a path decides
    devices : files that may be written
    libraries : folders whose shared libraries may be loaded through ctypes
    inet, processes : whether network and new processes stay allowed
    notify : called with each refusal, before the exception is raised
    """
    writable, devices = tuple(writable), tuple(devices)
    may_read = inside((*readable, *writable, *devices), hidden)
    may_write = inside((*writable, *devices), ())
    may_load = inside(libraries, hidden)
    resolve, noted = resolver(), list[str]()
    # Bound here, because a learner's code can replace the builtins.
    kind, whole, text, subclass, failure = type, int, str, issubclass, BaseException
    length, refusal, pid, threads = len, PermissionError, os.getpid(), _thread._count
    attribute, unix, no_path, harmless = getattr, 1, ValueError, HARMLESS
    locked, locked_below = LOCKED_MODULE, LOCKED_MODULE + "."

    def refuse(what: str, note: bool = True) -> None:
        message = REFUSED + what
        if note and length(noted) < MAX_ATTEMPTS_HERE:
            noted.append(message)
        if note and notify is not None:
            try:  # noqa: SIM105 - no name of another module
                notify(message)
            except failure:  # whatever became of the listener, the answer is no
                pass
        raise refusal(message)

    def path_of(path: Any) -> str:
        try:
            return resolve(path)
        except no_path:
            refuse("a path that is neither text nor bytes")
            raise

    def shown(path: str) -> str:
        return path if length(path) <= 200 else path[:200] + "…"

    def read(path: Any) -> None:
        if path is None:
            path = "."
        if not subclass(kind(path), whole) and not may_read(found := path_of(path)):
            refuse("reading " + shown(found))

    def write(path: Any) -> None:
        if not subclass(kind(path), whole) and not may_write(found := path_of(path)):
            refuse("writing " + shown(found))

    def opened(args: tuple[Any, ...]) -> None:
        path, mode, flags = args[0], args[1], args[2]
        if subclass(kind(path), whole):
            return  # an open file
        writing = subclass(kind(flags), whole) and flags & WRITING
        if not writing and subclass(kind(mode), text):
            for sign in text.__str__(mode):
                if sign in "wax+":
                    writing = True
        if writing:
            write(path)
        else:
            read(path)

    def imported(args: tuple[Any, ...]) -> None:
        name = args[0]
        if subclass(kind(name), text):
            name = text.__str__(name)
            if name == locked or name[: length(locked_below)] == locked_below:
                refuse("the import of " + name)

    def socket_made(args: tuple[Any, ...]) -> None:
        if args[1] != unix:
            refuse("a network socket")

    def connected(args: tuple[Any, ...]) -> None:
        refuse("a network connection")

    def database(args: tuple[Any, ...]) -> None:
        name = args[0]
        if subclass(kind(name), text) and text.__str__(name) in (":memory:", ""):
            return
        write(name)

    def signalled(args: tuple[Any, ...]) -> None:
        if args[0] != pid:
            refuse("a signal to another process")

    def started(args: tuple[Any, ...]) -> None:
        if threads() >= MAX_THREADS_HERE:
            refuse("one thread more than " + text(MAX_THREADS_HERE))

    def loaded(args: tuple[Any, ...]) -> None:
        if args[0] is None or not may_load(path_of(args[0])):
            refuse("a system library by ctypes")

    def looked_up(args: tuple[Any, ...]) -> None:
        library = attribute(args[0], "_name", None)
        if subclass(kind(args[1]), text) and text.__str__(args[1]) in harmless:
            return  # boosted trees look these up when they are imported
        if library is None or not may_load(path_of(library)):
            refuse("a function of the system by ctypes", False)  # compilers for Python look theirs up: no attempt

    handlers: dict[str, Handler] = {
        "open": opened,
        "import": imported,
        "sqlite3.connect": database,
        "os.symlink": lambda args: write(args[1]),
        "os.killpg": lambda args: refuse("a signal to other processes"),
        "os.kill": signalled,
        "_thread.start_new_thread": started,
        "ctypes.dlopen": loaded,
        "ctypes.dlsym": looked_up,
        "ctypes.dlsym/handle": lambda args: refuse("a function of the system by ctypes", False),
    }
    handlers |= dict.fromkeys(READS, lambda args: read(args[0]))
    handlers |= dict.fromkeys(WRITES, lambda args: write(args[0]))

    def both(args: tuple[Any, ...]) -> None:
        write(args[0])
        write(args[1])

    handlers |= dict.fromkeys(WRITES_TWO, both)

    def refusing(what: str) -> Handler:
        return lambda args: refuse(what)

    handlers |= {event: refusing(what) for event, what in NEVER.items()}
    if not processes:
        handlers |= dict.fromkeys(PROCESSES, refusing("a new process"))
    if not inet:
        handlers |= dict.fromkeys(NETWORK, connected) | {"socket.__new__": socket_made}
    MAX_ATTEMPTS_HERE, MAX_THREADS_HERE, WRITING = MAX_ATTEMPTS, MAX_THREADS, WRITING_FLAGS
    find = handlers.get

    def hook(event: str, args: tuple[Any, ...]) -> None:
        handler = find(event)
        if handler is not None:
            handler(args)

    sys.addaudithook(hook)
    copy = builtins.list
    return lambda: copy(noted)
