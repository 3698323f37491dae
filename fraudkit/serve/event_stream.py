"""Decision events to a stream: in order, each at least once, none lost while the stream is away.

The source is the decision database, not memory: what was not published when the process died or the
stream was away is published later. How far it is, and the hash of the last event, are noted after each
batch; a crash in between publishes the batch again, with the same positions and hashes.

The Valkey stream holds a bounded number of events that nobody took yet; while it is full, publishing
waits, and the database keeps the rest. A Kafka broker keeps what it is told to keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.errors import InvalidInput, NotReady, StoreUnavailable
from fraudkit.serve.decisions.progress import Progress, Published
from fraudkit.serve.decisions.reader import Reader

STREAM, FIELD = "decisions", b"event"
MOST_WAITING = 20_000  # events in the Valkey stream that nobody took
AT_ONCE = 256
AWAY = (RedisError, RedisClusterException, OSError)  # the second is no kind of the first
KAFKA_S = 10.0  # for the broker to take a batch


class EventSink(Protocol):
    """Takes events in order."""

    def room(self) -> int:
        """How many events it takes now."""
        ...

    def put(self, events: Sequence[DecisionEvent]) -> None:
        """Take events; when it returns they are safe there. Raises StoreUnavailable."""
        ...


class Publisher:
    """Publishes the decisions of one database, in the order of its reader."""

    def __init__(self, decisions: Reader, sink: EventSink, progress: Progress) -> None:
        self._decisions = decisions
        self._sink = sink
        self._progress = progress

    def step(self) -> int:
        """Publish the next decisions; how many there were.

        Raises
        ------
        StoreUnavailable
            The sink or the database is away; nothing is lost.
        CorruptArtefact
            How far it was cannot be read.
        """
        with self._progress.turn() as before:
            room = min(self._sink.room(), AT_ONCE) if before is not None else 0
            if before is None or room <= 0:
                return 0
            found = self._decisions.events_after(before.cursor, room)
            linked, chain = [], before.chain
            for number, (_, event) in enumerate(found, before.position + 1):
                linked.append(replace(event, position=number).linked(chain))
                chain = linked[-1].chain
            if found:
                self._sink.put(linked)
                self._progress.keep(Published(linked[-1].position, chain, found[-1][0]))
        return len(linked)


class ValkeyStream:
    """A stream in Valkey or Redis."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _client(self) -> Any:
        return stream_client(self._url, socket_timeout=5.0, socket_connect_timeout=1.0)

    def room(self) -> int:
        with told(STREAM):
            return MOST_WAITING - int(self._client.xlen(STREAM))

    def put(self, events: Sequence[DecisionEvent]) -> None:
        with told(STREAM):
            pipeline = self._client.pipeline(transaction=False)
            for event in events:
                pipeline.xadd(STREAM, {FIELD: event.to_json()})
            pipeline.execute()


def stream_client(url: str, **options: float) -> Any:
    """A client of the server, or the cluster, that holds the stream; `options` are redis-py's.

    Raises
    ------
    StoreUnavailable
        A cluster, which is asked for its nodes at once, does not answer.
    """
    kind = RedisCluster if url.startswith("redis+cluster://") else redis.Redis
    with told(STREAM):
        return kind.from_url(url.replace("redis+cluster", "redis", 1), **options)


class KafkaTopic:
    """A topic of a broker that speaks Kafka's protocol; the key is the transaction's id."""

    def __init__(self, servers: str, topic: str) -> None:
        try:
            from confluent_kafka import Producer
        except ModuleNotFoundError as error:
            raise NotReady("events to Kafka need confluent-kafka; pip install 'fraudkit[kafka]'") from error
        self._producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5})
        self._topic = topic

    def room(self) -> int:
        return AT_ONCE

    def put(self, events: Sequence[DecisionEvent]) -> None:
        failures: list[Any] = []

        def delivered(error: Any, _: Any) -> None:
            if error is not None:
                failures.append(error)

        for event in events:
            self._producer.produce(
                self._topic, value=event.to_json(), key=event.transaction_id.encode(), on_delivery=delivered
            )
        left = self._producer.flush(KAFKA_S)
        if left or failures:
            self._producer.purge()
            self._producer.flush(0)
            reason = failures[0] if failures else f"{left} events were not taken within {KAFKA_S:.0f} s"
            raise StoreUnavailable(f"topic {self._topic} failed: {reason}; is the broker running?")


@contextmanager
def told(name: str) -> Any:
    """Every failure of the server or the line becomes StoreUnavailable."""
    try:
        yield
    except AWAY as error:
        raise StoreUnavailable(f"stream {name} failed: {error}; is the server running?") from error


def open_sink(setting: str, store_url: str) -> EventSink | None:
    """What FRAUDKIT_EVENTS names: `valkey` (in the feature store's server), `kafka://HOST:PORT/TOPIC`, or `off`.

    Raises
    ------
    InvalidInput
        It names something else.
    NotReady
        What it needs is not installed.
    """
    if setting == "off":
        return None
    if setting == "valkey":
        return ValkeyStream(store_url)
    return KafkaTopic(*kafka_address(setting))


def kafka_address(setting: str) -> tuple[str, str]:
    """Servers and topic of kafka://HOST:PORT/TOPIC.

    Raises
    ------
    InvalidInput
        It has another form.
    """
    servers, slash, topic = setting.removeprefix("kafka://").partition("/")
    if not setting.startswith("kafka://") or not servers or not slash or not topic:
        raise InvalidInput(f"FRAUDKIT_EVENTS={setting!r} is not valkey, off or kafka://HOST:PORT/TOPIC")
    return servers, topic
