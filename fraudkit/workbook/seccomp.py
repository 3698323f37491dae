"""Linux's seccomp filter, built and installed through ctypes: which system calls a process may still make.

A filter is a program of the kernel's classic packet filter. Needs no privilege and cannot be taken back.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from dataclasses import dataclass

from fraudkit.workbook.landlock import syscall

LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, MACHINE, ARGUMENTS = 0, 4, 16  # offsets in the kernel's seccomp_data
SET_FILTER, ALL_THREADS = 1, 1
X32 = 0x40000000
CLONE_THREAD = 0x00010000
PR_SET_PDEATHSIG = 1
TIOCSTI, TIOCLINUX = 0x5412, 0x541C

# name: (x86_64, aarch64); None where the processor has no such call.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89), "add_key": (248, 217), "bpf": (321, 280), "chmod": (90, None), "chown": (92, None),
    "chroot": (161, 51), "clone": (56, 220), "clone3": (435, 435), "connect": (42, 203), "execve": (59, 221),
    "execveat": (322, 281), "fanotify_init": (300, 262), "fchmod": (91, 52), "fchmodat": (268, 53),
    "fchmodat2": (452, 452), "fchown": (93, 55), "fchownat": (260, 54), "fork": (57, None),
    "fremovexattr": (199, 16), "fsetxattr": (190, 7), "fsmount": (432, 432), "fsopen": (430, 430),
    "futimesat": (261, None), "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioprio_set": (251, 30),
    "kcmp": (312, 272), "keyctl": (250, 219), "kill": (62, 129), "lchown": (94, None), "lremovexattr": (198, 15),
    "lsetxattr": (189, 6), "memfd_create": (319, 279), "memfd_secret": (447, 447), "migrate_pages": (256, 238),
    "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429), "move_pages": (279, 239),
    "mq_open": (240, 180), "msgget": (68, 186), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "perf_event_open": (298, 241), "personality": (135, 92), "pidfd_getfd": (438, 438), "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424), "pivot_root": (155, 41), "prctl": (157, 167), "prlimit64": (302, 261),
    "process_madvise": (440, 440), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "removexattr": (197, 14), "request_key": (249, 218), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "sched_setaffinity": (203, 122), "sched_setattr": (314, 274),
    "sched_setparam": (142, 118), "sched_setscheduler": (144, 119), "seccomp": (317, 277), "semget": (64, 190),
    "setns": (308, 268), "setpriority": (141, 140), "setxattr": (188, 5), "setxattrat": (463, 463),
    "removexattrat": (466, 466), "shmat": (30, 196), "shmget": (29, 194), "socket": (41, 198), "swapon": (167, 224),
    "tgkill": (234, 131), "tkill": (200, 130), "umount2": (166, 39), "unshare": (272, 97),
    "userfaultfd": (323, 282), "utime": (132, None), "utimensat": (280, 88), "utimes": (235, None),
    "vfork": (58, None),
}  # fmt: skip

# What no answer needs: other processes, other people's files (Landlock leaves owners and attributes
# open), memory that no limit counts, and doors past this filter.
REFUSED = {
    "acct", "add_key", "bpf", "chown", "chroot", "fanotify_init", "fchown", "fchownat", "fremovexattr", "fsetxattr",
    "fsmount", "fsopen", "ioprio_set", "kcmp", "keyctl", "lchown", "lremovexattr", "lsetxattr", "migrate_pages",
    "mount", "mount_setattr", "move_mount", "move_pages", "mq_open", "msgget", "open_by_handle_at", "open_tree",
    "perf_event_open", "personality", "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "pivot_root",
    "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "removexattr", "removexattrat",
    "request_key", "semget", "setns", "setxattr", "setxattrat", "shmat", "shmget", "swapon", "tkill", "umount2",
    "unshare", "userfaultfd",
}  # fmt: skip
ABSENT = {"io_uring_setup", "memfd_create", "memfd_secret"}  # callers take another way when told it is not there
# Landlock leaves these open as well. They are answered as done and are not: copying a file ends in the
# first, and ZeroMQ's threads begin with the others.
IDLE = {
    "chmod", "fchmod", "fchmodat", "fchmodat2", "futimesat", "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "setpriority", "utime", "utimensat", "utimes",
}  # fmt: skip
PROCESSES = {"execve", "execveat", "fork", "vfork"}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7), "arm64": (1, 0xC00000B7)}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step of a filter: operation, how far to jump when true or false, operand."""

    code: int
    yes: int
    no: int
    operand: int

    def packed(self) -> bytes:
        """As the kernel reads it."""
        return struct.pack("=HBBI", self.code, self.yes, self.no, self.operand)


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    """`body` for the system call of this number; what falls out of `body` is allowed."""
    body = [*body, Instruction(RETURN, 0, 0, ALLOW)]
    return [Instruction(EQUAL, 0, len(body), number), *body]


