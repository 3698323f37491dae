"""The online feature store: histories, profiles, tiles and reputations in Valkey or Redis.

Keys (the braces make a cluster keep one entity's keys on one node)
    {user}:h     history, up to 64 USER_EVENT records      {user}:p  profile
    {device}:d   history, up to 16 SHARED_EVENT records    {address}:i  up to 32, {address}:r  reputation
    {merchant}:m tile                                      tiles     tiles of categories, countries, population

Reading a history and appending to it is one step of one script (append.lua), so that a burst on one
card cannot slip under a velocity rule, whichever process serves it. A batch is one round trip. On a
single server a batch calls the script once for all users, once for devices, once for addresses; in a
cluster once a key.

The store knows bytes and keys; what they mean is told by `records`, what follows from them by `kernel`.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from fraudkit.core.errors import CorruptArtefact, InvalidInput, StoreUnavailable
from fraudkit.features.catalog import HORIZON_S
from fraudkit.features.records import (
    DEVICE_EVENTS,
    IP_EVENTS,
    PROFILE,
    SHARED_EVENT,
    TILE,
    USER_EVENT,
    USER_EVENTS,
    shared_events,
    user_events,
)

if TYPE_CHECKING:
    import pandas as pd

_SCRIPT = Path(__file__).with_name("append.lua").read_text(encoding="utf-8")
TILES_KEY = "tiles"
_UNRATED = struct.pack("<d", float("nan"))
_WRITES = 1_000  # commands in one pipeline of a bulk load

# A tile with whose it is: kind 0 population, 1 category, 2 country.
SHARED_TILE = np.dtype([("kind", "u1"), ("entity", "<u4"), ("tile", TILE)])


@dataclass(frozen=True, slots=True)
class Kind:
    """How the histories of one kind of entity are kept."""

    suffix: str
    dtype: np.dtype
    bound: int

    def key(self, entity: str) -> str:
        return f"{{{entity}}}:{self.suffix}"


USER = Kind("h", USER_EVENT, USER_EVENTS)
DEVICE = Kind("d", SHARED_EVENT, DEVICE_EVENTS)
IP = Kind("i", SHARED_EVENT, IP_EVENTS)


@dataclass(frozen=True, slots=True)
class Parties:
    """Who takes part in each transaction of a batch, each of length n; None where there is no device or address."""

    users: Sequence[str]
    devices: Sequence[str | None]
    ips: Sequence[str | None]
    merchants: Sequence[str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the store held before a batch, each transaction of it seeing the earlier ones.

    `users`, `devices`, `ips` are histories as bytes (empty where there is none), `profiles` and
    `merchants` one record or None, each of length n; `shared_tiles` is one blob of SHARED_TILE records.
    `reputations` are those of the addresses, NaN where there is none or it was not asked for: float64 (n,).
    """

    users: list[bytes]
    devices: list[bytes]
    ips: list[bytes]
    profiles: list[bytes | None]
    merchants: list[bytes | None]
    shared_tiles: bytes
    reputations: np.ndarray


@contextmanager
def _translated() -> Iterator[None]:
    """Every failure of the server or the line becomes StoreUnavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise StoreUnavailable(f"the feature store failed: {reason}; is the server at REDIS_URL running?") from error


class Histories(ABC):
    """A store of histories: what every kind of it answers, and what is written to it from outside."""

    @abstractmethod
    def exchange(self, parties: Parties, records: np.ndarray, *, reputations: bool = False) -> Snapshot:
        """Read everything a batch needs and append the batch to the histories; see HistoryStore."""

    @abstractmethod
    def filled(self) -> bool:
        """Whether profiles and tiles were ever published here."""

    @abstractmethod
    def clear(self) -> None:
        """Delete everything."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    def publish_users(self, users: pd.DataFrame) -> None:
        """Write the profiles of a users table (USER_COLUMNS)."""
        from fraudkit.features.tables import encode_users

        blobs = _split(encode_users(users))
        self._write(zip((f"{{{user}}}:p" for user in users["user_id"]), blobs, strict=True))

    def publish_tiles(self, merchants: Sequence[str], merchant_tiles: np.ndarray, shared_tiles: np.ndarray) -> None:
        """Write a midnight's tiles: TILE records (len(merchants),) and SHARED_TILE records (any number,)."""
        self._write(zip((f"{{{merchant}}}:m" for merchant in merchants), _split(merchant_tiles), strict=True))
        self._write([(TILES_KEY, shared_tiles.tobytes())])

    def publish_reputation(self, addresses: Sequence[str], reputation: np.ndarray) -> None:
        """Write what is known of addresses: float64 (len(addresses),) in 0..1."""
        blobs = (struct.pack("<d", value) for value in reputation)
        self._write(zip(map(reputation_key, addresses), blobs, strict=True))

    def publish_histories(self, kind: Kind, entities: Iterable[str], blobs: Iterable[bytes]) -> None:
        """Write whole histories, replacing what is there: for filling an empty store from the lake."""
        keys = (kind.key(entity) for entity in entities)
        self._write(zip(keys, blobs, strict=True), ttl=HORIZON_S)

    @abstractmethod
    def _write(self, items: Iterable[tuple[str, bytes]], ttl: int | None = None) -> None:
        """Write values, to live for `ttl` seconds."""


