"""What analysts' programs send and receive, as pydantic models; see fraudkit.serve.contracts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from fraudkit.serve.contracts import STRICT, Action, FeedbackWord, Identifier, ProblemReply, ScoreReply

MAX_PAGE = 200
MAX_NOTE = 500

State = Literal["open", "fraud", "legitimate", "chargeback", "expired"]


class ReviewQuery(BaseModel):
    """Which cases are wanted, and how many."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    state: Annotated[
        Literal["open", "free", "mine", "closed"],
        Field(description="Open cases, those of them that nobody has or that the caller has, or closed ones"),
    ] = "open"
    user_id: Annotated[Identifier | None, Field(description="Of one card holder")] = None
    min_loss: Annotated[float, Field(ge=0, description="Expected loss in US dollars, at least")] = 0.0
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    after: Annotated[str | None, Field(max_length=200, description="`next` of the page before")] = None


class DecideRequest(BaseModel):
    """What an analyst found."""

    model_config = ConfigDict(
        **STRICT, json_schema_extra={"examples": [{"is_fraud": True, "note": "Card was stolen."}]}
    )

    is_fraud: bool
    note: Annotated[str, Field(max_length=MAX_NOTE, description="For whoever looks later; no card numbers")] = ""


class CaseReply(BaseModel):
    """A payment to look at. What was paid is null where it was not kept."""

    transaction_id: str
    user_id: str
    action: Annotated[Action, Field(description="Of the latest decision on it")]
    fraud_score: float | None
    fraud_probability: float | None
    expected_loss: Annotated[float, Field(description="US dollars: probability of fraud times amount")]
    amount: float | None
    currency: str | None
    merchant_id: str | None
    merchant_category: str | None
    country: str | None
    paid_at: str | None
    why: Annotated[str, Field(description="The reason, or what raised the score most")]
    queued_at: str
    state: State
    closed_by: Annotated[str | None, Field(description="The analyst; null where no analyst closed it")]
    closed_at: str | None
    claimed_by: Annotated[str | None, Field(description="Who has it now")]
    claimed_until: str | None


class ReviewPage(BaseModel):
    """Cases, highest expected loss first."""

    analyst: Annotated[str, Field(description="Whom this service takes the caller for")]
    open: Annotated[int, Field(description="Open cases in all")]
    cases: list[CaseReply]
    next: Annotated[str | None, Field(description="Send it as `after` for the next page; null on the last")]


class Payment(BaseModel):
    """The payment as it was taken in."""

    amount: float
    currency: str
    merchant_id: str
    merchant_category: str
    country: str
    latitude: float
    longitude: float
    card_present: bool
    online_transaction: bool
    device_id: str | None
    device_type: str
    ip_address: str | None
    card_ref: Annotated[
        str | None, Field(description="The same for the same card; null without a token, or without a key for them")
    ] = None
    paid_at: str


class PastPayment(BaseModel):
    """An earlier or later payment of the same card holder."""

    transaction_id: str
    paid_at: str
    amount: float
    currency: str
    merchant_id: str
    merchant_category: str
    country: str
    card_present: bool
    card_ref: str | None = None
    action: Action
    fraud_score: float | None
    is_fraud: Annotated[bool | None, Field(description="The verdict that stands; null where nobody said anything")]


class CaseStep(BaseModel):
    """What happened to a case."""

    at: str
    analyst: Annotated[str | None, Field(description="Null where no analyst did it")]
    event: Literal["claimed", "released", "fraud", "legitimate", "chargeback", "expired"]
    note: str


class ReviewReply(BaseModel):
    """Everything that helps to decide a case."""

    case: CaseReply
    reply: Annotated[ScoreReply, Field(description="What was decided, with reasons")]
    payment: Payment | None
    history: Annotated[list[PastPayment], Field(description="Of the same card holder, latest first")]
    steps: list[CaseStep]
    feedback: list[FeedbackWord]


class CaseStateReply(BaseModel):
    """A case after a claim or release."""

    case: CaseReply


class DecidedReply(BaseModel):
    """A case after it was decided."""

    case: CaseReply
    repeated: Annotated[bool, Field(description="The same analyst had said the same before")]


class TakenReply(ProblemReply):
    """Why not: somebody else has the case, or it is closed. `case` says who and until when."""

    case: CaseReply
