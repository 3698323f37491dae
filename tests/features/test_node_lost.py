"""A node of a cluster that lost its data and answers: its card holders are told apart, and nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import INDEX
from fraudkit.features.histories import SHARED_TILE
from fraudkit.features.marks import SLOTS, WHOLE, mark_keys, slot_of
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.publish import fill_store
from fraudkit.features.records import TILE
from fraudkit.features.store import HistoryStore
from tests.valkey_cluster import Cluster

USERS = 60


def tiles(store: HistoryStore) -> None:
    """What a store was filled with by a version that knew no marks."""
    store.publish_tiles([], np.zeros(0, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))


def fill(*stores: HistoryStore) -> None:
    for store in stores:
        tiles(store)
        store.mark_filled()


def one_each(payment: Callable[..., Transaction], start: int) -> list[Transaction]:
    """A payment of each card holder, with a device, an address and a merchant of their own."""
    return [
        payment(
            start + n, seconds=start, user_id=f"u{n}", device_id=f"d{n}", ip_address=f"10.0.0.{n}", merchant_id=f"m{n}"
        )
        for n in range(USERS)
    ]


def other_than(cluster: Cluster, key: str) -> int:
    return next(port for port in cluster.ports if port != cluster.port_of(key))


def needs(cluster: Cluster, slots: set[int], transaction: Transaction) -> bool:
    """Whether anything that a payment needs lies in these slots, as the server counts them; but the tiles."""
    entities = (transaction.user_id, transaction.device_id, transaction.ip_address, transaction.merchant_id)
    return any(cluster.slot_of(f"{{{entity}}}:x") in slots for entity in entities)


def held_by(cluster: Cluster, port: int) -> set[int]:
    return {slot for slot in range(SLOTS) if cluster.owner(slot) == port}


def test_every_slot_has_a_mark_of_its_own(cluster):
    assert [slot_of(key) for key in mark_keys()] == list(range(SLOTS))
    names = ["tiles", "{anna}:h", "{}:h", "{a{b}:h", "{a}b}:h", "plain", "{}", "{é}:d", *mark_keys()[::997]]
    assert [slot_of(name) for name in names] == [cluster.slot_of(name) for name in names]


@pytest.mark.parametrize("entity", ["", "a}b", "{", "{}", "}"])
def test_names_with_braces_are_answered_though_their_keys_lie_in_several_slots(spread, store, payment, entity):
    fill(spread, store)
    both = [OnlineFeatures(filled, rated_by_store=True, partly=True) for filled in (spread, store)]
    for n in range(2):
        batch = [payment(n, user_id=entity, device_id=entity, ip_address=entity, merchant_id=entity)]
        first, second = (online.vectors(batch) for online in both)
        assert first.answered is None
        np.testing.assert_array_equal(first.X, second.X)


def test_filling_marks_every_slot_and_a_single_server_has_no_marks(spread, store, tables):
    moment = tables.transactions["known_at"].iloc[-200]
    for filled in (spread, store):
        fill_store(filled, tables.transactions, tables.users, tables.labels, None, moment)
    assert spread.marks(range(SLOTS)) == dict.fromkeys(range(SLOTS), WHOLE)
    assert store.marks(range(SLOTS)) == {}
    assert spread.counts() == store.counts()
    assert store._client.dbsize() == sum(store.counts().values()) + 1  # and the tiles


def test_rows_that_need_the_empty_node_are_not_answered_and_the_others_as_if_nothing_had_happened(
    cluster, spread, store, payment
):
    fill(spread, store)
    online, single = OnlineFeatures(spread, partly=True), OnlineFeatures(store)
    online.vectors(one_each(payment, 0))
    single.vectors(one_each(payment, 0))
    lost = other_than(cluster, "tiles")
    cluster.nodes[lost].flushall()
    fresh = HistoryStore.connect(cluster.url, socket_timeout=5.0)  # as a service that starts only now
    for turn, asked in enumerate((online, OnlineFeatures(fresh, partly=True))):
        batch = one_each(payment, 100 * (turn + 1))
        found, expected = asked.vectors(batch), single.vectors(batch)
        assert found.answered.tolist() == [not needs(cluster, held_by(cluster, lost), t) for t in batch]
        assert 0 < found.answered.sum() < USERS
        np.testing.assert_array_equal(found.X[found.answered], expected.X[found.answered])
    fresh.close()
    alone = next(t for t in batch if needs(cluster, held_by(cluster, lost), t))
    assert online.vectors([alone]).answered.tolist() == [False]  # which is no failure of the store as a whole
    with pytest.raises(StoreUnavailable, match="away or empty"):
        OnlineFeatures(spread).vectors(batch)


def test_who_fills_is_answered_from_what_is_there(cluster, spread, payment):
    fill(spread)
    cluster.nodes[other_than(cluster, "tiles")].flushall()
    filling = HistoryStore.connect(cluster.url, socket_timeout=5.0, filling=True)
    online = OnlineFeatures(filling)
    for n in range(3):
        assert set(online.vectors(one_each(payment, 100 * n)).X[:, INDEX["user_txn_count_1h"]]) == {n + 1}
    filling.close()


def test_a_node_that_starts_again_without_its_files_is_not_relied_on_for_a_moment(cluster, spread, payment):
    fill(spread)
    online = OnlineFeatures(spread, partly=True)
    batch = one_each(payment, 0)
    assert online.vectors(batch).answered is None
    lost = other_than(cluster, "tiles")
    cluster.lose(lost)
    expected = [not needs(cluster, held_by(cluster, lost), t) for t in batch]
    assert spread._line is not None
    heard = 0
    while heard < 3:  # first the node counts as away, then as empty
        heard += not spread._line._away
        assert online.vectors(batch).answered.tolist() == expected
        time.sleep(0.1)


def test_a_store_without_any_mark_is_answered_from(cluster, spread, payment):
    tiles(spread)
    online = OnlineFeatures(spread, partly=True)
    online.vectors(one_each(payment, 0))
    cluster.nodes[other_than(cluster, "tiles")].flushall()
    assert online.vectors(one_each(payment, 100)).answered is None


def test_a_slot_keeps_its_mark_and_its_loss_wherever_it_moves(cluster, spread, payment):
    """Filled slots go to the empty node, empty ones to a full node."""
    fill(spread)
    online = OnlineFeatures(spread, partly=True)
    batch = one_each(payment, 0)
    online.vectors(batch)
    lost, full = other_than(cluster, "tiles"), cluster.port_of("tiles")
    cluster.nodes[lost].flushall()
    empty = held_by(cluster, lost)
    slots = [cluster.slot_of(f"{{{t.user_id}}}:h") for t in batch]
    for slot in slots:
        target = full if slot in empty else lost
        if cluster.owner(slot) != target:
            cluster.begin_move(slot, target)
            cluster.end_move(slot, target)
    batch = one_each(payment, 100)
    expected = [not needs(cluster, empty, t) for t in batch]
    assert any(expected)
    assert online.vectors(batch).answered.tolist() == expected


@pytest.mark.parametrize("moved", ["nothing", "the mark", "all but the mark", "all"])
@pytest.mark.parametrize("user", ["u0", "somebody new"])
def test_a_slot_half_way_to_another_node_is_whole(cluster, spread, store, payment, moved, user):
    fill(spread, store)
    online, single = OnlineFeatures(spread, partly=True), OnlineFeatures(store)
    online.vectors([payment(1, user_id="u0")])
    single.vectors([payment(1, user_id="u0")])
    slot = cluster.slot_of(f"{{{user}}}:h")
    target = other_than(cluster, f"{{{user}}}:h")
    keys: list[str] = cluster.nodes[cluster.owner(slot)].execute_command("CLUSTER GETKEYSINSLOT", slot, 10)
    mark = mark_keys()[slot]
    assert mark in keys
    moving = {"nothing": [], "the mark": [mark], "all but the mark": [k for k in keys if k != mark], "all": keys}[moved]
    cluster.begin_move(slot, target)
    if moving:
        cluster.move_keys(slot, target, moving)
    try:
        for n in (2, 3):
            found, expected = (asked.vectors([payment(n, seconds=n, user_id=user)]) for asked in (online, single))
            assert found.answered is None
            np.testing.assert_array_equal(found.X, expected.X)
    finally:
        cluster.end_move(slot, target)
    after = [payment(9, seconds=9, user_id=user)]
    np.testing.assert_array_equal(online.vectors(after).X, single.vectors(after).X)


def test_an_empty_slot_half_way_to_another_node_is_empty(cluster, spread, payment):
    fill(spread)
    lost = other_than(cluster, "tiles")
    user = next(f"u{n}" for n in range(USERS) if cluster.port_of(f"{{u{n}}}:h") == lost)
    slot = cluster.slot_of(f"{{{user}}}:h")
    online = OnlineFeatures(spread, partly=True)
    online.vectors([payment(1, user_id=user)])
    cluster.nodes[lost].flushall()
    cluster.begin_move(slot, cluster.port_of("tiles"))
    try:
        assert online.vectors([payment(2, user_id=user)]).answered.tolist() == [False]
    finally:
        cluster.end_move(slot, cluster.port_of("tiles"))
    assert online.vectors([payment(3, user_id=user)]).answered.tolist() == [False]
