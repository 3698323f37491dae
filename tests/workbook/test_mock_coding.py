"""The coding round: a fresh notebook, and answers that are really run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client import KernelManager

from fraudkit.core.clock import FixedClock
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.check import close_sandbox, solution
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.mock.coding import edges, unfolded
from fraudkit.workbook.mock.history import evidence_lines
from fraudkit.workbook.mock.interview import Interview, charge
from fraudkit.workbook.mock.notebook import check_answer, ensure_notebook, mock_notebook
from fraudkit.workbook.notebooks import ordered_ids, section, solution_text, stub_of
from fraudkit.workbook.progress import ProgressFile
from tests.workbook.mock_helpers import MINUTE_MS, START_MS, again, go_on, new_file

ID = "roc_auc"
KERNEL_S = 60


@pytest.fixture(autouse=True)
def sandbox() -> Iterator[None]:
    """No sandbox outlives its test."""
    yield
    close_sandbox()


def at_the_code(file: ProgressFile) -> Interview:
    interview = Interview.start(file, "coding", about=ID)
    go_on(interview, until=lambda i: i.prompt is not None and i.prompt.kind == "code")
    return interview


def write_answer(path: Path, answer: str) -> None:
    """Put an answer in the place of the stub, as somebody would in JupyterLab."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    stub = stub_of(section(ID).answer)
    for cell in notebook["cells"]:
        if "".join(cell["source"]) == stub or cell["metadata"].get("answer"):
            cell["source"], cell["metadata"]["answer"] = answer.splitlines(True), True
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_wrong_answer_then_a_right_one_are_really_checked(home: Path):
    interview = at_the_code(ProgressFile())
    path = ensure_notebook(interview, ID)
    name = exercise(ID).name
    write_answer(path, f"def {name}(y_true, y_score):\n    return 0.5")
    passed, said = check_answer(interview, ID)
    assert not passed and "First that fails" in said
    reply = interview.reply
    assert reply.total > 0 and reply.passed < reply.total and reply.attempts == 1

    write_answer(path, solution_text(section(ID).answer))
    passed, said = check_answer(interview, ID)
    assert passed and said.startswith("all ")
    go_on(interview)
    marks = {found.criterion: found.mark for found in interview.suggestions()}
    assert marks["Solution correctness"] == 5
    held = interview.finish(dict.fromkeys(marks, 4))
    total = held.evidence["tests_passed"][ID].split(" of ")
    assert total[0] == total[1] and held.evidence["checks"] == 2
    assert ProgressFile().read().record(ID).passed


def test_an_untouched_notebook_is_no_attempt(home: Path):
    interview = at_the_code(ProgressFile())
    passed, said = check_answer(interview, ID, cells=["x = 1"])
    assert not passed and "not defined" in said and interview.reply.attempts == 0


def test_a_notebook_that_cannot_be_read_is_told(home: Path):
    interview = at_the_code(ProgressFile())
    ensure_notebook(interview, ID).write_text("{", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no notebook"):
        check_answer(interview, ID)


def test_a_check_after_the_time_does_not_count(tmp_path: Path):
    clock = FixedClock(START_MS)
    interview = at_the_code(new_file(tmp_path, clock))
    prompt = interview.prompt
    assert prompt is not None
    clock.advance(46 * MINUTE_MS)
    from fraudkit.workbook.mock.interview import Checked

    interview.check(Checked(ID, 10, 10))
    reply = interview.state.replies[ID]
    assert (reply.passed, reply.late) == (0, True) and interview.phase == "review"


def test_the_notebook_is_new_for_each_interview_and_kept_within_one(tmp_path: Path):
    clock = FixedClock(START_MS)
    file = new_file(tmp_path, clock)
    first = at_the_code(file)
    path = ensure_notebook(first, ID)
    path.write_text("mine", encoding="utf-8")
    assert ensure_notebook(first, ID).read_text(encoding="utf-8") == "mine"
    first.abandon()
    clock.advance(MINUTE_MS)
    other = ensure_notebook(at_the_code(file), ID)
    assert other != path and other.parent == tmp_path / "mocks" and path.read_text(encoding="utf-8") == "mine"


class Kernel:
    """An ordinary kernel in a process of its own, with this home."""

    def __init__(self, home: Path) -> None:
        self.manager = KernelManager()
        self.manager.start_kernel(env={**os.environ, "FRAUDKIT_HOME": str(home), "IPYTHONDIR": str(home / "ipython")})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=KERNEL_S)

    def run(self, code: str) -> str:
        """All that a cell showed."""
        shown: list[str] = []

        def take(message: dict[str, Any]) -> None:
            content = message["content"]
            shown.append(content.get("text") or content.get("evalue") or content.get("data", {}).get("text/plain", ""))

        self.client.execute_interactive(code, timeout=KERNEL_S, output_hook=take, allow_stdin=False)
        return " ".join(" ".join(shown).split())

    def restart(self) -> None:
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=KERNEL_S)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.context.destroy(linger=0)


