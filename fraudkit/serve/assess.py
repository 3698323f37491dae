"""What features, rules and model say of a batch, with whatever parts answer.

The chain of histories: the feature store, else the secondary store, else none, and then a model of
its own scores that was trained without histories. Of trees and network either may score alone. A
part that fails, is left alone, or gives an answer of no use is named in `degraded`. Where only a part of the
feature store is away or empty, the rows that need it have their histories from the secondary store, and they
alone say so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.online import bare_vectors
from fraudkit.features.reputation import ReputationSource
from fraudkit.rules.rule import RuleSet
from fraudkit.serve.job import Job, LeftAlone
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.missed import Missed
from fraudkit.serve.parts import ALONE, FEATURE_STORE, IP_REPUTATION, NETWORK, SECONDARY_STORE, TREES, Parts
from fraudkit.serve.serving import Model, ScoredRows

MEMBERS = (TREES, NETWORK)
T = TypeVar("T")


class Batch(Protocol):
    """Vectors of a batch."""

    @property
    def X(self) -> np.ndarray:  # noqa: N802
        """Float32 (n, 143)."""
        ...


class FeatureSource(Protocol):
    """Reads the histories of a batch and appends to them; raises StoreUnavailable."""

    def vectors(self, transactions: Sequence[Transaction]) -> Batch: ...


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found of n transactions; `scores` and `probability` are NaN where nothing could score.

    Attributes
    ----------
    X : float32 (n, 143)
    fired : bool (n, rules)
    has_history : whether a store gave histories
    degraded : parts that did not take part
    partly : row -> parts that did not take part in this row, besides
    """

    X: np.ndarray
    fired: np.ndarray
    scores: np.ndarray
    probability: np.ndarray
    has_history: bool
    degraded: tuple[str, ...]
    partly: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def lacking(self, row: int) -> tuple[str, ...]:
        """The parts that did not take part in a row."""
        return (*self.partly[row], *self.degraded) if row in self.partly else self.degraded