class HistoryStore(Histories):
    """A client of the store; safe to share between threads.

    Parameters
    ----------
    client : connected client that returns bytes
    cluster : whether keys are spread over several nodes
    """

    def __init__(self, client: Any, *, cluster: bool = False) -> None:
        self._client = client
        self._cluster = cluster
        self._sha = ""

    @classmethod
    def connect(cls, url: str, *, socket_timeout: float = 1.0) -> HistoryStore:
        """Connect to redis://, rediss://, unix:// or, for a cluster, redis+cluster://host:port.

        Parameters
        ----------
        socket_timeout : seconds to wait for an answer before StoreUnavailable

        Raises
        ------
        InvalidInput
            The URL has another form.
        StoreUnavailable
            Nothing answers there.
        """
        options: dict[str, Any] = {"socket_timeout": socket_timeout, "socket_connect_timeout": socket_timeout}
        try:
            with _translated():
                if url.startswith("redis+cluster://"):
                    store = cls(RedisCluster.from_url(url.replace("+cluster", "", 1), **options), cluster=True)
                else:
                    # One new attempt mends a connection that the server closed while it was idle.
                    store = cls(redis.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **options))
        except ValueError as error:
            raise InvalidInput(f"store URL {url!r} cannot be read: {error}; use redis://host:port") from error
        store.ping()
        with _translated():
            store._sha = store._client.script_load(_SCRIPT)  # now, and not while the first payment waits
        return store

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ping(self) -> None:
        """Return if the store answers.

        Raises
        ------
        StoreUnavailable
            It does not.
        """
        with _translated():
            self._client.ping()

    def filled(self) -> bool:
        """Whether profiles and tiles were ever published here; a store that only served has histories alone.

        Raises
        ------
        StoreUnavailable
            It does not answer.
        """
        with _translated():
            return bool(self._client.exists(TILES_KEY))

    def exchange(self, parties: Parties, records: np.ndarray, *, reputations: bool = False) -> Snapshot:
        """Read everything a batch needs and append the batch to the histories, in one round trip.

        A retry is recognised by its transaction hash: it appends nothing and gets the history that stood
        before its first attempt.

        Parameters
        ----------
        parties : of n transactions in order of arrival
        records : TRANSACTION records (n,)
        reputations : look the addresses up as well

        Raises
        ------
        StoreUnavailable
            The server did not answer in time. Some histories may have been appended to; trying again is safe.
        CorruptArtefact
            A history has an impossible length.
        """
        own, shared = user_events(records), shared_events(records)
        known_at = np.ascontiguousarray(records["known_at"])
        everyone = list(range(len(records)))
        devices = [row for row, device in enumerate(parties.devices) if device]
        ips = [row for row, ip in enumerate(parties.ips) if ip]
        plan = _Plan(self._cluster)
        plan.append(USER, [parties.users[row] for row in everyone], own, known_at)
        plan.append(DEVICE, [parties.devices[row] for row in devices], shared[devices], known_at[devices])
        plan.append(IP, [parties.ips[row] for row in ips], shared[ips], known_at[ips])
        plan.get([f"{{{user}}}:p" for user in parties.users], PROFILE.itemsize)
        plan.get([f"{{{merchant}}}:m" for merchant in parties.merchants], TILE.itemsize)
        plan.get([TILES_KEY], 0)
        plan.get([reputation_key(parties.ips[row]) for row in ips] if reputations else [], 8)
        users, of_devices, of_ips, profiles, merchants, tiles, rated = plan.sort_out(self._run(plan))
        known = np.full(len(records), np.nan)
        if rated:
            known[ips] = _as_reputations(rated)
        return Snapshot(
            users=users,
            devices=_spread(of_devices, devices, len(records)),
            ips=_spread(of_ips, ips, len(records)),
            profiles=profiles,
            merchants=merchants,
            shared_tiles=tiles[0] or b"",
            reputations=known,
        )

    def _run(self, plan: _Plan) -> list[Any]:
        """Send a plan, loading the script first where the server does not know it."""
        with _translated():
            for attempt in range(2):
                if not self._sha or attempt:
                    self._sha = self._client.script_load(_SCRIPT)
                pipeline = self._client.pipeline(transaction=False)
                for command in plan.commands:
                    pipeline.execute_command(*(self._sha if part is _SHA else part for part in command))
                replies = pipeline.execute(raise_on_error=False)
                if not any(isinstance(reply, NoScriptError) for reply in replies):
                    break
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        return replies

    def reputation(self, addresses: Sequence[str]) -> np.ndarray:
        """What is known of addresses: float64 (n,), NaN unknown."""
        plan = _Plan(self._cluster)
        plan.get([reputation_key(ip) for ip in addresses], 8)
        (blobs,) = plan.sort_out(self._run(plan)) if addresses else ([],)
        return _as_reputations(blobs)

    def counts(self) -> dict[str, int]:
        """Keys of each kind, by a scan of the whole store."""
        names = {"h": "user histories", "p": "profiles", "d": "device histories", "i": "address histories",
                 "r": "reputations", "m": "merchant tiles"}  # fmt: skip
        out = dict.fromkeys(names.values(), 0)
        with _translated():
            for key in self._client.scan_iter(count=10_000):
                name = names.get(key.decode(errors="replace").rpartition(":")[2])
                if name:
                    out[name] += 1
        return out

    def memory(self, kind: Kind, entities: Iterable[str]) -> list[int]:
        """Bytes the server spends on each entity's history, key and all."""
        with _translated():
            return [self._client.memory_usage(kind.key(entity), samples=0) or 0 for entity in entities]

    def clear(self) -> None:
        """Delete everything."""
        with _translated():
            self._client.flushall()

    def _write(self, items: Iterable[tuple[str, bytes]], ttl: int | None = None) -> None:
        with _translated():
            pipeline = self._client.pipeline(transaction=False)
            for count, (key, blob) in enumerate(items, start=1):
                pipeline.set(key, blob, ex=ttl)
                if count % _WRITES == 0:
                    pipeline.execute()
            pipeline.execute()


