"""Fills the store as the specification's service expects it: JSON a user, sorted sets, sets."""

from __future__ import annotations

import json

import pandas as pd
import redis

from fraudkit.core.money import currencies

HISTORY_DAYS = 30


def fill_seed_store(
    url: str, transactions: pd.DataFrame, users: pd.DataFrame, ip_reputation: pd.DataFrame, moment: pd.Timestamp
) -> None:
    """Write what is known of `users` at `moment` from `transactions` of the last 30 days."""
    store = redis.Redis.from_url(url)
    recent = transactions[transactions["known_at"].between(moment - pd.Timedelta(days=HISTORY_DAYS), moment)]
    homes = dict(zip(users["user_id"].astype(str), users["home_country"].astype(str), strict=True))
    for user_id, rows in recent.groupby(recent["user_id"].astype(str), sort=False):
        pipeline = store.pipeline(transaction=False)
        usd = rows["amount"] * rows["currency"].map(currencies()).astype("float64")
        pipeline.set(f"user_features:{user_id}", json.dumps(user_features(rows, usd, homes.get(str(user_id), "US"))))
        entries = {
            json.dumps({"id": row.transaction_id, "amount": row.amount, "merchant_id": row.merchant_id}): (
                row.event_time.timestamp()
            )
            for row in rows.itertuples()
        }
        pipeline.zadd(f"history:{user_id}", entries)
        pipeline.sadd(f"countries:{user_id}", *rows["country"].astype(str).unique())
        if rows["device_id"].notna().any():
            pipeline.sadd(f"devices:{user_id}", *rows["device_id"].dropna().astype(str).unique())
        last = rows.iloc[-1]
        place = {"latitude": last.latitude, "longitude": last.longitude, "time": last.event_time.timestamp()}
        pipeline.set(f"last_location:{user_id}", json.dumps(place))
        pipeline.execute()
    store.mset(
        {
            f"ip_reputation:{ip}": float(value)
            for ip, value in zip(ip_reputation["ip_address"], ip_reputation["reputation"], strict=True)
        }
    )
    store.close()


def user_features(rows: pd.DataFrame, usd: pd.Series, home_country: str) -> dict[str, float | str]:
    """The nightly JSON of one user."""
    return {
        "total_transactions_30d": len(rows),
        "total_spend_30d": float(usd.sum()),
        "avg_transaction_amount": float(usd.mean()),
        "std_transaction_amount": float(usd.std()) if len(rows) > 1 else 90.0,
        "num_unique_merchants_30d": int(rows["merchant_id"].nunique()),
        "num_countries_30d": int(rows["country"].nunique()),
        "account_age_days": 720,
        "home_country": home_country,
    }
