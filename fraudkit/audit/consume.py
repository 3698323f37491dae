"""From the stream to the archive: what was archived is taken off the stream, and nothing before that.

A consumer that dies leaves its events to the others; some are archived twice then, and read once.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from redis.exceptions import ResponseError

from fraudkit.audit.archive import Archive
from fraudkit.core.decision_event import event_from_json
from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.event_stream import AWAY, FIELD, STREAM, kafka_address, stream_client

GROUP = "archive"
AT_ONCE = 1_000
ABANDONED_MS = 5_000  # events that another consumer took this long ago and did not archive


class StreamConsumer:
    """One consumer of the Valkey stream; several share the work.

    Raises
    ------
    StoreUnavailable
        The URL is a cluster's that does not answer.
    """

    def __init__(self, url: str, archive: Archive, name: str | None = None) -> None:
        self._client = stream_client(url, socket_timeout=10.0)
        self._archive = archive
        self._name = name or f"consumer-{os.getpid()}"

    def step(self, wait_ms: int = 0) -> int:
        """Archive the next events, waiting for some up to `wait_ms`; how many there were.

        Raises
        ------
        StoreUnavailable
            The server does not answer.
        CorruptArtefact
            Something else than events is in the stream.
        """
        try:
            found = self._abandoned() or self._new(wait_ms)
            if found:
                self._archive.add([event_from_json(fields[FIELD]) for _, fields in found])
                ids = [entry for entry, _ in found]
                pipeline = self._client.pipeline(transaction=True)
                pipeline.xack(STREAM, GROUP, *ids)
                pipeline.xdel(STREAM, *ids)
                pipeline.execute()
        except AWAY as error:
            raise StoreUnavailable(f"stream {STREAM} failed: {error}; is the service running?") from error
        return len(found)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _abandoned(self) -> list[Any]:
        self._make_group()
        reply: Any = self._client.xautoclaim(STREAM, GROUP, self._name, ABANDONED_MS, count=AT_ONCE)
        return list(reply[1])

    def _new(self, wait_ms: int) -> list[Any]:
        reply: Any = self._client.xreadgroup(GROUP, self._name, {STREAM: ">"}, AT_ONCE, block=wait_ms or None)
        return list(reply[0][1]) if reply else []

    def _make_group(self) -> None:
        with suppress(ResponseError):  # it is there already
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)


class KafkaConsumer:
    """One consumer of a topic; several in the same group share its partitions."""

    def __init__(self, setting: str, archive: Archive) -> None:
        from confluent_kafka import Consumer

        servers, topic = kafka_address(setting)
        self._archive = archive
        self._consumer = Consumer({
            "bootstrap.servers": servers, "group.id": GROUP, "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        })  # fmt: skip
        self._consumer.subscribe([topic])

    def step(self, wait_ms: int = 0) -> int:
        """Archive the next events, waiting for some up to `wait_ms`; how many there were.

        Raises
        ------
        StoreUnavailable
            The broker does not answer.
        CorruptArtefact
            Something else than events is in the topic.
        """
        messages = self._consumer.consume(AT_ONCE, timeout=max(wait_ms / 1000, 0.01))
        for message in messages:
            if message.error():
                raise StoreUnavailable(f"the topic failed: {message.error()}; is the broker running?")
        if messages:
            self._archive.add([event_from_json(message.value()) for message in messages])
            self._consumer.commit(asynchronous=False)
        return len(messages)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
