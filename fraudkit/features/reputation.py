"""The external source that rates addresses, behind an interface whose latency and failures can be turned on.

A source answers NaN for what it does not know and never raises for one address; the kernel turns NaN
into the catalog's default and a flag.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.features.store import HistoryStore


class ReputationSource(Protocol):
    """Anything that rates addresses."""

    def lookup(self, ip_addresses: Sequence[str]) -> np.ndarray:
        """Reputation of each address, float64 (n,), 0 clean .. 1 bad, NaN unknown."""
        ...


class StoreReputation:
    """Reputations published to the feature store: the source at its best."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    def lookup(self, ip_addresses: Sequence[str]) -> np.ndarray:
        """Reputation of each address, float64 (n,), NaN unknown.

        Raises
        ------
        StoreUnavailable
            The store did not answer.
        """
        return self._store.reputation(ip_addresses)


class FlakyReputation:
    """A source as outside services are: it takes its time, and some calls come back empty.

    Parameters
    ----------
    inner : the source behind it
    rng : decides which calls fail
    latency_s : seconds every call takes on top
    failure_rate : share of calls that answer NaN for all their addresses, 0..1

    Raises
    ------
    InvalidInput
        latency_s or failure_rate is out of range.
    """

    def __init__(
        self, inner: ReputationSource, rng: np.random.Generator, latency_s: float = 0.0, failure_rate: float = 0.0
    ) -> None:
        if not 0.0 <= failure_rate <= 1.0:
            raise InvalidInput(f"failure_rate={failure_rate} is not a share; use 0..1")
        if latency_s < 0:
            raise InvalidInput(f"latency_s={latency_s} is negative; use seconds from 0 up")
        self._inner = inner
        self._rng = rng
        self._latency_s = latency_s
        self._failure_rate = failure_rate

    def lookup(self, ip_addresses: Sequence[str]) -> np.ndarray:
        """Reputation of each address, float64 (n,), NaN unknown or where the call failed."""
        time.sleep(self._latency_s)
        if self._rng.random() < self._failure_rate:
            return np.full(len(ip_addresses), np.nan)
        return self._inner.lookup(ip_addresses)
