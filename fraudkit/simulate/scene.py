"""The scene: all that stands still while people and fraudsters act."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.simulate.config import WorldConfig
from fraudkit.simulate.devices import Gear, build_gear
from fraudkit.simulate.geography import Geography, build_geography
from fraudkit.simulate.habits import Habits, build_habits
from fraudkit.simulate.market import Market, build_market
from fraudkit.simulate.people import DAY_MS, People, build_people
from fraudkit.simulate.trips import Trips, build_trips


@dataclass(frozen=True, slots=True)
class Scene:
    """A world before the first transaction."""

    config: WorldConfig
    geography: Geography
    people: People
    market: Market
    gear: Gear
    trips: Trips
    habits: Habits

    @property
    def world_ms(self) -> int:
        """Length of the world in milliseconds."""
        return self.config.days * DAY_MS


def build_scene(config: WorldConfig, rng: np.random.Generator) -> Scene:
    """Build every standing part, each from a stream of its own."""
    streams = rng.spawn(6)
    geography = build_geography(streams[0])
    people = build_people(config, geography, streams[1])
    market = build_market(geography, streams[2])
    return Scene(
        config=config,
        geography=geography,
        people=people,
        market=market,
        gear=build_gear(people, geography, config.days * DAY_MS, streams[3]),
        trips=build_trips(people, geography, config.days, streams[4]),
        habits=build_habits(people, market, streams[5]),
    )
