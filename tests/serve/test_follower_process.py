"""The process that follows decisions runs as long as its service, and no longer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from fraudkit.serve.decisions import DecisionStore
from tests.serve.process import Running, body, served
from tests.stand_ins import noise_bundle

SECOND_LOOK_S = 1.0  # several rounds of the thread that would start another one


def test_a_service_that_was_killed_while_the_follower_started_leaves_none_behind(tmp_path: Path):
    DecisionStore(tmp_path / "decisions.db").close()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(30)
    command = [sys.executable, "-m", "fraudkit.serve.follower", tmp_path, "redis://unused", str(gone.pid)]
    assert subprocess.run(command, timeout=60, check=False).returncode == 0


def follower_of(running: Running) -> int:
    """Process id of the follower, 0 where there is none."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(running.process.pid)], capture_output=True, text=True, check=False
    )
    return next((int(line.split()[0]) for line in listed.stdout.splitlines() if "serve.follower" in line), 0)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_follower_that_dies_is_started_again_but_not_while_the_service_ends(tmp_path: Path):
    """Everybody gets the signal, the follower first, while a request is under way that the service still answers."""
    log = tmp_path / "stderr.txt"
    with served(tmp_path, noise_bundle().save(tmp_path / "bundle")) as running:
        first = follower_of(running)
        os.kill(first, signal.SIGKILL)
        until(lambda: follower_of(running) not in (first, 0))
        assert "ended with -9; it was started again" in log.read_text()
        address = running.client.base_url
        with socket.create_connection((address.host, address.port), timeout=20) as line:
            sent = orjson.dumps(body(1))
            head = f"POST /score_transaction HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sent)}\r\n"
            line.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + sent[:20])
            until(lambda: running.client.get("/ready").status_code == 200)  # the service has seen what was sent before
            os.kill(follower_of(running), signal.SIGTERM)
            os.kill(running.process.pid, signal.SIGTERM)
            time.sleep(SECOND_LOOK_S)
            assert follower_of(running) == 0
            line.sendall(sent[20:])
            assert line.recv(4096).startswith(b"HTTP/1.1 200")
        assert running.process.wait(20) == 0
    assert log.read_text().count("started again") == 1
