"""The secondary feature store: the same histories in a table of keys and values, for when the first store is away.

It answers as fraudkit.features.store does, to the byte, but a batch costs a transaction of the table
instead of one script call. Which keys there are, and what the bytes mean, is the same. It knows nothing of
how it is kept up to date; fraudkit.serve.follower does that.
"""

from __future__ import annotations

import sqlite3
import struct
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from fraudkit.core.errors import CorruptArtefact, StoreUnavailable
from fraudkit.features.catalog import HORIZON_S
from fraudkit.features.histories import DEVICE, IP, TILES_KEY, USER, Histories, Parties, Snapshot, reputation_key
from fraudkit.features.plan import Kind
from fraudkit.features.records import PROFILE, TILE, shared_events, user_events

SECONDARY_FILE = "secondary.db"  # in the folder of running processes' files
_UNRATED = struct.pack("<d", float("nan"))
_KEYS = 500  # in one query
Values = dict[str, bytes]


class Table(ABC):
    """Keys and values, some of which may be forgotten after a time."""

    @abstractmethod
    def batch(self) -> AbstractContextManager[None]:
        """Everything inside is read and written as one step."""

    @abstractmethod
    def get(self, keys: Iterable[str]) -> Values:
        """The values that are there."""

    @abstractmethod
    def put(self, values: Mapping[str, bytes], expires_s: int | None) -> None:
        """Write values that may be forgotten after `expires_s` (seconds since 1970), None: never."""

    @abstractmethod
    def pages(self, size: int) -> Iterator[Values]:
        """Everything, about `size` keys at a time; what is written meanwhile may be in it or not."""

    @abstractmethod
    def purge(self, now_s: int) -> None:
        """Forget what may be forgotten at `now_s`. It makes room; histories drop old events when they are read."""

    @abstractmethod
    def clear(self) -> None:
        """Delete everything."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the table."""


