"""The model for payments without a history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fraudkit.features.catalog import FEATURES
from fraudkit.models.bundle import Bundle
from fraudkit.models.params import TrainingParams
from fraudkit.models.train import TrainedBundle, train_bundle

SMALL = TrainingParams(n_estimators=30, max_depth=3, learning_rate=0.2, max_epochs=2, n_jobs=1)
HISTORY, OWN = 60, 0  # a column that only a history fills, and one of the transaction itself


@pytest.fixture(scope="module")
def data() -> dict[str, np.ndarray]:
    """Fraud follows the history's column and less so the transaction's own; bare rows lack the first."""
    rng = np.random.default_rng(7)
    X = np.tile([feature.default for feature in FEATURES], (4_000, 1)).astype(np.float32)
    bare = X.copy()
    X[:, HISTORY] = rng.normal(size=4_000)
    X[:, OWN] = bare[:, OWN] = rng.normal(size=4_000)
    y = (3 * X[:, HISTORY] + 2 * X[:, OWN] + rng.normal(size=4_000) > 3).astype(np.int8)
    return {"X": X, "bare": bare, "y": y}


@pytest.fixture(scope="module")
def trained(data: dict[str, np.ndarray]) -> TrainedBundle:
    X, bare, y = data["X"], data["bare"], data["y"]
    rng = np.random.default_rng(7)
    return train_bundle(X[:2000], y[:2000], X[2000:], y[2000:], rng, params=SMALL, bare=(bare[:2000], bare[2000:]))


def auc(y: np.ndarray, score: np.ndarray) -> float:
    fraud, honest = score[y == 1], score[y == 0]
    return float((fraud[:, None] > honest).mean() + 0.5 * (fraud[:, None] == honest).mean())


def test_it_ranks_payments_without_a_history(trained: TrainedBundle, data: dict[str, np.ndarray]):
    y = data["y"][2000:]
    assert auc(y, trained.bundle.score_alone(data["bare"][2000:]).ensemble) > 0.65


def test_its_score_means_the_probability_that_the_main_score_means(trained: TrainedBundle, data):
    found = trained.bundle.score_alone(data["bare"][:200])
    assert np.allclose(trained.bundle.calibration.apply(found.ensemble), found.probability, atol=1e-6)


def test_it_is_stored_with_the_bundle(trained: TrainedBundle, data, tmp_path: Path):
    loaded = Bundle.load(trained.save(tmp_path / "v0001"))
    bare = data["bare"][:50]
    assert np.array_equal(loaded.score_alone(bare).ensemble, trained.bundle.score_alone(bare).ensemble)


def test_the_other_models_are_the_same_with_and_without_it(trained: TrainedBundle, data):
    X, y = data["X"], data["y"]
    plain = train_bundle(X[:2000], y[:2000], X[2000:], y[2000:], np.random.default_rng(7), params=SMALL)
    assert all(plain.files[name] == trained.files[name] for name in plain.files if name != "manifest.json")
    assert np.array_equal(plain.bundle.score_alone(X[:9]).ensemble, plain.bundle.score(X[:9]).ensemble)


def test_a_member_alone_stands_for_both(trained: TrainedBundle, data):
    bundle, X = trained.bundle, data["X"][:9]
    both = bundle.score(X)
    for name, own in (("trees", both.xgboost), ("network", both.network)):
        alone = bundle.combine({name: bundle.member(name, X)})
        assert np.array_equal(alone.ensemble, own)
        assert np.isfinite(alone.probability).all()
