"""Every command: what was asked for is on standard output, what is said beside it on standard error."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fraudkit.audit.archive import FOLDER, Archive
from fraudkit.cli import COMMANDS, load_command
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.files import sha256
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.models.bundle import ARTEFACTS, FORMAT, MANIFEST
from fraudkit.models.files import seal
from fraudkit.registry.registry import Registry

TESTS = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One command line; `{run}` in it is another word at each run."""

    line: str
    shown: str  # in the report and nowhere else
    remark: str = ""  # beside the report in words
    progress: str = ""  # name of a progress bar


WITH_JSON = {
    "doctor": Case("doctor", "feature store"),
    "simulate": Case("simulate small --users 25 --out {run}", "share of fraud", progress="world small"),
    "lake check": Case("lake check", "files match", progress="lake check"),
    "lake query": Case("lake query SELECT/**/41+1/**/AS/**/n", "42"),
    "lake show": Case("lake show", "transactions"),
    "features list": Case("features list", "143 features"),
    "rules list": Case("rules list", "confidence"),
    "rules show": Case("rules show amount_anomaly", "fires where"),
    "rules report": Case("rules report", "only this", progress="rules"),
    "retrain": Case("retrain --if-asked", "nobody asked"),
    "models list": Case("models list", "v0001"),
    "models show": Case("models show v0001", "registered_at"),
    "models backtests": Case("models backtests", "2025-07-09"),
    "models demands": Case("models demands", "resamples"),
    "log consume": Case("log consume", "0 events archived"),
    "log show": Case("log show", "DECLINE"),
    "replay": Case("replay", "1 could not be made again here", progress="replay"),
    "keys add": Case("keys add {run} --scope score", "", "shown this once"),
    "keys list": Case("keys list", "gateway"),
    "next": Case("next", "minutes"),
    "progress": Case("progress", "exercises passed"),
    "quiz": Case("quiz --list", "questions"),
    "mock": Case("mock --status", "held: "),
    "today": Case("today", "fraudkit mock"),
    "readiness": Case("readiness", "Coding Interview"),
    "plan": Case("plan", "Progress tracker"),
    "story list": Case("story list", "alarm"),
    "story check": Case("story check", "alarm"),
    "story map": Case("story map", "gaps"),
    "story walkthrough": Case("story walkthrough", ": 0 words", "a part needs"),
    "checklist": Case("checklist", "verifiable"),
    "template": Case("template", "ab_test_plan"),
    "exercises list": Case("exercises list", "roc_auc"),
}
PLAIN = {
    "--help": Case("--help", "features"),
    "quiz --state": Case("quiz --state", "recall now"),
    "mock --history": Case("mock --history", "round"),
    "checklist ID": Case("checklist requirements", "☐"),
    "template NAME": Case("template ab_test_plan", "#"),
    "story example": Case("story example", "#"),
    "exercises build": Case("exercises build --check", "what solutions/ make of it"),
    "openapi": Case("openapi", '"paths"'),
}
# Those that need a service or a model, or take long: who reads their JSON.
ELSEWHERE = {
    "lake import": "lake/test_commands.py",
    "features parity": "features/test_commands.py",
    "features store": "features/test_commands.py",
    "train": "pipeline/conftest.py",
    "evaluate": "pipeline/test_commands.py",
    "models promote": "registry/test_commands.py",
    "models rollback": "registry/test_commands.py",
    "benchmark": "benchmark/test_commands.py",
    "log estimate": "audit/test_outcomes.py",
    "log expire": "audit/test_expire.py",
    "monitor": "monitor/test_state.py",
    "shadow": "monitor/test_shadow_report.py",
    "check": "workbook/test_commands_learner.py",
    "exercises verify": "workbook/test_exercises.py",
    "grade": "workbook/test_grade.py",
    "walk": "workbook/test_walk.py",
}

# Importing takes most of a command's second: one process imports all of them and forks one for each command line.
RUNNER = """
import os, socket, sys
from fraudkit.cli import COMMANDS, load_command, main

for name in COMMANDS:
    load_command(name)
door = socket.socket(fileno=int(sys.argv[1]))
while (asked := socket.recv_fds(door, 4096, 2))[0]:
    child = os.fork()
    if not child:
        door.close()
        for number, pipe in enumerate(asked[1], 1):
            os.dup2(pipe, number)
            os.close(pipe)
        sys.argv = ["fraudkit", *asked[0].decode().split()]
        try:
            main()
        except SystemExit as end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)  # taking all modules down would take longer than the command
    for pipe in asked[1]:
        os.close(pipe)
    door.send(bytes([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256]))
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


class Runner:
    """Runs commands as processes of their own, whose outputs are pipes."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._runs = 0

    def __call__(self, line: str, leaves: bool = False) -> Done:
        """Run `fraudkit LINE`; `leaves`: nobody reads its standard output."""
        self._runs += 1
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        if leaves:
            os.close(out)
        socket.send_fds(self._door, [line.format(run=f"run{self._runs}").encode()], [to_out, to_err])
        os.close(to_out)
        os.close(to_err)
        said = "" if leaves else _all_of(out)
        beside = _all_of(err)
        return Done(self._door.recv(1)[0], said, beside)


