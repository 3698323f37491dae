"""Mock interviews at the keyboard: a whole one through a pseudo-terminal, leaving and going on, the lists."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.clock import FixedClock
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock.countdown import can_redraw, reader
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.terminal import run
from fraudkit.workbook.progress import ProgressFile
from tests.workbook.mock_helpers import MINUTE_MS, START_MS, again, go_on, hold, new_file, reply_to
from tests.workbook.screen import Screen

PATIENCE_S = 60


class Terminal:
    """`fraudkit mock …` behind a pseudo-terminal, read until it waits for a line."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.keyboard, screen = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fraudkit", "mock", *arguments],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            env={**os.environ, "FRAUDKIT_HOME": str(home), "TERM": "dumb", "COLUMNS": "100"},
        )
        os.close(screen)
        self.seen = ""

    def asked(self) -> str:
        """The line before the cursor; "" when the process has ended."""
        new, deadline = b"", time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if not select.select([self.keyboard], [], [], 0.1)[0]:
                continue
            try:
                chunk = os.read(self.keyboard, 4096)
            except OSError:  # the terminal's end, once the process has gone
                chunk = b""
            new += chunk
            text = new.decode(errors="replace")
            if not chunk or text.endswith(" > "):
                self.seen += text
                return text.splitlines()[-1] if chunk else ""
        raise AssertionError(f"it neither asked nor ended: {self.seen}{new!r}")

    def type(self, text: str) -> str:
        """Type a line; gives the next one that waits."""
        os.write(self.keyboard, f"{text}\n".encode())
        return self.asked()

    def close(self) -> int:
        """Wait for its end; gives the exit code."""
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)


class Drawn:
    """`fraudkit mock …` at a terminal that can move its cursor, and what that terminal shows."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.keyboard, end = pty.openpty()
        termios.tcsetwinsize(end, (40, 100))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fraudkit", "mock", *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            env={**os.environ, "FRAUDKIT_HOME": str(home), "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"},
        )
        os.close(end)
        self.screen = Screen()

    def until(self, wanted: Callable[[Screen], bool]) -> str:
        """Draw what comes until the screen shows it; gives the cursor's line."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted(self.screen):
            assert time.monotonic() < deadline, self.screen.text
            if select.select([self.keyboard], [], [], 0.1)[0]:
                try:
                    self.screen.take(os.read(self.keyboard, 4096).decode(errors="replace"))
                except OSError:  # the terminal's end, once the process has gone
                    assert wanted(self.screen), self.screen.text
        return self.screen.line

    def __enter__(self) -> Drawn:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.keyboard)


def left_on(line: str) -> int:
    """The seconds that a line before the cursor shows; -1 where it shows none."""
    found = re.match(r"\[(\d+):(\d\d)\] ", line)
    return 60 * int(found[1]) + int(found[2]) if found else -1


def test_the_countdown_runs_while_somebody_types_and_leaves_what_was_typed_alone(home: Path):
    with Drawn(home, "behavioral", "--seed", "1") as terminal:
        terminal.until(lambda screen: screen.line.rstrip().endswith("then enter >"))
        shown = []
        for word in ("the night ", "the store ", "was away"):
            os.write(terminal.keyboard, word.encode())
            line = terminal.until(lambda screen, word=word: screen.line.rstrip().endswith(word.strip()))
            shown.append(left_on(line))
            terminal.until(lambda screen, before=shown[-1]: 0 <= left_on(screen.line) < before)
        assert shown == sorted(shown, reverse=True) and shown[0] - shown[-1] >= 2
        assert terminal.screen.line.endswith("> the night the store was away")
        os.write(terminal.keyboard, b"\r")
        line = terminal.until(lambda screen: "which of these" in screen.line)
        assert 0 < left_on(line) <= shown[-1]
        os.write(terminal.keyboard, b"\x04")
        terminal.until(lambda screen: "--resume goes on" in screen.text)
        assert terminal.process.wait(PATIENCE_S) == 0
    assert again(ProgressFile(home / "progress.json")).reply.text == "the night the store was away"


def test_when_the_time_is_over_enter_goes_on_to_what_comes_after(tmp_path: Path):
    clock = FixedClock(START_MS)
    interview = Interview.start(new_file(tmp_path, clock), "coding", about="roc_auc")
    console, asked = Console(file=StringIO(), record=True, width=100), []

    def read(says: Callable[[], str]) -> str:
        clock.advance(46 * MINUTE_MS)
        asked.append(says())
        return "" if len(asked) == 1 else "q"

    assert run(interview, console, read) is None
    assert asked[0].startswith("[0:00] the time is over") and asked[1].startswith("enter goes on")
    assert interview.phase == "review" and "The interviewer thanks you" in console.export_text()


