"""The service as it is run: a process of its own, for the tests that need one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from fraudkit.serve.contracts import EXAMPLE_REQUEST

PATIENCE = "40"  # a machine that runs tests beside this one is late for other reasons than a broken part

# Of whoever runs the tests.
DROPPED = {"REDIS_URL", "FRAUDKIT_API_KEY", "FRAUDKIT_CARD_KEY", "FRAUDKIT_HOST", "DATABASE_URL"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "fraudkit", "serve", *arguments]


def environment(home: Path, **extra: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in DROPPED}
    return {**kept, "FRAUDKIT_HOME": str(home), "COLUMNS": "400", "FRAUDKIT_PATIENCE": PATIENCE, **extra}


@dataclass
class Running:
    """A service in its own process."""

    process: subprocess.Popen[str]
    client: httpx.Client
    home: Path
    seconds_to_ready: float


@contextmanager
def served(
    home: Path, bundle: Path | None = None, *python: str, arguments: Sequence[str] = (), **variables: str
) -> Iterator[Running]:
    """Run `fraudkit serve` on a free port; without a bundle, the registry's production model.

    `python` are options of the interpreter, `arguments` of the command, `variables` of the environment.
    """
    started = time.perf_counter()
    whole = command("--port", "0", "--model", "production" if bundle is None else str(bundle), *arguments)
    log = (home / "stderr.txt").open("w+")
    variables = environment(home, **variables)
    process = subprocess.Popen([whole[0], *python, *whole[1:]], env=variables, stderr=log, text=True)
    try:
        with httpx.Client(base_url=address(process, home / "stderr.txt"), timeout=20) as client:
            while client.get("/ready").status_code != 200:
                time.sleep(0.01)
            yield Running(process, client, home, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        log.close()


def address(process: subprocess.Popen[str], log: Path) -> str:
    """The address that the service announces."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = re.search(r"ready on (http://\S+)", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    raise AssertionError(log.read_text())


def now(minutes_ago: float = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 * minutes_ago))


def body(number: int, **changes: object) -> dict:
    return {**EXAMPLE_REQUEST, "transaction_id": f"txn-{number}", "timestamp": now(), **changes}
