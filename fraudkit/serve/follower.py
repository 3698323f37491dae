"""What follows from decisions, in a process of its own that payments never wait for.

    python -m fraudkit.serve.follower FOLDER STORE_URL

It reads new decisions from the database in FOLDER and hands them on: to the secondary store, so that
it can take over, and as events to a stream. Each follower keeps how far it is; one that cannot go on
(the stream's server is away, or full) tries again and holds up no other. The process ends when the
service that started it is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fraudkit.core.config import settings
from fraudkit.core.errors import FraudkitError
from fraudkit.core.files import replace_file
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.secondary import SECONDARY_FILE, SecondaryStore, SqliteTable
from fraudkit.serve.decisions import DATABASE_FILE, DecisionReader
from fraudkit.serve.event_stream import PUBLISHED_FILE, EventSink, Publisher, open_sink
from fraudkit.serve.rescore import transaction_of

PAUSE_S, FAILURE_PAUSE_S = 0.5, 2.0
PURGE_S = 3600.0
POSITION_KEY = "mirror:position"
NICENESS = 5  # payments go first
STOP_S = 5.0
MIRRORED_AT_ONCE = 32  # few, so that a service that needs the table waits for little


class Follower(Protocol):
    """Does something with each new decision."""

    def step(self) -> int:
        """Go on a little; how many decisions were handed on, 0 where there is nothing to do."""
        ...


class Mirror:
    """Appends decided transactions to the secondary store; one that is there already is not appended twice."""

    def __init__(self, decisions: DecisionReader, table: SqliteTable) -> None:
        self._decisions = decisions
        self._table = table
        self._store = SecondaryStore(table)
        self._features = OnlineFeatures(self._store)
        self._purged_s = time.monotonic()

    def step(self) -> int:
        found = self._decisions.transactions_after(position(self._table), MIRRORED_AT_ONCE)
        if found:
            self._features.vectors([transaction_of(json) for _, json in found])
            self._table.put({POSITION_KEY: str(found[-1][0]).encode()}, None)
        if time.monotonic() - self._purged_s > PURGE_S:
            self._store.purge()
            self._purged_s = time.monotonic()
        return len(found)


def position(table: SqliteTable) -> int:
    """Position up to which the secondary store has every decision."""
    return int(table.get([POSITION_KEY]).get(POSITION_KEY, b"0"))


class FollowerProcess:
    """The process, as the service keeps it running."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self._command = [sys.executable, "-m", "fraudkit.serve.follower", str(folder), store_url]
        self._process: subprocess.Popen[bytes] | None = None

    def keep_running(self) -> None:
        """Start it where it does not run.

        Raises
        ------
        RuntimeError
            It had ended by itself; a new one is started all the same.
        """
        ended = self._process.poll() if self._process is not None else None
        if self._process is None or ended is not None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)  # noqa: S603 our own module
        if ended is not None:
            raise RuntimeError(f"the process that follows decisions ended with {ended}; it was started again")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


class Patiently:
    """Runs one follower; after a failure it rests, so that the others are not held up."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._again_s = 0.0

    def step(self) -> int:
        """A step, or 0 while it rests."""
        if time.monotonic() < self._again_s:
            return 0
        try:
            return self._follower.step()
        except FraudkitError:
            self._again_s = time.monotonic() + FAILURE_PAUSE_S
            return 0


def follow(followers: Sequence[Follower]) -> None:
    """Work until the parent process is gone or SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the service's to answer
    os.nice(NICENESS)
    parent = os.getppid()
    patient = [Patiently(follower) for follower in followers]
    while os.getppid() == parent:
        if not sum(follower.step() for follower in patient):
            time.sleep(PAUSE_S)


def main(folder: Path, store_url: str) -> None:
    """Follow the decisions in a folder of running processes' files."""
    database = folder / DATABASE_FILE
    followers: list[Follower] = [Mirror(DecisionReader(database), SqliteTable(folder / SECONDARY_FILE))]
    sink: EventSink | None = open_sink(settings().events, store_url)
    if sink is not None:
        followers.append(Publisher(DecisionReader(database), sink, folder / PUBLISHED_FILE, replace_file))
    follow(followers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
