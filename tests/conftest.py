"""What all tests share: a home of their own, so that no test sees or touches the user's data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from fraudkit.core.config import settings
from tests.postgres import MISSING, PostgresServer, server_programs

# Examples are slow to make on a crowded machine, which is no fault of the code.
hypothesis.settings.register_profile("crowded", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("crowded")

# Two workers share two cores; a thread pool in each would only make them fight.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Point FRAUDKIT_HOME at a fresh folder for the whole run of this worker."""
    home = tmp_path_factory.mktemp("home")
    os.environ["FRAUDKIT_HOME"] = str(home)
    os.environ.pop("REDIS_URL", None)
    os.environ.pop("DATABASE_URL", None)
    settings.cache_clear()
    yield home
    settings.cache_clear()


@pytest.fixture
def rng() -> np.random.Generator:
    """A fresh generator, the same in every run."""
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def tiny_world():
    """A simulated world of about 60 users over the full calendar, built once a worker."""
    from dataclasses import replace

    from fraudkit.simulate import WORLDS, simulate

    return simulate(replace(WORLDS["small"], users=60), np.random.default_rng(7))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started once a worker; skipped without one, which FRAUDKIT_REQUIRE_ALL=1 forbids."""
    programs = server_programs()
    if programs is None:
        if os.environ.get("FRAUDKIT_REQUIRE_ALL") == "1":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with PostgresServer(programs) as server:
        yield server
