"""The simulation of a card world the usual way: a loop over customers, days and purchases, pandas for the rest.

It is the shape that teaching material gives such a simulator: every purchase is drawn by itself, each
customer becomes a small DataFrame, the DataFrames are concatenated, frauds are selected with `.loc` day
by day, and control and labels go row by row. The stages and what each purchase draws are those of
`fraudkit.simulate` (season, mood, journeys, category, favourite merchants, hour, amount, channel, device,
address, place, arrival; seven kinds of fraud; labels of three sources), in plain form; the tables have the
same columns. Distributions are similar, not equal: it is there to be timed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.money import countries
from fraudkit.core.transaction import TRANSACTION_COLUMNS
from fraudkit.simulate import WorldConfig
from fraudkit.simulate.campaigns.catalog import CAMPAIGN_NAMES
from fraudkit.simulate.categories import CATEGORIES

MERCHANTS = 7_248
FAVOURITES = 3
REACH_DEGREES = 3.0
DAY_S = 86_400
CAMPAIGN_DAYS = {"card_testing": 2, "stolen_not_present": 10, "lost_or_stolen": 4, "account_takeover": 3,
                 "merchant_compromise": 21, "mule_ring": 14, "slow_burn": 28}  # fmt: skip
Progress = Callable[[float, str], None]


def simulate_world(
    config: WorldConfig, rng: np.random.Generator, share: float = 1.0, progress: Progress | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Transactions, labels and truth of a share (0..1) of the customers of `config`."""
    tell = progress or (lambda fraction, text: None)
    n_customers = max(1, round(config.users * share))
    merchants = merchant_table(MERCHANTS, rng)
    parts = []
    for number in range(n_customers):
        customer = customer_profile(number, merchants, rng)
        parts.append(customer_transactions(customer, config, rng))
        if number % 20 == 0:
            tell(0.5 * number / n_customers, f"customer {number:,} of {n_customers:,}")
    transactions = pd.concat(parts).sort_values("known_at").reset_index(drop=True)
    transactions.insert(0, "transaction_id", [f"t{number:09d}" for number in range(len(transactions))])
    transactions["is_fraud"], transactions["campaign"], transactions["campaign_id"] = False, "none", -1
    add_frauds(transactions, config, share, rng, tell)
    tell(0.85, "control")
    transactions["declined"] = control(transactions)
    tell(0.9, "labels")
    labels = label_table(transactions, rng)
    truth = transactions[["transaction_id", "is_fraud", "campaign", "campaign_id", "declined"]]
    tell(1.0, f"{len(transactions):,} transactions")
    return transactions[list(TRANSACTION_COLUMNS)], labels, truth


