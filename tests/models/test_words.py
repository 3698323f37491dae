"""Sentences that an analyst can read, for every feature of the catalog."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.features.catalog import FEATURE_NAMES, FEATURES, INDEX
from fraudkit.models.reference import build_reference
from fraudkit.models.words import Wording, describe, duration


@pytest.fixture
def wording(rng):
    X = np.tile(np.arange(1000, dtype=np.float32)[:, None], (1, len(FEATURES)))
    return Wording(FEATURE_NAMES, build_reference(X, np.zeros(1000), np.linspace(0, 1, 9), rng))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("user_txn_count_1h", 9.0, "9 transactions in the last hour"),
        ("user_txn_count_1h", 1.0, "1 transaction in the last hour"),
        ("user_amount_sum_24h", 1234.5, "spend in the last 24 hours: $1,234.50"),
        ("cross_border", 1.0, "country differs from the card holder's home country: yes"),
        ("seconds_since_last_txn", 42.0, "time since the latest transaction: 42 seconds"),
    ],
)
def test_facts_read_well(name, value, expected):
    assert describe(FEATURES[INDEX[name]], value) == expected


def test_usual_and_unusual_are_said(wording):
    row = np.zeros(len(FEATURES), dtype=np.float32)
    row[INDEX["user_txn_count_1h"]], row[INDEX["user_txn_count_30d"]] = 995.0, 72.0
    words = wording.sentence(INDEX["user_txn_count_1h"], row, 1.5)
    assert words == (
        "995 transactions in the last hour (this card's 30-day average: 0.1), "
        "more than 99 % of training transactions; raises the score"
    )


def test_a_missing_value_and_a_code_get_no_ranking(wording):
    row = np.full(len(FEATURES), np.nan, dtype=np.float32)
    assert "not known; lowers" in wording.sentence(INDEX["ip_reputation"], row, -0.2)
    row[:] = 5000.0
    assert "training" not in wording.sentence(INDEX["merchant_category_code"], row, 0.2)


@pytest.mark.parametrize("value", [0.0, 1.0, 12.5, float("nan"), float("inf"), -float("inf")])
def test_every_feature_has_a_sentence(wording, value):
    row = np.full(len(FEATURES), value, dtype=np.float32)
    for j, feature in enumerate(FEATURES):
        words = wording.sentence(j, row, 0.1)
        assert words.endswith("the score"), feature.name
        assert "nan" not in words.split(" "), feature.name


def test_durations():
    assert [duration(s) for s in (42, 600, 7200, 864_000)] == ["42 seconds", "10 minutes", "2 hours", "10 days"]
