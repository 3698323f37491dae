"""The transaction contract: the columns every table, file and request agrees on.

A transaction carries two times. `event_time` is when the card was used; `known_at` is when the
system heard of it. Windows are measured on event time over what was known (see fraudkit.features).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fraudkit.core.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

DEVICE_TYPES = ("unknown", "mobile", "desktop", "tablet", "terminal")

# Column -> pandas dtype of a transactions table. Order is the order on disk.
TRANSACTION_COLUMNS: dict[str, str] = {
    "transaction_id": "string",
    "user_id": "category",
    "event_time": "datetime64[ms, UTC]",
    "known_at": "datetime64[ms, UTC]",
    "amount": "float64",  # in `currency`
    "currency": "category",  # ISO 4217
    "merchant_id": "category",
    "merchant_category": "category",  # four-digit merchant category code (ISO 18245)
    "country": "category",  # ISO 3166 alpha-2, where the transaction took place
    "latitude": "float64",  # degrees, -90..90
    "longitude": "float64",  # degrees, -180..180
    "card_present": "bool",
    "online_transaction": "bool",
    "device_id": "category",  # missing where no device is seen (a plain terminal)
    "device_type": "category",  # one of DEVICE_TYPES
    "ip_address": "category",  # missing when the card was present
    "ip_reputation": "float64",  # 0 clean .. 1 bad, NaN where the source did not answer
}

# Column -> dtype of the users table. What stands below `account_opened` is for the fairness audit
# and for the simulator; it never enters a feature.
USER_COLUMNS: dict[str, str] = {
    "user_id": "string",
    "home_country": "category",
    "home_currency": "category",
    "home_latitude": "float64",
    "home_longitude": "float64",
    "account_opened": "datetime64[ms, UTC]",
    "age_band": "category",
    "gender": "category",
    "income_band": "category",
}

MERCHANT_COLUMNS: dict[str, str] = {
    "merchant_id": "string",
    "merchant_category": "category",
    "country": "category",
    "latitude": "float64",
    "longitude": "float64",
    "online": "bool",
}


@dataclass(frozen=True, slots=True)
class Transaction:
    """One card transaction as the service sees it. Units and ranges as in TRANSACTION_COLUMNS.

    `card_ref` stands for the card (fraudkit.serve.card_reference). It is for people who compare payments; no feature
    is made of it, and it is no column: tables have none.
    """

    transaction_id: str
    user_id: str
    event_time_ms: int
    known_at_ms: int
    amount: float
    currency: str
    merchant_id: str
    merchant_category: str
    country: str
    latitude: float
    longitude: float
    card_present: bool
    online_transaction: bool
    device_id: str | None = None
    device_type: str = "unknown"
    ip_address: str | None = None
    ip_reputation: float = float("nan")
    card_ref: str | None = None


@dataclass(frozen=True, slots=True)
class UserProfile:
    """What the nightly user database knows of a card holder and features may use."""

    user_id: str
    home_country: str
    home_currency: str
    home_latitude: float
    home_longitude: float
    account_opened_ms: int


def conform(table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Return `table` with exactly `columns`, in order and cast to their dtypes.

    Raises
    ------
    InvalidInput
        A column is missing, or its values cannot be cast.
    """
    import pandas as pd  # here, because the service imports this module and must start without pandas

    missing = [name for name in columns if name not in table]
    if missing:
        raise InvalidInput(f"columns missing: {', '.join(missing)}; the table has {', '.join(map(str, table.columns))}")
    out = {}
    for name, dtype in columns.items():
        try:
            out[name] = table[name].astype(dtype)
        except (ValueError, TypeError) as error:
            raise InvalidInput(f"column {name!r} cannot be read as {dtype}: {error}") from error
    return pd.DataFrame(out, index=table.index)
