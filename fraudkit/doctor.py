"""`fraudkit doctor`: what this machine lacks, and how to get it.

It must run where half of the packages are missing, so it imports nothing but the standard library
and typer at the top. It knows nothing of worlds and models; `fraudkit setup` builds those.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import typer
from rich.markup import escape

from fraudkit.core.config import PROJECT_ROOT, settings
from fraudkit.core.console import output

NEEDED_DISK_GB = 4.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `needed` findings that are not `ok` make the command fail."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    needed: bool = True


def check_python() -> Finding:
    """Is the interpreter new enough?"""
    version = platform.python_version()
    return Finding("Python 3.11+", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def check_platform() -> Finding:
    """Linux and macOS are supported; Windows through WSL."""
    system = platform.system()
    return Finding(
        "platform", system in ("Linux", "Darwin"), f"{system} {platform.machine()}", "on Windows, work inside WSL"
    )


def declared_packages() -> dict[str, str]:
    """Package name -> pinned version, as pyproject.toml declares them for running (not for tests)."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = (re.match(r"([\w.-]+)(?:\[.*\])?==(.+)", line) for line in project["dependencies"])
    return {pin[1]: pin[2] for pin in pins if pin}


def check_packages() -> Finding:
    """Are the pinned packages installed, in the pinned versions?"""
    wrong = []
    for name, wanted in declared_packages().items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} {wanted} is missing")
            continue
        if found.split("+")[0] != wanted:
            wrong.append(f"{name} is {found}, pinned {wanted}")
    detail = "; ".join(wrong) or f"{len(declared_packages())} as pinned"
    return Finding("packages", not wrong, detail, "make install")


def check_disk() -> Finding:
    """Is there room for a world, a model and the environment?"""
    free_gb = shutil.disk_usage(PROJECT_ROOT).free / 1e9
    return Finding(
        "disk", free_gb > NEEDED_DISK_GB, f"{free_gb:.0f} GB free", f"make {NEEDED_DISK_GB:.0f} GB free on this disk"
    )


def check_home() -> Finding:
    """Can the data folder be written?"""
    home = settings().home
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        return Finding("data folder", False, f"{home}: {error}", "set FRAUDKIT_HOME to a folder that can be written")
    return Finding("data folder", True, str(home))


def check_store() -> Finding:
    """Can the embedded feature store start here?"""
    if settings().redis_url:
        return Finding("feature store", True, "REDIS_URL is set; the embedded one is not needed")
    try:
        from fraudkit.features.embedded import EmbeddedValkey

        with tempfile.TemporaryDirectory() as folder:
            EmbeddedValkey(Path(folder), persist=False).start().stop()
    except Exception as error:  # whatever went wrong here is the finding
        return Finding("feature store", False, str(error), "set REDIS_URL to a Valkey or Redis server")
    return Finding("feature store", True, "the embedded Valkey starts")


def check_browser() -> Finding:
    """Is there a Chromium for the browser tests?"""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return Finding("Chromium", path is not None, path or "not found", "Debian: apt-get install chromium", needed=False)


def check_git() -> Finding:
    """Is git there? Only contributors need it."""
    path = shutil.which("git")
    return Finding("git", path is not None, path or "not found", "install git to contribute", needed=False)


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_python,
    check_platform,
    check_packages,
    check_disk,
    check_home,
    check_store,
    check_browser,
    check_git,
)


def doctor(
    quiet: bool = typer.Option(False, "--quiet", help="Print only what is wrong and needed."),
    as_json: bool = typer.Option(False, "--json", help="Print the findings as JSON."),
) -> None:
    """Say what is missing on this machine and how to get it; exit 1 if something needed is."""
    findings = [check() for check in CHECKS]
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            if quiet and (finding.ok or not finding.needed):
                continue
            mark = "[green]ok[/green]" if finding.ok else ("[red]missing[/red]" if finding.needed else "optional")
            output.print(f"{mark:>8}  {finding.name}: {escape(finding.detail)}")
            if not finding.ok:
                output.print(f"          {escape(finding.remedy)}")
    if any(finding.needed and not finding.ok for finding in findings):
        raise typer.Exit(1)
