"""The board without a browser: its buttons pressed, its countdown turned by hand."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from fraudkit.core.clock import FixedClock
from fraudkit.core.config import settings
from fraudkit.workbook.check import close_sandbox
from fraudkit.workbook.mock.board import Board
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.notebook import ensure_notebook
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.rounds import ROUNDS
from fraudkit.workbook.progress import ProgressFile
from tests.workbook.mock_helpers import MINUTE_MS, START_MS, Watch, again, go_on, letter_of, new_file


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START_MS)


@pytest.fixture
def file(tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProgressFile]:
    monkeypatch.setattr(sys.modules[Interview.__module__], "monotonic", Watch())
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path))
    settings.cache_clear()
    yield new_file(tmp_path, clock)
    settings.cache_clear()
    close_sandbox()


def parts(widget: Any) -> Iterator[Any]:
    """A widget and everything in it."""
    yield widget
    for inner in getattr(widget, "children", ()):
        yield from parts(inner)


def press(board: Board, label: str) -> None:
    """Press the button whose label begins so."""
    buttons = [part for part in parts(board.whole) if isinstance(part, widgets.Button)]
    found = next((button for button in buttons if button.description.startswith(label)), None)
    assert found is not None, [button.description for button in buttons]
    found.click()


def shown(board: Board) -> str:
    return " ".join(output["data"].get("text/plain", "") for output in board.says.outputs + board.told.outputs)


def work_through(board: Board) -> None:
    """Answer what is on the board by its buttons until the scorecard."""
    for _ in range(120):
        interview = board.interview
        assert interview is not None
        prompt = interview.prompt
        if prompt is None:
            return
        boxes = [part for part in parts(board.inputs) if isinstance(part, widgets.Checkbox)]
        fields = [part for part in parts(board.inputs) if isinstance(part, widgets.Textarea)]
        for box in boxes[:2]:
            box.value = True
        for field in fields:
            field.value = letter_of(prompt, right=True) if prompt.kind == "question" else "my words"
        if fields:
            press(board, "answer")
        elif prompt.kind == "question":
            press(board, letter_of(prompt, right=True))
        else:
            press(board, "2" if prompt.kind == "level" else "go on")
    raise AssertionError("the interview does not end")


@pytest.mark.parametrize("name", ROUNDS)
def test_every_round_is_chosen_worked_through_and_scored_by_buttons(name: str, file: ProgressFile):
    board = Board(file, None)
    press(board, name)
    work_through(board)
    for row in parts(board.inputs):
        if isinstance(row, widgets.ToggleButtons):
            row.value = "4"
    press(board, "save the scorecard")
    [held] = history(file.read())
    assert (held.round, held.average) == (name, 4.0)
    assert "average 4.0" in board.stage.value and "image/png" in board.says.outputs[0]["data"]


def test_a_scorecard_with_a_mark_missing_is_not_saved(file: ProgressFile):
    interview = Interview.start(file, "coding", about="roc_auc")
    go_on(interview)
    board = Board(file, interview)
    press(board, "save the scorecard")
    assert "each criterion" in board.note.value and history(file.read()) == []


def test_a_new_board_shows_the_same_prompt_and_the_time_that_is_left(file: ProgressFile, clock: FixedClock):
    first = Board(file, Interview.start(file, "theory", seed=1))
    first.typed.value = "a question"
    press(first, "answer")
    clock.advance(5 * MINUTE_MS + 500)
    second = Board(file, again(file))
    assert shown(second) == shown(first) and "40:00" in second.clock.value


def test_a_hint_is_shown_with_its_cost_and_abandoning_asks_first(file: ProgressFile):
    board = Board(file, Interview.start(file, "behavioral", seed=1))
    press(board, "hint")
    assert "costs a mark of STAR structure" in board.note.value
    press(board, "abandon")
    press(board, "no, go on")
    assert again(file).reply.hints == 1
    press(board, "abandon")
    press(board, "yes")
    assert [one.how for one in history(file.read())] == ["abandoned"] and "abandoned" in board.stage.value


def test_what_was_answered_elsewhere_is_told_and_the_board_goes_on_from_there(file: ProgressFile):
    board = Board(file, Interview.start(file, "theory", seed=1))
    again(file).answer("in the terminal")
    board.typed.value = "here"
    press(board, "answer")
    assert "elsewhere" in board.note.value and "Question 1" in board.stage.value
    again(file).abandon()
    press(board, "hint")
    assert "over" in board.stage.value


def turn(board: Board, clock: FixedClock, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the countdown run for so many of its seconds."""
    passed = 0

    async def sleep(_: float) -> None:
        nonlocal passed
        if passed == seconds:
            raise asyncio.CancelledError
        passed += 1
        clock.advance(1000)

    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(asyncio.CancelledError):
            board.run().send(None)


def test_the_countdown_runs_and_its_time_is_saved(
    file: ProgressFile, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    board = Board(file, Interview.start(file, "theory", seed=1))
    turn(board, clock, 40, monkeypatch)
    assert ">44:20<" in board.clock.value
    assert file.read().mocks["current"]["spent_ms"] == 30_000
    clock.advance(39 * MINUTE_MS + 21_000)
    turn(board, clock, 1, monkeypatch)
    assert "#d9544d" in board.clock.value


def test_what_was_typed_when_the_time_ended_is_kept_as_late(
    file: ProgressFile, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
):
    board = Board(file, Interview.start(file, "behavioral", seed=1))
    asked = board.shown
    board.typed.value = "half a story"
    clock.advance(40 * MINUTE_MS)
    turn(board, clock, 2, monkeypatch)
    reply = again(file).state.replies[asked.id]
    assert (reply.text, reply.late) == ("half a story", True)
    assert "That was the time" in board.note.value and "listened for" in shown(board)


def test_a_check_on_the_board_runs_the_saved_notebook(file: ProgressFile):
    interview = Interview.start(file, "coding", about="roc_auc")
    go_on(interview, until=lambda i: i.prompt is not None and i.prompt.kind == "code")
    board = Board(file, interview)
    assert ensure_notebook(interview, "roc_auc").name in shown(board)
    press(board, "check")
    assert "the stub is untouched" in board.note.value
