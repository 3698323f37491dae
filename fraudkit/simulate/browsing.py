"""The online side of honest purchases: which device, which address, and where that address points to."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.devices import DESKTOP, MOBILE, TABLET
from fraudkit.simulate.scene import Scene

# How often, before WorldConfig.legit_oddness scales it: a device used once, a VPN for once.
ONE_OFF_DEVICE, VPN_FOR_ONCE = 0.012, 0.004
AT_WORK, ON_MOBILE_NETWORK, GATEWAY_ELSEWHERE = 0.2, 0.45, 0.5
USUAL_EXITS = 3


def web_side(
    scene: Scene, user: np.ndarray, event_ms: np.ndarray, city: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Device, address and apparent city of online purchases, all of shape (n,).

    Parameters
    ----------
    city : where each user really is
    """
    device_rng, address_rng = rng.spawn(2)
    phone, device = _device(scene, user, event_ms, device_rng)
    address = _address(scene, user, event_ms, city, phone, address_rng)
    city = _gateway(scene, address, city, address_rng)
    address, city = _hide(scene, user, address, city, address_rng)
    return device, address, city


def _device(
    scene: Scene, user: np.ndarray, event_ms: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Whether each purchase is made by phone, and the device: the phone, the computer, one never seen again."""
    gear, people, n = scene.gear, scene.people, len(user)
    seated = gear.has_computer[user] | gear.has_tablet[user]
    phone = (rng.random(n) < people.mobile[user]) | ~seated
    tablet = gear.has_tablet[user] & (~gear.has_computer[user] | (rng.random(n) < 0.4))
    device = np.where(phone, gear.phone(user, event_ms), gear.own[user, np.where(tablet, 3, 2)])
    chance = people.private[user] + ONE_OFF_DEVICE * scene.config.legit_oddness
    once = np.flatnonzero(rng.random(n) < chance)
    device[once] = gear.devices.add(rng.choice([MOBILE, DESKTOP, TABLET], len(once), p=(0.45, 0.4, 0.15)))
    return phone, device


def _address(
    scene: Scene,
    user: np.ndarray,
    event_ms: np.ndarray,
    city: np.ndarray,
    phone: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """The home line, the office, the hotel, or the mobile network of the country."""
    gear, people, draw = scene.gear, scene.people, rng.random(len(user))
    country = scene.geography.country[city]
    address = gear.home_address(user, event_ms)
    changing = np.flatnonzero(people.dynamic[user])
    address[changing] = gear.dynamic[country[changing], rng.integers(0, gear.dynamic.shape[1], len(changing))]
    at_work = np.flatnonzero(~phone & (draw < AT_WORK))
    address[at_work] = gear.work[city[at_work], user[at_work] % gear.work.shape[1]]
    away = np.flatnonzero(city != people.city[user])
    address[away] = gear.hotel[city[away], rng.integers(0, gear.hotel.shape[1], len(away))]
    mobile = np.flatnonzero(phone & (draw < ON_MOBILE_NETWORK))
    address[mobile] = gear.carrier[country[mobile], rng.integers(0, gear.carrier.shape[1], len(mobile))]
    return address


def _gateway(scene: Scene, address: np.ndarray, city: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where addresses point to: those of mobile networks often to a gateway elsewhere in the country."""
    carrier = (address >= scene.gear.carrier[0, 0]) & (address <= scene.gear.carrier[-1, -1])
    moved = np.flatnonzero(carrier & (rng.random(len(city)) < GATEWAY_ELSEWHERE))
    city = city.copy()
    city[moved] = scene.geography.city_in(scene.geography.country[city[moved]], rng)
    return city


def _hide(
    scene: Scene, user: np.ndarray, address: np.ndarray, city: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Send some purchases through a VPN: a habit of few, each by their usual exits, a whim of others."""
    gear = scene.gear
    chance = scene.people.hidden[user] + VPN_FOR_ONCE * scene.config.legit_oddness
    hidden = np.flatnonzero(rng.random(len(user)) < chance)
    tunnel = (user[hidden] * 7 + rng.integers(0, USUAL_EXITS, len(hidden))) % len(gear.vpn)
    address, city = address.copy(), city.copy()
    address[hidden], city[hidden] = gear.vpn[tunnel], gear.vpn_city[tunnel]
    return address, city
