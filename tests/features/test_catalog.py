from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from fraudkit.core.money import countries
from fraudkit.core.transaction import TRANSACTION_COLUMNS, USER_COLUMNS
from fraudkit.features import catalog
from fraudkit.features.catalog import FAMILIES, FEATURES, INDEX, N_FEATURES, carried_by, schema_hash
from fraudkit.features.offline import replay
from fraudkit.features.online import bare_vectors

# Every feature that the specification names in its sections on features and rules.
SPECIFIED = (
    *("amount", "merchant_id", "merchant_category", "currency", "card_present", "online_transaction"),
    *("cross_border", "amount_deviation", "hour_of_day", "day_of_week"),
    *("total_transactions_30d", "total_spend_30d", "avg_transaction_amount", "std_transaction_amount"),
    *("num_unique_merchants_30d", "num_countries_30d", "account_age_days"),
    *("transactions_last_1h", "transactions_last_24h", "amount_last_1h", "amount_last_24h"),
    *("unique_merchants_last_1h", "location_lat", "location_lon", "distance_from_last_transaction_km"),
    *("impossible_travel", "new_country", "device_id", "device_type", "new_device", "ip_address_hash"),
    *("ip_reputation_score", "high_risk_country"),
)


def test_there_are_exactly_143_features_in_seven_families():
    assert N_FEATURES == len(INDEX) == 143
    assert set(Counter(feature.family for feature in FEATURES)) == set(FAMILIES)


@pytest.mark.parametrize("name", SPECIFIED)
def test_every_specified_feature_is_there(name):
    assert len([feature for feature in FEATURES if name in (feature.seed_name or feature.name, feature.name)]) == 1


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_declaration_is_complete(feature):
    known = {*TRANSACTION_COLUMNS, *USER_COLUMNS, "labels"}
    assert feature.name.isidentifier() and feature.name == feature.name.lower()
    assert len(feature.meaning) > 10 and feature.unit and feature.measure and feature.entity
    assert np.isfinite(feature.default)
    assert set(feature.needs) <= known
    assert feature.window == "" or feature.name.endswith(feature.window) or feature.entity in ("user", "device", "ip")


def test_windows_in_names_are_the_declared_ones():
    for feature in FEATURES:
        for window in ("10m", "1h", "6h", "24h", "7d", "90d"):
            if feature.name.endswith(f"_{window}"):
                assert feature.window == window, feature.name


def test_bare_transaction_gives_the_defaults(payment):
    bare = payment(merchant_id="", merchant_category="", country="", latitude=float("nan"), card_present=False)
    x = bare_vectors([bare]).X[0]
    for feature, value in zip(FEATURES, x, strict=True):
        if feature.current and feature.measure not in ("count", "distinct"):
            continue
        assert value == np.float32(feature.default), feature.name


def test_every_feature_is_finite_and_moves(tables, payment):
    x = replay(*tables)
    assert np.isfinite(x).all()
    moved = {feature.name for feature in FEATURES if np.ptp(x[:, INDEX[feature.name]]) > 0}
    # The table has no high-risk country; a payment of its own shows that the flag moves.
    assert {feature.name for feature in FEATURES} - moved <= {"high_risk_country"}
    risky = next(code for code, country in countries().items() if country.high_risk)
    assert bare_vectors([payment(country=risky)]).X[0, INDEX["high_risk_country"]] == 1


def test_schema_hash_sees_order_and_definitions(monkeypatch):
    original = schema_hash()
    monkeypatch.setattr(catalog, "FEATURES", FEATURES[::-1])
    assert schema_hash() != original
    monkeypatch.setattr(catalog, "FEATURES", (replace(FEATURES[0], default=1.0), *FEATURES[1:]))
    assert schema_hash() != original


def test_a_narrow_table_carries_what_it_can(tables):
    columns = ["transaction_id", "user_id", "event_time", "amount", "merchant_id"]
    narrow = tables.transactions[columns]
    x = replay(narrow, None, tables.labels)
    carried = set(carried_by({*columns, "labels"}))
    assert {"merchant_fraud_rate_7d", "user_txn_count_1h", "user_amount_mean_7d"} <= carried
    assert "distance_from_last_km" not in carried
    left = [feature for feature in FEATURES if feature.name not in carried]
    for feature in left:  # one value, or the default and zero once there is a history to say nothing
        values = set(np.unique(x[:, INDEX[feature.name]]))
        assert len(values) == 1 or values <= {0, np.float32(feature.default)}, feature.name
