"""A real PostgreSQL server for tests, in a temporary folder and reached through a socket in it.

Needs Debian's `postgresql` package, whose programs are outside PATH. The server refuses to run as root, so that
it runs as the user `postgres` where the tests are root's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

MISSING = "PostgreSQL's server is not installed (Debian: apt-get install postgresql)"


def server_programs() -> Path | None:
    """The folder of initdb and postgres, of the latest version there is."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


class PostgresServer:
    """One server; a context manager. Its databases are gone with it. With `fsync` a commit waits for the disk."""

    def __init__(self, programs: Path, fsync: bool = False) -> None:
        self._programs = programs
        self._fsync = "on" if fsync else "off"
        self._user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._folder = Path(tempfile.mkdtemp(prefix="fk-pg-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    def __enter__(self) -> PostgresServer:
        if self._user:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "--no-sync", "--auth=trust", "--username=fraudkit", "--encoding=UTF8", "--locale=C")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [str(self._programs / name), "-D", str(self._folder / "data"), *arguments]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, timeout=60, check=False, **self._user)
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it and wait until it answers. Tests wait for no disk: processes are killed there, not machines."""
        options = ["-k", str(self._folder), "-c", "listen_addresses=", "-c", f"fsync={self._fsync}"]
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, **self._user)
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url()).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """End it with a signal; the default is a crash without its memory left behind."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    def freeze(self, frozen: bool) -> None:
        """Stop every process of the server where it stands, or let them go on."""
        assert self._process is not None
        children = subprocess.run(["pgrep", "-P", str(self._process.pid)], capture_output=True, text=True, check=False)
        for pid in [self._process.pid, *map(int, children.stdout.split())]:
            os.kill(pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def url(self, database: str = "postgres") -> str:
        """The address of one of its databases."""
        return f"postgresql:///{database}?host={self._folder}&user=fraudkit"

    def new_database(self) -> str:
        """The address of a database that nobody has written to."""
        self._made += 1
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE t{self._made}")
        return self.url(f"t{self._made}")
