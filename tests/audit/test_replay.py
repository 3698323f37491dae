"""From a real service through the stream to the archive, and every decision made again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import redis

from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import StreamConsumer
from fraudkit.audit.replay import Replayer, replay
from fraudkit.core.decision_event import GENESIS, DecisionEvent, broken_links, event_from_json
from fraudkit.core.errors import CorruptArtefact, StoreUnavailable
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.registry.registry import Registry
from fraudkit.serve.decisions import DecisionReader
from fraudkit.serve.decisions.progress import FileProgress, Published
from fraudkit.serve.event_stream import MOST_WAITING, STREAM, Publisher, ValkeyStream, open_sink
from tests.serve.process import body, environment, served
from tests.serve.test_switch import passed, train

pytestmark = pytest.mark.timeout(200)
N = 600  # decisions


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose service decided N payments, the store away for some of them, and whose stream holds them all."""
    folder = tmp_path_factory.mktemp("home with a space")
    registry = Registry(folder / "registry")
    registry.register(train(0).save(folder / "bundle"), {}, {})
    registry.promote("v0001", passed(registry, "v0001"))
    chance = random.Random(7)
    with served(folder, FRAUDKIT_CARD_KEY="k" * 32) as running:
        valkey = EmbeddedValkey(folder / "run" / "store")
        for start in range(0, N, 100):
            items = [
                body(
                    start + n,
                    user_id=f"u{chance.randrange(40)}",
                    amount=round(chance.lognormvariate(4, 1.5), 2),
                    card_token=f"card-{n % 7}" if n % 2 else None,
                )
                for n in range(100)
            ]
            pid = valkey.pid()
            if start == 200:
                os.kill(pid, signal.SIGSTOP)
            running.client.post("/score_transactions", json={"transactions": items}).raise_for_status()
            if start == 200:
                os.kill(pid, signal.SIGCONT)
        while "\nevents_behind 0.0" not in running.client.get("/metrics").text:
            time.sleep(0.05)
        with_store = StreamConsumer(valkey.url, Archive(folder / "decision_log"))
        while with_store.step():
            pass
        with_store.close()
    return folder


@pytest.fixture(scope="module")
def events(home: Path) -> list[DecisionEvent]:
    return list(Archive(home / "decision_log").events())


@pytest.fixture(scope="module")
def replayer(home: Path) -> Replayer:
    return Replayer(Registry(home / "registry"))


def test_every_decision_is_made_again_bit_for_bit(events: list[DecisionEvent], replayer: Replayer):
    report = replay(events, replayer, GENESIS)
    assert (report.events, report.equal, report.not_here) == (N, N, {})
    assert report.passed
    assert len({event.action for event in events}) > 1
    assert any("feature_store" in event.degraded for event in events)
    assert len({orjson.loads(event.transaction_json)["card_ref"] for event in events}) == 1 + 7  # none, and seven cards


def spoiled_vector(event: DecisionEvent) -> DecisionEvent:
    X = np.frombuffer(event.vector, dtype="<f4").copy()
    X[0] += 500.0  # amount_usd
    return replace(event, vector=X.tobytes())


SPOILED = {
    "an action": lambda e: replace(e, action="APPROVE" if e.action != "APPROVE" else "DECLINE"),
    "a reply": lambda e: replace(e, reply=orjson.dumps(orjson.loads(e.reply) | {"decision": "APPROVE_FALLBACK"})),
    "a vector": spoiled_vector,
    "an amount": lambda e: replace(e, transaction_json=e.transaction_json.replace(b'"amount":', b'"amount":1')),
    "a cut vector": lambda e: replace(e, vector=e.vector[:-4]),
}


@pytest.mark.parametrize("name", SPOILED)
def test_an_edited_record_is_found(events: list[DecisionEvent], replayer: Replayer, name: str):
    edited = list(events)
    edited[17] = SPOILED[name](edited[17])
    report = replay(edited, replayer, GENESIS)
    assert not report.passed
    assert report.broken_links == (events[17].position,)
    if name != "an amount":  # the vector, not the transaction, is what a decision is made from
        assert {found.transaction_id for found in report.differences} == {events[17].transaction_id}


def test_an_edit_that_also_mends_its_own_link_breaks_the_next(events: list[DecisionEvent]):
    edited = list(events)
    edited[17] = SPOILED["an action"](edited[17]).linked(events[16].chain)
    assert broken_links(edited) == [events[18].position]


def test_a_missing_and_a_moved_event_are_found(events: list[DecisionEvent]):
    assert broken_links(events) == []
    assert broken_links(events[:17] + events[18:]) == [events[18].position]
    assert broken_links([events[1], events[0], *events[2:]]) != []


def test_decisions_of_other_code_are_counted_apart(events: list[DecisionEvent], replayer: Replayer):
    other = [replace(event, code_digest="c" * 64) for event in events[:5]]
    gone = [replace(event, model_digest="m" * 64) for event in events[5:8]]
    assert replay(other + gone, replayer, GENESIS).not_here == {"other code": 5, "model v0001 is not here": 3}


def test_the_command_says_what_it_found_and_ends_with_it(home: Path, events: list[DecisionEvent]):
    command = [sys.executable, "-m", "fraudkit", "replay", "--json"]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, json.loads(done.stdout)["equal"]) == (0, N)
    archive = Archive(home / "decision_log")
    path = next(archive.folder.glob("day=*/*.parquet"))
    kept = path.read_bytes()
    path.unlink()
    try:
        archive.add([SPOILED["an action"](event) if event is events[3] else event for event in events])
        done = subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 1
        assert json.loads(done.stdout)["differences"][0]["transaction_id"] == events[3].transaction_id
    finally:
        for extra in archive.folder.glob("day=*/*.parquet"):
            extra.unlink()
        path.write_bytes(kept)


