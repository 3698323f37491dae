"""A world of 200 users, large enough for rates, built once a worker."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraudkit.simulate import WORLDS, World, simulate


@pytest.fixture(scope="session")
def world() -> World:
    return simulate(replace(WORLDS["small"], users=200, fraud_rate=0.03), np.random.default_rng(11))
