"""What the service counts, in Prometheus' text format.

Counts are kept in arrays and updated once a batch; names, label sets and text are made only when
someone scrapes. One thread updates, any may scrape: a scrape may miss the batch under way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from fraudkit.core.decision import Action
from fraudkit.serve.parts import Parts

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0)
SCORES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
STAGES = ("lookup", "reputation", "features", "rules", "trees", "network", "alone", "explain", "record")
STATS = ("mean", "std", "min", "max")
SAMPLE = 2_048  # latest vectors that feature statistics are taken over


class Distribution:
    """A histogram with fixed upper bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = np.asarray(bounds)
        self._bound_list = list(bounds)
        self._counts = np.zeros(len(bounds) + 1, dtype=np.int64)
        self._sum = 0.0

    def add(self, values: np.ndarray) -> None:
        """Count values; a value on a bound belongs below it."""
        places = np.searchsorted(self._bounds, values, side="left")
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum += float(values.sum())

    def add_one(self, value: float) -> None:
        """Count one value, without the cost of an array."""
        self._counts[bisect_left(self._bound_list, value)] += 1
        self._sum += value

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Cumulative counts by upper bound, as Prometheus wants them, and the sum."""
        bounds = [*(str(bound) for bound in self._bound_list), "+Inf"]
        return list(zip(bounds, np.cumsum(self._counts).tolist(), strict=True)), self._sum


class ServiceMetrics(Collector):
    """All counts of one service."""

    def __init__(self, feature_names: Sequence[str]) -> None:
        self._names = tuple(feature_names)
        self._decisions = dict.fromkeys((action.value for action in Action), 0)
        self._degraded: dict[str, int] = {}
        self._feedback: dict[tuple[str, ...], int] = {}
        self._refused: dict[str, int] = {}
        self._latency, self._score = Distribution(SECONDS), Distribution(SCORES)
        self._stages = {stage: Distribution(SECONDS) for stage in STAGES}
        self._sample = np.full((SAMPLE, len(self._names)), np.nan, dtype=np.float32)
        self._next = 0
        self._shed = self._explored = 0
        self._rescored: dict[tuple[str, ...], int] = {}
        self._parts: Parts | None = None
        self._others: list[Callable[[], Iterable[Metric]]] = []
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def add(self, collect: Callable[[], Iterable[Metric]]) -> None:
        """Report at every scrape what another part counts."""
        self._others.append(collect)

    def batch(self, actions: Iterable[str], scores: np.ndarray, latencies_s: np.ndarray, X: np.ndarray) -> None:
        """Count the decisions of one batch; scores float64 with NaN where there is none, X float32 (n, 143)."""
        for action, count in Counter(actions).items():
            self._decisions[action] += count
        self._score.add(scores[~np.isnan(scores)])
        self._latency.add(latencies_s)
        rows = np.arange(self._next, self._next + len(X)) % SAMPLE
        self._sample[rows] = X
        self._next = int(rows[-1]) + 1 if len(rows) else self._next

    def stage(self, name: str, seconds: float) -> None:
        """Count the time that a stage took for one batch."""
        self._stages[name].add_one(seconds)

    def degraded(self, parts: Iterable[str]) -> None:
        """Count decisions that a part did not take part in, one name a decision and part."""
        for part in parts:
            self._degraded[part] = self._degraded.get(part, 0) + 1

    def explored(self, n: int) -> None:
        """Count declines that a draw let pass."""
        self._explored += n

    def watch(self, parts: Parts) -> None:
        """Report the states of these parts at every scrape."""
        self._parts = parts

    def gauge(self, name: str, words: str, value: Callable[[], float]) -> None:
        """Report a number that is asked for at every scrape; NaN where asking fails."""
        self._gauges[name] = (words, value)

    def feedback(self, source: str, is_fraud: bool) -> None:
        """Count a word of feedback."""
        key = (source, str(is_fraud).lower())
        self._feedback[key] = self._feedback.get(key, 0) + 1

    def refused(self, status: int) -> None:
        """Count a request or item that was not accepted."""
        self._refused[str(status)] = self._refused.get(str(status), 0) + 1

    def rescored(self, changes: Iterable[tuple[str, str]]) -> None:
        """Count second decisions by the first action and the second."""
        for change in changes:
            self._rescored[change] = self._rescored.get(change, 0) + 1

    def shed(self, n: int) -> None:
        """Count transactions that were turned away because the line was too long."""
        self._shed += n

    def collect(self) -> Iterator[Metric]:
        """The metric families as they stand."""
        yield _counter("fraud_predictions", "Total fraud predictions", ("decision",), _single(self._decisions))
        yield _histogram("prediction_latency_seconds", "Prediction latency", self._latency)
        yield _histogram("fraud_score", "Distribution of fraud scores", self._score)
        yield self._feature_values()
        stages = HistogramMetricFamily("scoring_stage_seconds", "Time of a stage for one batch", labels=["stage"])
        for name, distribution in self._stages.items():
            buckets, total = distribution.buckets()
            stages.add_metric([name], buckets, total)
        yield stages
        yield _counter("fraud_degraded", "Decisions without a part", ("part",), _single(self._degraded))
        yield CounterMetricFamily("fraud_explored", "Declines that a draw let pass", self._explored)
        yield _counter("fraud_feedback", "Words of feedback", ("source", "is_fraud"), self._feedback)
        yield _counter("fraud_rescored", "Decisions made once more", ("first", "second"), self._rescored)
        states = GaugeMetricFamily("part_up", "1 while the part is asked, 0 while it is left alone", labels=["part"])
        for part in self._parts or ():
            states.add_metric([part.name], float(part.state != "left alone"))
        yield states
        for collect in self._others:
            yield from collect()
        for name, (words, value) in self._gauges.items():
            yield GaugeMetricFamily(name, words, value=_asked(value))
        yield CounterMetricFamily("transactions_shed", "Transactions turned away at once under load", self._shed)
        yield _counter("requests_refused", "Requests or items refused", ("status",), _single(self._refused))

    def text(self) -> bytes:
        """The exposition that a scrape gets."""
        return generate_latest(self._registry)

    def _feature_values(self) -> Metric:
        family = GaugeMetricFamily("feature_value", "Feature statistics", labels=["feature_name", "stat"])
        seen = self._sample[~np.isnan(self._sample).all(axis=1)].astype(np.float64)
        for position, name in enumerate(self._names):
            column = seen[:, position]
            column = column[~np.isnan(column)]
            if len(column):
                values = (column.mean(), column.std(), column.min(), column.max())
                for stat, value in zip(STATS, values, strict=True):
                    family.add_metric([name, stat], float(value))
        return family


def _asked(value: Callable[[], float]) -> float:
    try:
        return float(value())
    except Exception:  # one number that cannot be had must not cost the others
        return float("nan")


def _single(counts: dict[str, int]) -> dict[tuple[str, ...], int]:
    return {(key,): count for key, count in counts.items()}


def _counter(name: str, words: str, labels: Sequence[str], counts: dict[tuple[str, ...], int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=list(labels))
    for values, count in sorted(counts.items()):
        family.add_metric(list(values), count)
    return family


def _histogram(name: str, words: str, distribution: Distribution) -> Metric:
    buckets, total = distribution.buckets()
    return HistogramMetricFamily(name, words, buckets=buckets, sum_value=total)
