"""The scoring core: a batch of accepted transactions in, decided and recorded replies out.

One thread calls it, one batch at a time. Order within a batch: what was decided before is answered
from the record; the rest is assessed, decided, explained where flagged, and recorded; only then does
a reply exist. A part that fails or is late is named in the reply and left out. Where the
database is away, decisions are kept in a journal beside it. This module knows nothing of HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import orjson

from fraudkit.core.clock import Clock, SystemClock
from fraudkit.core.decision import Decision
from fraudkit.features.reputation import ReputationSource
from fraudkit.rules.exploration import Exploration
from fraudkit.rules.policy import DEFAULT_POLICY, Policy
from fraudkit.rules.rule import RuleSet
from fraudkit.serve.assess import Assessor, FeatureSource
from fraudkit.serve.decide import BEARING, Decider, to_explain
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.expected_loss import expected_loss
from fraudkit.serve.intake import Intake
from fraudkit.serve.job import Job, LeftAlone
from fraudkit.serve.journal import Journal
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.missed import Missed
from fraudkit.serve.parts import DATABASE, EXPLANATION, Parts
from fraudkit.serve.recent import RecentReplies
from fraudkit.serve.reply import reply_json
from fraudkit.serve.serving import Model, Serving


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transaction in line, and when its request arrived (time.perf_counter)."""

    intake: Intake
    arrived_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """200 with the reply's JSON, or 409 where the id belongs to another payload."""

    status: int
    reply: bytes = b""


