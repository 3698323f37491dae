"""Hostile answers straight through the sandbox and the judge, one after another in one warm sandbox."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.judge import Verdict, judge, missing
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.sandbox import Sandbox
from fraudkit.workbook.source import NotPython, slice_source


def load(name: str, path: Path) -> ModuleType:
    """A helper module beside the tests, whatever the working folder is."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


hostile = load("hostile_notebooks", Path(__file__).parent / "hostile" / "notebooks.py")
OUTSIDE = Path("/nonexistent/report")
QUICK = Limits(seconds=1.0, memory_mb=512)
ANSWERS = hostile.answers(OUTSIDE)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


def verdict_on(source: str, sandbox: Sandbox, rng: np.random.Generator) -> Verdict:
    task = exercise(hostile.TASK)
    try:
        text = slice_source(["import numpy as np", source], task.name)
    except NotPython as error:
        return missing(task, str(error))
    return judge(task, text, sandbox=sandbox, rng=rng, limits=QUICK, explain=False)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_gets_what_it_deserves(name: str, sandbox: Sandbox, rng: np.random.Generator):
    source, statuses = ANSWERS[name]
    verdict = verdict_on(source, sandbox, rng)
    assert verdict.status in statuses, verdict.failure
    assert verdict.credit == (1.0 if verdict.status == "pass" else 0.0), verdict


def test_the_sandbox_answers_as_before_after_all_of_them(sandbox: Sandbox, rng: np.random.Generator):
    assert verdict_on(hostile.right_after("pass"), sandbox, rng).status == "pass"
    assert sandbox._process is not None
    children = Path(f"/proc/{sandbox._process.pid}/task/{sandbox._process.pid}/children")
    if children.exists():
        assert children.read_text().split() == []
