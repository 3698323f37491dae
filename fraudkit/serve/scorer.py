"""The scoring core: a batch of accepted transactions in, decided and recorded replies out.

One thread calls it, one batch at a time. Order within a batch: what was decided before is answered
from the record; the rest is read and appended in the store, scored, decided, explained where
flagged, and committed; only then does a reply exist. A part that fails is named in the reply and
left out. This module knows nothing of HTTP.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from fraudkit.core.clock import Clock, SystemClock
from fraudkit.core.decision import Action, Contribution, Decision, RuleHit
from fraudkit.core.transaction import Transaction
from fraudkit.features.online import bare_vectors
from fraudkit.features.reputation import ReputationSource
from fraudkit.rules.policy import DEFAULT_POLICY, Policy
from fraudkit.rules.rule import RuleSet
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.intake import Intake
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.reply import reply_json

FEATURE_STORE, IP_REPUTATION, MODEL = "feature_store", "ip_reputation", "model"


class Batch(Protocol):
    """Vectors of a batch."""

    @property
    def X(self) -> np.ndarray:  # noqa: N802
        """Float32 (n, 143)."""
        ...


class FeatureSource(Protocol):
    """Reads the histories of a batch and appends to them; raises StoreUnavailable."""

    def vectors(self, transactions: Sequence[Transaction]) -> Batch: ...


class ScoredRows(Protocol):
    """Scores of n rows, float64 (n,)."""

    @property
    def ensemble(self) -> np.ndarray: ...

    @property
    def probability(self) -> np.ndarray: ...


class Model(Protocol):
    """Scores vectors and explains one."""

    def score(self, X: np.ndarray) -> ScoredRows: ...

    def explain(self, X: np.ndarray, top: int = 5) -> tuple[Contribution, ...]: ...


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


@dataclass(frozen=True, slots=True)
class Assessment:
    """What features, rules and model say of a batch; `scores` and `probability` are NaN without a model."""

    X: np.ndarray
    fired: np.ndarray
    scores: np.ndarray
    probability: np.ndarray
    degraded: tuple[str, ...]


class Scorer:
    """Scores batches with one model, one rule set and one policy.

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
    ) -> None:
        self.features = features
        self.reputation = reputation
        self.model = model
        self.rules = rules
        self.policy = policy
        self.decisions = decisions
        self.context = context
        self.metrics = metrics
        self.clock: Clock = clock or SystemClock()
        self.log = log or DecisionLog()
        self._decisive_ids = frozenset(rule.id for rule in rules if rule.decisive)
        self._context_id = decisions.context_id(context)

    def score(self, batch: Sequence[Waiting]) -> list[Outcome]:
        """Decide every transaction once; outcomes in the batch's order."""
        with self._stage("lookup"):
            known = self.decisions.stored([w.intake.transaction.transaction_id for w in batch])
            fresh = _fresh(batch, known)
        if fresh:
            known.update(self._decide(fresh))
        return [_answer(w.intake, known) for w in batch]

    def _decide(self, fresh: list[Waiting]) -> dict[str, tuple[bytes, bytes]]:
        """Score, decide and record transactions that were never seen; payload digest and reply by id."""
        assessed = self._assess([w.intake.transaction for w in fresh])
        with self._stage("explain"):
            decisions = self._decisions(fresh, assessed)
        with self._stage("record"):
            records = self._records(fresh, decisions, assessed.X)
            self.decisions.add(records, self._context_id)
        self._count(fresh, decisions, assessed)
        return {r.transaction_id: (r.payload_digest, r.reply) for r in records}

    def _assess(self, transactions: list[Transaction]) -> Assessment:
        degraded: list[str] = []
        if self.reputation is not None:
            with self._stage("reputation"):
                transactions = self._rated(transactions, self.reputation, degraded)
        with self._stage("features"):
            try:
                X = self.features.vectors(transactions).X
            except Exception as error:  # whatever it is, the payment gets an answer
                self.log.failure(FEATURE_STORE, error)
                if self.reputation is None and any(t.ip_address for t in transactions):
                    degraded.append(IP_REPUTATION)
                degraded.append(FEATURE_STORE)
                X = bare_vectors(transactions).X
        with self._stage("rules"):
            fired = self.rules.evaluate(X)
        scores = probability = np.full(len(X), np.nan)
        with self._stage("model"):
            try:
                scored = self.model.score(X)
                if not np.isfinite(scored.ensemble).all():
                    raise ArithmeticError("the model gave a score that is not a number")
                scores, probability = scored.ensemble, scored.probability
            except Exception as error:  # as above
                self.log.failure(MODEL, error)
                degraded.append(MODEL)
        return Assessment(X, fired, scores, probability, tuple(degraded))

    def _rated(
        self, transactions: list[Transaction], source: ReputationSource, degraded: list[str]
    ) -> list[Transaction]:
        """The transactions with the reputation of their addresses, each address asked for once."""
        addresses = list({t.ip_address: None for t in transactions if t.ip_address is not None})
        if not addresses:
            return transactions
        try:
            rated = dict(zip(addresses, source.lookup(addresses).tolist(), strict=True))
        except Exception as error:  # whatever it is, the payment gets an answer
            self.log.failure(IP_REPUTATION, error)
            degraded.append(IP_REPUTATION)
            return transactions
        return [t if t.ip_address is None else replace(t, ip_reputation=rated[t.ip_address]) for t in transactions]

    def _decisions(self, fresh: list[Waiting], assessed: Assessment) -> list[Decision]:
        """Rules, policy and explanation of every row."""
        hit: list[bool] = np.asarray(assessed.fired.any(axis=1)).tolist()
        scores, probability = _numbers(assessed.scores), _numbers(assessed.probability)
        degraded = FEATURE_STORE in assessed.degraded
        decisions = []
        for row, waiting in enumerate(fresh):
            hits = self.rules.hits(assessed.fired[row]) if hit[row] else ()
            decisive = self._decisive(hits)
            score = scores[row]
            action = self.policy.decide(score, decisive is not None, waiting.intake.amount_usd, degraded)
            flagged = action in (Action.DECLINE, Action.REVIEW)
            decisions.append(
                Decision(
                    transaction_id=waiting.intake.transaction.transaction_id,
                    action=action,
                    fraud_score=score if decisive is None else decisive.confidence,
                    fraud_probability=probability[row],
                    rules=hits,
                    explanation=self._explain(assessed.X[row]) if flagged and score is not None else (),
                    degraded=assessed.degraded,
                )
            )
        return decisions

    def _decisive(self, hits: tuple[RuleHit, ...]) -> RuleHit | None:
        """The first decisive rule that fired, in the set's order."""
        return next((hit for hit in hits if hit.rule_id in self._decisive_ids), None) if hits else None

    def _explain(self, row: np.ndarray) -> tuple[Contribution, ...]:
        try:
            return self.model.explain(row)
        except Exception as error:  # the decision stands without its explanation
            self.log.failure("explanation", error)
            return ()

    def _records(self, fresh: list[Waiting], decisions: list[Decision], X: np.ndarray) -> list[Record]:
        now_ms, now_s = self.clock.now_ms(), time.perf_counter()
        rows = np.ascontiguousarray(X, dtype="<f4")

        return [
            Record(
                transaction_id=decision.transaction_id,
                payload_digest=waiting.intake.payload_digest,
                decided_at_ms=now_ms,
                action=decision.action.value,
                fraud_score=decision.fraud_score,
                reply=reply_json(
                    decision, self._decisive(decision.rules), self.context, (now_s - waiting.arrived_s) * 1000
                ),
                vector=rows[position].tobytes(),
            )
            for position, (waiting, decision) in enumerate(zip(fresh, decisions, strict=True))
        ]

    def _count(self, fresh: list[Waiting], decisions: list[Decision], assessed: Assessment) -> None:
        now_s = time.perf_counter()
        latencies = np.array([now_s - waiting.arrived_s for waiting in fresh])
        scores = np.array([d.fraud_score for d in decisions], dtype=np.float64)  # None becomes NaN
        self.metrics.batch((d.action.value for d in decisions), scores, latencies, assessed.X)
        for part in assessed.degraded:
            self.metrics.degraded(part, len(fresh))
        self.log.decisions(decisions, latencies)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.metrics.stage(name, time.perf_counter() - started)


def _fresh(batch: Iterable[Waiting], known: dict[str, tuple[bytes, bytes]]) -> list[Waiting]:
    """Those that were not decided before, each id once: the first of a batch counts."""
    first: dict[str, Waiting] = {}
    for waiting in batch:
        transaction_id = waiting.intake.transaction.transaction_id
        if transaction_id not in known:
            first.setdefault(transaction_id, waiting)
    return list(first.values())


def _answer(intake: Intake, known: dict[str, tuple[bytes, bytes]]) -> Outcome:
    digest, reply = known[intake.transaction.transaction_id]
    return Outcome(200, reply) if digest == intake.payload_digest else CONFLICT


def _numbers(values: np.ndarray) -> list[float | None]:
    """Scores as plain floats; None where one is NaN."""
    return [None if value != value else value for value in values.tolist()]
