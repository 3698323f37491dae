"""Second decisions: what was decided on less than it should be, decided again when the part is back.

The first reply stands, and a retry still gets it; the second decision is kept beside it, for whoever
reviews payments. Where the feature store was away it is asked now, which also appends the payment to
the histories that it missed. Where it had answered, its vector of then is taken: the store keeps so
many events a card holder, and one that it has forgotten since it would take for new. Runs on a thread
of its own, off the path of payments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import orjson

from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.money import currencies
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.online import FeatureBatch
from fraudkit.serve.assess import Assessor, FeatureSource
from fraudkit.serve.decide import BEARING
from fraudkit.serve.decisions import Record, Rescored
from fraudkit.serve.expected_loss import expected_loss
from fraudkit.serve.intake import Intake
from fraudkit.serve.job import Job
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.parts import FEATURE_STORE, IP_REPUTATION, Parts
from fraudkit.serve.scorer import Scorer

AT_ONCE = 128
_FROM_STORE = frozenset({FEATURE_STORE, IP_REPUTATION})


class _Remembering:
    """A source that gives the vectors which are known, by transaction_id, and asks another for the rest."""

    def __init__(self, source: FeatureSource) -> None:
        self._source = source
        self.known: Mapping[str, np.ndarray] = {}

    def vectors(self, transactions: Sequence[Transaction]) -> FeatureBatch:
        X = np.empty((len(transactions), len(FEATURE_NAMES)), dtype=np.float32)
        known_user = np.zeros(len(transactions), dtype=bool)  # nobody here asks for it
        answered = np.ones(len(transactions), dtype=bool)
        asked = [row for row, t in enumerate(transactions) if t.transaction_id not in self.known]
        for row, t in enumerate(transactions):
            if t.transaction_id in self.known:
                X[row] = self.known[t.transaction_id]
        if asked:
            found = self._source.vectors([transactions[row] for row in asked])
            X[asked] = found.X
            answers = getattr(found, "answered", None)
            answered[asked] = True if answers is None else answers
        return FeatureBatch(X, known_user, answered)


class Rescorer:
    """Decides again for one scorer."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        asked = scorer.assessor
        # Measures of its own: the counts of the scorer belong to the scoring thread.
        self._features = _Remembering(asked.features)
        self._assessor = Assessor(
            self._features,
            None,
            asked.reputation,
            asked.rules,
            Parts(),
            ServiceMetrics(FEATURE_NAMES),
            asked.log,
            asked.missed,
        )

    def run(self) -> int:
        """Decide a batch again, unless a part that it needs is still away; how many were decided."""
        scorer = self._scorer
        if any(scorer.parts[name].state != "ok" for name in BEARING):
            return 0
        records = scorer.decisions.to_rescore(AT_ONCE)
        return self._again(records) if records else 0

    def _again(self, records: Sequence[Record]) -> int:
        scorer = self._scorer
        serving = scorer.serving
        intakes = [intake_of(record) for record in records]
        self._features.known = self._vectors_that_stand(records)
        assessed = self._assessor.assess(Job(), serving.model, [intake.transaction for intake in intakes])
        if not BEARING.isdisjoint(assessed.degraded) or assessed.partly:
            return 0
        now_ms, rows = scorer.clock.now_ms(), np.ascontiguousarray(assessed.X, dtype="<f4")
        decisions = scorer.decider.actions(intakes, assessed)
        scorer.decisions.add_rescored([
            Rescored(
                d.transaction_id, now_ms, d.action.value, d.fraud_score, rows[row].tobytes(), serving.context_id,
                expected_loss(d, intakes[row].amount_usd),
            )
            for row, d in enumerate(decisions)
        ])  # fmt: skip
        scorer.metrics.rescored((record.action, d.action.value) for record, d in zip(records, decisions, strict=True))
        return len(records)

    def _vectors_that_stand(self, records: Sequence[Record]) -> dict[str, np.ndarray]:
        """The vectors that lacked nothing and mean what the present features mean, by transaction_id."""
        same = self._scorer.decisions.contexts_of_schema(self._scorer.serving.context.schema_hash)
        return {
            record.transaction_id: np.frombuffer(record.vector, dtype="<f4")
            for record in records
            if record.context_id in same and _FROM_STORE.isdisjoint(record.degraded.split(","))
        }


def intake_of(stored: Record | DecisionEvent) -> Intake:
    """The transaction of a stored decision, as it was taken in."""
    transaction = transaction_of(stored.transaction_json)
    return Intake(transaction, transaction.amount * currencies()[transaction.currency], stored.payload_digest)


def transaction_of(json: bytes) -> Transaction:
    """A transaction as it is kept with its decision."""
    fields = orjson.loads(json)
    if fields["ip_reputation"] is None:  # JSON has no NaN
        fields["ip_reputation"] = math.nan
    return Transaction(**fields)
