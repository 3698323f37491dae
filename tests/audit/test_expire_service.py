"""Decisions removed under a service that decides: what was acknowledged is in the database or in the archive."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import orjson
import pytest

from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import StreamConsumer
from fraudkit.audit.expire import Expiry, Safe, archived_position
from fraudkit.core.decision_event import broken_links
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.secondary_choice import secondary_table
from fraudkit.serve.decisions import DecisionStore
from fraudkit.serve.decisions.followers import SharedFollowers
from fraudkit.serve.decisions.opening import open_progress, open_reader
from fraudkit.serve.decisions.postgres import PostgresDatabase
from fraudkit.serve.decisions.removal import Removal
from fraudkit.serve.follower import position
from tests.postgres import PostgresServer
from tests.serve.process import Running, body, served
from tests.stand_ins import noise_bundle

pytestmark = pytest.mark.timeout(180)
ENOUGH = 600  # decisions that have to be removed while the service decides others
ANY_DAY = "2999-01-01"  # before it, every decision is old


class Traffic(threading.Thread):
    """Payments one after the other, and the replies that were acknowledged."""

    def __init__(self, url: str, first: int) -> None:
        super().__init__()
        self.replies: dict[str, bytes] = {}
        self._url, self._first = url, first
        self._enough = threading.Event()

    def run(self) -> None:
        number = self._first
        with httpx.Client(base_url=self._url, timeout=20) as client:
            while not self._enough.is_set():
                payment = body(number, user_id=f"u{number % 50}", amount=1.0 + number % 300)
                reply = client.post("/score_transaction", json=payment)
                reply.raise_for_status()
                self.replies[payment["transaction_id"]] = reply.content
                number += 1

    def stop(self) -> None:
        self._enough.set()
        self.join(30)


class Job:
    """What the command does, with every decision old."""

    def __init__(self, home: Path, url: str | None, opened: ExitStack) -> None:
        self.archive = Archive(home / "decision_log")
        self._home, self._url = home / "run", url
        where = home / "run" / "decisions.db" if url is None else PostgresDatabase(url, 100)
        self.store = opened.enter_context(closing(DecisionStore(where)))
        self._reader = opened.enter_context(closing(open_reader(self._home, url)))
        self._progress = opened.enter_context(closing(open_progress(self._home, url)))

    def run(self) -> int:
        safe = Safe(archived_position(self.archive, self._reader, self._progress), self._mirrored())
        expiry = Expiry(self._reader, Removal(self.store.database), safe, ANY_DAY, ANY_DAY)
        return expiry.remove(expiry.look(lambda *_: None), lambda *_: None)

    def _mirrored(self) -> int:
        if self._url is None:
            with closing(secondary_table("sqlite", self._home)) as table:
                return position(table)
        with closing(SharedFollowers(self._url)) as followers:
            return followers.lowest()


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> str | None:
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def service(address: str | None, tmp_path: Path) -> Iterator[Running]:
    bundle = noise_bundle().save(tmp_path / "v0001")
    home = tmp_path / "home"
    home.mkdir()
    variables = {} if address is None else {"DATABASE_URL": address}
    with served(home, bundle, **variables) as running:
        yield running


def test_nothing_that_was_acknowledged_is_lost(service: Running, address: str | None):
    with ExitStack() as opened:
        job = Job(service.home, address, opened)
        valkey = EmbeddedValkey(service.home / "run" / "store")
        consumer = opened.enter_context(closing(StreamConsumer(valkey.url, job.archive)))
        traffic = [Traffic(str(service.client.base_url), first) for first in (0, 1_000_000)]
        for one in traffic:
            one.start()
        removed = 0
        try:
            while removed < ENOUGH:
                consumer.step(50)
                removed += job.run()
        finally:
            for one in traffic:
                one.stop()
        replies = traffic[0].replies | traffic[1].replies
        while "\nevents_behind 0.0" not in service.client.get("/metrics").text:
            time.sleep(0.05)
        while consumer.step():
            pass
        events = list(job.archive.events())
        assert broken_links(events) == []
        assert len(events) == len(replies)  # each once
        assert {event.transaction_id: event.reply for event in events} == replies
        here = {name for name in replies if job.store.get(name) is not None}
        assert len(replies) - len(here) == removed
        for name in sorted(here)[:20]:
            again = service.client.get(f"/decisions/{name}").json()["reply"]
            assert again == orjson.loads(replies[name])
        gone = sorted(set(replies) - here)[0]
        assert service.client.get(f"/decisions/{gone}").status_code == 404
        word = {"transaction_id": gone, "is_fraud": True, "source": "chargeback"}
        told = [service.client.post("/feedback", json=word).json() for _ in range(2)]
        assert [(reply["known_transaction"], reply["repeated"]) for reply in told] == [(False, False), (False, True)]
