"""A cluster of three real nodes: as one server, with a node away or hanging, and while keys move."""

from __future__ import annotations

import signal
from threading import Thread

import numpy as np
import pytest

from fraudkit.core.errors import FraudkitError, StoreUnavailable
from fraudkit.core.transaction import Transaction
from fraudkit.features.histories import SHARED_TILE, USER
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.records import TILE
from fraudkit.features.store import HistoryStore
from tests.valkey_cluster import Cluster, until


def batches(payment, n_users: int = 40) -> list[list]:
    """Payments of many card holders, with shared devices and addresses, and one retry."""
    made = [
        payment(i, seconds=i, user_id=f"u{i % n_users}", device_id=f"d{i % 7}", ip_address=f"10.0.0.{i % 5}")
        for i in range(192)
    ]
    return [made[:64], made[64:128], [*made[128:], made[0]]]


def test_a_cluster_gives_the_vectors_of_one_server(spread, store, payment):
    for part in batches(payment):
        np.testing.assert_array_equal(OnlineFeatures(spread).vectors(part).X, OnlineFeatures(store).vectors(part).X)


def test_keys_are_spread_and_those_of_one_entity_stay_together(cluster, spread, payment):
    for part in batches(payment):
        OnlineFeatures(spread).vectors(part)
    assert all(cluster.nodes[port].dbsize() > 0 for port in cluster.ports)
    keyslot = cluster.nodes[cluster.ports[0]].cluster
    assert len({keyslot("keyslot", f"{{anna}}:{suffix}") for suffix in "hpdirm"}) == 1
    assert spread.counts()["user histories"] == 40


def test_a_killed_node_fails_its_own_and_comes_back_with_its_histories(cluster, spread, payment):
    online = OnlineFeatures(spread)
    first = {user: online.vectors([payment(1, user_id=user)]).X for user in ("u0", "u1", "u2", "u3", "u4", "u5", "u6")}
    dead = cluster.port_of("tiles")
    kept = {user for user in first if cluster.port_of(f"{{{user}}}:h") == dead}
    cluster.kill(dead)
    try:
        with pytest.raises(StoreUnavailable, match="the feature store"):
            online.vectors([payment(2, seconds=1)])
    finally:
        cluster.start(dead)
        cluster.wait()
    assert kept, "no card holder lay on the node that was killed"

    def served() -> bool:
        try:
            online.vectors([payment(3, seconds=2, user_id="someone")])
        except FraudkitError:
            return False
        return True

    until(served, "the store's recovery")
    assert all(size > 0 for size in spread.memory(USER, first))  # before anything is written to them again
    for user, vector in first.items():
        np.testing.assert_array_equal(online.vectors([payment(1, user_id=user)]).X, vector)


def lies_on(cluster: Cluster, dead: int, transaction: Transaction) -> bool:
    """Whether a node holds anything that a payment needs, but the tiles of all."""
    entities = (transaction.user_id, transaction.device_id, transaction.ip_address, transaction.merchant_id)
    return any(cluster.port_of(f"{{{entity}}}:x") == dead for entity in entities)


def test_rows_whose_keys_lie_on_living_nodes_are_answered_as_if_nothing_had_happened(cluster, spread, store, payment):
    tiles = np.zeros(1, dtype=SHARED_TILE)
    for filled in (spread, store):
        filled.publish_tiles([], np.zeros(0, dtype=TILE), tiles)
    online, single = OnlineFeatures(spread, partly=True), OnlineFeatures(store)
    before = [payment(n, seconds=n, user_id=f"u{n}", device_id=f"d{n}", ip_address=f"10.0.0.{n}") for n in range(60)]
    after = [
        payment(100 + n, seconds=100, user_id=f"u{n}", device_id=f"d{n}", ip_address=f"10.0.0.{n}") for n in range(60)
    ]
    assert online.vectors(before).answered is None
    single.vectors(before)
    dead = cluster.port_of("tiles")  # which every payment needs
    alone = next(t for t in after if cluster.port_of(f"{{{t.user_id}}}:h") != dead and lies_on(cluster, dead, t))
    cluster.kill(dead)
    try:
        found, expected = online.vectors(after), single.vectors(after)
        assert online.vectors([alone]).answered.tolist() == [False]  # which is no failure of the store as a whole
    finally:
        cluster.start(dead)
        cluster.wait()
    assert found.answered.tolist() == [not lies_on(cluster, dead, transaction) for transaction in after]
    assert 0 < found.answered.sum() < len(after)
    np.testing.assert_array_equal(found.X[found.answered], expected.X[found.answered])
    until(lambda: online.vectors(after).answered is None, "the node's return")


def test_a_hanging_node_is_waited_for_once(cluster, payment):
    impatient = HistoryStore.connect(cluster.url, socket_timeout=0.2)
    impatient.publish_tiles([], np.zeros(0, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
    online = OnlineFeatures(impatient, partly=True)
    batch = [payment(n, user_id=f"u{n}", device_id=f"d{n}", ip_address=f"10.0.0.{n}") for n in range(60)]
    online.vectors(batch)
    hanging = cluster.port_of("{u0}:h")
    cluster.process(hanging).send_signal(signal.SIGSTOP)
    try:
        online.vectors(batch)
        assert impatient._line is not None
        assert impatient._line._away == {f"127.0.0.1:{hanging}"}
        assert online.vectors(batch).answered is not None
    finally:
        cluster.process(hanging).send_signal(signal.SIGCONT)
    until(lambda: online.vectors(batch).answered is None, "the node's return")
    impatient.close()


def move_slots(cluster: Cluster, target: int, slots: list[int]) -> None:
    """Move slots with their keys to another node, as `valkey-cli --cluster reshard` does."""
    for slot in slots:
        cluster.begin_move(slot, target)
        cluster.end_move(slot, target)


def test_keys_that_move_to_another_node_under_traffic_cost_no_answer(cluster, spread, store, payment):
    spread.publish_tiles([], np.zeros(0, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
    store.publish_tiles([], np.zeros(0, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
    spread.mark_filled()
    source, target = cluster.port_of("{u0}:h"), next(p for p in cluster.ports if p != cluster.port_of("{u0}:h"))
    users = [f"u{n}" for n in range(200) if cluster.port_of(f"{{u{n}}}:h") == source][:40]
    moving = Thread(target=move_slots, args=(cluster, target, [cluster.slot_of(f"{{{user}}}:h") for user in users]))
    online, single = OnlineFeatures(spread), OnlineFeatures(store)
    n = 0
    moving.start()
    try:
        while moving.is_alive() or n < 400:
            batch = [payment(n + i, seconds=n, user_id=user) for i, user in enumerate(users)]
            np.testing.assert_array_equal(online.vectors(batch).X, single.vectors(batch).X)
            n += len(batch)
    finally:
        moving.join()
    held = cluster.nodes[target]
    assert all(held.exists(f"{{{user}}}:h") for user in users)
