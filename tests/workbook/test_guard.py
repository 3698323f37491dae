"""What a learner's process may still do once the guard stands: real processes, each layer also alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fraudkit
from fraudkit.workbook import guard, landlock

ROOT = Path(fraudkit.__file__).resolve().parents[1]
LAYERS_OF_LINUX = sys.platform == "linux" and landlock.version() > 0
kernel_only = pytest.mark.skipif(not LAYERS_OF_LINUX, reason="this kernel has no Landlock")

CHILD = """
import json, os, sys
import numpy as np
from pathlib import Path
from fraudkit.workbook import audit, guard, landlock, seccomp
ask = json.loads(sys.argv[1])
def off(*args, **kwargs):
    raise OSError("switched off for the test")
if ask["layers"] == "hook":
    landlock.restrict = seccomp.install = off
if ask["layers"] == "kernel":
    audit.install = lambda **kwargs: (lambda: [])
told = []
locked = guard.lock_down(guard.Limits(**ask["limits"]), readable=[Path(p) for p in ask["readable"]],
                         writable=[Path(p) for p in ask["writable"]], notify=told.append, **ask["options"])
outcomes = {}
for name, code in ask["attempts"].items():
    space = {"np": np, "os": os, "sys": sys, "Path": Path, **ask["names"]}
    try:
        exec(code, space)
        outcomes[name] = ["done", repr(space.get("result"))]
    except BaseException as error:
        outcomes[name] = [type(error).__name__.replace("_Array", ""), str(error)]
print(json.dumps({"outcomes": outcomes, "attempts": locked.attempts(), "told": told, "on": locked.on,
                  "off": locked.off}))
