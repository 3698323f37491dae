"""A node of a cluster that lost its data and answers: filled again while the other nodes go on serving."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import orjson
import pytest

from fraudkit.core.transaction import Transaction
from fraudkit.features.histories import SHARED_TILE, Histories
from fraudkit.features.marks import BEGUN, SLOTS, WHOLE
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.records import TILE, USER_EVENTS
from fraudkit.features.secondary import SecondaryStore, SqliteTable
from fraudkit.features.store import HistoryStore
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.decisions.reader import DecisionReader
from fraudkit.serve.intake import take_in
from fraudkit.serve.refill import STRIDE, Refill
from fraudkit.serve.rescore import transaction_of
from tests.serve.process import body, served
from tests.stand_ins import noise_bundle
from tests.valkey_cluster import Cluster

pytestmark = pytest.mark.timeout(180)
USERS = 40
MERCHANT = EXAMPLE_REQUEST["merchant_id"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        for port in started.ports:
            started.start(port)
        started.join()
        yield started
    finally:
        started.stop()


@pytest.fixture
def store(cluster: Cluster) -> Iterator[HistoryStore]:
    opened = HistoryStore.connect(cluster.url, socket_timeout=5.0)
    opened.clear()
    yield opened
    opened.close()


@pytest.fixture
def table(tmp_path: Path) -> Iterator[SqliteTable]:
    opened = SqliteTable(tmp_path / "secondary.db")
    yield opened
    opened.close()


def request(n: int, user: int) -> dict:
    """A payment of a card holder with a device of their own and without an address."""
    return body(n, user_id=f"u{user}", amount=5.0, device={"device_id": f"d{user}"})


def paid(start: int) -> list[Transaction]:
    """A payment of each card holder, each a second after the one before."""
    now_ms = int(time.time() * 1000)
    return [take_in(request(start + user, user), now_ms + start).transaction for user in range(USERS)]


def fill(*stores: Histories) -> None:
    for store in stores:
        store.publish_tiles([MERCHANT], np.zeros(1, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
        store.mark_filled()


def lose(cluster: Cluster) -> int:
    """Empty a node that holds neither the tiles nor the merchant, which everyone needs."""
    port = next(p for p in cluster.ports if p not in (cluster.port_of("tiles"), cluster.port_of(f"{{{MERCHANT}}}:m")))
    cluster.nodes[port].flushall()
    return port


def touched(cluster: Cluster, port: int) -> list[bool]:
    """Of each card holder, whether a history of theirs lies on a node."""
    return [port in (cluster.port_of(f"{{u{n}}}:h"), cluster.port_of(f"{{d{n}}}:d")) for n in range(USERS)]


def refill_from(table: SqliteTable, cluster: Cluster, late: Sequence[Transaction] = ()) -> Refill:
    """A refill whose decision database has `late` beyond what the secondary store has."""
    rows = [(position, orjson.dumps(transaction)) for position, transaction in enumerate(late, start=1)]
    reader = SimpleNamespace(transactions_after=lambda position, limit: [r for r in rows if r[0] > position][:limit])
    return Refill(reader, table, lambda: HistoryStore.connect(cluster.url, filling=True), lambda: 0)  # type: ignore[arg-type]


def finish(refill: Refill) -> int:
    total = 0
    while done := refill.step():
        total += done
    return total


def whole(store: HistoryStore) -> bool:
    return store.marks(range(SLOTS)) == dict.fromkeys(range(SLOTS), WHOLE)


def dump(cluster: Cluster, port: int) -> dict[bytes, bytes]:
    """Every value that a node holds."""
    node = cluster.nodes[port]
    return {key: node.get(key) for key in node.scan_iter() if key != b"refill"}


def test_what_a_node_lost_is_written_again_and_nothing_else_is_touched(cluster, store, table):
    secondary = SecondaryStore(table)
    fill(store, secondary)
    first, late = paid(0), paid(1000)
    for each in (store, secondary):
        OnlineFeatures(each).vectors(first)
    OnlineFeatures(store).vectors(late)  # not in the secondary store yet
    before = {port: dump(cluster, port) for port in cluster.ports}
    lost = lose(cluster)
    # Newer on the living nodes than anything that the refill knows: it must stay.
    kept = cluster.nodes[cluster.port_of("tiles")]
    victim = next(key for key in before[cluster.port_of("tiles")] if key.endswith(b":h"))
    kept.append(victim, bytes(32))
    before[cluster.port_of("tiles")][victim] += bytes(32)
    assert finish(refill_from(table, cluster, late=[*first, *late])) > 0
    assert {port: dump(cluster, port) for port in cluster.ports} == before
    assert len(before[lost]) > SLOTS / 4  # marks and histories


def test_the_slots_are_not_relied_on_before_all_of_it_is_there(cluster, store, table):
    secondary = SecondaryStore(table)
    fill(store, secondary)
    online = OnlineFeatures(store, partly=True)
    for each in (store, secondary):
        OnlineFeatures(each).vectors(paid(0))
    hit = touched(cluster, lose(cluster))
    refill, n = refill_from(table, cluster), 0
    while refill.step():
        n += USERS
        assert online.vectors(paid(1000 * n)).answered.tolist() == [not one for one in hit]
    assert online.vectors(paid(1_000_000)).answered is None
    assert n > 0
    assert 0 < sum(hit) < USERS


def test_what_is_lost_once_more_while_it_is_filled_is_filled_once_more(cluster, store, table):
    secondary = SecondaryStore(table)
    fill(store, secondary)
    for each in (store, secondary):
        OnlineFeatures(each).vectors(paid(0))
    before = {port: dump(cluster, port) for port in cluster.ports}
    lose(cluster)
    refill = refill_from(table, cluster)
    assert refill.step() > 0
    lose(cluster)
    finish(refill)
    assert not whole(store)
    refill._next_look_s = 0.0
    assert finish(refill) > 0
    assert whole(store)
    assert {port: dump(cluster, port) for port in cluster.ports} == before


def test_slots_that_move_meanwhile_are_filled_where_they_are(cluster, store, table):
    secondary = SecondaryStore(table)
    fill(store, secondary)
    batch = paid(0)
    for each in (store, secondary):
        OnlineFeatures(each).vectors(batch)
    lost, full = lose(cluster), cluster.port_of("tiles")
    hit = touched(cluster, lost)
    slots = [cluster.slot_of(f"{{u{n}}}:h") for n in range(USERS) if hit[n]]
    refill = refill_from(table, cluster)
    assert refill.step() > 0
    back = [slot for slot in slots if cluster.owner(slot) == lost]
    half, done = back[0], back[1:3]
    cluster.begin_move(half, full)
    for slot in done:
        cluster.begin_move(slot, full)
        cluster.end_move(slot, full)
    online = OnlineFeatures(store, partly=True)
    assert online.vectors(paid(1000)).answered.tolist() == [not one for one in hit]
    OnlineFeatures(secondary).vectors(paid(1000))
    finish(refill)
    after = paid(2000)
    found = online.vectors(after)
    assert found.answered is None
    cluster.end_move(half, full)
    for slot in (half, *done):
        cluster.begin_move(slot, lost)
        cluster.end_move(slot, lost)
    assert whole(store)
    found, expected = online.vectors(after), OnlineFeatures(secondary).vectors(after)
    assert found.answered is None
    assert found.X.tobytes() == expected.X.tobytes()


def test_a_store_that_an_older_version_filled_gets_marks_and_keeps_its_histories(cluster, store, table, monkeypatch):
    store.publish_tiles([MERCHANT], np.zeros(1, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
    SecondaryStore(table).publish_tiles([], np.zeros(0, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
    online = OnlineFeatures(store, partly=True)
    online.vectors(paid(0))
    refill, other = refill_from(table, cluster), refill_from(table, cluster)
    monkeypatch.setattr(other, "_owner", "another machine")
    assert finish(refill) == 0
    assert whole(store)
    store.mark(range(SLOTS // 2), BEGUN)  # as another finds it half-way
    assert finish(other) == 0
    store.mark_filled()
    assert online.vectors(paid(1000)).answered is None
    hit = touched(cluster, lose(cluster))
    assert online.vectors(paid(2000)).answered.tolist() == [not one for one in hit]


def test_a_single_slot_that_was_lost_is_found_in_so_many_looks(cluster, store, table):
    fill(store, SecondaryStore(table))
    store._client.delete(store._marks[0])
    refill = refill_from(table, cluster)
    found = []
    for _ in range(STRIDE):
        refill._next_look_s = 0.0
        found.append(finish(refill) > 0)
    assert whole(store)
    assert found == [False] * (STRIDE - 1) + [True]  # slot 0 is looked at last


def answers(client, start: int) -> list[dict]:
    """Single payments, one of each card holder, as replies; without a device, whose history forgets after 16."""
    asked = [{**request(start + user, user), "device": {}} for user in range(USERS)]
    return [client.post("/score_transaction", json=each).json() for each in asked]


def test_decisions_of_the_lost_nodes_card_holders_are_labelled_until_it_is_filled_and_nobody_elses(
    cluster, store, table, tmp_path
):
    table.close()
    secondary = SecondaryStore(SqliteTable(tmp_path / "run/secondary.db"))
    fill(store, secondary)
    with served(tmp_path, noise_bundle().save(tmp_path / "bundle"), REDIS_URL=cluster.url) as running:

        def caught_up() -> None:
            while "\nsecondary_behind 0.0" not in running.client.get("/metrics").text:
                time.sleep(0.05)

        for start in range(0, 20 * USERS, USERS):
            assert {tuple(reply["degraded"]) for reply in answers(running.client, start)} == {()}
        caught_up()
        lost = lose(cluster)
        hit = [lost == cluster.port_of(f"{{u{n}}}:h") for n in range(USERS)]
        rounds = [answers(running.client, 1000)]
        while any(reply["degraded"] for reply in rounds[-1]):
            time.sleep(0.3)
            rounds.append(answers(running.client, 1000 * (len(rounds) + 1)))
        caught_up()
    assert rounds[0][hit.index(True)]["degraded"] == ["feature_store"]
    for replies in rounds:
        assert {reply["reason"] for reply in replies} == {"Excessive velocity"}  # nobody is taken for a stranger
        assert not any(reply["degraded"] for reply, one in zip(replies, hit, strict=True) if not one)
    assert whole(store)
    events = DecisionReader(tmp_path / "run/decisions.db").events_after(0, 10_000)
    assert len(events) == USERS * (20 + len(rounds))
    assert 20 + len(rounds) < USER_EVENTS  # all are remembered, so that a retry gets the vector of then
    again = [transaction_of(event.transaction_json) for _, event in events]
    decided_on = b"".join(event.vector for _, event in events)
    for each in (secondary, store):
        assert OnlineFeatures(each, rated_by_store=True).vectors(again).X.tobytes() == decided_on
    secondary.close()