CONFLICT = Outcome(409)
Replies = dict[str, tuple[bytes, bytes]]  # transaction_id -> payload digest, reply


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch that only has to be recorded: what was known before, and the new decisions with their vectors."""

    known: Replies
    fresh: list[Waiting]
    decisions: list[Decision]
    X: np.ndarray
    serving: Serving


class Listener(Protocol):
    """Is told of every recorded batch on the scoring thread; must not wait for anything, and not raise."""

    def __call__(self, decided: Decided, records: Sequence[Record]) -> None: ...


class Scorer:
    """Scores batches with the serving model, one rule set and one policy.

    `reputation` rates addresses before the features are computed; None where the features' source does it.
    """

    def __init__(
        self,
        features: FeatureSource,
        reputation: ReputationSource | None,
        model: Model,
        rules: RuleSet,
        decisions: DecisionStore,
        context: Context,
        metrics: ServiceMetrics,
        policy: Policy = DEFAULT_POLICY,
        clock: Clock | None = None,
        log: DecisionLog | None = None,
        secondary: FeatureSource | None = None,
        journal: Path | None = None,
        parts: Parts | None = None,
        durable: bool = False,
        exploration: Exploration | None = None,
    ) -> None:
        self.parts = parts or Parts()
        self.log = log or DecisionLog()
        self.metrics = metrics
        self.metrics.watch(self.parts)
        self.decider = Decider(rules, policy, exploration)
        self.decisions = decisions
        if journal is None:
            assert decisions.path is not None, "a database that is no file has no place for the journal"
            journal = decisions.path.with_suffix(".journal")
        self.journal = Journal(journal, durable)
        self.clock: Clock = clock or SystemClock()
        self.assessor = Assessor(features, secondary, reputation, rules, self.parts, metrics, self.log, Missed())
        self.listeners: list[Listener] = []
        self.serving = Serving(model, context, decisions.context_id(context))
        self._recent = RecentReplies()

    def score(self, batch: Sequence[Waiting], job: Job | None = None) -> list[Outcome]:
        """Decide every transaction once; outcomes in the batch's order.

        Called again with a `job` that was taken from another thread, it goes on where that one was held up.

        Raises
        ------
        StoreUnavailable
            Neither database nor journal takes the decisions.
        TakenAway
            Another thread has the batch now.
        """
        job = job or Job()
        held_up = job.decided
        if isinstance(held_up, Decided):
            known = self._keep_elsewhere(held_up)
        else:
            known, degraded = self._known(job, batch)
            fresh = _fresh(batch, known)
            if fresh:
                job.decided = decided = self._decide(job, fresh, known, degraded)
                known = self._record(job, decided)
        return [_answer(w.intake, known) for w in batch]

    def _known(self, job: Job, batch: Sequence[Waiting]) -> tuple[Replies, tuple[str, ...]]:
        """What was decided before, and the database's name where it could not be asked."""
        ids = [w.intake.transaction.transaction_id for w in batch]
        with self.assessor.stage("lookup"):
            try:
                known = job.ask(self.parts[DATABASE], lambda: self.decisions.stored(ids))
                return (self._recent.known(ids) | known if self.journal.in_use else known), ()
            except LeftAlone:
                pass
            except Exception as error:  # whatever it is, the payment gets an answer
                self.log.failure(DATABASE, error)
        return self._recent.known(ids), (DATABASE,)

    def _decide(self, job: Job, fresh: list[Waiting], known: Replies, degraded: tuple[str, ...]) -> Decided:
        """Assess, decide and explain transactions that were never seen."""
        serving = self.serving
        assessed = self.assessor.assess(job, serving.model, [w.intake.transaction for w in fresh])
        missing = (*assessed.degraded, *degraded)
        waiting = [w.intake for w in fresh]
        decisions = self.decider.actions(waiting, replace(assessed, degraded=missing))
        with self.assessor.stage("explain"):
            decisions = self._explained(job, serving.model, decisions, assessed.X)
        return Decided(known, fresh, decisions, assessed.X, serving)

    def _explained(self, job: Job, model: Model, decisions: list[Decision], X: np.ndarray) -> list[Decision]:
        """The decisions with the reasons of those that are flagged; without them where the explainer fails."""
        rows = to_explain(decisions)
        if not rows:
            return decisions
        try:
            reasons = job.ask(self.parts[EXPLANATION], lambda: [model.explain(X[row]) for row in rows])
        except LeftAlone:
            pass
        except Exception as error:  # the decision stands without its explanation
            self.log.failure(EXPLANATION, error)
        else:
            explained = dict(zip(rows, reasons, strict=True))
            return [replace(d, explanation=explained.get(row, ())) for row, d in enumerate(decisions)]
        lacking = set(rows)
        return [
            replace(d, degraded=(*d.degraded, EXPLANATION)) if row in lacking else d for row, d in enumerate(decisions)
        ]

    def _record(self, job: Job, decided: Decided) -> Replies:
        """Commit the decisions, to the journal where the database does not take them."""
        if DATABASE in decided.decisions[0].degraded:
            return self._keep_elsewhere(decided)
        with self.assessor.stage("record"):
            records = self._records(decided)
            try:
                earlier = job.ask(self.parts[DATABASE], lambda: self.decisions.add(records))
            except LeftAlone:
                return self._keep_elsewhere(decided)
            except Exception as error:
                self.log.failure(DATABASE, error)
                return self._keep_elsewhere(decided)
        return self._done(decided, records) if not earlier else self._give_way(decided, records, earlier)

    def _give_way(self, decided: Decided, records: list[Record], earlier: Replies) -> Replies:
        """Leave out what another service decided first: its decisions were recorded, and are everybody's answer."""
        kept = [row for row, record in enumerate(records) if record.transaction_id not in earlier]
        decided = replace(
            decided,
            known=decided.known | earlier,
            fresh=[decided.fresh[row] for row in kept],
            decisions=[decided.decisions[row] for row in kept],
            X=decided.X[kept],
        )
        return self._done(decided, [records[row] for row in kept]) if kept else decided.known

    def _keep_elsewhere(self, decided: Decided) -> Replies:
        """Commit the decisions to the journal, the database named in each."""
        if DATABASE not in decided.decisions[0].degraded:
            named = [replace(d, degraded=(*d.degraded, DATABASE)) for d in decided.decisions]
            decided = replace(decided, decisions=named)
        records = self._records(decided)
        self.journal.add(records)
        return self._done(decided, records)

    def _done(self, decided: Decided, records: list[Record]) -> Replies:
        """Count a recorded batch, tell whoever listens, and give all its replies."""
        self._recent.add(records)
        self._count(decided)
        for listener in self.listeners:
            listener(decided, records)
        return decided.known | {r.transaction_id: (r.payload_digest, r.reply) for r in records}

    def _records(self, decided: Decided) -> list[Record]:
        now_ms, now_s = self.clock.now_ms(), time.perf_counter()
        rows = np.ascontiguousarray(decided.X, dtype="<f4")
        context = decided.serving.context
        return [
            Record(
                transaction_id=decision.transaction_id,
                payload_digest=waiting.intake.payload_digest,
                decided_at_ms=now_ms,
                action=decision.action.value,
                fraud_score=decision.fraud_score,
                reply=reply_json(
                    decision, self.decider.decisive(decision.rules), context, (now_s - waiting.arrived_s) * 1000
                ),
                vector=rows[position].tobytes(),
                transaction_json=orjson.dumps(waiting.intake.transaction),
                degraded=",".join(decision.degraded),
                to_rescore=not BEARING.isdisjoint(decision.degraded),
                context_id=decided.serving.context_id,
                user_id=waiting.intake.transaction.user_id,
                expected_loss=expected_loss(decision, waiting.intake.amount_usd),
            )
            for position, (waiting, decision) in enumerate(zip(decided.fresh, decided.decisions, strict=True))
        ]

    def _count(self, decided: Decided) -> None:
        decisions, now_s = decided.decisions, time.perf_counter()
        latencies = np.array([now_s - waiting.arrived_s for waiting in decided.fresh])
        scores = np.array([d.fraud_score for d in decisions], dtype=np.float64)  # None becomes NaN
        self.metrics.batch((d.action.value for d in decisions), scores, latencies, decided.X)
        self.metrics.degraded(part for decision in decisions for part in decision.degraded)
        self.metrics.explored(sum(decision.explored for decision in decisions))
        self.log.decisions(decisions, latencies)


def _fresh(batch: Iterable[Waiting], known: Replies) -> list[Waiting]:
    """Those that were not decided before, each id once: the first of a batch counts."""
    first: dict[str, Waiting] = {}
    for waiting in batch:
        transaction_id = waiting.intake.transaction.transaction_id
        if transaction_id not in known:
            first.setdefault(transaction_id, waiting)
    return list(first.values())


def _answer(intake: Intake, known: Replies) -> Outcome:
    digest, reply = known[intake.transaction.transaction_id]
    return Outcome(200, reply) if digest == intake.payload_digest else CONFLICT
