"""Whole tables to packed records: the same bytes as `fraudkit.features.records.encode`, a column at a time.

Identifiers that come as categories are hashed once a category; only transaction ids are hashed a
row, by a compiled CRC-32 over Arrow's string buffer. A column that the table lacks takes its
"missing" value, so that a table with only user, time and amount can be packed too.
"""

from __future__ import annotations

from collections.abc import Callable

import numba as nb
import numpy as np
import pandas as pd
import pyarrow as pa

from fraudkit.core.errors import InvalidInput
from fraudkit.core.money import countries, currencies
from fraudkit.core.transaction import DEVICE_TYPES
from fraudkit.features.records import (
    AMOUNT_LIMIT,
    CARD_PRESENT,
    NO_PLACE,
    NO_REPUTATION,
    ONLINE,
    PROFILE,
    TRANSACTION,
    category_number,
    currency_positions,
    text_hash,
)


def _crc_table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, np.uint32(0xEDB88320) ^ (table >> 1), table >> 1).astype(np.uint32)
    return table


_CRC = _crc_table()


@nb.njit(cache=True, nogil=True)
def _crc32_rows(offsets: np.ndarray, data: np.ndarray) -> np.ndarray:
    """CRC-32 of each slice of `data` (uint8) between neighbouring `offsets`: uint32 (len(offsets) - 1,)."""
    out = np.empty(len(offsets) - 1, dtype=np.uint32)
    for row in range(len(out)):
        crc = np.uint32(0xFFFFFFFF)
        for position in range(offsets[row], offsets[row + 1]):
            crc = _CRC[(crc ^ data[position]) & np.uint32(0xFF)] ^ (crc >> np.uint32(8))
        crc ^= np.uint32(0xFFFFFFFF)
        empty = offsets[row] == offsets[row + 1]
        out[row] = np.uint32(0) if empty else (crc if crc != 0 else np.uint32(1))
    return out


