"""Three real Valkey nodes on loopback, with the configuration that deploy/kubernetes gives them."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
import yaml

from fraudkit.core.errors import FraudkitError, StoreUnavailable
from fraudkit.features.embedded import _binary
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.store import USER, HistoryStore

MANIFEST = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes" / "valkey.yaml"
SLOTS = 16_384
BUS = 10_000  # a node's other port is this far above its first
PATIENCE_S = 30.0


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come about within {PATIENCE_S:.0f} s"
        time.sleep(0.05)


def free_ports(n: int) -> list[int]:
    """Ports that are free now, and whose bus ports exist."""
    held, ports = [], []
    while len(ports) < n:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        held.append(listener)
        if (port := listener.getsockname()[1]) + BUS < 65_536:
            ports.append(port)
    for listener in held:
        listener.close()
    return ports


class Cluster:
    """Three primaries that share the slots."""

    def __init__(self, folder: Path) -> None:
        config = next(iter(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))))["data"]["valkey.conf"]
        self._folder = folder
        self._conf = folder / "valkey.conf"
        self._conf.write_text(config, encoding="utf-8")
        self.ports = free_ports(3)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.nodes = {port: redis.Redis(port=port, socket_timeout=5.0) for port in self.ports}

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.ports[0]}"

    def start(self, port: int) -> None:
        """Start one node, and wait until it answers."""
        home = self._folder / str(port)
        home.mkdir(exist_ok=True)
        command = [str(_binary()), str(self._conf), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home)]
        self._processes[port] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def answers() -> bool:
            try:
                return bool(self.nodes[port].ping())
            except redis.RedisError:
                return False

        until(answers, f"node {port}")

    def kill(self, port: int) -> None:
        """End one node as a power cut would."""
        self._processes[port].kill()
        self._processes[port].wait()

    def join(self) -> None:
        """Introduce the nodes to each other and give each a third of the slots."""
        bounds = [SLOTS * third // 3 for third in range(4)]
        for port, low, high in zip(self.ports, bounds[:-1], bounds[1:], strict=True):
            self.nodes[port].execute_command("CLUSTER ADDSLOTSRANGE", low, high - 1)
            self.nodes[self.ports[0]].execute_command("CLUSTER MEET", "127.0.0.1", port)
        self.wait()

    def wait(self) -> None:
        """Return once every node says that all slots are served."""

        def whole(node: redis.Redis) -> bool:
            found = node.cluster("info")
            return found["cluster_state"] == "ok" and found["cluster_slots_ok"] == str(SLOTS)

        until(lambda: all(whole(node) for node in self.nodes.values()), "the cluster")

    def stop(self) -> None:
        """End everything."""
        for node in self.nodes.values():
            node.close()
        for process in self._processes.values():
            process.kill()
            process.wait()

    def port_of(self, key: str) -> int:
        """The node that holds a key."""
        slot = self.nodes[self.ports[0]].cluster("keyslot", key)
        return self.ports[next(third for third in range(3) if slot < SLOTS * (third + 1) // 3)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        for port in made.ports:
            made.start(port)
        made.join()
        yield made
    finally:
        made.stop()


@pytest.fixture
def spread(cluster: Cluster) -> Iterator[HistoryStore]:
    """A client of the whole, empty cluster."""
    store = HistoryStore.connect(cluster.url, socket_timeout=5.0)
    store.clear()
    yield store
    store.close()


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
        with pytest.raises(StoreUnavailable, match="the feature store failed"):
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
