"""What features would be if the histories were updated less often than with every payment.

The same kernel as everywhere reads the same histories, cut off at a moment before each transaction:
the last midnight for a nightly batch, an earlier one for a batch that failed. Profiles and daily
tiles stay as they are. Knows nothing of models; what staleness costs is measured on the vectors.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from fraudkit.core.clock import DAY_S
from fraudkit.core.errors import InvalidInput
from fraudkit.features.kernel import as_records, empty_vectors, vectors
from fraudkit.features.offline import arrival_order, lay_out
from fraudkit.features.records import DEVICE_EVENTS, IP_EVENTS, PROFILE, USER_EVENTS, shared_events, user_events
from fraudkit.features.tables import encode_table, encode_users
from fraudkit.features.tiles import DailyTiles, fraud_news


def last_midnight(known_at_s: np.ndarray, days_before: int = 0) -> np.ndarray:
    """The midnight (UTC) that began each moment's day, or one `days_before` it: int64 (n,), seconds since 1970.

    Examples
    --------
    >>> last_midnight(np.array([86_400 * 3 + 10]), days_before=1).tolist()
    [172800]
    """
    return (np.asarray(known_at_s, dtype=np.int64) // DAY_S - days_before) * DAY_S


def replay_until(
    transactions: pd.DataFrame,
    users: pd.DataFrame,
    labels: pd.DataFrame,
    seen_until_s: np.ndarray,
    rows: np.ndarray | None = None,
    seen_from_s: np.ndarray | None = None,
) -> np.ndarray:
    """Features of transactions whose histories end at a given moment, and may begin at one.

    Parameters
    ----------
    transactions : TRANSACTION_COLUMNS, any row order, each transaction once
    users : USER_COLUMNS
    labels : LABEL_COLUMNS with their arrival times
    seen_until_s : int64 (len(transactions),), seconds since 1970: what arrived in an earlier second is seen
    rows : positions of the transactions wanted; None wants all
    seen_from_s : int64 (len(transactions),), what arrived in an earlier second is forgotten: a card as new as
        that; None forgets nothing

    Returns
    -------
    float32 (len(rows), 143), columns in catalog order, rows in the order of `rows`

    Raises
    ------
    InvalidInput
        A moment is missing, or seen_until_s lies after the arrival of its transaction.
    """
    records = encode_table(transactions)
    until = np.asarray(seen_until_s, dtype=np.int64)
    since = np.zeros_like(until) if seen_from_s is None else np.asarray(seen_from_s, dtype=np.int64)
    if until.shape != records.shape or since.shape != records.shape or np.any(until > records["known_at"]):
        raise InvalidInput(
            f"seen_until_s {until.shape} and seen_from_s {since.shape} for {len(records)} transactions: give one "
            "moment a transaction, and none of seen_until_s after the system heard of it"
        )
    wanted = np.arange(len(records)) if rows is None else np.asarray(rows)
    arrival = arrival_order(transactions)
    own, shared = user_events(records), shared_events(records)
    histories: list[np.ndarray] = []
    for column, events, bound in (
        ("user_id", own, USER_EVENTS),
        ("device_id", shared, DEVICE_EVENTS),
        ("ip_address", shared, IP_EVENTS),
    ):
        entity = transactions[column].astype("category").cat.codes.to_numpy().astype(np.int32)
        kept = lay_out(records, entity, arrival, bound).kept
        histories += [events[kept], _spans(entity, records["known_at"], kept, since, until, bound)[wanted]]
    profiles = np.concatenate([np.zeros(1, dtype=PROFILE), encode_users(users)])
    known = pd.Index(users["user_id"].astype("string")).get_indexer(
        transactions["user_id"].iloc[wanted].astype("string")
    )
    news = fraud_news(labels, transactions["transaction_id"], records["known_at"])
    with ThreadPoolExecutor() as pool:
        tiles = DailyTiles(records, news).joined(pool)(slice(None))[wanted]
    out = empty_vectors(len(wanted))
    user, user_spans, device, device_spans, ip, ip_spans = histories
    current = records[wanted]
    vectors(
        current, profiles[known + 1], user, user_spans, device, device_spans, ip, ip_spans, tiles, as_records(out)
    )  # fmt: skip
    return out


def _spans(
    entity: np.ndarray, known_at: np.ndarray, kept: np.ndarray, since: np.ndarray, until: np.ndarray, bound: int
) -> np.ndarray:
    """For each row the part [start, end) of `kept` that arrived to its entity in [since, until): int64 (n, 2)."""
    shift = np.int64(1) << 33  # more seconds than any time stamp
    keys = entity[kept].astype(np.int64) * shift + known_at[kept].astype(np.int64)
    block = np.maximum(entity, 0).astype(np.int64) * shift
    start = np.searchsorted(keys, block + np.maximum(since, 0))
    end = np.maximum(np.searchsorted(keys, block + np.maximum(until, 0)), start)
    # As in the store, the bound counts the transaction itself.
    spans = np.column_stack([np.maximum(start, end - bound + 1), end])
    spans[entity < 0] = 0
    return spans
