"""The image: pinned, without secrets, as a user without rights, starting a command that exists.

No image is built here: that needs a container engine. What the service needs of its user is tried for real.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from fraudkit.cli import COMMANDS
from tests.deploy.test_kubernetes import NOT_OURS, names_read
from tests.serve.process import body, command, environment
from tests.stand_ins import noise_bundle

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
IGNORED = ROOT / "deploy" / "Dockerfile.dockerignore"
USER = 10_001
START_S = 90.0


def instructions() -> list[tuple[str, str]]:
    """Instruction and argument of each step, lines joined and comments left out."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").split("\n") if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in joined.split("\n") if line.strip()]


STEPS = instructions()


def of(name: str) -> list[str]:
    return [argument for instruction, argument in STEPS if instruction == name]


def test_every_base_is_pinned_to_a_full_version():
    for base in of("FROM"):
        assert re.match(r"python:3\.\d+\.\d+-[a-z-]+( AS \w+)?$", base), base


def test_what_is_copied_exists_and_nothing_else_is_let_in():
    allowed = {line[1:] for line in IGNORED.read_text(encoding="utf-8").split("\n") if line.startswith("!")}
    assert IGNORED.read_text(encoding="utf-8").split("\n")[1] == "*"
    copied = {name for argument in of("COPY") if "--from" not in argument for name in argument.split()[:-1]}
    assert copied == allowed and all((ROOT / name).exists() for name in copied)


def test_it_runs_as_the_user_of_the_manifests_and_not_as_root():
    names = [instruction for instruction, _ in STEPS]
    assert of("USER") == [f"{USER}:{USER}"]
    assert names.index("USER") < names.index("ENTRYPOINT") and "RUN" not in names[names.index("USER") :]
    service = next(yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "service.yaml").read_text(encoding="utf-8")))
    pod = service["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsUser"] == USER
    assert pod["containers"][0]["command"] == json.loads(of("ENTRYPOINT")[0])


def test_it_starts_a_command_that_exists_and_sets_only_names_that_are_read():
    program, command, *_ = json.loads(of("ENTRYPOINT")[0])
    assert program == "fraudkit" and command in COMMANDS
    set_names = {pair.partition("=")[0] for argument in of("ENV") for pair in argument.split()}
    known = names_read(ROOT / "fraudkit") | NOT_OURS | {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert set_names <= known


def test_it_holds_no_secret():
    assert not re.search(r"(?i)(secret|password|api_?key)\s*=\s*\S", "\n".join(argument for _, argument in STEPS))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="fraudkit-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


BECOME = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--no-new-privs"]


def can_be_another_user() -> bool:
    """Whether this process may become the image's user, and that user may run this Python."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    again = "import subprocess, sys, fraudkit; subprocess.run([sys.executable, '-c', ''], check=True)"
    tried = subprocess.run([*BECOME, sys.executable, "-c", again], stderr=subprocess.DEVNULL, check=False)
    return tried.returncode == 0


@pytest.mark.timeout(200)
def test_the_service_runs_as_a_user_who_owns_nothing_but_its_home(open_folder: Path):
    """As in the image: no rights, and code and model that it can read but not change."""
    if not can_be_another_user():
        pytest.skip("only root can become the image's user, and that user has to be able to read this Python")
    home, bundle = open_folder / "home", noise_bundle().save(open_folder / "v0001")
    home.mkdir()
    os.chown(home, USER, USER)
    for path in (bundle, *bundle.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    log = home / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*BECOME, *command("--port", "0", "--model", str(bundle))],
            env=environment(home, HOME="/nonexistent", NUMBA_CACHE_DIR=str(home / "numba")),
            stdout=out, stderr=out, cwd=home,
        )  # fmt: skip
    try:
        deadline, found = time.monotonic() + START_S, None
        while found is None and time.monotonic() < deadline and process.poll() is None:
            found = re.search(r"(http://127\.0\.0\.1:\d+)", log.read_text())
            time.sleep(0.1)
        assert found is not None, log.read_text()
        assert httpx.post(f"{found[1]}/score_transaction", json=body(1), timeout=30).status_code == 200
        assert f"Uid:\t{USER}" in Path(f"/proc/{process.pid}/status").read_text()
    finally:
        process.terminate()
        assert process.wait(30) == 0
