"""Countries, currencies and fixed exchange rates, read from countries.csv beside this file.

Rates are fixed on purpose: the same input gives the same features on every machine and day. A
production system would read the day's rates into the same table.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fraudkit.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Country:
    """One country.

    `index` is its stable position (1..255; 0 stands for unknown), `usd_rate` the value of one unit
    of its currency in US dollars, `weight` its share of card holders, `high_risk` whether issuers
    of this world list it as high-risk for card fraud.
    """

    index: int
    code: str
    name: str
    currency: str
    usd_rate: float
    latitude: float
    longitude: float
    weight: float
    high_risk: bool


@lru_cache(maxsize=1)
def countries() -> dict[str, Country]:
    """All countries by ISO 3166 alpha-2 code, in file order."""
    path = Path(__file__).with_name("countries.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["code"]: Country(
            index=position,
            code=row["code"],
            name=row["name"],
            currency=row["currency"],
            usd_rate=float(row["usd_rate"]),
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
            weight=float(row["weight"]),
            high_risk=row["high_risk"] == "1",
        )
        for position, row in enumerate(rows, start=1)
    }


@lru_cache(maxsize=1)
def currencies() -> dict[str, float]:
    """US dollars for one unit of each currency, by ISO 4217 code."""
    return {country.currency: country.usd_rate for country in countries().values()}


def to_usd(amount: float, currency: str) -> float:
    """Convert an amount to US dollars at the fixed rate.

    >>> to_usd(100.0, "USD")
    100.0

    Raises
    ------
    InvalidInput
        The currency is not in countries.csv.
    """
    try:
        return amount * currencies()[currency]
    except KeyError:
        known = ", ".join(sorted(currencies()))
        raise InvalidInput(f"currency {currency!r} is unknown; use one of {known}") from None
