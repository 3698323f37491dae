"""Merchants: shops in every city, and online merchants that all share.

The layout is regular (so many shops a category and city), so that "a pharmacy in this city" is
arithmetic and not a search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.simulate.categories import CATEGORIES, ONLINE
from fraudkit.simulate.geography import Geography

SHOPS_PER_CITY = 3
ONLINE_PER_CATEGORY = 60


@dataclass(frozen=True, slots=True)
class Market:
    """Merchants, arrays of shape (n_merchants,), and where each block of them begins.

    `price` is added to log amounts. `shop_block` and `online_block` (n_categories,) give a category's
    rank among those sold in shops, respectively online, -1 where there are none. `popular` holds ranks
    of online merchants at even quantiles of their popularity.
    """

    category: np.ndarray
    country: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    online: np.ndarray
    price: np.ndarray
    shop_block: np.ndarray
    online_block: np.ndarray
    first_online: int
    popular: np.ndarray

    def __len__(self) -> int:
        return len(self.category)

    def shop(self, city: np.ndarray, category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A shop of `category` in `city`, int32; -1 where the category is only sold online."""
        block = self.shop_block[category]
        n_blocks = int(self.shop_block.max()) + 1
        found = (city * n_blocks + block) * SHOPS_PER_CITY + rng.integers(0, SHOPS_PER_CITY, len(category))
        return np.where(block >= 0, found, -1).astype(np.int32)

    def website(self, category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An online merchant of `category` by popularity, int32; -1 where there is none."""
        block = self.online_block[category]
        rank = self.popular[rng.integers(0, len(self.popular), len(category))]
        return np.where(block >= 0, self.first_online + block * ONLINE_PER_CATEGORY + rank, -1).astype(np.int32)

    def obscure_website(self, category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An online merchant of `category`, each as likely as the other, int32; -1 where there is none."""
        block = self.online_block[category]
        rank = rng.integers(0, ONLINE_PER_CATEGORY, len(category))
        return np.where(block >= 0, self.first_online + block * ONLINE_PER_CATEGORY + rank, -1).astype(np.int32)


def _blocks(wanted: np.ndarray) -> np.ndarray:
    return np.where(wanted, np.cumsum(wanted) - 1, -1)


def build_market(geography: Geography, rng: np.random.Generator) -> Market:
    """Place the merchants."""
    shop_categories = np.flatnonzero(ONLINE < 1)
    online_categories = np.flatnonzero(ONLINE > 0)
    n_city = len(geography.country)
    city = np.repeat(np.arange(n_city), len(shop_categories) * SHOPS_PER_CITY)
    shop_category = np.tile(np.repeat(shop_categories, SHOPS_PER_CITY), n_city)
    site_category = np.repeat(online_categories, ONLINE_PER_CATEGORY)
    seat = rng.choice(n_city, len(site_category), p=geography.weight)
    place = np.concatenate([city, seat])
    n = len(place)
    weight = 1 / np.arange(1, ONLINE_PER_CATEGORY + 1)
    quantiles = (np.arange(1024) + 0.5) / 1024
    every = np.arange(len(CATEGORIES))
    return Market(
        category=np.concatenate([shop_category, site_category]),
        country=geography.country[place],
        latitude=geography.latitude[place] + rng.normal(0, 0.05, n),
        longitude=geography.longitude[place] + rng.normal(0, 0.05, n),
        online=np.arange(n) >= len(city),
        price=rng.normal(0, 0.3, n),
        shop_block=_blocks(np.isin(every, shop_categories)),
        online_block=_blocks(np.isin(every, online_categories)),
        first_online=len(city),
        popular=np.searchsorted(np.cumsum(weight) / weight.sum(), quantiles),
    )
