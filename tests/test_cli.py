"""The command line as a user meets it: a real process."""

import json
import os
import subprocess
import sys

import pytest

from fraudkit.cli import COMMANDS, load_command


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "fraudkit", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_help_lists_every_command():
    printed = run("--help")
    assert printed.returncode == 0
    for name in COMMANDS:
        assert name in printed.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_has_a_help(name: str):
    command = load_command(name)
    assert command.help


def test_an_unknown_command_is_refused_without_a_traceback():
    printed = run("nosuch")
    assert printed.returncode == 2
    assert "nosuch" in printed.stderr and "Traceback" not in printed.stderr


def test_a_mendable_error_is_one_sentence():
    printed = run("doctor", FRAUDKIT_PORT="http")
    assert printed.returncode == 1
    assert "FRAUDKIT_PORT='http' is not a port" in printed.stderr
    assert "Traceback" not in printed.stderr


def test_doctor_finds_this_machine_in_order():
    printed = run("doctor", "--json")
    findings = json.loads(printed.stdout)
    assert [f["name"] for f in findings if f["needed"] and not f["ok"]] == []
    assert printed.returncode == 0


def test_doctor_names_a_home_that_cannot_be_written():
    printed = run("doctor", FRAUDKIT_HOME="/proc/nowhere")
    assert printed.returncode == 1
    assert "set FRAUDKIT_HOME" in printed.stdout
