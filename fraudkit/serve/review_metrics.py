"""The review queue in numbers, for /metrics."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan

from prometheus_client.core import GaugeMetricFamily, Metric

from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.scorer import Scorer


def watch_reviews(scorer: Scorer) -> None:
    """Report size and age of a scorer's review queue at every scrape; NaN while the database is away."""

    def collect() -> Iterator[Metric]:
        free = claimed = age_s = nan
        now_ms = scorer.clock.now_ms()
        try:
            totals = scorer.decisions.reviews.totals(now_ms)
        except StoreUnavailable as error:
            scorer.log.failure("review_queue", error)
        else:
            free, claimed = totals.open - totals.claimed, totals.claimed
            age_s = 0.0 if totals.oldest_ms is None else (now_ms - totals.oldest_ms) / 1000
        cases = GaugeMetricFamily("review_queue_cases", "Open cases, with an analyst or free", labels=["state"])
        cases.add_metric(["free"], free)
        cases.add_metric(["claimed"], claimed)
        yield cases
        yield GaugeMetricFamily("review_queue_oldest_seconds", "Age of the oldest open case", value=age_s)

    scorer.metrics.add(collect)