def hash_column(column: pd.Series) -> np.ndarray:
    """`text_hash` of every value: uint32 (n,), 0 where missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _by_category(column, text_hash, np.uint32)
    text = pa.array(column.astype("string"), type=pa.large_string(), from_pandas=True)
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    text = text.fill_null("")
    _, offsets, data = text.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[text.offset : text.offset + len(text) + 1]
    bytes_ = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return _crc32_rows(starts, bytes_)


def _by_category(column: pd.Series, function: Callable[[str], object], dtype: type) -> np.ndarray:
    """`function` of every value, called once a category; 0 where missing. Other dtypes are made categories."""
    values = column.astype("category").cat
    table: np.ndarray = np.array([0, *(function(str(category)) for category in values.categories)]).astype(dtype)
    return table[values.codes.to_numpy() + 1]


def _seconds(column: pd.Series) -> np.ndarray:
    """Whole seconds since 1970 of a datetime column: uint32 (n,)."""
    milliseconds = column.astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    return np.maximum(milliseconds // 1000, 0).astype(np.uint32)


def usd_amounts(transactions: pd.DataFrame) -> np.ndarray:
    """Amounts in US dollars, float64 (n,); a table without `currency` is read as US dollars.

    Raises
    ------
    InvalidInput
        A currency is unknown.
    """
    amount = transactions["amount"].to_numpy(dtype=np.float64)
    if "currency" not in transactions:
        return np.minimum(amount, AMOUNT_LIMIT)
    rates = currencies()
    unknown = set(transactions["currency"].astype("category").cat.remove_unused_categories().cat.categories) - set(
        rates
    )
    if unknown or transactions["currency"].isna().any():
        raise InvalidInput(
            f"currencies unknown or missing: {', '.join(sorted(unknown)) or 'empty'}; use {', '.join(sorted(rates))}"
        )
    return np.minimum(amount * _by_category(transactions["currency"], lambda c: rates.get(c, 0.0), float), AMOUNT_LIMIT)


def _hundredths(degrees: np.ndarray, placed: np.ndarray, missing: int) -> np.ndarray:
    return np.where(placed, np.rint(np.where(placed, degrees, 0.0) * 100), missing).astype(np.int16)


def _fill_place(out: np.ndarray, table: pd.DataFrame, latitude: str, longitude: str) -> tuple[np.ndarray, ...]:
    """Write the packed place of `table` into `out`; return degrees with zeros where there is none."""
    north = table[latitude].to_numpy(dtype=np.float64)
    east = table[longitude].to_numpy(dtype=np.float64)
    placed = np.isfinite(north) & np.isfinite(east)
    out["latitude"] = _hundredths(north, placed, NO_PLACE)
    out["longitude"] = _hundredths(east, placed, 0)
    return np.where(placed, north, 0.0), np.where(placed, east, 0.0)


def encode_table(transactions: pd.DataFrame) -> np.ndarray:
    """Pack a transactions table, in its row order.

    Parameters
    ----------
    transactions : TRANSACTION_COLUMNS; all but user_id, event_time and amount may be absent, `known_at`
        is then the event time, the currency US dollars and the transaction id the row's number

    Returns
    -------
    TRANSACTION records of shape (n,)

    Raises
    ------
    InvalidInput
        A currency is unknown.
    """
    out = np.zeros(len(transactions), dtype=TRANSACTION)
    out["event_time"] = _seconds(transactions["event_time"])
    out["known_at"] = _seconds(transactions["known_at"]) if "known_at" in transactions else out["event_time"]
    out["amount"] = transactions["amount"].to_numpy(dtype=np.float64)
    out["amount_usd"] = usd_amounts(transactions)
    out["transaction"] = np.arange(1, len(out) + 1)
    for field, column in (
        ("transaction", "transaction_id"),
        ("user", "user_id"),
        ("merchant", "merchant_id"),
        ("device", "device_id"),
        ("ip", "ip_address"),
    ):
        if column in transactions:
            out[field] = hash_column(transactions[column])
    _fill_codes(out, transactions)
    _fill_rest(out, transactions)
    return out


def _fill_codes(out: np.ndarray, transactions: pd.DataFrame) -> None:
    """Category, country, currency, device type: what has few values."""
    known = countries()
    positions = currency_positions()
    devices = {name: position for position, name in enumerate(DEVICE_TYPES)}
    if "merchant_category" in transactions:
        out["category"] = _by_category(transactions["merchant_category"], category_number, np.uint16)
    if "country" in transactions:
        column = transactions["country"]
        out["country"] = _by_category(column, lambda c: known[c].index if c in known else 0, np.uint8)
        out["high_risk"] = _by_category(column, lambda c: int(c in known and known[c].high_risk), np.uint8)
    if "currency" in transactions:
        out["currency"] = _by_category(transactions["currency"], lambda c: positions.get(c, 0), np.uint8)
    else:
        out["currency"] = positions["USD"]
    if "device_type" in transactions:
        out["device_type"] = _by_category(transactions["device_type"], lambda d: devices.get(d, 0), np.uint8)


def _fill_rest(out: np.ndarray, transactions: pd.DataFrame) -> None:
    """Flags, place and reputation."""
    for bit, column in ((CARD_PRESENT, "card_present"), (ONLINE, "online_transaction")):
        if column in transactions:
            out["flags"] |= np.where(transactions[column].to_numpy(dtype=bool), bit, 0).astype(np.uint8)
    out["latitude"] = NO_PLACE
    if {"latitude", "longitude"} <= set(transactions.columns):
        north, east = _fill_place(out, transactions, "latitude", "longitude")
        out["exact_latitude"], out["exact_longitude"] = north, east
    out["ip_reputation"] = NO_REPUTATION
    if "ip_reputation" in transactions:
        reputation = transactions["ip_reputation"].to_numpy(dtype=np.float64)
        out["ip_reputation"] = np.where(np.isfinite(reputation), reputation, NO_REPUTATION)


def encode_users(users: pd.DataFrame) -> np.ndarray:
    """Pack a users table (USER_COLUMNS; all but user_id may be absent): PROFILE records of shape (n,), in row order."""
    out = np.zeros(len(users), dtype=PROFILE)
    out["latitude"] = NO_PLACE
    known, positions = countries(), currency_positions()
    if "account_opened" in users:
        out["opened"] = _seconds(users["account_opened"])
    if {"home_latitude", "home_longitude"} <= set(users.columns):
        _fill_place(out, users, "home_latitude", "home_longitude")
    if "home_country" in users:
        out["country"] = _by_category(users["home_country"], lambda c: known[c].index if c in known else 0, np.uint8)
    if "home_currency" in users:
        out["currency"] = _by_category(users["home_currency"], lambda c: positions.get(c, 0), np.uint8)
    out["known"] = 1
    return out
