"""Second decisions: what was decided on less than it should be, decided again when the part is back.

The first reply stands, and a retry still gets it; the second decision is kept beside it, for whoever
reviews payments. Asking the feature store once more also appends the payment to the histories
that it missed. Runs on a thread of its own, off the path of payments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import orjson

from fraudkit.core.money import currencies
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.serve.assess import Assessor
from fraudkit.serve.decisions import Record, Rescored
from fraudkit.serve.expected_loss import expected_loss
from fraudkit.serve.intake import Intake
from fraudkit.serve.job import Job
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.parts import Parts
from fraudkit.serve.scorer import BEARING, Scorer

AT_ONCE = 128


class Rescorer:
    """Decides again for one scorer."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        asked = scorer.assessor
        # Measures of its own: the counts of the scorer belong to the scoring thread.
        self._assessor = Assessor(
            asked.features, None, asked.reputation, asked.rules, Parts(), ServiceMetrics(FEATURE_NAMES), asked.log
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
        assessed = self._assessor.assess(Job(), serving.model, [intake.transaction for intake in intakes])
        if not BEARING.isdisjoint(assessed.degraded):
            return 0
        now_ms, rows = scorer.clock.now_ms(), np.ascontiguousarray(assessed.X, dtype="<f4")
        decisions = scorer.actions(intakes, assessed)
        scorer.decisions.add_rescored([
            Rescored(
                d.transaction_id, now_ms, d.action.value, d.fraud_score, rows[row].tobytes(), serving.context_id,
                expected_loss(d, intakes[row].amount_usd),
            )
            for row, d in enumerate(decisions)
        ])  # fmt: skip
        scorer.metrics.rescored((record.action, d.action.value) for record, d in zip(records, decisions, strict=True))
        return len(records)


def intake_of(record: Record) -> Intake:
    """The transaction of a stored decision, as it was taken in."""
    transaction = transaction_of(record.transaction_json)
    return Intake(transaction, transaction.amount * currencies()[transaction.currency], record.payload_digest)


def transaction_of(json: bytes) -> Transaction:
    """A transaction as it is kept with its decision."""
    fields = orjson.loads(json)
    if fields["ip_reputation"] is None:  # JSON has no NaN
        fields["ip_reputation"] = math.nan
    return Transaction(**fields)
