"""Splits leak nothing: what arrives after the training moment cannot change the training rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import LABEL_COLUMNS
from fraudkit.core.transaction import conform
from fraudkit.evaluate.splits import SplitConfig, prequential_folds, time_split

START = pd.Timestamp("2025-01-01", tz="UTC")
CONFIG = SplitConfig(train_days=10, valid_days=5, delay_days=8, test_days=6, maturity_days=8)


def tables(seed: int = 0, n: int = 3000) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    event_time = START + pd.to_timedelta(np.sort(rng.uniform(0, 40, n)), unit="D")
    event_time = pd.Series(event_time).dt.floor("ms")
    ids = pd.Series([f"t{k}" for k in range(n)], dtype="string")
    transactions = pd.DataFrame({"transaction_id": ids, "event_time": event_time, "known_at": event_time})
    fraud = np.flatnonzero(rng.random(n) < 0.2)
    labels = pd.DataFrame(
        {
            "transaction_id": ids.iloc[fraud].to_numpy(),
            "event_time": event_time.iloc[fraud].to_numpy(),
            "known_at": (event_time.iloc[fraud] + pd.to_timedelta(rng.uniform(0, 30, len(fraud)), unit="D")).to_numpy(),
            "source": "chargeback",
            "is_fraud": True,
        }
    )
    return transactions, conform(labels, LABEL_COLUMNS)


def test_parts_follow_in_time_with_the_gap() -> None:
    transactions, labels = tables()
    split = time_split(transactions, labels, CONFIG)
    known = transactions["known_at"]
    assert split.test_end == START + pd.Timedelta(days=40)
    assert known.iloc[split.train].between(split.train_start, split.valid_start, inclusive="left").all()
    assert known.iloc[split.valid].between(split.valid_start, split.gap_start, inclusive="left").all()
    assert split.training_moment - split.gap_start == pd.Timedelta(days=8)
    assert known.iloc[split.test].min() >= split.training_moment
    assert split.censored == 0
    assert len(split.train) + len(split.valid) == int(
        known.between(split.train_start, split.gap_start, inclusive="left").sum()
    )


def test_later_labels_cannot_change_training() -> None:
    transactions, labels = tables()
    split = time_split(transactions, labels, CONFIG)
    later = labels["known_at"] > split.training_moment
    flipped = labels.copy()
    flipped.loc[later, "is_fraud"] = False
    again = time_split(transactions, flipped, CONFIG)
    assert later.sum() > 50
    assert again.train.tolist() == split.train.tolist() and again.y_train.tolist() == split.y_train.tolist()
    assert again.valid.tolist() == split.valid.tolist() and again.y_valid.tolist() == split.y_valid.tolist()
    assert again.y_test.sum() < split.y_test.sum()
    assert set(labels.loc[later, "transaction_id"]) & set(transactions["transaction_id"].iloc[split.train])
    late_ids = set(labels.loc[later, "transaction_id"])
    rows = transactions["transaction_id"].iloc[split.train]
    assert not (rows.isin(late_ids).to_numpy() & split.y_train).any()


def test_young_silence_is_censored_and_known_fraud_stays() -> None:
    transactions, labels = tables()
    config = SplitConfig(train_days=10, valid_days=5, delay_days=0, test_days=6, maturity_days=8)
    split = time_split(transactions, labels, config)
    young = transactions["event_time"].iloc[split.valid] > split.training_moment - pd.Timedelta(days=8)
    assert young.any() and split.y_valid[young.to_numpy()].all()
    assert split.censored > 0


def test_test_rows_say_whether_they_are_mature_and_truth_stands_apart() -> None:
    transactions, labels = tables()
    truth = pd.DataFrame({"transaction_id": transactions["transaction_id"], "is_fraud": True})
    early = START + pd.Timedelta(days=40)
    split = time_split(transactions, labels, CONFIG, truth=truth, data_end=early)
    assert split.y_test_truth is not None and split.y_test_truth.all() and not split.y_test.all()
    assert split.test_is_mature.tolist() == split.y_test.tolist()  # six days old: only the labelled are settled
    late = time_split(transactions, labels, CONFIG, data_end=early + pd.Timedelta(days=30))
    assert late.test_is_mature.all()


def test_folds_shift_back_and_short_history_is_named() -> None:
    transactions, labels = tables()
    folds = prequential_folds(transactions, labels, CONFIG, n_folds=2)
    assert folds[0].training_moment == folds[1].test_end
    assert not set(folds[0].test) & set(folds[1].test)
    with pytest.raises(InvalidInput, match="train holds no labelled row"):
        prequential_folds(transactions, labels, CONFIG, n_folds=9)
    with pytest.raises(InvalidInput):
        SplitConfig(train_days=0)
