from __future__ import annotations

import time

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.features.reputation import FlakyReputation, StoreReputation


@pytest.fixture
def source(store):
    store.publish_reputation(["10.0.0.1", "::1"], np.array([0.25, 1.0]))
    return StoreReputation(store)


def test_published_addresses_are_known_and_others_nan(source):
    np.testing.assert_array_equal(source.lookup(["::1", "10.9.9.9", "10.0.0.1"]), [1.0, np.nan, 0.25])
    assert source.lookup([]).shape == (0,)


def test_failures_come_at_their_rate_and_empty_the_whole_call(source, rng):
    flaky = FlakyReputation(source, rng, failure_rate=0.3)
    answers = [np.isnan(flaky.lookup(["::1", "10.0.0.1"])) for _ in range(300)]
    assert {answer.sum() for answer in map(np.asarray, answers)} == {0, 2}
    assert 60 < sum(answer.all() for answer in answers) < 120


def test_latency_is_added(source, rng):
    start = time.perf_counter()
    FlakyReputation(source, rng, latency_s=0.02).lookup(["::1"])
    assert time.perf_counter() - start >= 0.02


@pytest.mark.parametrize("options", [{"failure_rate": 1.5}, {"latency_s": -1.0}])
def test_impossible_settings_are_refused(source, rng, options):
    with pytest.raises(InvalidInput):
        FlakyReputation(source, rng, **options)
