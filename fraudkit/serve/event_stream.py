"""Decision events to a stream: in order, each at least once, none lost while the stream is away.

The source is the decision database, not memory: what was not published when the process died or the
stream was away is published later. How far it is, and the hash of the last event, lie in a file that is
replaced after each batch; a crash in between publishes the batch again, with the same positions and hashes.

The Valkey stream holds a bounded number of events that nobody took yet; while it is full, publishing
waits, and the database keeps the rest. A Kafka broker keeps what it is told to keep.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from fraudkit.core.decision_event import GENESIS, DecisionEvent
from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady, StoreUnavailable
from fraudkit.serve.decisions import DecisionReader

STREAM, FIELD = "decisions", b"event"
MOST_WAITING = 20_000  # events in the Valkey stream that nobody took
AT_ONCE = 256
PUBLISHED_FILE = "published.json"
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
    """Publishes the decisions of one database.

    Parameters
    ----------
    state : file that keeps how far it is
    replace : writes a file in one step
    """

    def __init__(
        self, decisions: DecisionReader, sink: EventSink, state: Path, replace: Callable[[Path, bytes], None]
    ) -> None:
        self._decisions = decisions
        self._sink = sink
        self._state = state
        self._replace = replace
        self._position, self._chain = read_state(state)

    def step(self) -> int:
        """Publish the next decisions; how many there were.

        Raises
        ------
        StoreUnavailable
            The sink or the database is away; nothing is lost.
        """
        room = min(self._sink.room(), AT_ONCE)
        events = self._decisions.events_after(self._position, room) if room > 0 else []
        if not events:
            return 0
        linked, chain = [], self._chain
        for event in events:
            linked.append(event.linked(chain))
            chain = linked[-1].chain
        self._sink.put(linked)
        self._position, self._chain = linked[-1].position, chain
        self._replace(self._state, json.dumps({"position": self._position, "chain": chain}).encode())
        return len(linked)


def read_state(path: Path) -> tuple[int, str]:
    """Position and hash of the last published event.

    Raises
    ------
    CorruptArtefact
        The file cannot be read; without it, events would be published under other hashes.
    """
    try:
        content = json.loads(path.read_bytes())
        return int(content["position"]), str(content["chain"])
    except FileNotFoundError:
        return 0, GENESIS
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptArtefact(f"{path} cannot be read ({error}); restore it") from error


class ValkeyStream:
    """A stream in Valkey or Redis."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _client(self) -> Any:
        kind = RedisCluster if self._url.startswith("redis+cluster://") else redis.Redis
        url = self._url.replace("redis+cluster", "redis", 1)
        return kind.from_url(url, socket_timeout=5.0, socket_connect_timeout=1.0)

    def room(self) -> int:
        with told(STREAM):
            return MOST_WAITING - int(self._client.xlen(STREAM))

    def put(self, events: Sequence[DecisionEvent]) -> None:
        with told(STREAM):
            pipeline = self._client.pipeline(transaction=False)
            for event in events:
                pipeline.xadd(STREAM, {FIELD: event.to_json()})
            pipeline.execute()


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
    except (RedisError, OSError) as error:
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
