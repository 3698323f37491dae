from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.core.transaction import UserProfile
from fraudkit.features import records
from fraudkit.features.parity import to_transactions
from fraudkit.features.records import category_number, encode, encode_profiles, text_hash
from fraudkit.features.tables import encode_table, encode_users, hash_column


def test_sizes_are_the_published_ones():
    assert records.USER_EVENT.itemsize * records.USER_EVENTS == 2048
    assert (records.USER_EVENT.itemsize, records.SHARED_EVENT.itemsize, records.TRANSACTION.itemsize) == (32, 16, 64)


def test_single_and_table_give_equal_bytes(tables):
    assert encode(to_transactions(tables.transactions)).tobytes() == encode_table(tables.transactions).tobytes()


def test_profiles_single_and_table_give_equal_bytes(tables):
    rows = [
        UserProfile(row.user_id, row.home_country, row.home_currency, row.home_latitude, row.home_longitude,
                    int(row.account_opened.timestamp() * 1000))
        for row in tables.users.itertuples()
    ]  # fmt: skip
    assert encode_profiles(rows).tobytes() == encode_users(tables.users).tobytes()


def test_the_head_of_a_transaction_is_its_event(payment):
    record = encode([payment(device_id="phone", latitude=-33.91)])
    event = records.user_events(record)
    for name in records.USER_EVENT.names:
        assert event[name] == record[name]
    assert event["latitude"][0] == -3391


@pytest.mark.parametrize("dtype", ["string", "category", "object"])
def test_hashes_do_not_depend_on_the_column_type(dtype):
    column = pd.Series(["a", "", "Zürich-日本", None, "a"]).astype(dtype)
    expected = [zlib.crc32(b"a"), 0, zlib.crc32("Zürich-日本".encode()), 0, zlib.crc32(b"a")]
    assert hash_column(column).tolist() == expected
    assert hash_column(column.iloc[2:]).tolist() == expected[2:]
    assert [text_hash(value) for value in ("a", "", "Zürich-日本", None, "a")] == expected


def test_category_numbers():
    assert category_number("0742") == 742
    assert category_number("") == 0
    assert 10_001 <= category_number("grocery") <= 65_535


def test_extreme_values_are_packed_not_broken(payment):
    record = encode([payment(amount=1e300, latitude=float("inf"), ip_reputation=float("nan"), country="??")])[0]
    assert record["amount_usd"] == np.float32(records.AMOUNT_LIMIT)
    assert record["latitude"] == records.NO_PLACE and record["ip_reputation"] == -1 and record["country"] == 0


def test_unknown_currency_is_refused_with_the_remedy(payment, tables):
    with pytest.raises(InvalidInput, match="'XXX' is unknown; use one of"):
        encode([payment(currency="XXX")])
    with pytest.raises(InvalidInput, match="XXX"):
        encode_table(tables.transactions.assign(currency="XXX"))