_SHA = object()  # stands for the script's digest, which is known only once it is loaded


class _Plan:
    """The commands of one round trip, and how their replies become one list a question."""

    def __init__(self, cluster: bool) -> None:
        self._cluster = cluster
        self._questions: list[tuple[list[str], int, int]] = []  # keys, bytes of a record, commands
        self.commands: list[tuple[Any, ...]] = []

    def append(self, kind: Kind, entities: Sequence[Any], records: np.ndarray, known_at: np.ndarray) -> None:
        """Ask for histories and append `records` to them."""
        keys = [kind.key(entity) for entity in entities]
        size = kind.dtype.itemsize
        step = 1 if self._cluster else max(len(keys), 1)
        for start in range(0, len(keys), step):
            part = slice(start, start + step)
            self.commands.append((
                "EVALSHA", _SHA, len(keys[part]), *keys[part], size, kind.bound, HORIZON_S,
                records[part].tobytes(), known_at[part].tobytes(),
            ))  # fmt: skip
        self._questions.append((keys, size, len(range(0, len(keys), step))))

    def get(self, keys: list[str], size: int) -> None:
        """Ask for plain values; `size` is the length of each, 0 for any."""
        commands = [("GET", key) for key in keys] if self._cluster else [("MGET", *keys)] if keys else []
        self.commands += commands
        self._questions.append((keys, -size, len(commands)))

    def sort_out(self, replies: list[Any]) -> list[list[Any]]:
        """One list of values a question, in order.

        Raises
        ------
        CorruptArtefact
            A value has an impossible length.
        """
        answers = []
        position = 0
        for keys, size, n_commands in self._questions:
            part = replies[position : position + n_commands]
            position += n_commands
            values = [value for reply in part for value in (reply if isinstance(reply, list) else [reply])]
            for key, value in zip(keys, values, strict=True):
                if value is not None and size and (len(value) % size if size > 0 else len(value) != -size):
                    raise CorruptArtefact(
                        f"key {key} holds {len(value)} bytes, which is not made of {abs(size)}-byte records; delete it"
                    )
            answers.append(values)
        return answers


def reputation_key(address: str | None) -> str:
    """The key that an address's reputation is kept under."""
    return f"{{{address}}}:r"


def _as_reputations(blobs: Sequence[bytes | None]) -> np.ndarray:
    """Stored reputations as float64, NaN where there is none."""
    return np.frombuffer(b"".join(blob or _UNRATED for blob in blobs), dtype="<f8")


def _split(records: np.ndarray) -> list[bytes]:
    """The bytes of each record."""
    blob, size = records.tobytes(), records.dtype.itemsize
    return [blob[start : start + size] for start in range(0, len(blob), size)]


def _spread(values: list[bytes], rows: list[int], n: int) -> list[bytes]:
    """Put `values` at `rows` of a list of n, empty elsewhere."""
    out = [b""] * n
    for row, value in zip(rows, values, strict=True):
        out[row] = value
    return out
