"""Reputations of addresses through a pool of connections: the part in which the leak is planted.

Stands where the scorer takes a ReputationSource. What is asked of the store, and what becomes of
the connection, is the lookup's business; this counts how it went.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from fraudkit.core.clock import Clock
from fraudkit.faults.lookup import Lookup
from fraudkit.faults.pool import CountedPool
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics

PART = "reputation_lookup"  # in the log


class PooledReputation:
    """Asks for one address after the other. LookupError means unknown; any other error fails the part."""

    def __init__(self, pool: CountedPool, lookup: Lookup, log: DecisionLog) -> None:
        self.pool = pool
        self.results = Counter({"rated": 0, "unrated": 0, "failed": 0})
        self._lookup = lookup
        self._log = log

    def lookup(self, ip_addresses: Sequence[str]) -> np.ndarray:
        """Reputation of each address, float64 (n,), NaN unknown.

        Raises
        ------
        redis.ConnectionError
            No connection came free in time.
        """
        return np.array([self._one(address) for address in ip_addresses], dtype=np.float64)

    def _one(self, address: str) -> float:
        try:
            value = float(self._lookup(self.pool, address))
        except LookupError as error:
            self.results["unrated"] += 1
            self._log.failure(PART, error)
            return float("nan")
        except Exception:
            self.results["failed"] += 1
            raise
        self.results["rated"] += 1
        return value


class PoolMetrics(ServiceMetrics):
    """The service's metrics and, beside them, what the pool does and what time the service believes it is."""

    def __init__(self, feature_names: Sequence[str], source: PooledReputation, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        super().__init__(feature_names)

    def collect(self) -> Iterator[Metric]:
        """The metric families as they stand."""
        yield from super().collect()
        pool = self._source.pool
        yield GaugeMetricFamily("reputation_pool_in_use", "Connections that are out", pool.in_use)
        yield GaugeMetricFamily("reputation_pool_size", "Connections that can be out at once", pool.size)
        yield CounterMetricFamily("reputation_pool_taken", "Connections handed out", pool.taken)
        yield CounterMetricFamily("reputation_pool_timeouts", "Requests that got no connection", pool.timeouts)
        lookups = CounterMetricFamily("reputation_lookups", "Addresses asked for", labels=["result"])
        for result, count in sorted(self._source.results.items()):
            lookups.add_metric([result], count)
        yield lookups
        yield GaugeMetricFamily("service_clock_seconds", "The service's time", self._clock.now_ms() / 1000)