class Assessor:
    """Asks the parts.

    Parameters
    ----------
    features, secondary : where histories come from; None where there is no secondary store
    reputation : rates addresses before the features are computed; None where `features` does it
    missed : what `features` has not seen as it was away
    """

    def __init__(
        self,
        features: FeatureSource,
        secondary: FeatureSource | None,
        reputation: ReputationSource | None,
        rules: RuleSet,
        parts: Parts,
        metrics: ServiceMetrics,
        log: DecisionLog,
        missed: Missed,
    ) -> None:
        self.features = features
        self.secondary = secondary
        self.reputation = reputation
        self.rules = rules
        self.parts = parts
        self.metrics = metrics
        self.log = log
        self.missed = missed

    def assess(self, job: Job, model: Model, transactions: list[Transaction]) -> Assessment:
        """Features, fired rules and scores of a batch in order of arrival.

        Raises
        ------
        TakenAway
            Another thread has the batch now.
        """
        degraded: list[str] = []
        with self.stage("reputation"):
            transactions = self._rated(job, transactions, degraded)
        with self.stage("features"):
            X, has_history, partly = self._vectors(job, transactions, degraded)
        with self.stage("rules"):
            fired = self.rules.evaluate(X)
        scored = self._scored(job, model, X, has_history, degraded)
        if scored is None:
            scores = probability = np.full(len(X), np.nan)
        else:
            scores, probability = scored.ensemble, scored.probability
        return Assessment(X, fired, scores, probability, has_history, tuple(degraded), partly)

    def _vectors(
        self, job: Job, transactions: list[Transaction], degraded: list[str]
    ) -> tuple[np.ndarray, bool, dict[int, tuple[str, ...]]]:
        """Feature vectors, whether they rest on histories, and what was missing in single rows."""
        missed = self.missed.before(transactions)
        found = self._ask(job, FEATURE_STORE, partial(_vectors, self.features, [*missed, *transactions]), degraded)
        if found is None:
            self.missed.add(transactions)
            degraded += self._without_store(transactions)[1:]
            whole = self._of_secondary(job, transactions, degraded)
            return (bare_vectors(transactions).X, False, {}) if whole is None else (whole, True, {})
        X, away = self._without_missed(missed, transactions, *found)
        if not away:
            return X, True, {}
        part = self._of_secondary(job, [transactions[row] for row in away], degraded)
        if part is not None:
            X[away] = part
            return X, True, {row: self._without_store([transactions[row]]) for row in away}
        degraded += self._without_store(transactions)  # two failures at once: nobody is told apart any more
        return bare_vectors(transactions).X, False, {}

    def _without_missed(
        self, missed: list[Transaction], transactions: list[Transaction], X: np.ndarray, away: list[int]
    ) -> tuple[np.ndarray, list[int]]:
        """The batch's own vectors and unanswered rows; what the store has now and what it missed is written down."""
        lacking = set(away)
        self.missed.caught_up([t for row, t in enumerate([*missed, *transactions]) if row not in lacking])
        own = [row - len(missed) for row in away if row >= len(missed)]
        self.missed.add([transactions[row] for row in own])
        return X[len(missed) :], own

    def _of_secondary(self, job: Job, transactions: list[Transaction], degraded: list[str]) -> np.ndarray | None:
        if self.secondary is None:
            return None
        found = self._ask(job, SECONDARY_STORE, partial(_vectors, self.secondary, transactions), degraded)
        return None if found is None else found[0]

    def _without_store(self, transactions: Sequence[Transaction]) -> tuple[str, ...]:
        """What is missing without the feature store."""
        if self.reputation is None and any(t.ip_address for t in transactions):
            return FEATURE_STORE, IP_REPUTATION  # the store rates addresses too
        return (FEATURE_STORE,)

    def _scored(
        self, job: Job, model: Model, X: np.ndarray, has_history: bool, degraded: list[str]
    ) -> ScoredRows | None:
        """Scores by the model that fits what is known of the histories, with the members that answer."""
        if not has_history:
            with self.stage("alone"):
                return self._ask(job, ALONE, lambda: _sound(model.score_alone(X)), degraded)
        members = {}
        for name in MEMBERS:
            with self.stage(name):
                found = self._ask(job, name, partial(_member_scores, model, name, X), degraded)
            if found is not None:
                members[name] = found
        return model.combine(members) if members else None

    def _rated(self, job: Job, transactions: list[Transaction], degraded: list[str]) -> list[Transaction]:
        """The transactions with the reputation of their addresses, each address asked for once."""
        source = self.reputation
        addresses = list({t.ip_address: None for t in transactions if t.ip_address is not None})
        if source is None or not addresses:
            return transactions
        found = self._ask(job, IP_REPUTATION, lambda: _in_range(source.lookup(addresses), missing=True), degraded)
        if found is None:
            return transactions
        rated = dict(zip(addresses, found.tolist(), strict=True))
        return [t if t.ip_address is None else replace(t, ip_reputation=rated[t.ip_address]) for t in transactions]

    def _ask(self, job: Job, name: str, call: Callable[[], T], degraded: list[str]) -> T | None:
        """What a part answers; None, with the part's name in `degraded`, where it does not."""
        try:
            return job.ask(self.parts[name], call)
        except LeftAlone:
            pass
        except Exception as error:  # whatever it is, the payment gets an answer
            self.log.failure(name, error)
        degraded.append(name)
        return None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage of a batch."""
        started = time.perf_counter()
        yield
        self.metrics.stage(name, time.perf_counter() - started)


def _vectors(source: FeatureSource, transactions: list[Transaction]) -> tuple[np.ndarray, list[int]]:
    """The vectors that a source gives, of the right shape and without infinities, and the rows it could not answer."""
    batch = source.vectors(transactions)
    X = batch.X
    if X.shape != (len(transactions), len(FEATURE_NAMES)) or np.isinf(X).any():
        raise ArithmeticError(f"the vectors have shape {X.shape} or hold infinities")
    answered: np.ndarray | None = getattr(batch, "answered", None)  # most sources answer all or nothing
    return X, [] if answered is None else np.flatnonzero(~answered).tolist()


def _in_range(values: np.ndarray, *, missing: bool = False) -> np.ndarray:
    """The values, each in 0..1; NaN passes only where it may stand for "unknown"."""
    inside = (values >= 0.0) & (values <= 1.0)
    if not (inside | np.isnan(values) if missing else inside).all():
        raise ArithmeticError("an answer lies outside 0..1 or is not a number")
    return values


def _member_scores(model: Model, name: str, X: np.ndarray) -> np.ndarray:
    return _in_range(model.member(name, X))


def _sound(scored: ScoredRows) -> ScoredRows:
    _in_range(scored.ensemble)
    return scored
