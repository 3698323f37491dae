"""Linux's Landlock, asked for through ctypes: which files a process may still reach, for the rest of its life.

Needs no privilege and cannot be taken back. Knows paths and rights, not why they are given.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every processor
VERSION_FLAG = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK, REFER, TRUNCATE, IOCTL_DEV = 1 << 6, 1 << 11, 1 << 13, 1 << 14, 1 << 15
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
RIGHTS_BY_VERSION = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL_DEV}
TCP = 0b11  # bind and connect
SCOPES = 0b11  # abstract unix sockets and signals

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object) -> int:
    """A system call by number; -1 becomes an OSError."""
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def version() -> int:
    """Landlock's version in this kernel, 0 where there is none."""
    try:
        return syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(VERSION_FLAG))
    except OSError:
        return 0


def restrict(
    readable: Iterable[Path], listable: Iterable[Path], writable: Iterable[Path], devices: Sequence[Path], *, tcp: bool
) -> str:
    """Leave this thread, and those it starts, with the named paths only. Wants no_new_privs to be set.

    Parameters
    ----------
    readable : files and folders that may be read, with all below them
    listable : folders whose names may be listed, and those of the folders below them
    writable : folders in which everything but running programs is allowed
    devices : files that may be read and written
    tcp : whether TCP stays allowed

    Returns
    -------
    str
        What is on, for a report.

    Raises
    ------
    OSError
        The kernel has no Landlock or refuses it.
    """
    known = version()
    if not known:
        raise OSError("this kernel has no Landlock")
    handled = sum(rights for since, rights in RIGHTS_BY_VERSION.items() if known >= since)
    network = 0 if tcp or known < 4 else TCP
    scopes = 0 if known < 6 else SCOPES
    attributes = struct.pack("=QQQ", handled, network, scopes)[: 24 if known >= 6 else 16 if known >= 4 else 8]
    ruleset = syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    try:
        for paths, rights in (
            (readable, READ_FILE | READ_DIR),
            (listable, READ_DIR),
            (devices, READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV),
            (writable, ~(EXECUTE | MAKE_CHAR | MAKE_BLOCK)),
        ):
            for path in paths:
                _add(ruleset, path, handled & rights)
        syscall(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)
    return f"Landlock {known}"


def _add(ruleset: int, path: Path, rights: int) -> None:
    """One rule; a path that is not there needs none."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return
    try:
        if not path.is_dir():
            rights &= FILE_RIGHTS
        rule = struct.pack("=Qi", rights, descriptor)
        syscall(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint(0))
    finally:
        os.close(descriptor)
