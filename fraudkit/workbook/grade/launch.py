"""Starting a graded kernel: in a folder of its own, spoken to over sockets in the file system.

On Linux the kernel is forked from a process that has loaded what kernels need already, which saves
most of a second a notebook; elsewhere a new interpreter is started. Either way it is a process and a
session of its own, and it shuts itself in before a cell runs.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import zmq.asyncio
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import LocalProvisioner

from fraudkit.workbook.grade.notebook import KERNEL_NAME

MAX_MESSAGE_BYTES = 32 * 2**20  # a larger one is not even received
KERNEL_MODULE = "fraudkit.workbook.grade.kernel"
FORKS = sys.platform == "linux"  # on macOS system libraries do not survive a fork
LOADED = (
    KERNEL_MODULE, "ipykernel.kernelapp", "ipykernel.debugger", "ipykernel.ipkernel", "ipykernel.zmqshell",
    "IPython.core.completer", "IPython.core.magics", "numpy", "numpy.random", "fraudkit.workbook.check",
)  # fmt: skip


def load_kernel_modules() -> None:
    """Import what every graded kernel needs, once, before the first fork. What is not there is left to the kernel."""
    for name in LOADED if FORKS else ():
        with suppress(ImportError):
            import_module(name)


def kernel_environment(room: Path) -> dict[str, str]:
    """What a graded kernel sees of the environment: a home of its own, one thread, nothing of the instructor's."""
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    own = ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME", "JUPYTER_RUNTIME_DIR", "FRAUDKIT_HOME")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        **dict.fromkeys(threads, "1"),
        **dict.fromkeys(own, str(room)),
    }


class ForkedKernel:
    """A forked process with the few methods of Popen that a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, None while it lives."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        """The exit status, once it has ended."""
        if self.returncode is None:
            with suppress(ChildProcessError):
                self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        """Signal it, if it still lives."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class ForkingProvisioner(LocalProvisioner):
    """Starts a kernel by forking this process."""

    async def launch_kernel(self, cmd: Sequence[str], **kwargs: Any) -> Any:
        """Fork, and be a kernel in the child."""
        arguments = list(cmd[cmd.index(KERNEL_MODULE) + 1 :])
        pid = os.fork()
        if pid == 0:
            _be_a_kernel(arguments, kwargs["cwd"], kwargs["env"])
        self.process = ForkedKernel(pid)  # type: ignore[assignment]
        self.pid = self.pgid = pid  # the child makes a session of its own, so its group has its number
        return self.connection_info


def _be_a_kernel(arguments: list[str], folder: str, environment: Mapping[str, str]) -> NoReturn:
    """In the forked child: leave everything of the parent's behind, then be a kernel until told to stop."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(-1)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 4096 else 4096)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        asyncio._set_running_loop(None)
        asyncio.set_event_loop_policy(None)
        zmq.Context._instance = None
        import_module(KERNEL_MODULE).main(arguments)
    finally:
        os._exit(0)


class GradedKernelManager(AsyncKernelManager):
    """Manages one graded kernel below `folder`: it may write in `room`, its sockets lie in `run`."""

    def __init__(self, folder: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = Path(folder)
        self.transport = "ipc"
        self.connection_file = str(self.folder / "run" / "k.json")
        self.context = zmq.asyncio.Context()
        self.context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)

    @property
    def kernel_spec(self) -> KernelSpec:
        """The graded kernel, without a file that would have to be installed."""
        command = [sys.executable, "-P", "-m", KERNEL_MODULE, "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3 (graded)", language="python", name=KERNEL_NAME)

    async def _async_start_kernel(self, **kwargs: Any) -> None:
        kwargs["cwd"] = str(self.folder / "room")
        kwargs["env"] = kernel_environment(self.folder / "room")
        if FORKS:
            self.kernel_id = self.kernel_id or "graded"
            self.provisioner = ForkingProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        await super()._async_start_kernel(**kwargs)

    start_kernel = _async_start_kernel