def test_the_command_goes_on_where_the_oldest_days_were_removed(
    home: Path, events: list[DecisionEvent], tmp_path: Path
):
    """As if the first half had been decided long ago."""
    copied, half = tmp_path / "home", N // 2
    copied.mkdir()
    (copied / "registry").symlink_to(home / "registry")
    archive = Archive(copied / "decision_log")
    archive.add(events[:half])
    for number, folder in enumerate(sorted(archive.folder.glob("day=*")), 1):
        folder.rename(folder.with_name(f"day=2020-01-{number:02}"))
    archive.add(events[half:])
    archive.remove_days("2021-01-01")
    command = [sys.executable, "-m", "fraudkit", "replay", "--json"]

    def replayed() -> tuple[int, dict]:
        done = subprocess.run(
            command, env=environment(copied), capture_output=True, text=True, timeout=100, check=False
        )
        return done.returncode, json.loads(done.stdout)

    code, told = replayed()
    assert (code, told["equal"], told["begins_after"], told["broken_links"]) == (0, N - half, half, [])
    for file in archive.files():
        file.path.unlink()
    archive.add([replace(events[half], decided_at_ms=events[half].decided_at_ms + 1), *events[half + 1 :]])
    code, told = replayed()
    assert (code, told["broken_links"]) == (1, [half + 1])


class Shelf:
    """A sink that can be away, or full, and remembers what it took."""

    def __init__(self) -> None:
        self.taken: list[DecisionEvent] = []
        self.away = False
        self.space = 10_000

    def room(self) -> int:
        return self.space

    def put(self, events) -> None:
        if self.away:
            raise StoreUnavailable("away")
        self.taken += events


class Forgetful(FileProgress):
    """As if the process died before it could note anything."""

    def keep(self, published: Published) -> None:
        pass


def test_what_could_not_be_published_is_published_later_in_order(home: Path, tmp_path: Path):
    reader, shelf = DecisionReader(home / "run" / "decisions.db"), Shelf()
    publisher = Publisher(reader, shelf, FileProgress(tmp_path / "state.json"))
    shelf.space = 7
    assert publisher.step() == 7
    shelf.away = True
    with pytest.raises(StoreUnavailable):
        publisher.step()
    shelf.away, shelf.space = False, 10_000
    later = Publisher(reader, shelf, FileProgress(tmp_path / "state.json"))  # the process died in between
    while later.step():
        pass
    assert len(shelf.taken) == N
    assert broken_links(shelf.taken) == []
    reader.close()


def test_a_crash_between_publishing_and_noting_it_publishes_the_same_again(home: Path, tmp_path: Path):
    reader, shelf = DecisionReader(home / "run" / "decisions.db"), Shelf()
    Publisher(reader, shelf, Forgetful(tmp_path / "state.json")).step()
    first = list(shelf.taken)
    Publisher(reader, shelf, FileProgress(tmp_path / "state.json")).step()
    assert shelf.taken[len(first) :] == first
    archive = Archive(tmp_path / "archive")
    archive.add(first)
    archive.add(shelf.taken[len(first) :])
    assert list(archive.events()) == first
    reader.close()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey", persist=False) as server:
        yield server


def test_a_stream_that_nobody_reads_fills_and_then_waits(valkey: EmbeddedValkey, events, monkeypatch):
    monkeypatch.setattr("fraudkit.serve.event_stream.MOST_WAITING", 10)
    stream = ValkeyStream(valkey.url)
    stream.put(events[:10])
    assert stream.room() == 0
    assert MOST_WAITING > 1_000


def test_a_consumer_that_died_leaves_its_events_to_another(valkey: EmbeddedValkey, events, tmp_path: Path, monkeypatch):
    ValkeyStream(valkey.url).put(events[:50])
    client = redis.Redis.from_url(valkey.url)
    dying = StreamConsumer(valkey.url, Archive(tmp_path / "archive"), "dying")
    dying._make_group()
    client.xreadgroup("archive", "dying", {STREAM: ">"}, 20)  # taken, and never archived
    dying.close()
    monkeypatch.setattr("fraudkit.audit.consume.ABANDONED_MS", 0)
    other = StreamConsumer(valkey.url, Archive(tmp_path / "archive"), "other")
    while other.step():
        pass
    assert list(Archive(tmp_path / "archive").events()) == events[:50]
    assert client.xlen(STREAM) == 0
    other.close()
    client.close()


def test_a_stranger_s_message_is_told(valkey: EmbeddedValkey, tmp_path: Path):
    client = redis.Redis.from_url(valkey.url)
    client.xadd(STREAM, {"event": b"{}"})
    client.close()
    consumer = StreamConsumer(valkey.url, Archive(tmp_path / "archive"))
    with pytest.raises(CorruptArtefact, match="no decision event"):
        consumer.step()
    consumer.close()


def test_an_event_survives_its_json(events: list[DecisionEvent]):
    assert event_from_json(events[0].to_json()) == events[0]


@pytest.mark.parametrize("setting", ["kafka://", "kafka://host:1", "redis", "kafka:///topic"])
def test_a_setting_that_cannot_be_is_refused(setting: str):
    from fraudkit.core.errors import InvalidInput

    with pytest.raises(InvalidInput, match="FRAUDKIT_EVENTS"):
        open_sink(setting, "")
