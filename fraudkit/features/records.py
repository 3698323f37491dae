"""Packed binary records: what the store keeps and the kernel reads.

A user's history is at most 64 events of 32 bytes, 2 KB; a device's 16 and an address's 32 events of
16 bytes. Identifiers become 32-bit hashes (CRC-32 of the UTF-8 text, 0 for missing), which is enough
to tell a handful of merchants or devices apart and keeps card data out of the feature store. Places
are kept to 0.01 degree (about a kilometre), times to the second.

`encode` packs single transactions without pandas; `fraudkit.features.tables` packs whole tables to the
same bytes. This module knows nothing of windows or of the store.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.core.money import countries, currencies
from fraudkit.core.transaction import DEVICE_TYPES, Transaction, UserProfile

USER_EVENTS, DEVICE_EVENTS, IP_EVENTS = 64, 16, 32  # most events remembered, the present one among them

CARD_PRESENT, ONLINE = 1, 2  # bits of `flags`
NO_PLACE = -32_768  # latitude of an event without a place
NO_REPUTATION = -1.0
AMOUNT_LIMIT = 1e12  # US dollars; far above any payment, well inside float32

_EVENT_FIELDS = [
    ("event_time", "<u4"),  # seconds since 1970
    ("transaction", "<u4"),  # hash, so that a retry is recognised
    ("amount_usd", "<f4"),
    ("merchant", "<u4"),  # hash
    ("device", "<u4"),  # hash
    ("ip", "<u4"),  # hash
    ("latitude", "<i2"),  # 0.01 degree
    ("longitude", "<i2"),
    ("category", "<u2"),
    ("country", "u1"),  # position in fraudkit.core.money.countries(), 0 unknown
    ("flags", "u1"),
]
# One event of a user's history, 32 bytes.
USER_EVENT = np.dtype(_EVENT_FIELDS)
# One event of a device's or an address's history, 16 bytes; the first two fields stand as in USER_EVENT.
SHARED_EVENT = np.dtype([("event_time", "<u4"), ("transaction", "<u4"), ("user", "<u4"), ("amount_usd", "<f4")])
# A whole transaction as the kernel takes it, 64 bytes; the first 32 are its USER_EVENT.
TRANSACTION = np.dtype(
    [
        *_EVENT_FIELDS,
        ("known_at", "<u4"),  # seconds since 1970
        ("user", "<u4"),  # hash
        ("amount", "<f8"),  # as billed
        ("exact_latitude", "<f4"),  # degrees, 0 without a place
        ("exact_longitude", "<f4"),
        ("ip_reputation", "<f4"),  # 0..1 or NO_REPUTATION
        ("currency", "u1"),  # position in currencies(), 0 unknown
        ("device_type", "u1"),  # position in DEVICE_TYPES
        ("high_risk", "u1"),  # the country is on the high-risk list
        ("spare", "u1"),
    ]
)
# What the nightly user database knows, 12 bytes. All zero: unknown.
PROFILE = np.dtype(
    [
        ("opened", "<u4"),  # seconds since 1970
        ("latitude", "<i2"),  # 0.01 degree
        ("longitude", "<i2"),
        ("country", "u1"),
        ("currency", "u1"),
        ("known", "u1"),
        ("spare", "u1"),
    ]
)
# Counts of one merchant, category or country as of a midnight, 44 bytes.
TILE = np.dtype(
    [
        ("day", "<i4"),  # days since 1970 of the midnight at which it was taken
        ("count", "<i4", (4,)),  # transactions that arrived in the last 1, 7, 30, 90 days
        ("fraud", "<i4", (4,)),  # frauds whose label arrived in them, reversals taken off
        ("cents_30d", "<i8"),  # spend of 30 days in US cents
    ]
)

_TRANSACTION_STRUCT = struct.Struct("<IIfIIIhhHBBIIdfffBBBx")
_SHARED_STRUCT = struct.Struct("<IIIf")


def text_hash(text: str | None) -> int:
    """Stable 32-bit hash of an identifier; 0 stands for missing only.

    >>> text_hash("merchant-1") == text_hash("merchant-1") and text_hash(None) == 0
    True
    """
    return (zlib.crc32(text.encode()) or 1) if text else 0


def category_number(code: str | None) -> int:
    """A category code as 16 bits: four digits are themselves, other text is hashed into 10001..65535.

    >>> category_number("5411")
    5411
    """
    if not code:
        return 0
    if len(code) == 4 and code.isascii() and code.isdigit():
        return int(code)
    return 10_001 + zlib.crc32(code.encode()) % 55_535


@lru_cache(maxsize=1)
def currency_positions() -> dict[str, int]:
    """Position of each currency, from 1."""
    return {code: position for position, code in enumerate(currencies(), start=1)}


@lru_cache(maxsize=1)
def _country_positions() -> dict[str, tuple[int, int]]:
    return {code: (country.index, int(country.high_risk)) for code, country in countries().items()}


def _usd_rate(currency: str) -> float:
    rate = currencies().get(currency)
    if rate is None:
        raise InvalidInput(f"currency {currency!r} is unknown; use one of {', '.join(sorted(currencies()))}")
    return rate


def encode(transactions: Sequence[Transaction]) -> np.ndarray:
    """Pack transactions for the kernel and the store.

    Returns
    -------
    TRANSACTION records of shape (n,)

    Raises
    ------
    InvalidInput
        A currency is unknown.
    """
    return np.frombuffer(b"".join(map(_pack, transactions)), dtype=TRANSACTION)


def _pack(txn: Transaction) -> bytes:
    latitude, longitude = txn.latitude, txn.longitude
    placed = math.isfinite(latitude) and math.isfinite(longitude)
    country, high_risk = _country_positions().get(txn.country, (0, 0))
    reputation = txn.ip_reputation
    return _TRANSACTION_STRUCT.pack(
        max(txn.event_time_ms // 1000, 0),
        text_hash(txn.transaction_id),
        min(txn.amount * _usd_rate(txn.currency), AMOUNT_LIMIT),
        text_hash(txn.merchant_id),
        text_hash(txn.device_id),
        text_hash(txn.ip_address),
        round(latitude * 100) if placed else NO_PLACE,
        round(longitude * 100) if placed else 0,
        category_number(txn.merchant_category),
        country,
        CARD_PRESENT * txn.card_present + ONLINE * txn.online_transaction,
        max(txn.known_at_ms // 1000, 0),
        text_hash(txn.user_id),
        txn.amount,
        latitude if placed else 0.0,
        longitude if placed else 0.0,
        reputation if math.isfinite(reputation) else NO_REPUTATION,
        currency_positions()[txn.currency],
        DEVICE_TYPES.index(txn.device_type) if txn.device_type in DEVICE_TYPES else 0,
        high_risk,
    )


def shared_events(records: np.ndarray) -> np.ndarray:
    """The SHARED_EVENT records, shape (n,), that TRANSACTION records leave on their device and address."""
    out = np.empty(len(records), dtype=SHARED_EVENT)
    for name in SHARED_EVENT.names or ():
        out[name] = records[name]
    return out


def user_events(records: np.ndarray) -> np.ndarray:
    """The USER_EVENT records, shape (n,), that TRANSACTION records leave in their users' histories."""
    halves = records.view(np.dtype((np.void, USER_EVENT.itemsize))).reshape(-1, 2)
    return np.ascontiguousarray(halves[:, 0]).view(USER_EVENT)


def encode_profiles(profiles: Iterable[UserProfile]) -> np.ndarray:
    """Pack profiles: PROFILE records of shape (n,), in order."""
    rows = []
    for profile in profiles:
        placed = math.isfinite(profile.home_latitude) and math.isfinite(profile.home_longitude)
        rows.append((
            max(profile.account_opened_ms // 1000, 0),
            round(profile.home_latitude * 100) if placed else NO_PLACE,
            round(profile.home_longitude * 100) if placed else 0,
            _country_positions().get(profile.home_country, (0, 0))[0],
            currency_positions().get(profile.home_currency, 0),
            1,
            0,
        ))  # fmt: skip
    return np.array(rows, dtype=PROFILE)
