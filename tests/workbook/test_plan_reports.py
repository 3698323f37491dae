"""The reports that a learner asks for go to standard output, where they can be piped; nothing else does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fraudkit.cli import app
from fraudkit.workbook.stories.shelf import Shelf


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    "command, shown",
    [
        ("today", "fraudkit mock coding"),
        ("plan", "Progress tracker"),
        ("readiness", "Coding Interview"),
        ("story list", "alarm"),
        ("story check", "alarm"),
        ("story map", "gaps"),
        ("story walkthrough", ": 0 words"),
    ],
)
def test_a_report_can_be_piped(home: Path, command: str, shown: str):
    Shelf().new("alarm", "failure")
    Shelf().new_walkthrough(False)
    result = run(*command.split())
    assert shown in result.stdout
    assert "Traceback" not in result.stderr and shown not in result.stderr


@pytest.mark.parametrize("command", ["plan", "readiness"])
def test_what_is_said_beside_a_file_that_is_written_is_no_report(home: Path, command: str):
    option = "--markdown" if command == "plan" else "--html"
    result = run(command, option, str(home / "report"))
    assert result.exit_code == 0 and result.stdout == "" and "written to" in result.stderr


def test_settings_that_cannot_be_read_are_told_beside_the_plan_and_not_in_it(home: Path):
    (home / "progress").mkdir()
    run("plan", "--start", "today")
    kept = next(home.rglob("progress*.json"))
    kept.write_text(kept.read_text().replace('"weeks": 12', '"weeks": "many"'))
    result = run("plan")
    assert "cannot be read" in result.stderr and "cannot be read" not in result.stdout
    assert "Progress tracker" in result.stdout


@pytest.mark.parametrize("command", ["list", "check"])
def test_that_there_is_no_story_is_told_beside_an_empty_report(home: Path, command: str):
    result = run("story", command)
    assert result.exit_code == 0 and result.stdout == "" and "fraudkit story new" in result.stderr


@pytest.mark.parametrize("command", ["today", "plan", "readiness"])
def test_a_reader_who_leaves_early_is_no_failure(home: Path, command: str):
    process = subprocess.Popen(
        [sys.executable, "-m", "fraudkit", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), said) == (0, "")
