"""What campaigns share: choosing moments, merchants, amounts, and dressing rows with a network and a device."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns.campaign import Stage, Wave
from fraudkit.simulate.categories import LOG_MEDIAN, ONLINE, SHARE
from fraudkit.simulate.devices import DESKTOP, MOBILE
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import ONLINE_CHANNEL, PRESENT, Rows
from fraudkit.simulate.trips import HOUR_MS

AMOUNT_SIGMA = 0.6
OFF_PLAN = 0.3  # of purchases follow an occasion and not the campaign's plan
NEAR_HOME = 0.7  # of a victim's false addresses point to the victim's city, the others elsewhere in the country


def victims(wave: Wave, pool: np.ndarray | None = None, weight: np.ndarray | None = None) -> np.ndarray:
    """The account of each row of the wave, sorted so that a victim's rows stand together, int64 (n_rows,)."""
    if pool is None:
        pool = wave.stage.eligible(int(wave.start_day * DAY_MS))
    n_victims = max(1, round(wave.n_rows / wave.campaign.rows_per_victim))
    chance = None if weight is None else weight[pool] / weight[pool].sum()
    chosen = wave.rng.choice(pool, n_victims, p=chance)
    return chosen[np.sort(wave.rng.integers(0, n_victims, wave.n_rows))]


def moments(wave: Wave, user: np.ndarray) -> np.ndarray:
    """When each row happens, int64 (n_rows,): a start for each victim, then gaps; within the world."""
    n, rng, scene = len(user), wave.rng, wave.stage.scene
    opening = first_of_victim(user)
    victim = np.cumsum(opening) - 1
    n_victims = int(opening.sum())
    day = np.floor(wave.start_day + rng.random(n_victims) * wave.n_days)
    hour = (wave.hour + rng.normal(0, wave.campaign.hour_spread, n_victims)) % 24
    utc_hour = (hour - scene.geography.utc_hours[scene.people.city[user[opening]]]) % 24
    gap = rng.exponential(wave.campaign.gap_h * wave.crew.tactics.pace, n)
    elapsed = np.cumsum(gap)
    elapsed -= elapsed[opening][victim]
    event_ms = (day[victim] * DAY_MS + (utc_hour[victim] + elapsed) * HOUR_MS).astype(np.int64)
    # What would fall after the world's end falls somewhere between its victim's first row and the end.
    begin, last = day[victim] * DAY_MS, scene.world_ms - 1
    return np.where(event_ms > last, begin + (rng.random(n) * (last - begin)).astype(np.int64), event_ms).astype(
        np.int64
    )


def first_of_victim(user: np.ndarray) -> np.ndarray:
    """Mask of each victim's first row in an array where their rows stand together."""
    return np.concatenate([[True], user[1:] != user[:-1]])


def amounts(wave: Wave, merchant: np.ndarray) -> np.ndarray:
    """Amounts in US dollars around the usual ones of each merchant, moved by the wave."""
    market = wave.stage.scene.market
    log = LOG_MEDIAN[market.category[merchant]] + market.price[merchant] + wave.amount
    return np.exp(log + AMOUNT_SIGMA * wave.rng.standard_normal(len(merchant)))


def websites(wave: Wave, n: int) -> np.ndarray:
    """Online merchants, half popular and half obscure, int32 (n,): mostly in the wave's categories, some in any."""
    everyday = SHARE * ONLINE
    anything = wave.rng.choice(len(everyday), n, p=everyday / everyday.sum())
    category = np.where(wave.rng.random(n) < OFF_PLAN, anything, wave.rng.choice(wave.categories, n))
    market = wave.stage.scene.market
    obscure = wave.rng.random(n) < 0.5
    return np.where(obscure, market.obscure_website(category, wave.rng), market.website(category, wave.rng))


def shops(wave: Wave, city: np.ndarray) -> np.ndarray:
    """Shops of the wave's categories in each city, int32; the categories must be sold in shops."""
    return wave.stage.scene.market.shop(city, wave.rng.choice(wave.categories, len(city)), wave.rng)


def devices(wave: Wave, user: np.ndarray) -> np.ndarray:
    """A device for each victim: one of the crew's, or a fresh one, int32 (n,)."""
    opening = first_of_victim(user)
    victim = np.cumsum(opening) - 1
    n_victims = int(opening.sum())
    types = wave.rng.choice([MOBILE, DESKTOP], n_victims, p=(0.55, 0.45))
    fresh = wave.stage.scene.gear.devices.add(types)
    reused = wave.rng.choice(wave.crew.devices, n_victims)
    return np.where(wave.rng.random(n_victims) < wave.campaign.reused_device, reused, fresh)[victim]


