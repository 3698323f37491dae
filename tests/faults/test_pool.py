"""The pool says how many connections are out, and what becomes of them is what the lookup does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis

from fraudkit.core.clock import FixedClock
from fraudkit.faults.lookup import load_lookup, version_path
from fraudkit.faults.pool import CountedPool, open_pool
from fraudkit.faults.reputation import PooledReputation, PoolMetrics
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.store import HistoryStore
from fraudkit.serve.logs import DecisionLog

SIZE = 3
RATED, UNRATED = "203.0.113.1", "203.0.113.99"


@pytest.fixture
def pool(valkey: EmbeddedValkey, store: HistoryStore) -> Iterator[CountedPool]:
    store.publish_reputation([RATED], np.array([0.25]))
    opened = open_pool(valkey.url, SIZE, 0.02)
    yield opened
    opened.disconnect()


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[DecisionLog]:
    with (tmp_path / "log").open("w") as stream:
        yield DecisionLog(stream=stream)


def test_what_is_taken_is_out_until_it_is_given_back(pool: CountedPool):
    first, second = pool.get_connection(), pool.get_connection()
    assert (pool.in_use, pool.taken, pool.size) == (2, 2, SIZE)
    pool.release(first)
    pool.release(second)
    assert pool.in_use == 0


def test_giving_back_twice_lends_no_connection_twice(pool: CountedPool):
    connection, _other = pool.get_connection(), pool.get_connection()
    pool.release(connection)
    pool.release(connection)  # a pool that is not full would take it a second time
    assert pool.get_connection() is not pool.get_connection()
    assert pool.in_use == SIZE


def test_an_empty_pool_turns_away_and_counts_it(pool: CountedPool):
    for _ in range(SIZE):
        pool.get_connection()
    with pytest.raises(redis.ConnectionError):
        pool.get_connection()
    assert (pool.in_use, pool.timeouts) == (SIZE, 1)


@pytest.mark.parametrize("version", ["sound", "leaking", "fixed"])
def test_every_version_gives_the_same_answers(pool: CountedPool, quiet: DecisionLog, version: str):
    part = PooledReputation(pool, load_lookup(version_path(version)), quiet)
    assert part.lookup([RATED]).tolist() == [0.25]
    assert np.isnan(part.lookup([UNRATED])).all()
    assert part.results == {"rated": 1, "unrated": 1, "failed": 0}


@pytest.mark.parametrize("version", ["sound", "fixed"])
def test_a_good_version_gives_back_on_every_path(pool: CountedPool, quiet: DecisionLog, version: str):
    part = PooledReputation(pool, load_lookup(version_path(version)), quiet)
    for _ in range(SIZE + 1):
        part.lookup([UNRATED, RATED])
    assert (pool.in_use, pool.timeouts) == (0, 0)


def test_the_leaking_version_loses_one_connection_for_each_unrated_address(pool: CountedPool, quiet: DecisionLog):
    part = PooledReputation(pool, load_lookup(version_path("leaking")), quiet)
    lost = []
    for address in (RATED, UNRATED, RATED, UNRATED, UNRATED):
        part.lookup([address])
        lost.append(pool.in_use)
    assert lost == [0, 1, 1, 2, 3]
    with pytest.raises(redis.ConnectionError):
        part.lookup([RATED])
    assert part.results["failed"] == 1


def test_the_metrics_show_the_pool_and_the_time(pool: CountedPool, quiet: DecisionLog):
    part = PooledReputation(pool, load_lookup(version_path("leaking")), quiet)
    part.lookup([RATED, UNRATED])
    lines = PoolMetrics(FEATURE_NAMES, part, FixedClock(5_000)).text().decode().splitlines()
    assert {
        "reputation_pool_in_use 1.0",
        "reputation_pool_size 3.0",
        "reputation_pool_taken_total 2.0",
        'reputation_lookups_total{result="unrated"} 1.0',
        "service_clock_seconds 5.0",
        'fraud_predictions_total{decision="APPROVE"} 0.0',
    } <= set(lines)
