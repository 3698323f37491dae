"""What the decision database keeps, row by row. Knows nothing of databases."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision was made with: version and digests of everything that shaped it."""

    model_version: str
    model_digest: str
    rules_digest: str
    policy_digest: str
    schema_hash: str
    code_digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """One decision as stored; `reply` is the JSON that was sent, `vector` float32 bytes, `degraded` names parts.

    `expected_loss` is in US dollars; the review queue is ordered by it.
    """

    transaction_id: str
    payload_digest: bytes
    decided_at_ms: int
    action: str
    fraud_score: float | None
    reply: bytes
    vector: bytes
    transaction_json: bytes
    degraded: str
    to_rescore: bool
    context_id: int
    user_id: str = ""
    expected_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Rescored:
    """A decision made once more after a part that had been missing was back."""

    transaction_id: str
    rescored_at_ms: int
    action: str
    fraud_score: float | None
    vector: bytes
    context_id: int
    expected_loss: float = 0.0


@dataclass(frozen=True, slots=True)
class Word:
    """One kept word of feedback.

    Attributes
    ----------
    known_at_ms : when the bank heard it, which may be long before the service did
    author : who said it, where a person did; empty otherwise
    """

    source: str
    is_fraud: bool
    received_at_ms: int
    known_at_ms: int
    author: str = ""
    note: str = ""