def test_hints_and_the_solution_opened_in_a_kernel_are_charged_also_after_its_restart(home: Path):
    interview = at_the_code(ProgressFile())
    doors = "from fraudkit.workbook import hint, solution"
    kernel = Kernel(home)
    try:
        said = kernel.run(f'{doors}\nhint("{ID}")')
        assert "hint 1 of" in said
        assert "A coding interview about this runs: costs a mark of Solution correctness" in said
        assert "costs nothing" in kernel.run(f'hint("{ID}", 1)')
        said = kernel.run('hint("log_loss")')
        assert "hint 1 of" in said and "coding interview" not in said, "it is about another exercise"
        kernel.restart()
        assert "hint 2 of" in kernel.run(f'{doors}\nhint("{ID}")')
        assert "you had it already" in again(interview.file).hint()

        path = ensure_notebook(interview, ID)
        write_answer(path, solution_text(section(ID).answer))
        assert check_answer(interview, ID)[0]
        assert mark_of_code(interview) == 5 - 2
        assert "it is noted" in kernel.run(f'solution("{ID}", sure=True)')
        assert "coding interview" not in kernel.run(f'hint("{ID}", 3)'), "the code is done"
    finally:
        kernel.close()
    go_on(interview)
    evidence = interview.finish(dict.fromkeys(interview.state.round.criteria, 4)).evidence
    assert evidence["hints"] == 2
    assert evidence["opened_beside_the_interview"] == {ID: "hints 1, 2; our solution, after the code was done"}


def mark_of_code(interview: Interview) -> int | None:
    return next(found.mark for found in interview.suggestions() if found.criterion == "Solution correctness")


def test_code_written_beside_our_solution_counts_for_nothing(home: Path):
    interview = at_the_code(ProgressFile())
    solution(ID, sure=True)
    write_answer(ensure_notebook(interview, ID), solution_text(section(ID).answer))
    assert check_answer(interview, ID)[0]
    [found] = [s for s in interview.suggestions() if s.criterion == "Solution correctness"]
    assert found.mark == 1 and "our solution was open before the code was done" in found.why
    go_on(interview)
    said = interview.finish(dict.fromkeys(interview.state.round.criteria, 4))
    assert "opened beside the interview: roc_auc: our solution, before the code was done" in evidence_lines(said)


def test_what_is_opened_before_or_after_the_time_costs_nothing(tmp_path: Path):
    clock = FixedClock(START_MS)
    file = new_file(tmp_path, clock)
    assert charge(file, ID, 1) == ""
    interview = at_the_code(file)
    clock.advance(46 * MINUTE_MS)
    assert charge(file, ID, 1) == charge(file, ID) == ""
    interview.save_time()
    assert charge(file, ID) == "" and again(file).state.replies.get(ID) is None


@pytest.mark.parametrize("name", ["theory", "design", "behavioral"])
def test_hints_of_exercises_cost_nothing_in_other_rounds(name: str, tmp_path: Path):
    file = new_file(tmp_path)
    Interview.start(file, name, seed=1)
    assert charge(file, ID, 1) == ""


@pytest.mark.parametrize("exercise_id", ordered_ids()[::9])
def test_every_notebook_is_valid_and_gives_nothing_away(exercise_id: str):
    data = mock_notebook(exercise_id)
    nbformat.validate(nbformat.reads(data.decode(), as_version=4))
    assert "SOLUTION" not in data.decode() and section(exercise_id).notes not in data.decode()
    assert "hint" not in "".join(line for line in data.decode().split("\n") if "import" in line)


@pytest.mark.parametrize("exercise_id", ordered_ids()[::9])
def test_every_exercise_has_edges_to_ask_about_and_an_explanation(exercise_id: str):
    assert edges(exercise_id)
    aloud = unfolded(section(exercise_id).aloud)
    assert aloud and "<" not in aloud.split("\n", maxsplit=1)[0] and "summary>" not in aloud
