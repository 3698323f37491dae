"""A service on a cluster of which a node dies: whose keys lie elsewhere does not notice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fraudkit.features.histories import SHARED_TILE
from fraudkit.features.records import TILE
from fraudkit.features.secondary import SecondaryStore, SqliteTable
from fraudkit.features.store import HistoryStore
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from tests.serve.process import body, served
from tests.stand_ins import noise_bundle
from tests.valkey_cluster import Cluster, until

pytestmark = pytest.mark.timeout(120)
USERS = 40


def payments(start: int) -> list[dict]:
    """One payment of each card holder, each from a device of their own and without an address."""
    return [body(start + n, user_id=f"u{n}", amount=5.0, device={"device_id": f"d{n}"}) for n in range(USERS)]


def test_a_dead_node_degrades_those_whose_keys_it_holds_and_nobody_else(tmp_path: Path):
    cluster = Cluster(tmp_path)
    try:
        for port in cluster.ports:
            cluster.start(port)
        cluster.join()
        first, second = HistoryStore.connect(cluster.url), SecondaryStore(SqliteTable(tmp_path / "run/secondary.db"))
        for store in (first, second):
            store.publish_tiles([], np.zeros(0, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))
            store.close()
        with served(tmp_path, noise_bundle().save(tmp_path / "bundle"), REDIS_URL=cluster.url) as running:

            def send(start: int) -> list[dict]:
                items = {"transactions": payments(start)}
                results = running.client.post("/score_transactions", json=items).json()["results"]
                return [item["reply"] for item in results]

            for start in range(0, 20 * USERS, USERS):
                assert {tuple(reply["degraded"]) for reply in send(start)} == {()}
            until(lambda: "\nsecondary_behind 0.0" in running.client.get("/metrics").text, "the secondary store")
            merchant = f"{{{EXAMPLE_REQUEST['merchant_id']}}}:m"
            dead = next(port for port in cluster.ports if port != cluster.port_of(merchant))
            keys = [(f"{{u{n}}}:h", f"{{d{n}}}:d") for n in range(USERS)]
            touched = [dead in map(cluster.port_of, both) for both in keys]
            cluster.kill(dead)
            replies = send(1_000)
            metrics = running.client.get("/metrics").text
    finally:
        cluster.stop()
    assert 0 < sum(touched) < USERS
    assert [reply["degraded"] for reply in replies] == [["feature_store"] if hit else [] for hit in touched]
    assert {reply["reason"] for reply in replies} == {"Excessive velocity"}  # the 21st of each, wherever it is counted
    assert f'fraud_degraded_total{{part="feature_store"}} {sum(touched)}.0' in metrics
