"""What clients send and receive, as pydantic models: types, ranges and examples.

Shapes and types only. What needs the clock, the exchange rates or a look at all fields together
is in fraudkit.serve.intake. Unknown fields are refused, because a misspelt optional field would
otherwise be scored as missing without anyone noticing.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

MAX_BATCH = 1_000

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@+=~-]{0,63}$")]
Action = Literal["DECLINE", "REVIEW", "APPROVE", "APPROVE_FALLBACK"]
FeedbackSource = Literal["manual_review", "chargeback", "user_report"]

EXAMPLE_REQUEST: JsonDict = {
    "transaction_id": "txn-2041",
    "user_id": "user-17",
    "amount": 42.5,
    "currency": "USD",
    "merchant_id": "merchant-8",
    "merchant_category": "5411",
    "timestamp": "2025-10-01T12:30:00Z",
    "location": {"country": "US", "latitude": 40.71, "longitude": -74.0},
    "device": {"device_id": "device-3", "device_type": "mobile", "ip_address": "203.0.113.7"},
    "card_present": False,
    "online_transaction": True,
}

EXAMPLE_REPLY: JsonDict = {
    "transaction_id": "txn-2041",
    "decision": "REVIEW",
    "fraud_score": 0.71,
    "fraud_probability": 0.38,
    "explanation": [
        {
            "feature": "user_txn_count_1h",
            "value": 9.0,
            "log_odds": 1.4,
            "words": "9 transactions of this user in the last hour",
        }
    ],
    "reason": None,
    "rules": [],
    "degraded": [],
    "new_customer": False,
    "model_version": "v0001",
    "policy_digest": "3f6c0a1b",
    "rules_digest": "9a41c2d0",
    "latency_ms": 4.2,
}


class Location(BaseModel):
    """Where the transaction took place."""

    model_config = STRICT

    country: Annotated[str, Field(description="ISO 3166 alpha-2 code, two capital letters")]
    latitude: Annotated[
        float | None, Field(ge=-90, le=90, description="Degrees; without it the country's centre is used")
    ] = None
    longitude: Annotated[
        float | None, Field(ge=-180, le=180, description="Degrees; send latitude and longitude together")
    ] = None


class Device(BaseModel):
    """What was seen of the device; empty for a plain terminal."""

    model_config = STRICT

    device_id: Identifier | None = None
    device_type: Literal["unknown", "mobile", "desktop", "tablet", "terminal"] = "unknown"
    ip_address: Annotated[str | None, Field(max_length=45, description="IPv4 or IPv6")] = None


class ScoreRequest(BaseModel):
    """One card transaction to score."""

    model_config = ConfigDict(**STRICT, json_schema_extra={"examples": [EXAMPLE_REQUEST]})

    transaction_id: Annotated[
        Identifier, Field(description="Chosen by the client. Sent again with the same content, it gets the same reply.")
    ]
    user_id: Identifier
    amount: Annotated[
        float, Field(ge=0.001, description="In `currency`; more than zero, at most 1,000,000 US dollars' worth")
    ]
    merchant_id: Identifier
    timestamp: Annotated[
        str,
        Field(max_length=40, description="ISO 8601 date and time; read as UTC where it has no zone"),
    ]
    location: Location
    device: Device
    currency: Annotated[str, Field(description="ISO 4217 code")] = "USD"
    merchant_category: Annotated[str, Field(pattern=r"^[0-9]{4}$", description="ISO 18245 merchant category code")] = (
        "0000"
    )
    card_present: bool = False
    online_transaction: Annotated[bool | None, Field(description="Default: true where the card was not present")] = None
    card_token: Annotated[
        str | None,
        Field(
            max_length=128,
            description="The only field that may hold something like a card number. Never stored or logged; with a "
            "key set, the service keeps an HMAC-SHA-256 of it as a reference to the card. It is no part of what a "
            "repeated transaction_id is compared by.",
        ),
    ] = None


class BatchRequest(BaseModel):
    """Several transactions, scored in the order given."""

    model_config = STRICT

    transactions: Annotated[list[ScoreRequest], Field(min_length=1, max_length=MAX_BATCH)]


class Rule(BaseModel):
    """A rule that fired."""

    rule_id: str
    reason: str
    confidence: Annotated[float, Field(ge=0, le=1)]


class Driver(BaseModel):
    """One feature's share of the score."""

    feature: str
    value: Annotated[float | None, Field(description="Null where the feature was missing")]
    log_odds: Annotated[float, Field(description="Above zero: towards fraud")]
    words: str