@pytest.mark.parametrize("term", ["", "dumb"])
def test_a_terminal_that_cannot_redraw_gets_plain_lines(term: str, monkeypatch: pytest.MonkeyPatch):
    console = Console(file=StringIO(), force_terminal=True, color_system=None, highlight=False)
    monkeypatch.setattr(sys, "stdin", type("Typed", (), {"isatty": lambda self: True})())
    monkeypatch.setenv("TERM", "xterm")
    assert can_redraw(console) and not can_redraw(Console(file=StringIO()))
    monkeypatch.setenv("TERM", term)
    assert not can_redraw(console)
    monkeypatch.setattr("builtins.input", lambda: "typed")
    assert reader(console)(lambda: "[39:59] which? (such as 1 2) > ") == "typed"
    assert "[39:59] which? (such as 1 2) > " in console.file.getvalue()


def fitting(line: str) -> str:
    """What answers a line."""
    if "which of these" in line:
        return "1 2"
    if "did it hold this" in line:
        return "y"
    if "(1-5" in line:
        return "" if "enter for" in line else "4"
    return "" if "enter goes on" in line else "said aloud"


def test_a_whole_interview_at_a_real_terminal_left_once_and_ended_with_a_scorecard(home: Path):
    with Terminal(home, "behavioral", "--seed", "1") as first:
        assert re.match(r"\[(40:00|39:5\d)\] say it aloud", first.asked())
        for text in ("?", "my story", "seven", "q"):
            first.type(text)
        assert first.close() == 0
    said = " ".join(first.seen.split())
    assert "name numbers from 1 to" in said and "costs a mark of STAR structure" in said and "the time goes on" in said

    with Terminal(home, "--resume") as second:
        line, count = second.asked(), 0
        assert "which of these" in line
        while line and count < 100:
            line, count = second.type(fitting(line)), count + 1
        assert second.close() == 0
    assert "Scorecard" in second.seen and "the target is 4 or more" in second.seen
    assert "Traceback" not in first.seen + second.seen
    [held] = history(ProgressFile(home / "progress.json").read())
    assert held.how == "finished" and held.evidence["hints"] == 1 and held.average is not None


def test_a_second_interview_is_refused_at_the_command_line(home: Path):
    Interview.start(new_file(home), "design", seed=1)
    result = CliRunner().invoke(app, ["mock", "theory"])
    assert isinstance(result.exception, InvalidInput) and "--resume" in str(result.exception)
    with pytest.raises(InvalidInput, match="one of"):
        CliRunner().invoke(app, ["mock", "theory", "--abandon"], catch_exceptions=False)
    assert CliRunner().invoke(app, ["mock", "--abandon"]).exit_code == 0
    assert [one.how for one in history(ProgressFile().read())] == ["abandoned"]
    with pytest.raises(InvalidInput, match="no interview is running"):
        CliRunner().invoke(app, ["mock", "--resume"], catch_exceptions=False)


def test_the_end_of_the_input_leaves_the_interview_open(tmp_path: Path):
    file = new_file(tmp_path)

    def read(_: str) -> str:
        raise EOFError

    console = Console(file=StringIO(), record=True, width=100)
    assert run(Interview.start(file, "theory", seed=1), console, read) is None
    assert Interview.resume(file) is not None and "--resume" in console.export_text()


def test_leaving_at_the_scorecard_keeps_it_for_later(tmp_path: Path):
    file = new_file(tmp_path)
    interview = Interview.start(file, "theory", seed=1)
    go_on(interview)
    console = Console(file=StringIO(), width=100)
    assert run(interview, console, lambda _: "q") is None
    found = Interview.resume(file)
    assert found is not None and found.phase == "scorecard"
    held = run(found, console, lambda _: "5")
    assert held is not None and held.average == 5.0


@pytest.mark.parametrize("name", ["coding", "theory", "design"])
def test_the_other_rounds_go_through_a_terminal_too(name: str, tmp_path: Path):
    interview = Interview.start(new_file(tmp_path), name, seed=2)
    console = Console(file=StringIO(), record=True, width=100)
    held = run(interview, console, lambda _: "3" if interview.prompt is None else reply_to(interview))
    assert held is not None and held.average == 3.0
    assert "Scorecard" in console.export_text()


def test_the_status_names_what_runs_and_what_comes_next(home: Path):
    status = json.loads(CliRunner().invoke(app, ["mock", "--json"]).stdout)
    assert status["running"] is None and status["next"] == "coding" and sum(status["planned"].values()) == 7
    hold(ProgressFile(), "design", seed=1)
    Interview.start(ProgressFile(), "theory", seed=1, minutes=30)
    status = json.loads(CliRunner().invoke(app, ["mock", "--status", "--json"]).stdout)
    assert status["held"]["design"] == 1
    assert status["running"]["round"] == "theory" and 1700 < status["running"]["seconds_left"] <= 1800
    said = CliRunner().invoke(app, ["mock"]).stdout
    assert "design 1 of 2" in said and "fraudkit mock --resume" in said


def test_the_history_as_a_table_and_as_json(home: Path):
    hold(ProgressFile(), "design", mark=5, seed=1)
    [entry] = json.loads(CliRunner().invoke(app, ["mock", "--history", "--json"]).stdout)
    assert entry["average"] == 5.0 and entry["round"] == "design" and entry["evidence"]["rubric"]["P"] == 2
    assert "5.0" in CliRunner().invoke(app, ["mock", "--history"]).stdout
