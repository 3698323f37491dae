"""Trips: people are where the trip says, and honest cards do not jump between terminals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fraudkit.simulate import WORLDS
from fraudkit.simulate.behaviour import honest_rows
from fraudkit.simulate.geography import haversine_km
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import PRESENT
from fraudkit.simulate.scene import build_scene
from fraudkit.simulate.trips import HOUR_MS


def test_a_trip_has_a_way_out_a_stay_and_a_way_back() -> None:
    scene = build_scene(replace(WORLDS["small"], users=40), np.random.default_rng(1))
    trips, home = scene.trips, scene.people.city
    user, slot = (found[0] for found in np.nonzero(trips.leave_ms < scene.world_ms))
    moments = [trips.leave_ms, trips.arrive_ms, trips.return_ms, trips.home_ms]
    leave, arrive, back, again = (int(moment[user, slot]) for moment in moments)
    assert leave < arrive < back < again
    for moment, city, flying in (
        (leave - 1, home[user], False),
        ((leave + arrive) // 2, home[user], True),
        (arrive, trips.city[user, slot], False),
        (back - 1, trips.city[user, slot], False),
        (back, home[user], True),
        (again, home[user], False),
    ):
        found = trips.where(np.array([user]), np.array([moment]), home[[user]])
        assert (found[0][0], found[1][0]) == (city, flying)


def test_trips_never_reach_into_the_next_slot() -> None:
    scene = build_scene(replace(WORLDS["small"], users=300), np.random.default_rng(2))
    trips = scene.trips
    away = trips.leave_ms < scene.world_ms
    slot_end = (np.arange(away.shape[1]) + 1) * 45 * DAY_MS
    assert (trips.home_ms <= slot_end)[away].all()
    assert 0.05 < away.mean() < 0.5


def test_honest_impossible_travel_is_rare_but_not_never() -> None:
    scene_rng, honest_rng = np.random.default_rng(3).spawn(2)
    scene = build_scene(replace(WORLDS["small"], users=400), scene_rng)
    rows = honest_rows(scene, honest_rng)
    rows = rows.take(rows.channel == PRESENT)
    same = np.diff(rows.user) == 0
    km = haversine_km(rows.latitude[:-1], rows.longitude[:-1], rows.latitude[1:], rows.longitude[1:])[same]
    hours = (np.diff(rows.event_ms) / HOUR_MS)[same]
    impossible = ((km > 100) & (km > 900 * hours)).mean()
    assert 0.00005 < impossible < 0.003
