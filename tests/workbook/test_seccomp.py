"""The system-call filter, run instruction by instruction here, for processors that this machine is not."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from fraudkit.workbook import seccomp

PID = 4321
X86, ARM = "x86_64", "aarch64"
ALLOW = seccomp.ALLOW


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None, **options: bool) -> int:
    """What the kernel would do with one system call: run the packet-filter program over its data."""
    wanted = {"inet": False, "processes": False, "threads": False} | options
    code = seccomp.program(machine, PID, **wanted)
    steps = list(struct.iter_unpack("=HBBI", code))
    padded = [*arguments, *[0] * (6 - len(arguments))]
    audit = seccomp.MACHINES[machine][1] if audit is None else audit
    data = struct.pack("=IIQ6Q", number, audit, 0, *padded)
    at = value = 0
    while True:
        operation, yes, no, operand = steps[at]
        at += 1
        if operation == seccomp.LOAD:
            value = struct.unpack_from("=I", data, operand)[0]
        elif operation == seccomp.AND:
            value &= operand
        elif operation == seccomp.EQUAL:
            at += yes if value == operand else no
        elif operation == seccomp.AT_LEAST:
            at += yes if value >= operand else no
        else:
            assert operation == seccomp.RETURN
            return int(operand)


def refused(error: int) -> int:
    return seccomp.ERRNO | error


def number(machine: str, name: str) -> int:
    found = seccomp.NUMBERS[name][seccomp.MACHINES[machine][0]]
    assert found is not None
    return found


@pytest.mark.parametrize("machine", [X86, ARM])
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("ptrace", (), refused(errno.EPERM)),
        ("execve", (), refused(errno.EPERM)),
        ("process_vm_readv", (), refused(errno.EPERM)),
        ("io_uring_setup", (), refused(errno.ENOSYS)),
        ("clone3", (), refused(errno.ENOSYS)),
        ("clone", (17,), refused(errno.EPERM)),
        ("clone", (0x003D0F00,), refused(errno.EAGAIN)),
        ("socket", (socket.AF_INET, 1), refused(errno.EPERM)),
        ("socket", (socket.AF_INET6, 2), refused(errno.EPERM)),
        ("socket", (16, 3), refused(errno.EPERM)),
        ("socket", (socket.AF_UNIX, 2), refused(errno.EPERM)),
        ("socket", (socket.AF_UNIX, 1 | 0o2000000), ALLOW),
        ("connect", (), refused(errno.EPERM)),
        ("kill", (1, 9), refused(errno.EPERM)),
        ("kill", (0xFFFFFFFF, 9), refused(errno.EPERM)),
        ("kill", (PID, 9), ALLOW),
        ("tgkill", (PID, 77, 6), ALLOW),
        ("prlimit64", (0,), ALLOW),
        ("prlimit64", (PID,), ALLOW),
        ("prlimit64", (1,), refused(errno.EPERM)),
        ("prctl", (1,), refused(errno.EPERM)),
        ("prctl", (15,), ALLOW),
        ("ioctl", (0, seccomp.TIOCSTI), refused(errno.EPERM)),
        ("ioctl", (0, 0x5401), ALLOW),
        ("utimensat", (), refused(0)),
    ],
)
def test_one_call(machine: str, name: str, arguments: tuple[int, ...], expected: int):
    assert verdict(machine, number(machine, name), *arguments) == expected


@pytest.mark.parametrize(("machine", "calls"), [(X86, (0, 1, 9, 257, 202, 231)), (ARM, (63, 64, 222, 56, 98, 94))])
def test_reading_writing_memory_and_leaving_go_on(machine: str, calls: tuple[int, ...]):
    assert {verdict(machine, call) for call in calls} == {ALLOW}


@pytest.mark.parametrize("machine", [X86, ARM])
def test_what_is_left_open_is_open(machine: str):
    thread, process = (0x003D0F00,), (17,)
    clone = number(machine, "clone")
    assert verdict(machine, clone, *thread, threads=True) == ALLOW
    assert verdict(machine, clone, *process, threads=True) == refused(errno.EPERM)
    assert verdict(machine, clone, *process, processes=True) == ALLOW
    assert verdict(machine, number(machine, "execve"), processes=True) == ALLOW
    assert verdict(machine, number(machine, "socket"), socket.AF_INET, 1, inet=True) == ALLOW
    assert verdict(machine, number(machine, "connect"), inet=True) == ALLOW


def test_other_doors_to_the_same_calls_are_shut():
    assert verdict(X86, 59, audit=0x40000003) == seccomp.KILL  # 32-bit programs have numbers of their own
    assert verdict(X86, seccomp.X32 + 59) == refused(errno.ENOSYS)
    assert verdict(ARM, 221, audit=seccomp.MACHINES[X86][1]) == seccomp.KILL


def test_an_unknown_processor_gets_no_filter():
    with pytest.raises(OSError, match="riscv64"):
        seccomp.program("riscv64", PID, inet=False, processes=False, threads=False)


def test_every_refused_call_has_its_numbers():
    named = seccomp.REFUSED | seccomp.IDLE | seccomp.ABSENT | seccomp.PROCESSES
    assert named <= set(seccomp.NUMBERS)
    for column in (0, 1):
        numbers = [pair[column] for pair in seccomp.NUMBERS.values() if pair[column] is not None]
        assert len(numbers) == len(set(numbers))
