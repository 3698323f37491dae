from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np

from fraudkit.features.catalog import INDEX
from fraudkit.features.online import OnlineFeatures, bare_vectors, bare_vectors_of
from fraudkit.features.parity import to_transactions
from fraudkit.features.publish import fill_store
from fraudkit.features.tables import encode_table


def test_known_user_tells_who_has_a_profile(store, payment, tables):
    store.publish_users(tables.users)
    batch = OnlineFeatures(store).vectors([payment(1, user_id="u0"), payment(2)])
    assert batch.known_user.tolist() == [True, False]
    assert batch.X[0, INDEX["account_age_days"]] > 0


def test_an_empty_store_gives_the_bare_vector(store, payment):
    transaction = payment(device_id="phone", ip_address="10.0.0.1")
    np.testing.assert_array_equal(OnlineFeatures(store).vectors([transaction]).X, bare_vectors([transaction]).X)


def test_reputations_of_the_store_give_the_bits_that_reputations_in_the_transactions_give(store, payment):
    stored = {"192.0.2.1": 0.2, "192.0.2.2": 1 / 3, "192.0.2.3": float("nan")}
    store.publish_reputation(list(stored), np.array(list(stored.values())))
    addresses = [*stored, None, "192.0.2.4", "192.0.2.1"]
    asked = [payment(i, user_id=f"u{i}", ip_address=address) for i, address in enumerate(addresses)]
    told = [
        payment(i, user_id=f"u{i}", ip_address=address, ip_reputation=stored.get(address, float("nan")))
        for i, address in enumerate(addresses)
    ]
    of_store = OnlineFeatures(store, rated_by_store=True).vectors(asked).X
    store.clear()
    of_transactions = OnlineFeatures(store).vectors(told).X
    assert len(set(of_store[:, INDEX["ip_reputation"]].tolist())) == 3
    assert of_store.tobytes() == of_transactions.tobytes()


def test_no_transactions(store):
    batch = OnlineFeatures(store).vectors([])
    assert batch.X.shape == (0, 143) and batch.known_user.shape == (0,)


def test_the_twenty_first_payment_in_an_hour_reads_21(store, payment):
    online = OnlineFeatures(store)
    assert [online.vectors([payment(i, seconds=i)]).X[0, INDEX["user_txn_count_1h"]] for i in range(21)][-1] == 21


def test_many_users_on_one_device(store, payment):
    online = OnlineFeatures(store)
    x = online.vectors([payment(i, seconds=i, user_id=f"mule{i}", device_id="phone") for i in range(12)]).X
    assert x[:, INDEX["device_distinct_users_24h"]].tolist() == list(range(1, 13))


def test_a_store_filled_from_the_lake_goes_on_as_if_it_had_served_all_along(store, tables):
    """Fill at a midnight, then serve that day: the vectors are those of offline replay."""
    from fraudkit.features.offline import replay

    moment = tables.transactions["known_at"].iloc[900].floor("D")
    day = (tables.transactions["known_at"] >= moment) & (
        tables.transactions["known_at"] < moment + np.timedelta64(1, "D")
    )
    fill_store(store, *tables, None, moment - np.timedelta64(1, "ms"))
    # The tiles of the midnight itself, which the nightly job publishes.
    from fraudkit.features.publish import TilePublisher

    TilePublisher(tables.transactions, tables.labels).publish(store, int(moment.timestamp()) // 86_400)
    served = OnlineFeatures(store).vectors(to_transactions(tables.transactions[day])).X
    np.testing.assert_array_equal(served, replay(*tables)[day.to_numpy()])
    assert len(served) > 5


def test_the_service_path_imports_no_pandas():
    code = "import sys, fraudkit.features.online, fraudkit.features.reputation, fraudkit.features.embedded; "
    code += "sys.exit(bool({'pandas', 'pyarrow', 'torch', 'sklearn', 'xgboost'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_bare_vectors_of_a_table_are_those_of_its_transactions(tiny_world):
    table = tiny_world.transactions.iloc[:200]
    one_by_one = bare_vectors([replace(txn, ip_reputation=math.nan) for txn in to_transactions(table)]).X
    assert np.array_equal(bare_vectors_of(encode_table(table)), one_by_one, equal_nan=True)
