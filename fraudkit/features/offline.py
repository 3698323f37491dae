"""Offline replay: the features every transaction of a table had at the moment it arrived.

The table is laid out once as histories (one block a user, device and address, in order of arrival,
with the store's own rules for retries, bounds and age), then the kernel runs over chunks of rows in
as many threads as there are cores. Nothing here computes a feature.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numba as nb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudkit.features.catalog import HORIZON_S
from fraudkit.features.kernel import as_records, empty_vectors, log_amounts, vectors
from fraudkit.features.records import (
    DEVICE_EVENTS,
    IP_EVENTS,
    PROFILE,
    USER_EVENTS,
    shared_events,
    user_events,
)
from fraudkit.features.tables import encode_table, encode_users
from fraudkit.features.tiles import DailyTiles, fraud_news

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Histories:
    """Histories of one kind of entity, laid out one after the other.

    Attributes
    ----------
    kept : int64 (m,), rows of the transactions that were appended, by entity and arrival
    spans : int64 (n, 2), for each transaction the part [start, end) of `kept` that the store would return
    """

    kept: np.ndarray
    spans: np.ndarray


@nb.njit(cache=True, nogil=True)
def _lay_out(
    order: np.ndarray, entity: np.ndarray, event_time: np.ndarray, known_at: np.ndarray, ids: np.ndarray, bound: int
) -> tuple[np.ndarray, np.ndarray]:
    kept = np.empty(len(order), np.int64)
    kept_ids = np.empty(len(order), np.uint32)
    spans = np.zeros((len(order), 2), np.int64)
    n, start, before = 0, 0, np.int64(-1)
    for row in order:
        if entity[row] < 0:
            continue
        if entity[row] != before:
            before, start = np.int64(entity[row]), n
        while start < n and np.int64(event_time[kept[start]]) + HORIZON_S <= known_at[row]:
            start += 1
        end = n
        for position in range(start, n):
            if kept_ids[position] == ids[row]:
                end = position
                break
        # The bound counts the transaction itself, so that a retry finds all it saw the first time.
        spans[row, 0], spans[row, 1] = max(start, end - bound + 1), end
        if end == n:
            kept[n], kept_ids[n] = row, ids[row]
            n += 1
            start = max(start, n - bound)
    return kept[:n].copy(), spans


def lay_out(records: np.ndarray, entity: np.ndarray, arrival: np.ndarray, bound: int) -> Histories:
    """Lay histories out as the store would have built them.

    Parameters
    ----------
    records : TRANSACTION records (n,)
    entity : int32 (n,), whose history each transaction joins; -1 none
    arrival : int64 (n,), rows in order of arrival
    bound : most events an entity's history holds
    """
    order = arrival[np.argsort(entity[arrival], kind="stable")]
    fields = (np.ascontiguousarray(records[name]) for name in ("event_time", "known_at", "transaction"))
    return Histories(*_lay_out(order, entity, *fields, bound))


def arrival_order(transactions: pd.DataFrame) -> np.ndarray:
    """Rows by (known_at, transaction_id), int64 (n,). Cheap when the table is in that order already."""
    moment_column = transactions["known_at" if "known_at" in transactions else "event_time"]
    moment = moment_column.astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    identity = np.arange(len(moment))
    steps = np.diff(moment)
    if "transaction_id" not in transactions:
        return np.argsort(moment, kind="stable")
    ids = transactions["transaction_id"]
    tied = np.flatnonzero(steps == 0)
    if not (steps < 0).any() and not (ids.iloc[tied].to_numpy() > ids.iloc[tied + 1].to_numpy()).any():
        return identity
    table = pa.table({"moment": moment, "id": pa.array(ids.astype("string"), from_pandas=True)})
    return pc.sort_indices(table, [("moment", "ascending"), ("id", "ascending")]).to_numpy().astype(np.int64)


def _codes(column: pd.Series) -> np.ndarray:
    """Dense code of each value, int32 (n,), -1 where missing."""
    return column.astype("category").cat.codes.to_numpy().astype(np.int32)


def _profiles(transactions: pd.DataFrame, users: pd.DataFrame | None) -> tuple[np.ndarray, np.ndarray]:
    """PROFILE records with an unknown one in front, and the position in them for each row."""
    unknown = np.zeros(1, dtype=PROFILE)
    if users is None or users.empty:
        return unknown, np.zeros(len(transactions), dtype=np.int64)
    column = transactions["user_id"].astype("category").cat
    position = pd.Index(users["user_id"].astype("string")).get_indexer(column.categories.astype("string"))
    of_code = np.concatenate([[0], position + 1])
    return np.concatenate([unknown, encode_users(users)]), of_code[column.codes.to_numpy() + 1]


def _histories(
    transactions: pd.DataFrame, records: np.ndarray, arrival: np.ndarray, pool: ThreadPoolExecutor
) -> list[Histories]:
    """Histories of users, devices and addresses."""
    nobody = np.full(len(records), -1, dtype=np.int32)
    jobs = [
        pool.submit(lay_out, records, _codes(transactions[name]) if name in transactions else nobody, arrival, bound)
        for name, bound in (("user_id", USER_EVENTS), ("device_id", DEVICE_EVENTS), ("ip_address", IP_EVENTS))
    ]
    return [job.result() for job in jobs]


def _events(events: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """`events[kept]`, moved as plain words: records are copied a field at a time."""
    words = events.view(np.uint64).reshape(len(events), -1)
    return words.take(kept, axis=0).view(events.dtype)[:, 0]


def _join(tiles: DailyTiles, records: np.ndarray, part: slice) -> np.ndarray:
    return tiles.of_records(records[part])


def replay(
    transactions: pd.DataFrame,
    users: pd.DataFrame | None,
    labels: pd.DataFrame | None,
    *,
    progress: Callable[[float, str], None] | None = None,
    counted: DailyTiles | None = None,
) -> np.ndarray:
    """Features of every transaction, from what had arrived before it.

    Parameters
    ----------
    transactions : TRANSACTION_COLUMNS, any row order; only user_id, event_time and amount must be there
    users : USER_COLUMNS, or None: profiles then stand at their defaults
    labels : LABEL_COLUMNS with their arrival times, or None
    progress : called with a fraction 0..1 and what is happening
    counted : tiles of a larger table of which `transactions` is a part; `labels` are then not read

    Returns
    -------
    float32 (n, 143), columns in catalog order, rows in the order of `transactions`

    Raises
    ------
    InvalidInput
        A currency is unknown.
    """
    report = progress or (lambda fraction, text: None)
    out = empty_vectors(len(transactions))
    if transactions.empty:
        return out
    report(0.0, "packing transactions")
    records = encode_table(transactions)
    profiles, profile_of = _profiles(transactions, users)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        report(0.2, "laying out histories and counting daily tiles")
        ids = transactions["transaction_id"] if "transaction_id" in transactions else pd.Series([], dtype="string")
        own = pool.submit(lambda: counted or DailyTiles(records, fraud_news(labels, ids, records["known_at"])))
        user, device, ip = _histories(transactions, records, arrival_order(transactions), pool)
        of_users = pool.submit(_events, user_events(records), user.kept)
        shared = shared_events(records)
        device_history, ip_history = _events(shared, device.kept), _events(shared, ip.kept)
        user_history = of_users.result()
        logs = log_amounts(user_history)
        join = partial(_join, counted, records) if counted else own.result().joined(pool)

        def run(start: int) -> None:
            part = slice(start, start + CHUNK)
            vectors(
                records[part], profiles[profile_of[part]],
                user_history, user.spans[part], device_history, device.spans[part], ip_history, ip.spans[part],
                join(part), as_records(out[part]), logs,
            )  # fmt: skip

        for done, _ in enumerate(pool.map(run, range(0, len(records), CHUNK)), start=1):
            report(min(0.45 + 0.55 * done * CHUNK / len(records), 1.0), "computing features")
    return out
