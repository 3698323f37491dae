"""Stores of histories: what every kind of them is asked, answers and is filled with.

The first store (fraudkit.features.store) and the second one (fraudkit.features.secondary) keep the same bytes
under the same keys.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import HORIZON_S
from fraudkit.features.plan import Kind
from fraudkit.features.records import DEVICE_EVENTS, IP_EVENTS, SHARED_EVENT, TILE, USER_EVENT, USER_EVENTS

if TYPE_CHECKING:
    import pandas as pd

TILES_KEY = "tiles"

# A tile with whose it is: kind 0 population, 1 category, 2 country.
SHARED_TILE = np.dtype([("kind", "u1"), ("entity", "<u4"), ("tile", TILE)])

USER = Kind("h", USER_EVENT, USER_EVENTS)
DEVICE = Kind("d", SHARED_EVENT, DEVICE_EVENTS)
IP = Kind("i", SHARED_EVENT, IP_EVENTS)
_PASSING, _LASTING = frozenset("hdi"), frozenset("pmr")  # suffixes of what is forgotten in time, and what is not


def history_keys(transaction: Transaction) -> list[str]:
    """The keys of the histories that a transaction joins: of its card holder, device and address."""
    entities = ((USER, transaction.user_id), (DEVICE, transaction.device_id), (IP, transaction.ip_address))
    return [kind.key(entity) for kind, entity in entities if entity is not None]


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
    `answered` bool (n,) is False where a part of the store that the row needs was away or had lost its content;
    None: everything answered.
    """

    users: list[bytes]
    devices: list[bytes]
    ips: list[bytes]
    profiles: list[bytes | None]
    merchants: list[bytes | None]
    shared_tiles: bytes
    reputations: np.ndarray
    answered: np.ndarray | None = None


class Histories(ABC):
    """A store of histories: what every kind of it answers, and what is written to it from outside."""

    @abstractmethod
    def exchange(self, parties: Parties, records: np.ndarray, *, reputations: bool = False) -> Snapshot:
        """Read everything a batch needs and append the batch to the histories; see HistoryStore."""

    @abstractmethod
    def filled(self) -> bool:
        """Whether profiles and tiles were ever published here."""

    @abstractmethod
    def mark_filled(self) -> None:
        """Say that everything was written, so that the loss of a part of it is noticed."""

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

    def take_over(self, values: Mapping[str, bytes]) -> None:
        """Write what another store holds under the same keys; keys that no store of histories has are left out."""
        suffixes = {key: key.rpartition("}:")[2] for key in values}
        self._write(((k, v) for k, v in values.items() if suffixes[k] in _LASTING or k == TILES_KEY))
        self._write(((k, v) for k, v in values.items() if suffixes[k] in _PASSING), ttl=HORIZON_S)

    @abstractmethod
    def _write(self, items: Iterable[tuple[str, bytes]], ttl: int | None = None) -> None:
        """Write values, to live for `ttl` seconds."""


def reputation_key(address: str | None) -> str:
    """The key that an address's reputation is kept under."""
    return f"{{{address}}}:r"


def _split(records: np.ndarray) -> list[bytes]:
    """The bytes of each record."""
    blob, size = records.tobytes(), records.dtype.itemsize
    return [blob[start : start + size] for start in range(0, len(blob), size)]