def _all_of(pipe: int) -> str:
    with os.fdopen(pipe, encoding="utf-8") as stream:
        return stream.read()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a model, a backtest and a decision stand."""
    home = tmp_path_factory.mktemp("reports")
    bundle = home / "bundle"
    bundle.mkdir()
    for name in ARTEFACTS:
        (bundle / name).write_bytes(b"")
    manifest = {"format": FORMAT, "digest": "d", "schema_hash": "s", "files": dict.fromkeys(ARTEFACTS, sha256(b""))}
    (bundle / MANIFEST).write_bytes(seal(manifest))
    registry = Registry(home / "registry")
    version = registry.register(bundle, {"roc_auc": 0.9}, {})
    figures = {"frauds": 1, "rows": 9, "auc": None, "precision": None, "recall": None}
    registry.add_backtest({"day": "2025-07-09", "version": version, "day_figures": figures, "month_figures": figures})
    decision = DecisionEvent(
        1, "t1", b"d", 1_750_000_000_000, "DECLINE", 0.9, b"{}", b"", b"{}", "", "v", "m", "r", "p", "s", "c"
    )
    Archive(home / FOLDER).add([decision])
    return home


@pytest.fixture(scope="module")
def fraudkit(home: Path) -> Iterator[Runner]:
    """The command line at that home, with a world, a key and a story."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, str(there.fileno())],
        env={
            **os.environ,
            "FRAUDKIT_HOME": str(home),
            "COLUMNS": "100",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        cwd=home,
        pass_fds=[there.fileno()],
        stdin=subprocess.DEVNULL,
    )
    there.close()
    with process, here, EmbeddedValkey(home / "run" / "store", persist=False):
        run = Runner(here)
        for line in (
            "simulate small --users 25",
            "keys add gateway --scope score",
            "story new alarm --kind failure",
            "story walkthrough --new",
        ):
            done = run(line.replace("simulate small", f"simulate small --out {home}/worlds/small"))
            assert done.code == 0, done.err
        yield run


def commands_with_json() -> set[str]:
    """Every command that has the option, as one types it."""

    def below(command: Any, name: str) -> Iterator[str]:
        for part, sub in getattr(command, "commands", {}).items():
            yield from below(sub, f"{name} {part}")
        if any("--json" in parameter.opts for parameter in command.params):
            yield name

    return {found for name in COMMANDS for found in below(load_command(name), name)}


def test_the_json_of_every_command_is_read_somewhere():
    assert commands_with_json() == WITH_JSON.keys() | ELSEWHERE.keys()
    assert not WITH_JSON.keys() & ELSEWHERE.keys()
    for command, where in ELSEWHERE.items():
        assert '"--json"' in (TESTS / where).read_text(encoding="utf-8"), f"{where} does not read that of {command}"


REPORTS = [*WITH_JSON.values(), *PLAIN.values()]


@pytest.mark.parametrize("case", REPORTS, ids=lambda case: case.line)
def test_the_report_is_on_standard_output_and_the_rest_beside_it(fraudkit: Runner, case: Case):
    done = fraudkit(case.line)
    assert done.out.strip() and case.shown in done.out
    assert case.remark in done.err and case.progress in done.err
    assert not done.err or case.remark or case.progress
    assert not case.shown or case.shown not in done.err


@pytest.mark.parametrize("case", WITH_JSON.values(), ids=lambda case: case.line)
def test_json_is_alone_on_standard_output(fraudkit: Runner, case: Case):
    done = fraudkit(f"{case.line} --json")
    json.loads(done.out)
    assert case.progress in done.err if case.progress else not done.err


# Tables, plain lines, both at once, and JSON; some fit into the buffer of a stream and some do not.
LEFT_EARLY = (
    "--help", "models list", "rules list", "quiz --list", "checklist", "story check", "features list", "lake show",
    "template ab_test_plan", "keys list --json", "features list --json", "quiz --list --json",
)  # fmt: skip


@pytest.mark.parametrize("line", LEFT_EARLY)
def test_a_reader_who_leaves_early_is_no_failure(fraudkit: Runner, line: str):
    done = fraudkit(line, leaves=True)
    assert done.code == 0, done.err
    assert done.err == ""
