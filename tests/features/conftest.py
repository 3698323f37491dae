"""A small random table with everything awkward in it, a real Valkey, and a real cluster of three."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.money import countries
from fraudkit.core.transaction import Transaction
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.store import HistoryStore
from tests.valkey_cluster import Cluster

DAY_MS = 86_400_000
START_MS = 1_735_689_600_000  # 2025-01-01


class Tables(NamedTuple):
    transactions: pd.DataFrame
    users: pd.DataFrame
    labels: pd.DataFrame


def times(milliseconds: np.ndarray) -> pd.Series:
    return pd.Series(pd.to_datetime(milliseconds, unit="ms", utc=True)).astype("datetime64[ms, UTC]")


def some(rng: np.random.Generator, names: list[str], n: int, missing: float = 0.0) -> pd.Categorical:
    codes = rng.integers(0, len(names), n)
    return pd.Categorical.from_codes(np.where(rng.random(n) < missing, -1, codes), names)


def _make_tables(rng: np.random.Generator, n: int = 1500, n_users: int = 12, days: int = 75) -> Tables:
    """Late arrivals, bursts, ties, shared devices, missing places, unknown users, reversed labels."""
    event = START_MS + rng.integers(0, days * DAY_MS, n)
    burst = rng.random(n) < 0.3
    event[burst] = rng.choice(event, int(burst.sum())) + rng.integers(0, 1_800_000, int(burst.sum()))
    known = event + np.where(rng.random(n) < 0.1, rng.exponential(2 * DAY_MS, n), rng.integers(0, 3, n) * 1000).astype(
        int
    )
    codes = list(countries())[:4]
    country = rng.choice(4, n, p=[0.7, 0.1, 0.1, 0.1])
    present = rng.random(n) < 0.5
    transactions = pd.DataFrame(
        {
            "transaction_id": pd.array([f"t{i:06d}" for i in rng.permutation(n)], dtype="string"),
            "user_id": some(rng, [f"u{i}" for i in range(n_users)], n),
            "event_time": times(event),
            "known_at": times(known),
            "amount": np.round(rng.lognormal(2.5, 1.2, n), 2),
            "currency": pd.Categorical([countries()[codes[i]].currency for i in country]),
            "merchant_id": some(rng, [f"m{i}" for i in range(8)], n),
            "merchant_category": some(rng, ["5411", "5812", "7995", "grocery"], n),
            "country": pd.Categorical.from_codes(country, codes),
            "latitude": np.where(rng.random(n) < 0.1, np.nan, rng.normal(40, 2, n)),
            "longitude": rng.normal(-74, 2, n),
            "card_present": present,
            "online_transaction": ~present & (rng.random(n) < 0.8),
            "device_id": some(rng, [f"d{i}" for i in range(10)], n, missing=0.3),
            "device_type": some(rng, ["unknown", "mobile", "desktop"], n),
            "ip_address": some(rng, [f"10.0.0.{i}" for i in range(6)], n, missing=0.4),
            "ip_reputation": np.where(rng.random(n) < 0.3, np.nan, rng.random(n)),
        }
    ).sort_values(["known_at", "transaction_id"], ignore_index=True)
    known_users = n_users - 2
    users = pd.DataFrame(
        {
            "user_id": pd.array([f"u{i}" for i in range(known_users)], dtype="string"),
            "home_country": some(rng, codes, known_users),
            "home_currency": pd.Categorical(["USD"] * known_users),
            "home_latitude": rng.normal(40, 2, known_users),
            "home_longitude": rng.normal(-74, 2, known_users),
            "account_opened": times(START_MS - rng.integers(1, 2000, known_users) * DAY_MS),
        }
    )
    return Tables(transactions, users, _make_labels(rng, transactions))


def _make_labels(rng: np.random.Generator, transactions: pd.DataFrame, share: float = 0.15) -> pd.DataFrame:
    """Labels of some transactions, up to 30 days late, one in five taken back later."""
    chosen = transactions[rng.random(len(transactions)) < share]
    delay = pd.to_timedelta(rng.integers(3600, 30 * 86_400, len(chosen)), unit="s")
    first = pd.DataFrame(
        {
            "transaction_id": chosen["transaction_id"],
            "event_time": chosen["event_time"],
            "known_at": (chosen["known_at"] + delay).astype("datetime64[ms, UTC]"),
            "source": some(rng, ["user_report", "manual_review", "chargeback"], len(chosen)),
            "is_fraud": rng.random(len(chosen)) < 0.9,
        }
    )
    back = first[rng.random(len(first)) < 0.2].copy()
    back["known_at"] = (back["known_at"] + pd.Timedelta(days=3)).astype("datetime64[ms, UTC]")
    back["is_fraud"] = False
    return pd.concat([first, back], ignore_index=True)


@pytest.fixture(scope="session")
def tables() -> Tables:
    return _make_tables(np.random.default_rng(3))


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("a folder"), persist=False) as server:
        yield server


@pytest.fixture
def store(valkey: EmbeddedValkey) -> Iterator[HistoryStore]:
    store = HistoryStore.connect(valkey.url, socket_timeout=10.0)
    store.clear()
    yield store
    store.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        for port in started.ports:
            started.start(port)
        started.join()
        yield started
    finally:
        started.stop()


@pytest.fixture
def spread(cluster: Cluster) -> Iterator[HistoryStore]:
    """A client of the whole, empty cluster."""
    store = HistoryStore.connect(cluster.url, socket_timeout=5.0)
    store.clear()
    yield store
    store.close()


def _payment(number: int = 0, seconds: float = 0, **changes: object) -> Transaction:
    """A plain payment `seconds` after a fixed moment (2025-03-01, a Saturday, noon UTC)."""
    moment = START_MS + 59 * DAY_MS + DAY_MS // 2 + int(seconds * 1000)
    values: dict[str, object] = {
        "transaction_id": f"p{number}", "user_id": "anna", "event_time_ms": moment, "known_at_ms": moment,
        "amount": 20.0, "currency": "USD", "merchant_id": "grocer", "merchant_category": "5411", "country": "US",
        "latitude": 40.0, "longitude": -74.0, "card_present": True, "online_transaction": False,
    }  # fmt: skip
    return Transaction(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def payment() -> Callable[..., Transaction]:
    """payment(number, seconds, **changes) -> Transaction."""
    return _payment


@pytest.fixture(scope="session")
def make_tables() -> Callable[..., Tables]:
    """make_tables(rng, n, n_users, days) -> Tables."""
    return _make_tables


@pytest.fixture(scope="session")
def make_labels() -> Callable[..., pd.DataFrame]:
    """make_labels(rng, transactions, share) -> labels."""
    return _make_labels
