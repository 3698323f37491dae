"""Two small real bundles with six columns, trained once a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.clock import FixedClock
from fraudkit.models.params import TrainingParams
from fraudkit.models.schema import table_schema
from fraudkit.models.train import train_bundle
from fraudkit.registry.registry import Registry

SCHEMA = table_schema([f"column_{i}" for i in range(6)])
QUICK = TrainingParams(n_estimators=10, max_epochs=1, n_jobs=1)


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of two different bundles."""
    folders = []
    for seed in (1, 2):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(900, 6)).astype(np.float32)
        y = (X[:, 0] + rng.normal(size=900) > 1.5).astype(np.float32)
        trained = train_bundle(X[:600], y[:600], X[600:], y[600:], rng, params=QUICK, schema=SCHEMA)
        folders.append(trained.save(tmp_path_factory.mktemp("bundles") / f"bundle{seed}"))
    return folders


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """An empty registry whose clock stands still."""
    return Registry(tmp_path / "registry", FixedClock(1_750_000_000_000))


@pytest.fixture
def evidence() -> Callable:
    """Builds test evidence: `candidate` and `production` are how well each separates, in deviations."""
    from fraudkit.registry.gate import Contender, Evidence

    day = 86_400_000

    def build(candidate, production=None, n=6_000, age_days=130, digests=("c", "p"), schemas=("s", "s")):
        rng = np.random.default_rng(3)
        y = (rng.random(n) < 0.1).astype(int)
        noise = rng.normal(size=n)
        sides = [
            None if strength is None else Contender(digest, schema, strength * y + noise + 0.1 * rng.normal(size=n))
            for strength, digest, schema in zip((candidate, production), digests, schemas, strict=True)
        ]
        user = rng.integers(0, n // 4, n)
        return Evidence(y, user, 0, 30 * day, (30 + age_days) * day, sides[0], sides[1])

    return build
