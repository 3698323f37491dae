"""Card holders: who they are and what they are inclined to do.

Demographics shape income, hours and channel a little, so that an audit for fairness has something
to find; nothing here knows of fraud.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.simulate.config import WorldConfig
from fraudkit.simulate.geography import Geography

AGE_BANDS = ("18-24", "25-34", "35-49", "50-64", "65+")
GENDERS = ("female", "male", "undisclosed")
INCOME_BANDS = ("low", "middle", "high")
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class People:
    """Card holders, arrays of shape (n_users,).

    `opened_ms` counts from the world's start and is negative for older accounts; `rate` is in
    transactions a day; `spend` is added to log amounts; `payday` is a day of the month 1..28;
    `chronotype_h` moves hours. The remaining fields are propensities, mostly in 0..1: among them
    `private` (a browser that looks like a new device every time), `hidden` (buys through a VPN) and
    `dynamic` (a line whose address changes every day). What is odd for most is usual for these.
    """

    city: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    age: np.ndarray
    gender: np.ndarray
    income: np.ndarray
    opened_ms: np.ndarray
    rate: np.ndarray
    spend: np.ndarray
    payday: np.ndarray
    chronotype_h: np.ndarray
    online: np.ndarray
    mobile: np.ndarray
    wallet: np.ndarray
    explore: np.ndarray
    mobility: np.ndarray
    private: np.ndarray
    hidden: np.ndarray
    dynamic: np.ndarray

    def __len__(self) -> int:
        return len(self.city)


def build_people(config: WorldConfig, geography: Geography, rng: np.random.Generator) -> People:
    """Draw the card holders of a world."""
    n = config.users
    city = rng.choice(len(geography.weight), n, p=geography.weight)
    age = rng.choice(len(AGE_BANDS), n, p=(0.14, 0.23, 0.29, 0.21, 0.13))
    gender = rng.choice(len(GENDERS), n, p=(0.485, 0.485, 0.03))
    income = rng.choice(len(INCOME_BANDS), n, p=(0.32, 0.48, 0.20))
    youth = (2 - age) / 2.0  # 1 the youngest, -1 the oldest
    rate = rng.gamma(3.0, 1 / 3.0, n) * (1 + 0.12 * (income - 1))
    rate = np.clip(rate / rate.mean(), 0.08, 2.0)
    shift_worker = rng.random(n) < 0.08
    wallet_user = rng.random(n) < 0.35 + 0.2 * youth
    return People(
        city=city,
        latitude=geography.latitude[city] + rng.normal(0, 0.06, n),
        longitude=geography.longitude[city] + rng.normal(0, 0.06, n),
        age=age,
        gender=gender,
        income=income,
        opened_ms=_account_opened(config, n, rng),
        rate=rate / rate.mean() * config.txn_per_user_day,
        spend=0.35 * (income - 1) + rng.normal(0, 0.28, n),
        payday=np.where(rng.random(n) < 0.6, rng.integers(24, 29, n), rng.integers(1, 16, n)),
        chronotype_h=rng.normal(0, 1.0, n) + 0.6 * youth + np.where(shift_worker, rng.normal(9, 2, n), 0),
        online=np.clip(rng.beta(4, 4, n) + 0.12 * youth, 0.05, 0.95),
        mobile=np.clip(rng.beta(3, 2, n) + 0.15 * youth, 0.05, 0.98),
        wallet=np.where(wallet_user, rng.beta(4, 3, n), 0.0),
        explore=rng.beta(3, 12, n),
        mobility=rng.gamma(1.2, 1.0, n) * (1 + 0.35 * (income - 1)),
        private=np.where(rng.random(n) < 0.18, rng.beta(3, 3, n), 0.0),
        hidden=np.where(rng.random(n) < 0.06, rng.beta(4, 3, n), 0.0),
        dynamic=rng.random(n) < 0.25,
    )


def _account_opened(config: WorldConfig, n: int, rng: np.random.Generator) -> np.ndarray:
    """Milliseconds from the world's start; about one account in twelve opens while the world runs."""
    age_days = rng.gamma(1.6, 700.0, n) + 5
    newcomer = rng.random(n) < 0.08
    days = np.where(newcomer, rng.uniform(0, 0.8 * config.days, n), -np.minimum(age_days, 7_000))
    return (days * DAY_MS).astype(np.int64)
