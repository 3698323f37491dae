"""Keeps the secondary store up to date, in a process of its own that payments never wait for.

    python -m fraudkit.serve.mirror DECISIONS SECONDARY PARENT

DECISIONS is an SQLite file, or `-` for the database at DATABASE_URL; PARENT is the process id of the service.

It reads decided transactions from the decision database and appends them to the secondary store; a
payment that is there already is not appended twice. How far it is, is kept in the secondary store
itself. It ends when the service that started it is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fraudkit.features.online import OnlineFeatures
from fraudkit.features.secondary import SecondaryStore, SqliteTable
from fraudkit.serve.decisions.reader import DecisionReader, PostgresReader, Reader
from fraudkit.serve.rescore import transaction_of

AT_ONCE = 32  # few, so that a service that needs the table waits for little
PAUSE_S = 0.5
PURGE_S = 3600.0
POSITION_KEY = "mirror:position"
NICENESS = 5  # payments go first
STOP_S = 5.0
SHARED = "-"  # the database at DATABASE_URL: a URL may hold a password, which the list of processes must not show


class Mirror:
    """The work of the process."""

    def __init__(self, decisions: Reader, table: SqliteTable) -> None:
        self._decisions = decisions
        self._table = table
        self._store = SecondaryStore(table)
        self._features = OnlineFeatures(self._store)

    def step(self) -> int:
        """Append the next decided transactions; how many there were."""
        found = self._decisions.after(position(self._table), AT_ONCE)
        if found:
            self._features.vectors([transaction_of(json) for _, json in found])
            self._table.put({POSITION_KEY: str(found[-1][0]).encode()}, None)
        return len(found)

    def purge(self) -> None:
        """Make room."""
        self._store.purge()


def position(table: SqliteTable) -> int:
    """Position in the decision database up to which the secondary store has everything."""
    return int(table.get([POSITION_KEY]).get(POSITION_KEY, b"0"))


class MirrorProcess:
    """The process, as the service keeps it running."""

    def __init__(self, decisions: Path | None, secondary: Path) -> None:
        source = SHARED if decisions is None else str(decisions)
        self._command = [sys.executable, "-m", "fraudkit.serve.mirror", source, str(secondary), str(os.getpid())]
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
            raise RuntimeError(f"the mirror of the secondary store ended with {ended}; it was started again")

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


def open_reader(decisions: str) -> Reader:
    """The reader of an SQLite file, or of the database at DATABASE_URL."""
    return PostgresReader(os.environ["DATABASE_URL"]) if decisions == SHARED else DecisionReader(Path(decisions))


def main(decisions: str, secondary: Path, parent: int) -> None:
    """Work until the parent process is gone, be it since before we looked, or SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the service's to answer
    os.nice(NICENESS)
    mirror = Mirror(open_reader(decisions), SqliteTable(secondary))
    purged = time.monotonic()
    while os.getppid() == parent:
        if not mirror.step():
            time.sleep(PAUSE_S)
        if time.monotonic() - purged > PURGE_S:
            mirror.purge()
            purged = time.monotonic()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
