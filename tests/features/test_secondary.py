"""The secondary store answers as the first one does, byte for byte, whatever is thrown at both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fraudkit.core.errors import CorruptArtefact, StoreUnavailable
from fraudkit.features.catalog import HORIZON_S, INDEX
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.parity import to_transactions
from fraudkit.features.publish import fill_store
from fraudkit.features.secondary import SecondaryStore, SqliteTable


@pytest.fixture
def secondary(tmp_path: Path) -> Iterator[SecondaryStore]:
    made = SecondaryStore(SqliteTable(tmp_path / "run" / "secondary.db"))
    yield made
    made.close()


STEP = st.tuples(
    st.integers(0, 25),  # which transaction: few, so that retries are common
    st.sampled_from(["anna", "bert"]),
    st.sampled_from([None, "phone"]),
    st.sampled_from([None, "10.0.0.1"]),
    st.integers(0, 2 * HORIZON_S),
)


@given(batches=st.lists(st.lists(STEP, min_size=1, max_size=40), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_stores_give_the_same_vectors(store, secondary, payment, batches):
    store.clear()
    secondary.clear()
    latest = 0
    for batch in batches:
        transactions = []
        for number, user, device, address, seconds in batch:
            latest = max(latest, seconds)
            transactions.append(payment(number, seconds=latest, user_id=user, device_id=device, ip_address=address))
        first, second = (OnlineFeatures(s, rated_by_store=True).vectors(transactions).X for s in (store, secondary))
        assert first.tobytes() == second.tobytes()


def test_a_filled_secondary_gives_the_vectors_of_a_filled_store(store, secondary, tables):
    moment = tables.transactions["known_at"].iloc[-200] - pd.Timedelta(seconds=1)
    reputation = pd.DataFrame({"ip_address": ["10.0.0.1", "10.0.0.2"], "reputation": [0.25, 0.75]})
    for filled in (store, secondary):
        assert not filled.filled()
        fill_store(filled, tables.transactions, tables.users, tables.labels, reputation, moment)
        assert filled.filled()
    later = to_transactions(tables.transactions[tables.transactions["known_at"] > moment])
    vectors = [OnlineFeatures(s, rated_by_store=True).vectors(later) for s in (store, secondary)]
    assert vectors[0].X.tobytes() == vectors[1].X.tobytes()
    assert np.array_equal(vectors[0].known_user, vectors[1].known_user)
    assert len(np.unique(vectors[0].X[:, INDEX["ip_reputation"]])) > 2


def test_what_nobody_added_to_for_the_horizon_is_forgotten(secondary, payment):
    """A payment of 2025 is long past, profiles and tiles are for ever."""
    secondary._write([("{anna}:p", bytes(16))])
    OnlineFeatures(SecondaryStore(secondary._table)).vectors([payment(1, user_id="bert")])
    secondary.purge()
    assert set(secondary._table.get(["{anna}:p", "{bert}:h"])) == {"{anna}:p"}


def test_it_lasts(secondary, payment, tmp_path: Path):
    OnlineFeatures(secondary).vectors([payment(1)])
    again = SecondaryStore(SqliteTable(tmp_path / "run" / "secondary.db"))
    assert OnlineFeatures(again).vectors([payment(2, seconds=9)]).X[0, INDEX["user_txn_count_1h"]] == 2
    again.close()


def test_a_batch_that_fails_leaves_no_trace(secondary, payment):
    secondary._write([("{phone}:d", b"seven b")])
    with pytest.raises(CorruptArtefact, match=r"\{phone\}:d holds 7 bytes"):
        OnlineFeatures(secondary).vectors([payment(1, device_id="phone")])
    assert OnlineFeatures(secondary).vectors([payment(2)]).X[0, INDEX["user_txn_count_1h"]] == 1


def test_a_file_that_is_no_table_is_told(tmp_path: Path):
    (tmp_path / "text.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"text\.db"):
        SqliteTable(tmp_path / "text.db")


def test_a_table_that_went_away_is_told(secondary, payment):
    secondary.close()
    with pytest.raises(StoreUnavailable):
        OnlineFeatures(secondary).vectors([payment(1)])
