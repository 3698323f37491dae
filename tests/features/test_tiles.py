from __future__ import annotations

import numpy as np
import pandas as pd

from fraudkit.core.label import labels_as_of
from fraudkit.features.catalog import INDEX
from fraudkit.features.offline import replay
from fraudkit.features.tables import encode_table
from fraudkit.features.tiles import DAY_S, WINDOW_DAYS, DailyTiles, fraud_news

DAY = pd.Timedelta(days=1)


def tiles_of(tables):
    records = encode_table(tables.transactions)
    return records, DailyTiles(
        records, fraud_news(tables.labels, tables.transactions["transaction_id"], records["known_at"])
    )


def test_counts_are_those_of_a_plain_filter(tables):
    records, tiles = tiles_of(tables)
    for merchant in ("m0", "m5"):
        at = (tables.transactions["merchant_id"] == merchant).to_numpy()
        for day in (20_100, 20_131, 20_160):
            midnight = pd.Timestamp(day * DAY_S, unit="s", tz="UTC")
            tile = tiles.of("merchant", records["merchant"][at][:1], day)[0]
            for position, width in enumerate(WINDOW_DAYS):
                known = tables.transactions["known_at"]
                inside = at & (known < midnight).to_numpy() & (known >= midnight - width * DAY).to_numpy()
                assert tile["count"][position] == inside.sum()
                if width == 30:
                    assert tile["cents_30d"] == np.rint(records["amount_usd"][inside].astype(float) * 100).sum()


def test_frauds_follow_the_verdict_of_each_midnight(tables):
    """Running totals of news equal the count of fraud verdicts as of any moment."""
    news = fraud_news(
        tables.labels, tables.transactions["transaction_id"], encode_table(tables.transactions)["known_at"]
    )
    for day in range(20_090, 20_190, 7):
        moment = pd.Timestamp(day * DAY_S, unit="s", tz="UTC") - pd.Timedelta(milliseconds=1)
        assert news.change[news.day < day].sum() == labels_as_of(tables.labels, moment)["is_fraud"].sum()


def test_a_weaker_source_does_not_overrule_a_chargeback():
    ids = pd.Series(["a"], dtype="string")
    moments = pd.to_datetime([10, 20, 30], unit="D", utc=True).as_unit("ms")
    labels = pd.DataFrame({
        "transaction_id": ["a"] * 3, "known_at": moments, "is_fraud": [True, False, True],
        "source": ["chargeback", "user_report", "manual_review"],
    })  # fmt: skip
    news = fraud_news(labels, ids, np.array([0]))
    assert (news.day.tolist(), news.change.tolist()) == ([10], [1])


def test_labels_of_unknown_transactions_are_left_out():
    labels = pd.DataFrame({
        "transaction_id": ["b"], "known_at": pd.to_datetime([10], unit="D", utc=True), "is_fraud": [True],
        "source": ["chargeback"],
    })  # fmt: skip
    assert len(fraud_news(labels, pd.Series(["a"], dtype="string"), np.array([0])).row) == 0


def test_a_compromised_merchant_shows_the_morning_after_the_first_labels():
    """Ten payments a day, every third a fraud from day 40 on, labels seven days late."""
    day = np.repeat(np.arange(60), 10)
    event = pd.to_datetime(day * DAY_S + 36_000, unit="s", utc=True).as_unit("ms")
    fraud = (day >= 40) & (np.arange(600) % 3 == 0)
    transactions = pd.DataFrame({
        "transaction_id": [f"t{i}" for i in range(600)], "user_id": [f"u{i % 50}" for i in range(600)],
        "event_time": event, "known_at": event, "amount": 10.0, "merchant_id": "m",
    })  # fmt: skip
    labels = pd.DataFrame({
        "transaction_id": transactions["transaction_id"], "known_at": event + 7 * DAY, "is_fraud": fraud,
        "source": "chargeback",
    })  # fmt: skip
    x = replay(transactions, None, labels)
    per_day = x[::10, INDEX["merchant_fraud_count_1d"]]
    assert not per_day[:48].any() and per_day[48:].all()
    rate = x[::10, INDEX["merchant_fraud_rate_7d"]]
    assert rate[47] < 0.005 and rate[59] > 0.2


def test_tiles_end_at_midnight_of_arrival_not_of_the_event():
    """A payment of yesterday that arrives today is not in today's tile."""
    event = pd.to_datetime([0, DAY_S], unit="s", utc=True).as_unit("ms") + 100 * DAY
    known = event + pd.to_timedelta([30, 1], unit="h")
    table = pd.DataFrame({
        "transaction_id": ["late", "next"], "user_id": ["a", "b"], "event_time": event, "known_at": known,
        "amount": 10.0, "merchant_id": "m",
    })  # fmt: skip
    assert replay(table, None, None)[1, INDEX["merchant_txn_count_1d"]] == 0
