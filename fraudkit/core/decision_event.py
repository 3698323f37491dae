"""The decision event: one decision as it leaves the service, whole enough to be made again.

Events form a chain: each carries a hash over itself and the hash before it, so that an event that was
changed, left out or put elsewhere is found by whoever holds the ones around it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import orjson

from fraudkit.core.errors import CorruptArtefact

GENESIS = "0" * 64  # what stands before the first event
_BYTES = ("payload_digest", "reply", "vector", "transaction_json")


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """A decision with everything that made it.

    Attributes
    ----------
    position : of the decision in its database, rising
    decided_at_ms : UTC epoch
    reply, transaction_json : JSON as sent, and as taken in; neither holds a card token, the second at most a reference
    vector : float32, little endian, catalog order
    degraded : parts that were missing, comma-separated
    model_version … code_digest : what decided
    chain : hash over the event before this one and this one
    """

    position: int
    transaction_id: str
    payload_digest: bytes
    decided_at_ms: int
    action: str
    fraud_score: float | None
    reply: bytes
    vector: bytes
    transaction_json: bytes
    degraded: str
    model_version: str
    model_digest: str
    rules_digest: str
    policy_digest: str
    schema_hash: str
    code_digest: str
    chain: str = ""

    def linked(self, before: str) -> DecisionEvent:
        """This event as the one that follows an event with the hash `before`."""
        values = [getattr(self, name) for name in _NAMES if name != "chain"]
        return replace(self, chain=hashlib.sha256(before.encode() + repr(values).encode()).hexdigest())

    def to_json(self) -> bytes:
        """As bytes for a stream."""
        content = {name: getattr(self, name) for name in _NAMES}
        return orjson.dumps(content | {name: base64.b64encode(content[name]).decode() for name in _BYTES})


_NAMES = tuple(field.name for field in fields(DecisionEvent))


def event_from_json(data: bytes) -> DecisionEvent:
    """Read an event.

    Raises
    ------
    CorruptArtefact
        It is not one.
    """
    try:
        content: dict[str, Any] = orjson.loads(data)
        return DecisionEvent(**content | {name: base64.b64decode(content[name]) for name in _BYTES})
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptArtefact(
            f"a message is no decision event ({error}); see what else writes to the stream"
        ) from error


def broken_links(events: Iterable[DecisionEvent], before: str = GENESIS) -> list[int]:
    """Positions of the events, given in order, whose hash does not follow from themselves and the event before."""
    broken = []
    for event in events:
        if event.linked(before).chain != event.chain:
            broken.append(event.position)
        before = event.chain
    return broken
