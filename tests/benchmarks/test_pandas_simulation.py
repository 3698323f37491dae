"""The customer loop makes what the simulator makes: the same tables, as many rows, frauds and labels in proportion."""

import numpy as np
import pytest

from benchmarks.baselines.pandas_simulation import simulate_world
from fraudkit.core.label import LABEL_COLUMNS, LabelSource
from fraudkit.core.transaction import TRANSACTION_COLUMNS, conform
from fraudkit.simulate import WorldConfig, simulate

CONFIG = WorldConfig("loop", users=60, warmup_days=5, train_days=5, valid_days=2, label_delay_days=0, test_days=8)


@pytest.fixture(scope="module")
def made():
    return simulate_world(CONFIG, np.random.default_rng(7))


def test_the_tables_have_the_contract_s_columns(made):
    transactions, labels, truth = made
    assert list(conform(transactions, TRANSACTION_COLUMNS)) == list(TRANSACTION_COLUMNS)
    assert list(conform(labels, LABEL_COLUMNS)) == list(LABEL_COLUMNS)
    assert len(truth) == len(transactions)


def test_it_does_as_much_work_as_the_simulator(made):
    transactions, _, truth = made
    ours = simulate(CONFIG, np.random.default_rng(7))
    assert 0.6 < len(transactions) / len(ours.transactions) < 1.6
    assert truth["campaign"].nunique() == 8  # seven kinds, and none


def test_a_share_is_a_share_of_the_customers():
    transactions, _, _ = simulate_world(CONFIG, np.random.default_rng(7), share=0.25)
    assert transactions["user_id"].nunique() == 15


def test_labels_come_after_the_fact_and_from_all_sources(made):
    _, labels, _ = made
    assert (labels["known_at"] > labels["event_time"]).all()
    assert set(labels["source"]) == {source.value for source in LabelSource}


def test_the_same_seed_makes_the_same_world(made):
    transactions, labels, truth = simulate_world(CONFIG, np.random.default_rng(7))
    for mine, theirs in zip((transactions, labels, truth), made, strict=True):
        assert mine.equals(theirs)
