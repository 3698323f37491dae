"""What was acknowledged is there after a kill -9: the short form of `python -m tests.chaos.kill`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.kill import run, stop_store
from tests.stand_ins import noise_bundle

KILLS = 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small bundle that has learnt noise."""
    return str(noise_bundle().save(tmp_path_factory.mktemp("bundles") / "v0001"))


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
