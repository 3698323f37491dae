"""Monthly payments that merchants start by themselves: same merchant, same amount, same day of the month."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.categories import LOG_MEDIAN, SIGMA, SUBSCRIPTION_CATEGORIES, category_indices
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import UNATTENDED, Rows
from fraudkit.simulate.scene import Scene
from fraudkit.simulate.trips import HOUR_MS

MONTH_DAYS = 30.4


def subscriptions(scene: Scene, rng: np.random.Generator) -> Rows:
    """All subscription payments of the world, unsorted. No device and no address is seen with them."""
    people, market, days = scene.people, scene.market, scene.config.days
    owner = np.repeat(np.arange(len(people)), rng.poisson(1.6 * people.rate / people.rate.mean()))
    n = len(owner)
    category = rng.choice(category_indices(SUBSCRIPTION_CATEGORIES), n, p=(0.4, 0.15, 0.08, 0.17, 0.13, 0.07))
    merchant = market.website(category, rng)
    amount = np.exp(LOG_MEDIAN[category] + 0.5 * people.spend[owner] + 0.6 * SIGMA[category] * rng.standard_normal(n))
    first_day = rng.uniform(-300, 0.7 * days, n)
    last_day = first_day + rng.exponential(400, n) + 30
    months = np.arange(int((days + 300) / MONTH_DAYS) + 1)
    due = np.floor(first_day)[:, None] + np.round(months * MONTH_DAYS)[None, :]
    hour = rng.uniform(2, 9, n)
    event_ms = (due * DAY_MS + hour[:, None] * HOUR_MS + rng.uniform(0, HOUR_MS / 4, due.shape)).astype(np.int64)
    running = (due >= 0) & (due < days - 1) & (due < last_day[:, None]) & (event_ms >= people.opened_ms[owner][:, None])
    pick, month = np.nonzero(running)
    who, seller = owner[pick], merchant[pick]
    blank = np.full(len(pick), -1, dtype=np.int32)
    return Rows(
        user=who,
        event_ms=event_ms[pick, month],
        amount_usd=amount[pick],
        merchant=seller,
        channel=np.full(len(pick), UNATTENDED, dtype=np.int8),
        latitude=market.latitude[seller],
        longitude=market.longitude[seller],
        country=market.country[seller],
        device=blank,
        ip=blank.copy(),
        campaign=np.zeros(len(pick), dtype=np.int8),
        campaign_id=blank.copy(),
    )
