"""A real service for tests: uvicorn on a free port in a thread, a decision database in a temporary folder.

The model here is a formula, so that tests decide what it says; the trained bundle and Valkey are in
test_service.py.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import uvicorn

from fraudkit.core.clock import FixedClock
from fraudkit.core.errors import StoreUnavailable
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import FEATURE_NAMES, INDEX
from fraudkit.features.online import bare_vectors
from fraudkit.rules.catalog import RULES
from fraudkit.serve.app import create_app
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.decisions import Context, DecisionStore
from fraudkit.serve.decisions.postgres import PostgresDatabase
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.parts import Parts
from fraudkit.serve.scorer import Scorer
from tests.stand_ins import FormulaModel

NOW_MS = 1_760_000_000_000  # 2025-10-09T08:53:20Z
PATIENCE = 100.0  # no test depends on how quick the server is
BRIEF_PATIENCE = 10.0  # stand-ins are quick even on a busy machine, and who waits for one that hangs waits 0.2 s
Opens = Callable[..., DecisionStore]
CONTEXT = Context("v0001", "m" * 64, "r" * 64, "p" * 64, "s" * 64, "c" * 64)


class CountingFeatures:
    """Counts each user's transactions once, all of them old customers; can be told to fail."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()  # by transaction_id
        self._first: dict[str, int] = {}  # a retry gets the count that it got at first
        self.down = False

    def vectors(self, transactions: Sequence[Transaction]) -> SimpleNamespace:
        if self.down:
            raise StoreUnavailable("the store is down; start it")
        X = bare_vectors(transactions).X
        X[:, INDEX["user_is_known"]], X[:, INDEX["account_age_days"]] = 1, 400
        for row, transaction in enumerate(transactions):
            self.asked[transaction.transaction_id] += 1
            if self.asked[transaction.transaction_id] == 1:
                self.counts[transaction.user_id] += 1
                self._first[transaction.transaction_id] = self.counts[transaction.user_id]
            X[row, INDEX["user_txn_count_1h"]] = self._first[transaction.transaction_id]
        return SimpleNamespace(X=X)


class FixedReputation:
    """Addresses under 198.51.100 are bad, all others clean; can be told to fail."""

    def __init__(self) -> None:
        self.down = False

    def lookup(self, ip_addresses: Sequence[str]) -> np.ndarray:
        if self.down:
            raise StoreUnavailable("the reputation source is down")
        return np.array([0.9 if address.startswith("198.51.100.") else 0.0 for address in ip_addresses])


@dataclass
class Service:
    """A running service and handles on its parts."""

    client: httpx.Client
    url: str
    scorer: Scorer
    features: CountingFeatures
    model: FormulaModel
    clock: FixedClock

    def state(self) -> tuple[bytes, dict[str, int]]:
        """Everything that a request may change: the database, byte for byte, and the histories."""
        path = self.scorer.decisions.path
        files = b"".join(p.read_bytes() for p in sorted(path.parent.glob(path.name + "*")) if p.suffix != ".db-shm")
        return files, dict(self.features.counts)


@contextmanager
def running(app: object) -> Iterator[str]:
    """Serve `app` on a free port; yields the address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def make_scorer(folder: Path) -> Scorer:
    """A scorer with the stand-ins, its database in `folder`."""
    return Scorer(
        CountingFeatures(),
        FixedReputation(),
        FormulaModel(),
        RULES,
        DecisionStore(folder / "decisions.db"),
        CONTEXT,
        ServiceMetrics(FEATURE_NAMES),
        clock=FixedClock(NOW_MS),
        parts=Parts(BRIEF_PATIENCE),
    )


@pytest.fixture
def scorer(tmp_path: Path) -> Iterator[Scorer]:
    made = make_scorer(tmp_path)
    yield made
    made.journal.close()
    made.decisions.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Start services; all stop when the test ends."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def begin(**options: object) -> Service:
            made = make_scorer(tmp_path)
            stack.callback(made.decisions.close)
            stack.callback(made.journal.close)
            url = stack.enter_context(running(create_app(made, **options)))  # type: ignore[arg-type]
            client = stack.enter_context(httpx.Client(base_url=url, timeout=10))
            return Service(client, url, made, made.assessor.features, made.serving.model, made.clock)  # type: ignore[arg-type]

        yield begin


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start()


@pytest.fixture
def request_body() -> Callable[..., dict]:
    """Makes a right request; arguments replace or add fields."""
    return lambda **changes: {**EXAMPLE_REQUEST, **changes}


@pytest.fixture(params=["sqlite", "postgres"])
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opens]:
    """Opens one database again and again, each time as another process would."""
    opened = []
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None

    def open_one(writer: str = "") -> DecisionStore:
        where = tmp_path / "decisions.db" if url is None else PostgresDatabase(url, PATIENCE)
        opened.append(DecisionStore(where, writer))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()
