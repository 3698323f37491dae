"""What honest card holders do, all of them at once.

One row of every array is one purchase; there is no loop over people. Knows nothing of fraud.
"""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.browsing import web_side
from fraudkit.simulate.categories import LOG_MEDIAN, PROFILE, SIGMA, hour_table
from fraudkit.simulate.habits import SLOTS, TRIP_MOOD, WEEKDAY_MOOD, WEEKEND_MOOD
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import ONLINE_CHANNEL, PRESENT, UNATTENDED, Rows, concat
from fraudkit.simulate.scene import Scene
from fraudkit.simulate.season import daily_counts, weekend_days
from fraudkit.simulate.subscriptions import subscriptions
from fraudkit.simulate.trips import HOUR_MS

# How often honest people are odd, before WorldConfig.legit_oddness scales it.
BURST, BIG_PURCHASE, ODD_HOUR, LENT_CARD, BY_TELEPHONE = 0.010, 0.012, 0.012, 0.0006, 0.01


def honest_rows(scene: Scene, rng: np.random.Generator) -> Rows:
    """All legitimate transactions, sorted by user and time."""
    streams = rng.spawn(6)
    user, event_ms, category = _occasions(scene, streams[0])
    city, flying = scene.trips.where(user, event_ms, scene.people.city[user])
    keep = ~flying & (event_ms >= scene.people.opened_ms[user]) & (event_ms >= 0) & (event_ms < scene.world_ms)
    user, event_ms, category, city = user[keep], event_ms[keep], category[keep], city[keep]
    city = _lend(scene, city, streams[4])
    merchant = _merchants(scene, user, category, city, streams[1])
    amount = _amounts(scene, user, merchant, streams[2])
    rows = _settle(scene, user, event_ms, amount, merchant, city, streams[3])
    rows = concat([rows, subscriptions(scene, streams[5])])
    return rows.take(np.argsort(rows.user * np.int64(2 * scene.world_ms) + rows.event_ms, kind="stable"))


def _occasions(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who buys when and in what category: user, event_ms, category of shape (n,)."""
    config, people = scene.config, scene.people
    counts = daily_counts(config, people, rng)
    n = int(counts.sum())
    user = np.repeat(np.arange(len(people)), counts.sum(axis=1))
    day = np.repeat(np.tile(np.arange(config.days), len(people)), counts.ravel())
    city, _ = scene.trips.where(user, day * DAY_MS + DAY_MS // 2, people.city[user])
    mood = np.where(weekend_days(config)[day], WEEKEND_MOOD, WEEKDAY_MOOD)
    mood[city != people.city[user]] = TRIP_MOOD
    category = scene.habits.category[mood, user, rng.integers(0, SLOTS, n)]
    hours = hour_table()
    hour = hours[PROFILE[category], rng.integers(0, hours.shape[1], n)] + people.chronotype_h[user]
    odd = rng.random(n) < ODD_HOUR * config.legit_oddness
    hour = np.where(odd, rng.random(n) * 24, hour + rng.normal(0, 0.25, n))
    event_ms = day * DAY_MS + ((hour - scene.geography.utc_hours[city]) * HOUR_MS).astype(np.int64)
    return _with_bursts(user, event_ms, category, BURST * config.legit_oddness, rng)


def _with_bursts(
    user: np.ndarray, event_ms: np.ndarray, category: np.ndarray, chance: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn a few purchases into a spree of one to four more, minutes apart."""
    seed = np.flatnonzero(rng.random(len(user)) < chance)
    again = np.repeat(seed, rng.integers(1, 5, len(seed)))
    later = (rng.gamma(1.5, 12 * 60_000, len(again))).astype(np.int64)
    return (
        np.concatenate([user, user[again]]),
        np.concatenate([event_ms, event_ms[again] + later]),
        np.concatenate([category, category[again]]),
    )


def _lend(scene: Scene, city: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where each purchase is made: a few on a second card, by a relative elsewhere. Honest impossible travel."""
    lent = np.flatnonzero(rng.random(len(city)) < LENT_CARD * scene.config.legit_oddness)
    city = city.copy()
    city[lent] = rng.choice(len(scene.geography.weight), len(lent), p=scene.geography.weight)
    return city


def _merchants(
    scene: Scene, user: np.ndarray, category: np.ndarray, city: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """The merchant of each purchase: mostly a favourite, sometimes a new one, near by when on a trip."""
    n, market = len(user), scene.market
    draw = rng.random(n)
    rank = (draw > 0.58).astype(np.int64) + (draw > 0.86)
    merchant = scene.habits.favourite[user, category, rank]
    online = market.online[merchant]
    exploring = rng.random(n) < scene.people.explore[user]
    away = city != scene.people.city[user]
    move = np.flatnonzero((exploring | away) & ~online)
    merchant[move] = market.shop(city[move], category[move], rng)
    browse = np.flatnonzero(exploring & online)
    merchant[browse] = market.website(category[browse], rng)
    return merchant


def _amounts(scene: Scene, user: np.ndarray, merchant: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Amounts in US dollars: log-normal by category, person, taste and merchant, now and then much more."""
    n, category = len(user), scene.market.category[merchant]
    log = LOG_MEDIAN[category] + scene.people.spend[user] + scene.habits.taste[user, category]
    log += scene.market.price[merchant] + SIGMA[category] * rng.standard_normal(n)
    big = rng.random(n) < BIG_PURCHASE * scene.config.legit_oddness
    log[big] += rng.normal(1.6, 0.5, int(big.sum()))
    return np.exp(log)


def _settle(
    scene: Scene,
    user: np.ndarray,
    event_ms: np.ndarray,
    amount: np.ndarray,
    merchant: np.ndarray,
    city: np.ndarray,
    rng: np.random.Generator,
) -> Rows:
    """Give each purchase its channel, device, address and place."""
    n, market, geography = len(user), scene.market, scene.geography
    rng, web_rng = rng.spawn(2)
    online = market.online[merchant]
    channel = np.where(online, ONLINE_CHANNEL, PRESENT).astype(np.int8)
    channel[~online & (rng.random(n) < BY_TELEPHONE)] = UNATTENDED
    latitude, longitude = market.latitude[merchant].copy(), market.longitude[merchant].copy()
    country = market.country[merchant].astype(np.int16)
    device = np.full(n, -1, dtype=np.int32)
    ip = np.full(n, -1, dtype=np.int32)

    wallet = np.flatnonzero((channel == PRESENT) & (rng.random(n) < scene.people.wallet[user]))
    device[wallet] = scene.gear.phone(user[wallet], event_ms[wallet])

    web = np.flatnonzero(channel == ONLINE_CHANNEL)
    device[web], ip[web], web_city = web_side(scene, user[web], event_ms[web], city[web], web_rng)
    at_home = web_city == scene.people.city[user[web]]
    scatter = rng.normal(0, 0.04, (2, len(web)))
    latitude[web] = np.where(at_home, scene.people.latitude[user[web]], geography.latitude[web_city]) + scatter[0]
    longitude[web] = np.where(at_home, scene.people.longitude[user[web]], geography.longitude[web_city]) + scatter[1]
    country[web] = geography.country[web_city]
    none = np.zeros(n, dtype=np.int8)
    return Rows(user.astype(np.int32), event_ms, amount, merchant, channel, latitude, longitude, country, device, ip,
                none, np.full(n, -1, dtype=np.int32))  # fmt: skip
