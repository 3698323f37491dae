"""What features, rules and model say of a batch, with whatever parts answer.

The chain of histories: the feature store, else the secondary store, else none, and then a model of
its own scores that was trained without histories. Of trees and network either may score alone. A
part that fails, is left alone, or gives an answer of no use is named in `degraded`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
    """

    X: np.ndarray
    fired: np.ndarray
    scores: np.ndarray
    probability: np.ndarray
    has_history: bool
    degraded: tuple[str, ...]


class Assessor:
    """Asks the parts.

    Parameters
    ----------
    features, secondary : where histories come from; None where there is no secondary store
    reputation : rates addresses before the features are computed; None where `features` does it
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
    ) -> None:
        self.features = features
        self.secondary = secondary
        self.reputation = reputation
        self.rules = rules
        self.parts = parts
        self.metrics = metrics
        self.log = log

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
            X, has_history = self._vectors(job, transactions, degraded)
        with self.stage("rules"):
            fired = self.rules.evaluate(X)
        scored = self._scored(job, model, X, has_history, degraded)
        if scored is None:
            scores = probability = np.full(len(X), np.nan)
        else:
            scores, probability = scored.ensemble, scored.probability
        return Assessment(X, fired, scores, probability, has_history, tuple(degraded))

    def _vectors(self, job: Job, transactions: list[Transaction], degraded: list[str]) -> tuple[np.ndarray, bool]:
        """Feature vectors, and whether they rest on histories."""
        for name, source in ((FEATURE_STORE, self.features), (SECONDARY_STORE, self.secondary)):
            if source is not None:
                X = self._ask(job, name, partial(_vectors, source, transactions), degraded)
                if X is not None:
                    return X, True
                if name == FEATURE_STORE and self.reputation is None and any(t.ip_address for t in transactions):
                    degraded.append(IP_REPUTATION)  # the store rates addresses too
        return bare_vectors(transactions).X, False

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


def _vectors(source: FeatureSource, transactions: list[Transaction]) -> np.ndarray:
    """The vectors that a source gives, of the right shape and without infinities."""
    X = source.vectors(transactions).X
    if X.shape != (len(transactions), len(FEATURE_NAMES)) or np.isinf(X).any():
        raise ArithmeticError(f"the vectors have shape {X.shape} or hold infinities")
    return X


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
