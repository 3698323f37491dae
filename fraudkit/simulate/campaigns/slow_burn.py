"""Slow burn: small amounts that look like the victim's own, spread over weeks, under every threshold."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.rows import Rows

COPY_CATEGORY = 0.6


def act(wave: Wave) -> Rows:
    """Every few days a purchase in a category the victim uses, a little smaller than the victim's own."""
    stage, rng = wave.stage, wave.rng
    market = stage.scene.market
    user = craft.victims(wave)
    event_ms = craft.moments(wave, user)
    own = stage.own_rows(user, event_ms, rng)
    category = market.category[stage.honest.merchant[own]]
    copied = market.website(category, rng)
    familiar = (copied >= 0) & (rng.random(wave.n_rows) < COPY_CATEGORY)
    merchant = np.where(familiar, copied, craft.websites(wave, wave.n_rows))
    amount = stage.honest.amount_usd[own] * np.exp(wave.amount + 0.4 * rng.standard_normal(wave.n_rows))
    return craft.online(wave, user, event_ms, merchant, np.clip(amount, 1.0, 120.0))


CAMPAIGN = Campaign(
    name="slow_burn",
    summary="small familiar purchases every few days, below every threshold",
    share=0.11,
    rows_per_victim=6.0,
    gap_h=80.0,
    amount=-0.3,
    hour=15.0,
    hour_spread=6.0,
    network=Network(proxy=0.75, carrier=0.2, vpn=0.05, hosting=0.0),
    drift=Drift(
        amount=0.03,
        hour=0.5,
        categories=(("digital media", "marketplaces"), ("fast food", "taxis"), ("groceries", "digital games")),
    ),
    act=act,
    reused_device=0.15,
    stealth=2.5,
)
