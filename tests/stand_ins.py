"""What stands in for a trained model: a formula whose answers a test decides, and a real bundle that learnt noise."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

from fraudkit.core.decision import Contribution
from fraudkit.features.catalog import FEATURES, INDEX
from fraudkit.models.params import TrainingParams
from fraudkit.models.train import TrainedBundle, train_bundle


class FormulaModel:
    """Every score is the amount in US dollars over 1,000, at most 1; members named in `failures` raise."""

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}

    def member(self, name: str, X: np.ndarray) -> np.ndarray:
        if name in self.failures:
            raise self.failures[name]
        return np.minimum(X[:, INDEX["amount_usd"]].astype(np.float64) / 1000, 1.0)

    def combine(self, members: Mapping[str, np.ndarray]) -> SimpleNamespace:
        scores = np.mean(list(members.values()), axis=0)
        return SimpleNamespace(ensemble=scores, probability=scores / 2)

    def score_alone(self, X: np.ndarray) -> SimpleNamespace:
        return self.combine({"alone": self.member("alone", X)})

    def fail(self, failure: Exception) -> None:
        """Let nothing score."""
        self.failures = dict.fromkeys(("trees", "network", "alone"), failure)

    def explain(self, X: np.ndarray, top: int = 5) -> tuple[Contribution, ...]:
        return (Contribution("amount_usd", float(X[INDEX["amount_usd"]]), 1.5, "The amount is high"),)


def noise_bundle(seed: int = 7, column: int = 0) -> TrainedBundle:
    """A small bundle whose label follows one column of noise; another seed or column makes another bundle."""
    rng = np.random.default_rng(seed)
    X = np.array([feature.default for feature in FEATURES]) + rng.normal(size=(900, 143)).astype(np.float32)
    y = (X[:, column] > np.quantile(X[:, column], 0.8)).astype(np.int8)
    params = TrainingParams(n_estimators=10, max_epochs=1, n_jobs=1)
    return train_bundle(X[:600], y[:600], X[600:], y[600:], rng, params=params)
