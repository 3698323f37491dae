"""A faulty service to practise on: started as a process of its own, driven payment by payment.

The services of one rehearsal follow each other over one feature store, one decision database and one
clock that counts payments, so that the same rehearsal gives the same counts. The process gets only
the environment that it needs, listens on loopback, and is stopped with the rehearsal.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.errors import NotReady
from fraudkit.core.transaction import Transaction
from fraudkit.workbook.incident.alert import MINUTE_MS
from fraudkit.workbook.incident.snapshot import Snapshot, read_snapshot

PER_MINUTE = 10
START_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 10.0
RESTART_MIN = 1  # of the service's time, between two services
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "NUMBA_CACHE_DIR", "VIRTUAL_ENV", "SYSTEMROOT")


def request_of(transaction: Transaction) -> dict[str, Any]:
    """The JSON body that asks for a transaction's score."""
    t = transaction
    return {
        "transaction_id": t.transaction_id,
        "user_id": t.user_id,
        "amount": t.amount,
        "currency": t.currency,
        "merchant_id": t.merchant_id,
        "merchant_category": t.merchant_category,
        "timestamp": from_epoch_ms(t.event_time_ms).isoformat(),
        "location": {"country": t.country, "latitude": t.latitude, "longitude": t.longitude},
        "device": {"device_id": t.device_id, "device_type": t.device_type, "ip_address": t.ip_address},
        "card_present": t.card_present,
        "online_transaction": t.online_transaction,
    }


def shipped_lookup(version: str) -> str:
    """The text of a version of `get_reputation` that ships with the package: sound, leaking or fixed."""
    command = [sys.executable, "-m", "fraudkit.faults", "show", version]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT_S, check=False)  # noqa: S603
    if shown.returncode:
        raise NotReady(f"no text of {version!r}: {shown.stderr.strip()[-300:]}")
    return shown.stdout


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: HTTP status, the reply's JSON (None without one), and how long it took, ms."""

    status: int
    body: dict[str, Any] | None
    milliseconds: float


class Rehearsal:
    """Services in turn, the traffic that goes to them, and what was seen of it.

    Parameters
    ----------
    payments : transactions in the order in which they arrive; each is sent once
    redis_url : the feature store that all services use
    start_ms : the services' time at the beginning; no payment may be younger
    folder : where decisions and logs lie; a temporary folder by default
    model : alias, version or folder of the bundle that scores

    Attributes
    ----------
    snapshots : /metrics as read, one at each start and then as `run` was told
    statuses : how often each HTTP status came
    """

    def __init__(
        self,
        payments: Iterable[Transaction],
        redis_url: str,
        start_ms: int,
        folder: Path | None = None,
        model: str = "production",
    ) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="fraudkit-rehearsal-") if folder is None else None
        self.folder = Path(self._temporary.name) if self._temporary else Path(folder or ".")
        self.snapshots: list[Snapshot] = []
        self.statuses: Counter[int] = Counter()
        self._payments = iter(payments)
        self._redis_url = redis_url
        self._model = model
        self._now_ms = start_ms
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None

    @property
    def database(self) -> Path:
        """The decision database of all services."""
        return self.folder / "run" / "decisions.db"

    @property
    def log_path(self) -> Path:
        """What the services wrote to standard error."""
        return self.folder / "service.log"

    def start(self, lookup: str = "leaking", *, fixed: Path | None = None, pool: int = 20, wait_ms: int = 105) -> None:
        """Stop the service that runs, if one does, and start another.

        Parameters
        ----------
        lookup : version of the lookup that ships with the package
        fixed : file with a lookup of one's own, in its place
        pool, wait_ms : size of the pool, and how long a payment waits for a connection

        Raises
        ------
        NotReady
            It did not come up; the message holds what it said.
        """
        if self._process is not None:
            self._stop_service()
            self._now_ms += RESTART_MIN * MINUTE_MS
        self.folder.mkdir(parents=True, exist_ok=True)
        start = from_epoch_ms(self._now_ms).isoformat()
        command = [
            sys.executable, "-m", "fraudkit.faults", "leak", "--start", start, "--per-minute", str(PER_MINUTE),
            "--pool", str(pool), "--wait-ms", str(wait_ms), "--home", str(self.folder), "--model", self._model,
            *(["--fixed", str(fixed)] if fixed else ["--lookup", lookup]),
        ]  # fmt: skip
        known = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own module
                command, stdout=log, stderr=subprocess.STDOUT, env=_environment(self._redis_url), cwd=self.folder
            )
        host, port = self._announced(known)
        self._connection = http.client.HTTPConnection(host, port, timeout=ANSWER_TIMEOUT_S)
        self.snapshots.append(self.scrape())

    def send(self, transaction: Transaction) -> Reply:
        """Send one payment and wait for its answer; status 0 where none came in time."""
        started = time.perf_counter()
        status, text = self._ask("POST", "/score_transaction", json.dumps(request_of(transaction)).encode())
        took_ms = (time.perf_counter() - started) * 1000
        self.statuses[status] += 1
        return Reply(status, json.loads(text) if status == 200 else None, took_ms)

    def run(self, minutes: int, scrape_every: int = 1) -> list[Reply]:
        """Send `minutes` minutes of payments one after the other, reading /metrics every so many minutes."""
        replies = []
        for minute in range(1, minutes + 1):
            for _ in range(PER_MINUTE):
                payment = next(self._payments, None)
                if payment is None:
                    raise NotReady("the rehearsal has no payments left; give it more, or run fewer minutes")
                replies.append(self.send(payment))
            if minute % scrape_every == 0 or minute == minutes:
                self.snapshots.append(self.scrape())
        return replies

    def scrape(self) -> Snapshot:
        """What /metrics says now."""
        status, text = self._ask("GET", "/metrics")
        if status != 200:
            raise NotReady(f"/metrics answered {status or 'nothing'}; look into the service's log")
        snapshot = read_snapshot(text.decode())
        self._now_ms = snapshot.at_ms
        return snapshot

    def log(self) -> list[dict[str, Any]]:
        """The JSON lines of the services' log, oldest first."""
        text = self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""
        return list(_json_lines(text))

    def close(self) -> None:
        """Stop the service and remove the temporary folder."""
        self._stop_service()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        if self._connection is None:
            raise NotReady("no service runs; call start() first")
        for _ in range(2):
            try:
                self._connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()  # the service closes what was idle for some seconds; a fresh one is asked
            except (OSError, http.client.HTTPException):
                self._connection.close()  # the next request opens another
                break
        return 0, b""

    def _announced(self, skip: int) -> tuple[str, int]:
        """Host and port that the service names in its log, of which `skip` bytes are older."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            with self.log_path.open("rb") as log:
                log.seek(skip)
                said = log.read().decode(errors="replace")
            found = re.search(r"ready on http://([\d.]+):(\d+)", said)
            if found:
                return found[1], int(found[2])
            if self._process.poll() is not None:
                self._process = None
                raise NotReady(f"the service did not start: {' '.join(said.split())[-500:]}")
            time.sleep(0.01)
        self._stop_service()
        raise NotReady(f"the service did not start within {START_TIMEOUT_S:.0f} s")

    def _stop_service(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:  # a lookup that never returns
                self._process.kill()
                self._process.wait()
            self._process = None


def _environment(redis_url: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {"FRAUDKIT_HOME": str(settings().home), "REDIS_URL": redis_url, "COLUMNS": "400"}


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue  # a line that is still being written
