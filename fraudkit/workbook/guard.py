"""What a learner's process is left with before the learner's code runs: itself, its data, nothing else.

Three layers: resource limits; on Linux what the kernel enforces (`landlock`, `seccomp`); everywhere
the interpreter's audit hook (`audit`). Each is on where it can be, and the report says which are. The
verdict is never computed in this process, so even getting past all of them earns no points.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraudkit.workbook import audit, landlock, seccomp
from fraudkit.workbook.limits import Limits

PACKAGE = Path(__file__).resolve().parents[1]
CHECKS = PACKAGE / "workbook" / "checks"
DEVICES = tuple(Path(name) for name in ("/dev/null", "/dev/zero"))
# Shared libraries, time zones, fonts, and what libraries ask about the machine they run on.
SYSTEM = tuple(
    Path(name)
    for name in (
        "/usr", "/lib", "/lib32", "/lib64", "/libx32", "/System/Library", "/Library/Fonts", "/opt/homebrew",
        "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/fonts",
        "/dev/urandom", "/dev/random", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
        "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/random", "/sys/devices/system/cpu",
        "/sys/devices/system/node", "/sys/kernel/mm/transparent_hugepage",
    )
)  # fmt: skip
CPU_SECONDS_A_CALL = 40  # a process answers some dozens of calls; the caller's clock is the real limit
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE = 1, 38, 4
CAPABILITIES_VERSION = 0x20080522
CAP_DAC_OVERRIDE = 1 << 1  # root reads folders of other users by it; Landlock bounds it
CAPSET = {"x86_64": 126, "aarch64": 91}
SIGKILL = 9

__all__ = ["Limits", "Locked", "lock_down"]


@dataclass(frozen=True, slots=True)
class Locked:
    """What `lock_down` did.

    Attributes
    ----------
    on : the layers that hold
    off : layer -> why it does not
    attempts : lists what was refused so far, each "refused by the grader: ..."
    """

    on: tuple[str, ...]
    off: dict[str, str]
    attempts: Callable[[], list[str]]


def lock_down(
    limits: Limits,
    *,
    readable: Sequence[Path] = (),
    writable: Sequence[Path] = (),
    inet: bool = False,
    processes: bool = False,
    threads: bool = False,
    notify: Callable[[str], None] | None = None,
) -> Locked:
    """Shut this process in, for the rest of its life. Call it before the learner's code, imports done.

    Parameters
    ----------
    limits : address space beyond what is in use now, size of a written file, open files, processor time
    readable : folders and files that may be read beside the interpreter, its packages and the system's libraries
    writable : folders that may be read and written
    inet : leave network sockets allowed
    processes : leave new processes allowed
    threads : leave new threads allowed
    notify : called with each refusal of the audit hook as it happens
    """
    allowed, hidden = grounds()
    allowed += [Path(path) for path in readable]
    writable = [Path(path) for path in writable]
    sys.dont_write_bytecode = True
    if not threads:  # libraries that are loaded later must not try to start theirs
        os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    on: list[str] = []
    off: dict[str, str] = {}

    def layer(name: str, action: Callable[[], str]) -> None:
        try:
            on.append(action())
        except (OSError, ValueError, AttributeError) as error:
            off[name] = str(error)

    layer("resource limits", lambda: _limit(limits, processes, threads))
    if sys.platform == "linux":
        whole, listed = _rules(allowed, hidden)
        layer("no new privileges", _give_up_privileges)
        layer("Landlock", lambda: landlock.restrict(whole, listed, writable, DEVICES, tcp=inet))
        layer("seccomp", lambda: seccomp.install(inet=inet, processes=processes, threads=threads))
    attempts = audit.install(
        readable=allowed,
        hidden=hidden,
        writable=writable,
        devices=DEVICES,
        libraries=installed(),
        inet=inet,
        processes=processes,
        notify=notify,
    )
    on.append("audit hook")
    tempfile.tempdir = str(writable[0]) if writable else "/tmp"  # noqa: S108 - else it tries folder after folder
    # Folders that would be refused must not be searched by every import.
    may_read = audit.inside([*allowed, *writable], hidden)
    for name in [name for name in sys.modules if f"{name}.".startswith(f"{audit.LOCKED_MODULE}.")]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if may_read(os.path.realpath(entry))]
    return Locked(tuple(on), off, attempts)


def installed() -> list[Path]:
    """The standard library and the installed packages."""
    paths = sysconfig.get_paths()
    names = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return [Path(name).resolve() for name in sorted(names)]


def grounds() -> tuple[list[Path], list[Path]]:
    """What may be read, and what inside of that may not; of two that hold a path, the nearer one decides."""
    hidden = [CHECKS]
    if PACKAGE.parent not in installed():  # a checkout: solutions, tests and other people's work lie beside the package
        hidden.append(PACKAGE.parent)
    prefixes = [Path(name).resolve() for name in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    allowed = [path for path in [*SYSTEM, *prefixes, *installed(), PACKAGE] if path not in hidden]
    return [path for path in allowed if path.exists()], hidden


def _rules(allowed: Iterable[Path], hidden: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """The allowed paths as rules that can only add: folders to be read whole, and folders to be listed."""
    inner = sorted({Path(path).resolve() for path in hidden})
    whole: list[Path] = []
    listed: list[Path] = []

    def walk(path: Path) -> None:
        if path in inner:
            return
        if not any(below.is_relative_to(path) for below in inner):
            whole.append(path)
            return
        listed.append(path)
        for child in _children(path):
            walk(child)

    for path in sorted({Path(path).resolve() for path in allowed}):
        if path not in inner:
            walk(path)
    return whole, listed


def _children(folder: Path) -> Iterator[Path]:
    """What lies in a folder; a link is left out, since a rule would follow it."""
    try:
        yield from (child for child in sorted(folder.iterdir()) if not child.is_symlink())
    except OSError:
        return


def _limit(limits: Limits, processes: bool, threads: bool) -> str:
    """Resource limits, soft and hard; the address space counts from what is in use now."""
    megabyte = 2**20
    wanted = {
        "RLIMIT_AS": _address_space() + limits.memory_mb * megabyte,
        "RLIMIT_FSIZE": limits.file_mb * megabyte,
        "RLIMIT_NOFILE": limits.files,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": int(limits.seconds * CPU_SECONDS_A_CALL) + 1,
        "RLIMIT_MSGQUEUE": 0,
    }
    if not processes and (sys.platform == "darwin" or not threads):  # Linux counts threads as processes
        wanted["RLIMIT_NPROC"] = 0
    missing = []
    for name, value in wanted.items():
        try:
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (bound, bound))
        except (AttributeError, OSError, ValueError):
            missing.append(name)
    return "resource limits" + (f" without {', '.join(missing)}" if missing else "")


def _address_space() -> int:
    """Bytes of address space in use, 0 where it cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 0
    return pages * resource.getpagesize()


def _give_up_privileges() -> str:
    """No privilege can be gained; root's are dropped; this process dies with the one that started it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs is refused")
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    number = CAPSET.get(os.uname().machine)
    if os.geteuid() == 0 and number is not None:
        head = struct.pack("=Ii", CAPABILITIES_VERSION, 0)
        low = struct.pack("=III", CAP_DAC_OVERRIDE, CAP_DAC_OVERRIDE, 0)
        landlock.syscall(number, head, low + bytes(12))
    return "no new privileges"