def _refuse(error: int) -> Instruction:
    return Instruction(RETURN, 0, 0, ERRNO | error)


def _argument(position: int) -> Instruction:
    """Load the low half of an argument (both processors are little-endian)."""
    return Instruction(LOAD, 0, 0, ARGUMENTS + 8 * position)


def _only(position: int, *values: int, mask: int = 0) -> list[Instruction]:
    """Refuse unless an argument has one of the values."""
    steps = [_argument(position)]
    if mask:
        steps.append(Instruction(AND, 0, 0, mask))
    steps += [Instruction(EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [*steps, _refuse(errno.EPERM)]


def _never(position: int, *values: int) -> list[Instruction]:
    """Refuse when an argument has one of the values."""
    steps = [_argument(position)]
    for value in values:
        steps += [Instruction(EQUAL, 0, 1, value), _refuse(errno.EPERM)]
    return steps


def program(machine: str, pid: int, *, inet: bool, processes: bool, threads: bool) -> bytes:
    """The filter for a processor.

    Parameters
    ----------
    machine : as `platform.machine()` names it
    pid : the process that may be signalled: itself
    inet, processes, threads : what stays allowed

    Raises
    ------
    OSError
        The processor's system calls are not known here.
    """
    if machine not in MACHINES:
        raise OSError(f"no system-call numbers for {machine}")
    column, audit = MACHINES[machine]
    bodies: dict[str, list[Instruction]] = {name: [_refuse(errno.EPERM)] for name in REFUSED}
    bodies |= {name: [_refuse(errno.ENOSYS)] for name in ABSENT} | {name: [_refuse(0)] for name in IDLE}
    for name in ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        bodies[name] = _only(0, pid)
    bodies["prlimit64"] = _only(0, 0, pid)
    bodies["prctl"] = _never(0, PR_SET_PDEATHSIG)
    bodies["ioctl"] = _never(1, TIOCSTI, TIOCLINUX)
    if not inet:  # unix streams may be made and answered, never connected: a path leads to any daemon
        bodies["socket"] = [*_only(0, socket.AF_UNIX), *_only(1, socket.SOCK_STREAM, mask=0xF)]
        bodies["connect"] = [_refuse(errno.EPERM)]
    if not processes:
        bodies |= {name: [_refuse(errno.EPERM)] for name in PROCESSES}
        bodies["clone3"] = [_refuse(errno.ENOSYS)]  # its flags lie in memory; libc falls back to clone
        bodies["clone"] = [
            _argument(0),
            Instruction(AND, 0, 0, CLONE_THREAD),
            Instruction(EQUAL, 1, 0, CLONE_THREAD),
            _refuse(errno.EPERM),
            *([] if threads else [_refuse(errno.EAGAIN)]),
        ]
    steps = [
        Instruction(LOAD, 0, 0, MACHINE),
        Instruction(EQUAL, 1, 0, audit),
        Instruction(RETURN, 0, 0, KILL),
        Instruction(LOAD, 0, 0, NUMBER),
    ]
    if column == 0:  # the x32 doors of the same calls
        steps += [Instruction(AT_LEAST, 0, 1, X32), _refuse(errno.ENOSYS)]
    for name, body in sorted(bodies.items()):
        number = NUMBERS[name][column]
        if number is not None:
            steps += _when(number, body)
    steps.append(Instruction(RETURN, 0, 0, ALLOW))
    return b"".join(step.packed() for step in steps)


def install(*, inet: bool, processes: bool, threads: bool) -> str:
    """Filter this process, all threads, for the rest of its life. Wants no_new_privs to be set.

    Raises
    ------
    OSError
        The kernel or the processor does not take it.
    """
    machine = platform.machine()
    code = program(machine, os.getpid(), inet=inet, processes=processes, threads=threads)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    number = NUMBERS["seccomp"][MACHINES[machine][0]]
    if number is None or syscall(number, ctypes.c_uint(SET_FILTER), ctypes.c_uint(ALL_THREADS), head) != 0:
        raise OSError("a thread could not be filtered")
    return "seccomp"
