"""What a candidate in the shadow was seen to do beside the serving model, as counts for /metrics. Scores nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from fraudkit.core.decision import Action, Decision
from fraudkit.serve.metrics import Distribution

DIFFERENCES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of scores, without their sign
MODELS = ("serving", "candidate")


class Tally:
    """Counts of one candidate."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.batches = 0
        self._payments: defaultdict[tuple[str, str], float] = defaultdict(float)  # by the actions of both
        self._amount_usd: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._fraud_usd: defaultdict[tuple[str, str, str], float] = defaultdict(float)  # and by whose probability
        self._score: defaultdict[str, float] = defaultdict(float)
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._timed = 0
        self._difference = Distribution(DIFFERENCES)

    def add(self, decision: Decision, other: Action, amount_usd: float, probability: float) -> None:
        """Count one payment: what was decided, what the candidate would have done, and its probability of fraud."""
        actions = decision.action.value, other.value
        self._payments[actions] += 1
        self._amount_usd[actions] += amount_usd
        if decision.fraud_probability is not None:
            self._fraud_usd[(*actions, "serving")] += decision.fraud_probability * amount_usd
            self._fraud_usd[(*actions, "candidate")] += probability * amount_usd

    def differs(self, ours: float, theirs: float) -> None:
        """Count the two scores of a payment that no rule decided."""
        self._difference.add_one(abs(ours - theirs))
        self._score["serving"] += ours
        self._score["candidate"] += theirs

    def took(self, payments: int, candidate_s: float, serving_s: float) -> None:
        """Count what both models took for one batch."""
        self._timed += payments
        self._seconds["candidate"] += candidate_s
        self._seconds["serving"] += serving_s

    def collect(self) -> Iterator[Metric]:
        """The counts as metric families."""
        pair = ("version", *MODELS)
        yield self._family("shadow_decisions", "Actions of the serving model and the candidate", pair, self._payments)
        yield self._family("shadow_amount_usd", "Their amounts in US dollars", pair, self._amount_usd)
        yield self._family(
            "shadow_fraud_usd",
            "Probability of fraud times amount, by whose probability",
            (*pair, "by"),
            self._fraud_usd,
        )
        of = ("version", "model")
        scores = {(model,): value for model, value in self._score.items()}
        yield self._family("shadow_score", "Sum of the scores where no rule decided", of, scores)
        seconds = {(model,): value for model, value in self._seconds.items()}
        yield self._family("shadow_seconds", "Time of both models for the same batches", of, seconds)
        yield self._family("shadow_timed", "Payments in those batches", ("version",), {(): self._timed})
        buckets, total = self._difference.buckets()
        yield HistogramMetricFamily(
            "shadow_score_difference", "Distance of the two scores where no rule decided", buckets, total
        )

    def _family(self, name: str, words: str, labels: tuple[str, ...], counts: Mapping[Any, float]) -> Metric:
        family = CounterMetricFamily(name, words, labels=list(labels))
        for values, count in sorted(dict(counts).items()):
            family.add_metric([self.version, *values], count)
        return family
