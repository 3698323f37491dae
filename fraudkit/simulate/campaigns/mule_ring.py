"""Mule ring: recruited accounts pass money through, run by the same hands from the same few devices."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.rows import ONLINE_CHANNEL, Rows

ROUND_USD = 10.0


def act(wave: Wave) -> Rows:
    """Round sums leave the members' accounts soon after each other, all from the crew's devices and addresses."""
    scene, rng, crew = wave.stage.scene, wave.rng, wave.crew
    user = craft.victims(wave, pool=crew.members)
    merchant = craft.websites(wave, wave.n_rows)
    amount = craft.amounts(wave, merchant)
    amount = np.where(rng.random(wave.n_rows) < 0.6, np.ceil(amount / ROUND_USD) * ROUND_USD, amount)
    seat = scene.people.city[crew.members[0]]
    nearby = rng.random(wave.n_rows) < 0.5
    city = np.where(nearby, scene.people.city[user], seat)
    scatter = rng.normal(0, 0.05, (2, wave.n_rows))
    return Rows(
        user=user,
        event_ms=craft.moments(wave, user),
        amount_usd=amount,
        merchant=merchant,
        channel=np.full(wave.n_rows, ONLINE_CHANNEL, dtype=np.int8),
        latitude=scene.geography.latitude[city] + scatter[0],
        longitude=scene.geography.longitude[city] + scatter[1],
        country=scene.geography.country[city],
        device=rng.choice(crew.devices, wave.n_rows),
        ip=rng.choice(crew.hosting, wave.n_rows),
        campaign=np.zeros(wave.n_rows, dtype=np.int8),
        campaign_id=np.full(wave.n_rows, crew.campaign_id, dtype=np.int32),
    )


CAMPAIGN = Campaign(
    name="mule_ring",
    summary="recruited accounts pass money through from shared devices and addresses",
    share=0.10,
    rows_per_victim=4.0,
    gap_h=30.0,
    amount=0.6,
    hour=13.0,
    hour_spread=5.0,
    network=Network(proxy=1.0, carrier=0.0, vpn=0.0, hosting=0.0),
    drift=Drift(
        amount=-0.04,
        hour=0.4,
        categories=(("money transfer",), ("money transfer", "quasi cash"), ("quasi cash", "gambling")),
    ),
    act=act,
    reused_device=1.0,
    stealth=0.6,
)
