"""What the nightly jobs write to the store, and how an empty store is filled from the lake.

The numbers come from the same layout and tiles as offline replay uses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from fraudkit.features.catalog import HORIZON_S
from fraudkit.features.histories import DEVICE, IP, SHARED_TILE, USER, Histories
from fraudkit.features.offline import arrival_order, lay_out
from fraudkit.features.online import CATEGORY_TILE, COUNTRY_TILE
from fraudkit.features.plan import Kind
from fraudkit.features.records import TRANSACTION, shared_events, user_events
from fraudkit.features.store import HistoryStore
from fraudkit.features.tables import encode_table
from fraudkit.features.tiles import DAY_S, DailyTiles, fraud_news


class TilePublisher:
    """Histories the tiles of any midnight of a table's time.

    Parameters
    ----------
    transactions : TRANSACTION_COLUMNS
    labels : LABEL_COLUMNS with their arrival times, or None
    """

    def __init__(self, transactions: pd.DataFrame, labels: pd.DataFrame | None) -> None:
        records = encode_table(transactions)
        self._tiles = DailyTiles(records, fraud_news(labels, transactions["transaction_id"], records["known_at"]))
        first = ~transactions["merchant_id"].duplicated().to_numpy() & transactions["merchant_id"].notna().to_numpy()
        self._merchants = transactions["merchant_id"][first].astype(str).tolist()
        self._merchant_hashes = records["merchant"][first]
        self._categories = np.unique(records["category"][records["category"] > 0])
        self._countries = np.unique(records["country"][records["country"] > 0])

    def publish(self, store: Histories, day: int) -> None:
        """Write the tiles as of the midnight (UTC) that begins `day`, counted in days since 1970.

        Raises
        ------
        StoreUnavailable
            The store did not answer.
        """
        merchant_tiles = self._tiles.of("merchant", self._merchant_hashes, day)
        parts = [(0, np.zeros(1, dtype=np.uint32), self._tiles.population(day))]
        for kind, field, entities in (
            (CATEGORY_TILE, "category", self._categories),
            (COUNTRY_TILE, "country", self._countries),
        ):
            parts.append((kind, entities, self._tiles.of(field, entities, day)))
        shared = np.zeros(sum(len(entities) for _, entities, _ in parts), dtype=SHARED_TILE)
        shared["kind"] = np.concatenate([np.full(len(entities), kind) for kind, entities, _ in parts])
        shared["entity"] = np.concatenate([entities for _, entities, _ in parts])
        shared["tile"] = np.concatenate([tiles for _, _, tiles in parts])
        store.publish_tiles(self._merchants, merchant_tiles, shared)


def fill_store(
    store: Histories,
    transactions: pd.DataFrame,
    users: pd.DataFrame,
    labels: pd.DataFrame | None,
    ip_reputation: pd.DataFrame | None,
    moment: pd.Timestamp,
    *,
    progress: Callable[[float, str], None] | None = None,
) -> None:
    """Bring a store to where it would stand at `moment`: profiles, histories, reputations, the last midnight's tiles.

    Parameters
    ----------
    transactions, users, labels : tables as for `replay`; what arrived after `moment` is left out
    ip_reputation : ip_address, reputation in 0..1; or None
    moment : UTC timestamp

    Raises
    ------
    StoreUnavailable
        The store did not answer.
    """
    report = progress or (lambda fraction, text: None)
    past = transactions[transactions["known_at"] <= moment]
    report(0.0, "profiles")
    store.publish_users(users)
    report(0.2, "histories")
    records, arrival = encode_table(past), arrival_order(past)
    own, shared = user_events(records), shared_events(records)
    oldest = int(moment.timestamp()) - HORIZON_S
    for kind, column, events in ((USER, "user_id", own), (DEVICE, "device_id", shared), (IP, "ip_address", shared)):
        _fill_histories(store, kind, past[column], records, events, arrival, oldest)
    report(0.7, "reputations")
    if ip_reputation is not None:
        rated = ip_reputation.dropna(subset=["ip_address", "reputation"])
        store.publish_reputation(rated["ip_address"].astype(str).tolist(), rated["reputation"].to_numpy(dtype=float))
    report(0.8, "tiles")
    TilePublisher(past, labels).publish(store, int(moment.timestamp()) // DAY_S)
    store.mark_filled()


def _fill_histories(
    store: Histories,
    kind: Kind,
    column: pd.Series,
    records: np.ndarray,
    events: np.ndarray,
    arrival: np.ndarray,
    oldest: int,
) -> None:
    """Write the last events of every entity of one kind that has any since `oldest` (seconds since 1970)."""
    entity = column.astype("category").cat
    codes = entity.codes.to_numpy().astype(np.int32)
    kept = lay_out(records, codes, arrival, kind.bound).kept
    kept = kept[events["event_time"][kept] > oldest]
    ordered = codes[kept]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(kept) else kept
    ends = np.append(starts[1:], len(kept))
    names = entity.categories.astype(str)
    store.publish_histories(
        kind,
        (names[ordered[start]] for start in starts),
        (events[kept[max(start, end - kind.bound) : end]].tobytes() for start, end in zip(starts, ends, strict=True)),
    )


def memory_per_user(store: HistoryStore, users: list[str]) -> dict[str, float]:
    """Mean and largest number of bytes the server spends on the histories of `users`."""
    used = np.array([value for value in store.memory(USER, users) if value] or [0])
    return {"users": int((used > 0).sum()), "mean_bytes": float(used.mean()), "max_bytes": float(used.max())}


def record_bytes() -> dict[str, int]:
    """Bytes of the packed data of one full history of each kind, and of one transaction on its way."""
    return {
        "user": USER.dtype.itemsize * USER.bound,
        "device": DEVICE.dtype.itemsize * DEVICE.bound,
        "address": IP.dtype.itemsize * IP.bound,
        "transaction": TRANSACTION.itemsize,
    }
