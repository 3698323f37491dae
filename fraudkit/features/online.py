"""Online features: one round trip to the store, then the same kernel as offline.

Knows nothing of pandas, so that the scoring service starts without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fraudkit.core.errors import StoreUnavailable
from fraudkit.core.transaction import Transaction
from fraudkit.features.histories import SHARED_TILE, Histories, Parties, Snapshot
from fraudkit.features.kernel import as_records, empty_vectors, vectors
from fraudkit.features.records import NO_REPUTATION, PROFILE, SHARED_EVENT, TILE, USER_EVENT, encode

MOST_AT_ONCE = 256  # transactions in one script call; the server serves nobody else meanwhile
CATEGORY_TILE, COUNTRY_TILE = 1, 2
_NO_PROFILE, _NO_TILE = bytes(PROFILE.itemsize), bytes(TILE.itemsize)


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Features of a batch: `X` float32 (n, 143) in catalog order, `known_user` bool (n,), a profile was found.

    `answered` bool (n,) is False where the part of the store that a row needs was away or empty; None: all answered.
    """

    X: np.ndarray
    known_user: np.ndarray
    answered: np.ndarray | None = None


def bare_vectors(transactions: Sequence[Transaction]) -> FeatureBatch:
    """Features from the transactions alone, for when no store answers: every history is empty."""
    return _compute(encode(transactions), _nothing(len(transactions)))


def bare_vectors_of(records: np.ndarray) -> np.ndarray:
    """`bare_vectors` of TRANSACTION records (n,), addresses unrated as while no store answers: float32 (n, 143)."""
    return _compute(_rated(records, np.full(len(records), np.nan)), _nothing(len(records))).X


class OnlineFeatures:
    """Reads, appends and computes; safe to share between threads.

    Parameters
    ----------
    store : where the histories are
    rated_by_store : take the reputation of addresses from the store, in the same round trip; without it
        they are what the transactions say
    partly : give a batch of which some rows were not answered, as part of a cluster was away or had lost its
        content; without it such a batch fails
    was_filled : profiles and tiles belong there, so that their absence is a failure; it is found out by
        itself where a batch meets them

    Attributes
    ----------
    filled : whether the latest batch met them
    """

    def __init__(
        self, store: Histories, *, rated_by_store: bool = False, was_filled: bool = False, partly: bool = False
    ) -> None:
        self._partly = partly
        self._store = store
        self._rated_by_store = rated_by_store
        self._was_filled = was_filled
        self.filled = was_filled

    def vectors(self, transactions: Sequence[Transaction]) -> FeatureBatch:
        """Features of transactions in order of arrival, each of which joins the histories.

        A second transaction of one user in the batch sees the first. A transaction that comes again (a
        retry) gets the vector it got the first time and counts once.

        Raises
        ------
        StoreUnavailable
            The store did not answer in time, or came back empty; trying again is safe.
        CorruptArtefact
            A stored value has an impossible length.
        InvalidInput
            A currency is unknown.
        """
        batches = []
        for start in range(0, len(transactions), MOST_AT_ONCE):
            part = transactions[start : start + MOST_AT_ONCE]
            records = encode(part)
            parties = Parties(
                users=[txn.user_id for txn in part],
                devices=[txn.device_id for txn in part],
                ips=[txn.ip_address for txn in part],
                merchants=[txn.merchant_id for txn in part],
            )
            snapshot = self._store.exchange(parties, records, reputations=self._rated_by_store)
            self._look_for_loss(snapshot)
            if snapshot.answered is not None and not self._partly:
                raise StoreUnavailable("a node of the feature store is away or empty; does each one at REDIS_URL run?")
            if self._rated_by_store:
                records = _rated(records, snapshot.reputations)
            batches.append(_compute(records, snapshot))
        if len(batches) == 1:
            return batches[0]
        return FeatureBatch(
            X=np.concatenate([empty_vectors(0), *(batch.X for batch in batches)]),
            known_user=np.concatenate([np.zeros(0, dtype=bool), *(batch.known_user for batch in batches)]),
            answered=_joined(batches),
        )

    def _look_for_loss(self, snapshot: Snapshot) -> None:
        """Take a store that lost its content for one that does not answer: every card holder would look new.

        The tiles come with every batch, so that looking costs nothing and no batch is answered in between.
        """
        self.filled = bool(snapshot.shared_tiles)
        if self.filled:
            self._was_filled = True
        elif self._was_filled:
            raise StoreUnavailable("the feature store came back empty; it is filled again from the secondary store")


