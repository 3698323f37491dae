"""Features from histories that end early: equal to replay where they do not, older where they do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.clock import DAY_S
from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import LABEL_COLUMNS
from fraudkit.core.transaction import TRANSACTION_COLUMNS, USER_COLUMNS, conform
from fraudkit.evaluate.freshness import last_midnight, replay_until
from fraudkit.features.catalog import INDEX
from fraudkit.features.offline import replay

START_S = 20_000 * DAY_S
COUNT_1H, COUNT_30D = INDEX["user_txn_count_1h"], INDEX["user_txn_count_30d"]
NO_LABELS = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in LABEL_COLUMNS.items()})


def table(seconds: np.ndarray, users: np.ndarray) -> pd.DataFrame:
    """Payments at `seconds` after START_S, heard of at once."""
    n = len(seconds)
    moment = pd.to_datetime((START_S + seconds) * 1000, unit="ms", utc=True)
    rng = np.random.default_rng(3)
    return conform(
        pd.DataFrame({
            "transaction_id": [f"t{i:05d}" for i in range(n)], "user_id": users, "event_time": moment,
            "known_at": moment, "amount": rng.uniform(1, 90, n).round(2), "currency": "USD",
            "merchant_id": [f"m{i}" for i in rng.integers(0, 9, n)], "merchant_category": "5411", "country": "US",
            "latitude": 40.0, "longitude": -74.0, "card_present": False, "online_transaction": True,
            "device_id": [f"d{i}" for i in rng.integers(0, 7, n)], "device_type": "mobile",
            "ip_address": [f"192.0.2.{i}" for i in rng.integers(0, 9, n)], "ip_reputation": 0.1,
        }),
        TRANSACTION_COLUMNS,
    )  # fmt: skip


def holders(users: np.ndarray) -> pd.DataFrame:
    names = np.unique(users)
    opened = pd.to_datetime(np.full(len(names), START_S - 90 * DAY_S) * 1000, unit="ms", utc=True)
    return conform(
        pd.DataFrame({
            "user_id": names, "home_country": "US", "home_currency": "USD", "home_latitude": 40.0,
            "home_longitude": -74.0, "account_opened": opened, "age_band": "a", "gender": "a", "income_band": "a",
        }),
        USER_COLUMNS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def market() -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(5)
    seconds = np.sort(rng.choice(40 * DAY_S, 900, replace=False))
    users = rng.choice(["u1", "u2", "u3", "u4"], 900)
    return table(seconds, users), holders(users), START_S + seconds


def test_histories_up_to_each_arrival_give_the_vectors_of_replay(market):
    transactions, users, known = market
    assert np.array_equal(replay_until(transactions, users, NO_LABELS, known), replay(transactions, users, NO_LABELS))


def test_some_rows_are_those_rows_of_all(market):
    transactions, users, known = market
    rows = np.array([700, 3, 899])
    every = replay_until(transactions, users, NO_LABELS, last_midnight(known))
    assert np.array_equal(replay_until(transactions, users, NO_LABELS, last_midnight(known), rows), every[rows])


def test_a_nightly_batch_does_not_see_todays_burst():
    seconds = np.array([DAY_S - 60, DAY_S + 10, DAY_S + 20, DAY_S + 30])
    users = np.array(["u1"] * 4)
    X = replay_until(table(seconds, users), holders(users), NO_LABELS, last_midnight(START_S + seconds))
    assert X[:, COUNT_1H].tolist() == [1, 2, 2, 2]  # itself, and what came before midnight


def test_a_batch_that_failed_for_a_day_sees_one_day_less():
    seconds = np.array([10, DAY_S + 10, 2 * DAY_S + 10])
    users = np.array(["u1"] * 3)
    old = last_midnight(START_S + seconds, days_before=1)
    assert replay_until(table(seconds, users), holders(users), NO_LABELS, old)[:, COUNT_30D].tolist() == [1, 1, 2]


def test_a_card_without_a_history_counts_only_the_payment_itself(market):
    transactions, users, known = market
    X = replay_until(transactions, users, NO_LABELS, np.zeros(len(known)))
    assert set(X[:, COUNT_30D]) == {1.0}


def test_what_came_before_the_beginning_is_forgotten():
    seconds = np.array([10, 3 * DAY_S, 4 * DAY_S])
    users = np.array(["u1"] * 3)
    known = START_S + seconds
    X = replay_until(table(seconds, users), holders(users), NO_LABELS, known, seen_from_s=known - DAY_S)
    assert X[:, COUNT_30D].tolist() == [1, 1, 2]


def test_histories_from_the_future_are_refused(market):
    transactions, users, known = market
    with pytest.raises(InvalidInput, match="after the system heard of it"):
        replay_until(transactions, users, NO_LABELS, known + 1)