class ScoreReply(BaseModel):
    """The decision on one transaction."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_REPLY]}, protected_namespaces=())

    transaction_id: str
    decision: Action
    fraud_score: Annotated[
        float | None, Field(ge=0, le=1, description="Ensemble score, or the confidence of the rule that decided")
    ]
    fraud_probability: Annotated[float | None, Field(ge=0, le=1, description="Calibrated probability of fraud")]
    explanation: Annotated[list[Driver], Field(description="What drove the score, strongest first; REVIEW and DECLINE")]
    reason: Annotated[str | None, Field(description="Why, in words, where a rule or a missing part decided")]
    rules: list[Rule]
    degraded: Annotated[list[str], Field(description="Parts that did not take part; GET /metrics lists them all")]
    new_customer: Annotated[
        bool, Field(description="The card holder is new, so that review begins at a lower score")
    ] = False
    explored: Annotated[bool, Field(description="A draw let it pass; without exploration it would be declined")] = False
    propensity: Annotated[
        float,
        Field(gt=0, le=1, description="Probability with which this decision was taken; 1 where nothing was drawn"),
    ] = 1.0
    model_version: str
    policy_digest: str
    rules_digest: str
    latency_ms: float


class Problem(BaseModel):
    """One thing wrong with a request."""

    field: str
    problem: str
    remedy: str


class ProblemReply(BaseModel):
    """The body of every 4xx and 503 reply. It never repeats what was sent."""

    detail: list[Problem]


class BatchItem(BaseModel):
    """The result of one transaction of a batch: `reply` where status is 200, `detail` otherwise."""

    status: int
    reply: ScoreReply | None = None
    detail: list[Problem] | None = None


class BatchReply(BaseModel):
    """Results in the order of the request."""

    results: list[BatchItem]


class FeedbackRequest(BaseModel):
    """A word on whether a transaction was fraud."""

    model_config = ConfigDict(
        **STRICT,
        json_schema_extra={
            "examples": [{"transaction_id": "txn-2041", "is_fraud": True, "source": "chargeback"}],
        },
    )

    transaction_id: Identifier
    is_fraud: bool
    source: FeedbackSource
    known_at: Annotated[
        str | None,
        Field(
            max_length=40,
            description="When the bank heard it, ISO 8601; read as UTC where it has no zone. Default: now. Words that "
            "carry it come to the same verdict in whatever order they arrive.",
        ),
    ] = None


class FeedbackReply(BaseModel):
    """Feedback is kept, also for transactions this service has not scored."""

    status: Literal["feedback_received"] = "feedback_received"
    known_transaction: bool
    repeated: Annotated[bool, Field(description="The same word of the same source stood already")]


class FeedbackWord(BaseModel):
    """One kept word of feedback."""

    source: FeedbackSource
    is_fraud: bool
    received_at: str
    known_at: Annotated[str, Field(description="When the bank heard it")]
    author: Annotated[str, Field(description="Who said it, where a person did")] = ""
    note: str = ""


class DecisionReply(BaseModel):
    """A stored decision and the feedback on it."""

    decided_at: str
    reply: ScoreReply
    feedback: list[FeedbackWord]
    verdict: Annotated[
        FeedbackWord | None, Field(description="The word that stands: chargeback before review before user's report")
    ] = None


class StatusReply(BaseModel):
    """Whether the service is alive or ready, part by part."""

    status: Literal["ok", "unavailable"]
    parts: dict[str, str] = {}
