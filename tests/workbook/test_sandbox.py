"""Answers run in a process that can be killed; real processes, no mocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fraudkit.workbook.exercise import Case, Step
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.sandbox import Reply, Sandbox

QUICK = Limits(seconds=1.0)
ONE = [Case("one", (1,))]
TWO = [Case("one", (1,)), Case("two", (2,))]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


def reply(sandbox: Sandbox, body: str, argument: object = 1) -> Reply:
    source = f"import os, sys, time\nimport numpy as np\ndef f(x):\n    {body}\n"
    return sandbox.run(source, "f", [Case("only", (argument,))], QUICK)[0]


def test_an_answer_comes_back(sandbox: Sandbox):
    got = reply(sandbox, "return x * 2", np.arange(3))
    assert got.status == "ok" and not got.changed
    np.testing.assert_array_equal(got.value, [0, 2, 4])


def test_an_object_is_made_and_used_step_by_step(sandbox: Sandbox):
    source = (
        "class Mean:\n    def __init__(self, start):\n        self.v = [start]\n"
        "    def add(self, x):\n        self.v.append(x)\n        return self\n"
        "    def value(self):\n        return sum(self.v) / len(self.v)\n"
    )
    case = Case("mean", (1,), steps=(Step("add", (3,)), Step("value")))
    assert sandbox.run(source, "Mean", [case])[0].value == [None, 2.0]


def test_a_generator_answers_as_a_list(sandbox: Sandbox):
    assert reply(sandbox, "yield from range(3)").value == [0, 1, 2]


@pytest.mark.parametrize("body", ["x[0] = 9; return 1", "x.sort(); return 1", "x += 1; return 1"])
def test_a_changed_input_is_noticed(sandbox: Sandbox, body: str):
    assert reply(sandbox, body, np.array([3.0, 1.0])).changed


def test_an_exception_comes_with_type_message_and_line(sandbox: Sandbox):
    got = reply(sandbox, "raise KeyError('k')")
    assert (got.status, got.error, got.line) == ("error", "KeyError", 4)
    assert "LookupError" in got.mro and "k" in got.message


@pytest.mark.parametrize("body", ["sys.exit(0)", "raise KeyboardInterrupt", "raise BaseException", "return f(x)"])
def test_leaving_in_any_way_is_an_error_of_the_answer(sandbox: Sandbox, body: str):
    assert reply(sandbox, body).status == "error"


@pytest.mark.parametrize("body", ["os._exit(0)", "os.abort()"])
def test_a_dead_process_is_a_crash(sandbox: Sandbox, body: str):
    assert reply(sandbox, body).status == "crash"


def test_an_endless_loop_ends_and_the_next_case_can_still_run(sandbox: Sandbox):
    source = "def f(x):\n    while x == 1:\n        pass\n    return x\n"
    assert [got.status for got in sandbox.run(source, "f", TWO, QUICK)] == ["timeout", "unrun"]
    assert [got.status for got in sandbox.run(source, "f", TWO, QUICK, restarts=1)] == ["timeout", "ok"]


def test_swallowing_every_exception_does_not_outlast_the_limit(sandbox: Sandbox):
    source = (
        "def f(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n"
    )
    assert sandbox.run(source, "f", ONE, QUICK)[0].status == "timeout"


def test_text_that_is_no_python_is_an_error_with_its_line(sandbox: Sandbox):
    got = sandbox.run("x = 1\ndef f(:\n", "f", ONE)[0]
    assert (got.status, got.error, got.line) == ("error", "SyntaxError", 2)


def test_an_answer_too_large_is_refused(sandbox: Sandbox):
    got = sandbox.run("def f(x):\n    return list(range(200_000))\n", "f", ONE, Limits(output_bytes=10_000))[0]
    assert got.status == "crash" and "at most 10,000" in got.message


def test_memory_is_bounded(sandbox: Sandbox):
    got = sandbox.run("def f(x):\n    return len(bytearray(3_000_000_000))\n", "f", ONE, Limits(memory_mb=1024))[0]
    assert (got.status, got.error) == ("error", "MemoryError")


def test_what_is_printed_is_kept_in_part_and_harms_nothing(sandbox: Sandbox):
    got = reply(sandbox, "[print('n' * 1000) for _ in range(2000)]; print('w', file=sys.stderr); return 5")
    assert got.status == "ok" and got.value == 5
    assert 1000 <= len(got.printed) <= 2000


def test_a_value_that_cannot_cross_is_named(sandbox: Sandbox):
    got = reply(sandbox, "return object()")
    assert (got.status, got.error) == ("error", "NotEncodable") and "object" in got.message


def test_one_answer_leaves_nothing_behind_for_the_next(sandbox: Sandbox):
    reply(sandbox, "np.sum = None; sys.modules['math'] = None; return 1")
    assert reply(sandbox, "import math; return float(np.sum([x, 2]))").value == 3.0


def test_time_is_measured_on_this_side(sandbox: Sandbox):
    source = (
        "import time\ndef f(x):\n    time.sleep(0.05)\n    time.perf_counter = time.time = lambda: 0.0\n    return 1\n"
    )
    assert sandbox.run(source, "f", ONE)[0].seconds >= 0.05


def test_a_killed_sandbox_starts_again():
    with Sandbox() as sandbox:
        assert reply(sandbox, "return 1").value == 1
        assert sandbox._process is not None
        os.kill(sandbox._process.pid, 9)
        sandbox._process.wait()
        assert reply(sandbox, "return 2").value == 2


def test_closing_leaves_no_process():
    sandbox = Sandbox()
    reply(sandbox, "return 1")
    assert sandbox._process is not None
    pid = sandbox._process.pid
    sandbox.close()
    assert not Path(f"/proc/{pid}").exists()
