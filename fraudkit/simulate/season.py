"""How many purchases a day brings: season, weekday, pay day and each person's own ups and downs."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from fraudkit.simulate.config import WorldConfig
from fraudkit.simulate.people import DAY_MS, People

MONTH_FACTOR = (0.92, 0.93, 0.97, 0.99, 1.0, 1.03, 1.05, 1.02, 0.98, 0.99, 1.06, 1.22)
WEEKDAY_FACTOR = (0.93, 0.94, 0.97, 1.0, 1.12, 1.16, 0.9)  # Monday first
PAYDAY_LIFT, PAYDAY_FADE_DAYS = 0.45, 4.0
OUTING_SHAPE = 0.8  # of the gamma factor of each day: people shop on some days and stay in on others


def daily_counts(config: WorldConfig, people: People, rng: np.random.Generator) -> np.ndarray:
    """Purchases of every user on every day, int64 (n_users, days)."""
    dates = [config.start + timedelta(days=day) for day in range(config.days)]
    season = np.array([MONTH_FACTOR[date.month - 1] * WEEKDAY_FACTOR[date.weekday()] for date in dates])
    since_payday = (np.array([date.day for date in dates])[None, :] - people.payday[:, None]) % 30
    lift = 1 + PAYDAY_LIFT * np.exp(-np.arange(30) / PAYDAY_FADE_DAYS)
    weeks = -(-config.days // 7)
    mood = rng.lognormal(-0.08, 0.4, (len(people), weeks))
    expected = people.rate[:, None] * (season / season.mean()) * (lift / lift.mean())[since_payday]
    expected *= rng.gamma(OUTING_SHAPE, 1 / OUTING_SHAPE, expected.shape)
    expected *= np.repeat(mood, 7, axis=1)[:, : config.days]
    expected *= np.arange(1, config.days + 1) * DAY_MS > people.opened_ms[:, None]
    return rng.poisson(expected)


def weekend_days(config: WorldConfig) -> np.ndarray:
    """Whether each day of the world is a Saturday or Sunday, bool (days,)."""
    return np.array([(config.start + timedelta(days=day)).weekday() >= 5 for day in range(config.days)])
