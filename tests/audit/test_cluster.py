"""Events through a stream in a real Valkey cluster to the archive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import StreamConsumer
from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.event_stream import MOST_WAITING, ValkeyStream
from tests.audit.test_archive import chain
from tests.valkey_cluster import Cluster, free_ports

pytestmark = pytest.mark.timeout(120)


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


def test_what_a_cluster_took_reaches_the_archive(cluster: Cluster, tmp_path: Path):
    sent, stream = chain(50, a_day=10), ValkeyStream(cluster.url)
    stream.put(sent)
    archive = Archive(tmp_path / "archive")
    consumer = StreamConsumer(cluster.url, archive)
    while consumer.step():
        pass
    consumer.close()
    assert list(archive.events()) == sent
    assert stream.room() == MOST_WAITING


def test_a_cluster_that_does_not_answer_is_told(tmp_path: Path):
    (port,) = free_ports(1)
    url = f"redis+cluster://127.0.0.1:{port}"
    with pytest.raises(StoreUnavailable, match="is the server running"):
        StreamConsumer(url, Archive(tmp_path))
    with pytest.raises(StoreUnavailable, match="is the server running"):  # else the follower would end
        ValkeyStream(url).room()
