"""The pandas baseline computes the same features as the kernel, so that their times may be compared."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.baselines import pandas_features
from benchmarks.replay import agreement
from fraudkit.features.catalog import INDEX
from fraudkit.features.offline import replay
from fraudkit.simulate import WORLDS, simulate


@pytest.fixture(scope="module")
def both():
    """Features by pandas and by the kernel, of one small world whose events arrive on time."""
    config = replace(WORLDS["small"], users=20, train_days=10, label_delay_days=0, test_days=5)
    world = simulate(config, np.random.default_rng(7))
    transactions = pandas_features.on_time(world.transactions)
    busiest = transactions["user_id"] == transactions["user_id"].mode()[0]
    transactions.loc[busiest, ["amount", "currency"]] = [12.5, "USD"]  # so that an amount comes twice in a day
    expected = pandas_features.features(transactions, world.users, world.labels)
    return expected, replay(transactions, world.users, world.labels)


def test_all_shared_features_agree(both):
    agreeing, comparable = agreement(*both)
    assert agreeing > 0.9999
    assert comparable > 0.5


def test_no_shared_feature_is_constant_by_mistake(both):
    """A feature that is the default everywhere would agree without being computed."""
    expected, X = both
    moving = {name for name in expected if np.ptp(X[:, INDEX[name]].astype(float)) > 0}
    assert set(expected) - moving == set()


def test_every_column_is_a_feature_of_the_catalog(both):
    expected, _ = both
    assert set(expected) <= set(INDEX)
    assert expected.shape[1] >= 100


def test_a_wrong_window_is_seen(both):
    expected, X = both
    wrong = X.copy()
    wrong[:, INDEX["user_txn_count_24h"]] = X[:, INDEX["user_txn_count_7d"]]
    assert agreement(expected, wrong)[0] < 0.9999
