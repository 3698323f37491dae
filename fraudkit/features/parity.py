"""Does the store give the very numbers that training saw? Replay events through both and compare bits.

Events go through the real store in order of arrival, in batches of changing size, with the tiles
published at each midnight; the same events go through offline replay. Any differing bit is a mismatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.offline import arrival_order, replay
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.publish import TilePublisher
from fraudkit.features.store import HistoryStore
from fraudkit.features.tiles import DAY_S

BATCHES = (1, 2, 7, 32, 128)  # sizes taken in turn, so that users meet themselves inside a batch and across


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One feature of one transaction on which the two paths disagree."""

    transaction_id: str
    feature: str
    online: float
    offline: float


@dataclass(frozen=True, slots=True)
class ParityReport:
    """Outcome of a comparison: `mismatches` counts values, `first` shows ten, `features` names all that differ."""

    events: int
    values: int
    mismatches: int
    features: tuple[str, ...]
    first: tuple[Mismatch, ...]


def to_transactions(table: pd.DataFrame) -> list[Transaction]:
    """The rows of a transactions table as the service would receive them."""
    columns = {name: table[name].tolist() for name in table.columns}
    for name in ("event_time", "known_at"):
        milliseconds = table[name].astype("datetime64[ms, UTC]").astype("int64")
        columns[f"{name}_ms"] = milliseconds.tolist()
        del columns[name]
    for name in ("device_id", "ip_address"):
        missing = table[name].isna().tolist()
        columns[name] = [None if gone else str(value) for gone, value in zip(missing, columns[name], strict=True)]
    return [Transaction(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def check_parity(
    store: HistoryStore,
    transactions: pd.DataFrame,
    users: pd.DataFrame,
    labels: pd.DataFrame | None,
    *,
    progress: Callable[[float, str], None] | None = None,
) -> ParityReport:
    """Run the same events through the store and through offline replay, and compare bit for bit.

    Parameters
    ----------
    store : an empty store; everything in it is deleted first
    transactions, users, labels : tables as for `replay`

    Raises
    ------
    StoreUnavailable
        The store did not answer.
    """
    report = progress or (lambda fraction, text: None)
    ordered = transactions.iloc[arrival_order(transactions)].reset_index(drop=True)
    report(0.0, "offline")
    offline = replay(ordered, users, labels)
    store.clear()
    store.publish_users(users)
    publisher, online = TilePublisher(ordered, labels), OnlineFeatures(store)
    days = ordered["known_at"].astype("datetime64[ms, UTC]").astype("int64").to_numpy() // (1000 * DAY_S)
    events = to_transactions(ordered)
    served = np.empty_like(offline)
    today = None
    for start, end in _batches(days):
        if days[start] != today:
            today = days[start]
            publisher.publish(store, int(today))
        served[start:end] = online.vectors(events[start:end]).X
        report(end / len(events), f"{end:,} of {len(events):,} events")
    return compare(events, served, offline)


def _batches(days: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of rows in batches of changing size, none across a midnight."""
    midnights = np.append(np.flatnonzero(np.diff(days)) + 1, len(days))
    start, turn = 0, 0
    for midnight in midnights:
        while start < midnight:
            end = min(start + BATCHES[turn % len(BATCHES)], int(midnight))
            yield start, end
            start, turn = end, turn + 1


def compare(events: Sequence[Transaction], online: np.ndarray, offline: np.ndarray) -> ParityReport:
    """Compare two float32 (n, 143) bit for bit."""
    rows, columns = np.nonzero(online.view(np.uint32) != offline.view(np.uint32))
    first = tuple(
        Mismatch(
            events[row].transaction_id, FEATURE_NAMES[column], float(online[row, column]), float(offline[row, column])
        )
        for row, column in zip(rows[:10].tolist(), columns[:10].tolist(), strict=True)
    )
    features = tuple(FEATURE_NAMES[column] for column in np.unique(columns))
    return ParityReport(len(events), online.size, len(rows), features, first)
