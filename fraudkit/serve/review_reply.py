"""From cases, decisions and words to the JSON that analysts get."""

from __future__ import annotations

from typing import Any

import orjson

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.transaction import Transaction
from fraudkit.serve.decisions import Case, CaseEvent, Record, Word
from fraudkit.serve.rescore import transaction_of
from fraudkit.serve.verdict import verdict

_SHOWN = ("amount", "currency", "merchant_id", "merchant_category", "country")
_PLACE_AND_DEVICE = (
    "latitude", "longitude", "card_present", "online_transaction", "device_id", "device_type", "ip_address", "card_ref",
)  # fmt: skip


def case_json(case: Case, record: Record, now_ms: int) -> dict[str, Any]:
    """A case in the list, as fraudkit.serve.review_contracts.CaseReply declares it."""
    reply = orjson.loads(record.reply)
    payment = _payment_of(record)
    return {
        "transaction_id": case.transaction_id,
        "user_id": record.user_id,
        "action": case.action,
        "fraud_score": record.fraud_score,
        "fraud_probability": reply.get("fraud_probability"),
        "expected_loss": case.expected_loss,
        **{name: getattr(payment, name, None) for name in _SHOWN},
        "paid_at": _moment(payment.event_time_ms) if payment else None,
        "why": _why(reply),
        "queued_at": _moment(case.queued_at_ms),
        "state": case.state,
        "closed_by": case.closed_by or None,
        "closed_at": _moment(case.closed_at_ms),
        "claimed_by": case.holder(now_ms) or None,
        "claimed_until": _moment(case.claimed_until_ms) if case.holder(now_ms) else None,
    }


def payment_json(record: Record) -> dict[str, Any] | None:
    """The payment itself; None where it was not kept."""
    payment = _payment_of(record)
    if payment is None:
        return None
    shown = {name: getattr(payment, name) for name in (*_SHOWN, *_PLACE_AND_DEVICE)}
    return shown | {"paid_at": _moment(payment.event_time_ms)}


def past_json(record: Record, words: list[Word]) -> dict[str, Any] | None:
    """A payment in the card holder's history; None where it was not kept."""
    payment = _payment_of(record)
    if payment is None:
        return None
    standing = verdict(words)
    return {
        "transaction_id": record.transaction_id,
        "paid_at": _moment(payment.event_time_ms),
        **{name: getattr(payment, name) for name in _SHOWN},
        "card_present": payment.card_present,
        "card_ref": payment.card_ref,
        "action": record.action,
        "fraud_score": record.fraud_score,
        "is_fraud": standing.is_fraud if standing else None,
    }


def step_json(event: CaseEvent) -> dict[str, Any]:
    """What happened to a case."""
    return {"at": _moment(event.at_ms), "analyst": event.analyst or None, "event": event.event, "note": event.note}


def _payment_of(record: Record) -> Transaction | None:
    return transaction_of(record.transaction_json) if record.transaction_json else None


def _why(reply: dict[str, Any]) -> str:
    """One line: the rule or missing part that decided, else what raised the score most, else a rule that hinted."""
    if reply.get("reason"):
        return str(reply["reason"])
    raising = [driver["words"] for driver in reply.get("explanation", ()) if driver["log_odds"] > 0]
    hints = [rule["reason"] for rule in reply.get("rules", ())]
    return str(next(iter([*raising, *hints]), "no reason was kept"))


def _moment(ms: int) -> str | None:
    return from_epoch_ms(ms).isoformat() if ms else None
