"""What follows from decisions, in a process of its own that payments never wait for.

    python -m fraudkit.serve.follower FOLDER STORE_URL PARENT

It reads new decisions from the database, which is in FOLDER or at DATABASE_URL, and hands them on: to the
secondary store, so that it can take over, and as events to a stream. It also fills a feature store that came
back empty (fraudkit.serve.refill). Each follower keeps how far it is; one
that cannot go on (the stream's server is away, or full) tries again and holds up no other. The process ends
when the service that started it, whose process id is PARENT, is gone.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fraudkit.core.config import settings
from fraudkit.core.errors import FraudkitError
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.secondary import SecondaryStore, Table
from fraudkit.features.secondary_choice import secondary_table
from fraudkit.features.store import HistoryStore
from fraudkit.serve.decisions.opening import open_progress, open_reader
from fraudkit.serve.decisions.reader import Reader
from fraudkit.serve.ending import Ending
from fraudkit.serve.event_stream import EventSink, Publisher, open_sink
from fraudkit.serve.refill import Refill
from fraudkit.serve.rescore import transaction_of

PAUSE_S, FAILURE_PAUSE_S = 0.5, 2.0
PURGE_S = 3600.0
TELL_S = 10.0  # between two words on how far the secondary store is
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

    def __init__(self, decisions: Reader, table: Table) -> None:
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


class Standing:
    """Tells the others on a shared database, now and then, how far this service's secondary store is."""

    def __init__(self, url: str, name: str, table: Table) -> None:
        from fraudkit.serve.decisions.followers import SharedFollowers

        self._followers = SharedFollowers(url)
        self._name = name
        self._table = table
        self._next_s = 0.0

    def step(self) -> int:
        if time.monotonic() >= self._next_s:
            self._followers.tell(self._name, position(self._table))
            self._next_s = time.monotonic() + TELL_S
        return 0


def position(table: Table) -> int:
    """Position up to which the secondary store has every decision."""
    return int(table.get([POSITION_KEY]).get(POSITION_KEY, b"0"))


def refill_of(decisions: Reader, table: Table, store_url: str) -> Refill:
    """What fills the feature store at a URL again."""
    return Refill(decisions, table, lambda: HistoryStore.connect(store_url, filling=True), lambda: position(table))


class FollowerProcess:
    """The process, as the service keeps it running until the service is asked to end."""

    def __init__(self, folder: Path, store_url: str, ending: Ending) -> None:
        self._command = [sys.executable, "-m", "fraudkit.serve.follower", str(folder), store_url, str(os.getpid())]
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = ending
        self._was_gone = False

    def keep_running(self) -> None:
        """Start it where it does not run; after an end of its own not before the next call.

        Whoever stops a service often sends the signal to all its processes, and the follower, which has nothing to
        finish, may be gone before the service has looked at its own signal.

        Raises
        ------
        RuntimeError
            It had ended by itself; a new one is started all the same.
        """
        ended = self._process.poll() if self._process is not None else None
        gone, self._was_gone = self._was_gone, ended is not None
        if self._ending.asked or (ended is not None and not gone):
            return
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


def follow(followers: Sequence[Follower], parent: int) -> None:
    """Work until the parent process is gone, be it since before we looked, or SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the service's to answer
    os.nice(NICENESS)
    patient = [Patiently(follower) for follower in followers]
    while os.getppid() == parent:
        if not sum(follower.step() for follower in patient):
            time.sleep(PAUSE_S)


def main(folder: Path, store_url: str, parent: int) -> None:
    """Follow the decisions of the service whose processes keep their files in a folder."""
    url = settings().database_url
    decisions, table = open_reader(folder, url), secondary_table(settings().secondary, folder)
    followers: list[Follower] = [Mirror(decisions, table), refill_of(decisions, table, store_url)]
    if url is not None:
        followers.append(Standing(url, f"{socket.gethostname()}:{folder}", table))
    sink: EventSink | None = open_sink(settings().events, store_url)
    if sink is not None:
        followers.append(Publisher(open_reader(folder, url), sink, open_progress(folder, url)))
    follow(followers, parent)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
