"""The kernel in which a grader runs notebooks: ipykernel behind the guard.

`python -m fraudkit.workbook.grade.kernel -f CONNECTION`, with unix sockets (transport ipc) beside the
connection file. May write in the current folder and in the connection file's. Bounds come from the
environment variable FRAUDKIT_KERNEL_LIMITS, the fields of `Limits` as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook import guard
from fraudkit.workbook.limits import Limits

LIMITS = "FRAUDKIT_KERNEL_LIMITS"
GRADING = "FRAUDKIT_GRADING"
M_ARENA_MAX = -8
OPTIONS = ("--HistoryManager.enabled=False", "--IPKernelApp.log_level=40")


def limits_from(text: str) -> Limits:
    """The bounds that the environment gives; the usual ones when it gives none.

    Raises
    ------
    InvalidInput
        The text is not a JSON object of the fields of `Limits`.
    """
    try:
        return Limits(**json.loads(text or "{}"))
    except (ValueError, TypeError) as error:
        raise InvalidInput(f'{LIMITS}={text!r} is not like {{"memory_mb": 2048}}: {error}') from error


def connection_file(arguments: Sequence[str]) -> Path:
    """The connection file that the command line names.

    Raises
    ------
    InvalidInput
        It names none.
    """
    for option, value in pairwise(arguments):
        if option == "-f":
            return Path(value)
    raise InvalidInput("no connection file; start the kernel with -f CONNECTION")


def without_network() -> Any:
    """ipykernel's application without the two sockets that would reach out: the one that takes the
    output of forked processes (TCP), and the debugger's, which connects to the kernel itself."""
    from ipykernel import iostream, kernelapp

    class Output(iostream.IOPubThread):
        """Takes output of this process only."""

        def _setup_pipe_in(self) -> None:
            self._pipe_flag = False

    class Endpoint:
        """A socket that is bound nowhere."""

        def getsockopt(self, option: int) -> bytes:
            """No address."""
            return b""

    class Application(kernelapp.IPKernelApp):
        """A kernel whose debugger stays unconnected."""

        def init_control(self, context: Any) -> None:
            """Open the control channel."""
            shell, self.shell_socket = self.shell_socket, Endpoint()
            super().init_control(context)
            self.shell_socket = shell

    kernelapp.__dict__["IOPubThread"] = Output
    return Application


def main(arguments: Sequence[str]) -> None:
    """Lock this process in and be a kernel until told to stop."""
    limits = limits_from(os.environ.get(LIMITS, ""))
    connection = connection_file(arguments)
    os.environ[GRADING] = "1"
    if sys.platform == "linux":  # else every thread reserves 64 MB of the address space
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)
    app = without_network()
    guard.lock_down(limits, writable=[Path.cwd(), connection.parent.resolve()], threads=True)
    app.launch_instance(argv=[*arguments, *OPTIONS])


if __name__ == "__main__":
    main(sys.argv[1:])
