"""Small tables under the contract, built without the simulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.label import LABEL_COLUMNS
from fraudkit.core.transaction import conform
from fraudkit.lake.importing import empty


@dataclass(frozen=True)
class TinyConfig:
    name: str = "tiny"
    start: pd.Timestamp = field(default_factory=lambda: pd.Timestamp("2025-01-01", tz="UTC"))


def make_transactions(n: int = 60, days: int = 4, seed: int = 7) -> pd.DataFrame:
    """Good rows over `days` days, some of them known a day late, sorted by (known_at, transaction_id)."""
    rng = np.random.default_rng(seed)
    event = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, days * 86_400, n)), unit="s")
    online = rng.random(n) < 0.4
    table = pd.DataFrame(
        {
            "transaction_id": pd.array([f"t{number:05d}" for number in range(n)], dtype="string"),
            "user_id": pd.Categorical([f"u{number}" for number in rng.integers(0, 9, n)]),
            "event_time": event,
            "known_at": event + pd.to_timedelta(np.where(rng.random(n) < 0.1, 86_400, 0), unit="s"),
            "amount": rng.lognormal(3, 1, n).round(2),
            "currency": pd.Categorical(rng.choice(["USD", "EUR"], n)),
            "merchant_id": pd.Categorical([f"m{number}" for number in rng.integers(0, 5, n)]),
            "merchant_category": pd.Categorical(rng.choice(["5411", "5812"], n)),
            "country": pd.Categorical(rng.choice(["US", "DE"], n)),
            "latitude": rng.uniform(-80, 80, n),
            "longitude": rng.uniform(-170, 170, n),
            "card_present": ~online,
            "online_transaction": online,
            "device_id": pd.Categorical(np.where(online, "d1", None)),
            "device_type": pd.Categorical(np.where(online, "mobile", "terminal")),
            "ip_address": pd.Categorical(np.where(online, "10.0.0.1", None)),
            "ip_reputation": np.where(online, 0.25, np.nan),
        }
    )
    for name in ("event_time", "known_at"):
        table[name] = table[name].astype("datetime64[ms, UTC]")
    return table.sort_values(["known_at", "transaction_id"]).reset_index(drop=True)


def make_tables(transactions: pd.DataFrame | None = None) -> SimpleNamespace:
    """A whole world's tables; two thirds of the first transactions carry labels."""
    transactions = make_transactions() if transactions is None else transactions
    labelled = transactions.head(20)
    labels = pd.DataFrame(
        {
            "transaction_id": labelled["transaction_id"],
            "event_time": labelled["event_time"],
            "known_at": labelled["known_at"] + pd.Timedelta(days=30),
            "source": pd.Categorical(["chargeback"] * len(labelled)),
            "is_fraud": [number % 2 == 0 for number in range(len(labelled))],
        }
    )
    tables = {name: empty(name) for name in ("users", "merchants", "truth", "ip_reputation")}
    return SimpleNamespace(
        config=TinyConfig(), transactions=transactions, labels=conform(labels, LABEL_COLUMNS), **tables
    )


@pytest.fixture
def transactions() -> pd.DataFrame:
    return make_transactions()


@pytest.fixture
def tables() -> SimpleNamespace:
    return make_tables()


@pytest.fixture(scope="session")
def eight_rows() -> pd.DataFrame:
    return make_transactions(8)
