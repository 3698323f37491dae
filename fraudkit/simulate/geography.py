"""Cities: where people live and shops stand, and how far apart they are.

Cities are invented points around each country's centre; they are not real towns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.core.money import Country, countries

EARTH_RADIUS_KM = 6_371.0


def haversine_km(lat_a: np.ndarray, lon_a: np.ndarray, lat_b: np.ndarray, lon_b: np.ndarray) -> np.ndarray:
    """Great-circle distance in kilometres between points in degrees; shapes broadcast."""
    lat_a, lon_a, lat_b, lon_b = (np.radians(values) for values in (lat_a, lon_a, lat_b, lon_b))
    chord = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))


@dataclass(frozen=True, slots=True)
class Geography:
    """Countries and their cities.

    `country`, `latitude`, `longitude`, `utc_hours`, `weight` describe cities and have shape
    (n_cities,); `first_city` and `n_cities` have shape (n_countries,). `kilometres` is
    (n_cities, n_cities).
    """

    nations: tuple[Country, ...]
    country: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    utc_hours: np.ndarray
    weight: np.ndarray
    first_city: np.ndarray
    n_cities: np.ndarray
    kilometres: np.ndarray

    def city_in(self, country: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A random city of each country, int64 of `country`'s shape."""
        return self.first_city[country] + (rng.random(len(country)) * self.n_cities[country]).astype(np.int64)


def build_geography(rng: np.random.Generator) -> Geography:
    """Place 1 to 6 cities in every country, more where more card holders live."""
    nations = tuple(countries().values())
    weight = np.array([nation.weight for nation in nations])
    n_cities = np.clip(1 + np.round(weight / 3), 1, 6).astype(np.int64)
    country = np.repeat(np.arange(len(nations)), n_cities)
    spread = np.sqrt(n_cities)[country]
    centre = np.array([(nation.latitude, nation.longitude) for nation in nations])[country]
    latitude = np.clip(centre[:, 0] + rng.normal(0, 0.7, len(country)) * spread, -70, 70)
    longitude = np.clip(centre[:, 1] + rng.normal(0, 1.0, len(country)) * spread, -179, 179)
    city_weight = (weight / n_cities)[country] * rng.lognormal(0, 0.4, len(country))
    return Geography(
        nations=nations,
        country=country,
        latitude=latitude,
        longitude=longitude,
        utc_hours=np.round(longitude / 15),
        weight=city_weight / city_weight.sum(),
        first_city=np.concatenate([[0], np.cumsum(n_cities)[:-1]]),
        n_cities=n_cities,
        kilometres=haversine_km(latitude[:, None], longitude[:, None], latitude[None, :], longitude[None, :]),
    )