def online(wave: Wave, user: np.ndarray, event_ms: np.ndarray, merchant: np.ndarray, amount: np.ndarray) -> Rows:
    """Rows made over the internet: device, address and place after the campaign's network, one each a victim."""
    scene, rng = wave.stage.scene, wave.rng
    gear, geography = scene.gear, scene.geography
    opening = first_of_victim(user)
    victim, who = np.cumsum(opening) - 1, user[opening]
    mix = wave.campaign.network
    draw = rng.random(len(who))
    country = geography.country[scene.people.city[who]]
    near = rng.random(len(who)) < NEAR_HOME
    city = np.where(near, scene.people.city[who], geography.city_in(country, rng))
    ip = gear.addresses.add("proxy", len(who), rng)
    carrier = (draw >= mix.proxy) & (draw < mix.proxy + mix.carrier)
    ip = np.where(carrier, gear.carrier[country, rng.integers(0, gear.carrier.shape[1], len(who))], ip)
    tunnel = rng.integers(0, len(gear.vpn), len(who))
    vpn = (draw >= mix.proxy + mix.carrier) & (draw < mix.proxy + mix.carrier + mix.vpn)
    ip, city = np.where(vpn, gear.vpn[tunnel], ip), np.where(vpn, gear.vpn_city[tunnel], city)
    hosted = draw >= mix.proxy + mix.carrier + mix.vpn
    ip = np.where(hosted, rng.choice(wave.crew.hosting, len(who)), ip)
    city = np.where(hosted, _crew_cities(wave, len(who)), city)
    scatter = rng.normal(0, 0.05, (2, len(who)))
    n = len(user)
    return Rows(
        user=user,
        event_ms=event_ms,
        amount_usd=amount,
        merchant=merchant,
        channel=np.full(n, ONLINE_CHANNEL, dtype=np.int8),
        latitude=(geography.latitude[city] + scatter[0])[victim],
        longitude=(geography.longitude[city] + scatter[1])[victim],
        country=geography.country[city][victim],
        device=devices(wave, user),
        ip=ip[victim],
        campaign=np.zeros(n, dtype=np.int8),
        campaign_id=np.full(n, wave.crew.campaign_id, dtype=np.int32),
    )


def _crew_cities(wave: Wave, n: int) -> np.ndarray:
    """Cities in the countries the wave works from, int64 (n,); anywhere when it names none."""
    geography = wave.stage.scene.geography
    codes = [nation.code for nation in geography.nations]
    named = np.array([codes.index(code) for code in wave.countries] or range(len(codes)))
    return geography.city_in(wave.rng.choice(named, n), wave.rng)


def at_terminal(wave: Wave, user: np.ndarray, event_ms: np.ndarray, merchant: np.ndarray, amount: np.ndarray) -> Rows:
    """Rows made with the plastic card in a shop: the shop's place, no device, no address."""
    n, market = len(user), wave.stage.scene.market
    return Rows(
        user=user,
        event_ms=event_ms,
        amount_usd=amount,
        merchant=merchant,
        channel=np.full(n, PRESENT, dtype=np.int8),
        latitude=market.latitude[merchant],
        longitude=market.longitude[merchant],
        country=market.country[merchant],
        device=np.full(n, -1, dtype=np.int32),
        ip=np.full(n, -1, dtype=np.int32),
        campaign=np.zeros(n, dtype=np.int8),
        campaign_id=np.full(n, wave.crew.campaign_id, dtype=np.int32),
    )


def blend_in(stage: Stage, rows: Rows, share: float, rng: np.random.Generator) -> Rows:
    """Let a share of rows copy one of the victim's own purchases: merchant, place, hour, amount.

    Three in five of them also show the victim's own device, and as many the victim's own address
    (malware on the phone, a neighbour's wireless); the others keep the crew's.
    """
    hidden = np.flatnonzero(rng.random(len(rows)) < share)
    own = stage.own_rows(rows.user[hidden], rows.event_ms[hidden], rng)
    honest = stage.honest
    rows.merchant[hidden] = honest.merchant[own]
    rows.channel[hidden] = honest.channel[own]
    for column in ("latitude", "longitude", "country"):
        getattr(rows, column)[hidden] = getattr(honest, column)[own]
    rows.amount_usd[hidden] = honest.amount_usd[own] * rng.lognormal(0.05, 0.3, len(hidden))
    rows.event_ms[hidden] += honest.event_ms[own] % DAY_MS - rows.event_ms[hidden] % DAY_MS
    for column in ("device", "ip"):
        mine, theirs = getattr(rows, column)[hidden], getattr(honest, column)[own]
        keeps = (rng.random(len(hidden)) < 0.4) & (theirs >= 0) & (mine >= 0)
        getattr(rows, column)[hidden] = np.where(keeps, mine, theirs)
    return rows
