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
from fraudkit.core.decision import Action, Decision, RuleHit
from fraudkit.features.catalog import INDEX
from fraudkit.features.reputation import ReputationSource
from fraudkit.rules.policy import DEFAULT_POLICY, Policy
from fraudkit.rules.rule import RuleSet
from fraudkit.serve.assess import Assessment, Assessor, FeatureSource
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.intake import Intake
from fraudkit.serve.job import Job, LeftAlone
from fraudkit.serve.journal import Journal
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.parts import DATABASE, EXPLANATION, FEATURE_STORE, NETWORK, TREES, Parts
from fraudkit.serve.recent import RecentReplies
from fraudkit.serve.reply import reply_json
from fraudkit.serve.serving import Model, Serving

# Without one of these a score rests on less than it should.
BEARING = frozenset({FEATURE_STORE, TREES, NETWORK})
NEW_ACCOUNT_DAYS = 30
_KNOWN, _AGE = INDEX["user_is_known"], INDEX["account_age_days"]


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
    ) -> None:
        self.parts = parts or Parts()
        self.log = log or DecisionLog()
        self.metrics = metrics
        self.metrics.watch(self.parts)
        self.rules = rules
        self.policy = policy
        self.decisions = decisions
        self.journal = Journal(journal or decisions.path.with_suffix(".journal"))
        self.clock: Clock = clock or SystemClock()
        self.assessor = Assessor(features, secondary, reputation, rules, self.parts, metrics, self.log)
        self.listeners: list[Listener] = []
        self.serving = Serving(model, context, decisions.context_id(context))
        self._recent = RecentReplies()
        self._decisive_ids = frozenset(rule.id for rule in rules if rule.decisive)

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
        decisions = self.actions(waiting, replace(assessed, degraded=missing))
        with self.assessor.stage("explain"):
            decisions = self._explained(job, serving.model, decisions, assessed.X)
        return Decided(known, fresh, decisions, assessed.X, serving)

    def actions(self, intakes: Sequence[Intake], assessed: Assessment) -> list[Decision]:
        """Rules and policy on every row, without explanations; touches nothing."""
        hit: list[bool] = np.asarray(assessed.fired.any(axis=1)).tolist()
        scores, probability = _numbers(assessed.scores), _numbers(assessed.probability)
        is_new = self._new(assessed)
        degraded = not BEARING.isdisjoint(assessed.degraded)
        decisions = []
        for row, intake in enumerate(intakes):
            hits = self.rules.hits(assessed.fired[row]) if hit[row] else ()
            decisive = self.decisive(hits)
            score = scores[row]
            decisions.append(
                Decision(
                    transaction_id=intake.transaction.transaction_id,
                    action=self.policy.decide(score, decisive is not None, intake.amount_usd, degraded, is_new[row]),
                    fraud_score=score if decisive is None else decisive.confidence,
                    fraud_probability=probability[row],
                    rules=hits,
                    degraded=assessed.degraded,
                    is_new=is_new[row],
                )
            )
        return decisions

    def _new(self, assessed: Assessment) -> list[bool]:
        """Whether each card holder is new: unknown to a store that answered, or with a young account."""
        X = assessed.X
        if not assessed.has_history:
            return [False] * len(X)
        new: list[bool] = ((X[:, _KNOWN] == 0) | (X[:, _AGE] < NEW_ACCOUNT_DAYS)).tolist()
        return new

    def decisive(self, hits: tuple[RuleHit, ...]) -> RuleHit | None:
        """The first decisive rule that fired, in the set's order."""
        return next((hit for hit in hits if hit.rule_id in self._decisive_ids), None) if hits else None

    def _explained(self, job: Job, model: Model, decisions: list[Decision], X: np.ndarray) -> list[Decision]:
        """The decisions with the reasons of those that are flagged; without them where the explainer fails."""
        rows = [
            row
            for row, decision in enumerate(decisions)
            if decision.action in (Action.DECLINE, Action.REVIEW) and decision.fraud_probability is not None
        ]
        if not rows or TREES in decisions[0].degraded or FEATURE_STORE in decisions[0].degraded:
            return decisions  # nothing to explain, or not the score that the explainer knows
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
                job.ask(self.parts[DATABASE], lambda: self.decisions.add(records))
            except LeftAlone:
                return self._keep_elsewhere(decided)
            except Exception as error:
                self.log.failure(DATABASE, error)
                return self._keep_elsewhere(decided)
        return self._done(decided, records)

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
                reply=reply_json(decision, self.decisive(decision.rules), context, (now_s - waiting.arrived_s) * 1000),
                vector=rows[position].tobytes(),
                transaction_json=orjson.dumps(waiting.intake.transaction),
                degraded=",".join(decision.degraded),
                to_rescore=not BEARING.isdisjoint(decision.degraded),
                context_id=decided.serving.context_id,
            )
            for position, (waiting, decision) in enumerate(zip(decided.fresh, decided.decisions, strict=True))
        ]

    def _count(self, decided: Decided) -> None:
        decisions, now_s = decided.decisions, time.perf_counter()
        latencies = np.array([now_s - waiting.arrived_s for waiting in decided.fresh])
        scores = np.array([d.fraud_score for d in decisions], dtype=np.float64)  # None becomes NaN
        self.metrics.batch((d.action.value for d in decisions), scores, latencies, decided.X)
        self.metrics.degraded(part for decision in decisions for part in decision.degraded)
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


def _numbers(values: np.ndarray) -> list[float | None]:
    """Scores as plain floats; None where one is NaN."""
    return [None if value != value else value for value in values.tolist()]
