"""Three real Valkey nodes on loopback, with the configuration that deploy/kubernetes gives them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import redis
import yaml

from fraudkit.features.embedded import _binary

MANIFEST = Path(__file__).resolve().parents[1] / "deploy" / "kubernetes" / "valkey.yaml"
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
        self._owners = [self.ports[slot * 3 // SLOTS] for slot in range(SLOTS)]
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

    def process(self, port: int) -> subprocess.Popen[bytes]:
        """The process of one node."""
        return self._processes[port]

    def kill(self, port: int) -> None:
        """End one node as a power cut would."""
        self._processes[port].kill()
        self._processes[port].wait()

    def lose(self, port: int) -> None:
        """Kill one node and start it again without its data, though as the same member of the cluster."""
        self.kill(port)
        shutil.rmtree(self._folder / str(port) / "appendonlydir")
        self.start(port)
        self.wait()

    def join(self) -> None:
        """Introduce the nodes to each other and give each a third of the slots."""
        for port in self.ports:
            low = self._owners.index(port)
            self.nodes[port].execute_command("CLUSTER ADDSLOTSRANGE", low, low + self._owners.count(port) - 1)
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
        return self.owner(self.slot_of(key))

    def owner(self, slot: int) -> int:
        """The node that holds a slot."""
        return self._owners[slot]

    def slot_of(self, key: str) -> int:
        """The slot of a key, as a server says."""
        slot: int = self.nodes[self.ports[0]].cluster("keyslot", key)
        return slot

    def begin_move(self, slot: int, target: int) -> None:
        """Announce that a slot moves to another node; its keys follow by `move_keys`."""
        source = self._owners[slot]
        self.nodes[target].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", self._name(source))
        self.nodes[source].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", self._name(target))

    def move_keys(self, slot: int, target: int, keys: list[str]) -> None:
        """Move keys of a slot that is moving."""
        self.nodes[self._owners[slot]].execute_command("MIGRATE", "127.0.0.1", target, "", 0, 5000, "KEYS", *keys)

    def end_move(self, slot: int, target: int) -> None:
        """Move what is left of a slot, and tell everyone where it is now.

        The latest claims have to be known to all before. A node that has just taken one slot and now gives another away
        may have claimed both with an epoch that the target has not heard of; the target would then hand the slot
        back, and from then on each says that the other has it.
        """
        source = self.nodes[self._owners[slot]]
        while keys := source.execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            self.move_keys(slot, target, keys)
        until(lambda: len({self._epochs(node) for node in self.nodes.values()}) == 1, "agreement on the epochs")
        for node in (self.nodes[target], source, *self.nodes.values()):
            node.execute_command("CLUSTER SETSLOT", slot, "NODE", self._name(target))
        self._owners[slot] = target

    def _epochs(self, node: redis.Redis) -> frozenset[tuple[str, str]]:
        """Which epoch each member claims its slots with, as far as one of them knows."""
        return frozenset((said["node_id"], said["epoch"]) for said in node.cluster("nodes").values())

    def _name(self, port: int) -> str:
        name: bytes = self.nodes[port].execute_command("CLUSTER MYID")
        return name.decode()
