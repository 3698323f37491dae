"""Trips: when each card holder is away, where, and the hours in the air between.

Nobody pays while flying, so honest travel is possible travel; the exceptions (a VPN, a card lent to a
relative) are made in behaviour.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.simulate.geography import Geography
from fraudkit.simulate.people import DAY_MS, People

SLOT_DAYS = 45  # at most one trip in each, so that looking up a moment is division, not a search
HOUR_MS = 3_600_000
CRUISE_KMH = 800.0
AIRPORT_H = 3.0


@dataclass(frozen=True, slots=True)
class Trips:
    """Trips, arrays of shape (n_users, n_slots).

    `leave_ms` to `arrive_ms` is the way out, `return_ms` to `home_ms` the way back; a slot without
    a trip has all four beyond the end of the world. `city` is the destination.
    """

    leave_ms: np.ndarray
    arrive_ms: np.ndarray
    return_ms: np.ndarray
    home_ms: np.ndarray
    city: np.ndarray

    def where(self, user: np.ndarray, event_ms: np.ndarray, home_city: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """City of each user at each moment, and whether they are in the air."""
        slot = np.minimum(event_ms // (SLOT_DAYS * DAY_MS), self.city.shape[1] - 1)
        flat = user * self.city.shape[1] + slot
        leave, back = self.leave_ms.ravel()[flat], self.home_ms.ravel()[flat]
        on_trip = (event_ms >= leave) & (event_ms < back)
        settled = (event_ms >= self.arrive_ms.ravel()[flat]) & (event_ms < self.return_ms.ravel()[flat])
        city = np.where(on_trip & settled, self.city.ravel()[flat], home_city)
        return city, on_trip & ~settled


def build_trips(people: People, geography: Geography, days: int, rng: np.random.Generator) -> Trips:
    """Draw trips; mobile people travel in most slots, others hardly ever, and half stay on their continent."""
    n_slots = -(-days // SLOT_DAYS)
    shape = (len(people), n_slots)
    chance = np.clip(0.22 * people.mobility, 0, 0.8)[:, None]
    nights = np.minimum(1 + rng.gamma(1.5, 3.0, shape), 20)
    start_day = np.arange(n_slots) * SLOT_DAYS + 1 + rng.random(shape) * (SLOT_DAYS - nights - 4)
    destination = _destinations(geography, rng)
    home = people.city[:, None]
    city = destination[np.broadcast_to(home, shape), rng.integers(0, destination.shape[1], shape)]
    flight_ms = (AIRPORT_H + geography.kilometres[home, city] / CRUISE_KMH) * HOUR_MS
    away = (rng.random(shape) < chance) & (city != home)
    never = 10 * days * DAY_MS
    leave = np.where(away, start_day * DAY_MS, never).astype(np.int64)
    arrive = leave + flight_ms.astype(np.int64)
    returning = arrive + (nights * DAY_MS).astype(np.int64)
    return Trips(leave, arrive, returning, returning + flight_ms.astype(np.int64), city)


def _destinations(geography: Geography, rng: np.random.Generator, slots: int = 256) -> np.ndarray:
    """For each city, `slots` destinations: big ones and near ones more often, int64 (n_cities, slots)."""
    pull = geography.weight * (0.06 + np.exp(-geography.kilometres / 1_500))
    cumulative = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)
    draws = rng.random((len(pull), slots))
    return np.array([np.searchsorted(row, draw) for row, draw in zip(cumulative, draws, strict=True)]).clip(
        max=len(pull) - 1
    )
