"""A real scorer over the embedded Valkey, with a model that is a formula; and a small trained bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fraudkit.core.clock import FixedClock
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.store import HistoryStore
from fraudkit.rules.catalog import RULES
from fraudkit.serve.decisions import Context, DecisionStore
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.scorer import Scorer
from tests.stand_ins import FormulaModel, noise_bundle

NOW_MS = 1_760_000_000_000  # 2025-10-09T08:53:20Z
CONTEXT = Context("v0001", "m" * 64, "r" * 64, "p" * 64, "s" * 64, "c" * 64)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey"), persist=False) as server:
        yield server


@pytest.fixture
def store(valkey: EmbeddedValkey) -> Iterator[HistoryStore]:
    opened = HistoryStore.connect(valkey.url)
    opened.clear()
    yield opened
    opened.close()


@pytest.fixture
def scorer(store: HistoryStore, tmp_path: Path) -> Iterator[Scorer]:
    decisions = DecisionStore(tmp_path / "decisions.db")
    yield Scorer(
        OnlineFeatures(store),
        None,
        FormulaModel(),
        RULES,
        decisions,
        CONTEXT,
        ServiceMetrics(FEATURE_NAMES),
        clock=FixedClock(NOW_MS),
    )
    decisions.close()


@pytest.fixture(scope="session")
def payment() -> Callable[..., Transaction]:
    """Makes a transaction; arguments replace fields."""

    def make(number: int = 0, **changes: object) -> Transaction:
        fields: dict = {
            "transaction_id": f"txn-{number}",
            "user_id": f"user-{number}",
            "event_time_ms": NOW_MS - 60_000,
            "known_at_ms": NOW_MS - 60_000,
            "amount": 50.0,
            "currency": "USD",
            "merchant_id": "merchant-1",
            "merchant_category": "5411",
            "country": "US",
            "latitude": 40.7,
            "longitude": -74.0,
            "card_present": False,
            "online_transaction": True,
            "device_id": "device-1",
            "device_type": "mobile",
            "ip_address": "203.0.113.7",
        }
        return Transaction(**{**fields, **changes})

    return make


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle that has learnt noise: what it says does not matter here, that it is real does."""
    return noise_bundle().save(tmp_path_factory.mktemp("bundles") / "v0001")