"""

REFUSED = {
    "reads the solutions": "open(f'{ROOT}/solutions/01_metrics.ipynb').read()",
    "reads the checks": "open(f'{ROOT}/fraudkit/workbook/checks/roc_auc.py').read()",
    "reads by os.open": "os.open(f'{ROOT}/fraudkit/workbook/checks/roc_auc.py', os.O_RDONLY)",
    "reads by np.fromfile": "np.fromfile(f'{ROOT}/solutions/01_metrics.ipynb', dtype='u1')",
    "reads by np.memmap": "np.memmap(f'{ROOT}/solutions/01_metrics.ipynb', mode='r')",
    "reads by mmap": "import mmap; mmap.mmap(os.open(f'{ROOT}/pyproject.toml', os.O_RDONLY), 0, prot=mmap.PROT_READ)",
    "reads by bytes": "open(os.fsencode(f'{ROOT}/solutions/01_metrics.ipynb'))",
    "reads by io.FileIO": "import io; io.FileIO(Path(ROOT, 'solutions', '01_metrics.ipynb')).read()",
    "reads by a way round": "open(f'{GIVEN}/../../../../../../../../{ROOT}/solutions/01_metrics.ipynb')",
    "reads by /proc/self/root": "open(f'/proc/self/root{ROOT}/solutions/01_metrics.ipynb')",
    "reads by a link": "os.symlink(f'{ROOT}/solutions', f'{OWN}/link'); open(f'{OWN}/link/01_metrics.ipynb')",
    "links the file": "os.link(f'{ROOT}/solutions/01_metrics.ipynb', f'{OWN}/hard')",
    "reads by text that lies": (
        "class Text(str):\n"
        "    split = lambda self, *a: ['', 'usr']\n"
        "    __str__ = lambda self: '/usr'\n"
        "open(Text(f'{ROOT}/solutions/01_metrics.ipynb'))"
    ),
    "reads by a path that lies": (
        "class Lie(os.PathLike):\n"
        "    seen = 0\n"
        "    def __fspath__(self):\n"
        "        self.seen += 1\n"
        "        return '/usr' if self.seen == 1 else f'{ROOT}/solutions/01_metrics.ipynb'\n"
        "import io; io.FileIO(Lie()).read(10)"
    ),
    "reads with builtins patched": (
        "import builtins, posixpath\n"
        "old = builtins.len, builtins.isinstance, builtins.issubclass, posixpath.realpath\n"
        "builtins.len = builtins.isinstance = builtins.issubclass = lambda *a: 0\n"
        "posixpath.realpath = lambda p, **k: '/usr'\n"
        "try:\n"
        "    open(f'{ROOT}/solutions/01_metrics.ipynb')\n"
        "finally:\n"
        "    builtins.len, builtins.isinstance, builtins.issubclass, posixpath.realpath = old\n"
    ),
    "lists the solutions": "os.listdir(f'{ROOT}/solutions')",
    "lists the tests": "list(os.scandir(f'{ROOT}/tests'))",
    "lists everything": "os.listdir('/')",
    "reads a neighbour": "open(f'{OTHER}/canary').read()",
    "reads the history": "open(f'{ROOT}/.git/HEAD').read()",
    "reads passwords": "open('/etc/shadow').read()",
    "reads its parent": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
    "reads a database": "import sqlite3; sqlite3.connect(f'{OTHER}/canary').execute('select 1 from sqlite_master')",
    "imports the checks": "import fraudkit.workbook.checks.roc_auc",
    "imports the checks by file": (
        "import importlib.util as u\n"
        "s = u.spec_from_file_location('x', f'{ROOT}/fraudkit/workbook/checks/roc_auc.py')\n"
        "s.loader.exec_module(u.module_from_spec(s))"
    ),
    "writes a neighbour": "open(f'{OTHER}/canary', 'w')",
    "appends to a neighbour": "open(f'{OTHER}/canary', 'a')",
    "writes by os.open": "os.open(f'{OTHER}/new', os.O_CREAT | os.O_WRONLY)",
    "removes": "os.remove(f'{OTHER}/canary')",
    "renames": "os.rename(f'{OTHER}/canary', f'{OWN}/canary')",
    "renames out": "open(f'{OWN}/mine', 'w').close(); os.rename(f'{OWN}/mine', f'{OTHER}/canary')",
    "truncates": "os.truncate(f'{OTHER}/canary', 0)",
    "makes a folder": "os.mkdir(f'{OTHER}/folder')",
    "writes what it may read": "open(f'{GIVEN}/data.txt', 'a')",
    "writes into the package": "open(f'{ROOT}/fraudkit/workbook/judge.py', 'a')",
    "opens a network socket": "import socket; socket.create_connection(('127.0.0.1', PORT), timeout=5)",
    "sends a datagram": "import socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
    "calls a daemon": "import socket; socket.socket(socket.AF_UNIX).connect(f'{OTHER}/daemon')",
    "starts a program": "import subprocess; subprocess.run(['/bin/true'])",
    "starts a program below subprocess": "os.posix_spawn('/bin/true', ['true'], {})",
    "forks": "pid = os.fork()\nif pid == 0: os._exit(0)",
    "starts a worker": "import multiprocessing as m; p = m.get_context('fork').Process(target=print); p.start()",
    "becomes a program": "os.execv('/bin/true', ['true'])",
    "signals its parent": "os.kill(os.getppid(), 0)",
}  # fmt: skip

ONLY_THE_HOOK = {
    "changes a neighbour's mode": "os.chmod(f'{OTHER}/canary', 0)",
    "changes a neighbour's time": "os.utime(f'{OTHER}/canary', (0, 0))",
    "runs a shell": "os.system('true')",
    "looks a name up": "import socket; socket.getaddrinfo('localhost', 80)",
    "signals its group": "os.killpg(0, 0)",
    "looks at all objects": "import gc; gc.get_objects()",
    "loads the C library": "import ctypes; ctypes.CDLL('libc.so.6')",
    "looks into memory": "import ctypes; ctypes.c_int.from_address(id(0))",
    "goes to another folder": "os.chdir(f'{ROOT}/solutions')",
}

ONLY_THE_KERNEL = {
    "forks below Python": "import ctypes; result = ctypes.CDLL(None).fork()\nif result == 0: os._exit(0)",
    "opens a socket below Python": "import ctypes; result = ctypes.CDLL(None).socket(2, 1, 0)",
    "traces its parent": "import ctypes; result = ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)",
    "gets memory that no limit counts": "os.memfd_create('x')",
    "starts a thread": "import threading; threading.Thread(target=print).start()",
    "raises a limit": "import resource as r; r.setrlimit(r.RLIMIT_CPU, (r.RLIM_INFINITY, r.RLIM_INFINITY))",
    "limits its parent": "import resource as r; r.prlimit(os.getppid(), r.RLIMIT_NOFILE, (3, 3))",
    "outlives its parent": "import ctypes; result = ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)",
}

ALLOWED = {
    "computes": "a = np.random.default_rng(0).normal(size=(50, 50)); np.linalg.svd(a); np.sort(a, axis=None)",
    "imports the standard library": "import csv, decimal, difflib, email.message, fractions, heapq, sqlite3, xml.dom",
    "imports a package": "import pandas as pd; pd.DataFrame({'a': [1, 2]}).groupby('a').size()",
    "imports the system": "import fraudkit.workbook.exercise, fraudkit.core.files",
    "reads its data": "result = open(f'{GIVEN}/data.txt').read()",
    "reads below its data": "result = [p.name for p in Path(GIVEN).rglob('*')]",
    "writes in its folder": "p = Path(OWN, 'a'); p.mkdir(); (p / 'b').write_text('x'); result = (p / 'b').read_text()",
    "copies and renames": (
        "import shutil; Path(OWN, 'x').write_text('x'); shutil.copy2(f'{OWN}/x', f'{OWN}/y'); "
        "os.rename(f'{OWN}/y', f'{OWN}/z'); os.remove(f'{OWN}/z')"
    ),
    "makes temporary files": "import tempfile; f = tempfile.NamedTemporaryFile(); result = f.name.startswith(OWN)",
    "writes to nowhere": "open('/dev/null', 'w').write('x')",
    "asks for randomness": "import secrets; secrets.token_bytes(8); open('/dev/urandom', 'rb').read(1)",
    "asks for the time elsewhere": "import datetime, zoneinfo; datetime.datetime.now(zoneinfo.ZoneInfo('UTC'))",
    "uses a database in memory": "import sqlite3; sqlite3.connect(':memory:').execute('select 1')",
    "signals itself": "os.kill(os.getpid(), 0)",
    "fails to find a file": "result = Path(OWN, 'absent').exists()",
}  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A folder that is given, one that is its own, and one that belongs to somebody else."""
    base = tmp_path_factory.mktemp("guard").resolve()
    names: dict[str, Any] = {"ROOT": str(ROOT)}
    for name in ("given", "own", "other"):
        (base / name).mkdir()
        names[name.upper()] = str(base / name)
    (base / "given" / "data.txt").write_text("data")
    return names


