"""Merchant categories: what people buy, how often, for how much, when and where.

Amounts are medians in US dollars for a middle income; shares are of a household's transactions.
The figures are plausible round numbers, not estimates from any bank's data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Category:
    """One merchant category.

    `code` is ISO 18245, `share` its weight among everyday purchases, `median_usd` and `sigma` the
    log-normal amount, `online` the share bought online, `hours` a profile of HOUR_PROFILES, `weekend`
    the factor on Saturday and Sunday, `travel` the factor while on a trip.
    """

    code: str
    name: str
    share: float
    median_usd: float
    sigma: float
    online: float
    hours: str
    weekend: float = 1.0
    travel: float = 1.0


CATEGORIES: tuple[Category, ...] = (
    Category("5411", "groceries", 19.0, 38, 0.65, 0.10, "day", 1.3, 0.6),
    Category("5812", "restaurants", 10.0, 34, 0.60, 0.00, "meals", 1.4, 2.5),
    Category("5814", "fast food", 10.0, 11, 0.45, 0.25, "meals", 1.1, 1.2),
    Category("5541", "fuel", 7.0, 42, 0.40, 0.00, "commute", 1.0, 0.8),
    Category("5912", "pharmacies", 4.0, 19, 0.70, 0.15, "day", 0.8, 0.6),
    Category("4111", "local transport", 6.0, 4, 0.60, 0.35, "commute", 0.5, 1.5),
    Category("4121", "taxis", 3.0, 16, 0.55, 0.80, "evening", 1.4, 2.5),
    Category("5311", "department stores", 3.5, 58, 0.75, 0.30, "day", 1.5, 0.8),
    Category("5651", "clothing", 4.0, 62, 0.70, 0.50, "day", 1.4, 0.8),
    Category("5732", "electronics", 2.2, 145, 1.00, 0.60, "day", 1.2, 0.3),
    Category("5734", "software", 1.2, 32, 0.90, 1.00, "any", 0.8, 0.5),
    Category("5815", "digital media", 4.0, 9, 0.60, 1.00, "evening", 1.2, 0.9),
    Category("5816", "digital games", 2.6, 14, 0.90, 1.00, "evening", 1.3, 0.7),
    Category("5999", "general shops", 4.5, 36, 0.90, 0.50, "day", 1.2, 1.0),
    Category("5262", "marketplaces", 9.0, 31, 0.95, 1.00, "any", 1.1, 0.5),
    Category("4814", "telephone", 1.4, 27, 0.60, 0.80, "any", 0.8, 1.2),
    Category("4900", "utilities", 1.2, 95, 0.50, 0.85, "any", 0.6, 0.2),
    Category("6300", "insurance", 0.6, 110, 0.60, 0.95, "any", 0.5, 0.2),
    Category("4511", "airlines", 0.6, 280, 0.70, 0.95, "any", 1.0, 0.8),
    Category("7011", "hotels", 0.9, 165, 0.60, 0.55, "evening", 1.1, 6.0),
    Category("5944", "jewellery", 0.5, 170, 1.00, 0.40, "day", 1.4, 0.8),
    Category("6051", "quasi cash", 0.7, 130, 1.00, 1.00, "any", 0.9, 0.4),
    Category("4829", "money transfer", 1.6, 120, 0.90, 0.80, "any", 0.9, 0.5),
    Category("7995", "gambling", 1.0, 32, 0.95, 0.85, "night", 1.4, 0.6),
    Category("8011", "doctors", 1.3, 75, 0.70, 0.05, "day", 0.2, 0.2),
    Category("7832", "cinemas", 1.6, 22, 0.40, 0.50, "evening", 1.9, 0.5),
    Category("6011", "cash machines", 3.8, 85, 0.55, 0.00, "day", 1.1, 2.0),
)
CODES: tuple[str, ...] = tuple(category.code for category in CATEGORIES)
CATEGORY_INDEX: dict[str, int] = {category.name: position for position, category in enumerate(CATEGORIES)}
SUBSCRIPTION_CATEGORIES = ("digital media", "software", "digital games", "telephone", "utilities", "insurance")

# Weight of each local hour 0..23.
HOUR_PROFILES: dict[str, tuple[float, ...]] = {
    "day": (0.1, 0, 0, 0, 0, 0.1, 0.4, 1, 2, 4, 6, 7, 7, 6, 6, 6, 7, 8, 8, 6, 3, 1.5, 0.6, 0.2),
    "meals": (0.6, 0.3, 0.1, 0, 0, 0.1, 0.6, 2, 3, 2, 2, 5, 9, 8, 3, 2, 2, 4, 8, 9, 7, 4, 2, 1),
    "commute": (0.3, 0.1, 0.1, 0.1, 0.3, 1, 4, 8, 8, 4, 3, 3, 4, 3, 3, 5, 8, 9, 6, 4, 2, 1.5, 1, 0.6),
    "evening": (2, 0.9, 0.4, 0.2, 0.1, 0.1, 0.3, 0.8, 1, 2, 2, 3, 3, 3, 3, 4, 5, 6, 8, 9, 9, 8, 6, 4),
    "night": (5, 4, 2.5, 1.2, 0.6, 0.3, 0.4, 0.6, 1, 1, 2, 2, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 9, 7),
    "any": (1.2, 0.7, 0.4, 0.3, 0.3, 0.4, 1, 2, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 4, 2.2),
}
PROFILE_NAMES = tuple(HOUR_PROFILES)

SHARE = np.array([category.share for category in CATEGORIES])
LOG_MEDIAN = np.log([category.median_usd for category in CATEGORIES])
SIGMA = np.array([category.sigma for category in CATEGORIES])
ONLINE = np.array([category.online for category in CATEGORIES])
PROFILE = np.array([PROFILE_NAMES.index(category.hours) for category in CATEGORIES])
WEEKEND = np.array([category.weekend for category in CATEGORIES])
TRAVEL = np.array([category.travel for category in CATEGORIES])


def category_indices(names: tuple[str, ...]) -> np.ndarray:
    """Positions in CATEGORIES of the named categories, int64 (len(names),)."""
    return np.array([CATEGORY_INDEX[name] for name in names])


def hour_table(slots: int = 2048) -> np.ndarray:
    """Hours of the day at even quantiles of each profile, float64 (len(PROFILE_NAMES), slots), 0..24.

    A row's hour is one random slot of its profile: inverse sampling without a search.
    """
    quantiles = (np.arange(slots) + 0.5) / slots
    rows = []
    for weights in HOUR_PROFILES.values():
        cumulative = np.concatenate([[0.0], np.cumsum(weights)])
        rows.append(np.interp(quantiles, cumulative / cumulative[-1], np.arange(25.0)))
    return np.array(rows)
