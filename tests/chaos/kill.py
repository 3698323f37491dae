"""Kills the service under load again and again, and looks for everything that it had acknowledged.

    python -m tests.chaos.kill                          # a hundred kills, SQLite; needs a model in production
    python -m tests.chaos.kill --kills 10 --postgres    # a PostgreSQL server of its own

Each round starts `fraudkit serve`, sends payments and feedback from several clients, and kills the process with
SIGKILL at a random moment. After the next start every reply that a client had received must come back byte for byte
to a retry, every acknowledged word of feedback must be there, and every payment to review in the queue. Knows
nothing of power cuts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from fraudkit.core.config import settings
from fraudkit.core.console import console, output
from fraudkit.registry.registry import Registry
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from tests.postgres import MISSING, PostgresServer, server_programs
from tests.serve.process import command, environment

CLIENTS = 4
LIFE_S = (0.05, 0.6)  # between the first reply and the kill
START_S = 180.0  # a first start compiles the kernel


@dataclass
class Acknowledged:
    """What clients were told: replies by request body, and words of feedback."""

    replies: dict[str, bytes] = field(default_factory=dict)
    bodies: dict[str, dict] = field(default_factory=dict)
    words: list[tuple[str, bool, str]] = field(default_factory=list)


@dataclass
class Result:
    """What a run came to."""

    kills: int = 0
    decisions: int = 0
    words: int = 0
    reviews: int = 0
    lost: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)


@contextmanager
def started(home: Path, model: str, extra: dict[str, str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A service on a free port; killed at the end if it still lives."""
    whole = command("--port", "0", "--model", model)
    with log.open("w") as out:
        process = subprocess.Popen(whole, env=environment(home, **extra), stdout=out, stderr=out)
    try:
        yield process, _address(process, log)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if found := re.search(r"ready on (http://\S+)", log.read_text()):
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def send_until_dead(url: str, prefix: str, told: Acknowledged, lock: threading.Lock, first: threading.Event) -> None:
    """One client: a payment, and after every third one a word on it."""
    with httpx.Client(base_url=url, timeout=20) as client:
        number = 0
        while True:
            number += 1
            body = {
                **EXAMPLE_REQUEST, "transaction_id": f"{prefix}-{number}", "user_id": prefix,
                "amount": float(number * number), "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            }  # fmt: skip
            try:
                reply = client.post("/score_transaction", json=body)
                with lock:
                    if reply.status_code == 200:
                        told.replies[body["transaction_id"]] = reply.content
                        told.bodies[body["transaction_id"]] = body
                first.set()
                if number % 3 == 0:
                    word = {
                        "transaction_id": body["transaction_id"],
                        "is_fraud": number % 2 == 0,
                        "source": "chargeback",
                    }
                    if client.post("/feedback", json=word).status_code == 200:
                        with lock:
                            told.words.append((word["transaction_id"], word["is_fraud"], word["source"]))
            except httpx.HTTPError:
                return


def look(url: str, told: Acknowledged, result: Result) -> None:
    """Ask a new service for everything that an earlier one acknowledged."""
    with httpx.Client(base_url=url, timeout=20) as client:
        for name, reply in told.replies.items():
            again = client.post("/score_transaction", json=told.bodies[name])
            if again.content != reply:
                kept = client.get(f"/decisions/{name}")
                (result.altered if kept.status_code == 200 else result.lost).append(name)
            if json.loads(reply)["decision"] == "REVIEW":
                result.reviews += 1
                if client.get(f"/v1/reviews/{name}").status_code != 200:
                    result.lost.append(f"case {name}")
        for name, is_fraud, source in told.words:
            stored = client.get(f"/decisions/{name}").json().get("feedback", [])
            if (is_fraud, source) not in [(word["is_fraud"], word["source"]) for word in stored]:
                result.lost.append(f"word on {name}")
    result.decisions += len(told.replies)
    result.words += len(told.words)


def run(home: Path, model: str, kills: int, rng: random.Random, extra: dict[str, str] | None = None) -> Result:
    """Kill the service `kills` times; what was lost."""
    result, told = Result(), Acknowledged()
    log = home / "kill.log"
    for turn in range(kills + 1):
        with started(home, model, extra or {}, log) as (process, url):
            look(url, told, result)
            if turn == kills:
                break
            told, lock, first = Acknowledged(), threading.Lock(), threading.Event()
            run_id = f"{os.getpid()}-{turn}"
            clients = [
                threading.Thread(target=send_until_dead, args=(url, f"{run_id}-{n}", told, lock, first))
                for n in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            first.wait(START_S)
            time.sleep(rng.uniform(*LIFE_S))
            process.send_signal(signal.SIGKILL)
            process.wait()
            for client in clients:
                client.join()
            result.kills += 1
            if turn % 10 == 9:
                console.print(f"{turn + 1} kills, {result.decisions + len(told.replies):,} decisions")
    return result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own")
    parser.add_argument("--model", default="production", help="alias, version or folder")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    model = str(Registry(settings().registry).path(chosen.model)) if not Path(chosen.model).is_dir() else chosen.model
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fk-kill-")))
        extra = {}
        if chosen.postgres:
            programs = server_programs()
            if programs is None:
                raise SystemExit(MISSING)
            extra["DATABASE_URL"] = stack.enter_context(PostgresServer(programs)).new_database()
        result = run(home, model, chosen.kills, random.Random(), extra)
        stop_store(home)
    found = {**vars(result), "database": "PostgreSQL" if chosen.postgres else "SQLite"}
    if chosen.json:
        print(json.dumps(found))
    else:
        output.print(
            f"{result.kills} kills: of {result.decisions:,} decisions, {result.words:,} words of feedback and "
            f"{result.reviews:,} cases to review that were acknowledged, {len(result.lost)} were lost and "
            f"{len(result.altered)} altered ({found['database']})"
        )
    raise SystemExit(1 if result.lost or result.altered else 0)


def stop_store(home: Path) -> None:
    """End the embedded store, which outlives a killed service."""
    from fraudkit.features.embedded import EmbeddedValkey

    pid = EmbeddedValkey(home / "run" / "store").pid()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)


if __name__ == "__main__":
    main()
