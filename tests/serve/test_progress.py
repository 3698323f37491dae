"""Services that share a database publish its decisions once, in one order and one chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fraudkit.core.decision_event import DecisionEvent, broken_links
from fraudkit.core.errors import CorruptArtefact, StoreUnavailable
from fraudkit.serve import event_stream
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.decisions.opening import open_progress, open_reader
from fraudkit.serve.decisions.postgres import PostgresDatabase
from fraudkit.serve.decisions.progress import FileProgress, Published
from fraudkit.serve.event_stream import Publisher
from tests.postgres import PostgresServer

N = 200


class Shelf:
    """A sink that remembers what it took, and can be away after taking it."""

    def __init__(self) -> None:
        self.taken: list[DecisionEvent] = []
        self.away = False

    def room(self) -> int:
        return 1_000

    def put(self, events) -> None:
        self.taken += events
        if self.away:
            raise StoreUnavailable("away")


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """A shared database with N decisions."""
    address = postgres.new_database()
    store = DecisionStore(PostgresDatabase(address, 100), "A")
    context = store.context_id(Context("v", "m", "r", "p", "s", "c"))
    for start in range(0, N, 20):
        names = [f"t{n}" for n in range(start, start + 20)]
        store.add([Record(name, b"d", 1, "APPROVE", 0.1, b"{}", b"", b"{}", "", False, context) for name in names])
    yield address
    store.close()


@contextmanager
def publisher(url: str, shelf: Shelf) -> Iterator[Publisher]:
    """What one service's process publishes with."""
    with closing(open_reader(Path(), url)) as reader, closing(open_progress(Path(), url)) as progress:
        yield Publisher(reader, shelf, progress)


def publish_all(url: str, shelf: Shelf) -> None:
    with publisher(url, shelf) as mine:
        while len(shelf.taken) < N:
            mine.step()


def test_services_that_publish_at_once_publish_every_decision_once(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_stream, "AT_ONCE", 7)
    shelf = Shelf()
    threads = [threading.Thread(target=publish_all, args=(url, shelf)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [event.position for event in shelf.taken] == list(range(1, N + 1))
    assert {event.transaction_id for event in shelf.taken} == {f"t{n}" for n in range(N)}
    assert broken_links(shelf.taken) == []


def test_what_was_not_noted_is_published_again_the_same_by_another_service(url: str):
    shelf = Shelf()
    shelf.away = True
    with publisher(url, shelf) as dying, pytest.raises(StoreUnavailable):
        dying.step()
    first, shelf.taken, shelf.away = shelf.taken, [], False
    with publisher(url, shelf) as other:
        assert other.step() == N
        assert other.step() == 0
    assert shelf.taken == first
    with closing(open_reader(Path(), url)) as reader, closing(open_progress(Path(), url)) as progress:
        assert reader.behind(progress.read().cursor) == 0


def test_a_file_of_an_earlier_version_goes_on_where_it_was(tmp_path: Path):
    path = tmp_path / "published.json"
    path.write_text('{"position": 7, "chain": "abc"}')
    progress = FileProgress(path)
    assert progress.read() == Published(7, "abc", 7)
    progress.keep(Published(9, "def", 9))
    assert FileProgress(path).read() == Published(9, "def", 9)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    path = tmp_path / "published.json"
    path.write_text("{")
    with pytest.raises(CorruptArtefact, match="restore it"):
        FileProgress(path).read()
