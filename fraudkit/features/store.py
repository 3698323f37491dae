"""The online feature store: histories, profiles, tiles and reputations in Valkey or Redis.

Keys (the braces make a cluster keep one entity's keys on one node)
    {user}:h     history, up to 64 USER_EVENT records      {user}:p  profile
    {device}:d   history, up to 16 SHARED_EVENT records    {address}:i  up to 32, {address}:r  reputation
    {merchant}:m tile                                      tiles     tiles of categories, countries, population
    {number}:f   in a cluster, that the slot it lies in was filled

Reading a history and appending to it is one step of one script (append.lua), so that a burst on one
card cannot slip under a velocity rule, whichever process serves it. A batch is one round trip. On a
single server a batch calls the script once for all users, once for devices, once for addresses; in a
cluster once a key, and where a node of it is away, or lost its data (fraudkit.features.marks), the rows that
need it are marked as not answered.

The store knows bytes and keys; what they mean is told by `records`, what follows from them by `kernel`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from fraudkit.core.errors import InvalidInput, StoreUnavailable
from fraudkit.features.cluster import AWAY, ClusterLine
from fraudkit.features.histories import DEVICE, IP, TILES_KEY, USER, Histories, Parties, Snapshot, reputation_key
from fraudkit.features.marks import SLOTS, WHOLE, mark_keys, slot_of
from fraudkit.features.plan import SHA, Kind, Plan, apart
from fraudkit.features.records import PROFILE, TILE, shared_events, user_events

_SCRIPT = Path(__file__).with_name("append.lua").read_text(encoding="utf-8")
_SHA1 = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()  # how a server names it
REFILL_KEY = "refill"  # who fills an empty store
_UNRATED = struct.pack("<d", float("nan"))
_WRITES = 1_000  # commands in one pipeline of a bulk load


@contextmanager
def _translated() -> Iterator[None]:
    """Every failure of the server or the line becomes StoreUnavailable."""
    try:
        yield
    except (RedisError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise StoreUnavailable(f"the feature store failed: {reason}; is the server at REDIS_URL running?") from error


class HistoryStore(Histories):
    """A client of the store; safe to share between threads.

    Parameters
    ----------
    client : connected client that returns bytes
    cluster : whether keys are spread over several nodes
    url : where the client is connected to
    filling : answer from slots that lost their content too, as is right for who fills them
    """

    def __init__(self, client: Any, *, cluster: bool = False, url: str = "", filling: bool = False) -> None:
        self.url = url
        self._client = client
        self._line = ClusterLine(client, _SCRIPT) if cluster else None
        self._marks = mark_keys() if cluster else None
        self._has_marks = False  # a store that was never filled has none, nor has one that an older version filled
        self._filling = filling
        self._sha = ""
        self._tiles = b""  # as last read; they change once a day, and lie on one node

    @classmethod
    def connect(cls, url: str, *, socket_timeout: float = 1.0, filling: bool = False) -> HistoryStore:
        """Connect to redis://, rediss://, unix:// or, for a cluster, redis+cluster://host:port.

        Parameters
        ----------
        socket_timeout : seconds to wait for an answer before StoreUnavailable
        filling : answer from slots of a cluster that lost their content too, as is right for who fills them

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
                    client = RedisCluster.from_url(url.replace("+cluster", "", 1), **options)
                    store = cls(client, cluster=True, url=url, filling=filling)
                else:
                    # One new attempt mends a connection that the server closed while it was idle.
                    store = cls(redis.Redis.from_url(url, retry=Retry(NoBackoff(), 1), **options), url=url)
        except ValueError as error:
            raise InvalidInput(f"store URL {url!r} cannot be read: {error}; use redis://host:port") from error
        store.ping()
        return store

    def close(self) -> None:
        """Close the connections."""
        if self._line is not None:
            self._line.close()
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

    def load_script(self) -> None:
        """Have the server know the script now, and not while the first payment waits.

        Raises
        ------
        StoreUnavailable
            It does not answer.
        """
        with _translated():
            if self._line is not None:
                self._line.load_script()
            else:
                self._sha = self._client.script_load(_SCRIPT)

    def filled(self) -> bool:
        """Whether profiles and tiles were ever published here; a store that only served has histories alone.

        Raises
        ------
        StoreUnavailable
            It does not answer.
        """
        with _translated():
            return bool(self._client.exists(TILES_KEY))

    def marks(self, slots: Iterable[int]) -> dict[int, bytes | None]:
        """The marks of these slots of a cluster, as far as their nodes answer; {} on a single server.

        Raises
        ------
        StoreUnavailable
            No node answers.
        """
        if self._line is None or self._marks is None:
            return {}
        asked = list(slots)
        keys = [self._marks[slot] for slot in asked]
        with _translated():
            replies = self._line.run([("MGET", key) for key in keys], keys, lambda command: [command])
        return {slot: _sound(reply)[0] for slot, reply in zip(asked, replies, strict=True) if reply is not AWAY}

    def mark(self, slots: Iterable[int], value: bytes, *, over: bool = False) -> None:
        """Write the marks of slots of a cluster, nothing on a single server.

        Parameters
        ----------
        value : WHOLE or BEGUN
        over : only where there is a mark: one that was lost since filling began stays away
        """
        if self._marks is not None:
            keys = self._marks
            self._write(((keys[slot], value) for slot in slots), over=over)

    def mark_filled(self) -> None:
        """Mark every slot of a cluster; the tiles' last, as from then on clients miss the marks that are not there."""
        last = slot_of(TILES_KEY)
        self.mark((slot for slot in range(SLOTS) if slot != last), WHOLE)
        self.mark([last], WHOLE)

    def turn(self, owner: str, seconds: int) -> bool:
        """Whether it is this one's turn to fill the store; it is for so many seconds, and longer if asked again."""
        with _translated():
            if self._client.set(REFILL_KEY, owner, nx=True, ex=seconds):
                return True
            mine = self._client.get(REFILL_KEY) == owner.encode()
            return mine and bool(self._client.expire(REFILL_KEY, seconds))

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
        plan = Plan(self._marks)
        plan.append(USER, [parties.users[row] for row in everyone], own, known_at)
        plan.append(DEVICE, [parties.devices[row] for row in devices], shared[devices], known_at[devices])
        plan.append(IP, [parties.ips[row] for row in ips], shared[ips], known_at[ips])
        plan.get([f"{{{user}}}:p" for user in parties.users], PROFILE.itemsize)
        plan.get([f"{{{merchant}}}:m" for merchant in parties.merchants], TILE.itemsize)
        plan.get([TILES_KEY], 0)
        plan.get([reputation_key(parties.ips[row]) for row in ips] if reputations else [], 8)
        users, of_devices, of_ips, profiles, merchants, tiles, rated = plan.sort_out(self._run(plan))
        answered = self._answered(
            len(records), tiles, (everyone, users), (devices, of_devices), (ips, of_ips), (everyone, profiles),
            (everyone, merchants), (ips, rated),
        )  # fmt: skip
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
            answered=answered,
        )

    def _answered(self, n: int, tiles: list[Any], *asked: tuple[list[int], list[Any]]) -> np.ndarray | None:
        """Whether everything that each row needs was answered; what was not becomes an empty value in place.

        Raises
        ------
        StoreUnavailable
            The node with the tiles, which every row needs, does not answer and never did.
        """
        if self._line is None:
            return None
        answered = np.ones(n, dtype=bool)
        for rows, values in asked:
            for place, (row, value) in enumerate(zip(rows, values, strict=False)):
                if value is AWAY:
                    answered[row], values[place] = False, b""
        if tiles[0] is not AWAY:
            self._tiles = tiles[0] or b""
        elif self._tiles:
            tiles[0] = self._tiles
        else:
            raise StoreUnavailable("the feature store failed: the node that holds the tiles does not answer")
        return None if answered.all() else answered

    def _run(self, plan: Plan) -> list[Any]:
        """Send a plan, loading the script first where the server does not know it."""
        with _translated():
            if self._line is not None:
                commands = [tuple(_SHA1 if part is SHA else part for part in command) for command in plan.commands]
                replies = self._line.run(commands, plan.keys, apart)
                return self._without_lost(plan.keys, [_sound(reply) for reply in replies])
            for attempt in range(2):
                if not self._sha or attempt:
                    self._sha = self._client.script_load(_SCRIPT)
                pipeline = self._client.pipeline(transaction=False)
                for command in plan.commands:
                    pipeline.execute_command(*(self._sha if part is SHA else part for part in command))
                replies = pipeline.execute(raise_on_error=False)
                if not any(isinstance(reply, NoScriptError) for reply in replies):
                    break
            return [_sound(reply) for reply in replies]

    def _without_lost(self, keys: Sequence[str], replies: list[Any]) -> list[Any]:
        """The values out of a cluster's replies; those in slots that lost their content as if their node were away."""
        of_tiles = next((reply for key, reply in zip(keys, replies, strict=True) if key == TILES_KEY), AWAY)
        tiles, mark = (self._tiles, None) if of_tiles is AWAY else of_tiles
        self._has_marks = self._has_marks or mark == WHOLE
        if self._filling or not (self._has_marks and tiles):  # without tiles the whole store is empty
            return [reply if reply is AWAY else reply[0] for reply in replies]
        return [
            AWAY if reply is AWAY or (reply[1] != WHOLE and key != TILES_KEY) else reply[0]
            for key, reply in zip(keys, replies, strict=True)
        ]

    def reputation(self, addresses: Sequence[str]) -> np.ndarray:
        """What is known of addresses: float64 (n,), NaN unknown."""
        plan = Plan(self._marks)
        plan.get([reputation_key(ip) for ip in addresses], 8)
        (blobs,) = plan.sort_out(self._run(plan)) if addresses else ([],)
        return _as_reputations([None if blob is AWAY else blob for blob in blobs])

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
        self._has_marks = False

    def _write(self, items: Iterable[tuple[str, bytes]], ttl: int | None = None, *, over: bool = False) -> None:
        with _translated():
            pipeline = self._client.pipeline(transaction=False)
            for count, (key, blob) in enumerate(items, start=1):
                pipeline.set(key, blob, ex=ttl, xx=over)
                if count % _WRITES == 0:
                    pipeline.execute()
            pipeline.execute()


def _sound(reply: Any) -> Any:
    """A reply that is no error."""
    if isinstance(reply, Exception):
        raise reply
    return reply


def _as_reputations(blobs: Sequence[bytes | None]) -> np.ndarray:
    """Stored reputations as float64, NaN where there is none."""
    return np.frombuffer(b"".join(blob or _UNRATED for blob in blobs), dtype="<f8")


def _spread(values: list[bytes], rows: list[int], n: int) -> list[bytes]:
    """Put `values` at `rows` of a list of n, empty elsewhere."""
    out = [b""] * n
    for row, value in zip(rows, values, strict=True):
        out[row] = value
    return out
