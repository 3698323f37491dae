"""The real service with one part that may leak connections.

Store, model, rules, policy, decision database and HTTP application are those of `fraudkit serve`;
the reputation of addresses comes through a small pool, and time is counted in payments.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fastapi import FastAPI

from fraudkit.core.config import Settings
from fraudkit.core.errors import InvalidInput
from fraudkit.faults.clock import PaymentClock, Ticking
from fraudkit.faults.lookup import digest_of, load_lookup
from fraudkit.faults.pool import open_pool
from fraudkit.faults.reputation import PooledReputation, PoolMetrics
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.store import HistoryStore
from fraudkit.models.code_digest import code_digest
from fraudkit.rules.catalog import RULES
from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.serve.app import create_app
from fraudkit.serve.decisions import Context, DecisionStore
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.parts import Part, Parts
from fraudkit.serve.scorer import Scorer
from fraudkit.serve.startup import load_model, warm_up

MOST_CONNECTIONS = 1_000
LONGEST_WAIT_S = 10.0


class Patient(Part):
    """A part that is waited for as long as it takes, and asked however often it failed."""

    def available(self) -> bool:
        return True


class Undefended(Parts):
    """Parts without time limits or circuit breakers: with them, this fault would cost a label and hardly any time."""

    def __init__(self) -> None:
        super().__init__()
        self.deadline_s = math.inf
        self._parts = {name: Patient(name, math.inf) for name in self._parts}


@dataclass(frozen=True, slots=True)
class LeakPlan:
    """How the service is to be: which lookup, how small a pool, how long one waits for it, which time it is.

    Raises
    ------
    InvalidInput
        The pool or the wait is out of range.
    """

    lookup: Path
    pool_size: int
    wait_s: float
    start_ms: int
    per_minute: int
    model: str = "production"

    def __post_init__(self) -> None:
        if not 1 <= self.pool_size <= MOST_CONNECTIONS:
            raise InvalidInput(f"a pool of {self.pool_size} connections cannot be; give 1 to {MOST_CONNECTIONS:,}")
        if not 0.0 < self.wait_s <= LONGEST_WAIT_S:
            raise InvalidInput(
                f"a wait of {self.wait_s:g} s cannot be; give more than 0 and at most {LONGEST_WAIT_S:g}"
            )


@contextmanager
def open_leaking_app(plan: LeakPlan, settings: Settings, home: Path) -> Iterator[FastAPI]:
    """The application, over the store at REDIS_URL or one of its own; its files lie in `home`.

    Raises
    ------
    InvalidInput, NotReady, StoreUnavailable, CorruptArtefact
        The lookup cannot be loaded, or a part of the real service cannot be.
    """
    lookup = load_lookup(plan.lookup)
    with ExitStack() as stack:
        bundle = load_model(plan.model, settings.registry)
        own = replace(settings, home=home)
        url = settings.redis_url or stack.enter_context(EmbeddedValkey(own.run / "store", persist=False)).url
        store = HistoryStore.connect(url)
        stack.callback(store.close)
        decisions = DecisionStore(own.run / "decisions.db")
        stack.callback(decisions.close)
        log = DecisionLog()
        clock = PaymentClock(plan.start_ms, plan.per_minute)
        source = PooledReputation(open_pool(url, plan.pool_size, plan.wait_s), lookup, log)
        stack.callback(source.pool.disconnect)
        scorer = Scorer(
            OnlineFeatures(store),
            source,
            bundle,
            RULES,
            decisions,
            Context(
                bundle.version,
                bundle.digest,
                RULES.digest(),
                DEFAULT_POLICY.digest(),
                bundle.schema_hash,
                released_code(plan.lookup),
            ),
            PoolMetrics(FEATURE_NAMES, source, clock),
            DEFAULT_POLICY,
            clock=clock,
            log=log,
            parts=Undefended(),
        )
        warm_up(scorer, bundle)
        app = create_app(scorer, {"feature_store": store.ping})
        app.add_middleware(Ticking, clock=clock)
        yield app


def released_code(lookup: Path) -> str:
    """SHA-256 over the code that decides, the lookup's file included: another one with every release."""
    return hashlib.sha256(f"{code_digest()}{digest_of(lookup)}".encode()).hexdigest()
