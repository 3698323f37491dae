from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fraudkit.features.catalog import FEATURES, INDEX
from fraudkit.features.offline import replay
from fraudkit.features.online import bare_vectors
from fraudkit.features.parity import to_transactions

CUT = pd.Timestamp("2025-02-15 13:00", tz="UTC")
SHARED = np.array([feature.family == "merchant risk" or feature.entity in ("device", "ip") for feature in FEATURES])


def concat(*parts: pd.DataFrame) -> pd.DataFrame:
    """Rows of all parts; categories are kept as text where they differ."""
    return pd.concat([part.astype({"transaction_id": "string"}) for part in parts], ignore_index=True)


def test_row_order_of_the_table_does_not_matter(tables, rng):
    order = rng.permutation(len(tables.transactions))
    shuffled = tables.transactions.iloc[order].reset_index(drop=True)
    labels = tables.labels.sample(frac=1, random_state=1)
    np.testing.assert_array_equal(replay(shuffled, tables.users, labels), replay(*tables)[order])


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_what_arrives_later_never_changes_a_vector(tables, make_tables, make_labels, seed):
    """Rows that arrive after the cut, whatever their event time, and labels that do."""
    past = tables.transactions[tables.transactions["known_at"] <= CUT]
    before = replay(past, tables.users, tables.labels[tables.labels["known_at"] <= CUT])
    rng = np.random.default_rng(seed)
    later = make_tables(rng, n=int(rng.integers(1, 300))).transactions
    later["transaction_id"] = "later-" + later["transaction_id"]
    later["known_at"] = (later["known_at"].clip(lower=CUT) + pd.Timedelta(seconds=1)).astype("datetime64[ms, UTC]")
    labels = make_labels(rng, past, share=0.5)
    labels["known_at"] = (labels["known_at"].clip(lower=CUT) + pd.Timedelta(seconds=1)).astype("datetime64[ms, UTC]")
    known = tables.labels[tables.labels["known_at"] <= CUT]
    after = replay(concat(past, later), tables.users, concat(known, labels))[: len(past)]
    np.testing.assert_array_equal(after.view(np.uint32), before.view(np.uint32))


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_other_users_change_only_shared_features(tables, make_tables, seed):
    others = make_tables(np.random.default_rng(seed), n=200).transactions
    others["transaction_id"] = "other-" + others["transaction_id"]
    others["user_id"] = "x" + others["user_id"].astype(str)
    before = replay(*tables)
    after = replay(concat(tables.transactions, others), tables.users, tables.labels)[: len(before)]
    np.testing.assert_array_equal(after[:, ~SHARED], before[:, ~SHARED])
    assert (after[:, SHARED] != before[:, SHARED]).any()


def test_a_repeated_transaction_counts_once_and_gets_its_first_vector(tables):
    # Same moment and id: the repetition stands directly behind the original.
    repeated = tables.transactions.iloc[np.repeat(np.arange(len(tables.transactions)), 2)].reset_index(drop=True)
    user = ~SHARED
    x = replay(repeated, tables.users, tables.labels)
    np.testing.assert_array_equal(x[::2], x[1::2])
    np.testing.assert_array_equal(x[::2][:, user], replay(*tables)[:, user])


def test_users_and_labels_may_be_missing(tables):
    x = replay(tables.transactions, None, None)
    assert np.isfinite(x).all()
    assert not x[:, INDEX["user_is_known"]].any()
    assert not x[:, INDEX["merchant_fraud_count_90d"]].any()
    assert x[:, INDEX["merchant_txn_count_90d"]].any()


def test_empty_table():
    assert replay(pd.DataFrame({"user_id": [], "event_time": [], "amount": []}), None, None).shape == (0, 143)


def test_first_transaction_equals_the_bare_one(tables):
    first = tables.transactions.iloc[:1]
    np.testing.assert_array_equal(replay(first, None, None), bare_vectors(to_transactions(first)).X)


def test_progress_rises_to_one(tables):
    seen: list[float] = []
    replay(*tables, progress=lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] == 1.0


@pytest.mark.parametrize("seconds, counted", [(3599, 2), (3600, 1)])
def test_a_window_is_open_at_its_old_end(payment, seconds, counted):
    table = pd.DataFrame(
        {
            "transaction_id": ["a", "b"],
            "user_id": ["u", "u"],
            "event_time": pd.to_datetime([0, seconds], unit="s", utc=True),
            "amount": [1.0, 2.0],
        }
    )
    assert replay(table, None, None)[1, INDEX["user_txn_count_1h"]] == counted
