"""From a parsed request to a core transaction: the checks that need the clock, rates or several fields.

The payload's digest is taken over the normalised fields, so that key order, white space and the
way a number or time is written do not make a retry look like another transaction. The card token
ends here: at most a reference to the card goes on (fraudkit.serve.card_reference). Neither is part of
the digest: one over a card number can be searched by trying all, and a reference changes with its key.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from pydantic import ValidationError

from fraudkit.core.cards import holds_card_number
from fraudkit.core.clock import DAY_S, HOUR_S, to_epoch_ms
from fraudkit.core.money import countries, currencies
from fraudkit.core.transaction import Transaction
from fraudkit.serve.card_reference import References
from fraudkit.serve.contracts import ScoreRequest
from fraudkit.serve.problems import Problem, Refused, from_validation, problem

MAX_AMOUNT_USD = 1_000_000.0
EARLIEST_MS = 631_152_000_000  # 1990-01-01
CLOCK_SKEW_MS = HOUR_S * 1000 // 12  # five minutes

_validate = ScoreRequest.__pydantic_validator__.validate_python


@dataclass(frozen=True, slots=True)
class Intake:
    """A transaction that passed every check, its worth in US dollars, and the digest of its content."""

    transaction: Transaction
    amount_usd: float
    payload_digest: bytes


def take_in(parsed: Any, now_ms: int, references: References | None = None, accepted_days: int | None = None) -> Intake:
    """Check one parsed request and turn it into a transaction known at `now_ms`; without `references` to no card.

    With `accepted_days`, a payment of longer ago is refused: its decision may have been made and removed since.

    Raises
    ------
    Refused
        422 with every problem found.
    """
    try:
        request: ScoreRequest = _validate(parsed)
    except ValidationError as error:
        raise Refused(422, from_validation(error)) from None
    problems: list[Problem] = []
    event_time_ms = moment_ms("timestamp", request.timestamp, now_ms, problems)
    if not problems and accepted_days is not None and event_time_ms < now_ms - accepted_days * DAY_S * 1000:
        remedy = "send a payment within that time; `GET /decisions/{transaction_id}` tells what was decided before"
        problems.append(problem("timestamp", f"is more than {accepted_days} days in the past", remedy))
    amount_usd = _amount_usd(request, problems)
    latitude, longitude = _place(request, problems)
    ip_address = _ip_address(request.device.ip_address, problems)
    _refuse_card_numbers(request, problems)
    if problems:
        raise Refused(422, problems)
    online = request.online_transaction
    transaction = Transaction(
        transaction_id=request.transaction_id,
        user_id=request.user_id,
        event_time_ms=event_time_ms,
        known_at_ms=now_ms,
        amount=request.amount,
        currency=request.currency,
        merchant_id=request.merchant_id,
        merchant_category=request.merchant_category,
        country=request.location.country,
        latitude=latitude,
        longitude=longitude,
        card_present=request.card_present,
        online_transaction=not request.card_present if online is None else online,
        device_id=request.device.device_id,
        device_type=request.device.device_type,
        ip_address=ip_address,
        card_ref=None if references is None or request.card_token is None else references(request.card_token),
    )
    return Intake(transaction, amount_usd, payload_digest(transaction))


def payload_digest(transaction: Transaction) -> bytes:
    """16 bytes that change when any field the client sent changes; the arrival time is not one."""
    t = transaction
    fields = (
        t.transaction_id, t.user_id, t.event_time_ms, t.amount, t.currency, t.merchant_id, t.merchant_category,
        t.country, t.latitude, t.longitude, t.card_present, t.online_transaction, t.device_id, t.device_type,
        t.ip_address,
    )  # fmt: skip
    return blake2b(repr(fields).encode(), digest_size=16).digest()


def moment_ms(field: str, text: str, now_ms: int, problems: list[Problem]) -> int:
    """A moment in the past, in milliseconds since the epoch; adds to `problems` where it is none."""
    try:
        if len(text) < 16:  # a date alone does not say when
            raise ValueError
        moment = to_epoch_ms(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        problems.append(problem(field, "is not an ISO 8601 date and time"))
        return 0
    if moment < EARLIEST_MS:
        problems.append(problem(field, "is before 1990"))
    elif moment > now_ms + CLOCK_SKEW_MS:
        problems.append(problem(field, "is more than five minutes in the future"))
    return moment


def _amount_usd(request: ScoreRequest, problems: list[Problem]) -> float:
    rate = currencies().get(request.currency)
    if rate is None:
        known = ", ".join(sorted(currencies()))
        problems.append(problem("currency", "is not a known currency", f"send one of {known}"))
        return 0.0
    amount_usd = request.amount * rate
    if amount_usd > MAX_AMOUNT_USD:
        problems.append(problem("amount", "is worth more than 1,000,000 US dollars"))
    return amount_usd


def _place(request: ScoreRequest, problems: list[Problem]) -> tuple[float, float]:
    location = request.location
    country = countries().get(location.country)
    if country is None:
        known = ", ".join(sorted(countries()))
        problems.append(problem("location.country", "is not a known country", f"send one of {known}"))
        return 0.0, 0.0
    if location.latitude is None and location.longitude is None:
        return country.latitude, country.longitude
    if location.latitude is None or location.longitude is None:
        absent = "latitude" if location.latitude is None else "longitude"
        problems.append(problem(f"location.{absent}", "is missing while its partner is there"))
        return 0.0, 0.0
    return float(location.latitude), float(location.longitude)


def _ip_address(text: str | None, problems: list[Problem]) -> str | None:
    if text is None:
        return None
    try:
        if "%" in text:  # a zone names an interface of one machine
            raise ValueError
        return str(ipaddress.ip_address(text))
    except ValueError:
        problems.append(problem("device.ip_address", "is not an IP address"))
        return None


def _refuse_card_numbers(request: ScoreRequest, problems: list[Problem]) -> None:
    problems += card_number_problems("transaction_id", request.transaction_id)
    problems += card_number_problems("user_id", request.user_id)
    problems += card_number_problems("merchant_id", request.merchant_id)
    problems += card_number_problems("device.device_id", request.device.device_id)


def card_number_problems(field: str, text: str | None) -> list[Problem]:
    """The problem of a field that looks like a card number; empty for any other text."""
    if text is None or not holds_card_number(text):
        return []
    remedy = "send an internal id; only card_token may hold such a string, and a token is better there too"
    return [problem(field, "looks like a card number", remedy)]
