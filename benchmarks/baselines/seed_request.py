"""The request body of the specification, as it stands there. Fields that it does not name are ignored."""

from __future__ import annotations

from pydantic import BaseModel


class Transaction(BaseModel):
    """One transaction to score."""

    transaction_id: str
    user_id: str
    amount: float
    merchant_id: str
    timestamp: str
    location: dict
    device: dict
