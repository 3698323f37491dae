from __future__ import annotations

import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import redis

from fraudkit.core.errors import CorruptArtefact, InvalidInput, StoreUnavailable
from fraudkit.features import embedded
from fraudkit.features.catalog import HORIZON_S, INDEX
from fraudkit.features.histories import USER
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.parity import check_parity
from fraudkit.features.records import USER_EVENTS
from fraudkit.features.store import HistoryStore

COUNT_1H, COUNT_30D = INDEX["user_txn_count_1h"], INDEX["user_txn_count_30d"]


@pytest.fixture
def raw(valkey):
    client = redis.Redis.from_url(valkey.url)
    yield client
    client.close()


def test_concurrent_payments_of_one_card_are_counted_one_by_one(store, payment):
    """No two of 21 simultaneous payments may see the same history."""
    online = OnlineFeatures(store)
    with ThreadPoolExecutor(7) as pool:
        counts = list(pool.map(lambda i: online.vectors([payment(i)]).X[0, COUNT_1H], range(21)))
    assert sorted(counts) == list(range(1, 22))


def test_one_batch_sees_its_own_order(store, payment):
    online = OnlineFeatures(store)
    batch = [payment(i, seconds=i, user_id="anna" if i % 2 else "bert") for i in range(40)]
    assert online.vectors(batch).X[:, COUNT_1H].tolist() == [1 + i // 2 for i in range(40)]


def test_a_retry_appends_nothing_and_gets_the_first_vector(store, payment, raw):
    online = OnlineFeatures(store)
    first = online.vectors([payment(1, device_id="phone", ip_address="10.0.0.1")]).X
    online.vectors([payment(2, seconds=5, device_id="phone", ip_address="10.0.0.1")])
    again = online.vectors([payment(1, device_id="phone", ip_address="10.0.0.1")]).X
    np.testing.assert_array_equal(first, again)
    assert (raw.strlen("{anna}:h"), raw.strlen("{phone}:d"), raw.strlen("{10.0.0.1}:i")) == (64, 32, 32)
    assert online.vectors([payment(3, seconds=9)]).X[0, COUNT_1H] == 3


def test_history_is_bounded_in_number_age_and_life(store, payment, raw):
    online = OnlineFeatures(store)
    online.vectors([payment(i, seconds=i) for i in range(200)])
    assert raw.strlen("{anna}:h") == 32 * USER_EVENTS
    assert HORIZON_S - 60 < raw.ttl("{anna}:h") <= HORIZON_S
    assert online.vectors([payment(300, seconds=300)]).X[0, COUNT_30D] == USER_EVENTS
    # Thirty days on, the old events are dropped from the blob, though the key itself still lives.
    online.vectors([payment(301, seconds=HORIZON_S + 300)])
    assert raw.strlen("{anna}:h") == 32


def test_time_to_live_holds_when_reading(store, payment, raw):
    """A blob that outlived its time changes nothing: here, an old event behind a young one."""
    online = OnlineFeatures(store)
    online.vectors([payment(1, seconds=HORIZON_S - 60)])
    online.vectors([payment(2, seconds=0, known_at_ms=payment(seconds=HORIZON_S - 30).known_at_ms)])
    late = online.vectors([payment(3, seconds=HORIZON_S + 10)]).X[0]
    assert raw.strlen("{anna}:h") == 3 * 32
    assert late[COUNT_30D] == 2


@pytest.mark.parametrize("key, length", [("{anna}:h", 33), ("{phone}:d", 8), ("{anna}:p", 3), ("{grocer}:m", 5)])
def test_a_blob_of_impossible_length_is_named(store, payment, raw, key, length):
    raw.set(key, b"x" * length)
    with pytest.raises(CorruptArtefact, match=rf"key {key} holds {length} bytes.*delete it"):
        OnlineFeatures(store).vectors([payment(device_id="phone")])
    assert raw.strlen(key) == length
    raw.delete(key)
    assert OnlineFeatures(store).vectors([payment(device_id="phone")]).X[0, COUNT_1H] == 1


def test_a_server_that_lost_its_scripts_is_given_them_again(store, payment, raw):
    online = OnlineFeatures(store)
    online.vectors([payment(1)])
    raw.script_flush()
    assert online.vectors([payment(2, seconds=1)]).X[0, COUNT_1H] == 2


def test_a_dead_server_is_store_unavailable(tmp_path, payment):
    with pytest.raises(StoreUnavailable, match="is the server at REDIS_URL running"):
        HistoryStore.connect(f"unix://{tmp_path}/none.sock")
    with pytest.raises(InvalidInput, match="use redis://host:port"):
        HistoryStore.connect("mysql://localhost")


def test_a_silent_server_times_out(payment):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(StoreUnavailable):
            HistoryStore.connect(f"redis://127.0.0.1:{port}", socket_timeout=0.05)


def test_counts_and_memory(store, payment, tables):
    store.publish_users(tables.users)
    OnlineFeatures(store).vectors([payment(i, seconds=i, device_id="phone") for i in range(64)])
    store.publish_reputation(["10.0.0.1"], np.array([0.5]))
    counts = store.counts()
    assert (counts["user histories"], counts["device histories"], counts["reputations"]) == (1, 1, 1)
    assert counts["profiles"] == len(tables.users)
    (used,) = store.memory(USER, ["anna"])
    assert 2048 < used < 2700


@pytest.fixture
def cluster(tmp_path):
    """One node that owns every slot; clients treat it as a cluster."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(embedded._binary()), "--port", str(port), "--cluster-enabled", "yes", "--save", "", "--cluster-port",
         str(port + 1 if port < 65_535 else port - 1), "--cluster-require-full-coverage", "no"],
        cwd=tmp_path, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    client = redis.Redis(port=port)
    try:
        for _ in range(500):
            try:
                if client.cluster("INFO")["cluster_slots_assigned"] == "0":
                    client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
                if client.cluster("INFO")["cluster_state"] == "ok":
                    break
            except redis.ConnectionError:
                pass
            time.sleep(0.01)
        yield f"redis+cluster://127.0.0.1:{port}"
    finally:
        client.close()
        process.kill()
        process.wait()


def test_a_cluster_gives_the_same_vectors(cluster, tables):
    store = HistoryStore.connect(cluster, socket_timeout=10.0)
    report = check_parity(store, tables.transactions.iloc[:400], tables.users, tables.labels)
    assert report.mismatches == 0
    store.close()