def _joined(batches: Sequence[FeatureBatch]) -> np.ndarray | None:
    """Which rows of all batches were answered."""
    if all(batch.answered is None for batch in batches):
        return None
    return np.concatenate([np.ones(len(b.X), dtype=bool) if b.answered is None else b.answered for b in batches])


def _nothing(n: int) -> Snapshot:
    return Snapshot([b""] * n, [b""] * n, [b""] * n, [None] * n, [None] * n, b"", np.full(n, np.nan))


def _rated(records: np.ndarray, reputations: np.ndarray) -> np.ndarray:
    """A copy of the records with these reputations of their addresses, NaN unknown."""
    out = records.copy()
    out["ip_reputation"] = np.where(np.isfinite(reputations), reputations, NO_REPUTATION)
    return out


def _compute(records: np.ndarray, snapshot: Snapshot) -> FeatureBatch:
    profiles = np.frombuffer(b"".join(blob or _NO_PROFILE for blob in snapshot.profiles), dtype=PROFILE)
    out = empty_vectors(len(records))
    vectors(
        _writable(records), _writable(profiles),
        *_laid_out(snapshot.users, USER_EVENT),
        *_laid_out(snapshot.devices, SHARED_EVENT),
        *_laid_out(snapshot.ips, SHARED_EVENT),
        _tiles(records, snapshot),
        as_records(out),
    )  # fmt: skip
    return FeatureBatch(X=out, known_user=profiles["known"] != 0, answered=snapshot.answered)


def _writable(records: np.ndarray) -> np.ndarray:
    """A copy; read-only arrays are another type to the compiler, and would be compiled for again."""
    return records.copy()


def _laid_out(blobs: list[bytes], dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Histories one after the other, and the span of each, int64 (n, 2)."""
    lengths = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs)) // dtype.itemsize
    ends = np.cumsum(lengths)
    return _writable(np.frombuffer(b"".join(blobs), dtype=dtype)), np.stack([ends - lengths, ends], axis=1)


def _tiles(records: np.ndarray, snapshot: Snapshot) -> np.ndarray:
    """TILE records (n, 4): merchant, category, country, population."""
    out = np.empty((len(records), 4), dtype=TILE)
    out[:, 0] = np.frombuffer(b"".join(blob or _NO_TILE for blob in snapshot.merchants), dtype=TILE)
    shared = _shared_tiles(snapshot.shared_tiles)
    out[:, 1] = shared.tiles[shared.by_category[records["category"]]]
    out[:, 2] = shared.tiles[shared.by_country[records["country"]]]
    out[:, 3] = shared.tiles[shared.population]
    return out


@dataclass(frozen=True, slots=True)
class _SharedTiles:
    """The shared tiles, the first all zero for whoever has none, and the position of each entity's."""

    tiles: np.ndarray
    by_category: np.ndarray
    by_country: np.ndarray
    population: int


@lru_cache(maxsize=2)
def _shared_tiles(blob: bytes) -> _SharedTiles:
    """Read the shared tiles; they change once a day, so the answer is kept."""
    shared = np.frombuffer(blob, dtype=SHARED_TILE)
    tiles = np.zeros(len(shared) + 1, dtype=TILE)
    tiles[1:] = shared["tile"]
    by_kind = [np.zeros(size, dtype=np.intp) for size in (1, 65_536, 256)]  # as wide as the records' fields
    for position, (kind, entity) in enumerate(zip(shared["kind"], shared["entity"], strict=True), start=1):
        by_kind[kind][entity] = position
    return _SharedTiles(tiles, by_kind[CATEGORY_TILE], by_kind[COUNTRY_TILE], int(by_kind[0][0]))
