"""What was acknowledged is there after a kill -9: the short form of `python -m tests.chaos.kill`."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from fraudkit.features.catalog import FEATURES
from fraudkit.models.params import TrainingParams
from fraudkit.models.train import train_bundle
from tests.chaos.kill import run, stop_store

KILLS = 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small bundle that has learnt noise."""
    rng = np.random.default_rng(7)
    X = np.array([feature.default for feature in FEATURES]) + rng.normal(size=(900, 143)).astype(np.float32)
    y = (X[:, 0] > np.quantile(X[:, 0], 0.8)).astype(np.int8)
    folder = tmp_path_factory.mktemp("bundles") / "v0001"
    params = TrainingParams(n_estimators=10, max_epochs=1, n_jobs=1)
    train_bundle(X[:600], y[:600], X[600:], y[600:], rng, params=params).save(folder)
    return str(folder)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_nothing_acknowledged_is_lost_when_the_service_is_killed(
    database: str, model: str, tmp_path: Path, request: pytest.FixtureRequest
):
    extra = {"DATABASE_URL": request.getfixturevalue("postgres").new_database()} if database == "postgres" else {}
    try:
        result = run(tmp_path, model, KILLS, random.Random(7), extra)
    finally:
        stop_store(tmp_path)
    assert result.kills == KILLS
    assert result.decisions > KILLS
    assert result.words > 0
    assert (result.lost, result.altered) == ([], [])
