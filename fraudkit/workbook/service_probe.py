"""A scoring service of its own for a check: a process on a free port, with its store and decisions in a new folder.

The reader's own service, store and decisions are left alone. Talks to it over HTTP only.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import local

from fraudkit.core.errors import NotReady

START_S = 90.0
REPLY_S = 10.0
READY = re.compile(r"ready on http://127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Probe:
    """A running service: its port, and the folder that holds its log and its decision database."""

    port: int
    home: Path

    def post(self, body: dict, connection: http.client.HTTPConnection | None = None) -> tuple[int, bytes]:
        """Status and body of one payment's reply."""
        connection = connection or self.connect()
        connection.request(
            "POST", "/score_transaction", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        reply = connection.getresponse()
        return reply.status, reply.read()

    def connect(self) -> http.client.HTTPConnection:
        """A connection to it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=REPLY_S)

    def log(self) -> str:
        """What it has written to its log."""
        return (self.home / "service.log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def own_service(model_folder: Path, start_s: float = START_S) -> Iterator[Probe]:
    """Start a service on the bundle in this folder; it is stopped and its folder removed at the end.

    Raises
    ------
    NotReady
        It does not say that it is ready; the message has its last words.
    """
    with tempfile.TemporaryDirectory(prefix="fraudkit-check-") as folder:
        home, kept = Path(folder), ("REDIS_URL", "FRAUDKIT_API_KEY", "FRAUDKIT_HOST", "FRAUDKIT_PORT")
        environment = {name: value for name, value in os.environ.items() if name not in kept}
        environment |= {"FRAUDKIT_HOME": folder, "NO_COLOR": "1", "COLUMNS": "200"}
        command = [sys.executable, "-m", "fraudkit", "serve", "--port", "0", "--model", str(model_folder.resolve())]
        with (home / "service.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                [*command, "--host", "127.0.0.1", "--json-logs"], stdout=log, stderr=log, env=environment
            )
        try:
            yield Probe(_port(process, home / "service.log", start_s), home)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: subprocess.Popen[bytes], log: Path, start_s: float) -> int:
    """The port that the service announces."""
    until = time.monotonic() + start_s
    while time.monotonic() < until:
        said = log.read_text(encoding="utf-8", errors="replace")
        if found := READY.search(said):
            return int(found[1])
        if process.poll() is not None:
            raise NotReady(f"the service did not start: {said.strip()[-300:]}")
        time.sleep(0.05)
    raise NotReady(f"the service was not ready after {start_s:.0f} s; start it by hand: fraudkit serve")


def open_loop(probe: Probe, bodies: Sequence[dict], rate: float, connections: int = 8) -> list[float]:
    """Send each body when it is due, `rate` a second; latencies in seconds from the moment it was due.

    A late reply does not hold back the next request while a connection is free, so that a slow
    service cannot hide behind its own slowness.

    Raises
    ------
    NotReady
        A reply was not 200.
    """
    kept = local()
    start = time.perf_counter() + 0.05

    def send(number: int) -> float:
        due = start + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        if not hasattr(kept, "connection"):
            kept.connection = probe.connect()
        status, reply = probe.post(bodies[number], kept.connection)
        if status != 200:
            raise NotReady(f"the service answered {status}: {reply[:200].decode(errors='replace')}")
        return time.perf_counter() - due

    with ThreadPoolExecutor(connections) as pool:
        return list(pool.map(send, range(len(bodies))))
