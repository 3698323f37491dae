"""Devices and addresses: the ones people own, the ones they share, and the ones that are hired.

Addresses lie in 10.0.0.0/8, which belongs to nobody on the internet: a bad reputation here says
nothing about a real host. Reputations overlap between honest and hired addresses on purpose; a
residential proxy looks like a home because it is one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fraudkit.core.transaction import DEVICE_TYPES
from fraudkit.simulate.geography import Geography
from fraudkit.simulate.people import People

MOBILE, DESKTOP, TABLET = (DEVICE_TYPES.index(name) for name in ("mobile", "desktop", "tablet"))
OWN_DEVICES = 4  # phone, its successor, computer, tablet
HOME_LEASES = 9
CARRIER_PER_COUNTRY, DYNAMIC_PER_COUNTRY, WORK_PER_CITY, HOTEL_PER_CITY, VPN_EXITS = 40, 600, 6, 10, 120
# Beta parameters of the reputation (0 clean .. 1 bad) of each kind of address.
REPUTATION = {
    "home": (1.3, 8.0),
    "dynamic": (1.4, 6.5),
    "carrier": (1.6, 5.0),
    "work": (1.5, 10.0),
    "hotel": (2.0, 6.0),
    "vpn": (3.0, 4.0),
    "proxy": (1.4, 6.5),
    "hosting": (4.0, 4.0),
}


@dataclass(slots=True)
class Devices:
    """All devices seen so far: their types by code. New ones are added in blocks."""

    blocks: list[np.ndarray] = field(default_factory=list)
    count: int = 0

    def add(self, types: np.ndarray) -> np.ndarray:
        """Register devices of `types` (positions in DEVICE_TYPES) and return their codes, int32."""
        self.blocks.append(types.astype(np.int8))
        codes = np.arange(self.count, self.count + len(types), dtype=np.int32)
        self.count += len(types)
        return codes

    def types(self) -> np.ndarray:
        """Type of every device, int8 (count,)."""
        return np.concatenate(self.blocks)


@dataclass(slots=True)
class Addresses:
    """All addresses seen so far: their reputations by code. New ones are added in blocks."""

    blocks: list[np.ndarray] = field(default_factory=list)
    count: int = 0

    def add(self, kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
        """Register `n` addresses of a kind of REPUTATION and return their codes, int32."""
        self.blocks.append(rng.beta(*REPUTATION[kind], n))
        codes = np.arange(self.count, self.count + n, dtype=np.int32)
        self.count += n
        return codes

    def reputations(self) -> np.ndarray:
        """Reputation of every address, float64 (count,), 0 clean .. 1 bad."""
        return np.concatenate(self.blocks)


@dataclass(frozen=True, slots=True)
class Gear:
    """What card holders use, and the pools that everybody can use.

    `own` (n_users, OWN_DEVICES) device codes; `has_computer`, `has_tablet` bool and `new_phone_ms`,
    `lease_ms` int64 of shape (n_users,); `home` (n_users, HOME_LEASES), `carrier` (n_countries, ·),
    `work` and `hotel` (n_cities, ·) and `vpn` (·,) address codes (`dynamic` as `carrier`); `vpn_city` where
    each exit stands.
    """

    devices: Devices
    addresses: Addresses
    own: np.ndarray
    has_computer: np.ndarray
    has_tablet: np.ndarray
    new_phone_ms: np.ndarray
    lease_ms: np.ndarray
    home: np.ndarray
    dynamic: np.ndarray
    carrier: np.ndarray
    work: np.ndarray
    hotel: np.ndarray
    vpn: np.ndarray
    vpn_city: np.ndarray

    def phone(self, user: np.ndarray, event_ms: np.ndarray) -> np.ndarray:
        """The phone each user carries at that moment, int32."""
        return self.own[user, (event_ms >= self.new_phone_ms[user]).astype(np.int64)]

    def home_address(self, user: np.ndarray, event_ms: np.ndarray) -> np.ndarray:
        """The address of each user's home line at that moment, int32."""
        lease = np.minimum(event_ms // self.lease_ms[user], HOME_LEASES - 1)
        return self.home[user, lease]


def build_gear(people: People, geography: Geography, world_ms: int, rng: np.random.Generator) -> Gear:
    """Hand out devices and addresses. About one household in eight shares its computer with another."""
    n = len(people)
    devices, addresses = Devices(), Addresses()
    own = devices.add(np.tile([MOBILE, MOBILE, DESKTOP, TABLET], n)).reshape(n, OWN_DEVICES)
    sharing = np.flatnonzero(rng.random(n - 1) < 0.12)
    own[sharing + 1, 2] = own[sharing, 2]
    n_city, n_country = len(geography.country), len(geography.nations)
    shortest = world_ms // HOME_LEASES + 1
    return Gear(
        devices=devices,
        addresses=addresses,
        own=own,
        has_computer=rng.random(n) < 0.72,
        has_tablet=rng.random(n) < 0.2,
        new_phone_ms=np.where(rng.random(n) < 0.4, rng.uniform(0, world_ms, n), 2 * world_ms).astype(np.int64),
        lease_ms=(shortest * (1 + rng.exponential(4.0, n))).astype(np.int64),
        home=addresses.add("home", n * HOME_LEASES, rng).reshape(n, HOME_LEASES),
        dynamic=addresses.add("dynamic", n_country * DYNAMIC_PER_COUNTRY, rng).reshape(n_country, -1),
        carrier=addresses.add("carrier", n_country * CARRIER_PER_COUNTRY, rng).reshape(n_country, -1),
        work=addresses.add("work", n_city * WORK_PER_CITY, rng).reshape(n_city, -1),
        hotel=addresses.add("hotel", n_city * HOTEL_PER_CITY, rng).reshape(n_city, -1),
        vpn=addresses.add("vpn", VPN_EXITS, rng),
        vpn_city=rng.choice(n_city, VPN_EXITS, p=geography.weight),
    )