def merchant_table(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """One row a merchant: category, place, currency, price level, online or not."""
    nations = list(countries().values())
    rows = []
    for number in range(n):
        category = CATEGORIES[int(rng.integers(len(CATEGORIES)))]
        nation = nations[int(rng.integers(len(nations)))]
        rows.append(
            {
                "merchant_id": f"m{number:06d}",
                "category": category.code,
                "country": nation.code,
                "currency": nation.currency,
                "usd_rate": nation.usd_rate,
                "latitude": nation.latitude + rng.normal(0, 1),
                "longitude": nation.longitude + rng.normal(0, 1),
                "price": rng.normal(0, 0.15),
                "online": rng.random() < category.online,
            }
        )
    return pd.DataFrame(rows)


def customer_profile(number: int, merchants: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    """Where a customer lives, what they spend, which merchants they return to, when they travel."""
    nations = list(countries().values())
    nation = nations[int(rng.integers(len(nations)))]
    liking = np.array([category.share for category in CATEGORIES]) * rng.lognormal(0, 0.7, len(CATEGORIES))
    distance = np.hypot(merchants["latitude"] - nation.latitude, merchants["longitude"] - nation.longitude)
    shops: dict[str, list[dict]] = {}
    for category in CATEGORIES:
        of_category = merchants[merchants["category"] == category.code]
        near = of_category[(distance[of_category.index] < REACH_DEGREES) | of_category["online"]]
        choice = near if len(near) else of_category
        shops[category.code] = choice.sample(min(20, len(choice)), random_state=rng).to_dict("records")
    return {
        "user_id": f"u{number:06d}",
        "nation": nation,
        "latitude": nation.latitude + rng.normal(0, 0.06),
        "longitude": nation.longitude + rng.normal(0, 0.06),
        "rate": rng.gamma(3.0, 1 / 3),
        "spend": rng.normal(0, 0.4),
        "payday": int(rng.integers(1, 29)),
        "explore": rng.beta(3, 12),
        "wallet": rng.beta(4, 3) if rng.random() < 0.35 else 0.0,
        "liking": liking / liking.sum(),
        "shops": shops,
        "journeys": [(start, start + int(rng.gamma(1.5, 3)) + 1, nations[int(rng.integers(len(nations)))])
                     for start in range(5, 310, 45) if rng.random() < 0.22],
        "devices": [f"d{number:06d}{k}" for k in range(3)],
        "address": ".".join(str(int(part)) for part in (10, *rng.integers(0, 256, 3))),
        "reputation": rng.beta(1.3, 9),
    }  # fmt: skip


def customer_transactions(customer: dict[str, Any], config: WorldConfig, rng: np.random.Generator) -> pd.DataFrame:
    """All purchases of one customer: day by day, purchase by purchase."""
    start = pd.Timestamp(config.start)
    rows: list[dict[str, Any]] = []
    for day in range(config.days):
        date = start + pd.Timedelta(days=day)
        lift = 1 + 0.45 * np.exp(-((date.day - customer["payday"]) % 30) / 4)
        season = 1 + 0.1 * np.sin(2 * np.pi * date.day_of_year / 365) + 0.12 * (date.day_of_week >= 4)
        n = rng.poisson(config.txn_per_user_day * customer["rate"] * lift / 1.06 * season / 1.05)
        for _ in range(n):
            rows.append(purchase(customer, day, rng))
    table = pd.DataFrame(rows, columns=[*TRANSACTION_COLUMNS, "usd", "day"][1:])
    for column in ("event_time", "known_at"):
        table[column] = start + pd.to_timedelta(table[column], unit="ms")
    return table


def purchase(customer: dict[str, Any], day: int, rng: np.random.Generator) -> dict[str, Any]:
    """One purchase; times in milliseconds since the world's start."""
    category = CATEGORIES[int(rng.choice(len(CATEGORIES), p=customer["liking"]))]
    away = next((nation for first, last, nation in customer["journeys"] if first <= day < last), None)
    shops = customer["shops"][category.code]
    rank = int(rng.choice(FAVOURITES, p=(0.58, 0.28, 0.14)))
    shop = shops[int(rng.integers(len(shops)))] if rng.random() < customer["explore"] else shops[rank % len(shops)]
    hour = rng.uniform(0, 24) if rng.random() < 0.012 else rng.normal(14, 4) % 24
    event_ms = int((day * DAY_S + hour * 3_600) * 1_000)
    late = rng.random() < 0.005
    delay_ms = rng.lognormal(2.7, 0.9) * 3_600_000 if late else 200 + rng.gamma(3.0, 300.0)
    usd = np.exp(np.log(category.median_usd) + customer["spend"] + shop["price"] + category.sigma * rng.normal())
    if rng.random() < 0.008:
        usd *= np.exp(rng.normal(1.6, 0.5))
    web = bool(shop["online"])
    scatter = rng.normal(0, 0.04, 2)
    place = customer if web else shop
    country = away.code if away else (customer["nation"].code if web else shop["country"])
    device = customer["devices"][int(rng.integers(3))] if web or rng.random() < customer["wallet"] else None
    foreign_address = f"10.{rng.integers(256)}.{rng.integers(256)}.{rng.integers(256)}"
    at_home = rng.random() < 0.6
    return {
        "user_id": customer["user_id"],
        "event_time": event_ms,
        "known_at": event_ms + int(delay_ms),
        "amount": max(round(usd / shop["usd_rate"], 2), 0.01),
        "currency": shop["currency"],
        "merchant_id": shop["merchant_id"],
        "merchant_category": category.code,
        "country": country,
        "latitude": round((away.latitude if away else place["latitude"]) + scatter[0], 4),
        "longitude": round((away.longitude if away else place["longitude"]) + scatter[1], 4),
        "card_present": not web,
        "online_transaction": web,
        "device_id": device,
        "device_type": "mobile" if device else ("unknown" if web else "terminal"),
        "ip_address": (customer["address"] if at_home else foreign_address) if web else None,
        "ip_reputation": round(customer["reputation"] if at_home else rng.beta(2, 7), 3) if web else np.nan,
        "usd": usd,
        "day": day,
    }


def add_frauds(
    transactions: pd.DataFrame, config: WorldConfig, share: float, rng: np.random.Generator, tell: Progress
) -> None:
    """Turn honest rows into frauds in place: every day, every campaign takes over a card or a merchant."""
    cards, merchants = transactions["user_id"].unique(), transactions["merchant_id"].unique()
    wanted = max(1, round(config.fraud_rate * len(transactions) / (config.days * len(CAMPAIGN_DAYS))))
    for day in range(config.days):
        for code, (campaign, length) in enumerate(CAMPAIGN_DAYS.items(), start=1):
            in_time = (transactions["day"] >= day) & (transactions["day"] < day + length)
            if campaign == "merchant_compromise":
                at_risk = in_time & (transactions["merchant_id"].isin(rng.choice(merchants, 12)))
            else:
                at_risk = in_time & (transactions["user_id"].isin(rng.choice(cards, 12)))
            rows = transactions.index[at_risk]
            hit = rng.choice(rows, min(wanted, len(rows)), replace=False)
            factor = 0.1 if campaign == "card_testing" else rng.lognormal(1.0, 0.3)
            for column in ("amount", "usd"):
                transactions.loc[hit, column] = (transactions.loc[hit, column] * factor).round(2)
            transactions.loc[hit, "ip_reputation"] = rng.beta(4, 4, len(hit)).round(3)
            transactions.loc[hit, "is_fraud"] = True
            transactions.loc[hit, "campaign"] = CAMPAIGN_NAMES[code]
            transactions.loc[hit, "campaign_id"] = 1_000 * code + day // 30
        tell(0.5 + 0.35 * (day + 1) / config.days, f"frauds of day {day + 1}")


def control(transactions: pd.DataFrame) -> pd.Series:
    """Whether the control in force declined each row: too much at once, or too many within an hour."""
    declined = pd.Series(False, index=transactions.index)
    for _, rows in transactions.groupby("user_id"):
        rows = rows.sort_values("event_time")
        hourly = rows.rolling("1h", on="event_time")["usd"].count()
        limit = np.where(rows["online_transaction"], 700.0, 2_500.0)
        declined.loc[rows.index] = (rows["usd"] > limit) | (hourly > 6)
    return declined


def label_table(transactions: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Who says what of each transaction, and when, row by row."""
    rows: list[dict[str, Any]] = []

    def tell(row: Any, source: str, days: float, is_fraud: bool) -> None:
        known_at = row.event_time + pd.Timedelta(days=days)
        rows.append(
            {
                "transaction_id": row.transaction_id,
                "event_time": row.event_time,
                "known_at": known_at,
                "source": source,
                "is_fraud": is_fraud,
            }
        )

    for row in transactions.itertuples():
        if rng.random() < (0.3 if row.declined else 0.1 if row.is_fraud else 0.004):
            wrong = rng.random() < (0.06 if row.is_fraud else 0.02)
            tell(row, "manual_review", 2 * rng.beta(1.3, 4.0), bool(row.is_fraud) ^ wrong)
        if row.is_fraud and not row.declined:
            if rng.random() < 0.35:
                tell(row, "user_report", 0.5 + 20 * rng.beta(1.2, 3.5), True)
            if rng.random() < 0.8:
                tell(row, "chargeback", 30 + 90 * rng.beta(1.4, 3.0), True)
        elif rng.random() < 0.0005:
            tell(row, "user_report", 0.5 + 20 * rng.beta(1.2, 3.5), True)
    columns = ["transaction_id", "event_time", "known_at", "source", "is_fraud"]
    return pd.DataFrame(rows, columns=columns).sort_values("known_at", ignore_index=True)
