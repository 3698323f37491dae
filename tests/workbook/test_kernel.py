"""The graded kernel, started by its own command: it works, and it is shut in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpec

import fraudkit
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.grade import kernel

ROOT = Path(fraudkit.__file__).resolve().parents[1]
OWN = ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR", "FRAUDKIT_HOME")


class Manager(KernelManager):
    """Starts the graded kernel without an installed kernel specification."""

    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-P", "-m", "fraudkit.workbook.grade.kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="graded", language="python", name="graded")


@pytest.fixture(scope="module")
def client() -> Iterator[BlockingKernelClient]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="fk-", dir="/tmp") as name:  # a socket's path has to be short
        folder = Path(name)
        for part in ("room", "run"):
            (folder / part).mkdir()
        manager = Manager(transport="ipc", connection_file=str(folder / "run" / "k.json"))
        room = str(folder / "room")
        limits = {kernel.LIMITS: '{"memory_mb": 1500, "seconds": 5}'}
        environment = {"PATH": os.environ["PATH"], "OPENBLAS_NUM_THREADS": "1"} | dict.fromkeys(OWN, room) | limits
        manager.start_kernel(cwd=room, env=environment)
        connected = manager.client()
        connected.start_channels()
        try:
            connected.wait_for_ready(timeout=60)
            yield connected
        finally:
            connected.stop_channels()
            manager.shutdown_kernel(now=True)
            manager.context.destroy(linger=0)


def run(client: BlockingKernelClient, code: str) -> dict[str, Any]:
    """What a cell printed and returned, and the error it ended with."""
    got: dict[str, Any] = {"text": "", "error": ""}

    def take(message: dict[str, Any]) -> None:
        content = message["content"]
        if message["msg_type"] == "stream":
            got["text"] += content["text"]
        elif message["msg_type"] == "error":
            got["error"] = f"{content['ename']}: {content['evalue']}"
        elif message["msg_type"] in ("execute_result", "display_data"):
            got["text"] += content["data"].get("text/plain", "")

    client.execute_interactive(code, timeout=60, output_hook=take, allow_stdin=False)
    return got


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("import numpy as np; int(np.arange(4).sum())", "6"),
        ("import os; open('mine.txt', 'w').write('abc'); open('mine.txt').read()", "'abc'"),
        ("import threading; t = threading.Thread(target=print, args=(5,)); t.start(); t.join()", "5\n"),
        ("%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()", "<Figure"),
        ("from fraudkit.workbook import check, hint; check('roc_auc')", "roc_auc"),
    ],
)
def test_ordinary_cells_run(client: BlockingKernelClient, code: str, text: str):
    got = run(client, code)
    assert got["error"] == ""
    assert text in got["text"]


def test_check_prints_one_neutral_line(client: BlockingKernelClient):
    got = run(client, "from fraudkit.workbook import check, hint, plug, solution\nhint('roc_auc')")
    assert len(got["text"].strip().splitlines()) == 1 and not got["error"]


@pytest.mark.parametrize(
    "code",
    [
        f"open({str(ROOT / 'solutions' / '01_metrics.ipynb')!r}).read()",
        "import fraudkit.workbook.checks.roc_auc",
        "import socket; socket.create_server(('127.0.0.1', 0))",
        "import subprocess; subprocess.run(['/bin/true'])",
        "import os; os.fork()",
        "import os; os.kill(os.getppid(), 9)",
        "open('../escaped.txt', 'w')",
    ],
)
def test_what_is_no_business_of_a_cell_is_refused(client: BlockingKernelClient, code: str):
    assert run(client, code)["error"].startswith("PermissionError: refused by the grader: ")


def test_the_environment_sets_the_limits(client: BlockingKernelClient):
    assert run(client, "x = bytearray(2 * 10**9)")["error"].startswith("MemoryError")
    assert run(client, "x = bytearray(10**8); len(x)")["text"] == "100000000"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_network_socket_is_open(client: BlockingKernelClient):
    code = (
        "import os\n"
        "links = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd') "
        "if os.path.lexists(f'/proc/self/fd/{n}')]\n"
        "mine = {link[8:-1] for link in links if link.startswith('socket:')}\n"
        "lines = open('/proc/self/net/tcp').read().splitlines()[1:]\n"
        "print(len(mine) > 0, [line for line in lines if line.split()[9] in mine])"
    )
    assert run(client, code)["text"].strip() == "True []"


def test_limits_that_cannot_be_read_are_told():
    assert kernel.limits_from("").memory_mb == 2048
    assert kernel.limits_from('{"memory_mb": 64}').memory_mb == 64
    for text in ("{", '{"memory": 1}', "[1]"):
        with pytest.raises(InvalidInput, match="memory_mb"):
            kernel.limits_from(text)


def test_a_kernel_without_a_connection_is_told():
    assert kernel.connection_file(["-f", "a/b.json"]) == Path("a/b.json")
    with pytest.raises(InvalidInput, match="-f CONNECTION"):
        kernel.connection_file([])
