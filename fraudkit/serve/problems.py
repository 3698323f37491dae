"""What is said to a client whose request cannot be accepted: the field, the problem, the remedy.

Nothing that was sent is repeated: a value, or even the name of an unknown field, may be a card number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

MAX_PROBLEMS = 20

Problem = dict[str, str]

_PLAIN_NAME = re.compile(r"[A-Za-z_]{1,40}")

_ID_REMEDY = "send 1 to 64 of A-Z a-z 0-9 . _ : @ + = ~ -, beginning with a letter or digit"

# Field -> what a right value looks like. Errors of type, range and form all end with it.
REMEDIES = {
    "transaction_id": _ID_REMEDY,
    "user_id": _ID_REMEDY,
    "merchant_id": _ID_REMEDY,
    "device.device_id": _ID_REMEDY + ", or leave it out",
    "amount": "send a JSON number of at least 0.001 and at most 1,000,000 US dollars' worth",
    "currency": "send an ISO 4217 code such as USD",
    "known_at": "send ISO 8601 date and time such as 2025-10-01T12:30:00Z, from 1990 to now, or leave it out",
    "timestamp": "send ISO 8601 date and time such as 2025-10-01T12:30:00Z, from 1990 to now",
    "merchant_category": "send the four digits of an ISO 18245 merchant category code as a string",
    "location": 'send an object such as {"country": "US", "latitude": 40.7, "longitude": -74.0}',
    "location.country": "send an ISO 3166 alpha-2 code such as US",
    "location.latitude": "send a JSON number from -90 to 90 together with longitude, or leave both out",
    "location.longitude": "send a JSON number from -180 to 180 together with latitude, or leave both out",
    "device": "send an object; {} where no device was seen",
    "device.device_type": "send one of unknown, mobile, desktop, tablet, terminal",
    "device.ip_address": "send an IPv4 or IPv6 address, or leave it out",
    "card_present": "send true or false",
    "online_transaction": "send true or false, or leave it out",
    "card_token": "send a string of at most 128 characters, or leave it out",
    "is_fraud": "send true or false",
    "source": "send one of manual_review, chargeback, user_report",
    "note": "send a string of at most 500 characters, or leave it out",
    "state": "send open, free, mine or closed, or leave it out",
    "min_loss": "send US dollars, at least 0, or leave it out",
    "limit": "send a number from 1 to 200, or leave it out",
    "after": "send what `next` of the page before said, or leave it out",
    "transactions": "send an array of 1 to 1,000 transactions",
    "body": "send one JSON object as described at /docs",
}

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this request",
    "finite_number": "is not a finite number",
    "string_unicode": "is not valid Unicode text",
    "string_pattern_mismatch": "does not have the right form",
    "string_type": "is not a string",
    "float_type": "is not a number",
    "bool_type": "is not true or false",
    "literal_error": "is not one of the known values",
    "model_type": "is not an object",
    "list_type": "is not an array",
    "too_short": "is empty",
    "too_long": "has too many items",
}
_LIMITS = {
    "greater_than_equal": ("is below {}", "ge"),
    "less_than_equal": ("is above {}", "le"),
    "string_too_long": ("is longer than {} characters", "max_length"),
}


class Refused(Exception):
    """A request that is answered with a 4xx or 503: the status and the problems told."""

    def __init__(self, status: int, problems: list[Problem], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problems[0]["problem"])
        self.status = status
        self.problems = problems
        self.headers = dict(headers or {})


def problem(field: str, what: str, remedy: str | None = None) -> Problem:
    """One problem; without `remedy` the field's own is used."""
    return {"field": field, "problem": what, "remedy": remedy or REMEDIES.get(field, REMEDIES["body"])}


def refuse(status: int, field: str, what: str, remedy: str | None = None, **headers: str) -> Refused:
    """The exception for a single problem."""
    return Refused(status, [problem(field, what, remedy)], {k.replace("_", "-"): v for k, v in headers.items()})


def field_name(location: tuple[str | int, ...]) -> str:
    """Dotted name of a field; array positions are left out, names that may be data are masked."""
    parts = [part if _PLAIN_NAME.fullmatch(part) else "(unreadable name)" for part in location if isinstance(part, str)]
    return ".".join(parts) or "body"


def from_validation(error: ValidationError) -> list[Problem]:
    """The problems of a pydantic error, at most MAX_PROBLEMS, without the values sent."""
    details = error.errors(include_url=False, include_input=False, include_context=True)
    return [_from_detail(detail) for detail in details[:MAX_PROBLEMS]]


def _from_detail(detail: Any) -> Problem:
    kind, field = detail["type"], field_name(detail["loc"])
    if kind == "extra_forbidden":
        return problem(field, _WORDS[kind], "leave it out; /docs lists the fields")
    if kind in _LIMITS:
        form, key = _LIMITS[kind]
        return problem(field, form.format(detail["ctx"][key]))
    return problem(field, _WORDS.get(kind, "cannot be read"))