def run(places: dict[str, Any], attempts: dict[str, str], layers: str = "all", **ask: Any) -> dict[str, Any]:
    """What became of attempts, tried one after another in one locked process."""
    if layers != "all" and sys.platform != "linux":
        pytest.skip("there is one layer only")
    question = {
        "layers": layers,
        "attempts": attempts,
        "names": places,
        "readable": [places["GIVEN"]],
        "writable": [places["OWN"]],
        "limits": ask.get("limits", {}),
        "options": ask.get("options", {}),
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(question)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=places["OWN"],
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module", params=["all", "hook", "kernel"])
def refused(request: pytest.FixtureRequest, places: dict[str, Any]) -> dict[str, Any]:
    """Everything forbidden tried in one process, under all layers or one."""
    if request.param == "kernel" and not LAYERS_OF_LINUX:
        pytest.skip("this kernel has no Landlock")
    other = Path(places["OTHER"])
    (other / "canary").write_text("sings")
    for left in Path(places["OWN"]).iterdir():
        left.unlink()
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as daemon:
        (other / "daemon").unlink(missing_ok=True)
        daemon.bind(str(other / "daemon"))
        daemon.listen()
        answer = run(places | {"PORT": server.getsockname()[1]}, REFUSED, request.param)
    return answer | {"layers": request.param, "left": sorted(path.name for path in other.iterdir())}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_business_of_an_answer_is_refused(refused: dict[str, Any], name: str):
    kind, message = refused["outcomes"][name]
    assert kind != "done"
    if refused["layers"] != "kernel":
        assert (kind, message.startswith("refused by the grader: ")) == ("PermissionError", True)


def test_what_belongs_to_others_is_untouched(refused: dict[str, Any], places: dict[str, Any]):
    assert refused["left"] == ["canary", "daemon"]
    assert Path(places["OTHER"], "canary").read_text() == "sings"


def test_every_refusal_is_noted_and_told(refused: dict[str, Any]):
    if refused["layers"] == "kernel":
        assert refused["attempts"] == []  # the kernel tells nobody
    else:
        assert len(refused["attempts"]) >= len(REFUSED)
        assert refused["told"] == refused["attempts"]


@pytest.fixture(scope="module")
def by_the_hook(places: dict[str, Any]) -> dict[str, Any]:
    Path(places["OTHER"], "canary").write_text("sings")
    return run(places, ONLY_THE_HOOK)


@pytest.mark.parametrize("name", ONLY_THE_HOOK)
def test_what_the_kernel_cannot_tell_is_refused_by_the_hook(by_the_hook: dict[str, Any], name: str):
    kind, message = by_the_hook["outcomes"][name]
    assert (kind, message.startswith("refused by the grader: ")) == ("PermissionError", True)


@pytest.fixture(scope="module")
def by_the_kernel(places: dict[str, Any]) -> dict[str, Any]:
    return run(places, ONLY_THE_KERNEL, "kernel")


@kernel_only
@pytest.mark.parametrize("name", ONLY_THE_KERNEL)
def test_what_the_hook_cannot_see_is_refused_by_the_kernel(by_the_kernel: dict[str, Any], name: str):
    kind, result = by_the_kernel["outcomes"][name]
    assert kind != "done" or result == "-1"


@kernel_only
def test_modes_and_times_of_others_stay_even_without_the_hook(places: dict[str, Any]):
    canary = Path(places["OTHER"], "canary")
    canary.write_text("sings")
    before = canary.stat()
    attempts = {name: ONLY_THE_HOOK[name] for name in ("changes a neighbour's mode", "changes a neighbour's time")}
    run(places, attempts, "kernel")
    after = canary.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


@pytest.fixture(scope="module")
def allowed(places: dict[str, Any]) -> dict[str, Any]:
    return run(places, ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_ordinary_work_goes_on(allowed: dict[str, Any], name: str):
    kind, result = allowed["outcomes"][name]
    assert kind == "done", result
    assert result != "False" or name == "fails to find a file"


def test_ordinary_work_is_no_attempt(allowed: dict[str, Any]):
    assert allowed["attempts"] == []


def test_a_refusal_that_is_swallowed_is_still_noted(places: dict[str, Any]):
    got = run(places, {"swallows": "try:\n    os.listdir('/')\nexcept BaseException:\n    pass"})
    assert got["outcomes"]["swallows"][0] == "done"
    assert got["attempts"] == got["told"] == ["refused by the grader: reading /"]


def test_no_second_hook_is_added(places: dict[str, Any]):
    code = "seen = []; sys.addaudithook(lambda *a: seen.append(a)); sys.audit('x'); result = len(seen)"
    got = run(places, {"adds": code})  # Python itself swallows the refusal
    assert got["outcomes"]["adds"] == ["done", "0"]
    assert got["attempts"] == ["refused by the grader: another audit hook"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("np.ones(500_000_000)", "MemoryError"),
        ("x = []\nwhile True: x.append(bytearray(10**7))", "MemoryError"),
        ("open(f'{OWN}/big', 'wb').write(bytes(20_000_000))", "OSError"),
        ("x = [open('/dev/null') for _ in range(1000)]", "OSError"),
    ],
)
def test_limits_hold(places: dict[str, Any], code: str, error: str):
    limits = {"memory_mb": 512, "file_mb": 10, "files": 64}
    got = run(places, {"only": code, "after": "result = 1"}, limits=limits)["outcomes"]
    assert got["only"][0] == error
    assert got["after"] == ["done", "1"]
    big = Path(places["OWN"], "big")
    assert not big.exists() or big.stat().st_size <= 10 * 2**20


def test_memory_counts_beyond_what_was_there(places: dict[str, Any]):
    got = run(places, {"fits": "np.ones(25_000_000)"}, limits={"memory_mb": 256})
    assert got["outcomes"]["fits"][0] == "done"


def test_threads_and_network_can_be_left_open(places: dict[str, Any]):
    with socket.create_server(("127.0.0.1", 0)) as server:
        attempts = {
            "thread": "import threading; t = threading.Thread(target=print); t.start(); t.join()",
            "network": "import socket; socket.create_connection(('127.0.0.1', PORT), timeout=5).close()",
            "forks": "os.fork()",
        }
        names = places | {"PORT": server.getsockname()[1]}
        got = run(names, {"t": "", **attempts}, options={"threads": True, "inet": True})["outcomes"]
    assert [got[name][0] for name in attempts] == ["done", "done", "PermissionError"]


@pytest.mark.skipif(os.name != "posix", reason="no fork")
def test_processes_can_be_left_open(places: dict[str, Any]):
    code = "pid = os.fork()\nif pid == 0: os._exit(7)\nresult = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
    got = run(places, {"forks": code}, options={"processes": True})
    assert got["outcomes"]["forks"] == ["done", "7"]


def test_the_report_names_the_layers(places: dict[str, Any]):
    got = run(places, {}, "hook")
    assert "audit hook" in got["on"] and set(got["off"]) == {"Landlock", "seccomp"}
    if LAYERS_OF_LINUX:
        every = run(places, {})
        assert every["off"] == {} and len(every["on"]) == 5


def test_the_checks_stay_hidden_where_the_package_is_installed_with_others(tmp_path: Path, monkeypatch):
    site = tmp_path / "site-packages"
    checks = site / "fraudkit" / "workbook" / "checks"
    for folder in (checks, site / "numpy"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    whole, listed = guard._rules([site], [checks])
    assert not any(checks.is_relative_to(path) for path in whole)
    assert site / "numpy" in whole and site in listed
