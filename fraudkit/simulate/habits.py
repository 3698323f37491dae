"""Habits: which categories and merchants each card holder returns to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.simulate.categories import CATEGORIES, ONLINE, SHARE, TRAVEL, WEEKEND
from fraudkit.simulate.market import Market
from fraudkit.simulate.people import People

SLOTS = 128
WEEKDAY_MOOD, WEEKEND_MOOD, TRIP_MOOD = 0, 1, 2
FAVOURITES = 3


@dataclass(frozen=True, slots=True)
class Habits:
    """Tables to draw from by one random slot.

    `category` int8 (3 moods, n_users, SLOTS); `favourite` int32 (n_users, n_categories, FAVOURITES)
    merchants; `taste` float64 (n_users, n_categories) is added to log amounts.
    """

    category: np.ndarray
    favourite: np.ndarray
    taste: np.ndarray


def build_habits(people: People, market: Market, rng: np.random.Generator) -> Habits:
    """Draw every card holder's taste for categories and favourite merchants."""
    n, n_categories = len(people), len(CATEGORIES)
    liking = SHARE * rng.lognormal(0, 0.7, (n, n_categories))
    moods = [_slots(liking * tilt, rng) for tilt in (np.ones(n_categories), WEEKEND, TRAVEL)]
    user = np.repeat(np.arange(n), n_categories * FAVOURITES)
    category = np.tile(np.repeat(np.arange(n_categories), FAVOURITES), n)
    online_share = ONLINE[category]
    odds = online_share / np.maximum(1 - online_share, 1e-9) * people.online[user] / (1 - people.online[user])
    online = rng.random(len(user)) < np.where(online_share >= 1, 1.0, odds / (1 + odds))
    favourite = np.where(online, market.website(category, rng), market.shop(people.city[user], category, rng)).astype(
        np.int32
    )
    return Habits(
        category=np.stack(moods),
        favourite=favourite.reshape(n, n_categories, FAVOURITES),
        taste=rng.normal(0, 0.25, (n, n_categories)),
    )


def _slots(liking: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Categories at jittered even quantiles of each row of `liking`, int8 (n_users, SLOTS)."""
    cumulative = np.cumsum(liking, axis=1)
    cumulative /= cumulative[:, -1:]
    quantiles = (np.arange(SLOTS) + rng.random((len(liking), 1))) / SLOTS
    rank = np.searchsorted(
        (cumulative + np.arange(len(liking))[:, None]).ravel(), (quantiles + np.arange(len(liking))[:, None]).ravel()
    )
    return (rank.reshape(quantiles.shape) % liking.shape[1]).astype(np.int8)