class SecondaryStore(Histories):
    """Histories in a table, with the interface of HistoryStore; safe to share between threads.

    Raises
    ------
    StoreUnavailable
        By every method, where the table does not answer.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def exchange(self, parties: Parties, records: np.ndarray, *, reputations: bool = False) -> Snapshot:
        """As HistoryStore.exchange: read what a batch needs and append the batch to the histories.

        Raises
        ------
        CorruptArtefact
            A value has an impossible length.
        """
        known_at: list[int] = records["known_at"].tolist()
        plain = [f"{{{user}}}:p" for user in parties.users]
        merchants = [f"{{{merchant}}}:m" for merchant in parties.merchants]
        rated = [reputation_key(ip) if ip and reputations else None for ip in parties.ips]
        with self._table.batch():
            found = self._table.get({*plain, *merchants, TILES_KEY, *filter(None, rated)})
            snapshot = Snapshot(
                users=self._append(USER, parties.users, user_events(records), known_at),
                devices=self._append(DEVICE, parties.devices, shared_events(records), known_at),
                ips=self._append(IP, parties.ips, shared_events(records), known_at),
                profiles=[_of_size(key, found.get(key), PROFILE.itemsize) for key in plain],
                merchants=[_of_size(key, found.get(key), TILE.itemsize) for key in merchants],
                shared_tiles=found.get(TILES_KEY, b""),
                reputations=np.frombuffer(b"".join(found.get(key or "", _UNRATED) for key in rated), dtype="<f8"),
            )
        return snapshot

    def _append(
        self, kind: Kind, entities: Sequence[str | None], events: np.ndarray, known_at: list[int]
    ) -> list[bytes]:
        """The histories before each transaction of a batch, the new events appended; empty where there is no entity."""
        keys = [kind.key(entity) if entity else None for entity in entities]
        blobs = self._table.get({key for key in keys if key})
        size, raw = kind.dtype.itemsize, events.tobytes()
        before = []
        for row, key in enumerate(keys):
            if key is None:
                before.append(b"")
                continue
            record = raw[row * size : (row + 1) * size]
            old, new = appended(_whole(key, blobs.get(key, b""), size), record, kind.bound, known_at[row])
            before.append(old)
            blobs[key] = new
        self._table.put(blobs, max(known_at) + HORIZON_S)
        return before

    def purge(self) -> None:
        """Forget histories that nobody added to for HORIZON_DAYS."""
        self._table.purge(int(time.time()))

    def filled(self) -> bool:
        """Whether profiles and tiles were ever published here."""
        return bool(self._table.get([TILES_KEY]))

    def mark_filled(self) -> None:
        """Do nothing: a table is lost as a whole or not at all."""

    def ping(self) -> None:
        """Return if the table answers."""
        self._table.get([TILES_KEY])

    def clear(self) -> None:
        """Delete everything."""
        self._table.clear()

    def close(self) -> None:
        """Let go of the table."""
        self._table.close()

    def _write(self, items: Iterable[tuple[str, bytes]], ttl: int | None = None) -> None:
        with self._table.batch():
            self._table.put(dict(items), None if ttl is None else int(time.time()) + ttl)


def appended(history: bytes, record: bytes, bound: int, known_at: int) -> tuple[bytes, bytes]:
    """A history as it stood before an event, and as it stands after: append.lua, word for word.

    Parameters
    ----------
    history, record : whole records, each of which begins with its event time and its transaction's hash
    bound : most events kept
    known_at : arrival of the event, seconds since 1970
    """
    size = len(record)
    first, expired = 0, known_at - HORIZON_S
    while first < len(history) and struct.unpack_from("<I", history, first)[0] <= expired:
        first += size
    history = history[first:]
    found = history.find(record[4:8])
    while found >= 0 and (found - 4) % size:
        found = history.find(record[4:8], found + 1)
    if found >= 0:  # a retry: what stood before its first attempt, and nothing new
        return history[: found - 4], history
    history = history[-size * (bound - 1) :]
    return history, history + record


def _whole(key: str, value: bytes, size: int) -> bytes:
    if len(value) % size:
        raise CorruptArtefact(
            f"key {key} holds {len(value)} bytes, which is not made of {size}-byte records; delete it"
        )
    return value


def _of_size(key: str, value: bytes | None, size: int) -> bytes | None:
    return None if value is None else _whole(key, value, size) or None


class SqliteTable(Table):
    """A file beside the service: the secondary store that needs no installation."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = threading.RLock()
        with self._translated():
            self._connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = OFF")  # what is lost is made again from the decisions
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS held (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires INTEGER)"
                " WITHOUT ROWID"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreUnavailable(f"the secondary store {self._path} failed: {error}; is the disk full?") from error

    @contextmanager
    def batch(self) -> Iterator[None]:
        with self._lock, self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def get(self, keys: Iterable[str]) -> Values:
        wanted = list(keys)
        found: Values = {}
        with self._lock, self._translated():
            for start in range(0, len(wanted), _KEYS):
                part = wanted[start : start + _KEYS]
                query = f"SELECT key, value FROM held WHERE key IN ({','.join('?' * len(part))})"  # noqa: S608
                found.update(self._connection.execute(query, part).fetchall())
        return found

    def put(self, values: Mapping[str, bytes], expires_s: int | None) -> None:
        rows = ((key, value, expires_s) for key, value in values.items())
        with self._lock, self._translated():
            self._connection.executemany("INSERT OR REPLACE INTO held VALUES (?, ?, ?)", rows)

    def pages(self, size: int) -> Iterator[Values]:
        last = ""
        while True:
            with self._lock, self._translated():
                query = "SELECT key, value FROM held WHERE key > ? ORDER BY key LIMIT ?"
                found = dict(self._connection.execute(query, (last, size)).fetchall())
            if not found:
                return
            last = next(reversed(found))
            yield found

    def purge(self, now_s: int) -> None:
        with self._lock, self._translated():
            self._connection.execute("DELETE FROM held WHERE expires < ?", (now_s,))

    def clear(self) -> None:
        with self._lock, self._translated():
            self._connection.execute("DELETE FROM held")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
