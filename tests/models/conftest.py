"""Made-up training data, and one small bundle with the catalog's 143 columns, shared by a worker's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fraudkit.models.params import TrainingParams
from fraudkit.models.train import TrainedBundle, train_bundle

Data = tuple[np.ndarray, np.ndarray]


def make_data(n: int, n_features: int, rng: np.random.Generator, missing: float = 0.02) -> Data:
    """Rows with long tails and gaps, float32 (n, n_features), and labels (n,) that three columns drive."""
    z = rng.normal(size=(n, n_features))
    drive = 2.0 * z[:, 0] + 1.5 * z[:, 1] * z[:, 2] - 3.5
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-drive))).astype(np.float32)
    X = np.exp(z).astype(np.float32)
    X[rng.random(X.shape) < missing] = np.nan
    return X, y


@pytest.fixture(scope="session")
def data() -> Callable[..., Data]:
    """`make_data`, for tests that need their own."""
    return make_data


@pytest.fixture(scope="session")
def quick() -> TrainingParams:
    """Parameters that train in a second."""
    return TrainingParams(n_estimators=40, stopping_rounds=15, max_epochs=2, n_jobs=1)


@pytest.fixture(scope="session")
def trained(quick: TrainingParams) -> TrainedBundle:
    """Trained on 4,000 rows; the models are poor and that does not matter here."""
    rng = np.random.default_rng(11)
    return train_bundle(*make_data(4_000, 143, rng), *make_data(1_500, 143, rng), rng, params=quick)


@pytest.fixture
def folder(trained: TrainedBundle, tmp_path: Path) -> Path:
    """The bundle saved to a folder of the test's own."""
    return trained.save(tmp_path / "bundle")
