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


@dataclass(frozen=True, slots=True)
class Case:
    """A payment that an analyst is to look at, or was.

    Attributes
    ----------
    action, expected_loss : of the latest decision on it; US dollars
    state : open, or what closed it: fraud, legitimate, chargeback, expired
    claimed_by : who has it, or had it last; empty where nobody did
    claimed_until_ms : from when on another analyst may take it
    """

    transaction_id: str
    action: str
    expected_loss: float
    queued_at_ms: int
    state: str
    closed_by: str
    closed_at_ms: int
    claimed_by: str
    claimed_until_ms: int

    def holder(self, now_ms: int) -> str:
        """Who has it now; empty where it is free or closed."""
        return self.claimed_by if self.state == "open" and self.claimed_until_ms > now_ms else ""


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """What happened to a case: claimed, released, or what closed it; `analyst` is empty where nobody did it."""

    at_ms: int
    analyst: str
    event: str
    note: str
